//! What users meet in a target, as far as two versions or two targets are compared by it.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Fact, FactKind, Inspection, Origin, Role, Scope, UiText};

/// At most so many rows of one list are kept; the rest are counted.
const MAX_ROWS: usize = 3000;
/// Longer names and labels are cut.
const MAX_CHARS: usize = 120;
/// What the request line of an endpoint may begin with.
const VERBS: [&str; 7] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"];
/// Ends of the classes and tags of what users fill in.
const INPUTS: [&str; 11] = [
    "EditText",
    "AutoCompleteTextView",
    "Spinner",
    "input",
    "textarea",
    "picker",
    "select",
    "TextInput",
    "TextArea",
    "UITextField",
    "UITextView",
];

/// Something with a technical name that shows a label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Shown {
    /// What the developer calls it: class of a screen or its page path, id of a field; empty where it has no name.
    pub name: String,
    /// What users read on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Name of the screen it is on; screens themselves have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screen: Option<String>,
}

/// An element of a screen with what it does. One that shows several texts stands once for each.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Control {
    /// Name of the screen it is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screen: Option<String>,
    /// Its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name of the function that a press calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handler: Option<String>,
    /// What users read on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Name of the layout it is declared in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layout: Option<String>,
    /// The address that a press leads to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<String>,
}

/// The surface of a target. Every list is sorted and holds each thing once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Surface {
    /// Screens with their titles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub screens: Vec<Shown>,
    /// Buttons, tabs, menu items: what users can do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<Control>,
    /// Other elements that have an id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub widgets: Vec<Control>,
    /// What users are asked to fill in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Shown>,
    /// Names of layouts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layouts: Vec<String>,
    /// Addresses the own code calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub endpoints: Vec<String>,
    /// How many did not fit.
    #[serde(default)]
    pub omitted: u64,
}

impl Surface {
    /// The surface of a package; pages and groups have none. Texts of libraries, documents and logs do not count.
    pub fn of(inspection: &Inspection) -> Option<Surface> {
        if inspection.kind.scope() != Scope::App {
            return None;
        }
        let mut lists = Lists::default();
        inspection.texts.iter().filter(|text| is_shown(text)).for_each(|text| lists.text(text));
        inspection.facts.iter().filter(|fact| fact.origin == Origin::App).for_each(|fact| lists.fact(fact));
        Some(lists.surface())
    }

    /// Whether no list is longer than this program makes them; a report from elsewhere may hold anything.
    pub fn is_bounded(&self) -> bool {
        let lists = [
            self.screens.len(),
            self.controls.len(),
            self.widgets.len(),
            self.fields.len(),
            self.layouts.len(),
            self.endpoints.len(),
        ];
        lists.into_iter().all(|rows| rows <= MAX_ROWS)
    }

    /// Text as names and labels are kept: long ones are cut.
    pub fn cut(text: &str) -> Cow<'_, str> {
        let text = text.trim();
        match text.char_indices().nth(MAX_CHARS) {
            Some((at, _)) => Cow::Owned(format!("{}…", &text[..at])),
            None => Cow::Borrowed(text),
        }
    }
}

/// A text of the app's own on a screen.
fn is_shown(text: &UiText) -> bool {
    let placed = text.screen.is_some() || text.widget.is_some();
    let said = !matches!(text.role, Role::Document | Role::Log | Role::Comment | Role::Body);
    placed && said && text.document.is_none() && text.origin == Origin::App
}

/// The lists while they grow.
#[derive(Debug, Default)]
struct Lists<'a> {
    screens: BTreeSet<(&'a str, Option<&'a str>)>,
    controls: BTreeSet<Control>,
    widgets: BTreeSet<Control>,
    fields: BTreeSet<Shown>,
    layouts: BTreeSet<&'a str>,
    endpoints: BTreeSet<&'a str>,
    /// Ids that are there without a text, with their screens.
    ids: BTreeSet<(Option<&'a str>, &'a str)>,
}

