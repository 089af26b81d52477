//! Android's compiled resource table, `resources.arsc` (`ResTable_header` in `androidfw/ResourceTypes.h`).
//!
//! Values and names are decoded when they are asked for. Parsing makes one index of all entries, sorted by id.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

pub use super::res_chunk::Value;

use super::res_chunk::{Chunk, Issues, RawValue, Walk, u16_at, u32_at};
use super::string_pool::StringPool;
use super::{Decoder, Issue, Limit, Unit};

/// What this file reads.
pub const DECODER: Decoder = Decoder {
    name: "arsc",
    version: 1,
    reads: ("Android 资源表 resources.arsc", "Android resource tables, resources.arsc"),
    limits: &[Limit {
        what: ("引用层数", "levels of reference"),
        amount: MAX_DEPTH as u64,
        unit: Unit::Count,
    }],
};

/// Why nothing could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ArscError {
    /// Not a resource table.
    #[error("not a resource table")]
    NotTable,
    /// A table that claims packages, none of which could be found.
    #[error("a resource table whose packages cannot be found")]
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
    /// (index in `type_names`, name) to id.
    by_name: OnceLock<HashMap<(usize, Cow<'a, str>), u32>>,
    limits: Limits,
}

/// Entries may share values and values may share strings: these keep what a table gives out in proportion to its size.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Longest text in stored bytes.
    text: usize,
    /// Most items of a bag.
    items: usize,
}

/// One type in one configuration.
#[derive(Debug)]
struct TypeChunk {
    package: usize,
    /// Index in `Table::configs`.
    config: usize,
    /// Index in `Table::type_names`.
    type_name: usize,
    /// Offset behind the chunk.
    end: usize,
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

/// `ResTable_entry` and what it leads to.
#[derive(Debug, Clone, Copy)]
struct RawEntry {
    /// Index of the name in the package's keys.
    key: u32,
    body: RawBody,
}

#[derive(Debug, Clone, Copy)]
enum RawBody {
    Item(RawValue),
    Bag {
        parent: u32,
        /// Offset of the first item.
        at: usize,
        /// Items there is room for.
        count: usize,
        /// Items the entry claims.
        claimed: usize,
    },
}

impl RawEntry {
    /// Reads the entry at `at`, of a chunk that ends at `end`.
    ///
    /// Plain: size (u16), flags (u16), key (u32), then behind `size` bytes a value; complex: parent (u32), count (u32),
    /// then items. Compact: key (u16), flags with the type in the high byte (u16), data (u32).
    fn at(bytes: &[u8], at: usize, end: usize) -> Option<RawEntry> {
        let bytes = bytes.get(..end)?;
        let (first, flags, second) = (u16_at(bytes, at)?, u16_at(bytes, at + 2)?, u32_at(bytes, at + 4)?);
        if flags & COMPACT_ENTRY != 0 {
            let value = RawValue { data_type: (flags >> 8) as u8, data: second };
            return Some(RawEntry { key: u32::from(first), body: RawBody::Item(value) });
        }
        let size = usize::from(first);
        let body = if flags & COMPLEX_ENTRY == 0 {
            RawBody::Item(RawValue::at(bytes, at + size.max(8))?)
        } else {
            let (parent, claimed) = (u32_at(bytes, at + 8)?, u32_at(bytes, at + 12)? as usize);
            let at = at + size.max(16);
            let room = end.saturating_sub(at) / ITEM_SIZE;
            RawBody::Bag { parent, at, count: claimed.min(room), claimed }
        };
        Some(RawEntry { key: second, body })
    }
}

/// `ResTable_type.flags`: pairs of index and offset instead of an offset for every index.
const SPARSE_TYPE: u8 = 0x01;
/// `ResTable_type.flags`: offsets of 16 bits, in units of four bytes.
const OFFSET16_TYPE: u8 = 0x02;
/// `ResTable_entry.flags`: a bag.
const COMPLEX_ENTRY: u16 = 0x0001;
/// `ResTable_entry.flags`: key, type and data in eight bytes.
const COMPACT_ENTRY: u16 = 0x0008;
/// `sizeof(ResTable_map)`: key (u32), value.
const ITEM_SIZE: usize = 12;
/// Key of the first item of an attribute declaration.
const ATTRIBUTE_FORMAT: u32 = 0x0100_0000;
/// Longest name of a type or a resource given out, in stored bytes.
const NAME_LIMIT: usize = 1024;
/// References followed in a row, as many as Android follows.
const MAX_DEPTH: u32 = 20;
/// References followed for one question.
const MAX_REFERENCES: usize = 4096;

const PACKAGE: u16 = 0x0200;
const TYPE: u16 = 0x0201;
/// Flags of all entries of a type, libraries, overlayables and their policies, aliases of staged ids: no values.
const WITHOUT_VALUES: [u16; 5] = [0x0202, 0x0203, 0x0204, 0x0205, 0x0206];

impl<'a> Table<'a> {
    /// Reads a table. Keeps what it has when the rest is broken; fails when its packages cannot be found.
    pub fn parse(bytes: &'a [u8]) -> Result<(Table<'a>, Vec<Issue>), ArscError> {
        let mut reader = Reader::new(bytes);
        reader.file()?;
        reader.finish()
    }

    /// The packages in file order.
    pub fn packages(&self) -> &[Package<'a>] {
        &self.packages
    }

