//! The REST API and the people who use it, over a real connection: on SQLite always, on PostgreSQL where its programs
//! are installed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it left out"
)]

use crate::common::postgres;
use crate::common::report;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::Row;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use zhijian::config::Config;
use zhijian::fetch::Store;
use zhijian::ledger::{Ledger, scan_record};
use zhijian::model::{Deed, Event, Report, RosterEntry, TargetKind, hex};
use zhijian::rule::RuleSet;
use zhijian::server::{App, api};

const GRID: &str = "app:cn.gov.example.grid";
const OTHER: &str = "app:cn.gov.example.other";
const COUNTY: &str = "app:cn.gov.example.county";
/// 2026-11-26 12:00 in Beijing.
const NOW: i64 = 1_795_665_600;
const HOUR: i64 = 3600;

/// A service on an address of its own, with a clock of its own.
struct House {
    app: App,
    address: SocketAddr,
    clock: Arc<AtomicI64>,
    client: reqwest::Client,
    reports: [String; 2],
    first: String,
    _stop: watch::Sender<bool>,
    _folder: tempfile::TempDir,
    _cluster: Option<Arc<postgres::Cluster>>,
}

/// By what somebody makes a request.
#[derive(Clone, Debug)]
enum Who {
    Nobody,
    Session { cookie: String, csrf: String },
    Token(String),
    Headers(Vec<(&'static str, String)>),
}

struct Answer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|_| panic!("{}: {}", self.status, String::from_utf8_lossy(&self.body)))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The kind of problem; each is one of RFC 9457 with a title in both languages.
    fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.status);
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        assert!(!problem["title"].as_str().unwrap().is_empty() && problem["title_en"].is_string());
        problem["type"].as_str().unwrap().strip_prefix("urn:zhijian:problem:").unwrap().to_owned()
    }

    #[track_caller]
    fn done(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        if self.body.is_empty() { Value::Null } else { self.json() }
    }
}

fn on_both<F: Future<Output = ()>>(config: &str, test: impl Fn(House) -> F) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async { test(House::open(config, None).await).await });
    if let Some(cluster) = postgres::cluster() {
        runtime.block_on(async { test(House::open(config, Some(cluster)).await).await });
    }
}

fn on_sqlite<F: Future<Output = ()>>(config: &str, test: impl Fn(House) -> F) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async { test(House::open(config, None).await).await });
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn entry(id: &str, region: &str) -> Deed {
    let entry = RosterEntry {
        id: Some(id.into()),
        name: Some(format!("网格通 {region}")),
        owner: Some("某市大数据局".into()),
        region: Some(region.into()),
        ..RosterEntry::new(TargetKind::App)
    };
    Deed::Enrolled { entry: Box::new(entry) }
}

impl House {
    async fn open(config: &str, cluster: Option<Arc<postgres::Cluster>>) -> House {
        let folder = tempfile::tempdir().unwrap();
        let address = match &cluster {
            Some(cluster) => cluster.database(),
            None => format!("sqlite:{}", folder.path().join("ledger.db").display()),
        };
        let ledger = Ledger::open(&address).await.unwrap();
        let config = Config::parse(config).unwrap();
        let clock = Arc::new(AtomicI64::new(NOW));
        let told = clock.clone();
        let store = Store::open(&folder.path().join("store")).unwrap();
        let now = Box::new(move || at(told.load(Ordering::SeqCst)));
        let app = App::with_clock(ledger, RuleSet::embedded().unwrap(), store, config, now);
        let mut reports = Vec::new();
        for (id, region, report) in [
            ("cn.gov.example.grid", "某省/某市", Some(report::ordinary())),
            ("cn.gov.example.other", "某省/某市区", Some(report::hostile())),
            ("cn.gov.example.county", "某省/某市/某县", None),
        ] {
            let event = |second, deed| Event {
                target: format!("app:{id}"),
                at: at(second),
                actor: "张三".into(),
                deed,
            };
            app.ledger.append(&[event(NOW - 48 * HOUR, entry(id, region))]).await.unwrap();
            if let Some(report) = report {
                let (digest, text) = stored(&report);
                let scan = scan_record(&report, digest.clone(), &[]);
                let scanned = event(NOW - 24 * HOUR, Deed::Scanned(Box::new(scan)));
                app.ledger.append_with(&[(&digest, &text)], &[scanned]).await.unwrap();
                reports.push(digest);
            }
        }
        app.catch_up().await.unwrap();
        let first = app.first_administrator().await.unwrap().expect("nobody is there yet");
        assert_eq!(app.first_administrator().await.unwrap(), None, "only once");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let serving = app.clone();
        tokio::spawn(async move { serving.serve(listener, stopped).await });
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let reports = reports.try_into().unwrap();
        House { app, address, clock, client, reports, first, _stop: stop, _folder: folder, _cluster: cluster }
    }

    fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    async fn send(&self, who: &Who, method: &str, path: &str, body: impl Into<Sent>) -> Answer {
        let url = format!("http://{}{path}", self.address);
        let mut request = self.client.request(method.parse().unwrap(), url);
        match who {
            Who::Nobody => {}
            Who::Session { cookie, csrf } => {
                request = request.header("cookie", cookie).header("x-csrf-token", csrf);
            }
            Who::Token(token) => request = request.header("authorization", format!("Bearer {token}")),
            Who::Headers(headers) => {
                for (name, value) in headers {
                    request = request.header(*name, value);
                }
            }
        }
        let Sent(kind, bytes) = body.into();
        if let Some(kind) = kind {
            request = request.header("content-type", kind).body(bytes);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, body: response.bytes().await.unwrap().to_vec() }
    }

    async fn get(&self, who: &Who, path: &str) -> Answer {
        self.send(who, "GET", &format!("/api/v1{path}"), ()).await
    }

    async fn post(&self, who: &Who, path: &str, body: Value) -> Answer {
        self.send(who, "POST", &format!("/api/v1{path}"), body).await
    }

    async fn try_login(&self, name: &str, password: &str) -> Answer {
        self.post(&Who::Nobody, "/session", json!({ "name": name, "password": password })).await
    }

    async fn login(&self, name: &str, password: &str) -> Who {
        session(&self.try_login(name, password).await)
    }

    /// Logs in by a one-time password and changes it.
    async fn settle(&self, name: &str, once: &str) -> Who {
        let who = self.login(name, once).await;
        let body = json!({ "old": once, "new": lasting(name) });
        self.send(&who, "PUT", "/api/v1/session/password", body).await.done(204);
        who
    }

    async fn administrator(&self) -> Who {
        self.settle("admin", &self.first).await
    }

    async fn person(&self, by: &Who, name: &str, role: &str, region: Option<&str>) -> Who {
        let body = json!({ "name": name, "role": role, "region": region });
        let made = self.post(by, "/people", body).await.done(201);
        self.settle(name, made["password"].as_str().unwrap()).await
    }

    async fn token(&self, by: &Who, body: Value) -> (i64, Who) {
        let made = self.post(by, "/tokens", body).await.done(201);
        (made["id"].as_i64().unwrap(), Who::Token(made["secret"].as_str().unwrap().to_owned()))
    }

    /// All of a list, page by page.
    async fn pages(&self, who: &Who, path: &str, field: &str) -> Vec<Value> {
        let (mut all, mut after) = (Vec::new(), String::new());
        for _ in 0..50 {
            let page = self.get(who, &format!("{path}{after}")).await.done(200);
            all.extend(page[field].as_array().unwrap().iter().cloned());
            match page["next"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => return all,
            }
        }
        panic!("{path} has no end");
    }
}

