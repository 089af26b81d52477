//! Rosters into the ledger: sent in, the change shown, and applied as it was shown.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::schema;
use crate::model::Rejected;
use crate::roster::{Change, Roster};
use crate::server::imports::Draft;
use crate::server::people::Noted;
use crate::server::{App, Person, Problem, Role};

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
    // Who may not is told so first.
    person.at_least(Role::Administrator)?;
    let Query(asked) = asked?;
    let (id, draft) = app.send_roster(&person, body, asked.sheet).await?;
    let Draft { roster, change, deeds, digest } = draft;
    let events = deeds.len();
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
    let (first, events) = app.apply_roster(&person, &id, &apply.digest).await?;
    let mut response = Json(Applied { first, events }).into_response();
    response.extensions_mut().insert(Noted(format!("roster {id}, {events} events")));
    Ok(response)
}
