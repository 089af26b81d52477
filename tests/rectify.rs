//! Two versions compared, the notice of rectification, and the baseline: through the library and the program. What
//! must come out was written down from the sources of the fixtures before any comparison.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use crate::common::report;

use std::fs;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;
use zhijian::model::{
    AnchorKind, Control, Feature, Level, Outcome, Rectification, RemarkCode, Report, Signer, Verdict,
};
use zhijian::rectify::{compare, disguises};
use zhijian::roster::FilingRecord;
use zhijian::rule::RuleSet;
use zhijian::scan::{Scanner, Silent};

fn built(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/built").join(name)
}

fn scanned(name: &str) -> Report {
    let scanner = Scanner::new(RuleSet::embedded().unwrap(), FilingRecord::Unknown);
    scanner.scan(&built(name), &Silent).unwrap()
}

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_zhijian"))
        .args(args)
        .env_remove("COLUMNS")
        .env_remove("CLICOLOR_FORCE")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn stored(dir: &TempDir, name: &str, report: &Report) -> PathBuf {
    let file = dir.path().join(name);
    fs::write(&file, serde_json::to_vec_pretty(report).unwrap()).unwrap();
    file
}

fn check_in(diff: &Rectification) -> &Feature {
    diff.features.iter().find(|feature| feature.rule == "app.check-in").unwrap()
}

fn says(diff: &Rectification, code: RemarkCode) -> bool {
    diff.remarks.iter().any(|remark| remark.code == code)
}

#[test]
fn a_button_under_another_label_is_a_disguise() {
    let (old, new) = (scanned("grid-patrol.apk"), scanned("grid-patrol-renamed.apk"));
    let diff = compare(&old, &new);
    let feature = check_in(&diff);
    assert_eq!(feature.outcome, Outcome::Disguised);
    assert_eq!((feature.before, feature.now), (Some(Level::Confirmed), Some(Level::Suspected)));
    assert_eq!(feature.disguise, Some(Level::Confirmed));
    let anchor = |kind| feature.anchors.iter().find(|anchor| anchor.kind == kind).unwrap();
    let button = anchor(AnchorKind::Widget);
    let named: Vec<&str> = feature
        .anchors
        .iter()
        .filter(|anchor| anchor.kind == AnchorKind::Widget)
        .map(|anchor| anchor.name.as_str())
        .collect();
    assert_eq!(named, ["btn_patrol", "tv_rule"]);
    assert_eq!((&*button.before, &*button.now), (&["巡查打卡".to_owned()][..], &["巡查记录".to_owned()][..]));
    assert_eq!(button.screen.as_deref(), Some("cn.gov.example.grid.PatrolActivity"));
    assert_eq!(anchor(AnchorKind::Handler).name, "onPunch");
    assert_eq!(anchor(AnchorKind::Endpoint).name, "/patrol/checkin");
    assert_eq!(anchor(AnchorKind::Endpoint).now, ["巡查记录"]);
    // The screen serves the scanning of plates as well, and its name says nothing of a check-in.
    assert!(!feature.anchors.iter().any(|anchor| anchor.kind == AnchorKind::Screen), "{:?}", feature.anchors);
    assert!(diff.remarks.is_empty(), "{:?}", diff.remarks);
    let rules = ["app.check-in".to_owned()].into();
    let disguised = disguises(&old, &new, &rules);
    assert_eq!((disguised.len(), disguised[0].level, disguised[0].disguised), (1, Level::Confirmed, true));
    assert_eq!(disguised[0].rule, "app.check-in");
    assert!(disguises(&old, &new, &std::collections::BTreeSet::new()).is_empty());
}

#[test]
fn a_page_of_a_mini_program_under_another_title_is_a_disguise() {
    let (old, new) = (scanned("punch.wxapkg"), scanned("punch-renamed.wxapkg"));
    let diff = compare(&old, &new);
    let feature = check_in(&diff);
    assert_eq!((feature.outcome, feature.disguise), (Outcome::Disguised, Some(Level::Confirmed)));
    let find = |kind, name: &str| feature.anchors.iter().find(|a| a.kind == kind && a.name == name).unwrap();
    let punch = find(AnchorKind::Handler, "onPunch");
    assert_eq!(punch.before, ["今日已打卡", "立即打卡"]);
    assert_eq!(punch.now, ["今日已登记", "立即登记"]);
    assert_eq!(find(AnchorKind::Handler, "onMakeUp").now, ["申请补录"]);
    let screen = find(AnchorKind::Screen, "pages/punch/punch");
    assert!(screen.before.contains(&"到岗打卡".to_owned()) && screen.now.contains(&"到岗登记".to_owned()));
    find(AnchorKind::Endpoint, "/duty/punch");
}

