//! What ARM64 code does with strings: which it passes to which call, in which function.
//!
//! Registers are followed in a straight line through each function, as far as the few instructions go that compilers
//! make addresses, constants and calls of; a branch keeps what is known. Nothing is executed.
//!
//! Format: *Arm Architecture Reference Manual* (A64 base instructions); short Swift strings in registers:
//! `swift/stdlib/public/core/SmallString.swift`.

use super::objc::ObjC;
use super::{MachO, Section, le32};

/// A use of a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    /// The string.
    pub string: Literal,
    /// Where the function begins.
    pub function: u64,
    /// Address of the instruction.
    pub address: u64,
    /// Selector of the message, or name of the function, that the string is passed to.
    pub callee: Option<String>,
    /// Its number among the arguments; the first of a message after receiver and selector is 2.
    pub argument: u8,
    /// A selector that is passed to the same call: the action of a button.
    pub action: Option<String>,
    /// The string is a key; what is passed is the text that a string table has for it.
    pub localised: bool,
}

/// How code holds a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Literal {
    /// At an address.
    At(u64),
    /// In two registers, as Swift holds strings of up to 15 bytes.
    Small(String),
}

/// What is known of a register.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    Unknown,
    /// A computed address.
    Address(u64),
    /// What is stored at an address.
    Loaded(u64),
    Constant(u64),
    /// What a string table has for the string at an address.
    Localised(u64),
}

/// So many uses are told; an honest program of the largest size has fewer.
pub(super) const MAX_USES: usize = 1 << 20;
/// So many strings of a function wait for a call.
const MAX_WAITING: usize = 64;

/// The uses of strings in the code of a program. `wanted` says whether an address is that of a string.
/// Also whether those are all.
pub fn uses(program: &MachO<'_>, objc: &ObjC, wanted: &dyn Fn(u64) -> bool) -> (Vec<Use>, bool) {
    let mut starts = program.function_starts();
    starts.extend(objc.methods.iter().map(|method| method.code));
    starts.sort_unstable();
    starts.dedup();
    let mut found = Vec::new();
    for section in program.sections("__text").filter(|section| !program.is_encrypted(section)) {
        let mut reader = Reader {
            program,
            objc,
            wanted,
            registers: [Held::Unknown; 32],
            function: 0,
            passed: Vec::new(),
            found,
        };
        reader.section(section, &starts);
        found = reader.found;
    }
    let whole = found.len() < MAX_USES;
    (found, whole)
}

struct Reader<'r, 'a> {
    program: &'r MachO<'a>,
    objc: &'r ObjC,
    wanted: &'r dyn Fn(u64) -> bool,
    registers: [Held; 32],
    function: u64,
    /// Strings of the function that were made and not yet passed to a call, and where.
    passed: Vec<(u64, u64)>,
    found: Vec<Use>,
}

impl Reader<'_, '_> {
    fn section(&mut self, section: &Section, starts: &[u64]) {
        let mut next = starts.partition_point(|start| *start < section.address);
        for (index, word) in self.program.content(section).chunks_exact(4).enumerate() {
            if self.found.len() >= MAX_USES {
                return;
            }
            let address = section.address.wrapping_add(index as u64 * 4);
            if starts.get(next).is_some_and(|start| *start <= address) {
                self.end();
                self.function = address;
                self.registers = [Held::Unknown; 32];
                while starts.get(next).is_some_and(|start| *start <= address) {
                    next += 1;
                }
            }
            self.instruction(u32::from_le_bytes([word[0], word[1], word[2], word[3]]), address);
        }
        self.end();
    }

    /// The end of a function: what was made and passed to no call is used all the same.
    fn end(&mut self) {
        for (string, address) in std::mem::take(&mut self.passed) {
            self.found.push(Use {
                string: Literal::At(string),
                function: self.function,
                address,
                callee: None,
                argument: 0,
                action: None,
                localised: false,
            });
        }
    }

