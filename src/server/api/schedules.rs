//! Schedules: what runs when, and when next.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::server::jobs::{Job, Lane};
use crate::server::schedule::{Plan, Schedule};
use crate::server::{App, Person, Problem, Role};

/// Longest name, in characters.
const LONGEST_NAME: usize = 100;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, make))
        .routes(routes!(show, change, remove))
        .routes(routes!(run))
}

/// A schedule as it is written.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Written {
    /// Name.
    name: String,
    /// What runs when.
    plan: Plan,
    /// Whether it runs.
    #[serde(default = "yes")]
    enabled: bool,
}

fn yes() -> bool {
    true
}

/// Every schedule.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Schedules {
    /// In the order in which they were made.
    schedules: Vec<Schedule>,
}

/// Schedules, with the time each is due next.
#[utoipa::path(get, path = "/schedules", responses((status = 200, body = Schedules), (status = 401, body = Problem)))]
async fn list(State(app): State<App>, person: Person) -> Result<Json<Schedules>, Problem> {
    person.everywhere()?;
    Ok(Json(Schedules { schedules: app.schedules().await? }))
}

/// One schedule.
#[utoipa::path(get, path = "/schedules/{id}", params(("id" = String, Path, description = "Number of the schedule")),
    responses((status = 200, body = Schedule), (status = 401, body = Problem), (status = 404, body = Problem)))]
async fn show(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Json<Schedule>, Problem> {
    person.everywhere()?;
    app.schedule(&id).await?.map(Json).ok_or_else(Problem::not_found)
}

async fn put(app: &App, person: &Person, id: Option<&str>, written: Written) -> Result<Schedule, Problem> {
    person.at_least(Role::Administrator)?;
    person.everywhere()?;
    let name = written.name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME {
        return Err(Problem::bad_request(format!("name: 1 to {LONGEST_NAME} characters")));
    }
    if app.roster(&written.plan.roster).await?.is_none() {
        return Err(Problem::bad_request("plan.roster: no such roster"));
    }
    let put = app.put_schedule(id, name, &written.plan, written.enabled, &person.name).await?;
    put.map_err(Problem::bad_request)
}

/// Makes a schedule.
#[utoipa::path(post, path = "/schedules", request_body = Written,
    responses((status = 201, body = Schedule), (status = 400, body = Problem), (status = 401, body = Problem),
              (status = 403, body = Problem)))]
async fn make(
    State(app): State<App>,
    person: Person,
    Json(written): Json<Written>,
) -> Result<(StatusCode, Json<Schedule>), Problem> {
    put(&app, &person, None, written).await.map(|made| (StatusCode::CREATED, Json(made)))
}

/// Changes a schedule.
#[utoipa::path(put, path = "/schedules/{id}", request_body = Written,
    params(("id" = String, Path, description = "Number of the schedule")),
    responses((status = 200, body = Schedule), (status = 400, body = Problem), (status = 401, body = Problem),
              (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn change(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
    Json(written): Json<Written>,
) -> Result<Json<Schedule>, Problem> {
    person.at_least(Role::Administrator)?;
    person.everywhere()?;
    app.schedule(&id).await?.ok_or_else(Problem::not_found)?;
    put(&app, &person, Some(&id), written).await.map(Json)
}

/// Does without a schedule. Its runs stay.
#[utoipa::path(delete, path = "/schedules/{id}", params(("id" = String, Path, description = "Number of the schedule")),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem)))]
async fn remove(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    person.at_least(Role::Administrator)?;
    person.everywhere()?;
    match app.drop_schedule(&id).await? {
        true => Ok(StatusCode::NO_CONTENT),
        false => Err(Problem::not_found()),
    }
}

/// Runs a schedule now, whenever it is due: the new job, or the one that is still open.
#[utoipa::path(post, path = "/schedules/{id}/run", params(("id" = String, Path, description = "Number of the schedule")),
    responses((status = 202, body = Job), (status = 401, body = Problem), (status = 403, body = Problem),
              (status = 404, body = Problem)))]
async fn run(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Job>), Problem> {
    person.at_least(Role::Analyst)?;
    person.everywhere()?;
    let schedule = app.schedule(&id).await?.ok_or_else(Problem::not_found)?;
    let job = app.run_schedule(&schedule, Lane::Schedule, &person.name).await?;
    Ok((StatusCode::ACCEPTED, Json(job.ok_or_else(Problem::not_found)?)))
}
