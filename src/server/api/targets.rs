//! Targets, what happened to them, what waits at them, and what people say of them.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{cursor, schema};
use crate::ledger::{Coded, Decision, Listed, Next, OpenFinding, Wanted, withdrawn};
use crate::model::{CodeDocument, ColorCode, Event, OfficeLevel, TargetKind};
use crate::rule::Titled;
use crate::server::{App, Person, Problem};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_targets))
        .routes(routes!(one_target))
        .routes(routes!(list_events, decide))
        .routes(routes!(list_waiting))
}

/// Which targets are meant. What is left out does not matter.
#[derive(Debug, Clone, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Filter {
    /// Colour.
    #[param(value_type = Option<schema::ColorCode>)]
    code: Option<ColorCode>,
    /// Kind.
    #[param(value_type = Option<schema::TargetKind>)]
    kind: Option<TargetKind>,
    /// Level of the owner.
    #[param(value_type = Option<schema::OfficeLevel>)]
    level: Option<OfficeLevel>,
    /// Region and everything in it: `某省/某市`.
    region: Option<String>,
    /// Owner, exactly.
    owner: Option<String>,
    /// Deciding clause of the policy: `not-filed`.
    clause: Option<String>,
    /// Names, numbers and keys that contain this.
    q: Option<String>,
    /// Only targets with a notice whose last day is before this: `2026-12-31`.
    #[param(value_type = Option<String>, format = Date)]
    due_before: Option<Date>,
}

impl Filter {
    /// What of it the person may see. An error where that is nothing at all.
    pub(super) fn wanted(self, person: &Person) -> Result<Wanted, Problem> {
        let texts = [&self.region, &self.owner, &self.clause, &self.q];
        if texts.into_iter().flatten().any(|text| text.contains('\0')) {
            return Err(Problem::bad_request("U+0000"));
        }
        Ok(Wanted {
            code: self.code,
            kind: self.kind,
            level: self.level,
            region: person.narrowed(self.region.filter(|region| !region.is_empty()))?,
            owner: self.owner,
            clause: self.clause,
            text: self.q,
            due_before: self.due_before.map(|day| day.to_string()),
        })
    }
}

/// Where a list goes on, and how many rows.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Paging {
    /// Where the page before ended: its `next`.
    after: Option<String>,
    /// Rows, 50 by default, 500 at most.
    limit: Option<u32>,
}

/// A page of targets.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Targets {
    /// The targets, in the order of their keys.
    #[schema(value_type = Vec<schema::Listed>)]
    targets: Vec<Listed>,
    /// For the next page; `null` at the end.
    next: Option<String>,
}

/// Targets with their codes.
#[utoipa::path(get, path = "/targets", tag = "targets", params(Filter, Paging),
    responses((status = 200, description = "A page of targets", body = Targets)))]
async fn list_targets(
    State(app): State<App>,
    person: Person,
    filter: Result<Query<Filter>, QueryRejection>,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Result<Json<Targets>, Problem> {
    let (Query(filter), Query(paging)) = (filter?, paging?);
    let rows = cursor::rows(paging.limit);
    let after: Option<String> = cursor::read(paging.after.as_deref())?;
    let wanted = filter.wanted(&person)?;
    let targets = app.ledger.listed(&wanted, &after.unwrap_or_default(), rows).await?;
    let last = targets.last().filter(|_| targets.len() == rows as usize);
    let next = last.map(|last| cursor::write(&last.document.target));
    let addressed = |listed: Listed| Listed { document: app.addressed(listed.document), ..listed };
    Ok(Json(Targets { targets: targets.into_iter().map(addressed).collect(), next }))
}

/// A target as a whole.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WholeTarget {
    /// Its code.
    #[schema(value_type = schema::CodeDocument)]
    code: CodeDocument,
    /// Findings that are open, confirmed ones first.
    #[schema(value_type = Vec<schema::OpenFinding>)]
    findings: Vec<OpenFinding>,
    /// Required functions that were not seen, by rule.
    missing: Vec<String>,
    /// Every code it had, with its reasons and events, the present one last.
    #[schema(value_type = Vec<schema::Coded>)]
    history: Vec<Coded>,
}

/// A target: its code, what is open, and how the code came about.
#[utoipa::path(get, path = "/targets/{target}", tag = "targets",
    params(("target" = String, Path, description = "Key of the target")),
    responses((status = 200, description = "The target", body = WholeTarget)))]
async fn one_target(
    State(app): State<App>,
    person: Person,
    target: Result<Path<String>, PathRejection>,
) -> Result<Json<WholeTarget>, Problem> {
    let Path(target) = target?;
    let (_, history, code) = app.history(&person, &target).await?;
    let (standing, now) = (&history.standing, app.now());
    let findings = standing.open_findings(app.policy(), now);
    let missing = standing.missing(now).map(str::to_owned).collect();
    Ok(Json(WholeTarget { code, findings, missing, history: history.codes }))
}

