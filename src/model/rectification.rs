//! What became of the findings of one version of a target in another (`zhijian.diff/1`).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Category, DutyStatus, Evidence, Identity, Level, TargetKind, Verdict};

/// Value of [`Rectification::schema`].
pub const DIFF_SCHEMA: &str = "zhijian.diff/1";

/// Two reports compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rectification {
    /// Always [`DIFF_SCHEMA`].
    pub schema: String,
    /// The earlier report.
    pub old: Side,
    /// The later report.
    pub new: Side,
    /// What a reader must know of the comparison as a whole.
    pub remarks: Vec<Remark>,
    /// Functions, those that need a person first.
    pub features: Vec<Feature>,
    /// Required functions whose status changed.
    pub duties: Vec<DutyChange>,
}

/// One of the reports in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Side {
    /// The path or address as the user gave it.
    pub source: String,
    /// SHA-256 of the file, lower-case hex.
    pub sha256: String,
    /// Kind of object.
    pub kind: TargetKind,
    /// Who it says it is.
    pub identity: Identity,
    /// How much could be seen.
    pub coverage: Verdict,
    /// Version of the program that scanned.
    pub engine: String,
    /// Digest of the rules.
    pub ruleset: String,
}

/// Something about the comparison as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Remark {
    /// What it is about.
    pub code: RemarkCode,
    /// The sentence in Chinese.
    pub text: String,
    /// The sentence in English.
    pub text_en: String,
}

/// What a remark is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RemarkCode {
    /// Another target altogether: nothing is said of rectification.
    OtherTarget,
    /// Nothing shows that it is the same target.
    IdentityUnknown,
    /// The same target under another package name or appid.
    Renamed,
    /// An app on one side, a mini program on the other.
    KindDiffers,
    /// Signed by somebody else, or no more signed.
    SignerDiffers,
    /// The later version is the lower one.
    VersionBackwards,
    /// The same bytes.
    SameFile,
    /// Less could be seen than before.
    CoverageWorse,
    /// The rules differ: a finding may be new because the rule is.
    RulesDiffer,
    /// The program or its decoders differ.
    EngineDiffers,
    /// A report without a surface: disguise cannot be told.
    NoSurface,
}

/// What became of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// 隐形变异: its label is gone, the thing itself is still there under another.
    Disguised,
    /// 未整改: still there, as sure as before.
    Unchanged,
    /// Still there, and now surer.
    Raised,
    /// Still there, and now less sure.
    Lowered,
    /// 新增.
    Added,
    /// 无法判断: not found, but less could be seen, or it is another target.
    CannotTell,
    /// 已整改: gone.
    Removed,
}

impl Outcome {
    /// Every outcome, those that need a person first.
    pub const ALL: [Outcome; 7] = [
        Outcome::Disguised,
        Outcome::Unchanged,
        Outcome::Raised,
        Outcome::Lowered,
        Outcome::Added,
        Outcome::CannotTell,
        Outcome::Removed,
    ];

    /// The Chinese word used in reports.
    pub fn zh(self) -> &'static str {
        match self {
            Outcome::Disguised => "隐形变异",
            Outcome::Unchanged => "未整改",
            Outcome::Raised => "级别上升",
            Outcome::Lowered => "级别下降",
            Outcome::Added => "新增",
            Outcome::CannotTell => "无法判断",
            Outcome::Removed => "已消除",
        }
    }

    /// The English word used in reports.
    pub fn en(self) -> &'static str {
        match self {
            Outcome::Disguised => "disguised",
            Outcome::Unchanged => "unchanged",
            Outcome::Raised => "raised",
            Outcome::Lowered => "lowered",
            Outcome::Added => "added",
            Outcome::CannotTell => "cannot tell",
            Outcome::Removed => "removed",
        }
    }
}

/// What became of one function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Feature {
    /// Rule id.
    pub rule: String,
    /// Which prohibition.
    pub category: Category,
    /// Title in the rule's own words.
    pub title: String,
    /// `title` in English.
    pub title_en: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Level in the earlier report, `null` where it was not found.
    pub before: Option<Level>,
    /// Level in the later report, `null` where it was not found.
    pub now: Option<Level>,
    /// How sure it is that at least a part of it goes on under another label: two kinds of anchors confirm it, one
    /// is a suspicion. A function that is still found can be disguised in part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disguise: Option<Level>,
    /// A person has accepted what the later report found, as a baseline says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub accepted: bool,
    /// What of the old function is still there, whatever it is called now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub anchors: Vec<Anchor>,
    /// Why this outcome.
    pub explanation: String,
    /// `explanation` in English.
    pub explanation_en: String,
    /// Decisive rows of the earlier report that the later one does not have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<Evidence>,
    /// Decisive rows that both have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Evidence>,
    /// Decisive rows that only the later report has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub appeared: Vec<Evidence>,
}

/// Kinds of things by which a function is known again. Two of the same kind are not independent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AnchorKind {
    /// A screen by its class or page path.
    Screen,
    /// An element by its id and screen or layout.
    Widget,
    /// A function that a press calls.
    Handler,
    /// An address that the code calls.
    Endpoint,
    /// A layout.
    Layout,
}

impl AnchorKind {
    /// The Chinese word used in reports.
    pub fn zh(self) -> &'static str {
        match self {
            AnchorKind::Screen => "页面",
            AnchorKind::Widget => "控件",
            AnchorKind::Handler => "处理函数",
            AnchorKind::Endpoint => "接口地址",
            AnchorKind::Layout => "布局",
        }
    }

    /// The English word used in reports.
    pub fn en(self) -> &'static str {
        match self {
            AnchorKind::Screen => "screen",
            AnchorKind::Widget => "widget",
            AnchorKind::Handler => "handler",
            AnchorKind::Endpoint => "endpoint",
            AnchorKind::Layout => "layout",
        }
    }
}

/// Something of the old function that is still there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Anchor {
    /// What it is.
    pub kind: AnchorKind,
    /// Its name in the later version.
    pub name: String,
    /// The screen it is on in the later version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screen: Option<String>,
    /// What users read on it before.
    pub before: Vec<String>,
    /// What they read on it now and did not read there before; empty where it shows no text.
    pub now: Vec<String>,
}

/// What became of a required function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DutyChange {
    /// Rule id.
    pub rule: String,
    /// Title in the rule's own words.
    pub title: String,
    /// `title` in English.
    pub title_en: String,
    /// Status in the earlier report, `null` where the rule did not apply.
    pub before: Option<DutyStatus>,
    /// Status in the later report, `null` where the rule does not apply.
    pub now: Option<DutyStatus>,
}
