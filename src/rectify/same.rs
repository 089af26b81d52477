//! Whether two reports speak of the same target, and by the same means.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};

use crate::model::{
    Control, Evidence, Gap, PartName, Remark, RemarkCode, Report, Scope, TargetKind, Verdict, Wording,
};

/// So many elements in common, and at least a third of the earlier ones, make it the same program. Screens are no
/// measure: every app has a `MainActivity` and a `LoginActivity`.
const COMMON_CONTROLS: usize = 3;

/// Two reports and what is to be known of them as a pair.
pub(super) struct Pair<'a> {
    pub(super) old: &'a Report,
    pub(super) new: &'a Report,
    pub(super) remarks: Vec<Remark>,
}

impl<'a> Pair<'a> {
    pub(super) fn new(old: &'a Report, new: &'a Report) -> Self {
        let mut pair = Pair { old, new, remarks: Vec::new() };
        pair.identity();
        pair.means();
        pair.remarks.sort_by_key(|remark| remark.code);
        pair
    }

    pub(super) fn says(&self, code: RemarkCode) -> bool {
        self.remarks.iter().any(|remark| remark.code == code)
    }

    fn remark(&mut self, code: RemarkCode, text: impl Into<String>, text_en: impl Into<String>) {
        self.remarks.push(Remark { code, text: text.into(), text_en: text_en.into() });
    }

    /// A name without the package name of its app, where the package was renamed: `.PatrolActivity`.
    pub(super) fn own(&self, report: &Report, name: &str) -> String {
        match (&self.old.identity.id, &self.new.identity.id, &report.identity.id) {
            (Some(old), Some(new), Some(id)) if old != new && !id.is_empty() => {
                name.replace(&format!("{id}."), ".")
            }
            _ => name.to_owned(),
        }
    }

