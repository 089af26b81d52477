//! What the app's own classes do: one dex file to an owned summary, so that its bytes can be dropped.
//!
//! Library classes are counted and named but not walked.

use std::collections::{BTreeSet, HashMap, HashSet};

use foldhash::fast::RandomState;

use crate::decode::Issue;
use crate::decode::dex::{
    Annotated, Annotation, Class, Dex, Encoded, IdSet, MethodCode, Scanner, Source, Target, Value, Wanted,
};
use crate::link::{endpoint, library};
use crate::model::Role;

use super::sink::{self, Sink};
use super::symbol::{Symbol, Symbols};

/// Class loaders for code from elsewhere.
const LOADERS: &[&[u8]] = &[
    b"Ldalvik/system/BaseDexClassLoader;",
    b"Ldalvik/system/DelegateLastClassLoader;",
    b"Ldalvik/system/DexClassLoader;",
    b"Ldalvik/system/DexFile;",
    b"Ldalvik/system/InMemoryDexClassLoader;",
    b"Ldalvik/system/PathClassLoader;",
];
/// Texts longer than this are cut: nobody reads them on a widget.
const MAX_TEXT: usize = 4096;

/// What one dex file holds of the app's own code.
#[derive(Debug, Default)]
pub(crate) struct CodeUnit {
    /// Names of classes and methods; after [`join`] empty, and all numbers are of the joint table.
    symbols: Symbols,
    /// The app's own classes.
    pub(crate) classes: Vec<OwnClass>,
    /// Dotted packages of library classes.
    pub(crate) packages: BTreeSet<String>,
    /// What was wrong with the code.
    pub(crate) issues: Vec<Issue>,
    /// Own code looks resources up by name, so that "nothing refers to it" cannot be said.
    pub(crate) looks_up_names: bool,
    /// Own code makes a class loader for code that is not in the package's dex files.
    pub(crate) loads_code: bool,
    /// Whatever code, a library's too, makes such a class loader or holds its name.
    pub(crate) names_loaders: bool,
}

/// A class of the app's own.
#[derive(Debug)]
pub(crate) struct OwnClass {
    /// Dotted name with `$` for inner classes.
    pub(crate) name: Symbol,
    pub(crate) superclass: Option<Symbol>,
    /// Path of a router annotation (`@Route(path = "/patrol/main")`).
    pub(crate) route: Option<String>,
    /// Resource ids in annotations of the class (`@ContentView(R.layout.main)`).
    pub(crate) resources: Vec<ResourceRef>,
    pub(crate) methods: Vec<OwnMethod>,
}

/// A method of the app's own.
#[derive(Debug, Default)]
pub(crate) struct OwnMethod {
    pub(crate) name: Symbol,
    /// Own methods called: class and name.
    pub(crate) calls: Vec<(Symbol, Symbol)>,
    /// Own types instantiated or named.
    pub(crate) types: Vec<Symbol>,
    pub(crate) texts: Vec<CodeText>,
    pub(crate) resources: Vec<ResourceUse>,
    pub(crate) listeners: Vec<Listener>,
    /// Addresses, with the offset and the HTTP verb where it is known.
    pub(crate) endpoints: Vec<Endpoint>,
    /// Shows pages in a web view.
    pub(crate) shows_pages: bool,
    /// One of them is a page of the package.
    pub(crate) shows_local: bool,
}

/// An address in code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) address: String,
    pub(crate) verb: Option<&'static str>,
    pub(crate) offset: u32,
    /// Shown as a page in a web view, or handed to the screen that does.
    pub(crate) page: bool,
}

/// A literal that may be text of the interface.
#[derive(Debug)]
pub(crate) struct CodeText {
    pub(crate) text: String,
    pub(crate) offset: u32,
    pub(crate) sink: Sink,
    pub(crate) view: Option<ViewRef>,
}

/// A resource id as code holds it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum ResourceRef {
    /// The number.
    Id(u32),
    /// Type and name of a field of an `R` class.
    Name(String, String),
}

/// A resource used in code.
#[derive(Debug)]
pub(crate) struct ResourceUse {
    pub(crate) resource: ResourceRef,
    pub(crate) sink: Sink,
    pub(crate) view: Option<ViewRef>,
}

