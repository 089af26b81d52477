//! What the runs of a roster have come to, for the report about all of it.

use std::fs;
use std::io;
use std::path::Path;

use super::log::{Came, Course, Findings, Folder, Outcome};
use super::plan::id;
use crate::model::{Level, Report, Wording};
use crate::report::{self, Fleet, FleetFailure, FleetRun, FleetTarget, Levels};
use crate::roster::Roster;

/// Runs that the trend goes back to.
const RUNS: usize = 12;
/// No larger file is taken for a report, in bytes.
const LARGEST_REPORT: u64 = 256 << 20;

/// The rows of a roster with the latest report of each and the runs so far; `None` where there has been no run. Reports
/// are read one after another, and only what the overview needs of them is kept.
pub fn fleet(folder: &Folder, roster: &Roster) -> io::Result<Option<Fleet>> {
    let mut runs = Vec::new();
    let (mut last, mut before) = (None::<Course>, None::<Course>);
    folder.history(RUNS, |course| {
        runs.push(sum(&course));
        before = last.replace(course);
    })?;
    let Some(last) = last else { return Ok(None) };
    let mut targets = Vec::new();
    for row in &roster.rows {
        let id = id(row);
        let mut target = FleetTarget::listed(row.line, &row.entry);
        let came = last.targets.get(&id);
        match came {
            Some(came) => target.failure = failure(came),
            None => target.miss(("本次检测未处理到", "not reached by this run")),
        }
        match reports(&folder.report(&id)) {
            Ok(reports) => target.see(&reports),
            Err(said) => {
                let cause = ("报告文件无法读取", "the file of the report cannot be read").into();
                target.failure = Some(FleetFailure { cause, said });
            }
        }
        let found = before.as_ref().and_then(|before| before.targets.get(&id));
        target.before = found.and_then(|came| came.findings).map(levels);
        targets.push(target);
    }
    targets.extend(roster.rejected.iter().map(FleetTarget::illegible));
    let name = folder.roster().file_stem().unwrap_or_default();
    Ok(Some(Fleet {
        title: name.to_string_lossy().into_owned(),
        as_of: Some(last.begun),
        targets,
        repeated: roster.repeated.len() as u64,
        runs,
    }))
}

/// The reports of a file; none where it is not there.
fn reports(path: &Path) -> Result<Vec<Report>, Wording> {
    let size = match fs::metadata(path) {
        Ok(data) => data.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.to_string().into()),
    };
    if size > LARGEST_REPORT {
        return Err(format!("{size} B").into());
    }
    let bytes = fs::read(path).map_err(|error| Wording::from(error.to_string()))?;
    report::read_all(&bytes).map_err(|error| Wording::of(|lang| error.words(lang)))
}

fn failure(came: &Came) -> Option<FleetFailure> {
    let reason =
        came.reason.as_ref().filter(|_| matches!(came.outcome, Outcome::Failed | Outcome::Skipped))?;
    let cause = Wording::of(|lang| reason.cause.words(lang).to_owned());
    Some(FleetFailure { cause, said: Wording { zh: reason.zh.clone(), en: reason.en.clone() } })
}

fn levels(findings: Findings) -> Levels {
    let mut levels = [0; 3];
    levels[Level::Mention as usize] = findings.mention;
    levels[Level::Suspected as usize] = findings.suspected;
    levels[Level::Confirmed as usize] = findings.confirmed;
    levels
}

fn sum(course: &Course) -> FleetRun {
    let mut run = FleetRun {
        begun: course.begun,
        complete: course.complete,
        confirmed: 0,
        suspected: 0,
        clean: 0,
        without: 0,
    };
    for came in course.targets.values() {
        *match came.findings {
            None => &mut run.without,
            Some(Findings { confirmed: 1.., .. }) => &mut run.confirmed,
            Some(Findings { suspected: 1.., .. }) => &mut run.suspected,
            Some(_) => &mut run.clean,
        } += 1;
    }
    run
}