#[test]
fn what_was_taken_out_is_removed_although_its_screen_stays() {
    let (old, new) = (scanned("grid-patrol.apk"), scanned("grid-patrol-fixed.apk"));
    let diff = compare(&old, &new);
    let feature = check_in(&diff);
    assert_eq!((feature.outcome, feature.disguise), (Outcome::Removed, None), "{:?}", feature.anchors);
    assert!(feature.anchors.is_empty());
    assert_eq!(diff.features.len(), 1);
    let rules = ["app.check-in".to_owned()].into();
    assert!(disguises(&old, &new, &rules).is_empty());
    // And the other way round it is new, and the version goes backwards.
    let back = compare(&new, &old);
    assert_eq!(check_in(&back).outcome, Outcome::Added);
    assert!(says(&back, RemarkCode::VersionBackwards));
}

#[test]
fn the_same_is_unchanged_however_it_is_packed() {
    let (apk, aab) = (scanned("grid-patrol.apk"), scanned("grid-patrol.aab"));
    let diff = compare(&apk, &aab);
    let feature = check_in(&diff);
    assert_eq!((feature.outcome, feature.disguise), (Outcome::Unchanged, None), "{feature:?}");
    assert!(feature.gone.is_empty() && feature.appeared.is_empty(), "{feature:?}");
    let same = compare(&apk, &apk);
    assert_eq!(check_in(&same).outcome, Outcome::Unchanged);
    assert!(says(&same, RemarkCode::SameFile));
    assert!(same.duties.is_empty());
}

#[test]
fn what_serves_other_things_as_well_proves_nothing() {
    let old = scanned("grid-patrol.apk");
    let control = |id: Option<&str>, handler: Option<&str>, label: &str| Control {
        screen: Some("cn.gov.example.grid.PatrolActivity".into()),
        id: id.map(str::to_owned),
        handler: handler.map(str::to_owned),
        label: Some(label.to_owned()),
        ..Control::default()
    };
    let with = |before: Vec<Control>, now: Vec<Control>| {
        let (mut old, mut new) = (old.clone(), scanned("grid-patrol-fixed.apk"));
        let add = |report: &mut Report, more: Vec<Control>| {
            report.surface.as_mut().unwrap().controls.extend(more);
        };
        add(&mut old, before);
        add(&mut new, now);
        let diff = compare(&old, &new);
        (check_in(&diff).outcome, check_in(&diff).disguise)
    };
    // The element alone is one kind of anchor, with its function there are two.
    let id = Some("btn_patrol");
    let suspected = (Outcome::Disguised, Some(Level::Suspected));
    assert_eq!(with(vec![], vec![control(id, None, "巡查记录")]), suspected);
    let confirmed = (Outcome::Disguised, Some(Level::Confirmed));
    assert_eq!(with(vec![], vec![control(id, Some("onPunch"), "巡查记录")]), confirmed);
    // A handler of other buttons, an id of other texts, a label that stood there before: nothing.
    let removed = (Outcome::Removed, None);
    let others = || vec![control(None, Some("onPunch"), "扫码"), control(None, Some("onPunch"), "导航")];
    assert_eq!(with(others(), vec![control(None, Some("onPunch"), "巡查记录")]), removed);
    let rows = || vec![control(id, None, "公告"), control(id, None, "通讯录")];
    assert_eq!(with(rows(), vec![control(id, None, "日程")]), removed);
    assert_eq!(with(vec![control(id, None, "公告")], vec![control(id, None, "公告")]), removed);
    // The same id on another screen and in no layout that is known is another element.
    let elsewhere =
        Control { screen: Some("cn.gov.example.grid.MainActivity".into()), ..control(id, None, "保存") };
    assert_eq!(with(vec![], vec![elsewhere]), removed);
    // The address is still called, by whom is not known: a person has to look.
    let mut new = scanned("grid-patrol-fixed.apk");
    new.surface.as_mut().unwrap().endpoints.push("https://wg2.example.gov.cn/patrol/checkin".into());
    let diff = compare(&old, &new);
    assert_eq!((check_in(&diff).outcome, check_in(&diff).disguise), suspected);
}

