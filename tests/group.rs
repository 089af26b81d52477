//! Every kind of export against the truth in `fixtures/group/truth.yaml`, with the rules, and hostile exports.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Deserialize;
use zhijian::group::{self, Input, Read};
use zhijian::model::{Level, Measure, PartName, Role};
use zhijian::rule::{Judgement, RuleSet, judge};

/// The day that the truth was written for.
const TODAY: &str = "2026-11-25T04:00:00Z";

use crate::common::encode;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    file: String,
    encode: Option<String>,
    kind: String,
    rejected: Vec<u64>,
    verdict: String,
    groups: Vec<Truth>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Truth {
    name: Option<String>,
    platform: Option<String>,
    unit: Option<String>,
    notice: Option<String>,
    temporary: Option<bool>,
    task_end: Option<String>,
    member_count: Option<u64>,
    messages: Option<u64>,
    senders: Option<u64>,
    first: Option<String>,
    last: Option<String>,
    #[serde(default)]
    states: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    no_states: Vec<String>,
    #[serde(default)]
    findings: BTreeMap<String, Level>,
    #[serde(default)]
    no_findings: Vec<String>,
    #[serde(default)]
    duties: BTreeMap<String, String>,
    #[serde(default)]
    absent: Vec<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/group")
}

fn cases() -> Vec<Case> {
    serde_saphyr::from_str(&std::fs::read_to_string(folder().join("truth.yaml")).unwrap()).unwrap()
}

fn bytes(case: &Case) -> Vec<u8> {
    let text = std::fs::read_to_string(folder().join(&case.file)).unwrap();
    encode::encoded(text, case.encode.as_deref())
}

fn word(value: impl serde::Serialize) -> String {
    serde_json::to_value(value).unwrap().as_str().unwrap().to_owned()
}

fn read(bytes: &[u8]) -> Vec<Read> {
    group::read(&Input::new(bytes, "export")).unwrap_or_default()
}

fn judged(rules: &RuleSet, read: &mut Read) -> Judgement {
    read.inspection.as_of = Some(TODAY.parse().unwrap());
    let verdict = read.inspection.coverage().verdict;
    judge(rules, &read.inspection, verdict)
}

/// Everything of a group that leaves the room.
fn shown(read: &Read) -> Vec<String> {
    let mut shown = vec![serde_json::to_string(&read.group).unwrap()];
    shown.push(serde_json::to_string(&read.inspection.coverage()).unwrap());
    shown.extend(read.inspection.states.iter().map(|state| format!("{} {:?}", state.text, state.subject)));
    for text in &read.inspection.texts {
        shown.push(format!("{} {:?} {}", text.text, text.screen, text.chain.join(" ")));
    }
    shown
}

