//! Articles of WeChat public accounts (`mp.weixin.qq.com/s…`) in all their forms, and the pages that stand in
//! their place.
//!
//! A real page is 2 to 4 MB, nearly all of it scripts. Its body is hidden until they have run, and time and
//! region are filled in by them, so both are read from the data that the page carries: `window.cgiDataNew =
//! {title: JsDecode('…'), …}` in pages since about 2025, `var msg_title = '…'`, `var ct = "…"` before. Only the
//! body is read as HTML. Times are Beijing's.
//!
//! A page without body is a notice (deleted, violation, …) or a wall. Its words count only there: an article may
//! say them too.

use std::borrow::Cow;

use jiff::Timestamp;
use url::Url;

use super::draft::{Draft, leads};
use super::{Head, Input, Kind, Read, contains, filled, footer};
use crate::decode::js_data::{self, Data, Value};
use crate::decode::outline::{Ask, Outline, Tag, characters};
use crate::decode::{Issue, date};
use crate::model::{GapReason, LinkKind, PageForm, PageState, PartName, Platform, Role};

pub(super) const KIND: Kind = Kind {
    name: "wechat-article",
    title: ("微信公众号文章", "article of a WeChat public account"),
    matches,
    read,
};

const HOST: &str = "mp.weixin.qq.com";
/// Notices are about 38 kB; what is longer and has no body is no notice.
const MAX_NOTICE: usize = 512 << 10;
pub(super) const BODY: Ask = Ask { mark: leads, lines: false };
const LINES: Ask = Ask { mark: leads, lines: true };
const DATA: &str = "window.cgiDataNew";

/// What is wanted of the data.
fn wanted(path: &str) -> bool {
    matches!(
        path,
        "title"
            | "desc"
            | "content_noencode"
            | "user_name"
            | "nick_name"
            | "alias"
            | "signature"
            | "author"
            | "bizuin"
            | "mid"
            | "idx"
            | "sn"
            | "link"
            | "source_url"
            | "create_time"
            | "ori_create_time"
            | "create_timestamp"
            | "item_show_type"
            | "real_item_show_type"
            | "verify_status"
            | "copyright_info.copyright_stat"
            | "ip_wording.country_name"
            | "ip_wording.country_id"
            | "ip_wording.province_name"
            | "user_info.short_link"
            | "text_page_info.content"
            | "text_page_info.content_noencode"
            | "picture_page_info_list.[].cdn_url"
            | "share_content.content_noencode"
            | "voice_in_appmsg.[].title"
            | "voice_in_appmsg.[].voice_id"
            | "video_page_infos.[].title"
            | "video_page_infos.[].desc"
            | "video_in_article.[].title"
            | "video_in_article.[].desc"
    )
}

fn matches(input: &Input<'_>) -> bool {
    let text = input.text();
    if !input.is_markup() || contains(text, "class=\"about-page") {
        return false;
    }
    if has_body(text) {
        let own = [DATA, "var msg_title", "var msg_link", "var user_name", "window.user_name"];
        return input.is_from(HOST) || own.iter().any(|name| contains(text, name));
    }
    if input.is_from(HOST) {
        return true;
    }
    let known = ["res.wx.qq.com", HOST, "mesg-block", "wx_wap_page"];
    text.len() <= MAX_NOTICE && known.iter().any(|name| contains(text, name)) && notice(input).is_some()
}

/// Whether an article is on the page: its frame or its body.
fn has_body(text: &str) -> bool {
    find_id(text, "js_content").or_else(|| find_id(text, "js_article")).is_some()
}

/// The offset of the start tag with an id.
fn find_id(text: &str, id: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    for at in memchr::memmem::find_iter(bytes, id) {
        let before = bytes.get(..at)?;
        let (quoted, name) = match before.last() {
            Some(b'"' | b'\'') => (true, &before[..at - 1]),
            _ => (false, before),
        };
        let ends = match bytes.get(at + id.len()) {
            Some(b'"' | b'\'') => quoted,
            Some(b' ' | b'>' | b'\n' | b'/') => !quoted,
            _ => false,
        };
        if !ends || !name.ends_with(b"id=") || !name.get(..name.len() - 3)?.last()?.is_ascii_whitespace() {
            continue;
        }
        let from = at.saturating_sub(4_096);
        if let Some(tag) = memchr::memrchr(b'<', &bytes[from..at])
            && bytes.get(from + tag + 1).is_some_and(u8::is_ascii_alphabetic)
        {
            return Some(from + tag);
        }
    }
    None
}

fn read(input: &Input<'_>) -> Read {
    let text = input.text();
    if has_body(text) { article(input, text) } else { instead(input, text) }
}

