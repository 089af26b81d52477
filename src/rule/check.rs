//! Runs the examples inside every rule through the same matcher and judge as a scan.

use std::fmt;

use super::judge::judge;
use super::set::{RuleError, RuleSet};
use super::syntax::{Case, Example, OneOrMany, RoleName, Rule, RuleSubject, TODAY};
use crate::model::{
    DutyStatus, Fact, Inspection, Level, Place, Role, Scope, Screen, State, TargetKind, UiText, Usage,
    Verdict, Widget,
};

/// An example that did not come out as its rule says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckFailure {
    /// File of the rule.
    pub file: String,
    /// Id of the rule.
    pub rule: String,
    /// The example.
    pub example: String,
    /// What the rule says.
    pub expected: String,
    /// What came out.
    pub got: String,
}

impl fmt::Display for CheckFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let CheckFailure { file, rule, example, expected, got } = self;
        write!(f, "{file}: {rule}: {example}: expected {expected}, got {got}")
    }
}

pub(super) fn check(rules: &RuleSet) -> Vec<CheckFailure> {
    let mut failures = Vec::new();
    let all = match rules.examples() {
        Ok(all) => all,
        Err(RuleError { file, cause }) => {
            let expected = "examples that can be read".to_owned();
            return vec![CheckFailure {
                file,
                rule: String::new(),
                example: String::new(),
                expected,
                got: cause,
            }];
        }
    };
    for (index, (rule, examples)) in rules.rules().iter().zip(&all).enumerate() {
        let positive = examples.positive.iter().map(|example| (example, true));
        let negative = examples.negative.iter().map(|example| (example, false));
        for (example, positive) in positive.chain(negative) {
            let case = match example {
                Example::Text(text) => Case { text: OneOrMany::One(text.clone()), ..Case::default() },
                Example::Case(case) => (**case).clone(),
            };
            let got = outcome(rules, rule, &case.inspection(rule.scope));
            let holds = match (case.expect, positive) {
                (Some(expected), _) => got == Some(expected),
                (None, true) => got >= Some(Level::Suspected),
                (None, false) => got <= Some(Level::Mention),
            };
            if !holds {
                let expected = match (case.expect, positive) {
                    (Some(level), _) => level.en().to_owned(),
                    (None, true) => "suspected or confirmed".to_owned(),
                    (None, false) => "nothing or a mention".to_owned(),
                };
                failures.push(CheckFailure {
                    file: rules.file(index).to_owned(),
                    rule: rule.id.clone(),
                    example: describe(&case),
                    expected,
                    got: got.map_or("nothing", Level::en).to_owned(),
                });
            }
        }
    }
    failures
}

fn outcome(rules: &RuleSet, rule: &Rule, inspection: &Inspection) -> Option<Level> {
    let judgement = judge(rules, inspection, Verdict::Full);
    match rule.subject()? {
        RuleSubject::Prohibition(_) => judgement.findings.iter().find(|f| f.rule == rule.id).map(|f| f.level),
        RuleSubject::Duty(_) => {
            let duty = judgement.duties.iter().find(|duty| duty.rule == rule.id)?;
            (duty.status == DutyStatus::Met).then_some(Level::Confirmed)
        }
    }
}

impl Case {
    /// What a scan would have read where there is nothing but this: texts on a reachable screen, controls operable.
    pub fn inspection(&self, scope: Scope) -> Inspection {
        let (kind, role) = match scope {
            Scope::App => (TargetKind::App, Role::Control),
            Scope::Account => (TargetKind::AccountPage, Role::Body),
            Scope::Group => (TargetKind::Group, Role::Body),
        };
        let mut inspection = Inspection::new(kind, "example");
        inspection.as_of = jiff::Timestamp::from_second(TODAY).ok();
        let place = Place::entry("example");
        let states = self.state.iter().filter_map(|state| {
            let (name, text, place) = (state.name, "example".to_owned(), place.clone());
            Some(State { name, subject: None, measure: state.measure()?, text, place })
        });
        inspection.states.extend(states);
        for text in self.text.as_slice() {
            let role = self.role.map_or(role, RoleName::role);
            let mut ui = UiText::new(text, role, place.clone());
            ui.usage = Usage::Used;
            ui.screen =
                Some(Screen { name: "example.Screen".into(), title: self.page.clone(), reachable: true });
            let operable = role == Role::Control;
            ui.widget = Some(Widget { class: "Button".into(), id: None, handler: None, operable });
            inspection.texts.push(ui);
        }
        let facts = self.names().map(|(kind, _, value)| Fact::new(kind, value, place.clone()));
        inspection.facts.extend(facts);
        inspection
    }
}

fn describe(case: &Case) -> String {
    let names = case.names().map(|(_, _, value)| value.to_owned());
    let states = case.state.iter().map(ToString::to_string);
    let parts: Vec<String> = case.text.as_slice().iter().cloned().chain(names).chain(states).collect();
    format!("{:?}", parts.join(" + "))
}
