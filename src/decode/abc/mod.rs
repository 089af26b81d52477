//! ArkCompiler bytecode (`modules.abc`): classes, methods, module records, strings and literal arrays; [`code`]
//! follows what a method does with a literal.
//!
//! Format: openharmony/arkcompiler_runtime_core `docs/file_format.md`, `docs/changelogs/` (12.0.1.0, 12.0.4.0,
//! 13.0.0.0), `libpandafile/file.h`, `method_data_accessor.cpp`, `literal_data_accessor-inl.h` and `isa/isa.yaml`;
//! module records as Yricky/abcde `ModuleLiteralArray.kt` reads them. All numbers are little-endian.

pub mod code;

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use thiserror::Error;

use super::dex::mutf8;
use super::res_chunk::{u16_at, u32_at};
use super::{Decoder, Issue, Limit, Unit};

/// What this file reads.
pub const DECODER: Decoder = Decoder {
    name: "abc",
    version: 1,
    reads: ("方舟字节码 modules.abc", "ArkCompiler bytecode, modules.abc"),
    limits: &[Limit {
        what: ("字面量数组", "literals of one array"),
        amount: MAX_LITERALS as u64,
        unit: Unit::Count,
    }],
};

const MAGIC: &[u8] = b"PANDA\0\0\0";
const HEADER: usize = 60;
const REGION: usize = 40;
const NONE: u32 = u32::MAX;

/// Main versions whose code is read: 9 (API 9) to 13 and 24 (API 24); the numbers between were never given.
const VERSIONS: &[Range<u8>] = &[9..14, 24..25];

/// Why nothing of a file could be read as bytecode.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AbcError {
    /// Shorter than its header.
    #[error("bytecode of {0} bytes is shorter than its header")]
    Truncated(usize),
    /// The head is another one: encrypted, packed, or no bytecode.
    #[error("not ArkCompiler bytecode")]
    NotBytecode,
    /// A version whose instructions are not known.
    #[error("bytecode of version {}.{}.{}.{} is not read", .0[0], .0[1], .0[2], .0[3])]
    Version([u8; 4]),
}

/// A class: in bytecode of ArkTS one source file.
#[derive(Debug, Clone)]
pub struct Class<'a> {
    /// Record name without `L` and `;`: `&entry/src/main/ets/pages/Index&`, `com.example/entry/ets/pages/Index`.
    pub name: Cow<'a, str>,
    /// Offset in the file.
    pub offset: u32,
    /// Indices of its methods.
    pub methods: Range<usize>,
    /// What it takes from and gives to other files.
    pub module: Module<'a>,
}

/// The module record of a class.
#[derive(Debug, Clone, Default)]
pub struct Module<'a> {
    /// What is imported from: `@ohos:router`, `&entry/src/main/ets/model/Task&`.
    pub requests: Vec<Cow<'a, str>>,
    /// Imported names, in the order that instructions count them by.
    pub imports: Vec<Import<'a>>,
}

/// One imported name.
#[derive(Debug, Clone)]
pub struct Import<'a> {
    /// Name in this file.
    pub local: Cow<'a, str>,
    /// Name in the other file; `default` for the default export.
    pub name: Cow<'a, str>,
    /// Index into [`Module::requests`].
    pub request: usize,
}

/// A method or function.
#[derive(Debug, Clone)]
pub struct Method<'a> {
    /// Index of its class.
    pub class: usize,
    /// Name as stored; see [`Method::plain_name`].
    pub name: Cow<'a, str>,
    /// Offset in the file.
    pub offset: u32,
    code: Option<u32>,
}

impl Method<'_> {
    /// The name in the source: without the scopes that compilers since 12.0.4.0 put before it
    /// (`#~@0>#onPunch`); empty for a function without a name, `func_main_0` for the file itself.
    pub fn plain_name(&self) -> &str {
        let scopes = self.name.strip_prefix('#').and_then(|rest| rest.rsplit_once('#'));
        let name = scopes.map_or(&*self.name, |(_, name)| name);
        // A number tells namesakes apart.
        name.split('^').next().unwrap_or(name)
    }
}

