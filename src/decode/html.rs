//! HTML and templates written like it: texts by what they are on the page, and the scripts inside.
//!
//! Parsed by `scraper` (html5ever) as browsers do; documents beyond [`MAX_DEPTH`] or [`MAX_NODES`], which that parser
//! takes much time and memory for, are read as a plain sequence of tags and texts instead.

use std::borrow::Cow;

use html5ever::driver;
use html5ever::tendril::{StrTendril, TendrilSink};
use scraper::{Html, HtmlTreeSink, Node};

use super::{Decoder, Issue, Limit, Unit};
use crate::text::is_cjk;

/// What this file reads.
pub const DECODER: Decoder = Decoder {
    name: "html",
    version: 3,
    reads: ("HTML 与同类模板", "HTML and templates like it"),
    limits: &[
        Limit { what: ("输入", "input"), amount: MAX_SIZE as u64, unit: Unit::Bytes },
        Limit { what: ("嵌套层数", "levels of nesting"), amount: MAX_DEPTH as u64, unit: Unit::Count },
    ],
};

/// Deeper documents are read as a sequence.
const MAX_DEPTH: usize = 256;
/// Documents of more nodes are read as a sequence.
const MAX_NODES: usize = 300_000;
/// Documents whose nodes are deeper, all depths added up, are read as a sequence.
const MAX_DEPTHS: usize = 30 * MAX_NODES;
/// Documents with a tag of more attributes (counted by what can stand between them) are read as a sequence.
const MAX_ATTRIBUTES: usize = 5_000;
/// After so many bytes it is looked how the tree grows.
const PIECE: usize = 4096;
/// Longer documents are read as a sequence.
const MAX_SIZE: usize = 8 << 20;
/// So far behind the last one a text is looked for in any case, in bytes.
const NEAR: usize = 4096;
/// How far around a text something to press is looked for.
const MAX_UP: usize = 4;

/// Pieces of so many characters at most may be one label written in several elements.
const MAX_PIECE: usize = 4;
/// And the label is no longer than this.
const MAX_LABEL: usize = 12;
/// A name, a colon and a value are no longer than this.
const MAX_PAIR: usize = 60;
/// The longer piece of a name in two elements (`<b>程序备案</b><b>编号</b>：1`) is no longer than this.
const MAX_STEM: usize = 16;

/// What a text is on the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// On something to press: a button, a link, an element with a handler.
    Control,
    /// `<title>` and headings.
    Title,
    /// Placeholder, tooltip, alternative text.
    Hint,
    /// Anything else that is shown.
    Label,
}

/// A text of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageText {
    /// The text, entities decoded, white space around it taken off.
    pub text: String,
    /// What it is.
    pub part: Part,
    /// Tag of the element it is on, or of the one around it that is pressed.
    pub tag: String,
    /// `id` of that element.
    pub id: Option<String>,
    /// Handler (`onclick`, `@click`, `bindtap`) or address (`href`) of that element.
    pub action: Option<String>,
    /// Byte offset in the decoded document, where the text was found again.
    pub offset: Option<usize>,
}

/// What was read of a document.
#[derive(Debug, Default)]
pub struct Page {
    /// `<title>`.
    pub title: Option<String>,
    /// Texts in document order.
    pub texts: Vec<PageText>,
    /// Inline scripts with the offset where each was found again.
    pub scripts: Vec<(Option<usize>, String)>,
    /// Addresses of the scripts that the document loads.
    pub linked: Vec<String>,
    /// What was odd.
    pub issues: Vec<Issue>,
}

/// The characters of a text file: UTF-8, UTF-16 by its mark, or what `charset=` names (GBK in old Chinese pages).
pub fn decode(bytes: &[u8]) -> Cow<'_, str> {
    decode_as(bytes, None).text
}

/// The characters of a file, and how sure they are.
#[derive(Debug, Clone)]
pub struct Decoded<'a> {
    /// The characters. Borrowed only where they stand like this in the bytes.
    pub text: Cow<'a, str>,
    /// Name of the encoding (WHATWG): `UTF-8`, `GBK`, `gb18030`.
    pub encoding: &'static str,
    /// Some bytes are none of the encoding; U+FFFD stands for them.
    pub malformed: bool,
}

