//! Tables as offices keep them: CSV (RFC 4180; UTF-8, UTF-16 with its mark, GB18030; comma, tab or semicolon) and
//! workbooks (XLSX, XLS, ODS), as rows of text with the line each stands on.
//!
//! A table has a heading line, which need not be the first: titles may stand above it. Cells are what people see;
//! one that begins with `=` in a CSV is a text, and the value of a formula is the one the workbook has stored.
//! Everything is bounded by what is really there: sizes that a file only states make no room.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};

use encoding_rs::{Encoding, GB18030};

use super::{ods, xls, xlsx};
use crate::decode::archive::{Archive, Unread};
use crate::decode::blob::Blob;
use crate::decode::delimited;
use crate::model::{Lang, Rejected, Wording};
use crate::text::is_invisible;

/// No larger file is read, in bytes.
const MAX_FILE: u64 = 64 << 20;
/// No part of a workbook is inflated beyond this, in bytes.
const MAX_PART: u64 = 64 << 20;
/// Columns that may hold anything.
pub(super) const MAX_COLUMNS: usize = 256;
/// Rows that may hold anything.
pub(super) const MAX_ROWS: usize = 200_000;
/// Cells of one sheet.
const MAX_CELLS: usize = 4_000_000;
/// Text of one sheet, in bytes: shared texts count as often as they are used.
const MAX_TEXT: usize = 64 << 20;
/// Characters of one cell: as many as Excel allows.
const MAX_CELL: usize = 32_767;
/// A heading line is among the first lines that hold anything.
const HEADING_AMONG: usize = 20;

/// Why a file is no table, or not the table that is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableError {
    /// The file; `None` where bytes were given.
    pub path: Option<PathBuf>,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
    /// The line, from 1.
    pub line: Option<u64>,
    /// What is wrong.
    pub reason: Wording,
}

impl TableError {
    pub(super) fn new(reason: impl Into<Wording>) -> Self {
        TableError { path: None, sheet: None, line: None, reason: reason.into() }
    }

    pub(super) fn at(self, line: u64) -> Self {
        TableError { line: Some(line), ..self }
    }

    pub(super) fn in_sheet(self, sheet: &str) -> Self {
        TableError { sheet: Some(sheet.to_owned()), ..self }
    }

    /// File, sheet and line as far as they are known, and the reason in a language.
    pub fn words(&self, lang: Lang) -> String {
        let mut words = self.path.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        if let Some(sheet) = &self.sheet {
            words.push_str(&format!("[{sheet}]"));
        }
        if let Some(line) = self.line {
            words.push_str(&format!(":{line}"));
        }
        let separator = if words.is_empty() { "" } else { ": " };
        format!("{words}{separator}{}", lang.pick(&self.reason.zh, &self.reason.en))
    }
}

impl fmt::Display for TableError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.words(Lang::En))
    }
}

impl std::error::Error for TableError {}

/// A line: the cells that hold anything, by their column from 0, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// From 1.
    pub(super) number: u64,
    cells: Vec<(usize, String)>,
}

impl Line {
    pub(super) fn cell(&self, column: usize) -> Option<&str> {
        let at = self.cells.binary_search_by_key(&column, |(column, _)| *column).ok()?;
        self.cells.get(at).map(|(_, text)| text.as_str())
    }

    pub(super) fn cells(&self) -> impl Iterator<Item = (usize, &str)> {
        self.cells.iter().map(|(column, text)| (*column, text.as_str()))
    }
}

/// A table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    /// The sheet it was found in; `None` for CSV.
    pub(super) sheet: Option<String>,
    pub(super) heading: Line,
    /// What follows the heading.
    pub(super) rows: Vec<Line>,
    /// Lines that cannot be rows.
    pub(super) broken: Vec<Rejected>,
}

/// Reads the file of a table; errors name it.
pub(super) fn read_file<T>(
    path: &Path,
    read: impl FnOnce(&[u8]) -> Result<T, TableError>,
) -> Result<T, TableError> {
    let unreadable = |error: std::io::Error| TableError::new(error.to_string());
    let size = std::fs::metadata(path).map_err(unreadable).and_then(|found| match found.len() > MAX_FILE {
        true => Err(too_large(MAX_FILE)),
        false => std::fs::read(path).map_err(unreadable),
    });
    size.and_then(|bytes| read(&bytes)).map_err(|error| TableError { path: Some(path.to_owned()), ..error })
}

