//! The report of one scan: the contract with other programs (`zhijian.report/1`).

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Anomaly, BaselineRecord, CodeSuggestion, Coverage, Duty, Finding, GroupRecord, Listing, PageRecord,
    Registered, Surface, Target,
};

/// Value of [`Report::schema`].
pub const SCHEMA: &str = "zhijian.report/1";

/// What scanned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Engine {
    /// Always `zhijian`.
    pub name: String,
    /// Version of the program.
    pub version: String,
    /// Version of every decoder by name: two reports of one file can differ where these do.
    pub decoders: BTreeMap<String, u32>,
    /// The rules used.
    pub ruleset: Ruleset,
}

/// The rules used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ruleset {
    /// SHA-256 over the rule files in name order, lower-case hex.
    pub digest: String,
    /// Number of rules.
    pub rules: usize,
}

/// The bytes that were scanned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Artifact {
    /// SHA-256 of the file, lower-case hex.
    pub sha256: String,
    /// Size in bytes.
    pub bytes: u64,
    /// Package format or kind of page found from the content: `apk`, `wxapkg`, `wechat-article`.
    pub format: String,
    /// Pages and exports of groups: SHA-256 of their texts, lower-case hex. Pages whose bytes differ with every
    /// request say the same as long as this is the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text_sha256: Option<String>,
}

/// Who signed a package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Signer {
    /// Subject of the certificate, RFC 4514.
    pub subject: String,
    /// SHA-256 of the DER certificate, lower-case hex.
    pub sha256: String,
    /// Signature schemes it was found in: `v1`, `v2`, `v3`.
    pub schemes: Vec<String>,
    /// Whether the signature itself was checked; `null` when only the certificate was read.
    pub verified: Option<bool>,
}

/// Who the package says it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Identity {
    /// Package name or mini-program appid.
    pub id: Option<String>,
    /// Name shown to users.
    pub name: Option<String>,
    /// Version shown to users.
    pub version: Option<String>,
    /// Build number.
    pub version_code: Option<u64>,
    /// First signer.
    pub signer: Option<Signer>,
    /// Filing numbers given by the operator or seen in the package.
    pub filing: Option<String>,
}

/// The result of scanning one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// What scanned.
    pub engine: Engine,
    /// What was scanned.
    pub target: Target,
    /// Its bytes.
    pub artifact: Artifact,
    /// Who it says it is.
    pub identity: Identity,
    /// What an app store lists of it, when it was fetched from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listing: Option<Listing>,
    /// What the page and its account say of themselves, when a page was scanned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<PageRecord>,
    /// What was counted in the group, when an export of one was scanned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<GroupRecord>,
    /// What the office has on record of the target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registered: Option<Registered>,
    /// The moment that days are counted to. Packages have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub as_of: Option<Timestamp>,
    /// What could be seen.
    pub coverage: Coverage,
    /// Prohibited functions, gravest first.
    pub findings: Vec<Finding>,
    /// Required functions.
    pub duties: Vec<Duty>,
    /// What is out of order about the package.
    pub anomalies: Vec<Anomaly>,
    /// The colour that follows.
    pub code: CodeSuggestion,
    /// What a baseline file said of it, when one was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineRecord>,
    /// What users meet in it, when a package was scanned: two versions are compared by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surface: Option<Surface>,
}
