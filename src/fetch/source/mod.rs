//! App stores, one file each: what a store says of an app, and where the package is.
//!
//! A store is a conversation: a [`Look`] says what to ask and reads what comes, and touches no network itself. The
//! pages and services of stores are not documented and change; what is missing is named, and the page is kept.

mod appgallery;
mod fdroid;
mod vivo;
mod xiaomi;
mod yingyongbao;

use serde_json::Value;
use thiserror::Error;
use url::Url;

use super::client::{Ask, Client, Got, Page, Validators};
use super::error::FetchError;
use super::store::Store;
use crate::model::Listing;

/// A store.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    /// Short name: `yingyongbao`.
    pub name: &'static str,
    /// Full name in Chinese and English.
    pub title: (&'static str, &'static str),
    /// What an address of it looks like.
    pub example: &'static str,
    /// Begins to look an app up, if the address is one of this store.
    begin: fn(&Url) -> Option<Box<dyn Look>>,
}

/// Every store.
pub static SOURCES: &[Source] =
    &[yingyongbao::SOURCE, appgallery::SOURCE, xiaomi::SOURCE, vivo::SOURCE, fdroid::SOURCE];

/// What is known of an app and where its package is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// What the store says.
    pub listing: Listing,
    /// Where the package can be had; `None` when the store does not say it to the public.
    pub package: Option<Url>,
}

/// One look at a store.
trait Look: Send {
    /// What to ask next, given the answer to the last question.
    fn next(&mut self, page: Option<&Page>) -> Result<Next, Shape>;
}

enum Next {
    Ask(Box<Ask>),
    Done(Box<Found>),
    /// The store does not have the app.
    Absent,
}

/// Where a page is not as it was when this was written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Shape(String);

/// Why nothing is known of an app.
#[derive(Debug, Error)]
pub enum SourceError {
    /// A page could not be fetched.
    #[error("{0}")]
    Fetch(#[from] FetchError),
    /// The store does not list the app, or no longer.
    #[error("{store} does not list {url}")]
    Absent {
        /// The store.
        store: &'static str,
        /// The address.
        url: Box<Url>,
    },
    /// The store's page has another shape than it had.
    #[error("{store}: {field} was not found; the page is kept at {kept}")]
    Shape {
        /// The store.
        store: &'static str,
        /// What was looked for.
        field: String,
        /// Where the page is kept.
        kept: String,
    },
}

/// The store an address belongs to.
pub fn source(url: &Url) -> Option<&'static Source> {
    SOURCES.iter().find(|source| (source.begin)(url).is_some())
}

impl Source {
    /// Looks an app up.
    pub async fn look_up(&self, client: &Client, store: &Store, url: &Url) -> Result<Found, SourceError> {
        let absent = || SourceError::Absent { store: self.name, url: Box::new(url.clone()) };
        let mut look = (self.begin)(url).ok_or_else(absent)?;
        let mut page: Option<Page> = None;
        loop {
            let next = look.next(page.as_ref()).map_err(|Shape(field)| SourceError::Shape {
                store: self.name,
                field,
                kept: page.as_ref().map_or_else(String::new, |page| keep(store, page)),
            })?;
            match next {
                Next::Done(mut found) => {
                    self.name.clone_into(&mut found.listing.store);
                    self.title.0.clone_into(&mut found.listing.title);
                    self.title.1.clone_into(&mut found.listing.title_en);
                    url.as_str().clone_into(&mut found.listing.page);
                    return Ok(*found);
                }
                Next::Absent => return Err(absent()),
                Next::Ask(ask) => match client.page(&ask).await {
                    Ok(Got::Page(got)) => page = Some(got),
                    Ok(Got::Unchanged) => return Err(absent()),
                    Err(FetchError::Status { status: 404 | 410, .. }) => return Err(absent()),
                    Err(error) => return Err(error.into()),
                },
            }
        }
    }
}

