//! Web assets inside packages: HTML, JavaScript, JSON and plain text.

use std::sync::Arc;

use serde_json::Value;

use super::unit::count;
use crate::decode::Issue;
use crate::decode::hermes;
use crate::decode::html::{self, Page, Part};
use crate::decode::js::{LiteralKind, Script, Use};
use crate::link::{endpoint, script};
use crate::model::{
    Code, Document, Fact, FactKind, Inspection, Origin, PartName, Place, Role, Screen, UiText, Usage, Widget,
};
use crate::text::has_cjk;

/// Longer plain texts and data files are word lists, dictionaries and maps.
const MAX_DATA: u64 = 1 << 20;
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
    let place = Place::entry(path);
    if bytes.starts_with(&hermes::MAGIC) {
        super::native::read_hermes(path, bytes, inspection);
        return;
    }
    let asset = Asset { path: Arc::from(path), library: library(path, bytes), document: document(path) };
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    match extension.as_str() {
        "html" | "htm" | "xhtml" | "wxml" | "vue" | "hbs" | "ejs" | "tpl" => {
            asset.html(&html::decode(bytes), inspection)
        }
        "js" | "mjs" | "jsx" | "bundle" | "jsbundle" => {
            let issues = asset.script(bytes, 0, None, inspection);
            count(inspection, PartName::Js, &place, issues);
        }
        "json" | "json5" => asset.json(bytes, inspection),
        _ => asset.plain(&html::decode(bytes), inspection),
    }
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

    fn html(&self, source: &str, inspection: &mut Inspection) {
        let page: Page = html::read(source);
        let screen = Screen { name: self.path.to_string(), title: page.title.clone(), reachable: true };
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
        let mut issues = page.issues;
        for (offset, source) in &page.scripts {
            issues.extend(self.script(
                source.as_bytes(),
                offset.unwrap_or_default(),
                Some(&screen),
                inspection,
            ));
        }
        let route = Fact::new(FactKind::Route, &*self.path, Place::entry(self.path.clone()));
        inspection.facts.push(Fact { screen: Some(screen), ..self.fact(route) });
        count(inspection, PartName::Text, &Place::entry(self.path.clone()), issues);
    }

    fn fact(&self, mut fact: Fact) -> Fact {
        if let Some(library) = self.library {
            fact.origin = Origin::Library(Arc::from(library));
        }
        fact
    }

    /// Reads a script that begins at an offset of the asset.
    fn script(
        &self,
        source: &[u8],
        base: usize,
        screen: Option<&Screen>,
        inspection: &mut Inspection,
    ) -> Vec<Issue> {
        let read = Script::read(source, script::FILTER);
        for literal in &read.literals {
            let offset = base + literal.offset;
            let function =
                literal.function.and_then(|index| read.functions.get(index as usize)).map(|f| f.name);
            if literal.usage == Use::Value
                && literal.kind != LiteralKind::Comment
                && let Some(address) = endpoint::in_code(&literal.text)
            {
                if !is_file(address) {
                    let route = literal.key == Some("path")
                        || literal.callee.is_some_and(|callee| callee.contains("navigate"));
                    let kind = if route { FactKind::Route } else { FactKind::Endpoint };
                    let mut fact = Fact::new(kind, address, Place::offset(self.path.clone(), offset as u64));
                    fact.screen = screen.cloned();
                    fact.chain = function.map(str::to_owned).into_iter().collect();
                    inspection.facts.push(self.fact(fact));
                }
                continue;
            }
            let (role, sink) = match script::is_traced(source, literal.offset) {
                true => (Role::Log, Some("console.log".to_owned())),
                false => script::role(literal, &read),
            };
            if !script::is_shown(role, &literal.text) {
                continue;
            }
            let mut text = self.text(&literal.text, role, Some(offset));
            text.key = literal.key.map(str::to_owned);
            text.screen = screen.cloned();
            text.chain.extend(function.map(str::to_owned));
            text.chain.extend(sink.clone());
            if literal.pressable && role == Role::Control {
                text.widget = Some(Widget {
                    class: literal.callee.unwrap_or_default().to_owned(),
                    id: None,
                    handler: None,
                    operable: true,
                });
            }
            text.code =
                Some(Code { class: self.path.to_string(), method: function.map(str::to_owned), sink });
            if role != Role::Log && literal.text.chars().count() > 120 {
                text.role = Role::Document;
            }
            inspection.texts.push(text);
        }
        for call in &read.calls {
            if let Some(api) = script::platform_api(call.callee) {
                let place = Place::offset(self.path.clone(), (base + call.offset) as u64);
                inspection.facts.push(self.fact(Fact::new(FactKind::Api, api, place)));
            }
        }
        for function in read.functions.iter().filter(|function| function.name.len() > 3) {
            let mut fact = Fact::new(
                FactKind::Function,
                function.name,
                Place::offset(self.path.clone(), (base + function.start) as u64),
            );
            fact.screen = screen.cloned();
            fact.chain = vec![self.path.to_string()];
            inspection.facts.push(self.fact(fact));
        }
        read.issues
    }

    fn json(&self, bytes: &[u8], inspection: &mut Inspection) {
        let place = Place::entry(self.path.clone());
        let text = html::decode(bytes);
        let value: Value = match serde_json::from_str(text.trim_start_matches('\u{FEFF}')) {
            Ok(value) => value,
            Err(error) => {
                // Not JSON after all, or with comments: its strings are still literals.
                let issues = self.script(bytes, 0, None, inspection);
                let odd = Issue::odd("json.malformed", None, error.to_string());
                count(
                    inspection,
                    PartName::Text,
                    &place,
                    issues.into_iter().filter(|i| !i.lossy).chain([odd]).collect(),
                );
                return;
            }
        };
        inspection.read(PartName::Text);
        let animation = value.get("layers").is_some() && value.get("fr").is_some();
        if bytes.len() as u64 > MAX_DATA || animation {
            return;
        }
        let mut stack = vec![&value];
        while let Some(value) = stack.pop() {
            match value {
                Value::Array(items) => stack.extend(items),
                Value::Object(fields) => {
                    let leads = ["url", "path", "pagePath", "href", "icon", "iconPath", "route", "link"]
                        .iter()
                        .any(|key| fields.contains_key(*key));
                    for (key, value) in fields {
                        let Value::String(text) = value else {
                            stack.push(value);
                            continue;
                        };
                        let role = match key.as_str() {
                            "navigationBarTitleText" | "titleText" => Role::Title,
                            "title" | "name" | "text" | "label" if leads => Role::Item,
                            "title" | "name" | "text" | "label" | "content" | "desc" | "description"
                            | "tip" | "message" => Role::Code,
                            _ => continue,
                        };
                        if has_cjk(text) {
                            let mut found = self.text(text, role, None);
                            found.key = Some(key.clone());
                            if text.chars().count() > 60 {
                                found.role = Role::Document;
                            }
                            inspection.texts.push(found);
                        }
                    }
                }
                _ => {}
            }
        }
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

/// Agreements, policies and help pages by their path.
fn document(path: &str) -> Option<Document> {
    let lower = path.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&["privacy", "agreement", "xieyi", "yinsi", "protocol", "terms"]) {
        Some(Document::Agreement)
    } else if has(&["license", "licence", "licensing", "notice", "readme", "changelog", "help", "faq"]) {
        Some(Document::Help)
    } else {
        None
    }
}

