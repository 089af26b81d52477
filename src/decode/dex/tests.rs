//! Expected values are those of the smali sources in `fixtures/decode/dex`; offsets are `dexdump -d`'s.

use proptest::prelude::*;

use super::*;

const SAMPLE: &[u8] = include_bytes!("../../../fixtures/decode/dex/sample.dex");

fn sample() -> Dex<'static> {
    let (dex, issues) = Dex::parse(SAMPLE).unwrap();
    assert_eq!(issues, []);
    dex
}

fn find(dex: &Dex<'_>, text: &str) -> u32 {
    (0..dex.string_count()).find(|&i| dex.string(i).unwrap() == text).unwrap()
}

fn class<'d>(dex: &'d Dex<'d>, name: &str) -> Class<'d> {
    dex.classes().find(|class| class.name() == name).unwrap()
}

/// All strings that are not ASCII, and ids of the app and the framework.
fn wanted(dex: &Dex<'_>) -> Wanted {
    let mut strings = IdSet::new(dex.string_count());
    for index in 0..dex.string_count() {
        if !dex.string_bytes(index).unwrap_or_default().is_ascii() {
            strings.insert(index);
        }
    }
    Wanted { strings, packages: vec![0x7f, 0x01] }
}

fn simple(name: &str) -> &str {
    name.rsplit('.').next().unwrap()
}

fn method_name(dex: &Dex<'_>, index: u32) -> String {
    let method = dex.method(index).unwrap();
    format!("{}.{}", simple(&method.class_name()), method.name())
}

fn field_name(dex: &Dex<'_>, index: u32) -> String {
    let field = dex.field(index).unwrap();
    format!("{}.{}", simple(&field.class_name()), field.name())
}

fn source(dex: &Dex<'_>, source: Option<Source>) -> String {
    match source {
        None => "-".into(),
        Some(Source::Id(id)) => format!("id {id:#x}"),
        Some(Source::IdField(field)) => format!("id {}", field_name(dex, field)),
        Some(Source::Field(field)) => format!("field {}", field_name(dex, field)),
        Some(Source::New(index)) => format!("new {}", simple(&dex.type_name(index).unwrap())),
        Some(Source::Lambda(method)) => format!("lambda {}", method_name(dex, method)),
        Some(Source::Class(index)) => format!("class {}", simple(&dex.type_name(index).unwrap())),
    }
}

/// One line for each sink, view call and store of a method.
fn walk(name: &str) -> Vec<String> {
    let dex = sample();
    let wanted = wanted(&dex);
    let mut scanner = Scanner::new(&dex, &wanted);
    let mut lines = Vec::new();
    scanner.class(&class(&dex, "cn.gov.example.PatrolActivity"), |method, code| {
        assert_eq!(method.index, code.method);
        if dex.method(method.index).unwrap().name() != name {
            return;
        }
        for literal in code.literals() {
            let value = match literal.value {
                Value::String(index) => dex.string(index).unwrap().into_owned(),
                Value::Resource(id) => format!("{id:#x}"),
                Value::ResourceField(field) => field_name(&dex, field),
            };
            if literal.sinks.0.is_empty() {
                lines.push(format!("{value} nowhere"));
            }
            for sink in literal.sinks.iter() {
                let target = match sink.target {
                    Target::Call { method, argument: Some(n) } => {
                        format!("{} {n}", method_name(&dex, method))
                    }
                    Target::Call { method, argument: None } => format!("{} on it", method_name(&dex, method)),
                    Target::Field { field } => field_name(&dex, field),
                    other => format!("{other:?}"),
                };
                let on = sink.on.map(|on| format!(", on {}", source(&dex, Some(on)))).unwrap_or_default();
                lines.push(format!("{value} {:?} > {target}{on}", sink.form));
            }
        }
        for view in &code.views {
            let [first, ..] = view.arguments;
            let (receiver, first) = (source(&dex, view.receiver), source(&dex, first));
            lines.push(format!("call {receiver} . {} ( {first} )", method_name(&dex, view.method)));
        }
        for store in &code.stores {
            lines.push(format!("{} = {}", field_name(&dex, store.field), source(&dex, Some(store.source))));
        }
    });
    assert_eq!(scanner.issues(), []);
    lines
}

