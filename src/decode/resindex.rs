//! HarmonyOS resource tables (`resources.index`) in both layouts: `Restool` (`KEYS`, `IDSS`, records) and
//! `RestoolV2` (`KEYS`, `IDSS` with names, `DATA`, pool).
//!
//! Format: openharmony/developtools_global_resource_tool `src/resource_table.cpp`, `include/resource_table.h`,
//! `include/resource_data.h` (types and qualifiers), `src/key_parser.cpp` (packing of languages),
//! `src/resource_util.cpp` (`ComposeStrings`). All numbers are little-endian.

use std::borrow::Cow;
use std::collections::HashMap;

use thiserror::Error;

use super::res_chunk::{u16_at, u32_at};
use super::{Decoder, Issue};

/// What this file reads.
pub const DECODER: Decoder = Decoder {
    name: "resindex",
    version: 1,
    reads: ("HarmonyOS 资源表 resources.index（新旧两版）", "HarmonyOS resource tables (resources.index)"),
    limits: &[],
};

/// Length of the text that names the tool, at the head of both layouts.
const VERSION: usize = 128;
const FIRST_LAYOUT_HEADER: usize = VERSION + 8;
const SECOND_LAYOUT_HEADER: usize = VERSION + 12;
const SECOND_LAYOUT: &[u8] = b"RestoolV2";

/// A value may refer to another one; longer chains are cyclic.
const MAX_HOPS: usize = 8;

/// What a resource is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// One text.
    String,
    /// A list of texts.
    StringArray,
    /// A text for each quantity.
    Plural,
    /// A file under `resources/…/profile`: page lists, route maps.
    Profile,
    /// A picture or other file under `resources/…/media`.
    Media,
    /// Another type, by its number: colours, numbers, themes, symbols.
    Other(u32),
}

impl Kind {
    fn of(number: u32) -> Self {
        match number {
            9 => Kind::String,
            10 => Kind::StringArray,
            17 => Kind::Plural,
            19 => Kind::Media,
            20 => Kind::Profile,
            other => Kind::Other(other),
        }
    }

    /// The word that references use: `$string:app_name`, `app.strarray.menu`.
    pub fn word(self) -> &'static str {
        match self {
            Kind::String => "string",
            Kind::StringArray => "strarray",
            Kind::Plural => "plural",
            Kind::Profile => "profile",
            Kind::Media => "media",
            Kind::Other(_) => "other",
        }
    }
}

/// Why nothing of a table could be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum TableError {
    /// Shorter than its header.
    #[error("resources.index of {0} bytes is shorter than its header")]
    Truncated(usize),
    /// The head names no known tool.
    #[error("not a resources.index: the tool is named {0:?}")]
    NotATable(String),
}

/// One value of a resource for one configuration.
#[derive(Debug, Clone)]
pub struct Value<'a> {
    /// Resource id.
    pub id: u32,
    /// What it is.
    pub kind: Kind,
    /// Name without its kind: `patrol_punch`.
    pub name: Cow<'a, str>,
    /// Offset of the value in the table.
    pub offset: u64,
    config: usize,
    data: &'a [u8],
}

impl<'a> Value<'a> {
    /// The data as one text.
    pub fn text(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.data.strip_suffix(&[0]).unwrap_or(self.data))
    }

    /// The texts: one of a string, all of an array, those of a plural without the quantities.
    pub fn texts(&self) -> Vec<Cow<'a, str>> {
        match self.kind {
            Kind::StringArray => self.items().collect(),
            Kind::Plural => self.items().skip(1).step_by(2).collect(),
            _ => vec![self.text()],
        }
    }

    /// The items of a list: length without the final zero, bytes, zero.
    fn items(&self) -> impl Iterator<Item = Cow<'a, str>> + use<'a> {
        let mut rest = self.data;
        std::iter::from_fn(move || {
            let length = usize::from(u16_at(rest, 0)?);
            let item = rest.get(2..)?;
            // The last item of a cut list keeps what is there.
            let text = item.get(..length).unwrap_or(item);
            rest = item.get(length + 1..).unwrap_or_default();
            Some(String::from_utf8_lossy(text))
        })
    }
}

/// A resource table.
#[derive(Debug)]
pub struct Table<'a> {
    tool: String,
    locales: Vec<Option<String>>,
    /// Sorted by id; several values of one id are in the order of the file.
    values: Vec<Value<'a>>,
    names: HashMap<(Kind, Cow<'a, str>), u32>,
}

