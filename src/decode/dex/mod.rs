//! Dalvik executables (`classes.dex`): tables, classes, annotations and static values.
//!
//! Format: <https://source.android.com/docs/core/runtime/dex-format>, versions 035 to 041. From 041 on a file may hold
//! several dex one after the other, whose offsets all count from the start of the file.
//!
//! Parsing checks the header and every row of the id tables once; rows are then read from the bytes on demand, so a
//! [`Dex`] owns no memory. Checksum and signature are not verified.

mod code;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use super::{Decoder, Issue, Limit, Unit};

pub use code::{
    Annotated, Form, IdSet, Literal, MAX_SINKS, MethodCode, Scanner, Sink, Sinks, Source, Store, Target,
    Value, ViewCall, Wanted,
};

/// What this file reads.
pub const DECODER: Decoder = Decoder {
    name: "dex",
    version: 2,
    reads: ("Dalvik 字节码 dex 035–041", "Dalvik executables, dex 035 to 041"),
    limits: &[Limit {
        what: ("一个文件中的 dex", "dex in one file"),
        amount: MAX_DEXES as u64,
        unit: Unit::Count,
    }],
};

/// Why nothing could be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DexError {
    /// The bytes do not begin like any dex.
    #[error("not a dex file")]
    NotDex,
    /// A known relative that is not read.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// Too short for a header.
    #[error("dex header is cut off after {0} bytes")]
    Truncated(usize),
}

/// Most dex read from one file.
const MAX_DEXES: usize = 64;
/// Bytes read per byte of the file before overlapping items are given up; honest files share few.
const WORK: u64 = 16;
/// Names are cut here; Android's own tools write no longer ones.
const MAX_NAME: usize = 1024;
/// Deepest nesting of encoded values.
const MAX_NESTING: usize = 64;
/// "No index".
const NO_INDEX: u32 = u32::MAX;

/// One dex. Rows that are out of range or broken read as `None`.
#[derive(Debug, Clone)]
pub struct Dex<'a> {
    /// The whole file: offsets count from its start.
    data: &'a [u8],
    version: u16,
    strings: Table<'a, 4>,
    types: Table<'a, 4>,
    protos: Table<'a, 12>,
    fields: Table<'a, 8>,
    methods: Table<'a, 8>,
    classes: Table<'a, 32>,
    call_sites: Table<'a, 4>,
    method_handles: Table<'a, 8>,
}

/// Rows of `N` bytes.
#[derive(Debug, Clone, Copy)]
struct Table<'a, const N: usize>(&'a [[u8; N]]);

impl<'a, const N: usize> Table<'a, N> {
    const EMPTY: Self = Table(&[]);

    /// The rows that are inside the file, with an issue when some are not.
    fn read(data: &'a [u8], name: &str, count: u32, offset: u32, issues: &mut Vec<Issue>) -> Self {
        if count == 0 {
            return Table::EMPTY;
        }
        let Some(bytes) = data.get(offset as usize..) else {
            let detail = format!("table of {count} {name} at {offset:#x}, file ends at {:#x}", data.len());
            issues.push(Issue::lossy("dex.offset-outside-file", u64::from(offset), detail));
            return Table::EMPTY;
        };
        let (rows, _) = bytes.as_chunks::<N>();
        match rows.get(..count as usize) {
            Some(rows) => Table(rows),
            None => {
                let detail = format!("{} of {count} {name} are inside the file", rows.len());
                issues.push(Issue::lossy("dex.table-cut-off", u64::from(offset), detail));
                Table(rows)
            }
        }
    }

    fn len(&self) -> u32 {
        self.0.len() as u32
    }

    #[inline]
    fn get(&self, index: u32) -> Option<&'a [u8; N]> {
        self.0.get(index as usize)
    }

    /// One issue for all rows that `good` refuses.
    fn check(
        &self,
        code: &'static str,
        name: &str,
        issues: &mut Vec<Issue>,
        good: impl Fn(&[u8; N]) -> bool,
    ) {
        let bad = self.0.iter().filter(|row| !good(row)).count();
        if bad > 0 {
            let first = self.0.iter().position(|row| !good(row)).unwrap_or_default();
            let detail =
                format!("{bad} of {} {name} point outside their tables, the first is {first}", self.len());
            issues.push(Issue::lossy(code, None, detail));
        }
    }
}

fn u16_at<const N: usize>(row: &[u8; N], at: usize) -> u32 {
    u32::from(row[at]) | u32::from(row[at + 1]) << 8
}

