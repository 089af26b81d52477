//! A service as a process, with nothing in its ledger or with the history of a small province: packages of the fixtures,
//! scanned and dated, with notices, decisions and filings.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use zhijian::config::Config;
use zhijian::fetch::Store;
use zhijian::ledger::{Decision, Ledger, target_keys};
use zhijian::model::{Deed, Event, OfficeLevel, Report, RosterEntry, TargetKind, beijing_day};
use zhijian::record::{Batch, Recorder};
use zhijian::roster::FilingRecord;
use zhijian::rule::RuleSet;
use zhijian::scan::{Scanner, Silent};
use zhijian::server::App;

use super::built;
use crate::common::chromium::Browser;
use crate::common::report;

pub(super) const GRID: &str = "app:cn.gov.example.grid";
const PATROL: &str = "app:cn.gov.example.hehu";
const DRILL: &str = "app:cn.gov.example.drill";
const HOSTILE: &str = "app:<script>alert(1)</script>\"'&/x?y#z%";

/// A running server; it ends with this.
pub(super) struct House {
    pub(super) base: String,
    pub(super) password: String,
    process: Child,
    _folder: tempfile::TempDir,
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl House {
    pub(super) async fn empty() -> Self {
        House::start(tempfile::tempdir().unwrap())
    }

    pub(super) async fn furnished() -> Self {
        let folder = tempfile::tempdir().unwrap();
        furnish(folder.path()).await;
        House::start(folder)
    }

    fn start(folder: tempfile::TempDir) -> Self {
        let config = folder.path().join("zhijian.toml");
        let text =
            format!("[fetch]\nstore = '{}'\n[server]\nworkers = 1\n", folder.path().join("store").display());
        std::fs::write(&config, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_zhijian"));
        command.args(["serve", "--listen", "127.0.0.1:0", "--lang", "zh", "--config"]).arg(config);
        command.args(["--database", &address(folder.path())]).env("HOME", folder.path());
        command.env_remove("ZHIJIAN_DATABASE").env_remove("XDG_DATA_HOME").env_remove("XDG_CONFIG_HOME");
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let (mut base, mut password) = (String::new(), String::new());
        for line in BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok) {
            if line.starts_with("http://") {
                base = line.split("/ ").next().unwrap().to_owned();
            }
            if let Some((_, rest)) = line.split_once("一次性密码 ") {
                password = rest.split('（').next().unwrap().to_owned();
                break;
            }
        }
        assert!(!base.is_empty() && !password.is_empty(), "the service does not start");
        House { base, password, process, _folder: folder }
    }

    /// More people, and jobs of several kinds, made as people make them.
    pub(super) async fn people_and_jobs(&self, browser: &Browser) {
        for (name, role, region) in [("周明", "analyst", ""), ("东江市值班", "reader", "某省/东江市")]
        {
            browser.open_page(&format!("{}/settings", self.base)).await;
            browser.write("#people [name=name]", name).await;
            browser.write("#people [name=region]", region).await;
            let role = format!("document.querySelector('#people [name=role]').value = '{role}'");
            browser.script::<()>(&role, &[]).await;
            browser.click("#people button[value=make]").await;
            browser.text(".secret code").await;
        }
        browser.open_page(&format!("{}/jobs", self.base)).await;
        let files = ["signs.apk", "promote.apk", "picture-tap.wxapkg"].map(built);
        browser.drop_files(".drop", &files).await;
        browser
            .until("return [...document.querySelectorAll('#job-rows .job')].filter((job) => job.innerText === '完成').length === 3")
            .await;
    }
}

fn address(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("ledger.db").display())
}

const REGIONS: [(&str, &str, OfficeLevel); 8] = [
    ("某省", "省大数据发展管理局", OfficeLevel::Province),
    ("某省/东江市", "东江市政务服务和数据局", OfficeLevel::City),
    ("某省/东江市/临水区", "临水区城市运行管理中心", OfficeLevel::County),
    ("某省/东江市/望山县", "望山县人民政府办公室", OfficeLevel::County),
    ("某省/西陵市", "西陵市林业局", OfficeLevel::City),
    ("某省/西陵市/南浦区", "南浦区民政局", OfficeLevel::County),
    ("某省/北原市", "北原市教育体育局", OfficeLevel::City),
    ("某省/北原市/长岭县", "长岭县水利局", OfficeLevel::County),
];

/// Packages, in the order of the regions, and how many days ago each was scanned.
const SCANNED: [(&str, i64); 20] = [
    ("reader.apk", 30),
    ("grid-patrol.apk", 40),
    ("hardcoded.apk", 21),
    ("disguise.apk", 50),
    ("near-misses.apk", 12),
    ("library.hap", 9),
    ("drill-unity.apk", 33),
    ("rn-hermes.apk", 17),
    ("signs.apk", 5),
    ("form-page.apk", 4),
    ("zh-only.apk", 26),
    ("dex-only.apk", 8),
    ("packed.apk", 19),
    ("old-model.hap", 3),
    ("duty.rpk", 2),
    ("qr-codes.apk", 14),
    ("h5-academy.apk", 28),
    ("array-menu.apk", 11),
    ("sealed.apk", 7),
    ("volunteer.hap", 6),
];

/// Something that happens some days ago.
enum Then {
    Said(Deed),
    Seen(Box<Report>),
    Decided(Decision),
}

