//! Tables of localised strings (`*.strings`): keys and texts, as a property list of either form or as text in the
//! old style, `"key" = "text";` with comments and escapes, in UTF-16 or UTF-8.
//!
//! Format: Apple, *Internationalization and Localization Guide*, "Managing Strings Files"; *Property List Programming
//! Guide*, "Old-Style ASCII Property Lists".

use super::plist::{Plist, PlistError, is_plist};
use super::{Decoder, Issue, html};

/// What this decoder reads.
pub const DECODER: Decoder = Decoder {
    name: "strings",
    version: 1,
    reads: ("iOS 字符串表（属性列表或文本）", "iOS string tables (property list or text)"),
    limits: &[],
};

/// One text of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Localised {
    /// The key it is asked for by.
    pub key: String,
    /// The text.
    pub text: String,
    /// Offset of the text in the table, decoded to UTF-8 where the table is not.
    pub offset: u64,
}

/// Reads a table of any form.
pub fn parse(bytes: &[u8]) -> Result<(Vec<Localised>, Vec<Issue>), PlistError> {
    if is_plist(bytes) {
        let (plist, issues) = Plist::parse(bytes)?;
        let pairs = plist.root().entries().filter_map(|(key, value)| {
            let text = value.text()?.to_owned();
            Some(Localised { key: key.to_owned(), text, offset: value.offset() })
        });
        return Ok((pairs.collect(), issues));
    }
    Ok(old_style(&decode(bytes)))
}

/// Tables in UTF-16 mostly have a mark, but some have none.
fn decode(bytes: &[u8]) -> std::borrow::Cow<'_, str> {
    let zero = |at: usize| bytes.iter().skip(at).step_by(2).take(64).filter(|byte| **byte == 0).count();
    if !bytes.starts_with(&[0xFF, 0xFE]) && !bytes.starts_with(&[0xFE, 0xFF]) && bytes.len() >= 4 {
        // Keys, quotes and semicolons are ASCII: half of their bytes are zero.
        if zero(1) > 8 {
            return encoding_rs::UTF_16LE.decode_without_bom_handling(bytes).0;
        }
        if zero(0) > 8 {
            return encoding_rs::UTF_16BE.decode_without_bom_handling(bytes).0;
        }
    }
    html::decode(bytes)
}

fn old_style(source: &str) -> (Vec<Localised>, Vec<Issue>) {
    let mut reader = Reader { source, at: 0 };
    let mut found = Vec::new();
    let mut issues = Vec::new();
    loop {
        reader.skip();
        match reader.peek() {
            None => break,
            Some(b';' | b'{' | b'}') => reader.at += 1,
            Some(_) => match reader.pair() {
                Some(pair) => found.push(pair),
                None => {
                    if issues.len() < 16 {
                        let detail = "neither a comment nor `key = text;`";
                        issues.push(Issue::lossy("strings.malformed", Some(reader.at as u64), detail));
                    }
                    // Goes on behind the next pair's end.
                    match memchr::memchr(b';', reader.rest()) {
                        Some(at) => reader.at += at + 1,
                        None => break,
                    }
                }
            },
        }
    }
    (found, issues)
}

