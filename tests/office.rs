//! Reports as office documents: opened by LibreOffice, by a reader of spreadsheets, and taken apart.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::report;
use crate::common::tool::{pages, run, tools};

use calamine::{Data, Reader, Xlsx};
use zhijian::model::{Lang, Report};
use zhijian::report::{FLEET_FORMATS, Failure, Fleet, FleetTarget, Run, View, format};

/// What a cell must not become.
const FORMULAS: [&str; 6] =
    ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "=HYPERLINK(\"http://example.com\")", "_x003D_1+1"];

/// A report whose strings look like formulas.
fn formulas() -> Report {
    let mut report = report::ordinary();
    report.identity.name = Some(FORMULAS[0].into());
    report.identity.id = Some(FORMULAS[1].into());
    report.target.source = FORMULAS[4].into();
    for (finding, text) in report.findings.iter_mut().zip(FORMULAS.iter().cycle()) {
        for row in &mut finding.evidence {
            row.text = (*text).into();
            row.place = FORMULAS[2].into();
            row.screen = Some(FORMULAS[3].into());
            row.widget = Some(FORMULAS[5].into());
        }
    }
    report
}

fn written(name: &str, reports: &[Report], lang: Lang) -> Vec<u8> {
    let failures = [Failure { source: "坏的.apk".into(), cause: "文件不存在".into() }];
    let several = reports.len() != 1;
    let failures = if several { &failures[..] } else { &[] };
    let mut out = Vec::new();
    let view = View { lang, ..View::default() };
    (format(name).unwrap().write)(&Run { reports, failures, several }, view, &mut out).unwrap();
    out
}

/// Every part of the container is XML that a parser takes; the text of one of them.
fn parts(bytes: &[u8], wanted: &str) -> String {
    let mut zip = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut text = String::new();
    for at in 0..zip.len() {
        let mut file = zip.by_index(at).unwrap();
        let name = file.name().unwrap().to_string();
        let mut content = String::new();
        if file.is_dir() {
            continue;
        }
        file.read_to_string(&mut content).unwrap();
        let mut reader = quick_xml::Reader::from_str(&content);
        loop {
            match reader.read_event().unwrap_or_else(|error| panic!("{name}: {error}")) {
                quick_xml::events::Event::Eof => break,
                quick_xml::events::Event::Text(piece) if name.contains(wanted) => {
                    text.push_str(&piece);
                }
                quick_xml::events::Event::GeneralRef(piece) if name.contains(wanted) => {
                    text.push_str(&quick_xml::escape::unescape(&format!("&{};", &*piece)).unwrap());
                }
                _ => {}
            }
        }
    }
    text
}

/// A file as LibreOffice converts it into one of another name; nothing where it is not installed.
fn converted(name: &str, bytes: &[u8], to: &str, made: &str) -> Option<PathBuf> {
    let [office] = tools(
        ["soffice"],
        "ZHIJIAN_TEST_LIBREOFFICE",
        "--no-install-recommends libreoffice-writer-nogui libreoffice-calc-nogui",
    )?;
    let file = pages().join(name);
    std::fs::write(&file, bytes).unwrap();
    let profile = tempfile::tempdir().unwrap();
    let output = pages().join(made);
    let _ = std::fs::remove_file(&output);
    run(Command::new(office)
        .arg(format!("-env:UserInstallation=file://{}", profile.path().display()))
        .args(["--headless", "--convert-to", to, "--outdir"])
        .arg(pages())
        .arg(&file));
    assert!(output.is_file(), "{} was not written", output.display());
    Some(output)
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect()
}

/// What an office document has to say of a report.
const NEEDED: [&str; 9] = [
    "某市网格通",
    "未赋码 · 待整改",
    "整改已确认的功能：打卡签到。",
    "《政务移动互联网应用程序规范化管理办法》（国办函〔2026〕12号）",
    "五类情形（二）",
    "巡查打卡",
    "PatrolActivity.onPunch",
    "assets/logic.dat",
    "取消定时、定点打卡",
];

#[test]
fn a_word_document_holds_the_report_and_opens() {
    for (name, reports, lang) in [
        ("report.docx", vec![report::ordinary()], Lang::Zh),
        ("report-en.docx", vec![report::ordinary(), report::green()], Lang::En),
        ("hostile.docx", vec![report::hostile()], Lang::Zh),
    ] {
        let bytes = written("docx", &reports, lang);
        assert_eq!(bytes, written("docx", &reports, lang), "the same report gives the same bytes");
        let text = parts(&bytes, "word/document");
        assert!(!text.contains("alert(1)") || text.contains("<script>"), "hostile text is text");
        if name == "report.docx" {
            for needed in NEEDED {
                assert!(text.contains(needed), "{needed}");
            }
        }
        let made = name.replace(".docx", ".pdf");
        let Some(pdf) = converted(name, &bytes, "pdf", &made) else { continue };
        let Some([pdftotext]) = tools(["pdftotext"], "ZHIJIAN_TEST_LIBREOFFICE", "poppler-utils") else {
            continue;
        };
        let shown = run(Command::new(pdftotext).arg(&pdf).arg("-")).stdout;
        let shown = flat(&String::from_utf8(shown).unwrap());
        if name == "report.docx" {
            for needed in NEEDED {
                assert!(shown.contains(&flat(needed)), "LibreOffice does not show {needed}");
            }
        }
        if lang == Lang::En {
            for needed in ["Notscanned:", "Check-in", "Whatcouldnotbeseen"] {
                assert!(shown.contains(needed), "LibreOffice does not show {needed}");
            }
        }
    }
}

