//! HTML: character sets, texts, titles, scripts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::html::{decode, read};

fuzz_target!(|data: &[u8]| {
    let source = decode(data);
    let page = read(&source);
    for text in &page.texts {
        assert!(text.offset.is_none_or(|offset| offset <= source.len()));
    }
    for (offset, _) in &page.scripts {
        assert!(offset.is_none_or(|offset| offset <= source.len()));
    }
});
