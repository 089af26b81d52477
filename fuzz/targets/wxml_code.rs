//! Compiled templates of mini programs.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::wxml_code::{is_compiled, read};

fuzz_target!(|data: &[u8]| {
    let _ = is_compiled(data);
    let compiled = read(data);
    for template in &compiled.templates {
        for (index, element) in template.elements.iter().enumerate() {
            assert!(element.parent.is_none_or(|parent| (parent as usize) < index));
            assert!(element.texts.iter().all(|text| text.offset < data.len()));
        }
    }
});
