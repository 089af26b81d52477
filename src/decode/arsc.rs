//! Android's compiled resource table, `resources.arsc` (`ResTable_header` in `androidfw/ResourceTypes.h`).
//!
//! Values and names are decoded when they are asked for. Parsing makes one index of all entries, sorted by id.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::OnceLock;

pub use super::res_chunk::Value;

use super::Issue;
use super::res_chunk::{Chunk, ChunkError, Issues, RawValue, u16_at, u32_at};
use super::string_pool::StringPool;

/// Why nothing could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArscError {
    /// Not a resource table.
    #[error("not a resource table")]
    NotTable,
    /// A table in which no package could be found.
    #[error("a resource table without any package")]
    NoPackage,
}

/// A configuration that a value is for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Config {
    /// BCP 47 tag: `zh-CN`, `zh-Hant-TW`, `sr-Latn`; `None` for every language.
    pub locale: Option<String>,
    /// All qualifiers, as in a resource directory's name: `zh-rCN-land-v21`; empty for the default.
    pub qualifiers: String,
}

/// A package of a table.
#[derive(Debug, Clone)]
pub struct Package<'a> {
    id: u32,
    name: String,
    /// Offset of its chunk.
    offset: usize,
    type_names: StringPool<'a>,
    keys: StringPool<'a>,
}

impl Package<'_> {
    /// Id: 0x7f for an app, 0x01 for the framework, 0 for a shared library.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Name: `com.example.app`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Byte offset of its chunk.
    pub fn offset(&self) -> u64 {
        self.offset as u64
    }
}

/// A resource table.
#[derive(Debug)]
pub struct Table<'a> {
    bytes: &'a [u8],
    strings: StringPool<'a>,
    packages: Vec<Package<'a>>,
    configs: Vec<Config>,
    /// Names of types, each once.
    type_names: Vec<String>,
    chunks: Vec<TypeChunk>,
    /// All values in the order of their resource ids.
    entries: Vec<Entry>,
    by_name: OnceLock<HashMap<(u32, Cow<'a, str>), u32>>,
    /// Longest text given out, in stored bytes.
    limit: usize,
    /// Most items of a bag given out.
    bag_limit: usize,
}

/// One type in one configuration.
#[derive(Debug)]
struct TypeChunk {
    package: u32,
    /// Index in `Table::configs`.
    config: u32,
    /// Index in `Table::type_names`.
    type_name: u32,
}

/// One value of one resource.
#[derive(Debug, Clone, Copy)]
struct Entry {
    id: u32,
    /// Index in `Table::chunks`.
    chunk: u32,
    /// Offset in the file.
    offset: u32,
}

impl<'a> Table<'a> {
    /// Reads a table. Keeps what it has when the rest is broken; fails when there is no package.
    pub fn parse(_bytes: &'a [u8]) -> Result<(Table<'a>, Vec<Issue>), ArscError> {
        Err(ArscError::NotTable)
    }

    /// The packages in file order.
    pub fn packages(&self) -> &[Package<'a>] {
        &self.packages
    }

    /// All resources that have a value, in the order of their ids.
    pub fn resources(&self) -> impl Iterator<Item = Resource<'_, 'a>> {
        let mut rest = 0..0;
        std::iter::from_fn(move || {
            rest.start = rest.end;
            let id = self.entries.get(rest.start)?.id;
            rest.end += self.entries[rest.start..].iter().take_while(|entry| entry.id == id).count();
            Some(Resource { table: self, id, entries: rest.clone() })
        })
    }

    /// The resource with that id, if it has a value.
    pub fn resource(&self, id: u32) -> Option<Resource<'_, 'a>> {
        let start = self.entries.partition_point(|entry| entry.id < id);
        let count = self.entries[start..].iter().take_while(|entry| entry.id == id).count();
        (count > 0).then_some(Resource { table: self, id, entries: start..start + count })
    }

    /// The id of the resource of that type and name; the lowest where several have it.
    pub fn find(&self, type_name: &str, name: &str) -> Option<u32> {
        let _ = (type_name, name);
        None
    }

    /// Every text that a reference to `id` can resolve to, in every configuration. Follows references, and goes
    /// into arrays and plurals.
    pub fn strings(&self, id: u32) -> Vec<ResolvedText<'a>> {
        let _ = id;
        Vec::new()
    }

    /// References that lead back to where they started, each circle once: `arsc.cyclic-reference`.
    pub fn cyclic_references(&self) -> Vec<Issue> {
        Vec::new()
    }
}

/// A text that a reference resolves to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedText<'a> {
    /// BCP 47 tag of the configuration it is for; where a reference was followed, the nearest one that has a locale.
    pub locale: Option<String>,
    /// The text.
    pub text: Cow<'a, str>,
    /// Resource ids on the way, the one asked for first, the one that holds the text last.
    pub trail: Vec<u32>,
    /// Byte offset of the value that holds the text.
    pub offset: u64,
}

/// One resource with its values.
#[derive(Debug, Clone)]
pub struct Resource<'t, 'a> {
    table: &'t Table<'a>,
    id: u32,
    entries: Range<usize>,
}

impl<'t, 'a> Resource<'t, 'a> {
    /// Id: `0x7f0a0001`.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Type: `string`, `layout`; empty where the file has no name for it.
    pub fn type_name(&self) -> &'t str {
        ""
    }

    /// Name: `patrol_punch`; may mean nothing and may be shared by many in an obfuscated app.
    pub fn name(&self) -> Cow<'a, str> {
        Cow::Borrowed("")
    }

    /// Package it is in.
    pub fn package(&self) -> Option<&'t Package<'a>> {
        None
    }

    /// Its values, one for each configuration, in file order.
    pub fn values(&self) -> impl ExactSizeIterator<Item = ConfigValue<'t, 'a>> + use<'t, 'a> {
        std::iter::empty()
    }
}

/// The value of a resource in one configuration.
#[derive(Debug, Clone)]
pub struct ConfigValue<'t, 'a> {
    /// The configuration.
    pub config: &'t Config,
    /// The value.
    pub value: ResValue<'t, 'a>,
    /// Byte offset of the entry.
    pub offset: u64,
}

/// A single value, or a bag of them.
#[derive(Debug, Clone)]
pub enum ResValue<'t, 'a> {
    /// One value.
    Item(Value<'a>),
    /// Array, plurals, style, attribute declaration.
    Bag(Bag<'t, 'a>),
}

/// A list of values with keys.
#[derive(Debug, Clone)]
pub struct Bag<'t, 'a> {
    table: &'t Table<'a>,
    parent: u32,
    /// Offset of the first item.
    at: usize,
    count: usize,
}

impl<'t, 'a> Bag<'t, 'a> {
    /// Parent of a style; zero for none.
    pub fn parent(&self) -> u32 {
        self.parent
    }

    /// Its items in file order.
    pub fn items(&self) -> impl Iterator<Item = BagItem<'a>> + use<'t, 'a> {
        std::iter::empty()
    }
}

/// One item of a bag.
#[derive(Debug, Clone, PartialEq)]
pub struct BagItem<'a> {
    /// Attribute id of a style's item, [`ARRAY_KEY`] plus place of an array's, [`PLURAL_KEYS`] of a plural's.
    pub key: u32,
    /// The value.
    pub value: Value<'a>,
    /// Byte offset of the item.
    pub offset: u64,
}

/// Key of the first item of an array; the next has the next number.
pub const ARRAY_KEY: u32 = 0x0200_0000;

/// Keys of plurals: `other`, `zero`, `one`, `two`, `few`, `many`.
pub const PLURAL_KEYS: Range<u32> = 0x0100_0004..0x0100_000A;
