//! `zhijian demo`: a small invented province with roster, scans and history in a folder of its own, and the workplace
//! on it. Its packages are fixtures of this project, scanned when the command runs.

use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use anyhow::{Context, anyhow};
use clap::Args;
use jiff::{SignedDuration, Timestamp};
use zhijian::config::Config;
use zhijian::fetch::Store;
use zhijian::model::{Audience, Deed, Event, Lang, Level, OfficeLevel, RosterEntry, TargetKind, beijing_day};
use zhijian::record::{self, Batch, Recorder};
use zhijian::roster::FilingRecord;
use zhijian::rule::RuleSet;
use zhijian::scan::{Scanner, Silent, Subject};
use zhijian::server::{App, Options};

use super::serve;

#[derive(Debug, Args)]
pub(super) struct Demo {
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0", hide_default_value = true)]
    listen: SocketAddr,
    #[arg(long)]
    no_browser: bool,
}

/// What is scanned, by the name under which a story speaks of it.
const PACKAGES: &[(&str, &str, &[u8])] = &[
    ("found", "grid-patrol.apk", include_bytes!("../../fixtures/built/grid-patrol.apk")),
    ("fixed", "grid-patrol-fixed.apk", include_bytes!("../../fixtures/built/grid-patrol-fixed.apk")),
    ("renamed", "grid-patrol-renamed.apk", include_bytes!("../../fixtures/built/grid-patrol-renamed.apk")),
    ("clean", "reader.apk", include_bytes!("../../fixtures/built/reader.apk")),
    ("river", "near-misses.apk", include_bytes!("../../fixtures/built/near-misses.apk")),
    ("court", "court-clean.wxapkg", include_bytes!("../../fixtures/built/court-clean.wxapkg")),
    ("health", "health-near.wxapkg", include_bytes!("../../fixtures/built/health-near.wxapkg")),
    ("task", "task.wxapkg", include_bytes!("../../fixtures/built/task.wxapkg")),
    ("visit", "visit.wxapkg", include_bytes!("../../fixtures/built/visit.wxapkg")),
    ("packed", "packed.apk", include_bytes!("../../fixtures/built/packed.apk")),
    ("article", "article.html", include_bytes!("../../fixtures/account/article.html")),
    ("silent", "stale.rss", include_bytes!("../../fixtures/account/stale.rss")),
    ("group", "village.txt", include_bytes!("../../fixtures/group/village.txt")),
];

