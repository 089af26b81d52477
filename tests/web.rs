//! The pages of the workplace, as browsers get them: every link of every role leads somewhere, nothing of a package
//! becomes markup, nothing comes from elsewhere, and nobody finds what is not theirs to do.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use crate::common::report;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use scraper::{ElementRef, Html, Selector};
use sha2::{Digest, Sha256};
use tower::ServiceExt;
use zhijian::config::Config;
use zhijian::fetch::Store;
use zhijian::ledger::{Ledger, scan_record};
use zhijian::model::{
    Control, Deed, Event, OfficeLevel, Report, RosterEntry, Shown, Surface, TargetKind, beijing_day, hex,
};
use zhijian::rule::RuleSet;
use zhijian::run::{Cause, Missed, Outcome, Reason};
use zhijian::server::App;
use zhijian::server::jobs::{Begun, Call, Filter, Lane, State, Ticket, What};

const GRID: &str = "app:cn.gov.example.grid";
const HALL: &str = "mini-program:wx0123456789abcdef";
const PASSWORD: &str = "correct horse battery";

/// A service with a small province in it.
struct World {
    app: App,
    router: Router,
    _folder: tempfile::TempDir,
}

fn entry(kind: TargetKind, name: &str, owner: &str, region: &str) -> RosterEntry {
    RosterEntry {
        name: Some(name.into()),
        owner: Some(owner.into()),
        region: Some(region.into()),
        level: Some(OfficeLevel::City),
        ..RosterEntry::new(kind)
    }
}

/// The screen of the button that `report::ordinary` finds, with a field and another button.
fn surface(screen: &str, label: &str) -> Surface {
    let on = Some(screen.to_owned());
    let control = |id: &str, label: &str| Control {
        screen: on.clone(),
        id: Some(id.into()),
        label: Some(label.into()),
        ..Control::default()
    };
    Surface {
        screens: vec![Shown { name: screen.into(), label: Some("巡查".into()), screen: None }],
        controls: vec![control("btn_back", "返回"), control("btn_patrol", label)],
        fields: vec![Shown { name: "et_note".into(), label: Some("备注".into()), screen: on.clone() }],
        ..Surface::default()
    }
}

async fn record(ledger: &Ledger, target: &str, at: Timestamp, report: &Report) -> u64 {
    let json = serde_json::to_vec(report).unwrap();
    let digest = hex(&Sha256::digest(&json));
    let deed = Deed::Scanned(Box::new(scan_record(report, digest.clone(), &[])));
    let event = Event { target: target.into(), at, actor: "zhijian".into(), deed };
    ledger.append_with(&[(&digest, &json)], &[event]).await.unwrap()
}

async fn world() -> World {
    let folder = tempfile::tempdir().unwrap();
    let address = format!("sqlite:{}", folder.path().join("ledger.db").display());
    let ledger = Ledger::open(&address).await.unwrap();
    let store = Store::open(&folder.path().join("store")).unwrap();
    let app = App::new(ledger, RuleSet::embedded().unwrap(), store, Config::default());
    let now = Timestamp::now();
    let ago = |days: i64| now - SignedDuration::from_hours(24 * days);
    let hostile = "app:<script>alert(1)</script>\"'&/x?y#z%".to_owned();
    let rows = [
        (GRID, entry(TargetKind::App, "某市网格通", "某市大数据局", "某省/某市")),
        (HALL, entry(TargetKind::MiniProgram, "便民服务", "某县政务服务局", "某省/某市/某县")),
        (&*hostile, entry(TargetKind::App, report::HOSTILE, report::HOSTILE, "某省/<b>县")),
        ("app:cn.gov.other.river", entry(TargetKind::App, "河长通", "另市水务局", "某省/另市")),
    ];
    let event = |target: &str, at, deed| Event { target: target.into(), at, actor: "李四".into(), deed };
    let mut events: Vec<Event> = rows
        .into_iter()
        .map(|(target, entry)| event(target, ago(40), Deed::Enrolled { entry: Box::new(entry) }))
        .collect();
    events.push(event(HALL, ago(39), Deed::Filed { number: "某政备1号".into() }));
    app.ledger.append(&events).await.unwrap();
    let mut grid = report::ordinary();
    grid.surface = Some(surface("cn.gov.example.grid.patrol.PatrolActivity", "巡查打卡"));
    record(&app.ledger, GRID, ago(30), &grid).await;
    let deadline = beijing_day(ago(5));
    let rules = vec!["app.check-in".to_owned()];
    let notice = Deed::NoticeIssued { document: "整改〔2026〕1号".into(), rules, deadline };
    app.ledger.append(&[event(GRID, ago(25), notice)]).await.unwrap();
    grid.identity.version = Some("3.2.2".into());
    record(&app.ledger, GRID, now - SignedDuration::from_hours(1), &grid).await;
    record(&app.ledger, HALL, ago(3), &report::green()).await;
    let mut evil = report::hostile();
    let text = evil.findings[0].evidence[0].text.clone();
    evil.findings[0].evidence[0].screen = Some(report::HOSTILE.into());
    evil.surface = Some(surface(report::HOSTILE, &Surface::cut(&text)));
    record(&app.ledger, &hostile, ago(2), &evil).await;
    app.catch_up().await.unwrap();
    World { router: app.router(), app, _folder: folder }
}

