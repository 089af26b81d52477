//! Android: resources, layouts and code joined to texts on screens.
//!
//! ```text
//! string ─▶ widget ─▶ layout ─▶ class that shows it ─▶ screen ─▶ manifest
//!                        └─▶ handler ─▶ method ─▶ endpoint
//! ```

pub(crate) mod code;
mod graph;
pub(crate) mod layout;
pub(crate) mod manifest;
pub(crate) mod packer;
pub(crate) mod resources;
mod sink;
pub(crate) mod symbol;

use std::collections::{BTreeMap, BTreeSet, HashMap as StdMap, HashSet as StdSet};
use std::sync::Arc;

use foldhash::fast::RandomState;

use crate::link::library;
use crate::link::remote::WebPages;
use crate::link::{FORM, FORM_INPUTS};
use crate::model::{Code, Fact, FactKind, Inspection, Origin, Place, Role, Screen, UiText, Usage, Widget};
use crate::text::has_cjk;

use code::{CodeUnit, Endpoint, Handler, OwnClass, OwnMethod, ResourceRef, ViewRef};
use graph::{Graph, NodeId};
use layout::{FileKind, Node, ScreenFile};
use manifest::{ComponentKind, Manifest, Text};
use resources::Resources;
use symbol::{Symbol, Symbols};

type HashMap<K, V> = StdMap<K, V, RandomState>;
type HashSet<T> = StdSet<T, RandomState>;

/// How many calls a press is followed to find the address it leads to.
const MAX_CALLS: usize = 5;
/// Methods looked at for one press.
const MAX_VISITED: usize = 200;
/// More addresses than this near a widget say nothing about the widget.
const MAX_ENDPOINTS: usize = 4;

/// So many texts told apart in one handler are the entries of a menu.
const MENU_ENTRIES: usize = 2;

/// What was decoded of an APK.
#[derive(Debug)]
pub(crate) struct Parts<'a, 't> {
    pub(crate) manifest: Option<&'a Manifest>,
    pub(crate) resources: &'a Resources<'t>,
    pub(crate) files: &'a [ScreenFile],
    /// Entry path and content of each dex file.
    pub(crate) code: &'a [(String, CodeUnit)],
    /// Their names, by [`code::join`].
    pub(crate) symbols: &'a Symbols,
    /// Everything that can refer to a resource or a class was read.
    pub(crate) complete: bool,
    /// Pages on servers that a hybrid runtime is told to start with, and where that stands.
    pub(crate) start_pages: &'a [(String, Place)],
    /// Texts recognised in pictures.
    pub(crate) pictures: &'a [UiText],
}

/// Joins the parts and adds texts and facts to the inspection.
pub(crate) fn link(parts: &Parts<'_, '_>, inspection: &mut Inspection) {
    let mut linker = Linker::new(parts);
    linker.walk();
    linker.manifest_texts(inspection);
    linker.file_texts(inspection);
    linker.code_texts(inspection);
    linker.picture_texts(inspection);
    linker.unused_strings(inspection);
    linker.facts(inspection);
    linker.web_pages().state(inspection);
}

struct Linker<'a, 't> {
    parts: &'a Parts<'a, 't>,
    graph: Graph<'a>,
    /// Dex path of each own class.
    dex_of: HashMap<Symbol, &'a str>,
    /// Files by the id of their resource.
    files_by_resource: HashMap<u32, Vec<usize>>,
    resource_of_file: HashMap<usize, u32>,
    /// Nodes that show a file, directly or through an `<include>`.
    users: HashMap<u32, Vec<NodeId>>,
    /// Listeners by view id: the node that sets it, and its handler.
    listeners: HashMap<u32, Vec<(NodeId, Handler)>>,
    ids_by_name: HashMap<String, u32>,
    ids_by_camel: HashMap<String, u32>,
    methods: HashMap<MethodKey, Vec<&'a OwnMethod>>,
    /// Methods by what they call.
    callers: HashMap<MethodKey, Vec<MethodKey>>,
    titles: HashMap<NodeId, String>,
    used_strings: HashSet<u32>,
}

/// Class and name of a method.
type MethodKey = (Symbol, Symbol);

/// A widget that can be pressed, and what handles it.
#[derive(Debug, Clone, Default)]
struct Press {
    operable: bool,
    handler: Handler,
    /// Name of an `android:onClick` handler that no class seems to have.
    named: Option<String>,
    /// The widget around the text that is pressed, when it is not the text's own.
    through: Option<String>,
}

impl<'a, 't> Linker<'a, 't> {
    fn new(parts: &'a Parts<'a, 't>) -> Self {
        let classes = || parts.code.iter().flat_map(|(_, unit)| &unit.classes);
        let graph = Graph::new(classes(), parts.symbols);
        let mut dex_of = HashMap::default();
        let mut methods: HashMap<MethodKey, Vec<&OwnMethod>> = HashMap::default();
        let mut callers: HashMap<MethodKey, Vec<MethodKey>> = HashMap::default();
        for (path, unit) in parts.code {
            for class in &unit.classes {
                dex_of.entry(class.name).or_insert(path.as_str());
                for method in &class.methods {
                    let key = (class.name, method.name);
                    methods.entry(key).or_default().push(method);
                    for &called in &method.calls {
                        callers.entry(called).or_default().push(key);
                    }
                }
            }
        }
        let mut linker = Linker {
            parts,
            graph,
            dex_of,
            files_by_resource: HashMap::default(),
            resource_of_file: HashMap::default(),
            users: HashMap::default(),
            listeners: HashMap::default(),
            ids_by_name: HashMap::default(),
            ids_by_camel: HashMap::default(),
            methods,
            callers,
            titles: HashMap::default(),
            used_strings: HashSet::default(),
        };
        linker.index_resources();
        linker
    }

