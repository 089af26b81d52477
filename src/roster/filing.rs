//! Filing records (备案): a number given on the command line, or a list that was published or imported, as a table, see
//! [`super::table`]: number, name or id (package name, AppID), and as far as it has them owner, day and state.

use std::collections::HashMap;
use std::path::Path;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::column::{Column as Title, KINDS, Words, plain, value};
use super::list::{icp_is_no_filing, is_icp, numbered};
use super::table::{self, Line, TableError};
use crate::decode::date::date_in;
use crate::model::{Filing, Identity, Rejected, TargetKind, Wording};

/// What has become of a filing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FilingState {
    /// 有效.
    Valid,
    /// 已注销.
    Cancelled,
    /// 已撤销.
    Revoked,
}

const STATES: Words<FilingState> = &[
    (FilingState::Valid, "有效", "valid", &["正常", "已备案", "在用", "通过", "予以备案", "filed"]),
    (
        FilingState::Cancelled,
        "已注销",
        "cancelled",
        &["注销", "关停", "已关停", "关停注销", "已下线", "canceled", "closed"],
    ),
    (FilingState::Revoked, "已撤销", "revoked", &["撤销", "撤销备案", "已撤销备案", "被撤销"]),
];

/// A row of a filing list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Filed {
    /// Line of the file, or row of the sheet, from 1.
    pub line: u64,
    /// The number (政务应用程序备案编号).
    pub number: String,
    /// Package name or AppID.
    pub id: Option<String>,
    /// What it is, as far as the list says.
    pub kind: Option<TargetKind>,
    /// Name of the app.
    pub name: Option<String>,
    /// Whom it is filed for (主办单位).
    pub owner: Option<String>,
    /// The day of the filing.
    pub date: Option<Date>,
    /// What has become of it; valid where the list does not say.
    pub state: FilingState,
}

/// A filing list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilingList {
    /// Rows that could be read, in the order of the file.
    pub rows: Vec<Filed>,
    /// Rows that could not be read.
    pub rejected: Vec<Rejected>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Number,
    Kind,
    Id,
    Name,
    Owner,
    Date,
    State,
}

const HEADINGS: &[(Column, &[&str])] = &[
    (
        Column::Number,
        &[
            "备案编号",
            "编号",
            "备案号",
            "政务应用程序备案编号",
            "政务应用备案编号",
            "number",
            "filing",
            "filingnumber",
        ],
    ),
    (Column::Kind, &["类型", "类别", "应用类型", "kind", "type"]),
    (Column::Id, &["id", "包名", "appid", "标识", "应用包名", "应用标识", "package", "packagename"]),
    (
        Column::Name,
        &[
            "名称",
            "应用名称",
            "应用程序名称",
            "政务应用程序名称",
            "政务应用名称",
            "备案应用名称",
            "app名称",
            "小程序名称",
            "name",
        ],
    ),
    (
        Column::Owner,
        &["主办单位", "主办单位名称", "备案单位", "备案主体", "单位名称", "单位", "主办使用单位", "owner"],
    ),
    (Column::Date, &["备案日期", "备案时间", "备案通过日期", "日期", "时间", "公告日期", "date", "filed"]),
    (Column::State, &["状态", "备案状态", "state", "status"]),
];

fn column(heading: &str) -> Option<Column> {
    let heading = plain(heading);
    HEADINGS.iter().find(|(_, names)| names.contains(&heading.as_str())).map(|(column, _)| *column)
}

impl FilingList {
    /// Reads a list.
    pub fn read(path: &Path) -> Result<Self, TableError> {
        table::read_file(path, FilingList::parse)
    }

    /// Reads the bytes of a list.
    pub fn parse(bytes: &[u8]) -> Result<Self, TableError> {
        let table = table::read(bytes, None, &|cell| column(cell).is_some())?;
        let bad = |reason: Wording| TableError {
            path: None,
            sheet: table.sheet.clone(),
            line: Some(table.heading.number),
            reason,
        };
        let mut columns: Vec<(usize, Column)> = Vec::new();
        for (at, heading) in table.heading.cells() {
            let Some(found) = column(heading) else { continue };
            if columns.iter().any(|(_, other)| *other == found) {
                let words = (format!("“{heading}”列重复"), format!("the column {heading:?} is there twice"));
                return Err(bad(words.into()));
            }
            columns.push((at, found));
        }
        let has = |column| columns.iter().any(|(_, found)| *found == column);
        if !has(Column::Number) {
            return Err(bad(("没有“备案编号”列", "no column number (备案编号)").into()));
        }
        if !has(Column::Id) && !has(Column::Name) {
            let words = (
                "没有“名称”列，也没有“包名”列",
                "neither a column id (包名, appid) nor a column name (名称)",
            );
            return Err(bad(words.into()));
        }
        let mut list = FilingList { rows: Vec::new(), rejected: table.broken.clone() };
        for line in &table.rows {
            match filed(line, &columns) {
                Ok(row) => list.rows.push(row),
                Err(Wording { zh: reason, en: reason_en }) => {
                    list.rejected.push(Rejected { line: line.number, reason, reason_en });
                }
            }
        }
        list.rejected.sort_by_key(|row| row.line);
        Ok(list)
    }
}

