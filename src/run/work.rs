//! The run: a queue and a worker for each host, so that hosts are asked side by side and none holds up another;
//! what they bring is scanned on a few threads. Between the two is a short channel: hosts wait when scans are slow,
//! and memory does not grow with the roster but by the row of each target.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use jiff::Timestamp;
use tokio::sync::{Semaphore, mpsc, watch};
use url::Url;

use super::log::{Event, Findings, Folder, Log, Looked, Outcome, Past, Scanned, Stamp, listed, short_digest};
use super::plan::{Action, Plan, Planned, Way, is_program};
use super::reason::{Cause, Reason};
use super::summary::{Counts, Summary, Tally};
use crate::fetch::source::Found;
use crate::fetch::{Ask, Client, Got, Known, Store, Unwatched, weixin, write_whole};
use crate::model::{Lang, Level, Listing, PageState, Report};
use crate::page::{self, Input};
use crate::report;
use crate::roster::{Roster, Row, other_account};
use crate::scan::{Scan, Silent, Subject, is_unfinished};

/// Scans under way at a time, at most: more only take memory from each other.
const MOST_SCANS: usize = 4;
/// Events written to the disk at once where many are known at once.
const BATCH: usize = 1_000;

/// Told how far the run is.
pub trait Watch: Send + Sync {
    /// One more target is done with.
    fn at(&self, counts: &Counts);
}

/// By which a run is broken off: what is being fetched is given up, what is being scanned is finished.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<bool>);

impl Default for Stop {
    fn default() -> Self {
        Stop(watch::channel(false).0)
    }
}

impl Stop {
    /// Breaks the run off.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }

    async fn stopped(&self) {
        // The sender is held here, so that waiting ends by the wish only.
        let _ = self.0.subscribe().wait_for(|stop| *stop).await;
    }
}

/// Everything a run needs.
pub struct Crew {
    /// The roster.
    pub roster: Roster,
    /// The plan made of it.
    pub plan: Plan,
    /// What is remembered.
    pub past: Past,
    /// The folder of the roster.
    pub folder: Folder,
    /// The log of this run.
    pub log: Log,
    /// Who asks.
    pub client: Client,
    /// Where content is kept.
    pub store: Store,
    /// Who scans.
    pub scanner: Box<dyn Scan>,
    /// By what document `mp.weixin.qq.com` is asked.
    pub weixin: Option<String>,
    /// By which the run is broken off.
    pub stop: Stop,
    /// Who looks on.
    pub watch: Box<dyn Watch>,
}

/// What was had for a target.
struct Had {
    path: PathBuf,
    known: Option<Known>,
    listing: Option<Box<Listing>>,
    stamp: Option<Stamp>,
}

type Brought = (usize, Result<Had, Reason>);

/// The run under way.
struct Work {
    crew: Crew,
    queues: Mutex<HashMap<String, VecDeque<(usize, Way)>>>,
    tally: Mutex<Tally>,
    /// What app stores said in this run.
    looked: Mutex<HashMap<usize, Box<Looked>>>,
    /// Why the run cannot go on: its log cannot be written.
    broken: Mutex<Option<io::Error>>,
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Crew {
    /// Does what the plan says. The error is of the own disk; everything else is in the summary.
    pub async fn run(self) -> io::Result<Summary> {
        let clock = Instant::now();
        // The store knows whole seconds, and what is fetched in this one is of this run.
        let now = Timestamp::now();
        let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let begun = self.past.begun.unwrap_or(now);
        let version = env!("CARGO_PKG_VERSION").to_owned();
        self.log.add(&[Event::Begin { time: now, version, weixin: self.weixin.clone() }])?;
        let tally = Mutex::new(Tally::of(self.plan.targets.len()));
        let work = Arc::new(Work {
            crew: self,
            queues: Mutex::default(),
            tally,
            looked: Mutex::default(),
            broken: Mutex::default(),
        });
        work.settle()?;
        work.clone().fetch_and_scan().await;
        if let Some(error) = held(&work.broken).take() {
            return Err(error);
        }
        let crew = &work.crew;
        let ended = Timestamp::now();
        let summary = Summary {
            roster: crew.folder.roster().display().to_string(),
            begun,
            ended,
            seconds: clock.elapsed().as_secs_f64(),
            weixin: crew.weixin.clone(),
            repeated: crew.plan.repeated.clone(),
            reports: crew.folder.path().join("reports").display().to_string(),
            ..held(&work.tally).clone().summary()
        };
        if summary.counts.left == 0 {
            crew.log.add(&[Event::End { time: ended }])?;
        }
        write_whole(&crew.folder.summary(), &serde_json::to_vec_pretty(&summary)?)?;
        Ok(summary)
    }
}

impl Work {
    fn target(&self, at: usize) -> Option<(&Planned, &Row)> {
        let target = self.crew.plan.targets.get(at)?;
        Some((target, self.crew.roster.rows.get(target.row?)?))
    }

