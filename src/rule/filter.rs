//! A cheap test that most texts and names fail: whether they hold a piece of any literal that rules look for.
//!
//! Of every literal one piece is kept: two neighbouring ideographs, or four neighbouring Latin letters (three
//! of a literal that has no more), or a single ideograph. A text that holds no such piece holds no literal.
//! Pieces may share a bit, so a text may pass in vain, and never fails wrongly.

use crate::text::{is_cjk, walk};

/// Bits of the tables of pairs and quads: 32 KiB each.
const BITS: u32 = 18;

/// A set of small numbers.
#[derive(Debug, Default)]
struct Bits {
    words: Vec<u64>,
    empty: bool,
}

impl Bits {
    fn new(bits: u32) -> Self {
        Bits { words: vec![0; 1 << (bits - 6)], empty: true }
    }

    fn set(&mut self, at: u32) {
        self.words[(at >> 6) as usize] |= 1 << (at & 63);
        self.empty = false;
    }

    fn has(&self, at: u32) -> bool {
        self.words[(at >> 6) as usize] >> (at & 63) & 1 == 1
    }
}

/// What a set of literals leaves in a text.
#[derive(Debug)]
pub(super) struct Filter {
    pairs: Bits,
    singles: Bits,
    quads: Bits,
    triples: Bits,
    /// A literal without a usable piece: everything has to pass.
    always: bool,
}

fn hash(key: u32) -> u32 {
    key.wrapping_mul(0x9E37_79B1) >> (32 - BITS)
}

fn pair(a: char, b: char) -> u32 {
    hash((a as u32) << 16 ^ b as u32)
}

fn single(ch: char) -> u32 {
    ch as u32 & 0xFFFF
}

/// 1 to 26 for a letter of either case, else 0.
fn code(byte: u8) -> u32 {
    if byte.is_ascii_alphabetic() { u32::from(byte & 31) } else { 0 }
}

/// The last letters read, five bits each.
#[derive(Clone, Copy, Default)]
struct Letters(u32);

impl Letters {
    fn push(&mut self, code: u32) {
        self.0 = self.0 << 5 | code;
    }

    fn triple(self) -> u32 {
        self.0 & 0x7FFF
    }

    fn quad(self) -> u32 {
        hash(self.0 & 0xF_FFFF)
    }
}

/// How common a letter is in names and English, roughly; the rarest four of a literal are kept.
fn commonness(byte: u8) -> u32 {
    match byte {
        b'e' => 12,
        b't' | b'a' | b'i' | b'n' => 9,
        b'o' | b's' | b'r' => 8,
        b'l' | b'c' | b'd' => 5,
        b'u' | b'm' | b'p' | b'g' => 3,
        b'h' | b'f' | b'y' | b'b' | b'v' => 2,
        _ => 1,
    }
}

/// Words of nearly every name: a piece of them tells nothing.
const EVERYWHERE: &str = "activity fragment adapter receiver service provider android";

/// The rarest run of `len` letters.
fn rarest(literal: &str, len: usize) -> Option<Letters> {
    let runs = literal.as_bytes().windows(len).filter(|run| run.iter().all(u8::is_ascii_alphabetic));
    let everywhere = |run: &[u8]| EVERYWHERE.as_bytes().windows(len).any(|w| w == run);
    let run =
        runs.min_by_key(|run| (everywhere(run), run.iter().map(|&byte| commonness(byte)).product::<u32>()))?;
    let mut letters = Letters::default();
    run.iter().for_each(|&byte| letters.push(code(byte)));
    Some(letters)
}

