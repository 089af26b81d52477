//! The workplace as people meet it: `zhijian serve` as a process, and Debian's Chromium in front of it. Pictures of every
//! page are left in `target/screens` to be looked at.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking"
)]

mod world;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::json;

use crate::common::chromium::{Browser, in_browser};
use world::{GRID, House};

const PASSWORD: &str = "一匹白马站在电池旁边";
const CONTRAST: &str = include_str!("browser/contrast.js");
const FOCUS: &str = include_str!("browser/focus.js");

fn built(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/built").join(name)
}

impl House {
    async fn go(&self, browser: &Browser, path: &str) {
        browser.open_page(&format!("{}{path}", self.base)).await;
    }

    async fn path(&self, browser: &Browser) -> String {
        let address = browser.address().await;
        let path = address.strip_prefix(&self.base).unwrap_or_else(|| panic!("{address}"));
        path.split(['?', '#']).next().unwrap().to_owned()
    }

    /// The first login, with the password that the terminal shows.
    async fn enter(&self, browser: &Browser) {
        self.go(browser, "/").await;
        assert_eq!(self.path(browser).await, "/login");
        browser.write("[name=name]", "admin").await;
        browser.write("[name=password]", &self.password).await;
        browser.click("main form button").await;
        self.arrives(browser, "/password").await;
        browser.write("[name=old]", &self.password).await;
        browser.write("[name=new]", PASSWORD).await;
        browser.write("[name=again]", PASSWORD).await;
        browser.click("main form button").await;
        self.arrives(browser, "/").await;
    }

    /// Waits until the tab is at a path.
    async fn arrives(&self, browser: &Browser, path: &str) {
        let there = json!(format!("{}{path}", self.base));
        browser
            .until(&format!("return location.href === {there} && document.readyState === 'complete'"))
            .await;
    }

    /// Nothing was asked for elsewhere, and the browser had nothing to complain of.
    async fn kept_to_itself(&self, browser: &Browser) {
        let requests = browser.requests().await;
        assert!(!requests.is_empty());
        let own = |request: &&String| {
            request.starts_with(&self.base) || request.starts_with("data:") || *request == "about:blank"
        };
        let others: Vec<&String> = requests.iter().filter(|request| !own(request)).collect();
        assert!(others.is_empty(), "{others:?}");
        assert_eq!(browser.complaints().await, Vec::<String>::new());
    }
}

