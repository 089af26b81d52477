//! A ledger in one file: gzip of JSON lines, a head, every event, every document, an end. It restores into SQLite and
//! into PostgreSQL alike.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use data_encoding::BASE64;
use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use futures_util::TryStreamExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use thiserror::Error;

use super::chain::GENESIS;
use super::store::{
    Chain, Ledger, LedgerError, Stored, digest_of, inflate, insert, lock, put_document, set_head,
};
use crate::model::Lang;

const FORMAT: &str = "zhijian.ledger-backup/1";
/// A line is an event or a document; a longer one is no line of ours.
const MAX_LINE: u64 = 512 << 20;
const BATCH: usize = 1000;

/// Why a backup could not be made or restored.
#[derive(Debug, Error)]
pub enum BackupError {
    /// The ledger said no.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The file said no.
    #[error("{path}: {source}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is no backup, or not all of one.
    #[error("{path}:{line}: {cause}", path = path.display())]
    NoBackup {
        /// The file.
        path: PathBuf,
        /// Line of what it unpacks to.
        line: u64,
        /// What is wrong.
        cause: String,
    },
    /// The ledger to restore into holds events.
    #[error("the ledger holds {0} events already; a backup is restored into an empty one")]
    NotEmpty(u64),
}

impl BackupError {
    /// What is the matter, in a language.
    pub fn words(&self, lang: Lang) -> String {
        match self {
            BackupError::Ledger(error) => error.words(lang),
            BackupError::NotEmpty(events) if lang == Lang::Zh => {
                format!("台账中已有 {events} 个事件，备份只能恢复到空台账")
            }
            other => other.to_string(),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
enum Line {
    Begin { format: String, made: Timestamp, seq: u64, hash: String },
    Event(Box<Stored>),
    Document { sha256: String, deflated: String },
    End { events: u64, documents: u64 },
}

pub(super) async fn write(ledger: &Ledger, path: &Path) -> Result<Chain, BackupError> {
    let failed = |source| BackupError::File { path: path.to_owned(), source };
    let part = path.with_extension("part");
    let outcome = write_to(ledger, &part).await;
    match outcome {
        Ok(chain) => {
            fs::rename(&part, path).map_err(failed)?;
            Ok(chain)
        }
        Err(error) => {
            // What is half written is no backup.
            let _ = fs::remove_file(&part);
            Err(match error {
                BackupError::File { source, .. } => failed(source),
                other => other,
            })
        }
    }
}

async fn write_to(ledger: &Ledger, part: &Path) -> Result<Chain, BackupError> {
    let failed = |source| BackupError::File { path: part.to_owned(), source };
    let file = File::create(part).map_err(failed)?;
    let mut out = GzEncoder::new(BufWriter::new(file), Compression::default());
    let mut put = |line: &Line| -> Result<(), BackupError> {
        serde_json::to_writer(&mut out, line).map_err(|error| failed(error.into()))?;
        out.write_all(b"\n").map_err(failed)
    };
    // Events behind the head that is read first are not in this backup; documents of theirs do no harm.
    let (seq, hash) = ledger.head().await?;
    put(&Line::Begin { format: FORMAT.to_owned(), made: Timestamp::now(), seq, hash: hash.clone() })?;
    let (mut events, mut documents) = (0, 0);
    let sql = "SELECT seq, target, at, recorded, actor, body, hash FROM event WHERE seq <= $1 ORDER BY seq";
    let mut rows = sqlx::query(sql).bind(seq.cast_signed()).fetch(ledger.pool());
    while let Some(row) = rows.try_next().await.map_err(LedgerError::from)? {
        put(&Line::Event(Box::new(Stored::of(&row)?)))?;
        events += 1;
    }
    drop(rows);
    let mut rows = sqlx::query("SELECT sha256, body FROM document ORDER BY sha256").fetch(ledger.pool());
    while let Some(row) = rows.try_next().await.map_err(LedgerError::from)? {
        let sha256: String = row.try_get(0).map_err(LedgerError::from)?;
        let deflated: Vec<u8> = row.try_get(1).map_err(LedgerError::from)?;
        put(&Line::Document { sha256, deflated: BASE64.encode(&deflated) })?;
        documents += 1;
    }
    drop(rows);
    put(&Line::End { events, documents })?;
    let file = out.finish().and_then(|out| out.into_inner().map_err(io::IntoInnerError::into_error));
    file.and_then(|file| file.sync_all()).map_err(failed)?;
    Ok(Chain { events: seq, hash, documents, broken: Vec::new() })
}

pub(super) async fn read(ledger: &Ledger, path: &Path) -> Result<Chain, BackupError> {
    let failed = |source| BackupError::File { path: path.to_owned(), source };
    let mut input = BufReader::new(MultiGzDecoder::new(BufReader::new(File::open(path).map_err(failed)?)));
    let mut transaction = ledger.pool().begin().await.map_err(LedgerError::from)?;
    let (held, _) = lock(&mut transaction).await?;
    if held > 0 {
        return Err(BackupError::NotEmpty(held));
    }
    let mut head = None;
    let (mut last, mut hash) = (0, GENESIS.to_owned());
    let mut documents = 0;
    let mut batch: Vec<Stored> = Vec::new();
    let mut number = 0;
    let mut text = Vec::new();
    loop {
        number += 1;
        let bad =
            |cause: &str| BackupError::NoBackup { path: path.to_owned(), line: number, cause: cause.into() };
        text.clear();
        let read = (&mut input).take(MAX_LINE).read_until(b'\n', &mut text);
        match read {
            Ok(0) => return Err(bad("the end is missing: the file was cut off")),
            Ok(_) => {}
            Err(error) => return Err(bad(&error.to_string())),
        }
        let line: Line = serde_json::from_slice(&text).map_err(|error| bad(&error.to_string()))?;
        match line {
            Line::Begin { format, seq, hash, .. } if number == 1 => {
                if format != FORMAT {
                    return Err(bad(&format!("{format} is not {FORMAT}: another version made it")));
                }
                head = Some((seq, hash));
            }
            _ if head.is_none() => return Err(bad("the head is missing")),
            Line::Begin { .. } => return Err(bad("a second head")),
            Line::Event(stored) => {
                if stored.seq != last + 1 || stored.link().hash(&hash) != stored.hash {
                    return Err(bad("the chain of hashes is broken"));
                }
                (last, hash) = (stored.seq, stored.hash.clone());
                batch.push(*stored);
                if batch.len() == BATCH {
                    insert(&mut transaction, &std::mem::take(&mut batch)).await?;
                }
            }
            Line::Document { sha256, deflated } => {
                let deflated = BASE64.decode(deflated.as_bytes()).map_err(|error| bad(&error.to_string()))?;
                let body = inflate(&sha256, &deflated)?;
                if digest_of(&body) != sha256 {
                    return Err(bad("a document is not what its digest says"));
                }
                put_document(&mut transaction, &sha256, &body).await?;
                documents += 1;
            }
            Line::End { events, documents: told } => {
                if events != last || told != documents || head != Some((last, hash.clone())) {
                    return Err(bad("the end does not agree with what came before"));
                }
                // Only at its very end a gzip says whether it is whole.
                match input.fill_buf() {
                    Ok([]) => break,
                    Ok(_) => return Err(bad("there is something behind the end")),
                    Err(error) => return Err(bad(&error.to_string())),
                }
            }
        }
    }
    insert(&mut transaction, &batch).await?;
    set_head(&mut transaction, last, &hash).await?;
    transaction.commit().await.map_err(LedgerError::from)?;
    Ok(Chain { events: last, hash, documents, broken: Vec::new() })
}
