//! The program from outside: help, exit codes, what goes to which stream.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const RULE: &str = "\
id: app.check-in
category: check-in
title: 打卡签到
title_en: Check-in
what: 要求按时定点打卡。
what_en: Checking in at set times and places.
why: 增加基层负担。
why_en: It burdens the staff.
basis:
  - document: measures
    clause: 五类情形（二）
    clause_en: five situations, (2)
    text: 不得设置打卡签到功能。
    text_en: No check-in.
    targets: [app, mini-program, quick-app]
exceptions:
  - text: 应急值守。
    text_en: Emergency duty.
    requires: 批准文件
    requires_en: the document that allows it
signals:
  - id: word
    evidence: text
    strength: strong
    phrases: [打卡]
remediation: 取消打卡。
remediation_en: Remove it.
examples:
  match: [巡查打卡]
  no_match: [签收]
";

/// A rules directory with one rule, as `rules check` and `scan` read it.
fn rules(rule: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let policy = concat!(env!("CARGO_MANIFEST_DIR"), "/rules/policy.yaml");
    fs::copy(policy, dir.path().join("policy.yaml")).unwrap();
    let documents = "- {key: measures, name: 《办法》, name_en: Measures, issued: 2026-01-25, scope: 应用, scope_en: apps, source: test}\n";
    fs::write(dir.path().join("documents.yaml"), documents).unwrap();
    let guard = "{negation: [取消], affirmation: [不要忘记], window: 8, quotes: [“”], document_titles: [隐私政策], report_titles: [解读], complaint_page: [指尖上的形式主义]}\n";
    fs::write(dir.path().join("guard.yaml"), guard).unwrap();
    fs::create_dir(dir.path().join("app")).unwrap();
    fs::write(dir.path().join("app/check-in.yaml"), rule).unwrap();
    dir
}

fn zhijian(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zhijian"));
    command.args(args).env_remove("COLUMNS").env_remove("CLICOLOR_FORCE").stdin(Stdio::null());
    command
}

fn run(args: &[&str]) -> Output {
    zhijian(args).output().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn help_of_every_command_in_both_languages() {
    let mut all = String::new();
    for lang in ["zh", "en"] {
        for command in [
            "",
            "scan",
            "diff",
            "notice",
            "fetch",
            "plan",
            "run",
            "fleet",
            "journal",
            "record",
            "review",
            "ledger",
            "ledger verify",
            "ledger import",
            "ledger backup",
            "serve",
            "demo",
            "worker",
            "config",
            "config check",
            "formats",
            "doctor",
            "roster",
            "roster check",
            "roster diff",
            "roster compare",
            "inventory",
            "rules",
            "rules list",
            "rules show",
            "rules check",
            "rules measure",
            "sandbox",
            "schema",
            "key",
            "key new",
            "key show",
            "sign",
            "verify",
            "outbox",
            "outbox list",
            "code",
            "code list",
            "code show",
            "code explain",
            "code simulate",
            "code export",
            "code picture",
            "completions",
            "man",
        ] {
            let args: Vec<&str> = command.split_whitespace().chain(["--lang", lang, "--help"]).collect();
            let output = run(&args);
            assert_eq!(output.status.code(), Some(0));
            assert!(output.stderr.is_empty());
            all.push_str(&format!("$ zhijian {}\n{}\n", args.join(" "), text(&output.stdout)));
        }
    }
    insta::assert_snapshot!("help", all);
}

#[test]
fn what_cannot_be_scanned_is_named_with_its_cause_and_gives_2() {
    let rules = rules(RULE);
    let dir = tempfile::tempdir().unwrap();
    let missing = dir.path().join("没有.apk");
    let plain = dir.path().join("plain.apk");
    fs::write(&plain, "not a package at all").unwrap();
    let empty = dir.path().join("空");
    fs::create_dir(&empty).unwrap();
    let args = ["scan", "--rules", path(rules.path()), path(&missing), path(&empty), path(&plain)];
    let output = run(&args);
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty(), "{}", text(&output.stdout));
    let lines: Vec<&str> = text(&output.stderr).lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].contains("没有.apk") && lines[0].contains("文件不存在"), "{}", lines[0]);
    assert!(lines[1].contains(path(&empty)) && lines[1].contains("文件夹中没有安装包"), "{}", lines[1]);
    assert!(lines[2].contains("plain.apk") && lines[2].contains("不是可检测的安装包"), "{}", lines[2]);
    let english = run(&[&args[..], &["--lang", "en"]].concat());
    assert!(text(&english.stderr).contains("no such file"));
    // 2 outweighs 1.
    assert_eq!(run(&[&args[..], &["--fail-on", "suspected"]].concat()).status.code(), Some(2));
}

