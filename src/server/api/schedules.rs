//! Schedules: what runs when, and when next.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::server::jobs::Job;
use crate::server::schedule::{Plan, Schedule};
use crate::server::{App, Person, Problem};

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
#[utoipa::path(get, path = "/schedules", responses((status = 200, description = "Every schedule", body = Schedules)))]
async fn list(State(app): State<App>, person: Person) -> Result<Json<Schedules>, Problem> {
    person.everywhere()?;
    Ok(Json(Schedules { schedules: app.schedules().await? }))
}

/// One schedule.
#[utoipa::path(get, path = "/schedules/{id}", params(("id" = String, Path, description = "Number of the schedule")),
    responses((status = 200, description = "The schedule", body = Schedule)))]
async fn show(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Json<Schedule>, Problem> {
    app.one_schedule(&person, &id).await.map(Json)
}

/// Makes a schedule.
#[utoipa::path(post, path = "/schedules", request_body = Written,
    responses((status = 201, description = "The new schedule", body = Schedule)))]
async fn make(
    State(app): State<App>,
    person: Person,
    Json(written): Json<Written>,
) -> Result<(StatusCode, Json<Schedule>), Problem> {
    let Written { name, plan, enabled } = written;
    let made = app.write_schedule(&person, None, &name, &plan, enabled).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Changes a schedule.
#[utoipa::path(put, path = "/schedules/{id}", request_body = Written,
    params(("id" = String, Path, description = "Number of the schedule")),
    responses((status = 200, description = "The schedule as it is now", body = Schedule)))]
async fn change(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
    Json(written): Json<Written>,
) -> Result<Json<Schedule>, Problem> {
    let Written { name, plan, enabled } = written;
    app.write_schedule(&person, Some(&id), &name, &plan, enabled).await.map(Json)
}

/// Does without a schedule. Its runs stay.
#[utoipa::path(delete, path = "/schedules/{id}", params(("id" = String, Path, description = "Number of the schedule")),
    responses((status = 204, description = "It is gone")))]
async fn remove(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    app.remove_schedule(&person, &id).await.map(|()| StatusCode::NO_CONTENT)
}

/// Runs a schedule now, whenever it is due: the new job, or the one that is still open.
#[utoipa::path(post, path = "/schedules/{id}/run", params(("id" = String, Path, description = "Number of the schedule")),
    responses((status = 202, description = "The run, or the one that is still open", body = Job)))]
async fn run(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Job>), Problem> {
    app.run_now(&person, &id).await.map(|job| (StatusCode::ACCEPTED, Json(job)))
}
