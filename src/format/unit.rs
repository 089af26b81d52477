//! What every format does with a unit of its package: read it, count it, state what was wrong with it.

use crate::decode::Issue;
use crate::decode::archive::{Archive, Entry};
use crate::model::{GapReason, Inspection, PartName, Place, described};

/// Turns the issues of a decoder into anomalies and, where content was lost, gaps.
pub(super) fn state(inspection: &mut Inspection, part: PartName, place: &Place, issues: Vec<Issue>) {
    for issue in issues {
        let at = match issue.offset {
            Some(offset) => Place::offset(place.path.clone(), offset),
            None => place.clone(),
        };
        if issue.lossy {
            let reason = if issue.code.contains("truncated") || issue.code.contains("no-directory") {
                GapReason::Truncated
            } else if issue.code == "folder.limit" {
                GapReason::LimitReached
            } else if issue.code.starts_with("folder.") {
                GapReason::NotInspected
            } else {
                GapReason::Malformed
            };
            let detail = described(issue.code, &format!("{}: {}", issue.code, issue.detail));
            inspection.gap(part, &at, reason, detail);
        }
        inspection.anomaly(issue.code, &at, issue.detail);
    }
}

/// The content of an entry, which places name by `place`; states the gap when it cannot be had.
pub(super) fn read(
    archive: &Archive,
    entry: &Entry,
    place: &Place,
    part: PartName,
    inspection: &mut Inspection,
) -> Option<Vec<u8>> {
    match archive.read(entry) {
        Ok((bytes, issues)) => {
            state(inspection, part, place, issues);
            Some(bytes)
        }
        Err(unread) => {
            inspection.unread(part);
            inspection.gap(part, place, unread.reason, unread.detail);
            None
        }
    }
}

/// Counts a unit as read, or as unread when its issues lost something.
pub(super) fn count(inspection: &mut Inspection, part: PartName, place: &Place, issues: Vec<Issue>) {
    if issues.iter().any(|issue| issue.lossy) {
        inspection.unread(part)
    } else {
        inspection.read(part)
    }
    state(inspection, part, place, issues);
}

/// One word about all pictures: what is written in them is not read.
pub(super) fn note_images(inspection: &mut Inspection, folder: &str) {
    let images = inspection.unread_count(PartName::Images);
    if images > 0 {
        let detail = (
            format!("图片 {images} 张，图片中的文字未识读"),
            format!("{images} pictures; text inside pictures is not read"),
        );
        inspection.note(PartName::Images, &Place::entry(folder), GapReason::NotInspected, detail);
    }
}
