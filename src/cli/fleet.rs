//! `zhijian fleet`: what a run of a roster, or a folder of reports, comes to.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::Args;
use zhijian::ledger::target_keys;
use zhijian::model::{Lang, Report, RosterEntry, SCHEMA};
use zhijian::report::{FLEET_FORMATS, Fleet as Summed, FleetFormat, FleetTarget};
use zhijian::roster::Roster;
use zhijian::run::{self, Folder};

use super::fetcher::{configuration, open_store};
use super::output::write_whole;
use super::roster::{read_roster, reports};

#[derive(Debug, Args)]
pub(super) struct Fleet {
    #[arg(value_name = "ROSTER", required_unless_present = "reports")]
    roster: Option<PathBuf>,
    #[arg(long, short, value_name = "FILE", required = true)]
    output: Vec<PathBuf>,
    #[arg(long, value_name = "DIR")]
    reports: Option<PathBuf>,
    #[arg(long, value_name = "SHEET")]
    sheet: Option<String>,
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Fleet {
    pub(super) fn run(self, lang: Lang) -> anyhow::Result<u8> {
        // A name that cannot be is told before any time is spent.
        let named: Vec<(&PathBuf, &FleetFormat)> =
            self.output.iter().map(|path| Ok((path, format(path, lang)?))).collect::<anyhow::Result<_>>()?;
        let config = configuration(self.config.as_deref())?;
        let roster = match &self.roster {
            Some(path) => {
                let mut layout = config.roster.clone();
                layout.sheet = self.sheet.clone().or(layout.sheet);
                Some((path, read_roster(path, &layout, lang)?))
            }
            None => None,
        };
        let fleet = match (&self.reports, &roster) {
            (Some(folder), roster) => {
                stored(folder, roster.as_ref().map(|(path, roster)| (path.as_path(), roster)), lang)?
            }
            (None, Some((path, roster))) => {
                let store = open_store(&config)?;
                let folder = Folder::of(store.root(), path).with_context(|| path.display().to_string())?;
                let fleet =
                    run::fleet(&folder, roster).with_context(|| folder.path().display().to_string())?;
                fleet.ok_or_else(|| {
                    anyhow!(
                        "{}: {}",
                        path.display(),
                        lang.pick(
                            "还没有检测过这份名录：先用 zhijian run 运行，或者用 --reports 给出存放报告的文件夹",
                            "this roster has not been run: do zhijian run first, or give a folder of reports by --reports"
                        )
                    )
                })?
            }
            (None, None) => bail!("ROSTER"),
        };
        for (path, format) in named {
            write_whole(path, |out| (format.write)(&fleet, lang, out))
                .with_context(|| path.display().to_string())?;
        }
        Ok(0)
    }
}

fn format(path: &Path, lang: Lang) -> anyhow::Result<&'static FleetFormat> {
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    FLEET_FORMATS.iter().find(|format| format.name == ending).ok_or_else(|| {
        let words = lang.pick("文件名应以 .html 或 .xlsx 结尾", "its name has to end in .html or .xlsx");
        anyhow!("{}: {words}", path.display())
    })
}

/// The reports of a folder, by the rows of the roster they belong to where there is one.
fn stored(folder: &Path, roster: Option<(&Path, &Roster)>, lang: Lang) -> anyhow::Result<Summed> {
    let seen = reports(folder, lang, |report: Report| {
        let target = FleetTarget::unlisted(std::slice::from_ref(&report));
        (report.schema == SCHEMA).then(|| (target_keys(&report), report.target.source, target))
    })?;
    let title = roster.map_or(folder, |(path, _)| path);
    let title = title.file_stem().unwrap_or(title.as_os_str()).to_string_lossy().into_owned();
    let mut fleet = Summed { title, ..Summed::default() };
    // By the key of the ledger, an address, or a name where it leads to one row.
    let mut rows: HashMap<String, Option<usize>> = HashMap::new();
    if let Some((_, roster)) = roster {
        fleet.repeated = roster.repeated.len() as u64;
        for (at, row) in roster.rows.iter().enumerate() {
            let mut target = FleetTarget::listed(row.line, &row.entry);
            target.miss(("给出的文件夹中没有它的报告", "no report of it in the folder"));
            fleet.targets.push(target);
            let named = RosterEntry { name: row.entry.name.clone(), ..RosterEntry::new(row.entry.kind) };
            let handles: BTreeSet<String> = [row.entry.key(), named.key()]
                .into_iter()
                .flatten()
                .chain(row.entry.addresses.iter().cloned())
                .collect();
            for handle in handles {
                rows.entry(handle).and_modify(|row| *row = None).or_insert(Some(at));
            }
        }
        fleet.targets.extend(roster.rejected.iter().map(FleetTarget::illegible));
    }
    for (keys, source, target) in seen {
        match keys.iter().chain([&source]).find_map(|key| *rows.get(key)?) {
            Some(at) => fleet.targets[at].join(target),
            None => fleet.targets.push(target),
        }
    }
    Ok(fleet)
}
