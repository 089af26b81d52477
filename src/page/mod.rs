//! Pages of accounts and of sites, one file per kind of page. A page is read from bytes that were fetched or
//! saved; nothing here fetches, and no rule is seen.
//!
//! ```text
//! bytes ─▶ Input (characters) ─▶ the first kind in PAGES that knows the content ─▶ Read
//!                                                      { Inspection: texts, facts, gaps; PageRecord }
//! ```

mod draft;
mod feed;
mod footer;
mod government;
mod list;
mod sitemap;
mod standing;
mod wechat_article;
mod wechat_profile;
mod wechat_published;

use std::borrow::Cow;

use url::Url;

use self::draft::Draft;
use crate::decode::html::{Decoded, decode_as};
use crate::decode::outline::{Token, Tokens};
use crate::model::{GapReason, Inspection, PageRecord, PageState, PartName};

pub use self::wechat_article::canonical_address;

/// Bytes that were fetched or saved, and what is known of them.
#[derive(Debug, Clone)]
pub struct Input<'a> {
    bytes: &'a [u8],
    address: Option<Url>,
    decoded: Decoded<'a>,
}

impl<'a> Input<'a> {
    /// `content_type` is the header as sent; `address` is where the page was had from, after redirects.
    pub fn new(bytes: &'a [u8], content_type: Option<&str>, address: Option<Url>) -> Self {
        Input { bytes, address, decoded: decode_as(bytes, content_type) }
    }

    /// The bytes.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Where the page was had from.
    pub fn address(&self) -> Option<&Url> {
        self.address.as_ref()
    }

    /// The characters.
    pub fn text(&self) -> &str {
        &self.decoded.text
    }

    /// Name of the encoding (WHATWG).
    pub fn encoding(&self) -> &'static str {
        self.decoded.encoding
    }

    /// Whether the page came from this host.
    fn is_from(&self, host: &str) -> bool {
        self.address.as_ref().and_then(Url::host_str).is_some_and(|found| found.eq_ignore_ascii_case(host))
    }

    /// The offset in the bytes of an offset in the characters, where the two agree.
    fn offset(&self, offset: usize) -> Option<u64> {
        let Cow::Borrowed(text) = &self.decoded.text else { return None };
        Some((offset + self.bytes.len().saturating_sub(text.len())) as u64)
    }

    /// Whether the characters begin like a document of markup.
    fn is_markup(&self) -> bool {
        let text = self.text().trim_start();
        let head: String = text.chars().take(512).collect::<String>().to_ascii_lowercase();
        let data = head.starts_with(['{', '[']);
        head.starts_with('<') || !data && (head.contains("<html") || head.contains("<!doctype html"))
    }
}

/// What was read of a page.
#[derive(Debug)]
pub struct Read {
    /// Texts, facts and gaps for the rules.
    pub inspection: Inspection,
    /// The page and its account.
    pub page: PageRecord,
}

/// A kind of page.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// Short name, as in reports; that of its file.
    pub name: &'static str,
    /// Full name in Chinese and English.
    pub title: (&'static str, &'static str),
    /// Whether the content is of this kind.
    pub matches: fn(&Input<'_>) -> bool,
    /// Reads a page of this kind.
    pub read: fn(&Input<'_>) -> Read,
}

/// Every kind, the more specific before the more general.
pub static PAGES: &[Kind] = &[
    feed::KIND,
    sitemap::KIND,
    wechat_published::KIND,
    list::KIND,
    wechat_article::KIND,
    wechat_profile::KIND,
    government::KIND,
];

/// Recognises a page by its content and reads it; `None` for what no kind knows.
pub fn read_known(input: &Input<'_>) -> Option<Read> {
    PAGES.iter().find(|kind| (kind.matches)(input)).map(|kind| (kind.read)(input))
}

/// The same; what no kind knows is a gap.
pub fn read(input: &Input<'_>) -> Read {
    read_known(input).unwrap_or_else(|| unknown(input))
}

fn unknown(input: &Input<'_>) -> Read {
    let mut draft = Draft::new(input, "unknown");
    draft.page.state = PageState::Unknown;
    let what = if input.bytes.trim_ascii().is_empty() {
        ("内容为空", "nothing is in it")
    } else {
        ("不是可识别的网页、订阅源、站点地图或列表", "no page, feed, site map or list of a known kind")
    };
    draft.unseen(PartName::Text, GapReason::UnsupportedFormat, what);
    draft.finish()
}

/// What stands in the head of a document.
#[derive(Debug, Default)]
struct Head<'a> {
    title: Option<String>,
    /// Name or property in small letters, and content as written.
    metas: Vec<(String, Cow<'a, str>)>,
    canonical: Option<String>,
}

impl<'a> Head<'a> {
    /// Reads the tags before `<body>`. Sites put metas into the body too, but the standard ones stand here.
    fn read(source: &'a str) -> Self {
        let mut head = Head::default();
        let mut title = false;
        for token in Tokens::from(source, 0) {
            match token {
                Token::Open { tag, .. } if tag.is("body") => break,
                Token::Open { tag, .. } if tag.is("meta") => {
                    let name = tag.attribute("name").or_else(|| tag.attribute("property"));
                    if let (Some(name), Some(content)) = (name, tag.attribute("content")) {
                        head.metas.push((name.trim().to_ascii_lowercase(), content));
                    }
                }
                Token::Open { tag, .. } if tag.is("link") => {
                    let canonical = tag.attribute("rel").filter(|rel| rel.eq_ignore_ascii_case("canonical"));
                    head.canonical =
                        canonical.and_then(|_| tag.attribute("href")).map(Cow::into_owned).or(head.canonical);
                }
                Token::Open { tag, .. } => title = tag.is("title") && head.title.is_none(),
                Token::Raw(text) if title => {
                    title = false;
                    head.title = filled(&crate::decode::outline::characters(text));
                }
                _ => {}
            }
            if head.metas.len() > 1_000 {
                break;
            }
        }
        head
    }

    /// The content of the first meta of one of these names (in small letters) that is not empty.
    fn meta(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| {
            let mut found = self.metas.iter().filter(|(known, _)| known == name);
            found.find_map(|(_, content)| filled(content))
        })
    }
}

/// A text with single spaces, if there is any.
fn filled(text: &str) -> Option<String> {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!text.is_empty()).then_some(text)
}

/// Whether these bytes are in the text.
fn contains(text: &str, needle: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), needle.as_bytes()).is_some()
}
