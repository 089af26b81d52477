//! `zhijian roster`: what a roster holds and what of it cannot be read, what a re-import would change, and how it
//! compares with a filing list.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde::de::DeserializeOwned;
use zhijian::model::{Lang, Rejected, Report, RosterEntry};
use zhijian::report::{visible, write_json};
use zhijian::roster::{
    Certainty, Change, Column, Compared, FilingList, Layout, Outcome, Roster, Seen, change, compare_filings,
};

use super::fetcher::configuration;
use super::plan::{Form, repeated};
use super::{FOUND, complain, table};

/// Rows of a list that are shown without `--all`.
const SHOWN: usize = 10;
/// No larger file is taken for a report, in bytes.
const LARGEST_REPORT: u64 = 256 << 20;

#[derive(Debug, Args)]
pub(super) struct Rosters {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(Check),
    Diff(Diff),
    Compare(Compare),
}

#[derive(Debug, Args)]
struct Check {
    #[arg(value_name = "ROSTER")]
    roster: PathBuf,
    #[command(flatten)]
    choice: Choice,
}

#[derive(Debug, Args)]
struct Diff {
    #[arg(value_name = "OLD")]
    old: PathBuf,
    #[arg(value_name = "NEW")]
    new: PathBuf,
    #[command(flatten)]
    choice: Choice,
}

#[derive(Debug, Args)]
struct Compare {
    #[arg(value_name = "ROSTER")]
    roster: PathBuf,
    #[arg(long, value_name = "LIST")]
    filings: PathBuf,
    #[arg(long, value_name = "DIR")]
    seen: Option<PathBuf>,
    #[command(flatten)]
    choice: Choice,
}

/// What the commands have in common.
#[derive(Debug, Args)]
struct Choice {
    #[arg(long, value_name = "SHEET")]
    sheet: Option<String>,
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Form::Terminal, hide_possible_values = true, hide_default_value = true)]
    format: Form,
    #[arg(long)]
    all: bool,
}

/// Reads a roster; the error is in the language of the output.
pub(super) fn read_roster(path: &Path, layout: &Layout, lang: Lang) -> anyhow::Result<Roster> {
    Roster::read(path, layout).map_err(|error| anyhow!(error.words(lang)))
}

impl Choice {
    fn read(&self, path: &Path, lang: Lang) -> anyhow::Result<Roster> {
        let mut layout = configuration(self.config.as_deref())?.roster;
        layout.sheet = self.sheet.clone().or(layout.sheet);
        read_roster(path, &layout, lang)
    }

    /// How many of a list are shown.
    fn most(&self) -> usize {
        if self.all { usize::MAX } else { SHOWN }
    }

    fn show<T: Serialize>(
        &self,
        machine: &T,
        people: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut out = io::stdout().lock();
        match self.format {
            Form::Json => write_json(machine, &mut out)?,
            Form::Terminal => people(&mut out)?,
        }
        out.flush()
    }
}

impl Rosters {
    pub(super) fn run(self, lang: Lang) -> anyhow::Result<u8> {
        match self.command {
            Command::Check(check) => check.run(lang),
            Command::Diff(diff) => diff.run(lang),
            Command::Compare(compare) => compare.run(lang),
        }
    }
}

/// The exit code when rows could not be read.
fn code(rejected: usize) -> u8 {
    if rejected > 0 { FOUND } else { 0 }
}

/// A roster as programs read it.
#[derive(Serialize)]
struct Checked<'a> {
    schema: &'static str,
    roster: &'a Path,
    sheet: Option<&'a str>,
    ignored: &'a [String],
    missing: BTreeMap<Column, usize>,
    rejected: &'a [Rejected],
    repeated: &'a [(u64, u64)],
    rows: Vec<Entry<'a>>,
}

#[derive(Serialize)]
struct Entry<'a> {
    line: u64,
    key: Option<String>,
    #[serde(flatten)]
    entry: &'a RosterEntry,
}

