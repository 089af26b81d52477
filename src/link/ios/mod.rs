//! iOS apps: interface files to screens, string tables to the widgets and code that use them, code to screens.

pub(crate) mod code;
pub(crate) mod nib;

use std::cell::Cell;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use self::code::{KeyUse, Program};
use self::nib::{Controller, Interface};
use crate::decode::macho::objc::plain_name;
use crate::decode::strings::Localised;
use crate::model::{
    Fact, FactKind, GapReason, Inspection, Origin, PartName, Place, Role, Screen, UiText, Usage,
};

/// A string table.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) path: Arc<str>,
    /// What code and interface files call it: `Localizable`, `Main`.
    pub(crate) name: String,
    pub(crate) locale: Option<String>,
    pub(crate) library: Option<Arc<str>>,
    pub(crate) entries: Vec<Localised>,
}

/// An interface file.
#[derive(Debug, Clone)]
pub(crate) struct NibFile {
    pub(crate) path: Arc<str>,
    /// Its name without ending.
    pub(crate) name: String,
    /// Path of the storyboard it is of.
    pub(crate) storyboard: Option<String>,
    pub(crate) locale: Option<String>,
    pub(crate) library: Option<Arc<str>>,
    pub(crate) interface: Interface,
}

/// What the list of a storyboard says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Storyboard {
    /// Its path.
    pub(crate) path: String,
    /// What code and `Info.plist` call it.
    pub(crate) name: String,
    /// The scene it begins with: an identifier.
    pub(crate) entry: Option<String>,
    /// File of each identifier.
    pub(crate) scenes: HashMap<String, String>,
}

/// What is linked.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    pub(crate) tables: Vec<Table>,
    pub(crate) nibs: Vec<NibFile>,
    pub(crate) storyboards: Vec<Storyboard>,
    pub(crate) programs: Vec<Program>,
    /// Storyboards and interface files that `Info.plist` starts.
    pub(crate) started: HashSet<String>,
    /// Everything that could refer to a text was read.
    pub(crate) complete: bool,
}

/// Names to look for among the strings of programs: a key or file that code names is used.
pub(crate) fn asked(parts: &Parts) -> HashSet<String> {
    let mut names: HashSet<String> = HashSet::new();
    names.extend(parts.tables.iter().flat_map(|table| &table.entries).map(|entry| entry.key.clone()));
    for nib in &parts.nibs {
        names.insert(nib.name.clone());
        names.extend(nib.interface.classes.iter().map(|class| plain_name(class)));
        names.extend(nib.interface.controllers.iter().filter_map(|controller| controller.identifier.clone()));
    }
    for storyboard in &parts.storyboards {
        names.insert(storyboard.name.clone());
        names.extend(storyboard.scenes.keys().cloned());
    }
    names
}

/// So many uses of texts of tables are told.
const MAX_LOCALISED: usize = 1 << 19;
/// Length of a start of a key that a format string may make.
const MAX_START: usize = 64;
/// The launch screen: nothing on it can be pressed.
const LAUNCH: &str = "LaunchScreen";

struct Linker<'p> {
    parts: &'p Parts,
    /// Strings of the programs among those asked for.
    mentioned: HashSet<&'p str>,
    /// Classes of the programs that code or an interface file refers to.
    referred: HashSet<&'p str>,
    classes: HashSet<&'p str>,
    /// Texts of each key of the tables of a name, the Chinese before the others.
    texts: HashMap<(&'p str, &'p str), Vec<(&'p Table, &'p Localised)>>,
    /// Name of a table that has a key.
    tables: HashMap<&'p str, &'p str>,
    /// Classes that interface files make objects of.
    in_nibs: HashSet<String>,
    /// Title of each screen.
    titles: HashMap<String, String>,
    /// Texts of tables that may still be told where they are used: a key may stand in a thousand places and tables.
    left: Cell<usize>,
}