/// A browser without JavaScript.
#[derive(Clone)]
struct Browser {
    router: Router,
    cookies: BTreeMap<String, String>,
}

struct Page {
    status: StatusCode,
    kind: String,
    location: Option<String>,
    headers: axum::http::HeaderMap,
    body: String,
}

impl Page {
    fn html(&self) -> Html {
        Html::parse_document(&self.body)
    }

    fn csrf(&self) -> String {
        let html = self.html();
        let field = html.select(&selector("input[name=csrf]")).next();
        field.and_then(|field| field.attr("value")).unwrap_or_default().to_owned()
    }
}

fn selector(text: &str) -> Selector {
    Selector::parse(text).unwrap()
}

impl Browser {
    fn new(router: &Router) -> Self {
        Browser { router: router.clone(), cookies: BTreeMap::new() }
    }

    async fn send(&mut self, method: &str, path: &str, kind: Option<&str>, body: Vec<u8>) -> Page {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request =
            Request::builder().method(method).uri(path).header(header::COOKIE, cookies.join("; "));
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind).header("sec-fetch-site", "same-origin");
        }
        let response = self.router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let (name, value) = cookie.to_str().unwrap().split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let text = |name| parts.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        Page {
            status: parts.status,
            kind: text(header::CONTENT_TYPE).unwrap_or_default(),
            location: text(header::LOCATION),
            body: String::from_utf8_lossy(&to_bytes(body, 64 << 20).await.unwrap()).into_owned(),
            headers: parts.headers,
        }
    }

    async fn get(&mut self, path: &str) -> Page {
        self.send("GET", path, None, Vec::new()).await
    }

    async fn post<V: AsRef<str>>(&mut self, path: &str, fields: &[(&str, V)]) -> Page {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        fields.iter().for_each(|(name, value)| {
            form.append_pair(name, value.as_ref());
        });
        self.send("POST", path, Some("application/x-www-form-urlencoded"), form.finish().into_bytes()).await
    }

    /// Logs in with a one-time password and chooses another.
    async fn enter(&mut self, name: &str, one_time: &str) {
        let page = self.post("/login", &[("name", name), ("password", one_time)]).await;
        assert_eq!(
            (page.status, page.location.as_deref()),
            (StatusCode::SEE_OTHER, Some("/password")),
            "{}",
            page.body
        );
        // Nothing else before that.
        assert_eq!(self.get("/targets").await.location.as_deref(), Some("/password"));
        let csrf = self.get("/password").await.csrf();
        let fields = [("csrf", &*csrf), ("old", one_time), ("new", PASSWORD), ("again", PASSWORD)];
        let page = self.post("/password", &fields).await;
        assert_eq!(
            (page.status, page.location.as_deref()),
            (StatusCode::SEE_OTHER, Some("/")),
            "{}",
            page.body
        );
    }
}

impl World {
    async fn administrator(&self) -> Browser {
        let password = self.app.first_administrator().await.unwrap().unwrap();
        let mut browser = Browser::new(&self.router);
        browser.enter("admin", &password).await;
        browser
    }

    /// Somebody new, made by the page of the settings.
    async fn somebody(&self, by: &mut Browser, name: &str, role: &str, region: &str) -> Browser {
        let csrf = by.get("/settings").await.csrf();
        let fields =
            [("csrf", &*csrf), ("action", "make"), ("name", name), ("role", role), ("region", region)];
        let page = by.post("/settings/people", &fields).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.body);
        let html = page.html();
        let secret = html.select(&selector(".secret code")).next().unwrap().text().collect::<String>();
        let mut browser = Browser::new(&self.router);
        browser.enter(name, &secret).await;
        browser
    }

    async fn events(&self, target: &str) -> usize {
        self.app.ledger.events_of(target).await.unwrap().len()
    }
}

fn is_cjk(ch: char) -> bool {
    ('\u{3000}'..='\u{9fff}').contains(&ch) || ('\u{ff00}'..='\u{ffef}').contains(&ch)
}

