//! What is true of a target after its events: the fold.
//!
//! Events are taken in the order in which they happened, not in which they were recorded. A finding lives in episodes:
//! from the scan (or the person) that confirmed it to the scan that saw everything and did not find it. What a
//! person dismisses was never there; what an exception allows does not count as long as it holds.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use super::fact::{Fact, Facts};
use super::policy::{Policy, SameKind, coverage_facts};
use crate::model::{
    Category, Deed, DutyStatus, Event, FindingRecord, Level, RosterEntry, RosterStatus, ScanRecord,
    TargetKind, Verdict, beijing_day,
};

/// An event as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its number, from 1, without holes over the whole ledger.
    pub seq: u64,
    /// When it was recorded.
    pub recorded: Timestamp,
    /// Hash over it and everything before it, lower-case hex.
    pub hash: String,
    /// The event.
    pub event: Event,
}

/// The events that count, in the order in which they happened.
pub fn in_order(events: &[Recorded]) -> Vec<&Recorded> {
    let withdrawn = withdrawn(events);
    let counts =
        |r: &&Recorded| !withdrawn.contains(&r.seq) && !matches!(r.event.deed, Deed::Withdrawn { .. });
    let mut ordered: Vec<&Recorded> = events.iter().filter(counts).collect();
    ordered.sort_by_key(|recorded| (recorded.event.at, rank(&recorded.event.deed), recorded.seq));
    ordered
}

/// Numbers of the events that are withdrawn. A withdrawal can be withdrawn by a later one.
pub fn withdrawn(events: &[Recorded]) -> BTreeSet<u64> {
    let mut withdrawals: Vec<(u64, u64)> = events
        .iter()
        .filter_map(|recorded| match recorded.event.deed {
            Deed::Withdrawn { seq, .. } if seq < recorded.seq => Some((recorded.seq, seq)),
            _ => None,
        })
        .collect();
    withdrawals.sort_by(|a, b| b.cmp(a));
    let mut withdrawn = BTreeSet::new();
    for (own, of) in withdrawals {
        if !withdrawn.contains(&own) {
            withdrawn.insert(of);
        }
    }
    withdrawn
}

/// Of what happened at one moment, what is known comes before what is seen, and that before what is decided.
fn rank(deed: &Deed) -> u8 {
    match deed {
        Deed::Enrolled { .. } | Deed::Struck { .. } => 0,
        Deed::Filed { .. } | Deed::FilingRevoked { .. } => 1,
        Deed::ExceptionGranted { .. } => 2,
        Deed::Scanned(_) => 3,
        Deed::Confirmed { .. } | Deed::Dismissed { .. } => 4,
        Deed::NoticeIssued { .. } | Deed::RectificationReported { .. } => 5,
        Deed::RedDecided { .. } | Deed::RedDeclined { .. } => 6,
        Deed::Closed { .. } => 7,
        Deed::Withdrawn { .. } => 8,
    }
}

/// A finding from when it was confirmed to when it was gone.
#[derive(Debug, Clone)]
struct Episode {
    rule: String,
    /// The page it was found on; an account as a whole and a package have none.
    page: Option<String>,
    category: Category,
    /// Everything it was ever seen by.
    evidence: BTreeSet<String>,
    /// When, and by which event.
    begun: (Timestamp, u64),
    /// When it was gone, and by which event.
    ended: Option<(Timestamp, u64)>,
    /// It began under an exception.
    excepted: bool,
    /// Seen under another label, or after the last day of a notice.
    again: Option<(Timestamp, u64)>,
    notices: Vec<Notice>,
}

#[derive(Debug, Clone)]
struct Notice {
    issued: Timestamp,
    seq: u64,
    deadline: Date,
}

#[derive(Debug, Clone)]
struct Exception {
    from: Timestamp,
    until: Date,
}

/// What the latest scan that counts says of a rule.
#[derive(Debug, Clone)]
struct Seen {
    finding: FindingRecord,
    at: Timestamp,
    seq: u64,
}

#[derive(Debug, Clone)]
struct Scan {
    at: Timestamp,
    seq: u64,
    kind: TargetKind,
    coverage: Verdict,
    /// Duties that were not seen to be met.
    missing: Vec<String>,
    report: String,
}

/// A decision about red.
#[derive(Debug, Clone)]
struct Decision {
    at: Timestamp,
    seq: u64,
    red: bool,
}

