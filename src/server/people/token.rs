//! Tokens for programs: shown once, kept as hashes, never worth more than who made them.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::{By, Identity, Person, Role, hashed, is_within, millis, moment, secret, some};
use crate::ledger::LedgerError;
use crate::server::{App, Problem};

/// By which a token is known for one, also by programs that search for secrets that were given away.
const PREFIX: &str = "zj_";
/// Days a token holds at most.
const LONGEST: u16 = 366;
const DAY: i64 = 24 * 60 * 60 * 1000;

/// A token to be made.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    /// What it is for, 1 to 100 characters.
    pub(crate) label: String,
    /// What it may do: no more than its maker.
    pub(crate) role: Role,
    /// Only targets of this region and what is in it; by default that of its maker.
    pub(crate) region: Option<String>,
    /// Days it holds, 1 to 366.
    pub(crate) days: u16,
}

/// A token, without itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct ApiToken {
    /// Number.
    pub(crate) id: i64,
    /// Number of its maker.
    pub(crate) person: i64,
    /// What it is for.
    pub(crate) label: String,
    /// What it may do, as long as its maker may.
    pub(crate) role: Role,
    /// Only targets of this region and what is in it.
    pub(crate) region: Option<String>,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created: Timestamp,
    /// Until when.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) expires: Timestamp,
    /// When it was revoked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) revoked: Option<Timestamp>,
}

const TOKEN: &str = "SELECT t.id, t.person, t.label, t.role, t.region, t.created, t.expires, t.revoked, \
                     p.name, p.role, p.region, p.disabled, p.must_change FROM api_token t JOIN person p ON p.id = t.person";

fn token(row: &AnyRow) -> Result<ApiToken, LedgerError> {
    let role: String = row.try_get(3)?;
    Ok(ApiToken {
        id: row.try_get(0)?,
        person: row.try_get(1)?,
        label: row.try_get(2)?,
        role: Role::of(&role),
        region: some(row.try_get(4)?),
        created: moment(row.try_get(5)?),
        expires: moment(row.try_get(6)?),
        revoked: Some(row.try_get::<i64, _>(7)?).filter(|at| *at != 0).map(moment),
    })
}

impl App {
    /// Makes a token: it, and what is known of it from now on.
    pub(crate) async fn create_token(
        &self,
        by: &Person,
        new: NewToken,
    ) -> Result<(String, ApiToken), Problem> {
        by.at_least(new.role)?;
        let region = new.region.filter(|region| !region.is_empty()).or_else(|| by.region.clone());
        if !by.covers(region.as_deref()) {
            return Err(Problem::forbidden());
        }
        if !(1..=100).contains(&new.label.trim().chars().count()) || new.label.contains('\0') {
            return Err(Problem::bad_request("label"));
        }
        if !(1..=LONGEST).contains(&new.days) {
            return Err(Problem::bad_request(format!("days: 1 to {LONGEST}")));
        }
        let (text, now) = (format!("{PREFIX}{}", secret()?), millis(self.now()));
        let sql = "INSERT INTO api_token (hash, person, label, role, region, created, expires, revoked) \
                   VALUES ($1, $2, $3, $4, $5, $6, $7, 0) RETURNING id";
        let query = sqlx::query(sql).bind(hashed(&text)).bind(by.id).bind(new.label.clone());
        let query = query.bind(new.role.word()).bind(region.unwrap_or_default()).bind(now);
        let query = query.bind(now + i64::from(new.days) * DAY);
        let row = query.fetch_one(self.ledger.pool()).await.map_err(LedgerError::from)?;
        let id: i64 = row.try_get(0).map_err(LedgerError::from)?;
        let all = self.tokens(by).await?;
        let made = all.into_iter().find(|token| token.id == id).ok_or_else(Problem::internal)?;
        Ok((text, made))
    }

    /// Somebody's own tokens; of an administrator, all of people they may manage.
    pub(crate) async fn tokens(&self, by: &Person) -> Result<Vec<ApiToken>, Problem> {
        let query = sqlx::query(sqlx::AssertSqlSafe(format!("{TOKEN} ORDER BY t.id")));
        let rows = query.fetch_all(self.ledger.pool()).await.map_err(LedgerError::from)?;
        let mut tokens = Vec::new();
        for row in &rows {
            let token = token(row)?;
            let region: String = row.try_get(10).map_err(LedgerError::from)?;
            let manages = by.role == Role::Administrator && by.covers(some(region).as_deref());
            if manages || token.person == by.id {
                tokens.push(token);
            }
        }
        Ok(tokens)
    }

    /// Revokes a token for good.
    pub(crate) async fn revoke_token(&self, by: &Person, id: i64) -> Result<(), Problem> {
        let token = self.tokens(by).await?.into_iter().find(|token| token.id == id);
        let token = token.ok_or_else(Problem::not_found)?;
        if token.revoked.is_some() {
            let words = ("令牌已撤销", "the token is revoked already");
            return Err(Problem::new("revoked", StatusCode::CONFLICT, words));
        }
        let sql = "UPDATE api_token SET revoked = $1 WHERE id = $2 AND revoked = 0";
        let query = sqlx::query(sql).bind(millis(self.now())).bind(id);
        query.execute(self.ledger.pool()).await.map_err(LedgerError::from)?;
        Ok(())
    }

    /// Whose token it is, if it holds; with what both it and its maker may.
    pub(super) async fn by_token(&self, text: &str) -> Result<Option<Identity>, Problem> {
        Ok(self.find_token(text).await?)
    }

    async fn find_token(&self, text: &str) -> Result<Option<Identity>, LedgerError> {
        let query = sqlx::query(sqlx::AssertSqlSafe(format!("{TOKEN} WHERE t.hash = $1")));
        let row = query.bind(hashed(text)).fetch_optional(self.ledger.pool()).await?;
        let Some(row) = row else { return Ok(None) };
        let token = token(&row)?;
        let (name, role, region): (String, String, String) =
            (row.try_get(8)?, row.try_get(9)?, row.try_get(10)?);
        let disabled = row.try_get::<i64, _>(11)? != 0 || row.try_get::<i64, _>(12)? != 0;
        if disabled || token.revoked.is_some() || self.now() >= token.expires {
            return Ok(None);
        }
        // The region of the maker may have changed since.
        let region = match (token.region, some(region)) {
            (own, None) => own,
            (None, Some(maker)) => Some(maker),
            (Some(own), Some(maker)) if is_within(&own, &maker) => Some(own),
            (Some(own), Some(maker)) if is_within(&maker, &own) => Some(maker),
            _ => return Ok(None),
        };
        let role = token.role.min(Role::of(&role));
        let person = Person { id: token.person, name, role, region };
        Ok(Some(Identity { person, by: By::Token(token.id) }))
    }
}