#[derive(Debug, Clone, Copy)]
struct Region {
    start: u32,
    end: u32,
    indices: u32,
    count: u32,
}

/// A value of a literal array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Literal {
    /// A string, by offset.
    String(u32),
    /// A number.
    Integer(u32),
    /// A function, by offset.
    Method(u32),
    /// Anything else.
    Other,
}

/// A bytecode file.
#[derive(Debug)]
pub struct Abc<'a> {
    bytes: &'a [u8],
    version: [u8; 4],
    classes: Vec<Class<'a>>,
    methods: Vec<Method<'a>>,
    by_offset: HashMap<u32, usize, foldhash::fast::FixedState>,
    regions: Vec<Region>,
}

impl<'a> Abc<'a> {
    /// Reads the tables; what is broken is left out and told as an issue.
    pub fn parse(bytes: &'a [u8]) -> Result<(Self, Vec<Issue>), AbcError> {
        if bytes.get(..8) != Some(MAGIC) {
            return Err(AbcError::NotBytecode);
        }
        let Some(head) = bytes.get(..HEADER) else { return Err(AbcError::Truncated(bytes.len())) };
        let version = [head[12], head[13], head[14], head[15]];
        if !VERSIONS.iter().any(|known| known.contains(&version[0])) {
            return Err(AbcError::Version(version));
        }
        let field = |at| u32_at(bytes, at).unwrap_or_default();
        let mut reader = Reader {
            bytes,
            foreign: field(20)..field(20).saturating_add(field(24)),
            classes: Vec::new(),
            methods: Vec::new(),
            budget: bytes.len(),
            issues: Vec::new(),
        };
        if (field(16) as usize) > bytes.len() {
            let detail = format!("{} of {} bytes are there", bytes.len(), field(16));
            reader.lossy("abc.truncated", 16, detail);
        }
        let regions = reader.regions(field(56), field(52));
        reader.all_classes(field(32), field(28));
        let Reader { classes, methods, issues, .. } = reader;
        let by_offset = methods.iter().enumerate().map(|(index, method)| (method.offset, index)).collect();
        Ok((Abc { bytes, version, classes, methods, by_offset, regions }, issues))
    }

    /// Version of the file: `[12, 0, 6, 0]`.
    pub fn version(&self) -> [u8; 4] {
        self.version
    }

    /// The classes, in the order of the file's index.
    pub fn classes(&self) -> &[Class<'a>] {
        &self.classes
    }

    /// The methods, class by class.
    pub fn methods(&self) -> &[Method<'a>] {
        &self.methods
    }

    /// Index of the method at an offset.
    pub fn method_at(&self, offset: u32) -> Option<usize> {
        self.by_offset.get(&offset).copied()
    }

