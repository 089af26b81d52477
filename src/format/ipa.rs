//! iOS apps (`.ipa`): `Info.plist`, interface files, string tables, programs, web assets, and the extensions,
//! frameworks and watch apps within, read and linked as one.
//!
//! Layout: Apple, *Bundle Programming Guide*, *Information Property List*; `Payload/<name>.app/` in a ZIP archive.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;

use super::native;
use super::nested::{self, Nest};
use super::picture::{self, Pictures};
use super::unit::{count, read, state};
use super::{Format, FormatError, Probe, Progress};
use crate::decode::apple_signature::{self, CodeSignature};
use crate::decode::archive::{Archive, Entry};
use crate::decode::macho::{self, MachO};
use crate::decode::nib::Nib;
use crate::decode::plist::{Node, Plist};
use crate::decode::strings::{self, Localised};
use crate::link::ios::{self, NibFile, Parts, Storyboard, Table, code};
use crate::link::library;
use crate::model::{
    Fact, FactKind, GapReason, Inspection, Origin, PartName, Place, Role, Screen, Signer, TargetKind, UiText,
    Usage, Widget,
};
use crate::text::has_cjk;

/// IPA.
pub const FORMAT: Format = Format {
    name: "ipa",
    title: ("iOS 安装包", "iOS package"),
    endings: &["ipa"],
    parts: &[
        PartName::Container,
        PartName::Manifest,
        PartName::Resources,
        PartName::Layouts,
        PartName::Js,
        PartName::Text,
        PartName::Native,
    ],
    matches,
    inspect,
};

/// No list or interface file of an honest app is larger.
const MAX_LIST: u64 = 16 << 20;
/// Longer lists are data: dictionaries, areas, emoji.
const MAX_DATA: u64 = 1 << 20;

fn matches(probe: &Probe) -> bool {
    let Some((archive, _)) = &probe.archive else { return false };
    archive.entries().iter().any(|entry| app_folder(&entry.name).is_some())
}

/// The folder of the app in the path of one of its entries: `Payload/Patrol.app/`.
fn app_folder(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("Payload/")?;
    let end = rest.find('/').filter(|end| rest[..*end].ends_with(".app"))?;
    name.get(..name.len() - rest.len() + end + 1)
}

/// A bundle: the app, an extension, a framework or a folder of resources.
#[derive(Debug)]
struct Bundle {
    /// Its path with the slash.
    folder: String,
    info: Option<Plist>,
    /// The library it is.
    library: Option<Arc<str>>,
}

impl Bundle {
    fn text(&self, key: &str) -> Option<&str> {
        self.info.as_ref()?.root().text_of(key)
    }

    /// Its name without ending.
    fn stem(&self) -> &str {
        let name = self.folder.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        name.rsplit_once('.').map_or(name, |(stem, _)| stem)
    }

    fn executable(&self) -> String {
        format!("{}{}", self.folder, self.text("CFBundleExecutable").unwrap_or(self.stem()))
    }

    /// The app or an extension, not a framework or folder of resources.
    fn is_shown(&self) -> bool {
        self.folder.ends_with(".app/") || self.folder.ends_with(".appex/")
    }
}

/// What an entry is read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Strings,
    Plurals,
    Nib,
    Storyboard,
    List,
    Asset,
}

#[derive(Debug, Default)]
struct Plan<'a> {
    lists: Vec<(&'a Entry, Kind)>,
    programs: Vec<&'a Entry>,
    packages: Vec<&'a Entry>,
    profile: Option<&'a Entry>,
    pictures: Pictures<'a>,
}

/// What came of an entry.
enum Outcome {
    Table(Table),
    Nib(NibFile),
    Storyboard(Storyboard),
    Nothing,
}

/// An app that is being read.
struct App<'a> {
    archive: &'a Archive,
    /// Folder of the app.
    folder: String,
    bundles: Vec<Bundle>,
    /// Numbers of the bundles by folder.
    folders: HashMap<String, usize>,
}

fn inspect(probe: Probe, progress: &dyn Progress) -> Result<Inspection, FormatError> {
    let Probe { archive: Some((archive, issues)), nest, .. } = probe else {
        return Err(FormatError::Broken { format: FORMAT.name, cause: "no archive".into() });
    };
    let mut inspection = Inspection::new(TargetKind::App, FORMAT.name);
    state(&mut inspection, PartName::Container, &Place::entry(""), issues);
    let mut folders: Vec<&str> =
        archive.entries().iter().filter_map(|entry| app_folder(&entry.name)).collect();
    folders.sort_unstable();
    folders.dedup();
    let Some(folder) = folders.first().map(|folder| (*folder).to_owned()) else {
        return Err(FormatError::Broken { format: FORMAT.name, cause: "no app in it".into() });
    };
    if folders.len() > 1 {
        inspection.anomaly("package.several-apps", &Place::entry("Payload"), folders.join(", "));
    }
    App::open(&archive, folder, &mut inspection).read(&nest, progress, &mut inspection);
    Ok(inspection)
}

