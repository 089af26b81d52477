//! Prints what a decoder, or an oracle that is a Rust library, makes of a file: one JSON value a line.
//!
//! `zhijian-differential WHAT FILE`, where `WHAT` is `archive`, `dex`, `arsc`, `axml`, `proto-arsc` and `proto-axml` (the
//! same two as protocol buffers), `js`, `hermes`, `plist` or `signature`; the oracles are `oxc` (JavaScript) and `apk-info` (resource tables). `compare.py` calls it.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use oxc_allocator::Allocator;
use oxc_ast::ast::{StringLiteral, TemplateLiteral};
use oxc_ast_visit::{Visit, walk};
use oxc_parser::Parser;
use oxc_span::SourceType;
use serde_json::{Value as Json, json};
use zhijian::decode::archive::Archive;
use zhijian::decode::arsc::{ResValue, Table};
use zhijian::decode::axml::Xml;
use zhijian::decode::blob::Blob;
use zhijian::decode::dex::{Dex, Encoded, IdSet, Scanner, Value, Wanted};
use zhijian::decode::hermes::Bundle;
use zhijian::decode::js::{Filter, HOLE, LiteralKind, Script};
use zhijian::decode::plist::{self, Node, Plist};
use zhijian::decode::{aapt_proto, apk_signature, res_chunk};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, file] = arguments.as_slice() else { panic!("zhijian-differential WHAT FILE") };
    let bytes = std::fs::read(file).expect("the file can be read");
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut print = |line: Json| writeln!(out, "{line}").expect("can be written");
    match what.as_str() {
        "archive" => archive(bytes, &mut print),
        "dex" => dex(&bytes, &mut print),
        "arsc" => arsc(&bytes, 0, &mut print),
        "axml" => axml(&bytes, 0, &mut print),
        "proto-arsc" => {
            let (table, issues) = aapt_proto::table(&bytes).expect("is a table");
            arsc(&table, issues.len(), &mut print);
        }
        "proto-axml" => {
            let (xml, issues) = aapt_proto::xml(&bytes).expect("is a document");
            axml(&xml.bytes, issues.len(), &mut print);
        }
        "js" => js(&bytes, &mut print),
        "hermes" => hermes(&bytes, &mut print),
        "plist" => plist(&bytes, &mut print),
        "signature" => signature(bytes, &mut print),
        "oxc" => oxc(&bytes, Path::new(file), &mut print),
        "apk-info" => apk_info(&bytes, &mut print),
        _ => panic!("{what} is not known"),
    }
}

fn archive(bytes: Vec<u8>, print: &mut dyn FnMut(Json)) {
    let (archive, issues) = Archive::open(Blob::memory(bytes)).expect("is an archive");
    assert!(issues.is_empty(), "{issues:?}");
    for entry in archive.entries() {
        let (content, issues) = archive.read(entry).expect("can be read");
        print(json!({"name": *entry.name, "size": content.len(), "issues": issues.len()}));
    }
}

fn dex(bytes: &[u8], print: &mut dyn FnMut(Json)) {
    let (dexes, issues) = Dex::parse_all(bytes).expect("is a dex");
    let [dex] = dexes.as_slice() else { panic!("{} dexes", dexes.len()) };
    let mut strings = IdSet::new(dex.string_count());
    (0..dex.string_count()).for_each(|index| strings.insert(index));
    let wanted = Wanted { strings, packages: Vec::new() };
    let mut scanner = Scanner::new(dex, &wanted);
    let descriptor =
        |index| String::from_utf8_lossy(dex.type_descriptor(index).unwrap_or_default()).into_owned();
    let prototype = |method: u32| {
        let method = dex.method(method).expect("is in its table");
        let parameters: String = method.parameters().map(descriptor).collect();
        (
            method.name().into_owned(),
            format!("({parameters}){}", descriptor(method.return_type().expect("is there"))),
        )
    };
    for class in dex.classes() {
        let mut methods = Vec::new();
        for method in class.methods() {
            let (name, prototype) = prototype(method.index);
            let mut literals: Vec<Json> = Vec::new();
            let mut calls = 0;
            if let Some(code) = scanner.method(&method) {
                calls = code.calls.len();
                literals = code
                    .literals()
                    .filter_map(|literal| match literal.value {
                        Value::String(index) => {
                            Some(json!([literal.offset, index, dex.string(index).unwrap_or_default()]))
                        }
                        _ => None,
                    })
                    .collect();
            }
            methods.push(json!({"name": name, "type": prototype, "access": method.access,
                "literals": literals, "calls": calls}));
        }
        let fields: Vec<Json> = class
            .fields()
            .map(|field| {
                let row = dex.field(field.index).expect("is in its table");
                json!([row.name(), descriptor(row.type_index), field.access])
            })
            .collect();
        let values: BTreeMap<String, String> = class
            .static_values()
            .filter_map(|(field, value)| match value {
                Encoded::String(index) => {
                    let name = dex.field(field.index)?.name().into_owned();
                    Some((name, dex.string(index)?.into_owned()))
                }
                _ => None,
            })
            .collect();
        print(json!({
            "class": String::from_utf8_lossy(class.descriptor()),
            "superclass": class.superclass.map(descriptor),
            "interfaces": class.interfaces().map(descriptor).collect::<Vec<_>>(),
            "fields": fields, "values": values, "methods": methods,
        }));
    }
    print(json!({"strings": dex.string_count(), "types": dex.type_count(), "fields": dex.field_count(),
        "methods": dex.method_count(), "issues": issues.len() + scanner.issues().len()}));
}

