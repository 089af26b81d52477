//! From an export to what the rules see: people numbered, texts masked, states observed, gaps stated.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::export::{Export, Form, Group, Message};
use super::field::Field;
use super::mask::Mask;
use super::{Input, Read, observe};
use crate::decode::date;
use crate::model::{
    GapReason, GroupRecord, Inspection, PartName, Place, Role, Screen, TargetKind, UiText, Usage,
    beijing_minute, described,
};

/// Characters kept in one text; a longer line becomes several.
const MAX_TEXT: usize = 4_096;
/// More people than a file of work groups names; beyond it names could not be masked in bounded memory.
const MAX_PEOPLE: usize = 20_000;

/// A message as it may be shown.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) line: u64,
    pub(super) time: Option<jiff::Timestamp>,
    /// Number of the member.
    pub(super) member: Option<usize>,
    pub(super) form: Form,
    /// Masked.
    pub(super) text: String,
}

/// A place in an export.
#[derive(Debug, Clone)]
pub(super) struct Places {
    path: Arc<str>,
    unit: (&'static str, &'static str),
}

impl Places {
    pub(super) fn line(&self, line: u64) -> Place {
        Place::entry(format!("{}#{line}", self.path))
    }

    /// `第 12 行 line 12`.
    pub(super) fn step(&self, line: u64) -> String {
        format!("第 {line} {} {} {line}", self.unit.0, self.unit.1)
    }

    /// `第 12 至 40 行 lines 12 to 40`.
    pub(super) fn steps(&self, from: u64, to: u64) -> String {
        format!("第 {from} 至 {to} {} {}s {from} to {to}", self.unit.0, self.unit.1)
    }
}

/// Numbers for people, in the order in which they first appear.
#[derive(Default)]
struct People<'e> {
    numbers: HashMap<&'e str, usize>,
    names: Vec<(&'e str, usize)>,
}

impl<'e> People<'e> {
    fn add(&mut self, name: &'e str, id: Option<&'e str>) -> usize {
        let next = self.numbers.len() + 1;
        let number = *self.numbers.entry(id.unwrap_or(name)).or_insert(next);
        // Somebody without an id in one place and with it in another is one person.
        self.numbers.entry(name).or_insert(number);
        self.names.push((name, number));
        if let Some(id) = id {
            self.names.push((id, number));
        }
        number
    }
}

/// One [`Read`] for each group.
pub(super) fn finish(input: &Input<'_>, kind: &'static str, mut export: Export) -> Vec<Read> {
    let places = Places { path: Arc::from(input.path), unit: export.unit };
    let mut known: HashSet<String> = HashSet::new();
    let mut keep =
        |name: &String| known.contains(name) || known.len() < MAX_PEOPLE && known.insert(name.clone());
    for group in &mut export.groups {
        let before = group.messages.len() + group.members.len();
        group.messages.retain(|message| message.sender.as_ref().is_none_or(&mut keep));
        group.members.retain(|(name, _)| keep(name));
        export.dropped += (before - group.messages.len() - group.members.len()) as u64;
    }
    let mut people = People::default();
    for group in &export.groups {
        for message in group.messages.iter().filter(|message| message.form != Form::System) {
            if let Some(name) = message.sender.as_deref() {
                people.add(name, message.id.as_deref());
            }
        }
    }
    for group in &export.groups {
        group.members.iter().for_each(|(name, id)| {
            people.add(name, id.as_deref());
        });
        if let Some((_, owner)) = group.get(Field::Owner) {
            owner
                .split(['、', ',', '，', ';', '；'])
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .for_each(|name| {
                    people.add(name, None);
                });
        }
    }
    let mask = Mask::new(people.names.iter().copied());
    let mut reads: Vec<Read> = Vec::new();
    let mut seen = Vec::new();
    for group in &export.groups {
        let mut draft = Draft {
            places: &places,
            mask: &mask,
            people: &people,
            inspection: Inspection::new(TargetKind::Group, kind),
            group: GroupRecord { rejected: export.rejected.clone(), ..GroupRecord::default() },
            pictures: 0,
            other: 0,
        };
        draft.record(group);
        seen.push(draft.messages(group));
        draft.unread(input, &export, group);
        reads.push(draft.finish());
    }
    observe::observe(&mut reads, &seen, &places);
    reads
}

struct Draft<'a> {
    places: &'a Places,
    mask: &'a Mask,
    people: &'a People<'a>,
    inspection: Inspection,
    group: GroupRecord,
    pictures: u64,
    other: u64,
}

