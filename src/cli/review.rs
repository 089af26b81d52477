//! `zhijian review`: what waits for a person, by urgency, and what the person decides.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::civil::Date;
use zhijian::ledger::{Decision, History, Policy, Recorded, Waiting};
use zhijian::model::{Lang, beijing_day};
use zhijian::report::{visible, write_json};
use zhijian::rule::Titled;

use super::database::{Act, Database, Open, day, until};
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
        #[arg(long, value_name = "DATE", value_parser = day)]
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
            Action::Confirm { finding: Finding { target, rule }, reason, act } => {
                decide(&open, &act, &target, Decision::Confirm { rule, reason }, &mut out)?;
            }
            Action::Dismiss { finding: Finding { target, rule }, reason, act } => {
                decide(&open, &act, &target, Decision::Dismiss { rule, reason }, &mut out)?;
            }
            Action::Except { finding: Finding { target, rule }, document, scope, until, act } => {
                let decision = Decision::Except { rule, document, scope, until };
                decide(&open, &act, &target, decision, &mut out)?;
            }
        }
        out.flush()?;
        Ok(0)
    }
}

/// Records what a person decides about what is open, and says what code follows.
fn decide(
    open: &Open,
    act: &Act,
    target: &str,
    decision: Decision,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let (lang, at) = (open.lang, act.at());
    let (target, seq) = open.decide(act, target, decision)?;
    let (_, events) = open.target(&target)?;
    let history = History::of(&zhijian::rule::policy(None)?, &events, at);
    if let Some(present) = history.present() {
        let (code, state) = (present.code.suggested, lang.pick(&present.code.state, &present.code.state_en));
        let colour = lang.pick(code.zh(), code.en());
        writeln!(out, "#{seq}  {}  {colour} {state}", visible(&target))?;
    }
    Ok(())
}

fn waiting(open: &Open, policy: &Policy, at: Timestamp) -> anyhow::Result<Vec<Titled>> {
    let rules = load_rules(None)?;
    let of = |target: &str, events: Vec<Recorded>| {
        let standing = History::of(policy, &events, at).standing;
        Waiting::of(policy, target, &standing, at).into_iter().collect::<Vec<_>>()
    };
    let mut waiting: Vec<Waiting> = open.wait(open.ledger.map_targets(of))?.into_iter().flatten().collect();
    waiting.sort_by(|a, b| a.order().cmp(&b.order()));
    Ok(waiting.into_iter().map(|waiting| Titled::of(&rules, waiting)).collect())
}

fn show(waiting: &[Titled], all: bool, lang: Lang, out: &mut dyn Write) -> anyhow::Result<()> {
    if waiting.is_empty() {
        writeln!(out, "{}", lang.pick("没有待处理的问题", "Nothing is open"))?;
        return Ok(());
    }
    let shown = if all { waiting.len() } else { SHOWN.min(waiting.len()) };
    let mut rows: Vec<[String; 2]> = Vec::new();
    for Titled { waiting: one, title, title_en } in &waiting[..shown] {
        let named = format!("{}  {}", one.name.as_deref().unwrap_or_default(), one.target);
        rows.push([one.urgency.words(lang).to_owned(), named.trim().to_owned()]);
        let mut what = format!(
            "{}  {}  {} {}",
            lang.pick(title, title_en),
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
