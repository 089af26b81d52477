//! Spreadsheets (ECMA-376): a summary by colour, level and region first, then every code in a row. Every cell is text
//! or a count, never a formula. Rows go to a temporary file as they come.

use std::collections::BTreeMap;
use std::io::{self, Write};

use rust_xlsxwriter::{Format as Style, Workbook, Worksheet, XlsxError};

use super::row::{COLOUR, COLUMNS, cells};
use super::{Codes, Format};
use crate::model::{CodeDocument, Lang, OfficeLevel, beijing_minute};
use crate::report::sheet::{COLOURS, Cell, Grid, failed, fill, fitting, heading};

pub(super) const FORMAT: Format = Format { name: "xlsx", write };

fn write(codes: Codes<'_>, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let mut book = Workbook::new();
    book.add_worksheet().set_name(lang.pick("汇总", "Summary")).map_err(failed)?;
    let sheet = book.add_worksheet_with_constant_memory().map_err(failed)?;
    let counts = rows(sheet, codes, lang)?;
    summary(book.worksheet_from_index(0).map_err(failed)?, &counts, lang).map_err(failed)?;
    out.write_all(&book.save_to_buffer().map_err(failed)?)
}

/// Every code in a row, counted as they pass.
fn rows(sheet: &mut Worksheet, codes: Codes<'_>, lang: Lang) -> io::Result<Counts> {
    let mut grid = Grid::new(sheet, lang.pick("赋码", "Codes"), &COLUMNS, lang).map_err(failed)?;
    let mut counts = Counts::default();
    for code in codes {
        let code = code?;
        let row = (0..).zip(cells(&code, lang)).map(|(index, cell)| match index {
            COLOUR => Cell::Code(code.code),
            _ => Cell::Text(cell),
        });
        grid.row(row).map_err(failed)?;
        counts.add(&code);
    }
    grid.finish().map_err(failed)?;
    Ok(counts)
}

/// How many have each colour.
type Tally = [u32; COLOURS.len()];

#[derive(Default)]
struct Counts {
    all: Tally,
    levels: BTreeMap<Option<OfficeLevel>, Tally>,
    regions: BTreeMap<Option<String>, Tally>,
    /// The latest moment that a code was computed for, and the policies.
    as_of: Option<jiff::Timestamp>,
    policies: Vec<String>,
}

impl Counts {
    fn add(&mut self, code: &CodeDocument) {
        let levels = self.levels.entry(code.level).or_default();
        let regions = self.regions.entry(code.region.clone()).or_default();
        for tally in [&mut self.all, levels, regions] {
            if let Some(count) = tally.get_mut(code.code as usize) {
                *count += 1;
            }
        }
        self.as_of = self.as_of.max(Some(code.as_of));
        if !self.policies.contains(&code.policy) {
            self.policies.push(code.policy.clone());
        }
    }
}

fn summary(sheet: &mut Worksheet, counts: &Counts, lang: Lang) -> Result<(), XlsxError> {
    let unknown = lang.pick("未填写", "not given");
    sheet.set_column_width(0, 30)?;
    let title = Style::new().set_bold().set_font_size(14);
    sheet.write_string_with_format(0, 0, lang.pick("赋码汇总", "Codes"), &title)?;
    let as_of = counts.as_of.map(beijing_minute).unwrap_or_default();
    sheet.write_string(1, 0, lang.pick("截至", "As of"))?.write_string(1, 1, as_of)?;
    sheet.write_string(2, 0, lang.pick("赋码规则", "Policy"))?;
    sheet.write_string(2, 1, fitting(counts.policies.join(lang.pick("、", ", "))))?;
    let all = vec![(lang.pick("全部", "all").to_owned(), &counts.all)];
    let levels = counts.levels.iter().map(|(level, tally)| {
        (level.map_or(unknown, |level| lang.pick(level.zh(), level.en())).to_owned(), tally)
    });
    let regions = counts
        .regions
        .iter()
        .map(|(region, tally)| (fitting(region.clone().unwrap_or_else(|| unknown.to_owned())), tally));
    let mut row = 4;
    for (name, lines) in [
        (lang.pick("合计", "Total"), all),
        (lang.pick("按层级", "By level"), levels.collect()),
        (lang.pick("按地区", "By region"), regions.collect()),
    ] {
        row = block(sheet, row, name, &lines, lang)? + 1;
    }
    Ok(())
}

/// A table of counts; the row after it.
fn block(
    sheet: &mut Worksheet,
    mut row: u32,
    name: &str,
    lines: &[(String, &Tally)],
    lang: Lang,
) -> Result<u32, XlsxError> {
    sheet.write_string_with_format(row, 0, name, &heading())?;
    for (at, colour) in (1..).zip(COLOURS) {
        sheet.write_string_with_format(row, at, lang.pick(colour.zh(), colour.en()), &fill(colour))?;
    }
    sheet.write_string_with_format(row, 5, lang.pick("合计", "total"), &heading())?;
    for (label, tally) in lines {
        row += 1;
        sheet.write_string(row, 0, label)?;
        for (at, count) in (1..).zip(tally.iter()) {
            sheet.write_number(row, at, *count)?;
        }
        sheet.write_number(row, 5, tally.iter().sum::<u32>())?;
    }
    Ok(row + 1)
}