fn lasting(name: &str) -> String {
    format!("长期口令-{}-2026", name.len())
}

fn session(answer: &Answer) -> Who {
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    Who::Session { cookie, csrf: answer.json()["csrf"].as_str().unwrap().to_owned() }
}

fn stored(report: &Report) -> (String, Vec<u8>) {
    use sha2::Digest;
    let mut text = Vec::new();
    zhijian::report::write_json(report, &mut text).unwrap();
    (hex(&sha2::Sha256::digest(&text)), text)
}

struct Sent(Option<&'static str>, Vec<u8>);

impl From<()> for Sent {
    fn from((): ()) -> Self {
        Sent(None, Vec::new())
    }
}

impl From<Value> for Sent {
    fn from(body: Value) -> Self {
        if body.is_null() {
            Sent(None, Vec::new())
        } else {
            Sent(Some("application/json"), body.to_string().into())
        }
    }
}

impl From<(&'static str, &[u8])> for Sent {
    fn from((kind, body): (&'static str, &[u8])) -> Self {
        Sent(Some(kind), body.to_vec())
    }
}

fn confirm() -> Value {
    json!({ "action": "confirm", "rule": "app.check-in", "reason": "按钮可点，接口在用" })
}

/// A route: what it needs, what comes of it, and what comes of it for an administrator of another region.
struct Case {
    method: &'static str,
    path: &'static str,
    query: &'static str,
    body: Value,
    least: u8,
    session_only: bool,
    done: u16,
    elsewhere: u16,
}

fn case(method: &'static str, path: &'static str, body: Value, least: u8, done: u16) -> Case {
    let elsewhere = if path.contains("{target}") || path.contains("{sha256}") { 404 } else { done };
    Case { method, path, query: "", body, least, session_only: false, done, elsewhere }
}

impl Case {
    fn asked(self, query: &'static str) -> Self {
        Case { query, ..self }
    }

    fn elsewhere(self, elsewhere: u16) -> Self {
        Case { elsewhere, ..self }
    }

    fn session_only(self) -> Self {
        Case { session_only: true, ..self }
    }
}

const READER: u8 = 1;
const ANALYST: u8 = 2;
const ADMINISTRATOR: u8 = 3;

/// Every route. `{n}` is a number that is used once.
fn cases() -> Vec<Case> {
    let person = json!({ "name": "新人{n}", "role": "reader", "region": "某省/他市" });
    let token = json!({ "label": "导出", "role": "reader", "days": 30 });
    let password = json!({ "old": "wrong wrong wrong", "new": "another password 12" });
    let schedule = json!({ "name": "每日", "plan": { "roster": "unknown", "when": { "daily": ["02:30"] } } });
    vec![
        case("GET", "/session", Value::Null, READER, 200),
        case("PUT", "/session/password", password, READER, 422).session_only(),
        case("DELETE", "/session", Value::Null, READER, 204).session_only(),
        case("GET", "/targets", Value::Null, READER, 200),
        case("GET", "/targets/{target}", Value::Null, READER, 200),
        case("GET", "/targets/{target}/events", Value::Null, READER, 200),
        case("POST", "/targets/{target}/events", confirm(), ANALYST, 201),
        case("GET", "/review", Value::Null, READER, 200),
        case("GET", "/reports/{sha256}", Value::Null, READER, 200),
        case("GET", "/diffs", Value::Null, READER, 200).asked("?old={sha256}&new={sha256}").elsewhere(404),
        case("GET", "/codes", Value::Null, READER, 200),
        case("GET", "/counts", Value::Null, READER, 200),
        case("GET", "/trend", Value::Null, READER, 200),
        case("GET", "/people", Value::Null, ADMINISTRATOR, 200),
        case("POST", "/people", person, ADMINISTRATOR, 201).session_only(),
        case("PATCH", "/people/{id}", json!({ "role": "reader" }), ADMINISTRATOR, 200)
            .session_only()
            .elsewhere(404),
        case("POST", "/people/{id}/password", Value::Null, ADMINISTRATOR, 200).session_only().elsewhere(404),
        case("GET", "/tokens", Value::Null, READER, 200),
        case("POST", "/tokens", token, READER, 201).session_only(),
        case("DELETE", "/tokens/999999", Value::Null, READER, 404).session_only(),
        case("GET", "/audit", Value::Null, ADMINISTRATOR, 200),
        case("POST", "/imports", Value::String("roster".into()), ADMINISTRATOR, 201),
        case("GET", "/jobs", Value::Null, READER, 200),
        case("GET", "/jobs/unknown", Value::Null, READER, 404),
        case("POST", "/jobs/unknown/cancel", Value::Null, ANALYST, 404),
        case("POST", "/jobs/unknown/requeue", Value::Null, ANALYST, 404),
        // A form without a file.
        case("POST", "/scans", Value::String("form".into()), ANALYST, 400),
        case("GET", "/scans/unknown", Value::Null, READER, 404),
        case("GET", "/scans/unknown/events", Value::Null, READER, 404),
        case("GET", "/rosters", Value::Null, READER, 200).elsewhere(403),
        case("POST", "/rosters", Value::String("roster".into()), ADMINISTRATOR, 201)
            .asked("?name=r{n}")
            .elsewhere(403),
        case("GET", "/runs", Value::Null, READER, 200).elsewhere(403),
        case("POST", "/runs", json!({ "roster": "unknown" }), ANALYST, 400).elsewhere(403),
        case("GET", "/runs/unknown", Value::Null, READER, 404).elsewhere(403),
        case("GET", "/schedules", Value::Null, READER, 200).elsewhere(403),
        case("POST", "/schedules", schedule.clone(), ADMINISTRATOR, 400).elsewhere(403),
        case("GET", "/schedules/unknown", Value::Null, READER, 404).elsewhere(403),
        case("PUT", "/schedules/unknown", schedule, ADMINISTRATOR, 404).elsewhere(403),
        case("DELETE", "/schedules/unknown", Value::Null, ADMINISTRATOR, 404).elsewhere(403),
        case("POST", "/schedules/unknown/run", Value::Null, ANALYST, 404).elsewhere(403),
        case("POST", "/imports/unknown/apply", json!({ "digest": "0" }), ADMINISTRATOR, 404),
    ]
}

const ROSTER: &str = "类型,标识,名称,主办单位,地区\n应用,cn.gov.example.grid,网格通 某省/某市,某市大数据局,某省/某市\n\
                      应用,cn.gov.example.other,网格通 某省/某市区,某市大数据局,某省/某市区\n\
                      应用,cn.gov.example.county,网格通 某省/某市/某县,某市大数据局,某省/某市/某县\n";

#[test]
fn every_route_refuses_whom_it_has_to() {
    on_both("[server]\nrequests-per-second = 10000\n", async |house| {
        let admin = house.administrator().await;
        house.person(&admin, "李四", "reader", None).await;
        house.person(&admin, "王五", "analyst", None).await;
        house.person(&admin, "赵六", "administrator", Some("某省/他市")).await;
        let victim =
            house.post(&admin, "/people", json!({ "name": "被改者", "role": "analyst" })).await.done(201);
        let token = json!({ "label": "程序", "role": "analyst", "days": 1 });
        let (_, token) = house.token(&admin, token).await;
        let number = AtomicU32::new(0);
        let sent = async |who: &Who, case: &Case| {
            let fill = |text: &str| {
                let text = text.replace("{target}", GRID).replace("{sha256}", &house.reports[0]);
                let text = text.replace("{id}", &victim["id"].to_string());
                text.replace("{n}", &number.fetch_add(1, Ordering::Relaxed).to_string())
            };
            let path = fill(&format!("/api/v1{}{}", case.path, case.query));
            if case.body == "roster" {
                return house.send(who, case.method, &path, ("text/csv", ROSTER.as_bytes())).await;
            }
            if case.body == "form" {
                let form = ("multipart/form-data; boundary=b", b"--b--\r\n".as_slice());
                return house.send(who, case.method, &path, form).await;
            }
            let body: Value = serde_json::from_str(&fill(&case.body.to_string())).unwrap();
            house.send(who, case.method, &path, body).await
        };
        let cases = cases();
        let described: BTreeSet<String> = described().into_iter().collect();
        let tested: BTreeSet<String> = cases
            .iter()
            .map(|case| {
                let path = case.path.replace("999999", "{id}").replace("unknown", "{id}");
                format!("{} {path}", case.method)
            })
            .chain(["POST /session".to_owned()])
            .collect();
        assert_eq!(tested, described, "every route is in the table");
        for case in &cases {
            let what = format!("{} {}", case.method, case.path);
            let refused = sent(&Who::Nobody, case).await;
            assert_eq!((refused.status, &*refused.problem()), (401, "unauthorized"), "{what}: nobody");
            let forged =
                sent(&Who::Token("zj_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".into()), case).await;
            assert_eq!((forged.status, &*forged.problem()), (401, "unauthorized"), "{what}: forged token");
            assert_eq!(forged.header("www-authenticate"), "Bearer");
            for (role, name) in [(READER, "李四"), (ANALYST, "王五"), (ADMINISTRATOR, "admin")] {
                // A session for each: one of the routes ends it.
                let who = house.login(name, &lasting(name)).await;
                let Who::Session { cookie, csrf } = &who else { unreachable!() };
                if case.method != "GET" {
                    for headers in [
                        vec![("cookie", cookie.clone())],
                        vec![("cookie", cookie.clone()), ("x-csrf-token", String::new())],
                        vec![("cookie", cookie.clone()), ("x-csrf-token", csrf.to_uppercase())],
                        vec![
                            ("cookie", cookie.clone()),
                            ("x-csrf-token", csrf.clone()),
                            ("origin", "https://evil.example".into()),
                        ],
                        vec![
                            ("cookie", cookie.clone()),
                            ("x-csrf-token", csrf.clone()),
                            ("sec-fetch-site", "cross-site".into()),
                        ],
                    ] {
                        let refused = sent(&Who::Headers(headers), case).await;
                        assert_eq!((refused.status, &*refused.problem()), (403, "csrf"), "{what}: {name}");
                    }
                }
                let answer = sent(&who, case).await;
                let expected = if role >= case.least { case.done } else { 403 };
                let said = String::from_utf8_lossy(&answer.body);
                assert_eq!(answer.status, expected, "{what}: {name}: {said}");
                if expected == 403 {
                    assert_eq!(answer.problem(), "forbidden", "{what}: {name}");
                }
            }
            let answer = sent(&house.login("赵六", &lasting("赵六")).await, case).await;
            let said = String::from_utf8_lossy(&answer.body);
            assert_eq!(answer.status, case.elsewhere, "{what}: another region: {said}");
            let answer = sent(&token, case).await;
            let expected = if case.session_only || case.least > ANALYST { 403 } else { case.done };
            assert_eq!(answer.status, expected, "{what}: token of an analyst");
            let stale = house.login("admin", &lasting("admin")).await;
            house.pass(13 * HOUR);
            let refused = sent(&stale, case).await;
            assert_eq!(
                (refused.status, &*refused.problem()),
                (401, "unauthorized"),
                "{what}: session is over"
            );
            house.pass(-13 * HOUR);
        }
    });
}

/// Method and path of every route in the description.
fn described() -> Vec<String> {
    let document = api::openapi();
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        routes.extend(
            item.as_object().unwrap().keys().map(|method| format!("{} {path}", method.to_uppercase())),
        );
    }
    routes
}

#[test]
fn the_description_is_whole() {
    let document = api::openapi();
    assert_eq!(document["openapi"], "3.1.0");
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut references = Vec::new();
    let mut open = vec![&document];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(object) => {
                references.extend(object.get("$ref").and_then(Value::as_str));
                open.extend(object.values());
            }
            Value::Array(list) => open.extend(list),
            _ => {}
        }
    }
    assert!(references.len() > 100, "{}", references.len());
    for reference in references {
        let name = reference.strip_prefix("#/components/schemas/").unwrap();
        assert!(schemas.contains_key(name), "{reference}");
    }
    for (name, schema) in schemas {
        let says = schema.get("description").is_some() || schema.get("$ref").is_some();
        assert!(says, "{name} is not described");
    }
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let summary = operation["summary"].as_str().or(operation["description"].as_str());
            assert!(summary.is_some_and(|summary| !summary.is_empty()), "{method} {path}");
            assert!(operation["responses"]["default"].is_object(), "{method} {path}");
        }
    }
    insta::assert_json_snapshot!("openapi", document);
}

