//! Evidence to findings and duties.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::matcher::{Hit, SignalAt};
use super::set::RuleSet;
use super::syntax::{Rule, RuleSubject, Signal, SignalKind, Strength};
use super::weigh::{self, Why};
use crate::model::{
    Category, Duty, DutyCategory, DutyStatus, Evidence, EvidenceKind, Fact, FactKind, Finding, Inspection, Level,
    Origin, Place, Screen, UiText, Verdict, Widget,
};
use crate::text::Folded;

/// At most this many rows of evidence are listed for one finding; the rest are counted.
const MAX_EVIDENCE: usize = 50;

/// What the rules say of one inspection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Prohibited functions, gravest first, then in the order of the rules.
    pub findings: Vec<Finding>,
    /// Required functions, in the order of the rules.
    pub duties: Vec<Duty>,
}

/// A row of evidence while levels are still being weighed.
#[derive(Debug, Clone)]
struct Row {
    at: SignalAt,
    strength: Strength,
    level: Level,
    why: Why,
    evidence: Evidence,
}

/// Applies every rule to what was read. `verdict` is the coverage the inspection came to.
pub fn judge(rules: &RuleSet, inspection: &Inspection, verdict: Verdict) -> Judgement {
    let mut rows: BTreeMap<usize, Vec<Row>> = BTreeMap::new();
    let mut add = |row: Row| rows.entry(row.at.rule).or_default().push(row);
    inspection.texts.iter().for_each(|text| text_rows(rules, text, &mut add));
    inspection.facts.iter().for_each(|fact| name_rows(rules, fact, &mut add));
    set_rows(rules, &inspection.facts, &mut add);

    let mut findings = Vec::new();
    let mut duties = Vec::new();
    for (index, rule) in rules.rules().iter().enumerate() {
        let rows = rows.remove(&index).unwrap_or_default();
        match rule.subject() {
            Some(RuleSubject::Prohibition(category)) => {
                findings.extend(finding(rules, rule, category, rows, inspection));
            }
            Some(RuleSubject::Duty(category)) => {
                duties.push(duty(rules, rule, category, rows, inspection, verdict));
            }
            None => {}
        }
    }
    findings.sort_by(|a, b| b.level.cmp(&a.level).then(a.category.cmp(&b.category)));
    Judgement { findings, duties }
}

fn text_rows(rules: &RuleSet, text: &UiText, add: &mut impl FnMut(Row)) {
    let folded = Folded::new(&text.text);
    for hit in rules.matcher.text(&folded, text.role) {
        let (level, why) = weigh::text(text, &folded, &hit, &rules.guard);
        let matched = text.text.get(folded.raw_range(hit.range.clone())).unwrap_or(&text.text);
        let evidence = Evidence {
            kind: EvidenceKind::Text,
            text: text.text.clone(),
            matched: matched.to_owned(),
            screen: text.screen.as_ref().map(screen_name),
            widget: text.widget.as_ref().map(widget_name),
            chain: text.chain.clone(),
            locale: text.locale.clone(),
            ..row_base(level, why, &text.place, &text.origin)
        };
        add(Row { at: hit.at, strength: hit.strength, level, why, evidence });
    }
}

fn name_rows(rules: &RuleSet, fact: &Fact, add: &mut impl FnMut(Row)) {
    for hit in rules.matcher.name(fact) {
        let (kind, mut why) = match hit.kind {
            SignalKind::Endpoint => (EvidenceKind::Endpoint, Why::Endpoint),
            SignalKind::Asset => (EvidenceKind::Asset, Why::Asset),
            _ => (EvidenceKind::Name, Why::Name),
        };
        if fact.origin != Origin::App {
            why = Why::Library;
        }
        add(fact_row(&hit, kind, why, fact));
    }
}

fn fact_row(hit: &Hit, kind: EvidenceKind, why: Why, fact: &Fact) -> Row {
    let evidence = Evidence {
        kind,
        text: fact.value.clone(),
        matched: fact.value.get(hit.range.clone()).unwrap_or(&fact.value).to_owned(),
        screen: fact.screen.as_ref().map(screen_name),
        chain: fact.chain.clone(),
        ..row_base(Level::Mention, why, &fact.place, &fact.origin)
    };
    Row { at: hit.at, strength: hit.strength, level: Level::Mention, why, evidence }
}