fn text_of(value: &res_chunk::Value<'_>) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn arsc(bytes: &[u8], before: usize, print: &mut dyn FnMut(Json)) {
    let (table, issues) = Table::parse(bytes).expect("is a table");
    for resource in table.resources() {
        let values: Vec<Json> = resource
            .values()
            .map(|value| {
                let texts: Vec<String> = match &value.value {
                    ResValue::Item(item) => text_of(item).into_iter().collect(),
                    ResValue::Bag(bag) => bag.items().filter_map(|item| text_of(&item.value)).collect(),
                };
                json!([value.config.qualifiers, texts])
            })
            .collect();
        let name = format!("{}/{}", resource.type_name(), resource.name());
        print(json!({"id": resource.id(), "name": name, "values": values}));
    }
    print(json!({"issues": before + issues.len()}));
}

fn axml(bytes: &[u8], before: usize, print: &mut dyn FnMut(Json)) {
    let (xml, issues) = Xml::parse(bytes).expect("is binary XML");
    for element in xml.elements() {
        let attributes: Vec<Json> = element
            .attributes()
            .map(|attribute| {
                json!([
                    attribute.namespace(),
                    attribute.name(),
                    attribute.resource(),
                    text_of(&attribute.value()),
                    attribute.raw()
                ])
            })
            .collect();
        let texts: Vec<_> = element.texts().map(|text| text.text).collect();
        print(json!({"depth": element.depth(), "name": element.name(), "line": element.line(),
            "attributes": attributes, "texts": texts}));
    }
    print(json!({"issues": before + issues.len()}));
}

fn js(bytes: &[u8], print: &mut dyn FnMut(Json)) {
    let script = Script::read(bytes, Filter { literal: |_| true, call: |_| true });
    for literal in &script.literals {
        let kind = match literal.kind {
            LiteralKind::String => "string",
            LiteralKind::Template => "template",
            LiteralKind::Comment => "comment",
        };
        print(
            json!({"offset": literal.offset, "kind": kind, "text": literal.text, "joined": literal.joined}),
        );
    }
    print(json!({"issues": script.issues.len()}));
}

fn hermes(bytes: &[u8], print: &mut dyn FnMut(Json)) {
    let (bundle, issues) = Bundle::parse(bytes).expect("is a bundle");
    for index in 0..bundle.string_count() {
        let text = bundle.string(index).map(|string| string.text);
        print(json!({"string": index, "text": text, "identifier": bundle.is_identifier(index)}));
    }
    for index in 0..bundle.function_count() {
        print(
            json!({"function": index, "name": bundle.function_name(index), "offset": bundle.function_offset(index)}),
        );
    }
    let (uses, more) = bundle.uses(&vec![true; bundle.string_count() as usize]);
    print(
        json!({"version": bundle.version(), "uses": uses.iter().map(|found| found.string).collect::<Vec<_>>(), "issues": issues.len() + more.len()}),
    );
}

fn plist(bytes: &[u8], print: &mut dyn FnMut(Json)) {
    let (plist, issues) = Plist::parse(bytes).expect("is a property list");
    print(json!({"value": plain(plist.root()), "issues": issues.len()}));
}

