//! Messages as JSON, as backup programs and the message archive of 企业微信 write them: an object of a group with a
//! list of messages, a list of such objects, a list of messages, or one message a line.

use serde_json::{Map, Value};

use super::export::Export;
use super::field::{Field, field};
use super::{Input, Kind};
use crate::decode::json::MAX_BYTES;

pub(super) const KIND: Kind =
    Kind {
        name: "json", title: ("群消息数据（JSON）", "data of group messages (JSON)"), matches, read
    };

const MESSAGES: [&str; 9] =
    ["messages", "消息", "消息列表", "聊天记录", "records", "msgs", "message_list", "data", "list"];
const GROUPS: [&str; 5] = ["groups", "群组", "群列表", "chatrooms", "rooms"];
/// Objects that describe the group of the messages beside them.
const ABOUT: [&str; 8] = ["group", "群信息", "session", "chatinfo", "chatroom", "info", "meta", "room"];

fn matches(input: &Input<'_>) -> bool {
    let text = input.text().trim_start();
    if !text.starts_with(['{', '[']) || text.starts_with("[20") {
        return false;
    }
    let head: String = text.chars().take(16_384).collect();
    // `"` that is escaped is inside of a value.
    let head = head.replace("\\\"", "");
    let keys: Vec<Field> = head
        .split('"')
        .skip(1)
        .zip(head.split('"').skip(2))
        .filter(|(_, behind)| behind.trim_start().starts_with(':'))
        .filter_map(|(key, _)| field(key))
        .collect();
    let has = |wanted: Field| keys.contains(&wanted);
    let of_group = has(Field::Group) || has(Field::Notice) || head.contains("\"群");
    has(Field::Content)
        && (has(Field::Sender) || has(Field::SenderId))
        && (of_group || head.contains("\"messages\"") || head.contains("\"sender") || head.contains("\"发送"))
}

fn read(input: &Input<'_>) -> Export {
    let mut export = Export::new(("条", "message"));
    let text = input.text().trim_start();
    if text.len() > MAX_BYTES {
        export.cut_off = Some((
            format!("JSON 文件超过 {} MB，未读", MAX_BYTES >> 20),
            format!("a JSON file of more than {} MB is not read", MAX_BYTES >> 20),
        ));
        return export;
    }
    let mut reader = Reader { export, line: 0 };
    match serde_json::from_str::<Value>(text) {
        Ok(value) => reader.top(&value),
        Err(error) => reader.lines(text, &error),
    }
    if reader.export.groups.is_empty() {
        reader.export.group(None);
    }
    reader.export
}

struct Reader {
    export: Export,
    line: u64,
}

impl Reader {
    /// One object a line; if there is not one, it is one damaged document.
    fn lines(&mut self, text: &str, error: &serde_json::Error) {
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let whole = lines.next().is_some_and(|line| serde_json::from_str::<Map<String, Value>>(line).is_ok());
        if !whole {
            let detail = error.to_string();
            // What stands before the fault is read as far as whole objects go.
            self.salvage(text);
            self.export.cut_off =
                Some((format!("不是合规的 JSON（{detail}）"), format!("no valid JSON ({detail})")));
            return;
        }
        for line in text.lines().map(str::trim) {
            self.line += 1;
            match serde_json::from_str::<Map<String, Value>>(line) {
                _ if line.is_empty() => {}
                Ok(object) => self.message(&object, None),
                Err(error) => self.export.reject(self.line, "不是合规的 JSON", error.to_string()),
            }
        }
    }

    /// Reads the objects of a list that is cut off, as far as they are whole.
    fn salvage(&mut self, text: &str) {
        let Some(at) = text.find('[') else { return };
        let mut rest = &text[at..];
        while let Some(start) = rest.find('{') {
            let mut stream = serde_json::Deserializer::from_str(&rest[start..]).into_iter::<Value>();
            match stream.next() {
                Some(Ok(value)) => {
                    let end = start + stream.byte_offset();
                    self.one(&value, None);
                    rest = rest.get(end..).unwrap_or_default();
                }
                _ => return,
            }
        }
    }

