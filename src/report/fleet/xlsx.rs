//! The fleet report as a spreadsheet: the chapters on one sheet, and a row for every target on another.

use std::io::{self, Write};

use rust_xlsxwriter::{Format as Style, FormatAlign, Workbook, Worksheet, XlsxError};

use super::chapter::{Block, Totals, Value, Writer};
use super::{Fleet, FleetTarget};
use crate::model::{Lang, Level, beijing_minute};
use crate::report::prose::{self, visible};
use crate::report::sheet::{Cell, Column, Grid, column, failed, fitting, heading};

/// More places than there are.
const ALL: usize = usize::MAX;

pub(super) fn write(fleet: &Fleet, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    chapters(sheet, fleet, lang).map_err(failed)?;
    let sheet = book.add_worksheet_with_constant_memory().map_err(failed)?;
    targets(sheet, &fleet.targets, lang).map_err(failed)?;
    out.write_all(&book.save_to_buffer().map_err(failed)?)
}

/// Everything that the report says.
fn chapters(sheet: &mut Worksheet, fleet: &Fleet, lang: Lang) -> Result<(), XlsxError> {
    let writer = Writer { fleet, lang, most: ALL };
    let totals = Totals::of(fleet);
    let title = Style::new().set_bold().set_font_size(14);
    let strong = Style::new().set_bold();
    let head = heading();
    let wrapped = Style::new().set_text_wrap().set_align(FormatAlign::Top);
    sheet.set_name(lang.pick("总体情况", "Overview"))?.set_landscape().set_paper_size(9);
    sheet.set_print_fit_to_pages(1, 0).set_column_width(0, 44)?;
    for column in 1..8 {
        sheet.set_column_width(column, 16)?;
    }
    let mut row = 0;
    sheet.write_string_with_format(row, 0, fitting(visible(&fleet.title).into_owned()), &title)?;
    if let Some(as_of) = fleet.as_of {
        row += 1;
        let words = format!("{}{}", lang.pick("检测时间 ", "Scanned "), beijing_minute(as_of));
        sheet.write_string(row, 0, words)?;
    }
    for line in writer.conclusion(&totals).into_iter().chain(writer.actions(&totals)) {
        row += 1;
        sheet.write_string(row, 0, fitting(line))?;
    }
    for chapter in writer.chapters() {
        row += 2;
        sheet.write_string_with_format(row, 0, chapter.title, &strong)?;
        for (at, block) in chapter.blocks.into_iter().enumerate() {
            row += u32::from(at > 0);
            match block {
                Block::Note(text) => {
                    row += 1;
                    sheet.write_string(row, 0, fitting(text))?;
                }
                Block::Plot(plot) => {
                    row += 1;
                    sheet.write_string_with_format(row, 0, plot.label, &head)?;
                    for (at, series) in (1..).zip(&plot.series) {
                        sheet.write_string_with_format(row, at, series.word, &head)?;
                    }
                    for (label, numbers) in plot.rows {
                        row += 1;
                        sheet.write_string(row, 0, fitting(label))?;
                        for (at, number) in (1..).zip(numbers) {
                            sheet.write_number(row, at, number as f64)?;
                        }
                    }
                }
                Block::Table(table) => {
                    row += 1;
                    for (at, title) in (0..).zip(&table.heads) {
                        sheet.write_string_with_format(row, at, *title, &head)?;
                    }
                    for cells in table.rows {
                        row += 1;
                        for (at, cell) in (0..).zip(cells) {
                            match cell {
                                Value::Count(count) => sheet.write_number(row, at, count as f64)?,
                                Value::Words(words) => {
                                    sheet.write_string_with_format(row, at, fitting(words), &wrapped)?
                                }
                            };
                        }
                    }
                }
            }
        }
    }
    Ok(())
}

/// A row for every target.
pub(in crate::report) fn targets(
    sheet: &mut Worksheet,
    targets: &[FleetTarget],
    lang: Lang,
) -> Result<(), XlsxError> {
    let mut grid = Grid::new(sheet, lang.pick("对象", "Targets"), &COLUMNS, lang)?;
    for target in targets {
        grid.row(cells(target, lang))?;
    }
    grid.finish()
}

