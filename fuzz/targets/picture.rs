//! Pictures and the QR codes in them. Panics of the libraries that read pictures are caught, so they are no findings.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::picture::{grey, size};

fuzz_target!(
    init: std::panic::set_hook(Box::new(|_| {})),
    |data: &[u8]| {
        size(data);
        if let Ok(grey) = grey(data) {
            assert_eq!(grey.pixels.len(), grey.width * grey.height);
            if grey.may_hold_code() {
                grey.codes();
            }
            let _ = (grey.levels(), grey.contrast());
        }
    }
);
