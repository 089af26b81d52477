//! The ledger as it is kept: on SQLite always, on PostgreSQL where its programs are installed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it left out"
)]

use crate::common::postgres;

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use jiff::Timestamp;
use sqlx::Executor;
use tokio::runtime::Runtime;
use zhijian::ledger::{BackupError, GENESIS, Ledger, LedgerError, Link, Recorded};
use zhijian::model::{
    Category, Deed, Event, FindingRecord, Lang, Level, ScanRecord, TargetKind, Verdict, hex,
};

/// A database that is gone with it.
struct Place {
    address: String,
    _folder: tempfile::TempDir,
    cluster: Option<Arc<postgres::Cluster>>,
}

fn sqlite() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("sqlite:{}", folder.path().join("台账 100%#1.db").display());
    Place { address, _folder: folder, cluster: None }
}

/// Runs on SQLite, and on PostgreSQL if it is there.
fn on_both<F: Future<Output = ()>>(test: impl Fn(Place) -> F) {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(test(sqlite()));
    if let Some(cluster) = postgres::cluster() {
        let address = cluster.database();
        let folder = tempfile::tempdir().unwrap();
        runtime.block_on(test(Place { address, _folder: folder, cluster: Some(cluster) }));
    }
}

fn event(target: &str, number: usize) -> Event {
    Event {
        target: target.into(),
        at: Timestamp::from_second(1_790_000_000 + number as i64).unwrap(),
        actor: "张三".into(),
        deed: Deed::Filed { number: format!("川政备{number}号") },
    }
}

fn digest(text: &[u8]) -> String {
    use sha2::Digest;
    hex(&sha2::Sha256::digest(text))
}

fn scanned(target: &str, report: &[u8]) -> Event {
    let finding = FindingRecord {
        rule: "app.check-in".into(),
        category: Category::CheckIn,
        level: Level::Confirmed,
        evidence: vec!["0011223344556677".into()],
        disguised: false,
    };
    let scan = ScanRecord {
        report: digest(report),
        artifact: digest(b"package"),
        kind: TargetKind::App,
        page: None,
        version: Some("3.2.1".into()),
        ruleset: digest(b"rules"),
        coverage: Verdict::Full,
        findings: vec![finding],
        duties: Vec::new(),
    };
    Event { deed: Deed::Scanned(Box::new(scan)), ..event(target, 7) }
}

#[test]
fn what_is_appended_is_there_in_order_and_chained() {
    on_both(async |place| {
        let ledger = Ledger::open(&place.address).await.unwrap();
        assert_eq!(ledger.head().await.unwrap(), (0, GENESIS.to_owned()));
        let events: Vec<Event> =
            (0..450).map(|n| event(["app:a", "app:b", "account:某县/某号"][n % 3], n)).collect();
        assert_eq!(ledger.append(&events).await.unwrap(), 1);
        let report = br#"{"schema":"zhijian.report/1"}"#;
        let scan = scanned("app:a", report);
        assert_eq!(
            ledger.append_with(&[(&digest(report), report)], std::slice::from_ref(&scan)).await.unwrap(),
            451
        );
        let own = ledger.events_of("app:a").await.unwrap();
        let expected: Vec<Event> = events.iter().step_by(3).cloned().chain([scan]).collect();
        assert_eq!(own.iter().map(|recorded| recorded.event.clone()).collect::<Vec<_>>(), expected);
        // The chain by hand, for the first two events.
        let mut before = GENESIS.to_owned();
        for seq in [1, 2] {
            let stored = ledger.event(seq).await.unwrap().unwrap();
            let body = serde_json::to_string(&stored.event.deed).unwrap();
            let Event { target, at, actor, .. } = &stored.event;
            let link = Link { seq, target, at: *at, recorded: stored.recorded, actor, body: &body };
            assert_eq!(stored.hash, link.hash(&before));
            before = stored.hash;
        }
        let chain = ledger.verify().await.unwrap();
        assert_eq!((chain.events, chain.documents, chain.broken), (451, 1, vec![]));
        assert_eq!(ledger.document(&digest(report)).await.unwrap().unwrap(), report);
        assert_eq!(ledger.document(&digest(b"other")).await.unwrap(), None);
        let count = |target: &str, events: Vec<Recorded>| (target.to_owned(), events.len());
        let mut targets = ledger.map_targets(count).await.unwrap();
        targets.sort();
        let expected = [("account:某县/某号", 150), ("app:a", 151), ("app:b", 150)];
        assert_eq!(targets, expected.map(|(target, count)| (target.to_owned(), count)));
        assert_eq!(ledger.find("p:", 9).await.unwrap(), ["app:a", "app:b"]);
        assert_eq!(ledger.find("%", 9).await.unwrap(), Vec::<String>::new(), "a sign of LIKE is a sign");
        // Opened again, it goes on.
        ledger.close().await;
        let ledger = Ledger::open(&place.address).await.unwrap();
        assert_eq!(ledger.append(&[event("app:c", 1)]).await.unwrap(), 452);
    });
}

