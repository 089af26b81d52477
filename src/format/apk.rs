//! Android packages: manifest, resource table, layouts, every dex file, and text assets.

use std::collections::{BTreeSet, HashMap, HashSet};

use rayon::prelude::*;

use super::unit::{count, note_images, read, state};
use super::{Format, FormatError, Probe, Progress};
use crate::decode::apk_signature::{self, SigningCertificate};
use crate::decode::archive::{Archive, Entry};
use crate::decode::arsc::Table;
use crate::decode::axml::{Xml, XmlError};
use crate::decode::dex::Dex;
use crate::link::android::code::{self, CodeUnit, Ownership};
use crate::link::android::layout::{self, FileKind, ScreenFile};
use crate::link::android::manifest::{Manifest, Text};
use crate::link::android::symbol::Symbols;
use crate::link::android::{self, Parts, file_path, packer};
use crate::link::library;
use crate::model::{GapReason, Inspection, PartName, Place, Signer, TargetKind};

const MANIFEST: &str = "AndroidManifest.xml";
const TABLE: &str = "resources.arsc";

/// APK.
pub const FORMAT: Format = Format { name: "apk", matches, inspect };

fn matches(probe: &Probe) -> bool {
    let Some((archive, _)) = &probe.archive else { return false };
    archive.entry(MANIFEST).is_some()
        || archive.entry("classes.dex").is_some()
        || archive.entry(TABLE).is_some()
}

/// One entry to be read after the resource table.
#[derive(Debug, Clone, Copy)]
enum Task<'e> {
    Dex(&'e Entry),
    File(&'e Entry, FileKind),
    Asset(&'e Entry),
}

impl<'e> Task<'e> {
    fn entry(&self) -> &'e Entry {
        match self {
            Task::Dex(entry) | Task::File(entry, _) | Task::Asset(entry) => entry,
        }
    }
}

/// What came of a task.
enum Outcome {
    Code(Vec<(String, CodeUnit)>),
    File(Option<ScreenFile>),
    Asset,
}

fn inspect(probe: Probe, progress: &dyn Progress) -> Result<Inspection, FormatError> {
    let Some((archive, issues)) = probe.archive else {
        return Err(FormatError::Broken { format: FORMAT.name, cause: "no archive".into() });
    };
    let mut inspection = Inspection::new(TargetKind::App, FORMAT.name);
    let whole = !issues.iter().any(|issue| issue.lossy);
    state(&mut inspection, PartName::Container, &Place::entry(""), issues);

    let manifest = read_manifest(&archive, &mut inspection);
    let table_bytes = read_table(&archive, &mut inspection);
    let table = table_bytes.as_deref().and_then(|bytes| parse_table(bytes, &mut inspection));
    let components = manifest.iter().flat_map(|m| &m.components).map(|c| c.class.as_str());
    let ownership = Ownership::new(
        manifest.as_ref().map_or("", |m| m.package.as_str()),
        components.chain(manifest.iter().filter_map(|m| m.application.as_deref())),
    );

    let mut tasks = tasks(&archive, table.as_ref(), &mut inspection);
    progress.begin(tasks.iter().map(|task| task.entry().packed).sum());
    tasks.sort_by_key(|task| std::cmp::Reverse(task.entry().size));
    let outcomes: Vec<(Inspection, Outcome)> = tasks
        .par_iter()
        .map(|task| {
            let mut found = Inspection::new(TargetKind::App, FORMAT.name);
            let outcome = run(&archive, *task, &ownership, table.as_ref(), &mut found);
            progress.advance(task.entry().packed);
            (found, outcome)
        })
        .collect();

    let mut files = Vec::new();
    let mut units = Vec::new();
    for (found, outcome) in outcomes {
        inspection.absorb(found);
        match outcome {
            Outcome::Code(found) => units.extend(found),
            Outcome::File(file) => files.extend(file),
            Outcome::Asset => {}
        }
    }
    files.sort_by(|a: &ScreenFile, b| a.path.cmp(&b.path));
    units.sort_by(|a, b| a.0.cmp(&b.0));

    let symbols = code::join(&mut units);
    let hidden = hidden_code(&archive, manifest.as_ref(), &units, &symbols, &mut inspection);
    let parts = Parts {
        symbols: &symbols,
        manifest: manifest.as_ref(),
        table: table.as_ref(),
        files: &files,
        code: &units,
        complete: whole && !hidden && manifest.is_some() && !inspection.has_gaps(),
    };
    android::link(&parts, &mut inspection);
    identify(&archive, manifest.as_ref(), table.as_ref(), &mut inspection);
    Ok(inspection)
}

/// The entries that an inspection reads: what the benchmark measures the floor by.
pub fn entries_read(archive: &Archive) -> Vec<&Entry> {
    let mut aside = Inspection::new(TargetKind::App, FORMAT.name);
    let bytes = read_table(archive, &mut aside);
    let table = bytes.as_deref().and_then(|bytes| parse_table(bytes, &mut aside));
    let first = [MANIFEST, TABLE].into_iter().filter_map(|name| archive.entry(name));
    let tasks = tasks(archive, table.as_ref(), &mut aside);
    first.chain(tasks.iter().map(Task::entry)).collect()
}

fn read_manifest(archive: &Archive, inspection: &mut Inspection) -> Option<Manifest> {
    let place = Place::entry(MANIFEST);
    let Some(entry) = archive.entry(MANIFEST) else {
        inspection.unread(PartName::Manifest);
        inspection.gap(
            PartName::Manifest,
            &place,
            GapReason::Missing,
            ("安装包没有清单", "the package has no manifest"),
        );
        return None;
    };
    let bytes = read(archive, entry, PartName::Manifest, inspection)?;
    match Xml::parse(&bytes) {
        Ok((xml, issues)) => {
            count(inspection, PartName::Manifest, &place, issues);
            Some(Manifest::read(&xml))
        }
        Err(error) => {
            inspection.unread(PartName::Manifest);
            inspection.gap(PartName::Manifest, &place, GapReason::Malformed, error.to_string());
            None
        }
    }
}

fn read_table(archive: &Archive, inspection: &mut Inspection) -> Option<Vec<u8>> {
    read(archive, archive.entry(TABLE)?, PartName::Resources, inspection)
}

fn parse_table<'a>(bytes: &'a [u8], inspection: &mut Inspection) -> Option<Table<'a>> {
    let place = Place::entry(TABLE);
    match Table::parse(bytes) {
        Ok((table, issues)) => {
            count(inspection, PartName::Resources, &place, issues);
            Some(table)
        }
        Err(error) => {
            inspection.unread(PartName::Resources);
            inspection.gap(PartName::Resources, &place, GapReason::Malformed, error.to_string());
            None
        }
    }
}

