//! Dart snapshots: strings of both widths.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::dart::Snapshot;

fuzz_target!(|data: &[u8]| {
    let Ok(snapshot) = Snapshot::parse(data, &[]) else { return };
    for string in snapshot.wide().into_iter().chain(snapshot.narrow()) {
        assert!(string.offset < data.len());
    }
});
