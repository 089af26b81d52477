//! Rosters as a whole, against servers of our own on loopback: planned, run, killed, gone on with.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::common::server::{Request, Server, Step, answer};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use unicode_width::UnicodeWidthStr;

/// A folder with a roster, a configuration and a store.
struct Office {
    dir: TempDir,
}

impl Office {
    fn new(rows: &str, servers: &[&Server]) -> Office {
        Office::with(rows, servers, "")
    }

    fn with(rows: &str, servers: &[&Server], more: &str) -> Office {
        let dir = tempfile::tempdir().unwrap();
        let allow: Vec<String> = servers.iter().map(|server| format!("'{}'", server.authority())).collect();
        let config = format!(
            "[fetch]\nstore = '{}'\nallow = [{}]\npace = '1ms'\ntimeout = '10s'\nretries = 1\nlongest-wait = '3s'\n{more}",
            dir.path().join("store").display(),
            allow.join(", "),
        );
        fs::write(dir.path().join("zhijian.toml"), config).unwrap();
        fs::write(dir.path().join("roster.csv"), format!("类型,名称,地址,主办单位\n{rows}")).unwrap();
        Office { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zhijian"));
        let (name, rest) = args.split_first().unwrap();
        command
            .arg(name)
            .arg(self.path("roster.csv"))
            .args(rest)
            .arg("--config")
            .arg(self.path("zhijian.toml"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// The output as JSON, and the exit code.
    fn json(&self, args: &[&str]) -> (Value, i32) {
        let output = self.run(&[args, &["--format", "json"]].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let value = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
        (value, output.status.code().unwrap())
    }

    fn start(&self) -> Child {
        self.command(&["run", "--quiet"]).spawn().unwrap()
    }

    /// The folder of the roster's runs.
    fn runs(&self) -> PathBuf {
        let mut folders = fs::read_dir(self.path("store/runs")).unwrap();
        folders.next().unwrap().unwrap().path()
    }

    /// Lines of targets in the latest log.
    fn logged(&self) -> usize {
        let Ok(folders) = fs::read_dir(self.path("store/runs")) else { return 0 };
        let mut logs: Vec<PathBuf> = folders
            .flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap())
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"))
            .collect();
        logs.sort();
        let text = logs.pop().map_or_else(String::new, |log| fs::read_to_string(log).unwrap());
        text.lines().filter(|line| line.contains(r#""event":"target""#)).count()
    }

    fn reports(&self) -> Vec<Value> {
        let reports = fs::read_dir(self.runs().join("reports")).unwrap();
        reports
            .map(|entry| serde_json::from_slice(&fs::read(entry.unwrap().path()).unwrap()).unwrap())
            .collect()
    }
}

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)).unwrap()
}

fn wait(what: &str, mut until: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !until() {
        assert!(begun.elapsed() < Duration::from_secs(60), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// How often each address was asked for, `robots.txt` left out.
fn asked(server: &Server) -> BTreeMap<String, usize> {
    let mut paths = BTreeMap::new();
    server.heard().into_iter().for_each(|request| *paths.entry(request.path).or_default() += 1);
    paths
}

fn html(body: &[u8]) -> Vec<Step> {
    answer("200 OK", &[("Content-Type", "text/html; charset=utf-8")], body)
}

/// Content with a tag, sent only when the client does not have it.
fn tagged(request: &Request, kind: &str, body: &[u8]) -> Vec<Step> {
    match request.header("if-none-match") {
        Some("\"1\"") => answer("304 Not Modified", &[("ETag", "\"1\"")], b""),
        _ => answer("200 OK", &[("ETag", "\"1\""), ("Content-Type", kind)], body),
    }
}

fn count(summary: &Value, name: &str) -> u64 {
    summary["counts"][name].as_u64().unwrap()
}

/// By line of the roster: what became of it and why.
fn missed(summary: &Value) -> BTreeMap<u64, (String, String)> {
    let text = |one: &Value, key: &str| one[key].as_str().unwrap().to_owned();
    let missed = summary["missed"].as_array().unwrap();
    missed
        .iter()
        .map(|one| (one["line"].as_u64().unwrap(), (text(one, "outcome"), text(one, "cause"))))
        .collect()
}

/// A repository with one app in it.
fn repository(path: &str) -> Vec<Step> {
    let package = fixture("built/near-misses.apk");
    let index = r#"{"packages":{"cn.gov.example":{"metadata":{"name":{"zh-CN":"某市办事"}},"versions":{"a":{"added":1,
        "file":{"name":"/app.apk"},"manifest":{"versionCode":1,"versionName":"1.0"}}}}}}"#;
    let digest: String = Sha256::digest(index.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    match path {
        "/repo/entry.json" => {
            let entry = format!(r#"{{"index":{{"name":"/index.json","sha256":"{digest}"}}}}"#);
            answer("200 OK", &[], entry.as_bytes())
        }
        "/repo/index.json" => answer("200 OK", &[], index.as_bytes()),
        "/repo/app.apk" => answer("200 OK", &[("ETag", "\"1\"")], &package),
        _ => answer("404 Not Found", &[], b""),
    }
}

#[test]
fn a_roster_is_killed_half_way_gone_on_with_and_every_target_fetched_once() {
    let arrived = Arc::new(AtomicBool::new(false));
    let seen = arrived.clone();
    // Holds back the seventh page until the run is killed; every copy of a page has other bytes and the same text.
    let copies = AtomicU32::new(0);
    let pages = Server::open("127.0.0.1", move |request| {
        if request.path == "/p/7" && !seen.swap(true, Ordering::SeqCst) {
            return vec![Step::Pause(Duration::from_secs(60))];
        }
        let page = String::from_utf8(fixture("page/government.html")).unwrap();
        let copy = copies.fetch_add(1, Ordering::SeqCst);
        html(page.replace("</body>", &format!("<!-- {copy} --></body>")).as_bytes())
    });
    let packages = Server::open("127.0.0.2", |request| match request.path.as_str() {
        "/grid.apk" => {
            tagged(request, "application/vnd.android.package-archive", &fixture("built/grid-patrol.apk"))
        }
        _ => answer("404 Not Found", &[], b""),
    });
    let store = Server::open("127.0.0.3", |request| repository(&request.path));
    let sites = Server::open("127.0.0.4", |request| match request.path.as_str() {
        "/s/1" => html(&fixture("page/article.html")),
        "/feed" => tagged(request, "application/rss+xml", &fixture("page/feed.rss")),
        "/moved" => answer("301 Moved Permanently", &[("Location", "/here")], b""),
        _ => html(&fixture("page/notice.html")),
    });
    let servers = [&pages, &packages, &store, &sites];
    let mut rows = format!(
        "移动应用程序,网格通,{},某市大数据局\n移动应用程序,办事,{}#cn.gov.example,\n公众账号,示例县发布,{},示例县人民政府\n\
         公众账号,门户订阅,{},\n公众账号,门户,{},\n公众账号,示例县发布,saved.html,\n小程序,随手拍,punch.wxapkg,\n\
         移动应用程序,办事大厅,hall,\n公众账号,微博,weibo.csv,\n\
         工作群组,网格群,grid.json,\n",
        packages.url("/grid.apk"),
        store.url("/repo"),
        sites.url("/s/1"),
        sites.url("/feed"),
        sites.url("/moved"),
    );
    let local = 5;
    (1..=12).for_each(|n| rows.push_str(&format!("公众账号,第{n}号,{},\n", pages.url(&format!("/p/{n}")))));
    let total = 22;
    let office = Office::new(&rows, &servers);
    fs::write(office.path("saved.html"), fixture("page/article.html")).unwrap();
    fs::write(office.path("punch.wxapkg"), fixture("built/punch.wxapkg")).unwrap();
    fs::write(office.path("grid.json"), fixture("group/grid.json")).unwrap();
    fs::write(office.path("weibo.csv"), fixture("page/weibo.csv")).unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/h5/hall/site"), &office.path("hall"));

    let (plan, code) = office.json(&["plan"]);
    assert_eq!((code, plan["targets"].as_array().unwrap().len()), (0, total));
    assert_eq!(
        (plan["actions"]["fetch"].as_u64(), plan["actions"]["read"].as_u64()),
        (Some(17), Some(local))
    );
    let hosts = plan["hosts"].as_array().unwrap();
    let of = |host: &str| hosts.iter().find(|one| one["host"] == host).unwrap()["requests"].as_u64().unwrap();
    assert_eq!((of("127.0.0.1"), of("127.0.0.2"), of("127.0.0.3"), of("127.0.0.4")), (13, 2, 2, 4));
    assert_eq!(plan["unplaced"], 1);
    assert!(servers.iter().all(|server| server.all().is_empty()), "a plan asks nobody");

    let mut child = office.start();
    wait("the seventh page", || arrived.load(Ordering::SeqCst));
    // All but the pages from the seventh on.
    wait("the others", || office.logged() == total - 6);
    child.kill().unwrap();
    child.wait().unwrap();
    // What a kill in the middle of a write leaves.
    let log = office.runs().join("0001.jsonl");
    let mut torn = fs::read(&log).unwrap();
    torn.extend_from_slice(b"{\"event\":\"target\",\"time\":\"2026-");
    fs::write(&log, torn).unwrap();

    let (plan, _) = office.json(&["plan"]);
    assert_eq!((plan["actions"]["done"].as_u64(), plan["actions"]["fetch"].as_u64()), (Some(16), Some(6)));
    assert!(plan["resumes"].is_string());

    let (summary, code) = office.json(&["run"]);
    assert_eq!((count(&summary, "planned"), count(&summary, "scanned")), (22, 22), "{summary:#}");
    assert_eq!((code, &summary["complete"]), (0, &Value::Bool(true)));
    assert!(
        summary["findings"]["confirmed"].as_u64().unwrap() > 0,
        "the patrol app has prohibited functions"
    );
    let again: Vec<String> = servers
        .iter()
        .flat_map(|server| asked(server))
        .filter(|(_, times)| *times > 1)
        .map(|(path, _)| path)
        .collect();
    assert_eq!(again, ["/p/7"], "only what was in flight when the run was killed is asked for again");
    assert_eq!(asked(&pages).len(), 12);
    assert_eq!(asked(&store).into_values().sum::<usize>(), 3);
    let reports = office.reports();
    assert_eq!(reports.len(), total);
    let of = |name: &str| reports.iter().find(|report| report["registered"]["name"] == name).unwrap();
    assert_eq!(of("办事")["listing"]["name"], "某市办事");
    assert_eq!(
        of("门户")["page"]["address"],
        sites.url("/here").as_str(),
        "where it came from after redirects"
    );
    assert_eq!(of("网格群")["target"]["kind"], "group");
    assert_eq!(of("网格通")["registered"]["owner"], "某市大数据局");

    // Nothing has changed: nothing is to be done, and nobody is asked.
    let before: usize = servers.iter().map(|server| server.all().len()).sum();
    let heard = || servers.iter().map(|server| server.all().len()).sum::<usize>() - before;
    let (plan, _) = office.json(&["plan"]);
    assert_eq!(
        (plan["actions"]["keep"].as_u64(), plan["actions"]["read"].as_u64()),
        (Some(21), Some(1)),
        "{plan:#}"
    );
    let (summary, code) = office.json(&["run"]);
    assert_eq!((count(&summary, "unchanged"), code, heard()), (22, 0, 0), "{summary:#}");

    // Other rules: everything is scanned again, and nobody is asked.
    let rules = office.path("rules");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("rules"), &rules);
    let policy = rules.join("policy.yaml");
    fs::write(&policy, format!("{}# another\n", fs::read_to_string(&policy).unwrap())).unwrap();
    let rules = rules.to_str().unwrap();
    let (plan, _) = office.json(&["plan", "--rules", rules]);
    assert_eq!(
        (plan["actions"]["rescan"].as_u64(), plan["actions"]["read"].as_u64()),
        (Some(17), Some(local))
    );
    let (summary, code) = office.json(&["run", "--rules", rules]);
    assert_eq!((count(&summary, "scanned"), code, heard()), (22, 0, 0), "{summary:#}");

    // Too old: what has a tag is asked for on condition, and pages with other bytes and the same text are the same.
    let (plan, _) = office.json(&["plan", "--rules", rules, "--max-age", "0s"]);
    assert_eq!((plan["actions"]["recheck"].as_u64(), plan["actions"]["fetch"].as_u64()), (Some(3), Some(14)));
    let (summary, code) = office.json(&["run", "--rules", rules, "--max-age", "0s"]);
    assert_eq!((count(&summary, "unchanged"), code), (22, 0), "{summary:#}");
    let conditional =
        packages.heard().into_iter().filter(|one| one.header("if-none-match").is_some()).count();
    assert_eq!(conditional, 1);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        match entry.path().is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
        }
    }
}

