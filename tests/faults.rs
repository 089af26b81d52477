//! What the service survives as a process: slow clients, many clients, a full disk, machines that share a store.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it left out"
)]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::common::{package, postgres, s3};

/// `zhijian serve` in a folder of its own, and somebody who is logged in.
struct House {
    address: String,
    token: String,
    client: reqwest::Client,
    child: Child,
}

/// Where a process keeps everything, and with what database.
struct Place {
    folder: PathBuf,
    database: String,
}

impl Place {
    fn command(&self, what: &str, config: &str) -> Command {
        let file = self.folder.join(format!("{what}.toml"));
        let store = self.folder.join(what);
        fs::write(&file, format!("[fetch]\nstore = '{}'\n{config}", store.display())).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_zhijian"));
        command.args([what, "--config"]).arg(file).args(["--database", &self.database]);
        command
    }
}

/// With SQLite in a folder, and with PostgreSQL where it is installed.
fn on_both(test: impl Fn(&Place)) {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", folder.path().join("ledger.db").display());
    test(&Place { folder: folder.path().to_owned(), database });
    if let Some(cluster) = postgres::cluster() {
        let folder = tempfile::tempdir().unwrap();
        test(&Place { folder: folder.path().to_owned(), database: cluster.database() });
    }
}

impl House {
    fn start(mut command: Command) -> House {
        let _ = rustls::crypto::ring::default_provider().install_default();
        command.args(["--listen", "127.0.0.1:0", "--lang", "en"]).stdin(Stdio::null());
        let log =
            if std::env::var_os("ZHIJIAN_TEST_LOG").is_some() { Stdio::inherit() } else { Stdio::null() };
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut word = |before: &str| {
            let line = lines.find(|line| line.contains(before)).unwrap_or_else(|| panic!("{before}"));
            let rest = line.split(before).nth(1).unwrap().to_owned();
            rest.split([' ', '/']).next().unwrap().to_owned()
        };
        let address = word("http://");
        let password = word("one-time password ");
        let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(64).build().unwrap();
        let mut house = House { address, token: String::new(), client, child };
        Runtime::new().unwrap().block_on(house.log_in(&password));
        house
    }

