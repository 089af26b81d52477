//! The present codes as a table, for lists and counts: a projection of the events that can be made anew at any time.
//! What is true is the fold; this is its cache. [`catch_up`] brings it up to the last event and to the present moment.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use sqlx::any::{AnyArguments, AnyRow};
use sqlx::query::Query;
use sqlx::{Any, AssertSqlSafe, Row, Transaction};

use super::document::code_document;
use super::history::History;
use super::policy::Policy;
use super::standing::Recorded;
use super::store::{Ledger, LedgerError, document, events_of};
use super::waiting::Waiting;
use crate::model::{CodeDocument, ColorCode, Deed, Level, OfficeLevel, TargetKind, beijing_day};

/// Bytes of the evidence of a target that are searched.
const SEARCHED: usize = 2_000;
/// Characters of what a target calls itself.
const LONGEST_NAME: usize = 200;
/// Targets that are brought up to date in one transaction.
const BATCH: usize = 500;

/// A target as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Listed {
    /// Its code.
    #[serde(flatten)]
    pub document: CodeDocument,
    /// Confirmed findings that are open.
    pub confirmed: u64,
    /// Suspected findings that nobody has looked at.
    pub suspected: u64,
    /// The earliest last day of a notice, `2026-12-31`; empty where there is none.
    pub deadline: String,
    /// What it is called: by the roster, or where that does not say by its latest report; empty where neither does.
    #[serde(skip)]
    pub called: String,
}

/// Which targets a list holds. What is `None` does not matter.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Colour.
    pub code: Option<ColorCode>,
    /// Kind.
    pub kind: Option<TargetKind>,
    /// Level of the owner.
    pub level: Option<OfficeLevel>,
    /// Region and everything in it: `某省/某市`.
    pub region: Option<String>,
    /// Owner, exactly.
    pub owner: Option<String>,
    /// Deciding clause of the policy: `not-filed`.
    pub clause: Option<String>,
    /// Names, numbers, keys or evidence that contain this.
    pub text: Option<String>,
    /// Only targets with a notice whose last day is before this, `2026-12-31`.
    pub due_before: Option<String>,
}

/// How many targets have a colour, within something.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Count {
    /// Region, level or owner; empty where the roster does not say.
    pub within: String,
    /// The colour.
    pub code: ColorCode,
    /// How many.
    pub targets: u64,
}

/// Where a list of what waits goes on: behind which line.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Next(String, String, i64);

/// By what targets are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Everything together.
    All,
    /// Region.
    Region,
    /// Level of the owner.
    Level,
    /// Owner.
    Owner,
    /// Kind of target.
    Kind,
}

impl Ledger {
    /// Brings the view up to the last event and to a moment. Returns how many targets were looked at.
    pub async fn catch_up(
        &self,
        policy: &Policy,
        policy_digest: &str,
        now: Timestamp,
    ) -> Result<usize, LedgerError> {
        let (head, _) = self.head().await?;
        let row =
            sqlx::query("SELECT seq, policy FROM view_head WHERE one = 1").fetch_one(self.pool()).await?;
        let (seen, by): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
        let moment = nanoseconds(now);
        let as_before = seen == head.cast_signed() && by == policy_digest;
        let rows = if by == policy_digest {
            let sql = "SELECT DISTINCT target FROM event WHERE seq > $1 \
                       UNION SELECT target FROM view WHERE turn <= $2";
            sqlx::query(sql).bind(seen).bind(moment).fetch_all(self.pool()).await?
        } else {
            sqlx::query("SELECT DISTINCT target FROM event").fetch_all(self.pool()).await?
        };
        let targets = rows.iter().map(|row| row.try_get(0)).collect::<Result<Vec<String>, _>>()?;
        for batch in targets.chunks(BATCH) {
            let mut transaction = self.pool().begin().await?;
            // One at a time, and what is read is read behind the lock: what is newer is never written over.
            sqlx::query("UPDATE view_head SET one = 1 WHERE one = 1").execute(&mut *transaction).await?;
            for target in batch {
                let events = events_of(&mut *transaction, target).await?;
                if let Some(mut made) = made_of(policy, target, &events, now) {
                    let (called, evidence) = said(&mut transaction, made.latest.as_deref()).await?;
                    made.evidence = evidence;
                    made.call(called);
                    put(&mut transaction, target, &made).await?;
                }
            }
            transaction.commit().await?;
        }
        if !as_before {
            let sql =
                "UPDATE view_head SET seq = $1, policy = $2 WHERE one = 1 AND (seq < $1 OR policy <> $2)";
            sqlx::query(sql).bind(head.cast_signed()).bind(policy_digest).execute(self.pool()).await?;
        }
        if !targets.is_empty() {
            self.note_trend(now).await?;
        }
        Ok(targets.len())
    }

