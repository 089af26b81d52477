//! `zhijian fleet`: what a run, or a folder of reports, comes to.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::report;

use calamine::{Data, Reader, Xlsx};
use serde_json::{Value, json};
use tempfile::TempDir;
use zhijian::model::{ColorCode, DutyStatus, Report};
use zhijian::run::Folder;

/// A roster with its store, its runs made by hand.
struct Office {
    dir: TempDir,
}

impl Office {
    fn new(rows: &str) -> Office {
        let dir = tempfile::tempdir().unwrap();
        let store = dir.path().join("store");
        fs::write(dir.path().join("zhijian.toml"), format!("[fetch]\nstore = '{}'\n", store.display()))
            .unwrap();
        fs::write(dir.path().join("名录.csv"), format!("类型,名称,地址,主办单位,地区\n{rows}")).unwrap();
        Office { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zhijian"));
        command.args(args).current_dir(self.dir.path()).stdin(Stdio::null());
        command
    }

    /// The names of the reports, in the order of the roster.
    fn ids(&self) -> Vec<String> {
        let output = self
            .command(&["plan", "名录.csv", "--config", "zhijian.toml", "--format", "json"])
            .output()
            .unwrap();
        let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
        let targets = plan["targets"].as_array().unwrap();
        targets.iter().map(|target| target["id"].as_str().unwrap().to_owned()).collect()
    }

    fn runs(&self) -> PathBuf {
        let folder = Folder::of(&self.path("store"), &self.path("名录.csv")).unwrap();
        fs::create_dir_all(folder.path().join("reports")).unwrap();
        folder.path().to_owned()
    }

    fn fleet(&self, args: &[&str]) -> String {
        let output = self.command(&[&["fleet"], args].concat()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        said
    }
}

/// A line of a log: what a target came to, and how many findings of each level its latest scan has.
fn came(id: &str, outcome: &str, found: Option<[u64; 3]>) -> String {
    let scanned = found.map(|[confirmed, suspected, mention]| {
        json!({"with": "w", "sha256": "00", "findings": {"confirmed": confirmed, "suspected": suspected, "mention": mention}})
    });
    let reason = (found.is_none() || outcome == "failed")
        .then(|| json!({"cause": "network", "zh": "连接被重置", "en": "connection reset"}));
    let event = json!({"event": "target", "time": "2026-11-01T00:00:00Z", "target": id, "line": 2,
        "outcome": outcome, "reason": reason, "scanned": scanned});
    format!("{event}\n")
}

fn log(begun: &str, lines: &[String]) -> String {
    let begin = json!({"event": "begin", "time": begun, "version": "0"});
    let end = json!({"event": "end", "time": begun});
    format!("{begin}\n{}{end}\n", lines.concat())
}

fn text(html: &str) -> String {
    let page = scraper::Html::parse_document(html);
    let body = page.select(&scraper::Selector::parse("main").unwrap()).next().unwrap();
    body.text().map(str::trim).filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ")
}

fn opaque() -> Report {
    let mut report = report::green();
    report.coverage.verdict = zhijian::model::Verdict::Opaque;
    report.coverage.percent = 0;
    report.code.suggested = ColorCode::None;
    report.code.state = "无法检视".into();
    report
}

#[test]
fn a_run_is_summed_up() {
    let office = Office::new(
        "应用,甲通,/none/1.apk,甲市大数据局,某省/甲市\n\
         应用,乙通,/none/2.apk,乙市大数据局,某省/乙市\n\
         应用,丙通,/none/3.apk,甲市大数据局,某省/甲市\n\
         应用,丁通,/none/4.apk,,\n\
         应用,戊通,/none/5.apk,甲市大数据局,某省/甲市\n",
    );
    let ids = office.ids();
    let runs = office.runs();
    // 甲 has confirmed findings and had none before; 乙 is green; 丙 cannot be inspected; 丁 never came; 戊 failed this
    // time, and its report is of the run before.
    for (at, report) in
        [(0, report::ordinary()), (1, report::green()), (2, opaque()), (4, report::ordinary())]
    {
        fs::write(
            runs.join("reports").join(format!("{}.json", ids[at])),
            serde_json::to_vec(&report).unwrap(),
        )
        .unwrap();
    }
    let confirmed = Some([1, 1, 2]);
    let clean = Some([0, 0, 0]);
    let first = [
        came(&ids[0], "scanned", clean),
        came(&ids[1], "scanned", confirmed),
        came(&ids[2], "scanned", clean),
        came(&ids[3], "failed", None),
        came(&ids[4], "scanned", confirmed),
    ];
    let second = [
        came(&ids[0], "scanned", confirmed),
        came(&ids[1], "scanned", clean),
        came(&ids[2], "unchanged", clean),
        came(&ids[3], "failed", None),
        came(&ids[4], "failed", confirmed),
    ];
    fs::write(runs.join("0001.jsonl"), log("2026-10-01T00:00:00Z", &first)).unwrap();
    fs::write(runs.join("0002.jsonl"), log("2026-11-01T00:00:00Z", &second)).unwrap();
    office.fleet(&["名录.csv", "--config", "zhijian.toml", "-o", "总体.html", "-o", "总体.xlsx"]);

    let html = fs::read_to_string(office.path("总体.html")).unwrap();
    let said = text(&html);
    for needed in [
        "5 个对象中，2 个检出确认的禁止类功能，0 个只有疑似，2 个未检出，1 个没有检测报告。",
        "与上次相比，新检出确认的 1 个，不再检出的 1 个。",
        "其中 1 个的主要内容无法检视",
        // 红码 蓝码 未赋码 绿码 无报告
        "全部对象 0 0 3 1 1",
        "打卡签到 2 0",
        "积分排名 0 2",
        // 有确认, then the codes.
        "某省/甲市 2 0 0 3 0 0",
        "某省/乙市 0 0 0 0 1 0",
        "（名录未填写） 0 0 0 0 0 1",
        "甲市大数据局 2 0 0 3 0 0",
        // 有确认 只有疑似 未检出 无报告
        "2026-10-01 08:00 2 0 2 1",
        "2026-11-01 08:00 2 0 2 1",
        "连接失败 2 1",
        "丁通 连接被重置",
    ] {
        assert!(said.contains(needed), "{needed} is missing in:\n{said}");
    }
    let worst = said.split("问题最重的十个对象").last().unwrap();
    assert!(worst.find("甲通").unwrap() < worst.find("确认：打卡签到；疑似：积分排名").unwrap());
    assert!(!worst.split("依次按赋码").next().unwrap().contains("乙通"));
    for banned in ["<script", "<link", "<img", "@import", "url(", " src="] {
        assert!(!html.contains(banned), "{banned}");
    }
    let page = scraper::Html::parse_document(&html);
    assert!(page.errors.is_empty(), "{:?}", page.errors);
    // Every plot says in words what it shows.
    let plots: Vec<_> = page.select(&scraper::Selector::parse("svg").unwrap()).collect();
    assert!(plots.len() > 8 && plots.iter().all(|plot| plot.attr("aria-label").unwrap().contains('，')));

    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(fs::read(office.path("总体.xlsx")).unwrap())).unwrap();
    let sheet = book.worksheet_range("对象").unwrap();
    let rows: Vec<&[Data]> = sheet.rows().collect();
    assert_eq!(rows.len(), 6);
    let column = |title: &str| rows[0].iter().position(|cell| *cell == *title).unwrap();
    let names: Vec<String> = rows[1..].iter().map(|row| row[column("名称")].to_string()).collect();
    assert_eq!(names, ["甲通", "乙通", "丙通", "丁通", "戊通"]);
    assert_eq!(rows[1][column("上次确认")], Data::Float(0.0));
    assert_eq!(rows[2][column("上次确认")], Data::Float(1.0));
    assert_eq!(rows[4][column("本次无报告的原因")], *"连接被重置");
    assert_eq!(rows[5][column("建议赋码")], *"未赋码");

    office.fleet(&["名录.csv", "--config", "zhijian.toml", "--lang", "en", "-o", "fleet.html"]);
    let english = fs::read_to_string(office.path("fleet.html")).unwrap();
    assert!(text(&english).contains("Of 5 targets, 2 have a confirmed prohibited function"));
}

#[test]
fn a_folder_of_reports_is_summed_up_with_and_without_a_roster() {
    let office = Office::new(
        "应用,某市网格通,,甲市大数据局,某省/甲市\n\
         小程序,没有报告的,,乙局,某省/乙市\n\
         不是类型,坏行,,,\n",
    );
    fs::create_dir(office.path("reports")).unwrap();
    let mut missing = report::green();
    missing.duties[0].status = DutyStatus::Missing;
    for (name, report) in [("a", report::ordinary()), ("b", missing), ("c", report::hostile())] {
        fs::write(office.path("reports").join(format!("{name}.json")), serde_json::to_vec(&report).unwrap())
            .unwrap();
    }
    fs::write(office.path("reports/other.json"), "{}").unwrap();
    let said = office.fleet(&["--reports", "reports", "-o", "all.html", "-o", "all.xlsx"]);
    assert!(said.contains("1 个文件不是检测报告"), "{said}");
    let html = fs::read_to_string(office.path("all.html")).unwrap();
    assert!(text(&html).contains("3 个对象中，2 个检出确认"));
    assert!(!html.contains("<script>") && !html.contains('\u{202e}'));

    office.fleet(&["名录.csv", "--reports", "reports", "-o", "joined.html"]);
    let said = text(&fs::read_to_string(office.path("joined.html")).unwrap());
    for needed in [
        // Three rows, and two reports that belong to none.
        "5 个对象中，2 个检出确认",
        "某省/甲市 1 0 0 1 0 0",
        "给出的文件夹中没有它的报告 1 0",
        "名录中该行有误 1 0",
        "2 份报告与名录中的对象对不上",
    ] {
        assert!(said.contains(needed), "{needed} is missing in:\n{said}");
    }
}

#[test]
fn what_cannot_be_is_told() {
    let office = Office::new("应用,甲通,/none/1.apk,,\n");
    for (args, needed) in [
        (&["名录.csv", "--config", "zhijian.toml", "-o", "a.html"][..], "zhijian run"),
        (&["名录.csv", "--config", "zhijian.toml", "-o", "a.pdf"], ".xlsx"),
        (&["名录.csv", "--config", "zhijian.toml"], "--output"),
        (&["-o", "a.html"], "ROSTER"),
    ] {
        let output = office.command(&[&["fleet"], args].concat()).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(needed), "{said}");
    }
}