impl<'a> App<'a> {
    /// Reads the lists that say what the bundles are.
    fn open(archive: &'a Archive, folder: String, inspection: &mut Inspection) -> App<'a> {
        let mut app = App { archive, folder, bundles: Vec::new(), folders: HashMap::new() };
        for entry in archive.entries() {
            let Some(folder) = entry.name.strip_suffix("Info.plist").filter(|folder| is_bundle(folder))
            else {
                continue;
            };
            let info = app.list(entry, PartName::Manifest, inspection).map(|(plist, _)| plist);
            let mut bundle = Bundle { folder: folder.to_owned(), info, library: None };
            let pod = bundle.text("CFBundleIdentifier").is_some_and(|id| id.starts_with("org.cocoapods."));
            bundle.library = match (bundle.is_shown(), library::of_objc_class(bundle.stem())) {
                (true, _) => None,
                (false, Some(library)) => Some(Arc::from(library)),
                (false, None) => pod.then(|| Arc::from(bundle.stem())),
            };
            app.folders.insert(folder.to_owned(), app.bundles.len());
            app.bundles.push(bundle);
        }
        if !app.folders.contains_key(&app.folder) {
            inspection.unread(PartName::Manifest);
            let place = Place::entry(format!("{}Info.plist", app.folder));
            let detail = ("安装包没有 Info.plist", "the package has no Info.plist");
            inspection.gap(PartName::Manifest, &place, GapReason::Missing, detail);
        }
        app
    }

    /// A property list, counted.
    fn list(&self, entry: &Entry, part: PartName, inspection: &mut Inspection) -> Option<(Plist, u64)> {
        let place = Place::entry(entry.name.clone());
        let bytes = self.bytes(entry, part, inspection)?;
        match Plist::parse(&bytes) {
            Ok((plist, issues)) => {
                count(inspection, part, &place, issues);
                Some((plist, bytes.len() as u64))
            }
            Err(error) => {
                inspection.unread(part);
                inspection.gap(part, &place, GapReason::Malformed, error.to_string());
                None
            }
        }
    }

    fn bytes(&self, entry: &Entry, part: PartName, inspection: &mut Inspection) -> Option<Vec<u8>> {
        let place = Place::entry(entry.name.clone());
        let bytes = read(self.archive, entry, &place, part, inspection)?;
        if bytes.len() as u64 > MAX_LIST {
            inspection.unread(part);
            inspection.gap(part, &place, GapReason::TooLarge, format!("{} bytes", bytes.len()));
            return None;
        }
        Some(bytes)
    }

    /// The bundle around an entry.
    fn bundle(&self, name: &str) -> Option<&Bundle> {
        let folders = name.rmatch_indices('/').map(|(at, _)| &name[..at + 1]);
        folders
            .into_iter()
            .find_map(|folder| self.folders.get(folder))
            .and_then(|index| self.bundles.get(*index))
    }

    /// The library that an entry belongs to.
    fn library(&self, name: &str) -> Option<Arc<str>> {
        if let Some(library) = self.bundle(name).and_then(|bundle| bundle.library.clone()) {
            return Some(library);
        }
        // Folders of resources mostly have no list of their own.
        let folder = name.split('/').find_map(|folder| folder.strip_suffix(".bundle"))?;
        library::of_objc_class(folder).map(Arc::from)
    }

    fn read(mut self, nest: &Nest, progress: &dyn Progress, inspection: &mut Inspection) {
        let plan = self.plan(inspection);
        let entries = plan.lists.iter().map(|(entry, _)| *entry).chain(plan.programs.iter().copied());
        progress.begin(entries.chain(plan.packages.iter().copied()).map(|entry| entry.packed).sum());
        let outcomes: Vec<(Inspection, Outcome)> = plan
            .lists
            .par_iter()
            .map(|(entry, kind)| {
                let mut found = Inspection::new(TargetKind::App, FORMAT.name);
                let outcome = self.run(entry, *kind, &mut found);
                progress.advance(entry.packed);
                (found, outcome)
            })
            .collect();
        let mut parts = Parts::default();
        for (found, outcome) in outcomes {
            inspection.absorb(found);
            match outcome {
                Outcome::Table(table) => parts.tables.push(table),
                Outcome::Nib(nib) => parts.nibs.push(nib),
                Outcome::Storyboard(storyboard) => parts.storyboards.push(storyboard),
                Outcome::Nothing => {}
            }
        }
        self.info_tables(&mut parts.tables, inspection);
        for bundle in &self.bundles {
            let scenes = bundle.info.iter().flat_map(Plist::nodes).flat_map(Node::entries);
            let named = scenes.filter(|(key, _)| {
                [
                    "UIMainStoryboardFile",
                    "UISceneStoryboardFile",
                    "NSMainNibFile",
                    "UILaunchStoryboardName",
                    "NSExtensionMainStoryboard",
                ]
                .iter()
                .any(|name| key.starts_with(name))
            });
            parts.started.extend(named.filter_map(|(_, node)| node.text().map(str::to_owned)));
        }
        self.missing_interfaces(&parts, inspection);
        let asked = ios::asked(&parts);
        let mut signature = None;
        let mut swift = false;
        for entry in &plan.programs {
            self.program(entry, &asked, &mut parts, &mut signature, &mut swift, inspection);
            progress.advance(entry.packed);
        }
        let texts = plan.pictures.read(&self.folder, &nest.options, inspection);
        inspection.texts.extend(texts);
        let mut inner = Inspection::new(TargetKind::App, FORMAT.name);
        for entry in &plan.packages {
            nested::read(self.archive, entry, &entry.name, nest, &mut inner);
            progress.advance(entry.packed);
        }
        let followed = !parts.programs.is_empty() && parts.programs.iter().all(|program| program.followed);
        // Short Swift strings are numbers in code, and not every way to hold them is seen.
        parts.complete = followed && !swift && !inspection.has_gaps() && !inner.has_gaps();
        ios::link(&parts, inspection);
        inspection.absorb(inner);
        self.signer(signature, plan.profile, inspection);
    }

    /// What is to be read, and a word about what is not.
    fn plan(&self, inspection: &mut Inspection) -> Plan<'a> {
        let mut plan = Plan::default();
        let executables: HashSet<String> = self.bundles.iter().map(Bundle::executable).collect();
        let mut unknown: Vec<&str> = Vec::new();
        let (mut runtime, mut crushed, mut catalogs) = (0, false, Vec::new());
        for entry in self.archive.entries() {
            let name = &*entry.name;
            if name.ends_with('/')
                || (name.ends_with("Info.plist") && is_bundle(name.trim_end_matches("Info.plist")))
            {
                continue;
            }
            let file = name.rsplit('/').next().unwrap_or(name);
            let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
            if app_folder(name).is_none() {
                // The store's receipt of the download, and copies of the system's own libraries.
                runtime += u32::from(extension == "dylib");
                continue;
            }
            match extension.as_str() {
                _ if executables.contains(name) => plan.programs.push(entry),
                _ if name.contains("/_CodeSignature/") || name.contains("/SC_Info/") || file == "PkgInfo" => {
                }
                "strings" => plan.lists.push((entry, Kind::Strings)),
                "stringsdict" => plan.lists.push((entry, Kind::Plurals)),
                "nib" => plan.lists.push((entry, Kind::Nib)),
                "plist" if name.contains(".storyboardc/") => plan.lists.push((entry, Kind::Storyboard)),
                "plist" => plan.lists.push((entry, Kind::List)),
                "mobileprovision" => plan.profile = plan.profile.or(Some(entry)),
                extension if picture::is_picture(extension) && self.library(name).is_some() => {
                    inspection.unread(PartName::Images);
                }
                extension if picture::is_picture(extension) => {
                    crushed |= extension == "png" && self.archive.head(entry, 16).ends_with(b"CgBI");
                    plan.pictures.add(entry.name.clone(), self.archive, entry);
                }
                "car" => {
                    inspection.unread(PartName::Images);
                    catalogs.push(name);
                }
                "dylib" if file.starts_with("libswift") => runtime += 1,
                _ if super::web::is_text_asset(name) => {
                    if !super::web::is_data(name, entry.size) {
                        plan.lists.push((entry, Kind::Asset));
                    }
                }
                extension if nested::is_package(extension) => plan.packages.push(entry),
                "ttf" | "otf" | "ttc" | "woff" | "woff2" | "mp3" | "caf" | "wav" | "aif" | "aiff" | "m4a"
                | "aac" | "mp4" | "mov" | "css" | "mom" | "omo" | "metallib" | "cer" | "der" | "icns"
                | "pem" | "h" | "modulemap" | "swiftmodule" | "swiftdoc" | "xcprivacy" | "pdf" => {}
                _ if file == native::UNITY_METADATA => {
                    let place = Place::entry(entry.name.clone());
                    if let Some(bytes) = read(self.archive, entry, &place, PartName::Native, inspection) {
                        native::read_unity(name, &bytes, inspection);
                    }
                }
                _ => match self.archive.head(entry, 16) {
                    head if macho::is_macho(&head) => plan.programs.push(entry),
                    head if head.starts_with(&crate::decode::hermes::MAGIC) => {
                        plan.lists.push((entry, Kind::Asset))
                    }
                    head if head.starts_with(b"PK\x03\x04") => plan.packages.push(entry),
                    _ => {
                        inspection.unread(PartName::Other);
                        unknown.push(name.get(self.folder.len()..).unwrap_or(name));
                    }
                },
            }
        }
        self.missing(&executables, &plan, inspection);
        let place = Place::entry(self.folder.clone());
        if !unknown.is_empty() {
            let (count, shown) = (unknown.len(), unknown[..unknown.len().min(3)].join(", "));
            let detail = (
                format!("类型不明的文件 {count} 个，如 {shown}"),
                format!("{count} files of no known kind, such as {shown}"),
            );
            inspection.note(PartName::Other, &place, GapReason::NotInspected, detail);
        }
        for catalog in &catalogs {
            let detail = (
                "图片目录（Assets.car），其中的图片及其名称未识读",
                "an asset catalogue; its pictures and their names are not read",
            );
            inspection.note(PartName::Images, &Place::entry(*catalog), GapReason::NotInspected, detail);
        }
        if runtime > 0 {
            let detail = (
                format!("Swift 系统运行库 {runtime} 个，未检视"),
                format!("{runtime} libraries of the Swift runtime are not read"),
            );
            inspection.note(PartName::Native, &place, GapReason::NotInspected, detail);
        }
        if crushed {
            let detail = (
                "图片为苹果专用的 PNG 变体（CgBI），未查二维码，未识读",
                "pictures in Apple's own variant of PNG (CgBI) are not searched for QR codes and not read",
            );
            inspection.note(PartName::Images, &place, GapReason::UnsupportedFormat, detail);
        }
        plan.programs.sort_by(|a, b| a.name.cmp(&b.name));
        plan
    }

