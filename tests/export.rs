//! Codes as lists and as pictures, read again by other programs.

#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub, reason = "a test fails by panicking")]

use std::io::{self, Cursor, Write};

use calamine::{Data, Reader, Xlsx};
use zhijian::export::{self, Painter, PictureError, svg};
use zhijian::model::{
    CODE_SCHEMA, CodeDocument, CodeReason, ColorCode, EventLink, Lang, OfficeLevel, ReportLink, TargetKind,
};

fn code(number: u64, colour: ColorCode) -> CodeDocument {
    CodeDocument {
        schema: CODE_SCHEMA.into(),
        target: format!("app:cn.gov.example.app{number}"),
        kind: TargetKind::App,
        name: Some(format!("某市网格通{number}")),
        owner: Some("某市大数据局".into()),
        level: Some(OfficeLevel::City),
        region: Some("某省/某市".into()),
        filing: Some("政备51000000123号".into()),
        code: colour,
        state: "待整改".into(),
        state_en: "to be rectified".into(),
        reasons: vec![CodeReason {
            id: "confirmed-finding".into(),
            text: "检出已确认的禁止类功能。".into(),
            text_en: "A prohibited function is confirmed.".into(),
        }],
        since: "2026-11-20T18:00:00Z".parse().unwrap(),
        as_of: "2026-11-26T02:00:00Z".parse().unwrap(),
        policy: "zhijian.default/1".into(),
        last_event: EventLink { seq: number, hash: "ab".repeat(32) },
        report: Some(ReportLink {
            sha256: "cd".repeat(32),
            address: Some("https://code.example.gov.cn/r/1".into()),
        }),
    }
}

fn written(format: &str, codes: &[CodeDocument], lang: Lang) -> Vec<u8> {
    let mut out = Vec::new();
    let mut codes = codes.iter().cloned().map(Ok);
    (export::format(format).unwrap().write)(&mut codes, lang, &mut out).unwrap();
    out
}

/// Names that spreadsheets would compute, and one of every kind of trouble.
fn hostile() -> Vec<CodeDocument> {
    let names = [
        "=HYPERLINK(\"http://x\",\"y\")",
        "+1+1",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "a\"b,c\r\nd",
        "\u{1b}[31m\u{202e}\u{0}",
        "＝1",
        "😀",
        "",
    ];
    let long = "长".repeat(40_000);
    let names = names.into_iter().map(str::to_owned).chain([long]);
    let with = |(number, name)| CodeDocument { name: Some(name), ..code(number, ColorCode::None) };
    (0..).zip(names).map(with).collect()
}

#[test]
fn json_and_lines_are_the_documents() {
    for codes in [vec![], vec![code(1, ColorCode::Green)], hostile()] {
        let array: Vec<CodeDocument> = serde_json::from_slice(&written("json", &codes, Lang::Zh)).unwrap();
        assert_eq!(array, codes);
        let lines = String::from_utf8(written("jsonl", &codes, Lang::Zh)).unwrap();
        let lines: Vec<CodeDocument> =
            lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines, codes);
        let text = String::from_utf8(written("json", &codes, Lang::Zh)).unwrap();
        assert!(!text.chars().any(|ch| ch != '\n' && (ch.is_control() || ch == '\u{202e}')));
    }
    let schema = serde_json::to_value(schemars::schema_for!(CodeDocument)).unwrap();
    jsonschema::validate(&schema, &serde_json::to_value(code(1, ColorCode::Red)).unwrap()).unwrap();
}

