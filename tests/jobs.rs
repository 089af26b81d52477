//! Jobs, schedules and the service as a process: on SQLite always, on PostgreSQL where its programs are installed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it left out"
)]

use crate::common::{package, postgres};

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::common::server::{Server, Step, answer};
use axum::body::Bytes;
use jiff::Timestamp;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use zhijian::config::Config;
use zhijian::fetch::Store;
use zhijian::ledger::Ledger;
use zhijian::model::Deed;
use zhijian::roster::FilingRecord;
use zhijian::rule::RuleSet;
use zhijian::run::{Cause, Outcome};
use zhijian::scan::Scanner;
use zhijian::server::jobs::{Begun, Call, Filter, Job, Lane, Lease, State, Ticket, Wanted, What};
use zhijian::server::schedule::{Plan, When};
use zhijian::server::{App, Options, Service, StartError};

/// A database, a store and a configuration that are gone with it.
struct Office {
    address: String,
    folder: tempfile::TempDir,
    cluster: Option<Arc<postgres::Cluster>>,
}

fn sqlite() -> Office {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("sqlite:{}", folder.path().join("台账 100%#1.db").display());
    Office { address, folder, cluster: None }
}

fn postgresql() -> Option<Office> {
    let cluster = postgres::cluster()?;
    let address = cluster.database();
    Some(Office { address, folder: tempfile::tempdir().unwrap(), cluster: Some(cluster) })
}

/// Runs on SQLite, and on PostgreSQL if it is there.
fn on_both<F: Future<Output = ()>>(test: impl Fn(Office) -> F) {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(test(sqlite()));
    if let Some(office) = postgresql() {
        runtime.block_on(test(office));
    }
    runtime.shutdown_background();
}

impl Office {
    fn config(&self, servers: &[&Server]) -> String {
        let allow: Vec<String> = servers.iter().map(|server| format!("'{}'", server.authority())).collect();
        format!(
            "[fetch]\nstore = '{}'\nallow = [{}]\npace = '1ms'\ntimeout = '30s'\nretries = 1\n\
             [server]\nlisten = '127.0.0.1:0'\ngrace = '5s'\n",
            self.folder.path().join("store").display(),
            allow.join(", "),
        )
    }

    fn store(&self) -> Store {
        Store::open(&self.folder.path().join("store")).unwrap()
    }

    async fn app(&self, servers: &[&Server]) -> App {
        let ledger = Ledger::open(&self.address).await.unwrap();
        let config = Config::parse(&self.config(servers)).unwrap();
        App::new(ledger, RuleSet::embedded().unwrap(), self.store(), config)
    }

    fn options(&self, servers: &[&Server], serves: bool) -> Options {
        let rules = Arc::new(RuleSet::embedded().unwrap());
        Options {
            database: self.address.clone(),
            config: Config::parse(&self.config(servers)).unwrap(),
            scanner: Arc::new(Scanner::new(rules.clone(), FilingRecord::Unknown)),
            rules,
            store: self.store(),
            serves,
        }
    }

    /// A process of the service in this one.
    async fn service(&self, servers: &[&Server]) -> Running {
        let service = Service::start(self.options(servers, true)).await.unwrap();
        let app = service.app().clone();
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(async move { service.run(stopped).await });
        Running { app, stop, task }
    }

    /// A worker as a process of its own.
    fn worker(&self, servers: &[&Server], log: &str) -> Process {
        let path = self.folder.path().join("zhijian.toml");
        fs::write(&path, self.config(servers)).unwrap();
        let log = fs::File::create(self.folder.path().join(log)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_zhijian"));
        command.args(["worker", "--config"]).arg(path).args(["--database", &self.address]);
        Process(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap())
    }

    /// Every scan that the ledger holds.
    async fn scans(&self, app: &App) -> Vec<String> {
        let each = |target: &str, events: Vec<zhijian::ledger::Recorded>| {
            let scanned = events.iter().filter(|event| matches!(event.event.deed, Deed::Scanned(_)));
            scanned.map(|_| target.to_owned()).collect::<Vec<_>>()
        };
        app.ledger.map_targets(each).await.unwrap().into_iter().flatten().collect()
    }
}

struct Running {
    app: App,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    async fn end(self) {
        self.stop.send_replace(true);
        self.task.await.unwrap();
    }
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)).unwrap()
}