    /// All resources that have a value, in the order of their ids.
    pub fn resources(&self) -> impl Iterator<Item = Resource<'_, 'a>> {
        self.entries
            .chunk_by(|a, b| a.id == b.id)
            .filter_map(|entries| Some(Resource { table: self, id: entries.first()?.id, entries }))
    }

    /// The resource with that id, if it has a value.
    pub fn resource(&self, id: u32) -> Option<Resource<'_, 'a>> {
        let entries = self.entries_of(id);
        (!entries.is_empty()).then_some(Resource { table: self, id, entries })
    }

    /// The id of the resource of that type and name; the lowest where several have it.
    pub fn find(&self, type_name: &str, name: &str) -> Option<u32> {
        let kind = self.type_names.iter().position(|known| known == type_name)?;
        let by_name = self.by_name.get_or_init(|| {
            let mut map = HashMap::with_capacity(self.entries.len() / 2);
            for resource in self.resources() {
                if let Some(chunk) = resource.chunk() {
                    map.entry((chunk.type_name, resource.name())).or_insert(resource.id);
                }
            }
            map
        });
        by_name.get(&(kind, Cow::Borrowed(name))).copied()
    }

    /// Every text that a reference to `id` can resolve to; see [`strings`].
    pub fn strings(&self, id: u32) -> Vec<ResolvedText<'a>> {
        strings(std::slice::from_ref(self), id)
    }

    fn entries_of(&self, id: u32) -> &[Entry] {
        let start = self.entries.partition_point(|entry| entry.id < id);
        let rest = self.entries.get(start..).unwrap_or_default();
        rest.get(..rest.iter().take_while(|entry| entry.id == id).count()).unwrap_or_default()
    }

    fn read(&self, entry: &Entry) -> Option<(&Config, RawEntry)> {
        let chunk = self.chunks.get(entry.chunk as usize)?;
        let raw = RawEntry::at(self.bytes, entry.offset as usize, chunk.end)?;
        Some((self.configs.get(chunk.config)?, raw))
    }
}

/// Every text that a reference to `id` can resolve to in the tables of one app, in every configuration, the nearest
/// first. Follows references from table to table (20 in a row, as Android does; 4,096 at all) and goes into the items
/// of arrays and plurals.
pub fn strings<'a>(tables: &[Table<'a>], id: u32) -> Vec<ResolvedText<'a>> {
    let mut texts = Vec::new();
    let mut steps = vec![Step { id, locale: None, from: None, depth: 0 }];
    let mut seen = HashSet::from([id]);
    let mut at = 0;
    while let Some(&step) = steps.get(at) {
        for (index, table) in tables.iter().enumerate() {
            for entry in table.entries_of(step.id) {
                let Some((config, raw)) = table.read(entry) else { continue };
                let locale = config.locale.as_ref().or(step.locale);
                let mut visit = |value: RawValue, offset: usize| {
                    if value.data_type == RawValue::STRING {
                        if let Some(text) = table.strings.get_capped(value.data, table.limits.text) {
                            texts.push(ResolvedText {
                                locale: locale.cloned(),
                                text,
                                trail: trail(&steps, at),
                                table: index,
                                offset: offset as u64,
                            });
                        }
                    } else if let Some(id) = value.reference()
                        && step.depth < MAX_DEPTH
                        && steps.len() < MAX_REFERENCES
                        && seen.insert(id)
                    {
                        steps.push(Step { id, locale, from: Some(at), depth: step.depth + 1 });
                    }
                };
                match raw.body {
                    RawBody::Item(value) => visit(value, entry.offset as usize),
                    RawBody::Bag { at, count, .. } => {
                        for (key, value, offset) in raw_items(table.bytes, at, count.min(table.limits.items))
                        {
                            if is_element_key(key) {
                                visit(value, offset);
                            }
                        }
                    }
                }
            }
        }
        at += 1;
    }
    texts
}

/// A resource on the way from the one asked for.
#[derive(Clone, Copy)]
struct Step<'t> {
    id: u32,
    locale: Option<&'t String>,
    /// Index of the step that led here.
    from: Option<usize>,
    depth: u32,
}

