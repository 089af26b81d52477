//! Who makes a request, and what they may do.
//!
//! ```text
//! request ─▶ guard ─┬▶ session (cookie) or token (Authorization) ─▶ Identity ─▶ Person, Session
//!                   ├▶ pace, origin, CSRF token
//!                   └▶ audit: who, when, from where, what, on which object, outcome
//! ```
//!
//! Secrets are random and kept as hashes: passwords by Argon2id, tokens of 256 bits by SHA-256.

mod account;
mod attempt;
mod audit;
mod cookie;
mod guard;
mod origin;
mod password;
mod token;

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{App, Problem};
use crate::model::hex;

pub(super) use account::{Account, Edit, LoggedIn, NewAccount};
pub(super) use audit::{AuditLine, Noted, OPEN};
pub(super) use cookie::cookie;
pub(super) use guard::guard;
pub(super) use origin::Origin;
pub(super) use token::{ApiToken, NewToken};

use guard::Pace;
use password::Passwords;

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

impl Role {
    fn word(self) -> &'static str {
        match self {
            Role::Reader => "reader",
            Role::Analyst => "analyst",
            Role::Administrator => "administrator",
        }
    }

    /// What is not known may do the least.
    fn of(word: &str) -> Self {
        match word {
            "administrator" => Role::Administrator,
            "analyst" => Role::Analyst,
            _ => Role::Reader,
        }
    }
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

    /// Refuses who is limited to a region: what is asked for is of all.
    pub fn everywhere(&self) -> Result<(), Problem> {
        if self.region.is_none() {
            return Ok(());
        }
        let words = ("限定地区的用户不能进行此操作", "not for people who are limited to a region");
        Err(Problem::new("region", StatusCode::FORBIDDEN, words))
    }

    /// The region to list when one is asked for: that, or the part of it that is theirs. An error where it is not theirs
    /// at all.
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

/// Whether a region is another or a part of it: `某省/某市` is in `某省`, `某省/东城` is not in `某省/东`.
fn is_within(region: &str, whole: &str) -> bool {
    region.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Who makes a request, and by what.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) person: Person,
    pub(super) by: By,
}

/// By what somebody is known.
#[derive(Debug, Clone)]
pub(super) enum By {
    /// A session: hash of its token, what a change has to come with, whether the password has to be changed first.
    Session { hash: String, csrf: String, must_change: bool },
    /// A token, by its number.
    Token(i64),
}

impl FromRequestParts<App> for Person {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let identity = parts.extensions.get::<Identity>().ok_or_else(Problem::unauthorized)?;
        match identity.by {
            By::Session { must_change: true, .. } => Err(must_change()),
            _ => Ok(identity.person.clone()),
        }
    }
}

fn must_change() -> Problem {
    Problem::new(
        "password-change",
        StatusCode::FORBIDDEN,
        ("请先修改一次性密码", "change the one-time password first"),
    )
}

/// Somebody who is logged in by a session, whether or not the password has to be changed first.
#[derive(Debug, Clone)]
pub struct Session {
    /// Who.
    pub person: Person,
    /// What every form and every change has to come with: header `X-CSRF-Token` or form field `csrf`.
    pub csrf: String,
    /// The password was given by another person, and nothing else is allowed before it is changed.
    pub must_change: bool,
    /// Hash of its token.
    pub(super) hash: String,
}

impl FromRequestParts<App> for Session {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let identity = parts.extensions.get::<Identity>().ok_or_else(Problem::unauthorized)?;
        let By::Session { hash, csrf, must_change } = &identity.by else {
            return Err(Problem::new(
                "session-only",
                StatusCode::FORBIDDEN,
                ("此操作须登录后进行，不能使用令牌", "log in for this; a token does not do"),
            ));
        };
        let (hash, csrf) = (hash.clone(), csrf.clone());
        Ok(Session { person: identity.person.clone(), csrf, must_change: *must_change, hash })
    }
}

impl Session {
    /// Refuses who has to change the password first.
    pub(super) fn settled(self) -> Result<Self, Problem> {
        if self.must_change { Err(must_change()) } else { Ok(self) }
    }
}

/// What the service keeps about people besides the database.
pub(super) struct People {
    passwords: Passwords,
    pace: Pace,
}

impl People {
    pub(super) fn new(config: &crate::config::Server) -> Self {
        People { passwords: Passwords::new(), pace: Pace::new(config.requests_per_second) }
    }
}

/// A secret of 256 random bits.
fn secret() -> Result<String, Problem> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        tracing::error!(%error, "no randomness");
        Problem::internal()
    })?;
    Ok(BASE64URL_NOPAD.encode(&bytes))
}

/// How a secret is kept.
fn hashed(secret: &str) -> String {
    hex(&Sha256::digest(secret))
}

fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

fn moment(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or_default()
}

fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_holds_its_parts_and_nothing_else() {
        let person = |region: Option<&str>| Person {
            id: 1,
            name: "张三".into(),
            role: Role::Reader,
            region: region.map(str::to_owned),
        };
        let city = person(Some("某省/东"));
        for (region, covered) in [
            (Some("某省/东"), true),
            (Some("某省/东/某县"), true),
            (Some("某省/东城"), false),
            (Some("某省"), false),
            (Some(""), false),
            (None, false),
        ] {
            assert_eq!(city.covers(region), covered, "{region:?}");
            assert!(person(None).covers(region));
        }
        let narrowed = |asked: &str| city.narrowed(Some(asked.into())).ok().flatten();
        assert_eq!(narrowed("某省").as_deref(), Some("某省/东"));
        assert_eq!(narrowed("某省/东/某县").as_deref(), Some("某省/东/某县"));
        assert!(city.narrowed(Some("某省/东城".into())).is_err());
    }
}
