//! Running text of web pages in one pass without a tree: blocks as a reader sees them (a paragraph is one text
//! however many elements it is made of), the elements around them, and what leads elsewhere.
//!
//! Tokens follow the WHATWG HTML standard (13.2.5) in what pages need of it: attributes with and without quotes,
//! raw text of scripts and styles, comments, character references; and its tree construction (13.2.6) in that
//! an end tag closes what is open within it and is ignored where nothing of its name is open. Hidden elements are
//! read like others: articles stand in a body that is hidden until a script has run.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::{Decoder, Issue, Limit, Unit};

/// What this file reads.
pub const DECODER: Decoder = Decoder {
    name: "outline",
    version: 1,
    reads: ("网页正文的段落、链接与嵌入内容", "paragraphs, links and embedded content of web pages"),
    limits: &[
        Limit { what: ("段落", "paragraphs"), amount: MAX_BLOCKS as u64, unit: Unit::Count },
        Limit {
            what: ("链接与嵌入内容", "links and embedded content"),
            amount: MAX_MARKS as u64,
            unit: Unit::Count,
        },
    ],
};

/// More blocks of text than any article has.
const MAX_BLOCKS: usize = 50_000;
/// More links and embedded things than any article has.
const MAX_MARKS: usize = 50_000;
/// Elements that are told apart; those beyond are taken for the element around them.
const MAX_ELEMENTS: usize = 1 << 17;
/// Open elements that are told apart; those deeper are taken for the deepest.
const MAX_DEPTH: usize = 2_048;
/// Bytes kept of the words on a link.
const MAX_LINK_TEXT: usize = 512;

/// A start tag.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tag<'a> {
    /// Name as written.
    pub name: &'a str,
    /// What stands between the name and the closing angle bracket.
    attributes: &'a str,
}

impl<'a> Tag<'a> {
    /// Whether this is the name, in small or capital letters.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Attributes as written, character references not yet resolved; those without a value have an empty one.
    pub fn attributes(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let mut rest = self.attributes;
        std::iter::from_fn(move || {
            rest = rest.trim_start_matches(|ch: char| ch.is_ascii_whitespace() || ch == '/' || ch == '=');
            if rest.is_empty() {
                return None;
            }
            let end = rest.find(|ch: char| ch.is_ascii_whitespace() || matches!(ch, '=' | '/'));
            let (name, behind) = rest.split_at(end.unwrap_or(rest.len()));
            rest = behind;
            let Some(value) = behind.trim_ascii_start().strip_prefix('=').map(str::trim_ascii_start) else {
                return Some((name, ""));
            };
            let (value, behind) = match value.as_bytes().first() {
                Some(quote @ (b'"' | b'\'')) => {
                    let inner = &value[1..];
                    match memchr::memchr(*quote, inner.as_bytes()) {
                        Some(end) => (&inner[..end], &inner[end + 1..]),
                        None => (inner, ""),
                    }
                }
                _ => value.split_at(value.find(|ch: char| ch.is_ascii_whitespace()).unwrap_or(value.len())),
            };
            rest = behind;
            Some((name, value))
        })
    }

    /// The value of an attribute, character references resolved.
    pub fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        self.attributes()
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| characters(value))
    }

    /// Whether the attribute `class` has a class of this name.
    pub fn has_class(&self, class: &str) -> bool {
        self.attribute("class").is_some_and(|list| list.split_ascii_whitespace().any(|found| found == class))
    }
}

