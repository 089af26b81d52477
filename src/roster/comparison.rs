//! Filing comparison (备案数据比对): the roster against a filing list and against what the crawler saw. Only apps, mini
//! programs and quick apps are filed.
//!
//! A row of the list is about a target when their ids are the same, or their names and owners; names and owners are
//! compared without widths, spaces and marks. Where names agree and an owner or the ids cannot bear it out, the match
//! is by name only, and a person has to look.

use std::collections::{BTreeSet, HashMap};

use serde::Serialize;

use super::compare::bare;
use super::filing::{Filed, FilingList, FilingState};
use super::list::{Roster, Row, numbered};
use crate::model::{Report, RosterEntry, RosterStatus, Scope, TargetKind, Wording};

/// What the comparison says of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// 编号不符: the list has the number for another app, or another number for this app.
    NotItsNumber,
    /// 关停后仍在线: closed by the roster or by the list, and still online or in use.
    ClosedOnline,
    /// 未备案: no valid filing in the list.
    NotFiled,
    /// 名录外: the crawler found it, and neither roster nor list has it.
    Unknown,
    /// 未入名录: in the list and not in the roster.
    NotInRoster,
    /// 已备案.
    Filed,
}

impl Outcome {
    /// Every outcome, the gravest first.
    pub const ALL: [Outcome; 6] = [
        Outcome::NotItsNumber,
        Outcome::ClosedOnline,
        Outcome::NotFiled,
        Outcome::Unknown,
        Outcome::NotInRoster,
        Outcome::Filed,
    ];

    /// The Chinese word used in reports.
    pub fn zh(self) -> &'static str {
        match self {
            Outcome::NotItsNumber => "编号不符",
            Outcome::ClosedOnline => "关停后仍在线",
            Outcome::NotFiled => "未备案",
            Outcome::Unknown => "名录、清单均无",
            Outcome::NotInRoster => "已备案未入名录",
            Outcome::Filed => "已备案",
        }
    }

    /// The English word used in reports.
    pub fn en(self) -> &'static str {
        match self {
            Outcome::NotItsNumber => "not its number",
            Outcome::ClosedOnline => "closed, still online",
            Outcome::NotFiled => "not filed",
            Outcome::Unknown => "in neither",
            Outcome::NotInRoster => "not in the roster",
            Outcome::Filed => "filed",
        }
    }
}

/// How sure a match is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// By the id, or by name and owner.
    Certain,
    /// By the number alone: nothing else can be compared.
    NumberOnly,
    /// By the name alone: a person has to look.
    NameOnly,
}

/// A target that the crawler saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seen {
    /// Where: the path or address that was scanned.
    pub source: String,
    /// What it is.
    pub kind: TargetKind,
    /// Package name or AppID.
    pub id: Option<String>,
    /// Name shown to users.
    pub name: Option<String>,
    /// Who runs it, as far as it says.
    pub owner: Option<String>,
    /// Whether it was had from the web; a file on disk does not say that anything is still online.
    pub online: bool,
}

impl Seen {
    /// What a report says of its target. What the roster says of it is no sight of it.
    pub fn of(report: &Report) -> Self {
        let listing = report.listing.as_ref();
        let principal = report.page.as_ref().and_then(|page| page.account.principal.clone());
        let listed =
            listing.and_then(|listing| listing.operator.clone().or_else(|| listing.developer.clone()));
        let source = report.target.source.clone();
        let web = ["http://", "https://", "weixin-api:"].iter().any(|scheme| source.starts_with(scheme));
        Seen {
            kind: report.target.kind,
            id: report.identity.id.clone(),
            name: report.identity.name.clone(),
            owner: principal.or(listed),
            online: web || listing.is_some(),
            source,
        }
    }
}