    /// Notes what needs no work.
    fn settle(&self) -> io::Result<()> {
        let mut events = Vec::new();
        for target in &self.crew.plan.targets {
            let memory = self.crew.past.targets.get(&target.id);
            let findings = memory.and_then(|memory| memory.scanned.as_ref()).map(|scanned| scanned.findings);
            let (outcome, reason) = match target.action {
                Action::Done => match memory.and_then(|memory| memory.done.as_ref()) {
                    Some((outcome, reason)) => (*outcome, reason.as_ref()),
                    None => continue,
                },
                Action::Keep => (Outcome::Unchanged, None),
                Action::Skip => (Outcome::Skipped, target.reason.as_ref()),
                _ => continue,
            };
            held(&self.tally).add(target, outcome, reason, findings);
            if target.action != Action::Done {
                let scanned = memory.and_then(|memory| memory.scanned.clone());
                events.push(self.event(target, outcome, reason.cloned(), scanned, None));
            }
        }
        events.chunks(BATCH).try_for_each(|events| self.crew.log.add(events))?;
        self.crew.watch.at(&held(&self.tally).counts);
        Ok(())
    }

    fn event(
        &self,
        target: &Planned,
        outcome: Outcome,
        reason: Option<Reason>,
        scanned: Option<Scanned>,
        looked: Option<Box<Looked>>,
    ) -> Event {
        let memory = self.crew.past.targets.get(&target.id);
        Event::Target {
            time: Timestamp::now(),
            target: target.id.clone(),
            line: target.line,
            outcome,
            reason,
            scanned,
            looked: looked.or_else(|| memory.and_then(|memory| memory.looked.clone())),
        }
    }

    async fn fetch_and_scan(self: Arc<Self>) {
        let scans = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_SCANS);
        let (out, mut brought) = mpsc::channel::<Brought>(scans);
        for (at, target) in self.crew.plan.targets.iter().enumerate() {
            if matches!(target.action, Action::Fetch | Action::Recheck) {
                self.enqueue(at, target.way.clone(), &out);
            }
        }
        tokio::spawn(self.clone().bring_stored(out));
        let permits = Arc::new(Semaphore::new(scans));
        while let Some((at, had)) = brought.recv().await {
            if self.crew.stop.is_stopped() {
                continue;
            }
            // A package is scanned on all cores already, and takes memory.
            let alone = had.is_ok() && self.target(at).is_some_and(|(_, row)| is_program(row.entry.kind));
            let share = if alone { scans } else { 1 };
            let Ok(permit) = permits.clone().acquire_many_owned(u32::try_from(share).unwrap_or(1)).await
            else {
                break;
            };
            let work = self.clone();
            tokio::task::spawn_blocking(move || {
                work.finish(at, had);
                drop(permit);
            });
        }
        // All are there again when the last scan is over.
        let _ = permits.acquire_many(u32::try_from(scans).unwrap_or(1)).await;
    }