#[test]
fn names_are_java_names() {
    assert_eq!(java_name(b"Lcn/gov/example/PatrolActivity$1;"), "cn.gov.example.PatrolActivity$1");
    assert_eq!(java_name(b"[[I"), "int[][]");
    assert_eq!(java_name(b"La;"), "a");
    assert_eq!(java_name(b"[Ljava/lang/String;"), "java.lang.String[]");
}

#[test]
fn modified_utf8() {
    assert_eq!(mutf8("打卡".as_bytes()), "打卡");
    assert_eq!(mutf8(b"\xed\xa0\xbd\xed\xb8\x80"), "😀");
    assert_eq!(mutf8(b"a\xc0\x80b"), "a\0b");
    assert_eq!(mutf8(b"\xed\xa0\xbdx"), "\u{fffd}x");
    assert_eq!(mutf8(b"\xed\xa0\xbd"), "\u{fffd}");
    assert_eq!(mutf8(b"\xe6\x89"), "\u{fffd}\u{fffd}");
    assert_eq!(mutf8(b"\xff\xf0\x9f\x98\x80"), "\u{fffd}😀");
}

#[test]
fn tables() {
    let dex = sample();
    assert_eq!(dex.version(), 39);
    let names: Vec<_> = dex.classes().map(|class| class.name().into_owned()).collect();
    assert_eq!(names, ["cn.gov.example.Api", "cn.gov.example.PatrolActivity", "cn.gov.example.R$id"]);
    let activity = class(&dex, "cn.gov.example.PatrolActivity");
    assert_eq!(activity.descriptor(), b"Lcn/gov/example/PatrolActivity;");
    assert_eq!(dex.type_name(activity.superclass.unwrap()).unwrap(), "android.app.Activity");
    assert_eq!(dex.string(activity.source_file.unwrap()).unwrap(), "PatrolActivity.java");
    let interfaces: Vec<_> = activity.interfaces().map(|index| dex.type_name(index).unwrap()).collect();
    assert_eq!(interfaces, ["android.view.View$OnClickListener"]);
    let fields: Vec<_> = activity.fields().map(|field| dex.field(field.index).unwrap()).collect();
    let fields: Vec<_> =
        fields.iter().map(|field| format!("{} {}", field.type_name(), field.name())).collect();
    assert_eq!(
        fields,
        [
            "cn.gov.example.databinding.PatrolBinding binding",
            "android.widget.Button button",
            "java.lang.String[] names"
        ]
    );
    let mut methods: Vec<_> =
        activity.methods().map(|method| dex.method(method.index).unwrap().name().into_owned()).collect();
    methods.sort();
    assert_eq!(
        methods,
        [
            "each",
            "gone",
            "hello",
            "lambda$modern$0",
            "modern",
            "onClick",
            "onCreate",
            "state",
            "tabs",
            "title"
        ]
    );
    let hello =
        activity.methods().find(|method| dex.method(method.index).unwrap().name() == "hello").unwrap();
    assert_eq!((hello.access, hello.code), (2, Some(0xeb4)));
    let hello = dex.method(hello.index).unwrap();
    let parameters: Vec<_> = hello.parameters().map(|index| dex.type_name(index).unwrap()).collect();
    assert_eq!(parameters, ["java.lang.String", "long"]);
    assert_eq!(dex.type_name(hello.return_type().unwrap()).unwrap(), "void");
    let text = find(&dex, "巡查打卡");
    let offset = dex.string_offset(text).unwrap() as usize;
    assert_eq!(&SAMPLE[offset..offset + 12], "巡查打卡".as_bytes());
    find(&dex, "转发😀");
    assert_eq!(dex.string(dex.string_count()), None);
    assert!(dex.method(dex.method_count()).is_none() && dex.field(dex.field_count()).is_none());
}