/// The cells of a sheet as texts.
fn sheet(book: &mut Xlsx<Cursor<Vec<u8>>>, name: &str) -> Vec<Vec<String>> {
    let formulas = book.worksheet_formula(name).unwrap();
    assert!(formulas.cells().all(|(_, _, formula)| formula.is_empty()), "a formula in {name}");
    let range = book.worksheet_range(name).unwrap();
    let kept = |cell: &Data| matches!(cell, Data::String(_) | Data::Empty | Data::Float(_) | Data::Int(_));
    assert!(range.rows().flatten().all(kept), "{name}");
    range.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect()
}

#[test]
fn a_spreadsheet_has_a_row_for_each_thing_and_no_formula() {
    let reports = [report::ordinary(), report::green(), report::hostile(), formulas()];
    let bytes = written("xlsx", &reports, Lang::Zh);
    parts(&bytes, "sheet");
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes.clone())).unwrap();
    assert_eq!(book.sheet_names(), ["对象", "检出与必备功能", "证据", "未能检视"]);
    let column = |rows: &[Vec<String>], title: &str| rows[0].iter().position(|cell| cell == title).unwrap();
    let targets = sheet(&mut book, "对象");
    assert_eq!(targets.len(), 1 + reports.len() + 1, "a row for each target and each failure");
    let (name, code, confirmed) =
        (column(&targets, "名称"), column(&targets, "建议赋码"), column(&targets, "确认"));
    assert_eq!(targets[1][name], "某市网格通");
    assert_eq!(targets[2][code], "绿码");
    assert_eq!(targets[1][confirmed], "1");
    assert!(targets[5].iter().any(|cell| cell == "文件不存在"));
    let rows = |of: &dyn Fn(&Report) -> usize| 1 + reports.iter().map(of).sum::<usize>();
    let findings = sheet(&mut book, "检出与必备功能");
    assert_eq!(findings.len(), rows(&|report| report.findings.len() + report.duties.len()));
    let evidence = sheet(&mut book, "证据");
    let all = |report: &Report| {
        let findings = report.findings.iter().map(|finding| finding.evidence.len());
        findings.chain(report.duties.iter().map(|duty| duty.evidence.len())).sum()
    };
    assert_eq!(evidence.len(), rows(&all));
    // Every text comes back as it was written, however it begins.
    let text = column(&evidence, "内容");
    let quoted: Vec<&str> = evidence.iter().map(|row| row[text].as_str()).collect();
    for formula in &FORMULAS[..4] {
        assert!(quoted.contains(formula), "{formula}");
    }
    let widget = column(&evidence, "控件");
    assert!(evidence.iter().any(|row| row[widget] == FORMULAS[5]), "what looks like an escape stays");
    assert_eq!(sheet(&mut book, "未能检视").len(), rows(&|report| report.coverage.gaps.len()));

    // LibreOffice writes what a cell shows; a formula would show its result.
    const CSV: &str = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1";
    let Some(csv) = converted("report.xlsx", &bytes, CSV, "report-证据.csv") else { return };
    let mut shown = csv::ReaderBuilder::new().has_headers(false).from_path(csv).unwrap();
    let shown: Vec<Vec<String>> =
        shown.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
    assert_eq!(shown.len(), evidence.len());
    for (row, told) in shown.iter().zip(&evidence) {
        assert_eq!(row[text], told[text]);
    }
}

#[test]
fn a_fleet_spreadsheet_has_a_row_for_every_target() {
    let mut fleet = Fleet { title: "=1+1".into(), ..Fleet::default() };
    fleet.targets = [report::ordinary(), report::hostile(), formulas()]
        .map(|report| FleetTarget::unlisted(&[report]))
        .into();
    let format = FLEET_FORMATS.iter().find(|format| format.name == "xlsx").unwrap();
    let mut bytes = Vec::new();
    (format.write)(&fleet, Lang::Zh, &mut bytes).unwrap();
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes.clone())).unwrap();
    assert_eq!(book.sheet_names(), ["总体情况", "对象"]);
    let overview = sheet(&mut book, "总体情况");
    assert_eq!(overview[0][0], "=1+1");
    assert!(overview.iter().any(|row| row[0] == "六、问题最重的十个对象"));
    assert_eq!(sheet(&mut book, "对象").len(), 4);
    let Some(pdf) = converted("fleet.xlsx", &bytes, "pdf", "fleet.pdf") else { return };
    assert!(Path::new(&pdf).metadata().unwrap().len() > 10_000);
}
