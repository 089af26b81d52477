//! Fields of the roster that are not filled in, by unit.

use std::collections::BTreeMap;

use super::Draft;
use super::roll::{FilingState, Held, Roll};
use crate::model::Wording;
use crate::rule::{InventoryRule, Missing, RosterField};

/// Targets by their index, each with what it lacks.
type Lacking = Vec<(usize, Vec<RosterField>)>;

pub(super) fn judge(rule: &InventoryRule, missing: &Missing, roll: &Roll<'_>) -> Vec<Draft> {
    // Of each unit: how many targets it has, and which lack what.
    let mut units: BTreeMap<Option<usize>, (usize, Lacking)> = BTreeMap::new();
    for (at, held) in roll.open(rule) {
        let asked =
            missing.fields.iter().filter(|duty| duty.targets.is_empty() || duty.targets.contains(&held.kind));
        let lacks: Vec<RosterField> =
            asked.map(|duty| duty.field).filter(|field| !is_filled(roll, held, *field)).collect();
        let (total, lacking) = units.entry(held.unit).or_default();
        *total += 1;
        if !lacks.is_empty() {
            lacking.push((at, lacks));
        }
    }
    let level_of =
        |field: &RosterField| missing.fields.iter().find(|duty| duty.field == *field).map(|duty| duty.level);
    let draft = |(unit, (total, lacking)): (Option<usize>, (usize, Lacking))| {
        let level = lacking.iter().flat_map(|(_, fields)| fields).filter_map(level_of).max()?;
        let mut counts: BTreeMap<RosterField, usize> = BTreeMap::new();
        lacking
            .iter()
            .flat_map(|(_, fields)| fields)
            .for_each(|field| *counts.entry(*field).or_default() += 1);
        let list = |name: fn(RosterField) -> &'static str, separator: &str| {
            counts
                .iter()
                .map(|(field, count)| format!("{} {count}", name(*field)))
                .collect::<Vec<_>>()
                .join(separator)
        };
        let (zh, en) = (list(RosterField::zh, "、"), list(RosterField::en, ", "));
        let count = lacking.len();
        let explanation = match unit.map(|unit| roll.units[unit].name.as_str()) {
            Some(unit) => (
                format!("{unit}名录中的 {total} 个对象有 {count} 个信息不全，空缺：{zh}。"),
                format!("{unit}: {count} of {total} entries are incomplete; empty: {en}."),
            ),
            None => (
                format!("{count} 个对象没有填写主办单位，空缺：{zh}。"),
                format!("{count} entries have no owner; empty: {en}."),
            ),
        };
        let names = |fields: &[RosterField]| -> Wording {
            let zh: Vec<&str> = fields.iter().map(|field| field.zh()).collect();
            let en: Vec<&str> = fields.iter().map(|field| field.en()).collect();
            (format!("缺少{}", zh.join("、")), format!("lacks {}", en.join(", "))).into()
        };
        Some(Draft {
            level,
            unit,
            region: None,
            explanation: explanation.into(),
            counted: None,
            targets: lacking.iter().map(|(at, fields)| (*at, Some(names(fields)))).collect(),
            shared: Vec::new(),
        })
    };
    units.into_iter().filter_map(draft).collect()
}

fn is_filled(roll: &Roll<'_>, held: &Held<'_>, field: RosterField) -> bool {
    let entry = held.entry();
    let text = |value: &Option<String>| roll.filled(value.as_deref()).is_some();
    match field {
        RosterField::Id => text(&entry.id),
        RosterField::Name => text(&entry.name),
        RosterField::Owner => text(&entry.owner),
        RosterField::Level => entry.level.is_some(),
        RosterField::Region => text(&entry.region),
        RosterField::Audience => entry.audience.is_some(),
        RosterField::Grassroots => entry.grassroots.is_some(),
        RosterField::Platform => text(&entry.platform),
        // Another number there is the business of another rule.
        RosterField::Filing => !matches!(held.filing, FilingState::Empty),
        RosterField::Icp => text(&entry.icp),
        RosterField::Contact => text(&entry.contact),
    }
}
