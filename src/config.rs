//! What the user wrote in `zhijian.toml`, as it holds. Every key may be left out; one that is not known, or whose
//! value makes no sense, is an error that names file, line and column.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use thiserror::Error;
use url::Url;

use crate::fetch::guard::Allowed;
use crate::model::CodeDocument;
use crate::roster::Layout;

/// What notices tell of, as `webhook.events` names it.
pub const NOTICES: [&str; 2] = ["code-changed", "recorded"];

/// Why a configuration does not hold.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("{path}: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file says something that cannot be.
    #[error("{path}: {cause}", path = path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Line, column and what is wrong there.
        cause: String,
    },
}

/// The whole configuration.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// How packages and pages are fetched.
    pub fetch: Fetch,
    /// Where the ledger is kept.
    pub ledger: Ledger,
    /// Whom changes are told to.
    pub webhook: Option<Webhook>,
    /// What documents are signed with.
    pub seal: Seal,
    /// How rosters are laid out.
    pub roster: Layout,
    /// What a scan may use.
    pub scan: Scan,
    /// How the service is reached.
    pub server: Server,
}

/// `[server]`: how the service is reached.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Server {
    /// Where people reach it: `https://zhijian.example.gov.cn`. With `https` cookies travel by https only.
    #[serde(deserialize_with = "some_address")]
    pub public_address: Option<Url>,
    /// Proxies before it, which are believed when they name the client (`X-Forwarded-For`, `X-Forwarded-Proto`).
    pub proxies: Vec<IpAddr>,
    /// Requests of one person, token or address in a second; twice as many at once.
    pub requests_per_second: NonZeroU32,
    /// How long the body of a request may take.
    #[serde(deserialize_with = "duration")]
    pub body_timeout: Duration,
    /// Where requests are taken.
    pub listen: SocketAddr,
    /// Jobs somebody waits for that are done at a time in this process; 0: none.
    pub workers: usize,
    /// Jobs of runs that are done at a time in this process; 0: none.
    pub scheduled_workers: usize,
    /// Largest upload, in bytes.
    pub largest_upload: u64,
    /// Bytes that one person may upload in a day.
    pub daily_upload: u64,
    /// How long what is under way may go on when the service is to stop.
    #[serde(deserialize_with = "duration")]
    pub grace: Duration,
    /// Where several machines share packages and pages: `s3://bucket/folder` or `file:///folder`. Each keeps what it
    /// needs in its own store too.
    #[serde(deserialize_with = "shared_store")]
    pub shared_store: Option<Url>,
    /// How long the head of a request may take.
    #[serde(deserialize_with = "duration")]
    pub header_timeout: Duration,
    /// Content that nothing rests on any more is kept for so long.
    #[serde(deserialize_with = "duration")]
    pub keep: Duration,
}

impl Default for Server {
    fn default() -> Self {
        Server {
            public_address: None,
            proxies: Vec::new(),
            requests_per_second: NonZeroU32::MIN.saturating_add(99),
            body_timeout: Duration::from_secs(30),
            listen: SocketAddr::from(([127, 0, 0, 1], 8650)),
            workers: 2,
            scheduled_workers: 2,
            largest_upload: 4 << 30,
            daily_upload: 100 << 30,
            grace: Duration::from_secs(20),
            shared_store: None,
            header_timeout: Duration::from_secs(10),
            keep: Duration::from_secs(180 * 86_400),
        }
    }
}

/// `[scan]`: what a scan may use.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Scan {
    /// Whether `run` and the service scan each target in a process of its own.
    pub isolate: bool,
    /// Memory of such a process, in bytes: `"2GiB"`, `"512MiB"`.
    #[serde(deserialize_with = "memory")]
    pub memory: u64,
    /// How long it may take; `seconds = 600`.
    #[serde(rename = "seconds", deserialize_with = "seconds")]
    pub time: Duration,
}

impl Default for Scan {
    fn default() -> Self {
        Scan { isolate: true, memory: 2 << 30, time: Duration::from_secs(600) }
    }
}

/// With less memory no scan comes to its end.
const LEAST_MEMORY: u64 = 256 << 20;

/// `[ledger]`: where events are kept.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Ledger {
    /// Address of the database: `sqlite:FILE` or `postgres://…`; without it a file in the store.
    pub database: Option<String>,
    /// Where reports can be read, with [`DIGEST`] for the digest of the report: `https://…/reports/{sha256}`. Codes
    /// carry it, and their QR codes lead there.
    #[serde(deserialize_with = "report_address")]
    pub report_address: Option<String>,
}

