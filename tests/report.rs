//! What people and programs read: every format, both languages, hostile strings.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use crate::common::report;

use jsonschema::Validator;
use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;
use zhijian::model::{Lang, Report};
use zhijian::report::{FORMATS, Failure, Run, View, format, schema};
use zhijian::roster::FilingRecord;
use zhijian::rule::RuleSet;
use zhijian::scan::{Scanner, Silent};

fn render(name: &str, reports: &[Report], view: View) -> String {
    render_run(name, &Run { reports, failures: &[], several: reports.len() != 1 }, view)
}

fn render_run(name: &str, run: &Run<'_>, view: View) -> String {
    let mut out = Vec::new();
    (format(name).unwrap().write)(run, view, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn views() -> impl Iterator<Item = View> {
    [Lang::Zh, Lang::En]
        .into_iter()
        .flat_map(|lang| [false, true].map(|all| View { lang, all, colour: false }))
}

#[test]
fn terminal_reports_read_well() {
    let view = View::default();
    insta::assert_snapshot!("terminal-zh", render("terminal", &[report::ordinary()], view));
    let english = View { lang: Lang::En, ..view };
    insta::assert_snapshot!("terminal-en", render("terminal", &[report::ordinary()], english));
    insta::assert_snapshot!("terminal-green", render("terminal", &[report::green()], view));
    let all = View { all: true, ..view };
    insta::assert_snapshot!("terminal-all", render("terminal", &[report::ordinary()], all));
}

#[test]
fn no_terminal_line_is_wider_than_80_columns_or_ends_in_a_space() {
    for report in [report::ordinary(), report::green(), report::hostile()] {
        for view in views() {
            for line in render("terminal", std::slice::from_ref(&report), view).lines() {
                assert!(line.width() <= 80, "{} columns: {line}", line.width());
                assert_eq!(line, line.trim_end());
            }
        }
    }
}

/// The same for packages of our own as they are scanned, and no line begins with what may not begin one.
#[test]
fn scanned_packages_read_well_on_80_columns() {
    let scanner = Scanner::new(RuleSet::embedded().unwrap(), FilingRecord::Unknown);
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/built");
    for name in ["grid-patrol.apk", "punch.wxapkg", "near-misses.apk", "sealed.apk", "patrol.ipa", "duty.rpk"]
    {
        let report = scanner.scan(&folder.join(name), &Silent).unwrap();
        for view in views() {
            for line in render("terminal", std::slice::from_ref(&report), view).lines() {
                assert!(line.width() <= 80, "{name}: {} columns: {line}", line.width());
                assert_eq!(line, line.trim_end(), "{name}");
                let first = line.trim_start().chars().next();
                assert!(!first.is_some_and(|ch| "，。、；：？！）》”’".contains(ch)), "{name}: {line}");
            }
        }
    }
}

#[test]
fn without_colour_no_format_writes_control_or_bidi_characters() {
    for format in FORMATS.iter().filter(|format| format.is_text()) {
        for view in views() {
            let text = render(format.name, &[report::hostile()], view);
            let bad = text.chars().find(|&ch| {
                (ch.is_control() && ch != '\n')
                    || matches!(ch, '\u{200b}' | '\u{202a}'..='\u{202e}' | '\u{2028}')
            });
            assert_eq!(bad, None, "{}", format.name);
        }
    }
}

#[test]
fn with_colour_only_the_styles_are_added() {
    let view = View::default();
    let plain = render("terminal", &[report::hostile()], view);
    let coloured = render("terminal", &[report::hostile()], View { colour: true, ..view });
    assert!(coloured.contains("\x1b[1m"));
    assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
}

#[test]
fn the_terminal_shows_what_a_person_needs() {
    let text = render("terminal", &[report::ordinary()], View::default());
    let flat = text.replace(['\n', ' '], "");
    for needed in [
        "未赋码·待整改",
        "cn.gov.example.grid",
        &"9f2c4ab1".repeat(8),
        "打卡签到",
        "国办函〔2026〕12号",
        "五类情形（二）",
        "“巡查打卡”Buttonbtn_patrol@巡查（cn.gov.example.grid.patrol.PatrolActivity）",
        "res/layout/activity_patrol.xml→PatrolActivity.onPunch→POST/patrol/checkin",
        "resources.arsc#0x7f0b0012",
        "https://grid.example.gov.cn/api/mobile/patrol/checkin",
        "另有6处证据",
        "时长统计、关注点赞转发任务",
        "投诉建议✓具备",
        "主办单位与备案编号✗未见",
        "assets/logic.dat",
        "有20处可能含有界面文字的内容未能检视",
        "图片30处不在检视范围",
    ] {
        assert!(flat.contains(needed), "{needed} is missing in:\n{text}");
    }
    assert!(!flat.contains("友盟"), "mentions are folded");
    let all = render("terminal", &[report::ordinary()], View { all: true, ..View::default() });
    assert!(all.contains("友盟") && all.contains("zip.prepended-data") && all.contains("item_11.xml"));
}

#[test]
fn html_is_escaped_self_contained_and_forbids_requests() {
    for view in views() {
        for report in [report::ordinary(), report::green(), report::hostile()] {
            let html = render("html", std::slice::from_ref(&report), view);
            assert!(html.starts_with("<!DOCTYPE html>"));
            assert!(
                html.contains("content=\"default-src &#x27;none&#x27;")
                    || html.contains("content=\"default-src 'none'; style-src 'unsafe-inline'\"")
            );
            for banned in
                ["<script", "<link", "<img", "<iframe", "@import", "url(", " src=", "http-equiv=\"refresh"]
            {
                assert!(!html.contains(banned), "{banned}");
            }
            let page = scraper::Html::parse_document(&html);
            assert!(page.errors.is_empty(), "{:?}", page.errors);
            let handlers = page.tree.values().filter_map(|node| node.as_element());
            assert!(handlers.flat_map(|e| e.attrs()).all(|(name, _)| !name.starts_with("on")));
        }
    }
}

#[test]
fn html_says_the_conclusion_first() {
    let html = render("html", &[report::ordinary()], View::default());
    let page = scraper::Html::parse_document(&html);
    let body = page.select(&scraper::Selector::parse("body").unwrap()).next().unwrap();
    let lines: Vec<String> = body.text().map(|t| t.trim().to_owned()).filter(|t| !t.is_empty()).collect();
    let first: String = lines[..12].concat();
    for needed in ["某市网格通", "3.2.1", "未赋码 · 待整改", "整改并复核前不赋码"] {
        assert!(first.contains(needed), "{needed} is not in {first}");
    }
    let text = lines.concat();
    let order = [
        "建议赋码",
        "一、检测对象",
        "二、检出功能",
        "三、必备功能",
        "四、未能检视的内容",
        "五、法律与政策依据",
        "六、附录",
    ];
    // Once in the contents, once above the chapter.
    let places: Vec<usize> = order.iter().map(|head| text.rfind(head).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
    for needed in [
        "《政务移动互联网应用程序规范化管理办法》（国办函〔2026〕12号）",
        "适用范围：",
        "PatrolActivity.onPunch",
    ] {
        assert!(text.contains(needed), "{needed}");
    }
}

#[test]
fn every_entry_of_the_contents_leads_somewhere() {
    let reports = [report::ordinary(), report::hostile()];
    let html = render("html", &reports, View::default());
    let page = scraper::Html::parse_document(&html);
    let select = |css: &str| scraper::Selector::parse(css).unwrap();
    let ids: Vec<&str> = page.select(&select("[id]")).map(|node| node.attr("id").unwrap()).collect();
    let unique: std::collections::BTreeSet<&&str> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "{ids:?}");
    let links: Vec<&str> = page.select(&select("a[href]")).map(|link| link.attr("href").unwrap()).collect();
    // Two of the index; of each report six chapters and two open findings.
    assert_eq!(links.len(), 2 + 2 * (6 + 2));
    assert!(links.iter().all(|link| ids.contains(&link.strip_prefix('#').unwrap())), "{links:?}");
    // The gravest finding is the first in the contents.
    let first = page.select(&select(".contents ol ol li")).next().unwrap();
    assert_eq!(first.text().collect::<String>(), "确认打卡签到");
}

/// Chinese text has Chinese punctuation: no half-width mark touches an ideograph, but in what is quoted.
#[test]
fn chinese_punctuation_is_full_width() {
    let mark = regex_lite::Regex::new(r"[\u{4e00}-\u{9fff}][,;:?!()]|[,;:?!()][\u{4e00}-\u{9fff}]").unwrap();
    for mut report in [report::ordinary(), report::green()] {
        report.identity.signer = None;
        for view in views().filter(|view| view.lang == Lang::Zh) {
            let html = render("html", std::slice::from_ref(&report), view);
            let page = scraper::Html::parse_document(&html);
            let body = page.select(&scraper::Selector::parse("body").unwrap()).next().unwrap();
            for text in body.text() {
                assert!(!mark.is_match(text), "{text}");
            }
            let terminal = render("terminal", std::slice::from_ref(&report), view);
            assert!(!mark.is_match(&terminal), "{terminal}");
        }
    }
}

/// An English report has no Chinese but what is quoted from the target and its store.
#[test]
fn english_is_complete() {
    let english = View { lang: Lang::En, ..View::default() };
    let mut report = report::ordinary();
    report.listing = None;
    report.identity.signer = None;
    report.identity.name = Some("Grid".into());
    report.target.source = "grid.apk".into();
    for row in report
        .findings
        .iter_mut()
        .flat_map(|finding| &mut finding.evidence)
        .chain(report.duties.iter_mut().flat_map(|duty| &mut duty.evidence))
    {
        (row.text, row.matched, row.screen) = ("word".into(), "word".into(), None);
        row.library = None;
    }
    report.coverage.gaps.retain(|gap| !gap.place.is_empty());
    for format in FORMATS.iter().filter(|format| ["terminal", "html"].contains(&format.name)) {
        let text = render(format.name, std::slice::from_ref(&report), english);
        let body = text.rsplit_once("</style>").map_or(text.as_str(), |(_, body)| body);
        let chinese: Vec<&str> = body
            .lines()
            .filter(|line| line.chars().any(|ch| ('\u{4e00}'..='\u{9fff}').contains(&ch)))
            .collect();
        assert!(chinese.is_empty(), "{}: {chinese:?}", format.name);
    }
}

#[test]
fn html_of_several_has_an_index_that_names_failures() {
    let reports = [report::ordinary(), report::green()];
    let failures = [Failure { source: "坏的.apk".into(), cause: "文件不存在".into() }];
    let html =
        render_run("html", &Run { reports: &reports, failures: &failures, several: true }, View::default());
    for needed in ["href=\"#r1\"", "href=\"#r2\"", "id=\"r2\"", "坏的.apk", "文件不存在"] {
        assert!(html.contains(needed), "{needed}");
    }
    // For looking at: the pages that the screenshots of a change are made from.
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("several.html"), &html).unwrap();
    for (name, report) in
        [("ordinary", report::ordinary()), ("green", report::green()), ("hostile", report::hostile())]
    {
        for (suffix, lang) in [("zh", Lang::Zh), ("en", Lang::En)] {
            let html = render("html", std::slice::from_ref(&report), View { lang, ..View::default() });
            std::fs::write(folder.join(format!("{name}-{suffix}.html")), html).unwrap();
        }
    }
}

#[test]
fn json_reports_are_valid_by_the_published_schema_and_read_back() {
    let validator = Validator::new(&schema()).unwrap();
    for report in [report::ordinary(), report::green(), report::hostile()] {
        for name in ["json", "jsonl"] {
            let text = render(name, std::slice::from_ref(&report), View::default());
            let value: Value = serde_json::from_str(&text).unwrap();
            let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{errors:?}");
            assert_eq!(serde_json::from_value::<Report>(value).unwrap(), report);
        }
    }
    let mut wrong = serde_json::to_value(report::ordinary()).unwrap();
    wrong["schema"] = json!("zhijian.report/2");
    assert!(!validator.is_valid(&wrong));
}

#[test]
fn json_of_several_is_an_array_and_jsonl_one_line_each() {
    let reports = [report::ordinary(), report::green()];
    let array: Value = serde_json::from_str(&render("json", &reports, View::default())).unwrap();
    assert_eq!(array.as_array().unwrap().len(), 2);
    let lines = render("jsonl", &reports, View::default());
    let ids: Vec<Value> =
        lines.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()["identity"]["id"].clone()).collect();
    assert_eq!(ids, [json!("cn.gov.example.grid"), json!("wx0123456789abcdef")]);
    // One report of several targets, the others having failed, is still an array.
    let run = Run { reports: &reports[..1], failures: &[], several: true };
    assert!(render_run("json", &run, View::default()).starts_with('['));
}

