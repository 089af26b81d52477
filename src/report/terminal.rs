//! Text for a terminal of 80 columns, Chinese characters counted as two.
//!
//! Strings of the package are shown with escapes for whatever would disturb the terminal, and long ones are cut
//! around the match. Without `--all` mentions are folded to a count and each finding shows one row per kind of
//! evidence, which is what its level rests on.

use std::io::{self, Write};

use super::prose::{self, Excerpt, Rich, Tone, excerpt, visible, width};
use super::{Format, Run, View};
use crate::model::{
    Basis, ColorCode, Duty, DutyStatus, Evidence, EvidenceKind, Finding, Lang, Level, Report, Signer,
    TargetKind, Verdict, beijing_day,
};

pub(super) const FORMAT: Format =
    Format { name: "terminal", media: "text/plain; charset=utf-8", streams: true, write };

/// Width of a line. A fixed one: the same report looks the same in a window, a file and a mail.
const COLUMNS: usize = 80;
/// Columns of a quoted text.
const QUOTE: usize = 100;
/// Cells of the coverage bar.
const BAR: usize = 22;
/// Gaps listed without `--all`.
const GAPS: usize = 5;

fn write(run: &Run<'_>, view: View, out: &mut dyn Write) -> io::Result<()> {
    for report in run.reports {
        let mut page = Page { out: &mut *out, view };
        page.report(report)?;
        if run.several {
            page.blank()?;
        }
    }
    Ok(())
}

struct Page<'a> {
    out: &'a mut dyn Write,
    view: View,
}

