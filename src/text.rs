//! Folding: one spelling for texts that look or mean the same, with a map back to the stored text.
//!
//! Folded are: compatibility forms (NFKC: full-width letters, circled digits), letter case, Traditional
//! characters and variants (also 回覆 and 答覆, which simplified writing spells 回复 and 答复), invisible characters
//! (zero-width, bidi controls, variation selectors), and white space, emoji and decorative marks between two ideographs
//! or an ideograph and a stop (`打 卡`, `打📍卡`, `点👍赞👍，`).

use std::ops::Range;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

/// A folded text and, for every byte of it, the byte of the stored text it came from.
#[derive(Debug, Clone)]
pub struct Folded {
    text: String,
    /// `starts[i]` is the raw byte offset of the character that produced folded byte `i`.
    starts: Vec<u32>,
    /// Raw byte offset behind the character that produced folded byte `i`.
    ends: Vec<u32>,
}

impl Folded {
    /// Folds a text. Offsets are kept in 32 bits: what lies beyond 4 GiB of one text is cut off.
    pub fn new(raw: &str) -> Self {
        let mut folded =
            Folded { text: String::with_capacity(raw.len()), starts: Vec::new(), ends: Vec::new() };
        walk(raw, |ch, start, end| folded.push(ch, start, end));
        folded
    }

    fn push(&mut self, ch: char, start: u32, end: u32) {
        self.text.push(ch);
        self.starts.resize(self.text.len(), start);
        self.ends.resize(self.text.len(), end);
    }

    /// The folded text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The range of the stored text that a range of folded bytes came from.
    pub fn raw_range(&self, range: Range<usize>) -> Range<usize> {
        let start = self.starts.get(range.start).copied().unwrap_or_default() as usize;
        let end = range.end.checked_sub(1).and_then(|last| self.ends.get(last)).copied().unwrap_or_default();
        start..(end as usize).max(start)
    }
}

/// The folded text alone, without the map back.
pub fn fold(raw: &str) -> String {
    let mut folded = String::with_capacity(raw.len());
    walk(raw, |ch, _, _| folded.push(ch));
    folded
}

/// Hands over the folded characters with the raw byte range each came from.
#[inline]
pub(crate) fn walk(raw: &str, mut push: impl FnMut(char, u32, u32)) {
    let table: &[char] = &SIMPLIFIED;
    let simplified =
        |ch: char| (ch as usize).checked_sub(0x4E00).and_then(|i| table.get(i)).copied().unwrap_or(ch);
    let mut line = Line { push: &mut push, empty: true, last_cjk: false, last: '\0', gap: None };
    let limit = u32::MAX as usize;
    let raw = match raw.len() > limit {
        true => (limit - 3..=limit).rev().find_map(|at| raw.get(..at)).unwrap_or_default(),
        false => raw,
    };
    for (at, ch) in raw.char_indices() {
        let (start, end) = (at as u32, (at + ch.len_utf8()) as u32);
        if matches!(ch, '\u{4E00}'..='\u{9FFF}') {
            line.shown(simplified(ch), true, start, end);
        } else if ch.is_ascii_graphic() {
            line.shown(ch.to_ascii_lowercase(), false, start, end);
        } else if is_invisible(ch) || (line.last_cjk && is_combining(ch)) {
            continue;
        } else if is_blank(ch) {
            line.blank(start, end);
        } else {
            // The compatibility form of a mark may be a mark itself: U+FFEE is `○`, U+2017 a space with a line under it.
            for part in ch.nfkc().flat_map(char::to_lowercase) {
                if is_blank(part) {
                    line.blank(start, end);
                } else if !(line.last_cjk && is_combining(part)) {
                    line.shown(simplified(part), is_cjk(part), start, end);
                }
            }
        }
    }
}

/// Writes out characters, and the gaps of spaces and marks between them as one space unless there is an ideograph on
/// one side and an ideograph or a stop on the other.
struct Line<'p, F> {
    push: &'p mut F,
    empty: bool,
    last_cjk: bool,
    last: char,
    gap: Option<(u32, u32)>,
}

impl<F: FnMut(char, u32, u32)> Line<'_, F> {
    #[inline]
    fn shown(&mut self, ch: char, cjk: bool, start: u32, end: u32) {
        // 覆 is both 复 (an answer) and 覆 (to cover).
        let ch = if ch == '覆' && matches!(self.last, '回' | '答' | '批') { '复' } else { ch };
        if let Some((gap_start, gap_end)) = self.gap.take()
            && !(self.last_cjk && (cjk || is_stop(ch)) || cjk && is_stop(self.last))
            && !self.empty
        {
            (self.push)(' ', gap_start, gap_end);
        }
        (self.push)(ch, start, end);
        self.empty = false;
        self.last_cjk = cjk;
        self.last = ch;
    }

    fn blank(&mut self, start: u32, end: u32) {
        self.gap = Some((self.gap.map_or(start, |gap| gap.0), end));
    }
}

/// Whether a character is an ideograph of Chinese text.
pub fn is_cjk(ch: char) -> bool {
    matches!(ch, '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFF}' | '\u{2F00}'..='\u{2FDF}' | '\u{2E80}'..='\u{2EFF}')
}

/// Whether a text holds an ideograph.
pub fn has_cjk(text: &str) -> bool {
    // The lead byte of U+3000 and above is 0xE3 or more: most texts fail this without being decoded.
    text.as_bytes().iter().any(|&byte| byte >= 0xE2) && text.chars().any(is_cjk)
}