/// Where a field is: in the data, or in a variable.
struct Fields<'a> {
    source: &'a str,
    data: Data,
}

impl Fields<'_> {
    /// The first of these paths of the data, else of these variables, that is not empty.
    fn find(&self, paths: &[&str], variables: &[&str]) -> Option<Value> {
        let of_data = paths.iter().find_map(|path| self.data.get(path).cloned());
        of_data.or_else(|| variables.iter().find_map(|name| js_data::variable(self.source, name)))
    }

    fn text(&self, paths: &[&str], variables: &[&str]) -> Option<String> {
        filled(&characters(&self.find(paths, variables)?.text))
    }

    fn number(&self, paths: &[&str], variables: &[&str]) -> Option<u32> {
        self.find(paths, variables)?.text.trim().parse().ok()
    }
}

fn article(input: &Input<'_>, source: &str) -> Read {
    let mut draft = Draft::new(input, KIND.name);
    let data = js_data::object(source, DATA, wanted).unwrap_or_default();
    if data.truncated && !data.values.is_empty() {
        let detail = format!("{DATA} has no end");
        draft.issues(vec![Issue::lossy("page.data-cut-off", None, detail)]);
    }
    let fields = Fields { source, data };
    let head = Head::read(source);
    draft.check_end();
    title(&mut draft, &fields, &head);
    let number = fields.number(&["item_show_type"], &["item_show_type", "itemShowType"]);
    let form = number.map(PageForm::from_number);
    draft.page.form = form;
    draft.page.author = fields.text(&["author"], &["author"]).or_else(|| head.meta(&["author"]));
    draft.page.original = fields
        .number(&["copyright_info.copyright_stat"], &["_copyright_stat", "copyright_stat"])
        .map(|stat| stat > 0);
    draft.page.published = published(&mut draft, &fields);
    draft.page.region = region(&fields);
    account(&mut draft, &fields);
    draft.page.canonical = canonical(input, &fields);
    let seen = body(&mut draft, &fields, form);
    if let Some(more) = fields.find(&["source_url"], &["msg_source_url"]) {
        draft.link(LinkKind::ReadMore, &plain(&more.text), Some("阅读原文"), true, Some(more.offset));
    }
    if !seen {
        let has_images =
            matches!(form, Some(PageForm::Pictures | PageForm::Video | PageForm::Audio | PageForm::Music));
        if !has_images && draft.page.links.is_empty() {
            let detail = ("页面中没有找到正文", "no body was found on the page");
            draft.unseen(PartName::Text, GapReason::Missing, detail);
        }
    }
    draft.finish()
}

fn title(draft: &mut Draft<'_>, fields: &Fields<'_>, head: &Head<'_>) {
    if let Some(found) = fields.find(&["title"], &["msg_title"]) {
        let from = if fields.data.get("title").is_some() { "cgiDataNew.title" } else { "msg_title" };
        draft.title(filled(&characters(&found.text)), Some(found.offset), from);
        return;
    }
    let shown = find_id(fields.source, "activity-name").and_then(|at| {
        let heading = Outline::element(fields.source, at, BODY);
        heading.blocks.into_iter().next().map(|block| (block.text, block.offset))
    });
    if let Some((text, offset)) = shown {
        draft.title(Some(text), Some(offset), "#activity-name");
        return;
    }
    let named = head.meta(&["og:title", "twitter:title"]).or_else(|| head.title.clone());
    draft.title(named, None, "head");
}

/// Seconds are exact; the words beside them are to the minute.
fn published(draft: &mut Draft<'_>, fields: &Fields<'_>) -> Option<Timestamp> {
    let mut bad = None;
    let places: [(&[&str], &[&str]); 4] = [
        (&["ori_create_time", "create_timestamp"], &[]),
        (&["create_time"], &[]),
        (&[], &["ct", "oriCreateTime", "createTimestamp"]),
        (&[], &["createTime", "publish_time"]),
    ];
    for (paths, variables) in places {
        let Some(found) = fields.find(paths, variables) else { continue };
        match date::any(&found.text) {
            Some(time) => return Some(time),
            None => bad = bad.or(Some(found.text)),
        }
    }
    // Pages saved by a browser have it filled in.
    let shown = find_id(fields.source, "publish_time").and_then(|at| {
        Outline::element(fields.source, at, BODY).blocks.into_iter().next().map(|block| block.text)
    });
    match shown.as_deref().map(|text| (text, date::any(text))) {
        Some((_, Some(time))) => return Some(time),
        Some((text, None)) => bad = bad.or(Some(text.to_owned())),
        None => {}
    }
    if let Some(text) = bad {
        draft.bad_date(&text);
    }
    None
}

