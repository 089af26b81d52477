//! Rosters, and runs of them on demand. A run is a job; its parts are jobs whose parent it is.

use std::time::Duration;

use axum::Json;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::server::jobs::{Call, Filter, Job, Lane, Wanted, What};
use crate::server::rosters::Known;
use crate::server::{App, Person, Problem, Role};

/// Longest name, in characters.
const LONGEST_NAME: usize = 100;
/// Runs that a list shows.
const SHOWN: u32 = 100;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(add))
        .layer(DefaultBodyLimit::disable())
        .routes(routes!(rosters))
        .routes(routes!(list, run))
        .routes(routes!(show))
}

/// The name of a new roster.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
struct Named {
    /// Name; what runs remember of a target goes by it.
    name: String,
}

/// Every roster.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Rosters {
    /// The latest first.
    rosters: Vec<Known>,
}

/// Rosters that can be run.
#[utoipa::path(get, path = "/rosters", responses((status = 200, body = Rosters), (status = 401, body = Problem)))]
async fn rosters(State(app): State<App>, person: Person) -> Result<Json<Rosters>, Problem> {
    person.everywhere()?;
    Ok(Json(Rosters { rosters: app.rosters().await? }))
}

/// Adds a roster: a CSV or XLSX file as the body.
#[utoipa::path(post, path = "/rosters", params(Named),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, body = Known), (status = 400, body = Problem), (status = 401, body = Problem),
              (status = 403, body = Problem), (status = 413, body = Problem)))]
async fn add(
    State(app): State<App>,
    person: Person,
    Query(named): Query<Named>,
    request: Request,
) -> Result<(StatusCode, Json<Known>), Problem> {
    person.at_least(Role::Administrator)?;
    person.everywhere()?;
    let name = named.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(Problem::bad_request(format!("name: 1 to {LONGEST_NAME} characters")));
    }
    let sha256 = app.take_in(request.into_body().into_data_stream(), &person.name).await?;
    let added = app.add_roster(name, &sha256, &person.name).await?;
    added.map(|known| (StatusCode::CREATED, Json(known))).map_err(Problem::bad_request)
}

/// A run that is wished for.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Wished {
    /// Number of the roster.
    roster: String,
    /// Which rows.
    #[serde(default)]
    filter: Filter,
    /// By what document of the accounts' owners `mp.weixin.qq.com` is asked.
    weixin: Option<String>,
}

/// The latest runs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Runs {
    /// The latest first.
    runs: Vec<Job>,
}

/// Runs, of schedules and on demand.
#[utoipa::path(get, path = "/runs", responses((status = 200, body = Runs), (status = 401, body = Problem)))]
async fn list(State(app): State<App>, person: Person) -> Result<Json<Runs>, Problem> {
    person.everywhere()?;
    let wanted = Wanted { kind: Some("run".to_owned()), ..Wanted::default() };
    Ok(Json(Runs { runs: app.jobs().list(&wanted, None, SHOWN).await? }))
}

/// Runs a roster now: the new job, or the one of the same wish that is still open.
#[utoipa::path(post, path = "/runs", request_body = Wished,
    responses((status = 202, body = Job), (status = 400, body = Problem), (status = 401, body = Problem),
              (status = 403, body = Problem)))]
async fn run(
    State(app): State<App>,
    person: Person,
    Json(wished): Json<Wished>,
) -> Result<(StatusCode, Json<Job>), Problem> {
    person.at_least(Role::Analyst)?;
    person.everywhere()?;
    if app.roster(&wished.roster).await?.is_none() {
        return Err(Problem::bad_request("roster: no such roster"));
    }
    let Wished { roster, filter, weixin } = wished;
    let words = serde_json::to_string(&(&filter, &weixin)).unwrap_or_default();
    let key = format!("run:{roster}:{words}");
    let what = What::Run { roster, filter, weixin, spread: 0 };
    // A run takes long, whoever wishes it: nobody who waits for one scan waits for it.
    let (lane, actor, after) = (Lane::Schedule, person.name, Duration::ZERO);
    let (job, _) = app.jobs().call(Call { what, lane, key, actor, after, parent: None }).await?;
    Ok((StatusCode::ACCEPTED, Json(job)))
}

/// One run.
#[utoipa::path(get, path = "/runs/{id}", params(("id" = String, Path, description = "Number of the job")),
    responses((status = 200, body = Job), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn show(State(app): State<App>, person: Person, Path(id): Path<String>) -> Result<Json<Job>, Problem> {
    person.everywhere()?;
    let job = app.jobs().one(&id).await?.filter(|job| matches!(job.what, Some(What::Run { .. })));
    job.map(Json).ok_or_else(Problem::not_found)
}