#[cfg(unix)]
#[test]
fn an_unreadable_file_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let rules = rules(RULE);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("locked.apk");
    fs::write(&file, "x").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&file).is_ok() {
        return; // The administrator may read everything.
    }
    let output = run(&["scan", "--rules", path(rules.path()), path(&file)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("没有读取权限"));
}

#[test]
fn a_hostile_file_name_does_not_reach_the_terminal() {
    let rules = rules(RULE);
    let output = run(&["scan", "--rules", path(rules.path()), "a\u{1b}[31m\n\u{202e}.apk"]);
    let said = text(&output.stderr);
    assert_eq!(said.lines().count(), 1, "{said:?}");
    assert!(!said.contains(['\u{1b}', '\u{202e}']), "{said:?}");
}

#[test]
fn failures_are_in_the_reports_that_can_say_so() {
    let rules = rules(RULE);
    let dir = tempfile::tempdir().unwrap();
    let (html, sarif) = (dir.path().join("r.html"), dir.path().join("r.sarif"));
    let (to_html, to_sarif) = (format!("html={}", path(&html)), format!("sarif={}", path(&sarif)));
    let output = run(&[
        "scan",
        "-q",
        "--rules",
        path(rules.path()),
        "none.apk",
        "--report",
        &to_html,
        "--report",
        &to_sarif,
    ]);
    assert_eq!(output.status.code(), Some(2));
    assert!(fs::read_to_string(&html).unwrap().contains("none.apk"));
    let log: serde_json::Value = serde_json::from_str(&fs::read_to_string(&sarif).unwrap()).unwrap();
    assert_eq!(log["runs"][0]["invocations"][0]["executionSuccessful"], false);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "no drafts are left");
}