/// What is true of a target after some of its events.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    entry: Option<Box<RosterEntry>>,
    struck: Option<u64>,
    closed: Option<u64>,
    filed: Option<(String, u64)>,
    not_filed: Option<u64>,
    scan: Option<Scan>,
    /// By rule and page.
    seen: BTreeMap<(String, Option<String>), Seen>,
    episodes: Vec<Episode>,
    /// Decisions of people about evidence: whether it stands.
    reviewed: BTreeMap<String, bool>,
    exceptions: BTreeMap<String, Vec<Exception>>,
    decision: Option<Decision>,
    /// What the owner has reported since the latest scan.
    reported: Option<u64>,
}

/// A finding that is open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OpenFinding {
    /// The rule.
    pub rule: String,
    /// Which prohibition.
    pub category: Category,
    /// Confirmed, or suspected and waiting for a person.
    pub level: Level,
    /// What it rests on, by key.
    pub evidence: Vec<String>,
    /// Since when.
    #[schemars(with = "String")]
    pub since: Timestamp,
    /// It was found again.
    pub again: bool,
    /// The last day of the latest notice.
    #[schemars(with = "Option<String>")]
    pub deadline: Option<Date>,
    /// Numbers of the events it rests on.
    pub events: Vec<u64>,
}

/// Facts at a moment, each with the numbers of the events that make it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    by: BTreeMap<Fact, Vec<u64>>,
}

impl Found {
    /// The facts.
    pub fn facts(&self) -> Facts {
        self.by.keys().copied().collect()
    }

    /// The events that make a fact.
    pub fn events(&self, fact: Fact) -> &[u64] {
        self.by.get(&fact).map_or(&[], Vec::as_slice)
    }

    fn add(&mut self, fact: Fact, events: impl IntoIterator<Item = u64>) {
        self.by.entry(fact).or_default().extend(events);
    }
}

impl Standing {
    /// Takes an event in. Events come in the order of [`in_order`].
    pub fn apply(&mut self, recorded: &Recorded) {
        let (at, seq) = (recorded.event.at, recorded.seq);
        match &recorded.event.deed {
            Deed::Enrolled { entry } => {
                self.struck = None;
                match entry.status {
                    Some(RosterStatus::Closed) => self.closed = Some(seq),
                    Some(RosterStatus::InUse) => self.closed = None,
                    _ => {}
                }
                self.entry = Some(entry.clone());
            }
            Deed::Struck { .. } => self.struck = Some(seq),
            Deed::Scanned(scan) => self.scanned(scan, at, seq),
            Deed::Filed { number } => {
                self.filed = Some((number.clone(), seq));
                self.not_filed = None;
            }
            Deed::FilingRevoked { .. } => {
                self.filed = None;
                self.not_filed = Some(seq);
            }
            Deed::NoticeIssued { rules, deadline, .. } => {
                let notice = Notice { issued: at, seq, deadline: *deadline };
                let meant = |episode: &&mut Episode| episode.ended.is_none() && rules.contains(&episode.rule);
                self.episodes
                    .iter_mut()
                    .filter(meant)
                    .for_each(|episode| episode.notices.push(notice.clone()));
            }
            Deed::Confirmed { evidence, rule, .. } => {
                self.review(evidence, true);
                let meant = self.seen.iter().filter(|((of, _), _)| of == rule);
                let meant: Vec<_> =
                    meant.map(|((_, page), seen)| (page.clone(), seen.finding.clone())).collect();
                for (page, finding) in meant {
                    if self.running(rule, page.as_ref(), (at, seq)).is_none() {
                        self.open(&finding, page, (at, seq));
                    }
                }
            }
            Deed::Dismissed { evidence, .. } => self.review(evidence, false),
            Deed::ExceptionGranted { rule, until, .. } => {
                self.exceptions.entry(rule.clone()).or_default().push(Exception { from: at, until: *until });
            }
            Deed::RedDecided { .. } => self.decision = Some(Decision { at, seq, red: true }),
            Deed::RedDeclined { .. } => self.decision = Some(Decision { at, seq, red: false }),
            Deed::Closed { .. } => self.closed = Some(seq),
            Deed::RectificationReported { .. } => self.reported = Some(seq),
            Deed::Withdrawn { .. } => {}
        }
    }

    fn review(&mut self, evidence: &[String], stands: bool) {
        self.reviewed.extend(evidence.iter().map(|key| (key.clone(), stands)));
    }

