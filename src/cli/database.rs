//! What the commands on the ledger have in common: the database, who acts and when, and finding a target.

use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;
use tokio::runtime::Runtime;
use zhijian::config::Config;
use zhijian::ledger::{BackupError, Decision, History, Ledger, LedgerError, Policy, Recorded};
use zhijian::model::{CodeDocument, Deed, Event, Lang, beijing_day_end, parse_moment};
use zhijian::record::Recorder;

use super::fetcher::{configuration, open_store, runtime};
use super::language;

/// The environment variable with the address of the database: a password in an argument can be seen by others.
pub(super) const VARIABLE: &str = "ZHIJIAN_DATABASE";

/// Where the ledger is.
#[derive(Debug, Args)]
pub(super) struct Database {
    #[arg(long, value_name = "URL", global = true)]
    database: Option<String>,
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
}

/// An open ledger, and what waits for it.
pub(super) struct Open {
    pub(super) runtime: Runtime,
    pub(super) ledger: Ledger,
    pub(super) lang: Lang,
    /// Who writes into it.
    pub(super) recorder: Recorder,
}

impl Database {
    /// For commands that have flags of their own.
    pub(super) fn of(database: Option<String>, config: Option<PathBuf>) -> Self {
        Database { database, config }
    }

    /// The file of the configuration, where one was given.
    pub(super) fn file(&self) -> Option<PathBuf> {
        self.config.clone()
    }

    pub(super) fn config(&self) -> anyhow::Result<Config> {
        configuration(self.config.as_deref())
    }

    /// The address: the flag, else the environment, else the configuration, else a file in the store.
    pub(super) fn address(&self, config: &Config) -> anyhow::Result<String> {
        let given =
            self.database.clone().or_else(|| std::env::var(VARIABLE).ok()).or(config.ledger.database.clone());
        Ok(match given {
            Some(address) => address,
            None => format!("sqlite:{}", open_store(config)?.root().join("ledger.db").display()),
        })
    }

    /// The ledger that is there. A mistyped path must not be a new ledger in which all is well.
    pub(super) fn open(&self, lang: Lang) -> anyhow::Result<Open> {
        let address = self.address(&self.config()?)?;
        let is_missing =
            |path: &&str| !path.starts_with(':') && !path.contains('?') && !Path::new(path).exists();
        if let Some(path) = Ledger::sqlite_file(&address).filter(is_missing) {
            bail!(
                "{path}: {}",
                lang.pick(
                    "没有这个台账；record、ledger import、run --record 或者 serve 会建立它",
                    "there is no such ledger; record, ledger import, run --record or serve make one",
                )
            );
        }
        self.open_or_make(lang)
    }

    /// The ledger that is there, or a new one.
    pub(super) fn open_or_make(&self, lang: Lang) -> anyhow::Result<Open> {
        let config = self.config()?;
        let address = self.address(&config)?;
        let runtime = runtime()?;
        let opened = runtime.block_on(Ledger::open(&address));
        let ledger = opened.map_err(|error| anyhow!("{}: {}", shown(&address), error.words(lang)))?;
        let recorder = Recorder::new(ledger.clone(), zhijian::rule::policy(None)?, &config);
        Ok(Open { runtime, ledger, lang, recorder })
    }
}

/// An address without its password.
pub(super) fn shown(address: &str) -> String {
    match url::Url::parse(address) {
        Ok(mut url) if url.password().is_some() => {
            let _ = url.set_password(Some("…"));
            url.to_string()
        }
        _ => address.to_owned(),
    }
}

impl Open {
    /// The code of a target at a moment, with the address of its report.
    pub(super) fn document(
        &self,
        target: &str,
        events: &[Recorded],
        history: &History,
        at: Timestamp,
    ) -> Option<CodeDocument> {
        self.recorder.document(target, events, history, at)
    }

    /// Waits for the ledger.
    pub(super) fn wait<T>(&self, future: impl Future<Output = Result<T, LedgerError>>) -> anyhow::Result<T> {
        self.runtime.block_on(future).map_err(|error| anyhow!(error.words(self.lang)))
    }

    /// Waits for a backup.
    pub(super) fn wait_backup<T>(
        &self,
        future: impl Future<Output = Result<T, BackupError>>,
    ) -> anyhow::Result<T> {
        self.runtime.block_on(future).map_err(|error| anyhow!(error.words(self.lang)))
    }

