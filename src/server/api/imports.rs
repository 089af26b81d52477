//! Rosters into the ledger: sent in, the change shown, and applied as it was shown.

use std::collections::BTreeMap;
use std::path::Path as FilePath;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::Row;
use url::Url;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::schema;
use crate::ledger::LedgerError;
use crate::model::{Event, Lang, OnRecord, Rejected, hex};
use crate::roster::{Change, Layout, Roster, change, import};
use crate::server::people::Noted;
use crate::server::{App, Person, Problem, Role};

/// Rosters of one person that wait to be applied; the oldest make way.
const MOST: i64 = 10;
/// One that was not applied is gone after so long, in milliseconds.
const KEPT: i64 = 24 * 60 * 60 * 1000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(send_roster)).routes(routes!(apply_roster))
}

/// Which sheet.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Sheet of a workbook; by default the first that is a roster.
    sheet: Option<String>,
}

/// A roster that was sent in, and what applying it changes.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SentRoster {
    /// By which it is applied, within a day.
    id: String,
    /// By which it is applied as shown: another digest follows when the ledger changes in between.
    digest: String,
    /// What changes.
    #[schema(value_type = schema::Change)]
    change: Change,
    /// How many events it makes.
    events: usize,
    /// Rows that cannot be read, or are not of one's region; what is on record of them stays.
    #[schema(value_type = Vec<schema::Rejected>)]
    rejected: Vec<Rejected>,
    /// Rows that repeat a target: their line, and the line where it stands first.
    repeated: Vec<(u64, u64)>,
    /// Columns that mean nothing here.
    ignored: Vec<String>,
}

/// Sends a roster in (CSV, XLSX, XLS or ODS) and shows what it changes; for administrators.
#[utoipa::path(post, path = "/imports", tag = "imports", params(Asked),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "The file"),
    responses((status = 201, description = "What it changes", body = SentRoster)))]
async fn send_roster(
    State(app): State<App>,
    person: Person,
    asked: Result<Query<Asked>, QueryRejection>,
    body: Bytes,
) -> Result<Response, Problem> {
    person.at_least(Role::Administrator)?;
    let Query(asked) = asked?;
    let roster = read(&app, &person, body.clone(), asked.sheet.clone()).await?;
    let (record, change, digest) = compared(&app, &person, &roster).await?;
    let events = import(&record, &roster, &change, None).len();
    let now = app.now().as_millisecond();
    let sheet = asked.sheet.unwrap_or_default();
    let own = [&person.id.to_le_bytes()[..], &now.to_le_bytes(), sheet.as_bytes(), &body];
    let id = hex(&Sha256::digest(own.concat()));
    let pool = app.ledger.pool();
    let query = sqlx::query("DELETE FROM roster_upload WHERE made < $1").bind(now - KEPT);
    query.execute(pool).await.map_err(LedgerError::from)?;
    let sql = "DELETE FROM roster_upload WHERE person = $1 AND id NOT IN \
               (SELECT id FROM roster_upload WHERE person = $1 ORDER BY made DESC LIMIT $2)";
    let query = sqlx::query(sql).bind(person.id).bind(MOST - 1);
    query.execute(pool).await.map_err(LedgerError::from)?;
    let sql = "INSERT INTO roster_upload (id, person, made, sheet, body) VALUES ($1, $2, $3, $4, $5) \
               ON CONFLICT (id) DO NOTHING";
    let query = sqlx::query(sql).bind(id.clone()).bind(person.id).bind(now);
    let query = query.bind(roster.sheet.clone().unwrap_or_default()).bind(body.to_vec());
    query.execute(pool).await.map_err(LedgerError::from)?;
    let Roster { rejected, repeated, ignored, .. } = roster;
    let mut response = (
        StatusCode::CREATED,
        Json(SentRoster { id: id.clone(), digest, change, events, rejected, repeated, ignored }),
    )
        .into_response();
    response.extensions_mut().insert(Noted(format!("roster {id}")));
    Ok(response)
}

/// What was shown.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Apply {
    /// The digest of the change that was shown.
    digest: String,
}

/// What was applied.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Applied {
    /// Number of the first event; `null` where nothing changed.
    first: Option<u64>,
    /// How many events.
    events: usize,
}

/// Applies a roster as it was shown; where something else would follow by now, nothing happens (409); for
/// administrators.
#[utoipa::path(post, path = "/imports/{id}/apply", tag = "imports",
    params(("id" = String, Path, description = "By which it was shown")), request_body = Apply,
    responses((status = 200, description = "Applied", body = Applied)))]
