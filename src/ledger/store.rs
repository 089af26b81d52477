//! Where the ledger is kept: SQLite or PostgreSQL, by the address of the database.
//!
//! A writer locks the head of the chain, adds its events behind it and commits: either all of them are there or none,
//! and two writers come one after the other. What [`Ledger::append`] has returned is on disk.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::Duration;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use futures_util::TryStreamExt;
use jiff::Timestamp;
use rayon::prelude::*;
use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, AssertSqlSafe, Connection, Executor, Row, SqlSafeStr, Transaction};
use std::io::{self, Read, Write};
use thiserror::Error;

use super::backup::BackupError;
use super::chain::{GENESIS, Link};
use super::standing::{Recorded, Standing, in_order};
use crate::model::{Deed, Event, Lang, OnRecord};
use crate::outbox::{self, Delivery};

/// Migrations by number, for SQLite; for PostgreSQL the type `BLOB` is `BYTEA`, and a key that counts by itself
/// `BIGSERIAL`.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "ledger", include_str!("migrations/0001_ledger.sql")),
    (2, "outbox", include_str!("migrations/0002_outbox.sql")),
    (3, "view", include_str!("migrations/0003_view.sql")),
    (4, "people", include_str!("migrations/0004_people.sql")),
    (5, "job", include_str!("migrations/0005_job.sql")),
    (7, "turned", include_str!("migrations/0007_turned.sql")),
    (8, "missed", include_str!("migrations/0008_missed.sql")),
];

/// A ledger that is gone with the process.
const MEMORY: &str = "sqlite::memory:";

/// How long a connection may take to come.
const PATIENCE: Duration = Duration::from_secs(20);
/// How often other tasks are let go first.
const TURNS: usize = 1000;
/// After this long it is looked why the first one does not come.
const REFUSED: Duration = Duration::from_secs(2);

/// Events that go to the database in one statement.
const BATCH: usize = 200;
/// Events that are held while all targets are looked at, about.
const HELD: usize = 20_000;
/// A report is larger than this only by mistake or malice.
const MAX_DOCUMENT: u64 = 256 << 20;

/// Why the ledger could not do something.
#[derive(Debug, Error)]
pub enum LedgerError {
    /// The address is neither of SQLite nor of PostgreSQL.
    #[error("{0:?} is no database: sqlite:FILE or postgres://…")]
    Address(String),
    /// The database was made by a newer version of the program.
    #[error("the database is of a newer version of zhijian (migration {0}); use that version")]
    Newer(i64),
    /// The database said no.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The tables could not be made.
    #[error(transparent)]
    Migration(MigrateError),
    /// A row cannot be read.
    #[error("event {seq}: {cause}")]
    Event {
        /// Its number.
        seq: u64,
        /// What is wrong.
        cause: String,
    },
    /// A document that an event names is not what its digest says, or cannot be kept.
    #[error("document {digest}: {cause}")]
    Document {
        /// Its digest.
        digest: String,
        /// What is wrong.
        cause: String,
    },
    /// The moment of an event is none that the ledger can keep.
    #[error("{0} is not between 1970 and 2200")]
    Moment(Timestamp),
}

impl LedgerError {
    /// What is the matter, in a language.
    pub fn words(&self, lang: Lang) -> String {
        let zh = lang == Lang::Zh;
        match self {
            LedgerError::Address(text) if zh => {
                format!("“{text}”不是数据库地址，应为 sqlite:文件 或者 postgres://…")
            }
            LedgerError::Newer(_) if zh => "数据库由更新版本的 zhijian 建立，请使用该版本".into(),
            LedgerError::Event { seq, cause } if zh => format!("第 {seq} 号事件：{cause}"),
            LedgerError::Document { digest, cause } if zh => format!("文档 {digest}：{cause}"),
            LedgerError::Moment(at) if zh => format!("时间 {at} 不在 1970 年至 2200 年之间"),
            LedgerError::Database(error) => match (database_words(error), lang) {
                (Some((zh, _)), Lang::Zh) => format!("{zh}（{error}）"),
                (Some((_, en)), Lang::En) => format!("{en} ({error})"),
                (None, _) => error.to_string(),
            },
            LedgerError::Migration(
                MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _),
            ) => match (database_words(error), lang) {
                (Some((zh, _)), Lang::Zh) => format!("{zh}（{error}）"),
                (Some((_, en)), Lang::En) => format!("{en} ({error})"),
                (None, _) => error.to_string(),
            },
            other => other.to_string(),
        }
    }
}

