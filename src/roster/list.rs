//! The roster of an office (名录): what it is responsible for, as a table with a heading line, see [`super::table`]
//! for the files and [`super::column`] for the columns and the words in them.
//!
//! A row that cannot be read is reported with its line and every reason; the others are kept.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex_lite::Regex;
use unicode_normalization::UnicodeNormalization;
use url::Url;

use super::column::{self, Column, Layout};
use super::table::{self, Line, TableError};
use crate::model::{Lang, Registered, Rejected, RosterEntry, Scope, TargetKind, Wording};

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
    /// Line of the file, or row of the sheet, from 1.
    pub line: u64,
    /// What it says.
    pub entry: RosterEntry,
    /// The first address; `None` where the roster does not say.
    pub address: Option<Address>,
}

impl Row {
    /// The first address as written; empty where there is none.
    pub fn written(&self) -> &str {
        self.entry.addresses.first().map_or("", String::as_str)
    }

    /// What a scan compares with what it sees.
    pub fn registered(&self) -> Registered {
        let RosterEntry { name, owner, licence, publishes, .. } = &self.entry;
        Registered {
            name: name.clone(),
            owner: owner.clone(),
            licence: licence.clone(),
            publishes: *publishes,
        }
    }
}

/// A roster.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    /// The sheet it is in; `None` for CSV.
    pub sheet: Option<String>,
    /// The columns that were read.
    pub columns: BTreeSet<Column>,
    /// Headings that mean nothing here.
    pub ignored: Vec<String>,
    /// Rows that could be read, each target once, in the order of the file.
    pub rows: Vec<Row>,
    /// Rows that could not be read.
    pub rejected: Vec<Rejected>,
    /// Rows that repeat a target: their line, and the line where it stands first.
    pub repeated: Vec<(u64, u64)>,
    /// What those rows say, in the same order.
    pub again: Vec<Row>,
    /// Keys of targets whose rows could not be read, as far as they can be told.
    pub unread: BTreeSet<String>,
    /// There are rows of which not even the target can be told: it may be any.
    pub illegible: bool,
}

impl Roster {
    /// Reads a roster; paths in it are below its folder.
    pub fn read(path: &Path, layout: &Layout) -> Result<Self, TableError> {
        let folder = path.parent().unwrap_or(Path::new(""));
        table::read_file(path, |bytes| Roster::parse(bytes, folder, layout))
    }

    /// Reads the bytes of a roster that is in a folder.
    pub fn parse(bytes: &[u8], folder: &Path, layout: &Layout) -> Result<Self, TableError> {
        let table = table::read(bytes, layout.sheet.as_deref(), &|cell| layout.column(cell).is_some())?;
        let bad = |reason: Wording| TableError {
            path: None,
            sheet: table.sheet.clone(),
            line: Some(table.heading.number),
            reason,
        };
        let mut roster = Roster {
            sheet: table.sheet.clone(),
            illegible: !table.broken.is_empty(),
            rejected: table.broken.clone(),
            ..Roster::default()
        };
        let mut columns = Vec::new();
        for (at, heading) in table.heading.cells() {
            let Some(column) = layout.column(heading) else {
                roster.ignored.push(heading.to_owned());
                continue;
            };
            if !roster.columns.insert(column) && !column.may_repeat() {
                let (zh, en) = (column.title(Lang::Zh), column.title(Lang::En));
                return Err(bad((
                    format!("有两列都是“{zh}”（第二列为“{heading}”）"),
                    format!("the column {en} is there twice (the second time as {heading:?})"),
                )
                    .into()));
            }
            columns.push((at, column));
        }
        for needed in [&[Column::Kind][..], &[Column::Name, Column::Id, Column::Address]] {
            if !needed.iter().any(|column| roster.columns.contains(column)) {
                let titles = |lang| needed.iter().map(|column| column.title(lang)).collect::<Vec<_>>();
                return Err(bad((
                    format!("列名行中没有{}", titles(Lang::Zh).join("、")),
                    format!("no column {}", titles(Lang::En).join(", ")),
                )
                    .into()));
            }
        }
        let mut seen = Seen::default();
        for line in &table.rows {
            let Draft { row, kind, faults, told } = row(line, &columns, folder);
            if faults.is_empty() {
                match seen.first(&row) {
                    Some(first) => {
                        roster.repeated.push((row.line, first));
                        roster.again.push(row);
                    }
                    None => roster.rows.push(row),
                }
            } else {
                let all = |words: fn(&Wording) -> &str, between: &str| {
                    faults.iter().map(words).collect::<Vec<_>>().join(between)
                };
                let (reason, reason_en) = (all(|fault| &fault.zh, "；"), all(|fault| &fault.en, "; "));
                roster.rejected.push(Rejected { line: row.line, reason, reason_en });
                // A row without a readable kind may mean a target of any kind.
                let kinds = kind.map_or_else(
                    || column::KINDS.iter().map(|(kind, ..)| *kind).collect(),
                    |kind| vec![kind],
                );
                let keys =
                    kinds.into_iter().filter_map(|kind| RosterEntry { kind, ..row.entry.clone() }.key());
                roster.unread.extend(keys);
                roster.illegible |= !told || row.entry.key().is_none();
            }
        }
        roster.rejected.sort_by_key(|row| row.line);
        Ok(roster)
    }

