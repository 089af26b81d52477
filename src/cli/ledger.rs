//! `zhijian ledger`: the ledger itself: what is in it, whether it is whole, backup and restore.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;
use zhijian::ledger::{Chain, Recorded};
use zhijian::model::{Event, Lang, Rejected, beijing_minute};
use zhijian::report::{visible, write_json};
use zhijian::roster::{Change, Compared, FilingList, Layout, change, compare_filings, import};

use super::database::{Act, Database, Open};
use super::plan::Form;
use super::roster::{read_roster, show_change};
use super::{FOUND, table};

/// Rows of a list that are shown.
const SHOWN: usize = 10;

#[derive(Debug, Args)]
pub(super) struct Ledger {
    #[command(flatten)]
    database: Database,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Verify {
        #[arg(long, value_name = "HASH")]
        head: Option<String>,
        #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Form::Terminal, hide_possible_values = true, hide_default_value = true)]
        format: Form,
    },
    Log {
        #[arg(value_name = "TARGET")]
        target: Option<String>,
        #[arg(long, value_name = "NUMBER", default_value_t = 30, hide_default_value = true)]
        last: u32,
        #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Form::Terminal, hide_possible_values = true, hide_default_value = true)]
        format: Form,
    },
    Import {
        #[arg(value_name = "ROSTER")]
        roster: PathBuf,
        #[arg(long, value_name = "LIST")]
        filings: Option<PathBuf>,
        #[arg(long)]
        apply: bool,
        #[command(flatten)]
        act: Act,
        #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Form::Terminal, hide_possible_values = true, hide_default_value = true)]
        format: Form,
    },
    Backup {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    Restore {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

/// An event as programs read it.
#[derive(Serialize)]
struct Machine<'a> {
    seq: u64,
    hash: &'a str,
    recorded: jiff::Timestamp,
    #[serde(flatten)]
    event: &'a zhijian::model::Event,
}

impl Ledger {
    pub(super) fn run(self, lang: Lang) -> anyhow::Result<u8> {
        let open = match &self.action {
            Action::Import { .. } | Action::Restore { .. } => self.database.open_or_make(lang)?,
            Action::Verify { .. } | Action::Log { .. } | Action::Backup { .. } => self.database.open(lang)?,
        };
        let mut out = io::stdout().lock();
        let code = match self.action {
            Action::Verify { head, format } => verify(&open, head.as_deref(), format, &mut out)?,
            Action::Log { target, last, format } => {
                let mut events = match target {
                    None => open.wait(open.ledger.latest(last))?,
                    Some(target) => {
                        let mut events = open.target(&target)?.1;
                        events.reverse();
                        events.truncate(last as usize);
                        events
                    }
                };
                events.reverse();
                match format {
                    Form::Json => {
                        let machine = |r: &'_ Recorded| -> serde_json::Value {
                            let Recorded { seq, hash, recorded, event } = r;
                            let machine = Machine { seq: *seq, hash, recorded: *recorded, event };
                            serde_json::to_value(machine).unwrap_or_default()
                        };
                        let events: Vec<_> = events.iter().map(machine).collect();
                        write_json(&events, &mut out)?;
                    }
                    Form::Terminal => show(&events, lang, &mut out)?,
                }
                0
            }
            Action::Import { roster, filings, apply, act, format } => {
                let layout = self.database.config()?.roster;
                let import =
                    Import { roster: &roster, filings: filings.as_deref(), act: &act, apply, format };
                import.run(&open, &layout, &mut out)?
            }
            Action::Backup { file } => {
                let there = lang.pick("文件已存在，不覆盖", "is there already and is not overwritten");
                anyhow::ensure!(file.symlink_metadata().is_err(), "{}: {there}", file.display());
                let chain = open.wait_backup(open.ledger.backup(&file))?;
                told(&chain, lang.pick("已备份", "backed up"), lang, &mut out)?;
                0
            }
            Action::Restore { file } => {
                let chain = open.wait_backup(open.ledger.restore(&file))?;
                told(&chain, lang.pick("已恢复", "restored"), lang, &mut out)?;
                0
            }
        };
        out.flush()?;
        Ok(code)
    }
}

/// What changes on record, as programs read it.
#[derive(Serialize)]
struct Imported<'a> {
    schema: &'static str,
    change: &'a Change,
    rejected: &'a [Rejected],
    compared: &'a [Compared],
    events: &'a [Event],
    applied: bool,
}

struct Import<'a> {
    roster: &'a Path,
    filings: Option<&'a Path>,
    act: &'a Act,
    apply: bool,
    format: Form,
}