impl<'a> Table<'a> {
    /// Reads a table; what is broken is left out and told as an issue.
    pub fn parse(bytes: &'a [u8]) -> Result<(Self, Vec<Issue>), TableError> {
        let head = bytes.get(..VERSION).ok_or(TableError::Truncated(bytes.len()))?;
        let head = head.split(|byte| *byte == 0).next().unwrap_or_default();
        let tool = String::from_utf8_lossy(head).trim_end().to_owned();
        if !head.starts_with(b"Restool") {
            return Err(TableError::NotATable(tool.chars().take(20).collect()));
        }
        let second = head.starts_with(SECOND_LAYOUT);
        let header = if second { SECOND_LAYOUT_HEADER } else { FIRST_LAYOUT_HEADER };
        if bytes.len() < header {
            return Err(TableError::Truncated(bytes.len()));
        }
        let mut reader = Reader {
            bytes,
            locales: Vec::new(),
            values: Vec::new(),
            data: 0,
            full: false,
            issues: Vec::new(),
        };
        if second {
            reader.second()
        } else {
            reader.first()
        }
        let Reader { locales, mut values, mut issues, .. } = reader;
        values.sort_by_key(|value| value.id);
        let mut names = HashMap::with_capacity(values.len());
        for value in &values {
            names.entry((value.kind, value.name.clone())).or_insert(value.id);
        }
        issues.sort();
        Ok((Table { tool, locales, values, names }, issues))
    }

    /// Name and version of the tool that wrote the table: `RestoolV2 6.1.0.003`.
    pub fn tool(&self) -> &str {
        &self.tool
    }

    /// Every value, by id.
    pub fn values(&self) -> &[Value<'a>] {
        &self.values
    }

    /// The values of one resource, one for each configuration.
    pub fn resource(&self, id: u32) -> &[Value<'a>] {
        let start = self.values.partition_point(|value| value.id < id);
        let length = self.values[start..].partition_point(|value| value.id == id);
        &self.values[start..start + length]
    }

    /// The id of a resource by kind and name.
    pub fn id(&self, kind: Kind, name: &str) -> Option<u32> {
        self.names.get(&(kind, Cow::Borrowed(name))).copied()
    }

    /// BCP 47 tag of the configuration of a value; `None` when it has none.
    pub fn locale(&self, value: &Value<'_>) -> Option<&str> {
        self.locales.get(value.config)?.as_deref()
    }

    /// The id that `$string:16777216` or `$string:app_name` names.
    pub fn reference(&self, text: &str) -> Option<u32> {
        let (kind, name) = text.strip_prefix('$')?.split_once(':')?;
        if let Ok(id) = name.parse() {
            return Some(id);
        }
        let kinds = [Kind::String, Kind::StringArray, Kind::Plural, Kind::Profile, Kind::Media];
        kinds.into_iter().find(|known| known.word() == kind).and_then(|kind| self.id(kind, name))
    }

    /// One wording of a text that may be a reference: that of mainland China before the default before any other.
    pub fn resolve(&self, text: &str) -> Option<String> {
        let mut text = Cow::Borrowed(text);
        for _ in 0..MAX_HOPS {
            let Some(id) = self.reference(&text) else {
                // A reference to the system's own resources or to nothing.
                return (!text.starts_with('$')).then(|| text.into_owned());
            };
            text = Cow::Owned(self.preferred(id)?.text().into_owned());
        }
        None
    }

    /// The value a user in mainland China would see.
    pub fn preferred(&self, id: u32) -> Option<&Value<'a>> {
        let rank = |value: &&Value<'_>| match self.locale(value) {
            Some("zh-CN" | "zh-Hans-CN") => 0,
            Some("zh" | "zh-Hans") => 1,
            None => 2,
            Some(_) => 3,
        };
        self.resource(id).iter().min_by_key(rank)
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    locales: Vec<Option<String>>,
    values: Vec<Value<'a>>,
    /// Bytes of names and values taken so far; those of an honest table do not overlap.
    data: usize,
    full: bool,
    issues: Vec<Issue>,
}

impl<'a> Reader<'a> {
    fn lossy(&mut self, code: &'static str, at: usize, detail: impl Into<String>) {
        // One of each kind says it; a hostile table could have millions.
        if self.issues.iter().all(|issue| issue.code != code) {
            self.issues.push(Issue::lossy(code, at as u64, detail));
        }
    }