fn trail(steps: &[Step<'_>], at: usize) -> Vec<u32> {
    let mut trail: Vec<u32> =
        std::iter::successors(steps.get(at), |step| steps.get(step.from?)).map(|step| step.id).collect();
    trail.reverse();
    trail
}

/// Key, value and offset of the items of a bag.
fn raw_items(bytes: &[u8], at: usize, count: usize) -> impl Iterator<Item = (u32, RawValue, usize)> {
    let items = bytes.get(at..at + count * ITEM_SIZE).unwrap_or_default();
    items
        .chunks_exact(ITEM_SIZE)
        .enumerate()
        .filter_map(move |(nth, item)| Some((u32_at(item, 0)?, RawValue::at(item, 4)?, at + nth * ITEM_SIZE)))
}

/// The key of an item of an array or plurals, rather than of a style: aapt2 counts the items of an array from
/// 0x01000001, aapt from 0x02000000; the quantities of plurals are 0x01000004 to 0x01000009. An attribute declaration
/// has keys of that range too, but no text and no reference under them.
fn is_element_key(key: u32) -> bool {
    matches!(key >> 16, 0x0100 | 0x0200) && key != ATTRIBUTE_FORMAT
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
    /// Index of the table that holds the text.
    pub table: usize,
    /// Byte offset in it of the value that holds the text.
    pub offset: u64,
}

/// One resource with its values.
#[derive(Debug, Clone)]
pub struct Resource<'t, 'a> {
    table: &'t Table<'a>,
    id: u32,
    entries: &'t [Entry],
}

impl<'t, 'a> Resource<'t, 'a> {
    /// Id: `0x7f0a0001`.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Type: `string`, `layout`; empty where the file has no name for it.
    pub fn type_name(&self) -> &'t str {
        let name = self.chunk().and_then(|chunk| self.table.type_names.get(chunk.type_name));
        name.map_or("", String::as_str)
    }

    /// Name: `patrol_punch`; means nothing and is shared by many in some obfuscated apps, empty where the file has none.
    pub fn name(&self) -> Cow<'a, str> {
        let key = self.entries.iter().find_map(|entry| self.table.read(entry)).map(|(_, raw)| raw.key);
        let keys = self.package().map(|package| &package.keys);
        key.zip(keys).and_then(|(key, keys)| keys.get_capped(key, NAME_LIMIT)).unwrap_or_default()
    }

    /// Package it is in.
    pub fn package(&self) -> Option<&'t Package<'a>> {
        self.table.packages.get(self.chunk()?.package)
    }

    /// Its values, one for each configuration, in file order.
    pub fn values(&self) -> impl Iterator<Item = ConfigValue<'t, 'a>> + use<'t, 'a> {
        let table = self.table;
        self.entries.iter().filter_map(move |entry| {
            let (config, raw) = table.read(entry)?;
            let value = match raw.body {
                RawBody::Item(value) => ResValue::Item(Value::read(value, &table.strings, table.limits.text)),
                RawBody::Bag { parent, at, count, .. } => {
                    ResValue::Bag(Bag { table, parent, at, count: count.min(table.limits.items) })
                }
            };
            Some(ConfigValue { config, value, offset: u64::from(entry.offset) })
        })
    }

    fn chunk(&self) -> Option<&'t TypeChunk> {
        self.table.chunks.get(self.entries.first()?.chunk as usize)
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
        let table = self.table;
        raw_items(table.bytes, self.at, self.count).map(|(key, value, offset)| BagItem {
            key,
            value: Value::read(value, &table.strings, table.limits.text),
            offset: offset as u64,
        })
    }

    /// Array or plurals: a reference to it shows its items.
    pub fn is_list(&self) -> bool {
        raw_items(self.table.bytes, self.at, self.count).next().is_some_and(|(key, ..)| is_element_key(key))
    }
}

/// One item of a bag.
#[derive(Debug, Clone, PartialEq)]
pub struct BagItem<'a> {
    /// Attribute id of a style's item; quantity of a plural's (0x01000004 to 0x01000009: other, zero, one, two, few,
    /// many); place of an array's, behind 0x01000001 or 0x02000000.
    pub key: u32,
    /// The value.
    pub value: Value<'a>,
    /// Byte offset of the item.
    pub offset: u64,
}

/// Builds a table from its chunks.
struct Reader<'a> {
    table: Table<'a>,
    has_strings: bool,
    /// Packages that the heads of the tables claim.
    claimed_packages: usize,
    config_index: HashMap<&'a [u8], usize>,
    /// References from resource to resource.
    edges: Vec<(u32, u32)>,
    values: usize,
    stored_text: usize,
    bags: usize,
    items: usize,
    issues: Issues,
}

