//! When which roster runs: cron expressions (<https://github.com/hexagon/croner-rust>) and plain forms, in a time
//! zone. What is due is a job; what was missed is caught up once; two runs of one schedule are never open at a time.

use std::fmt::Display;
use std::time::Duration;

use chrono::NaiveDate;
use croner::Cron;
use jiff::civil::{self, Time, Weekday};
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, ToSpan, ZonedDateTime};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use super::App;
use super::jobs::{Call, Filter, Job, Lane, Outcome, What, new_id};
use crate::model::Wording;

/// Who calls for what is due.
pub(super) const SCHEDULER: &str = "schedule";
/// So many occurrences outside the days or the window are passed over before a schedule is taken for one that never
/// comes.
const MOST_PASSED: usize = 4_000;
/// A run that lies so far ahead of the clock was made by a clock that was wrong.
const WRONG_CLOCK: SignedDuration = SignedDuration::from_hours(1);
/// A schedule does not run more often, in hours.
const LEAST_HOURS: u32 = 1;
/// Nor more seldom.
const MOST_HOURS: u32 = 24 * 31;
/// Runs are spread over at most so many seconds.
const MOST_JITTER: u64 = 6 * 3600;

/// What runs when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Number of the roster.
    pub roster: String,
    /// Which rows.
    #[serde(default)]
    pub filter: Filter,
    /// By what document `mp.weixin.qq.com` is asked.
    #[serde(default)]
    pub weixin: Option<String>,
    /// How often.
    pub when: When,
    /// Time zone by its IANA name.
    #[serde(default = "shanghai")]
    pub zone: String,
    /// Only on these days of the week, 1 (Monday) to 7; every day where empty.
    #[serde(default)]
    pub days: Vec<i8>,
    /// Only within these hours of the day.
    #[serde(default)]
    pub window: Option<Window>,
    /// A run begins up to so many seconds late, and its parts are spread over as many, so that not everything begins
    /// at one moment.
    #[serde(default = "five_minutes")]
    pub jitter: u64,
}

/// How often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// By a cron expression of five fields: `30 2 * * 1-5`.
    Cron(String),
    /// Every so many hours, from midnight on where they divide the day, else from the last time.
    EveryHours(u32),
    /// At these times of the day: `02:30`.
    Daily(Vec<String>),
}

/// Hours of the day, `22:00` to `06:00` over midnight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// From this time on.
    pub from: String,
    /// Before this time.
    pub to: String,
}

fn shanghai() -> String {
    "Asia/Shanghai".to_owned()
}

fn five_minutes() -> u64 {
    300
}

/// What is wrong, in both languages, and with what.
fn wrong(zh: &str, en: &str, what: impl Display) -> Wording {
    (format!("{zh}{what}"), format!("{en}{what}")).into()
}

fn zone(name: &str) -> Result<TimeZone, Wording> {
    match TimeZone::get(name) {
        Ok(zone) => Ok(zone),
        // There has been no other time in China since 1991, whether or not the machine knows zones.
        Err(_) if name == shanghai() => Ok(TimeZone::fixed(Offset::constant(8))),
        Err(error) => Err(wrong("没有这个时区：", "zone: ", error)),
    }
}

fn time(text: &str) -> Result<Time, Wording> {
    Time::strptime("%H:%M", text)
        .map_err(|_| wrong("时刻应写作 02:30 的样子，而不是：", "no time of day like 02:30: ", text))
}

impl Plan {
    /// What is wrong with it, if anything is.
    pub fn check(&self) -> Result<(), Wording> {
        zone(&self.zone)?;
        if let Some(day) = self.days.iter().find(|day| !(1..=7).contains(*day)) {
            return Err(wrong(
                "星期应为 1（周一）至 7，而不是：",
                "days: not between 1 (Monday) and 7: ",
                day,
            ));
        }
        if let Some(Window { from, to }) = &self.window
            && time(from)? == time(to)?
        {
            return Err(("时段的起止相同", "window: from and to are the same").into());
        }
        if self.jitter > MOST_JITTER {
            return Err(wrong("错开的秒数最多为 ", "jitter: seconds at most ", MOST_JITTER));
        }
        match &self.when {
            When::Cron(text) => drop(cron(text)?),
            When::EveryHours(hours) if !(LEAST_HOURS..=MOST_HOURS).contains(hours) => {
                let range = format!("{LEAST_HOURS}–{MOST_HOURS}");
                return Err(wrong("每隔几小时的范围是 ", "every-hours: ", range));
            }
            When::EveryHours(_) => {}
            When::Daily(times) if times.is_empty() => return Err(("没有写时刻", "daily: no time").into()),
            When::Daily(times) => times.iter().try_for_each(|text| time(text).map(drop))?,
        }
        // Whether it ever comes does not depend on when one asks, but for rare dates.
        let now = Timestamp::now();
        self.next(now)?
            .map(drop)
            .ok_or_else(|| ("所选的星期和时段内永远不会到来", "it never comes within days and window").into())
    }

