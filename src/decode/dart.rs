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
//! Runs of ideographs without such a proof are given too, and marked. Nothing tells which code uses a string.

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
        let whole = [0..bytes.len()];
        let within = if within.is_empty() { &whole[..] } else { within };
        let mut ranges: Vec<Range<usize>> = Vec::new();
        let mut told = None;
        for range in within {
            let Some(part) = bytes.get(range.clone()) else { continue };
            for at in memmem::find_iter(part, MAGIC) {
                let start = range.start + at;
                let Some(head) = head(bytes, start) else { continue };
                told.get_or_insert(head);
                if let Some(last) = ranges.last_mut().filter(|last| last.end == range.end) {
                    last.end = start;
                }
                ranges.push(start..range.end);
            }
        }
        let (version, features) = told.ok_or(DartError::NoSnapshot)?;
        Ok(Snapshot { bytes, ranges, version, features })
    }

    /// Strings with at least one ideograph, in the order of the file.
    pub fn wide(&self) -> Vec<DartString<'a>> {
        let mut found = Vec::new();
        for range in &self.ranges {
            let mut at = range.start;
            while let Some(hit) = next_ideographs(self.bytes, at..range.end) {
                let string = self.wide_at(hit, at, range.end);
                at = string.end.max(hit + 2);
                found.extend(string.text);
            }
        }
        found
    }

    /// The string of two bytes a character around an ideograph.
    fn wide_at(&self, hit: usize, from: usize, to: usize) -> Wide<'a> {
        let mut start = hit;
        while start >= from + 2 && hit - start < 2 * MAX_CHARS && is_text(unit(self.bytes, start - 2)) {
            start -= 2;
        }
        let mut end = hit;
        while end + 2 <= to && end - hit < 2 * MAX_CHARS && is_text(unit(self.bytes, end)) {
            end += 2;
        }
        let bounded = (start..=hit).step_by(2).find_map(|start| {
            let chars = length(self.bytes, start, true).find(|chars| (1..=MAX_CHARS).contains(chars))?;
            let stop = start.checked_add(2 * chars)?;
            (stop > hit && stop <= end).then_some((start, stop))
        });
        let (range, is_bounded) = match bounded {
            Some((start, stop)) => (start..stop, true),
            None => (start..end, false),
        };
        let content = self.bytes.get(range.clone()).unwrap_or_default();
        let (text, _) = encoding_rs::UTF_16LE.decode_without_bom_handling(content);
        // One ideograph that nothing bounds is more likely a number.
        let kept = is_bounded || text.chars().filter(|ch| is_ideograph(u32::from(*ch))).count() > 1;
        let string = DartString { text, offset: range.start, bounded: is_bounded };
        Wide { end: range.end, text: kept.then_some(string) }
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
            let chars = length(self.bytes, start, false).find(fits)?;
            Some(start..start + chars)
        });
        let content = bounded.and_then(|range| Some((range.start, self.bytes.get(range)?)));
        if let Some((offset, Ok(text))) = content.map(|(at, content)| (at, std::str::from_utf8(content))) {
            found.push(DartString { text: Cow::Borrowed(text), offset, bounded: true });
        }
    }
}

struct Wide<'a> {
    end: usize,
    text: Option<DartString<'a>>,
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

/// What lengths stand before a string at an offset: that of an object of the image, that of the cluster.
fn length(bytes: &[u8], start: usize, wide: bool) -> impl Iterator<Item = usize> {
    let word = |back: usize| -> Option<u32> {
        let at = start.checked_sub(back)?;
        Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
    };
    // A small integer is twice its value.
    let small = |number: u32| (number & 1 == 0).then_some((number / 2) as usize);
    let image64 = || word(4).filter(|high| *high == 0).and_then(|_| word(8)).and_then(small);
    let image32 = || word(8).and_then(small);
    let clustered = move || {
        let last = *bytes.get(start.checked_sub(1)?)?;
        let number = u32::from(last.checked_sub(0x80)?);
        // The bytes before the last have no high bit; how many there are, the content has to tell.
        let more = bytes.get(start.checked_sub(2)?).copied().filter(|byte| *byte < 0x80);
        let two = more.map(|low| number << 7 | u32::from(low));
        let fits = |number: u32| (number & 1 == u32::from(wide)).then_some((number / 2) as usize);
        Some([two.and_then(fits), fits(number)])
    };
    [image64(), image32()].into_iter().chain(clustered().into_iter().flatten()).flatten()
}

/// Offset of the next place where two characters of a text follow each other and the first is an ideograph.
fn next_ideographs(bytes: &[u8], range: Range<usize>) -> Option<usize> {
    let part = bytes.get(range.clone())?;
    let high = |byte: u8| matches!(byte, 0x4E..=0x9F);
    // The high byte is the second.
    let found = part.windows(2).enumerate().position(|(at, pair)| {
        high(pair[1]) && {
            let before = at.checked_sub(2).map(|at| unit(part, at));
            let beside = before.is_some_and(is_text) || is_text(unit(part, at + 2));
            beside || length(bytes, range.start + at, true).any(|chars| chars == 1)
        }
    });
    found.map(|at| range.start + at)
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
        let mut bytes = b"\x7fELF and so on".to_vec();
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
        for text in ["签到", "上传现场照片（必填）", &long, "a签到b"] {
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
            [("签到", true), ("上传现场照片（必填）", true), (long.as_str(), true), ("a签到b", true)]
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
        let within = [0..10];
        assert_eq!(Snapshot::parse(&bytes, &within).unwrap_err(), DartError::NoSnapshot);
        assert_eq!(Snapshot::parse(&bytes, &[5..usize::MAX]).unwrap_err(), DartError::NoSnapshot);
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