/// A package while its chunks are read.
struct OpenPackage {
    index: usize,
    id: u8,
    type_id_offset: u32,
    /// Type ids to indices in `Table::type_names`.
    type_names: HashMap<u8, usize>,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        let mut issues = Issues::default();
        let end = bytes.len().min(u32::MAX as usize);
        if end < bytes.len() {
            issues.lossy("arsc.too-large", end, || format!("{} bytes, read up to {end}", bytes.len()));
        }
        Reader {
            table: Table {
                bytes: &bytes[..end],
                strings: StringPool::default(),
                packages: Vec::new(),
                configs: Vec::new(),
                type_names: Vec::new(),
                chunks: Vec::new(),
                entries: Vec::new(),
                by_name: OnceLock::new(),
                limits: Limits { text: usize::MAX, items: usize::MAX },
            },
            has_strings: false,
            claimed_packages: 0,
            config_index: HashMap::new(),
            edges: Vec::new(),
            values: 0,
            stored_text: 0,
            bags: 0,
            items: 0,
            issues,
        }
    }

    /// The tables of the file: one, but Android reads on, and passes over what stands before and between.
    fn file(&mut self) -> Result<(), ArscError> {
        let bytes = self.table.bytes;
        let mut walk =
            Walk { at: 0, end: bytes.len(), bad_size: "arsc.bad-chunk-size", trailing: "arsc.trailing-data" };
        let mut tables = 0;
        while let Some(chunk) = walk.next(bytes, &mut self.issues) {
            if chunk.kind == Chunk::TABLE {
                tables += 1;
                self.table(chunk);
            } else {
                self.unknown(chunk);
            }
        }
        if tables == 0 { Err(ArscError::NotTable) } else { Ok(()) }
    }

    fn unknown(&mut self, chunk: Chunk) {
        let size = chunk.end - chunk.start;
        self.issues
            .odd("arsc.unknown-chunk", chunk.start, || format!("chunk {:#06x} of {size} bytes", chunk.kind));
    }

    fn table(&mut self, table: Chunk) {
        let bytes = self.table.bytes;
        let claimed = u32_at(bytes, table.start + 8).unwrap_or(1) as usize;
        self.claimed_packages = self.claimed_packages.saturating_add(claimed);
        let before = self.table.packages.len();
        let mut walk = Walk {
            at: table.body,
            end: table.end,
            bad_size: "arsc.bad-chunk-size",
            trailing: "arsc.trailing-data",
        };
        while let Some(chunk) = walk.next(bytes, &mut self.issues) {
            match chunk.kind {
                // Android takes the first one.
                Chunk::STRING_POOL if !self.has_strings => {
                    self.has_strings = true;
                    self.table.strings = StringPool::parse(bytes, chunk, &mut self.issues);
                }
                Chunk::STRING_POOL => {
                    self.issues.odd("arsc.several-pools", chunk.start, || {
                        "another string pool has no effect".into()
                    });
                }
                PACKAGE => self.package(chunk),
                _ => self.unknown(chunk),
            }
        }
        let found = self.table.packages.len() - before;
        if claimed != found {
            self.issues.odd("arsc.package-count", table.start, || {
                format!("{claimed} packages claimed, {found} found")
            });
        }
    }

    /// Id (u32), name (128 UTF-16 units), offset of the type names, last public type, offset of the keys, last public
    /// key, and since Android 5 the offset of the type ids (u32 each).
    fn package(&mut self, package: Chunk) {
        let bytes = self.table.bytes;
        let header = bytes.get(package.start..package.body).unwrap_or_default();
        let (Some(id), Some(name), Some(types_at), Some(keys_at)) =
            (u32_at(header, 8), header.get(12..268), u32_at(header, 268), u32_at(header, 276))
        else {
            self.issues
                .lossy("arsc.truncated-package", package.start, || "a package without its header".into());
            return;
        };
        if id > 0xFF {
            self.issues.odd("arsc.package-id", package.start, || format!("package id {id:#x}"));
        }
        let index = self.table.packages.len();
        let mut pools: Vec<Chunk> = Vec::new();
        let mut types: Vec<Chunk> = Vec::new();
        let mut walk = Walk {
            at: package.body,
            end: package.end,
            bad_size: "arsc.bad-chunk-size",
            trailing: "arsc.trailing-data",
        };
        while let Some(chunk) = walk.next(bytes, &mut self.issues) {
            match chunk.kind {
                Chunk::STRING_POOL => pools.push(chunk),
                TYPE => types.push(chunk),
                kind if WITHOUT_VALUES.contains(&kind) => {}
                _ => self.unknown(chunk),
            }
        }
        let mut pool = |at: u32, nth: usize, what: &str| {
            let found = pools.iter().find(|pool| pool.start - package.start == at as usize).or_else(|| {
                self.issues
                    .odd("arsc.pool-offset", package.start, || format!("no pool of {what} at {at:#x}"));
                pools.get(nth)
            });
            found.map(|&chunk| StringPool::parse(bytes, chunk, &mut self.issues)).unwrap_or_default()
        };
        let type_names = pool(types_at, 0, "type names");
        let keys = pool(keys_at, 1, "resource names");
        self.table.packages.push(Package {
            id,
            name: utf16_name(name),
            offset: package.start,
            type_names,
            keys,
        });
        let mut open = OpenPackage {
            index,
            id: id as u8,
            type_id_offset: u32_at(header, 284).unwrap_or(0),
            type_names: HashMap::new(),
        };
        for chunk in types {
            self.kind(chunk, &mut open);
        }
    }

    /// Id (u8), flags (u8), reserved (u16), count of entries (u32), start of the entries (u32), configuration.
    fn kind(&mut self, chunk: Chunk, package: &mut OpenPackage) {
        let bytes = self.table.bytes;
        let header = bytes.get(chunk.start..chunk.body).unwrap_or_default();
        let (Some(&id), Some(&flags), Some(claimed), Some(start), Some(config_size)) =
            (header.get(8), header.get(9), u32_at(header, 12), u32_at(header, 16), u32_at(header, 20))
        else {
            self.issues.lossy("arsc.truncated-type", chunk.start, || "a type without its header".into());
            return;
        };
        let type_id = u32::from(id).saturating_add(package.type_id_offset);
        if id == 0 || type_id > 0xFF {
            self.issues.lossy("arsc.type-id", chunk.start, || format!("type id {type_id:#x}"));
            return;
        }
        let config = header.get(20..).unwrap_or_default();
        let config = config.get(..config_size as usize).unwrap_or(config);
        let width = if flags & SPARSE_TYPE == 0 && flags & OFFSET16_TYPE != 0 { 2 } else { 4 };
        let offsets = bytes.get(chunk.body..chunk.end).unwrap_or_default();
        let room = offsets.len() / width;
        if claimed as usize > room {
            self.issues.lossy("arsc.entry-count", chunk.start, || {
                format!("{claimed} entries claimed, room for {room}")
            });
        } else if claimed > 0x1_0000 {
            self.issues
                .odd("arsc.entry-count", chunk.start, || format!("{claimed} entries, 65536 have an id"));
        }
        let config = self.config(config);
        let type_name = self.type_name(id, package);
        let index = self.table.chunks.len() as u32;
        self.table.chunks.push(TypeChunk { package: package.index, config, type_name, end: chunk.end });
        let base = u32::from(package.id) << 24 | type_id << 16;
        let entries_at = chunk.start + start as usize;
        for (nth, stored) in offsets.chunks_exact(width).take((claimed as usize).min(0x1_0000)).enumerate() {
            let (entry, offset) = if flags & SPARSE_TYPE != 0 {
                (u16_at(stored, 0).map(u32::from), u16_at(stored, 2).map(|offset| usize::from(offset) * 4))
            } else if width == 2 {
                let offset = u16_at(stored, 0).filter(|&offset| offset != u16::MAX);
                (Some(nth as u32), offset.map(|offset| usize::from(offset) * 4))
            } else {
                let offset = u32_at(stored, 0).filter(|&offset| offset != u32::MAX);
                (Some(nth as u32), offset.map(|offset| offset as usize))
            };
            let (Some(entry), Some(offset)) = (entry, offset) else { continue };
            let at = entries_at + offset;
            match RawEntry::at(bytes, at, chunk.end) {
                Some(raw) => {
                    let id = base | entry;
                    self.table.entries.push(Entry { id, chunk: index, offset: at as u32 });
                    self.look_at(id, at, raw);
                }
                None => self.issues.lossy("arsc.offset-outside", chunk.body + nth * width, || {
                    format!("resource {:#010x} at {at:#x}, outside its type", base | entry)
                }),
            }
        }
    }

    fn config(&mut self, stored: &'a [u8]) -> usize {
        *self.config_index.entry(stored).or_insert_with(|| {
            self.table.configs.push(Config::read(stored));
            self.table.configs.len() - 1
        })
    }

    fn type_name(&mut self, id: u8, package: &mut OpenPackage) -> usize {
        *package.type_names.entry(id).or_insert_with(|| {
            let pool = self.table.packages.get(package.index).map(|package| &package.type_names);
            let name =
                pool.and_then(|pool| pool.get_capped(u32::from(id) - 1, NAME_LIMIT)).unwrap_or_default();
            let known = &mut self.table.type_names;
            known.iter().position(|known| *known == name).unwrap_or_else(|| {
                known.push(name.into_owned());
                known.len() - 1
            })
        })
    }

    /// Sums up what a value gives out, and notes the references it makes.
    fn look_at(&mut self, id: u32, at: usize, raw: RawEntry) {
        match raw.body {
            RawBody::Item(value) => self.value(id, at, value),
            RawBody::Bag { at: first, count, claimed, .. } => {
                if claimed > count {
                    self.issues.lossy("arsc.bag-count", at, || {
                        format!("resource {id:#010x}: {claimed} items claimed, room for {count}")
                    });
                }
                self.bags += 1;
                self.items = self.items.saturating_add(count);
                if self.items <= self.item_budget() {
                    for (key, value, offset) in raw_items(self.table.bytes, first, count) {
                        if is_element_key(key) || value.data_type == RawValue::STRING {
                            self.value(id, offset, value);
                        }
                    }
                }
            }
        }
    }

    fn value(&mut self, id: u32, at: usize, value: RawValue) {
        if value.data_type == RawValue::STRING {
            self.values += 1;
            self.stored_text = self.stored_text.saturating_add(self.table.strings.stored_len(value.data));
            if value.data as usize >= self.table.strings.len() {
                self.issues.lossy("arsc.bad-string", at, || {
                    format!("resource {id:#010x}: string {} is not in the pool", value.data)
                });
            }
        } else if let Some(target) = value.reference() {
            self.edges.push((id, target));
        }
    }

    fn item_budget(&self) -> usize {
        (self.table.bytes.len() / 4).max(1 << 16)
    }

    fn text_budget(&self) -> usize {
        self.table.bytes.len().saturating_mul(16).max(1 << 20)
    }

    fn finish(mut self) -> Result<(Table<'a>, Vec<Issue>), ArscError> {
        // An app without resources has an empty table.
        if self.table.packages.is_empty() && self.claimed_packages > 0 {
            return Err(ArscError::NoPackage);
        }
        if self.items > self.item_budget() {
            let limit = self.item_budget() / self.bags;
            self.table.limits.items = limit;
            self.issues.lossy("arsc.item-bomb", 0, || {
                format!("bags come to {} items; each is cut at {limit}", self.items)
            });
            self.values += self.item_budget();
        }
        if self.stored_text > self.text_budget() || self.table.limits.items != usize::MAX {
            let limit = self.text_budget() / self.values.max(1);
            self.table.limits.text = limit;
            self.issues.lossy("arsc.text-bomb", 0, || {
                format!("its texts come to {} bytes; each is cut at {limit}", self.stored_text)
            });
        }
        self.table.entries.sort_by_key(|entry| entry.id);
        find_cycles(self.edges, &self.table, &mut self.issues);
        Ok((self.table, self.issues.finish()))
    }
}

