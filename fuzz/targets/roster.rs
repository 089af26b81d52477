//! Rosters and filing lists: any bytes end in rows with their lines, or in an error.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use zhijian::roster::{FilingList, Layout, Roster};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(roster) = Roster::parse(bytes, Path::new(""), &Layout::default()) {
        for row in &roster.rows {
            assert!(row.line > 0 && row.entry.key().is_some());
        }
        assert!(roster.rejected.iter().all(|row| !row.reason.is_empty() && !row.reason_en.is_empty()));
    }
    let _ = FilingList::parse(bytes);
});
