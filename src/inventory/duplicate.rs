//! One target under several rows, several targets of a unit under one name.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::Draft;
use super::roll::{Held, Roll};
use crate::model::Wording;
use crate::rule::{Duplicate, InventoryRule};
use crate::text::fold;

pub(super) fn judge(rule: &InventoryRule, duplicate: &Duplicate, roll: &Roll<'_>) -> Vec<Draft> {
    // Ids of accounts are those of a platform.
    type Id = (u8, String, String);
    let mut ids: BTreeMap<Id, Vec<usize>> = BTreeMap::new();
    let mut names: BTreeMap<(usize, u8, String, String), Vec<usize>> = BTreeMap::new();
    let mut addresses: BTreeMap<(u8, &str), Vec<usize>> = BTreeMap::new();
    for (at, held) in roll.open(rule) {
        let platform = roll.platform(held).unwrap_or_default();
        let kind = held.kind as u8;
        if let Some(id) = roll.filled(held.entry().id.as_deref()) {
            ids.entry((kind, platform.clone(), fold(id))).or_default().push(at);
        }
        for address in held.entry().addresses.iter().filter_map(|address| roll.filled(Some(address))) {
            let members: &mut Vec<usize> = addresses.entry((kind, address)).or_default();
            if members.last() != Some(&at) {
                members.push(at);
            }
        }
        if let (Some(unit), Some(_)) = (held.unit, roll.filled(held.entry().name.as_deref())) {
            names.entry((unit, kind, platform, roll.bare_name(held))).or_default().push(at);
        }
    }
    let held = |at: &usize| &roll.held[*at];
    let mut drafts = Vec::new();
    let mut by_id = HashSet::new();
    for ((_, _, id), members) in ids.into_iter().filter(|(_, members)| members.len() > 1) {
        let names: BTreeSet<String> = members.iter().map(|at| roll.bare_name(held(at))).collect();
        let owners: BTreeSet<usize> = members.iter().filter_map(|at| held(at).unit).collect();
        let addresses: BTreeSet<&String> =
            members.iter().flat_map(|at| &held(at).entry().addresses).collect();
        by_id.extend(members.iter().copied());
        let rows = members.len();
        let differ = names.len() > 1 || owners.len() > 1;
        let level = if differ { duplicate.names_differ } else { duplicate.repeated };
        let (names, owners, addresses) = (names.len(), owners.len(), addresses.len());
        let mut zh = format!("标识 {id} 登记了 {rows} 行");
        let mut en = format!("The id {id} stands in {rows} rows");
        for (count, zh_noun, en_noun) in
            [(names, "名称", "names"), (owners, "主办单位", "owners"), (addresses, "地址", "addresses")]
        {
            if count > 1 {
                zh.push_str(&format!("，{count} 个{zh_noun}"));
                en.push_str(&format!(", under {count} {en_noun}"));
            }
        }
        let unit = (owners <= 1).then(|| members.iter().find_map(|at| held(at).unit)).flatten();
        drafts.push(draft(roll, level, unit, (zh + "。", en + ".").into(), &members));
    }
    for ((unit, _, _, name), members) in names.into_iter().filter(|(_, members)| members.len() > 1) {
        let ids: BTreeSet<&str> =
            members.iter().filter_map(|at| roll.filled(held(at).entry().id.as_deref())).collect();
        let rows = members.len();
        let unit_name = &roll.units[unit].name;
        let kind = members.first().map(|at| held(at).kind);
        let (kind, kind_en) = kind.map_or(("", ""), |kind| (kind.zh(), kind.en()));
        if ids.len() > 1 {
            let count = ids.len();
            let words = (
                format!("{unit_name}有 {count} 个{kind}名称都是“{name}”（不计“客户端”“新版”等），标识不同。"),
                format!(
                    "{unit_name} has {count} targets ({kind_en}) under the name “{name}” (additions such as 客户端 not counted), with different ids."
                ),
            );
            drafts.push(draft(roll, duplicate.same_name, Some(unit), words.into(), &members));
        } else if members.iter().any(|at| !by_id.contains(at)) {
            let words = (
                format!("{unit_name}的“{name}”（{kind}）登记了 {rows} 行，没有各自的标识，可能是同一对象。"),
                format!(
                    "“{name}” ({kind_en}) of {unit_name} stands in {rows} rows without ids of their own; they may be one."
                ),
            );
            drafts.push(draft(roll, duplicate.repeated, Some(unit), words.into(), &members));
        }
    }
    for ((_, address), members) in addresses {
        let keys: BTreeSet<&str> = members.iter().map(|at| held(at).key.as_str()).collect();
        if keys.len() > 1 {
            let words = (
                format!("地址 {address} 登记在 {} 个对象下。", keys.len()),
                format!("The address {address} stands with {} targets.", keys.len()),
            );
            drafts.push(draft(roll, duplicate.repeated, None, words.into(), &members));
        }
    }
    drafts
}

fn draft(
    roll: &Roll<'_>,
    level: crate::model::Level,
    unit: Option<usize>,
    explanation: Wording,
    members: &[usize],
) -> Draft {
    let detail = |held: &Held<'_>| -> Wording {
        let entry = held.entry();
        let owner = held.unit.map(|unit| roll.units[unit].name.clone());
        let parts = [entry.id.clone(), owner].into_iter().flatten().chain(entry.addresses.iter().cloned());
        parts.collect::<Vec<_>>().join("  ").into()
    };
    Draft {
        level,
        unit,
        region: None,
        explanation,
        counted: None,
        targets: members.iter().map(|at| (*at, Some(detail(&roll.held[*at])))).collect(),
        shared: Vec::new(),
    }
}