    /// Adds a value, as long as the table does not hold more than it has bytes for.
    fn add(&mut self, value: Value<'a>) {
        self.data += value.data.len() + value.name.len() + 8;
        if self.data > self.bytes.len() {
            self.full = true;
            self.lossy("resindex.overlap", value.offset as usize, "values overlap; the rest is not read");
            return;
        }
        self.values.push(value);
    }

    /// The parameters of one configuration: pairs of type and value.
    fn locale(&mut self, at: usize, count: u32) -> usize {
        let (mut language, mut script, mut region) = (None, None, None);
        let mut here = at;
        for _ in 0..count {
            let (Some(kind), Some(value)) = (u32_at(self.bytes, here), u32_at(self.bytes, here + 4)) else {
                self.lossy("resindex.truncated", here, "the configurations end early");
                break;
            };
            match kind {
                0 => language = letters(value),
                1 => region = letters(value),
                5 => script = letters(value),
                _ => {}
            }
            here += 8;
        }
        self.locales.push(language.map(|language| {
            let mut tag = language;
            for part in [script, region].into_iter().flatten() {
                tag.push('-');
                tag.push_str(&part);
            }
            tag
        }));
        here
    }

    fn first(&mut self) {
        let count = u32_at(self.bytes, VERSION + 4).unwrap_or_default();
        let mut at = FIRST_LAYOUT_HEADER;
        let mut sets = Vec::new();
        for _ in 0..count {
            if self.bytes.get(at..at + 4) != Some(b"KEYS") {
                self.lossy("resindex.bad-keys", at, "a configuration does not begin with KEYS");
                break;
            }
            let (Some(set), Some(pairs)) = (u32_at(self.bytes, at + 4), u32_at(self.bytes, at + 8)) else {
                self.lossy("resindex.truncated", at, "the configurations end early");
                break;
            };
            at = self.locale(at + 12, pairs);
            sets.push(set);
        }
        for (config, set) in sets.into_iter().enumerate() {
            self.set(config, set as usize);
        }
    }

    /// The ids of one configuration in the first layout.
    fn set(&mut self, config: usize, set: usize) {
        if self.bytes.get(set..set.saturating_add(4)) != Some(b"IDSS") {
            self.lossy("resindex.bad-ids", set, "a set of ids does not begin with IDSS");
            return;
        }
        let Some(count) = u32_at(self.bytes, set + 4) else {
            self.lossy("resindex.truncated", set, "a set of ids ends early");
            return;
        };
        for index in 0..count as usize {
            if self.full {
                return;
            }
            let pair = set + 8 + index * 8;
            let (Some(id), Some(record)) = (u32_at(self.bytes, pair), u32_at(self.bytes, pair + 4)) else {
                self.lossy("resindex.truncated", pair, "a set of ids ends early");
                return;
            };
            match self.record(config, id, record as usize) {
                Some(value) => self.add(value),
                None => {
                    self.lossy("resindex.bad-record", record as usize, format!("no record of {id:#010x}"))
                }
            }
        }
    }

