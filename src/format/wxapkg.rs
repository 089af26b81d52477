//! WeChat mini programs: `app-config.json`, scripts, compiled templates, in main packages and sub-packages; one file,
//! or the files of one program in an archive or folder. What the PC client has encrypted is opened by the appid.

use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value;

use super::nested;
use super::picture::{self, Pictures};
use super::unit::{count, read, state};
use super::{Format, FormatError, Options, Probe, Progress};
use crate::decode::archive::{Archive, Entry};
use crate::decode::js::Script;
use crate::decode::wxapkg::{self, File, WxapkgError};
use crate::decode::wxapkg_cipher;
use crate::decode::wxml_code::{self, Compiled};
use crate::link::mini_program::{self, Config, Parts, Source};
use crate::link::script;
use crate::model::{GapReason, Inspection, PartName, Place, TargetKind, Wording};

const CONFIG: &str = "app-config.json";
/// Mini programs are at most 30 MB with all sub-packages; what is far larger is not one.
const MAX_SIZE: u64 = 256 << 20;
/// So many packages of one program are read.
const MAX_PACKAGES: usize = 64;
/// So many ids are tried on one package.
const MAX_APPIDS: usize = 8;

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
    let program = |archive| is_program(archive, &probe.name, &probe.nest.options);
    wxapkg::is_wxapkg(&probe.head) || probe.archive.as_ref().is_some_and(|(archive, _)| program(archive))
}

fn inspect(probe: Probe, progress: &dyn Progress) -> Result<Inspection, FormatError> {
    if let Some((archive, issues)) = probe.archive {
        let mut inspection = Inspection::new(TargetKind::MiniProgram, FORMAT.name);
        state(&mut inspection, PartName::Container, &Place::entry(""), issues);
        inspect_program(&archive, &probe.name, &probe.nest.options, progress, &mut inspection);
        return Ok(inspection);
    }
    if probe.blob.len() > MAX_SIZE {
        let cause = format!("{} bytes, larger than any mini program", probe.blob.len());
        return Err(FormatError::Broken { format: FORMAT.name, cause });
    }
    progress.begin(probe.blob.len());
    let bytes = probe.blob.slice(0, MAX_SIZE)?;
    let mut inspection = Inspection::new(TargetKind::MiniProgram, FORMAT.name);
    match open(bytes, &probe.name, &probe.nest.options) {
        Ok((bytes, appid)) => {
            let broken =
                |error: WxapkgError| FormatError::Broken { format: FORMAT.name, cause: error.to_string() };
            let (files, issues) = wxapkg::read(&bytes).map_err(broken)?;
            state(&mut inspection, PartName::Container, &Place::entry(""), issues);
            read_package(&bytes, &files, &Around::default(), &probe.nest.options, progress, &mut inspection);
            inspection.identity.id = inspection.identity.id.take().or(appid);
        }
        Err(detail) => {
            inspection.unread(PartName::Container);
            inspection.gap(PartName::Container, &Place::entry(""), GapReason::Encrypted, detail);
            inspection.opaque();
        }
    }
    Ok(inspection)
}

/// The container of a package, decrypted where the PC client has encrypted it, and the id that opened it; else why it
/// stays closed. The id is the one that was given, or one in the name.
fn open(bytes: Vec<u8>, name: &str, options: &Options) -> Result<(Vec<u8>, Option<String>), Wording> {
    if !bytes.starts_with(wxapkg_cipher::MAGIC) {
        return Ok((bytes, None));
    }
    let mut appids: Vec<&str> = options.appid.as_deref().into_iter().collect();
    appids.extend(wxapkg_cipher::appids(name));
    appids.truncate(MAX_APPIDS);
    let opens = |appid: &&str| Some((wxapkg_cipher::decrypt(&bytes, appid)?, Some((*appid).to_owned())));
    if let Some(opened) = appids.iter().find_map(opens) {
        return Ok(opened);
    }
    Err(if appids.is_empty() {
        let detail = (
            "由电脑版微信加密存储，须有小程序的 appid 才能解开：用 --appid wx… 给出，或使文件路径中含有 appid",
            "encrypted by the PC client; the appid opens it: give it by --appid wx…, or keep it in the path",
        );
        detail.into()
    } else {
        let tried = appids.join(", ");
        let detail = (
            format!("由电脑版微信加密存储，appid {tried} 解不开：不是这个小程序的 appid，或文件已损坏"),
            format!("encrypted by the PC client; {tried} does not open it: another appid, or a damaged file"),
        );
        detail.into()
    })
}