#[test]
fn static_values() {
    let dex = sample();
    let ids = class(&dex, "cn.gov.example.R$id");
    let values: Vec<_> = ids
        .static_values()
        .map(|(field, value)| (dex.field(field.index).unwrap().name().into_owned(), value))
        .collect();
    assert_eq!(
        values,
        [
            ("btn_patrol".to_owned(), Encoded::Int(0x7f09_000a)),
            ("name".to_owned(), Encoded::String(find(&dex, "巡查"))),
        ]
    );
    assert_eq!(ids.fields().count(), 4);
}

/// A value as text, inner ones too.
fn text(dex: &Dex<'_>, value: Encoded<'_>) -> String {
    match value {
        Encoded::String(index) => dex.string(index).unwrap_or_default().into_owned(),
        Encoded::Type(index) => dex.type_name(index).unwrap_or_default().into_owned(),
        Encoded::Enum(index) => dex.field(index).map(|field| field.name().into_owned()).unwrap_or_default(),
        Encoded::Array(array) => {
            format!("[{}]", array.iter().map(|value| text(dex, value)).collect::<Vec<_>>().join(" "))
        }
        Encoded::Annotation(inner) => annotation_text(dex, &inner),
        Encoded::Int(n) => n.to_string(),
        Encoded::Float(n) => n.to_string(),
        other => format!("{other:?}"),
    }
}

fn annotation_text(dex: &Dex<'_>, annotation: &Annotation<'_>) -> String {
    let elements = annotation
        .elements()
        .map(|(name, value)| format!("{}={}", dex.string(name).unwrap_or_default(), text(dex, value)))
        .collect::<Vec<_>>();
    let name = dex.type_name(annotation.type_index).unwrap_or_default().into_owned();
    format!("@{}({})", simple(&name), elements.join(", "))
}

#[test]
fn annotations() {
    let dex = sample();
    let wanted = wanted(&dex);
    let mut scanner = Scanner::new(&dex, &wanted);
    let mut found = Vec::new();
    for class in dex.classes() {
        scanner.annotations(&class, |on, annotation| {
            let on = match on {
                Annotated::Class => simple(&class.name()).to_owned(),
                Annotated::Field(field) => field_name(&dex, field),
                Annotated::Method(method) => method_name(&dex, method),
                Annotated::Parameter { method, position } => {
                    format!("{} {position}", method_name(&dex, method))
                }
            };
            found.push(format!("{on}: {}", annotation_text(&dex, annotation)));
        });
    }
    assert_eq!(scanner.issues(), []);
    assert_eq!(
        found,
        [
            "Api: @Module(inner=@Path(value=a), kind=cn.gov.example.Api, letter=22909, levels=[1 -2 549755813887], \
             mode=FAST, on=Bool(true), share=0.5, value=网格)",
            "Api.checkIn: @POST(value=/patrol/checkin)",
            "Api.checkIn 0: @Field(value=place)",
            "R$id: @Module(value=zero\0inside \u{fffd} lonely)",
        ]
    );
}

#[test]
fn ids_views_listeners_and_texts() {
    assert_eq!(
        walk("onCreate"),
        [
            "0x7f0b001c Whole > PatrolActivity.setContentView 0",
            "R$id.btn_patrol Whole > PatrolActivity.findViewById 0",
            "巡查打卡 Whole > Button.setText 0, on id R$id.btn_patrol",
            "0x7f080000 Whole > PatrolActivity.setTitle 0",
            "call id R$id.btn_patrol . Button.setText ( - )",
            "call id R$id.btn_patrol . Button.setOnClickListener ( new PatrolActivity$1 )",
            "PatrolActivity.button = id R$id.btn_patrol",
        ]
    );
}

