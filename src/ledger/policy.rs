//! `rules/policy.yaml`: which situations stand between a target and a green code.

use serde::Deserialize;

use crate::model::{CodeReason, CodeSuggestion, ColorCode, DutyStatus, Level, TargetKind, Verdict};

/// The policy of the colour code.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Name of the policy: `zhijian.default`.
    pub id: String,
    /// Version, raised with every change of meaning.
    pub version: u32,
    /// What green means, shown as the reason of a green code.
    pub green: Sentence,
    /// What stands between a target and green, gravest first.
    pub obstacles: Vec<Obstacle>,
}

/// A sentence in both languages.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sentence {
    /// Chinese.
    pub text: String,
    /// English.
    pub text_en: String,
}

/// One clause of the policy.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Obstacle {
    /// Stable id of the clause.
    pub id: String,
    /// The situation it speaks of.
    pub when: Condition,
    /// Short state beside the colour, in Chinese.
    pub state: String,
    /// Short state beside the colour, in English.
    pub state_en: String,
    /// The sentence of the policy, in Chinese.
    pub text: String,
    /// The sentence of the policy, in English.
    pub text_en: String,
}

/// Situations a clause can speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// A confirmed finding is open.
    ConfirmedFinding,
    /// A suspected finding waits for a person.
    SuspectedFinding,
    /// A required function was not seen.
    DutyMissing,
    /// The package could not be seen at all.
    CoverageOpaque,
    /// Parts of the package could not be seen.
    CoveragePartial,
    /// One page of an account was seen, not the account.
    SinglePage,
    /// The filing record says that it is not filed.
    NotFiled,
    /// No filing record was given.
    FilingUnknown,
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

/// Everything the policy looks at in a single scan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Situation {
    /// Filing record.
    pub filing: Filing,
    /// Level of each finding.
    pub findings: Vec<Level>,
    /// Status of each duty.
    pub duties: Vec<DutyStatus>,
    /// How much could be seen.
    pub coverage: Verdict,
    /// What was seen.
    pub kind: TargetKind,
}

impl Situation {
    fn holds(&self, condition: Condition) -> bool {
        match condition {
            Condition::ConfirmedFinding => self.findings.contains(&Level::Confirmed),
            Condition::SuspectedFinding => self.findings.contains(&Level::Suspected),
            Condition::DutyMissing => self.duties.contains(&DutyStatus::Missing),
            Condition::CoverageOpaque => self.coverage == Verdict::Opaque,
            Condition::CoveragePartial => self.coverage == Verdict::Partial,
            Condition::SinglePage => self.kind == TargetKind::AccountPage,
            Condition::NotFiled => self.filing == Filing::NotFiled,
            Condition::FilingUnknown => self.filing == Filing::Unknown,
        }
    }
}

/// Without these no policy may give green: never green by blindness, nor unfiled, nor with an open finding.
const INDISPENSABLE: [Condition; 6] = [
    Condition::ConfirmedFinding,
    Condition::CoverageOpaque,
    Condition::CoveragePartial,
    Condition::SinglePage,
    Condition::NotFiled,
    Condition::FilingUnknown,
];

impl Policy {
    /// Refuses a policy by which a target could turn green unfiled, unseen or with a confirmed finding.
    pub(crate) fn validate(&self) -> Result<(), String> {
        for needed in INDISPENSABLE {
            if !self.obstacles.iter().any(|obstacle| obstacle.when == needed) {
                return Err(format!("no obstacle speaks of {needed:?}: green would be given in spite of it"));
            }
        }
        for (index, obstacle) in self.obstacles.iter().enumerate() {
            if self.obstacles[..index].iter().any(|o| o.id == obstacle.id || o.when == obstacle.when) {
                return Err(format!("obstacle {} repeats an id or a situation", obstacle.id));
            }
        }
        Ok(())
    }

    /// The code that follows from one scan without history. Blue and red need history and are never suggested.
    pub fn suggest(&self, situation: &Situation) -> CodeSuggestion {
        let obstacles: Vec<&Obstacle> =
            self.obstacles.iter().filter(|obstacle| situation.holds(obstacle.when)).collect();
        let policy = format!("{}/{}", self.id, self.version);
        let Some(gravest) = obstacles.first() else {
            let reason = CodeReason {
                id: "green".into(),
                text: self.green.text.clone(),
                text_en: self.green.text_en.clone(),
            };
            return CodeSuggestion {
                suggested: ColorCode::Green,
                state: String::new(),
                state_en: String::new(),
                reasons: vec![reason],
                policy,
            };
        };
        let reason =
            |o: &&Obstacle| CodeReason { id: o.id.clone(), text: o.text.clone(), text_en: o.text_en.clone() };
        CodeSuggestion {
            suggested: ColorCode::None,
            state: gravest.state.clone(),
            state_en: gravest.state_en.clone(),
            reasons: obstacles.iter().map(reason).collect(),
            policy,
        }
    }
}
