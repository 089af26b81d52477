//! SARIF 2.1.0 (OASIS): one log with one run; every scanned file is an artifact, every finding a result.
//!
//! Confirmed findings are errors, suspected ones warnings, mentions notes. A missing duty is a warning, one that
//! could not be told an open result. Gaps, anomalies and files that could not be scanned are notifications.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::json::write_value;
use super::prose::{self, visible};
use super::{Format, Run, View};
use crate::model::{Acceptance, Basis, Duty, DutyStatus, Evidence, Finding, Lang, Level, Report, hex};

pub(super) const FORMAT: Format =
    Format { name: "sarif", media: "application/sarif+json", streams: false, write };

fn write(run: &Run<'_>, view: View, out: &mut dyn Write) -> io::Result<()> {
    write_value(&log(run, view.lang), out)
}

fn log(run: &Run<'_>, lang: Lang) -> Value {
    let mut rules: BTreeMap<&str, Value> = BTreeMap::new();
    for report in run.reports {
        for finding in &report.findings {
            rules.entry(&finding.rule).or_insert_with(|| finding_rule(finding, lang));
        }
        for duty in &report.duties {
            rules.entry(&duty.rule).or_insert_with(|| duty_rule(duty, lang));
        }
    }
    let index: BTreeMap<&str, usize> = rules.keys().enumerate().map(|(index, rule)| (*rule, index)).collect();
    let mut results = Vec::new();
    let mut notifications = Vec::new();
    for (artifact, report) in run.reports.iter().enumerate() {
        let file = json!({ "uri": uri(&report.target.source), "index": artifact });
        for finding in &report.findings {
            let level = match finding.level {
                Level::Confirmed => "error",
                Level::Suspected => "warning",
                Level::Mention => "note",
            };
            let said = Said {
                rule: &finding.rule,
                index: index.get(finding.rule.as_str()).copied().unwrap_or_default(),
                kind: "fail",
                level,
                title: lang.pick(&finding.title, &finding.title_en),
                explanation: lang.pick(&finding.explanation, &finding.explanation_en),
                evidence: &finding.evidence,
                accepted: finding.accepted.as_ref(),
            };
            results.push(said.result(&file, lang));
        }
        for duty in &report.duties {
            let (kind, level) = match duty.status {
                DutyStatus::Met => continue,
                DutyStatus::Missing => ("fail", "warning"),
                DutyStatus::Unknown => ("open", "none"),
            };
            let said = Said {
                rule: &duty.rule,
                index: index.get(duty.rule.as_str()).copied().unwrap_or_default(),
                kind,
                level,
                title: lang.pick(&duty.title, &duty.title_en),
                explanation: lang.pick(&duty.explanation, &duty.explanation_en),
                evidence: &duty.evidence,
                accepted: None,
            };
            results.push(said.result(&file, lang));
        }
        notifications.extend(report.coverage.gaps.iter().map(|gap| {
            let what = match lang {
                Lang::Zh => format!("{}，{}：{}", gap.part.zh(), gap.reason.zh(), gap.detail),
                Lang::En => format!("{}, {}: {}", gap.part.en(), gap.reason.en(), gap.detail_en),
            };
            let level = if gap.material { "warning" } else { "note" };
            notification("gap", level, &what, &file, &gap.place)
        }));
        notifications.extend(report.anomalies.iter().map(|anomaly| {
            let what = format!("{} ({}: {})", anomaly.meaning(lang), anomaly.code, anomaly.detail);
            notification("anomaly", "note", &what, &file, &anomaly.place)
        }));
    }
    notifications.extend(run.failures.iter().map(|failure| {
        let what = format!("{}: {}", failure.source, failure.cause);
        notification("not-scanned", "error", &what, &json!({ "uri": uri(&failure.source) }), "")
    }));
    json!({
        "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": driver(run.reports, rules.into_values().collect(), lang) },
            "invocations": [{
                "executionSuccessful": run.failures.is_empty(),
                "toolExecutionNotifications": notifications,
            }],
            "artifacts": run.reports.iter().map(artifact).collect::<Vec<_>>(),
            "results": results,
            "columnKind": "unicodeCodePoints",
            "language": lang.pick("zh-CN", "en"),
        }],
    })
}

