//! What waits for a person, in the words of the rule.

use schemars::JsonSchema;
use serde::Serialize;

use super::set::RuleSet;
use crate::ledger::Waiting;

/// Something that is open, with the title of its rule; both titles are empty where the rule is no longer there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Titled {
    /// What is open.
    #[serde(flatten)]
    pub waiting: Waiting,
    /// Title of the rule.
    pub title: String,
    /// `title` in English.
    pub title_en: String,
}

impl Titled {
    /// With the title that a set of rules has.
    pub fn of(rules: &RuleSet, waiting: Waiting) -> Self {
        let found = rules.find(&waiting.rule).map(|(rule, _)| (rule.title.clone(), rule.title_en.clone()));
        let (title, title_en) = found.unwrap_or_default();
        Titled { waiting, title, title_en }
    }
}
