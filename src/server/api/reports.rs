//! Reports as they are stored, in every format, and what became of one in a later one.

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::schema;
use crate::model::{Lang, Rectification};
use crate::report::{Run, View, format};
use crate::server::{App, Person, Problem};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(one_report)).routes(routes!(diff))
}

/// In which form a report is shown.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Form {
    /// `json` (default: the stored document), `jsonl`, `html`, `sarif`, `docx`, `xlsx`, `terminal`.
    format: Option<String>,
    /// Language of what people read: `zh` (default) or `en`.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    lang: Lang,
    /// Unfold mentions and every row of evidence.
    #[serde(default)]
    all: bool,
}

/// A report by its digest.
#[utoipa::path(get, path = "/reports/{sha256}", tag = "reports",
    params(("sha256" = String, Path, description = "SHA-256 of the report, 64 hexadecimal digits"), Form),
    responses((status = 200, description = "The report", content(
        (schema::Report = "application/json"), (String = "text/html"),
        (String = "application/sarif+json"), (String = "text/plain")))))]
async fn one_report(
    State(app): State<App>,
    person: Person,
    sha256: Result<Path<String>, PathRejection>,
    form: Result<Query<Form>, QueryRejection>,
) -> Result<Response, Problem> {
    let (Path(sha256), Query(form)) = (sha256?, form?);
    let name = form.format.as_deref().unwrap_or("json");
    let format = format(name).ok_or_else(|| Problem::bad_request("format"))?;
    if format.name == "json" {
        let text = app.report_text(&person, &sha256).await?;
        return Ok(([(CONTENT_TYPE, "application/json")], text).into_response());
    }
    let report = app.report(&person, &sha256).await?;
    let view = View { lang: form.lang, all: form.all, colour: false };
    let written = tokio::task::spawn_blocking(move || {
        let mut text = Vec::new();
        let run = Run { reports: std::slice::from_ref(&report), failures: &[], several: false };
        (format.write)(&run, view, &mut text).map(|()| text)
    });
    let text = written.await.map_err(|_| Problem::internal())?.map_err(|_| Problem::internal())?;
    // A page that stands by itself has its style in it, and may do nothing else.
    let policy =
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox";
    Ok(([(CONTENT_TYPE, format.media), (CONTENT_SECURITY_POLICY, policy)], text).into_response())
}

/// Two reports.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Pair {
    /// Digest of the earlier report.
    old: String,
    /// Digest of the later report.
    new: String,
}

/// What became of the findings of one report in a later one: rectified, still there, new, disguised.
#[utoipa::path(get, path = "/diffs", tag = "reports", params(Pair),
    responses((status = 200, description = "The comparison", body = schema::Rectification)))]
async fn diff(
    State(app): State<App>,
    person: Person,
    pair: Result<Query<Pair>, QueryRejection>,
) -> Result<Json<Rectification>, Problem> {
    let Query(Pair { old, new }) = pair?;
    let (old, new) = (app.report(&person, &old).await?, app.report(&person, &new).await?);
    let compared = tokio::task::spawn_blocking(move || crate::rectify::compare(&old, &new));
    compared.await.map(Json).map_err(|_| Problem::internal())
}
