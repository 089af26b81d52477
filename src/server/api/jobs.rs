//! Jobs: the queue, what is under way, what was given up.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::server::jobs::{Job, State as JobState, Wanted};
use crate::server::{App, Person, Problem, Role};

/// Jobs of a page where the request does not say.
const PAGE: u32 = 50;
/// Jobs of a page at most.
const LARGEST_PAGE: u32 = 500;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(cancel))
        .routes(routes!(requeue))
}

/// What a list of jobs is asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Where the page before ended: its `next`.
    before: Option<String>,
    /// Jobs, 50 by default, 500 at most.
    limit: Option<u32>,
    /// How far they are; `dead` is what was given up.
    state: Option<JobState>,
    /// `scan-upload`, `scan-target` or `run`.
    kind: Option<String>,
    /// Parts of this run.
    parent: Option<String>,
}

/// A page of jobs.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Page {
    /// The jobs, the latest first.
    jobs: Vec<Job>,
    /// For the next page; `null` at the end.
    next: Option<String>,
}

/// Jobs, the latest first; people who are limited to a region see their own.
#[utoipa::path(get, path = "/jobs", params(Asked),
    responses((status = 200, description = "A page of jobs", body = Page)))]
async fn list(
    State(app): State<App>,
    person: Person,
    Query(asked): Query<Asked>,
) -> Result<Json<Page>, Problem> {
    let limit = asked.limit.unwrap_or(PAGE).clamp(1, LARGEST_PAGE);
    let wanted = Wanted { state: asked.state, kind: asked.kind, parent: asked.parent, actor: None };
    let jobs = app.jobs_of(&person, wanted, asked.before.as_deref(), limit).await?;
    let next = jobs.last().filter(|_| jobs.len() == limit as usize).map(|last| last.id.clone());
    Ok(Json(Page { jobs, next }))
}

/// One job.
#[utoipa::path(get, path = "/jobs/{id}", params(("id" = String, Path, description = "Number of the job")),
    responses((status = 200, description = "The job", body = Job)))]
async fn show(State(app): State<App>, person: Person, Path(id): Path<String>) -> Result<Json<Job>, Problem> {
    app.job_of(&person, &id).await.map(Json)
}

/// Does without a job and its parts. What is under way ends within a second or so.
#[utoipa::path(post, path = "/jobs/{id}/cancel", params(("id" = String, Path, description = "Number of the job")),
    responses((status = 202, description = "The job, which ends", body = Job)))]
async fn cancel(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Job>), Problem> {
    person.at_least(Role::Analyst)?;
    app.job_of(&person, &id).await?;
    let cancelled = app.jobs().cancel(&id).await?;
    let job = app.job_of(&person, &id).await?;
    if !cancelled {
        let words = ("任务已经结束", "the job is over");
        return Err(Problem::new("job-over", StatusCode::CONFLICT, words));
    }
    Ok((StatusCode::ACCEPTED, Json(job)))
}

/// Calls for a job again that was given up or cancelled.
#[utoipa::path(post, path = "/jobs/{id}/requeue", params(("id" = String, Path, description = "Number of the job")),
    responses((status = 202, description = "The job, which waits again", body = Job)))]
async fn requeue(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Job>), Problem> {
    person.at_least(Role::Analyst)?;
    app.job_of(&person, &id).await?;
    let words =
        ("任务没有失败或者取消，或者同样的任务已在排队", "the job was not given up, or the same is open");
    let job = app.jobs().requeue(&id).await?;
    let job = job.ok_or_else(|| Problem::new("job-open", StatusCode::CONFLICT, words))?;
    Ok((StatusCode::ACCEPTED, Json(job)))
}
