//! Web packages of uni-app and HTML5+ (`.wgt`): `manifest.json` and the compiled pages; and what updates one
//! (`.wgtu`): `update.xml` and the changed files under `www/`.
//!
//! Layout: <https://uniapp.dcloud.net.cn/collocation/manifest.html>, <https://www.dcloud.io/docs/api/zh_cn/runtime.html>
//! (`plus.runtime.install`).

use serde_json::Value;

use super::unit::state;
use super::{Format, FormatError, Probe, Progress, tree, web};
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
    let place = if is_update(&archive) {
        let detail = (
            "升级包只含有改动的文件，其余未提供",
            "an update holds what has changed; the rest was not given",
        );
        inspection.gap(PartName::Container, &Place::entry(UPDATE), GapReason::Missing, detail);
        format!("{UPDATED}{MANIFEST}")
    } else {
        MANIFEST.to_owned()
    };
    if !is_update(&archive) || archive.entry(&place).is_some() {
        let json = tree::manifest(&archive, &place, &mut inspection);
        let identity = &mut inspection.identity;
        identity.id = tree::text(&json["id"]);
        identity.name = tree::text(&json["name"]);
        identity.version = tree::text(&json["version"]["name"]);
        identity.version_code = number(&json["version"]["code"]);
        permissions(&json, &place, &mut inspection);
    }
    tree::read_files(&archive, &[&place, UPDATE], &web::read_text_asset, &nest, progress, &mut inspection);
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

/// A number, written as one or as text.
fn number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}
