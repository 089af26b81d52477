//! 设置: rosters, people, schedules, the audit log.

use std::path::Path;

use askama::Template;
use axum::extract::{Form, Multipart, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use jiff::SignedDuration;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use sqlx::Row;

use super::frame::{Frame, Place, Visitor, page as rendered};
use super::people::{Somebody, Token, shown, somebody};
use super::show::{brief, query};
use crate::ledger::LedgerError;
use crate::model::{Deed, Event, Lang, beijing_minute, hex};
use crate::roster::{Change, Roster, change, import};
use crate::server::schedule::{Schedule, When};
use crate::server::{App, Problem, Role};

/// Bytes of a roster at most.
pub(super) const LARGEST_ROSTER: usize = 64 << 20;
/// Rows of a change that are shown.
const SHOWN: usize = 50;
/// An upload that is not applied within so long is forgotten.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

#[derive(Template)]
#[template(path = "settings.html", config = "src/server/web/askama.toml")]
struct Settings {
    frame: Frame,
    engine: &'static str,
    policy: String,
    rules: usize,
    ruleset: String,
    written: Option<u64>,
    people: Vec<Somebody>,
    tokens: Vec<Token>,
    schedules: Vec<Planned>,
    rosters: Vec<Listed>,
}

/// A schedule as the page shows it.
struct Planned {
    name: String,
    when: String,
    next: String,
    last: String,
    enabled: bool,
}

/// A roster that runs use.
struct Listed {
    name: String,
    targets: i64,
    added: String,
    actor: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    written: Option<u64>,
}

pub(super) async fn page(
    State(app): State<App>,
    visitor: Visitor,
    axum::extract::Query(asked): axum::extract::Query<Asked>,
) -> Result<Response, Problem> {
    let lang = visitor.lang;
    let people = match visitor.person.role {
        Role::Administrator => app.accounts(&visitor.person).await?,
        _ => Vec::new(),
    };
    let mut tokens = app.tokens(&visitor.person).await?;
    tokens.retain(|token| token.person == visitor.person.id);
    let schedules = app.schedules().await?;
    let rosters = app.rosters().await?;
    rendered(&Settings {
        people: people.iter().map(|account| somebody(lang, account)).collect(),
        tokens: tokens.iter().map(|token| shown(lang, token)).collect(),
        schedules: schedules.iter().map(|schedule| planned(lang, schedule)).collect(),
        rosters: rosters
            .iter()
            .map(|roster| Listed {
                name: brief(&roster.name),
                targets: roster.targets,
                added: beijing_minute(roster.added),
                actor: brief(&roster.actor),
            })
            .collect(),
        frame: visitor.frame(Place::Settings, lang.pick("设置", "Settings")),
        engine: env!("CARGO_PKG_VERSION"),
        policy: app.policy().title(),
        rules: app.rules.rules().len(),
        ruleset: app.rules.digest().to_owned(),
        written: asked.written,
    })
}

fn planned(lang: Lang, schedule: &Schedule) -> Planned {
    let never = || lang.pick("无", "none").to_owned();
    let when = schedule.plan.as_ref().map(|plan| {
        let mut words = match &plan.when {
            When::Cron(cron) => cron.clone(),
            When::EveryHours(hours) => match lang {
                Lang::Zh => format!("每 {hours} 小时"),
                Lang::En => format!("every {hours} hours"),
            },
            When::Daily(times) => format!("{} {}", lang.pick("每天", "daily"), times.join(" ")),
        };
        if !plan.days.is_empty() {
            let day = |day: &i8| match lang {
                Lang::Zh => ["周一", "周二", "周三", "周四", "周五", "周六", "周日"]
                    .get(usize::from(day.unsigned_abs().wrapping_sub(1)))
                    .copied(),
                Lang::En => ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
                    .get(usize::from(day.unsigned_abs().wrapping_sub(1)))
                    .copied(),
            };
            words = format!(
                "{words} {}",
                plan.days.iter().filter_map(day).collect::<Vec<_>>().join(lang.pick("、", ", "))
            );
        }
        if let Some(window) = &plan.window {
            words = format!("{words} {}–{}", window.from, window.to);
        }
        words
    });
    Planned {
        name: brief(&schedule.name),
        when: brief(&when.unwrap_or_default()),
        next: schedule.next.map_or_else(never, beijing_minute),
        last: schedule.last.map_or_else(never, beijing_minute),
        enabled: schedule.enabled,
    }
}

#[derive(Template)]
#[template(path = "roster.html", config = "src/server/web/askama.toml")]
struct Shown {
    frame: Frame,
    id: String,
    digest: String,
    file: String,
    rows: usize,
    unchanged: usize,
    added: Vec<(String, String)>,
    added_all: usize,
    changed: Vec<(String, String)>,
    changed_all: usize,
    removed: Vec<(String, String)>,
    removed_all: usize,
    rejected: Vec<(u64, String)>,
    rejected_all: usize,
    events: usize,
}

/// What a roster changes on record.
struct Draft {
    roster: Roster,
    change: Change,
    deeds: Vec<(String, Deed)>,
    /// Digest of the deeds: what is applied has to be what was shown.
    digest: String,
}

async fn draft(app: &App, lang: Lang, body: Vec<u8>) -> Result<Draft, Problem> {
    let now = app.now();
    let layout = app.config.roster.clone();
    let parsed = tokio::task::spawn_blocking(move || Roster::parse(&body, Path::new("."), &layout)).await;
    let parsed = parsed.map_err(askama::Error::custom)?;
    let roster = parsed.map_err(|error| Problem::bad_request(error.words(lang)))?;
    let record = app.ledger.on_record(now).await?;
    let old = record.iter().map(|(key, known)| (key.clone(), known.entry.clone())).collect();
    let change = change(&old, &roster);
    let deeds = import(&record, &roster, &change, None);
    let json = serde_json::to_vec(&deeds).map_err(|_| Problem::internal())?;
    Ok(Draft { roster, change, deeds, digest: hex(&Sha256::digest(json)) })
}

/// Rosters are everybody's: who has a region only must not replace them.
fn allowed(visitor: &Visitor) -> Result<(), Problem> {
    visitor.person.at_least(Role::Administrator)?;
    if visitor.person.region.is_some() { Err(Problem::forbidden()) } else { Ok(()) }
}

/// Shows what a roster would change, and keeps it until that is applied.
pub(super) async fn upload(
    State(app): State<App>,
    visitor: Visitor,
    mut form: Multipart,
) -> Result<Response, Problem> {
    allowed(&visitor)?;
    let lang = visitor.lang;
    let unread = |error: axum::extract::multipart::MultipartError| Problem::bad_request(error.body_text());
    let (mut file, mut body) = (String::new(), Vec::new());
    while let Some(field) = form.next_field().await.map_err(unread)? {
        if field.name() == Some("roster") {
            file = brief(field.file_name().unwrap_or_default());
            body = field.bytes().await.map_err(unread)?.to_vec();
        }
    }
    if body.is_empty() {
        return Err(Problem::bad_request(lang.pick("没有选择文件", "no file was chosen")));
    }
    let draft = draft(&app, lang, body.clone()).await?;
    let id = keep(&app, &visitor, body).await?;
    let name = |entry: &crate::model::RosterEntry| entry.name.as_deref().map(brief).unwrap_or_default();
    let change = &draft.change;
    let edits = |one: &crate::roster::Changed| {
        let said = |text: Option<String>| {
            text.map_or_else(|| lang.pick("无", "none").to_owned(), |text| brief(&text))
        };
        let edit = |(column, before, now): (crate::roster::Column, Option<String>, Option<String>)| {
            format!("{} {} → {}", column.title(lang), said(before), said(now))
        };
        one.edits(lang).map(edit).collect::<Vec<_>>().join(lang.pick("；", "; "))
    };
    rendered(&Shown {
        frame: visitor.frame(Place::Settings, lang.pick("名录的变化", "What the roster changes")),
        id,
        digest: draft.digest,
        file,
        rows: draft.roster.rows.len(),
        unchanged: change.unchanged,
        added: change.added.iter().take(SHOWN).map(|(key, entry)| (brief(key), name(entry))).collect(),
        added_all: change.added.len(),
        changed: change.changed.iter().take(SHOWN).map(|one| (brief(&one.key), edits(one))).collect(),
        changed_all: change.changed.len(),
        removed: change.removed.iter().take(SHOWN).map(|(key, entry)| (brief(key), name(entry))).collect(),
        removed_all: change.removed.len(),
        rejected: draft
            .roster
            .rejected
            .iter()
            .take(SHOWN)
            .map(|row| (row.line, brief(lang.pick(&row.reason, &row.reason_en))))
            .collect(),
        rejected_all: draft.roster.rejected.len(),
        events: draft.deeds.len(),
    })
}

async fn keep(app: &App, visitor: &Visitor, body: Vec<u8>) -> Result<String, LedgerError> {
    let own = Sha256::new().chain_update(visitor.person.id.to_le_bytes()).chain_update(&body);
    let (id, now) = (hex(&own.finalize()), app.now());
    let pool = app.ledger.pool();
    let old = (now - KEPT).as_millisecond();
    sqlx::query("DELETE FROM roster_upload WHERE made < $1 OR id = $2")
        .bind(old)
        .bind(id.clone())
        .execute(pool)
        .await?;
    sqlx::query("INSERT INTO roster_upload (id, person, made, sheet, body) VALUES ($1, $2, $3, '', $4)")
        .bind(id.clone())
        .bind(visitor.person.id)
        .bind(now.as_millisecond())
        .bind(body)
        .execute(pool)
        .await?;
    Ok(id)
}

#[derive(Debug, Deserialize)]
pub(super) struct Applied {
    id: String,
    digest: String,
}

/// Writes a roster that was shown to the ledger.
pub(super) async fn apply(
    State(app): State<App>,
    visitor: Visitor,
    Form(form): Form<Applied>,
) -> Result<Response, Problem> {
    allowed(&visitor)?;
    let pool = app.ledger.pool();
    let sql = "SELECT body FROM roster_upload WHERE id = $1 AND person = $2";
    let query_of = sqlx::query(sql).bind(form.id.replace('\0', "")).bind(visitor.person.id);
    let row = query_of.fetch_optional(pool).await.map_err(LedgerError::from)?;
    let gone = || {
        let words = ("上传的名录已经失效，请重新上传", "the roster that was sent in is gone; send it again");
        Problem::new("upload-gone", StatusCode::CONFLICT, words)
    };
    let body: Vec<u8> = row.ok_or_else(gone)?.try_get(0).map_err(LedgerError::from)?;
    let draft = draft(&app, visitor.lang, body).await?;
    if draft.digest != form.digest {
        let words = (
            "台账已经变化，请重新上传并查看变化，未作任何写入",
            "the ledger has changed meanwhile; send the roster again; nothing was written",
        );
        return Err(Problem::new("changed", StatusCode::CONFLICT, words));
    }
    let at = app.now();
    let actor = &visitor.person.name;
    let event = |(target, deed)| Event { target, at, actor: actor.clone(), deed };
    let events: Vec<Event> = draft.deeds.into_iter().map(event).collect();
    if !events.is_empty() {
        app.append(&[], &events).await?;
    }
    let sql = "DELETE FROM roster_upload WHERE id = $1";
    sqlx::query(sql).bind(form.id).execute(pool).await.map_err(LedgerError::from)?;
    Ok(Redirect::to(&query("/settings", &[("written", &events.len().to_string())])).into_response())
}
