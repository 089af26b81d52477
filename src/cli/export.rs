//! `zhijian code export` and `zhijian code picture`: codes as files for other programs and for people.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::Args;
use zhijian::export::{self, Painter};
use zhijian::ledger::History;
use zhijian::model::Lang;

use super::code::{Filter, documents};
use super::complain;
use super::database::{Open, When};
use super::output::write_whole;

#[derive(Debug, Args)]
pub(super) struct Export {
    #[arg(required = true, value_name = "FILE")]
    file: Vec<PathBuf>,
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    when: When,
}

#[derive(Debug, Args)]
pub(super) struct Picture {
    #[arg(value_name = "TARGET")]
    target: String,
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[arg(long, value_name = "URL")]
    address: Option<String>,
    #[arg(long, value_name = "PIXELS", default_value_t = 600, hide_default_value = true)]
    width: u32,
    #[command(flatten)]
    when: When,
}

impl Export {
    pub(super) fn run(&self, open: &Open) -> anyhow::Result<()> {
        let lang = open.lang;
        // A name that cannot be is told before any time is spent.
        let formats = self.file.iter().map(|path| {
            let named = export::format(&ending(path));
            named.map(|format| (path, format)).ok_or_else(|| {
                let names: Vec<&str> = export::FORMATS.iter().map(|format| format.name).collect();
                unknown(path, &names, lang)
            })
        });
        let formats: Vec<_> = formats.collect::<Result<_, _>>()?;
        let mut all = documents(open, &self.when.policy()?, self.when.at())?;
        all.retain(|document| self.filter.holds(document));
        for (path, format) in formats {
            let mut codes = all.iter().cloned().map(Ok);
            write_whole(path, |out| (format.write)(&mut codes, lang, out))
                .with_context(|| path.display().to_string())?;
        }
        Ok(())
    }
}

impl Picture {
    pub(super) fn run(&self, open: &Open) -> anyhow::Result<()> {
        let lang = open.lang;
        let ending = ending(&self.file);
        if !matches!(&*ending, "svg" | "png") {
            return Err(unknown(&self.file, &["svg", "png"], lang));
        }
        let (target, events) = open.target(&self.target)?;
        let history: History = self.when.history(&self.when.policy()?, &events);
        let Some(document) = open.document(&target, &events, &history, self.when.at()) else {
            bail!("{target}: {}", lang.pick("该时间之前没有事件", "no events then"))
        };
        let own = document.report.as_ref().and_then(|report| report.address.as_deref());
        let Some(address) = self.address.as_deref().or(own) else {
            bail!(lang.pick(
                "二维码没有可指向的地址：用 --address 给出，或在配置文件中写 [ledger] report-address",
                "no address for the QR code: give one by --address, or [ledger] report-address in the configuration"
            ))
        };
        let drawn = export::svg(&document, address, lang).map_err(|error| anyhow!(error.words(lang)))?;
        let bytes = match &*ending {
            "svg" => drawn.into_bytes(),
            _ => {
                let png = Painter::new().png(&drawn, self.width);
                let png = png.map_err(|error| anyhow!(error.words(lang)))?;
                if let Some(warning) = png.warning {
                    complain(lang.pick(&warning.zh, &warning.en));
                }
                png.bytes
            }
        };
        let written = write_whole(&self.file, |out| io::Write::write_all(out, &bytes));
        written.with_context(|| self.file.display().to_string())
    }
}

fn ending(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase()
}

fn unknown(path: &Path, names: &[&str], lang: Lang) -> anyhow::Error {
    let words = lang.pick("文件名应以下列之一结尾：", "the name has to end in one of");
    anyhow!("{}: {words} {}", path.display(), names.join(", "))
}