fn driver(reports: &[Report], rules: Vec<Value>, lang: Lang) -> Value {
    let notice =
        |id: &str, zh: &str, en: &str| json!({ "id": id, "shortDescription": { "text": lang.pick(zh, en) } });
    let mut driver = json!({
        "name": "zhijian",
        "fullName": lang.pick("指尖质检", "zhijian: detection of formalism at the fingertips"),
        "version": env!("CARGO_PKG_VERSION"),
        "semanticVersion": env!("CARGO_PKG_VERSION"),
        "rules": rules,
        "notifications": [
            notice("gap", "未能检视的内容", "Content that could not be read"),
            notice("anomaly", "结构异常", "Something out of order in the structure"),
            notice("not-scanned", "未能检测的文件", "A file that could not be scanned"),
        ],
    });
    if let (Some(report), Some(driver)) = (reports.first(), driver.as_object_mut()) {
        driver.insert("properties".into(), json!({ "rulesetDigest": report.engine.ruleset.digest }));
    }
    driver
}

fn artifact(report: &Report) -> Value {
    json!({
        "location": { "uri": uri(&report.target.source) },
        "length": report.artifact.bytes,
        "roles": ["analysisTarget"],
        "hashes": { "sha-256": report.artifact.sha256 },
        "properties": {
            "format": report.artifact.format,
            "identity": report.identity,
            "code": report.code,
            "coverage": { "verdict": report.coverage.verdict, "percent": report.coverage.percent },
        },
    })
}

fn finding_rule(finding: &Finding, lang: Lang) -> Value {
    let title = lang.pick(&finding.title, &finding.title_en);
    let advice = lang.pick(&finding.remediation, &finding.remediation_en);
    rule(&finding.rule, title, advice, &finding.basis, prose::category_id(finding.category), lang)
}

fn duty_rule(duty: &Duty, lang: Lang) -> Value {
    let title = lang.pick(&duty.title, &duty.title_en);
    rule(&duty.rule, title, lang.pick(&duty.remediation, &duty.remediation_en), &duty.basis, "duty", lang)
}

fn rule(id: &str, title: &str, advice: &str, basis: &[Basis], tag: &str, lang: Lang) -> Value {
    let clauses: Vec<String> = basis
        .iter()
        .map(|b| match lang {
            Lang::Zh => format!("{}{}：{}", b.document, b.clause, b.text),
            Lang::En => format!("{}, {}: {}", b.document_en, b.clause_en, b.text_en),
        })
        .collect();
    let full = if clauses.is_empty() { title.to_owned() } else { clauses.join("\n") };
    json!({
        "id": id,
        "name": pascal(id),
        "shortDescription": { "text": title },
        "fullDescription": { "text": full },
        "help": { "text": advice },
        "properties": { "tags": [tag] },
    })
}

/// `app.check-in` as SARIF likes the names of rules: `AppCheckIn`.
fn pascal(id: &str) -> String {
    let mut out = String::new();
    for word in id.split(['.', '-']) {
        let mut chars = word.chars();
        out.extend(chars.next().into_iter().flat_map(char::to_uppercase));
        out.push_str(chars.as_str());
    }
    out
}

/// What a result is made of.
struct Said<'a> {
    rule: &'a str,
    index: usize,
    kind: &'a str,
    level: &'a str,
    title: &'a str,
    explanation: &'a str,
    evidence: &'a [Evidence],
    accepted: Option<&'a Acceptance>,
}

