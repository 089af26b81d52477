//! What every spreadsheet (ECMA-376) of this program has in common. Every cell is text or a number, never a formula.

use std::io;

use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, Worksheet, XlsxError};

use unicode_width::UnicodeWidthStr;

use crate::model::{ColorCode, Lang};

/// Cells hold no more, in UTF-16 units.
const LONGEST_CELL: usize = 32_767;

/// More columns than this are printed on A3, else on A4.
const WIDE: usize = 14;

/// Points of a line in a cell, and of the tallest row.
const LINE: usize = 15;
const TALLEST: usize = 405;

/// A cell.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Cell {
    /// A text, whatever it begins with.
    Text(String),
    /// A count.
    Number(u64),
    /// A colour with its word, on its ground.
    Code(ColorCode),
}

impl Cell {
    /// Lines that it takes, wrapped in a column of so many digits.
    fn lines(&self, width: u32) -> usize {
        match self {
            // A line ends before a word that does not fit, so it is not filled.
            Cell::Text(text) => {
                UnicodeWidthStr::width(text.as_str()).div_ceil((width as usize * 9 / 10).max(1))
            }
            Cell::Number(_) | Cell::Code(_) => 1,
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.to_owned())
    }
}

/// A column: its heading in both languages, and its width in digits of the spreadsheet's font.
pub(crate) struct Column {
    zh: &'static str,
    en: &'static str,
    width: u32,
}

/// A column of a table.
pub(crate) const fn column(zh: &'static str, en: &'static str, width: u32) -> Column {
    Column { zh, en, width }
}

impl Column {
    /// Its heading.
    pub(crate) fn title(&self, lang: Lang) -> &'static str {
        lang.pick(self.zh, self.en)
    }
}

/// A sheet that grows downwards under a heading that stays in sight.
pub(crate) struct Grid<'a> {
    sheet: &'a mut Worksheet,
    row: u32,
    columns: u16,
    widths: Vec<u32>,
    lang: Lang,
    formats: [Format; 4],
    wrapped: Format,
}

impl<'a> Grid<'a> {
    /// Gives a sheet its name and its heading.
    pub(crate) fn new(
        sheet: &'a mut Worksheet,
        name: &str,
        heads: &[Column],
        lang: Lang,
    ) -> Result<Self, XlsxError> {
        let paper = if heads.len() > WIDE { 8 } else { 9 };
        sheet.set_name(name)?.set_landscape().set_paper_size(paper).set_print_fit_to_pages(1, 0);
        sheet.set_margins(0.4, 0.4, 0.5, 0.5, 0.3, 0.3).set_print_gridlines(true).set_footer("&C&P / &N");
        let head = heading();
        let mut columns = 0;
        for column in heads {
            sheet.set_column_width(columns, column.width)?;
            sheet.write_string_with_format(0, columns, column.title(lang), &head)?;
            columns += 1;
        }
        sheet.set_freeze_panes(1, 0)?.set_repeat_rows(0, 0)?;
        let formats = COLOURS.map(fill);
        let wrapped = Format::new().set_text_wrap().set_align(FormatAlign::Top);
        let widths = heads.iter().map(|column| column.width).collect();
        Ok(Grid { sheet, row: 0, columns, widths, lang, formats, wrapped })
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Cell>) -> Result<(), XlsxError> {
        self.row += 1;
        let cells: Vec<Cell> = cells.into_iter().collect();
        let lines = cells.iter().zip(&self.widths).map(|(cell, width)| cell.lines(*width)).max();
        if let Some(lines) = lines.filter(|lines| *lines > 1) {
            self.sheet.set_row_height(self.row, lines.saturating_mul(LINE).min(TALLEST) as f64)?;
        }
        for (at, cell) in (0..).zip(cells) {
            match cell {
                Cell::Text(text) if text.is_empty() => continue,
                Cell::Text(text) => {
                    self.sheet.write_string_with_format(self.row, at, fitting(text), &self.wrapped)?
                }
                Cell::Number(number) => self.sheet.write_number(self.row, at, number as f64)?,
                Cell::Code(code) => {
                    let word = self.lang.pick(code.zh(), code.en());
                    match self.formats.get(code as usize) {
                        Some(format) => self.sheet.write_string_with_format(self.row, at, word, format)?,
                        None => self.sheet.write_string(self.row, at, word)?,
                    }
                }
            };
        }
        Ok(())
    }

    /// Ends the sheet with a filter over all of it.
    pub(crate) fn finish(self) -> Result<(), XlsxError> {
        self.sheet.autofilter(0, 0, self.row, self.columns.saturating_sub(1))?;
        Ok(())
    }
}

/// The colours in the order of their numbers.
pub(crate) const COLOURS: [ColorCode; 4] =
    [ColorCode::Green, ColorCode::Blue, ColorCode::Red, ColorCode::None];

/// The error of a spreadsheet as one of its file.
pub(crate) fn failed(error: XlsxError) -> io::Error {
    io::Error::other(error)
}

/// The look of a heading.
pub(crate) fn heading() -> Format {
    Format::new().set_bold().set_background_color(Color::RGB(0xE8_EAED)).set_border_bottom(FormatBorder::Thin)
}

/// The fill of a colour, with writing that can be read on it.
pub(crate) fn fill(colour: ColorCode) -> Format {
    let fill = match colour {
        ColorCode::Green => 0x16_803A,
        ColorCode::Blue => 0x1A_56C4,
        ColorCode::Red => 0xC5_221F,
        ColorCode::None => 0x5F_6368,
    };
    let format = Format::new().set_background_color(Color::RGB(fill)).set_font_color(Color::White);
    format.set_align(FormatAlign::Center).set_align(FormatAlign::Top)
}

/// As much of a text as a cell holds.
pub(crate) fn fitting(mut text: String) -> String {
    if text.len() > LONGEST_CELL && text.encode_utf16().count() > LONGEST_CELL {
        let mut units = 0;
        let end = text.char_indices().find(|(_, ch)| {
            units += ch.len_utf16();
            units >= LONGEST_CELL
        });
        text.truncate(end.map_or(text.len(), |(at, _)| at));
        text.push('…');
    }
    text
}
