//! What a person says of a target, and the event it becomes; or why it cannot be said. A pure function of the events.

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fact::Fact;
use super::history::History;
use super::policy::Policy;
use super::standing::Recorded;
use crate::model::{Deed, Lang, Level, beijing_day};

/// What a person says of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "action", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Decision {
    /// 复核确认 of what is open under a rule.
    Confirm {
        /// The rule.
        rule: String,
        /// Why.
        reason: String,
    },
    /// 复核驳回 of what is open under a rule; it holds for the evidence that there is.
    Dismiss {
        /// The rule.
        rule: String,
        /// Why.
        reason: String,
    },
    /// 准予例外 of what is open under a rule, by a document, for a time.
    Except {
        /// The rule.
        rule: String,
        /// The document that grants it.
        document: String,
        /// What it covers.
        scope: String,
        /// The last day it holds.
        #[schemars(with = "String")]
        until: Date,
    },
    /// 决定赋红码.
    Red {
        /// The document, or the reason.
        reason: String,
    },
    /// 决定不赋红码 (本次).
    NotRed {
        /// The document, or the reason.
        reason: String,
    },
    /// 备案.
    Filing {
        /// The number.
        number: String,
    },
    /// 撤销备案.
    Revocation {
        /// Why.
        reason: String,
    },
    /// 下达整改通知.
    Notice {
        /// Number of the notice.
        document: String,
        /// The last day for rectification.
        #[schemars(with = "String")]
        deadline: Date,
        /// The rules it is about; all confirmed findings that are open where there are none.
        #[serde(default)]
        rules: Vec<String>,
    },
    /// 报告整改完成.
    Rectification {
        /// What the owner says was done.
        statement: String,
    },
    /// 关停、注销.
    Closure {
        /// The announcement, or the reason.
        reason: String,
    },
    /// 撤回 of an event of the target that was recorded by mistake.
    Withdrawal {
        /// Its number.
        event: u64,
        /// Why.
        reason: String,
    },
}

/// Why something cannot be said of a target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nothing is open under the rule.
    #[error("{rule} is not open; open are: {}", none_or(.open, "none"))]
    NotOpen {
        /// The rule.
        rule: String,
        /// Rules under which something is open.
        open: Vec<String>,
    },
    /// Nothing that is confirmed is open.
    #[error("no confirmed finding is open: nothing to notify of")]
    NothingToNotify,
    /// A rule of a notice has no confirmed finding.
    #[error("{rule}: is no confirmed open finding; there are {}", .confirmed.join(", "))]
    NotConfirmed {
        /// The rule.
        rule: String,
        /// Rules that have one.
        confirmed: Vec<String>,
    },
    /// A last day has passed.
    #[error("{0} has passed")]
    Passed(Date),
    /// Nothing was found again and is overdue.
    #[error("nothing was found again and is overdue: there is nothing to decide about red")]
    NoGroundsForRed,
    /// The target has no such event.
    #[error("#{0}: there is no such event")]
    NoEvent(u64),
    /// A text is empty, or longer than [`LONGEST`].
    #[error("{0}: 1 to {LONGEST} characters")]
    Text(&'static str),
}

/// Characters of a text at most.
pub const LONGEST: usize = 4_000;

fn none_or(list: &[String], none: &str) -> String {
    if list.is_empty() { none.to_owned() } else { list.join(", ") }
}

impl Refusal {
    /// Why, in a language.
    pub fn words(&self, lang: Lang) -> String {
        if lang == Lang::En {
            return self.to_string();
        }
        match self {
            Refusal::NotOpen { rule, open } => {
                format!("{rule}：没有这个未了结的问题，现有：{}", none_or(open, "无"))
            }
            Refusal::NothingToNotify => "没有已确认、未整改的问题，不必下达通知".to_owned(),
            Refusal::NotConfirmed { rule, confirmed } => {
                format!("{rule}：不是已确认、未整改的问题，现有：{}", confirmed.join(", "))
            }
            Refusal::Passed(day) => format!("{day} 已经过去"),
            Refusal::NoGroundsForRed => "没有再次检出且逾期未改的问题，不能作出红码决定".to_owned(),
            Refusal::NoEvent(seq) => format!("#{seq}：没有这个事件"),
            Refusal::Text(field) => format!("{field}：应为 1 至 {LONGEST} 个字符"),
        }
    }
}