    /// Notes the counts of the day, over those that were noted before on the same day.
    async fn note_trend(&self, now: Timestamp) -> Result<(), LedgerError> {
        let day = beijing_day(now).to_string();
        let counts = self.count(&Wanted::default(), By::All).await?;
        let mut transaction = self.pool().begin().await?;
        for count in counts {
            let sql = "INSERT INTO trend (day, code, targets) VALUES ($1, $2, $3) \
                       ON CONFLICT (day, code) DO UPDATE SET targets = excluded.targets";
            let query = sqlx::query(sql).bind(day.clone()).bind(word(&count.code));
            query.bind(count.targets.cast_signed()).execute(&mut *transaction).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The counts of the latest days, oldest first: day, colour, targets.
    pub async fn trend(&self, days: u32) -> Result<Vec<(String, ColorCode, u64)>, LedgerError> {
        let sql = "SELECT day, code, targets FROM trend WHERE day IN \
                   (SELECT DISTINCT day FROM trend ORDER BY day DESC LIMIT $1) ORDER BY day, code";
        let rows = sqlx::query(sql).bind(i64::from(days)).fetch_all(self.pool()).await?;
        let read = |row: &AnyRow| {
            let (day, code, targets): (String, String, i64) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            Ok((day, colour(&code), targets.cast_unsigned()))
        };
        rows.iter().map(read).collect()
    }

    /// The counts of the latest days until a moment within a region, by where its targets are now: day, colour, targets.
    pub async fn trend_within(
        &self,
        region: &str,
        days: u32,
        now: Timestamp,
    ) -> Result<Vec<(String, ColorCode, u64)>, LedgerError> {
        let wanted = Wanted { region: Some(region.to_owned()), ..Wanted::default() };
        let (conditions, texts) = wanted.conditions(0);
        let sql = format!(
            "SELECT t.since, t.until, t.code FROM turned t JOIN view v ON v.target = t.target \
             WHERE 1 = 1{conditions}"
        );
        let rows = bound(sqlx::query(AssertSqlSafe(sql)), texts).fetch_all(self.pool()).await?;
        let day =
            |nanoseconds: i64| Timestamp::from_nanosecond(nanoseconds.into()).map_or(Date::MAX, beijing_day);
        let mut spans = Vec::with_capacity(rows.len());
        for row in &rows {
            let code: String = row.try_get(2)?;
            spans.push((day(row.try_get(0)?), day(row.try_get(1)?), colour(&code)));
        }
        let first = spans.iter().map(|(since, _, _)| *since).min().unwrap_or(Date::MAX);
        let last = beijing_day(now);
        let mut trend = Vec::new();
        for ago in (0..i64::from(days)).rev() {
            let Ok(day) = last.checked_sub(ago.days()) else { continue };
            if day < first {
                continue;
            }
            let mut counts: BTreeMap<String, (ColorCode, u64)> = BTreeMap::new();
            // At its end a day has what began on it and did not end on it.
            for (_, _, code) in spans.iter().filter(|(since, until, _)| *since <= day && day < *until) {
                counts.entry(word(code)).or_insert((*code, 0)).1 += 1;
            }
            trend.extend(counts.into_values().map(|(code, targets)| (day.to_string(), code, targets)));
        }
        Ok(trend)
    }

    /// Targets in the order of their keys, behind a key, at most so many.
    pub async fn listed(&self, wanted: &Wanted, after: &str, limit: u32) -> Result<Vec<Listed>, LedgerError> {
        let (conditions, texts) = wanted.conditions(2);
        let sql = format!(
            "SELECT document, confirmed, suspected, deadline, name FROM view WHERE target > $1{conditions} \
             ORDER BY target LIMIT $2"
        );
        let query = sqlx::query(AssertSqlSafe(sql)).bind(after.to_owned()).bind(i64::from(limit));
        let rows = bound(query, texts).fetch_all(self.pool()).await?;
        rows.iter().map(listed).collect()
    }

    /// Targets whose code is the newest, at most so many.
    pub async fn turned(
        &self,
        wanted: &Wanted,
        since: Timestamp,
        limit: u32,
    ) -> Result<Vec<Listed>, LedgerError> {
        let (conditions, texts) = wanted.conditions(2);
        let sql = format!(
            "SELECT document, confirmed, suspected, deadline, name FROM view WHERE since >= $1{conditions} \
             ORDER BY since DESC, target LIMIT $2"
        );
        let query = sqlx::query(AssertSqlSafe(sql)).bind(nanoseconds(since)).bind(i64::from(limit));
        let rows = bound(query, texts).fetch_all(self.pool()).await?;
        rows.iter().map(listed).collect()
    }

    /// One target.
    pub async fn listed_one(&self, target: &str) -> Result<Option<Listed>, LedgerError> {
        let sql = "SELECT document, confirmed, suspected, deadline, name FROM view WHERE target = $1";
        let row = sqlx::query(sql).bind(target.to_owned()).fetch_optional(self.pool()).await?;
        row.as_ref().map(listed).transpose()
    }

    /// What waits for a person, urgent first, behind a line, at most so many; each with where the list goes on behind
    /// it. Only that of a region and of everything in it, where one is given.
    pub async fn waiting(
        &self,
        region: Option<&str>,
        after: Option<&Next>,
        limit: u32,
    ) -> Result<Vec<(Waiting, Next)>, LedgerError> {
        let wanted = Wanted { region: region.map(str::to_owned), ..Wanted::default() };
        let (conditions, texts) = wanted.conditions(4);
        let sql = format!(
            "SELECT w.rank, w.target, w.part, w.body FROM waiting w JOIN view v ON v.target = w.target \
             WHERE (w.rank > $1 OR (w.rank = $1 AND (w.target > $2 OR (w.target = $2 AND w.part > $3))))\
             {conditions} ORDER BY w.rank, w.target, w.part LIMIT $4"
        );
        let Next(rank, target, part) = after.cloned().unwrap_or(Next(String::new(), String::new(), -1));
        let query = sqlx::query(AssertSqlSafe(sql)).bind(rank).bind(target).bind(part).bind(i64::from(limit));
        let rows = bound(query, texts).fetch_all(self.pool()).await?;
        let read = |row: &AnyRow| {
            let next = Next(row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            let body: String = row.try_get(3)?;
            let waiting = serde_json::from_str(&body)
                .map_err(|error| LedgerError::Event { seq: 0, cause: error.to_string() })?;
            Ok((waiting, next))
        };
        rows.iter().map(read).collect()
    }

    /// Keys and regions of the targets that a report is of.
    pub async fn targets_of_report(&self, sha256: &str) -> Result<Vec<(String, String)>, LedgerError> {
        let sql = "SELECT v.target, v.region FROM report_of r JOIN view v ON v.target = r.target \
                   WHERE r.sha256 = $1 ORDER BY v.target";
        let rows = sqlx::query(sql).bind(sha256.to_owned()).fetch_all(self.pool()).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
    }

    /// How many targets there are of each colour.
    pub async fn count(&self, wanted: &Wanted, by: By) -> Result<Vec<Count>, LedgerError> {
        let within = match by {
            By::All => "''",
            By::Region => "region",
            By::Level => "level",
            By::Owner => "owner",
            By::Kind => "kind",
        };
        let (conditions, texts) = wanted.conditions(0);
        let sql = format!(
            "SELECT {within}, code, COUNT(*) FROM view WHERE 1 = 1{conditions} GROUP BY 1, 2 ORDER BY 1, 2"
        );
        let rows = bound(sqlx::query(AssertSqlSafe(sql)), texts).fetch_all(self.pool()).await?;
        let read = |row: &AnyRow| {
            let (within, code, targets): (String, String, i64) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            Ok(Count { within, code: colour(&code), targets: targets.cast_unsigned() })
        };
        rows.iter().map(read).collect()
    }
}

impl Wanted {
    /// SQL conditions whose texts are numbered behind so many others.
    pub(super) fn conditions(&self, before: usize) -> (String, Vec<String>) {
        let (mut sql, mut texts) = (String::new(), Vec::new());
        let mut add = |condition: &str, text: String| {
            texts.push(text);
            sql.push_str(" AND ");
            sql.push_str(&condition.replace('?', &format!("${}", before + texts.len())));
        };
        if let Some(code) = &self.code {
            add("code = ?", word(code));
        }
        if let Some(kind) = &self.kind {
            add("kind = ?", word(kind));
        }
        if let Some(level) = &self.level {
            add("level = ?", word(level));
        }
        if let Some(region) = &self.region {
            // `某省/东` is not a part of `某省/东城`.
            add("(region = ? OR substr(region, 1, length(?) + 1) = ? || '/')", region.clone());
        }
        if let Some(owner) = &self.owner {
            add("owner = ?", owner.clone());
        }
        if let Some(clause) = &self.clause {
            add("clause = ?", clause.clone());
        }
        if let Some(day) = &self.due_before {
            add("deadline <> '' AND deadline < ?", day.clone());
        }
        if let Some(text) = &self.text {
            let escaped: String = text.to_lowercase().chars().flat_map(escaped).collect();
            add("words LIKE ? ESCAPE '\\'", format!("%{escaped}%"));
        }
        (sql, texts)
    }
}

fn escaped(ch: char) -> impl Iterator<Item = char> {
    ['%', '_', '\\'].contains(&ch).then_some('\\').into_iter().chain([ch])
}

pub(super) fn bound(query: Query<'_, Any, AnyArguments>, texts: Vec<String>) -> Query<'_, Any, AnyArguments> {
    texts.into_iter().fold(query, |query, text| query.bind(text))
}

/// What a target has in the view.
struct Made {
    listed: Listed,
    clause: String,
    audience: String,
    turn: i64,
    waiting: Vec<Waiting>,
    reports: Vec<String>,
    /// The report of the latest scan, and what its evidence says.
    latest: Option<String>,
    evidence: String,
    /// Each code with the moments between which it held.
    turns: Vec<(i64, i64, ColorCode)>,
}

fn made_of(policy: &Policy, target: &str, events: &[Recorded], now: Timestamp) -> Option<Made> {
    let history = History::of(policy, events, now);
    let document = code_document(target, events, &history, now)?;
    let open = history.standing.open_findings(policy, now);
    let count = |level| open.iter().filter(|finding| finding.level == level).count() as u64;
    let deadline = open.iter().filter_map(|finding| finding.deadline).min();
    // What is dated later than now changes something too.
    let later = events.iter().map(|recorded| recorded.event.at).filter(|at| *at > now);
    let turn = history.standing.turns(policy).into_iter().filter(|turn| *turn > now).chain(later).min();
    let entry = history.standing.entry();
    let reports = events.iter().filter_map(|recorded| match &recorded.event.deed {
        Deed::Scanned(scan) => Some(scan.report.clone()),
        _ => None,
    });
    let began: Vec<i64> = history.codes.iter().map(|coded| nanoseconds(coded.since)).collect();
    let ended = began.iter().skip(1).copied().chain([i64::MAX]);
    let turns = began.iter().copied().zip(ended).zip(&history.codes);
    Some(Made {
        latest: history.standing.report().map(str::to_owned),
        evidence: String::new(),
        turns: turns.map(|((since, until), coded)| (since, until, coded.code.suggested)).collect(),
        waiting: Waiting::of(policy, target, &history.standing, now),
        reports: reports.collect(),
        clause: document.reasons.first().map_or_else(String::new, |reason| reason.id.clone()),
        audience: entry.and_then(|entry| entry.audience).map_or_else(String::new, |audience| word(&audience)),
        turn: turn.map_or(i64::MAX, nanoseconds),
        listed: Listed {
            document,
            confirmed: count(Level::Confirmed),
            suspected: count(Level::Suspected),
            deadline: deadline.map_or_else(String::new, |deadline| deadline.to_string()),
            called: entry.and_then(|entry| entry.name.clone()).unwrap_or_default(),
        },
    })
}

impl Made {
    /// What no roster names is called what it calls itself.
    fn call(&mut self, itself: Option<String>) {
        let Some(itself) = itself.filter(|_| self.listed.called.is_empty()) else { return };
        for waiting in &mut self.waiting {
            waiting.name.get_or_insert_with(|| itself.clone());
        }
        self.listed.called = itself;
    }
}

/// The part of a report that is searched.
#[derive(serde::Deserialize)]
struct Searched {
    #[serde(default)]
    findings: Vec<SearchedFinding>,
    #[serde(default)]
    identity: SearchedIdentity,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct SearchedIdentity {
    name: Option<String>,
}

#[derive(serde::Deserialize)]
struct SearchedFinding {
    #[serde(default)]
    title: String,
    #[serde(default)]
    evidence: Vec<SearchedEvidence>,
}

#[derive(serde::Deserialize)]
struct SearchedEvidence {
    #[serde(default)]
    text: String,
}

/// What a report calls its target, and what its findings say, so much of it as is searched. A report that is gone or
/// cannot be read says nothing.
async fn said(
    transaction: &mut Transaction<'_, Any>,
    report: Option<&str>,
) -> Result<(Option<String>, String), LedgerError> {
    let Some(report) = report else { return Ok((None, String::new())) };
    let body = match document(&mut **transaction, report).await {
        Err(LedgerError::Database(error)) => return Err(error.into()),
        found => found.ok().flatten(),
    };
    let read = body.and_then(|body| serde_json::from_slice::<Searched>(&body).ok());
    // PostgreSQL keeps no NUL.
    let name = read.as_ref().and_then(|read| read.identity.name.as_deref()).unwrap_or_default();
    let name: String = name.trim().chars().filter(|ch| *ch != '\0').take(LONGEST_NAME).collect();
    let name = Some(name).filter(|name| !name.is_empty());
    let mut words = String::new();
    for finding in read.iter().flat_map(|read| &read.findings) {
        let texts = finding.evidence.iter().map(|row| &row.text);
        for text in std::iter::once(&finding.title).chain(texts) {
            let left = SEARCHED.saturating_sub(words.len());
            words.extend(
                text.get(..text.floor_char_boundary(left))
                    .unwrap_or_default()
                    .chars()
                    .filter(|ch| *ch != '\0'),
            );
            words.push('\n');
        }
    }
    Ok((name, words))
}

async fn put(transaction: &mut Transaction<'_, Any>, target: &str, made: &Made) -> Result<(), LedgerError> {
    let Listed { document, confirmed, suspected, deadline, called } = &made.listed;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let words = [target, called, &text(&document.owner), &text(&document.filing), &made.evidence]
        .join("\n")
        .to_lowercase();
    let json = serde_json::to_string(document)
        .map_err(|error| LedgerError::Event { seq: document.last_event.seq, cause: error.to_string() })?;
    sqlx::query("DELETE FROM view WHERE target = $1")
        .bind(target.to_owned())
        .execute(&mut **transaction)
        .await?;
    let sql = "INSERT INTO view (target, kind, name, owner, region, level, audience, code, clause, since, turn, \
               confirmed, suspected, deadline, words, document) \
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)";
    sqlx::query(sql)
        .bind(target.to_owned())
        .bind(word(&document.kind))
        .bind(called.clone())
        .bind(text(&document.owner))
        .bind(text(&document.region))
        .bind(document.level.as_ref().map_or_else(String::new, word))
        .bind(made.audience.clone())
        .bind(word(&document.code))
        .bind(made.clause.clone())
        .bind(nanoseconds(document.since))
        .bind(made.turn)
        .bind(confirmed.cast_signed())
        .bind(suspected.cast_signed())
        .bind(deadline.clone())
        .bind(words)
        .bind(json)
        .execute(&mut **transaction)
        .await?;
    sqlx::query("DELETE FROM waiting WHERE target = $1")
        .bind(target.to_owned())
        .execute(&mut **transaction)
        .await?;
    for (part, waiting) in (0_i64..).zip(&made.waiting) {
        let json = serde_json::to_string(waiting)
            .map_err(|error| LedgerError::Event { seq: document.last_event.seq, cause: error.to_string() })?;
        sqlx::query("INSERT INTO waiting (target, part, rank, body) VALUES ($1, $2, $3, $4)")
            .bind(target.to_owned())
            .bind(part)
            .bind(rank(waiting))
            .bind(json)
            .execute(&mut **transaction)
            .await?;
    }
    sqlx::query("DELETE FROM turned WHERE target = $1")
        .bind(target.to_owned())
        .execute(&mut **transaction)
        .await?;
    for (since, until, code) in &made.turns {
        let sql = "INSERT INTO turned (target, since, until, code) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (target, since) DO UPDATE SET until = excluded.until, code = excluded.code";
        let query = sqlx::query(sql).bind(target.to_owned()).bind(*since).bind(*until).bind(word(code));
        query.execute(&mut **transaction).await?;
    }
    for report in &made.reports {
        sqlx::query(
            "INSERT INTO report_of (sha256, target) VALUES ($1, $2) ON CONFLICT (sha256, target) DO NOTHING",
        )
        .bind(report.clone())
        .bind(target.to_owned())
        .execute(&mut **transaction)
        .await?;
    }
    Ok(())
}

/// What a list of what waits is ordered by, in digits, which every database orders alike.
fn rank(waiting: &Waiting) -> String {
    let day =
        waiting.deadline.map_or_else(|| "00000000".to_owned(), |day| day.strftime("%Y%m%d").to_string());
    format!("{}{day}{:019}", waiting.urgency as u8, nanoseconds(waiting.since).max(0))
}

pub(super) fn listed(row: &AnyRow) -> Result<Listed, LedgerError> {
    let (document, confirmed, suspected): (String, i64, i64) =
        (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let document = serde_json::from_str(&document)
        .map_err(|error| LedgerError::Event { seq: 0, cause: error.to_string() })?;
    let (confirmed, suspected) = (confirmed.cast_unsigned(), suspected.cast_unsigned());
    Ok(Listed { document, confirmed, suspected, deadline: row.try_get(3)?, called: row.try_get(4)? })
}

/// The word by which a value is written in documents: `mini-program`.
pub(crate) fn word<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_value(value).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn colour(word: &str) -> ColorCode {
    serde_json::from_value(word.into()).unwrap_or(ColorCode::None)
}

/// Nanoseconds since 1970; what the numbers of the database do not reach is its end.
fn nanoseconds(at: Timestamp) -> i64 {
    i64::try_from(at.as_nanosecond()).unwrap_or(i64::MAX)
}
