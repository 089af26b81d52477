//! Findings that a person has judged already, as a baseline file says without a ledger.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a finding does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AcceptanceKind {
    /// 已驳回: a person found that it is no such function.
    Dismissed,
    /// 例外: a document allows it for a time.
    Exception,
}

impl AcceptanceKind {
    /// The Chinese word used in reports.
    pub fn zh(self) -> &'static str {
        match self {
            AcceptanceKind::Dismissed => "已驳回",
            AcceptanceKind::Exception => "例外",
        }
    }

    /// The English word used in reports.
    pub fn en(self) -> &'static str {
        match self {
            AcceptanceKind::Dismissed => "dismissed",
            AcceptanceKind::Exception => "exception",
        }
    }
}

/// That a person has judged a finding, by all the evidence it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Acceptance {
    /// Why it does not count.
    pub kind: AcceptanceKind,
    /// The reason that was given.
    pub reason: String,
    /// Who gave it.
    pub by: String,
    /// The document that allows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// The last day it holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub until: Option<Date>,
}

/// What a baseline file said of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BaselineRecord {
    /// SHA-256 of the file, lower-case hex.
    pub sha256: String,
    /// Entries for the target that did not hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub idle: Vec<IdleEntry>,
}

/// An entry of a baseline that did not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IdleEntry {
    /// Line of the file, from 1.
    pub line: u64,
    /// Its rule.
    pub rule: String,
    /// Why it did not hold, in Chinese.
    pub text: String,
    /// Why it did not hold, in English.
    pub text_en: String,
}
