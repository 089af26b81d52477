//! Filing records (备案): a number given on the command line, or a list as CSV.
//!
//! The list has a heading line with a column `id` (package name or appid; also 包名, appid) and a column
//! `number` (also 备案编号); a column `name` (also 名称, 应用名称) is used where a row has no id.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::ledger::Filing;
use crate::model::Identity;

/// Why a filing list could not be read.
#[derive(Debug, Error)]
pub enum FilingError {
    /// The file could not be read.
    #[error("{path}: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line of the file is wrong.
    #[error("{path}:{line}: {cause}", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// What is wrong.
        cause: String,
    },
}

/// What is on record about the filing of the targets of one run.
#[derive(Debug, Clone, Default)]
pub enum FilingRecord {
    /// Nothing was given.
    #[default]
    Unknown,
    /// One number that holds for every target of the run.
    Number(String),
    /// A list: number by package name, appid or name.
    List(HashMap<String, String>),
}

impl FilingRecord {
    /// Reads a list.
    pub fn read_list(path: &Path) -> Result<Self, FilingError> {
        let source = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(source) => return Err(FilingError::Unreadable { path: path.to_owned(), source }),
        };
        let bad = |line: u64, cause: String| FilingError::Malformed { path: path.to_owned(), line, cause };
        let text = std::str::from_utf8(&source).map_err(|error| {
            let line = source[..error.valid_up_to()].iter().filter(|&&byte| byte == b'\n').count() as u64 + 1;
            bad(line, "not UTF-8; save the list as CSV UTF-8".into())
        })?;
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .flexible(true)
            .from_reader(text.trim_start_matches('\u{FEFF}').as_bytes());
        let headings = reader.headers().map_err(|error| bad(1, error.to_string()))?.clone();
        let column = |names: &[&str]| {
            headings.iter().position(|heading| names.iter().any(|name| heading.eq_ignore_ascii_case(name)))
        };
        let id = column(&["id", "包名", "appid", "package"]);
        let name = column(&["name", "名称", "应用名称"]);
        let Some(number) = column(&["number", "备案编号", "filing"]) else {
            return Err(bad(1, "no column number (备案编号)".into()));
        };
        if id.is_none() && name.is_none() {
            return Err(bad(1, "neither a column id (包名, appid) nor a column name (名称)".into()));
        }
        let mut list = HashMap::new();
        for record in reader.records() {
            let record = record
                .map_err(|error| bad(error.position().map_or(0, csv::Position::line), error.to_string()))?;
            let line = record.position().map_or(0, csv::Position::line);
            let cell =
                |column: Option<usize>| column.and_then(|c| record.get(c)).filter(|cell| !cell.is_empty());
            let key = cell(id).or(cell(name)).ok_or_else(|| bad(line, "neither id nor name".into()))?;
            let number = cell(Some(number)).ok_or_else(|| bad(line, format!("{key} has no number")))?;
            list.insert(key.to_owned(), number.to_owned());
        }
        Ok(FilingRecord::List(list))
    }

    /// What it says of one target, with the number where there is one.
    pub fn look_up(&self, identity: &Identity) -> (Filing, Option<String>) {
        match self {
            FilingRecord::Unknown => (Filing::Unknown, None),
            FilingRecord::Number(number) => (Filing::Filed, Some(number.clone())),
            FilingRecord::List(list) => {
                let keys = [&identity.id, &identity.name];
                let number = keys.into_iter().flatten().find_map(|key| list.get(key)).cloned();
                (if number.is_some() { Filing::Filed } else { Filing::NotFiled }, number)
            }
        }
    }
}
