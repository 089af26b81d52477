//! A code as a row of a table.

use crate::model::{CodeDocument, Lang, beijing_minute};
use crate::report::sheet::{Column, column};

/// Where the colour is among the columns.
pub(super) const COLOUR: usize = 7;

/// The columns of every table. Times are those of Beijing.
pub(super) const COLUMNS: [Column; 18] = [
    column("标识", "target", 34),
    column("类型", "kind", 14),
    column("名称", "name", 26),
    column("主办单位", "owner", 26),
    column("层级", "level", 14),
    column("地区", "region", 24),
    column("备案编号", "filing", 24),
    column("赋码", "code", 10),
    column("状态", "state", 16),
    column("原因", "reasons", 60),
    column("自何时起", "since", 18),
    column("截至", "as of", 18),
    column("赋码规则", "policy", 20),
    column("依据事件", "event", 12),
    column("事件哈希", "event hash", 20),
    column("报告摘要", "report sha256", 20),
    column("报告地址", "report", 40),
    column("格式", "schema", 16),
];

/// The cells of a code.
pub(super) fn cells(code: &CodeDocument, lang: Lang) -> [String; COLUMNS.len()] {
    let reasons = code.reasons.iter().map(|reason| lang.pick(&reason.text, &reason.text_en));
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let report = code.report.as_ref();
    [
        code.target.clone(),
        lang.pick(code.kind.zh(), code.kind.en()).to_owned(),
        text(&code.name),
        text(&code.owner),
        code.level.map_or("", |level| lang.pick(level.zh(), level.en())).to_owned(),
        text(&code.region),
        text(&code.filing),
        lang.pick(code.code.zh(), code.code.en()).to_owned(),
        lang.pick(&code.state, &code.state_en).to_owned(),
        reasons.collect::<Vec<_>>().join(lang.pick("", " ")),
        beijing_minute(code.since),
        beijing_minute(code.as_of),
        code.policy.clone(),
        code.last_event.seq.to_string(),
        code.last_event.hash.clone(),
        report.map(|report| report.sha256.clone()).unwrap_or_default(),
        report.and_then(|report| report.address.clone()).unwrap_or_default(),
        code.schema.clone(),
    ]
}
