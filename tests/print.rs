//! Reports on paper: printed by Chromium, read back by poppler.
//!
//! Rows carry marks of their own at their beginning, in their middle and at their end, so that a row that a page end
//! cuts is told by marks on different pages.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::report;
use crate::common::tool::{pages, run, tools};

use zhijian::model::{Control, Evidence, Gap, GapReason, Lang, PartName, Report, Shown, Surface};
use zhijian::report::{FLEET_FORMATS, Fleet, FleetTarget, Run, View, format};

/// A PDF as poppler reads it.
struct Pdf {
    /// The text of each page.
    pages: Vec<String>,
    /// A row for each font: what poppler says of it, and whether it is embedded and mapped to Unicode.
    fonts: Vec<(String, bool)>,
    size: String,
}

fn print(name: &str, html: &[u8]) -> Option<Pdf> {
    let [chromium, text, fonts, info] = tools(
        ["chromium", "pdftotext", "pdffonts", "pdfinfo"],
        "ZHIJIAN_TEST_CHROMIUM",
        "chromium fonts-noto-cjk poppler-utils",
    )?;
    let page = pages().join(format!("{name}.html"));
    let pdf = pages().join(format!("{name}.pdf"));
    std::fs::write(&page, html).unwrap();
    let _ = std::fs::remove_file(&pdf);
    let profile = tempfile::tempdir().unwrap();
    // Twice: a machine under load lets a browser die now and then.
    for _ in 0..2 {
        let mut print = Command::new(&chromium);
        print.args(["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]);
        print.arg(format!("--user-data-dir={}", profile.path().display()));
        print.arg(format!("--print-to-pdf={}", pdf.display())).arg(&page);
        print.output().unwrap();
        if pdf.is_file() {
            break;
        }
    }
    let stdout = |program: &PathBuf, args: &[&str]| {
        let output = run(Command::new(program).args(args).arg(&pdf)).stdout;
        String::from_utf8(output).unwrap()
    };
    let listed = stdout(&fonts, &[]);
    // From the right: generation, object, Unicode map, subset, embedded.
    let fonts = listed.lines().skip(2).map(|line| {
        let columns: Vec<&str> = line.split_whitespace().rev().collect();
        (line.to_owned(), columns[4] == "yes" && columns[2] == "yes")
    });
    let info = stdout(&info, &[]);
    let size = info.lines().find_map(|line| line.strip_prefix("Page size:")).unwrap().trim().to_owned();
    let output = run(Command::new(text).args(["-layout", "-enc", "UTF-8"]).arg(&pdf).arg("-")).stdout;
    let text = String::from_utf8(output).unwrap();
    let pages = text.trim_end_matches('\u{c}').split('\u{c}').map(str::to_owned).collect();
    Some(Pdf { pages, fonts: fonts.collect(), size })
}

fn html(reports: &[Report], view: View) -> Vec<u8> {
    let mut out = Vec::new();
    let run = Run { reports, failures: &[], several: reports.len() != 1 };
    (format("html").unwrap().write)(&run, view, &mut out).unwrap();
    out
}

/// The mark of a row: its number and a letter for where it stands.
fn mark(row: usize, part: char) -> String {
    format!("Z{row:03}{part}")
}

/// A report whose rows are long enough to reach over page ends, each with marks in its cells.
fn long() -> Report {
    let mut report = report::ordinary();
    let kept = report.findings[0].evidence[0].clone();
    report.findings[0].evidence = (0..60)
        .map(|row| Evidence {
            text: format!(
                "{} {} {}",
                mark(row, 'a'),
                "请于每日十八时前完成巡查打卡，".repeat(row % 7),
                mark(row, 'b')
            ),
            place: format!(
                "res/{}/{}/x.xml@0x10",
                mark(row, 'c'),
                "layout-long-folder-name/".repeat(row % 4)
            ),
            chain: vec!["cn.gov.example.grid.patrol.PatrolActivity.onPunch".into(), mark(row, 'd')],
            ..kept.clone()
        })
        .collect();
    report.coverage.gaps = (100..160)
        .map(|row| Gap {
            part: PartName::Text,
            place: format!("assets/{}/{}", mark(row, 'a'), "deep/".repeat(row % 30)),
            reason: GapReason::Encrypted,
            detail: format!("无法读取 {}", mark(row, 'b')),
            detail_en: format!("not read {}", mark(row, 'b')),
            material: true,
        })
        .collect();
    let button = |id: &str, label: &str| Control {
        screen: Some("cn.gov.example.grid.patrol.PatrolActivity".into()),
        id: Some(id.into()),
        label: Some(label.into()),
        ..Control::default()
    };
    report.surface = Some(Surface {
        screens: vec![Shown {
            name: "cn.gov.example.grid.patrol.PatrolActivity".into(),
            label: Some("巡查".into()),
            screen: None,
        }],
        controls: vec![button("btn_patrol", "巡查打卡"), button("btn_report", "上报事件")],
        ..Surface::default()
    });
    report
}

/// On which pages a mark stands, once for each time.
fn places(pdf: &Pdf, mark: &str) -> Vec<usize> {
    let on = |(number, page): (usize, &String)| vec![number; page.matches(mark).count()];
    pdf.pages.iter().enumerate().flat_map(on).collect()
}

/// Texts of what must not be the last of a page.
fn headings(html: &[u8]) -> Vec<String> {
    let page = scraper::Html::parse_document(std::str::from_utf8(html).unwrap());
    let wanted = scraper::Selector::parse("h2, h3, h4, summary, thead tr").unwrap();
    let flat = |text: String| text.split_whitespace().collect::<String>();
    page.select(&wanted).map(|heading| flat(heading.text().collect())).collect()
}

fn is_sound(pdf: &Pdf, html: &[u8]) {
    assert!(pdf.size.contains("A4"), "{}", pdf.size);
    assert!(!pdf.fonts.is_empty());
    // Chromium embeds the outlines of CJK fonts as fonts of Type 3, without a name. A character that no font has would
    // have no entry in the map to Unicode, and could not be read back.
    for (font, sound) in &pdf.fonts {
        assert!(sound, "not embedded, or not to be read back: {font}");
    }
    let headings = headings(html);
    for (number, page) in pdf.pages.iter().enumerate() {
        let lines: Vec<String> = page
            .lines()
            .map(|line| line.split_whitespace().collect::<String>())
            .filter(|line| !line.is_empty())
            .collect();
        let (foot, body) = lines.split_last().unwrap();
        assert_eq!(*foot, format!("{}/{}", number + 1, pdf.pages.len()), "the number of the page");
        let last = body.last().unwrap();
        assert!(!headings.contains(last), "page {} ends with a heading: {last}", number + 1);
    }
}

#[test]
fn a_report_prints_without_cut_rows_and_orphaned_headings() {
    let report = long();
    let html = html(std::slice::from_ref(&report), View::default());
    let Some(pdf) = print("print-long", &html) else { return };
    is_sound(&pdf, &html);
    // Every row of evidence stands in its finding and in the annex, whole each time.
    for row in 0..60 {
        let begins = places(&pdf, &mark(row, 'a'));
        assert_eq!(begins.len(), 2, "row {row}: {begins:?}");
        for part in ['b', 'c', 'd'] {
            assert_eq!(places(&pdf, &mark(row, part)), begins, "row {row} is cut before {part}");
        }
    }
    for row in 100..160 {
        let begins = places(&pdf, &mark(row, 'a'));
        assert_eq!(begins.len(), 1, "gap {row}");
        assert_eq!(places(&pdf, &mark(row, 'b')), begins, "gap {row} is cut");
    }
    // The conclusion, the figures and the contents are on the first page; the wireframe is printed.
    for needed in ["未赋码", "责任单位须办", "目录", "六、附录"] {
        assert!(pdf.pages[0].contains(needed), "{needed} is not on page 1");
    }
    assert!(pdf.pages.iter().any(|page| page.contains("上报事件")), "the screen drawn again is not printed");
}

#[test]
fn hostile_and_english_reports_print() {
    let english = View { lang: Lang::En, ..View::default() };
    for (name, report, view) in [
        ("print-hostile", report::hostile(), View::default()),
        ("print-en", report::ordinary(), english),
        ("print-green", report::green(), View::default()),
    ] {
        let html = html(&[report], view);
        let Some(pdf) = print(name, &html) else { return };
        is_sound(&pdf, &html);
    }
}

#[test]
fn a_fleet_report_prints() {
    let mut fleet = Fleet { title: "某省名录".into(), ..Fleet::default() };
    fleet.targets = (0..60).map(|_| FleetTarget::unlisted(&[report::ordinary()])).collect();
    let mut out = Vec::new();
    let format = FLEET_FORMATS.iter().find(|format| format.name == "html").unwrap();
    (format.write)(&fleet, Lang::Zh, &mut out).unwrap();
    let Some(pdf) = print("print-fleet", &out) else { return };
    is_sound(&pdf, &out);
    assert!(Path::new(&pages().join("print-fleet.pdf")).is_file());
}