fn too_large(most: u64) -> TableError {
    let mib = most >> 20;
    TableError::new((format!("超过 {mib} MiB，不予读取"), format!("larger than {mib} MiB")))
}

/// Reads a table whose headings `known` knows, from the sheet of a name or from the first that has a heading line.
pub(super) fn read(
    bytes: &[u8],
    sheet: Option<&str>,
    known: &dyn Fn(&str) -> bool,
) -> Result<Table, TableError> {
    if bytes.len() as u64 > MAX_FILE {
        return Err(too_large(MAX_FILE));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return from_book(&book(bytes)?, sheet, known);
    }
    if bytes.starts_with(xls::MAGIC) {
        return from_book(&xls::open(bytes)?, sheet, known);
    }
    from_text(&decoded(bytes)?, known)
}

/// A workbook.
pub(super) struct Book<'a> {
    /// Names of the sheets, and whether they are hidden.
    pub(super) sheets: Vec<(String, bool)>,
    /// Reads a sheet by its position.
    pub(super) read: Box<dyn Fn(usize) -> Result<Vec<Line>, TableError> + 'a>,
}

fn book(bytes: &[u8]) -> Result<Book<'static>, TableError> {
    let unreadable = |cause: String| {
        TableError::new((format!("工作簿已损坏：{cause}"), format!("the workbook is damaged: {cause}")))
    };
    let (archive, issues) =
        Archive::open(Blob::memory(bytes)).map_err(|error| unreadable(error.to_string()))?;
    if let Some(issue) = issues.into_iter().find(|issue| issue.lossy) {
        return Err(unreadable(issue.detail));
    }
    if archive.entry("content.xml").is_some() {
        return ods::open(&archive);
    }
    if archive.entry("[Content_Types].xml").is_some() {
        return xlsx::open(archive);
    }
    Err(TableError::new(("不是 XLSX、ODS 工作簿", "neither an XLSX nor an ODS workbook")))
}

/// A part of a workbook as text; `None` where it is not there.
pub(super) fn part(archive: &Archive, name: &str) -> Result<Option<String>, TableError> {
    let Some(entry) = archive.entry(name) else { return Ok(None) };
    let bad = |zh: String, en: String| TableError::new((format!("{name}：{zh}"), format!("{name}: {en}")));
    let (bytes, issues) = match entry.size > MAX_PART {
        true => return Err(too_large(MAX_PART)),
        false => archive.read(entry).map_err(|Unread { detail, .. }| bad(detail.clone(), detail))?,
    };
    if bytes.len() as u64 > MAX_PART {
        return Err(too_large(MAX_PART));
    }
    if let Some(issue) = issues.into_iter().find(|issue| issue.lossy || issue.code == "zip.checksum-mismatch")
    {
        return Err(bad(format!("已损坏（{}）", issue.detail), format!("damaged ({})", issue.detail)));
    }
    let text = match Encoding::for_bom(&bytes) {
        Some((encoding, _)) => encoding.decode(&bytes).0.into_owned(),
        None => String::from_utf8(bytes).map_err(|error| bad("不是 UTF-8".into(), error.to_string()))?,
    };
    Ok(Some(text))
}

fn from_book(
    book: &Book<'_>,
    wanted: Option<&str>,
    known: &dyn Fn(&str) -> bool,
) -> Result<Table, TableError> {
    let mut names = Vec::new();
    for (at, (name, hidden)) in book.sheets.iter().enumerate() {
        if wanted.map_or(*hidden, |wanted| wanted != name) {
            continue;
        }
        names.push(name.as_str());
        let lines = (book.read)(at).map_err(|error| error.in_sheet(name))?;
        if let Some(heading) = heading(&lines, known) {
            let mut lines = lines.into_iter().skip(heading);
            let heading = lines.next().unwrap_or_default();
            let rows = lines.filter(|line| !repeats(line, &heading)).collect();
            return Ok(Table { sheet: Some(name.clone()), heading, rows, broken: Vec::new() });
        }
    }
    match wanted {
        Some(wanted) if names.is_empty() => {
            let all: Vec<&str> = book.sheets.iter().map(|(name, _)| name.as_str()).collect();
            Err(TableError::new((
                format!("没有名为“{wanted}”的工作表，有：{}", all.join("、")),
                format!("no sheet {wanted:?}; there are: {}", all.join(", ")),
            )))
        }
        _ => Err(no_heading(&names)),
    }
}

