//! `zhijian plan`: what a run of a roster will do, how long it takes at the least, and what it cannot do.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde::Serialize;
use zhijian::config::{Config, parse_duration};
use zhijian::fetch::Store;
use zhijian::model::{Lang, beijing_minute};
use zhijian::report::visible;
use zhijian::roster::{FilingRecord, Roster};
use zhijian::run::{
    self, Action, Cause, Folder, Knowledge, Missed, Outcome, Past, Plan as Planned, Stamp, Wishes,
};
use zhijian::scan::Scanner;

use super::fetcher::{configuration, open_store};
use super::roster::read_roster;
use super::{load_rules, table};

/// Rows of a list that are shown without `--all`.
const SHOWN: usize = 10;

#[derive(Debug, Args)]
pub(super) struct Plan {
    #[command(flatten)]
    choice: Choice,
}

/// What `plan` and `run` have in common.
#[derive(Debug, Args)]
pub(super) struct Choice {
    #[arg(value_name = "ROSTER")]
    roster: PathBuf,
    #[arg(long, value_name = "AUTHORITY", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(super) weixin: Option<String>,
    #[arg(long, value_name = "AGE", value_parser = parse_duration, default_value = "12h", hide_default_value = true)]
    max_age: Duration,
    #[arg(long, value_name = "DIR")]
    pub(super) rules: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Form::Terminal, hide_possible_values = true, hide_default_value = true)]
    pub(super) format: Form,
    #[arg(long)]
    pub(super) all: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    Terminal,
    Json,
}

/// What a plan is made from.
pub(super) struct Ready {
    pub(super) config: Config,
    pub(super) store: Store,
    pub(super) folder: Folder,
    pub(super) roster: Roster,
    pub(super) scanner: Scanner,
}

impl Choice {
    pub(super) fn ready(&self, lang: Lang) -> anyhow::Result<Ready> {
        let config = configuration(self.config.as_deref())?;
        let store = open_store(&config)?;
        let roster = read_roster(&self.roster, &config.roster, lang)?;
        let folder =
            Folder::of(store.root(), &self.roster).with_context(|| self.roster.display().to_string())?;
        let scanner = Scanner::new(load_rules(self.rules.as_deref())?, FilingRecord::Unknown);
        Ok(Ready { config, store, folder, roster, scanner })
    }

    pub(super) fn plan(&self, ready: &Ready, past: &Past, now: Timestamp) -> Planned {
        let wishes = Wishes {
            fetch: &ready.config.fetch,
            weixin: self.weixin.as_deref(),
            max_age: self.max_age,
            engine: &ready.scanner.fingerprint(),
            now,
        };
        let known = |url: &_| ready.store.known(url);
        run::plan(&ready.roster, &wishes, Knowledge { past, known: &known, stamp: &Stamp::of })
    }
}

impl Plan {
    pub(super) fn run(self, lang: Lang) -> anyhow::Result<u8> {
        let ready = self.choice.ready(lang)?;
        let now = Timestamp::now();
        let past = ready.folder.past(|begun| run::resumes(begun, now))?;
        let plan = self.choice.plan(&ready, &past, now);
        let mut out = io::stdout().lock();
        match self.choice.format {
            Form::Json => zhijian::report::write_json(&Machine::of(&ready.folder, &plan), &mut out)?,
            Form::Terminal => show(&plan, &ready, self.choice.all, lang, &mut out)?,
        }
        out.flush()?;
        Ok(0)
    }
}

/// The plan as programs read it.
#[derive(Serialize)]
struct Machine<'a> {
    schema: &'static str,
    roster: &'a Path,
    actions: BTreeMap<Action, usize>,
    #[serde(flatten)]
    plan: &'a Planned,
}

impl<'a> Machine<'a> {
    fn of(folder: &'a Folder, plan: &'a Planned) -> Self {
        let mut actions = BTreeMap::new();
        plan.targets.iter().for_each(|target| *actions.entry(target.action).or_default() += 1);
        Machine { schema: "zhijian.plan/1", roster: folder.roster(), actions, plan }
    }
}

fn action(action: Action, lang: Lang) -> &'static str {
    let (zh, en) = match action {
        Action::Fetch => ("抓取并检测", "fetch and scan"),
        Action::Recheck => ("有变更才抓取", "fetch if changed"),
        Action::Rescan => ("重新检测已存内容", "scan again what is stored"),
        Action::Read => ("检测本地文件", "scan a file"),
        Action::Keep => ("与上次相同，不必处理", "unchanged, nothing to do"),
        Action::Done => ("上次中断前已完成", "done before the run was broken off"),
        Action::Skip => ("无法处理，跳过", "skip"),
    };
    lang.pick(zh, en)
}

