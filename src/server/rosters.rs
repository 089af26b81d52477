//! The rosters that the service knows: content in the store, and a line in the database.

use jiff::Timestamp;
use serde::Serialize;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::App;
use super::jobs::{Outcome, new_id, now};
use crate::model::{Rejected, Wording};
use crate::roster::{Address, Roster, TableError};

/// A roster.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Known {
    /// Number.
    pub id: String,
    /// Name; what runs remember is kept by it, over later versions of the same roster.
    pub name: String,
    /// Digest of the content.
    pub sha256: String,
    /// Rows that could be read.
    pub targets: i64,
    /// Rows that could not be read.
    pub rejected: i64,
    /// When it was added.
    pub added: Timestamp,
    /// Who added it.
    pub actor: String,
}

const COLUMNS: &str = "SELECT id, name, sha256, targets, added, actor, rejected FROM roster";
/// Rows that could not be read of which it is said why.
const REASONS: usize = 3;

impl App {
    /// Adds a roster whose content is in the store already. The error is what is wrong with it; one without a row that
    /// can be used is wrong.
    pub async fn add_roster(&self, name: &str, sha256: &str, actor: &str) -> Outcome<Result<Known, Wording>> {
        let read = self.read_roster(sha256).await.and_then(|roster| match roster.rows.is_empty() {
            true => Err(useless(&roster.rejected)),
            false => Ok(roster),
        });
        let roster = match read {
            Ok(roster) => roster,
            Err(Wording { zh, en }) => {
                return Ok(Err((format!("{name}：{zh}"), format!("{name}: {en}")).into()));
            }
        };
        let count = |rows: usize| i64::try_from(rows).unwrap_or(i64::MAX);
        let (now, targets, rejected) = (now(), count(roster.rows.len()), count(roster.rejected.len()));
        let known = Known {
            id: new_id(now),
            name: name.to_owned(),
            sha256: sha256.to_owned(),
            targets,
            rejected,
            added: Timestamp::from_millisecond(now).unwrap_or_default(),
            actor: actor.to_owned(),
        };
        let sql = "INSERT INTO roster (id, name, sha256, targets, added, actor, rejected) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7)";
        sqlx::query(sql)
            .bind(known.id.clone())
            .bind(known.name.clone())
            .bind(known.sha256.clone())
            .bind(targets)
            .bind(now)
            .bind(known.actor.clone())
            .bind(rejected)
            .execute(self.ledger.pool())
            .await?;
        Ok(Ok(known))
    }

    /// Every roster, the latest first.
    pub async fn rosters(&self) -> Outcome<Vec<Known>> {
        let sql = select(" ORDER BY id DESC LIMIT 1000");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(self.ledger.pool()).await?;
        rows.iter().map(read).collect()
    }

    /// One roster.
    pub async fn roster(&self, id: &str) -> Outcome<Option<Known>> {
        let sql = select(" WHERE id = $1");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id.to_owned());
        query.fetch_optional(self.ledger.pool()).await?.as_ref().map(read).transpose()
    }

    /// Reads a roster of the store. Files of this machine that it names are not looked at: who uploads a roster must
    /// not read the disk of the server.
    pub async fn read_roster(&self, sha256: &str) -> Result<Roster, Wording> {
        let path = self.object(sha256).await.map_err(|error| error.to_string())?;
        let path = path.ok_or(("名录内容不在存储中", "the store has no such content"))?;
        let app = self.clone();
        let read = tokio::task::spawn_blocking(move || Roster::read(&path, &app.config.roster)).await;
        let mut roster = read
            .map_err(|panic| panic.to_string())?
            // Where the server keeps it is nobody's business.
            .map_err(|error| TableError { path: None, ..error })
            .map_err(|error| Wording::of(|lang| error.words(lang)))?;
        for row in &mut roster.rows {
            row.address = row.address.take().filter(|address| matches!(address, Address::Web(_)));
        }
        Ok(roster)
    }
}

/// Why a roster is of no use: what is wrong with its first rows.
fn useless(rejected: &[Rejected]) -> Wording {
    let first = || rejected.iter().take(REASONS);
    let zh = first().map(|row| format!("第 {} 行：{}", row.line, row.reason)).collect::<Vec<_>>();
    let en = first().map(|row| format!("line {}: {}", row.line, row.reason_en)).collect::<Vec<_>>();
    let (zh, en) = (zh.join("；"), en.join("; "));
    match rejected.len() {
        0 => ("名录中没有数据行", "the roster has no rows").into(),
        rows => {
            (format!("{rows} 行都不能用作检测对象。{zh}"), format!("none of {rows} rows can be used; {en}"))
                .into()
        }
    }
}

fn select(rest: &str) -> String {
    format!("{COLUMNS}{rest}")
}

fn read(row: &AnyRow) -> Outcome<Known> {
    Ok(Known {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        sha256: row.try_get(2)?,
        targets: row.try_get(3)?,
        added: Timestamp::from_millisecond(row.try_get(4)?).unwrap_or_default(),
        actor: row.try_get(5)?,
        rejected: row.try_get(6)?,
    })
}
