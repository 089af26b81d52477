use proptest::prelude::*;

use super::*;

const OLD: &[u8] = include_bytes!("../../../fixtures/apk/rn-hermes/js/app-59.hbc");
const MIDDLE: &[u8] = include_bytes!("../../../fixtures/apk/rn-hermes/js/app-84.hbc");
const NEW: &[u8] = include_bytes!("../../../fixtures/apk/rn-hermes/js/app-99.hbc");
const SOURCE: &str = include_str!("../../../fixtures/apk/rn-hermes/js/app.js");

fn all(bundle: &Bundle<'_>) -> (Vec<Use>, Vec<Issue>) {
    bundle.uses(&vec![true; bundle.string_count() as usize])
}

/// A use with its names instead of their indices.
#[derive(Debug, PartialEq, Eq)]
struct Named {
    function: String,
    key: String,
    callee: String,
    component: String,
    pressable: bool,
}

fn named(bundle: &Bundle<'_>, text: &str) -> Vec<Named> {
    let name = |index: Option<u32>| {
        index
            .and_then(|index| bundle.string(index))
            .map(|string| string.text.into_owned())
            .unwrap_or_default()
    };
    let (uses, issues) = all(bundle);
    assert_eq!(issues, []);
    uses.iter()
        .filter(|found| name(Some(found.string)) == text)
        .map(|found| Named {
            function: bundle.function_name(found.function).unwrap().into_owned(),
            key: name(found.key),
            callee: name(found.callee.map(|callee| callee.name)),
            component: name(found.component),
            pressable: found.pressable,
        })
        .collect()
}

fn check(bytes: &[u8], version: u32) {
    let (bundle, issues) = Bundle::parse(bytes).unwrap();
    assert_eq!((bundle.version(), issues), (version, vec![]));
    let strings: Vec<Text<'_>> =
        (0..bundle.string_count()).map(|index| bundle.string(index).unwrap()).collect();

    // Every literal of the source with Chinese text, and nothing else with Chinese text.
    let mut literals: Vec<&str> = SOURCE
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| line.split(['\'', '"']).skip(1).step_by(2))
        .filter(|literal| crate::text::has_cjk(literal))
        .collect();
    literals.sort_unstable();
    literals.dedup();
    assert_eq!(literals.len(), 17);
    let mut found: Vec<&str> = strings.iter().map(|s| &*s.text).filter(|s| crate::text::has_cjk(s)).collect();
    found.sort_unstable();
    assert_eq!(found, literals);
    let about = strings.iter().find(|string| string.text.starts_with("本应用")).unwrap();
    assert!(about.text.chars().count() > 254, "longer than the table of short strings can say");
    for string in strings.iter().filter(|string| !string.text.is_empty()) {
        let first = string.text.encode_utf16().next().unwrap().to_le_bytes()[0];
        assert_eq!(bytes[string.offset], first, "{}", string.text);
    }
    let title =
        (0..bundle.string_count()).find(|index| bundle.string(*index).unwrap().text == "title").unwrap();
    let post =
        (0..bundle.string_count()).find(|index| bundle.string(*index).unwrap().text == "POST").unwrap();
    assert_eq!((bundle.is_identifier(title), bundle.is_identifier(post)), (true, false));

    let one = |text: &str, function: &str, key: &str, callee: &str, component: &str, pressable: bool| {
        let expected = Named {
            function: function.into(),
            key: key.into(),
            callee: callee.into(),
            component: component.into(),
            pressable,
        };
        assert_eq!(named(&bundle, text), [expected], "{version}: {text}");
    };
    one("打卡签到", "PunchScreen", "title", "jsx", "Button", true);
    one("请在网格内操作", "PunchScreen", "children", "jsx", "Text", false);
    one("补签申请 🎉", "PunchScreen", "children", "jsx", "Text", true);
    one("请输入巡查事由", "PunchScreen", "placeholder", "jsx", "TextInput", false);
    one("已连续签到", "PunchScreen", "children", "jsx", "Text", false);
    one("提交投诉", "ComplaintScreen", "title", "createElement", "Button", true);
    one("签到成功", "onAnswer", "", "alert", "", false);
    one("积分排行榜已刷新", "onAnswer", "", "log", "", false);
    one("https://grid.example.gov.cn/api/patrol/checkin", "submitPunch", "", "fetch", "", false);
    let (uses, _) = all(&bundle);
    let compared: Vec<_> = uses.iter().filter(|found| found.compared).collect();
    assert_eq!(compared.len(), 1);
    assert_eq!(bundle.string(compared[0].string).unwrap().text, "党员学时");
    for tab in ["首页", "消息", "我的"] {
        assert!(
            uses.iter().any(|found| found.element && bundle.string(found.string).unwrap().text == tab),
            "{tab}"
        );
    }
}

#[test]
fn the_source_is_found_again_in_three_versions() {
    check(OLD, 59);
    check(MIDDLE, 84);
    check(NEW, 99);
}

