//! Site maps (sitemaps.org 0.9: `urlset`, `sitemapindex`; with Google's news extension), read by `quick-xml`.

use quick_xml::events::Event;

use super::draft::Draft;
use super::standing::Entries;
use super::{Input, Kind, Read, feed, filled};
use crate::decode::outline::characters;
use crate::decode::{Issue, date};
use crate::model::{Entry, Platform, Role};

pub(super) const KIND: Kind = Kind { name: "sitemap", title: ("站点地图", "site map"), matches, read };

/// Twice what the protocol allows.
const MAX_ENTRIES: usize = 100_000;

fn matches(input: &Input<'_>) -> bool {
    matches!(feed::root(input.text()), Some("urlset" | "sitemapindex"))
}

fn read(input: &Input<'_>) -> Read {
    let mut draft = Draft::new(input, KIND.name);
    draft.speaks_of_account(Entries::Pages);
    draft.page.account.platform = Some(Platform::Website);
    let text = feed::without_declaration(input.text());
    let mut reader = quick_xml::Reader::from_str(text);
    reader.config_mut().check_end_names = false;
    let mut entry: Option<Entry> = None;
    let mut field: Option<&'static str> = None;
    let mut value = String::new();
    let mut dropped = 0u64;
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                value.clear();
                field = match tag.local_name().as_ref() {
                    "url" | "sitemap" => {
                        entry = Some(Entry::default());
                        None
                    }
                    "loc" => Some("loc"),
                    "lastmod" => Some("lastmod"),
                    "publication_date" => Some("publication_date"),
                    "title" => Some("title"),
                    _ => None,
                };
            }
            Ok(Event::Text(text)) if field.is_some() => value.push_str(&text),
            Ok(Event::GeneralRef(name)) if field.is_some() => {
                let name = format!("&{};", &*name);
                value.push_str(&characters(&name));
            }
            Ok(Event::CData(text)) if field.is_some() => value.push_str(&text),
            Ok(Event::End(tag)) => {
                if matches!(tag.local_name().as_ref(), "url" | "sitemap") {
                    keep(&mut draft, entry.take(), &mut dropped);
                } else if let (Some(field), Some(entry), Some(text)) =
                    (field.take(), &mut entry, filled(&value))
                {
                    match field {
                        "loc" => entry.address = Some(text),
                        "title" => entry.title = Some(text),
                        _ => match date::any(&text) {
                            Some(time) => entry.published = Some(time),
                            None => draft.bad_date(&text),
                        },
                    }
                }
            }
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(error) => {
                let at = reader.error_position();
                draft.issues(vec![Issue::lossy("page.malformed-list", at, error.to_string())]);
                break;
            }
        }
    }
    // An entry that the end of the file cuts off.
    if entry.is_some() {
        let detail = "the last entry has no end";
        draft.issues(vec![Issue::lossy("page.malformed-list", None, detail)]);
        keep(&mut draft, entry, &mut dropped);
    }
    if dropped > 0 {
        draft.issues(vec![Issue::lossy("page.too-many-entries", None, format!("{dropped} more"))]);
    }
    draft.page.published = draft.page.entries.iter().filter_map(|entry| entry.published).max();
    draft.finish()
}

fn keep(draft: &mut Draft<'_>, entry: Option<Entry>, dropped: &mut u64) {
    let Some(entry) = entry.filter(|entry| entry.address.is_some()) else { return };
    if draft.page.entries.len() >= MAX_ENTRIES {
        *dropped += 1;
        return;
    }
    if let Some(title) = &entry.title {
        let address = entry.address.clone().unwrap_or_default();
        draft.text(title, Role::Title, None, &[&address], false);
    }
    draft.page.entries.push(entry);
}