    /// Size, type, id, value and name; the lengths of value and name count their final zero.
    fn record(&self, config: usize, id: u32, at: usize) -> Option<Value<'a>> {
        let size = u32_at(self.bytes, at)? as usize;
        let record = self.bytes.get(at + 4..at.checked_add(4)?.checked_add(size)?)?;
        let (kind, stated) = (u32_at(record, 0)?, u32_at(record, 4)?);
        if stated != id {
            return None;
        }
        let length = usize::from(u16_at(record, 8)?);
        let data = record.get(10..10 + length)?;
        let name_length = usize::from(u16_at(record, 10 + length)?);
        let name = record.get(12 + length..12 + length + name_length)?;
        let name = String::from_utf8_lossy(name.strip_suffix(&[0]).unwrap_or(name));
        Some(Value { id, kind: Kind::of(kind), name, offset: at as u64 + 14, config, data })
    }

    fn second(&mut self) {
        let count = u32_at(self.bytes, VERSION + 4).unwrap_or_default();
        let mut at = SECOND_LAYOUT_HEADER;
        let mut configs: HashMap<u32, usize> = HashMap::new();
        for _ in 0..count {
            if self.bytes.get(at..at + 4) != Some(b"KEYS") {
                self.lossy("resindex.bad-keys", at, "a configuration does not begin with KEYS");
                return;
            }
            let (Some(id), Some(pairs)) = (u32_at(self.bytes, at + 4), u32_at(self.bytes, at + 8)) else {
                self.lossy("resindex.truncated", at, "the configurations end early");
                return;
            };
            configs.insert(id, self.locales.len());
            at = self.locale(at + 12, pairs);
        }
        if self.bytes.get(at..at + 4) != Some(b"IDSS") {
            self.lossy("resindex.bad-ids", at, "the set of ids does not begin with IDSS");
            return;
        }
        let Some(types) = u32_at(self.bytes, at + 8) else {
            self.lossy("resindex.truncated", at, "the set of ids ends early");
            return;
        };
        at += 16;
        for _ in 0..types {
            let (Some(kind), Some(count)) = (u32_at(self.bytes, at), u32_at(self.bytes, at + 8)) else {
                self.lossy("resindex.truncated", at, "the set of ids ends early");
                return;
            };
            at += 12;
            for _ in 0..count {
                if self.full {
                    return;
                }
                let name = (|| {
                    let length = u32_at(self.bytes, at + 8)? as usize;
                    let name = self.bytes.get(at + 12..(at + 12).checked_add(length)?)?;
                    Some((u32_at(self.bytes, at)?, u32_at(self.bytes, at + 4)?, name))
                })();
                let Some((id, info, name)) = name else {
                    self.lossy("resindex.truncated", at, "the set of ids ends early");
                    return;
                };
                at += 12 + name.len();
                self.info(Kind::of(kind), id, String::from_utf8_lossy(name), info as usize, &configs);
            }
        }
    }

    /// Where the values of one resource are in the pool.
    fn info(&mut self, kind: Kind, id: u32, name: Cow<'a, str>, at: usize, configs: &HashMap<u32, usize>) {
        let count = u32_at(self.bytes, at.saturating_add(8)).filter(|_| u32_at(self.bytes, at) == Some(id));
        let Some(count) = count else {
            self.lossy("resindex.bad-record", at, format!("no values of {id:#010x}"));
            return;
        };
        for index in 0..count as usize {
            if self.full {
                return;
            }
            let pair = at + 12 + index * 8;
            let value = (|| {
                let config = u32_at(self.bytes, pair)?;
                let start = u32_at(self.bytes, pair + 4)? as usize;
                let length = usize::from(u16_at(self.bytes, start)?);
                let data = self.bytes.get(start + 2..start + 2 + length)?;
                let config = configs.get(&config).copied().unwrap_or(usize::MAX);
                Some(Value { id, kind, name: name.clone(), offset: start as u64 + 2, config, data })
            })();
            match value {
                Some(value) => self.add(value),
                None => {
                    self.lossy(
                        "resindex.bad-record",
                        pair,
                        format!("a value of {id:#010x} is outside the table"),
                    );
                    return;
                }
            }
        }
    }
}