impl Check {
    fn run(self, lang: Lang) -> anyhow::Result<u8> {
        let roster = self.choice.read(&self.roster, lang)?;
        let rows = roster.rows.iter();
        let machine = Checked {
            schema: "zhijian.roster/1",
            roster: &self.roster,
            sheet: roster.sheet.as_deref(),
            ignored: &roster.ignored,
            missing: roster.missing(),
            rejected: &roster.rejected,
            repeated: &roster.repeated,
            rows: rows.map(|row| Entry { line: row.line, key: row.entry.key(), entry: &row.entry }).collect(),
        };
        self.choice.show(&machine, |out| self.people(&machine, lang, out))?;
        Ok(code(roster.rejected.len() + roster.repeated.len()))
    }

    fn people(&self, checked: &Checked<'_>, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
        let sheet = checked.sheet.map(|sheet| format!(" [{sheet}]")).unwrap_or_default();
        table::hanging("", &format!("{}{sheet}", self.roster.display()), out)?;
        let counts = [
            (lang.pick("读到", "read"), checked.rows.len()),
            (lang.pick("未能读取", "rejected"), checked.rejected.len()),
            (lang.pick("重复", "repeated"), checked.repeated.len()),
        ];
        table::write(&counts.map(|(label, count)| [label.to_owned(), count.to_string()]), out)?;
        if !checked.ignored.is_empty() {
            let label = lang.pick("未使用的列  ", "columns not used  ");
            table::hanging(label, &checked.ignored.join(lang.pick("、", ", ")), out)?;
        }
        rejected(lang.pick("未能读取", "rejected"), checked.rejected, self.choice.most(), lang, out)?;
        if !checked.repeated.is_empty() {
            writeln!(out)?;
            let shown = checked.repeated.len().min(self.choice.most());
            repeated(checked.repeated.get(..shown).unwrap_or_default(), lang, out)?;
            more(checked.repeated.len() - shown, lang, out)?;
        }
        let missing: Vec<[String; 2]> = (checked.missing.iter())
            .map(|(column, count)| [format!("  {}", column.title(lang)), count.to_string()])
            .collect();
        if !missing.is_empty() {
            writeln!(out, "\n{}", lang.pick("未填写", "not filled in"))?;
            table::write(&missing, out)?;
        }
        Ok(())
    }
}

/// Rows that could not be read, with the reasons.
fn rejected(title: &str, rows: &[Rejected], most: usize, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title} {}", rows.len())?;
    for row in rows.iter().take(most) {
        let line = match lang {
            Lang::Zh => format!("  第 {} 行  ", row.line),
            Lang::En => format!("  line {}  ", row.line),
        };
        table::hanging(&line, lang.pick(&row.reason, &row.reason_en), out)?;
    }
    more(rows.len().saturating_sub(most), lang, out)
}

/// How many of a list were not shown.
fn more(count: usize, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    match (count, lang) {
        (0, _) => Ok(()),
        (_, Lang::Zh) => writeln!(out, "  另有 {count} 个；--all 全部列出"),
        (_, Lang::En) => writeln!(out, "  {count} more; --all shows them"),
    }
}

/// A diff as programs read it.
#[derive(Serialize)]
struct Differences<'a> {
    schema: &'static str,
    old: &'a Path,
    new: &'a Path,
    #[serde(flatten)]
    change: &'a Change,
    old_rejected: &'a [Rejected],
    new_rejected: &'a [Rejected],
}

impl Diff {
    fn run(self, lang: Lang) -> anyhow::Result<u8> {
        let (old, new) = (self.choice.read(&self.old, lang)?, self.choice.read(&self.new, lang)?);
        let on_record = old.rows.into_iter().filter_map(|row| Some((row.entry.key()?, row.entry))).collect();
        let change = change(&on_record, &new);
        let machine = Differences {
            schema: "zhijian.roster-diff/1",
            old: &self.old,
            new: &self.new,
            change: &change,
            old_rejected: &old.rejected,
            new_rejected: &new.rejected,
        };
        self.choice.show(&machine, |out| {
            show_change(&change, self.choice.most(), lang, out)?;
            let titles = [
                lang.pick("旧名录未能读取", "rejected in the old roster"),
                lang.pick("新名录未能读取", "rejected in the new roster"),
            ];
            rejected(titles[0], &old.rejected, self.choice.most(), lang, out)?;
            rejected(titles[1], &new.rejected, self.choice.most(), lang, out)
        })?;
        Ok(code(old.rejected.len() + new.rejected.len()))
    }
}