    fn scanned(&mut self, scan: &ScanRecord, at: Timestamp, seq: u64) {
        let is_page = scan.kind == TargetKind::AccountPage;
        let page = if is_page { Some(scan.page.clone().unwrap_or_default()) } else { None };
        if !is_page || self.scan.as_ref().is_none_or(|known| known.kind == TargetKind::AccountPage) {
            let missing = scan.duties.iter().filter(|duty| duty.status == DutyStatus::Missing);
            self.scan = Some(Scan {
                at,
                seq,
                kind: scan.kind,
                coverage: scan.coverage,
                missing: missing.map(|duty| duty.rule.clone()).collect(),
                report: scan.report.clone(),
            });
        }
        self.reported = None;
        let found = |rule: &String| scan.findings.iter().find(|finding| finding.rule == *rule);
        // Where not everything was seen, what was found before is not gone.
        let whole = scan.coverage == Verdict::Full;
        if whole {
            self.seen.retain(|(rule, on), _| *on != page || found(rule).is_some());
        }
        for finding in &scan.findings {
            let seen = Seen { finding: finding.clone(), at, seq };
            self.seen.insert((finding.rule.clone(), page.clone()), seen);
            if self.is_dismissed(finding.evidence.iter()) {
                continue;
            }
            match self.running(&finding.rule, page.as_ref(), (at, seq)) {
                Some(index) => self.go_on(index, finding, (at, seq)),
                None if self.is_confirmed(finding) => self.open(finding, page.clone(), (at, seq)),
                None => {}
            }
        }
        for index in 0..self.episodes.len() {
            let episode = &self.episodes[index];
            if episode.ended.is_some() || episode.page != page {
                continue;
            }
            let gone = match found(&episode.rule) {
                None => whole,
                Some(finding) => self.is_dismissed(finding.evidence.iter()),
            };
            if gone {
                self.episodes[index].ended = Some((at, seq));
            }
        }
    }

    /// The episode of a rule that is open. One that was dismissed as a whole was never there: it makes way.
    fn running(&mut self, rule: &str, page: Option<&String>, by: (Timestamp, u64)) -> Option<usize> {
        let same = |e: &Episode| e.ended.is_none() && e.rule == rule && e.page.as_ref() == page;
        let index = self.episodes.iter().position(same)?;
        if self.is_dismissed(self.episodes[index].evidence.iter()) {
            self.episodes[index].ended = Some(by);
            return None;
        }
        Some(index)
    }

    fn go_on(&mut self, index: usize, finding: &FindingRecord, by: (Timestamp, u64)) {
        let excepted = self.is_excepted(&finding.rule, by.0);
        let disguised = finding.disguised && self.is_confirmed(finding);
        let episode = &mut self.episodes[index];
        episode.evidence.extend(finding.evidence.iter().cloned());
        episode.excepted &= excepted;
        let day = beijing_day(by.0);
        let late = episode.notices.iter().any(|notice| notice.deadline < day);
        if (late || disguised) && episode.again.is_none() {
            episode.again = Some(by);
        }
    }

    fn open(&mut self, finding: &FindingRecord, page: Option<String>, begun: (Timestamp, u64)) {
        self.episodes.push(Episode {
            rule: finding.rule.clone(),
            page,
            category: finding.category,
            evidence: finding.evidence.iter().cloned().collect(),
            begun,
            ended: None,
            excepted: self.is_excepted(&finding.rule, begun.0),
            again: finding.disguised.then_some(begun),
            notices: Vec::new(),
        });
    }

    /// By the machine, or by a person who looked at some of the evidence.
    fn is_confirmed(&self, finding: &FindingRecord) -> bool {
        let by_person = |key: &String| self.reviewed.get(key).is_some_and(|stands| *stands);
        finding.level == Level::Confirmed || finding.evidence.iter().any(by_person)
    }

