//! Lists of posts that an operator exported or was given, for platforms that allow no anonymous reading (Weibo,
//! Douyin, Toutiao): CSV with a heading line, a JSON array of objects, or one JSON object a line; one row a post.
//! Headings are known in Chinese and English and as the platforms' own interfaces name them.
//!
//! A row that cannot be read is reported with its line and the reason, and so is a date or a number that makes no
//! sense in a row that is kept otherwise.

use serde_json::Value;
use url::Url;

use super::draft::Draft;
use super::standing::Entries;
use super::{Input, Kind, Read, filled};
use crate::decode::delimited::{self, delimiter};
use crate::decode::json;
use crate::decode::{Issue, date};
use crate::model::{Entry, PartName, Platform, Role};

pub(super) const KIND: Kind = Kind {
    name: "list",
    title: ("导入的发布列表（CSV、JSON）", "imported list of posts (CSV, JSON)"),
    matches,
    read,
};

/// More posts than an account publishes.
const MAX_ENTRIES: usize = 200_000;

const FIELDS: [(Field, &[&str]); 9] = [
    (Field::Platform, &["平台", "平台名称", "渠道", "platform"]),
    (
        Field::Account,
        &[
            "账号",
            "帐号",
            "账号名称",
            "帐号名称",
            "账号名",
            "昵称",
            "用户名",
            "博主",
            "作者",
            "account",
            "author",
            "nickname",
            "screen_name",
            "user_name",
            "username",
            "name",
        ],
    ),
    (Field::Title, &["标题", "作品标题", "文章标题", "视频标题", "title", "headline"]),
    (
        Field::Text,
        &[
            "正文",
            "内容",
            "文本",
            "文案",
            "微博正文",
            "微博内容",
            "作品描述",
            "描述",
            "全文",
            "text",
            "content",
            "body",
            "desc",
            "description",
            "text_raw",
            "summary",
        ],
    ),
    (
        Field::Published,
        &[
            "发布时间",
            "发布日期",
            "发表时间",
            "发博时间",
            "时间",
            "日期",
            "published",
            "publish_time",
            "published_at",
            "pub_time",
            "pubdate",
            "created_at",
            "create_time",
            "createtime",
            "date",
            "time",
            "behot_time",
        ],
    ),
    (
        Field::Address,
        &[
            "链接",
            "网址",
            "地址",
            "微博链接",
            "作品链接",
            "视频链接",
            "文章链接",
            "原文链接",
            "url",
            "link",
            "address",
            "share_url",
            "article_url",
            "aweme_url",
        ],
    ),
    (
        Field::Likes,
        &[
            "点赞",
            "点赞数",
            "点赞量",
            "赞",
            "赞数",
            "获赞",
            "likes",
            "like_count",
            "attitudes_count",
            "digg_count",
        ],
    ),
    (
        Field::Forwards,
        &[
            "转发",
            "转发数",
            "转发量",
            "分享",
            "分享数",
            "分享量",
            "forwards",
            "shares",
            "share_count",
            "repost_count",
            "reposts_count",
            "forward_count",
            "reposts",
        ],
    ),
    (Field::Comments, &["评论", "评论数", "评论量", "comments", "comment_count", "comments_count"]),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Platform,
    Account,
    Title,
    Text,
    Published,
    Address,
    Likes,
    Forwards,
    Comments,
}

/// The field that a heading names.
fn field(heading: &str) -> Option<Field> {
    let heading = delimited::heading(heading);
    FIELDS.iter().find(|(_, names)| names.contains(&heading.as_str())).map(|(field, _)| *field)
}

fn matches(input: &Input<'_>) -> bool {
    let text = input.text().trim_start();
    match text.as_bytes().first() {
        Some(b'[' | b'{') => {
            let head: String = text.chars().take(16_384).collect();
            let mut keys = head.split('"').skip(1).step_by(2);
            keys.any(|key| matches!(field(key), Some(Field::Title | Field::Text)))
        }
        Some(b'<') | None => false,
        Some(_) => {
            let line = text.lines().next().unwrap_or_default();
            let fields: Vec<Field> = line
                .split([delimiter(line) as char])
                .filter_map(|heading| field(heading.trim().trim_matches('"')))
                .collect();
            let content = fields.iter().any(|field| matches!(field, Field::Title | Field::Text));
            content && fields.len() >= 2
        }
    }
}