    /// The string at an offset.
    pub fn string(&self, offset: u32) -> Option<Cow<'a, str>> {
        string(self.bytes, offset as usize).map(|(text, _)| text)
    }

    /// The name at an offset; none when it is longer than names are.
    pub fn name(&self, offset: u32) -> Option<Cow<'a, str>> {
        name(self.bytes, offset as usize).map(|(text, _)| text)
    }

    /// What an index in the code of a method stands for: the offset of a string, method or literal array.
    fn resolve(&self, method: u32, index: u16) -> Option<u32> {
        let after = self.regions.partition_point(|region| region.start <= method);
        let region = self.regions.get(after.checked_sub(1)?).filter(|region| method < region.end)?;
        let index = u32::from(index);
        (index < region.count).then(|| u32_at(self.bytes, (region.indices + index * 4) as usize)).flatten()
    }

    /// The values of a literal array, up to a count that no honest table of texts reaches.
    pub fn literals(&self, offset: u32) -> Vec<Literal> {
        let at = offset as usize;
        let mut values = Vec::new();
        // Tags count too.
        let Some(count) = u32_at(self.bytes, at).map(|count| count / 2) else { return values };
        let mut at = at + 4;
        for _ in 0..count.min(MAX_LITERALS) {
            let Some(&tag) = self.bytes.get(at) else { break };
            at += 1;
            let (value, size) = match tag {
                0x05 => (u32_at(self.bytes, at).map(Literal::String), 4),
                0x02 | 0x17 => (u32_at(self.bytes, at).map(Literal::Integer), 4),
                0x06 | 0x07 | 0x16 | 0x1a | 0x1b => (u32_at(self.bytes, at).map(Literal::Method), 4),
                0x03 | 0x18 | 0x1c => (Some(Literal::Other), 4),
                0x04 => (Some(Literal::Other), 8),
                0x00 | 0x01 | 0x08 | 0x19 | 0xff => (Some(Literal::Other), 1),
                0x09 => (Some(Literal::Other), 2),
                // Arrays of one type belong to statically typed languages.
                _ => (None, 0),
            };
            let Some(value) = value else { break };
            values.push(value);
            at += size;
        }
        values
    }

    /// Strings that the index of a region holds, for methods whose code cannot be followed: offset and text.
    pub fn indexed_strings(&self) -> Vec<(u32, Cow<'a, str>)> {
        let mut offsets: Vec<u32> = Vec::new();
        let mut budget = self.bytes.len() / 4;
        for region in &self.regions {
            let count = (region.count as usize).min(budget);
            budget -= count;
            offsets.extend(
                (0..count).filter_map(|index| u32_at(self.bytes, region.indices as usize + index * 4)),
            );
        }
        offsets.sort_unstable();
        offsets.dedup();
        offsets.retain(|offset| !self.by_offset.contains_key(offset));
        // Strings of an honest file do not overlap.
        let mut left = self.bytes.len();
        let mut found = Vec::new();
        for offset in offsets {
            let Some(text) = strict_string(self.bytes, offset as usize) else { continue };
            let Some(rest) = left.checked_sub(text.len()) else { break };
            left = rest;
            found.push((offset, text));
        }
        found
    }
}

/// So many values of one literal array are read.
const MAX_LITERALS: u32 = 1 << 16;

/// Strings with characters beyond ASCII in a file whose tables cannot be read, with their offsets.
///
/// A string is a length in UTF-16 units, shifted by one, then text that ends with a zero; what only looks so by
/// accident is rarely that long.
pub fn strings_anywhere(bytes: &[u8]) -> Vec<(u32, Cow<'_, str>)> {
    let mut found = Vec::new();
    let mut start = 0;
    for end in memchr::memchr_iter(0, bytes) {
        let run = &bytes[start..end];
        if !run.is_ascii() {
            // From the end backwards, as far as it is text; the longest piece whose length stands before it.
            let (mut at, mut units, mut wide, mut best) = (run.len(), 0_usize, false, None);
            while at > 0 {
                let mut first = at - 1;
                while first > 0 && run[first] & 0xC0 == 0x80 && at - first < 4 {
                    first -= 1;
                }
                let Some(character) =
                    std::str::from_utf8(&run[first..at]).ok().and_then(|text| text.chars().next())
                else {
                    break;
                };
                units += character.len_utf16();
                wide |= !character.is_ascii();
                at = first;
                if wide && length_before(bytes, start + at) == Some(units << 1) {
                    best = Some(at);
                }
            }
            if let Some(at) = best {
                let offset = start + at - if units << 1 < 0x80 { 1 } else { 2 };
                found.push((offset as u32, mutf8(&run[at..])));
            }
        }
        start = end + 1;
    }
    found
}