#[test]
fn builder_to_toast() {
    assert_eq!(walk("hello"), ["已签到 Part > Toast.makeText 1"]);
}

#[test]
fn elements_of_arrays() {
    assert_eq!(
        walk("tabs"),
        [
            "打卡 Element > PatrolActivity.names",
            "排名 Element > PatrolActivity.names",
            "排名 Element > Arrays.asList 0",
            "排名 Element > Tabs.show 0",
            "积分榜 Element > Arrays.asList 0",
            "积分榜 Element > Tabs.show 0",
        ]
    );
}

#[test]
fn elements_come_out_again() {
    assert_eq!(
        walk("each"),
        ["签收 Element > Log.yes 0", "上报 Whole > List.add 0, on new ArrayList", "上报 Element > Log.no 0",]
    );
}

#[test]
fn branches_join() {
    assert_eq!(
        walk("state"),
        [
            "已打卡 Whole > Log.yes 0",
            "已打卡 Whole > TextView.setText 0",
            "未打卡 Whole > Log.no 0",
            "未打卡 Whole > TextView.setText 0",
        ]
    );
}

#[test]
fn text_of_resource_comparison_and_return() {
    assert_eq!(
        walk("title"),
        [
            "0x7f0f0003 Whole > PatrolActivity.getString 0",
            "0x7f0f0003 Whole > PatrolActivity.setTitle 0",
            "点赞 Whole > String.equals on it",
            "点赞 Whole > Compared",
            "点赞 Whole > Return",
            "转发😀 Whole > Return",
        ]
    );
}

#[test]
fn overwritten_register() {
    assert_eq!(walk("gone"), ["考核 nowhere"]);
}

#[test]
fn switches_and_fields_of_views() {
    assert_eq!(
        walk("onClick"),
        [
            "时长 Whole > Button.setText 0, on field PatrolActivity.button",
            "0x7f090010 Whole > Compared",
            "0x7f0900ff Whole > Compared",
            "0x7f090100 Whole > Compared",
            "call field PatrolBinding.btnRank . Button.setOnClickListener ( - )",
            "call field PatrolActivity.button . Button.setText ( - )",
        ]
    );
}

#[test]
fn lambda_and_string_template() {
    assert_eq!(
        walk("modern"),
        [
            "0x7f090011 Whole > View.findViewById 0",
            "\u{1} 巡查任务 Part > PatrolActivity.setTitle 0",
            "call id 0x7f090011 . View.setOnClickListener ( lambda PatrolActivity.lambda$modern$0 )",
        ]
    );
}

#[test]
fn what_a_method_touches() {
    let dex = sample();
    let wanted = wanted(&dex);
    let mut scanner = Scanner::new(&dex, &wanted);
    let activity = class(&dex, "cn.gov.example.PatrolActivity");
    let named =
        |name: &str| activity.methods().find(|m| dex.method(m.index).unwrap().name() == name).unwrap();
    let code = scanner.method(&named("onCreate")).unwrap();
    let calls: Vec<_> = code.calls.iter().map(|&index| method_name(&dex, index)).collect();
    assert_eq!(
        calls,
        [
            "Activity.onCreate",
            "PatrolActivity.setContentView",
            "PatrolActivity.findViewById",
            "Button.setText",
            "PatrolActivity$1.<init>",
            "Button.setOnClickListener",
            "PatrolActivity.setTitle",
            "PatrolActivity.setTitle",
        ]
    );
    let supers: Vec<_> = code.supers.iter().map(|&index| method_name(&dex, index)).collect();
    assert_eq!(supers, ["Activity.onCreate"]);
    let types: Vec<_> = code.types.iter().map(|&index| dex.type_name(index).unwrap()).collect();
    assert_eq!(types, ["cn.gov.example.PatrolActivity$1", "cn.gov.example.RankActivity"]);
    let fields: Vec<_> = code.fields.iter().map(|&index| field_name(&dex, index)).collect();
    assert_eq!(fields, ["R$id.btn_patrol", "PatrolActivity.button"]);
    let text = code.literals().find(|l| l.value == Value::String(find(&dex, "巡查打卡"))).unwrap();
    assert_eq!(text.offset, 0x106e);
    let code = scanner.method(&named("modern")).unwrap();
    let calls: Vec<_> = code.calls.iter().map(|&index| method_name(&dex, index)).collect();
    assert_eq!(
        calls,
        [
            "View.findViewById",
            "PatrolActivity.lambda$modern$0",
            "View.setOnClickListener",
            "PatrolActivity.setTitle"
        ]
    );
}

