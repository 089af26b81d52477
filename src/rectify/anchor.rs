//! What of a function is still there although its wording is gone.
//!
//! An inspector who opens both versions accepts five sorts of anchors: the element that showed the wording now shows
//! another, the function behind it is called by another wording, the address is still called, the screen or the
//! layout whose very name or title spoke of the function is still there. What serves other things as well (a main
//! page, an `onClick` of every button, an address that everything posts to) proves nothing, nor does a screen on
//! which only the element in question is missing: that is how a function is rectified.

use std::collections::BTreeSet;

use crate::model::{
    Anchor, AnchorKind, Control, Evidence, EvidenceKind, Finding, Level, Report, Shown, Surface,
};

use super::same::Pair;

/// Rows of a finding whose elements are looked for; a scan lists no more.
const MAX_ROWS: usize = 50;
/// Elements that show the same wording on one screen.
const MAX_SPOTS: usize = 10;
/// Labels listed of an anchor.
const MAX_LABELS: usize = 10;
/// More other labels than this at one id, handler or address: it serves other things as well.
const MAX_OTHERS: usize = 1;
/// An id on more screens than this is that of a template.
const MAX_SCREENS: usize = 3;
/// So many other controls that stay on a screen make it one that serves other things as well.
const SHARED_SCREEN: usize = 3;
/// Names that say nothing of what they do; shorter ones than four letters do not either.
const GENERIC: [&str; 21] = [
    "onclick",
    "ontap",
    "click",
    "handleclick",
    "handletap",
    "onpress",
    "onpressed",
    "submit",
    "onsubmit",
    "confirm",
    "onconfirm",
    "onchange",
    "onitemclick",
    "onmenuitemclick",
    "invoke",
    "callback",
    "onaction",
    "onbuttonclick",
    "onbtnclick",
    "onviewclicked",
    "onclicklistener",
];

/// The anchors of a finding whose rows `gone` are not in the later report; sorted, each once.
pub(super) fn anchors(
    pair: &Pair<'_>,
    old: &Finding,
    new: Option<&Finding>,
    gone: &[&Evidence],
) -> Vec<Anchor> {
    let (Some(was), Some(is)) = (&pair.old.surface, &pair.new.surface) else { return Vec::new() };
    let gone: Vec<&Evidence> = gone.iter().copied().filter(|row| row.kind == EvidenceKind::Text).collect();
    if gone.is_empty() {
        return Vec::new();
    }
    let texts = |finding: &Finding, level| -> BTreeSet<String> {
        let rows = finding.evidence.iter().filter(|row| row.kind == EvidenceKind::Text && row.level >= level);
        rows.map(|row| Surface::cut(&row.text).into_owned()).collect()
    };
    let search = Search {
        pair,
        was,
        is,
        of_finding: texts(old, Level::Mention),
        found_now: new.map(|new| texts(new, Level::Suspected)).unwrap_or_default(),
    };
    let mut found = Vec::new();
    for row in gone.iter().take(MAX_ROWS) {
        search.row(row, &mut found);
    }
    for row in old.evidence.iter().filter(|row| row.library.is_none()).take(MAX_ROWS) {
        match row.kind {
            EvidenceKind::Name => search.name(row, &gone, &mut found),
            EvidenceKind::Endpoint => found.extend(search.endpoint(&row.text, &gone)),
            _ => {}
        }
    }
    found.sort();
    found.dedup_by(|a, b| (a.kind, &a.name, &a.screen) == (b.kind, &b.name, &b.screen));
    found
}

struct Search<'a> {
    pair: &'a Pair<'a>,
    was: &'a Surface,
    is: &'a Surface,
    /// Texts among the evidence of the old finding.
    of_finding: BTreeSet<String>,
    /// Texts by which the later report finds the function still: these are no disguise.
    found_now: BTreeSet<String>,
}

