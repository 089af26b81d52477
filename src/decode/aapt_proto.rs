//! Resource tables and XML documents as protocol buffers, the form they have in Android App Bundles, put into the
//! binary form of APKs, so that everything else reads one form only.
//!
//! Format: `frameworks/base/tools/aapt2/Resources.proto` and `Configuration.proto`; the wire format:
//! <https://protobuf.dev/programming-guides/encoding/>. Messages may be nested to any depth; only elements of XML
//! documents are, and they are read without recursion.

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::arsc::ArscError;
use super::axml::{XmlError, is_plain_text};
use super::res_chunk::{Chunk, Issues, RawValue};
use super::{Decoder, Issue, Limit, Unit};

/// What this file reads.
pub const DECODER: Decoder = Decoder {
    name: "aapt_proto",
    version: 2,
    reads: ("应用包的资源表与界面（protobuf）", "resources and XML of app bundles (protocol buffers)"),
    limits: &[Limit { what: ("输入", "input"), amount: MAX_SIZE as u64, unit: Unit::Bytes }],
};

/// The binary form is never larger than this many times the protocol buffer (and [`FREE`] more): honest ones are
/// about as large, and a hostile one must not blow up.
const MAX_GROWTH: usize = 8;
const FREE: usize = 1 << 16;
/// The binary form is never larger than this.
const MAX_SIZE: usize = 256 << 20;
/// The longest string that can be found again in a pool.
const MAX_STRING: usize = (64 << 15) - 1;
/// No string, no parent.
const NONE: u32 = u32::MAX;

/// A document in binary form.
#[derive(Debug)]
pub struct BinaryXml {
    /// The document.
    pub bytes: Vec<u8>,
    /// Offsets in `bytes` and where the same stands in the protocol buffer, ascending.
    pub origins: Vec<(u32, u32)>,
}

/// Puts an `aapt.pb.XmlNode` into binary form.
pub fn xml(bytes: &[u8]) -> Result<(BinaryXml, Vec<Issue>), XmlError> {
    if is_plain_text(bytes) {
        return Err(XmlError::PlainText);
    }
    let mut writer =
        XmlWriter { out: Output::new(bytes), strings: Pool::default(), origins: Vec::new(), elements: 0 };
    writer.document(Message { bytes, offset: 0 });
    if writer.elements == 0 {
        return Err(XmlError::NotXml);
    }
    Ok(writer.finish())
}

/// Puts an `aapt.pb.ResourceTable` into binary form.
pub fn table(bytes: &[u8]) -> Result<(Vec<u8>, Vec<Issue>), ArscError> {
    let mut writer = TableWriter { out: Output::new(bytes), strings: Pool::default(), packages: 0 };
    let mut fields = Message { bytes, offset: 0 }.fields();
    let mut known = true;
    while let Some((number, value)) = fields.next(&mut writer.out.issues) {
        match (number, value) {
            (2, Wire::Bytes(package)) => writer.package(package),
            // Where the sources are, overlays, the tool, libraries.
            (1 | 3..=5, Wire::Bytes(_)) => {}
            _ => known = false,
        }
    }
    // An app without resources has a table without packages.
    if writer.packages == 0 && !(known && writer.out.issues.is_empty()) {
        return Err(ArscError::NotTable);
    }
    Ok(writer.finish())
}

/// A message that is not read yet.
#[derive(Debug, Clone, Copy)]
struct Message<'a> {
    bytes: &'a [u8],
    /// Where it begins in the document.
    offset: usize,
}

/// A field's value.
#[derive(Debug, Clone, Copy)]
enum Wire<'a> {
    Number(u64),
    Fixed(u32),
    Bytes(Message<'a>),
}

impl<'a> Message<'a> {
    fn fields(self) -> Fields<'a> {
        Fields { message: self, at: 0 }
    }

    /// The last value of a field, as the format wants it.
    fn get(self, wanted: u32, issues: &mut Issues) -> Option<Wire<'a>> {
        let (mut fields, mut found) = (self.fields(), None);
        while let Some((number, value)) = fields.next(issues) {
            if number == wanted {
                found = Some(value);
            }
        }
        found
    }

    fn message(self, wanted: u32, issues: &mut Issues) -> Option<Message<'a>> {
        match self.get(wanted, issues)? {
            Wire::Bytes(message) => Some(message),
            _ => None,
        }
    }

    fn number(self, wanted: u32, issues: &mut Issues) -> Option<u64> {
        match self.get(wanted, issues)? {
            Wire::Number(number) => Some(number),
            _ => None,
        }
    }
}

/// Goes from field to field of a message.
#[derive(Debug, Clone, Copy)]
struct Fields<'a> {
    message: Message<'a>,
    at: usize,
}

