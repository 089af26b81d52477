//! A baseline: what a person has judged already, in a file that is kept beside the package and reviewed as code is,
//! for use without a ledger. YAML:
//!
//! ```yaml
//! schema: zhijian.baseline/1
//! accepted:
//!   - target: cn.gov.example.grid
//!     rule: app.check-in
//!     kind: exception            # or dismissed
//!     reason: 防汛值守签到
//!     by: 张三
//!     document: 某办〔2026〕3号    # an exception needs a document
//!     until: 2027-06-30          # and a last day
//!     evidence:
//!       - key: 0123456789abcdef
//!         text: 值守签到
//! ```
//!
//! An entry holds for the evidence it names and no other: a finding does not count only when everything it rests on is
//! named by entries that hold. What nobody has given a reason for does not hold.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_saphyr::Spanned;
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::model::{
    Acceptance, AcceptanceKind, BaselineRecord, Evidence, Finding, Identity, IdleEntry, Level, Report,
    evidence_key, evidence_keys, hex,
};
use crate::text::is_invisible;

/// Value of `schema`.
const SCHEMA: &str = "zhijian.baseline/1";
/// Larger files are no baselines.
const MAX_BYTES: u64 = 16 << 20;
/// Characters kept of a text that helps people to know the evidence again.
const MAX_TEXT: usize = 60;

/// Why a baseline could not be read.
#[derive(Debug, Error)]
pub enum BaselineError {
    /// The file could not be read.
    #[error("{path}: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Something in the file is wrong.
    #[error("{path}: {cause}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line.
        cause: String,
    },
}

/// A baseline file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Baseline {
    sha256: String,
    entries: Vec<(u64, Entry)>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: Spanned<String>,
    #[serde(default)]
    accepted: Vec<Spanned<Entry>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    target: String,
    rule: String,
    kind: AcceptanceKind,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    by: String,
    #[serde(default)]
    document: Option<String>,
    #[serde(default)]
    until: Option<Date>,
    /// Rows beyond the cap of the report that were there when it was written.
    #[serde(default)]
    omitted: u64,
    evidence: Vec<Row>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    key: String,
    #[serde(default)]
    text: String,
}

impl Entry {
    /// Why it does not hold on a day, in both languages.
    fn idle(&self, today: Date) -> Option<(String, String)> {
        if self.reason.trim().is_empty() || self.by.trim().is_empty() {
            let en = "no reason or no person is given; it does not hold";
            return Some(("未填写理由或者人员，不予采用".into(), en.into()));
        }
        let until = self.until.filter(|until| *until < today)?;
        Some((format!("已于 {until} 到期"), format!("it ended on {until}")))
    }
}

/// What a target is called in a baseline: its id, its name, or the name of its file.
pub fn target_name<'a>(identity: &'a Identity, source: &'a str) -> &'a str {
    let file = source.rsplit(['/', '\\']).next().unwrap_or_default();
    let known = [identity.id.as_deref(), identity.name.as_deref()].into_iter().flatten();
    known.map(str::trim).find(|name| !name.is_empty()).unwrap_or(file)
}