/// Finds references that lead back to where they started, each circle once.
fn find_cycles(mut edges: Vec<(u32, u32)>, table: &Table<'_>, issues: &mut Issues) {
    edges.sort_unstable();
    edges.dedup();
    let out_of = |id: u32| edges.partition_point(|&(from, _)| from < id);
    let edge = |at: usize, id: u32| edges.get(at).filter(|&&(from, _)| from == id).map(|&(_, to)| to);
    // Depth first; true while the resource is on the path.
    let mut seen: HashMap<u32, bool> = HashMap::new();
    for start in edges.chunk_by(|a, b| a.0 == b.0).filter_map(|group| group.first()) {
        if seen.contains_key(&start.0) {
            continue;
        }
        seen.insert(start.0, true);
        let mut path = vec![(start.0, out_of(start.0))];
        while let Some((id, next)) = path.last_mut() {
            let Some(to) = edge(*next, *id) else {
                seen.insert(*id, false);
                path.pop();
                continue;
            };
            *next += 1;
            match seen.get(&to) {
                Some(false) => {}
                Some(true) => {
                    let offset = table.entries_of(to).first().map_or(0, |entry| entry.offset as usize);
                    issues.odd("arsc.cyclic-reference", offset, || {
                        let circle = path.iter().skip_while(|&&(id, _)| id != to);
                        let circle: Vec<String> =
                            circle.take(8).map(|(id, _)| format!("{id:#010x}")).collect();
                        format!("references go round: {}", circle.join(" "))
                    });
                }
                None => {
                    let first = out_of(to);
                    // Most references lead to a resource that refers to nothing.
                    if edge(first, to).is_some() {
                        seen.insert(to, true);
                        path.push((to, first));
                    }
                }
            }
        }
    }
}

