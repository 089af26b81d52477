//! Mach-O: fat and thin, 32 and 64 bits, little-endian as on every iOS device. Strings of the constant sections,
//! Objective-C classes ([`objc`]), the code that uses the strings ([`arm64`]), encryption and code signature.
//!
//! Format: Apple's open `mach-o/loader.h`, `mach-o/fat.h`, `mach-o/fixup-chains.h`, `mach-o/nlist.h`;
//! `CFString.c` (constant strings).

pub mod arm64;
pub mod objc;

use std::borrow::Cow;
use std::ops::Range;

use thiserror::Error;

use super::{Decoder, Issue, Limit, Unit};

/// What this decoder reads.
pub const DECODER: Decoder = Decoder {
    name: "macho",
    version: 1,
    reads: (
        "Mach-O 程序：字符串、Objective-C、ARM64 代码中的字符串",
        "Mach-O: strings, Objective-C, strings in ARM64 code",
    ),
    limits: &[Limit {
        what: ("字符串的使用处", "uses of strings"),
        amount: arm64::MAX_USES as u64,
        unit: Unit::Count,
    }],
};

/// 64 bits, little-endian.
const MAGIC_64: u32 = 0xFEED_FACF;
const MAGIC_32: u32 = 0xFEED_FACE;
const FAT: u32 = 0xCAFE_BABE;
const FAT_64: u32 = 0xCAFE_BABF;
/// No program has nearly as many.
const MAX_SLICES: u32 = 16;
const MAX_COMMANDS: u32 = 1 << 16;
const MAX_SEGMENTS: usize = 64;
const MAX_SECTIONS: usize = 512;
const MAX_LIBRARIES: usize = 4096;
const MAX_FUNCTIONS: usize = 1 << 22;

/// `CPU_TYPE_ARM64`.
pub const ARM64: u32 = 0x0100_000C;

/// Why nothing of a program could be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum MachError {
    /// Another kind of file.
    #[error("not a Mach-O program")]
    NotMachO,
    /// The header or the table of architectures is cut off.
    #[error("the header is not complete")]
    Header,
}

/// Whether bytes begin like a thin or fat program.
pub fn is_macho(head: &[u8]) -> bool {
    matches!(le32(head, 0), Some(MAGIC_64 | MAGIC_32))
        // A Java class file begins as a fat program does, with its version where the number of slices is.
        || (matches!(be32(head, 0), Some(FAT | FAT_64)) && be32(head, 4).is_some_and(|count| (1..=MAX_SLICES).contains(&count)))
}

/// The programs in a file, with their processor: the best to read first, which is ARM64.
pub fn slices(bytes: &[u8]) -> Result<Vec<(u32, Range<usize>)>, MachError> {
    if !is_macho(bytes) {
        return Err(MachError::NotMachO);
    }
    let wide = be32(bytes, 0) == Some(FAT_64);
    if !wide && be32(bytes, 0) != Some(FAT) {
        return Ok(vec![(le32(bytes, 4).ok_or(MachError::Header)?, 0..bytes.len())]);
    }
    let count = be32(bytes, 4).unwrap_or_default();
    let mut found = Vec::new();
    for index in 0..count as usize {
        let at = 8 + index * if wide { 32 } else { 20 };
        let field = |at: usize| be32(bytes, at).ok_or(MachError::Header);
        let (cpu, offset, size) = if wide {
            let long = |at| Ok((u64::from(field(at)?) << 32) | u64::from(field(at + 4)?));
            (field(at)?, long(at + 8)?, long(at + 16)?)
        } else {
            (field(at)?, u64::from(field(at + 8)?), u64::from(field(at + 12)?))
        };
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        found.push((cpu, start..start.saturating_add(size).min(bytes.len())));
    }
    found.sort_by_key(|(cpu, _)| (*cpu != ARM64, std::cmp::Reverse(*cpu)));
    Ok(found)
}

#[derive(Debug, Clone)]
struct Segment {
    address: u64,
    size: u64,
    offset: u64,
    file_size: u64,
}

/// A section of a program.
#[derive(Debug, Clone)]
pub struct Section {
    /// Its segment: `__TEXT`.
    pub segment: String,
    /// Its name: `__cstring`.
    pub name: String,
    /// Address in memory.
    pub address: u64,
    /// Offset of its bytes in the program.
    pub offset: usize,
    size: u64,
    flags: u32,
    reserved: [u32; 2],
}

