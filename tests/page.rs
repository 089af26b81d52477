//! Every kind of page against the truth in `fixtures/page/truth.yaml`, and hostile pages.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Deserialize;
use url::Url;
use zhijian::model::{LinkKind, PageForm, PageState, PartName, RenameKind, Role, UiText, Verdict};
use zhijian::page::{self, Input, Read, canonical_address};

use crate::common::encode;
use crate::common::filler;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    file: String,
    #[serde(default)]
    insert: BTreeMap<String, String>,
    grow: Option<usize>,
    address: Option<String>,
    encode: Option<String>,
    kind: Option<String>,
    state: Option<String>,
    detail: Option<String>,
    title: Option<String>,
    author: Option<String>,
    published: Option<String>,
    form: Option<String>,
    original: Option<bool>,
    region: Option<String>,
    canonical: Option<String>,
    source: Option<String>,
    #[serde(default)]
    account: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    body: Vec<String>,
    #[serde(default)]
    footer: Vec<String>,
    #[serde(default)]
    not_body: Vec<String>,
    #[serde(default)]
    absent: Vec<String>,
    #[serde(default)]
    links: Vec<String>,
    #[serde(default)]
    controls: Vec<String>,
    images: Option<u64>,
    verdict: Option<String>,
    entries: Option<Vec<String>>,
    counts: Option<Vec<String>>,
    rejected: Option<Vec<String>>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/page")
}

fn source(name: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap()
}

fn cases() -> Vec<Case> {
    serde_saphyr::from_str(&source("truth.yaml")).unwrap()
}

/// The bytes of a case.
fn bytes(case: &Case) -> Vec<u8> {
    let mut text = source(&case.file);
    for (name, value) in &case.insert {
        text = text.replace(&format!("@{name}@"), value);
    }
    if let Some(size) = case.grow {
        text = filler::grown(&text, size);
    }
    encode::encoded(text, case.encode.as_deref())
}

fn read(bytes: &[u8]) -> Read {
    page::read(&Input::new(bytes, None, None))
}

fn is_footer(text: &UiText) -> bool {
    text.chain.last().is_some_and(|step| step.contains("页脚"))
}

fn word(value: &impl serde::Serialize) -> String {
    match serde_json::to_value(value).unwrap() {
        serde_json::Value::String(text) => text,
        serde_json::Value::Object(fields) => fields.into_iter().next().unwrap().0,
        other => other.to_string(),
    }
}

fn form(form: PageForm) -> String {
    match form {
        PageForm::Other(number) => format!("other {number}"),
        known => word(&known),
    }
}

fn or_dash<T: ToString>(value: Option<T>) -> String {
    value.map_or("-".to_owned(), |value| value.to_string())
}

