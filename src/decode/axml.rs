//! Android's binary XML (`ResXMLTree` in `androidfw/ResourceTypes.h`): manifests, layouts, menus, preferences.
//!
//! Read as leniently as Android reads it, or more so: the type at the head is not looked at, unknown chunks are
//! passed over, attributes are found by the resource id rather than by the name. What is out of order is an [`Issue`].

use std::borrow::Cow;
use std::ops::Range;

pub use super::res_chunk::Value;

use super::res_chunk::{Chunk, ChunkError, Issues, RawValue, Walk, u16_at, u32_at};
use super::string_pool::StringPool;
use super::{Decoder, Issue};

/// What this file reads.
pub const DECODER: Decoder =
    Decoder { name: "axml", version: 1, reads: ("Android 二进制 XML", "Android binary XML"), limits: &[] };

/// URI of the namespace of framework attributes, `android:`.
pub const ANDROID_NS: &str = "http://schemas.android.com/apk/res/android";

/// Why nothing could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum XmlError {
    /// Plain text; an XML parser can read it.
    #[error("plain-text XML instead of binary XML")]
    PlainText,
    /// Not binary XML.
    #[error("not binary XML")]
    NotXml,
    /// Binary XML in which no element could be found.
    #[error("binary XML without any element")]
    NoElement,
}

/// A document: its elements in document order, in one flat list.
#[derive(Debug, Clone)]
pub struct Xml<'a> {
    bytes: &'a [u8],
    strings: StringPool<'a>,
    /// Resource ids of the attribute names, `u32` each, at the index of the name.
    resource_ids: &'a [u8],
    nodes: Vec<Node>,
    texts: Vec<TextNode>,
    /// Longest attribute value or text given out, in stored bytes.
    limit: usize,
    /// Where things stand in what the document was made from; see [`Xml::made_from`].
    origins: &'a [(u32, u32)],
}

#[derive(Debug, Clone)]
struct Node {
    /// Offset of the chunk.
    offset: usize,
    namespace: u32,
    name: u32,
    line: u32,
    /// [`NONE`] for the root.
    parent: u32,
    depth: u32,
    /// Offset of the first attribute.
    attributes: usize,
    attribute_count: u16,
    attribute_size: u16,
    texts: Range<u32>,
}

#[derive(Debug, Clone, Copy)]
struct TextNode {
    element: u32,
    string: u32,
    offset: usize,
}

/// A string index or a parent that is not there.
const NONE: u32 = u32::MAX;
/// Longest name of an element or attribute given out, in stored bytes.
const NAME_LIMIT: usize = 1024;

const START_NAMESPACE: u16 = 0x0100;
const END_NAMESPACE: u16 = 0x0101;
const START_ELEMENT: u16 = 0x0102;
const END_ELEMENT: u16 = 0x0103;
const TEXT: u16 = 0x0104;
const RESOURCE_MAP: u16 = 0x0180;
/// `sizeof(ResXMLTree_attribute)`.
const ATTRIBUTE_SIZE: u16 = 20;

impl<'a> Xml<'a> {
    /// Reads a document. Keeps what it has when the rest is broken; fails when there is no element.
    pub fn parse(bytes: &'a [u8]) -> Result<(Xml<'a>, Vec<Issue>), XmlError> {
        if is_plain_text(bytes) {
            return Err(XmlError::PlainText);
        }
        let mut issues = Issues::default();
        let head = match Chunk::at(bytes, 0, bytes.len()) {
            Ok(head) => head,
            Err(ChunkError::PastEnd { chunk, size }) => {
                issues.lossy("axml.truncated", 0, || format!("{size} bytes claimed, {} there", bytes.len()));
                chunk
            }
            Err(ChunkError::BadSize { kind, header_size, size }) if bytes.len() > 16 => {
                issues
                    .odd("axml.bad-chunk-size", 0, || format!("header {header_size}, document {size} bytes"));
                Chunk { kind, start: 0, body: 8, end: bytes.len() }
            }
            Err(_) => return Err(XmlError::NotXml),
        };
        if head.kind != Chunk::XML {
            // Android does not look at the type; only the chunk that follows tells that this may be XML.
            let first = u16_at(bytes, head.body);
            if !first.is_some_and(|kind| kind == Chunk::STRING_POOL || is_node(kind))
                || head.kind == Chunk::TABLE
            {
                return Err(XmlError::NotXml);
            }
            issues.odd("axml.wrong-type", 0, || {
                format!("type {:#06x} at the head instead of 0x0003", head.kind)
            });
        }
        if head.body != 8 {
            issues.odd("axml.header-size", 0, || format!("header of {} bytes instead of 8", head.body));
        }
        if head.end < bytes.len() {
            issues.odd("axml.trailing-data", head.end, || {
                format!("{} bytes behind it", bytes.len() - head.end)
            });
        }
        let mut reader = Reader {
            xml: Xml {
                bytes: &bytes[..head.end],
                strings: StringPool::default(),
                resource_ids: &[],
                nodes: Vec::new(),
                texts: Vec::new(),
                limit: usize::MAX,
                origins: &[],
            },
            open: Vec::new(),
            stored_text: 0,
            values: 0,
            pools: 0,
            issues,
        };
        reader.chunks(head.body);
        reader.finish()
    }