async fn apply_roster(
    State(app): State<App>,
    person: Person,
    id: Result<Path<String>, PathRejection>,
    body: Result<Json<Apply>, JsonRejection>,
) -> Result<Response, Problem> {
    person.at_least(Role::Administrator)?;
    let (Path(id), Json(apply)) = (id?, body?);
    let sql = "SELECT sheet, body FROM roster_upload WHERE id = $1 AND person = $2 AND made >= $3";
    let query = sqlx::query(sql).bind(id.replace('\0', "?")).bind(person.id);
    let query = query.bind(app.now().as_millisecond() - KEPT);
    let row = query.fetch_optional(app.ledger.pool()).await.map_err(LedgerError::from)?;
    let row = row.ok_or_else(Problem::not_found)?;
    let read_row = || -> Result<(String, Vec<u8>), sqlx::Error> { Ok((row.try_get(0)?, row.try_get(1)?)) };
    let (sheet, bytes) = read_row().map_err(LedgerError::from)?;
    let sheet = (!sheet.is_empty()).then_some(sheet);
    let roster = read(&app, &person, bytes.into(), sheet).await?;
    let (record, change, digest) = compared(&app, &person, &roster).await?;
    if digest != apply.digest {
        let words = ("台账已有变化，请重新查看后再应用", "the ledger has changed; look at the change again");
        return Err(Problem::new("changed", StatusCode::CONFLICT, words));
    }
    let at = app.now();
    let event = |(target, deed)| Event { target, at, actor: person.name.clone(), deed };
    let events: Vec<Event> = import(&record, &roster, &change, None).into_iter().map(event).collect();
    let first = match events.is_empty() {
        true => None,
        false => Some(app.append(&[], &events).await?),
    };
    let query = sqlx::query("DELETE FROM roster_upload WHERE id = $1").bind(id.clone());
    query.execute(app.ledger.pool()).await.map_err(LedgerError::from)?;
    let mut response = Json(Applied { first, events: events.len() }).into_response();
    response.extensions_mut().insert(Noted(format!("roster {id}, {} events", events.len())));
    Ok(response)
}

/// Reads a roster. A row of another region, and one with a path on this machine, is not read.
async fn read(app: &App, person: &Person, bytes: Bytes, sheet: Option<String>) -> Result<Roster, Problem> {
    let layout =
        Layout { sheet: sheet.or_else(|| app.config.roster.sheet.clone()), ..app.config.roster.clone() };
    let parse = move || Roster::parse(&bytes, FilePath::new(""), &layout);
    let parsed = tokio::task::spawn_blocking(parse).await.map_err(|_| Problem::internal())?;
    let mut roster = parsed.map_err(|error| {
        let (zh, en) = (error.words(Lang::Zh), error.words(Lang::En));
        Problem::new("roster", StatusCode::UNPROCESSABLE_ENTITY, (&zh, &en))
    })?;
    let is_web = |address: &String| {
        address.starts_with("weixin-api:")
            || Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
    };
    for row in std::mem::take(&mut roster.rows) {
        let fault = if !person.covers(row.entry.region.as_deref()) {
            Some(("不在您的管理地区内", "not of your region"))
        } else if !row.entry.addresses.iter().all(is_web) {
            Some(("地址只能是网址", "addresses have to be of the web"))
        } else {
            None
        };
        match fault {
            None => roster.rows.push(row),
            Some((reason, reason_en)) => {
                roster.unread.extend(row.entry.key());
                let (reason, reason_en) = (reason.to_owned(), reason_en.to_owned());
                roster.rejected.push(Rejected { line: row.line, reason, reason_en });
            }
        }
    }
    roster.rejected.sort_by_key(|row| row.line);
    Ok(roster)
}

/// What is on record of the person's region, what changes, and the digest of that.
async fn compared(
    app: &App,
    person: &Person,
    roster: &Roster,
) -> Result<(BTreeMap<String, OnRecord>, Change, String), Problem> {
    let on_record = app.ledger.on_record(app.now()).await?;
    let covered = |known: &OnRecord| person.covers(known.entry.region.as_deref());
    let (record, others): (BTreeMap<String, OnRecord>, BTreeMap<String, OnRecord>) =
        on_record.into_iter().partition(|(_, known)| covered(known));
    // A target of another region is not taken over by a row that says it is of this one.
    let taken = roster.rows.iter().filter_map(|row| row.entry.key()).find(|key| others.contains_key(key));
    if let Some(key) = taken {
        let words = ("名录中有其他地区的对象", "the roster has a target of another region");
        return Err(Problem::new("region", StatusCode::FORBIDDEN, words).with(key));
    }
    let old = record.iter().map(|(key, known)| (key.clone(), known.entry.clone())).collect();
    let change = change(&old, roster);
    let deeds = import(&record, roster, &change, None);
    let digest = serde_json::to_vec(&deeds).map_err(|_| Problem::internal())?;
    Ok((record, change, hex(&Sha256::digest(digest))))
}
