//! A report in short, as the ledger keeps it.

use crate::model::{DutyRecord, FindingRecord, Level, Report, ScanRecord, TargetKind, evidence_keys};

/// What a report means for the code. `digest` is that of the whole report; `disguised` are the rules whose function
/// the report before had under another label.
pub fn scan_record(report: &Report, digest: String, disguised: &[String]) -> ScanRecord {
    let findings = report.findings.iter().filter(|finding| finding.level >= Level::Suspected);
    let mut findings: Vec<FindingRecord> = findings
        .map(|finding| FindingRecord {
            rule: finding.rule.clone(),
            category: finding.category,
            level: finding.level,
            evidence: evidence_keys(finding),
            disguised: disguised.contains(&finding.rule),
        })
        .collect();
    findings.sort_by(|a, b| a.rule.cmp(&b.rule));
    let duties = report.duties.iter();
    ScanRecord {
        report: digest,
        artifact: report.artifact.sha256.clone(),
        kind: report.target.kind,
        page: (report.target.kind == TargetKind::AccountPage).then(|| report.target.source.clone()),
        version: report.identity.version.clone(),
        ruleset: report.engine.ruleset.digest.clone(),
        coverage: report.coverage.verdict,
        findings,
        duties: duties.map(|duty| DutyRecord { rule: duty.rule.clone(), status: duty.status }).collect(),
    }
}