fn u32_at<const N: usize>(row: &[u8; N], at: usize) -> u32 {
    u16_at(row, at) | u16_at(row, at + 2) << 16
}

impl<'a> Dex<'a> {
    /// Reads the header and checks the tables of the first (before version 041: only) dex of a file.
    pub fn parse(data: &'a [u8]) -> Result<(Dex<'a>, Vec<Issue>), DexError> {
        let mut issues = Vec::new();
        let mut work = WORK * data.len() as u64;
        let (dex, size) = Dex::read(data, 0, &mut work, &mut issues)?;
        if dex.version >= 41 && size < data.len() {
            issues.push(Issue::lossy(
                "dex.more-dexes",
                size as u64,
                "only the first dex of the container was read",
            ));
        }
        Ok((dex, issues))
    }

    /// Reads every dex of a file; at least one.
    pub fn parse_all(data: &'a [u8]) -> Result<(Vec<Dex<'a>>, Vec<Issue>), DexError> {
        let mut issues = Vec::new();
        let mut work = WORK * data.len() as u64;
        let (first, size) = Dex::read(data, 0, &mut work, &mut issues)?;
        let container = first.version >= 41;
        let mut dexes = vec![first];
        let mut at = size;
        while container && at < data.len() {
            if dexes.len() == MAX_DEXES {
                let detail = format!("more than {MAX_DEXES} dexes in one file");
                issues.push(Issue::lossy("dex.too-many-dexes", at as u64, detail));
                break;
            }
            match Dex::read(data, at, &mut work, &mut issues) {
                Ok((dex, size)) => {
                    dexes.push(dex);
                    at = at.saturating_add(size);
                }
                Err(error) => {
                    issues.push(Issue::lossy("dex.bad-container", at as u64, error.to_string()));
                    break;
                }
            }
        }
        Ok((dexes, issues))
    }

    /// Reads the dex whose header is at `at`; also tells the size it says it has, at least that of its header.
    fn read(
        data: &'a [u8],
        at: usize,
        work: &mut u64,
        issues: &mut Vec<Issue>,
    ) -> Result<(Self, usize), DexError> {
        let header = data.get(at..).unwrap_or_default();
        let version = match header {
            [b'd', b'e', b'x', b'\n', a, b, c, 0, ..] => version([*a, *b, *c]),
            [b'd', b'e', b'y', b'\n', ..] => return Err(DexError::Unsupported("optimised dex (odex)")),
            [b'c', b'd', b'e', b'x', ..] => return Err(DexError::Unsupported("compact dex (cdex)")),
            _ => return Err(DexError::NotDex),
        };
        let version = version.ok_or(DexError::NotDex)?;
        let Some(fields) = header.first_chunk::<0x70>() else {
            return Err(DexError::Truncated(header.len()));
        };
        let field = |at: usize| u32_at(fields, at);
        match field(40) {
            0x1234_5678 => {}
            0x7856_3412 => return Err(DexError::Unsupported("big-endian dex")),
            tag => issues.push(Issue::odd("dex.bad-header", at as u64 + 40, format!("endian tag {tag:#x}"))),
        }
        if !(35..=41).contains(&version) {
            issues.push(Issue::odd("dex.unknown-version", at as u64, format!("version {version:03}")));
        }
        let least = if version >= 41 { 0x78 } else { 0x70 };
        if field(36) != least {
            let detail = format!("header size {:#x} instead of {least:#x}", field(36));
            issues.push(Issue::odd("dex.bad-header", at as u64 + 36, detail));
        }
        if version >= 41 {
            let words = header.get(0x70..0x78).map(|w| Cursor { data: w, pos: 0 });
            let (size, offset) = words.and_then(|mut w| Some((w.u32()?, w.u32()?))).unwrap_or_default();
            if offset as usize != at || size as usize != data.len() {
                let detail = format!("container of {size} bytes with this header at {offset:#x}");
                issues.push(Issue::odd("dex.bad-header", at as u64 + 0x70, detail));
            }
        }
        let size = field(32) as usize;
        match size.cmp(&header.len()) {
            std::cmp::Ordering::Greater => {
                let detail = format!("{} of {size} bytes are there", header.len());
                issues.push(Issue::lossy("dex.cut-off", data.len() as u64, detail));
            }
            std::cmp::Ordering::Less if version < 41 => {
                let detail = format!("{} bytes after the end of the dex", header.len() - size);
                issues.push(Issue::odd("dex.trailing-data", size as u64, detail));
            }
            _ => {}
        }
        let mut dex = Dex {
            data,
            version,
            strings: Table::read(data, "strings", field(56), field(60), issues),
            types: Table::read(data, "types", field(64), field(68), issues),
            protos: Table::read(data, "prototypes", field(72), field(76), issues),
            fields: Table::read(data, "fields", field(80), field(84), issues),
            methods: Table::read(data, "methods", field(88), field(92), issues),
            classes: Table::read(data, "classes", field(96), field(100), issues),
            call_sites: Table::EMPTY,
            method_handles: Table::EMPTY,
        };
        dex.read_map(field(52), issues);
        dex.check_ids(issues);
        dex.check_strings(work, issues);
        dex.check_classes(work, issues);
        Ok((dex, size.max(least as usize)))
    }

