//! Codes as lists for other programs, and how many there are of each.

use std::io::{self, Write};

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::schema;
use super::targets::Filter;
use crate::export;
use crate::ledger::{By, Count, Wanted};
use crate::model::{CodeDocument, ColorCode, Lang};
use crate::server::{App, Person, Problem};

/// Codes that are read at once, and wait at most to be written.
const BATCH: u32 = 500;
/// Days of the trend at most.
const LONGEST_TREND: u32 = 1_000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_codes)).routes(routes!(counts)).routes(routes!(trend))
}

/// In which form codes are written.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Form {
    /// `json` (default), `jsonl`, `csv`, `xlsx`.
    format: Option<String>,
    /// Language of `csv` and `xlsx`: `zh` (default) or `en`.
    #[serde(default)]
    #[param(value_type = Option<String>)]
    lang: Lang,
}

/// All codes as one list, in the order of the targets' keys. It comes as it is read: a list that breaks off is an error
/// of the connection.
#[utoipa::path(get, path = "/codes", tag = "codes", params(Filter, Form),
    responses((status = 200, description = "The list", content(
        (Vec<schema::CodeDocument> = "application/json"), (String = "application/x-ndjson"),
        (String = "text/csv"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")))))]
async fn list_codes(
    State(app): State<App>,
    person: Person,
    filter: Result<Query<Filter>, QueryRejection>,
    form: Result<Query<Form>, QueryRejection>,
) -> Result<Response, Problem> {
    let (Query(filter), Query(form)) = (filter?, form?);
    let wanted = filter.wanted(&person)?;
    let name = form.format.as_deref().unwrap_or("json");
    let format = export::format(name).ok_or_else(|| Problem::bad_request("format"))?;
    let kind = match format.name {
        "json" => "application/json; charset=utf-8",
        "jsonl" => "application/x-ndjson",
        "csv" => "text/csv; charset=utf-8",
        _ => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    };
    let (read, mut codes) = mpsc::channel::<io::Result<CodeDocument>>(BATCH as usize);
    tokio::spawn(async move { read_all(&app, &wanted, &read).await });
    let (write, written) = mpsc::channel::<io::Result<Bytes>>(8);
    let failed = write.clone();
    tokio::task::spawn_blocking(move || {
        let mut codes = std::iter::from_fn(|| codes.blocking_recv());
        let mut out = io::BufWriter::with_capacity(1 << 16, Pipe(write));
        let done = (format.write)(&mut codes, form.lang, &mut out).and_then(|()| out.flush());
        if let Err(error) = done {
            let _ = failed.blocking_send(Err(error));
        }
    });
    let body = futures_util::stream::unfold(written, async |mut written| {
        written.recv().await.map(|chunk| (chunk, written))
    });
    let disposition = format!("attachment; filename=\"codes.{}\"", format.name);
    let headers = [(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, disposition)];
    Ok((headers, Body::from_stream(body)).into_response())
}

/// Reads all codes in turn, as fast as they are taken.
async fn read_all(app: &App, wanted: &Wanted, read: &mpsc::Sender<io::Result<CodeDocument>>) {
    let mut after = String::new();
    loop {
        match app.ledger.listed(wanted, &after, BATCH).await {
            Ok(listed) => {
                let Some(last) = listed.last() else { return };
                after.clone_from(&last.document.target);
                for listed in listed {
                    if read.send(Ok(app.addressed(listed.document))).await.is_err() {
                        return;
                    }
                }
            }
            Err(error) => {
                tracing::error!(%error, "an export breaks off");
                let _ = read.send(Err(io::Error::other(error))).await;
                return;
            }
        }
    }
}

/// What is written goes to the client.
struct Pipe(mpsc::Sender<io::Result<Bytes>>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let sent = self.0.blocking_send(Ok(Bytes::copy_from_slice(bytes)));
        sent.map(|()| bytes.len()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// By what targets are counted.
#[derive(Debug, Clone, Copy, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Within {
    /// Everything together.
    #[default]
    All,
    /// Region of the owner.
    Region,
    /// Level of the owner.
    Level,
    /// Owner.
    Owner,
    /// Kind of target.
    Kind,
}

/// By what targets are counted.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Grouping {
    /// `all` (default), `region`, `level`, `owner`, `kind`.
    #[serde(default)]
    #[param(inline, value_type = Option<Within>)]
    by: Within,
}

/// How many targets there are of each colour.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Counts {
    /// In the order of what they are counted by, then of the colours.
    #[schema(value_type = Vec<schema::Count>)]
    counts: Vec<Count>,
}

/// How many targets there are of each colour.
#[utoipa::path(get, path = "/counts", tag = "codes", params(Filter, Grouping),
    responses((status = 200, description = "Counts", body = Counts)))]
async fn counts(
    State(app): State<App>,
    person: Person,
    filter: Result<Query<Filter>, QueryRejection>,
    grouping: Result<Query<Grouping>, QueryRejection>,
) -> Result<Json<Counts>, Problem> {
    let (Query(filter), Query(grouping)) = (filter?, grouping?);
    let by = match grouping.by {
        Within::All => By::All,
        Within::Region => By::Region,
        Within::Level => By::Level,
        Within::Owner => By::Owner,
        Within::Kind => By::Kind,
    };
    Ok(Json(Counts { counts: app.ledger.count(&filter.wanted(&person)?, by).await? }))
}

/// Days.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Days {
    /// How many, 30 by default, 1000 at most.
    days: Option<u32>,
}

/// How many targets had a colour at the end of a day.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Point {
    /// The day in Beijing.
    #[schema(format = Date)]
    day: String,
    /// The colour.
    #[schema(value_type = schema::ColorCode)]
    code: ColorCode,
    /// How many.
    targets: u64,
}

/// How the counts went.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Trend {
    /// Oldest first; days on which nothing changed are left out.
    points: Vec<Point>,
}

/// How the counts went over the latest days: of everything, or of one's region.
#[utoipa::path(get, path = "/trend", tag = "codes", params(Days),
    responses((status = 200, description = "The trend", body = Trend)))]
async fn trend(
    State(app): State<App>,
    person: Person,
    days: Result<Query<Days>, QueryRejection>,
) -> Result<Json<Trend>, Problem> {
    let Query(Days { days }) = days?;
    let days = days.unwrap_or(30).clamp(1, LONGEST_TREND);
    let trend = match &person.region {
        None => app.ledger.trend(days).await?,
        Some(region) => app.ledger.trend_within(region, days, app.now()).await?,
    };
    let points = trend.into_iter().map(|(day, code, targets)| Point { day, code, targets });
    Ok(Json(Trend { points: points.collect() }))
}
