//! Property lists, binary and XML, as a flat table of values that refer to each other by number: nothing here or in
//! its users goes down into them by recursion, and a list that holds itself a thousand times is read once.
//!
//! Format: `plist(5)`; binary: Apple's open `CFBinaryPList.c` (CF-1153.18); XML: `PropertyList-1.0.dtd`.

use thiserror::Error;

use super::{Decoder, Issue, Limit, Unit};

/// What this decoder reads.
pub const DECODER: Decoder = Decoder {
    name: "plist",
    version: 1,
    reads: ("属性列表（二进制、XML）", "property lists (binary, XML)"),
    limits: &[
        Limit { what: ("值", "values"), amount: MAX_VALUES as u64, unit: Unit::Count },
        Limit { what: ("XML 嵌套层数", "nesting of XML"), amount: MAX_DEPTH as u64, unit: Unit::Count },
    ],
};

const MAGIC: &[u8; 8] = b"bplist00";
const TRAILER: usize = 32;
/// Objects of an honest list do not overlap; their contents together may take this many times the input.
const MAX_GROWTH: usize = 4;
/// So many values of one list are kept.
const MAX_VALUES: usize = 1 << 20;
/// Elements of an XML list may be nested so deep.
const MAX_DEPTH: usize = 512;

/// Why nothing of a property list could be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PlistError {
    /// Neither form of a property list.
    #[error("not a property list")]
    NotPlist,
    /// The trailer of a binary list is not there or points outside.
    #[error("the trailer of the binary property list is not valid")]
    BadTrailer,
}

/// One value of a list.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Null, a fill byte, or something that could not be read.
    Null,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with fraction.
    Real(f64),
    /// Seconds since 2001-01-01 in a binary list; XML lists keep theirs as text.
    Date(f64),
    /// Bytes.
    Data(Vec<u8>),
    /// A text.
    Text(String),
    /// A reference of a keyed archive.
    Uid(u32),
    /// Numbers of the elements.
    Array(Vec<u32>),
    /// Numbers of each key and its value.
    Dict(Vec<(u32, u32)>),
}

/// A property list.
#[derive(Debug, Clone)]
pub struct Plist {
    /// Each value with its offset in the input.
    values: Vec<(Value, u64)>,
    root: u32,
}

/// One value of a list, with the list around it.
#[derive(Debug, Clone, Copy)]
pub struct Node<'p> {
    plist: &'p Plist,
    index: u32,
}

/// Whether bytes begin like a property list.
pub fn is_plist(bytes: &[u8]) -> bool {
    bytes.starts_with(b"bplist") || is_xml(bytes)
}

fn is_xml(bytes: &[u8]) -> bool {
    let head = super::html::decode(bytes.get(..1024).unwrap_or(bytes));
    let head = head.trim_start_matches(|ch: char| ch == '\u{FEFF}' || ch.is_whitespace());
    head.starts_with('<') && (head.contains("<plist") || head.contains("plist PUBLIC"))
}

impl Plist {
    /// Reads a list of either form.
    pub fn parse(bytes: &[u8]) -> Result<(Self, Vec<Issue>), PlistError> {
        if bytes.starts_with(b"bplist") {
            binary(bytes)
        } else if is_xml(bytes) {
            Ok(xml(&super::html::decode(bytes)))
        } else {
            Err(PlistError::NotPlist)
        }
    }

    /// The outermost value.
    pub fn root(&self) -> Node<'_> {
        Node { plist: self, index: self.root }
    }

    /// Number of values.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// A value by its number.
    pub fn node(&self, index: u32) -> Node<'_> {
        Node { plist: self, index }
    }

    /// Every value once, in the order of the table.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        (0..self.values.len() as u32).map(|index| self.node(index))
    }
}

