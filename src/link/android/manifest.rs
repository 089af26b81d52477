//! `AndroidManifest.xml`: who the app is, its components and permissions.
//!
//! Format: <https://developer.android.com/guide/topics/manifest/manifest-intro>.

use std::collections::HashSet;
use std::sync::Arc;

use crate::decode::axml::{Attribute, Element, Value, Xml};
use crate::model::Place;

/// A text of the manifest: written out, or a reference into the resource table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Text {
    Literal(String),
    Resource(u32),
}

impl Text {
    pub(super) fn of(attribute: &Attribute<'_, '_>) -> Option<Text> {
        match attribute.value() {
            Value::Reference(id) if id != 0 => Some(Text::Resource(id)),
            Value::String(text) if !text.is_empty() => Some(Text::Literal(text.into_owned())),
            Value::Int(number) => Some(Text::Literal(number.to_string())),
            Value::Float(number) => Some(Text::Literal(number.to_string())),
            _ => None,
        }
    }
}

/// Kinds of component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ComponentKind {
    Activity,
    Service,
    Receiver,
    Provider,
}

/// A component of the app.
#[derive(Debug, Clone)]
pub(crate) struct Component {
    pub(crate) kind: ComponentKind,
    /// Dotted class name; for an alias the activity it stands for.
    pub(crate) class: String,
    pub(crate) label: Option<Text>,
    pub(crate) exported: bool,
    /// Shown in the launcher.
    pub(crate) launcher: bool,
    pub(crate) enabled: bool,
    /// Where its element is.
    pub(crate) place: Place,
}

/// What the manifest says.
#[derive(Debug, Clone)]
pub(crate) struct Manifest {
    /// Path of the manifest in places.
    pub(crate) path: Arc<str>,
    pub(crate) package: String,
    /// Name of the split; `None` in a base package.
    pub(crate) split: Option<String>,
    /// The package does not start without its splits.
    pub(crate) needs_splits: bool,
    pub(crate) version_name: Option<Text>,
    pub(crate) version_code: Option<u64>,
    pub(crate) label: Option<Text>,
    /// `Application` class, dotted.
    pub(crate) application: Option<String>,
    /// Class that makes the components (Android 9 on), dotted.
    pub(crate) factory: Option<String>,
    pub(crate) components: Vec<Component>,
    pub(crate) permissions: Vec<(String, Place)>,
    pub(crate) debuggable: bool,
}

impl Manifest {
    /// The classes that run before any screen.
    pub(crate) fn first_classes(&self) -> impl Iterator<Item = &str> {
        let providers = self.components.iter().filter(|c| c.kind == ComponentKind::Provider);
        let named = [&self.application, &self.factory].into_iter().flatten().map(String::as_str);
        named.chain(providers.map(|provider| provider.class.as_str()))
    }