    fn instruction(&mut self, word: u32, address: u64) {
        let field = |shift: u32| ((word >> shift) & 31) as usize;
        let (rd, rn) = (field(0), field(5));
        let imm12 = u64::from((word >> 10) & 0xFFF);
        if word & 0x1F00_0000 == 0x1000_0000 {
            // ADR, ADRP
            let immediate = ((word >> 5) & 0x7_FFFF) << 2 | (word >> 29) & 3;
            let signed = i64::from((immediate << 11).cast_signed() >> 11);
            let value = match word >> 31 {
                1 => (address & !0xFFF).wrapping_add_signed(signed << 12),
                _ => address.wrapping_add_signed(signed),
            };
            self.set(rd, Held::Address(value), address);
        } else if word & 0xFF80_0000 == 0x9100_0000 || word & 0xFF80_0000 == 0xD100_0000 {
            // ADD, SUB (immediate, 64 bits)
            let immediate = if word & 1 << 22 == 0 { imm12 } else { imm12 << 12 };
            let value = match self.registers[rn] {
                Held::Address(base) if word & 1 << 30 == 0 => Held::Address(base.wrapping_add(immediate)),
                Held::Address(base) => Held::Address(base.wrapping_sub(immediate)),
                _ => Held::Unknown,
            };
            self.set(rd, value, address);
        } else if word & 0xFFC0_0000 == 0xF940_0000 {
            // LDR (immediate, 64 bits)
            let value = match self.registers[rn] {
                Held::Address(base) => Held::Loaded(base.wrapping_add(imm12 * 8)),
                _ => Held::Unknown,
            };
            self.set(rd, value, address);
        } else if word & 0xFF80_0000 == 0xD280_0000 || word & 0xFF80_0000 == 0x5280_0000 {
            // MOVZ
            let shift = 16 * ((word >> 21) & 3);
            self.set(rd, Held::Constant(u64::from((word >> 5) & 0xFFFF) << shift), address);
        } else if word & 0xFF80_0000 == 0xF280_0000 || word & 0xFF80_0000 == 0x7280_0000 {
            // MOVK
            let shift = 16 * ((word >> 21) & 3);
            if let Held::Constant(value) = self.registers[rd] {
                let value = value & !(0xFFFF << shift) | u64::from((word >> 5) & 0xFFFF) << shift;
                self.set(rd, Held::Constant(value), address);
            }
        } else if word & 0xFFE0_FFE0 == 0xAA00_03E0 {
            // MOV (register)
            let value = self.registers[field(16)];
            self.set(rd, value, address);
        } else if word & 0xFF80_0000 == 0xB200_0000 {
            // ORR (immediate): Swift marks the address of a literal by its highest bit.
            let value = match self.registers[rn] {
                held @ Held::Address(_) => held,
                _ => Held::Unknown,
            };
            self.set(rd, value, address);
        } else if word & 0xFFC0_0000 == 0xA900_0000 {
            // STP: two halves of a short Swift string go into a table or onto the stack.
            self.small(rd, field(10), None, 0, address);
        } else if word & 0xFC00_0000 == 0x9400_0000 {
            // BL
            let target = address.wrapping_add_signed(i64::from((word << 6).cast_signed() >> 4));
            self.call(Some(target), address);
        } else if word & 0xFFFF_FC00 == 0xD63F_0000 {
            // BLR
            self.call(None, address);
        }
    }

    fn set(&mut self, register: usize, value: Held, address: u64) {
        if register == 31 {
            return;
        }
        self.registers[register] = value;
        if let Held::Address(string) = value
            && let Some(string) = self.string(string)
        {
            if self.passed.len() >= MAX_WAITING {
                self.end();
            }
            self.passed.push((string, address));
        }
    }

    /// The address of the string that an address stands for.
    fn string(&self, address: u64) -> Option<u64> {
        // Swift's pointers to literals are 32 less.
        [address, address.wrapping_add(32)].into_iter().find(|address| (self.wanted)(*address))
    }

    fn selector(&self, held: Held) -> Option<&String> {
        match held {
            Held::Loaded(address) => self.objc.selectors.get(&address),
            _ => None,
        }
    }

    /// The selector that a stub of `objc_msgSend` sends: the first thing it does is to load it.
    fn stub_selector(&self, target: u64) -> Option<&String> {
        let section = self.program.sections("__objc_stubs").take(4).find(|section| {
            target.wrapping_sub(section.address) < self.program.content(section).len() as u64
        })?;
        let at = section.offset + usize::try_from(target - section.address).ok()?;
        let (page, load) = (le32(self.program.bytes, at)?, le32(self.program.bytes, at + 4)?);
        let immediate = ((page >> 5) & 0x7_FFFF) << 2 | (page >> 29) & 3;
        let signed = i64::from((immediate << 11).cast_signed() >> 11);
        let base = (target & !0xFFF).wrapping_add_signed(signed << 12);
        self.objc.selectors.get(&base.wrapping_add(u64::from((load >> 10) & 0xFFF) * 8))
    }

