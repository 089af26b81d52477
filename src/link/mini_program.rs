//! Mini programs and other apps of pages written in JavaScript: page list, compiled templates and scripts joined to
//! texts on pages.
//!
//! ```text
//! text ─▶ element ─▶ template ─▶ page (title, listed or not)
//!            └─▶ handler ─▶ function of the page's script ─▶ endpoint
//! ```

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use crate::decode::js::{Function, HOLE, Label, Literal, LiteralKind, Module, Script, Use, Variable};
use crate::decode::wxml_code::{Element, Template, Text};
use crate::link::remote::WebPages;
use crate::link::{FORM, FORM_INPUTS, endpoint, script};
use crate::model::{
    Code, Document, Fact, FactKind, Inspection, Origin, Place, Role, Screen, UiText, Usage, Widget,
};
use crate::text::has_cjk;

/// How far around a text something to press is looked for.
const MAX_UP: usize = 4;
/// A container with more texts than this is not a button, though it may react to a tap.
const MAX_TEXTS: usize = 6;
/// How many functions a handler is followed through, and how deep.
const MAX_FOLLOWED: usize = 24;
const MAX_CALLS: usize = 3;
/// Characters kept of one text.
const MAX_TEXT: usize = 4_096;
/// Pages taken from router tables and page files; mini programs and apps have hundreds.
const MAX_PAGES: usize = 8_192;
/// More addresses than this near a widget say nothing about the widget.
const MAX_ENDPOINTS: usize = 4;

/// What was decoded of a package.
#[derive(Debug, Default)]
pub(crate) struct Parts<'a> {
    pub(crate) config: Config,
    /// Path of the file and the templates in it.
    pub(crate) templates: Vec<(Arc<str>, Vec<Template>)>,
    /// Template files and the files they import, as written.
    pub(crate) imports: Vec<(String, String)>,
    pub(crate) scripts: Vec<Source<'a>>,
    /// Texts recognised in pictures.
    pub(crate) pictures: Vec<UiText>,
}

/// A script and where it belongs.
#[derive(Debug, Default)]
pub(crate) struct Source<'a> {
    /// Path of its file.
    pub(crate) path: Arc<str>,
    pub(crate) script: Script<'a>,
    /// Where it begins in the file.
    pub(crate) base: usize,
    /// Parts of it by module, in order, none in another.
    pub(crate) units: Vec<Unit>,
    /// It is a web asset, not one of a mini program: its files are named by their paths.
    pub(crate) web: bool,
    /// Whose it is, where it is not the app's.
    pub(crate) library: Option<&'static str>,
    /// Parts of it that are not the app's.
    pub(crate) libraries: Vec<(Range<usize>, &'static str)>,
    /// The sort of document it is a part of.
    pub(crate) document: Option<Document>,
    /// The page that loads it.
    pub(crate) screen: Option<Screen>,
}

/// A part of a script.
#[derive(Debug)]
pub(crate) struct Unit {
    /// Route of the page it belongs to, or name of the module.
    pub(crate) name: String,
    pub(crate) range: Range<usize>,
    /// The entry of a router table that it is.
    pub(crate) entry: bool,
}

impl<'a> Source<'a> {
    /// A script of a mini program, with the modules that it defines.
    pub(crate) fn packaged(path: Arc<str>, script: Script<'a>) -> Self {
        let unit = |module: &Module<'_>| Unit {
            name: route(module.name).to_owned(),
            range: module.start..module.end,
            entry: false,
        };
        Source { path, units: script.modules.iter().map(unit).collect(), script, ..Source::default() }
    }

    fn unit(&self, offset: usize) -> Option<&Unit> {
        let after = self.units.partition_point(|unit| unit.range.start <= offset);
        self.units.get(after.checked_sub(1)?).filter(|unit| offset < unit.range.end)
    }

    /// The module an offset is in, as a route; the file itself where there are no modules.
    fn module(&self, offset: usize) -> &str {
        self.unit(offset).map_or_else(|| route(&self.path), |unit| &unit.name)
    }

    fn place(&self, offset: usize) -> Place {
        Place::offset(self.path.clone(), (self.base + offset) as u64)
    }

    /// The steps from the package to an offset.
    fn steps(&self, offset: usize) -> Vec<String> {
        match self.web {
            true => std::iter::once(self.path.to_string())
                .chain(self.unit(offset).map(|unit| unit.name.clone()))
                .collect(),
            false => vec![format!("{}.js", self.module(offset))],
        }
    }

    fn library(&self, module: &str) -> Option<&'static str> {
        self.library.or_else(|| library(module))
    }
}

/// `app-config.json` (or what page files tell where it is missing).
#[derive(Debug, Clone, Default)]
pub(crate) struct Config {
    /// Routes in the order of the list: `pages/index/index`.
    pub(crate) pages: Vec<String>,
    listed: HashSet<String>,
    titles: HashMap<String, String>,
    /// Components by the pages and components that use them.
    uses: HashMap<String, Vec<String>>,
    /// Pages by the components they use.
    users: HashMap<String, Vec<String>>,
    tabs: Vec<(String, String)>,
    pub(crate) name: Option<String>,
    pub(crate) appid: Option<String>,
    permissions: BTreeSet<String>,
    apis: BTreeSet<String>,
    plugins: BTreeSet<String>,
    /// The file that says all this; `None` where scripts do, whose texts stand for themselves.
    place: Option<Place>,
}

impl Config {
    /// The pages and titles alone, for another package of the same program: what the file itself says is stated once.
    pub(crate) fn lent(&self) -> Config {
        Config {
            place: None,
            permissions: BTreeSet::new(),
            apis: BTreeSet::new(),
            plugins: BTreeSet::new(),
            ..self.clone()
        }
    }

    /// Reads the value of `app-config.json`.
    pub(crate) fn read(value: &Value) -> Config {
        let mut config = Config { place: Some(Place::entry("app-config.json")), ..Config::default() };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        config.pages =
            list(&value["pages"]).filter_map(Value::as_str).map(|page| route(page).to_owned()).collect();
        for package in list(&value["subPackages"]).chain(list(&value["subpackages"])) {
            let root = package["root"].as_str().unwrap_or_default().trim_matches('/');
            for page in list(&package["pages"]).filter_map(Value::as_str) {
                let page = route(page);
                let full = if page.starts_with(root) { page.to_owned() } else { format!("{root}/{page}") };
                config.pages.push(full);
            }
        }
        let mut listed = HashSet::new();
        config.pages.retain(|page| listed.insert(page.clone()));
        config.listed = listed;
        for (path, page) in value["page"].as_object().into_iter().flatten() {
            config.add_page(path, &page["window"]);
        }
        let window = &value["global"]["window"];
        config.name = text(&window["navigationBarTitleText"]).filter(|name| !name.is_empty());
        config.appid = text(&value["accountInfo"]["appId"]).or_else(|| text(&value["appid"]));
        config.add_tabs(value);
        config
            .permissions
            .extend(value["permission"].as_object().into_iter().flatten().map(|(scope, _)| scope.clone()));
        let infos = list(&value["requiredPrivateInfos"]).filter_map(Value::as_str);
        config.apis.extend(infos.map(|name| format!("wx.{name}")));
        config
            .plugins
            .extend(value["plugins"].as_object().into_iter().flatten().map(|(name, _)| name.clone()));
        config
    }

