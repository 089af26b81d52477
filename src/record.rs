//! Reports into the ledger: whose they are, what they disguise, whether they are news; and the notices of it.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::config::{self, Config, Webhook};
use crate::ledger::{
    History, Ledger, LedgerError, Policy, Recorded, Teller, code_document, found_before, scan_record,
    target_keys,
};
use crate::model::{CodeDocument, Deed, Event, Lang, Report, hex};
use crate::outbox::Delivery;
use crate::rectify;
use crate::report::{self, ReadError};
use crate::roster::{Roster, Row};
use crate::run::{Folder, Stamp};

/// No larger file is taken for a report, in bytes.
const LARGEST_REPORT: u64 = 256 << 20;
/// Reports that go into the ledger together.
const BATCH: usize = 100;
/// What a run finds unchanged is told again after so long.
const TOLD_AGAIN: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Why a report is not in the ledger.
#[derive(Debug, Error)]
pub enum RecordError {
    /// The ledger said no.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The file could not be read.
    #[error(transparent)]
    File(#[from] io::Error),
    /// The file is larger than any report, in bytes.
    #[error("{0} > {LARGEST_REPORT}")]
    TooLarge(u64),
    /// The file is no report.
    #[error("{}", .0.words(Lang::En))]
    Report(ReadError),
    /// The file is no list of reports.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The report does not say whose it is.
    #[error("the report does not say whose it is")]
    Nobody,
}

impl From<ReadError> for RecordError {
    fn from(error: ReadError) -> Self {
        RecordError::Report(error)
    }
}

impl RecordError {
    /// What is the matter, in a language.
    pub fn words(&self, lang: Lang) -> String {
        match self {
            RecordError::Ledger(error) => error.words(lang),
            RecordError::Report(error) => error.words(lang),
            RecordError::Nobody => lang
                .pick(
                    "报告没有说明对象是谁，请用 --target 指定",
                    "the report does not say whose it is; name it by --target",
                )
                .to_owned(),
            other => other.to_string(),
        }
    }
}

/// A report that went into the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    /// Number of its event.
    pub seq: u64,
    /// Whose it is.
    pub target: String,
    /// Digest of the report.
    pub report: String,
    /// Digest of what was scanned.
    pub artifact: String,
    /// Whether the ledger knew the target before.
    pub known: bool,
}

/// Writes events, with the notices that the configuration wants of them.
#[derive(Debug, Clone)]
pub struct Recorder {
    ledger: Ledger,
    policy: Policy,
    webhook: Option<Webhook>,
    report_address: Option<String>,
}

impl Recorder {
    /// For a ledger, with the policy of the code.
    pub fn new(ledger: Ledger, policy: Policy, config: &Config) -> Self {
        let (webhook, report_address) = (config.webhook.clone(), config.ledger.report_address.clone());
        Recorder { ledger, policy, webhook, report_address }
    }

    /// The ledger.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Whom changes are told to.
    pub fn webhook(&self) -> Option<&Webhook> {
        self.webhook.as_ref()
    }

    /// The code of a target at a moment, with the address of its report.
    pub fn document(
        &self,
        target: &str,
        events: &[Recorded],
        history: &History,
        at: Timestamp,
    ) -> Option<CodeDocument> {
        Some(config::addressed(code_document(target, events, history, at)?, self.report_address.as_deref()))
    }

    /// Adds events with the documents they name; returns the number of the first event.
    pub async fn append(&self, documents: &[(&str, &[u8])], events: &[Event]) -> Result<u64, LedgerError> {
        let Some(webhook) = &self.webhook else { return self.ledger.append_with(documents, events).await };
        let now = Timestamp::now();
        let addressed = |code| config::addressed(code, self.report_address.as_deref());
        let teller = Teller { policy: &self.policy, wanted: &webhook.events, addressed: &addressed, now };
        let tell = |target: &str, all: &[Recorded], before: usize| {
            let notices = teller.notices(target, all, before);
            notices.iter().map(|notice| Delivery::new(webhook.url.as_str(), notice, now)).collect()
        };
        self.ledger.append_telling(documents, events, Some(&tell)).await
    }
}

/// Reports that go into the ledger together: a transaction for each would cost a write to disk for each.
pub struct Batch<'a> {
    recorder: &'a Recorder,
    actor: String,
    /// Only what the ledger does not know yet.
    news_only: bool,
    documents: Vec<(String, Vec<u8>)>,
    events: Vec<Event>,
    known: Vec<bool>,
    noted: Vec<Noted>,
}

/// Whether the ledger does not know a report, or was told of it long ago: a code rests on scans that are not too old.
fn is_news(events: &[Recorded], digest: &str, at: Timestamp) -> bool {
    let scans = events.iter().filter_map(|recorded| match &recorded.event.deed {
        Deed::Scanned(scan) => Some((recorded.event.at, scan)),
        _ => None,
    });
    let latest = scans.max_by_key(|(at, _)| *at);
    latest.is_none_or(|(told, scan)| scan.report != digest || at.duration_since(told) > TOLD_AGAIN)
}

