//! Several APKs in one archive that are one app: XAPK (`manifest.json`), APKM (`info.json`) and APKS (`toc.pb` of
//! bundletool, or the bare names of the splits). The base package and all splits are read and linked as one.
//!
//! No format of these is specified but bundletool's: `src/main/proto/commands.proto`,
//! <https://developer.android.com/tools/bundletool#generate_apks>.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value as Json;

use super::apk::{self, Form, Part};
use super::nested;
use super::unit::{count, state};
use super::{Format, FormatError, Probe, Progress};
use crate::decode::archive::{Archive, Entry};
use crate::link::android::manifest::Manifest;
use crate::model::{GapReason, Inspection, PartName, Place, TargetKind};

/// More packages than this are not opened.
const MAX_PACKAGES: usize = 256;
/// Packages that are not stored in place are held in memory, together at most this many bytes.
const MAX_HELD: u64 = 512 << 20;
/// Metadata is never longer.
const MAX_METADATA: u64 = 1 << 20;

/// XAPK, APKM and APKS; which of them is told by the inspection.
pub const FORMAT: Format = Format {
    name: "apks",
    title: ("Android 拆分安装包", "split Android packages"),
    endings: &["xapk", "apks", "apkm"],
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
    probe.archive.as_ref().is_some_and(|(archive, _)| kind(archive).is_some())
}

/// Which kind of set an archive is. One that merely holds packages is none.
fn kind(archive: &Archive) -> Option<&'static str> {
    let has = |name: &str| archive.entry(name).is_some();
    let mut packages = archive.entries().iter().filter(|entry| is_package(entry)).peekable();
    packages.peek()?;
    if has("AndroidManifest.xml") || has("classes.dex") || has("resources.arsc") {
        None
    } else if describes(archive, "manifest.json", &["xapk_version", "split_apks", "package_name"]) {
        Some("xapk")
    } else if describes(archive, "info.json", &["apkm_version", "pname"]) {
        Some("apkm")
    } else if has("toc.pb")
        || packages.any(|entry| {
            rank(entry).is_some() || file(entry).starts_with("split_") || entry.name.starts_with("splits/")
        })
    {
        Some("apks")
    } else {
        None
    }
}

/// Whether a description of the set is there: other things have files of that name too.
fn describes(archive: &Archive, path: &str, keys: &[&str]) -> bool {
    metadata(archive, path).is_some_and(|json| keys.iter().any(|key| json.get(key).is_some()))
}

fn metadata(archive: &Archive, path: &str) -> Option<Json> {
    let entry = archive.entry(path).filter(|entry| entry.size <= MAX_METADATA)?;
    serde_json::from_slice(&archive.read(entry).ok()?.0).ok()
}

fn is_package(entry: &Entry) -> bool {
    entry.name.to_ascii_lowercase().ends_with(".apk")
}

fn file(entry: &Entry) -> &str {
    entry.name.rsplit('/').next().unwrap_or(&entry.name)
}

/// The order in which names speak for the base package; `None` for a name that says nothing.
fn rank(entry: &Entry) -> Option<u8> {
    match file(entry) {
        "base.apk" => Some(0),
        "base-master.apk" => Some(1),
        "universal.apk" => Some(2),
        name if name.starts_with("base-master") => Some(3),
        name if name.starts_with("standalone") => Some(4),
        _ => None,
    }
}

/// One package of the set.
struct Member<'e> {
    entry: &'e Entry,
    archive: Archive,
    /// The path of the entry, with what goes between it and the names of its own entries.
    outer: String,
    manifest: Option<Manifest>,
}

impl Member<'_> {
    fn part(&self) -> Part<'_> {
        Part { archive: &self.archive, outer: &self.outer, folder: "", form: Form::Binary }
    }

    fn place(&self) -> Place {
        Place::entry(self.entry.name.clone())
    }

    fn is_base(&self) -> bool {
        self.manifest.as_ref().is_some_and(|manifest| manifest.split.is_none())
    }

    fn package(&self) -> Option<&str> {
        self.manifest.as_ref().map(|manifest| manifest.package.as_str())
    }
}