#[test]
fn tampering_and_lost_rows_show() {
    // What somebody does to the tables, and the event at which it must show.
    let deeds: &[(&str, u64)] = &[
        ("UPDATE event SET body = replace(body, '川政备3号', '川政备4号') WHERE seq = 4", 4),
        ("UPDATE event SET target = 'app:b' WHERE seq = 2", 2),
        ("UPDATE event SET at = at + 1 WHERE seq = 5", 5),
        ("UPDATE event SET recorded = recorded - 1 WHERE seq = 5", 5),
        ("UPDATE event SET actor = '李四' WHERE seq = 1", 1),
        ("DELETE FROM event WHERE seq = 3", 3),
        ("DELETE FROM event WHERE seq = 10", 10),
        (
            "INSERT INTO event SELECT 11, target, at, recorded, actor, body, hash FROM event WHERE seq = 1; UPDATE head SET seq = 11",
            11,
        ),
        (
            "UPDATE document SET body = (SELECT body FROM document AS other WHERE other.sha256 <> document.sha256)",
            9,
        ),
        ("DELETE FROM document", 9),
        ("UPDATE event SET body = '{}' WHERE seq = 6", 6),
    ];
    for (sql, at) in deeds {
        on_both(async |place| {
            let ledger = Ledger::open(&place.address).await.unwrap();
            let events: Vec<Event> = (0..8).map(|n| event("app:a", n)).collect();
            ledger.append(&events).await.unwrap();
            for report in [b"one", b"two"] {
                let documents = [(&*digest(report), &report[..])];
                ledger.append_with(&documents, &[scanned("app:a", report)]).await.unwrap();
            }
            assert_eq!(ledger.verify().await.unwrap().broken, vec![]);
            ledger.pool().execute(sqlx::raw_sql(*sql)).await.unwrap();
            let broken = ledger.verify().await.unwrap().broken;
            assert!(broken.iter().any(|found| found.seq == *at), "{sql}: {broken:?}");
        });
    }
}

#[test]
fn a_ledger_that_was_written_anew_does_not_hold_a_hash_noted_before() {
    on_both(async |place| {
        let ledger = Ledger::open(&place.address).await.unwrap();
        ledger.append(&[event("app:a", 1), event("app:a", 2)]).await.unwrap();
        let (_, noted) = ledger.head().await.unwrap();
        ledger.append(&[event("app:a", 3)]).await.unwrap();
        assert!(ledger.has_hash(&noted).await.unwrap());
        let other = sqlite();
        let other = Ledger::open(&other.address).await.unwrap();
        other.append(&[event("app:a", 1), event("app:a", 9)]).await.unwrap();
        assert!(other.verify().await.unwrap().broken.is_empty());
        assert!(!other.has_hash(&noted).await.unwrap());
    });
}

#[test]
fn two_writers_lose_nothing() {
    on_both(async |place| {
        let mut writers = Vec::new();
        for writer in 0..4 {
            let ledger = Ledger::open(&place.address).await.unwrap();
            writers.push(tokio::spawn(async move {
                for number in 0..25 {
                    let events =
                        [event(&format!("app:{writer}"), number), event(&format!("app:{writer}"), number)];
                    ledger.append(&events).await.unwrap();
                }
            }));
        }
        for writer in writers {
            writer.await.unwrap();
        }
        let ledger = Ledger::open(&place.address).await.unwrap();
        let chain = ledger.verify().await.unwrap();
        assert_eq!((chain.events, chain.broken), (200, vec![]));
        for writer in 0..4 {
            let own = ledger.events_of(&format!("app:{writer}")).await.unwrap();
            let expected: Vec<Event> =
                (0..50).map(|number| event(&format!("app:{writer}"), number / 2)).collect();
            assert_eq!(own.into_iter().map(|recorded| recorded.event).collect::<Vec<_>>(), expected);
        }
    });
}

