//! Bad input ends in a report with gaps or in one clear error; never in a panic, never in unbounded memory.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]

use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};

use zhijian::model::{Report, Verdict};
use zhijian::roster::FilingRecord;
use zhijian::rule::RuleSet;
use zhijian::scan::{ScanError, Scanner, Silent};
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

fn scan(bytes: &[u8]) -> Result<Report, ScanError> {
    let scratch = Scratch::new();
    scanner().scan(&scratch.file(bytes), &Silent)
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
        (b"<html><body>404</body></html>", "HTML"),
        (b"\x7FELF\x02\x01\x01", "Linux program"),
        (b"just some text", "not a package"),
        (b"PK\x03\x04", "ZIP"),
    ] {
        let error = scan(bytes).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
        assert!(error.contains("package.bin"), "{error}");
    }
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