async fn take_in(app: &App, bytes: &[u8]) -> String {
    let pieces: Vec<Result<Bytes, String>> =
        bytes.chunks(1000).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    app.take_in(futures_util::stream::iter(pieces), "张三").await.unwrap()
}

async fn upload(app: &App, bytes: &[u8]) -> Job {
    let sha256 = take_in(app, bytes).await;
    app.scan_upload(&sha256, "包.apk", None, "张三").await.unwrap()
}

fn package(number: u16) -> Vec<u8> {
    package::numbered("built/grid-patrol.apk", number)
}

async fn until(what: &str, app: &App, id: &str, wanted: impl Fn(&Job) -> bool) -> Job {
    let begun = Instant::now();
    loop {
        let job = app.jobs().one(id).await.ok().flatten();
        if let Some(job) = job.as_ref().filter(|job| wanted(job)) {
            return job.clone();
        }
        assert!(begun.elapsed() < Duration::from_secs(55), "waited in vain: {what}: {job:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn over(app: &App, id: &str) -> Job {
    until("the end", app, id, |job| !job.state.is_open()).await
}

/// Pages that take a while.
fn slow(ip: &str, pause: Duration) -> Server {
    Server::open(ip, move |_| {
        let headers = [("Content-Type", "text/html; charset=utf-8")];
        let mut steps = vec![Step::Pause(pause)];
        steps.extend(answer("200 OK", &headers, &fixture("page/government.html")));
        steps
    })
}

async fn roster(app: &App, server: &Server, rows: usize) -> String {
    let mut text = "类型,名称,地址,主办单位\n".to_owned();
    for row in 1..=rows {
        text.push_str(&format!("公众账号,第{row}号,{},某市人民政府\n", server.url(&format!("/p/{row}"))));
    }
    let sha256 = take_in(app, text.as_bytes()).await;
    let known = app.add_roster("某市名录", &sha256, "张三").await.unwrap().unwrap();
    assert_eq!(known.targets, rows as i64);
    known.id
}

fn run(roster: &str, key: &str) -> Call {
    let what = What::Run { roster: roster.to_owned(), filter: Filter::default(), weixin: None, spread: 0 };
    let (lane, key, actor) = (Lane::Schedule, key.to_owned(), "张三".to_owned());
    Call { what, lane, key, actor, after: Duration::ZERO, parent: None }
}

#[test]
fn an_upload_is_scanned_and_its_report_is_in_the_ledger() {
    on_both(async |office: Office| {
        let running = office.service(&[]).await;
        let app = &running.app;
        let bytes = fixture("built/grid-patrol.apk");
        let job = upload(app, &bytes).await;
        let again = upload(app, &bytes).await;
        let done = over(app, &job.id).await;
        assert_eq!((done.state, done.attempts), (State::Done, 1), "{done:?}");
        // Whether the second came while the first was open depends on the machine; it is one report either way.
        over(app, &again.id).await;
        let shown = &done.result["reports"][0];
        let report = app.ledger.document(shown["report"].as_str().unwrap()).await.unwrap().unwrap();
        let report = zhijian::report::read(&report).unwrap();
        assert_eq!(report.artifact.bytes, bytes.len() as u64);
        // The fixture is written with a clock-in button (fixtures/apk/grid-patrol).
        assert!(shown["confirmed"].as_u64().unwrap() > 0, "{shown}");
        let target = shown["target"].as_str().unwrap();
        let listed = app.ledger.listed_one(target).await.unwrap();
        assert!(listed.is_some(), "the view knows {target}");
        assert_eq!(done.progress, done.total);
        running.end().await;
    });
}

#[test]
fn the_same_is_not_queued_twice_and_what_waits_can_be_cancelled() {
    on_both(async |office: Office| {
        // Nobody works here.
        let app = office.app(&[]).await;
        let bytes = fixture("built/grid-patrol.apk");
        let (first, second) = (upload(&app, &bytes).await, upload(&app, &bytes).await);
        assert_eq!(first.id, second.id);
        let other = app.scan_upload(&take_in(&app, &bytes).await, "包", Some("甲"), "张三").await.unwrap();
        assert_ne!(first.id, other.id, "for another target it is another scan");
        assert!(app.jobs().cancel(&first.id).await.unwrap());
        assert_eq!(app.jobs().one(&first.id).await.unwrap().unwrap().state, State::Cancelled);
        assert!(!app.jobs().cancel(&first.id).await.unwrap(), "it is over");
        let third = upload(&app, &bytes).await;
        assert_ne!(first.id, third.id);
        assert_eq!(app.jobs().requeue(&first.id).await.unwrap(), None, "the same is open already");
        let waiting = Wanted { state: Some(State::Waiting), ..Wanted::default() };
        let listed = app.jobs().list(&waiting, None, 10).await.unwrap();
        let ids: Vec<&str> = listed.iter().map(|job| job.id.as_str()).collect();
        assert_eq!(ids, [&third.id, &other.id], "the latest first");
        // A worker that comes later takes up what was called for without a queue.
        let running = office.service(&[]).await;
        assert_eq!(over(&running.app, &third.id).await.state, State::Done);
        assert_eq!(over(&running.app, &other.id).await.state, State::Done);
        running.end().await;
    });
}

#[test]
fn what_cannot_be_scanned_is_a_dead_letter_that_can_be_called_for_again() {
    on_both(async |office: Office| {
        let running = office.service(&[]).await;
        let app = &running.app;
        let text = upload(app, b"no package, only a few words").await;
        let dead = over(app, &text.id).await;
        assert_eq!((dead.state, dead.attempts), (State::Dead, 1), "no second attempt helps: {dead:?}");
        assert!(dead.error.contains("不是可检测的安装包") && !dead.error.contains(" / "), "{}", dead.error);
        assert!(dead.error_en.starts_with("not a package"), "{}", dead.error_en);
        // What is missing may be there the next time.
        let bytes = fixture("built/grid-patrol.apk");
        let sha256 = take_in(app, &bytes).await;
        let path = app.store.object(&sha256).unwrap();
        fs::rename(&path, path.with_extension("away")).unwrap();
        let job = app.scan_upload(&sha256, "包.apk", None, "张三").await.unwrap();
        assert_eq!(over(app, &job.id).await.state, State::Dead);
        fs::rename(path.with_extension("away"), &path).unwrap();
        let again = app.jobs().requeue(&job.id).await.unwrap().unwrap();
        assert_eq!((again.id.as_str(), again.state), (job.id.as_str(), State::Waiting));
        assert_eq!(over(app, &job.id).await.state, State::Done);
        running.end().await;
    });
}

#[test]
fn a_worker_is_killed_and_another_takes_the_job_over_which_is_done_once() {
    on_both(async |office: Office| {
        let pages = slow("127.0.0.1", Duration::from_secs(3));
        let app = office.app(&[&pages]).await;
        let id = roster(&app, &pages, 1).await;
        let (job, _) = app.jobs().call(run(&id, "once")).await.unwrap();
        let mut first = office.worker(&[&pages], "first.log");
        let begun = Instant::now();
        while pages.heard().is_empty() {
            assert!(begun.elapsed() < Duration::from_secs(30), "nobody asked");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // SIGKILL.
        first.0.kill().unwrap();
        first.0.wait().unwrap();
        let second = office.worker(&[&pages], "second.log");
        let done = over(&app, &job.id).await;
        assert_eq!((done.state, done.result["recorded"].as_u64()), (State::Done, Some(1)), "{done:?}");
        let parts = Wanted { parent: Some(job.id.clone()), ..Wanted::default() };
        let parts = app.jobs().list(&parts, None, 10).await.unwrap();
        assert_eq!(parts.iter().map(|part| part.attempts).collect::<Vec<_>>(), [2]);
        assert_eq!(office.scans(&app).await.len(), 1);
        drop(second);
    });
}

#[test]
fn the_database_is_restarted_under_load_and_nothing_acknowledged_is_lost() {
    let Some(cluster) = postgres::own_cluster() else { return };
    let address = cluster.database();
    let office = Office { address, folder: tempfile::tempdir().unwrap(), cluster: Some(cluster) };
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let running = office.service(&[]).await;
        let app = running.app.clone();
        let (acknowledged, refused) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicI64::new(0)));
        let calls = {
            let (app, acknowledged, refused) = (app.clone(), acknowledged.clone(), refused.clone());
            tokio::spawn(async move {
                for number in 0..30 {
                    let pieces = [Ok::<_, String>(Bytes::from(package(number)))];
                    let taken = app.take_in(futures_util::stream::iter(pieces), "张三").await;
                    let called = match taken {
                        Ok(sha256) => {
                            app.scan_upload(&sha256, "包", Some(&format!("第{number}号")), "张三").await
                        }
                        Err(problem) => Err(problem),
                    };
                    match called {
                        Ok(job) => acknowledged.lock().unwrap().push(job.id),
                        Err(_) => drop(refused.fetch_add(1, Ordering::SeqCst)),
                    }
                    tokio::time::sleep(Duration::from_millis(60)).await;
                }
            })
        };
        tokio::time::sleep(Duration::from_millis(700)).await;
        let cluster = office.cluster.clone().unwrap();
        tokio::task::spawn_blocking(move || cluster.crash()).await.unwrap();
        calls.await.unwrap();
        let ids = acknowledged.lock().unwrap().clone();
        println!("{} acknowledged, {} refused", ids.len(), refused.load(Ordering::SeqCst));
        assert!(!ids.is_empty());
        for id in &ids {
            let done = over(&app, id).await;
            assert_eq!(done.state, State::Done, "{done:?}");
        }
        let mut scans = office.scans(&app).await;
        let all = scans.len();
        scans.sort();
        scans.dedup();
        assert_eq!(all, scans.len(), "each is recorded once");
        assert!(all >= ids.len());
        running.end().await;
    });
    runtime.shutdown_background();
}