fn utf16_name(stored: &[u8]) -> String {
    let units = stored.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
    let units = units.take_while(|&unit| unit != 0);
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

impl Config {
    /// Reads `ResTable_config`, of which older tables hold only a part; what is missing is zero.
    fn read(stored: &[u8]) -> Config {
        let byte = |at: usize| stored.get(at).copied().unwrap_or(0);
        let half = |at: usize| u16_at(stored, at).unwrap_or(0);
        let ascii = |at: usize, len: usize| -> String {
            let bytes = stored.get(at..at + len).unwrap_or_default();
            bytes.iter().take_while(|&&byte| byte != 0).map(|&byte| printable(byte)).collect()
        };
        let language = unpack(byte(8), byte(9), b'a');
        let region = unpack(byte(10), byte(11), b'0');
        let computed = byte(52) != 0;
        let script = if computed { String::new() } else { ascii(36, 4) };
        let (variant, numbering) = (ascii(40, 8), ascii(53, 8));

        let mut parts: Vec<String> = Vec::new();
        let number =
            |value: u16, before: &str, after: &str| (value != 0).then(|| format!("{before}{value}{after}"));
        parts.extend(number(half(4), "mcc", ""));
        parts.extend(number(half(6), "mnc", ""));
        let mut locale = None;
        if !language.is_empty() {
            let subtags = [&language, &script, &region, &variant].into_iter().filter(|tag| !tag.is_empty());
            let subtags: Vec<&str> = subtags.map(String::as_str).collect();
            let mut tag = subtags.join("-");
            let mut qualifier = subtags.join("+");
            if !numbering.is_empty() {
                tag.push_str(&format!("-u-nu-{numbering}"));
                qualifier.push_str(&format!("+u+nu+{numbering}"));
            }
            let plain = script.is_empty() && variant.is_empty() && numbering.is_empty();
            parts.push(match (plain, region.is_empty()) {
                (true, true) => language.clone(),
                (true, false) => format!("{language}-r{region}"),
                (false, _) => format!("b+{qualifier}"),
            });
            locale = Some(tag);
        }
        let choice = |value: u8, names: &[&str]| {
            let name = usize::from(value).checked_sub(1)?;
            Some(names.get(name).map_or_else(|| format!("?{value}"), |name| (*name).to_owned()))
        };
        let (layout, layout2, color) = (byte(28), byte(48), byte(49));
        let (ui, input) = (byte(29), byte(18));
        parts.extend(choice(byte(19) & 0x03, &["neuter", "feminine", "masculine"]));
        parts.extend(choice(layout >> 6, &["ldltr", "ldrtl"]));
        parts.extend(number(half(30), "sw", "dp"));
        parts.extend(number(half(32), "w", "dp"));
        parts.extend(number(half(34), "h", "dp"));
        parts.extend(choice(layout & 0x0F, &["small", "normal", "large", "xlarge"]));
        parts.extend(choice(layout >> 4 & 0x03, &["notlong", "long"]));
        parts.extend(choice(layout2 & 0x03, &["notround", "round"]));
        parts.extend(choice(color & 0x03, &["nowidecg", "widecg"]));
        parts.extend(choice(color >> 2 & 0x03, &["lowdr", "highdr"]));
        parts.extend(choice(byte(12), &["port", "land", "square"]));
        // The type 1 is "normal" and has no qualifier.
        parts.extend(choice(
            (ui & 0x0F).saturating_sub(1),
            &["desk", "car", "television", "appliance", "watch", "vrheadset"],
        ));
        parts.extend(choice(ui >> 4 & 0x03, &["notnight", "night"]));
        parts.extend(match half(14) {
            0 => None,
            120 => Some("ldpi".to_owned()),
            160 => Some("mdpi".to_owned()),
            213 => Some("tvdpi".to_owned()),
            240 => Some("hdpi".to_owned()),
            320 => Some("xhdpi".to_owned()),
            480 => Some("xxhdpi".to_owned()),
            640 => Some("xxxhdpi".to_owned()),
            0xFFFE => Some("anydpi".to_owned()),
            0xFFFF => Some("nodpi".to_owned()),
            density => Some(format!("{density}dpi")),
        });
        parts.extend(choice(byte(13), &["notouch", "stylus", "finger"]));
        parts.extend(choice(input & 0x03, &["keysexposed", "keyshidden", "keyssoft"]));
        parts.extend(choice(byte(16), &["nokeys", "qwerty", "12key"]));
        parts.extend(choice(input >> 2 & 0x03, &["navexposed", "navhidden"]));
        parts.extend(choice(byte(17), &["nonav", "dpad", "trackball", "wheel"]));
        if (half(20), half(22)) != (0, 0) {
            parts.push(format!("{}x{}", half(20), half(22)));
        }
        parts.extend(number(half(24), "v", ""));
        Config { locale, qualifiers: parts.join("-") }
    }
}

/// Two letters (or digits), or three packed into five bits each.
fn unpack(first: u8, second: u8, base: u8) -> String {
    if first & 0x80 == 0 {
        return [first, second].into_iter().take_while(|&byte| byte != 0).map(printable).collect();
    }
    let letters = [second & 0x1F, second >> 5 | (first & 0x03) << 3, first >> 2 & 0x1F];
    letters.into_iter().map(|letter| printable(base + letter)).collect()
}

fn printable(byte: u8) -> char {
    if byte.is_ascii_alphanumeric() { char::from(byte) } else { '?' }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::res_chunk::tests::{chunk, flips, noise};

    const UTF8: &[u8] = include_bytes!("../../fixtures/decode/utf8.arsc");
    const UTF16: &[u8] = include_bytes!("../../fixtures/decode/utf16.arsc");
    const SPARSE: &[u8] = include_bytes!("../../fixtures/decode/sparse.arsc");
    const OBFUSCATED: &[u8] = include_bytes!("../../fixtures/decode/obfuscated.arsc");

    fn table(bytes: &[u8]) -> Table<'_> {
        Table::parse(bytes).unwrap().0
    }

    fn texts(table: &Table<'_>, kind: &str, name: &str) -> Vec<(Option<String>, String)> {
        let found = table.strings(table.find(kind, name).unwrap());
        let mut texts: Vec<_> =
            found.into_iter().map(|found| (found.locale, found.text.into_owned())).collect();
        texts.sort();
        texts
    }

    fn one(text: &str) -> Vec<(Option<String>, String)> {
        vec![(None, text.to_owned())]
    }

    #[test]
    fn reads_every_encoding_alike() {
        for bytes in [UTF8, UTF16, SPARSE] {
            let table = table(bytes);
            assert_eq!((table.packages()[0].id(), table.packages()[0].name()), (0x7F, "cn.example.patrol"));
            assert_eq!(texts(&table, "string", "punch"), one("打卡签到"));
            assert_eq!(texts(&table, "string", "emoji"), one("打卡😀成功"));
            assert_eq!(texts(&table, "string", "empty"), one(""));
            assert_eq!(texts(&table, "string", "styled"), one("请立即签到"));
            assert_eq!(texts(&table, "string", "long_text"), one(&"巡查".repeat(100)));
            assert_eq!(table.find("string", "no_such"), None);
            assert_eq!(table.find("layout", "punch"), None);
            let names = table.resources().filter(|r| r.type_name() == "id").map(|r| r.name().into_owned());
            assert_eq!(names.collect::<Vec<_>>(), ["btn_punch", "fast"]);
        }
        // The head of a type with the sparse flag: header size 84, chunk size, id, flags.
        assert!(SPARSE.windows(10).any(|head| head[..4] == [0x01, 0x02, 84, 0] && head[9] == SPARSE_TYPE));
    }

    #[test]
    fn reads_configurations() {
        let table = table(UTF8);
        let app_name = table.resource(table.find("string", "app_name").unwrap()).unwrap();
        let mut found: Vec<_> = app_name
            .values()
            .map(|value| {
                let ResValue::Item(Value::String(text)) = value.value else { panic!("not a text") };
                assert!(value.offset > 0 && value.offset < UTF8.len() as u64);
                (value.config.qualifiers.as_str(), value.config.locale.as_deref(), text)
            })
            .collect();
        found.sort();
        assert_eq!(
            found,
            [
                ("", None, "Patrol".into()),
                ("b+zh+Hant", Some("zh-Hant"), "巡查通(繁)".into()),
                ("land", None, "Patrol, wide".into()),
                ("zh-rCN", Some("zh-CN"), "巡查通".into()),
            ]
        );
    }

    #[test]
    fn follows_references() {
        let table = table(UTF8);
        let id = |kind, name| table.find(kind, name).unwrap();
        let found = table.strings(id("array", "ranks"));
        assert_eq!(found.iter().map(|found| &*found.text).collect::<Vec<_>>(), ["积分榜", "打卡签到"]);
        let way =
            [id("array", "ranks"), id("string", "title"), id("string", "title_alias"), id("string", "punch")];
        assert_eq!(found[1].trail, way);
        assert_eq!(
            texts(&table, "plurals", "days"),
            [(None, "%d day".into()), (None, "%d days".into()), (Some("zh-CN".into()), "%d天".into())]
        );
        assert!(table.strings(id("string", "circle_a")).is_empty());
        assert!(table.strings(id("style", "Base")).is_empty());
        assert!(table.strings(0).is_empty());
    }

    #[test]
    fn reports_a_circle_once() {
        let (table, issues) = Table::parse(UTF8).unwrap();
        assert_eq!(issues.iter().map(|issue| issue.code).collect::<Vec<_>>(), ["arsc.cyclic-reference"]);
        let first = table.find("string", "circle_a").unwrap();
        assert!(issues[0].detail.contains(&format!("{first:#010x}")));
    }

    #[test]
    fn reads_values_and_bags() {
        let table = table(UTF8);
        let value = |kind, name| {
            let resource = table.resource(table.find(kind, name).unwrap()).unwrap();
            resource.values().next().unwrap().value
        };
        let item = |kind, name| match value(kind, name) {
            ResValue::Item(item) => item,
            ResValue::Bag(_) => panic!("a bag"),
        };
        assert_eq!(item("integer", "answer"), Value::Int(42));
        assert_eq!(item("bool", "yes"), Value::Bool(true));
        assert_eq!(item("color", "red"), Value::Color(0xFFFF_0000));
        assert_eq!(item("string", "title"), Value::Reference(table.find("string", "title_alias").unwrap()));
        let ResValue::Bag(child) = value("style", "Child") else { panic!("not a bag") };
        assert_eq!(child.parent(), table.find("style", "Base").unwrap());
        let items: Vec<_> = child.items().map(|item| (item.key, item.value)).collect();
        assert_eq!(items, [(table.find("attr", "mode").unwrap(), Value::Int(2))]);
        assert!(!child.is_list());
        let ResValue::Bag(ranks) = value("array", "ranks") else { panic!("not a bag") };
        assert!(ranks.is_list());
    }

    #[test]
    fn reads_obfuscated_names() {
        let table = table(OBFUSCATED);
        let names: HashSet<_> = table.resources().map(|resource| resource.name()).collect();
        assert!(names.contains("0_resource_name_obfuscated"));
        let all: Vec<_> = table.resources().flat_map(|r| table.strings(r.id())).map(|t| t.text).collect();
        assert!(all.iter().any(|text| text == "打卡签到"));
    }

    /// A table of one string pool and one package with one type, whose body is given.
    fn build(flags: u8, count: u32, offsets: &[u8], entries: &[u8]) -> Vec<u8> {
        let pool = |strings: &[&str]| {
            let (mut index, mut data) = (Vec::new(), Vec::new());
            for text in strings {
                index.extend((data.len() as u32).to_le_bytes());
                data.extend([text.chars().count() as u8, text.len() as u8]);
                data.extend(text.bytes().chain([0]));
            }
            let mut header = Vec::new();
            for word in [strings.len() as u32, 0, 0x100, 28 + index.len() as u32, 0] {
                header.extend(word.to_le_bytes());
            }
            chunk(0x0001, &header, &[index, data].concat())
        };
        let mut header = vec![1, flags, 0, 0];
        header.extend(count.to_le_bytes());
        header.extend((24 + offsets.len() as u32).to_le_bytes());
        header.extend(4_u32.to_le_bytes());
        let kind = chunk(TYPE, &header, &[offsets, entries].concat());
        let (types, keys) = (pool(&["string"]), pool(&["first", "second"]));
        let mut header = 0x7F_u32.to_le_bytes().to_vec();
        header.extend([0; 256]);
        for word in [288, 0, 288 + types.len() as u32, 0, 0] {
            header.extend(word.to_le_bytes());
        }
        let package = chunk(PACKAGE, &header, &[types, keys, kind].concat());
        chunk(Chunk::TABLE, &1_u32.to_le_bytes(), &[pool(&["甲", "乙"]), package].concat())
    }

    #[test]
    fn reads_compact_entries_and_short_offsets() {
        // Key 1, type string and flag compact, string 1.
        let entry = [1, 0, 8, 3, 1, 0, 0, 0];
        for bytes in [
            build(OFFSET16_TYPE, 2, &[0xFF, 0xFF, 0, 0], &entry),
            build(SPARSE_TYPE, 1, &[1, 0, 0, 0], &entry),
            build(0, 2, &[0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0], &entry),
        ] {
            let (table, issues) = Table::parse(&bytes).unwrap();
            assert_eq!(issues, []);
            assert_eq!(table.find("string", "second"), Some(0x7F01_0001));
            assert_eq!(texts(&table, "string", "second"), one("乙"));
        }
    }

    #[test]
    fn counts_that_lie_cost_nothing() {
        let (table, issues) =
            Table::parse(&build(0, u32::MAX, &[0; 4], &[])).map(|(t, i)| (t.entries.len(), i)).unwrap();
        assert!(table <= 1);
        assert!(issues.iter().any(|issue| issue.code == "arsc.entry-count" && issue.lossy));
        // 60,000 entries that share one bag, which claims 100,000 items.
        let mut bag = vec![16, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xA0, 0x86, 1, 0];
        bag.extend([1, 0, 0, 2, 8, 0, 0, 3, 0, 0, 0, 0].repeat(40_000));
        let bytes = build(OFFSET16_TYPE, 60_000, &[0; 120_000], &bag);
        let (table, issues) = Table::parse(&bytes).unwrap();
        assert!(issues.iter().any(|issue| issue.code == "arsc.item-bomb"));
        let given: usize = table.resources().map(|r| table.strings(r.id()).len()).sum();
        assert!(given <= bytes.len());
    }

    #[test]
    fn rejects_what_is_no_table() {
        for bytes in [&b""[..], b"PK\x03\x04", &[0; 4096], b"<resources/>", &UTF8[..8]] {
            assert!(Table::parse(bytes).is_err());
        }
        let empty = chunk(Chunk::TABLE, &0_u32.to_le_bytes(), &[]);
        assert_eq!(Table::parse(&empty).unwrap().1, []);
    }

    #[test]
    fn survives_hostile_input() {
        let read = |bytes: &[u8]| {
            let Ok((table, _)) = Table::parse(bytes) else { return };
            for resource in table.resources() {
                for value in resource.values() {
                    if let ResValue::Bag(bag) = value.value {
                        assert!(bag.items().count() <= bytes.len());
                    }
                }
                table.strings(resource.id());
            }
            table.find("string", "punch");
        };
        (0..UTF8.len()).for_each(|end| read(&UTF8[..end]));
        for bytes in [UTF8, UTF16, SPARSE] {
            flips(bytes, 400, read);
        }
        noise(Chunk::TABLE, 1000, read);
    }
}