fn region(fields: &Fields<'_>) -> Option<String> {
    let old;
    let (country, number, province) = if fields.data.get("ip_wording.country_id").is_some() {
        let text = |name| fields.data.text(name);
        (text("ip_wording.country_name"), text("ip_wording.country_id"), text("ip_wording.province_name"))
    } else {
        old = js_data::object(fields.source, "window.ip_wording", |_| true)?;
        (old.text("countryName"), old.text("countryId"), old.text("provinceName"))
    };
    // As the page does it: the province within China (156), else the country.
    let name = if number == Some("156") { province.or(country) } else { country };
    name.and_then(filled)
}

fn account(draft: &mut Draft<'_>, fields: &Fields<'_>) {
    let account = &mut draft.page.account;
    account.platform = Some(Platform::Wechat);
    account.name = fields.text(&["nick_name"], &["nickname"]).or_else(|| {
        let at = find_id(fields.source, "js_name")?;
        Outline::element(fields.source, at, BODY).blocks.into_iter().next().map(|block| block.text)
    });
    account.id = fields.text(&["user_name"], &["user_name"]).filter(|id| id.starts_with("gh_"));
    account.biz = fields.text(&["bizuin"], &["biz"]);
    account.alias = fields.text(&["alias"], &["alias"]);
    account.signature = fields.text(&["signature"], &["profile_signature", "profile_signature_new"]);
    let status = fields.number(&["verify_status"], &["verify_status", "cgiData.verify_status"]);
    account.verified = status.and_then(|status| match status {
        0 => Some(false),
        2 => Some(true),
        _ => None,
    });
    let signature = account.signature.clone();
    if let Some(signature) = signature {
        draft.text(&signature, Role::Label, None, &["signature"], false);
    }
}

/// The body, wherever this form has it. Whether any of it was found.
fn body(draft: &mut Draft<'_>, fields: &Fields<'_>, form: Option<PageForm>) -> bool {
    let plain_form = matches!(form, Some(PageForm::Pictures | PageForm::Text | PageForm::Note));
    let pictures =
        fields.data.values.iter().filter(|value| value.path == "picture_page_info_list.[].cdn_url");
    if form == Some(PageForm::Pictures) {
        draft.images(pictures.count() as u64);
    }
    let mut seen = false;
    if !plain_form {
        seen = element(draft, fields.source);
    }
    // Handed-on articles carry theirs in the data or in a template beside the words of who hands it on.
    let also = form == Some(PageForm::Share);
    if !seen || also {
        let paths = [
            "content_noencode",
            "text_page_info.content_noencode",
            "text_page_info.content",
            "share_content.content_noencode",
        ];
        for path in paths {
            if let Some(found) = fields.data.get(path)
                && payload(draft, found, plain_form)
            {
                seen = true;
                break;
            }
        }
    }
    if plain_form && !seen {
        seen = element(draft, fields.source);
    }
    let media = [
        "voice_in_appmsg.[].title",
        "video_page_infos.[].title",
        "video_page_infos.[].desc",
        "video_in_article.[].title",
        "video_in_article.[].desc",
    ];
    let found: Vec<Value> =
        fields.data.values.iter().filter(|value| media.contains(&value.path.as_str())).cloned().collect();
    for value in found {
        seen |= draft
            .text(&characters(&value.text), Role::Body, Some(value.offset), &[&value.path], false)
            .is_some();
    }
    // Video, sound and pictures: what is written with them is a summary, which for others repeats the body.
    if !seen && let Some(summary) = fields.find(&["desc"], &["msg_desc"]) {
        let text = characters(&summary.text).into_owned();
        let role = Role::Body;
        seen = draft.text(&text, role, Some(summary.offset), &["desc"], false).is_some();
    }
    seen
}

/// Reads `#js_content`.
fn element(draft: &mut Draft<'_>, source: &str) -> bool {
    let Some(at) = find_id(source, "js_content") else { return false };
    let outline = Outline::element(source, at, BODY);
    place(draft, outline, Some, &["#js_content"])
}

/// Reads HTML that is written in a script; places are those of the literal, as the text is escaped there.
fn payload(draft: &mut Draft<'_>, value: &Value, lines: bool) -> bool {
    let outline = Outline::read(&value.text, if lines { LINES } else { BODY });
    place(draft, outline, |_| Some(value.offset), &[&format!("cgiDataNew.{}", value.path)])
}