/// The characters of a file that came with a `Content-Type`. What the bytes are counts before what is said of
/// them: a byte order mark, or being UTF-8 throughout; then what the header, the page or the XML declaration
/// names, if it fits; then GB18030, which bytes that are not UTF-8 are in Chinese pages and lists.
pub fn decode_as<'a>(bytes: &'a [u8], content_type: Option<&str>) -> Decoded<'a> {
    let whole = |encoding: &'static encoding_rs::Encoding, bytes: &'a [u8]| {
        let (text, malformed) = encoding.decode_without_bom_handling(bytes);
        Decoded { text, encoding: encoding.name(), malformed }
    };
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        return whole(encoding, &bytes[mark..]);
    }
    let Err(error) = std::str::from_utf8(bytes) else { return whole(encoding_rs::UTF_8, bytes) };
    // A page that was cut off in the middle of a character is UTF-8 still.
    if error.error_len().is_none() && error.valid_up_to() > 0 {
        return whole(encoding_rs::UTF_8, bytes);
    }
    let head = bytes.get(..4096).unwrap_or(bytes);
    let header = content_type.and_then(|header| label(header.as_bytes(), b"charset="));
    let named: Vec<_> =
        [header, label(head, b"charset="), label(head, b"encoding=")].into_iter().flatten().collect();
    let fits = |encoding: &&'static encoding_rs::Encoding| {
        encoding.decode_without_bom_handling_and_without_replacement(bytes).is_some()
    };
    if let Some(encoding) = named.iter().copied().chain([encoding_rs::GB18030]).find(fits) {
        return whole(encoding, bytes);
    }
    // Bytes that fit nothing: what was named is meant, or GBK, or they are noise.
    whole(named.first().copied().unwrap_or(encoding_rs::GBK), bytes)
}

/// The encoding that is named behind a word, in small or capital letters.
fn label(text: &[u8], word: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let at = text.windows(word.len()).position(|found| found.eq_ignore_ascii_case(word))?;
    let rest = &text[at + word.len()..];
    let name = rest.split(|byte| b"\"'>; /?".contains(byte)).find(|label| !label.is_empty())?;
    encoding_rs::Encoding::for_label(name)
}

/// Reads a document.
pub fn read(source: &str) -> Page {
    let built = if source.len() > MAX_SIZE { Err(format!("{} bytes", source.len())) } else { build(source) };
    match built {
        Ok(html) => tree(source, &html),
        Err(detail) => {
            let mut page = sequence(source);
            page.issues.push(Issue::odd(
                "html.too-deep",
                None,
                format!("{detail}: read as a sequence of texts"),
            ));
            page
        }
    }
}

/// Builds the tree piece by piece and gives up as soon as it takes more than trees of honest documents do: what an end
/// tag costs grows with the depth, and a formatting element left open is opened again in every block.
fn build(source: &str) -> Result<Html, String> {
    if has_crowded_tag(source.as_bytes()) {
        return Err(format!("more than {MAX_ATTRIBUTES} attributes on one tag"));
    }
    let mut parser =
        driver::parse_document(HtmlTreeSink::new(Html::new_document()), driver::ParseOpts::default());
    let (mut nodes, mut depths) = (0, 0);
    let mut rest = source;
    while !rest.is_empty() {
        let piece;
        let end = (PIECE..rest.len()).find(|end| rest.is_char_boundary(*end)).unwrap_or(rest.len());
        (piece, rest) = rest.split_at(end);
        parser.process(StrTendril::from(piece));
        let html = parser.tokenizer.sink.sink.0.borrow();
        for node in html.tree.nodes().skip(nodes) {
            let depth = node.ancestors().take(MAX_DEPTH + 1).count();
            depths += depth;
            nodes += 1;
            if depth > MAX_DEPTH || depths > MAX_DEPTHS || nodes > MAX_NODES {
                return Err(format!("{nodes} nodes, the last one {depth} deep"));
            }
        }
    }
    Ok(parser.finish())
}