/// A token with the byte offset where it begins.
#[derive(Debug, Clone, Copy)]
pub enum Token<'a> {
    /// Text as written.
    Text(&'a str),
    /// A start tag; `closed` when it ends in `/>`.
    Open {
        /// The tag.
        tag: Tag<'a>,
        /// It ends in `/>`.
        closed: bool,
    },
    /// The raw text of a script, style, title, text area or frame; its end tag follows.
    Raw(&'a str),
    /// An end tag, by its name as written.
    Close(&'a str),
    /// A comment.
    Comment(&'a str),
}

/// Splits a document into tokens.
#[derive(Debug, Clone)]
pub struct Tokens<'a> {
    source: &'a str,
    at: usize,
    /// The element whose raw text follows.
    raw: Option<&'a str>,
}

impl<'a> Tokens<'a> {
    /// Tokens from a byte offset on, which has to be that of a character outside of tags.
    pub fn from(source: &'a str, at: usize) -> Self {
        Tokens { source, at: if source.is_char_boundary(at) { at } else { source.len() }, raw: None }
    }

    /// Byte offset of the next token.
    pub fn offset(&self) -> usize {
        self.at
    }

    fn slice(&self, range: Range<usize>) -> &'a str {
        self.source.get(range).unwrap_or_default()
    }

    fn raw_end(&self, name: &str) -> usize {
        let bytes = self.source.as_bytes();
        let mut from = self.at;
        while let Some(found) = memchr::memmem::find(&bytes[from..], b"</") {
            let at = from + found;
            let behind = &bytes[at + 2..];
            if behind.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
                && !behind.get(name.len()).is_some_and(u8::is_ascii_alphanumeric)
            {
                return at;
            }
            from = at + 2;
        }
        bytes.len()
    }

    fn tag(&mut self, start: usize) -> Token<'a> {
        let bytes = self.source.as_bytes();
        let mut at = start + 1;
        while bytes.get(at).is_some_and(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'/' | b'>')) {
            at += 1;
        }
        let name = self.slice(start + 1..at);
        let from = at;
        // Quotes count only behind an equals sign.
        let mut value = false;
        loop {
            match bytes.get(at) {
                None | Some(b'>') => break,
                Some(quote @ (b'"' | b'\'')) if value => {
                    at = memchr::memchr(*quote, &bytes[at + 1..]).map_or(bytes.len(), |end| at + end + 2);
                    value = false;
                    continue;
                }
                Some(b'=') => value = true,
                Some(byte) if byte.is_ascii_whitespace() => {}
                Some(_) => value = false,
            }
            at += 1;
        }
        let attributes = self.slice(from..at);
        self.at = (at + 1).min(bytes.len());
        let closed = attributes.ends_with('/');
        let tag = Tag { name, attributes };
        const RAW: [&str; 8] =
            ["script", "style", "title", "textarea", "iframe", "xmp", "noembed", "noframes"];
        if RAW.iter().any(|raw| tag.is(raw)) {
            self.raw = Some(name);
        }
        Token::Open { tag, closed }
    }

    fn markup(&mut self, start: usize) -> Token<'a> {
        let bytes = self.source.as_bytes();
        let (from, end, behind) = if bytes[start..].starts_with(b"<!--") {
            match memchr::memmem::find(&bytes[start + 4..], b"-->") {
                Some(end) => (start + 4, start + 4 + end, 3),
                None => (start + 4, bytes.len(), 0),
            }
        } else {
            match memchr::memchr(b'>', &bytes[start..]) {
                Some(end) => (start + 2, (start + end).max(start + 2), 1),
                None => (start + 2, bytes.len(), 0),
            }
        };
        self.at = (end + behind).min(bytes.len());
        Token::Comment(self.slice(from..end))
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let bytes = self.source.as_bytes();
        if let Some(name) = self.raw.take() {
            let start = self.at;
            self.at = self.raw_end(name);
            return Some(Token::Raw(self.slice(start..self.at)));
        }
        let start = self.at;
        if start >= bytes.len() {
            return None;
        }
        let mut from = start;
        // A text ends where a tag begins: `<` before a letter, `/`, `!` or `?`.
        let end = loop {
            let Some(found) = memchr::memchr(b'<', &bytes[from..]) else { break bytes.len() };
            let at = from + found;
            match bytes.get(at + 1) {
                Some(b'/' | b'!' | b'?') => break at,
                Some(byte) if byte.is_ascii_alphabetic() => break at,
                _ => from = at + 1,
            }
        };
        if end > start {
            self.at = end;
            return Some(Token::Text(self.slice(start..end)));
        }
        match bytes.get(start + 1) {
            Some(b'/') => {
                let end = memchr::memchr(b'>', &bytes[start..]).map_or(bytes.len(), |end| start + end);
                self.at = (end + 1).min(bytes.len());
                let name = self.slice(start + 2..end).trim_ascii();
                let length =
                    name.find(|ch: char| ch.is_ascii_whitespace() || ch == '/').unwrap_or(name.len());
                Some(Token::Close(&name[..length]))
            }
            Some(b'!' | b'?') => Some(self.markup(start)),
            _ => Some(self.tag(start)),
        }
    }
}