/// Adds what was read of a body; `offset` says where an offset in it is in the page.
pub(super) fn place(
    draft: &mut Draft<'_>,
    mut outline: Outline<'_>,
    offset: impl Fn(usize) -> Option<usize>,
    chain: &[&str],
) -> bool {
    // An advertisement may be a link as a whole; recommended reading leads to other articles.
    let mut elsewhere = vec![false; outline.blocks.len()];
    for mark in outline.marks.iter().filter(|mark| mark.tag.is("a")) {
        let address = mark.tag.attribute("href").unwrap_or_default();
        if let Some(block) = elsewhere.get_mut(mark.block) {
            *block |= !contains(&address, "//mp.weixin.qq.com/s");
        }
    }
    let lines: Vec<(&str, bool)> = outline
        .blocks
        .iter()
        .zip(&elsewhere)
        .map(|(block, elsewhere)| {
            (block.text.as_str(), !elsewhere && block.linked * 10 >= block.text.len() * 9)
        })
        .collect();
    let footers = footer::footer(&lines);
    let mut seen = false;
    for (block, footer) in outline.blocks.iter().zip(&footers) {
        if block.button {
            draft.control(&block.text, "button", None, offset(block.offset), chain);
        } else {
            let added = draft.text(&block.text, Role::Body, offset(block.offset), chain, *footer);
            seen |= added.is_some();
        }
    }
    for mark in &mut outline.marks {
        mark.offset = offset(mark.offset).unwrap_or_default();
        let footer = footers.get(mark.block).or(footers.last()).copied().unwrap_or_default();
        draft.mark(mark, footer, chain);
    }
    draft.issues(std::mem::take(&mut outline.issues));
    seen
}

/// References that scripts and the server have each put into an address are resolved.
fn plain(address: &str) -> String {
    let mut address = Cow::Borrowed(address);
    for _ in 0..3 {
        if !address.contains("&amp;") {
            break;
        }
        address = Cow::Owned(address.replace("&amp;", "&"));
    }
    address.into_owned()
}

fn canonical(input: &Input<'_>, fields: &Fields<'_>) -> Option<String> {
    if let Some(address) = input.address().and_then(canonical_address) {
        return Some(address);
    }
    let of = |path: &str| {
        let text = fields.data.text(path)?;
        canonical_address(&Url::parse(&plain(text)).ok()?)
    };
    if let Some(address) = of("user_info.short_link").or_else(|| of("link")) {
        return Some(address);
    }
    let link = js_data::variable(fields.source, "msg_link").map(|value| plain(&value.text));
    link.and_then(|link| canonical_address(&Url::parse(&link).ok()?))
}

/// The shortest address that names the same article: `/s/<id>` without its query, or `/s?__biz&mid&idx&sn`.
/// `None` for what is no address of an article, and for temporary ones (`signature`), which name it only for hours.
pub fn canonical_address(address: &Url) -> Option<String> {
    if !address.host_str()?.eq_ignore_ascii_case(HOST) {
        return None;
    }
    let path = address.path().trim_end_matches('/');
    if let Some(id) = path.strip_prefix("/s/") {
        let sound =
            !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        return sound.then(|| format!("https://{HOST}/s/{id}"));
    }
    if !matches!(path, "/s" | "/mp/appmsg/show") {
        return None;
    }
    // Addresses copied out of pages have `&amp;` between their parameters, and older ones have longer names.
    let find = |names: &[&str]| {
        address.query_pairs().find_map(|(name, value)| {
            let name = name.strip_prefix("amp;").unwrap_or(&name);
            (names.contains(&name) && !value.is_empty()).then(|| value.into_owned())
        })
    };
    let biz = find(&["__biz"])?;
    let mid = find(&["mid", "appmsgid"])?;
    let idx = find(&["idx", "itemidx"])?;
    let sn = find(&["sn", "sign"])?;
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("__biz", &biz)
        .append_pair("mid", &mid)
        .append_pair("idx", &idx)
        .append_pair("sn", &sn)
        .finish();
    // The platform writes the equals signs of the account as they are.
    Some(format!("https://{HOST}/s?{}", query.replace("%3D", "=")))
}

fn instead(input: &Input<'_>, source: &str) -> Read {
    let mut draft = Draft::new(input, KIND.name);
    draft.page.account.platform = Some(Platform::Wechat);
    draft.page.canonical = input.address().and_then(canonical_address);
    let head = Head::read(source);
    let (state, words) = notice(input).unwrap_or((PageState::Unknown, None));
    if let Some(words) = &words {
        draft.text(words, Role::Message, None, &["notice"], false);
    }
    draft.page.title = words.or(head.title);
    if state == PageState::Unknown {
        let detail = (
            "微信页面中既没有正文，也没有认识的提示",
            "a WeChat page with neither an article nor a known notice",
        );
        draft.unseen(PartName::Text, GapReason::UnsupportedFormat, detail);
    }
    draft.page.state = state;
    draft.finish()
}