/// What people can do something about. SQLite codes: <https://sqlite.org/rescode.html>; PostgreSQL: appendix A.
fn database_words(error: &sqlx::Error) -> Option<(&'static str, &'static str)> {
    let code = match error {
        sqlx::Error::Database(error) => error.code()?.into_owned(),
        sqlx::Error::Io(_) => return Some(("数据库连接中断", "the connection to the database is lost")),
        sqlx::Error::PoolTimedOut => return Some(("数据库没有响应", "the database does not answer")),
        _ => return None,
    };
    let primary = code.parse::<u32>().map(|code| code & 0xFF).unwrap_or_default();
    Some(match (&*code, primary) {
        ("53100", _) | (_, 13) => ("磁盘已满，未写入任何内容", "the disk is full, nothing was written"),
        ("25006", _) | (_, 8) => {
            ("数据库只读，未写入任何内容", "the database is read-only, nothing was written")
        }
        (_, 5 | 6) => ("数据库正被另一进程占用", "another process holds the database"),
        (_, 10) => ("磁盘读写出错，未写入任何内容", "the disk failed, nothing was written"),
        (_, 11 | 26) => ("文件已损坏或者不是数据库", "the file is damaged, or no database"),
        (_, 14) => ("无法打开数据库文件", "the database file cannot be opened"),
        ("28P01" | "28000", _) => ("数据库拒绝登录", "the database refuses the login"),
        ("3D000", _) => ("没有这个数据库", "there is no such database"),
        (code, _) if code.starts_with("08") || code.starts_with("57P") => {
            ("数据库连接中断", "the connection to the database is lost")
        }
        _ => return None,
    })
}

/// What the chain of hashes looks like.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Chain {
    /// Number of the last event.
    pub events: u64,
    /// Its hash.
    pub hash: String,
    /// Reports that events name.
    pub documents: u64,
    /// What is not as it was written; at most a hundred.
    pub broken: Vec<Break>,
}

/// Something in the ledger that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Break {
    /// At which event.
    pub seq: u64,
    /// What.
    pub what: &'static str,
    /// The same in English.
    pub what_en: &'static str,
}

/// More breaks are not listed.
const MAX_BREAKS: usize = 100;

/// What is to be told of a target: its events with the new ones, and how many there were before.
pub type Tell<'a> = &'a (dyn Fn(&str, &[Recorded], usize) -> serde_json::Result<Vec<Delivery>> + Sync);

pub(super) async fn events_of<'c>(
    from: impl Executor<'c, Database = Any>,
    target: &str,
) -> Result<Vec<Recorded>, LedgerError> {
    let sql = "SELECT seq, target, at, recorded, actor, body, hash FROM event WHERE target = $1 ORDER BY seq";
    let rows = sqlx::query(sql).bind(target).fetch_all(from).await?;
    rows.iter().map(|row| Stored::of(row)?.read()).collect()
}

/// A document by its digest.
pub(super) async fn document<'c>(
    from: impl Executor<'c, Database = Any>,
    digest: &str,
) -> Result<Option<Vec<u8>>, LedgerError> {
    let sql = "SELECT body FROM document WHERE sha256 = $1";
    let row = sqlx::query(sql).bind(digest).fetch_optional(from).await?;
    let Some(row) = row else { return Ok(None) };
    let body: Vec<u8> = row.try_get(0)?;
    inflate(digest, &body).map(Some)
}

/// A ledger.
#[derive(Debug, Clone)]
pub struct Ledger {
    pool: AnyPool,
}

