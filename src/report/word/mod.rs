//! What every Word document (ECMA-376) of this program has in common.

use std::io::{self, Cursor, Write};

use docx_rs::{Docx, Run, RunFonts};

/// Twentieths of a point in a millimetre, times 100.
pub(super) const TWIPS: i32 = 5669;

/// A typeface for Chinese, beside that of every other script.
pub(super) fn fonts(east_asia: &str) -> RunFonts {
    let latin = "Times New Roman";
    RunFonts::new().ascii(latin).hi_ansi(latin).cs(latin).east_asia(east_asia)
}

/// A text that has been made safe to show.
pub(super) fn run(text: &str) -> Run {
    // XML 1.0 has no place for these two, even as references.
    Run::new().add_text(text.replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}"))
}

/// Writes a document. Rows of tables without properties of their own are heads, which stand on each page of the table:
/// the library has no word for that.
pub(super) fn pack(docx: Docx, out: &mut dyn Write) -> io::Result<()> {
    let mut parts = docx.build();
    let body = String::from_utf8(parts.document).map_err(io::Error::other)?;
    parts.document =
        body.replace("<w:trPr />", "<w:trPr><w:cantSplit /><w:tblHeader /></w:trPr>").into_bytes();
    let mut bytes = Cursor::new(Vec::new());
    parts.pack(&mut bytes).map_err(io::Error::other)?;
    out.write_all(bytes.get_ref())
}