/// Sections of these types have no bytes in the file.
const ZERO_FILLED: [u32; 3] = [0x1, 0xC, 0x12];
/// `S_CSTRING_LITERALS`.
const CSTRINGS: u32 = 2;
/// `S_SYMBOL_STUBS`.
const STUBS: u32 = 8;

/// A program for one processor.
#[derive(Debug, Clone)]
pub struct MachO<'a> {
    bytes: &'a [u8],
    /// Processor, as `mach/machine.h` numbers them.
    pub cpu: u32,
    /// Whether pointers have 64 bits.
    pub wide: bool,
    segments: Vec<Segment>,
    sections: Vec<Section>,
    /// Sections of stubs, which are looked up for every call.
    stubs: Vec<usize>,
    /// Bytes that sections may still claim: those of an honest program do not overlap.
    room: u64,
    whole: bool,
    /// Range of the bytes that are encrypted, if any are.
    pub encrypted: Option<Range<u64>>,
    /// Range of the code signature.
    pub signature: Option<Range<u64>>,
    /// Install names of the libraries it loads.
    pub libraries: Vec<String>,
    symbols: Option<(u32, u32, u32, u32)>,
    indirect: Option<(u32, u32)>,
    starts: Option<(u32, u32)>,
    /// Whether pointers in data are links of fixup chains.
    chained: bool,
    /// Pointers carry authentication (`CPU_SUBTYPE_ARM64E`).
    authenticated: bool,
    /// Lowest address of the program's own segments.
    base: u64,
}

impl<'a> MachO<'a> {
    /// Reads the load commands of a thin program.
    pub fn parse(bytes: &'a [u8]) -> Result<(Self, Vec<Issue>), MachError> {
        let magic = le32(bytes, 0).ok_or(MachError::Header)?;
        let wide = match magic {
            MAGIC_64 => true,
            MAGIC_32 => false,
            _ => return Err(MachError::NotMachO),
        };
        let cpu = le32(bytes, 4).ok_or(MachError::Header)?;
        let count = le32(bytes, 16).ok_or(MachError::Header)?;
        let mut program = MachO {
            bytes,
            cpu,
            wide,
            segments: Vec::new(),
            sections: Vec::new(),
            stubs: Vec::new(),
            room: bytes.len() as u64,
            whole: true,
            encrypted: None,
            signature: None,
            libraries: Vec::new(),
            symbols: None,
            indirect: None,
            starts: None,
            chained: false,
            authenticated: cpu == ARM64 && le32(bytes, 8).is_some_and(|kind| kind & 0xFF == 2),
            base: 0,
        };
        let mut issues = Vec::new();
        let mut at = if wide { 32 } else { 28 };
        for index in 0..count.min(MAX_COMMANDS) {
            let command = le32(bytes, at).zip(le32(bytes, at + 4));
            let body = command.and_then(|(_, size)| bytes.get(at..at.checked_add(size as usize)?));
            let Some(((kind, _), body)) = command.zip(body).filter(|(_, body)| body.len() >= 8) else {
                let detail = format!("{index} of {count} load commands can be read");
                issues.push(Issue::lossy("macho.truncated", Some(at as u64), detail));
                break;
            };
            program.command(kind, body);
            at += body.len();
        }
        if !program.whole {
            let detail = "sections overlap or are too many; the rest is not read";
            issues.push(Issue::lossy("macho.overlapping-sections", None, detail));
        }
        let mapped = program.segments.iter().filter(|segment| segment.file_size > 0);
        program.base = mapped.map(|segment| segment.address).min().unwrap_or_default();
        for segment in &program.segments {
            if segment.offset.saturating_add(segment.file_size) > bytes.len() as u64 {
                let detail = format!("a segment of {} bytes goes beyond the end", segment.file_size);
                issues.push(Issue::lossy("macho.truncated", Some(segment.offset), detail));
                break;
            }
        }
        Ok((program, issues))
    }