impl<'p> Node<'p> {
    /// The value itself.
    pub fn value(self) -> &'p Value {
        self.plist.values.get(self.index as usize).map_or(&Value::Null, |(value, _)| value)
    }

    /// Its number in the table.
    pub fn index(self) -> u32 {
        self.index
    }

    /// Offset in the input, for XML that of the text.
    pub fn offset(self) -> u64 {
        self.plist.values.get(self.index as usize).map_or(0, |(_, offset)| *offset)
    }

    /// The value of a key.
    pub fn get(self, key: &str) -> Option<Node<'p>> {
        self.entries().find(|(name, _)| *name == key).map(|(_, value)| value)
    }

    /// Keys and values of a dictionary; keys that are no text are left out.
    pub fn entries(self) -> impl Iterator<Item = (&'p str, Node<'p>)> {
        let pairs: &'p [(u32, u32)] = match self.value() {
            Value::Dict(pairs) => pairs,
            _ => &[],
        };
        pairs
            .iter()
            .filter_map(move |(key, value)| Some((self.plist.node(*key).text()?, self.plist.node(*value))))
    }

    /// Elements of an array.
    pub fn items(self) -> impl Iterator<Item = Node<'p>> {
        let items: &'p [u32] = match self.value() {
            Value::Array(items) => items,
            _ => &[],
        };
        items.iter().map(move |index| self.plist.node(*index))
    }

    /// A text.
    pub fn text(self) -> Option<&'p str> {
        match self.value() {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text of a key, unless empty.
    pub fn text_of(self, key: &str) -> Option<&'p str> {
        self.get(key)?.text().filter(|text| !text.is_empty())
    }

    /// A truth value.
    pub fn bool(self) -> Option<bool> {
        match self.value() {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }
}

fn uint(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |value, byte| (value << 8) | u64::from(*byte))
}

fn binary(bytes: &[u8]) -> Result<(Plist, Vec<Issue>), PlistError> {
    let mut issues = Vec::new();
    if !bytes.starts_with(MAGIC) {
        issues.push(Issue::odd("plist.unknown-version", Some(0), "a version other than 00"));
    }
    let trailer_at = bytes.len().checked_sub(TRAILER).filter(|at| *at >= MAGIC.len());
    let trailer = trailer_at.and_then(|at| bytes.get(at..)).ok_or(PlistError::BadTrailer)?;
    let (width, reference) = (usize::from(trailer[6]), usize::from(trailer[7]));
    let field = |at: usize| usize::try_from(uint(&trailer[at..at + 8])).unwrap_or(usize::MAX);
    let (count, root, table_at) = (field(8), field(16), field(24));
    let table = bytes.get(table_at..bytes.len() - TRAILER).ok_or(PlistError::BadTrailer)?;
    if !(1..=8).contains(&width) || !(1..=8).contains(&reference) || count == 0 {
        return Err(PlistError::BadTrailer);
    }
    let there = table.len() / width;
    if count > there {
        let detail = format!("{count} objects stated, room for {there}");
        issues.push(Issue::lossy("plist.truncated", Some(table_at as u64), detail));
    }
    if there.min(count) > MAX_VALUES {
        let detail = format!("{count} objects; {MAX_VALUES} are read");
        issues.push(Issue::lossy("plist.too-many-values", None, detail));
    }
    let mut reader = Binary {
        bytes,
        reference,
        count: count.min(there).min(MAX_VALUES),
        room: bytes.len().saturating_mul(MAX_GROWTH),
        issues,
    };
    let mut values = Vec::with_capacity(reader.count);
    for slot in table.chunks_exact(width).take(reader.count) {
        let offset = usize::try_from(uint(slot)).unwrap_or(usize::MAX);
        let value = reader.object(offset).unwrap_or_else(|| {
            let detail = "an object cannot be read";
            reader.issues.push(Issue::lossy("plist.bad-object", Some(offset as u64), detail));
            Value::Null
        });
        values.push((value, offset as u64));
    }
    if reader.room == 0 {
        let detail = "objects overlap; the rest of their contents is not read";
        reader.issues.push(Issue::lossy("plist.overlapping-objects", None, detail));
    }
    let root = u32::try_from(root).ok().filter(|root| (*root as usize) < values.len());
    let root = root.ok_or(PlistError::BadTrailer)?;
    reader.issues.truncate(64);
    Ok((Plist { values, root }, reader.issues))
}