/// What happened to a target, so many days ago.
enum Then {
    Filed(&'static str),
    /// A scan of one of the packages.
    Scan(&'static str),
    /// A notice about check-in, with days until its deadline.
    Notice(&'static str, i64),
    Reported(&'static str),
    /// A person confirms what the machine found.
    Confirm(&'static str),
    Red(&'static str),
    Closed(&'static str),
}

/// A target and its story.
struct Story {
    kind: TargetKind,
    id: &'static str,
    name: &'static str,
    owner: &'static str,
    level: OfficeLevel,
    region: &'static str,
    audience: Audience,
    then: &'static [(i64, Then)],
}

use Then::{Closed, Confirm, Filed, Notice, Red, Reported, Scan};

const STORIES: &[Story] = &[
    Story {
        kind: TargetKind::App,
        id: "cn.gov.example.grid",
        name: "甲市网格通",
        owner: "甲市大数据局",
        level: OfficeLevel::City,
        region: "示例省/甲市",
        audience: Audience::Staff,
        then: &[
            (88, Filed("示例网信政备〔2026〕0012号")),
            (52, Scan("found")),
            (50, Confirm("按钮可点，提交接口在用，与应急值守无关")),
            (49, Notice("甲整改〔2026〕3号", 20)),
            (33, Reported("已删除巡查打卡功能")),
            (32, Scan("fixed")),
            (1, Scan("renamed")),
        ],
    },
    Story {
        kind: TargetKind::App,
        id: "cn.gov.example.patrol",
        name: "乙县巡查",
        owner: "乙县综合治理中心",
        level: OfficeLevel::County,
        region: "示例省/甲市/乙县",
        audience: Audience::Staff,
        then: &[
            (80, Scan("found")),
            (78, Confirm("每日两次定位打卡，无安全、应急规定可依")),
            (77, Notice("甲整改〔2026〕1号", 20)),
            (50, Scan("found")),
            (48, Notice("甲整改〔2026〕5号", 20)),
            (12, Scan("found")),
            (9, Red("甲市整治专班 2026 年第 4 次会议纪要")),
        ],
    },
    Story {
        kind: TargetKind::App,
        id: "cn.gov.example.river",
        name: "掌上河长",
        owner: "示例省水利厅",
        level: OfficeLevel::Province,
        region: "示例省",
        audience: Audience::Staff,
        then: &[(90, Filed("示例网信政备〔2026〕0003号")), (21, Scan("river"))],
    },
    Story {
        kind: TargetKind::App,
        id: "cn.gov.example.reader",
        name: "书香甲市",
        owner: "甲市图书馆",
        level: OfficeLevel::City,
        region: "示例省/甲市",
        audience: Audience::Public,
        then: &[(70, Filed("示例网信政备〔2026〕0031号")), (14, Scan("clean"))],
    },
    Story {
        kind: TargetKind::MiniProgram,
        id: "wx0123456789abcdef",
        name: "丙区任务通",
        owner: "丙区党建办",
        level: OfficeLevel::County,
        region: "示例省/丁市/丙区",
        audience: Audience::Staff,
        then: &[(64, Filed("示例网信政备〔2026〕0044号")), (5, Scan("task"))],
    },
    Story {
        kind: TargetKind::MiniProgram,
        id: "wx0fedcba987654321",
        name: "丁市走访",
        owner: "丁市民政局",
        level: OfficeLevel::City,
        region: "示例省/丁市",
        audience: Audience::Staff,
        then: &[(60, Filed("示例网信政备〔2026〕0050号")), (4, Scan("visit"))],
    },
    Story {
        kind: TargetKind::MiniProgram,
        id: "wx00112233445566aa",
        name: "丁市诉讼服务",
        owner: "丁市中级人民法院",
        level: OfficeLevel::City,
        region: "示例省/丁市",
        audience: Audience::Public,
        then: &[(62, Filed("示例网信政备〔2026〕0047号")), (16, Scan("court"))],
    },
    Story {
        kind: TargetKind::MiniProgram,
        id: "wxaa66554433221100",
        name: "甲市挂号",
        owner: "甲市卫生健康委",
        level: OfficeLevel::City,
        region: "示例省/甲市",
        audience: Audience::Public,
        then: &[(61, Filed("示例网信政备〔2026〕0049号")), (15, Scan("health"))],
    },
    Story {
        kind: TargetKind::App,
        id: "cn.gov.example.sealed",
        name: "丁市政企通",
        owner: "丁市工信局",
        level: OfficeLevel::City,
        region: "示例省/丁市",
        audience: Audience::Business,
        then: &[(58, Filed("示例网信政备〔2026〕0052号")), (18, Scan("packed"))],
    },
    Story {
        kind: TargetKind::App,
        id: "cn.gov.example.form",
        name: "戊镇报表",
        owner: "戊镇人民政府",
        level: OfficeLevel::Township,
        region: "示例省/甲市/乙县/戊镇",
        audience: Audience::Staff,
        then: &[
            (40, Scan("found")),
            (36, Notice("甲整改〔2026〕8号", 30)),
            (7, Closed("并入甲市网格通后注销")),
        ],
    },
    Story {
        kind: TargetKind::Account,
        id: "gh_0123456789ab",
        name: "丙区发布",
        owner: "丙区人民政府",
        level: OfficeLevel::County,
        region: "示例省/丁市/丙区",
        audience: Audience::Public,
        then: &[(6, Scan("article"))],
    },
    Story {
        kind: TargetKind::Account,
        id: "gh_ba9876543210",
        name: "乙县微生活",
        owner: "乙县文化馆",
        level: OfficeLevel::County,
        region: "示例省/甲市/乙县",
        audience: Audience::Public,
        then: &[(6, Scan("silent"))],
    },
    Story {
        kind: TargetKind::Group,
        id: "乙县戊镇工作群",
        name: "戊镇工作群",
        owner: "戊镇人民政府",
        level: OfficeLevel::Township,
        region: "示例省/甲市/乙县/戊镇",
        audience: Audience::Staff,
        then: &[(3, Scan("group"))],
    },
];

/// Offices of the rows that have no story yet: not filed, or not scanned.
const OTHERS: [&str; 8] = [
    "教育局",
    "卫生健康委",
    "应急管理局",
    "交通运输局",
    "农业农村局",
    "文化和旅游局",
    "医疗保障局",
    "住房城乡建设局",
];

impl Demo {
    pub(super) fn run(self, lang: Lang) -> anyhow::Result<u8> {
        let folder = match &self.folder {
            Some(folder) => folder.clone(),
            None => std::env::temp_dir().join(format!("zhijian-demo-{}", std::process::id())),
        };
        let place = folder.display().to_string();
        fs::create_dir_all(&folder).with_context(|| place.clone())?;
        anyhow::ensure!(
            fs::read_dir(&folder)?.next().is_none(),
            "{place}{}",
            lang.pick("：文件夹不为空", ": the folder is not empty")
        );
        let options = options(&folder, self.listen)?;
        let (temporary, no_browser) = (self.folder.is_none(), self.no_browser);
        let words = introduction(&place, temporary, lang);
        let done = serve::host(options, lang, async move |app: &App, address: SocketAddr| {
            tell(app).await?;
            writeln!(io::stdout(), "{words}")?;
            if !no_browser {
                open(&format!("http://{address}/"));
            }
            Ok(())
        });
        if temporary {
            let _ = fs::remove_dir_all(&folder);
        }
        done
    }
}

/// What is in it, how it is ended, and what becomes of it then.
fn introduction(place: &str, temporary: bool, lang: Lang) -> String {
    let then = STORIES.iter().flat_map(|story| story.then);
    let scans = then.filter(|(_, then)| matches!(then, Scan(_))).count();
    let targets = STORIES.len() + unscanned().count();
    match lang {
        Lang::Zh => format!(
            "演示：虚构的示例省，{targets} 个应用、小程序、公众账号和工作群组，{scans} 次检测，以及备案、整改通知、复核和赋码的经过\n\
             数据在 {place}，按 Ctrl-C 停止，停止后{}",
            if temporary { "即删除" } else { "保留" }
        ),
        Lang::En => format!(
            "An invented province: {targets} apps, mini programs, accounts and groups, {scans} scans, with filings, \
             notices, reviews and codes\nIt is kept in {place}; Ctrl-C ends it, and the folder is then {}",
            if temporary { "deleted" } else { "left as it is" }
        ),
    }
}

fn options(folder: &Path, listen: SocketAddr) -> anyhow::Result<Options> {
    let mut config = Config::default();
    config.server.listen = listen;
    let rules = Arc::new(RuleSet::embedded()?);
    Ok(Options {
        database: format!("sqlite:{}", folder.join("ledger.db").display()),
        scanner: Arc::new(Scanner::new(rules.clone(), FilingRecord::Unknown)),
        rules,
        store: Store::open(&folder.join("store"))?,
        config,
        serves: true,
    })
}

/// Tells the ledger the stories.
async fn tell(app: &App) -> anyhow::Result<()> {
    let recorder = Recorder::new(app.ledger.clone(), app.policy().clone(), &app.config);
    let now = app.now();
    for story in STORIES {
        let entry = story.entry();
        let target = entry.key().ok_or_else(|| anyhow!("{}", story.name))?;
        let event = |days: i64, actor: &str, deed| Event {
            target: target.clone(),
            at: ago(now, days),
            actor: actor.into(),
            deed,
        };
        let enrolled = event(92, "admin", Deed::Enrolled { entry: Box::new(entry) });
        recorder.append(&[], &[enrolled]).await?;
        let mut scanned = None;
        for (days, then) in story.then {
            let rules = vec!["app.check-in".to_owned()];
            let deed = match then {
                Scan(package) => {
                    scanned = Some(scan(app, &recorder, &target, package, ago(now, *days)).await?);
                    continue;
                }
                Filed(number) => Deed::Filed { number: (*number).into() },
                Notice(document, term) => Deed::NoticeIssued {
                    document: (*document).into(),
                    rules,
                    deadline: beijing_day(ago(now, days - term)),
                },
                Reported(statement) => Deed::RectificationReported { statement: (*statement).into() },
                Confirm(reason) => Deed::Confirmed {
                    rule: "app.check-in".into(),
                    evidence: scanned.clone().unwrap_or_default(),
                    reason: (*reason).into(),
                },
                Red(reason) => Deed::RedDecided { reason: (*reason).into() },
                Closed(reason) => Deed::Closed { reason: (*reason).into() },
            };
            recorder.append(&[], &[event(*days, "张三", deed)]).await?;
        }
    }
    others(&recorder, now).await?;
    app.catch_up().await?;
    let text = roster();
    let sha256 = keep(&app.store, text.as_bytes())?;
    app.add_roster("示例省名录", &sha256, "admin").await?.map_err(|words| anyhow!(words.en))?;
    Ok(())
}

impl Story {
    fn entry(&self) -> RosterEntry {
        RosterEntry {
            id: Some(self.id.into()),
            name: Some(self.name.into()),
            owner: Some(self.owner.into()),
            level: Some(self.level),
            region: Some(self.region.into()),
            audience: Some(self.audience),
            ..RosterEntry::new(self.kind)
        }
    }
}

fn ago(now: Timestamp, days: i64) -> Timestamp {
    now.checked_sub(SignedDuration::from_hours(24 * days)).unwrap_or(now)
}

/// Scans a package as of a day and records it; the evidence of a check-in that was found.
async fn scan(
    app: &App,
    recorder: &Recorder,
    target: &str,
    package: &str,
    at: Timestamp,
) -> anyhow::Result<Vec<String>> {
    let (_, name, bytes) =
        PACKAGES.iter().find(|(key, ..)| *key == package).ok_or_else(|| anyhow!("{package}"))?;
    let path = keep(&app.store, bytes)?;
    let path = app.store.object(&path).ok_or_else(|| anyhow!("{name}"))?;
    let subject = Subject { name: (*name).into(), as_of: Some(at), ..Subject::default() };
    let reports = app.scanner().scan_subject(&path, subject, &Silent)?;
    let mut batch = Batch::new(recorder, "zhijian".into(), false);
    let mut evidence = Vec::new();
    for report in reports.into_iter().take(1) {
        let found = report.findings.iter().filter(|found| found.level >= Level::Suspected);
        for found in found.filter(|found| found.rule == "app.check-in") {
            evidence.extend(zhijian::model::evidence_keys(found));
        }
        let (report, text) = record::with_json(report)?;
        batch.add(&report, text, Some(target), at).await?;
    }
    batch.finish().await?;
    Ok(evidence)
}

fn keep(store: &Store, bytes: &[u8]) -> anyhow::Result<String> {
    let mut incoming = store.incoming()?;
    incoming.write(bytes)?;
    Ok(incoming.finish()?)
}

/// Rows without a story.
async fn others(recorder: &Recorder, now: Timestamp) -> anyhow::Result<()> {
    let mut events = Vec::new();
    for (number, entry) in unscanned().enumerate() {
        let target = entry.key().ok_or_else(|| anyhow!("{:?}", entry.name))?;
        let event =
            |days, deed| Event { target: target.clone(), at: ago(now, days), actor: "admin".into(), deed };
        events.push(event(92, Deed::Enrolled { entry: Box::new(entry) }));
        if number.is_multiple_of(3) {
            let number = format!("示例网信政备〔2026〕1{number:03}号");
            events.push(event(45, Deed::Filed { number }));
        }
    }
    recorder.append(&[], &events).await?;
    Ok(())
}

fn unscanned() -> impl Iterator<Item = RosterEntry> {
    let offices = ["甲市", "丁市", "己市"].into_iter().flat_map(|city| OTHERS.map(|office| (city, office)));
    offices.enumerate().map(|(number, (city, office))| other(number, city, office))
}

fn other(number: usize, city: &str, office: &str) -> RosterEntry {
    let kind = if number.is_multiple_of(2) { TargetKind::Account } else { TargetKind::MiniProgram };
    RosterEntry {
        id: Some(format!("gh_example{number:05}")),
        name: Some(format!("{city}{office}{}", if kind == TargetKind::Account { "发布" } else { "服务" })),
        owner: Some(format!("{city}{office}")),
        level: Some(OfficeLevel::City),
        region: Some(format!("示例省/{city}")),
        audience: Some(Audience::Public),
        ..RosterEntry::new(kind)
    }
}

/// The roster as an office would hand it in.
fn roster() -> String {
    let rows = STORIES.iter().map(Story::entry).chain(unscanned());
    let mut text = "类型,标识,名称,主办单位,层级,地区,服务对象\n".to_owned();
    for entry in rows {
        let cells = [
            Some(entry.kind.zh().to_owned()),
            entry.id,
            entry.name,
            entry.owner,
            entry.level.map(|level| level.zh().to_owned()),
            entry.region,
            entry.audience.map(|audience| audience.zh().to_owned()),
        ];
        text.push_str(&cells.map(Option::unwrap_or_default).join(","));
        text.push('\n');
    }
    text
}

/// Shows an address in the browser of whoever is there; without one the address is printed all the same.
fn open(address: &str) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let _ = Command::new(program)
        .arg(address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
}
