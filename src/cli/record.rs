//! `zhijian record`: what happened to a target, into the ledger.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::{Args, Subcommand};
use jiff::civil::Date;
use zhijian::ledger::Decision;
use zhijian::model::Lang;
use zhijian::record::{self, Batch, Noted};
use zhijian::report::visible;

use super::database::{Act, Database, Open, day};
use super::{FAILED, complain};

#[derive(Debug, Args)]
pub(super) struct Record {
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    act: Act,
    #[command(subcommand)]
    action: Action,
}

type Text = clap::builder::NonEmptyStringValueParser;

#[derive(Debug, Subcommand)]
enum Action {
    Scan {
        #[arg(value_name = "REPORT", required = true)]
        reports: Vec<PathBuf>,
        #[arg(long, value_name = "TARGET")]
        target: Option<String>,
    },
    Filing {
        #[arg(value_name = "TARGET")]
        target: String,
        #[arg(long, value_name = "NUMBER", value_parser = Text::new())]
        number: String,
    },
    Revocation {
        #[arg(value_name = "TARGET")]
        target: String,
        #[arg(long, value_name = "TEXT", value_parser = Text::new())]
        reason: String,
    },
    Notice {
        #[arg(value_name = "TARGET")]
        target: String,
        #[arg(long, value_name = "NUMBER", value_parser = Text::new())]
        document: String,
        #[arg(long, value_name = "DATE", value_parser = day)]
        deadline: Date,
        #[arg(long = "rule", value_name = "ID")]
        rules: Vec<String>,
    },
    Rectification {
        #[arg(value_name = "TARGET")]
        target: String,
        #[arg(long, value_name = "TEXT", value_parser = Text::new())]
        statement: String,
    },
    Closure {
        #[arg(value_name = "TARGET")]
        target: String,
        #[arg(long, value_name = "TEXT", value_parser = Text::new())]
        reason: String,
    },
    Withdrawal {
        #[arg(value_name = "EVENT")]
        event: u64,
        #[arg(long, value_name = "TEXT", value_parser = Text::new())]
        reason: String,
    },
}

impl Record {
    pub(super) fn run(self, lang: Lang) -> anyhow::Result<u8> {
        let open = self.database.open_or_make(lang)?;
        let mut out = io::stdout().lock();
        let (target, decision) = match self.action {
            Action::Scan { reports, target } => {
                return scans(&open, &self.act, &reports, target.as_deref(), &mut out);
            }
            Action::Filing { target, number } => (target, Decision::Filing { number }),
            Action::Revocation { target, reason } => (target, Decision::Revocation { reason }),
            Action::Notice { target, document, deadline, rules } => {
                (target, Decision::Notice { document, deadline, rules })
            }
            Action::Rectification { target, statement } => (target, Decision::Rectification { statement }),
            Action::Closure { target, reason } => (target, Decision::Closure { reason }),
            Action::Withdrawal { event, reason } => {
                let Some(recorded) = open.wait(open.ledger.event(event))? else {
                    bail!("#{event}: {}", lang.pick("没有这个事件", "there is no such event"));
                };
                (recorded.event.target, Decision::Withdrawal { event, reason })
            }
        };
        let (target, seq) = open.decide(&self.act, &target, decision)?;
        writeln!(out, "#{seq}  {}", visible(&target))?;
        out.flush()?;
        Ok(0)
    }
}

/// Reports of `zhijian scan --format json` or of a run, or folders of them. Each is recorded by itself, so that what
/// cannot be read costs nothing but itself.
fn scans(
    open: &Open,
    act: &Act,
    paths: &[PathBuf],
    target: Option<&str>,
    out: &mut dyn Write,
) -> anyhow::Result<u8> {
    let lang = open.lang;
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let entries = std::fs::read_dir(path).with_context(|| path.display().to_string())?;
            let mut inside = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>()?;
            inside.retain(|file| file.extension().is_some_and(|extension| extension == "json"));
            inside.sort();
            files.extend(inside);
        } else {
            files.push(path.clone());
        }
    }
    if target.is_some() && files.len() > 1 {
        bail!("--target: {}", lang.pick("只能用于一份报告", "goes with one report"));
    }
    let mut failed = false;
    let mut batch = Batch::new(&open.recorder, act.actor(), false);
    let mut add = |file: &Path| -> anyhow::Result<()> {
        let reports = record::read(file).map_err(|error| anyhow!(error.words(lang)))?;
        if target.is_some() && reports.len() > 1 {
            bail!("--target: {}", lang.pick("只能用于一份报告", "goes with one report"));
        }
        for (report, text) in reports {
            let at = act.given().or(report.as_of).unwrap_or_else(|| act.at());
            let added = open.runtime.block_on(batch.add(&report, text, target, at));
            added.map_err(|error| anyhow!(error.words(lang)))?;
        }
        Ok(())
    };
    for file in &files {
        if let Err(error) = add(file) {
            failed = true;
            complain(&format!("{}: {error:#}", file.display()));
        }
    }
    let noted = open.runtime.block_on(batch.finish()).map_err(|error| anyhow!(error.words(lang)))?;
    for Noted { seq, target, known, .. } in &noted {
        let new = if *known { "" } else { lang.pick("  （名录中没有）", "  (not on the roster)") };
        writeln!(out, "#{seq}  {}{new}", visible(target))?;
    }
    out.flush()?;
    Ok(if failed { FAILED } else { 0 })
}
