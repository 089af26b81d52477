//! `zhijian run`: a roster as a whole, which can be broken off at any moment and gone on with.

use std::io::{self, Write};

use anyhow::{Context, anyhow, bail};
use clap::Args;
use jiff::Timestamp;
use zhijian::model::{Lang, beijing_minute};
use zhijian::record::run_reports;
use zhijian::report::visible;
use zhijian::run::{self, Busy, Crew, Outcome, Stop, Summary};
use zhijian::scan::Scan;

use super::database::{Act, Database};
use super::fetcher::{client, isolated, runtime};
use super::plan::{Choice, Form, Ready, reasons, repeated, time};
use super::progress::RunBar;
use super::{FAILED, INCOMPLETE, complain, table};

#[derive(Debug, Args)]
pub(super) struct Run {
    #[command(flatten)]
    choice: Choice,
    #[arg(long, short)]
    quiet: bool,
    #[arg(long)]
    record: bool,
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

impl Run {
    pub(super) fn run(self, lang: Lang) -> anyhow::Result<u8> {
        let ready = self.choice.ready(lang)?;
        // A ledger that cannot be opened is better known before the run than after it.
        let ledger = match self.record {
            true => Some(Database::of(self.database.clone(), self.choice.config.clone()).open_or_make(lang)?),
            false => None,
        };
        let now = Timestamp::now();
        let (log, past) = match ready.folder.begin(|begun| run::resumes(begun, now)) {
            Ok(begun) => begun,
            Err(Busy::Running(process)) => match lang {
                Lang::Zh => bail!("该名录正由另一进程（{process}）运行，未作处理"),
                Lang::En => bail!("another run of this roster is under way (process {process})"),
            },
            Err(Busy::Disk(error)) => {
                return Err(error).with_context(|| ready.folder.path().display().to_string());
            }
        };
        let plan = self.choice.plan(&ready, &past, now);
        let Ready { config, store, folder, roster, scanner } = ready;
        let scanner: Box<dyn Scan> = if config.scan.isolate {
            Box::new(isolated(&config, scanner, self.choice.rules.as_deref())?)
        } else {
            Box::new(scanner)
        };
        let client = client(&config, &store)?;
        let client = if self.choice.weixin.is_some() { client.with_weixin() } else { client };
        let stop = Stop::default();
        let runtime = runtime()?;
        let shown = folder.clone();
        let rows = roster.clone();
        let targets: Vec<(String, u64)> =
            plan.targets.iter().map(|target| (target.id.clone(), target.line)).collect();
        let crew = Crew {
            plan,
            roster,
            past,
            folder,
            log,
            client,
            store,
            scanner,
            weixin: self.choice.weixin.clone(),
            stop: stop.clone(),
            watch: Box::new(RunBar::new(self.quiet, lang)),
        };
        let summary = runtime.block_on(async {
            tokio::spawn(wait_for_signal(stop, lang));
            crew.run().await
        });
        let summary = summary.with_context(|| shown.path().display().to_string())?;
        let mut out = io::stdout().lock();
        let mut code = if summary.complete { 0 } else { INCOMPLETE };
        if let Some(open) = &ledger {
            let actor = Act::default().actor();
            let told = run_reports(&open.recorder, &actor, &shown, &rows, &targets);
            let (_, failed) = open.runtime.block_on(told).map_err(|error| anyhow!(error.words(lang)))?;
            for (file, error) in &failed {
                complain(&format!("{}: {}", file.display(), error.words(lang)));
                code = FAILED;
            }
        }
        match self.choice.format {
            _ if self.quiet => {}
            Form::Json => zhijian::report::write_json(&summary, &mut out)?,
            Form::Terminal => show(&summary, self.choice.all, lang, &mut out)?,
        }
        out.flush()?;
        Ok(code)
    }
}

/// The first signal breaks the run off in order, the second at once: what is noted is on disk either way.
async fn wait_for_signal(stop: Stop, lang: Lang) {
    signal().await;
    stop.stop();
    complain(lang.pick(
        "正在收尾，已完成的不会丢失；再按一次立即退出",
        "breaking off, what is done is kept; once more to leave at once",
    ));
    signal().await;
    std::process::exit(INCOMPLETE.into());
}

#[cfg(unix)]
pub(super) async fn signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return std::future::pending().await };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
pub(super) async fn signal() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}

fn show(summary: &Summary, all: bool, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let counts = &summary.counts;
    let numbers = |pairs: &[((&str, &str), u64)]| {
        let shown: Vec<String> =
            pairs.iter().map(|((zh, en), count)| format!("{} {count}", lang.pick(zh, en))).collect();
        shown.join("  ")
    };
    let targets = numbers(&[
        (("计划", "planned"), counts.planned),
        (("已检测", "scanned"), counts.scanned),
        (("无变化", "unchanged"), counts.unchanged),
        (("失败", "failed"), counts.failed),
        (("跳过", "skipped"), counts.skipped),
        (("未及处理", "not reached"), counts.left),
    ]);
    let found = numbers(&[
        (("确认", "confirmed"), summary.findings.confirmed),
        (("疑似", "suspected"), summary.findings.suspected),
        (("提及", "mentioned"), summary.findings.mention),
    ]);
    let mut rows = vec![
        [lang.pick("名录", "roster"), &*visible(&summary.roster)].map(str::to_owned),
        [lang.pick("对象", "targets").to_owned(), targets],
        [lang.pick("检出", "findings").to_owned(), found],
        [lang.pick("开始", "begun").to_owned(), beijing_minute(summary.begun)],
        [lang.pick("用时", "time").to_owned(), time(summary.seconds, lang)],
        [lang.pick("报告", "reports"), &*visible(&summary.reports)].map(str::to_owned),
    ];
    if let Some(authority) = &summary.weixin {
        rows.push([lang.pick("微信依据", "WeChat"), &*visible(authority)].map(str::to_owned));
    }
    table::write(&rows, out)?;
    reasons(&summary.missed, all, lang, out)?;
    repeated(&summary.repeated, lang, out)?;
    if !summary.complete {
        let failed = summary.missed.iter().any(|missed| missed.outcome == Outcome::Failed);
        let words = match (counts.left > 0, failed) {
            (true, _) => ("任务未完成：再次运行即从中断处继续", "Not complete: run again to go on"),
            (false, true) => {
                ("任务未全部完成：再次运行即重试失败的对象", "Not complete: run again to retry what failed")
            }
            (false, false) => ("任务未全部完成：有对象被跳过", "Not complete: targets were skipped"),
        };
        writeln!(out, "\n{}", lang.pick(words.0, words.1))?;
    }
    Ok(())
}