    fn add_tabs(&mut self, value: &Value) {
        for tab in list(&value["tabBar"]["list"]) {
            if let (Some(page), Some(label)) = (tab["pagePath"].as_str(), tab["text"].as_str()) {
                self.tabs.push((route(page).to_owned(), label.to_owned()));
            }
        }
    }

    /// Adds `__uniConfig` and `__uniRoutes` of a uni-app, as they stand at `place`.
    pub(crate) fn add_uni(&mut self, config: &Value, routes: &Value, place: Place) {
        self.add_tabs(config);
        self.name = self.name.take().or_else(|| config["appname"].as_str().map(str::to_owned));
        self.add_pages(list(&config["pages"]).filter_map(Value::as_str).map(|page| route(page).to_owned()));
        for entry in list(routes) {
            let page = entry["meta"]["route"].as_str().or_else(|| entry["path"].as_str());
            let Some(page) = page.map(|page| route(page).to_owned()) else { continue };
            let title = entry["meta"]["navigationBar"]["titleText"]
                .as_str()
                .or_else(|| entry["window"]["navigationBarTitleText"].as_str())
                .or_else(|| entry["style"]["navigationBarTitleText"].as_str())
                .filter(|title| !title.is_empty());
            if let Some(title) = title {
                self.titles.entry(page.clone()).or_insert_with(|| title.to_owned());
            }
            self.add_pages(std::iter::once(page));
        }
        self.place.get_or_insert(place);
    }

    /// Adds `pages.json` of a uni-app's source, as older builds keep it.
    pub(crate) fn add_pages_json(&mut self, value: &Value, place: Place) {
        let mut routes: Vec<Value> = list(&value["pages"]).cloned().collect();
        for package in list(&value["subPackages"]).chain(list(&value["subpackages"])) {
            let root = package["root"].as_str().unwrap_or_default().trim_matches('/');
            for page in list(&package["pages"]) {
                let path = format!("{root}/{}", page["path"].as_str().unwrap_or_default());
                routes.push(serde_json::json!({"path": path, "style": page["style"]}));
            }
        }
        if self.pages.is_empty() {
            self.add_uni(&serde_json::json!({"tabBar": value["tabBar"]}), &Value::Array(routes), place);
        }
    }

    /// Adds an entry of a router table.
    pub(crate) fn add_route(&mut self, page: String, title: Option<&str>) {
        if let Some(title) = title.filter(|title| !title.is_empty()) {
            self.titles.entry(page.clone()).or_insert_with(|| title.to_owned());
        }
        self.add_pages(std::iter::once(page));
    }

    /// Adds what scripts tell of pages and components, and which templates use which.
    pub(crate) fn add_page_files(&mut self, pages: &[(String, Value)], imports: &[(String, String)]) {
        for (path, window) in pages {
            self.add_page(path, window);
        }
        for (user, used) in imports {
            let user = route(user);
            self.uses.entry(user.to_owned()).or_default().push(relative(user, used));
        }
        self.resolve_users();
    }

    fn add_page(&mut self, path: &str, window: &Value) {
        let page = route(path).to_owned();
        if let Some(title) = window["navigationBarTitleText"].as_str().filter(|title| !title.is_empty()) {
            self.titles.insert(page.clone(), title.to_owned());
        }
        for component in
            window["usingComponents"].as_object().into_iter().flatten().filter_map(|(_, path)| path.as_str())
        {
            self.uses.entry(page.clone()).or_default().push(relative(&page, component));
        }
    }

    /// Components of components belong to the page as well.
    fn resolve_users(&mut self) {
        for page in &self.pages {
            let mut found = vec![page.as_str()];
            let mut at = 0;
            while let Some(&name) = found.get(at) {
                at += 1;
                for used in self.uses.get(name).into_iter().flatten() {
                    if found.len() < 512 && !found.contains(&used.as_str()) {
                        found.push(used);
                    }
                }
            }
            for component in found.into_iter().skip(1) {
                self.users.entry(component.to_owned()).or_default().push(page.clone());
            }
        }
    }

    /// The pages of a package without a list, by the page files in it.
    pub(crate) fn add_pages(&mut self, pages: impl Iterator<Item = String>) {
        for page in pages {
            if self.pages.len() < MAX_PAGES && self.listed.insert(page.clone()) {
                self.pages.push(page);
            }
        }
    }

    /// The screen a file belongs to: a page, or the first page that uses the component.
    fn screen(&self, file: &str) -> Option<Screen> {
        let name = route(file);
        let page = if self.listed.contains(name) { name } else { self.users.get(name)?.first()? };
        Some(Screen { name: page.to_owned(), title: self.titles.get(page).cloned(), reachable: true })
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// `/pages/index/index.html` and the like as a route.
pub(crate) fn route(path: &str) -> &str {
    let path = path.trim_start_matches("./").trim_start_matches('/');
    let path = path.split('?').next().unwrap_or(path);
    for ending in [".html", ".wxml", ".js", ".json", ".appservice", ".webview"] {
        if let Some(route) = path.strip_suffix(ending) {
            return route.trim_end_matches(".appservice").trim_end_matches(".webview");
        }
    }
    path
}

/// A path as seen from a page: `../../dist/modal/index` from `pages/index/index`.
pub(crate) fn relative(page: &str, path: &str) -> String {
    if let Some(absolute) = path.strip_prefix('/') {
        return route(absolute).to_owned();
    }
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    route(&parts.join("/")).to_owned()
}

/// Joins the parts and adds texts and facts to the inspection.
pub(crate) fn link(parts: &Parts<'_>, inspection: &mut Inspection) {
    let linker = Linker::new(parts);
    linker.config_texts(inspection);
    let bound = linker.template_texts(inspection);
    linker.picture_texts(inspection);
    linker.script_texts(&bound, inspection);
    linker.facts(inspection);
    linker.web_pages().state(inspection);
}

struct Linker<'a> {
    parts: &'a Parts<'a>,
    /// Functions by the module and name: index of the script and of the function.
    functions: HashMap<(&'a str, &'a str), (usize, usize)>,
    /// Addresses by module, with their offset and script.
    endpoints: HashMap<&'a str, Vec<(usize, usize, String)>>,
    /// Pages that code opens, in the same way.
    opened: HashMap<&'a str, Vec<(usize, usize, String)>>,
    /// Functions whose name only one module has: its name, index of the script and of the function.
    unique: HashMap<&'a str, Option<(&'a str, usize, usize)>>,
}