fn text(element: ElementRef<'_>) -> String {
    element.text().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What every page has to be.
fn check(path: &str, page: &Page, english: bool) {
    let html = page.html();
    assert!(html.errors.is_empty(), "{path}: {:?}", html.errors);
    let all = |css: &str| html.select(&selector(css)).collect::<Vec<_>>();
    assert_eq!(all("h1").len(), 1, "{path}: one h1");
    assert_eq!(all("html")[0].attr("lang"), Some(if english { "en" } else { "zh-CN" }), "{path}");
    assert!(!text(all("title")[0]).is_empty(), "{path}: title");
    assert_eq!(all("main").len(), 1, "{path}: main");
    assert_eq!(all("a.skip[href='#main']").len(), 1, "{path}: skip link");
    // Nothing of a page runs or styles but what comes from files of ours, and nothing comes from elsewhere.
    assert!(all("style, iframe, object, embed, base, script:not([src])").is_empty(), "{path}: inline");
    assert_eq!(all("script").len(), 2, "{path}: scripts");
    let ids: Vec<&str> = all("[id]").into_iter().filter_map(|element| element.attr("id")).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{path}: ids are unique: {ids:?}");
    for element in all("*") {
        for (name, value) in element.value().attrs() {
            assert!(!name.starts_with("on") && name != "style", "{path}: {name}={value}");
            let leads = ["href", "src", "action", "formaction", "srcset", "data", "hx-get", "hx-post"];
            if leads.contains(&name) {
                let own = value.starts_with('/') && !value.starts_with("//") || value.starts_with('#');
                assert!(own, "{path}: {name}={value}");
            }
        }
    }
    assert!(!page.body.contains("<script>alert"), "{path}: markup of a package");
    let odd =
        page.body.chars().find(|ch| ch.is_control() && *ch != '\n' || matches!(ch, '\u{202e}' | '\u{200b}'));
    // In the values of hidden fields the key of a target stands as it is.
    if let Some(odd) = odd {
        let visible = all("body")[0].text().collect::<String>();
        assert!(!visible.contains(odd) || odd == '\r' || odd == '\t', "{path}: {odd:?}");
    }
    for field in all("input:not([type=hidden]), select, textarea") {
        let wrapped =
            field.ancestors().filter_map(ElementRef::wrap).any(|above| above.value().name() == "label");
        let named = field.attr("id").is_some_and(|id| !all(&format!("label[for='{id}']")).is_empty());
        assert!(wrapped || named, "{path}: a field without a label: {}", field.html());
    }
    for image in all("svg") {
        let told = image.attr("aria-hidden") == Some("true") || image.attr("aria-label").is_some();
        assert!(told, "{path}: a picture without words");
    }
    // Words of ours are in the language of the page, and Chinese has its own punctuation.
    for element in all("nav.side a, h2:not(#opened), label, button, thead th, dt, summary, legend") {
        let said = text(element);
        let data = element.select(&selector("option, select")).next().is_some();
        if english && !data {
            assert!(!said.chars().any(is_cjk), "{path}: {said}");
        }
        if !english {
            let chars: Vec<char> = said.chars().collect();
            let half = chars.windows(2).any(|pair| is_cjk(pair[0]) && ",;:?!(".contains(pair[1]));
            assert!(!half, "{path}: {said}");
        }
    }
    let policy = page.headers.get(header::CONTENT_SECURITY_POLICY).unwrap().to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
    assert_eq!(page.headers.get(header::CACHE_CONTROL).unwrap(), "no-store", "{path}");
}

/// Follows every link from the first page on; gives the pages by path.
async fn crawl(browser: &mut Browser, english: bool) -> BTreeMap<String, Page> {
    let first = if english { "/?lang=en" } else { "/?lang=zh" };
    let mut seen: BTreeSet<String> = BTreeSet::from([first.to_owned()]);
    let mut left: VecDeque<(String, String)> = VecDeque::from([(first.to_owned(), "start".to_owned())]);
    let mut pages = BTreeMap::new();
    while let Some((path, from)) = left.pop_front() {
        assert!(seen.len() < 2000, "the crawl does not end: {path}");
        let page = browser.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path} from {from}: {}", page.body);
        if page.kind.starts_with("text/html") && page.headers.get(header::CONTENT_DISPOSITION).is_none() {
            if !path.starts_with("/jobs/rows") {
                check(&path, &page, english);
            }
            let html = page.html();
            let mut leads: Vec<String> = Vec::new();
            for element in html.select(&selector("a[href], link[href], script[src], [hx-get]")) {
                let to = ["href", "src", "hx-get"].iter().find_map(|name| element.attr(name)).unwrap();
                leads.push(to.to_owned());
            }
            // Forms that only ask are links too.
            for form in html.select(&selector("form:not([method])")) {
                leads.push(form.attr("action").unwrap().to_owned());
            }
            for to in leads {
                let to = to.split('#').next().unwrap().to_owned();
                let compare = to.ends_with("/compare");
                if !to.is_empty() && !to.contains("lang=") && !compare && seen.insert(to.clone()) {
                    left.push_back((to, path.clone()));
                }
            }
        }
        pages.insert(path, page);
    }
    pages
}

