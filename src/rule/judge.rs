//! Evidence to findings and duties.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::Timestamp;
use rayon::prelude::*;

use super::matcher::{Hit, Matcher, SignalAt};
use super::set::RuleSet;
use super::syntax::{Rule, RuleSubject, Signal, SignalKind, Strength};
use super::weigh::{self, Why};
use crate::model::{
    Category, Duty, DutyCategory, DutyStatus, Evidence, EvidenceKind, Fact, FactKind, Finding, Inspection,
    Level, Measure, Origin, Place, Role, Scope, Screen, State, UiText, Verdict, Widget, beijing_day,
};
use crate::text::{Folded, fold};

/// So many texts or facts are matched by one thread at a time.
const CHUNK: usize = 4096;

/// At most this many rows of evidence are listed for one finding; the rest are counted.
const MAX_EVIDENCE: usize = 50;

/// So many kinds of weak traces make a strong name or address suspicious that alone is not.
const MIN_WEAK_KINDS: usize = 2;

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
    /// Screen and class the row belongs to: rows that share one are about the same thing.
    anchors: Vec<String>,
    /// A page, component or address of the app as a whole; not a name somewhere in its code.
    declared: bool,
    /// What a text is on its screen.
    seen: Seen,
    evidence: Evidence,
}

/// What a text is to those who open the screen it is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// No text, or on no screen that users are known to reach, or known from code alone.
    Nowhere,
    /// The name of the screen.
    Title,
    /// Something to press.
    Control,
    /// Something to read.
    Read,
}

impl Seen {
    fn of(text: &UiText) -> Seen {
        let operable = text.widget.as_ref().is_some_and(|widget| widget.operable);
        match text.role {
            _ if !text.screen.as_ref().is_some_and(|screen| screen.reachable) => Seen::Nowhere,
            Role::Title => Seen::Title,
            Role::Control if operable => Seen::Control,
            Role::Control | Role::Label | Role::Hint | Role::Message | Role::Item => Seen::Read,
            _ => Seen::Nowhere,
        }
    }
}

/// Applies every rule to what was read. `verdict` is the coverage the inspection came to.
pub fn judge(rules: &RuleSet, inspection: &Inspection, verdict: Verdict) -> Judgement {
    let scope = inspection.kind.scope();
    let matcher = rules.matcher(scope);
    // Chunks come back in the order of the input, whichever thread was first.
    let texts = inspection.texts.par_chunks(CHUNK).map(|chunk| {
        let mut rows = Vec::new();
        chunk.iter().for_each(|text| text_rows(rules, scope, text, &mut rows));
        rows
    });
    let names = inspection.facts.par_chunks(CHUNK).map(|chunk| {
        let (mut rows, mut buffer) = (Vec::new(), String::new());
        chunk.iter().for_each(|fact| name_rows(matcher, fact, &mut buffer, &mut rows));
        rows
    });
    let mut chunks: Vec<Vec<Row>> = texts.collect();
    chunks.extend(names.collect::<Vec<_>>());
    chunks.push(set_rows(rules, scope, &inspection.facts));
    chunks.push(state_rows(rules, inspection));
    // Last, as what they bear out is borne out by names and addresses first.
    chunks.push(code_rows(rules, scope, &inspection.facts));
    let complaints = complaint_screens(rules, inspection);
    for row in chunks.iter_mut().flatten().filter(|row| row.evidence.kind == EvidenceKind::Text) {
        if row.anchors.iter().any(|anchor| complaints.contains(anchor.as_str())) {
            set_level(row, Level::Mention, Why::ComplaintPage);
        }
    }
    let mut rows: BTreeMap<usize, Vec<Row>> = BTreeMap::new();
    chunks.into_iter().flatten().for_each(|row| rows.entry(row.at.rule).or_default().push(row));

    let mut findings = Vec::new();
    let mut duties = Vec::new();
    let observed: HashSet<_> = inspection.states.iter().map(|state| state.name).collect();
    let speaks = |rule: &Rule| {
        rule.scope == scope && (rule.when.is_empty() || rule.when.iter().any(|name| observed.contains(name)))
    };
    for (index, rule) in rules.rules().iter().enumerate().filter(|(_, rule)| speaks(rule)) {
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

/// Screens with a title that says that people complain about formalism there: what can be chosen on them is
/// not a function of the app.
fn complaint_screens<'a>(rules: &RuleSet, inspection: &'a Inspection) -> HashSet<&'a str> {
    let titles = inspection.texts.iter().filter(|text| text.role == Role::Title && !text.text.is_ascii());
    titles
        .filter(|text| text.screen.is_some() && rules.guard.is_complaint_page(&fold(&text.text)))
        .filter_map(|text| text.screen.as_ref().map(|screen| screen.name.as_str()))
        .collect()
}