    /// The one target that is meant by its key, a part of it or its name; with its events.
    pub(super) fn target(&self, text: &str) -> anyhow::Result<(String, Vec<Recorded>)> {
        let events = self.wait(self.ledger.events_of(text))?;
        if !events.is_empty() {
            return Ok((text.to_owned(), events));
        }
        const SHOWN: usize = 10;
        let found = self.wait(self.ledger.find(text, SHOWN as u32 + 1))?;
        let lang = self.lang;
        match &found[..] {
            [] => bail!("{text}: {}", lang.pick("台账中没有这个对象", "the ledger has no such target")),
            [one] => Ok((one.clone(), self.wait(self.ledger.events_of(one))?)),
            several => {
                let mut listed = several.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("  ");
                if several.len() > SHOWN {
                    listed.push_str(" …");
                }
                bail!("{text}: {} {listed}", lang.pick("有多个对象，请写全：", "several targets, be exact:"))
            }
        }
    }

    /// Adds one event, or several together, and the notices that the configuration wants of them.
    pub(super) fn append(&self, events: &[Event]) -> anyhow::Result<u64> {
        self.wait(self.recorder.append(&[], events))
    }

    /// Records what a person says of a target: the target's key, and the number of the event.
    pub(super) fn decide(
        &self,
        act: &Act,
        target: &str,
        decision: Decision,
    ) -> anyhow::Result<(String, u64)> {
        let (target, events) = self.target(target)?;
        let policy = zhijian::rule::policy(None)?;
        let deed = decision.deed(&policy, &events, act.at());
        let deed = deed.map_err(|refusal| anyhow!("{target}: {}", refusal.words(self.lang)))?;
        let seq = self.append(&[act.event(&target, deed)])?;
        Ok((target, seq))
    }
}

/// Who acts, and when.
#[derive(Debug, Default, Args)]
pub(super) struct Act {
    #[arg(long, value_name = "NAME", global = true)]
    by: Option<String>,
    #[arg(long, value_name = "TIME", value_parser = moment, global = true)]
    at: Option<Timestamp>,
}

impl Act {
    pub(super) fn at(&self) -> Timestamp {
        self.at.unwrap_or_else(Timestamp::now)
    }

    /// Whether a moment was given.
    pub(super) fn given(&self) -> Option<Timestamp> {
        self.at
    }

    pub(super) fn actor(&self) -> String {
        let own = || ["USER", "LOGNAME", "USERNAME"].iter().find_map(|name| std::env::var(name).ok());
        self.by.clone().or_else(own).unwrap_or_else(|| "zhijian".to_owned())
    }

    pub(super) fn event(&self, target: &str, deed: Deed) -> Event {
        Event { target: target.to_owned(), at: self.at(), actor: self.actor(), deed }
    }
}

/// For what moment a code is asked, and by which policy.
#[derive(Debug, Args)]
pub(super) struct When {
    #[arg(long, value_name = "TIME", value_parser = until)]
    as_of: Option<Timestamp>,
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
}

impl When {
    pub(super) fn at(&self) -> Timestamp {
        self.as_of.unwrap_or_else(Timestamp::now)
    }

    pub(super) fn policy(&self) -> anyhow::Result<Policy> {
        Ok(zhijian::rule::policy(self.rules.as_deref())?)
    }

    pub(super) fn history(&self, policy: &Policy, events: &[Recorded]) -> History {
        History::of(policy, events, self.at())
    }
}

/// A day.
pub(super) fn day(text: &str) -> Result<Date, String> {
    let words = "应为日期，如 2026-11-25";
    text.parse().map_err(|_| language().pick(words, "a day is wanted: 2026-11-25").to_owned())
}

/// A day (its beginning) or a moment.
fn moment(text: &str) -> Result<Timestamp, String> {
    let wanted = || {
        let words = "应为日期或者时间（北京时间），如 2026-11-25 或者 \"2026-11-25 14:30\"";
        language()
            .pick(words, "a day or a moment (Beijing) is wanted: 2026-11-25, \"2026-11-25 14:30\"")
            .to_owned()
    };
    parse_moment(text).ok_or_else(wanted)
}

/// A day (its end) or a moment.
pub(super) fn until(text: &str) -> Result<Timestamp, String> {
    match text.parse() {
        Ok(day) => beijing_day_end(day).ok_or_else(|| text.to_owned()),
        Err(_) => moment(text),
    }
}