struct Binary<'a> {
    bytes: &'a [u8],
    /// Bytes of an object number.
    reference: usize,
    count: usize,
    /// Bytes of content that may still be kept.
    room: usize,
    issues: Vec<Issue>,
}

impl<'a> Binary<'a> {
    fn object(&mut self, offset: usize) -> Option<Value> {
        let marker = *self.bytes.get(offset)?;
        let (kind, low) = (marker >> 4, marker & 15);
        let at = offset + 1;
        Some(match kind {
            0x0 => match low {
                8 => Value::Bool(false),
                9 => Value::Bool(true),
                _ => Value::Null,
            },
            0x1 => {
                let length = 1_usize << low.min(4);
                let bytes = self.bytes.get(at..at + length)?;
                // 16 bytes hold what does not fit in 8; the lower half is all that is ever used.
                Value::Int(uint(&bytes[length.saturating_sub(8)..]) as i64)
            }
            0x2 => match low {
                2 => Value::Real(f32::from_be_bytes(self.bytes.get(at..at + 4)?.try_into().ok()?).into()),
                3 => Value::Real(f64::from_be_bytes(self.bytes.get(at..at + 8)?.try_into().ok()?)),
                _ => return None,
            },
            0x3 => Value::Date(f64::from_be_bytes(self.bytes.get(at..at + 8)?.try_into().ok()?)),
            0x4 => Value::Data(self.content(at, low, 1)?.to_vec()),
            0x5 | 0x7 => Value::Text(String::from_utf8_lossy(self.content(at, low, 1)?).into_owned()),
            0x6 => {
                let bytes = self.content(at, low, 2)?;
                let units = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
                Value::Text(char::decode_utf16(units).map(|ch| ch.unwrap_or('\u{FFFD}')).collect())
            }
            0x8 => {
                let bytes = self.bytes.get(at..at + usize::from(low) + 1)?;
                Value::Uid(u32::try_from(uint(bytes)).ok()?)
            }
            0xA..=0xC => {
                let width = self.reference;
                let bytes = self.content(at, low, width)?;
                Value::Array(bytes.chunks_exact(width).map(reference).collect())
            }
            0xD => {
                let width = self.reference;
                let bytes = self.content(at, low, width * 2)?;
                let (keys, values) = bytes.split_at(bytes.len() / 2);
                let pairs = keys.chunks_exact(width).zip(values.chunks_exact(width));
                Value::Dict(pairs.map(|(key, value)| (reference(key), reference(value))).collect())
            }
            _ => return None,
        })
    }

    /// The content of an object behind its marker: `low` units of some width, or as many as a number says.
    fn content(&mut self, at: usize, low: u8, width: usize) -> Option<&'a [u8]> {
        let (count, at) = match low {
            15 => {
                let marker = *self.bytes.get(at)?;
                if marker >> 4 != 1 {
                    return None;
                }
                let length = 1_usize << (marker & 15).min(4);
                let number = self.bytes.get(at + 1..at + 1 + length)?;
                (usize::try_from(uint(&number[length.saturating_sub(8)..])).ok()?, at + 1 + length)
            }
            low => (usize::from(low), at),
        };
        let length = count.checked_mul(width)?;
        let content = self.bytes.get(at..at.checked_add(length)?)?;
        match self.room.checked_sub(length) {
            Some(room) => self.room = room,
            None => {
                self.room = 0;
                return Some(&[]);
            }
        }
        Some(content)
    }
}

/// An object number; one that is too large names no object.
fn reference(bytes: &[u8]) -> u32 {
    u32::try_from(uint(bytes)).unwrap_or(u32::MAX)
}

