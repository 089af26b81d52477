//! Strings of compiled Dart code: AOT snapshots, which Flutter keeps in `libapp.so` and `App.framework/App`.
//!
//! A snapshot begins with a magic number, its length, its kind, 32 hexadecimal digits that name the version of the
//! virtual machine, and a list of features (`runtime/vm/snapshot.h`, `app_snapshot.cc` of dart-lang/sdk). What follows
//! differs from version to version and is not read as a whole. Strings are found by what they look like and are
//! taken only where a length before them proves where they begin and end, in one of three forms:
//!
//! - objects of the read-only image (`UntaggedString` in `runtime/vm/raw_object.h`): header, length as a small integer,
//!   contents; with 64-bit words and with 32-bit words, where the hash stands between;
//! - entries of the string cluster, which snapshots with compressed pointers have: length and width in one number of
//!   7 bits a byte, the last of which has its high bit set (`datastream.h`), then the contents.
//!
//! Where there is not one such proof, runs of ideographs are given instead, and marked. Nothing tells which code uses a
//! string.

use std::borrow::Cow;
use std::ops::Range;

use memchr::memmem;
use thiserror::Error;

use super::{Decoder, Limit, Unit};

/// What this file reads.
pub const DECODER: Decoder = Decoder {
    name: "dart",
    version: 1,
    reads: ("Dart AOT 快照中的字符串（Flutter）", "strings of Dart AOT snapshots (Flutter)"),
    limits: &[Limit {
        what: ("一个字符串的字符", "characters of one string"),
        amount: MAX_CHARS as u64,
        unit: Unit::Count,
    }],
};

/// First bytes of a snapshot.
const MAGIC: &[u8] = &[0xF5, 0xF5, 0xDC, 0xDC];
/// Magic, length, kind.
const HEADER: usize = 20;
/// Digits that name the version.
const VERSION: usize = 32;
/// Longer strings are data.
const MAX_CHARS: usize = 4_096;
/// Characters that are looked at for each byte of a snapshot, at most: honest ones need one or two.
const WORK: usize = 16;
/// The shortest string of one byte a character that is looked for.
const MIN_NARROW: usize = 4;

/// Why there is no snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DartError {
    /// The magic number of a snapshot is nowhere.
    #[error("no Dart snapshot in it")]
    NoSnapshot,
}

/// A snapshot and its strings.
#[derive(Debug)]
pub struct Snapshot<'a> {
    bytes: &'a [u8],
    ranges: Vec<Range<usize>>,
    /// 32 hexadecimal digits that name the version of the virtual machine.
    pub version: &'a str,
    /// Features, separated by spaces: `product … arm64 android compressed-pointers`.
    pub features: Cow<'a, str>,
}

/// A string of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DartString<'a> {
    /// The text.
    pub text: Cow<'a, str>,
    /// Offset of its first byte in the input.
    pub offset: usize,
    /// A length before it says where it begins and ends; else it is a run of characters and may be a part or several.
    pub bounded: bool,
}

impl<'a> Snapshot<'a> {
    /// Finds the snapshots of a file (that of the virtual machine and that of the app, or one of both).
    /// `within` are the ranges of the file that can hold data; empty for all of it.
    pub fn parse(bytes: &'a [u8], within: &[Range<usize>]) -> Result<Self, DartError> {
        let whole = 0..bytes.len();
        let within = if within.is_empty() { std::slice::from_ref(&whole) } else { within };
        let mut ranges: Vec<Range<usize>> = Vec::new();
        let mut told = None;
        for range in within {
            let Some(part) = bytes.get(range.clone()) else { continue };
            for at in memmem::find_iter(part, MAGIC) {
                let start = range.start + at;
                let Some(head) = head(bytes, start) else { continue };
                let body = start + HEADER + VERSION + head.1.len();
                told.get_or_insert(head);
                if let Some(last) = ranges.last_mut().filter(|last| last.end == range.end) {
                    last.end = start;
                }
                // Behind the NUL that ends the features.
                ranges.push((body + 1).min(range.end)..range.end);
            }
        }
        let (version, features) = told.ok_or(DartError::NoSnapshot)?;
        Ok(Snapshot { bytes, ranges, version, features })
    }

