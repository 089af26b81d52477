//! A province of a thousand apps over a year and a half: imported, filed, scanned, found, noticed, rectified or
//! disguised, scanned again. At each date the codes are those that a person derives by hand from `rules/policy.yaml`,
//! on both databases, and `explain` says why.
//!
//! There are twenty stories, fifty apps to each. The reports are of our own fixtures, with the name of each app in
//! them: an app with a check-in (F), the same under another label (R), without it (X), and a packed one (P).

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it left out"
)]

use crate::common::postgres;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rust_xlsxwriter::Workbook;
use serde_json::Value;
use zhijian::ledger::{History, Ledger, Policy};
use zhijian::model::{Deed, Event, Level, parse_moment};
use zhijian::roster::FilingRecord;
use zhijian::rule::RuleSet;
use zhijian::scan::{Scanner, Silent};

const APPS: usize = 1000;
const STORIES: usize = 20;

/// The dates of the scans, and what each story scans on them: `-` is no scan.
const SCANS: [(&str, &str); 4] = [
    // Story:      1234567890123456789 0
    ("2026-01-10", "XXXFFFFFPFF-XXXRFFXF"),
    ("2026-02-15", "XXXXFFRXXFX-XXXXPR-F"),
    ("2026-03-10", "XXXXXFXFXFX-XXXXPR-F"),
    ("2026-05-06", "XXXXXXXXXXX-XXXXPR-F"),
];

/// Codes by date: for each story colour and deciding clause, written as `colour clause`.
fn expected() -> Vec<(&'static str, [&'static str; STORIES])> {
    let never = "none never-scanned";
    let unfiled = "none not-filed";
    let open = "none confirmed-finding";
    let green = "green green";
    let again = "blue found-again";
    let proposed = "blue red-proposed";
    let late = "none deadline-passed";
    let opaque = "none coverage-opaque";
    let suspected = "none suspected-finding";
    vec![
        // Imported on 5 January, nothing scanned.
        ("2026-01-08", [never; STORIES]),
        (
            "2026-01-11",
            [
                green, unfiled, unfiled, open, open, open, open, open, opaque, open, open, never, green,
                green, green, suspected, open, open, green, open,
            ],
        ),
        // 12 January: 10 and 20 dismissed, 11 excepted until 1 March, 16 confirmed; 13 January: the dismissal of 20
        // withdrawn.
        (
            "2026-01-15",
            [
                green, unfiled, unfiled, open, open, open, open, open, opaque, green, green, never, green,
                green, green, open, open, open, green, open,
            ],
        ),
        // 20 January: notices for what is open, until 20 February. Scanned on 15 February.
        (
            "2026-02-16",
            [
                green, unfiled, unfiled, green, open, open, again, green, green, green, green, never, green,
                green, green, green, open, again, green, open,
            ],
        ),
        // The term has passed: for 5, 6, 17, 20. 18 is found again already; the notice was before that.
        (
            "2026-02-22",
            [
                green, unfiled, unfiled, green, late, late, again, green, green, green, green, never, green,
                green, green, green, late, again, green, late,
            ],
        ),
        // 1 March: 3 filed, 13 closed. Scanned on 10 March: 6 and 20 still there after the term, 8 found again.
        (
            "2026-03-11",
            [
                green,
                unfiled,
                green,
                green,
                green,
                again,
                green,
                again,
                green,
                green,
                green,
                never,
                "none closed",
                green,
                green,
                green,
                late,
                again,
                green,
                again,
            ],
        ),
        // 12 March: imported again without 14, and with a filing list that has 15 no longer.
        (
            "2026-03-13",
            [
                green,
                unfiled,
                green,
                green,
                green,
                again,
                green,
                again,
                green,
                green,
                green,
                never,
                "none closed",
                "none struck",
                unfiled,
                green,
                late,
                again,
                green,
                again,
            ],
        ),
        // 15 March: notices for 6, 8, 18, 20 until 1 April.
        (
            "2026-04-03",
            [
                green,
                unfiled,
                green,
                green,
                green,
                proposed,
                green,
                proposed,
                green,
                green,
                green,
                never,
                "none closed",
                "none struck",
                unfiled,
                green,
                late,
                proposed,
                green,
                proposed,
            ],
        ),
        // 10 April: red for 6, 18, 20; not for 8.
        (
            "2026-04-11",
            [
                green,
                unfiled,
                green,
                green,
                green,
                "red red",
                green,
                again,
                green,
                green,
                green,
                never,
                "none closed",
                "none struck",
                unfiled,
                green,
                late,
                "red red",
                green,
                "red red",
            ],
        ),
        // Scanned on 6 May: 6 and 8 are rectified.
        (
            "2026-05-07",
            [
                green,
                unfiled,
                green,
                green,
                green,
                green,
                green,
                green,
                green,
                green,
                green,
                never,
                "none closed",
                "none struck",
                unfiled,
                green,
                late,
                "red red",
                green,
                "red red",
            ],
        ),
        // A year after the only scan of 19.
        (
            "2027-01-11",
            [
                green,
                unfiled,
                green,
                green,
                green,
                green,
                green,
                green,
                green,
                green,
                green,
                never,
                "none closed",
                "none struck",
                unfiled,
                green,
                late,
                "red red",
                "none scan-outdated",
                "red red",
            ],
        ),
    ]
}

