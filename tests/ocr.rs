//! Text in pictures (`--ocr`). Where `tesseract` or its Chinese data is not installed, the test says so and checks
//! that the report does.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test fails by panicking")]

use std::path::Path;

use zhijian::model::{Category, GapReason, Level, Report};
use zhijian::roster::FilingRecord;
use zhijian::rule::RuleSet;
use zhijian::scan::{Options, Scanner, Silent, ocr_problem};

fn scan(package: &str) -> Report {
    let options = Options { ocr: true, ..Options::default() };
    let scanner = Scanner::new(RuleSet::embedded().unwrap(), FilingRecord::Unknown).with_options(options);
    let package = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/built")).join(package);
    scanner.scan(&package, &Silent).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn buttons_drawn_as_pictures_are_read() {
    buttons("picture-text.apk", &[("签到", "ib_a", "img_a.png"), ("打卡", "ib_b", "img_b.png")]);
}

#[test]
fn pictures_that_react_to_a_tap_are_read() {
    buttons("picture-tap.wxapkg", &[("签到", "image", "images/a1.png")]);
}

fn buttons(package: &str, expected: &[(&str, &str, &str)]) {
    let report = scan(package);
    if let Some(problem) = ocr_problem() {
        eprintln!("not tested: {}", problem.en);
        let stated =
            |gap: &&zhijian::model::Gap| gap.reason == GapReason::Failed && gap.detail.contains("--ocr");
        assert!(report.coverage.gaps.iter().find(stated).is_some(), "{:#?}", report.coverage.gaps);
        return;
    }
    let found = report.findings.iter().find(|finding| finding.category == Category::CheckIn);
    let found = found.unwrap_or_else(|| panic!("{:#?}", report.coverage));
    assert_eq!(found.level, Level::Confirmed, "{found:#?}");
    for &(text, widget, picture) in expected {
        let row = found.evidence.iter().find(|row| row.text.contains(text) && row.place.contains(picture));
        let row = row.unwrap_or_else(|| panic!("no {text}: {found:#?}"));
        assert!(row.widget.as_ref().is_some_and(|shown| shown.contains(widget)), "{row:#?}");
        assert!(row.chain.iter().any(|step| step.starts_with("OCR: tesseract")), "{row:#?}");
    }
}
