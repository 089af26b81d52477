//! At most so many: per unit, per region and level, per unit and platform; none at all.

use std::collections::{BTreeMap, BTreeSet};

use super::roll::{Held, Roll, rank};
use super::{Draft, Ledge, counted, weaker};
use crate::model::{Level, Scope, Wording};
use crate::rule::{InventoryRule, Per, Quota};

/// What is counted together: the scope, the level where it is counted by level, the unit, the region or platform.
type Group = (u8, u8, Option<usize>, String);

pub(super) fn judge(rule: &InventoryRule, quota: &Quota, roll: &Roll<'_>, ledge: &mut Ledge) -> Vec<Draft> {
    let mut groups: BTreeMap<Group, Vec<usize>> = BTreeMap::new();
    let (mut no_level, mut no_owner, mut no_region, mut no_platform) = (0, 0, 0, 0);
    for (at, held) in roll.open(rule).filter(|(_, held)| held.counts()) {
        let entry = held.entry();
        if quota.grassroots && entry.grassroots == Some(false) {
            continue;
        }
        if !quota.levels.is_empty() {
            match entry.level {
                None => {
                    no_level += 1;
                    continue;
                }
                Some(level) if !quota.levels.contains(&level) => continue,
                Some(_) => {}
            }
        }
        let scope = held.kind.scope() as u8;
        let group = match quota.per {
            Per::Region => match (roll.filled(entry.region.as_deref()), entry.level) {
                (None, _) => {
                    no_region += 1;
                    continue;
                }
                (Some(region), level) => (scope, rank(level), None, region.to_owned()),
            },
            Per::Owner | Per::OwnerPlatform if held.unit.is_none() => {
                no_owner += 1;
                continue;
            }
            Per::Owner => (scope, 0, held.unit, String::new()),
            Per::OwnerPlatform => match roll.platform(held) {
                None => {
                    no_platform += 1;
                    continue;
                }
                Some(platform) => (scope, 0, held.unit, platform),
            },
        };
        groups.entry(group).or_default().push(at);
    }
    ledge.note(
        &rule.id,
        no_level,
        ("没有填写层级，无从核对数量限制", "without level: quotas could not be judged"),
    );
    ledge.note(
        &rule.id,
        no_owner,
        ("没有填写主办单位，无从按单位计数", "without owner: not counted for any unit"),
    );
    ledge.note(
        &rule.id,
        no_region,
        ("没有填写地区，无从按地区计数", "without region: not counted for any region"),
    );
    ledge.note(
        &rule.id,
        no_platform,
        ("没有填写平台，无从按平台计数", "without platform: not counted for any platform"),
    );
    groups.into_iter().filter_map(|(group, members)| draft(quota, roll, group, members)).collect()
}

fn draft(quota: &Quota, roll: &Roll<'_>, group: Group, members: Vec<usize>) -> Option<Draft> {
    if members.len() <= quota.max {
        return None;
    }
    let held = |at: &usize| &roll.held[*at];
    let counts = |at: &&usize| !quota.grassroots || held(at).entry().grassroots == Some(true);
    let known: Vec<&usize> = members.iter().filter(counts).collect();
    let distinct = |of: &mut dyn Iterator<Item = &Held<'_>>| match quota.forms_together {
        true => of.map(|held| roll.bare_name(held)).collect::<BTreeSet<_>>().len(),
        false => of.count(),
    };
    let services = distinct(&mut known.iter().map(|at| held(at)));
    let unfiled = distinct(&mut known.iter().map(|at| held(at)).filter(|held| !held.is_filed()));
    let level = match quota.filed {
        _ if known.is_empty() => Level::Mention,
        // What is not known to count, or is counted twice by name only, may excuse the rest.
        _ if services <= quota.max => weaker(quota.level),
        Some(filed) if unfiled <= quota.max => filed,
        _ => quota.level,
    };
    let (scope, _, unit, place) = group;
    let (noun, noun_en) = match scope {
        scope if scope == Scope::App as u8 => ("应用", "app"),
        scope if scope == Scope::Account as u8 => ("公众账号", "public account"),
        _ => ("工作群组", "work group"),
    };
    let total = members.len();
    let unknown = total - known.len();
    let filed = members.iter().filter(|at| held(at).is_filed()).count();
    let unit_name = unit.map(|unit| roll.units[unit].name.as_str());
    let (facing, facing_en) = match quota.grassroots {
        true => ("面向基层的", " facing the grass roots"),
        false => ("", ""),
    };
    let whom = match (quota.per, unit_name) {
        (Per::OwnerPlatform, Some(unit)) => {
            Wording::from((format!("{unit}在{place}平台上"), format!("{unit} on {place}")))
        }
        (_, Some(unit)) => Wording::from(unit),
        (_, None) => {
            let level = members.first().and_then(|at| held(at).entry().level);
            let (zh, en) = level.map_or(("", ""), |level| (level.zh(), level.en()));
            Wording::from((format!("{place}{zh}单位"), format!("{place}, offices of the level {en}")))
        }
    };
    let mut zh = format!("{}有 {total} 个{facing}{noun}在用，允许 {} 个。", whom.zh, quota.max);
    let mut en =
        format!("{}: {}{facing_en} in use, {} allowed.", whom.en, counted(total, noun_en), quota.max);
    if unknown > 0 {
        zh.push_str(&format!("其中 {unknown} 个没有填写是否面向基层，须先核对。"));
        en.push_str(&format!(" Of {unknown} the roster does not say whether they face the grass roots."));
    }
    if quota.forms_together && services < known.len() {
        let forms = known.len();
        zh.push_str(&format!("{forms} 个中名称相同的按一项服务计为 {services} 项。"));
        en.push_str(&format!(" By name the {forms} are {}.", counted(services, "service")));
    }
    if quota.filed.is_some() && filed > 0 {
        zh.push_str(&format!("其中 {filed} 个有备案编号。"));
        en.push_str(&format!(" {filed} with a filing number."));
    }
    let detail = |at: &usize| -> Option<Wording> {
        let open = quota.grassroots && held(at).entry().grassroots.is_none();
        open.then(|| {
            ("没有填写是否面向基层", "the roster does not say whether it faces the grass roots").into()
        })
    };
    Some(Draft {
        level,
        unit,
        region: (quota.per == Per::Region).then_some(place),
        explanation: (zh, en).into(),
        counted: Some((total, quota.max)),
        targets: members.iter().map(|at| (*at, detail(at))).collect(),
        shared: Vec::new(),
    })
}
