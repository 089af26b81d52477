//! Style sheet and scripts, served from the binary. Their names hold a digest, so they may be kept for ever.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::model::hex;
use crate::report::STYLE;
use crate::server::Problem;

/// A file and the name it is served by.
struct Asset {
    name: String,
    kind: &'static str,
    body: String,
}

impl Asset {
    fn new(stem: &str, ending: &str, kind: &'static str, body: String) -> Self {
        let digest = hex(&Sha256::digest(body.as_bytes())[..8]);
        Asset { name: format!("{stem}-{digest}.{ending}"), kind, body }
    }
}

/// htmx 2.0.8, <https://htmx.org>, Zero-Clause BSD.
const HTMX: &str = include_str!("asset/htmx.min.js");
const SCRIPT: &str = include_str!("asset/workplace.js");
/// What the workplace adds to the style sheet of the HTML report.
const WORKPLACE: &str = include_str!("asset/workplace.css");

static CSS: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("workplace", "css", "text/css; charset=utf-8", format!("{STYLE}{WORKPLACE}"))
});
static JS: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("workplace", "js", "text/javascript; charset=utf-8", SCRIPT.to_owned()));
static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", "image/svg+xml", include_str!("asset/icon.svg").to_owned()));
static HX: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("htmx", "js", "text/javascript; charset=utf-8", HTMX.to_owned()));

/// Path of the style sheet.
pub(super) fn css() -> String {
    format!("/assets/{}", CSS.name)
}

/// Path of our own script.
pub(super) fn js() -> String {
    format!("/assets/{}", JS.name)
}

/// Path of the icon.
pub(super) fn icon() -> String {
    format!("/assets/{}", ICON.name)
}

/// Path of htmx.
pub(super) fn htmx() -> String {
    format!("/assets/{}", HX.name)
}

/// A file by its name.
pub(super) async fn serve(Path(name): Path<String>) -> Result<Response, Problem> {
    let asset = [&*CSS, &*JS, &*HX, &*ICON].into_iter().find(|asset| asset.name == name);
    let asset = asset.ok_or_else(Problem::not_found)?;
    let headers = [(CONTENT_TYPE, asset.kind), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, asset.body.as_str()).into_response())
}
