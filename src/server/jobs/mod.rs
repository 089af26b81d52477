//! Jobs: what is to be done, by whom it is being done, and what came of it.
//!
//! ```text
//! API, schedule ─▶ job (table) ─▶ ticket in the queue (apalis) ─▶ worker ─▶ ledger
//!                     ▲                                            │
//!                     └── beat, progress, result ──────────────────┘
//! ```
//!
//! The table is what is true, and the queue delivers: a ticket names a job and its turn, and a ticket whose turn has
//! passed does nothing. A job without a ticket gets one from [`Jobs::sweep`]. Whoever works on a job gives signs of
//! life; when they stop, another takes over, and what the first still says is not heard: each attempt has a number.

mod lease;
mod missed;
mod queue;
mod work;

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use sqlx::{AnyPool, AssertSqlSafe, Row};

use crate::model::{Lang, Wording, hex};

pub use lease::Lease;
pub use missed::Miss;
pub use queue::{Queue, Ticket};
pub use work::{Worker, scan_file};

/// Attempts after which a job is dead.
pub const MOST_ATTEMPTS: i64 = 5;
/// Whoever gives no sign of life for so long is taken for dead, in milliseconds. Clocks of several machines may
/// differ by less than this.
const LOST: i64 = 15_000;
/// Wait before the second attempt, in milliseconds; each further is twice as long.
const FIRST_WAIT: i64 = 2_000;
/// Longest such wait.
const LAST_WAIT: i64 = 300_000;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "snake_case")]
pub enum What {
    /// A file of the store is scanned.
    ScanUpload {
        /// Its digest.
        sha256: String,
        /// Its name, as uploaded.
        name: String,
        /// Whose it is, where the uploader says so.
        target: Option<String>,
        /// When it was uploaded: the moment its days are counted to.
        at: Timestamp,
    },
    /// Rows of a roster are fetched and scanned.
    ScanTarget {
        /// Number of the roster.
        roster: String,
        /// Lines of the rows.
        lines: Vec<u64>,
        /// Which part of the roster they are of: what is remembered of them is kept by parts.
        part: u32,
        /// By what document `mp.weixin.qq.com` is asked.
        weixin: Option<String>,
    },
    /// A roster is fetched and scanned, in parts.
    Run {
        /// Number of the roster.
        roster: String,
        /// Which rows.
        #[serde(default)]
        filter: Filter,
        /// By what document `mp.weixin.qq.com` is asked.
        weixin: Option<String>,
        /// The parts begin within so many seconds.
        #[serde(default)]
        spread: u64,
    },
}

/// Which rows of a roster. What is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// Region and everything in it.
    pub region: Option<String>,
    /// Owner, exactly.
    pub owner: Option<String>,
    /// Kind of target: `mini-program`.
    pub target: Option<String>,
}

/// Which workers do a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Lane {
    /// Somebody waits for it.
    Demand,
    /// Nobody waits for it.
    Schedule,
}

/// How far a job is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Nobody has begun, or it is to be tried again.
    Waiting,
    /// Somebody is at it.
    Running,
    /// It is done.
    Done,
    /// It was given up: people look at it and may call for it again.
    Dead,
    /// Somebody did not want it any more.
    Cancelled,
}

impl Job {
    /// What went wrong last, in a language; empty where nothing did.
    pub fn error(&self, lang: Lang) -> &str {
        // Earlier versions wrote both languages into one.
        if self.error_en.is_empty() { &self.error } else { lang.pick(&self.error, &self.error_en) }
    }

    /// Number of the roster that a run or a part of it is of.
    pub fn roster(&self) -> Option<&str> {
        match &self.what {
            Some(What::Run { roster, .. } | What::ScanTarget { roster, .. }) => Some(roster),
            _ => None,
        }
    }

    /// What came of a run or a part of it, so far.
    pub fn figures(&self) -> Option<Figures> {
        let is_run = matches!(self.what, Some(What::Run { .. } | What::ScanTarget { .. }));
        is_run.then(|| serde_json::from_value(self.result.clone()).ok())?
    }
}

impl State {
    /// Every state.
    pub const ALL: [State; 5] = [State::Waiting, State::Running, State::Done, State::Dead, State::Cancelled];

    /// Whether there is still something to come.
    pub fn is_open(self) -> bool {
        matches!(self, State::Waiting | State::Running)
    }