/// The control that shows a variable, by the route of its template and the variable's name.
type Bound = HashMap<(String, String), (Widget, Vec<String>)>;

impl<'a> Linker<'a> {
    fn new(parts: &'a Parts<'a>) -> Self {
        let mut linker = Linker {
            parts,
            functions: HashMap::new(),
            endpoints: HashMap::new(),
            opened: HashMap::new(),
            unique: HashMap::new(),
        };
        for (at, source) in parts.scripts.iter().enumerate() {
            let script = &source.script;
            for (index, function) in script.functions.iter().enumerate() {
                let module = source.module(function.start);
                linker.functions.entry((module, function.name)).or_insert((at, index));
                let unique = linker.unique.entry(function.name).or_insert(Some((module, at, index)));
                if unique.is_some_and(|(other, ..)| other != module) {
                    *unique = None;
                }
            }
            for literal in &script.literals {
                let module = source.module(literal.offset);
                if let Some(page) = linker.opens(literal, module) {
                    linker.opened.entry(module).or_default().push((at, literal.offset, page));
                } else if let Some(address) = linker.endpoint(literal) {
                    linker.endpoints.entry(module).or_default().push((at, literal.offset, address));
                }
            }
        }
        linker
    }

    /// The page that a literal makes the program open.
    fn opens(&self, literal: &Literal<'_>, module: &str) -> Option<String> {
        let name = literal.callee?.rsplit('.').next()?;
        let opens = matches!(name, "navigateTo" | "redirectTo" | "switchTab" | "reLaunch");
        (opens && literal.key == Some("url")).then(|| relative(module, &literal.text))
    }

    /// The address a literal is; a page of the program or one of its files is none.
    fn endpoint(&self, literal: &Literal<'_>) -> Option<String> {
        if literal.kind == LiteralKind::Comment || literal.usage != Use::Value {
            return None;
        }
        let callee = literal.callee.unwrap_or_default();
        let opens =
            ["navigateTo", "redirectTo", "switchTab", "reLaunch", "require", "requirePlugin", "define"];
        if opens.iter().any(|name| callee.rsplit('.').next() == Some(name)) {
            return None;
        }
        let address = endpoint::in_code(&literal.text)?;
        let path = route(address);
        let local = self
            .parts
            .config
            .pages
            .iter()
            .any(|page| path.starts_with(page.as_str()) || page.starts_with(path));
        let file = [
            ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".js", ".json", ".wxml", ".wxss", ".mp3",
            ".mp4", ".css", ".html", ".ttf", ".woff", ".vue", ".ico", ".map",
        ]
        .iter()
        .any(|ending| path.ends_with(ending) || address.ends_with(ending));
        (!local && !file).then(|| address.to_owned())
    }

    fn config_texts(&self, inspection: &mut Inspection) {
        let config = &self.parts.config;
        let Some(place) = &config.place else { return };
        let mut add = |text: &str, role, key: &str, page: Option<&str>, widget: Option<Widget>| {
            let mut found = UiText::new(text, role, place.clone());
            found.key = Some(key.to_owned());
            found.usage = Usage::Used;
            found.screen = page.and_then(|page| config.screen(page));
            found.widget = widget;
            found.chain = page.map(|page| page.to_owned()).into_iter().collect();
            found.document = self.document(page);
            inspection.texts.push(found);
        };
        if let Some(name) = &config.name {
            add(name, Role::Title, "navigationBarTitleText", None, None);
        }
        let titles: BTreeMap<&String, &String> = config.titles.iter().collect();
        for (page, title) in titles {
            add(title, Role::Title, "navigationBarTitleText", Some(page), None);
        }
        for (page, label) in &config.tabs {
            let widget = Widget { class: "tabBar".into(), id: None, handler: None, operable: true };
            add(label, Role::Control, "tabBar.list.text", Some(page), Some(widget));
        }
    }

    /// A page that is an agreement by its path or title.
    fn document(&self, page: Option<&str>) -> Option<Document> {
        let page = page?;
        let title = self.parts.config.titles.get(route(page)).map_or("", String::as_str);
        let lower = page.to_ascii_lowercase();
        let agreement =
            ["privacy", "agreement", "xieyi", "yinsi", "protocol"].iter().any(|word| lower.contains(word))
                || ["隐私", "协议", "服务条款"].iter().any(|word| title.contains(word));
        agreement.then_some(Document::Agreement)
    }

    /// For each template file the script that has most of it: newer packages carry a thinned copy for the logic.
    fn fullest(&self) -> HashMap<&str, (usize, usize)> {
        let mut fullest: HashMap<&str, (usize, usize)> = HashMap::new();
        for (at, (_, templates)) in self.parts.templates.iter().enumerate() {
            let mut sizes: HashMap<&str, usize> = HashMap::new();
            for template in templates {
                let texts: usize = template.elements.iter().map(|element| 1 + element.texts.len()).sum();
                *sizes.entry(template.path.as_str()).or_default() += texts;
            }
            for (path, size) in sizes {
                let best = fullest.entry(path).or_insert((size, at));
                if size > best.0 {
                    *best = (size, at);
                }
            }
        }
        fullest
    }

    fn template_texts(&self, inspection: &mut Inspection) -> Bound {
        let mut bound = Bound::new();
        let fullest = self.fullest();
        for (at, (file, templates)) in self.parts.templates.iter().enumerate() {
            for template in templates {
                if fullest.get(template.path.as_str()).is_some_and(|&(_, best)| best != at) {
                    continue;
                }
                let screen = self.parts.config.screen(&template.path);
                let library = library(&template.path);
                let counts = subtree_texts(&template.elements);
                for (index, element) in template.elements.iter().enumerate() {
                    let shown = element.texts.iter().map(|text| (text, None));
                    let attributes = element.attributes.iter().filter_map(|(name, text)| {
                        let plain = name.trim_start_matches("data-");
                        is_text_attribute(plain).then_some((text, Some(plain)))
                    });
                    for (text, attribute) in shown.chain(attributes) {
                        let press = self.press(template, index, &counts);
                        let base =
                            self.template_text(file, template, element, attribute, text, &press, &screen);
                        if let (Role::Control, Some(widget)) = (base.role, &base.widget) {
                            for field in &text.fields {
                                bound
                                    .entry((route(&template.path).to_owned(), field.clone()))
                                    .or_insert_with(|| (widget.clone(), base.chain.clone()));
                            }
                        }
                        let wordings = std::iter::once(&text.text).chain(&text.choices);
                        for wording in wordings.filter(|wording| wording.chars().any(|ch| ch.is_alphabetic()))
                        {
                            let mut found = UiText { text: plain_spaces(wording), ..base.clone() };
                            if let Some(library) = library {
                                found.origin = Origin::Library(Arc::from(library));
                            }
                            if found.role == Role::Label && wording.chars().count() > 60 {
                                found.role = Role::Document;
                            }
                            inspection.texts.push(found);
                        }
                    }
                }
            }
        }
        bound
    }

