//! Native libraries: every string.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::elf::Library;

fuzz_target!(|data: &[u8]| {
    let Ok(library) = Library::parse(data) else { return };
    assert!(library.data().iter().all(|range| data.get(range.clone()).is_some()));
    let held: usize = library.strings(|_| true).iter().map(|string| string.text.len()).sum();
    assert!(held <= data.len() * 3);
});
