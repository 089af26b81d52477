//! The notice as one HTML file without a request: it prints as the Word document does.

use std::io::{self, Write};

use askama::Template;

use super::{Block, Notice};
use crate::model::Lang;

#[derive(Template)]
#[template(path = "notice.html", config = "src/report/notice/askama.toml")]
struct Page<'a> {
    notice: &'a Notice,
    lang: Lang,
}

pub(super) fn write(notice: &Notice, out: &mut dyn Write) -> io::Result<()> {
    let html = Page { notice, lang: notice.lang }.render().map_err(io::Error::other)?;
    writeln!(out, "{html}")
}
