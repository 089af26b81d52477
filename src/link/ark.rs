//! ArkTS: from a literal in bytecode to the component that shows it, the page that holds the component and the
//! address that a press leads to.
//!
//! What the compiler makes of a page (`Text.create`, `observeComponentCreation2`, `pop`) was learned from packages
//! that DevEco Studio built and their sources.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use crate::decode::abc::code::{Argument, Base, Body, Callee, Sink, Use, Value, Walker};
use crate::decode::abc::{Abc, Class};
use crate::decode::resindex::{Kind, Table};
use crate::link::endpoint;
use crate::model::{
    Code, Fact, FactKind, GapReason, Inspection, Origin, PartName, Place, Role, Screen, UiText, Usage, Widget,
};
use crate::text::has_cjk;

/// A press is followed through this many calls.
const MAX_CALLS: usize = 5;
/// So many methods are visited for one press.
const MAX_VISITED: usize = 200;
/// More addresses than this behind one press say nothing.
const MAX_ENDPOINTS: usize = 4;
/// Longest text that is kept, in characters.
const MAX_TEXT: usize = 20_000;
/// Texts of one file may take this many times its size.
const MAX_GROWTH: usize = 8;
/// Strings of one file are read as often as makes this many times its size.
const MAX_READ: usize = 64;
/// Components, calls and functions of one function that are looked at for one text.
const MAX_LOOKED_AT: usize = 256;
/// Components of one function that are open at the same time, at most.
const MAX_OPEN: usize = 256;
/// Components around a component, at most.
const MAX_DEPTH: usize = 64;

/// What is known of the package around the bytecode.
pub(crate) struct Parts<'p> {
    /// Entry of the bytecode.
    pub(crate) path: &'p str,
    /// Entry of the resource table.
    pub(crate) table_path: &'p str,
    /// The resource table.
    pub(crate) table: Option<&'p Table<'p>>,
    /// Page paths of the manifest and of route maps: `pages/Index`.
    pub(crate) pages: &'p [String],
    /// Source files of abilities: `ets/entryability/EntryAbility`.
    pub(crate) entries: &'p [String],
    /// Titles that the manifest gives to pages.
    pub(crate) titles: &'p BTreeMap<String, String>,
}

/// Whose a record is and which source file it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    /// Path without the module's source folder: `pages/Index`, `common/Log`.
    pub(crate) path: String,
    /// The module or library.
    pub(crate) module: String,
    /// A third-party library.
    pub(crate) library: bool,
}

/// Scopes of packages that third parties publish.
const SCOPES: &[&str] = &[
    "@ohos/",
    "@ohos+",
    "@hms",
    "@hw-",
    "@huawei",
    "@umeng",
    "@tencent",
    "@alipay",
    "@cashier_alipay",
    "@amap",
    "@bdmap",
    "@baidu",
    "@jg/",
    "@jpush",
    "@jiguang",
    "@getui",
    "@wechat",
    "@pura",
    "@abner",
    "@lyb",
    "@rn",
    "@react-native",
    "@sentry",
    "@mob",
    "@rongcloud",
    "@netease",
    "@aliyun",
    "@volcengine",
    "@bytedance",
    "@dcloudio",
    "@cordova",
    "@flutter",
];

/// Packages without a scope that apps take from the registry.
const PACKAGES: &[&str] = &[
    "dayjs",
    "crypto-js",
    "lodash",
    "moment",
    "class-transformer",
    "reflect-metadata",
    "js-base64",
    "axios",
    "buffer",
    "pako",
    "uuid",
    "long",
    "protobufjs",
    "eventemitter3",
    "flutter_module",
    "flutter",
];

/// Reads a record name: `&entry/src/main/ets/pages/Index&`, `com.example/entry/ets/pages/Index`.
pub(crate) fn record(name: &str) -> Record {
    let parts: Vec<&str> = name.split('&').collect();
    let (path, normalized) = match *parts.as_slice() {
        // Bundle, path, version.
        [_, path, ..] => (path, true),
        _ => (name, false),
    };
    let lower = path.to_ascii_lowercase();
    if let Some(folder) =
        ["pkg_modules/", "oh_modules/", "node_modules/"].into_iter().find(|folder| lower.contains(folder))
    {
        let at = lower.rfind(folder).map_or(0, |at| at + folder.len());
        let rest = &path[at..];
        let mut segments = rest.split('/');
        let first = segments.next().unwrap_or(rest);
        let module = match segments.next() {
            Some(second) if first.starts_with('@') => format!("{first}/{second}"),
            _ => first.to_owned(),
        };
        return Record { path: rest.to_owned(), module, library: true };
    }
    let path = match path.split_once('/') {
        // The bundle comes first, `bundle/module@library/…` names a library of the app's own.
        Some((bundle, rest)) if !normalized && bundle.contains('.') => rest,
        _ => path,
    };
    let depth = if path.starts_with('@') { 2 } else { 1 };
    let at = path.match_indices('/').nth(depth - 1).map_or(path.len(), |(at, _)| at);
    let (module, rest) = path.split_at(at);
    let rest = rest.trim_start_matches('/');
    let inside =
        ["src/main/ets/", "src/main/js/", "ets/"].iter().find_map(|folder| rest.strip_prefix(folder));
    let library = SCOPES.iter().any(|scope| path.starts_with(scope)) || PACKAGES.contains(&module);
    Record { path: inside.unwrap_or(rest).to_owned(), module: module.to_owned(), library }
}