#[test]
fn a_second_server_on_the_same_file_refuses() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let office = sqlite();
        let running = office.service(&[]).await;
        let second = Service::start(office.options(&[], true)).await;
        let Err(StartError::Taken { process, .. }) = second else { panic!("it started") };
        assert_eq!(process, std::process::id().to_string());
        running.end().await;
        let third = office.service(&[]).await;
        third.end().await;
    });
    runtime.shutdown_background();
}

#[test]
fn whoever_waits_is_served_while_a_long_run_is_under_way_and_the_run_can_be_cancelled() {
    on_both(async |office: Office| {
        let pages = slow("127.0.0.1", Duration::from_millis(500));
        let running = office.service(&[&pages]).await;
        let app = &running.app;
        let id = roster(app, &pages, 40).await;
        let (long, _) = app.jobs().call(run(&id, "long")).await.unwrap();
        let (same, made) = app.jobs().call(run(&id, "long")).await.unwrap();
        assert_eq!((same.id, made), (long.id.clone(), false));
        let parts = Wanted { parent: Some(long.id.clone()), ..Wanted::default() };
        let begun = Instant::now();
        let part = loop {
            let parts = app.jobs().list(&parts, None, 10).await.unwrap();
            match parts.into_iter().find(|part| part.state == State::Running && part.progress > 0) {
                Some(part) => break part,
                None => tokio::time::sleep(Duration::from_millis(50)).await,
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "no progress");
        };
        assert_eq!(part.total, 40);
        let upload = upload(app, &fixture("built/grid-patrol.apk")).await;
        let done = over(app, &upload.id).await;
        assert_eq!(done.state, State::Done);
        assert!(
            app.jobs().one(&long.id).await.unwrap().unwrap().state.is_open(),
            "the run goes on meanwhile"
        );
        assert!(app.jobs().cancel(&long.id).await.unwrap());
        let cancelled = until("the part", app, &part.id, |job| !job.state.is_open()).await;
        assert_eq!(cancelled.state, State::Cancelled);
        assert_eq!(over(app, &long.id).await.state, State::Cancelled);
        let heard = pages.heard().len();
        assert!(heard < 40, "{heard} asked");
        running.end().await;
    });
}