fn read(input: &Input<'_>) -> Read {
    let mut list = List { draft: Draft::new(input, KIND.name), dropped: 0 };
    list.draft.speaks_of_account(Entries::Posts);
    let text = input.text().trim_start();
    match text.as_bytes().first() {
        Some(b'[' | b'{') => list.json(text),
        _ => list.csv(text),
    }
    if list.dropped > 0 {
        let detail = format!("{} more", list.dropped);
        list.draft.issues(vec![Issue::lossy("page.too-many-entries", None, detail)]);
    }
    let page = &mut list.draft.page;
    page.published = page.entries.iter().filter_map(|entry| entry.published).max();
    // A list of one account is that account's.
    if let Some(first) = page.entries.first() {
        let (platform, account) = (first.platform, first.account.clone());
        if page.entries.iter().all(|entry| entry.platform == platform) {
            page.account.platform = platform;
            if page.entries.iter().all(|entry| entry.account == account) {
                page.account.name = account;
            }
        }
    }
    list.draft.finish()
}

struct List<'a> {
    draft: Draft<'a>,
    dropped: u64,
}

impl List<'_> {
    fn reject(&mut self, line: u64, zh: impl Into<String>, en: impl Into<String>) {
        self.draft.reject(line, ("行", "line"), (zh, en).into());
    }

    fn csv(&mut self, text: &str) {
        let mut columns: Option<Vec<Option<Field>>> = None;
        for row in delimited::rows(text, delimiter(text.lines().next().unwrap_or_default())) {
            let (line, cells) = match row {
                Ok(row) => row,
                Err((line, error)) => {
                    self.reject(line, "该行无法读取", error);
                    continue;
                }
            };
            let Some(columns) = &columns else {
                columns = Some(cells.iter().map(field).collect());
                continue;
            };
            if cells.len() != columns.len() {
                let (zh, en) = delimited::misfit(cells.len(), columns.len());
                self.reject(line, zh, en);
                continue;
            }
            let cells = columns.iter().zip(&cells).filter_map(|(column, cell)| Some(((*column)?, cell)));
            self.row(line, cells.map(|(field, cell)| (field, cell.to_owned())).collect());
        }
    }

    fn json(&mut self, text: &str) {
        if text.len() > json::MAX_BYTES {
            self.reject(1, "JSON 文件过大，未读", "a JSON file of this size is not read");
            let detail = format!("{} bytes", text.len());
            return self.draft.issues(vec![Issue::lossy("page.too-many-entries", None, detail)]);
        }
        match serde_json::from_str::<Value>(text) {
            Ok(Value::Array(rows)) => self.rows(rows),
            Ok(Value::Object(mut object)) => {
                let list = ["data", "list", "items", "posts", "statuses", "aweme_list", "数据", "列表"];
                let list = list.iter().find_map(|name| match object.remove(*name) {
                    Some(Value::Array(rows)) => Some(rows),
                    Some(Value::Object(mut inner)) => match inner.remove("list") {
                        Some(Value::Array(rows)) => Some(rows),
                        _ => None,
                    },
                    _ => None,
                });
                match list {
                    Some(rows) => self.rows(rows),
                    None => self.object(1, &Value::Object(object)),
                }
            }
            Ok(_) => self.reject(1, "不是列表", "no list"),
            // One object a line.
            Err(error) if text.starts_with('{') && text.trim_end().contains('\n') && error.line() > 1 => {
                for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
                    let number = index as u64 + 1;
                    match serde_json::from_str::<Value>(line) {
                        Ok(row) => self.object(number, &row),
                        Err(error) => self.reject(number, "不是合规的 JSON", error.to_string()),
                    }
                }
            }
            Err(error) => {
                self.reject(error.line() as u64, "不是合规的 JSON", error.to_string());
                let detail = error.to_string();
                self.draft.issues(vec![Issue::lossy("page.malformed-list", None, detail)]);
            }
        }
    }

    fn rows(&mut self, rows: Vec<Value>) {
        for (index, row) in rows.iter().enumerate() {
            self.object(index as u64 + 1, row);
        }
    }

    fn object(&mut self, line: u64, row: &Value) {
        let Value::Object(fields) = row else {
            return self.reject(line, "不是一条记录", "not an object");
        };
        let mut cells = Vec::new();
        let mut take = |name: &str, value: &Value| {
            let Some(field) = field(name) else { return };
            match value {
                Value::String(text) => cells.push((field, text.trim().to_owned())),
                Value::Number(number) => cells.push((field, number.to_string())),
                _ => {}
            }
        };
        for (name, value) in fields {
            take(name, value);
        }
        // The interfaces of platforms keep the account and the counts in objects of their own.
        for (outer, inner) in
            [("user", "screen_name"), ("user", "name"), ("author", "nickname"), ("author", "name")]
        {
            if let Some(value) = fields.get(outer).and_then(|object| object.get(inner)) {
                take("account", value);
            }
        }
        if let Some(Value::Object(counts)) = fields.get("statistics") {
            for (name, value) in counts {
                take(name, value);
            }
        }
        self.row(line, cells);
    }

    fn row(&mut self, line: u64, cells: Vec<(Field, String)>) {
        if self.draft.page.entries.len() >= MAX_ENTRIES {
            self.dropped += 1;
            return;
        }
        let get = |wanted: Field| {
            let mut found = cells.iter().filter(|(field, cell)| *field == wanted && !cell.is_empty());
            found.next().map(|(_, cell)| cell.as_str())
        };
        let title = get(Field::Title).and_then(filled);
        let text = get(Field::Text).map(str::to_owned);
        if title.is_none() && text.is_none() {
            return self.reject(line, "没有标题，也没有正文", "neither title nor text");
        }
        let address = get(Field::Address).map(str::to_owned);
        let host = address.as_deref().and_then(|address| Url::parse(address).ok());
        let host = host.as_ref().and_then(Url::host_str).map(str::to_owned);
        let platform = match get(Field::Platform) {
            Some(name) => Some(platform(name)),
            None => host.as_deref().and_then(platform_of_host),
        };
        if address.is_some() && host.is_none() {
            self.reject(line, "链接无法识别", "the address makes no sense");
        }
        let published = get(Field::Published).and_then(|text| {
            let time = date::any(text);
            if time.is_none() {
                self.reject(
                    line,
                    format!("日期无法识别：{text}"),
                    format!("a date that makes no sense: {text}"),
                );
                self.draft.bad_date(text);
            }
            time
        });
        let mut count = |field: Field, name: &str, name_en: &str| {
            let text = get(field)?;
            let number = number(text);
            if number.is_none() && text.chars().any(|ch| ch.is_ascii_digit()) {
                self.reject(
                    line,
                    format!("{name}无法识别：{text}"),
                    format!("{name_en} make no sense: {text}"),
                );
            }
            number
        };
        let likes = count(Field::Likes, "点赞数", "likes");
        let forwards = count(Field::Forwards, "转发数", "forwards");
        let comments = count(Field::Comments, "评论数", "comments");
        let account = get(Field::Account).and_then(filled);
        let step = format!("第 {line} 行 line {line}");
        let chain = [step.as_str(), address.as_deref().unwrap_or_default()];
        self.draft.post(address.as_deref().unwrap_or(&step), title.as_deref());
        if let Some(title) = &title {
            self.draft.text(title, Role::Title, None, &chain, false);
        }
        for paragraph in text.as_deref().unwrap_or_default().lines().filter_map(filled) {
            self.draft.text(&paragraph, Role::Body, None, &chain, false);
        }
        self.draft.inspection.read(PartName::Text);
        self.draft.page.entries.push(Entry {
            title,
            address,
            published,
            summary: text,
            platform,
            account,
            likes,
            forwards,
            comments,
        });
    }
}