    /// Says where things stand in the file that this document was made from: pairs of an offset in the document and one
    /// in the file, ascending. Offsets given out are then those of the file.
    pub fn made_from(mut self, origins: &'a [(u32, u32)]) -> Self {
        self.origins = origins;
        self
    }

    fn offset(&self, at: usize) -> u64 {
        let behind = self.origins.partition_point(|&(made, _)| made as usize <= at);
        match behind.checked_sub(1).and_then(|nearest| self.origins.get(nearest)) {
            Some(&(_, origin)) => u64::from(origin),
            None => at as u64,
        }
    }

    /// All elements in document order: a parent is before its children.
    pub fn elements(&self) -> impl ExactSizeIterator<Item = Element<'_, 'a>> + DoubleEndedIterator {
        (0..self.nodes.len() as u32).zip(&self.nodes).map(|(index, node)| Element { xml: self, node, index })
    }

    /// The element with that [`Element::index`].
    pub fn element(&self, index: u32) -> Option<Element<'_, 'a>> {
        Some(Element { xml: self, node: self.nodes.get(index as usize)?, index })
    }

    /// The first element.
    pub fn root(&self) -> Option<Element<'_, 'a>> {
        self.element(0)
    }
}

/// One element.
#[derive(Debug, Clone, Copy)]
pub struct Element<'x, 'a> {
    xml: &'x Xml<'a>,
    node: &'x Node,
    index: u32,
}

impl<'x, 'a> Element<'x, 'a> {
    /// Its place in [`Xml::elements`].
    pub fn index(&self) -> u32 {
        self.index
    }

    /// Name without prefix: `TextView`, `com.example.PatrolView`; empty where the file has none.
    pub fn name(&self) -> Cow<'a, str> {
        self.xml.strings.get_capped(self.node.name, NAME_LIMIT).unwrap_or_default()
    }

    /// URI of its namespace.
    pub fn namespace(&self) -> Option<Cow<'a, str>> {
        self.xml.strings.get_capped(self.node.namespace, NAME_LIMIT)
    }

    /// The element around it, as [`Element::index`].
    pub fn parent(&self) -> Option<u32> {
        (self.node.parent != NONE).then_some(self.node.parent)
    }

    /// How many elements are around it.
    pub fn depth(&self) -> u32 {
        self.node.depth
    }

    /// Byte offset of its chunk.
    pub fn offset(&self) -> u64 {
        self.xml.offset(self.node.offset)
    }

    /// Line in the source file, as the build tool wrote it.
    pub fn line(&self) -> u32 {
        self.node.line
    }

    /// Its attributes in file order.
    pub fn attributes(&self) -> impl ExactSizeIterator<Item = Attribute<'x, 'a>> + use<'x, 'a> {
        let Element { xml, node, .. } = *self;
        (0..node.attribute_count).map(move |nth| Attribute {
            xml,
            offset: node.attributes + usize::from(nth) * usize::from(node.attribute_size),
        })
    }

    /// The framework attribute `android:<name>`: found by resource id, as Android does, else by name among those
    /// without a resource id.
    pub fn android(&self, name: &str) -> Option<Attribute<'x, 'a>> {
        let wanted = framework_id(name);
        if let Some(id) = wanted
            && let Some(found) = self.attributes().find(|attribute| attribute.resource() == Some(id))
        {
            return Some(found);
        }
        self.attributes().find(|attribute| {
            attribute.resource().is_none_or(|id| id >> 24 == 1 && wanted.is_none())
                && attribute.stored_name().is_some_and(|stored| stored == name)
                && attribute.namespace().is_none_or(|uri| uri == ANDROID_NS || !uri.starts_with("http"))
        })
    }

    /// The attribute of that name in any namespace: the framework's first (`android:title`), then any other
    /// (`app:title`, `package`).
    pub fn attribute(&self, name: &str) -> Option<Attribute<'x, 'a>> {
        self.android(name).or_else(|| self.attributes().find(|attribute| attribute.name() == name))
    }

    /// Text nodes directly in it, in document order.
    pub fn texts(&self) -> impl ExactSizeIterator<Item = Text<'a>> + use<'x, 'a> {
        let Element { xml, node, .. } = *self;
        let range = node.texts.start as usize..node.texts.end as usize;
        xml.texts.get(range).unwrap_or_default().iter().map(|text| Text {
            text: xml.strings.get_capped(text.string, xml.limit).unwrap_or_default(),
            offset: xml.offset(text.offset),
        })
    }
}

