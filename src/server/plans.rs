//! Rosters that are run, runs of them, and schedules, as people make them: of all regions, so not for people who are
//! limited to one.

use std::fmt::Display;
use std::time::Duration;

use axum::body::Bytes;
use futures_util::Stream;

use super::jobs::{Call, Filter, Job, Lane, What};
use super::rosters::Known;
use super::schedule::{Plan, Schedule};
use super::{App, Person, Problem, Role};

/// Longest name, in characters.
const LONGEST_NAME: usize = 100;

/// A name as it is kept.
fn named(name: &str) -> Result<&str, Problem> {
    let name = name.trim();
    let is_name = (1..=LONGEST_NAME).contains(&name.chars().count()) && !name.contains('\0');
    if is_name {
        Ok(name)
    } else {
        Err(Problem::bad_request((
            format!("名称须为 1 至 {LONGEST_NAME} 个字符"),
            format!("name: 1 to {LONGEST_NAME} characters"),
        )))
    }
}

impl App {
    /// Takes a roster in that is to be run.
    pub(crate) async fn keep_roster<E: Display>(
        &self,
        person: &Person,
        name: &str,
        content: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<Known, Problem> {
        person.at_least(Role::Administrator)?;
        person.everywhere()?;
        let name = named(name)?;
        let sha256 = self.take_in(content, &person.name).await?;
        self.add_roster(name, &sha256, &person.name).await?.map_err(Problem::bad_request)
    }

    /// Runs a roster now: the new job, or the one of the same wish that is still open.
    pub(crate) async fn run_roster(
        &self,
        person: &Person,
        roster: String,
        filter: Filter,
        weixin: Option<String>,
    ) -> Result<Job, Problem> {
        person.at_least(Role::Analyst)?;
        person.everywhere()?;
        if roster.contains('\0') || self.roster(&roster).await?.is_none() {
            return Err(Problem::bad_request(("没有这份名录", "roster: no such roster")));
        }
        let words = serde_json::to_string(&(&filter, &weixin)).unwrap_or_default();
        let key = format!("run:{roster}:{words}");
        let what = What::Run { roster, filter, weixin, spread: 0 };
        // A run takes long, whoever wishes it: nobody who waits for one scan waits for it.
        let (lane, actor, after) = (Lane::Schedule, person.name.clone(), Duration::ZERO);
        let (job, _) = self.jobs().call(Call { what, lane, key, actor, after, parent: None }).await?;
        Ok(job)
    }

    /// A schedule by its number.
    pub(crate) async fn one_schedule(&self, person: &Person, id: &str) -> Result<Schedule, Problem> {
        person.everywhere()?;
        let found = if id.contains('\0') { None } else { self.schedule(id).await? };
        found.ok_or_else(Problem::not_found)
    }

    /// Makes a schedule, or changes one.
    pub(crate) async fn write_schedule(
        &self,
        person: &Person,
        id: Option<&str>,
        name: &str,
        plan: &Plan,
        enabled: bool,
    ) -> Result<Schedule, Problem> {
        person.at_least(Role::Administrator)?;
        person.everywhere()?;
        if let Some(id) = id {
            self.one_schedule(person, id).await?;
        }
        let name = named(name)?;
        if plan.roster.contains('\0') || self.roster(&plan.roster).await?.is_none() {
            return Err(Problem::bad_request(("没有这份名录", "plan.roster: no such roster")));
        }
        self.put_schedule(id, name, plan, enabled, &person.name).await?.map_err(Problem::bad_request)
    }

    /// Does without a schedule.
    pub(crate) async fn remove_schedule(&self, person: &Person, id: &str) -> Result<(), Problem> {
        person.at_least(Role::Administrator)?;
        let Schedule { id, .. } = self.one_schedule(person, id).await?;
        if self.drop_schedule(&id).await? { Ok(()) } else { Err(Problem::not_found()) }
    }

    /// Runs a schedule now, whenever it is due: the new job, or the one that is still open.
    pub(crate) async fn run_now(&self, person: &Person, id: &str) -> Result<Job, Problem> {
        person.at_least(Role::Analyst)?;
        let schedule = self.one_schedule(person, id).await?;
        self.run_schedule(&schedule, Lane::Schedule, &person.name).await?.ok_or_else(Problem::not_found)
    }
}