#[test]
fn a_province_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    story(&format!("sqlite:{}", folder.path().join("ledger.db").display()));
}

#[test]
fn a_province_on_postgresql() {
    if let Some(cluster) = postgres::cluster() {
        story(&cluster.database());
    }
}

/// From 1.
fn story_of(app: usize) -> usize {
    app % STORIES + 1
}

fn id(app: usize) -> String {
    format!("cn.gov.example.a{app:04}")
}

fn target(app: usize) -> String {
    format!("app:{}", id(app))
}

fn number(app: usize) -> String {
    format!("示例网信政备〔2026〕{app:04}号")
}

struct Office {
    folder: tempfile::TempDir,
    database: String,
}

impl Office {
    fn run(&self, args: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_zhijian"))
            .args(args)
            .env("ZHIJIAN_DATABASE", &self.database)
            .env("XDG_CONFIG_HOME", self.folder.path())
            .env("XDG_DATA_HOME", self.folder.path())
            .output()
            .unwrap();
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{args:?}: {err}\n{out}");
        out
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The roster of all apps of which a story holds.
    fn roster(&self, name: &str, holds: impl Fn(usize) -> bool) -> String {
        let path = self.path(name);
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        let head = ["应用名称", "类型", "包名", "主办单位", "层级", "地区", "政务应用程序备案编号", "状态"];
        for (column, text) in head.iter().enumerate() {
            sheet.write(0, column as u16, *text).unwrap();
        }
        for (row, app) in (0..APPS).filter(|app| holds(*app)).enumerate() {
            let filing = if [2, 3].contains(&story_of(app)) { String::new() } else { number(app) };
            let cells = [
                format!("示例应用{app}"),
                "移动应用程序".into(),
                id(app),
                format!("示例市第{}局", app % 40),
                "市级".into(),
                "示例省/示例市".into(),
                filing,
                "在用".into(),
            ];
            for (column, cell) in cells.iter().enumerate() {
                sheet.write(row as u32 + 1, column as u16, cell).unwrap();
            }
        }
        book.save(&path).unwrap();
        path.display().to_string()
    }

    /// The filing list with the apps of which a story is filed.
    fn filings(&self, name: &str, filed: impl Fn(usize) -> bool) -> String {
        let path = self.path(name);
        let mut text = "应用名称,包名,主办单位,备案编号,状态\n".to_owned();
        for app in (0..APPS).filter(|app| filed(*app)) {
            text.push_str(&format!(
                "示例应用{app},{},示例市第{}局,{},有效\n",
                id(app),
                app % 40,
                number(app)
            ));
        }
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }
}

/// Reports of the fixtures by the letter of [`SCANS`].
fn reports() -> BTreeMap<char, Value> {
    let scanner = Scanner::new(RuleSet::embedded().unwrap(), FilingRecord::Unknown);
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/built");
    let files = [
        ('F', "grid-patrol.apk"),
        ('R', "grid-patrol-renamed.apk"),
        ('X', "grid-patrol-fixed.apk"),
        ('P', "packed.apk"),
    ];
    let report = |(letter, file): (char, &str)| {
        let mut report = serde_json::to_value(scanner.scan(&built.join(file), &Silent).unwrap()).unwrap();
        // These fixtures have no complaint channel; the apps of the story do.
        for duty in report["duties"].as_array_mut().unwrap() {
            duty["status"] = "met".into();
        }
        (letter, report)
    };
    files.into_iter().map(report).collect()
}

fn story(database: &str) {
    let office = Office { folder: tempfile::tempdir().unwrap(), database: database.to_owned() };
    let reports = reports();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let ledger = runtime.block_on(Ledger::open(database)).unwrap();
    let policy = zhijian::rule::policy(None).unwrap();
    let apps = |stories: &'static [usize]| (0..APPS).filter(|app| stories.contains(&story_of(*app)));
    let scan = |index: usize| {
        let (date, letters) = SCANS[index];
        let folder = office.path(date);
        fs::create_dir(&folder).unwrap();
        for app in 0..APPS {
            let letter = letters.chars().nth(story_of(app) - 1).unwrap();
            let Some(report) = reports.get(&letter) else { continue };
            let mut report = report.clone();
            report["identity"]["id"] = id(app).into();
            report["identity"]["name"] = format!("示例应用{app}").into();
            fs::write(folder.join(format!("{app:04}.json")), report.to_string()).unwrap();
        }
        office.run(&["record", "scan", folder.to_str().unwrap(), "--at", date]);
    };
    let append = |date: &str, deeds: Vec<(usize, Deed)>| {
        let event = |(app, deed): (usize, Deed)| Event {
            target: target(app),
            at: parse_moment(date).unwrap(),
            actor: "张三".into(),
            deed,
        };
        let events: Vec<Event> = deeds.into_iter().map(event).collect();
        runtime.block_on(ledger.append(&events)).unwrap()
    };
    let evidence = |app: usize, date: &str| {
        let at = parse_moment(date).unwrap();
        let events = runtime.block_on(ledger.events_of(&target(app))).unwrap();
        let open = History::of(&policy, &events, at).standing.open_findings(&policy, at);
        assert_eq!(open.len(), 1, "{app} {open:?}");
        (open[0].rule.clone(), open[0].evidence.clone(), open[0].level)
    };
    let notices = |date: &str, stories: &'static [usize], deadline: &str| {
        let deed = |app| Deed::NoticeIssued {
            document: format!("示例整改〔2026〕{app}号"),
            rules: vec![evidence(app, date).0],
            deadline: deadline.parse().unwrap(),
        };
        append(date, apps(stories).map(|app| (app, deed(app))).collect());
    };
    let reason = || "会议纪要".to_owned();