impl Draft<'_> {
    /// The fields of the group.
    fn record(&mut self, group: &Group) {
        let filled = |field: Field| {
            let (_, value) = group.get(field)?;
            Some(self.mask.text(value)).filter(|value| !value.is_empty())
        };
        let record = GroupRecord {
            name: group.name.as_deref().map(|name| self.mask.text(name)),
            platform: filled(Field::Platform),
            unit: filled(Field::Unit),
            owner: filled(Field::Owner),
            notice: group.get(Field::Notice).map(|(_, notice)| self.mask.text(notice)),
            purpose: filled(Field::Purpose),
            sign: group.get(Field::Sign).map(|(_, sign)| self.mask.text(sign)),
            temporary: temporary(group),
            task_end: group.get(Field::TaskEnd).and_then(|(_, end)| Some(date::date_in(end)?.0)),
            member_count: group
                .get(Field::MemberCount)
                .and_then(|(_, count)| count.trim_end_matches(['人', '名']).trim().parse().ok())
                .or((!group.members.is_empty()).then_some(group.members.len() as u64)),
            ..std::mem::take(&mut self.group)
        };
        self.group = record;
        self.group.members =
            group.members.iter().map(|(name, id)| key(id.as_deref().unwrap_or(name))).collect();
        self.group.members.sort_unstable();
        self.group.members.dedup();
        if let Some(name) = self.group.name.clone() {
            let line = group.messages.first().map_or(1, |message| message.line);
            self.text(&name, Role::Title, line, &["群名称 group name"]);
        }
        let steps =
            [(Field::Notice, "群公告 notice"), (Field::Purpose, "用途 purpose"), (Field::Sign, "群标 sign")];
        for (field, step) in steps {
            if let Some((line, value)) = group.get(field) {
                let value = self.mask.text(value);
                self.text(&value, Role::Body, line, &[step]);
            }
        }
        for (line, text) in &group.rest {
            let text = self.mask.text(text);
            self.text(&text, Role::Body, *line, &["导出文件抬头 heading of the export"]);
        }
    }

    /// The messages, masked.
    fn messages(&mut self, group: &Group) -> Vec<Seen> {
        let seen: Vec<Seen> = group.messages.iter().map(|message| self.seen(message)).collect();
        for message in &seen {
            match message.form {
                Form::Picture | Form::Video => self.pictures += 1,
                Form::Other => self.other += 1,
                Form::Text | Form::System => {}
            }
            if message.form == Form::Text || message.form == Form::System || message.text.chars().count() > 8
            {
                let when = message.time.map(beijing_minute).unwrap_or_default();
                let who = message.member.map_or("系统 system".to_owned(), |number| format!("成员{number}"));
                let sent = format!("{when} {who}");
                self.text(&message.text, Role::Body, message.line, &[sent.trim()]);
            }
        }
        let group = &mut self.group;
        group.messages = seen.len() as u64;
        let senders: HashSet<usize> = seen.iter().filter_map(|message| message.member).collect();
        group.senders = senders.len() as u64;
        group.first = seen.iter().filter_map(|message| message.time).min();
        group.last = seen.iter().filter_map(|message| message.time).max();
        seen
    }

    fn seen(&self, message: &Message) -> Seen {
        let system = message.form == Form::System;
        let who = message.id.as_deref().or(message.sender.as_deref()).filter(|_| !system);
        Seen {
            line: message.line,
            time: message.time,
            member: who.and_then(|who| self.people.numbers.get(who)).copied(),
            form: message.form,
            text: if system { self.mask.system(&message.text) } else { self.mask.text(&message.text) },
        }
    }

    /// Adds a text, a line at a time, in pieces where it is very long.
    fn text(&mut self, text: &str, role: Role, line: u64, chain: &[&str]) {
        let place = self.places.line(line);
        let chain: Vec<String> = std::iter::once(self.places.step(line))
            .chain(chain.iter().map(|step| (*step).to_owned()))
            .collect();
        for piece in text.lines().flat_map(pieces).map(str::trim).filter(|piece| !piece.is_empty()) {
            let mut found = UiText::new(piece, role, place.clone());
            found.usage = Usage::Used;
            found.chain.clone_from(&chain);
            self.inspection.texts.push(found);
        }
    }

    /// States that messages were lost.
    fn lost(&mut self, code: &str, reason: GapReason, detail: String) {
        let whole = Place::entry(self.places.path.clone());
        self.inspection.gap(PartName::Text, &whole, reason, described(code, &detail));
        self.inspection.anomaly(code, &whole, detail);
    }

    /// What was not read, and what the export does not carry.
    fn unread(&mut self, input: &Input<'_>, export: &Export, group: &Group) {
        let whole = Place::entry(self.places.path.clone());
        // The unit is a message; what lost its bounds counts as one.
        let mut lost = export.rejected.len() as u64 + export.dropped;
        if input.decoded.malformed {
            let detail = format!("not {}", input.decoded.encoding);
            self.lost("group.malformed-text", GapReason::Malformed, detail);
            lost += 1;
        }
        for rejected in &export.rejected {
            let (line, unit) = (rejected.line, export.unit);
            let detail = (
                format!("第 {line} {}：{}", unit.0, rejected.reason),
                format!("{} {line}: {}", unit.1, rejected.reason_en),
            );
            self.inspection.gap(PartName::Text, &self.places.line(line), GapReason::Malformed, detail);
        }
        if let Some((zh, en)) = &export.cut_off {
            self.inspection.gap(PartName::Text, &whole, GapReason::Truncated, (zh.clone(), en.clone()));
            self.inspection.anomaly("group.cut-off", &whole, en.clone());
            lost += 1;
        }
        if export.dropped > 0 {
            let detail = format!("{} more", export.dropped);
            self.lost("group.too-many-messages", GapReason::LimitReached, detail);
        }
        if group.messages.is_empty() {
            let detail = ("没有读到任何消息", "no message was read");
            self.inspection.gap(PartName::Text, &whole, GapReason::Missing, detail);
        }
        self.inspection.count(PartName::Text, group.messages.len() as u64, lost);
        // Without these nothing can be said of the group sign, of the group rules, of how long it has been idle.
        let mut missing = |what: (&str, &str), then: (&str, &str)| {
            let detail = (
                format!("导出中没有{}，无法判断{}", what.0, then.0),
                format!("no {} in the export, so {} cannot be judged", what.1, then.1),
            );
            self.inspection.gap(PartName::Manifest, &whole, GapReason::Missing, detail);
        };
        if group.name.is_none() {
            missing(("群名称", "group name"), ("群标", "the group sign"));
        }
        if group.get(Field::Notice).is_none() {
            missing(("群公告", "notice"), ("群规", "the group rules"));
        }
        if !group.messages.is_empty() && group.messages.iter().all(|message| message.time.is_none()) {
            missing(("消息时间", "times of messages"), ("是否闲置", "whether the group is idle"));
        }
        if let Some((line, text)) = group.get(Field::TaskEnd)
            && !text.is_empty()
            && self.group.task_end.is_none()
        {
            let detail =
                ("任务结束日期无法识别".to_owned(), "an end of the task that makes no sense".to_owned());
            self.inspection.gap(PartName::Manifest, &self.places.line(line), GapReason::Malformed, detail);
        }
        if self.group.temporary == Some(true) && self.group.task_end.is_none() {
            let detail = (
                "临时群没有任务结束日期，无法判断任务结束后是否仍在使用",
                "a temporary group without the end of its task: whether it outlived it cannot be judged",
            );
            self.inspection.note(PartName::Manifest, &whole, GapReason::Missing, detail);
        }
        if group.members.is_empty() {
            let detail = (
                "导出中没有成员名单，无法判断是否与其他群重复",
                "no list of members in the export, so whether the group doubles another cannot be judged",
            );
            self.inspection.note(PartName::Manifest, &whole, GapReason::Missing, detail);
        }
    }

    fn finish(mut self) -> Read {
        let whole = Place::entry(self.places.path.clone());
        if self.pictures > 0 {
            self.inspection.count(PartName::Images, 0, self.pictures);
            let detail = (
                format!("图片、视频 {} 个，其中内容未识读", self.pictures),
                format!("{} pictures and videos, whose content is not read", self.pictures),
            );
            self.inspection.note(PartName::Images, &whole, GapReason::NotInspected, detail);
        }
        if self.other > 0 {
            self.inspection.count(PartName::Other, 0, self.other);
            let detail = (
                format!("语音、文件及卡片 {} 个，其中内容未识读", self.other),
                format!("{} voice messages, files and cards, whose content is not read", self.other),
            );
            self.inspection.note(PartName::Other, &whole, GapReason::NotInspected, detail);
        }
        self.inspection.identity.name = self.group.name.clone();
        let name = self.group.name.clone().unwrap_or_else(|| "未命名的群 group without a name".to_owned());
        let screen = Screen { title: Some(name.clone()), name, reachable: true };
        for text in &mut self.inspection.texts {
            text.screen = Some(screen.clone());
        }
        Read { inspection: self.inspection, group: self.group }
    }
}