    /// Its name: `waiting`.
    pub fn name(self) -> &'static str {
        match self {
            State::Waiting => "waiting",
            State::Running => "running",
            State::Done => "done",
            State::Dead => "dead",
            State::Cancelled => "cancelled",
        }
    }

    fn named(name: &str) -> Self {
        State::ALL.into_iter().find(|state| state.name() == name).unwrap_or(State::Dead)
    }
}

impl Lane {
    /// Its name: `demand`.
    pub fn name(self) -> &'static str {
        match self {
            Lane::Demand => "demand",
            Lane::Schedule => "schedule",
        }
    }
}

/// A job.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Job {
    /// Number; later jobs have greater ones.
    pub id: String,
    /// What is to be done; `null` where another version of the program wrote what this one cannot read.
    pub what: Option<What>,
    /// Which workers do it.
    pub lane: Lane,
    /// How far it is.
    pub state: State,
    /// How often it was begun.
    pub attempts: i64,
    /// What is done of it: bytes of an upload, targets of a run.
    pub progress: i64,
    /// Of so much; 0 while that is not known.
    pub total: i64,
    /// What went wrong last, in Chinese; empty where nothing did.
    pub error: String,
    /// `error` in English.
    pub error_en: String,
    /// What came of it: for a scan its events, for a run its figures.
    pub result: serde_json::Value,
    /// Who works or worked on it.
    pub worker: String,
    /// Who called for it.
    pub actor: String,
    /// When it was called for.
    pub created: Timestamp,
    /// Not before then.
    pub not_before: Timestamp,
    /// When the latest attempt began.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Whether somebody wants it to stop.
    pub cancelling: bool,
    /// The job that called for it; empty where people or the schedule did.
    pub parent: String,
    #[serde(skip)]
    turn: i64,
}

/// The jobs of a database.
#[derive(Debug, Clone)]
pub struct Jobs {
    pool: AnyPool,
    queue: Option<Queue>,
}

/// An attempt at a job. What it says is heard while no other has begun.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The job as it was when the attempt began.
    pub job: Job,
    number: i64,
}

/// What a job is called for with.
#[derive(Debug, Clone)]
pub struct Call {
    /// What is to be done.
    pub what: What,
    /// By which workers.
    pub lane: Lane,
    /// Of two calls with the same key the second gets the job of the first while that is open.
    pub key: String,
    /// Who calls.
    pub actor: String,
    /// Not before so long.
    pub after: Duration,
    /// The job that calls, and which of its parts this is.
    pub parent: Option<(String, u32)>,
}

const COLUMNS: &str = "id, what, lane, state, attempts, progress, total, error, result, worker, actor, created, \
                       not_before, started, ended, cancel, parent, turn, error_en";

/// What goes wrong here is the database's.
pub type Outcome<T> = Result<T, sqlx::Error>;

impl Jobs {
    /// The jobs of a database; without a queue they get their tickets from whoever has one.
    pub fn new(pool: AnyPool, queue: Option<Queue>) -> Self {
        Jobs { pool, queue }
    }

