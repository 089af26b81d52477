//! What an interface file shows: texts with the widget that carries them, what a press of it does, and the view
//! controllers with the scenes they lead to.

use std::collections::{HashMap, HashSet};

use crate::decode::nib::{ELEMENT, Nib, Value};
use crate::model::{Role, Widget};
use crate::text::has_cjk;

/// Steps from a text up to the widget around it, and from a view to its cell.
const MAX_STEPS: usize = 24;

/// A text of an interface file.
#[derive(Debug, Clone)]
pub(crate) struct NibText {
    pub(crate) text: String,
    /// Key in the string tables named as the file or its storyboard.
    pub(crate) key: Option<String>,
    pub(crate) role: Role,
    pub(crate) widget: Widget,
    /// Offset in the file.
    pub(crate) offset: u64,
    /// View controller around it, if one is in the file.
    pub(crate) controller: Option<u32>,
}

/// A view controller of an interface file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Controller {
    pub(crate) object: u32,
    /// Its class, the app's own where it has one.
    pub(crate) class: String,
    /// Name of the file that has its view.
    pub(crate) view: Option<String>,
    /// Name that code asks a storyboard for it by.
    pub(crate) identifier: Option<String>,
    pub(crate) title: Option<String>,
    /// Text table key of the title.
    pub(crate) title_key: Option<String>,
}

/// What is in an interface file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interface {
    pub(crate) texts: Vec<NibText>,
    pub(crate) controllers: Vec<Controller>,
    /// Scenes that segues of it lead to: names of files.
    pub(crate) leads_to: Vec<String>,
    /// Names of properties that its objects are put into.
    pub(crate) outlets: Vec<String>,
    /// Classes of the app that it makes objects of.
    pub(crate) classes: Vec<String>,
}

/// Values that are names, not texts.
const NAMES: &[&str] = &[
    "UIClassName",
    "UIOriginalClassName",
    "UIDestinationViewControllerIdentifier",
    "UIFontFamilyName",
    "UIFontName",
    "UIIdentifier",
    "UIKeyPath",
    "UILabel",
    "UINibName",
    "UIProxiedObjectIdentifier",
    "UIResourceName",
    "UIRestorationIdentifier",
    "UIReuseIdentifier",
    "UISegueClassName",
    "UISystemColorName",
    "UIStoryboardIdentifier",
    "UIStoryboardName",
    "UIActionName",
    "NSKey",
    "NSDev",
];

/// Values that users see, in whatever language.
const TEXTS: &[&str] = &[
    "UITitle",
    "UIText",
    "UIPlaceholder",
    "UIPrompt",
    "UISegmentInfo",
    "UIAccessibilityLabel",
    "UIAccessibilityHint",
    "UITabBarItemTitle",
    "UIBackButtonTitle",
    "UISubtitle",
    "NSString",
];

/// Outlets that every interface file has.
const PLUMBING: &[&str] =
    &["", "view", "delegate", "dataSource", "sceneViewController", "viewController", "storyboard", "window"];

/// References that do not mean that one object is a part of the other.
const LINKS: &[&str] = &[
    "UISource",
    "UIDestination",
    "UIDelegate",
    "UIDataSource",
    "UIParentViewController",
    "UITarget",
    "UITabBar",
    "UINibObjectsKey",
    "UINibTopLevelObjectsKey",
    "UINibConnectionsKey",
    "UINibVisibleWindowsKey",
    "UINibAccessibilityConfigurationsKey",
    "UINibTraitStorageListsKey",
    "UINibKeyValuePairsKey",
];

/// Reads what an interface file shows.
pub(crate) fn read(nib: &Nib) -> Interface {
    let file = File::new(nib);
    let mut found = Interface {
        outlets: file.outlets.values().map(|outlet| (*outlet).to_owned()).collect(),
        ..Interface::default()
    };
    found.outlets.sort_unstable();
    for object in 0..nib.len() {
        let class = nib.class(object);
        if class == "UIClassSwapper" {
            found.classes.extend(nib.text_of(object, "UIClassName").map(str::to_owned));
        }
        if is_controller(file.base(object)) {
            found.controllers.push(file.controller(object));
        }
        found
            .leads_to
            .extend(nib.text_of(object, "UIDestinationViewControllerIdentifier").map(str::to_owned));
        for (key, value, offset) in nib.values(object) {
            let Value::Object(string) = value else { continue };
            let Some(text) = nib.text(*string).filter(|text| text.chars().any(char::is_alphabetic)) else {
                continue;
            };
            if NAMES.contains(&key) || !(TEXTS.contains(&key) || has_cjk(text)) {
                continue;
            }
            // The characters are in the string object.
            let offset = nib.values(*string).next().map_or(offset, |(_, _, offset)| offset);
            let localisable = nib.text_of(*string, "NSKey").map(str::to_owned);
            found.texts.extend(file.text(object, key, text, localisable, offset));
        }
    }
    found
}