#[test]
fn from_the_first_login_to_the_printed_page() {
    in_browser(async |browser: Browser| {
        let house = House::empty().await;
        house.enter(&browser).await;
        assert!(browser.text("main").await.contains("台账中还没有对象"));
        browser.click("main a[href='/jobs']").await;
        house.arrives(&browser, "/jobs").await;
        // Packages are dragged in from outside. One worker for all of them: most wait at first.
        let names = ["signs.apk", "reader.apk", "library.hap", "duty.rpk", "grid-patrol-renamed.apk"];
        browser.script::<()>("window.before = true", &[]).await;
        browser.drop_files(".drop", &names.map(built)).await;
        browser
            .until("return !window.before && document.querySelectorAll('#job-rows tbody tr').length === 5")
            .await;
        assert_eq!(house.path(&browser).await, "/jobs");
        // The rows come by themselves from now on: the page stays.
        browser.script::<()>("window.stays = true", &[]).await;
        let rows = "return [...document.querySelectorAll('#job-rows .job')].map((job) => job.innerText)";
        let mut seen = BTreeSet::new();
        browser.picture("jobs-under-way").await;
        loop {
            let states: Vec<String> = browser.script(rows, &[]).await;
            if states.len() == 5 && states.iter().all(|state| state == "完成") {
                break;
            }
            seen.extend(states);
            assert!(!seen.iter().any(|state| state.contains("失败")), "{seen:?}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        assert!(seen.iter().any(|state| state != "完成"), "nothing was seen under way: {seen:?}");
        assert!(
            browser.script::<bool>("return window.stays === true", &[]).await,
            "the page was loaded again"
        );
        let link = "return [...document.querySelectorAll('#job-rows a')].find((one) => \
                    one.innerText.includes('grid-patrol-renamed')).pathname";
        let target: String = browser.script(link, &[]).await;
        house.go(&browser, &target).await;
        // The fixture: no word of 打卡 is left, the button 巡查记录 calls /patrol/checkin; a person has to look.
        assert_eq!(browser.text("main h1").await, "某市网格通");
        let code = browser.text(".conclusion .badge").await;
        assert!(code.contains("未赋码") && code.contains("待复核"), "{code}");
        let framed = "const svg = document.querySelector('#findings figure.wireframe svg'); \
                      const at = (said) => [...svg.querySelectorAll('text')].find((text) => text.textContent === said)\
                      .getBoundingClientRect(); \
                      const ring = svg.querySelector('rect[stroke-width=\"3\"]').getBoundingClientRect(); \
                      const label = at('巡查记录'); const tag = at('检出'); \
                      return ring.width > 0 && ring.top < label.top && label.bottom < ring.bottom && tag.top < label.top \
                      && ring.left < label.left && label.right < ring.right";
        assert!(browser.script::<bool>(framed, &[]).await, "the button is framed");
        browser.picture("end-target-before").await;
        // The queue, by its link; the finding, by its line; confirmed by a key.
        browser.click(".side a[href='/review']").await;
        house.arrives(&browser, "/review").await;
        let line = "[...document.querySelectorAll('.lines a')].find((one) => one.innerText.includes('cn.gov.example.grid') \
                    && one.innerText.includes('打卡签到'))";
        browser.script::<()>(&format!("{line}.click()"), &[]).await;
        browser
            .until("return document.querySelector('#opened')?.innerText.includes('某市网格通：打卡签到')")
            .await;
        browser.text(".opened figure.wireframe figcaption").await;
        browser.picture("end-review").await;
        browser.press("c").await;
        assert!(browser.text(".done").await.contains("复核确认"));
        house.go(&browser, &target).await;
        let code = browser.text(".conclusion .badge").await;
        assert!(code.contains("未赋码") && code.contains("待整改"), "{code}");
        // The turn is on the time line, with the event that made it and who did it.
        let turns: Vec<String> = browser
            .script("return [...document.querySelectorAll('.time > li')].map((one) => one.innerText)", &[])
            .await;
        assert!(turns.len() == 2 && turns[0].contains("待整改") && turns[1].contains("待复核"), "{turns:?}");
        browser.click(".time > li details summary").await;
        assert!(browser.text(".time > li details ul").await.contains("复核确认"));
        assert!(browser.text("#events tbody tr").await.contains("admin"));
        browser.picture("end-target-after").await;
        // On paper: the report without what only a screen can do, and what is folded is there.
        browser.printed(true).await;
        browser.width(794).await;
        let hidden = "return ['.side', '.search', '.decide', 'button', '.toc', '.top form'].every((css) => \
                      [...document.querySelectorAll(css)].every((one) => !one.checkVisibility()))";
        assert!(browser.script::<bool>(hidden, &[]).await);
        assert!(
            browser
                .script::<bool>(
                    "return document.querySelector('figure.wireframe svg').checkVisibility()",
                    &[]
                )
                .await
        );
        browser.picture("end-print").await;
        let paper = browser.paper("end-print").await;
        assert!(paper.starts_with(b"%PDF-"));
        browser.printed(false).await;
        house.kept_to_itself(&browser).await;
    });
}

/// Every page, by a name for its picture.
async fn pages(house: &House, browser: &Browser) -> Vec<(&'static str, String)> {
    let target = format!("/targets/{}", GRID.replace('.', "%2E"));
    house.go(browser, &target).await;
    let scans = "return [...document.querySelectorAll('select[name=old] option')].map((one) => one.value)";
    let scans: Vec<String> = browser.script(scans, &[]).await;
    let compare = format!("{target}/compare?old={}&new={}", scans.last().unwrap(), scans[0]);
    house.go(browser, "/targets?q=script").await;
    let hostile: String = browser.script("return document.querySelector('.list td a').pathname", &[]).await;
    vec![
        ("overview", "/".into()),
        ("targets", "/targets".into()),
        ("target", target),
        ("compare", compare),
        ("hostile", hostile),
        ("review", "/review".into()),
        ("jobs", "/jobs".into()),
        ("settings", "/settings".into()),
        ("audit", "/settings/audit".into()),
        ("password", "/password".into()),
        ("nothing-found", "/targets?q=zzzz".into()),
        ("no-such-page", "/nowhere".into()),
    ]
}

async fn legible(house: &House, browser: &Browser, name: &str, path: &str, wrong: &mut Vec<String>) {
    for width in [1280, 375] {
        browser.width(width).await;
        house.go(browser, path).await;
        let wide: i64 = browser.script("return document.documentElement.scrollWidth - innerWidth", &[]).await;
        if wide > 0 {
            wrong.push(format!("{name} at {width}: {wide} pixels too wide"));
        }
        browser.picture(&format!("{name}-{width}")).await;
        let (seen, poor): (u32, Vec<String>) = browser.script(CONTRAST, &[]).await;
        assert!(seen > 5, "{name}: {seen}");
        wrong.extend(poor.into_iter().map(|text| format!("{name} at {width}: contrast {text}")));
    }
    browser.width(794).await;
    browser.printed(true).await;
    house.go(browser, path).await;
    browser.picture(&format!("{name}-print")).await;
    let (_, poor): (u32, Vec<String>) = browser.script(CONTRAST, &[]).await;
    wrong.extend(poor.into_iter().map(|text| format!("{name} on paper: contrast {text}")));
    browser.printed(false).await;
    browser.width(1280).await;
}

#[test]
fn every_page_can_be_read_on_every_screen_and_on_paper() {
    in_browser(async |browser: Browser| {
        let house = House::furnished().await;
        let mut wrong = Vec::new();
        legible(&house, &browser, "login", "/login", &mut wrong).await;
        house.enter(&browser).await;
        house.people_and_jobs(&browser).await;
        let pages = pages(&house, &browser).await;
        for (name, path) in &pages {
            legible(&house, &browser, name, path, &mut wrong).await;
        }
        house.go(&browser, "/?lang=en").await;
        for (name, path) in &pages {
            legible(&house, &browser, &format!("{name}-en"), path, &mut wrong).await;
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        // The page that is not there is asked for as well, which the browser complains of.
        let complaints = browser.complaints().await;
        assert!(complaints.iter().all(|said| said.contains("/nowhere")), "{complaints:?}");
        house.kept_to_itself(&browser).await;
    });
}

/// What has the focus.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
struct Focus {
    what: String,
    key: String,
    said: String,
    ring: bool,
    shown: bool,
}

#[test]
fn the_review_queue_is_worked_through_by_keyboard_alone() {
    in_browser(async |browser: Browser| {
        let house = House::furnished().await;
        house.enter(&browser).await;
        house.go(&browser, "/review").await;
        browser.script::<()>("document.querySelector('details[data-key=e]').open = true", &[]).await;
        let mut seen: Vec<Focus> = Vec::new();
        for _ in 0..400 {
            browser.press("Tab").await;
            let Some(focus) = browser.script::<Option<Focus>>(FOCUS, &[]).await else { break };
            assert!(focus.ring && focus.shown, "the focus is not seen: {focus:?}");
            seen.push(focus);
        }
        let reached = |what: &str, key: &str| seen.iter().any(|focus| focus.what == what && focus.key == key);
        for (what, key) in [
            ("select[reason]", "c"),
            ("input[words]", "c"),
            ("button[action]", "c"),
            ("select[reason]", "d"),
            ("input[words]", "d"),
            ("button[action]", "d"),
            ("summary", "e"),
            ("input[document]", "e"),
            ("input[scope]", "e"),
            ("input[until]", "e"),
            ("button[action]", "e"),
            ("a", "j"),
        ] {
            assert!(reached(what, key), "{what} {key}: {seen:?}");
        }
        // The first stop leads past what is the same on every page.
        assert_eq!(seen[0].said, "跳到正文");
        // By letters.
        house.go(&browser, "/review").await;
        let opened = "return document.querySelector('#opened').innerText";
        let first: String = browser.script(opened, &[]).await;
        let other = format!("return document.querySelector('#opened')?.innerText !== {}", json!(first));
        let same = format!("return document.querySelector('#opened')?.innerText === {}", json!(first));
        browser.press("j").await;
        browser.until(&other).await;
        browser.press("k").await;
        browser.until(&same).await;
        // To dismiss opens the reasons, which Enter sends; what comes next is open then.
        browser.press("d").await;
        browser.until("return document.activeElement.matches('[data-key=d] select')").await;
        let reason: String =
            browser.script("return document.activeElement.selectedOptions[0].innerText", &[]).await;
        browser.press("Enter").await;
        browser.until("return document.querySelector('.done')?.innerText.includes('复核驳回')").await;
        assert!(browser.text(".done").await.contains(&reason), "{reason}");
        browser.until(&other).await;
        // Undone, it is open again.
        browser.press("u").await;
        browser.until(&same).await;
        browser.press("c").await;
        browser.until("return document.querySelector('.done')?.innerText.includes('复核确认')").await;
        browser.press("u").await;
        browser.until(&same).await;
        // An exception asks for its document; Escape leaves the field.
        browser.press("e").await;
        browser.until("return document.activeElement.matches('[data-key=e] [name=document]')").await;
        browser.press("Escape").await;
        browser.until("return document.activeElement === document.body").await;
        // Letters that are typed are letters.
        browser.click("[data-key=c] [name=words]").await;
        browser.press("d").await;
        assert_eq!(
            browser
                .script::<String>("return document.querySelector('[data-key=c] [name=words]').value", &[])
                .await,
            "d"
        );
        house.kept_to_itself(&browser).await;
    });
}