/// A language, script or region: ASCII characters, the last in the lowest byte.
fn letters(packed: u32) -> Option<String> {
    let text: String = packed.to_be_bytes().into_iter().filter(|byte| *byte != 0).map(char::from).collect();
    (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric())).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::res_chunk::tests::flips;

    struct Row(u32, u32, &'static str, usize, Vec<u8>);

    fn list(items: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        for item in items {
            out.extend((item.len() as u16).to_le_bytes());
            out.extend(item.as_bytes());
            out.push(0);
        }
        out
    }

    /// Default, `zh-CN`, and a dark mode that is no locale.
    const CONFIGS: &[&[(u32, u32)]] =
        &[&[], &[(0, 0x7a68), (1, 0x434e)], &[(6, 0)], &[(0, 0x7a68), (5, 0x4861_6e74)]];

    fn rows() -> Vec<Row> {
        vec![
            Row(0x0100_0000, 9, "app_name", 0, b"Grid".to_vec()),
            Row(0x0100_0000, 9, "app_name", 1, "网格".as_bytes().to_vec()),
            Row(0x0100_0000, 9, "app_name", 3, "網格".as_bytes().to_vec()),
            Row(0x0100_0001, 10, "menu", 0, list(&["巡查打卡", "积分"])),
            Row(0x0100_0002, 17, "days", 0, list(&["one", "%d day", "other", "%d 天"])),
            Row(0x0100_0003, 9, "alias", 2, b"$string:16777216".to_vec()),
            Row(0x0100_0004, 20, "main_pages", 0, b"entry/resources/base/profile/main_pages.json".to_vec()),
            Row(0x0100_0005, 9, "loop", 0, b"$string:loop".to_vec()),
        ]
    }

    fn keys(out: &mut Vec<u8>, second: u32, pairs: &[(u32, u32)]) {
        out.extend(b"KEYS");
        out.extend(second.to_le_bytes());
        out.extend((pairs.len() as u32).to_le_bytes());
        for (kind, value) in pairs {
            out.extend(kind.to_le_bytes());
            out.extend(value.to_le_bytes());
        }
    }

    fn head(tool: &str) -> Vec<u8> {
        let mut out = tool.as_bytes().to_vec();
        out.resize(VERSION, 0);
        out
    }

    fn first() -> Vec<u8> {
        let rows = rows();
        let key_bytes: usize = CONFIGS.iter().map(|pairs| 12 + pairs.len() * 8).sum();
        let mut sets = Vec::new();
        let mut set_offsets = Vec::new();
        let mut records = Vec::new();
        let base = FIRST_LAYOUT_HEADER + key_bytes;
        let set_bytes = CONFIGS.len() * 8 + rows.len() * 8;
        for config in 0..CONFIGS.len() {
            set_offsets.push((base + sets.len()) as u32);
            let of: Vec<&Row> = rows.iter().filter(|row| row.3 == config).collect();
            sets.extend(b"IDSS");
            sets.extend((of.len() as u32).to_le_bytes());
            for row in of {
                sets.extend(row.0.to_le_bytes());
                sets.extend(((base + set_bytes + records.len()) as u32).to_le_bytes());
                let size = 8 + 2 + row.4.len() + 1 + 2 + row.2.len() + 1;
                records.extend((size as u32).to_le_bytes());
                records.extend(row.1.to_le_bytes());
                records.extend(row.0.to_le_bytes());
                records.extend((row.4.len() as u16 + 1).to_le_bytes());
                records.extend(&row.4);
                records.push(0);
                records.extend((row.2.len() as u16 + 1).to_le_bytes());
                records.extend(row.2.as_bytes());
                records.push(0);
            }
        }
        let mut out = head("Restool 5.009");
        out.extend(((base + sets.len() + records.len()) as u32).to_le_bytes());
        out.extend((CONFIGS.len() as u32).to_le_bytes());
        for (config, pairs) in CONFIGS.iter().enumerate() {
            keys(&mut out, set_offsets[config], pairs);
        }
        out.extend(sets);
        out.extend(records);
        out
    }

    fn second() -> Vec<u8> {
        let rows = rows();
        let mut ids: Vec<(u32, u32, &str)> = rows.iter().map(|row| (row.1, row.0, row.2)).collect();
        ids.sort();
        ids.dedup();
        let mut kinds: Vec<u32> = ids.iter().map(|id| id.0).collect();
        kinds.dedup();
        let key_bytes: usize = CONFIGS.iter().map(|pairs| 12 + pairs.len() * 8).sum();
        let set_bytes: usize = 16 + kinds.len() * 12 + ids.iter().map(|id| 12 + id.2.len()).sum::<usize>();
        let data_at = SECOND_LAYOUT_HEADER + key_bytes + set_bytes;
        let data_bytes = 12 + ids.len() * 12 + rows.len() * 8;
        let (mut data, mut pool) = (Vec::new(), Vec::new());
        let mut infos = HashMap::new();
        for (_, id, _) in &ids {
            infos.insert(*id, (data_at + 12 + data.len()) as u32);
            let of: Vec<&Row> = rows.iter().filter(|row| row.0 == *id).collect();
            data.extend(id.to_le_bytes());
            data.extend((12 + of.len() as u32 * 8).to_le_bytes());
            data.extend((of.len() as u32).to_le_bytes());
            for row in of {
                data.extend((row.3 as u32 + 40).to_le_bytes());
                data.extend(((data_at + data_bytes + pool.len()) as u32).to_le_bytes());
                pool.extend((row.4.len() as u16).to_le_bytes());
                pool.extend(&row.4);
            }
        }
        let mut out = head("RestoolV2 6.1.0.003");
        out.extend(((data_at + data_bytes + pool.len()) as u32).to_le_bytes());
        out.extend((CONFIGS.len() as u32).to_le_bytes());
        out.extend((data_at as u32).to_le_bytes());
        for (config, pairs) in CONFIGS.iter().enumerate() {
            keys(&mut out, config as u32 + 40, pairs);
        }
        out.extend(b"IDSS");
        out.extend((set_bytes as u32).to_le_bytes());
        out.extend((kinds.len() as u32).to_le_bytes());
        out.extend((ids.len() as u32).to_le_bytes());
        for kind in kinds {
            let of: Vec<_> = ids.iter().filter(|id| id.0 == kind).collect();
            let length: usize = 12 + of.iter().map(|id| 12 + id.2.len()).sum::<usize>();
            out.extend(kind.to_le_bytes());
            out.extend((length as u32).to_le_bytes());
            out.extend((of.len() as u32).to_le_bytes());
            for (_, id, name) in of {
                out.extend(id.to_le_bytes());
                out.extend(infos[id].to_le_bytes());
                out.extend((name.len() as u32).to_le_bytes());
                out.extend(name.as_bytes());
            }
        }
        out.extend(b"DATA");
        out.extend((data_bytes as u32).to_le_bytes());
        out.extend((ids.len() as u32).to_le_bytes());
        out.extend(data);
        out.extend(pool);
        out
    }

    #[test]
    fn both_layouts_hold_the_same() {
        for bytes in [first(), second()] {
            let (table, issues) = Table::parse(&bytes).unwrap();
            assert_eq!(issues, []);
            assert_eq!(table.values().len(), rows().len());
            let names: Vec<_> =
                table.resource(0x0100_0000).iter().map(|v| (table.locale(v), v.text())).collect();
            assert_eq!(
                names,
                [(None, "Grid".into()), (Some("zh-CN"), "网格".into()), (Some("zh-Hant"), "網格".into())]
            );
            assert_eq!(table.resource(0x0100_0001)[0].texts(), ["巡查打卡", "积分"]);
            assert_eq!(table.resource(0x0100_0002)[0].texts(), ["%d day", "%d 天"]);
            assert_eq!(table.locale(&table.resource(0x0100_0003)[0]), None);
            assert_eq!(table.id(Kind::Profile, "main_pages"), Some(0x0100_0004));
            assert_eq!(table.resolve("$string:alias").as_deref(), Some("网格"));
            assert_eq!(table.resolve("$string:loop"), None);
            assert_eq!(table.resolve("$string:none"), None);
            assert_eq!(table.resolve("plain").as_deref(), Some("plain"));
            for value in table.values().iter().filter(|value| value.kind == Kind::String) {
                let stored = &bytes[value.offset as usize..value.offset as usize + value.text().len()];
                assert_eq!(stored, value.text().as_bytes(), "{}", value.name);
            }
        }
    }

    #[test]
    fn a_cut_table_tells_it() {
        for sample in [first(), second()] {
            for length in 0..sample.len() {
                match Table::parse(&sample[..length]) {
                    Ok((_, issues)) => {
                        assert!(issues.iter().any(|issue| issue.lossy), "{length} of {}", sample.len())
                    }
                    Err(error) => assert_eq!(error, TableError::Truncated(length)),
                }
            }
        }
    }

    #[test]
    fn flipped_bytes_do_no_harm() {
        for sample in [first(), second()] {
            flips(&sample, 4000, |bytes| {
                if let Ok((table, _)) = Table::parse(bytes) {
                    let held: usize =
                        table.values().iter().flat_map(Value::texts).map(|text| text.len()).sum();
                    assert!(held <= bytes.len() * 3);
                    let _ = table.resolve("$string:app_name");
                }
            });
        }
    }

    #[test]
    fn overlapping_sets_are_read_once() {
        let mut bytes = first();
        let count = 2000_u32;
        let end = u32_at(&bytes, FIRST_LAYOUT_HEADER + 4).unwrap();
        let tail = bytes.split_off(FIRST_LAYOUT_HEADER);
        let shift = count * 12;
        bytes[VERSION + 4..VERSION + 8].copy_from_slice(&count.to_le_bytes());
        for _ in 0..count {
            keys(&mut bytes, end + shift, &[]);
        }
        bytes.extend(tail);
        let (table, issues) = Table::parse(&bytes).unwrap();
        assert!(table.values().len() < bytes.len() / 8);
        assert!(issues.iter().any(|issue| issue.lossy));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_end(tail in proptest::collection::vec(proptest::num::u8::ANY, 0..400), second in proptest::bool::ANY) {
            let mut bytes = head(if second { "RestoolV2 6" } else { "Restool 5" });
            bytes.extend(tail);
            let _ = Table::parse(&bytes);
        }
    }
}