    /// Call sites and method handles are found through the map only.
    fn read_map(&mut self, offset: u32, issues: &mut Vec<Issue>) {
        let mut map = Cursor { data: self.data, pos: offset as usize };
        let Some(count) = map.u32() else {
            issues.push(Issue::lossy("dex.offset-outside-file", u64::from(offset), "map outside the file"));
            return;
        };
        let rows: Table<'_, 12> =
            Table::read(self.data, "map entries", count, offset.saturating_add(4), issues);
        for row in rows.0 {
            let (count, offset) = (u32_at(row, 4), u32_at(row, 8));
            match u16_at(row, 0) {
                7 if self.call_sites.len() == 0 => {
                    self.call_sites = Table::read(self.data, "call sites", count, offset, issues);
                }
                8 if self.method_handles.len() == 0 => {
                    self.method_handles = Table::read(self.data, "method handles", count, offset, issues);
                }
                _ => {}
            }
        }
    }

    fn check_ids(&self, issues: &mut Vec<Issue>) {
        let (strings, types, protos) = (self.strings.len(), self.types.len(), self.protos.len());
        let code = "dex.index-outside-table";
        self.types.check(code, "types", issues, |row| u32_at(row, 0) < strings);
        self.protos.check(code, "prototypes", issues, |row| {
            let list = u32_at(row, 8);
            u32_at(row, 0) < strings && u32_at(row, 4) < types && (list == 0 || self.type_list_fits(list))
        });
        self.fields.check(code, "fields", issues, |row| {
            u16_at(row, 0) < types && u16_at(row, 2) < types && u32_at(row, 4) < strings
        });
        self.methods.check(code, "methods", issues, |row| {
            u16_at(row, 0) < types && u16_at(row, 2) < protos && u32_at(row, 4) < strings
        });
        let class = |index: u32| index == NO_INDEX || index < types;
        self.classes.check(code, "classes", issues, |row| {
            let source = u32_at(row, 16);
            let interfaces = u32_at(row, 12);
            u32_at(row, 0) < types
                && class(u32_at(row, 8))
                && (source == NO_INDEX || source < strings)
                && (interfaces == 0 || self.type_list_fits(interfaces))
        });
    }

    /// Strings that end nowhere; and where overlapping ones would have to be read again and again, the rest is dropped.
    fn check_strings(&mut self, work: &mut u64, issues: &mut Vec<Issue>) {
        let (mut bad, mut first) = (0u32, 0);
        for (index, row) in self.strings.0.iter().enumerate() {
            let text = string_at(self.data, u32_at(row, 0)).map(|(_, rest)| (rest, memchr::memchr(0, rest)));
            let cost = match text {
                Some((_, Some(end))) => end,
                Some((rest, None)) => rest.len(),
                None => 0,
            };
            if !matches!(text, Some((_, Some(_)))) {
                if bad == 0 {
                    first = index;
                }
                bad += 1;
            }
            match work.checked_sub(cost as u64) {
                Some(rest) => *work = rest,
                None => {
                    let detail = format!("strings overlap, {index} of {} read", self.strings.len());
                    issues.push(Issue::lossy("dex.overlapping-items", u64::from(u32_at(row, 0)), detail));
                    self.strings = Table(self.strings.0.get(..index).unwrap_or_default());
                    break;
                }
            }
        }
        if bad > 0 {
            let detail = format!(
                "{bad} of {} strings are cut off or outside the file, the first is {first}",
                self.strings.len()
            );
            issues.push(Issue::lossy("dex.bad-string", None, detail));
        }
    }