/// Signals over the set of all facts: permissions used together, SDKs.
fn set_rows(rules: &RuleSet, facts: &[Fact], add: &mut impl FnMut(Row)) {
    let of_kinds = |kinds: &[FactKind]| -> Vec<&Fact> { facts.iter().filter(|f| kinds.contains(&f.kind)).collect() };
    let permissions = of_kinds(&[FactKind::Permission, FactKind::Api]);
    let sdks = of_kinds(&[FactKind::Sdk]);
    for (rule, signal, at) in signals(rules) {
        let found: Vec<&Fact> = match signal.evidence {
            SignalKind::Permission => {
                let groups: Option<Vec<&Fact>> = signal
                    .all
                    .iter()
                    .map(|group| permissions.iter().copied().find(|fact| group.contains(&fact.value)))
                    .collect();
                groups.unwrap_or_default()
            }
            SignalKind::Sdk => {
                let has = |fact: &&&Fact| signal.prefixes.iter().any(|prefix| is_prefix(prefix, &fact.value));
                sdks.iter().find(has).copied().into_iter().collect()
            }
            _ => continue,
        };
        let Some(first) = found.first() else { continue };
        debug_assert_eq!(rule.signals[at.signal].id, signal.id);
        let (kind, why) = match signal.evidence {
            SignalKind::Sdk => (EvidenceKind::Sdk, Why::Sdk),
            _ => (EvidenceKind::Permission, Why::Permission),
        };
        let names: Vec<&str> = found.iter().map(|fact| fact.value.as_str()).collect();
        let text = names.join(" + ");
        // An SDK is always somebody else's; it is the app's choice that it is there.
        let evidence =
            Evidence { kind, matched: text.clone(), text, ..row_base(Level::Mention, why, &first.place, &Origin::App) };
        add(Row { at, strength: signal.strength, level: Level::Mention, why, evidence });
    }
}

fn signals(rules: &RuleSet) -> impl Iterator<Item = (&Rule, &Signal, SignalAt)> {
    rules.rules().iter().enumerate().flat_map(|(r, rule)| {
        rule.signals.iter().enumerate().map(move |(s, signal)| (rule, signal, SignalAt { rule: r, signal: s }))
    })
}