/// Links everything and puts it into the inspection.
pub(crate) fn link(parts: &Parts, inspection: &mut Inspection) {
    let mut linker = Linker {
        parts,
        mentioned: parts.programs.iter().flat_map(|program| &program.mentioned).map(String::as_str).collect(),
        referred: HashSet::new(),
        classes: HashSet::new(),
        texts: HashMap::new(),
        tables: HashMap::new(),
        in_nibs: parts
            .nibs
            .iter()
            .flat_map(|nib| &nib.interface.classes)
            .map(|class| plain_name(class))
            .collect(),
        titles: HashMap::new(),
        left: Cell::new(MAX_LOCALISED),
    };
    for class in parts.programs.iter().flat_map(|program| &program.classes) {
        linker.classes.insert(&class.name);
        if class.referred || linker.mentioned.contains(class.name.as_str()) {
            linker.referred.insert(&class.name);
        }
    }
    for table in &parts.tables {
        for entry in &table.entries {
            linker.texts.entry((&table.name, &entry.key)).or_default().push((table, entry));
            linker.tables.entry(&entry.key).or_insert(&table.name);
        }
    }
    for list in linker.texts.values_mut() {
        list.sort_by_key(|(table, _)| {
            !table.locale.as_deref().is_some_and(|locale| locale.starts_with("zh"))
        });
    }
    let screens = linker.screens();
    linker.code_titles();
    let mut used: HashSet<*const Localised> = HashSet::new();
    linker.nibs(&screens, &mut used, inspection);
    linker.programs(&mut used, inspection);
    linker.rest(&used, inspection);
    if linker.left.get() == 0 {
        let detail = ("多语言文本过多，其余未逐处列出", "too many localised texts; not every use is told");
        inspection.gap(PartName::Resources, &Place::entry(""), GapReason::LimitReached, detail);
    }
}

