//! Sending: one request for an attempt, judged by its answer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Response, redirect};
use sha2::Sha256;
use sqlx::AnyPool;
use thiserror::Error;
use url::Url;

use super::delivery::{Delivery, DeliveryState, due, settle, take};
use super::schedule::next_attempt;
use crate::config::{SecretPlace, Webhook};
use crate::fetch::guard::Guard;
use crate::fetch::{Resolver, Secret, causes, refusal, retry_after};
use crate::model::{Lang, hex};

/// So many notices are taken at once.
const BATCH: u32 = 100;
/// So much longer than an attempt may take is a notice held.
const MARGIN: Duration = Duration::from_secs(60);
/// So many bytes of an answer are kept.
const MOST_ANSWER: usize = 300;
/// Shorter secrets are guessed.
const SHORTEST_SECRET: usize = 16;

/// Why the outbox cannot be used.
#[derive(Debug, Error)]
pub enum OutboxError {
    /// The database does not do what it is asked.
    Database(#[from] sqlx::Error),
    /// The secret is not to be had: where it should be, and why.
    Secret(String, String),
    /// Others than its owner can read the file of the secret.
    OpenSecret(String),
    /// The secret is too short.
    ShortSecret,
    /// No connection can be prepared.
    Client(String),
}

impl OutboxError {
    /// What happened, in a language.
    pub fn words(&self, lang: Lang) -> String {
        let zh = lang == Lang::Zh;
        match self {
            OutboxError::Database(error) if zh => format!("数据库操作失败：{error}"),
            OutboxError::Database(error) => format!("the database failed: {error}"),
            OutboxError::Secret(place, cause) if zh => format!("{place}：读不到回调密钥（{cause}）"),
            OutboxError::Secret(place, cause) => format!("{place}: no secret of the webhook ({cause})"),
            OutboxError::OpenSecret(path) if zh => {
                format!("{path}：他人可以读取或修改该密钥文件，拒绝使用；请先执行 chmod 600")
            }
            OutboxError::OpenSecret(path) => {
                format!("{path}: a secret that others can read or change is not used; run chmod 600")
            }
            OutboxError::ShortSecret if zh => format!("回调密钥过短，至少 {SHORTEST_SECRET} 字节"),
            OutboxError::ShortSecret => {
                format!("the secret of the webhook has fewer than {SHORTEST_SECRET} bytes")
            }
            OutboxError::Client(cause) if zh => format!("无法建立网络连接：{cause}"),
            OutboxError::Client(cause) => format!("no connection can be prepared: {cause}"),
        }
    }
}

impl fmt::Display for OutboxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words(Lang::En))
    }
}

/// Reads the secret from where the configuration says it is.
pub fn secret(place: &SecretPlace) -> Result<Secret, OutboxError> {
    let text = match place {
        SecretPlace::Env(name) => {
            std::env::var(name).map_err(|error| OutboxError::Secret(name.clone(), error.to_string()))?
        }
        SecretPlace::File(path) => {
            let name = path.display().to_string();
            let failed = |error: std::io::Error| OutboxError::Secret(name.clone(), error.to_string());
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                let mode = std::fs::metadata(path).map_err(failed)?.permissions().mode();
                if mode & 0o077 != 0 {
                    return Err(OutboxError::OpenSecret(name));
                }
            }
            std::fs::read_to_string(path).map_err(failed)?
        }
    };
    let text = text.trim();
    if text.len() < SHORTEST_SECRET {
        return Err(OutboxError::ShortSecret);
    }
    Ok(Secret::new(text))
}

/// The value of `Zhijian-Signature` for a body sent at a moment.
pub fn signature(secret: &Secret, at: Timestamp, body: &str) -> String {
    let at = at.as_second();
    // A key of any length is one for HMAC.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.reveal().as_bytes()) else {
        return String::new();
    };
    mac.update(format!("{at}.").as_bytes());
    mac.update(body.as_bytes());
    format!("t={at},v1={}", hex(&mac.finalize().into_bytes()))
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The receiver has taken it.
    Taken,
    /// It may be taken later; the receiver may have said when.
    Later(Option<Duration>),
    /// The same request will be refused again.
    Refused,
}

/// What a status means.
pub fn judge(status: u16) -> Answer {
    match status {
        200..=299 => Answer::Taken,
        408 | 425 | 429 | 500..=599 => Answer::Later(None),
        _ => Answer::Refused,
    }
}

/// How many notices a round has sent, and what became of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sent {
    /// Delivered.
    pub delivered: usize,
    /// To be tried again.
    pub waiting: usize,
    /// Given up.
    pub dead: usize,
}

