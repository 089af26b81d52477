//! One file to one report: format, rules and policy in a row.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::decode::DECODERS;
use crate::decode::blob::Blob;
use crate::format::{self, FormatError, Source};
use crate::ledger::Situation;
use crate::model::{Artifact, Engine, Identity, Inspection, Report, Ruleset, SCHEMA, Target};
use crate::roster::FilingRecord;
use crate::rule::{self, RuleSet};

pub use crate::format::{Options, Progress, Silent};

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

/// Scans files with one rule set.
#[derive(Debug)]
pub struct Scanner {
    rules: RuleSet,
    filing: FilingRecord,
    options: Options,
}

impl Scanner {
    /// A scanner with a rule set and what is on record about filings.
    pub fn new(rules: RuleSet, filing: FilingRecord) -> Self {
        Scanner { rules, filing, options: Options::default() }
    }

    /// The same with options for the reading of packages.
    pub fn with_options(self, options: Options) -> Self {
        Scanner { options, ..self }
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
        let blob = Blob::file(file).map_err(unreadable)?;
        let source = Source { blob: blob.clone(), name: path.display().to_string() };
        let (digest, inspection) = rayon::join(
            || sha256(&blob).map_err(unreadable),
            || format::inspect(source, &self.options, progress),
        );
        let sha256 = digest?;
        let inspection = inspection.map_err(|error| match error {
            FormatError::Io(source) => unreadable(source),
            other => ScanError::NotAPackage { path: path.to_owned(), cause: other.to_string() },
        })?;
        let artifact = Artifact { sha256, bytes: blob.len(), format: inspection.format.to_owned() };
        Ok(self.report(path.display().to_string(), artifact, inspection))
    }

    fn report(&self, source: String, artifact: Artifact, inspection: Inspection) -> Report {
        let coverage = inspection.coverage();
        let judgement = rule::judge(&self.rules, &inspection, coverage.verdict);
        let (filing, number) = self.filing.look_up(&inspection.identity);
        let code = self.rules.policy().suggest(&Situation {
            filing,
            findings: judgement.findings.iter().map(|finding| finding.level).collect(),
            duties: judgement.duties.iter().map(|duty| duty.status).collect(),
            coverage: coverage.verdict,
        });
        Report {
            schema: SCHEMA.to_owned(),
            engine: Engine {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                decoders: DECODERS.iter().map(|decoder| (decoder.name.to_owned(), decoder.version)).collect(),
                ruleset: Ruleset { digest: self.rules.digest().to_owned(), rules: self.rules.rules().len() },
            },
            target: Target { kind: inspection.kind, source },
            artifact,
            anomalies: inspection.anomalies(),
            identity: Identity { filing: number, ..inspection.identity },
            coverage,
            findings: judgement.findings,
            duties: judgement.duties,
            code,
        }
    }
}

fn sha256(blob: &Blob) -> io::Result<String> {
    let mut reader = blob.clone();
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match reader.read(&mut buffer)? {
            0 => break,
            count => digest.update(&buffer[..count]),
        }
    }
    Ok(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
