//! One file or folder to one report: format, page or group, rules and policy in a row.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;
use url::Url;

use crate::decode::DECODERS;
use crate::decode::blob::Blob;
use crate::decode::folder::{self, Folder};
use crate::format::{self, FormatError, Source};
use crate::group;
use crate::ledger::{Baseline, Situation, target_name};
use crate::model::{
    Artifact, CodeReason, Duty, DutyCategory, DutyStatus, Engine, Evidence, Finding, GapReason, Identity,
    Inspection, Lang, Listing, PartName, Place, Registered, Report, Ruleset, SCHEMA, Scope, Surface, Target,
    TargetKind, Verdict, Wording, beijing_day, hex,
};
use crate::page;
use crate::roster::{self, FilingRecord};
use crate::rule::{self, RuleSet};

pub use crate::decode::folder::sha256;
pub use crate::decode::wxapkg_cipher::is_appid;
pub use crate::format::{Options, Progress, Silent, ocr_cache, ocr_problem};

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
    /// The folder is no program, and no package is in it.
    #[error("{}: a folder without a package, and without a page at its top", .0.display())]
    NothingInFolder(PathBuf),
    /// Not all of the folder could be looked through for packages.
    #[error("{path}: {cause}", path = path.display())]
    FolderNotWhole {
        /// The folder.
        path: PathBuf,
        /// What was not seen.
        cause: String,
    },
    /// One report was wanted, and the file is an export of several groups.
    #[error("{path}: {reports} groups in one file", path = path.display())]
    Several {
        /// The file.
        path: PathBuf,
        /// Number of groups.
        reports: usize,
    },
    /// The content is not of a package format that is read.
    #[error("{path}: {cause}", path = path.display())]
    NotAPackage {
        /// The file.
        path: PathBuf,
        /// What the content is instead.
        cause: String,
    },
    /// The process of its own that the scan was to be done in could not be used. It says nothing of the content.
    #[error("{path}: {en}", path = path.display(), en = cause.en)]
    Isolation {
        /// The file.
        path: PathBuf,
        /// What happened.
        cause: Wording,
    },
    /// Nobody waited for the result any longer.
    #[error("{}: cancelled", .0.display())]
    Cancelled(PathBuf),
}

impl ScanError {
    /// What is the matter with the path, in a language; the path itself is not named.
    pub fn words(&self, lang: Lang) -> String {
        match self {
            ScanError::Unreadable { source, .. } => match source.kind() {
                io::ErrorKind::NotFound => lang.pick("文件不存在", "no such file").to_owned(),
                io::ErrorKind::PermissionDenied => {
                    lang.pick("没有读取权限", "no permission to read it").to_owned()
                }
                _ => format!("{}{source}", lang.pick("无法读取：", "cannot be read: ")),
            },
            ScanError::Several { reports, .. } => match lang {
                Lang::Zh => format!("一个文件中有 {reports} 个群组"),
                Lang::En => format!("{reports} groups in one file"),
            },
            ScanError::NothingInFolder(_) => lang
                .pick(
                    "文件夹中没有安装包，顶层也没有网页",
                    "a folder without a package, and without a page at its top",
                )
                .to_owned(),
            ScanError::FolderNotWhole { cause, .. } => format!(
                "{}{cause}",
                lang.pick("文件夹未能全部查看：", "not all of the folder was looked through: ")
            ),
            ScanError::NotAPackage { cause, .. } => {
                format!("{}{cause}", lang.pick("不是可检测的安装包：", "not a package that can be scanned: "))
            }
            ScanError::Isolation { cause, .. } => format!(
                "{}{}",
                lang.pick("无法在独立进程中检测：", "cannot be scanned in a process of its own: "),
                lang.pick(&cause.zh, &cause.en)
            ),
            ScanError::Cancelled(_) => lang.pick("已取消", "cancelled").to_owned(),
        }
    }
}

/// Stands in [`Artifact::format`] where the content did not tell.
const UNKNOWN_FORMAT: &str = "unknown";

/// Larger files are no pages and no lists.
const MAX_PAGE: u64 = 64 << 20;

/// Who scans: a [`Scanner`] in this process, or a process of its own.
pub trait Scan: Send + Sync {
    /// Scans a file: one report, or one for each group of an export.
    fn scan_subject(
        &self,
        path: &Path,
        subject: Subject,
        progress: &dyn Progress,
    ) -> Result<Vec<Report>, ScanError>;
}