    fn index_resources(&mut self) {
        let files: HashMap<&str, usize> =
            self.parts.files.iter().enumerate().map(|(index, file)| (file.path.as_str(), index)).collect();
        for resource in self.parts.resources.all().filter(|resource| resource.type_name() == "id") {
            let name = resource.name().into_owned();
            self.ids_by_camel.entry(camel(&name)).or_insert(resource.id());
            self.ids_by_name.entry(name).or_insert(resource.id());
        }
        for (id, _, path) in self.parts.resources.files() {
            if let Some(&file) = files.get(&*path) {
                self.files_by_resource.entry(id).or_default().push(file);
                self.resource_of_file.entry(file).or_insert(id);
            }
        }
    }

    fn resource_id(&self, resource: &ResourceRef) -> Option<u32> {
        match resource {
            ResourceRef::Id(id) => Some(*id),
            ResourceRef::Name(kind, name) if kind == "id" => self.ids_by_name.get(name).copied(),
            ResourceRef::Name(kind, name) => self.parts.resources.find(kind, name),
        }
    }

    fn view_id(&self, view: &ViewRef) -> Option<u32> {
        match view {
            // Any call that takes an id gives an object "of" it: only ids of views are views.
            ViewRef::Id(id) => {
                self.parts.resources.get(*id).filter(|r| r.type_name() == "id").map(|r| r.id())
            }
            ViewRef::Name(name) => self.ids_by_name.get(name).copied(),
            ViewRef::Camel(name) => self.ids_by_camel.get(name).copied(),
        }
    }

    /// Finds what leads to what, from the manifest on.
    fn walk(&mut self) {
        // Files that nodes name, with what those include.
        let mut named: Vec<(NodeId, u32)> = Vec::new();
        for id in 0..self.graph.nodes.len() {
            for class in &self.graph.nodes[id].classes {
                let in_code = class.methods.iter().flat_map(|method| &method.resources).map(|r| &r.resource);
                for resource in in_code.chain(&class.resources) {
                    if let Some(resource) = self.resource_id(resource)
                        && self.files_by_resource.contains_key(&resource)
                    {
                        named.push((id, resource));
                    }
                }
            }
        }
        named.sort_unstable();
        named.dedup();
        let mut links = Vec::new();
        for (node, resource) in named {
            for file in self.with_includes(resource) {
                self.users.entry(file).or_default().push(node);
                for &index in self.files_by_resource.get(&file).into_iter().flatten() {
                    for class in self.parts.files[index].widgets.iter().flat_map(|widget| &widget.classes) {
                        if let Some(to) = self.graph.find(class) {
                            links.push((node, to));
                        }
                    }
                }
            }
        }
        for (from, to) in links {
            self.graph.link(from, to);
        }
        for users in self.users.values_mut() {
            users.sort_unstable();
            users.dedup();
        }

        let mut roots = Vec::new();
        let mut activities = Vec::new();
        if let Some(manifest) = self.parts.manifest {
            roots.extend(manifest.application.as_deref().and_then(|class| self.graph.find(class)));
            for component in manifest.components.iter().filter(|component| component.enabled) {
                let Some(node) = self.graph.find(&component.class) else { continue };
                match component.kind {
                    ComponentKind::Activity => {
                        self.graph.nodes[node].is_activity = true;
                        activities.push(node);
                        if component.launcher || component.exported {
                            roots.push(node);
                        }
                    }
                    _ => roots.push(node),
                }
            }
        }
        for id in 0..self.graph.nodes.len() {
            if self.graph.nodes[id].classes.iter().any(|class| class.route.is_some()) {
                roots.push(id);
            }
        }
        // The launcher's screen goes first, so that ways back to it are the shortest.
        self.graph.walk(&roots);
        if !self.parts.complete {
            self.graph.walk(&activities);
        }
        self.index_listeners();
        self.index_titles();
    }

    /// A file and those it brings in.
    fn with_includes(&self, resource: u32) -> Vec<u32> {
        let mut found = vec![resource];
        let mut at = 0;
        while let Some(&resource) = found.get(at) {
            at += 1;
            for &index in self.files_by_resource.get(&resource).into_iter().flatten() {
                for &included in self.parts.files[index].widgets.iter().flat_map(|widget| &widget.includes) {
                    if !found.contains(&included) && self.files_by_resource.contains_key(&included) {
                        found.push(included);
                    }
                }
            }
            if found.len() > 64 {
                break;
            }
        }
        found
    }

    fn index_listeners(&mut self) {
        let mut listeners: HashMap<u32, Vec<(NodeId, Handler)>> = HashMap::default();
        for (id, node) in self.graph.nodes.iter().enumerate() {
            for listener in
                node.classes.iter().flat_map(|class| &class.methods).flat_map(|method| &method.listeners)
            {
                if let Some(view) = self.view_id(&listener.view) {
                    listeners.entry(view).or_default().push((id, listener.handler));
                }
            }
        }
        self.listeners = listeners;
    }

