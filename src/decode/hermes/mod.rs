//! Hermes bytecode: what React Native compiles JavaScript to. Versions 59 to 100.
//!
//! Layout: facebook/hermes `include/hermes/BCGen/HBC/BytecodeFileFormat.h`, `BytecodeStream.cpp`, `StringKind.h` and
//! `SerializedLiteralGenerator.h`, each read at the commit of every version. All numbers are little-endian, and every
//! table begins at a multiple of four. The table of instructions, `opcodes.txt`, holds one line for each: first and last
//! version, name, operands (`r` and `R` registers of one and four bytes, `1` `2` `4` numbers, `b` `s` `S` strings by
//! index in one, two and four bytes, `a` `A` distances in one and four bytes, `i` an integer of four, `d` a double),
//! in the order of their codes in every version, from `BytecodeList.def` of the same commits.

mod code;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

use thiserror::Error;

use super::{Decoder, Issue, Limit, Unit};

pub use code::{Callee, Use};

/// What this file reads.
pub const DECODER: Decoder = Decoder {
    name: "hermes",
    version: 1,
    reads: ("Hermes 字节码", "Hermes bytecode"),
    limits: &[
        Limit { what: ("最旧版本", "oldest version"), amount: OLDEST as u64, unit: Unit::Count },
        Limit { what: ("最新版本", "newest version"), amount: NEWEST as u64, unit: Unit::Count },
    ],
};

/// First bytes of every bundle.
pub const MAGIC: [u8; 8] = [0xC6, 0x1F, 0xBC, 0x03, 0xC1, 0x03, 0x19, 0x1F];
/// Oldest version that is read.
const OLDEST: u32 = 59;
/// Newest version whose instructions are known; of newer ones the strings are read by the same layout.
const NEWEST: u32 = 100;
/// The header has this size in every version.
const HEADER: usize = 128;
/// Objects of one shape or array, at most; more is no literal of a program.
const MAX_ELEMENTS: usize = 4_096;

/// Why nothing could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HermesError {
    /// The first bytes are others.
    #[error("not a Hermes bundle")]
    NotHermes,
    /// The header is not whole.
    #[error("the header of the Hermes bundle is cut off")]
    Truncated,
    /// Older than what is known.
    #[error("Hermes bytecode version {0} is too old to be read")]
    Version(u32),
}

/// A string of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<'a> {
    /// Its value; lone surrogates are U+FFFD.
    pub text: Cow<'a, str>,
    /// Byte offset of its first character in the file.
    pub offset: usize,
}

/// A bundle.
#[derive(Debug)]
pub struct Bundle<'a> {
    bytes: &'a [u8],
    version: u32,
    functions: Range<usize>,
    small: Range<usize>,
    overflow: Range<usize>,
    storage: Range<usize>,
    /// Whether each string is an identifier; shorter than the table when the kinds are cut off.
    identifiers: Vec<bool>,
    arrays: Range<usize>,
    keys: Range<usize>,
    values: Range<usize>,
    shapes: Range<usize>,
}

/// A function's place and name.
#[derive(Debug, Clone, Copy)]
struct Function {
    /// Its instructions; may lie outside of the file.
    offset: usize,
    size: usize,
    name: u32,
    frame: u32,
}

impl<'a> Bundle<'a> {
    /// Reads the header and finds the tables.
    pub fn parse(bytes: &'a [u8]) -> Result<(Self, Vec<Issue>), HermesError> {
        if !bytes.starts_with(&MAGIC) {
            return Err(HermesError::NotHermes);
        }
        let version = u32_at(bytes, 8).ok_or(HermesError::Truncated)?;
        if version < OLDEST {
            return Err(HermesError::Version(version));
        }
        if bytes.len() < HEADER {
            return Err(HermesError::Truncated);
        }
        let mut issues = Vec::new();
        // Behind magic, version and the SHA-1 of the source.
        let field = |index: usize| u32_at(bytes, 32 + 4 * index).unwrap_or_default() as usize;
        let length = field(0);
        if length > bytes.len() {
            let detail = format!("{} of {length} bytes are there", bytes.len());
            issues.push(Issue::lossy("hermes.truncated", bytes.len() as u64, detail));
        }
        let mut tables = Tables { bytes, at: HEADER, issues };
        let functions = tables.table("functions", field(2), if version < 97 { 16 } else { 12 });
        let kinds = tables.table("string kinds", field(3), 4);
        tables.table("identifier hashes", field(4), 4);
        let small = tables.table("strings", field(5), 4);
        let overflow = tables.table("long strings", field(6), 8);
        let storage = tables.table("string storage", field(7), 1);
        // Big integers came with version 87; their sizes stand before those of regular expressions.
        let next = if version < 87 { 10 } else { 12 };
        let none = bytes.len()..bytes.len();
        let (arrays, keys, values, shapes) = if version < 97 {
            let arrays = tables.table("arrays", field(next), 1);
            let keys = tables.table("object keys", field(next + 1), 1);
            let values = tables.table("object values", field(next + 2), 1);
            (arrays, keys, values, none)
        } else {
            // One buffer for the values of arrays and objects.
            let values = tables.table("literal values", field(next), 1);
            let keys = tables.table("object keys", field(next + 1), 1);
            let shapes = tables.table("object shapes", field(next + 2), 8);
            (values.clone(), keys, values, shapes)
        };
        let identifiers = identifiers(&bytes[kinds], version, small.len() / 4);
        let issues = tables.issues;
        let bundle = Bundle {
            bytes,
            version,
            functions,
            small,
            overflow,
            storage,
            identifiers,
            arrays,
            keys,
            values,
            shapes,
        };
        Ok((bundle, issues))
    }

