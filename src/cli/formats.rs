//! `zhijian formats`: what can be read, and how far.

use std::io::{self, Write};

use zhijian::decode::{DECODERS, Decoder, Limit, Unit};
use zhijian::format::FORMATS;
use zhijian::model::{Lang, PartName};

use super::table;

pub(super) fn run(lang: Lang) -> anyhow::Result<u8> {
    let mut out = io::stdout().lock();
    let head = [("格式", "format"), ("扩展名", "endings"), ("名称", "name")];
    let rows = FORMATS.iter().map(|format| {
        [format.name.to_owned(), format.endings.join(" "), pick(lang, format.title).to_owned()]
    });
    table::write(&with_head(head, rows, lang), &mut out)?;

    writeln!(out, "\n{}", lang.pick("检视的部分", "Parts read"))?;
    matrix(lang, &mut out)?;

    writeln!(out, "\n{}", lang.pick("解码器", "Decoders"))?;
    let head = [("名称", "name"), ("版本", "version"), ("读取内容", "reads")];
    let rows = DECODERS.iter().map(|decoder| {
        [decoder.name.to_owned(), decoder.version.to_string(), pick(lang, decoder.reads).to_owned()]
    });
    table::write(&with_head(head, rows, lang), &mut out)?;

    writeln!(
        out,
        "\n{}",
        lang.pick("上限（超出部分在报告中列为未检视）", "Limits (what lies beyond is a gap in the report)")
    )?;
    let head = [("解码器", "decoder"), ("上限", "limit"), ("对象", "of")];
    let limits = DECODERS.iter().flat_map(|decoder| decoder.limits.iter().map(move |limit| (decoder, limit)));
    let rows = limits.map(|(decoder, limit): (&Decoder, &Limit)| {
        [decoder.name.to_owned(), amount(limit), pick(lang, limit.what).to_owned()]
    });
    table::write(&with_head(head, rows, lang), &mut out)?;
    Ok(0)
}

fn pick(lang: Lang, (zh, en): (&'static str, &'static str)) -> &'static str {
    lang.pick(zh, en)
}

fn with_head<const N: usize>(
    head: [(&'static str, &'static str); N],
    rows: impl Iterator<Item = [String; N]>,
    lang: Lang,
) -> Vec<[String; N]> {
    std::iter::once(head.map(|cell| pick(lang, cell).to_owned())).chain(rows).collect()
}

/// One row for each part, one column for each format.
fn matrix(lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let parts = PartName::ALL.iter().filter(|part| FORMATS.iter().any(|format| format.parts.contains(part)));
    let head = std::iter::once("").chain(FORMATS.iter().map(|format| format.name));
    let rows = parts.map(|part| {
        let marks = FORMATS.iter().map(|format| if format.parts.contains(part) { "+" } else { "-" });
        std::iter::once(lang.pick(part.zh(), part.en())).chain(marks).collect()
    });
    table::write(&std::iter::once(head.collect()).chain(rows).collect::<Vec<Vec<&str>>>(), out)
}

fn amount(limit: &Limit) -> String {
    match (limit.unit, limit.amount) {
        (Unit::Bytes, bytes) if bytes % (1 << 30) == 0 => format!("{} GiB", bytes >> 30),
        (Unit::Bytes, bytes) if bytes % (1 << 20) == 0 => format!("{} MiB", bytes >> 20),
        (_, amount) => amount.to_string(),
    }
}
