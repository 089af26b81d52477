//! The service as a process: it starts everything, and stops it in order.

use std::collections::HashSet;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use url::Url;

use super::App;
use super::jobs::{Lane, Queue, State, Wanted, Worker};
use crate::config::Config;
use crate::fetch::{Shared, Store};
use crate::ledger::{History, Ledger, LedgerError, Recorded};
use crate::model::{Deed, Lang};
use crate::outbox::{self, Sender};
use crate::rule::RuleSet;
use crate::scan::Scan;

/// The threads of a service. Some hold one up for a moment, when a part of a run is noted; who waits for an answer must
/// not wait for that.
pub fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    tokio::runtime::Builder::new_multi_thread().worker_threads(2 * processors + 2).enable_all().build()
}

/// How often it is looked whether a schedule is due.
const TICK: Duration = Duration::from_secs(1);
/// How often jobs without a ticket are looked for.
const SWEEP: Duration = Duration::from_secs(3);
/// How often codes that turn by the clock are brought up to date.
const TURN: Duration = Duration::from_secs(60);
/// How often notices are sent.
const SEND: Duration = Duration::from_secs(10);
/// How often what nothing rests on is thrown away.
const PRUNE: Duration = Duration::from_secs(6 * 3600);
/// Jobs of a process that is gone that the log names at most.
const TAKEN_OVER: u32 = 50;
/// What is under way besides jobs has so much longer than those.
const LAST: Duration = Duration::from_secs(5);

/// What a process of the service is started with.
pub struct Options {
    /// Address of the database.
    pub database: String,
    /// Everything else.
    pub config: Config,
    /// The rules.
    pub rules: Arc<RuleSet>,
    /// Where content is kept.
    pub store: Store,
    /// Who scans.
    pub scanner: Arc<dyn Scan>,
    /// Whether requests are taken and schedules kept, or only jobs done.
    pub serves: bool,
}

/// Why the service does not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// Another server has the same database.
    #[error("another server is running on {path} (process {process})", path = path.display())]
    Taken {
        /// The database.
        path: PathBuf,
        /// Number of its process.
        process: String,
    },
    /// The file by which servers know of each other cannot be written.
    #[error("{path}: {source}", path = path.display())]
    Lock {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The ledger cannot be opened.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The queue cannot be opened.
    #[error("queue: {0}")]
    Queue(String),
    /// The store that several machines share cannot be used.
    #[error("{address}: {source}")]
    Shared {
        /// Its address.
        address: Url,
        /// What is the matter.
        source: std::io::Error,
    },
    /// The address cannot be listened on.
    #[error("{address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The first account cannot be made.
    #[error("{0}")]
    Account(String),
}

impl StartError {
    /// What is the matter, in a language.
    pub fn words(&self, lang: Lang) -> String {
        match (self, lang) {
            (StartError::Ledger(error), lang) => error.words(lang),
            (StartError::Taken { path, process }, Lang::Zh) => {
                format!(
                    "{} 正由另一服务进程（{process}）使用；一个 SQLite 文件只能启动一个服务",
                    path.display()
                )
            }
            (StartError::Shared { address, source }, Lang::Zh) => {
                format!("无法使用共享存储 {address}：{source}")
            }
            (StartError::Listen { address, source }, Lang::Zh) => format!("无法监听 {address}：{source}"),
            (other, _) => other.to_string(),
        }
    }
}

/// A process of the service.
pub struct Service {
    app: App,
    queue: Queue,
    listener: Option<TcpListener>,
    password: Option<String>,
    copied: Option<PathBuf>,
    /// No second server on the same file while this lives.
    lock: Option<File>,
}

