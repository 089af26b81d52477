//! What every page has in common: language, who is there, headers, and problems as pages.

use askama::Template;
use axum::extract::{FromRequestParts, Request};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use url::form_urlencoded;

use super::asset;
use crate::model::Lang;
use crate::server::people::{By, Identity};
use crate::server::{App, Person, Problem, Role, Session};

/// The cookie with the language.
const LANGUAGE: &str = "zhijian-lang";
/// Nothing from elsewhere, no script or style in a page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Where in the workplace a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Overview,
    Targets,
    Review,
    Jobs,
    Settings,
    /// Outside: login, errors.
    Nowhere,
}

impl Place {
    const ALL: [(Place, &str, (&str, &str)); 5] = [
        (Place::Overview, "/", ("总览", "Overview")),
        (Place::Targets, "/targets", ("对象", "Targets")),
        (Place::Review, "/review", ("核查", "Review")),
        (Place::Jobs, "/jobs", ("任务", "Jobs")),
        (Place::Settings, "/settings", ("设置", "Settings")),
    ];
}

/// What a request says of itself besides who makes it.
#[derive(Debug, Clone)]
struct Asked {
    lang: Lang,
    /// Path and query, less the language.
    here: String,
}

/// Somebody who looks at a page.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    pub(super) person: Person,
    pub(super) lang: Lang,
    session: Session,
    here: String,
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let session = Session::from_request_parts(parts, app).await?.settled()?;
        let Guest { lang, here } = Guest::of(&parts.extensions);
        Ok(Visitor { person: session.person.clone(), lang, session, here })
    }
}

impl Visitor {
    pub(super) fn frame(&self, place: Place, title: impl Into<String>) -> Frame {
        let (csrf, here) = (self.session.csrf.clone(), self.here.clone());
        Frame { lang: self.lang, place, title: title.into(), person: Some(self.person.clone()), csrf, here }
    }
}

/// Somebody who may not be known.
#[derive(Debug, Clone)]
pub(super) struct Guest {
    pub(super) lang: Lang,
    here: String,
}

impl Guest {
    fn of(extensions: &axum::http::Extensions) -> Self {
        match extensions.get::<Asked>() {
            Some(Asked { lang, here }) => Guest { lang: *lang, here: here.clone() },
            None => Guest { lang: Lang::Zh, here: "/".to_owned() },
        }
    }

    /// A page outside of the workplace. `csrf` is that of the session, where there is one.
    pub(super) fn frame(&self, title: &str, csrf: &str) -> Frame {
        let (title, csrf, here) = (title.to_owned(), csrf.to_owned(), self.here.clone());
        Frame { lang: self.lang, place: Place::Nowhere, title, person: None, csrf, here }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Guest {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Guest::of(&parts.extensions))
    }
}

/// What the template around a page asks for.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) lang: Lang,
    pub(super) place: Place,
    pub(super) title: String,
    pub(super) person: Option<Person>,
    /// What every form comes with.
    pub(super) csrf: String,
    here: String,
}

impl Frame {
    pub(super) fn t<'t>(&self, zh: &'t str, en: &'t str) -> &'t str {
        self.lang.pick(zh, en)
    }

    /// The places with their addresses, and whether the page is there.
    pub(super) fn places(&self) -> Vec<(&'static str, &'static str, bool)> {
        let one = |(place, address, (zh, en)): &(Place, &'static str, (&'static str, &'static str))| {
            (*address, self.lang.pick(zh, en), *place == self.place)
        };
        Place::ALL.iter().map(one).collect()
    }

    /// The same page in the other language.
    pub(super) fn other(&self) -> String {
        let sign = if self.here.contains('?') { '&' } else { '?' };
        format!("{}{sign}lang={}", self.here, self.lang.pick("en", "zh"))
    }

    pub(super) fn role(&self) -> &'static str {
        match self.person.as_ref().map(|person| person.role) {
            Some(Role::Administrator) => self.lang.pick("管理员", "administrator"),
            Some(Role::Analyst) => self.lang.pick("核查员", "analyst"),
            _ => self.lang.pick("查看", "reader"),
        }
    }

    /// Whether the person may scan and decide.
    pub(super) fn analyst(&self) -> bool {
        self.person.as_ref().is_some_and(|person| person.role >= Role::Analyst)
    }

    /// Whether the person may change rosters and people.
    pub(super) fn administrator(&self) -> bool {
        self.person.as_ref().is_some_and(|person| person.role >= Role::Administrator)
    }

    pub(super) fn css(&self) -> String {
        asset::css()
    }

    pub(super) fn js(&self) -> String {
        asset::js()
    }

    pub(super) fn icon(&self) -> String {
        asset::icon()
    }

    pub(super) fn htmx(&self) -> String {
        asset::htmx()
    }
}

/// A page.
pub(super) fn page(template: &impl Template) -> Result<Response, Problem> {
    Ok(Html(template.render()?).into_response())
}

impl From<askama::Error> for Problem {
    fn from(error: askama::Error) -> Self {
        tracing::error!(%error, "template");
        Problem::internal()
    }
}

#[derive(Template)]
#[template(path = "error.html", config = "src/server/web/askama.toml")]
struct Failed {
    frame: Frame,
    problem: Problem,
    safe: &'static str,
    todo: &'static str,
}

