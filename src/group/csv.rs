//! Tables of messages, as 企业微信 and 钉钉 administrators and backup programs export them: rows of a heading
//! (`群名称,示例镇防汛工作群`) if any, a line of column names, then a row for each message. Columns of the group
//! (群名称, 群公告) may stand beside those of the message; then one file may hold several groups.

use super::export::Export;
use super::field::{Field, field, is_sender};
use super::{Input, Kind};
use crate::decode::delimited::{StringRecord, delimiter, misfit, rows};

pub(super) const KIND: Kind =
    Kind { name: "csv", title: ("群消息表格（CSV）", "table of group messages (CSV)"), matches, read };

/// A heading has so many rows at most.
const MAX_HEADING: usize = 40;

/// Whether these are the names of columns: who says what, or what is said where.
fn is_heading(cells: &StringRecord) -> bool {
    let has = |wanted: Field| cells.iter().any(|cell| field(cell) == Some(wanted));
    has(Field::Content) && (has(Field::Sender) || has(Field::SenderId) || has(Field::Time))
}

fn first_delimiter(text: &str) -> u8 {
    let lines = text.lines().take(MAX_HEADING);
    let most = lines.max_by_key(|line| line.bytes().filter(|byte| b",\t;".contains(byte)).count());
    delimiter(most.unwrap_or_default())
}

/// The head of a text, whole characters.
fn head(text: &str) -> &str {
    (0..4).find_map(|less| text.get(..(64 << 10) - less)).unwrap_or(text)
}

fn matches(input: &Input<'_>) -> bool {
    let text = head(input.text());
    if text.trim_start().starts_with(['<', '{', '[']) {
        return false;
    }
    let mut of_group = false;
    for row in rows(text, first_delimiter(text)).take(MAX_HEADING).flatten() {
        let cells = &row.1;
        if is_heading(cells) {
            let named =
                cells.iter().any(|cell| field(cell).is_some_and(Field::is_of_group) && cell.contains('群'));
            let group = cells.iter().any(|cell| field(cell) == Some(Field::Group));
            return of_group || named || group || cells.iter().any(is_sender);
        }
        of_group |= cells.get(0).and_then(field).is_some_and(Field::is_of_group);
    }
    false
}

fn read(input: &Input<'_>) -> Export {
    let mut export = Export::new(("行", "line"));
    let text = input.text();
    // The last quotation has no end: the rows behind its beginning are one cell.
    if text.bytes().filter(|byte| *byte == b'"').count() % 2 == 1 {
        export.cut_off = Some((
            "引号没有成对，其后的行可能被当作同一单元格".to_owned(),
            "a quotation mark without its counterpart: rows behind it may be one cell".to_owned(),
        ));
    }
    let mut heading: Vec<(Field, u64, String)> = Vec::new();
    let mut rest = Vec::new();
    let mut columns: Option<Vec<Option<Field>>> = None;
    for row in rows(text, first_delimiter(head(text))) {
        let (line, cells) = match row {
            Ok(row) => row,
            Err((line, error)) => {
                export.reject(line, "该行无法读取", error);
                continue;
            }
        };
        let Some(columns) = &columns else {
            if is_heading(&cells) {
                columns = Some(cells.iter().map(field).collect());
            } else {
                match cells.get(0).and_then(field).filter(|field| field.is_of_group()) {
                    Some(field) => {
                        let values: Vec<&str> =
                            cells.iter().skip(1).filter(|cell| !cell.is_empty()).collect();
                        heading.push((field, line, values.join("，")));
                    }
                    None => rest.push((line, cells.iter().collect::<Vec<_>>().join(" ").trim().to_owned())),
                }
            }
            continue;
        };
        // A table that is not as wide in its heading rows as in its body is filled up with empty cells.
        let filled =
            cells.iter().zip(1..).filter(|(cell, _)| !cell.is_empty()).map(|(_, at)| at).max().unwrap_or(0);
        if filled > columns.len() || cells.len() < columns.len() {
            let (zh, en) = misfit(cells.len(), columns.len());
            export.reject(line, zh, en);
            continue;
        }
        let cells: Vec<(Field, String)> = columns
            .iter()
            .zip(&cells)
            .filter_map(|(column, cell)| Some(((*column)?, cell.to_owned())))
            .collect();
        let name =
            heading.iter().find(|(field, _, _)| *field == Field::Group).map(|(_, _, name)| name.as_str());
        export.row(line, name, &cells);
    }
    let name = heading.iter().find(|(field, _, _)| *field == Field::Group).map(|(_, _, name)| name.clone());
    if export.groups.is_empty() {
        export.group(name.as_deref());
    }
    for group in &mut export.groups {
        group.rest.clone_from(&rest);
        for (field, line, value) in &heading {
            if *field != Field::Group {
                group.set(*field, *line, value);
            }
        }
    }
    export
}