#[test]
fn what_could_not_be_seen_is_not_removed() {
    let old = scanned("grid-patrol.apk");
    let mut packed = scanned("grid-patrol-fixed.apk");
    packed.coverage.verdict = Verdict::Opaque;
    let diff = compare(&old, &packed);
    assert_eq!(check_in(&diff).outcome, Outcome::CannotTell);
    assert!(says(&diff, RemarkCode::CoverageWorse));
    // A gap that was there before hides nothing that was found beside it; another one may.
    let gap = report::ordinary().coverage.gaps[0].clone();
    let with = |mut report: Report, places: &[&str]| {
        report.coverage.verdict = Verdict::Partial;
        report.coverage.gaps = places
            .iter()
            .map(|place| zhijian::model::Gap { place: (*place).into(), ..gap.clone() })
            .collect();
        report
    };
    let new = || scanned("grid-patrol-fixed.apk");
    let outcome = |old: &[&str], new_gaps: &[&str]| {
        let diff = compare(&with(scanned("grid-patrol.apk"), old), &with(new(), new_gaps));
        check_in(&diff).outcome
    };
    assert_eq!(outcome(&["assets/a.dat@0x10"], &["assets/a.dat@0x20"]), Outcome::Removed);
    assert_eq!(outcome(&["assets/a.dat"], &["assets/b.dat"]), Outcome::CannotTell);
    assert_eq!(check_in(&compare(&old, &with(new(), &["assets/a.dat"]))).outcome, Outcome::CannotTell);
}

#[test]
fn another_app_shows_no_rectification() {
    // One vendor signs many apps: the same key, as of all fixtures, does not make them one.
    let (old, mut new) = (scanned("grid-patrol.apk"), scanned("reader.apk"));
    assert_eq!(check_in(&compare(&old, &new)).outcome, Outcome::CannotTell);
    new.identity.signer = Some(Signer {
        subject: "CN=别人".into(),
        sha256: "00".repeat(32),
        schemes: vec!["v2".into()],
        verified: None,
    });
    let diff = compare(&old, &new);
    assert!(
        says(&diff, RemarkCode::OtherTarget) && says(&diff, RemarkCode::SignerDiffers),
        "{:?}",
        diff.remarks
    );
    assert_eq!(check_in(&diff).outcome, Outcome::CannotTell);
}

#[test]
fn a_renamed_package_is_known_again() {
    let (old, mut new) = (scanned("grid-patrol.apk"), scanned("grid-patrol-renamed.apk"));
    let json = serde_json::to_string(&new).unwrap().replace("cn.gov.example.grid", "cn.gov.example.wangge");
    new = serde_json::from_str(&json).unwrap();
    let diff = compare(&old, &new);
    assert!(says(&diff, RemarkCode::Renamed), "{:?}", diff.remarks);
    let feature = check_in(&diff);
    assert_eq!((feature.outcome, feature.disguise), (Outcome::Disguised, Some(Level::Confirmed)));
    let button = feature.anchors.iter().find(|anchor| anchor.kind == AnchorKind::Widget).unwrap();
    assert_eq!(button.screen.as_deref(), Some("cn.gov.example.wangge.PatrolActivity"));
}

#[test]
fn reports_by_other_rules_or_without_a_surface_say_so() {
    let (old, new) = (scanned("grid-patrol.apk"), scanned("grid-patrol-renamed.apk"));
    let mut other = old.clone();
    other.engine.ruleset.digest = "00".repeat(32);
    other.findings.clear();
    let diff = compare(&other, &new);
    assert!(says(&diff, RemarkCode::RulesDiffer));
    assert_eq!(check_in(&diff).outcome, Outcome::Added);
    assert!(check_in(&diff).explanation.contains("规则不同"));
    let mut bare = old;
    bare.surface = None;
    let diff = compare(&bare, &new);
    assert!(says(&diff, RemarkCode::NoSurface));
    assert_eq!((check_in(&diff).outcome, check_in(&diff).disguise), (Outcome::Lowered, None));
}

