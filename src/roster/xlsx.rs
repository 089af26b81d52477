//! XLSX workbooks (ECMA-376 part 1, SpreadsheetML; both conformance classes), as far as the text of cells goes.
//!
//! Read here and not by a library, because a table comes from anybody: `calamine` 0.38 makes room for as many texts
//! as `uniqueCount` states, which ends the process. It is the oracle of the tests.

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::shown::{Shape, iso};
use super::table::{Book, Grid, Line, TableError, part};
use crate::decode::archive::Archive;
use crate::decode::outline::characters;

/// The last row and the last column that a sheet can have.
const LAST: (u64, usize) = (1_048_576, 16_384);

/// Opens a workbook.
pub(super) fn open(archive: Archive) -> Result<Book<'static>, TableError> {
    let relations = relations(&archive, "", "_rels/.rels")?;
    let office = relations.values().find(|(kind, _)| kind.ends_with("/officeDocument"));
    let book = office.map_or("xl/workbook.xml", |(_, target)| target).to_owned();
    let (folder, file) = book.rsplit_once('/').unwrap_or(("", &book));
    let relations = self::relations(&archive, folder, &format!("{folder}/_rels/{file}.rels"))?;
    let text = part(&archive, &book)?.ok_or_else(|| damaged(&book, "not there"))?;
    let (mut sheets, mut paths, mut since_1904) = (Vec::new(), Vec::new(), false);
    walk(&book, &text, |event| {
        if let Event::Start(tag) | Event::Empty(tag) = event {
            match tag.local_name().as_ref() {
                "workbookPr" => {
                    since_1904 = matches!(attribute(tag, "date1904").as_deref(), Some("1" | "true"))
                }
                "sheet" => {
                    let id = attribute(tag, "id").unwrap_or_default();
                    // Sheets of charts hold no cells.
                    if let Some((_, path)) =
                        relations.get(&id).filter(|(kind, _)| kind.ends_with("/worksheet"))
                    {
                        let hidden = attribute(tag, "state").is_some_and(|state| state != "visible");
                        sheets.push((attribute(tag, "name").unwrap_or_default(), hidden));
                        paths.push(path.clone());
                    }
                }
                _ => {}
            }
        }
        Ok(())
    })?;
    let target =
        |kind: &str| relations.values().find(|(found, _)| found.ends_with(kind)).map(|(_, path)| path);
    let strings = target("/sharedStrings").map_or(Ok(Vec::new()), |path| strings(&archive, path))?;
    let formats = target("/styles").map_or(Ok(Vec::new()), |path| formats(&archive, path))?;
    let cells = Cells { strings, formats, since_1904 };
    let read = Box::new(move |at: usize| {
        let path = paths.get(at).map_or("", String::as_str);
        let text = part(&archive, path)?.ok_or_else(|| damaged(path, "not there"))?;
        cells.lines(path, &text)
    });
    Ok(Book { sheets, read })
}

fn damaged(part: &str, detail: impl std::fmt::Display) -> TableError {
    TableError::new((format!("{part}：已损坏（{detail}）"), format!("{part}: damaged ({detail})")))
}

/// Hands over every event of a part; one that is not well-formed, or ends within an element, is damaged.
pub(super) fn walk<'t>(
    part: &str,
    text: &'t str,
    mut see: impl FnMut(&Event<'t>) -> Result<(), TableError>,
) -> Result<(), TableError> {
    let mut reader = Reader::from_str(text);
    let mut open = 0u64;
    loop {
        let event = reader
            .read_event()
            .map_err(|error| damaged(part, format_args!("{error} @ {}", reader.error_position())))?;
        match &event {
            Event::Start(_) => open += 1,
            Event::End(_) => open = open.saturating_sub(1),
            Event::Eof if open > 0 => return Err(damaged(part, "ends within an element")),
            Event::Eof => return Ok(()),
            _ => {}
        }
        see(&event)?;
    }
}

/// The value of an attribute by its local name.
pub(super) fn attribute(tag: &BytesStart<'_>, name: &str) -> Option<String> {
    let mut attributes = tag.attributes();
    let found = attributes.with_checks(false).flatten().find(|one| one.key.local_name().as_ref() == name);
    found.map(|found| characters(&found.value).into_owned())
}

