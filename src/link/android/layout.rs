//! Layouts, menus, preference screens and navigation graphs: one binary XML file to its widgets.

use crate::decode::axml::{Element, Value, Xml};
use crate::model::Role;
use crate::text::has_cjk;

use super::manifest::Text;
use super::resources::Resources;
use super::sink::{is_operable, simple};

/// What a file of the resource directory is, by its resource type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    Layout,
    Menu,
    Navigation,
    /// `res/xml`: preference screens, shortcuts and configuration.
    Xml,
}

impl FileKind {
    /// The kind of a resource type that can hold text of the interface.
    pub(crate) fn of_type(name: &str) -> Option<FileKind> {
        match name {
            "layout" => Some(FileKind::Layout),
            "menu" => Some(FileKind::Menu),
            "navigation" => Some(FileKind::Navigation),
            "xml" => Some(FileKind::Xml),
            _ => None,
        }
    }
}

/// One file.
#[derive(Debug)]
pub(crate) struct ScreenFile {
    pub(crate) path: String,
    pub(crate) kind: FileKind,
    pub(crate) widgets: Vec<Node>,
    /// Cordova: the page that the app starts with, when it is on a server.
    pub(crate) start_page: Option<String>,
    /// Cordova: the servers whose pages the app may go to or ask, with offsets.
    pub(crate) servers: Vec<(String, u64)>,
}

/// One element of a file.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) class: String,
    pub(crate) id: Option<u32>,
    pub(crate) parent: Option<u32>,
    /// `android:onClick`.
    pub(crate) handler: Option<String>,
    /// Operable by itself: a button, `clickable`, a menu item, a preference.
    pub(crate) operable: bool,
    pub(crate) texts: Vec<ElementText>,
    /// Other files it brings in: `<include layout>`, `app:menu`, `app:navGraph`.
    pub(crate) includes: Vec<u32>,
    /// Pictures it shows.
    pub(crate) pictures: Vec<u32>,
    /// Classes it names: a custom view, a fragment, a preference's fragment.
    pub(crate) classes: Vec<String>,
}

/// A text on an element.
#[derive(Debug)]
pub(crate) struct ElementText {
    pub(crate) text: Text,
    pub(crate) role: Role,
    /// Attribute name without prefix; empty for a text node.
    pub(crate) attribute: String,
    pub(crate) offset: u64,
}

/// Reads a file that has already been decoded.
pub(crate) fn read(path: &str, kind: FileKind, xml: &Xml<'_>, resources: &Resources<'_>) -> ScreenFile {
    let mut widgets = Vec::with_capacity(xml.elements().len());
    let (mut start_page, mut servers) = (None, Vec::new());
    let address = |element: &Element<'_, '_>, attribute: &str| match element.attribute(attribute)?.value() {
        Value::String(address) if address.starts_with("http") => Some(address.into_owned()),
        _ => None,
    };
    let cordova = kind == FileKind::Xml && xml.root().is_some_and(|root| root.name() == "widget");
    for element in xml.elements() {
        if cordova {
            let server = match &*element.name() {
                "content" => {
                    start_page = address(&element, "src");
                    None
                }
                "allow-navigation" => address(&element, "href"),
                "access" => address(&element, "origin"),
                _ => None,
            };
            servers.extend(server.map(|server| (server, element.offset())));
        }
        widgets.push(widget(kind, &element, resources));
    }
    ScreenFile { path: path.to_owned(), kind, widgets, start_page, servers }
}

