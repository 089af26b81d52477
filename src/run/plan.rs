//! What a run will do, and how long it takes at the least: a pure function of the roster, the configuration and what
//! the store and the last run remember.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use url::Url;

use super::log::{Outcome, Past, Scanned, Stamp, listed, short_digest};
use super::reason::{Cause, Reason};
use crate::config::Fetch;
use crate::fetch::source::{Source, source};
use crate::fetch::{Known, is_barred, weixin};
use crate::model::{Listing, Scope, TargetKind};
use crate::roster::{Address, Roster, Row};

/// Platforms that show an account to nobody who is not logged in.
const PLATFORMS: &[&str] = &["weibo.com", "weibo.cn", "douyin.com", "iesdouyin.com", "toutiao.com"];

/// How a run is wished to be.
#[derive(Debug, Clone)]
pub struct Wishes<'a> {
    /// How hosts are asked.
    pub fetch: &'a Fetch,
    /// By what document the owners of accounts allow `mp.weixin.qq.com` to be asked.
    pub weixin: Option<&'a str>,
    /// What was fetched less than this ago is not asked for again.
    pub max_age: Duration,
    /// Digest of what scans: rules, decoders, version.
    pub engine: &'a str,
    /// The time of the plan.
    pub now: Timestamp,
}

/// What is known before the run.
#[derive(Clone, Copy)]
pub struct Knowledge<'a> {
    /// From the logs.
    pub past: &'a Past,
    /// What was last had from an address.
    pub known: &'a dyn Fn(&Url) -> Option<Known>,
    /// The stamp of a file; `None` when it is not there.
    pub stamp: &'a dyn Fn(&Path) -> Option<Stamp>,
}

/// What is done about a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Fetched and scanned.
    Fetch,
    /// Asked for only if it has changed.
    Recheck,
    /// What the store has is scanned again, without a request: rules, decoders or the roster have changed.
    Rescan,
    /// A file on disk is scanned.
    Read,
    /// Nothing: content, rules and decoders are those of the latest report.
    Keep,
    /// Nothing: the run that was broken off has done it.
    Done,
    /// Nothing can be done.
    Skip,
}

/// Where the content of a target comes from.
#[derive(Debug, Clone)]
pub(super) enum Way {
    /// A page.
    Page(Url),
    /// A package; what an app store says of it.
    Package(Url, Option<Box<Listing>>),
    /// The page of an app store, which says where the package is.
    Store(&'static Source, Url),
    /// A file or folder.
    File(std::path::PathBuf),
    /// Nowhere.
    None,
}

/// A target of the plan.
#[derive(Debug, Clone, Serialize)]
pub struct Planned {
    /// Name of its report.
    pub id: String,
    /// Line of the roster.
    pub line: u64,
    /// What it is; `null` where the row could not be read.
    pub kind: Option<TargetKind>,
    /// Its name.
    pub name: Option<String>,
    /// Its address as written.
    pub address: String,
    /// What is done.
    pub action: Action,
    /// Why nothing can be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    #[serde(skip)]
    pub(super) way: Way,
    /// Digest of what it is scanned with.
    #[serde(skip)]
    pub(super) with: String,
    /// Position among the rows of the roster.
    #[serde(skip)]
    pub(super) row: Option<usize>,
}

/// What a host is asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HostPlan {
    /// Its name.
    pub host: String,
    /// Requests, `robots.txt` included; redirects, second attempts and further pages of a list are not foreseen.
    pub requests: u64,
    /// Least time between two, in seconds.
    pub pace: f64,
    /// The least they take, in seconds.
    pub least: f64,
}

/// A plan.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// When the run began that is gone on with.
    pub resumes: Option<Timestamp>,
    /// Every row, in the order of the roster; those that could not be read come last.
    pub targets: Vec<Planned>,
    /// Rows that repeat a target: their line, and the line where it stands first.
    pub repeated: Vec<(u64, u64)>,
    /// Every host, the one that takes longest first.
    pub hosts: Vec<HostPlan>,
    /// Packages whose host is only known when the app store has been asked.
    pub unplaced: u64,
    /// The least that all hosts take side by side, in seconds.
    pub least: f64,
}

