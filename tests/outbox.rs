//! Notices to other programs: signed, sent again, given up, never twice; against a server of our own and SQLite.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    reason = "a test fails by panicking"
)]

use crate::common::postgres;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::common::server::{Request, Server, Step, answer};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use sqlx::AnyPool;
use zhijian::config::{Config, SecretPlace, Webhook};
use zhijian::fetch::Secret;
use zhijian::ledger::Ledger;
use zhijian::model::{CODE_SCHEMA, CodeDocument, ColorCode, EventLink, TargetKind};
use zhijian::outbox::{
    Answer, Delivery, DeliveryState, NOTICE_SCHEMA, Notice, NoticeDocument, OutboxError, Sender, Sent, judge,
    list, put, retry, secret, send_due, signature,
};

const SECRET: &str = "an invented secret of the test";

fn settings(server: &Server) -> Webhook {
    let text = format!(
        "[webhook]\nurl = '{}'\nsecret-env = 'X'\nallow = ['{}']\ntimeout = '500ms'\nattempts = 3\n",
        server.url("/hook"),
        server.authority()
    );
    Config::parse(&text).unwrap().webhook.unwrap()
}

fn sender(settings: &Webhook) -> Sender {
    Sender::new(settings, Secret::new(SECRET)).unwrap()
}

fn notice(number: u64) -> Notice {
    let code = CodeDocument {
        schema: CODE_SCHEMA.into(),
        target: format!("app:cn.gov.example.app{number}"),
        kind: TargetKind::App,
        name: Some("某市网格通".into()),
        owner: None,
        level: None,
        region: None,
        filing: None,
        code: ColorCode::Blue,
        state: "再次出现".into(),
        state_en: "found again".into(),
        reasons: Vec::new(),
        since: at(0),
        as_of: at(0),
        policy: "zhijian.default/1".into(),
        last_event: EventLink { seq: number, hash: "ab".repeat(32) },
        report: None,
    };
    Notice::CodeChanged { previous: Some(ColorCode::Green), code: Box::new(code) }
}

/// So many seconds into the test.
fn at(seconds: i64) -> Timestamp {
    "2026-11-26T02:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

async fn pool() -> AnyPool {
    Ledger::open("sqlite::memory:").await.unwrap().pool().clone()
}

async fn only(pool: &AnyPool) -> Delivery {
    let mut all = list(pool, None, 10).await.unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0)
}

fn done(delivered: usize, waiting: usize, dead: usize) -> Sent {
    Sent { delivered, waiting, dead }
}

#[tokio::test]
async fn a_notice_arrives_once_with_its_key_and_its_signature() {
    let server = Server::start("127.0.0.1", |_| answer("204 No Content", &[], b""));
    let settings = settings(&server);
    let (pool, sender) = (pool().await, sender(&settings));
    let delivery = Delivery::new(settings.url.as_str(), &notice(1), at(0)).unwrap();
    assert!(put(&pool, &delivery).await.unwrap());
    assert!(!put(&pool, &delivery).await.unwrap(), "the same notice is there once");
    assert_eq!(only(&pool).await, delivery);
    assert_eq!(send_due(&pool, &sender, || at(-1)).await.unwrap(), done(0, 0, 0), "not yet");
    assert_eq!(send_due(&pool, &sender, || at(5)).await.unwrap(), done(1, 0, 0));
    assert_eq!(send_due(&pool, &sender, || at(9999)).await.unwrap(), done(0, 0, 0));
    let heard = server.all();
    assert_eq!(heard.len(), 1);
    let request = &heard[0];
    assert_eq!((request.method.as_str(), request.path.as_str()), ("POST", "/hook"));
    assert_eq!(request.header("content-type"), Some("application/json"));
    assert_eq!(request.header("idempotency-key"), Some(delivery.id.as_str()));
    assert_eq!(request.header("zhijian-event"), Some("code-changed"));
    assert_eq!(request.body, delivery.body.as_bytes());
    let stamp = at(5).as_second();
    let signature = request.header("zhijian-signature").unwrap();
    assert!(signature.starts_with(&format!("t={stamp},v1=")), "{signature}");
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body["schema"], NOTICE_SCHEMA);
    assert_eq!(body["event"], "code-changed");
    assert_eq!(body["previous"], "green");
    assert_eq!(body["code"]["schema"], CODE_SCHEMA);
    let after = only(&pool).await;
    assert_eq!((after.state, after.attempts, after.answer.as_str()), (DeliveryState::Delivered, 1, "204"));
    assert!(!retry(&pool, &delivery.id, at(6)).await.unwrap(), "what has arrived stays so");
}