struct Reader<'a> {
    source: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &[u8] {
        self.source.as_bytes().get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.rest().first().copied()
    }

    /// Skips white space and comments.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            if rest.first().is_some_and(u8::is_ascii_whitespace) {
                self.at += 1;
            } else if rest.starts_with(b"//") {
                self.at += memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
            } else if rest.starts_with(b"/*") {
                let end = memchr::memmem::find(&rest[2..], b"*/");
                self.at += end.map_or(rest.len(), |end| end + 4);
            } else if rest.starts_with("\u{FEFF}".as_bytes()) {
                self.at += 3;
            } else {
                return;
            }
        }
    }

    fn pair(&mut self) -> Option<Localised> {
        let (key, key_at) = self.token()?;
        self.skip();
        match self.peek() {
            Some(b'=') => {
                self.at += 1;
                self.skip();
                let (text, offset) = self.token()?;
                self.skip();
                // The last pair of a table does without its semicolon in the wild.
                match self.peek() {
                    Some(b';') => self.at += 1,
                    None => {}
                    Some(_) => return None,
                }
                Some(Localised { key, text, offset })
            }
            Some(b';') => {
                self.at += 1;
                Some(Localised { text: key.clone(), key, offset: key_at })
            }
            _ => None,
        }
    }

    /// A quoted or plain word, and where it begins.
    fn token(&mut self) -> Option<(String, u64)> {
        let quote = self.peek()?;
        if quote == b'"' || quote == b'\'' {
            self.at += 1;
            let start = self.at;
            let mut text = String::new();
            loop {
                let rest = self.rest();
                let stop = memchr::memchr2(quote, b'\\', rest)?;
                let ended = rest[stop] == quote;
                text.push_str(self.source.get(self.at..self.at + stop)?);
                self.at += stop + 1;
                if ended {
                    return Some((text, start as u64));
                }
                self.escape(&mut text)?;
            }
        }
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"_$/:.-".contains(byte) || *byte >= 0x80;
        let length = self.rest().iter().take_while(|byte| plain(byte)).count();
        let start = self.at;
        self.at += length;
        let text = self.source.get(start..self.at).filter(|text| !text.is_empty())?;
        Some((text.to_owned(), start as u64))
    }

    /// What follows a backslash.
    fn escape(&mut self, text: &mut String) -> Option<()> {
        let ch = self.source.get(self.at..)?.chars().next()?;
        self.at += ch.len_utf8();
        match ch {
            'n' => text.push('\n'),
            't' => text.push('\t'),
            'r' => text.push('\r'),
            'a' | 'b' | 'f' | 'v' => text.push(' '),
            'U' | 'u' => {
                let mut unit = self.hex()?;
                if (0xD800..0xDC00).contains(&unit) && self.rest().starts_with(b"\\U") {
                    self.at += 2;
                    let low = self.hex()?;
                    unit = 0x10000 + ((unit - 0xD800) << 10) + (low.wrapping_sub(0xDC00) & 0x3FF);
                }
                text.push(char::from_u32(unit).unwrap_or('\u{FFFD}'));
            }
            // Octal escapes are characters of NextStep's encoding; ASCII is all that occurs.
            '0'..='7' => {
                let more = self.rest().iter().take(2).take_while(|byte| (b'0'..=b'7').contains(byte)).count();
                let digits = self.source.get(self.at - 1..self.at + more)?;
                self.at += more;
                text.push(char::from_u32(u32::from_str_radix(digits, 8).ok()?)?);
            }
            // A backslash before a line break joins the lines; before anything else it stands for that.
            '\n' => text.push('\n'),
            other => text.push(other),
        }
        Some(())
    }

    fn hex(&mut self) -> Option<u32> {
        let count = self.rest().iter().take(4).take_while(|byte| byte.is_ascii_hexdigit()).count();
        let digits = self.source.get(self.at..self.at + count).filter(|digits| !digits.is_empty())?;
        self.at += count;
        u32::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::res_chunk::tests::flips;

    const TABLE: &str = "/* Class = \"UIButton\"; */\n\"abc-12-xyz.normalTitle\" = \"到岗打卡\";\n\
        // one line = \"x\";\nplain.key = 'it''s;\n\"a\\\"b\" = \"第\\U4e00行\\n\\\\ \\U0001 \\101\";\n\"same\";\nlast = 末";

    fn pairs(bytes: &[u8]) -> Vec<(String, String)> {
        parse(bytes).unwrap().0.into_iter().map(|pair| (pair.key, pair.text)).collect()
    }

    #[test]
    fn old_style_tables_are_read() {
        let table = TABLE.replace("'it''s", "its");
        let expected: Vec<(String, String)> = [
            ("abc-12-xyz.normalTitle", "到岗打卡"),
            ("plain.key", "its"),
            ("a\"b", "第一行\n\\ \u{1} A"),
            ("same", "same"),
            ("last", "末"),
        ]
        .map(|(key, text)| (key.to_owned(), text.to_owned()))
        .to_vec();
        assert_eq!(pairs(table.as_bytes()), expected);
        for mark in ["", "\u{FEFF}"] {
            let text = format!("{mark}{table}");
            let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
            assert_eq!(pairs(&little), expected);
            assert_eq!(pairs(&big), expected);
        }
        let first = &parse(table.as_bytes()).unwrap().0[0];
        assert!(table[first.offset as usize..].starts_with("到岗打卡"));
    }

    #[test]
    fn lists_are_read() {
        let xml =
            "<plist><dict><key>k</key><string>到岗</string><key>n</key><integer>1</integer></dict></plist>";
        assert_eq!(pairs(xml.as_bytes()), [("k".to_owned(), "到岗".to_owned())]);
    }

    #[test]
    fn what_is_malformed_is_told_and_the_rest_is_read() {
        let (found, issues) = parse("\"a\" = \"b\" \"c\";\n\"d\" = \"e\";".as_bytes()).unwrap();
        assert!(issues.iter().any(|issue| issue.lossy));
        assert_eq!(found.last().map(|pair| pair.text.as_str()), Some("e"));
    }

    #[test]
    fn cut_and_flipped_tables_end() {
        let wide: Vec<u8> = TABLE.encode_utf16().flat_map(u16::to_le_bytes).collect();
        for table in [TABLE.as_bytes(), &wide] {
            (0..table.len()).for_each(|end| drop(parse(&table[..end])));
            flips(table, 1_000, |bytes| drop(parse(bytes)));
        }
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_text_ends(text in "[\"\\\\;={}/*a-cU0-9\\n打 ]{0,80}", bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = parse(text.as_bytes());
            let _ = parse(&bytes);
        }
    }
}
