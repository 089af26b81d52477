//! `zhijian rules`: look at the rules and run their examples.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::bail;
use clap::{Args, Subcommand};
use zhijian::model::{Exception, Lang, TargetKind};
use zhijian::report;
use zhijian::rule::{DocumentRef, Example, InventoryExample, Rule, RuleSet, RuleSubject, Signal, StateCase};

use super::{FOUND, load_rules, measure, table};

#[derive(Debug, Args)]
pub(super) struct Rules {
    #[arg(long, global = true, value_name = "DIR")]
    rules: Option<PathBuf>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    List,
    Show {
        #[arg(value_name = "ID")]
        id: String,
    },
    Check,
    Measure(measure::Measure),
}

impl Rules {
    pub(super) fn run(self, lang: Lang) -> anyhow::Result<u8> {
        let rules = load_rules(self.rules.as_deref())?;
        let mut out = BufWriter::new(io::stdout().lock());
        let code = match &self.action {
            Action::List => list(&rules, lang, &mut out).map(|()| 0)?,
            Action::Show { id } => match (
                rules.rules().iter().position(|rule| rule.id == *id),
                rules.inventory().iter().position(|rule| rule.id == *id),
            ) {
                (Some(index), _) => show(&rules, index, lang, &mut out).map(|()| 0)?,
                (None, Some(index)) => show_inventory(&rules, index, lang, &mut out).map(|()| 0)?,
                (None, None) => {
                    let ids = rules.rules().iter().map(|rule| rule.id.as_str());
                    let more = rules.inventory().iter().map(|rule| rule.id.as_str());
                    let ids: Vec<&str> = ids.chain(more).collect();
                    bail!(
                        "{id}: {} {}",
                        lang.pick("没有这条规则，现有：", "no such rule; there are"),
                        ids.join(", ")
                    )
                }
            },
            Action::Check => check(&rules, lang, &mut out)?,
            Action::Measure(wish) => measure::run(rules, wish, lang, &mut out)?,
        };
        out.flush()?;
        Ok(code)
    }
}

fn list(rules: &RuleSet, lang: Lang, out: &mut dyn Write) -> anyhow::Result<()> {
    let examples = rules.examples()?;
    let head = [
        lang.pick("编号", "id"),
        lang.pick("类别", "kind"),
        lang.pick("示例", "examples"),
        lang.pick("名称", "title"),
    ];
    let rows: Vec<[String; 4]> = std::iter::once(head.map(str::to_owned))
        .chain(rules.rules().iter().zip(&examples).map(|(rule, examples)| {
            let count = examples.positive.len() + examples.negative.len();
            let title = lang.pick(&rule.title, &rule.title_en).to_owned();
            [rule.id.clone(), subject(rule, lang).to_owned(), count.to_string(), title]
        }))
        .chain(rules.inventory().iter().zip(&rules.inventory_examples()?).map(|(rule, examples)| {
            let count = examples.positive.len() + examples.negative.len();
            let title = lang.pick(&rule.title, &rule.title_en).to_owned();
            [rule.id.clone(), lang.pick("名录", "roster").to_owned(), count.to_string(), title]
        }))
        .collect();
    table::write(&rows, out)?;
    Ok(())
}

fn subject(rule: &Rule, lang: Lang) -> &'static str {
    match rule.subject() {
        Some(RuleSubject::Duty(_)) => lang.pick("必备", "required"),
        _ => lang.pick("禁止", "prohibited"),
    }
}

/// A rule as a document to read.
fn show(rules: &RuleSet, index: usize, lang: Lang, out: &mut dyn Write) -> anyhow::Result<()> {
    let Some(rule) = rules.rules().get(index) else { return Ok(()) };
    let all = rules.examples()?;
    let Some(found) = all.get(index) else { return Ok(()) };
    writeln!(out, "# {} ({})\n", lang.pick(&rule.title, &rule.title_en), rule.id)?;
    let mut section =
        |zh: &str, en: &str, body: &str| writeln!(out, "## {}\n{}\n", lang.pick(zh, en), body.trim_end());
    section("功能", "What it is", lang.pick(&rule.what, &rule.what_en))?;
    let why = match rule.subject() {
        Some(RuleSubject::Duty(_)) => ("为何应当具备", "Why it is required"),
        _ => ("为何禁止", "Why it is prohibited"),
    };
    section(why.0, why.1, lang.pick(&rule.why, &rule.why_en))?;
    section("依据", "Legal basis", &basis(rules, &rule.basis, lang))?;
    if !rule.exceptions.is_empty() {
        section("例外", "Exceptions", &exceptions(&rule.exceptions, lang))?;
    }
    section("信号", "Signals", &signals(rule))?;
    section("建议", "Advice", lang.pick(&rule.remediation, &rule.remediation_en))?;
    section("应当检出的示例", "Examples that match", &examples(&found.positive))?;
    section("不应检出的示例", "Examples that do not", &examples(&found.negative))?;
    writeln!(out, "{}", rules.file(index))?;
    Ok(())
}