impl Failed {
    /// `identity` is of whom the request was.
    fn of(guest: &Guest, identity: Option<Identity>, problem: Problem) -> Self {
        let lang = guest.lang;
        let mut frame = guest.frame(lang.pick(&problem.title, &problem.title_en), "");
        if let Some(Identity { person, by: By::Session { csrf, must_change: false, .. } }) = identity {
            (frame.person, frame.csrf) = (Some(person), csrf);
        }
        let nothing = ("没有写入任何内容，台账照旧。", "Nothing was changed.");
        let (safe, todo) = match problem.status {
            401 | 403 => (
                nothing,
                (
                    "返回上一页重新提交；仍然不行的，请管理员核对您的角色和地区。",
                    "Go back and send it again; if that does not help, ask an administrator about your role and region.",
                ),
            ),
            404 => (
                nothing,
                match frame.person {
                    Some(_) => (
                        "核对地址，或者在上方按名称搜索；其他地区的对象不会显示。",
                        "Check the address, or search by name above; targets of other regions are not shown.",
                    ),
                    None => ("核对地址，或者登录以后再找。", "Check the address, or log in and look for it."),
                },
            ),
            400..500 => (
                nothing,
                (
                    "用浏览器的后退键回到刚才的页面，填过的内容一般还在；按上面的说明改正后重新提交。",
                    "Go back with the browser's back button, where what you typed usually still is; correct it as said above and send it again.",
                ),
            ),
            _ => (
                (
                    "已经登记的内容没有丢失，这一次操作没有写入。",
                    "What is recorded is not lost; this action was not written.",
                ),
                (
                    "稍后重试；仍然不行的，把时间和这一页告诉管理员，服务日志中有原因。",
                    "Try again later; if that does not help, tell an administrator the time and this page; the log has the cause.",
                ),
            ),
        };
        Failed { frame, problem, safe: lang.pick(safe.0, safe.1), todo: lang.pick(todo.0, todo.1) }
    }
}

/// Around every request but those of the API: reads the language, sets headers, and makes pages of problems.
pub(in crate::server) async fn dress(jar: CookieJar, mut request: Request, next: Next) -> Response {
    if request.uri().path().starts_with("/api/") {
        return next.run(request).await;
    }
    let (lang, chosen) = language(request.uri(), &jar);
    let here = here(request.uri());
    let is_get = request.method() == Method::GET;
    // htmx asks for a part of a page.
    let is_part = request.headers().contains_key("hx-request");
    request.extensions_mut().insert(Asked { lang, here: here.clone() });
    let mut response = next.run(request).await;
    let identity = response.extensions_mut().remove::<Identity>();
    if let Some(problem) = problem(&mut response) {
        response = match problem.status {
            401 if is_get => {
                let back: String = form_urlencoded::byte_serialize(here.as_bytes()).collect();
                to_login(&format!("/login?back={back}"), is_part)
            }
            403 if is_get && problem.kind.ends_with(":password-change") => {
                Redirect::to("/password").into_response()
            }
            _ => {
                let status = response.status();
                let wait = problem.retry_after;
                let page = Failed::of(&Guest { lang, here }, identity, problem).render().unwrap_or_default();
                let mut response = (status, Html(page)).into_response();
                if let Some(seconds) = wait {
                    response.headers_mut().insert(RETRY_AFTER, seconds.into());
                }
                response
            }
        };
    }
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (CACHE_CONTROL, "no-store"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if !chosen {
        return response;
    }
    let cookie = Cookie::build((LANGUAGE, lang.pick("zh", "en"))).path("/").http_only(true);
    (CookieJar::new().add(cookie.same_site(SameSite::Lax)), response).into_response()
}

/// What is wrong, if something is: what a page says, or what axum says of a request that no page takes.
fn problem(response: &mut Response) -> Option<Problem> {
    let status = response.status();
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        return Some(problem);
    }
    let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !(status.is_client_error() || status.is_server_error()) || kind.starts_with("text/html") {
        return None;
    }
    Some(match status {
        StatusCode::METHOD_NOT_ALLOWED => {
            Problem::new("method", status, ("这个页面不支持这种请求", "no such request here"))
        }
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new("too-large", status, ("提交的内容过大", "too much was sent"))
        }
        status if status.is_client_error() => {
            Problem::new("bad-request", status, ("请求有误", "the request makes no sense"))
        }
        _ => Problem::internal(),
    })
}

/// Where to log in. A part of a page is not replaced by the page of the login: the whole page goes there.
fn to_login(address: &str, is_part: bool) -> Response {
    if is_part {
        return (StatusCode::UNAUTHORIZED, [("hx-redirect", "/login?back=/jobs")], Html("")).into_response();
    }
    Redirect::to(address).into_response()
}

/// The language of a page, and whether the address chooses it.
fn language(uri: &Uri, jar: &CookieJar) -> (Lang, bool) {
    let of = |word: &str| match word {
        "zh" => Some(Lang::Zh),
        "en" => Some(Lang::En),
        _ => None,
    };
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let asked = query.filter(|(name, _)| name == "lang").find_map(|(_, value)| of(&value));
    let kept = jar.get(LANGUAGE).and_then(|cookie| of(cookie.value()));
    (asked.or(kept).unwrap_or_default(), asked.is_some())
}

/// Path and query of a request, less the language.
fn here(uri: &Uri) -> String {
    let pairs = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let mut query = form_urlencoded::Serializer::new(String::new());
    pairs.filter(|(name, _)| name != "lang").for_each(|(name, value)| {
        query.append_pair(&name, &value);
    });
    let query = query.finish();
    if query.is_empty() { uri.path().to_owned() } else { format!("{}?{query}", uri.path()) }
}
