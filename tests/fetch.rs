//! The client against servers of our own on loopback, well and ill behaved.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::common::server::{Request, Server, Step, answer};
use url::Url;
use zhijian::config::Fetch;
use zhijian::fetch::{Ask, Client, FetchError, Got, Journal, Page, Store, Unwatched};

/// Fast, and allowed to speak to these servers and to nobody else on loopback.
fn settings(servers: &[&Server]) -> Fetch {
    Fetch {
        contact: Some("mailto:ops@example.gov.cn".into()),
        pace: Duration::ZERO,
        timeout: Duration::from_secs(2),
        retries: 1,
        longest_wait: Duration::from_secs(3),
        largest_page: 1 << 20,
        allow: servers.iter().map(|server| server.authority().parse().unwrap()).collect(),
        ..Fetch::default()
    }
}

fn client(servers: &[&Server]) -> Client {
    Client::new(&settings(servers), Journal::default()).unwrap()
}

async fn get(client: &Client, address: &str) -> Result<Page, FetchError> {
    match client.page(&Ask::page(address)?).await? {
        Got::Page(page) => Ok(page),
        Got::Unchanged => panic!("unchanged"),
    }
}

fn text(page: &Page) -> &str {
    std::str::from_utf8(&page.bytes).unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_page_comes_whole_and_the_client_says_who_it_is() {
    let server = Server::open("127.0.0.1", |_| {
        answer("200 OK", &[("Content-Encoding", "gzip"), ("ETag", "\"7\"")], &gzip("政务公开".as_bytes()))
    });
    let page = get(&client(&[&server]), &server.url("/a?b=1#c")).await.unwrap();
    assert_eq!(text(&page), "政务公开");
    let heard = server.heard();
    assert_eq!((heard.len(), heard[0].path.as_str()), (1, "/a?b=1"));
    let agent = concat!("zhijian/", env!("CARGO_PKG_VERSION"), " (+mailto:ops@example.gov.cn)");
    assert_eq!(heard[0].header("user-agent"), Some(agent));
    assert_eq!(heard[0].header("cookie"), None);
}

#[tokio::test]
async fn an_unchanged_page_is_not_sent_again() {
    let server = Server::open("127.0.0.1", |request| match request.header("if-none-match") {
        Some("\"7\"") => answer("304 Not Modified", &[], b""),
        _ => answer("200 OK", &[("ETag", "\"7\"")], b"page"),
    });
    let client = client(&[&server]);
    let page = get(&client, &server.url("/")).await.unwrap();
    let again = Ask::page(&server.url("/")).unwrap().unless(page.validators);
    assert!(matches!(client.page(&again).await.unwrap(), Got::Unchanged));
}

#[tokio::test]
async fn one_request_at_a_time_and_never_over_the_pace() {
    let server = Server::open("127.0.0.1", |_| answer("200 OK", &[], b"x"));
    let pace = Duration::from_millis(120);
    let client = Arc::new(Client::new(&Fetch { pace, ..settings(&[&server]) }, Journal::default()).unwrap());
    let urls: Vec<String> = (0..6).map(|n| server.url(&format!("/{n}"))).collect();
    let tasks = urls.into_iter().map(|url| {
        let client = client.clone();
        tokio::spawn(async move { get(&client, &url).await.map(|_| ()) })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap().unwrap();
    }
    let times: Vec<_> = server.all().iter().map(|request| request.at).collect();
    assert_eq!(times.len(), 7, "six pages and one robots.txt");
    // The clock of the server is a little behind that of the client.
    let tolerance = Duration::from_millis(20);
    for pair in times.windows(2) {
        assert!(pair[1] - pair[0] >= pace - tolerance, "{:?}", pair[1] - pair[0]);
    }
}

#[tokio::test]
async fn robots_are_heard_before_anything_else() {
    let server = Server::start("127.0.0.1", |request| match request.path.as_str() {
        "/robots.txt" => answer("200 OK", &[], b"User-agent: *\nDisallow: /inner/\n"),
        _ => answer("200 OK", &[], b"x"),
    });
    let client = client(&[&server]);
    let refused = get(&client, &server.url("/inner/a")).await.unwrap_err();
    assert!(matches!(refused, FetchError::Robots(_)), "{refused}");
    get(&client, &server.url("/open/a")).await.unwrap();
    get(&client, &server.url("/open/b")).await.unwrap();
    let paths: Vec<String> = server.all().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/robots.txt", "/open/a", "/open/b"], "asked once, and never the forbidden page");
}

#[tokio::test]
async fn robots_that_cannot_be_had_forbid_everything() {
    for broken in ["503 Service Unavailable", "500 Internal Server Error"] {
        let server = Server::start("127.0.0.1", move |_| answer(broken, &[], b""));
        let refused = get(&client(&[&server]), &server.url("/a")).await.unwrap_err();
        assert!(matches!(refused, FetchError::RobotsUnreachable { .. }), "{refused}");
        assert!(server.heard().is_empty());
    }
    // Gone, or behind a login, is no word against it (RFC 9309, 2.3.1.3).
    for absent in ["404 Not Found", "403 Forbidden", "401 Unauthorized"] {
        let server = Server::start("127.0.0.1", move |request| match request.path.as_str() {
            "/robots.txt" => answer(absent, &[], b""),
            _ => answer("200 OK", &[], b"x"),
        });
        get(&client(&[&server]), &server.url("/a")).await.unwrap();
    }
}

#[tokio::test]
async fn a_redirect_to_a_private_address_is_refused() {
    let inner = Server::open("127.0.0.2", |_| answer("200 OK", &[], b"secret"));
    let target = inner.url("/secret");
    let server = Server::open("127.0.0.1", move |request| {
        let to = match request.path.as_str() {
            "/direct" => target.clone(),
            "/decimal" => target.replace("127.0.0.2", "2130706434"),
            "/mapped" => target.replace("127.0.0.2", "[::ffff:127.0.0.2]"),
            "/metadata" => "http://169.254.169.254/latest/meta-data/".into(),
            "/file" => "file:///etc/passwd".into(),
            "/name" => target.replace("127.0.0.2", "localhost"),
            _ => "http://user:pass@example.gov.cn/".into(),
        };
        answer("302 Found", &[("Location", &to)], b"")
    });
    let client = client(&[&server]);
    // `localhost` would also be refused for what it resolves to; the client's own tests see to that.
    for path in ["/direct", "/decimal", "/mapped", "/metadata", "/file", "/name", "/credentials"] {
        let refused = get(&client, &server.url(path)).await.unwrap_err();
        assert!(matches!(refused, FetchError::Refused { .. }), "{path}: {refused}");
    }
    assert!(inner.all().is_empty(), "nothing was said to the inner server");
}

#[tokio::test]
async fn redirects_end() {
    let count = AtomicU32::new(0);
    let server = Server::open("127.0.0.1", move |request| {
        let to = match request.path.as_str() {
            "/circle" => "/circle2".to_owned(),
            "/circle2" => "/circle".to_owned(),
            "/good" => "/there?x=1#y".to_owned(),
            "/there?x=1" => return answer("200 OK", &[], b"there"),
            "/nowhere" => return answer("302 Found", &[], b""),
            _ => format!("/on/{}", count.fetch_add(1, Ordering::Relaxed)),
        };
        answer("302 Found", &[("Location", &to)], b"")
    });
    let client = client(&[&server]);
    for path in ["/circle", "/endless", "/nowhere"] {
        let refused = get(&client, &server.url(path)).await.unwrap_err();
        assert!(matches!(refused, FetchError::Redirects { .. }), "{path}: {refused}");
    }
    assert!(server.heard().len() < 20, "{}", server.heard().len());
    let page = get(&client, &server.url("/good")).await.unwrap();
    assert_eq!((text(&page), page.url.as_str()), ("there", server.url("/there?x=1").as_str()));
}

#[tokio::test]
async fn bodies_end() {
    let bomb = gzip(&vec![0; 64 << 20]);
    assert!(bomb.len() < 1 << 20);
    let server = Server::open("127.0.0.1", move |request| match request.path.as_str() {
        "/announced" => {
            vec![Step::Say(b"HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n".to_vec()), Step::Hang]
        }
        "/endless" => vec![
            Step::Say(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec()),
            Step::Repeat(vec![b'a'; 1 << 16], 1 << 30),
        ],
        "/bomb" => answer("200 OK", &[("Content-Encoding", "gzip")], &bomb),
        "/brotli" => answer("200 OK", &[("Content-Encoding", "br")], b"x"),
        _ => answer("200 OK", &[("Content-Encoding", "gzip")], b"no gzip"),
    });
    let client = client(&[&server]);
    for path in ["/announced", "/endless", "/bomb"] {
        let error = get(&client, &server.url(path)).await.unwrap_err();
        assert!(matches!(error, FetchError::TooLarge { .. }), "{path}: {error}");
    }
    for path in ["/brotli", "/broken"] {
        let error = get(&client, &server.url(path)).await.unwrap_err();
        assert!(matches!(error, FetchError::Content { .. }), "{path}: {error}");
    }
}

#[tokio::test]
async fn silence_and_lies_about_the_length_are_failures_of_the_network() {
    let server = Server::open("127.0.0.1", |request| match request.path.as_str() {
        "/short" => {
            vec![Step::Say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this".to_vec()), Step::Hang]
        }
        "/silent" => vec![Step::Pause(Duration::from_secs(10))],
        _ => vec![Step::Say(b"\x00\x01\x02garbage\r\n\r\n".to_vec()), Step::Hang],
    });
    let settings = Fetch { timeout: Duration::from_millis(300), retries: 0, ..settings(&[&server]) };
    let client = Client::new(&settings, Journal::default()).unwrap();
    for path in ["/short", "/silent", "/garbage"] {
        let error = get(&client, &server.url(path)).await.unwrap_err();
        assert!(matches!(error, FetchError::Network { .. }), "{path}: {error}");
    }
}

#[tokio::test]
async fn what_may_pass_is_tried_again_and_the_wish_to_wait_is_kept() {
    let count = AtomicU32::new(0);
    let server = Server::open("127.0.0.1", move |_| match count.fetch_add(1, Ordering::Relaxed) {
        0 => answer("429 Too Many Requests", &[("Retry-After", "1")], b""),
        _ => answer("200 OK", &[], b"x"),
    });
    get(&client(&[&server]), &server.url("/")).await.unwrap();
    let heard = server.heard();
    assert_eq!(heard.len(), 2);
    assert!(heard[1].at - heard[0].at >= Duration::from_millis(980), "{:?}", heard[1].at - heard[0].at);

    let gone = Server::open("127.0.0.3", |_| answer("410 Gone", &[], b""));
    let error = get(&client(&[&gone]), &gone.url("/")).await.unwrap_err();
    assert!(matches!(error, FetchError::Status { status: 410, .. }), "{error}");
    assert_eq!(gone.heard().len(), 1, "what does not pass is not tried again");
}

#[tokio::test]
async fn a_host_that_asks_for_a_long_wait_or_fails_on_and_on_is_left_alone() {
    let long = Server::open("127.0.0.1", |_| answer("503 Busy", &[("Retry-After", "7200")], b""));
    let failing = Server::open("127.0.0.2", |_| answer("500 Oops", &[], b""));
    let settings = Fetch { retries: 0, ..settings(&[&long, &failing]) };
    let client = Client::new(&settings, Journal::default()).unwrap();
    let error = get(&client, &long.url("/a")).await.unwrap_err();
    assert!(matches!(error, FetchError::Wait { wait, .. } if wait == Duration::from_secs(7200)), "{error}");
    let error = get(&client, &long.url("/b")).await.unwrap_err();
    assert!(matches!(error, FetchError::Stopped { .. }), "{error}");
    assert_eq!(long.heard().len(), 1);

    let mut errors = Vec::new();
    for n in 0..8 {
        errors.push(get(&client, &failing.url(&format!("/{n}"))).await.unwrap_err());
    }
    let stopped = errors.iter().filter(|error| matches!(error, FetchError::Stopped { .. })).count();
    assert_eq!((failing.heard().len(), stopped), (5, 3), "five failures, then silence");
}

#[tokio::test]
async fn a_wall_stops_its_host_and_no_other() {
    let wall = Server::open("127.0.0.1", |_| answer("200 OK", &[], "环境异常".as_bytes()));
    let other = Server::open("127.0.0.2", |_| answer("200 OK", &[], b"x"));
    let client = client(&[&wall, &other]);
    let page = get(&client, &wall.url("/")).await.unwrap();
    client.stop(&page.url, "a wall that asks for a human being");
    let error = get(&client, &wall.url("/")).await.unwrap_err();
    assert!(matches!(error, FetchError::Stopped { .. }), "{error}");
    get(&client, &other.url("/")).await.unwrap();
}

const PACKAGE: usize = 300_000;

fn package() -> Vec<u8> {
    (0..PACKAGE).map(|n| (n * 31 % 251) as u8).collect()
}

/// Says a range of the package, if the condition is met.
fn ranged(request: &Request, tag: &str, body: &[u8]) -> Vec<Step> {
    let from = request.header("range").and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-'));
    let from =
        from.filter(|_| request.header("if-range") == Some(tag)).map(|from| from.parse::<usize>().unwrap());
    match from {
        Some(from) if from >= body.len() => answer("416 Range Not Satisfiable", &[], b""),
        Some(from) => {
            let range = format!("bytes {from}-{}/{}", body.len() - 1, body.len());
            answer("206 Partial Content", &[("ETag", tag), ("Content-Range", &range)], &body[from..])
        }
        None => answer("200 OK", &[("ETag", tag)], body),
    }
}

#[tokio::test]
async fn a_download_goes_on_where_it_broke_off() {
    let count = AtomicU32::new(0);
    let server = Server::open("127.0.0.1", move |request| match count.fetch_add(1, Ordering::Relaxed) {
        0 => vec![
            Step::Say(
                format!("HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: {PACKAGE}\r\n\r\n").into_bytes(),
            ),
            Step::Say(package()[..100_000].to_vec()),
            Step::Pause(Duration::from_millis(100)),
            Step::Hang,
        ],
        _ => ranged(request, "\"1\"", &package()),
    });
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let url = Url::parse(&server.url("/app.apk")).unwrap();
    let done = client(&[&server]).download(&url, &store, &Unwatched).await.unwrap();
    assert_eq!(std::fs::read(store.object(&done.known.sha256).unwrap()).unwrap(), package());
    let heard = server.heard();
    assert_eq!(heard.len(), 2);
    assert_eq!(heard[1].header("range"), Some("bytes=100000-"));
    assert_eq!(heard[1].header("accept-encoding"), Some("identity"));
}

#[tokio::test]
async fn a_download_of_something_else_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let count = AtomicU32::new(0);
    let server = Server::open("127.0.0.1", move |request| match count.fetch_add(1, Ordering::Relaxed) {
        0 => vec![
            Step::Say(
                b"HTTP/1.1 200 OK\r\nETag: \"1\"\r\nContent-Length: 9000\r\n\r\nthe old version".to_vec(),
            ),
            Step::Pause(Duration::from_millis(100)),
            Step::Hang,
        ],
        _ => ranged(request, "\"2\"", &package()),
    });
    let url = Url::parse(&server.url("/app.apk")).unwrap();
    let done = client(&[&server]).download(&url, &store, &Unwatched).await.unwrap();
    assert_eq!(std::fs::read(store.object(&done.known.sha256).unwrap()).unwrap(), package());
}

#[tokio::test]
async fn an_unchanged_package_is_not_fetched_again() {
    let server = Server::open("127.0.0.1", |request| match request.header("if-none-match") {
        Some("\"1\"") => answer("304 Not Modified", &[], b""),
        _ => answer("200 OK", &[("ETag", "\"1\"")], &package()),
    });
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let url = Url::parse(&server.url("/app.apk")).unwrap();
    let client = client(&[&server]);
    let first = client.download(&url, &store, &Unwatched).await.unwrap();
    let second = client.download(&url, &store, &Unwatched).await.unwrap();
    assert_eq!((first.unchanged, second.unchanged), (false, true));
    assert_eq!(first.known.sha256, second.known.sha256);
    // What the store has lost is fetched, whatever the server would say of it.
    std::fs::remove_file(store.object(&first.known.sha256).unwrap()).unwrap();
    assert!(!client.download(&url, &store, &Unwatched).await.unwrap().unchanged);
}

#[tokio::test]
async fn a_package_larger_than_allowed_leaves_nothing() {
    let server = Server::open("127.0.0.1", |request| match request.path.as_str() {
        "/announced" => answer("200 OK", &[("ETag", "\"1\"")], &package()),
        _ => vec![
            Step::Say(b"HTTP/1.1 200 OK\r\nETag: \"1\"\r\nConnection: close\r\n\r\n".to_vec()),
            Step::Repeat(vec![b'a'; 1 << 16], 1 << 30),
        ],
    });
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let settings = Fetch { largest_package: 200_000, ..settings(&[&server]) };
    let client = Client::new(&settings, Journal::default()).unwrap();
    for path in ["/announced", "/endless"] {
        let url = Url::parse(&server.url(path)).unwrap();
        let error = client.download(&url, &store, &Unwatched).await.unwrap_err();
        assert!(matches!(error, FetchError::TooLarge { .. }), "{path}: {error}");
    }
    assert_eq!(std::fs::read_dir(folder.path().join("partial")).unwrap().count(), 0);
}

#[tokio::test]
async fn the_journal_tells_of_every_request_and_of_those_not_made() {
    let server = Server::start("127.0.0.1", |request| match request.path.as_str() {
        "/robots.txt" => answer("200 OK", &[], b"User-agent: *\nDisallow: /inner/\n"),
        "/moved" => answer("301 Moved Permanently", &[("Location", "http://10.0.0.1/")], b""),
        _ => answer("200 OK", &[], b"x"),
    });
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.jsonl");
    let client = Client::new(&settings(&[&server]), Journal::open(&path).unwrap()).unwrap();
    for page in ["/a", "/inner/b", "/moved"] {
        let _ = get(&client, &server.url(page)).await;
    }
    let lines: Vec<serde_json::Value> = std::fs::read_to_string(&path)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let told: Vec<(String, String)> = lines
        .iter()
        .map(|line| {
            let url = line["url"].as_str().unwrap().replace(&server.url(""), "");
            (line["decision"].as_str().unwrap().to_owned(), url)
        })
        .collect();
    let told: Vec<(&str, &str)> = told.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
    assert_eq!(
        told,
        [
            ("sent", "/robots.txt"),
            ("sent", "/a"),
            ("robots", "/inner/b"),
            ("sent", "/moved"),
            ("refused", "http://10.0.0.1/")
        ]
    );
    assert_eq!((&lines[1]["status"], lines[3]["location"].as_str()), (&200.into(), Some("http://10.0.0.1/")));
}

#[test]
fn addresses_are_scanned_like_files_and_say_where_they_came_from() {
    let package =
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/built/grid-patrol.apk")).unwrap();
    let served = package.clone();
    let server = Server::open("127.0.0.1", move |request| match request.path.as_str() {
        "/down/app.apk" => answer("200 OK", &[("ETag", "\"1\"")], &served),
        _ => answer("404 Not Found", &[], b""),
    });
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("zhijian.toml");
    let text = format!(
        "[fetch]\nstore = '{}'\nallow = ['{}']\npace = '1ms'\nretries = 0\n",
        folder.path().join("store").display(),
        server.authority()
    );
    std::fs::write(&config, text).unwrap();
    let run = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_zhijian"));
        command.args(args).arg("--config").arg(&config).output().unwrap()
    };
    let (good, missing) = (server.url("/down/app.apk"), server.url("/gone.apk"));
    let output = run(&["scan", "--format", "json", &good]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["target"]["source"], good.as_str());
    assert_eq!(report["artifact"]["bytes"], package.len());
    let categories: Vec<&str> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|found| found["category"].as_str().unwrap())
        .collect();
    assert!(categories.contains(&"check-in"), "{categories:?}");

    let output = run(&["scan", &missing]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(said.trim(), format!("zhijian: {missing}: 服务器答复 404"));

    let output = run(&["fetch", "--format", "jsonl", &good]);
    let line: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(std::fs::read(line["file"].as_str().unwrap()).unwrap(), package);

    let refused = run(&["fetch", "http://169.254.169.254/latest"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("拒绝访问该地址"), "{said}");

    let journal = run(&["journal", "--last", "2"]);
    let shown = String::from_utf8_lossy(&journal.stdout).into_owned();
    assert_eq!(shown.lines().count(), 3, "{shown}");
    assert!(shown.contains("已拒绝") && shown.contains("169.254.169.254"), "{shown}");
}