fn plain(node: Node<'_>) -> Json {
    match node.value() {
        plist::Value::Null => Json::Null,
        plist::Value::Bool(value) => json!(value),
        plist::Value::Int(value) => json!(value),
        plist::Value::Real(value) | plist::Value::Date(value) => json!(value),
        plist::Value::Data(bytes) => {
            json!(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>())
        }
        plist::Value::Text(text) => json!(text),
        plist::Value::Uid(uid) => json!({"CF$UID": uid}),
        plist::Value::Array(_) => node.items().map(plain).collect(),
        plist::Value::Dict(_) => node.entries().map(|(key, value)| (key.to_owned(), plain(value))).collect(),
    }
}

fn signature(bytes: Vec<u8>, print: &mut dyn FnMut(Json)) {
    let blob = Blob::memory(bytes);
    let (archive, _) = Archive::open(blob.clone()).expect("is an archive");
    let mut names: Vec<_> = archive
        .entries()
        .iter()
        .filter(|entry| {
            let name = entry.name.to_ascii_uppercase();
            name.starts_with("META-INF/") && [".RSA", ".DSA", ".EC"].iter().any(|end| name.ends_with(end))
        })
        .collect();
    names.sort_by_key(|entry| entry.name.clone());
    let v1: Vec<Vec<u8>> = names.iter().map(|entry| archive.read(entry).expect("can be read").0).collect();
    let (signers, issues) = apk_signature::signers(&blob, archive.directory().unwrap_or_default(), &v1);
    for signer in &signers {
        print(json!({"subject": signer.subject, "sha256": signer.sha256, "schemes": signer.schemes}));
    }
    print(json!({"issues": issues.len()}));
}

/// Literals in source order as `js` tells them: joined over `+`, with a mark for each hole of a template.
fn oxc(bytes: &[u8], path: &Path, print: &mut dyn FnMut(Json)) {
    let source = String::from_utf8_lossy(bytes);
    let allocator = Allocator::default();
    let mut parsed =
        Parser::new(&allocator, &source, SourceType::from_path(path).unwrap_or_default()).parse();
    if !parsed.diagnostics.is_empty() {
        parsed = Parser::new(&allocator, &source, SourceType::script()).parse();
    }
    let mut literals = Literals::default();
    literals.visit_program(&parsed.program);
    literals.0.sort_by_key(|literal| (literal.0, std::cmp::Reverse(literal.1)));
    for (start, end, kind, text) in literals.0 {
        print(json!({"offset": start, "end": end, "kind": kind, "text": text}));
    }
    for comment in &parsed.program.comments {
        print(json!({"offset": comment.span.start, "end": comment.span.end, "kind": "comment", "text": ""}));
    }
    print(json!({"issues": parsed.diagnostics.len()}));
}

#[derive(Default)]
struct Literals(Vec<(u32, u32, &'static str, String)>);

impl<'a> Visit<'a> for Literals {
    fn visit_string_literal(&mut self, literal: &StringLiteral<'a>) {
        // oxc writes a lone surrogate as U+FFFD and its four digits.
        let text = if literal.lone_surrogates { "\u{FFFD}" } else { &*literal.value };
        self.0.push((literal.span.start, literal.span.end, "string", text.to_owned()));
    }

    fn visit_template_literal(&mut self, literal: &TemplateLiteral<'a>) {
        let parts: Vec<&str> = literal
            .quasis
            .iter()
            .map(|part| part.value.cooked.as_ref().map_or("", |text| text.as_str()))
            .collect();
        let kind = if parts.len() == 1 { "string" } else { "template" };
        self.0.push((literal.span.start, literal.span.end, kind, parts.join(&HOLE.to_string())));
        walk::walk_template_literal(self, literal);
    }
}

/// Names, and the values in the default configuration, of all resources that the own decoder finds.
fn apk_info(bytes: &[u8], print: &mut dyn FnMut(Json)) {
    let theirs = apk_info_axml::ARSC::new(&mut &bytes[..]).expect("is a table");
    let (ours, _) = Table::parse(bytes).expect("is a table");
    for resource in ours.resources() {
        print(json!({"id": resource.id(), "name": theirs.get_resource_name(resource.id()),
            "text": theirs.get_resource_value(resource.id())}));
    }
}