/// Bundles of the same source by every compiler that can be had, when `HERMES_BUNDLES` names their folder.
#[test]
fn the_source_is_found_again_in_every_version() {
    let Ok(folder) = std::env::var("HERMES_BUNDLES") else { return };
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.extension().is_some_and(|extension| extension == "hbc") {
            let bytes = std::fs::read(&path).unwrap();
            check(&bytes, u32_at(&bytes, 8).unwrap());
        }
    }
}

#[test]
fn other_versions_and_other_files_are_told() {
    let with = |version: u32| {
        let mut bytes = NEW.to_vec();
        bytes[8..12].copy_from_slice(&version.to_le_bytes());
        bytes
    };
    assert_eq!(Bundle::parse(&with(58)).unwrap_err(), HermesError::Version(58));
    let newer = with(123);
    let (bundle, issues) = Bundle::parse(&newer).unwrap();
    assert_eq!(issues, []);
    assert!((0..bundle.string_count()).any(|index| bundle.string(index).unwrap().text == "打卡签到"));
    let (uses, issues) = all(&bundle);
    assert_eq!((uses.len(), issues[0].code, issues[0].lossy), (0, "hermes.unknown-version", true));
    assert_eq!(Bundle::parse(b"var a = 1").unwrap_err(), HermesError::NotHermes);
    assert_eq!(Bundle::parse(&NEW[..100]).unwrap_err(), HermesError::Truncated);
}

#[test]
fn code_of_no_instruction_is_an_issue() {
    let mut bytes = NEW.to_vec();
    let (bundle, _) = Bundle::parse(NEW).unwrap();
    let start = bundle.function(0).unwrap().offset;
    bytes[start] = 0xFF;
    let (bundle, _) = Bundle::parse(&bytes).unwrap();
    let (_, issues) = all(&bundle);
    assert_eq!((issues[0].code, issues[0].offset), ("hermes.bad-code", Some(start as u64)));
}

fn survive(bytes: &[u8]) {
    if let Ok((bundle, _)) = Bundle::parse(bytes) {
        let (uses, _) = all(&bundle);
        assert!(uses.len() <= bytes.len() * 8);
        (0..bundle.string_count()).for_each(|index| drop(bundle.string(index)));
        (0..bundle.function_count()).for_each(|index| drop(bundle.function_name(index)));
    }
}

#[test]
fn truncated_bundles_say_so() {
    for bytes in [OLD, MIDDLE, NEW] {
        for length in 0..bytes.len() {
            survive(&bytes[..length]);
            if let Ok((_, issues)) = Bundle::parse(&bytes[..length]) {
                assert!(issues.iter().any(|issue| issue.lossy), "{length}");
            }
        }
    }
}

#[test]
fn flipped_bytes_do_no_harm() {
    let mut seed = 0x9E37_79B9_7F4A_7C15_u64;
    for bytes in [OLD, MIDDLE, NEW] {
        for _ in 0..2_000 {
            let mut bytes = bytes.to_vec();
            for _ in 0..4 {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let at = (seed >> 33) as usize % bytes.len();
                bytes[at] = (seed >> 20) as u8;
            }
            bytes[..8].copy_from_slice(&MAGIC);
            survive(&bytes);
        }
    }
}

/// Every function header names the same code, and every instruction a large literal.
#[test]
fn shared_code_and_literals_are_bounded() {
    let mut bytes = vec![0; HEADER];
    bytes[..8].copy_from_slice(&MAGIC);
    let mut field = |at: usize, value: u32| bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    let (functions, code, values) = (10_000_u32, 16_000_u32, 4_096_u32);
    field(8, 96);
    field(32 + 8, functions);
    field(32 + 20, 1);
    field(32 + 28, 4);
    field(32 + 48, values);
    let start = HEADER as u32 + functions * 16 + 4 + 4 + values;
    for index in 0..functions {
        // Not the same offset, so that none is taken for another's.
        bytes.extend((start + index % 8_000).to_le_bytes());
        bytes.extend(8_000_u32.to_le_bytes());
        bytes.extend([0; 8]);
    }
    bytes.extend([0; 4]);
    bytes.extend([b'a'; 4]);
    // Runs of 15 one-byte strings.
    (0..values).for_each(|_| bytes.push(0x0F));
    let array = opcode_of("NewArrayWithBuffer", 96);
    for _ in 0..code / 8 {
        bytes.extend([array, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0]);
    }
    survive(&bytes);
    let (bundle, _) = Bundle::parse(&bytes).unwrap();
    assert_eq!(all(&bundle).1[0].code, "hermes.overlapping-functions");
}

fn opcode_of(name: &str, version: u32) -> u8 {
    let mut of = include_str!("opcodes.txt")
        .lines()
        .map(|line| line.split(' ').collect::<Vec<_>>())
        .filter(|line| (line[0].parse::<u32>().unwrap()..=line[1].parse().unwrap()).contains(&version));
    of.position(|line| line[2] == name).unwrap() as u8
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn arbitrary_bytes_do_no_harm(version in 57_u32..103, body in proptest::collection::vec(any::<u8>(), 0..600)) {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(version.to_le_bytes());
        bytes.extend(body);
        survive(&bytes);
    }
}
