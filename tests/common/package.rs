//! Packages that differ from a fixture in bytes alone.

use std::path::Path;

/// A fixture with a number behind it: zip archives may have a comment at the end.
pub(crate) fn numbered(fixture: &str, number: u16) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(fixture);
    let mut bytes = std::fs::read(path).unwrap();
    let length = bytes.len();
    assert_eq!(&bytes[length - 2..], [0, 0], "the archive has no comment yet");
    bytes[length - 2..].copy_from_slice(&4u16.to_le_bytes());
    bytes.extend(format!("{number:04}").bytes());
    bytes
}
