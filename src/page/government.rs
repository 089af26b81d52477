//! Pages of government sites, and other pages of the web: the standard metas (国办发〔2017〕47号: `SiteName`,
//! `SiteIDCode`, `ColumnName`, `ArticleTitle`, `PubDate`, `ContentSource`), and the running text, found by the
//! usual containers of the publishing systems or else as the element that holds most of the prose.

use super::draft::{Draft, leads};
use super::{Head, Input, Kind, Read, contains, filled, footer};
use crate::decode::date;
use crate::decode::outline::{Ask, Outline, Token, Tokens};
use crate::model::{GapReason, PageState, PartName, Platform, Role};

pub(super) const KIND: Kind = Kind {
    name: "government",
    title: ("政府网站及其他网页", "page of a government site or another page of the web"),
    matches: |input| input.is_markup(),
    read,
};

const ASK: Ask = Ask { mark: leads, lines: false };
/// Ids and classes of the container of an article, in small letters, as publishing systems for governments have them.
const CONTAINERS: &[&str] = &[
    "ucap-content",
    "ucapcontent",
    "trs_editor",
    "trs_editor_view",
    "trs_uedtior",
    "trs_ueditor",
    "zoom",
    "js_content",
    "pages_content",
    "article-content",
    "article_content",
    "articlecontent",
    "article-con",
    "article_con",
    "artcontent",
    "art_con",
    "bt_content",
    "bt-content",
    "news_content",
    "newscontent",
    "news-content",
    "news_con",
    "xxgk_content",
    "content_main",
    "main_content",
    "maincontent",
    "detail-content",
    "detail_content",
    "detailcontent",
    "con_text",
    "vf_detail_content",
    "txtcontent",
    "textcontent",
    "text_content",
    "info-content",
    "view_content",
    "xl_content",
    "zwcontent",
    "contentbox",
    "content-box",
    "info_content",
    "rich_media_content",
    "article",
    "content",
];
/// Words of scripts that set a cookie before the page is given out.
const CHALLENGES: &[&str] = &[
    "_bot_sbu",
    "__jsl_clearance",
    "acw_sc__v2",
    "arg1=",
    "wzwsquestion",
    "wzwschallenge",
    "$_ts",
    "_cf_chl",
    "tst_status",
];
/// Shorter blocks are lines, not prose.
const PROSE_CHARS: usize = 18;

fn read(input: &Input<'_>) -> Read {
    let mut draft = Draft::new(input, KIND.name);
    let source = input.text();
    let head = Head::read(source);
    let outline = Outline::read(source, ASK);
    draft.page.account.platform = Some(Platform::Website);
    if is_challenge(source, &outline) {
        draft.page.state = PageState::Challenge;
        draft.page.title = head.title;
        return draft.finish();
    }
    if is_wall(&outline) {
        draft.page.state = PageState::Wall;
        draft.page.title = head.title;
        return draft.finish();
    }
    draft.check_end();
    metas(&mut draft, &head);
    if is_missing(&outline, head.title.as_deref()) {
        draft.page.state = PageState::Unavailable;
    }
    let title = head.meta(&["articletitle", "og:title"]);
    let from = if title.is_some() { "meta ArticleTitle" } else { "title" };
    draft.title(title.or_else(|| head.title.clone()), None, from);
    if draft.page.published.is_none() {
        draft.page.published = visible_date(&outline);
    }
    let body = container(&outline).or_else(|| densest(&outline));
    let has_body = body.is_some();
    texts(&mut draft, &outline, body);
    let prose = outline.blocks.iter().filter(|block| block.text.chars().count() >= PROSE_CHARS).count();
    if !has_body && prose == 0 && contains(source, "<script") && draft.page.state == PageState::Shown {
        let detail =
            ("页面没有正文，内容可能由脚本加载", "the page has no running text; scripts may load it");
        draft.unseen(PartName::Text, GapReason::Remote, detail);
    }
    draft.issues(outline.issues);
    draft.finish()
}

