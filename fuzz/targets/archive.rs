//! ZIP archives: the list, every entry, in full and its head.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::archive::Archive;
use zhijian::decode::blob::Blob;

fuzz_target!(|data: &[u8]| {
    let Ok((archive, _)) = Archive::open(Blob::memory(data)) else { return };
    // Every entry may state the same bytes: a few are enough.
    for entry in archive.entries().iter().take(16) {
        assert!(archive.entry(&entry.name).is_some());
        assert!(archive.head(entry, 64).len() <= 64);
        let _ = archive.content(entry);
    }
});
