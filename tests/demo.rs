//! `zhijian demo` and `zhijian doctor`: what a newcomer runs first.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use tokio::runtime::Runtime;
use zhijian::ledger::Ledger;
use zhijian::model::ColorCode;
use zhijian::rule::RuleSet;

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The codes are those that a person derives from the stories in `src/cli/demo.rs` and the policy.
#[test]
fn a_province_with_every_colour() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_zhijian"));
    command.args(["demo", "--no-browser", "--lang", "en"]).arg(folder.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = Process(command.spawn().unwrap());
    let lines = BufReader::new(child.0.stdout.take().unwrap()).lines().map_while(Result::ok);
    let said: Vec<String> = lines.take(4).collect();
    assert!(said[0].contains("37 apps, mini programs, accounts and groups"), "{said:?}");
    assert!(said[1].contains("Ctrl-C ends it") && said[1].ends_with("left as it is"), "{said:?}");
    assert!(said[2].starts_with("http://127.0.0.1:"), "{said:?}");
    assert!(said[3].contains("one-time password"), "{said:?}");
    drop(child);
    let address = format!("sqlite:{}", folder.path().join("ledger.db").display());
    let rules = RuleSet::embedded().unwrap();
    let codes = Runtime::new().unwrap().block_on(async {
        let ledger = Ledger::open(&address).await.unwrap();
        let now = jiff::Timestamp::now();
        let code = |target: &str, events: Vec<zhijian::ledger::Recorded>| {
            let history = zhijian::ledger::History::of(rules.policy(), &events, now);
            (target.to_owned(), history.codes.last().unwrap().code.suggested)
        };
        ledger.map_targets(code).await.unwrap()
    });
    let of = |target: &str| {
        let found = codes.iter().find(|(key, _)| key == target);
        found.unwrap_or_else(|| panic!("{target}: {codes:?}")).1
    };
    // Found, rectified, and there again under another name.
    assert_eq!(of("app:cn.gov.example.grid"), ColorCode::Blue);
    // Found again and again, and decided by a person.
    assert_eq!(of("app:cn.gov.example.patrol"), ColorCode::Red);
    assert_eq!(of("app:cn.gov.example.river"), ColorCode::Green);
    assert_eq!(of("app:cn.gov.example.reader"), ColorCode::Green);
    assert_eq!(of("mini-program:wx00112233445566aa"), ColorCode::Green);
    // Packed; closed.
    assert_eq!(of("app:cn.gov.example.sealed"), ColorCode::None);
    assert_eq!(of("app:cn.gov.example.form"), ColorCode::None);
    assert_eq!(codes.len(), 13 + 24);
}

#[test]
fn the_doctor_says_what_is_missing_and_what_for() {
    let home = tempfile::tempdir().unwrap();
    let doctor = |path: &str, arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zhijian"));
        command.args(["doctor", "--lang", "en"]).args(arguments).env("HOME", home.path()).env("PATH", path);
        let output = command.env_remove("XDG_DATA_HOME").env_remove("XDG_CONFIG_HOME").output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let nothing = tempfile::tempdir().unwrap();
    let said = doctor(nothing.path().to_str().unwrap(), &[]);
    for words in ["tesseract", "apt-get install tesseract-ocr", "apksigner", "chromium", "postgresql"] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(said.lines().all(|line| line.chars().count() <= 80), "{said}");
    let found: serde_json::Value =
        serde_json::from_str(&doctor(nothing.path().to_str().unwrap(), &["--json"])).unwrap();
    let of =
        |name: &str| found.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap()["ok"].clone();
    assert_eq!((of("tesseract"), of("psql"), of("store")), (false.into(), false.into(), true.into()));
}
