//! Literals of IL2CPP metadata.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::unity::read;

fuzz_target!(|data: &[u8]| {
    let Ok((literals, _)) = read(data) else { return };
    assert!(literals.iter().all(|literal| literal.offset <= data.len()));
});