#[test]
fn an_event_that_cannot_be_kept_leaves_nothing_of_its_fellows() {
    on_both(async |place| {
        let ledger = Ledger::open(&place.address).await.unwrap();
        let odd = Event { at: Timestamp::from_second(-1).unwrap(), ..event("app:a", 2) };
        let error = ledger.append(&[event("app:a", 1), odd]).await.unwrap_err();
        assert!(matches!(error, LedgerError::Moment(_)), "{error}");
        assert_eq!(ledger.head().await.unwrap().0, 0);
        assert!(ledger.events_of("app:a").await.unwrap().is_empty());
    });
}

#[test]
fn a_backup_restores_into_either_database() {
    on_both(async |place| {
        let ledger = Ledger::open(&place.address).await.unwrap();
        let events: Vec<Event> = (0..1500).map(|n| event(&format!("app:{}", n % 7), n)).collect();
        ledger.append(&events).await.unwrap();
        let report = vec![b'x'; 100_000];
        ledger.append_with(&[(&digest(&report), &report)], &[scanned("app:0", &report)]).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("备份.gz");
        let made = ledger.backup(&file).await.unwrap();
        assert_eq!((made.events, made.documents), (1501, 1));
        let mut targets = vec![sqlite()];
        if let Some(cluster) = &place.cluster {
            targets.push(Place { address: cluster.database(), ..sqlite() });
        }
        for target in &targets {
            let other = Ledger::open(&target.address).await.unwrap();
            assert_eq!(other.restore(&file).await.unwrap().hash, made.hash);
            let chain = other.verify().await.unwrap();
            assert_eq!((chain.events, chain.documents, chain.broken), (1501, 1, vec![]));
            assert_eq!(other.events_of("app:0").await.unwrap(), ledger.events_of("app:0").await.unwrap());
            assert_eq!(other.append(&[event("app:0", 1)]).await.unwrap(), 1502, "and goes on");
            let error = other.restore(&file).await.unwrap_err();
            assert!(matches!(error, BackupError::NotEmpty(1502)), "{error}");
        }
        // Cut off anywhere, or with a byte changed, it restores nothing.
        let whole = std::fs::read(&file).unwrap();
        let bad = folder.path().join("bad.gz");
        for cut in [0, 10, whole.len() / 2, whole.len() - 9] {
            std::fs::write(&bad, &whole[..cut]).unwrap();
            let other = sqlite();
            let other = Ledger::open(&other.address).await.unwrap();
            let error = other.restore(&bad).await.unwrap_err();
            assert!(matches!(error, BackupError::NoBackup { .. }), "{cut}: {error}");
            assert_eq!(other.head().await.unwrap().0, 0);
        }
        assert!(!folder.path().join("备份.part").exists());
    });
}

#[test]
fn what_is_no_ledger_or_a_newer_one_is_named() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let words = async |address: String| {
            let error = Ledger::open(&address).await.unwrap_err();
            (error.words(Lang::Zh), error.words(Lang::En))
        };
        let (zh, en) = words("mysql://localhost/a".into()).await;
        assert!(zh.contains("不是数据库地址") && en.contains("is no database"), "{zh} {en}");
        let text = folder.path().join("text.db");
        std::fs::write(&text, "名称,类型\n".repeat(1000)).unwrap();
        let (zh, en) = words(format!("sqlite:{}", text.display())).await;
        assert!(zh.contains("不是数据库") && en.contains("no database"), "{zh} {en}");
        let (zh, en) = words(format!("sqlite:{}", folder.path().join("no/such/folder.db").display())).await;
        assert!(zh.contains("无法打开") && en.contains("cannot be opened"), "{zh} {en}");
        let newer = format!("sqlite:{}", folder.path().join("newer.db").display());
        let ledger = Ledger::open(&newer).await.unwrap();
        let sql = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                   VALUES (9999, 'later', true, x'00', 0)";
        ledger.pool().execute(sql).await.unwrap();
        ledger.close().await;
        let (zh, en) = words(newer).await;
        assert!(zh.contains("更新版本") && en.contains("newer version"), "{zh} {en}");
        let (_, en) = words("postgres://nobody@127.0.0.1:9/none".into()).await;
        assert!(en.contains("connection to the database is lost"), "{en}");
    });
}

