//! JSON: the contract with other programs, `zhijian.report/1`. `json` is one indented object (an array when several
//! targets were given), `jsonl` one object a line.
//!
//! The schema is generated from the types and published as `zhijian.report-1.schema.json` beside this file.

use std::fmt::Write as _;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Format, Run, View};
use crate::model::{DIFF_SCHEMA, Lang, Rectification, Report, SCHEMA, Surface, published};
use crate::text::is_invisible;

/// More findings or duties than rules is no report of this program.
const MAX_FINDINGS: usize = 500;
/// Rows of evidence of one finding.
const MAX_EVIDENCE: usize = 500;

pub(super) const FORMAT: Format =
    Format { name: "json", media: "application/json", streams: false, write: pretty };
pub(super) const LINES_FORMAT: Format =
    Format { name: "jsonl", media: "application/x-ndjson", streams: true, write: lines };

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

/// JSON Schema of a comparison of two reports.
pub fn diff_schema() -> Value {
    published::<Rectification>(DIFF_SCHEMA)
}

/// Why bytes are no report that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadError {
    /// Something else altogether.
    NotAReport,
    /// A report of a later version of the format.
    Newer(String),
    /// Another document of this program.
    Other(String),
    /// So many reports where one is wanted.
    Several(usize),
    /// Broken, or not as the format says; with line and column.
    Malformed(String),
}

impl ReadError {
    /// The error in a language.
    pub fn words(&self, lang: Lang) -> String {
        match (self, lang) {
            (ReadError::NotAReport, Lang::Zh) => format!("不是 {SCHEMA} 格式的报告"),
            (ReadError::NotAReport, Lang::En) => format!("no report of the format {SCHEMA}"),
            (ReadError::Newer(name), Lang::Zh) => {
                format!("报告格式 {name} 较新，本程序只能读取 {SCHEMA}，请升级程序")
            }
            (ReadError::Newer(name), Lang::En) => {
                format!("a report of the later format {name}; this program reads {SCHEMA}, update it")
            }
            (ReadError::Other(name), Lang::Zh) => format!("是 {name} 文件，不是报告（{SCHEMA}）"),
            (ReadError::Other(name), Lang::En) => {
                format!("a document of the format {name}, not a report ({SCHEMA})")
            }
            (ReadError::Several(count), Lang::Zh) => format!("文件中有 {count} 份报告，只能给一份"),
            (ReadError::Several(count), Lang::En) => format!("{count} reports in one file; give one"),
            (ReadError::Malformed(cause), Lang::Zh) => format!("报告损坏或者不符合格式：{cause}"),
            (ReadError::Malformed(cause), Lang::En) => {
                format!("a broken report, or not as the format says: {cause}")
            }
        }
    }
}

/// Whether a report is no larger than this program makes them: what works on it may compare every row with every other.
fn is_bounded(report: &Report) -> bool {
    let rows = report.findings.iter().map(|finding| finding.evidence.len());
    report.findings.len() <= MAX_FINDINGS
        && report.duties.len() <= MAX_FINDINGS
        && rows.max().is_none_or(|rows| rows <= MAX_EVIDENCE)
        && report.surface.as_ref().is_none_or(Surface::is_bounded)
}

/// Reads a report that this program wrote: format `json` or `jsonl` with one report in it.
pub fn read(bytes: &[u8]) -> Result<Report, ReadError> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(default)]
        schema: Option<Value>,
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    let list = bytes.first() == Some(&b'[');
    if !list && bytes.first() != Some(&b'{') {
        return Err(ReadError::NotAReport);
    }
    let heads: Result<Vec<Head>, serde_json::Error> = if list {
        serde_json::from_slice(bytes)
    } else {
        serde_json::Deserializer::from_slice(bytes).into_iter().collect()
    };
    let heads = heads.map_err(|error| {
        // Whatever else it is, it may be a report that was cut off.
        let ours = memchr::memmem::find(bytes, b"\"zhijian.report/").is_some();
        if ours { ReadError::Malformed(error.to_string()) } else { ReadError::NotAReport }
    })?;
    let ours = |head: &Head| match &head.schema {
        Some(Value::String(name)) if name.starts_with("zhijian.") => Some(name.clone()),
        _ => None,
    };
    let names: Vec<String> = heads.iter().filter_map(ours).collect();
    match names.as_slice() {
        [] => Err(ReadError::NotAReport),
        [name] if name == SCHEMA => {
            let report = if list {
                serde_json::from_slice::<(Report,)>(bytes).map(|(report,)| report)
            } else {
                serde_json::from_slice(bytes)
            };
            let report = report.map_err(|error| ReadError::Malformed(error.to_string()))?;
            if is_bounded(&report) { Ok(report) } else { Err(ReadError::Malformed("too many rows".into())) }
        }
        [name] => {
            let version =
                name.strip_prefix("zhijian.report/").and_then(|version| version.parse::<u32>().ok());
            Err(if version.is_some() {
                ReadError::Newer(name.clone())
            } else {
                ReadError::Other(name.clone())
            })
        }
        names => Err(ReadError::Several(names.len())),
    }
}

/// Reads the reports of a file: one, or a list of those of one target.
pub fn read_all(bytes: &[u8]) -> Result<Vec<Report>, ReadError> {
    match read(bytes) {
        Ok(report) => Ok(vec![report]),
        Err(ReadError::Several(_)) => {
            let reports: Result<Vec<Report>, serde_json::Error> =
                if bytes.trim_ascii_start().first() == Some(&b'[') {
                    serde_json::from_slice(bytes)
                } else {
                    serde_json::Deserializer::from_slice(bytes).into_iter().collect()
                };
            let reports = reports.map_err(|error| ReadError::Malformed(error.to_string()))?;
            match reports.iter().all(|report| report.schema == SCHEMA && is_bounded(report)) {
                true => Ok(reports),
                false => Err(ReadError::Malformed("too many rows, or another document".into())),
            }
        }
        Err(error) => Err(error),
    }
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
        let published: Value = serde_json::from_str(include_str!("zhijian.diff-1.schema.json")).unwrap();
        assert_eq!(
            published,
            diff_schema(),
            "run: zhijian schema diff > src/report/zhijian.diff-1.schema.json"
        );
    }
}
