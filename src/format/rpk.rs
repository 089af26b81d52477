//! Quick apps (快应用): `manifest.json`, `app.js` and one script for every page, with its template inside.
//!
//! Layout: <https://doc.quickapp.cn/framework/manifest.html>, <https://doc.quickapp.cn/framework/file-organization.html>,
//! and what npm's `hap-toolkit` 2.0 builds.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value;

use super::tree::{self, Texts};
use super::unit::{read, state};
use super::{Format, FormatError, Probe, Progress, web};
use crate::decode::archive::Archive;
use crate::decode::js::{Filter, Script};
use crate::decode::ux::{self, Templates};
use crate::model::{
    At, Fact, FactKind, GapReason, Inspection, Origin, PartName, Place, Role, Screen, TargetKind, UiText,
    Usage, Widget,
};
use crate::text::has_cjk;

const MANIFEST: &str = "manifest.json";
/// How far around a text something to press is looked for.
const MAX_UP: usize = 4;
/// A container with more texts than this is not a button, though it may react to a press.
const MAX_TEXTS: usize = 6;
/// More addresses than this in a handler say nothing about the widget.
const MAX_ENDPOINTS: usize = 4;
/// What the tool chain writes into every page script.
const BOILERPLATE: &str = "页面VM对象中的属性";

/// RPK.
pub const FORMAT: Format = Format {
    name: "rpk",
    title: ("快应用", "quick app"),
    endings: &["rpk"],
    parts: &[PartName::Container, PartName::Manifest, PartName::Layouts, PartName::Js, PartName::Text],
    matches,
    inspect,
};

fn matches(probe: &Probe) -> bool {
    probe.archive.as_ref().and_then(|(archive, _)| tree::peek(archive, MANIFEST)).is_some_and(|json| {
        json["package"].is_string() && (json["router"].is_object() || json["minPlatformVersion"].is_number())
    })
}

fn inspect(probe: Probe, progress: &dyn Progress) -> Result<Inspection, FormatError> {
    let Probe { archive: Some((archive, issues)), nest, .. } = probe else {
        return Err(FormatError::Broken { format: FORMAT.name, cause: "no archive".into() });
    };
    let mut inspection = Inspection::new(TargetKind::QuickApp, FORMAT.name);
    state(&mut inspection, PartName::Container, &Place::entry(""), issues);
    let json = tree::manifest(&archive, MANIFEST, &mut inspection);
    let identity = &mut inspection.identity;
    identity.id = tree::text(&json["package"]);
    identity.name = tree::text(&json["name"]);
    identity.version = tree::text(&json["versionName"]);
    identity.version_code = json["versionCode"].as_u64();
    let pages = pages(&json);
    state_manifest(&json, &pages, &mut inspection);
    missing_pages(&pages, &archive, &mut inspection);
    signature(&archive, &mut inspection);
    let words = translations(&archive, &mut inspection);
    let screens: HashMap<&str, &Page> = pages.iter().map(|page| (page.script.as_str(), page)).collect();
    // Every page is bundled by itself: no script needs another.
    let read_texts = |files: &Texts, inspection: &mut Inspection| {
        let (kind, format) = (inspection.kind, inspection.format);
        let found: Vec<Inspection> = files
            .par_iter()
            .map(|(path, bytes)| {
                let mut found = Inspection::new(kind, format);
                web::read_text_asset(path, bytes, &mut found);
                if path.ends_with(".js") {
                    let screen = screens.get(&**path).map(|page| &page.screen);
                    link(path, bytes, screen, &words, &mut found);
                }
                found
            })
            .collect();
        found.into_iter().for_each(|found| inspection.absorb(found));
    };
    let done: Vec<&str> = words.files.iter().map(String::as_str).chain([MANIFEST]).collect();
    tree::read_files(&archive, &done, &read_texts, &nest, progress, &mut inspection);
    Ok(inspection)
}

/// A page, or a card for the desktop.
struct Page {
    script: String,
    screen: Screen,
}

