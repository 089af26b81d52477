//! The service: one process with database, store, schedule, workers, API and web pages.
//!
//! ```text
//! request ─▶ people (who is it, what may they) ─┬▶ api  (JSON, OpenAPI)  ─┬▶ ledger (events, view)
//!                                               └▶ web  (pages, htmx)    ─┘    jobs   (scans, runs)
//! ```
//!
//! What a person does is an event of the ledger or a line of the audit log, never only a change of a table.

pub mod api;
mod imports;
pub mod jobs;
mod listen;
mod metrics;
mod multipart;
mod people;
mod plans;
mod problem;
mod record;
pub mod rosters;
pub mod schedule;
mod service;
mod upload;
mod web;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower_http::request_id::{MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};

use crate::config::Config;
use crate::fetch::{Shared, Store};
use crate::ledger::{Ledger, LedgerError, Policy};
use crate::model::hex;
use crate::roster::FilingRecord;
use crate::rule::RuleSet;
use crate::scan::{Scan, Scanner};

use people::People;

pub use jobs::{Jobs, Queue};
pub use people::{Person, Role, Session};
pub use problem::Problem;
pub use service::{Options, Service, StartError, runtime};

/// What every request sees.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// What the service is made of.
pub struct Inner {
    /// Events and the view of present codes; further tables are in the same database.
    pub ledger: Ledger,
    /// The rules that scans use.
    pub rules: Arc<RuleSet>,
    /// Content by digest.
    pub store: Store,
    /// The store that several machines share, where there is one.
    shared: OnceLock<Shared>,
    /// The configuration.
    pub config: Config,
    /// Digest of the policy, by which the view is made.
    policy_digest: String,
    /// What is counted for `/metrics`.
    metrics: metrics::Metrics,
    /// Who scans; without it this process itself.
    scanner: OnceLock<Arc<dyn Scan>>,
    /// Where tickets of jobs go, once it is there.
    queue: OnceLock<Queue>,
    /// What is kept about people besides the database.
    people: People,
    /// What time it is; tests have clocks of their own.
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
}

impl std::ops::Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    /// A service over an open ledger.
    pub fn new(ledger: Ledger, rules: impl Into<Arc<RuleSet>>, store: Store, config: Config) -> Self {
        App::with_clock(ledger, rules, store, config, Box::new(Timestamp::now))
    }

    /// The same with a clock of its own.
    pub fn with_clock(
        ledger: Ledger,
        rules: impl Into<Arc<RuleSet>>,
        store: Store,
        config: Config,
        clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    ) -> Self {
        let rules = rules.into();
        let policy_digest = hex(&Sha256::digest(format!("{:?}", rules.policy())));
        let people = People::new(&config.server);
        let metrics = metrics::Metrics::default();
        let (scanner, queue, shared) = (OnceLock::new(), OnceLock::new(), OnceLock::new());
        App(Arc::new(Inner {
            ledger,
            rules,
            store,
            shared,
            config,
            policy_digest,
            metrics,
            scanner,
            queue,
            people,
            clock,
        }))
    }

    /// The same with a queue, so that jobs that are called for here begin at once.
    pub fn with_queue(self, queue: Queue) -> Self {
        // A second queue is that of the same database.
        let _ = self.queue.set(queue);
        self
    }

    /// The same with somebody else to scan: a process of its own for each target.
    pub fn with_scanner(self, scanner: Arc<dyn Scan>) -> Self {
        // A second scanner would do the same.
        let _ = self.scanner.set(scanner);
        self
    }

    /// The same with a store that several machines share.
    pub fn with_shared(self, shared: Shared) -> Self {
        // A second is that of the same configuration.
        let _ = self.shared.set(shared);
        self
    }

    /// Who scans.
    pub fn scanner(&self) -> Arc<dyn Scan> {
        let own = || -> Arc<dyn Scan> { Arc::new(Scanner::new(self.rules.clone(), FilingRecord::Unknown)) };
        self.scanner.get_or_init(own).clone()
    }

    /// The jobs.
    pub fn jobs(&self) -> Jobs {
        Jobs::new(self.ledger.pool().clone(), self.queue.get().cloned())
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The policy of the colour code.
    pub fn policy(&self) -> &Policy {
        self.rules.policy()
    }

    /// Brings the view of present codes up to the last event and to now.
    pub async fn catch_up(&self) -> Result<usize, LedgerError> {
        self.ledger.catch_up(self.policy(), &self.policy_digest, self.now()).await
    }

    /// All routes.
    pub fn router(&self) -> Router {
        let guarded = Router::new().nest("/api/v1", api::router(self)).merge(web::router());
        let guarded =
            guarded.layer(from_fn_with_state(self.clone(), people::guard)).layer(from_fn(web::dress));
        Router::new()
            .route("/healthz", get(async || "ok\n"))
            .route("/readyz", get(metrics::ready))
            .route("/metrics", get(metrics::show))
            .merge(guarded)
            .layer(from_fn_with_state(self.clone(), metrics::count))
            .layer(from_fn(security_headers))
            .layer(PropagateRequestIdLayer::x_request_id())
            .layer(SetRequestIdLayer::x_request_id(Counted::default()))
            .with_state(self.clone())
    }

    /// Answers requests until `stop` says so; requests under way are finished.
    pub async fn serve(&self, listener: TcpListener, mut stop: watch::Receiver<bool>) {
        let stopped = async move {
            // A sender that is gone stops too.
            let _ = stop.wait_for(|stop| *stop).await;
        };
        listen::serve(listener, self.router(), self.config.server.header_timeout, stopped).await;
    }

    /// Content of a digest, from the store of this machine or from that which all share.
    pub async fn object(&self, sha256: &str) -> io::Result<Option<PathBuf>> {
        match self.shared.get() {
            Some(shared) => shared.take(&self.store, sha256).await,
            None => Ok(self.store.object(sha256)),
        }
    }

    /// Gives content of the store of this machine to all.
    pub async fn share(&self, sha256: &str) -> io::Result<()> {
        match self.shared.get() {
            Some(shared) => shared.give(&self.store, sha256).await,
            None => Ok(()),
        }
    }
}

/// What browsers may do with an answer: nothing but what is ours, in no frame, and no guessing. A handler may say
/// otherwise of its own.
async fn security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; \
             connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Numbers of requests behind the moment at which the service began, by which the log tells them apart.
#[derive(Debug, Clone)]
struct Counted(Arc<(u64, AtomicU64)>);

impl Default for Counted {
    fn default() -> Self {
        let begun = u64::try_from(Timestamp::now().as_millisecond()).unwrap_or_default();
        Counted(Arc::new((begun, AtomicU64::new(0))))
    }
}

impl MakeRequestId for Counted {
    fn make_request_id<B>(&mut self, _: &axum::http::Request<B>) -> Option<RequestId> {
        let (begun, count) = &*self.0;
        let id = format!("{begun:x}-{}", count.fetch_add(1, Ordering::Relaxed));
        HeaderValue::from_str(&id).ok().map(RequestId::new)
    }
}
