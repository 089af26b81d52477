//! Android packages: manifest, resource table, layouts, every dex file, and text assets. An app may be in several
//! parts (a base package and its splits, the modules of a bundle), which are read and linked as one.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::native;
use super::nested::{self, Nest};
use super::picture::{self, Pictures};
use super::unit::{count, read, state};
use super::{Format, FormatError, Probe, Progress, Silent};
use crate::decode::apk_signature::{self, SigningCertificate};
use crate::decode::archive::{Archive, Entry};
use crate::decode::arsc::{ArscError, Table};
use crate::decode::axml::{Xml, XmlError};
use crate::decode::dex::Dex;
use crate::decode::{Issue, aapt_proto, entropy};
use crate::link::android::code::{self, CodeUnit, Ownership};
use crate::link::android::layout::{self, FileKind, ScreenFile};
use crate::link::android::manifest::{Manifest, Text};
use crate::link::android::resources::Resources;
use crate::link::android::symbol::Symbols;
use crate::link::android::{self, Parts, packer};
use crate::link::library;
use crate::model::{FactKind, GapReason, Inspection, PartName, Place, Signer, TargetKind};

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
        PartName::Native,
        PartName::Images,
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

/// Smaller files are not asked whether they are encrypted.
const MIN_SEALED: u64 = 16 << 10;
/// Bytes looked at to tell that, at each place.
const SAMPLE: usize = 8 << 10;
/// Bits per byte of what is encrypted.
const RANDOM: f64 = 7.9;

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

    /// Whether the content looks encrypted: bytes of no known kind, evenly spread wherever one looks.
    fn looks_sealed(&self) -> bool {
        let Entry { size, packed, .. } = *self.entry;
        if size < MIN_SEALED || packed < size - size / 50 {
            return false;
        }
        let head = self.part.archive.head(self.entry, SAMPLE);
        if entropy::is_compressed(&head) || entropy::bits_per_byte(&head) < RANDOM {
            return false;
        }
        // What deflate could not shorten is random throughout.
        if !self.entry.is_stored() {
            return true;
        }
        let Ok((blob, _)) = self.part.archive.content(self.entry) else { return false };
        let sample = |offset| blob.slice(offset, SAMPLE as u64).unwrap_or_default();
        [size / 2, size.saturating_sub(SAMPLE as u64)]
            .into_iter()
            .all(|offset| entropy::bits_per_byte(&sample(offset)) >= RANDOM)
    }

    /// The first bytes.
    fn magic(&self) -> Vec<u8> {
        self.part.archive.head(self.entry, 4)
    }
}

