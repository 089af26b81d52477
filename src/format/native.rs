//! Code in forms of its own: Hermes bytecode.

use std::collections::HashSet;
use std::sync::Arc;

use super::unit::count;
use super::web::{MAX_TEXT, is_file};
use crate::decode::Issue;
use crate::decode::hermes::{Bundle, Callee, HermesError, Use};
use crate::decode::js::{self, Literal, LiteralKind, Script};
use crate::link::{endpoint, script};
use crate::model::{
    Code, Fact, FactKind, GapReason, Inspection, PartName, Place, Role, UiText, Usage, Widget,
};
use crate::text::has_cjk;

/// Texts of one file may take this many times its size: code may use one string at many places.
const MAX_GROWTH: usize = 8;

/// Reads a bundle of Hermes bytecode and counts it.
pub(super) fn read_hermes(path: &str, bytes: &[u8], inspection: &mut Inspection) {
    let place = Place::entry(path);
    match Bundle::parse(bytes) {
        Ok((bundle, mut issues)) => {
            issues.append(&mut React::new(path, bytes, &bundle).read(inspection));
            count(inspection, PartName::Js, &place, issues);
        }
        Err(error) => {
            inspection.unread(PartName::Js);
            let (reason, detail) = match error {
                HermesError::Version(version) => (
                    GapReason::UnsupportedFormat,
                    (format!("Hermes 字节码版本 {version} 过旧，不支持检视"), error.to_string()),
                ),
                _ => (GapReason::Truncated, ("Hermes 字节码文件头不完整".to_owned(), error.to_string())),
            };
            inspection.gap(PartName::Js, &place, reason, detail);
        }
    }
}

/// A React Native program.
struct React<'b, 'a> {
    path: Arc<str>,
    bundle: &'b Bundle<'a>,
    /// Bytes of text that may still be kept.
    room: usize,
}

impl<'b, 'a> React<'b, 'a> {
    fn new(path: &str, bytes: &[u8], bundle: &'b Bundle<'a>) -> Self {
        React { path: Arc::from(path), bundle, room: bytes.len().saturating_mul(MAX_GROWTH) }
    }

    fn read(mut self, inspection: &mut Inspection) -> Vec<Issue> {
        let bundle = self.bundle;
        let wanted: Vec<bool> = (0..bundle.string_count()).map(|index| is_wanted(bundle, index)).collect();
        let (uses, issues) = bundle.uses(&wanted);
        let mut used = vec![false; wanted.len()];
        for found in &uses {
            used[found.string as usize] = true;
            self.used(found, inspection);
        }
        for index in
            (0..bundle.string_count()).filter(|index| !used[*index as usize] && wanted[*index as usize])
        {
            // Names of properties, or code that could not be followed.
            if let Some(string) = bundle.string(index).filter(|string| has_cjk(&string.text)) {
                let text = self.text(&string.text, Role::Code, string.offset);
                inspection.texts.extend(text);
            }
        }
        let mut names = HashSet::new();
        for index in 0..bundle.function_count() {
            let name = bundle.function_name(index).unwrap_or_default();
            if name.len() > 3 && name.len() <= 80 && names.insert(name.clone()) {
                let offset = bundle.function_offset(index).unwrap_or_default() as u64;
                let mut fact = Fact::new(FactKind::Function, name, Place::offset(self.path.clone(), offset));
                fact.chain = vec![self.path.to_string()];
                inspection.facts.push(fact);
            }
        }
        if self.room == 0 {
            let detail = ("文本过多，其余未检视", "too many texts; the rest is not read");
            inspection.gap(PartName::Js, &Place::entry(self.path.clone()), GapReason::LimitReached, detail);
        }
        issues
    }

    fn text(&mut self, text: &str, role: Role, offset: usize) -> Option<UiText> {
        let text = text.char_indices().nth(MAX_TEXT).map_or(text, |(at, _)| &text[..at]);
        let Some(room) = self.room.checked_sub(text.len()) else {
            self.room = 0;
            return None;
        };
        self.room = room;
        let mut found = UiText::new(text, role, Place::offset(self.path.clone(), offset as u64));
        found.chain = vec![self.path.to_string()];
        Some(found)
    }

