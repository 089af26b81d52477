//! `zhijian serve`, `zhijian worker`, `zhijian config check`: the service as a process, and what holds for it.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, anyhow};
use clap::{Args, Subcommand, ValueEnum};
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;
use zhijian::config::Config;
use zhijian::model::Lang;
use zhijian::roster::FilingRecord;
use zhijian::scan::{Scan, Scanner};
use zhijian::server::{App, Options, Service};

use super::database::{Database, VARIABLE, shown};
use super::fetcher::{isolated, open_store, own_configuration};
use super::run::signal;
use super::{load_rules, table};

/// The environment variable with the address to listen on.
const LISTEN: &str = "ZHIJIAN_LISTEN";
/// The environment variable that says what is logged: `info`, `zhijian=debug`.
const LOG: &str = "ZHIJIAN_LOG";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

/// What a server and a worker have in common.
#[derive(Debug, Args)]
struct Common {
    #[command(flatten)]
    database: Database,
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = LogFormat::Text, hide_possible_values = true, hide_default_value = true)]
    log_format: LogFormat,
    #[arg(long, value_name = "NUMBER")]
    workers: Option<usize>,
    #[arg(long, value_name = "NUMBER")]
    scheduled_workers: Option<usize>,
}

#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    common: Common,
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

#[derive(Debug, Args)]
pub(super) struct Worker {
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
pub(super) struct Configuration {
    #[command(flatten)]
    database: Database,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Check,
}

impl Serve {
    pub(super) fn run(self, lang: Lang) -> anyhow::Result<u8> {
        self.common.run(true, self.listen, lang)
    }
}

impl Worker {
    pub(super) fn run(self, lang: Lang) -> anyhow::Result<u8> {
        self.common.run(false, None, lang)
    }
}

fn listen(flag: Option<SocketAddr>, config: &Config) -> anyhow::Result<SocketAddr> {
    match (flag, std::env::var(LISTEN)) {
        (Some(address), _) => Ok(address),
        (None, Ok(text)) => text.parse().with_context(|| format!("{LISTEN}: {text}")),
        (None, Err(_)) => Ok(config.server.listen),
    }
}

impl Common {
    fn run(self, serves: bool, address: Option<SocketAddr>, lang: Lang) -> anyhow::Result<u8> {
        log(self.log_format)?;
        let mut config = self.database.config()?;
        config.server.listen = listen(address, &config)?;
        config.server.workers = self.workers.unwrap_or(config.server.workers);
        config.server.scheduled_workers = self.scheduled_workers.unwrap_or(config.server.scheduled_workers);
        let rules = Arc::new(load_rules(self.rules.as_deref())?);
        let scanner = Scanner::new(rules.clone(), FilingRecord::Unknown);
        let scanner: Arc<dyn Scan> = match config.scan.isolate {
            true => Arc::new(isolated(&config, scanner, self.rules.as_deref())?),
            false => Arc::new(scanner),
        };
        let options = Options {
            database: self.database.address(&config)?,
            rules,
            scanner,
            store: open_store(&config)?,
            config,
            serves,
        };
        host(options, lang, async |_: &App, _| Ok(()))
    }
}

/// Starts the service and works until a signal ends it; what is to be done before anybody comes is done first.
pub(super) fn host(
    options: Options,
    lang: Lang,
    first: impl AsyncFnOnce(&App, SocketAddr) -> anyhow::Result<()>,
) -> anyhow::Result<u8> {
    let runtime = zhijian::server::runtime()?;
    let done = runtime.block_on(async {
        let database = shown(&options.database);
        let service =
            Service::start(options).await.map_err(|error| anyhow!("{database}: {}", error.words(lang)))?;
        let address = service.address().unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)));
        first(service.app(), address).await?;
        tell(&service, &database, lang)?;
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(async move {
            signal().await;
            tracing::info!("stopping");
            stop.send_replace(true);
            // Once more: at once. What is under way is taken over by others.
            signal().await;
            std::process::exit(super::INCOMPLETE.into());
        });
        service.run(stopped).await;
        Ok(0)
    });
    // A scan that did not end in time is not waited for.
    runtime.shutdown_background();
    done
}