impl Baseline {
    /// Reads a file.
    pub fn read(path: &Path) -> Result<Baseline, BaselineError> {
        let unreadable = |source| BaselineError::Unreadable { path: path.to_owned(), source };
        let malformed = |cause| BaselineError::Malformed { path: path.to_owned(), cause };
        if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_BYTES {
            return Err(malformed(format!("over {} MB", MAX_BYTES >> 20)));
        }
        let bytes = std::fs::read(path).map_err(unreadable)?;
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let line = bytes.iter().take(error.valid_up_to()).filter(|byte| **byte == b'\n').count() + 1;
            malformed(format!("line {line}: not UTF-8"))
        })?;
        Baseline::parse(text).map_err(malformed)
    }

    fn parse(text: &str) -> Result<Baseline, String> {
        let file: File = serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
        let line = file.schema.referenced.line();
        if file.schema.value != SCHEMA {
            return Err(format!("line {line}: schema {}, wanted {SCHEMA}", file.schema.value));
        }
        let mut entries = Vec::new();
        for entry in file.accepted {
            let (line, entry) = (entry.referenced.line(), entry.value);
            let wrong = |cause: &str| Err(format!("line {line}: {cause}"));
            if entry.target.trim().is_empty() || entry.rule.trim().is_empty() {
                return wrong("target and rule are wanted");
            }
            let document = entry.document.as_deref().is_some_and(|document| !document.trim().is_empty());
            if entry.kind == AcceptanceKind::Exception && !(document && entry.until.is_some()) {
                return wrong("an exception needs document and until");
            }
            let is_key = |key: &str| {
                key.len() == 16 && key.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
            };
            if let Some(row) = entry.evidence.iter().find(|row| !is_key(&row.key)) {
                return wrong(&format!("key {:?} is not 16 hexadecimal digits", row.key));
            }
            entries.push((line, entry));
        }
        Ok(Baseline { sha256: hex(&Sha256::digest(text.as_bytes())), entries })
    }

    /// Marks the findings of a target of which everything is accepted on a day, and says which entries do not hold.
    pub fn apply(&self, target: &str, findings: &mut [Finding], today: Date) -> BaselineRecord {
        let mine: Vec<&(u64, Entry)> =
            self.entries.iter().filter(|(_, entry)| entry.target == target).collect();
        let mut idle: Vec<IdleEntry> = Vec::new();
        let mut say = |(line, entry): &(u64, Entry), (text, text_en): (String, String)| {
            idle.push(IdleEntry { line: *line, rule: entry.rule.clone(), text, text_en });
        };
        let mut holding: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
        let mut present: HashSet<String> = HashSet::new();
        for finding in findings.iter().filter(|finding| finding.level > Level::Mention) {
            present.extend(evidence_keys(finding));
        }
        for whole in &mine {
            let (_, entry) = whole;
            if let Some(why) = entry.idle(today) {
                say(whole, why);
                continue;
            }
            let lost = entry.evidence.iter().filter(|row| !present.contains(&row.key)).count();
            if lost == entry.evidence.len() {
                let en = "none of its evidence is found any more; delete it";
                say(whole, ("所列证据均已不在，可以删除".into(), en.into()));
                continue;
            }
            if lost > 0 {
                let zh = format!("所列证据有 {lost} 处已不在，可以删除这些行");
                say(whole, (zh, format!("{lost} of its rows are not found any more; delete them")));
            }
            holding.entry(&entry.rule).or_default().push(entry);
        }
        for finding in findings.iter_mut().filter(|finding| finding.level > Level::Mention) {
            let Some(entries) = holding.get(finding.rule.as_str()) else { continue };
            let named: HashSet<&str> =
                entries.iter().flat_map(|entry| entry.evidence.iter().map(|row| row.key.as_str())).collect();
            let keys = evidence_keys(finding);
            // Rows that a report does not list cannot be told from new ones.
            let listed = entries.iter().any(|entry| entry.omitted >= finding.evidence_omitted);
            if let (true, true, Some(entry)) =
                (listed, keys.iter().all(|key| named.contains(key.as_str())), entries.first())
            {
                finding.accepted = Some(Acceptance {
                    kind: entry.kind,
                    reason: joined(entries.iter().map(|entry| entry.reason.as_str())),
                    by: joined(entries.iter().map(|entry| entry.by.as_str())),
                    document: entry.document.clone(),
                    until: entries.iter().filter_map(|entry| entry.until).min(),
                });
            }
        }
        BaselineRecord { sha256: self.sha256.clone(), idle }
    }

    /// The file for what was found: entries that are there keep what people wrote in them, less the evidence that is
    /// gone; what is new gets an entry whose reason a person has to give. Entries of other targets stay as they are.
    pub fn renewed(&self, reports: &[Report]) -> String {
        let mut entries: Vec<Entry> = Vec::new();
        let of = |report: &'_ Report| target_name(&report.identity, &report.target.source).to_owned();
        let scanned: BTreeSet<String> = reports.iter().map(of).collect();
        entries.extend(
            self.entries
                .iter()
                .map(|(_, entry)| entry.clone())
                .filter(|entry| !scanned.contains(&entry.target)),
        );
        for target in scanned {
            let open = |report: &&Report| of(report) == target;
            let findings = reports.iter().filter(open).flat_map(|report| &report.findings);
            let mut rules: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
            for finding in findings.filter(|finding| finding.level > Level::Mention) {
                rules.entry(&finding.rule).or_default().push(finding);
            }
            for (rule, findings) in rules {
                let texts: BTreeMap<String, &Evidence> = findings
                    .iter()
                    .flat_map(|finding| finding.evidence.iter().map(|row| (evidence_key(rule, row), row)))
                    .collect();
                let mut left: BTreeSet<String> =
                    findings.iter().flat_map(|finding| evidence_keys(finding)).collect();
                let omitted =
                    findings.iter().map(|finding| finding.evidence_omitted).max().unwrap_or_default();
                let row = |key: String| {
                    let text = texts.get(&key).map(|row| row.text.chars().take(MAX_TEXT).collect());
                    Row { key, text: text.unwrap_or_default() }
                };
                let known =
                    self.entries.iter().filter(|(_, entry)| entry.target == target && entry.rule == rule);
                for (_, entry) in known {
                    let kept: Vec<Row> = entry
                        .evidence
                        .iter()
                        .filter(|row| left.remove(&row.key))
                        .map(|r| row(r.key.clone()))
                        .collect();
                    if !kept.is_empty() {
                        entries.push(Entry { evidence: kept, ..entry.clone() });
                    }
                }
                if !left.is_empty() {
                    entries.push(Entry {
                        target: target.clone(),
                        rule: rule.to_owned(),
                        kind: AcceptanceKind::Dismissed,
                        reason: String::new(),
                        by: String::new(),
                        document: None,
                        until: None,
                        omitted,
                        evidence: left.into_iter().map(row).collect(),
                    });
                }
            }
        }
        entries.sort_by(|a, b| (&a.target, &a.rule).cmp(&(&b.target, &b.rule)));
        written(&entries)
    }
}

