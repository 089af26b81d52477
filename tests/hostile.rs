//! Bad input ends in a report with gaps or in one clear error; never in a panic, never in unbounded memory.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]

use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};

use zhijian::model::{Report, Verdict};
use zhijian::roster::FilingRecord;
use zhijian::rule::RuleSet;
use zhijian::sandbox::{Limits, Sandbox};
use zhijian::scan::{Scan, ScanError, Scanner, Silent, Subject};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

const GOOD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/built/grid-patrol.apk");

fn scanner() -> Scanner {
    Scanner::new(RuleSet::embedded().unwrap(), FilingRecord::Number("测试".into()))
}

struct Scratch(tempfile::TempDir);

impl Scratch {
    fn new() -> Self {
        Scratch(tempfile::tempdir().unwrap())
    }

    fn file(&self, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join("package.bin");
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

/// In this process, and in one of its own, which says the same.
fn scan(bytes: &[u8]) -> Result<Report, ScanError> {
    let scratch = Scratch::new();
    let path = scratch.file(bytes);
    let sandbox = Sandbox::new(scanner(), None, Limits::default()).unwrap();
    let sandbox = sandbox.with_program(env!("CARGO_BIN_EXE_zhijian").into());
    let subject = Subject { name: path.display().to_string(), ..Subject::default() };
    let apart = sandbox.scan_subject(&path, subject, &Silent);
    let here = scanner().scan(&path, &Silent);
    match (&here, &apart) {
        (Ok(here), Ok(apart)) => assert_eq!(std::slice::from_ref(here), apart),
        (Err(here), Err(apart)) => assert_eq!(here.to_string(), apart.to_string()),
        different => panic!("{different:?}"),
    }
    here
}

/// The entries of the good package.
fn entries() -> Vec<(String, Vec<u8>)> {
    let mut archive = ZipArchive::new(std::fs::File::open(GOOD).unwrap()).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut entry = archive.by_index(index).unwrap();
            let name = entry.name().unwrap().into_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            (name, bytes)
        })
        .collect()
}

