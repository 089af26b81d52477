//! Feeds: RSS 0.9 to 2.0, Atom, JSON Feed, read by `feed-rs`.

use std::borrow::Cow;

use super::draft::{Draft, leads};
use super::standing::Entries;
use super::{Input, Kind, Read, filled};
use crate::decode::outline::{Ask, Outline};
use crate::decode::{Issue, date};
use crate::model::{Entry, LinkKind, Platform, Role};

pub(super) const KIND: Kind = Kind {
    name: "feed",
    title: ("订阅源（RSS、Atom、JSON Feed）", "feed (RSS, Atom, JSON Feed)"),
    matches,
    read,
};

/// More entries than any feed has.
const MAX_ENTRIES: usize = 20_000;
/// Longer than any feed.
const MAX_SIZE: usize = 32 << 20;

fn matches(input: &Input<'_>) -> bool {
    let text = input.text().trim_ascii_start();
    if text.starts_with('{') {
        let head: String = text.chars().take(4_096).collect();
        return head.contains("jsonfeed.org/version");
    }
    matches!(root(text), Some("rss" | "feed" | "RDF"))
}

/// Name of the first element, without its prefix.
pub(super) fn root(text: &str) -> Option<&str> {
    let mut rest = text;
    for _ in 0..64 {
        rest = rest.trim_ascii_start().strip_prefix('<')?;
        let end = if rest.starts_with("!--") { rest.find("-->")? + 3 } else { rest.find('>')? + 1 };
        if !rest.starts_with(['?', '!']) {
            let name = rest.split(|ch: char| ch.is_ascii_whitespace() || matches!(ch, '>' | '/')).next()?;
            return Some(name.rsplit(':').next().unwrap_or(name));
        }
        rest = &rest[end..];
    }
    None
}

/// The document without its declaration, whose encoding no longer holds once it is characters.
pub(super) fn without_declaration(text: &str) -> &str {
    let text = text.trim_ascii_start();
    match text.strip_prefix("<?xml") {
        Some(rest) => rest.find("?>").and_then(|end| rest.get(end + 2..)).unwrap_or(text).trim_ascii_start(),
        None => text,
    }
}

fn read(input: &Input<'_>) -> Read {
    let mut draft = Draft::new(input, KIND.name);
    draft.speaks_of_account(Entries::Posts);
    draft.page.account.platform = Some(Platform::Website);
    // The parser panics at a second declaration of an encoding; here it is an instruction like any other.
    let text = without_declaration(input.text()).replace("<?xml", "<?not-xml");
    let text = text.as_str();
    let count = ["<item", "<entry"]
        .iter()
        .map(|tag| memchr::memmem::find_iter(text.as_bytes(), tag).count())
        .sum::<usize>();
    if count > MAX_ENTRIES || text.len() > MAX_SIZE {
        draft.issues(vec![Issue::lossy(
            "page.too-many-entries",
            None,
            format!("{count} entries, {} bytes", text.len()),
        )]);
        return draft.finish();
    }
    let parser = feed_rs::parser::Builder::new()
        .timestamp_parser(|text| {
            let time = date::any(text)?;
            chrono::DateTime::from_timestamp(time.as_second(), 0)
        })
        .build();
    let feed = match parser.parse(text.as_bytes()) {
        Ok(feed) => feed,
        Err(error) => {
            draft.issues(vec![Issue::lossy("page.malformed-list", None, error.to_string())]);
            return draft.finish();
        }
    };
    draft.title(feed.title.and_then(|title| filled(&words(&title.content))), None, "title");
    draft.page.account.name = draft.page.title.clone();
    let signature = feed.description.and_then(|text| filled(&words(&text.content)));
    if let Some(signature) = &signature {
        draft.text(signature, Role::Label, None, &["description"], false);
    }
    draft.page.account.signature = signature;
    let time = |time: chrono::DateTime<chrono::Utc>| jiff::Timestamp::from_second(time.timestamp()).ok();
    let updated = feed.updated.or(feed.published).and_then(time);
    let mut latest = None;
    for (index, entry) in feed.entries.into_iter().enumerate() {
        let title = entry.title.and_then(|title| filled(&words(&title.content)));
        let address = entry.links.into_iter().map(|link| link.href).find(|href| !href.trim().is_empty());
        let published = entry.published.or(entry.updated).and_then(time);
        latest = latest.max(published);
        let body = entry.content.and_then(|content| content.body);
        let body = body.or(entry.summary.map(|summary| summary.content));
        let step = format!("entry {}", index + 1);
        let chain = [step.as_str(), address.as_deref().unwrap_or_default()];
        draft.post(address.as_deref().unwrap_or(&step), title.as_deref());
        if let Some(title) = &title {
            draft.text(title, Role::Title, None, &chain, false);
        }
        let mut summary = String::new();
        if let Some(body) = body {
            let outline = Outline::read(&body, Ask { mark: leads, lines: false });
            for block in &outline.blocks {
                draft.text(&block.text, Role::Body, None, &chain, false);
                if !summary.is_empty() {
                    summary.push('\n');
                }
                summary.push_str(&block.text);
            }
            for mark in &outline.marks {
                draft.mark(mark, false, &chain);
            }
            draft.issues(outline.issues);
        }
        if let Some(address) = &address {
            draft.link(LinkKind::Link, address, title.as_deref(), false, None);
        }
        let summary = (!summary.is_empty()).then_some(summary);
        draft.page.entries.push(Entry { title, address, published, summary, ..Entry::default() });
    }
    draft.page.published = updated.or(latest);
    draft.finish()
}

/// A text that may be HTML, as words.
fn words(text: &str) -> Cow<'_, str> {
    if !text.contains(['<', '&']) {
        return Cow::Borrowed(text);
    }
    let outline = Outline::read(text, Ask { mark: |_| false, lines: false });
    Cow::Owned(outline.blocks.into_iter().map(|block| block.text).collect::<Vec<_>>().join(" "))
}
