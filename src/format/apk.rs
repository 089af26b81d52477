//! Android packages: manifest, resource table, layouts, every dex file, and text assets. An app may be in several
//! parts (a base package and its splits, the modules of a bundle), which are read and linked as one.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::nested::{self, Nest};
use super::unit::{count, note_images, read, state};
use super::{Format, FormatError, Probe, Progress, Silent};
use crate::decode::apk_signature::{self, SigningCertificate};
use crate::decode::archive::{Archive, Entry};
use crate::decode::arsc::{ArscError, Table};
use crate::decode::axml::{Xml, XmlError};
use crate::decode::dex::Dex;
use crate::decode::{Issue, aapt_proto};
use crate::link::android::code::{self, CodeUnit, Ownership};
use crate::link::android::layout::{self, FileKind, ScreenFile};
use crate::link::android::manifest::{Manifest, Text};
use crate::link::android::resources::Resources;
use crate::link::android::symbol::Symbols;
use crate::link::android::{self, Parts, packer};
use crate::link::library;
use crate::model::{GapReason, Inspection, PartName, Place, Signer, TargetKind};

/// APK.
pub const FORMAT: Format = Format {
    name: "apk",
    title: ("Android 安装包", "Android package"),
    endings: &["apk"],
    parts: &[
        PartName::Container,
        PartName::Manifest,
        PartName::Resources,
        PartName::Layouts,
        PartName::Dex,
        PartName::Js,
        PartName::Text,
    ],
    matches,
    inspect,
};

fn matches(probe: &Probe) -> bool {
    let Some((archive, _)) = &probe.archive else { return false };
    ["AndroidManifest.xml", "resources.arsc", "classes.dex"].iter().any(|name| archive.entry(name).is_some())
        // A jar of dex code has no manifest; inside an app it is a part of that app.
        && !(probe.nest.is_inside() && archive.entry("AndroidManifest.xml").is_none())
}

/// How the parts of an app are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// APK.
    Binary,
    /// Module of an app bundle: protocol buffers, and folders of its own.
    Proto,
    /// An archive within an app: no manifest, and every entry an asset.
    Loose,
}

/// One part of an app.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) archive: &'a Archive,
    /// What stands before the names of its entries in places: `split_config.zh.apk!`.
    pub(super) outer: &'a str,
    /// Its folder in the archive: `base/`.
    pub(super) folder: &'a str,
    pub(super) form: Form,
}

impl<'a> Part<'a> {
    fn manifest(&self) -> &'static str {
        match self.form {
            Form::Proto => "manifest/AndroidManifest.xml",
            Form::Binary | Form::Loose => "AndroidManifest.xml",
        }
    }

    fn table(&self) -> &'static str {
        match self.form {
            Form::Proto => "resources.pb",
            Form::Binary | Form::Loose => "resources.arsc",
        }
    }

    fn place(&self, name: &str) -> Place {
        Place::entry(format!("{}{}{name}", self.outer, self.folder))
    }

    fn item(&self, name: &str) -> Option<Item<'a>> {
        let entry = match self.folder {
            "" => self.archive.entry(name),
            folder => self.archive.entry(&format!("{folder}{name}")),
        };
        entry.map(|entry| Item { part: *self, entry })
    }

    fn items(self) -> impl Iterator<Item = Item<'a>> {
        let entries = self.archive.entries().iter().filter(move |entry| entry.name.starts_with(self.folder));
        entries.map(move |entry| Item { part: self, entry })
    }
}

/// One entry of a part.
#[derive(Debug, Clone, Copy)]
struct Item<'a> {
    part: Part<'a>,
    entry: &'a Entry,
}

impl<'a> Item<'a> {
    /// Name inside the part.
    fn name(&self) -> &'a str {
        self.entry.name.get(self.part.folder.len()..).unwrap_or_default()
    }

    /// Path in places.
    fn path(&self) -> Arc<str> {
        match self.part.outer {
            "" => self.entry.name.clone(),
            outer => Arc::from(format!("{outer}{}", self.entry.name)),
        }
    }

    fn place(&self) -> Place {
        Place::entry(self.path())
    }

    fn read(&self, part: PartName, inspection: &mut Inspection) -> Option<Vec<u8>> {
        read(self.part.archive, self.entry, &self.place(), part, inspection)
    }

    /// The first bytes.
    fn magic(&self) -> Vec<u8> {
        self.part.archive.head(self.entry, 4)
    }
}