/// A view as code holds it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum ViewRef {
    /// By its id.
    Id(u32),
    /// By the name of its id.
    Name(String),
    /// By the field name of a view binding: `btnPatrol` for `btn_patrol`.
    Camel(String),
}

/// Class and, where it is known, method that handle a press.
pub(crate) type Handler = Option<(Symbol, Option<Symbol>)>;

/// A listener for presses on a view.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) view: ViewRef,
    pub(crate) handler: Handler,
}

/// Tells the app's own classes from libraries.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ownership {
    /// Prefixes of the app's own packages, `/`-separated, as in descriptors.
    own: Vec<String>,
}

impl Ownership {
    /// The app's package and the classes of its manifest; a manifest entry of a known library does not count.
    pub(crate) fn new<'a>(package: &str, components: impl Iterator<Item = &'a str>) -> Self {
        let mut own = vec![package.replace('.', "/")];
        for class in components {
            let path = class.replace('.', "/");
            if library::of_class(path.as_bytes()).is_none() {
                own.push(path);
            }
        }
        // Two segments tell a vendor: `cn/gov/…` needs three.
        own = own
            .iter()
            .map(|path| {
                let segments: Vec<&str> = path.split('/').collect();
                let wide = matches!(segments.get(1), Some(&("gov" | "com" | "org" | "net" | "edu")));
                let keep = if wide { 3 } else { 2 };
                let mut prefix = segments[..segments.len().min(keep)].join("/");
                prefix.push('/');
                prefix
            })
            .filter(|prefix| prefix.len() > 1 && library::of_class(prefix.as_bytes()).is_none())
            .collect();
        let package = format!("{}/", package.replace('.', "/"));
        own.push(package);
        own.sort();
        own.dedup();
        Ownership { own }
    }

    /// Whether a class is in a package that the manifest names.
    fn declares(&self, descriptor: &[u8]) -> bool {
        let name = descriptor.strip_prefix(b"L").unwrap_or(descriptor);
        self.own.iter().any(|prefix| prefix.len() > 1 && name.starts_with(prefix.as_bytes()))
    }

    /// The library a class belongs to.
    pub(crate) fn library(&self, descriptor: &[u8]) -> Option<&'static str> {
        if self.declares(descriptor) { None } else { library::of_class(descriptor) }
    }
}

/// Reads one dex file. `packages` are those that resource ids can be of.
pub(crate) fn read(dex: &Dex<'_>, ownership: &Ownership, packages: &[u8]) -> CodeUnit {
    let mut reader = Reader::new(dex, ownership, packages);
    let wanted = Wanted { strings: reader.wanted(), packages: packages.to_vec() };
    let mut scanner = Scanner::new(dex, &wanted);
    let mut unit = CodeUnit::default();
    let mut packages: HashSet<&[u8], RandomState> = HashSet::default();
    for class in dex.classes() {
        let descriptor = class.descriptor();
        if ownership.library(descriptor).is_some() {
            packages.insert(memchr::memrchr(b'/', descriptor).map_or(&[], |end| &descriptor[1..end]));
            continue;
        }
        if is_resource_class(&class.name()) {
            continue;
        }
        let own = reader.class(&mut scanner, &class);
        unit.classes.push(own);
    }
    unit.packages =
        packages.into_iter().map(|name| String::from_utf8_lossy(name).replace('/', ".")).collect();
    unit.issues = scanner.issues();
    unit.looks_up_names = reader.looks_up_names;
    unit.loads_code = reader.loads_code;
    unit.names_loaders = reader.names_loaders();
    reader.resolve_fields(&mut unit.classes);
    unit.symbols = reader.symbols;
    unit
}

/// Gives all units one table of names.
pub(crate) fn join(units: &mut [(String, CodeUnit)]) -> Symbols {
    let mut joint = Symbols::default();
    for (_, unit) in units {
        let map = joint.absorb(&std::mem::take(&mut unit.symbols));
        let renumber =
            |symbol: &mut Symbol| *symbol = map.get(symbol.0 as usize).copied().unwrap_or_default();
        for class in &mut unit.classes {
            renumber(&mut class.name);
            class.superclass.iter_mut().for_each(renumber);
            for method in &mut class.methods {
                renumber(&mut method.name);
                method.types.iter_mut().for_each(renumber);
                for (class, name) in &mut method.calls {
                    renumber(class);
                    renumber(name);
                }
                for (class, name) in
                    method.listeners.iter_mut().filter_map(|listener| listener.handler.as_mut())
                {
                    renumber(class);
                    name.iter_mut().for_each(renumber);
                }
            }
        }
    }
    joint
}