impl<'a> Fields<'a> {
    /// Number and value of the next field. Ends at what is no field; a value that is cut off is given as far as it goes.
    fn next(&mut self, issues: &mut Issues) -> Option<(u32, Wire<'a>)> {
        let bytes = self.message.bytes;
        if self.at >= bytes.len() {
            return None;
        }
        let start = self.message.offset + self.at;
        match self.read() {
            Some(field) => Some(field),
            None => {
                self.at = bytes.len();
                issues.lossy("aapt-proto.malformed", start, || "what follows is no field".into());
                None
            }
        }
        .map(|(number, value, whole)| {
            if !whole {
                issues.lossy("aapt-proto.truncated", start, || format!("field {number} is cut off"));
            }
            (number, value)
        })
    }

    fn read(&mut self) -> Option<(u32, Wire<'a>, bool)> {
        let bytes = self.message.bytes;
        let key = self.varint()?;
        let number = u32::try_from(key >> 3).ok().filter(|&number| number != 0)?;
        let value = match key & 7 {
            0 => Wire::Number(self.varint()?),
            1 => {
                bytes.get(self.at..self.at + 8)?;
                self.at += 8;
                // No field of these messages is so wide.
                return Some((number, Wire::Fixed(0), true));
            }
            2 => {
                let length = usize::try_from(self.varint()?).unwrap_or(usize::MAX);
                let rest = bytes.get(self.at..).unwrap_or_default();
                let inside =
                    Message { bytes: &rest[..length.min(rest.len())], offset: self.message.offset + self.at };
                self.at += inside.bytes.len();
                return Some((number, Wire::Bytes(inside), length <= rest.len()));
            }
            5 => {
                let value = u32::from_le_bytes(*bytes.get(self.at..)?.first_chunk()?);
                self.at += 4;
                Wire::Fixed(value)
            }
            _ => return None,
        };
        Some((number, value, true))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for nth in 0..10 {
            let byte = *self.message.bytes.get(self.at)?;
            self.at += 1;
            value |= u64::from(byte & 0x7F) << (7 * nth);
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

/// Strings, each once for each resource id that goes with it (names of attributes have one).
#[derive(Debug, Default)]
struct Pool<'a> {
    strings: Vec<&'a [u8]>,
    ids: Vec<u32>,
    index: HashMap<(&'a [u8], u32), u32, RandomState>,
    stored: usize,
}

impl<'a> Pool<'a> {
    fn add(&mut self, text: &'a [u8], id: u32) -> u32 {
        *self.index.entry((text, id)).or_insert_with(|| {
            self.stored += text.len() + 9;
            self.strings.push(text);
            self.ids.push(id);
            self.ids.len() as u32 - 1
        })
    }

    /// The chunk. Lengths are 15 bits, of which the reader finds the rest by the end mark.
    fn chunk(&self, issues: &mut Issues) -> Vec<u8> {
        let mut offsets = Vec::with_capacity(self.strings.len() * 4);
        let mut data = Vec::with_capacity(self.stored);
        for text in &self.strings {
            offsets.extend((data.len() as u32).to_le_bytes());
            let mut text = Cow::Borrowed(*text);
            if text.contains(&0) {
                text = text
                    .iter()
                    .flat_map(|&byte| if byte == 0 { vec![0xC0, 0x80] } else { vec![byte] })
                    .collect();
            }
            if text.len() > MAX_STRING {
                issues.lossy("aapt-proto.long-string", 0, || format!("a string of {} bytes", text.len()));
                let mut end = MAX_STRING;
                while end > 0 && text[end] & 0xC0 == 0x80 {
                    end -= 1;
                }
                text = Cow::Owned(text[..end].to_vec());
            }
            let length = text.len() & 0x7FFF;
            for _ in ["in UTF-16, which nobody looks at", "in UTF-8"] {
                match length {
                    0..0x80 => data.push(length as u8),
                    _ => data.extend([0x80 | (length >> 8) as u8, length as u8]),
                }
            }
            data.extend_from_slice(&text);
            data.push(0);
        }
        data.resize(data.len().next_multiple_of(4), 0);
        let start = 28 + offsets.len() as u32;
        let fields = [self.strings.len() as u32, 0, 0x100, start, 0];
        let header: Vec<u8> = fields.iter().flat_map(|field| field.to_le_bytes()).collect();
        chunk(Chunk::STRING_POOL, &header, &[offsets, data])
    }
}

/// A chunk of a header behind the common one, and a body.
fn chunk(kind: u16, header: &[u8], body: &[Vec<u8>]) -> Vec<u8> {
    let size = 8 + header.len() + body.iter().map(Vec::len).sum::<usize>();
    let mut out = Vec::with_capacity(size);
    out.extend(kind.to_le_bytes());
    out.extend((8 + header.len() as u16).to_le_bytes());
    out.extend((size as u32).to_le_bytes());
    out.extend_from_slice(header);
    body.iter().for_each(|part| out.extend_from_slice(part));
    out
}

/// What is written, within its limit.
#[derive(Debug)]
struct Output {
    bytes: Vec<u8>,
    limit: usize,
    issues: Issues,
}

impl Output {
    fn new(input: &[u8]) -> Self {
        let limit = input.len().saturating_mul(MAX_GROWTH).saturating_add(FREE).min(MAX_SIZE);
        Output { bytes: Vec::new(), limit, issues: Issues::default() }
    }

    /// Whether there is room for what `more` bytes of strings and this many others come to.
    fn has_room(&mut self, written: usize, at: usize) -> bool {
        let fits = written < self.limit;
        if !fits {
            let limit = self.limit;
            self.issues.lossy("aapt-proto.too-large", at, || format!("comes to more than {limit} bytes"));
        }
        fits
    }

    fn words(&mut self, words: &[u32]) {
        words.iter().for_each(|word| self.bytes.extend(word.to_le_bytes()));
    }

    fn value(&mut self, value: RawValue) {
        self.words(&[u32::from(value.data_type) << 24 | 8, value.data]);
    }
}

/// `aapt.pb.Item` as a typed value; `None` for one of a kind that is not known.
fn item<'a>(message: Message<'a>, strings: &mut Pool<'a>, issues: &mut Issues) -> Option<RawValue> {
    let raw = |data_type, data| Some(RawValue { data_type, data });
    let mut fields = message.fields();
    let mut found = None;
    while let Some((number, value)) = fields.next(issues) {
        let Wire::Bytes(value) = value else { continue };
        found = match number {
            1 => {
                let attribute = value.number(1, issues) == Some(1);
                raw(if attribute { 0x02 } else { 0x01 }, value.number(2, issues).unwrap_or(0) as u32)
            }
            // String, raw string, styled string, file.
            2..=5 => {
                let text = value.message(1, issues).map_or(&[][..], |text| text.bytes);
                raw(RawValue::STRING, strings.add(text, 0))
            }
            // An id is there, and that is all.
            6 => raw(0x12, 0),
            7 => primitive(value, issues),
            _ => continue,
        };
    }
    found
}

/// `aapt.pb.Primitive`.
fn primitive(message: Message<'_>, issues: &mut Issues) -> Option<RawValue> {
    let mut fields = message.fields();
    let mut found = None;
    while let Some((number, value)) = fields.next(issues) {
        let data = match value {
            Wire::Number(number) => number as u32,
            Wire::Fixed(bits) => bits,
            Wire::Bytes(_) => 0,
        };
        let (data_type, data) = match number {
            1 => (0x00, 0),
            2 => (0x00, 1),
            3 => (0x04, data),
            4 | 13 => (0x05, data),
            5 | 14 => (0x06, data),
            6 => (0x10, data),
            7 => (0x11, data),
            8 => (0x12, if data == 0 { 0 } else { NONE }),
            9..=12 => (0x1C + (number - 9) as u8, data),
            _ => continue,
        };
        found = Some(RawValue { data_type, data });
    }
    found
}

struct XmlWriter<'a> {
    out: Output,
    strings: Pool<'a>,
    origins: Vec<(u32, u32)>,
    elements: usize,
}

/// An element whose children are being read.
struct Open<'a> {
    fields: Fields<'a>,
    namespace: u32,
    name: u32,
}