    fn command(&mut self, kind: u32, body: &[u8]) {
        let field = |at: usize| le32(body, at).unwrap_or_default();
        let long = |at: usize| le64(body, at).unwrap_or_default();
        match kind & 0x7FFF_FFFF {
            // LC_SEGMENT, LC_SEGMENT_64
            0x1 => {
                let [address, size, offset, file_size] = [24, 28, 32, 36].map(|at| u64::from(field(at)));
                self.add_segment(Segment { address, size, offset, file_size });
                self.take_sections(body, 56, 68);
            }
            0x19 => {
                let [address, size, offset, file_size] = [24, 32, 40, 48].map(long);
                self.add_segment(Segment { address, size, offset, file_size });
                self.take_sections(body, 72, 80);
            }
            // LC_SYMTAB, LC_DYSYMTAB, LC_FUNCTION_STARTS
            0x2 => self.symbols = Some((field(8), field(12), field(16), field(20))),
            0xB => self.indirect = Some((field(56), field(60))),
            0x26 => self.starts = Some((field(8), field(12))),
            // LC_LOAD_DYLIB, LC_LOAD_WEAK_DYLIB, LC_REEXPORT_DYLIB
            0xC | 0x18 | 0x1F if self.libraries.len() < MAX_LIBRARIES => {
                let name = body.get(field(8) as usize..).unwrap_or_default();
                self.libraries.push(until_zero(name).into_owned());
            }
            // LC_CODE_SIGNATURE
            0x1D => {
                self.signature = Some(u64::from(field(8))..u64::from(field(8)) + u64::from(field(12)));
            }
            // LC_ENCRYPTION_INFO, LC_ENCRYPTION_INFO_64
            0x21 | 0x2C if field(16) != 0 => {
                self.encrypted = Some(u64::from(field(8))..u64::from(field(8)) + u64::from(field(12)));
            }
            // LC_DYLD_CHAINED_FIXUPS
            0x34 => self.chained = true,
            _ => {}
        }
    }

    fn add_segment(&mut self, segment: Segment) {
        if self.segments.len() < MAX_SEGMENTS {
            self.segments.push(segment);
        }
    }

    fn take_sections(&mut self, body: &[u8], start: usize, length: usize) {
        for section in body.get(start..).unwrap_or_default().chunks_exact(length) {
            if self.sections.len() >= MAX_SECTIONS {
                self.whole = false;
                return;
            }
            let name = |at: usize| until_zero(section.get(at..at + 16).unwrap_or_default()).into_owned();
            let field = |at: usize| le32(section, at).unwrap_or_default();
            let (address, size, rest) = if length == 80 {
                (le64(section, 32).unwrap_or_default(), le64(section, 40).unwrap_or_default(), 48)
            } else {
                (u64::from(field(32)), u64::from(field(36)), 40)
            };
            let flags = field(rest + 16);
            let size = if ZERO_FILLED.contains(&(flags & 0xFF)) { 0 } else { size };
            let there = (self.bytes.len() as u64).saturating_sub(u64::from(field(rest)));
            let claimed = size.min(there);
            self.whole &= claimed <= self.room;
            let size = claimed.min(self.room);
            self.room -= size;
            if flags & 0xFF == STUBS && self.stubs.len() < 4 {
                self.stubs.push(self.sections.len());
            }
            self.sections.push(Section {
                segment: name(16),
                name: name(0),
                address,
                size,
                offset: field(rest) as usize,
                flags,
                reserved: [field(rest + 20), field(rest + 24)],
            });
        }
    }

    /// The bytes of the program.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The sections of a name, in whatever segment.
    pub fn sections(&self, name: &str) -> impl Iterator<Item = &Section> {
        self.sections.iter().filter(move |section| section.name == name)
    }