fn filed(line: &Line, columns: &[(usize, Column)]) -> Result<Filed, Wording> {
    let cell = |wanted: Column| {
        let at = columns.iter().find(|(_, column)| *column == wanted).map(|(at, _)| *at);
        at.and_then(|at| line.cell(at))
    };
    let owned = |column| cell(column).map(str::to_owned);
    let (id, name) = (cell(Column::Id).map(numbered), owned(Column::Name));
    let key = id.clone().or(name.clone()).ok_or(("没有名称，也没有包名", "neither id nor name"))?;
    let missing = || (format!("{key}没有备案编号"), format!("{key} has no number"));
    let number = owned(Column::Number).ok_or_else(missing)?;
    if is_icp(&numbered(&number)) {
        return Err(icp_is_no_filing(&number));
    }
    let date = cell(Column::Date).map(|text| {
        let no_day = || (format!("没有“{text}”这一天"), format!("there is no day {text:?}"));
        date_in(text).map(|(date, _)| date).ok_or_else(no_day)
    });
    let state = cell(Column::State).map(|text| value(STATES, Title::Status, text));
    Ok(Filed {
        line: line.number,
        number,
        id,
        // Lists have other types than ours, too.
        kind: cell(Column::Kind).and_then(|text| value(KINDS, Title::Kind, text).ok()),
        name,
        owner: owned(Column::Owner),
        date: date.transpose()?,
        state: state.transpose()?.unwrap_or(FilingState::Valid),
    })
}

/// What is on record about the filing of the targets of one run.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub enum FilingRecord {
    /// Nothing was given.
    #[default]
    Unknown,
    /// One number that holds for every target of the run.
    Number(String),
    /// A list.
    List {
        /// Number by package name or AppID.
        by_id: HashMap<String, String>,
        /// Number by name, of rows that tell no more.
        by_name: HashMap<String, String>,
    },
}

/// What is on record about one target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OnRecord {
    /// Whether it is filed.
    pub filing: Filing,
    /// The number, where there is one that is the target's.
    pub number: Option<String>,
    /// Why a number that was given cannot be taken for the target's.
    pub doubt: Option<Wording>,
}

/// Least characters of a number.
const SHORTEST: usize = 4;

impl FilingRecord {
    /// A number that a person gives. The format of these numbers is not public; what is surely none is refused.
    pub fn number(text: &str) -> Result<Self, Wording> {
        let number = numbered(text);
        if is_icp(&number) || number.contains("公网安备") {
            let words = (
                format!("“{text}”是ICP备案号或者公安备案号，不是网信部门的政务应用程序备案编号"),
                format!(
                    "{text:?} is a number of the telecom or police authority, not of the Cyberspace Administration"
                ),
            );
            return Err(words.into());
        }
        if number.chars().count() < SHORTEST || !number.contains(|ch: char| ch.is_ascii_digit()) {
            return Err((
                format!("“{text}”不像备案编号"),
                format!("{text:?} does not look like a filing number"),
            )
                .into());
        }
        Ok(FilingRecord::Number(text.trim().to_owned()))
    }

    /// Reads a list, every row of which has to be right: what a scan says of a filing rests on it.
    pub fn read_list(path: &Path) -> Result<Self, TableError> {
        let list = FilingList::read(path)?;
        if let Some(Rejected { line, reason, reason_en }) = list.rejected.into_iter().next() {
            let error = TableError::new((reason, reason_en)).at(line);
            return Err(TableError { path: Some(path.to_owned()), ..error });
        }
        let valid = list.rows.into_iter().filter(|row| row.state == FilingState::Valid);
        let (mut by_id, mut by_name) = (HashMap::new(), HashMap::new());
        for row in valid {
            match (row.id, row.name) {
                (Some(id), _) => by_id.insert(id, row.number),
                (None, Some(name)) => by_name.insert(name, row.number),
                (None, None) => None,
            };
        }
        Ok(FilingRecord::List { by_id, by_name })
    }

    /// What it says of one target. Apps of the same name are not one app: that is left to a person.
    pub fn look_up(&self, identity: &Identity) -> OnRecord {
        let filed =
            |number: &String| OnRecord { filing: Filing::Filed, number: Some(number.clone()), doubt: None };
        match self {
            FilingRecord::Unknown => OnRecord::default(),
            FilingRecord::Number(number) => filed(number),
            FilingRecord::List { by_id, by_name } => {
                let named = identity.name.as_ref().and_then(|name| by_name.get(name));
                match (identity.id.as_ref().and_then(|id| by_id.get(id)), named) {
                    (Some(number), _) => filed(number),
                    (None, Some(number)) => OnRecord {
                        doubt: Some(
                            (
                                format!("备案清单中有同名的应用（{number}），但没有写明包名或 AppID，是否同一应用须由人工核对。"),
                                format!(
                                    "The filing list has an app of this name ({number}) without a package name or AppID; whether it is this one is for a person to check."
                                ),
                            )
                                .into(),
                        ),
                        ..OnRecord::default()
                    },
                    (None, None) => OnRecord { filing: Filing::NotFiled, ..OnRecord::default() },
                }
            }
        }
    }
}

