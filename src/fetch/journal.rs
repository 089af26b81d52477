//! Every request and every decision not to make one, as JSON lines: what an operator shows to a site that asks.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;

/// One line of the journal.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Line<'a> {
    /// `GET`, `POST`.
    pub method: &'a str,
    /// Address asked for, without its fragment.
    pub url: &'a str,
    /// `sent`, or the reason why not: `refused`, `robots`, `stopped`.
    pub decision: &'a str,
    /// Status of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Words of the error, when there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// From the request to the head of the answer, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub milliseconds: Option<u64>,
    /// Where the answer redirects to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<&'a str>,
}

impl Line<'_> {
    /// Puts in how long it took.
    pub(super) fn took(mut self, time: Duration) -> Self {
        self.milliseconds = u64::try_from(time.as_millis()).ok();
        self
    }
}

#[derive(Serialize)]
struct Stamped<'a> {
    time: String,
    #[serde(flatten)]
    line: &'a Line<'a>,
}

/// Where the lines go.
#[derive(Debug, Default)]
pub struct Journal {
    file: Option<Mutex<File>>,
}

impl Journal {
    /// A journal that goes on at the end of a file.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Journal { file: Some(Mutex::new(file)) })
    }

    /// Writes a line. One that cannot be written must not stop the work it tells of; the next open says so.
    pub(super) fn write(&self, line: &Line<'_>) {
        let Some(file) = &self.file else { return };
        let time = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
        let Ok(mut text) = serde_json::to_vec(&Stamped { time, line }) else { return };
        text.push(b'\n');
        let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
        // One write for one line, so that processes that share the file do not mix theirs.
        let _ = file.write_all(&text);
    }
}
