//! JSON: `json` is an array of code documents (`zhijian.code/1`), `jsonl` one document a line.

use std::io::{self, Write};

use super::{Codes, Format};
use crate::model::{CodeDocument, Lang};
use crate::report::harmless;

pub(super) const FORMAT: Format = Format { name: "json", write: array };
pub(super) const LINES_FORMAT: Format = Format { name: "jsonl", write: lines };

fn array(codes: Codes<'_>, _lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let mut before = "[\n";
    for code in codes {
        write!(out, "{before}{}", one(&code?)?)?;
        before = ",\n";
    }
    let end = if before == "[\n" { "[]\n" } else { "\n]\n" };
    out.write_all(end.as_bytes())
}

fn lines(codes: Codes<'_>, _lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    for code in codes {
        writeln!(out, "{}", one(&code?)?)?;
    }
    Ok(())
}

fn one(code: &CodeDocument) -> io::Result<String> {
    Ok(harmless(&serde_json::to_string(code)?))
}