impl Import<'_> {
    fn run(&self, open: &Open, layout: &Layout, out: &mut dyn Write) -> anyhow::Result<u8> {
        let lang = open.lang;
        let roster = read_roster(self.roster, layout, lang)?;
        let record = open.wait(open.ledger.on_record(self.act.at()))?;
        let old = record.iter().map(|(key, known)| (key.clone(), known.entry.clone())).collect();
        let change = change(&old, &roster);
        let list = self.filings.map(FilingList::read).transpose();
        let list = list.map_err(|error| anyhow::anyhow!(error.words(lang)))?;
        let compared = list.as_ref().map_or_else(Vec::new, |list| compare_filings(&roster, list, &[]));
        let deeds = import(&record, &roster, &change, list.as_ref().map(|list| (list, &*compared)));
        let events: Vec<Event> =
            deeds.into_iter().map(|(target, deed)| self.act.event(&target, deed)).collect();
        if self.apply && !events.is_empty() {
            open.append(&events)?;
        }
        let mut rejected = roster.rejected.clone();
        rejected.extend(list.into_iter().flat_map(|list| list.rejected));
        let code = if rejected.is_empty() { 0 } else { FOUND };
        if self.format == Form::Json {
            let schema = "zhijian.import/1";
            let (change, compared, events, rejected) = (&change, &*compared, &*events, &*rejected);
            write_json(&Imported { schema, change, rejected, compared, events, applied: self.apply }, out)?;
            return Ok(code);
        }
        show_change(&change, SHOWN, lang, out)?;
        for Rejected { line, reason, reason_en } in rejected.iter().take(SHOWN) {
            match lang {
                Lang::Zh => writeln!(out, "第 {line} 行未能读取：{}", visible(reason))?,
                Lang::En => writeln!(out, "line {line} could not be read: {}", visible(reason_en))?,
            }
        }
        if rejected.len() > SHOWN {
            let words =
                lang.pick("未能读取的行全部列出：zhijian roster check", "all of them: zhijian roster check");
            writeln!(out, "{words}")?;
        }
        let count = |name: &str| events.iter().filter(|event| event.deed.name() == name).count();
        let (filed, revoked) = (count("filed"), count("filing-revoked"));
        let done = match (events.len(), self.apply) {
            (0, _) => lang.pick("台账无变化", "the ledger stays as it is"),
            (_, true) => lang.pick("已写入台账", "written to the ledger"),
            (_, false) => lang.pick("未写入，加 --apply 写入台账", "not written; --apply writes it"),
        };
        match lang {
            Lang::Zh => {
                writeln!(out, "\n{} 个事件（其中备案 {filed}、撤销备案 {revoked}）：{done}", events.len())?
            }
            Lang::En => {
                writeln!(out, "\n{} events ({filed} filed, {revoked} revoked): {done}", events.len())?
            }
        }
        Ok(code)
    }
}

fn told(chain: &Chain, deed: &str, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let Chain { events, hash, documents, .. } = chain;
    match lang {
        Lang::Zh => writeln!(out, "{deed} {events} 个事件、{documents} 份检测报告\n末位散列 {hash}"),
        Lang::En => writeln!(out, "{deed}: {events} events, {documents} reports\nlast hash {hash}"),
    }
}

fn verify(open: &Open, head: Option<&str>, format: Form, out: &mut dyn Write) -> anyhow::Result<u8> {
    let lang = open.lang;
    let chain = open.wait(open.ledger.verify())?;
    let noted = match head {
        None => true,
        Some(head) => open.wait(open.ledger.has_hash(head))?,
    };
    let whole = chain.broken.is_empty() && noted;
    match format {
        Form::Json => write_json(&chain, out)?,
        Form::Terminal => {
            if whole {
                told(&chain, lang.pick("核验无误，共", "whole"), lang, out)?;
            }
            for found in &chain.broken {
                let what = lang.pick(found.what, found.what_en);
                match lang {
                    Lang::Zh => writeln!(out, "第 {} 号事件：{what}", found.seq)?,
                    Lang::En => writeln!(out, "event {}: {what}", found.seq)?,
                }
            }
            if !noted {
                let words = lang.pick(
                    "所给散列不在台账中：此后的事件已丢失，或者台账被改写",
                    "the ledger does not hold the hash given: events are lost, or it was written anew",
                );
                writeln!(out, "{words}")?;
            }
        }
    }
    Ok(if whole { 0 } else { FOUND })
}

fn show(events: &[Recorded], lang: Lang, out: &mut dyn Write) -> anyhow::Result<()> {
    let head =
        [("号", "no."), ("时间", "time"), ("事件", "event"), ("经办", "by"), ("对象与内容", "target, what")];
    let mut rows = vec![head.map(|(zh, en)| lang.pick(zh, en).to_owned())];
    for recorded in events {
        let event = &recorded.event;
        rows.push([
            recorded.seq.to_string(),
            beijing_minute(event.at),
            lang.pick(event.deed.zh(), event.deed.name()).to_owned(),
            visible(&event.actor).into_owned(),
            format!("{}  {}", event.target, event.deed.detail(lang)),
        ]);
    }
    table::write_wrapped(&rows, out)?;
    Ok(())
}
