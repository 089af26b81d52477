//! What a roster's runs have done, beside the store:
//!
//! ```text
//! runs/<digest of the roster's path>/
//!   roster            the path
//!   lock              held while a run is under way; the number of its process
//!   0001.jsonl …      one log for each run, a line for each event, only ever added to
//!   reports/<id>.json the latest report of each target
//!   summary.json      of the latest run
//! ```
//!
//! A log whose last event is not `end` is of a run that was broken off; the next one goes on with it. Each line of a
//! target carries what the next run has to know of it, so that the last two logs tell everything.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use super::reason::Reason;
use crate::model::{Listing, hex};

/// What became of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It has a new report.
    Scanned,
    /// It is as it was, and so is its report.
    Unchanged,
    /// It was tried, and there is no report.
    Failed,
    /// It was not tried.
    Skipped,
}

/// Size and time of change of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Bytes.
    pub bytes: u64,
    /// Time of the last change.
    pub changed: Timestamp,
}

impl Stamp {
    /// That of a file or folder, if it is there.
    pub fn of(path: &Path) -> Option<Self> {
        let metadata = fs::metadata(path).ok()?;
        let changed = metadata.modified().ok().and_then(|time| Timestamp::try_from(time).ok());
        // The stamp of a folder says nothing of the files in it.
        let bytes = if metadata.is_dir() { 0 } else { metadata.len() };
        Some(Stamp { bytes, changed: changed.unwrap_or_default() })
    }
}

/// Findings by level.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Findings {
    /// 确认.
    pub confirmed: u64,
    /// 疑似.
    pub suspected: u64,
    /// 提及.
    pub mention: u64,
}

/// The latest scan of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scanned {
    /// Digest of what it was scanned with: rules, decoders, what the roster says.
    pub with: String,
    /// SHA-256 of the content.
    pub sha256: String,
    /// Digest of the texts of a page or of groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Digest of what an app store said of it then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listing: Option<String>,
    /// Of a file on disk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stamp: Option<Stamp>,
    /// What was found.
    pub findings: Findings,
}

/// What an app store said of a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Looked {
    /// When.
    pub time: Timestamp,
    /// What it lists.
    pub listing: Listing,
    /// Where the package is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<Url>,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[expect(clippy::large_enum_variant, reason = "written or read one at a time")]
pub enum Event {
    /// A run begins, or goes on.
    Begin {
        /// When.
        time: Timestamp,
        /// Version of the program.
        version: String,
        /// By what document `mp.weixin.qq.com` is asked.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        weixin: Option<String>,
    },
    /// An app store was asked.
    Looked {
        /// Which target.
        target: String,
        /// What it said.
        looked: Box<Looked>,
    },
    /// A target is done with.
    Target {
        /// When.
        time: Timestamp,
        /// Which target.
        target: String,
        /// Its line in the roster, for whoever reads the log.
        line: u64,
        /// What became of it.
        outcome: Outcome,
        /// Why it has no report.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<Reason>,
        /// The latest scan, also one of an earlier run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scanned: Option<Scanned>,
        /// What an app store said last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        looked: Option<Box<Looked>>,
    },
    /// The run is over: every target is done with.
    End {
        /// When.
        time: Timestamp,
    },
}

/// What is remembered of a target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    /// What became of it in the run that was broken off.
    pub done: Option<(Outcome, Option<Reason>)>,
    /// The latest scan.
    pub scanned: Option<Scanned>,
    /// What an app store said last.
    pub looked: Option<Box<Looked>>,
}

/// What is remembered of a roster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// By target.
    pub targets: HashMap<String, Memory>,
    /// When the run began that was broken off.
    pub begun: Option<Timestamp>,
    /// Number of the latest log.
    number: u32,
}

/// What a target came to in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Came {
    /// Whether there is a report of it.
    pub outcome: Outcome,
    /// Why there is none.
    pub reason: Option<Reason>,
    /// What the latest scan found, also one of an earlier run.
    pub findings: Option<Findings>,
}

/// A run from its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Course {
    /// When it began.
    pub begun: Timestamp,
    /// It was not broken off.
    pub complete: bool,
    /// What each target came to.
    pub targets: HashMap<String, Came>,
}

/// The folder of a roster.
#[derive(Debug, Clone)]
pub struct Folder {
    root: PathBuf,
    roster: PathBuf,
}

/// Why a run cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum Busy {
    /// Another process is at it.
    #[error("another run of this roster is under way (process {0})")]
    Running(String),
    /// The folder could not be read or written.
    #[error("{0}")]
    Disk(#[from] io::Error),
}

/// The log of the run under way. Nobody else runs the roster while it lives.
#[derive(Debug)]
pub struct Log {
    file: Mutex<File>,
    _lock: File,
}