    /// Brings what is to be scanned without a request.
    async fn bring_stored(self: Arc<Self>, out: mpsc::Sender<Brought>) {
        for (at, target) in self.crew.plan.targets.iter().enumerate() {
            if !matches!(target.action, Action::Rescan | Action::Read) || self.crew.stop.is_stopped() {
                continue;
            }
            let had = match &target.way {
                Way::File(path) => {
                    let stamp = Stamp::of(path);
                    Ok(Had { path: path.clone(), known: None, listing: None, stamp })
                }
                Way::Page(url) => self.stored(url, None),
                Way::Package(url, listing) => self.stored(url, listing.clone()),
                Way::Store(..) | Way::None => continue,
            };
            if out.send((at, had)).await.is_err() {
                return;
            }
        }
    }

    fn stored(&self, url: &Url, listing: Option<Box<Listing>>) -> Result<Had, Reason> {
        let known = self.crew.store.known(url);
        let known = known.ok_or_else(|| Reason::about(Cause::Disk, url.as_str()))?;
        self.had(known, listing)
    }

    fn had(&self, known: Known, listing: Option<Box<Listing>>) -> Result<Had, Reason> {
        let path = self.crew.store.object(&known.sha256);
        let path = path.ok_or_else(|| Reason::about(Cause::Disk, &known.sha256))?;
        Ok(Had { path, known: Some(known), listing, stamp: None })
    }

    /// Puts what is to be asked for into the queue of its host; the first in a queue calls a worker.
    fn enqueue(self: &Arc<Self>, at: usize, way: Way, out: &mpsc::Sender<Brought>) {
        let (Way::Page(url) | Way::Package(url, _) | Way::Store(_, url)) = &way else { return };
        let host = weixin::asked(url).host_str().unwrap_or_default().to_owned();
        let mut queues = held(&self.queues);
        if let Some(queue) = queues.get_mut(&host) {
            queue.push_back((at, way));
            return;
        }
        queues.insert(host.clone(), VecDeque::from([(at, way)]));
        tokio::spawn(self.clone().serve(host, out.clone()));
    }

    /// Works through the queue of a host.
    async fn serve(self: Arc<Self>, host: String, out: mpsc::Sender<Brought>) {
        loop {
            let next = {
                let mut queues = held(&self.queues);
                let next = queues.get_mut(&host).and_then(VecDeque::pop_front);
                if next.is_none() {
                    queues.remove(&host);
                }
                next
            };
            let Some((at, way)) = next else { return };
            let had = tokio::select! {
                () = self.crew.stop.stopped() => return,
                had = self.bring(at, way, &out) => had,
            };
            if let Some(had) = had
                && out.send((at, had)).await.is_err()
            {
                return;
            }
        }
    }

    /// Asks for something; `None` when it goes on at another host.
    async fn bring(
        self: &Arc<Self>,
        at: usize,
        way: Way,
        out: &mpsc::Sender<Brought>,
    ) -> Option<Result<Had, Reason>> {
        match way {
            Way::Page(url) if weixin::is_weixin(&url) => Some(self.posts(&url).await),
            Way::Page(url) => Some(self.page(url).await),
            Way::Package(url, listing) => {
                let done = self.crew.client.download(&url, &self.crew.store, &Unwatched).await;
                Some(
                    done.map_err(|error| Reason::from(&error)).and_then(|done| self.had(done.known, listing)),
                )
            }
            Way::Store(source, url) => {
                let found = source.look_up(&self.crew.client, &self.crew.store, &url).await;
                let found = match found {
                    Ok(found) => found,
                    Err(error) => return Some(Err(Reason::from(&error))),
                };
                let Found { listing, package } = found;
                let looked = Box::new(Looked { time: Timestamp::now(), listing, package });
                if let Some((target, _)) = self.target(at) {
                    // Known from now on, so that a run that is broken off here does not ask again.
                    let event = Event::Looked { target: target.id.clone(), looked: looked.clone() };
                    self.note(&[event]);
                }
                held(&self.looked).insert(at, looked.clone());
                let Looked { listing, package: Some(package), .. } = *looked else {
                    return Some(Err(Reason::about(Cause::AppStore, url.as_str())));
                };
                self.enqueue(at, Way::Package(package, Some(Box::new(listing))), out);
                None
            }
            // What is here already is in no queue.
            Way::File(_) | Way::None => None,
        }
    }