    /// An app or extension whose program is not there.
    fn missing(&self, executables: &HashSet<String>, plan: &Plan<'_>, inspection: &mut Inspection) {
        let there: HashSet<&str> = plan.programs.iter().map(|entry| &*entry.name).collect();
        for bundle in self.bundles.iter().filter(|bundle| bundle.is_shown()) {
            let executable = bundle.executable();
            if executables.contains(&executable) && !there.contains(executable.as_str()) {
                let detail = ("缺少可执行文件", "the program is missing");
                inspection.gap(PartName::Native, &Place::entry(executable), GapReason::Missing, detail);
                if bundle.folder == self.folder {
                    inspection.opaque();
                }
            }
        }
    }

    /// Interface files that `Info.plist` starts and that are not there or could not be read.
    fn missing_interfaces(&self, parts: &Parts, inspection: &mut Inspection) {
        let mut there: HashSet<&str> = parts.nibs.iter().map(|nib| nib.name.as_str()).collect();
        there.extend(parts.storyboards.iter().map(|storyboard| storyboard.name.as_str()));
        let mut missing: Vec<&String> =
            parts.started.iter().filter(|name| !there.contains(name.as_str())).collect();
        missing.sort_unstable();
        for name in missing {
            let detail = (
                format!("Info.plist 所列界面文件 {name} 不在包内或无法读取"),
                format!("the interface file {name} that Info.plist names is not there or cannot be read"),
            );
            let place = Place::entry(format!("{}Info.plist", self.folder));
            inspection.unread(PartName::Layouts);
            inspection.gap(PartName::Layouts, &place, GapReason::Missing, detail);
        }
    }