#[tokio::test]
async fn the_table_is_the_same_on_postgresql() {
    let Some(cluster) = postgres::cluster() else { return };
    let ledger = Ledger::open(&cluster.database()).await.unwrap();
    // Every third attempt fails: never so many in a row that the round ends.
    let asked = AtomicUsize::new(0);
    let server = Server::start("127.0.0.1", move |_| match asked.fetch_add(1, Ordering::Relaxed) % 3 {
        2 => answer("500 Oh", &[], b""),
        _ => answer("204 No Content", &[], b""),
    });
    let settings = settings(&server);
    let pool = ledger.pool();
    let expected = done(14, 6, 0);
    for number in 0..20 {
        let delivery = Delivery::new(settings.url.as_str(), &notice(number), at(0)).unwrap();
        assert!(put(pool, &delivery).await.unwrap());
        assert!(!put(pool, &delivery).await.unwrap());
    }
    // A notice of what was not recorded after all is none.
    let mut transaction = pool.begin().await.unwrap();
    let lost = Delivery::new(settings.url.as_str(), &notice(99), at(0)).unwrap();
    assert!(put(&mut *transaction, &lost).await.unwrap());
    transaction.rollback().await.unwrap();
    assert_eq!(send_due(pool, &sender(&settings), || at(1)).await.unwrap(), expected);
    let waiting = list(pool, Some(DeliveryState::Waiting), 100).await.unwrap();
    assert_eq!(waiting.len(), expected.waiting);
    assert!(retry(pool, &waiting[0].id, at(2)).await.unwrap());
    assert_eq!(list(pool, None, 7).await.unwrap().len(), 7);
    ledger.close().await;
}

#[test]
fn the_signature_is_hmac_sha256_of_time_and_body() {
    // printf '1795312800.{"a":1}' | openssl dgst -sha256 -hmac 'an invented secret of the test'
    let at = Timestamp::from_second(1_795_312_800).unwrap();
    assert_eq!(
        signature(&Secret::new(SECRET), at, "{\"a\":1}"),
        "t=1795312800,v1=44618c63cf09ac6f1befdbaa58689b8051c7d9018fab9ce7be75e7e149a3a6c7"
    );
}

#[test]
fn answers_mean_what_they_mean() {
    for (status, answer) in [
        (200, Answer::Taken),
        (202, Answer::Taken),
        (299, Answer::Taken),
        (301, Answer::Refused),
        (307, Answer::Refused),
        (400, Answer::Refused),
        (401, Answer::Refused),
        (404, Answer::Refused),
        (408, Answer::Later(None)),
        (410, Answer::Refused),
        (425, Answer::Later(None)),
        (429, Answer::Later(None)),
        (500, Answer::Later(None)),
        (503, Answer::Later(None)),
        (599, Answer::Later(None)),
    ] {
        assert_eq!(judge(status), answer, "{status}");
    }
}

/// One notice sent at 0 to a server of one answer.
async fn once(reply: impl Fn(&Request) -> Vec<Step> + Send + Sync + 'static) -> (AnyPool, Delivery, usize) {
    let server = Server::start("127.0.0.1", reply);
    let settings = settings(&server);
    let pool = pool().await;
    put(&pool, &Delivery::new(settings.url.as_str(), &notice(1), at(0)).unwrap()).await.unwrap();
    send_due(&pool, &sender(&settings), || at(0)).await.unwrap();
    let after = only(&pool).await;
    (pool, after, server.all().len())
}

