//! HarmonyOS packages: a module (`.hap`, `.hsp`) or a bundle of modules (`.app`), with the manifest of either model
//! (`module.json` or `config.json`), the resource table, bytecode, web assets and scripts.
//!
//! Layout: openharmony/docs `application-dev/quick-start/module-configuration-file.md`,
//! `application-package-structure-stage.md`, `module-structure.md` (FA model); openharmony/developtools_hapsigner
//! `hapsigntool/…/SignHap` (signature block before the central directory).

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value as Json;

use super::native;
use super::nested::{self, Nest};
use super::picture::{self, Pictures};
use super::unit::{count, read, state};
use super::{Format, FormatError, Probe, Progress};

use crate::decode::abc::{Abc, AbcError, strings_anywhere};
use crate::decode::apk_signature::SigningCertificate;
use crate::decode::archive::{Archive, Entry};
use crate::decode::blob::Blob;
use crate::decode::resindex::{Kind, Table};
use crate::decode::{entropy, hap_signature};
use crate::link::ark;
use crate::model::{
    Fact, FactKind, GapReason, Inspection, PartName, Place, Role, Screen, Signer, TargetKind, UiText, Usage,
};
use crate::text::has_cjk;

const STAGE: &str = "module.json";
const FA: &str = "config.json";
const TABLE: &str = "resources.index";
const PACK: &str = "pack.info";

/// A manifest or page list is never larger.
const MAX_JSON: usize = 8 << 20;
/// So many modules of one bundle are read.
const MAX_MODULES: usize = 64;
/// HAP, HSP and APP.
pub const FORMAT: Format = Format {
    name: "hap",
    title: ("HarmonyOS 安装包", "HarmonyOS package"),
    endings: &["hap", "hsp", "app"],
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
    let has = |name| archive.entry(name).is_some();
    if has("AndroidManifest.xml") {
        return false;
    }
    let code = has(TABLE) || has(PACK) || has("ets/modules.abc");
    (code && (has(STAGE) || has(FA)))
        || has("ets/modules.abc")
        || (has(PACK) && archive.entries().iter().any(is_module))
}

fn is_module(entry: &Entry) -> bool {
    entry.name.ends_with(".hap") || entry.name.ends_with(".hsp")
}

/// What a module says of the app.
#[derive(Debug, Default)]
struct Identity {
    id: Option<String>,
    name: Option<String>,
    version: Option<String>,
    code: Option<u64>,
    /// The module that users start.
    entry: bool,
}

fn inspect(probe: Probe, progress: &dyn Progress) -> Result<Inspection, FormatError> {
    let Some((archive, issues)) = probe.archive else {
        return Err(FormatError::Broken { format: FORMAT.name, cause: "no archive".into() });
    };
    let mut inspection = Inspection::new(TargetKind::App, FORMAT.name);
    let whole = !issues.iter().any(|issue| issue.lossy);
    state(&mut inspection, PartName::Container, &Place::entry(""), issues);
    progress.begin(archive.entries().iter().map(|entry| entry.packed).sum());
    let mut identities = Vec::new();
    let modules: Vec<&Entry> = archive.entries().iter().filter(|entry| is_module(entry)).collect();
    if archive.entry(STAGE).is_none() && archive.entry(FA).is_none() && !modules.is_empty() {
        for (index, entry) in modules.into_iter().enumerate() {
            if index >= MAX_MODULES {
                let detail = (
                    format!("超过 {MAX_MODULES} 个模块，其余未检视"),
                    format!("more than {MAX_MODULES} modules; the rest is not read"),
                );
                inspection.gap(
                    PartName::Container,
                    &Place::entry(entry.name.clone()),
                    GapReason::LimitReached,
                    detail,
                );
                break;
            }
            identities.extend(inner(&archive, entry, &probe.nest, progress, &mut inspection));
        }
    } else {
        let module = Module { archive: &archive, prefix: "", alone: whole, nest: &probe.nest };
        identities.push(module.read(progress, &mut inspection));
    }
    // The module that users start speaks for the app, whatever the order.
    identities.sort_by_key(|identity| !identity.entry);
    for identity in identities {
        let of = &mut inspection.identity;
        of.id = of.id.take().or(identity.id);
        of.name = of.name.take().or(identity.name);
        of.version = of.version.take().or(identity.version);
        of.version_code = of.version_code.or(identity.code);
    }
    signature(&archive, &mut inspection);
    Ok(inspection)
}