    /// Members and static values of every class; drops the classes that are left when overlapping data would have to be
    /// read again and again.
    fn check_classes(&mut self, work: &mut u64, issues: &mut Vec<Issue>) {
        let (mut bad, mut first) = (0u32, None);
        let mut read = self.classes.len();
        for index in 0..self.classes.len() {
            let Some(class) = self.class(index) else { continue };
            let mut cost = 0;
            let mut members = class.members();
            let mut good = true;
            for member in members.by_ref() {
                good &= match member {
                    Member::Field(field, _) => field.index < self.fields.len(),
                    Member::Method(method) => {
                        method.index < self.methods.len()
                            && method.code.is_none_or(|code| (code as usize) < self.data.len())
                    }
                };
            }
            good &= !members.broken;
            if class.data != 0 {
                cost += members.cursor.pos.saturating_sub(class.data as usize);
            }
            if class.values != 0 {
                let mut cursor = Cursor { data: self.data, pos: class.values as usize };
                good &= cursor.skip_array().is_some();
                cost += cursor.pos.saturating_sub(class.values as usize);
            }
            if !good {
                bad += 1;
                first = first.or(Some(index));
            }
            match work.checked_sub(cost as u64) {
                Some(rest) => *work = rest,
                None => {
                    let detail =
                        format!("class data overlap, {index} of {} classes read", self.classes.len());
                    issues.push(Issue::lossy("dex.overlapping-items", u64::from(class.data), detail));
                    read = index;
                    break;
                }
            }
        }
        if bad > 0 {
            let detail = format!(
                "members or values of {bad} of {} classes are cut off or point outside, the first is class {}",
                self.classes.len(),
                first.unwrap_or_default()
            );
            issues.push(Issue::lossy("dex.bad-class-data", None, detail));
        }
        self.classes = Table(self.classes.0.get(..read as usize).unwrap_or_default());
    }

    /// Version of the format, 35 to 41.
    pub fn version(&self) -> u16 {
        self.version
    }

    /// Number of strings.
    pub fn string_count(&self) -> u32 {
        self.strings.len()
    }

    /// A string. Unpaired surrogates and invalid bytes become U+FFFD.
    pub fn string(&self, index: u32) -> Option<Cow<'a, str>> {
        self.string_bytes(index).map(mutf8)
    }

    /// A string as it stands in the file (MUTF-8), without the final zero.
    pub fn string_bytes(&self, index: u32) -> Option<&'a [u8]> {
        let (_, rest) = string_at(self.data, u32_at(self.strings.get(index)?, 0))?;
        Some(rest.get(..memchr::memchr(0, rest)?).unwrap_or_default())
    }

    /// Offset in the file of the first byte of a string's text.
    pub fn string_offset(&self, index: u32) -> Option<u32> {
        string_at(self.data, u32_at(self.strings.get(index)?, 0)).map(|(offset, _)| offset)
    }

    /// A string that is a name, cut at a length that no honest name has.
    fn name_bytes(&self, index: u32) -> Option<&'a [u8]> {
        let (_, rest) = string_at(self.data, u32_at(self.strings.get(index)?, 0))?;
        let rest = rest.get(..MAX_NAME).unwrap_or(rest);
        Some(rest.get(..memchr::memchr(0, rest).unwrap_or(rest.len())).unwrap_or_default())
    }

    fn name(&self, index: u32) -> Cow<'a, str> {
        self.name_bytes(index).map(mutf8).unwrap_or_default()
    }

    /// Number of types.
    pub fn type_count(&self) -> u32 {
        self.types.len()
    }

    /// A type's descriptor: `Lcn/gov/example/PatrolActivity$1;`, `[I`. Cut after 1024 bytes.
    pub fn type_descriptor(&self, index: u32) -> Option<&'a [u8]> {
        self.name_bytes(u32_at(self.types.get(index)?, 0))
    }

    /// A type as Java writes it: `cn.gov.example.PatrolActivity$1`, `int[]`.
    pub fn type_name(&self, index: u32) -> Option<Cow<'a, str>> {
        self.type_descriptor(index).map(java_name)
    }

    /// Number of methods referred to.
    pub fn method_count(&self) -> u32 {
        self.methods.len()
    }

    /// A method referred to.
    pub fn method(&self, index: u32) -> Option<MethodRef<'_>> {
        let row = self.methods.get(index)?;
        Some(MethodRef { dex: self, class: u16_at(row, 0), proto: u16_at(row, 2), name: u32_at(row, 4) })
    }

    /// Number of fields referred to.
    pub fn field_count(&self) -> u32 {
        self.fields.len()
    }

    /// A field referred to.
    pub fn field(&self, index: u32) -> Option<FieldRef<'_>> {
        let row = self.fields.get(index)?;
        Some(FieldRef { dex: self, class: u16_at(row, 0), type_index: u16_at(row, 2), name: u32_at(row, 4) })
    }

    /// The classes defined here, in the order of the file.
    pub fn classes(&self) -> impl Iterator<Item = Class<'_>> {
        (0..self.classes.len()).filter_map(|index| self.class(index))
    }

    /// A class by its row.
    pub fn class(&self, index: u32) -> Option<Class<'_>> {
        let row = self.classes.get(index)?;
        let some = |index: u32| (index != NO_INDEX).then_some(index);
        Some(Class {
            dex: self,
            index,
            type_index: u32_at(row, 0),
            access: u32_at(row, 4),
            superclass: some(u32_at(row, 8)),
            source_file: some(u32_at(row, 16)),
            interfaces: u32_at(row, 12),
            annotations: u32_at(row, 20),
            data: u32_at(row, 24),
            values: u32_at(row, 28),
        })
    }

    /// Letters of a prototype, the returned one first: `VIJL`.
    fn shorty(&self, proto: u32) -> &'a [u8] {
        self.protos.get(proto).and_then(|row| self.name_bytes(u32_at(row, 0))).unwrap_or_default()
    }

    /// Type index of what a prototype returns.
    fn returned(&self, proto: u32) -> Option<u32> {
        self.protos.get(proto).map(|row| u32_at(row, 4))
    }

    fn type_list_fits(&self, offset: u32) -> bool {
        let mut cursor = Cursor { data: self.data, pos: offset as usize };
        cursor.u32().is_some_and(|count| count as usize <= cursor.rest().len() / 2)
    }

    /// The types of a list that are inside the file; none for offset 0.
    fn type_list(&self, offset: u32) -> impl Iterator<Item = u32> + use<'a> {
        let mut cursor = Cursor { data: self.data, pos: offset as usize };
        let count = if offset == 0 { 0 } else { cursor.u32().unwrap_or_default() };
        cursor.rest().as_chunks::<2>().0.iter().take(count as usize).map(|row| u16_at(row, 0))
    }
}