/// The pages and cards that the manifest lists.
fn pages(json: &Value) -> Vec<Page> {
    let mut found = Vec::new();
    for (key, titles) in [("pages", &json["display"]["pages"]), ("widgets", &json["display"]["widgets"])] {
        for (name, page) in json["router"][key].as_object().into_iter().flatten() {
            let component = page["component"].as_str().unwrap_or("index");
            let path = page["path"].as_str().filter(|_| key == "widgets").unwrap_or(name).trim_matches('/');
            let own = tree::text(&titles[name]["titleBarText"]).or_else(|| tree::text(&page["name"]));
            let title = own.or_else(|| tree::text(&json["display"]["titleBarText"]));
            let screen = Screen { name: name.clone(), title, reachable: true };
            found.push(Page { script: format!("{path}/{component}.js"), screen });
        }
    }
    found
}

/// Titles, pages and what the app may use.
fn state_manifest(json: &Value, pages: &[Page], inspection: &mut Inspection) {
    let place = Place::entry(MANIFEST);
    let mut title = |text: String, key: &str, screen: Option<&Screen>| {
        let mut found = UiText::new(text, Role::Title, place.clone());
        found.key = Some(key.to_owned());
        found.usage = Usage::Used;
        found.screen = screen.cloned();
        found.chain = screen.map(|screen| screen.name.clone()).into_iter().collect();
        inspection.texts.push(found);
    };
    if let Some(name) = tree::text(&json["name"]) {
        title(name, "name", None);
    }
    if let Some(name) = tree::text(&json["display"]["titleBarText"]) {
        title(name, "titleBarText", None);
    }
    for page in pages {
        let own = &json["display"]["pages"][&page.screen.name]["titleBarText"];
        if let Some(text) = tree::text(own) {
            title(text, "titleBarText", Some(&page.screen));
        }
    }
    let route = |page: &Page| {
        let mut fact = Fact::new(FactKind::Route, page.screen.name.clone(), place.clone());
        fact.screen = Some(page.screen.clone());
        fact
    };
    inspection.facts.extend(pages.iter().map(route));
    let features = json["features"].as_array().into_iter().flatten();
    let features = features.filter_map(|feature| feature["name"].as_str().or(feature.as_str()));
    inspection.facts.extend(features.map(|feature| Fact::new(FactKind::Permission, feature, place.clone())));
}

/// States the listed pages whose script is not there; their bytecode is stated where it stands.
fn missing_pages(pages: &[Page], archive: &Archive, inspection: &mut Inspection) {
    let has = |page: &Page, ending: &str| {
        let stem = page.script.trim_end_matches(".js");
        archive.entry(&format!("{stem}.{ending}")).is_some()
    };
    let compiled = |page: &&Page| ["jsc", "hbc", "qbc"].iter().any(|ending| has(page, ending));
    for page in pages.iter().filter(|page| !has(page, "js") && !compiled(page)) {
        inspection.unread(PartName::Layouts);
        let detail = (
            format!("清单中的页面 {} 没有脚本 {}", page.screen.name, page.script),
            format!("the listed page {} has no script {}", page.screen.name, page.script),
        );
        inspection.gap(PartName::Layouts, &Place::entry(MANIFEST), GapReason::Missing, detail);
    }
    if !pages.is_empty() && pages.iter().all(|page| !has(page, "js")) {
        inspection.opaque();
    }
}

fn signature(archive: &Archive, inspection: &mut Inspection) {
    let place = Place::entry("META-INF/CERT");
    if archive.entry("META-INF/CERT").is_some() {
        let detail = ("有快应用签名，签名者未读取", "a quick app signature is there; the signer is not read");
        inspection.note(PartName::Container, &place, GapReason::NotInspected, detail);
    } else {
        inspection.anomaly("signature.missing", &place, "the package is not signed");
    }
}

/// Texts by their key in every language: `message.punch` to the text, its file and its language.
#[derive(Default)]
struct Words {
    files: Vec<String>,
    texts: BTreeMap<String, Vec<(String, Arc<str>, String)>>,
}

