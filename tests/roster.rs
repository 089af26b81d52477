//! Rosters and filing lists as offices keep them: files of every kind, hostile ones, re-imports, the comparison.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::common::encode::encoded;
use calamine::{Data, Reader};
use proptest::prelude::*;
use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook};
use serde_json::Value;
use unicode_width::UnicodeWidthStr;
use zhijian::model::{Audience, Lang, OfficeLevel, RosterEntry, RosterStatus, TargetKind};
use zhijian::roster::{
    Certainty, Compared, FilingList, FilingState, Layout, Outcome, Roster, Seen, compare_filings,
};

fn parse(bytes: &[u8]) -> Roster {
    Roster::parse(bytes, Path::new("/r"), &Layout::default()).unwrap_or_else(|error| panic!("{error}"))
}

fn error(bytes: &[u8]) -> String {
    Roster::parse(bytes, Path::new("/r"), &Layout::default()).unwrap_err().words(Lang::En)
}

fn run(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zhijian"));
    command.args(args).stdin(Stdio::null()).env_remove("CLICOLOR_FORCE").output().unwrap()
}

fn json(args: &[&str]) -> (Value, Option<i32>) {
    let output = run(&[args, &["--format", "json"]].concat());
    let value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
    (value, output.status.code())
}

/// The rows of one roster, which every format has to give.
fn expected() -> Vec<RosterEntry> {
    vec![
        RosterEntry {
            id: Some("cn.gov.example.grid".into()),
            name: Some("某市网格通".into()),
            owner: Some("某市大数据局".into()),
            level: Some(OfficeLevel::City),
            region: Some("某省/某市".into()),
            audience: Some(Audience::Staff),
            grassroots: Some(true),
            filing: Some("某网信政备〔2026〕0312号".into()),
            icp: Some("蜀ICP备2026000001号-1A".into()),
            addresses: vec![
                "https://app.example.gov.cn/grid.apk".into(),
                "https://app.example.gov.cn/b.apk".into(),
            ],
            contact: Some("张三 02800000000".into()),
            status: Some(RosterStatus::InUse),
            ..RosterEntry::new(TargetKind::App)
        },
        RosterEntry {
            name: Some("=某县教育".into()),
            owner: Some("某县教育局".into()),
            level: Some(OfficeLevel::County),
            region: Some("某省/某市/某县".into()),
            audience: Some(Audience::Public),
            grassroots: Some(false),
            platform: Some("微信".into()),
            contact: Some("20260125123456789".into()),
            status: Some(RosterStatus::Closed),
            ..RosterEntry::new(TargetKind::Account)
        },
    ]
}

const HEADINGS: [&str; 15] = [
    "序号",
    "类型*",
    "标识（包名/AppID/微信号）",
    "名 称",
    "主办（使用）单位",
    "层级",
    "所属地区",
    "服务对象",
    "是否面向基层",
    "政务应用程序备案编号",
    "ＩＣＰ备案号",
    "下载地址",
    "联系人",
    "联系电话",
    "运行状态",
];

const ROWS: [[&str; 15]; 2] = [
    [
        "1",
        "移动应用程序",
        "cn.gov.example.grid",
        "某市网格通",
        "某市大数据局",
        "市州",
        "某省-某市",
        "干部职工",
        "是",
        "某网信政备〔2026〕0312号",
        "蜀ICP备2026000001号-1A",
        "https://app.example.gov.cn/grid.apk；https://app.example.gov.cn/b.apk",
        "张三",
        "02800000000",
        "在用",
    ],
    [
        "2",
        "微信公众号",
        "/",
        "=某县教育",
        "某县教育局",
        "区县",
        "某省/某市/某县",
        "群众",
        "否",
        "无",
        "",
        "",
        "",
        "20260125123456789",
        "已注销",
    ],
];

fn table(delimiter: &str, title: bool) -> String {
    let mut text = String::new();
    if title {
        text.push_str("某省政务移动互联网应用程序和公众账号名录\n\n");
    }
    for row in [HEADINGS].iter().chain(&ROWS) {
        text.push_str(&row.join(delimiter));
        text.push('\n');
    }
    text
}

fn entries(roster: &Roster) -> Vec<RosterEntry> {
    assert!(roster.rejected.is_empty(), "{:?}", roster.rejected);
    roster.rows.iter().map(|row| row.entry.clone()).collect()
}

#[test]
fn csv_in_every_encoding_and_with_every_delimiter() {
    for delimiter in [",", ";", "\t"] {
        for title in [false, true] {
            let text = table(delimiter, title);
            let mut utf_16 = vec![0xFF, 0xFE];
            utf_16.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
            let marked = format!("\u{FEFF}{text}").into_bytes();
            for bytes in [text.clone().into_bytes(), marked, encoded(text, Some("gb18030")), utf_16] {
                let roster = parse(&bytes);
                assert_eq!(entries(&roster), expected());
                let lines: Vec<u64> = roster.rows.iter().map(|row| row.line).collect();
                assert_eq!(lines, if title { [4, 5] } else { [2, 3] });
                assert_eq!(roster.ignored, ["序号"]);
            }
        }
    }
}