fn no_heading(sheets: &[&str]) -> TableError {
    let (mut zh, mut en) = (
        format!("前 {HEADING_AMONG} 行中没有列名行"),
        format!("no line of headings among the first {HEADING_AMONG}"),
    );
    if !sheets.is_empty() {
        zh.push_str(&format!("（工作表：{}）", sheets.join("、")));
        en.push_str(&format!(" (sheets: {})", sheets.join(", ")));
    }
    TableError::new((zh, en))
}

/// The line that has most headings; one word alone is none.
fn heading(lines: &[Line], known: &dyn Fn(&str) -> bool) -> Option<usize> {
    let count = |line: &Line| line.cells().filter(|(_, cell)| known(cell)).count();
    let counts = lines.iter().take(HEADING_AMONG).map(count).enumerate();
    // The first of those that have as many.
    counts.rev().max_by_key(|(_, count)| *count).filter(|(_, count)| *count >= 2).map(|(at, _)| at)
}

/// Whether a line is the heading once more: printed on every page, or the lower half of merged cells.
fn repeats(line: &Line, heading: &Line) -> bool {
    line.cells().all(|(column, cell)| heading.cell(column) == Some(cell))
}

fn from_text(text: &str, known: &dyn Fn(&str) -> bool) -> Result<Table, TableError> {
    if text.trim_start().starts_with('<') {
        return Err(TableError::new((
            "是网页或 XML，不是表格文件；请用电子表格软件打开后另存为 XLSX 或 CSV",
            "a web page or XML under the name of a table; open it in a spreadsheet program and save it as XLSX or CSV",
        )));
    }
    for delimiter in *b",\t;" {
        let first: Vec<Line> = delimited::rows(text, delimiter)
            .take(HEADING_AMONG)
            .map(|row| {
                row.map_or_else(|(number, _)| Line { number, cells: Vec::new() }, |row| line(row.0, &row.1))
            })
            .collect();
        let Some(at) = heading(&first, known) else { continue };
        let heading = first.into_iter().nth(at).unwrap_or_default();
        let width = heading.cells().last().map_or(0, |(column, _)| column + 1);
        let (mut rows, mut broken) = (Vec::new(), Vec::new());
        let mut reject = |line, reason: Wording| {
            broken.push(Rejected { line, reason: reason.zh, reason_en: reason.en });
        };
        for row in delimited::rows(text, delimiter).skip(at + 1) {
            let (number, record) = match row {
                Ok(row) => row,
                Err((number, cause)) => {
                    reject(number, cause.into());
                    continue;
                }
            };
            let row = line(number, &record);
            if let Some((last, _)) = row.cells().last().filter(|(last, _)| *last >= width) {
                reject(number, delimited::misfit(last + 1, width).into());
            } else if record.iter().any(|cell| cell.chars().nth(MAX_CELL).is_some()) {
                reject(number, too_long());
            } else if record.iter().any(|cell| swallows(cell, delimiter)) {
                reject(
                    number,
                    ("单元格含有多行，引号可能没有成对", "a cell holds rows: an unclosed quotation mark")
                        .into(),
                );
            } else if !repeats(&row, &heading) {
                rows.push(row);
            }
            if rows.len() > MAX_ROWS {
                return Err(too_many_rows().at(number));
            }
        }
        return Ok(Table { sheet: None, heading, rows, broken });
    }
    Err(no_heading(&[]))
}

fn too_many_rows() -> TableError {
    TableError::new((format!("超过 {MAX_ROWS} 行"), format!("more than {MAX_ROWS} rows")))
}

fn too_long() -> Wording {
    (format!("单元格超过 {MAX_CELL} 字"), format!("a cell of more than {MAX_CELL} characters")).into()
}