async fn furnish(folder: &Path) {
    let scanner = Scanner::new(RuleSet::embedded().unwrap(), FilingRecord::Unknown);
    let scan = |name: &str| {
        let mut report = scanner.scan(&built(name), &Silent).unwrap();
        // As it was called where it came from.
        report.target.source = name.to_owned();
        report
    };
    let entry = |kind, name: &str, at: usize| {
        let (region, owner, level) = REGIONS[at % REGIONS.len()];
        let entry = RosterEntry {
            name: Some(name.into()),
            owner: Some(owner.into()),
            region: Some(region.into()),
            level: Some(level),
            ..RosterEntry::new(kind)
        };
        Then::Said(Deed::Enrolled { entry: Box::new(entry) })
    };
    let mut story: Vec<(i64, String, Then)> = Vec::new();
    for (at, (package, ago)) in SCANNED.into_iter().enumerate() {
        let report = scan(package);
        let target = target_keys(&report).remove(0);
        story.push((
            60,
            target.clone(),
            entry(report.target.kind, report.identity.name.as_deref().unwrap(), at),
        ));
        if at % 4 == 0 {
            let number = format!("某网信政备〔2026〕{:04}号", 100 + at);
            story.push((55, target.clone(), Then::Said(Deed::Filed { number })));
        }
        story.push((ago, target, Then::Seen(Box::new(report))));
    }
    for at in 0..36 {
        let region = REGIONS[at % REGIONS.len()].0.rsplit('/').next().unwrap();
        let target = format!("account:gh_{at:012x}");
        story.push((60 - at as i64 / 2, target, entry(TargetKind::Account, &format!("{region}发布"), at)));
    }
    story.push((58, HOSTILE.into(), entry(TargetKind::App, report::HOSTILE, 2)));
    story.push((10, HOSTILE.into(), Then::Seen(Box::new(report::hostile()))));
    // The clock below goes by seconds.
    let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
    let before = |days: i64| now - SignedDuration::from_hours(24 * days);
    let notice = |number: &str, last: i64| {
        let (document, deadline) = (number.to_owned(), beijing_day(before(last)));
        Then::Decided(Decision::Notice { document, deadline, rules: Vec::new() })
    };
    let seen = |name: &str| Then::Seen(Box::new(scan(name)));
    let words = |text: &str| text.to_owned();
    for (ago, target, then) in [
        // Notified, rectified, and back under another label: blue. The second term is over: red may be decided.
        (38, GRID, notice("东数函〔2026〕14号", 30)),
        (31, GRID, Then::Decided(Decision::Rectification { statement: words("已下线打卡模块") })),
        (29, GRID, seen("grid-patrol-fixed.apk")),
        (15, GRID, seen("grid-patrol-renamed.apk")),
        (14, GRID, notice("东数函〔2026〕31号", 4)),
        // Not rectified within its term, found again, not within the second: red.
        (48, PATROL, notice("西林函〔2026〕7号", 41)),
        (36, PATROL, seen("disguise.apk")),
        (35, PATROL, notice("西林函〔2026〕11号", 20)),
        (13, PATROL, Then::Decided(Decision::Red { reason: words("省专项办会议纪要〔2026〕9号") })),
        // Found again yesterday.
        (30, DRILL, notice("北教函〔2026〕2号", 16)),
        (0, DRILL, seen("drill-unity.apk")),
        (7, "app:cn.gov.example.dangjian", notice("临运函〔2026〕3号", 1)),
        (6, "app:cn.gov.example.xunfang", notice("长水函〔2026〕8号", -20)),
        (2, "app:cn.gov.example.jtzf", Then::Said(Deed::Closed { reason: words("并入省统一平台") })),
    ] {
        story.push((ago, target.to_owned(), then));
    }
    // What happens on one day happens in the order in which it is written here.
    story.sort_by_key(|(ago, _, _)| -ago);
    let ledger = Ledger::open(&address(folder)).await.unwrap();
    let store = Store::open(&folder.join("store")).unwrap();
    let clock = Arc::new(AtomicI64::new(0));
    let told = clock.clone();
    let moment = Box::new(move || Timestamp::from_second(told.load(Ordering::SeqCst)).unwrap());
    let app = App::with_clock(ledger, RuleSet::embedded().unwrap(), store, Config::default(), moment);
    let recorder = Recorder::new(app.ledger.clone(), app.policy().clone(), &Config::default());
    for (second, (ago, target, then)) in (0..).zip(story) {
        let at = before(ago) - SignedDuration::from_secs(3600 - second);
        clock.store(at.as_second(), Ordering::SeqCst);
        let event = |deed| Event { target: target.clone(), at, actor: "李四".into(), deed };
        match then {
            Then::Said(deed) => drop(app.ledger.append(&[event(deed)]).await.unwrap()),
            Then::Decided(decision) => {
                let events = app.ledger.events_of(&target).await.unwrap();
                let deed = decision.deed(app.policy(), &events, at);
                let deed = deed.unwrap_or_else(|refusal| panic!("{target}: {refusal}"));
                app.ledger.append(&[event(deed)]).await.unwrap();
            }
            Then::Seen(report) => {
                let mut batch = Batch::new(&recorder, "zhijian".into(), false);
                let json = serde_json::to_vec(&report).unwrap();
                batch.add(&report, json, Some(&target), at).await.unwrap();
                batch.finish().await.unwrap();
            }
        }
        app.catch_up().await.unwrap();
    }
    app.ledger.clone().close().await;
}
