//! The notice of rectification (整改通知书) that an office sends: made of one report and of what the office adds.
//!
//! [`Notice`] is the text of the document as a row of blocks; `docx.rs` and `html.rs` lay it out after GB/T 9704-2012
//! (党政机关公文格式). Every string in it is safe to show.

mod docx;
mod html;

use std::collections::BTreeSet;
use std::io::{self, Write};

use jiff::civil::Date;

use super::prose::{self, ended, excerpt, visible};
use crate::model::{
    Duty, DutyStatus, Evidence, EvidenceKind, Exception, Finding, Lang, Level, Report, Scope, Verdict,
    beijing_day,
};

/// Rows of evidence listed of each finding.
const ROWS: usize = 5;
/// Gaps listed.
const GAPS: usize = 5;
/// Columns of a quoted text.
const QUOTE: usize = 120;

/// What the office adds to the report.
#[derive(Debug, Clone)]
pub struct NoticeData {
    /// Number of the notice (文号).
    pub number: String,
    /// The last day for rectification.
    pub deadline: Date,
    /// The day of the notice.
    pub issued: Date,
    /// The office that sends it (发文机关).
    pub issuer: Option<String>,
    /// The unit it goes to (主送机关); without it the owner that the report knows.
    pub addressee: Option<String>,
    /// Where the answer goes: an address, a telephone number.
    pub contact: Option<String>,
    /// The day of the scan.
    pub scanned: Option<Date>,
    /// Rules it is about; all that found something when there is none.
    pub rules: Vec<String>,
}

/// Why there is nothing to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeError {
    /// The report asks for nothing.
    NothingToRectify,
    /// The report has no open finding and no missing duty of this rule.
    NoSuchRule(String),
    /// The deadline is before the day of the notice.
    DeadlinePassed,
}

impl NoticeError {
    /// The error in a language.
    pub fn words(&self, lang: Lang) -> String {
        match (self, lang) {
            (NoticeError::NothingToRectify, Lang::Zh) => "报告中没有需要整改的事项".into(),
            (NoticeError::NothingToRectify, Lang::En) => "the report asks for no rectification".into(),
            (NoticeError::NoSuchRule(rule), Lang::Zh) => format!("报告中没有规则 {rule} 的待整改事项"),
            (NoticeError::NoSuchRule(rule), Lang::En) => {
                format!("nothing to rectify by rule {rule} in the report")
            }
            (NoticeError::DeadlinePassed, Lang::Zh) => "整改期限早于发文日期".into(),
            (NoticeError::DeadlinePassed, Lang::En) => "the deadline is before the day of the notice".into(),
        }
    }
}

/// A format of notices.
#[derive(Debug, Clone, Copy)]
pub struct NoticeFormat {
    /// Name, and ending of its files.
    pub name: &'static str,
    /// Writes a notice.
    pub write: fn(&Notice, &mut dyn Write) -> io::Result<()>,
}

/// Every format of notices.
pub static NOTICE_FORMATS: &[NoticeFormat] =
    &[NoticeFormat { name: "docx", write: docx::write }, NoticeFormat { name: "html", write: html::write }];

/// A piece of the document.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Block {
    /// The title.
    Title(String),
    /// The number below it.
    Number(String),
    /// The unit it goes to.
    Addressee(String),
    /// 一、
    Heading(String),
    /// （一）
    Subheading(String),
    /// Running text.
    Body(String),
    /// An entry of a list with its number.
    Entry(String),
    /// Rows of a label and a text.
    Table(Vec<(String, String)>),
    /// The office that sends it.
    Issuer(String),
    /// The day of the notice.
    Day(String),
}

/// A notice, ready to be laid out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    lang: Lang,
    blocks: Vec<Block>,
    unverified: Vec<String>,
}

impl Notice {
    /// The notice for a report.
    pub fn new(report: &Report, data: &NoticeData, lang: Lang) -> Result<Notice, NoticeError> {
        if data.deadline < data.issued {
            return Err(NoticeError::DeadlinePassed);
        }
        let asked = |rule: &str| data.rules.is_empty() || data.rules.iter().any(|asked| asked == rule);
        let findings = report.findings.iter().filter(|finding| finding.is_open());
        let findings: Vec<&Finding> = findings.filter(|finding| asked(&finding.rule)).collect();
        let missing = report.duties.iter().filter(|duty| duty.status == DutyStatus::Missing);
        let missing: Vec<&Duty> = missing.filter(|duty| asked(&duty.rule)).collect();
        let known: BTreeSet<&str> =
            findings.iter().map(|f| f.rule.as_str()).chain(missing.iter().map(|d| d.rule.as_str())).collect();
        if let Some(rule) = data.rules.iter().find(|rule| !known.contains(rule.as_str())) {
            return Err(NoticeError::NoSuchRule(rule.clone()));
        }
        if known.is_empty() && report.coverage.verdict == Verdict::Full {
            return Err(NoticeError::NothingToRectify);
        }
        let mut text = Text { lang, report, data, chapter: 0, blocks: Vec::new(), unverified: Vec::new() };
        text.opening(&findings, &missing);
        text.target();
        text.findings(&findings);
        text.missing(&missing);
        text.unseen();
        text.deadline();
        text.exceptions(&findings);
        text.signature();
        Ok(Notice { lang, blocks: text.blocks, unverified: text.unverified })
    }