fn text_rows(rules: &RuleSet, scope: Scope, text: &UiText, rows: &mut Vec<Row>) {
    let matcher = rules.matcher(scope);
    if !matcher.may_hit(&text.text, text.role) {
        return;
    }
    let folded = Folded::new(&text.text);
    let weighed = matcher.text(&folded, text.role).into_iter().map(|hit| {
        let (level, why) = weigh::text(scope, text, &folded, &hit, &rules.guard);
        (hit, level, why)
    });
    let mut best: Vec<(Hit, Level, Why)> = Vec::new();
    for (hit, level, why) in weighed {
        match best.last_mut() {
            // Of several occurrences in one text the strongest counts.
            Some(last) if last.0.at == hit.at => {
                if level > last.1 {
                    *last = (hit, level, why);
                }
            }
            _ => best.push((hit, level, why)),
        }
    }
    for (hit, level, why) in best {
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
        let screen = text.screen.as_ref().map(|screen| screen.name.clone());
        let class = text.code.as_ref().map(|code| code.class.clone());
        let anchors = screen.into_iter().chain(class).collect();
        let (at, strength, seen) = (hit.at, hit.strength, Seen::of(text));
        rows.push(Row { at, strength, level, why, anchors, declared: false, seen, evidence });
    }
}

fn name_rows(matcher: &Matcher, fact: &Fact, buffer: &mut String, rows: &mut Vec<Row>) {
    for hit in matcher.name(fact, buffer) {
        let (kind, mut why) = match hit.kind {
            SignalKind::Endpoint => (EvidenceKind::Endpoint, Why::Endpoint),
            SignalKind::Asset => (EvidenceKind::Asset, Why::Asset),
            _ => (EvidenceKind::Name, Why::of_name(fact.kind)),
        };
        if fact.origin != Origin::App {
            why = Why::Library;
        }
        rows.push(fact_row(&hit, kind, why, fact));
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
    let own = match fact.kind {
        FactKind::Component | FactKind::Class | FactKind::Route => Some(fact.value.clone()),
        FactKind::Function => fact.value.rsplit_once('.').map(|(class, _)| class.to_owned()),
        _ => None,
    };
    Row {
        at: hit.at,
        strength: hit.strength,
        level: Level::Mention,
        why,
        anchors: fact.screen.as_ref().map(|screen| screen.name.clone()).into_iter().chain(own).collect(),
        declared: matches!(fact.kind, FactKind::Component | FactKind::Route | FactKind::Endpoint),
        seen: Seen::Nowhere,
        evidence,
    }
}

/// Signals over the set of all facts: permissions used together, SDKs.
fn set_rows(rules: &RuleSet, scope: Scope, facts: &[Fact]) -> Vec<Row> {
    let mut rows = Vec::new();
    let of_kinds =
        |kinds: &[FactKind]| -> Vec<&Fact> { facts.iter().filter(|f| kinds.contains(&f.kind)).collect() };
    // What a library calls is not the app's doing; an SDK is always somebody else's.
    let mut permissions = of_kinds(&[FactKind::Permission, FactKind::Api]);
    permissions.retain(|fact| fact.origin == Origin::App);
    let sdks = of_kinds(&[FactKind::Sdk]);
    for (signal, at) in signals(rules, scope) {
        let found: Vec<&Fact> = match signal.evidence {
            SignalKind::Permission => {
                let of = |group: &Vec<String>| -> Vec<&Fact> {
                    permissions.iter().copied().filter(|fact| group.contains(&fact.value)).collect()
                };
                let groups: Vec<Vec<&Fact>> = signal.all.iter().map(of).collect();
                if groups.iter().any(Vec::is_empty) { Vec::new() } else { groups.concat() }
            }
            SignalKind::Sdk => {
                let has = |fact: &&&Fact| signal.prefixes.iter().any(|prefix| is_prefix(prefix, &fact.value));
                sdks.iter().find(has).copied().into_iter().collect()
            }
            _ => continue,
        };
        let Some(first) = found.first() else { continue };
        // A call or an element that names what the platform has registered for it is the more telling one.
        let first = found.iter().find(|fact| fact.registered.is_some()).unwrap_or(first);
        let (kind, why) = match signal.evidence {
            SignalKind::Sdk => (EvidenceKind::Sdk, Why::Sdk),
            _ if signal.strength != Strength::Strong => (EvidenceKind::Permission, Why::Permission),
            _ if first.registered.is_some() => (EvidenceKind::Permission, Why::Registered),
            _ => (EvidenceKind::Permission, Why::Api),
        };
        let mut named = HashSet::new();
        let names: Vec<&str> =
            found.iter().map(|fact| fact.value.as_str()).filter(|name| named.insert(*name)).collect();
        let text = names.join(" + ");
        // The interface and the id registered for it are two things, of which neither comes along by itself.
        let level = if why == Why::Registered { Level::Confirmed } else { Level::Mention };
        let screen = found.iter().find_map(|fact| fact.screen.as_ref());
        let evidence = Evidence {
            kind,
            matched: first.registered.clone().unwrap_or_else(|| text.clone()),
            text,
            screen: screen.filter(|_| signal.strength == Strength::Strong).map(screen_name),
            chain: if why == Why::Registered { first.chain.clone() } else { Vec::new() },
            ..row_base(level, why, &first.place, &Origin::App)
        };
        let (strength, anchors, seen) = (signal.strength, Vec::new(), Seen::Nowhere);
        rows.push(Row { at, strength, level, why, anchors, declared: true, seen, evidence });
    }
    rows
}

/// Signals in what QR codes say: where they send people.
fn code_rows(rules: &RuleSet, scope: Scope, facts: &[Fact]) -> Vec<Row> {
    let codes: Vec<(&Fact, String)> = facts
        .iter()
        .filter(|fact| fact.kind == FactKind::QrCode)
        .map(|fact| (fact, fact.value.to_lowercase()))
        .collect();
    let mut rows = Vec::new();
    for (signal, at) in signals(rules, scope).filter(|(signal, _)| signal.evidence == SignalKind::QrCode) {
        for (fact, content) in &codes {
            let address = content.split_once("://").map_or(content.as_str(), |(_, rest)| rest);
            let hit = signal.prefixes.iter().any(|prefix| address.starts_with(prefix.as_str()))
                || signal.phrases.iter().any(|piece| address.contains(piece.as_str()));
            if hit {
                let range = 0..fact.value.len();
                let hit = Hit { at, strength: signal.strength, kind: signal.evidence, range };
                rows.push(fact_row(&hit, EvidenceKind::QrCode, Why::QrCode, fact));
            }
        }
    }
    rows
}

/// Signals over what was observed of an account or a group. Of the thresholds that a state reaches in one rule the
/// highest counts.
fn state_rows(rules: &RuleSet, inspection: &Inspection) -> Vec<Row> {
    let mut best: BTreeMap<(usize, usize), (&Signal, SignalAt)> = BTreeMap::new();
    for (signal, at) in signals(rules, inspection.kind.scope()) {
        for (index, state) in inspection.states.iter().enumerate() {
            if signal.state != Some(state.name) || !reaches(signal, state, inspection.as_of) {
                continue;
            }
            let rank = |signal: &Signal| (signal.strength, signal.days, signal.count);
            let known = best.entry((at.rule, index)).or_insert((signal, at));
            if rank(signal) > rank(known.0) {
                *known = (signal, at);
            }
        }
    }
    let row = |((_, index), (signal, at)): ((usize, usize), (&Signal, SignalAt))| {
        let state = inspection.states.get(index)?;
        let level = match signal.strength {
            Strength::Strong => Level::Confirmed,
            Strength::Weak => Level::Suspected,
            Strength::Slight => Level::Mention,
        };
        let (mut note, mut note_en) = (signal.note.clone(), signal.note_en.clone());
        if let (Measure::Since(since), Some(as_of)) = (state.measure, inspection.as_of) {
            let (days, until) = (days_between(since, as_of), beijing_day(as_of));
            note = format!("至 {until} 已 {days} 天；{note}");
            note_en = format!("{days} days until {until}; {note_en}");
        }
        let evidence = Evidence {
            kind: EvidenceKind::State,
            text: state.text.clone(),
            matched: state.text.clone(),
            screen: state.subject.clone(),
            note,
            note_en,
            ..row_base(level, Why::State, &state.place, &Origin::App)
        };
        let (strength, why, anchors, seen) = (signal.strength, Why::State, Vec::new(), Seen::Nowhere);
        Some(Row { at, strength, level, why, anchors, declared: false, seen, evidence })
    };
    best.into_iter().filter_map(row).collect()
}

/// Whether a state is at or beyond the threshold of a signal.
fn reaches(signal: &Signal, state: &State, as_of: Option<Timestamp>) -> bool {
    match state.measure {
        Measure::Plain => true,
        Measure::Count(count) => signal.count.is_some_and(|least| count >= least),
        Measure::Since(since) => {
            let days = as_of.map(|as_of| days_between(since, as_of));
            days.zip(signal.days).is_some_and(|(days, least)| days >= i64::from(least))
        }
    }
}

/// Whole days from one moment to another; a moment to come is none.
fn days_between(since: Timestamp, until: Timestamp) -> i64 {
    (until.as_second() - since.as_second()).max(0) / 86_400
}

fn signals(rules: &RuleSet, scope: Scope) -> impl Iterator<Item = (&Signal, SignalAt)> {
    rules.rules().iter().enumerate().filter(move |(_, rule)| rule.scope == scope).flat_map(|(r, rule)| {
        rule.signals.iter().enumerate().map(move |(s, signal)| (signal, SignalAt { rule: r, signal: s }))
    })
}

fn is_prefix(prefix: &str, name: &str) -> bool {
    name.strip_prefix(prefix.trim_end_matches('.'))
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
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
        Some(title) if screen.name.is_empty() || screen.name == *title => title.clone(),
        Some(title) => format!("{title}（{}）", screen.name),
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
    row.why.is_trace()
}

fn is_strong_trace(row: &Row) -> bool {
    is_own_trace(row) && row.strength == Strength::Strong
}

/// What a confirmed finding rests on.
struct Proof {
    /// An operable widget of a reachable screen, or the first of two independent kinds of evidence.
    row: Row,
    /// The second.
    other: Option<Row>,
}

/// The strong traces of one facet of a rule.
#[derive(Default)]
struct Traces<'a> {
    /// Pages, components, addresses, SDKs.
    declared: Vec<&'a Row>,
    /// Classes, functions, layouts, widgets: they speak for what shares a screen or class with them.
    local: HashMap<&'a str, &'a Row>,
    /// One of the latter, whatever its screen.
    any_local: Option<&'a Row>,
}

