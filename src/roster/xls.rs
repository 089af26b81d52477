//! XLS workbooks of Excel 97 to 2003 ([MS-XLS], BIFF8) in compound files ([MS-CFB]), as far as the text of cells goes.
//!
//! Read here and not by `calamine`, which panics on records that are too short.

use super::shown::Shape;
use super::table::{Book, Grid, TableError};

/// How a compound file begins.
pub(super) const MAGIC: &[u8] = &[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];

/// Types of the records that are read ([MS-XLS] 2.3.1).
mod record {
    pub(super) const FORMULA: u16 = 0x0006;
    pub(super) const EOF: u16 = 0x000A;
    pub(super) const DATE_1904: u16 = 0x0022;
    pub(super) const FILE_PASS: u16 = 0x002F;
    pub(super) const CONTINUE: u16 = 0x003C;
    pub(super) const BOUND_SHEET: u16 = 0x0085;
    pub(super) const MUL_RK: u16 = 0x00BD;
    pub(super) const RICH_STRING: u16 = 0x00D6;
    pub(super) const XF: u16 = 0x00E0;
    pub(super) const MERGE_CELLS: u16 = 0x00E5;
    pub(super) const SST: u16 = 0x00FC;
    pub(super) const LABEL_SST: u16 = 0x00FD;
    pub(super) const NUMBER: u16 = 0x0203;
    pub(super) const LABEL: u16 = 0x0204;
    pub(super) const BOOL_ERR: u16 = 0x0205;
    pub(super) const STRING: u16 = 0x0207;
    pub(super) const RK: u16 = 0x027E;
    pub(super) const FORMAT: u16 = 0x041E;
    pub(super) const BOF: u16 = 0x0809;
}

fn damaged(detail: impl std::fmt::Display) -> TableError {
    TableError::new((format!("XLS 已损坏（{detail}）"), format!("the XLS file is damaged ({detail})")))
}

fn encrypted() -> TableError {
    TableError::new((
        "工作簿已加密，不能读取；请另存为不设密码的文件",
        "the workbook is encrypted; save it without a password",
    ))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// A compound file: a file system of chains of sectors.
struct Compound<'a> {
    bytes: &'a [u8],
    sector: usize,
    table: Vec<u32>,
}

/// What no sector has for a number: ends of chains, free sectors, tables.
const NO_SECTOR: u32 = 0xFFFF_FFFA;