/// The roster as a workbook: a title over merged cells, empty rows, numbers as numbers, a formula, owners merged.
fn workbook() -> Vec<u8> {
    let mut book = Workbook::new();
    let notes = book.add_worksheet().set_name("填报说明").unwrap();
    notes.write(0, 0, "请如实填写类型、名称").unwrap();
    let sheet = book.add_worksheet().set_name("名录").unwrap();
    sheet.merge_range(0, 0, 0, 14, "某省政务应用名录", &Format::new()).unwrap();
    for (column, heading) in (0u16..).zip(HEADINGS) {
        sheet.write(2, column, heading).unwrap();
    }
    for (row, cells) in [(3, ROWS[0]), (5, ROWS[1])] {
        for (column, cell) in (0u16..).zip(cells) {
            match column {
                // Serial numbers are numbers.
                0 => sheet.write(row, 0, cell.parse::<f64>().unwrap()).unwrap(),
                8 if row == 3 => sheet
                    .write_formula(row, 8, Formula::new("=IF(1=1,\"是\",\"否\")").set_result("是"))
                    .unwrap(),
                _ if cell.is_empty() => continue,
                _ => sheet.write(row, column, cell).unwrap(),
            };
        }
    }
    // A telephone number as a number that is shown with its zero.
    sheet
        .write_number_with_format(3, 13, 2_800_000_000.0, &Format::new().set_num_format("00000000000"))
        .unwrap();
    book.save_to_buffer().unwrap()
}

#[test]
fn a_workbook_gives_the_same_rows() {
    let roster = parse(&workbook());
    assert_eq!(roster.sheet.as_deref(), Some("名录"));
    assert_eq!(entries(&roster), expected());
    assert_eq!(roster.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [4, 6]);
    let layout = Layout { sheet: Some("没有".into()), ..Layout::default() };
    let missing = Roster::parse(&workbook(), Path::new(""), &layout).unwrap_err().words(Lang::Zh);
    assert!(missing.contains("没有名为“没有”的工作表") && missing.contains("填报说明、名录"), "{missing}");
}

#[test]
fn cells_are_what_people_see() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let (day, moment) = (
        Format::new().set_num_format("yyyy\"年\"m\"月\"d\"日\""),
        Format::new().set_num_format("yyyy/m/d h:mm"),
    );
    sheet.write_row(0, 0, ["类型", "名称", "联系方式"]).unwrap();
    let date = ExcelDateTime::from_ymd(2026, 1, 25).unwrap();
    let time = ExcelDateTime::from_ymd(2026, 1, 25).unwrap().and_hms(8, 30, 0).unwrap();
    for row in 1..=9 {
        sheet.write(row, 0, "应用").unwrap();
        sheet.write(row, 1, format!("第{row}个")).unwrap();
    }
    sheet.write(1, 2, 13_800_000_000.0).unwrap();
    sheet.write(2, 2, 1.5).unwrap();
    sheet.write(3, 2, 0.1 + 0.2).unwrap();
    sheet.write_datetime_with_format(4, 2, &date, &day).unwrap();
    sheet.write_datetime_with_format(5, 2, &time, &moment).unwrap();
    sheet.write_formula(6, 2, Formula::new("=1+1").set_result("2")).unwrap();
    sheet.write(7, 2, true).unwrap();
    sheet.write(8, 2, "多 空格 & <标签> \"引号\"").unwrap();
    sheet.write(9, 2, 1e15).unwrap();
    let bytes = book.save_to_buffer().unwrap();
    let contacts: Vec<String> =
        entries(&parse(&bytes)).into_iter().map(|entry| entry.contact.unwrap_or_default()).collect();
    assert_eq!(
        contacts,
        [
            "13800000000",
            "1.5",
            "0.3",
            "2026-01-25",
            "2026-01-25 08:30",
            "2",
            "TRUE",
            "多 空格 & <标签> \"引号\"",
            "1000000000000000"
        ]
    );
    // A library that others wrote reads the same texts from both workbooks.
    for (bytes, sheet) in [(bytes, "Sheet1"), (workbook(), "名录")] {
        let mut oracle: calamine::Xlsx<_> =
            calamine::open_workbook_from_rs(Cursor::new(bytes.clone())).unwrap();
        let range = oracle.worksheet_range(sheet).unwrap();
        let roster = parse(&bytes);
        let names = (0..u32::MAX).take_while(|row| *row <= range.end().unwrap().0);
        let column = if sheet == "名录" { 3 } else { 1 };
        let texts: Vec<String> = names
            .filter_map(|row| match range.get_value((row, column)) {
                Some(Data::String(text)) => Some(text.clone()),
                _ => None,
            })
            .collect();
        let ours: Vec<String> = entries(&roster).into_iter().filter_map(|entry| entry.name).collect();
        assert_eq!(texts[1..], ours);
    }
}

