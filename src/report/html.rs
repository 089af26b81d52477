//! One HTML file that needs nothing else: no script, no request, a content security policy that forbids both.
//!
//! It reads at 375 and 1280 pixels and on paper, where folded parts are printed unfolded. Template and style sheet
//! are in `html/`. [`piece`] gives a part of it to pages that show more around it.

use std::borrow::Cow;
use std::io::{self, Write};

use askama::Template;
use jiff::Timestamp;
use jiff::civil::Date;

use super::prose::{self, Excerpt, escape, excerpt, visible};
use super::wireframe::wireframe;
use super::{Format, Run, View};
use crate::model::{
    Anomaly, ColorCode, Coverage, Duty, DutyStatus, Evidence, EvidenceKind, Exception, Finding, Gap,
    GapReason, GroupRecord, Lang, Level, Listing, PageRecord, PartName, PartTally, Report, Signer, Surface,
    TargetKind, beijing_day,
};

pub(super) const FORMAT: Format =
    Format { name: "html", media: "text/html; charset=utf-8", streams: false, write };

/// Rows of evidence shown of a finding before the fold, and of a duty.
const SHOWN: usize = 5;

fn write(run: &Run<'_>, view: View, out: &mut dyn Write) -> io::Result<()> {
    let mut html = Page { run, view, lang: view.lang, words: Words { lang: view.lang } }
        .render()
        .map_err(io::Error::other)?;
    html.push('\n');
    out.write_all(html.as_bytes())
}

#[derive(Template)]
#[template(path = "page.html", config = "src/report/html/askama.toml")]
struct Page<'a> {
    run: &'a Run<'a>,
    view: View,
    lang: Lang,
    words: Words,
}

impl Page<'_> {
    fn title(&self) -> String {
        let what = self.lang.pick("技术检测报告", "technical detection report");
        match self.run.reports {
            [report] => {
                let name = self.words.brief(prose::name(report));
                format!("{name} {} {what}", prose::code(self.lang, report))
            }
            _ => what.to_owned(),
        }
    }
}

/// A part of a report.
#[derive(Debug, Clone, Copy)]
pub enum Piece<'a> {
    /// A finding with its evidence.
    Finding(&'a Finding),
    /// A duty.
    Duty(&'a Duty),
    /// What was seen: the file, its signer, the coverage.
    Seen,
    /// What could not be seen.
    Unseen,
    /// Everything that technicians check.
    Annex,
}

/// A part of a report as HTML; every string of the package in it is escaped. Its classes are those of [`STYLE`].
pub fn piece(report: &Report, piece: Piece<'_>, lang: Lang) -> Result<String, askama::Error> {
    Part { report, piece, lang, words: Words { lang } }.render()
}

/// The style sheet of the HTML report.
pub const STYLE: &str = include_str!("html/style.css");

#[derive(Template)]
#[template(path = "piece.html", config = "src/report/html/askama.toml")]
struct Part<'a> {
    report: &'a Report,
    piece: Piece<'a>,
    lang: Lang,
    words: Words,
}

/// What the templates ask for.
struct Words {
    lang: Lang,
}

// A template passes references to everything, hence the shape of the small ones.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "see above")]
impl Words {
    fn wireframe(&self, finding: &Finding, surface: &Option<Surface>) -> Option<String> {
        let rows = finding.evidence.iter();
        rows.filter_map(|row| wireframe(surface.as_ref()?, row, self.lang)).next()
    }