impl<'a> Compound<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, TableError> {
        let header = |at| u32_at(bytes, at).ok_or_else(|| damaged("no header"));
        let sector = match u16_at(bytes, 30) {
            Some(9) => 512,
            Some(12) => 4096,
            _ => return Err(damaged("no sector size")),
        };
        let mut compound = Compound { bytes, sector, table: Vec::new() };
        let most = compound.count();
        let mut tables: Vec<u32> = (76..512).step_by(4).filter_map(|at| u32_at(bytes, at)).collect();
        let mut next = header(68)?;
        let mut seen = 0;
        while next < NO_SECTOR && seen <= most {
            let content = compound.at(next).ok_or_else(|| damaged("a table outside the file"))?;
            let mut numbers = content.chunks_exact(4).filter_map(|four| u32_at(four, 0));
            tables.extend(numbers.by_ref().take(sector / 4 - 1));
            next = numbers.next().unwrap_or(NO_SECTOR);
            seen += 1;
        }
        for number in tables.into_iter().filter(|number| *number < NO_SECTOR).take(most) {
            let content = compound.at(number).ok_or_else(|| damaged("a table outside the file"))?;
            compound.table.extend(content.chunks_exact(4).filter_map(|four| u32_at(four, 0)));
        }
        compound.table.truncate(most);
        Ok(compound)
    }

    /// How many sectors there are.
    fn count(&self) -> usize {
        self.bytes.len().div_ceil(self.sector)
    }

    fn at(&self, number: u32) -> Option<&'a [u8]> {
        let start = usize::try_from(number).ok()?.checked_add(1)?.checked_mul(self.sector)?;
        let rest = self.bytes.get(start..)?;
        // The last sector may be cut short.
        Some(rest.get(..self.sector).unwrap_or(rest)).filter(|content| !content.is_empty())
    }

    /// The content of a chain of sectors.
    fn chain(&self, first: u32) -> Result<Vec<u8>, TableError> {
        let (mut content, mut next, mut left) = (Vec::new(), first, self.count());
        while next < NO_SECTOR {
            left = left.checked_sub(1).ok_or_else(|| damaged("a chain without end"))?;
            content.extend_from_slice(self.at(next).ok_or_else(|| damaged("a sector outside the file"))?);
            let at = usize::try_from(next).unwrap_or(usize::MAX);
            next = *self.table.get(at).ok_or_else(|| damaged("a sector outside the table"))?;
        }
        Ok(content)
    }

    /// The stream of the workbook.
    fn workbook(&self) -> Result<Vec<u8>, TableError> {
        let header = |at| u32_at(self.bytes, at).ok_or_else(|| damaged("no header"));
        let directory = self.chain(header(48)?)?;
        let name = |entry: &[u8]| -> String {
            let length = usize::from(u16_at(entry, 64).unwrap_or_default()).min(64).saturating_sub(2) / 2;
            let units = (0..length).filter_map(|at| u16_at(entry, at * 2));
            char::decode_utf16(units).map(|ch| ch.unwrap_or('\u{FFFD}')).collect()
        };
        let entries: Vec<(String, &[u8])> =
            directory.chunks_exact(128).map(|entry| (name(entry), entry)).collect();
        let find = |wanted: &str| entries.iter().find(|(name, _)| name == wanted).map(|(_, entry)| *entry);
        if find("EncryptedPackage").is_some() {
            return Err(encrypted());
        }
        let Some(entry) = find("Workbook") else {
            return Err(match find("Book") {
                Some(_) => TableError::new((
                    "是 Excel 95 或更早的格式，请另存为 XLSX",
                    "a workbook of Excel 95 or older; save it as XLSX",
                )),
                None => TableError::new(("不是电子表格", "no workbook")),
            });
        };
        let (first, size) = (u32_at(entry, 116).unwrap_or(NO_SECTOR), u32_at(entry, 120).unwrap_or_default());
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let mut content = if u32_at(self.bytes, 56).is_some_and(|least| size < least as usize) {
            // Small streams are chains of small sectors within the stream of the root.
            let root = entries.first().and_then(|(_, root)| u32_at(root, 116)).unwrap_or(NO_SECTOR);
            let (small, table) = (self.chain(root)?, self.chain(header(60)?)?);
            let (mut content, mut next, mut left) = (Vec::new(), first, small.len() / 64 + 1);
            while next < NO_SECTOR {
                left = left.checked_sub(1).ok_or_else(|| damaged("a chain without end"))?;
                let at = usize::try_from(next).unwrap_or(usize::MAX);
                let start = at.saturating_mul(64);
                let sector = small.get(start..start.saturating_add(64));
                content.extend_from_slice(sector.ok_or_else(|| damaged("a sector outside the file"))?);
                next = u32_at(&table, at.saturating_mul(4))
                    .ok_or_else(|| damaged("a sector outside the table"))?;
            }
            content
        } else {
            self.chain(first)?
        };
        if content.len() < size {
            return Err(damaged(format_args!("{} of {size} bytes are there", content.len())));
        }
        content.truncate(size);
        Ok(content)
    }
}

/// A record: its type, and the pieces of its content, as continued.
struct Record<'a> {
    kind: u16,
    pieces: Vec<&'a [u8]>,
}