/// What is to be read after the resource tables.
#[derive(Debug, Clone)]
enum Task<'a> {
    Dex(Item<'a>),
    File(Item<'a>, FileKind),
    /// Text assets of one folder, which may be an app of web pages.
    Assets(Vec<Item<'a>>),
    /// A native library, or the metadata of one.
    Native(Item<'a>),
}

impl<'a> Task<'a> {
    fn items(&self) -> &[Item<'a>] {
        match self {
            Task::Dex(item) | Task::File(item, _) | Task::Native(item) => std::slice::from_ref(item),
            Task::Assets(items) => items,
        }
    }

    fn size(&self) -> u64 {
        self.items().iter().map(|item| item.entry.size).sum()
    }

    fn packed(&self) -> u64 {
        self.items().iter().map(|item| item.entry.packed).sum()
    }
}

/// What came of a task.
enum Outcome {
    Code(Vec<(String, CodeUnit)>),
    File(Option<ScreenFile>),
    /// The pages on a server that the assets tell a hybrid runtime to start with.
    Assets(Vec<(String, Place)>),
    Native,
}

fn inspect(probe: Probe, progress: &dyn Progress) -> Result<Inspection, FormatError> {
    let Probe { archive: Some((archive, issues)), nest, .. } = probe else {
        return Err(FormatError::Broken { format: FORMAT.name, cause: "no archive".into() });
    };
    let mut inspection = Inspection::new(TargetKind::App, FORMAT.name);
    state(&mut inspection, PartName::Container, &Place::entry(""), issues);
    let part = Part { archive: &archive, outer: "", folder: "", form: Form::Binary };
    let manifest = read_manifest(part, &mut inspection);
    let slices = open_slices(part, &nest, &mut inspection);
    let outer = format!("{INSTANT_RUN}!");
    let slices = slices.as_ref();
    let slices = slices.map(|archive| Part { archive, outer: &outer, folder: "", form: Form::Loose });
    if manifest.as_ref().is_some_and(|manifest| manifest.needs_splits || manifest.split.is_some()) {
        let detail = (
            "安装包只是应用的一部分，其余拆分包未提供",
            "the package is one part of an app; the others were not given",
        );
        inspection.gap(PartName::Container, &part.place(part.manifest()), GapReason::Missing, detail);
    }
    let parts: Vec<Part<'_>> = std::iter::once(part).chain(slices).collect();
    read_app(&parts, manifest, &nest, progress, &mut inspection);
    read_signers(part, &mut inspection);
    Ok(inspection)
}

/// Where a debug build of Android Studio 2 keeps the app's own classes: `classes.dex` holds what loads them.
const INSTANT_RUN: &str = "instant-run.zip";

/// The classes of such a build, as a part of the app. What cannot be opened is read, and stated, as a package within.
fn open_slices(part: Part<'_>, nest: &Nest, inspection: &mut Inspection) -> Option<Archive> {
    let item = part.item(INSTANT_RUN)?;
    let (blob, mut issues) = part.archive.content(item.entry).ok()?;
    let (archive, more) = Archive::open_within(blob, nest.budget.clone()).ok()?;
    issues.extend(more);
    count(inspection, PartName::Container, &item.place(), issues);
    Some(archive)
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
    mut manifest: Option<Manifest>,
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

    let Plan { mut tasks, packages, sealed, pictures } = plan(parts, &resources, inspection);
    let packed = packages.iter().map(|item| item.entry.packed);
    progress.begin(tasks.iter().map(Task::packed).chain(packed).sum());
    tasks.sort_by_key(|task| std::cmp::Reverse(task.size()));
    let outcomes: Vec<(Inspection, Outcome)> = tasks
        .par_iter()
        .map(|task| {
            let mut found = Inspection::new(TargetKind::App, FORMAT.name);
            let outcome = run(task, &ownership, &resources, &ids, &mut found);
            progress.advance(task.packed());
            (found, outcome)
        })
        .collect();

    let mut files = Vec::new();
    let mut units = Vec::new();
    let mut start_pages = Vec::new();
    for (found, outcome) in outcomes {
        inspection.absorb(found);
        match outcome {
            Outcome::Code(found) => units.extend(found),
            Outcome::File(file) => files.extend(file),
            Outcome::Assets(pages) => start_pages.extend(pages),
            Outcome::Native => {}
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
    let folder = parts.first().map_or_else(String::new, |part| part.place("res").path.to_string());
    let pictures = pictures.read(&folder, &nest.options, inspection);
    let beside = Beside { sealed: !sealed.is_empty(), inner: &inner };
    let sealed = sealed_assets(parts, &sealed, &units, inspection);
    let (hidden, dead) = hidden_code(parts, manifest.as_ref(), &units, &symbols, &beside, inspection);
    let hidden = hidden || sealed;
    if let Some(manifest) = &mut manifest {
        // The system cannot start them: they are no screen of the app, and their names say nothing of it.
        manifest.components.retain(|component| !dead.contains(&component.class));
    }
    let linked = Parts {
        symbols: &symbols,
        manifest: manifest.as_ref(),
        resources: &resources,
        files: &files,
        code: &units,
        start_pages: &start_pages,
        pictures: &pictures,
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
    let Plan { tasks, packages, .. } = plan(&[part], &parse_tables(&tables, &mut aside), &mut aside);
    let first = first.chain(packages).map(|item| item.entry);
    first.chain(tasks.iter().flat_map(Task::items).map(|item| item.entry)).collect()
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
    /// Files that look encrypted.
    sealed: Vec<Item<'a>>,
    pictures: Pictures<'a>,
}

/// What is to be read, and a word about what is not.
fn plan<'a>(parts: &[Part<'a>], resources: &Resources<'_>, inspection: &mut Inspection) -> Plan<'a> {
    // By the table: names and folders may be obfuscated, the table is not.
    let kinds: HashMap<Cow<'_, str>, FileKind> =
        resources.files().map(|(_, kind, path)| (path, kind)).collect();
    let mut plan =
        Plan { tasks: Vec::new(), packages: Vec::new(), sealed: Vec::new(), pictures: Pictures::default() };
    let mut natives = Vec::new();
    let mut unknown: Vec<&str> = Vec::new();
    let mut apps: BTreeMap<String, Vec<Item<'a>>> = BTreeMap::new();
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
            extension if picture::is_picture(extension) => {
                plan.pictures.add(item.path(), part.archive, entry);
            }
            // Plug-in frameworks call their packages libraries.
            "so" if item.magic() == ZIP => plan.packages.push(item),
            "so" => natives.push((name, entry.size, item)),
            // The parts of the app that lie in an archive are read as parts.
            _ if parts.iter().any(|part| part.outer.strip_suffix('!') == Some(&*item.path())) => {}
            extension if nested::is_package(extension) => plan.packages.push(item),
            _ if super::web::is_text_asset(name)
                && !super::web::is_data(name, entry.size)
                && !name.starts_with("META-INF/") =>
            {
                let path = item.path();
                apps.entry(super::web::app_folder(&path).to_owned()).or_default().push(item);
            }
            "ttf" | "otf" | "eot" | "woff" | "woff2" | "br" | "mp3" | "ogg" | "wav" | "mp4" | "m4a"
            | "aac" | "webm" => {}
            _ if is_asset => match item.magic().as_slice() {
                magic if magic == ZIP => plan.packages.push(item),
                b"dex\n" => plan.tasks.push(Task::Dex(item)),
                _ if file == native::UNITY_METADATA => plan.tasks.push(Task::Native(item)),
                _ => {
                    opaque_asset(item, file, inspection);
                    unknown.push(name.trim_start_matches("assets/"));
                    plan.sealed.extend(Some(item).filter(Item::looks_sealed));
                }
            },
            _ if !name.starts_with("META-INF/") => plan.sealed.extend(Some(item).filter(Item::looks_sealed)),
            _ => {}
        }
    }
    for items in apps.into_values() {
        let size: u64 = items.iter().map(|item| item.entry.size).sum();
        match size > super::web::MAX_APP {
            // Too much to be in memory at once: each by itself.
            true => plan.tasks.extend(items.into_iter().map(|item| Task::Assets(vec![item]))),
            false => plan.tasks.push(Task::Assets(items)),
        }
    }
    let (read, unread) = native::libraries(natives);
    plan.tasks.extend(read.into_iter().map(Task::Native));
    inspection.count(PartName::Native, 0, unread.len() as u64);
    let lib = parts.first().map_or_else(|| Place::entry("lib"), |part| part.place("lib"));
    native::note_unread(unread.len(), &lib, inspection);
    note_frameworks(parts, inspection);
    note_unread(parts, &unknown, inspection);
    plan
}

/// The first bytes of an archive.
const ZIP: &[u8] = b"PK\x03\x04";

/// A word about assets of no known kind.
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
}

/// Frameworks whose code or data, which holds the app's texts, is not where it should be, or of a kind that is not read.
fn note_frameworks(parts: &[Part<'_>], inspection: &mut Inspection) {
    let names: Vec<Item<'_>> = parts.iter().flat_map(|part| part.items()).collect();
    let find = |file: &str| names.iter().find(|item| item.name().rsplit('/').next() == Some(file));
    let flutter = find("libflutter.so").filter(|_| find(native::DART).is_none());
    let unity = find(native::UNITY).filter(|_| find(native::UNITY_METADATA).is_none());
    if let Some(kernel) = flutter.and_then(|_| find("kernel_blob.bin")) {
        let detail = (
            "调试版 Flutter 代码（kernel_blob.bin），不支持检视",
            "Flutter code for debugging (kernel_blob.bin) is not read",
        );
        inspection.gap(PartName::Native, &kernel.place(), GapReason::UnsupportedFormat, detail);
    } else if let Some(engine) = flutter {
        let detail =
            ("Flutter 应用，但编译后的 Dart 代码不在包内", "a Flutter app without its compiled Dart code");
        inspection.gap(PartName::Native, &engine.place(), GapReason::Missing, detail);
    }
    if let Some(engine) = unity {
        let detail =
            ("Unity 应用，但字符串元数据不在包内", "a Unity app without the metadata that holds its strings");
        inspection.gap(PartName::Native, &engine.place(), GapReason::Missing, detail);
    }
}

/// Assets of no known kind: most are data, some are code in a form of their own.
fn opaque_asset(item: Item<'_>, file: &str, inspection: &mut Inspection) {
    inspection.unread(PartName::Other);
    if matches!(file, "index.android.bundle" | "main.jsbundle") || file.ends_with(".hbc") {
        let detail = (
            "二进制脚本包或元数据，尚不支持检视",
            "a script bundle or metadata in binary form is not read yet",
        );
        inspection.gap(PartName::Js, &item.place(), GapReason::UnsupportedFormat, detail);
    }
}

fn run(
    task: &Task<'_>,
    ownership: &Ownership,
    resources: &Resources<'_>,
    ids: &[u8],
    inspection: &mut Inspection,
) -> Outcome {
    match task {
        Task::Dex(item) => Outcome::Code(read_dex(*item, ownership, ids, inspection)),
        Task::File(item, kind) => Outcome::File(read_file(*item, *kind, resources, inspection)),
        Task::Native(item) => {
            if let Some(bytes) = item.read(PartName::Native, inspection) {
                match item.name().ends_with(native::UNITY_METADATA) {
                    true => native::read_unity(&item.path(), &bytes, inspection),
                    false => native::read_library(&item.path(), &bytes, inspection),
                }
            }
            Outcome::Native
        }
        Task::Assets(items) => {
            let mut files: Vec<(Arc<str>, Vec<u8>)> = Vec::new();
            let mut pages = Vec::new();
            for item in items {
                let Some(bytes) = read_asset(*item, inspection) else { continue };
                pages.extend(start_page(item.name(), &bytes).map(|page| (page, item.place())));
                files.push((item.path(), bytes));
            }
            super::web::read_app(&files, inspection);
            Outcome::Assets(pages)
        }
    }
}

/// A text asset, if it is one by its content too.
fn read_asset(item: Item<'_>, inspection: &mut Inspection) -> Option<Vec<u8>> {
    let bytes = item.read(PartName::Text, inspection)?;
    let head = &bytes[..bytes.len().min(SAMPLE)];
    if head.len() == SAMPLE && entropy::bits_per_byte(head) >= RANDOM {
        inspection.unread(PartName::Text);
        let detail = ("名为文本，内容已加密或压缩", "named like a text, but encrypted or compressed");
        inspection.gap(PartName::Text, &item.place(), GapReason::Encrypted, detail);
        return None;
    }
    Some(bytes)
}

/// The page on a server that a file of a hybrid runtime names as the first: Capacitor's `server.url`, DCloud's
/// `launch_path`.
fn start_page(name: &str, bytes: &[u8]) -> Option<String> {
    let pointer = match name.rsplit('/').next()? {
        "capacitor.config.json" => "/server/url",
        "manifest.json" if name.starts_with("assets/apps/") => "/launch_path",
        _ => return None,
    };
    let value: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    let page = value.pointer(pointer)?.as_str()?;
    page.starts_with("http").then(|| page.to_owned())
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

/// States encrypted files. Beside code that loads code they are what the app really does.
fn sealed_assets(
    parts: &[Part<'_>],
    sealed: &[Item<'_>],
    units: &[(String, CodeUnit)],
    inspection: &mut Inspection,
) -> bool {
    let Some(first) = sealed.first() else { return false };
    let bytes: u64 = sealed.iter().map(|item| item.entry.size).sum();
    let dex = parts.iter().flat_map(|part| part.items()).filter(|item| item.name().ends_with(".dex"));
    let dex: u64 = dex.map(|item| item.entry.size).sum();
    let named: Vec<&str> = sealed.iter().take(3).map(Item::name).collect();
    let (count, named) = (sealed.len(), named.join(", "));
    if units.iter().any(|(_, unit)| unit.loads_code) {
        let detail = (
            format!("加密的载荷 {count} 个（{bytes} 字节：{named}），应用自带的代码会从包外装入代码"),
            format!("{count} encrypted payloads ({bytes} bytes: {named}), and the app's own code loads code"),
        );
        inspection.anomaly("package.packed", &first.place(), &detail.1);
        inspection.unread(PartName::Dex);
        inspection.gap(PartName::Dex, &first.place(), GapReason::Packed, detail);
        // The loader is all that can be read.
        if bytes > dex {
            inspection.opaque();
        }
        return true;
    }
    let detail = (
        format!("加密的文件 {count} 个，共 {bytes} 字节：{named}"),
        format!("{count} encrypted files of {bytes} bytes: {named}"),
    );
    inspection.gap(PartName::Other, &first.place(), GapReason::Encrypted, detail);
    false
}

/// What lies beside the dex files and may hold classes.
struct Beside<'a> {
    /// Some file looks encrypted.
    sealed: bool,
    /// What the packages within hold.
    inner: &'a Inspection,
}

/// States what hides code: packers, and components of the manifest that no dex file holds. Gives whether code is
/// hidden, and the components that are nowhere though nothing can bring them: remains that nobody removed.
fn hidden_code(
    parts: &[Part<'_>],
    manifest: Option<&Manifest>,
    units: &[(String, CodeUnit)],
    symbols: &Symbols,
    beside: &Beside<'_>,
    inspection: &mut Inspection,
) -> (bool, BTreeSet<String>) {
    let items: Vec<(&str, Arc<str>)> =
        parts.iter().flat_map(|part| part.items()).map(|item| (item.name(), item.path())).collect();
    let first = manifest.into_iter().flat_map(Manifest::first_classes);
    let traces = packer::traces(items.iter().map(|(name, path)| (*name, &**path)), first);
    let within = beside.inner.facts.iter().filter(|fact| fact.kind == FactKind::Class);
    let present: HashSet<&str> = (units.iter().flat_map(|(_, unit)| &unit.classes))
        .map(|class| symbols.name(class.name))
        .chain(within.map(|fact| fact.value.as_str()))
        .collect();
    let components: BTreeSet<&str> = manifest
        .iter()
        .flat_map(|manifest| &manifest.components)
        .map(|component| component.class.as_str())
        .filter(|class| library::of_class(class.replace('.', "/").as_bytes()).is_none())
        .collect();
    let missing: Vec<&str> = components.iter().copied().filter(|class| !present.contains(class)).collect();
    // Most of the app's own components gone: what is left is a loader.
    let most = missing.len() * 2 > components.len();

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
    let place =
        units.first().map_or_else(|| Place::entry("classes.dex"), |(path, _)| Place::entry(path.as_str()));
    let shown = missing.iter().copied().take(5).collect::<Vec<_>>().join(", ");
    let more = if missing.len() > 5 { " …" } else { "" };
    let (count, all) = (missing.len(), components.len());
    let native = items.iter().any(|(name, _)| name.ends_with(".so"));
    let elsewhere = !products.is_empty()
        || beside.sealed
        || beside.inner.has_gaps()
        || units.is_empty()
        || inspection.unread_count(PartName::Dex) > 0
        || units.iter().any(|(_, unit)| unit.loads_code || unit.names_loaders)
        // Native code loads classes without a trace in the dex files.
        || (most && native)
        || manifest.is_some_and(|manifest| cannot_start(manifest, &present));
    if !missing.is_empty() && !elsewhere {
        let detail = (
            format!(
                "清单中 {all} 个组件有 {count} 个没有代码，包内也没有装入代码的手段，系遗留的登记：{shown}{more}"
            ),
            format!(
                "{count} of {all} components of the manifest have no code, and nothing in the package can load any: \
                 remains: {shown}{more}"
            ),
        );
        inspection.note(PartName::Dex, &place, GapReason::Missing, detail);
        return (false, missing.into_iter().map(str::to_owned).collect());
    }
    // What a packer or a loader hides counts as code that was not read.
    let unread = missing.len().max(usize::from(!products.is_empty()));
    inspection.count(PartName::Dex, 0, unread as u64);
    if !missing.is_empty() {
        let detail = (
            format!("清单中 {all} 个组件有 {count} 个不在任何 dex 文件中：{shown}{more}"),
            format!("{count} of {all} components of the manifest are in no dex file: {shown}{more}"),
        );
        inspection.gap(PartName::Dex, &place, GapReason::Missing, detail);
    }
    if most {
        inspection.opaque();
    }
    (!products.is_empty() || !missing.is_empty(), BTreeSet::new())
}

/// Whether an app without these classes could not even start as the manifest says: parts of it are elsewhere.
fn cannot_start(manifest: &Manifest, present: &HashSet<&str>) -> bool {
    let launchers = manifest.components.iter().filter(|component| component.launcher && component.enabled);
    let first = manifest.first_classes().chain(launchers.map(|component| component.class.as_str()));
    let own = |class: &&str| library::of_class(class.replace('.', "/").as_bytes()).is_none();
    manifest.needs_splits
        || manifest.split.is_some()
        || first.filter(own).any(|class| !present.contains(class))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::blob::Blob;

    #[test]
    fn cordova_names_its_servers_and_plugins() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/built/flood-cordova.apk");
        let source = crate::format::Source {
            blob: Blob::memory(std::fs::read(path).unwrap()),
            name: "flood-cordova.apk".into(),
        };
        let options = crate::format::Options::default();
        let found = crate::format::inspect(source, &options, &crate::format::Silent).unwrap();
        let told = |kind, place: &str| -> Vec<&str> {
            let facts = found.facts.iter().filter(|fact| fact.kind == kind && &*fact.place.path == place);
            facts.map(|fact| fact.value.as_str()).collect()
        };
        // `<access origin="*">` names none.
        assert_eq!(told(FactKind::Endpoint, "res/xml/config.xml"), ["https://fxt.example.gov.cn/*"]);
        assert_eq!(told(FactKind::Sdk, "assets/www/cordova_plugins.js"), ["cordova-plugin-geolocation"]);
        let text = found.texts.iter().find(|text| text.text == "各村积分排名").unwrap();
        assert_eq!(&*text.place.path, "assets/plugins/duty.jar!classes.dex");
    }

    #[test]
    fn hybrid_runtimes_are_told_to_start_on_a_server() {
        let page = |name, text: &str| start_page(name, text.as_bytes());
        let url = Some("https://a.example.gov.cn/".to_owned());
        let capacitor = r#"{"appId":"a","server":{"url":"https://a.example.gov.cn/"}}"#;
        assert_eq!(page("assets/capacitor.config.json", capacitor), url);
        let local = r#"{"appId":"a","server":{"androidScheme":"https"}}"#;
        assert_eq!(page("assets/capacitor.config.json", local), None);
        let dcloud = r#"{"id":"H5A","launch_path":"https://a.example.gov.cn/"}"#;
        assert_eq!(page("assets/apps/H5A/www/manifest.json", dcloud), url);
        assert_eq!(page("assets/www/manifest.json", dcloud), None);
        assert_eq!(page("assets/apps/H5A/www/manifest.json", r#"{"launch_path":"index.html"}"#), None);
    }
}