/// Whether a cell has several lines with delimiters in them: rows that an open quotation mark has swallowed.
fn swallows(cell: &str, delimiter: u8) -> bool {
    cell.lines().skip(1).any(|line| line.bytes().filter(|byte| *byte == delimiter).count() >= 2)
}

fn line(number: u64, record: &delimited::StringRecord) -> Line {
    let cells = record.iter().map(shown).enumerate().filter(|(_, cell)| !cell.is_empty());
    Line { number, cells: cells.map(|(column, cell)| (column, cell.to_owned())).collect() }
}

/// A cell without what cannot be seen around it.
fn shown(cell: &str) -> &str {
    cell.trim_matches(|ch: char| ch.is_whitespace() || is_invisible(ch))
}

fn decoded(bytes: &[u8]) -> Result<Cow<'_, str>, TableError> {
    let failed = || TableError::new(("既不是 UTF-8 也不是 GB18030 编码", "neither UTF-8 nor GB18030"));
    let (encoding, bytes) = match Encoding::for_bom(bytes) {
        Some((encoding, mark)) => (encoding, bytes.get(mark..).unwrap_or_default()),
        None if std::str::from_utf8(bytes).is_ok() => (encoding_rs::UTF_8, bytes),
        None => (GB18030, bytes),
    };
    let (text, broken) = encoding.decode_without_bom_handling(bytes);
    match broken || text.contains('\0') {
        true => Err(failed()),
        false => Ok(text),
    }
}

/// Cells of a sheet as they come, within the bounds.
#[derive(Default)]
pub(super) struct Grid {
    rows: BTreeMap<u64, BTreeMap<usize, String>>,
    cells: usize,
    bytes: usize,
    /// The first column of merged cells with its first and last line.
    merged: Vec<(usize, u64, u64)>,
}

impl Grid {
    /// Puts a text into a line (from 1) and a column (from 0).
    pub(super) fn put(&mut self, number: u64, column: usize, text: &str) -> Result<(), TableError> {
        let text = shown(text);
        if text.is_empty() {
            return Ok(());
        }
        self.cells += 1;
        self.bytes += text.len();
        let limit = if column >= MAX_COLUMNS {
            TableError::new((format!("超过 {MAX_COLUMNS} 列"), format!("more than {MAX_COLUMNS} columns")))
        } else if text.chars().nth(MAX_CELL).is_some() {
            TableError::new(too_long())
        } else if self.cells > MAX_CELLS || self.bytes > MAX_TEXT {
            TableError::new(("内容过多", "too much text"))
        } else if !self.rows.contains_key(&number) && self.rows.len() >= MAX_ROWS {
            too_many_rows()
        } else {
            self.rows.entry(number).or_default().insert(column, text.to_owned());
            return Ok(());
        };
        Err(limit.at(number))
    }

    /// Says that the cells of a column are one, from line to line.
    pub(super) fn merge(&mut self, column: usize, first: u64, last: u64) {
        if last > first && column < MAX_COLUMNS {
            self.merged.push((column, first, last));
        }
    }

    /// The lines; merged cells hold their text in every line that holds anything else.
    pub(super) fn lines(mut self) -> Result<Vec<Line>, TableError> {
        let mut merged: HashMap<usize, Vec<(u64, u64)>> = HashMap::new();
        for (column, first, last) in std::mem::take(&mut self.merged) {
            merged.entry(column).or_default().push((first, last));
        }
        for (column, mut ranges) in merged {
            ranges.sort_unstable();
            let mut free = 0;
            for (first, last) in ranges {
                // Merged cells do not overlap; what says so counts once.
                let text = self.rows.get(&first).and_then(|row| row.get(&column)).cloned();
                if first < free {
                    continue;
                }
                free = last.saturating_add(1);
                let below: Vec<u64> =
                    self.rows.range(first.saturating_add(1)..free).map(|(number, _)| *number).collect();
                for number in below.into_iter().filter(|_| text.is_some()) {
                    self.put(number, column, text.as_deref().unwrap_or_default())?;
                }
            }
        }
        let lines = self.rows.into_iter();
        Ok(lines.map(|(number, cells)| Line { number, cells: cells.into_iter().collect() }).collect())
    }
}