    /// Strings with at least one ideograph, in the order of the file. Where no length proves any, runs of characters.
    pub fn wide(&self) -> Vec<DartString<'a>> {
        let clustered = self.features.split(' ').any(|feature| feature == "compressed-pointers");
        let forms = if clustered { [clustered_at, imaged_at] } else { [imaged_at, clustered_at] };
        let found = forms.into_iter().map(|form| self.bounded(form)).find(|found| !found.is_empty());
        found.unwrap_or_else(|| self.runs())
    }

    /// The strings of one form.
    fn bounded(&self, form: fn(&[u8], usize) -> Option<Range<usize>>) -> Vec<DartString<'a>> {
        let mut found = Vec::new();
        for range in &self.ranges {
            // From the start of the file, as objects are aligned there.
            let Some(part) = self.bytes.get(..range.end) else { continue };
            let mut work = range.len().saturating_mul(WORK);
            let mut at = range.start;
            while at < part.len() && work > 0 {
                let content = form(part, at).and_then(|content| Some((content.start, part.get(content)?)));
                let Some((start, content)) = content else {
                    at += 1;
                    continue;
                };
                let units = content.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
                let texts = units.clone().take_while(|unit| is_text(*unit)).count();
                work = work.saturating_sub(texts + 1);
                if texts < content.len() / 2 || !units.clone().any(|unit| is_ideograph(unit.into())) {
                    at += 1;
                    continue;
                }
                let (text, _) = encoding_rs::UTF_16LE.decode_without_bom_handling(content);
                found.push(DartString { text, offset: start, bounded: true });
                at = start + content.len();
            }
        }
        found
    }

    /// Runs of characters with two ideographs beside each other.
    fn runs(&self) -> Vec<DartString<'a>> {
        let mut found = Vec::new();
        for range in &self.ranges {
            let Some(part) = self.bytes.get(range.clone()) else { continue };
            let mut at = 0;
            while at + 4 <= part.len() {
                if !is_ideograph(unit(part, at).into()) || !is_ideograph(unit(part, at + 2).into()) {
                    at += 1;
                    continue;
                }
                let units = part[at..].chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
                let length = 2 * units.take(MAX_CHARS).take_while(|unit| is_text(*unit)).count();
                let content = &part[at..at + length];
                // Two Latin letters make an ideograph.
                if !content.iter().all(|byte| is_ascii_text(*byte)) {
                    let (text, _) = encoding_rs::UTF_16LE.decode_without_bom_handling(content);
                    found.push(DartString { text, offset: range.start + at, bounded: false });
                }
                at += length;
            }
        }
        found
    }

    /// Bounded strings of one byte a character that are ASCII, in the order of the file.
    pub fn narrow(&self) -> Vec<DartString<'a>> {
        let mut found = Vec::new();
        for range in &self.ranges {
            let mut at = range.start;
            while at < range.end {
                let rest = self.bytes.get(at..range.end).unwrap_or_default();
                let Some(begin) = rest.iter().position(|byte| is_ascii_text(*byte)) else { break };
                let run = rest[begin..].iter().take_while(|byte| is_ascii_text(**byte)).count();
                let start = at + begin;
                if run >= MIN_NARROW {
                    self.narrow_in(start..start + run, &mut found);
                }
                at = start + run;
            }
        }
        found
    }

    fn narrow_in(&self, run: Range<usize>, found: &mut Vec<DartString<'a>>) {
        // Bytes of a length may be letters, so the string may begin a little later than the run.
        let bounded = (run.start..run.end.min(run.start + 4)).find_map(|start| {
            let fits = |chars: &usize| (MIN_NARROW..=run.end - start).contains(chars) && *chars <= MAX_CHARS;
            let chars = lengths(self.bytes, start).find(fits)?;
            Some(start..start + chars)
        });
        let content = bounded.and_then(|range| Some((range.start, self.bytes.get(range)?)));
        if let Some((offset, Ok(text))) = content.map(|(at, content)| (at, std::str::from_utf8(content))) {
            found.push(DartString { text: Cow::Borrowed(text), offset, bounded: true });
        }
    }
}

/// Version and features of the snapshot at an offset.
fn head(bytes: &[u8], start: usize) -> Option<(&str, Cow<'_, str>)> {
    let version = bytes.get(start + HEADER..start + HEADER + VERSION)?;
    let version = std::str::from_utf8(version)
        .ok()
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f')))?;
    let features = bytes.get(start + HEADER + VERSION..)?;
    let features = features.get(..features.len().min(2_048))?;
    let features = features.split(|byte| *byte == 0).next().unwrap_or_default();
    Some((version, String::from_utf8_lossy(features)))
}