    /// Calls for a job. When this returns the job is on disk. A job with the same key that is still open is returned
    /// instead, and `false`.
    pub async fn call(&self, call: Call) -> Outcome<(Job, bool)> {
        let now = now();
        let not_before = now + i64::try_from(call.after.as_millis()).unwrap_or(i64::MAX / 2);
        let id = match &call.parent {
            Some((parent, part)) => format!("{parent}-{part:04}"),
            None => new_id(now),
        };
        let what = serde_json::to_string(&call.what).map_err(|error| sqlx::Error::Encode(error.into()))?;
        let kind = match call.what {
            What::ScanUpload { .. } => "scan-upload",
            What::ScanTarget { .. } => "scan-target",
            What::Run { .. } => "run",
        };
        let parent = call.parent.map(|(parent, _)| parent).unwrap_or_default();
        // Twice: the open job may be over between the two statements.
        for _ in 0..2 {
            let sql = "INSERT INTO job (id, kind, what, lane, open_key, state, turn, attempts, progress, total, \
                       error, result, worker, actor, created, not_before, started, beat, ended, cancel, parent) \
                       VALUES ($1, $2, $3, $4, $5, 'waiting', 0, 0, 0, 0, '', 'null', '', $6, $7, $8, 0, 0, 0, 0, $9) \
                       ON CONFLICT DO NOTHING";
            let inserted = sqlx::query(sql)
                .bind(id.clone())
                .bind(kind)
                .bind(what.clone())
                .bind(call.lane.name())
                .bind(call.key.clone())
                .bind(call.actor.clone())
                .bind(now)
                .bind(not_before)
                .bind(parent.clone())
                .execute(&self.pool)
                .await?;
            let made = inserted.rows_affected() > 0;
            let found = match made {
                true => self.one(&id).await?,
                false => {
                    let sql = format!(
                        "SELECT {COLUMNS} FROM job WHERE id = $1 OR (open_key = $2 AND state IN ('waiting', 'running'))"
                    );
                    let query = sqlx::query(AssertSqlSafe(sql)).bind(id.clone()).bind(call.key.clone());
                    query.fetch_optional(&self.pool).await?.as_ref().map(read).transpose()?
                }
            };
            if let Some(job) = found {
                if made {
                    self.ticket(&job, call.after).await;
                }
                return Ok((job, made));
            }
        }
        Err(sqlx::Error::RowNotFound)
    }

    /// Puts a ticket into the queue. Where that fails, the sweep does it later.
    async fn ticket(&self, job: &Job, after: Duration) {
        let Some(queue) = &self.queue else { return };
        let ticket = Ticket { job: job.id.clone(), turn: job.turn };
        let key = format!("{}.{}", ticket.job, ticket.turn);
        if let Err(error) = queue.push(job.lane, &ticket, after, Some(&key)).await {
            tracing::warn!(job = job.id, %error, "no ticket yet");
        }
    }

    /// One job.
    pub async fn one(&self, id: &str) -> Outcome<Option<Job>> {
        let sql = format!("SELECT {COLUMNS} FROM job WHERE id = $1");
        let row = sqlx::query(AssertSqlSafe(sql)).bind(id.to_owned()).fetch_optional(&self.pool).await?;
        row.as_ref().map(read).transpose()
    }

    /// Jobs, the latest first, before an id, at most so many; those of a state, of a kind, of a parent.
    pub async fn list(&self, wanted: &Wanted, before: Option<&str>, limit: u32) -> Outcome<Vec<Job>> {
        let mut sql = format!("SELECT {COLUMNS} FROM job WHERE 1 = 1");
        let mut texts = Vec::new();
        let state = wanted.state.map(|state| state.name().to_owned());
        for (condition, text) in [
            ("state = ", state),
            ("kind = ", wanted.kind.clone()),
            ("parent = ", wanted.parent.clone()),
            ("actor = ", wanted.actor.clone()),
            ("id < ", before.map(str::to_owned)),
        ] {
            if let Some(text) = text {
                texts.push(text);
                sql.push_str(&format!(" AND {condition}${}", texts.len()));
            }
        }
        sql.push_str(&format!(" ORDER BY id DESC LIMIT {limit}"));
        let query = texts.into_iter().fold(sqlx::query(AssertSqlSafe(sql)), |query, text| query.bind(text));
        query.fetch_all(&self.pool).await?.iter().map(read).collect()
    }

    /// How many jobs there are of each state, by lane.
    pub async fn count(&self) -> Outcome<Vec<(Lane, State, i64)>> {
        let sql = "SELECT lane, state, COUNT(*) FROM job GROUP BY lane, state";
        let rows = sqlx::query(sql).fetch_all(&self.pool).await?;
        let read = |row: &AnyRow| {
            let (lane, state): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            Ok((self::lane(&lane), State::named(&state), row.try_get(2)?))
        };
        rows.iter().map(read).collect()
    }

    /// Does without a job and its parts. What is under way ends at its next sign of life. `false` where there is no
    /// such open job.
    pub async fn cancel(&self, id: &str) -> Outcome<bool> {
        let now = now();
        let mut transaction = self.pool.begin().await?;
        // What waits, and a run that only waits for its parts, is over at once.
        let sql = "UPDATE job SET state = 'cancelled', cancel = 1, ended = $1 \
                   WHERE (id = $2 OR parent = $2) AND (state = 'waiting' OR (state = 'running' AND worker = ''))";
        let waiting = sqlx::query(sql).bind(now).bind(id.to_owned()).execute(&mut *transaction).await?;
        let sql = "UPDATE job SET cancel = 1 WHERE (id = $1 OR parent = $1) AND state = 'running'";
        let running = sqlx::query(sql).bind(id.to_owned()).execute(&mut *transaction).await?;
        transaction.commit().await?;
        Ok(waiting.rows_affected() + running.rows_affected() > 0)
    }

