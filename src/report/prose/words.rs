//! The sentences of a report that do not come from rules or policy, in both languages.

use std::collections::BTreeMap;

use crate::model::{
    Acceptance, Anomaly, Category, ColorCode, Coverage, DutyStatus, EvidenceKind, Exception, Finding, Gap,
    GapReason, Identity, Lang, Level, PartName, Report, Scope, Verdict,
};

/// The word of a level.
pub(in crate::report) fn level(lang: Lang, level: Level) -> &'static str {
    lang.pick(level.zh(), level.en())
}

/// The word of a part.
pub(in crate::report) fn part(lang: Lang, part: PartName) -> &'static str {
    lang.pick(part.zh(), part.en())
}

/// The phrase of a gap's reason.
pub(in crate::report) fn gap_reason(lang: Lang, reason: GapReason) -> &'static str {
    lang.pick(reason.zh(), reason.en())
}

/// The word of a duty's status.
pub(in crate::report) fn status(lang: Lang, status: DutyStatus) -> &'static str {
    lang.pick(status.zh(), status.en())
}

/// A sign that goes with the word of a status, for readers who do not see colours.
pub(in crate::report) fn status_sign(status: DutyStatus) -> &'static str {
    match status {
        DutyStatus::Met => "✓",
        DutyStatus::Missing => "✗",
        DutyStatus::Unknown => "?",
    }
}

/// The word of a kind of evidence.
pub(in crate::report) fn evidence_kind(lang: Lang, kind: EvidenceKind) -> &'static str {
    let (zh, en) = match kind {
        EvidenceKind::Text => ("文字", "text"),
        EvidenceKind::Name => ("代码命名", "name"),
        EvidenceKind::Endpoint => ("接口地址", "endpoint"),
        EvidenceKind::Permission => ("权限组合", "permissions"),
        EvidenceKind::Sdk => ("第三方组件", "SDK"),
        EvidenceKind::Asset => ("素材文件", "asset"),
        EvidenceKind::QrCode => ("二维码", "QR code"),
        EvidenceKind::State => ("运行状态", "state"),
    };
    lang.pick(zh, en)
}

/// The identifier of a prohibition as the JSON contract spells it.
pub(in crate::report) fn category_id(category: Category) -> &'static str {
    match category {
        Category::CheckIn => "check-in",
        Category::Ranking => "ranking",
        Category::Duration => "duration",
        Category::SocialTask => "social-task",
        Category::Trace => "trace",
        Category::Form => "form",
        Category::Promotion => "promotion",
        Category::Assessment => "assessment",
        Category::Commerce => "commerce",
        Category::InstantResponse => "instant-response",
        Category::ShowOff => "show-off",
        Category::Zombie => "zombie",
        Category::Shell => "shell",
        Category::Nominal => "nominal",
        Category::NoInteraction => "no-interaction",
        Category::OffTopic => "off-topic",
        Category::Duplicate => "duplicate",
    }
}

/// Colour and state: `未赋码 · 待整改`.
pub(in crate::report) fn code(lang: Lang, report: &Report) -> String {
    let word = lang.pick(report.code.suggested.zh(), report.code.suggested.en());
    let state = lang.pick(&report.code.state, &report.code.state_en);
    if state.is_empty() { word.to_owned() } else { format!("{word} · {state}") }
}

/// Stable word for style sheets.
pub(in crate::report) fn code_class(code: ColorCode) -> &'static str {
    match code {
        ColorCode::Green => "green",
        ColorCode::Blue => "blue",
        ColorCode::Red => "red",
        ColorCode::None => "none",
    }
}

/// A sign that goes with a colour, for readers who do not see colours.
pub(in crate::report) fn code_sign(code: ColorCode) -> &'static str {
    match code {
        ColorCode::Green => "✓",
        ColorCode::Blue => "!",
        ColorCode::Red => "✕",
        ColorCode::None => "–",
    }
}

/// The numbers that a leader asks for, each with its word.
pub(in crate::report) fn figures(lang: Lang, report: &Report) -> Vec<(&'static str, String)> {
    let missing = report.duties.iter().filter(|duty| duty.status == DutyStatus::Missing).count();
    let of = |level| of_level(report, level).count().to_string();
    let inspected = match unread_pictures(&report.coverage) {
        0 => lang.pick("已检视", "inspected"),
        _ => lang.pick("文字部分已检视", "of the text inspected"),
    };
    vec![
        (lang.pick("项确认", "confirmed"), of(Level::Confirmed)),
        (lang.pick("项疑似", "suspected"), of(Level::Suspected)),
        (lang.pick("项必备功能未见", "duties missing"), missing.to_string()),
        (inspected, format!("{}%", report.coverage.percent)),
    ]
}

