//! What a kind of export hands over: groups with their messages as they stand, names and all. It never leaves this
//! room; [`super::draft`] masks it.

use std::collections::HashMap;

use jiff::Timestamp;

use super::field::Field;
use crate::decode::date;
use crate::model::Rejected;

/// More messages than groups of people write.
const MAX_MESSAGES: usize = 500_000;
/// More groups than one export is of.
const MAX_GROUPS: usize = 500;
/// No name is longer, in characters.
pub(super) const MAX_NAME: usize = 64;

/// What a message consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Picture,
    Video,
    /// Sound, files, cards: not read.
    Other,
    /// Written by the platform: who came, who left.
    System,
}

/// A message.
#[derive(Debug)]
pub(super) struct Message {
    /// Line or position, from 1.
    pub(super) line: u64,
    pub(super) time: Option<Timestamp>,
    pub(super) sender: Option<String>,
    pub(super) id: Option<String>,
    pub(super) form: Form,
    pub(super) text: String,
}

/// A group.
#[derive(Debug, Default)]
pub(super) struct Group {
    pub(super) name: Option<String>,
    /// Fields of the group with the line each was first filled at; present but empty where the export has the field
    /// and nothing is in it.
    pub(super) fields: Vec<(Field, u64, String)>,
    /// Name, and id where there is one.
    pub(super) members: Vec<(String, Option<String>)>,
    pub(super) messages: Vec<Message>,
    /// What else stands in the heading, with its line.
    pub(super) rest: Vec<(u64, String)>,
}

impl Group {
    /// A field of the group, with its line.
    pub(super) fn get(&self, wanted: Field) -> Option<(u64, &str)> {
        let mut found = self.fields.iter().filter(|(field, _, _)| *field == wanted);
        found.next().map(|(_, line, value)| (*line, value.as_str()))
    }

    /// Fills a field that is not filled yet.
    pub(super) fn set(&mut self, field: Field, line: u64, value: &str) {
        let value = value.trim();
        if field == Field::Members && !value.is_empty() && value.parse::<u64>().is_err() {
            let names = value.split(['、', ',', '，', ';', '；', '|', '\n']).map(str::trim);
            self.members.extend(names.filter(|name| !name.is_empty()).map(|name| (name.to_owned(), None)));
            return;
        }
        let field = if field == Field::Members { Field::MemberCount } else { field };
        match self.fields.iter_mut().find(|(known, _, _)| *known == field) {
            Some((_, at, known)) if known.is_empty() => (*at, *known) = (line, value.to_owned()),
            Some(_) => {}
            None => self.fields.push((field, line, value.to_owned())),
        }
    }
}

/// An export.
#[derive(Debug)]
pub(super) struct Export {
    /// What its lines are: lines, or messages of JSON.
    pub(super) unit: (&'static str, &'static str),
    pub(super) groups: Vec<Group>,
    pub(super) rejected: Vec<Rejected>,
    /// Messages beyond the limits.
    pub(super) dropped: u64,
    /// Where the export ended before its structure did.
    pub(super) cut_off: Option<(String, String)>,
    names: HashMap<Option<String>, usize>,
    messages: usize,
}

impl Export {
    pub(super) fn new(unit: (&'static str, &'static str)) -> Self {
        Export {
            unit,
            groups: Vec::new(),
            rejected: Vec::new(),
            dropped: 0,
            cut_off: None,
            names: HashMap::new(),
            messages: 0,
        }
    }

    /// The group of a name; a new one if there is none yet, as far as the limit allows.
    pub(super) fn group(&mut self, name: Option<&str>) -> Option<&mut Group> {
        let name = name.map(|name| name.split_whitespace().collect::<Vec<_>>().join(" "));
        let name = name.filter(|name| !name.is_empty());
        let at = match self.names.get(&name) {
            Some(at) => *at,
            None if self.groups.len() >= MAX_GROUPS => return None,
            None => {
                self.groups.push(Group { name: name.clone(), ..Group::default() });
                self.names.insert(name, self.groups.len() - 1);
                self.groups.len() - 1
            }
        };
        self.groups.get_mut(at)
    }

    pub(super) fn reject(&mut self, line: u64, zh: impl Into<String>, en: impl Into<String>) {
        self.rejected.push(Rejected { line, reason: zh.into(), reason_en: en.into() });
    }

