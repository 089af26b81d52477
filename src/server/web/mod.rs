//! The workplace: pages made on the server, readable without JavaScript. One file for each place, its template beside
//! it in `html/`.
//!
//! ```text
//! request ─▶ frame (language, form token, who) ─▶ a place ─▶ template ─▶ frame (headers, errors as pages)
//! ```
//!
//! Strings of packages reach a page only through templates, which escape, and through [`crate::report`], whose pieces
//! are escaped. No page makes a request elsewhere, and the content security policy forbids it.

mod asset;
mod decide;
mod frame;
mod jobs;
mod login;
mod overview;
mod people;
mod review;
mod schedules;
mod settings;
mod show;
mod target;
mod targets;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};

use super::{App, Problem, imports};
pub(super) use frame::dress;

/// All pages.
pub(super) fn router() -> Router<App> {
    Router::new()
        .route("/", get(overview::page))
        .route("/targets", get(targets::page))
        .route("/targets/{key}", get(target::page))
        .route("/targets/{key}/compare", get(target::compare))
        .route("/targets/{key}/report", get(target::report))
        .route("/targets/{key}/notice", post(target::notice))
        .route("/review", get(review::page))
        .route("/decide", post(decide::decide))
        .route("/jobs", get(jobs::page))
        .route("/jobs/rows", get(jobs::rows))
        .route("/jobs/{id}", get(jobs::one))
        .route("/jobs/act", post(jobs::act))
        .route("/scan", post(jobs::scan).layer(DefaultBodyLimit::disable()))
        .route("/settings", get(settings::page))
        .route("/settings/roster", post(settings::upload).layer(DefaultBodyLimit::max(imports::LARGEST)))
        .route("/settings/roster/apply", post(settings::apply))
        .route("/settings/schedules", post(schedules::act))
        .route("/settings/rosters", post(schedules::roster).layer(DefaultBodyLimit::disable()))
        .route("/settings/people", post(people::act))
        .route("/settings/tokens", post(people::token))
        .route("/settings/audit", get(people::audit))
        .route("/login", get(login::page).post(login::enter))
        .route("/logout", post(login::leave))
        .route("/password", get(login::password).post(login::change))
        .route("/assets/{name}", get(asset::serve))
        .fallback(nothing)
}

/// What is at no address.
async fn nothing() -> Problem {
    Problem::not_found()
}
