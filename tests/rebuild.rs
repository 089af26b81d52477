//! The built fixtures come from their sources: rebuilt, they scan the same.
//!
//! Needs Debian's aapt2, smali, apksigner, android-framework-res and python3. Where they are missing the test says
//! so and passes, except under CI, which installs them.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::Command;

use zhijian::model::Report;
use zhijian::roster::FilingRecord;
use zhijian::rule::RuleSet;
use zhijian::scan::{Scanner, Silent};

/// A report without what differs between two builds of the same source.
fn comparable(mut report: Report) -> Report {
    report.target.source.clear();
    report.artifact.sha256.clear();
    report.artifact.bytes = 0;
    report
}

#[test]
fn rebuilt_fixtures_scan_the_same() {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures"));
    let missing: Vec<&str> = ["aapt2", "aapt", "smali", "apksigner", "python3"]
        .into_iter()
        .filter(|tool| {
            !std::env::split_paths(&std::env::var_os("PATH").unwrap()).any(|dir| dir.join(tool).exists())
        })
        .collect();
    if !missing.is_empty() || !Path::new("/usr/share/android-framework-res/framework-res.apk").exists() {
        assert!(std::env::var_os("CI").is_none(), "CI must have {missing:?} and android-framework-res");
        println!("not rebuilt: {missing:?} or android-framework-res are not here");
        return;
    }
    let out = tempfile::tempdir().unwrap();
    let built = Command::new("bash").arg(root.join("build.sh")).env("OUT", out.path()).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let scanner = Scanner::new(RuleSet::embedded().unwrap(), FilingRecord::Unknown);
    let mut compared = 0;
    for entry in std::fs::read_dir(out.path()).unwrap() {
        let rebuilt = entry.unwrap().path();
        let committed = root.join("built").join(rebuilt.file_name().unwrap());
        if !committed.is_file() {
            continue;
        }
        let scan =
            |path: &Path| comparable(scanner.scan(path, &Silent).unwrap_or_else(|error| panic!("{error}")));
        assert_eq!(scan(&rebuilt), scan(&committed), "{}", committed.display());
        compared += 1;
    }
    assert!(compared >= 20, "only {compared} packages were rebuilt");
}