#[test]
fn relatives_are_refused() {
    let error = |bytes: &[u8]| Dex::parse(bytes).unwrap_err().to_string();
    assert_eq!(error(b"PK\x03\x04"), "not a dex file");
    assert_eq!(error(b"dey\n036\0"), "optimised dex (odex) is not supported");
    assert_eq!(error(b"cdex001\0"), "compact dex (cdex) is not supported");
    assert_eq!(error(b"dex\n035\0"), "dex header is cut off after 8 bytes");
    let mut swapped = SAMPLE.to_vec();
    swapped[40..44].reverse();
    assert_eq!(error(&swapped), "big-endian dex is not supported");
}

fn put(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

/// Two headers over the same tables; the string table moves to the end to make room for the longer header.
#[test]
fn container_of_two() {
    let mut bytes = SAMPLE.to_vec();
    let count = u32::from_le_bytes(bytes[56..60].try_into().unwrap()) as usize;
    let strings = bytes[0x70..0x70 + 4 * count].to_vec();
    put(&mut bytes, 60, SAMPLE.len() as u32);
    bytes.extend(strings);
    let second = bytes.len();
    bytes.extend_from_within(..0x78);
    let size = bytes.len() as u32;
    for (at, length) in [(0, second), (second, 0x78)] {
        bytes[at + 4..at + 7].copy_from_slice(b"041");
        put(&mut bytes, at + 32, length as u32);
        put(&mut bytes, at + 36, 0x78);
        put(&mut bytes, at + 0x70, size);
        put(&mut bytes, at + 0x74, at as u32);
    }
    let (dexes, issues) = Dex::parse_all(&bytes).unwrap();
    assert_eq!(issues, []);
    assert_eq!(dexes.len(), 2);
    for dex in &dexes {
        assert_eq!(dex.version(), 41);
        assert_eq!(dex.classes().count(), 3);
        find(dex, "巡查打卡");
    }
    let (_, issues) = Dex::parse(&bytes).unwrap();
    assert_eq!(issues.iter().map(|issue| issue.code).collect::<Vec<_>>(), ["dex.more-dexes"]);
}

/// Reads all there is to read.
fn exhaust(bytes: &[u8]) -> Vec<Issue> {
    let Ok((dexes, mut issues)) = Dex::parse_all(bytes) else { return Vec::new() };
    for dex in &dexes {
        for index in 0..dex.string_count() {
            let _ = (dex.string(index), dex.string_offset(index));
        }
        for index in 0..dex.method_count() {
            let method = dex.method(index).unwrap();
            let _ = (method.class_name(), method.name(), method.parameters().count(), method.return_type());
        }
        for index in 0..dex.field_count() {
            let field = dex.field(index).unwrap();
            let _ = (field.class_name(), field.name(), field.type_name());
        }
        let wanted = wanted(dex);
        let mut scanner = Scanner::new(dex, &wanted);
        for class in dex.classes() {
            let _ = (class.name(), class.interfaces().count());
            for (_, value) in class.static_values() {
                text(dex, value);
            }
            scanner.class(&class, |_, code| {
                for literal in code.literals() {
                    assert!(literal.sinks.0.len() <= MAX_SINKS);
                }
            });
            scanner.annotations(&class, |_, annotation| {
                annotation_text(dex, annotation);
            });
        }
        issues.extend(scanner.issues());
    }
    issues
}

#[test]
fn every_truncation_is_told() {
    assert_eq!(exhaust(SAMPLE), []);
    for length in (0..SAMPLE.len()).step_by(3) {
        let issues = exhaust(&SAMPLE[..length]);
        assert!(length < 0x70 || issues.iter().any(|issue| issue.lossy), "{length} bytes");
    }
}

#[test]
fn flipped_bytes() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as usize
    };
    for _ in 0..1500 {
        let mut bytes = SAMPLE.to_vec();
        for _ in 0..1 + random() % 4 {
            let at = 8 + random() % (bytes.len() - 8);
            bytes[at] = random() as u8;
        }
        exhaust(&bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn arbitrary_bytes(tail in prop::collection::vec(any::<u8>(), 0..600), container: bool) {
        let mut bytes = if container { b"dex\n041\0".to_vec() } else { b"dex\n035\0".to_vec() };
        bytes.extend(tail);
        if bytes.len() >= 44 {
            put(&mut bytes, 40, 0x1234_5678);
        }
        exhaust(&bytes);
    }

    #[test]
    fn arbitrary_code(code in prop::collection::vec(any::<u8>(), 2..200)) {
        // Over the code of `onCreate`, whose length becomes that of the bytes.
        let mut bytes = SAMPLE[..0x1048].to_vec();
        put(&mut bytes, 0x1044, code.len() as u32 / 2);
        bytes.extend(code);
        bytes.extend(&SAMPLE[bytes.len().min(SAMPLE.len())..]);
        exhaust(&bytes);
    }
}

/// A dex of `classes` classes that share one class data of `methods` methods, which share one code.
fn shared(classes: u32, methods: u32, insns: &[u16], values: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; 0x70];
    bytes[..8].copy_from_slice(b"dex\n035\0");
    put(&mut bytes, 36, 0x70);
    put(&mut bytes, 40, 0x1234_5678);
    let append = |bytes: &mut Vec<u8>, words: &[u32]| {
        let at = bytes.len() as u32;
        bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        at
    };
    let map = append(&mut bytes, &[0]);
    put(&mut bytes, 52, map);
    let code = append(&mut bytes, &[1, 0, 0, insns.len() as u32]);
    bytes.extend(insns.iter().flat_map(|unit| unit.to_le_bytes()));
    let uleb = |bytes: &mut Vec<u8>, value: u32| {
        bytes.extend([value as u8 & 0x7f | 0x80, (value >> 7) as u8 & 0x7f | 0x80, (value >> 14) as u8]);
    };
    let data = bytes.len() as u32;
    bytes.extend([0, 0]);
    uleb(&mut bytes, methods);
    bytes.push(0);
    for _ in 0..methods {
        bytes.extend([0, 0]);
        uleb(&mut bytes, code);
    }
    let statics = bytes.len() as u32;
    bytes.extend(values);
    let types = append(&mut bytes, &[0]);
    let strings = append(&mut bytes, &[map]);
    let protos = append(&mut bytes, &[0, 0, 0]);
    let method_ids = append(&mut bytes, &[0, 0]);
    let defs = bytes.len() as u32;
    for _ in 0..classes {
        append(
            &mut bytes,
            &[0, 1, NO_INDEX, 0, NO_INDEX, 0, data, if values.is_empty() { 0 } else { statics }],
        );
    }
    let tables = [(1, strings), (1, types), (1, protos), (0, 0), (1, method_ids), (classes, defs)];
    for (i, (count, offset)) in tables.into_iter().enumerate() {
        put(&mut bytes, 56 + 8 * i, count);
        put(&mut bytes, 60 + 8 * i, offset);
    }
    let size = bytes.len() as u32;
    put(&mut bytes, 32, size);
    bytes
}

