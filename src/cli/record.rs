//! `zhijian record`: what happened to a target, into the ledger.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::{Args, Subcommand};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use zhijian::ledger::{Decision, Recorded, found_before, scan_record, target_keys};
use zhijian::model::{Deed, Event, Lang, Report, hex};
use zhijian::report::visible;
use zhijian::roster::{Roster, Row};
use zhijian::run::{Folder, Stamp};

use super::database::{Act, Database, Open};
use super::{FAILED, complain};

/// No larger file is taken for a report, in bytes.
const LARGEST_REPORT: u64 = 256 << 20;
/// Reports that go into the ledger together.
const BATCH: usize = 100;
/// What a run finds unchanged is told again after so long.
const TOLD_AGAIN: SignedDuration = SignedDuration::from_hours(30 * 24);

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
        #[arg(long, value_name = "DATE")]
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
        let open = self.database.open(lang)?;
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
    let mut batch = Batch::new(open, act, false);
    for file in &files {
        let outcome = read(file, lang).and_then(|reports| {
            if target.is_some() && reports.len() > 1 {
                bail!("--target: {}", lang.pick("只能用于一份报告", "goes with one report"));
            }
            reports.into_iter().try_for_each(|(report, text)| batch.add(&report, text, target, None, out))
        });
        if let Err(error) = outcome {
            failed = true;
            complain(&format!("{}: {error:#}", file.display()));
        }
    }
    batch.flush(out)?;
    out.flush()?;
    Ok(if failed { FAILED } else { 0 })
}

/// Reports that go into the ledger together: a transaction for each would cost a write to disk for each.
struct Batch<'a> {
    open: &'a Open,
    act: &'a Act,
    documents: Vec<(String, Vec<u8>)>,
    events: Vec<Event>,
    known: Vec<bool>,
    /// Only what the ledger does not know yet.
    news_only: bool,
}

/// Whether the ledger does not know a report, or was told of it long ago: a code rests on scans that are not too old.
fn is_news(events: &[Recorded], digest: &str, at: Timestamp) -> bool {
    let scans = events.iter().filter_map(|recorded| match &recorded.event.deed {
        Deed::Scanned(scan) => Some((recorded.event.at, scan)),
        _ => None,
    });
    let latest = scans.max_by_key(|(at, _)| *at);
    latest.is_none_or(|(told, scan)| scan.report != digest || at.duration_since(told) > TOLD_AGAIN)
}

/// Records the reports of the latest run of a roster that the ledger does not know yet.
pub(super) fn run_reports(
    open: &Open,
    act: &Act,
    folder: &Folder,
    roster: &Roster,
    targets: &[(String, u64)],
    out: &mut dyn Write,
) -> anyhow::Result<u8> {
    let mut failed = false;
    let mut batch = Batch::new(open, act, true);
    let rows: HashMap<u64, &Row> = roster.rows.iter().map(|row| (row.line, row)).collect();
    for (id, line) in targets {
        let file = folder.report(id);
        let Some(stamp) = Stamp::of(&file) else { continue };
        let row = rows.get(line);
        let outcome = read(&file, open.lang).and_then(|reports| {
            // An export may hold several groups, of which the row names none.
            let key = row.filter(|_| reports.len() == 1).and_then(|row| row.entry.key());
            reports.into_iter().try_for_each(|(report, text)| {
                batch.add(&report, text, key.as_deref(), Some(stamp.changed), out)
            })
        });
        if let Err(error) = outcome {
            failed = true;
            complain(&format!("{}: {error:#}", file.display()));
        }
    }
    batch.flush(out)?;
    Ok(if failed { FAILED } else { 0 })
}

impl<'a> Batch<'a> {
    fn new(open: &'a Open, act: &'a Act, news_only: bool) -> Self {
        Batch { open, act, documents: Vec::new(), events: Vec::new(), known: Vec::new(), news_only }
    }

    fn add(
        &mut self,
        report: &Report,
        text: Vec<u8>,
        target: Option<&str>,
        scanned: Option<Timestamp>,
        out: &mut dyn Write,
    ) -> anyhow::Result<()> {
        let open = self.open;
        let at = self.act.given().or(report.as_of).or(scanned).unwrap_or_else(|| self.act.at());
        let keys = match target {
            Some(target) => vec![target.to_owned()],
            None => target_keys(report),
        };
        // What is compared with, and what is not to be told twice, has to be in the ledger.
        if self.events.len() >= BATCH || self.events.iter().any(|event| keys.contains(&event.target)) {
            self.flush(out)?;
        }
        let mut found = None;
        for key in &keys {
            let events = open.wait(open.ledger.events_of(key))?;
            if !events.is_empty() {
                found = Some((key.clone(), events));
                break;
            }
        }
        let known = found.is_some();
        let Some((key, events)) = found.or_else(|| Some((keys.first()?.clone(), Vec::new()))) else {
            bail!(
                "{}",
                open.lang.pick(
                    "报告没有说明对象是谁，请用 --target 指定",
                    "the report does not say whose it is; name it by --target"
                )
            );
        };
        let digest = hex(&Sha256::digest(&text));
        if self.news_only && !is_news(&events, &digest, at) {
            return Ok(());
        }
        let mut disguises = Vec::new();
        for (before, rules) in found_before(&events) {
            let Some(before) = open.wait(open.ledger.document(&before))? else { continue };
            if let Ok(before) = zhijian::report::read(&before) {
                disguises.extend(zhijian::rectify::disguises(&before, report, &rules));
            }
        }
        let record = scan_record(report, digest.clone(), &disguises);
        let deed = Deed::Scanned(Box::new(record));
        self.events.push(Event { target: key, at, actor: self.act.actor(), deed });
        self.documents.push((digest, text));
        self.known.push(known);
        Ok(())
    }

    fn flush(&mut self, out: &mut dyn Write) -> anyhow::Result<()> {
        if self.events.is_empty() {
            return Ok(());
        }
        let documents: Vec<(&str, &[u8])> =
            self.documents.iter().map(|(digest, text)| (&**digest, &**text)).collect();
        let first = self.open.append_with(&documents, &self.events)?;
        for (seq, (event, known)) in (first..).zip(self.events.iter().zip(&self.known)) {
            let new = if *known {
                ""
            } else {
                self.open.lang.pick("  （名录中没有）", "  (not on the roster)")
            };
            writeln!(out, "#{seq}  {}{new}", visible(&event.target))?;
        }
        (self.documents, self.events, self.known) = Default::default();
        Ok(())
    }
}

/// The reports of a file, each with its JSON: one, or those of several programs in one package.
fn read(file: &Path, lang: Lang) -> anyhow::Result<Vec<(Report, Vec<u8>)>> {
    let size = std::fs::metadata(file)?.len();
    if size > LARGEST_REPORT {
        bail!("{size} > {LARGEST_REPORT}");
    }
    let text = std::fs::read(file)?;
    if text.trim_ascii_start().first() != Some(&b'[') {
        let report = zhijian::report::read(&text).map_err(|error| anyhow!(error.words(lang)))?;
        return Ok(vec![(report, text)]);
    }
    let reports: Vec<Report> = serde_json::from_slice(&text)?;
    let json = |report: Report| {
        let mut text = Vec::new();
        zhijian::report::write_json(&report, &mut text)?;
        Ok((report, text))
    };
    reports.into_iter().map(json).collect()
}