/// The record of a class in a file. Where each page is a file of its own, records are called alike and the path
/// of the file says which page it is: `assets/js/MainAbility/pages/index/index.abc`.
fn record_in(name: &str, path: &str) -> Record {
    if name != GLOBAL {
        return record(name);
    }
    let path = path.rsplit('!').next().unwrap_or(path);
    let path = path.strip_suffix(".abc").unwrap_or(path);
    let inside =
        ["assets/js/", "js/", "ets/"].iter().find_map(|folder| path.strip_prefix(folder)).unwrap_or(path);
    let page = inside.find("pages/").map_or(inside, |at| &inside[at..]);
    Record { path: page.to_owned(), module: String::new(), library: false }
}

/// The only record of a file that was not compiled as a module.
const GLOBAL: &str = "_GLOBAL";

/// The record an import names.
fn request(text: &str) -> Cow<'_, str> {
    if let Some(rest) = text.strip_prefix("@normalized:") {
        return Cow::Borrowed(rest.splitn(3, '&').nth(2).unwrap_or(rest));
    }
    Cow::Borrowed(text.strip_prefix("@bundle:").unwrap_or(text))
}

/// One component that a function creates.
#[derive(Debug, Clone)]
struct Component {
    class: String,
    /// Offset of the call that creates it.
    offset: u32,
    /// The function that runs when it is pressed.
    handler: Option<Argument>,
}

#[derive(Debug, Default)]
struct Function {
    body: Body,
    components: Vec<Component>,
    /// The function around it: the component it is inside of, or what defines it.
    parent: Option<usize>,
    endpoints: Vec<(String, u32)>,
    /// Pages it goes to.
    routes: Vec<(String, u32)>,
    calls: Vec<usize>,
}

struct Linker<'p, 'a> {
    parts: &'p Parts<'p>,
    abc: &'p Abc<'a>,
    records: Vec<Record>,
    functions: Vec<Function>,
    /// Methods by class and plain name.
    by_name: HashMap<(usize, &'p str), Vec<usize>>,
    class_names: HashMap<&'p str, usize>,
    /// What defines a function, by method.
    definers: Vec<Option<usize>>,
    screens: Vec<Option<Screen>>,
    reached: Vec<bool>,
    used: HashSet<u32>,
    /// Bytes of text that may still be added.
    left: usize,
    /// Bytes of strings that may still be read.
    readable: Cell<usize>,
    pages: HashSet<&'p str>,
    path: Arc<str>,
    table_path: Arc<str>,
}

/// What linking found out beside texts and facts.
#[derive(Debug, Default)]
pub(crate) struct Linked {
    /// Ids of the resources that code uses.
    pub(crate) used: HashSet<u32>,
    /// All of the code could be followed.
    pub(crate) whole: bool,
    /// Code looks resources up by names that may be made at run time.
    pub(crate) by_name: bool,
}

/// Adds what the bytecode holds.
pub(crate) fn link<'p>(
    abc: &'p Abc<'_>,
    parts: &'p Parts<'p>,
    size: usize,
    inspection: &mut Inspection,
) -> Linked {
    let mut linker = Linker {
        parts,
        abc,
        records: abc.classes().iter().map(|class| record_in(&class.name, parts.path)).collect(),
        functions: Vec::new(),
        by_name: HashMap::new(),
        class_names: abc.classes().iter().enumerate().map(|(index, class)| (&*class.name, index)).collect(),
        definers: Vec::new(),
        screens: Vec::new(),
        reached: Vec::new(),
        used: HashSet::new(),
        left: size.saturating_mul(MAX_GROWTH),
        readable: Cell::new(size.saturating_mul(MAX_READ)),
        pages: parts.pages.iter().map(String::as_str).collect(),
        path: Arc::from(parts.path),
        table_path: Arc::from(parts.table_path),
    };
    let whole = linker.read(inspection);
    linker.reach();
    linker.nest();
    linker.texts(inspection);
    linker.facts(inspection);
    let cut = linker.left == 0 || linker.readable.get() == 0;
    if cut {
        let detail = ("文本量超过上限，其余未检视", "more text than the file can hold; the rest is not read");
        inspection.gap(PartName::Dex, &Place::entry(parts.path), GapReason::LimitReached, detail);
    }
    let by_name = linker.looks_up_names();
    Linked { used: linker.used, whole: whole && !cut, by_name }
}

