//! `zhijian rules measure`: phrases and packages with labels, through the program itself.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test stops at what it does not expect")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use unicode_width::UnicodeWidthStr;
use zhijian::rule::{RuleSet, SignalKind};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn measure(dir: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zhijian"));
    command.args(["rules", "measure"]).arg(dir).args(more).output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

const APP: &str = "rule: app.check-in
match:
  - {text: 每日打卡, role: control, walk: 党建, why: 打卡}
  - {text: 打卡成功, role: message}
  - {html: '<button><span>打</span><span>卡</span></button>', why: 拆开}
  - {text: 完全无关的文字}
no_match:
  - {text: 网红打卡地}
  - {text: 严禁打卡}
  - {component: cn.gov.example.AttendanceActivity}
";

#[test]
fn a_table_counts_levels_and_names_every_error() {
    let dir = folder(&[
        ("app.check-in.yaml", APP),
        (
            "group.yaml",
            "rule: group.check-in\nmatch:\n  - {text: 请大家每天打卡}\nno_match:\n  - {text: 早上好}\n",
        ),
        (
            "account.yaml",
            "rule: account.shell\nmatch:\n  - {text: 本公众号即日起停止更新。}\nno_match:\n  - {text: 停水公告, role: title}\n",
        ),
        ("notes.txt", "not read"),
    ]);
    let output = measure(dir.path(), &["--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let found = json(&output);
    let rules = found["phrases"]["rules"].as_array().unwrap();
    assert_eq!(
        rules.iter().map(|line| line["rule"].as_str().unwrap()).collect::<Vec<_>>(),
        ["app.check-in", "account.shell", "group.check-in"]
    );
    let levels =
        |line: &Value| ["confirmed", "suspected", "mention", "nothing"].map(|l| line[l].as_u64().unwrap());
    // A button, a message, a button in two pieces, nothing; a place, a denial, a page alone.
    assert_eq!(levels(&rules[0]["present"]), [2, 1, 0, 1]);
    assert_eq!(levels(&rules[0]["absent"]), [0, 1, 1, 1]);
    assert_eq!((levels(&rules[1]["present"]), levels(&rules[1]["absent"])), ([0, 1, 0, 0], [0, 0, 0, 1]));
    assert_eq!((levels(&rules[2]["present"]), levels(&rules[2]["absent"])), ([0, 1, 0, 0], [0, 0, 0, 1]));
    assert_eq!(rules[0]["precision"]["share"], 0.75);
    assert_eq!(rules[0]["recall"]["share"], 0.75);
    let errors = found["phrases"]["errors"].as_array().unwrap();
    let errors: Vec<_> =
        errors.iter().map(|e| (e["of"].as_str().unwrap(), e["present"].as_bool().unwrap())).collect();
    assert_eq!(errors, [("“完全无关的文字”", true), ("component cn.gov.example.AttendanceActivity", false)]);
    assert!(found["packages"].is_null());
}

#[test]
fn what_is_written_fits_the_terminal_in_both_languages() {
    for lang in ["zh", "en"] {
        let output = measure(&root().join("fixtures/phrases"), &["--lang", lang]);
        assert_eq!(output.status.code(), Some(0));
        for line in text(&output.stdout).lines() {
            assert!(line.width() <= 80, "{line}");
        }
    }
}

#[test]
fn packages_are_found_by_path_and_by_digest_and_what_is_missing_is_said() {
    let built = root().join("fixtures/built");
    let file = built.join("grid-patrol.apk");
    let digest = zhijian::scan::sha256(std::fs::File::open(&file).unwrap()).unwrap();
    let list = format!(
        "- {{file: '{}', labels: {{app.ranking: no, app.form: unclear}}}}
- {{sha256: {digest}, source: made here, labels: {{app.check-in: yes, app.ranking: yes}}, saw: {{app.check-in: 巡查页按钮}}}}
- {{sha256: {}, source: https://example.gov.cn/gone.apk, labels: {{app.check-in: yes}}}}
- {{file: '{}', sha256: {}, labels: {{app.check-in: yes}}}}
- {{file: '{}', labels: {{group.check-in: yes}}}}
",
        file.display(),
        "0".repeat(64),
        file.display(),
        "0".repeat(64),
        file.display(),
    );
    let dir = folder(&[("packages.yaml", &list)]);
    let output = measure(dir.path(), &["--format", "json", "--packages", built.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    let found = json(&output);
    let failed: Vec<&str> =
        found["failed"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert_eq!(failed.len(), 3, "{failed:?}");
    for (failure, part) in failed.iter().zip([
        "https://example.gov.cn/gone.apk: 未找到",
        "sha256 不符",
        "group.check-in不适用于",
    ]) {
        assert!(failure.contains(part), "{failure}");
        assert!(text(&output.stderr).contains(part));
    }
    let rules: BTreeMap<&str, &Value> = found["packages"]["rules"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| (line["rule"].as_str().unwrap(), line))
        .collect();
    assert_eq!(rules.keys().copied().collect::<Vec<_>>(), ["app.check-in", "app.ranking"]);
    assert_eq!(rules["app.check-in"]["present"]["confirmed"], 1);
    assert_eq!(rules["app.ranking"]["present"]["nothing"], 1);
    assert_eq!(rules["app.ranking"]["absent"]["nothing"], 1);
    let output = measure(dir.path(), &["--lang", "en"]);
    assert!(text(&output.stderr).contains("--packages names the folder"));
    assert!(text(&output.stdout).contains("1 packages, 4 could not be scanned"), "{}", text(&output.stdout));
}

#[test]
fn faults_in_labels_are_refused_with_the_file() {
    for (file, content, part) in [
        ("a.yaml", "rule: app.chekin\nmatch: []\nno_match: []\n", "app.chekin"),
        ("a.yaml", "rule: app.check-in\nmatch:\n  - {txet: 打卡}\nno_match: []\n", "txet"),
        ("a.yaml", "rule: app.check-in\nmatch:\n  - {walk: 党建}\nno_match: []\n", "短语是空的"),
        (
            "a.yaml",
            "rule: app.check-in\nmatch:\n  - {text: 打卡, expect: confirmed}\nno_match: []\n",
            "expect",
        ),
        ("a.yaml", "rule: group.check-in\nmatch:\n  - {html: <b>打卡</b>}\nno_match: []\n", "只有文字"),
        ("a.yaml", "match: [\n", "a.yaml"),
        ("packages.yaml", "- {sha256: 00, labels: {app.chekin: yes}}\n", "app.chekin"),
        ("packages.yaml", "- {sha256: 00, lables: {}}\n", "lables"),
    ] {
        let dir = folder(&[(file, content)]);
        let output = measure(dir.path(), &[]);
        assert_eq!(output.status.code(), Some(2), "{content}");
        let error = text(&output.stderr);
        assert!(error.contains(file) && error.contains(part), "{error}");
    }
    let dir = folder(&[]);
    assert!(text(&measure(dir.path(), &[]).stderr).contains("packages.yaml"));
    assert!(text(&measure(&dir.path().join("none"), &[]).stderr).contains("none"));
}

/// Every rule that text decides has its phrases, two thirds to work with and one third held out.
#[test]
fn every_rule_with_texts_has_sixty_phrases() {
    #[derive(serde::Deserialize)]
    struct File {
        rule: String,
        r#match: Vec<Value>,
        no_match: Vec<Value>,
    }
    let set = RuleSet::embedded().unwrap();
    for rule in set.rules() {
        let decides = rule.signals.iter().any(|signal| signal.evidence == SignalKind::Text);
        if !decides {
            continue;
        }
        for (inside, count) in [("", 20), ("held-out/", 10)] {
            let path = root().join(format!("fixtures/phrases/{inside}{}.yaml", rule.id));
            let file: File = serde_saphyr::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            assert_eq!(
                (file.rule.as_str(), file.r#match.len(), file.no_match.len()),
                (rule.id.as_str(), count, count)
            );
        }
    }
}