    /// Whether elements of the same screens with the same names show the same labels.
    fn common_controls(&self) -> bool {
        let controls = |report: &'a Report| -> HashSet<_> {
            let surface = report.surface.iter().flat_map(|surface| &surface.controls);
            let named = surface.filter(|c| c.screen.is_some() && c.label.is_some());
            let own = |c: &'a Control| {
                (c.screen.as_deref().map(|s| self.own(report, s)), &c.id, &c.handler, &c.label)
            };
            named.map(own).collect()
        };
        let (old, new) = (controls(self.old), controls(self.new));
        let common = old.intersection(&new).count();
        common >= COMMON_CONTROLS && common * 3 >= old.len()
    }

    fn identity(&mut self) {
        let (old, new) = (&self.old.identity, &self.new.identity);
        let named = |name: &Option<String>| {
            name.as_deref().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned)
        };
        let (old_name, new_name) = (named(&old.name), named(&new.name));
        let same_name = old_name.is_some() && old_name == new_name;
        let signed = |report: &Report| report.identity.signer.as_ref().map(|signer| signer.sha256.clone());
        let (old_signer, new_signer) = (signed(self.old), signed(self.new));
        let same_signer = old_signer.is_some() && old_signer == new_signer;
        let scope = |kind: TargetKind| kind.scope();
        if scope(self.old.target.kind) != scope(self.new.target.kind) {
            self.remark(
                RemarkCode::OtherTarget,
                "两份报告的对象不是一类，不作整改比对。",
                "The reports are of different kinds of targets; nothing is said of rectification.",
            );
        } else if self.old.artifact.sha256 == self.new.artifact.sha256 {
            self.remark(
                RemarkCode::SameFile,
                "两次检测的是同一个文件，内容没有变化。",
                "Both are of the same file: nothing was changed.",
            );
        } else {
            match (named(&old.id), named(&new.id)) {
                (Some(id), Some(other)) if id != other => {
                    if same_name || self.common_controls() {
                        self.remark(
                            RemarkCode::Renamed,
                            format!("标识由 {id} 改为 {other}，按同一对象比对。"),
                            format!("Its id was changed from {id} to {other}; compared as the same target."),
                        );
                    } else {
                        self.remark(
                            RemarkCode::OtherTarget,
                            format!("标识由 {id} 变为 {other}，名称和页面都对不上，是另一个对象，不能据此认定已整改。"),
                            format!("{id} and {other} have neither name nor screens in common: another target, which shows no rectification."),
                        );
                    }
                }
                (Some(_), Some(_)) => {}
                _ if same_name || self.common_controls() => {}
                _ if old_name.is_some() && new_name.is_some() => self.remark(
                    RemarkCode::OtherTarget,
                    "两份报告没有可以核对的标识，名称和页面也对不上，视为另一个对象，不能据此认定已整改。",
                    "There is no id to compare, and neither names nor screens agree: taken for another target, which shows no rectification.",
                ),
                _ => self.remark(
                    RemarkCode::IdentityUnknown,
                    "没有可以核对的标识和名称，是否同一对象须由人工确认。",
                    "Neither id nor name can be compared; a person has to make sure that it is the same target.",
                ),
            }
        }
        if self.old.target.kind != self.new.target.kind && !self.says(RemarkCode::OtherTarget) {
            let (was, is) = (self.old.target.kind, self.new.target.kind);
            self.remark(
                RemarkCode::KindDiffers,
                format!("对象由{}变为{}。", was.zh(), is.zh()),
                format!("It was a {} and is a {}.", was.en(), is.en()),
            );
        }
        match (&old_signer, &new_signer) {
            (Some(_), Some(_)) if !same_signer => self.remark(
                RemarkCode::SignerDiffers,
                "签名证书不同，应查明安装包的来源。",
                "It is signed by another certificate; find out where the package comes from.",
            ),
            (Some(_), None) if self.old.artifact.format == self.new.artifact.format => self.remark(
                RemarkCode::SignerDiffers,
                "原安装包有签名，现安装包未见签名，应查明来源。",
                "The earlier package was signed, the later one is not; find out where it comes from.",
            ),
            _ => {}
        }
        if let Some((was, is)) = self.backwards() {
            self.remark(
                RemarkCode::VersionBackwards,
                format!("版本由 {was} 变为 {is}，后者更旧，前后次序可能颠倒。"),
                format!("The version goes backwards, from {was} to {is}; the order may be wrong."),
            );
        }
    }

    /// Both versions where the later report has the lower one.
    fn backwards(&self) -> Option<(String, String)> {
        let (old, new) = (&self.old.identity, &self.new.identity);
        if self.says(RemarkCode::OtherTarget) {
            return None;
        }
        let order = match (old.version_code, new.version_code) {
            (Some(old), Some(new)) if old != new => new.cmp(&old),
            _ => by_numbers(new.version.as_deref()?, old.version.as_deref()?),
        };
        let shown = |version: &Option<String>, code: Option<u64>| match (version, code) {
            (Some(version), Some(code)) => format!("{version} ({code})"),
            (Some(version), None) => version.clone(),
            (None, code) => code.unwrap_or_default().to_string(),
        };
        (order == Ordering::Less)
            .then(|| (shown(&old.version, old.version_code), shown(&new.version, new.version_code)))
    }

    /// Rules, program and how much could be seen.
    fn means(&mut self) {
        if self.less_seen().is_some() {
            let percent = (self.old.coverage.percent, self.new.coverage.percent);
            self.remark(
                RemarkCode::CoverageWorse,
                format!("检视范围比原来小（{}% 与 {}%），没有检出的功能不能认定为已整改。", percent.0, percent.1),
                format!("Less could be seen than before ({}%, {}%): what is not found is not shown to be rectified.", percent.0, percent.1),
            );
        }
        let (old, new) = (&self.old.engine, &self.new.engine);
        if old.ruleset.digest != new.ruleset.digest {
            self.remark(
                RemarkCode::RulesDiffer,
                "两次检测的规则不同，增减可能出于规则；有原安装包时应以同一规则重新检测。",
                "The rules differ, and so may the findings; scan both by the same rules where the packages are at hand.",
            );
        }
        if old.version != new.version || old.decoders != new.decoders {
            self.remark(
                RemarkCode::EngineDiffers,
                format!(
                    "两次检测的程序版本不同（{} 与 {}），看得到的内容可能不同。",
                    old.version, new.version
                ),
                format!(
                    "The program differs ({}, {}), and so may what it could see.",
                    old.version, new.version
                ),
            );
        }
        let lacks = |report: &Report| report.target.kind.scope() == Scope::App && report.surface.is_none();
        if lacks(self.old) || lacks(self.new) {
            self.remark(
                RemarkCode::NoSurface,
                "有报告未记录界面概貌（由旧版程序生成），无法判断是否隐形变异，应重新检测。",
                "A report does not hold the surface of its target (made by an older program): disguise cannot be told; scan again.",
            );
        }
    }

    /// Not all of the earlier version could be seen.
    pub(super) fn was_blind(&self) -> bool {
        self.old.coverage.verdict != Verdict::Full
    }

    /// Why it does not mean much that these rows are not found any more.
    pub(super) fn unseen(&self, gone: &[&Evidence]) -> Option<Wording> {
        if self.says(RemarkCode::OtherTarget) {
            return Some(("这是另一个对象", "it is another target").into());
        }
        let picture = |row: &&Evidence| {
            let entry = row.place.split(['@', '#']).next().unwrap_or_default().to_lowercase();
            [".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp"].iter().any(|end| entry.ends_with(end))
        };
        if gone.iter().any(picture) && self.reads_less(PartName::Images) {
            let words = (
                "原证据出自图片，这次图片未识读",
                "its evidence is in pictures, which were not read this time",
            );
            return Some(words.into());
        }
        self.less_seen()
    }

    fn reads_less(&self, part: PartName) -> bool {
        let read = |report: &Report| {
            let tally = report.coverage.parts.iter().find(|tally| tally.part == part);
            tally.map_or((0, 0), |tally| (tally.read, tally.total))
        };
        let ((old, of_old), (new, of_new)) = (read(self.old), read(self.new));
        // Shares compared without division: new/of_new < old/of_old.
        u128::from(new) * u128::from(of_old.max(1)) < u128::from(old) * u128::from(of_new.max(1))
            && new < of_new
    }

    /// Why less could be seen than in the earlier version.
    fn less_seen(&self) -> Option<Wording> {
        let words = match (self.old.coverage.verdict, self.new.coverage.verdict) {
            (_, Verdict::Opaque) => ("主要内容无法检视", "its main content could not be seen"),
            (_, Verdict::Full) => return None,
            (Verdict::Full, Verdict::Partial) => {
                ("部分内容这次未能检视", "parts could not be seen this time")
            }
            (Verdict::Partial | Verdict::Opaque, Verdict::Partial) => {
                // What could not be seen before either hides nothing that was found there.
                let count = |report: &Report| {
                    let mut count: BTreeMap<(PartName, String), u64> = BTreeMap::new();
                    for gap in report.coverage.gaps.iter().filter(|gap| gap.material) {
                        *count.entry((gap.part, entry(gap).to_owned())).or_default() += 1;
                    }
                    count
                };
                let before = count(self.old);
                count(self.new)
                    .iter()
                    .any(|(gap, n)| before.get(gap).is_none_or(|known| n > known))
                    .then_some((
                        "有原来能够检视的内容这次未能检视",
                        "some of what could be seen before could not be seen this time",
                    ))?
            }
        };
        Some(words.into())
    }
}

/// The entry of a gap, without the position in it.
fn entry(gap: &Gap) -> &str {
    gap.place.split(['@', '#']).next().unwrap_or_default()
}

/// Versions compared by the numbers in them: `3.10` is later than `3.9`.
fn by_numbers(a: &str, b: &str) -> Ordering {
    let numbers = |text: &str| -> Vec<u64> {
        text.split(|ch: char| !ch.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
    };
    let (a, b) = (numbers(a), numbers(b));
    if a.is_empty() || b.is_empty() { Ordering::Equal } else { a.cmp(&b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        assert_eq!(by_numbers("3.9", "3.10"), Ordering::Less);
        assert_eq!(by_numbers("v2.0.1", "2.0"), Ordering::Greater);
        assert_eq!(by_numbers("正式版", "2.0"), Ordering::Equal);
        assert_eq!(by_numbers("99999999999999999999999.1", "1"), Ordering::Equal);
    }
}