impl<'a> Record<'a> {
    fn content(&self) -> &'a [u8] {
        self.pieces.first().copied().unwrap_or_default()
    }

    fn u16(&self, at: usize) -> Result<u16, TableError> {
        u16_at(self.content(), at).ok_or_else(|| self.short())
    }

    fn u32(&self, at: usize) -> Result<u32, TableError> {
        u32_at(self.content(), at).ok_or_else(|| self.short())
    }

    fn byte(&self, at: usize) -> Result<u8, TableError> {
        self.content().get(at).copied().ok_or_else(|| self.short())
    }

    fn double(&self, at: usize) -> Result<f64, TableError> {
        let bytes = self.content().get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
        bytes.map(f64::from_le_bytes).ok_or_else(|| self.short())
    }

    fn short(&self) -> TableError {
        damaged(format_args!("record 0x{:04x} is too short", self.kind))
    }

    /// A text at an offset ([MS-XLS] 2.5.240, 2.5.294): its length has one byte or two.
    fn text(&self, at: usize, wide_length: bool) -> Result<String, TableError> {
        let mut cursor = Cursor { pieces: &self.pieces, piece: 0, at };
        let length = match wide_length {
            true => cursor.u16(),
            false => cursor.byte().map(u16::from),
        };
        let flags = cursor.byte();
        length
            .zip(flags)
            .and_then(|(length, flags)| cursor.characters(length, flags))
            .ok_or_else(|| self.short())
    }
}

/// Reads through the pieces of a record.
struct Cursor<'a> {
    pieces: &'a [&'a [u8]],
    piece: usize,
    at: usize,
}

impl Cursor<'_> {
    fn byte(&mut self) -> Option<u8> {
        loop {
            let piece = self.pieces.get(self.piece)?;
            if let Some(byte) = piece.get(self.at) {
                self.at += 1;
                return Some(*byte);
            }
            (self.piece, self.at) = (self.piece + 1, 0);
        }
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_le_bytes([self.byte()?, self.byte()?]))
    }

    fn u32(&mut self) -> Option<u32> {
        Some(u32::from(self.u16()?) | u32::from(self.u16()?) << 16)
    }

    fn skip(&mut self, mut count: usize) -> Option<()> {
        while count > 0 {
            let left = self.pieces.get(self.piece)?.len().saturating_sub(self.at);
            if left >= count {
                self.at += count;
                return Some(());
            }
            count -= left;
            (self.piece, self.at) = (self.piece + 1, 0);
        }
        Some(())
    }

    /// Characters; where a piece ends within them, the next begins with flags of its own.
    fn characters(&mut self, count: u16, mut flags: u8) -> Option<String> {
        let mut units = Vec::new();
        for _ in 0..count {
            if self.pieces.get(self.piece)?.len() <= self.at {
                (self.piece, self.at) = (self.piece + 1, 0);
                flags = self.byte()?;
            }
            units.push(match flags & 1 {
                0 => u16::from(self.byte()?),
                _ => self.u16()?,
            });
        }
        Some(char::decode_utf16(units).map(|ch| ch.unwrap_or('\u{FFFD}')).collect())
    }

    /// A text that may have runs and remarks on how it is read aloud ([MS-XLS] 2.5.293).
    fn rich(&mut self) -> Option<String> {
        let (length, flags) = (self.u16()?, self.byte()?);
        let runs = if flags & 8 != 0 { usize::from(self.u16()?) * 4 } else { 0 };
        let aloud = if flags & 4 != 0 { usize::try_from(self.u32()?).ok()? } else { 0 };
        let text = self.characters(length, flags)?;
        self.skip(runs)?;
        self.skip(aloud)?;
        Some(text)
    }
}