fn inspect(probe: Probe, progress: &dyn Progress) -> Result<Inspection, FormatError> {
    let Probe { archive: Some((archive, issues)), nest, .. } = probe else {
        return Err(FormatError::Broken { format: FORMAT.name, cause: "no archive".into() });
    };
    let mut inspection = Inspection::new(TargetKind::App, kind(&archive).unwrap_or(FORMAT.name));
    state(&mut inspection, PartName::Container, &Place::entry(""), issues);
    let mut members = open(&archive, &nest, &mut inspection);
    if members.is_empty() {
        return Err(FormatError::Broken {
            format: inspection.format,
            cause: "none of its packages can be opened".into(),
        });
    }
    let declared = Declared::read(&archive, &mut inspection);

    members.sort_by_cached_key(|member| {
        let named = member.package().is_some_and(|id| file(member.entry) == format!("{id}.apk"));
        let other = declared.package.as_deref().is_some_and(|id| member.package() != Some(id));
        let rank = rank(member.entry).or(named.then_some(5)).unwrap_or(6);
        (!member.is_base(), other, rank, std::cmp::Reverse(member.entry.size), member.entry.name.clone())
    });
    let package = members[0].package().map(str::to_owned);
    let (members, others): (Vec<Member<'_>>, Vec<Member<'_>>) = members
        .into_iter()
        .partition(|member| member.package().is_none() || member.package() == package.as_deref());
    declared.compare(&archive, &members, &mut inspection);
    state_bases(&members, &mut inspection);
    for other in &others {
        let detail = format!("another app, {}", other.package().unwrap_or_default());
        inspection.anomaly("package.several-apps", &other.place(), detail);
        nested::read(&archive, other.entry, &other.entry.name, &nest, &mut inspection);
    }
    beside(&archive, &nest, &mut inspection);

    let mut manifests = members.iter().filter_map(|member| member.manifest.clone());
    let mut manifest = manifests.next();
    if let Some(manifest) = &mut manifest {
        manifests.for_each(|split| manifest.absorb(split));
    }
    let parts: Vec<Part<'_>> = members.iter().map(Member::part).collect();
    apk::read_app(&parts, manifest, &nest, progress, &mut inspection);
    apk::read_signers(parts[0], &mut inspection);
    compare_signers(&members, &mut inspection);
    Ok(inspection)
}

/// Opens the packages of the set; one that cannot be opened is a gap.
fn open<'e>(archive: &'e Archive, nest: &nested::Nest, inspection: &mut Inspection) -> Vec<Member<'e>> {
    let mut members = Vec::new();
    let mut held = 0;
    for (index, entry) in archive.entries().iter().filter(|entry| is_package(entry)).enumerate() {
        let place = Place::entry(entry.name.clone());
        if !entry.is_stored() {
            held += entry.size;
        }
        let opened = if index >= MAX_PACKAGES || held > MAX_HELD {
            let detail = format!(
                "more than {MAX_PACKAGES} packages, or more than {MAX_HELD} bytes of compressed ones"
            );
            Err((GapReason::LimitReached, detail))
        } else {
            let content = archive.content(entry).map_err(|unread| (unread.reason, unread.detail));
            content.and_then(|(blob, mut issues)| {
                let inner = Archive::open_within(blob, nest.budget.clone());
                let (inner, more) = inner.map_err(|error| (GapReason::Malformed, error.to_string()))?;
                issues.extend(more);
                Ok((inner, issues))
            })
        };
        match opened {
            Ok((inner, issues)) => {
                count(inspection, PartName::Container, &place, issues);
                let outer = format!("{}!", entry.name);
                let part = Part { archive: &inner, outer: &outer, folder: "", form: Form::Binary };
                let manifest = apk::read_manifest(part, inspection);
                members.push(Member { entry, archive: inner, outer, manifest });
            }
            Err((reason, cause)) => {
                inspection.unread(PartName::Container);
                let detail = (
                    format!("拆分包无法打开：{cause}"),
                    format!("a package of the set cannot be opened: {cause}"),
                );
                inspection.gap(PartName::Container, &place, reason, detail);
            }
        }
    }
    members
}

