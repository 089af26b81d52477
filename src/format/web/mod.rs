//! Web assets inside packages: HTML, JavaScript, JSON and plain text, one by one or as an app of web pages
//! (uni-app, Cordova, Capacitor, H5 folders).

mod data;
mod embedded;
mod library;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value;

use self::library::{document, document_title, library};
use super::unit::count;
use crate::decode::Issue;
use crate::decode::hermes;
use crate::decode::html::{self, Page, Part};
use crate::decode::js::Script;
use crate::link::mini_program::{self, Config, Parts, Source};
use crate::link::{script, web_app};
use crate::model::{
    Document, Fact, FactKind, Identity, Inspection, Origin, PartName, Place, Role, Screen, UiText, Usage,
    Widget,
};
use crate::text::has_cjk;

/// Longer plain texts and data files are word lists, dictionaries and maps.
const MAX_DATA: u64 = 1 << 20;
/// An app of web pages with more bytes of text assets is read file by file, without links between the files.
pub(super) const MAX_APP: u64 = 48 << 20;
/// Characters kept of one text.
pub(super) const MAX_TEXT: usize = 4_096;

/// Whether an entry is read as text, by its name.
pub(crate) fn is_text_asset(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    matches!(file.as_str(), "index.android.bundle" | "main.jsbundle")
        || file.rsplit_once('.').is_some_and(|(_, extension)| {
            matches!(
                extension,
                "html"
                    | "htm"
                    | "xhtml"
                    | "js"
                    | "mjs"
                    | "jsx"
                    | "json"
                    | "json5"
                    | "txt"
                    | "csv"
                    | "xml"
                    | "wxml"
                    | "vue"
                    | "md"
                    | "properties"
                    | "hbs"
                    | "ejs"
                    | "tpl"
            )
        })
}

/// Whether a text asset is too long to be anything but data: a word list, a map, a dictionary.
pub(crate) fn is_data(name: &str, size: u64) -> bool {
    let plain = name.rsplit_once('.').is_some_and(|(_, extension)| {
        matches!(extension, "txt" | "csv" | "xml" | "md" | "properties" | "json" | "json5")
    });
    plain && size > MAX_DATA
}

/// Reads one text asset and counts it.
pub(crate) fn read_text_asset(path: &str, bytes: &[u8], inspection: &mut Inspection) {
    read_app(&[(Arc::from(path), bytes)], inspection);
}

/// Reads the text assets of one app of web pages, by path and content, and counts them. Scripts get the page that
/// loads them or that their router names for them. Tells who the app says it is.
pub(crate) fn read_app<B>(files: &[(Arc<str>, B)], inspection: &mut Inspection) -> Option<Identity>
where
    B: AsRef<[u8]> + Sync,
{
    read_within(files, 0, inspection)
}

fn read_within<B>(files: &[(Arc<str>, B)], depth: u8, inspection: &mut Inspection) -> Option<Identity>
where
    B: AsRef<[u8]> + Sync,
{
    let (kind, format) = (inspection.kind, inspection.format);
    let mut opened: Vec<(Inspection, Opened<'_>)> = files
        .par_iter()
        .map(|(path, bytes)| {
            let mut found = Inspection::new(kind, format);
            let opened = Opened::new(path, bytes.as_ref(), &mut found);
            (found, opened)
        })
        .collect();
    for (found, _) in &mut opened {
        inspection.absorb(std::mem::replace(found, Inspection::new(kind, format)));
    }
    let read: Vec<(Inspection, Vec<Source<'_>>)> = opened
        .par_iter()
        .map(|(_, opened)| {
            let mut found = Inspection::new(kind, format);
            let sources = opened.sources(depth, &mut found);
            (found, sources)
        })
        .collect();
    let mut config = Config::default();
    opened.iter().for_each(|(_, opened)| opened.configure(&mut config));
    let loaders = loaders(opened.iter().map(|(_, opened)| opened));
    let mut scripts = Vec::new();
    for (found, sources) in read {
        inspection.absorb(found);
        scripts.extend(sources);
    }
    for source in scripts.iter_mut().filter(|source| source.screen.is_none()) {
        source.screen = loaders.get(&source.path).cloned().flatten();
    }
    web_app::divide(&mut config, &mut scripts);
    let keys = web_app::keys(&scripts);
    let mut identity = None;
    for (_, opened) in &opened {
        identity = identity.or(opened.data(&keys, inspection));
    }
    mini_program::link(&Parts { config, scripts, ..Parts::default() }, inspection);
    identity
}

/// The page that loads a script, by the script's path; `None` where several do.
fn loaders<'o>(opened: impl Iterator<Item = &'o Opened<'o>>) -> HashMap<Arc<str>, Option<Screen>> {
    let mut loaders: HashMap<Arc<str>, Option<Screen>> = HashMap::new();
    for opened in opened {
        let Content::Page(page) = &opened.content else { continue };
        let screen = opened.asset.screen(page);
        let scripts: HashSet<Arc<str>> =
            page.linked.iter().map(|name| web_app::beside(&opened.asset.path, name)).collect();
        for script in scripts {
            loaders.entry(script).and_modify(|screen| *screen = None).or_insert_with(|| Some(screen.clone()));
        }
    }
    loaders
}

/// The folder of the app of web pages that an asset of a package belongs to: `assets/apps/__UNI__1/www/`.
pub(crate) fn app_folder(path: &str) -> &str {
    if let Some(at) = path.find("/www/") {
        return &path[..at + 5];
    }
    let end = path.match_indices('/').map(|(at, _)| at + 1).take(2).last();
    &path[..end.unwrap_or_default()]
}

/// A file, opened.
struct Opened<'a> {
    asset: Asset,
    bytes: &'a [u8],
    content: Content,
}

