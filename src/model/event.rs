//! What happens to a target, as the ledger keeps it. Events are only ever added; a colour code is a pure function of
//! them and of the policy.

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Category, DutyStatus, Lang, Level, RosterEntry, TargetKind, Verdict};

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// The target by its key, see [`RosterEntry::key`].
    pub target: String,
    /// When it happened. The code at a moment follows from the events until then, in whichever order they were
    /// recorded.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Who says so: a person, or `zhijian` with its version.
    pub actor: String,
    /// What happened.
    #[serde(flatten)]
    pub deed: Deed,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Deed {
    /// 列入名录: the roster holds it so from now on.
    Enrolled {
        /// The whole row.
        entry: Box<RosterEntry>,
    },
    /// 移出名录.
    Struck {
        /// Why.
        reason: String,
    },
    /// 检测.
    Scanned(Box<ScanRecord>),
    /// 备案.
    Filed {
        /// The number (政务应用程序备案编号).
        number: String,
    },
    /// 撤销备案.
    FilingRevoked {
        /// Why.
        reason: String,
    },
    /// 下达整改通知.
    NoticeIssued {
        /// Number of the notice.
        document: String,
        /// The rules it is about.
        rules: Vec<String>,
        /// The last day for rectification.
        #[schemars(with = "String")]
        deadline: Date,
    },
    /// 报告整改完成. It changes no code: the next scan shows whether it is so.
    RectificationReported {
        /// What the owner says was done.
        statement: String,
    },
    /// 复核确认 of a finding by a person.
    Confirmed {
        /// The rule.
        rule: String,
        /// The evidence it is about, see [`super::evidence_key`].
        evidence: Vec<String>,
        /// Why.
        reason: String,
    },
    /// 复核驳回 of a finding by a person. It holds for this evidence only.
    Dismissed {
        /// The rule.
        rule: String,
        /// The evidence it is about, see [`super::evidence_key`]; the id of the rule itself if it is a duty.
        evidence: Vec<String>,
        /// Why.
        reason: String,
    },
    /// 例外: a rule does not count, by a document, for a time.
    ExceptionGranted {
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
    /// 决定赋红码 by a person.
    RedDecided {
        /// The document, or the reason.
        reason: String,
    },
    /// 决定不赋红码 (本次) by a person.
    RedDeclined {
        /// The document, or the reason.
        reason: String,
    },
    /// 关停、注销.
    Closed {
        /// The announcement, or the reason.
        reason: String,
    },
    /// 撤回 of an event that was recorded by mistake. The event stays in the ledger and counts no longer.
    Withdrawn {
        /// Its number.
        seq: u64,
        /// Why.
        reason: String,
    },
}

impl Deed {
    /// The word by which it is stored: `scanned`.
    pub fn name(&self) -> &'static str {
        match self {
            Deed::Enrolled { .. } => "enrolled",
            Deed::Struck { .. } => "struck",
            Deed::Scanned(_) => "scanned",
            Deed::Filed { .. } => "filed",
            Deed::FilingRevoked { .. } => "filing-revoked",
            Deed::NoticeIssued { .. } => "notice-issued",
            Deed::RectificationReported { .. } => "rectification-reported",
            Deed::Confirmed { .. } => "confirmed",
            Deed::Dismissed { .. } => "dismissed",
            Deed::ExceptionGranted { .. } => "exception-granted",
            Deed::RedDecided { .. } => "red-decided",
            Deed::RedDeclined { .. } => "red-declined",
            Deed::Closed { .. } => "closed",
            Deed::Withdrawn { .. } => "withdrawn",
        }
    }

    /// The Chinese word used in reports.
    pub fn zh(&self) -> &'static str {
        match self {
            Deed::Enrolled { .. } => "列入名录",
            Deed::Struck { .. } => "移出名录",
            Deed::Scanned(_) => "检测",
            Deed::Filed { .. } => "备案",
            Deed::FilingRevoked { .. } => "撤销备案",
            Deed::NoticeIssued { .. } => "下达整改通知",
            Deed::RectificationReported { .. } => "报告整改完成",
            Deed::Confirmed { .. } => "复核确认",
            Deed::Dismissed { .. } => "复核驳回",
            Deed::ExceptionGranted { .. } => "准予例外",
            Deed::RedDecided { .. } => "决定赋红码",
            Deed::RedDeclined { .. } => "决定暂不赋红码",
            Deed::Closed { .. } => "关停",
            Deed::Withdrawn { .. } => "撤回",
        }
    }

    /// What an event says besides its name, in a line.
    pub fn detail(&self, lang: Lang) -> String {
        match self {
            Deed::Enrolled { entry } => {
                [&entry.name, &entry.owner].into_iter().flatten().cloned().collect::<Vec<_>>().join("  ")
            }
            Deed::Struck { reason }
            | Deed::FilingRevoked { reason }
            | Deed::RedDecided { reason }
            | Deed::RedDeclined { reason }
            | Deed::Closed { reason } => reason.clone(),
            Deed::Scanned(scan) => {
                let mut parts = Vec::new();
                parts.extend(scan.version.clone());
                match scan.coverage {
                    Verdict::Full => {}
                    Verdict::Partial => parts.push(lang.pick("检视不全", "partly inspected").to_owned()),
                    Verdict::Opaque => parts.push(lang.pick("无法检视", "not inspectable").to_owned()),
                }
                if scan.findings.is_empty() {
                    parts.push(lang.pick("未检出", "nothing found").to_owned());
                }
                parts.extend(scan.findings.iter().map(|f| {
                    let level = lang.pick(f.level.zh(), f.level.en());
                    let again =
                        if f.disguised { lang.pick("（改头换面）", " (disguised)") } else { "" };
                    format!("{level} {}{again}", f.rule)
                }));
                parts.join("  ")
            }
            Deed::Filed { number } => number.clone(),
            Deed::NoticeIssued { document, rules, deadline } => {
                format!("{document}  {}  {} {deadline}", rules.join(" "), lang.pick("限期", "until"))
            }
            Deed::RectificationReported { statement } => statement.clone(),
            Deed::Confirmed { rule, reason, .. } | Deed::Dismissed { rule, reason, .. } => {
                format!("{rule}  {reason}")
            }
            Deed::ExceptionGranted { rule, document, scope, until } => {
                format!("{rule}  {document}  {scope}  {} {until}", lang.pick("至", "until"))
            }
            Deed::Withdrawn { seq, reason } => format!("#{seq}  {reason}"),
        }
    }
}

/// What a scan means for the code: the report in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScanRecord {
    /// SHA-256 of the whole report, which is kept beside the events, lower-case hex.
    pub report: String,
    /// SHA-256 of what was scanned, lower-case hex.
    pub artifact: String,
    /// What was scanned. A page is not its account.
    pub kind: TargetKind,
    /// Of a page, its address: another page says nothing of what is on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// Version as shown to users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Digest of the rules.
    pub ruleset: String,
    /// How much could be seen.
    pub coverage: Verdict,
    /// Suspected and confirmed findings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<FindingRecord>,
    /// Duties by rule.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub duties: Vec<DutyRecord>,
}

/// A finding in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindingRecord {
    /// Id of the rule.
    pub rule: String,
    /// Which prohibition.
    pub category: Category,
    /// How sure the machine is.
    pub level: Level,
    /// What it rests on: see [`super::evidence_key`]; sorted.
    pub evidence: Vec<String>,
    /// It is what was found before under another label (隐形变异). A machine that only suspects it says so by the level.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disguised: bool,
}

/// A duty in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DutyRecord {
    /// Id of the rule.
    pub rule: String,
    /// Whether it is met.
    pub status: DutyStatus,
}