impl Said<'_> {
    fn result(&self, file: &Value, lang: Lang) -> Value {
        let colon = lang.pick("：", ": ");
        let (first, others) = match self.evidence {
            [first, others @ ..] => (Some(first), others),
            [] => (None, self.evidence),
        };
        let flows: Vec<Value> =
            self.evidence.iter().filter(|row| !row.chain.is_empty()).map(|row| flow(row, file)).collect();
        let related: Vec<Value> = others
            .iter()
            .enumerate()
            .map(|(id, row)| {
                with(
                    location(Some(row), file),
                    json!({ "id": id, "message": { "text": row_text(row, lang) } }),
                )
            })
            .collect();
        let mut result = json!({
            "ruleId": self.rule,
            "ruleIndex": self.index,
            "kind": self.kind,
            "level": self.level,
            "message": { "text": format!("{}{colon}{}", self.title, self.explanation) },
            "locations": [location(first, file)],
            "partialFingerprints": { "zhijian/v1": fingerprint(self.rule, first) },
        });
        if !related.is_empty() {
            result = with(result, json!({ "relatedLocations": related }));
        }
        if !flows.is_empty() {
            result = with(result, json!({ "codeFlows": flows }));
        }
        if let Some(accepted) = self.accepted {
            let why = prose::acceptance(lang, accepted);
            let suppression =
                json!({ "kind": "external", "status": "accepted", "justification": visible(&why) });
            result = with(result, json!({ "suppressions": [suppression] }));
        }
        result
    }
}

fn row_text(row: &Evidence, lang: Lang) -> String {
    format!(
        "{} “{}” {}",
        prose::evidence_kind(lang, row.kind),
        visible(&row.text),
        lang.pick(&row.note, &row.note_en)
    )
}

fn location(row: Option<&Evidence>, file: &Value) -> Value {
    let mut out = json!({ "physicalLocation": { "artifactLocation": file } });
    if let Some(row) = row {
        let named = |name: &String, kind: &str| json!({ "fullyQualifiedName": name, "kind": kind });
        let mut logical = vec![named(&row.place, "resource")];
        logical.extend(row.screen.as_ref().map(|name| named(name, "screen")));
        logical.extend(row.widget.as_ref().map(|name| named(name, "widget")));
        out = with(out, json!({ "logicalLocations": logical }));
    }
    out
}

/// The chain of a row: from the stored text, a step each.
fn flow(row: &Evidence, file: &Value) -> Value {
    let start = std::iter::once(&row.place).chain(&row.chain);
    let steps: Vec<Value> = start
        .map(|step| {
            json!({ "location": {
                "physicalLocation": { "artifactLocation": file },
                "logicalLocations": [{ "fullyQualifiedName": step }],
                "message": { "text": step },
            }})
        })
        .collect();
    json!({ "threadFlows": [{ "locations": steps }] })
}

fn notification(id: &str, level: &str, text: &str, file: &Value, place: &str) -> Value {
    let mut location = json!({ "physicalLocation": { "artifactLocation": file } });
    if !place.is_empty() {
        location = with(
            location,
            json!({ "logicalLocations": [{ "fullyQualifiedName": place, "kind": "resource" }] }),
        );
    }
    json!({ "descriptor": { "id": id }, "level": level, "message": { "text": text }, "locations": [location] })
}

/// The first object with the members of the second.
fn with(object: Value, members: Value) -> Value {
    match (object, members) {
        (Value::Object(mut object), Value::Object(members)) => {
            object.extend(members);
            Value::Object(object)
        }
        (object, _) => object,
    }
}

/// The same in the next version of the package as long as rule, text and entry are the same.
fn fingerprint(rule: &str, row: Option<&Evidence>) -> String {
    let mut digest = Sha256::new();
    digest.update(rule);
    if let Some(row) = row {
        digest.update(format!("\0{}\0{}", row.text, prose::entry(&row.place)));
    }
    hex(&digest.finalize())
}

/// A path as a URI reference (RFC 3986): relative paths stay relative.
fn uri(path: &str) -> String {
    if path.starts_with("http://") || path.starts_with("https://") {
        return path.to_owned();
    }
    let mut out = String::from(if path.starts_with('/') { "file://" } else { "" });
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uri_references() {
        assert_eq!(uri("/a b/网.apk"), "file:///a%20b/%E7%BD%91.apk");
        assert_eq!(uri("c:x#1?.apk"), "c%3Ax%231%3F.apk");
        assert_eq!(pascal("app.check-in"), "AppCheckIn");
    }
}
