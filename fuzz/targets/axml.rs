//! Binary XML: every element, attribute and text.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::axml::Xml;

fuzz_target!(|data: &[u8]| {
    let Ok((xml, _)) = Xml::parse(data) else { return };
    let mut elements = 0;
    for element in xml.elements() {
        assert!(element.parent().is_none_or(|parent| parent < element.index()));
        assert!(element.offset() <= data.len() as u64);
        let _ = (element.name(), element.namespace(), element.depth(), element.line());
        for attribute in element.attributes() {
            let _ = (attribute.name(), attribute.namespace(), attribute.resource());
            let _ = (attribute.value(), attribute.raw(), attribute.offset());
        }
        let _ = (element.android("text"), element.attribute("layout"), element.texts().count());
        elements += 1;
    }
    assert!(elements <= data.len() / 16);
});