#[test]
fn every_failure_is_in_the_summary_with_its_reason() {
    let page = || html(&fixture("page/notice.html"));
    let tries = AtomicU32::new(0);
    let busy = Server::open("127.0.0.1", move |_| match tries.fetch_add(1, Ordering::SeqCst) {
        0 => answer("429 Too Many Requests", &[("Retry-After", "1")], b""),
        _ => page(),
    });
    let closed = Server::open("127.0.0.2", |_| answer("429 Too Many", &[("Retry-After", "7200")], b""));
    let broken = Server::open("127.0.0.3", |request| match request.path.as_str() {
        "/gone" => answer("404 Not Found", &[], b""),
        "/inside" => answer("302 Found", &[("Location", "http://10.1.2.3/")], b""),
        "/weixin" => answer("302 Found", &[("Location", "https://mp.weixin.qq.com/s/abc")], b""),
        "/app.apk" => html(&fixture("page/notice.html")),
        _ => answer("500 Oops", &[], b""),
    });
    let robots = Server::start("127.0.0.4", |request| match request.path.as_str() {
        "/robots.txt" => answer("200 OK", &[], b"User-agent: *\nDisallow: /inner/\n"),
        _ => html(&fixture("page/notice.html")),
    });
    let down = Server::start("127.0.0.5", |_| answer("503 Down", &[], b""));
    let wall = Server::open("127.0.0.6", |_| html(&fixture("page/captcha.html")));
    let store = Server::open("127.0.0.7", |request| repository(&request.path));
    let vanished = {
        let listener = std::net::TcpListener::bind("127.0.0.8:0").unwrap();
        listener.local_addr().unwrap()
    };
    let urls = [
        ("account", busy.url("/a"), "scanned"),
        ("account", closed.url("/a"), "stopped"),
        ("account", closed.url("/b"), "stopped"),
        ("account", broken.url("/gone"), "status"),
        ("account", broken.url("/inside"), "refused"),
        ("account", broken.url("/weixin"), "weixin"),
        ("app", broken.url("/app.apk"), "unscannable"),
        ("account", broken.url("/oops"), "status"),
        ("account", robots.url("/inner/a"), "robots"),
        ("account", robots.url("/open/a"), "scanned"),
        ("account", down.url("/a"), "no-robots"),
        ("account", wall.url("/a"), "wall"),
        ("account", wall.url("/b"), "stopped"),
        ("app", store.url("/repo#cn.gov.other"), "app-store"),
        ("account", format!("http://{vanished}/a"), "no-robots"),
        ("account", "http://127.0.0.99/".into(), "refused"),
    ];
    let mut rows: String =
        urls.iter().enumerate().map(|(n, (kind, url, _))| format!("{kind},目标{n},{url},\n")).collect();
    let skipped = [
        ("account,公众号,https://mp.weixin.qq.com/s/abc", "weixin"),
        ("account,微博,https://weibo.com/u/1", "platform"),
        ("account,抖音,https://www.douyin.com/user/1", "platform"),
        ("group,值守群,https://www.example.gov.cn/g", "group"),
        ("mini-program,没有地址,", "no-address"),
        ("app,没有文件,none.apk", "no-file"),
        ("网站,类型有误,https://www.example.gov.cn/", "bad-row"),
    ];
    skipped.iter().for_each(|(row, _)| rows.push_str(&format!("{row},\n")));
    rows.push_str(&format!("account,重复,{},\n", busy.url("/a")));
    let servers = [&busy, &closed, &broken, &robots, &down, &wall, &store];
    let office = Office::new(&rows, &servers);
    let config = fs::read_to_string(office.path("zhijian.toml")).unwrap();
    fs::write(office.path("zhijian.toml"), config.replace("allow = [", &format!("allow = ['{vanished}', ")))
        .unwrap();

    let (summary, code) = office.json(&["run"]);
    let found = missed(&summary);
    for (at, (_, url, expected)) in urls.iter().enumerate() {
        match found.get(&(at as u64 + 2)) {
            None => assert_eq!(*expected, "scanned", "{url}"),
            Some((outcome, cause)) => {
                assert_eq!((outcome.as_str(), cause.as_str()), ("failed", *expected), "{url}")
            }
        }
    }
    for (at, (row, expected)) in skipped.iter().enumerate() {
        let (outcome, cause) = &found[&((urls.len() + at) as u64 + 2)];
        assert_eq!((outcome.as_str(), cause.as_str()), ("skipped", *expected), "{row}");
    }
    let counts =
        ["planned", "scanned", "unchanged", "failed", "skipped", "left"].map(|name| count(&summary, name));
    assert_eq!(counts, [23, 2, 0, 14, 7, 0]);
    assert_eq!((code, &summary["complete"]), (3, &Value::Bool(false)));
    assert_eq!(summary["repeated"], serde_json::json!([[25, 2]]));
    assert_eq!(wall.heard().len(), 1, "nothing is asked behind a wall");
    assert_eq!(closed.heard().len(), 1);
    assert_eq!(robots.heard().len(), 1);
    assert!(down.heard().is_empty());
    for reason in summary["missed"].as_array().unwrap() {
        assert!(!reason["zh"].as_str().unwrap().is_empty() && !reason["en"].as_str().unwrap().is_empty());
    }
    let on_disk: Value =
        serde_json::from_slice(&fs::read(office.runs().join("summary.json")).unwrap()).unwrap();
    assert_eq!(on_disk, summary);

    // The run is over; the next one tries again what failed.
    let (plan, _) = office.json(&["plan"]);
    assert_eq!(plan["resumes"], Value::Null);
    assert_eq!(
        (plan["actions"]["fetch"].as_u64(), plan["actions"]["keep"].as_u64()),
        (Some(13), Some(2)),
        "{plan:#}"
    );
}

