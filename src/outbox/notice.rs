//! What a notice says: `zhijian.webhook/1`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::NOTICES;
use crate::model::{CodeDocument, ColorCode, Event};

/// Value of [`NoticeDocument::schema`].
pub const NOTICE_SCHEMA: &str = "zhijian.webhook/1";

/// What a notice tells of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Notice {
    /// A target has another code than before.
    CodeChanged {
        /// The colour before; a new target had none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        previous: Option<ColorCode>,
        /// The code now.
        code: Box<CodeDocument>,
    },
    /// An event was added to the ledger.
    Recorded {
        /// Its number.
        seq: u64,
        /// The event.
        record: Box<Event>,
    },
}

impl Notice {
    /// One of [`NOTICES`].
    pub fn event(&self) -> &'static str {
        match self {
            Notice::CodeChanged { .. } => NOTICES[0],
            Notice::Recorded { .. } => NOTICES[1],
        }
    }

    /// The body of the request.
    pub fn body(&self) -> serde_json::Result<String> {
        serde_json::to_string(&NoticeDocument { schema: NOTICE_SCHEMA.into(), notice: self.clone() })
    }
}

/// A notice as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NoticeDocument {
    /// Always [`NOTICE_SCHEMA`].
    pub schema: String,
    /// What it tells of.
    #[serde(flatten)]
    pub notice: Notice,
}