/// What a re-import changes.
pub(super) fn show_change(change: &Change, most: usize, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let named = |entry: &RosterEntry| entry.name.clone().unwrap_or_default();
    let target = |key: &str, name: &str, out: &mut dyn Write| {
        table::hanging("  ", format!("{key}  {name}").trim_end(), out)
    };
    let counts = [
        (lang.pick("新增", "added"), change.added.len()),
        (lang.pick("变更", "changed"), change.changed.len()),
        (lang.pick("移出", "removed"), change.removed.len()),
        (lang.pick("不变", "unchanged"), change.unchanged),
        (
            lang.pick("行未能读取，保持原样", "left as they are, their rows could not be read"),
            change.unread.len(),
        ),
    ];
    table::write(&counts.map(|(label, count)| [label.to_owned(), count.to_string()]), out)?;
    for (title, entries) in [(counts[0].0, &change.added), (counts[2].0, &change.removed)] {
        if entries.is_empty() {
            continue;
        }
        writeln!(out, "\n{title} {}", entries.len())?;
        for (key, entry) in entries.iter().take(most) {
            target(key, &named(entry), out)?;
        }
        more(entries.len().saturating_sub(most), lang, out)?;
    }
    if !change.changed.is_empty() {
        writeln!(out, "\n{} {}", counts[1].0, change.changed.len())?;
        for changed in change.changed.iter().take(most) {
            target(&changed.key, &named(&changed.entry), out)?;
            for (column, old, new) in changed.edits(lang) {
                let blank = || lang.pick("（空）", "(empty)").to_owned();
                let (old, new) = (old.unwrap_or_else(blank), new.unwrap_or_else(blank));
                table::hanging(&format!("    {}  ", column.title(lang)), &format!("{old} → {new}"), out)?;
            }
        }
        more(change.changed.len().saturating_sub(most), lang, out)?;
    }
    if !change.renamed.is_empty() {
        let title = lang.pick("疑为同一对象，标识有变", "seem to be the same under another key");
        writeln!(out, "\n{title} {}", change.renamed.len())?;
        for (old, new) in change.renamed.iter().take(most) {
            table::hanging("  ", &format!("{old} → {new}"), out)?;
        }
        more(change.renamed.len().saturating_sub(most), lang, out)?;
    }
    Ok(())
}

/// A comparison as programs read it.
#[derive(Serialize)]
struct Comparison<'a> {
    schema: &'static str,
    roster: &'a Path,
    list: &'a Path,
    seen: usize,
    counts: BTreeMap<Outcome, usize>,
    compared: &'a [Compared],
    roster_rejected: &'a [Rejected],
    list_rejected: &'a [Rejected],
}

impl Compare {
    fn run(self, lang: Lang) -> anyhow::Result<u8> {
        let roster = self.choice.read(&self.roster, lang)?;
        let list = FilingList::read(&self.filings).map_err(|error| anyhow!(error.words(lang)))?;
        let seen = self.seen.as_deref().map_or(Ok(Vec::new()), |folder| {
            reports(folder, lang, |report: Report| Some(Seen::of(&report)))
        })?;
        let compared = compare_filings(&roster, &list, &seen);
        let mut counts = BTreeMap::new();
        compared.iter().for_each(|one| *counts.entry(one.outcome).or_default() += 1);
        let machine = Comparison {
            schema: "zhijian.filing-comparison/1",
            roster: &self.roster,
            list: &self.filings,
            seen: seen.len(),
            counts,
            compared: &compared,
            roster_rejected: &roster.rejected,
            list_rejected: &list.rejected,
        };
        self.choice.show(&machine, |out| {
            self.people(&machine, lang, out)?;
            let titles = [
                lang.pick("名录未能读取", "rejected in the roster"),
                lang.pick("清单未能读取", "rejected in the list"),
            ];
            rejected(titles[0], &roster.rejected, self.choice.most(), lang, out)?;
            rejected(titles[1], &list.rejected, self.choice.most(), lang, out)
        })?;
        Ok(code(roster.rejected.len() + list.rejected.len()))
    }

