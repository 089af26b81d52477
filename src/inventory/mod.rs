//! An inventory as a whole: what an office's roster holds, with what scans saw, against the rules of
//! `rules/inventory`, and a proposal which apps could be merged into which.
//!
//! Each file but `roll`, `label`, `alike`, `check` and `join` is what one kind of rule counts or compares. Nothing here
//! knows a threshold or a word: those are in the rules and in `rules/inventory.yaml`.

mod alike;
mod check;
mod consolidate;
mod duplicate;
mod filing;
mod join;
mod label;
mod missing;
mod overlap;
mod quota;
mod roll;

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use crate::model::{Basis, Exception, Level, RosterEntry, Surface, TargetKind, Wording};
use crate::rule::{InventoryCheck, InventoryRule, RuleSet};
use label::Table;
use roll::Roll;

pub use check::check;
pub use consolidate::{Merged, Proposal};
pub use join::{Joined, Seen, join};

/// Value of [`Inventory::schema`].
pub const SCHEMA: &str = "zhijian.inventory/1";

/// A target of an office, with what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// What the roster says.
    pub entry: RosterEntry,
    /// What the latest scan saw; `None` where it was not scanned.
    pub surface: Option<Surface>,
    /// First day it is known to have been online.
    pub online_since: Option<Date>,
}

impl From<RosterEntry> for Holding {
    fn from(entry: RosterEntry) -> Self {
        Holding { entry, surface: None, online_since: None }
    }
}

/// What the rules say of an inventory.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inventory {
    /// Always [`SCHEMA`].
    pub schema: &'static str,
    /// The day it is judged on.
    pub as_of: Date,
    /// SHA-256 over the rule files, lower-case hex.
    pub ruleset: String,
    /// Targets, with those that are closed.
    pub targets: usize,
    /// Targets of which a scan saw functions or fields.
    pub scanned: usize,
    /// Gravest first, then in the order of the rules, then by what they are about.
    pub findings: Vec<InventoryFinding>,
    /// By region and audience.
    pub proposals: Vec<Proposal>,
    /// What could not be judged, and what was left out: where nothing is found here, that shows nothing.
    pub unjudged: Vec<Unjudged>,
}

/// A breach of a rule about an inventory.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InventoryFinding {
    /// Id of the rule.
    pub rule: String,
    /// How sure it is.
    pub level: Level,
    /// Title in the rule's own words.
    pub title: String,
    /// `title` in English.
    pub title_en: String,
    /// The unit it is about, where it is about one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The region it is about, where the roster says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// What was found, with the numbers.
    pub explanation: String,
    /// `explanation` in English.
    pub explanation_en: String,
    /// Quotas: how many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub found: Option<usize>,
    /// Quotas: how many are allowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<usize>,
    /// The targets it is about, by key; of overlaps the widest first.
    pub targets: Vec<Subject>,
    /// Overlaps: the shared functions or fields, the rarest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shared: Vec<String>,
    /// Legal basis for the kinds of these targets.
    pub basis: Vec<Basis>,
    /// When it would be allowed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub exceptions: Vec<Exception>,
    /// What the owner has to do.
    pub remediation: String,
    /// `remediation` in English.
    pub remediation_en: String,
}

/// A target that a finding or a proposal is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// Its key in the ledger, see [`RosterEntry::key`].
    pub key: String,
    /// Its name, or what identifies it.
    pub name: String,
    /// What it is.
    pub kind: TargetKind,
    /// What is to be said of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// `detail` in English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail_en: Option<String>,
}

/// What could not be judged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Unjudged {
    /// The rules it would have counted for.
    pub rules: Vec<String>,
    /// How many.
    pub count: usize,
    /// What, and why.
    pub reason: String,
    /// `reason` in English.
    pub reason_en: String,
}

/// A finding without what its rule says of it.
struct Draft {
    level: Level,
    /// Index in [`Roll::units`].
    unit: Option<usize>,
    region: Option<String>,
    explanation: Wording,
    /// Found and allowed.
    counted: Option<(usize, usize)>,
    /// Index in [`Roll::held`], with what is to be said of it.
    targets: Vec<(usize, Option<Wording>)>,
    shared: Vec<String>,
}

/// What could not be judged, by reason.
#[derive(Default)]
struct Ledge(BTreeMap<(String, String), (usize, Vec<String>)>);