/// One text node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text<'a> {
    /// The text as stored.
    pub text: Cow<'a, str>,
    /// Byte offset of its chunk.
    pub offset: u64,
}

/// One attribute.
#[derive(Debug, Clone, Copy)]
pub struct Attribute<'x, 'a> {
    xml: &'x Xml<'a>,
    offset: usize,
}

impl<'x, 'a> Attribute<'x, 'a> {
    fn field(&self, offset: usize) -> Option<u32> {
        u32_at(self.xml.bytes, self.offset + offset)
    }

    fn stored_name(&self) -> Option<Cow<'a, str>> {
        self.xml.strings.get_capped(self.field(4)?, NAME_LIMIT)
    }

    /// Name without prefix. That of a known framework attribute comes from its resource id, since the stored name
    /// means nothing to Android and may be anything; empty where there is neither.
    pub fn name(&self) -> Cow<'a, str> {
        match self.resource().and_then(framework_name) {
            Some(name) => Cow::Borrowed(name),
            None => self.stored_name().unwrap_or_default(),
        }
    }

    /// URI of its namespace.
    pub fn namespace(&self) -> Option<Cow<'a, str>> {
        self.xml.strings.get_capped(self.field(0)?, NAME_LIMIT)
    }

    /// Resource id of the attribute: `0x0101014f` is `android:text`.
    pub fn resource(&self) -> Option<u32> {
        let name = self.field(4)? as usize;
        u32_at(self.xml.resource_ids, name.checked_mul(4)?).filter(|&id| id != 0)
    }

    /// Its value.
    pub fn value(&self) -> Value<'a> {
        match RawValue::at(self.xml.bytes, self.offset + 12) {
            Some(raw) => match Value::read(raw, &self.xml.strings, self.xml.limit) {
                // The text may be in the raw value only.
                Value::Other { data_type: RawValue::STRING, data } => match self.raw() {
                    Some(text) => Value::String(text),
                    None => Value::Other { data_type: RawValue::STRING, data },
                },
                value => value,
            },
            None => Value::Null,
        }
    }

    /// The value as it was written in the source, where the build tool kept it; always kept for strings.
    pub fn raw(&self) -> Option<Cow<'a, str>> {
        self.xml.strings.get_capped(self.field(8)?, self.xml.limit)
    }

    /// Byte offset of the attribute.
    pub fn offset(&self) -> u64 {
        self.xml.offset(self.offset)
    }
}

/// Name of a framework attribute that matters here, by its resource id.
pub fn framework_name(id: u32) -> Option<&'static str> {
    let at = FRAMEWORK_ATTRIBUTES.binary_search_by_key(&id, |&(id, _)| id).ok()?;
    Some(FRAMEWORK_ATTRIBUTES[at].1)
}

/// Resource id of a framework attribute that matters here, by its name without prefix.
pub fn framework_id(name: &str) -> Option<u32> {
    FRAMEWORK_ATTRIBUTES.iter().find(|(_, known)| *known == name).map(|&(id, _)| id)
}

/// Builds a document from its chunks.
struct Reader<'a> {
    xml: Xml<'a>,
    /// Elements that are not closed yet, the innermost last.
    open: Vec<u32>,
    /// Stored bytes of all attribute values and texts.
    stored_text: usize,
    /// How many attribute values and texts there are.
    values: usize,
    pools: usize,
    issues: Issues,
}

impl<'a> Reader<'a> {
    fn chunks(&mut self, at: usize) {
        let bytes = self.xml.bytes;
        let mut walk =
            Walk { at, end: bytes.len(), bad_size: "axml.bad-chunk-size", trailing: "axml.trailing-data" };
        while let Some(chunk) = walk.next(bytes, &mut self.issues) {
            self.chunk(chunk);
        }
    }

