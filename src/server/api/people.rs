//! Accounts, tokens and the audit log.

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::cursor;
use super::layer::ShownOnce;
use crate::server::people::{Account, ApiToken, AuditLine, Edit, NewAccount, NewToken, Noted};
use crate::server::{App, Person, Problem, Role, Session};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_people, create_person))
        .routes(routes!(edit_person))
        .routes(routes!(reset_password))
        .routes(routes!(list_tokens, create_token))
        .routes(routes!(revoke_token))
        .routes(routes!(audit))
}

/// An answer that is shown once, with what the audit log says of it.
fn once<T: Serialize>(status: StatusCode, noted: String, body: T) -> Response {
    let mut response = (status, Json(body)).into_response();
    response.extensions_mut().insert(ShownOnce);
    response.extensions_mut().insert(Noted(noted));
    response
}

/// Everybody that one may manage.
#[derive(Serialize, utoipa::ToSchema)]
struct People {
    /// In the order of their numbers.
    people: Vec<Account>,
}

/// A one-time password.
#[derive(Serialize, utoipa::ToSchema)]
struct OneTime {
    /// Number of the person.
    id: i64,
    /// The password, shown once; it has to be changed at the first login.
    password: String,
}

/// Everybody that one may manage; for administrators.
#[utoipa::path(get, path = "/people", tag = "people", responses((status = 200, description = "People", body = People)))]
async fn list_people(State(app): State<App>, person: Person) -> Result<Json<People>, Problem> {
    Ok(Json(People { people: app.accounts(&person).await? }))
}

/// Makes an account with a one-time password; for administrators who are logged in.
#[utoipa::path(post, path = "/people", tag = "people", request_body = NewAccount,
    responses((status = 201, description = "Made", body = OneTime)))]
async fn create_person(
    State(app): State<App>,
    session: Session,
    body: Result<Json<NewAccount>, JsonRejection>,
) -> Result<Response, Problem> {
    let person = session.settled()?.person;
    person.at_least(Role::Administrator)?;
    let Json(new) = body?;
    let (id, password) = app.create_account(&person, new).await?;
    Ok(once(StatusCode::CREATED, format!("person {id}"), OneTime { id, password }))
}

/// Changes role, region or whether somebody may log in; for administrators who are logged in.
#[utoipa::path(patch, path = "/people/{id}", tag = "people", params(("id" = i64, Path, description = "Number")),
    request_body = Edit, responses((status = 200, description = "Changed", body = Account)))]
async fn edit_person(
    State(app): State<App>,
    session: Session,
    id: Result<Path<i64>, PathRejection>,
    body: Result<Json<Edit>, JsonRejection>,
) -> Result<Json<Account>, Problem> {
    let person = session.settled()?.person;
    person.at_least(Role::Administrator)?;
    let (Path(id), Json(edit)) = (id?, body?);
    Ok(Json(app.edit_account(&person, id, edit).await?))
}

/// Gives somebody a one-time password and ends their sessions; for administrators who are logged in.
#[utoipa::path(post, path = "/people/{id}/password", tag = "people",
    params(("id" = i64, Path, description = "Number")),
    responses((status = 200, description = "The password", body = OneTime)))]
async fn reset_password(
    State(app): State<App>,
    session: Session,
    id: Result<Path<i64>, PathRejection>,
) -> Result<Response, Problem> {
    let person = session.settled()?.person;
    person.at_least(Role::Administrator)?;
    let Path(id) = id?;
    let password = app.reset_password(&person, id).await?;
    Ok(once(StatusCode::OK, format!("person {id}"), OneTime { id, password }))
}

/// Tokens.
#[derive(Serialize, utoipa::ToSchema)]
struct Tokens {
    /// In the order of their numbers.
    tokens: Vec<ApiToken>,
}

/// A token that was made.
#[derive(Serialize, utoipa::ToSchema)]
struct Made {
    /// The token itself, shown once: `Authorization: Bearer …`.
    secret: String,
    /// What is known of it.
    #[serde(flatten)]
    token: ApiToken,
}

/// One's own tokens; of an administrator, all of people they may manage.
#[utoipa::path(get, path = "/tokens", tag = "people", responses((status = 200, description = "Tokens", body = Tokens)))]
async fn list_tokens(State(app): State<App>, person: Person) -> Result<Json<Tokens>, Problem> {
    Ok(Json(Tokens { tokens: app.tokens(&person).await? }))
}

/// Makes a token that may do no more than its maker, who has to be logged in.
#[utoipa::path(post, path = "/tokens", tag = "people", request_body = NewToken,
    responses((status = 201, description = "Made", body = Made)))]
async fn create_token(
    State(app): State<App>,
    session: Session,
    body: Result<Json<NewToken>, JsonRejection>,
) -> Result<Response, Problem> {
    let person = session.settled()?.person;
    let Json(new) = body?;
    let (secret, token) = app.create_token(&person, new).await?;
    Ok(once(StatusCode::CREATED, format!("token {}", token.id), Made { secret, token }))
}

/// Revokes a token for good.
#[utoipa::path(delete, path = "/tokens/{id}", tag = "people", params(("id" = i64, Path, description = "Number")),
    responses((status = 204, description = "Revoked")))]
async fn revoke_token(
    State(app): State<App>,
    session: Session,
    id: Result<Path<i64>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let person = session.settled()?.person;
    let Path(id) = id?;
    app.revoke_token(&person, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which lines of the audit log.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Where the page before ended: its `next`.
    after: Option<String>,
    /// Rows, 50 by default, 500 at most.
    limit: Option<u32>,
}

/// A page of the audit log.
#[derive(Serialize, utoipa::ToSchema)]
struct Lines {
    /// Newest first.
    lines: Vec<AuditLine>,
    /// For the next page; `null` at the end.
    next: Option<String>,
}

/// Every change and every login, newest first; for administrators. One who is limited to a region sees what people of
/// the region did.
#[utoipa::path(get, path = "/audit", tag = "people", params(Asked),
    responses((status = 200, description = "Lines", body = Lines)))]
async fn audit(
    State(app): State<App>,
    person: Person,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Lines>, Problem> {
    person.at_least(Role::Administrator)?;
    let Query(asked) = asked?;
    let rows = cursor::rows(asked.limit);
    let before = cursor::read(asked.after.as_deref())?.unwrap_or(i64::MAX);
    let lines = app.audit(person.region.as_deref(), before, rows).await?;
    let next = lines.last().filter(|_| lines.len() == rows as usize).map(|line| cursor::write(&line.seq));
    Ok(Json(Lines { lines, next }))
}