/// A rule about inventories as a document to read.
fn show_inventory(rules: &RuleSet, index: usize, lang: Lang, out: &mut dyn Write) -> anyhow::Result<()> {
    let Some(rule) = rules.inventory().get(index) else { return Ok(()) };
    let all = rules.inventory_examples()?;
    let Some(found) = all.get(index) else { return Ok(()) };
    writeln!(out, "# {} ({})\n", lang.pick(&rule.title, &rule.title_en), rule.id)?;
    let mut section =
        |zh: &str, en: &str, body: &str| writeln!(out, "## {}\n{}\n", lang.pick(zh, en), body.trim_end());
    section("核查内容", "What is looked for", lang.pick(&rule.what, &rule.what_en))?;
    section("理由", "Why", lang.pick(&rule.why, &rule.why_en))?;
    section("依据", "Legal basis", &basis(rules, &rule.basis, lang))?;
    if !rule.exceptions.is_empty() {
        section("例外", "Exceptions", &exceptions(&rule.exceptions, lang))?;
    }
    section(
        "限度",
        "Thresholds",
        &format!("{} ({})", lang.pick(&rule.note, &rule.note_en), rule.check.name()),
    )?;
    section("建议", "Advice", lang.pick(&rule.remediation, &rule.remediation_en))?;
    let list = |examples: &[InventoryExample]| {
        examples.iter().map(|one| format!("- {}", one.about)).collect::<Vec<_>>().join("\n")
    };
    section("应当检出的示例", "Examples that match", &list(&found.positive))?;
    section("不应检出的示例", "Examples that do not", &list(&found.negative))?;
    writeln!(out, "{}", rule.file)?;
    Ok(())
}

fn exceptions(exceptions: &[Exception], lang: Lang) -> String {
    let lines = exceptions.iter().map(|one| format!("- {}", report::exception(lang, one)));
    lines.collect::<Vec<_>>().join("\n")
}

/// Every clause with the kinds of target it holds for.
fn basis(rules: &RuleSet, clauses_of: &[DocumentRef], lang: Lang) -> String {
    use TargetKind::{Account, AccountPage, App, Group, MiniProgram, QuickApp};
    let mut clauses: Vec<(String, Vec<&str>)> = Vec::new();
    for kind in [App, MiniProgram, QuickApp, AccountPage, Account, Group] {
        for basis in rules.clauses(clauses_of, &[kind]) {
            let text = match lang {
                Lang::Zh => format!("{}{}\n  {}", basis.document, basis.clause, basis.text),
                Lang::En => format!("{}, {}\n  {}", basis.document_en, basis.clause_en, basis.text_en),
            };
            let kind = lang.pick(kind.zh(), kind.en());
            match clauses.iter_mut().find(|(known, _)| *known == text) {
                Some((_, kinds)) => kinds.push(kind),
                None => clauses.push((text, vec![kind])),
            }
        }
    }
    let line =
        |(text, kinds): &(String, Vec<&str>)| format!("- {text}\n  [{}]", kinds.join(lang.pick("、", ", ")));
    clauses.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn signals(rule: &Rule) -> String {
    let line = |signal: &Signal| {
        let groups = signal.all.iter().map(|group| group.join("|"));
        let state =
            signal.state.map(|state| StateCase { name: state, days: signal.days, count: signal.count });
        let words: Vec<String> = [
            &signal.phrases,
            &signal.exact,
            &signal.patterns,
            &signal.words,
            &signal.substrings,
            &signal.prefixes,
        ]
        .into_iter()
        .flatten()
        .cloned()
        .chain(groups)
        .chain(state.map(|state| state.to_string()))
        .collect();
        let kind = name(&signal.evidence);
        let strength = name(&signal.strength);
        let but = if signal.unless.is_empty() {
            String::new()
        } else {
            format!("\n  − {}", signal.unless.join(", "))
        };
        format!("- {} ({kind}, {strength})\n  + {}{but}", signal.id, words.join(", "))
    };
    rule.signals.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn examples(examples: &[Example]) -> String {
    examples.iter().map(|one| format!("- {}", example(one))).collect::<Vec<_>>().join("\n")
}

/// A bare text in quotation marks, or everything an example spells out.
fn example(example: &Example) -> String {
    let case = match example {
        Example::Text(text) => return format!("“{text}”"),
        Example::Case(case) => case,
    };
    let texts = case.text.as_slice().iter().map(|text| format!("“{text}”"));
    let names = case.names().map(|(_, kind, name)| format!("{kind} {name}"));
    let states = case.state.iter().map(|state| format!("state {state}"));
    texts.chain(names).chain(states).collect::<Vec<_>>().join(" + ")
}

/// The spelling of a value in rule files.
fn name(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

fn check(rules: &RuleSet, lang: Lang, out: &mut dyn Write) -> anyhow::Result<u8> {
    let failures = [rules.check(), zhijian::inventory::check(rules)].concat();
    for failure in &failures {
        writeln!(out, "{failure}")?;
    }
    let examples: usize = rules.examples()?.iter().map(|e| e.positive.len() + e.negative.len()).sum();
    let more = rules.inventory_examples()?;
    let examples = examples + more.iter().map(|e| e.positive.len() + e.negative.len()).sum::<usize>();
    let (count, failed) = (rules.rules().len() + rules.inventory().len(), failures.len());
    match lang {
        Lang::Zh => writeln!(out, "规则 {count} 条，示例 {examples} 个，不符 {failed} 个")?,
        Lang::En => writeln!(out, "{count} rules, {examples} examples, {failed} failed")?,
    }
    Ok(if failed > 0 { FOUND } else { 0 })
}
