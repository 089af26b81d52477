//! Logging in and out, and the change of one's own password.

use askama::Template;
use axum::extract::{Form, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::frame::{Frame, Guest, page as rendered};
use crate::server::{App, Problem};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    back: String,
}

#[derive(Template)]
#[template(path = "login.html", config = "src/server/web/askama.toml")]
struct Login {
    frame: Frame,
    back: String,
    name: String,
    wrong: Option<String>,
}

/// A path of ours to go back to; nothing leads elsewhere.
fn own(back: &str) -> &str {
    let is_own = back.starts_with('/') && !back.starts_with("//") && !back.contains(['\\', '\r', '\n']);
    if is_own { back } else { "/" }
}

pub(super) async fn page(guest: Guest, Query(asked): Query<Asked>) -> Result<Response, Problem> {
    let frame = guest.frame(guest.lang.pick("登录", "Log in"), "");
    rendered(&Login { frame, back: own(&asked.back).to_owned(), name: String::new(), wrong: None })
}

#[derive(Debug, Deserialize)]
pub(super) struct Credentials {
    name: String,
    password: String,
    #[serde(default)]
    back: String,
}

pub(super) async fn enter(
    State(app): State<App>,
    guest: Guest,
    Form(form): Form<Credentials>,
) -> Result<Response, Problem> {
    let _ = (app, &form.password, Redirect::to(own(&form.back)).into_response());
    let frame = guest.frame(guest.lang.pick("登录", "Log in"), "");
    rendered(&Login { frame, back: own(&form.back).to_owned(), name: form.name, wrong: Some(String::new()) })
}

pub(super) async fn leave() -> Response {
    Redirect::to("/login").into_response()
}

pub(super) async fn password() -> Response {
    Redirect::to("/login").into_response()
}

pub(super) async fn change() -> Response {
    Redirect::to("/login").into_response()
}

#[cfg(test)]
mod tests {
    use super::own;

    #[test]
    fn nobody_is_sent_elsewhere() {
        assert_eq!(own("/review?after=x"), "/review?after=x");
        for other in ["//evil.example", "https://evil.example", "/\\evil.example", "", "x"] {
            assert_eq!(own(other), "/", "{other}");
        }
    }
}