    /// Titles of screens: what code sets, else the label in the manifest, else what a title bar shows.
    fn index_titles(&mut self) {
        let mut titles: HashMap<NodeId, String> = HashMap::default();
        if let Some(manifest) = self.parts.manifest {
            for component in manifest.components.iter().filter(|c| c.kind == ComponentKind::Activity) {
                if component.label == manifest.label {
                    continue;
                }
                if let (Some(node), Some(title)) = (
                    self.graph.find(&component.class),
                    component.label.as_ref().and_then(|label| self.resolve(label)),
                ) {
                    titles.insert(node, title);
                }
            }
        }
        for (&resource, users) in &self.users {
            for &file in self.files_by_resource.get(&resource).into_iter().flatten() {
                let bar = self.parts.files[file].widgets.iter().find_map(|widget| self.title_of(widget));
                for &user in users {
                    // A bar in a layout that several screens share names none of them.
                    if let (Some(title), [screen]) = (&bar, self.graph.screens_of(user)) {
                        let kept = titles.entry(*screen).or_insert_with(|| title.clone());
                        // Two bars: the smaller one, whatever the order of the map.
                        if *screen == user && title < kept && self.manifest_title(*screen).is_none() {
                            kept.clone_from(title);
                        }
                    }
                }
            }
        }
        for (id, node) in self.graph.nodes.iter().enumerate() {
            let methods = node.classes.iter().flat_map(|class| &class.methods);
            let set = methods
                .clone()
                .flat_map(|m| &m.texts)
                .find(|t| names_screen(&t.sink))
                .map(|t| t.text.clone());
            let by_id = || {
                let resource = methods.flat_map(|m| &m.resources).find(|r| names_screen(&r.sink))?;
                self.resolve(&Text::Resource(self.resource_id(&resource.resource)?))
            };
            if let Some(title) = set.or_else(by_id) {
                titles.insert(id, title);
            }
        }
        titles.retain(|_, title| title.chars().count() <= 20);
        self.titles = titles;
    }

    fn manifest_title(&self, node: NodeId) -> Option<()> {
        let manifest = self.parts.manifest?;
        let named = |c: &&manifest::Component| c.label.is_some() && self.graph.find(&c.class) == Some(node);
        manifest.components.iter().find(named).map(|_| ())
    }

    /// The title that a title bar in a layout shows.
    fn title_of(&self, widget: &Node) -> Option<String> {
        let id_says = widget.id.and_then(|id| self.resource_name(id)).is_some_and(|name| {
            matches!(
                name.as_str(),
                "title"
                    | "tv_title"
                    | "toolbar_title"
                    | "title_tv"
                    | "txt_title"
                    | "text_title"
                    | "tvTitle"
                    | "tv_toolbar_title"
                    | "titleText"
                    | "title_text"
                    | "tv_bar_title"
                    | "tv_center_title"
            )
        });
        let shown = widget.texts.iter().find(|text| {
            text.role == Role::Title || (id_says && matches!(text.attribute.as_str(), "text"))
        })?;
        self.resolve(&shown.text)
    }

    /// One wording of a text.
    fn resolve(&self, text: &Text) -> Option<String> {
        resolve(text, self.parts.resources)
    }

    fn resource_name(&self, id: u32) -> Option<String> {
        self.parts.resources.get(id).map(|resource| resource.name().into_owned())
    }

    /// The screen a class belongs to, when it belongs to one only.
    fn screen(&self, node: NodeId) -> Option<Screen> {
        match *self.graph.screens_of(node) {
            [screen] => Some(self.as_screen(screen)),
            _ => None,
        }
    }

    fn as_screen(&self, screen: NodeId) -> Screen {
        let found = &self.graph.nodes[screen];
        let title = self.titles.get(&screen).cloned();
        Screen { name: found.name.to_string(), title, reachable: found.reached }
    }

    /// The screen a method works for: its class's, else that of its callers when they agree.
    fn screen_of_method(&self, node: NodeId, key: MethodKey) -> Option<Screen> {
        if let [screen] = *self.graph.screens_of(node) {
            return Some(self.as_screen(screen));
        }
        let mut found: BTreeSet<NodeId> = BTreeSet::new();
        let mut seen = HashSet::from_iter([key]);
        let mut level = vec![key];
        for _ in 0..MAX_CALLS {
            let mut next = Vec::new();
            for key in level {
                for &caller in self.callers.get(&key).into_iter().flatten() {
                    if seen.len() > MAX_VISITED || !seen.insert(caller) {
                        continue;
                    }
                    match self.graph.node(caller.0) {
                        Some(node)
                            if self.graph.nodes[node].is_screen || self.graph.nodes[node].is_activity =>
                        {
                            found.insert(node);
                        }
                        _ => next.push(caller),
                    }
                }
            }
            level = next;
        }
        let mut found = found.into_iter();
        let first = found.next()?;
        found.next().is_none().then(|| self.as_screen(first))
    }