impl<S: Scan + ?Sized> Scan for std::sync::Arc<S> {
    fn scan_subject(
        &self,
        path: &Path,
        subject: Subject,
        progress: &dyn Progress,
    ) -> Result<Vec<Report>, ScanError> {
        (**self).scan_subject(path, subject, progress)
    }
}

impl Scan for Scanner {
    fn scan_subject(
        &self,
        path: &Path,
        subject: Subject,
        progress: &dyn Progress,
    ) -> Result<Vec<Report>, ScanError> {
        Scanner::scan_subject(self, path, subject, progress)
    }
}

/// What is known of a file besides its path.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Subject {
    /// The path or address as the user gave it.
    pub name: String,
    /// What the office says it is. The content decides, where it can be read.
    pub kind: Option<TargetKind>,
    /// Where the file was fetched from, after redirects.
    #[serde(with = "address")]
    pub address: Option<Url>,
    /// `Content-Type` as it was sent.
    pub content_type: Option<String>,
    /// The moment that days are counted to: when a page was fetched, a list exported. Now, if it is not known.
    pub as_of: Option<Timestamp>,
    /// What an app store says of it.
    pub listing: Option<Listing>,
    /// What the office has on record.
    pub registered: Option<Registered>,
    /// Filing number on record; without it the scanner's own record is looked at.
    pub filing: Option<String>,
}

/// An address as its text.
mod address {
    use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
    use url::Url;

    pub(super) fn serialize<S: Serializer>(address: &Option<Url>, serializer: S) -> Result<S::Ok, S::Error> {
        address.as_ref().map(Url::as_str).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| Url::parse(&text).map_err(de::Error::custom)).transpose()
    }
}

/// Scans files with one rule set.
#[derive(Debug)]
pub struct Scanner {
    rules: Arc<RuleSet>,
    filing: FilingRecord,
    options: Options,
    baseline: Option<Baseline>,
}

impl Scanner {
    /// A scanner with a rule set and what is on record about filings.
    pub fn new(rules: impl Into<Arc<RuleSet>>, filing: FilingRecord) -> Self {
        Scanner { rules: rules.into(), filing, options: Options::default(), baseline: None }
    }

    /// The same with options for the reading of packages.
    pub fn with_options(self, options: Options) -> Self {
        Scanner { options, ..self }
    }

    /// The same with what a person has judged already.
    pub fn with_baseline(self, baseline: Baseline) -> Self {
        Scanner { baseline: Some(baseline), ..self }
    }

    /// The options for the reading of packages.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// What is on record about filings.
    pub fn filing(&self) -> &FilingRecord {
        &self.filing
    }

    /// What a person has judged already.
    pub fn baseline(&self) -> Option<&Baseline> {
        self.baseline.as_ref()
    }

    /// The rule set in use.
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// What reports depend on besides the content and its subject: version, decoders, rules. The same text, the same
    /// reports.
    pub fn fingerprint(&self) -> String {
        let decoders: String =
            DECODERS.iter().map(|decoder| format!(" {}:{}", decoder.name, decoder.version)).collect();
        format!("{} {}{decoders}", env!("CARGO_PKG_VERSION"), self.rules.digest())
    }

    /// Scans one file, or one folder that holds the unpacked files of one program.
    ///
    /// The digest of a folder is that of [`Folder::digest`].
    pub fn scan(&self, path: &Path, progress: &dyn Progress) -> Result<Report, ScanError> {
        let subject = Subject { name: path.display().to_string(), ..Subject::default() };
        let mut reports = self.scan_subject(path, subject, progress)?;
        match reports.pop() {
            Some(report) if reports.is_empty() => Ok(report),
            _ => Err(ScanError::Several { path: path.to_owned(), reports: reports.len() + 1 }),
        }
    }

    /// Scans a file of which more is known than its path: one report, or one for each group of an export.
    pub fn scan_subject(
        &self,
        path: &Path,
        subject: Subject,
        progress: &dyn Progress,
    ) -> Result<Vec<Report>, ScanError> {
        let unreadable = |source| ScanError::Unreadable { path: path.to_owned(), source };
        let file = File::open(path).map_err(unreadable)?;
        if file.metadata().map_err(unreadable)?.is_dir() {
            let folder = Folder::walk(path).map_err(unreadable)?;
            let (digest, inspection) = rayon::join(
                || folder.digest(),
                || format::inspect_folder(&folder, &named(path), &self.options, progress),
            );
            let inspection = inspection.map_err(|error| match error {
                FormatError::Io(source) => unreadable(source),
                FormatError::Unknown(_) => ScanError::NothingInFolder(path.to_owned()),
                other => ScanError::NotAPackage { path: path.to_owned(), cause: other.to_string() },
            })?;
            return Ok(vec![self.package(path, digest, folder.size(), inspection, subject)]);
        }
        self.blob(Blob::file(file).map_err(unreadable)?, path, subject, progress)
    }

