//! `zhijian rules measure`: how often the rules are right, on phrases and on packages that people have labelled.

mod confusion;
mod package;
mod phrase;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;
use zhijian::model::{DutyStatus, Lang, Level, Report};
use zhijian::report::write_json;
use zhijian::roster::FilingRecord;
use zhijian::rule::{Rule, RuleSet, RuleSubject};
use zhijian::scan::Scanner;

use self::confusion::{Confusion, Interval, Levels};
use super::plan::Form;
use super::{FAILED, table};

#[derive(Debug, Args)]
pub(super) struct Measure {
    #[arg(value_name = "DIR")]
    dir: PathBuf,
    #[arg(long, value_name = "DIR")]
    packages: Option<PathBuf>,
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Form::Terminal, hide_possible_values = true, hide_default_value = true)]
    format: Form,
}

/// One label and what the rule said.
#[derive(Debug)]
struct Judged {
    /// Index of the rule.
    rule: usize,
    /// The phrase or the package.
    of: String,
    /// The label: whether the function is there.
    truth: bool,
    level: Option<Level>,
    /// Why the label is what it is, or what was seen.
    why: String,
}

impl Judged {
    fn is_wrong(&self) -> bool {
        self.truth != (self.level >= Some(Level::Suspected))
    }
}

/// The level that a report gives a rule; a duty that is met counts as confirmed.
fn of_report(report: &Report, rule: &Rule) -> Option<Level> {
    match rule.subject()? {
        RuleSubject::Prohibition(_) => {
            report.findings.iter().find(|finding| finding.rule == rule.id).map(|finding| finding.level)
        }
        RuleSubject::Duty(_) => {
            let duty = report.duties.iter().find(|duty| duty.rule == rule.id)?;
            (duty.status == DutyStatus::Met).then_some(Level::Confirmed)
        }
    }
}

/// A table of rules over one sort of labels.
#[derive(Serialize)]
struct Table {
    rules: Vec<Line>,
    all: Line,
    errors: Vec<Wrong>,
}

#[derive(Serialize)]
struct Line {
    rule: String,
    /// Labelled yes.
    present: Levels,
    /// Labelled no.
    absent: Levels,
    precision: Option<Interval>,
    recall: Option<Interval>,
}

impl Line {
    fn new(rule: &str, confusion: Confusion) -> Self {
        Line {
            rule: rule.to_owned(),
            present: confusion.there,
            absent: confusion.absent,
            precision: confusion.precision().interval(),
            recall: confusion.recall().interval(),
        }
    }
}

#[derive(Serialize)]
struct Wrong {
    rule: String,
    of: String,
    /// The label.
    present: bool,
    level: Option<Level>,
    why: String,
}

impl Table {
    fn new(rules: &[Rule], judged: &[Judged]) -> Self {
        let mut counts = vec![Confusion::default(); rules.len()];
        let mut all = Confusion::default();
        for one in judged {
            if let Some(count) = counts.get_mut(one.rule) {
                count.add(one.truth, one.level);
            }
            all.add(one.truth, one.level);
        }
        let id = |index: usize| rules.get(index).map(|rule| rule.id.clone()).unwrap_or_default();
        let wrong = |one: &Judged| Wrong {
            rule: id(one.rule),
            of: one.of.clone(),
            present: one.truth,
            level: one.level,
            why: one.why.clone(),
        };
        let counted = rules.iter().zip(&counts).filter(|(_, count)| !count.is_empty());
        Table {
            rules: counted.map(|(rule, count)| Line::new(&rule.id, *count)).collect(),
            all: Line::new("", all),
            errors: judged.iter().filter(|one| one.is_wrong()).map(wrong).collect(),
        }
    }
}

/// What is measured, as programs read it.
#[derive(Serialize)]
struct Machine<'a> {
    /// Digest of the rules.
    ruleset: &'a str,
    phrases: Option<Table>,
    packages: Option<Table>,
    /// Packages that could not be judged, and why.
    failed: &'a [String],
}

