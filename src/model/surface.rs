//! What users meet in a target, as far as two versions or two targets are compared by it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Something with a technical name that shows a label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Shown {
    /// What the developer calls it: class of a screen or its page path, id of a widget, name of its handler.
    pub name: String,
    /// What users read on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Name of the screen it is on; screens themselves have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screen: Option<String>,
}

/// The surface of a target. Every list is sorted and holds each thing once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Surface {
    /// Screens with their titles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub screens: Vec<Shown>,
    /// Buttons, tabs, menu items: what users can do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<Shown>,
    /// What users are asked to fill in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Shown>,
    /// Names of layouts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layouts: Vec<String>,
    /// Addresses the own code calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<String>,
    /// How many did not fit.
    #[serde(default)]
    pub omitted: u64,
}
