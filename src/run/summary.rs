//! What a run has come to.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::log::{Findings, Outcome};
use super::plan::Planned;
use super::reason::{Cause, Reason};

/// Value of [`Summary::schema`].
pub const SCHEMA: &str = "zhijian.run/1";

/// How many targets have come to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Rows of the roster, repeated ones counted once; the sum of the others.
    pub planned: u64,
    /// With a new report.
    pub scanned: u64,
    /// As they were.
    pub unchanged: u64,
    /// Tried, and without a report.
    pub failed: u64,
    /// Not tried.
    pub skipped: u64,
    /// Not reached when the run was broken off.
    pub left: u64,
}

/// A target without a report of this run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missed {
    /// Line of the roster.
    pub line: u64,
    /// Its name.
    pub name: Option<String>,
    /// Its address as written.
    pub address: String,
    /// Failed or skipped.
    pub outcome: Outcome,
    /// Why.
    #[serde(flatten)]
    pub reason: Reason,
}

/// How often a reason occurred.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reasons {
    /// Failed or skipped.
    pub outcome: Outcome,
    /// Why.
    pub cause: Cause,
    /// How many targets.
    pub targets: u64,
}

/// The summary of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// The roster.
    pub roster: String,
    /// When the run began, in an earlier sitting if it was broken off.
    pub begun: Timestamp,
    /// When it ended or was broken off.
    pub ended: Timestamp,
    /// How long this sitting took, in seconds.
    pub seconds: f64,
    /// By what document `mp.weixin.qq.com` was asked.
    pub weixin: Option<String>,
    /// Every target has a report, or had one and is unchanged.
    pub complete: bool,
    /// Numbers of targets.
    pub counts: Counts,
    /// Findings of all targets that have a report.
    pub findings: Findings,
    /// Rows that repeat a target: their line, and the line where it stands first.
    pub repeated: Vec<(u64, u64)>,
    /// Why targets failed or were skipped.
    pub reasons: Vec<Reasons>,
    /// Those targets, in the order of the roster.
    pub missed: Vec<Missed>,
    /// Where the reports are.
    pub reports: String,
}

/// Counts while a run lasts.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) counts: Counts,
    findings: Findings,
    reasons: BTreeMap<(Outcome, Cause), u64>,
    missed: Vec<Missed>,
}

impl Tally {
    pub(super) fn of(planned: usize) -> Self {
        let planned = planned as u64;
        Tally { counts: Counts { planned, left: planned, ..Counts::default() }, ..Tally::default() }
    }

    pub(super) fn add(
        &mut self,
        target: &Planned,
        outcome: Outcome,
        reason: Option<&Reason>,
        findings: Option<Findings>,
    ) {
        let counts = &mut self.counts;
        counts.left = counts.left.saturating_sub(1);
        *match outcome {
            Outcome::Scanned => &mut counts.scanned,
            Outcome::Unchanged => &mut counts.unchanged,
            Outcome::Failed => &mut counts.failed,
            Outcome::Skipped => &mut counts.skipped,
        } += 1;
        if let Some(reason) = reason {
            *self.reasons.entry((outcome, reason.cause)).or_default() += 1;
            self.missed.push(Missed {
                line: target.line,
                name: target.name.clone(),
                address: target.address.clone(),
                outcome,
                reason: reason.clone(),
            });
        } else if let Some(found) = findings {
            self.findings.confirmed += found.confirmed;
            self.findings.suspected += found.suspected;
            self.findings.mention += found.mention;
        }
    }

    /// The summary; what a tally does not know is left empty.
    pub(super) fn summary(mut self) -> Summary {
        self.missed.sort_by_key(|missed| missed.line);
        let Counts { failed, skipped, left, .. } = self.counts;
        Summary {
            schema: SCHEMA.to_owned(),
            roster: String::new(),
            begun: Timestamp::UNIX_EPOCH,
            ended: Timestamp::UNIX_EPOCH,
            seconds: 0.0,
            weixin: None,
            complete: failed + skipped + left == 0,
            counts: self.counts,
            findings: self.findings,
            repeated: Vec::new(),
            reasons: self
                .reasons
                .into_iter()
                .map(|((outcome, cause), targets)| Reasons { outcome, cause, targets })
                .collect(),
            missed: self.missed,
            reports: String::new(),
        }
    }
}
