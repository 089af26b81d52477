//! Pages of a web site or H5 app without a package around them: a folder with pages at its top, or a ZIP archive of
//! pages. Scripts that pages name and that are not there, and pages that only lead to an address, are gaps.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use regex_lite::Regex;

use super::tree::{self, Texts};
use super::unit::state;
use super::{Format, FormatError, Probe, Progress, web};
use crate::decode::archive::{Archive, Entry};
use crate::decode::html;
use crate::model::{GapReason, Inspection, PartName, Place, Role, TargetKind};

/// Tags of scripts are shorter.
const MAX_TAG: usize = 1024;
/// So many scripts of one page are looked for.
const MAX_SCRIPTS: usize = 256;
/// Pages that only lead elsewhere are short.
const MAX_SHELL: usize = 256 << 10;
/// And have hardly a text of their own.
const MAX_SHELL_TEXTS: usize = 2;

/// Pages.
pub const FORMAT: Format = Format {
    name: "h5",
    title: ("H5 页面（文件夹或 ZIP）", "web pages (folder or ZIP)"),
    endings: &["zip"],
    parts: &[PartName::Container, PartName::Js, PartName::Text],
    matches,
    inspect,
};

fn matches(probe: &Probe) -> bool {
    let Some((archive, _)) = &probe.archive else { return false };
    // Within an app they are a part of it, and read as such.
    let anywhere = !archive.is_folder() && !probe.nest.is_inside();
    archive.entries().iter().any(|entry| is_page(&entry.name) && (anywhere || is_top(archive, entry)))
}

fn is_top(archive: &Archive, entry: &Entry) -> bool {
    archive.is_folder() && !entry.name.contains('/')
}

fn is_page(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    [".html", ".htm", ".xhtml"].iter().any(|ending| lower.ends_with(ending))
}