impl<'a> Batch<'a> {
    /// An empty batch of somebody; whether it takes only what the ledger does not know yet.
    pub fn new(recorder: &'a Recorder, actor: String, news_only: bool) -> Self {
        let (documents, events, known, noted) = Default::default();
        Batch { recorder, actor, news_only, documents, events, known, noted }
    }

    /// Adds a report with its JSON, scanned at a moment; its target, where it is not the one the report names.
    pub async fn add(
        &mut self,
        report: &Report,
        text: Vec<u8>,
        target: Option<&str>,
        at: Timestamp,
    ) -> Result<(), RecordError> {
        let ledger = &self.recorder.ledger;
        let keys = match target {
            Some(target) => vec![target.to_owned()],
            None => target_keys(report),
        };
        // What is compared with, and what is not to be told twice, has to be in the ledger.
        if self.events.len() >= BATCH || self.events.iter().any(|event| keys.contains(&event.target)) {
            self.flush().await?;
        }
        let mut found = None;
        for key in &keys {
            let events = ledger.events_of(key).await?;
            if !events.is_empty() {
                found = Some((key.clone(), events));
                break;
            }
        }
        let known = found.is_some();
        let Some((key, events)) = found.or_else(|| Some((keys.first()?.clone(), Vec::new()))) else {
            return Err(RecordError::Nobody);
        };
        let digest = hex(&Sha256::digest(&text));
        if self.news_only && !is_news(&events, &digest, at) {
            return Ok(());
        }
        let mut disguises = Vec::new();
        for (before, rules) in found_before(&events) {
            let Some(before) = ledger.document(&before).await? else { continue };
            if let Ok(before) = report::read(&before) {
                disguises.extend(rectify::disguises(&before, report, &rules));
            }
        }
        let record = scan_record(report, digest.clone(), &disguises);
        let deed = Deed::Scanned(Box::new(record));
        self.events.push(Event { target: key, at, actor: self.actor.clone(), deed });
        self.documents.push((digest, text));
        self.known.push(known);
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), RecordError> {
        if self.events.is_empty() {
            return Ok(());
        }
        let documents: Vec<(&str, &[u8])> =
            self.documents.iter().map(|(digest, text)| (&**digest, &**text)).collect();
        let first = self.recorder.append(&documents, &self.events).await?;
        for (seq, ((event, (report, _)), known)) in
            (first..).zip(self.events.iter().zip(&self.documents).zip(&self.known))
        {
            let (target, report) = (event.target.clone(), report.clone());
            let artifact = match &event.deed {
                Deed::Scanned(scan) => scan.artifact.clone(),
                _ => String::new(),
            };
            self.noted.push(Noted { seq, target, report, artifact, known: *known });
        }
        (self.documents, self.events, self.known) = Default::default();
        Ok(())
    }

    /// Writes the rest; everything that this batch brought into the ledger.
    pub async fn finish(mut self) -> Result<Vec<Noted>, RecordError> {
        self.flush().await?;
        Ok(self.noted)
    }
}

/// Records the reports of the latest run of a roster that the ledger does not know yet: what was recorded, and the
/// files that could not be.
pub async fn run_reports(
    recorder: &Recorder,
    actor: &str,
    folder: &Folder,
    roster: &Roster,
    targets: &[(String, u64)],
) -> Result<(Vec<Noted>, Vec<(PathBuf, RecordError)>), RecordError> {
    let mut failed = Vec::new();
    let mut batch = Batch::new(recorder, actor.to_owned(), true);
    let rows: HashMap<u64, &Row> = roster.rows.iter().map(|row| (row.line, row)).collect();
    for (id, line) in targets {
        let file = folder.report(id);
        let Some(stamp) = Stamp::of(&file) else { continue };
        let reports = match read(&file) {
            Ok(reports) => reports,
            Err(error) => {
                failed.push((file, error));
                continue;
            }
        };
        // An export may hold several groups, of which the row names none.
        let key = rows.get(line).filter(|_| reports.len() == 1).and_then(|row| row.entry.key());
        for (report, text) in reports {
            let at = report.as_of.unwrap_or(stamp.changed);
            match batch.add(&report, text, key.as_deref(), at).await {
                Err(error @ RecordError::Ledger(_)) => return Err(error),
                Err(error) => failed.push((file.clone(), error)),
                Ok(()) => {}
            }
        }
    }
    Ok((batch.finish().await?, failed))
}

/// The reports of a file, each with its JSON: one, or those of several programs in one package.
pub fn read(file: &Path) -> Result<Vec<(Report, Vec<u8>)>, RecordError> {
    let size = std::fs::metadata(file)?.len();
    if size > LARGEST_REPORT {
        return Err(RecordError::TooLarge(size));
    }
    let text = std::fs::read(file)?;
    if text.trim_ascii_start().first() != Some(&b'[') {
        return Ok(vec![(report::read(&text)?, text)]);
    }
    let reports: Vec<Report> = serde_json::from_slice(&text)?;
    reports.into_iter().map(with_json).collect()
}

/// A report with its JSON, as the ledger keeps it.
pub fn with_json(report: Report) -> Result<(Report, Vec<u8>), RecordError> {
    let mut text = Vec::new();
    report::write_json(&report, &mut text)?;
    Ok((report, text))
}