/// Whether a run that was broken off is gone on with: not when it began so long ago that its beginning is stale.
pub fn resumes(begun: Timestamp, now: Timestamp) -> bool {
    now.duration_since(begun) < SignedDuration::from_hours(7 * 24)
}

/// Makes the plan.
pub fn plan(roster: &Roster, wishes: &Wishes<'_>, knowledge: Knowledge<'_>) -> Plan {
    let mut targets: Vec<Planned> = roster
        .rows
        .iter()
        .enumerate()
        .map(|(at, row)| Planned { row: Some(at), ..planned(row, wishes, knowledge) })
        .collect();
    targets.extend(roster.rejected.iter().map(|rejected| Planned {
        id: short_digest(&[b"row", &rejected.line.to_le_bytes()]),
        line: rejected.line,
        kind: None,
        name: None,
        address: String::new(),
        action: Action::Skip,
        reason: Some(Reason::from(rejected)),
        way: Way::None,
        with: String::new(),
        row: None,
    }));
    let (hosts, unplaced) = hosts(&targets, wishes.fetch);
    let requests: u64 = hosts.iter().map(|host| host.requests).sum();
    let together = requests as f64 / f64::from(wishes.fetch.requests_per_second.get());
    Plan {
        resumes: knowledge.past.begun,
        targets,
        repeated: roster.repeated.clone(),
        least: hosts.first().map_or(0.0, |host| host.least.max(together)),
        hosts,
        unplaced,
    }
}

impl Plan {
    /// How many targets there are for each action.
    pub fn count(&self, action: Action) -> usize {
        self.targets.iter().filter(|target| target.action == action).count()
    }
}

fn planned(row: &Row, wishes: &Wishes<'_>, knowledge: Knowledge<'_>) -> Planned {
    let id = id(row);
    let with = with(row, wishes.engine);
    let memory = knowledge.past.targets.get(&id);
    let scanned = memory.and_then(|memory| memory.scanned.as_ref()).filter(|scanned| scanned.with == with);
    let (action, way, reason) = match skip(row, wishes) {
        Some(reason) => (Action::Skip, Way::None, Some(reason)),
        None => match &row.address {
            None => (Action::Skip, Way::None, Some(Reason::of(Cause::NoAddress))),
            Some(Address::File(path)) => file(path, scanned, knowledge),
            Some(Address::Web(url)) => {
                let looked = memory.and_then(|memory| memory.looked.as_ref());
                let is_app = is_program(row.entry.kind);
                let way = match source(url).filter(|_| is_app) {
                    None if is_app => Way::Package(url.clone(), None),
                    None => Way::Page(url.clone()),
                    // What the store said a while ago holds for as long as a page does.
                    Some(store) => looked
                        .filter(|looked| is_fresh(looked.time, wishes, knowledge))
                        .and_then(|looked| {
                            Some(Way::Package(
                                looked.package.clone()?,
                                Some(Box::new(looked.listing.clone())),
                            ))
                        })
                        .unwrap_or_else(|| Way::Store(store, url.clone())),
                };
                (web(&way, looked.and_then(|l| l.package.as_ref()), scanned, wishes, knowledge), way, None)
            }
        },
    };
    // What the run that was broken off has done stays done, unless it was scanned by other rules.
    let done = memory.and_then(|memory| memory.done.as_ref());
    let stands = done.is_some_and(|(outcome, _)| match outcome {
        Outcome::Scanned | Outcome::Unchanged => scanned.is_some(),
        Outcome::Failed => true,
        Outcome::Skipped => false,
    });
    let (action, reason) = if stands { (Action::Done, None) } else { (action, reason) };
    Planned {
        id,
        line: row.line,
        kind: Some(row.entry.kind),
        name: row.entry.name.clone(),
        address: row.written().to_owned(),
        action,
        reason,
        way,
        with,
        row: None,
    }
}

/// The name of a target for good: by its kind and where it is.
pub(super) fn id(row: &Row) -> String {
    let kind = row.entry.kind.en().as_bytes();
    match &row.address {
        Some(Address::Web(url)) => short_digest(&[kind, b"web", url.as_str().as_bytes()]),
        Some(Address::File(path)) => short_digest(&[kind, b"file", path.as_os_str().as_encoded_bytes()]),
        None => {
            let name = row.entry.name.as_deref().unwrap_or_default();
            short_digest(&[kind, b"name", name.as_bytes()])
        }
    }
}