impl<'p, 'a> Linker<'p, 'a> {
    fn name(&self, offset: u32) -> Cow<'a, str> {
        self.abc.name(offset).unwrap_or_default()
    }

    /// A string that may be long; empty when more was read than the file can hold.
    fn text(&self, offset: u32) -> Cow<'a, str> {
        if self.readable.get() == 0 {
            return Cow::Borrowed("");
        }
        let text = self.abc.string(offset).unwrap_or_default();
        self.readable.set(self.readable.get().saturating_sub(text.len()));
        text
    }

    /// The words before and after the dot of a call, as the source has them.
    fn callee(&self, class: usize, callee: Callee) -> (String, String) {
        let base = match callee.base {
            Base::Named(name) => self.name(name).into_owned(),
            Base::Import(index) => self.import(class, index),
            Base::This => "this".to_owned(),
            Base::Unknown => String::new(),
        };
        (base, callee.name.map(|name| self.name(name).into_owned()).unwrap_or_default())
    }

    /// What an imported name is called where it is defined: `router` of `@ohos:router`.
    fn import(&self, class: usize, index: u16) -> String {
        let module = self.abc.classes().get(class).map(|class| &class.module);
        let Some((module, import)) = module.and_then(|m| Some((m, m.imports.get(usize::from(index))?)))
        else {
            return String::new();
        };
        if import.name != "default" {
            return import.name.to_string();
        }
        match module.requests.get(import.request).and_then(|request| request.strip_prefix("@ohos:")) {
            Some(module) => module.rsplit('.').next().unwrap_or(module).to_owned(),
            None => import.local.to_string(),
        }
    }

    /// Follows every method.
    fn read(&mut self, inspection: &mut Inspection) -> bool {
        let mut walker = Walker::new(self.abc);
        let mut broken = Vec::new();
        for (index, method) in self.abc.methods().iter().enumerate() {
            let body = walker.method(index).unwrap_or_default();
            broken.extend(body.broken);
            self.by_name.entry((method.class, method.plain_name())).or_default().push(index);
            self.functions.push(Function { body, ..Function::default() });
        }
        if let Some(first) = broken.first() {
            let detail = format!("{} methods cannot be followed to their end", broken.len());
            let place = Place::offset(self.path.clone(), u64::from(*first));
            let both = (format!("{} 个方法的代码无法完整解读", broken.len()), detail.clone());
            inspection.gap(PartName::Dex, &place, GapReason::Malformed, both);
            inspection.anomaly("abc.unknown-instruction", &place, detail);
            self.loose(inspection);
        }
        for index in 0..self.functions.len() {
            self.functions[index].components = self.components(index);
            self.functions[index].endpoints = self.endpoints(index);
            self.functions[index].routes = self.routes(index);
            self.functions[index].calls = self.calls(index);
        }
        broken.is_empty()
    }

    /// Strings of the index that no method was seen to load, when not every method could be followed.
    fn loose(&self, inspection: &mut Inspection) {
        let mut seen: HashSet<u32> = HashSet::new();
        for function in &self.functions {
            seen.extend(function.body.uses.iter().filter_map(|found| match found.value {
                Value::String(string) => Some(string),
                Value::Resource(_) => None,
            }));
        }
        for (offset, text) in self.abc.indexed_strings() {
            if !seen.contains(&offset) && has_cjk(&text) {
                let place = Place::offset(self.path.clone(), u64::from(offset));
                inspection.texts.push(UiText::new(cut(&text), Role::Code, place));
            }
        }
    }

    /// The components a function creates, in order, with their handlers.
    fn components(&self, index: usize) -> Vec<Component> {
        let mut all: Vec<Component> = Vec::new();
        for call in &self.functions[index].body.calls {
            let (Base::Named(base), Some(name)) = (call.callee.base, call.callee.name) else { continue };
            let name = self.name(name);
            if name.starts_with("create") {
                let class = self.name(base);
                let known = class.starts_with(|first: char| first.is_ascii_uppercase()) && class != "Object";
                if known && all.len() < MAX_LOOKED_AT {
                    all.push(Component { class: class.into_owned(), offset: call.offset, handler: None });
                }
            } else if is_press(&name) {
                let class = self.name(base);
                if let Some(found) = all.iter_mut().rev().find(|component| component.class == class) {
                    found.handler = Some(call.arguments[0]);
                }
            }
        }
        all
    }

    fn endpoints(&self, index: usize) -> Vec<(String, u32)> {
        let class = self.abc.methods()[index].class;
        let mut found = Vec::new();
        for used in &self.functions[index].body.uses {
            let Value::String(string) = used.value else { continue };
            let text = self.text(string);
            let Some(address) = endpoint::in_code(&text) else { continue };
            let silent = used.sinks.iter().any(|sink| match sink {
                Sink::Compared => true,
                Sink::Call { callee, .. } => {
                    let (base, name) = self.callee(class, *callee);
                    is_log(&base, &name) || is_router(&base, &name)
                }
                _ => false,
            });
            if !silent && !self.is_path(&text) {
                found.push((address.to_owned(), used.offset));
            }
        }
        found
    }

    fn looks_up_names(&self) -> bool {
        let mut names: HashSet<u32> = HashSet::new();
        for call in self.functions.iter().flat_map(|function| &function.body.calls) {
            names.extend(call.callee.name);
        }
        names.into_iter().any(|name| {
            let name = self.name(name);
            name.starts_with("get") && (name.ends_with("ByName") || name.ends_with("ByNameSync"))
        })
    }

    fn routes(&self, index: usize) -> Vec<(String, u32)> {
        let class = self.abc.methods()[index].class;
        let goes = |used: &&Use| {
            used.sinks.iter().any(|sink| match sink {
                Sink::Call { callee, key, .. } => {
                    let (base, name) = self.callee(class, *callee);
                    let key = key.map(|key| self.name(key));
                    is_router(&base, &name)
                        && name != "registerNamedRoute"
                        && key.is_none_or(|key| matches!(&*key, "url" | "name" | "uri"))
                }
                _ => false,
            })
        };
        let uses = self.functions[index].body.uses.iter().filter(goes);
        let named = uses.filter_map(|used| match used.value {
            Value::String(string) => Some((self.text(string).into_owned(), used.offset)),
            Value::Resource(_) => None,
        });
        named.filter(|(route, _)| route.len() > 2 && route.len() < 200).collect()
    }

    /// A page or a file of the package.
    fn is_path(&self, text: &str) -> bool {
        let path = text.trim_start_matches("./").trim_start_matches("ets/");
        text.starts_with("./")
            || text.starts_with("../")
            || text.contains("src/main/ets/")
            || path.starts_with("pages/")
            || self.pages.contains(path)
            || text.contains(".ohos.")
            || ["png", "jpg", "jpeg", "svg", "gif", "webp", "mp3", "mp4", "ttf", "so", "ets", "ts", "db"]
                .iter()
                .any(|ending| {
                    text.rsplit_once('.').is_some_and(|(_, last)| last == *ending) && !text.contains("://")
                })
    }

    /// Own methods that a function calls, and functions it makes.
    fn calls(&self, index: usize) -> Vec<usize> {
        let class = self.abc.methods()[index].class;
        let body = &self.functions[index].body;
        let mut found: Vec<usize> =
            body.functions.iter().filter_map(|made| self.abc.method_at(*made)).collect();
        // The file as a whole makes its classes; it does not run them.
        if self.abc.methods()[index].plain_name() == "func_main_0" {
            found.clear();
        }
        for call in &body.calls {
            let Some(name) = call.callee.name else { continue };
            let name = self.name(name);
            let mut holder = class;
            if let Base::Import(import) = call.callee.base {
                let module = &self.abc.classes()[class].module;
                let source =
                    module.imports.get(usize::from(import)).and_then(|i| module.requests.get(i.request));
                match source.and_then(|text| self.class_names.get(&*request(text)).copied()) {
                    Some(other) => holder = other,
                    None => continue,
                }
            }
            // In a small file a name is enough; a name that many share is not.
            if let Some(methods) = self.by_name.get(&(holder, &*name)).filter(|methods| methods.len() <= 4) {
                found.extend(methods.iter().copied());
            }
        }
        found.sort_unstable();
        found.dedup();
        found.retain(|other| *other != index);
        found
    }

    /// Pages and what they import; the nearest page is the screen of a file.
    fn reach(&mut self) {
        let classes = self.abc.classes();
        let imports: Vec<Vec<usize>> = classes
            .iter()
            .map(|class| {
                class
                    .module
                    .requests
                    .iter()
                    .filter_map(|r| self.class_names.get(&*request(r)).copied())
                    .collect()
            })
            .collect();
        let mut by_path: HashMap<String, usize> = HashMap::new();
        for (index, record) in self.records.iter().enumerate().filter(|(_, record)| !record.library) {
            by_path.entry(record.path.clone()).or_insert(index);
        }
        let of_path = |path: &str| {
            let wanted = path.trim_start_matches("./").trim_start_matches("ets/");
            let wanted = wanted.trim_start_matches("src/main/ets/");
            let wanted = wanted.strip_suffix(".ets").or(wanted.strip_suffix(".ts")).unwrap_or(wanted);
            by_path.get(wanted).copied()
        };
        self.screens = vec![None; classes.len()];
        self.reached = vec![false; classes.len()];
        let mut queue = VecDeque::new();
        for page in self.parts.pages {
            if let Some(class) = of_path(page).filter(|class| self.screens[*class].is_none()) {
                let title = self.parts.titles.get(page).cloned().or_else(|| self.title(class));
                self.screens[class] = Some(Screen { name: page.clone(), title, reachable: true });
                self.reached[class] = true;
                queue.push_back(class);
            }
        }
        while let Some(class) = queue.pop_front() {
            let screen = self.screens[class].clone();
            for &other in &imports[class] {
                if !self.reached[other] {
                    self.reached[other] = true;
                    self.screens[other].clone_from(&screen);
                    queue.push_back(other);
                }
            }
        }
        // Files of abilities belong to the app, but to no page.
        let mut queue: VecDeque<usize> =
            self.parts.entries.iter().filter_map(|entry| of_path(entry)).collect();
        while let Some(class) = queue.pop_front() {
            if !std::mem::replace(&mut self.reached[class], true) {
                queue.extend(&imports[class]);
            }
        }
    }

    /// The title that a page gives itself.
    fn title(&self, class: usize) -> Option<String> {
        for index in self.abc.classes()[class].methods.clone() {
            for used in &self.functions[index].body.uses {
                let titles = used.sinks.iter().any(|sink| match sink {
                    Sink::Call { callee, .. } => {
                        let (base, name) = self.callee(class, *callee);
                        name == "title" && matches!(&*base, "Navigation" | "NavDestination")
                    }
                    _ => false,
                });
                if titles {
                    let title = match used.value {
                        Value::String(string) => Some(self.text(string).into_owned()),
                        Value::Resource(id) => {
                            self.parts.table.and_then(|table| Some(table.preferred(id)?.text().into_owned()))
                        }
                    };
                    return title.filter(|title| !title.is_empty() && title.chars().count() <= 20);
                }
            }
        }
        None
    }

    /// Which component is inside which: `pop` closes what `observeComponentCreation` opened.
    fn nest(&mut self) {
        let mut parents: Vec<Option<usize>> = vec![None; self.functions.len()];
        let mut definers: Vec<Option<usize>> = vec![None; self.functions.len()];
        for (index, function) in self.functions.iter().enumerate() {
            for made in function.body.functions.iter().filter_map(|made| self.abc.method_at(*made)) {
                definers[made].get_or_insert(index);
            }
            let mut open: Vec<(usize, Option<&str>)> = Vec::new();
            for call in &function.body.calls {
                let Some(name) = call.callee.name else { continue };
                match &*self.name(name) {
                    "observeComponentCreation" | "observeComponentCreation2" => {
                        if let Argument::Function(made) = call.arguments[0]
                            && let Some(made) = self.abc.method_at(made)
                            && open.len() < MAX_OPEN
                        {
                            open.push((
                                made,
                                self.functions[made].components.first().map(|found| &*found.class),
                            ));
                        }
                    }
                    "pop" => {
                        let Base::Named(base) = call.callee.base else { continue };
                        let class = self.name(base);
                        let Some(at) = open.iter().rposition(|(_, open)| *open == Some(&*class)) else {
                            continue;
                        };
                        let owner = open[at].0;
                        for (inner, _) in open.drain(at + 1..) {
                            parents[inner].get_or_insert(owner);
                        }
                        // Closed, but still inside of what is around it.
                        open[at].1 = None;
                    }
                    _ => {}
                }
            }
        }
        for (index, parent) in parents.into_iter().enumerate() {
            self.functions[index].parent = parent.or(definers[index]);
        }
        self.definers = definers;
    }

    /// The function that runs when the component, or one around it, is pressed.
    fn press(&self, function: usize, own: Option<&Component>) -> Option<Argument> {
        if let Some(handler) = own.and_then(|component| component.handler) {
            return Some(handler);
        }
        let mut at = self.functions[function].parent;
        for _ in 0..MAX_DEPTH {
            let parent = at?;
            let found = &self.functions[parent];
            // A function that creates one component is the component.
            if let [component] = found.components.as_slice()
                && let Some(handler) = component.handler
            {
                return Some(handler);
            }
            at = found.parent;
        }
        None
    }

    /// The method of a handler, and its name for the reader.
    fn handler(&self, class: usize, handler: Argument) -> (Option<usize>, Option<String>) {
        match handler {
            Argument::Function(offset) => {
                let Some(method) = self.abc.method_at(offset) else { return (None, None) };
                let name = self.abc.methods()[method].plain_name();
                if is_named(name) {
                    return (Some(method), Some(name.to_owned()));
                }
                let called = self.functions[method].body.calls.iter().take(MAX_LOOKED_AT).find_map(|call| {
                    let own = matches!(call.callee.base, Base::This | Base::Unknown);
                    let name = call.callee.name.filter(|_| own).map(|name| self.name(name))?;
                    self.by_name.contains_key(&(class, &*name)).then(|| name.into_owned())
                });
                (Some(method), called)
            }
            Argument::Method(name) => {
                let name = self.name(name);
                let method = self.by_name.get(&(class, &*name)).and_then(|methods| methods.first().copied());
                (method, Some(name.into_owned()))
            }
            Argument::Global(_) | Argument::Other => (None, None),
        }
    }

    /// Addresses and pages that a method leads to; none when there are too many to mean anything.
    fn endpoints_of(&self, method: usize) -> Vec<String> {
        let mut found = BTreeSet::new();
        let mut seen = HashSet::new();
        let mut next = vec![method];
        for _ in 0..MAX_CALLS {
            let mut following = Vec::new();
            for method in next {
                if seen.len() < MAX_VISITED && seen.insert(method) {
                    let function = &self.functions[method];
                    let addresses = function.endpoints.iter().chain(&function.routes).take(MAX_ENDPOINTS + 1);
                    found.extend(addresses.map(|(address, _)| address.clone()));
                    following.extend(function.calls.iter().take(MAX_LOOKED_AT));
                }
            }
            next = following;
        }
        if found.len() > MAX_ENDPOINTS { Vec::new() } else { found.into_iter().collect() }
    }

    /// The nearest function with a name around one without.
    fn named(&self, method: usize) -> Option<&str> {
        let mut at = Some(method);
        for _ in 0..MAX_DEPTH {
            let index = at?;
            let name = self.abc.methods()[index].plain_name();
            if !name.is_empty() && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            {
                return (name != "func_main_0").then_some(name);
            }
            at = self.definers.get(index).copied().flatten();
        }
        None
    }

    /// What receives a value, in the words of the rules: the strongest of its sinks.
    fn shown(&self, method: usize, used: &Use) -> Shown {
        let mut best: Option<Shown> = None;
        for sink in &used.sinks {
            let found = match *sink {
                Sink::Call { .. } => self.call(method, used, *sink),
                Sink::Member(key) => {
                    let key = self.name(key).into_owned();
                    let role = if is_caption(&key) { Role::Item } else { Role::Code };
                    Shown { role, sink: Some(key), widget: None }
                }
                Sink::Property(key) => {
                    Shown { role: Role::Code, sink: Some(self.name(key).into_owned()), widget: None }
                }
                Sink::Element => Shown { role: Role::Item, sink: None, widget: None },
                Sink::Compared => Shown { role: Role::Comment, sink: None, widget: None },
                Sink::Return => Shown { role: Role::Code, sink: None, widget: None },
            };
            if best.as_ref().is_none_or(|best| found.role < best.role) {
                best = Some(found);
            }
        }
        best.unwrap_or(Shown { role: Role::Code, sink: None, widget: None })
    }

    fn call(&self, method: usize, used: &Use, sink: Sink) -> Shown {
        let Sink::Call { callee, argument, key, new } = sink else {
            return Shown { role: Role::Code, sink: None, widget: None };
        };
        let class = self.abc.methods()[method].class;
        let (base, name) = self.callee(class, callee);
        let key = key.map(|key| self.name(key).into_owned());
        let mut role = role(&base, &name, argument, key.as_deref(), new);
        let sink = match (new, base.is_empty(), name.is_empty()) {
            (true, ..) => format!("new {base}"),
            (_, true, _) => name.clone(),
            (_, _, true) => base.clone(),
            _ => format!("{base}.{name}"),
        };
        let mut widget = None;
        if name.starts_with("create") && matches!(callee.base, Base::Named(_)) {
            let components = &self.functions[method].components;
            let own = components.iter().find(|c| c.offset >= used.offset && c.class == base);
            let press = self.press(method, own);
            if press.is_some() && role == Role::Label {
                role = Role::Control;
            }
            let handler = press.and_then(|press| self.handler(class, press).1);
            let input = matches!(&*base, "TextInput" | "TextArea" | "Search" | "RichEditor");
            widget =
                Some(Widget { class: base, id: None, handler, operable: input || role == Role::Control });
        } else if role == Role::Code {
            // A builder of the page, or a component of the app, shows what it is given.
            let methods = self.by_name.get(&(class, name.as_str())).filter(|_| !name.is_empty());
            let builder =
                methods.and_then(|methods| methods.iter().copied().find(|&method| self.builds(method)));
            if let Some(builder) = builder {
                let press = self.pressed_inside(builder);
                role = if press.is_some() { Role::Control } else { Role::Label };
                let handler = press.and_then(|press| self.handler(class, press).1);
                widget = Some(Widget { class: name, id: None, handler, operable: role == Role::Control });
            } else if new && argument == 1 && key.is_some() && !base.starts_with("ObservedProperty") {
                role = Role::Label;
                widget = Some(Widget { class: base, id: None, handler: None, operable: false });
            }
        }
        Shown { role, sink: Some(sink), widget }
    }

    /// Whether a method creates components, itself or in a function it makes.
    fn builds(&self, method: usize) -> bool {
        self.with_made(method).any(|index| !self.functions[index].components.is_empty())
    }

    /// A method and the functions it makes.
    fn with_made(&self, method: usize) -> impl Iterator<Item = usize> + '_ {
        let made = self.functions[method].body.functions.iter().take(MAX_LOOKED_AT);
        std::iter::once(method).chain(made.filter_map(|made| self.abc.method_at(*made)))
    }

    fn pressed_inside(&self, method: usize) -> Option<Argument> {
        self.with_made(method)
            .flat_map(|index| &self.functions[index].components)
            .find_map(|component| component.handler)
    }

    fn texts(&mut self, inspection: &mut Inspection) {
        for index in 0..self.functions.len() {
            let class = self.abc.methods()[index].class;
            let library = self.records[class].library;
            for at in 0..self.functions[index].body.uses.len() {
                let used = &self.functions[index].body.uses[at];
                let shown = self.shown(index, used);
                match used.value {
                    Value::Resource(id) => self.resource(index, id, shown, inspection),
                    Value::String(string) => {
                        let text = self.text(string);
                        if let Some(id) = self.named_resource(&text) {
                            self.resource(index, id, shown, inspection);
                            continue;
                        }
                        let plain = text.is_ascii() && (library || !is_shown(shown.role));
                        if plain
                            || text.trim().is_empty()
                            || endpoint::in_code(&text).is_some()
                            || self.is_path(&text)
                        {
                            continue;
                        }
                        let place = Place::offset(self.path.clone(), u64::from(string));
                        let base = self.base(index, shown, place);
                        self.left = self.left.saturating_sub(text.len());
                        if self.left == 0 {
                            return;
                        }
                        inspection.texts.push(UiText { text: cut(&text), ..base });
                    }
                }
            }
        }
    }

    /// `app.string.title`, as libraries and calls by name have it.
    fn named_resource(&self, text: &str) -> Option<u32> {
        let (kind, name) = text.strip_prefix("app.")?.split_once('.')?;
        let kind =
            [Kind::String, Kind::StringArray, Kind::Plural].into_iter().find(|known| known.word() == kind)?;
        self.parts.table?.id(kind, name)
    }

    /// Adds a resource in every wording.
    fn resource(&mut self, index: usize, id: u32, shown: Shown, inspection: &mut Inspection) {
        self.used.insert(id);
        let Some(table) = self.parts.table else { return };
        for value in table.resource(id) {
            let listed = match value.kind {
                Kind::String | Kind::Plural => false,
                Kind::StringArray => true,
                _ => continue,
            };
            let key = format!("{}/{}", value.kind.word(), value.name);
            let mut base = self.base(index, shown.clone(), Place::resource(self.table_path.clone(), id));
            if listed && base.role == Role::Code {
                base.role = Role::Item;
            }
            base.chain.insert(0, format!("$r('app.{}.{}')", value.kind.word(), value.name));
            base.key = Some(key);
            base.locale = table.locale(value).map(str::to_owned);
            for text in value.texts() {
                let text = match table.reference(&text) {
                    Some(other) => {
                        self.used.insert(other);
                        match table.resolve(&text) {
                            Some(text) => text,
                            None => continue,
                        }
                    }
                    None => text.into_owned(),
                };
                self.left = self.left.saturating_sub(text.len());
                if self.left > 0 && !text.trim().is_empty() {
                    inspection.texts.push(UiText { text, ..base.clone() });
                }
            }
        }
    }

    /// Everything about a text of a method but its words.
    fn base(&self, index: usize, shown: Shown, place: Place) -> UiText {
        let class = self.abc.methods()[index].class;
        let record = &self.records[class];
        let mut base = UiText::new("", shown.role, place);
        base.screen = self.screens[class].clone();
        base.usage = if self.reached[class] { Usage::Used } else { Usage::Unknown };
        base.origin = origin(record);
        base.code = Some(Code {
            class: record.path.clone(),
            method: self.named(index).map(str::to_owned),
            sink: shown.sink,
        });
        base.chain.push(self.path.to_string());
        if base.screen.as_ref().is_none_or(|screen| screen.name != record.path) {
            base.chain.push(record.path.clone());
        }
        if let Some(widget) = &shown.widget {
            let own =
                self.functions[index].components.iter().find(|component| component.class == widget.class);
            let press = if widget.operable { self.press(index, own) } else { None };
            if let Some(press) = press {
                let (method, name) = self.handler(class, press);
                base.chain.extend(name.map(|name| format!("{}.{name}", simple(&record.path))));
                base.chain.extend(method.map(|method| self.endpoints_of(method)).unwrap_or_default());
            }
        } else if let Some(method) = &base.code.as_ref().and_then(|code| code.method.clone()) {
            base.chain.push(format!("{}.{method}", simple(&record.path)));
        }
        base.widget = shown.widget;
        base
    }

    fn facts(&mut self, inspection: &mut Inspection) {
        let mut sdks: BTreeSet<&str> = BTreeSet::new();
        for (index, class) in self.abc.classes().iter().enumerate() {
            let record = &self.records[index];
            if record.library {
                sdks.insert(&record.module);
                continue;
            }
            if is_generated(&class.name) {
                continue;
            }
            let add = |kind, value: &str, offset: u32, chain: Vec<String>, inspection: &mut Inspection| {
                let mut fact = Fact::new(kind, value, Place::offset(self.path.clone(), u64::from(offset)));
                fact.screen = self.screens[index].clone();
                fact.chain = chain;
                inspection.facts.push(fact);
            };
            add(FactKind::Class, &record.path, class.offset, Vec::new(), inspection);
            let mut seen: HashSet<(FactKind, String)> = HashSet::new();
            for method in class.methods.clone() {
                let name = self.abc.methods()[method].plain_name();
                let step = format!("{}.{}", simple(&record.path), self.named(method).unwrap_or_default());
                if is_named(name) && seen.insert((FactKind::Function, name.to_owned())) {
                    add(
                        FactKind::Function,
                        name,
                        self.abc.methods()[method].offset,
                        vec![step.clone()],
                        inspection,
                    );
                }
                for (address, offset) in &self.functions[method].endpoints {
                    if seen.insert((FactKind::Endpoint, address.clone())) {
                        let chain = vec![step.clone(), address.clone()];
                        add(FactKind::Endpoint, address, *offset, chain, inspection);
                    }
                }
                for call in &self.functions[method].body.calls {
                    let Base::Import(import) = call.callee.base else { continue };
                    if !self.is_platform(class, import) {
                        continue;
                    }
                    let (base, name) = self.callee(index, call.callee);
                    if name.is_empty() || is_log(&base, &name) {
                        continue;
                    }
                    let api = format!("{base}.{name}");
                    if seen.insert((FactKind::Api, api.clone())) {
                        add(FactKind::Api, &api, call.offset, vec![step.clone()], inspection);
                    }
                }
                for (route, offset) in &self.functions[method].routes {
                    if seen.insert((FactKind::Route, route.clone())) {
                        add(FactKind::Route, route, *offset, vec![step.clone()], inspection);
                    }
                }
            }
        }
        for sdk in sdks {
            inspection.facts.push(Fact::new(FactKind::Sdk, sdk, Place::entry(self.path.clone())));
        }
    }

    /// Whether an import is one of the system's modules.
    fn is_platform(&self, class: &Class<'_>, import: u16) -> bool {
        let request =
            class.module.imports.get(usize::from(import)).and_then(|i| class.module.requests.get(i.request));
        request.is_some_and(|request| {
            ["@ohos:", "@kit.", "@hms:", "@system."].iter().any(|p| request.starts_with(p))
        })
    }
}