#[test]
fn a_one_time_password_is_good_for_its_change_only() {
    on_both("", async |house| {
        let once = house.login("admin", &house.first).await;
        for path in ["/targets", "/people", "/audit", "/tokens"] {
            assert_eq!(house.get(&once, path).await.problem(), "password-change", "{path}");
        }
        let token = json!({ "label": "x", "role": "reader", "days": 1 });
        assert_eq!(house.post(&once, "/tokens", token).await.problem(), "password-change");
        let me = house.get(&once, "/session").await.done(200);
        assert_eq!((&me["must_change"], &me["person"]["role"]), (&json!(true), &json!("administrator")));
        let change = async |who: &Who, old: &str, new: &str| {
            let body = json!({ "old": old, "new": new });
            house.send(who, "PUT", "/api/v1/session/password", body).await
        };
        for new in ["short", "admin-admin-admin", &house.first] {
            assert_eq!(change(&once, &house.first, new).await.problem(), "password", "{new}");
        }
        let elsewhere = house.login("admin", &house.first).await;
        change(&once, &house.first, "一个足够长的长期登录口令").await.done(204);
        assert_eq!(house.get(&elsewhere, "/session").await.status, 401, "other sessions end");
        house.get(&once, "/targets").await.done(200);
        assert_eq!(house.try_login("admin", &house.first).await.problem(), "login");
        let again = house.login("admin", "一个足够长的长期登录口令").await;
        assert_eq!(house.get(&again, "/session").await.done(200)["must_change"], false);
        house.send(&again, "DELETE", "/api/v1/session", ()).await.done(204);
        assert_eq!(house.get(&again, "/session").await.status, 401, "logged out");
    });
}

#[test]
fn a_session_ends_by_time_and_not_by_a_clock_that_steps() {
    on_both("", async |house| {
        let admin = house.administrator().await;
        for hours in [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1] {
            house.pass(hours * HOUR);
            house.get(&admin, "/session").await.done(200);
        }
        house.pass(HOUR + 1);
        assert_eq!(house.get(&admin, "/session").await.status, 401, "12 hours are over");
        let idle = house.login("admin", &lasting("admin")).await;
        house.pass(2 * HOUR + 1);
        assert_eq!(house.get(&idle, "/session").await.status, 401, "idle for 2 hours");
        house.pass(-2 * HOUR);
        assert_eq!(house.get(&idle, "/session").await.status, 401, "what is over does not come back");
        let stepped = house.login("admin", &lasting("admin")).await;
        house.pass(-HOUR);
        house.get(&stepped, "/session").await.done(200);
        house.pass(-24 * HOUR);
        assert_eq!(house.get(&stepped, "/session").await.status, 401, "made by a clock that was wrong");
    });
}