    /// Adds a text in every wording it has.
    fn add(&mut self, inspection: &mut Inspection, text: &Text, base: UiText) {
        match text {
            Text::Literal(literal) => inspection.texts.push(UiText { text: literal.clone(), ..base }),
            Text::Resource(id) => {
                self.used_strings.insert(*id);
                let resources = self.parts.resources;
                for wording in resources.strings(*id) {
                    self.used_strings.extend(wording.trail.iter().copied());
                    let holder = wording.trail.last().copied().unwrap_or(*id);
                    let mut found = base.clone();
                    let resource = resources.get(holder);
                    let key = resource.as_ref().map(|r| format!("{}/{}", r.type_name(), r.name()));
                    found.chain.insert(0, base.place.path.to_string());
                    if let Some(key) = &key {
                        found.chain.insert(0, format!("@{key}"));
                    }
                    found.chain.dedup();
                    if found.role == Role::Code && resource.as_ref().is_some_and(|r| r.type_name() == "array")
                    {
                        found.role = Role::Item;
                    }
                    if let Some(library) = resource.and_then(|r| library::of_resource(&r.name())) {
                        found.origin = Origin::Library(Arc::from(library));
                    }
                    found.key = key;
                    found.place = Place::resource(resources.path(&wording), holder);
                    found.locale = wording.locale;
                    found.text = wording.text.into_owned();
                    inspection.texts.push(found);
                }
            }
        }
    }

    fn manifest_texts(&mut self, inspection: &mut Inspection) {
        let Some(manifest) = self.parts.manifest else { return };
        if let Some(label) = &manifest.label {
            let base = UiText {
                usage: Usage::Used,
                ..UiText::new("", Role::Title, Place::entry(manifest.path.clone()))
            };
            self.add(inspection, label, base);
        }
        for component in manifest.components.iter().filter(|c| c.enabled) {
            let Some(label) =
                component.label.as_ref().filter(|label| Some(*label) != manifest.label.as_ref())
            else {
                continue;
            };
            let mut base = UiText::new("", Role::Title, component.place.clone());
            base.usage = Usage::Used;
            base.screen = self.graph.find(&component.class).and_then(|node| self.screen(node));
            base.origin = origin_of_class(&component.class, &self.graph);
            self.add(inspection, label, base);
        }
    }

    fn file_texts(&mut self, inspection: &mut Inspection) {
        for index in 0..self.parts.files.len() {
            let file = &self.parts.files[index];
            let resource = self.resource_of_file.get(&index).copied();
            let users: Vec<NodeId> =
                resource.and_then(|resource| self.users.get(&resource)).cloned().unwrap_or_default();
            let name = resource.and_then(|id| self.resource_name(id));
            let library = name.as_deref().and_then(library::of_resource);
            let shown = self.shown_by(&users);
            let used = !users.is_empty() || file.kind == FileKind::Xml;
            let path: Arc<str> = Arc::from(file.path.as_str());
            for widget in file.widgets.iter().filter(|widget| !widget.texts.is_empty()) {
                let press = self.press(file, widget, &users);
                for text in &widget.texts {
                    let mut base = UiText::new("", text.role, Place::offset(path.clone(), text.offset));
                    let text_role = matches!(text.attribute.as_str(), "text" | "title" | "");
                    if press.operable && base.role == Role::Label && text_role {
                        base.role = Role::Control;
                    }
                    base.usage = match (used, self.parts.complete) {
                        (true, _) => Usage::Used,
                        (false, true) => Usage::Unreferenced,
                        (false, false) => Usage::Unknown,
                    };
                    if let Some(library) = library {
                        base.origin = Origin::Library(Arc::from(library));
                    }
                    base.widget = Some(Widget {
                        class: widget.class.clone(),
                        id: widget.id.and_then(|id| self.resource_name(id)),
                        handler: self.method_name(&press),
                        operable: press.operable && matches!(base.role, Role::Control),
                    });
                    base.screen = shown.as_ref().map(|(_, screen)| screen.clone());
                    base.chain = self.chain(file, &press, shown.as_ref().map(|(node, _)| *node), &users);
                    base.key = Some(text.attribute.clone()).filter(|key| !key.is_empty());
                    self.add(inspection, &text.text, base);
                }
            }
        }
    }

    /// Texts in pictures, with the widget that shows the picture.
    fn picture_texts(&self, inspection: &mut Inspection) {
        if self.parts.pictures.is_empty() {
            return;
        }
        let mut shown: HashMap<String, Vec<(usize, usize)>> = HashMap::default();
        for (at, file) in self.parts.files.iter().enumerate() {
            for (index, widget) in file.widgets.iter().enumerate() {
                for path in widget.pictures.iter().flat_map(|&id| self.parts.resources.paths(id)) {
                    shown.entry(path).or_default().push((at, index));
                }
            }
        }
        for text in self.parts.pictures {
            let mut text = text.clone();
            if let Some(&(at, index)) = shown.get(&*text.place.path).and_then(|users| users.first()) {
                let (file, widget) = (&self.parts.files[at], &self.parts.files[at].widgets[index]);
                let resource = self.resource_of_file.get(&at);
                let users =
                    resource.and_then(|resource| self.users.get(resource)).cloned().unwrap_or_default();
                let press = self.press(file, widget, &users);
                let screen = self.shown_by(&users);
                text.role = if press.operable { Role::Control } else { Role::Label };
                text.usage = if users.is_empty() { Usage::Unknown } else { Usage::Used };
                text.widget = Some(Widget {
                    class: widget.class.clone(),
                    id: widget.id.and_then(|id| self.resource_name(id)),
                    handler: self.method_name(&press),
                    operable: press.operable,
                });
                text.chain.extend(self.chain(file, &press, screen.as_ref().map(|(node, _)| *node), &users));
                text.screen = screen.map(|(_, screen)| screen);
            }
            inspection.texts.push(text);
        }
    }