/// Judges everything that is labelled in a folder; writes the tables and the errors.
pub(super) fn run(rules: RuleSet, wish: &Measure, lang: Lang, out: &mut dyn Write) -> anyhow::Result<u8> {
    let scanner = Scanner::new(rules, FilingRecord::Unknown);
    let files = files(&wish.dir)?;
    if files.is_empty() {
        let none =
            lang.pick("没有短语文件，也没有 packages.yaml", "no files of phrases, and no packages.yaml");
        bail!("{}: {none}", wish.dir.display());
    }
    let is_list = |file: &Path| file.file_name().is_some_and(|name| name == package::LIST);
    let mut phrases = Vec::new();
    let mut packages = package::Outcome::default();
    for file in &files {
        if is_list(file) {
            packages = package::judge_list(&scanner, file, wish.packages.as_deref(), lang)?;
        } else {
            phrases.extend(phrase::judge_file(&scanner, file, lang)?);
        }
    }
    phrases.sort_by_key(|one| one.rule);
    packages.judged.sort_by_key(|one| one.rule);
    let table = |judged: &[Judged]| (!judged.is_empty()).then(|| Table::new(scanner.rules().rules(), judged));
    let machine = Machine {
        ruleset: scanner.rules().digest(),
        phrases: table(&phrases),
        packages: table(&packages.judged),
        failed: &packages.failed,
    };
    match wish.format {
        Form::Json => write_json(&machine, out)?,
        Form::Terminal => {
            if let Some(table) = &machine.phrases {
                let count = phrases.len();
                match lang {
                    Lang::Zh => writeln!(out, "短语 {count} 条\n")?,
                    Lang::En => writeln!(out, "{count} phrases\n")?,
                }
                write_table(table, lang, out)?;
            }
            if files.iter().any(|file| is_list(file)) {
                let (scanned, failed) = (packages.scanned, packages.failed.len());
                match lang {
                    Lang::Zh => writeln!(out, "安装包 {scanned} 个，未能检测 {failed} 个\n")?,
                    Lang::En => writeln!(out, "{scanned} packages, {failed} could not be scanned\n")?,
                }
            }
            if let Some(table) = &machine.packages {
                write_table(table, lang, out)?;
            }
        }
    }
    Ok(if packages.failed.is_empty() { 0 } else { FAILED })
}

/// The YAML files of a folder, by name.
fn files(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(dir).with_context(|| dir.display().to_string())?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_file() && path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Counts, shares, errors.
fn write_table(table: &Table, lang: Lang, out: &mut dyn Write) -> anyhow::Result<()> {
    let lines: Vec<&Line> = table.rules.iter().chain((table.rules.len() > 1).then_some(&table.all)).collect();
    let name = |line: &Line| match line.rule.as_str() {
        "" => lang.pick("合计", "all").to_owned(),
        rule => rule.to_owned(),
    };
    let head: [&str; 9] = match lang {
        Lang::Zh => ["", "有：确认", "疑似", "提及", "无", "没有：确认", "疑似", "提及", "无"],
        Lang::En => ["", "yes:conf", "susp", "ment", "none", "no:conf", "susp", "ment", "none"],
    };
    let counts = |line: &Line| {
        let of = |l: Levels| [l.confirmed, l.suspected, l.mention, l.nothing];
        let cells = [of(line.present), of(line.absent)].concat();
        std::iter::once(name(line)).chain(cells.iter().map(u32::to_string)).collect()
    };
    columns(&head, lines.iter().map(|line| counts(line)), out)?;
    let head: [&str; 7] = match lang {
        Lang::Zh => ["", "检出", "误报", "漏检", "无误", "精确率 95%", "召回率 95%"],
        Lang::En => ["", "tp", "fp", "fn", "tn", "precision 95%", "recall 95%"],
    };
    let shares = |line: &Line| {
        let cells = [line.present.yes(), line.absent.yes(), line.present.no(), line.absent.no()];
        let shares = [line.precision, line.recall].map(|share| {
            share.map_or("-".to_owned(), |Interval { share, low, high }| {
                format!("{share:.2} {low:.2}-{high:.2}")
            })
        });
        std::iter::once(name(line)).chain(cells.map(|cell| cell.to_string())).chain(shares).collect()
    };
    columns(&head, lines.iter().map(|line| shares(line)), out)?;
    for wrong in &table.errors {
        let kind = match wrong.present {
            true => lang.pick("漏检", "missed"),
            false => lang.pick("误报", "false"),
        };
        let level = wrong.level.map_or(lang.pick("无", "nothing"), |l| lang.pick(l.zh(), l.en()));
        let label = format!("{kind}  {}  {level}  ", wrong.rule);
        let why = if wrong.why.is_empty() { String::new() } else { format!("  {}", wrong.why) };
        table::hanging(&label, &format!("{}{why}", wrong.of), out)?;
    }
    if !table.errors.is_empty() {
        writeln!(out)?;
    }
    Ok(())
}

/// A table whose columns of numbers end below each other.
fn columns(
    head: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let head: Vec<String> = head.iter().map(|&cell| cell.to_owned()).collect();
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
    let width = |at: usize| rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.width()).max();
    for row in &rows {
        let mut line = String::new();
        for (at, cell) in row.iter().enumerate() {
            let space = " ".repeat(width(at).unwrap_or_default().saturating_sub(cell.width()));
            match at {
                0 => line.extend([cell.as_str(), &space]),
                _ => line.extend(["  ", &space, cell]),
            }
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    writeln!(out)?;
    Ok(())
}