/// What is to be read, and a word about what is not.
fn tasks<'e>(archive: &'e Archive, table: Option<&Table<'_>>, inspection: &mut Inspection) -> Vec<Task<'e>> {
    let kinds = file_kinds(table);
    let mut tasks = Vec::new();
    let mut unknown = Vec::new();
    for entry in archive.entries() {
        let name = &*entry.name;
        if name == MANIFEST || name == TABLE || name.ends_with('/') {
            continue;
        }
        let file = name.rsplit('/').next().unwrap_or(name);
        let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
        let place = || Place::entry(entry.name.clone());
        match extension.as_str() {
            "dex" => tasks.push(Task::Dex(entry)),
            _ if kinds.contains_key(name) => tasks.push(Task::File(entry, kinds[name])),
            "xml" if name.starts_with("res/") => {
                // Not in the table, so by its folder; drawables, animations and colours hold no text.
                let folder = name.split('/').nth(1).unwrap_or_default();
                let kind = FileKind::of_type(folder.split('-').next().unwrap_or_default());
                tasks.extend(kind.map(|kind| Task::File(entry, kind)));
            }
            "png" | "jpg" | "jpeg" | "webp" | "gif" | "svg" | "bmp" | "heif" | "ico" => {
                inspection.unread(PartName::Images);
            }
            "so" => native(entry, file, inspection),
            "apk" | "jar" | "zip" | "aab" | "wgt" | "hap" | "rpk" => {
                inspection.unread(PartName::Other);
                inspection.gap(
                    PartName::Other,
                    &place(),
                    GapReason::UnsupportedFormat,
                    ("安装包内的安装包，尚不支持检视", "a package within the package is not read yet"),
                );
            }
            _ if super::web::is_text_asset(name)
                && !super::web::is_data(name, entry.size)
                && !name.starts_with("META-INF/") =>
            {
                tasks.push(Task::Asset(entry));
            }
            "ttf" | "otf" | "woff" | "woff2" | "mp3" | "ogg" | "wav" | "mp4" | "m4a" | "aac" | "webm" => {}
            _ if name.starts_with("assets/") => {
                opaque_asset(entry, file, inspection);
                unknown.push(name.trim_start_matches("assets/"));
            }
            _ => {}
        }
    }
    if !unknown.is_empty() {
        let shown = unknown[..unknown.len().min(3)].join(", ");
        let count = unknown.len();
        let detail = (
            format!("类型不明的资产 {count} 个，如 {shown}"),
            format!("{count} assets of no known kind, such as {shown}"),
        );
        inspection.note(PartName::Other, &Place::entry("assets"), GapReason::NotInspected, detail);
    }
    note_images(inspection, "res");
    let libraries = inspection.unread_count(PartName::Native);
    if libraries > 0 {
        let detail = (
            format!("本地库 {libraries} 个，其代码未检视"),
            format!("{libraries} native libraries; their code is not read"),
        );
        inspection.note(PartName::Native, &Place::entry("lib"), GapReason::NotInspected, detail);
    }
    tasks
}

