//! Apps of one region with the same functions, and forms of several apps that ask for the same.

use std::collections::{BTreeMap, BTreeSet};

use super::alike::{Cluster, clusters};
use super::label::{List, Table};
use super::roll::Roll;
use super::{Draft, Ledge};
use crate::model::{Level, Wording};
use crate::rule::{InventoryRule, Overlap};

/// Shared labels that an explanation names; the finding has them all.
const NAMED: usize = 8;

/// Apps with the same functions.
pub(super) fn functions(
    rule: &InventoryRule,
    overlap: &Overlap,
    roll: &Roll<'_>,
    table: &Table,
    ledge: &mut Ledge,
) -> Vec<Draft> {
    note_unseen(rule, roll, ledge);
    alike(rule, overlap, roll, table, ledge, ("功能", "functions"))
}

/// Forms that ask for the same.
pub(super) fn fields(
    rule: &InventoryRule,
    overlap: &Overlap,
    roll: &Roll<'_>,
    table: &Table,
    ledge: &mut Ledge,
) -> Vec<Draft> {
    note_unseen(rule, roll, ledge);
    alike(rule, overlap, roll, table, ledge, ("填报项目", "fields"))
}

fn note_unseen(rule: &InventoryRule, roll: &Roll<'_>, ledge: &mut Ledge) {
    let unseen = roll.apps().filter(|(_, held)| held.holding.surface.is_none()).count();
    let partly =
        roll.apps().filter(|(_, held)| held.holding.surface.as_ref().is_some_and(|seen| seen.omitted > 0));
    let partly = partly.count();
    ledge.note(
        &rule.id,
        unseen,
        (
            "应用没有检测结果，功能和填报项目无从比较",
            "apps without a scan: their functions and fields could not be compared",
        ),
    );
    ledge.note(
        &rule.id,
        partly,
        (
            "应用的功能和填报项目过多，只比较了一部分",
            "apps with more functions and fields than were kept: compared in part",
        ),
    );
}

fn alike(
    rule: &InventoryRule,
    overlap: &Overlap,
    roll: &Roll<'_>,
    table: &Table,
    ledge: &mut Ledge,
    (noun, noun_en): (&str, &str),
) -> Vec<Draft> {
    let mut areas: BTreeMap<String, Vec<&List>> = BTreeMap::new();
    let mut unplaced = BTreeSet::new();
    for list in table.lists.iter().filter(|list| rule.targets.contains(&roll.held[list.held].kind)) {
        match roll.area(&roll.held[list.held]) {
            Some(area) => areas.entry(area).or_default().push(list),
            None => drop(unplaced.insert(list.held)),
        }
    }
    ledge.note(
        &rule.id,
        unplaced.len(),
        (
            "应用没有填写地区，未与同一地区的比较",
            "apps without region: not compared with those of their region",
        ),
    );
    let mut drafts = Vec::new();
    for (area, lists) in areas {
        // Staff and public may well be offered the same.
        let may = |a: usize, b: usize| {
            let (a, b) = (lists[a].held, lists[b].held);
            let audience = |held: usize| roll.held[held].entry().audience;
            a != b && (audience(a) == audience(b) || audience(a).is_none() || audience(b).is_none())
        };
        let labels: Vec<&[u32]> = lists.iter().map(|list| list.labels.as_slice()).collect();
        let found = clusters(&labels, &table.weights, overlap, may);
        ledge.note(
            &rule.id,
            found.left_out,
            (
                format!("项{noun}在一个地区过于常见，未作比较"),
                format!("{noun_en} so common in one region that they were not compared"),
            ),
        );
        for (sure, cluster) in found.found {
            let level = if sure { Level::Suspected } else { Level::Mention };
            drafts.push(draft(level, &area, &lists, &cluster, table, (noun, noun_en)));
        }
    }
    drafts
}

fn draft(
    level: Level,
    area: &str,
    lists: &[&List],
    cluster: &Cluster,
    table: &Table,
    (noun, noun_en): (&str, &str),
) -> Draft {
    let hub = lists[cluster.hub];
    let shared: BTreeSet<u32> =
        cluster.members.iter().flat_map(|member| member.shared.iter().copied()).collect();
    let shared = table.names(&shared.into_iter().collect::<Vec<u32>>());
    let apps: BTreeSet<usize> =
        cluster.members.iter().map(|member| lists[member.list].held).chain([hub.held]).collect();
    let named = shared.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>();
    let (count, total) = (apps.len(), shared.len());
    let more = total > NAMED;
    let explanation = (
        format!(
            "{area}的 {count} 个应用有 {total} 项{noun}相同：{}{}。",
            named.join("、"),
            if more { "等" } else { "" }
        ),
        format!(
            "{count} apps of {area} have {total} {noun_en} in common: {}{}.",
            named.join(", "),
            if more { " and others" } else { "" }
        ),
    );
    let on = |list: &List| -> Wording {
        match list.screen.as_deref() {
            Some(screen) if !screen.is_empty() => (format!("“{screen}”："), format!("“{screen}”: ")).into(),
            _ => ("", "").into(),
        }
    };
    let mut targets = vec![(hub.held, {
        let (on, all) = (on(hub), hub.labels.len());
        let widest = (
            format!("{}{all} 项{noun}，为其中最多", on.zh),
            format!("{}{all} {noun_en}, the most of them", on.en),
        );
        Some(widest.into())
    })];
    for member in &cluster.members {
        let list = lists[member.list];
        let (on, all, both) = (on(list), list.labels.len(), member.shared.len());
        // Downwards: 59.6 % is below a threshold of 60 %.
        let percent = (member.share * 100.0 + 1e-9).floor();
        let detail = (
            format!("{}{all} 项{noun}中 {both} 项相同，按权重占 {percent}%", on.zh),
            format!("{}{both} of {all} {noun_en} in common, {percent} % by weight", on.en),
        );
        targets.push((list.held, Some(detail.into())));
    }
    Draft {
        level,
        unit: None,
        region: Some(area.to_owned()),
        explanation: explanation.into(),
        counted: None,
        targets,
        shared,
    }
}