#[test]
fn a_service_that_stops_hands_back_what_it_has_not_done() {
    on_both(async |office: Office| {
        let pages = slow("127.0.0.1", Duration::from_millis(300));
        let running = office.service(&[&pages]).await;
        let app = running.app.clone();
        let id = roster(&app, &pages, 12).await;
        let (job, _) = app.jobs().call(run(&id, "handed back")).await.unwrap();
        let begun = Instant::now();
        while pages.heard().len() < 3 {
            assert!(begun.elapsed() < Duration::from_secs(30), "nobody asked");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let begun = Instant::now();
        running.end().await;
        assert!(begun.elapsed() < Duration::from_secs(11), "{:?}", begun.elapsed());
        let parts = Wanted { parent: Some(job.id.clone()), ..Wanted::default() };
        let part = app.jobs().list(&parts, None, 10).await.unwrap().remove(0);
        assert_eq!((part.state, part.attempts), (State::Waiting, 0), "a stop is no failure");
        let heard = pages.heard().len();
        assert!(heard < 12);
        let next = office.service(&[&pages]).await;
        let done = over(&next.app, &job.id).await;
        assert_eq!((done.state, done.result["failed"].as_u64()), (State::Done, Some(0)), "{done:?}");
        assert_eq!(office.scans(&next.app).await.len(), 12, "each once");
        // What was fetched before is not fetched again, but for the one page that was under way.
        assert!(pages.heard().len() <= 13, "{} asked", pages.heard().len());
        next.end().await;
    });
}

/// Whoever may upload a roster must not see what the server sees.
#[test]
fn a_roster_leads_neither_into_the_own_network_nor_to_files_of_the_server() {
    on_both(async |office: Office| {
        let secret = office.folder.path().join("secret.html");
        fs::write(&secret, fixture("page/government.html")).unwrap();
        // It listens, and the configuration does not allow it.
        let inside = slow("127.0.0.1", Duration::ZERO);
        let running = office.service(&[]).await;
        let app = &running.app;
        let mut text = "类型,名称,地址,主办单位\n".to_owned();
        let rows = [
            inside.url("/p/1"),
            "http://169.254.169.254/latest/meta-data/".to_owned(),
            "http://[::ffff:127.0.0.1]/".to_owned(),
            secret.display().to_string(),
            format!("file://{}", secret.display()),
        ];
        for (number, address) in rows.iter().enumerate() {
            text.push_str(&format!("公众账号,第{number}号,{address},某市人民政府\n"));
        }
        let sha256 = take_in(app, text.as_bytes()).await;
        let known = app.add_roster("某市名录", &sha256, "张三").await.unwrap().unwrap();
        let (job, _) = app.jobs().call(run(&known.id, "inside")).await.unwrap();
        let done = over(app, &job.id).await;
        let figure = |name: &str| done.result[name].as_u64().unwrap();
        assert_eq!((done.state, figure("scanned"), figure("recorded")), (State::Done, 0, 0), "{done:?}");
        assert!(figure("failed") >= 3, "each refusal is told: {done:?}");
        // Which rows, and why.
        let missed = app.jobs().missed(&job.id, 0, 10).await.unwrap();
        let told: Vec<(u64, Outcome, Cause)> =
            missed.iter().map(|one| (one.missed.line, one.missed.outcome, one.missed.reason.cause)).collect();
        let (failed, skipped) = (Outcome::Failed, Outcome::Skipped);
        let refused = |line| (line, failed, Cause::Refused);
        assert_eq!(told[..3], [refused(2), refused(3), refused(4)]);
        assert_eq!(told[3..], [(5, skipped, Cause::NoAddress)]);
        assert_eq!(known.rejected, 1, "an address of a file is none of a row");
        assert_eq!(app.jobs().missed(&job.id, 3, 1).await.unwrap()[0].missed.line, 4);
        let causes = app.jobs().causes(&job.id).await.unwrap();
        assert_eq!(causes, [(failed, Cause::Refused, 3), (skipped, Cause::NoAddress, 1)]);
        let last = app.jobs().last_miss("account:某市人民政府/第1号").await.unwrap().unwrap();
        assert_eq!((last.missed.line, last.run.as_str(), last.known), (3, job.id.as_str(), true));
        assert!(inside.all().is_empty(), "not even robots.txt");
        assert_eq!(office.scans(app).await, Vec::<String>::new());
        running.end().await;
    });
}

#[test]
fn a_roster_without_a_row_that_can_be_used_is_refused_with_its_reasons() {
    on_both(async |office: Office| {
        let app = office.app(&[]).await;
        let add = async |text: &str| {
            let sha256 = take_in(&app, text.as_bytes()).await;
            app.add_roster("某市名录", &sha256, "张三").await.unwrap()
        };
        let (head, bad) = ("类型,名称,地址,主办单位\n", "飞艇,甲,https://www.example.gov.cn/,某市\n");
        let none = add(&format!("{head}{bad}")).await.unwrap_err();
        assert!(none.zh.starts_with("某市名录：") && none.zh.contains("第 2 行"), "{none:?}");
        assert!(none.en.contains("line 2"), "{none:?}");
        let empty = add(head).await.unwrap_err();
        assert!(empty.zh.contains("没有数据行"), "{empty:?}");
        // What is no roster at all does not tell where the server keeps it.
        let other = add("only a few words\n").await.unwrap_err();
        assert!(other.zh.starts_with("某市名录：") && !other.zh.contains("objects"), "{other:?}");
        assert!(app.rosters().await.unwrap().is_empty());
        let good = "公众账号,乙,https://www.example.gov.cn/,某市\n";
        let known = add(&format!("{head}{bad}{good}")).await.unwrap();
        assert_eq!((known.targets, known.rejected), (1, 1));
        assert_eq!(app.roster(&known.id).await.unwrap(), Some(known));
    });
}

#[test]
fn workers_keep_the_pace_of_a_host_together() {
    on_both(async |office: Office| {
        let ledger = Ledger::open(&office.address).await.unwrap();
        let other = Ledger::open(&office.address).await.unwrap();
        let pace = Duration::from_millis(100);
        let slots = Arc::new(Mutex::new(Vec::new()));
        let ask = async |lease: Lease| {
            for _ in 0..10 {
                let wait = lease.take("www.example.gov.cn", pace).await.unwrap();
                tokio::time::sleep(wait).await;
                slots.lock().unwrap().push(Instant::now());
            }
        };
        let (a, b) = (Lease::new(ledger.pool().clone()), Lease::new(other.pool().clone()));
        tokio::join!(ask(a), ask(b));
        let mut slots = slots.lock().unwrap().clone();
        slots.sort();
        assert_eq!(slots.len(), 20);
        let all = slots[19] - slots[0];
        // A slot may be used late, by the scheduling of this machine, but never early; so the whole is never shorter.
        assert!(all >= pace * 19 - Duration::from_millis(30), "{all:?}");
        assert!(all < pace * 40, "{all:?}");
    });
}

/// A clock that tests set.
fn clock(start: Timestamp) -> (Arc<AtomicI64>, Box<dyn Fn() -> Timestamp + Send + Sync>) {
    let now = Arc::new(AtomicI64::new(start.as_millisecond()));
    let read = now.clone();
    (now, Box::new(move || Timestamp::from_millisecond(read.load(Ordering::SeqCst)).unwrap()))
}

/// Ends every open job as a worker would.
async fn finish(app: &App) {
    for job in app.jobs().list(&Wanted::default(), None, 100).await.unwrap() {
        if job.state == State::Waiting {
            let ticket = Ticket { job: job.id, turn: 0 };
            let Begun::Attempt(attempt) = app.jobs().begin(&ticket, "test").await.unwrap() else { panic!() };
            assert!(app.jobs().end(&attempt, State::Done, "", "null").await.unwrap());
        }
    }
}

#[test]
fn a_day_of_schedule_passes_in_a_moment() {
    on_both(async |office: Office| {
        // Midnight of a Thursday in Shanghai.
        let start: Timestamp = "2026-11-25T16:00:00Z".parse().unwrap();
        let (now, read) = clock(start);
        let ledger = Ledger::open(&office.address).await.unwrap();
        let config = Config::parse(&office.config(&[])).unwrap();
        let app = App::with_clock(ledger, RuleSet::embedded().unwrap(), office.store(), config, read);
        let plan = |when, jitter| Plan {
            roster: "r".into(),
            filter: Filter::default(),
            weixin: None,
            when,
            zone: "Asia/Shanghai".into(),
            days: Vec::new(),
            window: None,
            jitter,
        };
        let put = async |name, plan: &Plan| {
            app.put_schedule(None, name, plan, true, "张三").await.unwrap().unwrap()
        };
        let hourly = put("每四小时", &plan(When::EveryHours(4), 600)).await;
        let daily = put("每日", &plan(When::Cron("30 2 * * *".into()), 0)).await;
        assert_eq!(daily.next, Some("2026-11-25T18:30:00Z".parse().unwrap()));
        let mut times: std::collections::BTreeMap<String, Vec<i64>> = std::collections::BTreeMap::new();
        for minute in 1..=24 * 60 {
            now.store((start.as_millisecond()) + minute * 60_000, Ordering::SeqCst);
            for job in app.tick().await.unwrap() {
                let all = app.schedules().await.unwrap();
                let of = all.iter().find(|schedule| schedule.job == job.id).unwrap();
                times.entry(of.id.clone()).or_default().push(minute);
            }
            finish(&app).await;
        }
        assert_eq!(times[&daily.id], [150]);
        // At 0, 4, 8, … 24 o'clock, each up to ten minutes late and all by as much; that of the first midnight is over
        // when nothing is late, that of the second comes tomorrow when anything is.
        let hours = &times[&hourly.id];
        let late = hours[0] % 240;
        assert!((0..=10).contains(&late), "{hours:?}");
        let expected: Vec<i64> =
            (0..=6).map(|n| n * 240 + late).filter(|minute| (1..=1440).contains(minute)).collect();
        assert_eq!(hours, &expected);

        // While a run is open no other begins.
        let minute = |number: i64| now.store(start.as_millisecond() + number * 60_000, Ordering::SeqCst);
        minute(24 * 60 + 300);
        let called = app.tick().await.unwrap();
        assert_eq!(called.len(), 2, "both are due");
        minute(24 * 60 + 600);
        assert!(app.tick().await.unwrap().is_empty(), "they are still open");
        finish(&app).await;

        // What was missed is caught up once.
        minute(5 * 24 * 60);
        assert_eq!(app.tick().await.unwrap().len(), 2);
        finish(&app).await;
        assert!(app.tick().await.unwrap().is_empty());

        // A clock that steps back by minutes repeats nothing; one that was wrong by days does not put off for days.
        minute(5 * 24 * 60 - 20);
        assert!(app.tick().await.unwrap().is_empty());
        minute(2 * 24 * 60);
        assert!(app.tick().await.unwrap().is_empty());
        let daily = app.schedule(&daily.id).await.unwrap().unwrap();
        assert_eq!(daily.next, Some("2026-11-27T18:30:00Z".parse().unwrap()));
        minute(2 * 24 * 60 + 151);
        let due = app.tick().await.unwrap();
        assert_eq!(due.len(), 1, "{due:?}");
    });
}

#[test]
fn content_that_nothing_rests_on_is_thrown_away() {
    on_both(async |office: Office| {
        let running = office.service(&[]).await;
        let app = &running.app;
        let mut kept = Vec::new();
        for (number, target) in [(1, "甲"), (2, "甲"), (3, "乙")] {
            let sha256 = take_in(app, &package(number)).await;
            let job = app.scan_upload(&sha256, "包.apk", Some(target), "张三").await.unwrap();
            assert_eq!(over(app, &job.id).await.state, State::Done);
            kept.push(sha256);
        }
        let stray = take_in(app, b"nobody ever asked for this").await;
        let young = take_in(app, b"nor for this, but it is new").await;
        let old = std::time::SystemTime::now() - Duration::from_secs(200 * 86_400);
        for sha256 in kept.iter().chain([&stray]) {
            let file = fs::File::options().write(true).open(app.store.object(sha256).unwrap()).unwrap();
            file.set_modified(old).unwrap();
        }
        assert_eq!(app.prune().await.unwrap().0, 1);
        assert_eq!(app.store.object(&stray), None);
        // All three hold an open finding of the same rule, or are the latest.
        assert!(kept.iter().chain([&young]).all(|sha256| app.store.object(sha256).is_some()));
        running.end().await;
    });
}

/// What a process says until it has said where it is.
fn says(child: &mut Child) -> String {
    use std::io::{BufRead, BufReader};
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let (mut said, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line).unwrap() > 0 {
        said.push_str(&line);
        if said.contains("http://") && said.contains("admin") {
            break;
        }
        line.clear();
    }
    said
}

#[cfg(unix)]
#[test]
fn one_command_starts_the_service_and_a_signal_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let command = |home: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zhijian"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--log-format", "json", "--lang", "en"]);
        command.env("HOME", home).env_remove("XDG_DATA_HOME").env_remove("XDG_CONFIG_HOME");
        command.env_remove("ZHIJIAN_DATABASE").stdout(Stdio::piped());
        command
    };
    let log: PathBuf = folder.path().join("log");
    let mut child = Process(command(folder.path()).stderr(fs::File::create(&log).unwrap()).spawn().unwrap());
    let said = says(&mut child.0);
    let address = said.split("http://").nth(1).unwrap().split('/').next().unwrap().to_owned();
    assert!(said.contains("one-time password"), "{said}");
    let get = |path: &str| {
        let runtime = Runtime::new().unwrap();
        let url = format!("http://{address}{path}");
        runtime.block_on(async {
            let _ = rustls::crypto::ring::default_provider().install_default();
            let response = reqwest::get(&url).await.unwrap();
            (response.status().as_u16(), response.text().await.unwrap())
        })
    };
    assert_eq!(get("/healthz"), (200, "ok\n".to_owned()));
    assert_eq!(get("/readyz").0, 200);
    let (status, text) = get("/metrics");
    assert_eq!(status, 200);
    assert!(text.contains("zhijian_jobs{lane=\"demand\",state=\"waiting\"} 0"), "{text}");
    assert!(text.ends_with("# EOF\n"));
    for path in ["/api/v1/jobs", "/api/v1/schedules", "/api/v1/runs", "/api/v1/rosters", "/api/v1/scans/x"] {
        assert_eq!(get(path).0, 401, "{path}");
    }
    let second = command(folder.path()).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(second.status.code(), Some(2));
    let words = String::from_utf8(second.stderr).unwrap();
    assert!(words.contains("another server is running"), "{words}");
    let pid = child.0.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert_eq!(child.0.wait().unwrap().code(), Some(0));
    let log = fs::read_to_string(log).unwrap();
    assert!(log.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{log}");
    assert!(log.contains("stopping"), "{log}");
}