    // 5 January. Shown first, then applied; the second time nothing changes.
    let filed = |app: usize| ![2, 3].contains(&story_of(app));
    let (roster, list) = (office.roster("一月.xlsx", |_| true), office.filings("一月.csv", filed));
    let import = ["ledger", "import", &roster, "--filings", &list, "--at", "2026-01-05"];
    let shown = office.run(&import);
    assert!(shown.contains("1900 个事件（其中备案 900、撤销备案 0）：未写入"), "{shown}");
    office.run(&[&import[..], &["--apply"]].concat());
    let shown = office.run(&import);
    assert!(shown.contains("台账无变化"), "{shown}");

    scan(0);
    let dismissed = |app| {
        let (rule, evidence, _) = evidence(app, "2026-01-12");
        (app, Deed::Dismissed { rule, evidence, reason: reason() })
    };
    append("2026-01-12", apps(&[10]).map(dismissed).collect());
    let first = append("2026-01-12", apps(&[20]).map(dismissed).collect());
    let excepted = |app| Deed::ExceptionGranted {
        rule: evidence(app, "2026-01-12").0,
        document: "示例应急〔2026〕3号".into(),
        scope: "防汛值守".into(),
        until: "2026-03-01".parse().unwrap(),
    };
    append("2026-01-12", apps(&[11]).map(|app| (app, excepted(app))).collect());
    let confirmed = |app| {
        let (rule, evidence, level) = evidence(app, "2026-01-12");
        assert_eq!(level, Level::Suspected);
        (app, Deed::Confirmed { rule, evidence, reason: reason() })
    };
    append("2026-01-12", apps(&[16]).map(confirmed).collect());
    let withdrawn = |(index, app)| (app, Deed::Withdrawn { seq: first + index as u64, reason: reason() });
    append("2026-01-13", apps(&[20]).enumerate().map(withdrawn).collect());
    notices("2026-01-20", &[4, 5, 6, 7, 8, 17, 18, 20], "2026-02-20");
    let reported = |app| (app, Deed::RectificationReported { statement: "已取消打卡".into() });
    append("2026-02-10", apps(&[4, 7, 8, 18]).map(reported).collect());
    scan(1);
    append("2026-03-01", apps(&[3]).map(|app| (app, Deed::Filed { number: number(app) })).collect());
    append("2026-03-01", apps(&[13]).map(|app| (app, Deed::Closed { reason: "公告".into() })).collect());
    scan(2);
    let roster = office.roster("三月.xlsx", |app| story_of(app) != 14);
    let list = office.filings("三月.csv", |app| ![2, 14, 15].contains(&story_of(app)));
    office.run(&["ledger", "import", &roster, "--filings", &list, "--at", "2026-03-12", "--apply"]);
    notices("2026-03-15", &[6, 8, 18, 20], "2026-04-01");
    append(
        "2026-04-10",
        apps(&[6, 18, 20]).map(|app| (app, Deed::RedDecided { reason: reason() })).collect(),
    );
    append("2026-04-10", apps(&[8]).map(|app| (app, Deed::RedDeclined { reason: reason() })).collect());
    scan(3);