    /// Bytecode version.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Number of strings.
    pub fn string_count(&self) -> u32 {
        (self.small.len() / 4) as u32
    }

    /// Number of functions.
    pub fn function_count(&self) -> u32 {
        (self.functions.len() / self.function_size()) as u32
    }

    /// A string; `None` where the table or the storage does not hold it.
    pub fn string(&self, index: u32) -> Option<Text<'a>> {
        let (wide, raw, offset) = self.stored(index)?;
        let text = if wide {
            let units = raw.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
            Cow::Owned(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
        } else {
            String::from_utf8_lossy(raw)
        };
        Some(Text { text, offset })
    }

    /// Whether a string is stored as UTF-16, its bytes and their offset in the file.
    fn stored(&self, index: u32) -> Option<(bool, &'a [u8], usize)> {
        let entry = u32_at(self.bytes.get(self.small.clone())?, 4 * index as usize)?;
        let (wide, mut offset, mut length) =
            (entry & 1 == 1, entry as usize >> 1 & 0x7F_FFFF, (entry >> 24) as usize);
        if length == 0xFF {
            let table = self.bytes.get(self.overflow.clone())?;
            length = u32_at(table, 8 * offset + 4)? as usize;
            offset = u32_at(table, 8 * offset)? as usize;
        }
        let length = if wide { length.checked_mul(2)? } else { length };
        let raw = self.bytes.get(self.storage.clone())?.get(offset..offset.checked_add(length)?)?;
        Some((wide, raw, self.storage.start + offset))
    }

    /// Whether a string is the name of a property or variable somewhere.
    pub fn is_identifier(&self, index: u32) -> bool {
        self.identifiers.get(index as usize).copied().unwrap_or_default()
    }

    /// The name of a function; empty for one without.
    pub fn function_name(&self, index: u32) -> Option<Cow<'a, str>> {
        Some(self.string(self.function(index)?.name)?.text)
    }

    /// Byte offset of the instructions of a function.
    pub fn function_offset(&self, index: u32) -> Option<usize> {
        Some(self.function(index)?.offset)
    }

    /// The uses of strings in code. `wanted` says of each string whether its uses matter.
    pub fn uses(&self, wanted: &[bool]) -> (Vec<Use>, Vec<Issue>) {
        if self.version > NEWEST {
            let detail =
                format!("instructions of version {} are not known: strings without uses", self.version);
            return (Vec::new(), vec![Issue::lossy("hermes.unknown-version", 8, detail)]);
        }
        code::read(self, wanted)
    }

    fn function_size(&self) -> usize {
        if self.version < 97 { 16 } else { 12 }
    }

    fn function(&self, index: u32) -> Option<Function> {
        let size = self.function_size();
        let start = (index as usize).checked_mul(size)?;
        let header = self.bytes.get(self.functions.clone())?.get(start..start.checked_add(size)?)?;
        let word = |at: usize| u32_at(header, 4 * at).unwrap_or_default();
        let (first, second, third) = (word(0), word(1), word(2));
        let overflowed = header[size - 1] & 0x20 != 0;
        let offset = (first & 0x1FF_FFFF) as usize;
        if overflowed {
            // The small header holds the place of a large one, whose fields are whole numbers.
            let at = match self.version {
                ..97 => (third & 0x1FF_FFFF) << 16 | first & 0xFFFF,
                97 => (second >> 15 & 0xFF) << 24 | first & 0xFF_FFFF,
                _ => (second >> 14 & 0xFF) << 24 | first & 0xFF_FFFF,
            } as usize;
            let large = |field: usize| u32_at(self.bytes, at + 4 * field);
            // Without the depth of loops before version 98, and with the place of more information before 97.
            let (size, name, frame) = match self.version {
                ..97 => (2, 3, 5),
                97 => (2, 3, 4),
                _ => (3, 4, 7),
            };
            return Some(Function {
                offset: large(0)? as usize,
                size: large(size)? as usize,
                name: large(name)?,
                frame: large(frame)?,
            });
        }
        Some(match self.version {
            ..97 => {
                Function { offset, size: (second & 0x7FFF) as usize, name: second >> 15, frame: third >> 25 }
            }
            97 => {
                Function { offset, size: (second & 0x7FFF) as usize, name: second >> 15, frame: third & 0xFF }
            }
            _ => Function {
                offset,
                size: (second & 0x3FFF) as usize,
                name: second >> 14 & 0xFF,
                frame: third & 0xFF,
            },
        })
    }

    /// Property names and values of an object literal; a value that is no string is `None`.
    fn object(&self, count: usize, key_at: usize, value_at: usize) -> Vec<(u32, Option<u32>)> {
        let keys = literals(self.bytes.get(self.keys.clone()), key_at, count, self.version);
        let values = literals(self.bytes.get(self.values.clone()), value_at, count, self.version);
        let values = values.into_iter().chain(std::iter::repeat(None));
        keys.into_iter().zip(values).filter_map(|(key, value)| Some((key?, value))).collect()
    }

    /// The same by index of the shape.
    fn shaped(&self, shape: usize, value_at: usize) -> Vec<(u32, Option<u32>)> {
        let entry = || {
            let table = self.bytes.get(self.shapes.clone())?;
            let at = shape.checked_mul(8)?;
            Some((u32_at(table, at)? as usize, u32_at(table, at + 4)? as usize))
        };
        entry().map_or_else(Vec::new, |(key_at, count)| self.object(count, key_at, value_at))
    }

    /// The strings of an array literal.
    fn array(&self, count: usize, at: usize) -> Vec<Option<u32>> {
        literals(self.bytes.get(self.arrays.clone()), at, count, self.version)
    }
}

