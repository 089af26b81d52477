//! The holdings in order, with what is compared of them: units, regions, filing numbers, names and platforms in one
//! spelling.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::{Holding, Subject};
use crate::model::{OfficeLevel, RosterEntry, RosterStatus, Scope, TargetKind};
use crate::rule::{InventoryRule, InventoryVocabulary, NotFiling};
use crate::text::fold;

/// The holdings, by key.
pub(super) struct Roll<'a> {
    pub(super) held: Vec<Held<'a>>,
    /// Who owns them, by name and region.
    pub(super) units: Vec<Unit>,
    /// Holdings that nothing identifies; they are left out.
    pub(super) nameless: usize,
    words: Words<'a>,
    region_parts: usize,
}

/// A holding.
pub(super) struct Held<'a> {
    pub(super) holding: &'a Holding,
    pub(super) key: String,
    /// What it is; the page of an account stands for it.
    pub(super) kind: TargetKind,
    /// Index in [`Roll::units`]; `None`: the roster does not say.
    pub(super) unit: Option<usize>,
    pub(super) filing: FilingState<'a>,
    /// An earlier row in use is of the same target, which counts once.
    pub(super) again: bool,
}

/// What stands in the field of the filing number.
#[derive(Clone, Copy)]
pub(super) enum FilingState<'a> {
    /// Nothing.
    Empty,
    /// Another number.
    Other(&'a str, &'a NotFiling),
    /// A number.
    Number(&'a str),
}

/// A unit: offices of one name in two regions are two.
pub(super) struct Unit {
    /// The first of its spellings.
    pub(super) name: String,
    /// Its region, where the roster says.
    pub(super) region: Option<String>,
}

impl Held<'_> {
    pub(super) fn entry(&self) -> &RosterEntry {
        &self.holding.entry
    }

    pub(super) fn name(&self) -> &str {
        let entry = self.entry();
        let name = [&entry.name, &entry.id].into_iter().flatten().map(|name| name.trim());
        name.filter(|name| !name.is_empty())
            .chain(entry.addresses.first().map(String::as_str))
            .next()
            .unwrap_or(&self.key)
    }

    pub(super) fn subject(&self) -> Subject {
        let (key, name) = (self.key.clone(), self.name().to_owned());
        Subject { key, name, kind: self.kind, detail: None, detail_en: None }
    }

    pub(super) fn is_filed(&self) -> bool {
        matches!(self.filing, FilingState::Number(_))
    }

    /// In use, and not counted before.
    pub(super) fn counts(&self) -> bool {
        is_in_use(self.entry()) && !self.again
    }

    pub(super) fn is_open(&self) -> bool {
        self.entry().status != Some(RosterStatus::Closed)
    }
}

impl<'a> Roll<'a> {
    pub(super) fn new(holdings: &'a [Holding], vocabulary: &'a InventoryVocabulary) -> Self {
        let words = Words::new(vocabulary);
        let mut keyed: Vec<(String, &Holding)> =
            holdings.iter().filter_map(|holding| Some((holding.entry.key()?, holding))).collect();
        let nameless = holdings.len() - keyed.len();
        // Rows of one key are put in order by all they hold.
        keyed.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| format!("{:?}", a.1).cmp(&format!("{:?}", b.1))));

        // Regions of each name of an owner, and the spellings of both.
        let mut names: HashMap<String, BTreeMap<String, &str>> = HashMap::new();
        let mut spelt: HashMap<String, &str> = HashMap::new();
        let owner =
            |entry: &'a RosterEntry| words.filled(entry.owner.as_deref()).map(|name| (unit_name(name), name));
        let region =
            |entry: &'a RosterEntry| words.filled(entry.region.as_deref()).map(|name| (spelling(name), name));
        for (_, holding) in &keyed {
            let Some((unit, name)) = owner(&holding.entry) else { continue };
            spelt.entry(unit.clone()).and_modify(|known| *known = (*known).min(name)).or_insert(name);
            let regions = names.entry(unit).or_default();
            if let Some((region, name)) = region(&holding.entry) {
                regions.entry(region).and_modify(|known| *known = (*known).min(name)).or_insert(name);
            }
        }
        // A row without a region belongs to the one unit of its name, or to none of several.
        let placed = |entry: &'a RosterEntry| {
            let (unit, _) = owner(entry)?;
            let regions = names.get(&unit)?;
            let region = match (region(entry), regions.len()) {
                (Some((region, _)), _) => Some(region),
                (None, 1) => regions.keys().next().cloned(),
                (None, _) => None,
            };
            Some((unit, region))
        };
        let all: BTreeSet<_> = keyed.iter().filter_map(|(_, holding)| placed(&holding.entry)).collect();
        let index: HashMap<_, usize> = all.iter().cloned().zip(0..).collect();
        let units = all.iter().map(|(unit, region)| Unit {
            name: spelt.get(unit).copied().unwrap_or_default().to_owned(),
            region: region
                .as_ref()
                .and_then(|region| names.get(unit)?.get(region))
                .map(|name| (*name).to_owned()),
        });
        let units = units.collect();
        let mut counted = HashSet::new();
        let held = keyed.iter().map(|(key, holding)| Held {
            holding,
            again: is_in_use(&holding.entry) && !counted.insert(key.as_str()),
            key: key.clone(),
            kind: match holding.entry.kind {
                TargetKind::AccountPage => TargetKind::Account,
                kind => kind,
            },
            unit: placed(&holding.entry).and_then(|unit| index.get(&unit).copied()),
            filing: words.filing(holding.entry.filing.as_deref()),
        });
        let held: Vec<Held<'_>> = held.collect();
        Roll { held, units, nameless, words, region_parts: vocabulary.region_parts }
    }

    /// Those of which a rule speaks and that are not closed, with their index.
    pub(super) fn open(&self, rule: &InventoryRule) -> impl Iterator<Item = (usize, &Held<'a>)> {
        self.held.iter().enumerate().filter(|(_, held)| rule.targets.contains(&held.kind) && held.is_open())
    }

    /// Apps in use, each once, with their index.
    pub(super) fn apps(&self) -> impl Iterator<Item = (usize, &Held<'a>)> {
        self.held.iter().enumerate().filter(|(_, held)| held.kind.scope() == Scope::App && held.counts())
    }

    /// The value of a field that is filled in.
    pub(super) fn filled<'e>(&self, value: Option<&'e str>) -> Option<&'e str> {
        self.words.filled(value)
    }

    /// The one name of a platform.
    pub(super) fn platform(&self, held: &Held<'_>) -> Option<String> {
        let written = spelling(self.filled(held.entry().platform.as_deref())?);
        Some(self.words.platforms.get(&written).map_or(written, |name| (*name).to_owned()))
    }

    /// A name without marks and additions.
    pub(super) fn bare_name(&self, held: &Held<'_>) -> String {
        self.words.bare_name(held.name())
    }

    /// The same of a name that is no holding's.
    pub(super) fn bare(&self, name: &str) -> String {
        self.words.bare_name(name)
    }

    /// The region within which functions are compared, as written; the roster may say it of the unit's other rows.
    pub(super) fn area(&self, held: &Held<'_>) -> Option<String> {
        let region = self.filled(held.entry().region.as_deref());
        let region = region.or_else(|| self.units[held.unit?].region.as_deref())?;
        let parts: Vec<String> =
            region.split(['/', '／']).map(|part| fold(part.trim())).filter(|part| !part.is_empty()).collect();
        let count = match self.region_parts {
            0 => parts.len(),
            most => most.min(parts.len()),
        };
        (count > 0).then(|| parts[..count].join("/"))
    }
}