fn widget(kind: FileKind, element: &Element<'_, '_>, resources: &Resources<'_>) -> Node {
    let tag = element.name().into_owned();
    let mut widget = Node {
        id: None,
        parent: element.parent(),
        handler: None,
        operable: match kind {
            FileKind::Layout => is_operable(&tag),
            FileKind::Menu => tag == "item",
            FileKind::Navigation => false,
            FileKind::Xml => is_operable(&tag) || tag == "shortcut",
        },
        texts: Vec::new(),
        includes: Vec::new(),
        pictures: Vec::new(),
        classes: Vec::new(),
        class: tag,
    };
    if widget.class.contains('.') {
        widget.classes.push(widget.class.clone());
    }
    let is_input = simple(&widget.class).ends_with("EditText")
        || simple(&widget.class).ends_with("AutoCompleteTextView");
    for attribute in element.attributes() {
        let name = attribute.name();
        let value = attribute.value();
        match (&*name, &value) {
            ("id", Value::Reference(id)) => widget.id = Some(*id),
            ("onClick", Value::String(handler)) => widget.handler = Some(handler.clone().into_owned()),
            ("clickable", Value::Bool(true)) => widget.operable = true,
            ("name" | "class" | "fragment", Value::String(class)) if class.contains('.') => {
                widget.classes.push(class.clone().into_owned());
            }
            (
                "layout" | "menu" | "navGraph" | "graph" | "headerLayout" | "actionLayout",
                Value::Reference(id),
            ) => {
                widget.includes.push(*id);
            }
            ("src" | "srcCompat" | "background" | "icon" | "foreground" | "button", Value::Reference(id)) => {
                widget.pictures.push(*id);
            }
            (_, Value::Reference(id)) if resources.is_text(*id) && !name.starts_with("layout_") => {
                let role = role(kind, &widget, &name, is_input);
                let text = Text::Resource(*id);
                widget.texts.push(ElementText {
                    text,
                    role,
                    attribute: name.into_owned(),
                    offset: attribute.offset(),
                });
            }
            (_, Value::String(text)) if !text.is_empty() && (is_text_attribute(&name) || has_cjk(text)) => {
                let role = role(kind, &widget, &name, is_input);
                let text = Text::Literal(text.clone().into_owned());
                widget.texts.push(ElementText {
                    text,
                    role,
                    attribute: name.into_owned(),
                    offset: attribute.offset(),
                });
            }
            _ => {}
        }
    }
    for text in element.texts().filter(|text| !text.text.trim().is_empty()) {
        let role = if widget.operable { Role::Control } else { Role::Label };
        let offset = text.offset;
        let text = Text::Literal(text.text.into_owned());
        widget.texts.push(ElementText { text, role, attribute: String::new(), offset });
    }
    widget
}

fn is_text_attribute(name: &str) -> bool {
    matches!(
        name,
        "text"
            | "hint"
            | "title"
            | "summary"
            | "label"
            | "contentDescription"
            | "textOn"
            | "textOff"
            | "queryHint"
            | "dialogTitle"
            | "dialogMessage"
            | "positiveButtonText"
            | "negativeButtonText"
            | "summaryOn"
            | "summaryOff"
            | "subtitle"
            | "tooltipText"
            | "shortcutShortLabel"
            | "shortcutLongLabel"
            | "description"
            | "prompt"
    )
}

fn role(kind: FileKind, widget: &Node, attribute: &str, is_input: bool) -> Role {
    let plain = simple(&widget.class);
    match attribute {
        "hint" | "queryHint" | "contentDescription" | "tooltipText" | "prompt" => Role::Hint,
        "text" if is_input => Role::Label,
        "dialogTitle" => Role::Title,
        "dialogMessage" => Role::Message,
        "positiveButtonText" | "negativeButtonText" => Role::Control,
        "summary" | "summaryOn" | "summaryOff" | "subtitle" | "description" => Role::Label,
        "key" | "tag" | "defaultValue" | "entryValues" | "dependency" | "targetPackage" | "fontFamily" => {
            Role::Comment
        }
        "label" if kind == FileKind::Navigation => Role::Title,
        "title" if kind == FileKind::Layout && is_bar(plain) => Role::Title,
        "title" if kind == FileKind::Xml && plain == "PreferenceScreen" && widget.parent.is_none() => {
            Role::Title
        }
        _ if widget.operable => Role::Control,
        _ => Role::Label,
    }
}

/// Toolbars and title bars, of libraries and of the app's own.
fn is_bar(class: &str) -> bool {
    let lower = class.to_ascii_lowercase();
    lower.ends_with("toolbar")
        || lower.contains("titlebar")
        || lower.ends_with("appbar")
        || lower.contains("toolbarlayout")
}