/// What the comparison says of one target, and what it rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// What it says.
    pub outcome: Outcome,
    /// How sure the match is that it rests on.
    pub certainty: Certainty,
    /// Name, or id where there is no name.
    pub name: String,
    /// Line of the roster.
    pub roster: Option<u64>,
    /// Line of the filing list.
    pub list: Option<u64>,
    /// Where the crawler saw it.
    pub seen: Option<String>,
    /// Why.
    pub reason: String,
    /// `reason` in English.
    pub reason_en: String,
}

/// What a target is told by.
#[derive(Clone, Copy)]
struct Traits<'a> {
    kind: Option<TargetKind>,
    id: Option<&'a str>,
    name: Option<&'a str>,
    owner: Option<&'a str>,
}

impl<'a> Traits<'a> {
    fn entry(entry: &'a RosterEntry) -> Self {
        let RosterEntry { kind, id, name, owner, .. } = entry;
        Traits { kind: Some(*kind), id: id.as_deref(), name: name.as_deref(), owner: owner.as_deref() }
    }

    fn filed(filed: &'a Filed) -> Self {
        let Filed { kind, id, name, owner, .. } = filed;
        Traits { kind: *kind, id: id.as_deref(), name: name.as_deref(), owner: owner.as_deref() }
    }

    fn seen(seen: &'a Seen) -> Self {
        let Seen { kind, id, name, owner, .. } = seen;
        Traits { kind: Some(*kind), id: id.as_deref(), name: name.as_deref(), owner: owner.as_deref() }
    }

    /// Whether two mean one target, and how sure that is.
    fn same(self, other: Self) -> Option<Certainty> {
        let agree = |a: Option<&str>, b: Option<&str>| Some(bare(a?) == bare(b?));
        let ids = self.id.zip(other.id).map(|(a, b)| a == b);
        match (ids, agree(self.name, other.name), agree(self.owner, other.owner)) {
            (Some(true), ..) => Some(Certainty::Certain),
            // An app and a mini program of one name are two.
            _ if self.kind.zip(other.kind).is_some_and(|(a, b)| a != b) => None,
            (_, Some(true), Some(false)) | (_, Some(false) | None, _) => None,
            (None, Some(true), Some(true)) => Some(Certainty::Certain),
            // One app has different ids on different systems; two owners may have an app of one name.
            (_, Some(true), _) if ids.is_none() || self.owner.is_some() && other.owner.is_some() => {
                Some(Certainty::NameOnly)
            }
            _ => None,
        }
    }

    /// Whether there is anything by which the two could be told apart.
    fn can_be_compared(self, other: Self) -> bool {
        self.id.is_some() && other.id.is_some() || self.name.is_some() && other.name.is_some()
    }
}

/// Finds targets by id and by name.
struct Index<'a> {
    traits: Vec<Traits<'a>>,
    ids: HashMap<&'a str, Vec<usize>>,
    names: HashMap<String, Vec<usize>>,
}

impl<'a> Index<'a> {
    fn new(traits: impl Iterator<Item = Traits<'a>>) -> Self {
        let mut index = Index { traits: traits.collect(), ids: HashMap::new(), names: HashMap::new() };
        for (at, traits) in index.traits.iter().enumerate() {
            if let Some(id) = traits.id {
                index.ids.entry(id).or_default().push(at);
            }
            if let Some(name) = traits.name {
                index.names.entry(bare(name)).or_default().push(at);
            }
        }
        index
    }

    /// Those that mean the same target, the surest first.
    fn find(&self, traits: Traits<'_>) -> Vec<(Certainty, usize)> {
        let by_id = traits.id.and_then(|id| self.ids.get(id)).into_iter().flatten();
        let by_name = traits.name.and_then(|name| self.names.get(&bare(name))).into_iter().flatten();
        let candidates: BTreeSet<usize> = by_id.chain(by_name).copied().collect();
        let same = |at: usize| Some((traits.same(*self.traits.get(at)?)?, at));
        let mut found: Vec<(Certainty, usize)> = candidates.into_iter().filter_map(same).collect();
        found.sort_unstable();
        found
    }
}

