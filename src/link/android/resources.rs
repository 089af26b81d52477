//! The resource tables of one app as one: those of the base package, of its configuration splits and of its features.

use std::borrow::Cow;
use std::sync::Arc;

use crate::decode::arsc::{self, ResValue, ResolvedText, Resource, Table, Value};

use super::layout::FileKind;

/// The tables, the base's first.
#[derive(Debug, Default)]
pub(crate) struct Resources<'a> {
    tables: Vec<Table<'a>>,
    origins: Vec<Origin>,
    /// Packages of features with the number of their type `id`.
    features: Vec<(u8, u8)>,
}

/// Where a table is from.
#[derive(Debug)]
struct Origin {
    /// Path of the table in places.
    path: Arc<str>,
    /// What stands before the paths it names: `split_config.zh.apk!`, `base/`.
    prefix: String,
}

impl<'a> Resources<'a> {
    /// Adds the table at `path`, which names files without `prefix`.
    pub(crate) fn add(&mut self, path: Arc<str>, prefix: String, table: Table<'a>) {
        let features = table.resources().filter(|r| r.id() >> 24 > 0x7F && r.type_name() == "id");
        for id in features.map(|resource| resource.id()) {
            let feature = ((id >> 24) as u8, (id >> 16) as u8);
            if self.features.last() != Some(&feature) {
                self.features.push(feature);
            }
        }
        self.tables.push(table);
        self.origins.push(Origin { path, prefix });
    }

    /// All resources of all tables, each once.
    pub(crate) fn all(&self) -> impl Iterator<Item = Resource<'_, 'a>> {
        self.tables.iter().enumerate().flat_map(|(index, table)| {
            let before = &self.tables[..index];
            table.resources().filter(move |r| before.iter().all(|table| table.resource(r.id()).is_none()))
        })
    }

    /// Packages that ids can be of: the app's own, the framework's, those of features.
    pub(crate) fn packages(&self) -> Vec<u8> {
        let own = self.tables.iter().flat_map(|table| table.packages());
        // A shared library's id, 0, is given when it is loaded; code holds no ids of it.
        let own = own.filter_map(|package| u8::try_from(package.id()).ok().filter(|id| *id > 1));
        let mut packages: Vec<u8> = own.chain([0x7F, 0x01]).collect();
        packages.sort_unstable();
        packages.dedup();
        packages
    }

    /// The resource with that id, from the first table that has a value for it.
    pub(crate) fn get(&self, id: u32) -> Option<Resource<'_, 'a>> {
        let get = |id| self.tables.iter().find_map(|table| table.resource(id));
        get(id).or_else(|| get(self.widget_of_feature(id)?))
    }

    /// For Android before 8, which takes no widget ids of packages above 0x7f, aapt2 puts the package of a feature
    /// where the type is: `0x80010003` is written `0x7f800003` in layouts (seen in its output).
    fn widget_of_feature(&self, id: u32) -> Option<u32> {
        let package = (id >> 16) as u8;
        let (_, kind) = self.features.iter().find(|(feature, _)| id >> 24 == 0x7F && *feature == package)?;
        Some(u32::from(package) << 24 | u32::from(*kind) << 16 | id & 0xFFFF)
    }

    /// The id of the resource of that type and name.
    pub(crate) fn find(&self, type_name: &str, name: &str) -> Option<u32> {
        self.tables.iter().find_map(|table| table.find(type_name, name))
    }

    /// Every text that a reference to `id` can resolve to, in every table and configuration.
    pub(crate) fn strings(&self, id: u32) -> Vec<ResolvedText<'a>> {
        arsc::strings(&self.tables, id)
    }

    /// Path of the table that holds a text.
    pub(crate) fn path(&self, text: &ResolvedText<'_>) -> Arc<str> {
        self.origins.get(text.table).map_or_else(|| Arc::from(""), |origin| origin.path.clone())
    }

    /// Whether a reference to the resource shows text.
    pub(crate) fn is_text(&self, id: u32) -> bool {
        self.get(id).is_some_and(|resource| matches!(resource.type_name(), "string" | "array" | "plurals"))
    }

    /// The files of one resource, in every configuration.
    pub(crate) fn paths(&self, id: u32) -> Vec<String> {
        let tables = self.tables.iter().zip(&self.origins);
        let found = tables.filter_map(|(table, origin)| Some((table.resource(id)?, origin)));
        found
            .flat_map(|(resource, origin)| {
                let paths = resource.values().filter_map(|value| match value.value {
                    ResValue::Item(Value::String(path)) => Some(format!("{}{path}", origin.prefix)),
                    _ => None,
                });
                paths.collect::<Vec<_>>()
            })
            .collect()
    }

    /// Files that can hold text of the interface: their resource, kind and path.
    pub(crate) fn files(&self) -> impl Iterator<Item = (u32, FileKind, Cow<'a, str>)> {
        self.tables.iter().zip(&self.origins).flat_map(|(table, origin)| {
            let kinds = table.resources().filter_map(|r| Some((FileKind::of_type(r.type_name())?, r)));
            kinds.flat_map(move |(kind, resource)| {
                let id = resource.id();
                resource.values().filter_map(move |value| match value.value {
                    ResValue::Item(Value::String(path)) if origin.prefix.is_empty() => Some((id, kind, path)),
                    ResValue::Item(Value::String(path)) => {
                        Some((id, kind, Cow::Owned(format!("{}{path}", origin.prefix))))
                    }
                    _ => None,
                })
            })
        })
    }
}
