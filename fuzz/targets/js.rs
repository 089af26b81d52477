//! JavaScript: everything is wanted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::js::{Filter, Script, unescape};

fuzz_target!(|data: &[u8]| {
    let script = Script::read(data, Filter { literal: |_| true, call: |_| true });
    for literal in &script.literals {
        assert!(literal.offset < data.len());
        assert!(literal.object.is_none_or(|object| (object as usize) < script.objects.len()));
        assert!(literal.function.is_none_or(|function| (function as usize) < script.functions.len()));
        script.module(literal.offset);
    }
    unescape(data);
});
