//! A scan in a process of its own: the same reports, nothing that it may not do, and a report however it ends.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use zhijian::model::{ColorCode, GapReason, PartName, Report, TargetKind, Verdict, hex};
use zhijian::roster::FilingRecord;
use zhijian::rule::RuleSet;
use zhijian::sandbox::{Attempt, COMMAND, Examined, Landlock, Limits, Sandbox, examine_program};
use zhijian::scan::{Options, Progress, Scan, ScanError, Scanner, Silent, Subject, is_unfinished};

const PROGRAM: &str = env!("CARGO_BIN_EXE_zhijian");
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

fn scanner() -> Scanner {
    Scanner::new(RuleSet::embedded().unwrap(), FilingRecord::Number("测试".into()))
}

fn sandbox(limits: Limits) -> Sandbox {
    Sandbox::new(scanner(), None, limits).unwrap().with_program(PROGRAM.into())
}

fn fixture(name: &str) -> PathBuf {
    Path::new(ROOT).join("fixtures").join(name)
}

fn subject(path: &Path) -> Subject {
    let as_of = Some("2026-11-20T00:00:00Z".parse::<Timestamp>().unwrap());
    Subject { name: path.display().to_string(), as_of, ..Subject::default() }
}

fn text(outcome: Result<Vec<Report>, ScanError>) -> String {
    match outcome {
        Ok(reports) => serde_json::to_string(&reports).unwrap(),
        Err(error) => error.to_string(),
    }
}