impl Search<'_> {
    fn was_elements(&self) -> impl Iterator<Item = &Control> + Clone {
        self.was.controls.iter().chain(&self.was.widgets)
    }

    fn is_elements(&self) -> impl Iterator<Item = &Control> {
        self.is.controls.iter().chain(&self.is.widgets)
    }

    fn screen(&self, report: &Report, screen: Option<&str>) -> Option<String> {
        screen.map(|screen| self.pair.own(report, screen))
    }

    /// The same place in both versions: the screen, or the layout where the screen was renamed.
    fn same_place(&self, old: &Control, new: &Control) -> bool {
        let was = self.screen(self.pair.old, old.screen.as_deref());
        let is = self.screen(self.pair.new, new.screen.as_deref());
        (was.is_some() && was == is) || (old.layout.is_some() && old.layout == new.layout)
    }

    /// What the element of a row that is gone shows now, and what its press calls.
    fn row(&self, row: &Evidence, found: &mut Vec<Anchor>) {
        let label = Surface::cut(&row.text);
        let shown = row.screen_name();
        let spots: Vec<&Control> = self
            .was_elements()
            .filter(|c| {
                c.label.as_deref() == Some(&*label)
                    && c.screen.as_deref() == shown.map(Surface::cut).as_deref()
            })
            .take(MAX_SPOTS)
            .collect();
        for spot in spots {
            if let Some(id) = spot.id.as_ref().filter(|id| self.is_specific_id(id)) {
                let here = |c: &&Control| c.id.as_ref() == Some(id) && self.same_place(spot, c);
                let was =
                    self.was_elements().filter(|c| c.id.as_ref() == Some(id) && c.screen == spot.screen);
                found.extend(self.relabelled(
                    AnchorKind::Widget,
                    id,
                    &label,
                    was,
                    self.is_elements().filter(here),
                ));
            }
            if let Some(handler) = spot.handler.as_ref().filter(|handler| is_specific(handler)) {
                let here = |c: &&Control| c.handler.as_ref() == Some(handler) && self.same_place(spot, c);
                let was = self.was_elements().filter(|c| c.handler.as_ref() == Some(handler));
                found.extend(self.relabelled(
                    AnchorKind::Handler,
                    handler,
                    &label,
                    was,
                    self.is_elements().filter(here),
                ));
            }
            if let Some(address) = &spot.calls {
                let others = self.was_elements().filter(|c| c.calls.as_ref() == Some(address));
                if self.others(others) <= MAX_OTHERS {
                    found.extend(self.endpoint(address, &[row]));
                }
            }
        }
        let Some(screen) = shown else { return };
        let titled = self.was.screens.iter().any(|s| s.name == screen && s.label.as_deref() == Some(&*label));
        if titled && !self.is_shared(screen) {
            let is = self.titles(screen);
            let now: Vec<String> = is.iter().filter(|title| self.is_new(title, &[])).cloned().collect();
            if !is.contains(&*label) && !now.is_empty() {
                let (before, name) = (vec![label.into_owned()], self.new_name(screen));
                found.push(Anchor { kind: AnchorKind::Screen, name, screen: None, before, now });
            }
        }
    }

    /// An element that is still there and does not show the old label any more.
    fn relabelled<'c>(
        &self,
        kind: AnchorKind,
        name: &str,
        label: &str,
        was: impl Iterator<Item = &'c Control> + Clone,
        is: impl Iterator<Item = &'c Control>,
    ) -> Option<Anchor> {
        let is: Vec<&Control> = is.collect();
        let first = is.first()?;
        let labels: BTreeSet<&str> = is.iter().filter_map(|c| c.label.as_deref()).collect();
        if labels.contains(label) || self.others(was.clone()) > MAX_OTHERS {
            return None;
        }
        let old: Vec<&str> = was.filter_map(|c| c.label.as_deref()).collect();
        let now: Vec<String> =
            labels.iter().filter(|now| self.is_new(now, &old)).map(|now| (*now).to_owned()).collect();
        // What it shows now it showed before as well, or the function is found by it.
        if !labels.is_empty() && now.is_empty() {
            return None;
        }
        let before = old.into_iter().filter(|old| self.of_finding.contains(*old));
        let before: BTreeSet<String> = before.map(str::to_owned).collect();
        Some(Anchor {
            kind,
            name: name.to_owned(),
            screen: first.screen.clone(),
            before: before.into_iter().take(MAX_LABELS).collect(),
            now: now.into_iter().take(MAX_LABELS).collect(),
        })
    }

    /// A name that speaks of the function and is still there: of a screen, layout, element or function.
    fn name(&self, row: &Evidence, gone: &[&Evidence], found: &mut Vec<Anchor>) {
        let on = |screen: &str| gone.iter().any(|row| row.screen_name() == Some(screen));
        let labels = |here: &dyn Fn(&Control) -> bool| -> (Vec<String>, Vec<String>) {
            let old: Vec<&str> =
                self.was_elements().filter(|c| here(c)).filter_map(|c| c.label.as_deref()).collect();
            let now: BTreeSet<String> = self
                .is_elements()
                .filter(|c| here(c))
                .filter_map(|c| c.label.clone())
                .filter(|label| self.is_new(label, &old))
                .collect();
            let before: BTreeSet<String> = old
                .into_iter()
                .filter(|old| gone.iter().any(|row| Surface::cut(&row.text) == *old))
                .map(str::to_owned)
                .collect();
            let few = |labels: BTreeSet<String>| labels.into_iter().take(MAX_LABELS).collect();
            (few(before), few(now))
        };
        let name = &*Surface::cut(&row.text);
        let new_name = self.new_name(name);
        let is_screen = self.is.screens.iter().any(|screen| screen.name == new_name);
        if is_screen && !self.is_shared(name) && on(name) {
            let here = |c: &Control| c.screen.as_deref().is_some_and(|s| s == name || s == new_name);
            let (mut before, mut now) = labels(&here);
            let old_titles: BTreeSet<String> = self.old_titles(name);
            let is_old = |title: &String| old_titles.contains(title);
            now.extend(
                self.titles(name).into_iter().filter(|title| !is_old(title) && self.is_new(title, &[])),
            );
            before.extend(old_titles.into_iter().filter(|title| self.of_finding.contains(title)));
            before.sort();
            before.dedup();
            now.sort();
            now.dedup();
            found.push(Anchor { kind: AnchorKind::Screen, name: new_name, screen: None, before, now });
        } else if self.is.layouts.iter().any(|layout| layout == name) {
            let (before, now) = labels(&|c| c.layout.as_deref() == Some(name));
            if !before.is_empty() {
                found.push(Anchor {
                    kind: AnchorKind::Layout,
                    name: name.to_owned(),
                    screen: None,
                    before,
                    now,
                });
            }
        } else {
            let (before, now) = labels(&|c| c.handler.as_deref() == Some(name));
            let used = self.is_elements().find(|c| c.handler.as_deref() == Some(name));
            if let (Some(control), false) = (used, before.is_empty()) {
                let (kind, screen) = (AnchorKind::Handler, control.screen.clone());
                found.push(Anchor { kind, name: name.to_owned(), screen, before, now });
            }
        }
    }

    /// An address that is still called.
    fn endpoint(&self, address: &str, gone: &[&Evidence]) -> Option<Anchor> {
        let address = Surface::cut(address);
        let same = |other: &&String| is_same_address(&address, other);
        let called = self.is_elements().filter_map(|c| c.calls.as_ref());
        let name = self.is.endpoints.iter().chain(called).find(same)?.clone();
        let calls = |c: &&Control| c.calls.as_ref().is_some_and(|other| is_same_address(&address, other));
        let old: Vec<&str> = self.was_elements().filter(calls).filter_map(|c| c.label.as_deref()).collect();
        let is: Vec<&Control> = self.is_elements().filter(calls).collect();
        // The wording that is found still may well call it; then nothing is hidden.
        let open = is.iter().filter_map(|c| c.label.as_ref()).any(|label| self.found_now.contains(label));
        if open {
            return None;
        }
        let now: BTreeSet<String> =
            is.iter().filter_map(|c| c.label.clone()).filter(|label| self.is_new(label, &old)).collect();
        let said = |row: &&&Evidence| old.contains(&&*Surface::cut(&row.text));
        let mut before: BTreeSet<String> =
            gone.iter().filter(said).map(|row| Surface::cut(&row.text).into_owned()).collect();
        if before.is_empty() {
            before.extend(gone.iter().take(1).map(|row| Surface::cut(&row.text).into_owned()));
        }
        Some(Anchor {
            kind: AnchorKind::Endpoint,
            name,
            screen: is.first().and_then(|c| c.screen.clone()),
            before: before.into_iter().take(MAX_LABELS).collect(),
            now: now.into_iter().take(MAX_LABELS).collect(),
        })
    }

    /// An id that is no single letter of an obfuscator and does not stand on every screen.
    fn is_specific_id(&self, id: &str) -> bool {
        let here = self.was_elements().filter(|c| c.id.as_deref() == Some(id));
        let screens: BTreeSet<Option<&str>> = here.map(|c| c.screen.as_deref()).collect();
        id.chars().count() >= 3 && screens.len() <= MAX_SCREENS
    }

    /// A label that stood not at this place before and by which the function is not found.
    fn is_new(&self, label: &str, old: &[&str]) -> bool {
        !old.contains(&label) && !self.found_now.contains(label)
    }

    /// How many labels among these are none of the finding's.
    fn others<'c>(&self, elements: impl Iterator<Item = &'c Control>) -> usize {
        let labels: BTreeSet<&str> = elements.filter_map(|c| c.label.as_deref()).collect();
        labels.into_iter().filter(|label| !self.of_finding.contains(*label)).count()
    }

    /// A screen on which other controls stay as they were serves other things as well.
    fn is_shared(&self, screen: &str) -> bool {
        let new_name = self.new_name(screen);
        let stays = |old: &&Control| {
            let same = |new: &Control| new.screen.as_ref() == Some(&new_name) && new.label == old.label;
            old.label.as_ref().is_some_and(|label| !self.of_finding.contains(label))
                && self.is.controls.iter().any(same)
        };
        let here = self.was.controls.iter().filter(|c| c.screen.as_deref() == Some(screen));
        here.filter(stays).count() >= SHARED_SCREEN
    }

    fn old_titles(&self, screen: &str) -> BTreeSet<String> {
        let here = self.was.screens.iter().filter(|s| s.name == screen);
        here.filter_map(|s| s.label.clone()).collect()
    }

    fn titles(&self, screen: &str) -> BTreeSet<String> {
        let name = self.new_name(screen);
        self.is.screens.iter().filter(|s| s.name == name).filter_map(|s| s.label.clone()).collect()
    }

    /// The name of an old screen in the later version, whose package may have another name.
    fn new_name(&self, screen: &str) -> String {
        let own = self.pair.own(self.pair.old, screen);
        let is = |s: &&Shown| self.pair.own(self.pair.new, &s.name) == own;
        let renamed = (own != screen).then(|| self.is.screens.iter().find(is)).flatten();
        renamed.map_or_else(|| screen.to_owned(), |s| s.name.clone())
    }
}

