//! `zhijian code`: the colour codes that follow from the ledger, how they came about, and what would be by another
//! policy.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use serde::Serialize;
use zhijian::ledger::{Coded, Decision, History, Policy, Recorded};
use zhijian::model::{CodeDocument, CodeReason, ColorCode, Lang, OfficeLevel, beijing_day, beijing_minute};
use zhijian::report::{visible, write_json};

use super::database::{Act, Database, Open, When};
use super::export::{Export, Picture};
use super::plan::Form;
use super::table;

/// Rows of a list that are shown without `--all`.
const SHOWN: usize = 30;

#[derive(Debug, Args)]
pub(super) struct Code {
    #[command(flatten)]
    database: Database,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Show(One),
    History(One),
    Explain(One),
    List(List),
    Simulate(Simulate),
    Decide(Decide),
    Export(Export),
    Picture(Picture),
}

#[derive(Debug, Args)]
struct One {
    #[arg(value_name = "TARGET")]
    target: String,
    #[command(flatten)]
    when: When,
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Form::Terminal, hide_possible_values = true, hide_default_value = true)]
    format: Form,
}

#[derive(Debug, Args)]
struct List {
    #[command(flatten)]
    filter: Filter,
    #[command(flatten)]
    when: When,
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Form::Terminal, hide_possible_values = true, hide_default_value = true)]
    format: Form,
    #[arg(long)]
    all: bool,
}

/// Which targets are meant.
#[derive(Debug, Args)]
pub(super) struct Filter {
    #[arg(long, value_name = "COLOUR", value_enum, hide_possible_values = true)]
    code: Vec<Colour>,
    #[arg(long, value_name = "TEXT")]
    owner: Option<String>,
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    #[arg(long, value_name = "LEVEL", value_enum, hide_possible_values = true)]
    level: Option<LevelName>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Colour {
    Green,
    Blue,
    Red,
    None,
}

impl Colour {
    fn code(self) -> ColorCode {
        match self {
            Colour::Green => ColorCode::Green,
            Colour::Blue => ColorCode::Blue,
            Colour::Red => ColorCode::Red,
            Colour::None => ColorCode::None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LevelName {
    Central,
    Province,
    City,
    County,
    Township,
}

impl LevelName {
    fn level(self) -> OfficeLevel {
        OfficeLevel::ALL[self as usize]
    }
}

impl Filter {
    pub(super) fn holds(&self, document: &CodeDocument) -> bool {
        let within = |text: &Option<String>, part: &Option<String>| {
            part.as_ref().is_none_or(|part| text.as_ref().is_some_and(|text| text.contains(part)))
        };
        (self.code.is_empty() || self.code.iter().any(|colour| colour.code() == document.code))
            && within(&document.owner, &self.owner)
            && within(&document.region, &self.region)
            && self.level.is_none_or(|level| document.level == Some(level.level()))
    }
}

#[derive(Debug, Args)]
struct Simulate {
    #[arg(value_name = "POLICY")]
    policy: PathBuf,
    #[command(flatten)]
    when: When,
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Form::Terminal, hide_possible_values = true, hide_default_value = true)]
    format: Form,
    #[arg(long)]
    all: bool,
}

#[derive(Debug, Args)]
struct Decide {
    #[arg(value_name = "TARGET")]
    target: String,
    #[arg(value_name = "DECISION", value_enum, hide_possible_values = true)]
    decision: Verdict,
    #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
    #[command(flatten)]
    act: Act,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Verdict {
    Red,
    NotRed,
}

impl Code {
    pub(super) fn run(self, lang: Lang) -> anyhow::Result<u8> {
        let open = self.database.open(lang)?;
        let mut out = io::stdout().lock();
        match self.action {
            Action::Show(one) => one.show(&open, &mut out)?,
            Action::History(one) => one.history(&open, &mut out)?,
            Action::Explain(one) => one.explain(&open, &mut out)?,
            Action::List(list) => list.run(&open, &mut out)?,
            Action::Simulate(simulate) => simulate.run(&open, &mut out)?,
            Action::Decide(decide) => decide.run(&open, &mut out)?,
            Action::Export(export) => export.run(&open)?,
            Action::Picture(picture) => picture.run(&open)?,
        }
        out.flush()?;
        Ok(0)
    }
}

/// The sentence of the policy, with the id of its clause.
fn sentence(reason: &CodeReason, lang: Lang) -> String {
    format!("{} [{}]", lang.pick(&reason.text, &reason.text_en), reason.id)
}

/// `蓝码 · 再次检出，提醒整改`.
fn titled(code: ColorCode, state: &str, lang: Lang) -> String {
    let colour = lang.pick(code.zh(), code.en());
    if state.is_empty() { colour.to_owned() } else { format!("{colour} · {state}") }
}

fn title(coded: &Coded, lang: Lang) -> String {
    titled(coded.code.suggested, lang.pick(&coded.code.state, &coded.code.state_en), lang)
}

impl One {
    /// The target's key, its events and its history.
    fn look(&self, open: &Open) -> anyhow::Result<(String, Vec<Recorded>, Policy, History)> {
        let (target, events) = open.target(&self.target)?;
        let policy = self.when.policy()?;
        let history = self.when.history(&policy, &events);
        if history.codes.is_empty() {
            bail!("{target}: {}", open.lang.pick("那时还没有任何事件", "there were no events then"));
        }
        Ok((target, events, policy, history))
    }

