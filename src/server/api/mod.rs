//! The REST API under `/api/v1`, one file for each thing.

mod codes;
mod cursor;
mod imports;
mod jobs;
mod layer;
mod people;
mod reports;
mod runs;
mod scan;
mod schedules;
mod schema;
mod session;
mod targets;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;

use super::{App, Problem};
use layer::Whole;

/// Bytes of a body at most, where it is no roster.
const LARGEST_BODY: usize = 1 << 20;

/// Routes whose bodies are read before anything happens.
fn described() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(codes::routes())
        .merge(people::routes())
        .merge(reports::routes())
        .merge(session::routes())
        .merge(targets::routes())
        .merge(jobs::routes())
        .merge(schedules::routes())
}

/// The same for routes that take rosters.
fn rosters() -> OpenApiRouter<App> {
    OpenApiRouter::new().merge(imports::routes()).merge(runs::routes())
}

/// Routes that read their bodies themselves.
fn streamed() -> OpenApiRouter<App> {
    OpenApiRouter::new().merge(scan::routes())
}

/// All routes.
pub(super) fn router(app: &App) -> Router<App> {
    let whole = |largest| from_fn_with_state(Whole { app: app.clone(), largest }, layer::whole);
    let described: Router<App> = described().into();
    let rosters: Router<App> = rosters().into();
    let streamed: Router<App> = streamed().into();
    let description = openapi();
    let parameters = Arc::new(layer::Parameters::of(&description));
    let description = Json(description);
    let rosters = rosters.layer(whole(super::imports::LARGEST));
    Router::new()
        .merge(described.layer(whole(LARGEST_BODY)))
        // The layer has read the body already.
        .merge(rosters.layer(DefaultBodyLimit::disable()))
        .merge(streamed)
        .route("/openapi.json", get(async move || description.clone()))
        .fallback(async || Problem::not_found())
        .layer(from_fn_with_state(parameters, layer::known))
        .layer(from_fn(layer::tagged))
        .layer(from_fn(layer::problems))
}

/// The description of the API, OpenAPI 3.1.
pub fn openapi() -> Value {
    schema::document(described().merge(rosters()).merge(streamed()).into_openapi())
}