#[test]
fn a_full_disk_and_a_read_only_file_write_nothing() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        // In memory there is one connection, for which the size can be limited: SQLite answers as on a full disk.
        let ledger = Ledger::open("sqlite::memory:").await.unwrap();
        ledger.append(&[event("app:a", 1)]).await.unwrap();
        ledger.pool().execute("PRAGMA max_page_count = 1").await.unwrap();
        let report = noise(1 << 20);
        let documents = [(&*digest(&report), &report[..])];
        let error = ledger.append_with(&documents, &[scanned("app:a", &report)]).await.unwrap_err();
        assert!(
            error.words(Lang::Zh).contains("磁盘已满") && error.words(Lang::En).contains("disk is full"),
            "{error}"
        );
        assert_eq!(ledger.verify().await.unwrap().events, 1);
        assert_eq!(ledger.verify().await.unwrap().broken, vec![]);
        ledger.pool().execute("PRAGMA query_only = 1").await.unwrap();
        let error = ledger.append(&[event("app:a", 2)]).await.unwrap_err();
        assert!(
            error.words(Lang::Zh).contains("只读") && error.words(Lang::En).contains("read-only"),
            "{error}"
        );
        assert_eq!(ledger.verify().await.unwrap().events, 1);
    });
}

/// Bytes that do not compress.
fn noise(count: usize) -> Vec<u8> {
    let mut state = 1u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    (0..count).map(|_| next()).collect()
}

#[test]
fn a_lost_connection_is_named_and_the_ledger_goes_on() {
    let Some(cluster) = postgres::cluster() else { return };
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        // Only the connections to this database are cut; other tests use the cluster too.
        let ledger = Ledger::open(&cluster.database()).await.unwrap();
        ledger.append(&[event("app:a", 1)]).await.unwrap();
        let mut transaction = ledger.pool().begin().await.unwrap();
        transaction.execute("SELECT 1").await.unwrap();
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = current_database() AND pid <> pg_backend_pid()";
        ledger.pool().execute(cut).await.unwrap();
        let error = transaction.execute("SELECT 1").await.unwrap_err();
        let error = LedgerError::from(error);
        assert!(error.words(Lang::En).contains("connection to the database is lost"), "{error}");
        assert_eq!(ledger.append(&[event("app:a", 2)]).await.unwrap(), 2);
    });
}

/// The writer that is killed: this test, run by itself as another process, writes and tells what is acknowledged.
#[test]
fn writer() {
    let Some(address) = std::env::var_os("ZHIJIAN_TEST_WRITER") else { return };
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let ledger = Ledger::open(address.to_str().unwrap()).await.unwrap();
        let mut out = std::io::stdout();
        loop {
            let batch: Vec<Event> = (0..3).map(|number| event("app:a", number)).collect();
            let first = ledger.append(&batch).await.unwrap();
            writeln!(out, "\nacknowledged {}", first + 2).unwrap();
            out.flush().unwrap();
        }
    });
}

/// Kills a writer at any moment, so many times, and looks whether what it acknowledged is there.
fn killed(address: &str, times: u32) {
    let runtime = Runtime::new().unwrap();
    let mut total = 0;
    for round in 0..times {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "ledger::writer", "--nocapture", "--test-threads=1"])
            .env("ZHIJIAN_TEST_WRITER", address)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let seq = |line: &str| line.strip_prefix("acknowledged ").and_then(|seq| seq.parse::<u64>().ok());
        // It has begun; the moment of the end is any.
        let mut last = lines.by_ref().find_map(|line| seq(&line.unwrap())).expect("the writer writes");
        std::thread::sleep(std::time::Duration::from_micros(u64::from(round) * 377 % 20_000));
        child.kill().unwrap();
        child.wait().unwrap();
        last = lines.map_while(Result::ok).filter_map(|line| seq(&line)).last().unwrap_or(last);
        runtime.block_on(async {
            let ledger = Ledger::open(address).await.unwrap();
            let chain = ledger.verify().await.unwrap();
            assert_eq!(chain.broken, vec![], "round {round}");
            assert!(
                chain.events >= last,
                "round {round}: {last} was acknowledged, {} are there",
                chain.events
            );
            assert_eq!(chain.events % 3, 0, "all of a batch or none");
            assert!(chain.events >= total);
            total = chain.events;
            ledger.close().await;
        });
    }
}

#[test]
fn a_killed_writer_loses_no_acknowledged_event() {
    killed(&sqlite().address, 100);
}

#[test]
fn a_killed_writer_loses_no_acknowledged_event_on_postgresql() {
    if let Some(cluster) = postgres::cluster() {
        killed(&cluster.database(), 100);
    }
}

#[test]
fn only_its_owner_can_read_a_new_ledger() {
    use std::os::unix::fs::PermissionsExt;
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.db");
    runtime.block_on(async {
        let ledger = Ledger::open(&format!("sqlite:{}", file.display())).await.unwrap();
        ledger.append(&[event("app:a", 1)]).await.unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o077;
        assert_eq!(mode(&file), 0);
        assert_eq!(mode(&folder.path().join("ledger.db-wal")), 0);
    });
}
