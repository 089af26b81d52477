use std::time::{Duration, Instant};

use super::code::{Base, Body, Callee, Sink, Value, Walker};
use super::*;
use crate::decode::archive::Archive;
use crate::decode::blob::Blob;
use crate::decode::res_chunk::tests::flips;

/// The bytecode of a built fixture; `fixtures/hap/*/entry/code.ark` is its source.
fn sample(package: &str) -> Vec<u8> {
    let path = format!("{}/fixtures/built/{package}", env!("CARGO_MANIFEST_DIR"));
    let (archive, _) = Archive::open(Blob::memory(std::fs::read(path).unwrap())).unwrap();
    archive.read(archive.entry("ets/modules.abc").unwrap()).unwrap().0
}

fn body(abc: &Abc<'_>, class: &str, method: &str) -> Body {
    let class = abc.classes().iter().find(|found| found.name == class).unwrap();
    let index = class.methods.clone().find(|&index| abc.methods()[index].plain_name() == method).unwrap();
    let body = Walker::new(abc).method(index).unwrap();
    assert_eq!(body.broken, None);
    body
}

/// Every value that a method loads, with the name of what is called with it.
fn told(abc: &Abc<'_>, body: &Body) -> Vec<(String, Vec<String>)> {
    let name = |offset| abc.string(offset).unwrap().into_owned();
    let sink = |sink: &Sink| match *sink {
        Sink::Call { callee, argument, key, .. } => {
            let key = key.map(|key| format!(".{}", name(key))).unwrap_or_default();
            format!("{}({argument}){key}", callee.name.map(name).unwrap_or_default())
        }
        Sink::Member(key) => format!("{}:", name(key)),
        other => format!("{other:?}"),
    };
    let value = |value| match value {
        Value::String(offset) => name(offset),
        Value::Resource(id) => format!("{id:#010x}"),
    };
    body.uses.iter().map(|used| (value(used.value), used.sinks.iter().map(sink).collect())).collect()
}

fn row(value: &str, sinks: &[&str]) -> (String, Vec<String>) {
    (value.to_owned(), sinks.iter().map(|sink| (*sink).to_owned()).collect())
}

#[test]
fn code_is_followed_as_its_source_says() {
    let bytes = sample("volunteer.hap");
    let (abc, issues) = Abc::parse(&bytes).unwrap();
    assert_eq!((abc.version(), issues), ([12, 0, 6, 0], vec![]));
    let index = "&entry/src/main/ets/pages/Index&";
    let page = abc.classes().iter().find(|class| class.name == index).unwrap();
    assert_eq!(page.module.imports[0].local, "router");
    assert_eq!(page.module.requests[page.module.imports[0].request], "@ohos:router");
    assert_eq!(page.methods.len(), 11);

    let found = body(&abc, index, "onPunch");
    let toast = &["showToast(0)"];
    assert_eq!(told(&abc, &found), [row("到岗成功", toast), row("不在打卡范围内", toast)]);
    let promptaction = Callee { base: Base::Import(2), name: found.calls[1].callee.name };
    assert_eq!(found.calls[1].callee, promptaction);

    // Functions without a name, in order: column, row, icon, label, notice, feedback, pressed, opened.
    let unnamed: Vec<usize> =
        page.methods.clone().filter(|&i| abc.methods()[i].plain_name().is_empty()).collect();
    let mut walker = Walker::new(&abc);
    let mut of = |index: usize| told(&abc, &walker.method(unnamed[index]).unwrap());
    // The second name of the resource file in the order of kind and name.
    assert_eq!(of(3), [row("0x01000002", &["create(0)"])]);
    assert_eq!(of(5), [row("投诉建议", &["createWithLabel(0)"])]);
    assert_eq!(of(7), [row("pages/Feedback", &["url:", "pushUrl(0).url"])]);
}

#[test]
fn old_bytecode_is_followed_too() {
    let bytes = sample("library.hap");
    let (abc, issues) = Abc::parse(&bytes).unwrap();
    assert_eq!((abc.version(), issues), ([9, 0, 0, 0], vec![]));
    let page = abc
        .classes()
        .iter()
        .find(|class| class.name == "cn.gov.example.library/entry/ets/pages/Index")
        .unwrap();
    let open = page.methods.clone().next_back().unwrap();
    let body = Walker::new(&abc).method(open).unwrap();
    assert_eq!(
        told(&abc, &body),
        [row("tag", &["warn(1)"]), row("签到失败", &["warn(2)"]), row("打卡", &["Compared"])]
    );
}