    fn is_dismissed<'k>(&self, evidence: impl Iterator<Item = &'k String>) -> bool {
        let mut evidence = evidence.peekable();
        let dismissed = |key: &String| self.reviewed.get(key).is_some_and(|stands| !stands);
        evidence.peek().is_some() && evidence.all(dismissed)
    }

    fn is_excepted(&self, rule: &str, at: Timestamp) -> bool {
        let day = beijing_day(at);
        let list = self.exceptions.get(rule);
        list.is_some_and(|list| list.iter().any(|e| e.from <= at && day <= e.until))
    }

    /// The episodes that are open and count; none of what is off the roster or closed.
    fn counting(&self, at: Timestamp) -> impl Iterator<Item = &Episode> {
        self.episodes.iter().filter(move |episode| {
            self.is_active()
                && episode.ended.is_none()
                && !self.is_dismissed(episode.evidence.iter())
                && !self.is_excepted(&episode.rule, at)
                && self.now(episode).is_none_or(|seen| !self.is_dismissed(seen.finding.evidence.iter()))
        })
    }

    /// How an open episode was last seen.
    fn now(&self, episode: &Episode) -> Option<&Seen> {
        self.seen.get(&(episode.rule.clone(), episode.page.clone()))
    }

    /// When an open episode was found again, and the event that shows it.
    fn again(&self, episode: &Episode, same: SameKind) -> Option<(Timestamp, u64, Option<u64>)> {
        let alike = |other: &&Episode| match same {
            SameKind::Rule => other.rule == episode.rule,
            SameKind::Category => other.category == episode.category,
            SameKind::Any => true,
        };
        let before = self
            .episodes
            .iter()
            .filter(alike)
            .filter(|other| !other.excepted && !self.is_dismissed(other.evidence.iter()))
            .filter_map(|other| other.ended)
            .filter(|(ended, _)| *ended <= episode.begun.0)
            .max();
        match before {
            Some((_, ended_by)) => Some((episode.begun.0, episode.begun.1, Some(ended_by))),
            None => episode.again.map(|(at, seq)| (at, seq, None)),
        }
    }

    /// The facts at a moment after the last event.
    pub fn facts(&self, policy: &Policy, at: Timestamp) -> Found {
        let mut found = Found::default();
        if let Some(seq) = self.closed {
            found.add(Fact::Closed, [seq]);
        }
        if let Some(seq) = self.struck {
            found.add(Fact::Struck, [seq]);
        }
        match (&self.filed, self.not_filed) {
            (Some((_, seq)), _) => found.add(Fact::Filed, [*seq]),
            (None, seq) => found.add(Fact::NotFiled, seq),
        }
        let today = beijing_day(at);
        match &self.scan {
            None => found.add(Fact::NeverScanned, []),
            Some(scan) => {
                for fact in coverage_facts(scan.coverage, scan.kind).iter() {
                    found.add(fact, [scan.seq]);
                }
                if self.missing(at).next().is_some() {
                    found.add(Fact::DutyMissing, [scan.seq]);
                }
                if is_outdated(scan.at, policy, today) {
                    found.add(Fact::ScanOutdated, [scan.seq]);
                }
            }
        }
        let mut decided = Vec::new();
        for episode in self.counting(at) {
            found.add(Fact::ConfirmedFinding, [episode.begun.1]);
            let passed = |notice: &&Notice| notice.deadline < today;
            if let Some(notice) = episode.notices.iter().rfind(passed) {
                found.add(Fact::DeadlinePassed, [notice.seq]);
            }
            let Some((again, seq, ended)) = self.again(episode, policy.same_kind) else { continue };
            found.add(Fact::FoundAgain, ended.into_iter().chain([seq]));
            let declined = self.decision.as_ref().filter(|d| !d.red).map(|d| d.at);
            let after = |notice: &&Notice| {
                notice.issued >= again && declined.is_none_or(|declined| notice.issued > declined)
            };
            if let Some(notice) = episode.notices.iter().filter(after).rfind(passed) {
                found.add(Fact::RepeatDeadlinePassed, [notice.seq]);
            }
            // A decision is about what was open when it was taken.
            if let Some(decision) = self.decision.as_ref().filter(|d| d.red && episode.begun.0 <= d.at) {
                decided.push(decision.seq);
            }
        }
        if let Some(seq) = decided.first() {
            found.add(Fact::RedDecided, [*seq]);
        }
        for (_, seen) in self.suspected(at) {
            found.add(Fact::SuspectedFinding, [seen.seq]);
        }
        found
    }

    /// Duties that the latest scan found missing and nobody has said otherwise of.
    pub fn missing(&self, at: Timestamp) -> impl Iterator<Item = &str> {
        let rules = self.scan.iter().flat_map(|scan| &scan.missing);
        let counts =
            move |rule: &&String| !self.is_dismissed(std::iter::once(*rule)) && !self.is_excepted(rule, at);
        rules.filter(|_| self.is_active()).filter(counts).map(String::as_str)
    }

    /// What the latest scan suspects and nobody has looked at.
    fn suspected(&self, at: Timestamp) -> impl Iterator<Item = (&String, &Seen)> {
        let seen = self.seen.iter().filter(move |((rule, page), seen)| {
            let open = self.episodes.iter().any(|e| {
                e.ended.is_none()
                    && e.rule == *rule
                    && e.page == *page
                    && !self.is_dismissed(e.evidence.iter())
            });
            self.is_active()
                && !open
                && !self.is_dismissed(seen.finding.evidence.iter())
                && !self.is_excepted(rule, at)
        });
        seen.map(|((rule, _), seen)| (rule, seen))
    }

    /// The findings that are open, confirmed ones first, each in the order of its rule. Nothing is open at what is off
    /// the roster or closed; what was comes back with it.
    pub fn open_findings(&self, policy: &Policy, at: Timestamp) -> Vec<OpenFinding> {
        let confirmed = self.counting(at).map(|episode| {
            let again = self.again(episode, policy.same_kind);
            let seen = self.now(episode);
            let evidence = seen.map_or_else(Vec::new, |seen| seen.finding.evidence.clone());
            let notice = episode.notices.last();
            let mut events = vec![episode.begun.1];
            events.extend(seen.map(|seen| seen.seq));
            events.extend(notice.map(|notice| notice.seq));
            events.sort_unstable();
            events.dedup();
            OpenFinding {
                rule: episode.rule.clone(),
                category: episode.category,
                level: Level::Confirmed,
                evidence,
                since: episode.begun.0,
                again: again.is_some(),
                deadline: notice.map(|notice| notice.deadline),
                events,
            }
        });
        let suspected = self.suspected(at).map(|(rule, seen)| OpenFinding {
            rule: rule.clone(),
            category: seen.finding.category,
            level: Level::Suspected,
            evidence: seen.finding.evidence.clone(),
            since: seen.at,
            again: false,
            deadline: None,
            events: vec![seen.seq],
        });
        let mut open: Vec<OpenFinding> = confirmed.collect();
        open.sort_by(|a, b| a.rule.cmp(&b.rule));
        open.extend(suspected);
        open
    }

    /// Moments after the last event at which facts change by time alone, in order.
    pub fn turns(&self, policy: &Policy) -> BTreeSet<Timestamp> {
        let mut days: BTreeSet<Date> = BTreeSet::new();
        let notices = self.episodes.iter().filter(|e| e.ended.is_none()).flat_map(|e| &e.notices);
        days.extend(notices.map(|notice| notice.deadline));
        days.extend(self.exceptions.values().flatten().map(|exception| exception.until));
        if let Some(scan) = &self.scan {
            let last = beijing_day(scan.at).checked_add(jiff::Span::new().days(policy.scan_valid_days));
            days.extend(last.ok());
        }
        days.into_iter().filter_map(|day| crate::model::beijing_midnight(day.tomorrow().ok()?)).collect()
    }

    /// What the roster says of the target.
    pub fn entry(&self) -> Option<&RosterEntry> {
        self.entry.as_deref()
    }

    /// The filing number.
    pub fn filing(&self) -> Option<&str> {
        self.filed.as_ref().map(|(number, _)| number.as_str())
    }

    /// Digest of the report of the latest scan that counts.
    pub fn report(&self) -> Option<&str> {
        self.scan.as_ref().map(|scan| scan.report.as_str())
    }

    /// When the latest scan that counts was made.
    pub fn scanned_at(&self) -> Option<Timestamp> {
        self.scan.as_ref().map(|scan| scan.at)
    }

    /// The event by which the owner has reported rectification since the latest scan.
    pub fn reported(&self) -> Option<u64> {
        self.reported
    }

    /// Number of the latest scan that counts.
    pub fn scan_event(&self) -> Option<u64> {
        self.scan.as_ref().map(|scan| scan.seq)
    }

    /// Whether the roster holds it no longer.
    pub fn is_struck(&self) -> bool {
        self.struck.is_some()
    }

    /// Whether it is on the roster and not closed.
    pub fn is_active(&self) -> bool {
        self.struck.is_none() && self.closed.is_none()
    }
}

/// Whether a scan no longer counts on a day.
fn is_outdated(scanned: Timestamp, policy: &Policy, today: Date) -> bool {
    let last = beijing_day(scanned).checked_add(jiff::Span::new().days(policy.scan_valid_days));
    last.is_ok_and(|last| last < today)
}
