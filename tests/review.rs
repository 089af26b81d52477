//! What people do with the ledger on the command line: record, review, decide, simulate.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use unicode_width::UnicodeWidthStr;

struct Office(tempfile::TempDir);

const GRID: &str = "app:cn.gov.example.grid";

impl Office {
    /// An office with three apps of the fixtures on its roster, scanned on 10 January 2026.
    fn new() -> Self {
        let office = Office(tempfile::tempdir().unwrap());
        let roster = "应用名称,类型,包名,主办单位,层级,地区,政务应用程序备案编号,状态\n\
            某市网格通,移动应用程序,cn.gov.example.grid,某市大数据局,市级,某省/某市,某网信政备〔2026〕0312号,在用\n\
            机关办公,移动应用程序,cn.gov.example.oa,某市委办公室,市级,某省/某市,某网信政备〔2026〕0313号,在用\n\
            某县政务通,移动应用程序,cn.gov.example.packed,某县政府办,县级,某省/某市/某县,,在用\n";
        fs::write(office.path("roster.csv"), roster).unwrap();
        office.done(&["ledger", "import", "roster.csv", "--apply", "--at", "2026-01-05"]);
        for app in ["grid-patrol", "reader", "packed"] {
            let package = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/built/{app}.apk"));
            let report = format!("json=reports/{app}.json");
            fs::create_dir_all(office.path("reports")).unwrap();
            office.done(&["scan", package.to_str().unwrap(), "--quiet", "--report", &report]);
        }
        office.done(&["record", "scan", "reports", "--at", "2026-01-10"]);
        office
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Exit code, standard output, standard error.
    fn run(&self, args: &[&str]) -> (i32, String, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_zhijian"))
            .args(args)
            .current_dir(self.0.path())
            .env("ZHIJIAN_DATABASE", format!("sqlite:{}", self.path("ledger.db").display()))
            .env("XDG_CONFIG_HOME", self.0.path())
            .env("XDG_DATA_HOME", self.0.path())
            .env("USER", "张三")
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    fn done(&self, args: &[&str]) -> String {
        let (code, out, err) = self.run(args);
        assert_eq!(code, 0, "{args:?}: {out}{err}");
        out
    }

    fn refused(&self, args: &[&str]) -> String {
        let (code, out, err) = self.run(args);
        assert_eq!(code, 2, "{args:?}: {out}");
        err
    }

    /// Colour and deciding clause.
    fn code(&self, target: &str, as_of: &str) -> String {
        let document = self.done(&["code", "show", target, "--as-of", as_of, "--format", "json"]);
        let document: Value = serde_json::from_str(&document).unwrap();
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        format!("{} {}", word(&document["code"]), word(&document["reasons"][0]["id"]))
    }
}

#[test]
fn what_waits_is_listed_and_decided() {
    let office = Office::new();
    let list: Value =
        serde_json::from_str(&office.done(&["review", "list", "--as-of", "2026-01-11", "--format", "json"]))
            .unwrap();
    let waiting: Vec<(String, String, String)> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let word = |key: &str| one[key].as_str().unwrap().to_owned();
            (word("urgency"), word("target"), word("rule"))
        })
        .collect();
    // The packed app is no finding; that it cannot be seen stands in its code.
    let expected = [("no-notice", GRID, "app.check-in"), ("duty-missing", GRID, "app.complaint-channel")];
    let expected = expected.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()));
    assert_eq!(waiting, expected);
    let err = office.refused(&["review", "dismiss", GRID, "app.ranking", "--reason", "误判"]);
    assert!(err.contains("app.check-in") && err.contains("app.complaint-channel"), "{err}");
    let day = ["--at", "2026-01-12", "--by", "李四"];
    let out = office
        .done(&[&["review", "dismiss", GRID, "app.check-in", "--reason", "会议签到"][..], &day].concat());
    assert!(out.contains("未赋码 待整改"), "the duty is still missing: {out}");
    let granted = ["--document", "函〔2026〕3号", "--scope", "迁移期间", "--until", "2026-06-30"];
    office.done(&[&["review", "except", GRID, "app.complaint-channel"][..], &granted, &day].concat());
    assert_eq!(office.code(GRID, "2026-01-12"), "green green");
    assert_eq!(office.code(GRID, "2026-07-01"), "none duty-missing");
    // Withdrawn, both are open again.
    let log = office.done(&["ledger", "log", GRID, "--format", "json"]);
    let log: Value = serde_json::from_str(&log).unwrap();
    let dismissal = log.as_array().unwrap().iter().find(|event| event["event"] == "dismissed").unwrap();
    assert_eq!(dismissal["actor"], "李四");
    let seq = dismissal["seq"].to_string();
    office.done(&["record", "withdrawal", &seq, "--reason", "点错了"]);
    assert_eq!(office.code(GRID, "2026-12-31"), "none confirmed-finding");
    office.done(&["ledger", "verify"]);
}