#[test]
fn scopes_before_a_name_are_no_part_of_it() {
    let plain = |name: &str| {
        Method { class: 0, name: Cow::Borrowed(name), offset: 0, code: None }.plain_name().to_owned()
    };
    assert_eq!(plain("#~@0>#onPunch"), "onPunch");
    assert_eq!(plain("#~@2>@1*^3*#"), "");
    assert_eq!(plain("#~@4>@2*#^1"), "");
    assert_eq!(plain("onPunch"), "onPunch");
    assert_eq!(plain("func_main_0"), "func_main_0");
    assert_eq!(plain("#1#"), "");
}

/// Reads everything there is.
fn read(bytes: &[u8]) {
    if let Ok((abc, _)) = Abc::parse(bytes) {
        let mut walker = Walker::new(&abc);
        let mut held = 0;
        for index in 0..abc.methods().len() {
            if let Some(body) = walker.method(index) {
                held += body.uses.len() + body.calls.len();
            }
        }
        assert!(held <= bytes.len() * 16, "{held} from {} bytes", bytes.len());
        let _ = abc.indexed_strings();
    }
    let _ = strings_anywhere(bytes);
}

#[test]
fn a_cut_file_tells_it() {
    let bytes = sample("volunteer.hap");
    for length in 0..bytes.len() {
        read(&bytes[..length]);
        match Abc::parse(&bytes[..length]) {
            Ok((_, issues)) => assert!(issues.iter().any(|issue| issue.lossy), "{length}"),
            Err(error) => {
                assert!(matches!(error, AbcError::Truncated(_) | AbcError::NotBytecode));
                assert!(length < HEADER);
            }
        }
    }
}

#[test]
fn flipped_bytes_do_no_harm() {
    for package in ["volunteer.hap", "library.hap"] {
        flips(&sample(package), 3000, read);
    }
}

#[test]
fn an_unknown_instruction_ends_a_method_and_is_told() {
    let mut bytes = sample("volunteer.hap");
    // `lda.str` before the text of the toast becomes an opcode that was never given.
    let (abc, _) = Abc::parse(&bytes).unwrap();
    let found = body(&abc, "&entry/src/main/ets/pages/Index&", "onPunch");
    let at = found.uses[0].offset;
    bytes[at as usize] = 0xF0;
    let (abc, _) = Abc::parse(&bytes).unwrap();
    let mut walker = Walker::new(&abc);
    let broken: Vec<u32> =
        (0..abc.methods().len()).filter_map(|index| walker.method(index)?.broken).collect();
    assert_eq!(broken, [at]);
    // The texts are there all the same.
    let loose = abc.indexed_strings();
    for text in ["到岗成功", "不在打卡范围内"] {
        let (offset, _) = loose.iter().find(|(_, found)| found == text).unwrap();
        assert_eq!(abc.string(*offset).as_deref(), Some(text));
    }
}

#[test]
fn strings_are_found_without_tables() {
    let bytes = sample("volunteer.hap");
    let (abc, _) = Abc::parse(&bytes).unwrap();
    let found = strings_anywhere(&bytes);
    for text in ["到岗成功", "投诉建议", "积分排名模块未启用"] {
        let (offset, _) = found.iter().find(|(_, found)| found == text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!(abc.string(*offset).as_deref(), Some(text));
    }
    assert_eq!(strings_anywhere("打卡\0".as_bytes()), []);
}

#[test]
fn tables_that_overlap_take_no_time() {
    // Every class is the same endless string, or the same class of many methods with the same code.
    let good = sample("volunteer.hap");
    let class = u32_at(&good, 60).unwrap();
    for target in [2_000_000_u32, class] {
        let mut bytes = good.clone();
        let at = bytes.len() as u32;
        let count = 400_000_u32;
        for _ in 0..count {
            bytes.extend(target.to_le_bytes());
        }
        bytes.resize(bytes.len() + 3_000_000, b'A');
        bytes[28..32].copy_from_slice(&count.to_le_bytes());
        bytes[32..36].copy_from_slice(&at.to_le_bytes());
        let start = Instant::now();
        let (abc, issues) = Abc::parse(&bytes).unwrap();
        assert!(abc.methods().len() <= bytes.len() / 10);
        assert!(issues.iter().any(|issue| issue.lossy));
        let mut walker = Walker::new(&abc);
        let mut held = 0;
        for index in 0..abc.methods().len() {
            held += walker.method(index).map_or(0, |body| body.uses.len() + body.calls.len());
        }
        assert!(held <= bytes.len() * 8);
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    }
}

proptest::proptest! {
    #[test]
    fn any_bytes_end(tail in proptest::collection::vec(proptest::num::u8::ANY, 0..600)) {
        let mut bytes = b"PANDA\0\0\0\0\0\0\0\x0c\0\x06\0".to_vec();
        bytes.extend(tail);
        read(&bytes);
    }
}
