//! Code signatures and provisioning profiles of Apple.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::apple_signature::{code_signature, profile};

fuzz_target!(|data: &[u8]| {
    code_signature(data);
    profile(data);
});