fn version(digits: [u8; 3]) -> Option<u16> {
    digits.iter().try_fold(0, |n, d| d.is_ascii_digit().then(|| n * 10 + u16::from(d - b'0')))
}

/// Offset and bytes of a string's text, up to the end of the file.
#[inline]
fn string_at(data: &[u8], offset: u32) -> Option<(u32, &[u8])> {
    let mut cursor = Cursor { data, pos: offset as usize };
    cursor.uleb()?;
    Some((cursor.pos as u32, cursor.rest()))
}

/// A descriptor as Java writes it.
fn java_name(descriptor: &[u8]) -> Cow<'_, str> {
    let dims = descriptor.iter().take_while(|&&b| b == b'[').count();
    let element = descriptor.get(dims..).unwrap_or_default();
    let name = match element {
        b"V" => Cow::Borrowed("void"),
        b"Z" => Cow::Borrowed("boolean"),
        b"B" => Cow::Borrowed("byte"),
        b"S" => Cow::Borrowed("short"),
        b"C" => Cow::Borrowed("char"),
        b"I" => Cow::Borrowed("int"),
        b"J" => Cow::Borrowed("long"),
        b"F" => Cow::Borrowed("float"),
        b"D" => Cow::Borrowed("double"),
        [b'L', name @ .., b';'] => match mutf8(name) {
            name if name.contains('/') => Cow::Owned(name.replace('/', ".")),
            name => name,
        },
        other => mutf8(other),
    };
    if dims == 0 { name } else { Cow::Owned(name.into_owned() + &"[]".repeat(dims)) }
}

/// Modified UTF-8: zero is `C0 80`, characters beyond the first plane are two surrogates of three bytes each.
pub(in crate::decode) fn mutf8(bytes: &[u8]) -> Cow<'_, str> {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let mut text = String::with_capacity(bytes.len());
    let mut rest = bytes;
    while let [first, tail @ ..] = rest {
        let (character, length) = match (first, tail) {
            (0..0x80, _) => (char::from(*first), 1),
            (0xc0..0xe0, [b, ..]) if b & 0xc0 == 0x80 => {
                let unit = u32::from(first & 0x1f) << 6 | u32::from(b & 0x3f);
                (char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), 2)
            }
            (0xe0..0xf0, _) => match (unit3(rest), rest.get(3..).and_then(unit3)) {
                (Some(high @ 0xd800..0xdc00), Some(low @ 0xdc00..0xe000)) => {
                    let point = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                    (char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER), 6)
                }
                (Some(unit), _) => (char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), 3),
                (None, _) => (char::REPLACEMENT_CHARACTER, 1),
            },
            // Not modified UTF-8, but some tools write it.
            (0xf0..0xf8, [b, c, d, ..]) if [b, c, d].iter().all(|b| *b & 0xc0 == 0x80) => {
                let high = u32::from(first & 7) << 18 | u32::from(b & 0x3f) << 12;
                let point = high | u32::from(c & 0x3f) << 6 | u32::from(d & 0x3f);
                (char::from_u32(point).unwrap_or(char::REPLACEMENT_CHARACTER), 4)
            }
            _ => (char::REPLACEMENT_CHARACTER, 1),
        };
        text.push(character);
        rest = rest.get(length..).unwrap_or_default();
    }
    Cow::Owned(text)
}