    /// Clauses whose article number has to be checked before the notice is signed, each once, with their documents.
    pub fn unverified(&self) -> &[String] {
        &self.unverified
    }

    /// Its title.
    fn title(&self) -> &str {
        let title = |block: &Block| matches!(block, Block::Title(_));
        match self.blocks.iter().find(|block| title(block)) {
            Some(Block::Title(title)) => title,
            _ => "",
        }
    }
}

/// The text while it is written.
struct Text<'a> {
    lang: Lang,
    report: &'a Report,
    data: &'a NoticeData,
    chapter: usize,
    blocks: Vec<Block>,
    unverified: Vec<String>,
}

/// A string of the package or of the office, safe to show and cut to a length.
fn short(text: &str, columns: usize) -> String {
    excerpt(text, "", columns).after
}

/// What a clause of a rule says of an article number that nobody has checked.
const UNVERIFIED: [&str; 2] = ["（条次未核）", " (article number not verified)"];

/// A clause without the remark that its number was not checked: no office signs that.
fn cited(clause: &str) -> String {
    UNVERIFIED.iter().fold(clause.to_owned(), |clause, remark| clause.replace(remark, ""))
}

/// Chinese numerals up to 99.
fn numeral(n: usize) -> String {
    const DIGITS: [&str; 10] = ["", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
    let digit = |n: usize| DIGITS.get(n).copied().unwrap_or_default();
    match n {
        0..10 => digit(n).to_owned(),
        10..20 => format!("十{}", digit(n - 10)),
        20..100 => format!("{}十{}", digit(n / 10), digit(n % 10)),
        _ => n.to_string(),
    }
}

impl Text<'_> {
    fn pick<'t>(&self, zh: &'t str, en: &'t str) -> &'t str {
        self.lang.pick(zh, en)
    }

    fn day(&self, date: Date) -> String {
        match self.lang {
            Lang::Zh => format!("{}年{}月{}日", date.year(), date.month(), date.day()),
            Lang::En => date.strftime("%-d %B %Y").to_string(),
        }
    }

    fn body(&mut self, text: impl Into<String>) {
        self.blocks.push(Block::Body(text.into()));
    }

    fn heading(&mut self, zh: &str, en: &str) {
        self.chapter += 1;
        let text = match self.lang {
            Lang::Zh => format!("{}、{zh}", numeral(self.chapter)),
            Lang::En => format!("{}. {en}", self.chapter),
        };
        self.blocks.push(Block::Heading(text));
    }

    fn subheading(&mut self, number: usize, text: &str) {
        let text = match self.lang {
            Lang::Zh => format!("（{}）{text}", numeral(number)),
            Lang::En => format!("({number}) {text}"),
        };
        self.blocks.push(Block::Subheading(text));
    }

    fn name(&self) -> String {
        short(prose::name(self.report), 80)
    }

    fn owner(&self) -> Option<String> {
        let registered = self.report.registered.as_ref().and_then(|registered| registered.owner.as_deref());
        let known = self.data.addressee.as_deref().or(registered).map(str::trim);
        known.filter(|owner| !owner.is_empty()).map(|owner| short(owner, 120))
    }

    fn opening(&mut self, findings: &[&Finding], missing: &[&Duty]) {
        let name = self.name();
        self.blocks.push(Block::Title(self.pick("整改通知书", "Notice of Rectification").to_owned()));
        self.blocks.push(Block::Number(short(&self.data.number, 80)));
        let addressee = match (self.owner(), self.lang) {
            (Some(owner), Lang::Zh) => format!("{owner}："),
            (Some(owner), Lang::En) => format!("To: {owner}"),
            (None, Lang::Zh) => format!("“{name}”主办单位："),
            (None, Lang::En) => format!("To: the unit responsible for \"{name}\""),
        };
        self.blocks.push(Block::Addressee(addressee));
        let lang = self.lang;
        let kind = lang.pick(self.report.target.kind.zh(), self.report.target.kind.en());
        let mut documents: Vec<&str> = Vec::new();
        let basis = findings.iter().flat_map(|f| &f.basis).chain(missing.iter().flat_map(|d| &d.basis));
        for clause in basis {
            let document = lang.pick(&clause.document, &clause.document_en);
            if !documents.contains(&document) {
                documents.push(document);
            }
        }
        let by = visible(&prose::list(lang, documents.iter().copied())).into_owned();
        let deadline = self.day(self.data.deadline);
        let asks = !findings.is_empty() || !missing.is_empty();
        let text = match (lang, asks) {
            (Lang::Zh, true) => format!(
                "经技术检测，你单位主办的{kind}“{name}”存在下列问题。现依据{by}，通知你单位于{deadline}前完成整改，并书面报告整改情况。"
            ),
            (Lang::Zh, false) => format!(
                "对你单位主办的{kind}“{name}”进行技术检测时，有内容未能检视，不能得出结论。现通知你单位于{deadline}前作出说明，并提交可以检视的版本。"
            ),
            (Lang::En, true) => format!(
                "A technical inspection of the {kind} \"{name}\", for which your unit is responsible, has found what is set out below. By {by}, your unit is to rectify it by {deadline} and to report in writing."
            ),
            (Lang::En, false) => format!(
                "In a technical inspection of the {kind} \"{name}\", for which your unit is responsible, parts could not be seen, so that no conclusion can be drawn. Your unit is to explain this by {deadline} and to hand in a version that can be inspected."
            ),
        };
        self.body(text);
    }

    fn target(&mut self) {
        self.heading("检测对象", "What was inspected");
        let (report, lang) = (self.report, self.lang);
        let identity = &report.identity;
        let source = prose::source(&report.target.source);
        let signer = identity.signer.as_ref().map(|signer| short(&signer.subject, 160));
        let day = self.data.scanned.or(report.as_of.map(beijing_day)).map(|date| self.day(date));
        let engine = &report.engine;
        let digest: String = engine.ruleset.digest.chars().take(12).collect();
        let engine = match lang {
            Lang::Zh => format!("{} {}，规则集 {digest}", engine.name, engine.version),
            Lang::En => format!("{} {}, rule set {digest}", engine.name, engine.version),
        };
        let coverage = prose::coverage(lang, &report.coverage);
        let rows = [
            ("名称", "Name", Some(self.name())),
            ("类别", "Kind", Some(lang.pick(report.target.kind.zh(), report.target.kind.en()).to_owned())),
            ("标识", "Id", identity.id.as_deref().map(|id| short(id, 120))),
            ("版本", "Version", identity.version.as_deref().map(|version| short(version, 40))),
            ("备案编号", "Filing number", identity.filing.as_deref().map(|number| short(number, 60))),
            ("文件", "File", Some(short(source, 240))),
            ("SHA-256", "SHA-256", Some(short(&report.artifact.sha256, 80))),
            ("签名证书", "Signer", signer),
            ("检测日期", "Inspected on", day),
            ("检测程序", "Program", Some(short(&engine, 100))),
            ("检视范围", "Coverage", Some(coverage)),
        ];
        let rows = rows.into_iter().filter_map(|(zh, en, text)| Some((lang.pick(zh, en).to_owned(), text?)));
        let rows: Vec<(String, String)> = rows.filter(|(_, text)| !text.trim().is_empty()).collect();
        self.blocks.push(Block::Table(rows));
    }

    fn findings(&mut self, findings: &[&Finding]) {
        if findings.is_empty() {
            return;
        }
        self.heading("检出的问题", "What was found");
        let lang = self.lang;
        for (index, finding) in findings.iter().enumerate() {
            let title = visible(lang.pick(&finding.title, &finding.title_en));
            let level = prose::level(lang, finding.level);
            let title = match lang {
                Lang::Zh => format!("{title}（{level}）"),
                Lang::En => format!("{title} ({level})"),
            };
            self.subheading(index + 1, &title);
            self.basis(&finding.basis);
            let explanation = lang.pick(&finding.explanation, &finding.explanation_en);
            self.labelled("认定情况：", "Why: ", explanation);
            let rows: Vec<&Evidence> =
                finding.evidence.iter().filter(|row| row.level > Level::Mention).collect();
            let count = rows.len() as u64 + finding.evidence_omitted;
            let shown = rows.len().min(ROWS);
            self.body(match lang {
                Lang::Zh if count > shown as u64 => format!("所在位置（共 {count} 处，列出 {shown} 处，其余见技术检测报告）："),
                Lang::Zh => format!("所在位置（共 {count} 处）："),
                Lang::En if count > shown as u64 => {
                    format!("Where it is ({count} places, {shown} of them listed, the rest in the technical report):")
                }
                Lang::En => format!("Where it is ({count} {}):", if count == 1 { "place" } else { "places" }),
            });
            for (number, row) in rows.iter().take(ROWS).enumerate() {
                let entry = format!("{}. {}", number + 1, self.evidence(row));
                self.blocks.push(Block::Entry(entry));
            }
            let remediation = lang.pick(&finding.remediation, &finding.remediation_en);
            if finding.level == Level::Confirmed {
                self.labelled("整改要求：", "What to change: ", remediation);
            } else {
                let zh = "请就是否属于上述情形作出说明；属于的，按此整改：";
                let en = "Explain whether this is the case; if it is, change it so: ";
                self.labelled(zh, en, remediation);
            }
        }
    }

    fn labelled(&mut self, zh: &str, en: &str, text: &str) {
        self.body(format!("{}{}", self.pick(zh, en), ended(&visible(text), self.lang)));
    }

    fn basis(&mut self, basis: &[crate::model::Basis]) {
        let lang = self.lang;
        for clause in basis {
            let document = visible(lang.pick(&clause.document, &clause.document_en));
            let said = lang.pick(&clause.clause, &clause.clause_en);
            let cited = cited(said);
            if cited != said {
                let whole = format!("{document}{}{cited}", lang.pick("", ", "));
                if !self.unverified.contains(&whole) {
                    self.unverified.push(whole);
                }
            }
            let cited = visible(&cited);
            let text = visible(lang.pick(&clause.text, &clause.text_en));
            let scope = visible(lang.pick(&clause.scope, &clause.scope_en));
            self.body(match lang {
                Lang::Zh => format!(
                    "依据：{document}{cited}：{}适用范围：{}",
                    ended(&text, lang),
                    ended(&scope, lang)
                ),
                Lang::En => format!(
                    "Basis: {document}, {cited}: {} Scope: {}",
                    ended(&text, lang),
                    ended(&scope, lang)
                ),
            });
        }
    }

    /// A row as a person finds it: what it says, on which element of which screen, and where it is stored.
    fn evidence(&self, row: &Evidence) -> String {
        let lang = self.lang;
        let cut = excerpt(&row.text, &row.matched, QUOTE);
        let quote = format!("{}{}{}", cut.before, cut.matched, cut.after);
        let kind = prose::evidence_kind(lang, row.kind);
        let mut out = match (row.kind, lang) {
            (EvidenceKind::Text, Lang::Zh) => format!("{kind}“{quote}”"),
            (EvidenceKind::Text, Lang::En) => format!("{kind} \"{quote}\""),
            _ => format!("{kind} {quote}"),
        };
        let mut add = |zh: &str, en: &str, text: Option<&str>| {
            if let Some(text) = text.filter(|text| !text.is_empty()) {
                out.push_str(lang.pick(zh, en));
                out.push_str(&short(text, 160));
            }
        };
        add("，控件 ", ", widget ", row.widget.as_deref());
        add("，页面 ", ", screen ", row.screen.as_deref());
        add("，文件内位置 ", ", stored at ", Some(&row.place));
        out.push_str(lang.pick("。", "."));
        out
    }

    fn missing(&mut self, missing: &[&Duty]) {
        if missing.is_empty() {
            return;
        }
        self.heading("应当具备而未见的功能或标识", "What is required and was not seen");
        let lang = self.lang;
        for (index, duty) in missing.iter().enumerate() {
            self.subheading(index + 1, &visible(lang.pick(&duty.title, &duty.title_en)));
            self.basis(&duty.basis);
            self.labelled("认定情况：", "Why: ", lang.pick(&duty.explanation, &duty.explanation_en));
            self.labelled("整改要求：", "What to add: ", lang.pick(&duty.remediation, &duty.remediation_en));
        }
    }

    fn unseen(&mut self) {
        self.heading("未能检视的内容", "What could not be seen");
        let (lang, coverage) = (self.lang, &self.report.coverage);
        self.body(prose::coverage_meaning(lang, coverage));
        if coverage.verdict == Verdict::Full {
            return;
        }
        let material = coverage.gaps.iter().filter(|gap| gap.material && !gap.place.is_empty());
        for (number, gap) in material.take(GAPS).enumerate() {
            let (part, reason) = (prose::part(lang, gap.part), prose::gap_reason(lang, gap.reason));
            let place = short(&gap.place, 160);
            self.blocks.push(Block::Entry(match lang {
                Lang::Zh => format!("{}. {part}，{reason}，{place}。", number + 1),
                Lang::En => format!("{}. {part}: {reason}, {place}.", number + 1),
            }));
        }
        let text = match (lang, self.report.target.kind.scope()) {
            (Lang::Zh, Scope::App) => "请就上述内容作出说明，或者提交未加固、可以检视的安装包。",
            (Lang::Zh, _) => "请就上述内容作出说明，或者提供完整、可读的页面、发布列表或者消息导出。",
            (Lang::En, Scope::App) => {
                "Explain this, or hand in a package that is not packed and can be inspected."
            }
            (Lang::En, _) => {
                "Explain this, or give whole and readable pages, lists of posts or exports of messages."
            }
        };
        self.body(text);
    }

    fn deadline(&mut self) {
        self.heading("整改期限和报告方式", "Deadline and report");
        let deadline = self.day(self.data.deadline);
        let lang = self.lang;
        let what = match self.report.target.kind.scope() {
            Scope::App => lang.pick("整改后的安装包及其版本号", "the rectified package and its version"),
            Scope::Account => lang.pick("整改后的页面截图", "pictures of the rectified pages"),
            Scope::Group => lang
                .pick("整改后的群规、群标和消息记录", "the rectified rules, sign and messages of the group"),
        };
        let contact = self.data.contact.as_deref().map(|contact| short(contact, 160));
        let to = match (&contact, lang) {
            (Some(contact), Lang::Zh) => format!("报送本机关（{contact}）"),
            (None, Lang::Zh) => "报送本机关".to_owned(),
            (Some(contact), Lang::En) => format!("to this office ({contact})"),
            (None, Lang::En) => "to this office".to_owned(),
        };
        self.body(match lang {
            Lang::Zh => format!(
                "请于{deadline}前完成整改，将整改报告（逐项写明整改措施、完成时间和责任人）连同{what}书面{to}。"
            ),
            Lang::En => format!(
                "Rectify this by {deadline} and send a written report that states for each item what was done, when, and by whom, with {what}, {to}."
            ),
        });
        self.body(self.pick(
            "本机关将重新检测。功能仍在，只更换名称、图标或者入口的，按未整改处理。逾期不整改或者整改不到位的，依照有关规定处理。",
            "It will be inspected again. A function that is still there under another name, icon or entry counts as not rectified. What is not rectified by the deadline is dealt with by the rules.",
        ));
    }

    fn exceptions(&mut self, findings: &[&Finding]) {
        self.heading("例外情形和异议", "Exceptions and objections");
        let lang = self.lang;
        let mut listed: Vec<&Exception> = Vec::new();
        for exception in findings.iter().flat_map(|finding| &finding.exceptions) {
            if !listed.contains(&exception) {
                listed.push(exception);
            }
        }
        if !listed.is_empty() {
            self.body(self.pick(
                "属于下列例外情形的，请在期限内提交所列文件（写明名称、文号、适用范围和有效期），经核准后方可保留；检测对象自身的文字不能作为依据：",
                "If one of these exceptions applies, hand in the document by the deadline (its name, number, scope and term); the function may stay when it is approved. No text of the object itself grants an exception:",
            ));
        }
        for (number, exception) in listed.iter().enumerate() {
            let text = visible(lang.pick(&exception.text, &exception.text_en));
            let requires = visible(lang.pick(&exception.requires, &exception.requires_en));
            self.blocks.push(Block::Entry(match lang {
                Lang::Zh => format!("{}. {}须有：{}", number + 1, ended(&text, lang), ended(&requires, lang)),
                Lang::En => {
                    format!("{}. {} Needed: {}", number + 1, ended(&text, lang), ended(&requires, lang))
                }
            }));
        }
        self.body(self.pick(
            "对检测结果有异议的，请在期限内书面提出，写明所涉问题、位置和理由，由人工复核。",
            "If you object to a finding, do so in writing by the deadline, with the item, the place and the reason; a person will review it.",
        ));
    }

    fn signature(&mut self) {
        let issuer = self.data.issuer.as_deref().map(str::trim).filter(|issuer| !issuer.is_empty());
        let blank = self.pick("（发文机关）", "(issuing office)");
        self.blocks.push(Block::Issuer(issuer.map_or_else(|| blank.to_owned(), |issuer| short(issuer, 80))));
        self.blocks.push(Block::Day(self.day(self.data.issued)));
    }
}