#[test]
fn csv_is_for_excel_and_computes_nothing() {
    let codes = hostile();
    let bytes = written("csv", &codes, Lang::Zh);
    assert!(bytes.starts_with(b"\xef\xbb\xbf"));
    let mut reader = csv::Reader::from_reader(&bytes[3..]);
    let head = reader.headers().unwrap().clone();
    let name = head.iter().position(|title| title == "名称").unwrap();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), codes.len());
    for (row, code) in rows.iter().zip(&codes) {
        let cell = &row[name];
        let original = code.name.as_deref().unwrap();
        assert!(cell == original || cell.strip_prefix('\'') == Some(original), "{cell:?}");
        for cell in row {
            assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '＝', '＋', '－', '＠']), "{cell:?}");
        }
    }
    let row = &rows[0];
    let cell = |title: &str| &row[head.iter().position(|known| known == title).unwrap()];
    assert_eq!(cell("赋码"), "未赋码");
    assert_eq!(cell("层级"), "市级");
    // 18:00 UTC is two o'clock of the next day in Beijing.
    assert_eq!(cell("自何时起"), "2026-11-21 02:00");
    assert_eq!(cell("报告地址"), "https://code.example.gov.cn/r/1");
    let english = String::from_utf8(written("csv", &codes[..1], Lang::En)).unwrap();
    assert!(english.contains("no code,to be rectified,A prohibited function is confirmed."), "{english}");
}

#[test]
fn a_spreadsheet_has_rows_of_text_and_a_summary() {
    let mut codes = hostile();
    codes.push(CodeDocument {
        level: None, region: Some("某省/某县".into()), ..code(90, ColorCode::Green)
    });
    codes.push(CodeDocument { level: Some(OfficeLevel::County), ..code(91, ColorCode::Red) });
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(written("xlsx", &codes, Lang::Zh))).unwrap();
    assert_eq!(book.sheet_names(), ["汇总", "赋码"]);
    let formulas = book.worksheet_formula("赋码").unwrap();
    assert!(formulas.cells().all(|(_, _, formula)| formula.is_empty()));
    let sheet = book.worksheet_range("赋码").unwrap();
    let rows: Vec<&[Data]> = sheet.rows().collect();
    assert_eq!(rows.len(), codes.len() + 1);
    let column = |title: &str| rows[0].iter().position(|cell| *cell == *title).unwrap();
    let (name, colour, event) = (column("名称"), column("赋码"), column("依据事件"));
    for (row, code) in rows[1..].iter().zip(&codes) {
        assert!(row.iter().all(|cell| matches!(cell, Data::String(_) | Data::Empty)), "{row:?}");
        let original = code.name.as_deref().unwrap();
        let cell = row[name].to_string();
        match original.chars().count() > 32_767 {
            true => assert!(
                original.starts_with(cell.strip_suffix('…').unwrap()) && cell.chars().count() == 32_767
            ),
            // Readers of spreadsheets make one line end of another.
            false => assert_eq!(cell.replace("\r\n", "\n"), original.replace("\r\n", "\n")),
        }
        assert_eq!(row[colour].to_string(), code.code.zh());
        assert_eq!(row[event].to_string(), code.last_event.seq.to_string());
    }
    let summary = book.worksheet_range("汇总").unwrap();
    let rows: Vec<Vec<String>> =
        summary.rows().map(|row| row.iter().map(ToString::to_string).collect()).collect();
    let line = |label: &str| rows.iter().find(|row| row[0] == label).unwrap()[1..6].join(" ");
    let hostile = codes.len() - 2;
    assert_eq!(line("合计"), "绿码 蓝码 红码 未赋码 合计");
    assert_eq!(line("全部"), format!("1 0 1 {hostile} {}", hostile + 2));
    assert_eq!(line("市级"), format!("0 0 0 {hostile} {hostile}"));
    assert_eq!(line("县级"), "0 0 1 0 1");
    assert_eq!(line("未填写"), "1 0 0 0 1");
    assert_eq!(line("某省/某县"), "1 0 0 0 1");
    assert_eq!(line("某省/某市"), format!("0 0 1 {hostile} {}", hostile + 1));
    assert_eq!(rows.iter().find(|row| row[0] == "截至").unwrap()[1], "2026-11-26 10:00");
}