    fn call(&mut self, target: Option<u64>, address: u64) {
        let function = target.and_then(|target| self.program.stub(target));
        // What only counts references leaves its argument where it was.
        if function
            .is_some_and(|name| name.starts_with("_objc_retain") || name.starts_with("_objc_autorelease"))
        {
            return;
        }
        let selector = target.and_then(|target| self.stub_selector(target));
        let message = selector.is_some() || function.is_none_or(|name| name.contains("objc_msgSend"));
        let selector = selector.or_else(|| self.selector(self.registers[1]).filter(|_| message)).cloned();
        let callee =
            selector.clone().or_else(|| function.map(|name| name.trim_start_matches('_').to_owned()));
        let first = if selector.is_some() { 2 } else { 0 };
        let action = (first..8)
            .find_map(|register| self.selector(self.registers[register]))
            .filter(|name| selector.is_some() && Some(*name) != selector.as_ref())
            .cloned();
        let mut result = Held::Unknown;
        for register in first..8 {
            let (string, localised) = match self.registers[register] {
                Held::Address(string) => (self.string(string), false),
                Held::Localised(string) => (Some(string), true),
                _ => {
                    self.small(register, register + 1, callee.as_deref(), register as u8, address);
                    continue;
                }
            };
            let Some(string) = string else { continue };
            if register == 2 && selector.as_deref() == Some("localizedStringForKey:value:table:") {
                result = Held::Localised(string);
            }
            self.passed.retain(|(other, _)| *other != string);
            self.found.push(Use {
                string: Literal::At(string),
                function: self.function,
                address,
                callee: callee.clone(),
                argument: register as u8,
                action: action.clone(),
                localised,
            });
        }
        self.registers[..19].fill(Held::Unknown);
        self.registers[0] = result;
    }

    /// A short Swift string in two registers.
    fn small(&mut self, low: usize, high: usize, callee: Option<&str>, argument: u8, address: u64) {
        let (Held::Constant(low), Held::Constant(high)) = (self.registers[low], self.registers[high & 31])
        else {
            return;
        };
        // The highest byte: E0 or A0 (ASCII or not), and the length.
        let (kind, length) = (high >> 60, (high >> 56) & 15);
        if !matches!(kind, 0xA | 0xE) || length == 0 {
            return;
        }
        let bytes: Vec<u8> =
            low.to_le_bytes().into_iter().chain(high.to_le_bytes()).take(length as usize).collect();
        let Ok(text) = String::from_utf8(bytes) else { return };
        if text.is_ascii() != (kind == 0xE) || text.chars().any(char::is_control) {
            return;
        }
        self.found.push(Use {
            string: Literal::Small(text),
            function: self.function,
            address,
            callee: callee.map(str::to_owned),
            argument,
            action: None,
            localised: false,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program with nothing but code, at address 0x1000.
    fn code(words: &[u32]) -> Vec<Use> {
        let mut bytes = Vec::new();
        let size = words.len() as u32 * 4;
        for field in [0xFEED_FACF_u32, super::super::ARM64, 0, 2, 1, 152, 0, 0, 0x19, 152] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend([0; 16]);
        for field in [0x1000_u64, 0x1000, 184, u64::from(size)] {
            bytes.extend(field.to_le_bytes());
        }
        for field in [7_u32, 5, 1, 0] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend(b"__text\0\0\0\0\0\0\0\0\0\0__TEXT\0\0\0\0\0\0\0\0\0\0");
        for field in [0x1000_u64, u64::from(size)] {
            bytes.extend(field.to_le_bytes());
        }
        for field in [184_u32, 2, 0, 0, 0, 0, 0, 0] {
            bytes.extend(field.to_le_bytes());
        }
        assert_eq!(bytes.len(), 184);
        words.iter().for_each(|word| bytes.extend(word.to_le_bytes()));
        let (program, issues) = MachO::parse(&bytes).unwrap();
        assert!(issues.is_empty(), "{issues:?}");
        uses(&program, &ObjC::default(), &|_| false).0
    }

    fn constant(register: u32, value: u64) -> [u32; 4] {
        [0, 1, 2, 3].map(|part: u32| {
            let base = if part == 0 { 0xD280_0000 } else { 0xF280_0000 };
            base | part << 21 | ((value >> (16 * part)) as u32 & 0xFFFF) << 5 | register
        })
    }

    fn small(text: &str, kind: u8) -> Vec<u32> {
        let mut bytes = [0; 16];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        bytes[15] = kind << 4 | text.len() as u8;
        let value = u128::from_le_bytes(bytes);
        [constant(0, value as u64), constant(1, (value >> 64) as u64)].concat()
    }

    #[test]
    fn short_swift_strings_are_numbers_in_code() {
        const BLR: u32 = 0xD63F_0100;
        for (text, kind) in [("打卡签到", 0xA), ("考勤", 0xA), ("sign in", 0xE), ("考核得分榜", 0xA)]
        {
            let found = code(&[small(text, kind), vec![BLR]].concat());
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert_eq!((&found[0].string, found[0].argument), (&Literal::Small(text.to_owned()), 0));
        }
        // The wrong kind, or no text.
        assert!(code(&[small("打卡签到", 0xE), vec![BLR]].concat()).is_empty());
        assert!(code(&[small("sign in", 0xA), vec![BLR]].concat()).is_empty());
        // STP x0, x1, [sp].
        assert_eq!(code(&[small("打卡", 0xA), vec![0xA900_07E0]].concat()).len(), 1);
    }
}
