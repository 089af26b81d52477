//! Packages within packages: plug-ins, web archives, dex in jars. Each is read by the format that knows it and taken
//! into the inspection of the package around it, within bounds on depth, number and inflated bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{FORMATS, FormatError, Options, Silent, Source, apk, probe};
use crate::decode::archive::{Archive, Budget, Entry};
use crate::model::{GapReason, Inspection, PartName, Place, Wording};

/// So many packages may be one within the other, not counting the outermost.
const MAX_DEPTH: u8 = 3;
/// So many packages within one are read, at all depths together.
const MAX_PACKAGES: usize = 64;

/// Endings of packages and of archives that may hold a part of the app.
const ENDINGS: &[&str] = &[
    "apk", "apks", "apkm", "xapk", "aab", "jar", "zip", "wgt", "wgtu", "hap", "hsp", "app", "rpk", "wxapkg",
    "ipa", "obb",
];

/// Whether an entry says by its name that it is a package.
pub(super) fn is_package(extension: &str) -> bool {
    ENDINGS.contains(&extension)
}

/// What holds for a package and all within it: the options, and what those within may cost.
#[derive(Debug, Clone)]
pub(crate) struct Nest {
    pub(super) options: Arc<Options>,
    depth: u8,
    packages: Arc<AtomicUsize>,
    pub(super) budget: Budget,
}

impl Nest {
    pub(super) fn new(options: Options) -> Self {
        Nest { options: Arc::new(options), depth: 0, packages: Arc::default(), budget: Budget::default() }
    }

    /// Whether this is a package within another.
    pub(super) fn is_inside(&self) -> bool {
        self.depth > 0
    }
}

/// Reads the package in an entry, which places name by `path`, and adds what was found, with `path` before every
/// place. What cannot be read is a gap.
pub(super) fn read(archive: &Archive, entry: &Entry, path: &str, nest: &Nest, inspection: &mut Inspection) {
    let place = Place::entry(path);
    let mut gap = |reason, detail: Wording| {
        inspection.unread(PartName::Container);
        inspection.gap(PartName::Container, &place, reason, detail);
    };
    if nest.depth >= MAX_DEPTH {
        let detail = (
            format!("安装包嵌套超过 {MAX_DEPTH} 层，未检视"),
            format!("packages nested more than {MAX_DEPTH} deep are not read"),
        );
        return gap(GapReason::LimitReached, detail.into());
    }
    if nest.packages.fetch_add(1, Ordering::Relaxed) >= MAX_PACKAGES {
        let detail = (
            format!("包内安装包超过 {MAX_PACKAGES} 个，其余未检视"),
            format!("more than {MAX_PACKAGES} packages within the package; the rest is not read"),
        );
        return gap(GapReason::LimitReached, detail.into());
    }
    let (blob, issues) = match archive.content(entry) {
        Ok(content) => content,
        Err(unread) => return gap(unread.reason, unread.detail.into()),
    };
    let inner = Nest { depth: nest.depth + 1, ..nest.clone() };
    let found = probe(Source { blob, name: path.to_owned() }, inner).and_then(|probe| {
        match FORMATS.iter().find(|f| (f.matches)(&probe)) {
            Some(format) => (format.inspect)(probe, &Silent),
            None => apk::inspect_loose(probe),
        }
    });
    match found {
        Ok(found) => {
            super::unit::count(inspection, PartName::Container, &place, issues);
            inspection.absorb(found.inside(path));
        }
        Err(FormatError::Unknown(_)) => {
            let detail =
                ("名为安装包，但不是可读的安装包", "named like a package, but none that can be read");
            gap(GapReason::UnsupportedFormat, detail.into());
        }
        Err(error) => gap(GapReason::Malformed, error.to_string().into()),
    }
}
