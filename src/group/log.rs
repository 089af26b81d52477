//! Chat logs as text: a line that says when and who, and the message behind it or on the lines that follow. Members
//! make them with the programs of WeChat (e-mail of a chat), 企业微信, 钉钉 and QQ (消息管理器, 导出消息记录), or by
//! copying; none of these has a specification. What comes before the first message is the heading: `群名称：…`,
//! `消息对象:…`, `群公告：…`.

use jiff::Timestamp;
use jiff::civil::Date;

use super::export::{Export, Form, MAX_NAME, Message, form};
use super::field::{Field, pair};
use super::{Input, Kind};
use crate::decode::date;
use crate::text::is_cjk;

pub(super) const KIND: Kind =
    Kind { name: "log", title: ("聊天记录文本（TXT）", "chat log as text (TXT)"), matches, read };

/// So much of a file is looked at to know its style, in bytes.
const HEAD: usize = 256 << 10;
/// Longer files are read as far as this, in bytes.
const MAX_SIZE: usize = 128 << 20;
/// More messages than groups of people write.
const MAX_MESSAGES: usize = 500_000;

/// A line that holds no more than a name and a time, in bytes.
const MAX_START: usize = 4 * MAX_NAME + 64;

/// How the line before or with a message is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// `2026-11-02 08:31:05 张某(社区)`, the message below.
    TimeFirst,
    /// `张某 2026-11-02 08:31:05`, the message below.
    NameFirst,
    /// `[2026-11-02 08:31] 张某: 收到`, `2026-11-02 08:31:05 张某：收到`.
    Inline,
    /// `—— 2026-11-02 ——` for the day, then `张某  08:31`, the message below.
    Daily,
}

const STYLES: [Style; 4] = [Style::TimeFirst, Style::NameFirst, Style::Inline, Style::Daily];

/// The line that begins a message.
struct Start<'a> {
    time: Timestamp,
    name: &'a str,
    /// The message, where it stands on the same line.
    text: Option<&'a str>,
}

impl Style {
    fn start<'a>(self, line: &'a str, day: Option<Date>) -> Option<Start<'a>> {
        let line = line.trim_matches(|ch: char| ch.is_whitespace() || ch == '\u{FEFF}');
        // A line of a name and a time is short.
        if self != Style::Inline && line.len() > MAX_START {
            return None;
        }
        let (time, name, text) = match self {
            Style::TimeFirst => {
                let (time, rest) = date::leading(line)?;
                let name = rest.strip_prefix(char::is_whitespace)?.trim();
                // An address or a time may stand in a name; a text behind it is the other style.
                (!inline(name)).then_some(())?;
                (time, name, None)
            }
            Style::NameFirst => {
                let mut blanks = line.match_indices(char::is_whitespace);
                let at =
                    blanks.find_map(|(at, blank)| date::leading(&line[at + blank.len()..]).map(|_| at))?;
                let (time, rest) = date::leading(line[at..].trim_start())?;
                rest.trim().is_empty().then_some(())?;
                (time, line[..at].trim(), None)
            }
            Style::Inline => {
                let open = line.strip_prefix(['[', '【', '(', '（']);
                let (time, rest) = date::leading(open.unwrap_or(line))?;
                let rest = match open {
                    Some(_) => rest.strip_prefix([']', '】', ')', '）'])?,
                    None => rest.strip_prefix(char::is_whitespace)?,
                };
                let (name, text) = rest.split_once([':', '：'])?;
                (time, name.trim(), Some(text.trim()))
            }
            Style::Daily => {
                let at = line.rfind(char::is_whitespace)?;
                let (clock, rest) = date::clock(line[at..].trim_start())?;
                (rest.is_empty()).then_some(())?;
                (date::moment(day?, clock)?, line[..at].trim(), None)
            }
        };
        let chars = name.chars().count();
        ((1..=MAX_NAME).contains(&chars) && !is_level(name)).then_some(Start { time, name, text })
    }
}

/// Whether a message stands behind a name.
fn inline(rest: &str) -> bool {
    rest.split_once([':', '：']).is_some_and(|(name, text)| {
        !name.is_empty() && (text.starts_with(char::is_whitespace) || text.chars().any(is_cjk))
    })
}

/// Whether it is no name but the level of a log of a program.
fn is_level(name: &str) -> bool {
    let mut words = name.split(|ch: char| !ch.is_ascii_alphabetic());
    words
        .any(|word| ["INFO", "WARN", "WARNING", "ERROR", "DEBUG", "TRACE", "FATAL", "NOTICE"].contains(&word))
}

/// The day that a line of nothing else gives: `—————  2026-11-02  —————`.
fn day(line: &str) -> Option<Date> {
    let mark = |ch: char| ch.is_whitespace() || "—–-=─━*".contains(ch);
    let bare = line.trim_matches(mark);
    let (date, rest) = date::date_in(bare)?;
    let marked = line.trim().starts_with(|ch: char| "—–-=─━*".contains(ch));
    (marked
        && bare.starts_with(|ch: char| ch.is_ascii_digit())
        && rest.trim_start_matches(" 星期周一二三四五六日天").is_empty())
    .then_some(date)
}

