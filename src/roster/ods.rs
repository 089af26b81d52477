//! ODS workbooks (OpenDocument 1.3 part 3, chapter 9), as far as the text of cells goes.
//!
//! Cells hold the text that people see; of numbers and dates the value counts, which no column is too narrow for.
//! Read here and not by `calamine`, which waits for ever for the end of a table that is cut off.

use quick_xml::events::{BytesStart, Event};

use super::shown::{iso, number};
use super::table::{Book, Grid, MAX_COLUMNS, MAX_ROWS, TableError, part};
use super::xlsx::{append, attribute, walk};
use crate::decode::archive::Archive;

const CONTENT: &str = "content.xml";

/// Opens a workbook. All sheets are in one part and are read at once.
pub(super) fn open(archive: &Archive) -> Result<Book<'static>, TableError> {
    let text = part(archive, CONTENT)?.unwrap_or_default();
    let (mut sheets, mut tables) = (Vec::new(), Vec::new());
    let mut sheet: Option<Sheet> = None;
    walk(CONTENT, &text, |event| {
        match event {
            Event::Start(tag) if tag.name().as_ref() == "table:table" && sheet.is_none() => {
                sheets.push((attribute(tag, "name").unwrap_or_default(), false));
                sheet = Some(Sheet::default());
            }
            Event::End(tag)
                if tag.name().as_ref() == "table:table"
                    && sheet.as_ref().is_some_and(|sheet| sheet.aside == 0) =>
            {
                if let Some(sheet) = sheet.take() {
                    tables.push(sheet.grid.lines()?);
                }
            }
            _ => {
                if let Some(sheet) = &mut sheet {
                    sheet.see(event)?;
                }
            }
        }
        Ok(())
    })?;
    let read = Box::new(move |at: usize| Ok(tables.get(at).cloned().unwrap_or_default()));
    Ok(Book { sheets, read })
}

#[derive(Default)]
struct Sheet {
    grid: Grid,
    /// The line that is read, from 0.
    row: u64,
    rows: u64,
    column: usize,
    cell: Option<Cell>,
    /// Cells of a line that stands several times.
    line: Vec<(usize, String)>,
    /// Notes and pictures within a cell are not its text.
    aside: u64,
}

struct Cell {
    repeated: usize,
    spans: u64,
    /// The value, where it is no text.
    value: Option<String>,
    text: String,
    paragraphs: usize,
}

fn count(tag: &BytesStart<'_>, name: &str) -> u64 {
    attribute(tag, name).and_then(|count| count.parse().ok()).unwrap_or(1).max(1)
}

impl Sheet {
    fn see(&mut self, event: &Event<'_>) -> Result<(), TableError> {
        match event {
            Event::Start(tag) if self.aside > 0 || is_aside(tag) => self.aside += 1,
            Event::End(_) if self.aside > 0 => self.aside -= 1,
            _ if self.aside > 0 => {}
            Event::Start(tag) | Event::Empty(tag) => match tag.local_name().as_ref() {
                "table-row" => {
                    self.row = self.row.saturating_add(std::mem::take(&mut self.rows));
                    self.rows = count(tag, "number-rows-repeated");
                    self.column = 0;
                }
                "table-cell" | "covered-table-cell" => {
                    self.cell = Some(Cell {
                        repeated: usize::try_from(count(tag, "number-columns-repeated"))
                            .unwrap_or(usize::MAX),
                        spans: count(tag, "number-rows-spanned"),
                        value: value(tag),
                        text: String::new(),
                        paragraphs: 0,
                    });
                    if matches!(event, Event::Empty(_)) {
                        self.end_cell();
                    }
                }
                name => {
                    let Some(cell) = &mut self.cell else { return Ok(()) };
                    match name {
                        "p" => {
                            if cell.paragraphs > 0 {
                                cell.text.push('\n');
                            }
                            cell.paragraphs += 1;
                        }
                        "s" => (0..count(tag, "c").min(64)).for_each(|_| cell.text.push(' ')),
                        "tab" => cell.text.push(' '),
                        "line-break" => cell.text.push('\n'),
                        _ => {}
                    }
                }
            },
            Event::End(tag) => match tag.local_name().as_ref() {
                "table-cell" | "covered-table-cell" => self.end_cell(),
                "table-row" => self.end_row()?,
                _ => {}
            },
            _ => {
                if let Some(cell) = self.cell.as_mut().filter(|cell| cell.paragraphs > 0) {
                    append(&mut cell.text, event);
                }
            }
        }
        Ok(())
    }

    fn end_cell(&mut self) {
        let Some(cell) = self.cell.take() else { return };
        let text = cell.value.unwrap_or(cell.text);
        if cell.spans > 1 {
            let first = self.row.saturating_add(1);
            self.grid.merge(self.column, first, first.saturating_add(cell.spans - 1));
        }
        // One column too many is enough for the bounds to show.
        let repeated = if text.trim().is_empty() { 0 } else { cell.repeated.min(MAX_COLUMNS + 1) };
        self.line.extend((0..repeated).map(|more| (self.column.saturating_add(more), text.clone())));
        self.column = self.column.saturating_add(cell.repeated);
    }

    fn end_row(&mut self) -> Result<(), TableError> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return Ok(());
        }
        for more in 0..self.rows.min(MAX_ROWS as u64 + 1) {
            for (column, text) in &line {
                self.grid.put(self.row.saturating_add(more).saturating_add(1), *column, text)?;
            }
        }
        Ok(())
    }
}

fn is_aside(tag: &BytesStart<'_>) -> bool {
    matches!(tag.name().as_ref(), "office:annotation" | "draw:frame" | "table:shapes" | "table:table")
}

/// The value of a cell that is no text.
fn value(tag: &BytesStart<'_>) -> Option<String> {
    match attribute(tag, "value-type")?.as_str() {
        "float" | "currency" => attribute(tag, "value").map(|value| number(&value)),
        "date" => attribute(tag, "date-value").map(|value| iso(&value)),
        "boolean" => attribute(tag, "boolean-value").map(|value| value.to_ascii_uppercase()),
        _ => None,
    }
}
