//! Code in forms of its own: Hermes bytecode, Dart snapshots (Flutter), metadata of Unity, native libraries.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::unit::count;
use super::web::{MAX_TEXT, is_file};
use crate::decode::Issue;
use crate::decode::dart::Snapshot;
use crate::decode::elf::Library;
use crate::decode::hermes::{Bundle, Callee, HermesError, Use};
use crate::decode::js::{self, Literal, LiteralKind, Script};
use crate::decode::unity::{self, UnityError};
use crate::link::{endpoint, library, script};
use crate::model::{
    Code, Fact, FactKind, GapReason, Inspection, Origin, PartName, Place, Role, UiText, Usage, Widget,
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

/// Compiled Dart code.
pub(super) const DART: &str = "libapp.so";
/// Unity's engine with the app's compiled C#, whose strings are in [`UNITY_METADATA`].
pub(super) const UNITY: &str = "libil2cpp.so";
pub(super) const UNITY_METADATA: &str = "global-metadata.dat";
/// Larger native libraries are engines.
const MAX_LIBRARY: u64 = 8 << 20;
/// So many bytes of native libraries are read for their strings.
const MAX_LIBRARIES: u64 = 24 << 20;
/// Instruction sets in the order in which their libraries are read; those of the others say the same.
const ABIS: [&str; 5] = ["arm64-v8a", "armeabi-v7a", "x86_64", "armeabi", "x86"];

/// Which of the native libraries are read: each once, whatever it was compiled for, if it is the app's own.
/// Gives those to be read and those that are not.
pub(super) fn libraries<T>(found: Vec<(&str, u64, T)>) -> (Vec<T>, Vec<T>) {
    let mut by_name: BTreeMap<&str, Vec<(usize, u64, T)>> = BTreeMap::new();
    for (path, size, item) in found {
        let mut parts = path.rsplit('/');
        let name = parts.next().unwrap_or(path);
        let abi = parts.next().unwrap_or_default();
        let rank = ABIS.iter().position(|known| *known == abi).unwrap_or(ABIS.len());
        by_name.entry(name).or_default().push((rank, size, item));
    }
    let (mut read, mut unread) = (Vec::new(), Vec::new());
    let mut room = MAX_LIBRARIES;
    for (name, mut builds) in by_name {
        builds.sort_by_key(|(rank, ..)| *rank);
        let mut builds = builds.into_iter();
        let Some((_, size, item)) = builds.next() else { continue };
        let own = library::of_native(name).is_none() && size <= MAX_LIBRARY.min(room);
        if name == DART || own {
            room = room.saturating_sub(if name == DART { 0 } else { size });
            read.push(item);
        } else {
            unread.push(item);
        }
        unread.extend(builds.map(|(.., item)| item));
    }
    (read, unread)
}

/// A word about the native libraries that are not read.
pub(super) fn note_unread(count: usize, place: &Place, inspection: &mut Inspection) {
    if count == 0 {
        return;
    }
    let detail = (
        format!("本地库 {count} 个未检视（引擎、第三方库，或同一库的其他指令集版本）"),
        format!("{count} native libraries are not read (engines, SDKs, or the same for another processor)"),
    );
    inspection.note(PartName::Native, place, GapReason::NotInspected, detail);
}

/// Reads a native library: Dart code where it holds any, else its strings.
pub(super) fn read_library(path: &str, bytes: &[u8], inspection: &mut Inspection) {
    let place = Place::entry(path);
    let is_dart = path.rsplit('/').next() == Some(DART);
    let library = match Library::parse(bytes) {
        Ok(library) => library,
        Err(error) => {
            inspection.unread(PartName::Native);
            let detail = (format!("不是可读的本地库：{error}"), error.to_string());
            // Loaders of packers are broken on purpose, and few libraries hold texts.
            match is_dart {
                true => inspection.gap(PartName::Native, &place, GapReason::Malformed, detail),
                false => inspection.note(PartName::Native, &place, GapReason::Malformed, detail),
            }
            return;
        }
    };
    if is_dart {
        read_dart(path, bytes, library.data(), inspection);
        return;
    }
    let wanted = |string: &[u8]| !string.is_ascii() || memchr::memchr(b'/', string).is_some();
    for string in library.strings(wanted) {
        literal(path, &string.text, string.offset, inspection);
    }
    inspection.read(PartName::Native);
}

/// Reads the snapshots of compiled Dart code in a program. `data` are the ranges that are no code.
pub(super) fn read_dart(path: &str, bytes: &[u8], data: &[Range<usize>], inspection: &mut Inspection) {
    let place = Place::entry(path);
    let snapshot = match Snapshot::parse(bytes, data) {
        Ok(snapshot) => snapshot,
        Err(error) => {
            inspection.unread(PartName::Native);
            let detail = ("编译后的 Dart 代码中没有可读的快照".to_owned(), error.to_string());
            inspection.gap(PartName::Native, &place, GapReason::Encrypted, detail);
            return;
        }
    };
    for string in snapshot.wide() {
        let mut text =
            UiText::new(&*string.text, Role::Code, Place::offset(place.path.clone(), string.offset as u64));
        text.chain = vec![path.to_owned(), "Dart".to_owned()];
        if library::is_flutter_text(&string.text) {
            text.origin = Origin::Library(Arc::from("Flutter"));
        } else if string.text.chars().count() > 120 {
            text.role = Role::Document;
        }
        inspection.texts.push(text);
    }
    for string in snapshot.narrow() {
        let place = Place::offset(place.path.clone(), string.offset as u64);
        let class = string.text.trim_start_matches('_');
        let fact = if is_screen_class(class) {
            Fact::new(FactKind::Class, class, place)
        } else if let Some(path) = string.text.strip_prefix("package:") {
            // Source files, by package. Those of the framework tell nothing of the app.
            let Some(path) = path.strip_suffix(".dart").filter(|path| !path.starts_with("flutter")) else {
                continue;
            };
            Fact::new(FactKind::Class, path, place)
        } else if let Some(address) = endpoint::in_code(&string.text).filter(|address| !is_file(address)) {
            Fact::new(address_kind(address), address, place)
        } else {
            continue;
        };
        inspection.facts.push(Fact { chain: vec![path.to_owned(), "Dart".to_owned()], ..fact });
    }
    inspection.read(PartName::Native);
}

/// Whether a path names a page of the app or something on a server.
fn address_kind(address: &str) -> FactKind {
    let segments = address.split('/').filter(|segment| !segment.is_empty()).count();
    if address.contains("://") || segments > 1 { FactKind::Endpoint } else { FactKind::Route }
}

/// Whether a name is that of a class with something of the app's own in it. A snapshot does not tell whose a class is,
/// and the names of the framework's are of another sort.
fn is_screen_class(name: &str) -> bool {
    const ENDINGS: &[&str] = &[
        "Page",
        "Screen",
        "Controller",
        "Logic",
        "Bloc",
        "Cubit",
        "Api",
        "Repository",
        "Service",
        "PageState",
        "ScreenState",
        "ViewModel",
    ];
    (6..=60).contains(&name.len())
        && name.starts_with(|ch: char| ch.is_ascii_uppercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && ENDINGS.iter().any(|ending| name.len() > ending.len() && name.ends_with(ending))
}

/// Reads the string literals of a Unity app.
pub(super) fn read_unity(path: &str, bytes: &[u8], inspection: &mut Inspection) {
    let place = Place::entry(path);
    match unity::read(bytes) {
        Ok((literals, issues)) => {
            for found in literals {
                literal(path, &found.text, found.offset, inspection);
            }
            count(inspection, PartName::Native, &place, issues);
        }
        Err(error) => {
            inspection.unread(PartName::Native);
            let (reason, zh) = match error {
                UnityError::Magic => {
                    (GapReason::Encrypted, "Unity 元数据已加密，其中的文字无法检视".to_owned())
                }
                UnityError::Version(version) => {
                    (GapReason::UnsupportedFormat, format!("Unity 元数据版本 {version} 不支持检视"))
                }
                UnityError::Truncated => (GapReason::Truncated, "Unity 元数据不完整".to_owned()),
            };
            inspection.gap(PartName::Native, &place, reason, (zh, error.to_string()));
        }
    }
}

/// A string of native code: a text, an address, or nothing worth telling.
fn literal(path: &str, text: &str, offset: usize, inspection: &mut Inspection) {
    let place = Place::offset(Arc::from(path), offset as u64);
    if text.is_ascii() {
        // Paths in native code are those of files; an address says where it is.
        if text.contains("://")
            && let Some(address) = endpoint::in_code(text).filter(|address| !is_file(address))
        {
            let fact = Fact::new(FactKind::Endpoint, address, place);
            inspection.facts.push(Fact { chain: vec![path.to_owned()], ..fact });
        }
        return;
    }
    if !has_cjk(text) {
        return;
    }
    let long = text.chars().count() > 120;
    let kept = text.char_indices().nth(MAX_TEXT).map_or(text, |(at, _)| &text[..at]);
    let mut found = UiText::new(kept, if long { Role::Document } else { Role::Code }, place);
    found.chain = vec![path.to_owned()];
    inspection.texts.push(found);
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
