//! What waits for a person, from what cannot wait to what can: a pure function of the events.

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fact::Fact;
use super::policy::Policy;
use super::standing::{OpenFinding, Standing};
use crate::model::{Lang, Level, beijing_day};

/// Why something waits, from what cannot wait to what can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Urgency {
    /// Red is proposed; a person decides.
    RedProposed,
    /// The last day of a notice has passed.
    Overdue,
    /// The owner says that it is done; a scan has to show it.
    ReportedDone,
    /// Found again, and no notice yet.
    FoundAgain,
    /// Confirmed, and no notice yet.
    NoNotice,
    /// Suspected; nobody has looked at it.
    Suspected,
    /// A required function was not seen.
    DutyMissing,
    /// Under notice, within its term.
    InTerm,
}

impl Urgency {
    /// The words of a language.
    pub fn words(self, lang: Lang) -> &'static str {
        let (zh, en) = match self {
            Urgency::RedProposed => ("拟赋红码，待决定", "red proposed"),
            Urgency::Overdue => ("整改逾期", "overdue"),
            Urgency::ReportedDone => ("已报整改，待复测", "reported done"),
            Urgency::FoundAgain => ("再次检出，待通知", "found again"),
            Urgency::NoNotice => ("已确认，待通知", "no notice yet"),
            Urgency::Suspected => ("疑似，待复核", "to be reviewed"),
            Urgency::DutyMissing => ("缺少必备项", "duty missing"),
            Urgency::InTerm => ("整改期内", "in term"),
        };
        lang.pick(zh, en)
    }
}

/// Something that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Waiting {
    /// Why it waits.
    pub urgency: Urgency,
    /// The target by its key.
    pub target: String,
    /// Name of the target, as the roster has it; where no roster names it, as it calls itself.
    pub name: Option<String>,
    /// The rule.
    pub rule: String,
    /// Since when it is open.
    #[schemars(with = "String")]
    pub since: Timestamp,
    /// The last day of the latest notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub deadline: Option<Date>,
    /// Numbers of the events it rests on.
    pub events: Vec<u64>,
}

impl Waiting {
    /// What is open at a target, in the order of its findings; nothing where it is off the roster or closed.
    pub fn of(policy: &Policy, target: &str, standing: &Standing, at: Timestamp) -> Vec<Waiting> {
        let facts = standing.facts(policy, at).facts();
        let proposed = facts.holds(Fact::RepeatDeadlinePassed) && !facts.holds(Fact::RedDecided);
        let reported = standing.reported().is_some();
        let name = standing.entry().and_then(|entry| entry.name.clone());
        let one = |urgency, rule: String, since, deadline, events| {
            let (target, name) = (target.to_owned(), name.clone());
            Waiting { urgency, target, name, rule, since, deadline, events }
        };
        let mut waiting: Vec<Waiting> = Vec::new();
        for finding in standing.open_findings(policy, at) {
            let urgency = urgency(&finding, proposed, reported, beijing_day(at));
            let OpenFinding { rule, since, deadline, events, .. } = finding;
            waiting.push(one(urgency, rule, since, deadline, events));
        }
        if let Some(since) = standing.scanned_at() {
            for rule in standing.missing(at) {
                let events = standing.scan_event().into_iter().collect();
                waiting.push(one(Urgency::DutyMissing, rule.to_owned(), since, None, events));
            }
        }
        waiting
    }

    /// By what a list is ordered: urgency, last day, since when, target and rule.
    pub fn order(&self) -> impl Ord + use<'_> {
        (self.urgency, self.deadline, self.since, &self.target, &self.rule)
    }
}

fn urgency(finding: &OpenFinding, proposed: bool, reported: bool, today: Date) -> Urgency {
    let passed = finding.deadline.is_some_and(|deadline| deadline < today);
    match finding.level {
        Level::Confirmed if finding.again && passed && proposed => Urgency::RedProposed,
        Level::Confirmed if reported => Urgency::ReportedDone,
        Level::Confirmed if passed => Urgency::Overdue,
        Level::Confirmed if finding.deadline.is_some() => Urgency::InTerm,
        Level::Confirmed if finding.again => Urgency::FoundAgain,
        Level::Confirmed => Urgency::NoNotice,
        _ => Urgency::Suspected,
    }
}
