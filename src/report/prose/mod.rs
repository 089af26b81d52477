//! What the report formats share: words in both languages, and making hostile strings safe to show.

mod group;
mod lines;
mod listing;
mod page;
mod visible;
mod words;

pub(super) use group::group;
pub(super) use lines::{Rich, Tone, width};
pub(super) use listing::listing;
pub(super) use page::page;
pub(super) use visible::{Excerpt, excerpt, visible};
pub(super) use words::*;
