//! What Android's binary XML and its resource tables share: the chunk header (`ResChunk_header`) and the typed
//! value (`Res_value`) of `frameworks/base/libs/androidfw/include/androidfw/ResourceTypes.h`.

use std::borrow::Cow;

use super::Issue;
use super::string_pool::StringPool;

/// Issues of one kind that are listed one by one; the rest is counted.
const ISSUES_PER_CODE: usize = 8;

/// A typed value, as an attribute or a resource holds it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Explicitly nothing: `@null` or `@empty`.
    Null,
    /// Text.
    String(Cow<'a, str>),
    /// `@type/name`: the id of another resource, `0x7f0a0001`. Zero is `@null`.
    Reference(u32),
    /// `?attr/name`: looked up in the theme at run time.
    Attribute(u32),
    /// A whole number written in decimal; also the value of an enumeration.
    Int(i32),
    /// A whole number written in hexadecimal; also a combination of flags.
    Hex(u32),
    /// `true` or `false`.
    Bool(bool),
    /// A floating point number.
    Float(f32),
    /// A colour as 0xAARRGGBB.
    Color(u32),
    /// A dimension, in the packed form of `TypedValue.TYPE_DIMENSION`.
    Dimension(u32),
    /// A fraction, in the packed form of `TypedValue.TYPE_FRACTION`.
    Fraction(u32),
    /// A type that the format does not name, or a string that is not in the pool.
    Other {
        /// `Res_value.dataType`.
        data_type: u8,
        /// `Res_value.data`.
        data: u32,
    },
}

impl<'a> Value<'a> {
    /// The text, of a string only.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// The resource id, of a reference that is not `@null` only.
    pub fn as_reference(&self) -> Option<u32> {
        match *self {
            Value::Reference(id) if id != 0 => Some(id),
            _ => None,
        }
    }

    /// The truth value. Android takes any number for one as well.
    pub fn as_bool(&self) -> Option<bool> {
        match *self {
            Value::Bool(value) => Some(value),
            Value::Int(value) => Some(value != 0),
            Value::Hex(value) => Some(value != 0),
            _ => None,
        }
    }

    /// The number, of whole numbers only; a hexadecimal one is taken bit by bit.
    pub fn as_int(&self) -> Option<i32> {
        match *self {
            Value::Int(value) => Some(value),
            Value::Hex(value) => Some(value as i32),
            _ => None,
        }
    }

    /// Reads a `Res_value` whose strings are in `pool`, cut at `limit` bytes.
    pub(super) fn read(raw: RawValue, pool: &StringPool<'a>, limit: usize) -> Value<'a> {
        let RawValue { data_type, data } = raw;
        match data_type {
            0x00 => Value::Null,
            0x01 | 0x07 => Value::Reference(data),
            0x02 | 0x08 => Value::Attribute(data),
            0x03 => match pool.get_capped(data, limit) {
                Some(text) => Value::String(text),
                None => Value::Other { data_type, data },
            },
            0x04 => Value::Float(f32::from_bits(data)),
            0x05 => Value::Dimension(data),
            0x06 => Value::Fraction(data),
            0x10 => Value::Int(data as i32),
            0x11 => Value::Hex(data),
            0x12 => Value::Bool(data != 0),
            0x1c..=0x1f => Value::Color(data),
            _ => Value::Other { data_type, data },
        }
    }
}

/// `Res_value` before its string is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RawValue {
    pub(super) data_type: u8,
    pub(super) data: u32,
}

impl RawValue {
    pub(super) const STRING: u8 = 0x03;

    /// Reads the value at `at`: size (u16), zero (u8), type (u8), data (u32).
    pub(super) fn at(bytes: &[u8], at: usize) -> Option<RawValue> {
        Some(RawValue {
            data_type: *bytes.get(at.checked_add(3)?)?,
            data: u32_at(bytes, at.checked_add(4)?)?,
        })
    }

    /// The resource a reference names, static or dynamic.
    pub(super) fn reference(self) -> Option<u32> {
        (matches!(self.data_type, 0x01 | 0x07) && self.data != 0).then_some(self.data)
    }
}

/// Reads two bytes, little-endian.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// Reads four bytes, little-endian.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// A chunk: where it starts and ends, as far as its header can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) kind: u16,
    /// Offset of its header.
    pub(super) start: usize,
    /// Offset behind its header.
    pub(super) body: usize,
    /// Offset behind it.
    pub(super) end: usize,
}

impl Chunk {
    pub(super) const STRING_POOL: u16 = 0x0001;
    pub(super) const TABLE: u16 = 0x0002;
    pub(super) const XML: u16 = 0x0003;

    /// Reads the header at `at`, of a chunk that must end by `limit`.
    pub(super) fn at(bytes: &[u8], at: usize, limit: usize) -> Result<Chunk, ChunkError> {
        let limit = limit.min(bytes.len());
        let header =
            (u16_at(bytes, at), u16_at(bytes, at.saturating_add(2)), u32_at(bytes, at.saturating_add(4)));
        let (Some(kind), Some(header_size), Some(size)) = header else { return Err(ChunkError::TooShort) };
        if limit.saturating_sub(at) < 8 {
            return Err(ChunkError::TooShort);
        }
        let (header_size, size) = (usize::from(header_size), size as usize);
        if header_size < 8 || size < header_size {
            return Err(ChunkError::BadSize { kind, header_size, size });
        }
        if size > limit - at {
            let body = at.saturating_add(header_size).min(limit);
            return Err(ChunkError::PastEnd { chunk: Chunk { kind, start: at, body, end: limit }, size });
        }
        Ok(Chunk { kind, start: at, body: at + header_size, end: at + size })
    }
}

