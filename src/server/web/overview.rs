//! 总览: what turned worse since yesterday, what is overdue, how the whole stands; in this order.

use std::collections::BTreeMap;
use std::fmt::Write;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use jiff::SignedDuration;
use jiff::civil::Date;

use super::frame::{Frame, Place, Visitor, page as rendered};
use super::jobs::{figures, page_of};
use super::show::{Badge, Head, Row, badge, brief, heads, query, row};
use super::targets::UNSAID;
use crate::ledger::{By, Count, History, LedgerError, Listed, Policy, Wanted};
use crate::model::{ColorCode, Lang, OfficeLevel, beijing_day, beijing_midnight, beijing_minute};
use crate::server::{App, Problem, jobs};

/// Codes that turned, of which those are shown that turned for the worse.
const TURNED: u32 = 200;
/// Rows of a list on this page.
const SHOWN: usize = 10;
/// Regions that are listed.
const REGIONS: usize = 40;
/// Runs among which one that is over is looked for.
const RUNS: u32 = 20;
/// Days of the trend.
const DAYS: u32 = 60;
/// Codes in the order in which they are shown, gravest first.
const CODES: [ColorCode; 4] = [ColorCode::Red, ColorCode::Blue, ColorCode::None, ColorCode::Green];

#[derive(Template)]
#[template(path = "overview.html", config = "src/server/web/askama.toml")]
struct Overview {
    frame: Frame,
    last: Option<Last>,
    worse: Vec<Worse>,
    worse_more: usize,
    heads: Vec<Head>,
    overdue: Vec<Row>,
    overdue_all: u64,
    overdue_more: bool,
    overdue_link: String,
    total: u64,
    whole: Vec<Cell>,
    regions: Vec<Line>,
    regions_more: usize,
    levels: Vec<Line>,
    trend: Option<Trend>,
}

/// The last run of a roster.
struct Last {
    link: String,
    at: String,
    roster: String,
    what: String,
    failed: bool,
}

/// The last run that is over; of all regions, so not for who is limited to one.
async fn last(app: &App, visitor: &Visitor) -> Result<Option<Last>, Problem> {
    if visitor.person.region.is_some() {
        return Ok(None);
    }
    let lang = visitor.lang;
    let wanted = jobs::Wanted { kind: Some("run".to_owned()), ..Default::default() };
    let runs = app.jobs().list(&wanted, None, RUNS).await?;
    let Some(job) = runs.into_iter().find(|job| !job.state.is_open()) else { return Ok(None) };
    let roster = match job.roster() {
        Some(roster) => app.roster(roster).await?,
        None => None,
    };
    let came = job.figures().unwrap_or_default();
    let done = match job.state {
        jobs::State::Done => String::new(),
        jobs::State::Cancelled => lang.pick("已取消，", "cancelled, ").to_owned(),
        _ => lang.pick("未做完，", "given up, ").to_owned(),
    };
    Ok(Some(Last {
        link: page_of(&job.id),
        at: job.ended.or(job.started).map_or_else(String::new, beijing_minute),
        roster: roster.map(|roster| brief(&roster.name)).unwrap_or_default(),
        what: format!("{done}{}", figures(lang, &came)),
        failed: came.failed > 0 || job.state == jobs::State::Dead,
    }))
}

/// A target whose code turned for the worse.
struct Worse {
    row: Row,
    before: Option<Badge>,
}

/// How many targets have a code, and where they are listed.
struct Cell {
    badge: Badge,
    count: u64,
    link: String,
}