/// One `aapt.pb.XmlAttribute`.
#[derive(Default)]
struct Attribute<'a> {
    namespace: &'a [u8],
    name: &'a [u8],
    value: &'a [u8],
    id: u32,
    compiled: Option<Message<'a>>,
    offset: usize,
}

impl<'a> XmlWriter<'a> {
    fn document(&mut self, root: Message<'a>) {
        // Each element is gone through twice; what is wrong with it is told once.
        let mut aside = Issues::default();
        let mut open: Vec<Open<'a>> = Vec::new();
        let mut next = Some(root);
        loop {
            if let Some(node) = next.take() {
                if !self.out.has_room(self.out.bytes.len() + self.strings.stored, node.offset) {
                    return;
                }
                open.extend(self.node(node));
            }
            let Some(innermost) = open.last_mut() else { return };
            match innermost.fields.next(&mut aside) {
                Some((5, Wire::Bytes(child))) => next = Some(child),
                Some(_) => {}
                None => {
                    self.out.words(&[0x0010_0103, 24, 0, NONE, innermost.namespace, innermost.name]);
                    open.pop();
                }
            }
        }
    }

    fn node(&mut self, node: Message<'a>) -> Option<Open<'a>> {
        let mut fields = node.fields();
        let (mut element, mut text, mut line) = (None, None, 0);
        while let Some((number, value)) = fields.next(&mut self.out.issues) {
            match (number, value) {
                (1, Wire::Bytes(found)) => element = Some(found),
                (2, Wire::Bytes(found)) => text = Some(found),
                (3, Wire::Bytes(source)) => line = source.number(1, &mut self.out.issues).unwrap_or(0) as u32,
                _ => {}
            }
        }
        if let Some(text) = text {
            let index = self.strings.add(text.bytes, 0);
            self.origin(text.offset);
            self.out.words(&[0x0010_0104, 28, line, NONE, index]);
            self.out.value(RawValue { data_type: RawValue::STRING, data: index });
        }
        element.map(|element| self.element(element, line))
    }

    fn element(&mut self, element: Message<'a>, line: u32) -> Open<'a> {
        let (mut namespace, mut name): (&[u8], &[u8]) = (&[], &[]);
        let mut attributes = Vec::new();
        let mut fields = element.fields();
        while let Some((number, value)) = fields.next(&mut self.out.issues) {
            match (number, value) {
                (2, Wire::Bytes(uri)) => namespace = uri.bytes,
                (3, Wire::Bytes(found)) => name = found.bytes,
                (4, Wire::Bytes(attribute)) => attributes.push(self.attribute(attribute)),
                _ => {}
            }
        }
        if attributes.len() > usize::from(u16::MAX) {
            let count = attributes.len();
            let what = || format!("{count} attributes on one element");
            self.out.issues.lossy("aapt-proto.attribute-count", element.offset, what);
            attributes.truncate(usize::from(u16::MAX));
        }
        let (namespace, name) = (self.uri(namespace), self.strings.add(name, 0));
        let count = attributes.len() as u32;
        self.origin(element.offset);
        self.elements += 1;
        self.out.words(&[0x0010_0102, 36 + 20 * count, line, NONE, namespace, name, 0x0014_0014, count, 0]);
        for attribute in attributes {
            let compiled =
                attribute.compiled.and_then(|value| item(value, &mut self.strings, &mut self.out.issues));
            let raw = self.strings.add(attribute.value, 0);
            let words = [self.uri(attribute.namespace), self.strings.add(attribute.name, attribute.id), raw];
            self.origin(attribute.offset);
            self.out.words(&words);
            self.out.value(compiled.unwrap_or(RawValue { data_type: RawValue::STRING, data: raw }));
        }
        Open { fields: element.fields(), namespace, name }
    }

    fn attribute(&mut self, message: Message<'a>) -> Attribute<'a> {
        let mut attribute = Attribute { offset: message.offset, ..Attribute::default() };
        let mut fields = message.fields();
        while let Some((number, value)) = fields.next(&mut self.out.issues) {
            match (number, value) {
                (1, Wire::Bytes(uri)) => attribute.namespace = uri.bytes,
                (2, Wire::Bytes(name)) => attribute.name = name.bytes,
                (3, Wire::Bytes(value)) => attribute.value = value.bytes,
                (5, Wire::Number(id)) => attribute.id = id as u32,
                (6, Wire::Bytes(item)) => attribute.compiled = Some(item),
                _ => {}
            }
        }
        attribute
    }

    fn uri(&mut self, uri: &'a [u8]) -> u32 {
        if uri.is_empty() { NONE } else { self.strings.add(uri, 0) }
    }

    /// Notes where what is written next is from.
    fn origin(&mut self, offset: usize) {
        self.origins.push((self.out.bytes.len() as u32, offset as u32));
    }

    fn finish(self) -> (BinaryXml, Vec<Issue>) {
        let XmlWriter { mut out, strings, mut origins, .. } = self;
        let pool = strings.chunk(&mut out.issues);
        let ids = strings.ids.iter().flat_map(|id| id.to_le_bytes()).collect();
        let head = [pool, chunk(0x0180, &[], &[ids])];
        let shift = 8 + head.iter().map(Vec::len).sum::<usize>() as u32;
        origins.iter_mut().for_each(|(at, _)| *at += shift);
        let [pool, ids] = head;
        (BinaryXml { bytes: chunk(Chunk::XML, &[], &[pool, ids, out.bytes]), origins }, out.issues.finish())
    }
}

struct TableWriter<'a> {
    out: Output,
    strings: Pool<'a>,
    packages: u32,
}

/// Values of one type in one configuration.
struct TypeChunk {
    type_id: u8,
    config: [u8; 64],
    /// Pairs of entry and offset in units of four bytes.
    index: Vec<u8>,
    values: Vec<u8>,
}

impl TypeChunk {
    fn stored(&self) -> usize {
        84 + self.index.len() + self.values.len()
    }
}

/// One value and what it is the value of.
struct Target {
    type_id: u8,
    entry: u16,
    key: u32,
}

/// A package while it is read.
#[derive(Default)]
struct Package<'a> {
    type_names: Vec<&'a [u8]>,
    keys: Pool<'a>,
    chunks: Vec<TypeChunk>,
    /// The chunk that takes further values.
    open: HashMap<(u8, [u8; 64]), usize, RandomState>,
    stored: usize,
}

impl<'a> TableWriter<'a> {
    fn package(&mut self, message: Message<'a>) {
        let mut package = Package::default();
        let (mut id, mut name): (u32, &[u8]) = (0x7F, &[]);
        let mut types = 0;
        let mut fields = message.fields();
        while let Some((number, value)) = fields.next(&mut self.out.issues) {
            match (number, value) {
                (1, Wire::Bytes(found)) => id = found.number(1, &mut self.out.issues).unwrap_or(0) as u32,
                (2, Wire::Bytes(found)) => name = found.bytes,
                (3, Wire::Bytes(found)) => {
                    types += 1;
                    self.kind(found, types, &mut package);
                }
                _ => {}
            }
        }
        self.packages += 1;
        self.write(id, name, package);
    }

