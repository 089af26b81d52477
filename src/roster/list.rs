//! The roster of an office: what it is responsible for, as CSV with a heading line (UTF-8 or GB18030).
//!
//! | heading | | |
//! |---|---|---|
//! | 类型 | `kind` | 移动应用程序 `app`, 小程序 `mini-program`, 快应用 `quick-app`, 公众账号 `account`, 工作群组 `group` |
//! | 名称 | `name` | |
//! | 地址 | `address` | an address of the web, `weixin-api:` and an AppID, or a path below the folder of the roster |
//! | 主办单位 | `owner` | |
//! | 备案编号 | `filing` | |
//! | 许可证编号 | `licence` | |
//! | 发布类 | `publishes` | 是 `yes`, 否 `no` |
//!
//! A row that cannot be read is reported with its line and the reason; the others are kept.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use encoding_rs::GB18030;
use thiserror::Error;
use url::Url;

use crate::model::{Registered, Rejected, TargetKind, Wording};

/// Why there is no roster.
#[derive(Debug, Error)]
pub enum RosterError {
    /// The file could not be read.
    #[error("{path}: {source}", path = path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is no roster.
    #[error("{path}: {cause}", path = path.display())]
    NoRoster {
        /// The file.
        path: PathBuf,
        /// What is missing.
        cause: String,
    },
}

/// Where a target is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// On the web, or `weixin-api:` and the AppID of an account.
    Web(Url),
    /// On disk: a package, a folder, a saved page, an export.
    File(PathBuf),
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Line of the file, from 1.
    pub line: u64,
    /// What it is.
    pub kind: TargetKind,
    /// Address as written; empty where there is none.
    pub written: String,
    /// Where it is; `None` where the roster does not say.
    pub address: Option<Address>,
    /// Filing number.
    pub filing: Option<String>,
    /// What a scan compares with what it sees.
    pub registered: Registered,
}

/// A roster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    /// Rows that could be read, each target once, in the order of the file.
    pub rows: Vec<Row>,
    /// Rows that could not be read.
    pub rejected: Vec<Rejected>,
    /// Rows that repeat a target: their line, and the line where it stands first.
    pub repeated: Vec<(u64, u64)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Name,
    Kind,
    Owner,
    Address,
    Filing,
    Licence,
    Publishes,
}

const COLUMNS: &[(Column, &[&str])] = &[
    (Column::Name, &["名称", "name"]),
    (Column::Kind, &["类型", "kind", "type"]),
    (Column::Owner, &["主办单位", "owner"]),
    (Column::Address, &["地址", "网址", "address", "url"]),
    (Column::Filing, &["备案编号", "filing", "filing number"]),
    (Column::Licence, &["许可证编号", "licence", "license"]),
    (Column::Publishes, &["发布类", "publishes"]),
];

const KINDS: &[(TargetKind, &[&str])] = &[
    (TargetKind::App, &["移动应用程序", "应用", "应用程序", "政务应用程序", "app"]),
    (TargetKind::MiniProgram, &["小程序", "微信小程序", "mini program", "mini-program"]),
    (TargetKind::QuickApp, &["快应用", "quick app", "quick-app"]),
    (TargetKind::Account, &["公众账号", "政务公众账号", "账号", "公众号", "account"]),
    (TargetKind::Group, &["工作群组", "网络工作群组", "群组", "工作群", "group"]),
];

impl Roster {
    /// Reads a roster; paths in it are below its folder.
    pub fn read(path: &Path) -> Result<Self, RosterError> {
        let bytes = std::fs::read(path)
            .map_err(|source| RosterError::Unreadable { path: path.to_owned(), source })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        Roster::parse(&bytes, folder).map_err(|cause| RosterError::NoRoster { path: path.to_owned(), cause })
    }