fn show(plan: &Planned, ready: &Ready, all: bool, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let zh = lang == Lang::Zh;
    let roster = ready.folder.roster().display().to_string();
    let total = plan.targets.len();
    writeln!(out, "{}", visible(&roster))?;
    if let Some(begun) = plan.resumes {
        let words = lang.pick("继续中断的任务，开始于", "goes on with the run of");
        writeln!(out, "{words} {}", beijing_minute(begun))?;
    }
    let mut rows = vec![[lang.pick("对象", "targets").to_owned(), total.to_string()]];
    let actions = [
        Action::Fetch,
        Action::Recheck,
        Action::Rescan,
        Action::Read,
        Action::Keep,
        Action::Done,
        Action::Skip,
    ];
    for one in actions.into_iter().filter(|one| plan.count(*one) > 0) {
        rows.push([format!("  {}", action(one, lang)), plan.count(one).to_string()]);
    }
    table::write(&rows, out)?;
    if !plan.hosts.is_empty() {
        writeln!(out)?;
        let head = [("主机", "host"), ("请求", "requests"), ("间隔", "pace"), ("至少", "at least")];
        let mut rows = vec![head.map(|(zh, en)| lang.pick(zh, en).to_owned())];
        let shown = if all { plan.hosts.len() } else { SHOWN };
        for host in plan.hosts.iter().take(shown) {
            let pace = match host.pace {
                pace if pace < 1.0 => format!("{:.0} {}", pace * 1e3, lang.pick("毫秒", "ms")),
                pace => format!("{pace} {}", lang.pick("秒", "s")),
            };
            rows.push([
                visible(&host.host).into_owned(),
                host.requests.to_string(),
                pace,
                time(host.least, lang),
            ]);
        }
        table::write(&rows, out)?;
        if let Some(next) = plan.hosts.get(shown) {
            let (more, least) = (plan.hosts.len() - shown, time(next.least, lang));
            match zh {
                true => writeln!(out, "另有 {more} 个主机，最长者至少 {least}；--all 全部列出")?,
                false => writeln!(out, "{more} more hosts, the longest {least}; --all shows them")?,
            }
        }
        writeln!(out)?;
        let (least, most) = (time(plan.least, lang), ready.config.fetch.connections);
        match zh {
            true => writeln!(
                out,
                "抓取至少需要 {least}：各主机同时进行，每个主机一个连接，合计至多 {most} 个；\n未计传输、重试和检测所需时间"
            )?,
            false => writeln!(
                out,
                "Fetching takes at least {least}: hosts side by side, one connection each,\n{most} in all; transfer, second attempts and scans not counted"
            )?,
        }
        if plan.unplaced > 0 {
            let count = plan.unplaced;
            match zh {
                true => writeln!(out, "另有 {count} 个安装包的下载主机须先向应用市场查询，未计入")?,
                false => {
                    writeln!(out, "The hosts of {count} packages are known only when app stores were asked")?
                }
            }
        }
    }
    let missed: Vec<Missed> = plan
        .targets
        .iter()
        .filter_map(|target| {
            Some(Missed {
                line: target.line,
                name: target.name.clone(),
                address: target.address.clone(),
                outcome: Outcome::Skipped,
                reason: target.reason.clone()?,
            })
        })
        .collect();
    reasons(&missed, all, lang, out)?;
    repeated(&plan.repeated, lang, out)
}

/// Rows that repeat a target.
pub(super) fn repeated(rows: &[(u64, u64)], lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    for (line, first) in rows {
        match lang {
            Lang::Zh => writeln!(out, "第 {line} 行与第 {first} 行重复，只处理一次")?,
            Lang::En => writeln!(out, "line {line} repeats line {first} and is done once")?,
        }
    }
    Ok(())
}

/// Targets without a report, by what became of them and why.
pub(super) fn reasons(missed: &[Missed], all: bool, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let mut groups: BTreeMap<(Outcome, Cause), Vec<&Missed>> = BTreeMap::new();
    for one in missed {
        groups.entry((one.outcome, one.reason.cause)).or_default().push(one);
    }
    for ((outcome, cause), targets) in groups {
        let word = match outcome {
            Outcome::Failed => lang.pick("失败", "failed"),
            _ => lang.pick("跳过", "skipped"),
        };
        writeln!(out, "\n{word} {}  {}", targets.len(), cause.words(lang))?;
        let shown = if all { targets.len() } else { SHOWN };
        for one in targets.iter().take(shown) {
            let line = match lang {
                Lang::Zh => format!("第 {} 行", one.line),
                Lang::En => format!("line {}", one.line),
            };
            let name = one.name.as_deref().unwrap_or_default();
            let what = if name.is_empty() { &one.address } else { name };
            writeln!(out, "  {}", format!("{line}  {}", visible(what)).trim_end())?;
            let words = one.reason.words(lang);
            if words != cause.words(lang) {
                writeln!(out, "    {}", visible(words))?;
            }
        }
        let more = targets.len().saturating_sub(shown);
        if more > 0 {
            match lang {
                Lang::Zh => writeln!(out, "  另有 {more} 个；--all 全部列出")?,
                Lang::En => writeln!(out, "  {more} more; --all shows them")?,
            }
        }
    }
    Ok(())
}

/// A length of time in its two largest units.
pub(super) fn time(seconds: f64, lang: Lang) -> String {
    // More than a century has no plan.
    let seconds = seconds.clamp(0.0, 4e9).ceil() as u64;
    let units = [
        (86_400, lang.pick("天", "d")),
        (3_600, lang.pick("小时", "h")),
        (60, lang.pick("分", "min")),
        (1, lang.pick("秒", "s")),
    ];
    let first = units.iter().position(|(size, _)| seconds >= *size).unwrap_or(units.len() - 1);
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (size, unit) in units.iter().skip(first).take(2) {
        let count = rest / size;
        rest %= size;
        if count > 0 || parts.is_empty() {
            parts.push(format!("{count} {unit}"));
        }
    }
    parts.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_two_units() {
        let shown = |seconds| (time(seconds, Lang::Zh), time(seconds, Lang::En));
        assert_eq!(shown(0.0), ("0 秒".into(), "0 s".into()));
        assert_eq!(shown(0.2).0, "1 秒");
        assert_eq!(shown(200.0), ("3 分 20 秒".into(), "3 min 20 s".into()));
        assert_eq!(shown(50_000.0).0, "13 小时 53 分");
        assert_eq!(shown(3_600.0).0, "1 小时");
        assert_eq!(shown(90_061.0).1, "1 d 1 h");
    }
}