#[test]
fn merged_cells_hold_for_every_row_and_repeated_headings_are_no_rows() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let plain = Format::new();
    sheet.merge_range(0, 0, 1, 0, "主办单位", &plain).unwrap();
    sheet.write_row(0, 1, ["类型", "名称"]).unwrap();
    sheet.merge_range(2, 0, 4, 0, "某县教育局", &plain).unwrap();
    for (row, name) in [(2, "甲"), (3, "乙"), (4, "丙"), (5, "丁")] {
        sheet.write_row(row, 1, ["应用", name]).unwrap();
    }
    sheet.write_row(6, 0, ["主办单位", "类型", "名称"]).unwrap();
    let roster = parse(&book.save_to_buffer().unwrap());
    let owners: Vec<(u64, Option<String>)> =
        roster.rows.iter().map(|row| (row.line, row.entry.owner.clone())).collect();
    let office = Some("某县教育局".to_owned());
    assert_eq!(owners, [(3, office.clone()), (4, office.clone()), (5, office), (6, None)]);
    assert!(roster.rejected.is_empty(), "{:?}", roster.rejected);
}

#[test]
fn errors_of_formulas_are_no_values() {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_row(0, 0, ["类型", "名称"]).unwrap();
    sheet.write(1, 0, "应用").unwrap();
    sheet.write_formula(1, 1, Formula::new("=VLOOKUP(1,B:C,2,0)").set_result("#N/A")).unwrap();
    let roster = parse(&book.save_to_buffer().unwrap());
    assert!(roster.rows.is_empty());
    assert_eq!(roster.rejected[0].line, 2);
    assert!(roster.rejected[0].reason.contains("#N/A"), "{:?}", roster.rejected);
}

/// A ZIP archive of parts.
fn zip(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn ods(rows: &str) -> Vec<u8> {
    let content = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><office:document-content xmlns:office=\"o\" xmlns:table=\"t\" xmlns:text=\"x\">\
         <office:body><office:spreadsheet><table:table table:name=\"表1\">{rows}</table:table></office:spreadsheet></office:body>\
         </office:document-content>"
    );
    zip(&[
        ("mimetype", b"application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", content.as_bytes()),
    ])
}

fn ods_cell(text: &str) -> String {
    format!("<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>")
}

#[test]
fn open_documents_are_read_too() {
    let row = |cells: &[&str]| {
        let cells: String = cells.iter().map(|cell| ods_cell(cell)).collect();
        format!(
            "<table:table-row>{cells}<table:table-cell table:number-columns-repeated=\"16000\"/></table:table-row>"
        )
    };
    let mut rows = row(&HEADINGS);
    rows.push_str("<table:table-row table:number-rows-repeated=\"3\"><table:table-cell/></table:table-row>");
    rows.push_str(&row(&ROWS[0]));
    rows.push_str(&row(&ROWS[1]));
    rows.push_str("<table:table-row table:number-rows-repeated=\"1048000\"><table:table-cell table:number-columns-repeated=\"16384\"/></table:table-row>");
    let roster = parse(&ods(&rows));
    assert_eq!(entries(&roster), expected());
    assert_eq!(roster.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [5, 6]);

    let values = "<table:table-cell office:value-type=\"float\" office:value=\"13800000000\"><text:p>1.38E+10</text:p></table:table-cell>\
                  <table:table-cell office:value-type=\"date\" office:date-value=\"2026-01-25T00:00:00\"><text:p>26/1/25</text:p></table:table-cell>\
                  <table:table-cell office:value-type=\"string\"><office:annotation><text:p>批注</text:p></office:annotation><text:p>a<text:s text:c=\"2\"/>&amp;</text:p><text:p>b</text:p></table:table-cell>";
    let rows = format!(
        "{}<table:table-row>{}{}{values}</table:table-row>",
        row(&["类型", "名称", "联系人", "联系电话", "联系方式"]),
        ods_cell("应用"),
        ods_cell("甲")
    );
    let contact = entries(&parse(&ods(&rows)))[0].contact.clone();
    assert_eq!(contact.as_deref(), Some("13800000000 2026-01-25 a  &\nb"));
}