fn metas(draft: &mut Draft<'_>, head: &Head<'_>) {
    let dates = [
        "pubdate",
        "publishdate",
        "publish_time",
        "article:published_time",
        "firstpublishedtime",
        "pubtime",
        "date",
    ];
    if let Some(text) = head.meta(&dates) {
        draft.page.published = date::any(&text);
        if draft.page.published.is_none() {
            draft.bad_date(&text);
        }
    }
    draft.page.author = head.meta(&["author"]);
    draft.page.source = head.meta(&["contentsource", "source"]);
    draft.page.canonical = head.canonical.clone().or_else(|| head.meta(&["url", "og:url"]));
    draft.page.account.name = head.meta(&["sitename", "og:site_name"]);
    draft.page.account.id = head.meta(&["siteidcode"]);
    if let Some(summary) = head.meta(&["description"]) {
        draft.text(&summary, Role::Label, None, &["meta Description"], false);
    }
}

/// What the page shows besides its body is a label; so is everything where there is no body.
fn texts(draft: &mut Draft<'_>, outline: &Outline<'_>, body: Option<(std::ops::Range<usize>, String)>) {
    let (range, from) = body.unwrap_or((0..0, String::new()));
    let lines: Vec<(&str, bool)> =
        outline.blocks[range.clone()].iter().map(|block| (block.text.as_str(), false)).collect();
    let footers = footer::footer(&lines);
    // Elements stand behind those around them.
    let mut bottoms: Vec<bool> = Vec::with_capacity(outline.elements.len());
    for element in &outline.elements {
        let own = element.tag.is("footer") || element.tag.is("nav") || element.tag.has_class("footer");
        bottoms.push(own || bottoms.get(element.parent).copied().unwrap_or_default());
    }
    let bottom = |element: usize| bottoms.get(element).copied().unwrap_or_default();
    let mut marks = vec![false; outline.blocks.len()];
    for (index, block) in outline.blocks.iter().enumerate() {
        let offset = Some(block.offset);
        if range.contains(&index) {
            let footer = footers.get(index - range.start).copied().unwrap_or_default();
            marks[index] = footer;
            if block.button {
                draft.control(&block.text, "button", None, offset, &[&from]);
            } else {
                draft.text(&block.text, Role::Body, offset, &[&from], footer);
            }
        } else if block.button {
            draft.control(&block.text, "button", None, offset, &[]);
        } else {
            let footer = bottom(block.element);
            marks[index] = footer;
            draft.text(&block.text, Role::Label, offset, &[], footer);
        }
    }
    for mark in &outline.marks {
        let footer = marks.get(mark.block).copied().unwrap_or_default() || bottom(mark.element);
        draft.mark(mark, footer, &[if range.contains(&mark.block) { &from } else { "" }]);
    }
}

/// The blocks of the innermost usual container that holds text, and what it is called.
fn container(outline: &Outline<'_>) -> Option<(std::ops::Range<usize>, String)> {
    // Some systems mark the text by comments.
    let place = |words: &[&str]| {
        let mut comments = outline.comments.iter();
        comments.find(|(_, text)| words.iter().any(|word| text.contains(word))).map(|(at, _)| *at)
    };
    let begin = place(&["content.begin", "ContentStart", "正文开始"]);
    if let (Some(begin), Some(end)) = (begin, place(&["content.end", "ContentEnd", "正文结束"]))
        && begin < end
    {
        return Some((begin..end, "<!-- content -->".to_owned()));
    }
    let mut best: Option<(usize, usize)> = None;
    for (index, element) in outline.elements.iter().enumerate() {
        if element.blocks.is_empty() {
            continue;
        }
        let Some(rank) = rank(element) else { continue };
        let length: usize =
            outline.blocks[element.blocks.clone()].iter().map(|block| block.text.len() - block.linked).sum();
        // Navigation may be called content too; an article is more than a line, unless nothing else is there.
        if length < 60 && rank > 20 {
            continue;
        }
        if best.is_none_or(|(known, _)| rank < known) {
            best = Some((rank, index));
        }
    }
    let (_, index) = best?;
    let element = outline.elements.get(index)?;
    let name = match element.tag.attribute("id") {
        Some(id) => format!("#{id}"),
        None => format!(".{}", element.tag.attribute("class").unwrap_or_default().trim()),
    };
    Some((element.blocks.clone(), name))
}

fn rank(element: &crate::decode::outline::Element<'_>) -> Option<usize> {
    let names = |value: &str| {
        let value = value.to_ascii_lowercase();
        value
            .split_ascii_whitespace()
            .filter_map(|name| CONTAINERS.iter().position(|known| *known == name))
            .min()
    };
    let id = element.tag.attribute("id").and_then(|id| names(&id));
    let class = element.tag.attribute("class").and_then(|class| names(&class));
    let tag = element.tag.is("article").then_some(CONTAINERS.len());
    id.into_iter().chain(class).chain(tag).min()
}

