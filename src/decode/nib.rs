//! Compiled interface files of iOS (`*.nib`): `NIBArchive`, and the keyed archives of iOS 5 and before, as one flat
//! table of objects with their class and values.
//!
//! Format: matsmattsson/nibsqueeze `NibArchive.md`; keyed archives: Apple, *Archives and Serializations Programming
//! Guide*. Values refer to objects by number, in circles too: users must bound their walks.

use std::ops::Range;

use thiserror::Error;

use super::plist::{self, Node, Plist, PlistError};
use super::{Decoder, Issue};

/// What this decoder reads.
pub const DECODER: Decoder = Decoder {
    name: "nib",
    version: 1,
    reads: ("iOS 界面文件（NIBArchive、键控归档）", "iOS interface files (NIBArchive, keyed archives)"),
    limits: &[],
};

const MAGIC: &[u8; 10] = b"NIBArchive";
/// Compilers may let objects share values; together they have at most this many times the values.
const MAX_SHARED: usize = 8;
/// Key of the elements of arrays and of the keys and values of dictionaries, one after the other.
pub const ELEMENT: &str = "UINibEncoderEmptyKey";

/// Why nothing of a nib could be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum NibError {
    /// Neither a `NIBArchive` nor a property list.
    #[error("not a compiled interface file")]
    NotNib,
    /// The header is not complete.
    #[error("the header is not complete")]
    Header,
    /// A property list, but no keyed archive.
    #[error("a property list that is no keyed archive")]
    NotArchive,
    /// The property list could not be read.
    #[error(transparent)]
    Plist(#[from] PlistError),
}

/// One value of an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing.
    Nil,
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with fraction.
    Real(f64),
    /// Bytes; the text of a string object is UTF-8.
    Data(Vec<u8>),
    /// Another object, by its number.
    Object(u32),
}

/// A value with its key.
#[derive(Debug, Clone)]
struct Slot {
    key: u32,
    value: Value,
    offset: u64,
}

#[derive(Debug, Clone)]
struct Object {
    class: u32,
    slots: Range<usize>,
}

/// A compiled interface file.
#[derive(Debug, Clone, Default)]
pub struct Nib {
    objects: Vec<Object>,
    slots: Vec<Slot>,
    keys: Vec<String>,
    classes: Vec<String>,
}

impl Nib {
    /// Reads a nib of either form.
    pub fn parse(bytes: &[u8]) -> Result<(Self, Vec<Issue>), NibError> {
        if bytes.starts_with(MAGIC) {
            Reader { bytes, at: MAGIC.len() }.archive()
        } else if plist::is_plist(bytes) {
            let (plist, issues) = Plist::parse(bytes)?;
            Ok((keyed(&plist)?, issues))
        } else {
            Err(NibError::NotNib)
        }
    }

    /// Number of objects.
    pub fn len(&self) -> u32 {
        self.objects.len() as u32
    }

    /// Whether there is no object.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Class name of an object; empty when there is no such object.
    pub fn class(&self, object: u32) -> &str {
        let class = self.objects.get(object as usize).map_or(u32::MAX, |object| object.class);
        self.classes.get(class as usize).map_or("", String::as_str)
    }

    /// Key, value and offset in the file of each value of an object.
    pub fn values(&self, object: u32) -> impl Iterator<Item = (&str, &Value, u64)> {
        let slots = self.objects.get(object as usize).map_or(0..0, |object| object.slots.clone());
        self.slots.get(slots).unwrap_or_default().iter().map(|slot| {
            let key = self.keys.get(slot.key as usize).map_or("", String::as_str);
            (key, &slot.value, slot.offset)
        })
    }

    /// The object of a key.
    pub fn object(&self, object: u32, key: &str) -> Option<u32> {
        self.values(object).find(|(name, ..)| *name == key).and_then(|(_, value, _)| match value {
            Value::Object(other) => Some(*other),
            _ => None,
        })
    }

