//! A whole package of any format.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::blob::Blob;
use zhijian::format::{Options, Silent, Source, inspect};

fuzz_target!(|data: &[u8]| {
    let source = Source { blob: Blob::memory(data), name: "package.bin".to_owned() };
    if let Ok(inspection) = inspect(source, &Options::default(), &Silent) {
        let (_, _) = (inspection.coverage(), inspection.anomalies());
    }
});