/// `R$layout` and the like: names without use.
fn is_resource_class(name: &str) -> bool {
    let simple = name.rsplit('.').next().unwrap_or(name);
    simple == "R" || simple.starts_with("R$")
}

struct Reader<'d> {
    dex: &'d Dex<'d>,
    ownership: &'d Ownership,
    packages: &'d [u8],
    symbols: Symbols,
    /// Symbols of types and of strings, by their index in the dex.
    types: Vec<Option<Symbol>>,
    strings: HashMap<u32, Symbol, RandomState>,
    own: Vec<Option<bool>>,
    /// Views put into fields, by field index.
    fields: HashMap<u32, ViewRef, RandomState>,
    /// Views read from fields, resolved when all classes are walked: (class, method, listener or text) indexes.
    pending: Vec<(usize, usize, Pending, u32)>,
    class_index: usize,
    looks_up_names: bool,
    loads_code: bool,
    /// Types that load code.
    loaders: Vec<u32>,
    /// The class being walked is in a package that the manifest names.
    declared: bool,
}

#[derive(Debug, Clone, Copy)]
enum Pending {
    Text(usize),
    Resource(usize),
    /// A listener whose view is not known yet; the handler is kept at this index of `waiting`.
    Listener,
}

impl<'d> Reader<'d> {
    fn new(dex: &'d Dex<'d>, ownership: &'d Ownership, packages: &'d [u8]) -> Self {
        let types = dex.type_count() as usize;
        let is_loader = |index: &u32| dex.type_descriptor(*index).is_some_and(|name| LOADERS.contains(&name));
        let loaders = (0..dex.type_count()).filter(is_loader).collect();
        Reader {
            dex,
            ownership,
            packages,
            symbols: Symbols::default(),
            types: vec![None; types],
            strings: HashMap::default(),
            own: vec![None; types],
            fields: HashMap::default(),
            pending: Vec::new(),
            class_index: 0,
            looks_up_names: false,
            loads_code: false,
            loaders,
            declared: false,
        }
    }

    /// Whether any code makes a class loader, or holds the name of one to make it by reflection. `DexFile` is left
    /// out: the multidex library calls it for the dex files of the package itself.
    fn names_loaders(&self) -> bool {
        let makes = |index: u32| {
            self.dex
                .method(index)
                .is_some_and(|method| self.loaders.contains(&method.class) && &*method.name() == "<init>")
        };
        let named = |index: u32| {
            let bytes = self.dex.string_bytes(index).unwrap_or_default();
            bytes.starts_with(b"dalvik") && bytes.ends_with(b"DexClassLoader")
        };
        (0..self.dex.method_count()).any(makes) || (0..self.dex.string_count()).any(named)
    }

    /// Strings that may be text of the interface or an address.
    fn wanted(&self) -> IdSet {
        let mut set = IdSet::new(self.dex.string_count());
        for index in 0..self.dex.string_count() {
            let bytes = self.dex.string_bytes(index).unwrap_or_default();
            if is_interesting(bytes) {
                set.insert(index);
            }
        }
        set
    }

    fn class_symbol(&mut self, type_index: u32) -> Option<Symbol> {
        let slot = self.types.get_mut(type_index as usize)?;
        if slot.is_none() {
            *slot = Some(self.symbols.intern(&self.dex.type_name(type_index)?));
        }
        *slot
    }

    fn string_symbol(&mut self, string_index: u32) -> Symbol {
        let (dex, symbols) = (self.dex, &mut self.symbols);
        let name = || symbols.intern(&dex.string(string_index).unwrap_or_default());
        *self.strings.entry(string_index).or_insert_with(name)
    }

    fn method_name(&mut self, method_index: u32) -> Symbol {
        let index = self.dex.method(method_index).map(|method| method.name);
        self.string_symbol(index.unwrap_or(u32::MAX))
    }