    /// The screen that shows what these nodes use, a reachable one first.
    fn shown_by(&self, users: &[NodeId]) -> Option<(NodeId, Screen)> {
        let screens = users.iter().flat_map(|&user| self.graph.screens_of(user));
        let mut screens: Vec<(NodeId, Screen)> =
            screens.map(|&screen| (screen, self.as_screen(screen))).collect();
        screens.sort_by(|a, b| b.1.reachable.cmp(&a.1.reachable).then_with(|| a.1.name.cmp(&b.1.name)));
        screens.into_iter().next()
    }

    /// Whether a widget can be pressed, itself or through what is around it.
    fn press(&self, file: &ScreenFile, widget: &Node, users: &[NodeId]) -> Press {
        let mut press = Press::default();
        let mut at = Some(widget);
        let mut own = true;
        while let Some(node) = at {
            let listener = node.id.and_then(|id| self.listener(id, users));
            // A list or an input around a text is operable, but not by pressing the text.
            let counts =
                own || node.handler.is_some() || listener.is_some() || !sink::is_operable(&node.class);
            if counts && (node.operable || node.handler.is_some() || listener.is_some()) {
                press.operable = true;
                press.handler = match &node.handler {
                    Some(method) => {
                        press.named = Some(method.clone());
                        self.shown_by(users).and_then(|(screen, _)| {
                            let class = self.parts.symbols.find(self.graph.nodes[screen].name)?;
                            Some((class, Some(self.parts.symbols.find(method)?)))
                        })
                    }
                    None => listener.flatten(),
                };
                if !own {
                    press.through = node.id.and_then(|id| self.resource_name(id));
                }
                if press.handler.is_some() {
                    break;
                }
            }
            if press.operable && own {
                break;
            }
            own = false;
            at = node.parent.and_then(|parent| file.widgets.get(parent as usize));
        }
        press
    }

    /// The handler of a listener that a user of the file, or its screen, sets on a view.
    fn listener(&self, id: u32, users: &[NodeId]) -> Option<Handler> {
        let listeners = self.listeners.get(&id)?;
        let screens: Vec<&NodeId> = users.iter().flat_map(|&user| self.graph.screens_of(user)).collect();
        let related = |node: NodeId| {
            users.contains(&node)
                || self.graph.screens_of(node).iter().any(|screen| screens.contains(&screen))
        };
        listeners.iter().find(|(node, _)| related(*node)).map(|(_, handler)| *handler)
    }

    fn chain(
        &self,
        file: &ScreenFile,
        press: &Press,
        screen: Option<NodeId>,
        users: &[NodeId],
    ) -> Vec<String> {
        let mut chain = vec![file.path.clone()];
        chain.extend(press.through.clone().map(|id| format!("@id/{id}")));
        let screen_name = screen.map(|node| self.graph.nodes[node].name);
        let by = users.first().map(|&user| self.graph.nodes[user].name);
        if let Some(by) = by.filter(|by| Some(*by) != screen_name && !by.ends_with("Binding")) {
            chain.push(class_step(by));
        }
        match (press.handler, screen_name) {
            (Some((class, Some(method))), _) => chain.push(self.step(class, method)),
            (Some((class, None)), _) => chain.push(class_step(self.parts.symbols.name(class))),
            (None, Some(screen)) => chain.push(class_step(screen)),
            (None, None) => {}
        }
        let endpoints = press.handler.map_or(Vec::new(), |(class, method)| self.endpoints_of(class, method));
        chain.extend(endpoints.into_iter().take(MAX_ENDPOINTS).map(|endpoint| address(&endpoint)));
        chain
    }

    /// Addresses that a handler leads to; none when there are too many to mean anything.
    fn endpoints_of(&self, class: Symbol, method: Option<Symbol>) -> Vec<Endpoint> {
        let mut found: Vec<Endpoint> = Vec::new();
        let mut seen: HashSet<MethodKey> = HashSet::default();
        let mut next: Vec<MethodKey> = match method {
            Some(method) => vec![(class, method)],
            None => self.methods_of(class).collect(),
        };
        for _ in 0..MAX_CALLS {
            let mut following = Vec::new();
            for key in next {
                if seen.len() >= MAX_VISITED || !seen.insert(key) {
                    continue;
                }
                for method in self.methods.get(&key).into_iter().flatten() {
                    found.extend(method.endpoints.iter().cloned());
                    following.extend(&method.calls);
                    // A listener or callback made here runs because of the press.
                    let node = self.graph.node(key.0);
                    let made = method.types.iter().filter(|made| self.graph.node(**made) == node);
                    following.extend(made.flat_map(|made| self.methods_of(*made)));
                }
            }
            next = following;
        }
        found.sort_by(|a, b| a.address.cmp(&b.address));
        found.dedup_by(|a, b| a.address == b.address);
        // The base address of the server beside the paths on it says nothing more.
        if found.iter().any(|endpoint| !endpoint.address.ends_with('/')) {
            found.retain(|endpoint| !(endpoint.address.contains("://") && endpoint.address.ends_with('/')));
        }
        if found.len() > MAX_ENDPOINTS { Vec::new() } else { found }
    }