fn seconds_later(delivery: &Delivery) -> i64 {
    delivery.next_attempt.as_second() - at(0).as_second()
}

#[tokio::test]
async fn what_fails_for_now_is_tried_again_when_asked_to() {
    let (_, busy, _) = once(|_| answer("503 Busy", &[], b"come\r\n\x00later")).await;
    assert_eq!(
        (busy.state, busy.attempts, busy.answer.as_str()),
        (DeliveryState::Waiting, 1, "503 come   later")
    );
    assert!((15..=30).contains(&seconds_later(&busy)), "{busy:?}");
    let (_, asked, _) = once(|_| answer("429 Too Many", &[("Retry-After", "600")], b"")).await;
    assert_eq!((asked.state, seconds_later(&asked)), (DeliveryState::Waiting, 600));
    let (_, long, _) = once(|_| answer("503 Busy", &[("Retry-After", "999999999")], b"")).await;
    assert_eq!(seconds_later(&long), 86_400);
    let (_, silent, _) = once(|_| vec![Step::Pause(Duration::from_secs(2)), Step::Hang]).await;
    assert_eq!(silent.state, DeliveryState::Waiting);
    let (_, closed, _) = once(|_| vec![Step::Hang]).await;
    assert_eq!(closed.state, DeliveryState::Waiting);
    let (_, garbage, _) = once(|_| vec![Step::Say(b"\x00\xff what?\r\n\r\n".to_vec()), Step::Hang]).await;
    assert_eq!(garbage.state, DeliveryState::Waiting);
}

#[tokio::test]
async fn what_is_refused_is_dead_until_somebody_says_otherwise() {
    let (pool, gone, _) = once(|_| answer("410 Gone", &[], b"no such hook")).await;
    assert_eq!((gone.state, gone.answer.as_str()), (DeliveryState::Dead, "410 no such hook"));
    assert_eq!(list(&pool, Some(DeliveryState::Dead), 10).await.unwrap().len(), 1);
    assert_eq!(list(&pool, Some(DeliveryState::Waiting), 10).await.unwrap().len(), 0);
    assert!(retry(&pool, &gone.id, at(50)).await.unwrap());
    let again = only(&pool).await;
    assert_eq!((again.state, again.attempts, again.next_attempt), (DeliveryState::Waiting, 0, at(50)));
    assert!(!retry(&pool, "none", at(50)).await.unwrap());
    // Redirects are not followed, and what a receiver says is not read for ever.
    let (_, moved, heard) = once(|_| answer("307 Moved", &[("Location", "/hook")], b"")).await;
    assert_eq!((moved.state, heard), (DeliveryState::Dead, 1));
    // "400 " and 300 bytes, the last of them a space.
    let (_, endless, _) = once(|_| {
        vec![Step::Say(b"HTTP/1.1 400 Bad\r\n\r\n".to_vec()), Step::Repeat(b"no, ".to_vec(), 1 << 30)]
    })
    .await;
    assert_eq!((endless.state, endless.answer.len()), (DeliveryState::Dead, 303));
}

#[tokio::test]
async fn it_is_given_up_after_so_many_attempts() {
    let count = AtomicUsize::new(0);
    let server = Server::start("127.0.0.1", move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        answer("500 Oh", &[], b"")
    });
    let settings = settings(&server);
    let (pool, sender) = (pool().await, sender(&settings));
    put(&pool, &Delivery::new(settings.url.as_str(), &notice(1), at(0)).unwrap()).await.unwrap();
    let mut states = Vec::new();
    for round in 0..5 {
        send_due(&pool, &sender, || at(round * 100_000)).await.unwrap();
        states.push(only(&pool).await.state);
    }
    use DeliveryState::{Dead, Waiting};
    assert_eq!(states, [Waiting, Waiting, Dead, Dead, Dead]);
    assert_eq!(server.all().len(), 3);
    let keys: Vec<Option<String>> =
        server.all().iter().map(|request| request.header("idempotency-key").map(str::to_owned)).collect();
    assert!(keys.windows(2).all(|pair| pair[0] == pair[1]), "the same key each time");
    let signatures: Vec<String> =
        server.all().iter().map(|request| request.header("zhijian-signature").unwrap().to_owned()).collect();
    assert!(signatures[0] != signatures[1], "signed anew each time");
}