    fn is_own(&mut self, type_index: u32) -> bool {
        let Some(slot) = self.own.get_mut(type_index as usize) else { return false };
        *slot.get_or_insert_with(|| {
            let descriptor = self.dex.type_descriptor(type_index).unwrap_or_default();
            descriptor.starts_with(b"L") && self.ownership.library(descriptor).is_none()
        })
    }

    fn class(&mut self, scanner: &mut Scanner<'d>, class: &Class<'d>) -> OwnClass {
        self.declared = self.ownership.declares(class.descriptor());
        let mut own = OwnClass {
            name: self.symbols.intern(&class.name()),
            superclass: class.superclass.and_then(|index| self.class_symbol(index)),
            route: None,
            resources: Vec::new(),
            methods: Vec::new(),
        };
        let mut methods: HashMap<u32, usize, RandomState> = HashMap::default();
        scanner.class(class, |method, code| {
            let found = self.method(code, own.methods.len());
            methods.insert(method.index, own.methods.len());
            own.methods.push(found);
        });
        for method in class.methods().filter(|method| method.code.is_none()) {
            methods.insert(method.index, own.methods.len());
            let name = self.method_name(method.index);
            own.methods.push(OwnMethod { name, ..OwnMethod::default() });
        }
        scanner.annotations(class, |on, annotation| self.annotation(&mut own, &methods, on, annotation));
        self.class_index += 1;
        own
    }

    fn method(&mut self, code: &MethodCode, method_index: usize) -> OwnMethod {
        let mut own = OwnMethod { name: self.method_name(code.method), ..OwnMethod::default() };
        for &call in &code.calls {
            let Some(method) = self.dex.method(call) else { continue };
            own.shows_pages |= self.shows_pages(call);
            self.loads_code |= self.loaders.contains(&method.class);
            if self.is_own(method.class)
                && let Some(class) = self.class_symbol(method.class)
            {
                own.calls.push((class, self.string_symbol(method.name)));
            } else if self.declared && &*method.name() == "getIdentifier" {
                self.looks_up_names = true;
            }
        }
        for &kind in &code.types {
            if self.is_own(kind) {
                own.types.extend(self.class_symbol(kind));
            }
        }
        // A field of a view binding class makes the binding, and so its layout, part of what the method uses.
        for &field in &code.fields {
            if let Some(field) = self.dex.field(field)
                && self.is_own(field.class)
                && field.class_name().ends_with("Binding")
            {
                own.types.extend(self.class_symbol(field.class));
            }
        }
        for store in &code.stores {
            if let Some(view) = self.view(store.source) {
                self.fields.insert(store.field, view);
            }
        }
        let mut sends = false;
        for literal in code.literals() {
            let mut found = sink::strongest(self.dex, &literal.sinks);
            let mut on = literal.sinks.iter().find_map(|sink| sink.on);
            match literal.value {
                Value::String(index) => {
                    let Some(text) = self.dex.string(index) else { continue };
                    if let Some(address) = endpoint::in_code(&text) {
                        if !matches!(found.role, Role::Log | Role::Comment) {
                            let page = address.contains("://")
                                && literal.sinks.iter().any(|sink| self.takes_pages(sink.target));
                            let address = address.to_owned();
                            own.endpoints.push(Endpoint {
                                address,
                                verb: None,
                                offset: literal.offset,
                                page,
                            });
                        }
                        continue;
                    }
                    sends |= text.starts_with("android.intent.action.SEND");
                    own.shows_local |= text.starts_with("file:///android_asset/");
                    if text.is_ascii() && !is_shown(found.role) {
                        continue;
                    }
                    let text = cut(&text);
                    let view = self.view_or_wait(on.take(), method_index, Pending::Text(own.texts.len()));
                    own.texts.push(CodeText { text, offset: literal.offset, sink: found, view });
                }
                Value::Resource(_) | Value::ResourceField(_) => {
                    let Some(resource) = self.resource(literal.value) else { continue };
                    // `getString(id)`: what the returned text is used for.
                    let source = match literal.value {
                        Value::Resource(id) => Source::Id(id),
                        Value::ResourceField(field) => Source::IdField(field),
                        Value::String(_) => continue,
                    };
                    for call in &code.views {
                        let Some(argument) = call.arguments.iter().position(|a| *a == Some(source)) else {
                            continue;
                        };
                        let passed = sink::call(self.dex, call.method, u8::try_from(argument).ok());
                        if passed.role < found.role {
                            found = passed;
                            on = call.receiver;
                        }
                    }
                    let view = self.view_or_wait(on, method_index, Pending::Resource(own.resources.len()));
                    own.resources.push(ResourceUse { resource, sink: found, view });
                }
            }
        }
        // An address handed to another app is no page of this one.
        if sends && !own.shows_pages {
            own.endpoints.iter_mut().for_each(|endpoint| endpoint.page = false);
        }
        for call in &code.views {
            let Some(method) = self.dex.method(call.method) else { continue };
            if !sink::is_listener(&method.name()) {
                continue;
            }
            let handler = call.arguments.iter().flatten().find_map(|source| self.handler(*source));
            let views = call.receiver.into_iter().chain(call.arguments.into_iter().flatten());
            for source in views {
                if let Some(view) = self.view(source) {
                    own.listeners.push(Listener { view, handler });
                    break;
                }
                if let Source::Field(field) = source {
                    self.pending.push((self.class_index, method_index, Pending::Listener, field));
                    own.listeners.push(Listener { view: ViewRef::Camel(String::new()), handler });
                    break;
                }
            }
        }
        own
    }