fn check(case: &Case, truth: &Truth, read: &mut Read, rules: &RuleSet) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut same = |what: &str, is: Option<String>, should: Option<String>| {
        if should.is_some() && is != should {
            wrong.push(format!("{}: {what} is {is:?}, not {should:?}", case.name));
        }
    };
    let group = &read.group;
    same("kind", Some(read.inspection.format.to_owned()), Some(case.kind.clone()));
    same("name", group.name.clone(), truth.name.clone());
    same("platform", group.platform.clone(), truth.platform.clone());
    same("unit", group.unit.clone(), truth.unit.clone());
    same("notice", group.notice.clone(), truth.notice.clone());
    let text = |value: &dyn ToString| Some(value.to_string());
    same("temporary", group.temporary.and_then(|v| text(&v)), truth.temporary.and_then(|v| text(&v)));
    same("task_end", group.task_end.and_then(|v| text(&v)), truth.task_end.clone());
    same(
        "member_count",
        group.member_count.and_then(|v| text(&v)),
        truth.member_count.and_then(|v| text(&v)),
    );
    same("messages", text(&group.messages), truth.messages.and_then(|v| text(&v)));
    same("senders", text(&group.senders), truth.senders.and_then(|v| text(&v)));
    same("first", group.first.and_then(|v| text(&v)), truth.first.clone());
    same("last", group.last.and_then(|v| text(&v)), truth.last.clone());
    let rejected: Vec<u64> = group.rejected.iter().map(|row| row.line).collect();
    same("rejected", Some(format!("{rejected:?}")), Some(format!("{:?}", case.rejected)));
    same("verdict", Some(word(read.inspection.coverage().verdict)), Some(case.verdict.clone()));
    let mut states: BTreeMap<String, serde_json::Value> = BTreeMap::new();
    for state in &read.inspection.states {
        let measure = match state.measure {
            Measure::Plain => "plain".into(),
            Measure::Since(_) => "since".into(),
            Measure::Count(count) => count.into(),
        };
        states.entry(word(state.name)).or_insert(measure);
    }
    for (name, should) in &truth.states {
        same(name, states.get(name).map(|v| v.to_string()), Some(should.to_string()));
    }
    for name in &truth.no_states {
        same(
            "state",
            states.get(name).map_or(Some(String::new()), |v| Some(format!("{name} {v}"))),
            Some(String::new()),
        );
    }
    let judgement = judged(rules, read);
    let found: BTreeMap<&str, Level> =
        judgement.findings.iter().map(|finding| (finding.rule.as_str(), finding.level)).collect();
    for (rule, level) in &truth.findings {
        same(rule, found.get(rule.as_str()).map(word), Some(word(level)));
    }
    for rule in &truth.no_findings {
        let level = found.get(rule.as_str()).filter(|level| **level > Level::Mention);
        same(rule, Some(level.map_or("none".to_owned(), word)), Some("none".to_owned()));
    }
    let duties: BTreeMap<&str, String> =
        judgement.duties.iter().map(|duty| (duty.rule.as_str(), word(duty.status))).collect();
    for (rule, status) in &truth.duties {
        same(rule, duties.get(rule.as_str()).cloned(), Some(status.clone()));
    }
    let all = shown(read).into_iter().chain([serde_json::to_string(&judgement.findings).unwrap()]);
    for text in all {
        for name in truth.absent.iter().filter(|name| text.contains(name.as_str())) {
            wrong.push(format!("{}: {name} is in {text}", case.name));
        }
    }
    wrong
}

