//! The workplace: pages made on the server, readable without JavaScript.

use axum::Router;

use super::App;

/// All pages.
pub(super) fn router() -> Router<App> {
    Router::new()
}