/// Takes one table after the other.
struct Tables<'a> {
    bytes: &'a [u8],
    at: usize,
    issues: Vec<Issue>,
}

impl Tables<'_> {
    /// The next table, as much of it as is there.
    fn table(&mut self, what: &str, count: usize, size: usize) -> Range<usize> {
        let start = self.at.next_multiple_of(4).min(self.bytes.len());
        let room = (self.bytes.len() - start) / size;
        if count > room {
            let detail = format!("{what}: {room} of {count} are there");
            self.issues.push(Issue::lossy("hermes.truncated", start as u64, detail));
        }
        self.at = start + count.min(room) * size;
        start..self.at
    }
}

/// Run lengths of kinds. A third kind, names that every engine knows, was there before version 71.
fn identifiers(runs: &[u8], version: u32, count: usize) -> Vec<bool> {
    let bits = if version < 71 { 30 } else { 31 };
    let mut kinds = Vec::with_capacity(count);
    for run in runs.chunks_exact(4) {
        let run = u32_at(run, 0).unwrap_or_default();
        let length = (run & ((1 << bits) - 1)) as usize;
        let end = kinds.len().saturating_add(length).min(count);
        kinds.resize(end, run >> bits != 0);
    }
    kinds
}

/// Reads serialized literals: runs of one tag each. Elements that are no strings are `None`.
fn literals(buffer: Option<&[u8]>, at: usize, count: usize, version: u32) -> Vec<Option<u32>> {
    let mut out = Vec::new();
    let Some(mut rest) = buffer.and_then(|buffer| buffer.get(at..)) else { return out };
    let count = count.min(MAX_ELEMENTS);
    while out.len() < count
        && let [tag, behind @ ..] = rest
    {
        let (mut run, mut body) = (usize::from(tag & 0x0F), behind);
        if tag & 0x80 != 0 {
            let [low, behind @ ..] = behind else { break };
            run = run << 8 | usize::from(*low);
            body = behind;
        }
        let run = run.min(count - out.len());
        let width = match tag & 0x70 {
            0x30 => 8,
            0x40 | 0x70 => 4,
            0x50 => 2,
            // Strings by an index of one byte, until `undefined` took the tag.
            0x60 if version < 98 => 1,
            _ => 0,
        };
        let string = matches!(tag & 0x70, 0x40 | 0x50) || width == 1;
        for index in 0..run {
            let bytes = body.get(index * width..(index + 1) * width).filter(|_| string);
            out.push(
                bytes.map(|bytes| bytes.iter().rev().fold(0, |value, byte| value << 8 | u32::from(*byte))),
            );
        }
        let Some(behind) = body.get(run * width..) else { break };
        if run == 0 {
            break;
        }
        rest = behind;
    }
    out
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_le_bytes(four.try_into().ok()?))
}