/// What is in a file.
enum Content {
    Page(Page),
    Script,
    Json(Value),
    /// JSON that is none, with the reason: its strings are still literals.
    LikeJson(String),
    /// Read already.
    Done,
}

impl<'a> Opened<'a> {
    fn new(path: &Arc<str>, bytes: &'a [u8], inspection: &mut Inspection) -> Self {
        let asset = Asset { path: path.clone(), library: library(path, bytes), document: document(path) };
        let content = if bytes.starts_with(&hermes::MAGIC) {
            super::native::read_hermes(path, bytes, inspection);
            Content::Done
        } else {
            match extension(path, bytes).as_str() {
                "html" | "htm" | "xhtml" | "wxml" | "vue" | "hbs" | "ejs" | "tpl" => {
                    Content::Page(html::read(&html::decode(bytes)))
                }
                "js" | "mjs" | "jsx" | "bundle" | "jsbundle" => Content::Script,
                "json" | "json5" => {
                    match serde_json::from_str(html::decode(bytes).trim_start_matches('\u{FEFF}')) {
                        Ok(value) => Content::Json(value),
                        Err(error) => Content::LikeJson(error.to_string()),
                    }
                }
                _ => {
                    asset.plain(&html::decode(bytes), inspection);
                    Content::Done
                }
            }
        };
        Opened { asset, bytes, content }
    }

    /// Reads the scripts of the file, and what of it stands for itself.
    fn sources(&self, depth: u8, inspection: &mut Inspection) -> Vec<Source<'_>> {
        let place = Place::entry(self.asset.path.clone());
        let mut issues = Vec::new();
        let mut sources = Vec::new();
        match &self.content {
            Content::Page(page) => {
                self.asset.page(page, inspection);
                let screen = self.asset.screen(page);
                issues.extend(page.issues.iter().cloned());
                for (offset, text) in &page.scripts {
                    let mut source = self.asset.source(text.as_bytes(), offset.unwrap_or_default());
                    issues.append(&mut source.script.issues);
                    sources.push(Source { screen: Some(screen.clone()), ..source });
                }
                embedded::in_text(&self.asset.path, self.bytes, depth, inspection);
                count(inspection, PartName::Text, &place, issues);
            }
            Content::Script => {
                let mut source = self.asset.source(self.bytes, 0);
                issues.append(&mut source.script.issues);
                embedded::in_script(&self.asset.path, self.bytes, &source.script, depth, inspection);
                if !web_app::is_uni_config(&self.asset.path) {
                    sources.push(source);
                }
                count(inspection, PartName::Js, &place, issues);
            }
            Content::LikeJson(error) => {
                let mut source = self.asset.source(self.bytes, 0);
                issues.extend(source.script.issues.drain(..).filter(|issue| !issue.lossy));
                issues.push(Issue::odd("json.malformed", None, error.as_str()));
                sources.push(source);
                count(inspection, PartName::Text, &place, issues);
            }
            Content::Json(_) => {
                embedded::in_text(&self.asset.path, self.bytes, depth, inspection);
                inspection.read(PartName::Text);
            }
            Content::Done => {}
        }
        sources
    }

    /// Adds what the file says of the app's pages.
    fn configure(&self, config: &mut Config) {
        let path = &*self.asset.path;
        let place = || Place::entry(self.asset.path.clone());
        match &self.content {
            Content::Script if web_app::is_uni_config(path) => {
                let value = |name| web_app::assigned(self.bytes, name).unwrap_or_default();
                config.add_uni(&value("__uniConfig"), &value("__uniRoutes"), place());
            }
            Content::Json(value) if path.ends_with("pages.json") => config.add_pages_json(value, place()),
            _ => {}
        }
    }

    /// Reads the file as data.
    fn data(&self, keys: &HashSet<&str>, inspection: &mut Inspection) -> Option<Identity> {
        let Content::Json(value) = &self.content else { return None };
        if self.bytes.len() as u64 > MAX_DATA {
            return None;
        }
        self.asset.json(value, keys, inspection)
    }
}