/// The number of one or two bytes that ends before an offset.
fn length_before(bytes: &[u8], at: usize) -> Option<usize> {
    let last = usize::from(*bytes.get(at.checked_sub(1)?)?);
    if last >= 0x80 {
        return None;
    }
    match at.checked_sub(2).and_then(|before| bytes.get(before)) {
        Some(&before) if before >= 0x80 && last > 0 => Some(usize::from(before & 0x7F) | last << 7),
        _ => Some(last),
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    foreign: Range<u32>,
    classes: Vec<Class<'a>>,
    methods: Vec<Method<'a>>,
    /// Bytes that tables may still take; those of an honest file do not overlap.
    budget: usize,
    issues: Vec<Issue>,
}

impl<'a> Reader<'a> {
    fn lossy(&mut self, code: &'static str, at: usize, detail: impl Into<String>) {
        if self.issues.iter().all(|issue| issue.code != code) {
            self.issues.push(Issue::lossy(code, at as u64, detail));
        }
    }

    /// Takes bytes from the budget.
    fn take(&mut self, bytes: usize) -> Option<()> {
        let left = self.budget.checked_sub(bytes);
        self.budget = left.unwrap_or_default();
        left.map(|_| ())
    }

    /// The name at an offset, empty when broken; one that had to be decoded counts as taken.
    fn name(&mut self, offset: u32) -> Cow<'a, str> {
        let name = name(self.bytes, offset as usize).map(|(name, _)| name).unwrap_or_default();
        if let Cow::Owned(name) = &name {
            self.budget = self.budget.saturating_sub(name.len());
        }
        name
    }

    fn regions(&mut self, at: u32, count: u32) -> Vec<Region> {
        let mut regions = Vec::new();
        for index in 0..count as usize {
            let at = at as usize + index * REGION;
            let field = |offset| u32_at(self.bytes, at + offset);
            let (Some(start), Some(end), Some(count), Some(indices)) =
                (field(0), field(4), field(16), field(20))
            else {
                self.lossy("abc.truncated", at, "the index of regions ends early");
                break;
            };
            let fits = u64::from(indices) + u64::from(count) * 4 <= self.bytes.len() as u64;
            if !fits {
                self.lossy(
                    "abc.bad-region",
                    at,
                    format!("the region at {start:#x} has an index outside the file"),
                );
            }
            regions.push(Region { start, end, indices, count: if fits { count } else { 0 } });
        }
        regions.sort_by_key(|region| region.start);
        regions
    }

    fn all_classes(&mut self, at: u32, count: u32) {
        for index in 0..count as usize {
            let Some(offset) = u32_at(self.bytes, at as usize + index * 4) else {
                self.lossy("abc.truncated", at as usize + index * 4, "the index of classes ends early");
                return;
            };
            if self.foreign.contains(&offset) {
                continue;
            }
            let known = self.methods.len();
            if self.class(offset).is_none() {
                self.lossy("abc.bad-class", offset as usize, "a class is cut, or overlaps others");
                // Methods that were read before the break belong to a class all the same.
                if self.methods.len() > known && self.methods[known].class == self.classes.len() {
                    let name = self.name(offset);
                    let methods = known..self.methods.len();
                    self.classes.push(Class {
                        name: plain(name),
                        offset,
                        methods,
                        module: Module::default(),
                    });
                }
                if self.budget == 0 {
                    return;
                }
            }
        }
    }

    fn class(&mut self, offset: u32) -> Option<()> {
        let (name, mut at) = name(self.bytes, offset as usize)?;
        self.take(at - offset as usize + 8)?;
        // The superclass and the access flags.
        at += 4;
        uleb(self.bytes, &mut at)?;
        let fields = uleb(self.bytes, &mut at)?;
        let methods = uleb(self.bytes, &mut at)?;
        loop {
            let tag = *self.bytes.get(at)?;
            at += 1;
            match tag {
                0 => break,
                1 => {
                    let count = uleb(self.bytes, &mut at)? as usize;
                    at = at.checked_add(count.checked_mul(2)?)?;
                }
                2 => at += 1,
                3..=7 => at += 4,
                _ => return None,
            }
        }
        let mut record = None;
        for _ in 0..fields {
            self.take(9)?;
            let field_name = u32_at(self.bytes, at + 4)?;
            at += 8;
            uleb(self.bytes, &mut at)?;
            let mut value = None;
            loop {
                let tag = *self.bytes.get(at)?;
                at += 1;
                match tag {
                    0 => break,
                    1 => value = Some(uleb(self.bytes, &mut at)?),
                    2 => {
                        value = Some(u32_at(self.bytes, at)?);
                        at += 4;
                    }
                    3..=6 => at += 4,
                    _ => return None,
                }
            }
            if value.is_some() && self.name(field_name) == "moduleRecordIdx" {
                record = value.filter(|value| *value != NONE);
            }
        }
        let first = self.methods.len();
        for _ in 0..methods {
            self.take(10)?;
            let method = at;
            let method_name = u32_at(self.bytes, at + 4)?;
            at += 8;
            uleb(self.bytes, &mut at)?;
            let mut code = None;
            loop {
                let tag = *self.bytes.get(at)?;
                at += 1;
                match tag {
                    0 => break,
                    1 => {
                        code = Some(u32_at(self.bytes, at)?);
                        at += 4;
                    }
                    2 => at += 1,
                    3..=9 => at += 4,
                    _ => return None,
                }
            }
            let name = self.name(method_name);
            self.methods.push(Method { class: self.classes.len(), name, offset: method as u32, code });
        }
        let module = record.and_then(|record| self.module(record as usize)).unwrap_or_default();
        self.classes.push(Class { name: plain(name), offset, methods: first..self.methods.len(), module });
        Some(())
    }

    /// Count of literals, requests, regular imports; what follows (namespaces, exports) is not needed.
    fn module(&mut self, at: usize) -> Option<Module<'a>> {
        let mut module = Module::default();
        let count = u32_at(self.bytes, at.checked_add(4)?)? as usize;
        let mut at = at + 8;
        for _ in 0..count {
            self.take(4)?;
            let request = u32_at(self.bytes, at)?;
            module.requests.push(self.name(request));
            at += 4;
        }
        let imports = u32_at(self.bytes, at)?;
        at += 4;
        for _ in 0..imports {
            self.take(10)?;
            let (local, name) = (u32_at(self.bytes, at)?, u32_at(self.bytes, at + 4)?);
            let (local, name) = (self.name(local), self.name(name));
            module.imports.push(Import { local, name, request: usize::from(u16_at(self.bytes, at + 8)?) });
            at += 10;
        }
        Some(module)
    }
}