/// The packages of an archive or folder, if it holds little else.
fn packages(archive: &Archive) -> Option<Vec<&Entry>> {
    let mut found = Vec::new();
    for entry in archive.entries() {
        let file = entry.name.rsplit('/').next().unwrap_or_default();
        match file.rsplit_once('.').map(|(_, extension)| extension) {
            Some("wxapkg") => found.push(entry),
            Some("html" | "htm" | "plist" | "dex" | "arsc" | "abc" | "so") => return None,
            Some(extension) if nested::is_package(extension) => return None,
            _ => {}
        }
    }
    (!found.is_empty() && found.len() <= MAX_PACKAGES).then_some(found)
}

/// Whether the packages of an archive or folder are those of one program: one has the list of pages, and the others
/// hold nothing but its sub-packages and plug-ins. One that cannot be opened is taken for a part.
fn is_program(archive: &Archive, name: &str, options: &Options) -> bool {
    let Some(packages) = packages(archive) else { return false };
    if packages.len() == 1 {
        return true;
    }
    let mut roots: Vec<String> = vec!["__plugin__/".to_owned()];
    let (mut mains, mut others) = (0, Vec::new());
    for entry in packages {
        let Ok((bytes, _)) = archive.read(entry) else { continue };
        let Ok((bytes, _)) = open(bytes, &path(name, entry), options) else { continue };
        let Ok((files, _)) = wxapkg::read(&bytes) else { continue };
        match files.iter().find(|file| file.name == CONFIG) {
            Some(file) => {
                mains += 1;
                let config = bytes.get(file.range.clone()).unwrap_or_default();
                let config: Value = serde_json::from_slice(config).unwrap_or_default();
                let listed =
                    ["subPackages", "subpackages"].into_iter().filter_map(|key| config[key].as_array());
                let listed = listed.flatten().filter_map(|package| package["root"].as_str());
                roots.extend(listed.map(|root| format!("{}/", root.trim_matches('/'))));
            }
            None => others.push(files.iter().map(|file| file.name.to_string()).collect::<Vec<_>>()),
        }
    }
    let is_part =
        |files: &Vec<String>| files.iter().any(|file| roots.iter().any(|root| file.starts_with(root)));
    mains == 1 && others.iter().all(is_part)
}

/// What an entry is called, seen from outside.
fn path(outer: &str, entry: &Entry) -> String {
    format!("{outer}/{}", entry.name)
}