    /// The methods of one class, without those of the classes inside it.
    fn methods_of(&self, class: Symbol) -> impl Iterator<Item = MethodKey> {
        let own = self.graph.node(class).map(|node| &self.graph.nodes[node].classes);
        let own = own.into_iter().flatten().filter(move |own| own.name == class);
        own.flat_map(move |own| own.methods.iter().map(move |method| (class, method.name)))
    }

    /// A method as a step of a chain.
    fn step(&self, class: Symbol, method: Symbol) -> String {
        format!("{}.{}", class_step(self.parts.symbols.name(class)), self.parts.symbols.name(method))
    }

    fn method_name(&self, press: &Press) -> Option<String> {
        let followed = press
            .handler
            .and_then(|(_, method)| method)
            .map(|method| self.parts.symbols.name(method).to_owned());
        followed.or_else(|| press.named.clone())
    }

    fn code_texts(&mut self, inspection: &mut Inspection) {
        for id in 0..self.graph.nodes.len() {
            let classes = self.graph.nodes[id].classes.clone();
            let usage = if self.graph.nodes[id].reached { Usage::Used } else { Usage::Unknown };
            for class in classes {
                let dex: Arc<str> = Arc::from(self.dex_of.get(&class.name).copied().unwrap_or_default());
                let told = |method: &&OwnMethod| !method.texts.is_empty() || !method.resources.is_empty();
                for method in class.methods.iter().filter(told) {
                    let screen = self.screen_of_method(id, (class.name, method.name));
                    for text in &method.texts {
                        let view = text.view.as_ref().and_then(|view| self.view_id(view));
                        let place = Place::offset(dex.clone(), u64::from(text.offset));
                        let base = self.code_text(id, class, method, &text.sink, view, place);
                        let found = UiText { text: text.text.clone(), screen: screen.clone(), usage, ..base };
                        inspection.texts.push(found);
                    }
                    for used in &method.resources {
                        let Some(resource) = self.resource_id(&used.resource) else { continue };
                        if self.parts.resources.is_text(resource) {
                            let view = used.view.as_ref().and_then(|view| self.view_id(view));
                            let place = Place::entry(dex.clone());
                            let base = self.code_text(id, class, method, &used.sink, view, place);
                            let base = UiText { screen: screen.clone(), usage, ..base };
                            self.add(inspection, &Text::Resource(resource), base);
                        }
                    }
                }
            }
        }
    }

    fn code_text(
        &self,
        node: NodeId,
        class: &OwnClass,
        method: &OwnMethod,
        sink: &sink::Sink,
        view: Option<u32>,
        place: Place,
    ) -> UiText {
        let mut text = UiText::new("", sink.role, place);
        let listener = view.and_then(|id| self.listener(id, &[node]));
        let placed = view.and_then(|id| self.widget_of(id, node));
        let class_name = placed.map(|widget| widget.class.clone()).or_else(|| sink.widget.clone());
        let operable = sink.role == Role::Control
            || (sink.role == Role::Label
                && (listener.is_some()
                    || placed.is_some_and(|widget| widget.operable || widget.handler.is_some())));
        if operable && text.role == Role::Label {
            text.role = Role::Control;
        }
        if let Some(role) = self.of_item(node, method, sink) {
            text.role = role;
            let handler = self.presses_items(node).map(str::to_owned);
            let operable = role == Role::Control;
            text.widget = Some(Widget { class: "item".to_owned(), id: None, handler, operable });
        } else if let Some(class) = class_name {
            let handler = listener.flatten().and_then(|(_, method)| method);
            let handler = handler.map(|method| self.parts.symbols.name(method).to_owned());
            let id = view.and_then(|id| self.resource_name(id));
            text.widget = Some(Widget { class, id, handler, operable });
        } else if text.role == Role::Control {
            let class = sink.name.clone().unwrap_or_default();
            text.widget = Some(Widget { class, id: None, handler: None, operable: true });
        }
        text.chain = vec![self.step(class.name, method.name)];
        text.chain.extend(sink.name.clone());
        let endpoints = match listener.flatten() {
            Some((class, method)) => self.endpoints_of(class, method),
            None => self.endpoints_of(class.name, Some(method.name)),
        };
        text.chain.extend(endpoints.iter().map(address));
        text.code = Some(Code {
            class: self.parts.symbols.name(class.name).to_owned(),
            method: Some(self.parts.symbols.name(method.name).to_owned()),
            sink: sink.name.clone(),
        });
        text
    }

    /// The role of a text that is a label of the items of a list: an adapter is given it, or what runs when an item
    /// is pressed compares the item with it. One comparison may be with a state of the item rather than its label;
    /// where one item after the other is told by its text, these are the entries of a menu.
    fn of_item(&self, node: NodeId, method: &OwnMethod, sink: &sink::Sink) -> Option<Role> {
        let name = sink.name.as_deref()?;
        if sink.role == Role::Item && name.ends_with("Adapter.<init>") {
            return self.presses_items(node).map(|_| Role::Control);
        }
        let compares =
            |name: &str| matches!(name, "String.equals" | "String.equalsIgnoreCase" | "Intrinsics.areEqual");
        if sink.role != Role::Code || !compares(name) || !is_item_press(self.parts.symbols.name(method.name))
        {
            return None;
        }
        let compared = method.texts.iter().filter(|text| text.sink.name.as_deref().is_some_and(compares));
        let labels: HashSet<&str> = compared.map(|text| text.text.as_str()).collect();
        Some(if labels.len() >= MENU_ENTRIES { Role::Control } else { Role::Item })
    }