/// The records of a stream from an offset.
struct Records<'a> {
    stream: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, TableError>;

    fn next(&mut self) -> Option<Self::Item> {
        let stream = self.stream;
        let piece = |at: usize| {
            let (kind, length) = (u16_at(stream, at)?, usize::from(u16_at(stream, at.checked_add(2)?)?));
            let start = at.checked_add(4)?;
            let end = start.checked_add(length)?;
            Some((kind, stream.get(start..end)?, end))
        };
        if self.at >= stream.len() {
            return None;
        }
        let Some((kind, first, mut end)) = piece(self.at) else {
            self.at = stream.len();
            return Some(Err(damaged("a record has no end")));
        };
        let mut pieces = vec![first];
        while let Some((record::CONTINUE, more, behind)) = piece(end) {
            pieces.push(more);
            end = behind;
        }
        self.at = end;
        Some(Ok(Record { kind, pieces }))
    }
}

/// What the sheets have in common.
#[derive(Default)]
struct Globals {
    strings: Vec<String>,
    shapes: Vec<Shape>,
    since_1904: bool,
}

/// Opens a workbook.
pub(super) fn open(bytes: &[u8]) -> Result<Book<'static>, TableError> {
    let stream = Compound::open(bytes)?.workbook()?;
    let mut globals = Globals::default();
    let (mut sheets, mut places) = (Vec::new(), Vec::new());
    let (mut formats, mut styles) = (std::collections::HashMap::new(), Vec::new());
    let mut ended = false;
    for record in (Records { stream: &stream, at: 0 }) {
        let record = record?;
        match record.kind {
            record::BOF if record.u16(0)? != 0x0600 => {
                return Err(TableError::new((
                    "是 Excel 95 或更早的格式，请另存为 XLSX",
                    "a workbook of Excel 95 or older; save it as XLSX",
                )));
            }
            record::FILE_PASS => return Err(encrypted()),
            record::DATE_1904 => globals.since_1904 = record.u16(0)? == 1,
            // Others are charts and macros.
            record::BOUND_SHEET if record.byte(5)? == 0 => {
                sheets.push((record.text(6, false)?, record.byte(4)? & 3 != 0));
                places.push(usize::try_from(record.u32(0)?).unwrap_or(usize::MAX));
            }
            record::FORMAT => {
                formats.insert(record.u16(0)?, Shape::of(&record.text(2, true)?));
            }
            record::XF => styles.push(record.u16(2)?),
            record::SST => {
                let mut cursor = Cursor { pieces: &record.pieces, piece: 0, at: 4 };
                let count = cursor.u32().ok_or_else(|| record.short())?;
                for _ in 0..count {
                    globals.strings.push(cursor.rich().ok_or_else(|| record.short())?);
                }
            }
            record::EOF => {
                ended = true;
                break;
            }
            _ => {}
        }
    }
    if !ended {
        return Err(damaged("no end"));
    }
    let shape = |id: u16| formats.get(&id).copied().unwrap_or_else(|| Shape::built_in(id.into()));
    globals.shapes = styles.into_iter().map(shape).collect();
    let read = Box::new(move |at: usize| {
        let records = Records { stream: &stream, at: places.get(at).copied().unwrap_or(usize::MAX) };
        globals.sheet(records)?.lines()
    });
    Ok(Book { sheets, read })
}

