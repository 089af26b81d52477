//! `zhijian schema`: the JSON Schemas of what other programs read.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use serde_json::Value;
use zhijian::model::{CODE_SCHEMA, CodeDocument, published};
use zhijian::outbox::{NOTICE_SCHEMA, NoticeDocument};
use zhijian::report;
use zhijian::seal::{SIGNATURE_SCHEMA, SignatureDocument};

#[derive(Debug, Args)]
pub(super) struct Schema {
    #[arg(value_name = "DOCUMENT", value_enum, default_value_t = Document::Report, hide_possible_values = true, hide_default_value = true)]
    document: Document,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Document {
    Report,
    Diff,
    Code,
    Signature,
    Webhook,
}

impl Document {
    fn schema(self) -> Value {
        match self {
            Document::Report => report::schema(),
            Document::Diff => report::diff_schema(),
            Document::Code => published::<CodeDocument>(CODE_SCHEMA),
            Document::Signature => published::<SignatureDocument>(SIGNATURE_SCHEMA),
            Document::Webhook => published::<NoticeDocument>(NOTICE_SCHEMA),
        }
    }
}

impl Schema {
    pub(super) fn run(self) -> anyhow::Result<u8> {
        let text = serde_json::to_string_pretty(&self.document.schema())?;
        writeln!(io::stdout().lock(), "{text}")?;
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_schemas_are_the_generated_ones() {
        for (document, published, path) in [
            (Document::Code, include_str!("../export/zhijian.code-1.schema.json"), "export"),
            (Document::Signature, include_str!("../seal/zhijian.signature-1.schema.json"), "seal"),
            (Document::Webhook, include_str!("../outbox/zhijian.webhook-1.schema.json"), "outbox"),
        ] {
            let published: Value = serde_json::from_str(published).unwrap();
            assert_eq!(published, document.schema(), "run: zhijian schema … > src/{path}/…");
        }
    }
}