    /// The method of a node that runs when an item of a list is pressed.
    fn presses_items(&self, node: NodeId) -> Option<&str> {
        let methods = self.graph.nodes[node].classes.iter().flat_map(|class| &class.methods);
        methods.map(|method| self.parts.symbols.name(method.name)).find(|name| is_item_press(name))
    }

    /// The widget of an id in a file that the node uses.
    fn widget_of(&self, id: u32, node: NodeId) -> Option<&'a Node> {
        let files =
            self.users.iter().filter(|(_, users)| users.contains(&node)).map(|(resource, _)| resource);
        let mut files: Vec<&u32> = files.collect();
        files.sort_unstable();
        files
            .into_iter()
            .filter_map(|resource| self.files_by_resource.get(resource))
            .flatten()
            .flat_map(|&file| &self.parts.files[file].widgets)
            .find(|widget| widget.id == Some(id))
    }

    /// Strings of the table that nothing was seen to use.
    fn unused_strings(&mut self, inspection: &mut Inspection) {
        let resources = self.parts.resources;
        let by_name = self.parts.code.iter().any(|(_, unit)| unit.looks_up_names);
        let usage = if self.parts.complete && !by_name { Usage::Unreferenced } else { Usage::Unknown };
        for resource in resources.all() {
            if !matches!(resource.type_name(), "string" | "array" | "plurals")
                || self.used_strings.contains(&resource.id())
            {
                continue;
            }
            let name = resource.name();
            let library = library::of_resource(&name);
            for wording in resources.strings(resource.id()) {
                // A library's texts in other scripts could only ever be mentions of nothing.
                if library.is_some() && !has_cjk(&wording.text) {
                    continue;
                }
                let place = Place::resource(resources.path(&wording), resource.id());
                let mut text = UiText::new(wording.text, Role::Resource, place);
                text.locale = wording.locale;
                text.key = Some(format!("{}/{name}", resource.type_name()));
                text.usage = usage;
                if let Some(library) = library {
                    text.origin = Origin::Library(Arc::from(library));
                }
                inspection.texts.push(text);
            }
        }
    }

    /// What the app shows of servers.
    fn web_pages(&self) -> WebPages {
        let mut pages = WebPages::default();
        for (address, place) in self.parts.start_pages {
            pages.add(address, place.clone());
        }
        for file in self.parts.files {
            if let Some(address) = &file.start_page {
                pages.add(address, Place::entry(&*file.path));
            }
        }
        for (id, node) in self.graph.nodes.iter().enumerate() {
            if !node.reached {
                continue;
            }
            let methods = || {
                node.classes.iter().flat_map(|class| {
                    let dex = self.dex_of.get(&class.name).copied().unwrap_or_default();
                    class.methods.iter().map(move |method| (method, dex))
                })
            };
            let shows = methods().any(|(method, _)| method.shows_pages);
            if shows {
                let screens = self.graph.screens_of(id).iter();
                pages.screens.extend(screens.map(|&screen| self.graph.nodes[screen].name.to_owned()));
            }
            let known = pages.addresses.len();
            for (method, dex) in methods() {
                for endpoint in method.endpoints.iter().filter(|endpoint| endpoint.page) {
                    pages.add(&endpoint.address, Place::offset(dex, u64::from(endpoint.offset)));
                }
            }
            if shows && pages.addresses.len() == known && !methods().any(|(method, _)| method.shows_local) {
                let dex = methods().find(|(method, _)| method.shows_pages).map_or("", |(_, dex)| dex);
                pages.unknown.get_or_insert_with(|| Place::entry(dex));
            }
        }
        pages
    }

    fn facts(&self, inspection: &mut Inspection) {
        let mut facts: Vec<Fact> = Vec::new();
        let mut add = |fact: Fact| facts.push(fact);
        if let Some(manifest) = self.parts.manifest {
            for component in &manifest.components {
                let mut fact = Fact::new(FactKind::Component, &component.class, component.place.clone());
                fact.origin = origin_of_class(&component.class, &self.graph);
                fact.screen = self.graph.find(&component.class).and_then(|node| self.screen(node));
                add(fact);
            }
            for (permission, place) in &manifest.permissions {
                add(Fact::new(FactKind::Permission, permission, place.clone()));
            }
        }
        for file in self.parts.files {
            for (address, offset) in &file.servers {
                add(Fact::new(FactKind::Endpoint, address, Place::offset(&*file.path, *offset)));
            }
        }
        let mut functions: HashSet<Symbol> = HashSet::default();
        for (id, node) in self.graph.nodes.iter().enumerate() {
            if !node.reached && self.parts.complete {
                continue;
            }
            let screen = self.screen(id);
            for class in &node.classes {
                let dex: Arc<str> = Arc::from(self.dex_of.get(&class.name).copied().unwrap_or_default());
                let linked = |kind, value: &str, place| {
                    let mut fact = Fact::new(kind, value, place);
                    fact.screen.clone_from(&screen);
                    fact
                };
                let class_name = self.parts.symbols.name(class.name);
                if !class_name.contains('$') {
                    add(linked(FactKind::Class, class_name, Place::entry(dex.clone())));
                }
                if let Some(route) = &class.route {
                    add(linked(FactKind::Route, route, Place::entry(dex.clone())));
                }
                for method in &class.methods {
                    let method_name = self.parts.symbols.name(method.name);
                    if is_named(method_name) && functions.insert(method.name) {
                        let mut fact = linked(FactKind::Function, method_name, Place::entry(dex.clone()));
                        fact.chain = vec![self.step(class.name, method.name)];
                        add(fact);
                    }
                    for endpoint in &method.endpoints {
                        let place = Place::offset(dex.clone(), u64::from(endpoint.offset));
                        let mut fact = linked(FactKind::Endpoint, &endpoint.address, place);
                        fact.screen = self.screen_of_method(id, (class.name, method.name));
                        fact.chain = vec![self.step(class.name, method.name), address(endpoint)];
                        add(fact);
                    }
                }
            }
        }
        for (index, file) in self.parts.files.iter().enumerate() {
            let Some(resource) = self.resource_of_file.get(&index).copied() else { continue };
            let Some(users) = self.users.get(&resource) else { continue };
            let screen = self.shown_by(users).map(|(_, screen)| screen);
            let path: Arc<str> = Arc::from(file.path.as_str());
            let Some(name) = self.resource_name(resource) else { continue };
            let library = library::of_resource(&name);
            let mut linked = |kind, value: String| {
                let mut fact = Fact::new(kind, value, Place::entry(path.clone()));
                fact.screen.clone_from(&screen);
                fact.origin = library.map_or(Origin::App, |library| Origin::Library(Arc::from(library)));
                add(fact);
            };
            linked(FactKind::Layout, name);
            if file.widgets.iter().filter(|widget| is_input(&widget.class)).count() >= FORM_INPUTS {
                linked(FactKind::Api, FORM.to_owned());
            }
            for id in file.widgets.iter().filter_map(|widget| widget.id) {
                if let Some(name) = self.resource_name(id) {
                    linked(FactKind::WidgetId, name);
                }
            }
        }
        let mut packages: BTreeMap<&String, &str> = BTreeMap::new();
        for (path, unit) in self.parts.code {
            unit.packages.iter().for_each(|package| _ = packages.entry(package).or_insert(path));
        }
        for (package, path) in packages {
            add(Fact::new(FactKind::Sdk, package, Place::entry(path)));
        }
        facts.sort_by(|a, b| (a.kind, &a.value, &a.place).cmp(&(b.kind, &b.value, &b.place)));
        facts.dedup_by(|a, b| a.kind == b.kind && a.value == b.value);
        inspection.facts.extend(facts);
    }
}

