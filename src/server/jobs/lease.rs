//! The pace of hosts that all workers keep together: whoever wants to ask a host takes its next slot.

use std::pin::Pin;
use std::time::Duration;

use sqlx::{AnyPool, Row};

use super::{Outcome, now};
use crate::fetch::Pacer;

/// The slots of hosts in a database.
#[derive(Debug, Clone)]
pub struct Lease {
    pool: AnyPool,
    /// Several machines: the clock is that of the database, for their own may differ.
    shared: bool,
}

impl Lease {
    /// Those of a database.
    pub fn new(pool: AnyPool) -> Self {
        let shared = pool.connect_options().database_url.scheme() != "sqlite";
        Lease { pool, shared }
    }

    /// Takes the next slot of a host: how long it is until then.
    pub async fn take(&self, host: &str, pace: Duration) -> Outcome<Duration> {
        let pace = i64::try_from(pace.as_millis()).unwrap_or(i64::MAX / 4);
        let wait: i64 = if self.shared {
            let sql = "WITH clock AS (SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) AS now) \
                       INSERT INTO host_lease AS held (host, next) SELECT $1, clock.now + $2 FROM clock \
                       ON CONFLICT (host) DO UPDATE SET next = GREATEST(held.next + $2, excluded.next) \
                       RETURNING next - $2 - (SELECT now FROM clock)";
            let row = sqlx::query(sql).bind(host.to_owned()).bind(pace).fetch_one(&self.pool).await?;
            row.try_get(0)?
        } else {
            let now = now();
            let sql = "INSERT INTO host_lease (host, next) VALUES ($1, $2 + $3) ON CONFLICT (host) \
                       DO UPDATE SET next = MAX(host_lease.next + $3, excluded.next) RETURNING next";
            let query = sqlx::query(sql).bind(host.to_owned()).bind(now).bind(pace);
            let next: i64 = query.fetch_one(&self.pool).await?.try_get(0)?;
            next - pace - now
        };
        Ok(Duration::from_millis(wait.max(0).unsigned_abs()))
    }
}

impl Pacer for Lease {
    fn slot<'a>(
        &'a self,
        host: &'a str,
        pace: Duration,
    ) -> Pin<Box<dyn Future<Output = Result<Duration, String>> + Send + 'a>> {
        Box::pin(async move { self.take(host, pace).await.map_err(|error| error.to_string()) })
    }
}
