//! The command line: one file per command. Help, completions and the man page come from the same definitions;
//! their words are in `texts.rs`, in Chinese and English.

mod code;
mod completions;
mod database;
mod demo;
mod diff;
mod doctor;
mod export;
mod fetch;
mod fetcher;
mod fleet;
mod formats;
mod inventory;
mod journal;
mod key;
mod ledger;
mod man;
mod measure;
mod notice;
mod outbox;
mod output;
mod plan;
mod progress;
mod record;
mod review;
mod roster;
mod rules;
mod run;
mod sandbox;
mod scan;
mod schema;
mod serve;
mod sign;
mod stored;
mod table;
mod texts;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use zhijian::model::Lang;
use zhijian::rule::{RuleError, RuleSet};

/// Exit code: findings as asked for by `--fail-on`, rules that fail their examples, rows that cannot be read, a
/// signature that does not hold.
const FOUND: u8 = 1;
/// Exit code: something could not be done.
const FAILED: u8 = 2;
/// Exit code: a run has ended and not all targets have a report, or not all notices have arrived.
const INCOMPLETE: u8 = 3;

#[derive(Debug, Parser)]
#[command(name = "zhijian", bin_name = "zhijian", version)]
struct Cli {
    #[arg(long, global = true, value_enum, default_value_t = LangName::Zh, value_name = "LANG", hide_possible_values = true, hide_default_value = true)]
    lang: LangName,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Scan(scan::Scan),
    Diff(diff::Diff),
    Notice(notice::Notice),
    Fetch(fetch::Fetch),
    Plan(plan::Plan),
    Run(run::Run),
    Fleet(fleet::Fleet),
    Journal(journal::Journal),
    Record(record::Record),
    Review(review::Review),
    Code(code::Code),
    Ledger(ledger::Ledger),
    Roster(roster::Rosters),
    Inventory(inventory::Inventory),
    Rules(rules::Rules),
    Key(key::Key),
    Sign(sign::Sign),
    Verify(sign::Verify),
    Outbox(outbox::Outbox),
    Serve(serve::Serve),
    Demo(demo::Demo),
    Worker(serve::Worker),
    Config(serve::Configuration),
    Formats,
    Doctor(doctor::Doctor),
    Sandbox,
    Schema(schema::Schema),
    Completions(completions::Completions),
    Man,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LangName {
    Zh,
    En,
}

impl LangName {
    fn lang(self) -> Lang {
        match self {
            LangName::Zh => Lang::Zh,
            LangName::En => Lang::En,
        }
    }
}

/// Runs the program on its arguments.
pub(crate) fn run() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    if let Some((_, rest)) = args.get(1..).and_then(<[_]>::split_first)
        && args.get(1).is_some_and(|arg| arg == zhijian::sandbox::COMMAND)
    {
        return ExitCode::from(zhijian::sandbox::run_child(rest));
    }
    let lang = asked_language(&args);
    let cli =
        match command(lang).try_get_matches_from(&args).and_then(|matches| Cli::from_arg_matches(&matches)) {
            Ok(cli) => cli,
            Err(error) => {
                let told = texts::told(&error, lang);
                // Help and version are no errors; a reader that went away is none either.
                let _ = match error.use_stderr() {
                    true => anstream::stderr().write_all(told.as_bytes()),
                    false => anstream::stdout().write_all(told.as_bytes()),
                };
                return ExitCode::from(if error.use_stderr() { FAILED } else { 0 });
            }
        };
    let lang = cli.lang.lang();
    let outcome = match cli.command {
        Command::Scan(scan) => scan.run(lang),
        Command::Diff(diff) => diff.run(lang),
        Command::Notice(notice) => notice.run(lang),
        Command::Fetch(fetch) => fetch.run(lang),
        Command::Plan(plan) => plan.run(lang),
        Command::Run(run) => run.run(lang),
        Command::Fleet(fleet) => fleet.run(lang),
        Command::Journal(journal) => journal.run(lang),
        Command::Record(record) => record.run(lang),
        Command::Review(review) => review.run(lang),
        Command::Code(code) => code.run(lang),
        Command::Ledger(ledger) => ledger.run(lang),
        Command::Roster(roster) => roster.run(lang),
        Command::Inventory(inventory) => inventory.run(lang),
        Command::Rules(rules) => rules.run(lang),
        Command::Key(key) => key.run(lang),
        Command::Sign(sign) => sign.run(lang),
        Command::Verify(verify) => verify.run(lang),
        Command::Outbox(outbox) => outbox.run(lang),
        Command::Serve(serve) => serve.run(lang),
        Command::Demo(demo) => demo.run(lang),
        Command::Worker(worker) => worker.run(lang),
        Command::Config(config) => config.run(lang),
        Command::Formats => formats::run(lang),
        Command::Doctor(doctor) => doctor.run(lang),
        Command::Sandbox => sandbox::run(lang),
        Command::Schema(schema) => schema.run(),
        Command::Completions(completions) => completions.run(command(lang)),
        Command::Man => man::run(command(lang)),
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&causes(&error, lang));
            ExitCode::from(FAILED)
        }
    }
}

/// An error with its causes; one that the error before it has said is not said again.
fn causes(error: &anyhow::Error, lang: Lang) -> String {
    let mut said: Vec<String> = Vec::new();
    // What is written to files names the file.
    let full = |error: &io::Error| error.kind() == io::ErrorKind::StorageFull;
    if error.chain().len() == 1 && error.downcast_ref::<io::Error>().is_some_and(full) {
        said.push(lang.pick("标准输出", "standard output").to_owned());
    }
    for cause in error.chain().map(ToString::to_string) {
        if !said.last().is_some_and(|before| before.ends_with(&cause)) {
            said.push(cause);
        }
    }
    said.join(": ")
}

/// The language of what this process says before its arguments are understood.
fn language() -> Lang {
    asked_language(&std::env::args_os().collect::<Vec<_>>())
}

/// The definition of the command line, with its words in one language.
fn command(lang: Lang) -> clap::Command {
    texts::worded(Cli::command(), lang)
}

/// The language asked for, before the arguments are parsed: help and usage errors need it.
fn asked_language(args: &[OsString]) -> Lang {
    let mut args = args.iter().filter_map(|arg| arg.to_str());
    while let Some(arg) = args.next() {
        let value = match arg {
            "--" => break,
            "--lang" => args.next(),
            _ => arg.strip_prefix("--lang="),
        };
        match value {
            Some("en") => return Lang::En,
            Some("zh") => return Lang::Zh,
            _ => {}
        }
    }
    Lang::Zh
}

/// The rules to use: those of a directory, or the embedded ones.
fn load_rules(dir: Option<&Path>) -> Result<RuleSet, anyhow::Error> {
    let Some(dir) = dir else { return Ok(RuleSet::embedded()?) };
    RuleSet::load(dir).map_err(|RuleError { file, cause }| {
        let file = if Path::new(&file).starts_with(dir) { PathBuf::from(file) } else { dir.join(file) };
        anyhow::anyhow!("{}: {cause}", file.display())
    })
}

/// One line on standard error. Where even that cannot be written there is nobody left to tell.
fn complain(message: &str) {
    let line: String = message.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    let _ = writeln!(anstream::stderr(), "zhijian: {}", zhijian::report::visible(&line));
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .chain()
        .filter_map(|cause| cause.downcast_ref::<io::Error>())
        .any(|e| e.kind() == io::ErrorKind::BrokenPipe)
}
