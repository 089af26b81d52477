//! Rosters, and runs of them on demand. A run is a job; its parts are jobs whose parent it is.

use axum::Json;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::server::jobs::{Filter, Job, Wanted, What};
use crate::server::rosters::Known;
use crate::server::{App, Person, Problem};

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
#[into_params(parameter_in = Query)]
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
#[utoipa::path(get, path = "/rosters", responses((status = 200, description = "Every roster", body = Rosters)))]
async fn rosters(State(app): State<App>, person: Person) -> Result<Json<Rosters>, Problem> {
    person.everywhere()?;
    Ok(Json(Rosters { rosters: app.rosters().await? }))
}

/// Adds a roster: a CSV or XLSX file as the body.
#[utoipa::path(post, path = "/rosters", params(Named),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 201, description = "The roster", body = Known)))]
async fn add(
    State(app): State<App>,
    person: Person,
    Query(named): Query<Named>,
    request: Request,
) -> Result<(StatusCode, Json<Known>), Problem> {
    let content = request.into_body().into_data_stream();
    let known = app.keep_roster(&person, &named.name, content).await?;
    Ok((StatusCode::CREATED, Json(known)))
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
#[utoipa::path(get, path = "/runs", responses((status = 200, description = "The latest runs", body = Runs)))]
async fn list(State(app): State<App>, person: Person) -> Result<Json<Runs>, Problem> {
    person.everywhere()?;
    let wanted = Wanted { kind: Some("run".to_owned()), ..Wanted::default() };
    Ok(Json(Runs { runs: app.jobs().list(&wanted, None, SHOWN).await? }))
}

/// Runs a roster now: the new job, or the one of the same wish that is still open.
#[utoipa::path(post, path = "/runs", request_body = Wished,
    responses((status = 202, description = "The run, or the one that is still open", body = Job)))]
async fn run(
    State(app): State<App>,
    person: Person,
    Json(wished): Json<Wished>,
) -> Result<(StatusCode, Json<Job>), Problem> {
    let Wished { roster, filter, weixin } = wished;
    let job = app.run_roster(&person, roster, filter, weixin).await?;
    Ok((StatusCode::ACCEPTED, Json(job)))
}

/// One run.
#[utoipa::path(get, path = "/runs/{id}", params(("id" = String, Path, description = "Number of the job")),
    responses((status = 200, description = "The run", body = Job)))]
async fn show(State(app): State<App>, person: Person, Path(id): Path<String>) -> Result<Json<Job>, Problem> {
    person.everywhere()?;
    let job = app.jobs().one(&id).await?.filter(|job| matches!(job.what, Some(What::Run { .. })));
    job.map(Json).ok_or_else(Problem::not_found)
}
