//! What a policy can speak of.

use serde::Deserialize;

/// A fact about a target that either holds or does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fact {
    /// It is closed down.
    Closed,
    /// The roster holds it no longer.
    Struck,
    /// A confirmed finding is open.
    ConfirmedFinding,
    /// A suspected finding waits for a person.
    SuspectedFinding,
    /// The last day that a notice gives an open finding has passed.
    DeadlinePassed,
    /// An open finding was found again: after one of its kind had been rectified, under another label, or after the
    /// last day that a notice gave it.
    FoundAgain,
    /// The last day of a notice that came after a finding was found again has passed.
    RepeatDeadlinePassed,
    /// A person has decided on red for a finding that is still open.
    RedDecided,
    /// No scan is on record.
    NeverScanned,
    /// The package could not be seen at all.
    CoverageOpaque,
    /// Parts of the package could not be seen.
    CoveragePartial,
    /// One page of an account was seen, not the account.
    SinglePage,
    /// The latest scan is older than the policy allows.
    ScanOutdated,
    /// A required function was not seen.
    DutyMissing,
    /// It is filed.
    Filed,
    /// It is not filed.
    NotFiled,
    /// No filing record was given.
    FilingUnknown,
}

impl Fact {
    /// Every fact, in the order of declaration.
    pub const ALL: [Fact; 17] = [
        Fact::Closed,
        Fact::Struck,
        Fact::ConfirmedFinding,
        Fact::SuspectedFinding,
        Fact::DeadlinePassed,
        Fact::FoundAgain,
        Fact::RepeatDeadlinePassed,
        Fact::RedDecided,
        Fact::NeverScanned,
        Fact::CoverageOpaque,
        Fact::CoveragePartial,
        Fact::SinglePage,
        Fact::ScanOutdated,
        Fact::DutyMissing,
        Fact::Filed,
        Fact::NotFiled,
        Fact::FilingUnknown,
    ];
}

/// A set of facts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Facts(u32);

impl Facts {
    /// The set with a fact in it.
    #[must_use]
    pub fn with(self, fact: Fact, holds: bool) -> Self {
        if holds { Facts(self.0 | 1 << fact as u32) } else { self }
    }

    /// Whether a fact holds.
    pub fn holds(self, fact: Fact) -> bool {
        self.0 & 1 << fact as u32 != 0
    }

    fn any(self, facts: &[Fact]) -> bool {
        facts.iter().any(|fact| self.holds(*fact))
    }

    /// Every set that can be true of a target.
    pub(super) fn possible() -> impl Iterator<Item = Facts> {
        (0..1u32 << Fact::ALL.len()).map(Facts).filter(|facts| facts.is_possible())
    }

    fn is_possible(self) -> bool {
        use Fact::{
            ConfirmedFinding, CoverageOpaque, CoveragePartial, DeadlinePassed, DutyMissing, Filed,
            FilingUnknown, FoundAgain, NeverScanned, NotFiled, RedDecided, RepeatDeadlinePassed,
            ScanOutdated, SinglePage, SuspectedFinding,
        };
        let implies = |fact: Fact, other: Fact| !self.holds(fact) || self.holds(other);
        let filings = [Filed, NotFiled, FilingUnknown].iter().filter(|fact| self.holds(**fact)).count();
        let of_scans = [
            ConfirmedFinding,
            SuspectedFinding,
            CoverageOpaque,
            CoveragePartial,
            SinglePage,
            ScanOutdated,
            DutyMissing,
        ];
        filings == 1
            && !(self.holds(CoverageOpaque) && self.holds(CoveragePartial))
            && !(self.holds(NeverScanned) && self.any(&of_scans))
            && implies(DeadlinePassed, ConfirmedFinding)
            && implies(FoundAgain, ConfirmedFinding)
            && implies(RepeatDeadlinePassed, FoundAgain)
            && implies(RepeatDeadlinePassed, DeadlinePassed)
            && implies(RedDecided, FoundAgain)
    }

    /// The facts that hold.
    pub fn iter(self) -> impl Iterator<Item = Fact> {
        Fact::ALL.into_iter().filter(move |fact| self.holds(*fact))
    }
}

impl FromIterator<Fact> for Facts {
    fn from_iter<I: IntoIterator<Item = Fact>>(facts: I) -> Self {
        facts.into_iter().fold(Facts::default(), |set, fact| set.with(fact, true))
    }
}
