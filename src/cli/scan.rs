//! `zhijian scan`: files to reports.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use url::Url;
use zhijian::ledger::Baseline;
use zhijian::model::{Finding, Lang, Level, PageState, Registered, Report, Wording};
use zhijian::report::{self, Failure, Format, Run, View};
use zhijian::roster::FilingRecord;
use zhijian::scan::{Options, Scan as Scans, ScanError, Scanner, Subject, is_appid, ocr_problem};

use super::database::until;
use super::fetcher::{Fetcher, Package, configuration, isolated};
use super::output::{self, Destination};
use super::progress::Bar;
use super::{FAILED, FOUND, complain, load_rules};

#[derive(Debug, Args)]
pub(super) struct Scan {
    #[arg(required = true, value_name = "FILE")]
    file: Vec<PathBuf>,
    #[arg(long, value_name = "FORMAT", default_value = "terminal", value_parser = formats(), hide_possible_values = true, hide_default_value = true)]
    format: String,
    #[arg(long, value_name = "FORMAT=PATH", value_parser = Destination::parse)]
    report: Vec<Destination>,
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    #[arg(long, value_name = "NUMBER", conflicts_with = "filing_list")]
    filing: Option<String>,
    #[arg(long, value_name = "CSV")]
    filing_list: Option<PathBuf>,
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    #[arg(long, value_name = "DATE", value_parser = until)]
    as_of: Option<Timestamp>,
    #[arg(long, value_name = "APPID")]
    appid: Option<String>,
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,
    #[arg(long, value_name = "LEVEL", value_enum, hide_possible_values = true)]
    fail_on: Option<Threshold>,
    #[arg(long)]
    ocr: bool,
    #[arg(long)]
    verify_signature: bool,
    #[arg(long)]
    isolated: bool,
    #[arg(long)]
    all: bool,
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = When::Auto, hide_possible_values = true, hide_default_value = true)]
    color: When,
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[arg(long, short)]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Threshold {
    Suspected,
    Confirmed,
}