impl Globals {
    fn sheet(&self, records: Records<'_>) -> Result<Grid, TableError> {
        let mut grid = Grid::default();
        // Charts are substreams within a sheet.
        let mut depth = 0u32;
        let mut formula = None;
        for record in records {
            let record = record?;
            let place = || Ok::<_, TableError>((u64::from(record.u16(0)?) + 1, usize::from(record.u16(2)?)));
            match record.kind {
                record::BOF => depth += 1,
                record::EOF if depth <= 1 => return Ok(grid),
                record::EOF => depth -= 1,
                _ if depth > 1 => {}
                record::LABEL_SST => {
                    let (row, column) = place()?;
                    let number = record.u32(6)?;
                    let found = usize::try_from(number).ok().and_then(|at| self.strings.get(at));
                    let missing = || {
                        TableError::new((
                            format!("引用的文字（第 {number} 条）不存在"),
                            format!("refers to the text {number}, which is not there"),
                        ))
                    };
                    grid.put(row, column, found.ok_or_else(|| missing().at(row))?)?;
                }
                record::LABEL | record::RICH_STRING => {
                    let (row, column) = place()?;
                    grid.put(row, column, &record.text(6, true)?)?;
                }
                record::NUMBER => {
                    let (row, column) = place()?;
                    grid.put(row, column, &self.number(record.u16(4)?, record.double(6)?))?;
                }
                record::RK => {
                    let (row, column) = place()?;
                    grid.put(row, column, &self.number(record.u16(4)?, compact(record.u32(6)?)))?;
                }
                record::MUL_RK => {
                    let (row, column) = place()?;
                    let cells = record.content().get(4..).unwrap_or_default().chunks_exact(6);
                    for (more, cell) in cells.enumerate() {
                        if let (Some(style), Some(value)) = (u16_at(cell, 0), u32_at(cell, 2)) {
                            grid.put(row, column + more, &self.number(style, compact(value)))?;
                        }
                    }
                }
                record::BOOL_ERR => {
                    let (row, column) = place()?;
                    grid.put(row, column, truth_or_error(record.byte(6)?, record.byte(7)? != 0))?;
                }
                record::FORMULA => {
                    let (row, column) = place()?;
                    match (record.u16(12)?, record.byte(6)?) {
                        // The text follows in a record of its own.
                        (0xFFFF, 0) => formula = Some((row, column)),
                        (0xFFFF, 1) => grid.put(row, column, truth_or_error(record.byte(8)?, false))?,
                        (0xFFFF, 2) => grid.put(row, column, truth_or_error(record.byte(8)?, true))?,
                        (0xFFFF, _) => {}
                        _ => grid.put(row, column, &self.number(record.u16(4)?, record.double(6)?))?,
                    }
                }
                record::STRING => {
                    if let Some((row, column)) = formula.take() {
                        grid.put(row, column, &record.text(0, true)?)?;
                    }
                }
                record::MERGE_CELLS => {
                    for range in record.content().get(2..).unwrap_or_default().chunks_exact(8) {
                        if let (Some(first), Some(last), Some(column)) =
                            (u16_at(range, 0), u16_at(range, 2), u16_at(range, 4))
                        {
                            grid.merge(column.into(), u64::from(first) + 1, u64::from(last) + 1);
                        }
                    }
                }
                _ => {}
            }
        }
        Err(damaged("a sheet has no end"))
    }

    fn number(&self, style: u16, value: f64) -> String {
        let shape = self.shapes.get(usize::from(style)).copied().unwrap_or(Shape::Number);
        shape.show(&value.to_string(), self.since_1904)
    }
}

/// A number in 30 bits ([MS-XLS] 2.5.217).
fn compact(value: u32) -> f64 {
    let number = match value & 2 {
        0 => f64::from_bits(u64::from(value & !3) << 32),
        _ => f64::from(value.cast_signed() >> 2),
    };
    if value & 1 == 0 { number } else { number / 100.0 }
}

