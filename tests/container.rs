//! Packages in other wrappings: the same app as APKS, APKM and nested, and wrappings that are broken. The packages are
//! those of the fixtures, packed anew here.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{Cursor, Read, Write};
use std::path::Path;

use zhijian::model::{Category, GapReason, Level, Report, Verdict};
use zhijian::roster::FilingRecord;
use zhijian::rule::RuleSet;
use zhijian::scan::{Scanner, Silent};

fn built(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/built").join(name)).unwrap()
}

fn unpack(bytes: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut entry = archive.by_index(index).unwrap();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            (entry.name().unwrap().into_owned(), content)
        })
        .collect()
}

fn pack<'a>(entries: impl IntoIterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn scan(bytes: &[u8]) -> Report {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let scanner = Scanner::new(RuleSet::embedded().unwrap(), FilingRecord::Unknown);
    scanner.scan(file.path(), &Silent).unwrap_or_else(|error| panic!("{error}"))
}

/// Category, level and texts of what was found above a mention.
fn found(report: &Report) -> Vec<(Category, Level, Vec<String>)> {
    let shown = report.findings.iter().filter(|finding| finding.level > Level::Mention);
    shown
        .map(|finding| {
            let mut texts: Vec<String> = finding.evidence.iter().map(|row| row.text.clone()).collect();
            texts.sort();
            (finding.category, finding.level, texts)
        })
        .collect()
}

