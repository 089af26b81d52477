//! The cookie of a session (RFC 6265bis). Where it travels by https its name says so (`__Host-`), and no other host and
//! no page without https can set it.

use axum::http::HeaderMap;
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};

use super::Origin;

fn name(secure: bool) -> &'static str {
    if secure { "__Host-zhijian" } else { "zhijian" }
}

/// The token that a request brings.
pub(super) fn token(headers: &HeaderMap, from: Origin) -> Option<String> {
    let jar = CookieJar::from_headers(headers);
    jar.get(name(from.secure)).map(|cookie| cookie.value().to_owned())
}

/// The cookie of a token; without one, the end of it.
pub(crate) fn cookie(token: Option<&str>, from: Origin) -> Cookie<'static> {
    let cookie = Cookie::build((name(from.secure), token.unwrap_or_default().to_owned()))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(from.secure);
    let mut cookie = cookie.build();
    if token.is_none() {
        cookie.make_removal();
    }
    cookie
}