#[tokio::test]
async fn a_receiver_that_is_down_is_left_alone_after_ten() {
    let server = Server::start("127.0.0.1", |_| answer("503 Down", &[], b""));
    let settings = settings(&server);
    let (pool, sender) = (pool().await, sender(&settings));
    for number in 0..15 {
        put(&pool, &Delivery::new(settings.url.as_str(), &notice(number), at(0)).unwrap()).await.unwrap();
    }
    assert_eq!(send_due(&pool, &sender, || at(1)).await.unwrap(), done(0, 10, 0));
    // The others are due at once, the ten not yet.
    assert_eq!(send_due(&pool, &sender, || at(2)).await.unwrap(), done(0, 5, 0));
    assert_eq!(server.all().len(), 15);
}

#[tokio::test]
async fn the_own_network_is_left_alone() {
    let server = Server::start("127.0.0.1", |_| answer("200 OK", &[], b""));
    let allowed = settings(&server);
    let closed = Webhook { allow: Vec::new(), ..allowed.clone() };
    let pool = pool().await;
    for (number, url) in (0..).zip([
        server.url("/hook").as_str(),
        "http://localhost/hook",
        "http://169.254.169.254/latest",
        "ftp://example.gov.cn/",
        "http://user:pw@example.gov.cn/",
        "no address",
    ]) {
        put(&pool, &Delivery::new(url, &notice(number), at(0)).unwrap()).await.unwrap();
    }
    assert_eq!(send_due(&pool, &sender(&closed), || at(0)).await.unwrap(), done(0, 0, 6));
    assert!(server.all().is_empty());
}

#[tokio::test]
async fn two_senders_do_not_send_the_same() {
    let server = Server::start("127.0.0.1", |_| {
        let mut steps = vec![Step::Pause(Duration::from_millis(20))];
        steps.extend(answer("200 OK", &[], b""));
        steps
    });
    let settings = settings(&server);
    let pool = pool().await;
    for number in 0..20 {
        put(&pool, &Delivery::new(settings.url.as_str(), &notice(number), at(0)).unwrap()).await.unwrap();
    }
    let (one, two) = (sender(&settings), sender(&settings));
    let (one, two) = tokio::join!(send_due(&pool, &one, || at(0)), send_due(&pool, &two, || at(0)));
    assert_eq!(one.unwrap().delivered + two.unwrap().delivered, 20);
    assert_eq!(server.all().len(), 20);
}

#[tokio::test]
async fn what_a_killed_sender_held_is_free_again_later() {
    let server = Server::start("127.0.0.1", |_| answer("200 OK", &[], b""));
    let settings = settings(&server);
    let (pool, sender) = (pool().await, sender(&settings));
    put(&pool, &Delivery::new(settings.url.as_str(), &notice(1), at(0)).unwrap()).await.unwrap();
    // Broken off in the middle of the request.
    let slow = Server::start("127.0.0.1", |_| vec![Step::Pause(Duration::from_secs(2))]);
    let mut stuck = only(&pool).await;
    stuck.url = slow.url("/hook");
    sqlx::query("UPDATE outbox SET url = $1").bind(&stuck.url).execute(&pool).await.unwrap();
    let allowed = Webhook { allow: vec!["127.0.0.0/8".parse().unwrap()], ..settings.clone() };
    let killed = Sender::new(&allowed, Secret::new(SECRET)).unwrap();
    let cut = tokio::time::timeout(Duration::from_millis(100), send_due(&pool, &killed, || at(0))).await;
    assert!(cut.is_err());
    sqlx::query("UPDATE outbox SET url = $1").bind(settings.url.as_str()).execute(&pool).await.unwrap();
    assert_eq!(send_due(&pool, &sender, || at(30)).await.unwrap(), done(0, 0, 0), "still held");
    assert_eq!(send_due(&pool, &sender, || at(61)).await.unwrap(), done(1, 0, 0));
}

