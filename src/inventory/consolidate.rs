//! A proposal which apps of a region and audience could be merged into which platform, such that no function is lost.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Serialize;

use super::label::Table;
use super::roll::{Roll, rank};
use super::{Ledge, Subject};
use crate::model::Audience;
use crate::rule::InventoryVocabulary;

/// What one region could do for one audience.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Proposal {
    /// The region, as far as it counts.
    pub region: String,
    /// Whom the apps serve.
    pub audience: Audience,
    /// The app into which the others could be merged; `None`: one that the roster does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<Subject>,
    /// Its name.
    pub platform_name: String,
    /// Why it.
    pub reason: String,
    /// `reason` in English.
    pub reason_en: String,
    /// What could be merged into it, in the order of the keys.
    pub merged: Vec<Merged>,
    /// Functions of several of these apps that the platform is not seen to have, with the keys of the apps.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub to_add: BTreeMap<String, Vec<String>>,
    /// Fields that several of these apps ask for, with the keys of the apps.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub repeated_fields: BTreeMap<String, Vec<String>>,
}

/// An app that could be merged.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Merged {
    /// Which one.
    #[serde(flatten)]
    pub app: Subject,
    /// Whether a scan saw what it can do; else the lists below are empty and say nothing.
    pub scanned: bool,
    /// What it alone has: it has to go into the platform before the app is closed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<String>,
    /// What the platform has too.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shared: Vec<String>,
}

/// The proposals, by region and audience.
pub(super) fn propose(
    vocabulary: &InventoryVocabulary,
    roll: &Roll<'_>,
    functions: &Table,
    fields: &Table,
    ledge: &mut Ledge,
) -> Vec<Proposal> {
    let mut groups: BTreeMap<(String, Audience), Vec<usize>> = BTreeMap::new();
    let mut unplaced = 0;
    for (at, held) in roll.apps() {
        match (roll.area(held), held.entry().audience) {
            (Some(area), Some(audience)) => groups.entry((area, audience)).or_default().push(at),
            _ => unplaced += 1,
        }
    }
    ledge.note(
        "",
        unplaced,
        (
            "应用没有填写地区或者服务对象，未列入整合建议",
            "apps without region or audience: not in the proposals",
        ),
    );
    let of = |table: &'_ Table| {
        let mut labels: HashMap<usize, BTreeSet<u32>> = HashMap::new();
        table.lists.iter().for_each(|list| labels.entry(list.held).or_default().extend(&list.labels));
        labels
    };
    let (functions_of, fields_of) = (of(functions), of(fields));
    // A platform by name is the one of the highest level.
    let wanted: HashMap<Audience, (&str, Option<usize>)> = vocabulary
        .consolidate_into
        .iter()
        .map(|(audience, name)| {
            let bare = roll.bare(name);
            let fits = |held: &super::roll::Held<'_>| {
                held.entry().audience.is_none_or(|of| of == *audience) && roll.bare_name(held) == bare
            };
            let found = roll
                .apps()
                .filter(|(_, held)| fits(held))
                .min_by_key(|(at, held)| (rank(held.entry().level), *at));
            (*audience, (name.as_str(), found.map(|(at, _)| at)))
        })
        .collect();
    let mut proposals = Vec::new();
    for ((region, audience), apps) in groups {
        let width = |at: usize| functions_of.get(&at).map_or(0, BTreeSet::len);
        let level = |at: usize| roll.held[at].entry().level;
        let (platform, name, reason) = match wanted.get(&audience) {
            Some((name, at)) => {
                let reason = match at {
                    Some(_) => ("按规定的整合去向", "set as what apps are merged into"),
                    None => (
                        "按规定的整合去向，名录中没有",
                        "set as what apps are merged into; the roster does not hold it",
                    ),
                };
                (*at, (*name).to_owned(), reason)
            }
            None => {
                let best = apps
                    .iter()
                    .copied()
                    .min_by_key(|at| (rank(level(*at)), std::cmp::Reverse(width(*at)), *at));
                let Some(best) = best else { continue };
                let highest = apps.iter().filter(|at| level(**at) == level(best)).count() == 1;
                let reason = match (level(best), highest, width(best)) {
                    (Some(_), true, _) => ("层级最高", "of the highest level"),
                    (Some(_), false, 1..) => {
                        ("同级中功能最多", "with the widest functions of those of the highest level")
                    }
                    (None, _, 1..) => ("功能最多", "with the widest functions"),
                    _ => (
                        "未作检测，按标识排序暂列，须人工选定",
                        "not scanned, the first by its key; a person has to choose",
                    ),
                };
                (Some(best), roll.held[best].name().to_owned(), reason)
            }
        };
        let rest: Vec<usize> = apps.iter().copied().filter(|at| Some(*at) != platform).collect();
        if rest.is_empty() {
            continue;
        }
        // Functions and fields with the apps that have them; the platform may be of another region.
        let all: BTreeSet<usize> = rest.iter().copied().chain(platform).collect();
        let having = |labels: &HashMap<usize, BTreeSet<u32>>| {
            let mut having: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
            for at in &all {
                labels
                    .get(at)
                    .into_iter()
                    .flatten()
                    .for_each(|label| having.entry(*label).or_default().push(*at));
            }
            having
        };
        let (have_function, have_field) = (having(&functions_of), having(&fields_of));
        let keys =
            |apps: &Vec<usize>| apps.iter().map(|at| roll.held[*at].key.clone()).collect::<Vec<String>>();
        let has = |at: Option<usize>, label: &u32| {
            at.and_then(|at| functions_of.get(&at)).is_some_and(|labels| labels.contains(label))
        };
        let merged = rest.iter().map(|at| {
            let own = functions_of.get(at);
            let labels = || own.into_iter().flatten().copied();
            let alone = |label: &u32| have_function.get(label).is_some_and(|apps| apps.len() == 1);
            Merged {
                app: roll.held[*at].subject(),
                scanned: roll.held[*at].holding.surface.is_some(),
                only: functions.names(&labels().filter(alone).collect::<Vec<_>>()),
                shared: functions.names(&labels().filter(|label| has(platform, label)).collect::<Vec<_>>()),
            }
        });
        let merged = merged.collect();
        let to_add = have_function.iter().filter(|(label, apps)| apps.len() > 1 && !has(platform, label));
        let repeated = have_field.iter().filter(|(_, apps)| apps.len() > 1);
        proposals.push(Proposal {
            to_add: to_add
                .map(|(label, apps)| (functions.labels[*label as usize].clone(), keys(apps)))
                .collect(),
            repeated_fields: repeated
                .map(|(label, apps)| (fields.labels[*label as usize].clone(), keys(apps)))
                .collect(),
            region,
            audience,
            platform: platform.map(|at| roll.held[at].subject()),
            platform_name: name,
            reason: reason.0.to_owned(),
            reason_en: reason.1.to_owned(),
            merged,
        });
    }
    proposals
}