    async fn posts(&self, url: &Url) -> Result<Had, Reason> {
        let (client, store) = (&self.crew.client, &self.crew.store);
        let known = weixin::posts_by_environment(client, store, url).await;
        self.had(known.map_err(|error| Reason::from(&error))?, None)
    }

    async fn page(self: &Arc<Self>, url: Url) -> Result<Had, Reason> {
        let known = self.crew.store.known(&url);
        let validators = known.as_ref().map(|known| known.validators.clone()).unwrap_or_default();
        let (got, room) = self
            .crew
            .client
            .page_held(&Ask::at(url.clone()).unless(validators))
            .await
            .map_err(|error| Reason::from(&error))?;
        let work = self.clone();
        let kept = tokio::task::spawn_blocking(move || {
            let kept = work.keep(&url, known, got);
            // Pages in memory are no more than requests to all hosts together may be.
            drop(room);
            kept
        });
        let known = kept.await.map_err(|_| Reason::of(Cause::Internal))??;
        self.had(known, None)
    }

    /// Keeps a page, unless it is a wall: then its host is left alone before the next request is made.
    fn keep(&self, url: &Url, known: Option<Known>, got: Got) -> Result<Known, Reason> {
        let kept = match (got, known) {
            (Got::Page(page), _) => {
                let input = Input::new(&page.bytes, page.content_type.as_deref(), Some(page.url.clone()));
                let state = page::read(&input).page.state;
                if is_wall(&state) {
                    let reason = Reason::wall(&state);
                    self.crew.client.stop(&page.url, reason.en.clone());
                    return Err(reason);
                }
                self.crew.store.keep(url, &page)
            }
            (Got::Unchanged, Some(known)) => {
                self.crew.store.remember(Known { fetched: Timestamp::now(), ..known })
            }
            (Got::Unchanged, None) => return Err(Reason::about(Cause::Content, url.as_str())),
        };
        Ok(kept?)
    }

    /// Scans what was had and notes what became of the target.
    fn finish(&self, at: usize, had: Result<Had, Reason>) {
        let Some((target, row)) = self.target(at) else { return };
        let before = self.crew.past.targets.get(&target.id).and_then(|memory| memory.scanned.clone());
        // A scan must not take the whole run with it.
        let done = had.and_then(|had| {
            let scan = || self.scan(target, row, &had, before.as_ref());
            catch_unwind(AssertUnwindSafe(scan)).unwrap_or_else(|_| Err(Reason::of(Cause::Internal)))
        });
        let (outcome, reason, scanned) = match done {
            Ok((outcome, scanned)) => (outcome, None, Some(scanned)),
            Err(reason) => (Outcome::Failed, Some(reason), before),
        };
        let findings = scanned.as_ref().map(|scanned| scanned.findings);
        let looked = held(&self.looked).remove(&at);
        if self.note(&[self.event(target, outcome, reason.clone(), scanned, looked)]) {
            let mut tally = held(&self.tally);
            tally.add(target, outcome, reason.as_ref(), findings);
            self.crew.watch.at(&tally.counts);
        }
    }