/// What an open element of an XML list collects.
enum Open {
    Array(Vec<u32>),
    Dict(Vec<(u32, u32)>, Option<u32>),
}

fn xml(source: &str) -> (Plist, Vec<Issue>) {
    let mut reader = Xml { source, at: 0, values: Vec::new(), open: Vec::new(), root: None };
    let mut issues = Vec::new();
    if let Err((code, detail)) = reader.read() {
        issues.push(Issue::lossy(code, Some(reader.at as u64), detail));
    }
    // What was open where the text ended is kept.
    while let Some((open, offset)) = reader.open.pop() {
        reader.close(open, offset);
    }
    let root = reader.root.unwrap_or_default();
    (Plist { values: reader.values, root }, issues)
}

type Broken = (&'static str, &'static str);

struct Xml<'a> {
    source: &'a str,
    at: usize,
    values: Vec<(Value, u64)>,
    open: Vec<(Open, u64)>,
    root: Option<u32>,
}

impl<'a> Xml<'a> {
    fn rest(&self) -> &'a str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// Goes behind the next occurrence of a mark and returns what stood before it.
    fn until(&mut self, mark: &str) -> Option<&'a str> {
        let rest = self.rest();
        let found = rest.find(mark)?;
        self.at += found + mark.len();
        rest.get(..found)
    }

    fn read(&mut self) -> Result<(), Broken> {
        const TRUNCATED: Broken = ("plist.truncated", "the list has no end");
        while self.until("<").is_some() {
            if self.values.len() >= MAX_VALUES {
                return Err(("plist.too-many-values", "more values than any honest list has"));
            }
            let rest = self.rest();
            if rest.starts_with("!--") {
                self.until("-->").ok_or(TRUNCATED)?;
                continue;
            }
            if rest.starts_with('?') || rest.starts_with('!') {
                self.until(">").ok_or(TRUNCATED)?;
                continue;
            }
            let tag = self.until(">").ok_or(TRUNCATED)?;
            let start = self.at as u64;
            let (tag, empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
            let name = tag.split_whitespace().next().unwrap_or_default();
            match name {
                "plist" => {}
                "/plist" => return Ok(()),
                "array" | "dict" => {
                    let open =
                        if name == "dict" { Open::Dict(Vec::new(), None) } else { Open::Array(Vec::new()) };
                    if empty {
                        self.close(open, start);
                    } else if self.open.len() >= MAX_DEPTH {
                        return Err(("plist.too-deep", "elements are nested too deep"));
                    } else {
                        self.open.push((open, start));
                    }
                }
                "/array" | "/dict" => {
                    if let Some((open, offset)) = self.open.pop() {
                        self.close(open, offset);
                    }
                    if self.open.is_empty() {
                        return Ok(());
                    }
                }
                "true" | "false" => {
                    self.add(Value::Bool(name == "true"), start);
                    if !empty {
                        self.until(">");
                    }
                }
                "key" | "string" | "integer" | "real" | "date" | "data" => {
                    let text = if empty { String::new() } else { self.content(name).ok_or(TRUNCATED)? };
                    if name == "key" {
                        self.key(text, start);
                    } else {
                        self.add(scalar(name, text), start);
                    }
                }
                _ => {}
            }
        }
        Err(TRUNCATED)
    }

    /// The text up to the end tag, unescaped.
    fn content(&mut self, name: &str) -> Option<String> {
        let mut text = String::new();
        loop {
            unescape(self.until("<")?, &mut text);
            if self.rest().starts_with("![CDATA[") {
                self.at += "![CDATA[".len();
                text.push_str(self.until("]]>")?);
            } else if self.rest().starts_with("!--") {
                self.until("-->")?;
            } else {
                let end = self.until(">")?;
                if end.trim().strip_prefix('/') == Some(name) {
                    return Some(text);
                }
            }
        }
    }

    fn key(&mut self, text: String, offset: u64) {
        let number = self.values.len() as u32;
        self.values.push((Value::Text(text), offset));
        if let Some((Open::Dict(_, key), _)) = self.open.last_mut() {
            *key = Some(number);
        }
    }

    fn add(&mut self, value: Value, offset: u64) {
        let index = self.values.len() as u32;
        self.values.push((value, offset));
        match self.open.last_mut() {
            Some((Open::Array(items), _)) => items.push(index),
            Some((Open::Dict(pairs, key), _)) => pairs.extend(key.take().map(|key| (key, index))),
            None => self.root = self.root.or(Some(index)),
        }
    }

    fn close(&mut self, open: Open, offset: u64) {
        let value = match open {
            Open::Array(items) => Value::Array(items),
            Open::Dict(pairs, _) => Value::Dict(pairs),
        };
        self.add(value, offset);
    }
}