/// Fixtures, and what is none.
fn everything() -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = ["built", "page", "group", "h5", "account"]
        .iter()
        .flat_map(|folder| std::fs::read_dir(fixture(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths.push(fixture("nothing-here.apk"));
    paths.push(Path::new(ROOT).join("Cargo.toml"));
    paths
}

#[test]
fn reports_are_the_same_to_the_byte() {
    let (here, apart) = (scanner(), sandbox(Limits::default()));
    let mut reports = 0;
    for path in everything() {
        let expected = text(here.scan_subject(&path, subject(&path), &Silent));
        assert_eq!(expected, text(apart.scan_subject(&path, subject(&path), &Silent)), "{}", path.display());
        reports += usize::from(expected.starts_with('['));
    }
    assert!(reports > 40, "only {reports}");
}

#[test]
fn what_is_known_besides_comes_through() {
    let path = fixture("built/grid-patrol.apk");
    let rules = Path::new(ROOT).join("rules");
    let make = || {
        let filing = FilingRecord::List {
            by_id: [("cn.gov.example.grid".to_owned(), "A1".to_owned())].into(),
            by_name: Default::default(),
        };
        Scanner::new(RuleSet::load(&rules).unwrap(), filing)
    };
    let apart = Sandbox::new(make(), Some(rules.clone()), Limits::default()).unwrap();
    let apart = apart.with_program(PROGRAM.into());
    let known = Subject {
        address: Some("https://app.example.gov.cn/grid.apk".parse().unwrap()),
        filing: Some("备案1号".into()),
        kind: Some(TargetKind::App),
        ..subject(&path)
    };
    let expected = text(make().scan_subject(&path, known.clone(), &Silent));
    assert!(expected.contains("备案1号"));
    assert_eq!(expected, text(apart.scan_subject(&path, known, &Silent)));
    // Rules that are no longer those of the parent are no rules to judge by.
    let other = Sandbox::new(scanner(), Some(fixture("built")), Limits::default()).unwrap();
    let outcome = other.with_program(PROGRAM.into()).scan_subject(&path, subject(&path), &Silent);
    assert!(matches!(outcome, Err(ScanError::Isolation { .. })), "{outcome:?}");
}

#[test]
fn what_a_scan_may_not_do_is_prevented() {
    let (held, examined) = examine_program(Path::new(PROGRAM)).unwrap();
    let abi = match held.landlock {
        Landlock::Full(abi) | Landlock::Partial(abi) => abi,
        Landlock::Off | Landlock::Missing => 0,
    };
    println!("{:?} {:?}", held, examined);
    assert_eq!(examined.len(), 9);
    for Examined { attempt, prevented } in &examined {
        let expected = match attempt {
            Attempt::Memory | Attempt::Processor | Attempt::Time | Attempt::Write(_) => true,
            Attempt::Read(_) | Attempt::Program(_) => abi >= 1,
            Attempt::Connect(_) => abi >= 4,
            Attempt::Socket(_) => abi >= 9,
            Attempt::Send(_) => abi >= 10,
        };
        assert_eq!(prevented.is_some(), expected, "{attempt:?}: {prevented:?}");
    }
    assert!(held.unlimited.is_empty(), "{:?}", held.unlimited);
}

/// A program that stands for a child that went wrong.
struct Script(tempfile::TempDir);

impl Script {
    fn new(lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("child");
        std::fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        Script(folder)
    }

    fn sandbox(&self, limits: Limits) -> Sandbox {
        sandbox(limits).with_program(self.0.path().join("child"))
    }
}

/// A report that says that nothing was seen; its words in Chinese and English.
fn unfinished(outcome: Result<Vec<Report>, ScanError>, path: &Path) -> (String, String) {
    let reports = outcome.unwrap();
    let [report] = reports.as_slice() else { panic!("{} reports", reports.len()) };
    assert!(is_unfinished(report));
    assert_eq!(report.coverage.verdict, Verdict::Opaque);
    assert_ne!(report.code.suggested, ColorCode::Green);
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(report.artifact.sha256, hex(&Sha256::digest(&bytes)));
    assert_eq!(report.artifact.bytes, bytes.len() as u64);
    assert_eq!(report.target.source, path.display().to_string());
    let [gap] = report.coverage.gaps.as_slice() else { panic!("{:?}", report.coverage.gaps) };
    assert_eq!((gap.part, gap.reason, gap.material), (PartName::Container, GapReason::Failed, true));
    (gap.detail.clone(), gap.detail_en.clone())
}

#[test]
fn however_it_ends_there_is_a_report() {
    let path = fixture("built/grid-patrol.apk");
    let short = Limits { time: Duration::from_secs(2), ..Limits::default() };
    let panic = "echo \"thread 'main' panicked at src/a.rs:1:2:\" >&2; echo 'no such entry' >&2; exit 101";
    let ends = [
        (
            "echo 'memory allocation of 99 bytes failed' >&2; kill -ABRT $$",
            "内存超过上限（2048 MiB）",
            "memory",
        ),
        ("kill -XCPU $$", "处理器时间超过上限", "processor time"),
        ("sleep 60", "超过时限（2 秒）", "in time (2 s)"),
        ("kill -XFSZ $$", "写入文件", "write a file"),
        ("kill -SEGV $$", "SIGSEGV", "SIGSEGV"),
        ("kill -KILL $$", "SIGKILL", "SIGKILL"),
        (panic, "src/a.rs:1:2: no such entry", "no such entry"),
        ("exit 0", "退出码 0", "exit code 0"),
        ("exit 7", "退出码 7", "exit code 7"),
        ("echo hello; sleep 60", "无法识别", "no report"),
        ("echo '{\"Done\":1}'; sleep 60", "无法识别", "no report"),
        ("echo '{\"Done\":0}'; sleep 60", "无法识别", "no report"),
        ("printf '{\"Report\":{}}\\n'; sleep 60", "无法识别", "no report"),
        ("exec tr '\\0' '[' < /dev/zero", "输出超过上限", "more than a report"),
    ];
    for (script, zh, en) in ends {
        let begun = Instant::now();
        let limits = if script == "sleep 60" { short } else { Limits::default() };
        let outcome = Script::new(script).sandbox(limits).scan_subject(&path, subject(&path), &Silent);
        let words = unfinished(outcome, &path);
        assert!(words.0.contains(zh) && words.0.ends_with("；内容全部未检视"), "{script}: {}", words.0);
        assert!(words.1.contains(en), "{script}: {}", words.1);
        assert!(begun.elapsed() < Duration::from_secs(30), "{script}: {:?}", begun.elapsed());
    }
}

#[test]
fn a_report_of_something_else_is_not_believed() {
    let path = fixture("built/grid-patrol.apk");
    let here = scanner().scan_subject(&path, subject(&path), &Silent).unwrap();
    let say = |report: &Report| {
        let said = serde_json::to_string(&serde_json::json!({ "Report": report })).unwrap();
        let script = Script::new(&format!("cat <<'END'\n{said}\n{{\"Done\":1}}\nEND"));
        script.sandbox(Limits::default()).scan_subject(&path, subject(&path), &Silent)
    };
    assert_eq!(say(&here[0]).unwrap(), here);
    let mut other = here[0].clone();
    other.target.source = "other.apk".into();
    assert!(unfinished(say(&other), &path).1.contains("not believed"));
    let mut other = here[0].clone();
    other.engine.ruleset.digest = "0".repeat(64);
    assert!(unfinished(say(&other), &path).1.contains("not believed"));
}

#[test]
fn too_little_memory_is_told_as_such() {
    let path = fixture("built/grid-patrol.apk");
    let scan = |mebibytes: u64| {
        let limits = Limits { memory: mebibytes << 20, ..Limits::default() };
        sandbox(limits).scan_subject(&path, subject(&path), &Silent)
    };
    // How much a scan takes at least depends on the machine: its processors have a thread each.
    let enough = |reports: &Result<Vec<Report>, ScanError>| !is_unfinished(&reports.as_ref().unwrap()[0]);
    let (little, reports) =
        (1..=10).rev().map(|step| (step * 4, scan(step * 4))).find(|(_, reports)| !enough(reports)).unwrap();
    let words = unfinished(reports, &path);
    assert!(words.0.contains(&format!("{little} MiB")), "{words:?}");
}

struct Cancelled;

impl Progress for Cancelled {
    fn begin(&self, _: u64) {}
    fn advance(&self, _: u64) {}
    fn is_cancelled(&self) -> bool {
        true
    }
}

#[test]
fn what_nobody_waits_for_is_ended_with_all_it_has_started() {
    let path = fixture("built/grid-patrol.apk");
    let marks = tempfile::tempdir().unwrap();
    let mark = marks.path().join("pid");
    let script = Script::new(&format!("sleep 60 & echo $! > '{}'; wait", mark.display()));
    let options = Options { ocr: true, ..Options::default() };
    let child = script.0.path().join("child");
    let apart = Sandbox::new(scanner().with_options(options), None, Limits::default()).unwrap();
    let apart = apart.with_program(child);
    struct Until(PathBuf);
    impl Progress for Until {
        fn begin(&self, _: u64) {}
        fn advance(&self, _: u64) {}
        fn is_cancelled(&self) -> bool {
            std::fs::read_to_string(&self.0).is_ok_and(|text| text.ends_with('\n'))
        }
    }
    let begun = Instant::now();
    let outcome = apart.scan_subject(&path, subject(&path), &Until(mark.clone()));
    assert!(matches!(outcome, Err(ScanError::Cancelled(_))), "{outcome:?}");
    assert!(begun.elapsed() < Duration::from_secs(30));
    let pid = std::fs::read_to_string(mark).unwrap();
    // A signal that was sent takes effect when the process is next given the processor.
    let begun = Instant::now();
    loop {
        let state = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
        if state.is_empty() || state.contains(") Z ") {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{state}");
        std::thread::sleep(Duration::from_millis(20));
    }
    let script = Script::new("sleep 60");
    let outcome = script.sandbox(Limits::default()).scan_subject(&path, subject(&path), &Cancelled);
    assert!(matches!(outcome, Err(ScanError::Cancelled(_))), "{outcome:?}");
}

#[test]
fn a_child_does_not_outlive_its_parent() {
    let mut child = Command::new(PROGRAM)
        .args([COMMAND, "536870912", "60", "alone", "/dev/null", ""])
        .env_clear()
        .env("MIMALLOC_ARENA_EAGER_COMMIT", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"{\"Try\":\"Time\"}\n").unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("{\"Ready\""), "{line}");
    assert!(child.try_wait().unwrap().is_none());
    drop(stdin);
    let begun = Instant::now();
    assert!(!child.wait().unwrap().success());
    // By itself it would have taken six seconds.
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
}

#[test]
fn the_command_line_scans_apart_and_says_what_holds() {
    let path = fixture("built/grid-patrol.apk");
    let run = |args: &[&str]| {
        let output = Command::new(PROGRAM).args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    let file = path.to_str().unwrap();
    assert_eq!(
        run(&["scan", "--format", "json", file]),
        run(&["scan", "--isolated", "--format", "json", file])
    );
    for (lang, words) in [("zh", "检测进程试图"), ("en", "A scan that tries to")] {
        let said = String::from_utf8(run(&["sandbox", "--lang", lang])).unwrap();
        assert!(said.contains(words) && said.contains("Landlock"), "{said}");
    }
}