impl Page<'_> {
    fn pick<'t>(&self, zh: &'t str, en: &'t str) -> &'t str {
        self.view.lang.pick(zh, en)
    }

    fn blank(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// A label in a column of its own and a text wrapped beside it.
    fn item(&mut self, indent: usize, label: Rich, column: usize, text: Rich) -> io::Result<()> {
        prose::beside(self.out, self.view.colour, COLUMNS, indent, (label, column), text)
    }

    fn text(&mut self, indent: usize, text: Rich) -> io::Result<()> {
        self.item(indent, Rich::default(), 0, text)
    }

    /// Columns of the first column, which holds levels and the heads of sections.
    fn margin(&self) -> usize {
        match self.view.lang {
            Lang::Zh => 6,
            Lang::En => 11,
        }
    }

    fn section(&mut self, head: &str, text: Rich) -> io::Result<()> {
        self.item(0, Rich::new(head, Tone::Strong), self.margin(), text)
    }

    fn labelled(&mut self, label: &str, text: Rich) -> io::Result<()> {
        let column = match self.view.lang {
            Lang::Zh => 6,
            Lang::En => 11,
        };
        self.item(self.margin(), Rich::new(label, Tone::Faint), column, text)
    }

    fn report(&mut self, report: &Report) -> io::Result<()> {
        self.conclusion(report)?;
        self.blank()?;
        self.seen(report)?;
        self.blank()?;
        self.findings(report)?;
        self.duties(report)?;
        self.unseen(report)?;
        self.annex(report)
    }

    fn conclusion(&mut self, report: &Report) -> io::Result<()> {
        let lang = self.view.lang;
        let code = prose::code(lang, report);
        let mut title = Rich::new(&short(prose::name(report), 36), Tone::Strong);
        if let Some(version) = &report.identity.version {
            title.push(&format!(" {}", short(version, 16)), Tone::Plain);
        }
        if let Some(id) = report.identity.id.as_deref().filter(|id| *id != prose::name(report)) {
            title.push(&format!("  {}", short(id, 60)), Tone::Faint);
        }
        let free = COLUMNS.saturating_sub(width(&code) + 2);
        let code = Rich::new(&code, code_tone(report.code.suggested));
        if title.width() <= free {
            title.push(&" ".repeat(COLUMNS - title.width() - code.width()), Tone::Plain);
            title.write(self.out, self.view.colour)?;
            code.write(self.out, self.view.colour)?;
            self.blank()?;
        } else {
            self.text(0, title)?;
            self.text(COLUMNS - code.width(), code)?;
        }
        for reason in &report.code.reasons {
            self.text(0, plain(lang.pick(&reason.text, &reason.text_en)))?;
        }
        let actions = prose::actions(lang, report);
        for (index, action) in actions.iter().enumerate() {
            self.section(if index == 0 { self.pick("须办", "to do") } else { "" }, plain(action))?;
        }
        Ok(())
    }

    fn seen(&mut self, report: &Report) -> io::Result<()> {
        let lang = self.view.lang;
        let comma = self.pick("、", ", ");
        self.section(self.pick("对象", "target"), plain(&short(&report.target.source, 600)))?;
        let artifact = format!(
            "{}  {} {}  {}",
            lang.pick(report.target.kind.zh(), report.target.kind.en()),
            report.artifact.format.to_uppercase(),
            prose::size(report.artifact.bytes),
            self.filing(report)
        );
        self.section("", plain(&artifact))?;
        // With its name inside the line the digest still fits beside the narrow Chinese margin.
        let (label, digest) = match lang {
            Lang::Zh => ("", format!("sha256 {}", report.artifact.sha256)),
            Lang::En => ("sha256", report.artifact.sha256.clone()),
        };
        self.section(label, plain(&digest))?;
        let signer = match &report.identity.signer {
            Some(signer) => Some(self.signer(signer)),
            // Mini programs carry no signature of their own.
            None if report.target.kind != TargetKind::App => None,
            None => Some(self.pick("未见签名", "no signature seen").to_owned()),
        };
        if let Some(signer) = signer {
            self.section(self.pick("签名", "signer"), plain(&signer))?;
        }
        if let Some(listing) = &report.listing {
            self.rows(self.pick("市场", "store"), &prose::listing(lang, listing))?;
        }
        if let Some(page) = &report.page {
            self.rows(self.pick("页面", "page"), &prose::page(lang, page))?;
        }
        if let Some(group) = &report.group {
            self.rows(self.pick("群组", "group"), &prose::group(lang, group))?;
        }
        if let Some(as_of) = report.as_of {
            let until = beijing_day(as_of).to_string();
            self.section(self.pick("截至", "as of"), plain(&until))?;
        }
        let coverage = &report.coverage;
        let full = usize::from(coverage.percent.min(100)) * BAR / 100;
        let tone = match coverage.verdict {
            Verdict::Full => Tone::Good,
            Verdict::Partial => Tone::Warning,
            Verdict::Opaque => Tone::Grave,
        };
        let (share, rest) = prose::coverage_words(lang, coverage);
        let bar = Rich::new(&"█".repeat(full), tone)
            .with(&"░".repeat(BAR - full), Tone::Faint)
            .with(&format!(" {share}  "), Tone::Strong)
            .with(prose::verdict(lang, coverage.verdict), tone)
            .with(&rest, Tone::Plain);
        self.section(self.pick("检视", "coverage"), bar)?;
        let parts =
            coverage.parts.iter().map(|p| format!("{} {}/{}", prose::part(lang, p.part), p.read, p.total));
        let parts = parts.collect::<Vec<_>>().join(comma);
        if !parts.is_empty() {
            self.section("", Rich::new(&parts, Tone::Faint))?;
        }
        Ok(())
    }

    fn filing(&self, report: &Report) -> String {
        match &report.identity.filing {
            Some(number) => format!("{} {}", self.pick("备案编号", "filing number"), short(number, 40)),
            None => self.pick("备案编号未提供", "no filing number given").to_owned(),
        }
    }

    fn signer(&self, signer: &Signer) -> String {
        let checked = match signer.verified {
            Some(true) => self.pick("签名有效", "signature valid"),
            Some(false) => self.pick("签名无效", "signature invalid"),
            None => self.pick("签名未校验", "signature not checked"),
        };
        let schemes = short(&signer.schemes.join("+"), 16);
        format!("{}  {schemes}  {checked}", short(&signer.subject, 200))
    }

    fn findings(&mut self, report: &Report) -> io::Result<()> {
        let lang = self.view.lang;
        let mut shown = 0;
        for finding in &report.findings {
            if finding.accepted.is_none() && (self.view.all || finding.level > Level::Mention) {
                self.finding(finding)?;
                shown += 1;
            }
        }
        let folded: Vec<&Finding> = prose::of_level(report, Level::Mention).collect();
        if shown == 0 {
            let none = prose::nothing_found(lang, report.coverage.verdict);
            self.section(self.pick("检出", "findings"), plain(none))?;
        }
        let unfolded = self.view.all || folded.is_empty();
        if !unfolded {
            let titles =
                prose::list(lang, folded.iter().map(|f| lang.pick(f.title.as_str(), f.title_en.as_str())));
            let count = folded.len();
            let text = match lang {
                Lang::Zh => format!("{count} 项（{titles}）。只有字样，不足以说明有此功能；加 --all 查看。"),
                Lang::En => {
                    format!("{count} ({titles}). Words only, no sign of the function; --all shows them.")
                }
            };
            let label = Rich::new(prose::level(lang, Level::Mention), level_tone(Level::Mention));
            self.item(0, label, self.margin(), plain(&text))?;
        }
        for (finding, accepted) in prose::accepted(report) {
            let text = format!("{}  {}", lang.pick(&finding.title, &finding.title_en), finding.rule);
            let reason = format!("{}{}", lang.pick("；", "; "), prose::acceptance(lang, accepted));
            let word = Rich::new(self.pick("不计", "accepted"), Tone::Faint);
            self.item(0, word, self.margin(), plain(&text).with(&visible(&reason), Tone::Faint))?;
            if self.view.all {
                self.finding(finding)?;
            }
        }
        for entry in report.baseline.iter().flat_map(|baseline| &baseline.idle) {
            let text = match lang {
                Lang::Zh => format!("第 {} 行 {}：{}", entry.line, entry.rule, entry.text),
                Lang::En => format!("line {}, {}: {}", entry.line, entry.rule, entry.text_en),
            };
            self.section(self.pick("基线", "baseline"), plain(&text))?;
        }
        // A finding ends with its own empty line.
        let more = report.findings.iter().any(|f| f.accepted.is_some())
            || report.baseline.as_ref().is_some_and(|baseline| !baseline.idle.is_empty());
        if shown == 0 || !unfolded || more { self.blank() } else { Ok(()) }
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        let lang = self.view.lang;
        let title = Rich::new(&visible(lang.pick(&finding.title, &finding.title_en)), Tone::Strong)
            .with(&format!("  {}", visible(&finding.rule)), Tone::Faint);
        let level = Rich::new(prose::level(lang, finding.level), level_tone(finding.level));
        self.item(0, level, self.margin(), title)?;
        self.labelled(
            self.pick("说明", "why"),
            plain(lang.pick(&finding.explanation, &finding.explanation_en)),
        )?;
        self.basis(&finding.basis)?;
        let rows = self.chosen(finding);
        for row in &rows {
            self.evidence(row)?;
        }
        let more = (finding.evidence.len() - rows.len()) as u64 + finding.evidence_omitted;
        if more > 0 {
            let hint = match (lang, self.view.all) {
                (Lang::Zh, false) => format!("另有 {more} 处证据，加 --all 查看"),
                (Lang::Zh, true) => format!("另有 {more} 处证据未列出"),
                (Lang::En, false) => format!("{more} more rows; --all shows them"),
                (Lang::En, true) => format!("{more} more rows not listed"),
            };
            self.labelled("", Rich::new(&hint, Tone::Faint))?;
        }
        for exception in &finding.exceptions {
            let text = prose::exception(lang, exception);
            self.labelled(self.pick("例外", "exception"), plain(&text))?;
        }
        self.labelled(
            self.pick("建议", "advice"),
            plain(lang.pick(&finding.remediation, &finding.remediation_en)),
        )?;
        self.blank()
    }

    /// The rows to show: all, or the strongest row of each kind that carries the finding's level.
    fn chosen<'f>(&self, finding: &'f Finding) -> Vec<&'f Evidence> {
        let mut kinds: Vec<EvidenceKind> = Vec::new();
        let mut first_of_kind = |row: &&Evidence| {
            let new = row.level > Level::Mention && !kinds.contains(&row.kind);
            kinds.push(row.kind);
            new
        };
        finding.evidence.iter().filter(|row| self.view.all || first_of_kind(row)).collect()
    }

    fn basis(&mut self, basis: &[Basis]) -> io::Result<()> {
        let lang = self.view.lang;
        for (index, clause) in basis.iter().enumerate() {
            let label = if index == 0 { self.pick("依据", "basis") } else { "" };
            let document = visible(lang.pick(&clause.document, &clause.document_en));
            let cited = visible(lang.pick(&clause.clause, &clause.clause_en));
            self.labelled(label, plain(&format!("{document}{}{cited}", self.pick("", ", "))))?;
        }
        Ok(())
    }

    fn evidence(&mut self, row: &Evidence) -> io::Result<()> {
        let lang = self.view.lang;
        let Excerpt { before, matched, after } = excerpt(&row.text, &row.matched, QUOTE);
        let (open, close) = if row.kind == EvidenceKind::Text { ("“", "”") } else { ("", "") };
        let mut text =
            Rich::new(&format!("{} {open}{before}", prose::evidence_kind(lang, row.kind)), Tone::Plain)
                .with(&matched, Tone::Match)
                .with(&format!("{after}{close}"), Tone::Plain);
        if let Some(widget) = &row.widget {
            text.push(&format!(" {}", short(widget, 60)), Tone::Plain);
        }
        if let Some(screen) = &row.screen {
            text.push(&format!(" @ {}", short(screen, 120)), Tone::Plain);
        }
        self.labelled(self.pick("证据", "evidence"), text)?;
        if !row.chain.is_empty() {
            let steps: Vec<String> = row.chain.iter().map(|step| short(step, 200)).collect();
            self.labelled("", Rich::new(&format!("└ {}", steps.join(" → ")), Tone::Plain))?;
        }
        let mut place = short(&row.place, 300);
        if let Some(locale) = &row.locale {
            place.push_str(&format!("  {} {}", self.pick("语言", "locale"), short(locale, 20)));
        }
        if let Some(library) = &row.library {
            place.push_str(&format!("  {} {}", self.pick("第三方库", "library"), short(library, 40)));
        }
        self.labelled("", Rich::new(&place, Tone::Faint))?;
        if self.view.all {
            let note = format!(
                "{}{}{}",
                prose::level(lang, row.level),
                lang.pick("：", ": "),
                lang.pick(&row.note, &row.note_en)
            );
            self.labelled("", Rich::new(&visible(&note), Tone::Faint))?;
        }
        Ok(())
    }

    fn duties(&mut self, report: &Report) -> io::Result<()> {
        let lang = self.view.lang;
        for (index, duty) in report.duties.iter().enumerate() {
            let Duty { title, title_en, explanation, explanation_en, remediation, remediation_en, .. } = duty;
            let tone = match duty.status {
                DutyStatus::Met => Tone::Good,
                DutyStatus::Missing => Tone::Grave,
                DutyStatus::Unknown => Tone::Warning,
            };
            let sign = format!("{} {}", prose::status_sign(duty.status), prose::status(lang, duty.status));
            let text = Rich::new(&format!("{} ", visible(lang.pick(title, title_en))), Tone::Strong)
                .with(&sign, tone);
            self.section(if index == 0 { self.pick("必备", "required") } else { "" }, text)?;
            if duty.status != DutyStatus::Met || self.view.all {
                self.labelled(self.pick("说明", "why"), plain(lang.pick(explanation, explanation_en)))?;
                self.basis(&duty.basis)?;
            }
            if duty.status == DutyStatus::Missing {
                self.labelled(self.pick("建议", "advice"), plain(lang.pick(remediation, remediation_en)))?;
            }
            if self.view.all || duty.status == DutyStatus::Met {
                let rows = if self.view.all { duty.evidence.len() } else { 1 };
                for row in duty.evidence.iter().take(rows) {
                    self.evidence(row)?;
                }
            }
        }
        if report.duties.is_empty() { Ok(()) } else { self.blank() }
    }

    fn unseen(&mut self, report: &Report) -> io::Result<()> {
        let lang = self.view.lang;
        let coverage = &report.coverage;
        self.section(self.pick("未检", "unseen"), plain(&prose::coverage_meaning(lang, coverage)))?;
        let margin = self.margin();
        let material: Vec<_> = coverage.gaps.iter().filter(|gap| gap.material || self.view.all).collect();
        let shown = if self.view.all { material.len() } else { material.len().min(GAPS) };
        for gap in &material[..shown] {
            let mut text =
                plain(&format!("{} {}", prose::part(lang, gap.part), prose::gap_reason(lang, gap.reason)));
            if !gap.place.is_empty() {
                text.push(&format!("  {}", short(&gap.place, 200)), Tone::Plain);
            }
            text.push(&format!("  {}", short(prose::gap_detail(lang, gap), 200)), Tone::Faint);
            self.item(margin, Rich::new("-", Tone::Faint), 2, text)?;
        }
        let more = prose::material_gaps(coverage).saturating_sub(shown as u64);
        if more > 0 && !self.view.all {
            let text = match lang {
                Lang::Zh => format!("另有 {more} 处，加 --all 查看"),
                Lang::En => format!("{more} more; --all shows them"),
            };
            self.item(margin, Rich::new("-", Tone::Faint), 2, Rich::new(&text, Tone::Faint))?;
        }
        let minor = prose::minor_gaps(lang, coverage);
        if !minor.is_empty() && !self.view.all {
            let lead = self.pick("不影响结论：", "No bearing on the conclusion: ");
            let text = format!("{lead}{}", prose::list(lang, minor.iter().map(String::as_str)));
            self.text(margin, Rich::new(&text, Tone::Faint))?;
        }
        Ok(())
    }

    /// Labels and texts in a row. The head of the section says what the first label would.
    fn rows(&mut self, head: &'static str, rows: &[(&'static str, String)]) -> io::Result<()> {
        let texts = rows.iter().enumerate().map(|(at, (label, text))| match at {
            0 => short(text, 80),
            _ => format!("{label} {}", short(text, 80)),
        });
        self.section(head, plain(&texts.collect::<Vec<_>>().join("  ")))
    }

    fn annex(&mut self, report: &Report) -> io::Result<()> {
        let count = report.anomalies.len();
        if count > 0 {
            let text = match (self.view.lang, self.view.all) {
                (Lang::Zh, false) => format!("结构异常 {count} 项，加 --all 查看"),
                (Lang::Zh, true) => format!("结构异常 {count} 项"),
                (Lang::En, false) => format!("{count} in the structure; --all shows them"),
                (Lang::En, true) => format!("{count} in the structure"),
            };
            self.section(self.pick("异常", "anomalies"), plain(&text))?;
        }
        if self.view.all {
            for anomaly in &report.anomalies {
                let mut text = plain(&short(&anomaly.code, 60));
                if !anomaly.place.is_empty() {
                    text.push(&format!("  {}", short(&anomaly.place, 200)), Tone::Plain);
                }
                text.push(&format!("  {}", anomaly.meaning(self.view.lang)), Tone::Plain);
                let detail = prose::anomaly_detail(self.view.lang, anomaly);
                if !detail.is_empty() {
                    text.push(&format!("  {}", short(detail, 200)), Tone::Faint);
                }
                self.item(self.margin(), Rich::new("-", Tone::Faint), 2, text)?;
            }
        }
        let engine = &report.engine;
        let digest = short(engine.ruleset.digest.get(..12).unwrap_or(&engine.ruleset.digest), 64);
        let text = match self.view.lang {
            Lang::Zh => format!("规则 {} 条 {digest}  赋码策略 {}", engine.ruleset.rules, report.code.policy),
            Lang::En => format!("{} rules {digest}  policy {}", engine.ruleset.rules, report.code.policy),
        };
        let text = format!("{} {}  {text}", engine.name, engine.version);
        self.section(self.pick("引擎", "engine"), Rich::new(&visible(&text), Tone::Faint))
    }
}

fn plain(text: &str) -> Rich {
    Rich::new(&visible(text), Tone::Plain)
}

/// A string of the package, safe to show and cut to a length.
fn short(text: &str, columns: usize) -> String {
    excerpt(text, "", columns).after
}

fn code_tone(code: ColorCode) -> Tone {
    match code {
        ColorCode::Green => Tone::Good,
        ColorCode::Blue => Tone::Notice,
        ColorCode::Red => Tone::Grave,
        ColorCode::None => Tone::Strong,
    }
}

fn level_tone(level: Level) -> Tone {
    match level {
        Level::Mention => Tone::Faint,
        Level::Suspected => Tone::Warning,
        Level::Confirmed => Tone::Grave,
    }
}