    /// Calls for a dead or cancelled job again. `None` where there is none, or the same is open already.
    pub async fn requeue(&self, id: &str) -> Outcome<Option<Job>> {
        let sql = "UPDATE job SET state = 'waiting', turn = turn + 1, attempts = 0, progress = 0, cancel = 0, \
                   ended = 0, not_before = $1 WHERE id = $2 AND state IN ('dead', 'cancelled')";
        let updated = sqlx::query(sql).bind(now()).bind(id.to_owned()).execute(&self.pool).await;
        let changed = match updated {
            Ok(done) => done.rows_affected() > 0,
            Err(sqlx::Error::Database(error)) if error.is_unique_violation() => false,
            Err(error) => return Err(error),
        };
        if !changed {
            return Ok(None);
        }
        let job = self.one(id).await?;
        if let Some(job) = &job {
            self.ticket(job, Duration::ZERO).await;
        }
        Ok(job)
    }

    /// Begins an attempt, if the ticket is of the present turn and nobody who lives is at the job.
    pub async fn begin(&self, ticket: &Ticket, worker: &str) -> Outcome<Begun> {
        let now = now();
        let sql = "UPDATE job SET state = 'running', attempts = attempts + 1, worker = $1, started = $2, beat = $2, \
                   progress = 0 WHERE id = $3 AND turn = $4 AND (state = 'waiting' \
                   OR (state = 'running' AND worker <> '' AND (beat < $5 OR beat > $6)))";
        let begun = sqlx::query(sql)
            .bind(worker.to_owned())
            .bind(now)
            .bind(ticket.job.clone())
            .bind(ticket.turn)
            .bind(now - LOST)
            .bind(now + LOST)
            .execute(&self.pool)
            .await?;
        let Some(job) = self.one(&ticket.job).await?.filter(|job| job.turn == ticket.turn) else {
            return Ok(Begun::Nothing);
        };
        if begun.rows_affected() == 0 {
            // Somebody seems to be at it; when that is an error, the ticket has to come again.
            let busy = job.state == State::Running && !job.worker.is_empty();
            return Ok(if busy { Begun::Busy(job.lane) } else { Begun::Nothing });
        }
        let number = job.attempts;
        let attempt = Attempt { job, number };
        // A job that kills whoever works on it.
        if number > MOST_ATTEMPTS {
            let words = ("工作进程多次中断", "the worker was lost again and again");
            self.end(&attempt, State::Dead, words, "null").await?;
            return Ok(Begun::Nothing);
        }
        Ok(Begun::Attempt(Box::new(attempt)))
    }

