//! Attempts to log in, slowed down by name and by address. Each attempt counts before the password is looked at, so
//! that many at once gain nothing; a success takes its own back.

use std::net::IpAddr;

use axum::http::StatusCode;
use sqlx::Row;

use super::{hashed, millis};
use crate::ledger::LedgerError;
use crate::server::{App, Problem};

/// Failures of a name, and of an address, that cost nothing.
const FREE: [i64; 2] = [5, 20];
/// The longest wait, in milliseconds.
const LONGEST: i64 = 15 * 60 * 1000;
/// Attempts that are older count no longer, in milliseconds.
const FORGOTTEN: i64 = 60 * 60 * 1000;

/// What attempts are counted by.
pub(super) struct Attempt([String; 2]);

impl Attempt {
    /// Counts an attempt, or refuses it where too many have failed.
    pub(super) async fn begin(app: &App, name: &str, address: IpAddr) -> Result<Self, Problem> {
        // A name may be of any length, and one that nobody has is counted like any other.
        let attempt = Attempt([format!("name {}", hashed(name)), format!("address {}", network(address))]);
        let now = millis(app.now());
        for (whose, free) in attempt.0.iter().zip(FREE) {
            let sql = "SELECT count, latest FROM attempt WHERE whose = $1";
            let row = sqlx::query(sql).bind(whose.clone()).fetch_optional(app.ledger.pool()).await;
            let Some(row) = row.map_err(LedgerError::from)? else { continue };
            let count: i64 = row.try_get(0).map_err(LedgerError::from)?;
            let latest: i64 = row.try_get(1).map_err(LedgerError::from)?;
            let wait = wait(count - free);
            // A clock that stepped back must not lock anybody out for longer.
            let passed = now - latest;
            if passed < wait && passed > -LONGEST {
                let words = ("登录失败次数过多，请稍后重试", "too many failed logins, try again later");
                let seconds = (wait - passed.max(0)).unsigned_abs().div_ceil(1000);
                return Err(
                    Problem::new("login-throttled", StatusCode::TOO_MANY_REQUESTS, words).after(seconds)
                );
            }
        }
        for whose in &attempt.0 {
            let sql = "INSERT INTO attempt (whose, count, latest) VALUES ($1, 1, $2) \
                       ON CONFLICT (whose) DO UPDATE SET latest = $2, \
                       count = CASE WHEN attempt.latest < $3 THEN 1 ELSE attempt.count + 1 END";
            let query = sqlx::query(sql).bind(whose.clone()).bind(now).bind(now - FORGOTTEN);
            query.execute(app.ledger.pool()).await.map_err(LedgerError::from)?;
        }
        let sql = "DELETE FROM attempt WHERE latest < $1";
        let query = sqlx::query(sql).bind(now - FORGOTTEN);
        query.execute(app.ledger.pool()).await.map_err(LedgerError::from)?;
        Ok(attempt)
    }

    /// Nothing is held against the name any more, and not this attempt against the address.
    pub(super) async fn succeeded(self, app: &App) -> Result<(), LedgerError> {
        let [name, address] = self.0;
        sqlx::query("DELETE FROM attempt WHERE whose = $1").bind(name).execute(app.ledger.pool()).await?;
        let sql = "UPDATE attempt SET count = count - 1 WHERE whose = $1 AND count > 0";
        sqlx::query(sql).bind(address).execute(app.ledger.pool()).await?;
        Ok(())
    }
}

/// The wait after so many failures beyond those that are free: 1 s, 2 s, 4 s, ….
fn wait(beyond: i64) -> i64 {
    match beyond {
        ..0 => 0,
        0..=20 => (1000_i64 << beyond).min(LONGEST),
        _ => LONGEST,
    }
}

/// Who has one address of IPv6 has all 2^64 of its network.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => {
            let [a, b, c, d, ..] = six.segments();
            std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    }
}
