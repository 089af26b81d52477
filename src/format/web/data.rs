//! Data among web assets: descriptions of pages, tables of texts by language, what frameworks keep beside an app
//! (`manifest.json` of uni-app, `capacitor.config.json`, `cordova_plugins.js`).

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::Asset;
use crate::link::script;
use crate::model::{
    Fact, FactKind, GapReason, Identity, Inspection, PartName, Place, Role, UiText, Usage, Widget,
};
use crate::text::has_cjk;

/// Levels of a table of texts whose names make the key.
const MAX_KEY_LEVELS: usize = 8;

impl Asset {
    /// Reads a value, and who it says the app is.
    pub(super) fn json(
        &self,
        value: &Value,
        keys: &HashSet<&str>,
        inspection: &mut Inspection,
    ) -> Option<Identity> {
        let animation = value.get("layers").is_some() && value.get("fr").is_some();
        if animation {
            return None;
        }
        let file = self.path.rsplit('/').next().unwrap_or_default();
        if file.starts_with("capacitor.config") {
            self.remote(value["server"]["url"].as_str(), inspection);
        }
        if file == "manifest.json" {
            self.remote(value["launch_path"].as_str(), inspection);
            let identity = uni_manifest(value);
            if let Some(identity) = &identity {
                let name = identity.name.iter().map(|name| {
                    let mut text = self.text(name, Role::Title, None);
                    text.key = Some("name".to_owned());
                    text
                });
                inspection.texts.extend(name);
                return Some(identity.clone());
            }
        }
        if let Some(locale) = locale(&self.path) {
            self.table(value, locale, keys, inspection);
            return None;
        }
        let mut stack = vec![value];
        while let Some(value) = stack.pop() {
            match value {
                Value::Array(items) => stack.extend(items),
                Value::Object(fields) => {
                    self.fields(fields, inspection);
                    stack.extend(fields.values().filter(|value| !value.is_string()));
                }
                _ => {}
            }
        }
        None
    }

    /// States that the app is loaded from an address.
    fn remote(&self, address: Option<&str>, inspection: &mut Inspection) {
        let Some(address) = address.filter(|address| address.contains("://")) else { return };
        let place = Place::entry(self.path.clone());
        inspection.facts.push(Fact::new(FactKind::Endpoint, address, place.clone()));
        let detail = (format!("界面从 {address} 加载"), format!("the interface is loaded from {address}"));
        inspection.unread(PartName::Text);
        inspection.gap(PartName::Text, &place, GapReason::Remote, detail);
    }

    /// The texts of an object: an entry of a menu, a component of a described page, or anything.
    fn fields(&self, fields: &Map<String, Value>, inspection: &mut Inspection) {
        let leads = ["url", "path", "pagePath", "href", "icon", "iconPath", "route", "link"]
            .iter()
            .any(|key| fields.contains_key(*key));
        let kind = ["type", "componentName", "component", "tag", "widget", "xtype"]
            .iter()
            .find_map(|key| fields.get(*key).and_then(Value::as_str));
        let component = kind.and_then(Component::named);
        for (key, value) in fields {
            let Value::String(text) = value else { continue };
            let role = match (key.as_str(), component) {
                ("navigationBarTitleText" | "titleText", _) => Role::Title,
                ("placeholder", _) => Role::Hint,
                (
                    "label" | "text" | "title" | "name" | "value" | "content" | "buttonText" | "children",
                    Some(component),
                ) => component.role(),
                ("title" | "name" | "text" | "label", _) if leads => Role::Item,
                (
                    "title" | "name" | "text" | "label" | "content" | "desc" | "description" | "tip"
                    | "message",
                    _,
                ) => Role::Code,
                _ => continue,
            };
            if !has_cjk(text) {
                continue;
            }
            let mut found: UiText = self.text(text, role, None);
            found.key = Some(key.clone());
            if let (Some(_), Some(class)) = (component, kind) {
                let handler = ["action", "onClick", "event", "handler", "click"]
                    .iter()
                    .find_map(|key| fields.get(*key).and_then(Value::as_str));
                found.chain.extend(handler.map(str::to_owned));
                found.widget = Some(Widget {
                    class: class.to_owned(),
                    id: fields.get("id").and_then(Value::as_str).map(str::to_owned),
                    handler: handler.map(str::to_owned),
                    operable: role == Role::Control,
                });
            }
            if text.chars().count() > 60 {
                found.role = Role::Document;
            }
            inspection.texts.push(found);
        }
    }

