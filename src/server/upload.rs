//! Uploads: into the store piece by piece, never whole in memory; then a job. What was acknowledged is on disk.

use axum::body::Bytes;
use axum::http::StatusCode;
use futures_util::{Stream, StreamExt};
use sqlx::Row;
use std::time::{Duration, Instant};

use super::jobs::{Call, Job, Lane, What};
use super::{App, Problem};
use crate::model::beijing_day;

/// Bytes in a second that an upload has to bring.
const LEAST_PACE: u64 = 1024;

/// Longest name of an upload, in characters; the rest is cut off.
const LONGEST_NAME: usize = 200;

impl App {
    /// Takes content into the store: its digest. No more than one upload may be, and what is left to its uploader
    /// today.
    pub async fn take_in<E: std::fmt::Display>(
        &self,
        mut pieces: impl Stream<Item = Result<Bytes, E>> + Unpin,
        actor: &str,
    ) -> Result<String, Problem> {
        let config = &self.config.server;
        let day = beijing_day(self.now()).to_string();
        let sql = "SELECT bytes FROM upload WHERE actor = $1 AND day = $2";
        let query = sqlx::query(sql).bind(actor.to_owned()).bind(day.clone());
        let row = query.fetch_optional(self.ledger.pool()).await?;
        let used: i64 = row.map(|row| row.try_get(0)).transpose()?.unwrap_or_default();
        let left = config.daily_upload.saturating_sub(used.unsigned_abs());
        let mut incoming = self.store.incoming().map_err(disk)?;
        let begun = Instant::now();
        loop {
            if is_slow(begun.elapsed(), incoming.bytes(), config.body_timeout) {
                return Err(Problem::slow());
            }
            let next = tokio::time::timeout(config.body_timeout, pieces.next()).await;
            let Some(piece) = next.map_err(|_| Problem::slow())? else { break };
            let piece = piece.map_err(|error| Problem::bad_request(error.to_string()))?;
            let bytes = incoming.bytes() + piece.len() as u64;
            if bytes > config.largest_upload {
                let words = ("上传的文件过大", "the upload is too large");
                let problem = Problem::new("too-large", StatusCode::PAYLOAD_TOO_LARGE, words);
                return Err(problem.with(format!("> {}", config.largest_upload)));
            }
            if bytes > left {
                let words = ("今日上传额度已用完", "the quota of uploads of the day is used up");
                return Err(Problem::new("quota", StatusCode::TOO_MANY_REQUESTS, words));
            }
            incoming.write(&piece).map_err(disk)?;
        }
        let bytes = incoming.bytes();
        if bytes == 0 {
            return Err(Problem::bad_request(("文件是空的", "an empty file")));
        }
        let finished = tokio::task::spawn_blocking(move || incoming.finish()).await;
        let sha256 = finished.map_err(|_| Problem::internal())?.map_err(disk)?;
        self.share(&sha256).await.map_err(disk)?;
        let sql = "INSERT INTO upload (actor, day, bytes) VALUES ($1, $2, $3) ON CONFLICT (actor, day) \
                   DO UPDATE SET bytes = upload.bytes + excluded.bytes";
        let query = sqlx::query(sql).bind(actor.to_owned()).bind(day).bind(bytes.cast_signed());
        query.execute(self.ledger.pool()).await?;
        self.metrics.uploaded(bytes);
        Ok(sha256)
    }

    /// Calls for the scan of content of the store. The same content for the same target is not queued twice.
    pub async fn scan_upload(
        &self,
        sha256: &str,
        name: &str,
        target: Option<&str>,
        actor: &str,
    ) -> Result<Job, Problem> {
        let what = What::ScanUpload {
            sha256: sha256.to_owned(),
            name: name.chars().take(LONGEST_NAME).collect(),
            target: target.map(str::to_owned),
            at: self.now(),
        };
        let key = format!("upload:{sha256}:{}", target.unwrap_or_default());
        let (lane, actor, after) = (Lane::Demand, actor.to_owned(), Duration::ZERO);
        let (job, _) = self.jobs().call(Call { what, lane, key, actor, after, parent: None }).await?;
        Ok(job)
    }
}

/// Whether a body that has brought so many bytes takes too long: whoever sends a byte from time to time must not hold
/// a place for days.
pub(super) fn is_slow(elapsed: Duration, bytes: u64, patience: Duration) -> bool {
    elapsed > patience && bytes / LEAST_PACE < elapsed.as_secs()
}

fn disk(error: std::io::Error) -> Problem {
    tracing::error!(%error, "the store");
    match error.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
            let words = ("服务器磁盘已满，未保存", "the disk of the server is full, nothing was kept");
            Problem::new("disk-full", StatusCode::INSUFFICIENT_STORAGE, words)
        }
        _ => Problem::internal(),
    }
}