impl Folder {
    /// That of a roster, beside a store.
    pub fn of(store: &Path, roster: &Path) -> io::Result<Self> {
        let roster = fs::canonicalize(roster)?;
        let id = short_digest(&[roster.as_os_str().as_encoded_bytes()]);
        Ok(Folder { root: store.join("runs").join(id), roster })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The roster.
    pub fn roster(&self) -> &Path {
        &self.roster
    }

    /// Where the report of a target is.
    pub fn report(&self, target: &str) -> PathBuf {
        self.root.join("reports").join(format!("{target}.json"))
    }

    /// Where the summary is.
    pub fn summary(&self) -> PathBuf {
        self.root.join("summary.json")
    }

    fn log(&self, number: u32) -> PathBuf {
        self.root.join(format!("{number:04}.jsonl"))
    }

    /// Numbers of its logs, the earliest first.
    fn numbers(&self) -> io::Result<Vec<u32>> {
        let mut numbers: Vec<u32> = match fs::read_dir(&self.root) {
            Ok(entries) => entries
                .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".jsonl")?.parse().ok())
                .collect(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// The latest runs, at most so many, the earliest first. Each is given away before the next is read.
    pub fn history(&self, most: usize, mut each: impl FnMut(Course)) -> io::Result<()> {
        let numbers = self.numbers()?;
        for number in &numbers[numbers.len().saturating_sub(most)..] {
            if let Some(course) = Course::read(BufReader::new(File::open(self.log(*number))?))? {
                each(course);
            }
        }
        Ok(())
    }

    /// What the runs so far have left. What a run has done that was broken off binds only a run that goes on with it.
    pub fn past(&self, resume: impl Fn(Timestamp) -> bool) -> io::Result<Past> {
        let numbers = self.numbers()?;
        let mut past = Past { number: numbers.last().copied().unwrap_or_default(), ..Past::default() };
        for number in numbers.iter().rev().take(2).rev() {
            past.read(BufReader::new(File::open(self.log(*number))?))?;
        }
        if !past.begun.is_some_and(resume) {
            past.forget();
        }
        Ok(past)
    }

    /// Begins a run, or goes on with the one that was broken off if that is the wish. What is remembered is read
    /// under the lock, so that it is what the run goes on from.
    pub fn begin(&self, resume: impl Fn(Timestamp) -> bool) -> Result<(Log, Past), Busy> {
        fs::create_dir_all(self.root.join("reports"))?;
        let mut lock = File::options().create(true).append(true).read(true).open(self.root.join("lock"))?;
        if lock.try_lock().is_err() {
            let mut owner = String::new();
            lock.read_to_string(&mut owner)?;
            return Err(Busy::Running(owner.trim().to_owned()));
        }
        lock.set_len(0)?;
        write!(lock, "{}", std::process::id())?;
        fs::write(self.root.join("roster"), self.roster.as_os_str().as_encoded_bytes())?;
        let mut past = self.past(resume)?;
        if past.begun.is_none() {
            past.number += 1;
        }
        let mut file = File::options().create(true).append(true).read(true).open(self.log(past.number))?;
        // A line that a killed process left half written must not spoil the next one.
        if file.metadata()?.len() > 0 {
            file.seek(SeekFrom::End(-1))?;
            let mut last = [0];
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
            }
        }
        Ok((Log { file: Mutex::new(file), _lock: lock }, past))
    }
}

impl Past {
    /// What was done was done by a run that is over.
    fn forget(&mut self) {
        self.begun = None;
        self.targets.values_mut().for_each(|memory| memory.done = None);
    }

    fn read(&mut self, mut lines: impl BufRead) -> io::Result<()> {
        self.forget();
        let mut line = Vec::new();
        loop {
            line.clear();
            if lines.read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            // A line that was torn tells nothing: its target is done again.
            let Ok(event) = serde_json::from_slice(&line) else { continue };
            match event {
                Event::Begin { time, .. } => {
                    self.begun.get_or_insert(time);
                }
                Event::Looked { target, looked } => {
                    self.targets.entry(target).or_default().looked = Some(looked);
                }
                Event::Target { target, outcome, reason, scanned, looked, .. } => {
                    let done = Some((outcome, reason));
                    self.targets.insert(target, Memory { done, scanned, looked });
                }
                Event::End { .. } => self.forget(),
            }
        }
    }
}

impl Course {
    fn read(mut lines: impl BufRead) -> io::Result<Option<Course>> {
        let mut course = None::<Course>;
        let mut line = Vec::new();
        loop {
            line.clear();
            if lines.read_until(b'\n', &mut line)? == 0 {
                return Ok(course);
            }
            let Ok(event) = serde_json::from_slice(&line) else { continue };
            match event {
                Event::Begin { time, .. } => {
                    let begun = Course { begun: time, complete: false, targets: HashMap::new() };
                    course.get_or_insert(begun).complete = false;
                }
                Event::Looked { .. } => {}
                Event::Target { target, outcome, reason, scanned, .. } => {
                    let findings = scanned.map(|scanned| scanned.findings);
                    let came = Came { outcome, reason, findings };
                    course
                        .iter_mut()
                        .for_each(|course| _ = course.targets.insert(target.clone(), came.clone()));
                }
                Event::End { .. } => course.iter_mut().for_each(|course| course.complete = true),
            }
        }
    }
}

impl Log {
    /// Adds events; when it returns they are on disk.
    pub fn add(&self, events: &[Event]) -> io::Result<()> {
        let mut text = Vec::new();
        for event in events {
            serde_json::to_writer(&mut text, event)?;
            text.push(b'\n');
        }
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&text)?;
        file.sync_data()
    }
}