/// One entry to be read after the resource tables.
#[derive(Debug, Clone, Copy)]
enum Task<'a> {
    Dex(Item<'a>),
    File(Item<'a>, FileKind),
    Asset(Item<'a>),
}

impl<'a> Task<'a> {
    fn entry(&self) -> &'a Entry {
        match self {
            Task::Dex(item) | Task::File(item, _) | Task::Asset(item) => item.entry,
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
    let Probe { archive: Some((archive, issues)), nest, .. } = probe else {
        return Err(FormatError::Broken { format: FORMAT.name, cause: "no archive".into() });
    };
    let mut inspection = Inspection::new(TargetKind::App, FORMAT.name);
    state(&mut inspection, PartName::Container, &Place::entry(""), issues);
    let part = Part { archive: &archive, outer: "", folder: "", form: Form::Binary };
    let manifest = read_manifest(part, &mut inspection);
    if manifest.as_ref().is_some_and(|manifest| manifest.needs_splits || manifest.split.is_some()) {
        let detail = (
            "安装包只是应用的一部分，其余拆分包未提供",
            "the package is one part of an app; the others were not given",
        );
        inspection.gap(PartName::Container, &part.place(part.manifest()), GapReason::Missing, detail);
    }
    read_app(&[part], manifest, &nest, progress, &mut inspection);
    read_signers(part, &mut inspection);
    Ok(inspection)
}

/// Reads an archive of no format of its own within an app.
pub(super) fn inspect_loose(probe: Probe) -> Result<Inspection, FormatError> {
    let Probe { archive: Some((archive, issues)), nest, .. } = probe else {
        return Err(FormatError::Unknown("not an archive".into()));
    };
    let mut inspection = Inspection::new(TargetKind::App, FORMAT.name);
    state(&mut inspection, PartName::Container, &Place::entry(""), issues);
    let part = Part { archive: &archive, outer: "", folder: "", form: Form::Loose };
    read_app(&[part], None, &nest, &Silent, &mut inspection);
    Ok(inspection)
}

/// Reads and links the parts of an app, the base first. `manifest` is the app's, with what splits add.
pub(super) fn read_app(
    parts: &[Part<'_>],
    manifest: Option<Manifest>,
    nest: &Nest,
    progress: &dyn Progress,
    inspection: &mut Inspection,
) {
    let tables: Vec<(Item<'_>, Vec<u8>)> =
        parts.iter().filter_map(|part| read_table(*part, inspection)).collect();
    let resources = parse_tables(&tables, inspection);
    let components = manifest.iter().flat_map(|m| &m.components).map(|c| c.class.as_str());
    let ownership = Ownership::new(
        manifest.as_ref().map_or("", |m| m.package.as_str()),
        components.chain(manifest.iter().filter_map(|m| m.application.as_deref())),
    );

    let ids = resources.packages();

    let Plan { mut tasks, packages } = plan(parts, &resources, inspection);
    let entries = tasks.iter().map(Task::entry).chain(packages.iter().map(|item| item.entry));
    progress.begin(entries.map(|entry| entry.packed).sum());
    tasks.sort_by_key(|task| std::cmp::Reverse(task.entry().size));
    let outcomes: Vec<(Inspection, Outcome)> = tasks
        .par_iter()
        .map(|task| {
            let mut found = Inspection::new(TargetKind::App, FORMAT.name);
            let outcome = run(*task, &ownership, &resources, &ids, &mut found);
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

    // One after the other: each is in memory as a whole.
    let mut inner = Inspection::new(TargetKind::App, FORMAT.name);
    for item in packages {
        nested::read(item.part.archive, item.entry, &item.path(), nest, &mut inner);
        progress.advance(item.entry.packed);
    }

    let symbols = code::join(&mut units);
    let hidden = hidden_code(parts, manifest.as_ref(), &units, &symbols, inspection);
    let linked = Parts {
        symbols: &symbols,
        manifest: manifest.as_ref(),
        resources: &resources,
        files: &files,
        code: &units,
        complete: !hidden && manifest.is_some() && !inspection.has_gaps() && !inner.has_gaps(),
    };
    android::link(&linked, inspection);
    inspection.absorb(inner);
    if let Some(manifest) = &manifest {
        identify(manifest, &resources, inspection);
    }
}

/// The entries that an inspection reads: what the benchmark measures the floor by.
pub fn entries_read(archive: &Archive) -> Vec<&Entry> {
    let mut aside = Inspection::new(TargetKind::App, FORMAT.name);
    let part = Part { archive, outer: "", folder: "", form: Form::Binary };
    let first = [part.manifest(), part.table()].into_iter().filter_map(|name| part.item(name));
    let tables: Vec<(Item<'_>, Vec<u8>)> = read_table(part, &mut aside).into_iter().collect();
    let Plan { tasks, packages } = plan(&[part], &parse_tables(&tables, &mut aside), &mut aside);
    let first = first.chain(packages).map(|item| item.entry);
    first.chain(tasks.iter().map(Task::entry)).collect()
}

/// Reads the manifest of a part, or states that it has none.
pub(super) fn read_manifest(part: Part<'_>, inspection: &mut Inspection) -> Option<Manifest> {
    let Some(item) = part.item(part.manifest()) else {
        inspection.unread(PartName::Manifest);
        inspection.gap(
            PartName::Manifest,
            &part.place(part.manifest()),
            GapReason::Missing,
            ("安装包没有清单", "the package has no manifest"),
        );
        return None;
    };
    let bytes = item.read(PartName::Manifest, inspection)?;
    match with_xml(part.form, &bytes, |xml| Manifest::read(item.path(), xml)) {
        Ok((manifest, issues)) => {
            count(inspection, PartName::Manifest, &item.place(), issues);
            Some(manifest)
        }
        Err(error) => {
            inspection.unread(PartName::Manifest);
            inspection.gap(PartName::Manifest, &item.place(), GapReason::Malformed, error.to_string());
            None
        }
    }
}

fn with_xml<T>(
    form: Form,
    bytes: &[u8],
    read: impl FnOnce(&Xml<'_>) -> T,
) -> Result<(T, Vec<Issue>), XmlError> {
    if form == Form::Proto {
        let (binary, mut issues) = aapt_proto::xml(bytes)?;
        let (xml, more) = Xml::parse(&binary.bytes)?;
        issues.extend(more.into_iter().map(|issue| Issue { offset: None, ..issue }));
        return Ok((read(&xml.made_from(&binary.origins)), issues));
    }
    let (xml, issues) = Xml::parse(bytes)?;
    Ok((read(&xml), issues))
}

/// The resource table of a part, in binary form.
fn read_table<'a>(part: Part<'a>, inspection: &mut Inspection) -> Option<(Item<'a>, Vec<u8>)> {
    let item = part.item(part.table())?;
    let bytes = item.read(PartName::Resources, inspection)?;
    if part.form != Form::Proto {
        return Some((item, bytes));
    }
    match aapt_proto::table(&bytes) {
        Ok((binary, issues)) => {
            state(inspection, PartName::Resources, &item.place(), issues);
            Some((item, binary))
        }
        Err(error) => {
            bad_table(item, error, inspection);
            None
        }
    }
}

fn parse_tables<'t>(tables: &'t [(Item<'_>, Vec<u8>)], inspection: &mut Inspection) -> Resources<'t> {
    let mut resources = Resources::default();
    for (item, bytes) in tables {
        match Table::parse(bytes) {
            Ok((table, mut issues)) => {
                if item.part.form == Form::Proto {
                    issues.iter_mut().for_each(|issue| issue.offset = None);
                }
                count(inspection, PartName::Resources, &item.place(), issues);
                resources.add(item.path(), format!("{}{}", item.part.outer, item.part.folder), table);
            }
            Err(error) => bad_table(*item, error, inspection),
        }
    }
    resources
}

fn bad_table(item: Item<'_>, error: ArscError, inspection: &mut Inspection) {
    inspection.unread(PartName::Resources);
    inspection.gap(PartName::Resources, &item.place(), GapReason::Malformed, error.to_string());
}

/// What is to be read.
struct Plan<'a> {
    tasks: Vec<Task<'a>>,
    /// Packages within the app.
    packages: Vec<Item<'a>>,
}

/// What is to be read, and a word about what is not.
fn plan<'a>(parts: &[Part<'a>], resources: &Resources<'_>, inspection: &mut Inspection) -> Plan<'a> {
    // By the table: names and folders may be obfuscated, the table is not.
    let kinds: HashMap<Cow<'_, str>, FileKind> =
        resources.files().map(|(_, kind, path)| (path, kind)).collect();
    let mut plan = Plan { tasks: Vec::new(), packages: Vec::new() };
    let mut unknown: Vec<&str> = Vec::new();
    for item in parts.iter().flat_map(|part| part.items()) {
        let Item { part, entry } = item;
        let name = item.name();
        if name == part.manifest() || name == part.table() || name.ends_with('/') {
            continue;
        }
        let file = name.rsplit('/').next().unwrap_or(name);
        let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
        let kind = kinds.get(&*item.path()).copied();
        let is_asset = part.form == Form::Loose || name.starts_with("assets/");
        match extension.as_str() {
            "dex" => plan.tasks.push(Task::Dex(item)),
            _ if kind.is_some() => plan.tasks.extend(kind.map(|kind| Task::File(item, kind))),
            "xml" if name.starts_with("res/") && !is_asset => {
                // Not in the table, so by its folder; drawables, animations and colours hold no text.
                let folder = name.split('/').nth(1).unwrap_or_default();
                let kind = FileKind::of_type(folder.split('-').next().unwrap_or_default());
                plan.tasks.extend(kind.map(|kind| Task::File(item, kind)));
            }
            "png" | "jpg" | "jpeg" | "webp" | "gif" | "svg" | "bmp" | "heif" | "ico" => {
                inspection.unread(PartName::Images);
            }
            // Plug-in frameworks call their packages libraries.
            "so" if item.magic() == ZIP => plan.packages.push(item),
            "so" => native(item, file, inspection),
            extension if nested::is_package(extension) => plan.packages.push(item),
            _ if super::web::is_text_asset(name)
                && !super::web::is_data(name, entry.size)
                && !name.starts_with("META-INF/") =>
            {
                plan.tasks.push(Task::Asset(item));
            }
            "ttf" | "otf" | "woff" | "woff2" | "mp3" | "ogg" | "wav" | "mp4" | "m4a" | "aac" | "webm" => {}
            _ if is_asset => match item.magic().as_slice() {
                magic if magic == ZIP => plan.packages.push(item),
                b"dex\n" => plan.tasks.push(Task::Dex(item)),
                _ => {
                    opaque_asset(item, file, inspection);
                    unknown.push(name.trim_start_matches("assets/"));
                }
            },
            _ => {}
        }
    }
    note_unread(parts, &unknown, inspection);
    plan
}

/// The first bytes of an archive.
const ZIP: &[u8] = b"PK\x03\x04";

/// A word about assets of no known kind, pictures and native libraries.
fn note_unread(parts: &[Part<'_>], unknown: &[&str], inspection: &mut Inspection) {
    let place = |name| parts.first().map_or_else(|| Place::entry(name), |part| part.place(name));
    if !unknown.is_empty() {
        let shown = unknown[..unknown.len().min(3)].join(", ");
        let count = unknown.len();
        let detail = (
            format!("类型不明的资产 {count} 个，如 {shown}"),
            format!("{count} assets of no known kind, such as {shown}"),
        );
        inspection.note(PartName::Other, &place("assets"), GapReason::NotInspected, detail);
    }
    note_images(inspection, &place("res").path);
    let libraries = inspection.unread_count(PartName::Native);
    if libraries > 0 {
        let detail = (
            format!("本地库 {libraries} 个，其代码未检视"),
            format!("{libraries} native libraries; their code is not read"),
        );
        inspection.note(PartName::Native, &place("lib"), GapReason::NotInspected, detail);
    }
}

/// Frameworks that keep the app's text in a native library.
fn native(item: Item<'_>, file: &str, inspection: &mut Inspection) {
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
    inspection.gap(PartName::Native, &item.place(), GapReason::UnsupportedFormat, holder);
}

/// Assets of no known kind: most are data, some are code in a form of their own.
fn opaque_asset(item: Item<'_>, file: &str, inspection: &mut Inspection) {
    inspection.unread(PartName::Other);
    if matches!(file, "index.android.bundle" | "main.jsbundle" | "global-metadata.dat")
        || file.ends_with(".hbc")
    {
        let detail = (
            "二进制脚本包或元数据，尚不支持检视",
            "a script bundle or metadata in binary form is not read yet",
        );
        inspection.gap(PartName::Js, &item.place(), GapReason::UnsupportedFormat, detail);
    }
}

fn run(
    task: Task<'_>,
    ownership: &Ownership,
    resources: &Resources<'_>,
    ids: &[u8],
    inspection: &mut Inspection,
) -> Outcome {
    match task {
        Task::Dex(item) => Outcome::Code(read_dex(item, ownership, ids, inspection)),
        Task::File(item, kind) => Outcome::File(read_file(item, kind, resources, inspection)),
        Task::Asset(item) => {
            if let Some(bytes) = item.read(PartName::Text, inspection) {
                super::web::read_text_asset(&item.path(), &bytes, inspection);
            }
            Outcome::Asset
        }
    }
}

fn read_dex(
    item: Item<'_>,
    ownership: &Ownership,
    ids: &[u8],
    inspection: &mut Inspection,
) -> Vec<(String, CodeUnit)> {
    let Some(bytes) = item.read(PartName::Dex, inspection) else { return Vec::new() };
    match Dex::parse_all(&bytes) {
        Ok((all, mut issues)) => {
            let mut units = Vec::new();
            for dex in &all {
                let mut unit = code::read(dex, ownership, ids);
                issues.append(&mut unit.issues);
                units.push((item.path().to_string(), unit));
            }
            count(inspection, PartName::Dex, &item.place(), issues);
            units
        }
        Err(error) => {
            inspection.unread(PartName::Dex);
            inspection.gap(PartName::Dex, &item.place(), GapReason::Malformed, error.to_string());
            Vec::new()
        }
    }
}

fn read_file(
    item: Item<'_>,
    kind: FileKind,
    resources: &Resources<'_>,
    inspection: &mut Inspection,
) -> Option<ScreenFile> {
    let bytes = item.read(PartName::Layouts, inspection)?;
    match with_xml(item.part.form, &bytes, |xml| layout::read(&item.path(), kind, xml, resources)) {
        Ok((file, issues)) => {
            count(inspection, PartName::Layouts, &item.place(), issues);
            Some(file)
        }
        Err(XmlError::PlainText) => {
            super::web::read_text_asset(&item.path(), &bytes, inspection);
            None
        }
        Err(error) => {
            inspection.unread(PartName::Layouts);
            inspection.gap(PartName::Layouts, &item.place(), GapReason::Malformed, error.to_string());
            None
        }
    }
}

/// States what hides code: packers, and components of the manifest that no dex file holds.
fn hidden_code(
    parts: &[Part<'_>],
    manifest: Option<&Manifest>,
    units: &[(String, CodeUnit)],
    symbols: &Symbols,
    inspection: &mut Inspection,
) -> bool {
    let application = manifest.and_then(|m| m.application.as_deref());
    let items: Vec<(&str, Arc<str>)> =
        parts.iter().flat_map(|part| part.items()).map(|item| (item.name(), item.path())).collect();
    let traces = packer::traces(items.iter().map(|(name, path)| (*name, &**path)), application);
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
    // What a packer or a loader hides counts as code that was not read.
    let unread = missing.len().max(usize::from(!products.is_empty()));
    (0..unread).for_each(|_| inspection.unread(PartName::Dex));
    let place =
        units.first().map_or_else(|| Place::entry("classes.dex"), |(path, _)| Place::entry(path.as_str()));
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

/// Who the app says it is.
fn identify(manifest: &Manifest, resources: &Resources<'_>, inspection: &mut Inspection) {
    let resolve = |text: &Text| android::resolve(text, resources);
    inspection.identity.id = Some(manifest.package.clone()).filter(|package| !package.is_empty());
    inspection.identity.name = manifest.label.as_ref().and_then(resolve);
    inspection.identity.version = manifest.version_name.as_ref().and_then(resolve);
    inspection.identity.version_code = manifest.version_code;
    if manifest.debuggable {
        let place = Place::entry(manifest.path.clone());
        inspection.anomaly("manifest.debuggable", &place, "the package can be debugged by anybody");
    }
}

/// Who signed a package.
pub(super) fn read_signers(part: Part<'_>, inspection: &mut Inspection) {
    let place = Place::entry(format!("{}META-INF", part.outer));
    let signers = signers(part.archive, &place, inspection);
    if signers.len() > 1 {
        let names: Vec<&str> = signers.iter().map(|signer| signer.subject.as_str()).collect();
        inspection.anomaly("signature.several-signers", &place, names.join("; "));
    }
    let Some(signer) = signers.into_iter().next() else {
        inspection.anomaly("signature.missing", &place, "the package is not signed");
        return;
    };
    if signer.subject.contains("CN=Android Debug") {
        inspection.anomaly("signature.debug-certificate", &place, &signer.subject);
    }
    let SigningCertificate { subject, sha256, schemes } = signer;
    inspection.identity.signer = Some(Signer { subject, sha256, schemes, verified: None });
}

/// The certificates of a package, by their digests.
pub(super) fn signer_digests(part: Part<'_>) -> Vec<String> {
    let mut aside = Inspection::new(TargetKind::App, FORMAT.name);
    let signers = signers(part.archive, &Place::entry("META-INF"), &mut aside);
    signers.into_iter().map(|signer| signer.sha256).collect()
}

fn signers(archive: &Archive, place: &Place, inspection: &mut Inspection) -> Vec<SigningCertificate> {
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
    state(inspection, PartName::Container, place, issues);
    signers
}