    /// Scans bytes that are in no file; errors name what the subject is called.
    pub fn scan_bytes(&self, bytes: Vec<u8>, subject: Subject) -> Result<Vec<Report>, ScanError> {
        let name = PathBuf::from(&subject.name);
        self.blob(Blob::memory(bytes), &name, subject, &Silent)
    }

    fn blob(
        &self,
        blob: Blob,
        path: &Path,
        subject: Subject,
        progress: &dyn Progress,
    ) -> Result<Vec<Report>, ScanError> {
        let unreadable = |source| ScanError::Unreadable { path: path.to_owned(), source };
        let source = Source { blob: blob.clone(), name: named(path) };
        let (digest, inspection) =
            rayon::join(|| folder::sha256(blob.clone()), || format::inspect(source, &self.options, progress));
        let sha256 = digest.map_err(unreadable)?;
        match inspection {
            Ok(inspection) => Ok(vec![self.package(path, sha256, blob.len(), inspection, subject)]),
            Err(FormatError::Io(source)) => Err(unreadable(source)),
            Err(FormatError::Unknown(cause)) => {
                // An error page that was saved under the name of a package is no page to judge.
                let package = format::is_package_name(&subject.name)
                    || subject.address.as_ref().is_some_and(|url| format::is_package_name(url.path()));
                let mut reports = None;
                if !package && blob.len() <= MAX_PAGE {
                    let bytes = blob.slice(0, blob.len()).map_err(unreadable)?;
                    reports = self.text(&bytes, sha256, subject).filter(|reports| !reports.is_empty());
                }
                let no_page = || ScanError::NotAPackage { path: path.to_owned(), cause: cause.to_string() };
                reports.ok_or_else(no_page)
            }
            Err(other) => Err(ScanError::NotAPackage { path: path.to_owned(), cause: other.to_string() }),
        }
    }

    fn package(
        &self,
        path: &Path,
        sha256: String,
        bytes: u64,
        mut inspection: Inspection,
        subject: Subject,
    ) -> Report {
        if self.options.verify_signature && inspection.format == format::apk::FORMAT.name && path.is_file() {
            format::apksigner::verify(path, &mut inspection);
        }
        let format = inspection.format.to_owned();
        let artifact = Artifact { sha256, bytes, format, text_sha256: None };
        if let Some(listing) = &subject.listing {
            compare(listing, &artifact, &mut inspection);
        }
        self.report(subject, artifact, inspection)
    }

    /// An export of groups, a page of a kind that is known, or whatever else came from an address.
    fn text(&self, bytes: &[u8], sha256: String, subject: Subject) -> Option<Vec<Report>> {
        let as_of = Some(subject.as_of.unwrap_or_else(Timestamp::now));
        let artifact = |inspection: &Inspection| Artifact {
            sha256: sha256.clone(),
            bytes: bytes.len() as u64,
            format: inspection.format.to_owned(),
            text_sha256: Some(text_digest(inspection)),
        };
        // Groups come from exports only, never from an address.
        if subject.address.is_none()
            && let Some(groups) = group::read(&group::Input::new(bytes, ""))
        {
            let report = |group::Read { mut inspection, group }| {
                inspection.as_of = as_of;
                let artifact = artifact(&inspection);
                Report { group: Some(group), ..self.report(subject.clone(), artifact, inspection) }
            };
            return Some(groups.into_iter().map(report).collect());
        }
        let input = page::Input::new(bytes, subject.content_type.as_deref(), subject.address.clone());
        let read =
            if subject.address.is_some() { Some(page::read(&input)) } else { page::read_known(&input) };
        let page::Read { mut inspection, page } = read?;
        inspection.as_of = as_of;
        if let Some(registered) = &subject.registered {
            let place = Place::entry("");
            let more = roster::compare(registered, &page.account, &inspection.states, &place);
            inspection.states.extend(more);
        }
        let artifact = artifact(&inspection);
        Some(vec![Report { page: Some(page), ..self.report(subject, artifact, inspection) }])
    }

