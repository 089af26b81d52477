//! 任务: scans on demand, runs, the queue and its workers.

use askama::Template;
use axum::extract::{Form, Multipart, Path, Query, State as AppState};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::Timestamp;
use serde::Deserialize;

use super::frame::{Frame, Place, Visitor, page as rendered};
use super::show::{actor, address, brief, clip, query};
use crate::model::{Lang, beijing_minute};
use crate::run::Outcome;
use crate::server::jobs::{Figures, Job, State, Wanted, What};
use crate::server::{App, Problem, Role, multipart};

/// Jobs that are shown, the latest first.
const PAGE: u32 = 100;
/// Targets on a page of those that a run did not get.
const MISSED: u32 = 500;

/// A job as the page shows it.
struct Line {
    id: String,
    what: String,
    /// With the figures of a run.
    state: String,
    class: &'static str,
    /// Targets were tried and have no report.
    failed: bool,
    /// What a run did not get.
    missed: String,
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
    /// Whether the person may upload what says itself whose it is.
    uploads: bool,
}

#[derive(Template)]
#[template(path = "job_rows.html", config = "src/server/web/askama.toml")]
struct Rows {
    frame: Frame,
    lines: Vec<Line>,
    busy: bool,
}

async fn lines(app: &App, visitor: &Visitor) -> Result<Vec<Line>, Problem> {
    let jobs = app.jobs_of(&visitor.person, Wanted::default(), None, PAGE).await?;
    Ok(jobs.iter().map(|job| line(visitor.lang, job, app.now())).collect())
}

/// How long a job still takes, by how long it took so far.
fn left(lang: Lang, job: &Job, now: Timestamp) -> Option<String> {
    let (Some(started), State::Running) = (job.started, job.state) else { return None };
    let spent = now.duration_since(started).as_secs();
    if job.progress <= 0 || job.progress >= job.total || spent < 5 {
        return None;
    }
    let seconds = spent.checked_mul(job.total - job.progress)?.checked_div(job.progress)?;
    Some(match (seconds / 60 + 1, lang) {
        (minutes @ ..60, Lang::Zh) => format!("约剩 {minutes} 分钟"),
        (minutes @ ..60, Lang::En) => format!("about {minutes} min left"),
        (minutes, Lang::Zh) => format!("约剩 {} 小时", minutes / 60),
        (minutes, Lang::En) => format!("about {} h left", minutes / 60),
    })
}

/// What a run came to; what is zero and nobody asks for is left out.
pub(super) fn figures(lang: Lang, figures: &Figures) -> String {
    let Figures { planned, scanned, unchanged, failed, skipped, .. } = figures;
    let same = match (unchanged, lang) {
        (0, _) => String::new(),
        (_, Lang::Zh) => format!("未变 {unchanged}、"),
        (_, Lang::En) => format!("{unchanged} unchanged, "),
    };
    match lang {
        Lang::Zh => format!("{planned} 个对象：检测 {scanned}、{same}失败 {failed}、跳过 {skipped}"),
        Lang::En => format!("{planned} targets: {scanned} scanned, {same}{failed} failed, {skipped} skipped"),
    }
}

/// The page of a job.
pub(super) fn page_of(id: &str) -> String {
    format!("/jobs/{id}")
}

/// Whether a target was tried, in words.
pub(super) fn outcome(lang: Lang, outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Skipped => lang.pick("跳过", "skipped"),
        _ => lang.pick("失败", "failed"),
    }
}

