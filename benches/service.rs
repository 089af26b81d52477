//! The service under load, on loopback, on SQLite and on PostgreSQL where it is installed:
//!
//! - `api`: reads a second and their times over a database of 50,000 targets, beside `/healthz`, which does nothing;
//! - `demand`: how long a scan that somebody waits for takes to begin while a run is under way;
//! - `workers`: a run of slow pages on 1, 2, 4 and 8 worker processes that share one PostgreSQL;
//! - `day`: 24 hours of schedules by a clock of our own;
//! - `province`: a run of 1,000 packages and 9,000 pages on two workers, with its figures.
//!
//! `cargo bench --bench service -- [PART …]`

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a program run by hand that prints a table"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::sync::watch;
use zhijian::config::Config;
use zhijian::fetch::Store;
use zhijian::ledger::Ledger;
use zhijian::model::{Deed, Event, OfficeLevel, RosterEntry, TargetKind};
use zhijian::roster::FilingRecord;
use zhijian::rule::RuleSet;
use zhijian::scan::Scanner;
use zhijian::server::jobs::{Call, Figures, Filter, Job, Lane, State, What};
use zhijian::server::schedule::{Plan, When};
use zhijian::server::{App, Options, Service};

#[path = "../tests/common/package.rs"]
mod package;
#[allow(dead_code)]
#[path = "../tests/common/postgres.rs"]
mod postgres;
#[path = "../tests/common/server.rs"]
mod server;

use server::{Server, Step, answer};

const TARGETS: usize = 50_000;
const READS: usize = 20_000;
const CLIENTS: usize = 16;

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let wanted = |part: &str| asked.is_empty() || asked.iter().any(|asked| asked == part);
    let cluster = postgres::cluster();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = zhijian::server::runtime().unwrap();
    let databases = || {
        let mut all = vec![("SQLite", None)];
        all.extend(cluster.as_ref().map(|cluster| ("PostgreSQL", Some(cluster.database()))));
        all
    };
    for (name, database) in databases() {
        if wanted("api") {
            println!("api, {name}");
            runtime.block_on(api(database));
        }
    }
    for (name, database) in databases() {
        if wanted("demand") {
            println!("demand, {name}");
            runtime.block_on(demand(database));
        }
    }
    for (name, database) in databases() {
        if wanted("day") {
            println!("day, {name}");
            runtime.block_on(day(database));
        }
    }
    if let Some(cluster) = &cluster {
        if wanted("workers") {
            println!("workers, PostgreSQL");
            for count in [1, 2, 4, 8] {
                runtime.block_on(workers(&cluster.database(), count));
            }
        }
        if wanted("province") {
            println!("province, PostgreSQL");
            runtime.block_on(province(&cluster.database()));
        }
    }
    runtime.shutdown_background();
}

/// A database, a store and a configuration that are gone with it.
struct Office {
    address: String,
    folder: tempfile::TempDir,
}

impl Office {
    fn new(database: Option<String>) -> Office {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ledger.db");
        Office { address: database.unwrap_or_else(|| format!("sqlite:{}", file.display())), folder }
    }

    fn config(&self, store: &str, rest: &str) -> String {
        format!(
            "[fetch]\nstore = '{}'\nallow = ['127.0.0.0/8']\npace = '1ms'\nrequests-per-second = 1000\n\
             [server]\nlisten = '127.0.0.1:0'\nrequests-per-second = 100000\n{rest}",
            self.folder.path().join(store).display()
        )
    }

    async fn service(&self, rest: &str) -> Running {
        let rules = Arc::new(RuleSet::embedded().unwrap());
        let options = Options {
            database: self.address.clone(),
            config: Config::parse(&self.config("store", rest)).unwrap(),
            scanner: Arc::new(Scanner::new(rules.clone(), FilingRecord::Unknown)),
            rules,
            store: Store::open(&self.folder.path().join("store")).unwrap(),
            serves: true,
        };
        let service = Service::start(options).await.unwrap();
        let (app, address) = (service.app().clone(), service.address().unwrap().to_string());
        let password = service.first_password().unwrap_or_default().to_owned();
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(service.run(stopped));
        Running { app, address, password, stop, task }
    }