impl<'a> Traces<'a> {
    fn add(&mut self, row: &'a Row) {
        if row.declared {
            self.declared.push(row);
        } else {
            row.anchors.iter().for_each(|anchor| {
                self.local.entry(anchor.as_str()).or_insert(row);
            });
            self.any_local.get_or_insert(row);
        }
    }

    /// The trace that bears out a text: one of the same screen or class, else a declared one, else any name if
    /// the text is known to be shown.
    fn for_text(&self, text: &Row) -> Option<&'a Row> {
        let near = |row: &&&Row| row.anchors.iter().any(|anchor| text.anchors.contains(anchor));
        let shown = !matches!(text.why, Why::InCode | Why::InResource);
        (self.declared.iter().find(near).copied())
            .or_else(|| text.anchors.iter().find_map(|anchor| self.local.get(anchor.as_str()).copied()))
            .or_else(|| self.declared.first().copied())
            .or_else(|| self.any_local.filter(|_| shown))
    }

    /// Two declared traces of different kinds: a page and the address it calls.
    fn pair(&self) -> Option<(&'a Row, &'a Row)> {
        let first = self.declared.first()?;
        let other = self.declared.iter().find(|row| row.evidence.kind != first.evidence.kind)?;
        Some(if first.evidence.kind < other.evidence.kind { (first, other) } else { (other, first) })
    }

    fn kinds(&self) -> usize {
        let all = self.declared.iter().chain(&self.any_local);
        all.map(|row| row.evidence.kind).collect::<BTreeSet<_>>().len()
    }
}

