//! Multipart forms: their fields within the time and the length that the service allows, whichever page or interface
//! takes them.

use std::time::Instant;

use axum::body::Bytes;
use axum::extract::Multipart;
use axum::extract::multipart::{Field, MultipartError};
use tokio::time::timeout;

use super::upload::is_slow;
use super::{App, Problem};

/// Longest field that is no file, in bytes.
const LONGEST_TEXT: usize = 1_000;

fn broken(error: MultipartError) -> Problem {
    Problem::bad_request(error.body_text())
}

/// The next field of a form, when its head is there in time.
pub(super) async fn next<'a>(app: &App, form: &'a mut Multipart) -> Result<Option<Field<'a>>, Problem> {
    let next = timeout(app.config.server.body_timeout, form.next_field()).await;
    next.map_err(|_| Problem::slow())?.map_err(broken)
}

/// What is in a field, when it comes in time and is no longer than so many bytes.
pub(super) async fn bytes(app: &App, mut field: Field<'_>, most: usize) -> Result<Bytes, Problem> {
    let (begun, patience) = (Instant::now(), app.config.server.body_timeout);
    let mut bytes = Vec::new();
    loop {
        let piece = timeout(patience, field.chunk()).await.map_err(|_| Problem::slow())?.map_err(broken)?;
        let Some(piece) = piece else { return Ok(bytes.into()) };
        if is_slow(begun.elapsed(), bytes.len() as u64, patience) {
            return Err(Problem::slow());
        }
        if bytes.len() + piece.len() > most {
            return Err(Problem::bad_request(("表单中的一项过长", "a field is too long")));
        }
        bytes.extend_from_slice(&piece);
    }
}

/// What is in a field that is no file, without white space at its ends.
pub(super) async fn text(app: &App, field: Field<'_>) -> Result<String, Problem> {
    let bytes = bytes(app, field, LONGEST_TEXT).await?;
    let text = std::str::from_utf8(&bytes);
    let text = text.map_err(|_| Problem::bad_request(("表单中的一项不是 UTF-8", "a field is not UTF-8")))?;
    Ok(text.trim().to_owned())
}