/// A module inside a bundle.
fn inner(
    archive: &Archive,
    entry: &Entry,
    nest: &Nest,
    progress: &dyn Progress,
    inspection: &mut Inspection,
) -> Option<Identity> {
    let outside = Module { archive, prefix: "", alone: false, nest };
    let bytes = outside.bytes(entry, PartName::Container, inspection)?;
    let place = Place::entry(entry.name.clone());
    match Archive::open(Blob::memory(bytes)) {
        Ok((inner, issues)) => {
            count(inspection, PartName::Container, &place, issues);
            let prefix = format!("{}!", entry.name);
            let module = Module { archive: &inner, prefix: &prefix, alone: false, nest };
            Some(module.read(progress, inspection))
        }
        Err(error) => {
            inspection.unread(PartName::Container);
            let detail = (format!("模块无法打开：{error}"), format!("the module cannot be opened: {error}"));
            inspection.gap(PartName::Container, &place, GapReason::Malformed, detail);
            inspection.opaque();
            None
        }
    }
}

/// Who signed the package.
fn signature(archive: &Archive, inspection: &mut Inspection) {
    let place = Place::entry("");
    let found = archive.directory().and_then(|directory| hap_signature::read(archive.blob(), directory));
    let Some(found) = found else {
        return inspection.anomaly("signature.missing", &place, "the package is not signed");
    };
    if found.profile.as_deref() == Some("debug") {
        inspection.anomaly("signature.debug-profile", &place, "signed for debugging, not for release");
    }
    match found.certificate {
        Some(SigningCertificate { subject, sha256, schemes }) => {
            inspection.identity.signer = Some(Signer { subject, sha256, schemes, verified: None });
        }
        None => {
            let detail = (
                "有鸿蒙签名块，签名者未能读取",
                "a HarmonyOS signature block is there; the signer could not be read",
            );
            inspection.note(PartName::Container, &place, GapReason::Malformed, detail);
        }
    }
}

/// A module that is being read.
struct Module<'m> {
    archive: &'m Archive,
    /// What stands before the entries in a place: `entry-default.hap!`.
    prefix: &'m str,
    /// Nothing outside of it can refer to its resources.
    alone: bool,
    nest: &'m Nest,
}

/// What is known of a module before its code is read.
struct Around<'c> {
    manifest: &'c Manifest,
    table: Option<&'c Table<'c>>,
    pages: &'c [String],
    titles: &'c BTreeMap<String, String>,
}

/// What the manifest of either model says.
#[derive(Debug, Default)]
struct Manifest {
    identity: Identity,
    /// Texts with what they are: role, key, ability.
    texts: Vec<(String, Role, &'static str, Option<String>)>,
    abilities: Vec<String>,
    /// Source files of abilities.
    entries: Vec<String>,
    permissions: Vec<String>,
    /// Profiles that list pages: `$profile:main_pages`.
    profiles: Vec<String>,
    pages: Vec<String>,
    /// Whether it has code of the stage model.
    stage: bool,
    /// A module without code of its own (resources only, or a shared package).
    codeless: bool,
}

impl Module<'_> {
    fn place(&self, name: &str) -> Place {
        Place::entry(self.path(name))
    }

    fn path(&self, name: &str) -> Arc<str> {
        if self.prefix.is_empty() { Arc::from(name) } else { Arc::from(format!("{}{name}", self.prefix)) }
    }

    fn bytes(&self, entry: &Entry, part: PartName, inspection: &mut Inspection) -> Option<Vec<u8>> {
        let place = self.place(&entry.name);
        match self.archive.read(entry) {
            Ok((bytes, issues)) => {
                state(inspection, part, &place, issues);
                Some(bytes)
            }
            Err(unread) => {
                inspection.unread(part);
                inspection.gap(part, &place, unread.reason, unread.detail);
                None
            }
        }
    }

