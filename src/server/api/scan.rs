//! Scans on demand: an upload, its progress, its report.

use std::convert::Infallible;
use std::time::Duration;

use axum::Json;
use axum::extract::multipart::MultipartError;
use axum::extract::{DefaultBodyLimit, Multipart, Path, State};
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::server::jobs::Job;
use crate::server::{App, Person, Problem, Role, multipart};

/// How often a progress is looked at.
const LOOK: Duration = Duration::from_millis(300);

pub(super) fn routes() -> OpenApiRouter<App> {
    // The size of a file is capped while it is read.
    OpenApiRouter::new()
        .routes(routes!(upload))
        .layer(DefaultBodyLimit::disable())
        .routes(routes!(show))
        .routes(routes!(events))
}

/// A form with a file.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "describes the form")]
struct Upload {
    /// The package or saved page.
    #[schema(format = Binary)]
    file: String,
    /// Key of its target, where the file does not say it or another is meant.
    target: Option<String>,
}

/// Uploads a file and has it scanned. The answer comes when the file is on disk; the job says how far the scan is.
#[utoipa::path(post, path = "/scans", request_body(content = Upload, content_type = "multipart/form-data"),
    responses((status = 202, description = "On disk; the scan waits", body = Job)))]
async fn upload(
    State(app): State<App>,
    person: Person,
    mut form: Multipart,
) -> Result<(StatusCode, Json<Job>), Problem> {
    person.at_least(Role::Analyst)?;
    let (mut file, mut target) = (None, None);
    while let Some(field) = multipart::next(&app, &mut form).await? {
        match field.name() {
            Some("file") if file.is_none() => {
                let name = field.file_name().unwrap_or("upload").to_owned();
                let pieces = Box::pin(field);
                file = Some((app.take_in::<MultipartError>(pieces, &person.name).await?, name));
            }
            Some("target") => {
                let text = multipart::text(&app, field).await?;
                target = Some(text).filter(|text| !text.is_empty());
            }
            // The token of a page's own forms.
            Some("csrf") => {}
            other => return Err(Problem::bad_request(format!("unknown field {other:?}"))),
        }
    }
    let Some((sha256, name)) = file else { return Err(Problem::bad_request("no field \"file\"")) };
    app.may_scan(&person, target.as_deref()).await?;
    let job = app.scan_upload(&sha256, &name, target.as_deref(), &person.name).await?;
    Ok((StatusCode::ACCEPTED, Json(job)))
}

/// How far a scan is. Its `result` names the report of each program that was in the file.
#[utoipa::path(get, path = "/scans/{id}", params(("id" = String, Path, description = "Number of the job")),
    responses((status = 200, description = "The job", body = Job)))]
async fn show(State(app): State<App>, person: Person, Path(id): Path<String>) -> Result<Json<Job>, Problem> {
    app.job_of(&person, &id).await.map(Json)
}

/// The same as server-sent events, `progress` by `progress` until it is `ended`.
#[utoipa::path(get, path = "/scans/{id}/events", params(("id" = String, Path, description = "Number of the job")),
    responses((status = 200, description = "The job as it goes on", body = Job, content_type = "text/event-stream")))]
async fn events(
    State(app): State<App>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let first = app.job_of(&person, &id).await?;
    let stream = futures_util::stream::unfold((app, Some(first), None), next);
    Ok(Sse::new(stream).keep_alive(KeepAlive::default()))
}

type Shown = (App, Option<Job>, Option<(i64, &'static str)>);

/// The next event, when something has changed.
async fn next((app, job, shown): Shown) -> Option<(Result<Event, Infallible>, Shown)> {
    let mut job = job?;
    loop {
        let now = (job.progress, job.state.name());
        if shown != Some(now) {
            let name = if job.state.is_open() { "progress" } else { "ended" };
            let event = Event::default().event(name).json_data(&job).unwrap_or_default();
            let rest = Some(job).filter(|job| job.state.is_open());
            return Some((Ok(event), (app, rest, Some(now))));
        }
        tokio::time::sleep(LOOK).await;
        // A database that is away for a moment does not end the stream; a job that is gone does.
        match app.jobs().one(&job.id).await {
            Ok(found) => job = found?,
            Err(error) => tracing::warn!(%error, "progress"),
        }
    }
}