    #[expect(clippy::too_many_arguments, reason = "all that is known of one text")]
    fn template_text(
        &self,
        file: &Arc<str>,
        template: &Template,
        element: &Element,
        attribute: Option<&str>,
        text: &Text,
        press: &Press<'_>,
        screen: &Option<Screen>,
    ) -> UiText {
        let input = matches!(element.tag.as_str(), "input" | "textarea");
        let role = match attribute {
            Some("placeholder") => Role::Hint,
            Some(_) if input => Role::Hint,
            _ if press.operable => Role::Control,
            _ => Role::Label,
        };
        let mut found = UiText::new("", role, Place::offset(file.clone(), text.offset as u64));
        found.usage = Usage::Used;
        found.key = attribute.map(str::to_owned);
        found.screen.clone_from(screen);
        found.document = self.document(screen.as_ref().map(|screen| screen.name.as_str()));
        found.widget = Some(Widget {
            class: press.element.map_or(&element.tag, |pressed| &pressed.tag).clone(),
            id: press
                .element
                .unwrap_or(element)
                .attributes
                .iter()
                .find(|(name, _)| name == "id")
                .map(|(_, id)| id.text.clone()),
            handler: press.handler.map(str::to_owned),
            operable: role == Role::Control,
        });
        found.chain = vec![template.path.clone()];
        if role == Role::Control {
            found.chain.extend(press.leads.map(str::to_owned));
            if let Some(handler) = press.handler {
                found.chain.push(format!("{}.{handler}", route(&template.path)));
                found.chain.extend(self.reached(&template.path, handler));
            }
        }
        found
    }