#[test]
fn cookies_are_strict() {
    on_sqlite("", async |house| {
        let answer = house.try_login("admin", &house.first).await;
        let cookie = answer.header("set-cookie");
        for part in ["zhijian=", "HttpOnly", "SameSite=Lax", "Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert!(!cookie.contains("Secure") && !cookie.contains("Domain"));
        assert_eq!(answer.header("cache-control"), "private, no-cache");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("x-frame-options", "DENY"),
        ] {
            assert_eq!(answer.header(name), value);
        }
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
        assert!(!policy.contains("unsafe"), "{policy}");
        assert!(!answer.header("x-request-id").is_empty());
        // A header of a client that is no proxy of ours says nothing.
        let headers =
            vec![("x-forwarded-proto", "https".to_owned()), ("x-forwarded-for", "10.0.0.9".to_owned())];
        let body = json!({ "name": "admin", "password": house.first });
        let answer = house.post(&Who::Headers(headers), "/session", body).await;
        assert!(!answer.header("set-cookie").contains("Secure"));
    });
    let config = "[server]\npublic-address = 'https://zhijian.example.gov.cn'\nproxies = ['127.0.0.1']\n";
    on_sqlite(config, async |house| {
        let login = |origin: &str| {
            Who::Headers(vec![
                ("origin", origin.to_owned()),
                ("x-forwarded-for", "203.0.113.7, 198.51.100.4".to_owned()),
            ])
        };
        let body = json!({ "name": "admin", "password": house.first });
        let refused = house.post(&login("https://evil.example"), "/session", body.clone()).await;
        assert_eq!(refused.problem(), "csrf", "nobody else may log somebody in");
        let answer = house.post(&login("https://zhijian.example.gov.cn"), "/session", body).await;
        let cookie = answer.header("set-cookie");
        assert!(cookie.starts_with("__Host-zhijian=") && cookie.contains("Secure"), "{cookie}");
        // The client that the proxy names, not what the client says of itself.
        let lines = house.app.ledger.pool();
        let row = sqlx::query("SELECT address FROM audit ORDER BY seq DESC LIMIT 1").fetch_one(lines).await;
        assert_eq!(row.unwrap().get::<String, _>(0), "198.51.100.4");
    });
}

#[test]
fn forms_bring_their_token() {
    on_sqlite("", async |house| {
        let Who::Session { cookie, csrf } = house.administrator().await else { unreachable!() };
        let who = Who::Headers(vec![("cookie", cookie)]);
        let send = async |kind: &'static str, body: String| {
            house.send(&who, "POST", "/api/v1/imports", (kind, body.as_bytes())).await.status
        };
        // What passes is no roster: 422.
        let form = "application/x-www-form-urlencoded";
        assert_eq!(send(form, format!("a=1&csrf={csrf}")).await, 422);
        assert_eq!(send(form, "csrf=wrong".into()).await, 403);
        let parts = "multipart/form-data; boundary=b";
        let first =
            format!("--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n--b--\r\n");
        assert_eq!(send(parts, first.clone()).await, 422);
        assert_eq!(send(parts, first.replace(&csrf, "wrong")).await, 403);
        assert_eq!(send(parts, format!("--b\r\nX: {}\r\n\r\n\r\n{first}", "y".repeat(4000))).await, 403);
    });
}

#[test]
fn logins_are_slowed_down_by_name_and_by_address() {
    on_both("", async |house| {
        house.administrator().await;
        for name in ["admin", "没有这个人"] {
            for attempt in 0..5 {
                let refused = house.try_login(name, "wrong").await;
                assert_eq!((refused.status, &*refused.problem()), (401, "login"), "{name} {attempt}");
            }
            // The sixth is the first that costs: it is refused when it comes at once.
            let refused = house.try_login(name, "wrong").await;
            assert_eq!((refused.status, &*refused.problem()), (429, "login-throttled"), "{name}");
            assert_eq!(refused.header("retry-after"), "1", "{name}");
        }
        assert_eq!(house.try_login("admin", &lasting("admin")).await.status, 429, "even with the password");
        house.pass(1);
        assert_eq!(house.try_login("没有这个人", "wrong").await.status, 401);
        assert_eq!(house.try_login("没有这个人", "wrong").await.header("retry-after"), "2", "twice as long");
        house.login("admin", &lasting("admin")).await;
        house.login("admin", &lasting("admin")).await;
        // From one address, by whatever name: 11 failures are left of the 20 that cost nothing.
        let mut free = 0;
        while house.try_login(&format!("某人{free}"), "wrong").await.status == 401 {
            free += 1;
            assert!(free < 30);
        }
        assert_eq!(free, 9);
        assert_eq!(house.try_login("admin", &lasting("admin")).await.status, 429);
        house.pass(2);
        house.login("admin", &lasting("admin")).await;
    });
}

#[test]
fn what_is_not_there_takes_as_long_as_a_wrong_password() {
    on_sqlite("", async |house| {
        house.administrator().await;
        let time = async |name: &str| {
            let begun = Instant::now();
            assert_eq!(house.try_login(name, "wrong").await.status, 401);
            begun.elapsed()
        };
        time("先热身").await;
        let (mut known, mut unknown) = (Duration::MAX, Duration::MAX);
        for round in 0..4 {
            known = known.min(time("admin").await);
            unknown = unknown.min(time(&format!("无{round}")).await);
        }
        // A hash takes tens of milliseconds, the rest of a login a few.
        assert!(unknown > known / 4 && known > unknown / 4, "{known:?} {unknown:?}");
    });
}

