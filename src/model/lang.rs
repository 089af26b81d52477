//! The two languages of everything a person reads.

use serde::{Deserialize, Serialize};

/// Language of a report or of terminal output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Lang {
    /// Simplified Chinese.
    #[default]
    Zh,
    /// English.
    En,
}

impl Lang {
    /// The text of a bilingual pair that this language shows.
    pub fn pick<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }
}

/// A sentence in both languages; from one string it is the same in both (names, technicians' wording).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wording {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Wording {
    /// What has words for each language, in both.
    pub fn of(words: impl Fn(Lang) -> String) -> Self {
        Wording { zh: words(Lang::Zh), en: words(Lang::En) }
    }
}

impl From<String> for Wording {
    fn from(text: String) -> Self {
        Wording { zh: text.clone(), en: text }
    }
}

impl From<&str> for Wording {
    fn from(text: &str) -> Self {
        Wording::from(text.to_owned())
    }
}

impl From<&String> for Wording {
    fn from(text: &String) -> Self {
        Wording::from(text.clone())
    }
}

impl<Z: Into<String>, E: Into<String>> From<(Z, E)> for Wording {
    fn from((zh, en): (Z, E)) -> Self {
        Wording { zh: zh.into(), en: en.into() }
    }
}