    async fn log_in(&mut self, password: &str) {
        let body = json!({ "name": "admin", "password": password });
        let response = self.client.post(self.url("/session")).body(body.to_string());
        let response = response.header("content-type", "application/json").send().await.unwrap();
        let cookie = response.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let csrf: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        let csrf = csrf["csrf"].as_str().unwrap().to_owned();
        let send = async |method: &str, path: &str, body: Value| {
            let request = self.client.request(method.parse().unwrap(), self.url(path)).body(body.to_string());
            let request = request.header("content-type", "application/json").header("cookie", &cookie);
            let response = request.header("x-csrf-token", &csrf).send().await.unwrap();
            assert!(response.status().is_success(), "{path}: {}", response.status());
            response.text().await.unwrap()
        };
        send("PUT", "/session/password", json!({ "old": password, "new": "长期口令-故障-2026" })).await;
        let token =
            send("POST", "/tokens", json!({ "label": "x", "role": "administrator", "days": 2 })).await;
        let token: Value = serde_json::from_str(&token).unwrap();
        self.token = token["secret"].as_str().unwrap().to_owned();
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/api/v1{path}", self.address)
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.client.get(self.url(path)).bearer_auth(&self.token);
        let response = request.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Uploads a file to be scanned: status and answer.
    async fn upload(&self, bytes: &[u8]) -> Result<(u16, Value), reqwest::Error> {
        let mut body = form_head().into_bytes();
        body.extend_from_slice(bytes);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let request = self.client.post(self.url("/scans")).bearer_auth(&self.token).body(body);
        let request = request.header("content-type", format!("multipart/form-data; boundary={BOUNDARY}"));
        let response = request.send().await?;
        let status = response.status().as_u16();
        Ok((status, serde_json::from_str(&response.text().await?).unwrap()))
    }

    async fn job(&self, id: &str) -> Value {
        self.get(&format!("/jobs/{id}")).await
    }

    async fn over(&self, id: &str, within: Duration) -> Value {
        let begun = Instant::now();
        loop {
            let job = self.job(id).await;
            if !matches!(job["state"].as_str(), Some("waiting" | "running")) {
                return job;
            }
            assert!(begun.elapsed() < within, "waited in vain: {job}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Begins a request by hand.
    fn knock(&self, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const BOUNDARY: &str = "zhijian-test-boundary";

fn form_head() -> String {
    format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"包.apk\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    )
}

fn package(number: u16) -> Vec<u8> {
    package::numbered("built/dex-only.apk", number)
}

#[test]
fn whoever_is_slow_does_not_hold_the_service_up() {
    on_both(|place| {
        let config =
            "[server]\nheader-timeout = '1s'\nbody-timeout = '2s'\nworkers = 0\nscheduled-workers = 0\n";
        let house = House::start(place.command("serve", config));
        // A head that never ends; the connection is closed without an answer or with 408.
        let begun = Instant::now();
        let mut slow = house.knock("GET /healthz HTTP/1.1\r\nHost: x\r\nX-");
        let mut said = Vec::new();
        slow.read_to_end(&mut said).unwrap();
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
        // A body of one byte in half a second.
        let head = form_head();
        let mut slow = house.knock(&format!(
            "POST /api/v1/scans HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\n\
             Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: 100000\r\n\r\n{head}",
            house.token
        ));
        let mut writer = slow.try_clone().unwrap();
        let writing = std::thread::spawn(move || {
            let begun = Instant::now();
            while writer.write_all(b"x").is_ok() && begun.elapsed() < Duration::from_secs(15) {
                std::thread::sleep(Duration::from_millis(500));
            }
        });
        let begun = Instant::now();
        let mut said = Vec::new();
        let _ = slow.read_to_end(&mut said);
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(said.starts_with("HTTP/1.1 408"), "{said}");
        assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
        drop(slow);
        writing.join().unwrap();
        // Nothing of it is left, and others are served.
        let partial = place.folder.join("serve").join("partial");
        assert_eq!(fs::read_dir(partial).unwrap().count(), 0);
        let job = Runtime::new().unwrap().block_on(house.upload(&package(1))).unwrap();
        assert_eq!(job.0, 202, "{}", job.1);
    });
}

/// More than there are workers for, and more than anybody sends: each is on disk when it is acknowledged, whoever is
/// refused is told so, and what was acknowledged is done, whenever the server is killed.
#[test]
fn a_thousand_uploads_at_once_and_the_server_is_killed() {
    const UPLOADS: u16 = 1000;
    on_both(|place| {
        let config = "[server]\nrequests-per-second = 10000\nworkers = 0\nscheduled-workers = 0\n";
        let house = Arc::new(House::start(place.command("serve", config)));
        let runtime = Runtime::new().unwrap();
        let begun = Instant::now();
        let acknowledged = runtime.block_on(async {
            let sent = (0..UPLOADS).map(|number| {
                let house = house.clone();
                tokio::spawn(async move { house.upload(&package(number)).await })
            });
            let mut ids = Vec::new();
            for sent in sent.collect::<Vec<_>>() {
                let (status, job) = sent.await.unwrap().unwrap();
                assert_eq!(status, 202, "{job}");
                ids.push(job["id"].as_str().unwrap().to_owned());
            }
            ids
        });
        println!("{UPLOADS} uploads in {:.1} s", begun.elapsed().as_secs_f64());
        // SIGKILL, then another process on the same database.
        drop(Arc::into_inner(house).unwrap());
        let mut unique = acknowledged.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), usize::from(UPLOADS));
        let runtime = Runtime::new().unwrap();
        let (jobs, stored) = runtime.block_on(async {
            let ledger = zhijian::ledger::Ledger::open(&place.database).await.unwrap();
            let jobs = zhijian::server::Jobs::new(ledger.pool().clone(), None);
            let mut found = Vec::new();
            for id in &acknowledged {
                found.push(jobs.one(id).await.unwrap().unwrap_or_else(|| panic!("{id} is lost")));
            }
            let store = zhijian::fetch::Store::open(&place.folder.join("serve")).unwrap();
            let there = |job: &zhijian::server::jobs::Job| match &job.what {
                Some(zhijian::server::jobs::What::ScanUpload { sha256, .. }) => {
                    store.object(sha256).is_some()
                }
                _ => false,
            };
            let stored = found.iter().filter(|job| there(job)).count();
            (found, stored)
        });
        assert_eq!((jobs.len(), stored), (usize::from(UPLOADS), usize::from(UPLOADS)));
    });
}

/// A file system of so many bytes in a name space of its own, in which a command is run. `None` where the system does
/// not let us, which is said.
fn in_small_room(command: &Command, folder: &Path, kib: u32) -> Option<Command> {
    let wrapped = |flags: &[&str]| {
        let mut small = Command::new("unshare");
        small.args(flags).args([
            "--mount",
            "sh",
            "-c",
            r#"mount -t tmpfs -o size="$0" tmpfs "$1" && shift && exec "$@""#,
        ]);
        small.arg(format!("{kib}k")).arg(folder);
        small
    };
    for flags in [&["--user", "--map-root-user"][..], &[]] {
        if wrapped(flags).arg("true").stderr(Stdio::null()).status().is_ok_and(|status| status.success()) {
            let mut small = wrapped(flags);
            small.arg(command.get_program()).args(command.get_args());
            return Some(small);
        }
    }
    println!("NOT TESTED with a full disk: no file system can be mounted here");
    None
}

#[test]
fn a_full_disk_is_told_and_loses_nothing() {
    on_both(|place| {
        let config = "[server]\nworkers = 0\nscheduled-workers = 0\n";
        let command = place.command("serve", config);
        let store = place.folder.join("serve");
        fs::create_dir_all(&store).unwrap();
        // The ledger is elsewhere: room for some packages, and then for none.
        let Some(small) = in_small_room(&command, &store, 600) else { return };
        let house = House::start(small);
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            let mut acknowledged = Vec::new();
            let mut refused = 0;
            for number in 0..60 {
                let (status, answer) = house.upload(&package(number)).await.unwrap();
                match status {
                    202 => acknowledged.push(answer["id"].as_str().unwrap().to_owned()),
                    507 => {
                        assert_eq!(answer["type"], "urn:zhijian:problem:disk-full", "{answer}");
                        refused += 1;
                    }
                    other => panic!("{other}: {answer}"),
                }
            }
            println!("{} acknowledged, {refused} refused", acknowledged.len());
            assert!(acknowledged.len() > 5 && refused > 5, "{} {refused}", acknowledged.len());
            for id in &acknowledged {
                assert_eq!(house.job(id).await["state"], "waiting");
            }
            assert_eq!(house.get("/targets").await["targets"], json!([]), "it still answers");
        });
    });
}

#[test]
fn machines_share_what_was_uploaded() {
    let Some(server) = s3::Server::start() else { return };
    on_both(|place| {
        let bucket = server.bucket();
        let config =
            format!("[server]\nshared-store = 's3://{bucket}/zhijian'\nworkers = 0\nscheduled-workers = 0\n");
        let mut serve = place.command("serve", &config);
        serve.envs(server.variables());
        let house = House::start(serve);
        let runtime = Runtime::new().unwrap();
        runtime.block_on(async {
            let (status, job) = house.upload(&package(7)).await.unwrap();
            assert_eq!(status, 202, "{job}");
            // Another machine has another store.
            let config = format!("[server]\nshared-store = 's3://{bucket}/zhijian'\n");
            let mut worker = place.command("worker", &config);
            worker.envs(server.variables()).stdin(Stdio::null()).stdout(Stdio::null());
            worker.stderr(File::create(place.folder.join("worker.log")).unwrap());
            let mut worker = worker.spawn().unwrap();
            let id = job["id"].as_str().unwrap();
            let done = house.over(id, Duration::from_secs(60)).await;
            let _ = worker.kill();
            let _ = worker.wait();
            let log = fs::read_to_string(place.folder.join("worker.log")).unwrap();
            assert_eq!(done["state"], "done", "{done}\n{log}");
            let sha256 = done["what"]["sha256"].as_str().unwrap();
            for store in ["serve", "worker"] {
                let path = place.folder.join(store).join("objects").join(&sha256[..2]).join(sha256);
                assert_eq!(fs::read(path).unwrap(), package(7), "{store}");
            }
        });
    });
}