    /// A sign of life, and how far the attempt is. `None` when the attempt is no longer heard; else whether the job
    /// is still wanted.
    pub async fn beat(&self, attempt: &Attempt, progress: i64, total: i64) -> Outcome<Option<bool>> {
        let sql = "UPDATE job SET beat = $1, progress = $2, total = $3 \
                   WHERE id = $4 AND state = 'running' AND attempts = $5 AND turn = $6 RETURNING cancel";
        let row = sqlx::query(sql)
            .bind(now())
            .bind(progress)
            .bind(total)
            .bind(attempt.job.id.clone())
            .bind(attempt.number)
            .bind(attempt.job.turn)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| Ok(row.try_get::<i64, _>(0)? == 0)).transpose()
    }

    /// Ends an attempt, and the job with it. `false` when the attempt is no longer heard.
    pub async fn end(
        &self,
        attempt: &Attempt,
        state: State,
        error: impl Into<Wording>,
        result: &str,
    ) -> Outcome<bool> {
        let Wording { zh, en } = error.into();
        let sql = "UPDATE job SET state = $1, error = $2, result = $3, ended = $4, error_en = $8 \
                   WHERE id = $5 AND state = 'running' AND attempts = $6 AND turn = $7";
        let ended = sqlx::query(sql)
            .bind(state.name())
            .bind(zh)
            .bind(result.to_owned())
            .bind(now())
            .bind(attempt.job.id.clone())
            .bind(attempt.number)
            .bind(attempt.job.turn)
            .bind(en)
            .execute(&self.pool)
            .await?;
        if !attempt.job.parent.is_empty() {
            self.settle(&attempt.job.parent).await?;
        }
        Ok(ended.rows_affected() > 0)
    }

    /// Leaves a run to its parts: it is over when they are.
    pub async fn leave_to_parts(&self, attempt: &Attempt, parts: u64) -> Outcome<()> {
        let sql =
            "UPDATE job SET worker = '', total = $1 WHERE id = $2 AND state = 'running' AND attempts = $3";
        let query = sqlx::query(sql).bind(parts.cast_signed()).bind(attempt.job.id.clone());
        query.bind(attempt.number).execute(&self.pool).await?;
        self.settle(&attempt.job.id).await
    }

    /// Notes how many parts of a run are over, and ends it with the last of them.
    async fn settle(&self, parent: &str) -> Outcome<()> {
        let sql = "SELECT state, result FROM job WHERE parent = $1";
        let rows = sqlx::query(sql).bind(parent.to_owned()).fetch_all(&self.pool).await?;
        let (mut open, mut dead) = (0, 0);
        let mut sum = Figures::default();
        for row in &rows {
            let (state, result): (String, String) = (row.try_get(0)?, row.try_get(1)?);
            let state = State::named(&state);
            open += i64::from(state.is_open());
            dead += i64::from(state == State::Dead);
            if let Ok(figures) = serde_json::from_str::<Figures>(&result) {
                sum.add(&figures);
            }
        }
        let over = rows.len().cast_signed() as i64 - open;
        let result = serde_json::to_string(&sum).unwrap_or_default();
        let sql =
            "UPDATE job SET progress = $1, result = $2 WHERE id = $3 AND state = 'running' AND worker = ''";
        let query = sqlx::query(sql).bind(over).bind(result).bind(parent.to_owned());
        query.execute(&self.pool).await?;
        if open == 0 {
            let (state, error) = match dead {
                0 => (State::Done, Wording::from("")),
                _ => (
                    State::Dead,
                    (format!("{dead} 部分未完成"), format!("{dead} parts were given up")).into(),
                ),
            };
            let sql = "UPDATE job SET state = $1, error = $2, ended = $3, error_en = $5 \
                       WHERE id = $4 AND state = 'running' AND worker = '' AND progress >= total";
            let query = sqlx::query(sql).bind(state.name()).bind(error.zh).bind(now());
            query.bind(parent.to_owned()).bind(error.en).execute(&self.pool).await?;
        }
        Ok(())
    }

    /// Gives a job back: to be tried again after a wait, or, where the worker is to stop, by another at once.
    pub async fn hand_back(&self, attempt: &Attempt, error: Option<&Wording>) -> Outcome<()> {
        let wait = match error {
            // What comes back at the same moment for many jobs must not come back together.
            Some(_) => {
                let doubled = FIRST_WAIT << attempt.number.clamp(1, 10);
                (doubled.min(LAST_WAIT) as f64 * (0.5 + fastrand::f64() / 2.0)) as i64
            }
            None => 0,
        };
        let counted = i64::from(error.is_some());
        let Wording { zh, en } = error.cloned().unwrap_or_else(|| "".into());
        let sql = "UPDATE job SET state = 'waiting', turn = turn + 1, attempts = attempts - 1 + $1, error = $2, \
                   not_before = $3, error_en = $7 WHERE id = $4 AND state = 'running' AND attempts = $5 AND turn = $6";
        let given = sqlx::query(sql)
            .bind(counted)
            .bind(zh)
            .bind(now() + wait)
            .bind(attempt.job.id.clone())
            .bind(attempt.number)
            .bind(attempt.job.turn)
            .bind(en)
            .execute(&self.pool)
            .await?;
        if given.rows_affected() > 0
            && let Some(job) = self.one(&attempt.job.id).await?
        {
            self.ticket(&job, Duration::from_millis(wait.unsigned_abs())).await;
        }
        Ok(())
    }

    /// Puts right what fell between two steps: jobs without a ticket, jobs whose worker is lost and whose ticket is
    /// gone, runs whose parts are over. To be called every few seconds by whoever has a queue.
    pub async fn sweep(&self) -> Outcome<()> {
        let now = now();
        // The engine itself delivers tickets of lost workers again; this is for those that it lost.
        let sql = "UPDATE job SET state = 'waiting', turn = turn + 1, not_before = $1 \
                   WHERE state = 'running' AND worker <> '' AND beat < $2";
        sqlx::query(sql).bind(now).bind(now - 4 * LOST).execute(&self.pool).await?;
        // Calls of processes that have no queue are taken up at once.
        let sql = format!(
            "SELECT {COLUMNS} FROM job WHERE state = 'waiting' AND not_before <= $1 ORDER BY id LIMIT 1000"
        );
        for row in sqlx::query(AssertSqlSafe(sql)).bind(now).fetch_all(&self.pool).await? {
            self.ticket(&read(&row)?, Duration::ZERO).await;
        }
        let sql = "SELECT id FROM job WHERE state = 'running' AND worker = ''";
        for row in sqlx::query(sql).fetch_all(&self.pool).await? {
            self.settle(row.try_get(0)?).await?;
        }
        Ok(())
    }
}

