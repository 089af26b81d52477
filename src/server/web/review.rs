//! 核查: what waits for a person, urgent first; on the left the list, on the right what is needed to decide.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::decide::{Done, Offer};
use super::frame::{Frame, Place, Visitor, page as rendered};
use super::show::{Badge, address, badge, brief, called, query};
use super::target::{report_of, title};
use crate::ledger::{Next, Urgency, Waiting};
use crate::model::{DutyStatus, beijing_day};
use crate::report::{Piece, piece};
use crate::server::{App, Problem};

/// Lines of the list.
const PAGE: u32 = 50;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    target: String,
    rule: String,
    after: String,
    done: Option<u64>,
}

#[derive(Template)]
#[template(path = "review.html", config = "src/server/web/askama.toml")]
struct Review {
    frame: Frame,
    lines: Vec<Line>,
    open: Option<Opened>,
    done: Option<Done>,
    next_page: Option<String>,
    first_page: Option<String>,
    previous: Option<String>,
    following: Option<String>,
}

/// A line of the list.
struct Line {
    address: String,
    chosen: bool,
    urgency: &'static str,
    name: String,
    /// Empty where it stands for the name.
    key: String,
    title: String,
    since: String,
    deadline: String,
}

/// What is being decided.
struct Opened {
    name: String,
    address: String,
    key: String,
    owner: String,
    region: String,
    badge: Badge,
    reason: String,
    title: String,
    rule: String,
    urgency: &'static str,
    since: String,
    deadline: String,
    red: bool,
    piece: Option<String>,
    offer: Offer,
}

pub(super) async fn page(
    State(app): State<App>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let lang = visitor.lang;
    let behind: Option<Next> = serde_json::from_str(&asked.after.replace("\\u0000", "")).ok();
    let region = visitor.person.region.as_deref();
    let mut waiting = app.ledger.waiting(region, behind.as_ref(), PAGE + 1).await?;
    let more = waiting.len() > PAGE as usize;
    waiting.truncate(PAGE as usize);
    let next = waiting.last().filter(|_| more).and_then(|(_, next)| serde_json::to_string(next).ok());
    let chosen =
        waiting.iter().position(|(one, _)| one.target == asked.target && one.rule == asked.rule).unwrap_or(0);
    let of = |one: &Waiting| {
        query("/review", &[("target", &one.target), ("rule", &one.rule), ("after", &asked.after)])
    };
    let lines = waiting.iter().enumerate().map(|(index, (one, _))| Line {
        address: of(one),
        chosen: index == chosen,
        urgency: one.urgency.words(lang),
        name: brief(one.name.as_deref().unwrap_or(&one.target)),
        key: if one.name.is_some() { brief(&one.target) } else { String::new() },
        title: title(&app, lang, &one.rule),
        since: beijing_day(one.since).to_string(),
        deadline: one.deadline.map_or_else(String::new, |day| day.to_string()),
    });
    let at = |index: Option<usize>| index.and_then(|index| waiting.get(index)).map(|(one, _)| one);
    let following = at(chosen.checked_add(1));
    let open = match at(Some(chosen)) {
        None => None,
        Some(one) => {
            let mut opened = opened(&app, &visitor, one).await?;
            if let Some(opened) = &mut opened {
                opened.offer.back = "review";
                opened.offer.after = asked.after.clone();
                opened.offer.next =
                    following.map_or_else(Default::default, |n| (n.target.clone(), n.rule.clone()));
            }
            opened
        }
    };
    let mut done = match asked.done {
        Some(seq) => Done::of(&app, &visitor, seq, "review").await?,
        None => None,
    };
    if let Some(done) = &mut done {
        done.after = asked.after.clone();
    }
    rendered(&Review {
        lines: lines.collect(),
        open,
        done,
        next_page: next.map(|next| query("/review", &[("after", &next)])),
        first_page: behind.is_some().then(|| "/review".to_owned()),
        previous: at(chosen.checked_sub(1)).map(of),
        following: following.map(of),
        frame: visitor.frame(Place::Review, lang.pick("核查", "Review")),
    })
}

async fn opened(app: &App, visitor: &Visitor, one: &Waiting) -> Result<Option<Opened>, Problem> {
    let lang = visitor.lang;
    let Some(listed) = app.ledger.listed_one(&one.target).await? else { return Ok(None) };
    let document = &listed.document;
    let report = match &document.report {
        Some(link) => report_of(app, &link.sha256).await?,
        None => None,
    };
    let duty = one.urgency == Urgency::DutyMissing;
    let shown = report.as_ref().and_then(|report| {
        let finding = report.findings.iter().find(|finding| finding.rule == one.rule).map(Piece::Finding);
        let missing = |duty: &&crate::model::Duty| duty.rule == one.rule && duty.status != DutyStatus::Met;
        let found = finding.or_else(|| report.duties.iter().find(missing).map(Piece::Duty))?;
        Some(piece(report, found, lang))
    });
    let text = |text: &Option<String>| text.as_deref().map(brief).unwrap_or_default();
    let reason = document.reasons.first();
    Ok(Some(Opened {
        name: brief(called(&listed)),
        address: address(&one.target),
        key: brief(&one.target),
        owner: text(&document.owner),
        region: text(&document.region),
        badge: badge(lang, document.code, lang.pick(&document.state, &document.state_en)),
        reason: reason.map_or_else(String::new, |r| lang.pick(&r.text, &r.text_en).to_owned()),
        title: title(app, lang, &one.rule),
        rule: brief(&one.rule),
        urgency: one.urgency.words(lang),
        since: beijing_day(one.since).to_string(),
        deadline: one.deadline.map_or_else(String::new, |day| day.to_string()),
        red: one.urgency == Urgency::RedProposed,
        piece: shown.transpose()?,
        offer: Offer::new(lang, &one.target, &one.rule, beijing_day(app.now()), duty),
    }))
}