    /// Whether a call shows the page at an address, or takes it along to another screen.
    fn takes_pages(&self, target: Target) -> bool {
        let Target::Call { method, .. } = target else { return false };
        let name = self.dex.method(method).and_then(|method| self.dex.string_bytes(method.name));
        name == Some(b"putExtra") || self.shows_pages(method)
    }

    /// Whether a call shows a page: `loadUrl` of any web view, Android's or another's.
    fn shows_pages(&self, method: u32) -> bool {
        let Some(method) = self.dex.method(method) else { return false };
        let class = || self.dex.type_descriptor(method.class).unwrap_or_default();
        let holds = |part: &[u8]| memchr::memmem::find(class(), part).is_some();
        match self.dex.string_bytes(method.name) {
            Some(b"loadUrl") => holds(b"WebView") || holds(b"webview"),
            Some(b"go") => holds(b"/agentweb/"),
            _ => false,
        }
    }

    /// The view an object is, unless that takes fields of classes not walked yet.
    fn view(&mut self, source: Source) -> Option<ViewRef> {
        match source {
            Source::Id(id) => Some(ViewRef::Id(id)),
            Source::IdField(field) => {
                self.dex.field(field).map(|field| ViewRef::Name(field.name().into_owned()))
            }
            Source::Field(field) => {
                let field = self.dex.field(field)?;
                let binding = field.class_name().ends_with("Binding");
                binding.then(|| ViewRef::Camel(field.name().into_owned()))
            }
            Source::New(_) | Source::Lambda(_) | Source::Class(_) => None,
        }
    }

    fn view_or_wait(&mut self, source: Option<Source>, method: usize, at: Pending) -> Option<ViewRef> {
        let source = source?;
        let view = self.view(source);
        if let (None, Source::Field(field)) = (&view, source) {
            self.pending.push((self.class_index, method, at, field));
        }
        view
    }

    fn handler(&mut self, source: Source) -> Handler {
        match source {
            Source::New(kind) if self.is_own(kind) => self.class_symbol(kind).map(|class| (class, None)),
            Source::Lambda(method) => {
                let method = self.dex.method(method)?;
                let class = self.class_symbol(method.class)?;
                Some((class, Some(self.string_symbol(method.name))))
            }
            _ => None,
        }
    }

    fn resource(&mut self, value: Value) -> Option<ResourceRef> {
        match value {
            Value::Resource(id) => Some(ResourceRef::Id(id)),
            Value::ResourceField(field) => {
                let field = self.dex.field(field)?;
                let class = field.class_name();
                let kind = class.rsplit('$').next()?.to_owned();
                Some(ResourceRef::Name(kind, field.name().into_owned()))
            }
            Value::String(_) => None,
        }
    }