#[tokio::test]
async fn every_page_of_every_role_is_sound_and_every_link_leads_somewhere() {
    let world = world().await;
    let mut admin = world.administrator().await;
    let mut analyst = world.somebody(&mut admin, "核查员", "analyst", "").await;
    let mut reader = world.somebody(&mut admin, "读者", "reader", "").await;
    let mut city = world.somebody(&mut admin, "市里", "analyst", "某省/某市").await;
    for english in [false, true] {
        let all = crawl(&mut admin, english).await;
        let hostile = all.keys().filter(|path| path.contains("%3Cscript%3E")).count();
        assert!(hostile >= 2, "the hostile target is linked: {:?}", all.keys());
        assert!(all.keys().any(|path| path.starts_with("/settings/audit")));
        let other = crawl(&mut analyst, english).await;
        assert!(other["/review"].body.contains("action=\"/decide\""));
        // A reader is offered nothing that changes anything but their own.
        for (path, page) in crawl(&mut reader, english).await {
            let html = page.html();
            for form in html.select(&selector("form[method=post]")) {
                let action = form.attr("action").unwrap();
                assert!(["/logout", "/settings/tokens", "/password"].contains(&action), "{path}: {action}");
            }
        }
        // Somebody of one region finds nothing of another.
        for (path, page) in crawl(&mut city, english).await {
            assert!(!page.body.contains("另市"), "{path}");
        }
    }
    assert_eq!(city.get("/targets/app:cn%2Egov%2Eother%2Eriver").await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        city.get("/targets?region=%E6%9F%90%E7%9C%81/%E5%8F%A6%E5%B8%82").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn nobody_gets_in_unknown_and_problems_are_pages() {
    let world = world().await;
    let mut guest = Browser::new(&world.router);
    for path in ["/", "/targets", "/review", "/jobs", "/settings", "/settings/audit", "/password"] {
        let page = guest.get(path).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{path}");
        assert!(page.location.unwrap().starts_with("/login?back="), "{path}");
    }
    let page = guest.get("/login?back=//evil.example").await;
    check("/login", &page, false);
    let back = page
        .html()
        .select(&selector("input[name=back]"))
        .next()
        .and_then(|field| field.attr("value").map(str::to_owned));
    assert_eq!(back.as_deref(), Some("/"), "nobody is led elsewhere after the login");
    let page = guest.post("/login", &[("name", "admin"), ("password", "wrong")]).await;
    assert_eq!(page.status, StatusCode::UNAUTHORIZED);
    assert!(page.html().select(&selector("[role=alert]")).next().is_some());
    let page = guest.get("/nowhere").await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    check("/nowhere", &page, false);
    let page = guest.get("/nowhere?lang=en").await;
    check("/nowhere", &page, true);
    // What no page takes is a page too, and a part of a page leads to the login.
    let page = guest.get("/assets/x?lang=zh").await;
    check("/assets/x", &page, false);
    let page = guest.send("PUT", "/login", None, Vec::new()).await;
    assert_eq!(page.status, StatusCode::METHOD_NOT_ALLOWED);
    check("PUT /login", &page, false);
    // Who is logged in keeps the places, and is told the way back.
    let mut admin = world.administrator().await;
    let page = admin.get("/nowhere").await;
    check("/nowhere", &page, false);
    assert!(
        page.html().select(&selector("nav.side a")).count() == 5 && page.body.contains("在上方按名称搜索")
    );
    assert!(!guest.get("/nowhere").await.body.contains("搜索"), "there is nothing to search with");
    let csrf = admin.get("/settings").await.csrf();
    let empty = parts(&csrf, &[("roster", "名录.csv", "")]);
    let page = admin.send("POST", "/settings/roster", PARTS, empty).await;
    check("/settings/roster", &page, false);
    assert!(page.body.contains("文件是空的") && page.body.contains("后退"), "{}", page.body);
    let none = parts(&csrf, &[("roster", "", "")]);
    let page = admin.send("POST", "/settings/roster", PARTS, none).await;
    assert!(page.body.contains("没有选择文件"), "{}", page.body);
    // Programs get what they can read.
    let page = guest.get("/api/v1/nowhere").await;
    assert!(!page.kind.starts_with("text/html"), "{}", page.kind);
}

#[tokio::test]
async fn what_a_run_did_not_get_is_told_where_people_look() {
    let world = world().await;
    let (jobs, mut admin) = (world.app.jobs(), world.administrator().await);
    let csv = "类型,名称,地址\n公众账号,某市发布,https://www.example.gov.cn/\n";
    let pieces = futures_util::stream::iter([Ok::<_, std::io::Error>(axum::body::Bytes::from(csv))]);
    let sha256 = world.app.take_in(pieces, "admin").await.unwrap();
    let roster = world.app.add_roster("全市对象", &sha256, "admin").await.unwrap().unwrap().id;
    let what = What::Run { roster, filter: Filter::default(), weixin: None, spread: 0 };
    let (lane, after) = (Lane::Schedule, std::time::Duration::ZERO);
    let call = Call { what, lane, key: "run".into(), actor: "schedule".into(), after, parent: None };
    let (job, _) = jobs.call(call).await.unwrap();
    let Begun::Attempt(attempt) = jobs.begin(&Ticket { job: job.id.clone(), turn: 0 }, "甲").await.unwrap()
    else {
        panic!("nobody is at it");
    };
    let reason = Reason { cause: Cause::Status, zh: "服务器答复 404".into(), en: "answered 404".into() };
    let missed = Missed {
        line: 2,
        name: Some("某市网格通".into()),
        address: "https://www.example.gov.cn/grid.apk".into(),
        outcome: Outcome::Failed,
        reason,
    };
    jobs.note_missed(&job, &[missed], &BTreeMap::from([(2, GRID.to_owned())])).await.unwrap();
    let result = r#"{"planned":6,"scanned":0,"unchanged":0,"failed":5,"skipped":1,"recorded":0}"#;
    assert!(jobs.end(&attempt, State::Done, "", result).await.unwrap());
    let page = admin.get("/jobs").await;
    let row = text(page.html().select(&selector("#job-rows tbody tr")).next().unwrap());
    assert!(row.contains("完成，6 个对象：检测 0、失败 5、跳过 1") && row.contains("定期检测"), "{row}");
    let one = format!("/jobs/{}", job.id);
    let link = format!("#job-rows a[href='{one}']");
    assert!(page.html().select(&selector(&link)).next().is_some());
    let page = admin.get(&one).await;
    check(&one, &page, false);
    assert!(page.body.contains("全市对象") && page.body.contains("服务器答复 404"), "{}", page.body);
    let known = page.html().select(&selector("td a")).next().unwrap().attr("href").unwrap().to_owned();
    let page = admin.get(&known).await;
    assert!(page.body.contains("最近一次尝试") && page.body.contains("服务器答复 404"), "{}", page.body);
    let page = admin.get("/").await;
    assert!(page.body.contains("最近一次名录检测") && page.body.contains("失败 5"), "{}", page.body);
    check(&one, &admin.get(&format!("{one}?lang=en")).await, true);
}

#[tokio::test]
async fn decisions_are_events_and_can_be_undone() {
    let world = world().await;
    let mut admin = world.administrator().await;
    let mut analyst = world.somebody(&mut admin, "核查员", "analyst", "").await;
    let mut reader = world.somebody(&mut admin, "读者", "reader", "").await;
    let before = world.events(GRID).await;
    let page = analyst.get("/review").await;
    // What is overdue comes first, with its evidence and the screen.
    let html = page.html();
    let first = html.select(&selector(".lines a[aria-current]")).next().unwrap();
    assert!(text(first).contains("整改逾期") && text(first).contains("某市网格通"), "{}", text(first));
    let svg = html.select(&selector("figure.wireframe svg")).next().unwrap();
    assert!(text(svg).contains("巡查打卡") && text(svg).contains("检出"), "{}", text(svg));
    let csrf = page.csrf();
    let dismiss = |csrf: &str| {
        [
            ("csrf", csrf.to_owned()),
            ("target", GRID.to_owned()),
            ("rule", "app.check-in".to_owned()),
            ("action", "dismiss".to_owned()),
            ("reason", "会议、活动等一次性签到".to_owned()),
            ("words", "<b>年会</b>".to_owned()),
            ("back", "review".to_owned()),
        ]
    };
    // Neither a forged form nor a reader.
    for forged in ["", &"0".repeat(64)] {
        let page = analyst.post("/decide", &dismiss(forged)).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN);
        check("/decide", &page, false);
    }
    let own = reader.get("/settings").await.csrf();
    assert_eq!(reader.post("/decide", &dismiss(&own)).await.status, StatusCode::FORBIDDEN);
    assert_eq!(world.events(GRID).await, before);
    let page = analyst.post("/decide", &dismiss(&csrf)).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
    let events = world.app.ledger.events_of(GRID).await.unwrap();
    let last = &events.last().unwrap().event;
    assert_eq!(last.actor, "核查员");
    assert!(matches!(&last.deed, Deed::Dismissed { rule, reason, .. }
        if rule == "app.check-in" && reason == "会议、活动等一次性签到；<b>年会</b>"));
    // It waits no longer, and the page offers to undo it.
    let page = analyst.get(&page.location.unwrap()).await;
    check("/review", &page, false);
    let html = page.html();
    let undo =
        html.select(&selector(".done input[name=event]")).next().unwrap().attr("value").unwrap().to_owned();
    let waits = |page: &Page| {
        let html = page.html();
        html.select(&selector(".lines a")).any(|line| text(line).contains("某市网格通打卡签到"))
    };
    assert!(!waits(&page));
    let list =
        [("csrf", &*csrf), ("target", GRID), ("action", "withdraw"), ("event", &undo), ("back", "review")];
    assert_eq!(analyst.post("/decide", &list).await.status, StatusCode::SEE_OTHER);
    assert!(waits(&analyst.get("/review").await));
    // What is not open cannot be decided, and the page says why.
    let list =
        [("csrf", &*csrf), ("target", GRID), ("rule", "app.form"), ("action", "confirm"), ("reason", "x")];
    let page = analyst.post("/decide", &list).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    check("/decide", &page, false);
    assert!(page.body.contains("没有这个未了结的问题"));
}

#[tokio::test]
async fn comparison_report_notice_and_roster() {
    let world = world().await;
    let mut admin = world.administrator().await;
    let page = admin.get("/targets/app:cn%2Egov%2Eexample%2Egrid").await;
    let html = page.html();
    let scans: Vec<&str> =
        html.select(&selector("select[name=old] option")).filter_map(|option| option.attr("value")).collect();
    let [new, old] = scans[..] else { panic!("{scans:?}") };
    let path = format!("/targets/app:cn%2Egov%2Eexample%2Egrid/compare?old={old}&new={new}");
    let compared = admin.get(&path).await;
    check(&path, &compared, false);
    assert!(compared.body.contains("未整改"), "{}", compared.body);
    let report = admin.get("/targets/app:cn%2Egov%2Eexample%2Egrid/report").await;
    assert_eq!(report.status, StatusCode::OK);
    assert!(
        report.headers.get(header::CONTENT_DISPOSITION).unwrap().to_str().unwrap().starts_with("attachment")
    );
    let csrf = page.csrf();
    let day = beijing_day(Timestamp::now() + SignedDuration::from_hours(24 * 30)).to_string();
    let fields = [("csrf", &*csrf), ("number", "整改〔2026〕9号"), ("deadline", &day), ("format", "html")];
    let notice = admin.post("/targets/app:cn%2Egov%2Eexample%2Egrid/notice", &fields).await;
    assert_eq!(notice.status, StatusCode::OK, "{}", notice.body);
    assert!(notice.body.contains("整改〔2026〕9号") && notice.body.contains("打卡签到"));
    // A roster is shown first and written when somebody says so.
    let csv = "类型,名称,主办单位,应用标识\n应用,河长通,另市水务局,cn.gov.other.river\n应用,新应用,某市某局,cn.gov.example.new\n";
    let part = |name: &str, rest: &str, body: &str| {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"{rest}\r\n\r\n{body}\r\n")
    };
    let body = part("csrf", "", &csrf) + &part("roster", "; filename=\"名录.csv\"", csv) + "--x--\r\n";
    let kind = Some("multipart/form-data; boundary=x");
    let events = world.app.ledger.head().await.unwrap().0;
    let shown = admin.send("POST", "/settings/roster", kind, body.into_bytes()).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.body);
    check("/settings/roster", &shown, false);
    assert!(shown.body.contains("新应用"), "{}", shown.body);
    assert_eq!(world.app.ledger.head().await.unwrap().0, events);
    let html = shown.html();
    let id = html.select(&selector("input[name=id]")).next().unwrap().attr("value").unwrap();
    let digest = html.select(&selector("input[name=digest]")).next().unwrap().attr("value").unwrap();
    // Only as it was shown.
    let other = "0".repeat(64);
    let page =
        admin.post("/settings/roster/apply", &[("csrf", &*csrf), ("id", id), ("digest", &other)]).await;
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert_eq!(world.app.ledger.head().await.unwrap().0, events);
    let page =
        admin.post("/settings/roster/apply", &[("csrf", &*csrf), ("id", id), ("digest", digest)]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
    assert!(world.app.ledger.head().await.unwrap().0 > events);
    assert!(admin.get("/targets?q=%E6%96%B0%E5%BA%94%E7%94%A8").await.body.contains("cn.gov.example.new"));
}

