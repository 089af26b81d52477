//! A large ledger: 1,000,000 events over 50,000 targets. How long `zhijian code show` takes as a whole process, how long
//! `code list` takes to compute all codes and with how much memory, beside a plain read of the same rows; on SQLite,
//! and on PostgreSQL where it is installed.
//!
//! `cargo bench --bench ledger -- [EVENTS TARGETS]`

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a program run by hand that prints a table"
)]

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::TryStreamExt;
use jiff::civil::date;
use jiff::{Span, Timestamp};
use tokio::runtime::Runtime;
use wait4::Wait4;
use zhijian::ledger::{History, Ledger};
use zhijian::model::{
    Category, Deed, DutyRecord, DutyStatus, Event, FindingRecord, Level, OfficeLevel, RosterEntry,
    ScanRecord, TargetKind, Verdict, beijing_midnight,
};
use zhijian::rule::RuleSet;

#[allow(dead_code)]
#[path = "../tests/common/postgres.rs"]
mod postgres;

/// SHA-256 of `{}`.
const REPORT: &str = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";

fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let (events, targets) = match numbers[..] {
        [events, targets] => (events, targets),
        _ => (1_000_000, 50_000),
    };
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ledger.db");
    println!("{events} events, {targets} targets");
    measure("SQLite", &format!("sqlite:{}", file.display()), events, targets);
    let megabytes = std::fs::metadata(&file).expect("it is there").len() >> 20;
    println!("  file       {megabytes} MB");
    if let Some(cluster) = postgres::cluster() {
        measure("PostgreSQL", &cluster.database(), events, targets);
    }
}

fn measure(name: &str, address: &str, events: usize, targets: usize) {
    let runtime = Runtime::new().expect("a runtime");
    println!("{name}");
    let begun = Instant::now();
    runtime.block_on(fill(address, events, targets));
    println!("  fill       {:.1} s", begun.elapsed().as_secs_f64());
    // The floor: the same rows, read and thrown away.
    let begun = Instant::now();
    runtime.block_on(async {
        let ledger = Ledger::open(address).await.expect("it opens");
        let sql = "SELECT seq, target, at, recorded, actor, body, hash FROM event ORDER BY target, seq";
        let mut rows = sqlx::query(sql).fetch(ledger.pool());
        let mut count = 0;
        while rows.try_next().await.expect("a row").is_some() {
            count += 1;
        }
        assert_eq!(count, events);
    });
    let floor = begun.elapsed();
    println!("  read       {:.2} s (every row, nothing done with it)", floor.as_secs_f64());
    let (list, memory) = run(address, &["code", "list"]);
    println!(
        "  code list  {:.2} s ({:.2} of the plain read), {} MB",
        list.as_secs_f64(),
        list.as_secs_f64() / floor.as_secs_f64(),
        memory >> 20
    );
    let target = "app:cn.gov.example.a00042";
    let mut shows: Vec<Duration> = (0..21).map(|_| run(address, &["code", "show", target]).0).collect();
    shows.sort();
    let open = runtime.block_on(Ledger::open(address)).expect("it opens");
    let rules = RuleSet::embedded().expect("they are sound");
    let mut answers: Vec<Duration> = (0..1_000)
        .map(|number| {
            let target = format!("app:cn.gov.example.a{:05}", number * 7919 % targets);
            let begun = Instant::now();
            let events = runtime.block_on(open.events_of(&target)).expect("it answers");
            assert!(!History::of(rules.policy(), &events, Timestamp::now()).codes.is_empty());
            begun.elapsed()
        })
        .collect();
    answers.sort();
    let mut nothing: Vec<Duration> = (0..21).map(|_| run(address, &["--version"]).0).collect();
    nothing.sort();
    println!(
        "  a code     {:.2} ms, 99 of 100 in {:.2} ms (events and fold of one target, in an open ledger)",
        answers[500].as_secs_f64() * 1e3,
        answers[990].as_secs_f64() * 1e3
    );
    println!(
        "  code show  {:.1} ms (a process that only prints its version: {:.1} ms)",
        shows[10].as_secs_f64() * 1e3,
        nothing[10].as_secs_f64() * 1e3
    );
    let begun = Instant::now();
    let chain = runtime
        .block_on(async { Ledger::open(address).await.expect("opens").verify().await.expect("verifies") });
    assert!(chain.broken.is_empty());
    println!("  verify     {:.2} s", begun.elapsed().as_secs_f64());
}