/// An element.
#[derive(Debug, Clone)]
pub struct Element<'a> {
    /// Its start tag.
    pub tag: Tag<'a>,
    /// Index of the element around it; the first element is its own.
    pub parent: usize,
    /// The blocks in it.
    pub blocks: Range<usize>,
}

/// A text as a reader sees it: a paragraph, a line, a cell, a heading.
#[derive(Debug, Clone)]
pub struct Block {
    /// The text, references resolved, white space as shown.
    pub text: String,
    /// Byte offset where it begins.
    pub offset: usize,
    /// Index of the element that it is directly in, as far as that is no mere formatting.
    pub element: usize,
    /// It is a heading.
    pub heading: bool,
    /// It is on a button.
    pub button: bool,
    /// Bytes of it that are on links.
    pub linked: usize,
}

/// An element that was asked for.
#[derive(Debug, Clone)]
pub struct Mark<'a> {
    /// Its start tag.
    pub tag: Tag<'a>,
    /// Byte offset where that begins.
    pub offset: usize,
    /// Index of the block that it is in, or that follows it.
    pub block: usize,
    /// Words in it.
    pub text: String,
    /// Index of the element around it.
    pub element: usize,
}

/// What was read of a document or of an element of it.
#[derive(Debug, Default)]
pub struct Outline<'a> {
    /// Elements in the order of their beginnings, the one that was read first.
    pub elements: Vec<Element<'a>>,
    /// Texts in document order.
    pub blocks: Vec<Block>,
    /// Elements that were asked for, in document order.
    pub marks: Vec<Mark<'a>>,
    /// Comments with the number of blocks before each.
    pub comments: Vec<(usize, &'a str)>,
    /// What is wrong.
    pub issues: Vec<Issue>,
}

/// How a document is read.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    /// Whether an element is wanted among the marks.
    pub mark: fn(&Tag<'_>) -> bool,
    /// A line feed ends a block, as in plain text.
    pub lines: bool,
}

impl<'a> Outline<'a> {
    /// Reads a whole document.
    pub fn read(source: &'a str, ask: Ask) -> Self {
        Reader::new(source, 0, ask, false).run()
    }

    /// Reads the element whose start tag is at an offset.
    pub fn element(source: &'a str, at: usize, ask: Ask) -> Self {
        Reader::new(source, at, ask, true).run()
    }
}

struct Open {
    name: u64,
    element: usize,
    /// It begins and ends blocks.
    block: bool,
    /// Index in the marks.
    mark: Option<usize>,
    link: bool,
    heading: bool,
    button: bool,
}

struct Reader<'a> {
    tokens: Tokens<'a>,
    ask: Ask,
    single: bool,
    out: Outline<'a>,
    stack: Vec<Open>,
    /// Elements opened beyond the depth that is told apart.
    deeper: usize,
    /// How many elements of a name are open.
    counts: HashMap<u64, u32, foldhash::fast::FixedState>,
    links: usize,
    headings: usize,
    buttons: usize,
    text: String,
    offset: usize,
    linked: usize,
    space: bool,
    dropped: usize,
    marks_dropped: usize,
    open_marks: Vec<usize>,
}

impl<'a> Reader<'a> {
    fn new(source: &'a str, at: usize, ask: Ask, single: bool) -> Self {
        let mut out = Outline::default();
        if !single {
            out.elements.push(Element { tag: Tag::default(), parent: 0, blocks: 0..0 });
        }
        Reader {
            tokens: Tokens::from(source, at),
            ask,
            single,
            out,
            stack: Vec::new(),
            deeper: 0,
            counts: HashMap::default(),
            links: 0,
            headings: 0,
            buttons: 0,
            text: String::new(),
            offset: 0,
            linked: 0,
            space: false,
            dropped: 0,
            marks_dropped: 0,
            open_marks: Vec::new(),
        }
    }

