//! `zhijian schema`: the JSON Schema of reports.

use std::io::{self, Write};

pub(super) fn run() -> anyhow::Result<u8> {
    let text = serde_json::to_string_pretty(&zhijian::report::schema())?;
    writeln!(io::stdout().lock(), "{text}")?;
    Ok(0)
}
