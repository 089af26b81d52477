//! What a format hands over: the stream of texts, facts, gaps and anomalies of one package.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use super::coverage::Tally;
use super::{
    Anomaly, Coverage, Fact, Gap, GapReason, Identity, PartName, Place, State, TargetKind, UiText, Verdict,
    Wording,
};

/// At most this many anomalies of one code are kept; the rest are counted.
const ANOMALIES_PER_CODE: usize = 20;
/// At most this many gaps of one part and reason are kept; the rest are counted.
const GAPS_PER_REASON: usize = 50;

/// Everything read from one package, before any rule has seen it.
#[derive(Debug)]
pub struct Inspection {
    /// Kind of target the package turned out to be.
    pub kind: TargetKind,
    /// Short name of the package format: `apk`, `wxapkg`.
    pub format: &'static str,
    /// Who the package says it is.
    pub identity: Identity,
    /// Texts with their links.
    pub texts: Vec<UiText>,
    /// Facts with their links.
    pub facts: Vec<Fact>,
    /// What was observed of an account or a group besides.
    pub states: Vec<State>,
    /// The moment that it is judged for; without it nothing is said of how long something lasts.
    pub as_of: Option<Timestamp>,
    tally: Tally,
    gaps: BTreeMap<(PartName, GapReason, bool), Vec<Gap>>,
    gaps_dropped: BTreeMap<(PartName, GapReason, bool), u64>,
    anomalies: BTreeMap<String, Vec<Anomaly>>,
    anomalies_dropped: BTreeMap<String, u64>,
    opaque: bool,
}

impl Inspection {
    /// An inspection that has read nothing yet.
    pub fn new(kind: TargetKind, format: &'static str) -> Self {
        Inspection {
            kind,
            format,
            identity: Identity::default(),
            texts: Vec::new(),
            facts: Vec::new(),
            states: Vec::new(),
            as_of: None,
            tally: Tally::default(),
            gaps: BTreeMap::new(),
            gaps_dropped: BTreeMap::new(),
            anomalies: BTreeMap::new(),
            anomalies_dropped: BTreeMap::new(),
            opaque: false,
        }
    }

    /// Takes over what another inspection of a part of the same package has read.
    pub fn absorb(&mut self, other: Inspection) {
        self.texts.extend(other.texts);
        self.facts.extend(other.facts);
        self.states.extend(other.states);
        self.tally.absorb(other.tally);
        for ((part, reason, material), list) in other.gaps {
            list.into_iter().for_each(|gap| self.keep_gap((part, reason, material), gap));
        }
        for (key, more) in other.gaps_dropped {
            *self.gaps_dropped.entry(key).or_default() += more;
        }
        for anomaly in other.anomalies.into_values().flatten() {
            self.keep_anomaly(anomaly);
        }
        for (code, more) in other.anomalies_dropped {
            *self.anomalies_dropped.entry(code).or_default() += more;
        }
        self.opaque |= other.opaque;
    }

    /// As a part of the package around it, in which its path is `outer`: every place begins with that. That it is
    /// opaque as a whole is a gap of the package around it, which is not.
    pub fn inside(mut self, outer: &str) -> Inspection {
        if std::mem::take(&mut self.opaque) {
            let detail =
                ("包内安装包整体无法读取", "the package within the package could not be read as a whole");
            self.gap(PartName::Container, &Place::entry(""), GapReason::Missing, detail);
        }
        let mut paths: HashMap<Arc<str>, Arc<str>> = HashMap::new();
        let mut inside = |place: &mut Place| {
            let path = paths.entry(place.path.clone()).or_insert_with(|| Arc::from(join(outer, &place.path)));
            place.path = path.clone();
        };
        for text in &mut self.texts {
            inside(&mut text.place);
            text.chain.insert(0, outer.to_owned());
        }
        for fact in &mut self.facts {
            inside(&mut fact.place);
            fact.chain.insert(0, outer.to_owned());
        }
        self.gaps.values_mut().flatten().for_each(|gap| gap.place = join(outer, &gap.place));
        self.anomalies.values_mut().flatten().for_each(|anomaly| anomaly.place = join(outer, &anomaly.place));
        self
    }

    /// Whether something that may hide text of the interface was not seen.
    pub fn has_gaps(&self) -> bool {
        self.opaque || self.gaps.keys().any(|(_, _, material)| *material)
    }

    /// Units of a part that were counted as not read.
    pub fn unread_count(&self, part: PartName) -> u64 {
        self.tally.unread(part)
    }