impl<'p> Linker<'p> {
    /// The screen of each interface file, or of each view controller in it.
    fn screens(&mut self) -> Vec<HashMap<Option<u32>, Screen>> {
        let parts = self.parts;
        // Files by storyboard and name.
        let mut files: HashMap<(Option<&str>, &str), Vec<usize>> = HashMap::new();
        for (index, file) in parts.nibs.iter().enumerate() {
            files.entry((file.storyboard.as_deref(), &file.name)).or_default().push(index);
        }
        let storyboards: HashMap<&str, &Storyboard> =
            parts.storyboards.iter().map(|storyboard| (storyboard.path.as_str(), storyboard)).collect();
        let ends: HashMap<(&str, &str), &str> = parts
            .storyboards
            .iter()
            .flat_map(|storyboard| storyboard.scenes.values().map(move |name| (storyboard, name)))
            .filter_map(|(storyboard, name)| {
                Some(((&*storyboard.path, name.split_once('-')?.1), name.as_str()))
            })
            .collect();
        let mut reached = vec![false; parts.nibs.len()];
        let mut queue: VecDeque<usize> = VecDeque::new();
        // Names are looked up once, however many lead to them.
        let mut looked: HashSet<(Option<&str>, &str)> = HashSet::new();
        for storyboard in &parts.storyboards {
            let started =
                parts.started.contains(&storyboard.name) || self.mentioned.contains(storyboard.name.as_str());
            let entry = storyboard.entry.iter().filter(|_| started);
            let named =
                storyboard.scenes.keys().filter(|identifier| self.mentioned.contains(identifier.as_str()));
            for identifier in entry.chain(named) {
                let name = storyboard.scenes.get(identifier).unwrap_or(identifier);
                queue.extend(files.get(&(Some(&*storyboard.path), name.as_str())).into_iter().flatten());
            }
        }
        for (index, file) in parts.nibs.iter().enumerate().filter(|(_, file)| file.storyboard.is_none()) {
            let name = file.name.as_str();
            // `PatrolViewController` loads `PatrolViewController` or `PatrolView` when nothing is said.
            let owner = format!("{name}Controller");
            let loads = |class: &str| self.referred.contains(class);
            if parts.started.contains(name) || self.mentioned.contains(name) || loads(name) || loads(&owner) {
                queue.push_back(index);
            }
        }
        while let Some(index) = queue.pop_front() {
            if std::mem::replace(&mut reached[index], true) {
                continue;
            }
            let file = &parts.nibs[index];
            let storyboard = file.storyboard.as_deref().and_then(|path| storyboards.get(path));
            let scenes = storyboard.map(|storyboard| &storyboard.scenes);
            let scene = |identifier: &'p String| {
                let scenes = scenes?;
                // By identifier, or by that of the object, with which the name of the file ends.
                let by_object = || ends.get(&(file.storyboard.as_deref()?, identifier.as_str())).copied();
                scenes.get(identifier).map(String::as_str).or_else(by_object)
            };
            let controllers = &file.interface.controllers;
            let embedded = controllers.iter().filter_map(|controller| controller.identifier.as_ref());
            let led = file.interface.leads_to.iter().chain(embedded).map(|name| scene(name).unwrap_or(name));
            let views = controllers.iter().filter_map(|controller| controller.view.as_deref());
            for name in led.chain(views).map(|name| (file.storyboard.as_deref(), name)) {
                if looked.insert(name) {
                    queue.extend(files.get(&name).into_iter().flatten());
                }
            }
        }
        let mut screens: Vec<HashMap<Option<u32>, Screen>> = vec![HashMap::new(); parts.nibs.len()];
        for (index, file) in parts.nibs.iter().enumerate() {
            for controller in &file.interface.controllers {
                let screen = self.screen(file, controller, reached[index]);
                if let Some(view) = &controller.view {
                    for view in files.get(&(file.storyboard.as_deref(), view.as_str())).into_iter().flatten()
                    {
                        // The scene's own file says more than those that embed it.
                        let slot = screens[*view].entry(None).or_insert_with(|| screen.clone());
                        slot.title = slot.title.take().or_else(|| screen.title.clone());
                        slot.reachable |= reached[*view];
                    }
                }
                screens[index].insert(Some(controller.object), screen);
            }
        }
        for (index, file) in parts.nibs.iter().enumerate() {
            // What stands beside the view controller of a scene is of it.
            let beside =
                file.interface.controllers.first().and_then(|first| screens[index].get(&Some(first.object)));
            let screen = beside.cloned().unwrap_or_else(|| {
                let owner = format!("{}Controller", file.name);
                let name = if self.classes.contains(owner.as_str()) { owner } else { file.name.clone() };
                Screen { title: self.titles.get(&name).cloned(), name, reachable: reached[index] }
            });
            screens[index].entry(None).or_insert(screen);
        }
        for screen in screens.iter().flat_map(HashMap::values) {
            if let Some(title) = &screen.title {
                self.titles.entry(screen.name.clone()).or_insert_with(|| title.clone());
            }
        }
        screens
    }

    fn screen(&self, file: &NibFile, controller: &Controller, reachable: bool) -> Screen {
        let class = plain_name(&controller.class);
        let plain = class.starts_with("UI") || class.is_empty();
        let name = match &controller.identifier {
            Some(identifier) if plain => identifier.clone(),
            None if plain => file.name.clone(),
            _ => class,
        };
        let localised =
            controller.title_key.as_deref().and_then(|key| self.texts.get(&(self.table(file), key))?.first());
        let title = localised.map(|(_, entry)| entry.text.clone()).or_else(|| controller.title.clone());
        Screen { name, title, reachable }
    }

    /// Name of the string table of an interface file.
    fn table<'f>(&self, file: &'f NibFile) -> &'f str {
        match &file.storyboard {
            Some(path) => {
                let name = path.rsplit('/').next().unwrap_or(path);
                name.strip_suffix(".storyboardc").unwrap_or(name)
            }
            None => &file.name,
        }
    }

    /// Titles that code gives its screens.
    fn code_titles(&mut self) {
        for program in &self.parts.programs {
            let mut add = |class: Option<usize>, title: &str| {
                if let Some(class) =
                    class.and_then(|class| program.classes.get(class)).filter(|class| class.screen)
                {
                    self.titles.entry(class.name.clone()).or_insert_with(|| title.to_owned());
                }
            };
            for told in program.texts.iter().filter(|told| told.text.role == Role::Title) {
                add(told.class, &told.text.text);
            }
            let localised =
                program.keys.iter().flat_map(|(key, uses)| uses.iter().map(move |usage| (key, usage)));
            for (key, usage) in localised.filter(|(_, usage)| usage.role == Role::Title) {
                let entry = self.texts.get(&("Localizable", key.as_str())).and_then(|list| list.first());
                add(usage.class, entry.map_or(key, |(_, entry)| &entry.text));
            }
        }
    }

    fn nibs(
        &self,
        screens: &[HashMap<Option<u32>, Screen>],
        used: &mut HashSet<*const Localised>,
        inspection: &mut Inspection,
    ) {
        let mut told: HashSet<(String, &str, Role, &str, Option<&str>)> = HashSet::new();
        for (file, screens) in self.parts.nibs.iter().zip(screens) {
            let place = Place::entry(file.path.clone());
            let origin = file.library.clone().map_or(Origin::App, Origin::Library);
            let own = origin == Origin::App;
            let generated = file.storyboard.is_some() && file.name.contains('-');
            if own && !generated {
                inspection.facts.push(Fact::new(FactKind::Layout, &*file.name, place.clone()));
            }
            if own {
                for outlet in &file.interface.outlets {
                    let mut fact = Fact::new(FactKind::WidgetId, &**outlet, place.clone());
                    fact.screen = screens.get(&None).cloned();
                    inspection.facts.push(fact);
                }
                for (_, screen) in
                    screens.iter().filter(|(object, screen)| object.is_some() && screen.reachable)
                {
                    let mut fact = Fact::new(FactKind::Component, &*screen.name, place.clone());
                    fact.screen = Some(screen.clone());
                    fact.chain = vec![file.path.to_string()];
                    inspection.facts.push(fact);
                }
            }
            for text in &file.interface.texts {
                let screen = screens.get(&text.controller).or_else(|| screens.get(&None));
                let mut widget = text.widget.clone();
                widget.operable &= file.name != LAUNCH && self.table(file) != LAUNCH;
                let mut chain = vec![file.path.to_string()];
                chain.extend(screen.map(|screen| screen.name.clone()));
                chain.extend(widget.handler.iter().map(|handler| match screen {
                    Some(screen) => format!("{}.{handler}", screen.name),
                    None => handler.clone(),
                }));
                let base = UiText {
                    locale: file.locale.clone(),
                    key: text.key.clone(),
                    screen: screen.cloned(),
                    chain,
                    origin: origin.clone(),
                    usage: Usage::Used,
                    widget: Some(widget),
                    ..UiText::new(&*text.text, text.role, Place::offset(file.path.clone(), text.offset))
                };
                let handler = text.widget.handler.as_deref();
                let name = screen.map_or("", |screen| screen.name.as_str());
                // The same scene compiled for several versions of the system.
                if told.insert((text.text.clone(), name, text.role, &text.widget.class, handler)) {
                    inspection.texts.push(base.clone());
                }
                let Some(key) = &text.key else { continue };
                for (table, entry) in self.texts.get(&(self.table(file), key.as_str())).into_iter().flatten()
                {
                    used.insert(std::ptr::from_ref(*entry));
                    if !self.spend() {
                        break;
                    }
                    let mut chain = base.chain.clone();
                    chain.insert(0, table.path.to_string());
                    inspection.texts.push(UiText {
                        text: entry.text.clone(),
                        locale: table.locale.clone(),
                        place: Place::offset(table.path.clone(), entry.offset),
                        chain,
                        ..base.clone()
                    });
                }
            }
        }
    }

    /// The screen of a class.
    fn class_screen(&self, program: &Program, class: Option<usize>) -> Option<Screen> {
        let class = program.classes.get(class?).filter(|class| class.screen)?;
        Some(Screen {
            name: class.name.clone(),
            title: self.titles.get(&class.name).cloned(),
            reachable: self.referred.contains(class.name.as_str()) || self.in_nibs.contains(&class.name),
        })
    }

    /// Whether one more text of a table may be told.
    fn spend(&self) -> bool {
        let left = self.left.get();
        self.left.set(left.saturating_sub(1));
        left > 0
    }

    fn programs(&self, used: &mut HashSet<*const Localised>, inspection: &mut Inspection) {
        for program in &self.parts.programs {
            let mut screens: HashMap<usize, Option<Screen>> = HashMap::new();
            let mut screen_of = |class: Option<usize>| {
                let class = class?;
                screens.entry(class).or_insert_with(|| self.class_screen(program, Some(class))).clone()
            };
            for told in &program.texts {
                let mut text = told.text.clone();
                text.screen = screen_of(told.class);
                inspection.texts.push(text);
            }
            for (fact, class) in &program.facts {
                inspection.facts.push(Fact { screen: screen_of(*class), ..fact.clone() });
            }
            let mut keys: Vec<(&String, &Vec<KeyUse>)> = program.keys.iter().collect();
            keys.sort_by_key(|(key, _)| key.as_str());
            for (key, uses) in keys {
                let entries = self.texts.get(&("Localizable", key.as_str())).or_else(|| {
                    let table = self.tables.get(key.as_str())?;
                    self.texts.get(&(*table, key.as_str()))
                });
                for usage in uses {
                    let place = Place::entry(program.path.as_str());
                    let mut base = UiText::new(&**key, usage.role, place);
                    base.usage = Usage::Used;
                    base.key = Some(key.clone());
                    base.widget.clone_from(&usage.widget);
                    base.screen = screen_of(usage.class);
                    base.code.clone_from(&usage.code);
                    base.chain = usage.code.iter().map(code::method).collect();
                    base.chain.extend(usage.code.as_ref().and_then(|code| code.sink.clone()));
                    base.chain.extend(usage.widget.as_ref().and_then(|widget| widget.handler.clone()));
                    // Without a table the key is what is shown.
                    if entries.is_none() && crate::text::has_cjk(key) {
                        inspection.texts.push(base.clone());
                    }
                    for (table, entry) in entries.into_iter().flatten() {
                        // A use that only fetches the text says less than one that shows it.
                        if usage.role == Role::Code && !used.insert(std::ptr::from_ref(*entry)) {
                            continue;
                        }
                        used.insert(std::ptr::from_ref(*entry));
                        if !self.spend() {
                            break;
                        }
                        let mut chain = vec![table.path.to_string()];
                        chain.extend(base.chain.iter().cloned());
                        inspection.texts.push(UiText {
                            text: entry.text.clone(),
                            role: if usage.role == Role::Code { Role::Resource } else { usage.role },
                            locale: table.locale.clone(),
                            place: Place::offset(table.path.clone(), entry.offset),
                            chain,
                            ..base.clone()
                        });
                    }
                }
            }
        }
    }

    /// Texts of tables that nothing was seen to use.
    fn rest(&self, used: &HashSet<*const Localised>, inspection: &mut Inspection) {
        let formats: HashSet<&str> =
            self.parts.programs.iter().flat_map(|program| &program.formats).map(String::as_str).collect();
        let made = |key: &str| {
            (3..key.len().min(MAX_START))
                .any(|end| key.get(..end).is_some_and(|start| formats.contains(start)))
        };
        for table in &self.parts.tables {
            for entry in table.entries.iter().filter(|entry| !used.contains(&std::ptr::from_ref(*entry))) {
                let place = Place::offset(table.path.clone(), entry.offset);
                let mut text = UiText::new(&*entry.text, Role::Resource, place);
                text.key = Some(entry.key.clone());
                text.locale.clone_from(&table.locale);
                text.chain = vec![table.path.to_string()];
                text.origin = table.library.clone().map_or(Origin::App, Origin::Library);
                text.usage = if self.mentioned.contains(entry.key.as_str()) {
                    Usage::Used
                } else if self.parts.complete && !made(&entry.key) {
                    Usage::Unreferenced
                } else {
                    Usage::Unknown
                };
                inspection.texts.push(text);
            }
        }
    }
}