/// What receives a literal, and the widget when it is one.
#[derive(Debug, Clone)]
struct Shown {
    role: Role,
    sink: Option<String>,
    widget: Option<Widget>,
}

fn origin(record: &Record) -> Origin {
    if record.library { Origin::Library(Arc::from(record.module.as_str())) } else { Origin::App }
}

/// The last part of a path.
fn simple(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((at, _)) => text[..at].to_owned(),
        None => text.to_owned(),
    }
}

fn is_shown(role: Role) -> bool {
    role <= Role::Message
}

/// Events of a component that a person causes.
fn is_press(name: &str) -> bool {
    matches!(
        name,
        "onClick" | "onTouch" | "onChange" | "onSelect" | "onSubmit" | "gesture" | "priorityGesture"
    )
}

/// Names of properties that hold what a person reads.
fn is_caption(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    [
        "title", "name", "text", "label", "value", "content", "desc", "tip", "hint", "caption", "menu",
        "tab", "btn",
    ]
    .iter()
    .any(|word| lower.ends_with(word) || lower.starts_with(word))
}

fn is_log(base: &str, name: &str) -> bool {
    matches!(
        base,
        "hilog" | "console" | "Logger" | "logger" | "Log" | "log" | "LogUtil" | "LogUtils" | "hiTraceMeter"
    ) || base.ends_with("Error")
        || base.ends_with("Logger")
        || base.ends_with("Log")
        || matches!(name, "hilog" | "printLog")
}