fn inspect(probe: Probe, progress: &dyn Progress) -> Result<Inspection, FormatError> {
    let Probe { archive: Some((archive, issues)), nest, .. } = probe else {
        return Err(FormatError::Broken { format: FORMAT.name, cause: "no archive".into() });
    };
    let mut inspection = Inspection::new(TargetKind::App, FORMAT.name);
    state(&mut inspection, PartName::Container, &Place::entry(""), issues);
    let index = index(&archive);
    let shells = AtomicUsize::new(0);
    let read_texts = |files: &Texts, inspection: &mut Inspection| {
        web::read_app(files, inspection);
        let mut shown: HashMap<Arc<str>, usize> = HashMap::new();
        for text in inspection.texts.iter().filter(|text| text.role < Role::Code) {
            *shown.entry(text.place.path.clone()).or_default() += 1;
        }
        for (path, bytes) in files.iter().filter(|(path, _)| is_page(path)) {
            let shown = shown.get(path).copied().unwrap_or_default();
            if elsewhere(&archive, path, bytes, shown, inspection) {
                shells.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    tree::read_files(&archive, &[], &read_texts, &nest, progress, &mut inspection);
    let pages = archive.entries().iter().filter(|entry| is_page(&entry.name)).count();
    if shells.into_inner() == pages {
        inspection.opaque();
    }
    if let Some(entry) = index
        && let Ok((bytes, _)) = archive.read(entry)
    {
        inspection.identity.name =
            html::read(&html::decode(&bytes)).title.filter(|title| !title.trim().is_empty());
    }
    Ok(inspection)
}

/// The page that a visitor gets first: the nearest to the top that is named so, else the first page.
fn index(archive: &Archive) -> Option<&Entry> {
    let pages = archive.entries().iter().filter(|entry| is_page(&entry.name));
    pages.min_by_key(|entry| {
        let file = entry.name.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
        let named = file.starts_with("index.") || file.starts_with("default.");
        (!named, entry.name.matches('/').count(), entry.name.clone())
    })
}

/// The address in the tag of a script.
static SCRIPT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?i)\bsrc\s*=\s*["']?([^"'\s>]+)"#).ok());
/// What leads a visitor elsewhere.
static LEADS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    [
        r#"(?i)<i?frame\b[^>]*\bsrc\s*=\s*["']?((?:https?:)?//[^"'\s>]+)"#,
        r#"(?i)<meta\b[^>]*\bhttp-equiv\s*=\s*["']?refresh\b[^>]*\burl\s*=\s*['"]?((?:https?:)?//[^"'\s>]+)"#,
        r#"\blocation(?:\.href)?\s*=\s*["'`]((?:https?:)?//[^"'`\s]+)"#,
        r#"\blocation\.(?:replace|assign)\(\s*["'`]((?:https?:)?//[^"'`\s]+)"#,
    ]
    .iter()
    .filter_map(|pattern| Regex::new(pattern).ok())
    .collect()
});

/// States what of a page is somewhere else: scripts that are not there, or all of it, which is told.
fn elsewhere(archive: &Archive, path: &str, bytes: &[u8], shown: usize, inspection: &mut Inspection) -> bool {
    let source = html::decode(bytes.get(..MAX_SHELL).unwrap_or(bytes));
    let place = Place::entry(path);
    let (mut own, mut remote) = (false, Vec::new());
    for tag in scripts(&source).take(MAX_SCRIPTS) {
        let found = SCRIPT.as_ref().and_then(|pattern| pattern.captures(tag)?.get(1));
        let Some(address) = found.map(|found| found.as_str()) else { continue };
        if address.starts_with("http:") || address.starts_with("https:") || address.starts_with("//") {
            remote.push(address.to_owned());
        } else if is_there(archive, path, address) {
            own = true;
        } else if !address.contains("{{") && !address.starts_with("data:") {
            inspection.unread(PartName::Js);
            let detail = (
                format!("页面引用的脚本 {address} 不在其中"),
                format!("the page loads {address}, which is not there"),
            );
            inspection.gap(PartName::Js, &place, GapReason::Missing, detail);
        }
    }
    if bytes.len() > MAX_SHELL || shown > MAX_SHELL_TEXTS || own {
        return false;
    }
    let leads = LEADS.iter().filter_map(|pattern| pattern.captures(&source)?.get(1));
    remote.extend(leads.map(|found| found.as_str().to_owned()));
    let shell = !remote.is_empty();
    if shell {
        let addresses = remote.join(", ");
        let detail = (
            format!("页面内容来自 {addresses}，不在其中"),
            format!("the content of the page comes from {addresses}"),
        );
        inspection.unread(PartName::Text);
        inspection.gap(PartName::Text, &place, GapReason::Remote, detail);
    }
    shell
}

/// The opening tags of scripts.
fn scripts(source: &str) -> impl Iterator<Item = &str> {
    const NAME: usize = "script".len();
    source.match_indices('<').filter_map(|(at, _)| {
        let rest = source.get(at + 1..)?;
        rest.get(..NAME).filter(|name| name.eq_ignore_ascii_case("script"))?;
        let end = rest.bytes().take(MAX_TAG).position(|byte| byte == b'>')?;
        rest.get(NAME..end)
    })
}

/// Whether a page's script is among the files. The root of the site may be any folder above the page.
fn is_there(archive: &Archive, page: &str, address: &str) -> bool {
    let address = address.split(['?', '#']).next().unwrap_or_default();
    let from_root = address.starts_with('/');
    let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = if from_root { Vec::new() } else { folder.split('/').collect() };
    for part in address.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    let wanted = parts.join("/");
    let wanted = wanted.trim_start_matches('/');
    if archive.entry(wanted).is_some() {
        return true;
    }
    let mut roots = page.match_indices('/').map(|(at, _)| page.get(..=at).unwrap_or_default());
    from_root && roots.any(|root| archive.entry(&format!("{root}{wanted}")).is_some())
}