    /// Texts in pictures, with the element that shows the picture.
    fn picture_texts(&self, inspection: &mut Inspection) {
        let fullest = if self.parts.pictures.is_empty() { HashMap::new() } else { self.fullest() };
        for picture in &self.parts.pictures {
            let mut text = picture.clone();
            'shown: for (at, (file, templates)) in self.parts.templates.iter().enumerate() {
                for template in templates {
                    if fullest.get(template.path.as_str()).is_some_and(|&(_, best)| best != at) {
                        continue;
                    }
                    let is_here = |source: &&Text| {
                        relative(template.path.trim_start_matches("./"), &source.text) == *text.place.path
                    };
                    let images =
                        template.elements.iter().enumerate().filter(|(_, e)| e.tag.ends_with("image"));
                    let mut sources =
                        images.filter_map(|(at, e)| Some((at, attribute(e, "src").filter(is_here)?)));
                    let Some((index, source)) = sources.next() else { continue };
                    let press = self.press(template, index, &subtree_texts(&template.elements));
                    let screen = self.parts.config.screen(&template.path);
                    let element = &template.elements[index];
                    let base = self.template_text(file, template, element, None, source, &press, &screen);
                    text.chain.extend(base.chain.iter().cloned());
                    let (place, chain) = (text.place.clone(), text.chain.clone());
                    text = UiText { text: text.text, place, chain, key: None, ..base };
                    break 'shown;
                }
            }
            inspection.texts.push(text);
        }
    }

    /// What pressing a text does, by the element it is in or one around it.
    fn press<'t>(&self, template: &'t Template, index: usize, counts: &[usize]) -> Press<'t>
    where
        'a: 't,
    {
        let mut press = Press::default();
        let mut at = Some(index);
        for _ in 0..MAX_UP {
            let Some(element) = at.and_then(|at| template.elements.get(at)) else { break };
            let is_button = is_button(&element.tag);
            // A form is submitted by its button, not by whatever is in it.
            let handler = element
                .attributes
                .iter()
                .find(|(name, _)| element.tag != "form" && is_press(name, &element.tag));
            let small = at.is_some_and(|at| counts[at] <= MAX_TEXTS);
            if is_button || (handler.is_some() && small) {
                press.operable = true;
                press.element = Some(element);
                press.handler = handler.and_then(|(_, value)| self.handler(template, element, value));
                if handler.is_none()
                    && attribute(element, "formType").is_some_and(|text| text.text == "submit")
                {
                    press.handler = self.form_handler(template, element);
                }
                press.leads = attribute(element, "url").map(|url| url.text.as_str());
                break;
            }
            at = element.parent.map(|parent| parent as usize);
        }
        press
    }

    /// The handler of the form around a button.
    fn form_handler<'t>(&self, template: &'t Template, button: &'t Element) -> Option<&'t str> {
        let mut at = button.parent;
        for _ in 0..template.elements.len() {
            let element = template.elements.get(at? as usize)?;
            if element.tag == "form" {
                let (_, value) = element.attributes.iter().find(|(name, _)| is_press(name, "form"))?;
                return self.handler(template, element, value);
            }
            at = element.parent;
        }
        None
    }

    /// The function a handler attribute names; frameworks keep its name in `data-event-opts`.
    fn handler<'t>(&self, template: &'t Template, element: &'t Element, value: &'t Text) -> Option<&'t str> {
        let known = |name: &&str| self.functions.contains_key(&(route(&template.path), *name));
        if !value.text.is_empty() && !matches!(value.text.as_str(), "__e" | "eh" | "handleProxy" | "$eh") {
            return Some(value.text.as_str()).filter(|name| !name.contains(HOLE));
        }
        let options = element
            .attributes
            .iter()
            .find(|(name, _)| name == "data-event-opts" || name == "dataEventOpts")?;
        let names = options.1.choices.iter().map(|name| name.trim_start_matches('^'));
        let mut names = names.map(|name| name.split('(').next().unwrap_or(name));
        names
            .clone()
            .find(known)
            .or_else(|| names.find(|name| !matches!(*name, "tap" | "click" | "$event" | "o" | "")))
    }

    /// Pages and addresses in a function of the file's script and in the functions it calls.
    fn reached(&self, file: &str, handler: &str) -> Vec<String> {
        let module = route(file);
        let Some(&(at, index)) = self.functions.get(&(module, handler)) else { return Vec::new() };
        let mut found: Vec<String> = Vec::new();
        let mut followed = vec![(module, at, index, 0)];
        let mut next = 0;
        while let Some(&(module, at, index, depth)) = followed.get(next) {
            next += 1;
            let Some(Source { script, .. }) = self.parts.scripts.get(at) else { continue };
            let Some(function) = script.functions.get(index) else { continue };
            let body = function.start..function.end;
            let inside =
                |(script, offset, _): &&(usize, usize, String)| *script == at && body.contains(offset);
            for table in [&self.opened, &self.endpoints] {
                for (_, _, address) in table.get(module).into_iter().flatten().filter(inside) {
                    if !found.contains(address) {
                        found.push(address.clone());
                    }
                }
            }
            if depth == MAX_CALLS {
                continue;
            }
            let first = script.calls.partition_point(|call| call.offset < body.start);
            for call in script.calls[first..].iter().take_while(|call| call.offset < body.end) {
                let Some(name) = script::own_call(call.callee) else { continue };
                let own = self.functions.get(&(module, name)).map(|&(at, index)| (module, at, index));
                let Some((module, at, index)) = own.or_else(|| self.unique.get(name).copied().flatten())
                else {
                    continue;
                };
                let known =
                    followed.iter().any(|&(_, script, function, _)| (script, function) == (at, index));
                if followed.len() < MAX_FOLLOWED && !known {
                    followed.push((module, at, index, depth + 1));
                }
            }
        }
        found.truncate(MAX_ENDPOINTS);
        found
    }

    /// The screen an offset of a script is on.
    fn screen(&self, source: &Source<'_>, module: &str) -> Option<Screen> {
        self.parts.config.screen(module).or_else(|| source.screen.clone())
    }

    fn script_texts(&self, bound: &Bound, inspection: &mut Inspection) {
        for source in &self.parts.scripts {
            let script = &source.script;
            let labels: HashMap<Variable<'_>, &Label<'_>> =
                script.labels.iter().map(|label| (label.variable, label)).collect();
            for literal in &script.literals {
                // Tables of compiled templates, which are read as such.
                if literal.callee == Some("Z") && literal.element {
                    continue;
                }
                let (mut role, sink) = script::role(literal, script);
                let label = literal.given.and_then(|variable| labels.get(&variable));
                let label = label.filter(|_| role == Role::Code && literal.usage == Use::Value);
                if label.is_some() {
                    role = Role::Control;
                }
                if !script::is_shown(role, &literal.text) || endpoint::in_code(&literal.text).is_some() {
                    continue;
                }
                let unit = source.unit(literal.offset);
                let module = source.module(literal.offset);
                let entry = unit.is_some_and(|unit| unit.entry);
                if entry && matches!(literal.key, Some("title" | "titleText" | "navigationBarTitleText")) {
                    role = Role::Title;
                }
                let text = clip(&literal.text);
                let mut found = UiText::new(text, role, source.place(literal.offset));
                found.usage = Usage::Used;
                found.key = literal.key.map(str::to_owned);
                found.screen = self.screen(source, module);
                found.document = source
                    .document
                    .or_else(|| self.document(found.screen.as_ref().map(|screen| screen.name.as_str())));
                let function = literal.function.and_then(|index| script.functions.get(index as usize));
                found.chain = source.steps(literal.offset);
                found.chain.extend(around(script, literal.function).map(|function| function.name.to_owned()));
                found.chain.extend(sink.clone());
                found.chain.extend(literal.joined.map(str::to_owned));
                let class = if source.web { source.path.to_string() } else { module.to_owned() };
                found.code = Some(Code { class, method: function.map(|f| f.name.to_owned()), sink });
                let own = source.libraries.iter().find(|(range, _)| range.contains(&literal.offset));
                if let Some(library) = own.map(|(_, name)| *name).or_else(|| source.library(module)) {
                    found.origin = Origin::Library(Arc::from(library));
                }
                let platform = literal.callee.is_some_and(|callee| {
                    script::platform_api(callee).is_some() && !callee.ends_with(".setData")
                });
                if matches!(role, Role::Label | Role::Item | Role::Code)
                    && !platform
                    && let Some(key) = literal.key
                    && let Some((widget, chain)) = bound.get(&(module.to_owned(), key.to_owned()))
                {
                    found.role = Role::Control;
                    found.widget = Some(widget.clone());
                    found.chain.truncate(1);
                    found.chain.extend(chain.iter().cloned());
                } else if role == Role::Control
                    && literal.kind != LiteralKind::Comment
                    && literal.key != Some("itemList")
                {
                    let made = literal.callee.and_then(|callee| callee.rsplit('.').next());
                    let made = made.filter(|made| made.len() > 2);
                    let object = literal.object.and_then(|index| script.objects.get(index as usize));
                    let handler = literal
                        .handler
                        .or_else(|| object.and_then(|object| object.handler))
                        .or_else(|| label.and_then(|label| label.handler));
                    if let Some(handler) = handler {
                        found.chain.push(format!("{module}.{handler}"));
                        found.chain.extend(self.reached(module, handler));
                    }
                    found.widget = Some(Widget {
                        class: literal
                            .tag
                            .or(made)
                            .or_else(|| label.and_then(|label| label.tag))
                            .unwrap_or("element")
                            .to_owned(),
                        id: None,
                        handler: handler.map(str::to_owned),
                        operable: true,
                    });
                }
                if role != Role::Log && literal.text.chars().count() > 120 {
                    found.role = Role::Document;
                }
                inspection.texts.push(found);
            }
        }
    }

    /// What `<web-view>` shows of servers.
    fn web_pages(&self) -> WebPages {
        let mut pages = WebPages::default();
        for (file, templates) in &self.parts.templates {
            for template in templates {
                for element in template.elements.iter().filter(|element| element.tag == "web-view") {
                    let src = element.attributes.iter().find(|(name, _)| name == "src").map(|(_, text)| text);
                    let at = src.map_or(0, |text| text.offset as u64);
                    let place = Place::offset(file.clone(), at);
                    let screen = self.parts.config.screen(&template.path);
                    pages.screens.extend(screen.map(|screen| screen.name));
                    let module = route(&template.path);
                    let literal =
                        src.filter(|text| text.text.starts_with("http") && !text.text.contains(HOLE));
                    let set: Vec<&String> = match literal {
                        Some(text) => vec![&text.text],
                        // An address the page's own script puts there.
                        None => {
                            let own = self.endpoints.get(module).into_iter().flatten();
                            own.map(|(_, _, address)| address).filter(|a| a.starts_with("http")).collect()
                        }
                    };
                    set.iter().for_each(|address| pages.add(address, place.clone()));
                    if set.is_empty() {
                        pages.unknown.get_or_insert(place);
                    }
                }
            }
        }
        pages
    }

    fn facts(&self, inspection: &mut Inspection) {
        let config = &self.parts.config;
        let mut facts: BTreeMap<(FactKind, String), Fact> = BTreeMap::new();
        let mut add = |kind,
                       value: &str,
                       place: Place,
                       screen: Option<Screen>,
                       chain: Vec<String>,
                       library: Option<&str>| {
            let mut fact = Fact::new(kind, value, place);
            fact.screen = screen;
            fact.chain = chain;
            if let Some(library) = library {
                fact.origin = Origin::Library(Arc::from(library));
            }
            facts.entry((kind, value.to_owned())).or_insert(fact);
        };
        let place = config.place.clone().unwrap_or_else(|| Place::entry(""));
        for page in config.pages.iter().filter(|_| config.place.is_some()) {
            add(FactKind::Route, page, place.clone(), config.screen(page), Vec::new(), None);
        }
        for scope in &config.permissions {
            add(FactKind::Permission, scope, place.clone(), None, Vec::new(), None);
        }
        for api in &config.apis {
            add(FactKind::Api, api, place.clone(), None, Vec::new(), None);
        }
        for plugin in &config.plugins {
            add(FactKind::Sdk, plugin, place.clone(), None, Vec::new(), None);
        }
        for (file, templates) in &self.parts.templates {
            for template in templates {
                let input = |element: &&Element| {
                    matches!(element.tag.as_str(), "input" | "textarea" | "picker" | "radio-group")
                };
                if template.elements.iter().filter(input).count() >= FORM_INPUTS {
                    let (screen, chain) = (config.screen(&template.path), vec![template.path.clone()]);
                    let place = Place::entry(file.clone());
                    add(FactKind::Api, FORM, place, screen, chain, library(&template.path));
                }
                for element in template
                    .elements
                    .iter()
                    .filter(|element| matches!(element.tag.as_str(), "ad" | "ad-custom"))
                {
                    let offset = element
                        .texts
                        .iter()
                        .chain(element.attributes.iter().map(|(_, text)| text))
                        .map(|text| text.offset)
                        .next();
                    let place = Place::offset(file.clone(), offset.unwrap_or_default() as u64);
                    let chain = vec![template.path.clone()];
                    add(
                        FactKind::Api,
                        &format!("<{}>", element.tag),
                        place,
                        config.screen(&template.path),
                        chain,
                        library(&template.path),
                    );
                }
            }
        }
        for source in &self.parts.scripts {
            let script = &source.script;
            for call in &script.calls {
                if let Some(api) = script::platform_api(call.callee) {
                    let module = source.module(call.offset);
                    let (screen, steps) = (self.screen(source, module), source.steps(call.offset));
                    add(
                        FactKind::Api,
                        &api,
                        source.place(call.offset),
                        screen,
                        steps,
                        source.library(module),
                    );
                }
            }
            for function in &script.functions {
                let module = source.module(function.start);
                let screen = self.screen(source, module);
                if function.name.len() > 3 && (source.web || function.holder.is_some() || screen.is_some()) {
                    let (place, steps) = (source.place(function.start), source.steps(function.start));
                    add(FactKind::Function, function.name, place, screen, steps, source.library(module));
                }
            }
            for literal in script.literals.iter().filter(|_| source.web) {
                let opens = literal.callee.is_some_and(|callee| callee.contains("navigate"));
                if (literal.key == Some("path") || opens)
                    && literal.usage == Use::Value
                    && literal.kind != LiteralKind::Comment
                    && let Some(address) = endpoint::in_code(&literal.text)
                {
                    let module = source.module(literal.offset);
                    let (screen, steps) = (self.screen(source, module), source.steps(literal.offset));
                    let place = source.place(literal.offset);
                    add(FactKind::Route, address, place, screen, steps, source.library(module));
                }
            }
        }
        let mut modules: Vec<_> = self.endpoints.iter().collect();
        modules.sort();
        for (module, addresses) in modules {
            for (script, offset, address) in addresses {
                let Some(source) = self.parts.scripts.get(*script) else { continue };
                let (screen, steps) = (self.screen(source, module), source.steps(*offset));
                add(
                    FactKind::Endpoint,
                    address,
                    source.place(*offset),
                    screen,
                    steps,
                    source.library(module),
                );
            }
        }
        if let Some(unit) = self.ad_unit() {
            let own = |fact: &&mut Fact| fact.kind == FactKind::Api && fact.origin == Origin::App;
            for fact in facts.values_mut().filter(own).filter(|fact| script::is_ad(&fact.value)) {
                fact.registered = Some(unit.to_owned());
            }
        }
        inspection.facts.extend(facts.into_values());
    }

    /// The id of an advertising slot that a template or the code of the app itself holds.
    fn ad_unit(&self) -> Option<&str> {
        let is_unit = |text: &&str| script::is_ad_unit(text.as_bytes());
        let own = |template: &&Template| library(&template.path).is_none();
        let templates = self.parts.templates.iter().flat_map(|(_, templates)| templates).filter(own);
        let elements = templates.flat_map(|template| &template.elements);
        let attributes = elements.filter(|element| script::is_ad(&format!("<{}>", element.tag)));
        let written = attributes.flat_map(|element| &element.attributes).map(|(_, text)| text.text.as_str());
        let literals = self.parts.scripts.iter().flat_map(|source| {
            let own = |literal: &&Literal<'_>| {
                literal.kind != LiteralKind::Comment
                    && source.library(source.module(literal.offset)).is_none()
            };
            source.script.literals.iter().filter(own).map(|literal| &*literal.text)
        });
        written.chain(literals).find(is_unit)
    }
}