    /// The next time after a moment, without jitter; `None` where it never comes.
    pub fn next(&self, after: Timestamp) -> Result<Option<Timestamp>, Wording> {
        let mut at = after.to_zoned_datetime(zone(&self.zone)?);
        for _ in 0..MOST_PASSED {
            let Some(next) = self.step(&at)? else { return Ok(None) };
            if self.admits(&next)? {
                return Ok(Some(next.timestamp()));
            }
            at = next;
        }
        Ok(None)
    }

    fn step(&self, after: &ZonedDateTime) -> Result<Option<ZonedDateTime>, Wording> {
        let failed = |error: jiff::Error| error.to_string().into();
        match &self.when {
            When::Cron(text) => cron_next(text, after),
            When::EveryHours(hours) if 24 % hours == 0 => {
                let hour = after.hour().unsigned_abs() as u32 / hours * hours + hours;
                let day = after.start_of_day().map_err(failed)?;
                // By the clock on the wall, over a change of the clocks too.
                let next = if hour >= 24 {
                    day.checked_add(1.day())
                } else {
                    day.with().hour(i8::try_from(hour).unwrap_or_default()).build()
                };
                next.map(Some).map_err(failed)
            }
            When::EveryHours(hours) => after.checked_add(i64::from(*hours).hours()).map(Some).map_err(failed),
            When::Daily(times) => {
                let mut times =
                    times.iter().map(|text| time(text)).collect::<Result<Vec<Time>, Wording>>()?;
                times.sort();
                for days in 0..=1 {
                    let day = after.date().checked_add(days.days()).map_err(failed)?;
                    for time in &times {
                        let next = day.to_datetime(*time).to_zoned_datetime(after.time_zone().clone());
                        let next = next.map_err(failed)?;
                        if next > *after {
                            return Ok(Some(next));
                        }
                    }
                }
                Ok(None)
            }
        }
    }

    fn admits(&self, at: &ZonedDateTime) -> Result<bool, Wording> {
        let day: Weekday = at.weekday();
        let on_day = self.days.is_empty() || self.days.contains(&day.to_monday_one_offset());
        let Some(Window { from, to }) = &self.window else { return Ok(on_day) };
        let (from, to, time) = (time(from)?, time(to)?, at.time());
        let within = if from < to { from <= time && time < to } else { time >= from || time < to };
        Ok(on_day && within)
    }
}

/// The next time of a cron expression by the clock on the wall. The library knows no zones of `jiff`.
fn cron_next(text: &str, after: &ZonedDateTime) -> Result<Option<ZonedDateTime>, Wording> {
    let (date, time) = (after.date(), after.time());
    let part = |number: i8| u32::from(number.unsigned_abs());
    let wall = NaiveDate::from_ymd_opt(date.year().into(), part(date.month()), part(date.day()))
        .and_then(|day| day.and_hms_opt(part(time.hour()), part(time.minute()), part(time.second())));
    let Some(next) =
        wall.and_then(|wall| cron(text).map(|cron| cron.find_next_occurrence(&wall, false)).ok())
    else {
        return Ok(None);
    };
    let Ok(next) = next else { return Ok(None) };
    let next = next.format("%Y-%m-%dT%H:%M:%S").to_string();
    let next: civil::DateTime =
        next.parse().map_err(|error: jiff::Error| Wording::from(error.to_string()))?;
    next.to_zoned_datetime(after.time_zone().clone()).map(Some).map_err(|error| error.to_string().into())
}

fn cron(text: &str) -> Result<Cron, Wording> {
    if text.split_whitespace().count() != 5 {
        return Err(wrong("cron 表达式应有五段，而不是：", "cron: not five fields: ", text));
    }
    text.parse().map_err(|error| wrong("cron 表达式有误：", "cron: ", error))
}

/// A schedule.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Schedule {
    /// Number.
    pub id: String,
    /// Name.
    pub name: String,
    /// What runs when; `null` where another version of the program wrote what this one cannot read.
    pub plan: Option<Plan>,
    /// Whether it runs.
    pub enabled: bool,
    /// When it is due next; `null` where it does not run.
    pub next: Option<Timestamp>,
    /// When it was due last.
    pub last: Option<Timestamp>,
    /// The job of that time; empty where there was none.
    pub job: String,
    /// When it was made.
    pub created: Timestamp,
    /// Who made it.
    pub actor: String,
}

const COLUMNS: &str = "id, name, plan, enabled, next, last, job, created, actor";

