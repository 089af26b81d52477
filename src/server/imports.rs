//! Rosters into the ledger: sent in, the change shown, and applied as it was shown.

use std::collections::BTreeMap;
use std::path::Path;

use axum::body::Bytes;
use axum::http::StatusCode;
use sha2::{Digest, Sha256};
use sqlx::Row;
use url::Url;

use super::{App, Person, Problem, Role};
use crate::model::{Deed, Event, Lang, OnRecord, Rejected, hex};
use crate::roster::{Change, Layout, Roster, change, import};

/// Bytes of a roster at most.
pub(super) const LARGEST: usize = 64 << 20;
/// Rosters of one person that wait to be applied; the oldest make way.
const MOST: i64 = 10;
/// One that was not applied is gone after so long, in milliseconds.
const KEPT: i64 = 24 * 60 * 60 * 1000;

/// A roster beside what is on record.
pub(super) struct Draft {
    pub(super) roster: Roster,
    pub(super) change: Change,
    /// What is written when it is applied.
    pub(super) deeds: Vec<(String, Deed)>,
    /// Digest of the deeds: what is applied has to be what was shown.
    pub(super) digest: String,
}

impl App {
    /// Takes a roster in and keeps it for a day: by what it is applied, and what that changes. For administrators; of
    /// whom limits a region, that region's part.
    pub(super) async fn send_roster(
        &self,
        person: &Person,
        body: Bytes,
        sheet: Option<String>,
    ) -> Result<(String, Draft), Problem> {
        person.at_least(Role::Administrator)?;
        let draft = draft(self, person, body.clone(), sheet.clone()).await?;
        let now = self.now().as_millisecond();
        let sheet = sheet.unwrap_or_default();
        let own = [&person.id.to_le_bytes()[..], &now.to_le_bytes(), sheet.as_bytes(), &body];
        let id = hex(&Sha256::digest(own.concat()));
        let pool = self.ledger.pool();
        sqlx::query("DELETE FROM roster_upload WHERE made < $1").bind(now - KEPT).execute(pool).await?;
        let sql = "DELETE FROM roster_upload WHERE person = $1 AND id NOT IN \
                   (SELECT id FROM roster_upload WHERE person = $1 ORDER BY made DESC LIMIT $2)";
        sqlx::query(sql).bind(person.id).bind(MOST - 1).execute(pool).await?;
        let sql = "INSERT INTO roster_upload (id, person, made, sheet, body) VALUES ($1, $2, $3, $4, $5) \
                   ON CONFLICT (id) DO NOTHING";
        let query = sqlx::query(sql).bind(id.clone()).bind(person.id).bind(now);
        query.bind(draft.roster.sheet.clone().unwrap_or_default()).bind(body.to_vec()).execute(pool).await?;
        Ok((id, draft))
    }

    /// Applies a roster as it was shown; where something else would follow by now, nothing happens (409). Number of the
    /// first event, if there is any, and how many there are.
    pub(super) async fn apply_roster(
        &self,
        person: &Person,
        id: &str,
        digest: &str,
    ) -> Result<(Option<u64>, usize), Problem> {
        person.at_least(Role::Administrator)?;
        let sql = "SELECT sheet, body FROM roster_upload WHERE id = $1 AND person = $2 AND made >= $3";
        let query = sqlx::query(sql).bind(id.replace('\0', "?")).bind(person.id);
        let query = query.bind(self.now().as_millisecond() - KEPT);
        let gone = || {
            let words = ("没有这份待应用的名录，请重新上传", "no such roster waits; send it again");
            Problem::new("not-found", StatusCode::NOT_FOUND, words)
        };
        let row = query.fetch_optional(self.ledger.pool()).await?.ok_or_else(gone)?;
        let (sheet, body): (String, Vec<u8>) = (row.try_get(0)?, row.try_get(1)?);
        let sheet = Some(sheet).filter(|sheet| !sheet.is_empty());
        let draft = draft(self, person, body.into(), sheet).await?;
        if draft.digest != digest {
            let words =
                ("台账已有变化，请重新查看后再应用", "the ledger has changed; look at the change again");
            return Err(Problem::new("changed", StatusCode::CONFLICT, words));
        }
        let (at, actor) = (self.now(), &person.name);
        let event = |(target, deed)| Event { target, at, actor: actor.clone(), deed };
        let events: Vec<Event> = draft.deeds.into_iter().map(event).collect();
        let first = match events.is_empty() {
            true => None,
            false => Some(self.append(&[], &events).await?),
        };
        let query = sqlx::query("DELETE FROM roster_upload WHERE id = $1").bind(id.to_owned());
        query.execute(self.ledger.pool()).await?;
        Ok((first, events.len()))
    }
}

async fn draft(app: &App, person: &Person, body: Bytes, sheet: Option<String>) -> Result<Draft, Problem> {
    let roster = read(app, person, body, sheet).await?;
    let on_record = app.ledger.on_record(app.now()).await?;
    let covered = |known: &OnRecord| person.covers(known.entry.region.as_deref());
    let (record, others): (BTreeMap<String, OnRecord>, BTreeMap<String, OnRecord>) =
        on_record.into_iter().partition(|(_, known)| covered(known));
    // A target of another region is not taken over by a row that says it is of this one.
    let taken = roster.rows.iter().filter_map(|row| row.entry.key()).find(|key| others.contains_key(key));
    if let Some(key) = taken {
        let words = ("名录中有其他地区的对象", "the roster has a target of another region");
        return Err(Problem::new("region", StatusCode::FORBIDDEN, words).with(key));
    }
    let old = record.iter().map(|(key, known)| (key.clone(), known.entry.clone())).collect();
    let change = change(&old, &roster);
    let deeds = import(&record, &roster, &change, None);
    let json = serde_json::to_vec(&deeds).map_err(|_| Problem::internal())?;
    Ok(Draft { roster, change, deeds, digest: hex(&Sha256::digest(json)) })
}

/// Reads a roster. A row of another region, and one with a path on this machine, is not read.
async fn read(app: &App, person: &Person, bytes: Bytes, sheet: Option<String>) -> Result<Roster, Problem> {
    let layout =
        Layout { sheet: sheet.or_else(|| app.config.roster.sheet.clone()), ..app.config.roster.clone() };
    let parse = move || Roster::parse(&bytes, Path::new(""), &layout);
    let parsed = tokio::task::spawn_blocking(parse).await.map_err(|_| Problem::internal())?;
    let mut roster = parsed.map_err(|error| {
        let (zh, en) = (error.words(Lang::Zh), error.words(Lang::En));
        Problem::new("roster", StatusCode::UNPROCESSABLE_ENTITY, (&zh, &en))
    })?;
    let is_web = |address: &String| {
        address.starts_with("weixin-api:")
            || Url::parse(address).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
    };
    for row in std::mem::take(&mut roster.rows) {
        let fault = if !person.covers(row.entry.region.as_deref()) {
            Some(("不在您的管理地区内", "not of your region"))
        } else if !row.entry.addresses.iter().all(is_web) {
            Some(("地址只能是网址", "addresses have to be of the web"))
        } else {
            None
        };
        match fault {
            None => roster.rows.push(row),
            Some((reason, reason_en)) => {
                roster.unread.extend(row.entry.key());
                let (reason, reason_en) = (reason.to_owned(), reason_en.to_owned());
                roster.rejected.push(Rejected { line: row.line, reason, reason_en });
            }
        }
    }
    roster.rejected.sort_by_key(|row| row.line);
    Ok(roster)
}