#[tokio::test]
async fn lists_are_found_sorted_and_turned_over() {
    let world = world().await;
    let many: Vec<Event> = (0..120)
        .map(|n| {
            let entry = entry(TargetKind::App, &format!("应用{n:03}"), "某局", "某省/远县");
            let deed = Deed::Enrolled { entry: Box::new(entry) };
            Event { target: format!("app:n{n:03}"), at: Timestamp::now(), actor: "李四".into(), deed }
        })
        .collect();
    world.app.ledger.append(&many).await.unwrap();
    world.app.catch_up().await.unwrap();
    let mut admin = world.administrator().await;
    for sort in ["code", "since", "deadline", "confirmed", "name", "region"] {
        let mut path = format!("/targets?sort={sort}");
        let mut names: Vec<String> = Vec::new();
        loop {
            let page = admin.get(&path).await;
            let html = page.html();
            names.extend(html.select(&selector(".list tbody tr td:first-child a")).map(text));
            match html.select(&selector("a[rel=next]")).next() {
                Some(next) => path = next.attr("href").unwrap().to_owned(),
                None => break,
            }
        }
        // Every target once, whatever the order.
        assert_eq!(names.len(), 124, "{sort}");
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), 124, "{sort}");
        if sort == "deadline" {
            assert_eq!(names[0], "某市网格通", "{sort}");
        }
    }
    let page = admin.get("/targets?q=%E7%BD%91%E6%A0%BC&code=blue&kind=app&level=city&due=over").await;
    let html = page.html();
    let names: Vec<String> = html.select(&selector(".list tbody tr td:first-child a")).map(text).collect();
    assert_eq!(names, ["某市网格通"]);
    // What the evidence says is found too: the button of the report.
    let page = admin.get("/targets?q=%E5%B7%A1%E6%9F%A5%E6%89%93%E5%8D%A1").await;
    let html = page.html();
    let names: BTreeSet<String> =
        html.select(&selector(".list tbody tr td:first-child a")).map(text).collect();
    assert!(names.contains("某市网格通") && names.len() < 3, "{names:?}");
    let page = admin.get("/targets?q=%E6%B2%A1%E6%9C%89%E7%9A%84").await;
    assert!(page.body.contains("没有符合条件的对象"));
}

