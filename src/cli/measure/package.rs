//! Labelled packages: `packages.yaml` says what each does, and where it is.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Deserialize;
use zhijian::model::Lang;
use zhijian::scan::{Scanner, sha256};

use super::super::complain;
use super::super::progress::Bar;
use super::{Judged, of_report};

pub(super) const LIST: &str = "packages.yaml";

/// A package and its labels.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Package {
    /// Path from the folder of the list.
    file: Option<PathBuf>,
    /// Digest of the file, lower-case hex, by which `--packages` finds it.
    sha256: Option<String>,
    /// Where it came from.
    source: Option<String>,
    /// What it is.
    #[serde(default, rename = "what")]
    _what: Option<String>,
    /// Rule to answer; a rule that is not named does not count.
    labels: BTreeMap<String, Answer>,
    /// Rule to what was seen.
    #[serde(default)]
    saw: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    Yes,
    No,
    Unclear,
}

/// What became of the packages of a list.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    pub(super) judged: Vec<Judged>,
    pub(super) scanned: usize,
    /// What could not be judged, and why.
    pub(super) failed: Vec<String>,
}

/// Scans the packages of a list; `folder` is where those are that are known by their digest.
pub(super) fn judge_list(
    scanner: &Scanner,
    list: &Path,
    folder: Option<&Path>,
    lang: Lang,
) -> anyhow::Result<Outcome> {
    let named = || list.display().to_string();
    let text = fs::read_to_string(list).with_context(named)?;
    let packages: Vec<Package> = serde_saphyr::from_str(&text).with_context(named)?;
    for id in packages.iter().flat_map(|package| package.labels.keys().chain(package.saw.keys())) {
        if scanner.rules().find(id).is_none() {
            bail!("{}: {} {id}", named(), lang.pick("没有这条规则：", "no such rule:"));
        }
    }
    let wanted = |package: &Package| package.file.is_none() && package.sha256.is_some();
    let known = match folder.filter(|_| packages.iter().any(wanted)) {
        Some(folder) => digests(folder)?,
        None => BTreeMap::new(),
    };
    let beside = list.parent().unwrap_or(Path::new("."));
    let mut outcome = Outcome::default();
    for package in &packages {
        let result = package.find(beside, &known, lang).and_then(|path| package.judge(scanner, &path, lang));
        match result {
            Ok(judged) => {
                outcome.scanned += 1;
                outcome.judged.extend(judged);
            }
            Err(cause) => {
                let cause = format!("{}: {cause}", package.name());
                complain(&cause);
                outcome.failed.push(cause);
            }
        }
    }
    Ok(outcome)
}

impl Package {
    fn name(&self) -> String {
        let file = self.file.as_ref().map(|file| file.display().to_string());
        file.or_else(|| self.source.clone()).or_else(|| self.sha256.clone()).unwrap_or_default()
    }

    fn find(&self, beside: &Path, known: &BTreeMap<String, PathBuf>, lang: Lang) -> Result<PathBuf, String> {
        match (&self.file, &self.sha256) {
            (Some(file), _) => Ok(beside.join(file)),
            (None, Some(sha256)) => known.get(&sha256.to_lowercase()).cloned().ok_or_else(|| {
                let sha256 = sha256.get(..16).unwrap_or(sha256);
                match lang {
                    Lang::Zh => format!("未找到 sha256 为 {sha256}… 的文件（--packages 指定查找的目录）"),
                    Lang::En => format!("no file with the sha256 {sha256}… (--packages names the folder)"),
                }
            }),
            (None, None) => Err(lang.pick("既没有 file 也没有 sha256", "neither file nor sha256").to_owned()),
        }
    }

    fn judge(&self, scanner: &Scanner, path: &Path, lang: Lang) -> Result<Vec<Judged>, String> {
        let bar = Bar::new(path, false);
        let outcome = scanner.scan(path, &bar);
        bar.finish();
        let report = outcome.map_err(|error| error.words(lang))?;
        if self.sha256.as_ref().is_some_and(|sha256| !sha256.eq_ignore_ascii_case(&report.artifact.sha256)) {
            return Err(lang.pick("sha256 不符", "another sha256").to_owned());
        }
        let mut judged = Vec::new();
        for (id, answer) in &self.labels {
            let rules = scanner.rules().rules();
            let Some(index) = rules.iter().position(|rule| rule.id == *id) else { continue };
            let Some(rule) = rules.get(index) else { continue };
            if rule.scope != report.target.kind.scope() {
                let kind = lang.pick(report.target.kind.zh(), report.target.kind.en());
                return Err(format!("{id}{}{kind}", lang.pick("不适用于", " does not judge: ")));
            }
            if *answer == Answer::Unclear {
                continue;
            }
            let found = report.findings.iter().find(|finding| finding.rule == *id);
            let rows = found.map(|finding| finding.evidence.iter().take(3)).into_iter().flatten();
            let seen = rows.map(|row| format!("“{}”", row.text.chars().take(40).collect::<String>()));
            let why = self.saw.get(id).cloned().into_iter().chain(seen).collect::<Vec<_>>().join(" ");
            let (truth, level) = (*answer == Answer::Yes, of_report(&report, rule));
            judged.push(Judged { rule: index, of: self.name(), truth, level, why });
        }
        Ok(judged)
    }
}

/// Every file below a folder by its digest. Links are followed: what people keep of a collection is often links into it.
fn digests(folder: &Path) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let mut known = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(next) = open.pop() {
        // Links may lead in a circle.
        let real = next.canonicalize().with_context(|| next.display().to_string())?;
        if !seen.insert(real) {
            continue;
        }
        for entry in fs::read_dir(&next).with_context(|| next.display().to_string())? {
            let path = entry?.path();
            // A link to nothing holds no package; a label that wants it says that it is missing.
            let Ok(kind) = fs::metadata(&path) else { continue };
            if kind.is_dir() {
                open.push(path);
            } else if kind.is_file() {
                let digest =
                    File::open(&path).and_then(sha256).with_context(|| path.display().to_string())?;
                known.insert(digest, path);
            }
        }
    }
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_strictly() {
        let text = "- {sha256: 00ff, source: 'https://example.gov.cn/a.apk', labels: {app.check-in: yes, app.form: unclear}, saw: {app.check-in: 首页按钮}}";
        let packages: Vec<Package> = serde_saphyr::from_str(text).unwrap();
        assert_eq!(packages[0].labels["app.check-in"], Answer::Yes);
        assert_eq!(packages[0].labels["app.form"], Answer::Unclear);
        assert!(serde_saphyr::from_str::<Vec<Package>>(&text.replace("yes", "perhaps")).is_err());
        assert!(serde_saphyr::from_str::<Vec<Package>>(&text.replace("labels", "lables")).is_err());
    }
}