#[test]
fn workbooks_of_old_excel_are_read_too() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/roster/roster.xls");
    let bytes = fs::read(path).unwrap();
    let roster = parse(&bytes);
    assert_eq!(roster.sheet.as_deref(), Some("名录"), "the hidden sheet is not what people see");
    let long = ["note ".repeat(1200), "长文".repeat(4500), "mixed 混合 ".repeat(900)];
    let office = |name: &str| Some(name.to_owned());
    let contact = |shown: &str, long: &str| Some(format!("{shown} {}", long.trim()).trim().to_owned());
    let app = |kind, name: &str, owner: Option<String>, grassroots, contact| RosterEntry {
        name: Some(name.into()),
        owner,
        grassroots,
        contact,
        ..RosterEntry::new(kind)
    };
    use TargetKind::{Account, App, MiniProgram};
    let account = app(Account, "丙", office("某县水务局"), None, contact("2026-01-25 08:30", &long[2]));
    let expected = vec![
        app(App, "甲", office("某县教育局"), Some(true), contact("13800000000", &long[0])),
        app(App, "乙", office("某县教育局"), Some(true), contact("2026-01-25", &long[1])),
        RosterEntry { platform: Some("微信".into()), ..account },
        app(MiniProgram, "丁", office("某县水务局"), Some(false), contact("2.5", "")),
        app(MiniProgram, "戊", office("某县水务局"), Some(false), contact("000042", &"x".repeat(300))),
        app(MiniProgram, "己", office("某县水务局"), Some(false), contact("0.01", "")),
    ];
    for (found, expected) in entries(&roster).iter().zip(&expected) {
        // The texts are too long to be shown.
        assert!(found == expected, "{:?} {:.40?}", found.name, found.contact);
    }
    assert_eq!(roster.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [4, 5, 7, 8, 9, 10]);

    for length in [9, 600, bytes.len() / 2, bytes.len() - 2_000] {
        let said = error(&bytes[..length]);
        assert!(said.contains("damaged") || said.contains("no workbook"), "{length}: {said}");
    }
}

const SHEET: &str = "<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" t=\"s\"><v>1</v></c></row>\
                     <row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>应用</t></is></c><c r=\"B2\" t=\"str\"><v>甲</v></c></row></sheetData></worksheet>";
const STRINGS: &str = "<sst count=\"2\" uniqueCount=\"2\"><si><t>类型</t></si><si><r><t>名</t></r><r><t>称</t></r><rPh><t>mingcheng</t></rPh></si></sst>";

fn xlsx(sheet: &str, strings: &str) -> Vec<u8> {
    let relations = |rows: &str| {
        format!(
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{rows}</Relationships>"
        )
    };
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let first = relations(&format!(
        "<Relationship Id=\"r\" Type=\"{office}/officeDocument\" Target=\"xl/workbook.xml\"/>"
    ));
    let book = relations(&format!(
        "<Relationship Id=\"rId1\" Type=\"{office}/worksheet\" Target=\"worksheets/sheet1.xml\"/>\
         <Relationship Id=\"rId2\" Type=\"{office}/sharedStrings\" Target=\"/xl/sharedStrings.xml\"/>"
    ));
    zip(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("_rels/.rels", first.as_bytes()),
        (
            "xl/workbook.xml",
            b"<workbook><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"rId1\"/></sheets></workbook>",
        ),
        ("xl/_rels/workbook.xml.rels", book.as_bytes()),
        ("xl/sharedStrings.xml", strings.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
    ])
}

fn one_row(bytes: &[u8]) {
    let roster = parse(bytes);
    assert_eq!(roster.rows.len(), 1);
    assert_eq!((roster.rows[0].line, roster.rows[0].entry.name.as_deref()), (2, Some("甲")));
}

#[test]
fn what_a_workbook_only_states_counts_for_nothing() {
    one_row(&xlsx(SHEET, STRINGS));
    let begin = Instant::now();
    let stated = STRINGS.replace("\"2\"", "\"18446744073709551615\"");
    one_row(&xlsx(SHEET, &stated));
    for dimension in ["A1:XFD1048576", "B5:A1", "ZZZZZ99999999999", ""] {
        let sheet = SHEET.replace("<sheetData>", &format!("<dimension ref=\"{dimension}\"/><sheetData>"));
        one_row(&xlsx(&sheet, STRINGS));
    }
    let mut empty = String::from("<row r=\"3\"/>");
    (4..=1_000_000)
        .step_by(10)
        .for_each(|row| empty.push_str(&format!("<row r=\"{row}\"><c r=\"A{row}\" s=\"1\"/></row>")));
    empty.push_str("<row r=\"1048576\"><c r=\"XFD1048576\"/></row></sheetData>");
    one_row(&xlsx(&SHEET.replace("</sheetData>", &empty), STRINGS));
    let merged = "</sheetData><mergeCells><mergeCell ref=\"A2:XFD1048576\"/><mergeCell ref=\"B9:A1\"/><mergeCell ref=\"x\"/></mergeCells>";
    one_row(&xlsx(&SHEET.replace("</sheetData>", merged), STRINGS));
    assert!(begin.elapsed() < Duration::from_secs(20));
}

