//! Containers of WeChat mini programs.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::wxapkg::read;

fuzz_target!(|data: &[u8]| {
    let Ok((files, _)) = read(data) else { return };
    for file in &files {
        assert!(data.get(file.range.clone()).is_some());
    }
});
