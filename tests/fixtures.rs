//! Every fixture gets exactly what its source says: `fixture.yaml` beside each source is the truth, written by
//! reasoning from the source, and this test compares a scan of the built package with it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};

use serde::Deserialize;
use zhijian::model::{
    Category, Duty, Evidence, EvidenceKind, Finding, Gap, GapReason, Level, Report, TargetKind, Verdict,
};
use zhijian::roster::FilingRecord;
use zhijian::rule::RuleSet;
use zhijian::scan::{Scanner, Silent};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    package: String,
    #[allow(dead_code)]
    what: String,
    kind: TargetKind,
    id: Option<String>,
    name: Option<String>,
    version: Option<String>,
    coverage: Verdict,
    /// Gaps that must be stated: the reason, and a part of the wording.
    #[serde(default)]
    gaps: Vec<Unseen>,
    #[serde(default)]
    findings: Vec<Expected>,
    #[serde(default)]
    duties: std::collections::BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Unseen {
    reason: GapReason,
    text: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    category: Category,
    level: Level,
    #[serde(default)]
    evidence: Vec<Row>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    text: Option<String>,
    kind: Option<EvidenceKind>,
    #[serde(rename = "where")]
    place: Option<String>,
    screen: Option<String>,
    widget: Option<String>,
    #[serde(default)]
    chain: Vec<String>,
    locale: Option<String>,
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"))
}

fn fixtures() -> Vec<(PathBuf, Fixture)> {
    let mut found = Vec::new();
    for format in ["apk", "apk_set", "aab", "h5", "hap", "ipa", "rpk", "wgt", "wxapkg"] {
        for folder in std::fs::read_dir(root().join(format)).unwrap() {
            let folder = folder.unwrap().path();
            let files =
                if folder.is_dir() { std::fs::read_dir(folder).unwrap().collect() } else { Vec::new() };
            for path in files.into_iter().map(|file| file.unwrap().path()) {
                let name = path.file_name().unwrap().to_string_lossy();
                if name.starts_with("fixture") && name.ends_with(".yaml") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let fixture: Fixture =
                        serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
                    found.push((path, fixture));
                }
            }
        }
    }
    found.sort_by(|a, b| a.1.package.cmp(&b.1.package));
    found
}

fn scan(scanner: &Scanner, package: &Path) -> Report {
    scanner.scan(package, &Silent).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_fixture_gets_what_its_source_says() {
    let scanner = Scanner::new(RuleSet::embedded().unwrap(), FilingRecord::Unknown);
    let fixtures = fixtures();
    assert!(fixtures.len() >= 20, "only {} fixtures", fixtures.len());
    let mut wrong = Vec::new();
    for (path, fixture) in &fixtures {
        let report = scan(&scanner, &root().join(&fixture.package));
        let name = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        let mut fail = |what: String| wrong.push(format!("{name} ({}): {what}", fixture.package));
        if report.target.kind != fixture.kind {
            fail(format!("kind {:?}", report.target.kind));
        }
        for (what, expected, got) in [
            ("id", &fixture.id, &report.identity.id),
            ("name", &fixture.name, &report.identity.name),
            ("version", &fixture.version, &report.identity.version),
        ] {
            if expected.is_some() && expected != got {
                fail(format!("{what}: expected {expected:?}, got {got:?}"));
            }
        }
        if report.coverage.verdict != fixture.coverage {
            fail(format!("coverage {:?}: {:#?}", report.coverage.verdict, report.coverage.gaps));
        }
        for unseen in &fixture.gaps {
            let stated = |gap: &Gap| gap.reason == unseen.reason && gap.detail.contains(&unseen.text);
            if !report.coverage.gaps.iter().any(stated) {
                fail(format!("no gap {unseen:?} in {:#?}", report.coverage.gaps));
            }
        }
        for expected in &fixture.findings {
            match report.findings.iter().find(|finding| finding.category == expected.category) {
                None => fail(format!("no finding {:?}", expected.category)),
                Some(finding) => {
                    if finding.level != expected.level {
                        fail(format!(
                            "{:?}: expected {:?}, got {:?}: {}",
                            expected.category,
                            expected.level,
                            finding.level,
                            rows(finding)
                        ));
                    }
                    for row in &expected.evidence {
                        if !finding.evidence.iter().any(|evidence| row.holds(evidence)) {
                            fail(format!(
                                "{:?}: no evidence {row:?} in {}",
                                expected.category,
                                rows(finding)
                            ));
                        }
                    }
                }
            }
        }
        for finding in report.findings.iter().filter(|finding| finding.level > Level::Mention) {
            if !fixture.findings.iter().any(|expected| expected.category == finding.category) {
                fail(format!(
                    "{:?} {:?} is not in its source: {}",
                    finding.level,
                    finding.category,
                    rows(finding)
                ));
            }
        }
        for (category, status) in &fixture.duties {
            match report.duties.iter().find(|duty| word(&duty.category) == *category) {
                Some(duty) if word(&duty.status) == *status => {}
                Some(duty) => fail(format!("{category}: expected {status}, got {}", describe(duty))),
                None => fail(format!("no duty {category}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// The word of an enumeration as the report writes it.
fn word(value: &impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

fn describe(duty: &Duty) -> String {
    let rows: Vec<String> = duty.evidence.iter().map(|e| format!("{} @ {}", e.text, e.place)).collect();
    format!("{} ({})", word(&duty.status), rows.join("; "))
}

fn rows(finding: &Finding) -> String {
    let row = |e: &Evidence| {
        format!(
            "\n    {:?} {:?} {:?} @ {} | {} | {} | {} | {}",
            e.level,
            e.kind,
            e.text.chars().take(60).collect::<String>(),
            e.place,
            e.screen.as_deref().unwrap_or("-"),
            e.widget.as_deref().unwrap_or("-"),
            e.chain.join(" → "),
            e.note
        )
    };
    finding.evidence.iter().map(row).collect()
}

impl Row {
    fn holds(&self, evidence: &Evidence) -> bool {
        let part = |part: &Option<String>, whole: Option<&str>| {
            part.as_ref().is_none_or(|part| whole.is_some_and(|whole| whole.contains(part.as_str())))
        };
        let place = self.place.as_ref().is_none_or(|part| {
            evidence.place.contains(part.as_str())
                || evidence.chain.iter().any(|step| step.contains(part.as_str()))
        });
        let chain =
            self.chain.iter().all(|part| evidence.chain.iter().any(|step| step.contains(part.as_str())));
        self.text.as_ref().is_none_or(|text| evidence.text.contains(text.as_str()))
            && self.kind.is_none_or(|kind| evidence.kind == kind)
            && place
            && part(&self.screen, evidence.screen.as_deref())
            && part(&self.widget, evidence.widget.as_deref())
            && chain
            && self.locale.as_ref().is_none_or(|locale| evidence.locale.as_deref() == Some(locale.as_str()))
    }
}
