//! A large roster against loopback: how long a run takes beside the least that its paces allow, whether any host was
//! asked faster than its pace (measured by the server), and the most memory the program took.
//!
//! `cargo bench --bench roster -- [ACCOUNTS PACKAGES]`; 10,000 and 1,000 on 100 hosts take about two minutes.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a program run by hand that prints a table"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use server::{Server, answer};
use wait4::Wait4;

#[path = "../tests/common/filler.rs"]
mod filler;
#[path = "../tests/common/server.rs"]
mod server;

const HOSTS: usize = 100;
const PACE: Duration = Duration::from_secs(1);
/// The server hears one request later after it was made than another.
const TOLERANCE: Duration = Duration::from_millis(20);
/// Every so many pages one is as large as a real article.
const LARGE_EVERY: usize = 100;
const LARGE: usize = 4 << 20;
const PACKAGES: [&str; 4] = ["near-misses.apk", "reader.apk", "form-page.apk", "duty.rpk"];

fn main() {
    let numbers: Vec<usize> = std::env::args().filter_map(|arg| arg.parse().ok()).collect();
    let (accounts, packages) = match numbers[..] {
        [accounts, packages] => (accounts, packages),
        _ => (10_000, 1_000),
    };
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let article = fs::read_to_string(fixtures.join("page/article.html")).expect("the fixture is there");
    let large = Arc::new(filler::grown(&article, LARGE));
    let article = Arc::new(article);
    let built: Arc<Vec<Vec<u8>>> = Arc::new(
        PACKAGES
            .iter()
            .map(|name| fs::read(fixtures.join("built").join(name)).expect("it is there"))
            .collect(),
    );
    let servers: Vec<Server> = (1..=HOSTS)
        .map(|n| {
            let (article, large, built) = (article.clone(), large.clone(), built.clone());
            Server::open(&format!("127.0.1.{n}"), move |request| {
                let number = request.path.rsplit('/').next().and_then(|last| last.parse::<usize>().ok());
                let number = number.unwrap_or_default();
                if request.path.starts_with("/app/") {
                    return answer("200 OK", &[("ETag", "\"1\"")], &built[number % built.len()]);
                }
                let page = if number % LARGE_EVERY == 0 { &large } else { &article };
                // Every page is of another account.
                let page = page.replace("示例县发布", &format!("公众账号{number}"));
                answer("200 OK", &[("Content-Type", "text/html; charset=utf-8")], page.as_bytes())
            })
        })
        .collect();

    let dir = tempfile::tempdir().expect("a folder");
    let mut roster = "kind,name,address\n".to_owned();
    for n in 0..accounts {
        let url = servers[n % HOSTS].url(&format!("/s/{n}"));
        writeln!(roster, "account,公众账号{n},{url}").expect("memory");
    }
    for n in 0..packages {
        let url = servers[n % HOSTS].url(&format!("/app/{n}"));
        writeln!(roster, "app,应用{n},{url}").expect("memory");
    }
    let (list, config) = (dir.path().join("roster.csv"), dir.path().join("zhijian.toml"));
    fs::write(&list, roster).expect("disk");
    let allow: Vec<String> = servers.iter().map(|server| format!("'{}'", server.authority())).collect();
    let text = format!(
        "[fetch]\nstore = '{}'\nallow = [{}]\npace = '{}ms'\n",
        dir.path().join("store").display(),
        allow.join(", "),
        PACE.as_millis()
    );
    fs::write(&config, text).expect("disk");

    let begun = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_zhijian"))
        .arg("run")
        .arg(&list)
        .arg("--config")
        .arg(&config)
        .args(["--lang", "en"])
        .stdout(Stdio::inherit())
        .spawn()
        .expect("the program starts");
    let used = child.wait4().expect("the program ends");
    let wall = begun.elapsed();

    let mut requests = 0;
    let mut targets = 0;
    let mut most_in_a_second = 0;
    let mut shortest = Duration::MAX;
    let mut most_of_host = 0;
    for server in &servers {
        let all = server.all();
        requests += all.len();
        most_of_host = most_of_host.max(all.len());
        let times: Vec<Instant> = all.iter().map(|request| request.at).collect();
        for (at, time) in times.iter().enumerate() {
            let within = times[at..].iter().take_while(|other| **other - *time < PACE - TOLERANCE).count();
            most_in_a_second = most_in_a_second.max(within);
        }
        shortest = times.windows(2).map(|pair| pair[1] - pair[0]).fold(shortest, Duration::min);
        let mut paths: BTreeMap<String, usize> = BTreeMap::new();
        server.heard().into_iter().for_each(|request| *paths.entry(request.path).or_default() += 1);
        targets += paths.len();
        assert!(paths.values().all(|times| *times == 1), "a target was asked for twice");
    }
    let least = PACE * u32::try_from(most_of_host.saturating_sub(1)).expect("few");
    println!();
    println!("exit code               {:?}", used.status.code());
    println!("targets                 {targets} of {}", accounts + packages);
    println!(
        "wall time               {:.1} s (least by the pace {:.0} s)",
        wall.as_secs_f64(),
        least.as_secs_f64()
    );
    println!("processor time          {:.1} s", (used.rusage.utime + used.rusage.stime).as_secs_f64());
    println!("requests                {requests}, {:.3} a target", requests as f64 / targets.max(1) as f64);
    println!("most in the pace of 1 s {most_in_a_second}");
    println!("shortest time between   {:.3} s", shortest.as_secs_f64());
    println!("most memory             {:.0} MB", used.rusage.maxrss as f64 / 1e6);
}