    fn people(&self, comparison: &Comparison<'_>, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
        let counts = Outcome::ALL.map(|outcome| {
            let count = comparison.counts.get(&outcome).copied().unwrap_or_default();
            [lang.pick(outcome.zh(), outcome.en()).to_owned(), count.to_string()]
        });
        table::write(&counts, out)?;
        for outcome in Outcome::ALL {
            let rows: Vec<&Compared> =
                comparison.compared.iter().filter(|one| one.outcome == outcome).collect();
            // What is in order is listed only when a person has to look, or on demand.
            let in_order =
                |one: &&&Compared| outcome == Outcome::Filed && one.certainty == Certainty::Certain;
            let shown: Vec<&&Compared> =
                rows.iter().filter(|one| self.choice.all || !in_order(one)).collect();
            if shown.is_empty() {
                continue;
            }
            let part = match shown.len() < rows.len() {
                true => lang.pick("，须人工核对", ", to be looked at"),
                false => "",
            };
            writeln!(out, "\n{}{part} {}", lang.pick(outcome.zh(), outcome.en()), shown.len())?;
            for one in shown.iter().take(self.choice.most()) {
                row(one, lang, out)?;
            }
            more(shown.len().saturating_sub(self.choice.most()), lang, out)?;
        }
        Ok(())
    }
}

fn row(one: &Compared, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let place = |line: Option<u64>, zh: &str, en: &str| {
        line.map(|line| match lang {
            Lang::Zh => format!("{zh}第 {line} 行"),
            Lang::En => format!("{en} line {line}"),
        })
    };
    let places = [place(one.roster, "名录", "roster"), place(one.list, "清单", "list"), one.seen.clone()];
    let places: Vec<String> = places.into_iter().flatten().collect();
    table::hanging("  ", &format!("{}  {}", one.name, places.join(lang.pick("，", ", "))), out)?;
    table::hanging("    ", lang.pick(&one.reason, &one.reason_en), out)?;
    let look = match one.certainty {
        Certainty::Certain => return Ok(()),
        Certainty::NumberOnly => {
            lang.pick("仅编号相符，须人工核对", "by the number only: a person has to look")
        }
        Certainty::NameOnly => lang.pick("仅名称相符，须人工核对", "by the name only: a person has to look"),
    };
    table::hanging("    ", look, out)
}

/// What the reports of a folder say; other files are counted.
pub(super) fn reports<R: DeserializeOwned, S>(
    folder: &Path,
    lang: Lang,
    of: impl Fn(R) -> Option<S>,
) -> anyhow::Result<Vec<S>> {
    let named = || folder.display().to_string();
    let mut paths = fs::read_dir(folder)
        .with_context(named)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<PathBuf>>>()
        .with_context(named)?;
    paths.sort();
    let (mut seen, mut others) = (Vec::new(), 0);
    for path in paths {
        let size = fs::metadata(&path).map_or(0, |found| if found.is_file() { found.len() } else { 0 });
        let bytes = if size > 0 && size <= LARGEST_REPORT { fs::read(&path).ok() } else { None };
        // One report, or those of the programs within one package.
        let list = bytes.and_then(|bytes| match bytes.trim_ascii_start().first() {
            Some(b'[') => serde_json::from_slice::<Vec<R>>(&bytes).ok(),
            _ => serde_json::from_slice(&bytes).ok().map(|report| vec![report]),
        });
        match list.and_then(|list| list.into_iter().map(&of).collect::<Option<Vec<S>>>()) {
            Some(list) => seen.extend(list),
            None => others += 1,
        }
    }
    if others > 0 {
        complain(&match lang {
            Lang::Zh => format!("{}：{others} 个文件不是检测报告，未使用", visible(&named())),
            Lang::En => format!("{}: {others} files are no reports and were not used", visible(&named())),
        });
    }
    Ok(seen)
}
