//! Exports of work groups: any bytes are read, and no eleven digits in a row leave the room.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::group::{Input, read};

fuzz_target!(|bytes: &[u8]| {
    for read in read(&Input::new(bytes, "")).unwrap_or_default() {
        for text in &read.inspection.texts {
            let mut run = 0;
            for ch in text.text.chars() {
                run = if ch.is_ascii_digit() { run + 1 } else { 0 };
                assert!(run < 11, "{}", text.text);
            }
        }
        read.inspection.coverage();
    }
});
