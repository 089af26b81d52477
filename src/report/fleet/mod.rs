//! Many targets together: what a run of a roster, or a folder of reports, comes to.
//!
//! ```text
//! reports, roster ─▶ Fleet ─▶ chapters (of plots, tables, notes) ─▶ html, xlsx
//! ```
//!
//! Of a report only what the overview needs is kept, so that ten thousand of them fit into memory.

mod chapter;
mod html;
mod xlsx;

use std::collections::BTreeSet;
use std::io::{self, Write};

use jiff::Timestamp;

use super::prose;
use crate::model::{
    Category, ColorCode, DutyStatus, GapReason, Lang, Level, OfficeLevel, Rejected, Report, RosterEntry,
    TargetKind, Verdict, Wording,
};

pub(super) use xlsx::targets as overview;

/// How many findings there are of each level, by the number of the level.
pub type Levels = [u64; 3];

/// What was seen of a target.
#[derive(Debug, Clone, PartialEq)]
pub struct FleetSeen {
    /// Name, id, version as the target has them.
    pub(super) name: String,
    pub(super) id: Option<String>,
    pub(super) version: Option<String>,
    pub(super) format: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
    pub(super) filing: Option<String>,
    /// The gravest code of its reports, and why.
    pub(super) code: ColorCode,
    pub(super) state: Wording,
    pub(super) reasons: Wording,
    pub(super) levels: Levels,
    /// What was found, with its level and title.
    pub(super) features: Vec<(Category, Level, Wording)>,
    /// Titles of the duties that are missing.
    pub(super) missing: Vec<Wording>,
    pub(super) verdict: Verdict,
    pub(super) percent: u8,
    /// Places that could not be read and may hold text of the user interface, and why.
    pub(super) gaps: u64,
    pub(super) gap_reasons: BTreeSet<GapReason>,
}

/// Why there is no report of this run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetFailure {
    /// The kind of reason.
    pub cause: Wording,
    /// What happened.
    pub said: Wording,
}

/// A target.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FleetTarget {
    /// Line of the roster; `None` for a report that belongs to no row.
    pub line: Option<u64>,
    pub(super) kind: Option<TargetKind>,
    pub(super) name: Option<String>,
    pub(super) id: Option<String>,
    pub(super) owner: Option<String>,
    pub(super) level: Option<OfficeLevel>,
    pub(super) region: Option<String>,
    pub(super) address: String,
    /// Why there is no report of this run. What was seen is of an earlier one then.
    pub failure: Option<FleetFailure>,
    pub(super) seen: Option<FleetSeen>,
    /// What the run before found.
    pub before: Option<Levels>,
}

/// What a run came to, for the trend.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FleetRun {
    /// When it began.
    pub begun: Timestamp,
    /// It was not broken off.
    pub complete: bool,
    /// Targets with a confirmed finding.
    pub confirmed: u64,
    /// Targets with a suspicion and nothing confirmed.
    pub suspected: u64,
    /// Targets with neither.
    pub clean: u64,
    /// Targets without any report.
    pub without: u64,
}

/// Many targets together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Fleet {
    /// What they are: the roster, the folder.
    pub title: String,
    /// When the latest run began, or the newest report was written.
    pub as_of: Option<Timestamp>,
    /// Every target, in the order of the roster; reports that belong to no row come last.
    pub targets: Vec<FleetTarget>,
    /// Rows of the roster that repeat a target.
    pub repeated: u64,
    /// Runs, the earliest first; the last is the one the report is about.
    pub runs: Vec<FleetRun>,
}

/// A format of fleet reports.
#[derive(Debug, Clone, Copy)]
pub struct FleetFormat {
    /// Name, and ending of its files.
    pub name: &'static str,
    /// Writes a report.
    pub write: fn(&Fleet, Lang, &mut dyn Write) -> io::Result<()>,
}

/// Every format of fleet reports.
pub static FLEET_FORMATS: &[FleetFormat] =
    &[FleetFormat { name: "html", write: html::write }, FleetFormat { name: "xlsx", write: xlsx::write }];

