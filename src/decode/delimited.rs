//! Tables of delimited text (CSV): rows with the line that each begins at.
//!
//! Format: RFC 4180; the delimiter may be a comma, a tab or a semicolon, and rows may have any number of cells.

pub use csv::StringRecord;

/// What separates cells: the character that the heading line has most of.
pub fn delimiter(line: &str) -> u8 {
    let count = |byte: u8| line.bytes().filter(|found| *found == byte).count();
    b",\t;".iter().copied().max_by_key(|byte| count(*byte)).filter(|byte| count(*byte) > 0).unwrap_or(b',')
}

/// The rows that hold anything, each with its line, from 1; or the line and the reason that one cannot be read.
pub fn rows(text: &str, delimiter: u8) -> impl Iterator<Item = Result<(u64, StringRecord), (u64, String)>> {
    let reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .trim(csv::Trim::All)
        .flexible(true)
        .has_headers(false)
        .from_reader(text.as_bytes());
    reader.into_records().filter_map(|record| match record {
        Ok(record) if record.iter().all(str::is_empty) => None,
        Ok(record) => Some(Ok((record.position().map_or(0, csv::Position::line), record))),
        Err(error) => Some(Err((error.position().map_or(0, csv::Position::line), error.to_string()))),
    })
}
