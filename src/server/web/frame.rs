//! What every page has in common: language, who is there, the token of forms, headers, and errors as pages.
//!
//! A form carries a random token that the browser also has in a cookie of its own (OWASP: double submit); a page of
//! another origin knows neither, and `Sec-Fetch-Site` gives it away besides.

use askama::Template;
use axum::extract::{FromRequestParts, Request};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum_extra::extract::CookieJar;
use axum_extra::extract::cookie::{Cookie, SameSite};
use subtle::ConstantTimeEq;
use url::form_urlencoded;

use super::asset;
use crate::ledger::{LedgerError, Listed};
use crate::model::{Lang, hex};
use crate::server::{App, Person, Problem, Role};

/// The cookie with the language.
const LANGUAGE: &str = "zhijian-lang";
/// The cookie with the token of forms.
const FORM: &str = "zhijian-form";
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
    /// The token that forms of the page carry.
    form: String,
    /// Path and query, less the language.
    here: String,
}

/// Somebody who looks at a page.
#[derive(Debug, Clone)]
pub(super) struct Visitor {
    pub(super) person: Person,
    pub(super) lang: Lang,
    form: String,
    here: String,
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refused> {
        let person = Person::from_request_parts(parts, app).await?;
        let Guest { lang, form, here } = Guest::of(&parts.extensions);
        Ok(Visitor { person, lang, form, here })
    }
}

impl Visitor {
    pub(super) fn frame(&self, place: Place, title: impl Into<String>) -> Frame {
        let (form, here) = (self.form.clone(), self.here.clone());
        Frame { lang: self.lang, place, title: title.into(), person: Some(self.person.clone()), form, here }
    }

    /// Refuses a form that no page of ours made, and who may do less than a role.
    pub(super) fn may(&self, role: Role, token: &str) -> Result<(), Refused> {
        self.person.at_least(role)?;
        same(&self.form, token)
    }

    /// Whether a target is of their region.
    pub(super) fn sees(&self, region: Option<&str>) -> bool {
        let Some(own) = &self.person.region else { return true };
        let rest = region.and_then(|region| region.strip_prefix(own.as_str()));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// A target, if it is there and of their region.
    pub(super) fn seen(&self, listed: Option<Listed>) -> Result<Listed, Refused> {
        let listed = listed.filter(|listed| self.sees(listed.document.region.as_deref()));
        listed.ok_or_else(|| Problem::not_found().into())
    }
}

/// Somebody who may not be known.
#[derive(Debug, Clone)]
pub(super) struct Guest {
    pub(super) lang: Lang,
    form: String,
    here: String,
}

impl Guest {
    fn of(extensions: &axum::http::Extensions) -> Self {
        match extensions.get::<Asked>() {
            Some(Asked { lang, form, here }) => Guest { lang: *lang, form: form.clone(), here: here.clone() },
            None => Guest { lang: Lang::Zh, form: String::new(), here: "/".to_owned() },
        }
    }

    pub(super) fn frame(&self, title: &str) -> Frame {
        let (form, here) = (self.form.clone(), self.here.clone());
        Frame { lang: self.lang, place: Place::Nowhere, title: title.to_owned(), person: None, form, here }
    }

    /// Refuses a form that no page of ours made.
    pub(super) fn check(&self, token: &str) -> Result<(), Refused> {
        same(&self.form, token)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Guest {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Guest::of(&parts.extensions))
    }
}

fn same(own: &str, token: &str) -> Result<(), Refused> {
    let same = !own.is_empty() && bool::from(own.as_bytes().ct_eq(token.as_bytes()));
    let words = ("表单已失效，未作任何改动", "the form is no longer valid; nothing was changed");
    if same { Ok(()) } else { Err(Problem::new("form", StatusCode::FORBIDDEN, words).into()) }
}

/// What the template around a page asks for.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) lang: Lang,
    place: Place,
    title: String,
    person: Option<Person>,
    pub(super) form: String,
    here: String,
}

impl Frame {
    fn t<'t>(&self, zh: &'t str, en: &'t str) -> &'t str {
        self.lang.pick(zh, en)
    }

    /// The places with their addresses, and whether the page is there.
    fn places(&self) -> Vec<(&'static str, &'static str, bool)> {
        let one = |(place, address, (zh, en)): &(Place, &'static str, (&'static str, &'static str))| {
            (*address, self.lang.pick(zh, en), *place == self.place)
        };
        Place::ALL.iter().map(one).collect()
    }

    /// The same page in the other language.
    fn other(&self) -> String {
        let sign = if self.here.contains('?') { '&' } else { '?' };
        format!("{}{sign}lang={}", self.here, self.lang.pick("en", "zh"))
    }

    fn role(&self) -> &'static str {
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

    fn css(&self) -> String {
        asset::css()
    }

    fn js(&self) -> String {
        asset::js()
    }