struct File<'n> {
    nib: &'n Nib,
    /// The object that each object is a part of.
    parents: Vec<Option<u32>>,
    /// Selector that a press of an object sends.
    actions: HashMap<u32, &'n str>,
    /// Property that an object is put into.
    outlets: HashMap<u32, &'n str>,
    /// Cells that lead somewhere when chosen.
    leading: HashSet<u32>,
}

impl<'n> File<'n> {
    fn new(nib: &'n Nib) -> Self {
        let mut parents = vec![None; nib.len() as usize];
        let (mut actions, mut outlets, mut leading) = (HashMap::new(), HashMap::new(), HashSet::new());
        // Lists of all objects, which say nothing about parts.
        let listed = |object| nib.values(object).filter(|(key, ..)| key.starts_with("UINib"));
        let lists: HashSet<u32> =
            (0..nib.len().min(4)).flat_map(listed).filter_map(|(_, value, _)| number(value)).collect();
        for object in 0..nib.len() {
            let class = nib.class(object);
            if class.starts_with("UIRuntime") {
                let source = nib.object(object, "UISource");
                let label = nib.text_of(object, "UILabel").unwrap_or_default();
                match class {
                    "UIRuntimeEventConnection" => actions.extend(source.map(|source| (source, label))),
                    _ if label.ends_with("SegueTemplate") => leading.extend(source),
                    _ if PLUMBING.contains(&label) => {}
                    _ => outlets.extend(nib.object(object, "UIDestination").map(|to| (to, label))),
                }
                continue;
            }
            if let Some(action) = nib.text_of(object, "UIAction") {
                actions.insert(object, action);
            }
            if lists.contains(&object) || class == "NSLayoutConstraint" {
                continue;
            }
            for (key, value, _) in nib.values(object) {
                let child = number(value).filter(|child| !LINKS.contains(&key) && *child != object);
                if let Some(parent) = child.and_then(|child| parents.get_mut(child as usize)) {
                    parent.get_or_insert(object);
                }
            }
        }
        File { nib, parents, actions, outlets, leading }
    }

    /// An object and those it is a part of.
    fn around(&self, object: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(Some(object), |object| self.parents.get(*object as usize).copied().flatten())
            .take(MAX_STEPS)
    }

    /// The class of the framework that an object is of.
    fn base(&self, object: u32) -> &'n str {
        match self.nib.class(object) {
            "UIClassSwapper" => self.nib.text_of(object, "UIOriginalClassName").unwrap_or_default(),
            class => class,
        }
    }

    /// The class that an object is made of, the app's own where it has one.
    fn class(&self, object: u32) -> &'n str {
        self.nib.text_of(object, "UIClassName").unwrap_or_else(|| self.base(object))
    }

    fn controller(&self, object: u32) -> Controller {
        let nib = self.nib;
        let item = nib.object(object, "UINavigationItem");
        let title =
            item.and_then(|item| nib.object(item, "UITitle")).or_else(|| nib.object(object, "UITitle"));
        Controller {
            object,
            class: self.class(object).to_owned(),
            view: nib.text_of(object, "UINibName").map(str::to_owned),
            identifier: nib.text_of(object, "UIStoryboardIdentifier").map(str::to_owned),
            title: title.and_then(|title| nib.text(title)).map(str::to_owned),
            title_key: title.and_then(|title| nib.text_of(title, "NSKey")).map(str::to_owned),
        }
    }

    /// A text by the object that holds it and the key it holds it under.
    fn text(
        &self,
        holder: u32,
        key: &str,
        text: &str,
        localisable: Option<String>,
        offset: u64,
    ) -> Option<NibText> {
        let widget = self.around(holder).find(|object| is_widget(self.base(*object)))?;
        let base = self.base(widget);
        let cell = self.around(widget).find(|object| self.base(*object).ends_with("Cell"));
        let row = cell.filter(|cell| self.leading.contains(cell));
        // A row that leads somewhere is what is pressed, not the label in it.
        let pressed = row
            .filter(|_| base == "UILabel")
            .or(Some(widget))
            .filter(|object| Some(*object) == row || self.actions.contains_key(object) || is_control(base));
        let role = match key {
            "UIPlaceholder" | "UIAccessibilityHint" => Role::Hint,
            "UIPrompt" => Role::Label,
            _ if is_control(base) => Role::Control,
            _ if base == "UINavigationItem" || is_controller(base) => Role::Title,
            _ if row.is_some() && base == "UILabel" => Role::Control,
            _ => Role::Label,
        };
        let action = self.around(widget).take(3).find_map(|object| self.actions.get(&object));
        let leads = row.is_some().then_some("segue");
        Some(NibText {
            text: text.to_owned(),
            key: localisable,
            role,
            widget: Widget {
                class: self.class(widget).to_owned(),
                id: self.outlets.get(&widget).map(|outlet| (*outlet).to_owned()),
                handler: action.map(|action| (*action).to_owned()).or(leads.map(str::to_owned)),
                operable: role == Role::Control && pressed.is_some(),
            },
            offset,
            controller: self.around(widget).find(|object| is_controller(self.base(*object))),
        })
    }
}

