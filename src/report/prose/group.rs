//! What was counted in a group, as rows of a label and a text.

use super::labelled;
use crate::model::{GroupRecord, Lang, beijing_day};

/// The rows, in the order of reading.
pub(in crate::report) fn group(lang: Lang, group: &GroupRecord) -> Vec<(&'static str, String)> {
    let day = |time: jiff::Timestamp| beijing_day(time).to_string();
    let period = group.first.zip(group.last).map(|(from, to)| format!("{} – {}", day(from), day(to)));
    let temporary =
        group.temporary.map(|yes| lang.pick(if yes { "是" } else { "否" }, if yes { "yes" } else { "no" }));
    let rows = [
        ("群组", "group", group.name.clone()),
        ("平台", "platform", group.platform.clone()),
        ("主管单位", "unit", group.unit.clone()),
        ("用途", "purpose", group.purpose.clone()),
        ("群标", "sign", group.sign.clone()),
        ("临时群", "temporary", temporary.map(str::to_owned)),
        ("任务结束", "task ends", group.task_end.map(|date| date.to_string())),
        ("成员", "members", group.member_count.map(|count| count.to_string())),
        ("消息", "messages", Some(group.messages.to_string())),
        ("发言人数", "senders", Some(group.senders.to_string())),
        ("起止", "period", period),
    ];
    labelled(lang, rows)
}
