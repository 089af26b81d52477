//! A work group (网络工作群组), as an export of its messages tells. People are counted, never named.
//!
//! Every field is optional, since every field may be missing from an export; `None` means that the export does not
//! say, never that the thing is not there.

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Rejected;

/// A group and what was counted in it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupRecord {
    /// Name of the group (群名称).
    pub name: Option<String>,
    /// Where it is, as written or as the kind of export shows (微信, 企业微信, 钉钉, QQ).
    pub platform: Option<String>,
    /// The unit that is responsible for it (主管单位).
    pub unit: Option<String>,
    /// Who runs it (群主), masked: `成员1`.
    pub owner: Option<String>,
    /// Notice (群公告), masked. Empty where the export has the field and nothing is in it.
    pub notice: Option<String>,
    /// What it is for (用途).
    pub purpose: Option<String>,
    /// Sign (群标), where the export has a field for it.
    pub sign: Option<String>,
    /// Made for one task alone (临时群), as recorded or as its name says.
    pub temporary: Option<bool>,
    /// End of that task.
    #[schemars(with = "Option<String>")]
    pub task_end: Option<Date>,
    /// Number of members, as written or as listed.
    pub member_count: Option<u64>,
    /// Number of messages.
    pub messages: u64,
    /// Number of members who sent any.
    pub senders: u64,
    /// Time of the first message, Beijing time where the export names no zone.
    #[schemars(with = "Option<String>")]
    pub first: Option<Timestamp>,
    /// Time of the last message.
    #[schemars(with = "Option<String>")]
    pub last: Option<Timestamp>,
    /// Rows of the export that could not be read.
    pub rejected: Vec<Rejected>,
    /// Keys of the members listed, in order: the first 64 bits of the SHA-256 of each id or name, to find groups of
    /// the same members. Never written out: names can be guessed from them.
    #[serde(skip)]
    #[schemars(skip)]
    pub members: Vec<u64>,
}