/// Runs the program: how long it took and the most memory it held.
fn run(address: &str, args: &[&str]) -> (Duration, u64) {
    let begun = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_zhijian"))
        .args(args)
        .env("ZHIJIAN_DATABASE", address)
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    let used = child.wait4().expect("it ends");
    assert!(used.status.success());
    (begun.elapsed(), used.rusage.maxrss)
}

async fn fill(address: &str, events: usize, targets: usize) {
    let ledger = Ledger::open(address).await.expect("it opens");
    ledger.append_with(&[(REPORT, b"{}")], &[]).await.expect("it is written");
    let mut batch = Vec::new();
    for number in 0..events {
        batch.push(event(number / targets, number % targets));
        if batch.len() == 10_000 || number + 1 == events {
            ledger.append(&std::mem::take(&mut batch)).await.expect("it is written");
        }
    }
    ledger.close().await;
}

/// What happens to a target in a round: enrolled, filed, then scanned day by day, some of them with a story.
fn event(round: usize, target: usize) -> Event {
    let start = beijing_midnight(date(2026, 1, 1)).expect("a day");
    let at = start + Span::new().hours(24 * round as i64) + Span::new().seconds(target as i64);
    let troubled = target.is_multiple_of(10);
    let deed = match round {
        0 => Deed::Enrolled { entry: Box::new(entry(target)) },
        1 => Deed::Filed { number: format!("示例网信政备〔2026〕{target:05}号") },
        4 if troubled => Deed::NoticeIssued {
            document: format!("整改〔2026〕{target}号"),
            rules: vec!["app.check-in".into()],
            deadline: date(2026, 1, 20),
        },
        _ => Deed::Scanned(Box::new(scan(at, troubled && !(8..14).contains(&round)))),
    };
    Event { target: format!("app:cn.gov.example.a{target:05}"), at, actor: "zhijian 0.1.0".into(), deed }
}

fn entry(target: usize) -> RosterEntry {
    RosterEntry {
        id: Some(format!("cn.gov.example.a{target:05}")),
        name: Some(format!("示例应用{target}")),
        owner: Some(format!("示例市第{}局", target % 300)),
        level: Some(OfficeLevel::ALL[target % 5]),
        region: Some(format!("示例省/示例市{}", target % 21)),
        ..RosterEntry::new(TargetKind::App)
    }
}

fn scan(at: Timestamp, found: bool) -> ScanRecord {
    let digest = |what: i64| format!("{:064x}", at.as_second().wrapping_mul(what));
    let evidence = (0..6i64).map(|row| format!("{:016x}", 0x1234_5678_9abc * (row + 1))).collect();
    let finding = FindingRecord {
        rule: "app.check-in".into(),
        category: Category::CheckIn,
        level: Level::Confirmed,
        evidence,
        disguised: false,
    };
    let duty = |rule: &str| DutyRecord { rule: rule.into(), status: DutyStatus::Met };
    ScanRecord {
        report: REPORT.into(),
        artifact: digest(11),
        kind: TargetKind::App,
        page: None,
        version: Some("3.2.1".into()),
        ruleset: digest(1),
        coverage: Verdict::Full,
        findings: if found { vec![finding] } else { Vec::new() },
        duties: vec![duty("app.complaint-channel"), duty("app.filing-shown")],
    }
}