/// The base must be there, and once.
fn state_bases(members: &[Member<'_>], inspection: &mut Inspection) {
    if !members.first().is_some_and(Member::is_base) {
        let detail = ("缺少基础安装包，只有拆分包", "the base package is missing, there are only splits");
        inspection.unread(PartName::Container);
        inspection.gap(PartName::Container, &Place::entry("base.apk"), GapReason::Missing, detail);
        inspection.opaque();
    }
    for member in members.iter().skip(1).filter(|member| member.is_base()) {
        let detail = "another package without a split name; it is read too";
        inspection.anomaly("package.several-bases", &member.place(), detail);
    }
}

/// What lies beside the packages: expansion files, and archives under any name.
fn beside(archive: &Archive, nest: &nested::Nest, inspection: &mut Inspection) {
    let known = |entry: &Entry| {
        let name = file(entry).to_ascii_lowercase();
        let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
        is_package(entry)
            || name.is_empty()
            || matches!(extension, "json" | "png" | "jpg" | "webp" | "pb" | "mf" | "sf" | "rsa")
    };
    for entry in archive.entries().iter().filter(|entry| !known(entry)) {
        if archive.head(entry, 4) == b"PK\x03\x04" {
            nested::read(archive, entry, &entry.name, nest, inspection);
        } else {
            inspection.unread(PartName::Other);
            let detail = ("安装包旁的文件，类型不明", "a file of no known kind beside the packages");
            inspection.note(
                PartName::Other,
                &Place::entry(entry.name.clone()),
                GapReason::NotInspected,
                detail,
            );
        }
    }
}

/// Splits that somebody else signed than the base are not of the same app.
fn compare_signers(members: &[Member<'_>], inspection: &mut Inspection) {
    let signers = |member: &Member<'_>| apk::signer_digests(member.part());
    let Some((base, splits)) = members.split_first() else { return };
    let expected = signers(base);
    for split in splits.iter().filter(|split| signers(split) != expected) {
        inspection.anomaly("signature.split-differs", &split.place(), "not signed as the base package is");
    }
}

/// What the metadata of the set says of it.
#[derive(Debug, Default)]
struct Declared {
    path: &'static str,
    package: Option<String>,
    files: BTreeSet<String>,
}

impl Declared {
    fn read(archive: &Archive, inspection: &mut Inspection) -> Declared {
        let path = if archive.entry("manifest.json").is_some() { "manifest.json" } else { "info.json" };
        let mut declared = Declared { path, ..Declared::default() };
        let Some(json) = metadata(archive, path) else {
            if archive.entry(path).is_some() {
                let detail = "the description of the set cannot be read";
                inspection.anomaly("package.bad-metadata", &Place::entry(path), detail);
            }
            return declared;
        };
        let id = json.get("package_name").or_else(|| json.get("pname"));
        declared.package = id.and_then(Json::as_str).map(str::to_owned);
        let splits = json.get("split_apks").and_then(Json::as_array).into_iter().flatten();
        let expansions = json.get("expansions").and_then(Json::as_array).into_iter().flatten();
        let splits =
            splits.filter_map(|split| split.get("file")).chain(expansions.filter_map(|obb| obb.get("file")));
        declared.files = splits.filter_map(Json::as_str).map(str::to_owned).collect();
        declared
    }

    /// States what is not as it says.
    fn compare(&self, archive: &Archive, members: &[Member<'_>], inspection: &mut Inspection) {
        let place = Place::entry(self.path);
        let package = members.first().and_then(Member::package);
        if let (Some(declared), Some(package)) = (self.package.as_deref(), package)
            && declared != package
        {
            let detail = format!("it says {declared}, the base package is {package}");
            inspection.anomaly("package.metadata-differs", &place, detail);
        }
        for file in self.files.iter().filter(|file| archive.entry(file).is_none()) {
            let place = Place::entry(Arc::from(file.as_str()));
            inspection.unread(PartName::Container);
            let detail = ("清单所列的拆分包不在包内", "listed in the description of the set, but not in it");
            inspection.gap(PartName::Container, &place, GapReason::Missing, detail);
        }
    }
}
