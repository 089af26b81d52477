//! Posts of a WeChat account as its own interface lists them (`freepublish/batchget`): an answer as it came, or
//! several joined by `fetch::weixin`, which adds `missing`.
//!
//! <https://developers.weixin.qq.com/doc/service/api/public/api_freepublish_batchget>
//!
//! The list holds what was published without notice to the followers (发布) and not what was sent to them (群发).
//! So it proves what it holds, and neither that an account published nothing nor when it last did.

use jiff::Timestamp;
use serde_json::Value;

use super::draft::Draft;
use super::standing::Entries;
use super::wechat_article::{BODY, place};
use super::{Input, Kind, Read, filled};
use crate::decode::outline::Outline;
use crate::decode::{Issue, json};
use crate::model::{Entry, GapReason, LinkKind, PartName, Place, Platform, Role};

pub(super) const KIND: Kind = Kind {
    name: "wechat-published",
    title: ("微信公众号已发布列表（接口）", "WeChat list of published posts (interface)"),
    matches,
    read,
};

/// More posts than any list has.
const MAX_ENTRIES: usize = 20_000;

fn matches(input: &Input<'_>) -> bool {
    let text = input.text().trim_start();
    if !text.starts_with('{') {
        return false;
    }
    let head: String = text.chars().take(4_096).collect();
    let has = |key: &str| head.contains(&format!("\"{key}\""));
    has("item") && (has("item_count") || has("article_id") || has("news_item"))
}

fn read(input: &Input<'_>) -> Read {
    let mut list = List { draft: Draft::new(input, KIND.name) };
    list.draft.speaks_of_account(Entries::Some);
    list.draft.page.account.platform = Some(Platform::Wechat);
    match json::bounded(input.text().as_bytes()) {
        Ok(answer) => list.answer(&answer),
        Err(error) => list.draft.issues(vec![Issue::lossy("page.malformed-list", None, error)]),
    }
    let page = &mut list.draft.page;
    page.published = page.entries.iter().filter_map(|entry| entry.published).max();
    list.draft.finish()
}

struct List<'a> {
    draft: Draft<'a>,
}

impl List<'_> {
    fn answer(&mut self, answer: &Value) {
        let place = self.draft.place(None);
        let mut lack = |reason, zh: &str, en: &str| {
            self.draft.inspection.gap(PartName::Text, &place, reason, (zh.to_owned(), en.to_owned()));
            self.draft.inspection.unread(PartName::Text);
        };
        let sent = "接口只列出“发布”的内容，不含“群发”，因此不能据此判断停更或没有内容";
        let sent_en = "the interface lists what was published, not what was sent to followers: whether the account \
                       still publishes cannot be told";
        lack(GapReason::Remote, sent, sent_en);
        for missing in answer.get("missing").and_then(Value::as_array).into_iter().flatten() {
            let words = |key: &str| missing.get(key).and_then(Value::as_str).and_then(filled);
            let zh = words("zh").unwrap_or_else(|| "有的发布内容未取".to_owned());
            let en = words("en").unwrap_or_else(|| "some posts were not fetched".to_owned());
            lack(GapReason::Missing, &zh, &en);
        }
        let Some(items) = answer.get("item").and_then(Value::as_array) else {
            let detail = "item is no list";
            return self.draft.issues(vec![Issue::lossy("page.malformed-list", None, detail)]);
        };
        // A single page of a list, saved as it came, says how many there are in all.
        let total = answer.get("total_count").and_then(Value::as_u64).unwrap_or_default();
        let here = items.len() as u64;
        if total > here && answer.get("missing").is_none() {
            let zh = format!("共有 {total} 条发布内容，此处有 {here} 条");
            lack(GapReason::Missing, &zh, &format!("{here} of {total} posts are here"));
        }
        for (index, item) in items.iter().enumerate() {
            self.item(index as u64 + 1, item);
        }
    }

    fn reject(&mut self, line: u64, zh: &str, en: &str) {
        self.draft.reject(line, ("条", "item"), (zh, en).into());
    }

    fn item(&mut self, line: u64, item: &Value) {
        let content = item.get("content");
        let Some(posts) = content.and_then(|content| content.get("news_item")).and_then(Value::as_array)
        else {
            return self.reject(line, "没有图文内容（news_item）", "no posts (news_item)");
        };
        let given = item.get("update_time").or_else(|| content?.get("create_time"));
        let published = given.and_then(time);
        if let Some(given) = given.filter(|_| published.is_none()) {
            self.draft.bad_date(&given.to_string());
        }
        let id = item.get("article_id").and_then(Value::as_str);
        for (index, post) in posts.iter().enumerate() {
            if !post.is_object() {
                self.reject(line, "图文内容不是一条记录", "a post that is no object");
            } else if self.draft.page.entries.len() >= MAX_ENTRIES {
                let detail = format!("from item {line} on");
                return self.draft.issues(vec![Issue::lossy("page.too-many-entries", None, detail)]);
            } else {
                let step = match id {
                    Some(id) => format!("{id}#{}", index + 1),
                    None => format!("第 {line} 条 item {line}#{}", index + 1),
                };
                self.post(line, &step, published, post);
            }
        }
    }

    fn post(&mut self, line: u64, step: &str, published: Option<Timestamp>, post: &Value) {
        let text = |key: &str| post.get(key).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        let title = text("title").and_then(filled);
        let deleted = post.get("is_deleted").is_some_and(|is| is.as_bool() == Some(true) || is == 1);
        if deleted {
            let place = Place::entry(format!("{}#{line}", self.draft.place(None).path));
            let title: String = title.unwrap_or_default().chars().take(40).collect();
            let detail =
                (format!("已被删除的发布内容：{title}"), format!("a post that has been deleted: {title}"));
            return self.draft.inspection.note(PartName::Text, &place, GapReason::Missing, detail);
        }
        let address = text("url").map(|address| address.trim().to_owned());
        let chain = [step, address.as_deref().unwrap_or_default()];
        self.draft.post(address.as_deref().unwrap_or(step), title.as_deref());
        if let Some(title) = &title {
            self.draft.text(title, Role::Title, None, &chain, false);
        }
        if let Some(author) = text("author").and_then(filled) {
            self.draft.text(&author, Role::Label, None, &chain, false);
        }
        let digest = text("digest").and_then(filled);
        let seen = text("content")
            .is_some_and(|html| place(&mut self.draft, Outline::read(html, BODY), |_| None, &chain));
        // A digest that nobody wrote is the beginning of the body; without a body it is all there is.
        if let Some(digest) = digest.as_deref().filter(|_| !seen) {
            self.draft.text(digest, Role::Body, None, &chain, false);
        }
        if !seen && text("content").is_none() {
            self.reject(line, "没有正文（content）", "no text (content)");
        }
        self.draft.images(u64::from(text("thumb_url").is_some()));
        if let Some(address) = text("content_source_url") {
            self.draft.link(LinkKind::ReadMore, address, Some("阅读原文"), true, None);
        }
        if let Some(address) = &address {
            self.draft.link(LinkKind::Link, address, title.as_deref(), false, None);
        }
        self.draft.page.entries.push(Entry {
            title,
            address,
            published,
            summary: digest,
            platform: Some(Platform::Wechat),
            ..Entry::default()
        });
    }
}

/// Seconds since 1970; nothing was published before there was the platform (2012).
fn time(value: &Value) -> Option<Timestamp> {
    let seconds = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())?;
    Timestamp::from_second(seconds).ok().filter(|_| (1_325_376_000..4_102_444_800).contains(&seconds))
}
