//! Signing blocks and certificates. The first byte says which of the two the rest is.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::apk_signature::signers;
use zhijian::decode::blob::Blob;

fuzz_target!(|data: &[u8]| {
    let Some((kind, rest)) = data.split_first() else { return };
    if kind & 1 == 0 {
        signers(&Blob::memory(&[][..]), 0, &[rest.to_vec()]);
    } else {
        signers(&Blob::memory(rest), rest.len() as u64, &[]);
    }
});
