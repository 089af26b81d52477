//! The interface of WeChat for owners of accounts, played by servers of our own on loopback.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::common::server::{Request, Server, Step, answer};
use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;
use zhijian::config::Fetch;
use zhijian::fetch::weixin::{Credential, WeixinError, posts};
use zhijian::fetch::{Client, FetchError, Journal, Secret, Store};
use zhijian::model::Lang;

const APPID: &str = "wx0123456789abcdef";
const SECRET: &str = "5ec2e70000000000000000000000beef";
const TOKEN: &str = "70ce9_the-token-of-the-day";

fn reply(body: &Value) -> Vec<Step> {
    answer("200 OK", &[("Content-Type", "application/json")], body.to_string().as_bytes())
}

fn refuse(code: i64, message: &str) -> Vec<Step> {
    reply(&json!({ "errcode": code, "errmsg": message }))
}

fn is_list(request: &Request) -> bool {
    request.path.starts_with("/cgi-bin/freepublish/batchget")
}

fn body(request: &Request) -> Value {
    serde_json::from_slice(&request.body).unwrap()
}

fn post(number: u64) -> Value {
    let news = json!({
        "title": format!("第{number}篇"), "content": "<p>今天召开会议。</p>", "is_deleted": false,
        "url": format!("http://mp.weixin.qq.com/s/{number}")
    });
    json!({ "article_id": format!("id-{number}"), "content": { "news_item": [news] }, "update_time": 1_779_000_000 - number })
}

/// What an honest interface says of an account with so many posts.
fn honest(request: &Request, total: u64) -> Vec<Step> {
    if !is_list(request) {
        return reply(&json!({ "access_token": TOKEN, "expires_in": 7200 }));
    }
    let asked = body(request);
    let (offset, count) = (asked["offset"].as_u64().unwrap(), asked["count"].as_u64().unwrap());
    assert!((1..=20).contains(&count) && asked["no_content"] == 0, "{asked}");
    let items: Vec<Value> = (offset..total.min(offset + count)).map(post).collect();
    reply(&json!({ "total_count": total, "item_count": items.len(), "item": items }))
}

/// An office with one account at a server.
struct Office {
    dir: TempDir,
    server: Server,
}

impl Office {
    fn new(say: impl Fn(&Request) -> Vec<Step> + Send + Sync + 'static) -> Office {
        Office { dir: tempfile::tempdir().unwrap(), server: Server::open("127.0.0.1", say) }
    }

    fn url(&self) -> Url {
        Url::parse(&format!("weixin-api://{}/{APPID}", self.server.authority())).unwrap()
    }

    fn store(&self) -> Store {
        Store::open(self.dir.path()).unwrap()
    }

    async fn posts_by(&self, credential: Credential) -> Result<Value, WeixinError> {
        let settings = Fetch {
            pace: Duration::ZERO,
            timeout: Duration::from_secs(2),
            retries: 1,
            largest_page: 1 << 20,
            allow: vec![self.server.authority().parse().unwrap()],
            ..Fetch::default()
        };
        let store = self.store();
        let client = Client::new(&settings, Journal::open(&store.journal()).unwrap()).unwrap();
        let known = posts(&client, &store, &self.url(), &credential).await?;
        assert_eq!(store.known(&self.url()).unwrap().sha256, known.sha256);
        let bytes = fs::read(store.object(&known.sha256).unwrap()).unwrap();
        Ok(serde_json::from_slice(&bytes).unwrap())
    }

    async fn posts(&self) -> Result<Value, WeixinError> {
        self.posts_by(Credential::Secret(Secret::new(SECRET))).await
    }

    fn lists(&self) -> usize {
        self.server.heard().iter().filter(|request| is_list(request)).count()
    }

    fn used(&self) -> Value {
        let path = self.dir.path().join("weixin").join(format!("{APPID}.json"));
        serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
    }

    fn set_used(&self, token: u32, list: u32) {
        let day = jiff::tz::Offset::constant(8).to_datetime(jiff::Timestamp::now()).date();
        fs::create_dir_all(self.dir.path().join("weixin")).unwrap();
        let path = self.dir.path().join("weixin").join(format!("{APPID}.json"));
        fs::write(path, json!({ "day": day.to_string(), "token": token, "list": list }).to_string()).unwrap();
    }
}