    fn run(&self, entry: &Entry, kind: Kind, inspection: &mut Inspection) -> Outcome {
        let name = &*entry.name;
        let place = Place::entry(entry.name.clone());
        let failed = |part, error: String, inspection: &mut Inspection| {
            inspection.unread(part);
            inspection.gap(part, &place, GapReason::Malformed, error);
            Outcome::Nothing
        };
        match kind {
            Kind::Asset => {
                if let Some(bytes) = read(self.archive, entry, &place, PartName::Text, inspection) {
                    super::web::read_text_asset(name, &bytes, inspection);
                }
                Outcome::Nothing
            }
            Kind::Strings => {
                let Some(bytes) = self.bytes(entry, PartName::Resources, inspection) else {
                    return Outcome::Nothing;
                };
                match strings::parse(&bytes) {
                    Ok((entries, issues)) => {
                        count(inspection, PartName::Resources, &place, issues);
                        Outcome::Table(self.table(entry, entries))
                    }
                    Err(error) => failed(PartName::Resources, error.to_string(), inspection),
                }
            }
            Kind::Plurals => match self.list(entry, PartName::Resources, inspection) {
                Some((plist, _)) => Outcome::Table(self.table(entry, plurals(plist.root()))),
                None => Outcome::Nothing,
            },
            Kind::Nib => {
                let Some(bytes) = self.bytes(entry, PartName::Layouts, inspection) else {
                    return Outcome::Nothing;
                };
                match Nib::parse(&bytes) {
                    Ok((nib, issues)) => {
                        count(inspection, PartName::Layouts, &place, issues);
                        // A nib may be a folder with a file for each version of the system.
                        let (folder, file) = name.rsplit_once('/').unwrap_or(("", name));
                        let (path, file) = match folder.strip_suffix(".nib") {
                            Some(outer) => outer.rsplit_once('/').unwrap_or(("", outer)),
                            None => (folder, file.trim_end_matches(".nib")),
                        };
                        Outcome::Nib(NibFile {
                            path: entry.name.clone(),
                            name: file.split('~').next().unwrap_or(file).to_owned(),
                            storyboard: path.ends_with(".storyboardc").then(|| path.to_owned()),
                            locale: locale(name),
                            library: self.library(name),
                            interface: ios::nib::read(&nib),
                        })
                    }
                    Err(error) => failed(PartName::Layouts, error.to_string(), inspection),
                }
            }
            Kind::Storyboard => match self.list(entry, PartName::Layouts, inspection) {
                Some((plist, _)) => Outcome::Storyboard(storyboard(name, plist.root())),
                None => Outcome::Nothing,
            },
            Kind::List => {
                if let Some((plist, size)) = self.list(entry, PartName::Resources, inspection)
                    && size <= MAX_DATA
                {
                    self.data(name, &plist, inspection);
                }
                Outcome::Nothing
            }
        }
    }

    fn table(&self, entry: &Entry, entries: Vec<Localised>) -> Table {
        let file = entry.name.rsplit('/').next().unwrap_or(&entry.name);
        Table {
            path: entry.name.clone(),
            name: file.rsplit_once('.').map_or(file, |(stem, _)| stem).to_owned(),
            locale: locale(&entry.name),
            library: self.library(&entry.name),
            entries,
        }
    }

