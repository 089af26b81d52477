//! What rules conclude.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Acceptance;

/// What is prohibited: functions of apps, deeds of accounts and groups, and the states they are left in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Category {
    /// 打卡签到.
    CheckIn,
    /// 积分排名.
    Ranking,
    /// 在线、学习时长统计.
    Duration,
    /// 关注、点赞、转发任务.
    SocialTask,
    /// 过度留痕.
    Trace,
    /// 填表报数.
    Form,
    /// 强制推广、安装率、定期登录.
    Promotion,
    /// 考核、督查载体.
    Assessment,
    /// 经营性活动.
    Commerce,
    /// 即时响应: replies within minutes, receipts for everything.
    InstantResponse,
    /// 晒绩留痕、点赞送花.
    ShowOff,
    /// 停更、闲置: running on without use.
    Zombie,
    /// 空壳: nothing in it.
    Shell,
    /// 挂名: in the name of somebody who does not run it.
    Nominal,
    /// 无有效互动.
    NoInteraction,
    /// 无关广告.
    OffTopic,
    /// 重复建设.
    Duplicate,
}

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The word occurs, but nothing shows a function: document, library, unreferenced, log.
    Mention,
    /// Signs of the function that a person must look at.
    Suspected,
    /// At least two independent kinds of evidence, or text on an operable widget of a reachable screen.
    Confirmed,
}

impl Level {
    /// The Chinese word used in reports.
    pub fn zh(self) -> &'static str {
        match self {
            Level::Mention => "提及",
            Level::Suspected => "疑似",
            Level::Confirmed => "确认",
        }
    }

    /// The English word used in reports.
    pub fn en(self) -> &'static str {
        match self {
            Level::Mention => "mention",
            Level::Suspected => "suspected",
            Level::Confirmed => "confirmed",
        }
    }
}

/// A clause that a rule rests on, already chosen for the kind of target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Basis {
    /// Full name of the document with its number.
    pub document: String,
    /// Clause as cited: `五类情形(二)`.
    pub clause: String,
    /// What the clause says, in short.
    pub text: String,
    /// `document` in English.
    pub document_en: String,
    /// `clause` in English.
    pub clause_en: String,
    /// `text` in English.
    pub text_en: String,
    /// Whom the document covers: 「面向工作人员的直接适用,面向公众的参照适用」.
    pub scope: String,
    /// `scope` in English.
    pub scope_en: String,
}

/// A case in which the rule's function is allowed. It needs a document on record; no text in a package grants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Exception {
    /// The case, in Chinese.
    pub text: String,
    /// The case, in English.
    pub text_en: String,
    /// The document that must be on record, in Chinese.
    pub requires: String,
    /// The document that must be on record, in English.
    pub requires_en: String,
}

/// Kinds of evidence. Two of the same kind are not independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EvidenceKind {
    /// Text of the user interface.
    Text,
    /// Name of a component, class, layout, widget, route or function.
    Name,
    /// Address that the code calls.
    Endpoint,
    /// Set of permissions or privacy-relevant APIs.
    Permission,
    /// Third-party SDK.
    Sdk,
    /// Name of a picture or other asset.
    Asset,
    /// What a QR code in a picture says.
    QrCode,
    /// What an account or a group is seen to be or to do as a whole.
    State,
}

/// One row that can be checked by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Kind of evidence.
    pub kind: EvidenceKind,
    /// How much this row alone supports.
    pub level: Level,
    /// The exact text or name as stored.
    pub text: String,
    /// The part of `text` that the rule matched, as stored.
    pub matched: String,
    /// Entry, offset or resource id: `resources.arsc#0x7f0b0012`.
    #[serde(rename = "where")]
    pub place: String,
    /// The screen: `巡查(cn.gov.example.PatrolActivity)`.
    pub screen: Option<String>,
    /// The widget: `Button btn_patrol`.
    pub widget: Option<String>,
    /// The way from the stored text to the screen and the code, a step each.
    pub chain: Vec<String>,
    /// BCP 47 tag of the resource configuration.
    pub locale: Option<String>,
    /// Name of the library it belongs to; absent for the app's own.
    pub library: Option<String>,
    /// Why the row counts as it does, in Chinese.
    pub note: String,
    /// Why the row counts as it does, in English.
    pub note_en: String,
}

impl Evidence {
    /// The name of its screen: that of `巡查（cn.gov.example.PatrolActivity）`.
    pub fn screen_name(&self) -> Option<&str> {
        let shown = self.screen.as_deref()?;
        let inside = shown.strip_suffix('）').and_then(|rest| rest.rsplit_once('（'));
        Some(inside.map_or(shown, |(_, name)| name))
    }
}

/// A prohibited function found in a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Rule id: `app.check-in`.
    pub rule: String,
    /// Which prohibition.
    pub category: Category,
    /// How sure.
    pub level: Level,
    /// Title in the rule's own words.
    pub title: String,
    /// `title` in English.
    pub title_en: String,
    /// Why this level, for a reader who is no programmer.
    pub explanation: String,
    /// `explanation` in English.
    pub explanation_en: String,
    /// Legal basis for this kind of target.
    pub basis: Vec<Basis>,
    /// When the function is allowed.
    pub exceptions: Vec<Exception>,
    /// Evidence, strongest first.
    pub evidence: Vec<Evidence>,
    /// Rows beyond the cap that are not listed.
    pub evidence_omitted: u64,
    /// What the owner has to change.
    pub remediation: String,
    /// `remediation` in English.
    pub remediation_en: String,
    /// A person has judged it already, by all of this evidence, and it does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<Acceptance>,
}

impl Finding {
    /// Whether it counts: at least suspected, and not accepted by a person.
    pub fn is_open(&self) -> bool {
        self.level > Level::Mention && self.accepted.is_none()
    }
}

/// What is required.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DutyCategory {
    /// 投诉建议.
    ComplaintChannel,
    /// 主办(使用)单位与备案编号.
    FilingShown,
    /// 持证亮牌: the licence for internet news.
    LicenceShown,
    /// 群规.
    GroupRules,
    /// 群标.
    GroupSign,
}

/// Whether a required function is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum DutyStatus {
    /// Seen.
    Met,
    /// Not seen although the package could be read well enough.
    Missing,
    /// Could not be told.
    Unknown,
}

impl DutyStatus {
    /// The Chinese word used in reports.
    pub fn zh(self) -> &'static str {
        match self {
            DutyStatus::Met => "具备",
            DutyStatus::Missing => "未见",
            DutyStatus::Unknown => "无法判断",
        }
    }

    /// The English word used in reports.
    pub fn en(self) -> &'static str {
        match self {
            DutyStatus::Met => "met",
            DutyStatus::Missing => "missing",
            DutyStatus::Unknown => "unknown",
        }
    }
}

/// A required function and whether the package has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Duty {
    /// Rule id: `app.complaint-channel`.
    pub rule: String,
    /// Which duty.
    pub category: DutyCategory,
    /// Whether it is met.
    pub status: DutyStatus,
    /// Title in the rule's own words.
    pub title: String,
    /// `title` in English.
    pub title_en: String,
    /// Why this status.
    pub explanation: String,
    /// `explanation` in English.
    pub explanation_en: String,
    /// Legal basis for this kind of target.
    pub basis: Vec<Basis>,
    /// What satisfies it, or what comes near.
    pub evidence: Vec<Evidence>,
    /// What the owner has to add.
    pub remediation: String,
    /// `remediation` in English.
    pub remediation_en: String,
}