/// Appends the text of an event.
pub(super) fn append(text: &mut String, event: &Event<'_>) {
    match event {
        Event::Text(piece) => text.push_str(piece),
        Event::CData(piece) => text.push_str(piece),
        Event::GeneralRef(name) => text.push_str(&characters(&format!("&{};", &**name))),
        _ => {}
    }
}

/// Kind and path of every part that a part refers to, by id.
fn relations(
    archive: &Archive,
    folder: &str,
    name: &str,
) -> Result<HashMap<String, (String, String)>, TableError> {
    let mut relations = HashMap::new();
    let Some(text) = part(archive, name.trim_start_matches('/'))? else { return Ok(relations) };
    walk(name, &text, |event| {
        if let Event::Start(tag) | Event::Empty(tag) = event
            && tag.local_name().as_ref() == "Relationship"
            && let (Some(id), Some(target)) = (attribute(tag, "Id"), attribute(tag, "Target"))
        {
            let path = match target.strip_prefix('/') {
                Some(whole) => whole.to_owned(),
                None if folder.is_empty() => target,
                None => format!("{folder}/{target}"),
            };
            relations.insert(id, (attribute(tag, "Type").unwrap_or_default(), path));
        }
        Ok(())
    })?;
    Ok(relations)
}

/// The shared texts: of runs the text alone, without how it is read aloud.
fn strings(archive: &Archive, path: &str) -> Result<Vec<String>, TableError> {
    let Some(text) = part(archive, path)? else { return Ok(Vec::new()) };
    let (mut strings, mut item) = (Vec::new(), Item::default());
    walk(path, &text, |event| {
        if item.see(event, "si") {
            strings.push(std::mem::take(&mut item.text));
        }
        Ok(())
    })?;
    Ok(strings)
}

/// A text of runs, as it comes.
#[derive(Default)]
struct Item {
    text: String,
    shown: bool,
    aloud: bool,
}

impl Item {
    /// Whether the element that holds the text has ended.
    fn see(&mut self, event: &Event<'_>, holder: &str) -> bool {
        match event {
            Event::Start(tag) => match tag.local_name().as_ref() {
                "t" => self.shown = !self.aloud,
                "rPh" => self.aloud = true,
                name if name == holder => self.text.clear(),
                _ => {}
            },
            Event::End(tag) => match tag.local_name().as_ref() {
                "t" => self.shown = false,
                "rPh" => self.aloud = false,
                name if name == holder => {
                    self.text = unescaped(&self.text);
                    return true;
                }
                _ => {}
            },
            Event::Empty(tag) if tag.local_name().as_ref() == holder => {
                self.text.clear();
                return true;
            }
            _ if self.shown => append(&mut self.text, event),
            _ => {}
        }
        false
    }
}

/// Characters that XML cannot hold are written `_x000D_` (ECMA-376 part 1, 22.9.2.19).
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("_x") {
        let code = rest.get(at + 2..at + 6).filter(|_| rest.get(at + 6..at + 7) == Some("_"));
        let ch = code.and_then(|code| u32::from_str_radix(code, 16).ok()).and_then(char::from_u32);
        out.push_str(rest.get(..at).unwrap_or_default());
        match ch {
            Some(ch) => out.push(ch),
            None => out.push_str("_x"),
        }
        rest = rest.get(at + if ch.is_some() { 7 } else { 2 }..).unwrap_or_default();
    }
    out + rest
}

/// The shape of every style.
fn formats(archive: &Archive, path: &str) -> Result<Vec<Shape>, TableError> {
    let Some(text) = part(archive, path)? else { return Ok(Vec::new()) };
    let (mut codes, mut styles, mut within) = (HashMap::new(), Vec::new(), false);
    walk(path, &text, |event| {
        let number = |tag: &BytesStart<'_>| attribute(tag, "numFmtId").and_then(|id| id.parse::<u32>().ok());
        match event {
            Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
                "numFmt" => {
                    if let (Some(id), Some(code)) = (number(tag), attribute(tag, "formatCode")) {
                        codes.insert(id, Shape::of(&code));
                    }
                }
                "cellXfs" => within = matches!(event, Event::Start(_)),
                "xf" if within => styles.push(number(tag).unwrap_or_default()),
                _ => {}
            },
            Event::End(tag) if tag.local_name().as_ref() == "cellXfs" => within = false,
            _ => {}
        }
        Ok(())
    })?;
    let shape = |id: u32| codes.get(&id).copied().unwrap_or_else(|| Shape::built_in(id));
    Ok(styles.into_iter().map(shape).collect())
}