    fn run(mut self) -> Outline<'a> {
        loop {
            let offset = self.tokens.offset();
            let Some(token) = self.tokens.next() else { break };
            match token {
                Token::Text(text) => self.words(text, offset),
                Token::Open { tag, closed } => self.open(tag, closed, offset),
                Token::Close(name) => {
                    self.close(name);
                    if self.single && self.stack.is_empty() {
                        break;
                    }
                }
                Token::Comment(text) => self.out.comments.push((self.out.blocks.len(), text)),
                Token::Raw(_) => {}
            }
        }
        self.end_block();
        let all = self.out.blocks.len();
        for open in std::mem::take(&mut self.stack) {
            self.end_element(open.element);
        }
        if let Some(root) = self.out.elements.first_mut() {
            root.blocks.end = all;
        }
        if self.dropped > 0 {
            let detail = format!("{} texts beyond {MAX_BLOCKS}", self.dropped);
            self.out.issues.push(Issue::lossy("outline.too-many-texts", None, detail));
        }
        if self.marks_dropped > 0 {
            let detail = format!("{} beyond {MAX_MARKS}", self.marks_dropped);
            self.out.issues.push(Issue::lossy("outline.too-many-links", None, detail));
        }
        self.out
    }

    fn words(&mut self, raw: &str, offset: usize) {
        let text = characters(raw);
        for ch in text.chars() {
            if ch == '\n' && self.ask.lines {
                self.end_block();
            } else if ch.is_whitespace() {
                self.space = !self.text.is_empty();
            } else {
                if self.text.is_empty() {
                    // References and white space before it are short: the offset is that of the piece.
                    self.offset = offset + (raw.len() - raw.trim_start().len());
                }
                let before = self.text.len();
                if std::mem::take(&mut self.space) {
                    self.text.push(' ');
                }
                self.text.push(ch);
                if self.links > 0 {
                    self.linked += self.text.len() - before;
                }
            }
        }
        // Links do not nest; whoever nests thousands gets the words on the innermost.
        for &mark in self.open_marks.iter().rev().take(8) {
            if let Some(mark) = self.out.marks.get_mut(mark)
                && mark.text.len() < MAX_LINK_TEXT
            {
                mark.text.extend(text.chars().take(MAX_LINK_TEXT - mark.text.len()));
            }
        }
    }

    fn end_block(&mut self) {
        self.space = false;
        let text = std::mem::take(&mut self.text);
        let linked = std::mem::take(&mut self.linked);
        if text.is_empty() {
            return;
        }
        if self.out.blocks.len() >= MAX_BLOCKS {
            self.dropped += 1;
            return;
        }
        let inside = |open: &&Open| open.block;
        let element =
            self.stack.iter().rev().find(inside).or(self.stack.first()).map_or(0, |open| open.element);
        self.out.blocks.push(Block {
            text,
            offset: self.offset,
            element,
            heading: self.headings > 0,
            button: self.buttons > 0,
            linked,
        });
    }

    fn open(&mut self, tag: Tag<'a>, closed: bool, offset: usize) {
        let kind = kind(tag.name);
        // A paragraph ends where a block begins; an item ends where the next begins.
        let name = hash(tag.name);
        if let Some(top) = self.stack.last()
            && self.deeper == 0
            && (top.name == name && matches!(kind, Kind::Paragraph | Kind::Item)
                || top.name == hash("p") && matches!(kind, Kind::Paragraph | Kind::Block | Kind::Heading))
            && !(self.single && self.stack.len() == 1)
        {
            self.end_block();
            self.pop();
        }
        let block = !matches!(kind, Kind::Inline | Kind::Void);
        if block || tag.is("br") || tag.is("hr") {
            self.end_block();
        }
        let parent = self.stack.last().map_or(0, |open| open.element);
        let mark = (self.ask.mark)(&tag).then(|| {
            if self.out.marks.len() >= MAX_MARKS {
                self.marks_dropped += 1;
                return None;
            }
            let block = self.out.blocks.len();
            self.out.marks.push(Mark { tag, offset, block, text: String::new(), element: parent });
            Some(self.out.marks.len() - 1)
        });
        let closed = closed && matches!(kind, Kind::Inline | Kind::Custom) && !tag.is("a") && !tag.is("span");
        if matches!(kind, Kind::Void) || closed {
            return;
        }
        if self.stack.len() >= MAX_DEPTH {
            self.deeper += 1;
            return;
        }
        let element = if block && self.out.elements.len() < MAX_ELEMENTS || self.out.elements.is_empty() {
            let from = self.out.blocks.len();
            self.out.elements.push(Element { tag, parent, blocks: from..from });
            self.out.elements.len() - 1
        } else {
            parent
        };
        *self.counts.entry(name).or_default() += 1;
        let mark = mark.flatten();
        self.open_marks.extend(mark);
        let (link, heading, button) = (tag.is("a"), kind == Kind::Heading, tag.is("button"));
        self.links += usize::from(link);
        self.headings += usize::from(heading);
        self.buttons += usize::from(button);
        self.stack.push(Open { name, element, block, mark, link, heading, button });
    }

    fn close(&mut self, name: &str) {
        if self.deeper > 0 {
            if kind(name) != Kind::Void {
                self.deeper -= 1;
            }
            return;
        }
        let name = hash(name);
        if self.counts.get(&name).is_none_or(|count| *count == 0) {
            return;
        }
        while let Some((block, found)) = self.stack.last().map(|top| (top.block, top.name == name)) {
            if block {
                self.end_block();
            }
            self.pop();
            if found {
                break;
            }
        }
    }

    fn pop(&mut self) {
        let Some(open) = self.stack.pop() else { return };
        if let Some(count) = self.counts.get_mut(&open.name) {
            *count -= 1;
        }
        if open.mark.is_some() {
            self.open_marks.pop();
        }
        self.links -= usize::from(open.link);
        self.headings -= usize::from(open.heading);
        self.buttons -= usize::from(open.button);
        if open.block {
            self.end_element(open.element);
        }
    }

    fn end_element(&mut self, element: usize) {
        let end = self.out.blocks.len();
        if let Some(element) = self.out.elements.get_mut(element) {
            element.blocks.end = end;
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Inline,
    Block,
    Paragraph,
    Item,
    Heading,
    Void,
    /// An element that HTML does not know; those of articles are cards.
    Custom,
}

fn kind(name: &str) -> Kind {
    let mut small = [0; 10];
    let Some(place) = small.get_mut(..name.len()) else {
        return if name.contains('-') { Kind::Custom } else { Kind::Inline };
    };
    place.copy_from_slice(name.as_bytes());
    place.make_ascii_lowercase();
    match &*place {
        b"p" => Kind::Paragraph,
        b"li" | b"td" | b"th" | b"tr" | b"dt" | b"dd" | b"option" => Kind::Item,
        b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" => Kind::Heading,
        b"br" | b"img" | b"input" | b"meta" | b"link" | b"hr" | b"area" | b"base" | b"col" | b"embed"
        | b"source" | b"track" | b"wbr" | b"param" => Kind::Void,
        b"html" | b"head" | b"body" | b"div" | b"section" | b"article" | b"main" | b"header" | b"footer"
        | b"nav" | b"aside" | b"ul" | b"ol" | b"dl" | b"table" | b"thead" | b"tbody" | b"tfoot"
        | b"blockquote" | b"pre" | b"figure" | b"figcaption" | b"form" | b"fieldset" | b"center"
        | b"button" | b"select" | b"iframe" | b"address" | b"caption" | b"title" | b"script" | b"style"
        | b"textarea" | b"mpvoice" | b"mpvote" | b"qqmusic" | b"mpgongyi" | b"mpshop" | b"mpcps"
        | b"mpcpc" => Kind::Block,
        place if place.contains(&b'-') => Kind::Custom,
        _ => Kind::Inline,
    }
}

/// FNV-1a over the small letters of a name.
fn hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Resolves character references. A name that is not known stays as it is.
pub fn characters(text: &str) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(b'&', text.as_bytes()) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len());
    out.push_str(&text[..first]);
    let mut rest = &text[first..];
    loop {
        match reference(rest, &mut out) {
            Some(length) => rest = &rest[length..],
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
        match memchr::memchr(b'&', rest.as_bytes()) {
            Some(next) => {
                out.push_str(&rest[..next]);
                rest = &rest[next..];
            }
            None => break,
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Appends what the reference stands for that a text begins with, and returns its length.
fn reference(text: &str, out: &mut String) -> Option<usize> {
    let bytes = text.as_bytes();
    if bytes.get(1) == Some(&b'#') {
        let hex = matches!(bytes.get(2), Some(b'x' | b'X'));
        let from = if hex { 3 } else { 2 };
        let digits = &bytes[from..];
        let length = digits
            .iter()
            .take_while(|byte| if hex { byte.is_ascii_hexdigit() } else { byte.is_ascii_digit() })
            .count();
        if length == 0 {
            return None;
        }
        let number = u32::from_str_radix(text.get(from..from + length)?, if hex { 16 } else { 10 });
        // Windows-1252 is what numbers 128 to 159 mean in pages.
        let number = number.ok().map(|number| match number {
            0x91 => 0x2018,
            0x92 => 0x2019,
            0x93 => 0x201C,
            0x94 => 0x201D,
            0x96 => 0x2013,
            0x97 => 0x2014,
            0x85 => 0x2026,
            other => other,
        });
        let ch = number.filter(|number| *number != 0).and_then(char::from_u32).unwrap_or('\u{FFFD}');
        let end = from + length;
        out.push(ch);
        return Some(end + usize::from(bytes.get(end) == Some(&b';')));
    }
    let length = bytes[1..].iter().take(10).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let name = text.get(1..1 + length)?;
    let end = 1 + length;
    let closed = bytes.get(end) == Some(&b';');
    let found = NAMES.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
    // Without a semicolon only the oldest names count: `&times` and `&copy` stand in addresses too.
    if !closed && !matches!(name, "amp" | "lt" | "gt" | "quot" | "nbsp") {
        return None;
    }
    out.push_str(NAMES[found].1);
    Some(end + usize::from(closed))
}

/// Names of characters that stand in Chinese pages, in order.
const NAMES: &[(&str, &str)] = &[
    ("Delta", "Δ"),
    ("Omega", "Ω"),
    ("Prime", "″"),
    ("acute", "´"),
    ("alpha", "α"),
    ("amp", "&"),
    ("apos", "'"),
    ("asymp", "≈"),
    ("bdquo", "„"),
    ("beta", "β"),
    ("brvbar", "¦"),
    ("bull", "•"),
    ("cap", "∩"),
    ("cedil", "¸"),
    ("cent", "¢"),
    ("circ", "ˆ"),
    ("copy", "©"),
    ("cup", "∪"),
    ("curren", "¤"),
    ("darr", "↓"),
    ("deg", "°"),
    ("delta", "δ"),
    ("divide", "÷"),
    ("emsp", "\u{2003}"),
    ("ensp", "\u{2002}"),
    ("epsilon", "ε"),
    ("equiv", "≡"),
    ("euro", "€"),
    ("frac12", "½"),
    ("frac14", "¼"),
    ("frac34", "¾"),
    ("gamma", "γ"),
    ("ge", "≥"),
    ("gt", ">"),
    ("harr", "↔"),
    ("hellip", "…"),
    ("iexcl", "¡"),
    ("infin", "∞"),
    ("iquest", "¿"),
    ("lambda", "λ"),
    ("laquo", "«"),
    ("larr", "←"),
    ("lceil", "⌈"),
    ("ldquo", "“"),
    ("le", "≤"),
    ("lfloor", "⌊"),
    ("loz", "◊"),
    ("lsaquo", "‹"),
    ("lsquo", "‘"),
    ("lt", "<"),
    ("macr", "¯"),
    ("mdash", "—"),
    ("micro", "µ"),
    ("middot", "·"),
    ("minus", "−"),
    ("mu", "μ"),
    ("nbsp", "\u{A0}"),
    ("ndash", "–"),
    ("ne", "≠"),
    ("not", "¬"),
    ("oline", "‾"),
    ("omega", "ω"),
    ("ordm", "º"),
    ("para", "¶"),
    ("permil", "‰"),
    ("phi", "φ"),
    ("pi", "π"),
    ("plusmn", "±"),
    ("pound", "£"),
    ("prime", "′"),
    ("quot", "\""),
    ("radic", "√"),
    ("raquo", "»"),
    ("rarr", "→"),
    ("rdquo", "”"),
    ("reg", "®"),
    ("rho", "ρ"),
    ("rsaquo", "›"),
    ("rsquo", "’"),
    ("sbquo", "‚"),
    ("sdot", "⋅"),
    ("sect", "§"),
    ("shy", "\u{AD}"),
    ("sigma", "σ"),
    ("sim", "∼"),
    ("spades", "♠"),
    ("sum", "∑"),
    ("sup1", "¹"),
    ("sup2", "²"),
    ("sup3", "³"),
    ("theta", "θ"),
    ("thinsp", "\u{2009}"),
    ("tilde", "˜"),
    ("times", "×"),
    ("trade", "™"),
    ("uarr", "↑"),
    ("uml", "¨"),
    ("yen", "¥"),
    ("zwj", "\u{200D}"),
    ("zwnj", "\u{200C}"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::res_chunk::tests::flips;

    const ASK: Ask = Ask { mark: |tag| tag.is("a") || tag.is("img"), lines: false };

    fn texts(source: &str) -> Vec<String> {
        Outline::read(source, ASK).blocks.into_iter().map(|block| block.text).collect()
    }

    #[test]
    fn a_paragraph_is_one_text() {
        let page =
            "<p>请全<b>员</b>转<span>发</span>\n 朋友圈</p><p>第二段<br>第三行</p><ul><li>甲<li>乙</ul>尾";
        assert_eq!(texts(page), ["请全员转发 朋友圈", "第二段", "第三行", "甲", "乙", "尾"]);
    }

    #[test]
    fn scripts_styles_and_comments_are_no_text() {
        let page =
            "<script>if(a<b)'</p>打卡'</script><style>p{}</style><!-- 注释 <p>x</p> --><p title='a>b'>文</p>";
        assert_eq!(texts(page), ["文"]);
    }

    #[test]
    fn references_are_resolved() {
        assert_eq!(
            characters("a&nbsp;&lt;b&gt;&#25171;&#x5361;&unknown;&&amp;&#0;"),
            "a\u{A0}<b>打卡&unknown;&&\u{FFFD}"
        );
        assert_eq!(characters("?a=1&copy=2&times"), "?a=1&copy=2&times");
        assert!(NAMES.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn attributes_with_and_without_quotes() {
        let Some(Token::Open { tag, .. }) =
            Tokens::from("<a href=x data-a='1 \"2\"' B = \"3>4\" c>", 0).next()
        else {
            panic!("a tag")
        };
        let found: Vec<_> = tag.attributes().collect();
        assert_eq!(found, [("href", "x"), ("data-a", "1 \"2\""), ("B", "3>4"), ("c", "")]);
        assert_eq!(tag.attribute("b").as_deref(), Some("3>4"));
    }

    #[test]
    fn one_element_ends_with_its_end_tag() {
        let page = "<div id=a><div>一</div><p>二</span></div><p>三</p>";
        let read = Outline::element(page, 0, ASK);
        assert_eq!(read.blocks.iter().map(|block| block.text.as_str()).collect::<Vec<_>>(), ["一", "二"]);
        assert_eq!(read.elements[0].blocks, 0..2);
        assert_eq!(&page[read.blocks[1].offset..][..3], "二");
    }

    #[test]
    fn links_carry_their_words_and_their_block() {
        let page = "<p>见<a href='/x?a=1&amp;b=2'>此 <b>处</b></a>。</p><img src=q><p>尾</p>";
        let read = Outline::read(page, ASK);
        let marks: Vec<_> =
            read.marks.iter().map(|mark| (mark.tag.name, mark.text.as_str(), mark.block)).collect();
        assert_eq!(marks, [("a", "此 处", 0), ("img", "", 1)]);
        assert_eq!(read.marks[0].tag.attribute("HREF").as_deref(), Some("/x?a=1&b=2"));
        assert_eq!(read.blocks[0].linked, "此 处".len());
    }

    #[test]
    fn hostile_pages_take_time_in_proportion_to_their_size() {
        let deep = "<div>".repeat(200_000) + "文" + &"</span>".repeat(200_000) + &"</div>".repeat(200_000);
        assert_eq!(texts(&deep), ["文"]);
        let many = "甲<br>".repeat(MAX_BLOCKS + 7);
        let read = Outline::read(&many, ASK);
        assert_eq!(read.blocks.len(), MAX_BLOCKS);
        assert_eq!(read.issues[0].code, "outline.too-many-texts");
        assert!(read.issues[0].detail.starts_with("7 "));
        let angles = "<".repeat(1_000_000);
        assert_eq!(texts(&angles).len(), 1);
        let unclosed = "<a href='".repeat(100_000);
        texts(&unclosed);
        texts(&"<script>".repeat(100_000));
        texts(&"<!--".repeat(100_000));
    }

    /// The words of a page as the tree builder of browsers sees them.
    fn oracle(source: &str) -> String {
        let html = scraper::Html::parse_document(source);
        let mut text = String::new();
        for node in html.tree.root().descendants() {
            let parent = node.parent().and_then(|p| p.value().as_element().map(|e| e.name().to_owned()));
            if let scraper::Node::Text(found) = node.value()
                && !parent.is_some_and(|name| {
                    ["script", "style", "title", "textarea", "iframe", "noscript", "xmp"].contains(&&*name)
                })
            {
                text.extend(found.chars().filter(|ch| !ch.is_whitespace()));
            }
        }
        text
    }

    #[test]
    fn words_are_those_of_the_tree_builder() {
        for page in [
            "<p>a&lt;b<b>c</b> d</p><div class=x>e</div>",
            "<section><p>一<p>二<div>三</div></section>四",
            "<div>a<img alt='x>y'>b<br/>c</div><!-- x -->d",
            "<a href=\"x'y\">e</a>f<A HREF=g>h</A >",
            "1 < 2 & 3 > 2 <4",
        ] {
            let ours: String = texts(page).concat().chars().filter(|ch| !ch.is_whitespace()).collect();
            assert_eq!(ours, oracle(page), "{page}");
        }
    }

    #[test]
    fn cut_and_flipped_pages_are_read() {
        let page = "<!-- 注 --><p class=a data-b='1'>打&#21345;<a href=\"/x?a=1&amp;b\">此<b>处</b></a><br>二</p>\
                    <script>if(a<b)'</p>'</script><ul><li>甲<li>乙</ul>";
        let read = |bytes: &[u8]| {
            let source = String::from_utf8_lossy(bytes);
            Outline::read(&source, ASK);
            source.match_indices('<').for_each(|(at, _)| drop(Outline::element(&source, at, ASK)));
        };
        (0..page.len()).for_each(|end| read(&page.as_bytes()[..end]));
        flips(page.as_bytes(), 2_000, read);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(source in "(<[/!a-zA-Z]{0,6}[ ='\"a-z/-]{0,8}>?|[打卡& ;#x0-9<]{0,5}){0,40}") {
            let read = Outline::read(&source, ASK);
            for block in &read.blocks {
                proptest::prop_assert!(source.is_char_boundary(block.offset));
            }
            for element in &read.elements {
                proptest::prop_assert!(element.blocks.start <= element.blocks.end);
                proptest::prop_assert!(element.blocks.end <= read.blocks.len());
            }
            for at in 0..source.len() {
                Outline::element(&source, at, ASK);
            }
        }
    }
}