/// An event as the ledger has it.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct RecordedEvent {
    /// Its number.
    seq: u64,
    /// When it was recorded.
    #[schema(value_type = String, format = DateTime)]
    recorded: Timestamp,
    /// Its hash in the chain.
    hash: String,
    /// What happened, in Chinese.
    title: String,
    /// It was withdrawn and counts no longer.
    withdrawn: bool,
    /// The event.
    #[schema(value_type = schema::Event)]
    record: Event,
}

/// What happened to a target.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Events {
    /// In the order in which it was recorded.
    events: Vec<RecordedEvent>,
    /// For the next page; `null` at the end.
    next: Option<String>,
}

/// What happened to a target.
#[utoipa::path(get, path = "/targets/{target}/events", tag = "targets",
    params(("target" = String, Path, description = "Key of the target"), Paging),
    responses((status = 200, description = "A page of events", body = Events)))]
async fn list_events(
    State(app): State<App>,
    person: Person,
    target: Result<Path<String>, PathRejection>,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Result<Json<Events>, Problem> {
    let (Path(target), Query(paging)) = (target?, paging?);
    let rows = cursor::rows(paging.limit);
    let after: u64 = cursor::read(paging.after.as_deref())?.unwrap_or_default();
    app.target(&person, &target).await?;
    let all = app.ledger.events_of(&target).await?;
    let withdrawn = withdrawn(&all);
    let behind = all.into_iter().filter(|recorded| recorded.seq > after).take(rows as usize);
    let entry = |recorded: crate::ledger::Recorded| RecordedEvent {
        seq: recorded.seq,
        recorded: recorded.recorded,
        hash: recorded.hash,
        title: recorded.event.deed.zh().to_owned(),
        withdrawn: withdrawn.contains(&recorded.seq),
        record: recorded.event,
    };
    let events: Vec<RecordedEvent> = behind.map(entry).collect();
    let last = events.last().filter(|_| events.len() == rows as usize);
    Ok(Json(Events { next: last.map(|last| cursor::write(&last.seq)), events }))
}

/// What follows from a decision.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Decided {
    /// Number of the event; a withdrawal of it undoes the decision.
    event: u64,
    /// The code from now on.
    #[schema(value_type = schema::CodeDocument)]
    code: CodeDocument,
}

/// Says something of a target: confirms, dismisses or excepts what is open, decides about red, records filing,
/// revocation, notice, rectification or closure, or withdraws an event; for analysts.
#[utoipa::path(post, path = "/targets/{target}/events", tag = "targets",
    params(("target" = String, Path, description = "Key of the target")), request_body = schema::Decision,
    responses((status = 201, description = "Recorded", body = Decided)))]
async fn decide(
    State(app): State<App>,
    person: Person,
    target: Result<Path<String>, PathRejection>,
    body: Result<Json<Decision>, JsonRejection>,
) -> Result<Response, Problem> {
    person.at_least(crate::server::Role::Analyst)?;
    let (Path(target), Json(decision)) = (target?, body?);
    let (event, code, noted) = app.decide(&person, &target, decision).await?;
    let mut response = (StatusCode::CREATED, Json(Decided { event, code })).into_response();
    response.extensions_mut().insert(noted);
    Ok(response)
}

/// In which region something waits.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Within {
    /// Region and everything in it.
    region: Option<String>,
}

/// A page of what waits for a person.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Queue {
    /// Urgent first.
    #[schema(value_type = Vec<schema::Titled>)]
    waiting: Vec<Titled>,
    /// For the next page; `null` at the end.
    next: Option<String>,
}

/// What waits for a person, urgent first.
#[utoipa::path(get, path = "/review", tag = "targets", params(Within, Paging),
    responses((status = 200, description = "A page of what waits", body = Queue)))]
async fn list_waiting(
    State(app): State<App>,
    person: Person,
    within: Result<Query<Within>, QueryRejection>,
    paging: Result<Query<Paging>, QueryRejection>,
) -> Result<Json<Queue>, Problem> {
    let (Query(within), Query(paging)) = (within?, paging?);
    let filter = Filter { region: within.region, ..Filter::default() };
    let region = filter.wanted(&person)?.region;
    let rows = cursor::rows(paging.limit);
    let after: Option<Next> = cursor::read(paging.after.as_deref())?;
    let waiting = app.ledger.waiting(region.as_deref(), after.as_ref(), rows).await?;
    let last = waiting.last().filter(|_| waiting.len() == rows as usize);
    let next = last.map(|(_, next)| cursor::write(next));
    let titled = waiting.into_iter().map(|(waiting, _)| Titled::of(&app.rules, waiting));
    Ok(Json(Queue { waiting: titled.collect(), next }))
}