/// Reads the packages of one program: the pages of all are those that the main package lists.
fn inspect_program(
    archive: &Archive,
    name: &str,
    options: &Options,
    progress: &dyn Progress,
    inspection: &mut Inspection,
) {
    let packages = packages(archive).unwrap_or_default();
    progress.begin(packages.iter().map(|entry| entry.packed).sum());
    let (mut opened, mut held, mut key) = (Vec::new(), 0, None);
    for &entry in &packages {
        let place = Place::entry(entry.name.clone());
        let Some(bytes) = read(archive, entry, &place, PartName::Container, inspection) else { continue };
        held += bytes.len() as u64;
        let closed = match open(bytes, &path(name, entry), options) {
            _ if held > MAX_SIZE => {
                (GapReason::TooLarge, format!("more than {MAX_SIZE} bytes of packages").into())
            }
            Ok((bytes, appid)) if wxapkg::is_wxapkg(&bytes) => {
                key = key.or(appid);
                opened.push((entry, bytes));
                continue;
            }
            Ok(_) => (GapReason::Malformed, WxapkgError::NotWxapkg.to_string().into()),
            Err(detail) => (GapReason::Encrypted, detail),
        };
        inspection.unread(PartName::Container);
        inspection.gap(PartName::Container, &place, closed.0, closed.1);
    }
    if opened.is_empty() {
        inspection.opaque();
    }
    let mut members: Vec<(&Entry, &[u8], Vec<File<'_>>)> = Vec::new();
    for (entry, bytes) in &opened {
        if let Ok((files, issues)) = wxapkg::read(bytes) {
            count(inspection, PartName::Container, &Place::entry(entry.name.clone()), issues);
            members.push((entry, bytes, files));
        }
    }
    let is_main = |files: &[File<'_>]| files.iter().any(|file| file.name == CONFIG);
    members.sort_by_key(|(_, _, files)| !is_main(files));
    let elsewhere = members.iter().skip(1).flat_map(|(_, _, files)| files);
    let elsewhere = elsewhere.map(|file| file.name.to_string()).collect();
    let mut around = Around { config: None, elsewhere };
    for (entry, bytes, files) in members {
        let mut found = Inspection::new(TargetKind::MiniProgram, FORMAT.name);
        let config = read_package(bytes, &files, &around, options, progress, &mut found);
        let identity = std::mem::take(&mut found.identity);
        if around.config.is_none() && is_main(&files) {
            inspection.identity = identity;
            around.config = Some(config.lent());
        }
        inspection.absorb(found.inside(&entry.name));
    }
    inspection.identity.id = inspection.identity.id.take().or(key);
}

/// What other packages of the same program have.
#[derive(Debug, Default)]
struct Around {
    /// The list of pages, when it is not in the package itself.
    config: Option<Config>,
    /// Names of files.
    elsewhere: Vec<String>,
}

/// Reads one package; gives its list of pages, or the one it was lent.
fn read_package(
    bytes: &[u8],
    files: &[File<'_>],
    around: &Around,
    options: &Options,
    progress: &dyn Progress,
    inspection: &mut Inspection,
) -> Config {
    let mut config = match &around.config {
        Some(config) => Some(config.clone()),
        None => read_config(bytes, files, inspection),
    };
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
        parts.scripts.extend(content.script.map(|script| Source::packaged(path, script)));
        pages.extend(content.pages);
    }
    let mut pictures = Pictures::default();
    for file in files.iter().filter(|file| picture::is_picture(&extension(&file.name))) {
        pictures.add_bytes(Arc::from(&*file.name), bytes.get(file.range.clone()).unwrap_or_default());
    }
    parts.pictures = pictures.read("", options, inspection);
    match &mut config {
        Some(_) if around.config.is_some() => {}
        Some(config) => missing_pages(config, files, &around.elsewhere, inspection),
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
    let listed = config.unwrap_or_default();
    parts.config = listed.clone();
    parts.config.add_page_files(&pages, &parts.imports);
    inspection.identity.id.clone_from(&parts.config.appid);
    inspection.identity.name.clone_from(&parts.config.name);
    mini_program::link(&parts, inspection);
    listed
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

/// States the listed pages that are in none of the packages.
fn missing_pages(config: &Config, files: &[File<'_>], elsewhere: &[String], inspection: &mut Inspection) {
    let names: Vec<&str> =
        files.iter().map(|file| &*file.name).chain(elsewhere.iter().map(String::as_str)).collect();
    let has = |page: &String| {
        names.iter().any(|name| name.strip_prefix(page.as_str()).is_some_and(|rest| rest.starts_with('.')))
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

fn extension(name: &str) -> String {
    name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase()
}

fn read_file<'a>(file: &File<'_>, bytes: &'a [u8], progress: &dyn Progress) -> (Inspection, Content<'a>) {
    let mut inspection = Inspection::new(TargetKind::MiniProgram, FORMAT.name);
    let place = Place::entry(&*file.name);
    let extension = extension(&file.name);
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
        // Read together when all are known.
        extension if picture::is_picture(extension) => {}
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::decode::folder::Folder;
    use crate::format::{Silent, format_of_folder, inspect_folder};

    /// A container, as `decode::wxapkg` describes it.
    fn container(files: &[(&str, &str)]) -> Vec<u8> {
        let index = 4 + files.iter().map(|(name, _)| 12 + name.len()).sum::<usize>();
        let mut out = vec![0xBE, 0, 0, 0, 0];
        out.extend((index as u32).to_be_bytes());
        out.extend((files.iter().map(|(_, text)| text.len()).sum::<usize>() as u32).to_be_bytes());
        out.push(0xED);
        out.extend((files.len() as u32).to_be_bytes());
        let mut offset = 14 + index;
        for (name, text) in files {
            out.extend((name.len() as u32).to_be_bytes());
            out.extend(name.as_bytes());
            out.extend((offset as u32).to_be_bytes());
            out.extend((text.len() as u32).to_be_bytes());
            offset += text.len();
        }
        files.iter().for_each(|(_, text)| out.extend(text.as_bytes()));
        out
    }

    const CONFIG_JSON: &str = r#"{"pages":["pages/a/a"],"subPackages":[{"root":"sub/","pages":["pages/b/b"]}],
        "page":{"sub/pages/b/b.html":{"window":{"navigationBarTitleText":"本月情况"}}}}"#;
    const SCRIPT: &str =
        r#"define("sub/pages/b/b.js",function(require){Page({go(){wx.showToast({title:"签到成功"})}})});"#;

    fn program(folder: &Path, sub: &str) -> Folder {
        let main = container(&[("/app-config.json", CONFIG_JSON), ("/pages/a/a.html", "<p>首页</p>")]);
        std::fs::write(folder.join("__APP__.wxapkg"), main).unwrap();
        let page = format!("/{sub}/pages/b/b.html");
        let script = format!("/{sub}/app-service.js");
        let bytes = container(&[(&script, SCRIPT), (&page, "<p>分包</p>")]);
        std::fs::write(folder.join("_sub_.wxapkg"), bytes).unwrap();
        Folder::walk(folder).unwrap()
    }

    #[test]
    fn titles_of_the_main_package_serve_the_sub_package() {
        let root = tempfile::tempdir().unwrap();
        let folder = program(root.path(), "sub");
        let found = inspect_folder(&folder, "x", &Options::default(), &Silent).unwrap();
        let toast = found.texts.iter().find(|text| text.text == "签到成功").unwrap();
        assert_eq!(&*toast.place.path, "_sub_.wxapkg!sub/app-service.js");
        let screen = toast.screen.as_ref().unwrap();
        assert_eq!((screen.name.as_str(), screen.title.as_deref()), ("sub/pages/b/b", Some("本月情况")));
        // Stated once, where it stands.
        let titles = found.texts.iter().filter(|text| text.text == "本月情况");
        let places: Vec<&str> = titles.map(|text| &*text.place.path).collect();
        assert_eq!(places, ["__APP__.wxapkg!app-config.json"]);
        assert!(!found.has_gaps(), "{:?}", found.coverage().gaps);
    }

    #[test]
    fn packages_of_other_programs_do_not_belong() {
        let root = tempfile::tempdir().unwrap();
        let folder = program(root.path(), "other");
        assert!(format_of_folder(&folder, "x", &Options::default()).is_none());
        std::fs::copy(root.path().join("__APP__.wxapkg"), root.path().join("second.wxapkg")).unwrap();
        std::fs::remove_file(root.path().join("_sub_.wxapkg")).unwrap();
        let folder = Folder::walk(root.path()).unwrap();
        assert!(format_of_folder(&folder, "x", &Options::default()).is_none());
    }
}