    /// How many rows leave a column empty that concerns their kind.
    pub fn missing(&self) -> BTreeMap<Column, usize> {
        let mut missing = BTreeMap::new();
        for RosterEntry {
            kind,
            id,
            name,
            owner,
            level,
            region,
            audience,
            grassroots,
            platform,
            filing,
            icp,
            licence: _,
            publishes,
            addresses,
            contact,
            status,
        } in self.rows.iter().map(|row| &row.entry)
        {
            let (app, account) = (kind.scope() == Scope::App, kind.scope() == Scope::Account);
            let empty = [
                (Column::Id, id.is_none() && *kind != TargetKind::Group),
                (Column::Name, name.is_none()),
                (Column::Owner, owner.is_none()),
                (Column::Level, level.is_none()),
                (Column::Region, region.is_none()),
                (Column::Audience, audience.is_none()),
                (Column::Grassroots, grassroots.is_none()),
                (Column::Platform, platform.is_none() && !app),
                (Column::Filing, filing.is_none() && app),
                (Column::Icp, icp.is_none() && app),
                (Column::Publishes, publishes.is_none() && account),
                (Column::Address, addresses.is_empty()),
                (Column::Contact, contact.is_none()),
                (Column::Status, status.is_none()),
            ];
            for (column, _) in empty.into_iter().filter(|(_, empty)| *empty) {
                *missing.entry(column).or_default() += 1;
            }
        }
        missing
    }
}

/// Targets by what tells them apart, with the line where they stand first.
#[derive(Default)]
struct Seen {
    keys: HashMap<String, u64>,
    addresses: HashMap<(TargetKind, Address), u64>,
}

impl Seen {
    /// The line where the target of a row stands already.
    fn first(&mut self, row: &Row) -> Option<u64> {
        let address = row.address.clone().map(|address| (row.entry.kind, address));
        let known = row.entry.key().and_then(|key| self.keys.get(&key).copied());
        let known = known.or_else(|| self.addresses.get(address.as_ref()?).copied());
        if known.is_none() {
            self.keys.extend(row.entry.key().map(|key| (key, row.line)));
            self.addresses.extend(address.map(|address| (address, row.line)));
        }
        known
    }
}

/// Words by which people say that a cell holds nothing.
const NOTHING: &[&str] = &["无", "暂无", "没有", "未填", "/", "／", "-", "－", "—", "——", "N/A", "n/a"];

/// What a spreadsheet shows for a formula that has no value.
const ERRORS: &[&str] =
    &["#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!", "#SPILL!", "#CALC!"];

/// The form of an ICP filing number: 某ICP备2026000001号-1, with `A` for an app and `X` for a mini program.
static ICP: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let provinces = "京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川蜀贵黔云滇藏陕秦甘陇青宁新港澳台";
    Regex::new(&format!("^[{provinces}]ICP备[0-9]{{6,10}}号(-[0-9]+[AXK]?)?$")).ok()
});

/// Whether a number is one of an ICP filing, which is no filing of a government app.
pub(super) fn is_icp(number: &str) -> bool {
    ICP.as_ref().is_some_and(|form| form.is_match(&number.to_uppercase()))
}

/// A number as it is compared: without widths and spaces.
pub(super) fn numbered(cell: &str) -> String {
    cell.nfkc().filter(|ch| !ch.is_whitespace()).collect()
}

/// The reason that an ICP number is no filing number.
pub(super) fn icp_is_no_filing(number: &str) -> Wording {
    (
        format!("“{number}”是ICP备案号，应填入“ICP备案号”列；备案编号指网信部门的政务应用程序备案编号"),
        format!("{number:?} is an ICP number and belongs in the column icp; filing is the number of the Cyberspace Administration"),
    )
        .into()
}

/// A row as far as it can be read, and what is wrong with it.
struct Draft {
    row: Row,
    /// The kind that was read; that of the row means nothing without it.
    kind: Option<TargetKind>,
    faults: Vec<Wording>,
    /// What the target is told by could be read.
    told: bool,
}