/// What pressing something does.
#[derive(Debug, Default)]
struct Press<'t> {
    operable: bool,
    element: Option<&'t Element>,
    handler: Option<&'t str>,
    /// The page it leads to.
    leads: Option<&'t str>,
}

/// The named functions around the innermost one and that one, outermost first: a handler and the callback in it.
fn around<'s, 'a>(script: &'s Script<'a>, innermost: Option<u32>) -> impl Iterator<Item = &'s Function<'a>> {
    let mut found: Vec<&Function<'a>> = Vec::new();
    let last = innermost.map_or(0, |index| index as usize + 1).min(script.functions.len());
    for function in script.functions[last.saturating_sub(MAX_FOLLOWED)..last].iter().rev() {
        if found.last().is_none_or(|inner| function.end >= inner.end) && found.len() < MAX_CALLS {
            found.push(function);
        }
    }
    found.into_iter().rev()
}

/// The characters kept of a text.
fn clip(text: &str) -> &str {
    text.char_indices().nth(MAX_TEXT).map_or(text, |(at, _)| &text[..at])
}

fn attribute<'t>(element: &'t Element, name: &str) -> Option<&'t Text> {
    element.attributes.iter().find(|(own, _)| own == name).map(|(_, text)| text)
}

/// Trimmed, with the spaces that templates write as entities.
fn plain_spaces(text: &str) -> String {
    let text = text.trim();
    if !text.contains('&') {
        return text.to_owned();
    }
    ["&nbsp;", "&ensp;", "&emsp;"].iter().fold(text.to_owned(), |text, entity| text.replace(entity, " "))
}

