//! `AndroidManifest.xml`: who the app is, its components and permissions.
//!
//! Format: <https://developer.android.com/guide/topics/manifest/manifest-intro>.

use crate::decode::axml::{Attribute, Element, Value, Xml};

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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// Offset of the element.
    pub(crate) offset: u64,
}

/// What the manifest says.
#[derive(Debug, Clone, Default)]
pub(crate) struct Manifest {
    pub(crate) package: String,
    pub(crate) version_name: Option<Text>,
    pub(crate) version_code: Option<u64>,
    pub(crate) label: Option<Text>,
    /// `Application` class, dotted.
    pub(crate) application: Option<String>,
    pub(crate) components: Vec<Component>,
    pub(crate) permissions: Vec<(String, u64)>,
    pub(crate) debuggable: bool,
}

impl Manifest {
    pub(crate) fn read(xml: &Xml<'_>) -> Manifest {
        let mut manifest = Manifest::default();
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
                        manifest.permissions.push((name, element.offset()));
                    }
                }
                ("application", 1) => {
                    manifest.application = string(&element, "name").map(|name| manifest.full(&name));
                    manifest.label = element.android("label").and_then(|a| Text::of(&a));
                    manifest.debuggable = boolean(&element, "debuggable") == Some(true);
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
                        offset: element.offset(),
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

    fn head(&mut self, element: &Element<'_, '_>) {
        let package = element.attributes().find(|a| &*a.name() == "package");
        self.package = package.and_then(|a| text(&a)).unwrap_or_default();
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