fn row(line: &Line, columns: &[(usize, Column)], folder: &Path) -> Draft {
    let mut entry = RosterEntry::new(TargetKind::App);
    let mut faults: Vec<Wording> = Vec::new();
    let mut first = None;
    let (mut kind, mut region, mut contact, mut told) = (None, Vec::new(), Vec::new(), true);
    for (at, column) in columns {
        let Some(cell) = line.cell(*at).filter(|cell| !NOTHING.contains(cell)) else { continue };
        let title = |lang| column.title(lang);
        if ERRORS.contains(&cell) {
            told &= !matches!(column, Column::Id | Column::Name | Column::Owner | Column::Platform);
            let (zh, en) = (title(Lang::Zh), title(Lang::En));
            faults.push(
                (format!("{zh}为公式错误值 {cell}"), format!("the {en} is the error {cell} of a formula"))
                    .into(),
            );
            continue;
        }
        let mut keep = |fault: Wording| faults.push(fault);
        let text = || Some(cell.to_owned());
        match column {
            Column::Kind => {
                kind = Some(column::value(column::KINDS, *column, cell).map_err(keep).ok());
                if entry.platform.is_none() {
                    entry.platform = column::platform(cell).map(str::to_owned);
                }
            }
            Column::Id => entry.id = Some(numbered(cell)),
            Column::Name => entry.name = text(),
            Column::Owner => entry.owner = text(),
            Column::Level => entry.level = column::value(column::LEVELS, *column, cell).map_err(keep).ok(),
            Column::Region => region.extend(cell.split(['/', '-', '、', '，', ',', '>', '→']).map(str::trim)),
            Column::Audience => entry.audience = column::value(column::AUDIENCES, *column, cell).map_err(keep).ok(),
            Column::Grassroots => entry.grassroots = column::value(column::ANSWERS, *column, cell).map_err(keep).ok(),
            Column::Platform => entry.platform = Some(column::platform(cell).unwrap_or(cell).to_owned()),
            Column::Filing => match numbered(cell) {
                number if is_icp(&number) => keep(icp_is_no_filing(cell)),
                _ => entry.filing = text(),
            },
            Column::Icp => match numbered(cell) {
                number if is_icp(&number) => entry.icp = Some(number),
                _ => keep((
                    format!("“{cell}”不是ICP备案号；如为政务应用程序备案编号，应填入“备案编号”列"),
                    format!("{cell:?} is no ICP number; a number of the Cyberspace Administration belongs in the column filing"),
                ).into()),
            },
            Column::Licence => entry.licence = text(),
            Column::Publishes => entry.publishes = column::value(column::ANSWERS, *column, cell).map_err(keep).ok(),
            Column::Address => {
                for written in addresses(cell) {
                    match address(written, folder) {
                        Ok(found) => {
                            first.get_or_insert(found);
                            entry.addresses.push(written.to_owned());
                        }
                        Err(fault) => keep(fault),
                    }
                }
            }
            Column::Contact => contact.push(cell),
            Column::Status => entry.status = column::value(column::STATUSES, *column, cell).map_err(keep).ok(),
        }
    }
    if kind.is_none() {
        faults.push(("没有填写类型", "no kind").into());
    }
    let kind = kind.flatten();
    entry.kind = kind.unwrap_or(entry.kind);
    region.retain(|part| !part.is_empty());
    entry.region = (!region.is_empty()).then(|| region.join("/"));
    entry.contact = (!contact.is_empty()).then(|| contact.join(" "));
    if faults.is_empty() && entry.key().is_none() {
        faults.push(("标识、名称和地址都没有填写", "neither an id nor a name nor an address").into());
    }
    Draft { row: Row { line: line.number, entry, address: first }, kind, faults, told }
}