/// How many texts an element and those inside it have.
fn subtree_texts(elements: &[Element]) -> Vec<usize> {
    let own = |element: &Element| {
        element.texts.iter().filter(|text| has_cjk(&text.text) || !text.choices.is_empty()).count()
    };
    let mut counts: Vec<usize> = elements.iter().map(own).collect();
    for (index, element) in elements.iter().enumerate().rev() {
        if let Some(parent) = element.parent.map(|parent| parent as usize)
            && parent < index
        {
            counts[parent] += counts[index];
        }
    }
    counts
}

fn is_button(tag: &str) -> bool {
    matches!(tag, "button" | "navigator" | "functional-page-navigator" | "switch" | "checkbox" | "radio")
        || tag.ends_with("-button")
        || tag.ends_with("-btn")
        || tag.ends_with("-cell")
        || tag.ends_with("-tab")
}

/// Whether an attribute handles a press on the element.
fn is_press(attribute: &str, tag: &str) -> bool {
    let lower = attribute.to_ascii_lowercase();
    let bare =
        ["capture-", "mut-"].iter().fold(lower.as_str(), |name, prefix| name.trim_start_matches(prefix));
    let event = bare
        .strip_prefix("bind")
        .or_else(|| bare.strip_prefix("catch"))
        .map(|event| event.trim_start_matches([':', '-']));
    match event {
        Some(
            "tap" | "longpress" | "longtap" | "click" | "submit" | "confirm" | "getphonenumber"
            | "getuserinfo" | "chooseavatar" | "contact" | "opensetting" | "launchapp",
        ) => true,
        Some("change") => matches!(tag, "picker" | "switch" | "radio-group" | "checkbox-group" | "slider"),
        _ => false,
    }
}

fn is_text_attribute(name: &str) -> bool {
    matches!(
        name,
        "placeholder"
            | "title"
            | "text"
            | "label"
            | "content"
            | "desc"
            | "header"
            | "note"
            | "confirmText"
            | "cancelText"
            | "tip"
            | "emptyText"
            | "subTitle"
            | "rightText"
            | "leftText"
            | "value"
            | "name"
    )
}

/// Third-party modules by their path.
fn library(module: &str) -> Option<&'static str> {
    let path = module.trim_start_matches('/');
    let parts = [
        ("miniprogram_npm/", "npm package"),
        ("node_modules/", "npm package"),
        ("@babel/runtime", "Babel runtime"),
        ("/vant/", "Vant Weapp"),
        ("vant-weapp", "Vant Weapp"),
        ("tdesign-miniprogram", "TDesign"),
        ("uni_modules/", "uni-app plugin"),
        ("uview-ui", "uView"),
        ("uni-ui", "uni-ui"),
        ("colorui", "ColorUI"),
        ("iview-weapp", "iView Weapp"),
        ("ec-canvas", "ECharts"),
        ("wxParse", "wxParse"),
        ("wxparser", "wxParser"),
        ("mp-html", "mp-html"),
        ("plugin-private://", "plugin"),
        ("weui-miniprogram", "WeUI"),
    ];
    parts.iter().find(|(part, _)| path.contains(part)).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::wxml_code;
    use crate::model::{Inspection, TargetKind};

    /// One page: two buttons, a menu filled from data, a form; its script; a module with the addresses.
    const TEMPLATE: &str = r#"function gz$gwx_1(){function Z(ops){z.push(ops)}
