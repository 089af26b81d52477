//! A report to work on: one that was stored as JSON, or that of a package which is scanned on the spot.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use zhijian::model::{Lang, Report};
use zhijian::report::{self, ReadError};
use zhijian::scan::Scanner;

use super::progress::Bar;

/// Larger files are no reports.
const MAX_REPORT: u64 = 256 << 20;

/// What the HTML documents of this program have in their head.
const OWN_PAGE: &[u8] = b"<meta name=\"generator\" content=\"zhijian\">";

/// The one report of a path; errors name the path.
pub(super) fn report_of(path: &Path, scanner: &Scanner, lang: Lang) -> anyhow::Result<Report> {
    let named = |cause: String| anyhow::anyhow!("{}: {cause}", path.display());
    if let Some(report) = stored(path, lang).map_err(named)? {
        return Ok(report);
    }
    let targets: Result<Vec<PathBuf>, _> = scanner.targets(path).into_iter().collect();
    let targets = targets.map_err(|error| named(error.words(lang)))?;
    let [target] = targets.as_slice() else {
        let count = targets.len();
        return Err(named(match lang {
            Lang::Zh => format!("其中有 {count} 个安装包，只能给一个"),
            Lang::En => format!("{count} packages in it; give one"),
        }));
    };
    let bar = Bar::new(target, false);
    let outcome = scanner.scan(target, &bar);
    bar.finish();
    outcome.map_err(|error| named(error.words(lang)))
}

/// The report that a file holds; `None` where it is something to be scanned.
fn stored(path: &Path, lang: Lang) -> Result<Option<Report>, String> {
    // What cannot be opened is named by the scan.
    let Ok(mut file) = File::open(path) else { return Ok(None) };
    let Ok(data) = file.metadata() else { return Ok(None) };
    let mut head = Vec::new();
    if !data.is_file() || file.by_ref().take(4096).read_to_end(&mut head).is_err() {
        return Ok(None);
    }
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head).trim_ascii_start();
    if text.windows(OWN_PAGE.len()).any(|window| window == OWN_PAGE) {
        let words = "是本程序的 HTML 报告，请给出 JSON 报告（scan --format json）或者安装包";
        let words =
            lang.pick(words, "is an HTML report of this program; give its JSON report or the package");
        return Err(words.to_owned());
    }
    if !text.starts_with(b"{") && !text.starts_with(b"[") {
        return Ok(None);
    }
    if data.len() > MAX_REPORT {
        return Err(match lang {
            Lang::Zh => format!("超过 {} MB，不是本程序的报告", MAX_REPORT >> 20),
            Lang::En => format!("over {} MB, which no report of this program is", MAX_REPORT >> 20),
        });
    }
    let bytes = fs::read(path).map_err(|error| error.to_string())?;
    match report::read(&bytes) {
        Ok(report) => Ok(Some(report)),
        Err(ReadError::NotAReport) => Ok(None),
        Err(error) => Err(error.words(lang)),
    }
}