    fn kind(&mut self, message: Message<'a>, nth: u32, package: &mut Package<'a>) {
        let (mut id, mut name): (u32, &[u8]) = (nth, &[]);
        let mut entries = Vec::new();
        let mut fields = message.fields();
        while let Some((number, value)) = fields.next(&mut self.out.issues) {
            match (number, value) {
                (1, Wire::Bytes(found)) => id = found.number(1, &mut self.out.issues).unwrap_or(0) as u32,
                (2, Wire::Bytes(found)) => name = found.bytes,
                (3, Wire::Bytes(found)) => entries.push(found),
                _ => {}
            }
        }
        let Some(type_id) = u8::try_from(id).ok().filter(|&id| id != 0) else {
            self.out.issues.lossy("aapt-proto.type-id", message.offset, || format!("type id {id:#x}"));
            return;
        };
        if package.type_names.len() < usize::from(type_id) {
            package.type_names.resize(usize::from(type_id), &[]);
        }
        package.type_names[usize::from(type_id) - 1] = name;
        for (nth, entry) in entries.into_iter().enumerate() {
            self.entry(entry, type_id, nth as u32, package);
        }
    }

    fn entry(&mut self, message: Message<'a>, type_id: u8, nth: u32, package: &mut Package<'a>) {
        let (mut id, mut name): (u32, &[u8]) = (nth, &[]);
        let mut values = Vec::new();
        let mut fields = message.fields();
        while let Some((number, value)) = fields.next(&mut self.out.issues) {
            match (number, value) {
                (1, Wire::Bytes(found)) => id = found.number(1, &mut self.out.issues).unwrap_or(0) as u32,
                (2, Wire::Bytes(found)) => name = found.bytes,
                // The second kind: values behind a build flag that is off. The code may turn it on.
                (6 | 8, Wire::Bytes(found)) => values.push(found),
                _ => {}
            }
        }
        let Ok(entry) = u16::try_from(id) else {
            self.out.issues.lossy("aapt-proto.entry-id", message.offset, || format!("entry id {id:#x}"));
            return;
        };
        let key = package.keys.add(name, 0);
        for value in values {
            let written = self.out.bytes.len() + package.stored + package.keys.stored + self.strings.stored;
            if !self.out.has_room(written, value.offset) {
                return;
            }
            self.config_value(value, &Target { type_id, entry, key }, package);
        }
    }