fn finding(
    rules: &RuleSet,
    rule: &Rule,
    category: Category,
    mut rows: Vec<Row>,
    inspection: &Inspection,
) -> Option<Finding> {
    let facet = |row: &Row| rule.signals.get(row.at.signal).map_or("", |signal| signal.facet.as_str());
    let mut raised: Vec<(usize, Level, Why)> = Vec::new();
    let mut pairs: Vec<(usize, Row)> = Vec::new();
    let mut proof = None;
    {
        let mut traces: BTreeMap<&str, Traces<'_>> = BTreeMap::new();
        rows.iter()
            .filter(|row| is_strong_trace(row))
            .for_each(|row| traces.entry(facet(row)).or_default().add(row));
        let permitted: BTreeSet<&str> =
            rows.iter().filter(|row| row.why == Why::Permission).map(&facet).collect();
        // Weak traces of several kinds beside a strong name or address: permissions, an SDK, a picture.
        let mut weak: BTreeMap<&str, BTreeSet<EvidenceKind>> = BTreeMap::new();
        for row in rows.iter().filter(|row| is_own_trace(row) && row.strength != Strength::Strong) {
            weak.entry(facet(row)).or_default().insert(row.evidence.kind);
        }
        let attended = |row: &Row| {
            let kinds = weak.get(facet(row)).into_iter().flatten();
            kinds.filter(|kind| **kind != row.evidence.kind).count() >= MIN_WEAK_KINDS
        };
        // Pages whose name alone is common bear out an address of their own that is not: two kinds of evidence.
        let pages: Vec<&Row> = rows
            .iter()
            .filter(|row| row.why == Why::Page && row.strength == Strength::Weak)
            .take(MAX_EVIDENCE)
            .collect();
        let calls = |row: &Row| {
            let of = |page: &&Row| {
                let same = page.anchors.iter().any(|anchor| row.anchors.contains(anchor));
                facet(page) == facet(row) && (same || row.anchors.is_empty())
            };
            row.why == Why::Endpoint && pages.iter().any(of)
        };
        // Where there is clear wording: facet and screen or class.
        let clear: HashSet<(&str, &str)> = rows
            .iter()
            .filter(|row| row.level >= Level::Suspected && row.strength == Strength::Strong)
            .flat_map(|row| row.anchors.iter().map(move |anchor| (facet(row), anchor.as_str())))
            .collect();
        let mut worded: BTreeSet<&str> = BTreeSet::new();
        for (index, row) in rows.iter().enumerate() {
            let borne_out = traces.get(facet(row)).and_then(|traces| traces.for_text(row));
            match (row.level, row.strength, borne_out) {
                // A code to follow or to download is common: it makes no suspicion a certainty.
                (Level::Suspected, Strength::Strong, Some(trace)) if trace.why != Why::QrCode => {
                    raised.push((index, Level::Confirmed, Why::Corroborated));
                    pairs.push((index, trace.clone()));
                }
                (Level::Mention, _, Some(_)) if row.why == Why::WeakWord => {
                    raised.push((index, Level::Suspected, Why::WeakBorneOut));
                }
                (Level::Mention, _, None)
                    if row.why == Why::WeakWord
                        && row
                            .anchors
                            .iter()
                            .any(|anchor| clear.contains(&(facet(row), anchor.as_str()))) =>
                {
                    raised.push((index, Level::Suspected, Why::WeakBeside));
                }
                _ => {}
            }
            if row.level >= Level::Suspected {
                worded.insert(facet(row));
            }
        }
        for (index, row) in rows.iter().enumerate().filter(|(_, row)| is_own_trace(row)) {
            let Some(traces) = traces.get(facet(row)) else { continue };
            if row.strength != Strength::Strong {
                continue;
            }
            if row.why == Why::Registered {
                continue;
            }
            if traces.pair().is_some() && row.declared {
                raised.push((index, Level::Confirmed, row.why));
            } else if worded.contains(facet(row))
                || row.why.is_page()
                || matches!(row.why, Why::Sdk | Why::Api)
                || (row.why == Why::Endpoint && permitted.contains(facet(row)))
                || traces.kinds() >= 2
                || calls(row)
                || (row.why != Why::QrCode && attended(row))
            {
                raised.push((index, Level::Suspected, row.why));
            }
        }
        let told = told_twice(rule, &rows);
        for (index, other) in &told {
            let why = if is_own_trace(&rows[*other]) { Why::Corroborated } else { Why::Titled };
            raised.push((*index, Level::Confirmed, why));
            let known = pairs.iter().any(|(known, _)| known == index);
            pairs.extend((!known).then(|| (*index, rows[*other].clone())));
        }
        let said = said_twice(rule, &rows);
        raised.extend(said.iter().map(|(index, _)| (*index, Level::Confirmed, Why::SaidTwice)));
        let by_place = |a: &&Row, b: &&Row| a.evidence.place.cmp(&b.evidence.place);
        if let Some(row) = rows.iter().filter(|row| row.why == Why::Operable).min_by(by_place) {
            proof = Some(Proof { row: row.clone(), other: None });
        } else if let Some((index, trace)) = pairs.iter().min_by(|a, b| by_place(&&rows[a.0], &&rows[b.0])) {
            proof = Some(Proof { row: rows[*index].clone(), other: Some(trace.clone()) });
        } else if let Some((index, other)) = said.iter().min_by(|a, b| by_place(&&rows[a.0], &&rows[b.0])) {
            proof = Some(Proof { row: rows[*index].clone(), other: Some(rows[*other].clone()) });
        } else if let Some(row) = rows.iter().filter(|row| row.why == Why::Registered).min_by(by_place) {
            proof = Some(Proof { row: row.clone(), other: None });
        } else if let Some((a, b)) = traces.values().find_map(Traces::pair) {
            proof = Some(Proof { row: a.clone(), other: Some(b.clone()) });
        }
    }
    for (index, level, why) in raised {
        set_level(&mut rows[index], level, why);
    }
    // A weak trace without a word (a common permission, a file name, a code to follow) says nothing worth reading.
    let worded = rows.iter().any(|row| row.level >= Level::Suspected);
    let common = |row: &Row| row.strength != Strength::Strong || row.why == Why::QrCode;
    let lone = |row: &Row| is_own_trace(row) && common(row) && !worded;
    let lone_word = |row: &Row| row.why == Why::WeakWord;
    rows.retain(|row| !lone(row) && !lone_word(row));
    let level = rows.iter().map(|row| row.level).max()?;
    let (explanation, explanation_en) = explain(level, proof.as_ref(), &rows);
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
        accepted: None,
    })
}

