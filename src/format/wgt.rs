//! Web packages of uni-app and HTML5+ (`.wgt`): `manifest.json` and the compiled pages; and what updates one
//! (`.wgtu`): `update.xml` and the changed files under `www/`.
//!
//! Layout: <https://uniapp.dcloud.net.cn/collocation/manifest.html>, <https://www.dcloud.io/docs/api/zh_cn/runtime.html>
//! (`plus.runtime.install`).

use serde_json::Value;

use super::tree::{self, Texts};
use super::unit::state;
use super::{Format, FormatError, Probe, Progress, web};
use crate::decode::archive::Archive;
use crate::model::{Fact, FactKind, GapReason, Inspection, PartName, Place, TargetKind};

const MANIFEST: &str = "manifest.json";
const UPDATE: &str = "update.xml";
/// Where an update keeps what it brings.
const UPDATED: &str = "www/";

/// WGT and WGTU.
pub const FORMAT: Format = Format {
    name: "wgt",
    title: ("uni-app 应用资源包", "uni-app web package"),
    endings: &["wgt", "wgtu"],
    parts: &[PartName::Container, PartName::Manifest, PartName::Js, PartName::Text],
    matches,
    inspect,
};

fn matches(probe: &Probe) -> bool {
    probe.archive.as_ref().is_some_and(|(archive, _)| is_update(archive) || is_whole(archive))
}

fn is_whole(archive: &Archive) -> bool {
    tree::peek(archive, MANIFEST).is_some_and(|json| {
        json["id"].is_string() && (json["plus"].is_object() || json["launch_path"].is_string())
    })
}

fn is_update(archive: &Archive) -> bool {
    archive.entry(UPDATE).is_some() && archive.entries().iter().any(|entry| entry.name.starts_with(UPDATED))
}

fn inspect(probe: Probe, progress: &dyn Progress) -> Result<Inspection, FormatError> {
    let Probe { archive: Some((archive, issues)), nest, .. } = probe else {
        return Err(FormatError::Broken { format: FORMAT.name, cause: "no archive".into() });
    };
    let mut inspection = Inspection::new(TargetKind::App, FORMAT.name);
    state(&mut inspection, PartName::Container, &Place::entry(""), issues);
    let mut manifest = MANIFEST.to_owned();
    if is_update(&archive) {
        manifest.insert_str(0, UPDATED);
        let detail = (
            "升级包只含有改动的文件，其余未提供",
            "an update holds what has changed; the rest was not given",
        );
        inspection.gap(PartName::Container, &Place::entry(UPDATE), GapReason::Missing, detail);
    }
    if let Some(json) = tree::peek(&archive, &manifest) {
        inspection.read(PartName::Manifest);
        permissions(&json, &manifest, &mut inspection);
    }
    let read_texts = |files: &Texts, inspection: &mut Inspection| {
        if let Some(identity) = web::read_app(files, inspection) {
            inspection.identity = identity;
        }
    };
    tree::read_files(&archive, &[UPDATE], &read_texts, &nest, progress, &mut inspection);
    Ok(inspection)
}

/// The Android permissions that the app is built with, written as elements of a manifest.
fn permissions(json: &Value, place: &str, inspection: &mut Inspection) {
    let elements = json["plus"]["distribute"]["google"]["permissions"].as_array().into_iter().flatten();
    for element in elements.filter_map(Value::as_str) {
        let name = element.split_once("android:name=").and_then(|(_, rest)| rest.split(['"', '\'']).nth(1));
        if let Some(name) = name {
            inspection.facts.push(Fact::new(FactKind::Permission, name, Place::entry(place)));
        }
    }
}