fn scalar(name: &str, text: String) -> Value {
    let trimmed = text.trim();
    match name {
        "integer" => {
            let (sign, digits) = trimmed.strip_prefix('-').map_or((1, trimmed), |digits| (-1, digits));
            let number = match digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
                Some(hex) => u64::from_str_radix(hex, 16),
                None => digits.trim_start_matches('+').parse::<u64>(),
            };
            number.map_or(Value::Null, |number| Value::Int((number as i64).wrapping_mul(sign)))
        }
        "real" => trimmed.parse().map_or(Value::Null, Value::Real),
        "data" => Value::Data(base64(trimmed)),
        _ => Value::Text(text),
    }
}

fn unescape(raw: &str, into: &mut String) {
    let mut rest = raw;
    while let Some(at) = rest.find('&') {
        into.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(12).position(|byte| byte == b';');
        let found = end.and_then(|end| {
            let ch = match &rest[1..end] {
                "lt" => '<',
                "gt" => '>',
                "amp" => '&',
                "quot" => '"',
                "apos" => '\'',
                name => {
                    let number = name.strip_prefix('#')?;
                    let code = match number.strip_prefix('x') {
                        Some(hex) => u32::from_str_radix(hex, 16),
                        None => number.parse(),
                    };
                    char::from_u32(code.ok()?)?
                }
            };
            Some((ch, end + 1))
        });
        let (ch, length) = found.unwrap_or(('&', 1));
        into.push(ch);
        rest = &rest[length..];
    }
    into.push_str(rest);
}