    /// Reads the bytes of a roster that is in a folder.
    pub fn parse(bytes: &[u8], folder: &Path) -> Result<Self, String> {
        let text = decode(bytes)?;
        let mut reader =
            csv::ReaderBuilder::new().trim(csv::Trim::All).flexible(true).from_reader(text.as_bytes());
        let headings = reader.headers().map_err(|error| error.to_string())?.clone();
        let mut columns = Vec::new();
        for (at, heading) in headings.iter().enumerate() {
            let heading = heading.to_ascii_lowercase();
            let known = COLUMNS.iter().find(|(_, names)| names.contains(&heading.as_str()));
            let Some((column, _)) = known else { continue };
            if columns.iter().any(|(_, other)| other == column) {
                return Err(format!("the column {heading} is there twice"));
            }
            columns.push((at, *column));
        }
        for (needed, name) in [(Column::Kind, "kind (类型)"), (Column::Address, "address (地址)")] {
            if !columns.iter().any(|(_, column)| *column == needed) {
                return Err(format!("no column {name} in the first line"));
            }
        }
        let mut roster = Roster::default();
        let mut seen: HashMap<(TargetKind, Address), u64> = HashMap::new();
        for record in reader.records() {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    let line = error.position().map_or(0, csv::Position::line);
                    roster.reject(line, error.to_string().into());
                    continue;
                }
            };
            let line = record.position().map_or(0, |position| line(&text, position));
            let cell = |wanted: Column| {
                let at = columns.iter().find(|(_, column)| *column == wanted).map(|(at, _)| *at);
                at.and_then(|at| record.get(at)).filter(|cell| !cell.is_empty())
            };
            if record.iter().all(str::is_empty) {
                continue;
            }
            match row(line, cell, folder) {
                Err(reason) => roster.reject(line, reason),
                Ok(row) => {
                    let first =
                        row.address.clone().map(|address| *seen.entry((row.kind, address)).or_insert(line));
                    match first {
                        Some(first) if first != line => roster.repeated.push((line, first)),
                        _ => roster.rows.push(row),
                    }
                }
            }
        }
        Ok(roster)
    }

    fn reject(&mut self, line: u64, reason: Wording) {
        self.rejected.push(Rejected { line, reason: reason.zh, reason_en: reason.en });
    }
}

/// Line of a record: its position is before the empty lines that come before it.
fn line(text: &str, position: &csv::Position) -> u64 {
    let before = usize::try_from(position.byte()).ok().and_then(|at| text.as_bytes().get(at..));
    let empty = before.unwrap_or_default().iter().take_while(|byte| matches!(byte, b'\r' | b'\n'));
    position.line() + empty.filter(|byte| **byte == b'\n').count() as u64
}

fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, String> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(text.into());
    }
    let (text, broken) = GB18030.decode_without_bom_handling(bytes);
    match broken {
        true => Err("neither UTF-8 nor GB18030".into()),
        false => Ok(text),
    }
}