    fn scan(
        &self,
        target: &Planned,
        row: &Row,
        had: &Had,
        before: Option<&Scanned>,
    ) -> Result<(Outcome, Scanned), Reason> {
        let before = before.filter(|before| before.with == target.with);
        if let (Some(before), Some(known)) = (before, &had.known)
            && before.sha256 == known.sha256
            && before.listing == listed(had.listing.as_deref())
            && is_program(row.entry.kind)
        {
            return Ok((Outcome::Unchanged, before.clone()));
        }
        let known = had.known.as_ref();
        let url = known.and_then(|known| Url::parse(known.from.as_deref().unwrap_or(&known.url)).ok());
        let subject = Subject {
            name: row.written().to_owned(),
            kind: Some(row.entry.kind),
            address: url.clone(),
            content_type: known.and_then(|known| known.content_type.clone()),
            as_of: known.map(|known| known.fetched).or(had.stamp.map(|stamp| stamp.changed)),
            listing: had.listing.as_deref().cloned(),
            registered: Some(row.registered()),
            filing: row.entry.filing.clone(),
        };
        let reports = self.crew.scanner.scan_subject(&had.path, subject, &Silent);
        // An export holds several groups at times; they are one target.
        let reports = reports.map_err(|error| Reason::from(&error))?;
        let first = reports.first().ok_or_else(|| Reason::of(Cause::Unscannable))?;
        if let (Some(page), Some(url)) = (&first.page, &url)
            && is_wall(&page.state)
        {
            self.crew.client.stop(url, page.state.words(Lang::En));
            return Err(Reason::wall(&page.state));
        }
        if row.entry.kind.scope() != first.target.kind.scope() {
            return Err(Reason::other_kind(row.entry.kind, first.target.kind));
        }
        if let Some(found) = first.page.as_ref().and_then(|page| other_account(&row.entry, &page.account)) {
            return Err(Reason::other_account(row.entry.name.as_deref().unwrap_or_default(), found));
        }
        let texts: Option<Vec<&[u8]>> =
            reports.iter().map(|report| report.artifact.text_sha256.as_deref().map(str::as_bytes)).collect();
        // A scan that did not come to its end is no reason not to try again.
        let with = if is_unfinished(first) { String::new() } else { target.with.clone() };
        let scanned = Scanned {
            with,
            sha256: first.artifact.sha256.clone(),
            text: texts.map(|texts| short_digest(&texts)),
            listing: listed(had.listing.as_deref()),
            stamp: had.stamp,
            findings: findings(&reports),
        };
        let same = before.is_some_and(|before| {
            before.sha256 == scanned.sha256 || scanned.text.is_some() && before.text == scanned.text
        });
        write_reports(&self.crew.folder.report(&target.id), &reports)?;
        Ok((if same { Outcome::Unchanged } else { Outcome::Scanned }, scanned))
    }

    /// Writes to the log. When that fails the run ends: what is not in the log has not happened.
    fn note(&self, events: &[Event]) -> bool {
        let written = self.crew.log.add(events);
        if let Err(error) = written {
            held(&self.broken).get_or_insert(error);
            self.crew.stop.stop();
            return false;
        }
        true
    }
}

/// Whether a page stands before the one that was asked for and asks for a human being.
fn is_wall(state: &PageState) -> bool {
    matches!(state, PageState::Wall | PageState::Challenge)
}

fn findings(reports: &[Report]) -> Findings {
    let found = || reports.iter().flat_map(|report| &report.findings);
    let of = |level: Level| found().filter(|finding| finding.level == level).count() as u64;
    Findings { confirmed: of(Level::Confirmed), suspected: of(Level::Suspected), mention: of(Level::Mention) }
}

/// Writes the report of a target, or a list of them.
fn write_reports(path: &Path, reports: &[Report]) -> Result<(), Reason> {
    let mut text = Vec::new();
    match reports {
        [report] => report::write_json(report, &mut text)?,
        reports => report::write_json(reports, &mut text)?,
    }
    write_whole(path, &text)?;
    Ok(())
}
