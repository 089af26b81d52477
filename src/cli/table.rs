//! Tables for the terminal: columns as wide as their cells, Chinese counted double.

use std::io::{self, Write};

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};
use zhijian::report::visible;

/// Columns of the terminal.
const COLUMNS: usize = 80;

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

/// The same for rows whose last column is long: it is wrapped within its column.
pub(super) fn write_wrapped<R: AsRef<[C]>, C: AsRef<str>>(rows: &[R], out: &mut dyn Write) -> io::Result<()> {
    let mut text = Vec::new();
    let short: Vec<Vec<&str>> = rows
        .iter()
        .map(|row| {
            let cells = row.as_ref();
            cells.iter().take(cells.len().saturating_sub(1)).map(AsRef::as_ref).chain([""]).collect()
        })
        .collect();
    write(&short, &mut text)?;
    for (label, row) in String::from_utf8_lossy(&text).lines().zip(rows) {
        hanging(label, row.as_ref().last().map_or("", AsRef::as_ref), out)?;
    }
    Ok(())
}

/// Writes a text behind a label, in lines of the width of the terminal that begin below each other.
pub(super) fn hanging(label: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    let text = visible(text);
    let mut before = label.to_owned();
    for line in wrapped(&text, COLUMNS.saturating_sub(label.width()).max(20)) {
        writeln!(out, "{}", format!("{before}{line}").trim_end())?;
        before = " ".repeat(label.width());
    }
    Ok(())
}

/// A text in lines of at most so many columns, broken at spaces and beside Chinese characters, else anywhere.
fn wrapped(text: &str, width: usize) -> Vec<&str> {
    let mut lines = Vec::new();
    let mut rest = text.trim();
    while rest.width() > width {
        let (mut used, mut end, mut space) = (0, rest.len(), None);
        let mut wide_before = false;
        for (at, ch) in rest.char_indices() {
            let wide = ch.width().unwrap_or(0) > 1;
            // Marks that end a clause stay with it.
            if at > 0 && (ch == ' ' || wide_before || wide) && !"，。；：、）”》？！".contains(ch)
            {
                space = Some(at);
            }
            used += ch.width().unwrap_or(0);
            if used > width {
                end = space.unwrap_or(at);
                break;
            }
            wide_before = wide;
        }
        let (line, more) = rest.split_at(end);
        lines.push(line.trim_end());
        rest = more.trim_start();
    }
    lines.push(rest);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_and_nothing_is_lost() {
        let text = "层级“村级”无法识别，应为中央、省级、市级、县级、乡镇之一；the kind \"site\" is not one of app, mini-program";
        for width in [20, 33, 78] {
            let lines = wrapped(text, width);
            assert!(lines.iter().all(|line| line.width() <= width), "{lines:?}");
            let joined: String = lines.concat().split_whitespace().collect();
            assert_eq!(joined, text.split_whitespace().collect::<String>());
        }
        let long = "x".repeat(50);
        assert_eq!(wrapped(&long, 20).len(), 3);
    }
}