/// Name of the target as people know it; its id or file name where it has none.
pub(in crate::report) fn name(report: &Report) -> &str {
    let Identity { name, id, .. } = &report.identity;
    let file = source(&report.target.source);
    let known = [name.as_deref(), id.as_deref()].into_iter().flatten().find(|name| !name.trim().is_empty());
    known.unwrap_or(file)
}

/// Where a target came from, for a reader who did not scan it: an address as it is, of a path the file's name. Where an
/// office keeps its files is nobody's business.
pub(in crate::report) fn source(given: &str) -> &str {
    if given.contains("://") || given.starts_with("weixin-api:") {
        return given;
    }
    given.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or(given)
}

/// Pictures whose text was not read. They do not count for the percentage and the verdict.
fn unread_pictures(coverage: &Coverage) -> u64 {
    let pictures = coverage.parts.iter().filter(|tally| tally.part == PartName::Images);
    pictures.map(|tally| tally.total.saturating_sub(tally.read)).sum()
}

/// The share that was read with its verdict, and what they do not speak of: `文字部分 100% 全部检视，图片 22 张未识读`.
pub(in crate::report) fn coverage(lang: Lang, coverage: &Coverage) -> String {
    let (share, rest) = coverage_words(lang, coverage);
    format!("{share} {}{rest}", verdict(lang, coverage.verdict))
}

/// What stands before the verdict in a line on coverage, and what behind it.
pub(in crate::report) fn coverage_words(lang: Lang, coverage: &Coverage) -> (String, String) {
    let percent = coverage.percent;
    match (unread_pictures(coverage), lang) {
        (0, _) => (format!("{percent}%"), String::new()),
        (count, Lang::Zh) => (format!("文字部分 {percent}%"), format!("，图片 {count} 张未识读")),
        (1, Lang::En) => (format!("text {percent}%"), ", 1 picture not read".into()),
        (count, Lang::En) => (format!("text {percent}%"), format!(", {count} pictures not read")),
    }
}

/// The word of the coverage verdict.
pub(in crate::report) fn verdict(lang: Lang, verdict: Verdict) -> &'static str {
    let (zh, en) = match verdict {
        Verdict::Full => ("全部检视", "all inspected"),
        Verdict::Partial => ("部分检视", "partly inspected"),
        Verdict::Opaque => ("无法检视", "not inspectable"),
    };
    lang.pick(zh, en)
}

/// What it means that nothing was found: only as much as could be seen.
pub(in crate::report) fn nothing_found(lang: Lang, verdict: Verdict) -> &'static str {
    let (zh, en) = match verdict {
        Verdict::Full => ("未检出禁止类功能。", "No prohibited function found."),
        Verdict::Partial => {
            ("在看得到的部分未检出禁止类功能。", "No prohibited function found in what could be seen.")
        }
        Verdict::Opaque => (
            "主要内容无法检视，不能得出未检出的结论。",
            "The main content could not be seen, so nothing can be said.",
        ),
    };
    lang.pick(zh, en)
}

/// How many gaps a row stands for: a row without a place counts those beyond the cap (`12 more`).
fn weight(gap: &Gap) -> u64 {
    beyond_the_cap(gap).unwrap_or(1)
}

fn beyond_the_cap(gap: &Gap) -> Option<u64> {
    if gap.place.is_empty() { gap.detail_en.strip_suffix(" more")?.parse().ok() } else { None }
}

/// What exactly could not be seen. A Chinese reader gets the meaning without the decoder's English, which the annex has.
pub(in crate::report) fn gap_detail(lang: Lang, gap: &Gap) -> &str {
    let detail: &str = lang.pick(&gap.detail, &gap.detail_en);
    let technical = |inside: &str| inside.is_ascii() && inside.contains(": ");
    match detail.strip_suffix('）').and_then(|detail| detail.rsplit_once('（')) {
        Some((meaning, inside)) if !meaning.is_empty() && technical(inside) => meaning,
        _ => detail,
    }
}

/// What exactly is out of order, as the decoder words it; nothing where that is only what the meaning says in English.
pub(in crate::report) fn anomaly_detail(lang: Lang, anomaly: &Anomaly) -> &str {
    match lang == Lang::Zh && anomaly.meaning(Lang::En).contains(&anomaly.detail) {
        true => "",
        false => &anomaly.detail,
    }
}

/// Number of gaps that may hide text of the user interface.
pub(in crate::report) fn material_gaps(coverage: &Coverage) -> u64 {
    coverage.gaps.iter().filter(|gap| gap.material).map(weight).sum()
}

