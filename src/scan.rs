//! One file to one report: format, rules and policy in a row.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::model::Report;
use crate::roster::FilingRecord;
use crate::rule::RuleSet;

/// Why there is no report for a file.
#[derive(Debug, Error)]
pub enum ScanError {
    /// The file could not be opened or read.
    #[error("{path}: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is a directory.
    #[error("{}: is a directory, not a package", .0.display())]
    Directory(PathBuf),
    /// The content is not of a package format that is read.
    #[error("{path}: {cause}", path = path.display())]
    NotAPackage {
        /// The file.
        path: PathBuf,
        /// What the content is instead.
        cause: String,
    },
}

/// Told how far a scan is; called from several threads.
pub trait Progress: Sync {
    /// The scan will read this many bytes of packed entries; called once the package is open.
    fn begin(&self, total_bytes: u64);
    /// This many more of them are done.
    fn advance(&self, bytes: u64);
}

/// A progress nobody looks at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _total_bytes: u64) {}
    fn advance(&self, _bytes: u64) {}
}

/// Scans files with one rule set.
#[derive(Debug)]
pub struct Scanner {
    rules: RuleSet,
    filing: FilingRecord,
}

impl Scanner {
    /// A scanner with a rule set and what is on record about filings.
    pub fn new(rules: RuleSet, filing: FilingRecord) -> Self {
        Scanner { rules, filing }
    }

    /// The rule set in use.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// Scans one file.
    pub fn scan(&self, path: &Path, progress: &dyn Progress) -> Result<Report, ScanError> {
        let unreadable = |source| ScanError::Unreadable { path: path.to_owned(), source };
        let file = File::open(path).map_err(unreadable)?;
        if file.metadata().map_err(unreadable)?.is_dir() {
            return Err(ScanError::Directory(path.to_owned()));
        }
        progress.begin(0);
        let _ = &self.filing;
        Err(ScanError::NotAPackage { path: path.to_owned(), cause: "not written yet".into() })
    }
}
