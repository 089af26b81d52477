//! What every request goes through: how many there may be, who makes it, whether a change comes from a page of ours, and
//! what is written down of it.

use std::num::NonZeroU32;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;
use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use subtle::ConstantTimeEq;

use super::audit::{self, Draft};
use super::{By, Identity, Noted, Origin, cookie, hashed, origin};
use crate::server::{App, Problem};

/// Keys whose pace is remembered before those that are idle are forgotten.
const MOST_KEYS: usize = 10_000;
/// No longer form is read for its token, in bytes.
const LARGEST_FORM: usize = 1 << 20;
/// In a form of parts the token comes first, within so many bytes.
const TOKEN_WITHIN: usize = 2 << 10;

/// Whose requests are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Whose {
    Person(i64),
    Token(i64),
    Address(std::net::IpAddr),
}

/// How many requests there may be of one person, token or address.
pub(super) struct Pace(RateLimiter<Whose, HashMapStateStore<Whose>, DefaultClock>);

impl Pace {
    pub(super) fn new(per_second: NonZeroU32) -> Self {
        Pace(RateLimiter::hashmap(
            Quota::per_second(per_second)
                .allow_burst(per_second.saturating_mul(NonZeroU32::MIN.saturating_add(1))),
        ))
    }

    fn check(&self, whose: &Whose) -> Result<(), Problem> {
        if self.0.len() > MOST_KEYS {
            self.0.retain_recent();
        }
        self.0.check_key(whose).map_err(|until| {
            let wait = until.wait_time_from(DefaultClock::default().now());
            let words = ("请求过于频繁", "too many requests");
            Problem::new("rate", StatusCode::TOO_MANY_REQUESTS, words).after(wait.as_secs() + 1)
        })
    }
}

/// Whether a request changes nothing.
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

/// The way of every request.
pub(in crate::server) async fn guard(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let origin = Origin::of(&app.config.server, &request);
    let identity = match identify(&app, request.headers(), origin).await {
        Ok(identity) => identity,
        Err(problem) => return problem.into_response(),
    };
    let whose = match &identity {
        Some(Identity { by: By::Token(id), .. }) => Whose::Token(*id),
        Some(identity) => Whose::Person(identity.person.id),
        None => Whose::Address(origin.address),
    };
    if let Err(problem) = app.people.pace.check(&whose) {
        return problem.into_response();
    }
    request.extensions_mut().insert(origin);
    if let Some(identity) = identity.clone() {
        request.extensions_mut().insert(identity);
    }
    let whose = identity.clone();
    let mut response = if is_safe(request.method()) {
        next.run(request).await
    } else {
        change(app, request, next, identity, origin).await
    };
    // For the page that an error becomes.
    if let Some(identity) = whose {
        response.extensions_mut().insert(identity);
    }
    response
}

/// A change, with its line in the audit log.
async fn change(
    app: App,
    request: Request,
    next: Next,
    identity: Option<Identity>,
    origin: Origin,
) -> Response {
    let draft = Draft::of(identity.as_ref(), origin, &request);
    // A client that goes away must not part a change from its line in the audit log.
    let change = async move {
        let line = match identity {
            Some(_) => match draft.add(&app, "", audit::OPEN).await {
                Ok(line) => Some(line),
                Err(error) => return Problem::from(error).into_response(),
            },
            None => None,
        };
        let response = match admit(&app, request, identity.as_ref()).await {
            Ok(request) => next.run(request).await,
            Err(problem) => problem.into_response(),
        };
        if let Some(line) = line {
            let object = response.extensions().get::<Noted>().map_or("", |noted| &noted.0);
            let closed = audit::close(&app, line, object, response.status().as_u16()).await;
            // The change is made, and the line says that it was begun.
            if let Err(error) = closed {
                tracing::error!(%error, "the audit log cannot be written");
            }
        }
        response
    };
    tokio::spawn(change).await.unwrap_or_else(|_| Problem::internal().into_response())
}

/// Who makes a request. A token that is wrong is an error; a session that is over is nobody.
async fn identify(app: &App, headers: &HeaderMap, origin: Origin) -> Result<Option<Identity>, Problem> {
    if let Some(value) = headers.get(AUTHORIZATION) {
        let token = value.to_str().ok().and_then(|value| value.split_once(' '));
        let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let Some((_, token)) = token else { return Err(Problem::unauthorized()) };
        return app.by_token(token.trim()).await?.map(Some).ok_or_else(Problem::unauthorized);
    }
    match cookie::token(headers, origin) {
        Some(token) => app.by_session(&token).await,
        None => Ok(None),
    }
}

