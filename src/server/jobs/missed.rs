//! What runs did not get of targets, and why: in the database, since the disk of the machine that ran them is not that
//! of who asks.

use std::collections::BTreeMap;

use jiff::Timestamp;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Job, Jobs, Outcome, now};
use crate::ledger::word;
use crate::run::{self, Cause, Missed};

/// Targets of a part that are noted; of more only the numbers are.
const MOST: usize = 10_000;

/// A target that a run did not get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Miss {
    /// Its key; empty where nothing identifies it.
    pub target: String,
    /// Whether the ledger knows it.
    pub known: bool,
    /// When.
    pub at: Timestamp,
    /// The run, or the part where it is none of a run.
    pub run: String,
    /// Line, name, address and reason.
    pub missed: Missed,
}

impl Jobs {
    /// Notes what a part of a run did not get, instead of what an earlier attempt at it noted. `keys` are those of all
    /// its targets, by line: of these nothing older counts any more.
    pub async fn note_missed(
        &self,
        job: &Job,
        missed: &[Missed],
        keys: &BTreeMap<u64, String>,
    ) -> Outcome<()> {
        let run = if job.parent.is_empty() { &job.id } else { &job.parent };
        let mut transaction = self.pool.begin().await?;
        let query = sqlx::query("DELETE FROM missed WHERE job = $1").bind(job.id.clone());
        query.execute(&mut *transaction).await?;
        for key in keys.values() {
            let sql = "UPDATE missed SET latest = 0 WHERE target = $1 AND latest = 1";
            sqlx::query(sql).bind(key.clone()).execute(&mut *transaction).await?;
        }
        for one in missed.iter().take(MOST) {
            let body = serde_json::to_string(one).map_err(|error| sqlx::Error::Encode(error.into()))?;
            let sql = "INSERT INTO missed (job, run, line, target, outcome, cause, at, latest, body) \
                       VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8) ON CONFLICT (job, line) DO NOTHING";
            sqlx::query(sql)
                .bind(job.id.clone())
                .bind(run.clone())
                .bind(one.line.cast_signed())
                .bind(keys.get(&one.line).cloned().unwrap_or_default())
                .bind(word(&one.outcome))
                .bind(word(&one.reason.cause))
                .bind(now())
                .bind(body)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await
    }

    /// What a run, or a part of one, did not get: behind a line of the roster, at most so many.
    pub async fn missed(&self, job: &str, after: u64, limit: u32) -> Outcome<Vec<Miss>> {
        let sql = "SELECT m.target, COALESCE(v.target, ''), m.at, m.run, m.body FROM missed m \
                   LEFT JOIN view v ON v.target = m.target \
                   WHERE (m.run = $1 OR m.job = $1) AND m.line > $2 ORDER BY m.line LIMIT $3";
        let query = sqlx::query(sql).bind(job.to_owned()).bind(after.cast_signed()).bind(i64::from(limit));
        query.fetch_all(&self.pool).await?.iter().map(read).collect()
    }

    /// Why a run, or a part of one, did not get targets: outcome and cause with the number of targets, most first.
    pub async fn causes(&self, job: &str) -> Outcome<Vec<(run::Outcome, Cause, i64)>> {
        let sql = "SELECT outcome, cause, COUNT(*) FROM missed WHERE run = $1 OR job = $1 \
                   GROUP BY outcome, cause ORDER BY 3 DESC, outcome, cause";
        let rows = sqlx::query(sql).bind(job.to_owned()).fetch_all(&self.pool).await?;
        let mut causes = Vec::new();
        for row in &rows {
            let (outcome, cause): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            let outcome = serde_json::from_value(outcome.into());
            let cause = serde_json::from_value(cause.into());
            // Another version may know others.
            if let (Ok(outcome), Ok(cause)) = (outcome, cause) {
                causes.push((outcome, cause, row.try_get(2)?));
            }
        }
        Ok(causes)
    }

    /// What the latest run that was to get a target came to, where it did not get it.
    pub async fn last_miss(&self, target: &str) -> Outcome<Option<Miss>> {
        let sql = "SELECT target, target, at, run, body FROM missed WHERE target = $1 AND latest = 1 \
                   ORDER BY at DESC LIMIT 1";
        let row = sqlx::query(sql).bind(target.to_owned()).fetch_optional(&self.pool).await?;
        row.as_ref().map(read).transpose()
    }

    /// Forgets what was noted before a moment, but of each target the latest.
    pub async fn forget_missed(&self, before: Timestamp) -> Outcome<()> {
        let query = sqlx::query("DELETE FROM missed WHERE at < $1 AND (latest = 0 OR target = '')");
        query.bind(before.as_millisecond()).execute(&self.pool).await?;
        Ok(())
    }
}

fn read(row: &AnyRow) -> Outcome<Miss> {
    let (known, body): (String, String) = (row.try_get(1)?, row.try_get(4)?);
    Ok(Miss {
        target: row.try_get(0)?,
        known: !known.is_empty(),
        at: Timestamp::from_millisecond(row.try_get(2)?).unwrap_or_default(),
        run: row.try_get(3)?,
        missed: serde_json::from_str(&body).map_err(|error| sqlx::Error::Decode(error.into()))?,
    })
}