/// A row of the table of codes.
struct Line {
    name: String,
    link: String,
    total: u64,
    cells: Vec<Cell>,
    /// Left end and width of each part of the bar, of 100.
    bar: Vec<(&'static str, f64, f64)>,
}

struct Trend {
    from: String,
    to: String,
    top: u64,
    lines: Vec<TrendLine>,
}

struct TrendLine {
    badge: Badge,
    points: String,
    first: u64,
    last: u64,
}

pub(super) async fn page(State(app): State<App>, visitor: Visitor) -> Result<Response, Problem> {
    let lang = visitor.lang;
    let now = app.now();
    let today = beijing_day(now);
    let wanted = Wanted { region: visitor.person.region.clone(), ..Wanted::default() };
    let yesterday =
        today.yesterday().ok().and_then(beijing_midnight).unwrap_or(now - SignedDuration::from_hours(24));
    let turned = app.ledger.turned(&wanted, yesterday, TURNED).await?;
    let mut worse = Vec::new();
    for listed in &turned {
        if let Some(before) = worsened(&app, listed).await? {
            let before =
                before.map(|(code, state, state_en)| badge(lang, code, lang.pick(&state, &state_en)));
            worse.push(Worse { row: row(lang, today, listed), before });
        }
    }
    let worse_more = worse.len().saturating_sub(SHOWN);
    worse.truncate(SHOWN);
    let due = Wanted { due_before: Some(today.to_string()), ..wanted.clone() };
    let overdue = app.ledger.listed(&due, "", SHOWN as u32).await?;
    let overdue_all: u64 = app.ledger.count(&due, By::All).await?.iter().map(|count| count.targets).sum();
    let counts = app.ledger.count(&wanted, By::All).await?;
    let counted = app.ledger.count(&wanted, By::Region).await?;
    let depth = depth(&counted);
    let regions = grouped(&counted, |within| part(within, depth));
    let regions_more = regions.len().saturating_sub(REGIONS);
    // What the roster does not say comes last.
    let (unsaid, said): (Vec<_>, Vec<_>) = regions.into_iter().partition(|(region, _)| region.is_empty());
    let regions = said
        .into_iter()
        .take(REGIONS)
        .chain(unsaid)
        .map(|(region, counts)| line(lang, &region, "region", &region, &counts));
    let levels = grouped(&app.ledger.count(&wanted, By::Level).await?, str::to_owned);
    let order = |word: &str| OfficeLevel::ALL.iter().position(|level| level_word(*level) == word);
    let mut levels: Vec<_> = levels.into_iter().collect();
    levels.sort_by_key(|(word, _)| order(word).unwrap_or(usize::MAX));
    let levels = levels.iter().map(|(word, counts)| {
        let level = OfficeLevel::ALL.into_iter().find(|level| level_word(*level) == word);
        let name = level.map_or("", |level| lang.pick(level.zh(), level.en()));
        line(lang, name, "level", word, counts)
    });
    let all = sums(&counts);
    let trend = match &visitor.person.region {
        None => app.ledger.trend(DAYS).await?,
        Some(region) => app.ledger.trend_within(region, DAYS, now).await?,
    };
    let trend = trend_of(lang, &trend);
    rendered(&Overview {
        last: last(&app, &visitor).await?,
        worse,
        worse_more,
        heads: heads(lang, None, str::to_owned),
        overdue: overdue.iter().map(|listed| row(lang, today, listed)).collect(),
        overdue_all,
        overdue_more: overdue_all > overdue.len() as u64,
        overdue_link: query("/targets", &[("due", "over")]),
        total: all.iter().sum(),
        whole: cells(lang, &all, &[]),
        regions: regions.collect(),
        regions_more,
        levels: levels.collect(),
        trend,
        frame: visitor.frame(Place::Overview, lang.pick("总览", "Overview")),
    })
}

/// Colour, state and state in English; a target that is new had none.
type Before = Option<(ColorCode, String, String)>;

/// What the code was before it turned for the worse; `None` where it did not.
async fn worsened(app: &App, listed: &Listed) -> Result<Option<Before>, LedgerError> {
    let events = app.ledger.events_of(&listed.document.target).await?;
    let history = History::of(app.policy(), &events, app.now());
    let [earlier @ .., present] = &history.codes[..] else { return Ok(None) };
    let clause = |reasons: &[crate::model::CodeReason]| {
        reasons.first().map_or(usize::MAX, |reason| gravity(app.policy(), &reason.id))
    };
    let before = earlier.last();
    // One that was never scanned is no worse for being new.
    let never = gravity(app.policy(), "never-scanned");
    let was = before.map_or(never, |coded| clause(&coded.code.reasons).min(never));
    if clause(&present.code.reasons) >= was {
        return Ok(None);
    }
    Ok(Some(
        before.map(|coded| (coded.code.suggested, coded.code.state.clone(), coded.code.state_en.clone())),
    ))
}

/// Clauses come gravest first; off the roster and closed are no grave things.
fn gravity(policy: &Policy, clause: &str) -> usize {
    match clause {
        "struck" | "closed" => usize::MAX,
        _ => policy.clauses.iter().position(|one| one.id == clause).unwrap_or(usize::MAX),
    }
}

/// How many parts of a region tell the targets apart: one more than all have in common.
fn depth(counts: &[Count]) -> usize {
    let mut regions = counts.iter().map(|count| &*count.within).filter(|within| !within.is_empty());
    let Some(first) = regions.next() else { return 1 };
    let mut common: Vec<&str> = first.split('/').collect();
    for region in regions {
        let same = common.iter().zip(region.split('/')).take_while(|(one, other)| **one == *other).count();
        common.truncate(same);
    }
    common.len() + 1
}

/// The first parts of a region.
fn part(within: &str, depth: usize) -> String {
    within.split('/').take(depth).collect::<Vec<_>>().join("/")
}

fn grouped(counts: &[Count], of: impl Fn(&str) -> String) -> BTreeMap<String, Vec<Count>> {
    let mut groups: BTreeMap<String, Vec<Count>> = BTreeMap::new();
    for count in counts {
        groups.entry(of(&count.within)).or_default().push(count.clone());
    }
    groups
}

/// Targets by code, in the order of [`CODES`].
fn sums(counts: &[Count]) -> [u64; 4] {
    CODES.map(|code| counts.iter().filter(|count| count.code == code).map(|count| count.targets).sum())
}

fn cells(lang: Lang, sums: &[u64; 4], within: &[(&str, &str)]) -> Vec<Cell> {
    let one = |(code, count): (ColorCode, &u64)| {
        let badge = badge(lang, code, "");
        let mut pairs = within.to_vec();
        pairs.push(("code", badge.class));
        Cell { count: *count, link: query("/targets", &pairs), badge }
    };
    CODES.into_iter().zip(sums).map(one).collect()
}

fn line(lang: Lang, name: &str, by: &'static str, value: &str, counts: &[Count]) -> Line {
    let sums = sums(counts);
    let total: u64 = sums.iter().sum();
    let mut left = 0.0;
    let part = |(code, count): (ColorCode, &u64)| {
        let width = 100.0 * *count as f64 / total.max(1) as f64;
        let from = left;
        left += width;
        (badge(lang, code, "").class, from, width)
    };
    let bar = CODES.into_iter().zip(&sums).map(part).filter(|(_, _, width)| *width > 0.0).collect();
    let name = if name.is_empty() {
        lang.pick("名录未载明", "not in the roster").to_owned()
    } else {
        brief(name)
    };
    let within = [(by, if value.is_empty() { UNSAID } else { value })];
    let mut line =
        Line { name, link: query("/targets", &within), total, cells: cells(lang, &sums, &within), bar };
    if by == "level" && value.is_empty() {
        // No list is of what the roster does not say the level of.
        line.link.clear();
        line.cells.iter_mut().for_each(|cell| cell.link.clear());
    }
    line
}

fn level_word(level: OfficeLevel) -> &'static str {
    level.en()
}