/// One wording of a text: Chinese where there is one, else the default.
pub(crate) fn resolve(text: &Text, resources: &Resources<'_>) -> Option<String> {
    const PREFERRED: [&str; 5] = ["zh-CN", "zh", "zh-Hans", "zh-Hans-CN", "zh-SG"];
    match text {
        Text::Literal(text) => Some(text.clone()),
        Text::Resource(id) => {
            let texts = resources.strings(*id);
            let preferred = PREFERRED
                .iter()
                .find_map(|tag| texts.iter().find(|text| text.locale.as_deref() == Some(tag)));
            let best =
                preferred.or_else(|| texts.iter().find(|text| text.locale.is_none())).or(texts.first())?;
            Some(best.text.clone().into_owned())
        }
    }
}

/// The origin of a class named in the manifest: the app's when its code is among the app's own.
fn origin_of_class(class: &str, graph: &Graph<'_>) -> Origin {
    if graph.find(class).is_some() {
        return Origin::App;
    }
    match library::of_class(class.replace('.', "/").as_bytes()) {
        Some(library) => Origin::Library(Arc::from(library)),
        None => Origin::App,
    }
}

/// Whether a method runs when an item of a list, a grid or a menu is pressed.
fn is_item_press(method: &str) -> bool {
    matches!(
        method,
        "onItemClick"
            | "onListItemClick"
            | "onChildClick"
            | "onOptionsItemSelected"
            | "onMenuItemClick"
            | "onNavigationItemSelected"
    )
}

/// Whether what receives a title is the screen itself rather than a dialog on it.
fn names_screen(sink: &sink::Sink) -> bool {
    let on_dialog =
        sink.name.as_deref().is_some_and(|name| name.contains("Builder.") || name.contains("Dialog."));
    sink.role == Role::Title && !on_dialog
}

fn address(endpoint: &Endpoint) -> String {
    match endpoint.verb {
        Some(verb) => format!("{verb} {}", endpoint.address),
        None => endpoint.address.clone(),
    }
}

/// A class as a step of a chain: without its package, with its outer class.
fn class_step(class: &str) -> String {
    class.rsplit('.').next().unwrap_or(class).to_owned()
}

/// `btn_patrol` as a view binding names it: `btnPatrol`.
fn camel(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for ch in name.chars() {
        if ch == '_' || ch == '.' {
            upper = true;
        } else if upper {
            out.extend(ch.to_uppercase());
            upper = false;
        } else {
            out.push(ch);
        }
    }
    out
}

/// Whether something is entered in a view of this class.
fn is_input(class: &str) -> bool {
    let plain = sink::simple(class);
    ["EditText", "AutoCompleteTextView", "Spinner"].iter().any(|name| plain.ends_with(name))
}

/// Whether a method has a name of its own rather than one from an obfuscator or the language.
fn is_named(name: &str) -> bool {
    name.len() > 3 && !name.starts_with('<') && !name.contains('$')
}
