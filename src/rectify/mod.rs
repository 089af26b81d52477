//! Two reports of one target compared: what was rectified, what is still there, and what goes on under another label
//! (隐形变异). A pure function of the two reports; the reading of packages is the scan's.
//!
//! What is not found is removed only if it would have been seen: where less could be seen than before, or where it is
//! another target, it cannot be told. What is disguised is told by anchors (see `anchor`), each of which a person can
//! look up in both versions.

mod anchor;
mod same;

use std::collections::{BTreeSet, HashSet};

use crate::model::{
    Anchor, AnchorKind, DIFF_SCHEMA, DutyChange, Evidence, EvidenceKind, Feature, Finding, FindingRecord,
    Level, Outcome, Rectification, RemarkCode, Report, Side, Wording, anchor_key,
};

use same::Pair;

/// Rows of evidence listed of each sort; a person checks a handful.
const MAX_ROWS: usize = 20;

/// Compares an earlier report with a later one.
pub fn compare(old: &Report, new: &Report) -> Rectification {
    let pair = Pair::new(old, new);
    let mut features: Vec<Feature> =
        rules(old, new).into_iter().filter_map(|rule| feature(&pair, rule)).collect();
    features.sort_by_key(|feature| Outcome::ALL.iter().position(|outcome| *outcome == feature.outcome));
    Rectification {
        schema: DIFF_SCHEMA.to_owned(),
        old: side(old),
        new: side(new),
        remarks: pair.remarks.clone(),
        features,
        duties: duties(old, new),
    }
}

/// Of the rules given, what the earlier report found and the later one has under another label, as the ledger keeps
/// it: confirmed by two independent kinds of anchors, or suspected by one.
pub fn disguises(old: &Report, new: &Report, rules: &BTreeSet<String>) -> Vec<FindingRecord> {
    let features = compare(old, new).features.into_iter().filter(|feature| rules.contains(&feature.rule));
    let record = |feature: Feature| {
        let mut evidence: Vec<String> =
            feature.anchors.iter().map(|anchor| anchor_key(&feature.rule, anchor)).collect();
        evidence.sort();
        evidence.dedup();
        let level = feature.disguise?;
        Some(FindingRecord {
            rule: feature.rule,
            category: feature.category,
            level,
            evidence,
            disguised: true,
        })
    };
    features.filter_map(record).collect()
}

fn side(report: &Report) -> Side {
    Side {
        source: report.target.source.clone(),
        sha256: report.artifact.sha256.clone(),
        kind: report.target.kind,
        identity: report.identity.clone(),
        coverage: report.coverage.verdict,
        engine: report.engine.version.clone(),
        ruleset: report.engine.ruleset.digest.clone(),
    }
}

/// Rules that found something in either, in order.
fn rules<'a>(old: &'a Report, new: &'a Report) -> BTreeSet<&'a str> {
    old.findings.iter().chain(&new.findings).map(|finding| finding.rule.as_str()).collect()
}

fn found<'a>(report: &'a Report, rule: &str) -> Option<&'a Finding> {
    report.findings.iter().find(|finding| finding.rule == rule)
}

/// Rows that a finding rests on: those that suspect by themselves, or all where none does.
pub(crate) fn decisive(finding: &Finding) -> Vec<&Evidence> {
    let strong: Vec<&Evidence> =
        finding.evidence.iter().filter(|row| row.level >= Level::Suspected).collect();
    if strong.is_empty() { finding.evidence.iter().collect() } else { strong }
}

/// What makes two rows the same in both versions: kind, text, what was matched, screen and widget. Other than in
/// [`crate::model::evidence_key`] neither the title of the screen nor the package name of a renamed app counts.
type Key<'a> = (EvidenceKind, &'a str, &'a str, Option<String>, Option<&'a str>);

fn key<'a>(pair: &Pair<'_>, report: &Report, row: &'a Evidence) -> Key<'a> {
    let screen = row.screen_name().map(|screen| pair.own(report, screen));
    (row.kind, &row.text, &row.matched, screen, row.widget.as_deref())
}

/// Whether it is more than a mention; what a person has accepted is there all the same.
fn is_open(finding: &&Finding) -> bool {
    finding.level > Level::Mention
}

fn feature(pair: &Pair<'_>, rule: &str) -> Option<Feature> {
    let (old, new) = (found(pair.old, rule), found(pair.new, rule));
    let any = new.filter(is_open).or(old.filter(is_open))?;
    let before = old.filter(is_open).map(decisive).unwrap_or_default();
    let now = new.filter(is_open).map(decisive).unwrap_or_default();
    let known: HashSet<Key<'_>> = before.iter().map(|row| key(pair, pair.old, row)).collect();
    let present: HashSet<Key<'_>> = now.iter().map(|row| key(pair, pair.new, row)).collect();
    let is_kept = |row: &&Evidence| present.contains(&key(pair, pair.old, row));
    let (kept, gone): (Vec<&Evidence>, Vec<&Evidence>) = before.iter().copied().partition(is_kept);
    let is_known = |row: &&Evidence| known.contains(&key(pair, pair.new, row));
    let appeared: Vec<&Evidence> = now.iter().copied().filter(|row| !is_known(row)).collect();
    let anchors = match old.filter(is_open) {
        // Another target may well have a screen of the same name.
        Some(old) if !pair.says(RemarkCode::OtherTarget) => anchor::anchors(pair, old, new, &gone),
        _ => Vec::new(),
    };
    let disguise = certainty(&anchors);
    let (old_level, new_level) = (old.map(|finding| finding.level), new.map(|finding| finding.level));
    let outcome = match (old.filter(is_open), new.filter(is_open)) {
        (None, _) => Outcome::Added,
        (Some(old), Some(new)) if new.level == old.level => Outcome::Unchanged,
        (Some(old), Some(new)) if new.level > old.level => Outcome::Raised,
        _ if disguise.is_some() => Outcome::Disguised,
        (Some(_), Some(_)) => Outcome::Lowered,
        (Some(_), None) if pair.unseen(&gone).is_some() => Outcome::CannotTell,
        (Some(_), None) => Outcome::Removed,
    };
    let Wording { zh: explanation, en: explanation_en } = explain(pair, outcome, disguise, &gone, old);
    let listed = |rows: &[&Evidence]| rows.iter().take(MAX_ROWS).map(|row| (*row).clone()).collect();
    Some(Feature {
        rule: rule.to_owned(),
        category: any.category,
        title: any.title.clone(),
        title_en: any.title_en.clone(),
        outcome,
        before: old_level,
        now: new_level,
        disguise,
        accepted: new.is_some_and(|finding| finding.accepted.is_some()),
        anchors,
        explanation,
        explanation_en,
        gone: listed(&gone),
        kept: listed(&kept),
        appeared: listed(&appeared),
    })
}

