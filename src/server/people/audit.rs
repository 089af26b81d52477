//! The audit log: every change and every login, with its outcome. The line of a change is there before the change is
//! made, and gets its outcome afterwards, so that no change is without a line, whatever stops the service.

use axum::extract::Request;
use jiff::Timestamp;
use serde::Serialize;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{By, Identity, Origin, millis, moment, some};
use crate::ledger::LedgerError;
use crate::server::App;

/// Bytes of a text of a line at most.
const LONGEST: usize = 500;

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct AuditLine {
    /// Its number.
    pub(crate) seq: i64,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
    /// Name of the person; of a login, the name that was given.
    pub(crate) who: String,
    /// Number of the person; `null` where nobody has the name.
    pub(crate) person: Option<i64>,
    /// Number of the token, where one was used.
    pub(crate) token: Option<i64>,
    /// Address of the client.
    pub(crate) address: String,
    /// Method and path.
    pub(crate) what: String,
    /// What it was about, as far as the path does not say: numbers of events, of people, of tokens.
    pub(crate) object: Option<String>,
    /// HTTP status of the answer; 0 where the service was stopped before there was one.
    pub(crate) outcome: u16,
}

/// What an answer was about; the audit log keeps it.
#[derive(Debug, Clone)]
pub(crate) struct Noted(pub(crate) String);

/// The outcome of a change of which none is known.
pub(crate) const OPEN: u16 = 0;

/// A line that is not yet there.
pub(super) struct Draft {
    pub(super) who: String,
    person: i64,
    token: i64,
    address: String,
    what: String,
}

impl Draft {
    pub(super) fn of(identity: Option<&Identity>, from: Origin, request: &Request) -> Self {
        let (method, path) = (request.method().as_str(), request.uri().path());
        Draft {
            who: identity.map_or_else(String::new, |identity| identity.person.name.clone()),
            person: identity.map_or(0, |identity| identity.person.id),
            token: match identity {
                Some(Identity { by: By::Token(id), .. }) => *id,
                _ => 0,
            },
            address: from.address.to_string(),
            what: short(&format!("{method} {path}")),
        }
    }

    /// A line about an attempt to log in.
    pub(super) fn of_login(name: &str, person: Option<i64>, from: Origin) -> Self {
        let (who, person) = (short(name), person.unwrap_or_default());
        Draft { who, person, token: 0, address: from.address.to_string(), what: "login".to_owned() }
    }

    /// Adds the line: its number.
    pub(super) async fn add(self, app: &App, object: &str, outcome: u16) -> Result<i64, LedgerError> {
        let sql = "INSERT INTO audit (at, who, person, token, address, what, object, outcome) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING seq";
        let row = sqlx::query(sql)
            .bind(millis(app.now()))
            .bind(self.who)
            .bind(self.person)
            .bind(self.token)
            .bind(self.address)
            .bind(self.what)
            .bind(short(object))
            .bind(i64::from(outcome))
            .fetch_one(app.ledger.pool())
            .await?;
        Ok(row.try_get(0)?)
    }
}

/// Writes into a line what came of its change.
pub(super) async fn close(app: &App, seq: i64, object: &str, outcome: u16) -> Result<(), LedgerError> {
    let sql = "UPDATE audit SET object = $2, outcome = $3 WHERE seq = $1 AND outcome = 0";
    let query = sqlx::query(sql).bind(seq).bind(short(object)).bind(i64::from(outcome));
    query.execute(app.ledger.pool()).await?;
    Ok(())
}

fn short(text: &str) -> String {
    // PostgreSQL keeps no NUL.
    let text = text.replace('\0', "\u{fffd}");
    let end = text.floor_char_boundary(LONGEST);
    text.get(..end).unwrap_or_default().to_owned()
}

impl App {
    /// The audit log, newest first, before a line, at most so many lines. Where a region is given, what people of the
    /// region did.
    pub(crate) async fn audit(
        &self,
        region: Option<&str>,
        before: i64,
        limit: u32,
    ) -> Result<Vec<AuditLine>, LedgerError> {
        let sql = "SELECT seq, at, who, person, token, address, what, object, outcome FROM audit \
                   WHERE seq < $1 AND ($3 = '' OR person IN (SELECT id FROM person \
                   WHERE region = $3 OR substr(region, 1, length($3) + 1) = $3 || '/')) \
                   ORDER BY seq DESC LIMIT $2";
        let query = sqlx::query(sql).bind(before).bind(i64::from(limit));
        let query = query.bind(region.unwrap_or_default().to_owned());
        let rows = query.fetch_all(self.ledger.pool()).await?;
        let number = |row: &AnyRow, at: usize| -> Result<Option<i64>, sqlx::Error> {
            Ok(Some(row.try_get::<i64, _>(at)?).filter(|number| *number != 0))
        };
        let read = |row: &AnyRow| {
            Ok(AuditLine {
                seq: row.try_get(0)?,
                at: moment(row.try_get(1)?),
                who: row.try_get(2)?,
                person: number(row, 3)?,
                token: number(row, 4)?,
                address: row.try_get(5)?,
                what: row.try_get(6)?,
                object: some(row.try_get(7)?),
                outcome: u16::try_from(row.try_get::<i64, _>(8)?).unwrap_or_default(),
            })
        };
        rows.iter().map(read).collect()
    }
}