fn codes(issues: &[Issue]) -> Vec<&'static str> {
    issues.iter().map(|issue| issue.code).collect()
}

#[test]
fn shared_items_are_not_read_again_and_again() {
    assert_eq!(exhaust(&shared(2, 3, &[0x000e], &[])), []);
    let issues = exhaust(&shared(4000, 5000, &[0x000e], &[]));
    assert!(codes(&issues).contains(&"dex.overlapping-items"), "{issues:?}");
    let issues = exhaust(&shared(1, 5000, &[0; 20000], &[]));
    assert!(codes(&issues).contains(&"dex.overlapping-items"), "{issues:?}");
    assert!(issues.len() <= 20);
}

#[test]
fn values_nested_too_deep() {
    let mut deep = vec![1];
    deep.extend([0x1c, 1].repeat(100_000));
    assert_eq!(codes(&exhaust(&shared(1, 0, &[], &deep))), ["dex.bad-class-data"]);
    let mut fine = vec![1];
    fine.extend([0x1c, 1].repeat(50));
    fine.extend([0x1e, 0]);
    assert_eq!(exhaust(&shared(1, 0, &[], &fine)), []);
}

#[test]
fn overlapping_strings() {
    let mut bytes = shared(1, 0, &[], &[]);
    let text = bytes.len() as u32;
    bytes.push(0);
    bytes.extend(vec![b'a'; 100_000]);
    bytes.push(0);
    let table = bytes.len() as u32;
    bytes.extend(text.to_le_bytes().repeat(100_000));
    put(&mut bytes, 56, 100_000);
    put(&mut bytes, 60, table);
    let size = bytes.len() as u32;
    put(&mut bytes, 32, size);
    assert_eq!(codes(&exhaust(&bytes)), ["dex.overlapping-items"]);
}