/// Whether it was made for one task alone: as recorded, or as its name says.
fn temporary(group: &Group) -> Option<bool> {
    let recorded = group.get(Field::Temporary).map(|(_, value)| value.to_lowercase());
    let recorded = recorded.and_then(|value| match value.as_str() {
        "是" | "true" | "1" | "yes" | "y" => Some(true),
        "否" | "false" | "0" | "no" | "n" => Some(false),
        value if value.contains("临时") || value.contains("专班") => Some(true),
        value if value.contains("长期") || value.contains("常设") || value.contains("固定") => {
            Some(false)
        }
        _ => None,
    });
    let named = group.name.as_deref().is_some_and(|name| name.contains("临时") || name.contains("专班"));
    recorded.or(named.then_some(true))
}

/// The first 64 bits of the SHA-256 of a name or an id.
fn key(name: &str) -> u64 {
    let digest = Sha256::digest(name.trim().as_bytes());
    digest.iter().take(8).fold(0, |key, byte| key << 8 | u64::from(*byte))
}

fn pieces(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.char_indices().nth(MAX_TEXT).map_or(rest.len(), |(at, _)| {
            // A sentence is not torn apart.
            let mut ends = rest[..at].rmatch_indices(['。', '！', '？', '；']);
            ends.next().map_or(at, |(end, mark)| end + mark.len())
        });
        let (piece, behind) = rest.split_at(end);
        rest = behind;
        Some(piece)
    })
}