    for (date, codes) in expected() {
        let list: Value =
            serde_json::from_str(&office.run(&["code", "list", "--as-of", date, "--format", "json"]))
                .unwrap();
        let list = list.as_array().unwrap();
        assert_eq!(list.len(), APPS);
        let mut wrong = BTreeMap::new();
        for (app, document) in list.iter().enumerate() {
            assert_eq!(document["target"], *target(app));
            let got = format!(
                "{} {}",
                document["code"].as_str().unwrap(),
                document["reasons"][0]["id"].as_str().unwrap()
            );
            if got != codes[story_of(app) - 1] {
                *wrong.entry((story_of(app), codes[story_of(app) - 1], got)).or_insert(0) += 1;
            }
        }
        assert!(wrong.is_empty(), "{date}: story, expected, got: {wrong:?}");
    }
    explained(&office, &policy);
    office.run(&["ledger", "verify"]);
    runtime.block_on(ledger.close());
}

/// For one app of each story, every turn names events that are there, the policy and its sentence.
fn explained(office: &Office, policy: &Policy) {
    for story in 1..=STORIES {
        let app = story - 1;
        let args = ["code", "explain", &target(app), "--as-of", "2027-01-11", "--format", "json"];
        let explained: Value = serde_json::from_str(&office.run(&args)).unwrap();
        let log = ["ledger", "log", &target(app), "--last", "99", "--format", "json"];
        let events: Value = serde_json::from_str(&office.run(&log)).unwrap();
        for turn in explained["history"].as_array().unwrap() {
            let reason = &turn["code"]["reasons"][0];
            let clause = policy.clauses.iter().find(|clause| reason["id"] == *clause.id).unwrap();
            assert_eq!(reason["text"], *clause.text);
            assert_eq!(turn["code"]["policy"], *policy.title());
            let grounds = turn["events"].as_array().unwrap();
            // Nothing happened that an app is not filed or not scanned.
            assert!(
                !grounds.is_empty() || ["not-filed", "never-scanned"].contains(&clause.id.as_str()),
                "{turn}"
            );
            for seq in grounds {
                let event = events.as_array().unwrap().iter().find(|event| event["seq"] == *seq).unwrap();
                let at = |value: &Value| parse_moment(value.as_str().unwrap()).unwrap();
                assert!(at(&event["at"]) <= at(&turn["since"]), "{turn} {event}");
            }
        }
    }
    let words = office.run(&["code", "explain", &target(6), "--as-of", "2026-02-16"]);
    assert!(words.contains("蓝码 · 再次检出，提醒整改") && words.contains("（改头换面）"), "{words}");
    let words = office.run(&["code", "explain", &target(5), "--as-of", "2026-04-11", "--lang", "en"]);
    assert!(words.contains("red · repeated and not rectified") && words.contains("red-decided"), "{words}");
}