#[test]
fn an_error_of_the_source_is_the_end() {
    for format in export::FORMATS {
        let mut codes =
            [Ok(code(1, ColorCode::Blue)), Err(io::Error::other("the line went dead"))].into_iter();
        let error = (format.write)(&mut codes, Lang::Zh, &mut io::sink()).unwrap_err();
        assert_eq!(error.to_string(), "the line went dead", "{}", format.name);
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::Error::other("full"))
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut codes = (0..10_000).map(|number| Ok(code(number, ColorCode::Blue)));
        assert!((format.write)(&mut codes, Lang::Zh, &mut Full).is_err(), "{}", format.name);
    }
}

const COLOURS: [ColorCode; 4] = [ColorCode::Green, ColorCode::Blue, ColorCode::Red, ColorCode::None];
const ADDRESS: &str = "https://code.example.gov.cn/reports/9f2c4ab19f2c4ab1";

/// What a scanner reads from a picture.
fn scanned(png: &[u8]) -> String {
    let picture = image::load_from_memory(png).unwrap().to_luma8();
    let (width, height) = picture.dimensions();
    let grey = |x, y| picture.get_pixel(x as u32, y as u32).0[0];
    let mut prepared = rqrr::PreparedImage::prepare_from_greyscale(width as usize, height as usize, grey);
    let grids = prepared.detect_grids();
    assert_eq!(grids.len(), 1);
    grids[0].decode().unwrap().1
}

#[test]
fn the_qr_code_of_every_colour_and_size_leads_to_the_report() {
    let painter = Painter::new();
    for colour in COLOURS {
        let svg = svg(&code(1, colour), ADDRESS, Lang::Zh).unwrap();
        for width in [200, 600] {
            let png = painter.png(&svg, width).unwrap();
            assert_eq!(scanned(&png.bytes), ADDRESS, "{colour:?} at {width}");
        }
    }
    // As long as addresses get.
    let long = format!("https://code.example.gov.cn/{}", "r".repeat(400));
    let svg = svg(&code(1, ColorCode::Green), &long, Lang::Zh).unwrap();
    let png = painter.png(&svg, 1200).unwrap();
    assert_eq!(scanned(&png.bytes), long);
    for width in [0, 99, 4801, u32::MAX] {
        assert!(matches!(painter.png(&svg, width), Err(PictureError::Width(_))));
    }
}

#[test]
fn a_picture_is_the_same_each_time_and_whole_in_itself() {
    for lang in [Lang::Zh, Lang::En] {
        for code in COLOURS.map(|colour| code(1, colour)).into_iter().chain(hostile()) {
            let drawn = svg(&code, ADDRESS, lang).unwrap();
            assert_eq!(drawn, svg(&code, ADDRESS, lang).unwrap());
            let tree = resvg::usvg::roxmltree::Document::parse(&drawn).unwrap();
            for node in tree.descendants().filter(|node| node.is_element()) {
                assert!(["svg", "title", "rect", "path", "circle", "text"].contains(&node.tag_name().name()));
                assert!(node.attributes().all(|attribute| !attribute.name().contains("href")));
            }
            let words: String = tree.descendants().filter_map(|node| node.text()).collect();
            let word = match lang {
                Lang::Zh => code.code.zh(),
                Lang::En => code.code.en(),
            };
            assert!(words.contains(word) && words.contains("政备51000000123号"), "{words}");
            assert!(!words.chars().any(|ch| ch != '\n' && (ch.is_control() || ch == '\u{202e}')));
        }
    }
}