    pub(crate) fn read(path: Arc<str>, xml: &Xml<'_>) -> Manifest {
        let mut manifest = Manifest {
            path,
            package: String::new(),
            split: None,
            needs_splits: false,
            version_name: None,
            version_code: None,
            label: None,
            application: None,
            factory: None,
            components: Vec::new(),
            permissions: Vec::new(),
            debuggable: false,
        };
        // The component being read, and whether it says itself if it is exported.
        let mut component: Option<(Component, bool)> = None;
        // Launcher entries need both the action and the category inside one filter.
        let mut main = false;
        for element in xml.elements() {
            // Components are children of <application>, itself a child of <manifest>.
            if element.depth() <= 2
                && let Some((done, _)) = component.take()
            {
                manifest.components.push(done);
            }
            let name = element.name();
            match (&*name, element.depth()) {
                ("manifest", 0) => manifest.head(&element),
                ("uses-permission" | "uses-permission-sdk-23" | "uses-permission-sdk-m", 1) => {
                    if let Some(name) = string(&element, "name") {
                        manifest.permissions.push((name, manifest.place(&element)));
                    }
                }
                ("application", 1) => {
                    manifest.application = string(&element, "name").map(|name| manifest.full(&name));
                    manifest.factory =
                        string(&element, "appComponentFactory").map(|name| manifest.full(&name));
                    manifest.label = element.android("label").and_then(|a| Text::of(&a));
                    manifest.debuggable = boolean(&element, "debuggable") == Some(true);
                    manifest.needs_splits |= boolean(&element, "isSplitRequired") == Some(true);
                }
                ("activity" | "activity-alias" | "service" | "receiver" | "provider", 2) => {
                    let kind = match &*name {
                        "service" => ComponentKind::Service,
                        "receiver" => ComponentKind::Receiver,
                        "provider" => ComponentKind::Provider,
                        _ => ComponentKind::Activity,
                    };
                    let class = string(&element, "targetActivity").or_else(|| string(&element, "name"));
                    let Some(class) = class else { continue };
                    let exported = boolean(&element, "exported");
                    let found = Component {
                        kind,
                        class: manifest.full(&class),
                        label: element.android("label").and_then(|a| Text::of(&a)),
                        exported: exported.unwrap_or(false),
                        launcher: false,
                        enabled: boolean(&element, "enabled").unwrap_or(true),
                        place: manifest.place(&element),
                    };
                    component = Some((found, exported.is_some()));
                }
                ("intent-filter", _) => {
                    main = false;
                    // Before Android 12 a filter made a component visible to others unless it said otherwise.
                    if let Some((component, false)) = &mut component {
                        component.exported = true;
                    }
                }
                ("action", _) => {
                    main |= string(&element, "name").as_deref() == Some("android.intent.action.MAIN")
                }
                ("category", _) if main => {
                    let launcher = string(&element, "name").is_some_and(|name| {
                        name.starts_with("android.intent.category.") && name.ends_with("LAUNCHER")
                    });
                    if let Some((component, _)) = &mut component {
                        component.launcher |= launcher;
                    }
                }
                _ => {}
            }
        }
        manifest.components.extend(component.map(|(done, _)| done));
        manifest
    }

    /// Takes in what the manifest of a split adds.
    pub(crate) fn absorb(&mut self, split: Manifest) {
        let mut known: HashSet<(ComponentKind, String)> =
            self.components.iter().map(|c| (c.kind, c.class.clone())).collect();
        self.components
            .extend(split.components.into_iter().filter(|c| known.insert((c.kind, c.class.clone()))));
        let mut known: HashSet<String> = self.permissions.iter().map(|(name, _)| name.clone()).collect();
        self.permissions.extend(split.permissions.into_iter().filter(|(name, _)| known.insert(name.clone())));
    }

    fn place(&self, element: &Element<'_, '_>) -> Place {
        Place::offset(self.path.clone(), element.offset())
    }

    fn head(&mut self, element: &Element<'_, '_>) {
        let package = element.attributes().find(|a| &*a.name() == "package");
        self.package = package.and_then(|a| text(&a)).unwrap_or_default();
        let split = element.attributes().find(|a| &*a.name() == "split");
        self.split = split.and_then(|a| text(&a)).filter(|name| !name.is_empty());
        self.needs_splits = boolean(element, "isSplitRequired") == Some(true);
        self.version_name = element.android("versionName").and_then(|a| Text::of(&a));
        self.version_code = element.android("versionCode").and_then(|a| match a.value() {
            Value::Int(code) => u64::try_from(code).ok(),
            Value::Hex(code) => Some(u64::from(code)),
            Value::String(code) => code.parse().ok(),
            _ => None,
        });
    }

    /// A class name as the manifest abbreviates it.
    fn full(&self, class: &str) -> String {
        if class.starts_with('.') {
            format!("{}{class}", self.package)
        } else if class.contains('.') {
            class.to_owned()
        } else {
            format!("{}.{class}", self.package)
        }
    }
}

fn text(attribute: &Attribute<'_, '_>) -> Option<String> {
    match attribute.value() {
        Value::String(text) => Some(text.into_owned()),
        _ => None,
    }
}

fn string(element: &Element<'_, '_>, name: &str) -> Option<String> {
    element.android(name).or_else(|| element.attribute(name)).and_then(|a| text(&a))
}

fn boolean(element: &Element<'_, '_>, name: &str) -> Option<bool> {
    match element.android(name)?.value() {
        Value::Bool(value) => Some(value),
        Value::Int(value) => Some(value != 0),
        Value::Hex(value) => Some(value != 0),
        Value::String(value) => value.parse().ok(),
        _ => None,
    }
}
