//! Folding: the map back to the raw text, and that folding twice changes nothing more.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::text::{Folded, fold};

fuzz_target!(|raw: &str| {
    let folded = Folded::new(raw);
    assert_eq!(folded.as_str(), fold(raw));
    assert_eq!(fold(folded.as_str()), folded.as_str());
    let mut before = 0;
    for (at, ch) in folded.as_str().char_indices() {
        let range = folded.raw_range(at..at + ch.len_utf8());
        assert!(before <= range.start && raw.get(range.clone()).is_some(), "{at} {range:?}");
        before = range.start;
    }
});