#[test]
fn tokens_are_worth_no_more_than_their_maker() {
    on_both("", async |house| {
        let admin = house.administrator().await;
        let analyst = house.person(&admin, "王五", "analyst", Some("某省/某市")).await;
        let new = |role: &str, region: Option<&str>| json!({ "label": "x", "role": role, "region": region, "days": 2 });
        for (role, region) in
            [("administrator", None), ("reader", Some("某省")), ("reader", Some("某省/某市区"))]
        {
            assert_eq!(
                house.post(&analyst, "/tokens", new(role, region)).await.problem(),
                "forbidden",
                "{role}"
            );
        }
        for days in [0, 367] {
            let body = json!({ "label": "x", "role": "reader", "days": days });
            assert_eq!(house.post(&analyst, "/tokens", body).await.status, 400);
        }
        let (id, token) = house.token(&analyst, new("analyst", None)).await;
        let me = house.get(&token, "/session").await.done(200);
        assert_eq!((&me["person"]["region"], &me["csrf"]), (&json!("某省/某市"), &Value::Null));
        assert_eq!(house.pages(&token, "/targets?limit=1", "targets").await.len(), 2);
        assert_eq!(house.get(&token, &format!("/targets/{OTHER}")).await.status, 404);
        house.post(&token, &format!("/targets/{GRID}/events"), confirm()).await.done(201);
        let (_, county) = house.token(&analyst, new("reader", Some("某省/某市/某县"))).await;
        let seen = house.pages(&county, "/targets?limit=1", "targets").await;
        assert_eq!(seen.iter().map(|target| &target["target"]).collect::<Vec<_>>(), [COUNTY]);
        assert_eq!(house.post(&county, &format!("/targets/{COUNTY}/events"), confirm()).await.status, 403);
        // The maker may do less, and so may the token.
        let people = house.get(&admin, "/people").await.done(200);
        let maker = people["people"].as_array().unwrap().iter().find(|one| one["name"] == "王五").unwrap();
        let maker = format!("/api/v1/people/{}", maker["id"]);
        house.send(&admin, "PATCH", &maker, json!({ "role": "reader" })).await.done(200);
        assert_eq!(house.post(&token, &format!("/targets/{GRID}/events"), confirm()).await.status, 403);
        house.send(&admin, "PATCH", &maker, json!({ "region": "某省/他市" })).await.done(200);
        assert_eq!(house.get(&token, "/session").await.status, 401, "what was its region is not the maker's");
        house.send(&admin, "PATCH", &maker, json!({ "region": "" })).await.done(200);
        house.get(&token, "/session").await.done(200);
        house.send(&admin, "PATCH", &maker, json!({ "disabled": true })).await.done(200);
        assert_eq!(house.get(&token, "/session").await.status, 401, "who may not log in has no tokens");
        house.send(&admin, "PATCH", &maker, json!({ "disabled": false })).await.done(200);
        house.pass(2 * 24 * HOUR);
        assert_eq!(house.get(&token, "/session").await.status, 401, "its days are over");
        house.pass(-2 * 24 * HOUR);
        house.get(&token, "/session").await.done(200);
        let path = format!("/api/v1/tokens/{id}");
        house.send(&admin, "DELETE", &path, ()).await.done(204);
        assert_eq!(house.get(&token, "/session").await.status, 401, "revoked");
        assert_eq!(house.send(&admin, "DELETE", &path, ()).await.problem(), "revoked");
        // Nobody changes their own account, so that there is always an administrator.
        let own = house.send(&admin, "PATCH", "/api/v1/people/1", json!({ "role": "reader" })).await;
        assert_eq!(own.problem(), "own-account");
    });
}

#[test]
fn a_region_is_all_that_its_people_see() {
    on_both("", async |house| {
        let admin = house.administrator().await;
        let local = house.person(&admin, "本地", "administrator", Some("某省/某市")).await;
        let keys = async |who: &Who, path: &str, field: &str, key: &str| -> BTreeSet<String> {
            let rows = house.pages(who, path, field).await;
            rows.iter().map(|row| row[key].as_str().unwrap().to_owned()).collect()
        };
        let set = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<BTreeSet<String>>();
        let all = [COUNTY, GRID, OTHER];
        assert_eq!(keys(&admin, "/targets?limit=1", "targets", "target").await, set(&all));
        assert_eq!(keys(&local, "/targets?limit=1", "targets", "target").await, set(&[COUNTY, GRID]));
        assert_eq!(keys(&local, "/targets?region=某省", "targets", "target").await, set(&[COUNTY, GRID]));
        assert_eq!(keys(&local, "/targets?region=某省/某市/某县", "targets", "target").await, set(&[COUNTY]));
        assert_eq!(house.get(&local, "/targets?region=某省/某市区").await.status, 404);
        assert_eq!(keys(&admin, "/review?limit=1", "waiting", "target").await, set(&[GRID, OTHER]));
        assert_eq!(keys(&local, "/review?limit=1", "waiting", "target").await, set(&[GRID]));
        let counted = async |who: &Who| -> u64 {
            let counts = house.get(who, "/counts").await.done(200);
            counts["counts"].as_array().unwrap().iter().map(|count| count["targets"].as_u64().unwrap()).sum()
        };
        assert_eq!((counted(&admin).await, counted(&local).await), (3, 2));
        let codes = house.get(&local, "/codes").await.done(200);
        assert_eq!(codes.as_array().unwrap().len(), 2);
        // Both are there since two days ago, and were never worth a code.
        let trend = house.get(&local, "/trend?days=30").await.done(200);
        let day = |day: &str| json!({ "day": day, "code": "none", "targets": 2 });
        assert_eq!(trend["points"], json!([day("2026-11-24"), day("2026-11-25"), day("2026-11-26")]));
        // What is there and what is not are the same.
        let hidden = house.get(&local, &format!("/targets/{OTHER}")).await;
        let absent = house.get(&local, "/targets/app:nowhere").await;
        assert_eq!((hidden.status, hidden.body), (absent.status, absent.body));
        house.get(&local, &format!("/reports/{}", house.reports[0])).await.done(200);
        assert_eq!(house.get(&local, &format!("/reports/{}", house.reports[1])).await.status, 404);
        let diff = format!("/diffs?old={}&new={}", house.reports[0], house.reports[1]);
        assert_eq!(house.get(&local, &diff).await.status, 404);
        house.get(&admin, &diff).await.done(200);
        assert_eq!(house.post(&local, &format!("/targets/{OTHER}/events"), confirm()).await.status, 404);
        // People and audit log of the region.
        let body = |region: Option<&str>| json!({ "name": "甲乙丙", "role": "reader", "region": region });
        for region in [None, Some("某省"), Some("某省/某市区")] {
            assert_eq!(
                house.post(&local, "/people", body(region)).await.problem(),
                "forbidden",
                "{region:?}"
            );
        }
        house.post(&local, "/people", body(Some("某省/某市/某县"))).await.done(201);
        assert_eq!(keys(&local, "/audit?limit=2", "lines", "who").await, set(&["本地"]));
        let names = house.get(&local, "/people").await.done(200);
        assert_eq!(names["people"].as_array().unwrap().len(), 2);
        assert_eq!(
            house.send(&local, "PATCH", "/api/v1/people/1", json!({ "disabled": true })).await.status,
            404
        );
    });
}

