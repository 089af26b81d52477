//! Packages: streamed to the store, gone on with where they broke off, and not fetched again when unchanged.

use futures_util::StreamExt;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE};
use url::Url;

use super::client::{Answer, Ask, Client};
use super::error::FetchError;
use super::store::{Known, Partial, Store};

/// Told how far a download is.
pub trait Watch: Sync {
    /// So many bytes are there; the whole length where the server says it.
    fn at(&self, bytes: u64, of: Option<u64>);
}

/// A watch nobody looks at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn at(&self, _bytes: u64, _of: Option<u64>) {}
}

/// A package in the store.
#[derive(Debug, Clone)]
pub struct Downloaded {
    /// What is known of it.
    pub known: Known,
    /// The server said that it is the same as last time.
    pub unchanged: bool,
}

impl Client {
    /// Brings what is at an address into the store.
    pub async fn download(
        &self,
        url: &Url,
        store: &Store,
        watch: &dyn Watch,
    ) -> Result<Downloaded, FetchError> {
        self.retrying(|| self.attempt(url, store, watch)).await
    }

    async fn attempt(&self, url: &Url, store: &Store, watch: &dyn Watch) -> Result<Downloaded, FetchError> {
        let most = self.settings().largest_package;
        let mut partial = store.partial(url)?;
        let mut ask = Ask::at(url.clone()).plain();
        if partial.length > 0 {
            let condition = partial.validators.for_range().unwrap_or_default().to_owned();
            ask = ask.from(partial.length, &condition);
        } else if let Some(known) = store.known(url) {
            ask = ask.unless(known.validators);
        }
        let answer = match self.send(&ask).await {
            // Nothing comes after what is there: it was whole, or the file has become shorter. Begin anew.
            Err(FetchError::Status { status: 416, .. }) => {
                partial.discard()?;
                let cause = "the rest that was asked for is not there".to_owned();
                return Err(FetchError::Network { url: Box::new(url.clone()), cause });
            }
            sent => sent?,
        };
        if answer.response.status() == StatusCode::NOT_MODIFIED {
            partial.discard()?;
            return match store.known(url) {
                Some(known) => {
                    let fetched = jiff::Timestamp::now();
                    Ok(Downloaded { known: store.remember(Known { fetched, ..known })?, unchanged: true })
                }
                None => Err(FetchError::Content {
                    url: Box::new(url.clone()),
                    cause: "said to be unchanged, but it is not here".to_owned(),
                }),
            };
        }
        let total = begin(&answer, &mut partial)?;
        if total.is_some_and(|total| total > most) {
            partial.discard()?;
            return Err(FetchError::TooLarge { url: Box::new(answer.url.clone()), most });
        }
        let content_type = answer.response.headers().get(CONTENT_TYPE);
        let content_type = content_type.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let Answer { response, url: from, validators, _turn, room: _room } = answer;
        let network = |cause: String| FetchError::Network { url: Box::new(from.clone()), cause };
        let mut body = response.bytes_stream();
        watch.at(partial.length, total);
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| network(super::client::causes(error)))?;
            if partial.length + chunk.len() as u64 > most {
                partial.discard()?;
                return Err(FetchError::TooLarge { url: Box::new(from), most });
            }
            partial.append(&chunk)?;
            watch.at(partial.length, total);
        }
        if let Some(total) = total.filter(|total| *total != partial.length) {
            return Err(network(format!("{} of {total} bytes came", partial.length)));
        }
        let known = store.finish(url, partial, content_type, validators, &from)?;
        Ok(Downloaded { known, unchanged: false })
    }
}

/// Makes the bytes that are there fit those that come; the whole length where the server says it.
fn begin(answer: &Answer, partial: &mut Partial) -> Result<Option<u64>, FetchError> {
    let coming = answer.response.content_length();
    if answer.response.status() != StatusCode::PARTIAL_CONTENT {
        partial.restart(answer.validators.clone())?;
        return Ok(coming);
    }
    // `bytes 1000-1999/2000`
    let range = answer.response.headers().get(CONTENT_RANGE).and_then(|value| value.to_str().ok());
    let range = range.and_then(|range| range.trim().strip_prefix("bytes ")?.split_once('/'));
    let start = range.and_then(|(range, _)| range.split('-').next()?.parse::<u64>().ok());
    let same = answer.validators.for_range() == partial.validators.for_range();
    if start != Some(partial.length) || !same {
        // Not the rest of what is here. The next attempt asks for the whole.
        partial.restart(Default::default())?;
        let cause = "a part came that is not the rest of what is here".to_owned();
        return Err(FetchError::Network { url: Box::new(answer.url.clone()), cause });
    }
    Ok(range.and_then(|(_, total)| total.parse().ok()).or(coming.map(|coming| coming + partial.length)))
}
