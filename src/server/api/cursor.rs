//! Where a list goes on: opaque to whoever asks, so that it may change.

use data_encoding::BASE64URL_NOPAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::server::Problem;

/// Rows of a page where the request does not say.
const PAGE: u32 = 50;
/// Rows of a page at most.
const LARGEST: u32 = 500;

/// How many rows a page has.
pub(super) fn rows(asked: Option<u32>) -> u32 {
    asked.unwrap_or(PAGE).clamp(1, LARGEST)
}

pub(super) fn write<T: Serialize>(place: &T) -> String {
    BASE64URL_NOPAD.encode(&serde_json::to_vec(place).unwrap_or_default())
}

/// The place behind which a list goes on; `None` at its beginning.
pub(super) fn read<T: DeserializeOwned>(after: Option<&str>) -> Result<Option<T>, Problem> {
    let Some(after) = after.filter(|after| !after.is_empty()) else { return Ok(None) };
    let bytes = BASE64URL_NOPAD.decode(after.as_bytes()).ok();
    let place = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    place.map(Some).ok_or_else(|| Problem::bad_request("after"))
}