/// Reads `i18n/<language>.json`. The texts are stated here as well: what shows them may not be found.
fn translations(archive: &Archive, inspection: &mut Inspection) -> Words {
    let mut words = Words::default();
    for entry in archive.entries() {
        let Some(language) = entry.name.strip_prefix("i18n/").and_then(|file| file.strip_suffix(".json"))
        else {
            continue;
        };
        let place = Place::entry(entry.name.clone());
        words.files.push(entry.name.to_string());
        let Some(bytes) = read(archive, entry, &place, PartName::Resources, inspection) else { continue };
        let value: Value = match serde_json::from_slice(&bytes) {
            Ok(value) => value,
            Err(error) => {
                inspection.unread(PartName::Resources);
                inspection.gap(PartName::Resources, &place, GapReason::Malformed, error.to_string());
                continue;
            }
        };
        inspection.read(PartName::Resources);
        let mut stack = vec![(String::new(), &value)];
        while let Some((key, value)) = stack.pop() {
            let below = |name: &str| if key.is_empty() { name.to_owned() } else { format!("{key}.{name}") };
            match value {
                Value::Object(fields) => {
                    stack.extend(fields.iter().map(|(name, value)| (below(name), value)))
                }
                Value::Array(items) => {
                    stack.extend(items.iter().enumerate().map(|(at, value)| (below(&at.to_string()), value)));
                }
                Value::String(text) if text.chars().any(char::is_alphabetic) => {
                    let mut found = UiText::new(text.clone(), Role::Resource, place.clone());
                    found.key = Some(key.clone());
                    found.locale = Some(language.to_owned()).filter(|language| language != "defaults");
                    inspection.texts.push(found);
                    let known = words.texts.entry(key).or_default();
                    known.push((text.clone(), entry.name.clone(), language.to_owned()));
                }
                _ => {}
            }
        }
    }
    words
}

/// Ties the texts of a script to the elements of its template, and all of it to its page.
fn link(path: &str, bytes: &[u8], screen: Option<&Screen>, words: &Words, inspection: &mut Inspection) {
    let templates = ux::read(bytes);
    let of_page = |place: &Place| &*place.path == path;
    for fact in inspection.facts.iter_mut().filter(|fact| of_page(&fact.place)) {
        if fact.screen.is_none() {
            fact.screen = screen.cloned();
        }
    }
    for text in inspection.texts.iter_mut().filter(|text| of_page(&text.place)) {
        if text.screen.is_none() {
            text.screen = screen.cloned();
        }
        if text.text.starts_with(BOILERPLATE) {
            text.origin = Origin::Library(Arc::from("quick app tool chain"));
        }
    }
    if templates.elements.is_empty() {
        return;
    }
    inspection.read(PartName::Layouts);
    let nothing = Filter { literal: |_| false, call: |_| false };
    let functions = Script::read(bytes, nothing).functions;
    let endpoints: Vec<(usize, String)> = inspection
        .facts
        .iter()
        .filter(|fact| fact.kind == FactKind::Endpoint && of_page(&fact.place))
        .filter_map(|fact| match fact.place.at {
            Some(At::Offset(at)) => Some((usize::try_from(at).ok()?, fact.value.clone())),
            _ => None,
        })
        .collect();
    // The addresses that a handler calls by itself.
    let called = |handler: &str| -> Vec<String> {
        let bodies = functions.iter().filter(|function| function.name == handler);
        let mut found: Vec<String> = bodies
            .flat_map(|body| {
                endpoints
                    .iter()
                    .filter(|(at, _)| (body.start..body.end).contains(at))
                    .map(|(_, to)| to.clone())
            })
            .collect();
        found.dedup();
        if found.len() > MAX_ENDPOINTS { Vec::new() } else { found }
    };
    let sizes = sizes(&templates);
    let mut shown = Vec::new();
    for text in inspection.texts.iter_mut().filter(|text| of_page(&text.place)) {
        let Some(At::Offset(at)) = text.place.at else { continue };
        let found = usize::try_from(at).ok().and_then(|at| templates.literals.get(&at));
        let Some((element, attribute)) = found else { continue };
        let Some((role, widget)) = use_of(*element, attribute, &templates, &sizes) else { continue };
        text.role = if role == Role::Label && text.role == Role::Document { Role::Document } else { role };
        text.key = Some(attribute.clone());
        text.usage = Usage::Used;
        let handler = widget.handler.clone();
        text.chain = std::iter::once(path.to_owned()).chain(handler.clone()).collect();
        text.chain.extend(handler.iter().flat_map(|handler| called(handler)));
        text.widget = Some(widget);
    }
    // `$t('message.punch')` in a template shows the text of that key.
    let keys = Filter { literal: |body| body.contains(&b'.') && body.len() < 128, call: |_| false };
    if !words.texts.is_empty() {
        for literal in Script::read(bytes, keys).literals {
            let Some(texts) = words.texts.get(&*literal.text) else { continue };
            let Some((element, attribute)) = templates.literals.get(&literal.offset) else { continue };
            let Some((role, widget)) = use_of(*element, attribute, &templates, &sizes) else { continue };
            for (text, file, language) in texts.iter().filter(|(text, ..)| has_cjk(text)) {
                let mut found = UiText::new(text.clone(), role, Place::entry(file.clone()));
                found.key = Some(literal.text.to_string());
                found.locale = Some(language.clone()).filter(|language| language != "defaults");
                found.usage = Usage::Used;
                found.screen = screen.cloned();
                found.chain = std::iter::once(path.to_owned()).chain(widget.handler.clone()).collect();
                found.chain.extend(widget.handler.iter().flat_map(|handler| called(handler)));
                found.widget = Some(widget.clone());
                shown.push(found);
            }
        }
    }
    inspection.texts.append(&mut shown);
}