    /// `aapt.pb.ConfigValue`.
    fn config_value(&mut self, message: Message<'a>, target: &Target, package: &mut Package<'a>) {
        let issues = &mut self.out.issues;
        let config = message.message(1, issues).map_or_else(
            || config(&[]),
            |found| {
                let mut values = Vec::new();
                let mut fields = found.fields();
                while let Some(field) = fields.next(issues) {
                    values.push(field);
                }
                config(&values)
            },
        );
        let Some(value) = message.message(2, issues) else { return };
        let mut bytes = Vec::new();
        let word = |bytes: &mut Vec<u8>, word: u32| bytes.extend(word.to_le_bytes());
        let put = |bytes: &mut Vec<u8>, value: RawValue| {
            word(bytes, u32::from(value.data_type) << 24 | 8);
            word(bytes, value.data);
        };
        if let Some(found) = value.message(4, issues) {
            let Some(value) = item(found, &mut self.strings, issues) else { return };
            word(&mut bytes, 8);
            word(&mut bytes, target.key);
            put(&mut bytes, value);
        } else if let Some(found) = value.message(5, issues) {
            let Some((parent, items)) = compound(found, &mut self.strings, issues) else { return };
            word(&mut bytes, 1 << 16 | 16);
            word(&mut bytes, target.key);
            word(&mut bytes, parent);
            word(&mut bytes, items.len() as u32);
            for (key, value) in items {
                word(&mut bytes, key);
                put(&mut bytes, value);
            }
        } else {
            return;
        }
        package.add(target, config, &bytes);
    }