/// What the coverage means for the conclusion.
pub(in crate::report) fn coverage_meaning(lang: Lang, coverage: &Coverage) -> String {
    let count = material_gaps(coverage);
    match (coverage.verdict, lang) {
        (Verdict::Full, _) if unread_pictures(coverage) > 0 => lang
            .pick(
                "除图片外，可能含有界面文字的内容均已检视；图片中的文字未识读。",
                "Everything but pictures that can hold text of the user interface was read; text inside pictures was not.",
            )
            .into(),
        (Verdict::Full, Lang::Zh) => "可能含有界面文字的内容均已检视。".into(),
        (Verdict::Full, Lang::En) => "Everything that can hold text of the user interface was read.".into(),
        (Verdict::Partial, Lang::Zh) => {
            format!("有 {count} 处可能含有界面文字的内容未能检视，其中是否另有禁止类功能，本报告不能排除。")
        }
        (Verdict::Partial, Lang::En) => format!(
            "{count} {} that may hold text of the user interface could not be read; this report cannot rule out \
             further prohibited functions there.",
            if count == 1 { "place" } else { "places" }
        ),
        (Verdict::Opaque, Lang::Zh) => "主要内容无法检视，“未检出”不等于“没有”。".into(),
        (Verdict::Opaque, Lang::En) => {
            "The main content could not be read: \"not found\" does not mean \"not there\".".into()
        }
    }
}

/// Pictures that a row stands for (`22 pictures; text inside pictures is not read`): the rows of a report name a folder.
fn pictures(gap: &Gap) -> Option<u64> {
    let mut words = gap.detail_en.split([' ', ';']);
    let count = words.next()?.parse().ok()?;
    (gap.part == PartName::Images && words.next() == Some("pictures")).then_some(count)
}

/// Gaps that hide no text of the user interface, counted by part and reason; pictures are counted each.
pub(in crate::report) fn minor_gaps(lang: Lang, coverage: &Coverage) -> Vec<String> {
    let mut counts: BTreeMap<(PartName, GapReason, bool), u64> = BTreeMap::new();
    for gap in coverage.gaps.iter().filter(|gap| !gap.material) {
        let pictures = pictures(gap);
        let key = (gap.part, gap.reason, pictures.is_some());
        *counts.entry(key).or_default() += pictures.unwrap_or_else(|| weight(gap));
    }
    let line = |((name, reason, counted), count): (&(PartName, GapReason, bool), &u64)| {
        let (name, reason) = (part(lang, *name), gap_reason(lang, *reason));
        match lang {
            Lang::Zh if *counted => format!("{name} {count} 张未识读"),
            Lang::Zh => format!("{name} {count} 处{reason}"),
            Lang::En if *counted => format!("{name}: {count} not read"),
            Lang::En => format!("{name}: {count} {reason}"),
        }
    };
    counts.iter().map(line).collect()
}

/// Findings of one level that no person has accepted.
pub(in crate::report) fn of_level(report: &Report, level: Level) -> impl Iterator<Item = &Finding> {
    report.findings.iter().filter(move |finding| finding.level == level && finding.accepted.is_none())
}

/// Findings that a person has accepted.
pub(in crate::report) fn accepted(report: &Report) -> impl Iterator<Item = (&Finding, &Acceptance)> {
    report.findings.iter().filter_map(|finding| Some((finding, finding.accepted.as_ref()?)))
}

/// Why a finding does not count: `例外：防汛值守签到（某办〔2026〕3号，至 2027-06-30，张三）`.
pub(in crate::report) fn acceptance(lang: Lang, accepted: &Acceptance) -> String {
    let until = accepted.until.map(|until| match lang {
        Lang::Zh => format!("至 {until}"),
        Lang::En => format!("until {until}"),
    });
    let parts = [accepted.document.clone(), until, Some(accepted.by.clone())];
    let comma = lang.pick("，", ", ");
    let inside: Vec<String> = parts.into_iter().flatten().filter(|part| !part.trim().is_empty()).collect();
    let (word, inside) = (lang.pick(accepted.kind.zh(), accepted.kind.en()), inside.join(comma));
    match lang {
        Lang::Zh => format!("{word}：{}（{inside}）", accepted.reason),
        Lang::En => format!("{word}: {} ({inside})", accepted.reason),
    }
}

/// A list as a sentence holds it. Items that hold the mark that would stand between them are parted by a stronger one.
pub(in crate::report) fn list<'a>(lang: Lang, items: impl IntoIterator<Item = &'a str>) -> String {
    let items: Vec<&str> = items.into_iter().collect();
    let mark = match items.iter().any(|item| item.contains(['、', ','])) {
        false => lang.pick("、", ", "),
        true => lang.pick("；", "; "),
    };
    items.join(mark)
}

/// A sentence with its stop: clauses of rules stand without one.
pub(in crate::report) fn ended(text: &str, lang: Lang) -> String {
    let text = text.trim();
    let stopped = text.ends_with(['。', '；', '！', '？', '.', ';', '!', '?']);
    format!("{text}{}", if stopped { "" } else { lang.pick("。", ".") })
}