/// Digest of what an app store says.
pub(super) fn listed(listing: Option<&Listing>) -> Option<String> {
    listing.map(|listing| short_digest(&[&serde_json::to_vec(listing).unwrap_or_default()]))
}

/// The first half of a SHA-256 over parts, in lower-case hex: enough to name what nobody forges for himself.
pub(super) fn short_digest(parts: &[&[u8]]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    let mut text = hex(&digest.finalize());
    text.truncate(32);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(target: &str, outcome: Outcome) -> Event {
        let scanned = Scanned {
            with: "w".into(),
            sha256: "s".into(),
            text: None,
            listing: None,
            stamp: None,
            findings: Findings::default(),
        };
        Event::Target {
            time: Timestamp::UNIX_EPOCH,
            target: target.into(),
            line: 2,
            outcome,
            reason: None,
            scanned: Some(scanned),
            looked: None,
        }
    }

    fn begin() -> Event {
        Event::Begin { time: Timestamp::UNIX_EPOCH, version: "0".into(), weixin: None }
    }

    fn folder(root: &Path) -> Folder {
        let roster = root.join("roster.csv");
        fs::write(&roster, "").unwrap();
        Folder::of(root, &roster).unwrap()
    }

    #[test]
    fn a_torn_line_loses_its_target_and_no_other() {
        let root = tempfile::tempdir().unwrap();
        let folder = folder(root.path());
        let (log, past) = folder.begin(|_| true).unwrap();
        assert_eq!(past.begun, None);
        log.add(&[begin(), done("a", Outcome::Scanned), done("b", Outcome::Failed)]).unwrap();
        drop(log);
        let path = folder.log(1);
        let whole = fs::read(&path).unwrap();
        fs::write(&path, &whole[..whole.len() - 10]).unwrap();

        let (log, past) = folder.begin(|_| true).unwrap();
        assert_eq!(past.begun, Some(Timestamp::UNIX_EPOCH));
        assert_eq!(past.targets.keys().collect::<Vec<_>>(), ["a"]);
        assert_eq!(past.targets["a"].done, Some((Outcome::Scanned, None)));
        log.add(&[done("b", Outcome::Scanned), Event::End { time: Timestamp::UNIX_EPOCH }]).unwrap();
        drop(log);

        let past = folder.past(|_| true).unwrap();
        assert_eq!((past.begun, past.targets.len()), (None, 2));
        assert_eq!(past.targets["b"].done, None, "what a run has done that is over does not bind the next");
        assert!(past.targets["b"].scanned.is_some());
        let (_log, past) = folder.begin(|_| true).unwrap();
        assert_eq!(past.number, 2);
    }

    #[test]
    fn one_run_at_a_time() {
        let root = tempfile::tempdir().unwrap();
        let folder = folder(root.path());
        let first = folder.begin(|_| true).unwrap();
        let own = std::process::id().to_string();
        assert!(matches!(folder.begin(|_| true), Err(Busy::Running(pid)) if pid == own));
        drop(first);
        folder.begin(|_| true).unwrap();
    }

    #[test]
    fn what_an_unfinished_run_did_not_reach_is_remembered_from_the_one_before() {
        let root = tempfile::tempdir().unwrap();
        let folder = folder(root.path());
        let (log, _) = folder.begin(|_| true).unwrap();
        let end = Event::End { time: Timestamp::UNIX_EPOCH };
        log.add(&[begin(), done("a", Outcome::Scanned), done("b", Outcome::Scanned), end]).unwrap();
        drop(log);
        let (log, _) = folder.begin(|_| true).unwrap();
        log.add(&[begin(), done("a", Outcome::Failed)]).unwrap();
        drop(log);
        let past = folder.past(|_| true).unwrap();
        assert_eq!(past.targets["a"].done.as_ref().map(|done| done.0), Some(Outcome::Failed));
        assert!(past.targets["b"].done.is_none() && past.targets["b"].scanned.is_some());
        // Too long ago to go on with it.
        let (_log, past) = folder.begin(|_| false).unwrap();
        assert!(past.begun.is_none() && past.targets["a"].done.is_none());
    }
}