#[test]
fn decisions_are_events_and_can_be_undone() {
    on_both("", async |house| {
        let admin = house.administrator().await;
        let analyst = house.person(&admin, "王五", "analyst", None).await;
        let events = format!("/targets/{GRID}/events");
        let code = async || house.get(&analyst, &format!("/targets/{GRID}")).await.done(200);
        let open = |target: &Value| -> BTreeSet<String> {
            let findings = target["findings"].as_array().unwrap().iter();
            findings.map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect()
        };
        let before = code().await;
        assert!(open(&before).contains("app.check-in"));
        let dismiss = json!({ "action": "dismiss", "rule": "app.check-in", "reason": "会议签到" });
        let decided = house.post(&analyst, &events, dismiss).await.done(201);
        let after = code().await;
        assert!(!open(&after).contains("app.check-in"));
        assert_eq!(after["code"], decided["code"]);
        let missing = house.post(&analyst, &events, confirm()).await;
        assert_eq!((missing.status, &*missing.problem()), (409, "refused"));
        let undo = json!({ "action": "withdrawal", "event": decided["event"], "reason": "误操作" });
        house.post(&analyst, &events, undo.clone()).await.done(201);
        let undone = code().await;
        assert_eq!((&undone["code"]["code"], open(&undone)), (&before["code"]["code"], open(&before)));
        // An event of another target is none of this one.
        let other = format!("/targets/{OTHER}/events");
        assert_eq!(house.post(&analyst, &other, undo).await.problem(), "refused");
        let notice = json!({ "action": "notice", "document": "整改〔2026〕1号", "deadline": "2026-12-20" });
        house.post(&analyst, &events, notice).await.done(201);
        assert_eq!(
            house.get(&analyst, "/targets?due_before=2026-12-21").await.done(200)["targets"][0]["target"],
            GRID
        );
        let past = json!({ "action": "notice", "document": "整改〔2026〕2号", "deadline": "2026-11-01" });
        assert_eq!(house.post(&analyst, &events, past).await.problem(), "refused");
        let red = json!({ "action": "red", "reason": "x" });
        assert_eq!(house.post(&analyst, &events, red).await.problem(), "refused", "nothing was found again");
        for body in [
            json!({ "action": "filing", "number": "示例备0001" }),
            json!({ "action": "revocation", "reason": "注销" }),
            json!({ "action": "rectification", "statement": "已改" }),
            json!({ "action": "except", "rule": "app.ranking", "document": "某文", "scope": "值守", "until": "2027-01-01" }),
            json!({ "action": "closure", "reason": "关停公告" }),
        ] {
            house.post(&analyst, &events, body.clone()).await.done(201);
        }
        for body in [
            json!({ "action": "filing", "number": "  " }),
            json!({ "action": "filing", "number": "备".repeat(4001) }),
        ] {
            assert_eq!(house.post(&analyst, &events, body).await.problem(), "refused");
        }
        for body in [
            json!({ "action": "filing" }),
            json!({ "action": "scanned" }),
            json!([]),
            json!({ "action": "filing", "number": "1", "at": 1 }),
        ] {
            assert_eq!(house.post(&analyst, &events, body.clone()).await.status, 422, "{body}");
        }
        let told = house.pages(&analyst, &format!("{events}?limit=2"), "events").await;
        let titles: Vec<&str> = told.iter().map(|event| event["title"].as_str().unwrap()).collect();
        let expected = [
            "列入名录",
            "检测",
            "复核驳回",
            "撤回",
            "下达整改通知",
            "备案",
            "撤销备案",
            "报告整改完成",
            "准予例外",
            "关停",
        ];
        assert_eq!(titles, expected);
        assert!(told[2]["withdrawn"].as_bool().unwrap() && !told[3]["withdrawn"].as_bool().unwrap());
        assert_eq!(told[2]["record"]["actor"], "王五", "the person, not what a request says");
        // A closed target waits for nobody: nothing is open or overdue, and no other reason is given.
        let closed = house.get(&analyst, &format!("/targets/{GRID}")).await.done(200);
        assert_eq!((&closed["findings"], &closed["missing"]), (&json!([]), &json!([])));
        let reasons = closed["code"]["reasons"].as_array().unwrap();
        assert_eq!((reasons.len(), &reasons[0]["id"]), (1, &json!("closed")));
        let due = house.get(&analyst, "/targets?due_before=2026-12-31").await.done(200);
        assert_eq!(due["targets"], json!([]));
        let waiting = house.pages(&analyst, "/review?limit=1", "waiting").await;
        assert!(waiting.iter().all(|one| one["target"] != GRID) && !waiting.is_empty());
        assert!(
            waiting
                .iter()
                .all(|one| !one["title"].as_str().unwrap().is_empty() || one["rule"] != "app.check-in")
        );
        assert!(house.app.ledger.verify().await.unwrap().broken.is_empty());
    });
}

#[test]
fn lists_and_documents_are_what_was_asked_for() {
    on_both("", async |house| {
        let admin = house.administrator().await;
        let found = async |query: &str| house.get(&admin, &format!("/targets?{query}")).await;
        for (query, count) in [
            ("kind=app", 3),
            ("kind=group", 0),
            ("code=none", 3),
            ("code=green", 0),
            ("owner=某市大数据局", 3),
            ("owner=某市", 0),
            ("q=EXAMPLE.grid", 1),
            ("q=%25", 0),
            ("level=city", 0),
            ("clause=never", 0),
        ] {
            assert_eq!(found(query).await.done(200)["targets"].as_array().unwrap().len(), count, "{query}");
        }
        for query in
            ["kind=blog", "code=yellow", "limit=x", "after=!!", "after=WzFd", "due_before=soon", "q=%00"]
        {
            let refused = found(query).await;
            assert_eq!((refused.status, &*refused.problem()), (400, "bad-request"), "{query}");
        }
        // Tags.
        let first = found("kind=app").await;
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with('"'), "{tag}");
        let Who::Session { cookie, .. } = &admin else { unreachable!() };
        let again = |tag: String| Who::Headers(vec![("cookie", cookie.clone()), ("if-none-match", tag)]);
        let same = house.get(&again(format!("\"x\", W/{tag}")), "/targets?kind=app").await;
        assert_eq!((same.status, same.body.len(), same.header("etag")), (304, 0, &*tag));
        house
            .post(
                &admin,
                &format!("/targets/{GRID}/events"),
                json!({ "action": "filing", "number": "示例备1" }),
            )
            .await
            .done(201);
        assert_eq!(house.get(&again(tag), "/targets?kind=app").await.status, 200, "it has changed");
        // Reports.
        let path = format!("/reports/{}", house.reports[1]);
        let json = house.get(&admin, &path).await;
        assert_eq!(stored(&report::hostile()).1, json.body, "as it was stored");
        for (format, kind) in [
            ("html", "text/html; charset=utf-8"),
            ("sarif", "application/sarif+json"),
            ("terminal", "text/plain; charset=utf-8"),
            ("jsonl", "application/x-ndjson"),
        ] {
            let shown = house.get(&admin, &format!("{path}?format={format}&lang=en&all=true")).await;
            assert_eq!((shown.status, shown.header("content-type")), (200, kind));
            assert!(!shown.body.contains(&0x1b), "{format}: no escapes of a terminal");
            if format == "html" {
                assert!(shown.header("content-security-policy").contains("sandbox"));
                assert!(!String::from_utf8_lossy(&shown.body).contains("<script"));
            }
        }
        assert_eq!(house.get(&admin, &format!("{path}?format=exe")).await.status, 400);
        let diff = house.get(&admin, &format!("/diffs?old={0}&new={0}", house.reports[0])).await.done(200);
        assert_eq!(diff["schema"], "zhijian.diff/1");
        // Exports.
        let codes = house.get(&admin, "/codes?q=grid").await;
        assert_eq!(codes.json()[0]["schema"], "zhijian.code/1");
        assert_eq!(codes.header("content-disposition"), "attachment; filename=\"codes.json\"");
        let csv = house.get(&admin, "/codes?format=csv").await;
        assert_eq!(csv.body.split(|byte| *byte == b'\n').count(), 1 + 3 + 1);
        let xlsx = house.get(&admin, "/codes?format=xlsx&lang=en").await;
        assert!(xlsx.body.starts_with(b"PK") && xlsx.header("content-type").contains("spreadsheetml"));
        let trend = house.get(&admin, "/trend?days=7").await.done(200);
        assert_eq!(trend["points"], json!([{ "day": "2026-11-26", "code": "none", "targets": 3 }]));
        let by = house.get(&admin, "/counts?by=region").await.done(200);
        assert_eq!(by["counts"].as_array().unwrap().len(), 3);
    });
}

