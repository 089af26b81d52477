//! What parent and child say to each other: one request in a line of JSON, answers in lines of JSON.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::cell::Held;
use super::examine::Attempt;
use crate::ledger::Baseline;
use crate::model::{Report, Wording};
use crate::roster::FilingRecord;
use crate::scan::{Options, ScanError, Subject};

/// More is not heard of one child, in bytes. The report of an app of 200 MB has less than a tenth.
const MAX_SAID: u64 = 128 << 20;

/// What the child is to do.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    Scan(Box<Order>),
    Try(Attempt),
}

/// A scan, besides the paths, which are arguments.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) subject: Subject,
    pub(super) options: Options,
    pub(super) filing: FilingRecord,
    pub(super) baseline: Option<Baseline>,
    /// The digest of the rules, which may have changed since.
    pub(super) rules: String,
}

/// What the child says.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Said {
    /// It is under its limits and begins.
    Ready(Held),
    /// It cannot begin.
    Unready(Wording),
    Begin(u64),
    Advance(u64),
    Report(Box<Report>),
    /// The file is none to report on.
    Refused(Refusal),
    /// So many reports, and that is all.
    Done(usize),
    /// What came of an attempt: `None` when it was not prevented.
    Tried(Option<String>),
}

/// A [`ScanError`] on its way.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Refusal {
    System { code: Option<i32>, text: String },
    NothingInFolder,
    FolderNotWhole(String),
    NotAPackage(String),
}

impl Refusal {
    pub(super) fn of(error: ScanError) -> Self {
        match error {
            ScanError::Unreadable { source, .. } => {
                Refusal::System { code: source.raw_os_error(), text: source.to_string() }
            }
            ScanError::NothingInFolder(_) => Refusal::NothingInFolder,
            ScanError::FolderNotWhole { cause, .. } => Refusal::FolderNotWhole(cause),
            ScanError::NotAPackage { cause, .. } => Refusal::NotAPackage(cause),
            other @ (ScanError::Several { .. } | ScanError::Isolation { .. } | ScanError::Cancelled(_)) => {
                Refusal::NotAPackage(other.to_string())
            }
        }
    }

    pub(super) fn error(self, path: &Path) -> ScanError {
        let path = PathBuf::from(path);
        match self {
            Refusal::System { code, text } => {
                let source = code.map_or_else(|| io::Error::other(text), io::Error::from_raw_os_error);
                ScanError::Unreadable { path, source }
            }
            Refusal::NothingInFolder => ScanError::NothingInFolder(path),
            Refusal::FolderNotWhole(cause) => ScanError::FolderNotWhole { path, cause },
            Refusal::NotAPackage(cause) => ScanError::NotAPackage { path, cause },
        }
    }
}

/// A line of the child, as it was understood.
#[derive(Debug)]
pub(super) enum Line {
    Said(Box<Said>),
    Garbage,
    TooMuch,
}

/// The lines of a child, until it says something that is none.
pub(super) struct Lines<R> {
    pipe: BufReader<io::Take<R>>,
    over: bool,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(pipe: R) -> Self {
        Lines { pipe: BufReader::new(pipe.take(MAX_SAID)), over: false }
    }
}

impl<R: Read> Iterator for Lines<R> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        if self.over {
            return None;
        }
        let mut line = Vec::new();
        let read = self.pipe.read_until(b'\n', &mut line);
        self.over = !line.ends_with(b"\n");
        match (read, serde_json::from_slice(&line)) {
            _ if self.pipe.get_ref().limit() == 0 && self.over => Some(Line::TooMuch),
            // A line without an end is one that a dying child did not get out; why it died is the news.
            _ if self.over => None,
            (Ok(_), Ok(said)) => Some(Line::Said(Box::new(said))),
            _ => {
                self.over = true;
                Some(Line::Garbage)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_heard_until_one_is_none() {
        let heard = |text: &str| Lines::new(text.as_bytes()).collect::<Vec<_>>();
        assert!(matches!(heard("").as_slice(), []));
        assert!(matches!(heard("{\"Advance\":5").as_slice(), []), "cut off");
        let lines = heard("{\"Advance\":5}\nhello\n{\"Done\":0}\n");
        assert!(matches!(lines.as_slice(), [Line::Said(_), Line::Garbage]), "{lines:?}");
        let endless = io::repeat(b'[');
        assert!(matches!(Lines::new(endless).next(), Some(Line::TooMuch)));
    }

    #[test]
    fn errors_come_through_as_they_were() {
        let path = || PathBuf::from("a.apk");
        let through = |error: ScanError| {
            let text = serde_json::to_string(&Refusal::of(error)).unwrap();
            serde_json::from_str::<Refusal>(&text).unwrap().error(&path()).to_string()
        };
        for error in [
            || ScanError::Unreadable { path: "a.apk".into(), source: io::Error::from_raw_os_error(2) },
            || ScanError::NothingInFolder("a.apk".into()),
            || ScanError::FolderNotWhole { path: "a.apk".into(), cause: "b: c".into() },
            || ScanError::NotAPackage { path: "a.apk".into(), cause: "the file is empty".into() },
        ] {
            assert_eq!(through(error()), error().to_string());
        }
    }
}
