//! Templates in scripts of quick apps.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::ux::read;

fuzz_target!(|data: &[u8]| {
    let templates = read(data);
    for (index, element) in templates.elements.iter().enumerate() {
        assert!(element.parent.is_none_or(|parent| parent < index));
    }
    assert!(templates.literals.values().all(|(element, _)| *element < templates.elements.len()));
});
