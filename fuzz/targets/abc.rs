//! ArkCompiler bytecode: classes, modules, methods and what their code does with texts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::abc::{Abc, Literal, code::Walker, strings_anywhere};

fuzz_target!(|data: &[u8]| {
    strings_anywhere(data);
    let Ok((abc, _)) = Abc::parse(data) else { return };
    for class in abc.classes() {
        assert!(abc.methods().get(class.methods.clone()).is_some());
    }
    let mut walker = Walker::new(&abc);
    for (index, method) in abc.methods().iter().enumerate() {
        assert!(method.class < abc.classes().len());
        let _ = method.plain_name();
        assert!(abc.method_at(method.offset).is_some());
        let _ = walker.method(index);
        for literal in abc.literals(method.offset).iter().take(64) {
            if let Literal::String(offset) = literal {
                let _ = (abc.string(*offset), abc.name(*offset));
            }
        }
    }
    abc.indexed_strings();
});