    fn read(&self, progress: &dyn Progress, inspection: &mut Inspection) -> Identity {
        let table_bytes =
            self.archive.entry(TABLE).and_then(|entry| self.bytes(entry, PartName::Resources, inspection));
        let table = table_bytes.as_deref().and_then(|bytes| self.table(bytes, inspection));
        let manifest = self.manifest(table.as_ref(), inspection);
        let mut pages = manifest.pages.clone();
        let mut titles = BTreeMap::new();
        for profile in &manifest.profiles {
            self.profile(profile, table.as_ref(), &mut pages, &mut titles, inspection);
        }
        let mut seen = HashSet::new();
        pages.retain(|page| seen.insert(page.clone()));

        let (mut codes, mut assets) = (Vec::new(), Vec::new());
        self.sort(&mut codes, &mut assets, inspection);
        let mut used = HashSet::new();
        let mut followed = true;
        let around = Around { manifest: &manifest, table: table.as_ref(), pages: &pages, titles: &titles };
        for &entry in &codes {
            if let Some(bytes) = self.bytes(entry, PartName::Dex, inspection) {
                let linked = self.bytecode(entry, &bytes, &around, inspection);
                used.extend(linked.used);
                followed &= linked.whole && !linked.by_name;
            } else {
                followed = false;
            }
            progress.advance(entry.packed);
        }
        let outcomes: Vec<Inspection> = assets
            .par_iter()
            .map(|entry| {
                let mut found = Inspection::new(TargetKind::App, FORMAT.name);
                if let Some(bytes) = self.bytes(entry, PartName::Text, &mut found) {
                    super::web::read_text_asset(&self.path(&entry.name), &bytes, &mut found);
                }
                progress.advance(entry.packed);
                found
            })
            .collect();
        let scripts = assets.iter().any(|entry| entry.name.ends_with(".js"));
        outcomes.into_iter().for_each(|found| inspection.absorb(found));

        if manifest.stage && !manifest.codeless && codes.is_empty() && !scripts {
            let detail = (
                "清单中有界面组件，包内却没有字节码",
                "the manifest has abilities, but there is no bytecode",
            );
            inspection.gap(PartName::Dex, &self.place("ets/modules.abc"), GapReason::Missing, detail);
            inspection.opaque();
            followed = false;
        }
        self.manifest_texts(&manifest, table.as_ref(), &mut used, inspection);
        for page in &pages {
            let mut fact = Fact::new(FactKind::Route, page.clone(), self.place(STAGE));
            fact.screen =
                Some(Screen { name: page.clone(), title: titles.get(page).cloned(), reachable: true });
            inspection.facts.push(fact);
        }
        let sure = self.alone && followed && !codes.is_empty() && !inspection.has_gaps();
        self.rest(table.as_ref(), &used, sure, inspection);
        manifest.identity
    }