    fn top(&mut self, value: &Value) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| self.one(value, None)),
            Value::Object(object) => {
                let groups = GROUPS.iter().find_map(|name| object.get(*name)?.as_array());
                match groups {
                    Some(groups) => groups.iter().for_each(|value| self.one(value, None)),
                    None => self.one(value, None),
                }
            }
            _ => self.export.reject(1, "不是一条记录", "not an object"),
        }
    }

    /// A group, or a message.
    fn one(&mut self, value: &Value, group: Option<&str>) {
        let Value::Object(object) = value else {
            self.line += 1;
            return self.export.reject(self.line, "不是一条记录", "not an object");
        };
        let messages = MESSAGES.iter().find_map(|name| object.get(*name)?.as_array());
        let Some(messages) = messages else {
            self.line += 1;
            return self.message(object, group);
        };
        let about = self.about(object);
        let name = about.iter().find(|(field, _)| *field == Field::Group).map(|(_, name)| name.clone());
        let (line, name) = (self.line + 1, name.as_deref().or(group));
        let Some(found) = self.export.group(name) else {
            self.export.dropped += messages.len() as u64;
            return;
        };
        about
            .iter()
            .filter(|(field, _)| *field != Field::Group)
            .for_each(|(field, text)| found.set(*field, line, text));
        for value in
            object.iter().filter(|(key, _)| field(key) == Some(Field::Members)).map(|(_, value)| value)
        {
            found.members.extend(value.as_array().into_iter().flatten().filter_map(member));
        }
        for value in messages {
            self.line += 1;
            match value {
                Value::Object(object) => self.message(object, name),
                _ => self.export.reject(self.line, "不是一条记录", "not an object"),
            }
        }
    }

    /// What an object says of its group, itself and in an object of its own.
    fn about(&self, object: &Map<String, Value>) -> Vec<(Field, String)> {
        let (mut found, mut generic) = (Vec::new(), Vec::new());
        let inner = object.iter().filter(|(key, _)| ABOUT.contains(&key.to_lowercase().as_str()));
        let inner = inner.filter_map(|(_, value)| value.as_object());
        for (key, value) in std::iter::once(object).chain(inner).flatten() {
            let Some(text) = scalar(value) else { continue };
            match field(key).filter(|field| field.is_of_group()) {
                Some(field) => found.push((field, text)),
                None if ["name", "名称", "title", "displayname"].contains(&key.to_lowercase().as_str()) => {
                    generic.push((Field::Group, text));
                }
                None => {}
            }
        }
        found.append(&mut generic);
        found
    }

    fn message(&mut self, object: &Map<String, Value>, group: Option<&str>) {
        let mut cells = Vec::new();
        for (key, value) in object {
            let Some(field) = field(key) else { continue };
            match value {
                Value::Object(inner) => {
                    let names: &[&str] = match field {
                        Field::Sender => &["name", "nickname", "displayName", "groupCard", "nick", "remark"],
                        Field::Content => &["text", "content", "title", "内容"],
                        Field::Group => &["name", "名称", "title"],
                        _ => &[],
                    };
                    let text = names
                        .iter()
                        .find_map(|name| scalar(inner.get(*name)?).filter(|text| !text.is_empty()));
                    cells.extend(text.map(|text| (field, text)));
                    let ids = ["uid", "uin", "id", "userid", "wxid"];
                    let id =
                        ids.iter().find_map(|name| scalar(inner.get(*name)?).filter(|text| !text.is_empty()));
                    if let (Field::Sender, Some(id)) = (field, id) {
                        cells.push((Field::SenderId, id));
                    }
                }
                value => cells.extend(scalar(value).map(|text| (field, text))),
            }
        }
        self.export.row(self.line, group, &cells);
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(yes) => Some(if *yes { "true" } else { "false" }.to_owned()),
        _ => None,
    }
}

/// A member: a name, or an object with one.
fn member(value: &Value) -> Option<(String, Option<String>)> {
    let Value::Object(object) = value else { return Some((scalar(value)?, None)) };
    let get = |names: &[&str]| {
        names.iter().find_map(|name| scalar(object.get(*name)?).filter(|text| !text.is_empty()))
    };
    let id = get(&["id", "uid", "uin", "userid", "wxid", "账号", "工号"]);
    let name = get(&["name", "nickname", "displayName", "姓名", "昵称", "群昵称"]);
    Some((name.or_else(|| id.clone())?, id))
}