impl Service {
    /// Opens everything; nothing is done yet.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let Options { database, config, rules, store, scanner, serves } = options;
        let file = Ledger::sqlite_file(&database);
        let (lock, lost) = match file {
            Some(path) if serves => lock(Path::new(path)).map(|(file, lost)| (Some(file), lost))?,
            _ => (None, None),
        };
        let copied = if serves { Ledger::copy_before_migration(&database).await? } else { None };
        let ledger = Ledger::open(&database).await?;
        let queue = Queue::open(&database).await.map_err(|error| StartError::Queue(error.to_string()))?;
        let address = config.server.listen;
        let app = App::new(ledger, rules, store, config).with_queue(queue.clone()).with_scanner(scanner);
        let app = match app.config.server.shared_store.clone() {
            Some(address) => match Shared::open(&address, std::env::vars()) {
                Ok(shared) => app.with_shared(shared),
                Err(source) => return Err(StartError::Shared { address, source }),
            },
            None => app,
        };
        let (mut listener, mut password) = (None, None);
        if serves {
            let failed = |source| StartError::Listen { address, source };
            listener = Some(TcpListener::bind(address).await.map_err(failed)?);
            app.catch_up().await?;
            if let Some(process) = lost {
                let wanted = Wanted { state: Some(State::Running), ..Wanted::default() };
                let running = app.jobs().list(&wanted, None, TAKEN_OVER).await.map_err(LedgerError::from)?;
                let jobs: Vec<String> =
                    running.into_iter().filter(|job| !job.worker.is_empty()).map(|job| job.id).collect();
                let (under_way, jobs) = (jobs.len(), jobs.join(" "));
                tracing::warn!(process, under_way, jobs, "not stopped in order; these jobs are taken over");
            }
            let first = app.first_administrator().await;
            password = first.map_err(|problem| StartError::Account(problem.title_en.into()))?;
        }
        Ok(Service { app, queue, listener, password, copied, lock })
    }

    /// What requests see.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// Where requests are taken.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listener.as_ref()?.local_addr().ok()
    }

    /// The one-time password of the first administrator, at the first start.
    pub fn first_password(&self) -> Option<&str> {
        self.password.as_deref()
    }

    /// The copy of the database that was made before it was migrated.
    pub fn copied(&self) -> Option<&Path> {
        self.copied.as_deref()
    }

    /// Works until it is to stop. Then nothing new is begun, and what is under way may go on for a while.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let Service { app, queue, listener, lock, .. } = self;
        let config = &app.config.server;
        let (grace, workers, scheduled) = (config.grace, config.workers, config.scheduled_workers);
        let mut tasks = JoinSet::new();
        for (lane, at_a_time) in [(Lane::Demand, workers), (Lane::Schedule, scheduled)] {
            if at_a_time > 0 {
                let worker = Worker::new(app.clone(), queue.clone(), &name(), stop.clone(), grace);
                tasks.spawn(worker.work(lane, at_a_time));
            }
        }
        let at = app.clone();
        tasks.spawn(every(SWEEP, stop.clone(), move || {
            let app = at.clone();
            async move { app.jobs().sweep().await.map_err(|error| error.to_string()) }
        }));
        if let Some(listener) = listener {
            background(&app, &mut tasks, &stop);
            let server = app.serve(listener, stop.clone());
            tokio::pin!(server);
            tokio::select! {
                () = &mut server => {}
                () = stopped(&mut stop) => {
                    // A client that never ends must not hold up the end.
                    let _ = tokio::time::timeout(grace + LAST, server).await;
                }
            }
        } else {
            stopped(&mut stop).await;
        }
        let all = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(grace + LAST, all).await.is_err() {
            tracing::warn!("not everything ended in time; others will take it over");
        } else if let Some(Err(error)) = lock.map(|file| file.set_len(0)) {
            tracing::warn!(%error, "the next start will not know that this one ended in order");
        }
        tracing::info!("stopped");
    }
}

/// Waits until it is to stop. A sender that is gone stops too.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// What a server does besides answering.
fn background(app: &App, tasks: &mut JoinSet<()>, stop: &watch::Receiver<bool>) {
    let at = app.clone();
    tasks.spawn(every(TICK, stop.clone(), move || {
        let app = at.clone();
        async move { app.tick().await.map(drop).map_err(|error| error.to_string()) }
    }));
    let at = app.clone();
    tasks.spawn(every(TURN, stop.clone(), move || {
        let app = at.clone();
        async move { app.catch_up().await.map(drop).map_err(|error| error.to_string()) }
    }));
    let at = app.clone();
    tasks.spawn(every(PRUNE, stop.clone(), move || {
        let app = at.clone();
        async move { app.prune().await.map(drop).map_err(|error| error.to_string()) }
    }));
    if let Some(webhook) = app.config.webhook.clone() {
        let at = app.clone();
        tasks.spawn(every(SEND, stop.clone(), move || {
            let (app, webhook) = (at.clone(), webhook.clone());
            async move {
                let send = async {
                    let sender = Sender::new(&webhook, outbox::secret(&webhook.secret)?)?;
                    outbox::send_due(app.ledger.pool(), &sender, Timestamp::now).await
                };
                send.await.map(drop).map_err(|error| error.to_string())
            }
        }));
    }
}

