//! JSON: the contract with other programs, `zhijian.report/1`. `json` is one indented object (an array when several
//! targets were given), `jsonl` one object a line.
//!
//! The schema is generated from the types and published as `zhijian.report-1.schema.json` beside this file.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use super::{Format, Run, View};
use crate::model::{Report, SCHEMA, published};
use crate::text::is_invisible;

pub(super) const FORMAT: Format = Format { name: "json", streams: false, write: pretty };
pub(super) const LINES_FORMAT: Format = Format { name: "jsonl", streams: true, write: lines };

fn pretty(run: &Run<'_>, _view: View, out: &mut dyn Write) -> io::Result<()> {
    match run.reports {
        [] if !run.several => Ok(()),
        [report] if !run.several => write_value(report, out),
        reports => write_value(reports, out),
    }
}

fn lines(run: &Run<'_>, _view: View, out: &mut dyn Write) -> io::Result<()> {
    run.reports.iter().try_for_each(|report| writeln!(out, "{}", harmless(&serde_json::to_string(report)?)))
}

/// Writes a value indented, with a line end.
pub(super) fn write_value<T: Serialize + ?Sized>(value: &T, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", harmless(&serde_json::to_string_pretty(value)?))
}

/// The same JSON with control and format characters written as `\uXXXX`: it may be looked at on a terminal.
/// Outside of strings JSON has no such characters but line ends.
pub(crate) fn harmless(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for ch in json.chars() {
        if ch != '\n' && (ch.is_control() || is_invisible(ch) || matches!(ch, '\u{2028}' | '\u{2029}')) {
            for unit in ch.encode_utf16(&mut [0; 2]) {
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(ch);
        }
    }
    out
}

/// JSON Schema of one report.
pub fn schema() -> Value {
    published::<Report>(SCHEMA)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_disturbs_a_terminal_is_escaped_and_reads_back_the_same() {
        let text = "\u{1b}[31m\u{9b}\u{202e}\u{7f}\u{e0041}\u{2028}打卡 😀";
        let json = harmless(&serde_json::to_string(text).unwrap());
        assert!(!json.chars().any(|ch| ch.is_control() || is_invisible(ch)), "{json}");
        assert_eq!(serde_json::from_str::<String>(&json).unwrap(), text);
    }

    #[test]
    fn the_published_schema_is_the_generated_one() {
        let published: Value = serde_json::from_str(include_str!("zhijian.report-1.schema.json")).unwrap();
        assert_eq!(published, schema(), "run: zhijian schema > src/report/zhijian.report-1.schema.json");
    }
}