    /// Adds a row or an object: fields of its message, and of its group where it repeats them. `group` is the group
    /// that it belongs to where the row does not say.
    pub(super) fn row(&mut self, line: u64, group: Option<&str>, cells: &[(Field, String)]) {
        let get = |wanted: Field| {
            let mut found = cells.iter().filter(|(field, cell)| *field == wanted && !cell.trim().is_empty());
            found.next().map(|(_, cell)| cell.trim())
        };
        let (sender, id) = (get(Field::Sender).or(get(Field::SenderId)), get(Field::SenderId));
        let content = get(Field::Content);
        let of_group = cells.iter().filter(|(field, _)| field.is_of_group() && *field != Field::Group);
        if sender.is_none()
            && content.is_none()
            && get(Field::Form).is_none()
            && of_group.clone().all(|(_, c)| c.is_empty())
        {
            return self.reject(line, "没有发送人，也没有内容", "neither sender nor content");
        }
        if [sender, id].into_iter().flatten().any(|name| name.chars().count() > MAX_NAME) {
            return self.reject(line, "发送人名称过长", "the name of the sender is too long");
        }
        let mut times = cells.iter().filter(|(field, cell)| *field == Field::Time && !cell.trim().is_empty());
        let time = times.clone().find_map(|(_, cell)| date::any(cell));
        if let (None, Some((_, cell))) = (time, times.next()) {
            let shown: String = cell.chars().filter(|ch| !ch.is_control()).take(32).collect();
            self.reject(
                line,
                format!("时间无法识别：{shown}"),
                format!("a time that makes no sense: {shown}"),
            );
        }
        let (form, text) =
            (form(get(Field::Form), content.unwrap_or_default(), sender), content.unwrap_or_default());
        if self.messages >= MAX_MESSAGES {
            self.dropped += 1;
            return;
        }
        let message = (sender.is_some() || content.is_some()).then(|| Message {
            line,
            time,
            sender: sender.map(str::to_owned),
            id: id.map(str::to_owned),
            form,
            text: text.to_owned(),
        });
        let name = get(Field::Group).or(group);
        let Some(group) = self.group(name) else {
            self.dropped += 1;
            return;
        };
        of_group.for_each(|(field, cell)| group.set(*field, line, cell));
        if let Some(message) = message {
            group.messages.push(message);
            self.messages += 1;
        }
    }
}

/// What a message consists of, by its type and by what stands for it in its text.
pub(super) fn form(kind: Option<&str>, text: &str, sender: Option<&str>) -> Form {
    let kind = kind.unwrap_or_default().trim().to_ascii_lowercase();
    let is = |words: &[&str]| words.iter().any(|word| kind.contains(word));
    if matches!(kind.as_str(), "10000" | "10002") || is(&["系统", "system", "revoke", "撤回"]) {
        return Form::System;
    }
    if matches!(sender, Some("系统消息" | "系统" | "system" | "SYSTEM")) {
        return Form::System;
    }
    if kind == "3" || is(&["图片", "照片", "image", "picture", "photo"]) {
        return Form::Picture;
    }
    if kind == "43" || is(&["视频", "video"]) {
        return Form::Video;
    }
    let text = text.trim();
    let placeholder =
        text.strip_prefix(['[', '【']).and_then(|text| text.split([']', '】']).next()).unwrap_or_default();
    let whole = placeholder.chars().count() + 2 >= text.chars().count();
    let word = placeholder.to_lowercase();
    match word.as_str() {
        "图片" | "照片" | "image" | "photo" | "picture" | "闪照" if whole => Form::Picture,
        "视频" | "小视频" | "video" if whole => Form::Video,
        _ => {
            let other = [
                "语音",
                "文件",
                "链接",
                "小程序",
                "位置",
                "名片",
                "动画表情",
                "音乐",
                "聊天记录",
                "红包",
                "转账",
                "file",
                "voice",
                "link",
                "location",
                "sticker",
            ];
            let named = other.contains(&word.as_str());
            // What is written behind `[文件]` or `[链接]` is its name: that is read.
            if named && whole || text.is_empty() { Form::Other } else { Form::Text }
        }
    }
}