/// A record name without the marks of a descriptor.
fn plain(name: Cow<'_, str>) -> Cow<'_, str> {
    match name {
        Cow::Borrowed(name) => {
            Cow::Borrowed(name.strip_prefix('L').and_then(|name| name.strip_suffix(';')).unwrap_or(name))
        }
        Cow::Owned(name) => {
            let plain = name.strip_prefix('L').and_then(|name| name.strip_suffix(';'));
            Cow::Owned(plain.unwrap_or(&name).to_owned())
        }
    }
}

/// Longest name that is read, in bytes.
const MAX_NAME: usize = 1024;
/// Longest string that is read, in bytes.
const MAX_TEXT: usize = 1 << 20;

/// The name at an offset, and where what follows begins.
fn name(bytes: &[u8], offset: usize) -> Option<(Cow<'_, str>, usize)> {
    string_of(bytes, offset, MAX_NAME)
}

/// The string at an offset, and where what follows begins.
fn string(bytes: &[u8], offset: usize) -> Option<(Cow<'_, str>, usize)> {
    string_of(bytes, offset, MAX_TEXT)
}

fn string_of(bytes: &[u8], offset: usize, most: usize) -> Option<(Cow<'_, str>, usize)> {
    if offset < HEADER {
        return None;
    }
    let mut at = offset;
    let units = uleb(bytes, &mut at)? >> 1;
    // A unit has at most three bytes.
    let most = (units as usize).saturating_mul(3).min(most).saturating_add(1);
    let rest = bytes.get(at..)?;
    let length = memchr::memchr(0, &rest[..rest.len().min(most)])?;
    Some((mutf8(&rest[..length]), at + length + 1))
}

/// A string whose stated length is right.
fn strict_string(bytes: &[u8], offset: usize) -> Option<Cow<'_, str>> {
    let (text, _) = string_of(bytes, offset, MAX_TEXT)?;
    let mut at = offset;
    let stated = uleb(bytes, &mut at)?;
    let units = text.chars().map(char::len_utf16).sum::<usize>();
    let ascii = u32::from(text.is_ascii());
    (stated as usize == units << 1 | ascii as usize && !text.contains(char::REPLACEMENT_CHARACTER))
        .then_some(text)
}

/// An unsigned number of up to five bytes; moves `at` behind it.
fn uleb(bytes: &[u8], at: &mut usize) -> Option<u32> {
    let mut value = 0_u64;
    for shift in 0..5 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7F) << (shift * 7);
        if byte < 0x80 {
            return u32::try_from(value).ok();
        }
    }
    None
}

#[cfg(test)]
mod tests;