fn document_title(title: &str) -> Option<Document> {
    if ["隐私", "协议", "服务条款"].iter().any(|word| title.contains(word)) {
        Some(Document::Agreement)
    } else if ["帮助", "使用说明", "常见问题", "许可"].iter().any(|word| title.contains(word)) {
        Some(Document::Help)
    } else {
        None
    }
}

/// Third-party scripts by file name, or by the banner at their head.
fn library(path: &str, bytes: &[u8]) -> Option<&'static str> {
    const NAMES: &[(&str, &str)] = &[
        ("jquery", "jQuery"),
        ("vue", "Vue"),
        ("react", "React"),
        ("angular", "Angular"),
        ("echarts", "ECharts"),
        ("highcharts", "Highcharts"),
        ("vant", "Vant"),
        ("element-ui", "Element UI"),
        ("swiper", "Swiper"),
        ("video.", "Video.js"),
        ("videojs", "Video.js"),
        ("pdf.", "PDF.js"),
        ("tinymce", "TinyMCE"),
        ("ckeditor", "CKEditor"),
        ("ueditor", "UEditor"),
        ("mathjax", "MathJax"),
        ("bootstrap", "Bootstrap"),
        ("layui", "layui"),
        ("layer.", "layui"),
        ("weui", "WeUI"),
        ("zepto", "Zepto"),
        ("moment", "Moment"),
        ("three.", "three.js"),
        ("cordova", "Cordova"),
        ("mui.", "MUI"),
        ("lodash", "Lodash"),
        ("polyfill", "polyfill"),
        ("uni-app-", "uni-app runtime"),
        ("uniapp", "uni-app runtime"),
        ("__uniapp", "uni-app runtime"),
        ("ionic", "Ionic"),
        ("framework7", "Framework7"),
        ("fastclick", "FastClick"),
        ("iscroll", "iScroll"),
        ("require.", "RequireJS"),
        ("wangeditor", "wangEditor"),
    ];
    let file = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    if let Some((_, name)) = NAMES
        .iter()
        .find(|(name, _)| file.starts_with(name) && (file.ends_with(".js") || file.contains("uniapp")))
    {
        return Some(name);
    }
    if path.contains("/node_modules/") || path.contains("/plugins/cordova-") || path.contains("/ueditor/") {
        return Some("web library");
    }
    let banner = bytes.get(..400).unwrap_or(bytes);
    let is_banner = banner.starts_with(b"/*!") || banner.starts_with(b"/**") || banner.starts_with(b"/*");
    let licensed = |word: &[u8]| memchr::memmem::find(banner, word).is_some();
    (is_banner
        && (licensed(b"MIT")
            || licensed(b"Licensed under")
            || licensed(b"@license")
            || licensed(b"Apache License")))
    .then_some("web library")
}