    /// Texts of a list that code shows in some way: tables of menus, and the app's page in the system's settings.
    fn data(&self, name: &str, plist: &Plist, inspection: &mut Inspection) {
        let path: Arc<str> = Arc::from(name);
        let origin = self.library(name).map_or(Origin::App, Origin::Library);
        let settings = name.contains("/Settings.bundle/");
        let mut tell = |key: Option<&str>, node: Node<'_>, role| {
            let Some(text) = node.text().filter(|text| has_cjk(text)) else { return };
            let role = if text.chars().count() > 60 { Role::Document } else { role };
            let mut found = UiText::new(text, role, Place::offset(path.clone(), node.offset()));
            found.key = key.map(str::to_owned);
            found.chain = vec![name.to_owned()];
            found.origin = origin.clone();
            found.usage = if settings { Usage::Used } else { Usage::Unknown };
            inspection.texts.push(found);
        };
        for node in plist.nodes() {
            let leads = node.entries().any(|(key, _)| {
                let key = key.to_ascii_lowercase();
                ["url", "class", "controller", "vc", "action", "selector", "icon", "image", "img", "type"]
                    .contains(&key.as_str())
            });
            for (key, value) in node.entries() {
                tell(Some(key), value, if leads { Role::Item } else { Role::Code });
            }
            node.items().for_each(|item| tell(None, item, Role::Code));
        }
    }

    /// What the lists of the app and its extensions say to users, and what the app is allowed.
    fn info_tables(&mut self, tables: &mut Vec<Table>, inspection: &mut Inspection) {
        // Names and reasons in other languages.
        let mut localised: BTreeMap<String, Vec<Table>> = BTreeMap::new();
        tables.retain_mut(|table| {
            let own = table.name == "InfoPlist" && table.path.ends_with(".strings");
            let folder =
                table.path.rsplit('/').nth(2).map(|_| table.path.rsplitn(3, '/').last().unwrap_or_default());
            let folder = folder
                .map(|folder| format!("{folder}/"))
                .filter(|folder| own && self.folders.contains_key(folder));
            let Some(folder) = folder else { return true };
            localised
                .entry(folder)
                .or_default()
                .push(Table { entries: std::mem::take(&mut table.entries), ..table.clone() });
            false
        });
        for bundle in self.bundles.iter().filter(|bundle| bundle.is_shown()) {
            let path: Arc<str> = Arc::from(format!("{}Info.plist", bundle.folder));
            let tables = localised.get(&bundle.folder).map(Vec::as_slice).unwrap_or_default();
            if let Some(info) = &bundle.info {
                info_texts(&path, info, tables, inspection);
            }
            if bundle.folder == self.folder {
                let identity = &mut inspection.identity;
                identity.id = bundle.text("CFBundleIdentifier").map(str::to_owned);
                let chinese = |key: &str| {
                    let mut found: Vec<(&Table, &Localised)> = tables
                        .iter()
                        .filter(|table| {
                            table.locale.as_deref().is_some_and(|locale| locale.starts_with("zh"))
                        })
                        .filter_map(|table| {
                            Some((table, table.entries.iter().find(|entry| entry.key == key)?))
                        })
                        .collect();
                    // `zh-Hans` before `zh-Hant`, `zh-Hans-CN` and others.
                    found.sort_by_key(|(table, _)| {
                        (table.locale.as_deref() != Some("zh-Hans"), table.locale.clone())
                    });
                    found.first().map(|(_, entry)| entry.text.clone())
                };
                let own = |key: &str| bundle.text(key).map(str::to_owned);
                identity.name = chinese("CFBundleDisplayName")
                    .or_else(|| own("CFBundleDisplayName"))
                    .or_else(|| chinese("CFBundleName"))
                    .or_else(|| own("CFBundleName"));
                identity.version = own("CFBundleShortVersionString").or_else(|| own("CFBundleVersion"));
                identity.version_code =
                    bundle.text("CFBundleVersion").and_then(|version| version.parse().ok());
            }
        }
    }

    /// Reads a program and what its signature says.
    fn program(
        &self,
        entry: &Entry,
        asked: &HashSet<String>,
        parts: &mut Parts,
        signature: &mut Option<(CodeSignature, Place)>,
        swift: &mut bool,
        inspection: &mut Inspection,
    ) {
        let place = Place::entry(entry.name.clone());
        let main = self.folders.get(&self.folder).and_then(|index| self.bundles.get(*index));
        let is_main = main.is_some_and(|bundle| bundle.executable() == *entry.name);
        let Some(bytes) = read(self.archive, entry, &place, PartName::Native, inspection) else {
            if is_main {
                inspection.opaque();
            }
            return;
        };
        let parsed = macho::slices(&bytes).and_then(|slices| {
            // The same source for several processors: one is read, that whose code is followed before others.
            let range = slices.into_iter().next().map_or(0..0, |(_, range)| range);
            let start = range.start;
            MachO::parse(bytes.get(range).unwrap_or_default()).map(|parsed| (parsed, start))
        });
        let ((program, issues), start) = match parsed {
            Ok(parsed) => parsed,
            Err(error) => {
                inspection.unread(PartName::Native);
                inspection.gap(PartName::Native, &place, GapReason::Malformed, error.to_string());
                if is_main {
                    inspection.opaque();
                }
                return;
            }
        };
        if is_main {
            let range = program.signature.clone().unwrap_or(0..0);
            let block = usize::try_from(range.start).ok().zip(usize::try_from(range.end).ok());
            if let Some(block) =
                block.and_then(|(start, end)| program.bytes().get(start..end)).filter(|b| !b.is_empty())
            {
                let (found, issues) = apple_signature::code_signature(block);
                state(inspection, PartName::Container, &place, issues);
                *signature = Some((found, place.clone()));
            }
        }
        if program.encrypted.is_some() {
            inspection.unread(PartName::Native);
            let detail = (
                "可执行文件由应用商店加密（FairPlay），代码及其文字无法读取",
                "the program is encrypted by the App Store (FairPlay); its code and texts cannot be read",
            );
            inspection.gap(PartName::Native, &place, GapReason::Encrypted, detail);
            if is_main {
                inspection.opaque();
            }
            return;
        }
        if entry.name.ends_with("/App.framework/App") {
            let within = start..start + program.bytes().len();
            native::read_dart(&entry.name, &bytes, std::slice::from_ref(&within), inspection);
            return;
        }
        count(inspection, PartName::Native, &place, issues);
        *swift |= program.libraries.iter().any(|library| library.contains("libswiftCore"));
        let library = self.library(&entry.name);
        let mut found = code::read(&entry.name, &program, asked, library.as_deref());
        // Places are those of the file, of which the program for one processor is a part.
        if start > 0 {
            let moved = |place: &mut Place| {
                if let Some(crate::model::At::Offset(offset)) = &mut place.at {
                    *offset += start as u64;
                }
            };
            found.texts.iter_mut().for_each(|told| moved(&mut told.text.place));
            found.facts.iter_mut().for_each(|(fact, _)| moved(&mut fact.place));
        }
        if !found.followed {
            let detail = (
                "不是 ARM64 代码，文字与界面、方法的关联未能查明",
                "not ARM64 code; the links of its strings to methods and screens were not followed",
            );
            inspection.note(PartName::Native, &place, GapReason::NotInspected, detail);
        }
        parts.programs.push(found);
    }

    /// Who signed the app.
    fn signer(
        &self,
        signature: Option<(CodeSignature, Place)>,
        profile: Option<&Entry>,
        inspection: &mut Inspection,
    ) {
        let profile_place = profile.map(|entry| Place::entry(entry.name.clone()));
        let profile = profile
            .and_then(|entry| self.bytes(entry, PartName::Container, inspection))
            .and_then(|bytes| apple_signature::profile(&bytes));
        let Some((signature, place)) = signature else {
            if !inspection.identity.id.as_deref().unwrap_or_default().is_empty() {
                inspection.anomaly(
                    "signature.missing",
                    &Place::entry(self.folder.clone()),
                    "the program is not signed",
                );
            }
            return;
        };
        let in_profile = profile.as_ref().is_some_and(|profile| profile.debuggable);
        if signature.debuggable || in_profile {
            let place = if signature.debuggable { Some(&place) } else { profile_place.as_ref() };
            if let Some(place) = place {
                inspection.anomaly(
                    "manifest.debuggable",
                    place,
                    "get-task-allow: the app can be debugged by anybody",
                );
            }
        }
        if let (Some(profile), Some(place)) = (&profile, &profile_place) {
            let name = profile.name.as_deref().unwrap_or_default();
            let team = profile.team_name.as_deref().unwrap_or_default();
            if profile.enterprise {
                let detail =
                    format!("enterprise profile {name:?} of {team}: installed outside the App Store");
                inspection.anomaly("signature.enterprise-profile", place, detail);
            } else if let Some(devices) = profile.devices {
                let detail = format!("profile {name:?} of {team} for {devices} devices: not for users");
                inspection.anomaly("signature.test-profile", place, detail);
            }
        }
        match signature.signer {
            Some(signer) => {
                if signer.subject.contains("CN=Apple Development")
                    || signer.subject.contains("CN=iPhone Developer")
                {
                    inspection.anomaly("signature.debug-certificate", &place, &signer.subject);
                }
                inspection.identity.signer = Some(Signer {
                    subject: signer.subject,
                    sha256: signer.sha256,
                    schemes: signer.schemes,
                    verified: None,
                });
            }
            None => inspection.anomaly("signature.missing", &place, "an ad-hoc signature without a signer"),
        }
    }
}

