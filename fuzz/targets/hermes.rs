//! Hermes bytecode: strings, functions and the uses of every string.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::hermes::Bundle;

fuzz_target!(|data: &[u8]| {
    let Ok((bundle, _)) = Bundle::parse(data) else { return };
    for index in (0..bundle.string_count()).take(4096) {
        let _ = bundle.is_identifier(index);
        if let Some(text) = bundle.string(index) {
            assert!(text.offset <= data.len());
        }
    }
    for index in (0..bundle.function_count()).take(4096) {
        let _ = (bundle.function_name(index), bundle.function_offset(index));
    }
    let (uses, _) = bundle.uses(&vec![true; bundle.string_count() as usize]);
    for found in &uses {
        assert!(found.string < bundle.string_count());
    }
});