    /// A worker as a process of its own, with the store of all.
    fn worker(&self, number: usize, rest: &str) -> Process {
        let path = self.folder.path().join(format!("{number}.toml"));
        fs::write(&path, self.config("store", rest)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_zhijian"));
        command.args(["worker", "--config"]).arg(path).args(["--database", &self.address]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Process(command.spawn().unwrap())
    }
}

struct Running {
    app: App,
    address: String,
    password: String,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
}

impl Running {
    async fn end(self) {
        self.stop.send_replace(true);
        self.task.await.unwrap();
    }

    /// Logs in for the first time, and makes a token.
    async fn token(&self) -> String {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let url = |path: &str| format!("http://{}/api/v1{path}", self.address);
        let kind = ("content-type", "application/json");
        let body = json!({ "name": "admin", "password": self.password });
        let request = client.post(url("/session")).header(kind.0, kind.1).body(body.to_string());
        let response = request.send().await.unwrap();
        let cookie = response.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let session: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        let send = async |method: reqwest::Method, path: &str, body: Value| {
            let request = client.request(method, url(path)).header(kind.0, kind.1).header("cookie", &cookie);
            let request = request.header("x-csrf-token", session["csrf"].as_str().unwrap());
            request.body(body.to_string()).send().await.unwrap().text().await.unwrap()
        };
        let new = json!({ "old": self.password, "new": "长期口令-测速-2026" });
        send(reqwest::Method::PUT, "/session/password", new).await;
        let made = json!({ "label": "bench", "role": "reader", "days": 1 });
        let made: Value = serde_json::from_str(&send(reqwest::Method::POST, "/tokens", made).await).unwrap();
        made["secret"].as_str().unwrap().to_owned()
    }
}

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Requests of one connection, one after the other: how long each took.
async fn read(
    address: &str,
    token: &str,
    next: &AtomicUsize,
    path: &dyn Fn(usize) -> String,
) -> Vec<Duration> {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let mut times = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= READS {
            return times;
        }
        let path = path(number);
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n");
        let begun = Instant::now();
        writer.write_all(request.as_bytes()).await.unwrap();
        let mut line = String::new();
        reader.read_line(&mut line).await.unwrap();
        assert!(line.starts_with("HTTP/1.1 200"), "{path}: {line}");
        let mut length = 0;
        loop {
            line.clear();
            reader.read_line(&mut line).await.unwrap();
            let head = line.trim_end().to_ascii_lowercase();
            if head.is_empty() {
                break;
            }
            if let Some(value) = head.strip_prefix("content-length: ") {
                length = value.parse().unwrap();
            }
        }
        assert!(length > 0, "{path}: no length");
        let mut body = vec![0; length];
        reader.read_exact(&mut body).await.unwrap();
        times.push(begun.elapsed());
    }
}

async fn measure(name: &str, address: &str, token: &str, path: impl Fn(usize) -> String + Copy) {
    let next = AtomicUsize::new(0);
    let begun = Instant::now();
    let all = futures_util::future::join_all((0..CLIENTS).map(|_| read(address, token, &next, &path))).await;
    let elapsed = begun.elapsed();
    let mut times: Vec<Duration> = all.into_iter().flatten().collect();
    times.sort();
    let at = |part: usize| times[times.len() * part / 100].as_secs_f64() * 1e3;
    println!(
        "  {name:<22} {:>6.0} a second, half in {:.1} ms, 99 of 100 in {:.1} ms",
        times.len() as f64 / elapsed.as_secs_f64(),
        at(50),
        at(99)
    );
}

async fn api(database: Option<String>) {
    let office = Office::new(database);
    let running = office.service("workers = 0\nscheduled-workers = 0\n").await;
    let now = Timestamp::now();
    for part in 0..TARGETS / 10_000 {
        let events: Vec<Event> = (part * 10_000..(part + 1) * 10_000)
            .map(|number| Event {
                target: target(number),
                at: now,
                actor: "bench".into(),
                deed: Deed::Enrolled { entry: Box::new(entry(number)) },
            })
            .collect();
        running.app.ledger.append(&events).await.unwrap();
    }
    running.app.catch_up().await.unwrap();
    let (address, token) = (running.address.as_str(), running.token().await);
    measure("/healthz", address, &token, |_| "/healthz".into()).await;
    let one = |number: usize| format!("/api/v1/targets/{}", target(number * 7919 % TARGETS));
    measure("one target", address, &token, one).await;
    let events = |number: usize| format!("/api/v1/targets/{}/events", target(number * 7919 % TARGETS));
    measure("its events", address, &token, events).await;
    let list = |number: usize| {
        format!(
            "/api/v1/targets?limit=20&region=%E7%A4%BA%E4%BE%8B%E7%9C%81/%E7%A4%BA%E4%BE%8B%E5%B8%82{}",
            number % 21
        )
    };
    measure("20 of a region", address, &token, list).await;
    let mix = |number: usize| match number % 10 {
        0 => list(number),
        1..=4 => events(number),
        _ => one(number),
    };
    measure("1 list, 4 events, 5 ones", address, &token, mix).await;
    running.end().await;
}

fn target(number: usize) -> String {
    format!("app:cn.gov.example.a{number:05}")
}

fn entry(number: usize) -> RosterEntry {
    RosterEntry {
        id: Some(format!("cn.gov.example.a{number:05}")),
        name: Some(format!("示例应用{number}")),
        owner: Some(format!("示例市第{}局", number % 300)),
        level: Some(OfficeLevel::ALL[number % 5]),
        region: Some(format!("示例省/示例市{}", number % 21)),
        ..RosterEntry::new(TargetKind::App)
    }
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)).unwrap()
}