fn is_prefix(prefix: &str, name: &str) -> bool {
    name.strip_prefix(prefix.trim_end_matches('.')).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn row_base(level: Level, why: Why, place: &Place, origin: &Origin) -> Evidence {
    let (note, note_en) = why.texts();
    Evidence {
        kind: EvidenceKind::Text,
        level,
        text: String::new(),
        matched: String::new(),
        place: place.to_string(),
        screen: None,
        widget: None,
        chain: Vec::new(),
        locale: None,
        library: match origin {
            Origin::App => None,
            Origin::Library(name) => Some(name.to_string()),
        },
        note: note.to_owned(),
        note_en: note_en.to_owned(),
    }
}

fn screen_name(screen: &Screen) -> String {
    match &screen.title {
        Some(title) => format!("{title}({})", screen.name),
        None => screen.name.clone(),
    }
}

fn widget_name(widget: &Widget) -> String {
    match &widget.id {
        Some(id) => format!("{} {id}", widget.class),
        None => widget.class.clone(),
    }
}

fn set_level(row: &mut Row, level: Level, why: Why) {
    let (note, note_en) = why.texts();
    row.level = level;
    row.why = why;
    row.evidence.level = level;
    row.evidence.note = note.to_owned();
    row.evidence.note_en = note_en.to_owned();
}

/// Evidence of the app's own that is no text.
fn is_own_trace(row: &Row) -> bool {
    matches!(row.why, Why::Name | Why::Endpoint | Why::Permission | Why::Sdk | Why::Asset)
}

fn finding(
    rules: &RuleSet,
    rule: &Rule,
    category: Category,
    mut rows: Vec<Row>,
    inspection: &Inspection,
) -> Option<Finding> {
    let strong: BTreeSet<EvidenceKind> = rows
        .iter()
        .filter(|row| is_own_trace(row) && row.strength == Strength::Strong)
        .map(|row| row.evidence.kind)
        .collect();
    let kinds: BTreeSet<EvidenceKind> = rows.iter().filter(|row| is_own_trace(row)).map(|row| row.evidence.kind).collect();
    let worded = rows.iter().any(|row| row.level >= Level::Suspected);
    for row in &mut rows {
        if row.level == Level::Suspected && row.strength == Strength::Strong && !strong.is_empty() {
            set_level(row, Level::Confirmed, Why::Corroborated);
        } else if is_own_trace(row) && (worded || (kinds.len() >= 2 && !strong.is_empty())) {
            // Without a word of its own a function is suspected at most, and never from one kind of trace.
            let why = row.why;
            set_level(row, Level::Suspected, why);
        }
    }
    // A weak trace on its own (a common permission, a file name) says nothing worth reading.
    let lone = |row: &Row| is_own_trace(row) && row.strength == Strength::Weak && row.level == Level::Mention;
    rows.retain(|row| !lone(row));
    let level = rows.iter().map(|row| row.level).max()?;
    let (explanation, explanation_en) = explain(level, &rows);
    let (evidence, evidence_omitted) = rank(rows);
    Some(Finding {
        rule: rule.id.clone(),
        category,
        level,
        title: rule.title.clone(),
        title_en: rule.title_en.clone(),
        explanation,
        explanation_en,
        basis: rules.basis(rule, inspection.kind),
        exceptions: rule.exceptions.clone(),
        evidence,
        evidence_omitted,
        remediation: rule.remediation.clone(),
        remediation_en: rule.remediation_en.clone(),
    })
}

/// Strongest first, without repetitions, at most [`MAX_EVIDENCE`] rows.
fn rank(rows: Vec<Row>) -> (Vec<Evidence>, u64) {
    let mut seen = HashSet::new();
    let mut rows: Vec<Row> = rows
        .into_iter()
        .filter(|row| {
            let e = &row.evidence;
            seen.insert((e.kind, e.text.clone(), e.place.clone(), e.screen.clone(), e.widget.clone()))
        })
        .collect();
    rows.sort_by(|a, b| {
        let key = |row: &Row| (row.evidence.kind, row.evidence.place.clone(), row.evidence.text.clone());
        b.level.cmp(&a.level).then(b.strength.cmp(&a.strength)).then_with(|| key(a).cmp(&key(b)))
    });
    let omitted = rows.len().saturating_sub(MAX_EVIDENCE) as u64;
    (rows.into_iter().take(MAX_EVIDENCE).map(|row| row.evidence).collect(), omitted)
}

/// Why a finding has its level, for a reader who is no programmer.
fn explain(level: Level, rows: &[Row]) -> (String, String) {
    let best = |pick: &dyn Fn(&&Row) -> bool| {
        rows.iter().filter(pick).min_by(|a, b| a.evidence.place.cmp(&b.evidence.place))
    };
    let operable = best(&|row| row.why == Why::Operable);
    let corroborated = best(&|row| row.why == Why::Corroborated);
    let trace = best(&|row| is_own_trace(row) && row.strength == Strength::Strong);
    match (level, operable, corroborated, trace) {
        (Level::Confirmed, Some(row), ..) => {
            let screen = row.evidence.screen.as_deref().unwrap_or_default();
            let widget = row.evidence.widget.as_deref().unwrap_or_default();
            (
                format!(
                    "“{}”是页面“{screen}”上可以操作的控件({widget}),用户打开该页面即可使用,据此确认。",
                    row.evidence.matched
                ),
                format!(
                    "\"{}\" is an operable widget ({widget}) of the screen \"{screen}\", which users can open and use; \
                     therefore confirmed.",
                    row.evidence.matched
                ),
            )
        }
        (Level::Confirmed, None, Some(row), Some(trace)) => (
            format!(
                "界面文字“{}”与代码中的“{}”({})相互印证,属于两种独立证据,据此确认。",
                row.evidence.matched,
                trace.evidence.text,
                trace.why.texts().0
            ),
            format!(
                "The text \"{}\" and \"{}\" in the code ({}) bear each other out as two independent kinds of evidence; \
                 therefore confirmed.",
                row.evidence.matched,
                trace.evidence.text,
                trace.why.texts().1
            ),
        ),
        (Level::Suspected, ..) => match best(&|row| row.level == Level::Suspected && !is_own_trace(row)) {
            Some(row) => (
                format!(
                    "发现文字“{}”({}),但没有第二种独立证据,需要人工打开页面核查。",
                    row.evidence.matched,
                    row.why.texts().0
                ),
                format!(
                    "The text \"{}\" was found ({}), but no second independent kind of evidence; a person has to open \
                     the screen and look.",
                    row.evidence.matched,
                    row.why.texts().1
                ),
            ),
            None => (
                "没有发现直接的文字,但名称、接口、权限等多种迹象指向该功能,需要人工核查。".to_owned(),
                "No direct wording was found, but several kinds of traces (names, addresses, permissions) point to the \
                 function; a person has to look."
                    .to_owned(),
            ),
        },
        _ => {
            let whys: BTreeSet<(&str, &str)> = rows.iter().map(|row| row.why.texts()).collect();
            let zh: Vec<&str> = whys.iter().map(|why| why.0).collect();
            let en: Vec<&str> = whys.iter().map(|why| why.1).collect();
            (
                format!("只是提及({}),不作为具有该功能的依据。", zh.join(";")),
                format!("Only mentioned ({}); this does not show that the function exists.", en.join("; ")),
            )
        }
    }
}

fn duty(
    rules: &RuleSet,
    rule: &Rule,
    category: DutyCategory,
    rows: Vec<Row>,
    inspection: &Inspection,
    verdict: Verdict,
) -> Duty {
    // Denial and quotation do not unmake a duty: “指尖上的形式主义”投诉举报 is a complaint page.
    let counts = |row: &&Row| {
        row.level >= Level::Suspected || matches!(row.why, Why::Negated | Why::Quoted | Why::ComplaintPage | Why::Prose)
    };
    let seen: HashSet<&str> = rows
        .iter()
        .filter(counts)
        .filter(|row| row.strength == Strength::Strong)
        .filter_map(|row| rule.signals.get(row.at.signal))
        .map(|signal| signal.id.as_str())
        .collect();
    let met = if rule.needs.is_empty() {
        !seen.is_empty()
    } else {
        rule.needs.iter().all(|need| seen.contains(need.as_str()))
    };
    let status = match (met, verdict) {
        (true, _) => DutyStatus::Met,
        (false, Verdict::Full) => DutyStatus::Missing,
        (false, _) => DutyStatus::Unknown,
    };
    let (zh, en) = match status {
        DutyStatus::Met => ("在界面文字中看到。", "Seen in the text of the interface."),
        DutyStatus::Missing if seen.is_empty() => (
            "可能含有界面文字的内容已全部检视,未见相应文字。",
            "Everything that may hold text of the interface was read, and nothing of the kind was seen.",
        ),
        DutyStatus::Missing => (
            "只看到其中一部分,不完整。",
            "Only a part of what is required was seen.",
        ),
        DutyStatus::Unknown => (
            "部分内容未能检视,不能判断有无。",
            "Parts could not be seen, so whether it is there cannot be told.",
        ),
    };
    let (evidence, _) = rank(rows);
    Duty {
        rule: rule.id.clone(),
        category,
        status,
        title: rule.title.clone(),
        title_en: rule.title_en.clone(),
        explanation: zh.to_owned(),
        explanation_en: en.to_owned(),
        basis: rules.basis(rule, inspection.kind),
        evidence,
        remediation: rule.remediation.clone(),
        remediation_en: rule.remediation_en.clone(),
    }
}
