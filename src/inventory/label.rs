//! Labels that scans saw, as functions and fields that can be compared: one spelling, less what every app has, each with
//! its weight.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::Ledge;
use super::roll::Roll;
use crate::model::{Shown, Surface};
use crate::rule::Labels;
use crate::text::fold;

/// Labels of one app that are compared; a real app has some hundreds.
const MAX_LABELS: usize = 5_000;

/// With few apps the number that have a label says little: weights are those of so many at least.
const FEW: usize = 20;

/// What scans saw, by app in use.
pub(super) struct Table {
    /// By number: the label as it is shown, the first of its spellings.
    pub(super) labels: Vec<String>,
    /// By number: the rarer, the larger.
    pub(super) weights: Vec<f64>,
    /// In the order of the apps.
    pub(super) lists: Vec<List>,
}

/// Labels that belong together.
pub(super) struct List {
    /// Index in [`Roll::held`].
    pub(super) held: usize,
    /// Fields: the screen they are on.
    pub(super) screen: Option<String>,
    /// Numbers, ascending.
    pub(super) labels: Vec<u32>,
}

impl Table {
    /// What users can do: one list for each app.
    pub(super) fn functions(roll: &Roll<'_>, labels: &Labels, ledge: &mut Ledge) -> Self {
        let seen = |surface: &'_ Surface| {
            let controls = surface.controls.iter().filter_map(|control| control.label.as_ref());
            let screens = surface.screens.iter().filter_map(|screen| screen.label.as_ref());
            controls.chain(screens).map(|label| (None, label.clone())).collect()
        };
        Table::of(roll, labels, ledge, seen)
    }

    /// What users are asked to fill in: one list for each screen of each app.
    pub(super) fn fields(roll: &Roll<'_>, labels: &Labels, ledge: &mut Ledge) -> Self {
        let seen = |surface: &'_ Surface| {
            let shown = surface.fields.iter();
            let on = |shown: &Shown| Some(shown.screen.clone().unwrap_or_default());
            shown.filter_map(|shown| Some((on(shown), shown.label.clone()?))).collect()
        };
        let mut table = Table::of(roll, labels, ledge, seen);
        // People know a screen by its title.
        for list in &mut table.lists {
            let screens = roll.held[list.held].holding.surface.iter().flat_map(|surface| &surface.screens);
            let mut titles = screens.filter(|screen| Some(&screen.name) == list.screen.as_ref());
            if let Some(title) = titles.find_map(|screen| screen.label.clone()) {
                list.screen = Some(title);
            }
        }
        table
    }

    fn of(
        roll: &Roll<'_>,
        labels: &Labels,
        ledge: &mut Ledge,
        seen: impl Fn(&Surface) -> Vec<(Option<String>, String)>,
    ) -> Self {
        let spelling = Spelling::new(labels);
        // By app and screen, each label with its first spelling.
        let mut spelt: Vec<(usize, Option<String>, BTreeMap<String, String>)> = Vec::new();
        let mut beyond = 0;
        for (at, held) in roll.apps() {
            let Some(surface) = &held.holding.surface else { continue };
            let mut screens: BTreeMap<Option<String>, BTreeMap<String, String>> = BTreeMap::new();
            let mut room = MAX_LABELS;
            for (screen, label) in seen(surface) {
                let Some(key) = spelling.of(&label) else { continue };
                let labels = screens.entry(screen).or_default();
                if let Some(known) = labels.get_mut(&key) {
                    if label < *known {
                        *known = label;
                    }
                } else if room == 0 {
                    beyond += 1;
                } else {
                    room -= 1;
                    labels.insert(key, label);
                }
            }
            let filled = screens.into_iter().filter(|(_, labels)| !labels.is_empty());
            spelt.extend(filled.map(|(screen, labels)| (at, screen, labels)));
        }
        ledge.note(
            "",
            beyond,
            (
                "项界面文字超出每个应用比较的上限，未作比较",
                "labels beyond the limit of one app were not compared",
            ),
        );
        let mut first: BTreeMap<&str, &str> = BTreeMap::new();
        for (key, label) in spelt.iter().flat_map(|(_, _, labels)| labels) {
            first.entry(key).and_modify(|known| *known = (*known).min(label)).or_insert(label);
        }
        let numbers: HashMap<&str, u32> = first.keys().copied().zip(0..).collect();
        let lists: Vec<List> = spelt
            .iter()
            .map(|(held, screen, labels)| {
                let mut numbers: Vec<u32> =
                    labels.keys().filter_map(|key| numbers.get(key.as_str()).copied()).collect();
                numbers.sort_unstable();
                List { held: *held, screen: screen.clone(), labels: numbers }
            })
            .collect();
        let weights = weights(&lists, first.len());
        let labels = first.values().map(|label| label.trim().to_owned()).collect();
        Table { labels, weights, lists }
    }

    /// Labels by their numbers, the heaviest first.
    pub(super) fn names(&self, numbers: &[u32]) -> Vec<String> {
        let mut numbers = numbers.to_vec();
        numbers
            .sort_by(|a, b| self.weights[*b as usize].total_cmp(&self.weights[*a as usize]).then(a.cmp(b)));
        numbers.iter().map(|number| self.labels[*number as usize].clone()).collect()
    }
}

