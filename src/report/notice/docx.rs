//! The notice as a Word document, laid out after GB/T 9704-2012: A4, title in 2号小标宋, text in 3号仿宋 of 28 points a
//! line, headings in 黑体 and 楷体, page numbers at the outer edge.
//!
//! The same notice gives the same bytes: paragraphs are numbered here and not by the library's counter.

use std::io::{self, Write};

use docx_rs::{
    AlignmentType, Docx, Footer, LineSpacing, LineSpacingType, PageMargin, PageNum, Paragraph, Run,
    SpecialIndentType, Style, StyleType, Table, TableCell, TableLayoutType, TableRow, VAlignType, WidthType,
};

use super::super::word::{TWIPS, fonts, pack, run};
use super::{Block, Notice};

/// Width of the text: 156 mm.
const WIDTH: i32 = 156 * TWIPS / 100;
/// Width of the first column of a table.
const LABEL: i32 = 1900;
/// Half points of 二号, 三号, 四号.
const SIZES: [usize; 3] = [44, 32, 28];
/// Twentieths of a point of two characters of 三号.
const TWO: i32 = 640;

pub(super) fn write(notice: &Notice, out: &mut dyn Write) -> io::Result<()> {
    let mut docx = Docx::new()
        .page_size(11906, 16838)
        .page_margin(
            PageMargin::new()
                .top(37 * TWIPS / 100)
                .bottom(35 * TWIPS / 100)
                .left(28 * TWIPS / 100)
                .right(26 * TWIPS / 100)
                .header(851)
                .footer(25 * TWIPS / 100),
        )
        .default_fonts(fonts("仿宋"))
        .default_size(SIZES[1])
        .footer(page_number(AlignmentType::Right, 1))
        .even_footer(page_number(AlignmentType::Left, 2));
    for style in styles() {
        docx = docx.add_style(style);
    }
    let mut ids = 2..;
    let mut next = || ids.next().unwrap_or_default();
    for (index, block) in notice.blocks.iter().enumerate() {
        // The signature does not stand alone on a page.
        let signed = matches!(notice.blocks.get(index + 1), Some(Block::Issuer(_)));
        docx = match block {
            Block::Table(rows) => docx.add_table(table(rows, &mut next)),
            Block::Title(text) => docx.add_paragraph(paragraph("NoticeTitle", text, next())),
            Block::Number(text) => docx.add_paragraph(paragraph("NoticeNumber", text, next())),
            Block::Addressee(text) => docx.add_paragraph(paragraph("NoticeAddressee", text, next())),
            Block::Heading(text) => {
                docx.add_paragraph(paragraph("NoticeHeading", text, next()).keep_next(true).outline_lvl(0))
            }
            Block::Subheading(text) => {
                docx.add_paragraph(paragraph("NoticeSubheading", text, next()).keep_next(true).outline_lvl(1))
            }
            Block::Body(text) => {
                docx.add_paragraph(paragraph("NoticeBody", text, next()).keep_next(signed).keep_lines(signed))
            }
            Block::Entry(text) => docx.add_paragraph(paragraph("NoticeEntry", text, next())),
            Block::Issuer(text) => {
                docx.add_paragraph(paragraph("NoticeIssuer", text, next()).keep_next(true))
            }
            Block::Day(text) => docx.add_paragraph(paragraph("NoticeDay", text, next())),
        };
    }
    pack(docx, out)
}

fn spacing(points: i32) -> LineSpacing {
    LineSpacing::new().line_rule(LineSpacingType::Exact).line(points * 20)
}

fn styles() -> Vec<Style> {
    let style = |id: &str, name: &str, font: &str, size: usize| {
        Style::new(id, StyleType::Paragraph)
            .name(name)
            .fonts(fonts(font))
            .size(size)
            .line_spacing(spacing(28))
    };
    let first_line = Some(SpecialIndentType::FirstLine(TWO));
    vec![
        style("NoticeTitle", "公文标题", "方正小标宋简体", SIZES[0])
            .align(AlignmentType::Center)
            .line_spacing(spacing(36).before(0).after(200)),
        style("NoticeNumber", "发文字号", "仿宋", SIZES[1])
            .align(AlignmentType::Center)
            .line_spacing(spacing(28).after(560)),
        style("NoticeAddressee", "主送机关", "仿宋", SIZES[1]),
        style("NoticeHeading", "公文一级标题", "黑体", SIZES[1]).indent(None, first_line, None, None),
        style("NoticeSubheading", "公文二级标题", "楷体", SIZES[1]).indent(None, first_line, None, None),
        // Not justified: class names and addresses do not break and would tear the line apart.
        style("NoticeBody", "公文正文", "仿宋", SIZES[1]).indent(None, first_line, None, None),
        style("NoticeEntry", "公文列项", "仿宋", SIZES[2]).line_spacing(spacing(24)).indent(
            Some(TWO + 420),
            Some(SpecialIndentType::Hanging(420)),
            None,
            None,
        ),
        style("NoticeLabel", "公文表格栏目", "黑体", SIZES[2]).line_spacing(spacing(22)),
        style("NoticeCell", "公文表格", "仿宋", SIZES[2]).line_spacing(spacing(22)),
        style("NoticeIssuer", "发文机关署名", "仿宋", SIZES[1])
            .align(AlignmentType::Right)
            .line_spacing(spacing(28).before(840))
            .indent(None, None, Some(2 * TWO), None),
        style("NoticeDay", "成文日期", "仿宋", SIZES[1]).align(AlignmentType::Right).indent(
            None,
            None,
            Some(2 * TWO),
            None,
        ),
    ]
}

fn paragraph(style: &str, text: &str, id: u32) -> Paragraph {
    Paragraph::new().id(format!("{id:08x}")).style(style).add_run(run(text))
}

fn table(rows: &[(String, String)], next: &mut dyn FnMut() -> u32) -> Table {
    let [label, text] = [LABEL, WIDTH - LABEL].map(|width| usize::try_from(width).unwrap_or_default());
    let mut cell = |style: &str, content: &str, width: usize| {
        TableCell::new()
            .width(width, WidthType::Dxa)
            .vertical_align(VAlignType::Center)
            .add_paragraph(paragraph(style, content, next()))
    };
    let rows = rows.iter().map(|(name, content)| {
        TableRow::new(vec![cell("NoticeLabel", name, label), cell("NoticeCell", content, text)]).cant_split()
    });
    let rows: Vec<TableRow> = rows.collect();
    Table::new(rows)
        .set_grid(vec![label, text])
        .width(label + text, WidthType::Dxa)
        .layout(TableLayoutType::Fixed)
}

/// `— 1 —` in 四号, a character from the edge.
fn page_number(side: AlignmentType, id: u32) -> Footer {
    let size = SIZES[2];
    let dash = |text: &str| Run::new().add_text(text).size(size).fonts(fonts("宋体"));
    let line = Paragraph::new()
        .id(format!("{:08x}", u32::MAX / 4 + id))
        .align(side)
        .indent(Some(280), None, Some(280), None)
        .size(size)
        .fonts(fonts("宋体"))
        .add_run(dash("— "))
        .add_page_num(PageNum::new())
        .add_run(dash(" —"));
    Footer::new().add_paragraph(line)
}
