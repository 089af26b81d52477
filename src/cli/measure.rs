//! `zhijian rules measure`: how well the rules do on packages whose functions are known.
//!
//! The folder holds `labels.json`: an array of objects with `file` (path from the folder) and `features` (category to
//! `yes`, `no` or `unclear`). Other fields are left alone; what is unclear or not given is not counted.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Deserialize;
use unicode_width::UnicodeWidthStr;
use zhijian::model::{Category, Lang, Level, Report, Scope};
use zhijian::report::visible;
use zhijian::roster::FilingRecord;
use zhijian::rule::{RuleSet, RuleSubject};
use zhijian::scan::Scanner;

use super::progress::Bar;
use super::{FAILED, complain};

#[derive(Debug, Deserialize)]
struct Labelled {
    file: PathBuf,
    features: BTreeMap<Category, Answer>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    Yes,
    No,
    Unclear,
}

/// How often the rules were right and wrong. A finding of suspected or above is a yes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Confusion {
    tp: u32,
    fp: u32,
    fn_: u32,
    tn: u32,
    /// Confirmed findings that are right and wrong.
    confirmed: (u32, u32),
}

impl Confusion {
    fn add(&mut self, truth: bool, level: Option<Level>) {
        let count = match (truth, level >= Some(Level::Suspected)) {
            (true, true) => &mut self.tp,
            (false, true) => &mut self.fp,
            (true, false) => &mut self.fn_,
            (false, false) => &mut self.tn,
        };
        *count += 1;
        if level == Some(Level::Confirmed) {
            *if truth { &mut self.confirmed.0 } else { &mut self.confirmed.1 } += 1;
        }
    }

    fn plus(self, other: Confusion) -> Confusion {
        Confusion {
            tp: self.tp + other.tp,
            fp: self.fp + other.fp,
            fn_: self.fn_ + other.fn_,
            tn: self.tn + other.tn,
            confirmed: (self.confirmed.0 + other.confirmed.0, self.confirmed.1 + other.confirmed.1),
        }
    }

    /// The columns of the table after the name.
    fn cells(&self) -> Vec<String> {
        let (right, wrong) = self.confirmed;
        let counts = [self.tp, self.fp, self.fn_, self.tn].map(|count| count.to_string());
        let ratios = [
            ratio(self.tp, self.tp + self.fp),
            ratio(self.tp, self.tp + self.fn_),
            ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn_),
        ];
        let confirmed = [right.to_string(), wrong.to_string(), ratio(right, right + wrong)];
        counts.into_iter().chain(ratios).chain(confirmed).collect()
    }
}

/// Three decimals; a dash where there is nothing to divide by.
fn ratio(part: u32, whole: u32) -> String {
    if whole == 0 { "-".to_owned() } else { format!("{:.3}", f64::from(part) / f64::from(whole)) }
}

/// A rule and how it did.
struct Measured {
    scope: Scope,
    category: Category,
    title: String,
    counted: Confusion,
}

/// Scans everything in `labels.json` and writes the table and the errors.
pub(super) fn run(rules: RuleSet, dir: &Path, lang: Lang, out: &mut dyn Write) -> anyhow::Result<u8> {
    let path = dir.join("labels.json");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let labels: Vec<Labelled> = serde_json::from_str(&text).with_context(|| path.display().to_string())?;
    if labels.is_empty() {
        bail!("{}: {}", path.display(), lang.pick("没有条目", "has no entries"));
    }
    let mut measured: Vec<Measured> = rules
        .rules()
        .iter()
        .filter_map(|rule| match rule.subject()? {
            RuleSubject::Prohibition(category) => {
                let title = format!("{} {}", rule.id, lang.pick(&rule.title, &rule.title_en));
                Some(Measured { scope: rule.scope, category, title, counted: Confusion::default() })
            }
            RuleSubject::Duty(_) => None,
        })
        .collect();
    let scanner = Scanner::new(rules, FilingRecord::Unknown);
    let (mut errors, mut failed, mut scopes) = (Vec::new(), 0_u32, BTreeSet::new());
    for label in &labels {
        let file = dir.join(&label.file);
        let bar = Bar::new(&file, false);
        let outcome = scanner.scan(&file, &bar);
        bar.finish();
        let report = match outcome {
            Ok(report) => report,
            Err(error) => {
                complain(&format!("{}: {}", file.display(), error.words(lang)));
                failed += 1;
                continue;
            }
        };
        let scope = report.target.kind.scope();
        for rule in measured.iter_mut().filter(|rule| rule.scope == scope) {
            let Some(answer) =
                label.features.get(&rule.category).filter(|&&answer| answer != Answer::Unclear)
            else {
                continue;
            };
            let (truth, level) = (*answer == Answer::Yes, level(&report, rule.category));
            rule.counted.add(truth, level);
            if truth != (level >= Some(Level::Suspected)) {
                errors.push(error(&label.file, &rule.title, truth, &report, rule.category, lang));
            }
        }
        scopes.insert(scope);
    }
    measured.retain(|rule| scopes.contains(&rule.scope));
    table(&measured, lang, out)?;
    for line in &errors {
        writeln!(out, "{line}")?;
    }
    let (scanned, wrong) = (labels.len() - failed as usize, errors.len());
    match lang {
        Lang::Zh => writeln!(out, "检测 {scanned} 个，未能检测 {failed} 个，不符 {wrong} 处")?,
        Lang::En => {
            writeln!(out, "{scanned} packages scanned, {failed} could not be, {wrong} disagreements")?
        }
    }
    Ok(if failed > 0 { FAILED } else { 0 })
}