#[test]
fn streams_are_their_parts_in_a_row() {
    let reports = [report::ordinary(), report::green()];
    for format in FORMATS.iter().filter(|format| format.streams) {
        let part = |report| {
            let run = Run { reports: std::slice::from_ref(report), failures: &[], several: true };
            render_run(format.name, &run, View::default())
        };
        let whole = render(format.name, &reports, View::default());
        assert_eq!(reports.iter().map(part).collect::<String>(), whole, "{}", format.name);
    }
}

/// Field names and enumerations as the contract with other programs lists them.
#[test]
fn the_json_contract_holds() {
    let schema = schema();
    let defs = &schema["$defs"];
    let follow = |node: &Value| -> Value {
        let node = node.get("anyOf").map_or(node, |any| &any[0]);
        let node = node.get("items").unwrap_or(node);
        match node["$ref"].as_str() {
            Some(path) => defs[path.trim_start_matches("#/$defs/")].clone(),
            None => node.clone(),
        }
    };
    let fields = |path: &[&str], expected: &[&str]| {
        let node = path.iter().fold(schema.clone(), |node, name| follow(&node["properties"][name]));
        for name in expected {
            assert!(node["properties"].get(name).is_some(), "{path:?} lacks {name}");
        }
    };
    let values = |path: &[&str], expected: &[&str]| {
        let node = path.iter().fold(schema.clone(), |node, name| follow(&node["properties"][name]));
        let listed = node["enum"].as_array().cloned().unwrap_or_default();
        let described = node["oneOf"].as_array().into_iter().flatten().flat_map(|one| {
            one.get("const").cloned().into_iter().chain(one["enum"].as_array().cloned().unwrap_or_default())
        });
        let mut got: Vec<String> =
            listed.into_iter().chain(described).map(|v| v.as_str().unwrap().to_owned()).collect();
        let mut expected: Vec<&str> = expected.to_vec();
        got.sort();
        expected.sort_unstable();
        assert_eq!(got, expected, "{path:?}");
    };
    fields(
        &[],
        &[
            "schema",
            "engine",
            "target",
            "artifact",
            "identity",
            "coverage",
            "findings",
            "duties",
            "anomalies",
            "code",
        ],
    );
    assert_eq!(schema["properties"]["schema"]["const"], "zhijian.report/1");
    fields(&["engine"], &["version", "ruleset"]);
    fields(&["engine", "ruleset"], &["digest"]);
    fields(&["target"], &["kind", "source"]);
    values(&["target", "kind"], &["app", "mini-program", "quick-app", "account-page", "account", "group"]);
    fields(&["artifact"], &["sha256", "bytes", "format"]);
    fields(&["identity"], &["id", "name", "version", "signer"]);
    fields(&["coverage"], &["verdict", "parts", "gaps"]);
    values(&["coverage", "verdict"], &["full", "partial", "opaque"]);
    fields(
        &["findings"],
        &["rule", "category", "level", "title", "basis", "exceptions", "evidence", "remediation"],
    );
    values(
        &["findings", "category"],
        &[
            "check-in",
            "ranking",
            "duration",
            "social-task",
            "trace",
            "form",
            "promotion",
            "assessment",
            "commerce",
            "instant-response",
            "show-off",
            "zombie",
            "shell",
            "nominal",
            "no-interaction",
            "off-topic",
            "duplicate",
        ],
    );
    values(&["findings", "level"], &["confirmed", "suspected", "mention"]);
    fields(
        &["findings", "evidence"],
        &["kind", "text", "where", "screen", "widget", "chain", "locale", "library"],
    );
    fields(&["duties"], &["rule", "category", "status", "evidence"]);
    values(
        &["duties", "category"],
        &["complaint-channel", "filing-shown", "licence-shown", "group-rules", "group-sign"],
    );
    values(&["duties", "status"], &["met", "missing", "unknown"]);
    fields(&["code"], &["suggested", "reasons", "policy"]);
    values(&["code", "suggested"], &["green", "blue", "red", "none"]);
}