/// An exception with the document that it needs.
pub(in crate::report) fn exception(lang: Lang, exception: &Exception) -> String {
    let Exception { text, text_en, requires, requires_en, .. } = exception;
    let (text, requires) = (ended(lang.pick(text, text_en), lang), lang.pick(requires, requires_en));
    match lang {
        Lang::Zh => format!("{text}须有：{requires}"),
        Lang::En => format!("{text} Needs on record: {requires}"),
    }
}

/// What the owner has to do, a sentence each; empty when nothing is asked.
pub(in crate::report) fn actions(lang: Lang, report: &Report) -> Vec<String> {
    let titles =
        |level| list(lang, of_level(report, level).map(|f| lang.pick(f.title.as_str(), f.title_en.as_str())));
    let missing = report.duties.iter().filter(|duty| duty.status == DutyStatus::Missing);
    let missing = list(lang, missing.map(|duty| lang.pick(duty.title.as_str(), duty.title_en.as_str())));
    let reason = |id: &str| report.code.reasons.iter().any(|reason| reason.id == id);
    let mut out = Vec::new();
    let mut ask = |needed: bool, zh: String, en: String| {
        if needed {
            out.push(if lang == Lang::Zh { zh } else { en });
        }
    };
    let (confirmed, suspected) = (titles(Level::Confirmed), titles(Level::Suspected));
    ask(
        !confirmed.is_empty(),
        format!("整改已确认的功能：{confirmed}。"),
        format!("Rectify what is confirmed: {confirmed}."),
    );
    ask(
        !suspected.is_empty(),
        format!("对疑似功能作出说明，配合人工复核：{suspected}。"),
        format!("Explain what is suspected, for a person to decide: {suspected}."),
    );
    ask(
        !missing.is_empty(),
        format!("补齐应当具备的功能或标识：{missing}。"),
        format!("Add what is missing: {missing}."),
    );
    ask(
        report.coverage.verdict == Verdict::Opaque,
        match report.target.kind.scope() {
            Scope::App => "提交未加固、可检视的安装包。".into(),
            Scope::Account => "提供可以查看的页面或发布列表。".into(),
            Scope::Group => "提供完整、可读的消息导出。".into(),
        },
        match report.target.kind.scope() {
            Scope::App => "Hand in a package that is not packed and can be inspected.".into(),
            Scope::Account => "Give a page or a list of posts that can be read.".into(),
            Scope::Group => "Give a whole and readable export of the messages.".into(),
        },
    );
    ask(
        report.coverage.verdict == Verdict::Partial,
        "就未能检视的内容作出说明，或提交可检视的版本。".into(),
        "Explain what could not be inspected, or hand in a version that can be.".into(),
    );
    ask(reason("not-filed"), "办理备案。".into(), "File the target.".into());
    ask(
        reason("filing-unknown"),
        "提供备案编号以供核对。".into(),
        "Give the filing number to be checked.".into(),
    );
    let any = !out.is_empty();
    if any {
        let zh = "完成期限以主管部门的书面通知为准。";
        out.push(lang.pick(zh, "The deadline is that of the authority's written notice.").to_owned());
    }
    out
}

/// A size as people read it: `24.6 MB`, `812 kB`, `96 B`.
pub(in crate::report) fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

/// The position in a place, in words: `偏移 0x1f4`, `资源 0x7f0b0012`.
pub(in crate::report) fn position(lang: Lang, place: &str) -> Option<String> {
    let rest = place.strip_prefix(entry(place))?;
    let word = match rest.chars().next()? {
        '#' => lang.pick("资源", "resource"),
        _ => lang.pick("偏移", "offset"),
    };
    Some(format!("{word} {}", &rest[1..]))
}

/// The part of a place without its position: the entry alone.
pub(in crate::report) fn entry(place: &str) -> &str {
    match place.rfind(['@', '#']) {
        Some(at) if place[at + 1..].starts_with("0x") => &place[..at],
        _ => place,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_entries() {
        assert_eq!(size(24_612_345), "24.6 MB");
        assert_eq!(size(812_999), "812 kB");
        assert_eq!(size(96), "96 B");
        assert_eq!(entry("base.apk!classes.dex@0x1f4"), "base.apk!classes.dex");
        assert_eq!(entry("resources.arsc#0x7f0b0012"), "resources.arsc");
        assert_eq!(entry("assets/a@2x.png"), "assets/a@2x.png");
        assert_eq!(position(Lang::Zh, "base.apk!classes.dex@0x1f4").as_deref(), Some("偏移 0x1f4"));
        assert_eq!(position(Lang::En, "resources.arsc#0x7f0b0012").as_deref(), Some("resource 0x7f0b0012"));
        assert_eq!(position(Lang::En, "assets/a@2x.png"), None);
    }
}
