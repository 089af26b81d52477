//! Errors as RFC 9457 problem details.

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::ledger::{LedgerError, Refusal};
use crate::model::{Lang, Wording};

/// What went wrong with a request. The words are Chinese with the English beside them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// Kind of problem, stable: `about:blank` where the status says it all.
    #[serde(rename = "type")]
    pub kind: String,
    /// HTTP status.
    pub status: u16,
    /// What is wrong, in Chinese.
    pub title: String,
    /// `title` in English.
    #[schema(value_type = String)]
    pub title_en: Box<str>,
    /// What exactly, as far as the caller may know; in Chinese where it is a sentence for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub detail: Option<Box<str>>,
    /// `detail` in English.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub detail_en: Option<Box<str>>,
    /// Seconds after which the same may succeed: `Retry-After`.
    #[serde(skip)]
    #[schema(ignore)]
    pub retry_after: Option<u64>,
}

impl Problem {
    /// A problem of a kind: `problem("not-found", 404, …)`.
    pub fn new(kind: &str, status: StatusCode, title: (&str, &str)) -> Self {
        Problem {
            kind: format!("urn:zhijian:problem:{kind}"),
            status: status.as_u16(),
            title: title.0.to_owned(),
            title_en: title.1.into(),
            detail: None,
            detail_en: None,
            retry_after: None,
        }
    }

    /// The same with the seconds after which it may succeed.
    #[must_use]
    pub fn after(self, seconds: u64) -> Self {
        Problem { retry_after: Some(seconds), ..self }
    }

    /// The same with what exactly is wrong.
    #[must_use]
    pub fn with(self, detail: impl Into<Wording>) -> Self {
        let Wording { zh, en } = detail.into();
        Problem { detail: Some(zh.into()), detail_en: Some(en.into()), ..self }
    }

    /// What exactly is wrong, in a language.
    pub fn detail(&self, lang: Lang) -> Option<&str> {
        match lang {
            Lang::Zh => self.detail.as_deref(),
            Lang::En => self.detail_en.as_deref(),
        }
    }

    /// There is no such thing, or none that the caller may see.
    pub fn not_found() -> Self {
        Problem::new("not-found", StatusCode::NOT_FOUND, ("没有这个对象", "no such thing"))
    }

    /// The request makes no sense.
    pub fn bad_request(detail: impl Into<Wording>) -> Self {
        Problem::new("bad-request", StatusCode::BAD_REQUEST, ("请求有误", "the request makes no sense"))
            .with(detail)
    }

    /// Something is wrong that the caller cannot help.
    pub fn internal() -> Self {
        let words = ("服务内部出错", "the service failed");
        Problem::new("internal", StatusCode::INTERNAL_SERVER_ERROR, words)
    }

    /// The body of the request takes too long.
    pub fn slow() -> Self {
        let words = ("请求内容传送过慢", "the body of the request takes too long");
        Problem::new("slow", StatusCode::REQUEST_TIMEOUT, words)
    }

    /// Nobody is logged in.
    pub fn unauthorized() -> Self {
        Problem::new("unauthorized", StatusCode::UNAUTHORIZED, ("请先登录", "log in first"))
    }

    /// The role does not allow it.
    pub fn forbidden() -> Self {
        Problem::new("forbidden", StatusCode::FORBIDDEN, ("没有权限", "not allowed"))
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Self {
        // What the database says is for whoever runs the service.
        tracing::error!(%error, "ledger");
        let words = ("台账暂时无法读写", "the ledger cannot be read or written just now");
        Problem::new("ledger", StatusCode::SERVICE_UNAVAILABLE, words).after(10)
    }
}

impl From<sqlx::Error> for Problem {
    fn from(error: sqlx::Error) -> Self {
        LedgerError::from(error).into()
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let words = (&*refusal.words(Lang::Zh), &*refusal.words(Lang::En));
        Problem::new("refused", StatusCode::CONFLICT, words)
    }
}

/// What an extractor says of a request that it cannot read.
macro_rules! rejections {
    ($($rejection:ty),*) => {
        $(impl From<$rejection> for Problem {
            fn from(rejection: $rejection) -> Self {
                let status = rejection.status();
                Problem { status: status.as_u16(), ..Problem::bad_request(rejection.body_text()) }
            }
        })*
    };
}

rejections!(JsonRejection, PathRejection, QueryRejection);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let kind = HeaderValue::from_static("application/problem+json");
        let mut response = (status, [(header::CONTENT_TYPE, kind)], body).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
        }
        // For people it becomes a page, see `web`.
        response.extensions_mut().insert(self);
        response
    }
}