#[test]
fn one_run_of_a_roster_at_a_time_and_a_crash_leaves_no_lock() {
    let held = Arc::new(AtomicBool::new(true));
    let holds = held.clone();
    let server = Server::open("127.0.0.1", move |_| {
        if holds.load(Ordering::SeqCst) {
            return vec![Step::Pause(Duration::from_secs(60))];
        }
        html(&fixture("page/notice.html"))
    });
    let office = Office::new(&format!("account,甲,{},\n", server.url("/a")), &[&server]);
    let mut first = office.start();
    wait("a request", || !server.heard().is_empty());
    let second = office.run(&["run", "--lang", "en"]);
    assert_eq!(second.status.code(), Some(2));
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("another run") && said.contains(&first.id().to_string()), "{said}");
    assert_eq!(office.run(&["plan"]).status.code(), Some(0), "a plan disturbs nobody");
    first.kill().unwrap();
    first.wait().unwrap();
    held.store(false, Ordering::SeqCst);
    let (summary, code) = office.json(&["run"]);
    assert_eq!((count(&summary, "scanned"), code), (1, 0));
}

#[cfg(unix)]
#[test]
fn a_signal_breaks_a_run_off_in_order() {
    let held = Arc::new(AtomicBool::new(true));
    let holds = held.clone();
    let server = Server::open("127.0.0.1", move |request| {
        if request.path == "/2" && holds.load(Ordering::SeqCst) {
            return vec![Step::Pause(Duration::from_secs(60))];
        }
        html(&fixture("page/notice.html"))
    });
    let rows: String = (1..=4).map(|n| format!("account,{n},{},\n", server.url(&format!("/{n}")))).collect();
    let office = Office::new(&rows, &[&server]);
    let child = office.command(&["run", "--format", "json"]).spawn().unwrap();
    wait("the second page", || server.heard().len() == 2 && office.logged() == 1);
    let killed = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(killed.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((count(&summary, "scanned"), count(&summary, "left")), (1, 3));
    held.store(false, Ordering::SeqCst);
    let (summary, code) = office.json(&["run"]);
    assert_eq!((count(&summary, "scanned"), count(&summary, "left"), code), (4, 0, 0));
    assert_eq!(asked(&server)["/1"], 1);
}

#[test]
fn weixin_is_asked_by_nobody_without_leave() {
    let rows = "account,某市发布,https://mp.weixin.qq.com/s/abc,\naccount,某县发布,https://mp.weixin.qq.com/s/def,\n";
    let office = Office::new(rows, &[]);
    let (plan, _) = office.json(&["plan"]);
    assert_eq!((plan["actions"]["skip"].as_u64(), plan["hosts"].as_array().unwrap().len()), (Some(2), 0));
    let (plan, _) = office.json(&["plan", "--weixin", "某网信函〔2026〕1号"]);
    assert_eq!(plan["actions"]["fetch"], 2);
    let host = &plan["hosts"][0];
    // Two pages and `robots.txt`, 5 s between them.
    assert_eq!((host["host"].as_str(), host["requests"].as_u64()), (Some("mp.weixin.qq.com"), Some(3)));
    assert_eq!((host["pace"].as_f64(), plan["least"].as_f64()), (Some(5.0), Some(10.0)));
    assert_eq!(
        office.run(&["plan", "--weixin", ""]).status.code(),
        Some(2),
        "a leave without a name is none"
    );

    for command in ["scan", "fetch"] {
        let output = Command::new(env!("CARGO_BIN_EXE_zhijian"))
            .args([command, "https://mp.weixin.qq.com/s/abc", "--config"])
            .arg(office.path("zhijian.toml"))
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2));
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("该平台禁止自动抓取") && said.contains("--weixin"), "{said}");
    }
    let journal = fs::read_to_string(office.path("store/requests.jsonl")).unwrap();
    assert!(journal.lines().all(|line| line.contains("\"refused\"")), "{journal}");
}