fn is_router(base: &str, name: &str) -> bool {
    matches!(
        name,
        "pushUrl"
            | "replaceUrl"
            | "pushNamedRoute"
            | "replaceNamedRoute"
            | "pushPathByName"
            | "pushPath"
            | "replacePathByName"
            | "replacePath"
            | "pushDestinationByName"
            | "pushDestination"
            | "loadContent"
            | "registerNamedRoute"
    ) || (matches!(base, "router" | "Router") && matches!(name, "push" | "replace" | "back"))
}

fn role(base: &str, name: &str, argument: u8, key: Option<&str>, new: bool) -> Role {
    if is_log(base, name) {
        return Role::Log;
    }
    if is_router(base, name) {
        return Role::Comment;
    }
    if new {
        return match base {
            "SubTabBarStyle" | "BottomTabBarStyle" => Role::Control,
            _ => Role::Code,
        };
    }
    let lower = name.to_ascii_lowercase();
    match (base, name, key) {
        (_, _, Some("placeholder" | "hint" | "accessibilityText")) => Role::Hint,
        ("Button" | "Chip", "createWithLabel" | "create", _) => Role::Control,
        ("MenuItem", "create", _) => Role::Control,
        ("Select", "create", _) => Role::Control,
        (
            "Radio" | "Checkbox" | "CheckboxGroup" | "Image" | "Web" | "XComponent" | "ForEach" | "If",
            "create",
            _,
        ) => Role::Code,
        (_, "createWithLabel", _) => Role::Control,
        (_, "create", _) if base.starts_with(|first: char| first.is_ascii_uppercase()) => Role::Label,
        (_, "title" | "setTitle" | "setNavTitle", _) => Role::Title,
        (_, "subtitle" | "subTitle", _) => Role::Label,
        (_, "tabBar", _) => Role::Control,
        (_, "bindMenu" | "bindContextMenu" | "menus" | "toolbarConfiguration" | "toolBar", _) => {
            Role::Control
        }
        (_, "bindPopup" | "bindTips", _) => Role::Message,
        (
            _,
            "showDialog" | "showAlertDialog" | "showActionSheet" | "showActionMenu" | "show"
            | "openCustomDialog",
            _,
        ) => match key {
            Some("text" | "value") => Role::Control,
            Some("title") if name == "showActionSheet" || base == "ActionSheet" => Role::Control,
            _ => Role::Message,
        },
        (_, "publish", Some("title" | "text" | "additionalText" | "briefText" | "longText")) => Role::Message,
        (_, "placeholder" | "hint" | "accessibilityText" | "accessibilityDescription", _) => Role::Hint,
        _ if lower.contains("toast") || base.to_ascii_lowercase().contains("toast") => Role::Message,
        (
            _,
            "equals" | "includes" | "indexOf" | "startsWith" | "endsWith" | "split" | "replace"
            | "replaceAll" | "match" | "test" | "localeCompare" | "equalTo" | "orderByAsc" | "orderByDesc"
            | "executeSql" | "querySql",
            _,
        ) => Role::Comment,
        (
            _,
            "get"
            | "set"
            | "put"
            | "has"
            | "getSync"
            | "putSync"
            | "hasSync"
            | "delete"
            | "deleteSync"
            | "emit"
            | "on"
            | "off"
            | "once"
            | "setOrCreate"
            | "getOrCreate"
            | "link"
            | "prop"
            | "setAndLink"
            | "getColumnIndex"
            | "fontColor"
            | "backgroundColor"
            | "fontFamily"
            | "width"
            | "height"
            | "getStringByNameSync",
            _,
        ) if argument == 0 && key.is_none() => Role::Comment,
        _ => Role::Code,
    }
}