fn base64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0);
    for byte in text.bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => continue,
        };
        bits = (bits << 6) | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `plistlib.dumps({"名": ["打卡", 7, True, -2, b"\x00\xff", "a"], "n": {"k": 1.5}}, fmt=FMT_BINARY)`, Python 3.11.
    const BINARY: &[u8] = b"bplist00\xd2\x01\x02\x03\x06QnaT\x0d\xd1\x04\x05Qk#?\xf8\x00\x00\x00\x00\x00\x00\xa6\x07\x08\x09\x0a\x0b\x0cbbSSa\x10\x07\x09\x13\xff\xff\xff\xff\xff\xff\xff\xfeB\x00\xffQa\x08\x0d\x0f\x12\x15\x17 ',./8;\x00\x00\x00\x00\x00\x00\x01\x01\x00\x00\x00\x00\x00\x00\x00\x0d\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00=";

    fn parse(bytes: &[u8]) -> (Plist, Vec<Issue>) {
        Plist::parse(bytes).unwrap()
    }

    #[test]
    fn both_forms_say_the_same() {
        let xml =
            "<?xml version=\"1.0\"?><!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" \"\"><plist><dict>
            <key>名</key><array><string>打&#x5361;</string><integer>7</integer><true/><integer>-2</integer>
            <data>AP8=</data><string><![CDATA[a]]></string></array><!-- <key> --><key>n</key>
            <dict><key>k</key><real>1.5</real></dict></dict></plist>";
        for bytes in [BINARY, xml.as_bytes()] {
            let (plist, issues) = parse(bytes);
            assert!(issues.is_empty(), "{issues:?}");
            let items: Vec<Value> =
                plist.root().get("名").unwrap().items().map(|item| item.value().clone()).collect();
            let text = |text: &str| Value::Text(text.to_owned());
            assert_eq!(
                items,
                [
                    text("打卡"),
                    Value::Int(7),
                    Value::Bool(true),
                    Value::Int(-2),
                    Value::Data(vec![0, 255]),
                    text("a")
                ]
            );
            assert_eq!(plist.root().get("n").unwrap().get("k").unwrap().value(), &Value::Real(1.5));
        }
    }

    #[test]
    fn what_follows_the_list_is_not_of_it() {
        let (plist, issues) =
            parse(b"<plist><dict><key>a</key><string>&lt;&amp;&bad;</string></dict></plist><string>x");
        assert!(issues.is_empty());
        assert_eq!(plist.root().text_of("a"), Some("<&&bad;"));
    }

    #[test]
    fn bombs_stay_small() {
        // A hundred arrays, each with 2 × the next: 2^100 elements if it were unfolded.
        let mut bytes = b"bplist00".to_vec();
        let mut offsets = Vec::new();
        for index in 0..100_u8 {
            offsets.push(bytes.len() as u16);
            bytes.extend([0xA2, index + 1, index + 1]);
        }
        offsets.push(bytes.len() as u16);
        bytes.push(0x09);
        let table = bytes.len() as u64;
        offsets.iter().for_each(|offset| bytes.extend(offset.to_be_bytes()));
        bytes.extend([0, 0, 0, 0, 0, 0, 2, 1]);
        for field in [101, 0, table] {
            bytes.extend(u64::to_be_bytes(field));
        }
        let (plist, issues) = parse(&bytes);
        assert!(issues.is_empty());
        assert_eq!(plist.len(), 101);

        // Every object the same long text.
        let mut bytes = b"bplist00\x5f\x11\x10\x00".to_vec();
        bytes.extend([b'a'; 4096]);
        let table = bytes.len() as u64;
        bytes.extend([8; 4000]);
        bytes.extend([0, 0, 0, 0, 0, 0, 1, 2]);
        for field in [4000, 0, table] {
            bytes.extend(u64::to_be_bytes(field));
        }
        let (plist, issues) = parse(&bytes);
        assert!(issues.iter().any(|issue| issue.code == "plist.overlapping-objects" && issue.lossy));
        let kept: usize = plist.nodes().filter_map(Node::text).map(str::len).sum();
        assert!(kept <= bytes.len() * MAX_GROWTH);

        let deep = format!("<plist>{}", "<array>".repeat(100_000));
        assert!(parse(deep.as_bytes()).1.iter().any(|issue| issue.code == "plist.too-deep" && issue.lossy));
    }

    #[test]
    fn cut_and_flipped_lists_end() {
        for length in 0..BINARY.len() {
            let _ = Plist::parse(&BINARY[..length]);
            for bit in 0..8 {
                let mut bytes = BINARY.to_vec();
                bytes[length] ^= 1 << bit;
                let _ = Plist::parse(&bytes);
            }
        }
        assert_eq!(Plist::parse(b"bplist00").unwrap_err(), PlistError::BadTrailer);
        assert_eq!(Plist::parse(b"").unwrap_err(), PlistError::NotPlist);
        let (plist, issues) = parse(b"<plist><dict><key>a</key><string>b</string><key>c</key>");
        assert!(issues.iter().any(|issue| issue.lossy));
        assert_eq!(plist.root().text_of("a"), Some("b"));
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_end(mut bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300), form in 0..3) {
            if form > 0 {
                let head: &[u8] = if form == 1 { b"bplist00" } else { b"<plist><dict>" };
                bytes.splice(0..0, head.iter().copied());
            }
            if let Ok((plist, _)) = Plist::parse(&bytes) {
                plist.nodes().for_each(|node| { node.entries().chain(node.items().map(|item| ("", item))).count(); });
            }
        }
    }
}