    /// The bytes of a section; fewer where the program ends.
    pub fn content(&self, section: &Section) -> &'a [u8] {
        let rest = self.bytes.get(section.offset..).unwrap_or_default();
        let size = usize::try_from(section.size).unwrap_or(usize::MAX);
        rest.get(..size).unwrap_or(rest)
    }

    /// Whether a range of bytes is encrypted, at least in part.
    pub fn is_encrypted(&self, section: &Section) -> bool {
        let start = section.offset as u64;
        let end = start.saturating_add(section.size);
        self.encrypted.as_ref().is_some_and(|range| start < range.end && range.start < end)
    }

    /// The offset of what is at an address.
    pub fn offset(&self, address: u64) -> Option<usize> {
        self.segments.iter().find_map(|segment| {
            let into = address.checked_sub(segment.address)?;
            (into < segment.size && into < segment.file_size)
                .then(|| usize::try_from(segment.offset.checked_add(into)?).ok())
                .flatten()
        })
    }

    /// Bytes of a pointer.
    fn width(&self) -> usize {
        if self.wide { 8 } else { 4 }
    }

    /// The address that a pointer at an offset holds; `None` when it is bound to another library or null.
    pub fn pointer(&self, offset: usize) -> Option<u64> {
        if !self.wide {
            return le32(self.bytes, offset).map(u64::from).filter(|pointer| *pointer != 0);
        }
        let raw = le64(self.bytes, offset).filter(|pointer| *pointer != 0)?;
        if self.offset(raw).is_some() {
            return Some(raw);
        }
        if !self.chained {
            return None;
        }
        // A link: the target, as an address or from the base, and the way to the next; or what is bound elsewhere.
        let target = match (self.authenticated, raw >> 62) {
            (true, 0) => raw & 0x7FF_FFFF_FFFF,
            (true, 2) => raw & 0xFFFF_FFFF,
            (false, 0 | 1) => raw & 0xF_FFFF_FFFF,
            _ => return None,
        };
        [Some(target), target.checked_add(self.base)]
            .into_iter()
            .flatten()
            .find(|target| self.offset(*target).is_some())
    }

    /// The text at an address, up to its zero byte.
    pub fn text_at(&self, address: u64) -> Option<&'a str> {
        let rest = self.bytes.get(self.offset(address)?..)?;
        let length = memchr::memchr(0, rest.get(..1 << 16).unwrap_or(rest))?;
        std::str::from_utf8(&rest[..length]).ok()
    }

    /// The literals of every section of C strings: address, offset and bytes.
    pub fn cstrings(&self) -> impl Iterator<Item = (u64, usize, &'a [u8])> {
        let is_text =
            |section: &&Section| section.flags & 0xFF == CSTRINGS && !section.name.starts_with("__objc_");
        self.sections.iter().filter(is_text).filter(|section| !self.is_encrypted(section)).flat_map(
            |section| {
                let content = self.content(section);
                let mut at = 0;
                std::iter::from_fn(move || {
                    let rest = content.get(at..).filter(|rest| !rest.is_empty())?;
                    let length = memchr::memchr(0, rest).unwrap_or(rest.len());
                    let found =
                        (section.address.wrapping_add(at as u64), section.offset + at, &rest[..length]);
                    at += length + 1;
                    Some(found)
                })
            },
        )
    }

    /// The literals of `__ustring`: address, offset and text.
    pub fn ustrings(&self) -> impl Iterator<Item = (u64, usize, String)> {
        self.sections("__ustring").filter(|section| !self.is_encrypted(section)).flat_map(|section| {
            let content = self.content(section);
            let mut at = 0;
            std::iter::from_fn(move || {
                let units =
                    content.get(at..)?.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
                let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
                if at + 1 >= content.len() {
                    return None;
                }
                let found = (section.address.wrapping_add(at as u64), section.offset + at);
                at += units.len() * 2 + 2;
                Some((found.0, found.1, String::from_utf16_lossy(&units)))
            })
        })
    }

    /// Constant string objects: address of the object and of its characters.
    pub fn cfstrings(&self) -> impl Iterator<Item = (u64, u64)> {
        let (length, at) = if self.wide { (32, 16) } else { (16, 8) };
        self.sections("__cfstring").flat_map(move |section| {
            let count = self.content(section).len() / length;
            (0..count).filter_map(move |index| {
                let characters = self.pointer(section.offset + index * length + at)?;
                Some((section.address.wrapping_add((index * length) as u64), characters))
            })
        })
    }

    /// Where functions begin, as far as the linker says, sorted.
    pub fn function_starts(&self) -> Vec<u64> {
        let Some((offset, size)) = self.starts else { return Vec::new() };
        let bytes = self.bytes.get(offset as usize..).unwrap_or_default();
        let bytes = bytes.get(..size as usize).unwrap_or(bytes);
        let (mut address, mut found) = (self.base, Vec::new());
        let (mut delta, mut shift) = (0_u64, 0);
        for byte in bytes {
            delta |= u64::from(byte & 0x7F).checked_shl(shift).unwrap_or_default();
            shift += 7;
            if byte & 0x80 == 0 {
                if delta == 0 || found.len() >= MAX_FUNCTIONS {
                    break;
                }
                address = address.wrapping_add(delta);
                found.push(address);
                (delta, shift) = (0, 0);
            }
        }
        found.sort_unstable();
        found
    }

    /// The name of the function that a stub at an address leads to.
    pub fn stub(&self, address: u64) -> Option<&'a str> {
        let stubs = self.stubs.iter().filter_map(|index| self.sections.get(*index));
        let section =
            stubs.into_iter().find(|section| address.wrapping_sub(section.address) < section.size)?;
        let [first, length] = section.reserved;
        let index = (address - section.address).checked_div(u64::from(length))?;
        let (table, count) = self.indirect?;
        let index = u64::from(first).checked_add(index).filter(|index| *index < u64::from(count))?;
        let symbol = le32(self.bytes, (u64::from(table) + index * 4) as usize)?;
        let (symbols, count, strings, size) = self.symbols?;
        if symbol >= count {
            return None;
        }
        let entry = symbols as usize + symbol as usize * if self.wide { 16 } else { 12 };
        let name = le32(self.bytes, entry).filter(|name| *name < size)?;
        let rest = self.bytes.get(strings as usize + name as usize..)?;
        let length = memchr::memchr(0, rest.get(..256).unwrap_or(rest))?;
        std::str::from_utf8(&rest[..length]).ok()
    }
}