#[test]
fn damaged_workbooks_are_named_with_their_place() {
    let good = xlsx(SHEET, STRINGS);
    for length in [10, good.len() / 2, good.len() - 30] {
        let said = error(&good[..length]);
        assert!(said.contains("damaged"), "{length}: {said}");
    }
    for (sheet, expected) in [
        (SHEET.replace("</sheetData></worksheet>", ""), "sheet1.xml: damaged"),
        (SHEET.replace("</row>", "</rwo>"), "sheet1.xml: damaged"),
        (SHEET.replace("\"A2\"", "\"A99999999999\""), "[S]:2: no cell is at \"A99999999999\""),
        (SHEET.replace("\"A2\"", "\"A0\""), "[S]:2: no cell is at \"A0\""),
        (SHEET.replace("<row r=\"2\">", "<row r=\"4294967297\">"), "[S]:2: no cell is at"),
        (SHEET.replace("\"B2\"", "\"IW2\""), "[S]:2: more than 256 columns"),
        (SHEET.replace("<v>1</v>", "<v>7</v>"), "[S]:1: refers to the text 7"),
        (SHEET.replace("甲", &"长".repeat(32_768)), "[S]:2: a cell of more than 32767 characters"),
        ("<html/>".to_owned(), "no line of headings"),
    ] {
        let said = error(&xlsx(&sheet, STRINGS));
        assert!(said.contains(expected), "{expected}: {said}");
    }
    for (rows, expected) in [
        (format!("<table:table-row>{}{}", ods_cell("类型"), ods_cell("名称")), "content.xml: damaged"),
        (
            format!(
                "<table:table-row>{0}{0}</table:table-row><table:table-row table:number-rows-repeated=\"99999999999\">{0}</table:table-row>",
                ods_cell("类型")
            ),
            "more than 200000 rows",
        ),
        (
            format!(
                "<table:table-row>{}</table:table-row>",
                ods_cell("类型").replace(
                    "<table:table-cell",
                    "<table:table-cell table:number-columns-repeated=\"18446744073709551615\""
                )
            ),
            "more than 256 columns",
        ),
    ] {
        let said = error(&ods(&rows));
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn bombs_and_mazes_end_in_an_error() {
    let begin = Instant::now();
    let spaces = " ".repeat(100 << 20);
    let bomb = xlsx(&SHEET.replace("<sheetData>", &format!("{spaces}<sheetData>")), STRINGS);
    assert!(bomb.len() < 1 << 20, "{}", bomb.len());
    assert!(error(&bomb).contains("larger than 64 MiB"), "{}", error(&bomb));
    // The size is only stated: 1 instead of 100 MiB, in both headers.
    let (whole, one) = (((100u32 << 20) + SHEET.len() as u32).to_le_bytes(), 1u32.to_le_bytes());
    let mut lying = bomb;
    let places: Vec<usize> = (0..lying.len() - 4).filter(|at| lying[*at..*at + 4] == whole).collect();
    assert!(!places.is_empty());
    places.into_iter().for_each(|at| lying[at..at + 4].copy_from_slice(&one));
    assert!(error(&lying).contains("larger than 64 MiB"), "{}", error(&lying));

    // One long text that every cell refers to.
    let strings = format!("<sst><si><t>{}</t></si></sst>", "长".repeat(32_000));
    let rows: String = (1..=2_000)
        .map(|row| format!("<row r=\"{row}\"><c r=\"A{row}\" t=\"s\"><v>0</v></c></row>"))
        .collect();
    let said = error(&xlsx(&format!("<worksheet><sheetData>{rows}</sheetData></worksheet>"), &strings));
    assert!(said.contains("too much text"), "{said}");

    let deep = format!("{}{}", "<a>".repeat(200_000), "</a>".repeat(200_000));
    one_row(&xlsx(&SHEET.replace("<sheetData>", &format!("{deep}<sheetData>")), STRINGS));
    let entities = "<?xml version=\"1.0\"?><!DOCTYPE sst [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]>";
    one_row(&xlsx(SHEET, &format!("{entities}{STRINGS}")));
    let quotes = format!("类型,名称\n应用,甲\n应用,\"乙\n{}", "应用,丙,丁\n".repeat(50));
    let roster = parse(quotes.as_bytes());
    assert_eq!(roster.rows.len(), 1);
    assert_eq!(roster.rejected.iter().map(|row| row.line).collect::<Vec<_>>(), [3]);
    assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", begin.elapsed());
}

#[test]
fn what_is_no_table_says_so() {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/built");
    assert!(error(&fs::read(built.join("grid-patrol.apk")).unwrap()).contains("neither an XLSX nor an ODS"));
    assert!(error(b"<html><table><tr><td>kind</td></tr></table></html>").contains("web page"));
    assert!(error(b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0\0\0").contains("XLS file is damaged"));
    assert!(error(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR").contains("neither UTF-8 nor GB18030"));
    assert!(error("kind,name\0\n".as_bytes()).contains("neither UTF-8"));
    assert!(error(b"").contains("no line of headings"));
    let output = run(&["roster", "check", "/no/roster.xlsx"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("/no/roster.xlsx"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_bytes_end_in_rows_or_an_error(at in any::<prop::sample::Index>(), with in any::<[u8; 3]>(), kind in 0..5) {
        let mut sheet = SHEET.as_bytes().to_vec();
        let mut strings = STRINGS.as_bytes().to_vec();
        let mut whole = Vec::new();
        let damage = |bytes: &mut Vec<u8>| {
            let at = at.index(bytes.len() - 3);
            bytes[at..at + 3].copy_from_slice(&with);
        };
        match kind {
            0 => damage(&mut sheet),
            1 => damage(&mut strings),
            2 => {
                whole = xlsx(SHEET, STRINGS);
                damage(&mut whole);
            }
            3 => {
                whole = fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/roster/roster.xls")).unwrap();
                // The header, the tables and the beginning of the stream; the rest is text.
                let (mut head, rest) = (whole[..6_000].to_vec(), whole[6_000..].to_vec());
                damage(&mut head);
                whole = [head, rest].concat();
            }
            _ => {
                whole = encoded(table(",", true), Some("gb18030"));
                damage(&mut whole);
            }
        }
        if whole.is_empty() {
            whole = xlsx(&String::from_utf8_lossy(&sheet), &String::from_utf8_lossy(&strings));
        }
        let _ = Roster::parse(&whole, Path::new(""), &Layout::default());
        let _ = FilingList::parse(&whole);
    }
}

#[test]
fn headings_are_mapped_by_the_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (roster, config) = (path("名录.csv"), path("zhijian.toml"));
    fs::write(&roster, "对象种类,称呼,单位全称\n应用,甲,某局\n").unwrap();
    fs::write(&config, "").unwrap();
    let refused = run(&["roster", "check", &roster, "--config", &config]);
    assert_eq!(refused.status.code(), Some(2));
    fs::write(&config, "[roster.columns]\n'对象种类' = 'kind'\n'称呼' = 'name'\n'单位全称' = 'owner'\n")
        .unwrap();
    let (checked, code) = json(&["roster", "check", &roster, "--config", &config]);
    assert_eq!((code, checked["rows"][0]["owner"].as_str()), (Some(0), Some("某局")));
    assert_eq!(checked["rows"][0]["key"], "app:某局/甲");
    fs::write(&config, "[roster.columns]\n'单位全称' = 'boss'\n").unwrap();
    let wrong = run(&["roster", "check", &roster, "--config", &config]);
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert!(
        wrong.status.code() == Some(2) && said.contains("zhijian.toml: 2:") && said.contains("boss"),
        "{said}"
    );
}

#[test]
fn plan_and_run_take_workbooks() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_row(1, 0, ["类型", "名称", "主办单位", "地址"]).unwrap();
    sheet.write_row(2, 0, ["移动应用程序", "网格通", "某局", "grid.apk"]).unwrap();
    sheet.write_row(4, 0, ["小程序", "没有地址", "某局"]).unwrap();
    sheet.write_row(5, 0, ["网站", "不是对象", "某局"]).unwrap();
    fs::write(path("roster.xlsx"), book.save_to_buffer().unwrap()).unwrap();
    fs::copy(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/built/reader.apk"), path("grid.apk")).unwrap();
    fs::write(path("zhijian.toml"), format!("[fetch]\nstore = '{}'\n", path("store"))).unwrap();
    let (roster, config) = (path("roster.xlsx"), path("zhijian.toml"));
    let (summary, code) = json(&["run", &roster, "--config", &config]);
    assert_eq!((code, summary["counts"]["scanned"].as_u64()), (Some(3), Some(1)), "{summary:#}");
    let missed: Vec<(u64, &str)> = summary["missed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["line"].as_u64().unwrap(), one["cause"].as_str().unwrap()))
        .collect();
    assert_eq!(missed, [(5, "no-address"), (6, "bad-row")]);
}

#[test]
fn a_re_import_is_shown_before_it_is_applied() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (old, new) = (path("old.csv"), path("new.xlsx"));
    fs::write(
        &old,
        "类型,标识,名称,主办单位,层级,地址\n应用,cn.gov.a,甲,某局,县级,https://a.gov.cn/a.apk\n应用,cn.gov.b,乙,某局,市级,\n应用,cn.gov.c,丙,某局,,\n",
    )
    .unwrap();
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.write_row(0, 0, ["类型", "标识", "名称", "主办单位", "层级", "地址"]).unwrap();
    sheet
        .write_row(
            1,
            0,
            ["应用", "cn.gov.a", "甲", "某局", "市级", "https://a.gov.cn/a.apk；https://b.gov.cn/a.apk"],
        )
        .unwrap();
    sheet.write_row(2, 0, ["应用", "cn.gov.b", "乙", "某局", "市级"]).unwrap();
    sheet.write_row(3, 0, ["应用", "cn.gov.d", "丁", "某局"]).unwrap();
    fs::write(&new, book.save_to_buffer().unwrap()).unwrap();
    let (diff, code) = json(&["roster", "diff", &old, &new]);
    assert_eq!(code, Some(0));
    assert_eq!(diff["added"].as_object().unwrap().keys().collect::<Vec<_>>(), ["app:cn.gov.d"]);
    assert_eq!(diff["removed"].as_object().unwrap().keys().collect::<Vec<_>>(), ["app:cn.gov.c"]);
    assert_eq!(diff["unchanged"], 1);
    assert_eq!(diff["changed"][0]["key"], "app:cn.gov.a");
    assert_eq!(diff["changed"][0]["columns"], serde_json::json!(["level", "address"]));
    assert_eq!(
        (&diff["changed"][0]["before"]["level"], &diff["changed"][0]["entry"]["level"]),
        (&"county".into(), &"city".into())
    );
    let shown = run(&["roster", "diff", &old, &new]);
    let text = String::from_utf8(shown.stdout).unwrap();
    assert!(text.contains("层级  县级 → 市级"), "{text}");
    fits(&text);
}

fn fits(text: &str) {
    assert!(text.lines().all(|line| line.width() <= 80), "{text}");
}

#[test]
fn a_check_says_what_is_wrong_and_fits_the_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("名录.csv").to_str().unwrap().to_owned();
    let mut text = String::from(
        "类型,标识,名称,主办单位,层级,备案编号,备注\n应用,cn.gov.a,甲,某局,县级,,\n应用,cn.gov.a,甲之二,某局,县级,,\n",
    );
    text.push_str("应用,cn.gov.b,乙,某局,村级,蜀ICP备2026000001号,\n应用,cn.gov.c,丙,某局\u{1b}[31m,,,\n网站,,\u{202e}丁,,,,\n应用,,,,,,\n应用,,戊,某局,县级,,说明,多出一列\n");
    fs::write(&path, &text).unwrap();
    let (checked, code) = json(&["roster", "check", &path]);
    assert_eq!(code, Some(1));
    let lines: Vec<u64> =
        checked["rejected"].as_array().unwrap().iter().map(|row| row["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [4, 6, 7, 8]);
    assert_eq!(checked["repeated"], serde_json::json!([[3, 2]]));
    assert_eq!(checked["ignored"], serde_json::json!(["备注"]));
    let both = checked["rejected"][0]["reason"].as_str().unwrap();
    assert!(both.contains("村级") && both.contains("ICP备案号"), "every reason is given: {both}");
    // Rows 2 and 5 are kept.
    let missing = BTreeMap::from([("level", 1), ("filing", 2), ("address", 2), ("region", 2)]);
    for (column, count) in missing {
        assert_eq!(checked["missing"][column], count, "{column}");
    }
    assert_eq!(checked["missing"].get("owner"), None);
    for lang in ["zh", "en"] {
        let output = run(&["roster", "check", &path, "--lang", lang]);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text:?}");
        fits(&text);
    }
}

const ROSTER: &str = "\
类型,标识,名称,主办单位,备案编号,状态
应用,cn.gov.a,甲,某市大数据局,备1号,在用
应用,,乙通,青岚县人民政府办公室,,
应用,,丙,,,
应用,cn.gov.d,丁,某县教育局,备１号,
应用,cn.gov.e,戊,某县卫健局,备5号,在用
应用,cn.gov.f,己,某县民政局,备6号,已关停
应用,cn.gov.g,庚,某县水务局,备7号,已关停
应用,cn.gov.h,辛,某县林业局,备99号,
公众账号,,某县发布,某县政府,,
小程序,,壬,某县交通局,,
应用,,壬,某县交通局,,
应用,cn.gov.k,寅,某县商务局,备30号,
";

const LIST: &str = "\
2026年政务应用程序备案清单
序号,应用名称,包名,主办单位,备案编号,备案日期,状态
1,甲,cn.gov.a,某市大数据局,备1号,2026-03-03,有效
2,乙 通,,青岚县政府办公室,备2号,2026-03-03,
3,丙,,某局,备3号,2026-03-03,
4,戊,cn.gov.e,某县卫健局,备5号,2026-03-03,已注销
5,己,cn.gov.f,某县民政局,备6号,2026-03-03,已注销
6,庚,cn.gov.g,某县水务局,备7号,2026-03-03,有效
7,壬,,某县交通局,备9号,2026-03-03,
8,癸,,某镇政府,备20号,2026-03-03,
9,子,,某乡政府,备21号,2026-03-03,撤销
10,寅,cn.gov.k,某县商务局,备31号,2026-03-03,
";

#[test]
fn the_six_outcomes() {
    let seen = |source: &str, kind, id: Option<&str>, name: &str, online| Seen {
        source: source.into(),
        kind,
        id: id.map(str::to_owned),
        name: Some(name.into()),
        owner: None,
        online,
    };
    let sights = [
        seen("a.apk", TargetKind::App, Some("cn.gov.a"), "甲", false),
        seen("https://g.gov.cn/g.apk", TargetKind::App, Some("cn.gov.g"), "庚", true),
        seen("https://z.gov.cn/z.apk", TargetKind::App, None, "子", true),
        seen("https://x.gov.cn/x.apk", TargetKind::App, Some("cn.gov.x"), "丑", true),
        seen("https://k.gov.cn/k.ipa", TargetKind::App, Some("cn.gov.k.ios"), "寅", true),
        seen("https://y.gov.cn/", TargetKind::Account, None, "某乡发布", true),
    ];
    let list = FilingList::parse(LIST.as_bytes()).unwrap();
    assert_eq!(list.rows.iter().filter(|row| row.state == FilingState::Valid).count(), 7);
    let compared = compare_filings(&parse(ROSTER.as_bytes()), &list, &sights);
    let row = |one: &Compared| {
        (one.outcome, one.certainty, one.name.clone(), one.roster, one.list, one.seen.clone())
    };
    let want = |outcome, certainty, name: &str, roster, list, seen: Option<&str>| {
        (outcome, certainty, name.to_owned(), roster, list, seen.map(str::to_owned))
    };
    use Certainty::{Certain, NameOnly};
    use Outcome::{ClosedOnline, Filed, NotFiled, NotInRoster, NotItsNumber, Unknown};
    let expected = [
        // 备1号 is that of 甲.
        want(NotItsNumber, Certain, "丁", Some(5), Some(3), None),
        // The list has another number for it.
        want(NotItsNumber, Certain, "寅", Some(13), Some(12), None),
        // Cancelled, and in use by the roster.
        want(ClosedOnline, Certain, "戊", Some(6), Some(6), None),
        // Closed by the roster, and seen.
        want(ClosedOnline, Certain, "庚", Some(8), Some(8), Some("https://g.gov.cn/g.apk")),
        // Revoked, and an app of that name was seen.
        want(ClosedOnline, NameOnly, "子", None, Some(11), Some("https://z.gov.cn/z.apk")),
        want(NotFiled, Certain, "己", Some(7), Some(7), None),
        want(NotFiled, Certain, "辛", Some(9), None, None),
        // The roster has another id under that name.
        want(Unknown, NameOnly, "寅", Some(13), Some(12), Some("https://k.gov.cn/k.ipa")),
        want(Unknown, Certain, "丑", None, None, Some("https://x.gov.cn/x.apk")),
        want(NotInRoster, Certain, "癸", None, Some(10), None),
        want(Filed, Certain, "甲", Some(2), Some(3), Some("a.apk")),
        want(Filed, Certain, "乙通", Some(3), Some(4), None),
        want(Filed, NameOnly, "丙", Some(4), Some(5), None),
        // One filing, an app and a mini program of that name.
        want(Filed, NameOnly, "壬", Some(11), Some(9), None),
        want(Filed, NameOnly, "壬", Some(12), Some(9), None),
    ];
    assert_eq!(compared.iter().map(row).collect::<Vec<_>>(), expected);
    assert!(compared[0].reason.contains("甲（某市大数据局）"), "{}", compared[0].reason);
    assert!(compared[1].reason.contains("备31号"));
}

#[test]
fn the_comparison_on_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let (roster, list, seen) = (path("名录.csv"), path("清单.csv"), path("reports"));
    fs::write(&roster, format!("{ROSTER}应用,cn.gov.example.grid,某市网格通,某市大数据局,,\n")).unwrap();
    fs::write(&list, format!("{LIST}11,某市网格通,cn.gov.example.grid,某市大数据局,备40号,2026-13-03,\n"))
        .unwrap();
    fs::create_dir(&seen).unwrap();
    fs::write(Path::new(&seen).join("notes.txt"), "no report").unwrap();
    let package = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/built/grid-patrol.apk");
    let report = run(&["scan", package, "--format", "json"]);
    fs::write(Path::new(&seen).join("grid.json"), report.stdout).unwrap();
    let args = ["roster", "compare", &roster, "--filings", &list, "--seen", &seen];
    let (compared, code) = json(&args);
    assert_eq!(code, Some(1), "a line of the list has an impossible day");
    assert_eq!(compared["list_rejected"][0]["line"], 13);
    assert_eq!(compared["seen"], 1);
    let of = |name: &str| {
        let rows = compared["compared"].as_array().unwrap();
        rows.iter().find(|row| row["name"] == name).unwrap().clone()
    };
    let grid = of("某市网格通");
    assert_eq!((grid["outcome"].as_str(), grid["roster"].as_u64()), (Some("not-filed"), Some(14)));
    assert!(grid["seen"].as_str().unwrap().ends_with("grid-patrol.apk"));
    assert_eq!(compared["counts"]["not-its-number"], 2);
    for lang in ["zh", "en"] {
        let output = run(&[&args[..], &["--lang", lang, "--all"]].concat());
        assert!(
            String::from_utf8_lossy(&output.stderr).contains('1'),
            "the file that is no report is counted"
        );
        fits(&String::from_utf8(output.stdout).unwrap());
    }
}
