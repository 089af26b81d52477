//! Android string pools (`ResStringPool_header` in `androidfw/ResourceTypes.h`), in UTF-8 or UTF-16.
//!
//! Strings are decoded when they are asked for, and borrowed where they are valid UTF-8. Parsing looks once at
//! every string, so that what is wrong with them is known before. Style spans are not read: they hold no text.

use std::borrow::Cow;

use super::res_chunk::{Chunk, Issues, u16_at, u32_at};

/// `ResStringPool_header.flags`: strings are UTF-8.
const UTF8_FLAG: u32 = 0x100;

/// A pool of strings; also the empty pool.
#[derive(Debug, Clone, Default)]
pub(super) struct StringPool<'a> {
    /// The chunk, from its header on.
    chunk: &'a [u8],
    /// Where the offsets of the strings start in the chunk.
    index: usize,
    count: usize,
    /// Where the strings start in the chunk.
    strings: usize,
    utf8: bool,
    /// Longest string given out, in stored bytes; bounds what overlapping strings can cost.
    limit: usize,
}

impl<'a> StringPool<'a> {
    /// Reads the pool in `chunk` of `bytes`.
    pub(super) fn parse(bytes: &'a [u8], chunk: Chunk, issues: &mut Issues) -> StringPool<'a> {
        let at = chunk.start;
        let data = bytes.get(chunk.start..chunk.end).unwrap_or_default();
        let field = |offset| u32_at(data, offset).filter(|_| data.len() >= 28);
        let (Some(count), Some(styles), Some(flags), Some(start), Some(styles_start)) =
            (field(8), field(12), field(16), field(20), field(24))
        else {
            issues.lossy("string-pool.truncated", at, || "the pool ends within its header".into());
            return StringPool::default();
        };
        let index = chunk.body - chunk.start;
        if index != 28 {
            issues.odd("string-pool.header-size", at, || format!("header of {index} bytes instead of 28"));
        }
        let room = data.len().saturating_sub(index) / 4;
        let claimed = count as usize;
        if claimed > room {
            issues.lossy("string-pool.count", at, || format!("{claimed} strings claimed, room for {room}"));
        }
        // Android cuts the strings off at the styles. Apps lie about both counts; reading on to the end loses nothing.
        if styles != 0 && (styles_start <= start || styles_start as usize > data.len()) {
            issues.odd("string-pool.styles", at, || format!("{styles} styles at {styles_start:#x}"));
        }
        if claimed > 0 && start as usize >= data.len() {
            issues.lossy("string-pool.start", at, || format!("strings start at {start:#x}, behind the pool"));
            return StringPool::default();
        }
        let mut pool = StringPool {
            chunk: data,
            index,
            count: claimed.min(room),
            strings: start as usize,
            utf8: flags & UTF8_FLAG != 0,
            limit: usize::MAX,
        };
        pool.check(at, issues);
        pool
    }

    /// Looks at every string once. Strings may share bytes, so their sum can be far more than the pool: beyond a
    /// few times its size every string is cut.
    fn check(&mut self, at: usize, issues: &mut Issues) {
        let budget = self.chunk.len().saturating_mul(8);
        let mut spent = 0_usize;
        for index in 0..self.count {
            let Some(found) = self.locate(index) else {
                let offset = at + self.index + index * 4;
                issues.lossy("string-pool.outside", offset, || format!("string {index} is outside its pool"));
                continue;
            };
            let stored = &self.chunk[found.start..found.end];
            spent = spent.saturating_add(stored.len());
            if spent > budget {
                self.limit = budget / self.count;
                let limit = self.limit;
                issues.lossy("string-pool.overlap", at, || {
                    format!("strings overlap many times over; each is cut at {limit} bytes")
                });
                return;
            }
            let offset = at + found.start;
            match found.end_state {
                End::Terminated => {}
                End::Open => issues
                    .odd("string-pool.unterminated", offset, || format!("string {index} has no end mark")),
                End::Cut => issues
                    .lossy("string-pool.cut", offset, || format!("string {index} reaches behind its pool")),
            }
            if !self.is_well_formed(stored) {
                issues.lossy("string-pool.invalid-text", offset, || {
                    format!("string {index} is not valid {}", if self.utf8 { "UTF-8" } else { "UTF-16" })
                });
            }
        }
    }

    fn is_well_formed(&self, stored: &[u8]) -> bool {
        if self.utf8 {
            std::str::from_utf8(stored).is_ok() || decode_utf8(stored).1
        } else {
            char::decode_utf16(units(stored)).all(|unit| unit.is_ok())
        }
    }

    /// How many strings there are.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// A string cut at about `limit` stored bytes, at a character's border; `None` where there is no such string.
    pub(super) fn get_capped(&self, index: u32, limit: usize) -> Option<Cow<'a, str>> {
        let found = self.locate(index as usize)?;
        let mut stored = self.chunk.get(found.start..found.end)?;
        let limit = limit.min(self.limit);
        if stored.len() > limit {
            let mut cut = limit;
            if self.utf8 {
                while cut > 0 && stored[cut] & 0xC0 == 0x80 {
                    cut -= 1;
                }
            }
            stored = &stored[..cut];
        }
        if !self.utf8 {
            return Some(Cow::Owned(decode_utf16(stored)));
        }
        Some(match std::str::from_utf8(stored) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => Cow::Owned(decode_utf8(stored).0),
        })
    }

    /// Stored length of a string in bytes, zero where there is none.
    pub(super) fn stored_len(&self, index: u32) -> usize {
        self.locate(index as usize).map_or(0, |found| (found.end - found.start).min(self.limit))
    }

    fn locate(&self, index: usize) -> Option<Located> {
        if index >= self.count {
            return None;
        }
        let offset = u32_at(self.chunk, self.index + index * 4)? as usize;
        let at = self.strings.checked_add(offset)?;
        if self.utf8 { self.locate_utf8(at) } else { self.locate_utf16(at) }
    }

    /// Length in UTF-16 units, length in bytes (each one byte, or two with the high bit set), bytes, NUL.
    fn locate_utf8(&self, at: usize) -> Option<Located> {
        let length = |at: usize| {
            let first = usize::from(*self.chunk.get(at)?);
            if first & 0x80 == 0 {
                return Some((first, at + 1));
            }
            let second = usize::from(*self.chunk.get(at + 1)?);
            Some((((first & 0x7F) << 8) | second, at + 2))
        };
        let (_, at) = length(at)?;
        let (bytes, start) = length(at)?;
        // aapt kept only 15 bits of a length, so Android tries the lengths that agree in those.
        for high in 0..64 {
            match self.chunk.get(start + (high << 15 | bytes)) {
                Some(0) => {
                    let end = start + (high << 15 | bytes);
                    return Some(Located { start, end, end_state: End::Terminated });
                }
                Some(_) => {}
                None => break,
            }
        }
        self.without_mark(start, bytes)
    }

    /// Length in units (two bytes, or four with the high bit set), units, NUL.
    fn locate_utf16(&self, at: usize) -> Option<Located> {
        let first = usize::from(u16_at(self.chunk, at)?);
        let (units, start) = if first & 0x8000 == 0 {
            (first, at + 2)
        } else {
            (((first & 0x7FFF) << 16) | usize::from(u16_at(self.chunk, at + 2)?), at + 4)
        };
        let end = start + units * 2;
        if u16_at(self.chunk, end) == Some(0) {
            return Some(Located { start, end, end_state: End::Terminated });
        }
        self.without_mark(start, units * 2)
    }

    fn without_mark(&self, start: usize, bytes: usize) -> Option<Located> {
        let room = self.chunk.len().checked_sub(start)?;
        let end_state = if bytes > room { End::Cut } else { End::Open };
        Some(Located { start, end: start + bytes.min(room), end_state })
    }
}