/// Everything beside the content that a report depends on.
fn with(row: &Row, engine: &str) -> String {
    let registered = serde_json::to_vec(&(row.registered(), &row.entry.filing)).unwrap_or_default();
    short_digest(&[engine.as_bytes(), &registered])
}

/// Why a target is not tried, as far as its row tells.
fn skip(row: &Row, wishes: &Wishes<'_>) -> Option<Reason> {
    let Some(Address::Web(url)) = &row.address else { return None };
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    let below =
        |name: &&str| host == *name || host.strip_suffix(*name).is_some_and(|rest| rest.ends_with('.'));
    if row.entry.kind == TargetKind::Group {
        return Some(Reason::of(Cause::Group));
    }
    if weixin::is_weixin(url)
        && let Err(error) = weixin::Account::of(url)
    {
        return Some(Reason::from(&error));
    }
    if is_barred(url) && wishes.weixin.is_none() {
        return Some(Reason::of(Cause::Weixin));
    }
    let closed = row.entry.kind == TargetKind::Account && PLATFORMS.iter().any(below);
    closed.then(|| Reason::of(Cause::Platform))
}

fn file(path: &Path, scanned: Option<&Scanned>, knowledge: Knowledge<'_>) -> (Action, Way, Option<Reason>) {
    let Some(stamp) = (knowledge.stamp)(path) else {
        let reason = Reason::about(Cause::NoFile, &path.display().to_string());
        return (Action::Skip, Way::None, Some(reason));
    };
    // The stamp of a folder tells nothing.
    let same = stamp.bytes > 0 && scanned.is_some_and(|scanned| scanned.stamp == Some(stamp));
    (if same { Action::Keep } else { Action::Read }, Way::File(path.to_owned()), None)
}

/// Whether it is a program: the same content gives the same report on another day.
pub(super) fn is_program(kind: TargetKind) -> bool {
    kind.scope() == Scope::App
}

fn web(
    way: &Way,
    package: Option<&Url>,
    scanned: Option<&Scanned>,
    wishes: &Wishes<'_>,
    knowledge: Knowledge<'_>,
) -> Action {
    let (content, listing, looks) = match way {
        Way::Page(url) => (Some(url), None, false),
        Way::Package(url, listing) => (Some(url), listing.as_deref(), false),
        _ => (package, None, true),
    };
    let Some(known) = content.and_then(|url| (knowledge.known)(url)) else { return Action::Fetch };
    if !looks && is_fresh(known.fetched, wishes, knowledge) {
        let same = |scanned: &Scanned| scanned.sha256 == known.sha256 && scanned.listing == listed(listing);
        return match scanned.is_some_and(same) {
            true => Action::Keep,
            false => Action::Rescan,
        };
    }
    let can_ask = known.validators.etag.is_some() || known.validators.last_modified.is_some();
    if can_ask { Action::Recheck } else { Action::Fetch }
}

/// Whether something was fetched so lately, or by the run that is gone on with.
fn is_fresh(time: Timestamp, wishes: &Wishes<'_>, knowledge: Knowledge<'_>) -> bool {
    let age = wishes.now.duration_since(time);
    let most = SignedDuration::try_from(wishes.max_age).unwrap_or(SignedDuration::MAX);
    age < most || knowledge.past.begun.is_some_and(|begun| time >= begun)
}