fn kept(text: &str) -> Option<String> {
    let text = Surface::cut(text);
    if text.is_empty() { None } else { Some(text.into_owned()) }
}

impl<'a> Lists<'a> {
    fn text(&mut self, text: &'a UiText) {
        let screen = text.screen.as_ref().map(|screen| screen.name.as_str());
        if let Some(found) = &text.screen {
            self.screens.insert((&found.name, found.title.as_deref()));
        }
        let Some(widget) = &text.widget else { return };
        if text.role == Role::Hint || INPUTS.iter().any(|end| widget.class.ends_with(end)) {
            let name = widget.id.as_deref().unwrap_or_default();
            self.fields.insert(Shown {
                name: Surface::cut(name).into_owned(),
                label: kept(&text.text),
                screen: screen.and_then(kept),
            });
        }
        let operable = widget.operable || text.role == Role::Control;
        if !operable && widget.id.is_none() {
            return;
        }
        let control = Control {
            screen: screen.and_then(kept),
            id: widget.id.as_deref().and_then(kept),
            handler: widget.handler.as_deref().and_then(kept),
            label: kept(&text.text),
            layout: layout(text).and_then(kept),
            calls: text.chain.iter().find_map(|step| address(step)).and_then(kept),
        };
        if operable {
            self.controls.insert(control)
        } else {
            self.widgets.insert(control)
        };
    }

    fn fact(&mut self, fact: &'a Fact) {
        let screen = fact.screen.as_ref();
        match fact.kind {
            FactKind::Component | FactKind::Route => {
                if let Some(screen) = screen {
                    self.screens.insert((&screen.name, screen.title.as_deref()));
                } else if fact.kind == FactKind::Route {
                    self.screens.insert((&fact.value, None));
                }
            }
            FactKind::Layout => _ = self.layouts.insert(&fact.value),
            FactKind::Endpoint => _ = self.endpoints.insert(&fact.value),
            FactKind::WidgetId => {
                self.ids.insert((screen.map(|screen| screen.name.as_str()), &fact.value));
            }
            _ => {}
        }
    }

    fn surface(mut self) -> Surface {
        let labelled: HashSet<(Option<&str>, Option<&str>)> = self
            .controls
            .iter()
            .chain(&self.widgets)
            .map(|c| (c.screen.as_deref(), c.id.as_deref()))
            .collect();
        let bare = |(screen, id): &(Option<&str>, &str)| Control {
            screen: screen.and_then(kept),
            id: kept(id),
            ..Control::default()
        };
        let bare: Vec<Control> = self
            .ids
            .iter()
            .map(bare)
            .filter(|found| !labelled.contains(&(found.screen.as_deref(), found.id.as_deref())))
            .collect();
        self.widgets.extend(bare);
        // A screen whose title is known somewhere is not listed without it.
        let titled: HashSet<&str> =
            self.screens.iter().filter(|(_, title)| title.is_some()).map(|(name, _)| *name).collect();
        let screens = self
            .screens
            .iter()
            .filter(|(name, title)| !name.is_empty() && (title.is_some() || !titled.contains(name)));
        let screens = screens.map(|(name, title)| Shown {
            name: Surface::cut(name).into_owned(),
            label: title.and_then(kept),
            screen: None,
        });
        let mut omitted = 0;
        Surface {
            screens: capped(screens, &mut omitted),
            controls: capped(self.controls, &mut omitted),
            widgets: capped(self.widgets, &mut omitted),
            fields: capped(self.fields, &mut omitted),
            layouts: capped(self.layouts.into_iter().filter_map(kept), &mut omitted),
            endpoints: capped(self.endpoints.into_iter().filter_map(kept), &mut omitted),
            omitted,
        }
    }
}

/// The first rows of a list, and how many more there are.
fn capped<T>(rows: impl IntoIterator<Item = T>, omitted: &mut u64) -> Vec<T> {
    let mut rows: Vec<T> = rows.into_iter().collect();
    *omitted += rows.len().saturating_sub(MAX_ROWS) as u64;
    rows.truncate(MAX_ROWS);
    rows
}

