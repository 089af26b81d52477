//! The table `outbox` (`src/ledger/migrations/0002_outbox.sql`), the same on SQLite and PostgreSQL.

use jiff::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};
use sqlx::any::{Any, AnyRow};
use sqlx::{AnyPool, Executor, Row};

use super::Notice;
use crate::model::hex;

/// What became of a notice so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeliveryState {
    /// It is to be sent.
    Waiting,
    /// The receiver has taken it.
    Delivered,
    /// Given up: refused, or tried often enough.
    Dead,
}

impl DeliveryState {
    fn name(self) -> &'static str {
        match self {
            DeliveryState::Waiting => "waiting",
            DeliveryState::Delivered => "delivered",
            DeliveryState::Dead => "dead",
        }
    }

    fn read(name: &str) -> Result<Self, sqlx::Error> {
        let all = [DeliveryState::Waiting, DeliveryState::Delivered, DeliveryState::Dead];
        let known = all.into_iter().find(|state| state.name() == name);
        known.ok_or_else(|| sqlx::Error::Decode(format!("outbox.state: {name:?}").into()))
    }

    /// The Chinese word used in lists.
    pub fn zh(self) -> &'static str {
        match self {
            DeliveryState::Waiting => "待发送",
            DeliveryState::Delivered => "已送达",
            DeliveryState::Dead => "已放弃",
        }
    }

    /// The English word used in lists.
    pub fn en(self) -> &'static str {
        self.name()
    }
}

/// A notice on its way to one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// Idempotency key: the same for the same body to the same address.
    pub id: String,
    /// Where it goes.
    pub url: String,
    /// What it tells of, one of [`crate::config::NOTICES`].
    pub event: String,
    /// The JSON that is sent.
    pub body: String,
    /// When it was written.
    pub created: Timestamp,
    /// Attempts so far.
    pub attempts: u32,
    /// It is not tried before.
    pub next_attempt: Timestamp,
    /// What became of it so far.
    pub state: DeliveryState,
    /// What came of the last attempt; empty before the first.
    pub answer: String,
}

impl Delivery {
    /// A notice to be sent now. Times are kept to the millisecond.
    pub fn new(url: &str, notice: &Notice, now: Timestamp) -> serde_json::Result<Self> {
        let body = notice.body()?;
        let mut digest = Sha256::new();
        digest.update((url.len() as u64).to_le_bytes());
        digest.update(url);
        digest.update(&body);
        let now = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
        Ok(Delivery {
            id: hex(&digest.finalize()[..16]),
            url: url.to_owned(),
            event: notice.event().to_owned(),
            body,
            created: now,
            attempts: 0,
            next_attempt: now,
            state: DeliveryState::Waiting,
            answer: String::new(),
        })
    }

    fn read(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let moment = |name| -> Result<Timestamp, sqlx::Error> {
            Timestamp::from_millisecond(row.try_get(name)?).map_err(|error| sqlx::Error::Decode(error.into()))
        };
        Ok(Delivery {
            id: row.try_get("id")?,
            url: row.try_get("url")?,
            event: row.try_get("event")?,
            body: row.try_get("body")?,
            created: moment("created")?,
            attempts: u32::try_from(row.try_get::<i64, _>("attempts")?).unwrap_or(u32::MAX),
            next_attempt: moment("next_attempt")?,
            state: DeliveryState::read(&row.try_get::<String, _>("state")?)?,
            answer: row.try_get("answer")?,
        })
    }
}

/// Writes a notice, best in the transaction of what it tells of. `false`: it was there already.
pub async fn put<'c>(
    into: impl Executor<'c, Database = Any>,
    delivery: &Delivery,
) -> Result<bool, sqlx::Error> {
    let sql = "INSERT INTO outbox (id, url, event, body, created, attempts, next_attempt, state, answer) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING";
    let query = sqlx::query(sql)
        .bind(&delivery.id)
        .bind(&delivery.url)
        .bind(&delivery.event)
        .bind(&delivery.body)
        .bind(delivery.created.as_millisecond())
        .bind(i64::from(delivery.attempts))
        .bind(delivery.next_attempt.as_millisecond())
        .bind(delivery.state.name())
        .bind(&delivery.answer);
    Ok(into.execute(query).await?.rows_affected() > 0)
}

/// The latest notices, of one state or of all.
pub async fn list(
    pool: &AnyPool,
    state: Option<DeliveryState>,
    most: u32,
) -> Result<Vec<Delivery>, sqlx::Error> {
    let sql = "SELECT * FROM outbox WHERE $1 = '' OR state = $1 ORDER BY created DESC, id LIMIT $2";
    let query = sqlx::query(sql).bind(state.map_or("", DeliveryState::name)).bind(i64::from(most));
    query.fetch_all(pool).await?.iter().map(Delivery::read).collect()
}

/// Tries a notice anew from now on, as if it had never been tried. `false`: there is none of that id that has not been
/// delivered.
pub async fn retry(pool: &AnyPool, id: &str, now: Timestamp) -> Result<bool, sqlx::Error> {
    let sql = "UPDATE outbox SET state = 'waiting', attempts = 0, next_attempt = $2 \
               WHERE id = $1 AND state <> 'delivered'";
    let done = sqlx::query(sql).bind(id).bind(now.as_millisecond()).execute(pool).await?;
    Ok(done.rows_affected() > 0)
}

/// Notices whose time has come, the oldest first.
pub(super) async fn due(pool: &AnyPool, now: Timestamp, most: u32) -> Result<Vec<Delivery>, sqlx::Error> {
    let sql = "SELECT * FROM outbox WHERE state = 'waiting' AND next_attempt <= $1 \
               ORDER BY next_attempt, created, id LIMIT $2";
    let query = sqlx::query(sql).bind(now.as_millisecond()).bind(i64::from(most));
    query.fetch_all(pool).await?.iter().map(Delivery::read).collect()
}

/// Takes a notice until a moment, after which it is free again. `false`: another has it.
pub(super) async fn take(pool: &AnyPool, delivery: &Delivery, until: Timestamp) -> Result<bool, sqlx::Error> {
    let sql = "UPDATE outbox SET next_attempt = $2 WHERE id = $1 AND state = 'waiting' AND next_attempt = $3";
    let query = sqlx::query(sql)
        .bind(&delivery.id)
        .bind(until.as_millisecond())
        .bind(delivery.next_attempt.as_millisecond());
    Ok(query.execute(pool).await?.rows_affected() > 0)
}

/// Writes what came of an attempt by whoever has taken the notice until that moment.
pub(super) async fn settle(pool: &AnyPool, after: &Delivery, until: Timestamp) -> Result<(), sqlx::Error> {
    let sql = "UPDATE outbox SET state = $2, attempts = $3, next_attempt = $4, answer = $5 \
               WHERE id = $1 AND next_attempt = $6";
    let query = sqlx::query(sql)
        .bind(&after.id)
        .bind(after.state.name())
        .bind(i64::from(after.attempts))
        .bind(after.next_attempt.as_millisecond())
        .bind(&after.answer)
        .bind(until.as_millisecond());
    query.execute(pool).await.map(drop)
}