/// Whether a tag has more than [`MAX_ATTRIBUTES`]: each is compared with those before it.
fn has_crowded_tag(source: &[u8]) -> bool {
    let mut at = 0;
    while let Some(found) = memchr::memchr(b'<', source.get(at..).unwrap_or_default()) {
        at += found + 1;
        if !source.get(at).is_some_and(u8::is_ascii_alphabetic) {
            continue;
        }
        let (mut attributes, mut last) = (0, b'<');
        while let Some(&byte) = source.get(at).filter(|byte| **byte != b'>') {
            at += 1;
            match byte {
                b'"' | b'\'' if last == b'=' => {
                    let rest = source.get(at..).unwrap_or_default();
                    at += memchr::memchr(byte, rest).map_or(rest.len(), |end| end + 1);
                    attributes += 1;
                    last = byte;
                }
                b'/' => attributes += 1,
                _ if byte.is_ascii_whitespace() => attributes += 1,
                _ => last = byte,
            }
        }
        if attributes > MAX_ATTRIBUTES {
            return true;
        }
    }
    false
}

fn tree(source: &str, html: &Html) -> Page {
    let mut page = Page { issues: Vec::new(), ..Page::default() };
    let mut finder = Finder { source, cursor: 0, room: source.len() * 8 };
    let mut line = Line::new();
    for node in html.tree.root().descendants() {
        match node.value() {
            Node::Text(text) => {
                let parents: Vec<_> =
                    node.ancestors().filter_map(scraper::ElementRef::wrap).take(MAX_UP).collect();
                let Some(own) = parents.first() else { continue };
                match own.value().name() {
                    "script" => {
                        let offset = finder.find(text);
                        page.scripts.push((offset, text.to_string()));
                        continue;
                    }
                    "style" | "noscript" => continue,
                    _ => {}
                }
                let trimmed = text.trim();
                if trimmed.is_empty() {
                    line.is_after_space = true;
                    continue;
                }
                let offset = finder.find(trimmed);
                let block = parents.iter().find(|element| !is_inline(element.value()));
                let name = block.unwrap_or(own).value().name();
                if name == "title" && page.title.is_none() {
                    page.title = Some(trimmed.to_owned());
                }
                let pressed = parents.iter().find(|element| is_pressed(element.value()));
                let part = match (pressed, name) {
                    (Some(_), _) => Part::Control,
                    (None, "title" | "h1" | "h2" | "h3" | "header") => Part::Title,
                    (None, "option") => Part::Control,
                    (None, _) => Part::Label,
                };
                let element = pressed.unwrap_or(own).value();
                let around = [block, pressed].map(|element| element.map(|element| element.id()));
                line.add(around, text, &mut page.texts);
                page.texts.push(text_on(element, trimmed, part, offset));
            }
            Node::Element(element) => {
                if !is_inline(element) {
                    line.end(&mut page.texts);
                }
                if element.name() == "script" {
                    page.linked.extend(element.attr("src").map(str::to_owned));
                }
                for (name, value) in element.attrs() {
                    let value = value.trim();
                    let part = match (name, element.name()) {
                        ("placeholder" | "title" | "alt" | "data-placeholder", _) => Part::Hint,
                        ("value", "input") if is_pressed(element) => Part::Control,
                        ("label" | "data-title" | "text", _) => Part::Label,
                        _ => continue,
                    };
                    if !value.is_empty() {
                        page.texts.push(text_on(element, value, part, None));
                    }
                }
            }
            _ => {}
        }
    }
    line.end(&mut page.texts);
    page.texts.retain(|text| !text.text.is_empty());
    page
}

/// What whoever sees the page reads as one, though it is in several elements of one line: short pieces of Chinese
/// (`<b>签</b><b>到</b>`), a name and its value with a colon between them (`<b>主办单位</b>：示例局`).
struct Line<N> {
    /// The block and the pressed element around the pieces.
    around: [Option<N>; 2],
    /// Their numbers among the texts of the page.
    pieces: Vec<usize>,
    /// A longer piece of Chinese right before them: the beginning of the name, if they are a name and a value.
    stem: Option<usize>,
    /// The last is a short piece of Chinese.
    is_short: bool,
    /// Each is one character.
    is_single: bool,
    /// The last ends with a colon.
    is_named: bool,
    /// There is a colon between some of them.
    is_pair: bool,
    /// There is white space between some of them, and no colon.
    is_spaced: bool,
    /// There is white space behind the last.
    is_after_space: bool,
}

