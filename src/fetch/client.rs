//! The one client for all hosts. For each host one connection, a pace, its `robots.txt`, a memory of failures;
//! redirects are followed here, so that every hop passes the guard, the robots and the pace of its own host.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use futures_util::StreamExt;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{
    ACCEPT_ENCODING, ACCEPT_LANGUAGE, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderName,
    HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED, LOCATION, RANGE, RETRY_AFTER,
};
use reqwest::{Method, Response, StatusCode, redirect};
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use url::Url;

use super::error::FetchError;
use super::guard::{Guard, Refusal};
use super::host::Host;
use super::journal::{Journal, Line};
use super::robots::{self, Rules};
use crate::config::Fetch;

/// So many redirects are followed.
const MOST_REDIRECTS: usize = 10;
/// Redirects of `robots.txt` that are followed (RFC 9309, 2.3.1.2).
const MOST_ROBOTS_REDIRECTS: usize = 5;
/// First wait before a new attempt; each further wait is twice as long, and any part of it.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// Longest such wait.
const LAST_WAIT: Duration = Duration::from_secs(60);
/// A page that takes longer is given up.
const PAGE_DEADLINE: Duration = Duration::from_secs(120);

/// Its operator bars crawlers: it is asked only on the authority of the owners of the accounts.
const BARRED: &str = "mp.weixin.qq.com";

/// What lets a server say that nothing has changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validators {
    /// Entity tag, as sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Date of the last change, as sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
}

impl Validators {
    fn read(headers: &HeaderMap) -> Self {
        let text =
            |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        Validators { etag: text(ETAG), last_modified: text(LAST_MODIFIED) }
    }

    /// The one by which a part may be asked for: a strong tag, else the date (RFC 9110, 13.1.5).
    pub(super) fn for_range(&self) -> Option<&str> {
        let strong = self.etag.as_deref().filter(|tag| !tag.starts_with("W/"));
        strong.or(self.last_modified.as_deref())
    }
}

/// What must not be written down anywhere.
#[derive(Clone)]
pub struct Secret(String);

