//! `zhijian schema`: the JSON Schemas of what the program writes.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use zhijian::report;

#[derive(Debug, Args)]
pub(super) struct Schema {
    #[arg(value_name = "DOCUMENT", value_enum, default_value_t = Document::Report, hide_possible_values = true, hide_default_value = true)]
    document: Document,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Document {
    Report,
    Diff,
}

impl Schema {
    pub(super) fn run(self) -> anyhow::Result<u8> {
        let schema = match self.document {
            Document::Report => report::schema(),
            Document::Diff => report::diff_schema(),
        };
        writeln!(io::stdout().lock(), "{}", serde_json::to_string_pretty(&schema)?)?;
        Ok(0)
    }
}