    fn chunk(&mut self, chunk: Chunk) {
        let bytes = self.xml.bytes;
        match chunk.kind {
            // Android takes the last pool and the last map before the first node, and passes over later ones.
            Chunk::STRING_POOL if self.before_nodes(chunk) => {
                self.pools += 1;
                if self.pools > 1 {
                    self.issues.odd("axml.several-pools", chunk.start, || "another string pool".into());
                }
                self.xml.strings = StringPool::parse(bytes, chunk, &mut self.issues);
            }
            RESOURCE_MAP if self.before_nodes(chunk) => {
                self.xml.resource_ids = bytes.get(chunk.body..chunk.end).unwrap_or_default();
                let (ids, names) = (self.xml.resource_ids.len() / 4, self.xml.strings.len());
                if ids > names && self.pools > 0 {
                    self.issues
                        .odd("axml.resource-map", chunk.start, || format!("{ids} ids for {names} strings"));
                }
            }
            Chunk::STRING_POOL | RESOURCE_MAP | START_NAMESPACE | END_NAMESPACE => {}
            START_ELEMENT => self.start_element(chunk),
            END_ELEMENT => {
                if self.open.pop().is_none() {
                    self.issues
                        .odd("axml.unbalanced", chunk.start, || "end of an element that is not open".into());
                }
            }
            TEXT => self.text(chunk),
            kind => {
                let size = chunk.end - chunk.start;
                self.issues
                    .odd("axml.unknown-chunk", chunk.start, || format!("chunk {kind:#06x} of {size} bytes"));
            }
        }
    }

    fn before_nodes(&mut self, chunk: Chunk) -> bool {
        let before = self.xml.nodes.is_empty();
        if !before {
            self.issues.odd("axml.late-chunk", chunk.start, || {
                format!("chunk {:#06x} among the elements has no effect", chunk.kind)
            });
        }
        before
    }

    /// Node header (chunk header, line, comment), then `ResXMLTree_attrExt`: namespace, name (u32), start, size and
    /// count of the attributes, three indices (u16).
    fn start_element(&mut self, chunk: Chunk) {
        let bytes = self.xml.bytes;
        let body = chunk.body;
        let word = |offset: usize| u32_at(bytes, body + offset).filter(|_| body + offset + 4 <= chunk.end);
        let half = |offset: usize| u16_at(bytes, body + offset).filter(|_| body + offset + 2 <= chunk.end);
        let (Some(namespace), Some(name), Some(start), Some(size), Some(count)) =
            (word(0), word(4), half(8), half(10), half(12))
        else {
            self.issues
                .lossy("axml.truncated-element", chunk.start, || "an element without its header".into());
            return;
        };
        let attributes = body + usize::from(start);
        // Attributes may overlap (Android only multiplies); with a size of zero they are all the same one.
        let mut attribute_count = if size == 0 { count.min(1) } else { count };
        if count > 0 && size != ATTRIBUTE_SIZE {
            self.issues.odd("axml.attribute-size", chunk.start, || format!("attributes of {size} bytes"));
        }
        let room = chunk.end.saturating_sub(attributes) / usize::from(size.max(1));
        if usize::from(attribute_count) > room {
            self.issues.lossy("axml.attribute-count", chunk.start, || {
                format!("{attribute_count} attributes, room for {room}")
            });
            attribute_count = room as u16;
        }
        if self.xml.strings.stored_len(name) == 0 {
            self.issues.odd("axml.no-name", chunk.start, || format!("name {name} is not in the string pool"));
        }
        if namespace != NONE && namespace as usize >= self.xml.strings.len() {
            self.issues.odd("axml.bad-namespace", chunk.start, || format!("namespace {namespace}"));
        }
        let Ok(index) = u32::try_from(self.xml.nodes.len()) else { return };
        let parent = self.open.last().copied();
        if parent.is_none() && index > 0 {
            self.issues.odd("axml.several-roots", chunk.start, || "an element behind the root".into());
        }
        self.xml.nodes.push(Node {
            offset: chunk.start,
            namespace,
            name,
            line: if body - chunk.start >= 12 { u32_at(bytes, chunk.start + 8).unwrap_or(0) } else { 0 },
            parent: parent.unwrap_or(NONE),
            depth: self.open.len() as u32,
            attributes,
            attribute_count,
            attribute_size: size,
            texts: 0..0,
        });
        self.open.push(index);
        for nth in 0..usize::from(attribute_count) {
            self.attribute(attributes + nth * usize::from(size));
        }
    }

    /// Looks at one attribute, without keeping it.
    fn attribute(&mut self, at: usize) {
        let word = |offset: usize| u32_at(self.xml.bytes, at + offset);
        let (Some(namespace), Some(name), Some(raw), Some(value)) =
            (word(0), word(4), word(8), RawValue::at(self.xml.bytes, at + 12))
        else {
            self.issues
                .lossy("axml.truncated-attribute", at, || "an attribute reaches behind the file".into());
            return;
        };
        let strings = &self.xml.strings;
        if strings.stored_len(name) == 0 {
            let id = u32_at(self.xml.resource_ids, (name as usize).saturating_mul(4));
            match id.filter(|&id| id != 0) {
                Some(id) => {
                    self.issues.odd("axml.no-name", at, || format!("attribute {id:#010x} without a name"))
                }
                None => {
                    self.issues.lossy("axml.no-name", at, || {
                        format!("attribute {name} without name and resource id")
                    });
                }
            }
        }
        if namespace != NONE && namespace as usize >= strings.len() {
            self.issues.odd("axml.bad-namespace", at, || format!("namespace {namespace}"));
        }
        let index = if value.data_type == RawValue::STRING { value.data } else { raw };
        let inside = |index: u32| (index as usize) < strings.len();
        if value.data_type == RawValue::STRING && !inside(value.data) && !inside(raw) {
            self.issues.lossy("axml.bad-string", at, || format!("string {index} is not in the pool"));
        } else if index != NONE {
            self.count_text(index);
        }
    }