impl Decision {
    /// The event that it becomes at a moment. `events` are all events of the target.
    pub fn deed(self, policy: &Policy, events: &[Recorded], at: Timestamp) -> Result<Deed, Refusal> {
        self.texts().into_iter().try_for_each(|(field, text)| {
            let fits = !text.trim().is_empty() && text.chars().count() <= LONGEST;
            if fits { Ok(()) } else { Err(Refusal::Text(field)) }
        })?;
        let evidence = |rule: &str| open_evidence(policy, events, rule, at);
        Ok(match self {
            Decision::Confirm { rule, reason } => {
                Deed::Confirmed { evidence: evidence(&rule)?, rule, reason }
            }
            Decision::Dismiss { rule, reason } => {
                Deed::Dismissed { evidence: evidence(&rule)?, rule, reason }
            }
            Decision::Except { rule, document, scope, until } => {
                passed(until, at)?;
                evidence(&rule)?;
                Deed::ExceptionGranted { rule, document, scope, until }
            }
            Decision::Red { reason } => {
                grounds_for_red(policy, events, at)?;
                Deed::RedDecided { reason }
            }
            Decision::NotRed { reason } => {
                grounds_for_red(policy, events, at)?;
                Deed::RedDeclined { reason }
            }
            Decision::Filing { number } => Deed::Filed { number },
            Decision::Revocation { reason } => Deed::FilingRevoked { reason },
            Decision::Notice { document, deadline, rules } => {
                passed(deadline, at)?;
                let rules = notified(policy, events, rules, at)?;
                Deed::NoticeIssued { document, rules, deadline }
            }
            Decision::Rectification { statement } => Deed::RectificationReported { statement },
            Decision::Closure { reason } => Deed::Closed { reason },
            Decision::Withdrawal { event, reason } => {
                if !events.iter().any(|recorded| recorded.seq == event) {
                    return Err(Refusal::NoEvent(event));
                }
                Deed::Withdrawn { seq: event, reason }
            }
        })
    }

    /// What a person has written, by field.
    fn texts(&self) -> Vec<(&'static str, &str)> {
        match self {
            Decision::Confirm { rule, reason } | Decision::Dismiss { rule, reason } => {
                vec![("rule", rule), ("reason", reason)]
            }
            Decision::Except { rule, document, scope, .. } => {
                vec![("rule", rule), ("document", document), ("scope", scope)]
            }
            Decision::Red { reason }
            | Decision::NotRed { reason }
            | Decision::Revocation { reason }
            | Decision::Closure { reason }
            | Decision::Withdrawal { reason, .. } => vec![("reason", reason)],
            Decision::Filing { number } => vec![("number", number)],
            Decision::Notice { document, rules, .. } => {
                let rules = rules.iter().map(|rule| ("rules", rule.as_str()));
                rules.chain([("document", document.as_str())]).collect()
            }
            Decision::Rectification { statement } => vec![("statement", statement)],
        }
    }
}

fn passed(day: Date, at: Timestamp) -> Result<(), Refusal> {
    if day < beijing_day(at) { Err(Refusal::Passed(day)) } else { Ok(()) }
}

/// The evidence of what is open under a rule; of a duty, its id.
fn open_evidence(
    policy: &Policy,
    events: &[Recorded],
    rule: &str,
    at: Timestamp,
) -> Result<Vec<String>, Refusal> {
    let standing = History::of(policy, events, at).standing;
    let findings = standing.open_findings(policy, at);
    let of_rule = findings.iter().filter(|finding| finding.rule == rule);
    let mut evidence: Vec<String> = of_rule.flat_map(|finding| finding.evidence.clone()).collect();
    if standing.missing(at).any(|missing| missing == rule) {
        evidence.push(rule.to_owned());
    }
    evidence.sort();
    evidence.dedup();
    if evidence.is_empty() {
        let mut open: Vec<String> = findings.into_iter().map(|finding| finding.rule).collect();
        open.extend(standing.missing(at).map(str::to_owned));
        return Err(Refusal::NotOpen { rule: rule.to_owned(), open });
    }
    Ok(evidence)
}

/// The rules of a notice: those given, of which each must be open, or all confirmed findings that are open.
fn notified(
    policy: &Policy,
    events: &[Recorded],
    given: Vec<String>,
    at: Timestamp,
) -> Result<Vec<String>, Refusal> {
    let findings = History::of(policy, events, at).standing.open_findings(policy, at);
    let confirmed = findings.into_iter().filter(|finding| finding.level == Level::Confirmed);
    let mut confirmed: Vec<String> = confirmed.map(|finding| finding.rule).collect();
    confirmed.dedup();
    if confirmed.is_empty() {
        return Err(Refusal::NothingToNotify);
    }
    if given.is_empty() {
        return Ok(confirmed);
    }
    match given.iter().find(|rule| !confirmed.contains(rule)) {
        Some(other) => Err(Refusal::NotConfirmed { rule: other.clone(), confirmed }),
        None => Ok(given),
    }
}

fn grounds_for_red(policy: &Policy, events: &[Recorded], at: Timestamp) -> Result<(), Refusal> {
    let facts = History::of(policy, events, at).standing.facts(policy, at).facts();
    let grounds = facts.holds(Fact::RepeatDeadlinePassed) || facts.holds(Fact::RedDecided);
    if grounds { Ok(()) } else { Err(Refusal::NoGroundsForRed) }
}
