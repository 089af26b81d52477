//! What a re-import of the roster would change: a pure function of what is on record and of the new roster.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::column::Column;
use super::list::Roster;
use crate::model::{Lang, RosterEntry};

/// What changes between what is on record and a new roster. Everything is in the order of the keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change {
    /// Targets that are new, by key.
    pub added: BTreeMap<String, RosterEntry>,
    /// Targets of which the roster says something else now.
    pub changed: Vec<Changed>,
    /// Targets that the roster no longer has, by key.
    pub removed: BTreeMap<String, RosterEntry>,
    /// Targets that the new roster may still have: in a row that could not be read. They stay as they are. Where rows
    /// do not even show their target, nothing is removed.
    pub unread: BTreeSet<String>,
    /// Removed and added keys that seem to mean the same target.
    pub renamed: Vec<(String, String)>,
    /// Targets of which the roster says the same as before.
    pub unchanged: usize,
}

/// A target of which the roster says something else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Changed {
    /// Its key.
    pub key: String,
    /// The columns in which it is different, in their order.
    pub columns: Vec<Column>,
    /// What is on record.
    pub before: RosterEntry,
    /// What the roster says now.
    pub entry: RosterEntry,
}

impl Changed {
    /// Column, what it said and what it says, in the words of a language.
    pub fn edits(&self, lang: Lang) -> impl Iterator<Item = (Column, Option<String>, Option<String>)> {
        let of = move |column: &Column| {
            (*column, said(*column, &self.before, lang), said(*column, &self.entry, lang))
        };
        self.columns.iter().map(of)
    }
}

impl Change {
    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.changed.is_empty() && self.removed.is_empty()
    }

    /// The rows to be enrolled, with their keys: those added and those changed.
    pub fn to_enrol(&self) -> impl Iterator<Item = (&str, &RosterEntry)> {
        let added = self.added.iter().map(|(key, entry)| (key.as_str(), entry));
        added.chain(self.changed.iter().map(|changed| (changed.key.as_str(), &changed.entry)))
    }

    /// The keys to be struck.
    pub fn to_strike(&self) -> impl Iterator<Item = &str> {
        self.removed.keys().map(String::as_str)
    }
}

/// Compares what is on record, by key, with a new roster.
pub fn change(old: &BTreeMap<String, RosterEntry>, new: &Roster) -> Change {
    let mut change = Change::default();
    let mut there = BTreeSet::new();
    for entry in new.rows.iter().map(|row| &row.entry) {
        let Some(key) = entry.key() else { continue };
        there.insert(key.clone());
        match old.get(&key) {
            None => {
                change.added.insert(key, entry.clone());
            }
            Some(before) => {
                let differs =
                    |column: &Column| said(*column, before, Lang::Zh) != said(*column, entry, Lang::Zh);
                let columns: Vec<Column> = Column::ALL.into_iter().filter(differs).collect();
                match columns.is_empty() {
                    true => change.unchanged += 1,
                    false => {
                        let (before, entry) = (before.clone(), entry.clone());
                        change.changed.push(Changed { key, columns, before, entry });
                    }
                }
            }
        }
    }
    for (key, entry) in old.iter().filter(|(key, _)| !there.contains(*key)) {
        match new.illegible || new.unread.contains(key) {
            true => drop(change.unread.insert(key.clone())),
            false => drop(change.removed.insert(key.clone(), entry.clone())),
        }
    }
    change.changed.sort_by(|a, b| a.key.cmp(&b.key));
    change.renamed = renamed(&change);
    change
}

/// What an entry says in a column.
fn said(column: Column, entry: &RosterEntry, lang: Lang) -> Option<String> {
    let answer = |yes: bool| match yes {
        true => lang.pick("是", "yes").to_owned(),
        false => lang.pick("否", "no").to_owned(),
    };
    match column {
        Column::Kind => Some(lang.pick(entry.kind.zh(), entry.kind.en()).to_owned()),
        Column::Id => entry.id.clone(),
        Column::Name => entry.name.clone(),
        Column::Owner => entry.owner.clone(),
        Column::Level => entry.level.map(|level| lang.pick(level.zh(), level.en()).to_owned()),
        Column::Region => entry.region.clone(),
        Column::Audience => entry.audience.map(|audience| lang.pick(audience.zh(), audience.en()).to_owned()),
        Column::Grassroots => entry.grassroots.map(answer),
        Column::Platform => entry.platform.clone(),
        Column::Filing => entry.filing.clone(),
        Column::Icp => entry.icp.clone(),
        Column::Licence => entry.licence.clone(),
        Column::Publishes => entry.publishes.map(answer),
        Column::Address => (!entry.addresses.is_empty()).then(|| entry.addresses.join("\n")),
        Column::Contact => entry.contact.clone(),
        Column::Status => entry.status.map(|status| lang.pick(status.zh(), status.en()).to_owned()),
    }
}