#[test]
fn the_leave_for_weixin_is_kept_with_the_run() {
    let server = Server::open("127.0.0.1", |_| html(&fixture("page/notice.html")));
    let office = Office::new(&format!("account,甲,{},\n", server.url("/a")), &[&server]);
    let (summary, _) = office.json(&["run", "--weixin", "某网信函〔2026〕1号"]);
    assert_eq!(summary["weixin"], "某网信函〔2026〕1号");
    let log = fs::read_to_string(office.runs().join("0001.jsonl")).unwrap();
    assert!(log.lines().next().unwrap().contains("某网信函〔2026〕1号"), "{log}");
}

#[test]
fn plans_and_summaries_fit_the_terminal() {
    let mut rows = String::new();
    for n in 0..30 {
        rows.push_str(&format!(
            "account,某某市某某区第{n}号公众账号,https://site{n}.example.gov.cn/rss.xml,\n"
        ));
        rows.push_str(&format!("account,公众号{n},https://mp.weixin.qq.com/s/{n},\n"));
    }
    let office = Office::with(&rows, &[], "[fetch.host-pace]\n'site7.example.gov.cn' = '90s'\n");
    for lang in ["zh", "en"] {
        let output = office.run(&["plan", "--lang", lang]);
        let shown = String::from_utf8_lossy(&output.stdout).into_owned();
        let wide: Vec<&str> = shown.lines().skip(1).filter(|line| line.width() > 80).collect();
        assert!(wide.is_empty(), "{wide:#?}");
        let hidden = if lang == "zh" {
            ["另有 20 个主机", "另有 20 个；"]
        } else {
            ["20 more hosts", "20 more; "]
        };
        assert!(hidden.iter().all(|words| shown.contains(words)), "what is not shown is counted: {shown}");
        let all = office.run(&["plan", "--lang", lang, "--all"]);
        let all = String::from_utf8_lossy(&all.stdout).into_owned();
        assert_eq!(all.matches(".example.gov.cn").count(), 30);
    }
    let shown = office.run(&["plan"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("site7.example.gov.cn   2     90 秒   1 分 30 秒"), "{shown}");
    assert!(shown.contains("抓取至少需要 1 分 30 秒"), "{shown}");
}
