//! 设置: rosters, people, schedules, the audit log.

use askama::Template;
use axum::body::Bytes;
use axum::extract::{Form, Multipart, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::frame::{Frame, Place, Visitor, page as rendered};
use super::people::{Somebody, Token, shown, somebody};
use super::schedules::{DAYS, Planned, Run, planned, run};
use super::show::{brief, query};
use crate::server::{App, Problem, Role, imports, multipart};

/// Rows of a change that are shown.
const SHOWN: usize = 50;

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
    rosters: Vec<Run>,
    /// Rosters that are run, and schedules, are of all regions.
    everywhere: bool,
    days: [(&'static str, &'static str); 7],
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
    let everywhere = visitor.person.region.is_none();
    let (schedules, rosters) = match everywhere {
        true => (app.schedules().await?, app.rosters().await?),
        false => Default::default(),
    };
    rendered(&Settings {
        people: people.iter().map(|account| somebody(lang, account)).collect(),
        tokens: tokens.iter().map(|token| shown(lang, token)).collect(),
        schedules: schedules.iter().map(|schedule| planned(lang, schedule, &rosters)).collect(),
        rosters: rosters.iter().map(run).collect(),
        everywhere,
        days: DAYS.map(|(name, (zh, en))| (name, lang.pick(zh, en))),
        frame: visitor.frame(Place::Settings, lang.pick("设置", "Settings")),
        engine: env!("CARGO_PKG_VERSION"),
        policy: app.policy().title(),
        rules: app.rules.rules().len(),
        ruleset: app.rules.digest().to_owned(),
        written: asked.written,
    })
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

/// Shows what a roster would change, and keeps it until that is applied.
pub(super) async fn upload(
    State(app): State<App>,
    visitor: Visitor,
    mut form: Multipart,
) -> Result<Response, Problem> {
    let lang = visitor.lang;
    visitor.person.at_least(Role::Administrator)?;
    let (mut file, mut body) = (String::new(), Bytes::new());
    while let Some(field) = multipart::next(&app, &mut form).await? {
        if field.name() == Some("roster") {
            file = brief(field.file_name().unwrap_or_default());
            body = multipart::bytes(&app, field, imports::LARGEST).await?;
        }
    }
    if body.is_empty() {
        let (none, empty) = (("没有选择文件", "no file was chosen"), ("文件是空的", "an empty file"));
        return Err(Problem::bad_request(if file.is_empty() { none } else { empty }));
    }
    let (id, draft) = app.send_roster(&visitor.person, body, None).await?;
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
    let (_, events) = app.apply_roster(&visitor.person, &form.id, &form.digest).await?;
    Ok(Redirect::to(&query("/settings", &[("written", &events.to_string())])).into_response())
}
