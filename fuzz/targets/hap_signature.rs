//! Signing blocks of HarmonyOS.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::blob::Blob;
use zhijian::decode::hap_signature::read;

fuzz_target!(|data: &[u8]| {
    read(&Blob::memory(data), data.len() as u64);
});