fn hosts(targets: &[Planned], fetch: &Fetch) -> (Vec<HostPlan>, u64) {
    let mut requests: BTreeMap<String, u64> = BTreeMap::new();
    let mut origins: HashSet<url::Origin> = HashSet::new();
    let mut unplaced = 0;
    for target in targets.iter().filter(|target| matches!(target.action, Action::Fetch | Action::Recheck)) {
        let (Way::Page(url) | Way::Package(url, _) | Way::Store(_, url)) = &target.way else { continue };
        unplaced += u64::from(matches!(target.way, Way::Store(..)));
        let asked = weixin::asked(url);
        let of_host = requests.entry(asked.host_str().unwrap_or_default().to_owned()).or_default();
        // A token, and the first page of the list.
        let own = 1 + u64::from(weixin::is_weixin(url));
        *of_host += own + u64::from(origins.insert(asked.origin()));
    }
    let mut hosts: Vec<HostPlan> = requests
        .into_iter()
        .map(|(host, requests)| {
            let pace = fetch.pace_of(&host).as_secs_f64();
            HostPlan { host, requests, pace, least: pace * requests.saturating_sub(1) as f64 }
        })
        .collect();
    hosts.sort_by(|a, b| b.least.total_cmp(&a.least).then_with(|| a.host.cmp(&b.host)));
    (hosts, unplaced)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::fetch::Validators;
    use crate::roster::Layout;
    use crate::run::log::{Findings, Looked, Memory};

    const DAY: i64 = 86_400;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + seconds).unwrap()
    }

    fn known(url: &str, fetched: Timestamp, etag: Option<&str>) -> Known {
        let validators = Validators { etag: etag.map(str::to_owned), last_modified: None };
        Known {
            url: url.into(),
            sha256: "aa".into(),
            bytes: 1,
            fetched,
            content_type: None,
            from: None,
            validators,
        }
    }

    /// Plans one row at noon, with an age of twelve hours.
    struct Case {
        row: &'static str,
        known: Option<Known>,
        past: Past,
        engine: &'static str,
        fetch: Fetch,
    }

    impl Case {
        fn new(row: &'static str) -> Self {
            Case { row, known: None, past: Past::default(), engine: "rules 1", fetch: Fetch::default() }
        }

        fn plan(&self) -> Plan {
            let text = format!("kind,address,owner\n{}\n", self.row);
            let roster = Roster::parse(text.as_bytes(), Path::new("/r"), &Layout::default()).unwrap();
            let wishes = Wishes {
                fetch: &self.fetch,
                weixin: None,
                max_age: Duration::from_secs(12 * 3600),
                engine: self.engine,
                now: at(DAY / 2),
            };
            let known = |url: &Url| self.known.clone().filter(|known| known.url == url.as_str());
            let stamp = |_: &Path| Some(Stamp { bytes: 5, changed: at(0) });
            plan(&roster, &wishes, Knowledge { past: &self.past, known: &known, stamp: &stamp })
        }

        fn action(&self) -> Action {
            self.plan().targets[0].action
        }

        /// Lets the content with digest `aa` have been scanned with the rules as they are.
        fn scanned(mut self) -> Self {
            let target = self.plan().targets.remove(0);
            let scanned = Scanned {
                with: target.with,
                sha256: "aa".into(),
                text: None,
                listing: None,
                stamp: Some(Stamp { bytes: 5, changed: at(0) }),
                findings: Findings::default(),
            };
            let memory = Memory { done: None, scanned: Some(scanned), looked: None };
            self.past.targets = HashMap::from([(target.id, memory)]);
            self
        }
    }

    const PAGE: &str = "https://a.gov.cn/x";

    #[test]
    fn what_is_new_old_or_unchanged_is_told_apart() {
        let fresh = Case::new("account,https://a.gov.cn/x,A");
        assert_eq!(fresh.action(), Action::Fetch);
        let lately = Some(known(PAGE, at(1), Some("1")));
        let had = Case { known: lately.clone(), ..fresh };
        assert_eq!(had.action(), Action::Rescan, "it is here and was never scanned");
        let had = had.scanned();
        assert_eq!(had.action(), Action::Keep);
        assert_eq!(Case { engine: "rules 2", ..had }.action(), Action::Rescan);

        let old =
            |tag| Case { known: Some(known(PAGE, at(-1), tag)), ..Case::new("account,https://a.gov.cn/x,A") };
        assert_eq!(old(Some("1")).scanned().action(), Action::Recheck);
        assert_eq!(old(None).scanned().action(), Action::Fetch, "nothing to ask on condition by");

        let moved = Case { known: lately, ..Case::new("account,https://a.gov.cn/x,A") }.scanned();
        let moved = Case { row: "account,https://a.gov.cn/x,B", ..moved };
        assert_eq!(moved.action(), Action::Rescan, "what the roster says is compared with what is seen");
    }

    #[test]
    fn another_listing_is_another_report() {
        let listing = Listing { version: Some("1.0".into()), ..Listing::default() };
        let had = Some(known("https://b.gov.cn/b.apk", at(1), None));
        let mut case =
            Case { known: had, ..Case::new("app,https://sj.qq.com/appdetail/cn.gov.a,A") }.scanned();
        let package = Url::parse("https://b.gov.cn/b.apk").ok();
        for memory in case.past.targets.values_mut() {
            memory.looked =
                Some(Box::new(Looked { time: at(1), listing: listing.clone(), package: package.clone() }));
        }
        assert_eq!(case.action(), Action::Rescan, "it was scanned without this listing");
        for scanned in case.past.targets.values_mut().filter_map(|memory| memory.scanned.as_mut()) {
            scanned.listing = listed(Some(&listing));
        }
        assert_eq!(case.action(), Action::Keep);
    }

    #[test]
    fn files_are_read_when_they_or_the_rules_change() {
        let file = Case::new("app,a.apk,A");
        assert_eq!(file.action(), Action::Read);
        let file = file.scanned();
        assert_eq!(file.action(), Action::Keep);
        assert_eq!(Case { engine: "rules 2", ..file }.action(), Action::Read);
    }

    #[test]
    fn a_run_that_was_broken_off_binds_what_it_has_done() {
        let done = |outcome| {
            let mut case = Case {
                known: Some(known(PAGE, at(-DAY), None)),
                ..Case::new("account,https://a.gov.cn/x,A")
            };
            case = case.scanned();
            case.past.begun = Some(at(-2 * DAY));
            case.past.targets.values_mut().for_each(|memory| memory.done = Some((outcome, None)));
            case
        };
        assert_eq!(done(Outcome::Scanned).action(), Action::Done);
        assert_eq!(done(Outcome::Failed).action(), Action::Done, "the next run tries it again");
        assert_eq!(Case { engine: "rules 2", ..done(Outcome::Scanned) }.action(), Action::Rescan);
        let mut fetched = done(Outcome::Skipped);
        fetched.past.targets.clear();
        assert_eq!(fetched.action(), Action::Rescan, "fetched before the kill, and not asked for again");
        assert!(resumes(at(-6 * DAY), at(0)) && !resumes(at(-8 * DAY), at(0)));
    }

    #[test]
    fn the_least_time_is_that_of_the_slowest_host() {
        let rows = "account,https://weixin.qq.com/1,\naccount,https://weixin.qq.com/2,\napp,https://sj.qq.com/appdetail/cn.gov.a,\n\
                    account,http://weixin.qq.com/3,\napp,https://b.gov.cn/b.apk,";
        let plan = Case::new(rows).plan();
        let hosts: Vec<(&str, u64, f64)> =
            plan.hosts.iter().map(|host| (host.host.as_str(), host.requests, host.least)).collect();
        // Two origins of one host have a `robots.txt` each, and one pace.
        assert_eq!(hosts, [("weixin.qq.com", 5, 20.0), ("b.gov.cn", 2, 1.0), ("sj.qq.com", 2, 1.0)]);
        assert_eq!((plan.least, plan.unplaced), (20.0, 1));
    }

    #[test]
    fn posts_by_the_interface_are_asked_of_the_platform() {
        let rows = "account,weixin-api:wx0123456789abcdef,\naccount,weixin-api:gh_0123456789ab,";
        let plan = Case::new(rows).plan();
        let actions: Vec<Action> = plan.targets.iter().map(|target| target.action).collect();
        assert_eq!(actions, [Action::Fetch, Action::Skip]);
        assert!(plan.targets[1].reason.as_ref().unwrap().zh.contains("AppID"));
        // A token, a page of the list, `robots.txt`.
        let hosts: Vec<(&str, u64)> =
            plan.hosts.iter().map(|host| (host.host.as_str(), host.requests)).collect();
        assert_eq!(hosts, [("api.weixin.qq.com", 3)]);
        let rescan = Case {
            known: Some(known("weixin-api:wx0123456789abcdef", at(DAY / 4), None)),
            ..Case::new("account,weixin-api:wx0123456789abcdef,")
        };
        assert_eq!(rescan.plan().targets[0].action, Action::Rescan, "stored posts need no request");
    }
}