/// Keeps a page that could not be read, for whoever mends the reader.
fn keep(store: &Store, page: &Page) -> String {
    let kept = store.keep(&page.url, &page.bytes, page.content_type.clone(), Validators::default());
    match kept.map(|known| store.object(&known.sha256)) {
        Ok(Some(path)) => path.display().to_string(),
        Ok(None) => String::new(),
        Err(error) => error.to_string(),
    }
}

/// A page as JSON.
fn json(page: &Page) -> Result<Value, Shape> {
    serde_json::from_slice(&page.bytes).map_err(|error| Shape(format!("JSON ({error})")))
}

/// A value by a path of keys and indices: `pages/0/data`.
fn at<'v>(value: &'v Value, path: &str) -> Result<&'v Value, Shape> {
    value.pointer(&format!("/{path}")).filter(|value| !value.is_null()).ok_or_else(|| Shape(path.to_owned()))
}

/// A text or number by a path, without NUL characters, which some stores put at the end of texts.
fn text(value: &Value, path: &str) -> Option<String> {
    let text = match at(value, path).ok()? {
        Value::String(text) => text.replace('\0', "").trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

/// A number by a path, also one that is written as text.
fn number(value: &Value, path: &str) -> Option<i64> {
    text(value, path)?.parse().ok()
}

/// The day in Beijing of a time in seconds since 1970.
fn day(seconds: i64) -> Option<String> {
    let time = jiff::Timestamp::from_second(seconds).ok().filter(|_| seconds > 0)?;
    Some(crate::model::beijing_day(time).to_string())
}

/// The last part of a path, if there is nothing but it behind a prefix.
fn last_of<'u>(url: &'u Url, host: &str, prefix: &str) -> Option<&'u str> {
    let name = (url.host_str()? == host).then(|| url.path().strip_prefix(prefix))??.trim_end_matches('/');
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

/// A value of the query.
fn query(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
        .filter(|v| !v.is_empty())
}

/// Whether a text can be a package name, so that it may be put into an address.
fn is_package(name: &str) -> bool {
    name.len() <= 256
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

fn ask(address: &str) -> Result<Ask, Shape> {
    Ask::page(address).map_err(|error| Shape(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays a conversation with the given answers.
    pub(super) fn play(address: &str, answers: &[&str]) -> (Vec<Ask>, Result<Next, Shape>) {
        let url = Url::parse(address).unwrap();
        let mut look = (source(&url).unwrap().begin)(&url).unwrap();
        let mut asked = Vec::new();
        let mut page = None;
        let mut answers = answers.iter();
        loop {
            match look.next(page.as_ref()) {
                Ok(Next::Ask(ask)) => {
                    let bytes = answers.next().expect("one question too many").as_bytes().to_vec();
                    let url = ask.url.clone();
                    page = Some(Page { url, bytes, content_type: None, validators: Validators::default() });
                    asked.push(*ask);
                }
                done => return (asked, done),
            }
        }
    }

    /// Plays a conversation that finds the app.
    pub(super) fn found(address: &str, answers: &[&str]) -> (Vec<Ask>, Found) {
        match play(address, answers) {
            (asked, Ok(Next::Done(found))) => (asked, *found),
            (_, Err(shape)) => panic!("{shape:?}"),
            _ => panic!("absent"),
        }
    }

    #[test]
    fn addresses_are_told_apart() {
        let named = |address: &str| source(&Url::parse(address).unwrap()).map(|source| source.name);
        for source in SOURCES {
            assert_eq!(named(source.example), Some(source.name));
        }
        assert_eq!(named("https://app.example.gov.cn/download/app.apk"), None);
        assert_eq!(named("https://sj.qq.com/"), None);
        assert_eq!(named("https://sj.qq.com/appdetail/a/b"), None);
        assert_eq!(named("https://sj.qq.com.example.cn/appdetail/a"), None);
    }

    #[test]
    fn days_are_those_of_beijing() {
        // 2026-05-17 16:30 UTC is after midnight in Beijing.
        assert_eq!(day(1_779_035_400).as_deref(), Some("2026-05-18"));
        assert_eq!(day(0), None);
        assert_eq!(day(i64::MAX), None);
    }
}
