//! Android App Bundles: the base module and every feature module are read and linked as one app. Manifest, resource
//! table and layouts are protocol buffers.
//!
//! Layout: <https://developer.android.com/guide/app-bundle/app-bundle-format>.

use super::apk::{self, Form, Part};
use super::unit::state;
use super::{Format, FormatError, Probe, Progress};
use crate::decode::archive::Archive;
use crate::model::{GapReason, Inspection, PartName, Place, TargetKind};

const CONFIG: &str = "BundleConfig.pb";
/// Behind the folder of a module.
const MANIFEST: &str = "/manifest/AndroidManifest.xml";
const BASE: &str = "base/";
/// More modules than this are not read.
const MAX_MODULES: usize = 256;

/// AAB.
pub const FORMAT: Format = Format {
    name: "aab",
    title: ("Android 应用包", "Android app bundle"),
    endings: &["aab"],
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
    let has = |name: &str| archive.entry(name).is_some();
    has("base/manifest/AndroidManifest.xml")
        || has(CONFIG) && (has("base/resources.pb") || has("base/dex/classes.dex"))
}

/// The folders of the modules, the base's first.
fn modules(archive: &Archive) -> Vec<String> {
    let mut folders: Vec<String> = archive
        .entries()
        .iter()
        .filter_map(|entry| entry.name.strip_suffix(MANIFEST))
        .filter(|module| !module.contains('/'))
        .map(|module| format!("{module}/"))
        .filter(|folder| folder != BASE)
        .collect();
    folders.sort();
    folders.dedup();
    folders.insert(0, BASE.to_owned());
    folders
}

fn inspect(probe: Probe, progress: &dyn Progress) -> Result<Inspection, FormatError> {
    let Probe { archive: Some((archive, issues)), nest, .. } = probe else {
        return Err(FormatError::Broken { format: FORMAT.name, cause: "no archive".into() });
    };
    let mut inspection = Inspection::new(TargetKind::App, FORMAT.name);
    state(&mut inspection, PartName::Container, &Place::entry(""), issues);
    let mut folders = modules(&archive);
    if folders.len() > MAX_MODULES {
        let detail = (
            format!("超过 {MAX_MODULES} 个模块，其余未检视"),
            format!("more than {MAX_MODULES} modules; the rest is not read"),
        );
        inspection.gap(
            PartName::Container,
            &Place::entry(&*folders[MAX_MODULES]),
            GapReason::LimitReached,
            detail,
        );
        folders.truncate(MAX_MODULES);
    }
    let part = |folder| Part { archive: &archive, outer: "", folder, form: Form::Proto };
    let parts: Vec<Part<'_>> = folders.iter().map(|folder| part(folder.as_str())).collect();
    let mut manifests =
        parts.iter().map(|part| apk::read_manifest(*part, &mut inspection)).collect::<Vec<_>>().into_iter();
    let mut manifest = manifests.next().flatten();
    if let Some(manifest) = &mut manifest {
        manifests.flatten().for_each(|module| manifest.absorb(module));
    }
    apk::read_app(&parts, manifest, &nest, progress, &mut inspection);
    apk::read_signers(parts[0], &mut inspection);
    Ok(inspection)
}