    /// `ResTable_package` and its chunks.
    fn write(&mut self, id: u32, name: &[u8], package: Package<'a>) {
        let Package { type_names, keys, chunks, .. } = package;
        // Not by `Pool::add`: the place of a name is the id of its type, even where it has none.
        let type_names = Pool { ids: vec![0; type_names.len()], strings: type_names, ..Pool::default() };
        let (types, keys) = (type_names.chunk(&mut self.out.issues), keys.chunk(&mut self.out.issues));
        let mut header = id.to_le_bytes().to_vec();
        header.extend(String::from_utf8_lossy(name).encode_utf16().take(127).flat_map(u16::to_le_bytes));
        header.resize(4 + 256, 0);
        for word in [288, 0, 288 + types.len() as u32, 0, 0] {
            header.extend(word.to_le_bytes());
        }
        let mut body = vec![types, keys];
        for TypeChunk { type_id, config, index, values } in chunks {
            let (count, start) = (index.len() as u32 / 4, 84 + index.len() as u32);
            let mut header = vec![type_id, 1, 0, 0];
            header.extend(count.to_le_bytes());
            header.extend(start.to_le_bytes());
            header.extend_from_slice(&config);
            body.push(chunk(0x0201, &header, &[index, values]));
        }
        self.out.bytes.extend(chunk(0x0200, &header, &body));
    }

    fn finish(self) -> (Vec<u8>, Vec<Issue>) {
        let TableWriter { mut out, strings, packages } = self;
        let pool = strings.chunk(&mut out.issues);
        (chunk(Chunk::TABLE, &packages.to_le_bytes(), &[pool, out.bytes]), out.issues.finish())
    }
}

impl Package<'_> {
    fn add(&mut self, target: &Target, config: [u8; 64], value: &[u8]) {
        let open = self.open.get(&(target.type_id, config)).copied();
        // Offsets are of 16 bits, in units of four bytes.
        let fits = |chunk: &TypeChunk| chunk.values.len() <= 0x3_FFFC;
        let at = match open.filter(|&at| self.chunks.get(at).is_some_and(fits)) {
            Some(at) => at,
            None => {
                let chunk =
                    TypeChunk { type_id: target.type_id, config, index: Vec::new(), values: Vec::new() };
                self.stored += chunk.stored();
                self.chunks.push(chunk);
                self.open.insert((target.type_id, config), self.chunks.len() - 1);
                self.chunks.len() - 1
            }
        };
        let chunk = &mut self.chunks[at];
        chunk.index.extend(target.entry.to_le_bytes());
        chunk.index.extend(((chunk.values.len() / 4) as u16).to_le_bytes());
        chunk.values.extend_from_slice(value);
        self.stored += 4 + value.len();
    }
}

/// Parent and items of an `aapt.pb.CompoundValue` with the keys of a bag; `None` for one that is in no table.
fn compound<'a>(
    message: Message<'a>,
    strings: &mut Pool<'a>,
    issues: &mut Issues,
) -> Option<(u32, Vec<(u32, RawValue)>)> {
    let mut fields = message.fields();
    let mut found = None;
    while let Some((number, value)) = fields.next(issues) {
        let Wire::Bytes(value) = value else { continue };
        let mut parent = 0;
        let mut items = Vec::new();
        let mut inner = value.fields();
        while let Some((field, part)) = inner.next(issues) {
            match (number, field, part) {
                // Declaration of an attribute: the formats it takes.
                (1, 1, Wire::Number(formats)) => {
                    items.push((0x0100_0000, RawValue { data_type: 0x10, data: formats as u32 }));
                }
                // Style: parent, and attributes with their values.
                (2, 1, Wire::Bytes(reference)) => parent = reference.number(2, issues).unwrap_or(0) as u32,
                (2, 3, Wire::Bytes(entry)) => {
                    let key =
                        entry.message(3, issues).and_then(|key| key.number(2, issues)).unwrap_or(0) as u32;
                    let value = entry.message(4, issues).and_then(|value| item(value, strings, issues));
                    items.extend(value.map(|value| (key, value)));
                }
                // Array.
                (4, 1, Wire::Bytes(element)) => {
                    let key = 0x0100_0001 + (items.len() as u32).min(0xFFFE);
                    let value = element.message(3, issues).and_then(|value| item(value, strings, issues));
                    items.extend(value.map(|value| (key, value)));
                }
                // Plurals: zero, one, two, few, many, other.
                (5, 1, Wire::Bytes(entry)) => {
                    let key = match entry.number(3, issues).unwrap_or(0) {
                        quantity @ 0..=4 => 0x0100_0005 + quantity as u32,
                        _ => 0x0100_0004,
                    };
                    let value = entry.message(4, issues).and_then(|value| item(value, strings, issues));
                    items.extend(value.map(|value| (key, value)));
                }
                _ => {}
            }
        }
        if matches!(number, 1 | 2 | 4 | 5) {
            found = Some((parent, items));
        }
    }
    found
}

