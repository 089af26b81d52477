//! The colour code of one target at a moment: the contract with other programs (`zhijian.code/1`).

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CodeReason, ColorCode, OfficeLevel, TargetKind};

/// Value of [`CodeDocument::schema`].
pub const CODE_SCHEMA: &str = "zhijian.code/1";

/// The code of one target, as it is signed, exported, drawn and sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CodeDocument {
    /// Always [`CODE_SCHEMA`].
    pub schema: String,
    /// The target by its key in the ledger: `app:cn.gov.example.grid`.
    pub target: String,
    /// What it is.
    pub kind: TargetKind,
    /// Name shown to users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The unit responsible for it (主办单位).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Level of the owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<OfficeLevel>,
    /// Region of the owner, from the larger to the smaller: `某省/某市/某县`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Filing number (政务应用程序备案编号).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filing: Option<String>,
    /// The colour.
    pub code: ColorCode,
    /// Short state beside the colour: `待整改`; empty for green.
    pub state: String,
    /// `state` in English.
    pub state_en: String,
    /// Why, gravest first.
    pub reasons: Vec<CodeReason>,
    /// The moment from which on the colour and the state have been these.
    #[schemars(with = "String")]
    pub since: Timestamp,
    /// The moment for which the code was computed.
    #[schemars(with = "String")]
    pub as_of: Timestamp,
    /// Id and version of the policy: `zhijian.default/1`.
    pub policy: String,
    /// The last event of the ledger that counted.
    pub last_event: EventLink,
    /// The last report that counted; a target that was never scanned has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<ReportLink>,
}

/// An event of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventLink {
    /// Its number.
    pub seq: u64,
    /// Its hash in the chain, lower-case hex.
    pub hash: String,
}

/// A report that others can look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReportLink {
    /// SHA-256 of the report, lower-case hex.
    pub sha256: String,
    /// Where it can be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}