Z([3,'punch'])
Z([3,'打卡'])
Z([[7],[3,'menus']])
Z([3,'open'])
Z([a,[[6],[[7],[3,'item']],[3,'name']]])
Z([3,'send'])
Z([3,'submit'])
Z([3,'姓名'])
Z([3,'提交'])
Z([3,'积分&nbsp;榜'])
}
var x=['./pages/punch/index.wxml','./components/tip/tip.wxml'];d_[x[0]]={}
var m0=function(e,s,r,gg){
var z=gz$gwx_1()
var oA=_mz(z,'view',['bindtap',0],[],e,s,gg)
var oB=_n('text')
var oC=_oz(z,1,e,s,gg)
_(oB,oC)
_(oA,oB)
_(r,oA)
var oD=_mz(z,'view',['bindtap',3],[],e,s,gg)
var oE=_oz(z,4,e,s,gg)
_(oD,oE)
_(r,oD)
var oF=_mz(z,'form',['bindsubmit',5],[],e,s,gg)
var oG=_n('label')
var oH=_oz(z,7,e,s,gg)
_(oG,oH)
_(oF,oG)
var oI=_mz(z,'button',['formType',6],[],e,s,gg)
var oJ=_oz(z,8,e,s,gg)
_(oI,oJ)
_(oF,oI)
_(r,oF)
return r
}
e_[x[0]]={f:m0,j:[],i:[],ti:[],ic:[]}
d_[x[1]]={}
var m1=function(e,s,r,gg){
var z=gz$gwx_1()
var oB=_n('view')
var xC=_oz(z,9,e,s,gg)
_(oB,xC)
_(r,oB)
return r
}
e_[x[1]]={f:m1,j:[],i:[],ti:[],ic:[]}"#;

    const SCRIPT: &str = "define('utils/api.js',function(r,m,e){e.checkin=function(d){return q('/patrol/checkin',d)}});\
        define('pages/punch/index.js',function(r){Page({data:{menus:[{name:'每日签到',url:'/pages/sign/index'}]},\
        punch:function(){this.post()},post:function(){a.checkin({})},open:function(e){\
        wx.navigateTo({url:'../sign/index'})},send(){wx.request({url:'/form/save'});\
        wx.showToast({title:'已提交'})},debug(){console.log('打卡日志')}})});";

    fn linked() -> Inspection {
        let config = serde_json::json!({
            "pages": ["pages/punch/index"],
            "page": {"pages/punch/index.html": {"window": {
                "navigationBarTitleText": "巡查打卡", "usingComponents": {"tip": "../../components/tip/tip"}}}},
            "tabBar": {"list": [{"pagePath": "pages/punch/index.html", "text": "巡查"}]},
        });
        let mut parts = Parts { config: Config::read(&config), ..Parts::default() };
        let read = wxml_code::read(TEMPLATE.as_bytes());
        parts.templates.push(("page-frame.html".into(), read.templates));
        let script = Script::read(SCRIPT.as_bytes(), script::FILTER);
        parts.scripts.push(Source::packaged("app-service.js".into(), script));
        parts.config.add_page_files(&[], &read.imports);
        let mut inspection = Inspection::new(TargetKind::MiniProgram, "wxapkg");
        link(&parts, &mut inspection);
        inspection
    }

    fn text<'i>(inspection: &'i Inspection, wanted: &str) -> &'i UiText {
        inspection.texts.iter().find(|text| text.text == wanted).unwrap_or_else(|| panic!("{wanted}"))
    }

    #[test]
    fn a_pressed_text_leads_to_its_page_handler_and_address() {
        let inspection = linked();
        let punch = text(&inspection, "打卡");
        assert_eq!(punch.role, Role::Control);
        let widget = punch.widget.as_ref().unwrap();
        assert_eq!(
            (widget.class.as_str(), widget.handler.as_deref(), widget.operable),
            ("view", Some("punch"), true)
        );
        let screen = punch.screen.as_ref().unwrap();
        assert_eq!(
            (screen.name.as_str(), screen.title.as_deref(), screen.reachable),
            ("pages/punch/index", Some("巡查打卡"), true)
        );
        assert_eq!(punch.chain, ["pages/punch/index.wxml", "pages/punch/index.punch", "/patrol/checkin"]);
    }

    #[test]
    fn a_thinned_copy_of_a_template_is_left_out() {
        let thin = TEMPLATE.replace("_(oB,oC)\n", "");
        let mut parts = Parts::default();
        for (file, source) in [("a.appservice.js", thin.as_str()), ("a.webview.js", TEMPLATE)] {
            parts.templates.push((file.into(), wxml_code::read(source.as_bytes()).templates));
        }
        let mut inspection = Inspection::new(TargetKind::MiniProgram, "wxapkg");
        link(&parts, &mut inspection);
        let found: Vec<&str> = inspection
            .texts
            .iter()
            .filter(|text| text.text == "提交")
            .map(|text| &*text.place.path)
            .collect();
        // The page is fuller in the second, the component is equal in both and taken once.
        assert_eq!(found, ["a.webview.js"]);
        assert_eq!(inspection.texts.iter().filter(|text| text.text == "积分 榜").count(), 1);
    }

    #[test]
    fn data_that_a_control_shows_is_its_text() {
        let inspection = linked();
        let sign = text(&inspection, "每日签到");
        assert_eq!(sign.role, Role::Control);
        assert_eq!(sign.widget.as_ref().unwrap().handler.as_deref(), Some("open"));
        assert_eq!(sign.chain.last().map(String::as_str), Some("pages/sign/index"));
    }

    #[test]
    fn a_button_shows_what_a_condition_chooses() {
        let mut parts = Parts::default();
        let source = "define('pages/home/index.js',function(){var o=function(e){var t=e.o,a=function(e){\
                      return e.done?'已打卡':'打卡领奖'}(t),n=t.x?'立即报名':'';return(0,I.jsx)(v.View,{children:[\
                      (0,I.jsx)(v.Text,{children:n}),(0,I.jsx)(v.Button,{className:'b',onClick:function(){\
                      w.Z.go('/pages/sign/index')},children:a})]})}})";
        parts
            .scripts
            .push(Source::packaged("app-service.js".into(), Script::read(source.as_bytes(), script::FILTER)));
        let mut inspection = Inspection::new(TargetKind::MiniProgram, "wxapkg");
        link(&parts, &mut inspection);
        for label in ["打卡领奖", "已打卡"] {
            let found = text(&inspection, label);
            assert_eq!(found.role, Role::Control, "{label}");
            assert_eq!(found.widget.as_ref().map(|widget| widget.class.as_str()), Some("Button"));
        }
        // What a text shows is not pressed.
        assert_ne!(text(&inspection, "立即报名").role, Role::Control);
    }

    /// The facts of a program with one script and without templates.
    fn apis_of(source: &str) -> Vec<(String, Option<String>)> {
        let mut parts = Parts::default();
        parts
            .scripts
            .push(Source::packaged("app-service.js".into(), Script::read(source.as_bytes(), script::FILTER)));
        let mut inspection = Inspection::new(TargetKind::MiniProgram, "wxapkg");
        link(&parts, &mut inspection);
        let apis = inspection.facts.into_iter().filter(|fact| fact.kind == FactKind::Api);
        apis.map(|fact| (fact.value, fact.registered)).collect()
    }

    #[test]
    fn an_advertising_slot_is_told_with_its_id_whatever_it_is_asked_of() {
        let unit = Some("adunit-0123456789abcdef".to_owned());
        for receiver in ["wx", "uni", "w()", "this.wx", "n.default"] {
            let source = format!(
                "define('a.js',function(){{var e='adunit-0123456789abcdef';{receiver}.createRewardedVideoAd({{adUnitId:e}})}})"
            );
            let expected = [("wx.createRewardedVideoAd".to_owned(), unit.clone())];
            assert_eq!(apis_of(&source), expected, "{receiver}");
        }
        // An adapter that hands the id of others through, and a method of that name that nobody calls.
        let adapter =
            "define('a.js',function(){e.exports={show:function(t){this.wx.createBannerAd({adUnitId:t})}}})";
        assert_eq!(apis_of(adapter), [("wx.createBannerAd".to_owned(), None)]);
        assert_eq!(apis_of("define('a.js',function(){e.exports={createBannerAd(t){return t}}})"), []);
        // The id alone shows nothing, and what another package brings along is not the app's.
        assert_eq!(apis_of("define('a.js',function(){var e='adunit-0123456789abcdef'})"), []);
        let library = "define('miniprogram_npm/ad/a.js',function(){wx.createBannerAd({adUnitId:'adunit-0123456789abcdef'})})";
        assert_eq!(apis_of(library), [("wx.createBannerAd".to_owned(), None)]);
    }

    #[test]
    fn a_form_is_submitted_by_its_button_only() {
        let inspection = linked();
        assert_eq!(text(&inspection, "姓名").role, Role::Label);
        let submit = text(&inspection, "提交");
        assert_eq!(submit.widget.as_ref().unwrap().handler.as_deref(), Some("send"));
        assert_eq!(submit.chain.last().map(String::as_str), Some("/form/save"));
    }

    #[test]
    fn roles_follow_the_use() {
        let inspection = linked();
        assert_eq!(text(&inspection, "已提交").role, Role::Message);
        assert_eq!(text(&inspection, "打卡日志").role, Role::Log);
        assert_eq!(text(&inspection, "巡查打卡").role, Role::Title);
        assert_eq!(text(&inspection, "巡查").role, Role::Control);
        // A component's text is on the page that uses the component.
        let tip = text(&inspection, "积分 榜");
        assert_eq!(tip.screen.as_ref().map(|screen| screen.name.as_str()), Some("pages/punch/index"));
        let endpoints: Vec<&str> = inspection
            .facts
            .iter()
            .filter(|f| f.kind == FactKind::Endpoint)
            .map(|f| f.value.as_str())
            .collect();
        assert!(endpoints.contains(&"/patrol/checkin") && endpoints.contains(&"/form/save"), "{endpoints:?}");
    }
}