    fn table<'t>(&self, bytes: &'t [u8], inspection: &mut Inspection) -> Option<Table<'t>> {
        match Table::parse(bytes) {
            Ok((table, issues)) => {
                count(inspection, PartName::Resources, &self.place(TABLE), issues);
                Some(table)
            }
            Err(error) => {
                inspection.unread(PartName::Resources);
                inspection.gap(
                    PartName::Resources,
                    &self.place(TABLE),
                    GapReason::Malformed,
                    error.to_string(),
                );
                None
            }
        }
    }

    fn json(&self, name: &str, part: PartName, inspection: &mut Inspection) -> Option<Json> {
        let entry = self.archive.entry(name)?;
        let bytes = self.bytes(entry, part, inspection)?;
        let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes);
        if bytes.len() > MAX_JSON {
            inspection.unread(part);
            let detail = format!("{} bytes of JSON", bytes.len());
            inspection.gap(part, &self.place(name), GapReason::TooLarge, detail);
            return None;
        }
        match serde_json::from_slice(text) {
            Ok(json) => {
                inspection.read(part);
                Some(json)
            }
            Err(error) => {
                inspection.unread(part);
                inspection.gap(part, &self.place(name), GapReason::Malformed, error.to_string());
                None
            }
        }
    }

    fn manifest(&self, table: Option<&Table<'_>>, inspection: &mut Inspection) -> Manifest {
        let has = |name| self.archive.entry(name).is_some();
        let resolve = |json: &Json, key: &str| {
            let id =
                json.get(format!("{key}Id")).and_then(Json::as_u64).and_then(|id| u32::try_from(id).ok());
            let by_id = id.and_then(|id| Some(table?.preferred(id)?.text().into_owned()));
            let text = json.get(key).and_then(Json::as_str)?;
            let found = match (by_id, table) {
                (Some(text), Some(table)) => table.resolve(&text),
                (_, Some(table)) => table.resolve(text),
                (_, None) => (!text.starts_with('$')).then(|| text.to_owned()),
            };
            found.filter(|text| !text.is_empty())
        };
        if has(STAGE) {
            let Some(json) = self.json(STAGE, PartName::Manifest, inspection) else {
                return Manifest::default();
            };
            stage(&json, &resolve)
        } else if has(FA) {
            let Some(json) = self.json(FA, PartName::Manifest, inspection) else {
                return Manifest::default();
            };
            fa(&json, &resolve)
        } else {
            inspection.unread(PartName::Manifest);
            let detail = ("包内没有清单", "the package has no manifest");
            inspection.gap(PartName::Manifest, &self.place(STAGE), GapReason::Missing, detail);
            Manifest { stage: true, ..Manifest::default() }
        }
    }

    /// A list of pages (`main_pages.json`) or of named routes (`route_map.json`).
    fn profile(
        &self,
        profile: &str,
        table: Option<&Table<'_>>,
        pages: &mut Vec<String>,
        titles: &mut BTreeMap<String, String>,
        inspection: &mut Inspection,
    ) {
        // The table has the path with the module's name before it.
        let stored =
            table.and_then(|table| Some(table.preferred(table.reference(profile)?)?.text().into_owned()));
        let stored = stored.and_then(|path| path.find("resources/").map(|at| path[at..].to_owned()));
        let name = profile.split(':').next_back().unwrap_or(profile);
        let usual = format!("resources/base/profile/{name}.json");
        let path = stored.filter(|path| self.archive.entry(path).is_some()).unwrap_or(usual);
        if self.archive.entry(&path).is_none() {
            let detail = (format!("缺少页面清单 {path}"), format!("the page list {path} is missing"));
            inspection.unread(PartName::Manifest);
            inspection.gap(PartName::Manifest, &self.place(&path), GapReason::Missing, detail);
            return;
        }
        let Some(json) = self.json(&path, PartName::Manifest, inspection) else { return };
        pages.extend(strings(json.get("src")));
        for route in json.get("routerMap").and_then(Json::as_array).into_iter().flatten() {
            let Some(file) = route.get("pageSourceFile").and_then(Json::as_str) else { continue };
            let page = file.trim_start_matches("src/main/ets/");
            let page = page.strip_suffix(".ets").or(page.strip_suffix(".ts")).unwrap_or(page).to_owned();
            let title = route.get("data").and_then(|data| data.get("title").or(data.get("description")));
            if let Some(title) = title.and_then(Json::as_str).filter(|title| has_cjk(title)) {
                titles.insert(page.clone(), title.to_owned());
            }
            pages.push(page);
        }
    }

    /// What is to be read, and a word about what is not.
    fn sort<'e>(
        &'e self,
        codes: &mut Vec<&'e Entry>,
        assets: &mut Vec<&'e Entry>,
        inspection: &mut Inspection,
    ) {
        let mut natives = Vec::new();
        let mut pictures = Pictures::default();
        for entry in self.archive.entries() {
            let name = &*entry.name;
            if name.ends_with('/') || matches!(name, STAGE | FA | TABLE | PACK) {
                continue;
            }
            let file = name.rsplit('/').next().unwrap_or(name);
            let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
            let bundled = ["resources/rawfile/", "resources/resfile/", "assets/", "js/", "rawfile/"]
                .iter()
                .any(|folder| name.starts_with(folder) || name.contains("/resources/rawfile/"));
            match extension.as_str() {
                "abc" => codes.push(entry),
                extension if picture::is_picture(extension) => {
                    pictures.add(self.path(name), self.archive, entry);
                }
                "so" => natives.push((name, entry.size, entry)),
                extension if nested::is_package(extension) => {
                    nested::read(self.archive, entry, &self.path(name), self.nest, inspection);
                }
                _ if bundled && super::web::is_text_asset(name) && !super::web::is_data(name, entry.size) => {
                    assets.push(entry);
                }
                _ => {}
            }
        }
        let folder = self.path("resources");
        let texts = pictures.read(&folder, &self.nest.options, inspection);
        inspection.texts.extend(texts);
        let (wanted, unread) = native::libraries(natives);
        for entry in wanted {
            let place = self.place(&entry.name);
            if let Some(bytes) = read(self.archive, entry, &place, PartName::Native, inspection) {
                native::read_library(&place.path, &bytes, inspection);
            }
        }
        inspection.count(PartName::Native, 0, unread.len() as u64);
        native::note_unread(unread.len(), &self.place("libs"), inspection);
    }

    /// Reads bytecode.
    fn bytecode(
        &self,
        entry: &Entry,
        bytes: &[u8],
        around: &Around<'_>,
        inspection: &mut Inspection,
    ) -> ark::Linked {
        let place = self.place(&entry.name);
        let error = match Abc::parse(bytes) {
            Ok((abc, issues)) => {
                let path = self.path(&entry.name);
                let table_path = self.path(TABLE);
                let parts = ark::Parts {
                    path: &path,
                    table_path: &table_path,
                    table: around.table,
                    pages: around.pages,
                    entries: &around.manifest.entries,
                    titles: around.titles,
                };
                let lossy = issues.iter().any(|issue| issue.lossy);
                let mut linked = ark::link(&abc, &parts, bytes.len(), inspection);
                if linked.whole || lossy {
                    count(inspection, PartName::Dex, &place, issues);
                } else {
                    // The linker has stated the gap.
                    inspection.unread(PartName::Dex);
                    state(inspection, PartName::Dex, &place, issues);
                }
                linked.whole &= !lossy;
                return linked;
            }
            Err(error) => error,
        };
        inspection.unread(PartName::Dex);
        let (reason, zh) = match error {
            AbcError::Truncated(_) => (GapReason::Truncated, "字节码不完整".to_owned()),
            AbcError::Version([a, b, c, d]) => {
                (GapReason::UnsupportedFormat, format!("字节码版本 {a}.{b}.{c}.{d} 尚不支持"))
            }
            AbcError::NotBytecode if looks_random(bytes) => (GapReason::Encrypted, "字节码已加密".to_owned()),
            AbcError::NotBytecode => (GapReason::Malformed, "不是方舟字节码".to_owned()),
        };
        inspection.gap(PartName::Dex, &place, reason, (zh, error.to_string()));
        inspection.opaque();
        let mut left = bytes.len();
        for (offset, text) in strings_anywhere(bytes) {
            // Source lines and file names of debug information are no text of the interface.
            if !has_cjk(&text) || text.starts_with("import ") || text.ends_with(".ets") || text.len() > left {
                continue;
            }
            left -= text.len();
            let place = Place::offset(place.path.clone(), u64::from(offset));
            inspection.texts.push(UiText::new(text, Role::Code, place));
        }
        ark::Linked::default()
    }

    fn manifest_texts(
        &self,
        manifest: &Manifest,
        table: Option<&Table<'_>>,
        used: &mut HashSet<u32>,
        inspection: &mut Inspection,
    ) {
        let name = if manifest.stage { STAGE } else { FA };
        let place = self.place(name);
        for (text, role, key, ability) in &manifest.texts {
            let base = UiText {
                usage: Usage::Used,
                key: Some((*key).to_owned()),
                ..UiText::new("", *role, place.clone())
            };
            let mut base = UiText { chain: vec![place.path.to_string()], ..base };
            base.chain.extend(ability.clone());
            let resource = table.and_then(|table| Some((table, table.reference(text)?)));
            let Some((table, id)) = resource else {
                if !text.starts_with('$') {
                    inspection.texts.push(UiText { text: text.clone(), ..base });
                }
                continue;
            };
            used.insert(id);
            for value in table.resource(id) {
                let Some(text) = table.resolve(&value.text()) else { continue };
                let locale = table.locale(value).map(str::to_owned);
                let mut chain = base.chain.clone();
                chain.insert(0, format!("$string:{}", value.name));
                let place = Place::resource(self.path(TABLE), id);
                inspection.texts.push(UiText { text, locale, chain, place, ..base.clone() });
            }
        }
        for ability in &manifest.abilities {
            inspection.facts.push(Fact::new(FactKind::Component, ability.clone(), place.clone()));
        }
        for permission in &manifest.permissions {
            inspection.facts.push(Fact::new(FactKind::Permission, permission.clone(), place.clone()));
        }
    }

    /// Texts of the table that nothing was seen to use.
    fn rest(&self, table: Option<&Table<'_>>, used: &HashSet<u32>, sure: bool, inspection: &mut Inspection) {
        let Some(table) = table else { return };
        let path = self.path(TABLE);
        for value in table.values().iter().filter(|value| !used.contains(&value.id)) {
            if !matches!(value.kind, Kind::String | Kind::StringArray | Kind::Plural) {
                continue;
            }
            for text in value.texts() {
                if text.trim().is_empty() || text.starts_with('$') {
                    continue;
                }
                let mut found = UiText::new(text, Role::Resource, Place::resource(path.clone(), value.id));
                found.key = Some(format!("{}/{}", value.kind.word(), value.name));
                found.locale = table.locale(value).map(str::to_owned);
                found.usage = if sure { Usage::Unreferenced } else { Usage::Unknown };
                inspection.texts.push(found);
            }
        }
    }
}