/// Two kinds of anchors, at least one of which now shows another label, confirm a disguise; one kind is a suspicion.
/// A handler or a layout that shows nothing may be a remainder that nobody meets, and is none alone.
fn certainty(anchors: &[Anchor]) -> Option<Level> {
    let kinds: BTreeSet<AnchorKind> = anchors.iter().map(|anchor| anchor.kind).collect();
    let told = anchors.iter().any(|anchor| !anchor.now.is_empty());
    let alone = |kind: &AnchorKind| !matches!(kind, AnchorKind::Handler | AnchorKind::Layout);
    match kinds.len() {
        0 => None,
        1 if told || kinds.iter().any(alone) => Some(Level::Suspected),
        1 => None,
        _ if told => Some(Level::Confirmed),
        _ => Some(Level::Suspected),
    }
}

fn explain(
    pair: &Pair<'_>,
    outcome: Outcome,
    disguise: Option<Level>,
    gone: &[&Evidence],
    old: Option<&Finding>,
) -> Wording {
    let (mut zh, mut en): (String, String) = match outcome {
        Outcome::Disguised => (
            "原有的文字没有了，".into(),
            "The old wording is gone, ".into(),
        ),
        Outcome::Unchanged => ("仍然检出，级别不变。".into(), "Still found, at the same level.".into()),
        Outcome::Raised => ("仍然检出，级别上升。".into(), "Still found, at a higher level.".into()),
        Outcome::Lowered => (
            "仍然检出，级别下降，部分证据没有了。".into(),
            "Still found at a lower level; some of the evidence is gone.".into(),
        ),
        Outcome::Added if pair.says(RemarkCode::RulesDiffer) => (
            "原报告没有检出；两次检测的规则不同，也可能是规则所致，应以同一规则重新检测原版本。".into(),
            "Not found before. The rules differ, which may be why: scan the earlier version by the same rules.".into(),
        ),
        Outcome::Added if pair.was_blind() => (
            "原报告没有检出；原版本部分内容未能检视，也可能当时已有。".into(),
            "Not found before, when not all could be seen: it may have been there.".into(),
        ),
        Outcome::Added if old.is_some() => {
            ("原报告只是提及，现已检出。".into(), "Only mentioned before, found now.".into())
        }
        Outcome::Added => ("原报告没有检出。".into(), "Not found before.".into()),
        Outcome::CannotTell => {
            let why = pair.unseen(gone).unwrap_or_else(|| Wording::from(String::new()));
            (
                format!("没有检出，但{}，不能据此认定已整改。", why.zh),
                format!("Not found, but {}: this does not show that it was rectified.", why.en),
            )
        }
        Outcome::Removed => (
            "没有检出，原有证据所在之处也未见改头换面的痕迹。".into(),
            "Not found, and nothing of it goes on under another label.".into(),
        ),
    };
    let (more, more_en) = match disguise {
        Some(Level::Confirmed) => (
            "同一功能的两种以上标识物仍在，只是换了名称，据此认定为隐形变异。",
            "two or more kinds of its anchors are still there under another label; therefore it is a disguise.",
        ),
        Some(_) => (
            "同一功能的一种标识物仍在，疑似隐形变异，需要人工打开两个版本比对。",
            "one kind of its anchors is still there, so a disguise is suspected; a person has to compare both versions.",
        ),
        None => return Wording { zh, en },
    };
    let begins = outcome == Outcome::Disguised;
    zh.push_str(if begins { "" } else { "另有部分原有文字没有了，" });
    zh.push_str(more);
    en.push_str(if begins { "but " } else { " Besides, some of the old wording is gone, but " });
    en.push_str(more_en);
    Wording { zh, en }
}

fn duties(old: &Report, new: &Report) -> Vec<DutyChange> {
    let all: BTreeSet<&str> = old.duties.iter().chain(&new.duties).map(|duty| duty.rule.as_str()).collect();
    let change = |rule: &str| {
        let of = |report: &'_ Report| report.duties.iter().find(|duty| duty.rule == rule).cloned();
        let (before, now) = (of(old), of(new));
        let (was, is) = (before.as_ref().map(|duty| duty.status), now.as_ref().map(|duty| duty.status));
        let duty = now.or(before).filter(|_| was != is)?;
        Some(DutyChange { rule: duty.rule, title: duty.title, title_en: duty.title_en, before: was, now: is })
    };
    all.into_iter().filter_map(change).collect()
}