/// Compares roster, filing list and what was seen. Every app of the roster has a row, and every row of the list and
/// everything seen that has no place in the roster; gravest first, then in the order of the files.
pub fn compare_filings(roster: &Roster, list: &FilingList, seen: &[Seen]) -> Vec<Compared> {
    let rows: Vec<&Row> = roster.rows.iter().filter(|row| row.entry.kind.scope() == Scope::App).collect();
    let seen: Vec<&Seen> = seen.iter().filter(|seen| seen.kind.scope() == Scope::App).collect();
    let of_list = Index::new(list.rows.iter().map(Traits::filed));
    let of_roster = Index::new(rows.iter().map(|row| Traits::entry(&row.entry)));
    let of_seen = Index::new(seen.iter().map(|seen| Traits::seen(seen)));
    let mut numbers: HashMap<String, Vec<&Filed>> = HashMap::new();
    for filed in &list.rows {
        numbers.entry(numbered(&filed.number)).or_default().push(filed);
    }
    // The best sight of a target: online before on disk.
    let sight = |traits: Traits<'_>| {
        let found =
            of_seen.find(traits).into_iter().filter_map(|(certainty, at)| Some((certainty, *seen.get(at)?)));
        found.min_by_key(|(certainty, seen)| (!seen.online, *certainty))
    };
    let owns: Vec<Vec<(Certainty, &Filed)>> = rows
        .iter()
        .map(|row| {
            let found = of_list.find(Traits::entry(&row.entry)).into_iter();
            found.filter_map(|(certainty, at)| Some((certainty, list.rows.get(at)?))).collect()
        })
        .collect();
    let mut claims: HashMap<u64, usize> = HashMap::new();
    owns.iter().flatten().for_each(|(_, filed)| *claims.entry(filed.line).or_default() += 1);
    let mut compared = Vec::new();
    let mut taken = BTreeSet::new();
    for (row, mut own) in rows.iter().zip(owns) {
        let traits = Traits::entry(&row.entry);
        taken.extend(own.iter().map(|(_, filed)| filed.line));
        for (certainty, filed) in &mut own {
            // One filing is not that of two apps, whatever their names.
            let by_id = traits.id.is_some() && traits.id == filed.id.as_deref();
            if !by_id && claims.get(&filed.line).is_some_and(|claims| *claims > 1) {
                *certainty = Certainty::NameOnly;
            }
        }
        let number = row.entry.filing.as_deref();
        let under = number.and_then(|number| numbers.get(&numbered(number))).map_or(&[][..], Vec::as_slice);
        let (judged, filed) = Found { own: &own, number, under, sight: sight(traits) }.judge(row);
        taken.extend(filed.filter(|_| judged.outcome != Outcome::NotItsNumber).map(|filed| filed.line));
        compared.push(judged);
    }
    for filed in list.rows.iter().filter(|filed| !taken.contains(&filed.line)) {
        compared.push(not_in_roster(filed, sight(Traits::filed(filed))));
    }
    for seen in &seen {
        let traits = Traits::seen(seen);
        if !of_roster.find(traits).is_empty() || !of_list.find(traits).is_empty() {
            continue;
        }
        // Another id or kind under a name that is known may be the same app on another system.
        let name = traits.name.map(bare).unwrap_or_default();
        let first = |index: &Index<'_>| index.names.get(&name).and_then(|found| found.first().copied());
        let namesake = first(&of_roster).and_then(|at| rows.get(at)).map(|row| row.line);
        let filed = first(&of_list).and_then(|at| list.rows.get(at)).map(|filed| filed.line);
        let (certainty, words) = match (namesake, filed) {
            (None, None) => (
                Certainty::Certain,
                ("检测时发现，名录和备案清单中都没有", "seen by the crawler, and in neither roster nor list"),
            ),
            _ => (
                Certainty::NameOnly,
                (
                    "检测时发现，另有同名对象，标识、类型或主办单位不同",
                    "seen by the crawler; one of that name has another id, kind or owner",
                ),
            ),
        };
        let mut one = Compared::new(Outcome::Unknown, certainty, traits, words.into());
        (one.roster, one.list) = (namesake, filed);
        one.seen = Some(seen.source.clone());
        compared.push(one);
    }
    compared.sort_by_key(|one| (one.outcome, one.roster.unwrap_or(u64::MAX), one.list));
    compared
}