    /// A string of the package, safe to show and cut to a length that a page bears.
    fn clip<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if text.len() <= 300 { visible(text) } else { Cow::Owned(excerpt(text, "", 300).after) }
    }

    /// The same for a path, a class, an address, as markup: a line may end behind its joints and not within a word.
    fn joints(&self, text: &str) -> String {
        let mut markup = String::new();
        for piece in self.clip(text).split_inclusive(['/', '.', '_', '$', '#', '@', '!', '&', '=', '-']) {
            markup.push_str(&escape(piece));
            markup.push_str("<wbr>");
        }
        markup
    }

    fn listing(&self, listing: &Listing) -> Vec<(&'static str, String)> {
        prose::listing(self.lang, listing)
    }

    fn page(&self, page: &PageRecord) -> Vec<(&'static str, String)> {
        prose::page(self.lang, page)
    }

    fn group(&self, group: &GroupRecord) -> Vec<(&'static str, String)> {
        prose::group(self.lang, group)
    }

    fn day(&self, moment: &Timestamp) -> Date {
        beijing_day(*moment)
    }

    /// The same for a heading.
    fn brief(&self, text: &str) -> String {
        excerpt(text, "", 60).after
    }

    fn visible<'t>(&self, text: &'t str) -> Cow<'t, str> {
        visible(text)
    }

    fn excerpt(&self, row: &Evidence, columns: &usize) -> Excerpt {
        excerpt(&row.text, &row.matched, *columns)
    }

    fn name<'r>(&self, report: &'r Report) -> &'r str {
        prose::name(report)
    }

    fn code(&self, report: &Report) -> String {
        prose::code(self.lang, report)
    }

    fn code_class(&self, code: &ColorCode) -> &'static str {
        prose::code_class(*code)
    }

    fn code_sign(&self, code: &ColorCode) -> &'static str {
        prose::code_sign(*code)
    }

    fn level(&self, level: &Level) -> &'static str {
        prose::level(self.lang, *level)
    }

    fn level_class(&self, level: &Level) -> &'static str {
        level.en()
    }

    fn status(&self, status: &DutyStatus) -> &'static str {
        prose::status(self.lang, *status)
    }

    fn status_class(&self, status: &DutyStatus) -> &'static str {
        status.en()
    }

    fn status_sign(&self, status: &DutyStatus) -> &'static str {
        prose::status_sign(*status)
    }

    fn evidence_kind(&self, kind: &EvidenceKind) -> &'static str {
        prose::evidence_kind(self.lang, *kind)
    }

    fn part(&self, part: &PartName) -> &'static str {
        prose::part(self.lang, *part)
    }

    fn gap_reason(&self, reason: &GapReason) -> &'static str {
        prose::gap_reason(self.lang, *reason)
    }

    fn nothing_found(&self, coverage: &Coverage) -> &'static str {
        prose::nothing_found(self.lang, coverage.verdict)
    }

    fn anomaly_detail(&self, anomaly: &Anomaly) -> String {
        self.clip(prose::anomaly_detail(self.lang, anomaly)).into_owned()
    }

    fn gap_detail(&self, gap: &Gap) -> String {
        self.clip(prose::gap_detail(self.lang, gap)).into_owned()
    }

    fn coverage(&self, coverage: &Coverage) -> String {
        prose::coverage(self.lang, coverage)
    }

    fn source<'t>(&self, given: &'t str) -> &'t str {
        prose::source(given)
    }

    fn exception(&self, exception: &Exception) -> String {
        prose::exception(self.lang, exception)
    }

    fn titles(&self, titles: &[&str]) -> String {
        prose::list(self.lang, titles.iter().copied())
    }

    fn in_annex(&self, duty: &Duty) -> String {
        let count = duty.evidence.len() - SHOWN;
        match self.lang {
            Lang::Zh => format!("另有 {count} 处证据，见附录“全部证据”。"),
            Lang::En => format!("{count} more rows of evidence are in the annex."),
        }
    }

    fn coverage_meaning(&self, coverage: &Coverage) -> String {
        prose::coverage_meaning(self.lang, coverage)
    }

    /// How much of a part was read, in percent; all of it only where nothing is left.
    fn share(&self, tally: &PartTally) -> u64 {
        let read = tally.read.min(tally.total);
        read.saturating_mul(100).checked_div(tally.total).unwrap_or(100)
    }

    fn unread(&self, tally: &PartTally) -> u64 {
        tally.total.saturating_sub(tally.read)
    }

    fn size(&self, bytes: &u64) -> String {
        prose::size(*bytes)
    }

    fn actions(&self, report: &Report) -> Vec<String> {
        prose::actions(self.lang, report)
    }

    fn count(&self, report: &Report, level: &str) -> usize {
        report.findings.iter().filter(|f| f.level.en() == level && f.accepted.is_none()).count()
    }

    fn figures(&self, report: &Report) -> Vec<(&'static str, String)> {
        prose::figures(self.lang, report)
    }

    fn documents<'r>(&self, report: &'r Report) -> Vec<prose::Document<'r>> {
        prose::documents(self.lang, report)
    }

    fn entry<'r>(&self, row: &'r Evidence) -> &'r str {
        prose::entry(&row.place)
    }

    fn position(&self, row: &Evidence) -> Option<String> {
        prose::position(self.lang, &row.place)
    }

    fn mentions<'r>(&self, report: &'r Report) -> Vec<&'r Finding> {
        prose::of_level(report, Level::Mention).collect()
    }

    /// Findings that are more than a mention and count.
    fn grave<'r>(&self, report: &'r Report) -> Vec<&'r Finding> {
        report.findings.iter().filter(|finding| finding.is_open()).collect()
    }

    /// Findings that a person has accepted, with what was said.
    fn accepted<'r>(&self, report: &'r Report) -> Vec<(&'r Finding, String)> {
        let shown = |accepted| visible(&prose::acceptance(self.lang, accepted)).into_owned();
        prose::accepted(report).map(|(finding, accepted)| (finding, shown(accepted))).collect()
    }

    fn more(&self, finding: &Finding) -> String {
        let count = finding.evidence.len() - SHOWN;
        match self.lang {
            Lang::Zh => format!("另有 {count} 处证据"),
            Lang::En => format!("{count} more rows of evidence"),
        }
    }

    fn omitted(&self, finding: &Finding) -> String {
        let count = finding.evidence_omitted;
        match self.lang {
            Lang::Zh => format!("还有 {count} 处同类证据未列出。"),
            Lang::En => format!("{count} more rows of the same sort are not listed."),
        }
    }

    fn signature(&self, signer: &Signer) -> String {
        let schemes = self.clip(&signer.schemes.join("+")).into_owned();
        let checked = match signer.verified {
            Some(true) => self.lang.pick("签名有效", "signature valid"),
            Some(false) => self.lang.pick("签名无效", "signature invalid"),
            None => self.lang.pick("签名未校验", "signature not checked"),
        };
        format!("{schemes} {checked}").trim_start().to_owned()
    }

    fn gaps<'r>(&self, report: &'r Report, material: bool) -> Vec<&'r Gap> {
        report.coverage.gaps.iter().filter(|gap| gap.material == material).collect()
    }

    fn minor(&self, report: &Report) -> String {
        prose::list(self.lang, prose::minor_gaps(self.lang, &report.coverage).iter().map(String::as_str))
    }

    /// Every row of evidence with its rule, in the order of the report.
    fn rows<'r>(&self, report: &'r Report) -> Vec<(&'r str, &'r Evidence)> {
        let findings = report.findings.iter().map(|f| (f.rule.as_str(), &f.evidence));
        let duties = report.duties.iter().map(|d| (d.rule.as_str(), &d.evidence));
        findings.chain(duties).flat_map(|(rule, rows)| rows.iter().map(move |row| (rule, row))).collect()
    }
}