    fn annotation(
        &mut self,
        own: &mut OwnClass,
        methods: &HashMap<u32, usize, RandomState>,
        on: Annotated,
        annotation: &Annotation<'_>,
    ) {
        let Some(kind) = self.dex.type_name(annotation.type_index) else { return };
        let simple = sink::simple(&kind);
        let verb = endpoint::verb(simple);
        if verb.is_none()
            && matches!(simple, "Metadata" | "Signature" | "MemberClasses" | "InnerClass" | "EnclosingMethod")
        {
            return;
        }
        let mut ids = Vec::new();
        let mut strings = Vec::new();
        for (_, value) in annotation.elements() {
            flatten(value, self.packages, &mut ids, &mut strings);
        }
        match on {
            Annotated::Method(index) => {
                let Some(method) = methods.get(&index).and_then(|&at| own.methods.get_mut(at)) else {
                    return;
                };
                if let Some(verb) = verb {
                    let texts = strings.iter().filter_map(|&s| self.dex.string(s));
                    method.endpoints.extend(texts.filter(|text| !text.is_empty()).take(1).map(|text| {
                        Endpoint {
                            address: text.into_owned(),
                            verb: Some(verb),
                            offset: self.dex.string_offset(strings[0]).unwrap_or_default(),
                            page: false,
                        }
                    }));
                } else if simple.contains("Click") || simple == "Event" {
                    let handler = Some((own.name, Some(method.name)));
                    let listener = |&id: &u32| Listener { view: ViewRef::Id(id), handler };
                    let listeners: Vec<Listener> = ids.iter().map(listener).collect();
                    method.listeners.extend(listeners);
                }
            }
            Annotated::Field(field) => {
                if let [id] = ids[..] {
                    self.fields.insert(field, ViewRef::Id(id));
                }
            }
            Annotated::Class => {
                own.resources.extend(ids.into_iter().map(ResourceRef::Id));
                if simple.contains("Route") || simple.contains("Path") {
                    own.route = strings.first().and_then(|&s| self.dex.string(s)).map(|s| s.into_owned());
                }
            }
            Annotated::Parameter { .. } => {}
        }
    }

    /// Fills in the views that were read from fields.
    fn resolve_fields(&mut self, classes: &mut [OwnClass]) {
        for (class, method, at, field) in std::mem::take(&mut self.pending) {
            let Some(method) = classes.get_mut(class).and_then(|class| class.methods.get_mut(method)) else {
                continue;
            };
            let view = self.fields.get(&field).cloned();
            match at {
                Pending::Text(index) => {
                    if let Some(text) = method.texts.get_mut(index) {
                        text.view = view;
                    }
                }
                Pending::Resource(index) => {
                    if let Some(resource) = method.resources.get_mut(index) {
                        resource.view = view;
                    }
                }
                Pending::Listener => {
                    let waiting =
                        method.listeners.iter_mut().find(|l| l.view == ViewRef::Camel(String::new()));
                    if let (Some(listener), Some(view)) = (waiting, view) {
                        listener.view = view;
                    }
                }
            }
        }
        for method in classes.iter_mut().flat_map(|class| &mut class.methods) {
            method.listeners.retain(|listener| listener.view != ViewRef::Camel(String::new()));
        }
    }
}

/// Resource ids and strings of an annotation value.
fn flatten(value: Encoded<'_>, packages: &[u8], ids: &mut Vec<u32>, strings: &mut Vec<u32>) {
    match value {
        // Ids of the packages of features are negative numbers.
        Encoded::Int(number) => ids.extend(
            i32::try_from(number)
                .ok()
                .map(i32::cast_unsigned)
                .filter(|id| packages.contains(&((id >> 24) as u8))),
        ),
        Encoded::String(index) => strings.push(index),
        Encoded::Array(array) => {
            for item in array.iter() {
                match item {
                    Encoded::Int(_) | Encoded::String(_) => flatten(item, packages, ids, strings),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

fn is_shown(role: Role) -> bool {
    matches!(role, Role::Control | Role::Title | Role::Label | Role::Hint | Role::Message)
}

/// Whether a string may be text of the interface or an address: not ASCII, or with a space or a slash, or
/// one capitalised word.
fn is_interesting(bytes: &[u8]) -> bool {
    if bytes.len() < 2 || bytes.len() > 1 << 16 {
        return bytes.len() > 1 << 16;
    }
    let first = bytes[0];
    if first.is_ascii_uppercase() && bytes.len() <= 40 {
        return true;
    }
    bytes.iter().any(|&byte| byte >= 0x80 || byte == b' ' || byte == b'/' || byte == b'.')
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((at, _)) => text[..at].to_owned(),
        None => text.to_owned(),
    }
}