/// Stands for the digest of a report in [`Ledger::report_address`].
pub const DIGEST: &str = "{sha256}";

/// A code with the address of its report, where one is configured by [`Ledger::report_address`].
pub fn addressed(mut code: CodeDocument, address: Option<&str>) -> CodeDocument {
    if let (Some(report), Some(address)) = (&mut code.report, address) {
        report.address = Some(address.replace(DIGEST, &report.sha256));
    }
    code
}

/// `[seal]`: what documents are signed with.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Seal {
    /// File of the private key.
    pub key: Option<PathBuf>,
}

/// `[webhook]`: whom changes are told to.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "WebhookText")]
pub struct Webhook {
    /// Where notices go.
    pub url: Url,
    /// Where the secret is by which they are signed.
    pub secret: SecretPlace,
    /// What is told, of [`NOTICES`].
    pub events: Vec<String>,
    /// How long an attempt may take.
    pub timeout: Duration,
    /// Attempts after which a notice is given up.
    pub attempts: u32,
    /// Hosts and networks inside the own network that may be asked.
    pub allow: Vec<Allowed>,
}

/// Where a secret is. Command lines are read by others, so it is never there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// In a file that its owner alone can read.
    File(PathBuf),
    /// In a variable of the environment.
    Env(String),
}

/// `[webhook]` as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WebhookText {
    #[serde(deserialize_with = "address")]
    url: Url,
    secret_file: Option<PathBuf>,
    secret_env: Option<String>,
    #[serde(default = "every_event")]
    events: Vec<String>,
    #[serde(default = "half_a_minute", deserialize_with = "duration")]
    timeout: Duration,
    #[serde(default = "a_dozen")]
    attempts: NonZeroU32,
    #[serde(default, deserialize_with = "allowed")]
    allow: Vec<Allowed>,
}

fn every_event() -> Vec<String> {
    NOTICES.map(str::to_owned).to_vec()
}

fn half_a_minute() -> Duration {
    Duration::from_secs(30)
}

fn a_dozen() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(11)
}

impl TryFrom<WebhookText> for Webhook {
    type Error = String;

    fn try_from(text: WebhookText) -> Result<Self, String> {
        let secret = match (text.secret_file, text.secret_env) {
            (Some(file), None) => SecretPlace::File(file),
            (None, Some(name)) => SecretPlace::Env(name),
            _ => return Err("one of secret-file and secret-env has to be there".into()),
        };
        if let Some(unknown) = text.events.iter().find(|event| !NOTICES.contains(&event.as_str())) {
            return Err(format!("events: {unknown:?} is none of {}", NOTICES.join(", ")));
        }
        let (timeout, attempts) = (text.timeout, text.attempts.get());
        Ok(Webhook { url: text.url, secret, events: text.events, timeout, attempts, allow: text.allow })
    }
}

/// `[fetch]`: how packages and pages are fetched.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Fetch {
    /// Whom the operator of a site can ask: an address of a page or of mail. Sent with every request.
    pub contact: Option<String>,
    /// Where fetched packages and pages are kept.
    pub store: Option<PathBuf>,
    /// Least time between two requests to one host: `"5s"`, `"500ms"`.
    #[serde(deserialize_with = "duration")]
    pub pace: Duration,
    /// Paces of single hosts and of all below them: `"weixin.qq.com" = "10s"`.
    #[serde(deserialize_with = "durations")]
    pub host_pace: BTreeMap<String, Duration>,
    /// Requests to all hosts together at a time.
    pub connections: usize,
    /// Requests to all hosts together in a second, at most.
    pub requests_per_second: NonZeroU32,
    /// How long a connection may say nothing.
    #[serde(deserialize_with = "duration")]
    pub timeout: Duration,
    /// Attempts after the first, when a request fails in a way that may pass.
    pub retries: u32,
    /// Longest wait that a server may ask for by `Retry-After`; beyond it the host is left alone.
    #[serde(deserialize_with = "duration")]
    pub longest_wait: Duration,
    /// Largest package, in bytes.
    pub largest_package: u64,
    /// Largest page, in bytes, after decompression.
    pub largest_page: u64,
    /// Hosts and networks inside the own network that may be asked: `"127.0.0.1:8080"`, `"10.0.0.0/8"`.
    #[serde(deserialize_with = "allowed")]
    pub allow: Vec<Allowed>,
}

