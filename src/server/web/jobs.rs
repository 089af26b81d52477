//! 任务: scans on demand, runs, the queue and its workers.

use askama::Template;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;

use super::frame::{Frame, Place, Visitor, page as rendered};
use crate::server::{App, Problem, Role};

/// Bytes of an upload at most.
pub(super) const LARGEST_UPLOAD: usize = 1 << 30;

/// A job as the page shows it.
struct Line {
    id: String,
    what: String,
    state: &'static str,
    class: &'static str,
    /// Of 100, where it is known.
    percent: Option<u8>,
    progress: String,
    started: String,
    worker: String,
    actor: String,
    error: String,
    link: String,
    cancel: bool,
    again: bool,
}

#[derive(Template)]
#[template(path = "jobs.html", config = "src/server/web/askama.toml")]
struct Jobs {
    frame: Frame,
    rows: String,
}

#[derive(Template)]
#[template(path = "job_rows.html", config = "src/server/web/askama.toml")]
struct Rows {
    frame: Frame,
    lines: Vec<Line>,
    busy: bool,
}

async fn lines(_: &App, _: &Visitor) -> Result<Vec<Line>, Problem> {
    Ok(Vec::new())
}

async fn shown(app: &App, visitor: &Visitor) -> Result<Rows, Problem> {
    let lines = lines(app, visitor).await?;
    let busy = lines.iter().any(|line| line.cancel);
    Ok(Rows { frame: visitor.frame(Place::Jobs, ""), lines, busy })
}

pub(super) async fn page(State(app): State<App>, visitor: Visitor) -> Result<Response, Problem> {
    let rows = shown(&app, &visitor).await?.render()?;
    rendered(&Jobs { rows, frame: visitor.frame(Place::Jobs, visitor.lang.pick("任务", "Jobs")) })
}

/// The rows alone, for pages that ask again while something is under way.
pub(super) async fn rows(State(app): State<App>, visitor: Visitor) -> Result<Response, Problem> {
    rendered(&shown(&app, &visitor).await?)
}

#[derive(Debug, Deserialize)]
pub(super) struct Act {
    job: String,
    action: String,
}

pub(super) async fn act(visitor: Visitor, Form(act): Form<Act>) -> Result<Response, Problem> {
    visitor.person.at_least(Role::Analyst)?;
    let _ = (act.job, act.action);
    Err(unconnected())
}

pub(super) async fn scan(visitor: Visitor) -> Result<Response, Problem> {
    visitor.person.at_least(Role::Analyst)?;
    Err(unconnected())
}

fn unconnected() -> Problem {
    Problem::new("no-queue", StatusCode::SERVICE_UNAVAILABLE, ("任务队列没有启用", "there is no queue of jobs"))
}
