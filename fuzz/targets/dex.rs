//! Dalvik code: tables, classes, static values, annotations and the walk through all methods.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::dex::{Dex, Encoded, IdSet, MAX_SINKS, Scanner, Wanted};

fuzz_target!(|data: &[u8]| {
    let Ok((dexes, _)) = Dex::parse_all(data) else { return };
    for dex in &dexes {
        let mut strings = IdSet::new(dex.string_count());
        for index in 0..dex.string_count() {
            strings.insert(index);
            assert!(dex.string_offset(index).is_none_or(|offset| offset as usize <= data.len()));
            dex.string(index);
        }
        (0..dex.type_count()).for_each(|index| {
            dex.type_name(index);
        });
        for method in (0..dex.method_count()).filter_map(|index| dex.method(index)) {
            let _ = (method.class_name(), method.name(), method.parameters().count(), method.return_type());
        }
        for field in (0..dex.field_count()).filter_map(|index| dex.field(index)) {
            let _ = (field.class_name(), field.name(), field.type_name());
        }
        let wanted = Wanted { strings, packages: vec![0x01, 0x7f] };
        let mut scanner = Scanner::new(dex, &wanted);
        for class in dex.classes() {
            let _ = (class.name(), class.interfaces().count(), class.fields().count());
            for (_, value) in class.static_values() {
                match value {
                    Encoded::Array(array) => array.iter().count(),
                    Encoded::Annotation(annotation) => annotation.elements().count(),
                    _ => 0,
                };
            }
            scanner.class(&class, |_, code| {
                for literal in code.literals() {
                    assert!((literal.offset as usize) < data.len());
                    assert!(literal.sinks.iter().count() <= MAX_SINKS);
                }
            });
            scanner.annotations(&class, |_, annotation| {
                annotation.elements().count();
            });
        }
        scanner.issues();
    }
});