/// How many literals are inside of each element.
fn sizes(templates: &Templates) -> Vec<usize> {
    let mut sizes = vec![0; templates.elements.len()];
    for (element, _) in templates.literals.values().filter(|(_, attribute)| is_shown(attribute)) {
        if let Some(size) = sizes.get_mut(*element) {
            *size += 1;
        }
    }
    // Every element comes after the one it is in.
    for (at, element) in templates.elements.iter().enumerate().rev() {
        let size = sizes.get(at).copied().unwrap_or_default();
        if let Some(outer) = element.parent.and_then(|parent| sizes.get_mut(parent)) {
            *outer += size;
        }
    }
    sizes
}

/// Attributes whose value is seen.
fn is_shown(attribute: &str) -> bool {
    matches!(attribute, "value" | "text" | "label" | "title" | "content" | "placeholder")
}

/// What a literal in an attribute is on the screen; `None` for one that is not seen.
fn use_of(at: usize, attribute: &str, templates: &Templates, sizes: &[usize]) -> Option<(Role, Widget)> {
    let element = templates.elements.get(at)?;
    if !is_shown(attribute) {
        return None;
    }
    let mut pressed = None;
    let mut outer = Some(at);
    for _ in 0..=MAX_UP {
        let Some(index) = outer else { break };
        let Some(around) = templates.elements.get(index) else { break };
        if around.press.is_some() && sizes.get(index).is_some_and(|size| *size <= MAX_TEXTS) {
            pressed = Some(around);
            break;
        }
        outer = around.parent;
    }
    let kind = element.kind.as_deref().unwrap_or_default();
    let button = element.tag == "button"
        || element.tag == "input" && matches!(kind, "button" | "submit" | "reset" | "eventbutton");
    let role = match (element.tag.as_str(), attribute) {
        (_, "placeholder") => Role::Hint,
        ("input", "value") if matches!(kind, "checkbox" | "radio") => return None,
        ("input" | "textarea", "value") if !button => Role::Hint,
        _ if button || pressed.is_some() => Role::Control,
        _ => Role::Label,
    };
    let carrier = if button { element } else { pressed.unwrap_or(element) };
    let widget = Widget {
        class: carrier.tag.clone(),
        id: carrier.id.clone(),
        handler: pressed.and_then(|around| around.press.clone()),
        operable: role == Role::Control,
    };
    Some((role, widget))
}
