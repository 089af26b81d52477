//! `resources.index` of HarmonyOS.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::resindex::Table;

fuzz_target!(|data: &[u8]| {
    let Ok((table, _)) = Table::parse(data) else { return };
    let _ = table.tool();
    for value in table.values().iter().take(256) {
        let _ = (value.text(), value.texts(), table.locale(value));
        table.resolve(&value.text());
        let _ = (table.resource(value.id).len(), table.preferred(value.id).is_some());
    }
});