fn missing(list: &Value) -> Vec<&str> {
    let missing = list["missing"].as_array().map(Vec::as_slice).unwrap_or_default();
    missing.iter().map(|lack| lack["en"].as_str().unwrap()).collect()
}

fn ids(list: &Value) -> Vec<&str> {
    list["item"].as_array().unwrap().iter().map(|item| item["article_id"].as_str().unwrap()).collect()
}

/// Every file below a folder that has one of the secrets in it.
fn leaks(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(leaks(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            let has = |secret: &str| memchr::memmem::find(&bytes, secret.as_bytes()).is_some();
            if has(SECRET) || has(TOKEN) {
                found.push(path.display().to_string());
            }
        }
    }
    found
}

#[tokio::test]
async fn all_pages_of_a_list_become_one_document() {
    let office = Office::new(|request| honest(request, 45));
    let list = office.posts().await.unwrap();
    assert_eq!((list["appid"].as_str(), list["total_count"].as_u64()), (Some(APPID), Some(45)));
    assert_eq!((ids(&list).len(), ids(&list)[44], missing(&list).len()), (45, "id-44", 0));
    let heard = office.server.heard();
    let token = body(&heard[0]);
    assert_eq!((heard[0].path.as_str(), heard[0].method.as_str()), ("/cgi-bin/stable_token", "POST"));
    assert_eq!(
        token,
        json!({ "grant_type": "client_credential", "appid": APPID, "secret": SECRET }),
        "never force_refresh, which takes the token away from others"
    );
    let paths: Vec<&str> = heard[1..].iter().map(|request| request.path.as_str()).collect();
    assert_eq!(paths, vec![format!("/cgi-bin/freepublish/batchget?access_token={TOKEN}"); 3]);
    let offsets: Vec<u64> = heard[1..].iter().map(|r| body(r)["offset"].as_u64().unwrap()).collect();
    assert_eq!(offsets, [0, 20, 40]);
    assert_eq!((office.used()["token"].as_u64(), office.used()["list"].as_u64()), (Some(1), Some(3)));
    // The same posts are the same content.
    let sha256 = office.store().known(&office.url()).unwrap().sha256;
    office.posts().await.unwrap();
    assert_eq!(office.store().known(&office.url()).unwrap().sha256, sha256);
    // No posts are a list, too; and a full page that is the last needs no further one.
    let empty = Office::new(|request| honest(request, 0));
    assert_eq!(ids(&empty.posts().await.unwrap()).len(), 0);
    let full = Office::new(|request| honest(request, 20));
    full.posts().await.unwrap();
    assert_eq!((empty.lists(), full.lists()), (1, 1));
}

#[tokio::test]
async fn a_given_token_is_used_as_it_is() {
    let office = Office::new(|request| honest(request, 3));
    let token = || Credential::Token(Secret::new(TOKEN));
    office.posts_by(token()).await.unwrap();
    assert_eq!(office.server.heard().len(), 1);
    let expired = Office::new(|_| refuse(42001, "access_token expired"));
    let error = expired.posts_by(token()).await.unwrap_err();
    assert!(matches!(error, WeixinError::Refused { code: 42001, .. }), "{error}");
    assert_eq!(expired.server.heard().len(), 1, "nobody can renew it");
}

