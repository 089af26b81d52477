//! Native libraries (ELF): where their data is, and the C strings in it that people or servers may read.
//!
//! Format: System V ABI, gABI 4.1 chapters 4 and 5; read by `goblin`.

use std::borrow::Cow;
use std::ops::Range;

use goblin::elf::Elf;
use goblin::elf::program_header::{PF_X, PT_LOAD};
use goblin::elf::section_header::{SHF_ALLOC, SHF_EXECINSTR, SHT_PROGBITS};
use thiserror::Error;

use super::Decoder;

/// What this file reads.
pub const DECODER: Decoder = Decoder {
    name: "elf",
    version: 1,
    reads: ("本地库（ELF）中的字符串", "strings of native libraries (ELF)"),
    limits: &[],
};

/// The shortest C string that is looked at, in bytes.
const MIN_STRING: usize = 4;
/// Longer ones are data.
const MAX_STRING: usize = 4_096;

/// Why a library cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no ELF library: {0}")]
pub struct ElfError(String);

/// A native library.
#[derive(Debug)]
pub struct Library<'a> {
    bytes: &'a [u8],
    /// Ranges of the file with data that is no code.
    data: Vec<Range<usize>>,
    /// Those of them that only hold constants, where the file says so.
    constants: Vec<Range<usize>>,
}

/// A string between two NULs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CString<'a> {
    /// The text.
    pub text: Cow<'a, str>,
    /// Offset of its first byte in the file.
    pub offset: usize,
}

impl<'a> Library<'a> {
    /// Reads the tables of segments and sections.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, ElfError> {
        let header = Elf::parse_header(bytes).map_err(|error| ElfError(error.to_string()))?;
        let context = header_context(&header);
        let count = |offset: u64, size: u16, count: u16| {
            // No table is longer than the file.
            let room = (bytes.len() as u64).saturating_sub(offset) / u64::from(size.max(1));
            usize::from(count).min(usize::try_from(room).unwrap_or(usize::MAX))
        };
        let segments = goblin::elf::ProgramHeader::parse(
            bytes,
            usize::try_from(header.e_phoff).unwrap_or(usize::MAX),
            count(header.e_phoff, header.e_phentsize, header.e_phnum),
            context,
        )
        .map_err(|error| ElfError(error.to_string()))?;
        let within = |offset: u64, size: u64| {
            let start = usize::try_from(offset).ok().filter(|start| *start < bytes.len())?;
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            Some(start..start.saturating_add(size).min(bytes.len()))
        };
        let data = segments.iter().filter(|segment| segment.p_type == PT_LOAD && segment.p_flags & PF_X == 0);
        let data = data.filter_map(|segment| within(segment.p_offset, segment.p_filesz)).collect();
        // Sections are for linkers, so a library may come without.
        let sections = goblin::elf::SectionHeader::parse(
            bytes,
            usize::try_from(header.e_shoff).unwrap_or(usize::MAX),
            count(header.e_shoff, header.e_shentsize, header.e_shnum),
            context,
        )
        .unwrap_or_default();
        let constants = sections.iter().filter(|section| {
            let flags = section.sh_flags as u32;
            // Not writable, not code.
            section.sh_type == SHT_PROGBITS && flags & (SHF_ALLOC | SHF_EXECINSTR | 1) == SHF_ALLOC
        });
        let constants = constants.filter_map(|section| within(section.sh_offset, section.sh_size)).collect();
        Ok(Library { bytes, data, constants })
    }

    /// Ranges of the file with data that is no code.
    pub fn data(&self) -> &[Range<usize>] {
        &self.data
    }

    /// UTF-8 strings between NULs among the constants for which `keep` holds, in the order of the file.
    pub fn strings(&self, keep: impl Fn(&[u8]) -> bool) -> Vec<CString<'a>> {
        let mut ranges = if self.constants.is_empty() { self.data.clone() } else { self.constants.clone() };
        ranges.sort_by_key(|range| range.start);
        let mut found = Vec::new();
        let mut from = 0;
        for range in ranges {
            // Tables may claim the same bytes twice.
            let range = range.start.max(from)..range.end;
            from = from.max(range.end);
            let Some(part) = self.bytes.get(range.clone()) else { continue };
            let mut start = 0;
            for end in memchr::memchr_iter(0, part).chain([part.len()]) {
                let string = part.get(start..end).unwrap_or_default();
                if (MIN_STRING..=MAX_STRING).contains(&string.len())
                    && keep(string)
                    && let Ok(text) = std::str::from_utf8(string)
                    && !text.chars().any(|ch| ch.is_control() && !matches!(ch, '\n' | '\r' | '\t'))
                {
                    found.push(CString { text: Cow::Borrowed(text), offset: range.start + start });
                }
                start = end + 1;
            }
        }
        found
    }
}

fn header_context(header: &goblin::elf::Header) -> goblin::container::Ctx {
    use goblin::container::{Container, Ctx, Endian};
    let container = if header.e_ident[goblin::elf::header::EI_CLASS] == goblin::elf::header::ELFCLASS64 {
        Container::Big
    } else {
        Container::Little
    };
    let little = header.e_ident[goblin::elf::header::EI_DATA] == goblin::elf::header::ELFDATA2LSB;
    Ctx::new(container, if little { Endian::Little } else { Endian::Big })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ELF64 with one loaded segment of constants that reaches from the end of the tables to the end.
    fn library(constants: &[u8]) -> Vec<u8> {
        let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
        bytes.extend([3, 0, 0xB7, 0, 1, 0, 0, 0]);
        bytes.extend(0u64.to_le_bytes());
        bytes.extend(64u64.to_le_bytes());
        bytes.extend(0u64.to_le_bytes());
        bytes.extend([0, 0, 0, 0, 64, 0, 56, 0, 1, 0, 64, 0, 0, 0, 0, 0]);
        bytes.extend([1, 0, 0, 0, 4, 0, 0, 0]);
        for number in [120u64, 120, 120, constants.len() as u64, constants.len() as u64, 1] {
            bytes.extend(number.to_le_bytes());
        }
        assert_eq!(bytes.len(), 120);
        bytes.extend(constants);
        bytes
    }

    fn not_ascii(string: &[u8]) -> bool {
        !string.is_ascii()
    }

    #[test]
    fn strings_stand_between_nuls() {
        let bytes = library("abc\0巡查打卡\0\u{1}打卡\0\u{FFFD}\0积分排名".as_bytes());
        let read = Library::parse(&bytes).unwrap();
        let found = read.strings(not_ascii);
        let texts: Vec<&str> = found.iter().map(|string| &*string.text).collect();
        assert_eq!(texts, ["巡查打卡", "积分排名"]);
        assert_eq!(found[0].offset, 124);
        assert_eq!(read.data(), std::slice::from_ref(&(120..bytes.len())));
    }

    #[test]
    fn no_bytes_make_it_panic() {
        let bytes = library("巡查打卡\0".as_bytes());
        for end in 0..bytes.len() {
            if let Ok(read) = Library::parse(&bytes[..end]) {
                read.strings(not_ascii);
            }
        }
        let mut seed = 7u32;
        for _ in 0..5_000 {
            let mut broken = bytes.clone();
            for _ in 0..3 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = (seed >> 8) as usize % broken.len();
                broken[at] = (seed >> 24) as u8;
            }
            if let Ok(read) = Library::parse(&broken) {
                read.strings(not_ascii);
            }
        }
    }
}