#[test]
fn names_are_wrapped_cut_and_never_markup() {
    let drawn = |name: &str| {
        let code = CodeDocument { name: Some(name.into()), ..code(1, ColorCode::Red) };
        svg(&code, ADDRESS, Lang::Zh).unwrap()
    };
    let hostile = drawn("</text><script>alert(1)</script>&\"'");
    assert!(!hostile.contains("<script"), "{hostile}");
    assert!(hostile.contains("&lt;/text&gt;&lt;scr"));
    // 15 characters are a line, 30 are two, and what is longer ends with an ellipsis.
    let count = |name: &str| drawn(name).matches("font-size=\"36\"").count();
    assert_eq!((count("一二三"), count(&"字".repeat(15)), count(&"字".repeat(16))), (1, 1, 2));
    assert!(drawn(&"字".repeat(30)).contains(&format!(">{}</text>", "字".repeat(15))));
    assert!(drawn(&"字".repeat(31)).contains(&format!(">{}…</text>", "字".repeat(14))));
    assert!(drawn(&format!("e{}", "\u{301}".repeat(100_000))).len() < 40_000);
}

#[test]
fn what_cannot_be_a_code_is_refused() {
    let code = code(1, ColorCode::Green);
    for address in ["", "javascript:alert(1)", "file:///etc/passwd", "code.example.gov.cn"] {
        assert!(matches!(svg(&code, address, Lang::Zh), Err(PictureError::Address(_))), "{address}");
    }
    let endless = format!("https://a.cn/{}", "r".repeat(5000));
    assert!(matches!(svg(&code, &endless, Lang::Zh), Err(PictureError::TooLong(5013))));
}

#[test]
fn the_commands_write_files_whole_or_not_at_all() {
    use zhijian::ledger::Ledger;
    use zhijian::model::{Deed, Event, RosterEntry};
    let dir = tempfile::tempdir().unwrap();
    let database = format!("sqlite:{}", dir.path().join("ledger.db").display());
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let ledger = Ledger::open(&database).await.unwrap();
        let events = ["网格通", "随手拍"].map(|name| {
            let entry = RosterEntry {
                name: Some(name.into()),
                owner: Some("某市大数据局".into()),
                ..RosterEntry::new(TargetKind::App)
            };
            let target = entry.key().unwrap();
            let deed = Deed::Enrolled { entry: Box::new(entry) };
            Event { target, at: "2026-11-01T00:00:00Z".parse().unwrap(), actor: "test".into(), deed }
        });
        ledger.append(&events).await.unwrap();
        ledger.close().await;
    });
    let run = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_zhijian"));
        command.args(args).args(["--database", &database]).env("XDG_CONFIG_HOME", dir.path());
        let output = command.output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let files = ["码.json", "码.jsonl", "码.csv", "码.xlsx"].map(path);
    let args: Vec<&str> = ["code", "export"].into_iter().chain(files.iter().map(String::as_str)).collect();
    assert_eq!(run(&args), (0, String::new()));
    let codes: Vec<CodeDocument> = serde_json::from_slice(&std::fs::read(path("码.json")).unwrap()).unwrap();
    let names: Vec<_> = codes.iter().map(|code| code.name.as_deref().unwrap()).collect();
    assert_eq!(names, ["网格通", "随手拍"]);
    let mut book: Xlsx<_> = calamine::open_workbook(path("码.xlsx")).unwrap();
    assert_eq!(book.worksheet_range("赋码").unwrap().rows().count(), 3);
    let (code, words) = run(&["code", "export", &path("码.pdf")]);
    assert!(code == 2 && words.contains("xlsx"), "{words}");
    let png = path("码.png");
    let (code, words) = run(&["code", "picture", "网格通", &png]);
    assert!(code == 2 && words.contains("--address"), "{words}");
    assert!(!std::path::Path::new(&png).exists());
    let (code, words) = run(&["code", "picture", "网格通", &png, "--address", ADDRESS, "--width", "300"]);
    assert_eq!(code, 0, "{words}");
    assert_eq!(scanned(&std::fs::read(&png).unwrap()), ADDRESS);
    assert_eq!(run(&["code", "picture", "网格通", &path("码.svg"), "--address", ADDRESS]).0, 0);
    assert_eq!(run(&["code", "picture", "网格通", &png, "--address", "nowhere"]).0, 2);
    let left: Vec<_> =
        std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".tmp")), "{left:?}");
}