#[tokio::test]
async fn refusals_are_told_in_both_languages() {
    for (code, zh, en) in [
        (48001, "未经微信认证", "not verified"),
        (40164, "白名单", "allowed IPs"),
        (40125, "AppSecret 无效", "AppSecret is wrong"),
        (99999, "微信平台拒绝", "refuses"),
    ] {
        let office = Office::new(move |request| match is_list(request) {
            true => refuse(code, "words rid: 1-2"),
            false => honest(request, 0),
        });
        let error = office.posts().await.unwrap_err();
        let (zh_words, en_words) = (error.words(Lang::Zh), error.words(Lang::En));
        let technical = format!("errcode {code}");
        assert!(zh_words.contains(zh) && zh_words.contains(&technical), "{zh_words}");
        assert!(en_words.contains(en) && en_words.contains("words rid: 1-2"), "{en_words}");
        assert_eq!(office.lists(), 1);
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_once() {
    for code in [40001, 42001, 40014] {
        let number = AtomicU32::new(0);
        let office = Office::new(move |request| match is_list(request) {
            true if number.fetch_add(1, Ordering::Relaxed) == 0 => refuse(code, "invalid credential"),
            _ => honest(request, 1),
        });
        assert_eq!(ids(&office.posts().await.unwrap()), ["id-0"]);
        assert_eq!((office.lists(), office.server.heard().len()), (2, 4));
        let never = Office::new(move |request| match is_list(request) {
            true => refuse(code, "invalid credential"),
            false => honest(request, 1),
        });
        let error = never.posts().await.unwrap_err();
        assert!(matches!(error, WeixinError::Refused { .. }), "{error}");
        assert_eq!((never.lists(), never.server.heard().len()), (2, 4));
    }
}

#[tokio::test]
async fn the_quota_is_kept_over_restarts_and_what_was_not_fetched_is_told() {
    let office = Office::new(|request| honest(request, 45));
    office.set_used(0, 98);
    let list = office.posts().await.unwrap();
    assert_eq!((ids(&list).len(), office.lists()), (40, 2));
    assert!(missing(&list)[0].contains("100 calls of the day"), "{list}");
    let kept = office.store().known(&office.url()).unwrap();
    let error = office.posts().await.unwrap_err();
    assert!(matches!(error, WeixinError::Quota { most: 100, .. }), "{error}");
    assert!(error.words(Lang::Zh).contains("北京时间") && error.words(Lang::Zh).contains("恢复"));
    assert_eq!(office.lists(), 2, "not asked again");
    assert_eq!(office.store().known(&office.url()), Some(kept), "what was had stays");
    let tokens = Office::new(|request| honest(request, 1));
    tokens.set_used(2_000, 0);
    let error = tokens.posts().await.unwrap_err();
    assert!(matches!(error, WeixinError::Quota { most: 2_000, .. }), "{error}");
    assert!(tokens.server.heard().is_empty());
}

#[tokio::test]
async fn a_quota_that_others_used_up_is_left_alone_for_the_day() {
    let office = Office::new(|request| match is_list(request) {
        true => refuse(45009, "reach max api daily quota limit"),
        false => honest(request, 1),
    });
    let error = office.posts().await.unwrap_err();
    assert!(matches!(error, WeixinError::Quota { most: 100, .. }), "{error}");
    office.posts().await.unwrap_err();
    assert_eq!((office.lists(), office.used()["list"].as_u64()), (1, Some(100)));
}

#[tokio::test]
async fn every_attempt_counts() {
    let office = Office::new(|request| match is_list(request) {
        true => answer("503 Service Unavailable", &[], b""),
        false => honest(request, 1),
    });
    let error = office.posts().await.unwrap_err();
    assert!(matches!(error, WeixinError::Fetch(FetchError::Status { status: 503, .. })), "{error}");
    assert_eq!((office.lists(), office.used()["list"].as_u64()), (2, Some(2)));
}

#[tokio::test]
async fn secrets_are_nowhere_written_down() {
    let echo = |request: &Request| format!("{} {}", request.path, String::from_utf8_lossy(&request.body));
    type Answer = Box<dyn Fn(&Request) -> Vec<Step> + Send + Sync>;
    let says: Vec<Answer> = vec![
        Box::new(|request| honest(request, 21)),
        // Repeats everything it hears: in messages, in posts, in where it redirects to.
        Box::new(move |request| match is_list(request) {
            true => refuse(48001, &format!("{} {SECRET}", echo(request))),
            false => honest(request, 1),
        }),
        Box::new(move |request| refuse(40125, &echo(request))),
        Box::new(move |request| match is_list(request) {
            true => reply(&json!({
                "total_count": 1, "item_count": 1, "item": [{ "article_id": echo(request) }]
            })),
            false => honest(request, 1),
        }),
        Box::new(|request| match is_list(request) {
            true => answer("302 Found", &[("Location", &request.path)], b""),
            false => honest(request, 1),
        }),
        Box::new(|request| match is_list(request) {
            true => answer("302 Found", &[("Location", &format!("http://[{}", request.path))], b""),
            false => honest(request, 1),
        }),
        // Says a token in another shape, falls silent, breaks off, sends what is no JSON.
        Box::new(|_| reply(&json!({ "token": TOKEN, "secret": SECRET }))),
        Box::new(|request| match is_list(request) {
            true => vec![Step::Hang],
            false => honest(request, 1),
        }),
        Box::new(|request| match is_list(request) {
            true => vec![Step::Say(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{".to_vec()), Step::Hang],
            false => honest(request, 1),
        }),
        Box::new(move |request| match is_list(request) {
            true => answer("200 OK", &[], echo(request).as_bytes()),
            false => honest(request, 1),
        }),
        Box::new(|request| match is_list(request) {
            true => answer("403 Forbidden", &[], b""),
            false => honest(request, 1),
        }),
    ];
    for (number, say) in says.into_iter().enumerate() {
        let office = Office::new(say);
        if let Err(error) = office.posts().await {
            for words in [error.words(Lang::Zh), error.words(Lang::En), format!("{error:?}")] {
                assert!(!words.contains(SECRET) && !words.contains(TOKEN), "{number}: {words}");
            }
        }
        assert_eq!(leaks(office.dir.path()), Vec::<String>::new(), "{number}");
        let journal = fs::read_to_string(office.store().journal()).unwrap();
        assert!(journal.contains("/cgi-bin/stable_token\""), "{journal}");
    }
    let shown = format!("{:?}", Credential::Secret(Secret::new(SECRET)));
    assert!(!shown.contains(SECRET), "{shown}");
}

#[tokio::test]
async fn lies_about_numbers_are_told_and_end() {
    // The total says less than there is.
    let low = Office::new(|request| match is_list(request) {
        true => {
            let offset = body(request)["offset"].as_u64().unwrap();
            let items: Vec<Value> = (offset..25.min(offset + 20)).map(post).collect();
            reply(&json!({ "total_count": 3, "item_count": items.len(), "item": items }))
        }
        false => honest(request, 0),
    });
    let list = low.posts().await.unwrap();
    assert_eq!(ids(&list).len(), 25);
    assert!(missing(&list)[0].contains("speaks of 3 posts and gives 20"), "{list}");
    // More than there is, and a page that counts wrong.
    let high = Office::new(|request| match is_list(request) {
        true if body(request)["offset"] == 0 => {
            reply(&json!({ "total_count": 1_000_000, "item_count": 20, "item": [post(1), post(2)] }))
        }
        true => reply(&json!({ "total_count": 1_000_000, "item_count": 0, "item": [] })),
        false => honest(request, 0),
    });
    let list = high.posts().await.unwrap();
    assert_eq!((ids(&list), high.lists()), (vec!["id-1", "id-2"], 2));
    let told = missing(&list);
    assert!(told[0].contains("20 posts in a page of 2") && told[1].contains("999998 more"), "{told:?}");
    // The same page again and again.
    let again = Office::new(|request| match is_list(request) {
        true => reply(&json!({ "total_count": 500, "item_count": 1, "item": [post(7)] })),
        false => honest(request, 0),
    });
    let list = again.posts().await.unwrap();
    assert_eq!((ids(&list), again.lists()), (vec!["id-7"], 2));
    assert!(missing(&list)[0].contains("same posts again"), "{list}");
    // Always something new: the quota is the end of it.
    let endless = Office::new(|request| match is_list(request) {
        true => {
            let offset = body(request)["offset"].as_u64().unwrap();
            reply(&json!({ "total_count": u64::MAX, "item_count": 1, "item": [post(offset)] }))
        }
        false => honest(request, 0),
    });
    let list = endless.posts().await.unwrap();
    assert_eq!((ids(&list).len(), endless.lists()), (100, 100));
}

#[tokio::test]
async fn hostile_answers_are_errors() {
    let say: Vec<(&str, Vec<u8>)> = vec![
        ("total_count", json!({ "item_count": 0, "item": [] }).to_string().into_bytes()),
        ("total_count", json!({ "total_count": -1, "item": [] }).to_string().into_bytes()),
        ("item", json!({ "total_count": 1, "item": { "a": 1 } }).to_string().into_bytes()),
        ("errcode", json!({ "errcode": [1] }).to_string().into_bytes()),
        ("total_count", b"[]".to_vec()),
        ("JSON", b"<html>".to_vec()),
        ("JSON", b"[".repeat(10_000)),
        ("JSON", b"\xff\xfe{}".to_vec()),
        ("JSON", Vec::new()),
    ];
    for (field, bytes) in say {
        let words = String::from_utf8_lossy(&bytes).chars().take(60).collect::<String>();
        let office = Office::new(move |request| match is_list(request) {
            true => answer("200 OK", &[], &bytes),
            false => honest(request, 0),
        });
        match office.posts().await {
            Err(WeixinError::Shape(found)) => assert_eq!(found, field, "{words}"),
            other => panic!("{words}: {other:?}"),
        }
    }
    // Too large, then without an end: fewer posts are asked for, then none.
    let endless = Office::new(|request| match is_list(request) {
        true => vec![
            Step::Say(b"HTTP/1.1 200 OK\r\n\r\n".to_vec()),
            Step::Repeat(b"{\"item\":".repeat(1_000), 1 << 30),
        ],
        false => honest(request, 0),
    });
    let error = endless.posts().await.unwrap_err();
    assert!(matches!(error, WeixinError::Fetch(FetchError::TooLarge { .. })), "{error}");
    let counts: Vec<u64> =
        endless.server.heard()[1..].iter().map(|r| body(r)["count"].as_u64().unwrap()).collect();
    assert_eq!(counts, [20, 5, 1]);
}

#[tokio::test]
async fn a_secret_is_not_given_to_any_host_that_an_address_names() {
    let office = Office::new(|request| honest(request, 1));
    let client = Client::new(&Fetch::default(), Journal::default()).unwrap();
    for host in [office.server.authority(), "gateway.example.gov.cn".to_owned()] {
        let url = Url::parse(&format!("weixin-api://{host}/{APPID}")).unwrap();
        let credential = Credential::Secret(Secret::new(SECRET));
        let error = posts(&client, &office.store(), &url, &credential).await.unwrap_err();
        assert!(matches!(error, WeixinError::Service(_)), "{error}");
    }
    assert!(office.server.all().is_empty());
}

/// The program, with the credential in its environment.
fn zhijian(office: &Office, args: &[&str]) -> Output {
    let config = office.dir.path().join("zhijian.toml");
    let text = format!(
        "[fetch]\nstore = '{}'\nallow = ['{}']\npace = '1ms'\n",
        office.dir.path().join("store").display(),
        office.server.authority()
    );
    fs::write(&config, text).unwrap();
    Command::new(env!("CARGO_BIN_EXE_zhijian"))
        .args(args)
        .arg("--config")
        .arg(config)
        .env("ZHIJIAN_WEIXIN_SECRET_WX0123456789ABCDEF", SECRET)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[test]
fn scanned_fetched_and_run_by_the_program() {
    let published = include_str!("../fixtures/page/published.json");
    let office = Office::new(move |request| match is_list(request) {
        true => answer("200 OK", &[], published.as_bytes()),
        false => honest(request, 0),
    });
    let address = office.url().to_string();
    let output = zhijian(&office, &["scan", &address, "--format", "json"]);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    let report: Value =
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {words}"));
    let text = report.to_string();
    assert!(text.contains("wechat-published") && text.contains("截图报办公室"), "{text}");
    // The interface does not list what was sent to followers, so nothing is said of how long ago that was.
    assert!(!text.contains("last-published") && !text.contains("nothing-published"), "{text}");
    let fetched = zhijian(&office, &["fetch", &address, "--format", "jsonl"]);
    let line: Value = serde_json::from_slice(&fetched.stdout).unwrap();
    assert_eq!(line["unchanged"], true, "{line}");
    let roster = office.dir.path().join("roster.csv");
    fs::write(
        &roster,
        format!("kind,name,address,owner\naccount,A,{address},B\naccount,C,weixin-api:gh_1,D\n"),
    )
    .unwrap();
    let (asked, store) = (office.lists(), office.dir.path().join("store"));
    fs::remove_dir_all(&store).unwrap();
    let run = zhijian(&office, &["run", roster.to_str().unwrap(), "--format", "json"]);
    let summary: Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(
        (&summary["counts"]["scanned"], &summary["counts"]["skipped"]),
        (&json!(1), &json!(1)),
        "{summary}"
    );
    assert!(summary.to_string().contains("AppID"), "{summary}");
    assert_eq!(office.lists(), asked + 1);
    let again = zhijian(&office, &["run", roster.to_str().unwrap(), "--format", "json"]);
    let summary: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!((&summary["counts"]["unchanged"], office.lists()), (&json!(1), asked + 1), "{summary}");
    assert_eq!(leaks(&store), Vec::<String>::new());
    for output in [output, fetched, run, again] {
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(!said.contains(SECRET) && !said.contains(TOKEN), "{said}");
    }
}
