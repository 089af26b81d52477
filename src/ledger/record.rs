//! A report in short, as the ledger keeps it.

use std::collections::{BTreeMap, BTreeSet};

use super::standing::{Recorded, in_order};
use crate::model::{
    Deed, DutyRecord, FindingRecord, Level, Report, RosterEntry, ScanRecord, TargetKind, evidence_keys,
};

/// What a report means for the code. `digest` is that of the whole report; `disguises` is what goes on under another
/// label since reports before.
pub fn scan_record(report: &Report, digest: String, disguises: &[FindingRecord]) -> ScanRecord {
    let findings = report.findings.iter().filter(|finding| finding.level >= Level::Suspected);
    let mut findings: Vec<FindingRecord> = findings
        .map(|finding| FindingRecord {
            rule: finding.rule.clone(),
            category: finding.category,
            level: finding.level,
            evidence: evidence_keys(finding),
            disguised: false,
        })
        .collect();
    for disguise in disguises {
        match findings.iter_mut().find(|finding| finding.rule == disguise.rule) {
            // What is under another label may still be suspected by its names.
            Some(finding) if disguise.level >= finding.level => {
                finding.level = disguise.level;
                finding.disguised = true;
                finding.evidence.extend(disguise.evidence.iter().cloned());
                finding.evidence.sort();
                finding.evidence.dedup();
            }
            Some(_) => {}
            None => findings.push(disguise.clone()),
        }
    }
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

/// The keys by which the ledger may know the target of a report, the likeliest first: by what the platform calls it,
/// by owner and name, by name. Empty where the report says nothing of the sort.
pub fn target_keys(report: &Report) -> Vec<String> {
    let kind = report.target.kind;
    let registered = report.registered.as_ref();
    let account = report.page.as_ref().map(|page| &page.account);
    let seen = match (account, &report.group) {
        (Some(account), _) => account.name.clone(),
        (None, Some(group)) => group.name.clone(),
        (None, None) => report.identity.name.clone(),
    };
    let name = registered.and_then(|registered| registered.name.clone()).or(seen);
    let owner = registered.and_then(|registered| registered.owner.clone());
    let ids = match account {
        Some(account) => vec![account.id.clone(), account.alias.clone(), account.biz.clone()],
        None => vec![report.identity.id.clone()],
    };
    let entry = |id: Option<String>, owner: Option<String>| {
        RosterEntry { id, name: name.clone(), owner, ..RosterEntry::new(kind) }.key()
    };
    let mut keys: Vec<String> = ids.into_iter().flatten().filter_map(|id| entry(Some(id), None)).collect();
    keys.extend(owner.and_then(|owner| entry(None, Some(owner))));
    keys.extend(entry(None, None));
    keys.dedup();
    keys
}

/// Which earlier reports a new one has to be compared with, and by which rules: for each rule the latest report that
/// found it under its own name.
pub fn found_before(events: &[Recorded]) -> BTreeMap<String, BTreeSet<String>> {
    let mut latest: BTreeMap<&str, &str> = BTreeMap::new();
    for recorded in in_order(events) {
        if let Deed::Scanned(scan) = &recorded.event.deed {
            let named = scan.findings.iter().filter(|finding| !finding.disguised);
            latest.extend(named.map(|finding| (finding.rule.as_str(), scan.report.as_str())));
        }
    }
    let mut reports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (rule, report) in latest {
        reports.entry(report.to_owned()).or_default().insert(rule.to_owned());
    }
    reports
}