impl Secret {
    /// Wraps it.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// A request.
#[derive(Debug, Clone)]
pub struct Ask {
    pub(super) url: Url,
    pub(super) body: Option<(&'static str, Vec<u8>)>,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) known: Validators,
    pub(super) from: Option<(u64, String)>,
    secret: Option<(&'static str, Secret)>,
    gzip: bool,
    most: Option<u64>,
}

impl Ask {
    /// The page or document at an address.
    pub fn page(address: &str) -> Result<Self, FetchError> {
        let url = Url::parse(address.trim())
            .map_err(|error| FetchError::Address { text: address.to_owned(), cause: error.to_string() })?;
        Ok(Ask::at(url))
    }

    /// The same for an address that was read already.
    pub fn at(mut url: Url) -> Self {
        url.set_fragment(None);
        Ask {
            url,
            body: None,
            headers: Vec::new(),
            known: Validators::default(),
            from: None,
            secret: None,
            gzip: true,
            most: None,
        }
    }

    /// Only if it has changed since.
    pub fn unless(mut self, known: Validators) -> Self {
        self.known = known;
        self
    }

    /// Up to another size than the configuration allows for pages.
    pub fn up_to(mut self, bytes: u64) -> Self {
        self.most = Some(bytes);
        self
    }

    /// With a body, which makes it a `POST`.
    pub fn post(mut self, content_type: &'static str, body: Vec<u8>) -> Self {
        self.body = Some((content_type, body));
        self
    }

    /// With a header of the service's own.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// With a secret in the query of the request, which no address that is written down shows.
    pub(super) fn secret(mut self, name: &'static str, secret: Secret) -> Self {
        self.secret = Some((name, secret));
        self
    }

    /// As it is stored on the server, without compression for the way.
    pub(super) fn plain(mut self) -> Self {
        self.gzip = false;
        self
    }

    /// Only what comes after so many bytes, if the rest is still that of these validators.
    pub(super) fn from(mut self, offset: u64, condition: &str) -> Self {
        self.from = Some((offset, condition.to_owned()));
        self
    }

    fn method(&self) -> Method {
        if self.body.is_some() { Method::POST } else { Method::GET }
    }
}

/// An answer whose body is still on its way. While it lives nobody else speaks to the host.
pub(super) struct Answer {
    pub(super) response: Response,
    pub(super) url: Url,
    pub(super) validators: Validators,
    pub(super) _turn: OwnedMutexGuard<()>,
    pub(super) room: OwnedSemaphorePermit,
}

/// A page.
#[derive(Debug, Clone)]
pub struct Page {
    /// Where it came from, after redirects.
    pub url: Url,
    /// The bytes, decompressed.
    pub bytes: Vec<u8>,
    /// `Content-Type` as sent.
    pub content_type: Option<String>,
    /// For asking again.
    pub validators: Validators,
}

/// The room of one request among those to all hosts together.
#[derive(Debug)]
pub struct Room(#[expect(dead_code, reason = "held, not used")] OwnedSemaphorePermit);

/// A page, or the word that it is still the same.
#[derive(Debug, Clone)]
pub enum Got {
    /// The page.
    Page(Page),
    /// The server says that it has not changed.
    Unchanged,
}

/// A pace that several processes keep together. Without one each process keeps its own.
pub trait Pacer: Send + Sync {
    /// Takes the next slot of a host whose requests are at least so far apart: how long it is until then.
    fn slot<'a>(
        &'a self,
        host: &'a str,
        pace: Duration,
    ) -> Pin<Box<dyn Future<Output = Result<Duration, String>> + Send + 'a>>;
}

/// The client.
pub struct Client {
    http: reqwest::Client,
    guard: Arc<Guard>,
    settings: Fetch,
    agent: String,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
    room: Arc<Semaphore>,
    /// The rate of all hosts together; the pace of each is its own.
    rate: DefaultDirectRateLimiter,
    journal: Journal,
    weixin: bool,
    pacer: Option<Arc<dyn Pacer>>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("agent", &self.agent).finish_non_exhaustive()
    }
}

/// Resolves names and lets the guard look at what they resolve to.
pub(crate) struct Resolver(pub(crate) Arc<Guard>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.0.clone();
        Box::pin(async move {
            let name = name.as_str().to_owned();
            let addresses: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            guard.check_resolved(&name, &addresses)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

impl Client {
    /// A client by the configuration, which writes what it does to a journal.
    pub fn new(settings: &Fetch, journal: Journal) -> Result<Self, FetchError> {
        let guard = Arc::new(Guard::new(settings.allow.clone()));
        let agent = match &settings.contact {
            Some(contact) => format!("zhijian/{} (+{contact})", env!("CARGO_PKG_VERSION")),
            None => format!("zhijian/{}", env!("CARGO_PKG_VERSION")),
        };
        // Already installed by another client is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .user_agent(&agent)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .dns_resolver(Arc::new(Resolver(guard.clone())))
            .connect_timeout(settings.timeout)
            .read_timeout(settings.timeout)
            .pool_max_idle_per_host(1)
            .build()
            .map_err(|error| FetchError::Store(std::io::Error::other(error)))?;
        Ok(Client {
            http,
            guard,
            settings: settings.clone(),
            agent,
            hosts: Mutex::default(),
            room: Arc::new(Semaphore::new(settings.connections)),
            rate: RateLimiter::direct(Quota::per_second(settings.requests_per_second)),
            journal,
            weixin: false,
            pacer: None,
        })
    }

    /// The same, which keeps the pace of each host together with other processes.
    pub fn with_pacer(self, pacer: Arc<dyn Pacer>) -> Self {
        Client { pacer: Some(pacer), ..self }
    }

    /// The same, which also asks `mp.weixin.qq.com`. Only where the owners of the accounts allow it; the caller
    /// keeps the name of the document by which they do.
    pub fn with_weixin(self) -> Self {
        Client { weixin: true, ..self }
    }

    /// What the configuration says.
    pub fn settings(&self) -> &Fetch {
        &self.settings
    }

    /// The name the client gives itself.
    pub fn agent(&self) -> &str {
        &self.agent
    }

    /// Leaves a host alone for the rest of the run: it has shown a wall that asks for a human being.
    pub fn stop(&self, url: &Url, cause: impl Into<String>) {
        let cause = cause.into();
        let decision = Line { method: "-", url: url.as_str(), decision: "stopped", ..Line::default() };
        self.journal.write(&Line { error: Some(cause.clone()), ..decision });
        self.host(url).stop(cause);
    }

    /// Whether the configuration names an address as one of the own network.
    pub(super) fn is_exception(&self, url: &Url) -> bool {
        self.guard.is_exception(url)
    }

    /// Fetches a page.
    pub async fn page(&self, ask: &Ask) -> Result<Got, FetchError> {
        self.page_held(ask).await.map(|(got, _)| got)
    }

    /// The same, and the room that the page takes among those under way: whoever does more with it before the next
    /// may come holds on to that.
    pub async fn page_held(&self, ask: &Ask) -> Result<(Got, Room), FetchError> {
        self.retrying(|| self.page_once(ask)).await
    }

    pub(super) async fn page_once(&self, ask: &Ask) -> Result<(Got, Room), FetchError> {
        let answer = self.send(ask).await?;
        if answer.response.status() == StatusCode::NOT_MODIFIED {
            return Ok((Got::Unchanged, Room(answer.room)));
        }
        let url = answer.url.clone();
        let read = tokio::time::timeout(
            PAGE_DEADLINE,
            read_page(answer, ask.most.unwrap_or(self.settings.largest_page)),
        );
        let slow = || FetchError::Network { url: Box::new(url), cause: "too slow".into() };
        let (page, room) = read.await.unwrap_or_else(|_| Err(slow()))?;
        Ok((Got::Page(page), room))
    }

    /// Tries again what may pass, with waits that grow.
    pub(super) async fn retrying<T, F: Future<Output = Result<T, FetchError>>>(
        &self,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, FetchError> {
        let mut wait = FIRST_WAIT;
        for _ in 0..self.settings.retries {
            match attempt().await {
                Err(error) if error.is_transient() => {
                    tokio::time::sleep(wait.mul_f64(fastrand::f64())).await;
                    wait = (wait * 2).min(LAST_WAIT);
                }
                done => return done,
            }
        }
        attempt().await
    }

    fn host(&self, url: &Url) -> Arc<Host> {
        let name = url.host_str().unwrap_or_default();
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(Host::new(name, self.settings.pace_of(name)));
        hosts.entry(name.to_owned()).or_insert_with(new).clone()
    }

    /// One attempt, redirects included.
    pub(super) async fn send(&self, ask: &Ask) -> Result<Answer, FetchError> {
        let mut url = ask.url.clone();
        let mut seen = HashSet::new();
        loop {
            if !seen.insert(url.clone()) {
                let cause = format!("back at {url}");
                return Err(FetchError::Redirects { url: Box::new(ask.url.clone()), cause });
            }
            if seen.len() > MOST_REDIRECTS {
                let cause = format!("more than {MOST_REDIRECTS}");
                return Err(FetchError::Redirects { url: Box::new(ask.url.clone()), cause });
            }
            let answer = self.hop(ask, &url).await?;
            match redirected(&answer.response, &url)? {
                None => return Ok(answer),
                Some(_) if ask.body.is_some() => {
                    let cause = "a request with a body is not sent elsewhere".to_owned();
                    return Err(FetchError::Redirects { url: Box::new(url), cause });
                }
                Some(next) => url = next,
            }
        }
    }

    /// Whether an address may be asked, as far as the address tells.
    fn admit(&self, url: &Url) -> Result<(), FetchError> {
        self.guard
            .check(url)
            .map_err(|refusal| FetchError::Refused { url: Box::new(url.clone()), refusal })?;
        match is_barred(url) && !self.weixin {
            true => Err(FetchError::Barred(Box::new(url.clone()))),
            false => Ok(()),
        }
    }

    /// One request, and everything that comes before it.
    async fn hop(&self, ask: &Ask, url: &Url) -> Result<Answer, FetchError> {
        let method = ask.method();
        let skipped = |decision, error: &FetchError| {
            let line = Line { method: method.as_str(), url: url.as_str(), decision, ..Line::default() };
            self.journal.write(&Line { error: Some(error.to_string()), ..line });
        };
        self.admit(url).inspect_err(|error| skipped("refused", error))?;
        let host = self.host(url);
        let rules = self.rules(&host, url).await.inspect_err(|error| skipped("stopped", error))?;
        match rules.allow(url) {
            Ok(true) => {}
            Ok(false) => {
                let error = FetchError::Robots(Box::new(url.clone()));
                skipped("robots", &error);
                return Err(error);
            }
            Err(cause) => {
                let error =
                    FetchError::RobotsUnreachable { host: host.name.clone(), cause: cause.to_owned() };
                skipped("robots", &error);
                return Err(error);
            }
        }
        let mut headers = HeaderMap::new();
        put(&mut headers, ACCEPT_LANGUAGE, "zh-CN,zh;q=0.9,en;q=0.5");
        put(&mut headers, ACCEPT_ENCODING, if ask.gzip { "gzip" } else { "identity" });
        let known = &ask.known;
        known.etag.iter().for_each(|tag| put(&mut headers, IF_NONE_MATCH, tag));
        known.last_modified.iter().for_each(|date| put(&mut headers, IF_MODIFIED_SINCE, date));
        if let Some((offset, condition)) = &ask.from {
            put(&mut headers, RANGE, &format!("bytes={offset}-"));
            put(&mut headers, IF_RANGE, condition);
        }
        // Headers of a service's own go to that service only.
        if url.host_str() == ask.url.host_str() {
            for (name, value) in &ask.headers {
                put(&mut headers, HeaderName::from_static(name), value);
            }
        }
        // A secret is for the address it was given for.
        let secret = ask.secret.as_ref().filter(|_| *url == ask.url);
        let answer = self.exchange(&host, method, url, headers, ask.body.as_ref(), secret).await?;
        if let Some(delay) = rules.delay() {
            host.wait(delay);
        }
        Ok(answer)
    }

    /// Says one thing to a host in its turn and hears the head of the answer.
    async fn exchange(
        &self,
        host: &Arc<Host>,
        method: Method,
        url: &Url,
        headers: HeaderMap,
        body: Option<&(&'static str, Vec<u8>)>,
        secret: Option<&(&'static str, Secret)>,
    ) -> Result<Answer, FetchError> {
        let network = |cause: String| FetchError::Network { url: Box::new(url.clone()), cause };
        let turn = host.turn().await;
        if let Some(cause) = host.stopped() {
            return Err(FetchError::Stopped { host: host.name.clone(), cause });
        }
        host.pace().await;
        if let Some(pacer) = &self.pacer {
            let wait = pacer.slot(&host.name, host.least()).await.map_err(&network)?;
            tokio::time::sleep(wait).await;
        }
        self.rate.until_ready().await;
        let room = self.room.clone().acquire_owned().await.map_err(|error| network(error.to_string()))?;
        let mut whole = url.clone();
        if let Some((name, secret)) = secret {
            whole.query_pairs_mut().append_pair(name, secret.reveal());
        }
        let mut request = self.http.request(method.clone(), whole).headers(headers);
        if let Some((content_type, body)) = body {
            request = request.header(CONTENT_TYPE, *content_type).body(body.clone());
        }
        host.asked();
        let began = Instant::now();
        let line = Line { method: method.as_str(), url: url.as_str(), decision: "sent", ..Line::default() };
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                let error = match refusal(&error) {
                    Some(refusal) => FetchError::Refused { url: Box::new(url.clone()), refusal },
                    None => network(causes(error)),
                };
                self.journal.write(&Line { error: Some(error.to_string()), ..line }.took(began.elapsed()));
                if error.is_transient() {
                    host.failed(&error.to_string());
                }
                return Err(error);
            }
        };
        let status = response.status();
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
        // A server may repeat what it was told; where it would have a body sent, nobody goes.
        let location = location.filter(|_| body.is_none() && secret.is_none());
        self.journal.write(&Line { status: Some(status.as_u16()), location, ..line }.took(began.elapsed()));
        let fine = status.is_success() || status.is_redirection();
        if !fine {
            if matches!(status.as_u16(), 429 | 503)
                && let Some(wait) = retry_after(response.headers())
            {
                if wait > self.settings.longest_wait {
                    let error = FetchError::Wait { host: host.name.clone(), wait };
                    host.stop(error.to_string());
                    return Err(error);
                }
                host.wait(wait);
            }
            let error = FetchError::Status { url: Box::new(url.clone()), status: status.as_u16() };
            // That one page is not there says nothing of the host.
            match error.is_transient() {
                true => host.failed(&error.to_string()),
                false => host.succeeded(),
            }
            return Err(error);
        }
        host.succeeded();
        let validators = Validators::read(response.headers());
        Ok(Answer { response, url: url.clone(), validators, _turn: turn, room })
    }

    /// What the site allows, asked once a day.
    async fn rules(&self, host: &Arc<Host>, url: &Url) -> Result<Arc<Rules>, FetchError> {
        let origin = url.origin().ascii_serialization();
        let mut known = host.robots().await;
        if let Some(rules) = known.get(&origin).filter(|rules| rules.hold()) {
            return Ok(rules.clone());
        }
        let mut at = url.join("/robots.txt").unwrap_or_else(|_| url.clone());
        let mut rules = None;
        for _ in 0..=MOST_ROBOTS_REDIRECTS {
            let asked = self.robots_hop(host, &at).await;
            match asked {
                Ok(Err(next)) => at = next,
                Ok(Ok(found)) => {
                    rules = Some(found);
                    break;
                }
                Err(FetchError::Status { status, .. }) if (400..500).contains(&status) && status != 429 => {
                    rules = Some(Rules::absent());
                    break;
                }
                Err(
                    error @ (FetchError::Stopped { .. } | FetchError::Refused { .. } | FetchError::Barred(_)),
                ) => return Err(error),
                Err(error) => {
                    rules = Some(Rules::unreachable(error.to_string()));
                    break;
                }
            }
        }
        // Too many redirects are as good as no file.
        let rules = Arc::new(rules.unwrap_or_else(Rules::absent));
        known.insert(origin, rules.clone());
        Ok(rules)
    }

    /// One request for `robots.txt`: the rules, or where they are instead.
    async fn robots_hop(&self, host: &Arc<Host>, at: &Url) -> Result<Result<Rules, Url>, FetchError> {
        self.admit(at)?;
        let host = if at.host_str() == Some(host.name.as_str()) { host.clone() } else { self.host(at) };
        let mut headers = HeaderMap::new();
        put(&mut headers, ACCEPT_ENCODING, "gzip");
        let answer = self.exchange(&host, Method::GET, at, headers, None, None).await?;
        if let Some(next) = redirected(&answer.response, at)? {
            return Ok(Err(next));
        }
        let read = tokio::time::timeout(PAGE_DEADLINE, read_page(answer, robots::MOST));
        match read.await {
            Ok(Ok((page, _))) => Ok(Ok(Rules::read(&page.bytes))),
            // What is longer than that cannot be read as a whole, and half of it could allow what the rest forbids.
            Ok(Err(error)) => Err(error),
            Err(_) => Err(FetchError::Network { url: Box::new(at.clone()), cause: "too slow".into() }),
        }
    }
}

/// Whether the operator of the host bars crawlers.
pub fn is_barred(url: &Url) -> bool {
    // A name with a dot at its end is the same name.
    url.host_str().is_some_and(|host| host.trim_end_matches('.') == BARRED)
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Where an answer redirects to.
fn redirected(response: &Response, url: &Url) -> Result<Option<Url>, FetchError> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let bad = |cause: &str| FetchError::Redirects { url: Box::new(url.clone()), cause: cause.to_owned() };
    let location = response.headers().get(LOCATION).ok_or_else(|| bad("no address to go to"))?;
    let location = std::str::from_utf8(location.as_bytes()).map_err(|_| bad("an address that is no text"))?;
    let mut next = url.join(location).map_err(|error| bad(&error.to_string()))?;
    next.set_fragment(None);
    Ok(Some(next))
}

/// `Retry-After`: seconds or a date (RFC 9110, 10.2.3).
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match text.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            let date = httpdate::parse_http_date(text).ok()?;
            Some(date.duration_since(SystemTime::now()).unwrap_or_default())
        }
    }
}

/// The guard's word inside an error of the connection.
pub(crate) fn refusal(error: &reqwest::Error) -> Option<Refusal> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if let Some(refusal) = error.downcast_ref::<Refusal>() {
            return Some(refusal.clone());
        }
        cause = error.source();
    }
    None
}

/// The innermost words of an error: the outer ones only repeat the address.
pub(crate) fn causes(error: reqwest::Error) -> String {
    // The whole address may have a secret in it.
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// Reads a body of at most so many bytes, before and after decompression.
async fn read_page(answer: Answer, most: u64) -> Result<(Page, Room), FetchError> {
    let Answer { response, url, validators, _turn, room } = answer;
    let too_large = || FetchError::TooLarge { url: Box::new(url.clone()), most };
    if response.content_length().is_some_and(|length| length > most) {
        return Err(too_large());
    }
    let text = |name: HeaderName| response.headers().get(name).and_then(|value| value.to_str().ok());
    let encoding = text(CONTENT_ENCODING).unwrap_or_default().trim().to_ascii_lowercase();
    let content_type = text(CONTENT_TYPE).map(str::to_owned);
    let mut bytes = Vec::new();
    let mut body = response.bytes_stream();
    while let Some(chunk) = body.next().await {
        let chunk = chunk
            .map_err(|error| FetchError::Network { url: Box::new(url.clone()), cause: causes(error) })?;
        if (bytes.len() + chunk.len()) as u64 > most {
            return Err(too_large());
        }
        bytes.extend_from_slice(&chunk);
    }
    let bytes = match encoding.as_str() {
        "" | "identity" => bytes,
        "gzip" | "x-gzip" => {
            let mut plain = Vec::new();
            let decoder = flate2::read::MultiGzDecoder::new(bytes.as_slice());
            let read = decoder.take(most + 1).read_to_end(&mut plain);
            read.map_err(|error| FetchError::Content {
                url: Box::new(url.clone()),
                cause: format!("gzip: {error}"),
            })?;
            if plain.len() as u64 > most {
                return Err(too_large());
            }
            plain
        }
        other => {
            let cause = format!("compressed by {other}, which was not asked for");
            return Err(FetchError::Content { url: Box::new(url.clone()), cause });
        }
    };
    Ok((Page { url, bytes, content_type, validators }, Room(room)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_is_refused_for_what_it_resolves_to() {
        let resolve = async |guard: Guard| {
            Resolver(Arc::new(guard))
                .resolve("localhost".parse().unwrap())
                .await
                .map(Iterator::collect::<Vec<_>>)
        };
        let error = resolve(Guard::default()).await.unwrap_err();
        let refusal = error.downcast_ref::<Refusal>().unwrap();
        assert!(matches!(refusal, Refusal::Address { network: "this machine", .. }), "{refusal}");
        let allowed = Guard::new(vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()]);
        assert!(resolve(allowed).await.unwrap().iter().all(|address| address.ip().is_loopback()));
    }

    #[test]
    fn who_bars_crawlers_is_asked_only_with_leave() {
        let client = Client::new(&Fetch::default(), Journal::default()).unwrap();
        let barred = [
            "http://mp.weixin.qq.com/s/a",
            "https://MP.weixin.qq.com./s/a",
            "https://mp.weixin.qq.com:8443/",
        ];
        let barred = barred.map(|text| Url::parse(text).unwrap());
        for url in &barred {
            assert!(matches!(client.admit(url), Err(FetchError::Barred(_))), "{url}");
        }
        // The interface for owners, and others that only sound like it.
        for open in ["https://api.weixin.qq.com/cgi-bin/token", "https://mp.weixin.qq.com.example.cn/"] {
            client.admit(&Url::parse(open).unwrap()).unwrap();
        }
        let client = client.with_weixin();
        barred.iter().for_each(|url| client.admit(url).unwrap());
    }

    #[test]
    fn the_wish_to_wait_is_read_in_both_forms() {
        let read = |text: &str| {
            let mut headers = HeaderMap::new();
            put(&mut headers, RETRY_AFTER, text);
            retry_after(&headers)
        };
        assert_eq!(read("120"), Some(Duration::from_secs(120)));
        assert_eq!(read("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        let soon = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(60));
        assert!((58..=60).contains(&read(&soon).unwrap().as_secs()));
        assert_eq!(read("soon"), None);
        assert_eq!(read("-5"), None);
    }
}
