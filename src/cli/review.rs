//! `zhijian review`: what waits for a person, by urgency, and what the person decides.

use std::io::{self, Write};

use anyhow::bail;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use zhijian::ledger::{Fact, History, OpenFinding, Policy};
use zhijian::model::{Deed, Lang, Level, beijing_day};
use zhijian::report::{visible, write_json};

use super::database::{Act, Database, Open, until};
use super::plan::Form;
use super::{load_rules, table};

/// Rows of a list that are shown without `--all`.
const SHOWN: usize = 30;

#[derive(Debug, Args)]
pub(super) struct Review {
    #[command(flatten)]
    database: Database,
    #[command(subcommand)]
    action: Action,
}

type Text = clap::builder::NonEmptyStringValueParser;

#[derive(Debug, Subcommand)]
enum Action {
    List {
        #[arg(long, value_name = "TIME", value_parser = until)]
        as_of: Option<Timestamp>,
        #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Form::Terminal, hide_possible_values = true, hide_default_value = true)]
        format: Form,
        #[arg(long)]
        all: bool,
    },
    Confirm {
        #[command(flatten)]
        finding: Finding,
        #[arg(long, value_name = "TEXT", value_parser = Text::new())]
        reason: String,
        #[command(flatten)]
        act: Act,
    },
    Dismiss {
        #[command(flatten)]
        finding: Finding,
        #[arg(long, value_name = "TEXT", value_parser = Text::new())]
        reason: String,
        #[command(flatten)]
        act: Act,
    },
    Except {
        #[command(flatten)]
        finding: Finding,
        #[arg(long, value_name = "NUMBER", value_parser = Text::new())]
        document: String,
        #[arg(long, value_name = "TEXT", value_parser = Text::new())]
        scope: String,
        #[arg(long, value_name = "DATE")]
        until: Date,
        #[command(flatten)]
        act: Act,
    },
}

#[derive(Debug, Args)]
struct Finding {
    #[arg(value_name = "TARGET")]
    target: String,
    #[arg(value_name = "RULE")]
    rule: String,
}

/// Why something waits, from what cannot wait to what can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Urgency {
    /// Red is proposed; a person decides.
    RedProposed,
    /// The last day of a notice has passed.
    Overdue,
    /// The owner says that it is done; a scan has to show it.
    ReportedDone,
    /// Found again, and no notice yet.
    FoundAgain,
    /// Confirmed, and no notice yet.
    NoNotice,
    /// Suspected; nobody has looked at it.
    Suspected,
    /// A required function was not seen.
    DutyMissing,
    /// Under notice, within its term.
    InTerm,
}

impl Urgency {
    fn words(self, lang: Lang) -> &'static str {
        let (zh, en) = match self {
            Urgency::RedProposed => ("拟赋红码，待决定", "red proposed"),
            Urgency::Overdue => ("整改逾期", "overdue"),
            Urgency::ReportedDone => ("已报整改，待复测", "reported done"),
            Urgency::FoundAgain => ("再次检出，待通知", "found again"),
            Urgency::NoNotice => ("已确认，待通知", "no notice yet"),
            Urgency::Suspected => ("疑似，待复核", "to be reviewed"),
            Urgency::DutyMissing => ("缺少必备项", "duty missing"),
            Urgency::InTerm => ("整改期内", "in term"),
        };
        lang.pick(zh, en)
    }
}

/// Something that is open.
#[derive(Serialize)]
struct Waiting {
    urgency: Urgency,
    target: String,
    name: Option<String>,
    rule: String,
    title: String,
    title_en: String,
    since: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    deadline: Option<Date>,
    events: Vec<u64>,
}

impl Review {
    pub(super) fn run(self, lang: Lang) -> anyhow::Result<u8> {
        let open = self.database.open(lang)?;
        let mut out = io::stdout().lock();
        match self.action {
            Action::List { as_of, format, all } => {
                let at = as_of.unwrap_or_else(Timestamp::now);
                let policy = zhijian::rule::policy(None)?;
                let waiting = waiting(&open, &policy, at)?;
                match format {
                    Form::Json => write_json(&waiting, &mut out)?,
                    Form::Terminal => show(&waiting, all, lang, &mut out)?,
                }
            }
            Action::Confirm { finding, reason, act } => {
                let deed = |rule, evidence| Deed::Confirmed { rule, evidence, reason };
                finding.decide(&open, &act, deed, &mut out)?;
            }
            Action::Dismiss { finding, reason, act } => {
                let deed = |rule, evidence| Deed::Dismissed { rule, evidence, reason };
                finding.decide(&open, &act, deed, &mut out)?;
            }
            Action::Except { finding, document, scope, until, act } => {
                if until < beijing_day(act.at()) {
                    bail!("--until: {until} {}", lang.pick("已经过去", "has passed"));
                }
                let deed = |rule, _| Deed::ExceptionGranted { rule, document, scope, until };
                finding.decide(&open, &act, deed, &mut out)?;
            }
        }
        out.flush()?;
        Ok(0)
    }
}