fn until_zero(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap_or_default())
}

fn le32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

fn le64(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::arm64::{Literal, uses};
    use super::objc::{ObjC, plain_name};
    use super::*;
    use crate::decode::archive::Archive;
    use crate::decode::blob::Blob;

    /// The program of a fixture, compiled by clang from `fixtures/ipa/patrol/main.m`.
    fn program() -> Vec<u8> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/built/patrol.ipa");
        let (archive, _) = Archive::open(Blob::memory(std::fs::read(path).unwrap())).unwrap();
        let entry = archive.entry("Payload/ForestPatrol.app/ForestPatrol").unwrap();
        archive.read(entry).unwrap().0
    }

    /// Strings with the method that uses them, what they are passed to, as which argument, and the action.
    fn told(bytes: &[u8]) -> Vec<(String, String, String, u8, bool)> {
        let (program, issues) = MachO::parse(bytes).unwrap();
        assert!(issues.is_empty(), "{issues:?}");
        let objc = ObjC::read(&program);
        let mut strings: std::collections::HashMap<u64, String> = program
            .cstrings()
            .map(|(at, _, text)| (at, String::from_utf8_lossy(text).into_owned()))
            .collect();
        strings.extend(program.ustrings().map(|(at, _, text)| (at, text)));
        let objects: std::collections::HashMap<u64, u64> = program.cfstrings().collect();
        let (found, whole) = uses(&program, &objc, &|address| objects.contains_key(&address));
        assert!(whole);
        let text = |literal: &Literal| match literal {
            Literal::At(address) => strings[&objects[address]].clone(),
            Literal::Small(text) => text.clone(),
        };
        let method =
            |function| objc.method_at(function).map_or_else(String::new, |method| method.name.clone());
        found
            .iter()
            .map(|usage| {
                let callee = usage.callee.clone().unwrap_or_default();
                (text(&usage.string), method(usage.function), callee, usage.argument, usage.localised)
            })
            .collect()
    }

    #[test]
    fn strings_are_followed_into_the_messages_of_the_source() {
        let found = told(&program());
        for (text, method, callee, argument, localised) in [
            ("今日任务", "viewDidLoad", "setText:", 2, false),
            ("rank.mine", "viewDidLoad", "localizedStringForKey:value:table:", 2, false),
            ("rank.mine", "viewDidLoad", "setTitle:forState:", 2, true),
            ("rank.page", "viewDidLoad", "setTitle:", 2, true),
            ("/api/forest/patrol/checkin", "onCheckIn:", "post:", 2, false),
            ("不在打卡范围内", "onCheckIn:", "alertControllerWithTitle:message:preferredStyle:", 3, false),
            ("转发任务上报失败：%@", "post:", "NSLog", 0, false),
            ("考核得分", "didSelect:", "isEqualToString:", 2, false),
        ] {
            let row = (text.to_owned(), method.to_owned(), callee.to_owned(), argument, localised);
            assert!(found.contains(&row), "{row:?} is not in {found:#?}");
        }
    }

    #[test]
    fn classes_and_methods_are_those_of_the_source() {
        let bytes = program();
        let (program, _) = MachO::parse(&bytes).unwrap();
        let objc = ObjC::read(&program);
        let names: Vec<(&str, bool)> =
            objc.classes.iter().map(|class| (class.name.as_str(), class.referred)).collect();
        assert_eq!(
            names,
            [
                ("PatrolService", true),
                ("RankViewController", true),
                ("HomeViewController", false),
                ("PatrolViewController", false),
                ("SDCycleScrollView", false)
            ]
        );
        let mut methods: Vec<(&str, &str)> = objc
            .methods
            .iter()
            .map(|method| (objc.classes[method.class].name.as_str(), method.name.as_str()))
            .collect();
        methods.sort_unstable();
        assert_eq!(
            methods,
            [
                ("HomeViewController", "onRank:"),
                ("HomeViewController", "viewDidLoad"),
                ("PatrolService", "post:"),
                ("PatrolViewController", "didSelect:"),
                ("PatrolViewController", "onCheckIn:"),
                ("RankViewController", "onMine:"),
                ("RankViewController", "viewDidLoad"),
                ("SDCycleScrollView", "makePlaceholder")
            ]
        );
        assert!(program.signature.is_some() && program.encrypted.is_none());
        assert_eq!(plain_name("_TtC6Patrol14ViewController"), "Patrol.ViewController");
        assert_eq!(plain_name("_TtC9"), "_TtC9");
    }

    #[test]
    fn links_of_fixup_chains_are_pointers() {
        let bytes = program();
        let plain = told(&bytes);
        let (program, _) = MachO::parse(&bytes).unwrap();
        let data: Vec<Range<usize>> = program
            .sections
            .iter()
            .filter(|section| section.segment.starts_with("__DATA"))
            .map(|section| section.offset..section.offset + program.content(section).len())
            .collect();
        for base in [0, program.base] {
            let mut chained = bytes.clone();
            for at in data.iter().flat_map(|range| range.clone().step_by(8)) {
                let Some(pointer) = le64(&bytes, at).filter(|pointer| program.offset(*pointer).is_some())
                else {
                    continue;
                };
                // The way to the next link reaches into bit 62.
                let link = (pointer - base) | 0xFFF << 51;
                chained[at..at + 8].copy_from_slice(&link.to_le_bytes());
            }
            // LC_DYLD_INFO_ONLY becomes LC_DYLD_CHAINED_FIXUPS.
            let command = memchr::memmem::find(&chained, &0x8000_0022_u32.to_le_bytes()).unwrap();
            chained[command..command + 4].copy_from_slice(&0x8000_0034_u32.to_le_bytes());
            assert_eq!(told(&chained), plain);
        }
    }

    #[test]
    fn slices_of_fat_programs_are_found() {
        let thin = program();
        let mut fat = [FAT.to_be_bytes(), 2_u32.to_be_bytes()].concat();
        for (cpu, offset) in [(12_u32, 64_u32), (ARM64, 128)] {
            for field in [cpu, 0, offset, if cpu == ARM64 { thin.len() as u32 } else { 16 }, 0] {
                fat.extend(field.to_be_bytes());
            }
        }
        fat.resize(128, 0);
        fat.extend(&thin);
        assert_eq!(slices(&fat).unwrap(), [(ARM64, 128..fat.len()), (12, 64..80)]);
        assert_eq!(slices(&thin).unwrap(), [(ARM64, 0..thin.len())]);
        assert_eq!(slices(b"PK\x03\x04").unwrap_err(), MachError::NotMachO);
        // A Java class file of version 52.
        assert!(!is_macho(b"\xCA\xFE\xBA\xBE\0\0\0\x34"));
    }

    fn read_all(bytes: &[u8]) {
        let Ok((program, _)) = MachO::parse(bytes) else { return };
        let objc = ObjC::read(&program);
        let strings = program.cstrings().count() + program.ustrings().count() + program.cfstrings().count();
        assert!(strings <= bytes.len());
        uses(&program, &objc, &|_| true);
    }

    #[test]
    fn cut_and_flipped_programs_end() {
        let bytes = program();
        // Every length of the header and load commands; behind them a part of a section is cut off.
        for length in (0..0x800).chain((0x800..bytes.len()).step_by(613)) {
            if let Ok((_, issues)) = MachO::parse(&bytes[..length]) {
                assert!(issues.iter().any(|issue| issue.lossy), "cut to {length}");
            }
            read_all(&bytes[..length]);
        }
        let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
        for _ in 0..300 {
            let mut bytes = bytes.clone();
            for _ in 0..8 {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                // Load commands and metadata, where a bit means most.
                let at = (seed >> 8) as usize % if seed & 1 == 0 { 0x800 } else { bytes.len() };
                bytes[at] ^= 1 << (seed >> 61);
            }
            read_all(&bytes);
        }
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_commands_end(body in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            let head = [MAGIC_64, ARM64, 0, 2, 5, 400, 0, 0];
            read_all(&[head.iter().flat_map(|field| field.to_le_bytes()).collect(), body].concat());
        }
    }
}