impl App {
    /// Throws away content that is older than the configuration keeps it and on which neither the latest scan of a
    /// target nor an open finding nor a job nor a roster rests: files and bytes. Reports stay: they are in the chain
    /// of the ledger.
    pub async fn prune(&self) -> Result<(u64, u64), LedgerError> {
        let (policy, now) = (self.policy(), self.now());
        let each = |_: &str, events: Vec<Recorded>| {
            let history = History::of(policy, &events, now);
            let open = history.standing.open_findings(policy, now);
            let open: HashSet<&str> = open.iter().map(|finding| finding.rule.as_str()).collect();
            let scans = events.into_iter().rev().filter_map(|recorded| match recorded.event.deed {
                Deed::Scanned(scan) => Some(scan),
                _ => None,
            });
            let needed = scans.enumerate().filter(|(at, scan)| {
                *at == 0 || scan.findings.iter().any(|found| open.contains(found.rule.as_str()))
            });
            needed.map(|(_, scan)| scan.artifact).collect::<Vec<String>>()
        };
        let mut rests: HashSet<String> = self.ledger.map_targets(each).await?.into_iter().flatten().collect();
        let rows = sqlx::query("SELECT sha256 FROM roster").fetch_all(self.ledger.pool()).await?;
        for row in rows {
            rests.insert(sqlx::Row::try_get(&row, 0)?);
        }
        let sql = "SELECT what FROM job WHERE state IN ('waiting', 'running', 'dead')";
        let mut open = String::new();
        for row in sqlx::query(sql).fetch_all(self.ledger.pool()).await? {
            let what: String = sqlx::Row::try_get(&row, 0)?;
            open.push_str(&what);
        }
        let before = SystemTime::now().checked_sub(self.config.server.keep).unwrap_or(SystemTime::UNIX_EPOCH);
        let oldest = Timestamp::try_from(before).unwrap_or(Timestamp::UNIX_EPOCH);
        self.jobs().forget_missed(oldest).await?;
        let store = self.store.clone();
        let kept = Arc::new(move |sha256: &str| rests.contains(sha256) || open.contains(sha256));
        let rests = kept.clone();
        let pruned = tokio::task::spawn_blocking(move || store.prune(before, &*rests));
        let (mut files, mut bytes) = match pruned.await {
            Ok(Ok(pruned)) => pruned,
            Ok(Err(error)) => return Err(sqlx::Error::Io(error).into()),
            Err(_) => return Ok((0, 0)),
        };
        if let Some(shared) = self.shared.get() {
            let (more, larger) = shared.prune(before, &*kept).await.map_err(sqlx::Error::Io)?;
            (files, bytes) = (files + more, bytes + larger);
        }
        if files > 0 {
            tracing::info!(files, bytes, "thrown away");
        }
        Ok((files, bytes))
    }
}

/// Does something again and again until it is to stop. An error is told, and the next time is another.
async fn every<F: Future<Output = Result<(), String>>>(
    period: Duration,
    mut stop: watch::Receiver<bool>,
    what: impl Fn() -> F,
) {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = what().await {
            tracing::warn!(error, "in the background");
        }
    }
}

/// The name of this process among the workers.
fn name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = Some(host.trim()).filter(|host| !host.is_empty()).unwrap_or("worker").to_owned();
    format!("{host}-{}", std::process::id())
}

/// Takes the file beside a database by which servers know of each other. Who stops in order empties it: else the number
/// of the process that had it before comes with it.
fn lock(database: &Path) -> Result<(File, Option<String>), StartError> {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let path = PathBuf::from(path);
    let failed = |source| StartError::Lock { path: path.clone(), source };
    let mut file =
        File::options().create(true).truncate(false).read(true).write(true).open(&path).map_err(failed)?;
    let taken = file.try_lock().is_err();
    let mut process = String::new();
    file.read_to_string(&mut process).map_err(failed)?;
    if taken {
        return Err(StartError::Taken { path: database.to_owned(), process: process.trim().to_owned() });
    }
    let note = |file: &mut File| {
        file.set_len(0)?;
        file.rewind()?;
        write!(file, "{}", std::process::id())?;
        file.flush()
    };
    note(&mut file).map_err(failed)?;
    Ok((file, Some(process.trim().to_owned()).filter(|process| !process.is_empty())))
}
