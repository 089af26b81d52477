//! The queue: apalis in the database of the ledger, SQLite or PostgreSQL. It delivers tickets, watches over workers by
//! their heartbeats and gives the tickets of lost ones to others.

use std::time::Duration;

use apalis::prelude::{BackendExt, BoxDynError, Data, TaskBuilder, WorkerBuilder, WorkerBuilderExt};
use apalis_postgres::PostgresStorage;
use apalis_sqlite::SqliteStorage;
use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use thiserror::Error;
use tokio::sync::watch;

use super::{Lane, Worker};
use crate::ledger::Ledger;

/// How often a worker shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(5);
/// Of which so many may be missed.
const MISSED: usize = 2;
/// The migrations of the engine are not those of the ledger.
const MIGRATIONS: &str = "queue_migrations";

/// Names a job and its turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// The job.
    pub job: String,
    /// A ticket of an earlier turn does nothing.
    pub turn: i64,
}

/// Why the queue cannot do something.
#[derive(Debug, Error)]
pub enum QueueError {
    /// The database said no.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The tables could not be made.
    #[error(transparent)]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The engine of SQLite said no.
    #[error(transparent)]
    Sqlite(#[from] apalis_sqlite::Error),
    /// The engine of PostgreSQL said no.
    #[error(transparent)]
    Postgres(#[from] apalis_postgres::Error),
    /// A worker broke off.
    #[error(transparent)]
    Worker(#[from] apalis::prelude::WorkerError),
}

/// A queue.
#[derive(Debug, Clone)]
pub enum Queue {
    /// In a file.
    Sqlite(SqlitePool),
    /// On a server.
    Postgres(PgPool),
}

fn name(lane: Lane) -> &'static str {
    match lane {
        Lane::Demand => "zhijian-demand",
        Lane::Schedule => "zhijian-schedule",
    }
}

/// How often the queue is asked when it was empty.
fn every(lane: Lane) -> Duration {
    match lane {
        Lane::Demand => Duration::from_millis(200),
        Lane::Schedule => Duration::from_secs(1),
    }
}

impl Queue {
    /// Opens the queue in the database of a ledger, and makes it where there is none.
    pub async fn open(address: &str) -> Result<Self, QueueError> {
        if let Some(path) = Ledger::sqlite_file(address) {
            let options = SqliteConnectOptions::new()
                .filename(path)
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(Duration::from_secs(30));
            let pool = SqlitePoolOptions::new().max_connections(4).connect_with(options).await?;
            let mut migrations = SqliteStorage::<()>::migrations();
            migrations.dangerous_set_table_name(MIGRATIONS);
            migrations.run(&pool).await?;
            return Ok(Queue::Sqlite(pool));
        }
        let pool = PgPoolOptions::new()
            .max_connections(6)
            .acquire_timeout(Duration::from_secs(20))
            .connect(address)
            .await?;
        PostgresStorage::<()>::setup(&pool).await?;
        Ok(Queue::Postgres(pool))
    }

    /// Puts a ticket into a lane. Of two with the same key the second does nothing.
    pub async fn push(
        &self,
        lane: Lane,
        ticket: &Ticket,
        after: Duration,
        key: Option<&str>,
    ) -> Result<(), QueueError> {
        let bytes = serde_json::to_vec(ticket).map_err(|error| sqlx::Error::Encode(error.into()))?;
        let task = TaskBuilder::new(bytes);
        // At once is at 0: a clock that steps back must not hold it up.
        let task = if after.is_zero() { task.run_at_timestamp(0) } else { task.run_after(after) };
        let task = match key {
            Some(key) => task.idempotency_key(key),
            None => task,
        };
        match self {
            Queue::Sqlite(pool) => {
                let mut connection = pool.acquire().await?;
                apalis_sqlite::queries::push_tasks(&mut *connection, name(lane), &[task.build()]).await?;
            }
            Queue::Postgres(pool) => {
                let mut connection = pool.acquire().await?;
                let pushed =
                    apalis_postgres::queries::push_tasks(&mut *connection, name(lane), vec![task.build()]);
                match pushed.await {
                    Err(apalis_postgres::Error::Database(sqlx::Error::Database(error)))
                        if error.is_unique_violation() => {}
                    pushed => pushed?,
                }
            }
        }
        Ok(())
    }

    /// Works on what comes in a lane until it is to stop, so many jobs at a time. Errors are of the queue, not of
    /// jobs; after one the caller begins again.
    pub async fn work(
        &self,
        lane: Lane,
        at_a_time: usize,
        worker: Worker,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), QueueError> {
        let stopped = async move {
            // A sender that is gone stops too.
            let _ = stop.wait_for(|stop| *stop).await;
            Ok::<(), std::io::Error>(())
        };
        // Names of workers that went before are taken.
        let id = format!("{}-{}-{:08x}", worker.name(), lane.name(), fastrand::u32(..));
        match self {
            Queue::Sqlite(pool) => {
                let config = apalis_sqlite::Config::default()
                    .queue(name(lane))
                    .batch_size(1)
                    .heartbeat_interval(HEARTBEAT)
                    .missed_heartbeats(MISSED);
                let storage = SqliteStorage::<Ticket>::new(pool).with_config(config);
                let built = WorkerBuilder::new(id.as_str())
                    .backend(storage.poll_with_interval(every(lane)))
                    .concurrency(at_a_time)
                    .data(worker)
                    .build(perform);
                built.run_until(stopped).await?;
            }
            Queue::Postgres(pool) => {
                let config = apalis_postgres::Config::default()
                    .queue(name(lane))
                    .batch_size(1)
                    .heartbeat_interval(HEARTBEAT)
                    .missed_heartbeats(MISSED);
                let storage = PostgresStorage::<Ticket>::new(pool).with_config(config);
                let built = WorkerBuilder::new(id.as_str())
                    .backend(storage.poll_with_interval(every(lane)))
                    .concurrency(at_a_time)
                    .data(worker)
                    .build(perform);
                built.run_until(stopped).await?;
            }
        }
        Ok(())
    }
}

async fn perform(ticket: Ticket, worker: Data<Worker>) -> Result<(), BoxDynError> {
    worker.perform(&ticket).await.map_err(Into::into)
}