impl Default for Fetch {
    fn default() -> Self {
        // Seen to block pages asked for every 2 s and not those every 5 s (airyland/we-extract#1).
        let careful = Duration::from_secs(5);
        let hosts = ["weixin.qq.com", "weibo.com", "douyin.com", "toutiao.com"];
        Fetch {
            contact: None,
            store: None,
            pace: Duration::from_secs(1),
            host_pace: hosts.into_iter().map(|host| (host.to_owned(), careful)).collect(),
            connections: 16,
            requests_per_second: NonZeroU32::MIN.saturating_add(99),
            timeout: Duration::from_secs(30),
            retries: 3,
            longest_wait: Duration::from_secs(120),
            largest_package: 4 << 30,
            largest_page: 16 << 20,
            allow: Vec::new(),
        }
    }
}

impl Fetch {
    /// Least time between two requests to a host; the most specific name that is configured counts.
    pub fn pace_of(&self, host: &str) -> Duration {
        let of = |name: &str| self.host_pace.get(name).copied();
        let mut name = host;
        loop {
            if let Some(pace) = of(name) {
                return pace;
            }
            match name.split_once('.') {
                Some((_, rest)) => name = rest,
                None => return self.pace,
            }
        }
    }
}

impl Config {
    /// Reads a configuration file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        Config::parse(&text).map_err(|cause| ConfigError::Invalid { path: path.to_owned(), cause })
    }

    /// Reads the text of a configuration file; the error names line and column.
    pub fn parse(text: &str) -> Result<Self, String> {
        let config: Config = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(String::new(), |span| {
                let before = text.get(..span.start).unwrap_or(text);
                let line = before.matches('\n').count() + 1;
                let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
                format!("{line}:{column}: ")
            });
            format!("{at}{}", error.message().replace('\n', ", "))
        })?;
        if config.fetch.connections == 0 {
            return Err("fetch.connections: at least 1".into());
        }
        Ok(config)
    }
}

/// Reads `500ms`, `5s`, `2m`, `1h`, `7d`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let bad = || format!("{text:?} is no duration like 500ms, 5s, 2m, 1h or 7d");
    let unit = text.find(|ch: char| !ch.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit);
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(bad()),
    };
    let number: u64 = number.parse().map_err(|_| bad())?;
    number.checked_mul(milliseconds).map(Duration::from_millis).ok_or_else(|| format!("{text:?} is too long"))
}

fn duration<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map_err(serde::de::Error::custom)
}

/// Reads `512MiB`, `2GiB`.
fn memory<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let text = String::deserialize(deserializer)?;
    let sized = |unit: &str, shift: u32| {
        let number: u64 = text.strip_suffix(unit)?.trim_end().parse().ok()?;
        number.checked_mul(1 << shift)
    };
    let bytes = sized("GiB", 30).or_else(|| sized("MiB", 20)).filter(|bytes| *bytes >= LEAST_MEMORY);
    bytes.ok_or_else(|| {
        serde::de::Error::custom(format!("{text:?} is no amount of memory like 2GiB, or less than 256MiB"))
    })
}

fn seconds<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    Ok(Duration::from_secs(NonZeroU32::deserialize(deserializer)?.get().into()))
}

fn report_address<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let web = Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "http" | "https"));
    match web && text.contains(DIGEST) {
        true => Ok(Some(text)),
        false => Err(serde::de::Error::custom(format!("{text:?} is no web address with {DIGEST} in it"))),
    }
}

fn address<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    let text = String::deserialize(deserializer)?;
    let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    url.ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no web address")))
}

fn some_address<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    address(deserializer).map(Some)
}

fn shared_store<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Url>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "s3" | "s3a" | "file"));
    let wrong =
        || serde::de::Error::custom(format!("{text:?} is neither s3://bucket/folder nor file:///folder"));
    url.map(Some).ok_or_else(wrong)
}

fn durations<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, Duration>, D::Error> {
    let mut paces = Fetch::default().host_pace;
    for (host, text) in BTreeMap::<String, String>::deserialize(deserializer)? {
        paces.insert(host.to_ascii_lowercase(), parse_duration(&text).map_err(serde::de::Error::custom)?);
    }
    Ok(paces)
}

