//! Signatures checked by `apksigner` (`--verify-signature`). Where it is not installed, the test says so and checks
//! that the report does.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "a test fails by panicking")]

use std::path::Path;
use std::process::{Command, Stdio};

use zhijian::model::{GapReason, Report};
use zhijian::roster::FilingRecord;
use zhijian::rule::RuleSet;
use zhijian::scan::{Options, Scanner, Silent};

fn scan(package: &Path, verify_signature: bool) -> Report {
    let options = Options { verify_signature, ..Options::default() };
    let scanner = Scanner::new(RuleSet::embedded().unwrap(), FilingRecord::Unknown).with_options(options);
    scanner.scan(package, &Silent).unwrap_or_else(|error| panic!("{error}"))
}

fn verified(report: &Report) -> Option<bool> {
    report.identity.signer.as_ref().unwrap().verified
}

#[test]
fn a_signature_holds_until_a_byte_is_changed() {
    let package = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/built/reader.apk"));
    assert_eq!(verified(&scan(package, false)), None);
    let version =
        Command::new("apksigner").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !version.is_ok_and(|status| status.success()) {
        eprintln!("not tested: apksigner is not installed");
        let report = scan(package, true);
        assert_eq!(verified(&report), None);
        assert!(report.coverage.gaps.iter().any(|gap| gap.reason == GapReason::Failed));
        return;
    }
    assert_eq!(verified(&scan(package, true)), Some(true));

    // The time of the first entry: the signature covers it, and nothing else reads it.
    let mut bytes = std::fs::read(package).unwrap();
    bytes[10] ^= 1;
    let changed = tempfile::Builder::new().suffix(".apk").tempfile().unwrap();
    std::fs::write(changed.path(), bytes).unwrap();
    let report = scan(changed.path(), true);
    assert_eq!(verified(&report), Some(false));
    assert!(
        report.anomalies.iter().any(|anomaly| anomaly.code == "signature.invalid"),
        "{:?}",
        report.anomalies
    );
}
