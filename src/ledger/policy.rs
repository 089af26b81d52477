//! `rules/policy.yaml`: which colour follows from which facts.
//!
//! A policy is a list of clauses in order; the first that holds gives the code. Because a target has few facts, a
//! policy is checked by trying every set of facts that can be: it must give a code for each, every clause must decide
//! at least one, every colour must be given for some, and none may be given against the facts.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::fact::{Fact, Facts};
use crate::model::{CodeReason, CodeSuggestion, ColorCode, DutyStatus, Filing, Level, TargetKind, Verdict};

/// The policy of the colour code.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Policy {
    /// Name of the policy: `zhijian.default`.
    pub id: String,
    /// Version, raised with every change of meaning.
    pub version: u32,
    /// Days that a scan counts; after them the target has to be scanned again.
    pub scan_valid_days: u16,
    /// Which finding is of the same kind as one that was rectified before.
    pub same_kind: SameKind,
    /// Conditions with a name, for clauses to refer to.
    #[serde(default)]
    pub situations: BTreeMap<String, Condition>,
    /// The clauses, in order: the first that holds gives the code.
    pub clauses: Vec<Clause>,
}

/// Which findings are of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SameKind {
    /// Those of one rule.
    Rule,
    /// Those of one category of functions.
    Category,
    /// All.
    Any,
}

/// One clause of the policy.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// Stable id of the clause.
    pub id: String,
    /// The code it gives.
    pub code: ColorCode,
    /// When.
    pub when: Condition,
    /// Short state beside the colour, in Chinese.
    #[serde(default)]
    pub state: String,
    /// Short state beside the colour, in English.
    #[serde(default)]
    pub state_en: String,
    /// The sentence of the policy, in Chinese.
    pub text: String,
    /// The sentence of the policy, in English.
    pub text_en: String,
}

/// When a clause holds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Condition {
    /// A fact.
    Fact(Fact),
    /// A condition with a name.
    Named(String),
    /// Several together.
    Of(Combined),
}

/// Conditions together.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Combined {
    /// Each holds.
    All(Vec<Condition>),
    /// One holds at least.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
}

/// Conditions within conditions, names included, at most.
const MAX_DEPTH: usize = 16;

/// A filing record as a fact.
pub(super) fn filing_fact(filing: Filing) -> Fact {
    match filing {
        Filing::Filed => Fact::Filed,
        Filing::NotFiled => Fact::NotFiled,
        Filing::Unknown => Fact::FilingUnknown,
    }
}

/// Everything the policy looks at in a single scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Situation {
    /// Filing record.
    pub filing: Filing,
    /// Level of each finding.
    pub findings: Vec<Level>,
    /// Status of each duty.
    pub duties: Vec<DutyStatus>,
    /// How much could be seen.
    pub coverage: Verdict,
    /// What was seen.
    pub kind: TargetKind,
}

impl Situation {
    fn facts(&self) -> Facts {
        coverage_facts(self.coverage, self.kind)
            .with(filing_fact(self.filing), true)
            .with(Fact::ConfirmedFinding, self.findings.contains(&Level::Confirmed))
            .with(Fact::SuspectedFinding, self.findings.contains(&Level::Suspected))
            .with(Fact::DutyMissing, self.duties.contains(&DutyStatus::Missing))
    }
}

/// What a scan could see.
pub(super) fn coverage_facts(coverage: Verdict, kind: TargetKind) -> Facts {
    Facts::default()
        .with(Fact::CoverageOpaque, coverage == Verdict::Opaque)
        .with(Fact::CoveragePartial, coverage == Verdict::Partial)
        .with(Fact::SinglePage, kind == TargetKind::AccountPage)
}

/// Facts with which no policy may give green: never by blindness, nor unfiled, nor with an open finding.
const BARS_GREEN: [Fact; 10] = [
    Fact::Closed,
    Fact::Struck,
    Fact::ConfirmedFinding,
    Fact::NeverScanned,
    Fact::CoverageOpaque,
    Fact::CoveragePartial,
    Fact::SinglePage,
    Fact::ScanOutdated,
    Fact::NotFiled,
    Fact::FilingUnknown,
];