/// The UTF-16 unit of a three-byte sequence.
fn unit3(bytes: &[u8]) -> Option<u32> {
    match bytes {
        [a @ 0xe0..0xf0, b, c, ..] if b & 0xc0 == 0x80 && c & 0xc0 == 0x80 => {
            Some(u32::from(a & 0xf) << 12 | u32::from(b & 0x3f) << 6 | u32::from(c & 0x3f))
        }
        _ => None,
    }
}

/// A row of the method table.
#[derive(Debug, Clone, Copy)]
pub struct MethodRef<'d> {
    dex: &'d Dex<'d>,
    /// Type index of the class.
    pub class: u32,
    /// Index of the prototype.
    pub proto: u32,
    /// String index of the name.
    pub name: u32,
}

impl<'d> MethodRef<'d> {
    /// Dotted name of the class; empty when broken.
    pub fn class_name(&self) -> Cow<'d, str> {
        self.dex.type_name(self.class).unwrap_or_default()
    }

    /// Name; empty when broken.
    pub fn name(&self) -> Cow<'d, str> {
        self.dex.name(self.name)
    }

    /// Type indexes of the parameters.
    pub fn parameters(&self) -> impl Iterator<Item = u32> + use<'d> {
        let list = self.dex.protos.get(self.proto).map_or(0, |row| u32_at(row, 8));
        self.dex.type_list(list)
    }

    /// Type index of what is returned.
    pub fn return_type(&self) -> Option<u32> {
        self.dex.returned(self.proto)
    }
}

/// A row of the field table.
#[derive(Debug, Clone, Copy)]
pub struct FieldRef<'d> {
    dex: &'d Dex<'d>,
    /// Type index of the class.
    pub class: u32,
    /// Type index of the field's own type.
    pub type_index: u32,
    /// String index of the name.
    pub name: u32,
}

impl<'d> FieldRef<'d> {
    /// Dotted name of the class; empty when broken.
    pub fn class_name(&self) -> Cow<'d, str> {
        self.dex.type_name(self.class).unwrap_or_default()
    }

    /// Name; empty when broken.
    pub fn name(&self) -> Cow<'d, str> {
        self.dex.name(self.name)
    }

    /// Java name of the field's type; empty when broken.
    pub fn type_name(&self) -> Cow<'d, str> {
        self.dex.type_name(self.type_index).unwrap_or_default()
    }
}

/// A class defined in the dex.
#[derive(Debug, Clone, Copy)]
pub struct Class<'d> {
    dex: &'d Dex<'d>,
    /// Row in the table of classes.
    pub index: u32,
    /// Type index of the class.
    pub type_index: u32,
    /// Access flags.
    pub access: u32,
    /// Type index of the superclass.
    pub superclass: Option<u32>,
    /// String index of the source file.
    pub source_file: Option<u32>,
    interfaces: u32,
    annotations: u32,
    data: u32,
    values: u32,
}

impl<'d> Class<'d> {
    /// Descriptor: `Lcn/gov/example/PatrolActivity$1;`; empty when broken.
    pub fn descriptor(&self) -> &'d [u8] {
        self.dex.type_descriptor(self.type_index).unwrap_or_default()
    }

    /// Dotted name; empty when broken.
    pub fn name(&self) -> Cow<'d, str> {
        self.dex.type_name(self.type_index).unwrap_or_default()
    }

    /// Type indexes of the interfaces.
    pub fn interfaces(&self) -> impl Iterator<Item = u32> + use<'d> {
        self.dex.type_list(self.interfaces)
    }

    /// Direct, then virtual methods.
    pub fn methods(&self) -> impl Iterator<Item = Method> + use<'d> {
        self.members().filter_map(|member| match member {
            Member::Method(method) => Some(method),
            Member::Field(..) => None,
        })
    }

    /// Static, then instance fields.
    pub fn fields(&self) -> impl Iterator<Item = Field> + use<'d> {
        self.members().map_while(|member| match member {
            Member::Field(field, _) => Some(field),
            Member::Method(_) => None,
        })
    }

    /// Static fields with the values they start with; those that start with zero or null may be left out.
    pub fn static_values(&self) -> impl Iterator<Item = (Field, Encoded<'d>)> + use<'d> {
        let bytes = match self.values {
            0 => &[],
            offset => self.dex.data.get(offset as usize..).unwrap_or_default(),
        };
        let fields = self.members().map_while(|member| match member {
            Member::Field(field, true) => Some(field),
            _ => None,
        });
        fields.zip(EncodedArray { bytes }.iter())
    }

    fn members(&self) -> Members<'d> {
        let mut cursor = Cursor { data: self.dex.data, pos: self.data as usize };
        let mut counts = [0; 4];
        let mut broken = false;
        if self.data != 0 {
            for count in &mut counts {
                match cursor.uleb() {
                    Some(n) => *count = n,
                    None => broken = true,
                }
            }
        }
        Members { cursor, counts, list: 0, index: 0, broken }
    }
}