/// Whether bytes are so evenly spread that they must be encrypted or packed.
fn looks_random(bytes: &[u8]) -> bool {
    let sample = &bytes[..bytes.len().min(1 << 16)];
    sample.len() >= 1024 && entropy::bits_per_byte(sample) > 7.5
}

fn strings(json: Option<&Json>) -> impl Iterator<Item = String> + '_ {
    json.and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).map(str::to_owned)
}

fn text(json: &Json, key: &str) -> Option<String> {
    json.get(key).and_then(Json::as_str).map(str::to_owned).filter(|text| !text.is_empty())
}

/// Labels and such of one object of a manifest.
fn labels(json: &Json, ability: Option<&str>, manifest: &mut Manifest) {
    if let Some(label) = text(json, "label") {
        manifest.texts.push((label, Role::Title, "label", ability.map(str::to_owned)));
    }
}

fn permissions(list: Option<&Json>, manifest: &mut Manifest) {
    for permission in list.and_then(Json::as_array).into_iter().flatten() {
        let Some(name) = text(permission, "name") else { continue };
        if let Some(reason) = text(permission, "reason") {
            manifest.texts.push((reason, Role::Message, "reason", Some(name.clone())));
        }
        manifest.permissions.push(name);
    }
}

/// `module.json` of the stage model.
fn stage(json: &Json, resolve: &dyn Fn(&Json, &str) -> Option<String>) -> Manifest {
    let mut manifest = Manifest { stage: true, ..Manifest::default() };
    let (app, module) = (&json["app"], &json["module"]);
    labels(app, None, &mut manifest);
    let mut main = None;
    let kind = text(module, "type").unwrap_or_default();
    for (list, shown) in [("abilities", true), ("extensionAbilities", false)] {
        for ability in module[list].as_array().into_iter().flatten() {
            let Some(name) = text(ability, "name") else { continue };
            if shown {
                labels(ability, Some(&name), &mut manifest);
                if text(module, "mainElement").as_deref() == Some(&name) || main.is_none() {
                    main = resolve(ability, "label").or(main);
                }
            }
            manifest.entries.extend(text(ability, "srcEntry").or_else(|| text(ability, "srcEntrance")));
            manifest.abilities.push(name);
        }
    }
    manifest.codeless = manifest.abilities.is_empty();
    manifest.profiles.extend(text(module, "pages"));
    manifest.profiles.extend(text(module, "routerMap"));
    manifest.entries.extend(text(module, "srcEntry").or_else(|| text(module, "srcEntrance")));
    permissions(module.get("requestPermissions"), &mut manifest);
    manifest.identity = Identity {
        id: text(app, "bundleName"),
        name: resolve(app, "label").or(main),
        version: text(app, "versionName"),
        code: app["versionCode"].as_u64(),
        entry: kind == "entry",
    };
    manifest
}