/// `ResTable_config` of an `aapt.pb.Configuration`.
fn config(fields: &[(u32, Wire<'_>)]) -> [u8; 64] {
    let mut config = [0; 64];
    config[0] = 64;
    for (number, value) in fields {
        let value = match *value {
            Wire::Number(value) => value as u16,
            Wire::Bytes(tag) if *number == 3 => {
                locale(&String::from_utf8_lossy(tag.bytes), &mut config);
                continue;
            }
            _ => continue,
        };
        // Where "yes" is 1 and "no" is 2 here, it is the other way round there.
        let swapped = [0, 2, 1].get(usize::from(value)).copied().unwrap_or(0);
        let byte = value as u8;
        let (at, bits) = match number {
            1 | 2 | 5..=9 | 18 | 24 => {
                let at = match number {
                    1 => 4,
                    2 => 6,
                    5 => 20,
                    6 => 22,
                    7 => 32,
                    8 => 34,
                    9 => 30,
                    18 => 14,
                    _ => 24,
                };
                config[at..at + 2].copy_from_slice(&value.to_le_bytes());
                continue;
            }
            4 => (28, byte << 6),
            10 => (28, byte & 0x0F),
            11 => (28, swapped << 4),
            12 => (48, swapped),
            13 => (49, swapped),
            14 => (49, swapped << 2),
            15 => (12, byte),
            16 => (29, byte & 0x0F),
            17 => (29, swapped << 4),
            19 => (13, byte),
            20 => (18, byte & 0x03),
            21 => (16, byte),
            22 => (18, (byte & 0x03) << 2),
            23 => (17, byte),
            26 => (19, byte & 0x03),
            _ => continue,
        };
        config[at] |= bits;
    }
    config
}

/// Puts a BCP 47 tag where `ResTable_config` has it: language, script, region, variant, numbering system.
fn locale(tag: &str, config: &mut [u8; 64]) {
    let mut put = |at: usize, room: usize, text: &[u8]| {
        let length = text.len().min(room);
        config[at..at + length].copy_from_slice(&text[..length]);
    };
    let mut subtags = tag.split(['-', '_']).filter(|subtag| subtag.is_ascii());
    let language = subtags.next().unwrap_or_default().to_ascii_lowercase();
    match *language.as_bytes() {
        [_, _] => put(8, 2, language.as_bytes()),
        [a, b, c] => put(8, 2, &packed([a, b, c], b'a')),
        _ => return,
    }
    let (mut extension, mut numbering) = (false, false);
    for subtag in subtags {
        match *subtag.as_bytes() {
            [_] => extension = true,
            _ if extension => {
                if numbering {
                    put(53, 8, subtag.as_bytes());
                }
                numbering = subtag == "nu";
            }
            [_, _] => put(10, 2, subtag.to_ascii_uppercase().as_bytes()),
            [a @ b'0'..=b'9', b, c] => put(10, 2, &packed([a, b, c], b'0')),
            [b'A'..=b'Z' | b'a'..=b'z', _, _, _] => put(36, 4, subtag.as_bytes()),
            _ => put(40, 8, subtag.as_bytes()),
        }
    }
}

/// Three letters or digits in five bits each.
fn packed(letters: [u8; 3], base: u8) -> [u8; 2] {
    let [a, b, c] = letters.map(|letter| letter.wrapping_sub(base) & 0x1F);
    [0x80 | c << 2 | b >> 3, b << 5 | a]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::archive::Archive;
    use crate::decode::arsc::{ResValue, Table};
    use crate::decode::axml::Xml;
    use crate::decode::blob::Blob;
    use crate::decode::res_chunk::tests::flips;

    /// An entry of a built fixture. aapt2 has made both packages from the same source, one in binary form.
    fn sample(package: &str, entry: &str) -> Vec<u8> {
        let path = format!("{}/fixtures/built/{package}", env!("CARGO_MANIFEST_DIR"));
        let (archive, _) = Archive::open(Blob::memory(std::fs::read(path).unwrap())).unwrap();
        archive.read(archive.entry(entry).unwrap()).unwrap().0
    }

    /// Every element with its depth and attributes (sorted, since the binary form sorts them by id).
    fn told(xml: &Xml<'_>) -> Vec<(String, u32, u32, Vec<String>)> {
        xml.elements()
            .map(|element| {
                let mut attributes: Vec<String> = element
                    .attributes()
                    .map(|attribute| {
                        format!("{:?} {} {:?}", attribute.resource(), attribute.name(), attribute.value())
                    })
                    .collect();
                attributes.sort();
                (element.name().into_owned(), element.depth(), element.line(), attributes)
            })
            .collect()
    }

    /// Id, name, and values by configuration.
    type Values = Vec<(u32, String, Vec<(String, String)>)>;

    fn values(table: &Table<'_>) -> Values {
        table
            .resources()
            .map(|resource| {
                let mut values: Vec<(String, String)> = resource
                    .values()
                    .map(|value| {
                        let shown = match &value.value {
                            ResValue::Item(item) => format!("{item:?}"),
                            ResValue::Bag(bag) => {
                                bag.items().map(|item| format!("{:x} {:?}, ", item.key, item.value)).collect()
                            }
                        };
                        (value.config.qualifiers.clone(), shown)
                    })
                    .collect();
                values.sort();
                (resource.id(), format!("{}/{}", resource.type_name(), resource.name()), values)
            })
            .collect()
    }

    #[test]
    fn documents_are_as_in_binary_form() {
        for name in ["activity_about", "activity_event", "activity_main", "activity_patrol"] {
            let (document, issues) =
                xml(&sample("grid-patrol.aab", &format!("base/res/layout/{name}.xml"))).unwrap();
            assert_eq!(issues, []);
            let (ours, issues) = Xml::parse(&document.bytes).unwrap();
            assert_eq!(issues, []);
            let binary = sample("grid-patrol.apk", &format!("res/layout/{name}.xml"));
            let (binary, _) = Xml::parse(&binary).unwrap();
            assert_eq!(told(&ours), told(&binary), "{name}");
            assert!(ours.elements().len() > 1);
        }
    }

    #[test]
    fn a_table_may_have_no_packages() {
        // As aapt2 writes it: `source_pool` and `tool_fingerprint` alone.
        let empty = b"\x0a\x04\x0a\x02\0\0\x22\x0c\x0a\x04aapt\x12\x042.19";
        for bytes in [&empty[..], b""] {
            let (table, issues) = table(bytes).unwrap();
            let (table, more) = Table::parse(&table).unwrap();
            assert_eq!((table.resources().count(), issues.len(), more.len()), (0, 0, 0));
        }
        for bytes in [&empty[..10], b"\x08\x01", b"PK\x03\x04", b"<resources/>"] {
            assert!(matches!(super::table(bytes), Err(ArscError::NotTable)), "{bytes:?}");
        }
    }

    #[test]
    fn tables_are_as_in_binary_form() {
        let (bytes, issues) = table(&sample("grid-patrol.aab", "base/resources.pb")).unwrap();
        assert_eq!(issues, []);
        let (ours, issues) = Table::parse(&bytes).unwrap();
        assert_eq!(issues, []);
        let binary = sample("grid-patrol.apk", "resources.arsc");
        let (binary, _) = Table::parse(&binary).unwrap();
        let texts = |table| {
            let mut values = values(table);
            // Files are elsewhere in a bundle.
            values.retain(|(_, name, _)| !name.starts_with("layout/") && !name.starts_with("drawable/"));
            values
        };
        assert_eq!(texts(&ours), texts(&binary));
        assert!(texts(&ours).len() > 5);
    }

    /// What comes out is in binary form, whatever goes in.
    fn read(bytes: &[u8]) {
        if let Ok((document, _)) = xml(bytes) {
            let (xml, _) = Xml::parse(&document.bytes).unwrap();
            let xml = xml.made_from(&document.origins);
            assert!(told(&xml).len() <= bytes.len());
            assert!(xml.elements().all(|element| element.offset() <= bytes.len() as u64));
        }
        if let Ok((table, _)) = table(bytes)
            && !table.is_empty()
        {
            values(&Table::parse(&table).unwrap().0);
        }
    }

    #[test]
    fn cut_and_flipped_messages_are_read() {
        for entry in ["base/res/layout/activity_patrol.xml", "base/resources.pb"] {
            let bytes = sample("grid-patrol.aab", entry);
            (0..bytes.len()).for_each(|end| read(&bytes[..end]));
            flips(&bytes, 1_500, read);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            read(&bytes);
        }
    }
}
