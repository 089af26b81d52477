//! What the office has on record of a target, as far as a scan compares it with what is seen.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A target as the office's roster has it. `None`: the roster does not say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Registered {
    /// Name of the app, account or group.
    pub name: Option<String>,
    /// Who is responsible for it (主办单位).
    pub owner: Option<String>,
    /// Number of its licence for internet news (互联网新闻信息服务许可证编号).
    pub licence: Option<String>,
    /// An account that publishes information (发布类), to which the two-week rule applies; not one that serves
    /// (服务类).
    pub publishes: Option<bool>,
}