/// Whether the roster does not say otherwise.
fn is_in_use(entry: &RosterEntry) -> bool {
    !matches!(entry.status, Some(RosterStatus::Closed | RosterStatus::Suspended))
}

/// Levels from the top; what the roster does not say comes last.
pub(super) fn rank(level: Option<OfficeLevel>) -> u8 {
    level.map_or(u8::MAX, |level| level as u8)
}

/// A name without marks, spaces and differences of writing.
fn spelling(name: &str) -> String {
    fold(name).chars().filter(|ch| ch.is_alphanumeric() || *ch == '/').collect()
}

/// 县人民政府办公室 and 县政府办公室 are one.
fn unit_name(name: &str) -> String {
    spelling(name).replace("人民", "")
}

/// The words of `rules/inventory.yaml`, folded.
struct Words<'a> {
    blanks: HashSet<String>,
    not_filing: Vec<(String, &'a NotFiling)>,
    platforms: HashMap<String, &'a str>,
    /// The longest first.
    suffixes: Vec<String>,
}

impl<'a> Words<'a> {
    fn new(vocabulary: &'a InventoryVocabulary) -> Self {
        let mut suffixes: Vec<String> =
            vocabulary.name_suffixes.iter().map(|suffix| spelling(suffix)).collect();
        suffixes.retain(|suffix| !suffix.is_empty());
        suffixes.sort_by_key(|suffix| std::cmp::Reverse(suffix.len()));
        let platforms = vocabulary.platforms.iter().flat_map(|(name, others)| {
            others.iter().chain([name]).map(move |other| (spelling(other), name.as_str()))
        });
        Words {
            blanks: vocabulary.blanks.iter().map(|blank| fold(blank)).collect(),
            not_filing: vocabulary.not_filing.iter().map(|other| (fold(&other.contains), other)).collect(),
            platforms: platforms.collect(),
            suffixes,
        }
    }

    fn filled<'e>(&self, value: Option<&'e str>) -> Option<&'e str> {
        let value = value?.trim();
        let folded = fold(value);
        (!folded.trim().is_empty() && !self.blanks.contains(&folded)).then_some(value)
    }

    fn filing(&self, value: Option<&'a str>) -> FilingState<'a> {
        let Some(value) = self.filled(value) else { return FilingState::Empty };
        let folded = fold(value);
        match self.not_filing.iter().find(|(contains, _)| folded.contains(contains.as_str())) {
            Some((_, other)) => FilingState::Other(value, other),
            None => FilingState::Number(value),
        }
    }

    fn bare_name(&self, name: &str) -> String {
        let mut bare = spelling(name);
        // 某市通客户端（新版）: one addition after the other, as long as a name is left.
        while let Some(rest) = self.suffixes.iter().find_map(|suffix| bare.strip_suffix(suffix.as_str()))
            && rest.chars().count() >= 2
        {
            bare.truncate(rest.len());
        }
        bare
    }
}
