//! The files of an app of web code, in an archive or a folder, whatever the format around them.

use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value;

use super::nested::{self, Nest};
use super::picture::{self, Pictures};
use super::unit::read;
use super::{Progress, web};
use crate::decode::archive::{Archive, Entry};
use crate::model::{GapReason, Inspection, PartName, Place};

/// A manifest or page list is never larger.
const MAX_JSON: u64 = 4 << 20;

/// The value of a JSON file, without a word about what is wrong with it: to tell formats apart.
pub(super) fn peek(archive: &Archive, name: &str) -> Option<Value> {
    let entry = archive.entry(name).filter(|entry| entry.size <= MAX_JSON)?;
    parse(&archive.read(entry).ok()?.0).ok()
}

/// The value of a manifest, or of null with a gap.
pub(super) fn manifest(archive: &Archive, name: &str, inspection: &mut Inspection) -> Value {
    let place = Place::entry(name);
    let Some(entry) = archive.entry(name) else {
        inspection.unread(PartName::Manifest);
        let detail = ("包内没有清单", "the package has no manifest");
        inspection.gap(PartName::Manifest, &place, GapReason::Missing, detail);
        return Value::Null;
    };
    let Some(bytes) = read(archive, entry, &place, PartName::Manifest, inspection) else {
        return Value::Null;
    };
    match parse(&bytes) {
        Ok(value) if value.is_object() => {
            inspection.read(PartName::Manifest);
            value
        }
        outcome => {
            let cause = outcome.err().map_or_else(|| "no object".to_owned(), |error| error.to_string());
            inspection.unread(PartName::Manifest);
            inspection.gap(PartName::Manifest, &place, GapReason::Malformed, cause);
            Value::Null
        }
    }
}

fn parse(bytes: &[u8]) -> serde_json::Result<Value> {
    serde_json::from_slice(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes))
}

/// A string of a JSON value that is not empty.
pub(super) fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// Text assets by path and content.
pub(super) type Texts = [(Arc<str>, Vec<u8>)];

/// Reads every file but those in `done`; those that are text by `read_texts`, all together if they are not too many.
pub(super) fn read_files(
    archive: &Archive,
    done: &[&str],
    read_texts: &(dyn Fn(&Texts, &mut Inspection) + Sync),
    nest: &Nest,
    progress: &dyn Progress,
    inspection: &mut Inspection,
) {
    let (mut texts, mut packages): (Vec<&Entry>, Vec<&Entry>) = (Vec::new(), Vec::new());
    let mut pictures = Pictures::default();
    for entry in archive.entries() {
        let name = &*entry.name;
        if name.ends_with('/') || name.starts_with("META-INF/") || done.contains(&name) {
            continue;
        }
        let place = Place::entry(entry.name.clone());
        let file = name.rsplit('/').next().unwrap_or(name);
        let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
        match extension.as_str() {
            extension if picture::is_picture(extension) => pictures.add(entry.name.clone(), archive, entry),
            "jsc" | "hbc" | "qbc" => {
                inspection.unread(PartName::Js);
                let detail = (
                    "脚本已编译为字节码，尚不支持检视",
                    "the script is compiled to bytecode that is not read",
                );
                inspection.gap(PartName::Js, &place, GapReason::UnsupportedFormat, detail);
            }
            "so" | "wasm" => {
                inspection.unread(PartName::Native);
                let detail = ("本地代码，未检视", "native code is not read");
                inspection.note(PartName::Native, &place, GapReason::NotInspected, detail);
            }
            extension if nested::is_package(extension) => packages.push(entry),
            _ if web::is_data(name, entry.size) => {
                inspection.unread(PartName::Other);
                let detail = ("数据文件过大，未检视", "a data file too large to be text of the interface");
                inspection.note(PartName::Other, &place, GapReason::TooLarge, detail);
            }
            _ if web::is_text_asset(name) => texts.push(entry),
            "css" | "less" | "scss" | "wxss" | "map" | "ttf" | "otf" | "woff" | "woff2" | "eot" | "mp3"
            | "ogg" | "wav" | "mp4" | "m4a" | "aac" | "webm" | "md5" => {}
            _ => {
                inspection.unread(PartName::Other);
                let detail = ("类型不明，未检视", "a file of no known kind is not read");
                inspection.note(PartName::Other, &place, GapReason::NotInspected, detail);
            }
        }
    }
    progress.begin(texts.iter().chain(&packages).map(|entry| entry.packed).sum());
    let (kind, format) = (inspection.kind, inspection.format);
    // Too much to be in memory at once is read one by one.
    let together = texts.iter().map(|entry| entry.size).sum::<u64>() <= web::MAX_APP;
    type File = (Arc<str>, Vec<u8>);
    let read_one = |entry: &&Entry| -> (Inspection, Option<File>) {
        let mut found = Inspection::new(kind, format);
        let place = Place::entry(entry.name.clone());
        let bytes = read(archive, entry, &place, PartName::Text, &mut found);
        progress.advance(entry.packed);
        let file = bytes.map(|bytes| (entry.name.clone(), bytes));
        if together {
            return (found, file);
        }
        read_texts(file.as_slice(), &mut found);
        (found, None)
    };
    let found: Vec<_> = texts.par_iter().map(read_one).collect();
    let mut files = Vec::new();
    for (found, file) in found {
        inspection.absorb(found);
        files.extend(file);
    }
    if together {
        read_texts(&files, inspection);
    }
    drop(files);
    // One after the other: each is in memory as a whole.
    for entry in packages {
        nested::read(archive, entry, &entry.name, nest, inspection);
        progress.advance(entry.packed);
    }
    let shown = pictures.read("", &nest.options, inspection);
    inspection.texts.extend(shown);
}
