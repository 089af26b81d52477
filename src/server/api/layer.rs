//! What all routes of the API have in common: errors as problem details, tags of content, bodies that are whole before
//! anything happens, and answers that are given once for a key.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt;
use serde_json::Value;
use sha2::{Digest, Sha256};
use sqlx::Row;
use url::form_urlencoded;

use crate::ledger::LedgerError;
use crate::model::hex;
use crate::server::people::{By, Identity};
use crate::server::{App, Problem};

/// Where the routes are.
pub(super) const PREFIX: &str = "/api/v1";
const JSON: &str = "application/json";
const PROBLEM: &str = "application/problem+json";
/// Bytes of an error of a library that are passed on.
const LONGEST_DETAIL: usize = 500;
/// Characters of a key at most.
const LONGEST_KEY: usize = 200;
/// An answer is kept for so long, in milliseconds.
const KEPT: i64 = 24 * 60 * 60 * 1000;
/// A request that began so long ago and has no answer will have none, in milliseconds.
const GIVEN_UP: i64 = 5 * 60 * 1000;

/// That an answer holds a secret and is kept nowhere.
#[derive(Debug, Clone, Copy)]
pub(super) struct ShownOnce;

fn kind(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default()
}

/// Errors of the libraries below (no such route, no such method, a body that is none) as problem details.
pub(super) async fn problems(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) || kind(response.headers()) == PROBLEM {
        return response;
    }
    let (parts, body) = response.into_parts();
    let text = to_bytes(body, LONGEST_DETAIL).await.unwrap_or_default();
    let detail = String::from_utf8_lossy(&text).trim().to_owned();
    let problem = match status {
        StatusCode::NOT_FOUND => Problem::not_found(),
        StatusCode::METHOD_NOT_ALLOWED => {
            Problem::new("method", status, ("不支持这种请求方法", "no such method here"))
        }
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Problem::new("media-type", status, ("不支持这种内容类型", "no such type of content here"))
        }
        status if status.is_client_error() => Problem { status: status.as_u16(), ..Problem::bad_request("") },
        _ => Problem::internal(),
    };
    let problem = if detail.is_empty() || status.is_server_error() {
        Problem { detail: None, detail_en: None, ..problem }
    } else {
        problem.with(detail)
    };
    let mut response = problem.into_response();
    if let Some(allow) = parts.headers.get("allow") {
        response.headers_mut().insert("allow", allow.clone());
    }
    response
}

fn too_large() -> Problem {
    Problem::new("too-large", StatusCode::PAYLOAD_TOO_LARGE, ("请求内容过大", "the body is too large"))
}

/// Names of the query parameters of each route, as it describes itself: by path and method.
pub(super) struct Parameters(BTreeMap<(String, String), BTreeSet<String>>);

impl Parameters {
    /// Those of a description of the API.
    pub(super) fn of(description: &Value) -> Self {
        let mut known = BTreeMap::new();
        for (path, methods) in description["paths"].as_object().into_iter().flatten() {
            for (method, operation) in methods.as_object().into_iter().flatten() {
                let parameters = operation["parameters"].as_array().into_iter().flatten();
                let asked = parameters.filter(|parameter| parameter["in"] == "query");
                let names = asked.filter_map(|parameter| parameter["name"].as_str().map(str::to_owned));
                known.insert((path.clone(), method.to_uppercase()), names.collect());
            }
        }
        Parameters(known)
    }
}

/// Refuses what a request asks for that its route knows nothing of: a filter that is misspelt must not be taken for none.
pub(super) async fn known(
    State(parameters): State<Arc<Parameters>>,
    request: Request,
    next: Next,
) -> Response {
    let method = if request.method() == Method::HEAD { &Method::GET } else { request.method() };
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let route = (path.strip_prefix(PREFIX).unwrap_or(path).to_owned(), method.to_string());
    if let Some(names) = parameters.0.get(&route) {
        let asked = form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes());
        if let Some((name, _)) = asked.into_iter().find(|(name, _)| !names.contains(&**name)) {
            let words = ("没有这个查询参数", "no such query parameter");
            let problem = Problem::new("unknown-parameter", StatusCode::BAD_REQUEST, words);
            return problem.with(name.chars().take(LONGEST_KEY).collect::<String>()).into_response();
        }
    }
    next.run(request).await
}

/// Documents with a tag (RFC 9110 section 8.8.3), which are not sent again to who has them; nothing is kept by others.
pub(super) async fn tagged(request: Request, next: Next) -> Response {
    let asked = request.headers().get(IF_NONE_MATCH).cloned();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let mut response = next.run(request).await;
    response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("private, no-cache"));
    if !reads || response.status() != StatusCode::OK || kind(response.headers()) != JSON {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(bytes) = to_bytes(body, usize::MAX).await else { return Problem::internal().into_response() };
    let tag = format!("\"{}\"", hex(&Sha256::digest(&bytes)[..16]));
    let known = asked.as_ref().and_then(|asked| asked.to_str().ok()).is_some_and(|asked| {
        asked.trim() == "*" || asked.split(',').any(|one| one.trim().trim_start_matches("W/") == tag)
    });
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        parts.headers.insert(ETAG, tag);
    }
    if known {
        parts.status = StatusCode::NOT_MODIFIED;
        parts.headers.remove(CONTENT_TYPE);
        parts.headers.remove("content-length");
        return Response::from_parts(parts, Body::empty());
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// What bodies may be.
#[derive(Clone)]
pub(super) struct Whole {
    pub(super) app: App,
    /// Bytes at most.
    pub(super) largest: usize,
}

/// Reads the body of a change before anything else happens, within its time: a handler that has begun is not broken off
/// by a slow client. A key makes the answer be given once.
pub(super) async fn whole(State(whole): State<Whole>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return next.run(request).await;
    }
    let identity = request.extensions().get::<Identity>().cloned();
    if identity.is_none() && request.uri().path() != "/session" {
        return Problem::unauthorized().into_response();
    }
    let (parts, body) = request.into_parts();
    let read = tokio::time::timeout(whole.app.body_timeout(), read(body, whole.largest)).await;
    let bytes = match read.unwrap_or_else(|_| Err(Problem::slow())) {
        Ok(bytes) => bytes,
        Err(problem) => return problem.into_response(),
    };
    let key = parts.headers.get(HeaderName::from_static("idempotency-key")).cloned();
    let request = Request::from_parts(parts, Body::from(bytes.clone()));
    match (key, identity) {
        (Some(key), Some(identity)) => once(&whole.app, &key, &identity, &bytes, request, next)
            .await
            .unwrap_or_else(Problem::into_response),
        _ => next.run(request).await,
    }
}

