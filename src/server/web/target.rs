//! The page of a target: its report, with the history of its code on top and what can be done about it.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use axum::extract::{Form, Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use serde::Deserialize;

use super::decide::{Done, Offer};
use super::frame::{Frame, Place, Visitor, page as rendered};
use super::jobs::{outcome, page_of};
use super::show::{Badge, actor, address, badge, brief, called, clip};
use crate::ledger::{Fact, History, Listed, Recorded, withdrawn};
use crate::model::{
    Deed, DutyStatus, Evidence, Feature, Lang, Level, Rectification, Report, beijing_day, beijing_minute,
};
use crate::rectify;
use crate::report::{self, NOTICE_FORMATS, Notice, NoticeData, Piece, Run, View, piece};
use crate::server::{App, Problem, Role};

/// Rows of evidence of one sort in a comparison.
const ROWS: usize = 6;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    done: Option<u64>,
}

#[derive(Template)]
#[template(path = "target.html", config = "src/server/web/askama.toml")]
struct Target {
    frame: Frame,
    address: String,
    target: String,
    key: String,
    kind: &'static str,
    badge: Badge,
    reasons: Vec<String>,
    since: String,
    facts: Vec<(&'static str, String)>,
    /// The last attempt, where it did not get the target: what came of it, and the run where the visitor may see that.
    missed: Option<(String, String)>,
    turns: Vec<Turn>,
    done: Option<Done>,
    open: Vec<Open>,
    /// Findings of the report that do not count: mentions, and what a person has judged.
    other: Vec<String>,
    duties: Vec<Open>,
    seen: Option<String>,
    unseen: Option<String>,
    annex: Option<String>,
    scans: Vec<Scan>,
    events: Vec<Happened>,
    red: Option<Offer>,
    notice: bool,
    rules: Vec<(String, String)>,
    today: String,
}

/// A code in its turn.
struct Turn {
    badge: Badge,
    since: String,
    reason: String,
    events: Vec<String>,
}

/// Something that is open, with what can be done about it.
struct Open {
    title: String,
    rule: String,
    level: &'static str,
    since: String,
    again: bool,
    deadline: String,
    overdue: bool,
    events: String,
    piece: Option<String>,
    offer: Option<Offer>,
}

/// A scan that can be compared.
struct Scan {
    seq: u64,
    word: String,
    latest: bool,
    before: bool,
}

/// An event of the log.
struct Happened {
    seq: u64,
    at: String,
    deed: &'static str,
    detail: String,
    actor: String,
    withdrawn: bool,
    withdrawable: bool,
}

/// The title of a rule in a language; its id where there is no such rule any more.
pub(super) fn title(app: &App, lang: Lang, rule: &str) -> String {
    let found = app.rules.find(rule);
    found.map_or_else(|| brief(rule), |(rule, _)| lang.pick(&rule.title, &rule.title_en).to_owned())
}

/// A report by its digest; `None` where it is gone or cannot be read.
pub(super) async fn report_of(app: &App, digest: &str) -> Result<Option<Report>, Problem> {
    let body = app.ledger.document(digest).await?;
    Ok(body.and_then(|body| report::read(&body).ok()))
}

/// The target of an address with its events, if the visitor may see it.
async fn find(app: &App, visitor: &Visitor, key: &str) -> Result<(Listed, Vec<Recorded>), Problem> {
    let listed = app.target(&visitor.person, key).await?;
    let events = app.ledger.events_of(key).await?;
    Ok((listed, events))
}

pub(super) async fn page(
    State(app): State<App>,
    visitor: Visitor,
    Path(key): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let lang = visitor.lang;
    let (listed, events) = find(&app, &visitor, &key).await?;
    let (policy, now) = (app.policy(), app.now());
    let today = beijing_day(now);
    let history = History::of(policy, &events, now);
    let Some(present) = history.present() else { return Err(Problem::not_found()) };
    let standing = &history.standing;
    let report = match standing.report() {
        Some(digest) => report_of(&app, digest).await?,
        None => None,
    };
    let analyst = visitor.person.role >= Role::Analyst;
    let offer = |rule: &str, duty| analyst.then(|| Offer::new(lang, &key, rule, today, duty));
    let findings = standing.open_findings(policy, now);
    let shown = |rule: &str| -> Result<Option<String>, Problem> {
        let Some(report) = &report else { return Ok(None) };
        let found = report.findings.iter().find(|finding| finding.rule == rule);
        Ok(found.map(|found| piece(report, Piece::Finding(found), lang)).transpose()?)
    };
    let mut open = Vec::new();
    for finding in &findings {
        open.push(Open {
            title: title(&app, lang, &finding.rule),
            rule: brief(&finding.rule),
            level: lang.pick(finding.level.zh(), finding.level.en()),
            since: beijing_day(finding.since).to_string(),
            again: finding.again,
            deadline: finding.deadline.map_or_else(String::new, |day| day.to_string()),
            overdue: finding.deadline.is_some_and(|day| day < today),
            events: numbers(&finding.events),
            piece: shown(&finding.rule)?,
            offer: offer(&finding.rule, false),
        });
    }
    let open_rules: BTreeSet<&str> = findings.iter().map(|finding| finding.rule.as_str()).collect();
    let missing: BTreeSet<&str> = standing.missing(now).collect();
    let (mut other, mut duties) = (Vec::new(), Vec::new());
    if let Some(report) = &report {
        for found in report.findings.iter().filter(|found| !open_rules.contains(found.rule.as_str())) {
            other.push(piece(report, Piece::Finding(found), lang)?);
        }
        for duty in &report.duties {
            let is_missing = missing.contains(duty.rule.as_str());
            duties.push(Open {
                title: lang.pick(&duty.title, &duty.title_en).to_owned(),
                rule: brief(&duty.rule),
                level: lang.pick(duty.status.zh(), duty.status.en()),
                since: String::new(),
                again: false,
                deadline: String::new(),
                overdue: false,
                events: String::new(),
                piece: Some(piece(report, Piece::Duty(duty), lang)?),
                offer: if is_missing && duty.status != DutyStatus::Met {
                    offer(&duty.rule, true)
                } else {
                    None
                },
            });
        }
    }
    let part = |part| report.as_ref().map(|report| piece(report, part, lang)).transpose();
    let facts = standing.facts(policy, now).facts();
    let red = facts.holds(Fact::RepeatDeadlinePassed) && !facts.holds(Fact::RedDecided);
    let confirmed = findings.iter().filter(|finding| finding.level == Level::Confirmed);
    let rules: BTreeMap<String, String> =
        confirmed.map(|finding| (finding.rule.clone(), title(&app, lang, &finding.rule))).collect();
    let done = match asked.done {
        Some(seq) => Done::of(&app, &visitor, seq, "target").await?,
        None => None,
    };
    let missed = app.jobs().last_miss(&key).await?;
    let missed =
        missed.filter(|miss| standing.scanned_at().is_none_or(|scanned| scanned < miss.at)).map(|miss| {
            let (came, why) = (outcome(lang, miss.missed.outcome), clip(miss.missed.reason.words(lang)));
            let said = format!("{}　{came}{}{why}", beijing_minute(miss.at), lang.pick("：", ": "));
            let run = if visitor.person.region.is_none() { page_of(&miss.run) } else { String::new() };
            (said, run)
        });
    rendered(&Target {
        missed,
        address: address(&key),
        kind: lang.pick(listed.document.kind.zh(), listed.document.kind.en()),
        badge: badge(lang, present.code.suggested, lang.pick(&present.code.state, &present.code.state_en)),
        reasons: present.code.reasons.iter().map(|r| lang.pick(&r.text, &r.text_en).to_owned()).collect(),
        since: beijing_minute(present.since),
        facts: known(lang, &listed, &history),
        turns: turns(lang, &history, &events),
        done,
        open,
        other,
        duties,
        seen: part(Piece::Seen)?,
        unseen: part(Piece::Unseen)?,
        annex: part(Piece::Annex)?,
        scans: scans(lang, &events),
        events: log(lang, &events, analyst),
        red: red.then(|| offer("", true)).flatten(),
        notice: analyst && report.is_some() && (!findings.is_empty() || !missing.is_empty()),
        rules: rules.into_iter().collect(),
        today: today.to_string(),
        key: clip(&key),
        target: key.clone(),
        frame: visitor.frame(Place::Targets, brief(called(&listed))),
    })
}

fn numbers(events: &[u64]) -> String {
    events.iter().map(|seq| format!("#{seq}")).collect::<Vec<_>>().join(" ")
}

/// What the roster and the ledger say of it.
fn known(lang: Lang, listed: &Listed, history: &History) -> Vec<(&'static str, String)> {
    let document = &listed.document;
    let level = document.level.map(|level| lang.pick(level.zh(), level.en()).to_owned());
    let scanned = history.standing.scanned_at().map(beijing_minute);
    let unfiled = || lang.pick("未见备案记录", "no filing on record").to_owned();
    [
        (("主办单位", "Owner"), document.owner.as_deref().map(clip)),
        (("地区", "Region"), document.region.as_deref().map(clip)),
        (("层级", "Level"), level),
        (("备案编号", "Filing number"), Some(history.standing.filing().map_or_else(unfiled, clip))),
        (
            ("最近检测", "Latest scan"),
            Some(scanned.unwrap_or_else(|| lang.pick("尚未检测", "never scanned").to_owned())),
        ),
        (("赋码政策", "Policy"), Some(document.policy.clone())),
    ]
    .into_iter()
    .filter_map(|((zh, en), text)| Some((lang.pick(zh, en), text?)))
    .collect()
}

/// Every turn of the code, the present one first, with the events that made it.
fn turns(lang: Lang, history: &History, events: &[Recorded]) -> Vec<Turn> {
    let turn = |coded: &crate::ledger::Coded| {
        let of = events.iter().filter(|recorded| coded.events.contains(&recorded.seq));
        let reason = coded.code.reasons.first();
        Turn {
            badge: badge(lang, coded.code.suggested, lang.pick(&coded.code.state, &coded.code.state_en)),
            since: beijing_minute(coded.since),
            reason: reason.map_or_else(String::new, |r| lang.pick(&r.text, &r.text_en).to_owned()),
            events: of.map(|recorded| told(lang, recorded)).collect(),
        }
    };
    history.codes.iter().rev().map(turn).collect()
}

/// An event in a line.
fn told(lang: Lang, recorded: &Recorded) -> String {
    let event = &recorded.event;
    let deed = lang.pick(event.deed.zh(), event.deed.name());
    let (at, detail) = (beijing_minute(event.at), clip(&event.deed.detail(lang)));
    format!("#{} {at} {deed} {detail}", recorded.seq).trim_end().to_owned()
}

/// Scans, the latest first.
fn scans(lang: Lang, events: &[Recorded]) -> Vec<Scan> {
    let withdrawn = withdrawn(events);
    let mut scans: Vec<(jiff::Timestamp, Scan)> = Vec::new();
    for recorded in events.iter().filter(|recorded| !withdrawn.contains(&recorded.seq)) {
        if let Deed::Scanned(scan) = &recorded.event.deed {
            let version = scan.version.as_deref().map(brief).unwrap_or_default();
            let version =
                if version.is_empty() { lang.pick("无版本号", "no version").to_owned() } else { version };
            let word = format!("{version}  {}  #{}", beijing_minute(recorded.event.at), recorded.seq);
            scans.push((recorded.event.at, Scan { seq: recorded.seq, word, latest: false, before: false }));
        }
    }
    scans.sort_by_key(|(at, scan)| std::cmp::Reverse((*at, scan.seq)));
    let mut scans: Vec<Scan> = scans.into_iter().map(|(_, scan)| scan).collect();
    if let Some(scan) = scans.first_mut() {
        scan.latest = true;
    }
    if let Some(scan) = scans.get_mut(1) {
        scan.before = true;
    }
    scans
}

/// All events, the latest first.
fn log(lang: Lang, events: &[Recorded], analyst: bool) -> Vec<Happened> {
    let withdrawn = withdrawn(events);
    let happened = |recorded: &Recorded| {
        let event = &recorded.event;
        let is_withdrawn = withdrawn.contains(&recorded.seq);
        Happened {
            seq: recorded.seq,
            at: beijing_minute(event.at),
            deed: lang.pick(event.deed.zh(), event.deed.name()),
            detail: clip(&event.deed.detail(lang)),
            actor: actor(lang, &event.actor),
            withdrawn: is_withdrawn,
            withdrawable: analyst && !is_withdrawn,
        }
    };
    events.iter().rev().map(happened).collect()
}

/// The latest report as one file.
pub(super) async fn report(
    State(app): State<App>,
    visitor: Visitor,
    Path(key): Path<String>,
) -> Result<Response, Problem> {
    let (listed, _) = find(&app, &visitor, &key).await?;
    let digest = listed.document.report.ok_or_else(Problem::not_found)?.sha256;
    let report = report_of(&app, &digest).await?.ok_or_else(Problem::not_found)?;
    let format = report::format("html").ok_or_else(Problem::not_found)?;
    let run = Run { reports: std::slice::from_ref(&report), failures: &[], several: false };
    let mut body = Vec::new();
    let view = View { lang: visitor.lang, all: true, colour: false };
    (format.write)(&run, view, &mut body).map_err(askama::Error::custom)?;
    let name = format!("zhijian-{}.html", digest.get(..12).unwrap_or_default());
    Ok(file(&name, "text/html; charset=utf-8", body))
}

/// A file to be saved. Were it opened, nothing in it would run.
fn file(name: &str, kind: &'static str, body: Vec<u8>) -> Response {
    let headers = [
        (CONTENT_TYPE, kind.to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox".to_owned()),
    ];
    (headers, body).into_response()
}

/// What an office writes into a notice.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct NoticeForm {
    number: String,
    deadline: String,
    issuer: String,
    addressee: String,
    contact: String,
    format: String,
}

/// The notice of rectification for the latest report.
pub(super) async fn notice(
    State(app): State<App>,
    visitor: Visitor,
    Path(key): Path<String>,
    Form(form): Form<NoticeForm>,
) -> Result<Response, Problem> {
    visitor.person.at_least(Role::Analyst)?;
    let lang = visitor.lang;
    let (listed, events) = find(&app, &visitor, &key).await?;
    let digest = listed.document.report.ok_or_else(Problem::not_found)?.sha256;
    let report = report_of(&app, &digest).await?.ok_or_else(Problem::not_found)?;
    let wrong = |zh: &str, en: &str| Problem::bad_request((zh, en));
    let deadline: Date = form
        .deadline
        .trim()
        .parse()
        .map_err(|_| wrong("整改期限应为日期，如 2026-12-31", "the deadline has to be a date"))?;
    if form.number.trim().is_empty() {
        return Err(wrong("文号不能为空", "a number is wanted"));
    }
    let format = NOTICE_FORMATS.iter().find(|format| format.name == form.format).or(NOTICE_FORMATS.first());
    let format = format.ok_or_else(Problem::not_found)?;
    let text = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    // What a person has judged is not asked for again.
    let standing = History::of(app.policy(), &events, app.now()).standing;
    let findings = standing.open_findings(app.policy(), app.now());
    let in_report = |rule: &&str| {
        report.findings.iter().any(|finding| finding.rule == **rule && finding.is_open())
            || report.duties.iter().any(|duty| duty.rule == **rule && duty.status == DutyStatus::Missing)
    };
    let open = findings.iter().map(|finding| finding.rule.as_str()).chain(standing.missing(app.now()));
    let rules: BTreeSet<&str> = open.filter(in_report).collect();
    let data = NoticeData {
        number: form.number.trim().to_owned(),
        deadline,
        issued: beijing_day(app.now()),
        issuer: text(&form.issuer),
        addressee: text(&form.addressee).or(listed.document.owner.clone()),
        contact: text(&form.contact),
        scanned: standing.scanned_at().map(beijing_day),
        rules: rules.into_iter().map(str::to_owned).collect(),
    };
    let notice = Notice::new(&report, &data, lang).map_err(|error| {
        let title = ("不能生成整改通知", "no notice can be made");
        Problem::new("notice", StatusCode::CONFLICT, title).with(error.words(lang))
    })?;
    let mut body = Vec::new();
    (format.write)(&notice, &mut body).map_err(askama::Error::custom)?;
    let kind = match format.name {
        "docx" => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        _ => "text/html; charset=utf-8",
    };
    Ok(file(&format!("notice.{}", format.name), kind, body))
}

#[derive(Debug, Deserialize)]
pub(super) struct Compared {
    old: u64,
    new: u64,
}

#[derive(Template)]
#[template(path = "compare.html", config = "src/server/web/askama.toml")]
struct Compare {
    frame: Frame,
    address: String,
    name: String,
    sides: [String; 2],
    diff: Rectification,
}

/// Two scans of a target compared.
pub(super) async fn compare(
    State(app): State<App>,
    visitor: Visitor,
    Path(key): Path<String>,
    Query(asked): Query<Compared>,
) -> Result<Response, Problem> {
    let lang = visitor.lang;
    let (listed, events) = find(&app, &visitor, &key).await?;
    let scan = |seq: u64| {
        events.iter().find(|recorded| recorded.seq == seq).and_then(|recorded| match &recorded.event.deed {
            Deed::Scanned(scan) => Some((told(lang, recorded), scan.report.clone())),
            _ => None,
        })
    };
    let (Some((old_word, old)), Some((new_word, new))) = (scan(asked.old), scan(asked.new)) else {
        return Err(Problem::not_found());
    };
    let (old, new) = (report_of(&app, &old).await?, report_of(&app, &new).await?);
    let (Some(old), Some(new)) = (old, new) else { return Err(Problem::not_found()) };
    let diff = tokio::task::spawn_blocking(move || rectify::compare(&old, &new)).await;
    let diff = diff.map_err(askama::Error::custom)?;
    rendered(&Compare {
        address: address(&key),
        name: brief(called(&listed)),
        sides: [old_word, new_word],
        diff,
        frame: visitor.frame(Place::Targets, lang.pick("版本比对", "Comparison")),
    })
}

impl Compare {
    fn rows<'f>(&self, feature: &'f Feature) -> Vec<(&'static str, &'f [Evidence])> {
        let lang = self.frame.lang;
        [
            (lang.pick("已消失", "gone"), &*feature.gone),
            (lang.pick("仍在", "still there"), &*feature.kept),
            (lang.pick("新出现", "appeared"), &*feature.appeared),
        ]
        .into_iter()
        .filter(|(_, rows)| !rows.is_empty())
        .collect()
    }

    fn clip(&self, text: &str) -> String {
        clip(text)
    }

    fn level(&self, level: &Option<Level>) -> &'static str {
        let lang = self.frame.lang;
        level.map_or(lang.pick("无", "none"), |level| lang.pick(level.zh(), level.en()))
    }

    fn status(&self, status: &Option<DutyStatus>) -> &'static str {
        let lang = self.frame.lang;
        status.map_or(lang.pick("不适用", "does not apply"), |status| lang.pick(status.zh(), status.en()))
    }

    fn quoted(&self, labels: &[String]) -> String {
        let quoted: Vec<String> =
            labels.iter().take(ROWS).map(|label| format!("“{}”", brief(label))).collect();
        quoted.join(self.frame.lang.pick("、", ", "))
    }
}
