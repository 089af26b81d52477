//! Accounts and sessions.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::any::AnyRow;

use super::attempt::Attempt;
use super::audit::Draft;
use super::guard::csrf_of;
use super::password::fit;
use super::{By, Identity, Origin, Person, Role, hashed, millis, moment, secret, some};
use crate::ledger::LedgerError;
use crate::server::{App, Problem};

/// A session ends when nothing was asked for so long, in milliseconds.
const IDLE: i64 = 2 * 60 * 60 * 1000;
/// A session ends after so long, in milliseconds.
const LONGEST: i64 = 12 * 60 * 60 * 1000;
/// A use is noted when the last that was noted is older, in milliseconds.
const NOTED_AFTER: i64 = 60 * 1000;

/// The name of the first administrator.
const FIRST: &str = "admin";

/// Somebody who has logged in.
pub(crate) struct LoggedIn {
    /// For the cookie.
    pub(crate) token: String,
    /// What changes have to come with.
    pub(crate) csrf: String,
    /// Who.
    pub(crate) person: Person,
    /// The password has to be changed before anything else.
    pub(crate) must_change: bool,
}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(crate) struct Account {
    /// Who.
    #[serde(flatten)]
    pub(crate) person: Person,
    /// The one-time password was not yet changed.
    pub(crate) must_change: bool,
    /// May not log in.
    pub(crate) disabled: bool,
    /// Since when there is the account.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) created: Timestamp,
}

/// An account to be made.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAccount {
    /// Name, 1 to 40 characters, unlike all others.
    pub(crate) name: String,
    /// What they may do.
    pub(crate) role: Role,
    /// Only targets of this region and what is in it.
    pub(crate) region: Option<String>,
}

/// What of an account is to be changed. What is left out stays.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    /// What they may do.
    pub(crate) role: Option<Role>,
    /// Only targets of this region and what is in it; empty for everything.
    pub(crate) region: Option<String>,
    /// May not log in; ends all sessions, and no token of theirs holds.
    pub(crate) disabled: Option<bool>,
}

const PERSON: &str = "SELECT id, name, role, region, must_change, disabled, created, password FROM person";

fn account(row: &AnyRow) -> Result<Account, LedgerError> {
    let role: String = row.try_get(2)?;
    Ok(Account {
        person: Person {
            id: row.try_get(0)?,
            name: row.try_get(1)?,
            role: Role::of(&role),
            region: some(row.try_get(3)?),
        },
        must_change: row.try_get::<i64, _>(4)? != 0,
        disabled: row.try_get::<i64, _>(5)? != 0,
        created: moment(row.try_get(6)?),
    })
}

/// A password that is used once: 20 signs that cannot be mistaken for one another, 100 bits.
fn one_time() -> Result<String, Problem> {
    const SIGNS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0; 20];
    getrandom::fill(&mut bytes).map_err(|_| Problem::internal())?;
    let sign = |byte: &u8| char::from(SIGNS[usize::from(byte % 32)]);
    let signs: Vec<char> = bytes.iter().map(sign).collect();
    let groups: Vec<String> = signs.chunks(5).map(|group| group.iter().collect()).collect();
    Ok(groups.join("-"))
}

impl App {
    /// Makes the first administrator, `admin`, with a password that has to be changed at the first login. `None` where
    /// there are people already.
    pub async fn first_administrator(&self) -> Result<Option<String>, Problem> {
        let row = sqlx::query("SELECT COUNT(*) FROM person").fetch_one(self.ledger.pool()).await;
        let count: i64 = row.map_err(LedgerError::from)?.try_get(0).map_err(LedgerError::from)?;
        if count > 0 {
            return Ok(None);
        }
        let first = NewAccount { name: FIRST.to_owned(), role: Role::Administrator, region: None };
        let made = self.insert_person(&first).await?;
        // Another server on the same database may have been faster.
        Ok(made.map(|(_, password)| password))
    }