/// Format characters that take no room: they disguise a word without changing how it looks.
pub fn is_invisible(ch: char) -> bool {
    matches!(ch, '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}'
        | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}'
        | '\u{FFF9}'..='\u{FFFB}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
        || (ch.is_control() && !ch.is_whitespace())
}

/// Marks that close a clause, folded.
fn is_stop(ch: char) -> bool {
    matches!(ch, ',' | '。' | '、' | ':' | ';' | '!' | '?')
}

/// White space and what between ideographs is no more than that.
fn is_blank(ch: char) -> bool {
    ch.is_whitespace() || is_decoration(ch)
}

/// Accents and lines through a letter, which no ideograph has.
fn is_combining(ch: char) -> bool {
    matches!(ch, '\u{0300}'..='\u{036F}')
}

fn is_decoration(ch: char) -> bool {
    matches!(ch, '·' | '・' | '•' | '\u{20D0}'..='\u{20FF}' | '\u{2190}'..='\u{21FF}' | '\u{2300}'..='\u{23FF}'
        | '\u{2500}'..='\u{27BF}' | '\u{2B00}'..='\u{2BFF}' | '\u{1F000}'..='\u{1FAFF}'
        // Letters without a shape: Hangul fillers and the empty Braille cell.
        | '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' | '\u{2800}')
}

/// The simplified form of every character from U+4E00 to U+9FFF.
static SIMPLIFIED: LazyLock<Vec<char>> = LazyLock::new(|| {
    let mut table: Vec<char> = ('\u{4E00}'..='\u{9FFF}').collect();
    for pair in TRADITIONAL.split_whitespace() {
        let mut chars = pair.chars();
        if let (Some(from), Some(to)) = (chars.next(), chars.next())
            && let Some(slot) = (from as usize).checked_sub(0x4E00).and_then(|i| table.get_mut(i))
        {
            *slot = to;
        }
    }
    table
});

/// Traditional and simplified character of each pair: those of Unihan (Unicode 15.0, `kSimplifiedVariant`) with one
/// simplified form, less the characters that simplified writing (GB 2312) has too; of those with several the
/// vocabulary of interfaces and offices, where one form rules there; and variants (説, 綫, 証, 啓) that the table
/// `TSCharacters` of OpenCC leads to a character of GB 2312.
const TRADITIONAL: &str = include_str!("text/simplified.txt");

#[cfg(test)]
mod tests {
    use super::*;

    fn fold(raw: &str) -> String {
        Folded::new(raw).as_str().to_owned()
    }

    #[test]
    fn disguises_fold_to_the_plain_word() {
        for raw in
            ["打卡", "打 卡", "打\u{200B}卡", "打\u{3000}卡", "打📍卡", "打·卡", "打\u{FE0F}卡", "打\n卡"]
        {
            assert_eq!(fold(raw), "打卡", "{raw:?}");
        }
        for raw in ["打\u{FFEE}卡", "打\u{2017}卡", "打\u{0332}卡\u{0332}", "打\u{3164}卡", "打\u{2800}卡"]
        {
            assert_eq!(fold(raw), "打卡", "{raw:?}");
        }
        assert_eq!(fold("積分排行榜"), "积分排行榜");
        assert_eq!(fold("簽到"), "签到");
        assert_eq!(fold("減負"), "减负");
        assert_eq!(fold("即刻回覆，答覆率，覆蓋率，反覆"), "即刻回复,答复率,覆盖率,反覆");
        assert_eq!(fold("按讚週檢裡證証覈綫啓産説録群羣"), "按赞周检里证证核线启产说录群群");
        assert_eq!(fold("点👍赞👍，填 📋表📋：每户 ！ 收齐"), "点赞,填表:每户!收齐");
        assert_eq!(fold("著作乾净"), "著作乾净");
        assert_eq!(fold("ＣＨＥＣＫ ｉｎ"), "check in");
        assert_eq!(fold("第①名"), "第1名");
    }

    #[test]
    fn spaces_between_words_of_other_scripts_stay() {
        assert_eq!(fold("Check in : 3 , 4"), "check in : 3 , 4");
        assert_eq!(fold("  Check   in "), "check in");
        assert_eq!(fold("第 3 名"), "第 3 名");
        assert_eq!(fold("\u{200B}"), "");
        assert_eq!(fold(""), "");
    }

    #[test]
    fn ranges_lead_back_to_the_stored_text() {
        let raw = "今日 打\u{200B} 卡 OK";
        let folded = Folded::new(raw);
        let at = folded.as_str().find("打卡").unwrap();
        assert_eq!(&raw[folded.raw_range(at..at + "打卡".len())], "打\u{200B} 卡");
    }

    #[test]
    fn traditional_pairs_are_pairs() {
        for pair in TRADITIONAL.split_whitespace() {
            assert_eq!(pair.chars().count(), 2, "{pair}");
            assert_eq!(fold(&fold(pair)), fold(pair), "{pair}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_range_is_a_valid_slice(raw in "\\PC*") {
            let folded = Folded::new(&raw);
            for (at, ch) in folded.as_str().char_indices() {
                let range = folded.raw_range(at..at + ch.len_utf8());
                proptest::prop_assert!(raw.get(range).is_some());
            }
        }

        #[test]
        fn folding_again_changes_nothing(raw in "[\\x20-\\x7E打卡\u{2000}-\u{2FFF}\u{300}-\u{36F}\u{140}\u{FF00}-\u{FFFF}]*") {
            let folded = fold(&raw);
            proptest::prop_assert_eq!(fold(&folded), folded);
        }
    }
}