impl<N: Copy + PartialEq> Line<N> {
    fn new() -> Self {
        Line {
            around: [None; 2],
            pieces: Vec::new(),
            stem: None,
            is_short: false,
            is_single: false,
            is_named: false,
            is_pair: false,
            is_spaced: false,
            is_after_space: false,
        }
    }

    /// Goes on with the text that is to be the next of the page, or begins with it.
    fn add(&mut self, around: [Option<N>; 2], text: &str, texts: &mut [PageText]) {
        let piece = text.trim();
        let count = piece.chars().take(MAX_PAIR + 1).count();
        let is_short = count <= MAX_PIECE
            && piece.chars().all(|ch| is_cjk(ch) || matches!(ch, '（' | '）' | '(' | ')' | '*'));
        let has_colon = self.is_named || piece.starts_with(COLONS);
        // Links beside each other are words of their own, unless each holds but a character.
        let [block, pressed] = around;
        let is_beside =
            block == self.around[0] && (pressed == self.around[1] || (self.is_single && count == 1));
        let is_apart = self.is_after_space || text.starts_with(char::is_whitespace);
        if !is_beside || !(has_colon || (self.is_short && is_short)) {
            let is_stem = |at: &usize| {
                texts.get(*at).is_some_and(|text| {
                    text.text.chars().all(is_cjk) && text.text.chars().count() <= MAX_STEM
                })
            };
            let stem = match self.pieces.as_slice() {
                [at] if is_beside && is_short && !is_apart && pressed.is_none() => Some(*at).filter(is_stem),
                _ => None,
            };
            self.end(texts);
            self.stem = stem;
        }
        let begins = self.pieces.is_empty();
        self.is_pair = !begins && (self.is_pair || has_colon);
        self.is_spaced = !begins && (self.is_spaced || (is_apart && !has_colon));
        self.is_single = count == 1 && (begins || self.is_single);
        self.is_short = is_short;
        self.is_named = count <= MAX_PIECE * 5 && piece.ends_with(COLONS);
        self.is_after_space = text.ends_with(char::is_whitespace);
        self.around = around;
        self.pieces.push(texts.len());
    }

    /// Makes the pieces one text, in place of the first; the others are left empty.
    fn end(&mut self, texts: &mut [PageText]) {
        let mut pieces = std::mem::take(&mut self.pieces);
        if let Some(stem) = self.stem.take().filter(|_| self.is_pair) {
            pieces.insert(0, stem);
        }
        let is_spaced = self.is_spaced && !self.is_single;
        let most = if self.is_pair { MAX_PAIR } else { MAX_LABEL };
        self.is_named = false;
        let [first, rest @ ..] = pieces.as_slice() else { return };
        let whole: String = pieces.iter().filter_map(|&at| texts.get(at)).map(|text| &*text.text).collect();
        if rest.is_empty() || is_spaced || whole.chars().count() > most {
            return;
        }
        rest.iter().for_each(|&at| {
            if let Some(text) = texts.get_mut(at) {
                text.text.clear();
            }
        });
        if let Some(text) = texts.get_mut(*first) {
            text.text = whole;
        }
    }
}

const COLONS: [char; 2] = [':', '：'];

/// Elements that stand within a line.
fn is_inline(element: &scraper::node::Element) -> bool {
    matches!(
        element.name(),
        "a" | "abbr"
            | "b"
            | "big"
            | "bdi"
            | "bdo"
            | "cite"
            | "code"
            | "del"
            | "dfn"
            | "em"
            | "font"
            | "i"
            | "ins"
            | "kbd"
            | "label"
            | "mark"
            | "q"
            | "s"
            | "samp"
            | "small"
            | "span"
            | "strong"
            | "sub"
            | "sup"
            | "text"
            | "time"
            | "tt"
            | "u"
            | "var"
            | "wbr"
    )
}

fn text_on(element: &scraper::node::Element, text: &str, part: Part, offset: Option<usize>) -> PageText {
    PageText {
        text: text.to_owned(),
        part,
        tag: element.name().to_owned(),
        id: element.id().map(str::to_owned),
        action: action(element).map(str::to_owned),
        offset,
    }
}