/// Broken code is told, and the next method is read.
#[test]
fn broken_code() {
    let broken = |insns: &[u16]| {
        let bytes = shared(1, 1, insns, &[]);
        exhaust(&bytes).into_iter().map(|issue| issue.detail).collect::<Vec<_>>().join("; ")
    };
    assert_eq!(broken(&[0x00e3]), "opcode that does not exist in .");
    assert_eq!(broken(&[0x0400]), "opcode that does not exist in .");
    assert_eq!(broken(&[0x0014]), "instruction is cut off in .");
    assert_eq!(broken(&[0x0112]), "register outside the frame in .");
    assert_eq!(broken(&[0x001a, 7]), "index outside its table in .");
    assert_eq!(broken(&[0x0200, 0xffff]), "table of a switch or array is cut off in .");
    assert_eq!(broken(&[0x0300, 0xffff, 0xffff, 0xffff]), "table of a switch or array is cut off in .");
    assert_eq!(broken(&[0x00fc, 0, 0]), "index outside its table in .");
    let mut bytes = SAMPLE.to_vec();
    // `gone` now starts with an opcode that does not exist; `hello` follows.
    bytes[0xea4] = 0x3e;
    let dex = Dex::parse(&bytes).unwrap().0;
    let wanted = wanted(&dex);
    let mut scanner = Scanner::new(&dex, &wanted);
    let mut literals = 0;
    scanner
        .class(&class(&dex, "cn.gov.example.PatrolActivity"), |_, code| literals += code.literals().count());
    let issues = scanner.issues();
    assert_eq!(codes(&issues), ["dex.bad-code"]);
    assert_eq!(issues[0].offset, Some(0xea4));
    assert!(issues[0].detail.ends_with("in cn.gov.example.PatrolActivity.gone"));
    // All of the source but 考核.
    assert_eq!(literals, 21);
}

/// What both sides of a branch share is not doubled where they meet.
#[test]
fn many_joins() {
    let mut insns = vec![0x0015, 0x7f08];
    for _ in 0..5000 {
        // if-eqz v0, +6; filled-new-array {v0}; move-result-object v0
        insns.extend([0x0038, 6, 0x1024, 0, 0, 0x000c]);
    }
    insns.push(0x0011);
    assert_eq!(exhaust(&shared(1, 1, &insns, &[])), []);
}