/// Where it is reached, and how to log in the first time.
fn tell(service: &Service, database: &str, lang: Lang) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if let Some(copy) = service.copied() {
        let words = lang.pick("升级前的数据库已备份到", "the database as it was is kept in");
        writeln!(out, "{words} {}", copy.display())?;
    }
    match service.address() {
        Some(address) => writeln!(out, "http://{address}/  ({database})")?,
        None => writeln!(out, "{} {database}", lang.pick("开始处理任务：", "working on"))?,
    }
    if let Some(password) = service.first_password() {
        match lang {
            Lang::Zh => {
                writeln!(out, "首次启动：用户名 admin，一次性密码 {password}（登录后须修改，不再显示）")?
            }
            Lang::En => writeln!(
                out,
                "first start: user admin, one-time password {password} (to be changed, not shown again)"
            )?,
        }
    }
    out.flush()
}

fn log(format: LogFormat) -> anyhow::Result<()> {
    let filter = match std::env::var(LOG) {
        Ok(text) => EnvFilter::try_new(&text).with_context(|| format!("{LOG}: {text}"))?,
        Err(_) => EnvFilter::new("info,apalis=warn,apalis_core=warn,sqlx=warn"),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match format {
        LogFormat::Json => builder.json().init(),
        LogFormat::Text => builder.with_ansi(false).init(),
    }
    Ok(())
}

impl Configuration {
    pub(super) fn run(self, lang: Lang) -> anyhow::Result<u8> {
        match self.action {
            Action::Check => self.check(lang),
        }
    }

    fn check(&self, lang: Lang) -> anyhow::Result<u8> {
        let config = self.database.config()?;
        let file = self.database.file().or_else(own_configuration);
        let written: toml::Table = match &file {
            Some(file) => std::fs::read_to_string(file)?.parse()?,
            None => toml::Table::new(),
        };
        let source = |key: &str, variable: Option<&str>| {
            let given = variable.filter(|name| std::env::var_os(name).is_some());
            let (section, name) = key.split_once('.').unwrap_or((key, ""));
            let set =
                written.get(section).is_some_and(|section| name.is_empty() || section.get(name).is_some());
            match (given, &file) {
                (Some(name), _) => name.to_owned(),
                (None, Some(file)) if set => file.display().to_string(),
                _ => lang.pick("默认", "default").to_owned(),
            }
        };
        let (server, fetch) = (&config.server, &config.fetch);
        let seconds = |duration: std::time::Duration| format!("{}s", duration.as_secs_f64());
        let store = open_store(&config)?.root().display().to_string();
        let rows = [
            ("ledger.database", shown(&self.database.address(&config)?), Some(VARIABLE)),
            ("fetch.store", store, None),
            ("fetch.pace", seconds(fetch.pace), None),
            ("fetch.connections", fetch.connections.to_string(), None),
            ("fetch.allow", fetch.allow.len().to_string(), None),
            ("server.listen", listen(None, &config)?.to_string(), Some(LISTEN)),
            (
                "server.public-address",
                server.public_address.as_ref().map_or_else(String::new, ToString::to_string),
                None,
            ),
            ("server.workers", server.workers.to_string(), None),
            ("server.scheduled-workers", server.scheduled_workers.to_string(), None),
            ("server.requests-per-second", server.requests_per_second.to_string(), None),
            ("server.header-timeout", seconds(server.header_timeout), None),
            ("server.body-timeout", seconds(server.body_timeout), None),
            ("server.largest-upload", server.largest_upload.to_string(), None),
            ("server.daily-upload", server.daily_upload.to_string(), None),
            (
                "server.shared-store",
                server.shared_store.as_ref().map_or_else(String::new, ToString::to_string),
                None,
            ),
            ("server.grace", seconds(server.grace), None),
            ("server.keep", seconds(server.keep), None),
            (
                "webhook.url",
                config.webhook.as_ref().map_or_else(String::new, |hook| hook.url.to_string()),
                None,
            ),
            (
                "seal.key",
                config.seal.key.as_ref().map_or_else(String::new, |key| key.display().to_string()),
                None,
            ),
        ];
        let rows: Vec<[String; 3]> = rows
            .into_iter()
            .map(|(key, value, variable)| [key.to_owned(), value, source(key, variable)])
            .collect();
        let mut out = io::stdout().lock();
        table::write(&rows, &mut out)?;
        out.flush()?;
        Ok(0)
    }
}
