//! What people see of the ledger and add to it, each within their region.

use super::jobs::{Job, Wanted};
use super::people::Noted;
use super::{App, Person, Problem, Role};
use crate::config::addressed;
use crate::ledger::{Decision, History, LedgerError, Listed, Recorded, Teller, code_document};
use crate::model::{CodeDocument, Deed, Event, Report};
use crate::outbox::Delivery;

/// What is decided, about which rules.
fn noted(deed: &Deed) -> String {
    let about = match deed {
        Deed::Confirmed { rule, .. } | Deed::Dismissed { rule, .. } | Deed::ExceptionGranted { rule, .. } => {
            rule.clone()
        }
        Deed::NoticeIssued { rules, .. } => rules.join(" "),
        Deed::Withdrawn { seq, .. } => format!("event {seq}"),
        _ => String::new(),
    };
    format!("{} {about}", deed.name()).trim_end().to_owned()
}

impl App {
    /// A target as lists show it. One that is not there and one of another region are the same.
    pub(crate) async fn target(&self, person: &Person, key: &str) -> Result<Listed, Problem> {
        if key.contains('\0') {
            return Err(Problem::not_found());
        }
        let listed = self.ledger.listed_one(key).await?;
        let theirs = |listed: &Listed| person.covers(listed.document.region.as_deref());
        listed.filter(theirs).ok_or_else(Problem::not_found)
    }

    /// Events of a target, its history until now, and its code with the address of the report.
    pub(crate) async fn history(
        &self,
        person: &Person,
        key: &str,
    ) -> Result<(Vec<Recorded>, History, CodeDocument), Problem> {
        self.target(person, key).await?;
        let (events, now) = (self.ledger.events_of(key).await?, self.now());
        let history = History::of(self.policy(), &events, now);
        let code = code_document(key, &events, &history, now).ok_or_else(Problem::not_found)?;
        Ok((events, history, self.addressed(code)))
    }

    /// A code with the address of its report, as configured.
    pub(crate) fn addressed(&self, code: CodeDocument) -> CodeDocument {
        addressed(code, self.config.ledger.report_address.as_deref())
    }

    /// Adds events with the documents they name and the notices that are wanted of them, and brings the view up to date.
    /// Returns the number of the first.
    pub(crate) async fn append(
        &self,
        documents: &[(&str, &[u8])],
        events: &[Event],
    ) -> Result<u64, LedgerError> {
        let now = self.now();
        let seq = match &self.config.webhook {
            None => self.ledger.append_with(documents, events).await?,
            Some(webhook) => {
                let addressed = |code| self.addressed(code);
                let teller =
                    Teller { policy: self.policy(), wanted: &webhook.events, addressed: &addressed, now };
                let tell = |target: &str, all: &[Recorded], before: usize| {
                    let notices = teller.notices(target, all, before);
                    notices.iter().map(|notice| Delivery::new(webhook.url.as_str(), notice, now)).collect()
                };
                self.ledger.append_telling(documents, events, Some(&tell)).await?
            }
        };
        // The events are there whatever becomes of the view, which the next change brings up to date.
        if let Err(error) = self.catch_up().await {
            tracing::error!(%error, "the view is behind");
        }
        Ok(seq)
    }

    /// Records what a person says of a target: the number of the event, the code that follows, and what the audit log
    /// keeps.
    pub(crate) async fn decide(
        &self,
        person: &Person,
        key: &str,
        decision: Decision,
    ) -> Result<(u64, CodeDocument, Noted), Problem> {
        person.at_least(Role::Analyst)?;
        self.target(person, key).await?;
        let (events, at) = (self.ledger.events_of(key).await?, self.now());
        let deed = decision.deed(self.policy(), &events, at)?;
        let what = noted(&deed);
        let event = Event { target: key.to_owned(), at, actor: person.name.clone(), deed };
        let seq = self.append(&[], &[event]).await?;
        let (_, _, code) = self.history(person, key).await?;
        Ok((seq, code, Noted(format!("event {seq}: {what}"))))
    }

    /// Jobs that the person sees, the latest first: of whom limits a region, their own, since names of uploads are those
    /// of all regions.
    pub(crate) async fn jobs_of(
        &self,
        person: &Person,
        wanted: Wanted,
        before: Option<&str>,
        limit: u32,
    ) -> Result<Vec<Job>, Problem> {
        let actor = person.region.as_ref().map(|_| person.name.clone());
        Ok(self.jobs().list(&Wanted { actor, ..wanted }, before, limit).await?)
    }

    /// A job that the person sees.
    pub(crate) async fn job_of(&self, person: &Person, id: &str) -> Result<Job, Problem> {
        let theirs = |job: &Job| person.region.is_none() || job.actor == person.name;
        let found = if id.contains('\0') { None } else { self.jobs().one(id).await? };
        found.filter(theirs).ok_or_else(Problem::not_found)
    }

    /// Refuses who may not have a file scanned for a target, or for whatever target the file says. Of whom limits a
    /// region, the target has to be one that they see: what a file says of itself may be any.
    pub(crate) async fn may_scan(&self, person: &Person, target: Option<&str>) -> Result<(), Problem> {
        person.at_least(Role::Analyst)?;
        match target {
            Some(target) if person.region.is_some() => self.target(person, target).await.map(drop),
            Some(_) => Ok(()),
            None => person.everywhere(),
        }
    }

    /// The JSON of a report by its digest, where it is of a target that the person may see.
    pub(crate) async fn report_text(&self, person: &Person, sha256: &str) -> Result<Vec<u8>, Problem> {
        let digest =
            sha256.len() == 64 && sha256.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !digest {
            return Err(Problem::not_found());
        }
        let targets = self.ledger.targets_of_report(sha256).await?;
        let theirs = targets.iter().any(|(_, region)| person.covers(Some(region)));
        let text = if theirs { self.ledger.document(sha256).await? } else { None };
        text.ok_or_else(Problem::not_found)
    }

    /// A report by its digest, where it is of a target that the person may see.
    pub(crate) async fn report(&self, person: &Person, sha256: &str) -> Result<Report, Problem> {
        let text = self.report_text(person, sha256).await?;
        let read = tokio::task::spawn_blocking(move || crate::report::read(&text)).await;
        read.map_err(|_| Problem::internal())?.map_err(|error| {
            tracing::error!(?error, sha256, "a report cannot be read");
            Problem::internal()
        })
    }
}