fn truth_or_error(code: u8, is_error: bool) -> &'static str {
    match (is_error, code) {
        (false, 0) => "FALSE",
        (false, _) => "TRUE",
        (true, 0x00) => "#NULL!",
        (true, 0x07) => "#DIV/0!",
        (true, 0x0F) => "#VALUE!",
        (true, 0x17) => "#REF!",
        (true, 0x1D) => "#NAME?",
        (true, 0x24) => "#NUM!",
        (true, _) => "#N/A",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u16, content: &[u8]) -> Vec<u8> {
        let head = [kind.to_le_bytes(), (content.len() as u16).to_le_bytes()].concat();
        [&head, content].concat()
    }

    /// The head of a cell in row 1.
    fn at(column: u16, more: &[u8]) -> Vec<u8> {
        [&[0, 0], &column.to_le_bytes()[..], &[0, 0], more].concat()
    }

    fn cells(records: &[Vec<u8>]) -> Result<Vec<(usize, String)>, TableError> {
        let stream = [&[record(record::BOF, &[0, 6, 16, 0])][..], records].concat().concat();
        let lines = Globals::default().sheet(Records { stream: &stream, at: 0 })?.lines()?;
        let cells = lines.iter().flat_map(|line| line.cells().map(|(at, text)| (at, text.to_owned())));
        Ok(cells.collect())
    }

    #[test]
    fn every_kind_of_cell_is_read() {
        let found = cells(&[
            record(record::FORMULA, &at(0, &[0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0, 0])),
            record(record::STRING, &[1, 0, 1, 0x2F, 0x66]),
            record(record::FORMULA, &at(1, &[1, 0, 1, 0, 0, 0, 0xFF, 0xFF])),
            record(record::FORMULA, &at(2, &[2, 0, 0x17, 0, 0, 0, 0xFF, 0xFF])),
            record(record::FORMULA, &at(3, &2.5f64.to_le_bytes())),
            record(record::BOOL_ERR, &at(4, &[0, 0])),
            record(record::BOOL_ERR, &at(5, &[0x2A, 1])),
            // 42 as a number of 30 bits, and by a hundred.
            record(record::RK, &at(6, &(42u32 << 2 | 2).to_le_bytes())),
            record(
                record::MUL_RK,
                &[&at(7, &(42u32 << 2 | 3).to_le_bytes())[..], &[0, 0, 0, 0, 0xF8, 0x3F, 8, 0]].concat(),
            ),
            // A chart within the sheet.
            record(record::BOF, &[0, 6, 32, 0]),
            record(record::NUMBER, &at(9, &9f64.to_le_bytes())),
            record(record::EOF, &[]),
            record(record::LABEL, &at(10, &[2, 0, 0, b'o', b'k'])),
            record(record::EOF, &[]),
            record(record::NUMBER, &at(11, &9f64.to_le_bytes())),
        ])
        .unwrap();
        let expected = ["是", "TRUE", "#REF!", "2.5", "FALSE", "#N/A", "42", "0.42", "1.5"]
            .into_iter()
            .map(str::to_owned)
            .enumerate();
        assert_eq!(found, expected.chain([(10, "ok".to_owned())]).collect::<Vec<_>>());
    }

    #[test]
    fn a_text_goes_on_in_the_next_record_in_another_width() {
        let mut stream = record(record::SST, &[1, 0, 0, 0, 1, 0, 0, 0, 4, 0, 8, 1, 0, b'a', b'b']);
        stream.extend(record(record::CONTINUE, &[1, 0x2F, 0x66, b'c', 0, 9, 9]));
        stream.extend(record(record::CONTINUE, &[9, 9]));
        let record = Records { stream: &stream, at: 0 }.next().unwrap().unwrap();
        let mut cursor = Cursor { pieces: &record.pieces, piece: 0, at: 8 };
        assert_eq!(cursor.rich().as_deref(), Some("ab是c"));
        assert_eq!(cursor.byte(), None, "the runs are passed over");
    }

    #[test]
    fn records_that_are_cut_short_are_named() {
        for (records, said) in [
            (vec![record(record::NUMBER, &[0, 0, 0])], "record 0x0203 is too short"),
            (vec![record(record::LABEL_SST, &at(0, &[7, 0, 0, 0]))], "refers to the text 7"),
            (vec![record(record::LABEL, &at(0, &[200, 0, 0, b'x']))], "record 0x0204 is too short"),
            (
                vec![record(record::NUMBER, &at(300, &1f64.to_le_bytes())), record(record::EOF, &[])],
                "more than 256 columns",
            ),
            (vec![vec![1]], "a record has no end"),
            (vec![], "a sheet has no end"),
        ] {
            let error = cells(&records).unwrap_err().words(crate::model::Lang::En);
            assert!(error.contains(said), "{said}: {error}");
        }
    }
}