    /// The report of a file whose scan did not come to its end: who it is by digest and size, and that nothing of it
    /// was seen. `cause` says what happened. Only the first bytes are looked at.
    pub fn unfinished(&self, path: &Path, subject: Subject, cause: Wording) -> Result<Report, ScanError> {
        let unreadable = |source| ScanError::Unreadable { path: path.to_owned(), source };
        let file = File::open(path).map_err(unreadable)?;
        let (sha256, bytes, head) = if file.metadata().map_err(unreadable)?.is_dir() {
            let folder = Folder::walk(path).map_err(unreadable)?;
            (folder.digest(), folder.size(), Vec::new())
        } else {
            let blob = Blob::file(file).map_err(unreadable)?;
            let sha256 = folder::sha256(blob.clone()).map_err(unreadable)?;
            (sha256, blob.len(), blob.slice(0, 4).map_err(unreadable)?)
        };
        let format = format::by_first_bytes(&head, &subject.name);
        let kind = subject.kind.unwrap_or(match format {
            Some("wxapkg") => TargetKind::MiniProgram,
            Some("rpk") => TargetKind::QuickApp,
            None if subject.address.is_some() => TargetKind::AccountPage,
            _ => TargetKind::App,
        });
        let format = format.unwrap_or(UNKNOWN_FORMAT);
        let mut inspection = Inspection::new(kind, format);
        inspection.opaque();
        inspection.unread(PartName::Container);
        inspection.gap(PartName::Container, &Place::entry(""), GapReason::Failed, cause);
        let artifact = Artifact { sha256, bytes, format: format.to_owned(), text_sha256: None };
        Ok(self.report(subject, artifact, inspection))
    }

    /// What is to be scanned when a path is given: the path itself, or, for a folder that is not one program, the
    /// packages in it by their endings, and the folders in it that hold the packages of one program; in order of
    /// their names. Errors stand for what could not be looked through.
    pub fn targets(&self, path: &Path) -> Vec<Result<PathBuf, ScanError>> {
        if !path.is_dir() {
            return vec![Ok(path.to_owned())];
        }
        let folder = match Folder::walk(path) {
            Ok(folder) => folder,
            Err(source) => return vec![Err(ScanError::Unreadable { path: path.to_owned(), source })],
        };
        if format::format_of_folder(&folder, &named(path), &self.options).is_some() {
            return vec![Ok(path.to_owned())];
        }
        let mut folders: BTreeMap<&str, Vec<PathBuf>> = BTreeMap::new();
        for file in folder.files.iter().filter(|file| format::is_package_name(&file.name)) {
            let inside = file.name.rsplit_once('/').map_or("", |(folder, _)| folder);
            folders.entry(inside).or_default().push(file.path.clone());
        }
        let mut found: Vec<PathBuf> = Vec::new();
        for (inside, files) in folders {
            let below = path.join(inside);
            if found.iter().any(|known| below.starts_with(known)) {
                continue;
            }
            let together = (files.len() > 1 && !inside.is_empty())
                .then(|| Folder::walk(&below).ok())
                .flatten()
                .and_then(|folder| format::format_of_folder(&folder, &named(&below), &self.options))
                .is_some_and(|format| format.name != format::h5::FORMAT.name);
            if together { found.push(below) } else { found.extend(files) }
        }
        found.sort();
        let lost: Vec<String> = folder.issues.iter().filter(|i| i.lossy).map(|i| i.detail.clone()).collect();
        let mut targets: Vec<Result<PathBuf, ScanError>> = found.into_iter().map(Ok).collect();
        if !lost.is_empty() {
            targets.push(Err(ScanError::FolderNotWhole { path: path.to_owned(), cause: lost.join("; ") }));
        }
        if targets.is_empty() {
            targets.push(Err(ScanError::NothingInFolder(path.to_owned())));
        }
        targets
    }