#[test]
fn wrong_arguments_give_2_and_say_what() {
    let rules = rules(RULE);
    let dir = path(rules.path());
    for (args, said) in [
        (vec!["scan"], "FILE"),
        (vec!["scan", "--format", "pdf", "x"], "pdf"),
        (vec!["scan", "--report", "pdf=x", "x"], "pdf"),
        (vec!["scan", "--filing", "1", "--filing-list", "l.csv", "x"], "--filing"),
        (vec!["scan", "--rules", dir, "--filing-list", "/no/list.csv", "x"], "/no/list.csv"),
        (vec!["scan", "--rules", "/no/rules", "x"], "/no/rules"),
        (vec!["scan", "--rules", dir, "--report", "html=/no/such/r.html", "x"], "/no/such/r.html"),
        (vec!["rules", "show", "app.none", "--rules", dir], "app.check-in"),
    ] {
        let output = run(&args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(output.stdout.is_empty());
        assert!(text(&output.stderr).contains(said), "{args:?}: {}", text(&output.stderr));
    }
}

#[test]
fn rules_are_listed_shown_and_checked() {
    let good = rules(RULE);
    let list = run(&["rules", "list", "--rules", path(good.path())]);
    assert_eq!(text(&list.stdout), "编号          类别  示例  名称\napp.check-in  禁止  2     打卡签到\n");
    let show = run(&["rules", "show", "app.check-in", "--rules", path(good.path()), "--lang", "en"]);
    for needed in
        ["Checking in at set times", "Measures, five situations, (2)", "“巡查打卡”", "“签收”", "mobile app"]
    {
        assert!(text(&show.stdout).contains(needed), "{needed}: {}", text(&show.stdout));
    }
    let check = run(&["rules", "check", "--rules", path(good.path())]);
    assert_eq!((check.status.code(), text(&check.stdout)), (Some(0), "规则 1 条，示例 2 个，不符 0 个\n"));

    let failing = rules(&RULE.replace("no_match: [签收]", "no_match: [签收, 夜间打卡]"));
    let check = run(&["rules", "check", "--rules", path(failing.path())]);
    assert_eq!(check.status.code(), Some(1));
    assert!(text(&check.stdout).contains("app/check-in.yaml: app.check-in: \"夜间打卡\""));

    let broken = rules(&RULE.replace("category: check-in", "category: no-such"));
    let check = run(&["rules", "check", "--rules", path(broken.path())]);
    assert_eq!(check.status.code(), Some(2));
    assert!(text(&check.stderr).contains("app/check-in.yaml"), "{}", text(&check.stderr));
}

#[test]
fn a_folder_stands_for_the_packages_in_it() {
    let built = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/built/");
    let folder = tempfile::tempdir().unwrap();
    let put = |from: &str, to: &str| {
        let to = folder.path().join(to);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(format!("{built}{from}"), to).unwrap();
    };
    put("reader.apk", "b/读者.apk");
    put("duty.rpk", "a.rpk");
    put("study.wxapkg", "c/__APP__.wxapkg");
    put("study_sub.wxapkg", "c/_sub_.wxapkg");
    put("punch.wxapkg", "d/punch.wxapkg");
    put("visit.wxapkg", "d/visit.wxapkg");
    fs::write(folder.path().join("b/readme.txt"), "打卡").unwrap();
    let output = run(&["scan", "--format", "jsonl", path(folder.path())]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let sources: Vec<String> = text(&output.stdout)
        .lines()
        .map(|line| {
            let report: zhijian::model::Report = serde_json::from_str(line).unwrap();
            report.target.source.strip_prefix(path(folder.path())).unwrap().replace('\\', "/")
        })
        .collect();
    assert_eq!(sources, ["/a.rpk", "/b/读者.apk", "/c", "/d/punch.wxapkg", "/d/visit.wxapkg"]);

    fs::write(folder.path().join("b/broken.apk"), "x").unwrap();
    let output = run(&["scan", "--quiet", path(&folder.path().join("b"))]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("broken.apk"), "{}", text(&output.stderr));

    let empty = tempfile::tempdir().unwrap();
    let output = run(&["scan", "--lang", "en", path(empty.path())]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("a folder without a package"), "{}", text(&output.stderr));
}

#[test]
fn an_appid_has_its_form() {
    let built = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/built/punch.wxapkg");
    for wrong in ["", "wx123", "WX5E1D0C7B2A94F836", "wx5e1d0c7b2a94f836 "] {
        let output = run(&["scan", "--lang", "en", "--appid", wrong, built]);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        assert!(output.stdout.is_empty());
        assert!(text(&output.stderr).contains("--appid"), "{}", text(&output.stderr));
        assert!(
            text(&output.stderr).contains("16 lower-case hexadecimal digits"),
            "{}",
            text(&output.stderr)
        );
    }
    let output = run(&["scan", "--quiet", "--appid", "wx5e1d0c7b2a94f836", built]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn the_schema_is_printed_as_published() {
    let published = include_str!("../src/report/zhijian.report-1.schema.json");
    assert_eq!(text(&run(&["schema"]).stdout), published);
}

#[test]
fn formats_say_what_is_read_and_how_far() {
    let output = run(&["--lang", "en", "formats"]);
    assert_eq!(output.status.code(), Some(0));
    let shown = text(&output.stdout);
    for format in zhijian::format::FORMATS {
        assert!(shown.lines().any(|line| line.starts_with(format.name)), "{}", format.name);
    }
    for decoder in zhijian::decode::DECODERS {
        assert!(shown.contains(decoder.reads.1), "{}", decoder.name);
    }
    // The limit that the archive reader enforces.
    assert_eq!(zhijian::decode::archive::MAX_ENTRY, 128 << 20);
    assert!(shown.lines().any(|line| line.starts_with("archive") && line.contains("128 MiB")), "{shown}");
    assert!(shown.lines().all(|line| line.chars().count() <= 80), "{shown}");
}

#[test]
fn completions_and_man_page_name_every_command_and_option() {
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&["completions", shell]);
        assert_eq!(script.status.code(), Some(0));
        for needed in ["scan", "rules", "fail-on", "filing-list", "appid"] {
            assert!(text(&script.stdout).contains(needed), "{shell}: {needed}");
        }
    }
    let man = run(&["man", "--lang", "en"]);
    for needed in [".TH zhijian 1", "ZHIJIAN SCAN", "ZHIJIAN RULES CHECK", "fail\\-on", "Exit codes"] {
        assert!(text(&man.stdout).contains(needed), "{needed}: {}", text(&man.stdout));
    }
    assert!(text(&run(&["--version"]).stdout).starts_with("zhijian "));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let mut child = zhijian(&["schema"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}

#[test]
fn the_samples_of_the_readmes_are_what_the_program_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // Rules change more often than what a report looks like.
    let plain = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| !line.starts_with("engine ") && !line.starts_with("引擎 "));
        lines.map(|line| line.trim_end().to_owned()).collect()
    };
    for (file, lang) in [("README.md", "en"), ("README.zh-CN.md", "zh")] {
        let text = fs::read_to_string(root.join(file)).unwrap();
        let begin = text.find("```text\n$ zhijian scan ").unwrap();
        let sample = text[begin..].split_once("apk\n").unwrap().1.split_once("\n```").unwrap().0;
        let args = ["--lang", lang, "scan", "fixtures/built/grid-patrol.apk"];
        let out = zhijian(&args).current_dir(root).env("COLUMNS", "80").output().unwrap();
        assert_eq!(plain(sample), plain(&String::from_utf8(out.stdout).unwrap()), "{file}");
    }
}
