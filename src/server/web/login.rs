//! Logging in and out, and the change of one's own password.

use askama::Template;
use axum::Extension;
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use serde::Deserialize;

use super::frame::{Frame, Guest, page as rendered};
use crate::model::Lang;
use crate::server::people::{Origin, cookie};
use crate::server::{App, Problem, Session};

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
    Extension(origin): Extension<Origin>,
    guest: Guest,
    Form(form): Form<Credentials>,
) -> Result<Response, Problem> {
    let back = own(&form.back).to_owned();
    match app.login(&form.name, form.password, origin).await {
        Ok(inside) => {
            let jar = CookieJar::new().add(cookie(Some(&inside.token), origin));
            let to = if inside.must_change { "/password" } else { &*back };
            Ok((jar, Redirect::to(to)).into_response())
        }
        Err(problem) if matches!(problem.status, 401 | 429) => {
            let lang = guest.lang;
            let mut wrong = lang.pick(&problem.title, &problem.title_en).to_owned();
            if let Some(seconds) = problem.retry_after {
                wrong.push_str(&match lang {
                    Lang::Zh => format!("，请在 {seconds} 秒后重试"),
                    Lang::En => format!("; try again in {seconds} seconds"),
                });
            }
            let frame = guest.frame(lang.pick("登录", "Log in"), "");
            let page = rendered(&Login { frame, back, name: form.name, wrong: Some(wrong) })?;
            let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::UNAUTHORIZED);
            Ok((status, page).into_response())
        }
        Err(problem) => Err(problem),
    }
}

pub(super) async fn leave(
    State(app): State<App>,
    Extension(origin): Extension<Origin>,
    session: Session,
) -> Result<Response, Problem> {
    app.end_session(&session.hash).await?;
    let jar = CookieJar::new().add(cookie(None, origin));
    Ok((jar, Redirect::to("/login")).into_response())
}

#[derive(Template)]
#[template(path = "password.html", config = "src/server/web/askama.toml")]
struct Password {
    frame: Frame,
    /// By which browsers keep the new password.
    name: String,
    first: bool,
    wrong: Option<String>,
}

pub(super) async fn password(guest: Guest, session: Session) -> Result<Response, Problem> {
    let frame = guest.frame(guest.lang.pick("修改密码", "Change the password"), &session.csrf);
    rendered(&Password { frame, name: session.person.name, first: session.must_change, wrong: None })
}

#[derive(Debug, Deserialize)]
pub(super) struct NewPassword {
    old: String,
    new: String,
    again: String,
}

pub(super) async fn change(
    State(app): State<App>,
    Extension(origin): Extension<Origin>,
    guest: Guest,
    session: Session,
    Form(form): Form<NewPassword>,
) -> Result<Response, Problem> {
    let lang = guest.lang;
    let wrong = if form.new == form.again {
        match app.change_password(&session, form.old, form.new, origin).await {
            Ok(()) => return Ok(Redirect::to("/").into_response()),
            Err(problem) if problem.status < 500 => {
                let title = lang.pick(&problem.title, &problem.title_en);
                let with = |detail| format!("{title}{}{detail}", lang.pick("：", ": "));
                problem.detail(lang).map_or(title.to_owned(), with)
            }
            Err(problem) => return Err(problem),
        }
    } else {
        lang.pick("两次输入的新密码不同", "the new password was not repeated alike").to_owned()
    };
    let frame = guest.frame(lang.pick("修改密码", "Change the password"), &session.csrf);
    let name = session.person.name;
    let page = rendered(&Password { frame, name, first: session.must_change, wrong: Some(wrong) })?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
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
