//! Logging in and out, and who one is.

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse};
use axum::{Json, extract::rejection::JsonRejection};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::server::people::{By, Identity, LoggedIn, Origin, cookie};
use crate::server::{App, Person, Problem, Session};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(me, login, logout)).routes(routes!(change_password))
}

/// Name and password.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Login {
    /// Name.
    name: String,
    /// Password.
    password: String,
}

/// Who one is.
#[derive(Serialize, utoipa::ToSchema)]
struct Me {
    /// Who.
    person: Person,
    /// What changes have to come with in the header `X-CSRF-Token`; a token needs none.
    csrf: Option<String>,
    /// The password has to be changed before anything else.
    must_change: bool,
}

/// Who is logged in.
#[utoipa::path(get, path = "/session", tag = "session", responses((status = 200, description = "Who one is", body = Me)))]
async fn me(identity: Option<Extension<Identity>>) -> Result<Json<Me>, Problem> {
    let Some(Extension(Identity { person, by })) = identity else { return Err(Problem::unauthorized()) };
    let (csrf, must_change) = match by {
        By::Session { csrf, must_change, .. } => (Some(csrf), must_change),
        By::Token(_) => (None, false),
    };
    Ok(Json(Me { person, csrf, must_change }))
}

/// Logs in: the cookie is the session.
#[utoipa::path(post, path = "/session", tag = "session", request_body = Login,
    responses((status = 200, description = "Logged in; `Set-Cookie` has the session", body = Me)))]
async fn login(
    State(app): State<App>,
    Extension(origin): Extension<Origin>,
    body: Result<Json<Login>, JsonRejection>,
) -> Result<impl IntoResponse, Problem> {
    let Json(Login { name, password }) = body?;
    let LoggedIn { token, csrf, person, must_change } = app.login(&name, password, origin).await?;
    let cookie = cookie(Some(&token), origin).to_string();
    let me = Me { person, csrf: Some(csrf), must_change };
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), Json(me)))
}

/// Logs out.
#[utoipa::path(delete, path = "/session", tag = "session", responses((status = 204, description = "Logged out")))]
async fn logout(
    State(app): State<App>,
    Extension(origin): Extension<Origin>,
    session: Session,
) -> Result<impl IntoResponse, Problem> {
    app.end_session(&session.hash).await?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(SET_COOKIE, cookie(None, origin).to_string())])))
}

/// A password to be changed.
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// The password until now.
    old: String,
    /// The password from now on: 10 to 200 characters, without the name in it.
    new: String,
}

/// Changes one's own password; all other sessions end.
#[utoipa::path(put, path = "/session/password", tag = "session", request_body = NewPassword,
    responses((status = 204, description = "Changed")))]
async fn change_password(
    State(app): State<App>,
    Extension(origin): Extension<Origin>,
    session: Session,
    body: Result<Json<NewPassword>, JsonRejection>,
) -> Result<StatusCode, Problem> {
    let Json(NewPassword { old, new }) = body?;
    app.change_password(&session, old, new, origin).await?;
    Ok(StatusCode::NO_CONTENT)
}