#[test]
fn a_key_makes_a_change_happen_once() {
    on_both("", async |house| {
        let Who::Session { cookie, csrf } = house.administrator().await else { unreachable!() };
        let by = |key: &str| {
            let session = [("cookie", cookie.clone()), ("x-csrf-token", csrf.clone())];
            Who::Headers(session.into_iter().chain([("idempotency-key", key.to_owned())]).collect())
        };
        let events = format!("/targets/{GRID}/events");
        let filing = json!({ "action": "filing", "number": "示例备1" });
        let first = house.post(&by("6"), &events, filing.clone()).await;
        let again = house.post(&by("6"), &events, filing.clone()).await;
        assert_eq!((first.status, again.status), (201, 201));
        assert_eq!((&first.body, again.header("idempotency-replayed")), (&again.body, "true"));
        assert_eq!(again.header("content-type"), "application/json");
        let other = house.post(&by("6"), &events, json!({ "action": "filing", "number": "示例备2" })).await;
        assert_eq!((other.status, &*other.problem()), (422, "key-reused"));
        let elsewhere = house.post(&by("6"), &format!("/targets/{OTHER}/events"), filing.clone()).await;
        assert_eq!(elsewhere.problem(), "key-reused");
        // Many at once: one event, and everybody has its number or is told to wait.
        let key = by("many");
        let sent = (0..8).map(|_| house.post(&key, &events, filing.clone()));
        let answers = futures_util::future::join_all(sent).await;
        let mut numbers = BTreeSet::new();
        for answer in answers {
            match answer.status {
                201 => drop(numbers.insert(answer.json()["event"].as_u64().unwrap())),
                _ => assert_eq!(answer.problem(), "under-way"),
            }
        }
        assert_eq!(numbers.len(), 1);
        let told = house.app.ledger.events_of(GRID).await.unwrap();
        assert_eq!(told.iter().filter(|recorded| recorded.event.deed.name() == "filed").count(), 2);
        // A refusal is an answer too; a secret is given once.
        let refused = json!({ "action": "red", "reason": "x" });
        assert_eq!(house.post(&by("no"), &events, refused.clone()).await.problem(), "refused");
        assert_eq!(house.post(&by("no"), &events, refused).await.header("idempotency-replayed"), "true");
        let person = json!({ "name": "甲", "role": "reader" });
        let made = house.post(&by("p"), "/people", person.clone()).await.done(201);
        assert_eq!(house.post(&by("p"), "/people", person).await.problem(), "shown-once");
        assert_no_secret(&house, made["password"].as_str().unwrap()).await;
        house.pass(24 * HOUR + 1);
        let Who::Session { cookie, csrf } = house.login("admin", &lasting("admin")).await else {
            unreachable!()
        };
        let late =
            Who::Headers(vec![("cookie", cookie), ("x-csrf-token", csrf), ("idempotency-key", "6".into())]);
        assert_eq!(house.post(&late, &events, filing).await.header("idempotency-replayed"), "", "forgotten");
    });
}

/// Looks through every text of the tables of people.
async fn assert_no_secret(house: &House, secret: &str) {
    for sql in [
        "SELECT password FROM person",
        "SELECT token FROM session",
        "SELECT hash FROM api_token",
        "SELECT whose FROM attempt",
        "SELECT who || what || object FROM audit",
        "SELECT id || request || kind FROM answered",
    ] {
        for row in sqlx::query(sql).fetch_all(house.app.ledger.pool()).await.unwrap() {
            assert!(!row.get::<String, _>(0).contains(secret), "{sql}");
        }
    }
    for row in sqlx::query("SELECT body FROM answered").fetch_all(house.app.ledger.pool()).await.unwrap() {
        assert!(!String::from_utf8_lossy(&row.get::<Vec<u8>, _>(0)).contains(secret));
    }
}

#[test]
fn the_audit_log_has_every_change_and_no_secret() {
    on_both("", async |house| {
        house.try_login("admin", "某个错的口令某个错的口令").await;
        let admin = house.administrator().await;
        let Who::Session { cookie, .. } = &admin else { unreachable!() };
        let made = house
            .post(&admin, "/tokens", json!({ "label": "x", "role": "analyst", "days": 1 }))
            .await
            .done(201);
        let token = Who::Token(made["secret"].as_str().unwrap().to_owned());
        house.post(&token, &format!("/targets/{GRID}/events"), confirm()).await.done(201);
        house.post(&token, "/people", json!({})).await;
        house.send(&Who::Headers(vec![("cookie", cookie.clone())]), "DELETE", "/api/v1/session", ()).await;
        house.get(&admin, "/targets").await.done(200);
        let lines = house.pages(&admin, "/audit?limit=2", "lines").await;
        let told: Vec<(&str, &str, u64)> = lines
            .iter()
            .rev()
            .map(|line| {
                let text = |field: &str| line[field].as_str().unwrap();
                (text("who"), text("what"), line["outcome"].as_u64().unwrap())
            })
            .collect();
        let events = format!("POST /api/v1/targets/{GRID}/events");
        let expected = [
            ("admin", "login", 401),
            ("admin", "login", 200),
            ("admin", "PUT /api/v1/session/password", 204),
            ("admin", "POST /api/v1/tokens", 201),
            ("admin", &*events, 201),
            ("admin", "POST /api/v1/people", 403),
            ("admin", "DELETE /api/v1/session", 403),
        ];
        assert_eq!(told, expected);
        assert_eq!(
            (&lines[2]["token"], &lines[2]["object"]),
            (&made["id"], &json!("event 6: confirmed app.check-in"))
        );
        assert!(
            lines.iter().all(|line| line["address"] == "127.0.0.1" && line["at"] == "2026-11-26T04:00:00Z")
        );
        let seqs: Vec<i64> = lines.iter().map(|line| line["seq"].as_i64().unwrap()).collect();
        assert!(seqs.is_sorted_by(|a, b| a > b));
        for secret in
            [&*house.first, &lasting("admin"), made["secret"].as_str().unwrap(), "错的口令", &cookie[8..]]
        {
            assert_no_secret(&house, secret).await;
        }
    });
}

#[test]
fn requests_are_paced() {
    on_sqlite("[server]\nrequests-per-second = 3\n", async |house| {
        let admin = house.administrator().await;
        let mut answers = Vec::new();
        for _ in 0..12 {
            answers.push(house.get(&admin, "/targets").await);
        }
        let refused = answers.iter().find(|answer| answer.status == 429).expect("12 at once are too many");
        assert_eq!((&*refused.problem(), refused.header("retry-after")), ("rate", "1"));
        // Somebody else is not held up, and the health of the service is nobody's business.
        let (_, token) = {
            tokio::time::sleep(Duration::from_millis(1100)).await;
            house.token(&admin, json!({ "label": "x", "role": "reader", "days": 1 })).await
        };
        house.get(&token, "/targets").await.done(200);
        assert_eq!(house.send(&Who::Nobody, "GET", "/healthz", ()).await.status, 200);
    });
}