/// Content of the string of two bytes a character whose length in the cluster begins at an offset.
fn clustered_at(part: &[u8], at: usize) -> Option<Range<usize>> {
    let (number, start) = number(part, at)?;
    let chars = number / 2;
    (number % 2 == 1 && (1..=MAX_CHARS).contains(&chars)).then(|| start..start + 2 * chars)
}

/// Content of the string object of two bytes a character whose length is at an offset.
fn imaged_at(part: &[u8], at: usize) -> Option<Range<usize>> {
    if !at.is_multiple_of(4) {
        return None;
    }
    let word = |at: usize| Some(u32::from_le_bytes(*part.get(at..)?.first_chunk()?));
    let small = word(at)?;
    // A small integer is twice its value.
    let chars = (small / 2) as usize;
    if small % 2 == 1 || !(1..=MAX_CHARS).contains(&chars) {
        return None;
    }
    // With 64-bit words the upper half of the length is 0; with 32-bit words the hash is there, which never is.
    let start = at + 8;
    is_text(unit(part, start)).then(|| start..start + 2 * chars)
}

/// A number of 7 bits a byte, the last with its high bit set, and where it ends.
fn number(part: &[u8], at: usize) -> Option<(usize, usize)> {
    let mut number = 0;
    for (index, byte) in part.get(at..)?.iter().take(3).enumerate() {
        number |= usize::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 != 0 {
            return Some((number, at + index + 1));
        }
    }
    None
}

/// What lengths stand before a string of one byte a character at an offset: that of an object of the image with
/// 64-bit and with 32-bit words, that of the cluster.
fn lengths(bytes: &[u8], start: usize) -> impl Iterator<Item = usize> {
    let word = start.checked_sub(8).and_then(|at| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?)));
    let imaged = word.filter(|small| small % 2 == 0).map(|small| (small / 2) as usize);
    let clustered = (1..=3).filter_map(move |back| {
        let (number, end) = number(bytes, start.checked_sub(back)?)?;
        (end == start && number % 2 == 0).then_some(number / 2)
    });
    imaged.into_iter().chain(clustered)
}

/// The character of two bytes at an offset; 0 behind the end.
fn unit(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).map_or(0, |pair| u16::from_le_bytes(*pair))
}

fn is_ideograph(ch: u32) -> bool {
    matches!(ch, 0x4E00..=0x9FFF | 0x3400..=0x4DBF)
}

/// Whether a character occurs in Chinese texts.
fn is_text(unit: u16) -> bool {
    matches!(
        unit,
        0x0A | 0x0D | 0x20..=0x7E
            | 0xA0..=0xFF
            | 0x2010..=0x2030
            | 0x2190..=0x21FF
            | 0x2460..=0x24FF
            | 0x25A0..=0x27BF
            | 0x3000..=0x303F
            | 0x3400..=0x9FFF
            | 0xD800..=0xDFFF
            | 0xFE30..=0xFE4F
            | 0xFF00..=0xFFEF
    )
}