fn pack(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
        writer.start_file(name.as_str(), options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The good package with one entry replaced (`None` takes it out).
fn with(name: &str, content: Option<&[u8]>) -> Vec<u8> {
    let mut entries = entries();
    entries.retain(|(entry, _)| entry != name);
    if let Some(content) = content {
        entries.push((name.to_owned(), content.to_vec()));
    }
    pack(&entries)
}

fn content(name: &str) -> Vec<u8> {
    entries().into_iter().find(|(entry, _)| entry == name).unwrap().1
}

fn has_anomaly(report: &Report, code: &str) -> bool {
    report.anomalies.iter().any(|anomaly| anomaly.code == code)
}

fn is_green(report: &Report) -> bool {
    report.code.suggested == zhijian::model::ColorCode::Green
}

/// Changes two bytes in every local and central header: `field` is the offset in the local header.
fn patch_headers(bytes: &mut [u8], local: usize, value: [u8; 2], or: bool) {
    let mut at = 0;
    while at + 46 <= bytes.len() {
        let field = match &bytes[at..at + 4] {
            b"PK\x03\x04" => at + local,
            b"PK\x01\x02" => at + local + 2,
            _ => {
                at += 1;
                continue;
            }
        };
        for (index, byte) in value.iter().enumerate() {
            bytes[field + index] = if or { bytes[field + index] | byte } else { *byte };
        }
        at += 4;
    }
}

#[test]
fn the_package_these_tests_change_is_read_whole() {
    let report = scan(&pack(&entries())).unwrap();
    assert_eq!(report.coverage.verdict, Verdict::Full, "{:#?}", report.coverage.gaps);
    assert!(!report.findings.is_empty());
}

#[test]
fn an_encryption_flag_that_lies_is_an_anomaly() {
    let mut bytes = pack(&entries());
    patch_headers(&mut bytes, 6, [1, 0], true);
    let report = scan(&bytes).unwrap();
    assert!(has_anomaly(&report, "zip.encryption-flag"));
    assert_eq!(report.findings, scan(&pack(&entries())).unwrap().findings);
}

#[test]
fn an_unknown_method_on_deflated_data_is_an_anomaly() {
    let mut bytes = pack(&entries());
    patch_headers(&mut bytes, 8, [0x33, 0x23], false);
    let report = scan(&bytes).unwrap();
    assert!(has_anomaly(&report, "zip.unknown-method"), "{:#?}", report.anomalies);
    assert!(!report.findings.is_empty());
}

#[test]
fn truncation_anywhere_is_told() {
    let bytes = std::fs::read(GOOD).unwrap();
    for cut in (0..bytes.len()).step_by(bytes.len() / 61) {
        match scan(&bytes[..cut]) {
            Ok(report) => {
                assert_ne!(report.coverage.verdict, Verdict::Full, "cut at {cut}");
                assert!(!is_green(&report), "cut at {cut}");
            }
            Err(error) => assert!(error.to_string().contains("package.bin: "), "{error}"),
        }
    }
}

#[test]
fn flipped_bytes_never_panic() {
    let good = std::fs::read(GOOD).unwrap();
    let mut seed = 0x2545_F491_4F6C_DD1Du64;
    let mut next = || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        usize::try_from(seed >> 20).unwrap()
    };
    let names = ["AndroidManifest.xml", "resources.arsc", "classes.dex"];
    let parts = names.map(content);
    for round in 0..60 {
        let mut bytes = good.clone();
        for _ in 0..8 {
            let at = next() % bytes.len();
            bytes[at] ^= 1 << (next() % 8);
        }
        let _ = scan(&bytes);
        let which = round % names.len();
        let mut part = parts[which].clone();
        for _ in 0..8 {
            let at = next() % part.len();
            part[at] ^= 1 << (next() % 8);
        }
        let _ = scan(&with(names[which], Some(&part)));
    }
}

#[test]
fn data_before_the_archive_is_an_anomaly() {
    let mut bytes = b"#!/bin/sh\nexit 0\n".to_vec();
    bytes.extend(pack(&entries()));
    let report = scan(&bytes).unwrap();
    assert!(has_anomaly(&report, "zip.prepended-data"));
    assert!(!report.findings.is_empty());
}

#[test]
fn a_lost_directory_is_rebuilt_from_the_local_headers() {
    let bytes = pack(&entries());
    let directory = bytes.windows(4).rposition(|window| window == b"PK\x01\x02").unwrap();
    let first = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    assert!(first < directory);
    let report = scan(&bytes[..first]).unwrap();
    assert!(has_anomaly(&report, "zip.no-directory"));
    assert!(!report.findings.is_empty());
    assert!(!is_green(&report));
}

#[test]
fn a_missing_manifest_is_a_gap() {
    let report = scan(&with("AndroidManifest.xml", None)).unwrap();
    assert_ne!(report.coverage.verdict, Verdict::Full);
    assert!(report.coverage.gaps.iter().any(|gap| gap.place == "AndroidManifest.xml"));
    assert!(!is_green(&report));
}

#[test]
fn broken_parts_are_gaps() {
    for name in ["AndroidManifest.xml", "resources.arsc", "classes.dex"] {
        for broken in [Vec::new(), b"garbage".to_vec(), vec![0; 4096], content(name)[..40].to_vec()] {
            let report = scan(&with(name, Some(&broken))).unwrap();
            assert!(
                report.coverage.gaps.iter().any(|gap| gap.material && gap.place.starts_with(name)),
                "{name} {broken:?}"
            );
            assert!(!is_green(&report), "{name}");
        }
    }
}

#[test]
fn a_bomb_is_a_gap_in_bounded_memory() {
    let zeros = vec![0u8; 1 << 30];
    let bytes = with("resources.arsc", Some(&zeros));
    drop(zeros);
    assert!(bytes.len() < 2 << 20);
    let report = scan(&bytes).unwrap();
    assert!(
        report.coverage.gaps.iter().any(|gap| gap.place == "resources.arsc"),
        "{:#?}",
        report.coverage.gaps
    );
    #[cfg(target_os = "linux")]
    {
        // The test itself held a gibibyte; the scan of it in its own process must not.
        let scratch = Scratch::new();
        let path = scratch.file(&bytes);
        let script = format!(
            "ulimit -v 1500000; exec '{}' scan --format json '{}'",
            env!("CARGO_BIN_EXE_zhijian"),
            path.display()
        );
        let output = std::process::Command::new("bash").arg("-c").arg(script).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_dex_that_points_outside_the_file_is_a_gap() {
    let mut dex = content("classes.dex");
    // string_ids_off, type_ids_off, class_defs_off and data_off of the header.
    for at in [0x3C, 0x44, 0x64, 0x6C] {
        let mut broken = dex.clone();
        broken[at..at + 4].copy_from_slice(&0x7FFF_FF00u32.to_le_bytes());
        let report = scan(&with("classes.dex", Some(&broken))).unwrap();
        if at != 0x6C {
            assert!(
                report.coverage.gaps.iter().any(|gap| gap.material && gap.place.starts_with("classes.dex")),
                "{at:#x}"
            );
        }
    }
    // Every string's offset outside.
    let strings = u32::from_le_bytes(dex[0x3C..0x40].try_into().unwrap()) as usize;
    let count = u32::from_le_bytes(dex[0x38..0x3C].try_into().unwrap()) as usize;
    for at in (strings..strings + count * 4).step_by(4) {
        dex[at..at + 4].copy_from_slice(&0xFFFF_FFF0u32.to_le_bytes());
    }
    let report = scan(&with("classes.dex", Some(&dex))).unwrap();
    assert!(!is_green(&report));
    assert!(report.coverage.gaps.iter().any(|gap| gap.material && gap.place.starts_with("classes.dex")));
}

#[test]
fn a_layout_nested_a_hundred_thousand_deep_is_read_or_a_gap() {
    let layout = nested_layout(100_000);
    let name =
        entries().into_iter().map(|(name, _)| name).find(|name| name.starts_with("res/layout/")).unwrap();
    let report = scan(&with(&name, Some(&layout))).unwrap();
    let layouts =
        report.coverage.parts.iter().find(|part| part.part == zhijian::model::PartName::Layouts).unwrap();
    let stated = report.coverage.gaps.iter().any(|gap| gap.place.starts_with(&name));
    assert!(layouts.read == layouts.total || stated);
}

/// Binary XML: a string pool with one name, then start elements only, then their ends.
fn nested_layout(depth: u32) -> Vec<u8> {
    let mut pool = Vec::new();
    let name: Vec<u8> = "View".encode_utf16().flat_map(u16::to_le_bytes).collect();
    for value in [0x001C_0001u32, 0, 1, 0, 0, 32, 0, 0] {
        pool.extend(value.to_le_bytes());
    }
    pool.extend(4u16.to_le_bytes());
    pool.extend(name);
    pool.extend([0, 0]);
    let size = u32::try_from(pool.len()).unwrap();
    pool[4..8].copy_from_slice(&size.to_le_bytes());
    let mut body = Vec::new();
    for _ in 0..depth {
        for value in [0x0010_0102u32, 36, 1, u32::MAX, u32::MAX, 0, 0x0014_0014, 0, 0] {
            body.extend(value.to_le_bytes());
        }
    }
    for _ in 0..depth {
        for value in [0x0010_0103u32, 24, 1, u32::MAX, u32::MAX, 0] {
            body.extend(value.to_le_bytes());
        }
    }
    let mut out = 0x0008_0003u32.to_le_bytes().to_vec();
    out.extend(u32::try_from(8 + pool.len() + body.len()).unwrap().to_le_bytes());
    out.extend(pool);
    out.extend(body);
    out
}

#[test]
fn what_is_no_package_is_named() {
    for (bytes, part) in [
        (&b""[..], "empty"),
        (b"\x7FELF\x02\x01\x01", "Linux program"),
        (b"just some text", "not a package"),
        (b"PK\x03\x04", "ZIP"),
    ] {
        let error = scan(bytes).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
        assert!(error.contains("package.bin"), "{error}");
    }
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("app.apk");
    std::fs::write(&saved, "<html><body>404</body></html>").unwrap();
    assert!(scanner().scan(&saved, &Silent).unwrap_err().to_string().contains("HTML"));
    let zip = pack(&[("readme.txt".into(), b"hello".to_vec())]);
    assert!(scan(&zip).unwrap_err().to_string().contains("AndroidManifest.xml"));
}

#[test]
fn folders_and_missing_files_are_told() {
    let scratch = Scratch::new();
    assert!(matches!(scanner().scan(scratch.0.path(), &Silent), Err(ScanError::NothingInFolder(_))));
    assert!(matches!(
        scanner().scan(Path::new("/no/such/file.apk"), &Silent),
        Err(ScanError::Unreadable { .. })
    ));
}

/// A folder with files of these names and contents.
fn folder(files: &[(&str, &str)]) -> Scratch {
    let scratch = Scratch::new();
    for (name, content) in files {
        let path = scratch.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }
    scratch
}

fn gaps(report: &Report) -> Vec<(&'static str, &str)> {
    report.coverage.gaps.iter().map(|gap| (gap.reason.en(), gap.place.as_str())).collect()
}

const PAGE: &str =
    "<title>值班</title><button onclick='a()'>立即打卡</button><button>返回</button><p>说明</p>";

#[test]
#[cfg(unix)]
fn folders_of_pages_lead_nowhere_else() {
    use std::os::unix::fs::symlink;
    let outside = folder(&[("secret.html", "<button>点赞排名</button>")]);
    let site = folder(&[
        ("index.html", PAGE),
        ("a/b/\u{1b}[31m红.html", PAGE),
        ("node_modules/x/index.html", "<button>转发任务</button>"),
        (".git/page.html", "<button>转发任务</button>"),
    ]);
    let root = site.0.path();
    symlink("..", root.join("a/loop")).unwrap();
    symlink(outside.0.path(), root.join("out")).unwrap();
    symlink("/etc/passwd", root.join("passwd.html")).unwrap();
    std::fs::create_dir_all(root.join("d/".repeat(300))).unwrap();
    let report = scanner().scan(root, &Silent).unwrap();
    assert_eq!(report.identity.name.as_deref(), Some("值班"));
    assert!(report.findings.iter().any(|finding| finding.rule == "app.check-in"));
    let text = serde_json::to_string(&report).unwrap();
    assert!(!text.contains("点赞排名") && !text.contains("转发任务") && !text.contains("root:"));
    for code in ["folder.link", "folder.link-outside", "folder.limit", "folder.passed-over"] {
        assert!(has_anomaly(&report, code), "{code}: {:?}", report.anomalies);
    }
    assert_eq!(report.coverage.verdict, Verdict::Partial);
    // A folder that the user names by a link is read.
    let link = outside.0.path().join("site");
    symlink(root, &link).unwrap();
    assert_eq!(scanner().scan(&link, &Silent).unwrap().artifact.sha256, report.artifact.sha256);
}

#[test]
fn pages_that_lead_elsewhere_are_not_green() {
    let frame = "<body><iframe src='https://m.example.gov.cn/a'></iframe></body>";
    let jump = "<title>入口</title><script>location.replace('https://m.example.gov.cn/b')</script>";
    let missing = "<body><div id=app></div><script src=/static/js/app.js></script></body>";
    for (page, verdict, reason) in [
        (frame, Verdict::Opaque, "loaded from a server"),
        (jump, Verdict::Opaque, "loaded from a server"),
        (missing, Verdict::Partial, "missing from the package"),
    ] {
        let report = scanner().scan(folder(&[("index.html", page)]).0.path(), &Silent).unwrap();
        assert_eq!(report.coverage.verdict, verdict, "{page}");
        assert!(gaps(&report).contains(&(reason, "index.html")), "{page}: {:?}", gaps(&report));
        let zip = pack(&[("www/index.html".into(), page.as_bytes().to_vec())]);
        assert_eq!(scan(&zip).unwrap().coverage.verdict, verdict, "{page}");
    }
    // A frame in a page of its own, and a script at its place, are no such thing.
    let own = format!("{PAGE}{frame}<script src='/h5/js/app.js?v=1'></script>");
    let site = folder(&[("index.html", own.as_str()), ("js/app.js", "f('x')")]);
    let there = folder(&[("index.html", own.as_str()), ("h5/js/app.js", "f('x')")]);
    assert_eq!(gaps(&scanner().scan(there.0.path(), &Silent).unwrap()), []);
    assert_eq!(
        gaps(&scanner().scan(site.0.path(), &Silent).unwrap()),
        [("missing from the package", "index.html")]
    );
}

#[test]
fn broken_quick_apps_and_web_packages_are_told() {
    let zip = |files: &[(&str, &str)]| {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
        pack(&files.collect::<Vec<_>>())
    };
    let manifest = r#"{"package":"cn.a","name":"网格","minPlatformVersion":1070,"features":[1,{"name":2}],
        "router":{"pages":{"pages/A":{},"pages/B":{"component":"b"},"../C":{}}},"display":{"pages":[]}}"#;
    let report = scan(&zip(&[
        ("manifest.json", manifest),
        (
            "pages/A/index.js",
            "t.exports={type:'input',attr:{type:'button',value:'打卡'},events:{click:'a'},children:[{type:",
        ),
        ("pages/B/b.jsc", "\u{1}\u{2}"),
        ("i18n/zh-CN.json", "{"),
    ]))
    .unwrap();
    assert_eq!(report.target.kind, zhijian::model::TargetKind::QuickApp);
    let mut found = gaps(&report);
    found.retain(|(reason, _)| *reason != "not inspected");
    found.sort();
    assert_eq!(
        found,
        [
            ("malformed", "i18n/zh-CN.json"),
            ("missing from the package", "manifest.json"),
            ("unsupported format", "pages/B/b.jsc"),
        ]
    );
    assert!(report.findings.iter().any(|finding| finding.rule == "app.check-in"));
    // Only bytecode: nothing of it is seen.
    let sealed = scan(&zip(&[
        ("manifest.json", r#"{"package":"cn.a","router":{"pages":{"pages/B":{"component":"b"}}}}"#),
        ("pages/B/b.jsc", "\u{1}\u{2}"),
    ]));
    assert_eq!(sealed.unwrap().coverage.verdict, Verdict::Opaque);
    // Not the manifest of any: a ZIP archive of something.
    for manifest in ["{", "[]", "null", r#"{"package":1,"id":2}"#, &"[".repeat(5000)] {
        assert!(
            matches!(scan(&zip(&[("manifest.json", manifest)])), Err(ScanError::NotAPackage { .. })),
            "{manifest}"
        );
    }
    let wgt = r#"{"id":"__UNI__1","plus":{},"version":{"code":"x"}}"#;
    let report =
        scan(&zip(&[("manifest.json", wgt), ("app-service.js", "f('打卡'"), ("../../x.js", "1")])).unwrap();
    assert_eq!((report.artifact.format.as_str(), report.identity.version_code), ("wgt", None));
    let update = scan(&zip(&[("update.xml", "<wgtu/>"), ("www/a.js", "f('打卡')")])).unwrap();
    assert_eq!(gaps(&update), [("missing from the package", "update.xml")]);
}

#[test]
fn encrypted_mini_programs_need_their_id() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/built/punch-pc"));
    let bytes = std::fs::read(root.join("wx5e1d0c7b2a94f836/12/__APP__.wxapkg")).unwrap();
    let with = |appid: &str| {
        let options = zhijian::scan::Options { appid: Some(appid.to_owned()), ..Default::default() };
        let scratch = Scratch::new();
        scanner().with_options(options).scan(&scratch.file(&bytes), &Silent).unwrap()
    };
    let opened = with("wx5e1d0c7b2a94f836");
    assert_eq!((opened.coverage.verdict, opened.findings.is_empty()), (Verdict::Full, false));
    for (report, said) in
        [(scan(&bytes).unwrap(), "--appid"), (with("wx0000000000000000"), "wx0000000000000000")]
    {
        assert_eq!(report.coverage.verdict, Verdict::Opaque);
        assert_eq!(gaps(&report), [("encrypted", "")]);
        let gap = &report.coverage.gaps[0];
        assert!(gap.detail.contains(said) && gap.detail_en.contains(said), "{gap:?}");
    }
    // Cut anywhere, and with every byte of the head altered, it ends in a report or an error.
    let options =
        zhijian::scan::Options { appid: Some("wx5e1d0c7b2a94f836".to_owned()), ..Default::default() };
    let scanner = scanner().with_options(options);
    let scratch = Scratch::new();
    for cut in (0..bytes.len()).step_by(997) {
        let _ = scanner.scan(&scratch.file(&bytes[..cut]), &Silent);
    }
}

#[test]
fn hostile_entry_names_stay_names() {
    let mut entries = entries();
    for name in [
        "../../etc/passwd",
        "/etc/shadow",
        "assets/\u{1b}[31m红.html",
        "assets/<script>.js",
        "assets/a\nb.json",
    ] {
        entries.push((name.to_owned(), "<button>打卡</button>".as_bytes().to_vec()));
    }
    scan(&pack(&entries)).unwrap();
}

#[test]
fn the_same_input_gives_the_same_report() {
    let bytes = std::fs::read(GOOD).unwrap();
    let scratch = Scratch::new();
    let path = scratch.file(&bytes);
    let once = serde_json::to_string(&scanner().scan(&path, &Silent).unwrap()).unwrap();
    for _ in 0..5 {
        assert_eq!(once, serde_json::to_string(&scanner().scan(&path, &Silent).unwrap()).unwrap());
    }
}