fn row<'r>(line: u64, cell: impl Fn(Column) -> Option<&'r str>, folder: &Path) -> Result<Row, Wording> {
    let owned = |column| cell(column).map(str::to_owned);
    let kind = cell(Column::Kind).ok_or(("没有填写类型", "no kind"))?;
    let lower = kind.to_ascii_lowercase();
    let found = KINDS.iter().find(|(_, names)| names.contains(&lower.as_str()));
    let unknown = || {
        let first = |at: fn(&&[&'static str]) -> Option<&'static str>| {
            KINDS.iter().filter_map(|(_, names)| at(names)).collect::<Vec<_>>()
        };
        let (zh, en) = (first(|names| names.first().copied()), first(|names| names.last().copied()));
        (
            format!("类型“{kind}”无法识别，应为{}之一", zh.join("、")),
            format!("the kind {kind:?} is not one of {}", en.join(", ")),
        )
    };
    let (kind, _) = found.ok_or_else(unknown)?;
    let publishes = match cell(Column::Publishes).map(str::to_ascii_lowercase).as_deref() {
        None => None,
        Some("是" | "yes" | "true" | "1") => Some(true),
        Some("否" | "no" | "false" | "0") => Some(false),
        Some(other) => {
            let zh = format!("发布类应为是或否，不是“{other}”");
            return Err((zh, format!("publishes is yes or no, not {other:?}")).into());
        }
    };
    let name = owned(Column::Name);
    let written = cell(Column::Address).unwrap_or_default();
    if name.is_none() && written.is_empty() {
        return Err(("名称和地址都没有填写", "neither a name nor an address").into());
    }
    Ok(Row {
        line,
        kind: *kind,
        written: written.to_owned(),
        address: if written.is_empty() { None } else { Some(address(written, folder)?) },
        filing: owned(Column::Filing),
        registered: Registered {
            name,
            owner: owned(Column::Owner),
            licence: owned(Column::Licence),
            publishes,
        },
    })
}

/// An address of the web if it has a scheme, else a path.
fn address(written: &str, folder: &Path) -> Result<Address, Wording> {
    let bad = |error: url::ParseError| (format!("网址有误（{error}）"), format!("no web address ({error})"));
    if written.starts_with("weixin-api:") {
        return Ok(Address::Web(Url::parse(written).map_err(bad)?));
    }
    let Some((scheme, _)) = written.split_once("://") else { return Ok(Address::File(folder.join(written))) };
    if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return Err(
            (format!("地址以 {scheme}: 开头，不是网址"), format!("{scheme}: is no web address")).into()
        );
    }
    Ok(Address::Web(Url::parse(written).map_err(bad)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "\
名称,类型,主办单位,地址,备案编号,许可证编号,发布类
某市网格通,移动应用程序,某市大数据局,https://app.example.gov.cn/grid.apk,粤应用备01号,,
某市发布,公众账号,某市人民政府,https://www.example.gov.cn/rss.xml,,某网信许字1号,是
值守群,工作群组,某街道,exports/duty.json,,,否
没有地址的,小程序,,,,,
";

    fn parse(text: &str) -> Roster {
        Roster::parse(text.as_bytes(), Path::new("/offices/a")).unwrap()
    }

    #[test]
    fn every_column_is_read() {
        let roster = parse(LIST);
        assert_eq!((roster.rejected.len(), roster.repeated.len(), roster.rows.len()), (0, 0, 4));
        let app = &roster.rows[0];
        assert_eq!((app.line, app.kind, app.filing.as_deref()), (2, TargetKind::App, Some("粤应用备01号")));
        assert_eq!(
            app.address,
            Some(Address::Web(Url::parse("https://app.example.gov.cn/grid.apk").unwrap()))
        );
        assert_eq!(
            roster.rows[1].registered,
            Registered {
                name: Some("某市发布".into()),
                owner: Some("某市人民政府".into()),
                licence: Some("某网信许字1号".into()),
                publishes: Some(true),
            }
        );
        assert_eq!(roster.rows[2].address, Some(Address::File("/offices/a/exports/duty.json".into())));
        assert_eq!(roster.rows[2].registered.publishes, Some(false));
        assert_eq!((roster.rows[3].address.as_ref(), roster.rows[3].line), (None, 5));
    }

    #[test]
    fn encodings_and_english_headings() {
        let roster = parse(LIST);
        let (gbk, _, unmappable) = GB18030.encode(LIST);
        assert!(!unmappable);
        assert_eq!(Roster::parse(&gbk, Path::new("/offices/a")).unwrap(), roster);
        assert_eq!(parse(&format!("\u{FEFF}{LIST}")), roster);
        let english = parse("Kind,ADDRESS,name,publishes\nMini-Program,a.wxapkg,A,no\n");
        assert_eq!(
            (english.rows[0].kind, english.rows[0].registered.publishes),
            (TargetKind::MiniProgram, Some(false))
        );
        assert!(Roster::parse(b"\xff\xff\xff", Path::new("")).is_err());
    }

    #[test]
    fn bad_rows_are_named_and_the_others_kept() {
        let roster = parse(
            "类型,地址,名称,发布类\napp,https://a.gov.cn/a.apk,A,\n网站,https://b.gov.cn/,B,\n\naccount,ftp://c.gov.cn/,C,\n\
             account,https://[/,D,\naccount,,,\naccount,https://e.gov.cn/,E,大概\n,https://f.gov.cn/,F,\ngroup,g.json\n",
        );
        let lines: Vec<u64> = roster.rejected.iter().map(|row| row.line).collect();
        assert_eq!(lines, [3, 5, 6, 7, 8, 9]);
        assert!(roster.rejected[0].reason.contains("网站") && roster.rejected[0].reason_en.contains("网站"));
        let kept: Vec<u64> = roster.rows.iter().map(|row| row.line).collect();
        assert_eq!(kept, [2, 10], "a short row is a row");
    }

    #[test]
    fn lines_are_counted_with_line_ends_of_windows_too() {
        let roster = parse("kind,address\r\napp,a.apk\r\n\r\napp,\"b\r\n.apk\"\r\napp,c.apk\r\n");
        assert_eq!(roster.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 4, 6]);
    }

    #[test]
    fn a_target_counts_once() {
        let roster = parse(
            "kind,address,name\naccount,https://A.gov.cn,A\naccount,https://a.gov.cn/,A again\napp,https://a.gov.cn/,other\n\
             app,,one\napp,,two\n",
        );
        assert_eq!(roster.repeated, [(3, 2)]);
        assert_eq!(roster.rows.len(), 4, "rows without an address are not the same target");
    }

    #[test]
    fn what_is_no_roster_says_what_is_missing() {
        let error = |text: &str| Roster::parse(text.as_bytes(), Path::new("")).unwrap_err();
        assert!(error("").contains("kind"));
        assert!(error("类型,名称\n").contains("address"));
        assert!(error("类型,地址,网址\n").contains("twice"));
    }
}