#[test]
fn what_the_configuration_says_is_checked_and_shown_with_its_source() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zhijian.toml");
    let check = |text: &str| {
        fs::write(&path, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_zhijian"));
        command.args(["config", "check", "--lang", "en", "--config"]).arg(&path);
        command.env("HOME", folder.path()).env_remove("XDG_DATA_HOME").env("ZHIJIAN_LISTEN", "127.0.0.1:99");
        let output = command.env("ZHIJIAN_DATABASE", "postgres://u:secret@h/d").output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(text).unwrap())
    };
    let (code, said) = check("[server]\nworkers = 7\n");
    assert_eq!(code, Some(0), "{said}");
    let row = |key: &str| {
        let line = said.lines().find(|line| line.contains(key)).unwrap_or_else(|| panic!("{said}"));
        line.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(row("server.workers")[1..], ["7".to_owned(), path.display().to_string()]);
    assert_eq!(row("server.scheduled-workers")[1..], ["2", "default"]);
    assert_eq!(row("server.listen")[1..], ["127.0.0.1:99", "ZHIJIAN_LISTEN"]);
    assert_eq!(row("ledger.database")[2], "ZHIJIAN_DATABASE");
    assert!(!said.contains("secret"), "{said}");
    let (code, said) = check("[server]\nworker = 7\n");
    assert_eq!(code, Some(2));
    assert!(said.contains("2:1: "), "{said}");
}
