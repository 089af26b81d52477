//! What a monitoring system asks for at `/metrics`, in the text format of OpenMetrics.

use std::sync::atomic::AtomicU64;
use std::time::Instant;

use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use super::jobs::{Job, State as JobState, What};
use super::{App, Problem};
use crate::run::Counts;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Attempts {
    kind: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Targets {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Kind {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Queued {
    lane: &'static str,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Requests {
    /// One of the usual ones, so that no caller makes up names.
    method: &'static str,
    status: u16,
}

/// What is counted.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    attempts: Family<Attempts, Counter>,
    targets: Family<Targets, Counter>,
    seconds: Family<Kind, Histogram>,
    jobs: Family<Queued, Gauge>,
    requests: Family<Requests, Counter>,
    answers: Histogram,
    events: Gauge<i64>,
    uploaded: Counter<u64, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Metrics {
            registry: Registry::with_prefix("zhijian"),
            attempts: Family::default(),
            targets: Family::default(),
            seconds: Family::new_with_constructor(|| {
                Histogram::new([0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0])
            }),
            jobs: Family::default(),
            requests: Family::default(),
            answers: Histogram::new([0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0, 5.0]),
            events: Gauge::default(),
            uploaded: Counter::default(),
        };
        let registry = &mut metrics.registry;
        registry.register(
            "attempts",
            "Attempts at jobs that ended in this process",
            metrics.attempts.clone(),
        );
        registry.register(
            "targets",
            "Targets that runs of this process came to an end with",
            metrics.targets.clone(),
        );
        registry.register("job_seconds", "How long attempts took", metrics.seconds.clone());
        registry.register("jobs", "Jobs by lane and state", metrics.jobs.clone());
        registry.register("requests", "HTTP requests", metrics.requests.clone());
        registry.register("request_seconds", "How long answers took", metrics.answers.clone());
        registry.register("events", "Number of the last event of the ledger", metrics.events.clone());
        registry.register("uploaded_bytes", "Bytes of uploads taken", metrics.uploaded.clone());
        metrics
    }
}

fn kind(job: &Job) -> &'static str {
    match job.what {
        Some(What::ScanUpload { .. }) => "scan-upload",
        Some(What::ScanTarget { .. }) => "scan-target",
        Some(What::Run { .. }) => "run",
        None => "unknown",
    }
}

impl Metrics {
    /// An attempt at a job has ended.
    pub(super) fn job(&self, job: &Job, done: bool, seconds: f64) {
        let (kind, outcome) = (kind(job), if done { "done" } else { "failed" });
        self.attempts.get_or_create(&Attempts { kind, outcome }).inc();
        self.seconds.get_or_create(&Kind { kind }).observe(seconds);
    }

    /// A part of a run has ended.
    pub(super) fn targets(&self, counts: &Counts) {
        for (outcome, targets) in [
            ("scanned", counts.scanned),
            ("unchanged", counts.unchanged),
            ("failed", counts.failed),
            ("skipped", counts.skipped),
        ] {
            self.targets.get_or_create(&Targets { outcome }).inc_by(targets);
        }
    }

    /// So much was uploaded.
    pub(super) fn uploaded(&self, bytes: u64) {
        self.uploaded.inc_by(bytes);
    }
}

/// Counts a request.
pub(super) async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    let clock = Instant::now();
    let usual = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
    let method = usual.into_iter().find(|method| request.method() == method).unwrap_or("other");
    let response = next.run(request).await;
    let requests = Requests { method, status: response.status().as_u16() };
    app.metrics.requests.get_or_create(&requests).inc();
    app.metrics.answers.observe(clock.elapsed().as_secs_f64());
    response
}

/// `/metrics`.
pub(super) async fn show(State(app): State<App>) -> Result<Response, Problem> {
    for lane in [super::jobs::Lane::Demand, super::jobs::Lane::Schedule] {
        for state in JobState::ALL {
            let queued = Queued { lane: lane.name(), state: state.name() };
            app.metrics.jobs.get_or_create(&queued).set(0);
        }
    }
    for (lane, state, count) in app.jobs().count().await? {
        let queued = Queued { lane: lane.name(), state: state.name() };
        app.metrics.jobs.get_or_create(&queued).set(count);
    }
    let (events, _) = app.ledger.head().await?;
    app.metrics.events.set(events.cast_signed());
    let mut text = String::new();
    if encode(&mut text, &app.metrics.registry).is_err() {
        return Err(Problem::internal());
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, kind)], text).into_response())
}

/// `/readyz`: whether the database answers.
pub(super) async fn ready(State(app): State<App>) -> Result<&'static str, Problem> {
    app.ledger.head().await?;
    Ok("ready\n")
}