    fn htmx(&self) -> String {
        asset::htmx()
    }
}

/// A page.
pub(super) fn page(template: &impl Template) -> Result<Response, Refused> {
    Ok(Html(template.render()?).into_response())
}

/// What a page cannot do. [`dress`] makes a page of it.
#[derive(Debug)]
pub(super) struct Refused {
    problem: Problem,
    plain: bool,
}

impl Refused {
    /// For programs: no page.
    pub(super) fn plain(problem: Problem) -> Self {
        Refused { problem, plain: true }
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Refused { problem, plain: false }
    }
}

impl From<LedgerError> for Refused {
    fn from(error: LedgerError) -> Self {
        Problem::from(error).into()
    }
}

impl From<askama::Error> for Refused {
    fn from(error: askama::Error) -> Self {
        tracing::error!(%error, "template");
        failed().into()
    }
}

fn failed() -> Problem {
    let words = ("服务内部出错", "the service failed");
    Problem::new("internal", StatusCode::INTERNAL_SERVER_ERROR, words)
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        if self.plain {
            return self.problem.into_response();
        }
        let mut response = StatusCode::from_u16(self.problem.status).unwrap_or_default().into_response();
        response.extensions_mut().insert(self.problem);
        response
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
    fn of(guest: &Guest, problem: Problem) -> Self {
        let lang = guest.lang;
        let frame = guest.frame(lang.pick(&problem.title, &problem.title_en));
        let (safe, todo) = match problem.status {
            401 | 403 => (
                ("没有作任何改动。", "Nothing was changed."),
                (
                    "返回上一页重新提交；仍然不行的，请管理员核对您的角色和地区。",
                    "Go back and send it again; if that does not help, ask an administrator about your role and region.",
                ),
            ),
            404 => (
                ("台账和其他页面不受影响。", "The ledger and all other pages are as they were."),
                (
                    "核对地址，或者在上方按名称搜索；其他地区的对象不会显示。",
                    "Check the address, or search by name above; targets of other regions are not shown.",
                ),
            ),
            400..500 => (
                ("没有作任何改动。", "Nothing was changed."),
                ("按下面的说明改正后重新提交。", "Correct it as said below and send it again."),
            ),
            _ => (
                ("已经登记的内容没有丢失，这一次操作没有写入。", "What is recorded is not lost; this action was not written."),
                (
                    "稍后重试；仍然不行的，把时间和这一页告诉管理员，服务日志中有原因。",
                    "Try again later; if that does not help, tell an administrator the time and this page; the log has the cause.",
                ),
            ),
        };
        Failed { frame, problem, safe: lang.pick(safe.0, safe.1), todo: lang.pick(todo.0, todo.1) }
    }
}

/// Around every request: reads language and form token, and makes headers, cookies and pages of errors.
pub(super) async fn dress(jar: CookieJar, mut request: Request, next: Next) -> Response {
    let (lang, chosen) = language(request.uri(), &jar);
    let known = jar.get(FORM).map(|cookie| cookie.value().to_owned()).filter(|token| token.len() == 32);
    let (form, is_new) = match known {
        Some(form) => (form, false),
        None => (token(), true),
    };
    let here = here(request.uri());
    let cross = request.method() == Method::POST && is_foreign(request.headers());
    let is_get = request.method() == Method::GET;
    let guest = Guest { lang, form: form.clone(), here: here.clone() };
    request.extensions_mut().insert(Asked { lang, form: form.clone(), here: here.clone() });
    let mut response =
        if cross { Refused::from(Problem::forbidden()).into_response() } else { next.run(request).await };
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let status = response.status();
        response = if status == StatusCode::UNAUTHORIZED && is_get {
            let back: String = form_urlencoded::byte_serialize(here.as_bytes()).collect();
            Redirect::to(&format!("/login?back={back}")).into_response()
        } else {
            let page = Failed::of(&guest, problem).render().unwrap_or_default();
            (status, Html(page)).into_response()
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
    let mut cookies = CookieJar::new();
    if is_new {
        cookies = cookies.add(cookie(FORM, form, true));
    }
    if chosen {
        cookies = cookies.add(cookie(LANGUAGE, lang.pick("zh", "en").to_owned(), false));
    }
    (cookies, response).into_response()
}

fn cookie(name: &'static str, value: String, strict: bool) -> Cookie<'static> {
    let site = if strict { SameSite::Strict } else { SameSite::Lax };
    Cookie::build((name, value)).path("/").http_only(true).same_site(site).build()
}

/// 128 random bits. Without a source of randomness no form is valid.
fn token() -> String {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map(|()| hex(&bytes)).unwrap_or_default()
}

/// A browser says that a page of another origin sends the request.
fn is_foreign(headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").and_then(|site| site.to_str().ok());
    site.is_some_and(|site| !matches!(site, "same-origin" | "none"))
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