    fn show(&self, open: &Open, out: &mut dyn Write) -> anyhow::Result<()> {
        let (target, events, _, history) = self.look(open)?;
        let Some(document) = open.document(&target, &events, &history, self.when.at()) else { return Ok(()) };
        match self.format {
            Form::Json => write_json(&document, out)?,
            Form::Terminal => head(&document, open.lang, out)?,
        }
        Ok(())
    }

    fn history(&self, open: &Open, out: &mut dyn Write) -> anyhow::Result<()> {
        let (_, _, _, history) = self.look(open)?;
        let lang = open.lang;
        if self.format == Form::Json {
            write_json(&history.codes, out)?;
            return Ok(());
        }
        let head = [("自", "since"), ("赋码", "code"), ("依据事件", "events")];
        let mut rows = vec![head.map(|(zh, en)| lang.pick(zh, en).to_owned())];
        rows.extend(
            history
                .codes
                .iter()
                .map(|coded| [beijing_minute(coded.since), title(coded, lang), numbers(&coded.events)]),
        );
        table::write(&rows, out)?;
        Ok(())
    }

    /// Every turn with its sentence and its events, then what is open and what stands between it and green.
    fn explain(&self, open: &Open, out: &mut dyn Write) -> anyhow::Result<()> {
        let (target, events, policy, history) = self.look(open)?;
        let (lang, at) = (open.lang, self.when.at());
        let Some(document) = open.document(&target, &events, &history, at) else { return Ok(()) };
        let findings = history.standing.open_findings(&policy, at);
        if self.format == Form::Json {
            let explained = Explained { code: document, history: &history.codes, open: &findings };
            write_json(&explained, out)?;
            return Ok(());
        }
        head(&document, lang, out)?;
        writeln!(out, "\n{}", lang.pick("经过", "How it came about"))?;
        for coded in &history.codes {
            writeln!(out, "{}  {}", beijing_minute(coded.since), title(coded, lang))?;
            if let Some(reason) = coded.code.reasons.first() {
                table::hanging("    ", &sentence(reason, lang), out)?;
            }
            for recorded in events.iter().filter(|recorded| coded.events.contains(&recorded.seq)) {
                let event = &recorded.event;
                let deed = lang.pick(event.deed.zh(), event.deed.name());
                let label = format!("    #{} {}  ", recorded.seq, beijing_minute(event.at));
                table::hanging(&label, &format!("{deed}  {}", event.deed.detail(lang)), out)?;
            }
        }
        if !findings.is_empty() {
            writeln!(out, "\n{}", lang.pick("未了结的问题", "What is open"))?;
            let mut rows = Vec::new();
            for finding in &findings {
                let mut more = Vec::new();
                if finding.again {
                    more.push(lang.pick("再次检出", "found again").to_owned());
                }
                if let Some(deadline) = finding.deadline {
                    more.push(format!("{} {deadline}", lang.pick("限期", "until")));
                }
                rows.push([
                    lang.pick(finding.level.zh(), finding.level.en()).to_owned(),
                    visible(&finding.rule).into_owned(),
                    format!("{} {}", lang.pick("自", "since"), beijing_day(finding.since)),
                    more.join("  "),
                ]);
            }
            table::write(&rows, out)?;
        }
        let withdrawn = zhijian::ledger::withdrawn(&events);
        if !withdrawn.is_empty() {
            let list: Vec<u64> = withdrawn.into_iter().collect();
            writeln!(
                out,
                "\n{} {}",
                lang.pick("已撤回、不再计入的事件", "Withdrawn events"),
                numbers(&list)
            )?;
        }
        writeln!(out, "\n{} {}", lang.pick("政策", "Policy"), policy.title())?;
        Ok(())
    }
}

#[derive(Serialize)]
struct Explained<'a> {
    code: CodeDocument,
    history: &'a [Coded],
    open: &'a [zhijian::ledger::OpenFinding],
}

fn numbers(events: &[u64]) -> String {
    let shown: Vec<String> = events.iter().map(|seq| format!("#{seq}")).collect();
    shown.join(" ")
}

/// The conclusion: colour, since when, why, and whose it is.
fn head(document: &CodeDocument, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let named = document.name.as_deref().unwrap_or(&document.target);
    let state = lang.pick(&document.state, &document.state_en);
    writeln!(out, "{}  {}", visible(named), titled(document.code, state, lang))?;
    for reason in &document.reasons {
        table::hanging("  ", &sentence(reason, lang), out)?;
    }
    let mut rows = vec![
        [lang.pick("对象", "target").to_owned(), visible(&document.target).into_owned()],
        [lang.pick("自", "since").to_owned(), beijing_minute(document.since)],
    ];
    let mut row = |label: &str, text: &Option<String>| {
        rows.extend(text.as_ref().map(|text| [label.to_owned(), visible(text).into_owned()]));
    };
    row(lang.pick("主办单位", "owner"), &document.owner);
    row(lang.pick("地区", "region"), &document.region);
    row(lang.pick("备案编号", "filing"), &document.filing);
    row(lang.pick("检测报告", "report"), &document.report.as_ref().map(|report| report.sha256.clone()));
    rows.push([
        lang.pick("依据", "by").to_owned(),
        format!("{}  #{}", document.policy, document.last_event.seq),
    ]);
    table::write(&rows, out)
}

/// The codes of all targets at a moment.
pub(super) fn documents(open: &Open, policy: &Policy, at: Timestamp) -> anyhow::Result<Vec<CodeDocument>> {
    let of = |target: &str, events: Vec<Recorded>| {
        let history = History::of(policy, &events, at);
        open.document(target, &events, &history, at)
    };
    let mut documents: Vec<CodeDocument> =
        open.wait(open.ledger.map_targets(of))?.into_iter().flatten().collect();
    // Databases order text in ways of their own.
    documents.sort_by(|a, b| a.target.cmp(&b.target));
    Ok(documents)
}

impl List {
    fn run(&self, open: &Open, out: &mut dyn Write) -> anyhow::Result<()> {
        let policy = self.when.policy()?;
        let mut documents = documents(open, &policy, self.when.at())?;
        documents.retain(|document| self.filter.holds(document));
        if self.format == Form::Json {
            write_json(&documents, out)?;
            return Ok(());
        }
        let lang = open.lang;
        let count = |colour| documents.iter().filter(|document| document.code == colour).count();
        let counts = [ColorCode::Green, ColorCode::Blue, ColorCode::Red, ColorCode::None]
            .map(|colour| format!("{} {}", lang.pick(colour.zh(), colour.en()), count(colour)));
        writeln!(out, "{} {}  {}", lang.pick("对象", "targets"), documents.len(), counts.join("  "))?;
        // What is gravest first.
        let gravity = |document: &CodeDocument| match document.code {
            ColorCode::Red => 0,
            ColorCode::Blue => 1,
            ColorCode::None => 2,
            ColorCode::Green => 3,
        };
        documents.sort_by_key(gravity);
        let shown = if self.all { documents.len() } else { SHOWN.min(documents.len()) };
        let mut rows = Vec::new();
        for document in &documents[..shown] {
            let state = lang.pick(&document.state, &document.state_en);
            let name = document.name.as_deref().unwrap_or_default();
            rows.push([
                titled(document.code, state, lang),
                beijing_day(document.since).to_string(),
                format!("{}  {}", name, document.target),
            ]);
        }
        if !rows.is_empty() {
            writeln!(out)?;
            table::write_wrapped(&rows, out)?;
        }
        more(documents.len() - shown, lang, out)
    }
}

fn more(left: usize, lang: Lang, out: &mut dyn Write) -> anyhow::Result<()> {
    match (left, lang) {
        (0, _) => {}
        (_, Lang::Zh) => writeln!(out, "另有 {left} 个对象，--all 全部列出")?,
        (_, Lang::En) => writeln!(out, "{left} more; --all shows them")?,
    }
    Ok(())
}

/// A target whose code another policy would change.
#[derive(Serialize)]
struct Changed {
    target: String,
    name: Option<String>,
    from: ColorCode,
    from_clause: String,
    to: ColorCode,
    to_clause: String,
}

impl Simulate {
    fn run(&self, open: &Open, out: &mut dyn Write) -> anyhow::Result<()> {
        let text =
            std::fs::read_to_string(&self.policy).with_context(|| self.policy.display().to_string())?;
        let other =
            Policy::parse(&text).map_err(|cause| anyhow::anyhow!("{}: {cause}", self.policy.display()))?;
        let (own, at, lang) = (self.when.policy()?, self.when.at(), open.lang);
        let clause = |coded: &Coded| coded.code.reasons.first().map_or(String::new(), |r| r.id.clone());
        let of = |target: &str, events: Vec<Recorded>| {
            let (before, after) = (History::of(&own, &events, at), History::of(&other, &events, at));
            let (from, to) = (before.present()?, after.present()?);
            Some(Changed {
                target: target.to_owned(),
                name: before.standing.entry().and_then(|entry| entry.name.clone()),
                from: from.code.suggested,
                from_clause: clause(from),
                to: to.code.suggested,
                to_clause: clause(to),
            })
        };
        let mut changed: Vec<Changed> =
            open.wait(open.ledger.map_targets(of))?.into_iter().flatten().collect();
        let mut counts: BTreeMap<(ColorCode, ColorCode), u64> = BTreeMap::new();
        for one in &changed {
            *counts.entry((one.from, one.to)).or_default() += 1;
        }
        changed.retain(|one| one.from != one.to);
        changed.sort_by(|a, b| a.target.cmp(&b.target));
        if self.format == Form::Json {
            write_json(&changed, out)?;
            return Ok(());
        }
        let total: u64 = counts.values().sum();
        match lang {
            Lang::Zh => writeln!(
                out,
                "{} → {}：{total} 个对象中 {} 个赋码改变",
                own.title(),
                other.title(),
                changed.len()
            )?,
            Lang::En => writeln!(
                out,
                "{} → {}: {} of {total} targets change",
                own.title(),
                other.title(),
                changed.len()
            )?,
        }
        let word = |colour: ColorCode| lang.pick(colour.zh(), colour.en());
        for ((from, to), count) in counts.iter().filter(|((from, to), _)| from != to) {
            writeln!(out, "  {} → {}  {count}", word(*from), word(*to))?;
        }
        let shown = if self.all { changed.len() } else { SHOWN.min(changed.len()) };
        let rows: Vec<[String; 2]> = changed[..shown]
            .iter()
            .map(|c| {
                let turn = format!("{} [{}] → {} [{}]", word(c.from), c.from_clause, word(c.to), c.to_clause);
                [turn, format!("{}  {}", c.name.as_deref().unwrap_or_default(), c.target)]
            })
            .collect();
        if !rows.is_empty() {
            writeln!(out)?;
            table::write(&rows, out)?;
        }
        more(changed.len() - shown, lang, out)
    }
}

impl Decide {
    fn run(&self, open: &Open, out: &mut dyn Write) -> anyhow::Result<()> {
        let reason = self.reason.clone();
        let decision = match self.decision {
            Verdict::Red => Decision::Red { reason },
            Verdict::NotRed => Decision::NotRed { reason },
        };
        let at = self.act.at();
        let (target, seq) = open.decide(&self.act, &self.target, decision)?;
        let (_, events) = open.target(&target)?;
        let history = History::of(&zhijian::rule::policy(None)?, &events, at);
        if let Some(present) = history.present() {
            writeln!(out, "#{seq}  {}", title(present, open.lang))?;
        }
        Ok(())
    }
}
