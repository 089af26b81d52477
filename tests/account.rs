//! Accounts and their pages from bytes to the verdict: the truth of `fixtures/account/truth.yaml` was written from
//! the sources.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::Deserialize;
use zhijian::model::{Category, ColorCode, DutyCategory, DutyStatus, Level, Registered, Report, Verdict};
use zhijian::roster::FilingRecord;
use zhijian::rule::RuleSet;
use zhijian::scan::{ScanError, Scanner, Silent, Subject};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Truth {
    articles: Vec<Article>,
    files: Vec<Saved>,
    notices: Vec<Notice>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Notice {
    title: String,
    page: String,
    finds: BTreeMap<Category, Level>,
    anomaly: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Article {
    name: String,
    title: String,
    body: Vec<String>,
    finds: BTreeMap<Category, Level>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    file: String,
    as_of: Option<String>,
    owner: Option<String>,
    licence: Option<String>,
    publishes: Option<bool>,
    finds: BTreeMap<Category, Level>,
    #[serde(default)]
    duties: BTreeMap<DutyCategory, DutyStatus>,
    state: Option<String>,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures")
}

fn truth() -> Truth {
    let text = std::fs::read_to_string(fixtures().join("account/truth.yaml")).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

fn scanner() -> Scanner {
    Scanner::new(RuleSet::embedded().unwrap(), FilingRecord::Number("示例备0001".to_owned()))
}

/// Noon in Beijing of a day.
fn noon(day: &str) -> Timestamp {
    let day: Date = day.parse().unwrap();
    Offset::constant(8).to_timestamp(day.at(12, 0, 0, 0)).unwrap()
}

fn scan(path: &Path, subject: Subject) -> Result<Report, ScanError> {
    let mut reports = scanner().scan_subject(path, subject, &Silent)?;
    assert_eq!(reports.len(), 1);
    Ok(reports.remove(0))
}

/// Findings above a mention.
fn found(report: &Report) -> BTreeMap<Category, Level> {
    let findings = report.findings.iter().filter(|finding| finding.level > Level::Mention);
    findings.map(|finding| (finding.category, finding.level)).collect()
}

fn compare(name: &str, wanted: &BTreeMap<Category, Level>, report: &Report, wrong: &mut Vec<String>) {
    let found = found(report);
    if found != *wanted {
        let because: Vec<_> = report.findings.iter().map(|finding| &finding.explanation).collect();
        wrong.push(format!("{name}: wanted {wanted:?}, found {found:?}: {because:#?}"));
    }
}

#[test]
fn each_article_is_judged_as_a_fair_inspector_would() {
    let frame = std::fs::read_to_string(fixtures().join("account/article.html")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("article.html");
    let mut wrong = Vec::new();
    for Article { name, title, body, finds } in truth().articles {
        let body: Vec<String> = body.iter().map(|text| format!("<p><span>{text}</span></p>")).collect();
        let page = frame.replace("@TITLE@", &title).replace("@BODY@", &body.join("\n"));
        std::fs::write(&path, page).unwrap();
        let report = scan(&path, Subject { as_of: Some(noon("2026-11-25")), ..Subject::default() }).unwrap();
        assert_eq!(report.artifact.format, "wechat-article", "{name}");
        assert_eq!(report.page.as_ref().unwrap().title.as_deref(), Some(title.as_str()));
        compare(&name, &finds, &report, &mut wrong);
        // One page is not the account.
        assert_ne!(report.code.suggested, ColorCode::Green, "{name}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_saved_page_and_list_is_judged_for_its_day_and_its_record() {
    let mut wrong = Vec::new();
    for Saved { file, as_of, owner, licence, publishes, finds, duties, state } in truth().files {
        let registered = Registered { owner, licence, publishes, name: None };
        let as_of = Some(noon(as_of.as_deref().unwrap_or("2026-11-25")));
        let registered = (registered != Registered::default()).then_some(registered);
        let report =
            scan(&fixtures().join(&file), Subject { as_of, registered, ..Subject::default() }).unwrap();
        compare(&file, &finds, &report, &mut wrong);
        let has: BTreeMap<DutyCategory, DutyStatus> =
            report.duties.iter().map(|duty| (duty.category, duty.status)).collect();
        assert_eq!(has, duties, "{file}");
        if let Some(state) = state {
            assert_eq!(report.code.state, state, "{file}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_notice_is_opaque_and_says_what_it_says() {
    let frame = std::fs::read_to_string(fixtures().join("page/notice.html")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notice.html");
    let mut wrong = Vec::new();
    for Notice { title, page, finds, anomaly } in truth().notices {
        let mut notice = frame.replace("@TITLE@", &title).replace("@TAG@", "h2");
        for place in ["@CLASS@", "@DESC@", "@SCRIPT@"] {
            notice = notice.replace(place, "");
        }
        std::fs::write(&path, notice).unwrap();
        let report = scan(&path, Subject { as_of: Some(noon("2026-11-25")), ..Subject::default() }).unwrap();
        let state = serde_json::to_value(&report.page.as_ref().unwrap().state).unwrap();
        let state = state
            .as_str()
            .map_or_else(|| state.as_object().unwrap().keys().next().unwrap().clone(), str::to_owned);
        assert_eq!(state, page, "{title}");
        assert_eq!(report.coverage.verdict, Verdict::Opaque, "{title}");
        assert_eq!(report.code.suggested, ColorCode::None, "{title}");
        let codes: Vec<&str> = report.anomalies.iter().map(|anomaly| anomaly.code.as_str()).collect();
        assert_eq!(codes, anomaly.iter().map(String::as_str).collect::<Vec<_>>(), "{title}");
        compare(&title, &finds, &report, &mut wrong);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_page_says_the_same_as_long_as_its_texts_do() {
    let frame = std::fs::read_to_string(fixtures().join("account/article.html")).unwrap();
    let frame = frame.replace("@TITLE@", "天气");
    let folder = tempfile::tempdir().unwrap();
    let digest = |name: &str, page: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, page).unwrap();
        scan(&path, Subject::default()).unwrap().artifact
    };
    let first = digest("a.html", frame.replace("@BODY@", "<p>今日晴。</p>"));
    let again = digest("b.html", frame.replace("@BODY@", "<p>今日晴。</p><!-- request 2 -->"));
    let other = digest("c.html", frame.replace("@BODY@", "<p>今日雨。</p>"));
    assert_ne!(first.sha256, again.sha256);
    assert_eq!(first.text_sha256, again.text_sha256);
    assert_ne!(first.text_sha256, other.text_sha256);
}

#[test]
fn what_is_neither_package_page_nor_export_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notes.txt");
    std::fs::write(&path, "买菜\n做饭\n").unwrap();
    assert!(matches!(scan(&path, Subject::default()), Err(ScanError::NotAPackage { .. })));
}