impl OnRecord {
    /// The same, unless the target itself shows another number in these texts.
    #[must_use]
    pub fn against(self, shown: &[&str]) -> Self {
        let bare = |text: &str| numbered(text).to_lowercase().replace(|ch: char| !ch.is_alphanumeric(), "");
        let Some(number) = &self.number else { return self };
        if shown.is_empty() || shown.iter().any(|text| bare(text).contains(&bare(number))) {
            return self;
        }
        let shown = shown.join("；");
        let doubt = (
            format!("应用自己标明的是“{shown}”，与所给的备案编号 {number} 不一致，须由人工核对。"),
            format!(
                "The app itself shows “{shown}”, not the number {number} that was given; a person has to check it."
            ),
        );
        OnRecord { filing: Filing::Unknown, number: self.number, doubt: Some(doubt.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_says_day_and_state() {
        let list = FilingList::parse(
            "第一批政务应用程序备案清单,,,,\n序号,应用名称,主办单位,备案编号,备案时间,状态\n1,甲,某市大数据局,备1号,2026年3月3日,\n\
             2,乙,某县教育局,备2号,2026/3/4,已注销\n3,丙,某局,备3号,2026-02-30,\n4,丁,某局,,,\n5,戊,某局,蜀ICP备2026000001号,,\n\
             6,己,某局,备6号,20260306,撤销\n7,庚,某局,备7号,,大概\n"
                .as_bytes(),
        )
        .unwrap();
        let rows: Vec<_> = list.rows.iter().map(|row| (row.line, row.number.as_str(), row.state)).collect();
        assert_eq!(
            rows,
            [
                (3, "备1号", FilingState::Valid),
                (4, "备2号", FilingState::Cancelled),
                (8, "备6号", FilingState::Revoked)
            ]
        );
        assert_eq!(list.rows[0].date, Some(jiff::civil::date(2026, 3, 3)));
        let lines: Vec<u64> = list.rejected.iter().map(|row| row.line).collect();
        assert_eq!(lines, [5, 6, 7, 9]);
        assert!(list.rejected[0].reason.contains("2026-02-30"));
    }

    #[test]
    fn only_valid_filings_count_in_a_scan() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list.csv");
        std::fs::write(&path, "id,number,state\ncn.gov.a,1,\ncn.gov.b,2,revoked\n").unwrap();
        let record = FilingRecord::read_list(&path).unwrap();
        let of = |id: &str| record.look_up(&Identity { id: Some(id.into()), ..Identity::default() });
        assert_eq!((of("cn.gov.a").filing, of("cn.gov.a").number.as_deref()), (Filing::Filed, Some("1")));
        assert_eq!(of("cn.gov.b"), OnRecord { filing: Filing::NotFiled, ..OnRecord::default() });
        std::fs::write(&path, "id,number\ncn.gov.a,1\ncn.gov.b,\n").unwrap();
        let error = FilingRecord::read_list(&path).unwrap_err().to_string();
        assert!(error.contains("list.csv:3: ") && error.contains("cn.gov.b"), "{error}");
    }

    #[test]
    fn a_name_alone_is_for_a_person_to_check() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("list.csv");
        std::fs::write(&path, "名称,备案编号\n机关办公,某备0001号\n").unwrap();
        let record = FilingRecord::read_list(&path).unwrap();
        let named = |name: &str| {
            record.look_up(&Identity {
                id: Some("cn.gov.a".into()),
                name: Some(name.into()),
                ..Identity::default()
            })
        };
        let found = named("机关办公");
        assert_eq!((found.filing, found.number), (Filing::Unknown, None));
        assert!(found.doubt.unwrap().zh.contains("某备0001号"));
        assert_eq!(named("机关打卡").filing, Filing::NotFiled);
    }

    #[test]
    fn what_is_no_filing_number_is_refused() {
        assert!(FilingRecord::number("蜀ICP备2024001234号").unwrap_err().zh.contains("ICP"));
        assert!(FilingRecord::number("川公网安备 51010402000001号").is_err());
        assert!(FilingRecord::number("abc").is_err());
        assert!(FilingRecord::number("已备案").is_err());
        assert!(FilingRecord::number("某网信政备〔2026〕0007号").is_ok());
    }

    #[test]
    fn a_number_that_the_app_contradicts_is_doubted() {
        let given = FilingRecord::number("某网信政备〔2026〕0007号").unwrap().look_up(&Identity::default());
        assert_eq!(given.clone().against(&["备案编号：某网信政备[2026]0007号"]), given);
        assert_eq!(given.clone().against(&[]), given);
        let doubted = given.against(&["备案编号：某网信政备〔2026〕0312号"]);
        assert_eq!(doubted.filing, Filing::Unknown);
        assert!(doubted.doubt.unwrap().zh.contains("0312"));
    }
}
