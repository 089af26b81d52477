//! Package formats, one file each: which decoder reads which entry. A format never sees a rule.

pub mod aab;
pub mod apk;
pub mod apk_set;
pub(crate) mod apksigner;
pub mod h5;
pub mod hap;
pub mod ipa;
mod native;
mod nested;
mod ocr;
mod picture;
mod program;
pub mod rpk;
mod tree;
mod unit;
pub mod web;
pub mod wgt;
pub mod wxapkg;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use self::ocr::{ocr_cache, ocr_problem};

use self::nested::Nest;
use crate::decode::archive::Archive;
use crate::decode::blob::Blob;
use crate::decode::folder::Folder;
use crate::link::piece;
use crate::model::{Inspection, PartName};

/// Told how far an inspection is; called from several threads.
pub trait Progress: Sync {
    /// The inspection will read this many bytes; called once the package is open.
    fn begin(&self, total_bytes: u64);
    /// This many more of them are done.
    fn advance(&self, bytes: u64);
    /// Whether nobody waits for the result any longer. A scan in a process of its own is ended then; one in this
    /// process goes on to its end.
    fn is_cancelled(&self) -> bool {
        false
    }
}

/// A progress nobody looks at.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _total_bytes: u64) {}
    fn advance(&self, _bytes: u64) {}
}

/// Why a package could not be inspected at all.
#[derive(Debug, Error)]
pub enum FormatError {
    /// The bytes could not be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// No format knows the content.
    #[error("{0}")]
    Unknown(String),
    /// The format is known, but nothing of it can be read.
    #[error("{format}: {cause}")]
    Broken {
        /// Short name of the format.
        format: &'static str,
        /// What is wrong.
        cause: String,
    },
}

/// What a caller may know or wish beyond the bytes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Options {
    /// Id of the mini program, which is the key to what the PC client has encrypted.
    pub appid: Option<String>,
    /// Recognise the text in pictures that look like buttons, by `tesseract`.
    pub ocr: bool,
    /// Check the signature of an APK by `apksigner`.
    pub verify_signature: bool,
}

/// A package and what it is called.
#[derive(Debug, Clone)]
pub struct Source {
    /// The bytes.
    pub blob: Blob,
    /// Path or address, as the caller named it; parts of it may tell what the package does not.
    pub name: String,
}

/// What a format is recognised by.
#[derive(Debug)]
pub struct Probe {
    /// The bytes.
    pub blob: Blob,
    /// What the package is called.
    pub name: String,
    /// The first kilobyte, or all there is.
    pub head: Vec<u8>,
    /// The archive, when the bytes are one.
    pub archive: Option<(Archive, Vec<crate::decode::Issue>)>,
    /// What the caller knows or wishes, and what packages within it may cost.
    pub(crate) nest: Nest,
}

/// A package format.
#[derive(Debug, Clone, Copy)]
pub struct Format {
    /// Short name, as in reports: `apk`.
    pub name: &'static str,
    /// Full name in Chinese and English.
    pub title: (&'static str, &'static str),
    /// Usual endings of file names; the content decides.
    pub endings: &'static [&'static str],
    /// What of it is read.
    pub parts: &'static [PartName],
    /// Whether the content is of this format.
    pub matches: fn(&Probe) -> bool,
    /// Reads a package of this format.
    pub inspect: fn(Probe, &dyn Progress) -> Result<Inspection, FormatError>,
}

/// Every format, the more specific before the more general.
pub static FORMATS: &[Format] = &[
    wxapkg::FORMAT,
    hap::FORMAT,
    aab::FORMAT,
    apk_set::FORMAT,
    ipa::FORMAT,
    apk::FORMAT,
    rpk::FORMAT,
    wgt::FORMAT,
    h5::FORMAT,
];

/// Recognises a package by its content and reads it.
pub fn inspect(
    source: Source,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Inspection, FormatError> {
    inspect_probe(probe(source, Nest::new(options.clone()))?, progress)
}

/// Reads a folder as one program, whatever its format would be packed.
pub fn inspect_folder(
    folder: &Folder,
    name: &str,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Inspection, FormatError> {
    inspect_probe(probe_folder(folder, name, options), progress)
}

/// The format that a folder would be read by.
pub fn format_of_folder(folder: &Folder, name: &str, options: &Options) -> Option<&'static Format> {
    let probe = probe_folder(folder, name, options);
    FORMATS.iter().find(|format| (format.matches)(&probe))
}

fn probe_folder(folder: &Folder, name: &str, options: &Options) -> Probe {
    let nest = Nest::new(options.clone());
    let archive = Archive::of_folder(folder, nest.budget.clone());
    let archive = Some((archive, folder.issues.clone()));
    Probe { blob: Blob::memory([]), name: name.to_owned(), head: Vec::new(), archive, nest }
}

/// Whether a file says by its name that it is a package.
pub fn is_package_name(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    nested::is_package(&extension) && !matches!(extension.as_str(), "jar" | "obb" | "zip")
}

/// The format of a package by its first bytes and its name, without a look into it.
pub fn by_first_bytes(head: &[u8], name: &str) -> Option<&'static str> {
    if head.first() == Some(&0xBE) {
        return Some(wxapkg::FORMAT.name);
    }
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    let of_ending = |format: &&Format| format.endings.contains(&extension.as_str());
    FORMATS.iter().find(of_ending).map(|format| format.name).filter(|_| head.starts_with(b"PK"))
}

fn inspect_probe(probe: Probe, progress: &dyn Progress) -> Result<Inspection, FormatError> {
    let Some(format) = FORMATS.iter().find(|format| (format.matches)(&probe)) else {
        return Err(FormatError::Unknown(describe(&probe)));
    };
    let mut inspection = (format.inspect)(probe, progress)?;
    piece::add_whole_labels(&mut inspection.texts);
    Ok(inspection)
}

fn probe(source: Source, nest: Nest) -> Result<Probe, FormatError> {
    let Source { blob, name } = source;
    let head = blob.slice(0, 1024)?;
    // Data before the archive is allowed, so anything that is not another known format is tried as an archive.
    let archive = match head.first() {
        Some(0xBE) => None,
        _ => Archive::open_within(blob.clone(), nest.budget.clone()).ok(),
    };
    Ok(Probe { blob, name, head, archive, nest })
}

/// What a file is that no format knows, for the error message.
fn describe(probe: &Probe) -> String {
    let head = probe.head.as_slice();
    let kind = if probe.blob.is_empty() && probe.archive.is_none() {
        "the file is empty"
    } else if let Some((archive, _)) = &probe.archive {
        return format!(
            "a ZIP archive of {} entries, but no package of a known format (no AndroidManifest.xml, no dex, no page)",
            archive.entries().len()
        );
    } else if head.starts_with(b"PK") {
        "a ZIP archive whose directory is missing or damaged, and no entry can be found"
    } else if head.starts_with(b"<") || head.starts_with(b"\xEF\xBB\xBF<") {
        "an HTML or XML text, not a package"
    } else if head.starts_with(b"\x7FELF") {
        "a Linux program, not a package"
    } else if head.starts_with(b"%PDF") {
        "a PDF document, not a package"
    } else if head.starts_with(b"dex\n") {
        "a single dex file, not a package"
    } else if head.starts_with(b"Rar!") || head.starts_with(b"7z\xBC\xAF") || head.starts_with(b"\x1F\x8B") {
        "an archive of another kind (rar, 7z, gzip); unpack it first"
    } else {
        "not a package of a known format"
    };
    kind.to_owned()
}