fn line(lang: Lang, job: &Job, now: Timestamp) -> Line {
    let what = match &job.what {
        Some(What::ScanUpload { name, .. }) => format!("{} {}", lang.pick("检测", "scan"), brief(name)),
        Some(What::ScanTarget { lines, part, .. }) => match lang {
            Lang::Zh => format!("名录第 {part} 部分，{} 行", lines.len()),
            Lang::En => format!("part {part} of a roster, {} rows", lines.len()),
        },
        Some(What::Run { .. }) => lang.pick("检测名录", "run of a roster").to_owned(),
        None => lang.pick("其他版本的任务", "a job of another version").to_owned(),
    };
    let (class, words) = match job.state {
        State::Waiting => ("waiting", ("排队", "waiting")),
        State::Running if job.cancelling => ("running", ("正在取消", "being cancelled")),
        State::Running => ("running", ("进行中", "under way")),
        State::Done => ("done-job", ("完成", "done")),
        State::Dead => ("dead", ("失败，已放弃", "given up")),
        State::Cancelled => ("cancelled", ("已取消", "cancelled")),
    };
    let came = job.figures().filter(|figures| figures.planned > 0);
    let state = match &came {
        Some(came) if !job.state.is_open() => {
            format!("{}{}{}", lang.pick(words.0, words.1), lang.pick("，", ", "), figures(lang, came))
        }
        _ => lang.pick(words.0, words.1).to_owned(),
    };
    let missed = came.as_ref().is_some_and(|came| came.failed + came.skipped > 0);
    let percent = (job.total > 0).then(|| (100 * job.progress / job.total).clamp(0, 100));
    let size = |bytes: i64| format!("{:.1} MB", bytes as f64 / 1e6);
    let progress = match &job.what {
        _ if job.total <= 0 => String::new(),
        Some(What::ScanUpload { .. }) => format!("{} / {}", size(job.progress), size(job.total)),
        _ => format!("{} / {}", job.progress, job.total),
    };
    let progress = match left(lang, job, now) {
        Some(left) => format!("{progress}{}{left}", lang.pick("，", ", ")),
        None => progress,
    };
    let target =
        job.result.pointer("/reports/0/target").and_then(|target| target.as_str()).unwrap_or_default();
    Line {
        id: job.id.clone(),
        what,
        state,
        class,
        failed: came.as_ref().is_some_and(|came| came.failed > 0),
        missed: if missed { page_of(&job.id) } else { String::new() },
        percent: percent
            .filter(|_| job.state == State::Running)
            .and_then(|percent| u8::try_from(percent).ok()),
        progress: if job.state.is_open() { progress } else { String::new() },
        started: job.started.map_or_else(String::new, beijing_minute),
        worker: brief(&job.worker),
        actor: actor(lang, &job.actor),
        error: if job.error(lang).is_empty() { String::new() } else { clip(job.error(lang)) },
        link: if target.is_empty() { String::new() } else { address(target) },
        cancel: job.state.is_open() && !job.cancelling,
        again: matches!(job.state, State::Dead | State::Cancelled),
    }
}

async fn shown(app: &App, visitor: &Visitor) -> Result<Rows, Problem> {
    let lines = lines(app, visitor).await?;
    let busy = lines.iter().any(|line| line.cancel);
    Ok(Rows { frame: visitor.frame(Place::Jobs, ""), lines, busy })
}

pub(super) async fn page(AppState(app): AppState<App>, visitor: Visitor) -> Result<Response, Problem> {
    let rows = shown(&app, &visitor).await?.render()?;
    let uploads = app.may_scan(&visitor.person, None).await.is_ok();
    rendered(&Jobs { rows, uploads, frame: visitor.frame(Place::Jobs, visitor.lang.pick("任务", "Jobs")) })
}

/// The rows alone, for pages that ask again while something is under way.
pub(super) async fn rows(AppState(app): AppState<App>, visitor: Visitor) -> Result<Response, Problem> {
    rendered(&shown(&app, &visitor).await?)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    after: u64,
}

#[derive(Template)]
#[template(path = "job.html", config = "src/server/web/askama.toml")]
struct One {
    frame: Frame,
    line: Line,
    ended: String,
    /// How many there are, also of those that are not listed.
    missed_all: u64,
    causes: Vec<(&'static str, &'static str, i64)>,
    missed: Vec<MissedLine>,
    next: Option<String>,
}

