//! Tables of localised texts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::strings::parse;

fuzz_target!(|data: &[u8]| {
    let _ = parse(data);
});