/// Text that users see on a screen they can reach, and that something of another kind on the same screen bears out:
/// what the screen or the code behind it is called, the address it calls, or its title. Each with such another.
///
/// Clear wording is borne out by any name or address of its screen, also by one that alone is common (`rank`), and
/// by the title if that says something else. A control whose word alone is not clear takes a name or address that
/// is; a title of that sort takes an address, as the title and the path of a page are but two names of it.
fn told_twice(rule: &Rule, rows: &[Row]) -> Vec<(usize, usize)> {
    let facet = |row: &Row| rule.signals.get(row.at.signal).map_or("", |signal| signal.facet.as_str());
    let mut around: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
    for (index, row) in rows.iter().enumerate() {
        let named = matches!(row.why, Why::Page | Why::Name | Why::Endpoint);
        let title = row.seen == Seen::Title && row.level >= Level::Suspected;
        if !(named || title) || row.strength == Strength::Slight {
            continue;
        }
        for anchor in &row.anchors {
            let near = around.entry((facet(row), anchor)).or_default();
            // A page with thousands of names is not searched thousands of times.
            if near.len() < MAX_EVIDENCE {
                near.push(index);
            }
        }
    }
    let bears_out = |row: &Row, other: &Row| {
        let clear = row.strength == Strength::Strong;
        let named = is_own_trace(other);
        match row.seen {
            Seen::Nowhere => false,
            Seen::Title if clear => named,
            Seen::Read | Seen::Control if clear => named || other.evidence.text != row.evidence.text,
            Seen::Control => is_strong_trace(other),
            Seen::Title => is_strong_trace(other) && other.why == Why::Endpoint,
            Seen::Read => false,
        }
    };
    let pair = |(index, row): (usize, &Row)| {
        let near = row.anchors.iter().filter_map(|anchor| around.get(&(facet(row), anchor.as_str())));
        let other = near.flatten().find(|other| bears_out(row, &rows[**other]))?;
        Some((index, *other))
    };
    let waiting = |(_, row): &(usize, &Row)| row.level == Level::Suspected && row.seen != Seen::Nowhere;
    rows.iter().enumerate().filter(waiting).filter_map(pair).collect()
}

