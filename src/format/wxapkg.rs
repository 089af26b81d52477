//! WeChat mini programs: `app-config.json`, scripts, compiled templates, in main packages and sub-packages.

use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value;

use super::unit::{count, note_images, state};
use super::{Format, FormatError, Probe, Progress};
use crate::decode::js::Script;
use crate::decode::wxapkg::{self, File, WxapkgError};
use crate::decode::wxml_code::{self, Compiled};
use crate::link::mini_program::{self, Config, Parts};
use crate::link::script;
use crate::model::{Fact, FactKind, GapReason, Inspection, PartName, Place, TargetKind};

const CONFIG: &str = "app-config.json";
/// Mini programs are at most 30 MB with all sub-packages; what is far larger is not one.
const MAX_SIZE: u64 = 256 << 20;

/// WeChat mini program.
pub const FORMAT: Format = Format {
    name: "wxapkg",
    title: ("微信小程序", "WeChat mini program"),
    endings: &["wxapkg"],
    parts: &[PartName::Container, PartName::Manifest, PartName::Layouts, PartName::Js, PartName::Text],
    matches,
    inspect,
};

fn matches(probe: &Probe) -> bool {
    wxapkg::is_wxapkg(&probe.head)
}

fn inspect(probe: Probe, progress: &dyn Progress) -> Result<Inspection, FormatError> {
    let broken = |cause: String| FormatError::Broken { format: FORMAT.name, cause };
    if probe.blob.len() > MAX_SIZE {
        return Err(broken(format!("{} bytes, larger than any mini program", probe.blob.len())));
    }
    progress.begin(probe.blob.len());
    let bytes = probe.blob.slice(0, MAX_SIZE)?;
    let mut inspection = Inspection::new(TargetKind::MiniProgram, FORMAT.name);
    let container = Place::entry("");
    let (files, issues) = match wxapkg::read(&bytes) {
        Ok(read) => read,
        Err(WxapkgError::Encrypted) => {
            let detail = (
                "由电脑版微信加密存储，须有 appid 才能解开",
                "encrypted by the PC client; the appid is needed to open it",
            );
            inspection.unread(PartName::Container);
            inspection.gap(PartName::Container, &container, GapReason::Encrypted, detail);
            inspection.opaque();
            return Ok(inspection);
        }
        Err(error) => return Err(broken(error.to_string())),
    };
    state(&mut inspection, PartName::Container, &container, issues);

    let mut config = read_config(&bytes, &files, &mut inspection);
    let results: Vec<(Inspection, Content<'_>)> = files
        .par_iter()
        .map(|file| read_file(file, bytes.get(file.range.clone()).unwrap_or_default(), progress))
        .collect();
    let mut parts = Parts::default();
    let mut pages = Vec::new();
    for (file, (found, content)) in files.iter().zip(results) {
        inspection.absorb(found);
        let path: Arc<str> = Arc::from(&*file.name);
        if !content.compiled.templates.is_empty() {
            parts.templates.push((path.clone(), content.compiled.templates));
        }
        parts.imports.extend(content.compiled.imports);
        parts.scripts.extend(content.script.map(|script| (path, script)));
        pages.extend(content.pages);
    }
    note_images(&mut inspection, "");
    match &mut config {
        Some(config) => missing_pages(config, &files, &mut inspection),
        None => {
            // Page files stand for the list that only the main package has.
            let mut found = Config::default();
            found.add_pages(files.iter().filter_map(|file| {
                let page =
                    file.name.strip_suffix(".html").or_else(|| file.name.strip_suffix(".webview.js"))?;
                (!page.ends_with("page-frame")).then(|| page.to_owned())
            }));
            config = Some(found);
        }
    }
    parts.config = config.unwrap_or_default();
    parts.config.add_page_files(&pages, &parts.imports);
    inspection.identity.id.clone_from(&parts.config.appid);
    inspection.identity.name.clone_from(&parts.config.name);
    mini_program::link(&parts, &mut inspection);
    Ok(inspection)
}

fn read_config(bytes: &[u8], files: &[File<'_>], inspection: &mut Inspection) -> Option<Config> {
    let place = Place::entry(CONFIG);
    let Some(file) = files.iter().find(|file| file.name == CONFIG) else {
        inspection.unread(PartName::Manifest);
        let detail = (
            "没有页面清单：这是分包，或不是小程序；主包未提供，页面标题和入口无从得知",
            "no page list: a sub-package, or no mini program; without the main package titles and entries are unknown",
        );
        inspection.gap(PartName::Manifest, &place, GapReason::Missing, detail);
        return None;
    };
    match serde_json::from_slice(bytes.get(file.range.clone()).unwrap_or_default()) {
        Ok(value) => {
            inspection.read(PartName::Manifest);
            Some(Config::read(&value))
        }
        Err(error) => {
            inspection.unread(PartName::Manifest);
            inspection.gap(PartName::Manifest, &place, GapReason::Malformed, error.to_string());
            None
        }
    }
}

/// States the listed pages that are in other packages.
fn missing_pages(config: &Config, files: &[File<'_>], inspection: &mut Inspection) {
    let has = |page: &String| {
        files
            .iter()
            .any(|file| file.name.strip_prefix(page.as_str()).is_some_and(|rest| rest.starts_with('.')))
    };
    let missing: Vec<&String> = config.pages.iter().filter(|page| !has(page)).collect();
    if missing.is_empty() || files.iter().any(|file| file.name == "game.js") {
        return;
    }
    let shown: Vec<&str> = missing.iter().take(5).map(|page| page.as_str()).collect();
    let more = if missing.len() > shown.len() { " …" } else { "" };
    let (count, shown) = (missing.len(), shown.join(", "));
    let detail = (
        format!("清单中的 {count} 个页面不在本包内（分包未提供）：{shown}{more}"),
        format!("{count} listed pages are not in this package (sub-packages not given): {shown}{more}"),
    );
    inspection.unread(PartName::Layouts);
    inspection.gap(PartName::Layouts, &Place::entry(CONFIG), GapReason::Missing, detail);
}

/// What one file holds.
#[derive(Debug, Default)]
struct Content<'a> {
    compiled: Compiled,
    script: Option<Script<'a>>,
    /// Configuration of pages and components, as scripts carry it.
    pages: Vec<(String, Value)>,
}

fn read_file<'a>(file: &File<'_>, bytes: &'a [u8], progress: &dyn Progress) -> (Inspection, Content<'a>) {
    let mut inspection = Inspection::new(TargetKind::MiniProgram, FORMAT.name);
    let place = Place::entry(&*file.name);
    let extension = file.name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    let mut content = Content::default();
    match extension.as_str() {
        "js" => {
            let compiled = wxml_code::is_compiled(bytes);
            content.pages = page_files(bytes);
            let mut issues = Vec::new();
            if compiled {
                content.compiled = wxml_code::read(bytes);
                issues.append(&mut content.compiled.issues);
            }
            // Style and template files have no texts of their own beside the templates.
            if !compiled || memchr::memmem::find(bytes, b"define(").is_some() {
                let mut read = Script::read(bytes, script::FILTER);
                issues.append(&mut read.issues);
                content.script = Some(read);
            }
            count(&mut inspection, PartName::Js, &place, issues);
        }
        "html" if wxml_code::is_compiled(bytes) => {
            content.compiled = wxml_code::read(bytes);
            let issues = std::mem::take(&mut content.compiled.issues);
            count(&mut inspection, PartName::Layouts, &place, issues);
        }
        // The other pages only load their style and template function.
        "html" if memchr::memmem::find(bytes, b"generateFuncReady").is_some() => {
            inspection.read(PartName::Layouts)
        }
        "png" | "jpg" | "jpeg" | "gif" | "svg" | "webp" | "bmp" => {
            inspection.unread(PartName::Images);
            inspection.facts.push(Fact::new(FactKind::Asset, &*file.name, place));
        }
        _ if file.name == CONFIG => {}
        _ if super::web::is_text_asset(&file.name) => {
            super::web::read_text_asset(&file.name, bytes, &mut inspection)
        }
        "wasm" | "br" | "bin" | "dat" => {
            inspection.unread(PartName::Other);
            inspection.note(PartName::Other, &place, GapReason::NotInspected, ("二进制数据", "binary data"));
        }
        _ => {}
    }
    progress.advance(bytes.len() as u64);
    (inspection, content)
}

/// `__wxAppCode__['pages/a/a.json']={"navigationBarTitleText":"…"}` statements.
fn page_files(source: &[u8]) -> Vec<(String, Value)> {
    const START: &[u8] = b"__wxAppCode__['";
    let mut found = Vec::new();
    for at in memchr::memmem::find_iter(source, START) {
        let rest = source.get(at + START.len()..).unwrap_or_default();
        let Some(end) = memchr::memchr2(b'\'', b'\n', rest) else { break };
        let Some(path) = rest.get(..end).and_then(|path| path.strip_suffix(b".json")) else { continue };
        let value = rest.get(end..).and_then(|rest| rest.strip_prefix(b"']")).map(<[u8]>::trim_ascii_start);
        let Some(value) = value.and_then(|rest| rest.strip_prefix(b"=")) else { continue };
        if let Some(Ok(value)) = serde_json::Deserializer::from_slice(value).into_iter().next() {
            found.push((String::from_utf8_lossy(path).into_owned(), value));
        }
    }
    found
}