/// The handler or address of an element.
fn action(element: &scraper::node::Element) -> Option<&str> {
    let handler = element.attrs().find(|(name, _)| is_handler(name)).map(|(_, value)| value);
    handler.or_else(|| element.attr("href")).filter(|value| !value.is_empty())
}

fn is_handler(name: &str) -> bool {
    matches!(
        name,
        "onclick"
            | "@click"
            | "v-on:click"
            | "@tap"
            | "v-on:tap"
            | "bindtap"
            | "catchtap"
            | "ng-click"
            | "data-ng-click"
            | "@submit"
            | "onsubmit"
            | "ontouchstart"
            | "data-href"
            | "data-url"
            | "(click)"
    ) || name.starts_with("@click.")
        || name.starts_with("@tap.")
}

fn is_pressed(element: &scraper::node::Element) -> bool {
    match element.name() {
        "button" | "navigator" | "van-button" | "el-button" => true,
        "a" => element.attr("href").is_some_and(|href| !href.is_empty()) || action(element).is_some(),
        "input" => matches!(element.attr("type"), Some("button" | "submit" | "reset")),
        // A page or list as a whole is no button though it may react to a tap.
        "body" | "html" | "form" | "ul" | "ol" | "table" => false,
        _ => element.attrs().any(|(name, _)| is_handler(name)),
    }
}

/// Looks for texts of the tree in the source.
struct Finder<'s> {
    source: &'s str,
    /// Behind the last one found.
    cursor: usize,
    /// Bytes that may still be searched far from there: what stands in the source in another way is not found.
    room: usize,
}

impl Finder<'_> {
    /// The offset of a text, by its first line: the parser makes line ends alike.
    fn find(&mut self, text: &str) -> Option<usize> {
        let rest = self.source.as_bytes().get(self.cursor..)?;
        let line = text.lines().next()?.as_bytes();
        let near = rest.get(..line.len().saturating_add(NEAR)).unwrap_or(rest);
        let mut found = memchr::memmem::find(near, line);
        if found.is_none() && near.len() < rest.len() && self.room > 0 {
            found = memchr::memmem::find(rest, line);
            self.room = self.room.saturating_sub(found.unwrap_or(rest.len()));
        }
        let at = self.cursor + found?;
        self.cursor = at + line.len();
        Some(at)
    }
}

/// Tags and texts one after the other, for what the tree builder cannot bear.
fn sequence(source: &str) -> Page {
    let mut page = Page::default();
    let mut at = 0;
    let bytes = source.as_bytes();
    while at < bytes.len() {
        let end = memchr::memchr(b'<', &bytes[at..]).map_or(bytes.len(), |found| at + found);
        let text = source.get(at..end).unwrap_or_default().trim();
        if !text.is_empty() {
            page.texts.push(PageText {
                text: text.to_owned(),
                part: Part::Label,
                tag: String::new(),
                id: None,
                action: None,
                offset: Some(at),
            });
        }
        let rest = &bytes[end..];
        let skip: &[u8] = if starts_with(rest, b"<script") {
            let start = memchr::memchr(b'>', rest).map_or(bytes.len(), |found| end + found + 1);
            let length = source.get(start..).and_then(|script| script.find("</script"));
            if let Some(script) = source.get(start..length.map_or(bytes.len(), |length| start + length)) {
                page.scripts.push((Some(start), script.to_owned()));
            }
            b"</script"
        } else if starts_with(rest, b"<style") {
            b"</style"
        } else if rest.starts_with(b"<!--") {
            b"-->"
        } else {
            b">"
        };
        at = memchr::memmem::find(rest, skip).map_or(bytes.len(), |found| end + found + skip.len());
    }
    page
}

