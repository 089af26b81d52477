//! Reports as people and programs read them, one file per format.
//!
//! Every format shows the same things in the same order: the conclusion, what was seen, findings with the gravest
//! first, duties, what could not be seen, and an annex for technicians. A new format is one file here and one
//! line in [`FORMATS`]. Documents about a report besides it have folders: `diff` compares two, `notice` asks for
//! rectification, `fleet` sums up many, `wireframe` draws a screen again; `prose`, `sheet` and `word` are what several
//! of them share.

mod diff;
mod docx;
mod fleet;
mod html;
mod json;
mod notice;
mod prose;
mod sarif;
pub(crate) mod sheet;
mod terminal;
mod wireframe;
mod word;
mod xlsx;

use std::io::{self, Write};

use crate::model::{Exception, Lang, Listing, Report, Verdict};

pub use diff::write as write_diff;
pub use fleet::{FLEET_FORMATS, Fleet, FleetFailure, FleetFormat, FleetRun, FleetSeen, FleetTarget, Levels};
pub use html::{Piece, STYLE, piece};
pub(crate) use json::harmless;
pub use json::{ReadError, diff_schema, read, read_all, schema};
pub use notice::{NOTICE_FORMATS, Notice, NoticeData, NoticeError, NoticeFormat};
pub(crate) use prose::escape;

/// Writes a value as format `json` writes a report: indented, and harmless on a terminal.
pub fn write_json<T: serde::Serialize + ?Sized>(value: &T, out: &mut dyn Write) -> io::Result<()> {
    json::write_value(value, out)
}

/// A string of a package or a path as it may be shown: control, format and bidi characters become escapes.
pub fn visible(raw: &str) -> std::borrow::Cow<'_, str> {
    prose::visible(raw)
}

/// An exception with the document that it needs, as two sentences.
pub fn exception(lang: Lang, exception: &Exception) -> String {
    prose::exception(lang, exception)
}

/// A string of a package cut to so many columns around what was matched in it: before, the match, after.
pub fn excerpt(raw: &str, matched: &str, columns: usize) -> (String, String, String) {
    let prose::Excerpt { before, matched, after } = prose::excerpt(raw, matched, columns);
    (before, matched, after)
}

/// The phrase of a verdict on coverage.
pub fn verdict(lang: Lang, verdict: Verdict) -> &'static str {
    prose::verdict(lang, verdict)
}

/// What an app store says of an app, as rows of a label and a text.
pub fn listing(lang: Lang, listing: &Listing) -> Vec<(&'static str, String)> {
    prose::listing(lang, listing)
}

/// A target for which there is no report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The path or address as the user gave it.
    pub source: String,
    /// Why, in the language of the output.
    pub cause: String,
}

/// The outcome of one run.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// Reports in the order in which their targets were given.
    pub reports: &'a [Report],
    /// What could not be scanned.
    pub failures: &'a [Failure],
    /// More than one target was given, whatever became of them.
    pub several: bool,
}

/// How people want to see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct View {
    /// Language of everything that is not quoted from the package.
    pub lang: Lang,
    /// Unfold mentions and every row of evidence.
    pub all: bool,
    /// Colours by terminal escapes.
    pub colour: bool,
}

/// A report format.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// Name on the command line.
    pub name: &'static str,
    /// Its media type.
    pub media: &'static str,
    /// The output of a run is that of its reports one after another, so it can be written as they come.
    pub streams: bool,
    /// Writes a run.
    pub write: fn(&Run<'_>, View, &mut dyn Write) -> io::Result<()>,
}

impl Format {
    /// Whether it may go to a terminal.
    pub fn is_text(&self) -> bool {
        !self.media.starts_with("application/vnd.")
    }
}

/// Every format, in the order in which help lists them.
pub static FORMATS: &[Format] = &[
    terminal::FORMAT,
    json::FORMAT,
    json::LINES_FORMAT,
    sarif::FORMAT,
    html::FORMAT,
    docx::FORMAT,
    xlsx::FORMAT,
];

/// The format of a name.
pub fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_a_listed_format() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/report");
        for file in std::fs::read_dir(folder).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            if let Some(name) = name.strip_suffix(".rs").filter(|name| *name != "mod") {
                assert!(format(name).is_some(), "{name}.rs is not in FORMATS");
            }
        }
    }
}