/// Sends to whoever the configuration allows.
pub struct Sender {
    http: reqwest::Client,
    guard: Arc<Guard>,
    secret: Secret,
    timeout: Duration,
    attempts: u32,
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl Sender {
    /// A sender by the configuration.
    pub fn new(settings: &Webhook, secret: Secret) -> Result<Self, OutboxError> {
        let guard = Arc::new(Guard::new(settings.allow.clone()));
        // Already installed by another client is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .user_agent(concat!("zhijian/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(Resolver(guard.clone())))
            .timeout(settings.timeout)
            .build()
            .map_err(|error| OutboxError::Client(error.to_string()))?;
        Ok(Sender { http, guard, secret, timeout: settings.timeout, attempts: settings.attempts })
    }

    /// One attempt: what came of it, and its words.
    pub async fn send(&self, delivery: &Delivery, now: Timestamp) -> (Answer, String) {
        let url = match Url::parse(&delivery.url) {
            Ok(url) => url,
            Err(error) => return (Answer::Refused, error.to_string()),
        };
        if let Err(refusal) = self.guard.check(&url) {
            return (Answer::Refused, refusal.to_string());
        }
        let request = self
            .http
            .post(url)
            .header(CONTENT_TYPE, "application/json")
            .header("idempotency-key", &delivery.id)
            .header("zhijian-event", &delivery.event)
            .header("zhijian-signature", signature(&self.secret, now, &delivery.body))
            .body(delivery.body.clone());
        match request.send().await {
            Ok(response) => {
                let status = response.status();
                let answer = match judge(status.as_u16()) {
                    Answer::Later(_) => Answer::Later(retry_after(response.headers())),
                    answer => answer,
                };
                let said = if answer == Answer::Taken { String::new() } else { beginning(response).await };
                (answer, format!("{} {said}", status.as_u16()).trim_end().to_owned())
            }
            Err(error) => match refusal(&error) {
                Some(refusal) => (Answer::Refused, refusal.to_string()),
                None => (Answer::Later(None), causes(error)),
            },
        }
    }
}

/// The beginning of what a receiver says.
async fn beginning(response: Response) -> String {
    let mut bytes = Vec::new();
    let mut body = response.bytes_stream();
    while let Some(Ok(chunk)) = body.next().await {
        bytes.extend(chunk.iter().take(MOST_ANSWER - bytes.len()));
        if bytes.len() >= MOST_ANSWER {
            break;
        }
    }
    // No database keeps a NUL in a text, and a list shows one line.
    String::from_utf8_lossy(&bytes).replace(char::is_control, " ")
}

/// Sends every notice whose time has come, one after the other. `now` is asked for the time before each.
pub async fn send_due(
    pool: &AnyPool,
    sender: &Sender,
    now: impl Fn() -> Timestamp,
) -> Result<Sent, OutboxError> {
    let mut sent = Sent::default();
    loop {
        let began = now();
        let due = due(pool, began, BATCH).await?;
        if due.is_empty() {
            return Ok(sent);
        }
        for delivery in due {
            let at = now();
            let until = at.saturating_add(sender.timeout + MARGIN).unwrap_or(at);
            // What is kept has no more than milliseconds.
            let until = Timestamp::from_millisecond(until.as_millisecond()).unwrap_or(until);
            if !take(pool, &delivery, until).await? {
                continue;
            }
            let (answer, words) = sender.send(&delivery, at).await;
            let after = settled(delivery, answer, words, now(), sender.attempts);
            match after.state {
                DeliveryState::Delivered => sent.delivered += 1,
                DeliveryState::Waiting => sent.waiting += 1,
                DeliveryState::Dead => sent.dead += 1,
            }
            settle(pool, &after, until).await?;
        }
    }
}

/// A notice after an attempt.
fn settled(before: Delivery, answer: Answer, words: String, now: Timestamp, most: u32) -> Delivery {
    let attempts = before.attempts.saturating_add(1);
    let next = match answer {
        Answer::Later(asked) => next_attempt(attempts, most, now, fastrand::f64(), asked),
        Answer::Taken | Answer::Refused => None,
    };
    let state = match (answer, next) {
        (Answer::Taken, _) => DeliveryState::Delivered,
        (_, Some(_)) => DeliveryState::Waiting,
        (_, None) => DeliveryState::Dead,
    };
    Delivery { attempts, state, next_attempt: next.unwrap_or(now), answer: words, ..before }
}