fn check(case: &Case, read: &Read) -> Vec<String> {
    let page = &read.page;
    let mut wrong = Vec::new();
    let mut same = |what: &str, is: Option<String>, should: &Option<String>| {
        if let Some(should) = should
            && is.as_deref() != Some(should)
        {
            wrong.push(format!("{}: {what} is {is:?}, not {should:?}", case.name));
        }
    };
    same("kind", Some(read.inspection.format.to_owned()), &case.kind);
    same("state", Some(word(&page.state)), &case.state);
    let detail = match &page.state {
        PageState::Violation { reason } => reason.clone(),
        PageState::Migrated { to } => to.clone(),
        _ => None,
    };
    same("detail", detail, &case.detail);
    same("title", page.title.clone(), &case.title);
    same("author", page.author.clone(), &case.author);
    same("published", page.published.map(|time| time.to_string()), &case.published);
    same("form", page.form.map(form), &case.form);
    same("original", page.original.map(|o| o.to_string()), &case.original.map(|o| o.to_string()));
    same("region", page.region.clone(), &case.region);
    same("canonical", page.canonical.clone(), &case.canonical);
    same("source", page.source.clone(), &case.source);
    let coverage = read.inspection.coverage();
    same("verdict", Some(word(&coverage.verdict)), &case.verdict);
    same(
        "images",
        Some(read.inspection.unread_count(PartName::Images).to_string()),
        &case.images.map(|n| n.to_string()),
    );
    let mut account = serde_json::to_value(&page.account).unwrap();
    account["renames"] = page
        .account
        .renames
        .iter()
        .map(|rename| {
            let kind = match rename.kind {
                RenameKind::Registered => "registered",
                RenameKind::Renamed => "renamed",
                RenameKind::Migrated => "migrated",
            };
            let from = rename.from.as_ref().map_or(String::new(), |from| format!("{from} "));
            format!("{} {kind} {from}-> {}", or_dash(rename.date), rename.to)
        })
        .collect();
    for (field, should) in &case.account {
        if account.get(field) != Some(should) {
            wrong.push(format!("{}: account.{field} is {:?}, not {should}", case.name, account.get(field)));
        }
    }
    let texts = &read.inspection.texts;
    let find = |text: &str, role: Role, footer: bool| {
        texts.iter().any(|found| found.text == text && found.role == role && is_footer(found) == footer)
    };
    let lists = [
        (&case.body, Role::Body, false, "body"),
        (&case.footer, Role::Body, true, "footer"),
        (&case.controls, Role::Control, false, "controls"),
    ];
    for (list, role, footer, what) in lists {
        for text in list.iter().filter(|text| !find(text, role, footer)) {
            let like: Vec<_> = texts.iter().map(|t| (t.role, &t.text, is_footer(t))).take(40).collect();
            wrong.push(format!("{}: no {what} {text:?} in {like:#?}", case.name));
        }
    }
    for text in &case.not_body {
        if !texts.iter().any(|found| found.text.contains(text.as_str()) && found.role != Role::Body)
            || texts.iter().any(|found| found.text.contains(text.as_str()) && found.role == Role::Body)
        {
            wrong.push(format!("{}: {text:?} is body, or nothing", case.name));
        }
    }
    for text in &case.absent {
        if let Some(found) = texts.iter().find(|found| found.text.contains(text.as_str())) {
            wrong.push(format!("{}: {found:?}", case.name));
        }
    }
    let links: Vec<String> =
        page.links.iter().map(|link| format!("{} {}", word(&link.kind), link.address)).collect();
    for link in case.links.iter().filter(|link| !links.contains(link)) {
        wrong.push(format!("{}: no link {link:?} in {links:#?}", case.name));
    }
    let entries = page.entries.iter();
    let mut list = |what: &str, is: Vec<String>, should: &Option<Vec<String>>| {
        if let Some(should) = should
            && &is != should
        {
            wrong.push(format!("{}: {what} are {is:#?}, not {should:#?}", case.name));
        }
    };
    let line = |entry: &zhijian::model::Entry| {
        format!(
            "{} {} {}",
            or_dash(entry.published),
            or_dash(entry.title.clone()),
            or_dash(entry.address.clone())
        )
    };
    list("entries", entries.clone().map(line).collect(), &case.entries);
    let counts = |entry: &zhijian::model::Entry| {
        let platform = entry.platform.map(|platform| word(&platform));
        let counts = [entry.forwards, entry.comments, entry.likes].map(or_dash);
        format!("{} {} {}", or_dash(entry.published), or_dash(platform), counts.join(" "))
    };
    list("counts", entries.map(counts).collect(), &case.counts);
    let rejected = page.rejected.iter().map(|row| format!("{} {}", row.line, row.reason)).collect();
    list("rejected", rejected, &case.rejected);
    // Whatever is said has its place: an offset leads to the text or to the literal that holds it.
    wrong
}

