//! `zhijian diff`: what was rectified from one version to the next.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use zhijian::model::{Lang, Outcome, Rectification};
use zhijian::rectify;
use zhijian::report::{self, View};
use zhijian::roster::FilingRecord;
use zhijian::scan::Scanner;

use super::scan::{Threshold, When, colour};
use super::stored::report_of;
use super::{FOUND, load_rules};

#[derive(Debug, Args)]
pub(super) struct Diff {
    #[arg(value_name = "OLD", display_order = 1)]
    old: PathBuf,
    #[arg(value_name = "NEW", display_order = 2)]
    new: PathBuf,
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = DiffFormat::Terminal, hide_possible_values = true, hide_default_value = true)]
    format: DiffFormat,
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    #[arg(long, value_name = "LEVEL", value_enum, hide_possible_values = true)]
    fail_on: Option<Threshold>,
    #[arg(long)]
    all: bool,
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = When::Auto, hide_possible_values = true, hide_default_value = true)]
    color: When,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum DiffFormat {
    Terminal,
    Json,
}

impl Diff {
    pub(super) fn run(self, lang: Lang) -> anyhow::Result<u8> {
        let scanner = Scanner::new(load_rules(self.rules.as_deref())?, FilingRecord::Unknown);
        let old = report_of(&self.old, &scanner, lang)?;
        let new = report_of(&self.new, &scanner, lang)?;
        let diff = rectify::compare(&old, &new);
        let mut out = BufWriter::new(io::stdout().lock());
        match self.format {
            DiffFormat::Terminal => {
                let view = View { lang, all: self.all, colour: colour(self.color) };
                report::write_diff(&diff, view, &mut out)?;
            }
            DiffFormat::Json => report::write_json(&diff, &mut out)?,
        }
        out.flush()?;
        Ok(if self.fail_on.is_some_and(|threshold| is_open(&diff, threshold)) { FOUND } else { 0 })
    }
}

/// Whether anything of this level is open still: found, disguised, or not to be told.
fn is_open(diff: &Rectification, threshold: Threshold) -> bool {
    diff.features.iter().filter(|feature| !feature.accepted).any(|feature| {
        let level = match feature.outcome {
            Outcome::Removed => None,
            // What was found and cannot be told now waits for a person, as a suspicion does.
            Outcome::CannotTell => Some(Threshold::Suspected.level()),
            Outcome::Disguised => feature.disguise.max(feature.now),
            _ => feature.now.max(feature.disguise),
        };
        level.is_some_and(|level| level >= threshold.level())
    })
}