impl Threshold {
    pub(super) fn level(self) -> Level {
        match self {
            Threshold::Suspected => Level::Suspected,
            Threshold::Confirmed => Level::Confirmed,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum When {
    Auto,
    Always,
    Never,
}

fn formats() -> impl TypedValueParser<Value = String> {
    PossibleValuesParser::new(report::FORMATS.iter().map(|format| format.name))
}

impl Scan {
    pub(super) fn run(self, lang: Lang) -> anyhow::Result<u8> {
        output::check(&self.report, &self.file)?;
        let binary = report::format(&self.format).is_some_and(|format| !format.is_text());
        if binary && !self.quiet && io::stdout().is_terminal() {
            let says = lang.pick(
                "不能显示在终端上，请写到文件：--report",
                "no terminal shows it; write a file: --report",
            );
            bail!("--format {}: {says} {0}=FILE", self.format);
        }
        let filing = match (&self.filing, &self.filing_list) {
            (Some(number), _) => {
                let wrong = |words: Wording| anyhow::anyhow!("--filing: {}", lang.pick(&words.zh, &words.en));
                FilingRecord::number(number).map_err(wrong)?
            }
            (None, Some(path)) => {
                FilingRecord::read_list(path).map_err(|error| anyhow::anyhow!(error.words(lang)))?
            }
            (None, None) => FilingRecord::Unknown,
        };
        if let Some(appid) = self.appid.as_deref().filter(|appid| !is_appid(appid)) {
            let says = lang.pick(
                "应为 wx 加 16 位小写十六进制数字",
                "wx and 16 lower-case hexadecimal digits are wanted",
            );
            bail!("--appid: {appid}: {says}");
        }
        let options =
            Options { appid: self.appid.clone(), ocr: self.ocr, verify_signature: self.verify_signature };
        if let Some(problem) = self.ocr.then(ocr_problem).flatten() {
            complain(lang.pick(&problem.zh, &problem.en));
        }
        let baseline = self.baseline.as_deref().map(Baseline::read).transpose()?;
        // What people wrote in the file that is to be written again is kept.
        let renewed = match &self.write_baseline {
            Some(path) if path.exists() => Some(Baseline::read(path)?),
            Some(_) => Some(Baseline::default()),
            None => None,
        };
        let scanner = Scanner::new(load_rules(self.rules.as_deref())?, filing).with_options(options);
        let scanner = match baseline {
            Some(baseline) => scanner.with_baseline(baseline),
            None => scanner,
        };
        let view = View { lang, all: self.all, colour: colour(self.color) };
        let mut stdout = Stdout::new(if self.quiet { None } else { report::format(&self.format) }, view);
        let targets: Vec<(&PathBuf, Result<PathBuf, ScanError>)> = self
            .file
            .iter()
            .flat_map(|given| scanner.targets(given).into_iter().map(move |target| (given, target)))
            .collect();
        let several = targets.len() > 1;
        let scanner: Box<dyn Scans> = if self.isolated {
            let config = configuration(self.config.as_deref())?;
            Box::new(isolated(&config, scanner, self.rules.as_deref())?)
        } else {
            Box::new(scanner)
        };
        let (mut reports, mut failures) = (Vec::new(), Vec::new());
        let mut fetcher = None;
        for (given, target) in targets {
            let path = target.as_ref().unwrap_or(given).clone();
            let outcome = match (target, address(given)) {
                (_, Some(address)) => self.scan_address(&*scanner, address, &mut fetcher, lang),
                (Ok(path), None) => self.scan_file(&*scanner, &path, lang),
                (Err(error), None) => Err(error.words(lang)),
            };
            match outcome {
                Ok(found) => {
                    let several = several || found.len() > 1;
                    found.iter().try_for_each(|report| stdout.next(report, several))?;
                    reports.extend(found);
                }
                Err(cause) => {
                    let failure = Failure { source: path.display().to_string(), cause };
                    complain(&format!("{}: {}", failure.source, failure.cause));
                    failures.push(failure);
                }
            }
            if stdout.gone && self.report.is_empty() {
                break;
            }
        }
        let several = several || reports.len() > 1;
        let run = Run { reports: &reports, failures: &failures, several };
        stdout.finish(&run)?;
        let mut failed = !failures.is_empty();
        for Destination { format, path } in &self.report {
            let view = View { colour: false, ..view };
            if let Err(error) = output::write_whole(path, |out| (format.write)(&run, view, out)) {
                complain(&format!("{}: {error}", path.display()));
                failed = true;
            }
        }
        if let (Some(path), Some(renewed)) = (&self.write_baseline, renewed) {
            output::write_whole(path, |out| out.write_all(renewed.renewed(&reports).as_bytes()))
                .with_context(|| path.display().to_string())?;
        }
        let open = |finding: &&Finding| finding.accepted.is_none();
        let levels =
            reports.iter().flat_map(|report| &report.findings).filter(open).map(|finding| finding.level);
        Ok(exit_code(failed, self.fail_on, levels))
    }

    fn scan_file(&self, scanner: &dyn Scans, path: &Path, lang: Lang) -> Result<Vec<Report>, String> {
        let bar = Bar::new(path, self.quiet);
        let subject = Subject { as_of: self.as_of, ..self.subject(path.display().to_string()) };
        let outcome = scanner.scan_subject(path, subject, &bar);
        bar.finish();
        outcome.map_err(|error| error.words(lang))
    }

    /// Fetches what is at an address and scans it. The fetcher is made for the first address.
    fn scan_address(
        &self,
        scanner: &dyn Scans,
        address: &str,
        fetcher: &mut Option<Fetcher>,
        lang: Lang,
    ) -> Result<Vec<Report>, String> {
        let fetcher = match fetcher {
            Some(fetcher) => fetcher,
            None => {
                let made = configuration(self.config.as_deref()).and_then(|config| Fetcher::new(&config));
                fetcher.insert(made.map_err(|error| format!("{error:#}"))?)
            }
        };
        let Package { listing, file } = fetcher.package(address, self.quiet, lang)?;
        let Some((path, downloaded)) = file else {
            let words = "应用市场未公开安装包下载地址，请另取安装包检测";
            let words = lang.pick(words, "the store gives no address of the package to the public");
            return Err(words.to_owned());
        };
        let bar = Bar::new(Path::new(address), self.quiet);
        let known = downloaded.known;
        let url = Url::parse(&known.url).ok();
        let subject = Subject {
            address: url.clone(),
            content_type: known.content_type,
            as_of: Some(self.as_of.unwrap_or(known.fetched)),
            listing,
            ..self.subject(address.to_owned())
        };
        let outcome = scanner.scan_subject(&path, subject, &bar);
        bar.finish();
        let wall = |report: &Report| report.page.as_ref().is_some_and(|page| page.state == PageState::Wall);
        if let (Ok(reports), Some(url)) = (&outcome, &url)
            && reports.iter().any(wall)
        {
            fetcher.stop(url, PageState::Wall.words(Lang::En));
        }
        outcome.map_err(|error| error.words(lang))
    }

    fn subject(&self, name: String) -> Subject {
        let registered = || Registered { owner: self.owner.clone(), ..Registered::default() };
        Subject { name, registered: self.owner.is_some().then(registered), ..Subject::default() }
    }
}

/// Whether standard output has colours.
pub(super) fn colour(when: When) -> bool {
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto => {
            io::stdout().is_terminal()
                && anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
        }
    }
}

/// An address among the files to scan.
fn address(path: &Path) -> Option<&str> {
    path.to_str()
        .filter(|text| ["http://", "https://", "weixin-api:"].iter().any(|scheme| text.starts_with(scheme)))
}

/// The exit code of a run; what could not be done outweighs what was found.
fn exit_code(failed: bool, fail_on: Option<Threshold>, mut levels: impl Iterator<Item = Level>) -> u8 {
    match fail_on {
        _ if failed => FAILED,
        Some(threshold) if levels.any(|level| level >= threshold.level()) => FOUND,
        _ => 0,
    }
}

/// Standard output in one format: report by report where the format allows it, else at the end.
struct Stdout {
    format: Option<&'static Format>,
    view: View,
    /// The reader went away, which is its right.
    gone: bool,
}

impl Stdout {
    fn new(format: Option<&'static Format>, view: View) -> Self {
        Stdout { format, view, gone: false }
    }

    fn next(&mut self, report: &Report, several: bool) -> io::Result<()> {
        let run = Run { reports: std::slice::from_ref(report), failures: &[], several };
        self.write(&run, true)
    }

    fn finish(&mut self, run: &Run<'_>) -> io::Result<()> {
        self.write(run, false)
    }

    fn write(&mut self, run: &Run<'_>, streams: bool) -> io::Result<()> {
        let Some(format) = self.format.filter(|format| format.streams == streams && !self.gone) else {
            return Ok(());
        };
        let mut out = BufWriter::new(io::stdout().lock());
        match (format.write)(run, self.view, &mut out).and_then(|()| out.flush()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.gone = true;
                // What is still in the buffer has no reader either.
                let _ = out.into_parts();
                Ok(())
            }
            written => written,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_are_as_documented() {
        let code = |failed, fail_on, levels: &[Level]| exit_code(failed, fail_on, levels.iter().copied());
        let found = [Level::Suspected, Level::Mention];
        assert_eq!(code(false, None, &found), 0);
        assert_eq!(code(false, Some(Threshold::Suspected), &found), 1);
        assert_eq!(code(false, Some(Threshold::Confirmed), &found), 0);
        assert_eq!(code(false, Some(Threshold::Suspected), &[Level::Mention]), 0);
        assert_eq!(code(false, Some(Threshold::Confirmed), &[Level::Confirmed]), 1);
        assert_eq!(code(true, Some(Threshold::Suspected), &found), 2);
        assert_eq!(code(true, None, &[]), 2);
    }
}