fn is_ascii_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\n' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &[u8] = b"80a49c7111088100a233b2ae788e1f48";

    fn begin(features: &str) -> Vec<u8> {
        let mut bytes = b"\x7fELF and so on..".to_vec();
        bytes.extend(MAGIC);
        bytes.extend(1000u64.to_le_bytes());
        bytes.extend(3u64.to_le_bytes());
        bytes.extend(HASH);
        bytes.extend(features.as_bytes());
        bytes.push(0);
        bytes
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    /// `datastream.h`, `WriteUnsigned`.
    fn number(mut value: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while value > 0x7F {
            bytes.push((value & 0x7F) as u8);
            value >>= 7;
        }
        bytes.push(value as u8 + 0x80);
        bytes
    }

    fn texts<'a>(strings: &'a [DartString<'a>]) -> Vec<(&'a str, bool)> {
        strings.iter().map(|string| (&*string.text, string.bounded)).collect()
    }

    #[test]
    fn strings_of_the_image_are_read_with_both_sizes_of_words() {
        let mut bytes = begin("product arm64 ios no-compressed-pointers");
        let object = |text: &str, bytes: &mut Vec<u8>| {
            while !bytes.len().is_multiple_of(16) {
                bytes.push(0);
            }
            bytes.extend(0x5_2A0D_0005_E232u64.to_le_bytes());
            bytes.extend((2 * text.encode_utf16().count() as u64).to_le_bytes());
            bytes.extend(utf16(text));
        };
        object("巡查打卡", &mut bytes);
        object("今日已打卡 3 次，共 5 次。", &mut bytes);
        while !bytes.len().is_multiple_of(16) {
            bytes.push(0);
        }
        // 32-bit: tags, length, hash.
        bytes.extend([0x32, 0xE2, 0x05, 0, 8, 0, 0, 0, 0xAB, 0xCD, 0xEF, 0x01]);
        bytes.extend(utf16("积分排名"));
        let snapshot = Snapshot::parse(&bytes, &[]).unwrap();
        assert_eq!(snapshot.version.as_bytes(), HASH);
        assert_eq!(snapshot.features, "product arm64 ios no-compressed-pointers");
        let wide = snapshot.wide();
        assert_eq!(
            texts(&wide),
            [("巡查打卡", true), ("今日已打卡 3 次，共 5 次。", true), ("积分排名", true)]
        );
        assert_eq!(&bytes[wide[0].offset..wide[0].offset + 8], utf16("巡查打卡"));
    }

    #[test]
    fn strings_of_the_cluster_are_read_one_after_another() {
        let mut bytes = begin("product arm64 android compressed-pointers");
        let long = "在".repeat(100);
        for text in ["签到", "签收公文", "意见反馈", "上传现场照片（必填）", &long, "a签到b"]
        {
            bytes.extend(number(text.encode_utf16().count() << 1 | 1));
            bytes.extend(utf16(text));
        }
        let route = format!("/api/{}", "x".repeat(80));
        for text in ["/patrol/checkin", "SignInPage", &route, "package:grid/pages/sign_page.dart"] {
            bytes.extend(number(text.len() << 1));
            bytes.extend(text.as_bytes());
        }
        let snapshot = Snapshot::parse(&bytes, &[]).unwrap();
        assert_eq!(
            texts(&snapshot.wide()),
            [
                ("签到", true),
                ("签收公文", true),
                ("意见反馈", true),
                ("上传现场照片（必填）", true),
                (long.as_str(), true),
                ("a签到b", true)
            ]
        );
        let narrow = snapshot.narrow();
        let narrow: Vec<&str> = narrow.iter().map(|string| &*string.text).collect();
        for text in ["/patrol/checkin", "SignInPage", &route, "package:grid/pages/sign_page.dart"] {
            assert!(narrow.contains(&text), "{text}: {narrow:?}");
        }
    }

    #[test]
    fn a_run_that_nothing_bounds_is_marked() {
        let mut bytes = begin("");
        bytes.extend([1, 1]);
        bytes.extend(utf16("连续签到"));
        bytes.extend([0, 0]);
        assert_eq!(texts(&Snapshot::parse(&bytes, &[]).unwrap().wide()), [("连续签到", false)]);
    }

    #[test]
    fn other_files_and_other_ranges_hold_no_snapshot() {
        assert_eq!(Snapshot::parse(b"", &[]).unwrap_err(), DartError::NoSnapshot);
        let mut bytes = begin("");
        for within in [0..10, 5..usize::MAX] {
            let error = Snapshot::parse(&bytes, std::slice::from_ref(&within)).unwrap_err();
            assert_eq!(error, DartError::NoSnapshot);
        }
        let digit = bytes.len() - 10;
        bytes[digit] = b'!';
        assert_eq!(Snapshot::parse(&bytes, &[]).unwrap_err(), DartError::NoSnapshot);
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let mut bytes = begin("arm64");
        bytes.extend(number(9));
        bytes.extend(utf16("巡查打卡"));
        for end in 0..bytes.len() {
            if let Ok(snapshot) = Snapshot::parse(&bytes[..end], &[]) {
                snapshot.wide();
                snapshot.narrow();
            }
        }
        let mut seed = 1u32;
        for _ in 0..2_000 {
            let mut broken = bytes.clone();
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = seed as usize % broken.len();
            broken[at] ^= (seed >> 24) as u8;
            if let Ok(snapshot) = Snapshot::parse(&broken, &[]) {
                snapshot.wide();
                snapshot.narrow();
            }
        }
        // A megabyte of ideographs without a length: every start is tried, none fits.
        let mut long = begin("");
        long.extend(utf16(&"签".repeat(1 << 19)));
        assert!(Snapshot::parse(&long, &[]).unwrap().wide().iter().all(|string| !string.bounded));
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(tail in proptest::collection::vec(proptest::num::u8::ANY, 0..512)) {
            let mut bytes = begin("x");
            bytes.extend(tail);
            let snapshot = Snapshot::parse(&bytes, &[]).unwrap();
            snapshot.wide();
            snapshot.narrow();
        }
    }
}