/// ln(1 + n / df), where df is how many apps have the label and n how many apps there are. Apps with the very same labels
/// are one: copies of an app make none of its functions common.
fn weights(lists: &[List], labels: usize) -> Vec<f64> {
    let mut apps: BTreeMap<usize, Vec<u32>> = BTreeMap::new();
    lists.iter().for_each(|list| apps.entry(list.held).or_default().extend(&list.labels));
    let mut distinct: HashSet<Vec<u32>> = HashSet::new();
    for mut labels in apps.into_values() {
        labels.sort_unstable();
        labels.dedup();
        distinct.insert(labels);
    }
    let mut having = vec![0_u32; labels];
    distinct.iter().flatten().for_each(|number| having[*number as usize] += 1);
    let count = distinct.len().max(FEW) as f64;
    having.into_iter().map(|having| (1.0 + count / f64::from(having.max(1))).ln()).collect()
}

/// One spelling of labels.
struct Spelling {
    common: HashSet<String>,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
    max_chars: usize,
}

impl Spelling {
    fn new(labels: &Labels) -> Self {
        let longest_first = |words: &[String]| {
            let mut words: Vec<String> = words.iter().map(|word| bare(&fold(word)).to_owned()).collect();
            words.retain(|word| !word.is_empty());
            words.sort_by_key(|word| std::cmp::Reverse(word.len()));
            words
        };
        Spelling {
            common: labels.common.iter().map(|label| bare(&fold(label)).to_owned()).collect(),
            prefixes: longest_first(&labels.prefixes),
            suffixes: longest_first(&labels.suffixes),
            max_chars: labels.max_chars,
        }
    }

    /// `None`: no function or field, but running text, a sign, a number, or what every app has.
    fn of(&self, label: &str) -> Option<String> {
        // Running text; of most letters folding changes no lengths.
        if label.len() > 8 * self.max_chars + 64 {
            return None;
        }
        let folded = fold(label);
        let whole = bare(&folded);
        if self.common.contains(whole) {
            return None;
        }
        let mut core = Cow::from(whole);
        if let Some(rest) = self.prefixes.iter().find_map(|prefix| whole.strip_prefix(prefix.as_str())) {
            core = long_enough(bare(rest)).map_or(core, |rest| rest.to_owned().into());
        }
        let ended = self.suffixes.iter().find_map(|suffix| core.strip_suffix(suffix.as_str()));
        if let Some(rest) = ended.and_then(|rest| long_enough(bare(rest))) {
            core = rest.to_owned().into();
        }
        let chars = core.chars().count();
        let says = (2..=self.max_chars).contains(&chars) && core.chars().any(char::is_alphabetic);
        (says && !self.common.contains(core.as_ref())).then(|| core.into_owned())
    }
}

/// Without marks and spaces at its ends.
fn bare(text: &str) -> &str {
    text.trim_matches(|ch: char| !ch.is_alphanumeric())
}

fn long_enough(text: &str) -> Option<&str> {
    (text.chars().count() >= 2).then_some(text)
}