/// The picture is 600 wide and 160 high.
fn trend_of(lang: Lang, rows: &[(String, ColorCode, u64)]) -> Option<Trend> {
    let mut days: Vec<&str> = rows.iter().map(|(day, _, _)| day.as_str()).collect();
    days.dedup();
    let ([from, .., to], true) = (&days[..], days.len() > 1) else { return None };
    // Days on which nothing changed are left out, and take their place all the same.
    let date = |day: &str| day.parse::<Date>().unwrap_or_default();
    let span = |day: &str| f64::from(date(day).since(date(from)).map_or(0, |span| span.get_days()));
    let top = rows.iter().map(|(_, _, targets)| *targets).max()?.max(1);
    let lines = CODES.map(|code| {
        let mut points = String::new();
        let of = |day: &str| {
            rows.iter()
                .find(|(of, colour, _)| of == day && *colour == code)
                .map_or(0, |(_, _, targets)| *targets)
        };
        let y = |targets: u64| 150.0 - 140.0 * targets as f64 / top as f64;
        for day in &days {
            let x = 600.0 * span(day) / span(to).max(1.0);
            // `write!` to a string does not fail.
            let _ = write!(points, "{x:.1},{:.1} ", y(of(day)));
        }
        let (first, last) = (of(from), of(to));
        TrendLine { badge: badge(lang, code, ""), points, first, last }
    });
    Some(Trend { from: (*from).to_owned(), to: (*to).to_owned(), top, lines: lines.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_told_apart_below_what_they_have_in_common() {
        let count = |within: &str| Count { within: within.into(), code: ColorCode::None, targets: 1 };
        let depth = |all: &[&str]| super::depth(&all.iter().map(|one| count(one)).collect::<Vec<_>>());
        assert_eq!(depth(&["甲省/乙市", "丙省"]), 1);
        assert_eq!(depth(&["甲省", "甲省/乙市/丁县", "甲省/丙市", ""]), 2);
        assert_eq!(depth(&["甲省/乙市/丁县", "甲省/乙市/戊县"]), 3);
        assert_eq!(depth(&[""]), 1);
        assert_eq!((part("甲省/乙市/丁县", 2), part("", 2)), ("甲省/乙市".into(), String::new()));
    }
}