/// `config.json` of the FA model.
fn fa(json: &Json, resolve: &dyn Fn(&Json, &str) -> Option<String>) -> Manifest {
    let mut manifest = Manifest::default();
    let (app, module) = (&json["app"], &json["module"]);
    let main = text(module, "mainAbility");
    let mut name = None;
    for ability in module["abilities"].as_array().into_iter().flatten() {
        let Some(class) = text(ability, "name") else { continue };
        labels(ability, Some(&class), &mut manifest);
        if main.as_deref() == Some(&class) || name.is_none() {
            name = resolve(ability, "label").or(name);
        }
        manifest.entries.extend(text(ability, "srcPath").map(|path| format!("{path}/app")));
        manifest.abilities.push(class);
    }
    for script in module["js"].as_array().into_iter().flatten() {
        manifest.pages.extend(strings(script.get("pages")));
    }
    permissions(module.get("reqPermissions").or(module.get("requestPermissions")), &mut manifest);
    let version = &app["version"];
    manifest.identity = Identity {
        id: text(app, "bundleName"),
        name: resolve(app, "label").or(name),
        version: text(version, "name"),
        code: version["code"].as_u64(),
        entry: module["distro"]["moduleType"].as_str().is_none_or(|kind| kind == "entry"),
    };
    manifest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Verdict;

    fn unresolved(json: &Json, key: &str) -> Option<String> {
        text(json, key)
    }

    #[test]
    fn both_manifests_are_read() {
        let json = serde_json::json!({
            "app": {"bundleName": "cn.gov.example.grid", "versionCode": 1000000, "versionName": "1.0.0", "label": "网格"},
            "module": {"name": "entry", "type": "entry", "mainElement": "EntryAbility", "pages": "$profile:main_pages",
                "abilities": [{"name": "EntryAbility", "label": "网格通", "srcEntry": "./ets/entryability/EntryAbility.ets"}],
                "extensionAbilities": [{"name": "Backup", "label": "备份"}],
                "requestPermissions": [{"name": "ohos.permission.LOCATION", "reason": "用于打卡"}]}
        });
        let found = stage(&json, &unresolved);
        assert_eq!(found.identity.id.as_deref(), Some("cn.gov.example.grid"));
        assert_eq!(found.identity.name.as_deref(), Some("网格"));
        assert_eq!(found.identity.code, Some(1_000_000));
        assert_eq!(found.permissions, ["ohos.permission.LOCATION"]);
        assert_eq!(found.profiles, ["$profile:main_pages"]);
        assert_eq!(found.abilities, ["EntryAbility", "Backup"]);
        let texts: Vec<_> = found.texts.iter().map(|(text, role, ..)| (text.as_str(), *role)).collect();
        assert_eq!(texts, [("网格", Role::Title), ("网格通", Role::Title), ("用于打卡", Role::Message)]);

        let json = serde_json::json!({
            "app": {"bundleName": "cn.gov.example.old", "version": {"code": 3, "name": "1.2"}},
            "module": {"mainAbility": ".MainAbility", "distro": {"moduleType": "entry"},
                "abilities": [{"name": ".MainAbility", "label": "旧版"}],
                "js": [{"name": "default", "pages": ["pages/index/index", "pages/sign/sign"]}],
                "reqPermissions": [{"name": "ohos.permission.CAMERA"}]}
        });
        let found = fa(&json, &unresolved);
        assert_eq!(found.identity.name.as_deref(), Some("旧版"));
        assert_eq!(found.identity.version.as_deref(), Some("1.2"));
        assert_eq!(found.pages, ["pages/index/index", "pages/sign/sign"]);
        assert_eq!(found.permissions, ["ohos.permission.CAMERA"]);
    }

    #[test]
    fn manifests_of_any_shape_are_read() {
        for json in ["null", "[]", "{\"app\":[],\"module\":7}", "{\"module\":{\"abilities\":{\"name\":1}}}"] {
            let json: Json = serde_json::from_str(json).unwrap();
            assert!(stage(&json, &unresolved).abilities.is_empty());
            assert!(fa(&json, &unresolved).abilities.is_empty());
        }
    }

    /// The entries of a built fixture.
    fn entries(package: &str) -> Vec<(String, Vec<u8>)> {
        let path = format!("{}/fixtures/built/{package}", env!("CARGO_MANIFEST_DIR"));
        let (archive, _) = Archive::open(Blob::memory(std::fs::read(path).unwrap())).unwrap();
        let read = |entry: &Entry| (entry.name.to_string(), archive.read(entry).unwrap().0);
        archive.entries().iter().map(read).collect()
    }

    fn packed(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, bytes) in entries {
            writer.start_file(name.as_str(), zip::write::SimpleFileOptions::default()).unwrap();
            std::io::Write::write_all(&mut writer, bytes).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    fn inspected(bytes: Vec<u8>) -> Result<Inspection, FormatError> {
        let source = crate::format::Source { blob: Blob::memory(bytes), name: String::new() };
        crate::format::inspect(source, &crate::format::Options::default(), &crate::format::Silent)
    }

    /// The fixture with one entry replaced, or without it.
    fn with(name: &str, content: Option<&[u8]>) -> Inspection {
        let mut entries = entries("volunteer.hap");
        entries.retain(|(entry, _)| entry != name);
        entries.extend(content.map(|content| (name.to_owned(), content.to_vec())));
        inspected(packed(&entries)).unwrap()
    }

    fn gap(found: &Inspection, part: PartName, reason: GapReason) -> bool {
        found.coverage().gaps.iter().any(|gap| gap.part == part && gap.reason == reason && gap.material)
    }

    #[test]
    fn what_is_missing_or_broken_is_a_gap() {
        let code = "ets/modules.abc";
        let found = with(code, None);
        assert!(gap(&found, PartName::Dex, GapReason::Missing));
        assert_eq!(found.coverage().verdict, Verdict::Opaque);
        let found = with(STAGE, Some(b"{"));
        assert!(gap(&found, PartName::Manifest, GapReason::Malformed));
        let found = with(TABLE, Some(b"Restool"));
        assert!(gap(&found, PartName::Resources, GapReason::Malformed));
        let found = with("resources/base/profile/main_pages.json", None);
        assert!(gap(&found, PartName::Manifest, GapReason::Missing));
        let found = with(code, Some(b"PANDA\0\0\0"));
        assert!(gap(&found, PartName::Dex, GapReason::Truncated));
        assert_eq!(found.coverage().verdict, Verdict::Opaque);
    }

    #[test]
    fn strings_of_an_unknown_version_are_kept() {
        let code = "ets/modules.abc";
        let mut bytes = entries("volunteer.hap").into_iter().find(|(name, _)| name == code).unwrap().1;
        bytes[12] = 77;
        let found = with(code, Some(&bytes));
        assert!(gap(&found, PartName::Dex, GapReason::UnsupportedFormat));
        assert_eq!(found.coverage().verdict, Verdict::Opaque);
        let text = found.texts.iter().find(|text| text.text == "投诉建议").unwrap();
        assert_eq!(text.usage, Usage::Unknown);
    }

    #[test]
    fn a_signature_block_is_seen() {
        let unsigned = packed(&entries("volunteer.hap"));
        let has =
            |found: &Inspection| found.anomalies().iter().any(|anomaly| anomaly.code == "signature.missing");
        assert!(has(&inspected(unsigned.clone()).unwrap()));
        let end = unsigned.len() - 22;
        let directory = u32::from_le_bytes(unsigned[end + 16..end + 20].try_into().unwrap()) as usize;
        let mut block = vec![0; 32];
        block[12..28].copy_from_slice(b"<hap sign block>");
        block[28] = 3;
        let mut signed = unsigned;
        signed[end + 16..end + 20].copy_from_slice(&(directory as u32 + 32).to_le_bytes());
        signed.splice(directory..directory, block);
        let found = inspected(signed).unwrap();
        assert!(!has(&found));
        assert!(found.coverage().gaps.iter().any(|gap| gap.part == PartName::Container && !gap.material));
    }

    #[test]
    fn cut_packages_end() {
        for package in ["volunteer.hap", "party-school.app"] {
            let path = format!("{}/fixtures/built/{package}", env!("CARGO_MANIFEST_DIR"));
            let bytes = std::fs::read(path).unwrap();
            for length in (0..bytes.len()).step_by(61) {
                if let Ok(found) = inspected(bytes[..length].to_vec()) {
                    assert!(found.has_gaps(), "{package} cut to {length} bytes");
                }
            }
        }
    }
}
