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
        for (whose, free) in attempt.0.iter().zip(FREE) {
            // Another attempt may come in between: then look again.
            while !count(app, whose, free).await? {}
        }
        let sql = "DELETE FROM attempt WHERE latest < $1";
        let query = sqlx::query(sql).bind(millis(app.now()) - FORGOTTEN);
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

/// Counts an attempt of one name or address. `false` where another was counted in between.
async fn count(app: &App, whose: &str, free: i64) -> Result<bool, Problem> {
    let (pool, now) = (app.ledger.pool(), millis(app.now()));
    let sql = "SELECT count, latest FROM attempt WHERE whose = $1";
    let row =
        sqlx::query(sql).bind(whose.to_owned()).fetch_optional(pool).await.map_err(LedgerError::from)?;
    let Some(row) = row else {
        let sql =
            "INSERT INTO attempt (whose, count, latest) VALUES ($1, 1, $2) ON CONFLICT (whose) DO NOTHING";
        let query = sqlx::query(sql).bind(whose.to_owned()).bind(now);
        let done = query.execute(pool).await.map_err(LedgerError::from)?;
        return Ok(done.rows_affected() == 1);
    };
    let read = || -> Result<(i64, i64), sqlx::Error> { Ok((row.try_get(0)?, row.try_get(1)?)) };
    let (count, latest) = read().map_err(LedgerError::from)?;
    let (wait, passed) = (wait(count - free), now - latest);
    // A clock that stepped back must not lock anybody out for longer.
    if passed < wait && passed > -LONGEST {
        let words = ("登录失败次数过多，请稍后重试", "too many failed logins, try again later");
        let seconds = (wait - passed.max(0)).unsigned_abs().div_ceil(1000);
        return Err(Problem::new("login-throttled", StatusCode::TOO_MANY_REQUESTS, words).after(seconds));
    }
    let next = if passed > FORGOTTEN { 1 } else { count + 1 };
    let sql = "UPDATE attempt SET count = $1, latest = $2 WHERE whose = $3 AND count = $4 AND latest = $5";
    let query = sqlx::query(sql).bind(next).bind(now).bind(whose.to_owned()).bind(count).bind(latest);
    Ok(query.execute(pool).await.map_err(LedgerError::from)?.rows_affected() == 1)
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