fn level(report: &Report, category: Category) -> Option<Level> {
    report.findings.iter().filter(|finding| finding.category == category).map(|finding| finding.level).max()
}

/// One disagreement: what is labelled, what came out, and on what it rests.
fn error(file: &Path, title: &str, truth: bool, report: &Report, category: Category, lang: Lang) -> String {
    let finding = report.findings.iter().find(|finding| finding.category == category);
    let got = finding.map_or(lang.pick("无", "nothing"), |f| lang.pick(f.level.zh(), f.level.en()));
    let file = file.display().to_string();
    let file = visible(&file);
    let evidence: Vec<String> = finding
        .map(|finding| finding.evidence.iter().take(3))
        .into_iter()
        .flatten()
        .map(|row| {
            let text: String = row.text.chars().take(40).collect();
            format!("“{}”", visible(&text))
        })
        .collect();
    let kind = if truth { lang.pick("漏检", "missed") } else { lang.pick("误报", "false alarm") };
    let evidence = evidence.join(" ");
    format!("{kind}  {file}  {title}  {got}  {evidence}").trim_end().to_owned()
}

fn table(measured: &[Measured], lang: Lang, out: &mut dyn Write) -> anyhow::Result<()> {
    let head: [&str; 11] = match lang {
        Lang::Zh => [
            "类别",
            "检出",
            "误报",
            "漏检",
            "无误",
            "精确率",
            "召回率",
            "F1",
            "确认",
            "确认误报",
            "确认精确率",
        ],
        Lang::En => [
            "category",
            "tp",
            "fp",
            "fn",
            "tn",
            "precision",
            "recall",
            "F1",
            "confirmed",
            "wrong",
            "precision",
        ],
    };
    let all = measured.iter().fold(Confusion::default(), |sum, one| sum.plus(one.counted));
    let named = measured.iter().map(|rule| (rule.title.as_str(), &rule.counted));
    let total = std::iter::once((lang.pick("合计", "all"), &all));
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows.extend(named.chain(total).map(|(title, confusion)| {
        std::iter::once(title.to_owned()).chain(confusion.cells()).collect::<Vec<_>>()
    }));
    let widths: Vec<usize> =
        (0..head.len()).map(|at| rows.iter().map(|row| row[at].width()).max().unwrap_or(0)).collect();
    for row in &rows {
        for (at, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let space = width - cell.width();
            match at {
                0 => write!(out, "{cell}{:space$}", "")?,
                _ => write!(out, "  {:space$}{cell}", "")?,
            }
        }
        writeln!(out)?;
    }
    writeln!(out)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suspected_and_above_is_a_yes() {
        let mut confusion = Confusion::default();
        for (truth, level) in [
            (true, Some(Level::Confirmed)),
            (true, Some(Level::Suspected)),
            (true, Some(Level::Mention)),
            (true, None),
            (false, Some(Level::Suspected)),
            (false, Some(Level::Mention)),
            (false, None),
        ] {
            confusion.add(truth, level);
        }
        assert_eq!(confusion, Confusion { tp: 2, fp: 1, fn_: 2, tn: 2, confirmed: (1, 0) });
        // 2/3, 2/4, 2·2/(2·2+1+2)
        let expected = ["2", "1", "2", "2", "0.667", "0.500", "0.571", "1", "0", "1.000"];
        assert_eq!(confusion.cells(), expected);
        assert_eq!(Confusion::default().cells()[4], "-");
    }

    #[test]
    fn labels_are_read_and_other_fields_left_alone() {
        let text =
            r#"[{"file": "a.apk", "kind": "apk", "features": {"check-in": "yes", "form": "unclear"}}]"#;
        let labels: Vec<Labelled> = serde_json::from_str(text).unwrap();
        assert_eq!(labels[0].features[&Category::CheckIn], Answer::Yes);
        assert!(serde_json::from_str::<Vec<Labelled>>(&text.replace("yes", "perhaps")).is_err());
        assert!(serde_json::from_str::<Vec<Labelled>>(&text.replace("check-in", "chekin")).is_err());
    }
}