/// Resource files that can hold text, by path: names and folders may be obfuscated, the table is not.
fn file_kinds(table: Option<&Table<'_>>) -> HashMap<String, FileKind> {
    let mut kinds = HashMap::new();
    let Some(table) = table else { return kinds };
    for resource in table.resources() {
        let Some(kind) = FileKind::of_type(resource.type_name()) else { continue };
        for value in resource.values() {
            if let Some(path) = file_path(&value.value) {
                kinds.insert(path.into_owned(), kind);
            }
        }
    }
    kinds
}

/// Frameworks that keep the app's text in a native library.
fn native(entry: &Entry, file: &str, inspection: &mut Inspection) {
    inspection.unread(PartName::Native);
    let holder = match file {
        "libapp.so" => {
            ("界面在编译后的 Dart 代码（Flutter）中", "compiled Dart code (Flutter) holds the interface")
        }
        "libil2cpp.so" => {
            ("界面在编译后的 C# 代码（Unity）中", "compiled C# code (Unity) holds the interface")
        }
        _ => return,
    };
    inspection.gap(PartName::Native, &Place::entry(entry.name.clone()), GapReason::UnsupportedFormat, holder);
}

/// Assets of no known kind: most are data, some are code in a form of their own.
fn opaque_asset(entry: &Entry, file: &str, inspection: &mut Inspection) {
    inspection.unread(PartName::Other);
    let place = Place::entry(entry.name.clone());
    if matches!(file, "index.android.bundle" | "main.jsbundle" | "global-metadata.dat")
        || file.ends_with(".hbc")
    {
        let detail = (
            "二进制脚本包或元数据，尚不支持检视",
            "a script bundle or metadata in binary form is not read yet",
        );
        inspection.gap(PartName::Js, &place, GapReason::UnsupportedFormat, detail);
    }
}

fn run(
    archive: &Archive,
    task: Task<'_>,
    ownership: &Ownership,
    table: Option<&Table<'_>>,
    inspection: &mut Inspection,
) -> Outcome {
    match task {
        Task::Dex(entry) => Outcome::Code(read_dex(archive, entry, ownership, inspection)),
        Task::File(entry, kind) => {
            let Some(bytes) = read(archive, entry, PartName::Layouts, inspection) else {
                return Outcome::File(None);
            };
            Outcome::File(read_file(entry, kind, &bytes, table, inspection))
        }
        Task::Asset(entry) => {
            if let Some(bytes) = read(archive, entry, PartName::Text, inspection) {
                super::web::read_text_asset(&entry.name, &bytes, inspection);
            }
            Outcome::Asset
        }
    }
}

fn read_dex(
    archive: &Archive,
    entry: &Entry,
    ownership: &Ownership,
    inspection: &mut Inspection,
) -> Vec<(String, CodeUnit)> {
    let place = Place::entry(entry.name.clone());
    let Some(bytes) = read(archive, entry, PartName::Dex, inspection) else { return Vec::new() };
    match Dex::parse_all(&bytes) {
        Ok((all, mut issues)) => {
            let mut units = Vec::new();
            for dex in &all {
                let mut unit = code::read(dex, ownership);
                issues.append(&mut unit.issues);
                units.push((entry.name.to_string(), unit));
            }
            count(inspection, PartName::Dex, &place, issues);
            units
        }
        Err(error) => {
            inspection.unread(PartName::Dex);
            inspection.gap(PartName::Dex, &place, GapReason::Malformed, error.to_string());
            Vec::new()
        }
    }
}

fn read_file(
    entry: &Entry,
    kind: FileKind,
    bytes: &[u8],
    table: Option<&Table<'_>>,
    inspection: &mut Inspection,
) -> Option<ScreenFile> {
    let place = Place::entry(entry.name.clone());
    match Xml::parse(bytes) {
        Ok((xml, issues)) => {
            count(inspection, PartName::Layouts, &place, issues);
            Some(layout::read(&entry.name, kind, &xml, table))
        }
        Err(XmlError::PlainText) => {
            super::web::read_text_asset(&entry.name, bytes, inspection);
            None
        }
        Err(error) => {
            inspection.unread(PartName::Layouts);
            inspection.gap(PartName::Layouts, &place, GapReason::Malformed, error.to_string());
            None
        }
    }
}