/// A form of parts, the token first.
fn parts(csrf: &str, fields: &[(&str, &str, &str)]) -> Vec<u8> {
    let mut body = format!("--x\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n");
    for (name, file, text) in fields {
        let file = if file.is_empty() { String::new() } else { format!("; filename=\"{file}\"") };
        body.push_str(&format!(
            "--x\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{text}\r\n"
        ));
    }
    body.push_str("--x--\r\n");
    body.into_bytes()
}

const PARTS: Option<&str> = Some("multipart/form-data; boundary=x");

#[tokio::test]
async fn schedules_are_made_paused_run_and_removed_on_the_page() {
    let world = world().await;
    let mut admin = world.administrator().await;
    let mut analyst = world.somebody(&mut admin, "核查员", "analyst", "").await;
    let mut city = world.somebody(&mut admin, "市管", "administrator", "某省/某市").await;
    let csrf = admin.get("/settings").await.csrf();
    let csv = "类型,名称,主办单位,网址\n公众号,某市发布,某市某局,https://mp.weixin.qq.com/s/x\n";
    let body = parts(&csrf, &[("name", "", "全省公众号"), ("roster", "名录.csv", csv)]);
    let page = admin.send("POST", "/settings/rosters", PARTS, body).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
    let page = admin.get("/settings").await;
    let html = page.html();
    let roster = html.select(&selector("select[name=roster] option")).next().unwrap().attr("value").unwrap();
    let make = |when: &'static str, value: &'static str| {
        vec![
            ("csrf", csrf.clone()),
            ("action", "make".to_owned()),
            ("name", "每晚".to_owned()),
            ("roster", roster.to_owned()),
            ("when", when.to_owned()),
            ("value", value.to_owned()),
            ("mon", "1".to_owned()),
            ("sun", "1".to_owned()),
            ("from", "01:00".to_owned()),
            ("to", "05:00".to_owned()),
            ("minutes", "10".to_owned()),
        ]
    };
    // What makes no sense is said, and nothing is made of it.
    for (when, value) in [("daily", "25:00"), ("hours", "often"), ("cron", "* *"), ("daily", "")] {
        let page = admin.post("/settings/schedules", &make(when, value)).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{when} {value}");
        check("/settings/schedules", &page, false);
    }
    assert!(world.app.schedules().await.unwrap().is_empty());
    let page = admin.post("/settings/schedules", &make("daily", "02：30、04:00")).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
    let page = admin.get("/settings").await;
    check("/settings", &page, false);
    let shown = text(page.html().select(&selector("#schedules")).next().unwrap());
    assert!(shown.contains("每天 02:30、04:00，周一、周日，01:00–05:00"), "{shown}");
    let made = world.app.schedules().await.unwrap().remove(0);
    assert_eq!(made.plan.as_ref().unwrap().jitter, 600);
    let act = |csrf: &str, action: &str| {
        [("csrf", csrf.to_owned()), ("action", action.to_owned()), ("id", made.id.clone())]
    };
    admin.post("/settings/schedules", &act(&csrf, "pause")).await;
    assert!(!world.app.schedules().await.unwrap()[0].enabled);
    admin.post("/settings/schedules", &act(&csrf, "go-on")).await;
    assert!(world.app.schedules().await.unwrap()[0].enabled);
    // An analyst runs it, and neither pauses nor removes it; somebody of one region does nothing of it.
    let own = analyst.get("/settings").await.csrf();
    let page = analyst.post("/settings/schedules", &act(&own, "run")).await;
    assert_eq!(page.location.as_deref(), Some("/jobs"), "{}", page.body);
    for action in ["pause", "remove"] {
        let page = analyst.post("/settings/schedules", &act(&own, action)).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{action}");
    }
    let own = city.get("/settings").await.csrf();
    for action in ["run", "pause", "remove"] {
        let page = city.post("/settings/schedules", &act(&own, action)).await;
        assert_eq!(page.status, StatusCode::FORBIDDEN, "{action}");
    }
    assert!(!city.get("/settings").await.body.contains("每晚"));
    admin.post("/settings/schedules", &act(&csrf, "remove")).await;
    assert!(world.app.schedules().await.unwrap().is_empty());
}

