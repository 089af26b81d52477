//! Mini programs encrypted by the PC client; the id is a fixed one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::wxapkg_cipher::{appids, decrypt};

fuzz_target!(|data: &[u8]| {
    if let Ok(path) = std::str::from_utf8(data) {
        appids(path);
    }
    if let Some(opened) = decrypt(data, "wx0123456789abcdef") {
        assert!(opened.len() <= data.len());
    }
});
