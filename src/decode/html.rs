//! HTML and templates written like it: texts by what they are on the page, and the scripts inside.
//!
//! Parsed by `scraper` (html5ever) as browsers do; documents nested beyond [`MAX_DEPTH`], which that parser takes
//! quadratic time for, are read as a plain sequence of tags and texts instead.

use std::borrow::Cow;

use scraper::{Html, Node};

use super::{Decoder, Issue, Limit, Unit};

/// What this file reads.
pub const DECODER: Decoder = Decoder {
    name: "html",
    version: 1,
    reads: ("HTML 与同类模板", "HTML and templates like it"),
    limits: &[
        Limit { what: ("输入", "input"), amount: MAX_SIZE as u64, unit: Unit::Bytes },
        Limit { what: ("嵌套层数", "levels of nesting"), amount: MAX_DEPTH as u64, unit: Unit::Count },
    ],
};

/// Deeper documents are read as a sequence.
const MAX_DEPTH: usize = 512;
/// Longer documents are read as a sequence.
const MAX_SIZE: usize = 8 << 20;
/// How far around a text something to press is looked for.
const MAX_UP: usize = 4;

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
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0;
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Cow::Borrowed(text);
    }
    let head = bytes.get(..2048).unwrap_or(bytes);
    let named = memchr::memmem::find(head, b"charset=").and_then(|at| {
        let label = head[at + 8..].split(|byte| b"\"'>; /".contains(byte)).find(|label| !label.is_empty())?;
        encoding_rs::Encoding::for_label(label)
    });
    // Bytes that are not UTF-8 and say nothing else are GBK in Chinese packages, or noise.
    named.unwrap_or(encoding_rs::GBK).decode_without_bom_handling(bytes).0
}

/// Reads a document.
pub fn read(source: &str) -> Page {
    let depth = deepest(source.as_bytes());
    if depth > MAX_DEPTH || source.len() > MAX_SIZE {
        let mut page = sequence(source);
        let detail = format!("{} bytes nested {depth} deep: read as a sequence of texts", source.len());
        page.issues.push(Issue::odd("html.too-deep", None, detail));
        return page;
    }
    tree(source)
}

/// How deep elements nest, by counting tags.
fn deepest(source: &[u8]) -> usize {
    let mut depth = 0usize;
    let mut deepest = 0;
    for at in memchr::memchr_iter(b'<', source) {
        match source.get(at + 1) {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(byte) if byte.is_ascii_alphabetic() => {
                let name =
                    source[at + 1..].iter().take(10).take_while(|byte| byte.is_ascii_alphanumeric()).count();
                if !is_void(&source[at + 1..at + 1 + name]) {
                    depth += 1;
                    deepest = deepest.max(depth);
                }
            }
            _ => {}
        }
    }
    deepest
}

fn is_void(tag: &[u8]) -> bool {
    const VOID: [&[u8]; 12] = [
        b"br", b"img", b"input", b"meta", b"link", b"hr", b"p", b"li", b"option", b"source", b"area", b"col",
    ];
    VOID.iter().any(|void| tag.eq_ignore_ascii_case(void))
}

fn tree(source: &str) -> Page {
    let html = Html::parse_document(source);
    let mut page = Page { issues: Vec::new(), ..Page::default() };
    let mut cursor = 0;
    for node in html.tree.root().descendants() {
        match node.value() {
            Node::Text(text) => {
                let parents: Vec<_> =
                    node.ancestors().filter_map(scraper::ElementRef::wrap).take(MAX_UP).collect();
                let Some(own) = parents.first() else { continue };
                match own.value().name() {
                    "script" => {
                        let offset = find(source, text, &mut cursor);
                        page.scripts.push((offset, text.to_string()));
                        continue;
                    }
                    "style" | "noscript" => continue,
                    _ => {}
                }
                let trimmed = text.trim();
                if trimmed.is_empty() {
                    continue;
                }
                let offset = find(source, trimmed, &mut cursor);
                let name = own.value().name();
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
                page.texts.push(text_on(element, trimmed, part, offset));
            }
            Node::Element(element) => {
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
    page
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

/// The offset of a text behind the last one found.
fn find(source: &str, text: &str, cursor: &mut usize) -> Option<usize> {
    let at = memchr::memmem::find(source.as_bytes().get(*cursor..)?, text.as_bytes())? + *cursor;
    *cursor = at + text.len();
    Some(at)
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
    fn deep_documents_are_read_in_order() {
        let deep = format!("{}打卡{}", "<div>".repeat(100_000), "</div>".repeat(100_000));
        let page = read(&deep);
        assert_eq!(page.texts.iter().map(|text| text.text.as_str()).collect::<Vec<_>>(), ["打卡"]);
        assert_eq!(page.issues.iter().map(|issue| issue.code).collect::<Vec<_>>(), ["html.too-deep"]);
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
