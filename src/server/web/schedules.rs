//! The part of 设置 about rosters that are run and when: schedules are made, paused, run and removed here.

use axum::extract::{Form, Multipart, State};
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::frame::Visitor;
use super::show::brief;
use crate::model::{Lang, beijing_minute};
use crate::server::jobs::Filter;
use crate::server::rosters::Known;
use crate::server::schedule::{Plan, Schedule, When, Window};
use crate::server::{App, Problem, multipart};

/// Days of the week from Monday on, as forms name them.
pub(super) const DAYS: [(&str, (&str, &str)); 7] = [
    ("mon", ("周一", "Mon")),
    ("tue", ("周二", "Tue")),
    ("wed", ("周三", "Wed")),
    ("thu", ("周四", "Thu")),
    ("fri", ("周五", "Fri")),
    ("sat", ("周六", "Sat")),
    ("sun", ("周日", "Sun")),
];

/// A schedule as the page shows it.
pub(super) struct Planned {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) roster: String,
    pub(super) when: String,
    pub(super) next: String,
    pub(super) last: String,
    pub(super) enabled: bool,
}

/// A roster that is run.
pub(super) struct Run {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) targets: i64,
    pub(super) rejected: i64,
    pub(super) added: String,
    pub(super) actor: String,
}

pub(super) fn run(roster: &Known) -> Run {
    Run {
        id: roster.id.clone(),
        name: brief(&roster.name),
        targets: roster.targets,
        rejected: roster.rejected,
        added: beijing_minute(roster.added),
        actor: brief(&roster.actor),
    }
}

pub(super) fn planned(lang: Lang, schedule: &Schedule, rosters: &[Known]) -> Planned {
    let never = || lang.pick("无", "none").to_owned();
    let plan = schedule.plan.as_ref();
    let roster = plan.and_then(|plan| rosters.iter().find(|roster| roster.id == plan.roster));
    Planned {
        id: schedule.id.clone(),
        name: brief(&schedule.name),
        roster: roster.map(|roster| brief(&roster.name)).unwrap_or_default(),
        when: plan.map(|plan| brief(&words(lang, plan))).unwrap_or_default(),
        next: schedule.next.map_or_else(never, beijing_minute),
        last: schedule.last.map_or_else(never, beijing_minute),
        enabled: schedule.enabled,
    }
}

fn words(lang: Lang, plan: &Plan) -> String {
    let mut words = match (&plan.when, lang) {
        (When::Cron(cron), _) => cron.clone(),
        (When::EveryHours(hours), Lang::Zh) => format!("每 {hours} 小时"),
        (When::EveryHours(hours), Lang::En) => format!("every {hours} hours"),
        (When::Daily(times), Lang::Zh) => format!("每天 {}", times.join("、")),
        (When::Daily(times), Lang::En) => format!("daily at {}", times.join(", ")),
    };
    let day = |day: &i8| {
        let (_, (zh, en)) = DAYS.get(usize::from(day.unsigned_abs()).checked_sub(1)?)?;
        Some(lang.pick(zh, en))
    };
    let days: Vec<&str> = plan.days.iter().filter_map(day).collect();
    if !days.is_empty() {
        words.push_str(lang.pick("，", ", "));
        words.push_str(&days.join(lang.pick("、", ", ")));
    }
    if let Some(Window { from, to }) = &plan.window {
        words.push_str(lang.pick("，", ", "));
        words.push_str(&format!("{from}–{to}"));
    }
    words
}

/// What the forms of the schedules send.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Act {
    action: String,
    id: String,
    name: String,
    roster: String,
    when: String,
    value: String,
    mon: String,
    tue: String,
    wed: String,
    thu: String,
    fri: String,
    sat: String,
    sun: String,
    from: String,
    to: String,
    minutes: u64,
}

impl Act {
    fn plan(&self) -> Result<Plan, Problem> {
        let value = self.value.trim();
        let when = match self.when.as_str() {
            "hours" => When::EveryHours(value.parse().map_err(|_| {
                Problem::bad_request(("每隔几小时应为数字，如 6", "hours: a number is wanted, like 6"))
            })?),
            "cron" => When::Cron(value.to_owned()),
            _ => {
                let times = value.split(|ch: char| ch.is_whitespace() || "、，,".contains(ch));
                let times = times.filter(|time| !time.is_empty());
                When::Daily(times.map(|time| time.replace('：', ":")).collect())
            }
        };
        let days = [&self.mon, &self.tue, &self.wed, &self.thu, &self.fri, &self.sat, &self.sun];
        let days = (1..).zip(days).filter(|(_, day)| !day.is_empty()).map(|(number, _)| number).collect();
        let window = match (self.from.trim(), self.to.trim()) {
            ("", "") => None,
            (from, to) => Some(Window { from: from.to_owned(), to: to.to_owned() }),
        };
        Ok(Plan {
            roster: self.roster.clone(),
            filter: Filter::default(),
            weixin: None,
            when,
            zone: "Asia/Shanghai".to_owned(),
            days,
            window,
            jitter: self.minutes.saturating_mul(60),
        })
    }
}

/// Makes, pauses, goes on with, runs or removes a schedule.
pub(super) async fn act(
    State(app): State<App>,
    visitor: Visitor,
    Form(act): Form<Act>,
) -> Result<Response, Problem> {
    let by = &visitor.person;
    match act.action.as_str() {
        "make" => {
            let plan = act.plan()?;
            app.write_schedule(by, None, &act.name, &plan, true).await?;
        }
        "pause" | "go-on" => {
            let Schedule { id, name, plan, .. } = app.one_schedule(by, &act.id).await?;
            let plan = plan.ok_or_else(Problem::not_found)?;
            app.write_schedule(by, Some(&id), &name, &plan, act.action == "go-on").await?;
        }
        "remove" => app.remove_schedule(by, &act.id).await?,
        "run" => {
            app.run_now(by, &act.id).await?;
            return Ok(Redirect::to("/jobs").into_response());
        }
        "run-roster" => {
            app.run_roster(by, act.id, Filter::default(), None).await?;
            return Ok(Redirect::to("/jobs").into_response());
        }
        _ => return Err(Problem::bad_request("action")),
    }
    Ok(Redirect::to("/settings#schedules").into_response())
}

/// Takes a roster in that is to be run.
pub(super) async fn roster(
    State(app): State<App>,
    visitor: Visitor,
    mut form: Multipart,
) -> Result<Response, Problem> {
    let mut name = String::new();
    while let Some(field) = multipart::next(&app, &mut form).await? {
        match field.name() {
            Some("name") => name = multipart::text(&app, field).await?,
            // What a browser sends where no file is chosen.
            Some("roster") if field.file_name() == Some("") => {}
            Some("roster") => {
                app.keep_roster(&visitor.person, &name, Box::pin(field)).await?;
                return Ok(Redirect::to("/settings#schedules").into_response());
            }
            _ => {}
        }
    }
    Err(Problem::bad_request(("没有选择文件", "no file was chosen")))
}