    /// The text of a string object; of a localisable one the text in the language of development.
    pub fn text(&self, object: u32) -> Option<&str> {
        let string = match self.class(object) {
            "NSLocalizableString" => self.object(object, "NSDev").unwrap_or(object),
            _ => object,
        };
        if !self.class(string).ends_with("String") {
            return None;
        }
        self.values(string).find(|(key, ..)| *key == "NS.bytes").and_then(|(_, value, _)| match value {
            Value::Data(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        })
    }

    /// The text of a key.
    pub fn text_of(&self, object: u32, key: &str) -> Option<&str> {
        self.text(self.object(object, key)?)
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let taken = self.bytes.get(self.at..self.at.checked_add(length)?)?;
        self.at += length;
        Some(taken)
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    /// Seven bits a byte, the lowest first; the last byte has its high bit set.
    fn varint(&mut self) -> Option<usize> {
        let mut value = 0_usize;
        for shift in (0..35).step_by(7) {
            let byte = *self.take(1)?.first()?;
            value |= usize::from(byte & 0x7F) << shift;
            if byte & 0x80 != 0 {
                return Some(value);
            }
        }
        None
    }

    fn text(&mut self) -> Option<String> {
        let length = self.varint()?;
        Some(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    fn class(&mut self) -> Option<String> {
        let length = self.varint()?;
        let fallbacks = self.varint()?;
        self.take(fallbacks.checked_mul(4)?)?;
        let name = self.take(length)?;
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        Some(String::from_utf8_lossy(name).into_owned())
    }

    fn slot(&mut self) -> Option<Slot> {
        let offset = self.at as u64;
        let key = u32::try_from(self.varint()?).ok()?;
        let kind = *self.take(1)?.first()?;
        let value = match kind {
            0 => Value::Int(i8::from_le_bytes(self.take(1)?.try_into().ok()?).into()),
            1 => Value::Int(i16::from_le_bytes(self.take(2)?.try_into().ok()?).into()),
            2 => Value::Int(i32::from_le_bytes(self.take(4)?.try_into().ok()?).into()),
            3 => Value::Int(i64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            4 => Value::Bool(true),
            5 => Value::Bool(false),
            6 => Value::Real(f32::from_le_bytes(self.take(4)?.try_into().ok()?).into()),
            7 => Value::Real(f64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            8 => {
                let length = self.varint()?;
                Value::Data(self.take(length)?.to_vec())
            }
            9 => Value::Nil,
            10 => Value::Object(self.u32()?),
            _ => return None,
        };
        Some(Slot { key, value, offset })
    }

    /// Reads as many records as are stated, or as many as can be read.
    fn records<T>(
        &mut self,
        what: &str,
        (count, offset): (u32, u32),
        issues: &mut Vec<Issue>,
        mut read: impl FnMut(&mut Self) -> Option<T>,
    ) -> Vec<T> {
        self.at = offset as usize;
        let left = self.bytes.len().saturating_sub(self.at);
        let mut records = Vec::with_capacity((count as usize).min(left / 2));
        for _ in 0..count {
            let at = self.at as u64;
            let Some(record) = read(self) else {
                let detail = format!("{} of {count} {what} can be read", records.len());
                issues.push(Issue::lossy("nib.truncated", Some(at), detail));
                break;
            };
            records.push(record);
        }
        records
    }

    fn archive(mut self) -> Result<(Nib, Vec<Issue>), NibError> {
        let mut issues = Vec::new();
        let mut field = || self.u32().ok_or(NibError::Header);
        let (version, _coder) = (field()?, field()?);
        let tables: [Result<(u32, u32), NibError>; 4] = [(); 4].map(|()| Ok((field()?, field()?)));
        let [objects, keys, slots, classes] = tables;
        if version != 1 {
            let detail = format!("version {version}");
            issues.push(Issue::odd("nib.unknown-version", Some(10), detail));
        }
        let keys = self.records("keys", keys?, &mut issues, Reader::text);
        let slots = self.records("values", slots?, &mut issues, Reader::slot);
        let classes = self.records("class names", classes?, &mut issues, Reader::class);
        let mut room = slots.len().saturating_mul(MAX_SHARED);
        let mut shared = false;
        let objects = self.records("objects", objects?, &mut issues, |reader| {
            let class = u32::try_from(reader.varint()?).ok()?;
            let (first, count) = (reader.varint()?, reader.varint()?);
            let end = first.saturating_add(count).min(slots.len());
            let range = first.min(end)..end;
            shared |= range.len() > room;
            let range = range.start..range.start + range.len().min(room);
            room -= range.len();
            Some(Object { class, slots: range })
        });
        if shared {
            let detail = "objects share their values too often; the rest is not read";
            issues.push(Issue::lossy("nib.overlapping-objects", None, detail));
        }
        Ok((Nib { objects, slots, keys, classes }, issues))
    }
}

/// Numbers names.
#[derive(Default)]
struct Names {
    names: Vec<String>,
    numbers: std::collections::HashMap<String, u32>,
}

impl Names {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = self.names.len() as u32;
        self.names.push(name.to_owned());
        self.numbers.insert(name.to_owned(), number);
        number
    }
}

/// A keyed archive in the terms of a `NIBArchive`.
fn keyed(plist: &Plist) -> Result<Nib, NibError> {
    let objects = plist.root().get("$objects").ok_or(NibError::NotArchive)?;
    let table: Vec<Node<'_>> = objects.items().collect();
    let (mut keys, mut classes) = (Names::default(), Names::default());
    let mut nib = Nib::default();
    // Objects may be listed more than once, but no honest archive has more slots than values.
    let mut room = plist.len().saturating_mul(MAX_SHARED);
    for node in &table {
        let start = nib.slots.len();
        let mut add = |key: &str, value: Value, offset: u64| {
            if room > 0 {
                room -= 1;
                nib.slots.push(Slot { key: keys.number(key), value, offset });
            }
        };
        let class = match node.value() {
            plist::Value::Text(text) => {
                add("NS.bytes", Value::Data(text.clone().into_bytes()), node.offset());
                "NSString"
            }
            plist::Value::Int(number) => {
                add("NS.intval", Value::Int(*number), node.offset());
                "NSNumber"
            }
            plist::Value::Dict(_) => {
                let class = node.get("$class").and_then(|class| match class.value() {
                    plist::Value::Uid(uid) => table.get(*uid as usize)?.text_of("$classname"),
                    _ => None,
                });
                let listed = |key: &str| node.get(key).into_iter().flat_map(Node::items);
                if node.get("NS.keys").is_some() {
                    for (key, value) in listed("NS.keys").zip(listed("NS.objects")) {
                        add(ELEMENT, scalar(key), key.offset());
                        add(ELEMENT, scalar(value), value.offset());
                    }
                } else {
                    listed("NS.objects").for_each(|item| add(ELEMENT, scalar(item), item.offset()));
                }
                for (key, value) in node.entries() {
                    match key {
                        "$class" | "NS.keys" | "NS.objects" => {}
                        "NS.string" => add("NS.bytes", scalar(value), value.offset()),
                        key => add(key, scalar(value), value.offset()),
                    }
                }
                class.unwrap_or_default()
            }
            _ => "",
        };
        nib.objects.push(Object { class: classes.number(class), slots: start..nib.slots.len() });
    }
    nib.keys = keys.names;
    nib.classes = classes.names;
    Ok(nib)
}

fn scalar(node: Node<'_>) -> Value {
    match node.value() {
        plist::Value::Bool(value) => Value::Bool(*value),
        plist::Value::Int(value) => Value::Int(*value),
        plist::Value::Real(value) => Value::Real(*value),
        plist::Value::Uid(uid) => Value::Object(*uid),
        plist::Value::Text(text) => Value::Data(text.clone().into_bytes()),
        plist::Value::Data(bytes) => Value::Data(bytes.clone()),
        _ => Value::Nil,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn varint(value: usize) -> Vec<u8> {
        match value {
            0..128 => vec![value as u8 | 0x80],
            _ => [vec![value as u8 & 0x7F], varint(value >> 7)].concat(),
        }
    }

    fn text(text: &str) -> Vec<u8> {
        [varint(text.len()), text.as_bytes().to_vec()].concat()
    }

    /// A button with a title: two objects, written after the description of the format.
    fn archive() -> Vec<u8> {
        let keys = ["UITitle", "NS.bytes", "UITag"].map(text).concat();
        let title = "到岗打卡";
        let values =
            [vec![0x80, 10, 1, 0, 0, 0], vec![0x82, 1, 0xFE, 0xFF], [vec![0x81, 8], text(title)].concat()]
                .concat();
        let objects = [0_usize, 0, 2, 1, 2, 1].map(varint).concat();
        let class = |name: &str| {
            [varint(name.len() + 1), varint(1), vec![0; 4], name.as_bytes().to_vec(), vec![0]].concat()
        };
        let classes = ["UIButton", "NSString"].map(class).concat();
        let mut bytes = MAGIC.to_vec();
        let mut offset = 50;
        let mut fields = vec![1, 9];
        for (count, table) in [(2, &objects), (3, &keys), (3, &values), (2, &classes)] {
            fields.extend([count, offset]);
            offset += table.len() as u32;
        }
        fields.iter().for_each(|field: &u32| bytes.extend(field.to_le_bytes()));
        [bytes, objects, keys, values, classes].concat()
    }

    #[test]
    fn archives_are_read() {
        let bytes = archive();
        let (nib, issues) = Nib::parse(&bytes).unwrap();
        assert!(issues.is_empty(), "{issues:?}");
        assert_eq!((nib.len(), nib.class(0), nib.class(1)), (2, "UIButton", "NSString"));
        assert_eq!(nib.text_of(0, "UITitle"), Some("到岗打卡"));
        assert_eq!(
            nib.values(0).nth(1).map(|(key, value, _)| (key, value)),
            Some(("UITag", &Value::Int(-2)))
        );
        let offset = nib.values(1).next().unwrap().2 as usize;
        assert_eq!(&bytes[offset + 3..offset + 15], "到岗打卡".as_bytes());
    }

    #[test]
    fn keyed_archives_are_read() {
        let xml = "<plist><dict><key>$objects</key><array><string>$null</string>
            <dict><key>$class</key><dict/><key>UITitle</key><integer>2</integer></dict>
            <string>到岗打卡</string></array></dict></plist>";
        // XML has no references; they are put in as a binary list has them.
        let (plist, _) = Plist::parse(xml.as_bytes()).unwrap();
        let nib = keyed(&plist).unwrap();
        assert_eq!(nib.text(2), Some("到岗打卡"));
        assert_eq!(nib.class(1), "");
        assert_eq!(Nib::parse(b"<plist><dict></dict></plist>").unwrap_err(), NibError::NotArchive);
    }

    #[test]
    fn objects_that_share_everything_stay_small() {
        let mut bytes = archive();
        // 60,000 objects, each with all values: what they hold together is bounded.
        let count = 60_000_u32;
        bytes[18..22].copy_from_slice(&count.to_le_bytes());
        let offset = (bytes.len() as u32).to_le_bytes();
        bytes[22..26].copy_from_slice(&offset);
        (0..count).for_each(|_| bytes.extend([0x80, 0x80, 0x83]));
        let (nib, issues) = Nib::parse(&bytes).unwrap();
        assert!(issues.iter().any(|issue| issue.code == "nib.overlapping-objects" && issue.lossy));
        assert!((0..nib.len()).map(|object| nib.values(object).count()).sum::<usize>() <= 3 * MAX_SHARED);
    }

    #[test]
    fn cut_and_flipped_archives_end() {
        let bytes = archive();
        for at in 0..bytes.len() {
            match Nib::parse(&bytes[..at]) {
                Ok((_, issues)) => assert!(issues.iter().any(|issue| issue.lossy), "cut at {at}"),
                Err(error) => assert!(at < 50, "{error} at {at}"),
            }
            for bit in 0..8 {
                let mut bytes = bytes.clone();
                bytes[at] ^= 1 << bit;
                let _ = Nib::parse(&bytes);
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_end(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let _ = Nib::parse(&[MAGIC.to_vec(), bytes].concat());
        }
    }
}