impl FleetSeen {
    /// What the reports of one target come to; `None` where there is none.
    pub fn of(reports: &[Report]) -> Option<FleetSeen> {
        let gravest = reports.iter().max_by_key(|report| {
            let levels = levels(report);
            (gravity(report.code.suggested), levels[2], levels[1], std::cmp::Reverse(report.coverage.percent))
        })?;
        let words = |zh: &str, en: &str| Wording { zh: zh.to_owned(), en: en.to_owned() };
        let identity = &gravest.identity;
        let all = |lang: Lang, between: &str| {
            let reasons = gravest.code.reasons.iter();
            let reasons: Vec<&str> =
                reasons.map(|reason| lang.pick(reason.text.as_str(), reason.text_en.as_str())).collect();
            reasons.join(between)
        };
        let mut seen = FleetSeen {
            name: prose::name(gravest).to_owned(),
            id: identity.id.clone(),
            version: identity.version.clone(),
            format: gravest.artifact.format.clone(),
            bytes: reports.iter().map(|report| report.artifact.bytes).fold(0, u64::saturating_add),
            sha256: gravest.artifact.sha256.clone(),
            filing: identity.filing.clone(),
            code: gravest.code.suggested,
            state: words(&gravest.code.state, &gravest.code.state_en),
            reasons: Wording { zh: all(Lang::Zh, ""), en: all(Lang::En, " ") },
            levels: [0; 3],
            features: Vec::new(),
            missing: Vec::new(),
            verdict: Verdict::Full,
            percent: 100,
            gaps: 0,
            gap_reasons: BTreeSet::new(),
        };
        for report in reports {
            for (sum, count) in seen.levels.iter_mut().zip(levels(report)) {
                *sum += count;
            }
            for finding in report.findings.iter().filter(|finding| finding.is_open()) {
                let title = words(&finding.title, &finding.title_en);
                seen.features.push((finding.category, finding.level, title));
            }
            let missing = report.duties.iter().filter(|duty| duty.status == DutyStatus::Missing);
            for title in missing.map(|duty| words(&duty.title, &duty.title_en)) {
                if !seen.missing.contains(&title) {
                    seen.missing.push(title);
                }
            }
            let coverage = &report.coverage;
            seen.percent = seen.percent.min(coverage.percent);
            seen.verdict = match (seen.verdict, coverage.verdict) {
                (Verdict::Opaque, _) | (_, Verdict::Opaque) => Verdict::Opaque,
                (Verdict::Full, Verdict::Full) => Verdict::Full,
                _ => Verdict::Partial,
            };
            seen.gaps += prose::material_gaps(coverage);
            let reasons = coverage.gaps.iter().filter(|gap| gap.material).map(|gap| gap.reason);
            seen.gap_reasons.extend(reasons);
        }
        Some(seen)
    }
}

impl FleetTarget {
    /// A row of the roster.
    pub fn listed(line: u64, entry: &RosterEntry) -> FleetTarget {
        FleetTarget {
            line: Some(line),
            kind: Some(entry.kind),
            name: entry.name.clone(),
            id: entry.id.clone(),
            owner: entry.owner.clone(),
            level: entry.level,
            region: entry.region.clone(),
            address: entry.addresses.first().cloned().unwrap_or_default(),
            ..FleetTarget::default()
        }
    }

    /// A row of the roster that could not be read.
    pub fn illegible(row: &Rejected) -> FleetTarget {
        let cause = Wording::from(("名录中该行有误", "the row of the roster is wrong"));
        let said = Wording { zh: row.reason.clone(), en: row.reason_en.clone() };
        FleetTarget {
            line: Some(row.line),
            failure: Some(FleetFailure { cause, said }),
            ..FleetTarget::default()
        }
    }

    /// Something that was to be scanned and was not.
    pub fn unread(source: &str, failure: FleetFailure) -> FleetTarget {
        FleetTarget { address: source.to_owned(), failure: Some(failure), ..FleetTarget::default() }
    }

    /// Reports that belong to no row.
    pub fn unlisted(reports: &[Report]) -> FleetTarget {
        let mut target = FleetTarget::default();
        if let Some(first) = reports.first() {
            target.kind = Some(first.target.kind);
            target.owner = first.registered.as_ref().and_then(|registered| registered.owner.clone());
            target.address = prose::source(&first.target.source).to_owned();
        }
        target.see(reports);
        target
    }

    /// Takes in its reports.
    pub fn see(&mut self, reports: &[Report]) {
        self.seen = FleetSeen::of(reports);
    }

    /// Says why there is no report, in both languages.
    pub fn miss(&mut self, words: (&str, &str)) {
        self.failure = Some(FleetFailure { cause: words.into(), said: words.into() });
    }

    /// Takes over what was seen of the same target elsewhere; of several, the gravest stands.
    pub fn join(&mut self, other: FleetTarget) {
        self.failure = None;
        if other.badness() >= self.badness() {
            self.seen = other.seen;
        }
    }

    /// Whether anything was seen of it.
    pub fn is_seen(&self) -> bool {
        self.seen.is_some()
    }

    /// Its name, else its id, else its address; safe to show, and short.
    fn shown(&self) -> String {
        let seen = self.seen.as_ref();
        let names = [
            self.name.as_deref(),
            seen.map(|seen| seen.name.as_str()),
            self.id.as_deref(),
            Some(self.address.as_str()),
        ];
        let name = names.into_iter().flatten().find(|name| !name.trim().is_empty()).unwrap_or_default();
        prose::excerpt(name, "", 60).after
    }

    fn levels(&self) -> Levels {
        self.seen.as_ref().map_or([0; 3], |seen| seen.levels)
    }

    /// Where it stands among the worst, the greatest first.
    fn badness(&self) -> (u8, u64, u64, usize, u8) {
        self.seen.as_ref().map_or((0, 0, 0, 0, 0), |seen| {
            let [_, suspected, confirmed] = seen.levels;
            (gravity(seen.code), confirmed, suspected, seen.missing.len(), 100 - seen.percent.min(100))
        })
    }
}

/// The colours from the lightest.
fn gravity(code: ColorCode) -> u8 {
    match code {
        ColorCode::Green => 0,
        ColorCode::None => 1,
        ColorCode::Blue => 2,
        ColorCode::Red => 3,
    }
}

fn levels(report: &Report) -> Levels {
    [Level::Mention, Level::Suspected, Level::Confirmed]
        .map(|level| prose::of_level(report, level).count() as u64)
}