/// The packages of the market fixture under the names of another wrapping.
fn market(names: [&'static str; 4]) -> Vec<(&'static str, Vec<u8>)> {
    let own = ["cn.gov.example.market.apk", "rank.apk", "config.zh.apk", "rank.config.zh.apk"];
    let entries = unpack(&built("market.xapk"));
    let of = |name: &str| entries.iter().find(|(entry, _)| entry == name).unwrap().1.clone();
    names.into_iter().zip(own).map(|(name, own)| (name, of(own))).collect()
}

fn wrapped(names: [&'static str; 4], more: &[(&'static str, &'static str)]) -> Report {
    let members = market(names);
    let members = members.iter().map(|(name, bytes)| (*name, bytes.as_slice()));
    scan(&pack(members.chain(more.iter().map(|(name, text)| (*name, text.as_bytes())))))
}

const APKS: [&str; 4] =
    ["splits/base-master.apk", "splits/rank-master.apk", "splits/base-zh.apk", "splits/rank-zh.apk"];

#[test]
fn one_app_is_the_same_in_every_wrapping() {
    let xapk = scan(&built("market.xapk"));
    let expected = found(&xapk);
    assert_eq!(expected.len(), 2, "{expected:?}");
    let reports = [
        ("aab", scan(&built("market.aab"))),
        ("apks", wrapped(APKS, &[])),
        ("apks", wrapped(APKS, &[("toc.pb", "")])),
        (
            "apks",
            wrapped(["base.apk", "split_rank.apk", "split_config.zh.apk", "split_rank.config.zh.apk"], &[]),
        ),
        (
            "apkm",
            wrapped(
                ["base.apk", "split_rank.apk", "split_config.zh.apk", "split_rank.config.zh.apk"],
                &[("info.json", r#"{"apkm_version":5,"pname":"cn.gov.example.market"}"#)],
            ),
        ),
    ];
    for (format, report) in reports {
        assert_eq!(report.artifact.format, format);
        assert_eq!(report.identity.id.as_deref(), Some("cn.gov.example.market"), "{format}");
        assert_eq!(report.identity.name, xapk.identity.name, "{format}");
        assert_eq!(report.coverage.verdict, Verdict::Full, "{format}: {:?}", report.coverage.gaps);
        assert_eq!(found(&report), expected, "{format}");
    }
}

#[test]
fn a_bundle_of_an_app_finds_what_its_package_does() {
    for name in ["grid-patrol", "zh-only"] {
        let categories = |report: Report| -> Vec<(Category, Level)> {
            report.findings.iter().map(|finding| (finding.category, finding.level)).collect()
        };
        let apk = categories(scan(&built(&format!("{name}.apk"))));
        assert!(!apk.is_empty());
        assert_eq!(categories(scan(&built(&format!("{name}.aab")))), apk, "{name}");
    }
}

#[test]
fn splits_without_their_base_are_opaque() {
    let members = market(APKS);
    let report = scan(&pack(members[1..].iter().map(|(name, bytes)| (*name, bytes.as_slice()))));
    assert_eq!(report.coverage.verdict, Verdict::Opaque);
    assert!(report.coverage.gaps.iter().any(|gap| gap.reason == GapReason::Missing));
}

#[test]
fn a_split_that_the_description_lists_and_that_is_not_there_is_a_gap() {
    let entries = unpack(&built("market.xapk"));
    let kept = entries.iter().filter(|(name, _)| name != "rank.config.zh.apk");
    let report = scan(&pack(kept.map(|(name, bytes)| (name.as_str(), bytes.as_slice()))));
    assert_ne!(report.coverage.verdict, Verdict::Full);
    assert!(
        report.coverage.gaps.iter().any(|gap| gap.place == "rank.config.zh.apk"),
        "{:?}",
        report.coverage.gaps
    );
}

#[test]
fn a_broken_split_and_another_app_in_the_set_are_said() {
    let members = market(APKS);
    let mut entries: Vec<(&str, &[u8])> =
        members.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    let other = built("array-menu.apk");
    entries.push(("splits/other.apk", &other));
    entries.push(("splits/base-arm64_v8a.apk", b"PK\x03\x04 not a package"));
    let report = scan(&pack(entries));
    assert!(report.anomalies.iter().any(|anomaly| anomaly.code == "package.several-apps"));
    assert!(report.coverage.gaps.iter().any(|gap| gap.place == "splits/base-arm64_v8a.apk" && gap.material));
    assert!(found(&report).len() > 2, "what the other app has is found too: {:?}", found(&report));
}

/// An app without a finding that holds a package in its assets.
fn carrying(name: &str, inner: &[u8]) -> Vec<u8> {
    let reader = unpack(&built("reader.apk"));
    let own = reader.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    pack(own.chain([(name, inner)]))
}

#[test]
fn a_package_within_a_package_is_read() {
    assert_eq!(found(&scan(&carrying("assets/x.txt", b"x"))), []);
    let plain = found(&scan(&built("grid-patrol.apk")));
    for name in ["assets/plugins/patrol.apk", "assets/patrol.zip", "assets/patrol.jar"] {
        let report = scan(&carrying(name, &built("grid-patrol.apk")));
        assert_eq!(found(&report), plain, "{name}");
        let row = &report.findings[0].evidence[0];
        assert!(row.place.starts_with(&format!("{name}!")), "{}", row.place);
    }
    let wxapkg = scan(&carrying("assets/__APP__.wxapkg", &built("punch.wxapkg")));
    assert!(!found(&wxapkg).is_empty());
    let twice = scan(&carrying("assets/a.zip", &pack([("b.apk", built("grid-patrol.apk").as_slice())])));
    assert_eq!(found(&twice), plain);
    assert!(twice.findings[0].evidence[0].place.starts_with("assets/a.zip!b.apk!"));
}

#[test]
fn nesting_ends() {
    let mut inner = built("grid-patrol.apk");
    for _ in 0..8 {
        inner = pack([("a.apk", inner.as_slice())]);
    }
    let report = scan(&carrying("assets/a.zip", &inner));
    assert_eq!(found(&report), []);
    let deep = report.coverage.gaps.iter().find(|gap| gap.reason == GapReason::LimitReached).unwrap();
    assert!(deep.material && deep.place.starts_with("assets/a.zip!a.apk!"), "{}", deep.place);
    assert_ne!(report.coverage.verdict, Verdict::Full);

    let reader = unpack(&built("reader.apk"));
    let small = pack([("x.txt", b"x".as_slice())]);
    let names: Vec<String> = (0..300).map(|n| format!("assets/{n}.zip")).collect();
    let many = names.iter().map(|name| (name.as_str(), small.as_slice()));
    let own = reader.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    let report = scan(&pack(own.chain(many)));
    assert!(report.coverage.gaps.iter().any(|gap| gap.reason == GapReason::LimitReached));
}

#[test]
fn bombs_within_share_one_budget() {
    // 100 MiB of zeros in each of 24 archives: 2.4 GiB if nobody counted them together.
    let zeros = vec![0; 100 << 20];
    let bomb = pack([("classes.dex", zeros.as_slice())]);
    let reader = unpack(&built("reader.apk"));
    let names: Vec<String> = (0..24).map(|n| format!("assets/{n}.zip")).collect();
    let many = names.iter().map(|name| (name.as_str(), bomb.as_slice()));
    let own = reader.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice()));
    let report = scan(&pack(own.chain(many)));
    let gaps = &report.coverage.gaps;
    let over = gaps.iter().filter(|gap| gap.reason == GapReason::LimitReached).count();
    assert!((1..24).contains(&over), "{gaps:?}");
}

#[test]
fn a_set_of_very_many_packages_is_read_to_the_limit() {
    let members = market(APKS);
    let empty = pack([("x", b"".as_slice())]);
    let names: Vec<String> = (0..300).map(|n| format!("splits/z{n}.apk")).collect();
    let own = members.iter().map(|(name, bytes)| (*name, bytes.as_slice()));
    let report = scan(&pack(own.chain(names.iter().map(|name| (name.as_str(), empty.as_slice())))));
    assert!(report.coverage.gaps.iter().any(|gap| gap.reason == GapReason::LimitReached));
    assert_eq!(found(&report).len(), 2);
}