fn joined<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut seen: Vec<&str> = Vec::new();
    texts.for_each(|text| {
        if !seen.contains(&text) {
            seen.push(text)
        }
    });
    seen.join("；")
}

/// The entries as YAML; the same entries, the same text.
fn written(entries: &[Entry]) -> String {
    let mut out = format!(
        "# 指尖质检基线：由人判定不计入的检出项。填写 reason（理由）和 by（人员）后生效；例外须有 document（文件）和 until（截止日期）。\n\
         # zhijian baseline: findings judged by a person. An entry holds when reason and by are given; kind: exception needs document and until.\n\
         schema: {SCHEMA}\naccepted:"
    );
    if entries.is_empty() {
        out.push_str(" []");
    }
    out.push('\n');
    for entry in entries {
        let kind = entry.kind.en();
        let _ = writeln!(out, "  - target: {}", quoted(&entry.target));
        let _ = writeln!(out, "    rule: {}", quoted(&entry.rule));
        let _ = writeln!(out, "    kind: {kind}");
        let _ = writeln!(out, "    reason: {}", quoted(&entry.reason));
        let _ = writeln!(out, "    by: {}", quoted(&entry.by));
        if let Some(document) = &entry.document {
            let _ = writeln!(out, "    document: {}", quoted(document));
        }
        if let Some(until) = entry.until {
            let _ = writeln!(out, "    until: {until}");
        }
        if entry.omitted > 0 {
            let _ = writeln!(out, "    omitted: {}", entry.omitted);
        }
        out.push_str("    evidence:\n");
        for row in &entry.evidence {
            let _ = writeln!(out, "      - key: \"{}\"", row.key);
            if !row.text.is_empty() {
                let _ = writeln!(out, "        text: {}", quoted(&row.text));
            }
        }
    }
    out
}

/// A string in double quotes, with escapes for whatever does not show.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for ch in text.chars() {
        match ch {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            _ if ch.is_control()
                || is_invisible(ch)
                || matches!(ch, '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}') =>
            {
                let _ = write!(out, "\\U{:08x}", u32::from(ch));
            }
            _ => out.push(ch),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRY: &str = "schema: zhijian.baseline/1\naccepted:\n  - target: a\n    rule: app.check-in\n    kind: dismissed\n    reason: 名称所致\n    by: 张三\n    evidence:\n      - key: \"0123456789abcdef\"\n";

    #[test]
    fn what_is_wrong_is_said_with_its_line() {
        assert_eq!(Baseline::parse(ENTRY).unwrap().entries.len(), 1);
        for (wrong, says) in [
            (ENTRY.replace("baseline/1", "baseline/2"), "line 1"),
            (ENTRY.replace("dismissed", "exception"), "line 3"),
            (ENTRY.replace("dismissed", "maybe"), "line 5"),
            (ENTRY.replace("0123456789abcdef", "0123"), "line 3"),
            (ENTRY.replace("by:", "who:"), "line 7"),
            (ENTRY.replace("    by: 张三\n", "    by: 张三\n    until: 2026-02-30\n"), "line 8"),
        ] {
            let error = Baseline::parse(&wrong).unwrap_err();
            assert!(error.contains(says), "{wrong}\n{error}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let text = "a\"b\\c\n\u{1b}[31m\u{202e}打卡\u{feff}";
        let entry = Entry {
            target: text.into(),
            rule: "app.check-in".into(),
            kind: AcceptanceKind::Exception,
            reason: text.into(),
            by: "张三".into(),
            document: Some("某办〔2026〕3号".into()),
            until: Some(jiff::civil::date(2027, 6, 30)),
            omitted: 3,
            evidence: vec![Row { key: "0123456789abcdef".into(), text: text.into() }],
        };
        let yaml = written(std::slice::from_ref(&entry));
        let read = Baseline::parse(&yaml).unwrap();
        let (_, back) = &read.entries[0];
        assert_eq!(
            (&back.target, &back.reason, back.until, back.omitted),
            (&entry.target, &entry.reason, entry.until, 3)
        );
        assert_eq!(back.evidence[0].text, text);
        assert_eq!(written(std::slice::from_ref(back)), yaml);
        assert!(!yaml.contains('\u{1b}') && !yaml.contains('\u{202e}'));
        assert!(Baseline::parse(&written(&[])).unwrap().entries.is_empty());
    }

    #[test]
    fn an_entry_without_a_reason_or_after_its_last_day_does_not_hold() {
        let today = jiff::civil::date(2026, 11, 26);
        let entry = |text: &str| Baseline::parse(text).unwrap().entries[0].1.clone();
        assert!(entry(ENTRY).idle(today).is_none());
        assert!(entry(&ENTRY.replace("名称所致", "\" \"")).idle(today).is_some());
        let until = |day: &str| ENTRY.replace("张三\n", &format!("张三\n    until: {day}\n"));
        assert!(entry(&until("2026-11-26")).idle(today).is_none());
        assert!(entry(&until("2026-11-25")).idle(today).is_some());
    }
}