impl Ledge {
    /// Notes how many; of several rules that say the same each stands beside the others.
    fn note(&mut self, rule: &str, count: usize, reason: impl Into<Wording>) {
        if count == 0 {
            return;
        }
        let reason = reason.into();
        let (most, rules) = self.0.entry((reason.zh, reason.en)).or_default();
        *most = (*most).max(count);
        if !rules.iter().any(|known| known == rule) {
            rules.push(rule.to_owned());
        }
    }
}

/// Judges an inventory on a day. The order of the holdings does not matter.
pub fn judge(rules: &RuleSet, holdings: &[Holding], as_of: Date) -> Inventory {
    let mut ledge = Ledge::default();
    let roll = Roll::new(holdings, rules.vocabulary());
    ledge.note(
        "",
        roll.nameless,
        ("没有标识、名称和地址，无从指认", "without id, name and address: nothing identifies them"),
    );
    let functions = Table::functions(&roll, &rules.vocabulary().functions, &mut ledge);
    let fields = Table::fields(&roll, &rules.vocabulary().fields, &mut ledge);
    let mut findings = Vec::new();
    for rule in rules.inventory() {
        let drafts = match &rule.check {
            InventoryCheck::Quota(quota) => quota::judge(rule, quota, &roll, &mut ledge),
            InventoryCheck::Missing(missing) => missing::judge(rule, missing, &roll),
            InventoryCheck::FilingDeadline(deadline) => filing::deadline(rule, deadline, &roll, as_of),
            InventoryCheck::FilingNumber(number) => filing::number(rule, number, &roll),
            InventoryCheck::Duplicate(duplicate) => duplicate::judge(rule, duplicate, &roll),
            InventoryCheck::Overlap(overlap) => {
                overlap::functions(rule, overlap, &roll, &functions, &mut ledge)
            }
            InventoryCheck::RepeatedFields(overlap) => {
                overlap::fields(rule, overlap, &roll, &fields, &mut ledge)
            }
        };
        findings.extend(drafts.into_iter().map(|draft| finding(rules, rule, &roll, draft)));
    }
    // Stable: within a level the order of the rules, within a rule that of the drafts.
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    let proposals = consolidate::propose(rules.vocabulary(), &roll, &functions, &fields, &mut ledge);
    let unjudged = ledge.0.into_iter().map(|((reason, reason_en), (count, rules))| {
        let rules = rules.into_iter().filter(|rule| !rule.is_empty()).collect();
        Unjudged { rules, count, reason, reason_en }
    });
    let mut unjudged: Vec<Unjudged> = unjudged.collect();
    unjudged.sort();
    Inventory {
        schema: SCHEMA,
        as_of,
        ruleset: rules.digest().to_owned(),
        targets: holdings.len(),
        scanned: holdings.iter().filter(|holding| holding.surface.is_some()).count(),
        findings,
        proposals,
        unjudged,
    }
}

fn finding(rules: &RuleSet, rule: &InventoryRule, roll: &Roll<'_>, draft: Draft) -> InventoryFinding {
    let mut kinds: Vec<TargetKind> = draft.targets.iter().map(|(at, _)| roll.held[*at].kind).collect();
    kinds.sort_unstable_by_key(|kind| *kind as u8);
    kinds.dedup();
    let unit = draft.unit.map(|unit| &roll.units[unit]);
    let subject = |(at, detail): (usize, Option<Wording>)| {
        let (detail, detail_en) = detail.map(|detail| (detail.zh, detail.en)).unzip();
        Subject { detail, detail_en, ..roll.held[at].subject() }
    };
    let (found, allowed) = draft.counted.unzip();
    InventoryFinding {
        rule: rule.id.clone(),
        level: draft.level,
        title: rule.title.clone(),
        title_en: rule.title_en.clone(),
        owner: unit.map(|unit| unit.name.clone()),
        region: draft.region.or_else(|| unit.and_then(|unit| unit.region.clone())),
        explanation: draft.explanation.zh,
        explanation_en: draft.explanation.en,
        found,
        allowed,
        targets: draft.targets.into_iter().map(subject).collect(),
        shared: draft.shared,
        basis: rules.clauses(&rule.basis, &kinds),
        exceptions: rule.exceptions.clone(),
        remediation: rule.remediation.clone(),
        remediation_en: rule.remediation_en.clone(),
    }
}

/// One level less: what is not sure of all it rests on.
fn weaker(level: Level) -> Level {
    match level {
        Level::Confirmed => Level::Suspected,
        Level::Suspected | Level::Mention => Level::Mention,
    }
}

/// `1 app`, `3 apps`.
fn counted(count: usize, singular: &str) -> String {
    match count {
        1 => format!("1 {singular}"),
        _ => format!("{count} {singular}s"),
    }
}