#[test]
fn every_kind_of_export_against_the_truth() {
    let rules = RuleSet::embedded().unwrap();
    let mut wrong = Vec::new();
    for case in cases() {
        let mut reads = read(&bytes(&case));
        if reads.len() != case.groups.len() {
            wrong.push(format!("{}: {} groups", case.name, reads.len()));
        }
        for (truth, read) in case.groups.iter().zip(&mut reads) {
            wrong.extend(check(&case, truth, read, &rules));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn evidence_can_be_found_again() {
    let rules = RuleSet::embedded().unwrap();
    for case in cases() {
        let bytes = bytes(&case);
        let lines = String::from_utf8_lossy(&bytes).lines().count() as u64;
        for mut read in read(&bytes) {
            for text in &read.inspection.texts {
                let line: u64 = text.place.path.strip_prefix("export#").unwrap().parse().unwrap();
                assert!((1..=lines).contains(&line), "{}: {}", case.name, text.place);
                assert!(text.chain[0].ends_with(&line.to_string()), "{:?}", text.chain);
                assert!(matches!(text.role, Role::Body | Role::Title), "{text:?}");
                assert!(text.screen.as_ref().unwrap().title.is_some(), "{text:?}");
            }
            for finding in judged(&rules, &mut read).findings {
                assert!(finding.evidence.iter().all(|row| row.place.starts_with("export#")), "{finding:?}");
                assert!(!finding.basis.is_empty(), "{}", finding.rule);
            }
        }
    }
}

#[test]
fn what_is_no_export_of_a_group() {
    for text in [
        "",
        "你好",
        "<html><body>2026-11-02 08:31:05 张某</body></html>",
        "标题,正文,发布时间,点赞数\n甲,乙,2026-11-02,3\n",
        "博主,微博正文,发布时间\n甲,乙,2026-11-02\n",
        "账号,内容,时间\n示例发布,今天下雨,2026-11-02\n",
        "[{\"title\":\"甲\",\"content\":\"乙\",\"created_at\":\"2026-11-02\"}]",
        "[2026-11-02 08:31:05] production.ERROR: 数据库连接失败\n[2026-11-02 08:31:06] production.INFO: 重试\n",
        "2026-11-02 08:31:05 INFO started\n2026-11-02 08:31:06 INFO done\n",
        "会议纪要\n时间：2026-11-02 09:00\n地点：三楼会议室\n",
    ] {
        assert!(group::read(&Input::new(text.as_bytes(), "")).is_none(), "{text}");
    }
    // The fixtures of pages are none either, nor are packages.
    let fixtures = folder().parent().unwrap().to_owned();
    for folder in ["page", "built"] {
        for entry in std::fs::read_dir(fixtures.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let bytes = std::fs::read(&path).unwrap();
                assert!(group::read(&Input::new(&bytes, "")).is_none(), "{}", path.display());
            }
        }
    }
}

#[test]
fn styles_of_chat_logs() {
    let bodies = |text: &str| -> Vec<String> {
        let mut reads = read(text.as_bytes());
        assert_eq!(reads.len(), 1, "{text}");
        let read = reads.remove(0);
        assert_eq!(read.group.senders, 2, "{text}");
        let said = read.inspection.texts.into_iter().filter(|text| text.role == Role::Body);
        said.map(|text| text.text).collect()
    };
    for text in [
        "2026-11-02 08:31:05 张某(社区)\n请上报\n\n2026-11-02 08:32:00 李某\n收到\n",
        "2026/11/2 8:31 张某\n请上报\n2026/11/2 8:32 李某\n收到\n",
        "2026年11月2日 上午8:31 张某\n请上报\n2026年11月2日 上午8:32 李某\n收到\n",
        "张某 2026-11-02 08:31:05\n请上报\n李某 2026-11-02 08:32:00\n收到\n",
        "[2026-11-02 08:31] 张某: 请上报\n[2026-11-02 08:32] 李某：收到\n",
        "2026-11-02 08:31:05 张某: 请上报\n2026-11-02 08:32:05 李某：收到\n",
        "—————  2026-11-02  —————\n\n张某  08:31\n\n请上报\n\n李某  08:32\n\n收到\n",
    ] {
        assert_eq!(bodies(text), ["请上报", "收到"], "{text}");
    }
}

#[test]
fn archives_of_json() {
    for text in [
        r#"[{"roomid":"wr1","from":"u1","msgtime":1793579465000,"msgtype":"text","text":{"content":"请上报"}},{"roomid":"wr1","from":"u2","msgtime":1793579565000,"msgtype":"text","text":{"content":"收到"}}]"#,
        "{\"群名称\":\"甲\",\"发送人\":\"张某\",\"内容\":\"请上报\"}\n{\"群名称\":\"甲\",\"发送人\":\"李某\",\"内容\":\"收到\"}\n",
        r#"{"chatInfo":{"name":"甲","type":"group"},"messages":[{"time":"2026-11-02 08:31","sender":{"uid":"1","name":"张某"},"content":{"text":"请上报"}},{"time":"2026-11-02 08:32","sender":{"uid":"2","name":"李某"},"content":{"text":"收到"}}]}"#,
        r#"{"groups":[{"群名称":"甲","消息":[{"发送人":"张某","内容":"请上报"},{"发送人":"李某","内容":"收到"}]}]}"#,
    ] {
        let reads = read(text.as_bytes());
        assert_eq!(reads.len(), 1, "{text}");
        assert_eq!((reads[0].group.messages, reads[0].group.senders), (2, 2), "{text}");
        let said: Vec<&str> = reads[0]
            .inspection
            .texts
            .iter()
            .filter(|t| t.role == Role::Body)
            .map(|t| t.text.as_str())
            .collect();
        assert_eq!(said, ["请上报", "收到"], "{text}");
    }
}

#[test]
fn a_file_cut_off_anywhere_is_read_as_far_as_it_goes() {
    for case in cases() {
        let bytes = bytes(&case);
        let whole: usize = read(&bytes).iter().map(|read| read.inspection.texts.len()).sum();
        // Every length of the small ones, every seventh of the others.
        let step = if bytes.len() < 2_500 { 1 } else { 7 };
        for length in (0..bytes.len()).step_by(step) {
            let reads = read(&bytes[..length]);
            let texts: usize = reads.iter().map(|read| read.inspection.texts.len()).sum();
            assert!(texts <= whole + 1, "{} at {length}: {texts} of {whole}", case.name);
        }
    }
    let json = std::fs::read(folder().join("grid.json")).unwrap();
    let reads = read(&json[..json.len() / 2]);
    assert!(reads[0].group.messages > 5, "{:?}", reads[0].group);
    assert!(reads[0].inspection.has_gaps());
}

#[test]
fn much_of_everything() {
    let started = Instant::now();
    // Names and groups beyond the limits, marks without an end, lists without an end.
    let mut csv = String::from("群名称,发送人,时间,内容\n");
    for number in 0..60_000 {
        csv.push_str(&format!(
            "第{}群,人{number}号,2026-11-02 08:31,收到@人{}号\n",
            number % 700,
            number / 2
        ));
    }
    let reads = read(csv.as_bytes());
    assert!(reads.len() <= 500);
    assert!(reads[0].inspection.anomalies().iter().any(|anomaly| anomaly.code == "group.too-many-messages"));
    let mut log = String::from("2026-11-02 08:31:00 乙某\n好\n2026-11-02 08:31:05 甲某\n#接龙\n");
    (1..50_000).for_each(|number| log.push_str(&format!("{number}. 乙某\n")));
    log.push_str("2026-11-02 08:31:06 乙某\n");
    log.push_str(&"@".repeat(200_000));
    log.push_str(&"[".repeat(200_000));
    log.push_str(&"1 ".repeat(200_000));
    log.push_str(&"2026 ".repeat(100_000));
    log.push_str(&"书记".repeat(100_000));
    assert_eq!(read(log.as_bytes())[0].group.messages, 3);
    let deep = format!("{{\"群名称\":\"甲\",\"发送人\":\"乙\",\"内容\":{}", "[".repeat(100_000));
    assert!(read(deep.as_bytes())[0].inspection.has_gaps());
    let quote = format!("群名称,发送人,内容\n甲,乙,\"{}", "丙,丁,戊\n".repeat(10_000));
    assert!(read(quote.as_bytes())[0].inspection.has_gaps());
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
}

#[test]
fn what_an_export_does_not_carry_is_a_gap() {
    let reads = read("发送人,内容\n张某,请上报\n李某,收到\n".as_bytes());
    let gaps = reads[0].inspection.coverage().gaps;
    for missing in ["群名称", "群公告", "消息时间"] {
        assert!(gaps.iter().any(|gap| gap.material && gap.detail.contains(missing)), "{missing}: {gaps:?}");
    }
    assert!(gaps.iter().any(|gap| !gap.material && gap.detail.contains("成员名单")), "{gaps:?}");
    assert_eq!(reads[0].inspection.unread_count(PartName::Text), 0);
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..600)) {
        read(&bytes);
    }

    #[test]
    fn any_table_is_read(text in "(群名称|发送人|内容|时间|,|\n|\"|2026-11-02 08:31|张某|收到|#接龙|1. |@|;|\t){0,80}") {
        read(format!("群名称,发送人,时间,内容\n{text}").as_bytes());
        read(format!("[2026-11-02 08:31] 张某: 好\n[2026-11-02 08:31] 李某: 好\n{text}").as_bytes());
        read(format!("{{\"群名称\":\"甲\",\"messages\":[{{\"发送人\":\"甲\",\"内容\":\"{text}\"}}").as_bytes());
    }
}