async fn read(body: Body, largest: usize) -> Result<Bytes, Problem> {
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.try_next().await.map_err(|_| Problem::bad_request("body"))? {
        if bytes.len() + chunk.len() > largest {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.into())
}

/// The answer that was given for a key, or the answer now, which is kept.
async fn once(
    app: &App,
    key: &HeaderValue,
    identity: &Identity,
    body: &Bytes,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let key = key.to_str().ok().filter(|key| (1..=LONGEST_KEY).contains(&key.len()));
    let key = key.ok_or_else(|| Problem::bad_request("Idempotency-Key"))?;
    let whose = match &identity.by {
        By::Session { .. } => format!("person {}", identity.person.id),
        By::Token(id) => format!("token {id}"),
    };
    let digest = |parts: &[&[u8]]| {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        hex(&digest.finalize())
    };
    let id = digest(&[whose.as_bytes(), key.as_bytes()]);
    let what = request.uri().path_and_query().map_or("", |path| path.as_str());
    let asked = digest(&[request.method().as_str().as_bytes(), what.as_bytes(), body]);
    let (pool, now) = (app.ledger.pool(), app.now().as_millisecond());
    let sql = "DELETE FROM answered WHERE made < $1 OR (state = 0 AND made < $2)";
    let query = sqlx::query(sql).bind(now - KEPT).bind(now - GIVEN_UP);
    query.execute(pool).await.map_err(LedgerError::from)?;
    let sql = "INSERT INTO answered (id, request, state, kind, body, made) VALUES ($1, $2, 0, '', $3, $4) \
               ON CONFLICT (id) DO NOTHING";
    let query = sqlx::query(sql).bind(id.clone()).bind(asked.clone()).bind(Vec::<u8>::new()).bind(now);
    let begun = query.execute(pool).await.map_err(LedgerError::from)?.rows_affected() == 1;
    if !begun {
        return given(app, &id, &asked).await;
    }
    let response = next.run(request).await;
    let status = response.status();
    if status.is_server_error() {
        // It may succeed another time.
        let query = sqlx::query("DELETE FROM answered WHERE id = $1").bind(id);
        query.execute(pool).await.map_err(LedgerError::from)?;
        return Ok(response);
    }
    let secret = response.extensions().get::<ShownOnce>().is_some();
    let (parts, answer) = response.into_parts();
    let answer = to_bytes(answer, usize::MAX).await.map_err(|_| Problem::internal())?;
    let (state, kept, kept_kind) = match secret {
        false => (status.as_u16(), answer.to_vec(), kind(&parts.headers).to_owned()),
        true => {
            let words = (
                "该请求已处理，其中的密码或令牌只显示一次",
                "done already; what was shown once is not shown again",
            );
            let problem = Problem::new("shown-once", StatusCode::CONFLICT, words);
            (problem.status, serde_json::to_vec(&problem).unwrap_or_default(), PROBLEM.to_owned())
        }
    };
    let sql = "UPDATE answered SET state = $1, kind = $2, body = $3 WHERE id = $4";
    let query = sqlx::query(sql).bind(i64::from(state)).bind(kept_kind).bind(kept).bind(id);
    query.execute(pool).await.map_err(LedgerError::from)?;
    Ok(Response::from_parts(parts, Body::from(answer)))
}

async fn given(app: &App, id: &str, asked: &str) -> Result<Response, Problem> {
    let sql = "SELECT request, state, kind, body FROM answered WHERE id = $1";
    let row = sqlx::query(sql).bind(id.to_owned()).fetch_optional(app.ledger.pool()).await;
    let busy = || {
        let words = ("相同的请求正在处理", "the same request is under way");
        Problem::new("under-way", StatusCode::CONFLICT, words).after(1)
    };
    let row = row.map_err(LedgerError::from)?.ok_or_else(busy)?;
    let read = || -> Result<(String, i64, String, Vec<u8>), sqlx::Error> {
        Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?))
    };
    let (request, state, kind, body) = read().map_err(LedgerError::from)?;
    if request != asked {
        let words =
            ("同一 Idempotency-Key 已用于另一请求", "the Idempotency-Key was used for another request");
        return Err(Problem::new("key-reused", StatusCode::UNPROCESSABLE_ENTITY, words));
    }
    let status = u16::try_from(state).ok().and_then(|state| StatusCode::from_u16(state).ok());
    let status = status.ok_or_else(busy)?;
    let mut response = (status, body).into_response();
    response.headers_mut().remove(CONTENT_TYPE);
    if let Some(kind) = HeaderValue::from_str(&kind).ok().filter(|kind| !kind.is_empty()) {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    response.headers_mut().insert("idempotency-replayed", HeaderValue::from_static("true"));
    Ok(response)
}