enum Member {
    /// A field, and whether it is static.
    Field(Field, bool),
    Method(Method),
}

/// The four lists of a `class_data_item`.
struct Members<'d> {
    cursor: Cursor<'d>,
    /// What is left of each list.
    counts: [u32; 4],
    list: usize,
    /// Indexes are stored as differences within a list.
    index: u32,
    broken: bool,
}

impl Iterator for Members<'_> {
    type Item = Member;

    fn next(&mut self) -> Option<Member> {
        while *self.counts.get(self.list)? == 0 {
            self.list += 1;
            self.index = 0;
        }
        let member = self.read();
        if member.is_none() {
            self.broken = true;
            self.list = self.counts.len();
        }
        member
    }
}

impl Members<'_> {
    fn read(&mut self) -> Option<Member> {
        *self.counts.get_mut(self.list)? -= 1;
        self.index = self.index.checked_add(self.cursor.uleb()?)?;
        let (index, access) = (self.index, self.cursor.uleb()?);
        if self.list < 2 {
            return Some(Member::Field(Field { index, access }, self.list == 0));
        }
        let code = self.cursor.uleb()?;
        Some(Member::Method(Method { index, access, code: (code != 0).then_some(code) }))
    }
}

/// A method that a class defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method {
    /// Index in the method table.
    pub index: u32,
    /// Access flags.
    pub access: u32,
    /// Offset of its code in the file; none when abstract or native.
    pub code: Option<u32>,
}

/// A field that a class defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Index in the field table.
    pub index: u32,
    /// Access flags.
    pub access: u32,
}

/// A value as annotations and static fields hold it. Indexes point into the table of their kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Encoded<'d> {
    /// `byte`, `short`, `char`, `int` or `long`.
    Int(i64),
    /// `float` or `double`.
    Float(f64),
    /// Index of a string.
    String(u32),
    /// Index of a type.
    Type(u32),
    /// Index of a field.
    Field(u32),
    /// Index of an enum constant's field.
    Enum(u32),
    /// Index of a method.
    Method(u32),
    /// Index of a method type (prototype).
    MethodType(u32),
    /// Index of a method handle.
    MethodHandle(u32),
    /// An array.
    Array(EncodedArray<'d>),
    /// An annotation within an annotation.
    Annotation(Annotation<'d>),
    /// `null`.
    Null,
    /// A truth value.
    Bool(bool),
}

/// An array of values, decoded while it is iterated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EncodedArray<'d> {
    bytes: &'d [u8],
}

impl<'d> EncodedArray<'d> {
    /// The values; ends early where the bytes are broken.
    pub fn iter(&self) -> impl Iterator<Item = Encoded<'d>> + use<'d> {
        let mut cursor = Cursor { data: self.bytes, pos: 0 };
        let mut left = cursor.uleb().unwrap_or_default();
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let value = cursor.value();
            if value.is_none() {
                left = 0;
            }
            value
        })
    }
}

/// An annotation, decoded while it is iterated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Annotation<'d> {
    /// Type index.
    pub type_index: u32,
    bytes: &'d [u8],
}

impl<'d> Annotation<'d> {
    /// String index of the name and value of each element; ends early where the bytes are broken.
    pub fn elements(&self) -> impl Iterator<Item = (u32, Encoded<'d>)> + use<'d> {
        let mut cursor = Cursor { data: self.bytes, pos: 0 };
        let mut left = cursor.uleb().unwrap_or_default();
        std::iter::from_fn(move || {
            left = left.checked_sub(1)?;
            let element = cursor.uleb().and_then(|name| Some((name, cursor.value()?)));
            if element.is_none() {
                left = 0;
            }
            element
        })
    }
}

/// Reads forward; every read is checked.
#[derive(Debug, Clone, Copy)]
struct Cursor<'d> {
    data: &'d [u8],
    pos: usize,
}

