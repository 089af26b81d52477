//! What a job does: the same as `zhijian scan` and `zhijian run --record`, by the same functions of the library.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::queue::QueueError;
use super::{
    Attempt, Begun, Call, Figures, Filter, Job, Jobs, Lane, Lease, MOST_ATTEMPTS, Queue, State, Ticket, What,
};
use crate::fetch::{Client, Journal};
use crate::ledger::target_keys;
use crate::model::{Lang, Level, Report, Wording, hex};
use crate::record::{self, Batch, RecordError, Recorder};
use crate::roster::{FilingRecord, Roster, Row};
use crate::run::{self, Busy, Counts, Crew, Folder, Knowledge, Stamp, Stop, Wishes};
use crate::scan::{Progress, ScanError, Scanner, Subject};
use crate::server::App;

/// How often a worker says that it lives, and how far it is.
const BEAT: Duration = Duration::from_secs(1);
/// A ticket whose job somebody else seems to be at comes again after so long.
const AGAIN: Duration = Duration::from_secs(5);
/// For so long a database that is away is waited for.
const PATIENCE: Duration = Duration::from_secs(120);
/// What was fetched for nobody in particular less than this ago is not asked for again.
const FRESH: Duration = Duration::from_secs(30 * 60);
/// Rosters with more rows are done in several parts.
const ONE_PART: usize = 50;
/// So many: all rows of a host are in the same one.
const PARTS: u32 = 32;

/// Works on jobs.
#[derive(Clone)]
pub struct Worker {
    app: App,
    queue: Queue,
    name: Arc<str>,
    /// The process is to end.
    stop: watch::Receiver<bool>,
    /// For so long what is under way then may go on.
    grace: Duration,
}

/// Why an attempt came to nothing.
enum Failure {
    /// It may go well another time.
    Transient(Wording),
    /// It will not.
    Lasting(Wording),
    /// It was broken off.
    Broken,
}

