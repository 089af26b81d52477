//! A code as a document that leaves the house.

use jiff::Timestamp;

use super::history::History;
use super::standing::Recorded;
use crate::model::{CODE_SCHEMA, CodeDocument, EventLink, ReportLink, TargetKind};

/// The code of a target at a moment. `events` are those the history was made from. `None` before the first event.
pub fn code_document(
    target: &str,
    events: &[Recorded],
    history: &History,
    as_of: Timestamp,
) -> Option<CodeDocument> {
    let present = history.present()?;
    let last =
        events.iter().filter(|recorded| recorded.event.at <= as_of).max_by_key(|recorded| recorded.seq)?;
    let (standing, entry) = (&history.standing, history.standing.entry());
    Some(CodeDocument {
        schema: CODE_SCHEMA.to_owned(),
        target: target.to_owned(),
        kind: entry.map_or_else(|| kind_of(target), |entry| entry.kind),
        name: entry.and_then(|entry| entry.name.clone()),
        owner: entry.and_then(|entry| entry.owner.clone()),
        level: entry.and_then(|entry| entry.level),
        region: entry.and_then(|entry| entry.region.clone()),
        filing: standing.filing().map(str::to_owned),
        code: present.code.suggested,
        state: present.code.state.clone(),
        state_en: present.code.state_en.clone(),
        reasons: present.code.reasons.clone(),
        since: present.since,
        as_of,
        policy: present.code.policy.clone(),
        last_event: EventLink { seq: last.seq, hash: last.hash.clone() },
        report: standing.report().map(|sha256| ReportLink { sha256: sha256.to_owned(), address: None }),
    })
}

/// What the key of a target says of its kind, see [`crate::model::RosterEntry::key`].
fn kind_of(target: &str) -> TargetKind {
    match target.split(':').next() {
        Some("mini-program") => TargetKind::MiniProgram,
        Some("quick-app") => TargetKind::QuickApp,
        Some("account") => TargetKind::Account,
        Some("group") => TargetKind::Group,
        _ => TargetKind::App,
    }
}