fn allowed<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<Allowed>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    texts.iter().map(|text| text.parse().map_err(serde::de::Error::custom)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_written_is_the_default_and_careful_with_account_platforms() {
        let fetch = Config::parse("").unwrap().fetch;
        assert_eq!(fetch.pace_of("mp.weixin.qq.com"), Duration::from_secs(5));
        assert_eq!(fetch.pace_of("www.gov.cn"), Duration::from_secs(1));
    }

    #[test]
    fn the_most_specific_pace_counts() {
        let text = "[fetch]\npace = '2s'\n[fetch.host-pace]\n'gov.cn' = '3s'\n'App.gov.cn' = '500ms'\n";
        let fetch = Config::parse(text).unwrap().fetch;
        assert_eq!(fetch.pace_of("www.gov.cn"), Duration::from_secs(3));
        assert_eq!(fetch.pace_of("a.app.gov.cn"), Duration::from_millis(500));
        assert_eq!(fetch.pace_of("mygov.cn"), Duration::from_secs(2));
        assert_eq!(fetch.pace_of("weixin.qq.com"), Duration::from_secs(5));
    }

    #[test]
    fn errors_name_line_and_column() {
        let error = |text: &str| Config::parse(text).unwrap_err();
        assert!(error("[fetch]\npaec = '5s'\n").starts_with("2:1: "), "{}", error("[fetch]\npaec = '5s'\n"));
        assert!(error("[fetch]\npace = '5'\n").starts_with("2:8: "), "{}", error("[fetch]\npace = '5'\n"));
        assert!(error("[fetch]\nallow = ['10.0.0.0/40']\n").contains("10.0.0.0/40"));
        assert!(error("[fetch]\nconnections = 0\n").contains("connections"));
        assert!(
            error("[roster.columns]\n'单位全称' = 'owners'\n").starts_with("2:10: "),
            "{}",
            error("[roster.columns]\n'单位全称' = 'owners'\n")
        );
        assert!(error("[fetch\n").starts_with("1:7: "), "{}", error("[fetch\n"));
    }

    #[test]
    fn what_a_scan_may_use_is_an_amount() {
        let scan = |text: &str| Config::parse(&format!("[scan]\n{text}\n")).map(|config| config.scan);
        assert!(scan("").unwrap().isolate);
        let set = scan("isolate = false\nmemory = '512MiB'\nseconds = 90").unwrap();
        assert_eq!((set.isolate, set.memory, set.time), (false, 512 << 20, Duration::from_secs(90)));
        for (text, place, word) in [
            ("memory = '2GB'", "2:10: ", "2GiB"),
            ("memory = '1MiB'", "2:10: ", "256MiB"),
            ("memory = '99999999999GiB'", "2:10: ", "2GiB"),
            ("memory = 2", "2:10: ", "string"),
            ("seconds = 0", "2:11: ", "nonzero"),
            ("isolated = true", "2:1: ", "isolate"),
        ] {
            let error = scan(text).unwrap_err();
            assert!(error.starts_with(place) && error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn the_address_of_reports_has_a_place_for_the_digest() {
        let read = |text: &str| Config::parse(&format!("[ledger]\nreport-address = '{text}'\n"));
        let address = "https://code.example.gov.cn/r/{sha256}";
        assert_eq!(read(address).unwrap().ledger.report_address.as_deref(), Some(address));
        for text in ["https://code.example.gov.cn/", "file:///{sha256}", "{sha256}"] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with("2:18: ") && error.contains("{sha256}"), "{error}");
        }
    }

    #[test]
    fn a_webhook_has_an_address_and_one_secret() {
        let read = |text: &str| Config::parse(&format!("[fetch]\n[webhook]\n{text}"));
        let sound = "url = 'https://码.example.gov.cn/hook'\nsecret-env = 'HOOK'\n";
        let webhook = read(sound).unwrap().webhook.unwrap();
        assert_eq!(webhook.url.as_str(), "https://xn--d8y.example.gov.cn/hook");
        assert_eq!(webhook.secret, SecretPlace::Env("HOOK".into()));
        assert_eq!(webhook.events, NOTICES);
        assert_eq!((webhook.timeout, webhook.attempts), (Duration::from_secs(30), 12));
        for (text, place, word) in [
            ("url = 'ftp://a.cn'\nsecret-env = 'X'\n", "3:7: ", "no web address"),
            ("url = 'https://a.cn'\n", "2:1: ", "secret-file"),
            ("url = 'https://a.cn'\nsecret-env = 'X'\nsecret-file = 'y'\n", "2:1: ", "secret-file"),
            ("url = 'nowhere'\nsecret-env = 'X'\n", "3:7: ", "no web address"),
            ("url = 'https://a.cn'\nsecret = 'x'\n", "4:1: ", "secret-file"),
            ("url = 'https://a.cn'\nsecret-env = 'X'\nevents = ['all']\n", "2:1: ", "code-changed"),
            ("url = 'https://a.cn'\nsecret-env = 'X'\nattempts = 0\n", "5:12: ", "nonzero"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(place) && error.contains(word), "{text}: {error}");
        }
    }
}