const COLUMNS: [Column; 29] = [
    column("行", "row", 6),
    column("名称", "name", 26),
    column("标识", "id", 30),
    column("类型", "kind", 14),
    column("主办单位", "owner", 26),
    column("层级", "level", 12),
    column("地区", "region", 22),
    column("地址", "address", 36),
    column("建议赋码", "suggested code", 12),
    column("状态", "state", 14),
    column("原因", "reasons", 50),
    column("确认", "confirmed", 8),
    column("疑似", "suspected", 8),
    column("提及", "mentions", 8),
    column("已确认的功能", "functions confirmed", 30),
    column("疑似的功能", "functions suspected", 30),
    column("未见的必备功能", "duties missing", 30),
    column("文字检视（%）", "text inspected (%)", 12),
    column("检视结论", "coverage", 14),
    column("未能检视（处）", "places not read", 12),
    column("未能检视的原因", "why not read", 26),
    column("本次无报告的原因", "why there is no report of this run", 36),
    column("上次确认", "confirmed before", 10),
    column("上次疑似", "suspected before", 10),
    column("版本", "version", 12),
    column("格式", "format", 10),
    column("字节数", "bytes", 14),
    column("备案编号", "filing number", 24),
    column("SHA-256", "SHA-256", 20),
];

fn cells(target: &FleetTarget, lang: Lang) -> Vec<Cell> {
    let text = |text: &str| Cell::Text(visible(text).into_owned());
    let option = |value: Option<&str>| text(value.unwrap_or_default());
    let seen = target.seen.as_ref();
    let of = |levels: Option<super::Levels>, level: Level| {
        levels.and_then(|levels| levels.get(level as usize).copied()).map_or(text(""), Cell::Number)
    };
    let levels = seen.map(|seen| seen.levels);
    let features = |level: Level| {
        let all = seen.iter().flat_map(|seen| &seen.features).filter(|(_, of, _)| *of == level);
        text(&prose::list(lang, all.map(|(_, _, title)| lang.pick(title.zh.as_str(), title.en.as_str()))))
    };
    let missing = seen.iter().flat_map(|seen| &seen.missing);
    let missing = prose::list(lang, missing.map(|title| lang.pick(title.zh.as_str(), title.en.as_str())));
    let reasons = seen.iter().flat_map(|seen| &seen.gap_reasons);
    let reasons = prose::list(lang, reasons.map(|reason| prose::gap_reason(lang, *reason)));
    let name = target.name.as_deref().or(seen.map(|seen| seen.name.as_str()));
    let id = target.id.as_deref().or(seen.and_then(|seen| seen.id.as_deref()));
    vec![
        target.line.map_or(text(""), Cell::Number),
        option(name),
        option(id),
        option(target.kind.map(|kind| lang.pick(kind.zh(), kind.en()))),
        option(target.owner.as_deref()),
        option(target.level.map(|level| lang.pick(level.zh(), level.en()))),
        option(target.region.as_deref()),
        text(&target.address),
        seen.map_or(text(""), |seen| Cell::Code(seen.code)),
        option(seen.map(|seen| lang.pick(&seen.state.zh, &seen.state.en))),
        option(seen.map(|seen| lang.pick(&seen.reasons.zh, &seen.reasons.en))),
        of(levels, Level::Confirmed),
        of(levels, Level::Suspected),
        of(levels, Level::Mention),
        features(Level::Confirmed),
        features(Level::Suspected),
        text(&missing),
        seen.map_or(text(""), |seen| Cell::Number(seen.percent.into())),
        option(seen.map(|seen| prose::verdict(lang, seen.verdict))),
        seen.map_or(text(""), |seen| Cell::Number(seen.gaps)),
        text(&reasons),
        option(target.failure.as_ref().map(|failure| lang.pick(&failure.said.zh, &failure.said.en))),
        of(target.before, Level::Confirmed),
        of(target.before, Level::Suspected),
        option(seen.and_then(|seen| seen.version.as_deref())),
        option(seen.map(|seen| seen.format.as_str())),
        seen.map_or(text(""), |seen| Cell::Number(seen.bytes)),
        option(seen.and_then(|seen| seen.filing.as_deref())),
        option(seen.map(|seen| seen.sha256.as_str())),
    ]
}