fn platform(name: &str) -> Platform {
    let name = name.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&["微博", "weibo"]) {
        Platform::Weibo
    } else if has(&["抖音", "douyin"]) {
        Platform::Douyin
    } else if has(&["头条", "toutiao"]) {
        Platform::Toutiao
    } else if has(&["微信", "公众号", "wechat", "weixin"]) {
        Platform::Wechat
    } else if has(&["网站", "website", "门户"]) {
        Platform::Website
    } else {
        Platform::Other
    }
}

fn platform_of_host(host: &str) -> Option<Platform> {
    let of =
        |domain: &str| host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'));
    let known = [
        ("weibo.com", Platform::Weibo),
        ("weibo.cn", Platform::Weibo),
        ("douyin.com", Platform::Douyin),
        ("iesdouyin.com", Platform::Douyin),
        ("toutiao.com", Platform::Toutiao),
        ("weixin.qq.com", Platform::Wechat),
    ];
    known.into_iter().find(|(domain, _)| of(domain)).map(|(_, platform)| platform)
}

/// `1234`, `1,234`, `1.2万`, `10万+`.
fn number(text: &str) -> Option<u64> {
    let text: String =
        text.chars().filter(|ch| !ch.is_whitespace() && !matches!(ch, ',' | '，' | '+')).collect();
    let (digits, factor) = match text.strip_suffix(['万', 'w', 'W']) {
        Some(digits) => (digits, 10_000),
        None => match text.strip_suffix('亿') {
            Some(digits) => (digits, 100_000_000),
            None => (text.as_str(), 1),
        },
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let sound = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !sound(whole) || !sound(part) || part.len() > 4 {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let scale = 10u64.pow(part.len() as u32);
    let part: u64 = if part.is_empty() { 0 } else { part.parse().ok()? };
    whole.checked_mul(factor)?.checked_add(part * factor / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_platforms_write_them() {
        let pairs = [
            ("12", 12),
            ("1,234", 1234),
            ("1.2万", 12_000),
            ("10万+", 100_000),
            ("1.25w", 12_500),
            ("0.0", 0),
        ];
        for (text, value) in pairs {
            assert_eq!(number(text), Some(value), "{text}");
        }
        for text in ["", "赞", "-1", "1e9", "99999999999999999999", "1.23456万"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