#[test]
fn the_program_compares_packages_folders_and_stored_reports() {
    let dir = tempfile::tempdir().unwrap();
    let old = stored(&dir, "old.json", &scanned("grid-patrol.apk"));
    let folder = dir.path().join("new");
    fs::create_dir(&folder).unwrap();
    fs::copy(built("grid-patrol-renamed.apk"), folder.join("a.apk")).unwrap();
    let output = run(&["diff", path(&old), path(&folder), "--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let diff: Value = serde_json::from_slice(&output.stdout).unwrap();
    let schema: Value =
        serde_json::from_str(include_str!("../src/report/zhijian.diff-1.schema.json")).unwrap();
    let errors: Vec<String> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(&diff)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(diff["features"][0]["outcome"], "disguised");
    let again = run(&["diff", path(&old), path(&folder), "--format", "json"]);
    assert_eq!(output.stdout, again.stdout);

    let fixed = built("grid-patrol-fixed.apk");
    for (new, threshold, code) in [
        (&folder, "confirmed", 1),
        (&folder, "suspected", 1),
        (&fixed, "suspected", 0),
        (&old, "confirmed", 1),
    ] {
        let output = run(&["diff", path(&old), path(new), "--fail-on", threshold]);
        assert_eq!(output.status.code(), Some(code), "{} {threshold}", new.display());
    }
    for lang in ["zh", "en"] {
        let output = Command::new(env!("CARGO_BIN_EXE_zhijian"))
            .args(["diff", "grid-patrol.apk", "grid-patrol-renamed.apk", "--lang", lang])
            .current_dir(built(""))
            .output()
            .unwrap();
        let shown = text(&output.stdout);
        assert!(shown.contains("btn_patrol") && shown.contains("巡查记录"), "{shown}");
        assert!(shown.lines().all(|line| unicode_width::UnicodeWidthStr::width(line) <= 80), "{shown}");
        insta::assert_snapshot!(format!("diff-{lang}"), shown);
    }
}

#[test]
fn what_is_no_report_is_named_with_its_cause() {
    let dir = tempfile::tempdir().unwrap();
    let whole = serde_json::to_string_pretty(&scanned("grid-patrol.apk")).unwrap();
    let new = built("grid-patrol-fixed.apk");
    let mut many = scanned("grid-patrol.apk");
    many.findings = vec![many.findings[0].clone(); 600];
    let many = serde_json::to_string(&many).unwrap();
    for (name, content, says) in [
        ("cut.json", whole[..whole.len() / 2].to_owned(), "line"),
        ("newer.json", whole.replacen("zhijian.report/1", "zhijian.report/7", 1), "zhijian.report/7"),
        ("other.json", whole.replacen("zhijian.report/1", "zhijian.diff/1", 1), "zhijian.diff/1"),
        ("two.jsonl", format!("{whole}\n{whole}\n"), "2"),
        ("list.json", format!("[{whole},{whole},{whole}]"), "3"),
        ("wrong.json", whole.replacen("\"findings\": [", "\"findings\": [7, ", 1), "line"),
        ("deep.json", format!("{{\"schema\":\"zhijian.report/1\",\"a\":{}", "[".repeat(100_000)), "column"),
        ("many.json", many, "too many rows"),
        ("none.json", "{\"a\":1}".to_owned(), "none.json"),
        ("empty.json", String::new(), "empty.json"),
    ] {
        let file = dir.path().join(name);
        fs::write(&file, content).unwrap();
        let output = run(&["diff", "--lang", "en", path(&file), path(&new)]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        let error = text(&output.stderr);
        assert!(
            error.contains(name) && error.contains(says) && error.lines().count() == 1,
            "{name}: {error}"
        );
    }
    let giant = dir.path().join("giant.json");
    fs::write(&giant, "{\"schema\":\"zhijian.report/1\"").unwrap();
    fs::OpenOptions::new().write(true).open(&giant).unwrap().set_len(300 << 20).unwrap();
    let output = run(&["diff", path(&giant), path(&new)]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("256 MB"), "{}", text(&output.stderr));
    // A list with one report in it is one.
    let one = dir.path().join("one.json");
    fs::write(&one, format!("\u{feff}[{whole}]")).unwrap();
    assert_eq!(run(&["diff", path(&one), path(&new)]).status.code(), Some(0));
}

#[test]
fn a_comparison_of_hostile_reports_is_harmless() {
    let dir = tempfile::tempdir().unwrap();
    let old = stored(&dir, "old.json", &report::hostile());
    let new = stored(&dir, "new.json", &report::green());
    for args in [["--format", "terminal"], ["--format", "json"]] {
        let output = run(&["diff", path(&old), path(&new), "--all", args[0], args[1]]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let shown = text(&output.stdout);
        assert!(
            !shown.chars().any(|ch| ch.is_control() && ch != '\n' || ch == '\u{202e}' || ch == '\u{200b}')
        );
    }
}

/// The parts of a DOCX by name.
fn parts(bytes: &[u8]) -> Vec<(String, String)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .filter_map(|index| {
            let mut entry = archive.by_index(index).unwrap();
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            (!entry.is_dir()).then(|| (entry.name().unwrap().into_owned(), content))
        })
        .collect()
}

/// The text of a part, and that it is well-formed XML.
fn xml_text(content: &str) -> String {
    let mut reader = quick_xml::Reader::from_str(content);
    reader.config_mut().check_end_names = true;
    let (mut text, mut depth) = (String::new(), 0i32);
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Start(_) => depth += 1,
            quick_xml::events::Event::End(end) => {
                depth -= 1;
                if end.name().as_ref() == "w:p" {
                    text.push('\n');
                }
            }
            quick_xml::events::Event::Text(piece) => text.push_str(&piece),
            quick_xml::events::Event::GeneralRef(name) => {
                text.push_str(match &*name {
                    "lt" => "<",
                    "gt" => ">",
                    "amp" => "&",
                    "quot" => "\"",
                    "apos" => "'",
                    other => panic!("{other}"),
                });
            }
            quick_xml::events::Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!(depth, 0);
    text
}

fn notice(report: &Path, output: &Path, more: &[&str]) -> Output {
    let mut args = vec!["notice", path(report), "-o", path(output)];
    args.extend(["--number", "某网信整〔2026〕12号", "--deadline", "2026-12-25", "--issued", "2026-11-26"]);
    args.extend(more);
    run(&args)
}

#[test]
fn a_notice_says_what_why_where_and_until_when() {
    let dir = tempfile::tempdir().unwrap();
    let report = stored(&dir, "r.json", &scanned("grid-patrol.apk"));
    let (docx, html) = (dir.path().join("整改.docx"), dir.path().join("整改.html"));
    let more = ["--issuer", "某市委网信办", "--owner", "某市社会治理中心", "--scanned", "2026-11-25"];
    assert_eq!(notice(&report, &docx, &more).status.code(), Some(0));
    assert_eq!(notice(&report, &html, &more).status.code(), Some(0));
    let parts = parts(&fs::read(&docx).unwrap());
    for (name, content) in &parts {
        if name.ends_with(".xml") || name.ends_with(".rels") {
            xml_text(content);
        }
    }
    let document = &parts.iter().find(|(name, _)| name == "word/document.xml").unwrap().1;
    let in_docx = xml_text(document);
    let in_html = fs::read_to_string(&html).unwrap();
    for wanted in [
        "整改通知书",
        "某网信整〔2026〕12号",
        "某市社会治理中心：",
        "某市网格通",
        "3.2.1",
        "2026年11月25日",
        "2026年12月25日前完成整改",
        "《政务移动互联网应用程序规范化管理办法》",
        "国办函〔2026〕12号",
        "btn_patrol",
        "巡查打卡",
        "某市委网信办",
        "2026年11月26日",
        "例外情形",
    ] {
        assert!(in_docx.contains(wanted), "{wanted} is not in the document:\n{in_docx}");
        assert!(in_html.contains(wanted), "{wanted} is not in the page");
    }
    let digest = scanned("grid-patrol.apk").artifact.sha256;
    assert!(in_docx.contains(&digest) && in_html.contains(&digest));
    // 2号标宋, 3号仿宋, A4 with the margins of GB/T 9704-2012.
    let styles = &parts.iter().find(|(name, _)| name == "word/styles.xml").unwrap().1;
    assert!(styles.contains("w:eastAsia=\"方正小标宋简体\"") && styles.contains("w:eastAsia=\"仿宋\""));
    assert!(document.contains("w:w=\"11906\"") && document.contains("w:top=\"2097\""), "{document}");
    // The same notice, the same bytes.
    let again = dir.path().join("again.docx");
    assert_eq!(notice(&report, &again, &more).status.code(), Some(0));
    assert_eq!(fs::read(&docx).unwrap(), fs::read(&again).unwrap());
    // Nothing of Chinese but names and quotations in the English one.
    let english = dir.path().join("en.html");
    assert_eq!(notice(&report, &english, &["--lang", "en"]).status.code(), Some(0));
    let english = fs::read_to_string(&english).unwrap();
    assert!(english.contains("Notice of Rectification") && english.contains("25 December 2026"));
    assert!(!english.contains("整改") && !english.contains("依据"), "{english}");
}

#[test]
fn a_notice_for_a_hostile_report_is_harmless() {
    let dir = tempfile::tempdir().unwrap();
    let mut hostile = report::hostile();
    let odd = "\u{fffe}\u{ffff}\u{1}]]><w:p>&amp;";
    hostile.identity.name = Some(format!("{odd}{}", report::HOSTILE));
    for finding in &mut hostile.findings {
        finding.title = format!("{odd}{}", finding.title);
    }
    let report = stored(&dir, "r.json", &hostile);
    let (docx, html) = (dir.path().join("n.docx"), dir.path().join("n.html"));
    assert_eq!(
        notice(&report, &docx, &["--issuer", &report::HOSTILE.replace('\0', "")]).status.code(),
        Some(0)
    );
    assert_eq!(notice(&report, &html, &[]).status.code(), Some(0));
    for (name, content) in parts(&fs::read(&docx).unwrap()) {
        if name.ends_with(".xml") || name.ends_with(".rels") {
            let shown = xml_text(&content);
            let bad = |ch: char| {
                ch.is_control() && ch != '\n' || matches!(ch, '\u{fffe}' | '\u{ffff}' | '\u{202e}')
            };
            assert!(!shown.chars().any(bad), "{name}");
        }
    }
    let page = fs::read_to_string(&html).unwrap();
    assert!(!page.contains("<script") && !page.contains("<w:p>") && !page.contains('\u{202e}'));
}

#[test]
fn a_notice_that_cannot_be_is_refused_and_nothing_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let report = stored(&dir, "r.json", &scanned("grid-patrol.apk"));
    let green = stored(&dir, "green.json", &report::green());
    let docx = dir.path().join("n.docx");
    let refused = |output: Output, says: &str| {
        assert_eq!(output.status.code(), Some(2));
        assert!(text(&output.stderr).contains(says), "{}", text(&output.stderr));
        assert!(!docx.exists());
    };
    refused(notice(&green, &docx, &[]), "没有需要整改的事项");
    refused(notice(&report, &docx, &["--only", "app.check-in,app.ranking"]), "app.ranking");
    refused(notice(&report, &dir.path().join("n.pdf"), &[]), ".docx");
    refused(notice(&report, &dir.path().join("none/n.docx"), &[]), "none/n.docx");
    let late = [
        "notice",
        path(&report),
        "-o",
        path(&docx),
        "--number",
        "1",
        "--deadline",
        "2026-11-01",
        "--issued",
        "2026-11-26",
    ];
    refused(run(&late), "早于");
    // One rule alone.
    assert_eq!(notice(&report, &docx, &["--only", "app.complaint-channel"]).status.code(), Some(0));
    let parts = parts(&fs::read(&docx).unwrap());
    let document = xml_text(&parts.iter().find(|(name, _)| name == "word/document.xml").unwrap().1);
    assert!(document.contains("投诉") && !document.contains("巡查打卡"));
}

#[test]
fn a_baseline_keeps_what_was_judged_out_and_nothing_more() {
    let dir = tempfile::tempdir().unwrap();
    let baseline = dir.path().join("基线.yaml");
    let app = built("grid-patrol.apk");
    let scan = |file: &Path, more: &[&str]| {
        let mut args = vec![
            "scan",
            path(file),
            "--format",
            "json",
            "--fail-on",
            "suspected",
            "--filing",
            "某网信政备〔2026〕0312号",
        ];
        args.extend(more);
        let output = run(&args);
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or(Value::Null);
        (output, report)
    };
    let (output, _) = scan(&app, &["--write-baseline", path(&baseline)]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let written = fs::read_to_string(&baseline).unwrap();
    assert!(written.contains("cn.gov.example.grid") && written.contains("巡查打卡"), "{written}");

    // Nobody has given a reason yet.
    let with = ["--baseline", path(&baseline), "--as-of", "2026-11-26"];
    let (output, report) = scan(&app, &with);
    assert_eq!(output.status.code(), Some(1));
    assert!(report["findings"][0]["accepted"].is_null());
    assert_eq!(report["baseline"]["idle"].as_array().unwrap().len(), 1);

    let judged = written
        .replace(
            "kind: dismissed",
            "kind: exception\n    document: \"某办〔2026〕3号\"\n    until: 2027-06-30",
        )
        .replace("reason: \"\"", "reason: 防汛值守签到")
        .replace("by: \"\"", "by: 张三");
    fs::write(&baseline, &judged).unwrap();
    let (output, report) = scan(&app, &with);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(report["findings"][0]["accepted"]["reason"], "防汛值守签到");
    let reasons: Vec<&str> =
        report["code"]["reasons"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap()).collect();
    assert!(!reasons.contains(&"confirmed-finding") && reasons.contains(&"baseline"), "{reasons:?}");
    let shown = run(&["scan", path(&app), "--baseline", path(&baseline), "--as-of", "2026-11-26"]);
    assert!(text(&shown.stdout).contains("防汛值守签到") && text(&shown.stdout).contains("某办〔2026〕3号"));

    // After its last day it counts again.
    let (output, _) = scan(&app, &["--baseline", path(&baseline), "--as-of", "2027-07-01"]);
    assert_eq!(output.status.code(), Some(1));

    // New evidence brings it back.
    let fewer: Vec<&str> = judged.lines().collect();
    let last = fewer.iter().rposition(|line| line.contains("- key:")).unwrap();
    fs::write(&baseline, format!("{}\n", fewer[..last].join("\n"))).unwrap();
    let (output, report) = scan(&app, &with);
    assert_eq!(output.status.code(), Some(1));
    assert!(report["findings"][0]["accepted"].is_null());
    // Written again, what people wrote stays, and what is new waits for a reason.
    scan(&app, &["--write-baseline", path(&baseline)]);
    let renewed = fs::read_to_string(&baseline).unwrap();
    assert!(renewed.contains("防汛值守签到") && renewed.contains("reason: \"\""), "{renewed}");

    // The version without it: the entry is said to be idle, and is dropped when the file is written again.
    fs::write(&baseline, &judged).unwrap();
    let (output, report) = scan(&built("grid-patrol-fixed.apk"), &with);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(report["baseline"]["idle"].as_array().unwrap().len(), 1);
    scan(&built("grid-patrol-fixed.apk"), &["--write-baseline", path(&baseline)]);
    assert!(!fs::read_to_string(&baseline).unwrap().contains("防汛值守签到"));

    // An entry of one app is none of another's.
    fs::write(&baseline, judged.replace("cn.gov.example.grid", "cn.gov.example.other")).unwrap();
    assert_eq!(scan(&app, &with).0.status.code(), Some(1));
    // What is wrong is said with file and line, before anything is scanned.
    fs::write(&baseline, judged.replace("    until: 2027-06-30\n", "")).unwrap();
    let (output, _) = scan(&app, &with);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        text(&output.stderr).contains("基线.yaml") && text(&output.stderr).contains("line 5"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn a_baseline_makes_neither_the_unseen_nor_the_unfiled_green() {
    let dir = tempfile::tempdir().unwrap();
    let baseline = dir.path().join("b.yaml");
    for name in ["grid-patrol.apk", "sealed.apk"] {
        run(&["scan", "--quiet", path(&built(name)), "--write-baseline", path(&baseline)]);
        let judged = fs::read_to_string(&baseline)
            .unwrap()
            .replace("reason: \"\"", "reason: 误报")
            .replace("by: \"\"", "by: 张三");
        fs::write(&baseline, judged).unwrap();
        let output = run(&["scan", "--format", "json", path(&built(name)), "--baseline", path(&baseline)]);
        let report: Report = serde_json::from_slice(&output.stdout).unwrap();
        assert_ne!(report.code.suggested, zhijian::model::ColorCode::Green, "{name}");
        assert!(report.code.reasons.iter().any(|reason| reason.id == "filing-unknown"));
    }
}