    fn used(&mut self, used: &Use, inspection: &mut Inspection) {
        let bundle = self.bundle;
        let name = |index: u32| bundle.string(index).map(|string| string.text);
        let Some(string) = bundle.string(used.string) else { return };
        let (text, key, callee) =
            (&string.text, used.key.and_then(name), used.callee.map(|it| callee(bundle, it)));
        let function = bundle.function_name(used.function).filter(|name| !name.is_empty());
        if !used.compared
            && let Some(address) = endpoint::in_code(text)
        {
            if !is_file(address) {
                let route =
                    key.as_deref() == Some("path") || callee.as_ref().is_some_and(|c| c.contains("navigate"));
                let kind = if route { FactKind::Route } else { FactKind::Endpoint };
                let place = Place::offset(self.path.clone(), string.offset as u64);
                let mut fact = Fact::new(kind, address, place);
                fact.chain = function.iter().map(|name| name.to_string()).collect();
                inspection.facts.push(fact);
            }
            return;
        }
        let literal = Literal {
            text: text.clone(),
            offset: string.offset,
            kind: LiteralKind::String,
            usage: if used.compared { js::Use::Compared } else { js::Use::Value },
            key: key.as_deref(),
            callee: callee.as_deref(),
            element: used.element,
            pressable: used.pressable,
            object: used.leads.then_some(0),
            ..Literal::default()
        };
        let (role, sink) = script::role(
            &literal,
            &Script {
                objects: vec![js::Object { leads: used.leads, ..js::Object::default() }],
                ..Script::default()
            },
        );
        let role = native_role(role, &literal);
        if !script::is_shown(role, text) {
            return;
        }
        let Some(mut found) = self.text(text, role, string.offset) else { return };
        found.usage = Usage::Used;
        found.key = key.as_deref().map(str::to_owned);
        found.chain.extend(function.as_ref().map(|name| format!("{name}@{:#x}", used.offset)));
        found.chain.extend(sink.clone());
        if let Some(component) = used.component.and_then(name) {
            let operable = role == Role::Control;
            found.widget = Some(Widget { class: component.into_owned(), id: None, handler: None, operable });
        }
        found.code =
            Some(Code { class: self.path.to_string(), method: function.map(|name| name.into_owned()), sink });
        if role != Role::Log && text.chars().count() > 120 {
            found.role = Role::Document;
        }
        inspection.texts.push(found);
    }
}

/// Whether the uses of a string are worth being told.
fn is_wanted(bundle: &Bundle<'_>, index: u32) -> bool {
    bundle
        .string(index)
        .is_some_and(|string| !string.text.is_ascii() || (script::FILTER.literal)(string.text.as_bytes()))
}

/// Dotted callee: `Alert.alert`.
fn callee(bundle: &Bundle<'_>, callee: Callee) -> String {
    let name = |index: u32| bundle.string(index).map(|string| string.text).unwrap_or_default();
    match callee.object {
        Some(object) => format!("{}.{}", name(object), name(callee.name)),
        None => name(callee.name).into_owned(),
    }
}

/// What React Native's own components and calls do beside what every script has.
fn native_role(role: Role, literal: &Literal<'_>) -> Role {
    let callee = literal.callee.unwrap_or_default();
    match (role, literal.key.unwrap_or_default()) {
        (Role::Log | Role::Comment, _) => role,
        _ if literal.usage == js::Use::Compared => role,
        (_, "title" | "label" | "text" | "children" | "buttonText") if literal.pressable => Role::Control,
        (_, "title" | "headerTitle") => Role::Title,
        (_, "tabBarLabel" | "drawerLabel") => Role::Control,
        (_, "label" | "text") => Role::Label,
        (_, "accessibilityLabel" | "accessibilityHint") => Role::Hint,
        (Role::Code, _) if callee.starts_with("Toast") || callee.ends_with("Toast.show") => Role::Message,
        _ => role,
    }
}