/// A target that a run did not get.
struct MissedLine {
    line: u64,
    name: String,
    link: String,
    address: String,
    outcome: &'static str,
    reason: String,
}

/// A job: what came of it, and what it did not get.
pub(super) async fn one(
    AppState(app): AppState<App>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let lang = visitor.lang;
    let job = app.job_of(&visitor.person, &id).await?;
    let missed = app.jobs().missed(&job.id, asked.after, MISSED).await?;
    let last = missed.last().filter(|_| missed.len() == MISSED as usize);
    let next = last.map(|last| query(&page_of(&job.id), &[("after", &last.missed.line.to_string())]));
    let causes = app.jobs().causes(&job.id).await?;
    let roster = match job.roster() {
        Some(roster) => app.roster(roster).await?,
        None => None,
    };
    let line = line(lang, &job, app.now());
    let title = match roster {
        Some(roster) => format!("{}{}{}", line.what, lang.pick("：", ": "), brief(&roster.name)),
        None => line.what.clone(),
    };
    let figures = job.figures().unwrap_or_default();
    let missed = missed.iter().map(|one| MissedLine {
        line: one.missed.line,
        name: brief(one.missed.name.as_deref().unwrap_or(lang.pick("名录未载名称", "no name in the roster"))),
        link: if one.known { address(&one.target) } else { String::new() },
        address: brief(&one.missed.address),
        outcome: outcome(lang, one.missed.outcome),
        reason: clip(one.missed.reason.words(lang)),
    });
    rendered(&One {
        ended: job.ended.map_or_else(String::new, beijing_minute),
        missed_all: figures.failed + figures.skipped,
        causes: causes
            .into_iter()
            .map(|(came, cause, targets)| (outcome(lang, came), cause.words(lang), targets))
            .collect(),
        missed: missed.collect(),
        next,
        line,
        frame: visitor.frame(Place::Jobs, title),
    })
}

#[derive(Debug, Deserialize)]
pub(super) struct Act {
    job: String,
    action: String,
}

/// Does without a job, or calls for it again.
pub(super) async fn act(
    AppState(app): AppState<App>,
    visitor: Visitor,
    Form(act): Form<Act>,
) -> Result<Response, Problem> {
    visitor.person.at_least(Role::Analyst)?;
    let (jobs, job) = (app.jobs(), app.job_of(&visitor.person, &act.job).await?);
    let done = match act.action.as_str() {
        "cancel" => jobs.cancel(&job.id).await?,
        "again" => jobs.requeue(&job.id).await?.is_some(),
        _ => return Err(Problem::bad_request("action")),
    };
    let words = ("任务的状态已经改变", "the state of the job has changed meanwhile");
    if done {
        Ok(Redirect::to("/jobs").into_response())
    } else {
        Err(Problem::new("job", StatusCode::CONFLICT, words))
    }
}

/// Takes files in and calls for their scans.
pub(super) async fn scan(
    AppState(app): AppState<App>,
    visitor: Visitor,
    mut form: Multipart,
) -> Result<Response, Problem> {
    visitor.person.at_least(Role::Analyst)?;
    let actor = &visitor.person.name;
    let (mut any, mut target) = (false, None);
    while let Some(field) = multipart::next(&app, &mut form).await? {
        match field.name() {
            Some("target") => target = Some(multipart::text(&app, field).await?),
            Some("package") => {
                app.may_scan(&visitor.person, target.as_deref()).await?;
                let name = field.file_name().unwrap_or_default().to_owned();
                let sha256 = app.take_in(std::pin::pin!(field), actor).await?;
                app.scan_upload(&sha256, &name, target.as_deref(), actor).await?;
                any = true;
            }
            _ => {}
        }
    }
    if any {
        return Ok(Redirect::to("/jobs").into_response());
    }
    Err(Problem::bad_request(("没有选择文件", "no file was chosen")))
}