/// Rows of published or sent text that others of the same page or group bear out: two of the rule's signals of one
/// facet, hit by different words. Each with such another.
fn said_twice(rule: &Rule, rows: &[Row]) -> Vec<(usize, usize)> {
    let said: Vec<usize> = rows
        .iter()
        .enumerate()
        .filter(|(_, row)| row.why == Why::Said && row.level == Level::Suspected)
        .map(|(index, _)| index)
        .collect();
    let facet = |row: &Row| rule.signals.get(row.at.signal).map(|signal| signal.facet.as_str());
    let mut by_anchor: HashMap<&str, Vec<usize>> = HashMap::new();
    for &index in &said {
        rows[index].anchors.iter().for_each(|anchor| by_anchor.entry(anchor).or_default().push(index));
    }
    let bears_out = |row: &Row, other: &Row| {
        let (a, b) = (&row.evidence.matched, &other.evidence.matched);
        other.at != row.at && facet(other) == facet(row) && !a.contains(b.as_str()) && !b.contains(a.as_str())
    };
    let pair = |&index: &usize| {
        let row = &rows[index];
        let near = row.anchors.iter().filter_map(|anchor| by_anchor.get(anchor.as_str())).flatten();
        // A page that says the same thousands of times is not compared with itself thousands of times.
        let other = near.take(MAX_EVIDENCE).find(|other| bears_out(row, &rows[**other]))?;
        Some((index, *other))
    };
    said.iter().filter_map(pair).collect()
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
        let pressed = |row: &Row| row.why == Why::Operable;
        b.level
            .cmp(&a.level)
            .then(pressed(b).cmp(&pressed(a)))
            .then(b.strength.cmp(&a.strength))
            .then_with(|| key(a).cmp(&key(b)))
    });
    let omitted = rows.len().saturating_sub(MAX_EVIDENCE) as u64;
    (rows.into_iter().take(MAX_EVIDENCE).map(|row| row.evidence).collect(), omitted)
}