/// The layout that declares the widget of a text: `res/layout-land/activity_patrol.xml` is `activity_patrol`.
fn layout(text: &UiText) -> Option<&str> {
    let named = |path: &'_ str| -> bool {
        let folder = path.rsplit('/').nth(1);
        path.ends_with(".xml") && folder.is_some_and(|folder| folder.starts_with("layout"))
    };
    let path =
        std::iter::once(&*text.place.path).chain(text.chain.iter().map(String::as_str)).find(|p| named(p))?;
    path.rsplit('/').next()?.strip_suffix(".xml")
}

/// The address in a step of a chain: that of `POST /patrol/checkin`.
fn address(step: &str) -> Option<&str> {
    let rest = match step.split_once(' ') {
        Some((verb, rest)) if VERBS.contains(&verb) => rest,
        _ => step,
    };
    let is_address = !rest.contains(' ') && (rest.starts_with('/') && rest.len() > 1 || rest.contains("://"));
    is_address.then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Place, Screen, TargetKind, Widget};

    fn text(label: &str, id: Option<&str>, operable: bool) -> UiText {
        let mut text = UiText::new(label, Role::Label, Place::entry("res/layout-land/activity_patrol.xml"));
        text.screen =
            Some(Screen { name: "a.PatrolActivity".into(), title: Some("巡查".into()), reachable: true });
        text.widget = Some(Widget {
            class: "Button".into(),
            id: id.map(str::to_owned),
            handler: operable.then(|| "onPunch".to_owned()),
            operable,
        });
        text.chain = vec!["PatrolActivity.onPunch".into(), "POST /patrol/checkin".into()];
        text
    }

    #[test]
    fn what_is_shown_is_listed_once_and_documents_are_not() {
        let mut inspection = Inspection::new(TargetKind::App, "apk");
        inspection.texts.push(text("巡查打卡", Some("btn_patrol"), true));
        inspection.texts.push(text("巡查打卡", Some("btn_patrol"), true));
        inspection.texts.push(text("说明", None, false));
        let mut log = text("打卡日志", Some("btn_log"), true);
        log.role = Role::Log;
        inspection.texts.push(log);
        let mut hint = text("请填写姓名", Some("et_name"), false);
        hint.role = Role::Hint;
        inspection.texts.push(hint);
        inspection.facts.push(Fact::new(FactKind::Endpoint, "/patrol/checkin", Place::entry("classes.dex")));
        let surface = Surface::of(&inspection).unwrap();
        assert_eq!(surface.screens.len(), 1);
        assert_eq!(surface.controls.len(), 1);
        let button = &surface.controls[0];
        assert_eq!(button.layout.as_deref(), Some("activity_patrol"));
        assert_eq!(button.calls.as_deref(), Some("/patrol/checkin"));
        assert_eq!(surface.fields.len(), 1);
        assert_eq!(surface.fields[0].label.as_deref(), Some("请填写姓名"));
        assert_eq!(surface.endpoints, ["/patrol/checkin"]);
        assert_eq!(surface.omitted, 0);
        assert!(Surface::of(&Inspection::new(TargetKind::Account, "feed")).is_none());
    }

    #[test]
    fn lists_are_capped_and_the_rest_is_counted() {
        let mut inspection = Inspection::new(TargetKind::App, "apk");
        for n in 0..MAX_ROWS + 7 {
            let address = format!("/{n}{}", "长".repeat(200));
            inspection.facts.push(Fact::new(FactKind::Endpoint, address, Place::entry("classes.dex")));
        }
        let surface = Surface::of(&inspection).unwrap();
        assert_eq!((surface.endpoints.len(), surface.omitted), (MAX_ROWS, 7));
        assert!(surface.endpoints.iter().all(|address| address.chars().count() == MAX_CHARS + 1));
    }
}