impl Ledger {
    /// Opens a ledger, and makes it where there is none: `sqlite:FILE` or `postgres://USER@HOST/NAME`.
    pub async fn open(address: &str) -> Result<Self, LedgerError> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let lite = address.starts_with("sqlite:");
        if !lite && !address.starts_with("postgres://") && !address.starts_with("postgresql://") {
            return Err(LedgerError::Address(address.to_owned()));
        }
        let url = match Ledger::sqlite_file(address) {
            // A path may hold signs that mean something in an address.
            Some(path) if !path.contains('?') && address != MEMORY => {
                create(Path::new(path));
                format!("sqlite://{}?mode=rwc", path.replace('%', "%25").replace('#', "%23"))
            }
            _ => address.to_owned(),
        };
        let pool = AnyPoolOptions::new()
            .max_connections(if address == MEMORY { 1 } else { 8 })
            .acquire_timeout(PATIENCE)
            .after_connect(move |connection, _| Box::pin(settle(connection, lite)))
            .connect_lazy(&url)?;
        let held = {
            let mut first = first_connection(&pool, &url).await?;
            if lite {
                // Readers go on while somebody writes. The file keeps the mode.
                sqlx::raw_sql("PRAGMA journal_mode = WAL").execute(&mut *first).await?;
            }
            version(&mut first).await
        };
        // The pool takes it back in a task of its own; what asks before that would open another.
        for _ in 0..TURNS {
            if pool.num_idle() > 0 {
                break;
            }
            tokio::task::yield_now().await;
        }
        let latest = MIGRATIONS.last().map_or(0, |(version, _, _)| *version);
        if held > latest {
            return Err(LedgerError::Newer(held));
        }
        let ledger = Ledger { pool };
        if held < latest {
            ledger.migrate(lite).await?;
        }
        Ok(ledger)
    }

    /// The file of an address as it is written there, `:memory:` included; `None` where the database is a server's.
    pub fn sqlite_file(address: &str) -> Option<&str> {
        let path = address.strip_prefix("sqlite:")?;
        Some(path.strip_prefix("//").unwrap_or(path))
    }

    /// Copies a SQLite database that is to be migrated, beside itself: where to. `None` where nothing is to be migrated,
    /// or the database is a server's, whose operator makes the backups.
    pub async fn copy_before_migration(address: &str) -> Result<Option<PathBuf>, LedgerError> {
        let Some(path) = Ledger::sqlite_file(address).filter(|_| address != MEMORY) else {
            return Ok(None);
        };
        let path = Path::new(path);
        if !std::fs::metadata(path).is_ok_and(|metadata| metadata.len() > 0) {
            return Ok(None);
        }
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
        let made = "SELECT MAX(version) FROM _sqlx_migrations";
        let made: Option<i64> = match sqlx::query(made).fetch_one(&mut connection).await {
            Ok(row) => row.try_get(0)?,
            Err(sqlx::Error::Database(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let newest = MIGRATIONS.iter().map(|(version, ..)| *version).max();
        let Some(made) = made.filter(|made| Some(*made) < newest) else { return Ok(None) };
        let stamp = Timestamp::now().strftime("%Y%m%d-%H%M%S").to_string();
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{made}-{stamp}.bak"));
        let copy = PathBuf::from(name);
        create(&copy);
        sqlx::query("VACUUM INTO $1").bind(copy.display().to_string()).execute(&mut connection).await?;
        connection.close().await?;
        Ok(Some(copy))
    }

    async fn migrate(&self, lite: bool) -> Result<(), LedgerError> {
        let migration = |(version, name, sql): &(i64, &'static str, &'static str)| {
            let sql = if lite { (*sql).to_owned() } else { to_postgres(sql) };
            Migration::new(
                *version,
                (*name).into(),
                MigrationType::Simple,
                AssertSqlSafe(sql).into_sql_str(),
                false,
            )
        };
        let migrator = Migrator::with_migrations(MIGRATIONS.iter().map(migration).collect());
        migrator.run(&self.pool).await.map_err(|error| match error {
            MigrateError::VersionMissing(version) => LedgerError::Newer(version),
            other => LedgerError::Migration(other),
        })
    }

    /// The connections, for what else is kept beside the events.
    pub fn pool(&self) -> &AnyPool {
        &self.pool
    }

    /// Closes the connections in order.
    pub async fn close(self) {
        self.pool.close().await;
    }

    /// Adds events, all or none, and returns the number of the first.
    pub async fn append(&self, events: &[Event]) -> Result<u64, LedgerError> {
        self.append_with(&[], events).await
    }

    /// Adds events together with the documents they name: the digest of each, and its JSON.
    pub async fn append_with(
        &self,
        documents: &[(&str, &[u8])],
        events: &[Event],
    ) -> Result<u64, LedgerError> {
        self.append_telling(documents, events, None).await
    }

    /// The same together with the notices of them: neither is there without the other.
    pub async fn append_telling(
        &self,
        documents: &[(&str, &[u8])],
        events: &[Event],
        tell: Option<Tell<'_>>,
    ) -> Result<u64, LedgerError> {
        let mut transaction = self.pool.begin().await?;
        // The first statement writes, so that two writers queue up instead of running into each other.
        let (last, mut hash) = lock(&mut transaction).await?;
        for (digest, body) in documents {
            put_document(&mut transaction, digest, body).await?;
        }
        let recorded = Timestamp::now();
        let mut rows = Vec::with_capacity(events.len());
        for (seq, event) in (last + 1..).zip(events) {
            nanoseconds(event.at)?;
            let body = serde_json::to_string(&event.deed)
                .map_err(|error| LedgerError::Event { seq, cause: error.to_string() })?;
            let (target, actor) = (event.target.clone(), event.actor.clone());
            let row = Stored { seq, target, at: event.at, recorded, actor, body, hash: String::new() };
            hash = row.link().hash(&hash);
            rows.push(Stored { hash: hash.clone(), ..row });
        }
        insert(&mut transaction, &rows).await?;
        set_head(&mut transaction, last + events.len() as u64, &hash).await?;
        if let Some(tell) = tell {
            let targets: BTreeSet<&str> = events.iter().map(|event| event.target.as_str()).collect();
            for target in targets {
                let all = events_of(&mut *transaction, target).await?;
                let before = all.partition_point(|recorded| recorded.seq <= last);
                let notices = tell(target, &all, before)
                    .map_err(|error| LedgerError::Event { seq: last + 1, cause: error.to_string() })?;
                for notice in &notices {
                    outbox::put(&mut *transaction, notice).await?;
                }
            }
        }
        transaction.commit().await?;
        Ok(last + 1)
    }

    /// Number and hash of the last event.
    pub async fn head(&self) -> Result<(u64, String), LedgerError> {
        let row = sqlx::query("SELECT seq, hash FROM head WHERE one = 1").fetch_one(&self.pool).await?;
        Ok((number(row.try_get(0)?), row.try_get(1)?))
    }

    /// Whether an event has a hash. A head that was noted elsewhere is still there if nothing was rewritten since.
    pub async fn has_hash(&self, hash: &str) -> Result<bool, LedgerError> {
        let sql = "SELECT 1 FROM event WHERE hash = $1 LIMIT 1";
        Ok(hash == GENESIS || sqlx::query(sql).bind(hash).fetch_optional(&self.pool).await?.is_some())
    }

    /// The events of a target, in the order in which they were recorded.
    pub async fn events_of(&self, target: &str) -> Result<Vec<Recorded>, LedgerError> {
        events_of(&self.pool, target).await
    }

    /// One event by its number.
    pub async fn event(&self, seq: u64) -> Result<Option<Recorded>, LedgerError> {
        let sql = "SELECT seq, target, at, recorded, actor, body, hash FROM event WHERE seq = $1";
        let row = sqlx::query(sql).bind(seq.cast_signed()).fetch_optional(&self.pool).await?;
        row.map(|row| Stored::of(&row)?.read()).transpose()
    }

    /// The latest events, newest first.
    pub async fn latest(&self, limit: u32) -> Result<Vec<Recorded>, LedgerError> {
        let sql = "SELECT seq, target, at, recorded, actor, body, hash FROM event ORDER BY seq DESC LIMIT $1";
        let rows = sqlx::query(sql).bind(i64::from(limit)).fetch_all(&self.pool).await?;
        rows.iter().map(|row| Stored::of(row)?.read()).collect()
    }

    /// Keys of targets that contain a text, or whose row in the roster ever did (name, owner, numbers), at most so many.
    pub async fn find(&self, part: &str, limit: u32) -> Result<Vec<String>, LedgerError> {
        let escaped = |text: &str| -> String {
            let escape = |ch: char| ['%', '_', '\\'].contains(&ch).then_some('\\').into_iter().chain([ch]);
            text.chars().flat_map(escape).collect()
        };
        // As it stands in the JSON of the event.
        let json = serde_json::to_string(part).unwrap_or_default();
        let row = format!("%\"event\":\"enrolled\"%{}%", escaped(json.trim_matches('"')));
        let sql = "SELECT DISTINCT target FROM event \
                   WHERE target LIKE $1 ESCAPE '\\' OR body LIKE $2 ESCAPE '\\' ORDER BY target LIMIT $3";
        let rows = sqlx::query(sql).bind(format!("%{}%", escaped(part))).bind(row).bind(i64::from(limit));
        let rows = rows.fetch_all(&self.pool).await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// What a function makes of each target and its events, on all processors, without holding all events at a time.
    pub async fn map_targets<T: Send>(
        &self,
        each: impl Fn(&str, Vec<Recorded>) -> T + Sync,
    ) -> Result<Vec<T>, LedgerError> {
        let sql = "SELECT seq, target, at, recorded, actor, body, hash FROM event ORDER BY target, seq";
        let mut rows = sqlx::query(sql).fetch(&self.pool);
        let mut made = Vec::new();
        let mut held: Vec<Stored> = Vec::new();
        while let Some(row) = rows.try_next().await? {
            let stored = Stored::of(&row)?;
            if held.len() >= HELD && held.last().is_some_and(|last| last.target != stored.target) {
                made.extend(map_held(&std::mem::take(&mut held), &each)?);
            }
            held.push(stored);
        }
        made.extend(map_held(&held, &each)?);
        Ok(made)
    }

    /// The roster as it is on record at a moment, by key.
    pub async fn on_record(&self, at: Timestamp) -> Result<BTreeMap<String, OnRecord>, LedgerError> {
        let of = |target: &str, events: Vec<Recorded>| {
            let mut standing = Standing::default();
            in_order(&events).into_iter().filter(|r| r.event.at <= at).for_each(|r| standing.apply(r));
            let entry = standing.entry().filter(|_| !standing.is_struck())?.clone();
            let filing = standing.filing().map(str::to_owned);
            Some((target.to_owned(), OnRecord { entry, filing }))
        };
        Ok(self.map_targets(of).await?.into_iter().flatten().collect())
    }

    /// A document by its digest; `None` where there is none.
    pub async fn document(&self, digest: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        document(&self.pool, digest).await
    }

    /// Looks whether every event is as it was written: numbers without holes, hashes, the head, the documents.
    pub async fn verify(&self) -> Result<Chain, LedgerError> {
        let mut broken = Vec::new();
        let mut note = |seq: u64, what: &'static str, what_en: &'static str| {
            if broken.len() < MAX_BREAKS {
                broken.push(Break { seq, what, what_en });
            }
        };
        let (mut last, mut hash) = (0, GENESIS.to_owned());
        let mut named: HashMap<[u8; 32], u64> = HashMap::new();
        // The head is read first: what is added meanwhile comes behind it.
        let (head, head_hash) = self.head().await?;
        let sql =
            "SELECT seq, target, at, recorded, actor, body, hash FROM event WHERE seq <= $1 ORDER BY seq";
        let mut rows = sqlx::query(sql).bind(head.cast_signed()).fetch(&self.pool);
        while let Some(row) = rows.try_next().await? {
            let stored = Stored::of(&row)?;
            if stored.seq != last + 1 {
                note(last + 1, "事件缺失", "events are missing");
            }
            if stored.link().hash(&hash) != stored.hash {
                note(stored.seq, "内容与散列值不符", "the content is not what the hash says");
            }
            match stored.read() {
                Ok(recorded) => {
                    if let Deed::Scanned(scan) = recorded.event.deed {
                        match digest_bytes(&scan.report) {
                            Some(digest) => drop(named.entry(digest).or_insert(recorded.seq)),
                            None => note(stored.seq, "检测报告缺失", "the report is missing"),
                        }
                    }
                }
                Err(_) => note(stored.seq, "内容无法读取", "the content cannot be read"),
            }
            (last, hash) = (stored.seq, stored.hash);
        }
        drop(rows);
        if head != last || head_hash != hash {
            note(last + 1, "末尾事件缺失", "events at the end are missing");
        }
        let mut documents = 0;
        let mut rows = sqlx::query("SELECT sha256, body FROM document").fetch(&self.pool);
        while let Some(row) = rows.try_next().await? {
            let (digest, body): (String, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
            let Some(seq) = digest_bytes(&digest).and_then(|digest| named.remove(&digest)) else { continue };
            documents += 1;
            let sound = inflate(&digest, &body).is_ok_and(|body| digest_of(&body) == digest);
            if !sound {
                note(seq, "检测报告与摘要不符", "the report is not what its digest says");
            }
        }
        drop(rows);
        for seq in named.into_values() {
            note(seq, "检测报告缺失", "the report is missing");
        }
        broken.sort_by_key(|found| found.seq);
        Ok(Chain { events: last, hash, documents, broken })
    }

    /// Writes everything to a file that [`Ledger::restore`] reads, as it was at one moment.
    pub async fn backup(&self, path: &Path) -> Result<Chain, BackupError> {
        super::backup::write(self, path).await
    }

    /// Reads a backup into a ledger that is empty; all of it or nothing.
    pub async fn restore(&self, path: &Path) -> Result<Chain, BackupError> {
        super::backup::read(self, path).await
    }
}

fn to_postgres(sql: &str) -> String {
    sql.replace("BLOB", "BYTEA").replace("INTEGER PRIMARY KEY", "BIGSERIAL PRIMARY KEY")
}

/// The latest migration that a database has; 0 where it is empty.
async fn version(connection: &mut AnyConnection) -> i64 {
    let sql = "SELECT MAX(version) FROM _sqlx_migrations WHERE success";
    let row = sqlx::query(sql).fetch_one(connection).await;
    row.ok().and_then(|row| row.try_get::<Option<i64>, _>(0).ok()).flatten().unwrap_or(0)
}

/// The events of whole targets, mapped side by side.
fn map_held<T: Send>(
    held: &[Stored],
    each: &(impl Fn(&str, Vec<Recorded>) -> T + Sync),
) -> Result<Vec<T>, LedgerError> {
    let targets: Vec<&[Stored]> = held.chunk_by(|a, b| a.target == b.target).collect();
    let map = |events: &&[Stored]| {
        let read = events.iter().map(Stored::read).collect::<Result<Vec<Recorded>, LedgerError>>()?;
        Ok(each(&events[0].target, read))
    };
    targets.par_iter().map(map).collect()
}

/// The first connection. A pool tries again and again where a server refuses; one connection says at once what is
/// wrong.
async fn first_connection(pool: &AnyPool, url: &str) -> Result<PoolConnection<Any>, sqlx::Error> {
    match tokio::time::timeout(REFUSED, pool.acquire()).await {
        Ok(connection) => connection,
        Err(_) => {
            AnyConnection::connect(url).await?.close().await?;
            pool.acquire().await
        }
    }
}

/// What a connection needs before it is used.
async fn settle(connection: &mut AnyConnection, lite: bool) -> Result<(), sqlx::Error> {
    if lite {
        // FULL keeps what is committed over a power cut. A file that is no database fails here, and the pool would try
        // it again and again: the first query says so.
        let set = "PRAGMA busy_timeout = 30000; PRAGMA synchronous = FULL";
        let _ = sqlx::raw_sql(set).execute(connection).await;
    }
    Ok(())
}

/// Makes the file of a new ledger, which nobody but its owner may read. Where that fails, opening it says why.
fn create(path: &Path) {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let _ = options.open(path);
}

/// A row of the table of events.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    pub(super) seq: u64,
    pub(super) target: String,
    pub(super) at: Timestamp,
    pub(super) recorded: Timestamp,
    pub(super) actor: String,
    pub(super) body: String,
    pub(super) hash: String,
}

impl Stored {
    pub(super) fn of(row: &AnyRow) -> Result<Self, LedgerError> {
        let seq = number(row.try_get(0)?);
        let moment = |nanoseconds: i64| {
            Timestamp::from_nanosecond(nanoseconds.into())
                .map_err(|error| LedgerError::Event { seq, cause: error.to_string() })
        };
        Ok(Stored {
            seq,
            target: row.try_get(1)?,
            at: moment(row.try_get(2)?)?,
            recorded: moment(row.try_get(3)?)?,
            actor: row.try_get(4)?,
            body: row.try_get(5)?,
            hash: row.try_get(6)?,
        })
    }

    pub(super) fn link(&self) -> Link<'_> {
        Link {
            seq: self.seq,
            target: &self.target,
            at: self.at,
            recorded: self.recorded,
            actor: &self.actor,
            body: &self.body,
        }
    }

    pub(super) fn read(&self) -> Result<Recorded, LedgerError> {
        let deed = serde_json::from_str(&self.body)
            .map_err(|error| LedgerError::Event { seq: self.seq, cause: error.to_string() })?;
        let (target, actor) = (self.target.clone(), self.actor.clone());
        let event = Event { target, at: self.at, actor, deed };
        Ok(Recorded { seq: self.seq, recorded: self.recorded, hash: self.hash.clone(), event })
    }
}

/// Locks the head until the end of the transaction: number and hash of the last event.
pub(super) async fn lock(transaction: &mut Transaction<'_, Any>) -> Result<(u64, String), LedgerError> {
    let sql = "UPDATE head SET one = 1 WHERE one = 1 RETURNING seq, hash";
    let row = sqlx::query(sql).fetch_one(&mut **transaction).await?;
    Ok((number(row.try_get(0)?), row.try_get(1)?))
}

pub(super) async fn set_head(
    transaction: &mut Transaction<'_, Any>,
    seq: u64,
    hash: &str,
) -> Result<(), LedgerError> {
    let sql = "UPDATE head SET seq = $1, hash = $2 WHERE one = 1";
    sqlx::query(sql).bind(seq.cast_signed()).bind(hash).execute(&mut **transaction).await?;
    Ok(())
}

pub(super) async fn insert(
    transaction: &mut Transaction<'_, Any>,
    rows: &[Stored],
) -> Result<(), LedgerError> {
    for rows in rows.chunks(BATCH) {
        let values: Vec<String> = (0..rows.len())
            .map(|row| {
                let at = |column: usize| row * 7 + column + 1;
                let columns: Vec<String> = (0..7).map(|column| format!("${}", at(column))).collect();
                format!("({})", columns.join(", "))
            })
            .collect();
        let sql = format!(
            "INSERT INTO event (seq, target, at, recorded, actor, body, hash) VALUES {}",
            values.join(", ")
        );
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for row in rows {
            query = query
                .bind(row.seq.cast_signed())
                .bind(row.target.clone())
                .bind(nanoseconds(row.at)?)
                .bind(nanoseconds(row.recorded)?)
                .bind(row.actor.clone())
                .bind(row.body.clone())
                .bind(row.hash.clone());
        }
        query.execute(&mut **transaction).await?;
    }
    Ok(())
}

pub(super) async fn put_document(
    transaction: &mut Transaction<'_, Any>,
    digest: &str,
    body: &[u8],
) -> Result<(), LedgerError> {
    let failed = |cause: String| LedgerError::Document { digest: digest.to_owned(), cause };
    if body.len() as u64 > MAX_DOCUMENT {
        return Err(failed(format!("{} bytes; at most {MAX_DOCUMENT}", body.len())));
    }
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    let deflated = encoder.write_all(body).and_then(|()| encoder.finish());
    let deflated = deflated.map_err(|error| failed(error.to_string()))?;
    let sql = "INSERT INTO document (sha256, body) VALUES ($1, $2) ON CONFLICT (sha256) DO NOTHING";
    sqlx::query(sql).bind(digest).bind(deflated).execute(&mut **transaction).await?;
    Ok(())
}

pub(super) fn inflate(digest: &str, deflated: &[u8]) -> Result<Vec<u8>, LedgerError> {
    let failed =
        |cause: io::Error| LedgerError::Document { digest: digest.to_owned(), cause: cause.to_string() };
    let mut body = Vec::new();
    DeflateDecoder::new(deflated).take(MAX_DOCUMENT).read_to_end(&mut body).map_err(failed)?;
    Ok(body)
}

fn digest_bytes(digest: &str) -> Option<[u8; 32]> {
    data_encoding::HEXLOWER.decode(digest.as_bytes()).ok()?.try_into().ok()
}

/// SHA-256, lower-case hex.
pub(super) fn digest_of(body: &[u8]) -> String {
    use sha2::Digest;
    crate::model::hex(&sha2::Sha256::digest(body))
}

fn nanoseconds(at: Timestamp) -> Result<i64, LedgerError> {
    // 2200-01-01.
    const LATEST: i64 = 7_258_118_400_000_000_000;
    let nanoseconds = i64::try_from(at.as_nanosecond()).ok();
    nanoseconds.filter(|at| (0..LATEST).contains(at)).ok_or(LedgerError::Moment(at))
}

/// A number as the database has it. Numbers of events are never negative.
fn number(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or_default()
}