/// Ten thousand targets stay below 300 MB.
#[cfg(target_os = "linux")]
#[test]
fn ten_thousand_targets_fit_into_memory() {
    const TARGETS: usize = 10_000;
    let mut rows = String::new();
    for at in 0..TARGETS {
        writeln!(
            rows,
            "应用,第{at}号应用,/none/{at}.apk,第{}局,某省/第{}市/第{}县",
            at % 700,
            at % 20,
            at % 180
        )
        .unwrap();
    }
    let office = Office::new(&rows);
    let ids = office.ids();
    assert_eq!(ids.len(), TARGETS);
    let runs = office.runs();
    let write = |name: &str, report: &Report| {
        let path = office.path(name);
        fs::write(&path, serde_json::to_vec(report).unwrap()).unwrap();
        path
    };
    let (green, found) = (write("green.json", &report::green()), write("found.json", &report::ordinary()));
    let mut lines = Vec::new();
    for (at, id) in ids.iter().enumerate() {
        let (from, levels): (&Path, _) = if at % 10 == 0 { (&found, [1, 1, 2]) } else { (&green, [0, 0, 0]) };
        fs::hard_link(from, runs.join("reports").join(format!("{id}.json"))).unwrap();
        lines.push(came(id, "scanned", Some(levels)));
    }
    for run in 1..=12 {
        fs::write(runs.join(format!("{run:04}.jsonl")), log(&format!("2026-{run:02}-01T00:00:00Z"), &lines))
            .unwrap();
    }
    let mut child = office
        .command(&["fleet", "名录.csv", "--config", "zhijian.toml", "-o", "总体.html", "-o", "总体.xlsx"])
        .spawn()
        .unwrap();
    // Not the maximum that the system reports at the end: that of a child begins with what the tests use themselves.
    let mut most = 0;
    let ended = loop {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        most = most.max(kilobytes.unwrap_or(0));
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    };
    assert!(ended.success());
    assert!(most > 0 && most < 300 << 10, "{} MB", most >> 10);
    let html = fs::read_to_string(office.path("总体.html")).unwrap();
    assert!(text(&html).contains("10000 个对象中，1000 个检出确认"));
    assert!(html.len() < 300_000, "the page has no row for each target: {}", html.len());
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(fs::read(office.path("总体.xlsx")).unwrap())).unwrap();
    assert_eq!(book.worksheet_range("对象").unwrap().rows().count(), TARGETS + 1);
}