/// Whether a folder is a bundle with an `Info.plist` of its own.
fn is_bundle(folder: &str) -> bool {
    app_folder(folder).is_some()
        && [".app/", ".appex/", ".framework/", ".bundle/"].iter().any(|ending| folder.ends_with(ending))
}

/// The language of the folder that an entry is in; none for the language of development.
fn locale(name: &str) -> Option<String> {
    let folder = name.split('/').rev().find_map(|folder| folder.strip_suffix(".lproj"))?;
    match folder {
        "Base" => None,
        "Chinese" => Some("zh".to_owned()),
        "English" => Some("en".to_owned()),
        folder => Some(folder.replace('_', "-")),
    }
}

/// The scenes of a storyboard.
fn storyboard(name: &str, root: Node<'_>) -> Storyboard {
    let path = name.rsplit_once('/').map_or("", |(path, _)| path);
    let stem = path.rsplit('/').next().unwrap_or_default();
    let names = root.get("UIViewControllerIdentifiersToNibNames").into_iter().flat_map(Node::entries);
    let scenes =
        names.filter_map(|(identifier, file)| Some((identifier.to_owned(), file.text()?.to_owned())));
    Storyboard {
        path: path.to_owned(),
        name: stem.strip_suffix(".storyboardc").unwrap_or(stem).to_owned(),
        entry: root.text_of("UIStoryboardDesignatedEntryPointIdentifier").map(str::to_owned),
        scenes: scenes.collect(),
    }
}