/// What cells refer to.
struct Cells {
    strings: Vec<String>,
    formats: Vec<Shape>,
    since_1904: bool,
}

impl Cells {
    fn lines(&self, path: &str, text: &str) -> Result<Vec<Line>, TableError> {
        let mut grid = Grid::default();
        let (mut row, mut column) = (0u64, 0usize);
        let (mut kind, mut style) = (String::new(), None);
        let (mut within, mut in_value) = (false, false);
        let (mut value, mut item) = (String::new(), Item::default());
        walk(path, text, |event| {
            if within && item.see(event, "is") {
                value.clone_from(&item.text);
            }
            let bad = |what: String| {
                TableError::new((format!("单元格位置“{what}”有误"), format!("no cell is at {what:?}")))
            };
            match event {
                Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
                    "row" => {
                        let next = row.saturating_add(1);
                        row = match attribute(tag, "r") {
                            Some(r) => position(&r).map(|(row, _)| row).ok_or_else(|| bad(r).at(next))?,
                            None => next,
                        };
                        column = 0;
                    }
                    "c" => {
                        if let Some(r) = attribute(tag, "r") {
                            match position(&r) {
                                Some((found, Some(at))) => (row, column) = (found, at),
                                _ => return Err(bad(r).at(row)),
                            }
                        }
                        kind = attribute(tag, "t").unwrap_or_default();
                        style = attribute(tag, "s").and_then(|style| style.parse::<usize>().ok());
                        value.clear();
                        within = matches!(event, Event::Start(_));
                        if !within {
                            column = column.saturating_add(1);
                        }
                    }
                    "v" if within => in_value = matches!(event, Event::Start(_)),
                    "mergeCell" => {
                        let range = attribute(tag, "ref").unwrap_or_default();
                        let corners = range.split_once(':').map(|(a, b)| (position(a), position(b)));
                        if let Some((Some((first, Some(at))), Some((last, _)))) = corners {
                            grid.merge(at, first, last);
                        }
                    }
                    _ => {}
                },
                Event::End(tag) if within => match tag.local_name().as_ref() {
                    "v" => in_value = false,
                    "c" => {
                        within = false;
                        let text = self.text(&kind, style, &value).map_err(|error| error.at(row))?;
                        grid.put(row, column, &text)?;
                        column = column.saturating_add(1);
                    }
                    _ => {}
                },
                _ if in_value => append(&mut value, event),
                _ => {}
            }
            Ok(())
        })?;
        grid.lines()
    }

    /// What is seen in a cell (ECMA-376 part 1, 18.18.11).
    fn text(&self, kind: &str, style: Option<usize>, value: &str) -> Result<String, TableError> {
        let shape = || style.and_then(|style| self.formats.get(style)).copied().unwrap_or(Shape::Number);
        Ok(match kind {
            _ if value.is_empty() => String::new(),
            "s" => {
                let found = value.trim().parse::<usize>().ok().and_then(|at| self.strings.get(at));
                let missing = || {
                    TableError::new((
                        format!("引用的文字（第 {value} 条）不存在"),
                        format!("refers to the text {value}, which is not there"),
                    ))
                };
                found.ok_or_else(missing)?.clone()
            }
            "str" => unescaped(value),
            "inlineStr" | "e" => value.to_owned(),
            "b" => if value.trim() == "1" { "TRUE" } else { "FALSE" }.to_owned(),
            "d" => iso(value),
            _ => shape().show(value, self.since_1904),
        })
    }
}

/// Row (from 1) and column (from 0) of a reference: `B5`, `$B$5`, `5`.
fn position(reference: &str) -> Option<(u64, Option<usize>)> {
    let reference = reference.replace('$', "");
    let letters = reference.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (letters, digits) = reference.split_at(letters);
    if letters.len() > 3 || digits.is_empty() || digits.len() > 7 {
        return None;
    }
    let row: u64 = digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())??;
    let digit = |column: usize, byte: u8| column * 26 + usize::from(byte.to_ascii_uppercase() - b'A') + 1;
    let column = letters.bytes().fold(0, digit);
    ((1..=LAST.0).contains(&row) && column <= LAST.1).then_some((row, column.checked_sub(1)))
}