impl From<RecordError> for Failure {
    fn from(error: RecordError) -> Self {
        let words = Wording::of(|lang| error.words(lang));
        match error {
            RecordError::Ledger(_) | RecordError::File(_) => Failure::Transient(words),
            _ => Failure::Lasting(words),
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Failure::Transient(error.to_string().into())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::Transient(error.to_string().into())
    }
}

/// What a scan says that came to nothing.
fn refused(error: &ScanError) -> Wording {
    match error {
        // Formats give their causes in English.
        ScanError::NotAPackage { .. } => {
            let zh = "不是可检测的安装包、页面或者导出文件，或者文件不完整";
            (zh, error.words(Lang::En)).into()
        }
        error => Wording::of(|lang| error.words(lang)),
    }
}

/// How far an attempt is.
#[derive(Debug, Default)]
struct Gauge {
    done: AtomicI64,
    total: AtomicI64,
}

impl Progress for Gauge {
    fn begin(&self, total_bytes: u64) {
        self.total.fetch_add(i64::try_from(total_bytes).unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    fn advance(&self, bytes: u64) {
        self.done.fetch_add(i64::try_from(bytes).unwrap_or(i64::MAX), Ordering::Relaxed);
    }
}

impl Gauge {
    /// So much of so much.
    fn read(&self) -> (i64, i64) {
        (self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }
}

/// A run tells the gauge how many targets it has done.
struct Told(Arc<Gauge>);

impl run::Watch for Told {
    fn at(&self, counts: &Counts) {
        let done = counts.scanned + counts.unchanged + counts.failed + counts.skipped;
        self.0.done.store(i64::try_from(done).unwrap_or(i64::MAX), Ordering::Relaxed);
        self.0.total.store(i64::try_from(counts.planned).unwrap_or(i64::MAX), Ordering::Relaxed);
    }
}

/// Scans a file of the store. Every package that the service scans goes through here.
pub async fn scan_file(
    app: &App,
    path: PathBuf,
    subject: Subject,
    progress: Arc<dyn Progress + Send>,
) -> Result<Vec<Report>, ScanError> {
    let scanner = app.scanner();
    let at = path.clone();
    let scanned = tokio::task::spawn_blocking(move || scanner.scan_subject(&path, subject, &*progress)).await;
    scanned.unwrap_or_else(|panic| {
        Err(ScanError::Unreadable { path: at, source: std::io::Error::other(panic.to_string()) })
    })
}

impl Worker {
    /// A worker of a process, until it is to stop; then what is under way may go on for a while.
    pub fn new(app: App, queue: Queue, name: &str, stop: watch::Receiver<bool>, grace: Duration) -> Self {
        Worker { app, queue, name: name.into(), stop, grace }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn jobs(&self) -> Jobs {
        Jobs::new(self.app.ledger.pool().clone(), Some(self.queue.clone()))
    }

    /// Works on a lane until the process is to stop. A database that is away is waited for.
    pub async fn work(self, lane: Lane, at_a_time: usize) {
        let mut stop = self.stop.clone();
        while !*stop.borrow() {
            let worked = self.queue.work(lane, at_a_time, self.clone(), self.stop.clone()).await;
            if let Err(error) = worked {
                tracing::warn!(lane = lane.name(), %error, "the queue is away");
            }
            let _ = tokio::time::timeout(Duration::from_secs(1), stop.wait_for(|stop| *stop)).await;
        }
    }

    /// Does what a ticket says. The error is the database's, and the ticket will come again.
    pub(super) async fn perform(&self, ticket: &Ticket) -> Result<(), QueueError> {
        let jobs = self.jobs();
        match patient(|| jobs.begin(ticket, &self.name)).await? {
            Begun::Nothing => Ok(()),
            Begun::Busy(lane) => self.queue.push(lane, ticket, AGAIN, None).await,
            Begun::Attempt(attempt) => self.attempt(&jobs, &attempt).await,
        }
    }

    async fn attempt(&self, jobs: &Jobs, attempt: &Attempt) -> Result<(), QueueError> {
        let (gauge, stop) = (Arc::new(Gauge::default()), Stop::default());
        let id = &attempt.job.id;
        tracing::info!(job = id, attempt = attempt.number, worker = &*self.name, "begun");
        let clock = Instant::now();
        let mut cancelled = false;
        let done = {
            let work = self.done(jobs, attempt, gauge.clone(), stop.clone());
            tokio::pin!(work);
            let mut beats = tokio::time::interval(BEAT);
            beats.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let mut stopping: Option<Instant> = None;
            loop {
                tokio::select! {
                    done = &mut work => break done,
                    _ = beats.tick() => {}
                }
                let (done, total) = gauge.read();
                match jobs.beat(attempt, done, total).await {
                    Ok(Some(true)) => {}
                    Ok(Some(false)) => cancelled = true,
                    Ok(None) => {
                        stop.stop();
                        tracing::warn!(job = id, "another took the job over");
                        return Ok(());
                    }
                    // A database that is away does not stop a scan.
                    Err(error) => tracing::warn!(job = id, %error, "no sign of life"),
                }
                let upload = matches!(attempt.job.what, Some(What::ScanUpload { .. }));
                if *self.stop.borrow() {
                    stopping.get_or_insert_with(Instant::now);
                }
                if cancelled || stopping.is_some() {
                    // A run breaks off in order; a scan is finished, or left alone when it takes too long.
                    stop.stop();
                    let late = stopping.is_some_and(|since| since.elapsed() > self.grace);
                    if late || cancelled && upload {
                        break Err(Failure::Broken);
                    }
                }
            }
        };
        let (at, total) = gauge.read();
        let _ = jobs.beat(attempt, at, total).await;
        let seconds = clock.elapsed().as_secs_f64();
        self.app.metrics.job(&attempt.job, done.is_ok(), seconds);
        let last = attempt.number >= MOST_ATTEMPTS;
        match &done {
            Ok(Some(result)) => {
                patient(|| jobs.end(attempt, State::Done, "", result)).await?;
                tracing::info!(job = id, seconds, "done");
            }
            // A run that its parts go on with.
            Ok(None) => {}
            Err(Failure::Broken) if cancelled => {
                patient(|| jobs.end(attempt, State::Cancelled, "", "null")).await?;
                tracing::info!(job = id, "cancelled");
            }
            Err(Failure::Broken) => {
                patient(|| jobs.hand_back(attempt, None)).await?;
                tracing::info!(job = id, "handed back");
            }
            Err(Failure::Transient(cause)) if !last => {
                patient(|| jobs.hand_back(attempt, Some(cause))).await?;
                tracing::warn!(job = id, cause = cause.en, "to be tried again");
            }
            Err(Failure::Transient(cause) | Failure::Lasting(cause)) => {
                patient(|| jobs.end(attempt, State::Dead, cause.clone(), "null")).await?;
                tracing::error!(job = id, cause = cause.en, "given up");
            }
        }
        Ok(())
    }

    /// What came of it as JSON; `None` for what its parts go on with.
    async fn done(
        &self,
        jobs: &Jobs,
        attempt: &Attempt,
        gauge: Arc<Gauge>,
        stop: Stop,
    ) -> Result<Option<String>, Failure> {
        let job = &attempt.job;
        match &job.what {
            Some(What::ScanUpload { sha256, name, target, at }) => {
                let scanned = self.upload(sha256, name, target.as_deref(), *at, &job.actor, gauge);
                scanned.await.map(|result| Some(result.to_string()))
            }
            Some(What::ScanTarget { roster, lines, part, weixin }) => {
                let fresh = if job.lane == Lane::Demand { Duration::ZERO } else { FRESH };
                let part = Part { lines, number: *part, weixin: weixin.clone(), fresh };
                let figures = self.part(job, roster, part, gauge, stop).await?;
                Ok(serde_json::to_string(&figures).ok())
            }
            Some(What::Run { roster, filter, weixin, spread }) => {
                self.split(jobs, attempt, roster, filter, weixin.as_deref(), *spread).await?;
                Ok(None)
            }
            None => Err(Failure::Lasting(
                ("任务由其他版本写入，无法读取", "the job was written by another version").into(),
            )),
        }
    }

    fn recorder(&self) -> Recorder {
        Recorder::new(self.app.ledger.clone(), self.app.policy().clone(), &self.app.config)
    }

    async fn upload(
        &self,
        sha256: &str,
        name: &str,
        target: Option<&str>,
        at: Timestamp,
        actor: &str,
        gauge: Arc<Gauge>,
    ) -> Result<serde_json::Value, Failure> {
        let path = self.app.object(sha256).await?.ok_or_else(|| {
            Failure::Lasting(("上传的文件已不在存储中", "the uploaded file is not in the store").into())
        })?;
        let subject = Subject { name: name.to_owned(), as_of: Some(at), ..Subject::default() };
        let reports = scan_file(&self.app, path, subject, gauge).await.map_err(|error| {
            let words = refused(&error);
            match error {
                ScanError::Unreadable { .. } => Failure::Transient(words),
                _ => Failure::Lasting(words),
            }
        })?;
        let recorder = self.recorder();
        let mut batch = Batch::new(&recorder, actor.to_owned(), true);
        let mut shown = Vec::new();
        for report in reports {
            let (report, text) = record::with_json(report)?;
            let found = |level: Level| report.findings.iter().filter(|found| found.level == level).count();
            let key = target.map(str::to_owned).or_else(|| target_keys(&report).into_iter().next());
            shown.push(json!({
                "report": hex(&Sha256::digest(&text)),
                "target": key,
                "confirmed": found(Level::Confirmed),
                "suspected": found(Level::Suspected),
            }));
            batch.add(&report, text, target, at).await?;
        }
        // A second attempt after a crash finds its report there already, and the ledger knows the target's own key.
        for noted in batch.finish().await? {
            for shown in shown.iter_mut().filter(|shown| shown["report"] == noted.report) {
                shown["target"] = noted.target.clone().into();
                shown["event"] = noted.seq.into();
            }
        }
        self.catch_up().await?;
        Ok(json!({ "reports": shown }))
    }

    async fn catch_up(&self) -> Result<(), Failure> {
        let caught = self.app.catch_up().await;
        caught.map_err(|error| Failure::Transient(Wording::of(|lang| error.words(lang))))?;
        Ok(())
    }

    async fn roster(&self, id: &str) -> Result<(String, Roster), Failure> {
        let known = self.app.roster(id).await?;
        let known = known.ok_or_else(|| Failure::Lasting(("没有这份名录", "no such roster").into()))?;
        let roster = self.app.read_roster(&known.sha256).await.map_err(Failure::Lasting)?;
        Ok((known.name, roster))
    }

    /// Calls for the parts of a run.
    async fn split(
        &self,
        jobs: &Jobs,
        attempt: &Attempt,
        id: &str,
        filter: &Filter,
        weixin: Option<&str>,
        spread: u64,
    ) -> Result<(), Failure> {
        let (_, roster) = self.roster(id).await?;
        let parts = split(&roster, filter);
        for (number, lines) in &parts {
            let what = What::ScanTarget {
                roster: id.to_owned(),
                lines: lines.clone(),
                part: *number,
                weixin: weixin.map(str::to_owned),
            };
            let call = Call {
                what,
                lane: attempt.job.lane,
                key: format!("part:{}:{number}", attempt.job.id),
                actor: attempt.job.actor.clone(),
                after: Duration::from_secs(spread).mul_f64(fastrand::f64()),
                parent: Some((attempt.job.id.clone(), *number)),
            };
            let (part, _) = jobs.call(call).await?;
            // The run was called for again.
            if matches!(part.state, State::Dead | State::Cancelled) {
                jobs.requeue(&part.id).await?;
            }
        }
        jobs.leave_to_parts(attempt, parts.len() as u64).await?;
        Ok(())
    }

    async fn part(
        &self,
        job: &Job,
        id: &str,
        part: Part<'_>,
        gauge: Arc<Gauge>,
        stop: Stop,
    ) -> Result<Figures, Failure> {
        let (name, mut roster) = self.roster(id).await?;
        roster.rows.retain(|row| part.lines.binary_search(&row.line).is_ok());
        // What is wrong with a roster is told when it is added.
        roster.rejected.clear();
        roster.repeated.clear();
        let app = &self.app;
        let place = app.store.root().join("rosters").join(hex(&Sha256::digest(name.as_bytes())));
        std::fs::create_dir_all(&place)?;
        let place = place.join(part.number.to_string());
        std::fs::write(&place, &name)?;
        let folder = Folder::of(app.store.root(), &place)?;
        let scanner = Scanner::new(app.rules.clone(), FilingRecord::Unknown);
        let now = Timestamp::now();
        let (log, past) = folder.begin(|begun| run::resumes(begun, now)).map_err(|busy| match busy {
            Busy::Running(process) => {
                let zh = format!("该名录正由另一进程运行（{process}）");
                Failure::Transient((zh, format!("another run of the roster is under way ({process})")).into())
            }
            Busy::Disk(error) => error.into(),
        })?;
        let wishes = Wishes {
            fetch: &app.config.fetch,
            weixin: part.weixin.as_deref(),
            max_age: part.fresh,
            engine: &scanner.fingerprint(),
            now,
        };
        let known = |url: &_| app.store.known(url);
        let plan = run::plan(&roster, &wishes, Knowledge { past: &past, known: &known, stamp: &Stamp::of });
        let targets: Vec<(String, u64)> =
            plan.targets.iter().map(|target| (target.id.clone(), target.line)).collect();
        let client = Client::new(&app.config.fetch, Journal::open(&app.store.journal())?)
            .map_err(|error| Failure::Transient(Wording::of(|lang| error.words(lang))))?
            .with_pacer(Arc::new(Lease::new(app.ledger.pool().clone())));
        let client = if part.weixin.is_some() { client.with_weixin() } else { client };
        let crew = Crew {
            roster: roster.clone(),
            plan,
            past,
            folder: folder.clone(),
            log,
            client,
            store: app.store.clone(),
            scanner: Box::new(app.scanner()),
            weixin: part.weixin,
            stop,
            watch: Box::new(Told(gauge)),
        };
        let summary = crew.run().await?;
        let (noted, failed) =
            record::run_reports(&self.recorder(), &job.actor, &folder, &roster, &targets).await?;
        for noted in &noted {
            self.app.share(&noted.artifact).await?;
        }
        for (file, error) in failed {
            tracing::error!(file = %file.display(), %error, "not recorded");
        }
        self.catch_up().await?;
        let counts = summary.counts;
        if counts.left > 0 {
            return Err(Failure::Broken);
        }
        // PostgreSQL keeps no NUL.
        let key = |row: &Row| Some((row.line, row.entry.key()?.replace('\0', "\u{fffd}")));
        let keys = roster.rows.iter().filter_map(key).collect();
        self.jobs().note_missed(job, &summary.missed, &keys).await?;
        app.metrics.targets(&counts);
        if counts.failed > 0 {
            let causes =
                summary.reasons.iter().map(|one| format!("{} {}", one.targets, one.cause.words(Lang::En)));
            let causes = causes.collect::<Vec<_>>().join("; ");
            let (failed, skipped) = (counts.failed, counts.skipped);
            tracing::warn!(job = job.id, roster = name, failed, skipped, causes, "targets failed");
        }
        Ok(Figures {
            planned: counts.planned,
            scanned: counts.scanned,
            unchanged: counts.unchanged,
            failed: counts.failed,
            skipped: counts.skipped,
            recorded: noted.len() as u64,
        })
    }
}

/// A part of a roster.
struct Part<'a> {
    /// Lines of its rows, in order.
    lines: &'a [u64],
    number: u32,
    weixin: Option<String>,
    fresh: Duration,
}

/// The part a row belongs to: always the same, and the same for all rows of a host, so that what is remembered of a
/// row is found again and the rows of a host are not spread over workers that wait for each other.
pub(in crate::server) fn part_of(row: &Row, rows: usize) -> u32 {
    if rows <= ONE_PART {
        return 1;
    }
    let host = match &row.address {
        Some(crate::roster::Address::Web(url)) => url.host_str().unwrap_or_default(),
        _ => "",
    };
    let digest = Sha256::digest(host.as_bytes());
    1 + u32::from_le_bytes([digest[0], digest[1], digest[2], digest[3]]) % PARTS
}

fn split(roster: &Roster, filter: &Filter) -> BTreeMap<u32, Vec<u64>> {
    let mut parts: BTreeMap<u32, Vec<u64>> = BTreeMap::new();
    for row in roster.rows.iter().filter(|row| filter.takes(row)) {
        parts.entry(part_of(row, roster.rows.len())).or_default().push(row.line);
    }
    parts.values_mut().for_each(|lines| lines.sort_unstable());
    parts
}

impl Filter {
    fn takes(&self, row: &Row) -> bool {
        let entry = &row.entry;
        let of = |wanted: &Option<String>, said: &Option<String>| {
            wanted.as_ref().is_none_or(|wanted| said.as_ref() == Some(wanted))
        };
        let inside = self.region.as_ref().is_none_or(|region| {
            entry.region.as_ref().is_some_and(|said| {
                said.strip_prefix(region.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        });
        let kind = self.target.as_ref().is_none_or(|wanted| {
            serde_json::to_value(entry.kind).is_ok_and(|kind| kind.as_str() == Some(wanted))
        });
        inside && kind && of(&self.owner, &entry.owner)
    }
}

/// Does something with the database again while that is away.
async fn patient<T, F: Future<Output = Result<T, sqlx::Error>>>(
    mut what: impl FnMut() -> F,
) -> Result<T, sqlx::Error> {
    let clock = Instant::now();
    let mut wait = Duration::from_millis(100);
    loop {
        match what().await {
            Err(error) if clock.elapsed() < PATIENCE => {
                tracing::warn!(%error, "the database is away");
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(Duration::from_secs(3));
            }
            done => return done,
        }
    }
}