fn number(value: &Value) -> Option<u32> {
    match value {
        Value::Object(number) => Some(*number),
        _ => None,
    }
}

fn is_controller(base: &str) -> bool {
    base.ends_with("Controller") && !base.starts_with("NS")
}

/// What a person presses or chooses.
fn is_control(base: &str) -> bool {
    matches!(
        base,
        "UIButton"
            | "UIBarButtonItem"
            | "UITabBarItem"
            | "UISegmentedControl"
            | "UISegment"
            | "UIMenuItem"
            | "UICommand"
            | "UIAction"
            | "UISwitch"
            | "UICustomObject"
    )
}

/// Objects that carry a text themselves; others are parts of one.
fn is_widget(base: &str) -> bool {
    (base.starts_with("UI") || base.starts_with("MK") || base.starts_with("WK"))
        && !matches!(
            base,
            "UIButtonContent"
                | "UIButtonConfiguration"
                | "UISegment"
                | "UIFont"
                | "UIColor"
                | "UIImage"
                | "UIBackgroundConfiguration"
                | "UIBarButtonItemGroup"
        )
        && !base.contains("Runtime")
        && base != ELEMENT
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::archive::Archive;
    use crate::decode::blob::Blob;

    /// An interface file of a fixture.
    fn interface(name: &str) -> Interface {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/built/patrol.ipa");
        let (archive, _) = Archive::open(Blob::memory(std::fs::read(path).unwrap())).unwrap();
        let path = format!("Payload/ForestPatrol.app/Base.lproj/Main.storyboardc/{name}.nib");
        let bytes = archive.read(archive.entry(&path).unwrap()).unwrap().0;
        read(&Nib::parse(&bytes).unwrap().0)
    }

    #[test]
    fn widgets_carry_their_texts_and_actions() {
        let found = interface("ptr-Vc-20a-view-ptr-Vw-21b");
        let rows: Vec<_> = found
            .texts
            .iter()
            .map(|text| {
                let Widget { class, id, handler, operable } = &text.widget;
                (
                    text.text.as_str(),
                    text.role,
                    class.as_str(),
                    id.as_deref(),
                    handler.as_deref(),
                    *operable,
                    text.key.as_deref(),
                )
            })
            .collect();
        assert_eq!(
            rows,
            [
                ("今日巡护任务", Role::Label, "UILabel", None, None, false, None),
                ("Remarks", Role::Hint, "UITextField", None, None, false, Some("fld-Rm-03z.placeholder")),
                (
                    "Start",
                    Role::Control,
                    "UIButton",
                    Some("startButton"),
                    Some("onCheckIn:"),
                    true,
                    Some("ckn-Bt-01x.normalTitle")
                ),
            ]
        );
    }

    #[test]
    fn controllers_have_class_view_and_title() {
        let found = interface("Patrol");
        assert_eq!(found.texts[0].controller, Some(found.controllers[0].object));
        let Controller { class, view, identifier, title, title_key, .. } = &found.controllers[0];
        assert_eq!(
            (class.as_str(), view.as_deref()),
            ("PatrolViewController", Some("ptr-Vc-20a-view-ptr-Vw-21b"))
        );
        assert_eq!((identifier.as_deref(), title.as_deref()), (Some("Patrol"), Some("Patrol")));
        assert_eq!(title_key.as_deref(), Some("nav-It-02y.title"));
        assert_eq!(interface("Home").leads_to, ["Patrol"]);
    }

    #[test]
    fn an_empty_file_shows_nothing() {
        let found = read(&Nib::default());
        assert!(found.texts.is_empty() && found.controllers.is_empty());
    }
}