fn starts_with(bytes: &[u8], prefix: &[u8]) -> bool {
    bytes.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::res_chunk::tests::flips;

    fn parts(source: &str) -> Vec<(String, Part)> {
        read(source).texts.into_iter().map(|text| (text.text, text.part)).collect()
    }

    #[test]
    fn texts_have_the_part_they_play() {
        let page = "<html><head><title>签到</title></head><body><h1>今日</h1><button onclick='punch()'>打卡</button>\
                    <div onclick='go()'><span>排行</span></div><p>说明</p><input placeholder='请输入'><a href='#/rank'>榜单</a>\
                    <input type=submit value='提交'><script>var a='x'</script></body></html>";
        let expected = [
            ("签到", Part::Title),
            ("今日", Part::Title),
            ("打卡", Part::Control),
            ("排行", Part::Control),
            ("说明", Part::Label),
            ("请输入", Part::Hint),
            ("榜单", Part::Control),
            ("提交", Part::Control),
        ];
        let found = parts(page);
        assert_eq!(found, expected.map(|(text, part)| (text.to_owned(), part)));
        let read = read(page);
        assert_eq!(read.title.as_deref(), Some("签到"));
        let punch = &read.texts[2];
        assert_eq!((punch.tag.as_str(), punch.action.as_deref()), ("button", Some("punch()")));
        assert_eq!(punch.offset.map(|at| page[at..].starts_with("打卡")), Some(true));
        assert_eq!(read.scripts.iter().map(|(_, text)| text.as_str()).collect::<Vec<_>>(), ["var a='x'"]);
    }

    #[test]
    fn a_label_in_several_elements_is_one_text() {
        let shown =
            |source: &str| -> Vec<String> { parts(source).into_iter().map(|(text, _)| text).collect() };
        assert_eq!(shown("<button><i>打</i><b>卡</b></button>"), ["打卡"]);
        assert_eq!(shown("<a href='a'>签</a> <a href='b'>到</a>"), ["签到"]);
        assert_eq!(shown("<p><span>现场</span><span>照片</span><em>(必填)</em></p>"), ["现场照片(必填)"]);
        assert_eq!(shown("<p>主办单位：<b>示例县残疾人联合会</b></p>"), ["主办单位：示例县残疾人联合会"]);
        assert_eq!(shown("<p><i>备案</i><i>编号</i>: 5101260008</p>"), ["备案编号: 5101260008"]);
        assert_eq!(shown("<div>单位：</div><div>示例局</div>"), ["单位：", "示例局"]);
        assert_eq!(
            parts("<h2><span>每日</span><span>上报</span></h2>"),
            [("每日上报".to_owned(), Part::Title)]
        );
        // Words of their own: links, cells, lines, what has space between.
        for apart in [
            "<a href='a'>关注</a><a href='b'>任务</a>",
            "<div>关注</div><div>任务</div>",
            "<p><b>关注</b><br><b>任务</b></p>",
            "<p><b>关注</b> <b>任务</b></p>",
            "<p><b>关注</b></p><p><b>任务</b></p>",
            "<p><b>关注 </b><b>任务</b></p>",
        ] {
            assert_eq!(shown(apart), ["关注", "任务"], "{apart}");
        }
        assert_eq!(shown("<p><b>程序名称备案</b><b>编号</b>：510</p>"), ["程序名称备案编号：510"]);
        assert_eq!(shown("<p><b>程序名称备案</b> <b>编号</b>：510</p>"), ["程序名称备案", "编号：510"]);
        assert_eq!(shown("<p><b>程序名称备案</b><b>编号</b></p>"), ["程序名称备案", "编号"]);
        let page = "<p><b>签</b><b>到</b></p>";
        let found = read(page);
        assert_eq!(found.texts[0].offset.map(|at| page[at..].starts_with("签")), Some(true));
    }

    #[test]
    fn deep_documents_are_read_in_order() {
        let deep = format!("{}打卡{}", "<div>".repeat(100_000), "</div>".repeat(100_000));
        let page = read(&deep);
        assert_eq!(page.texts.iter().map(|text| text.text.as_str()).collect::<Vec<_>>(), ["打卡"]);
        assert_eq!(page.issues.iter().map(|issue| issue.code).collect::<Vec<_>>(), ["html.too-deep"]);
    }

    #[test]
    fn documents_that_take_long_are_read_in_order() {
        // End tags without a start tag do not close what is open; formatting elements are opened again in each block.
        let stray = "<b></div>打卡".repeat(5_000);
        let open: String = (0..200).map(|size| format!("<div><font size={size}></div>")).collect();
        let again = format!("{open}{}", "<p>打卡</p>".repeat(20_000));
        let many = "<i></i>打卡".repeat(200_000);
        let attributes: String = (0..100_000).map(|number| format!(" a{number}='>'")).collect();
        let crowded = format!("<x{attributes}>{}", "打卡<br>".repeat(5_001));
        for source in [stray, again, many, crowded] {
            let page = read(&source);
            assert_eq!(page.issues.iter().map(|issue| issue.code).collect::<Vec<_>>(), ["html.too-deep"]);
            assert!(page.texts.iter().filter(|text| text.text == "打卡").count() >= 5_000);
        }
        let script = format!("{}<script>打卡()</script>", "<b>".repeat(1_000));
        assert_eq!(read(&script).scripts, [(Some(3_008), "打卡()".to_owned())]);
    }

    #[test]
    fn texts_that_stand_there_in_another_way_take_no_time() {
        let lines = read("<p>打卡\r\n说明</p><b>签到</b>");
        assert_eq!(lines.texts[0].offset, Some(3));
        for (count, found) in [(100, true), (40_000, false)] {
            let source = format!("{}<b>签到</b>", "<p>打&#21345;</p>".repeat(count));
            let page = read(&source);
            assert_eq!(page.texts.len(), count + 1);
            assert_eq!((page.texts[0].text.as_str(), page.texts[0].offset), ("打卡", None));
            assert_eq!(page.texts[count].offset, source.find("签到").filter(|_| found));
        }
    }

    #[test]
    fn old_encodings_are_read() {
        let (gbk, _, _) = encoding_rs::GBK.encode("<meta charset=gb2312><p>签到</p>");
        assert!(decode(&gbk).contains("签到"));
        let utf16: Vec<u8> =
            [0xFF, 0xFE].into_iter().chain("打卡".encode_utf16().flat_map(u16::to_le_bytes)).collect();
        assert_eq!(decode(&utf16), "打卡");
    }

    #[test]
    fn what_the_bytes_are_counts_before_what_is_said() {
        let (gb, _, _) = encoding_rs::GB18030.encode("请各单位转发");
        let read = |bytes: &[u8], header| {
            let read = decode_as(bytes, header);
            (read.text.into_owned(), read.encoding, read.malformed)
        };
        let shown = "请各单位转发".to_owned();
        assert_eq!(read(&gb, None), (shown.clone(), "gb18030", false));
        assert_eq!(read(&gb, Some("text/html; Charset=GB2312")), (shown.clone(), "GBK", false));
        assert_eq!(read(&gb, Some("text/html; charset=utf-8")), (shown.clone(), "gb18030", false));
        assert_eq!(read(shown.as_bytes(), Some("text/html; charset=gbk")), (shown, "UTF-8", false));
        assert_eq!(
            read("打卡".as_bytes().split_last().unwrap().1, None),
            ("打\u{FFFD}".into(), "UTF-8", true)
        );
        let declared = [br#"<?xml version="1.0" encoding="GB2312"?><a>"#, gb.as_ref(), b"</a>"].concat();
        assert_eq!(read(&declared, None).1, "GBK");
        let broken = [b"<meta charset=utf-8>" as &[u8], b"\xFF", "打卡".as_bytes(), b"\xFF"].concat();
        assert_eq!(read(&broken, None), ("<meta charset=utf-8>\u{FFFD}打卡\u{FFFD}".into(), "UTF-8", true));
    }

    #[test]
    fn cut_and_flipped_documents_are_read() {
        let page = "<meta charset=gbk><title>签到</title><div onclick=\"go('a')\"><!-- x --><input value='打&#21345;'>\
                    <script>var a='<b>'</script><p>说明</p></div>";
        (0..page.len()).for_each(|end| drop(read(&decode(&page.as_bytes()[..end]))));
        flips(page.as_bytes(), 3_000, |bytes| drop(read(&decode(bytes))));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(source in "(<[a-z/!]{0,6}[ ='\"a-z]{0,8}>?|[打卡& ;#x0-9]{0,4}){0,40}") {
            read(&source);
            sequence(&source);
        }
    }
}
