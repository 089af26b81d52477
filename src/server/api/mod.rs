//! The REST API under `/api/v1`, one file for each thing.

mod jobs;
mod runs;
mod scan;
mod schedules;
mod targets;

use axum::Router;
use utoipa_axum::router::OpenApiRouter;

use super::App;

/// All routes with their descriptions.
fn described() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(targets::routes())
        .merge(scan::routes())
        .merge(jobs::routes())
        .merge(schedules::routes())
        .merge(runs::routes())
}

/// All routes.
pub(super) fn router() -> Router<App> {
    described().into()
}

/// The description of the API, OpenAPI 3.1.
pub fn openapi() -> utoipa::openapi::OpenApi {
    described().into_openapi()
}