#[test]
fn decisions_need_grounds() {
    let office = Office::new();
    let err = office.refused(&["code", "decide", GRID, "red", "--reason", "会议纪要"]);
    assert!(err.contains("没有再次检出且逾期未改的问题"), "{err}");
    let notice = |at: &str, deadline: &str| {
        let args =
            ["record", "notice", GRID, "--document", "整改〔2026〕1号", "--deadline", deadline, "--at", at];
        office.run(&args)
    };
    let (code, _, err) = notice("2026-01-12", "2026-01-11");
    assert!(code == 2 && err.contains("已经过去"), "{err}");
    assert_eq!(notice("2026-01-12", "2026-01-20").0, 0);
    office.done(&["record", "scan", "reports/grid-patrol.json", "--at", "2026-02-01"]);
    assert_eq!(office.code(GRID, "2026-02-01"), "blue found-again");
    assert_eq!(notice("2026-02-02", "2026-02-10").0, 0);
    assert_eq!(office.code(GRID, "2026-02-11"), "blue red-proposed");
    let decide = ["code", "decide", GRID, "red", "--reason", "会议纪要〔2026〕9号", "--at", "2026-02-12"];
    assert!(office.done(&decide).contains("红码"));
    assert_eq!(office.code(GRID, "2026-02-12"), "red red");
    let err = office.refused(&["record", "notice", "oa", "--document", "1", "--deadline", "2030-01-01"]);
    assert!(err.contains("没有已确认、未整改的问题"), "{err}");
}

#[test]
fn targets_are_found_by_a_part_of_key_or_name() {
    let office = Office::new();
    assert_eq!(office.code("网格通", "2026-01-11"), "none confirmed-finding");
    assert_eq!(office.code("0313号", "2026-01-11"), "green green");
    let err = office.refused(&["code", "show", "cn.gov.example"]);
    assert!(err.contains("有多个对象") && err.contains(GRID), "{err}");
    let err = office.refused(&["code", "show", "没有的"]);
    assert!(err.contains("台账中没有这个对象"), "{err}");
}

#[test]
fn another_policy_is_tried_without_writing() {
    let office = Office::new();
    let own = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/policy.yaml")).unwrap();
    // A stricter province: what is overdue for the first time is blue.
    let stricter = own
        .replace("version: 2", "version: 3")
        .replace("  - id: deadline-passed\n    code: none", "  - id: deadline-passed\n    code: blue");
    fs::write(office.path("stricter.yaml"), &stricter).unwrap();
    let args = ["--document", "1号", "--deadline", "2026-01-20", "--at", "2026-01-12"];
    office.done(&[&["record", "notice", GRID][..], &args].concat());
    let before = office.done(&["ledger", "verify", "--format", "json"]);
    let out =
        office.done(&["code", "simulate", "stricter.yaml", "--as-of", "2026-02-01", "--format", "json"]);
    let changed: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(changed.as_array().unwrap().len(), 1);
    assert_eq!(
        (&changed[0]["target"], &changed[0]["from"], &changed[0]["to"]),
        (&GRID.into(), &"none".into(), &"blue".into())
    );
    let out =
        office.done(&["code", "simulate", "stricter.yaml", "--as-of", "2026-01-15", "--format", "json"]);
    assert_eq!(out.trim(), "[]");
    assert_eq!(office.done(&["ledger", "verify", "--format", "json"]), before);
    fs::write(office.path("circle.yaml"), own.replace("situations:\n", "situations:\n  a: {not: a}\n"))
        .unwrap();
    let err = office.refused(&["code", "simulate", "circle.yaml"]);
    assert!(err.contains("circle.yaml") && err.contains("circle"), "{err}");
    fs::write(office.path("broken.yaml"), own.replace("code: red\n", "code: purple\n")).unwrap();
    let err = office.refused(&["code", "simulate", "broken.yaml"]);
    assert!(err.contains("broken.yaml") && err.contains("purple"), "{err}");
}

#[test]
fn what_cannot_be_recorded_costs_nothing_but_itself() {
    let office = Office::new();
    fs::write(office.path("reports/broken.json"), "{\"schema\": \"zhijian.report/1\", ").unwrap();
    fs::write(office.path("reports/other.json"), "{\"a\": 1}").unwrap();
    let (code, out, err) = office.run(&["record", "scan", "reports", "--at", "2026-01-20"]);
    assert_eq!(code, 2);
    assert_eq!(out.lines().count(), 3, "{out}");
    assert!(err.contains("broken.json") && err.contains("other.json"), "{err}");
}

#[test]
fn people_read_it_at_eighty_columns() {
    let office = Office::new();
    let args = [
        "--document",
        "某省委网信办关于限期整改的通知〔2026〕1号",
        "--deadline",
        "2026-01-20",
        "--at",
        "2026-01-12",
    ];
    office.done(&[&["record", "notice", GRID][..], &args].concat());
    for lang in ["zh", "en"] {
        for args in [
            &["code", "list"][..],
            &["code", "show", GRID],
            &["code", "explain", GRID],
            &["code", "history", GRID],
            &["review", "list"],
            &["ledger", "log"],
        ] {
            let out = office.done(&[args, &["--lang", lang]].concat());
            for line in out.lines() {
                assert!(line.width() <= 80, "{args:?}: {line}");
            }
        }
    }
}