#[test]
fn the_secret_is_kept_by_its_owner() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    let place = SecretPlace::File(path.clone());
    assert!(matches!(secret(&place), Err(OutboxError::Secret(..))));
    std::fs::write(&path, format!("{SECRET}\n")).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(secret(&place), Err(OutboxError::OpenSecret(_))));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    // Without the line end, which editors add.
    let read = secret(&place).unwrap();
    assert_eq!(signature(&read, at(0), ""), signature(&Secret::new(SECRET), at(0), ""));
    assert!(!format!("{read:?}").contains("invented"));
    std::fs::write(&path, "short\n").unwrap();
    assert!(matches!(secret(&place), Err(OutboxError::ShortSecret)));
    assert!(matches!(secret(&SecretPlace::Env("ZHIJIAN_NO_SUCH".into())), Err(OutboxError::Secret(..))));
}

#[test]
fn the_commands_tell_of_what_is_recorded() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start("127.0.0.1", |_| answer("204 No Content", &[], b""));
    let config = dir.path().join("zhijian.toml");
    let text = format!(
        "[ledger]\ndatabase = 'sqlite:{}'\n[webhook]\nurl = '{}'\nsecret-env = 'HOOK'\nallow = ['{}']\n",
        dir.path().join("ledger.db").display(),
        server.url("/hook"),
        server.authority()
    );
    std::fs::write(&config, text).unwrap();
    let run = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_zhijian"));
        command.args(args).args(["--config", config.to_str().unwrap()]).env("HOOK", SECRET);
        let output = command.env_remove("ZHIJIAN_DATABASE").output().unwrap();
        let words = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code().unwrap(), words)
    };
    let target = "app:cn.gov.example.grid";
    let scan = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/built/grid-patrol.apk");
    let report = dir.path().join("report.json");
    std::fs::write(&report, run(&["scan", scan, "--format", "json"]).1).unwrap();
    let (code, words) = run(&["record", "scan", report.to_str().unwrap(), "--target", target]);
    assert_eq!(code, 0, "{words}");
    let (code, words) = run(&["record", "filing", target, "--number", "政备51000000123号"]);
    assert_eq!(code, 0, "{words}");
    let (code, listed) = run(&["outbox", "list", "--state", "waiting"]);
    assert_eq!(code, 0, "{listed}");
    assert!(listed.contains("recorded") && listed.contains("待发送"), "{listed}");
    let (code, words) = run(&["outbox", "send"]);
    assert_eq!(code, 0, "{words}");
    let bodies: Vec<Value> =
        server.all().iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect();
    let of = |event: &str| bodies.iter().filter(|body| body["event"] == event).collect::<Vec<_>>();
    let recorded = of("recorded");
    assert_eq!(recorded.len(), 2);
    let filing = recorded.iter().find(|body| body["seq"] == 2).unwrap();
    assert_eq!(filing["record"]["number"], "政备51000000123号");
    let schema = zhijian::model::published::<NoticeDocument>(NOTICE_SCHEMA);
    for body in &bodies {
        jsonschema::validate(&schema, body).unwrap();
    }
    // The scan gave a target that was not there before no code; the filing left it so for the same gravest reason.
    let changed = of("code-changed");
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert_eq!((&changed[0]["previous"], &changed[0]["code"]["code"]), (&Value::Null, &"none".into()));
    assert_eq!(changed[0]["code"]["last_event"]["seq"], 1);
    assert_eq!(run(&["outbox", "send"]).0, 0);
    assert_eq!(server.all().len(), bodies.len(), "once");
    let id = server.all()[0].header("idempotency-key").unwrap().to_owned();
    let (code, words) = run(&["outbox", "retry", &id]);
    assert_eq!(code, 2, "{words}");
    assert!(run(&["outbox", "list"]).1.contains("已送达"));
}
