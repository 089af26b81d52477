//! The colour code (赋码管理).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The colour of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ColorCode {
    /// 绿码: filed, no anomaly.
    Green,
    /// 蓝码: alienation or zombie running found again; a reminder.
    Blue,
    /// 红码: repeated and not rectified; decided by a person.
    Red,
    /// 未赋码: not filed, first findings being rectified, or coverage not sufficient.
    None,
}

impl ColorCode {
    /// The Chinese word used in reports.
    pub fn zh(self) -> &'static str {
        match self {
            ColorCode::Green => "绿码",
            ColorCode::Blue => "蓝码",
            ColorCode::Red => "红码",
            ColorCode::None => "未赋码",
        }
    }

    /// The English word used in reports.
    pub fn en(self) -> &'static str {
        match self {
            ColorCode::Green => "green",
            ColorCode::Blue => "blue",
            ColorCode::Red => "red",
            ColorCode::None => "no code",
        }
    }
}

/// One reason for a suggested code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CodeReason {
    /// Stable identifier of the clause of the policy that spoke: `not-filed`.
    pub id: String,
    /// The reason in Chinese.
    pub text: String,
    /// The reason in English.
    pub text_en: String,
}

/// What the policy suggests for one scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CodeSuggestion {
    /// The colour.
    pub suggested: ColorCode,
    /// Short state beside the colour: `待整改`, `待备案`; empty for green.
    pub state: String,
    /// `state` in English.
    pub state_en: String,
    /// Why, gravest first.
    pub reasons: Vec<CodeReason>,
    /// Id and version of the policy: `zhijian.default/1`.
    pub policy: String,
}

/// What is known of a target's filing (备案).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Filing {
    /// A number was given or found in the filing list.
    Filed,
    /// A filing list was given and does not hold the target.
    NotFiled,
    /// Nothing was given.
    #[default]
    Unknown,
}
