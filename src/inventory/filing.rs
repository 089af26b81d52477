//! The field of the filing number: empty after the deadline, or with a number that is another.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::roll::{FilingState, Roll};
use super::{Draft, counted};
use crate::model::{Level, Wording};
use crate::rule::{FilingDeadline, FilingNumber, InventoryRule};

/// Where a target without a filing number stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    /// Online since the measures were issued: filed first.
    Late,
    /// The deadline is over.
    Overdue,
    /// The deadline is to come.
    Due,
}

pub(super) fn deadline(
    rule: &InventoryRule,
    filing: &FilingDeadline,
    roll: &Roll<'_>,
    as_of: Date,
) -> Vec<Draft> {
    let mut groups: BTreeMap<(Option<usize>, Standing, Level), Vec<usize>> = BTreeMap::new();
    if as_of < filing.issued {
        return Vec::new();
    }
    for (at, held) in roll.open(rule).filter(|(_, held)| held.counts() && !held.is_filed()) {
        let late = held.holding.online_since.is_some_and(|since| since > filing.issued && since <= as_of);
        let standing = match as_of > filing.deadline {
            _ if late => Standing::Late,
            true => Standing::Overdue,
            false => Standing::Due,
        };
        let audience = held.entry().audience;
        let level = match standing {
            Standing::Due => Level::Mention,
            _ => audience
                .and_then(|audience| filing.audiences.get(&audience).copied())
                .unwrap_or(filing.unknown),
        };
        groups.entry((held.unit, standing, level)).or_default().push(at);
    }
    let draft = |((unit, standing, level), members): ((Option<usize>, Standing, Level), Vec<usize>)| {
        let count = members.len();
        let (name, name_en) = match unit {
            Some(unit) => (roll.units[unit].name.as_str(), roll.units[unit].name.as_str()),
            None => ("主办单位不明的", "unknown owner"),
        };
        let days = days(filing.deadline, as_of);
        let deadline = filing.deadline;
        let (zh, en) = match standing {
            Standing::Late => (
                "《办法》印发后上线，上线前就应当备案".to_owned(),
                "online after the measures were issued, to be filed before that".to_owned(),
            ),
            Standing::Overdue => (
                format!("期限 {deadline} 已过 {days} 天"),
                format!("the deadline {deadline} was {} ago", counted(days.unsigned_abs() as usize, "day")),
            ),
            Standing::Due => (
                format!("距期限 {deadline} 还有 {} 天", -days),
                format!("{} to the deadline {deadline}", counted(days.unsigned_abs() as usize, "day")),
            ),
        };
        let detail = |at: usize| -> Option<Wording> {
            let held = &roll.held[at];
            match (held.filing, standing, held.holding.online_since) {
                (FilingState::Other(value, other), ..) => Some(
                    (
                        format!("备案编号栏填的是{}：{value}", other.means),
                        format!("{} stands there: {value}", other.means_en),
                    )
                        .into(),
                ),
                (_, Standing::Late, Some(since)) => {
                    Some((format!("{since} 已上线"), format!("online since {since}")).into())
                }
                _ => None,
            }
        };
        Draft {
            level,
            unit,
            region: None,
            explanation: (
                format!("{name}有 {count} 个在用的应用没有备案编号，{zh}（截至 {as_of}）。"),
                format!(
                    "{name_en}: {} in use without a filing number, {en} (as of {as_of}).",
                    counted(count, "app")
                ),
            )
                .into(),
            counted: None,
            targets: members.into_iter().map(|at| (at, detail(at))).collect(),
            shared: Vec::new(),
        }
    };
    groups.into_iter().map(draft).collect()
}

/// Days from one day to another.
fn days(from: Date, to: Date) -> i64 {
    const HOURS: i64 = 24;
    // Both are within four digits of years: the hours between them are no problem.
    (to.duration_since(from).as_hours()) / HOURS
}

pub(super) fn number(rule: &InventoryRule, number: &FilingNumber, roll: &Roll<'_>) -> Vec<Draft> {
    let mut units: BTreeMap<Option<usize>, Vec<(usize, Option<Wording>)>> = BTreeMap::new();
    for (at, held) in roll.open(rule) {
        let icp = roll.filled(held.entry().icp.as_deref());
        let detail: Wording = match held.filing {
            FilingState::Other(value, other) => {
                (format!("“{value}”是{}", other.means), format!("“{value}” is {}", other.means_en)).into()
            }
            FilingState::Number(value) if Some(value) == icp => {
                (format!("与ICP备案号栏相同：“{value}”"), format!("the same as the ICP number: “{value}”"))
                    .into()
            }
            FilingState::Number(_) | FilingState::Empty => continue,
        };
        units.entry(held.unit).or_default().push((at, Some(detail)));
    }
    let draft = |(unit, targets): (Option<usize>, Vec<(usize, Option<Wording>)>)| {
        let (name, name_en) = match unit {
            Some(unit) => (roll.units[unit].name.as_str(), roll.units[unit].name.as_str()),
            None => ("主办单位不明的", "unknown owner"),
        };
        let count = targets.len();
        Draft {
            level: number.level,
            unit,
            region: None,
            explanation: (
                format!("{name}有 {count} 个应用的备案编号栏填的不是政务应用程序备案编号，按未备案对待。"),
                format!("{name_en}: {} with another number in the field of the filing number; they count as not filed.", counted(count, "app")),
            )
                .into(),
            counted: None,
            targets,
            shared: Vec::new(),
        }
    };
    units.into_iter().map(draft).collect()
}