impl App {
    /// Makes a schedule, or changes one. The error is what is wrong with it.
    pub async fn put_schedule(
        &self,
        id: Option<&str>,
        name: &str,
        plan: &Plan,
        enabled: bool,
        actor: &str,
    ) -> Outcome<Result<Schedule, Wording>> {
        if let Err(words) = plan.check() {
            return Ok(Err(words));
        }
        let now = self.now();
        let id = id.map_or_else(|| new_id(now.as_millisecond()), str::to_owned);
        let next = match due(plan, &id, now) {
            Ok(next) => next,
            Err(words) => return Ok(Err(words)),
        };
        let text = serde_json::to_string(plan).map_err(|error| sqlx::Error::Encode(error.into()))?;
        let sql = "INSERT INTO schedule (id, name, plan, enabled, next, last, job, created, actor) \
                   VALUES ($1, $2, $3, $4, $5, 0, '', $6, $7) ON CONFLICT (id) DO UPDATE SET \
                   name = excluded.name, plan = excluded.plan, enabled = excluded.enabled, next = excluded.next";
        sqlx::query(sql)
            .bind(id.clone())
            .bind(name.to_owned())
            .bind(text)
            .bind(i64::from(enabled))
            .bind(next)
            .bind(now.as_millisecond())
            .bind(actor.to_owned())
            .execute(self.ledger.pool())
            .await?;
        let schedule = self.schedule(&id).await?;
        Ok(schedule.ok_or_else(|| ("已被删除", "it is gone again").into()))
    }

    /// Every schedule.
    pub async fn schedules(&self) -> Outcome<Vec<Schedule>> {
        let sql = format!("SELECT {COLUMNS} FROM schedule ORDER BY id");
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(self.ledger.pool()).await?;
        rows.iter().map(read).collect()
    }

    /// One schedule.
    pub async fn schedule(&self, id: &str) -> Outcome<Option<Schedule>> {
        let sql = format!("SELECT {COLUMNS} FROM schedule WHERE id = $1");
        let query = sqlx::query(AssertSqlSafe(sql)).bind(id.to_owned());
        query.fetch_optional(self.ledger.pool()).await?.as_ref().map(read).transpose()
    }

    /// Does without a schedule; its runs stay. `false` where there is none.
    pub async fn drop_schedule(&self, id: &str) -> Outcome<bool> {
        let query = sqlx::query("DELETE FROM schedule WHERE id = $1").bind(id.to_owned());
        Ok(query.execute(self.ledger.pool()).await?.rows_affected() > 0)
    }

    /// Calls for a run of a schedule now, whenever it is due: the job, or the one that is still open.
    pub async fn run_schedule(&self, schedule: &Schedule, lane: Lane, actor: &str) -> Outcome<Option<Job>> {
        let Some(plan) = &schedule.plan else { return Ok(None) };
        let call = Call {
            what: What::Run {
                roster: plan.roster.clone(),
                filter: plan.filter.clone(),
                weixin: plan.weixin.clone(),
                spread: if lane == Lane::Schedule { plan.jitter } else { 0 },
            },
            lane,
            key: format!("schedule:{}", schedule.id),
            actor: actor.to_owned(),
            after: Duration::ZERO,
            parent: None,
        };
        let (job, _) = self.jobs().call(call).await?;
        let sql = "UPDATE schedule SET job = $1 WHERE id = $2";
        let query = sqlx::query(sql).bind(job.id.clone()).bind(schedule.id.clone());
        query.execute(self.ledger.pool()).await?;
        Ok(Some(job))
    }

    /// Calls for what is due. To be called every second or so; several servers may do it at a time. Returns the jobs
    /// that were called for.
    pub async fn tick(&self) -> Outcome<Vec<Job>> {
        let now = self.now();
        let mut called = Vec::new();
        for schedule in self.schedules().await? {
            let (Some(plan), true, Some(next)) = (&schedule.plan, schedule.enabled, schedule.next) else {
                continue;
            };
            // A clock that was far ahead: what it put off for later is due by the right one.
            let wrong = schedule.last.is_some_and(|last| last.duration_since(now) > WRONG_CLOCK);
            if next > now && !wrong {
                continue;
            }
            let Ok(then) = due(plan, &schedule.id, now) else { continue };
            let is_due = next <= now;
            // Whoever moves it on is the one to call, of several servers.
            let sql = "UPDATE schedule SET next = $1, last = $2 WHERE id = $3 AND next = $4";
            let moved = sqlx::query(sql)
                .bind(then)
                .bind(if is_due { next.as_millisecond() } else { 0 })
                .bind(schedule.id.clone())
                .bind(next.as_millisecond())
                .execute(self.ledger.pool())
                .await?;
            if moved.rows_affected() == 0 || !is_due {
                continue;
            }
            let before = schedule.job.clone();
            match self.run_schedule(&schedule, Lane::Schedule, SCHEDULER).await? {
                Some(job) if job.id == before => {
                    tracing::warn!(schedule = schedule.id, job = job.id, "still running, not begun again");
                }
                Some(job) => called.push(job),
                None => {}
            }
        }
        Ok(called)
    }
}