impl Compared {
    fn new(outcome: Outcome, certainty: Certainty, traits: Traits<'_>, words: Wording) -> Self {
        let name = traits.name.or(traits.id).unwrap_or_default().to_owned();
        let Wording { zh: reason, en: reason_en } = words;
        Compared { outcome, certainty, name, roster: None, list: None, seen: None, reason, reason_en }
    }
}

fn state(state: FilingState) -> (&'static str, &'static str) {
    match state {
        FilingState::Valid => ("有效", "valid"),
        FilingState::Cancelled => ("已注销", "cancelled"),
        FilingState::Revoked => ("已撤销", "revoked"),
    }
}

fn not_in_roster(filed: &Filed, sight: Option<(Certainty, &Seen)>) -> Compared {
    let online = sight.filter(|(_, seen)| seen.online);
    let (zh, en) = state(filed.state);
    let number = &filed.number;
    let (outcome, words): (Outcome, Wording) = match (filed.state, online) {
        (FilingState::Valid, _) | (_, None) => (
            Outcome::NotInRoster,
            (
                format!("清单中的 {number}（{zh}），名录中没有"),
                format!("{number} ({en}) is not in the roster"),
            )
                .into(),
        ),
        (_, Some(_)) => (
            Outcome::ClosedOnline,
            (
                format!("备案 {number} {zh}，名录中没有，检测时仍在线"),
                format!("the filing {number} is {en}, it is not in the roster, and it was seen online"),
            )
                .into(),
        ),
    };
    let certainty = match outcome {
        Outcome::ClosedOnline => online.map_or(Certainty::Certain, |(certainty, _)| certainty),
        _ => Certainty::Certain,
    };
    let mut one = Compared::new(outcome, certainty, Traits::filed(filed), words);
    one.list = Some(filed.line);
    one.seen = sight.map(|(_, seen)| seen.source.clone());
    one
}

/// What there is about one row of the roster.
struct Found<'a> {
    /// Rows of the list that are about it, the surest first.
    own: &'a [(Certainty, &'a Filed)],
    /// The number that the roster has.
    number: Option<&'a str>,
    /// Rows of the list with that number.
    under: &'a [&'a Filed],
    sight: Option<(Certainty, &'a Seen)>,
}

impl<'a> Found<'a> {
    fn judge(&self, row: &Row) -> (Compared, Option<&'a Filed>) {
        let traits = Traits::entry(&row.entry);
        let (outcome, certainty, words, filed) = self.filing(row, traits);
        let mut one = Compared::new(outcome, certainty, traits, words);
        one.roster = Some(row.line);
        one.list = filed.map(|filed| filed.line);
        one.seen = self.sight.map(|(_, seen)| seen.source.clone());
        (one, filed)
    }