/// Every form of each text of a table of plurals.
fn plurals(root: Node<'_>) -> Vec<Localised> {
    let mut found = Vec::new();
    for (key, rule) in root.entries() {
        let forms = rule.entries().chain(rule.entries().flat_map(|(_, variable)| variable.entries()));
        for (name, form) in forms {
            let is_form = matches!(
                name,
                "zero" | "one" | "two" | "few" | "many" | "other" | "NSStringLocalizedFormatKey"
            );
            if let Some(text) = form.text().filter(|_| is_form) {
                found.push(Localised { key: key.to_owned(), text: text.to_owned(), offset: form.offset() });
            }
        }
    }
    found
}

/// Name, reasons for permissions, and short cuts that an `Info.plist` shows; and the permissions themselves.
fn info_texts(path: &Arc<str>, info: &Plist, tables: &[Table], inspection: &mut Inspection) {
    let root = info.root();
    let mut tell = |key: &str, node: Node<'_>, role| {
        let mut tell = |text: &str, place: Place, locale: Option<String>| {
            let mut found = UiText::new(text, role, place);
            found.key = Some(key.to_owned());
            found.usage = Usage::Used;
            found.locale = locale;
            found.chain = vec![path.to_string()];
            if role == Role::Control {
                let screen =
                    Screen { name: "UIApplicationShortcutItems".to_owned(), title: None, reachable: true };
                found.screen = Some(screen);
                let class = "UIApplicationShortcutItem".to_owned();
                found.widget = Some(Widget { class, id: None, handler: None, operable: true });
            }
            inspection.texts.push(found);
        };
        let Some(text) = node.text().filter(|text| !text.is_empty()) else { return };
        tell(text, Place::offset(path.clone(), node.offset()), None);
        for table in tables {
            for entry in table.entries.iter().filter(|entry| entry.key == key || entry.key == text) {
                tell(&entry.text, Place::offset(table.path.clone(), entry.offset), table.locale.clone());
            }
        }
    };
    let mut permissions = Vec::new();
    for (key, node) in root.entries() {
        match key {
            "CFBundleDisplayName" => tell(key, node, Role::Title),
            _ if key.ends_with("UsageDescription") => {
                tell(key, node, Role::Message);
                permissions.push((key.to_owned(), node.offset()));
            }
            "UIBackgroundModes" => {
                let modes = node.items().filter_map(|mode| Some((mode.text()?, mode.offset())));
                permissions.extend(modes.map(|(mode, offset)| (format!("UIBackgroundModes.{mode}"), offset)));
            }
            "UIApplicationShortcutItems" => {
                for item in node
                    .items()
                    .flat_map(Node::entries)
                    .filter(|(key, _)| *key == "UIApplicationShortcutItemTitle")
                {
                    tell(item.0, item.1, Role::Control);
                }
            }
            _ => {}
        }
    }
    for (permission, offset) in permissions {
        inspection.facts.push(Fact::new(
            FactKind::Permission,
            permission,
            Place::offset(path.clone(), offset),
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::blob::Blob;
    use crate::model::Verdict;

    fn fixture(package: &str) -> Vec<u8> {
        std::fs::read(format!("{}/fixtures/built/{package}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    }

    /// The fixture `patrol.ipa` with one entry of the app replaced, or without it.
    fn with(name: &str, content: Option<&[u8]>) -> Inspection {
        let (archive, _) = Archive::open(Blob::memory(fixture("patrol.ipa"))).unwrap();
        let name = format!("Payload/ForestPatrol.app/{name}");
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        let mut add = |name: &str, bytes: &[u8]| {
            writer.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            std::io::Write::write_all(&mut writer, bytes).unwrap();
        };
        for entry in archive.entries().iter().filter(|entry| *entry.name != name) {
            add(&entry.name, &archive.read(entry).unwrap().0);
        }
        content.iter().for_each(|content| add(&name, content));
        inspected(writer.finish().unwrap().into_inner()).unwrap()
    }

    fn inspected(bytes: Vec<u8>) -> Result<Inspection, FormatError> {
        let source = crate::format::Source { blob: Blob::memory(bytes), name: "package.ipa".to_owned() };
        crate::format::inspect(source, &crate::format::Options::default(), &crate::format::Silent)
    }

    fn gap(found: &Inspection, part: PartName, reason: GapReason) -> bool {
        found.coverage().gaps.iter().any(|gap| gap.part == part && gap.reason == reason && gap.material)
    }

    #[test]
    fn what_is_missing_or_broken_is_a_gap() {
        let found = with("ForestPatrol", None);
        assert!(gap(&found, PartName::Native, GapReason::Missing));
        assert_eq!(found.coverage().verdict, Verdict::Opaque);
        let found = with("ForestPatrol", Some(b"\xCF\xFA\xED\xFE\x0C\0\0\x01"));
        assert!(gap(&found, PartName::Native, GapReason::Malformed));
        assert_eq!(found.coverage().verdict, Verdict::Opaque);
        let found = with("Info.plist", None);
        assert!(gap(&found, PartName::Manifest, GapReason::Missing));
        let found = with("Info.plist", Some(b"bplist00"));
        assert!(gap(&found, PartName::Manifest, GapReason::Malformed));
        let found = with("Base.lproj/Main.storyboardc/Patrol.nib", Some(b"NIBArchive"));
        assert!(gap(&found, PartName::Layouts, GapReason::Malformed));
        let found = with("zh-Hans.lproj/Main.strings", Some(b"\"a\" \"b\";"));
        assert!(gap(&found, PartName::Resources, GapReason::Malformed));
        let found = with("Info.plist", Some(b"<plist><dict><key>CFBundleExecutable</key><string>ForestPatrol</string><key>UIMainStoryboardFile</key><string>Other</string></dict></plist>"));
        assert!(gap(&found, PartName::Layouts, GapReason::Missing));
        let found = with("Frameworks/App.framework/App", Some(&MINIMAL));
        assert!(gap(&found, PartName::Native, GapReason::Encrypted));
    }

    /// A program for ARM64 without load commands.
    const MINIMAL: [u8; 32] = {
        let mut bytes = [0; 32];
        (bytes[0], bytes[1], bytes[2], bytes[3]) = (0xCF, 0xFA, 0xED, 0xFE);
        (bytes[4], bytes[7]) = (0x0C, 0x01);
        bytes
    };

    #[test]
    fn a_key_that_nothing_asks_for_is_unreferenced() {
        let usage =
            |found: &Inspection| found.texts.iter().find(|text| text.text == "上传工作照片").unwrap().usage;
        assert_eq!(usage(&inspected(fixture("patrol.ipa")).unwrap()), Usage::Unreferenced);
        // With something unread nobody knows.
        assert_eq!(
            usage(&with("Base.lproj/Main.storyboardc/Patrol.nib", Some(b"NIBArchive"))),
            Usage::Unknown
        );
    }

    #[test]
    fn lists_and_settings_are_read() {
        let list = "<plist><array><dict><key>title</key><string>积分排名</string><key>class</key><string>RankVC</string></dict>
            </array></plist>";
        let found = with("menu.plist", Some(list.as_bytes()));
        let text = found.texts.iter().find(|text| text.text == "积分排名").unwrap();
        assert_eq!((text.role, text.key.as_deref()), (Role::Item, Some("title")));
        let plurals =
            "<plist><dict><key>%d days</key><dict><key>NSStringLocalizedFormatKey</key><string>%#@d@</string>
            <key>d</key><dict><key>other</key><string>连续签到%d天</string></dict></dict></dict></plist>";
        let found = with("zh-Hans.lproj/Localizable.stringsdict", Some(plurals.as_bytes()));
        let text = found.texts.iter().find(|text| text.text == "连续签到%d天").unwrap();
        assert_eq!((text.key.as_deref(), text.locale.as_deref()), (Some("%d days"), Some("zh-Hans")));
    }

    #[test]
    fn text_of_a_pod_is_a_library_s() {
        let info = "<plist><dict><key>CFBundleIdentifier</key><string>org.cocoapods.Calendar</string></dict></plist>";
        let found = with("Frameworks/Calendar.framework/Info.plist", Some(info.as_bytes()));
        assert!(found.coverage().gaps.iter().all(|gap| gap.part != PartName::Manifest));
        let table = |path: &str| {
            let found = with(path, Some("\"k\" = \"每日签到\";".as_bytes()));
            found.texts.into_iter().find(|text| text.text == "每日签到").unwrap().origin
        };
        assert_eq!(
            table("MJRefresh.bundle/zh-Hans.lproj/Localizable.strings"),
            Origin::Library(Arc::from("MJRefresh"))
        );
        assert_eq!(table("Own.bundle/zh-Hans.lproj/Localizable.strings"), Origin::App);
    }

    #[test]
    fn cut_packages_end() {
        for package in ["patrol.ipa", "party-cloud.ipa"] {
            let bytes = fixture(package);
            for length in (0..bytes.len()).step_by(127) {
                if let Ok(found) = inspected(bytes[..length].to_vec()) {
                    assert!(found.has_gaps(), "{package} cut to {length} bytes");
                }
            }
        }
    }

    #[test]
    fn flipped_bytes_end() {
        let mut seed = 0x2545_F491_4F6C_DD1D_u64;
        let names = [
            "Info.plist",
            "Base.lproj/Main.storyboardc/Info.plist",
            "Base.lproj/Main.storyboardc/Patrol.nib",
            "Base.lproj/Main.storyboardc/ptr-Vc-20a-view-ptr-Vw-21b.nib",
            "zh-Hans.lproj/Localizable.strings",
        ];
        let (archive, _) = Archive::open(Blob::memory(fixture("patrol.ipa"))).unwrap();
        for name in names {
            let entry = archive.entry(&format!("Payload/ForestPatrol.app/{name}")).unwrap();
            let good = archive.read(entry).unwrap().0;
            for _ in 0..12 {
                let mut bytes = good.clone();
                for _ in 0..4 {
                    seed ^= seed << 13;
                    seed ^= seed >> 7;
                    seed ^= seed << 17;
                    let at = (seed >> 8) as usize % bytes.len();
                    bytes[at] = seed as u8;
                }
                with(name, Some(&bytes));
            }
        }
    }
}
