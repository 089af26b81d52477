//! Documents that scripts, pages and data carry in Base64: a page for a frame, a bundle for `eval`.

use std::sync::Arc;

use data_encoding::BASE64_NOPAD;

use crate::decode::js::{Script, base64_document};
use crate::model::{GapReason, Inspection, PartName, Place};

/// So many documents may be one within the other.
const MAX_DEPTH: u8 = 2;
/// So many are read of one file.
const MAX_COUNT: usize = 64;
/// Bytes read of all of one file together.
const MAX_BYTES: usize = 16 << 20;

/// What stands between a file and the offset of a document in it.
pub(super) const MARK: &str = "!base64@";

/// Reads the documents in the strings of a script.
pub(super) fn in_script(
    path: &str,
    source: &[u8],
    script: &Script<'_>,
    depth: u8,
    inspection: &mut Inspection,
) {
    let found = script.embedded.iter();
    read(path, source, found.map(|found| (found.offset, found.start..found.end)), depth, inspection);
}

/// Reads the documents in `data:` addresses of a text.
pub(super) fn in_text(path: &str, source: &[u8], depth: u8, inspection: &mut Inspection) {
    let found = memchr::memmem::find_iter(source, b"data:").filter_map(|at| {
        let rest = source.get(at..)?;
        let start = base64_document(rest)?;
        let body = rest.get(start..)?;
        let length = body.iter().position(|&byte| !is_base64(byte)).unwrap_or(body.len());
        Some((at, at + start..at + start + length))
    });
    read(path, source, found, depth, inspection);
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

fn read(
    path: &str,
    source: &[u8],
    found: impl Iterator<Item = (usize, std::ops::Range<usize>)>,
    depth: u8,
    inspection: &mut Inspection,
) {
    let mut room = MAX_BYTES;
    for (count, (offset, range)) in found.enumerate() {
        let place = Place::offset(path, offset as u64);
        let encoded = source.get(range).unwrap_or_default();
        let encoded = encoded.strip_suffix(b"==").or(encoded.strip_suffix(b"=")).unwrap_or(encoded);
        if count >= MAX_COUNT || depth >= MAX_DEPTH || encoded.len() / 4 * 3 > room {
            inspection.unread(PartName::Text);
            let detail = (
                "内嵌的 Base64 文档过多、过大或嵌套过深，其余未检视",
                "too many, too large or too deeply nested documents in Base64; the rest is not read",
            );
            inspection.gap(PartName::Text, &place, GapReason::LimitReached, detail);
            return;
        }
        // What begins like a document and is cut is still a document up to there.
        let (decoded, whole) = match BASE64_NOPAD.decode(encoded) {
            Ok(decoded) => (decoded, true),
            Err(error) => {
                let valid = encoded.get(..error.position / 4 * 4).unwrap_or_default();
                (BASE64_NOPAD.decode(valid).unwrap_or_default(), false)
            }
        };
        if !whole {
            inspection.anomaly("base64.malformed", &place, "a document in Base64 breaks off");
        }
        room -= decoded.len().min(room);
        let inner: Arc<str> = Arc::from(format!("{path}{MARK}{offset:#x}"));
        super::read_within(&[(inner, decoded)], depth + 1, inspection);
    }
}

/// The ending that a document would have, by its beginning.
pub(super) fn extension(bytes: &[u8]) -> &'static str {
    match bytes.trim_ascii_start().first() {
        Some(b'<') => "html",
        Some(b'{' | b'[') => "json",
        _ => "js",
    }
}