#[test]
fn bad_requests_end_in_problems() {
    on_both("[server]\nbody-timeout = '2s'\nrequests-per-second = 1000\n", async |house| {
        let admin = house.administrator().await;
        for path in [
            "/nowhere",
            "/reports/..%2f..%2fetc%2fpasswd",
            "/reports/%2e%2e",
            "/reports/x",
            "/targets/%00",
            "/targets/..%2f..%2f",
            "/targets/a%0d%0aSet-Cookie:%20x=1",
            "/targets/%F0%9F%92%A3",
            &format!("/reports/{}", "A".repeat(64)),
            &format!("/reports/{}", "0".repeat(64)),
        ] {
            let answer = house.get(&admin, path).await;
            assert_eq!((answer.status, &*answer.problem()), (404, "not-found"), "{path}");
            assert_eq!(answer.header("set-cookie"), "");
        }
        assert_eq!(house.get(&admin, "/targets/%ff").await.status, 400, "no UTF-8");
        // A filter that is misspelt is not taken for none.
        for (path, name) in [
            ("/targets?regoin=某省", "regoin"),
            ("/targets?limit=1&colour=red", "colour"),
            (&format!("/targets/{GRID}?at=2026"), "at"),
            ("/jobs?status=dead", "status"),
            ("/people?x", "x"),
        ] {
            let answer = house.get(&admin, path).await;
            assert_eq!((answer.status, &*answer.problem()), (400, "unknown-parameter"), "{path}");
            assert_eq!(answer.json()["detail"], name, "{path}");
        }
        let answer =
            house.send(&admin, "POST", "/api/v1/rosters?nmae=x", ("text/csv", b"x".as_slice())).await;
        assert_eq!(answer.json()["detail"], "nmae");
        let wrong = house.send(&admin, "PATCH", "/api/v1/targets", json!({})).await;
        assert_eq!((wrong.status, &*wrong.problem(), wrong.header("allow")), (405, "method", "GET,HEAD"));
        let events = format!("/api/v1/targets/{GRID}/events");
        let text = house.send(&admin, "POST", &events, ("text/plain", b"{}".as_slice())).await;
        assert_eq!((text.status, text.problem().is_empty()), (415, false));
        let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
        for body in [deep.as_bytes(), b"{", b"\xff\xfe", b"", b"{\"action\":\"filing\",\"number\":1e999}"] {
            let answer = house.send(&admin, "POST", &events, ("application/json", body)).await;
            assert!(matches!(answer.status, 400 | 422), "{}", answer.status);
            answer.problem();
        }
        let giant = vec![b' '; (1 << 20) + 1];
        let answer = house.send(&admin, "POST", &events, ("application/json", giant.as_slice())).await;
        assert_eq!((answer.status, &*answer.problem()), (413, "too-large"));
        let Who::Session { cookie, csrf } = &admin else { unreachable!() };
        for key in ["", &"k".repeat(201), "é"] {
            let headers = vec![
                ("cookie", cookie.clone()),
                ("x-csrf-token", csrf.clone()),
                ("idempotency-key", key.to_owned()),
            ];
            let answer = house.send(&Who::Headers(headers), "POST", &events, confirm()).await;
            assert_eq!(answer.problem(), "bad-request", "{key}");
        }
        for authorization in ["Basic YWRtaW46YWRtaW4=", "Bearer", "Bearer ", "bearer zj_x"] {
            let headers = vec![("cookie", cookie.clone()), ("authorization", authorization.to_owned())];
            assert_eq!(house.get(&Who::Headers(headers), "/targets").await.status, 401, "{authorization}");
        }
        // A byte every now and then is cut off by the time for all of them, and so is a body that does not come.
        let mut stream = TcpStream::connect(house.address).await.unwrap();
        let head = format!(
            "POST {events} HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\nX-CSRF-Token: {csrf}\r\n\
             Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        let (mut reader, mut writer) = stream.into_split();
        let begun = Instant::now();
        let dripping = tokio::spawn(async move {
            while writer.write_all(b" ").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        });
        let mut said = vec![0; 4096];
        let count = reader.read(&mut said).await.unwrap();
        let said = String::from_utf8_lossy(&said[..count]).into_owned();
        assert!(said.starts_with("HTTP/1.1 408 ") && said.contains("urn:zhijian:problem:slow"), "{said}");
        assert!((1..10).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
        dripping.abort();
        // What was refused has changed nothing.
        assert_eq!(house.app.ledger.events_of(GRID).await.unwrap().len(), 2);
    });
}

#[test]
fn a_roster_is_applied_as_it_was_shown() {
    on_both("", async |house| {
        let admin = house.administrator().await;
        let send = async |who: &Who, text: &str| {
            house.send(who, "POST", "/api/v1/imports", ("text/csv", text.as_bytes())).await
        };
        let same = send(&admin, ROSTER).await.done(201);
        assert_eq!((&same["change"]["unchanged"], &same["events"]), (&json!(3), &json!(0)));
        let edited = "类型,标识,名称,主办单位,地区,备案编号,地址\n\
                      应用,cn.gov.example.grid,新名称,某市大数据局,某省/某市,示例备0001,https://example.gov.cn/a.apk\n\
                      应用,cn.gov.example.other,网格通 某省/某市区,某市大数据局,某省/某市区,,/etc/passwd\n\
                      应用,cn.gov.example.new,新应用,某局,某省/某市,,\n";
        let shown = send(&admin, edited).await.done(201);
        let keys =
            |field: &str| shown["change"][field].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(
            (keys("added"), keys("removed")),
            (vec!["app:cn.gov.example.new".to_owned()], vec![COUNTY.to_owned()])
        );
        assert_eq!(shown["change"]["changed"][0]["key"], GRID);
        assert_eq!(
            (&shown["rejected"][0]["line"], &shown["change"]["unread"]),
            (&json!(3), &json!([OTHER])),
            "no path of this machine"
        );
        let apply = |shown: &Value| format!("/imports/{}/apply", shown["id"].as_str().unwrap());
        let wrong = house.post(&admin, &apply(&shown), json!({ "digest": "0" })).await;
        assert_eq!(wrong.problem(), "changed");
        // Somebody else was faster.
        let other = json!({ "action": "filing", "number": "示例备0001" });
        house.post(&admin, &format!("/targets/{GRID}/events"), other).await.done(201);
        let late = house.post(&admin, &apply(&shown), json!({ "digest": shown["digest"] })).await;
        assert_eq!((late.status, &*late.problem()), (409, "changed"));
        let shown = send(&admin, edited).await.done(201);
        let applied =
            house.post(&admin, &apply(&shown), json!({ "digest": shown["digest"] })).await.done(200);
        assert_eq!(applied["events"], shown["events"]);
        assert_eq!(
            house.post(&admin, &apply(&shown), json!({ "digest": shown["digest"] })).await.status,
            404,
            "once"
        );
        let target = house.get(&admin, &format!("/targets/{GRID}")).await.done(200);
        assert_eq!(
            (&target["code"]["name"], &target["code"]["filing"]),
            (&json!("新名称"), &json!("示例备0001"))
        );
        // Of one region: the others stay, and are not taken over.
        let local = house.person(&admin, "本地", "administrator", Some("某省/某市")).await;
        let own = "类型,标识,名称,地区\n应用,cn.gov.example.grid,网格通,某省/某市\n应用,cn.gov.example.x,外地,某省/某市区\n";
        let shown = send(&local, own).await.done(201);
        assert_eq!(
            shown["change"]["removed"].as_object().unwrap().keys().collect::<Vec<_>>(),
            ["app:cn.gov.example.new"]
        );
        assert_eq!(shown["rejected"][0]["line"], 3);
        assert_eq!(
            house.post(&admin, &apply(&shown), json!({ "digest": shown["digest"] })).await.status,
            404,
            "another's"
        );
        let taken = send(&local, "类型,标识,名称,地区\n应用,cn.gov.example.other,拿来,某省/某市\n").await;
        assert_eq!((taken.status, &*taken.problem()), (403, "region"));
        for bytes in [b"".as_slice(), b"PK\x03\x04", b"\xff\xfe\x00", b"a,b\n1,2\n"] {
            let refused = house.send(&admin, "POST", "/api/v1/imports", ("text/csv", bytes)).await;
            assert_eq!((refused.status, &*refused.problem()), (422, "roster"));
        }
    });
}