/// Why a chunk header cannot be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ChunkError {
    /// Fewer than the eight bytes of a header are left.
    TooShort,
    /// The sizes contradict each other.
    BadSize { kind: u16, header_size: usize, size: usize },
    /// It claims to reach past its surroundings; `chunk` is cut to them.
    PastEnd { chunk: Chunk, size: usize },
}

/// Goes from chunk to chunk within one enclosing chunk.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) at: usize,
    pub(super) end: usize,
    /// Code of the issue that a size is wrong.
    pub(super) bad_size: &'static str,
    /// Code of the issue that bytes are left over.
    pub(super) trailing: &'static str,
}

impl Walk {
    /// The next chunk, cut to its surroundings. Ends at a size that leads nowhere, as Android does.
    pub(super) fn next(&mut self, bytes: &[u8], issues: &mut Issues) -> Option<Chunk> {
        let (at, left) = (self.at, self.end.saturating_sub(self.at));
        if left == 0 {
            return None;
        }
        let chunk = match Chunk::at(bytes, at, self.end) {
            Ok(chunk) => chunk,
            Err(ChunkError::TooShort) => {
                issues.odd(self.trailing, at, || format!("{left} bytes left, too short for a chunk"));
                self.at = self.end;
                return None;
            }
            Err(ChunkError::PastEnd { chunk, size }) => {
                issues.lossy(self.bad_size, at, || {
                    format!("chunk {:#06x} of {size} bytes, {left} left", chunk.kind)
                });
                chunk
            }
            Err(ChunkError::BadSize { kind, header_size, size }) => {
                issues.lossy(self.bad_size, at, || {
                    format!(
                        "chunk {kind:#06x}: header of {header_size} bytes, size {size}; {left} bytes not read"
                    )
                });
                self.at = self.end;
                return None;
            }
        };
        self.at = chunk.end;
        Some(chunk)
    }
}

/// Collects issues, at most a few of each kind.
#[derive(Debug, Default)]
pub(super) struct Issues {
    list: Vec<Issue>,
    counts: Vec<(&'static str, usize)>,
}

impl Issues {
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Notes one; `detail` is only made when it will be kept.
    pub(super) fn note(
        &mut self,
        lossy: bool,
        code: &'static str,
        offset: usize,
        detail: impl FnOnce() -> String,
    ) {
        let slot = match self.counts.iter().position(|(known, _)| *known == code) {
            Some(slot) => slot,
            None => {
                self.counts.push((code, 0));
                self.counts.len() - 1
            }
        };
        self.counts[slot].1 += 1;
        if self.counts[slot].1 <= ISSUES_PER_CODE {
            self.list.push(Issue { code, offset: Some(offset as u64), detail: detail(), lossy });
        } else if lossy && let Some(last) = self.list.iter_mut().rfind(|issue| issue.code == code) {
            last.lossy = true;
        }
    }

    pub(super) fn odd(&mut self, code: &'static str, offset: usize, detail: impl FnOnce() -> String) {
        self.note(false, code, offset, detail);
    }

    pub(super) fn lossy(&mut self, code: &'static str, offset: usize, detail: impl FnOnce() -> String) {
        self.note(true, code, offset, detail);
    }

    /// The issues; the last one of each kind says how many more there were.
    pub(super) fn finish(mut self) -> Vec<Issue> {
        for (code, count) in self.counts {
            if count > ISSUES_PER_CODE
                && let Some(last) = self.list.iter_mut().rfind(|issue| issue.code == code)
            {
                last.detail.push_str(&format!(" (and {} more of this kind)", count - ISSUES_PER_CODE));
            }
        }
        self.list
    }
}

#[cfg(test)]
pub(super) mod tests {
    /// A chunk of that type: what follows the eight bytes of its header in the header, and its body.
    pub(in crate::decode) fn chunk(kind: u16, header: &[u8], body: &[u8]) -> Vec<u8> {
        let mut bytes = kind.to_le_bytes().to_vec();
        bytes.extend((8 + header.len() as u16).to_le_bytes());
        bytes.extend((8 + header.len() as u32 + body.len() as u32).to_le_bytes());
        bytes.extend(header);
        bytes.extend(body);
        bytes
    }

    fn xorshift(state: &mut u64) -> usize {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        *state as usize
    }

    /// Reads copies of `sample` in which one to four bytes differ.
    pub(in crate::decode) fn flips(sample: &[u8], rounds: usize, read: impl Fn(&[u8])) {
        let mut state = 0x9E37_79B9_7F4A_7C15;
        for round in 0..rounds {
            let mut bytes = sample.to_vec();
            for _ in 0..=round % 4 {
                let at = xorshift(&mut state) % bytes.len();
                bytes[at] = [0, 0xFF, 0x7F, xorshift(&mut state) as u8][xorshift(&mut state) % 4];
            }
            read(&bytes);
        }
    }

    /// Reads arbitrary bytes, plain and as the body of a chunk.
    pub(in crate::decode) fn noise(kind: u16, rounds: usize, read: impl Fn(&[u8])) {
        let mut state = 0x2545_F491_4F6C_DD1D;
        for _ in 0..rounds {
            let length = xorshift(&mut state) % 600;
            let bytes: Vec<u8> = (0..length).map(|_| (xorshift(&mut state) % 256) as u8 & 0x8F).collect();
            read(&bytes);
            read(&chunk(kind, &[], &bytes));
        }
    }
}
