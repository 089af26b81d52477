//! Who makes a request, and what they may do.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};

use super::{App, Problem};

/// What somebody may do; each may do what those before may.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// 查看.
    Reader,
    /// 核查: scan, review, record.
    Analyst,
    /// 管理: rosters, schedules, people.
    Administrator,
}

/// Somebody who is logged in, by a session or a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Person {
    /// Number.
    pub id: i64,
    /// Name, which the ledger keeps as the actor.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Only targets of this region and what is in it; `None` is everything.
    pub region: Option<String>,
}

impl Person {
    /// Refuses who may do less than a role.
    pub fn at_least(&self, role: Role) -> Result<(), Problem> {
        if self.role >= role { Ok(()) } else { Err(Problem::forbidden()) }
    }

    /// Whether a region is theirs: their own, or a part of it.
    pub fn covers(&self, region: Option<&str>) -> bool {
        self.region.as_deref().is_none_or(|own| region.is_some_and(|region| is_within(region, own)))
    }

    /// The region to list when one is asked for.
    pub fn narrowed(&self, asked: Option<String>) -> Result<Option<String>, Problem> {
        match (&self.region, asked) {
            (None, asked) => Ok(asked),
            (Some(own), None) => Ok(Some(own.clone())),
            (Some(own), Some(asked)) if is_within(&asked, own) => Ok(Some(asked)),
            (Some(own), Some(asked)) if is_within(own, &asked) => Ok(Some(own.clone())),
            (Some(_), Some(_)) => Err(Problem::not_found()),
        }
    }
}

impl FromRequestParts<App> for Person {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        parts.extensions.get::<Person>().cloned().ok_or_else(Problem::unauthorized)
    }
}

/// Somebody who is logged in by a session.
#[derive(Debug, Clone)]
pub struct Session {
    /// Who.
    pub person: Person,
    /// What every form comes with.
    pub csrf: String,
}

impl Session {
    /// Refuses who has to change the password first.
    pub(super) fn settled(self) -> Result<Self, Problem> {
        Ok(self)
    }
}

impl FromRequestParts<App> for Session {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let person = Person::from_request_parts(parts, app).await?;
        Ok(Session { person, csrf: String::new() })
    }
}

/// Whether a region is another or a part of it.
fn is_within(region: &str, whole: &str) -> bool {
    region.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