/// The addresses of a cell: several lines, or with `；`, `、`, `;` or spaces between them. The name of a file may hold
/// spaces.
fn addresses(cell: &str) -> Vec<&str> {
    let web =
        |text: &str| ["http://", "https://", "weixin-api:"].iter().any(|scheme| text.starts_with(scheme));
    let mut found = Vec::new();
    for piece in cell.split(['\n', '\r', '；', '、']) {
        let mut rest = piece.trim();
        while !rest.is_empty() {
            let ends = |at: usize, ch: char| {
                let behind = rest.get(at + ch.len_utf8()..).unwrap_or_default();
                let next = behind.trim_start_matches(|ch: char| ch.is_whitespace() || ch == ';');
                (ch == ';' && !web(rest)) || ((ch == ';' || ch.is_whitespace()) && web(next))
            };
            let end = rest.char_indices().find(|(at, ch)| ends(*at, *ch)).map_or(rest.len(), |(at, _)| at);
            let (one, more) = rest.split_at(end);
            found.push(one.trim());
            rest = more.trim_start_matches(|ch: char| ch.is_whitespace() || ch == ';');
        }
    }
    found.retain(|one| !one.is_empty());
    found
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
    use encoding_rs::GB18030;

    use super::*;

    const LIST: &str = "\
名称,类型,主办单位,地址,备案编号,许可证编号,发布类
某市网格通,移动应用程序,某市大数据局,https://app.example.gov.cn/grid.apk,粤应用备01号,,
某市发布,公众账号,某市人民政府,https://www.example.gov.cn/rss.xml,,某网信许字1号,是
值守群,工作群组,某街道,exports/duty.json,,,否
没有地址的,小程序,,,,,
";

    fn parse(text: &str) -> Roster {
        Roster::parse(text.as_bytes(), Path::new("/offices/a"), &Layout::default()).unwrap()
    }

    #[test]
    fn every_column_is_read() {
        let roster = parse(LIST);
        assert_eq!((roster.rejected.len(), roster.repeated.len(), roster.rows.len()), (0, 0, 4));
        let app = &roster.rows[0];
        let filing = app.entry.filing.as_deref();
        assert_eq!((app.line, app.entry.kind, filing), (2, TargetKind::App, Some("粤应用备01号")));
        assert_eq!(
            app.address,
            Some(Address::Web(Url::parse("https://app.example.gov.cn/grid.apk").unwrap()))
        );
        assert_eq!(
            roster.rows[1].registered(),
            Registered {
                name: Some("某市发布".into()),
                owner: Some("某市人民政府".into()),
                licence: Some("某网信许字1号".into()),
                publishes: Some(true),
            }
        );
        assert_eq!(roster.rows[2].address, Some(Address::File("/offices/a/exports/duty.json".into())));
        assert_eq!(roster.rows[2].entry.publishes, Some(false));
        assert_eq!((roster.rows[3].address.as_ref(), roster.rows[3].line), (None, 5));
    }

    #[test]
    fn encodings_and_english_headings() {
        let roster = parse(LIST);
        let (gbk, _, unmappable) = GB18030.encode(LIST);
        assert!(!unmappable);
        assert_eq!(Roster::parse(&gbk, Path::new("/offices/a"), &Layout::default()).unwrap(), roster);
        assert_eq!(parse(&format!("\u{FEFF}{LIST}")), roster);
        let english = parse("Kind,ADDRESS,name,publishes\nMini-Program,a.wxapkg,A,no\n");
        assert_eq!(
            (english.rows[0].entry.kind, english.rows[0].entry.publishes),
            (TargetKind::MiniProgram, Some(false))
        );
        assert!(Roster::parse(b"\xff\xff\xff", Path::new(""), &Layout::default()).is_err());
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
        let error = |text: &str| {
            Roster::parse(text.as_bytes(), Path::new(""), &Layout::default()).unwrap_err().words(Lang::En)
        };
        assert!(error("").contains("headings"));
        assert!(error("地址,名称\n").contains("kind"));
        assert!(error("类型,主办单位\n").contains("address"));
        assert!(error("类型,名称,应用名称\n").contains("twice"));
    }

    #[test]
    fn a_cell_may_hold_several_addresses() {
        assert_eq!(
            addresses("https://a.gov.cn/x;y=1 https://b.gov.cn/；c.apk"),
            ["https://a.gov.cn/x;y=1", "https://b.gov.cn/", "c.apk"]
        );
        assert_eq!(
            addresses("某市 网格通.apk; b.apk\nweixin-api:wx0123456789abcdef"),
            ["某市 网格通.apk", "b.apk", "weixin-api:wx0123456789abcdef"]
        );
        assert_eq!(
            addresses("https://a.gov.cn/;https://b.gov.cn/"),
            ["https://a.gov.cn/", "https://b.gov.cn/"]
        );
        assert!(addresses(" ；\n").is_empty());
    }

    #[test]
    fn the_two_numbers_are_not_taken_for_each_other() {
        let roster = parse(
            "类型,名称,备案编号,ICP备案号\n应用,甲,某ICP备1号,\n应用,乙,蜀ICP备2026000001号-3A,\n应用,丙,政备〔2026〕1号,蜀ＩＣＰ备 2026000001 号\n\
             应用,丁,,政备〔2026〕2号\n应用,戊,无,/\n",
        );
        let lines: Vec<u64> = roster.rejected.iter().map(|row| row.line).collect();
        assert_eq!(lines, [3, 5], "{:?}", roster.rejected);
        assert!(roster.rejected[0].reason.contains("应填入“ICP备案号”列"));
        assert!(roster.rejected[1].reason.contains("应填入“备案编号”列"));
        assert_eq!(roster.rows[1].entry.icp.as_deref(), Some("蜀ICP备2026000001号"));
        assert_eq!((&roster.rows[2].entry.filing, &roster.rows[2].entry.icp), (&None, &None));
        assert_eq!(roster.unread, BTreeSet::from(["app:乙".to_owned(), "app:丁".to_owned()]));
    }
}
