//! String literals of Unity apps whose C# was compiled by IL2CPP: `global-metadata.dat`.
//!
//! Format: `Il2CppGlobalMetadataHeader` in Unity's `libil2cpp/vm/GlobalMetadataFileInternals.h` (shipped with the editor):
//! a magic number, a version, then pairs of offset and size, of which the first two are the table of literals (length
//! and index of each) and their UTF-8. Versions 16 to 31 are read; later ones put the table in another form.

use std::borrow::Cow;

use thiserror::Error;

use super::{Decoder, Issue, Limit, Unit};

/// What this file reads.
pub const DECODER: Decoder = Decoder {
    name: "unity",
    version: 1,
    reads: ("Unity 字符串（global-metadata.dat）", "strings of Unity apps (global-metadata.dat)"),
    limits: &[
        Limit { what: ("最旧版本", "oldest version"), amount: OLDEST as u64, unit: Unit::Count },
        Limit { what: ("最新版本", "newest version"), amount: NEWEST as u64, unit: Unit::Count },
    ],
};

/// First bytes of the file.
pub const MAGIC: [u8; 4] = [0xAF, 0x1B, 0xB1, 0xFA];
const OLDEST: u32 = 16;
const NEWEST: u32 = 31;
/// Length and index of one literal.
const ENTRY: usize = 8;

/// Why nothing can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UnityError {
    /// Another magic number: the file is encrypted, or something else.
    #[error("not the magic number of IL2CPP metadata")]
    Magic,
    /// A version that is not read.
    #[error("IL2CPP metadata of version {0}")]
    Version(u32),
    /// The header is cut off.
    #[error("the header is cut off")]
    Truncated,
}

/// A literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal<'a> {
    /// The text; what is no UTF-8 in it is replaced.
    pub text: Cow<'a, str>,
    /// Offset of its first byte in the file.
    pub offset: usize,
}

/// Reads the literals, in the order of the table.
pub fn read(bytes: &[u8]) -> Result<(Vec<Literal<'_>>, Vec<Issue>), UnityError> {
    let word = |at: usize| -> Option<u32> {
        Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
    };
    if bytes.get(..4) != Some(&MAGIC) {
        return Err(UnityError::Magic);
    }
    let version = word(4).ok_or(UnityError::Truncated)?;
    if !(OLDEST..=NEWEST).contains(&version) {
        return Err(UnityError::Version(version));
    }
    let field = |index: usize| word(8 + 4 * index).map(|number| number as usize).ok_or(UnityError::Truncated);
    let (table, table_size, data, data_size) = (field(0)?, field(1)?, field(2)?, field(3)?);
    let mut issues = Vec::new();
    let part = |start: usize, size: usize| {
        let start = start.min(bytes.len());
        start..start.saturating_add(size).min(bytes.len())
    };
    let (rows, pool) = (part(table, table_size), part(data, data_size));
    if rows.len() < table_size || pool.len() < data_size {
        issues.push(Issue::lossy("unity.truncated", bytes.len() as u64, "the table of literals is cut off"));
    }
    let mut literals = Vec::new();
    let (mut outside, mut budget) = (0, bytes.len());
    for row in bytes.get(rows.clone()).unwrap_or_default().chunks_exact(ENTRY) {
        let number =
            |at: usize| row.get(at..at + 4).and_then(|n| n.try_into().ok()).map_or(0, u32::from_le_bytes);
        let (length, index) = (number(0) as usize, number(4) as usize);
        let start = pool.start.saturating_add(index);
        let content =
            start.checked_add(length).filter(|end| *end <= pool.end).and_then(|end| bytes.get(start..end));
        // Rows may name the same bytes again and again; honest ones share none.
        match content.filter(|_| length <= budget) {
            Some(content) => {
                budget -= length;
                literals.push(Literal { text: String::from_utf8_lossy(content), offset: start });
            }
            None => outside += 1,
        }
    }
    if outside > 0 {
        let detail = format!("{outside} literals lie outside of their pool or overlap");
        issues.push(Issue::lossy("unity.bad-literal", rows.start as u64, detail));
    }
    Ok((literals, issues))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::res_chunk::tests::flips;

    fn metadata(version: u32, literals: &[&str]) -> Vec<u8> {
        let (mut table, mut pool) = (Vec::new(), Vec::<u8>::new());
        for text in literals {
            table.extend((text.len() as u32).to_le_bytes());
            table.extend((pool.len() as u32).to_le_bytes());
            pool.extend(text.as_bytes());
        }
        let mut bytes = MAGIC.to_vec();
        let start = 256u32;
        let fields = [version, start, table.len() as u32, start + table.len() as u32, pool.len() as u32];
        fields.iter().for_each(|field| bytes.extend(field.to_le_bytes()));
        bytes.resize(256, 0);
        bytes.extend(table);
        bytes.extend(pool);
        bytes
    }

    #[test]
    fn literals_are_read_in_order() {
        for version in [16, 24, 29, 31] {
            let bytes = metadata(version, &["每日签到", "", "/api/rank/list"]);
            let (literals, issues) = read(&bytes).unwrap();
            let texts: Vec<&str> = literals.iter().map(|literal| &*literal.text).collect();
            assert_eq!((texts, issues.len()), (vec!["每日签到", "", "/api/rank/list"], 0));
            assert_eq!(&bytes[literals[0].offset..][..12], "每日签到".as_bytes());
        }
    }

    #[test]
    fn what_cannot_be_read_is_said() {
        assert_eq!(read(b"").unwrap_err(), UnityError::Magic);
        assert_eq!(read(&metadata(38, &[])).unwrap_err(), UnityError::Version(38));
        assert_eq!(read(&metadata(24, &[])[..12]).unwrap_err(), UnityError::Truncated);
        let bytes = metadata(24, &["每日签到", "积分"]);
        let (literals, issues) = read(&bytes[..bytes.len() - 3]).unwrap();
        assert_eq!((literals.len(), issues.len()), (1, 2));
        assert!(issues.iter().all(|issue| issue.lossy));
    }

    #[test]
    fn rows_that_repeat_the_same_bytes_do_not_multiply_them() {
        let mut bytes = metadata(24, &["签"; 1000]);
        let size = (bytes.len() - 256 - 8 * 1000) as u32;
        for row in 0..1000 {
            bytes[256 + 8 * row..][..4].copy_from_slice(&size.to_le_bytes());
            bytes[256 + 8 * row + 4..][..4].copy_from_slice(&0u32.to_le_bytes());
        }
        let (literals, issues) = read(&bytes).unwrap();
        let total: usize = literals.iter().map(|literal| literal.text.len()).sum();
        assert!(total <= bytes.len() && !issues.is_empty());
    }

    #[test]
    fn cut_and_flipped_metadata_is_read() {
        let bytes = metadata(29, &["每日签到", "/api/rank/list", "积分排名"]);
        for end in 0..bytes.len() {
            match read(&bytes[..end]) {
                Ok((literals, issues)) => {
                    assert!(literals.len() <= 3 && issues.iter().any(|issue| issue.lossy), "cut to {end}");
                }
                Err(error) => assert!(end < 24, "{error}, cut to {end}"),
            }
        }
        flips(&bytes, 3_000, |bytes| drop(read(bytes)));
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(version in 16u32..32, tail in proptest::collection::vec(proptest::num::u8::ANY, 0..512)) {
            let mut bytes = MAGIC.to_vec();
            bytes.extend(version.to_le_bytes());
            bytes.extend(tail);
            let _ = read(&bytes);
        }
    }
}