#[test]
fn every_page_is_what_its_truth_says() {
    let mut wrong = Vec::new();
    let cases = cases();
    for case in &cases {
        let bytes = bytes(case);
        let address = case.address.as_deref().map(|address| Url::parse(address).unwrap());
        let read = page::read(&Input::new(&bytes, None, address));
        wrong.extend(check(case, &read));
    }
    assert!(cases.len() > 40);
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_state_and_form_has_a_page() {
    let cases = cases();
    let states = [
        "shown",
        "deleted",
        "violation",
        "migrated",
        "closed",
        "migrating",
        "suspended",
        "expired",
        "complaint",
        "rumour",
        "unavailable",
        "bad-parameters",
        "wall",
        "challenge",
        "unknown",
    ];
    for state in states {
        assert!(cases.iter().any(|case| case.state.as_deref() == Some(state)), "{state}");
    }
    for form in ["article", "video", "music", "audio", "pictures", "text", "share", "note"] {
        assert!(cases.iter().any(|case| case.form.as_deref() == Some(form)), "{form}");
    }
}

#[test]
fn offsets_lead_to_the_texts() {
    let page = filler::grown(&source("article.html"), 1_000_000);
    let read = read(page.as_bytes());
    let mut checked = 0;
    for text in read.inspection.texts.iter().filter(|text| text.role == Role::Body && !is_footer(text)) {
        let Some(zhijian::model::At::Offset(offset)) = text.place.at else { panic!("{text:?}") };
        let first: String = text.text.chars().take(2).collect();
        assert!(page[offset as usize..].starts_with(&first), "{text:?}");
        checked += 1;
    }
    assert!(checked >= 3);
}

#[test]
fn a_page_that_says_less_is_read_with_less() {
    let page = source("article.html").replace("window.cgiDataNew", "window.other");
    let read = read(page.as_bytes());
    assert_eq!(read.page.title.as_deref(), Some("示例县召开秋季防火工作会议"));
    assert_eq!(read.page.published.unwrap().to_string(), "2025-11-10T04:00:10Z");
    assert_eq!(read.page.account.name.as_deref(), Some("示例县发布"));
    assert_eq!(read.page.account.id.as_deref(), Some("gh_0123456789ab"));
    assert_eq!(read.page.form, Some(PageForm::Article));
    let bare = page.replace("var ", "let ");
    let read = page::read(&Input::new(
        bare.as_bytes(),
        None,
        Some(Url::parse("https://mp.weixin.qq.com/s/x_1").unwrap()),
    ));
    assert_eq!(read.page.title.as_deref(), Some("示例县召开秋季防火工作会议"));
    assert_eq!(read.page.account.name.as_deref(), Some("示例县发布"));
    assert_eq!((read.page.published, read.page.form), (None, None));
    assert_eq!(read.page.canonical.as_deref(), Some("https://mp.weixin.qq.com/s/x_1"));
}

#[test]
fn dates_that_make_no_sense_are_told() {
    for bad in ["9999999", "99999999999999999999", "0"] {
        let page = source("article.html")
            .replace("1762747210", bad)
            .replace("2025-11-10 12:00", "9999999-13-40 99:99");
        let read = read(page.as_bytes());
        assert_eq!(read.page.published, None, "{bad}");
        let anomalies = read.inspection.anomalies();
        assert!(anomalies.iter().any(|anomaly| anomaly.code == "page.bad-date"), "{anomalies:?}");
    }
    let page = source("government.html").replace("2026-05-18 10:19\">", "9999999-05-18 10:19\">");
    assert!(
        read(page.as_bytes()).inspection.anomalies().iter().any(|anomaly| anomaly.code == "page.bad-date")
    );
}

#[test]
fn addresses_of_the_same_article_are_one() {
    let canonical = |address: &str| canonical_address(&Url::parse(address).unwrap());
    let long = "https://mp.weixin.qq.com/s?__biz=MzA==&mid=1&idx=2&sn=ab";
    for address in [
        "http://mp.weixin.qq.com/s?__biz=MzA==&mid=1&idx=2&sn=ab&chksm=99&scene=21#wechat_redirect",
        "https://mp.weixin.qq.com/s?__biz=MzA==&amp;mid=1&amp;idx=2&amp;sn=ab",
        "https://mp.weixin.qq.com/s?scene=1&sn=ab&idx=2&mid=1&__biz=MzA%3D%3D",
        "https://mp.weixin.qq.com/mp/appmsg/show?__biz=MzA==&appmsgid=1&itemidx=2&sign=ab",
    ] {
        assert_eq!(canonical(address).as_deref(), Some(long), "{address}");
    }
    assert_eq!(
        canonical("https://mp.weixin.qq.com/s/Ab-_9?x=1#y").as_deref(),
        Some("https://mp.weixin.qq.com/s/Ab-_9")
    );
    for address in [
        "https://mp.weixin.qq.com/s?src=11&timestamp=1&ver=1&signature=x",
        "https://example.gov.cn/s/abc",
        "https://mp.weixin.qq.com/s/a%2Fb",
        "https://mp.weixin.qq.com/mp/profile_ext?action=home&__biz=MzA==",
    ] {
        assert_eq!(canonical(address), None, "{address}");
    }
}

/// A page that was read in time, whatever came of it.
fn in_time(bytes: &[u8], limit: Duration) -> Read {
    let start = Instant::now();
    let read = read(bytes);
    let took = start.elapsed();
    assert!(took < limit, "{took:?}");
    read
}

#[test]
fn cut_anywhere_a_page_is_read_and_the_loss_told() {
    for name in [
        "article.html",
        "pictures.html",
        "government.html",
        "profile.html",
        "feed.rss",
        "sitemap.xml",
        "weibo.csv",
        "toutiao.json",
        "notice.html",
    ] {
        let page = source(name).into_bytes();
        let step = page.len() / 150 + 1;
        for end in (0..page.len()).step_by(step) {
            read(&page[..end]);
        }
    }
    // Cut off within the body.
    let page = source("article.html");
    let at = page.find("关注本账号").unwrap();
    let cut = read(&page.as_bytes()[..at]);
    assert_eq!(cut.inspection.coverage().verdict, Verdict::Partial);
    assert!(cut.inspection.anomalies().iter().any(|anomaly| anomaly.code == "page.cut-off"));
    // Cut off within the text that carries the body of a page of pictures.
    let page = source("pictures.html");
    let at = page.find("连续十天").unwrap();
    let read = read(&page.as_bytes()[..at]);
    assert_eq!(read.page.title.as_deref(), Some("秋天的示例湖"));
    assert_eq!(read.inspection.coverage().verdict, Verdict::Partial);
    assert!(read.inspection.texts.iter().any(|text| text.text.starts_with("请全体干部")));
}

#[test]
fn flipped_bytes_do_no_harm() {
    let mut random = fastrand::Rng::with_seed(7);
    for name in [
        "article.html",
        "pictures.html",
        "government.html",
        "profile.html",
        "feed.atom",
        "sitemap.xml",
        "weibo.csv",
        "weibo.jsonl",
        "captcha.html",
    ] {
        let page = source(name).into_bytes();
        for _ in 0..60 {
            let mut broken = page.clone();
            for _ in 0..random.usize(1..20) {
                let at = random.usize(..broken.len());
                broken[at] = random.u8(..);
            }
            read(&broken);
        }
    }
}

#[test]
fn a_hundred_megabytes_of_escapes() {
    let (head, tail) = (
        "<html><body><div id=\"js_article\"></div><script>window.cgiDataNew = { title: JsDecode('甲'), item_show_type: '8' * 1, content_noencode: JsDecode('",
        "') };</script>",
    );
    let page = [head, &"\\x3c".repeat(25 << 20), tail].concat();
    let read = in_time(page.as_bytes(), Duration::from_secs(60));
    assert_eq!(read.page.title.as_deref(), Some("甲"));
    assert!(read.inspection.texts.len() < 100);
}

#[test]
fn nesting_and_numbers_are_bounded() {
    let seconds = Duration::from_secs(30);
    let wrap = |body: &str| {
        format!(
            "<html><body><div id=\"js_article\"><div id=\"js_content\">{body}</div></div><script>var msg_title = '题';</script>"
        )
    };
    let deep = wrap(&format!("{}请转发{}", "<section>".repeat(200_000), "</section>".repeat(200_000)));
    let found = in_time(deep.as_bytes(), seconds);
    assert!(found.inspection.texts.iter().any(|text| text.text == "请转发"));
    let many = wrap(&"<p>段</p>".repeat(200_000));
    let found = in_time(many.as_bytes(), seconds);
    assert!(found.inspection.texts.len() <= 50_001);
    assert_eq!(found.inspection.coverage().verdict, Verdict::Partial);
    let links = wrap(&"<a href=x>段</a>".repeat(200_000));
    let found = in_time(links.as_bytes(), seconds);
    assert!(found.page.links.iter().filter(|link| link.kind == LinkKind::Link).count() <= 50_000);
    let site = format!("<html><body>{}", "<div class=content><a href=x>".repeat(100_000));
    in_time(site.as_bytes(), seconds);
    let items = format!("<rss><channel>{}</channel></rss>", "<item/>".repeat(300_000));
    let found = in_time(items.as_bytes(), seconds);
    assert_eq!(found.inspection.coverage().verdict, Verdict::Partial);
    let urls = format!("<urlset>{}</urlset>", "<url><loc>a</loc></url>".repeat(120_000));
    let found = in_time(urls.as_bytes(), seconds);
    assert_eq!(found.page.entries.len(), 100_000);
    assert_eq!(found.inspection.coverage().verdict, Verdict::Partial);
    in_time("[".repeat(1_000_000).as_bytes(), seconds);
    in_time(format!("[{{\"title\":{}", "[".repeat(1_000_000)).as_bytes(), seconds);
    in_time("<feed>".repeat(200_000).as_bytes(), seconds);
    in_time(format!("<rss>{}", "<a>".repeat(200_000)).as_bytes(), seconds);
    in_time("id=\"js_content\"".repeat(200_000).as_bytes(), seconds);
    in_time(format!("<html>{}", "var msg_title ".repeat(200_000)).as_bytes(), seconds);
    in_time(format!("<html>{}", "window.cgiDataNew = [".repeat(100_000)).as_bytes(), seconds);
}

#[test]
fn nuls_lone_surrogates_and_wrong_charsets() {
    let page = source("pictures.html").replace("湖水、红叶\\x26amp;老街。", "湖\\uD83D水\\uDE00\\u0000坏");
    let found = read(page.as_bytes());
    assert!(
        found.inspection.texts.iter().any(|text| text.text.contains("湖\u{FFFD}水\u{FFFD}")),
        "{:?}",
        found.inspection.texts
    );
    let nul = source("article.html").replace("防火", "防\0火");
    assert_eq!(read(nul.as_bytes()).page.state, PageState::Shown);
    read(&[0; 100_000]);
    // A header that lies is not believed.
    let page = source("government.html");
    let said = page::read(&Input::new(page.as_bytes(), Some("text/html; charset=GBK"), None));
    assert_eq!(said.page.account.name.as_deref(), Some("示例市人民政府"));
    // Bytes that are no characters are a gap.
    let mut broken = page.into_bytes();
    let at = broken.len() / 2;
    broken.splice(at..at, [0xFF, 0xFE, 0xFF]);
    let found = read(&broken);
    assert_eq!(found.page.account.name.as_deref(), Some("示例市人民政府"));
    assert_eq!(found.inspection.coverage().verdict, Verdict::Partial);
}

#[test]
fn what_is_no_page_is_a_gap() {
    for bytes in [b"" as &[u8], b"  \n", b"PK\x03\x04", b"just words", b"\x89PNG\r\n", b"{\"a\": 1}"] {
        let found = read(bytes);
        assert_eq!(found.inspection.format, "unknown", "{bytes:?}");
        assert_eq!(found.page.state, PageState::Unknown);
        assert_eq!(found.inspection.coverage().verdict, Verdict::Opaque);
    }
}

#[test]
fn a_site_that_uses_the_same_frames_is_a_site() {
    let page = "<html><head><title>提交成功</title><link href='//res.wx.qq.com/weui.css'></head><body>\
                <div class='weui-msg'><h2 class='weui-msg__title'>提交成功</h2></div><p>感谢您对示例市政务服务的关注与支持，我们将尽快办理。</p>";
    assert_eq!(read(page.as_bytes()).inspection.format, "government");
    let pasted = "<html><head><title>转载</title></head><body><div class='rich_media_content' id=\"js_content\"><p>转载自公众号的一篇文章，内容是防汛工作部署。</p></div>";
    let found = read(pasted.as_bytes());
    assert_eq!(found.inspection.format, "government");
    assert!(found.inspection.texts.iter().any(|text| text.role == Role::Body));
}

#[test]
fn a_long_paragraph_becomes_several_and_loses_nothing() {
    let sentence = "请认真阅读以下说明。".repeat(2_000);
    let page = source("form.html").replace("@BODY@", &format!("<p>{sentence}</p>")).replace("@NUMBER@", "0");
    let found = read(page.as_bytes());
    let pieces: Vec<&str> = found
        .inspection
        .texts
        .iter()
        .filter(|text| text.role == Role::Body)
        .map(|text| text.text.as_str())
        .collect();
    assert!(pieces.len() > 4);
    assert_eq!(pieces.concat(), sentence);
    assert!(pieces.iter().all(|piece| piece.ends_with('。')));
}

#[test]
fn an_advertisement_under_an_article_is_no_footer() {
    let body = "<p>正文一段，说明情况。</p><p><a href='https://shop.example.com/x'>限时抢购，点击下单</a></p>\
                <p><a href='https://mp.weixin.qq.com/s/abc'>上一篇：春耕</a></p><p>编辑：甲</p>";
    let page = source("form.html").replace("@BODY@", body).replace("@NUMBER@", "0");
    let found = read(page.as_bytes());
    let footer =
        |text: &str| is_footer(found.inspection.texts.iter().find(|found| found.text == text).unwrap());
    assert_eq!(
        (footer("限时抢购，点击下单"), footer("上一篇：春耕"), footer("编辑：甲")),
        (false, true, true)
    );
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 200, ..Default::default() })]
    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(0u8.., 0..400)) {
        read(&bytes);
    }

    #[test]
    fn any_page_like_text_is_read(text in "(<(html|rss|urlset|div|p|a|meta)( id=\"js_content\"| class=\"weui-msg__title\"| href=x)?>|window\\.cgiDataNew = \\{|title: JsDecode\\('|'|\\},?|标题,正文\n|打卡|,|\n|&amp;|\\\\x3c){0,30}") {
        read(text.as_bytes());
    }
}

/// Found by fuzzing: the parser of feeds panics at a declaration within a document.
#[test]
fn a_feed_within_a_feed_is_no_end() {
    let feed = "<?xml version=\"1.0\" encoding=\"utf-8\"?><rss version=\"2.0\"><channel><title>示例县要闻</title>\
                <item><title>第一条</title></item><?xml version=\"1.0\" encoding=\"GB2312\"?>\
                <item><title>第二条</title></item></channel></rss>";
    let read = read(feed.as_bytes());
    let titles: Vec<_> = read.page.entries.iter().filter_map(|entry| entry.title.as_deref()).collect();
    assert_eq!(titles, ["第一条", "第二条"]);
}