    fn report(&self, subject: Subject, artifact: Artifact, mut inspection: Inspection) -> Report {
        let (coverage, scope) = (inspection.coverage(), inspection.kind.scope());
        let mut judgement = rule::judge(&self.rules, &inspection, coverage.verdict);
        let baseline = self.baseline.as_ref().map(|baseline| {
            let today = beijing_day(subject.as_of.unwrap_or_else(Timestamp::now));
            baseline.apply(target_name(&inspection.identity, &subject.name), &mut judgement.findings, today)
        });
        // A file beside a package may speak for the package; of an account or a group only the ledger decides.
        let counts = |finding: &&Finding| finding.accepted.is_none() || scope != Scope::App;
        let record = match subject.filing {
            Some(number) => FilingRecord::Number(number).look_up(&inspection.identity),
            None => self.filing.look_up(&inspection.identity),
        };
        let shown = filing_shown(&judgement.duties);
        let record = record.against(&shown);
        if let (Some(number), Some(_)) = (&record.number, &record.doubt) {
            let detail = format!("{number} ≠ {}", shown.join("；"));
            inspection.anomaly("filing.differs", &Place::entry(""), detail);
        }
        let mut code = self.rules.policy().suggest(&Situation {
            filing: record.filing,
            findings: judgement.findings.iter().filter(counts).map(|finding| finding.level).collect(),
            duties: judgement.duties.iter().map(|duty| duty.status).collect(),
            coverage: coverage.verdict,
            kind: inspection.kind,
        });
        code.reasons.extend(record.doubt.map(|Wording { zh, en }| CodeReason {
            id: "filing-doubt".into(),
            text: zh,
            text_en: en,
        }));
        let accepted = judgement.findings.iter().filter(|finding| !counts(finding)).count();
        if accepted > 0 {
            code.reasons.push(CodeReason {
                id: "baseline".into(),
                text: format!("另有 {accepted} 项按基线文件已驳回或者列为例外，未计入；正式赋码以台账为准。"),
                text_en: format!("{accepted} more dismissed or excepted by a baseline file and not counted; the ledger decides."),
            });
        }
        Report {
            schema: SCHEMA.to_owned(),
            engine: Engine {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                decoders: DECODERS.iter().map(|decoder| (decoder.name.to_owned(), decoder.version)).collect(),
                ruleset: Ruleset {
                    digest: self.rules.digest().to_owned(),
                    rules: self.rules.rules().iter().filter(|rule| rule.scope == scope).count(),
                },
            },
            target: Target { kind: inspection.kind, source: subject.name },
            artifact,
            anomalies: inspection.anomalies(),
            baseline,
            surface: Surface::of(&inspection),
            identity: Identity { filing: record.number, ..inspection.identity },
            listing: subject.listing,
            page: None,
            group: None,
            registered: subject.registered,
            as_of: inspection.as_of,
            coverage,
            findings: judgement.findings,
            duties: judgement.duties,
            code,
        }
    }
}

/// The texts in which the target shows its filing number: none unless it shows one beyond doubt.
fn filing_shown(duties: &[Duty]) -> Vec<&str> {
    let met = |duty: &&Duty| duty.category == DutyCategory::FilingShown && duty.status == DutyStatus::Met;
    let rows = duties.iter().filter(met).flat_map(|duty| &duty.evidence);
    let is_number = |row: &&Evidence| {
        row.matched.contains(|ch: char| ch.is_ascii_digit()) && !row.matched.to_lowercase().contains("icp")
    };
    rows.filter(is_number).map(|row| row.text.as_str()).collect()
}

/// Whether a report says that the scan did not come to its end: [`Scanner::unfinished`].
pub fn is_unfinished(report: &Report) -> bool {
    report.coverage.verdict == Verdict::Opaque
        && report.coverage.gaps.iter().any(|gap| {
            gap.material
                && gap.part == PartName::Container
                && gap.reason == GapReason::Failed
                && gap.place.is_empty()
        })
}

/// SHA-256 over the texts in their order, each with its length.
fn text_digest(inspection: &Inspection) -> String {
    let mut digest = Sha256::new();
    for text in &inspection.texts {
        digest.update((text.text.len() as u64).to_le_bytes());
        digest.update(&text.text);
    }
    hex(&digest.finalize())
}

/// States where a package is not what the store says of it.
fn compare(listing: &Listing, artifact: &Artifact, inspection: &mut Inspection) {
    let differs = |listed: &Option<String>, own: Option<&str>| match (listed.as_deref(), own) {
        (Some(listed), Some(own)) if listed != own => Some(format!("{listed} in the store, {own} here")),
        _ => None,
    };
    let identity = &inspection.identity;
    let found = [
        ("listing.digest-differs", differs(&listing.sha256, Some(&artifact.sha256))),
        ("listing.package-differs", differs(&listing.package, identity.id.as_deref())),
        ("listing.version-differs", differs(&listing.version, identity.version.as_deref())),
    ];
    for (code, detail) in found {
        if let Some(detail) = detail {
            inspection.anomaly(code, &Place::entry(""), detail);
        }
    }
}

/// The whole path of what is scanned: folders above it may tell what the package does not.
fn named(path: &Path) -> String {
    fs::canonicalize(path).as_deref().unwrap_or(path).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_what_happened() {
        let path = || PathBuf::from("a.apk");
        let missing = ScanError::Unreadable { path: path(), source: io::ErrorKind::NotFound.into() };
        assert_eq!(missing.words(Lang::En), "no such file");
        let text = ScanError::NotAPackage { path: path(), cause: "plain text".into() };
        assert_eq!(text.words(Lang::En), "not a package that can be scanned: plain text");
    }
}
