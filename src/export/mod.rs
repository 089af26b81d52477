//! Codes as other programs and offices take them: all of them as a list, one file per format; and one as a picture.
//!
//! A list is written as it comes, whatever its length, and breaks off with the first error of its source: whoever
//! writes files makes them appear whole or not at all.

mod csv;
mod json;
mod picture;
mod row;
mod xlsx;

use std::io::{self, Write};

use crate::model::{CodeDocument, Lang};

pub use picture::{Painter, PictureError, Png, svg};

/// The codes to be written, in the order of the list.
pub type Codes<'a> = &'a mut dyn Iterator<Item = io::Result<CodeDocument>>;

/// A format of lists.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// Name on the command line.
    pub name: &'static str,
    /// Writes a list, for people in their language.
    pub write: fn(Codes<'_>, Lang, &mut dyn Write) -> io::Result<()>,
}

/// Every format, in the order in which help lists them.
pub static FORMATS: &[Format] = &[json::FORMAT, json::LINES_FORMAT, csv::FORMAT, xlsx::FORMAT];

/// The format of a name.
pub fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}