/// Whether two addresses are the same, be it on another host.
fn is_same_address(a: &str, b: &str) -> bool {
    let path = |address: &str| -> String {
        let rest = address
            .split_once("://")
            .map_or(address, |(_, rest)| rest.find('/').map_or("", |at| &rest[at..]));
        rest.trim_matches('/').to_owned()
    };
    a == b || (path(a) == path(b) && path(a).contains('/'))
}

/// Whether the name of a function says what it does.
fn is_specific(name: &str) -> bool {
    let plain: String = name.chars().filter(|ch| ch.is_alphanumeric()).collect::<String>().to_lowercase();
    plain.len() >= 4 && !GENERIC.contains(&plain.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_by_their_paths() {
        assert!(is_same_address("/patrol/checkin", "https://new.example.gov.cn/patrol/checkin"));
        assert!(is_same_address("patrol/checkin", "/patrol/checkin/"));
        assert!(!is_same_address("https://a.example.gov.cn/api", "https://b.example.gov.cn/api"));
        assert!(!is_same_address("https://a.example.gov.cn", "https://b.example.gov.cn"));
    }

    #[test]
    fn names_of_every_button_say_nothing() {
        assert!(is_specific("onPunch") && is_specific("submitDuty") && is_specific("提交打卡"));
        assert!(!is_specific("onClick") && !is_specific("handle_click") && !is_specific("e0"));
    }
}