fn notice_mark(tag: &Tag<'_>) -> bool {
    ["weui-msg__title", "weui-msg__desc", "tips", "mesg-block", "global_error_msg", "title", "weui-msg"]
        .iter()
        .any(|class| tag.has_class(class))
}

/// What stands in place of an article, and its words.
fn notice(input: &Input<'_>) -> Option<(PageState, Option<String>)> {
    let source = input.text();
    if source.len() > MAX_NOTICE {
        return None;
    }
    let outline = Outline::read(source, Ask { mark: notice_mark, lines: false });
    let of = |class: &str| {
        let mut marks = outline.marks.iter().filter(|mark| mark.tag.has_class(class));
        marks.find_map(|mark| filled(&mark.text))
    };
    let headline = of("weui-msg__title").or_else(|| of("mesg-block")).or_else(|| of("global_error_msg"));
    let rest = of("weui-msg__desc").or_else(|| of("tips"));
    let visible = |limit: usize| {
        let mut text = String::new();
        for block in outline.blocks.iter().filter(|block| block.text.chars().any(char::is_alphabetic)) {
            text.push_str(&block.text);
            text.push(' ');
            if text.len() > limit {
                break;
            }
        }
        text
    };
    // Without a notice in its usual place, a page that says little else.
    let few = visible(1_800);
    let message = match &headline {
        Some(headline) => format!("{headline} {}", rest.as_deref().unwrap_or_default()),
        None if few.len() <= 1_800 => few,
        None => return wall_by_address(input).then_some((PageState::Wall, None)),
    };
    let marked = headline.is_none()
        && ["wappoc_appmsgcaptcha", "secitptpage"].iter().any(|mark| contains(source, mark));
    let state = if marked || wall_by_address(input) {
        PageState::Wall
    } else {
        // The headline says what it is; the explanation below may name other things.
        let found = headline.as_deref().and_then(state_of).or_else(|| state_of(&message));
        match found.or_else(|| contains(source, "page_rumor").then_some(PageState::Rumour))? {
            PageState::Violation { .. } => PageState::Violation { reason: rest.map(reason) },
            PageState::Migrated { .. } => {
                let names = ["transferTargetLink", "transfer_target_link"];
                let to = names.iter().find_map(|name| js_data::variable(source, name));
                PageState::Migrated { to: to.map(|value| plain(&value.text)) }
            }
            state => state,
        }
    };
    let words = headline.or_else(|| filled(&message.chars().take(80).collect::<String>()));
    Some((state, words))
}

/// What the words of a notice say.
fn state_of(message: &str) -> Option<PageState> {
    let all: [(PageState, &[&str]); 12] = [
        (
            PageState::Wall,
            &[
                "环境异常",
                "完成验证后即可继续访问",
                "访问过于频繁",
                "操作频繁",
                "请求过于频繁",
                "请输入验证码",
            ],
        ),
        (PageState::Deleted, &["已被发布者删除", "deleted by the author", "已被作者删除", "已删除"]),
        (PageState::Complaint, &["涉嫌侵权"]),
        (PageState::Unavailable, &["发送失败", "暂时无法查看", "系统出错", "系统错误"]),
        (PageState::Violation { reason: None }, &["违规", "涉嫌违反", "violat"]),
        (PageState::Migrated { to: None }, &["公众号已迁移", "帐号已迁移", "账号已迁移"]),
        (PageState::Migrating, &["迁移流程中"]),
        (PageState::Closed, &["自主注销", "已注销"]),
        (PageState::Suspended, &["已被屏蔽", "被屏蔽"]),
        (PageState::Expired, &["链接已过期", "链接过期"]),
        (PageState::Rumour, &["不实信息", "谣言"]),
        (PageState::BadParameters, &["参数错误", "链接不正确"]),
    ];
    let found = all.into_iter().find(|(_, words)| words.iter().any(|word| message.contains(word)));
    found.map(|(state, _)| state)
}

/// The reason without the invitation to look at the rule.
fn reason(text: String) -> String {
    let text =
        ["，查看对应规则", "查看对应规则"].iter().find_map(|end| text.strip_suffix(end)).unwrap_or(&text);
    text.trim().to_owned()
}

fn wall_by_address(input: &Input<'_>) -> bool {
    input.is_from(HOST) && input.address().is_some_and(|address| address.path().contains("captcha"))
}