    /// A table of texts in one language: used where code asks for the key.
    fn table(&self, value: &Value, locale: &str, keys: &HashSet<&str>, inspection: &mut Inspection) {
        let mut stack = vec![(value, String::new(), 0)];
        while let Some((value, key, level)) = stack.pop() {
            match value {
                Value::Object(fields) if level < MAX_KEY_LEVELS => {
                    for (name, value) in fields {
                        let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                        stack.push((value, key, level + 1));
                    }
                }
                Value::String(text) if script::is_shown(Role::Resource, text) => {
                    let mut found = self.text(text, Role::Resource, None);
                    found.usage = match (keys.is_empty(), keys.contains(key.as_str())) {
                        (_, true) => Usage::Used,
                        (true, false) => Usage::Unknown,
                        (false, false) => Usage::Unreferenced,
                    };
                    found.locale = Some(locale.to_owned());
                    found.key = Some(key);
                    inspection.texts.push(found);
                }
                _ => {}
            }
        }
    }
}

/// Ids of the plugins in `cordova_plugins.js`, with their offsets.
pub(super) fn cordova_plugins(source: &[u8]) -> Vec<(usize, &str)> {
    const KEY: &[u8] = b"pluginId";
    let mut found: Vec<(usize, &str)> = Vec::new();
    for at in memchr::memmem::find_iter(source, KEY).take(1_000) {
        let rest = source.get(at + KEY.len()..).unwrap_or_default();
        let mut quoted = rest.get(..200).unwrap_or(rest).split(|byte| matches!(byte, b'"' | b'\''));
        let mut quoted = quoted
            .by_ref()
            .skip_while(|part| !part.iter().all(|byte| b"\"': \t".contains(byte)) || part.is_empty());
        let Some(id) = quoted.nth(1).and_then(|id| std::str::from_utf8(id).ok()) else { continue };
        if !found.iter().any(|(_, known)| *known == id) {
            found.push((at, id));
        }
    }
    found
}

/// What `manifest.json` of a uni-app or 5+ app says of it.
fn uni_manifest(value: &Value) -> Option<Identity> {
    let text = |value: &Value| value.as_str().map(str::to_owned).filter(|text| !text.is_empty());
    value.get("plus").or_else(|| value.get("app-plus"))?;
    let version = &value["version"];
    let code = version["code"].as_str().or_else(|| value["versionCode"].as_str());
    Some(Identity {
        id: text(&value["id"]).or_else(|| text(&value["appid"])),
        name: text(&value["name"]),
        version: text(&version["name"]).or_else(|| text(&value["versionName"])),
        version_code: code.and_then(|code| code.parse().ok()),
        ..Identity::default()
    })
}

/// The language of a file of texts, by its name or folder.
fn locale(path: &str) -> Option<&str> {
    let file = path.rsplit('/').next()?;
    let stem = file.split('.').next()?;
    let language = stem.split(['-', '_']).next()?;
    let tag = (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_lowercase())
        && stem.len() <= 10;
    let folder = ["/i18n/", "/locale/", "/locales/", "/lang/", "/langs/", "/languages/"]
        .iter()
        .any(|folder| path.contains(folder));
    let known =
        matches!(language, "zh" | "en" | "ja" | "ko" | "fr" | "de" | "ru" | "es" | "bo" | "ug" | "mn");
    (tag && (folder || known)).then_some(stem)
}

/// What a described component does with its text.
#[derive(Debug, Clone, Copy)]
enum Component {
    Button,
    Input,
    Title,
    Text,
}

impl Component {
    fn named(kind: &str) -> Option<Component> {
        let lower = kind.to_ascii_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        if has(&["button", "btn", "submit", "tabbar", "menu-item", "menuitem"]) || lower == "tab" {
            Some(Component::Button)
        } else if has(&["navbar", "nav-bar", "page-title", "header"]) || lower == "title" {
            Some(Component::Title)
        } else if has(&[
            "input", "textarea", "picker", "select", "upload", "radio", "checkbox", "switch", "date",
        ]) {
            Some(Component::Input)
        } else if matches!(
            lower.as_str(),
            "text" | "label" | "cell" | "span" | "p" | "view" | "card" | "divider"
        ) {
            Some(Component::Text)
        } else {
            None
        }
    }

    fn role(self) -> Role {
        match self {
            Component::Button => Role::Control,
            Component::Title => Role::Title,
            Component::Input | Component::Text => Role::Label,
        }
    }
}