/// The element that holds most of the prose: a paragraph counts for the element around it, and half for the one
/// around that, so that the box of the article beats the page.
fn densest(outline: &Outline<'_>) -> Option<(std::ops::Range<usize>, String)> {
    let mut scores = vec![0usize; outline.elements.len()];
    for block in &outline.blocks {
        let length = block.text.chars().count();
        if length < PROSE_CHARS || block.linked * 2 > block.text.len() {
            continue;
        }
        // A paragraph, an item or a cell is no box.
        const PARTS: [&str; 7] = ["p", "li", "ul", "ol", "td", "tr", "tbody"];
        let mut first = block.element;
        while let Some(element) = outline.elements.get(first)
            && element.parent != first
            && PARTS.iter().any(|part| element.tag.is(part))
        {
            first = element.parent;
        }
        let second = outline.elements.get(first)?.parent;
        scores[first] += 2 * length;
        if second != first {
            scores[second] += length;
        }
    }
    let (index, score) =
        scores.iter().enumerate().max_by_key(|(index, score)| (**score, usize::MAX - index))?;
    if *score < 2 * 3 * PROSE_CHARS {
        return None;
    }
    let element = outline.elements.get(index)?;
    let name = element.tag.attribute("id").map(|id| format!("#{id}"));
    let class =
        || element.tag.attribute("class").and_then(|class| filled(&class)).map(|class| format!(".{class}"));
    Some((element.blocks.clone(), name.or_else(class).unwrap_or_else(|| element.tag.name.to_owned())))
}

/// `发布时间：2026-05-18 10:19` near the head of the article.
fn visible_date(outline: &Outline<'_>) -> Option<jiff::Timestamp> {
    const NAMES: &[&str] = &["发布时间", "发布日期", "发文日期", "日期", "时间"];
    outline.blocks.iter().find_map(|block| {
        let (_, behind) = NAMES.iter().find_map(|name| block.text.split_once(name))?;
        let behind = behind.trim_start().strip_prefix(['：', ':', '】', ']'])?;
        date::any(&behind.chars().take(40).collect::<String>())
    })
}

fn visible_chars(outline: &Outline<'_>) -> usize {
    outline.blocks.iter().map(|block| block.text.chars().filter(|ch| ch.is_alphabetic()).count()).sum()
}

/// A script that sets a cookie and asks again, and hardly a word.
fn is_challenge(source: &str, outline: &Outline<'_>) -> bool {
    if visible_chars(outline) > 120 {
        return false;
    }
    let mut cookie = false;
    let mut again = false;
    for token in Tokens::from(source, 0) {
        let Token::Raw(script) = token else { continue };
        if CHALLENGES.iter().any(|word| contains(script, word)) {
            return true;
        }
        cookie |= contains(script, "document.cookie");
        again |= ["location.reload", "location.href", "location.replace", "window.location", "location="]
            .iter()
            .any(|word| contains(script, word));
    }
    cookie && again
}

/// A page that says hardly anything but that a person has to prove to be one.
fn is_wall(outline: &Outline<'_>) -> bool {
    if visible_chars(outline) > 120 {
        return false;
    }
    const WORDS: &[&str] =
        &["访问过于频繁", "请求过于频繁", "请完成安全验证", "请完成验证", "人机验证", "滑动验证", "环境异常"];
    outline.blocks.iter().any(|block| WORDS.iter().any(|word| block.text.contains(word)))
}

/// A page that says hardly anything but that there is none.
fn is_missing(outline: &Outline<'_>, title: Option<&str>) -> bool {
    if visible_chars(outline) > 160 {
        return false;
    }
    const WORDS: &[&str] = &[
        "404 not found",
        "403 forbidden",
        "页面不存在",
        "您访问的页面",
        "找不到页面",
        "页面未找到",
        "502 bad gateway",
        "503 service",
    ];
    let has = |text: &str| {
        let text = text.to_lowercase();
        WORDS.iter().any(|word| text.contains(word))
    };
    title.is_some_and(has) || outline.blocks.iter().any(|block| has(&block.text))
}
