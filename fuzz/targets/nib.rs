//! Compiled nibs: every value of every object.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::nib::Nib;

fuzz_target!(|data: &[u8]| {
    let Ok((nib, _)) = Nib::parse(data) else { return };
    for object in (0..nib.len()).take(1024) {
        let _ =
            (nib.class(object), nib.values(object).count(), nib.text(object), nib.text_of(object, "UITitle"));
    }
});
