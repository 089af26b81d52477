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
}

impl FromRequestParts<App> for Person {
    type Rejection = Problem;

    async fn from_request_parts(_: &mut Parts, _: &App) -> Result<Self, Problem> {
        Err(Problem::unauthorized())
    }
}
