//! Tables for the terminal: columns as wide as their cells, Chinese counted double.

use std::io::{self, Write};

use unicode_width::UnicodeWidthStr;

/// Writes rows of as many cells as the first has; the last column is not padded.
pub(super) fn write<R: AsRef<[C]>, C: AsRef<str>>(rows: &[R], out: &mut dyn Write) -> io::Result<()> {
    let columns = rows.first().map_or(0, |row| row.as_ref().len());
    let cell = |row: &R, column: usize| row.as_ref().get(column).map_or("", |cell| cell.as_ref()).to_owned();
    let width = |column| rows.iter().map(|row| cell(row, column).width()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns.saturating_sub(1)).map(width).collect();
    for row in rows {
        for (column, width) in widths.iter().enumerate() {
            let cell = cell(row, column);
            write!(out, "{cell}{:1$}", "", width - cell.width() + 2)?;
        }
        writeln!(out, "{}", cell(row, widths.len()))?;
    }
    Ok(())
}