async fn take_in(app: &App, bytes: Vec<u8>) -> String {
    let pieces = [Ok::<_, String>(Bytes::from(bytes))];
    app.take_in(futures_util::stream::iter(pieces), "bench").await.unwrap()
}

async fn roster(app: &App, text: String) -> String {
    let sha256 = take_in(app, text.into_bytes()).await;
    app.add_roster("名录", &sha256, "bench").await.unwrap().unwrap().id
}

async fn over(app: &App, id: &str) -> Job {
    loop {
        let job = app.jobs().one(id).await.unwrap().unwrap();
        if !job.state.is_open() {
            return job;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn run(roster: &str) -> Call {
    let what = What::Run { roster: roster.to_owned(), filter: Filter::default(), weixin: None, spread: 0 };
    Call {
        what,
        lane: Lane::Schedule,
        key: "run".into(),
        actor: "bench".into(),
        after: Duration::ZERO,
        parent: None,
    }
}

/// Servers on several addresses whose pages take a while.
fn servers(count: u8, pause: Duration) -> Vec<Server> {
    let page = |number: u8| {
        Server::open(&format!("127.0.1.{number}"), move |request| {
            let headers = [("Content-Type", "text/html; charset=utf-8")];
            let text = String::from_utf8(fixture("page/government.html")).unwrap();
            // Each page is another.
            let text = text.replace("</body>", &format!("<p>{}</p></body>", request.path));
            let mut steps = vec![Step::Pause(pause)];
            steps.extend(answer("200 OK", &headers, text.as_bytes()));
            steps
        })
    };
    (1..=count).map(page).collect()
}

fn page_rows(servers: &[Server], count: usize) -> String {
    let row = |number: usize| {
        let server = &servers[number % servers.len()];
        format!("公众账号,第{number}号,{},某市人民政府\n", server.url(&format!("/p/{number}")))
    };
    (0..count).map(row).collect()
}

const HEAD: &str = "类型,名称,地址,主办单位\n";

async fn demand(database: Option<String>) {
    let office = Office::new(database);
    let running = office.service("").await;
    let app = &running.app;
    let servers = servers(8, Duration::from_millis(100));
    let id = roster(app, format!("{HEAD}{}", page_rows(&servers, 2_000))).await;
    let (long, _) = app.jobs().call(run(&id)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let mut waits = Vec::new();
    for number in 0..10u8 {
        // 20 MB that cannot be compressed away: what a package of that size costs to take in.
        let sha256 = take_in(app, large(number)).await;
        let job = app.scan_upload(&sha256, "大.apk", Some(&format!("大{number}")), "bench").await.unwrap();
        let done = over(app, &job.id).await;
        assert_eq!(done.state, State::Done, "{done:?}");
        waits.push(done.started.unwrap().duration_since(done.created).as_secs_f64());
    }
    waits.sort_by(f64::total_cmp);
    let open = app.jobs().one(&long.id).await.unwrap().unwrap().state.is_open();
    println!("  begins after {:.2} s, at most {:.2} s; the run was under way: {open}", waits[5], waits[9]);
    app.jobs().cancel(&long.id).await.unwrap();
    running.end().await;
}

/// A package of 20 MB.
fn large(number: u8) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    let mut package = zip::ZipWriter::new(&mut out);
    let mut fixed = zip::ZipArchive::new(std::io::Cursor::new(fixture("built/grid-patrol.apk"))).unwrap();
    for at in 0..fixed.len() {
        package.raw_copy_file(fixed.by_index_raw(at).unwrap()).unwrap();
    }
    let stored = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    package.start_file("assets/data.bin", stored).unwrap();
    let mut random = fastrand::Rng::with_seed(number.into());
    let bytes: Vec<u8> = (0..20 << 20).map(|_| random.u8(..)).collect();
    std::io::Write::write_all(&mut package, &bytes).unwrap();
    package.finish().unwrap();
    out.into_inner()
}

async fn workers(database: &str, count: usize) {
    let office = Office::new(Some(database.to_owned()));
    let running = office.service("workers = 0\nscheduled-workers = 0\n").await;
    let app = &running.app;
    let servers = servers(64, Duration::from_millis(500));
    let id = roster(app, format!("{HEAD}{}", page_rows(&servers, 800))).await;
    let _workers: Vec<Process> =
        (0..count).map(|number| office.worker(number, "workers = 0\nscheduled-workers = 1\n")).collect();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let begun = Instant::now();
    let mut call = run(&id);
    call.key = format!("run {count}");
    let (job, _) = app.jobs().call(call).await.unwrap();
    let done = over(app, &job.id).await;
    let figures: Figures = serde_json::from_value(done.result.clone()).unwrap();
    let seconds = begun.elapsed().as_secs_f64();
    println!("  {count} workers  {seconds:.1} s, {:.0} pages a second  {figures:?}", 800.0 / seconds);
    assert_eq!((done.state, figures.scanned + figures.unchanged), (State::Done, 800), "{done:?}");
    running.end().await;
}

async fn day(database: Option<String>) {
    let office = Office::new(database);
    let start: Timestamp = "2026-11-25T16:00:00Z".parse().unwrap();
    let now = Arc::new(AtomicI64::new(start.as_second()));
    let read = now.clone();
    let clock = Box::new(move || Timestamp::from_second(read.load(Ordering::SeqCst)).unwrap());
    let ledger = Ledger::open(&office.address).await.unwrap();
    let store = Store::open(&office.folder.path().join("store")).unwrap();
    let config = Config::parse(&office.config("store", "")).unwrap();
    let app = App::with_clock(ledger, RuleSet::embedded().unwrap(), store, config, clock);
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
    // As many schedules as a province has cities and offices.
    for number in 0..50u32 {
        let when = match number % 3 {
            0 => When::EveryHours(4),
            1 => When::Cron(format!("{} 2 * * *", number)),
            _ => When::Daily(vec!["08:00".into(), "20:00".into()]),
        };
        app.put_schedule(None, &format!("{number}"), &plan(when, 600), true, "bench").await.unwrap().unwrap();
    }
    let begun = Instant::now();
    let mut called = 0;
    for second in (0..24 * 3600).step_by(10) {
        now.store(start.as_second() + second, Ordering::SeqCst);
        for job in app.tick().await.unwrap() {
            called += 1;
            app.jobs().cancel(&job.id).await.unwrap();
        }
    }
    println!("  50 schedules, 8,640 looks, {called} runs called for: {:.1} s", begun.elapsed().as_secs_f64());
}

async fn province(database: &str) {
    const PACKAGES: usize = 1_000;
    const PAGES: usize = 9_000;
    let office = Office::new(Some(database.to_owned()));
    let running = office.service("workers = 0\nscheduled-workers = 0\n").await;
    let app = &running.app;
    let packages = Server::open("127.0.2.1", |request| {
        let number: u16 = request.path.trim_start_matches("/a/").trim_end_matches(".apk").parse().unwrap();
        let bytes = package::numbered("built/grid-patrol.apk", number);
        answer("200 OK", &[("Content-Type", "application/vnd.android.package-archive")], &bytes)
    });
    let servers = servers(64, Duration::from_millis(20));
    let mut text = HEAD.to_owned();
    for number in 0..PACKAGES {
        let url = packages.url(&format!("/a/{number}.apk"));
        text.push_str(&format!("应用程序,应用{number},{url},某市第{}局\n", number % 300));
    }
    text.push_str(&page_rows(&servers, PAGES));
    let id = roster(app, text).await;
    let folder: PathBuf = office.folder.path().join("store");
    let _workers: Vec<Process> =
        (0..2).map(|number| office.worker(number, "workers = 0\nscheduled-workers = 2\n")).collect();
    let begun = Instant::now();
    let (job, _) = app.jobs().call(run(&id)).await.unwrap();
    let done = over(app, &job.id).await;
    let seconds = begun.elapsed().as_secs_f64();
    let figures: Figures = serde_json::from_value(done.result.clone()).unwrap();
    println!("  {seconds:.0} s, {:.0} targets a second, {:?}, {figures:?}", 10_000.0 / seconds, done.state);
    let each = |_: &str, events: Vec<zhijian::ledger::Recorded>| {
        events.iter().filter(|event| matches!(event.event.deed, Deed::Scanned(_))).count()
    };
    let scans: usize = app.ledger.map_targets(each).await.unwrap().into_iter().sum();
    println!("  {scans} scans in the ledger; the store {} MB", size(&folder) >> 20);
    running.end().await;
}

fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let of = |entry: fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => size(&entry.path()),
        _ => entry.metadata().map_or(0, |metadata| metadata.len()),
    };
    entries.map(of).sum()
}