impl Finding {
    /// Records what a person decides about what is open, and says what code follows.
    fn decide(
        &self,
        open: &Open,
        act: &Act,
        deed: impl FnOnce(String, Vec<String>) -> Deed,
        out: &mut dyn Write,
    ) -> anyhow::Result<()> {
        let (lang, at) = (open.lang, act.at());
        let (target, events) = open.target(&self.target)?;
        let policy = zhijian::rule::policy(None)?;
        let standing = History::of(&policy, &events, at).standing;
        let findings = standing.open_findings(&policy, at);
        let of_rule = findings.iter().filter(|finding| finding.rule == self.rule);
        let mut evidence: Vec<String> = of_rule.flat_map(|finding| finding.evidence.clone()).collect();
        if standing.missing(at).any(|rule| rule == self.rule) {
            evidence.push(self.rule.clone());
        }
        evidence.sort();
        evidence.dedup();
        if evidence.is_empty() {
            let mut rules: Vec<&str> = findings.iter().map(|finding| finding.rule.as_str()).collect();
            rules.extend(standing.missing(at));
            let rules = if rules.is_empty() { lang.pick("无", "none").to_owned() } else { rules.join(", ") };
            bail!(
                "{target}: {}: {} {rules}",
                self.rule,
                lang.pick("没有这个未了结的问题，现有：", "is not open; open are:")
            );
        }
        let event = act.event(&target, deed(self.rule.clone(), evidence));
        let seq = open.append(&[event])?;
        let (_, events) = open.target(&target)?;
        let history = History::of(&policy, &events, at);
        if let Some(present) = history.present() {
            let (code, state) =
                (present.code.suggested, lang.pick(&present.code.state, &present.code.state_en));
            let colour = lang.pick(code.zh(), code.en());
            writeln!(out, "#{seq}  {}  {colour} {state}", visible(&target))?;
        }
        Ok(())
    }
}

fn waiting(open: &Open, policy: &Policy, at: Timestamp) -> anyhow::Result<Vec<Waiting>> {
    let rules = load_rules(None)?;
    let title = |rule: &str| {
        let found = rules.find(rule).map(|(rule, _)| (rule.title.clone(), rule.title_en.clone()));
        found.unwrap_or_default()
    };
    let mut waiting = Vec::new();
    open.wait(open.ledger.for_each_target(|target, events| {
        let standing = History::of(policy, &events, at).standing;
        if !standing.is_active() {
            return;
        }
        let facts = standing.facts(policy, at).facts();
        let proposed = facts.holds(Fact::RepeatDeadlinePassed) && !facts.holds(Fact::RedDecided);
        let reported = standing.reported().is_some();
        let name = standing.entry().and_then(|entry| entry.name.clone());
        let mut add = |urgency, rule: String, since, deadline, events| {
            let ((title, title_en), name) = (title(&rule), name.clone());
            let target = target.to_owned();
            waiting.push(Waiting { urgency, target, name, rule, title, title_en, since, deadline, events });
        };
        for finding in standing.open_findings(policy, at) {
            let urgency = urgency(&finding, proposed, reported, beijing_day(at));
            let OpenFinding { rule, since, deadline, events, .. } = finding;
            add(urgency, rule, since, deadline, events);
        }
        for rule in standing.missing(at) {
            let Some(since) = standing.scanned_at() else { continue };
            let events = standing.scan_event().into_iter().collect();
            add(Urgency::DutyMissing, rule.to_owned(), since, None, events);
        }
    }))?;
    waiting.sort_by(|a, b| {
        let key = |w: &Waiting| (w.urgency, w.deadline, w.since);
        key(a).cmp(&key(b)).then_with(|| (&a.target, &a.rule).cmp(&(&b.target, &b.rule)))
    });
    Ok(waiting)
}

fn urgency(finding: &OpenFinding, proposed: bool, reported: bool, today: Date) -> Urgency {
    let passed = finding.deadline.is_some_and(|deadline| deadline < today);
    match finding.level {
        Level::Confirmed if finding.again && passed && proposed => Urgency::RedProposed,
        Level::Confirmed if reported => Urgency::ReportedDone,
        Level::Confirmed if passed => Urgency::Overdue,
        Level::Confirmed if finding.deadline.is_some() => Urgency::InTerm,
        Level::Confirmed if finding.again => Urgency::FoundAgain,
        Level::Confirmed => Urgency::NoNotice,
        _ => Urgency::Suspected,
    }
}

fn show(waiting: &[Waiting], all: bool, lang: Lang, out: &mut dyn Write) -> anyhow::Result<()> {
    if waiting.is_empty() {
        writeln!(out, "{}", lang.pick("没有待处理的问题", "Nothing is open"))?;
        return Ok(());
    }
    let shown = if all { waiting.len() } else { SHOWN.min(waiting.len()) };
    let mut rows: Vec<[String; 2]> = Vec::new();
    for one in &waiting[..shown] {
        let named = format!("{}  {}", one.name.as_deref().unwrap_or_default(), one.target);
        rows.push([one.urgency.words(lang).to_owned(), named.trim().to_owned()]);
        let mut what = format!(
            "{}  {}  {} {}",
            lang.pick(&one.title, &one.title_en),
            one.rule,
            lang.pick("自", "since"),
            beijing_day(one.since)
        );
        if let Some(deadline) = one.deadline {
            what.push_str(&format!("  {} {deadline}", lang.pick("限期", "until")));
        }
        rows.push([String::new(), what]);
    }
    table::write_wrapped(&rows, out)?;
    match (waiting.len() - shown, lang) {
        (0, _) => {}
        (left, Lang::Zh) => writeln!(out, "另有 {left} 项，--all 全部列出")?,
        (left, Lang::En) => writeln!(out, "{left} more; --all shows them")?,
    }
    Ok(())
}
