//! Resource tables: every resource, its values, the texts it resolves to.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::arsc::{ResValue, Table};

fuzz_target!(|data: &[u8]| {
    let Ok((table, _)) = Table::parse(data) else { return };
    for package in table.packages() {
        let _ = (package.id(), package.name(), package.offset());
    }
    for resource in table.resources() {
        let _ = (resource.type_name(), resource.name(), resource.package().is_some());
        for value in resource.values() {
            if let ResValue::Bag(bag) = value.value {
                let _ = (bag.parent(), bag.is_list(), bag.items().count());
            }
        }
    }
    for resource in table.resources().take(256) {
        table.strings(resource.id());
        assert!(table.resource(resource.id()).is_some());
        table.find(resource.type_name(), &resource.name());
    }
});