    /// Node header, then `ResXMLTree_cdataExt`: string (u32), typed value.
    fn text(&mut self, chunk: Chunk) {
        let Some(string) = u32_at(self.xml.bytes, chunk.body).filter(|_| chunk.body + 4 <= chunk.end) else {
            self.issues.lossy("axml.truncated-text", chunk.start, || "a text without its string".into());
            return;
        };
        let Some(element) = self.open.last().copied().or((!self.xml.nodes.is_empty()).then_some(0)) else {
            self.issues.lossy("axml.stray-text", chunk.start, || "a text before the first element".into());
            return;
        };
        if string as usize >= self.xml.strings.len() {
            self.issues
                .lossy("axml.bad-string", chunk.start, || format!("string {string} is not in the pool"));
            return;
        }
        self.count_text(string);
        self.xml.texts.push(TextNode { element, string, offset: chunk.start });
    }

    fn count_text(&mut self, string: u32) {
        self.values += 1;
        self.stored_text = self.stored_text.saturating_add(self.xml.strings.stored_len(string));
    }

    fn finish(self) -> Result<(Xml<'a>, Vec<Issue>), XmlError> {
        let Reader { mut xml, open, stored_text, values, pools, mut issues } = self;
        if xml.nodes.is_empty() {
            return Err(XmlError::NoElement);
        }
        if pools == 0 {
            issues.lossy("axml.no-pool", 0, || "there is no string pool".into());
        }
        if let Some(&innermost) = open.last() {
            let (count, at) = (open.len(), xml.nodes[innermost as usize].offset);
            issues.odd("axml.unbalanced", at, || format!("{count} elements are never closed"));
        }
        // One long string may be the value of every attribute: cap what they come to together.
        let budget = xml.bytes.len().saturating_mul(16).max(1 << 20);
        if stored_text > budget {
            let limit = budget / values.max(1);
            xml.limit = limit;
            issues.lossy("axml.text-bomb", 0, || {
                format!("its values come to {stored_text} bytes; each is cut at {limit}")
            });
        }
        xml.texts.sort_by_key(|text| text.element);
        let mut at = 0;
        for run in xml.texts.chunk_by(|a, b| a.element == b.element) {
            let end = at + run.len() as u32;
            if let Some(node) = xml.nodes.get_mut(run[0].element as usize) {
                node.texts = at..end;
            }
            at = end;
        }
        Ok((xml, issues.finish()))
    }
}

fn is_node(kind: u16) -> bool {
    (START_NAMESPACE..=0x017f).contains(&kind)
}

/// Starts with `<`, behind an optional byte order mark and white space, in UTF-8 or UTF-16.
pub(super) fn is_plain_text(bytes: &[u8]) -> bool {
    let rest = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => rest,
        [0xFF, 0xFE, rest @ ..] | [0xFE, 0xFF, 0, rest @ ..] => rest,
        _ => bytes,
    };
    rest.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'<')
}