    fn filing(&self, row: &Row, traits: Traits<'_>) -> (Outcome, Certainty, Wording, Option<&'a Filed>) {
        let number = self.number.unwrap_or_default();
        let same_number = |filed: &Filed| !number.is_empty() && numbered(&filed.number) == numbered(number);
        let of_number = self.own.iter().find(|(_, filed)| same_number(filed));
        // Valid filings count before others.
        let own = of_number.or_else(|| self.own.iter().find(|(_, filed)| filed.state == FilingState::Valid));
        let own = own.or(self.own.first()).copied();
        let blind = self.under.iter().find(|filed| !traits.can_be_compared(Traits::filed(filed)));
        let (certainty, filed) = match (own, blind, self.under.first()) {
            (Some(own), ..) if number.is_empty() || same_number(own.1) => own,
            (None, Some(filed), _) => (Certainty::NumberOnly, *filed),
            (own, _, Some(other)) => {
                let whose = other.name.as_deref().or(other.id.as_deref()).unwrap_or_default();
                let owner = other.owner.as_deref();
                let mut words = Wording {
                    zh: format!(
                        "清单中 {number} 属于{whose}{}",
                        owner.map(|owner| format!("（{owner}）")).unwrap_or_default()
                    ),
                    en: format!(
                        "in the list {number} is that of {whose}{}",
                        owner.map(|owner| format!(" ({owner})")).unwrap_or_default()
                    ),
                };
                if let Some((_, own)) = own {
                    words.zh.push_str(&format!("，该应用的编号是 {}（第 {} 行）", own.number, own.line));
                    words.en.push_str(&format!("; its own is {} (line {})", own.number, own.line));
                }
                return (Outcome::NotItsNumber, Certainty::Certain, words, Some(other));
            }
            (Some((certainty, filed)), _, None) => {
                let words = (
                    format!("名录填写 {number}，清单中该应用的编号是 {}", filed.number),
                    format!("the roster has {number}, the list {} for it", filed.number),
                );
                return (Outcome::NotItsNumber, certainty, words.into(), Some(filed));
            }
            (None, _, None) => return self.unfiled(row),
        };
        let online = self.sight.filter(|(_, seen)| seen.online).map(|(certainty, _)| certainty);
        let closed = row.entry.status == Some(RosterStatus::Closed);
        let number = &filed.number;
        let (zh, en) = state(filed.state);
        let (outcome, words): (Outcome, Wording) = match (filed.state, closed, online) {
            (_, true, Some(_)) => (
                Outcome::ClosedOnline,
                ("名录状态为已关停，检测时仍在线", "the roster says closed, and it was seen online").into(),
            ),
            (FilingState::Valid, ..) if self.number.is_none() => (
                Outcome::Filed,
                (
                    format!("清单中为 {number}，名录未填编号"),
                    format!("{number} in the list, no number in the roster"),
                )
                    .into(),
            ),
            (FilingState::Valid, ..) => (Outcome::Filed, (number.clone(), number.clone()).into()),
            (_, false, Some(_)) => (
                Outcome::ClosedOnline,
                (
                    format!("备案 {number} {zh}，检测时仍在线"),
                    format!("the filing {number} is {en}, and it was seen online"),
                )
                    .into(),
            ),
            (_, false, None) if row.entry.status == Some(RosterStatus::InUse) => (
                Outcome::ClosedOnline,
                (
                    format!("备案 {number} {zh}，名录状态仍为在用"),
                    format!("the filing {number} is {en}, and the roster says in use"),
                )
                    .into(),
            ),
            _ => (
                Outcome::NotFiled,
                (
                    format!("备案 {number} {zh}，未见仍在线"),
                    format!("the filing {number} is {en}; it was not seen online"),
                )
                    .into(),
            ),
        };
        let certainty = match outcome {
            Outcome::ClosedOnline => certainty.max(online.unwrap_or(certainty)),
            _ => certainty,
        };
        (outcome, certainty, words, Some(filed))
    }

    /// Neither the list nor its numbers know it.
    fn unfiled(&self, row: &Row) -> (Outcome, Certainty, Wording, Option<&'a Filed>) {
        let closed = row.entry.status == Some(RosterStatus::Closed);
        if closed && let Some((certainty, _)) = self.sight.filter(|(_, seen)| seen.online) {
            let words = ("名录状态为已关停，检测时仍在线", "the roster says closed, and it was seen online");
            return (Outcome::ClosedOnline, certainty, words.into(), None);
        }
        let words: Wording = match self.number {
            Some(number) => {
                (format!("清单中没有 {number}"), format!("the list does not have {number}")).into()
            }
            None if closed => {
                ("名录状态为已关停，清单中没有", "the roster says closed; not in the list").into()
            }
            None => ("清单中没有，名录未填编号", "not in the list, no number in the roster").into(),
        };
        (Outcome::NotFiled, Certainty::Certain, words, None)
    }
}