/// When a schedule is due after a moment, jitter included, in milliseconds; 0 where it never is. The jitter of a
/// schedule is always the same, so that the time between its runs is what was asked for.
fn due(plan: &Plan, id: &str, after: Timestamp) -> Result<i64, Wording> {
    let digest = Sha256::digest(id.as_bytes());
    let random = u64::from_le_bytes(std::array::from_fn(|at| digest[at]));
    let late = i64::try_from(random % plan.jitter.max(1)).unwrap_or_default();
    let late = SignedDuration::from_secs(late);
    // What is late by its jitter must not count twice.
    let from = after.checked_sub(late).map_err(|error| Wording::from(error.to_string()))?;
    let next = plan.next(from)?;
    Ok(next.and_then(|next| next.checked_add(late).ok()).map_or(0, Timestamp::as_millisecond))
}

fn read(row: &AnyRow) -> Outcome<Schedule> {
    let text = |at: usize| row.try_get::<String, _>(at);
    let moment = |at: usize| {
        let ms = row.try_get::<i64, _>(at)?;
        Ok::<_, sqlx::Error>((ms != 0).then(|| Timestamp::from_millisecond(ms).unwrap_or_default()))
    };
    let enabled = row.try_get::<i64, _>(3)? != 0;
    Ok(Schedule {
        id: text(0)?,
        name: text(1)?,
        plan: serde_json::from_str(&text(2)?).ok(),
        enabled,
        next: moment(4)?.filter(|_| enabled),
        last: moment(5)?,
        job: text(6)?,
        created: moment(7)?.unwrap_or_default(),
        actor: text(8)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(when: When) -> Plan {
        Plan {
            roster: "r".into(),
            filter: Filter::default(),
            weixin: None,
            when,
            zone: shanghai(),
            days: Vec::new(),
            window: None,
            jitter: 0,
        }
    }

    fn after(plan: &Plan, text: &str) -> String {
        let next = plan.next(text.parse().unwrap()).unwrap().unwrap();
        next.to_zoned_datetime(zone("Asia/Shanghai").unwrap()).strftime("%Y-%m-%d %H:%M").to_string()
    }

    #[test]
    fn the_next_time_is_by_the_clock_of_the_zone() {
        // 2026-11-26 is a Thursday; 18:30Z is 02:30 of the 27th in Shanghai.
        let cron = plan(When::Cron("30 2 * * 1-5".into()));
        assert_eq!(after(&cron, "2026-11-26T18:29:00Z"), "2026-11-27 02:30");
        assert_eq!(after(&cron, "2026-11-26T18:30:00Z"), "2026-11-30 02:30");
        let daily = plan(When::Daily(vec!["20:00".into(), "08:00".into()]));
        assert_eq!(after(&daily, "2026-11-26T00:00:00Z"), "2026-11-26 20:00");
        assert_eq!(after(&daily, "2026-11-26T12:00:00Z"), "2026-11-27 08:00");
        let every = plan(When::EveryHours(6));
        assert_eq!(after(&every, "2026-11-26T10:10:00Z"), "2026-11-27 00:00");
        assert_eq!(after(&plan(When::EveryHours(7)), "2026-11-26T10:10:00Z"), "2026-11-27 01:10");
    }

    #[test]
    fn days_and_window_are_kept_to() {
        let night = Window { from: "22:00".into(), to: "06:00".into() };
        let every = Plan { window: Some(night), days: vec![6, 7], ..plan(When::EveryHours(4)) };
        // Saturday the 28th: 00:00 and 04:00 are in the window, 08:00 to 20:00 are not.
        assert_eq!(after(&every, "2026-11-26T00:00:00Z"), "2026-11-28 00:00");
        assert_eq!(after(&every, "2026-11-27T16:00:00Z"), "2026-11-28 04:00");
        assert_eq!(after(&every, "2026-11-27T20:00:00Z"), "2026-11-29 00:00");
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        let bad = |when| plan(when).check().unwrap_err().en;
        assert!(bad(When::Cron("* * *".into())).contains("five"));
        assert!(bad(When::Cron("61 * * * *".into())).contains("cron"));
        assert!(bad(When::Cron("0 0 31 2 *".into())).contains("never"));
        assert!(bad(When::EveryHours(0)).contains("every-hours"));
        assert!(bad(When::Daily(vec!["25:00".into()])).contains("25:00"));
        let sound = plan(When::EveryHours(1));
        assert!(Plan { zone: "Mars/Base".into(), ..sound.clone() }.check().unwrap_err().en.contains("zone"));
        assert!(Plan { days: vec![0], ..sound.clone() }.check().unwrap_err().en.contains("days"));
        assert_eq!(sound.check(), Ok(()));
    }
}
