//! Targets and their present codes.

use axum::Json;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::ledger::{Listed, Wanted};
use crate::server::{App, Person, Problem};

/// Rows of a page where the request does not say.
const PAGE: u32 = 50;
/// Rows of a page at most.
const LARGEST_PAGE: u32 = 500;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list))
}

/// What a list of targets is asked for.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
struct Asked {
    /// Where the page before ended: its `next`.
    #[serde(default)]
    after: String,
    /// Rows, 50 by default, 500 at most.
    limit: Option<u32>,
    /// Region and everything in it.
    region: Option<String>,
    /// Names, numbers and keys that contain this.
    q: Option<String>,
}

/// A page of targets.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Page {
    /// The targets, in the order of their keys.
    #[schema(value_type = Vec<Object>)]
    targets: Vec<Listed>,
    /// For the next page; `null` at the end.
    next: Option<String>,
}

/// Targets with their codes.
#[utoipa::path(get, path = "/targets", params(Asked), responses((status = 200, body = Page), (status = 401, body = Problem)))]
async fn list(
    State(app): State<App>,
    person: Person,
    Query(asked): Query<Asked>,
) -> Result<Json<Page>, Problem> {
    let limit = asked.limit.unwrap_or(PAGE).clamp(1, LARGEST_PAGE);
    let wanted = Wanted { region: person.region.or(asked.region), text: asked.q, ..Wanted::default() };
    let targets = app.ledger.listed(&wanted, &asked.after, limit).await?;
    let full = targets.len() == limit as usize;
    let next = targets.last().filter(|_| full).map(|last| last.document.target.clone());
    Ok(Json(Page { targets, next }))
}