    /// Number and one-time password of a new person; `None` where the name is taken.
    async fn insert_person(&self, new: &NewAccount) -> Result<Option<(i64, String)>, Problem> {
        let password = one_time()?;
        let hash = self.people.passwords.hash(password.clone()).await?;
        let sql = "INSERT INTO person (name, role, region, password, must_change, disabled, created) \
                   VALUES ($1, $2, $3, $4, 1, 0, $5) ON CONFLICT (name) DO NOTHING RETURNING id";
        let query = sqlx::query(sql).bind(new.name.clone()).bind(new.role.word());
        let query = query.bind(new.region.clone().unwrap_or_default()).bind(hash).bind(millis(self.now()));
        let row = query.fetch_optional(self.ledger.pool()).await.map_err(LedgerError::from)?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((row.try_get(0).map_err(LedgerError::from)?, password)))
    }

    /// Logs somebody in. Every attempt is in the audit log, and what it costs does not tell whether there is the name.
    pub(crate) async fn login(
        &self,
        name: &str,
        password: String,
        origin: Origin,
    ) -> Result<LoggedIn, Problem> {
        let (person, outcome) = self.try_login(name, password, origin).await;
        let status = outcome.as_ref().map_or_else(|problem| problem.status, |_| 200);
        Draft::of_login(name, person, origin).add(self, "", status).await?;
        outcome
    }

    async fn try_login(
        &self,
        name: &str,
        password: String,
        origin: Origin,
    ) -> (Option<i64>, Result<LoggedIn, Problem>) {
        let attempt = match Attempt::begin(self, name, origin.address).await {
            Ok(attempt) => attempt,
            Err(problem) => return (None, Err(problem)),
        };
        let row = sqlx::query(sqlx::AssertSqlSafe(format!("{PERSON} WHERE name = $1")));
        // PostgreSQL takes no NUL; nobody's name has one, nor is it empty.
        let known_as = if name.contains('\0') { "" } else { name };
        let row = match row.bind(known_as.to_owned()).fetch_optional(self.ledger.pool()).await {
            Ok(row) => row,
            Err(error) => return (None, Err(LedgerError::from(error).into())),
        };
        let known = row.as_ref().map(account).transpose();
        let known = match known {
            Ok(known) => known,
            Err(error) => return (None, Err(error.into())),
        };
        let id = known.as_ref().map(|account| account.person.id);
        let stored = row.and_then(|row| row.try_get::<String, _>(7).ok());
        let holds = self.people.passwords.holds(password, stored).await;
        let known = match (holds, known) {
            (Ok(true), Some(known)) if !known.disabled => known,
            (Ok(_), _) => {
                let words = ("用户名或密码不正确", "wrong name or password");
                return (id, Err(Problem::new("login", StatusCode::UNAUTHORIZED, words)));
            }
            (Err(problem), _) => return (id, Err(problem)),
        };
        let made = async {
            attempt.succeeded(self).await?;
            let token = self.open_session(known.person.id).await?;
            let (csrf, must_change) = (csrf_of(&token), known.must_change);
            Ok(LoggedIn { token, csrf, person: known.person, must_change })
        };
        (id, made.await)
    }

    async fn open_session(&self, person: i64) -> Result<String, Problem> {
        let (token, now) = (secret()?, millis(self.now()));
        let pool = self.ledger.pool();
        // Those that are over go; a clock that steps back makes none of them young again.
        let sql = "DELETE FROM session WHERE seen < $1 OR created < $2";
        let query = sqlx::query(sql).bind(now - IDLE).bind(now - LONGEST);
        query.execute(pool).await.map_err(LedgerError::from)?;
        let sql = "INSERT INTO session (token, person, created, seen) VALUES ($1, $2, $3, $3)";
        let query = sqlx::query(sql).bind(hashed(&token)).bind(person).bind(now);
        query.execute(pool).await.map_err(LedgerError::from)?;
        Ok(token)
    }

    /// Who has a session; `None` where it is over or never was.
    pub(super) async fn by_session(&self, token: &str) -> Result<Option<Identity>, Problem> {
        Ok(self.find_session(token).await?)
    }

    async fn find_session(&self, token: &str) -> Result<Option<Identity>, LedgerError> {
        let (hash, now) = (hashed(token), millis(self.now()));
        let sql = "SELECT p.id, p.name, p.role, p.region, p.must_change, p.disabled, p.created, s.created, s.seen \
                   FROM session s JOIN person p ON p.id = s.person WHERE s.token = $1";
        let row = sqlx::query(sql).bind(hash.clone()).fetch_optional(self.ledger.pool()).await?;
        let Some(row) = row else { return Ok(None) };
        let known = account(&row)?;
        let (created, seen): (i64, i64) = (row.try_get(7)?, row.try_get(8)?);
        // What lies in the future was made by a clock that was wrong.
        let holds = |since: i64, longest: i64| (-longest..=longest).contains(&(now - since));
        if known.disabled || !holds(seen, IDLE) || !holds(created, LONGEST) {
            self.end_session(&hash).await?;
            return Ok(None);
        }
        if (now - seen).abs() > NOTED_AFTER {
            let sql = "UPDATE session SET seen = $1 WHERE token = $2";
            sqlx::query(sql).bind(now).bind(hash.clone()).execute(self.ledger.pool()).await?;
        }
        let by = By::Session { hash, csrf: csrf_of(token), must_change: known.must_change };
        Ok(Some(Identity { person: known.person, by }))
    }

    /// Ends a session, by the hash of its token.
    pub(crate) async fn end_session(&self, hash: &str) -> Result<(), LedgerError> {
        let sql = "DELETE FROM session WHERE token = $1";
        sqlx::query(sql).bind(hash.to_owned()).execute(self.ledger.pool()).await?;
        Ok(())
    }

    /// Changes somebody's own password. All their other sessions end.
    pub(crate) async fn change_password(
        &self,
        session: &super::Session,
        old: String,
        new: String,
        origin: Origin,
    ) -> Result<(), Problem> {
        let person = &session.person;
        fit(&new, &person.name)?;
        // Who has stolen a session must not try passwords faster than anybody else.
        let attempt = Attempt::begin(self, &person.name, origin.address).await?;
        let row = sqlx::query("SELECT password FROM person WHERE id = $1").bind(person.id);
        let row = row.fetch_one(self.ledger.pool()).await.map_err(LedgerError::from)?;
        let stored: String = row.try_get(0).map_err(LedgerError::from)?;
        if old == new || !self.people.passwords.holds(old, Some(stored)).await? {
            let words =
                ("原密码不正确，或与新密码相同", "the old password is wrong, or the same as the new one");
            return Err(Problem::new("password", StatusCode::UNPROCESSABLE_ENTITY, words));
        }
        attempt.succeeded(self).await?;
        let hash = self.people.passwords.hash(new).await?;
        self.set_password(person.id, hash, false, &session.hash).await?;
        Ok(())
    }

    /// Sets a password and ends all sessions but one.
    async fn set_password(
        &self,
        person: i64,
        hash: String,
        must_change: bool,
        but: &str,
    ) -> Result<(), LedgerError> {
        let mut transaction = self.ledger.pool().begin().await?;
        let sql = "UPDATE person SET password = $1, must_change = $2 WHERE id = $3";
        let query = sqlx::query(sql).bind(hash).bind(i64::from(must_change)).bind(person);
        query.execute(&mut *transaction).await?;
        let sql = "DELETE FROM session WHERE person = $1 AND token <> $2";
        sqlx::query(sql).bind(person).bind(but.to_owned()).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Everybody that a person may manage.
    pub(crate) async fn accounts(&self, by: &Person) -> Result<Vec<Account>, Problem> {
        by.at_least(Role::Administrator)?;
        let query = sqlx::query(sqlx::AssertSqlSafe(format!("{PERSON} ORDER BY id")));
        let rows = query.fetch_all(self.ledger.pool()).await.map_err(LedgerError::from)?;
        let all = rows.iter().map(account).collect::<Result<Vec<_>, _>>()?;
        Ok(all.into_iter().filter(|account| by.covers(account.person.region.as_deref())).collect())
    }

    async fn account(&self, by: &Person, id: i64) -> Result<Account, Problem> {
        let found = self.accounts(by).await?.into_iter().find(|account| account.person.id == id);
        found.ok_or_else(Problem::not_found)
    }

    /// Makes an account: its number and its one-time password.
    pub(crate) async fn create_account(
        &self,
        by: &Person,
        mut new: NewAccount,
    ) -> Result<(i64, String), Problem> {
        by.at_least(Role::Administrator)?;
        new.name = new.name.trim().to_owned();
        new.region = new.region.filter(|region| !region.is_empty());
        let odd = |ch: char| ch.is_control() || ch.is_whitespace();
        if !(1..=40).contains(&new.name.chars().count()) || new.name.chars().any(odd) {
            return Err(Problem::bad_request("name"));
        }
        if !by.covers(new.region.as_deref()) {
            return Err(Problem::forbidden());
        }
        let taken = ("已有同名用户", "there is a person of this name");
        let made = self.insert_person(&new).await?;
        made.ok_or_else(|| Problem::new("taken", StatusCode::CONFLICT, taken))
    }

    /// Changes an account; not one's own, so that there is always an administrator.
    pub(crate) async fn edit_account(&self, by: &Person, id: i64, edit: Edit) -> Result<Account, Problem> {
        let mut account = self.account(by, id).await?;
        if id == by.id {
            let words = ("不能修改自己的账户", "nobody changes their own account");
            return Err(Problem::new("own-account", StatusCode::CONFLICT, words));
        }
        let person = &mut account.person;
        person.role = edit.role.unwrap_or(person.role);
        if let Some(region) = edit.region {
            person.region = some(region);
        }
        account.disabled = edit.disabled.unwrap_or(account.disabled);
        if !by.covers(person.region.as_deref()) {
            return Err(Problem::forbidden());
        }
        let sql = "UPDATE person SET role = $1, region = $2, disabled = $3 WHERE id = $4";
        let query = sqlx::query(sql).bind(person.role.word()).bind(person.region.clone().unwrap_or_default());
        let query = query.bind(i64::from(account.disabled)).bind(id);
        query.execute(self.ledger.pool()).await.map_err(LedgerError::from)?;
        if account.disabled {
            let query = sqlx::query("DELETE FROM session WHERE person = $1").bind(id);
            query.execute(self.ledger.pool()).await.map_err(LedgerError::from)?;
        }
        Ok(account)
    }

    /// Gives somebody a one-time password; all their sessions end.
    pub(crate) async fn reset_password(&self, by: &Person, id: i64) -> Result<String, Problem> {
        self.account(by, id).await?;
        let password = one_time()?;
        let hash = self.people.passwords.hash(password.clone()).await?;
        self.set_password(id, hash, true, "").await?;
        Ok(password)
    }
}
