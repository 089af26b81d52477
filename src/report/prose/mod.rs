//! What the report formats share: words in both languages, and making hostile strings safe to show.

mod basis;
mod group;
mod lines;
mod listing;
mod page;
mod visible;
mod words;

use crate::model::Lang;

pub(super) use basis::{Document, documents};
pub(super) use group::group;
pub(super) use lines::{Rich, Tone, beside, width};
pub(super) use listing::listing;
pub(super) use page::page;
pub(crate) use visible::escape;
pub(super) use visible::{Excerpt, excerpt, visible};
pub(super) use words::*;

/// Rows of a Chinese label, an English label and a text as a reader of one language sees them, less those without a
/// text.
fn labelled<const N: usize>(
    lang: Lang,
    rows: [(&'static str, &'static str, Option<String>); N],
) -> Vec<(&'static str, String)> {
    rows.into_iter().filter_map(|(zh, en, text)| Some((lang.pick(zh, en), text?))).collect()
}