#[test]
fn sarif_keeps_the_essential_constraints_of_2_1_0() {
    let mut second = report::ordinary();
    second.target.source = "/data/网格 通.apk".into();
    let reports = [report::hostile(), second];
    let failures = [Failure { source: "no.apk".into(), cause: "文件不存在".into() }];
    let text =
        render_run("sarif", &Run { reports: &reports, failures: &failures, several: true }, View::default());
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("several.sarif"), &text).unwrap();

    let log: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let artifacts = run["artifacts"].as_array().unwrap();
    assert_eq!(artifacts[1]["location"]["uri"], "file:///data/%E7%BD%91%E6%A0%BC%20%E9%80%9A.apk");
    assert_eq!(artifacts[1]["hashes"]["sha-256"], "9f2c4ab1".repeat(8));
    for result in run["results"].as_array().unwrap() {
        let rule = &rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        // SARIF 3.27.10: a level other than none belongs to kind fail only.
        assert!(result["kind"] == "fail" || result["level"] == "none");
        let place = &result["locations"][0]["physicalLocation"]["artifactLocation"];
        let index = usize::try_from(place["index"].as_u64().unwrap()).unwrap();
        assert_eq!(place["uri"], artifacts[index]["location"]["uri"]);
        assert!(place["uri"].as_str().unwrap().is_ascii());
        assert_eq!(result["partialFingerprints"]["zhijian/v1"].as_str().unwrap().len(), 64);
    }
    let levels: Vec<&str> =
        run["results"].as_array().unwrap()[5..].iter().map(|r| r["level"].as_str().unwrap()).collect();
    assert_eq!(levels, ["error", "warning", "note", "note", "warning"]);
    let invocation = &run["invocations"][0];
    assert_eq!(invocation["executionSuccessful"], false);
    let ids: Vec<&Value> =
        run["tool"]["driver"]["notifications"].as_array().unwrap().iter().map(|n| &n["id"]).collect();
    for notification in invocation["toolExecutionNotifications"].as_array().unwrap() {
        assert!(ids.contains(&&notification["descriptor"]["id"]));
    }
}

#[test]
fn the_sarif_fingerprint_survives_a_new_offset_but_not_a_new_text() {
    let fingerprint = |report: &Report| {
        let log: Value =
            serde_json::from_str(&render("sarif", std::slice::from_ref(report), View::default())).unwrap();
        log["runs"][0]["results"][1]["partialFingerprints"]["zhijian/v1"].clone()
    };
    let before = report::ordinary();
    let mut moved = before.clone();
    moved.findings[1].evidence[0].place = "classes.dex@0x99999".into();
    assert_eq!(fingerprint(&before), fingerprint(&moved));
    moved.findings[1].evidence[0].text = "支部先锋榜".into();
    assert_ne!(fingerprint(&before), fingerprint(&moved));
}
