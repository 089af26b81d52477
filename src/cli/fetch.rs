//! `zhijian fetch`: packages from addresses and app stores into the store.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;
use zhijian::model::{Lang, Listing};

use super::fetcher::{Fetcher, Package, configuration};
use super::{FAILED, complain};

#[derive(Debug, Args)]
pub(super) struct Fetch {
    #[arg(required = true, value_name = "ADDRESS")]
    address: Vec<String>,
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Form::Terminal, hide_possible_values = true, hide_default_value = true)]
    format: Form,
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Terminal,
    Jsonl,
}

/// One line of the machine-readable output.
#[derive(Serialize)]
struct Line<'a> {
    address: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    unchanged: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    listing: Option<&'a Listing>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

impl Fetch {
    pub(super) fn run(self, lang: Lang) -> anyhow::Result<u8> {
        let fetcher = Fetcher::new(&configuration(self.config.as_deref())?)?;
        let mut out = io::stdout().lock();
        let mut code = 0;
        for address in &self.address {
            let fetched = fetcher.package(address, self.quiet, lang);
            if let Err(error) = &fetched {
                complain(&format!("{address}: {error}"));
                code = FAILED;
            }
            match self.format {
                Form::Jsonl => {
                    serde_json::to_writer(&mut out, &line(address, &fetched))?;
                    writeln!(out)?;
                }
                Form::Terminal => {
                    if let Ok(package) = &fetched {
                        show(address, package, lang, &mut out)?;
                    }
                }
            }
        }
        Ok(code)
    }
}

fn line<'a>(address: &'a str, fetched: &'a Result<Package, String>) -> Line<'a> {
    let package = fetched.as_ref().ok();
    let file = package.and_then(|package| package.file.as_ref());
    Line {
        address,
        sha256: file.map(|(_, done)| done.known.sha256.as_str()),
        bytes: file.map(|(_, done)| done.known.bytes),
        file: file.map(|(path, _)| path.display().to_string()),
        unchanged: file.is_some_and(|(_, done)| done.unchanged),
        listing: package.and_then(|package| package.listing.as_ref()),
        error: fetched.as_ref().err().map(String::as_str),
    }
}

fn show(address: &str, package: &Package, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}", zhijian::report::visible(address))?;
    if let Some(listing) = &package.listing {
        for (label, text) in zhijian::report::listing(lang, listing) {
            writeln!(out, "  {label}  {}", zhijian::report::visible(&text))?;
        }
    }
    match &package.file {
        Some((path, done)) => {
            let note = if done.unchanged { lang.pick("（与上次相同）", " (unchanged)") } else { "" };
            writeln!(out, "  sha256  {}{note}", done.known.sha256)?;
            writeln!(out, "  {}  {}", lang.pick("大小", "bytes"), done.known.bytes)?;
            writeln!(out, "  {}  {}", lang.pick("文件", "file"), path.display())
        }
        None => {
            let words = "应用市场未公开安装包下载地址";
            writeln!(out, "  {}", lang.pick(words, "the store gives no address of the package to the public"))
        }
    }
}
