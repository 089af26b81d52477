//! Tables of delimited text (CSV): rows with the line that each begins at.
//!
//! Format: RFC 4180; the delimiter may be a comma, a tab or a semicolon, and rows may have any number of cells.

pub use csv::StringRecord;

/// No table has a line with more cells; where one has, nothing of it is read.
const MAX_CELLS: usize = 10_000;

/// What separates cells: the character that the heading line has most of.
pub fn delimiter(line: &str) -> u8 {
    let count = |byte: u8| line.bytes().filter(|found| *found == byte).count();
    b",\t;".iter().copied().max_by_key(|byte| count(*byte)).filter(|byte| count(*byte) > 0).unwrap_or(b',')
}

/// The name of a column without what is said about it: `点赞` of `点赞（次）`, `sender` of `Sender`.
pub fn heading(cell: &str) -> String {
    let cell = cell.trim_matches(|ch: char| ch.is_whitespace() || ch == '\u{FEFF}').to_ascii_lowercase();
    cell.split(['（', '(', '/']).next().unwrap_or(&cell).trim().to_owned()
}

/// Says, in Chinese and English, that a row has not as many cells as there are columns.
pub fn misfit(is: usize, should: usize) -> (String, String) {
    (format!("有 {is} 列，应为 {should} 列"), format!("{is} columns instead of {should}"))
}

/// The rows that hold anything, each with its line, from 1; or the line and the reason that one cannot be read.
pub fn rows(text: &str, delimiter: u8) -> impl Iterator<Item = Result<(u64, StringRecord), (u64, String)>> {
    // What a record holds of a cell is larger than the cell: a line of nothing else would take the memory of a hundred.
    let delimiters = |line: &str| line.bytes().filter(|byte| *byte == delimiter).count();
    let flood = text.split('\n').position(|line| line.len() > MAX_CELLS && delimiters(line) >= MAX_CELLS);
    let text = if flood.is_some() { "" } else { text };
    let flood =
        flood.map(|at| Err((at as u64 + 1, format!("超过 {MAX_CELLS} 列 / more than {MAX_CELLS} columns"))));
    let reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .trim(csv::Trim::All)
        .flexible(true)
        .has_headers(false)
        .from_reader(text.as_bytes());
    // The reader counts a line end of two characters with the row behind it.
    let (mut counted, mut lines) = (0, 1);
    let mut line_of = move |position: Option<&csv::Position>| {
        let at = position.map_or(0, |position| usize::try_from(position.byte()).unwrap_or(usize::MAX));
        let rest = text.as_bytes().get(at..).unwrap_or_default();
        let start = at + rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let passed = text.as_bytes().get(counted..start).unwrap_or_default();
        lines += passed.iter().filter(|byte| **byte == b'\n').count() as u64;
        counted = counted.max(start);
        lines
    };
    let records = reader.into_records().filter_map(move |record| match record {
        Ok(record) if record.iter().all(str::is_empty) => None,
        Ok(record) => Some(Ok((line_of(record.position()), record))),
        Err(error) => Some(Err((line_of(error.position()), error.to_string()))),
    });
    flood.into_iter().chain(records)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_has_its_line() {
        for (text, lines) in [
            ("a,b\nc,d\ne,f\n", &[1, 2, 3][..]),
            ("a,b\r\nc,d\r\ne,f\r\n", &[1, 2, 3]),
            ("a,b\r\n\r\n,\r\nc,\"d\r\nd\"\r\ne,f", &[1, 4, 6]),
            ("\n\na,b", &[3]),
        ] {
            let found: Vec<u64> = rows(text, b',').map(|row| row.unwrap().0).collect();
            assert_eq!(found, lines, "{text:?}");
        }
    }

    #[test]
    fn a_flood_of_cells_is_told_and_not_read() {
        let text = format!("类型,名称\na,b\n{}\n", "x,".repeat(MAX_CELLS));
        let read: Vec<_> = rows(&text, b',').collect();
        assert_eq!(read.len(), 1);
        assert!(matches!(&read[0], Err((3, cause)) if cause.contains("10000")), "{read:?}");
    }

    #[test]
    fn what_a_heading_has_most_of() {
        assert_eq!([delimiter("a,b;c,d"), delimiter("a\tb"), delimiter("a;b"), delimiter("a")], *b",\t;,");
    }
}