/// The style that most lines of the beginning are of, and how many messages begin there.
fn style(text: &str) -> Option<(Style, usize)> {
    let head = (0..4).find_map(|less| text.get(..HEAD - less)).unwrap_or(text);
    let mut counts = [0; STYLES.len()];
    let mut today = None;
    for line in head.lines() {
        today = day(line).or(today);
        for (style, count) in STYLES.iter().zip(&mut counts) {
            *count += usize::from(style.start(line, today).is_some());
        }
    }
    let (at, count) = counts.into_iter().enumerate().max_by_key(|(at, count)| (*count, usize::MAX - at))?;
    (count > 0).then_some((STYLES[at], count))
}

fn matches(input: &Input<'_>) -> bool {
    let text = input.text();
    if text.trim_start().starts_with(['<', '{']) {
        return false;
    }
    let Some((style, count)) = style(text) else { return false };
    let head = (0..4).find_map(|less| text.get(..HEAD - less)).unwrap_or(text);
    let heading = head
        .lines()
        .take(40)
        .any(|line| pair(line).is_some() || line.contains("聊天记录") || line.contains("消息记录"));
    // Logs of programs have a time on every line and no Chinese in them.
    let filled =
        style == Style::Inline || head.lines().filter(|line| !line.trim().is_empty()).count() > count;
    (heading || count >= 2) && filled && head.chars().any(is_cjk)
}

/// Name and id of a sender: `【管理员】昵称(12345)`, `昵称<a@example.com>`, `张某(社区)`.
fn person(name: &str) -> (&str, Option<&str>) {
    let bare = match name.strip_prefix('【').and_then(|name| name.split_once('】')) {
        Some((_, bare)) if !bare.trim().is_empty() => bare.trim(),
        _ => name,
    };
    for (open, close) in [('(', ')'), ('（', '）'), ('<', '>')] {
        if let Some((name, id)) = bare.strip_suffix(close).and_then(|bare| bare.rsplit_once(open)) {
            let number = (5..=12).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
            if (number || id.contains('@')) && !name.trim().is_empty() {
                return (name.trim(), Some(id));
            }
        }
    }
    (bare, None)
}

fn read(input: &Input<'_>) -> Export {
    let mut export = Export::new(("行", "line"));
    let text = input.text();
    let text = match text.get(MAX_SIZE..) {
        None if text.len() <= MAX_SIZE => text,
        _ => {
            export.cut_off = Some((
                format!("文件超过 {} MB，其余未读", MAX_SIZE >> 20),
                format!("of a file of more than {} MB the rest is not read", MAX_SIZE >> 20),
            ));
            (0..4).find_map(|less| text.get(..MAX_SIZE - less)).unwrap_or_default()
        }
    };
    let Some((style, _)) = style(text) else { return export };
    let mut heading: Vec<(Field, u64, String)> = Vec::new();
    let mut rest = Vec::new();
    let mut messages: Vec<Message> = Vec::new();
    let mut open = false;
    let mut today = None;
    for (line, number) in text.lines().zip(1..) {
        if let Some(date) = day(line) {
            today = Some(date);
            continue;
        }
        if let Some(start) = style.start(line, today) {
            open = messages.len() < MAX_MESSAGES;
            if !open {
                export.dropped += 1;
                continue;
            }
            let (name, id) = person(start.name);
            messages.push(Message {
                line: number,
                time: Some(start.time),
                sender: Some(name.to_owned()),
                id: id.map(str::to_owned),
                form: Form::Text,
                text: start.text.unwrap_or_default().to_owned(),
            });
            continue;
        }
        if open && let Some(message) = messages.last_mut() {
            if !message.text.is_empty() {
                message.text.push('\n');
            }
            message.text.push_str(line.trim_end());
            continue;
        }
        if !messages.is_empty() {
            continue;
        }
        let bare = line.trim();
        match (pair(line), heading.last_mut()) {
            (Some((field, value)), _) => heading.push((field, number, value.to_owned())),
            (None, _) if !bare.contains(char::is_alphanumeric) => {}
            // A notice has several lines.
            (None, Some((Field::Notice, _, notice))) => {
                notice.push('\n');
                notice.push_str(bare);
            }
            (None, _) => {
                heading.extend(titled(bare).map(|name| (Field::Group, number, name.to_owned())));
                rest.push((number, bare.to_owned()));
            }
        }
    }
    for message in &mut messages {
        message.text.truncate(message.text.trim_end().len());
        message.form = form(None, &message.text, message.sender.as_deref());
    }
    let name = heading.iter().find(|(field, _, name)| *field == Field::Group && !name.is_empty());
    let name = name.map(|(_, _, name)| name.clone());
    if let Some(group) = export.group(name.as_deref()) {
        heading
            .iter()
            .filter(|(field, _, _)| *field != Field::Group)
            .for_each(|(field, line, value)| group.set(*field, *line, value));
        group.rest = rest;
        group.messages = messages;
    }
    export
}

/// The name in the title of a log: `微信群“示例镇防汛工作群”的聊天记录`.
fn titled(line: &str) -> Option<&str> {
    let head = line.split_once("的聊天记录").or_else(|| line.split_once("聊天记录"))?.0;
    let head = head.rsplit_once(['是', '为']).map_or(head, |(_, name)| name);
    let head = head.trim_start_matches("微信群").trim_start_matches("群聊");
    let name = head.trim_matches(|ch: char| ch.is_whitespace() || "“”\"「」《》【】[]".contains(ch));
    (!name.is_empty() && name.chars().count() <= MAX_NAME).then_some(name)
}