/// Lets a change through that comes from a page of ours, or from a program with a token.
async fn admit(app: &App, request: Request, identity: Option<&Identity>) -> Result<Request, Problem> {
    let Some(Identity { by, .. }) = identity else {
        // Nobody else may log somebody in.
        return if origin::is_own(&app.config.server, request.headers()) {
            Ok(request)
        } else {
            Err(foreign())
        };
    };
    let By::Session { csrf, .. } = by else { return Ok(request) };
    if !origin::is_own(&app.config.server, request.headers()) {
        return Err(foreign());
    }
    let same = |given: &str| bool::from(given.as_bytes().ct_eq(csrf.as_bytes()));
    if let Some(given) = request.headers().get("x-csrf-token") {
        return if given.to_str().is_ok_and(same) { Ok(request) } else { Err(foreign()) };
    }
    let (request, given) = form_token(app, request).await?;
    if given.is_some_and(|given| same(&given)) { Ok(request) } else { Err(foreign()) }
}

fn foreign() -> Problem {
    let words = (
        "请求未带有效的防伪令牌，请刷新页面后重试",
        "the request has no valid token against forgery (X-CSRF-Token); load the page again",
    );
    Problem::new("csrf", StatusCode::FORBIDDEN, words)
}

/// The field `csrf` of a form, and the request as it was.
async fn form_token(app: &App, request: Request) -> Result<(Request, Option<String>), Problem> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let form = kind.starts_with("application/x-www-form-urlencoded");
    if !form && !kind.starts_with("multipart/form-data") {
        return Ok((request, None));
    }
    let most = if form { LARGEST_FORM } else { TOKEN_WITHIN };
    let (parts, body) = request.into_parts();
    let mut stream = body.into_data_stream();
    let mut chunks: Vec<Bytes> = Vec::new();
    let mut head: Vec<u8> = Vec::new();
    let read = async {
        while head.len() < most {
            match stream.next().await {
                Some(Ok(chunk)) => {
                    head.extend_from_slice(&chunk);
                    chunks.push(chunk);
                    if !form && part_token(&head).is_some() {
                        break;
                    }
                }
                Some(Err(_)) => return Err(Problem::bad_request("body")),
                None => break,
            }
        }
        Ok(())
    };
    tokio::time::timeout(app.config.server.body_timeout, read).await.map_err(|_| Problem::slow())??;
    let token = if form {
        let fields = url::form_urlencoded::parse(&head);
        fields.into_iter().find(|(name, _)| name == "csrf").map(|(_, value)| value.into_owned())
    } else {
        part_token(&head)
    };
    let again = futures_util::stream::iter(chunks.into_iter().map(Ok)).chain(stream);
    Ok((Request::from_parts(parts, Body::from_stream(again)), token))
}

/// The value of a first part that is called `csrf` (RFC 7578).
fn part_token(head: &[u8]) -> Option<String> {
    let head = head.get(..head.len().min(TOKEN_WITHIN))?;
    let text = String::from_utf8_lossy(head);
    let (headers, rest) = text.split_once("\r\n\r\n")?;
    let named = headers.to_ascii_lowercase().contains("form-data; name=\"csrf\"");
    let (value, _) = rest.split_once("\r\n--")?;
    named.then(|| value.to_owned())
}

impl App {
    /// How long the body of a request may take.
    pub(in crate::server) fn body_timeout(&self) -> Duration {
        self.config.server.body_timeout
    }
}

/// What every change in a session comes with: it follows from the token of the session, which no page of others knows.
pub(super) fn csrf_of(token: &str) -> String {
    hashed(&format!("csrf {token}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_first_part_is_the_token() {
        let of = |text: &str| part_token(text.as_bytes());
        let part = "--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nabc\r\n--b";
        assert_eq!(of(part).as_deref(), Some("abc"));
        assert_eq!(of(&part.replace("csrf", "file")), None);
        assert_eq!(of("--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\nabc"), None);
        assert_eq!(of(&format!("--b\r\nX: {}\r\n\r\nabc\r\n--b", "y".repeat(TOKEN_WITHIN))), None);
    }
}
