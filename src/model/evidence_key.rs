//! What makes two rows of evidence the same from one version of a package to the next.

use sha2::{Digest, Sha256};

use super::{Anchor, Evidence, Finding, Level, hex};

/// The key of a row: rule, kind, text, what was matched, screen and widget. Offsets, resource ids and the way through
/// the code change with every build and do not count. 16 hexadecimal digits.
pub fn evidence_key(rule: &str, evidence: &Evidence) -> String {
    let kind = format!("{:?}", evidence.kind);
    let (screen, widget) = (evidence.screen.as_deref(), evidence.widget.as_deref());
    key(&[rule, &kind, &evidence.text, &evidence.matched, screen.unwrap_or(""), widget.unwrap_or("")])
}

/// The key of an anchor by which a disguised function is known again: rule, kind, name and screen.
pub fn anchor_key(rule: &str, anchor: &Anchor) -> String {
    let kind = format!("anchor {:?}", anchor.kind);
    key(&[rule, &kind, &anchor.name, anchor.screen.as_deref().unwrap_or("")])
}

fn key(parts: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    hex(&digest.finalize()[..8])
}

/// The keys of the rows that a finding rests on, sorted: those that suspect by themselves, or all where none does.
pub fn evidence_keys(finding: &Finding) -> Vec<String> {
    let strong = |row: &&Evidence| row.level >= Level::Suspected;
    let any = finding.evidence.iter().any(|row| strong(&row));
    let counted = finding.evidence.iter().filter(|row| !any || strong(row));
    let mut keys: Vec<String> = counted.map(|row| evidence_key(&finding.rule, row)).collect();
    keys.sort();
    keys.dedup();
    keys
}
