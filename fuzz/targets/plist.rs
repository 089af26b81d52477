//! Property lists of both forms: every value, and every entry of every list.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::plist::Plist;

fuzz_target!(|data: &[u8]| {
    let Ok((plist, _)) = Plist::parse(data) else { return };
    let _ = plist.root().get("CFBundleName");
    for node in plist.nodes() {
        let _ = (node.text(), node.bool());
    }
    for node in plist.nodes().take(1024) {
        let _ = (node.entries().take(1024).count(), node.items().take(1024).count());
    }
});