impl<'d> Cursor<'d> {
    fn rest(&self) -> &'d [u8] {
        self.data.get(self.pos..).unwrap_or_default()
    }

    fn u8(&mut self) -> Option<u8> {
        let byte = *self.data.get(self.pos)?;
        self.pos += 1;
        Some(byte)
    }

    fn u32(&mut self) -> Option<u32> {
        let bytes = self.rest().first_chunk()?;
        self.pos += 4;
        Some(u32::from_le_bytes(*bytes))
    }

    /// `uleb128` of at most five bytes.
    #[inline]
    fn uleb(&mut self) -> Option<u32> {
        let mut value = 0u32;
        for shift in [0, 7, 14, 21, 28] {
            let byte = self.u8()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// `count` bytes, least significant first.
    fn bytes(&mut self, count: usize) -> Option<u64> {
        let bytes = self.rest().get(..count)?;
        self.pos += count;
        Some(bytes.iter().rev().fold(0, |n, &b| n << 8 | u64::from(b)))
    }

    /// An `encoded_value`.
    fn value(&mut self) -> Option<Encoded<'d>> {
        let head = self.u8()?;
        let argument = head >> 5;
        let size = usize::from(argument) + 1;
        let missing = 64 - 8 * size as u32;
        let index = |cursor: &mut Self| u32::try_from(cursor.bytes(size)?).ok();
        Some(match head & 0x1f {
            0x00 | 0x02 | 0x04 | 0x06 => Encoded::Int((self.bytes(size)? << missing) as i64 >> missing),
            0x03 => Encoded::Int(self.bytes(size)? as i64),
            0x10 if size <= 4 => {
                Encoded::Float(f32::from_bits((self.bytes(size)? << (32 - 8 * size)) as u32).into())
            }
            0x11 => Encoded::Float(f64::from_bits(self.bytes(size)? << missing)),
            0x15 => Encoded::MethodType(index(self)?),
            0x16 => Encoded::MethodHandle(index(self)?),
            0x17 => Encoded::String(index(self)?),
            0x18 => Encoded::Type(index(self)?),
            0x19 => Encoded::Field(index(self)?),
            0x1a => Encoded::Method(index(self)?),
            0x1b => Encoded::Enum(index(self)?),
            0x1c => {
                let start = self.pos;
                self.skip_array()?;
                Encoded::Array(EncodedArray { bytes: self.data.get(start..self.pos)? })
            }
            0x1d => Encoded::Annotation(self.annotation()?),
            0x1e => Encoded::Null,
            0x1f => Encoded::Bool(argument != 0),
            _ => return None,
        })
    }

    /// An `encoded_annotation`.
    fn annotation(&mut self) -> Option<Annotation<'d>> {
        let type_index = self.uleb()?;
        let start = self.pos;
        let count = self.uleb()?;
        self.skip_values(count, true)?;
        Some(Annotation { type_index, bytes: self.data.get(start..self.pos)? })
    }

    /// Passes over an `encoded_array`.
    fn skip_array(&mut self) -> Option<()> {
        let count = self.uleb()?;
        self.skip_values(count, false)
    }

    /// Passes over `count` values, each after a name if they are elements of an annotation. The values around the
    /// present one wait on a stack of fixed height.
    fn skip_values(&mut self, count: u32, named: bool) -> Option<()> {
        let mut stack = [(0, false); MAX_NESTING];
        let mut depth = 0;
        let (mut left, mut named) = (count, named);
        loop {
            while left == 0 {
                if depth == 0 {
                    return Some(());
                }
                depth -= 1;
                (left, named) = *stack.get(depth)?;
            }
            left -= 1;
            if named {
                self.uleb()?;
            }
            let head = self.u8()?;
            let inner = match head & 0x1f {
                0x00 | 0x02..=0x04 | 0x06 | 0x10 | 0x11 | 0x15..=0x1b => {
                    let size = usize::from(head >> 5) + 1;
                    self.rest().get(..size)?;
                    self.pos += size;
                    continue;
                }
                0x1e | 0x1f => continue,
                0x1c => false,
                0x1d => {
                    self.uleb()?;
                    true
                }
                _ => return None,
            };
            *stack.get_mut(depth)? = (left, named);
            depth += 1;
            (left, named) = (self.uleb()?, inner);
        }
    }
}
