//! Reports of scans to the rows of a roster: by the id of the platform, by address, by name.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;

use super::Holding;
use crate::model::{Identity, Listing, RosterEntry, Scope, Surface, Target};
use crate::text::fold;

/// What is read of a report (`zhijian.report/1`).
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Seen {
    /// The schema of the report.
    pub schema: String,
    /// What was scanned.
    pub target: Target,
    /// Who it says it is.
    pub identity: Identity,
    /// What a store lists of it.
    #[serde(default)]
    pub listing: Option<Listing>,
    /// What users meet in it; reports of older versions have none.
    #[serde(default)]
    pub surface: Option<Surface>,
}

/// Holdings, and reports that belong to none.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Joined {
    /// One for each entry, in their order.
    pub holdings: Vec<Holding>,
    /// Reports of apps that fit no entry or several, as they name themselves, sorted.
    pub unjoined: Vec<String>,
    /// Reports of apps without functions and fields.
    pub without_surface: usize,
    /// Reports that a later version of the same app stands for.
    pub replaced: usize,
    /// Reports of accounts and groups, of which nothing is compared here.
    pub other: usize,
}

/// Joins entries and reports. An id decides; an address or name only where it leads to one entry.
pub fn join(entries: Vec<RosterEntry>, reports: Vec<Seen>) -> Joined {
    let mut index: HashMap<(Scope, Handle), Vec<usize>> = HashMap::new();
    for (entry, at) in entries.iter().zip(0..) {
        let scope = entry.kind.scope();
        let handles = entry.id.as_deref().map(Handle::id).into_iter();
        let handles = handles.chain(entry.addresses.iter().map(|address| Handle::address(address)));
        for handle in handles.chain(entry.name.as_deref().map(Handle::name)) {
            index.entry((scope, handle)).or_default().push(at);
        }
    }
    let mut joined = Joined::default();
    let mut found: BTreeMap<usize, Vec<Seen>> = BTreeMap::new();
    for seen in reports {
        let scope = seen.target.kind.scope();
        if scope != Scope::App {
            joined.other += 1;
            continue;
        }
        if seen.surface.is_none() {
            joined.without_surface += 1;
        }
        let listing = seen.listing.as_ref();
        let id = seen.identity.id.as_deref().or(listing.and_then(|listing| listing.package.as_deref()));
        let name = seen.identity.name.as_deref();
        let handles = [
            id.map(Handle::id),
            Some(Handle::address(&seen.target.source)),
            listing.map(|listing| Handle::address(&listing.page)),
            name.map(Handle::name),
        ];
        let fits = |handle: Handle| {
            let rows = index.get(&(scope, handle))?;
            // The same target in two rows is told by a rule; what was seen belongs to both.
            let one = rows.iter().all(|row| entries[*row].key() == entries[rows[0]].key());
            let disagrees = |row: &usize| {
                entries[*row].id.as_deref().zip(id).is_some_and(|(a, b)| Handle::id(a) != Handle::id(b))
            };
            (one && !rows.iter().any(disagrees)).then_some(rows)
        };
        match handles.into_iter().flatten().find_map(fits) {
            Some(rows) => rows.iter().for_each(|row| found.entry(*row).or_default().push(seen.clone())),
            None => {
                let named = [name, id].into_iter().flatten().collect::<Vec<_>>().join(" ");
                joined.unjoined.push(format!("{named}  {}", seen.target.source).trim().to_owned());
            }
        }
    }
    joined.unjoined.sort();
    let mut surfaces: HashMap<usize, Surface> = HashMap::new();
    for (row, mut reports) in found {
        joined.replaced += reports.len() - 1;
        // The latest version; of several of one version the order is any, but the same in every run.
        reports.sort_by_cached_key(|seen| {
            (
                seen.identity.version_code,
                seen.surface.is_some(),
                seen.identity.version.clone(),
                format!("{:?}", seen.surface),
            )
        });
        if let Some(surface) = reports.pop().and_then(|seen| seen.surface) {
            surfaces.insert(row, surface);
        }
    }
    let holding =
        |(entry, at): (RosterEntry, usize)| Holding { surface: surfaces.remove(&at), ..Holding::from(entry) };
    joined.holdings = entries.into_iter().zip(0..).map(holding).collect();
    joined
}

/// By what a report and an entry are told to be of one target.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Handle {
    Id(String),
    Address(String),
    Name(String),
}

impl Handle {
    fn id(id: &str) -> Self {
        Handle::Id(fold(id.trim()))
    }

    fn address(address: &str) -> Self {
        Handle::Address(address.trim().trim_end_matches('/').to_owned())
    }

    fn name(name: &str) -> Self {
        Handle::Name(fold(name.trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TargetKind;

    fn entry(id: Option<&str>, name: &str, address: Option<&str>) -> RosterEntry {
        RosterEntry {
            id: id.map(str::to_owned),
            name: Some(name.into()),
            addresses: address.map(str::to_owned).into_iter().collect(),
            ..RosterEntry::new(TargetKind::App)
        }
    }

    fn report(id: Option<&str>, name: &str, source: &str, version: u64) -> Seen {
        let screen = crate::model::Shown { name: format!("v{version}"), label: None, screen: None };
        Seen {
            schema: crate::model::SCHEMA.into(),
            target: Target { kind: TargetKind::App, source: source.into() },
            identity: Identity {
                id: id.map(str::to_owned),
                name: Some(name.into()),
                version_code: Some(version),
                ..Identity::default()
            },
            listing: None,
            surface: Some(Surface { screens: vec![screen], ..Surface::default() }),
        }
    }

    fn seen(joined: &Joined) -> Vec<Option<String>> {
        let first = |surface: &Surface| surface.screens.first().map(|screen| screen.name.clone());
        joined.holdings.iter().map(|holding| holding.surface.as_ref().and_then(first)).collect()
    }

    #[test]
    fn the_id_decides_then_address_then_name() {
        let entries = vec![
            entry(Some("cn.gov.a"), "甲", None),
            entry(None, "乙", Some("https://b.example.gov.cn/b.apk")),
            entry(None, "丙", None),
            entry(Some("cn.gov.d"), "丁", None),
        ];
        let joined = join(
            entries,
            vec![
                report(Some("cn.gov.a"), "另一个名称", "a.apk", 1),
                report(Some("cn.gov.b"), "x", "https://b.example.gov.cn/b.apk", 2),
                report(Some("cn.gov.c"), "丙", "c.apk", 3),
                // The name of a row whose id is another: not that row.
                report(Some("cn.gov.other"), "丁", "d.apk", 4),
            ],
        );
        let expected = ["v1", "v2", "v3"].map(|version| Some(version.to_owned()));
        assert_eq!(seen(&joined)[..3], expected);
        assert_eq!(seen(&joined)[3], None);
        assert_eq!(joined.unjoined, ["丁 cn.gov.other  d.apk"]);
    }

    #[test]
    fn the_latest_version_counts_and_two_of_a_name_are_not_guessed() {
        let entries = vec![
            entry(Some("cn.gov.a"), "甲", None),
            entry(Some("cn.gov.b"), "同名", None),
            entry(Some("cn.gov.c"), "同名", None),
        ];
        let joined = join(
            entries,
            vec![
                report(Some("cn.gov.a"), "甲", "a2.apk", 9),
                report(Some("cn.gov.a"), "甲", "a1.apk", 8),
                report(None, "同名", "x.apk", 1),
            ],
        );
        assert_eq!(seen(&joined), [Some("v9".to_owned()), None, None]);
        assert_eq!((joined.replaced, joined.unjoined.len()), (1, 1));
    }
}