/// Public attributes of the framework (`android.R.attr`; the ids never change), in the order of their ids.
#[rustfmt::skip]
static FRAMEWORK_ATTRIBUTES: &[(u32, &str)] = &[
    (0x01010000, "theme"), (0x01010001, "label"), (0x01010002, "icon"), (0x01010003, "name"),
    (0x01010006, "permission"), (0x01010007, "readPermission"), (0x01010008, "writePermission"),
    (0x01010009, "protectionLevel"), (0x0101000b, "sharedUserId"), (0x0101000c, "hasCode"),
    (0x0101000e, "enabled"), (0x0101000f, "debuggable"), (0x01010010, "exported"), (0x01010011, "process"),
    (0x01010012, "taskAffinity"), (0x01010018, "authorities"), (0x0101001b, "grantUriPermissions"),
    (0x0101001c, "priority"), (0x0101001d, "launchMode"), (0x0101001e, "screenOrientation"),
    (0x0101001f, "configChanges"), (0x01010020, "description"), (0x01010021, "targetPackage"),
    (0x01010024, "value"), (0x01010025, "resource"), (0x01010026, "mimeType"), (0x01010027, "scheme"),
    (0x01010028, "host"), (0x01010029, "port"), (0x0101002a, "path"), (0x0101002b, "pathPrefix"),
    (0x0101002c, "pathPattern"), (0x0101002d, "action"), (0x0101002e, "data"), (0x01010095, "textSize"),
    (0x01010097, "textStyle"), (0x01010098, "textColor"), (0x010100a0, "state_checked"),
    (0x010100af, "gravity"), (0x010100b0, "autoLink"), (0x010100b2, "entries"), (0x010100c4, "orientation"),
    (0x010100c5, "keycode"), (0x010100d0, "id"), (0x010100d1, "tag"), (0x010100d4, "background"),
    (0x010100da, "focusable"), (0x010100dc, "visibility"), (0x010100e5, "clickable"),
    (0x010100e6, "longClickable"), (0x010100f2, "layout"), (0x010100f4, "layout_width"),
    (0x010100f5, "layout_height"), (0x01010106, "checked"), (0x01010119, "src"), (0x01010124, "textOn"),
    (0x01010125, "textOff"), (0x0101014f, "text"), (0x01010150, "hint"), (0x01010153, "maxLines"),
    (0x01010154, "lines"), (0x01010160, "maxLength"), (0x01010166, "digits"), (0x01010172, "completionHint"),
    (0x0101017b, "prompt"), (0x01010181, "layout_weight"), (0x01010199, "drawable"), (0x010101e1, "title"),
    (0x010101e2, "titleCondensed"), (0x010101e5, "checkable"), (0x010101e8, "key"), (0x010101e9, "summary"),
    (0x010101ea, "order"), (0x010101ec, "dependency"), (0x010101ed, "defaultValue"),
    (0x010101ef, "summaryOn"), (0x010101f0, "summaryOff"), (0x010101f2, "dialogTitle"),
    (0x010101f3, "dialogMessage"), (0x010101f5, "positiveButtonText"), (0x010101f6, "negativeButtonText"),
    (0x010101f7, "dialogLayout"), (0x010101f8, "entryValues"), (0x01010202, "targetActivity"),
    (0x0101020c, "minSdkVersion"), (0x0101021b, "versionCode"), (0x0101021c, "versionName"),
    (0x01010220, "inputType"), (0x01010225, "settingsActivity"), (0x0101024b, "keyLabel"),
    (0x01010251, "initialLayout"), (0x0101025d, "configure"), (0x01010265, "imeActionLabel"),
    (0x0101026f, "onClick"), (0x01010270, "targetSdkVersion"), (0x01010271, "maxSdkVersion"),
    (0x01010272, "testOnly"), (0x01010273, "contentDescription"), (0x0101027f, "backupAgent"),
    (0x01010280, "allowBackup"), (0x01010281, "glEsVersion"), (0x0101028e, "required"),
    (0x010102b7, "installLocation"), (0x010102be, "logo"), (0x010102d1, "subtitle"),
    (0x010102d3, "hardwareAccelerated"), (0x010102d9, "showAsAction"), (0x010102e3, "fragment"),
    (0x010102fb, "actionLayout"), (0x010102fc, "actionViewClass"), (0x01010358, "queryHint"),
    (0x0101036b, "switchTextOn"), (0x0101036c, "switchTextOff"), (0x01010380, "accessibilityEventTypes"),
    (0x01010385, "canRetrieveWindowContent"), (0x010103a7, "parentActivityName"),
    (0x010103a9, "isolatedProcess"), (0x010103aa, "importantForAccessibility"), (0x010103c6, "labelFor"),
    (0x010103ca, "format12Hour"), (0x010103cb, "format24Hour"), (0x010103f2, "banner"),
    (0x010103f4, "isGame"), (0x010104ea, "extractNativeLibs"), (0x010104ec, "usesCleartextTraffic"),
    (0x010104ee, "autoVerify"), (0x01010527, "networkSecurityConfig"), (0x01010528, "shortcutId"),
    (0x01010529, "shortcutShortLabel"), (0x0101052a, "shortcutLongLabel"),
    (0x0101052b, "shortcutDisabledMessage"), (0x0101052c, "roundIcon"), (0x01010534, "tooltipText"),
    (0x01010572, "compileSdkVersion"), (0x01010573, "compileSdkVersionCodename"),
    (0x0101057a, "appComponentFactory"), (0x0101057c, "accessibilityPaneTitle"),
    (0x01010580, "accessibilityHeading"), (0x01010591, "isSplitRequired"),
    (0x01010599, "foregroundServiceType"), (0x01010603, "requestLegacyExternalStorage"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::res_chunk::tests::{chunk, flips, noise};

    const LAYOUT: &[u8] = include_bytes!("../../fixtures/decode/layout-main.axml");
    const LAYOUT_UTF16: &[u8] = include_bytes!("../../fixtures/decode/layout-main.utf16.axml");
    const PART: &[u8] = include_bytes!("../../fixtures/decode/layout-part.axml");
    const MENU: &[u8] = include_bytes!("../../fixtures/decode/menu-main.axml");
    const SETTINGS: &[u8] = include_bytes!("../../fixtures/decode/xml-settings.axml");
    const NOTICE: &[u8] = include_bytes!("../../fixtures/decode/xml-notice.axml");
    const MANIFEST: &[u8] = include_bytes!("../../fixtures/decode/AndroidManifest.axml");

    fn xml(bytes: &[u8]) -> Xml<'_> {
        let (xml, issues) = Xml::parse(bytes).unwrap();
        assert_eq!(issues, []);
        xml
    }

    fn text(element: &Element<'_, '_>, name: &str) -> String {
        element.android(name).unwrap().value().as_str().unwrap().to_owned()
    }

    #[test]
    fn reads_a_layout() {
        for bytes in [LAYOUT, LAYOUT_UTF16] {
            let xml = xml(bytes);
            let elements: Vec<_> = xml.elements().collect();
            let names: Vec<_> =
                elements.iter().map(|e| (e.name().into_owned(), e.depth(), e.parent())).collect();
            let child = |name: &str| (name.to_owned(), 1, Some(0));
            let expected = [
                ("LinearLayout".into(), 0, None),
                child("Button"),
                child("EditText"),
                child("include"),
                child("fragment"),
            ];
            assert_eq!(names, expected);
            let button = elements[1];
            assert_eq!(text(&button, "onClick"), "onPunch");
            assert_eq!(button.android("enabled").unwrap().value().as_bool(), Some(false));
            assert!(button.android("text").unwrap().value().as_reference().unwrap() > 0x7F00_0000);
            assert_eq!(button.attribute("mode").unwrap().value(), Value::Hex(1));
            assert!(button.android("mode").is_none());
            assert_eq!(text(&elements[2], "hint"), "请输入工作日志");
            assert!(matches!(
                elements[2].android("textColor").unwrap().value(),
                Value::Attribute(0x0101_0036)
            ));
            assert!(elements[3].attribute("layout").unwrap().value().as_reference().is_some());
            assert_eq!(text(&elements[4], "name"), "cn.example.patrol.RankFragment");
            assert_eq!(elements[0].android("orientation").unwrap().value().as_int(), Some(1));
        }
    }

    #[test]
    fn reads_the_other_kinds() {
        assert_eq!(text(&xml(PART).root().unwrap(), "text"), "📍 外勤打卡");
        assert!(xml(MENU).element(1).unwrap().android("title").unwrap().value().as_reference().is_some());
        let settings = xml(SETTINGS);
        let rank = settings.element(1).unwrap();
        assert_eq!((text(&rank, "key"), text(&rank, "title")), ("rank".into(), "排名方式".into()));
        assert!(rank.android("entries").is_some() && rank.android("summary").is_some());
        let manifest = xml(MANIFEST);
        let root = manifest.root().unwrap();
        assert_eq!(root.attribute("package").unwrap().value().as_str(), Some("cn.example.patrol"));
        assert_eq!(root.android("versionCode").unwrap().value().as_int(), Some(7));
        let activity = manifest.elements().find(|element| element.name() == "activity").unwrap();
        assert_eq!(text(&activity, "name"), ".PatrolActivity");
        assert_eq!(activity.line(), 6);
    }

    #[test]
    fn reads_text_nodes() {
        let notice = xml(NOTICE);
        let of = |index| {
            notice.element(index).unwrap().texts().map(|text| text.text.into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(
            (of(0), of(1), of(2)),
            (vec!["每日".into(), "签到".into()], vec!["通知".into()], vec!["必须".into()])
        );
    }

    fn codes(bytes: &[u8]) -> Vec<&'static str> {
        Xml::parse(bytes).unwrap().1.iter().map(|issue| issue.code).collect()
    }

    #[test]
    fn reads_what_android_reads() {
        // The type at the head is not looked at.
        let mut wrong_type = LAYOUT.to_vec();
        wrong_type[0] = 0x78;
        assert_eq!(codes(&wrong_type), ["axml.wrong-type"]);
        // Bytes behind the document.
        assert_eq!(codes(&[LAYOUT, b"extra bytes"].concat()), ["axml.trailing-data"]);
        // A chunk of an unknown type in front.
        let unknown = chunk(0x7777, &[], &[1; 8]);
        assert_eq!(
            codes(&chunk(Chunk::XML, &[], &[&unknown, &LAYOUT[8..]].concat())),
            ["axml.unknown-chunk"]
        );
        // A style count that lies.
        let mut styles = LAYOUT.to_vec();
        styles[8 + 12] = 9;
        assert_eq!(codes(&styles), ["string-pool.styles"]);
        for bytes in [&wrong_type, &styles] {
            let (xml, _) = Xml::parse(bytes).unwrap();
            assert_eq!(text(&xml.element(2).unwrap(), "hint"), "请输入工作日志");
        }
    }

    #[test]
    fn finds_attributes_without_names() {
        // Without a string pool no attribute has a name, but the resource map still tells which they are.
        let pool = u32_at(LAYOUT, 12).unwrap() as usize;
        let bytes = chunk(Chunk::XML, &[], &LAYOUT[8 + pool..]);
        let (xml, issues) = Xml::parse(&bytes).unwrap();
        assert!(issues.iter().any(|issue| issue.code == "axml.no-pool" && issue.lossy));
        let button = xml.element(1).unwrap();
        assert_eq!(button.name(), "");
        assert_eq!(button.attribute("text").unwrap().name(), "text");
        assert!(button.android("text").unwrap().value().as_reference().is_some());
    }

    fn start(name: u32, attributes: &[[u32; 5]]) -> Vec<u8> {
        let mut body: Vec<u8> = [NONE, name].iter().flat_map(|word| word.to_le_bytes()).collect();
        for half in [20, 20, attributes.len() as u16, 0, 0, 0] {
            body.extend(half.to_le_bytes());
        }
        body.extend(attributes.iter().flatten().flat_map(|word| word.to_le_bytes()));
        chunk(START_ELEMENT, &[0; 8], &body)
    }

    #[test]
    fn reads_deep_documents() {
        let open = start(0, &[]);
        let bytes = chunk(Chunk::XML, &[], &open.repeat(100_000));
        let (xml, issues) = Xml::parse(&bytes).unwrap();
        let last = xml.elements().next_back().unwrap();
        assert_eq!((last.depth(), last.parent()), (99_999, Some(99_998)));
        assert!(issues.iter().any(|issue| issue.code == "axml.unbalanced"));
        assert!(issues.len() < 30);
    }

    #[test]
    fn caps_what_one_long_string_gives() {
        let mut pool: Vec<u8> = [1_u32, 0, 0, 32, 0].iter().flat_map(|word| word.to_le_bytes()).collect();
        let header = pool.split_off(0);
        pool.extend(0_u32.to_le_bytes());
        pool.extend([0x01, 0x80, 0, 0]);
        pool.extend([0x41, 0].repeat(0x1_0000).into_iter().chain([0, 0, 0, 0]));
        let open = start(0, &[[NONE, 0, 0, 0x0300_0008, 0]; 100]);
        let bytes =
            chunk(Chunk::XML, &[], &[chunk(Chunk::STRING_POOL, &header, &pool), open.repeat(100)].concat());
        let (xml, issues) = Xml::parse(&bytes).unwrap();
        assert!(issues.iter().any(|issue| issue.code == "axml.text-bomb" && issue.lossy));
        let given: usize =
            xml.elements().flat_map(|e| e.attributes().map(|a| a.value().as_str().map_or(0, str::len))).sum();
        assert!(given <= bytes.len() * 16);
    }

    #[test]
    fn tells_other_files_apart() {
        for plain in [&b"<a/>"[..], b"\xEF\xBB\xBF<a/>", b"\xFF\xFE<\0a\0", b" \n<a/>"] {
            assert_eq!(Xml::parse(plain).unwrap_err(), XmlError::PlainText);
        }
        for other in [&b""[..], b"PK\x03\x04", &[0; 4096], include_bytes!("../../fixtures/decode/utf8.arsc")]
        {
            assert_eq!(Xml::parse(other).unwrap_err(), XmlError::NotXml);
        }
        assert_eq!(Xml::parse(&chunk(Chunk::XML, &[], &[])).unwrap_err(), XmlError::NoElement);
    }

    #[test]
    fn framework_attributes_are_sorted() {
        assert!(FRAMEWORK_ATTRIBUTES.is_sorted_by(|a, b| a.0 < b.0));
        assert_eq!((framework_id("text"), framework_name(0x0101_0003)), (Some(0x0101_014F), Some("name")));
    }

    #[test]
    fn survives_hostile_input() {
        let read = |bytes: &[u8]| {
            let Ok((xml, _)) = Xml::parse(bytes) else { return };
            for element in xml.elements() {
                element.name();
                element.texts().for_each(drop);
                assert!(element.parent().is_none_or(|parent| parent < element.index()));
                element.attributes().for_each(|a| drop((a.name(), a.namespace(), a.value(), a.raw())));
                element.attribute("text");
            }
        };
        for bytes in [LAYOUT, LAYOUT_UTF16, NOTICE, MANIFEST] {
            (0..bytes.len()).for_each(|end| read(&bytes[..end]));
            flips(bytes, 1500, read);
        }
        noise(Chunk::XML, 1500, read);
    }
}
