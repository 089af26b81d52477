//! Protocol buffer resources. What is made of them must be readable by the decoders of the binary forms.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::aapt_proto::{table, xml};
use zhijian::decode::arsc::Table;
use zhijian::decode::axml::Xml;

fuzz_target!(|data: &[u8]| {
    if let Ok((document, _)) = xml(data) {
        let (xml, _) = Xml::parse(&document.bytes).expect("is binary XML");
        let xml = xml.made_from(&document.origins);
        for element in xml.elements() {
            assert!(element.offset() <= data.len() as u64);
            for attribute in element.attributes() {
                let _ = (attribute.name(), attribute.value(), attribute.offset());
            }
        }
    }
    if let Ok((bytes, _)) = table(data)
        && !bytes.is_empty()
    {
        let (table, _) = Table::parse(&bytes).expect("is a resource table");
        for resource in table.resources().take(256) {
            table.strings(resource.id());
        }
    }
});
