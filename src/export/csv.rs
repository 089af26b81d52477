//! CSV (RFC 4180) for spreadsheets: UTF-8 with a byte order mark, without which Excel takes it for GB18030. Cells that a
//! spreadsheet would compute begin with an apostrophe
//! (<https://owasp.org/www-community/attacks/CSV_Injection>).

use std::io::{self, Write};

use super::row::{COLUMNS, cells};
use super::{Codes, Format};
use crate::model::Lang;

pub(super) const FORMAT: Format = Format { name: "csv", write };

fn write(codes: Codes<'_>, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    out.write_all("\u{feff}".as_bytes())?;
    let mut table = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
    table.write_record(COLUMNS.iter().map(|column| column.title(lang)))?;
    for code in codes {
        table.write_record(cells(&code?, lang).map(harmless))?;
    }
    table.flush()
}

/// The same as text to every spreadsheet.
fn harmless(cell: String) -> String {
    let computed = ['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'];
    if cell.starts_with(computed) { format!("'{cell}") } else { cell }
}