/// The ending that tells what a file is; a document in Base64 has no name of its own.
fn extension(path: &str, bytes: &[u8]) -> String {
    if path.contains(embedded::MARK) {
        return embedded::extension(bytes).to_owned();
    }
    path.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase()
}

struct Asset {
    path: Arc<str>,
    library: Option<&'static str>,
    document: Option<Document>,
}

impl Asset {
    fn text(&self, text: &str, role: Role, offset: Option<usize>) -> UiText {
        let place = match offset {
            Some(offset) => Place::offset(self.path.clone(), offset as u64),
            None => Place::entry(self.path.clone()),
        };
        let text = text.char_indices().nth(MAX_TEXT).map_or(text, |(at, _)| &text[..at]);
        let mut found = UiText::new(text, role, place);
        found.usage = Usage::Used;
        found.document = self.document;
        found.chain = vec![self.path.to_string()];
        if let Some(library) = self.library {
            found.origin = Origin::Library(Arc::from(library));
        }
        found
    }

    fn screen(&self, page: &Page) -> Screen {
        Screen { name: self.path.to_string(), title: page.title.clone(), reachable: true }
    }

    /// A script that begins at an offset of the asset.
    fn source<'s>(&self, text: &'s [u8], base: usize) -> Source<'s> {
        Source {
            path: self.path.clone(),
            script: Script::read(text, script::FILTER),
            base,
            web: true,
            library: self.library,
            document: self.document,
            ..Source::default()
        }
    }

    fn page(&self, page: &Page, inspection: &mut Inspection) {
        let screen = self.screen(page);
        let named = page.title.as_deref().and_then(document_title);
        for shown in &page.texts {
            if !shown.text.chars().any(char::is_alphabetic)
                || shown.text.contains("{{") && !has_cjk(&shown.text)
            {
                continue;
            }
            let prose = shown.text.chars().count() > 60;
            let role = match shown.part {
                Part::Control => Role::Control,
                Part::Title => Role::Title,
                Part::Hint => Role::Hint,
                Part::Label if prose => Role::Document,
                Part::Label => Role::Label,
            };
            let mut text = self.text(&shown.text, role, shown.offset);
            text.screen = Some(screen.clone());
            text.document = text.document.or(named);
            let operable = role == Role::Control;
            let handler = shown.action.clone().filter(|_| operable);
            text.chain.extend(handler.clone());
            text.widget = Some(Widget { class: shown.tag.clone(), id: shown.id.clone(), handler, operable });
            inspection.texts.push(text);
        }
        let route = Fact::new(FactKind::Route, &*self.path, Place::entry(self.path.clone()));
        inspection.facts.push(Fact { screen: Some(screen), ..self.fact(route) });
    }

    fn fact(&self, mut fact: Fact) -> Fact {
        if let Some(library) = self.library {
            fact.origin = Origin::Library(Arc::from(library));
        }
        fact
    }

    /// Plain text: help, licences, lists. What stands there is a mention at most.
    fn plain(&self, source: &str, inspection: &mut Inspection) {
        inspection.read(PartName::Text);
        if source.len() as u64 > MAX_DATA {
            return;
        }
        let start = source.as_ptr() as usize;
        for line in source.lines().map(str::trim).filter(|line| has_cjk(line)) {
            let mut text = self.text(line, Role::Document, Some(line.as_ptr() as usize - start));
            text.document = text.document.or(Some(Document::Help));
            inspection.texts.push(text);
        }
    }
}

pub(super) fn is_file(address: &str) -> bool {
    let path = address.split('?').next().unwrap_or(address);
    [
        ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".js", ".css", ".html", ".mp3", ".mp4", ".ttf",
        ".woff", ".vue", ".ico", ".map",
    ]
    .iter()
    .any(|ending| path.ends_with(ending))
}