/// Whether a name was given by the app's developer and says something.
fn is_named(name: &str) -> bool {
    name.len() >= 3
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.starts_with(|first: char| first.is_ascii_alphabetic())
        && !matches!(
            name,
            "func_main_0"
                | "constructor"
                | "initialRender"
                | "rerender"
                | "aboutToBeDeleted"
                | "updateStateVars"
                | "purgeVariableDependenciesOnElmtId"
                | "setInitiallyProvidedValue"
                | "aboutToAppear"
                | "getEntryName"
                | "aboutToDisappear"
                | "onPageShow"
                | "onPageHide"
                | "onCreate"
                | "onDestroy"
                | "onForeground"
                | "onBackground"
                | "onWindowStageCreate"
                | "onWindowStageDestroy"
                | "updateRecycleElmtId"
                | "build"
                | "static_initializer"
                | "instance_initializer"
                | "itemGenFunction"
                | "forEachItemGenFunction"
                | "deepRenderFunction"
                | "observedDeepRender"
                | "componentCall"
                | "itemCreation"
                | "itemCreation2"
                | "paramsLambda"
                | "resetStateVarsOnReuse"
                | "onBackup"
                | "onRestore"
                | "onBackPress"
        )
}

/// Files that the build makes.
fn is_generated(record: &str) -> bool {
    // Such as `_ESSlotNumberAnnotation`.
    (record.starts_with('_') && record != GLOBAL)
        || record.contains("build/generated")
        || record.ends_with("BuildProfile")
        || record.contains("ResourceTable")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str) -> (String, String, bool) {
        let Record { path, module, library } = record(name);
        (module, path, library)
    }

    #[test]
    fn records_of_both_forms_are_read() {
        let own = |module: &str, path: &str| (module.to_owned(), path.to_owned(), false);
        assert_eq!(told("&entry/src/main/ets/pages/Index&"), own("entry", "pages/Index"));
        assert_eq!(told("com.example.grid/entry/ets/pages/Index"), own("entry", "pages/Index"));
        assert_eq!(told("&common/src/main/ets/utils/Log&1.0.0"), own("common", "utils/Log"));
        assert_eq!(told("com.example.grid&feature/Index&1.0.0"), own("feature", "Index"));
        assert!(told("&@ohos/axios/index&2.2.0").2);
        assert_eq!(told("&@ohos/axios/index&2.2.0").0, "@ohos/axios");
        assert_eq!(told("pkg_modules/.ohpm/@ohos+x@1/pkg_modules/@ohos/x/index").0, "@ohos/x");
        assert!(told("com.example.grid/entry/node_modules/dayjs/index").2);
        assert!(!told("&@gov/widgets/src/main/ets/Card&1.0.0").2);
    }

    #[test]
    fn a_file_of_its_own_is_a_page() {
        let path = |path| record_in(GLOBAL, path).path;
        assert_eq!(path("assets/js/MainAbility/pages/index/index.abc"), "pages/index/index");
        assert_eq!(path("entry.hap!ets/pages/Index.abc"), "pages/Index");
        assert_eq!(path("ets/app.abc"), "app");
    }

    #[test]
    fn requests_name_records() {
        assert_eq!(request("@normalized:N&&&entry/src/main/ets/a&"), "&entry/src/main/ets/a&");
        assert_eq!(request("@bundle:com.example/entry/ets/a"), "com.example/entry/ets/a");
    }

    #[test]
    fn roles_follow_the_call() {
        assert_eq!(role("Button", "createWithLabel", 0, None, false), Role::Control);
        assert_eq!(role("Text", "create", 0, None, false), Role::Label);
        assert_eq!(role("TextInput", "create", 0, Some("placeholder"), false), Role::Hint);
        assert_eq!(role("promptAction", "showToast", 0, Some("message"), false), Role::Message);
        assert_eq!(role("AlertDialog", "show", 0, Some("value"), false), Role::Control);
        assert_eq!(role("Navigation", "title", 0, None, false), Role::Title);
        assert_eq!(role("hilog", "info", 2, None, false), Role::Log);
        assert_eq!(role("router", "pushUrl", 0, Some("url"), false), Role::Comment);
        assert_eq!(role("BusinessError", "", 0, None, true), Role::Log);
    }
}