/// Where a string is stored, without its lengths and its end mark.
struct Located {
    start: usize,
    end: usize,
    end_state: End,
}

enum End {
    Terminated,
    /// Android shows no such string; reading it costs nothing and may tell something.
    Open,
    Cut,
}

fn units(stored: &[u8]) -> impl Iterator<Item = u16> {
    stored.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]))
}

fn decode_utf16(stored: &[u8]) -> String {
    let mut text = String::with_capacity(stored.len() / 2);
    text.extend(char::decode_utf16(units(stored)).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
    text
}

/// Decodes what is not plain UTF-8: aapt2 writes characters beyond U+FFFF as two surrogates of three bytes each, and
/// NUL as two bytes. What else is wrong becomes U+FFFD, and the answer is false.
fn decode_utf8(mut stored: &[u8]) -> (String, bool) {
    let mut text = String::with_capacity(stored.len());
    let mut well_formed = true;
    loop {
        let error = match std::str::from_utf8(stored) {
            Ok(rest) => {
                text.push_str(rest);
                return (text, well_formed);
            }
            Err(error) => error,
        };
        let (valid, rest) = stored.split_at(error.valid_up_to());
        text.push_str(std::str::from_utf8(valid).unwrap_or_default());
        stored = match *rest {
            [
                0xED,
                a @ 0xA0..=0xAF,
                b @ 0x80..=0xBF,
                0xED,
                c @ 0xB0..=0xBF,
                d @ 0x80..=0xBF,
                ref rest @ ..,
            ] => {
                let low_bits = |byte: u8| u32::from(byte & 0x3F);
                let high = (low_bits(a) & 0x0F) << 6 | low_bits(b);
                let low = (low_bits(c) & 0x0F) << 6 | low_bits(d);
                text.push(
                    char::from_u32(0x10000 + (high << 10 | low)).unwrap_or(char::REPLACEMENT_CHARACTER),
                );
                rest
            }
            [0xC0, 0x80, ref rest @ ..] => {
                text.push('\0');
                rest
            }
            _ => {
                text.push(char::REPLACEMENT_CHARACTER);
                well_formed = false;
                &rest[error.error_len().unwrap_or(rest.len())..]
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::res_chunk::tests::chunk;

    /// A pool with one string, stored as `data`.
    fn one(flags: u32, data: &[u8]) -> (Option<String>, Vec<&'static str>) {
        let header: Vec<u8> = [1, 0, flags, 32, 0].iter().flat_map(|word: &u32| word.to_le_bytes()).collect();
        let bytes = chunk(Chunk::STRING_POOL, &header, &[&[0; 4], data].concat());
        let mut issues = Issues::default();
        let pool = StringPool::parse(&bytes, Chunk::at(&bytes, 0, bytes.len()).unwrap(), &mut issues);
        let text = pool.get_capped(0, usize::MAX).map(Cow::into_owned);
        (text, issues.finish().iter().map(|issue| issue.code).collect())
    }

    fn stored(prefix: &[u8], text: &[u8]) -> Vec<u8> {
        [prefix, text, &[0]].concat()
    }

    #[test]
    fn reads_lengths_of_every_size() {
        assert_eq!(one(UTF8_FLAG, &stored(&[1, 3], "甲".as_bytes())), (Some("甲".into()), vec![]));
        let long = "a".repeat(0x1234);
        assert_eq!(one(UTF8_FLAG, &stored(&[0x92, 0x34, 0x92, 0x34], long.as_bytes())), (Some(long), vec![]));
        // 0x9234 bytes, of which the length kept 15 bits.
        let longer = "b".repeat(0x9234);
        assert_eq!(
            one(UTF8_FLAG, &stored(&[0x92, 0x34, 0x92, 0x34], longer.as_bytes())),
            (Some(longer), vec![])
        );
        let units =
            |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).chain([0]).collect::<Vec<u8>>();
        assert_eq!(one(0, &stored(&[3, 0], &units("甲😀"))), (Some("甲😀".into()), vec![]));
        let huge = "c".repeat(0x1_0002);
        assert_eq!(one(0, &stored(&[1, 0x80, 2, 0], &units(&huge))), (Some(huge), vec![]));
    }

    #[test]
    fn reads_surrogates_and_marks_garbage() {
        let pair = [0xED, 0xA0, 0xBD, 0xED, 0xB8, 0x80, 0xC0, 0x80];
        assert_eq!(one(UTF8_FLAG, &stored(&[3, 8], &pair)), (Some("😀\0".into()), vec![]));
        let broken = one(UTF8_FLAG, &stored(&[2, 2], &[b'a', 0xFF]));
        assert_eq!(broken, (Some("a\u{FFFD}".into()), vec!["string-pool.invalid-text"]));
        let lone = one(0, &[1, 0, 0x3D, 0xD8, 0, 0]);
        assert_eq!(lone, (Some("\u{FFFD}".into()), vec!["string-pool.invalid-text"]));
        assert_eq!(one(UTF8_FLAG, &[3, 9, b'a', b'b']), (Some("ab".into()), vec!["string-pool.cut"]));
    }
}
