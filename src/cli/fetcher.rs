//! What the commands that fetch have in common: configuration, store, client, and a runtime to wait in.

use std::path::{Path, PathBuf};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::runtime::Runtime;
use url::Url;
use zhijian::config::Config;
use zhijian::fetch::source;
use zhijian::fetch::weixin::{self, WeixinError};
use zhijian::fetch::{Client, Downloaded, FetchError, Journal, Store, Watch};
use zhijian::model::{Lang, Listing};
use zhijian::sandbox::{Limits, Sandbox};
use zhijian::scan::Scanner;

/// A client with its store.
pub(super) struct Fetcher {
    runtime: Runtime,
    client: Client,
    store: Store,
}

/// A package that was fetched.
pub(super) struct Package {
    /// What the store says of it, if it came from one.
    pub(super) listing: Option<Listing>,
    /// The file; `None` where the store gives none to the public.
    pub(super) file: Option<(PathBuf, Downloaded)>,
}

impl Fetcher {
    pub(super) fn new(config: &Config) -> anyhow::Result<Self> {
        let store = open_store(config)?;
        Ok(Fetcher { runtime: runtime()?, client: client(config, &store)?, store })
    }

    /// Leaves a host alone from now on.
    pub(super) fn stop(&self, url: &Url, cause: &str) {
        self.client.stop(url, cause);
    }

    /// Brings the package of an address here: the one a store lists, or what is at the address itself.
    pub(super) fn package(&self, address: &str, quiet: bool, lang: Lang) -> Result<Package, String> {
        // Who shows the error names the address; it need not stand there twice.
        self.try_package(address, quiet, lang).map_err(|words| {
            let rest = words.strip_prefix(address).and_then(|rest| rest.strip_prefix(lang.pick("：", ": ")));
            rest.map_or_else(|| words.clone(), str::to_owned)
        })
    }

    fn try_package(&self, address: &str, quiet: bool, lang: Lang) -> Result<Package, String> {
        let url = Url::parse(address.trim())
            .map_err(|error| FetchError::Address { text: address.to_owned(), cause: error.to_string() })
            .map_err(|error| error.words(lang))?;
        self.runtime.block_on(async {
            if weixin::is_weixin(&url) {
                let file = self.posts(&url).await.map_err(|error| error.words(lang))?;
                return Ok(Package { listing: None, file: Some(file) });
            }
            let Some(source) = source::source(&url) else {
                let file = self.download(&url, quiet).await.map_err(|error| error.words(lang))?;
                return Ok(Package { listing: None, file: Some(file) });
            };
            let found = source.look_up(&self.client, &self.store, &url).await;
            let found = found.map_err(|error| error.words(lang))?;
            let file = match &found.package {
                Some(package) => {
                    Some(self.download(package, quiet).await.map_err(|error| error.words(lang))?)
                }
                None => None,
            };
            Ok(Package { listing: Some(found.listing), file })
        })
    }

    async fn posts(&self, url: &Url) -> Result<(PathBuf, Downloaded), WeixinError> {
        let before = self.store.known(url);
        let known = weixin::posts_by_environment(&self.client, &self.store, url).await?;
        let unchanged = before.is_some_and(|before| before.sha256 == known.sha256);
        Ok(self.stored(Downloaded { known, unchanged })?)
    }

    async fn download(&self, url: &Url, quiet: bool) -> Result<(PathBuf, Downloaded), FetchError> {
        let bar = Bar::new(url, quiet);
        let done = self.client.download(url, &self.store, &bar).await;
        bar.0.finish_and_clear();
        self.stored(done?)
    }

    /// With the file of the store that it is in.
    fn stored(&self, done: Downloaded) -> Result<(PathBuf, Downloaded), FetchError> {
        let gone = || FetchError::Store(std::io::ErrorKind::NotFound.into());
        let path = self.store.object(&done.known.sha256).ok_or_else(gone)?;
        Ok((path, done))
    }
}

/// The store of the configuration, else the one of the user.
pub(super) fn open_store(config: &Config) -> anyhow::Result<Store> {
    let path = match &config.fetch.store {
        Some(path) => path.clone(),
        None => user_folder("XDG_DATA_HOME", ".local/share").context("fetch.store")?.join("zhijian"),
    };
    Store::open(&path).with_context(|| path.display().to_string())
}

/// A client that writes the journal of a store.
pub(super) fn client(config: &Config, store: &Store) -> anyhow::Result<Client> {
    let path = store.journal();
    let journal = Journal::open(&path).with_context(|| path.display().to_string())?;
    Ok(Client::new(&config.fetch, journal)?)
}

/// What requests are waited for in.
pub(super) fn runtime() -> anyhow::Result<Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// The configuration of a file, else that of the user, else the defaults.
pub(super) fn configuration(file: Option<&Path>) -> anyhow::Result<Config> {
    if let Some(file) = file {
        return Ok(Config::load(file)?);
    }
    match own_configuration() {
        Some(path) => Ok(Config::load(&path)?),
        None => Ok(Config::default()),
    }
}

/// A scanner in processes of their own, as far as the configuration allows them to go.
pub(super) fn isolated(config: &Config, scanner: Scanner, rules: Option<&Path>) -> anyhow::Result<Sandbox> {
    let limits = Limits { memory: config.scan.memory, time: config.scan.time };
    Ok(Sandbox::new(scanner, rules.map(Path::to_owned), limits)?)
}

/// The configuration file of the user, if there is one.
pub(super) fn own_configuration() -> Option<PathBuf> {
    let own = user_folder("XDG_CONFIG_HOME", ".config").map(|folder| folder.join("zhijian/zhijian.toml"));
    own.filter(|path| path.is_file())
}

/// A folder of the XDG Base Directory Specification.
fn user_folder(variable: &str, below_home: &str) -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    set(variable).or_else(|| set("HOME").map(|home| home.join(below_home)))
}

/// How far a download is.
struct Bar(ProgressBar);

impl Bar {
    fn new(url: &Url, quiet: bool) -> Self {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{bar:22} {bytes}/{total_bytes} {eta}  {msg}") {
            bar.set_style(style.progress_chars("██░"));
        }
        let name = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default().to_owned();
        bar.set_message(zhijian::report::visible(&name).into_owned());
        Bar(bar)
    }
}

impl Watch for Bar {
    fn at(&self, bytes: u64, of: Option<u64>) {
        self.0.set_length(of.unwrap_or(bytes));
        self.0.set_position(bytes);
    }
}