/// A text of so many characters is quoted whole.
const SHORT_QUOTE: usize = 20;

/// What a sentence quotes of a row: the whole text where it is short, for a word cut out of it reads as another one;
/// else what the rule matched in it.
fn quoted(row: &Row) -> &str {
    let Evidence { text, matched, .. } = &row.evidence;
    let text = text.trim();
    if !text.is_empty() && text.chars().count() <= SHORT_QUOTE { text } else { matched }
}

/// Why a finding has its level, for a reader who is no programmer.
fn explain(level: Level, proof: Option<&Proof>, rows: &[Row]) -> (String, String) {
    let best = |pick: &dyn Fn(&&Row) -> bool| {
        rows.iter().filter(pick).min_by(|a, b| a.evidence.place.cmp(&b.evidence.place))
    };
    let state = rows.iter().find(|row| row.why == Why::State && row.level == level);
    match (level, proof) {
        (Level::Confirmed | Level::Suspected, None) if state.is_some() => {
            let (mut zh, mut en) = (String::new(), String::new());
            if let Some(Row { evidence, .. }) = state {
                let (close, close_en) = match level {
                    Level::Confirmed => ("据此确认。", "therefore confirmed."),
                    _ => ("需要人工核查。", "a person has to look."),
                };
                zh = format!("{}：{}，{close}", evidence.text, evidence.note);
                en = format!("{}: {}; {close_en}", evidence.text, evidence.note_en);
            }
            (zh, en)
        }
        (Level::Confirmed, Some(Proof { row, other: None })) if row.why == Why::Registered => (
            format!(
                "“{}”是专用于该功能的平台接口或组件，并且填有平台为本应用分配的编号“{}”，属于两种独立证据，据此确认。",
                row.evidence.text, row.evidence.matched
            ),
            format!(
                "\"{}\" is an interface or element of the platform that serves only this, and \"{}\" is the id that the \
                 platform has given the app for it: two independent kinds of evidence; therefore confirmed.",
                row.evidence.text, row.evidence.matched
            ),
        ),
        (Level::Confirmed, Some(Proof { row, other: None })) => {
            let screen = row.evidence.screen.as_deref().unwrap_or_default();
            let widget = row.evidence.widget.as_deref().unwrap_or_default();
            (
                format!(
                    "“{}”是页面“{screen}”上可以操作的控件（{widget}），用户打开该页面即可使用，据此确认。",
                    quoted(row)
                ),
                format!(
                    "\"{}\" is an operable widget ({widget}) of the screen \"{screen}\", which users can open and use; \
                     therefore confirmed.",
                    quoted(row)
                ),
            )
        }
        (Level::Confirmed, Some(Proof { row, other: Some(other) })) if other.why == Why::Said => {
            // Two words of one short text are not that text twice.
            let (said, beside) = match row.evidence.text == other.evidence.text {
                true => (row.evidence.matched.as_str(), other.evidence.matched.as_str()),
                false => (quoted(row), quoted(other)),
            };
            let zh = format!("“{said}”与“{beside}”在同一处内容中相互印证，据此确认。");
            let en = format!(
                "\"{said}\" and \"{beside}\" stand in the same content and bear each other out; therefore confirmed."
            );
            (zh, en)
        }
        (Level::Confirmed, Some(Proof { row, other: Some(title) })) if title.seen == Seen::Title => (
            format!(
                "“{}”（{}）所在页面的标题是“{}”，页面的名称和其中的文字指向同一功能，据此确认。",
                quoted(row),
                row.why.texts().0,
                title.evidence.text
            ),
            format!(
                "The title of the screen with \"{}\" ({}) is \"{}\": what the screen is called and what stands on it \
                 point to the same function; therefore confirmed.",
                quoted(row),
                row.why.texts().1,
                title.evidence.text
            ),
        ),
        (Level::Confirmed, Some(Proof { row, other: Some(trace) })) => {
            let (what, what_en) = row.why.texts();
            let shown = if is_own_trace(row) { &row.evidence.text } else { quoted(row) };
            (
                format!(
                    "“{shown}”（{what}）与“{}”（{}）指向同一功能，属于两种独立证据，据此确认。",
                    trace.evidence.text,
                    trace.why.texts().0
                ),
                format!(
                    "\"{shown}\" ({what_en}) and \"{}\" ({}) point to the same function and are two independent \
                     kinds of evidence; therefore confirmed.",
                    trace.evidence.text,
                    trace.why.texts().1
                ),
            )
        }
        (Level::Suspected, _) => match best(&|row| row.level == Level::Suspected && !is_own_trace(row)) {
            Some(row) if row.why == Why::Said => (
                format!("发现文字“{}”，证据还不足以确认，需要人工查看原文。", quoted(row)),
                format!(
                    "The text \"{}\" was found; this is not enough to confirm it, a person has to read the original.",
                    quoted(row)
                ),
            ),
            Some(row) => (
                format!(
                    "发现文字“{}”（{}），证据还不足以确认，需要人工打开页面核查。",
                    quoted(row),
                    row.why.texts().0
                ),
                format!(
                    "The text \"{}\" was found ({}); this is not enough to confirm the function, a person has to open \
                     the screen and look.",
                    quoted(row),
                    row.why.texts().1
                ),
            ),
            None => {
                let trace = best(&|row| row.level == Level::Suspected);
                let (text, (zh, en)) =
                    trace.map_or(("", ("", "")), |row| (row.evidence.text.as_str(), row.why.texts()));
                (
                    format!("没有发现直接的文字，但“{text}”（{zh}）指向该功能，需要人工核查。"),
                    format!(
                        "No direct wording was found, but \"{text}\" ({en}) points to the function; a person has to look."
                    ),
                )
            }
        },
        _ => {
            let whys: BTreeSet<(&str, &str)> = rows.iter().map(|row| row.why.texts()).collect();
            let zh: Vec<&str> = whys.iter().map(|why| why.0).collect();
            let en: Vec<&str> = whys.iter().map(|why| why.1).collect();
            (
                format!("只是提及（{}），不作为具有该功能的依据。", zh.join("；")),
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
        row.level >= Level::Suspected
            || row.why.is_page()
            || matches!(row.why, Why::Negated | Why::Quoted | Why::ComplaintPage | Why::Prose)
    };
    // Two weak words on one screen, a title and a button to submit, are as good as a clear one.
    let weak = |row: &&Row| row.strength != Strength::Strong && row.evidence.kind == EvidenceKind::Text;
    let beside = |row: &Row| {
        let near = |other: &Row| {
            other.evidence.text != row.evidence.text
                && other.anchors.iter().any(|anchor| row.anchors.contains(anchor))
        };
        row.why == Why::WeakControl && rows.iter().filter(weak).any(near)
    };
    let seen: HashSet<&str> = rows
        .iter()
        .filter(counts)
        .filter(|row| row.strength == Strength::Strong || beside(row))
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
        (false, Verdict::Full) if !rule.absence_is_unknown => DutyStatus::Missing,
        (false, _) => DutyStatus::Unknown,
    };
    let (zh, en) = match status {
        DutyStatus::Met => ("看到相应的文字或页面。", "Wording or a page of the kind was seen."),
        DutyStatus::Missing if seen.is_empty() => (
            "可能含有界面文字的内容已全部检视，未见相应的文字或页面。",
            "Everything that may hold text of the interface was read, and nothing of the kind was seen.",
        ),
        DutyStatus::Missing => ("只看到其中一部分，不完整。", "Only a part of what is required was seen."),
        DutyStatus::Unknown if rule.absence_is_unknown => (
            "所见内容中没有，但这不说明实际没有，需要人工查看。",
            "It is not in what was seen, which does not show that it is missing; a person has to look.",
        ),
        DutyStatus::Unknown => (
            "部分内容未能检视，不能判断有无。",
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
