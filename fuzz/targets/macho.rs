//! Mach-O: slices, sections, strings, Objective-C, and the uses of every address in ARM code.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::macho::arm64::uses;
use zhijian::decode::macho::objc::ObjC;
use zhijian::decode::macho::{MachO, slices};

fuzz_target!(|data: &[u8]| {
    for (_, range) in slices(data).unwrap_or_default() {
        let Ok((program, _)) = MachO::parse(data.get(range).expect("is in the file")) else { continue };
        let _ = (program.cstrings().count(), program.ustrings().count(), program.cfstrings().count());
        for start in program.function_starts().into_iter().take(256) {
            let _ = (program.stub(start), program.offset(start), program.text_at(start));
        }
        uses(&program, &ObjC::read(&program), &|_| true);
    }
});