/// Pairs of a target that is gone and one that is new, of one kind, that share the owner and the name, or an address:
/// most often an id that was filled in.
fn renamed(change: &Change) -> Vec<(String, String)> {
    let traits = |entry: &RosterEntry| {
        let named = RosterEntry { id: None, platform: None, ..entry.clone() };
        let named = entry.owner.as_ref().and_then(|_| named.key());
        let placed = entry.addresses.iter().map(|address| format!("{:?} {address}", entry.kind));
        named.into_iter().chain(placed).collect::<Vec<_>>()
    };
    let mut gone: BTreeMap<String, &String> = BTreeMap::new();
    for (key, entry) in &change.removed {
        gone.extend(traits(entry).into_iter().map(|one| (one, key)));
    }
    let same = |(key, entry)| {
        Some((traits(entry).iter().find_map(|one| gone.get(one))?.to_string(), String::clone(key)))
    };
    change.added.iter().filter_map(same).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::column::Layout;
    use super::*;

    fn roster(text: &str) -> Roster {
        Roster::parse(text.as_bytes(), Path::new(""), &Layout::default()).unwrap()
    }

    fn on_record(text: &str) -> BTreeMap<String, RosterEntry> {
        roster(text).rows.into_iter().map(|row| (row.entry.key().unwrap(), row.entry)).collect()
    }

    const OLD: &str = "类型,标识,名称,主办单位,层级,备案编号,状态\n应用,cn.gov.a,甲,某局,县级,,\n应用,cn.gov.b,乙,某局,市级,备1,\n\
                       应用,cn.gov.c,丙,某局,,,\n账号,,丁,某局,,,\n应用,cn.gov.e,戊,某局,,,\n";
    const NEW: &str = "类型,标识,名称,主办单位,层级,备案编号,状态\n应用,cn.gov.a,甲,某局,市级,备9,\n应用,cn.gov.b,乙,某局,市级,备1,\n\
                       账号,gh_0123456789ab,丁,某局,,,\n应用,cn.gov.e,戊,某局,村级,,\n应用,cn.gov.f,己,某局,,,\n";

    #[test]
    fn a_change_says_what_how_and_what_it_does_not_know() {
        let change = change(&on_record(OLD), &roster(NEW));
        assert_eq!(change.unchanged, 1);
        let edits: Vec<_> = change.changed[0].edits(Lang::En).collect();
        let expected = [
            (Column::Level, Some("county".to_owned()), Some("city".to_owned())),
            (Column::Filing, None, Some("备9".to_owned())),
        ];
        assert_eq!(edits, expected);
        assert_eq!(change.added.keys().collect::<Vec<_>>(), ["account:gh_0123456789ab", "app:cn.gov.f"]);
        assert_eq!(change.to_strike().collect::<Vec<_>>(), ["account:某局/丁", "app:cn.gov.c"]);
        assert_eq!(
            change.unread,
            BTreeSet::from(["app:cn.gov.e".to_owned()]),
            "a row that cannot be read strikes nothing"
        );
        assert_eq!(change.renamed, [("account:某局/丁".to_owned(), "account:gh_0123456789ab".to_owned())]);
        assert_eq!(
            change.to_enrol().map(|(key, _)| key).collect::<Vec<_>>(),
            ["account:gh_0123456789ab", "app:cn.gov.f", "app:cn.gov.a"]
        );
    }

    #[test]
    fn what_cannot_be_read_at_all_strikes_nothing() {
        let head = OLD.lines().next().unwrap();
        for row in [
            "应用,cn.gov.a,甲,某局,县级,,,多一列",
            "应用,,,,,,",
            "应用,#N/A,甲,某局,县级,,",
            "应用,\"cn.gov.a,甲\n应用,b,\n应用,c,",
        ] {
            let change = change(&on_record(OLD), &roster(&format!("{head}\n{row}\n")));
            assert!(change.removed.is_empty(), "{row}");
            assert_eq!(change.unread.len(), 5, "{row}");
        }
    }

    #[test]
    fn the_same_roster_changes_nothing() {
        let change = change(&on_record(OLD), &roster(OLD));
        assert!(change.is_empty());
        assert_eq!(change.unchanged, 5);
    }
}
