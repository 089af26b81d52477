//! Runs the examples inside the rules about inventories.

use jiff::civil::{Date, date};

use super::{Holding, judge};
use crate::model::{Control, Level, Shown, Surface};
use crate::rule::{CheckFailure, ExampleRow, InventoryExample, InventoryRule, RuleError, RuleSet};

/// The day of examples that name none.
const TODAY: Date = date(2026, 11, 26);

/// Runs the examples; an empty list means that all hold.
pub fn check(rules: &RuleSet) -> Vec<CheckFailure> {
    let all = match rules.inventory_examples() {
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
    let mut failures = Vec::new();
    for (rule, examples) in rules.inventory().iter().zip(&all) {
        let positive = examples.positive.iter().map(|example| (example, true));
        let negative = examples.negative.iter().map(|example| (example, false));
        failures.extend(
            positive.chain(negative).filter_map(|(example, positive)| run(rules, rule, example, positive)),
        );
    }
    failures
}

fn run(
    rules: &RuleSet,
    rule: &InventoryRule,
    example: &InventoryExample,
    positive: bool,
) -> Option<CheckFailure> {
    let holdings: Vec<Holding> = example.rows.iter().map(holding).collect();
    let found = judge(rules, &holdings, example.as_of.unwrap_or(TODAY)).findings;
    let got = found.iter().filter(|finding| finding.rule == rule.id).map(|finding| finding.level).max();
    let (holds, expected) = match (example.expect, positive) {
        (Some(expected), _) => (got == Some(expected), expected.en()),
        (None, true) => (got >= Some(Level::Suspected), "suspected or confirmed"),
        (None, false) => (got <= Some(Level::Mention), "nothing or a mention"),
    };
    (!holds).then(|| CheckFailure {
        file: rule.file.clone(),
        rule: rule.id.clone(),
        example: example.about.clone(),
        expected: expected.to_owned(),
        got: got.map_or("nothing", Level::en).to_owned(),
    })
}

fn holding(row: &ExampleRow) -> Holding {
    let field = |(screen, label): (&String, &String)| Shown {
        name: label.clone(),
        label: Some(label.clone()),
        screen: Some(screen.clone()),
    };
    let control = |label: &String| Control { label: Some(label.clone()), ..Control::default() };
    let fields =
        row.forms.iter().flat_map(|(screen, labels)| labels.iter().map(move |label| (screen, label)));
    let surface = Surface {
        controls: row.functions.iter().map(control).collect(),
        fields: fields.map(field).collect(),
        ..Surface::default()
    };
    Holding {
        entry: row.entry(),
        surface: (surface != Surface::default()).then_some(surface),
        online_since: row.online_since,
    }
}