/// Which jobs a list holds. What is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// How far they are.
    pub state: Option<State>,
    /// `scan-upload`, `scan-target`, `run`.
    pub kind: Option<String>,
    /// Parts of this run.
    pub parent: Option<String>,
    /// Who called for them.
    pub actor: Option<String>,
}

/// What came of a ticket.
#[derive(Debug)]
pub enum Begun {
    /// Work on this.
    Attempt(Box<Attempt>),
    /// Somebody is at it.
    Busy(Lane),
    /// There is nothing to do.
    Nothing,
}

/// What came of a run or a part of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Figures {
    /// Targets that were to be scanned.
    pub planned: u64,
    /// Targets with a new report.
    pub scanned: u64,
    /// Targets that are as they were.
    pub unchanged: u64,
    /// Targets that were tried and have no report.
    pub failed: u64,
    /// Targets that nothing can be done about.
    pub skipped: u64,
    /// Reports that went into the ledger.
    pub recorded: u64,
}

impl Figures {
    fn add(&mut self, other: &Figures) {
        let Figures { planned, scanned, unchanged, failed, skipped, recorded } = other;
        for (sum, more) in [
            (&mut self.planned, planned),
            (&mut self.scanned, scanned),
            (&mut self.unchanged, unchanged),
            (&mut self.failed, failed),
            (&mut self.skipped, skipped),
            (&mut self.recorded, recorded),
        ] {
            *sum = sum.saturating_add(*more);
        }
    }
}

fn lane(name: &str) -> Lane {
    if name == Lane::Demand.name() { Lane::Demand } else { Lane::Schedule }
}

fn read(row: &AnyRow) -> Outcome<Job> {
    let text = |at: usize| row.try_get::<String, _>(at);
    let number = |at: usize| row.try_get::<i64, _>(at);
    let moment = |at: usize| number(at).map(|ms| Timestamp::from_millisecond(ms).unwrap_or_default());
    let later = |at: usize| {
        number(at).map(|ms| (ms != 0).then(|| Timestamp::from_millisecond(ms).unwrap_or_default()))
    };
    Ok(Job {
        id: text(0)?,
        what: serde_json::from_str(&text(1)?).ok(),
        lane: lane(&text(2)?),
        state: State::named(&text(3)?),
        attempts: number(4)?,
        progress: number(5)?,
        total: number(6)?,
        error: text(7)?,
        result: serde_json::from_str(&text(8)?).unwrap_or_default(),
        worker: text(9)?,
        actor: text(10)?,
        created: moment(11)?,
        not_before: moment(12)?,
        started: later(13)?,
        ended: later(14)?,
        cancelling: number(15)? != 0,
        parent: text(16)?,
        turn: number(17)?,
        error_en: text(18)?,
    })
}

/// Milliseconds since 1970.
pub(super) fn now() -> i64 {
    Timestamp::now().as_millisecond()
}

/// An id that is greater than those before, and that nobody guesses.
pub(super) fn new_id(now: i64) -> String {
    let random: [u8; 8] = std::array::from_fn(|_| fastrand::u8(..));
    format!("{:012x}{}", now.max(0), hex(&random))
}