/// States what hides code: packers, and components of the manifest that no dex file holds.
fn hidden_code(
    archive: &Archive,
    manifest: Option<&Manifest>,
    units: &[(String, CodeUnit)],
    symbols: &Symbols,
    inspection: &mut Inspection,
) -> bool {
    let application = manifest.and_then(|m| m.application.as_deref());
    let traces = packer::traces(archive.entries().iter().map(|entry| &*entry.name), application);
    let present: HashSet<&str> =
        units.iter().flat_map(|(_, unit)| &unit.classes).map(|class| symbols.name(class.name)).collect();
    let components: BTreeSet<&str> = manifest
        .iter()
        .flat_map(|manifest| &manifest.components)
        .map(|component| component.class.as_str())
        .filter(|class| library::of_class(class.replace('.', "/").as_bytes()).is_none())
        .collect();
    let missing: Vec<&str> = components.iter().copied().filter(|class| !present.contains(class)).collect();

    let products: BTreeSet<&str> = traces.iter().map(|trace| trace.product).collect();
    for product in &products {
        let places: Vec<&str> =
            traces.iter().filter(|t| t.product == *product).map(|t| t.place.as_str()).collect();
        let detail = (
            format!("已用 {product} 加固：{}", places.join("、")),
            format!("packed with {product}: {}", places.join(", ")),
        );
        inspection.anomaly("package.packed", &Place::entry(places[0]), &detail.1);
        inspection.gap(PartName::Dex, &Place::entry(places[0]), GapReason::Packed, detail);
    }
    let place = Place::entry("classes.dex");
    if !missing.is_empty() {
        let shown: Vec<&str> = missing.iter().copied().take(5).collect();
        let more = if missing.len() > shown.len() { " …" } else { "" };
        let (count, all, shown) = (missing.len(), components.len(), shown.join(", "));
        let detail = (
            format!("清单中 {all} 个组件有 {count} 个不在任何 dex 文件中：{shown}{more}"),
            format!("{count} of {all} components of the manifest are in no dex file: {shown}{more}"),
        );
        inspection.gap(PartName::Dex, &place, GapReason::Missing, detail);
    }
    // Most of the app's own components gone: what is left is a loader.
    if missing.len() * 2 > components.len() {
        inspection.opaque();
    }
    !products.is_empty() || !missing.is_empty()
}

fn identify(
    archive: &Archive,
    manifest: Option<&Manifest>,
    table: Option<&Table<'_>>,
    inspection: &mut Inspection,
) {
    let place = Place::entry(MANIFEST);
    if let Some(manifest) = manifest {
        let resolve = |text: &Text| android::resolve(text, table);
        inspection.identity.id = Some(manifest.package.clone()).filter(|package| !package.is_empty());
        inspection.identity.name = manifest.label.as_ref().and_then(resolve);
        inspection.identity.version = manifest.version_name.as_ref().and_then(resolve);
        inspection.identity.version_code = manifest.version_code;
        if manifest.debuggable {
            inspection.anomaly("manifest.debuggable", &place, "the package can be debugged by anybody");
        }
    }
    let signers = signers(archive, inspection);
    if signers.len() > 1 {
        let names: Vec<&str> = signers.iter().map(|signer| signer.subject.as_str()).collect();
        inspection.anomaly("signature.several-signers", &Place::entry("META-INF"), names.join("; "));
    }
    let Some(signer) = signers.into_iter().next() else {
        inspection.anomaly("signature.missing", &Place::entry("META-INF"), "the package is not signed");
        return;
    };
    if signer.subject.contains("CN=Android Debug") {
        inspection.anomaly("signature.debug-certificate", &Place::entry("META-INF"), &signer.subject);
    }
    let SigningCertificate { subject, sha256, schemes } = signer;
    inspection.identity.signer = Some(Signer { subject, sha256, schemes, verified: None });
}

fn signers(archive: &Archive, inspection: &mut Inspection) -> Vec<SigningCertificate> {
    let mut entries: Vec<&Entry> = archive
        .entries()
        .iter()
        .filter(|entry| {
            let name = entry.name.to_ascii_uppercase();
            name.starts_with("META-INF/")
                && [".RSA", ".DSA", ".EC"].iter().any(|ending| name.ends_with(ending))
        })
        .collect();
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    entries.truncate(8);
    let v1: Vec<Vec<u8>> = entries
        .into_iter()
        .filter(|entry| entry.size < 1 << 20)
        .filter_map(|entry| archive.read(entry).ok().map(|(bytes, _)| bytes))
        .collect();
    let directory = archive.directory().unwrap_or_default();
    let (signers, issues) = apk_signature::signers(archive.blob(), directory, &v1);
    state(inspection, PartName::Container, &Place::entry("META-INF"), issues);
    signers
}