impl Policy {
    /// Reads a policy; the error says where it is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let policy: Policy = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        policy.validate()?;
        Ok(policy)
    }

    /// Name and version: `zhijian.default/2`.
    pub fn title(&self) -> String {
        format!("{}/{}", self.id, self.version)
    }

    /// Refuses a policy that leaves a case open, contradicts the facts, or has a clause or colour that cannot be
    /// reached.
    pub(crate) fn validate(&self) -> Result<(), String> {
        for (name, condition) in &self.situations {
            let known: Result<Fact, serde::de::value::Error> =
                Fact::deserialize(serde::de::value::StrDeserializer::new(name));
            if known.is_ok() {
                return Err(format!("the situation {name} has the name of a fact"));
            }
            self.check(condition, &mut vec![name])?;
        }
        for (index, clause) in self.clauses.iter().enumerate() {
            if self.clauses[..index].iter().any(|other| other.id == clause.id) {
                return Err(format!("the clause {} is there twice", clause.id));
            }
            self.check(&clause.when, &mut Vec::new())
                .map_err(|cause| format!("clause {}: {cause}", clause.id))?;
        }
        let mut decides = vec![false; self.clauses.len()];
        for facts in Facts::possible() {
            let names = || {
                let names: Vec<String> = facts.iter().map(|fact| format!("{fact:?}")).collect();
                names.join(", ")
            };
            let Some(index) = self.clauses.iter().position(|clause| self.holds(&clause.when, facts)) else {
                return Err(format!("no clause speaks of: {}", names()));
            };
            decides[index] = true;
            let Clause { id, code, .. } = &self.clauses[index];
            let barred = BARS_GREEN.iter().find(|fact| facts.holds(**fact));
            match (code, barred) {
                (ColorCode::Green, Some(fact)) => {
                    return Err(format!("the clause {id} gives green in spite of {fact:?}"));
                }
                (ColorCode::Red, _) if !facts.holds(Fact::RedDecided) => {
                    return Err(format!("the clause {id} gives red without the decision of a person"));
                }
                _ => {}
            }
        }
        if let Some(index) = decides.iter().position(|decides| !decides) {
            let id = &self.clauses[index].id;
            return Err(format!("the clause {id} never decides: others before it hold whenever it does"));
        }
        for code in [ColorCode::Green, ColorCode::Blue, ColorCode::Red, ColorCode::None] {
            if !self.clauses.iter().any(|clause| clause.code == code) {
                return Err(format!("no clause gives {}", code.en()));
            }
        }
        Ok(())
    }

    /// Whether the names in a condition are known and do not go round in a circle.
    fn check<'p>(&'p self, condition: &'p Condition, within: &mut Vec<&'p str>) -> Result<(), String> {
        if within.len() > MAX_DEPTH {
            return Err(format!("more than {MAX_DEPTH} conditions within one another"));
        }
        match condition {
            Condition::Fact(_) => Ok(()),
            Condition::Named(name) => {
                let Some(other) = self.situations.get(name) else {
                    return Err(format!("{name} is neither a fact nor a situation"));
                };
                if within.contains(&name.as_str()) {
                    return Err(format!(
                        "the situation {name} goes round in a circle: {}",
                        within.join(", ")
                    ));
                }
                within.push(name);
                self.check(other, within)?;
                within.pop();
                Ok(())
            }
            Condition::Of(Combined::All(list) | Combined::Any(list)) => {
                within.push("");
                list.iter().try_for_each(|condition| self.check(condition, within))?;
                within.pop();
                Ok(())
            }
            Condition::Of(Combined::Not(condition)) => {
                within.push("");
                self.check(condition, within)?;
                within.pop();
                Ok(())
            }
        }
    }

    fn holds(&self, condition: &Condition, facts: Facts) -> bool {
        match condition {
            Condition::Fact(fact) => facts.holds(*fact),
            Condition::Named(name) => {
                self.situations.get(name).is_some_and(|condition| self.holds(condition, facts))
            }
            Condition::Of(Combined::All(list)) => list.iter().all(|condition| self.holds(condition, facts)),
            Condition::Of(Combined::Any(list)) => list.iter().any(|condition| self.holds(condition, facts)),
            Condition::Of(Combined::Not(condition)) => !self.holds(condition, facts),
        }
    }

    /// The facts that a clause speaks of and that hold.
    pub(super) fn grounds(&self, clause: &Clause, facts: Facts) -> Vec<Fact> {
        let mut grounds = Vec::new();
        let mut left = vec![&clause.when];
        while let Some(condition) = left.pop() {
            match condition {
                Condition::Fact(fact) => grounds.push(*fact),
                Condition::Named(name) => left.extend(self.situations.get(name)),
                Condition::Of(Combined::All(list) | Combined::Any(list)) => left.extend(list),
                Condition::Of(Combined::Not(condition)) => left.push(condition),
            }
        }
        grounds.retain(|fact| facts.holds(*fact));
        grounds.sort_unstable();
        grounds.dedup();
        grounds
    }

    /// The clauses that hold and give the same code as the first of them, which decides. At what is off the roster or
    /// closed nothing is to be done, and no other clause is a reason.
    pub fn decide(&self, facts: Facts) -> Vec<&Clause> {
        let mut holding = self.clauses.iter().filter(|clause| self.holds(&clause.when, facts));
        let Some(first) = holding.next() else { return Vec::new() };
        if facts.holds(Fact::Closed) || facts.holds(Fact::Struck) {
            return vec![first];
        }
        let same = holding.filter(|clause| clause.code == first.code);
        std::iter::once(first).chain(same).collect()
    }

    /// The code that follows from facts, with its reasons.
    pub fn code(&self, facts: Facts) -> CodeSuggestion {
        let clauses = self.decide(facts);
        let first = clauses.first();
        let reason =
            |c: &&Clause| CodeReason { id: c.id.clone(), text: c.text.clone(), text_en: c.text_en.clone() };
        CodeSuggestion {
            suggested: first.map_or(ColorCode::None, |clause| clause.code),
            state: first.map_or_else(String::new, |clause| clause.state.clone()),
            state_en: first.map_or_else(String::new, |clause| clause.state_en.clone()),
            reasons: clauses.iter().map(reason).collect(),
            policy: self.title(),
        }
    }

    /// The code that follows from one scan without history. Blue and red need history and are never suggested.
    pub fn suggest(&self, situation: &Situation) -> CodeSuggestion {
        self.code(situation.facts())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = include_str!("../../rules/policy.yaml");

    fn refused(from: &str, to: &str) -> String {
        assert!(OWN.contains(from), "{from}");
        Policy::parse(&OWN.replacen(from, to, 1)).unwrap_err()
    }

    #[test]
    fn the_own_policy_holds() {
        Policy::parse(OWN).unwrap();
    }

    #[test]
    fn a_circle_is_named() {
        let cause = refused("situations:\n", "situations:\n  a: {not: b}\n  b: {all: [closed, a]}\n");
        assert!(cause.contains("circle"), "{cause}");
        let cause = refused("situations:\n", "situations:\n  a: a\n");
        assert!(cause.contains("circle"), "{cause}");
    }

    #[test]
    fn names_must_be_known_and_own() {
        assert!(refused("when: red\n", "when: crimson\n").contains("crimson is neither"));
        assert!(refused("situations:\n", "situations:\n  closed: struck\n").contains("name of a fact"));
    }

    #[test]
    fn no_policy_gives_green_by_blindness() {
        for barred in ["not-filed", "filing-unknown", "coverage-opaque", "single-page", "never-scanned"] {
            let from = format!("when: {barred}\n");
            let cause = refused(&from, "when: {all: [struck, {not: struck}]}\n");
            assert!(
                cause.contains("gives green in spite of") || cause.contains("no clause speaks"),
                "{cause}"
            );
        }
    }

    #[test]
    fn red_is_decided_by_a_person() {
        let cause = refused(
            "red: {all: [repeated, repeat-deadline-passed, red-decided]}",
            "red: {all: [repeated, repeat-deadline-passed]}",
        );
        assert!(cause.contains("without the decision of a person"), "{cause}");
    }

    #[test]
    fn what_cannot_be_reached_is_named() {
        let cause = refused("code: red\n", "code: blue\n");
        assert!(cause.contains("no clause gives red"), "{cause}");
        let cause = refused("when: duty-missing\n", "when: {all: [duty-missing, confirmed-finding]}\n");
        assert!(cause.contains("duty-missing never decides"), "{cause}");
    }
}