    /// Counts units of a part: so many that were read completely, so many that could not be.
    /// The caller states the reason by [`Inspection::gap`] or [`Inspection::note`].
    pub fn count(&mut self, part: PartName, read: u64, unread: u64) {
        // A part of which there is nothing is no part.
        if read + unread > 0 {
            self.tally.add(part, read + unread, read);
        }
    }

    /// Counts a unit of a part that was read completely.
    pub fn read(&mut self, part: PartName) {
        self.tally.add(part, 1, 1);
    }

    /// Counts a unit of a part that could not be read completely.
    /// The caller states the reason by [`Inspection::gap`] or [`Inspection::note`].
    pub fn unread(&mut self, part: PartName) {
        self.tally.add(part, 1, 0);
    }

    /// States something unseen that may hide text of the user interface.
    pub fn gap(&mut self, part: PartName, place: &Place, reason: GapReason, detail: impl Into<Wording>) {
        self.add_gap(part, place, reason, detail.into(), true);
    }

    /// States something unseen where text of the user interface is not expected.
    pub fn note(&mut self, part: PartName, place: &Place, reason: GapReason, detail: impl Into<Wording>) {
        self.add_gap(part, place, reason, detail.into(), false);
    }

    fn add_gap(&mut self, part: PartName, place: &Place, reason: GapReason, detail: Wording, material: bool) {
        let Wording { zh: detail, en: detail_en } = detail;
        let gap = Gap { part, place: place.to_string(), reason, detail, detail_en, material };
        self.keep_gap((part, reason, material), gap);
    }

    fn keep_gap(&mut self, key: (PartName, GapReason, bool), gap: Gap) {
        let list = self.gaps.entry(key).or_default();
        if list.len() < GAPS_PER_REASON {
            list.push(gap);
        } else {
            *self.gaps_dropped.entry(key).or_default() += 1;
        }
    }

    /// States that the code or the resources as a whole could not be read.
    pub fn opaque(&mut self) {
        self.opaque = true;
    }

    /// States something out of order. `code` is one of the stable codes in the README.
    pub fn anomaly(&mut self, code: &str, place: &Place, detail: impl Into<String>) {
        self.keep_anomaly(Anomaly { code: code.to_owned(), place: place.to_string(), detail: detail.into() });
    }

    fn keep_anomaly(&mut self, anomaly: Anomaly) {
        let list = self.anomalies.entry(anomaly.code.clone()).or_default();
        if list.len() < ANOMALIES_PER_CODE {
            list.push(anomaly);
        } else {
            *self.anomalies_dropped.entry(anomaly.code).or_default() += 1;
        }
    }

    /// The anomalies, sorted, with one line for those beyond the cap of each code.
    pub fn anomalies(&self) -> Vec<Anomaly> {
        let mut out: Vec<Anomaly> = Vec::new();
        for (code, list) in &self.anomalies {
            let mut list = list.clone();
            list.sort();
            out.extend(list);
            if let Some(more) = self.anomalies_dropped.get(code) {
                out.push(Anomaly {
                    code: code.clone(),
                    place: String::new(),
                    detail: format!("{more} more"),
                });
            }
        }
        out
    }

    /// The coverage, from the units counted and the gaps stated.
    pub fn coverage(&self) -> Coverage {
        let parts = self.tally.parts();
        let mut gaps: Vec<Gap> = Vec::new();
        for (key, list) in &self.gaps {
            gaps.extend(list.iter().cloned());
            if let Some(more) = self.gaps_dropped.get(key) {
                let (part, reason, material) = *key;
                let (detail, detail_en) = (format!("另有 {more} 处"), format!("{more} more"));
                gaps.push(Gap { part, place: String::new(), reason, detail, detail_en, material });
            }
        }
        gaps.sort_by(|a, b| b.material.cmp(&a.material).then_with(|| a.cmp(b)));
        let verdict = if self.opaque {
            Verdict::Opaque
        } else if gaps.iter().any(|gap| gap.material) {
            Verdict::Partial
        } else {
            Verdict::Full
        };
        let (total, read) = parts
            .iter()
            .filter(|p| !matches!(p.part, PartName::Native | PartName::Images | PartName::Other))
            .fold((0, 0), |(t, r), p| (t + p.total, r + p.read));
        let mut percent = (read * 100).checked_div(total).unwrap_or_default() as u8;
        if verdict != Verdict::Full {
            percent = percent.min(99);
        }
        Coverage { verdict, percent, parts, gaps }
    }
}

/// The path of an entry, or of a position in it, within a container at `outer`.
fn join(outer: &str, path: &str) -> String {
    let between = if path.is_empty() || path.starts_with(['@', '#']) { "" } else { "!" };
    format!("{outer}{between}{path}")
}