#[tokio::test]
async fn somebody_of_one_region_uploads_for_targets_they_see_and_sees_their_own_jobs() {
    let world = world().await;
    let mut admin = world.administrator().await;
    let mut city = world.somebody(&mut admin, "市里", "analyst", "某省/某市").await;
    let csrf = admin.get("/jobs").await.csrf();
    let page = admin.send("POST", "/scan", PARTS, parts(&csrf, &[("package", "机密.apk", "x")])).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.body);
    let csrf = city.get("/jobs").await.csrf();
    for (fields, expected) in [
        (vec![("package", "无主.apk", "y")], StatusCode::FORBIDDEN),
        (vec![("target", "", "app:cn.gov.other.river"), ("package", "别市.apk", "y")], StatusCode::NOT_FOUND),
        (vec![("target", "", GRID), ("package", "本市.apk", "y")], StatusCode::SEE_OTHER),
    ] {
        let page = city.send("POST", "/scan", PARTS, parts(&csrf, &fields)).await;
        assert_eq!(page.status, expected, "{fields:?}: {}", page.body);
    }
    let page = city.get("/jobs").await;
    check("/jobs", &page, false);
    assert!(page.body.contains("本市.apk") && !page.body.contains("机密"), "{}", page.body);
    let hidden = world.app.jobs().list(&Default::default(), None, 10).await.unwrap();
    let hidden = hidden.iter().find(|job| job.actor == "admin").unwrap();
    let page = city.post("/jobs/act", &[("csrf", &*csrf), ("job", &hidden.id), ("action", "cancel")]).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(admin.get("/jobs").await.body.contains("本市.apk"));
}

#[tokio::test]
async fn files_are_kept_by_browsers_and_named_by_their_content() {
    let world = world().await;
    let mut guest = Browser::new(&world.router);
    let page = guest.get("/login").await;
    let html = page.html();
    let mut seen = 0;
    for element in html.select(&selector("link[rel=stylesheet], script[src]")) {
        let path = element.attr("href").or(element.attr("src")).unwrap();
        let file = guest.get(path).await;
        assert_eq!(file.status, StatusCode::OK, "{path}");
        assert_eq!(file.headers.get(header::CACHE_CONTROL).unwrap(), "public, max-age=31536000, immutable");
        let digest = &hex(&Sha256::digest(file.body.as_bytes()))[..16];
        assert!(path.contains(digest), "{path} {digest}");
        assert!(!file.body.contains("@import") && !file.body.contains("url(http"), "{path}");
        seen += 1;
    }
    assert_eq!(seen, 3);
    assert_eq!(guest.get("/assets/workplace.css").await.status, StatusCode::NOT_FOUND);
}
