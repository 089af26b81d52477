//! A spreadsheet (ECMA-376) to sort and filter: a row for every target, every finding and duty, every row of evidence,
//! everything that could not be read.

use std::io::{self, Write};

use rust_xlsxwriter::{Workbook, XlsxError};

use super::fleet::{FleetFailure, FleetTarget, overview};
use super::prose::{self, visible};
use super::sheet::{Cell, Column, Grid, column, failed};
use super::{Format, Run, View};
use crate::model::{Basis, Evidence, Lang, Report, Wording};

pub(super) const FORMAT: Format = Format {
    name: "xlsx",
    media: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    streams: false,
    write,
};

fn write(run: &Run<'_>, view: View, out: &mut dyn Write) -> io::Result<()> {
    let bytes = book(run, view.lang).map_err(failed)?;
    out.write_all(&bytes)
}

fn book(run: &Run<'_>, lang: Lang) -> Result<Vec<u8>, XlsxError> {
    let mut targets: Vec<FleetTarget> =
        run.reports.iter().map(|report| FleetTarget::unlisted(std::slice::from_ref(report))).collect();
    targets.extend(run.failures.iter().map(|failure| {
        let cause = Wording::from(("未能检测", "not scanned"));
        FleetTarget::unread(
            prose::source(&failure.source),
            FleetFailure { cause, said: Wording::from(&failure.cause) },
        )
    }));
    let mut book = Workbook::new();
    overview(book.add_worksheet_with_constant_memory()?, &targets, lang)?;
    let sheet = book.add_worksheet_with_constant_memory()?;
    let mut grid = Grid::new(sheet, lang.pick("检出与必备功能", "Findings and duties"), &FINDINGS, lang)?;
    run.reports.iter().flat_map(|report| judged(report, lang)).try_for_each(|row| grid.row(row))?;
    grid.finish()?;
    let sheet = book.add_worksheet_with_constant_memory()?;
    let mut grid = Grid::new(sheet, lang.pick("证据", "Evidence"), &EVIDENCE, lang)?;
    run.reports.iter().flat_map(|report| shown(report, lang)).try_for_each(|row| grid.row(row))?;
    grid.finish()?;
    let sheet = book.add_worksheet_with_constant_memory()?;
    let mut grid = Grid::new(sheet, lang.pick("未能检视", "Not inspected"), &UNREAD, lang)?;
    run.reports.iter().flat_map(|report| gaps(report, lang)).try_for_each(|row| grid.row(row))?;
    grid.finish()?;
    book.save_to_buffer()
}

fn text(text: &str) -> Cell {
    Cell::Text(visible(text).into_owned())
}

const FINDINGS: [Column; 10] = [
    column("对象", "target", 26),
    column("文件", "file", 36),
    column("规则", "rule", 24),
    column("级别或状态", "level or status", 12),
    column("功能", "function", 24),
    column("说明", "explanation", 50),
    column("证据（条）", "rows of evidence", 10),
    column("依据", "basis", 60),
    column("整改建议", "what to change", 50),
    column("不计入的原因", "why it does not count", 30),
];

/// What was found and what is required, a row each.
fn judged(report: &Report, lang: Lang) -> impl Iterator<Item = Vec<Cell>> + '_ {
    let law = move |basis: &[Basis]| {
        let cited = basis.iter().map(|clause| {
            let document = lang.pick(&clause.document, &clause.document_en);
            format!("{document}{}{}", lang.pick("", ", "), lang.pick(&clause.clause, &clause.clause_en))
        });
        cited.collect::<Vec<_>>().join(lang.pick("；", "; "))
    };
    let found = report.findings.iter().map(move |finding| {
        let rows = (finding.evidence.len() as u64).saturating_add(finding.evidence_omitted);
        let accepted = finding.accepted.as_ref().map(|accepted| prose::acceptance(lang, accepted));
        vec![
            text(prose::name(report)),
            text(prose::source(&report.target.source)),
            text(&finding.rule),
            text(prose::level(lang, finding.level)),
            text(lang.pick(&finding.title, &finding.title_en)),
            text(lang.pick(&finding.explanation, &finding.explanation_en)),
            Cell::Number(rows),
            text(&law(&finding.basis)),
            text(lang.pick(&finding.remediation, &finding.remediation_en)),
            text(accepted.as_deref().unwrap_or_default()),
        ]
    });
    let required = report.duties.iter().map(move |duty| {
        vec![
            text(prose::name(report)),
            text(prose::source(&report.target.source)),
            text(&duty.rule),
            text(prose::status(lang, duty.status)),
            text(lang.pick(&duty.title, &duty.title_en)),
            text(lang.pick(&duty.explanation, &duty.explanation_en)),
            Cell::Number(duty.evidence.len() as u64),
            text(&law(&duty.basis)),
            text(lang.pick(&duty.remediation, &duty.remediation_en)),
        ]
    });
    found.chain(required)
}

const EVIDENCE: [Column; 14] = [
    column("对象", "target", 26),
    column("文件", "file", 36),
    column("规则", "rule", 24),
    column("级别", "level", 8),
    column("种类", "kind", 12),
    column("内容", "text", 50),
    column("匹配", "matched", 16),
    column("位置", "where", 40),
    column("偏移或资源编号", "offset or resource id", 18),
    column("界面", "screen", 40),
    column("控件", "widget", 26),
    column("证据链", "chain", 60),
    column("第三方库", "library", 20),
    column("说明", "note", 40),
];

fn shown(report: &Report, lang: Lang) -> impl Iterator<Item = Vec<Cell>> + '_ {
    let findings = report.findings.iter().map(|finding| (finding.rule.as_str(), &finding.evidence));
    let duties = report.duties.iter().map(|duty| (duty.rule.as_str(), &duty.evidence));
    let rows = findings.chain(duties).flat_map(|(rule, rows)| rows.iter().map(move |row| (rule, row)));
    rows.map(move |(rule, row): (&str, &Evidence)| {
        let option = |value: &Option<String>| text(value.as_deref().unwrap_or_default());
        vec![
            text(prose::name(report)),
            text(prose::source(&report.target.source)),
            text(rule),
            text(prose::level(lang, row.level)),
            text(prose::evidence_kind(lang, row.kind)),
            text(&row.text),
            text(&row.matched),
            text(prose::entry(&row.place)),
            text(&prose::position(lang, &row.place).unwrap_or_default()),
            option(&row.screen),
            option(&row.widget),
            text(&row.chain.join(" → ")),
            option(&row.library),
            text(lang.pick(&row.note, &row.note_en)),
        ]
    })
}

const UNREAD: [Column; 7] = [
    column("对象", "target", 26),
    column("文件", "file", 36),
    column("部分", "part", 14),
    column("原因", "reason", 18),
    column("影响结论", "bears on the conclusion", 12),
    column("位置", "where", 50),
    column("细节", "detail", 50),
];

fn gaps(report: &Report, lang: Lang) -> impl Iterator<Item = Vec<Cell>> + '_ {
    report.coverage.gaps.iter().map(move |gap| {
        let bears =
            lang.pick(if gap.material { "是" } else { "否" }, if gap.material { "yes" } else { "no" });
        vec![
            text(prose::name(report)),
            text(prose::source(&report.target.source)),
            text(prose::part(lang, gap.part)),
            text(prose::gap_reason(lang, gap.reason)),
            text(bears),
            text(&gap.place),
            text(prose::gap_detail(lang, gap)),
        ]
    })
}
