//! Work groups (网络工作群组) from exports that their owners made lawfully, one file per kind of export. An export is
//! read from bytes; nothing here fetches, no platform is asked, and no rule is seen. People are numbered, never
//! named: names and telephone numbers are masked before a text leaves this room.
//!
//! ```text
//! bytes ─▶ Input (characters) ─▶ the first kind in GROUPS that knows the content ─▶ Export (groups, messages)
//!       ─▶ one Read for each group { Inspection: masked texts, states, gaps; GroupRecord }
//! ```

mod chain;
mod csv;
mod draft;
mod export;
mod field;
mod json;
mod log;
mod mask;
mod observe;
mod run;

use self::export::Export;
use crate::decode::html::{Decoded, decode_as};
use crate::model::{GroupRecord, Inspection};

/// Bytes of an export, and the path that places in it begin with.
#[derive(Debug, Clone)]
pub struct Input<'a> {
    path: &'a str,
    decoded: Decoded<'a>,
}

impl<'a> Input<'a> {
    /// `path` names the file in places; it may be empty where the report speaks of that file alone.
    pub fn new(bytes: &'a [u8], path: &'a str) -> Self {
        Input { path, decoded: decode_as(bytes, None) }
    }

    /// The characters.
    pub fn text(&self) -> &str {
        &self.decoded.text
    }
}

/// What was read of one group.
#[derive(Debug)]
pub struct Read {
    /// Texts, states and gaps for the rules.
    pub inspection: Inspection,
    /// The group.
    pub group: GroupRecord,
}

/// A kind of export.
#[derive(Debug, Clone, Copy)]
pub struct Kind {
    /// Short name, as in reports; that of its file.
    pub name: &'static str,
    /// Full name in Chinese and English.
    pub title: (&'static str, &'static str),
    /// Whether the content is of this kind.
    pub matches: fn(&Input<'_>) -> bool,
    /// Reads an export of this kind.
    read: fn(&Input<'_>) -> Export,
}

/// Every kind, the more specific before the more general.
pub static GROUPS: &[Kind] = &[json::KIND, csv::KIND, log::KIND];

/// Recognises an export by its content and reads it: one [`Read`] for each group in it, in the order of the file, so
/// that each is judged alone. `None` for what is no export of a group.
pub fn read(input: &Input<'_>) -> Option<Vec<Read>> {
    let kind = GROUPS.iter().find(|kind| (kind.matches)(input))?;
    Some(draft::finish(input, kind.name, (kind.read)(input)))
}