impl Filter {
    /// Keeps a piece of each literal. Literals are folded texts or lower-case letters.
    pub(super) fn new<'a>(literals: impl Iterator<Item = &'a str>) -> Self {
        let mut filter = Filter {
            pairs: Bits::new(BITS),
            singles: Bits::new(16),
            quads: Bits::new(BITS),
            triples: Bits::new(15),
            always: false,
        };
        for literal in literals {
            let neighbours = literal.chars().zip(literal.chars().skip(1));
            let mut pairs = neighbours.filter(|&(a, b)| is_cjk(a) && is_cjk(b)).map(|(a, b)| pair(a, b));
            if let Some(first) = pairs.next() {
                // A pair that another literal has left already costs nothing.
                let known = std::iter::once(first).chain(pairs).find(|&at| filter.pairs.has(at));
                filter.pairs.set(known.unwrap_or(first));
            } else if let Some(letters) = rarest(literal, 4) {
                filter.quads.set(letters.quad());
            } else if let Some(letters) = rarest(literal, 3) {
                filter.triples.set(letters.triple());
            } else if let Some(ch) = literal.chars().find(|&ch| is_cjk(ch)) {
                filter.singles.set(single(ch));
            } else {
                filter.always = true;
            }
        }
        filter
    }

    fn has_letters(&self, letters: Letters) -> bool {
        self.quads.has(letters.quad()) || (!self.triples.empty && self.triples.has(letters.triple()))
    }

    /// Whether a stored text may hold a literal once it is folded.
    pub(super) fn may_hold(&self, raw: &str) -> bool {
        if self.always {
            return true;
        }
        let mut letters = Letters::default();
        if raw.is_ascii() {
            return raw.bytes().any(|byte| {
                letters.push(code(byte));
                self.has_letters(letters)
            });
        }
        let mut found = false;
        let mut last = None;
        walk(raw, |ch, _, _| {
            if is_cjk(ch) {
                found |= last.is_some_and(|last| self.pairs.has(pair(last, ch)));
                found |= !self.singles.empty && self.singles.has(single(ch));
                letters = Letters::default();
                last = Some(ch);
            } else {
                letters.push(u8::try_from(ch).map_or(0, code));
                found |= self.has_letters(letters);
                last = None;
            }
        });
        found
    }

    /// Whether the letters of a name, whatever stands between them, may hold a literal of letters.
    pub(super) fn may_hold_letters(&self, name: &str) -> bool {
        let mut letters = Letters::default();
        self.always
            || !name.is_ascii()
            || name.bytes().filter(u8::is_ascii_alphabetic).any(|byte| {
                letters.push(code(byte));
                self.has_letters(letters)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Folded;

    #[test]
    fn nothing_that_holds_a_literal_fails() {
        let literals = ["打卡", "签到", "clock in", "vip会员", "名", "kpi"];
        let filter = Filter::new(literals.into_iter());
        for raw in [
            "每日打卡",
            "打 卡",
            "打\u{200B}卡",
            "簽到",
            "Clock  In",
            "ＶＩＰ会员",
            "第3名",
            "KPI",
            "a打📍卡b",
        ] {
            let folded = Folded::new(raw);
            assert!(literals.iter().any(|literal| folded.as_str().contains(literal)), "{raw}");
            assert!(filter.may_hold(raw), "{raw}");
        }
        assert!(!filter.may_hold("onCreateView"));
        assert!(!filter.may_hold("请输入手机号码"));
        assert!(!filter.may_hold(""));
        assert!(Filter::new(["a"].into_iter()).may_hold("b"));
        assert!(Filter::new(["daka"].into_iter()).may_hold_letters("Xun_Da2Ka"));
        assert!(!Filter::new(["daka"].into_iter()).may_hold_letters("Dalka"));
    }

    proptest::proptest! {
        #[test]
        fn any_text_around_a_literal_passes(before in "\\PC{0,12}", after in "\\PC{0,12}", at in 0usize..4) {
            let literals = ["打卡", "积分排名", "check in", "第"];
            let raw = format!("{before}{}{after}", literals[at]);
            // Marks at the seam may fold into the literal's neighbours, so only what still holds it counts.
            if Folded::new(&raw).as_str().contains(literals[at]) {
                proptest::prop_assert!(Filter::new(literals.into_iter()).may_hold(&raw));
            }
        }
    }
}
