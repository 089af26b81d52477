//! A Word document (ECMA-376) for people who file, pass on and annotate: A4, headings that the navigation pane lists,
//! page numbers. Everything that the HTML report says is in it but the screens drawn again.
//!
//! The same reports give the same bytes: paragraphs are numbered here and not by the library's counter.

use std::io::{self, Write};

use docx_rs::{
    AlignmentType, BreakType, DocumentChild, Docx, Footer, LineSpacing, NumPages, PageMargin, PageNum,
    Paragraph, Run as Piece, Shading, ShdType, Style, StyleType, Table, TableCell, TableCellMargins,
    TableLayoutType, TableRow, WidthType,
};

use super::prose::{self, excerpt, visible};
use super::word::{TWIPS, fonts, pack, run};
use super::{Format, Run, View};
use crate::model::{
    Basis, ColorCode, DutyStatus, Evidence, EvidenceKind, Finding, Gap, Lang, Level, Report, Verdict,
};

pub(super) const FORMAT: Format = Format {
    name: "docx",
    media: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    streams: false,
    write,
};

/// Width of the text: 170 mm.
const WIDTH: i32 = 170 * TWIPS / 100;
/// Columns of a quoted text.
const QUOTE: usize = 240;
/// Columns of any other string of the package.
const LONG: usize = 300;
/// Half points.
const BODY: usize = 21;
const SMALL: usize = 18;
/// The fill of the first column of a table, and of its head.
const WASH: &str = "F1F3F5";
const SOFT: &str = "54606E";

fn write(run: &Run<'_>, view: View, out: &mut dyn Write) -> io::Result<()> {
    let docx = Docx::new()
        .page_size(11906, 16838)
        .page_margin(
            PageMargin::new()
                .top(22 * TWIPS / 100)
                .bottom(20 * TWIPS / 100)
                .left(20 * TWIPS / 100)
                .right(20 * TWIPS / 100)
                .footer(10 * TWIPS / 100),
        )
        .default_fonts(fonts("宋体"))
        .default_size(BODY)
        .footer(page_number());
    let docx = styles().into_iter().fold(docx, Docx::add_style);
    let mut page = Page { lang: view.lang, docx, next: 1 };
    if run.several || !run.failures.is_empty() {
        page.index(run);
    }
    for (at, report) in run.reports.iter().enumerate() {
        page.report(report, at > 0 || run.several);
    }
    pack(page.docx, out)
}

fn page_number() -> Footer {
    let small = |piece: Piece| piece.size(SMALL).color(SOFT);
    let line = Paragraph::new()
        .id(format!("{:08x}", u32::MAX / 4))
        .align(AlignmentType::Center)
        .add_page_num(PageNum::new())
        .add_run(small(Piece::new().add_text(" / ")))
        .add_num_pages(NumPages::new());
    Footer::new().add_paragraph(line)
}

fn styles() -> Vec<Style> {
    let style = |id: &str, name: &str, size: usize| {
        Style::new(id, StyleType::Paragraph).name(name).size(size).fonts(fonts("宋体"))
    };
    let space = |before: u32, after: u32| LineSpacing::new().before(before).after(after);
    let heading = |id: &str, name: &str, size: usize, level: usize| {
        style(id, name, size).fonts(fonts("黑体")).bold().outline_lvl(level).q_format(true)
    };
    vec![
        style("Title", "Title", 36).fonts(fonts("黑体")).bold().line_spacing(space(0, 60)),
        heading("Heading1", "heading 1", 28, 0).line_spacing(space(360, 120)),
        heading("Heading2", "heading 2", 24, 1).line_spacing(space(240, 60)),
        heading("Heading3", "heading 3", BODY, 2).color(SOFT).line_spacing(space(160, 40)),
        style("ReportBody", "检测报告正文", BODY).line_spacing(space(0, 80)),
        style("ReportNote", "检测报告附注", SMALL).color(SOFT).line_spacing(space(0, 60)),
        style("ReportCell", "检测报告表格", SMALL),
    ]
}

/// The document while it grows.
struct Page {
    lang: Lang,
    docx: Docx,
    /// Number of the next paragraph.
    next: u32,
}

impl Page {
    fn pick<'t>(&self, zh: &'t str, en: &'t str) -> &'t str {
        self.lang.pick(zh, en)
    }

    fn paragraph(&mut self, style: &str, pieces: Vec<Piece>) -> Paragraph {
        self.next += 1;
        let empty = Paragraph::new().id(format!("{:08x}", self.next)).style(style);
        pieces.into_iter().fold(empty, Paragraph::add_run)
    }

    fn add(&mut self, paragraph: Paragraph) {
        self.docx.document.children.push(DocumentChild::Paragraph(Box::new(paragraph)));
    }

    fn line(&mut self, style: &str, text: &str) {
        if !text.is_empty() {
            let paragraph = self.paragraph(style, vec![run(text)]);
            self.add(paragraph);
        }
    }

    fn body(&mut self, text: &str) {
        self.line("ReportBody", text);
    }

    fn note(&mut self, text: &str) {
        self.line("ReportNote", text);
    }

    fn heading(&mut self, level: usize, text: &str) {
        self.kept(&format!("Heading{level}"), text);
    }

    /// A line that stays on the page of what follows it.
    fn kept(&mut self, style: &str, text: &str) {
        if !text.is_empty() {
            let paragraph = self.paragraph(style, vec![run(text)]).keep_next(true);
            self.add(paragraph);
        }
    }

    /// Rows of cells with columns of so many percent; the first row is the head where there is one, and stands on
    /// each page of the table. No row is split over two pages.
    fn table(&mut self, head: &[&str], percent: &[i32], rows: Vec<Vec<Vec<Piece>>>) {
        let widths: Vec<usize> =
            percent.iter().map(|part| usize::try_from(WIDTH * part / 100).unwrap_or_default()).collect();
        let bold = |text: &&str| vec![run(text).bold()];
        let head: Vec<Vec<Vec<Piece>>> =
            (!head.is_empty()).then(|| head.iter().map(bold).collect()).into_iter().collect();
        let heads = head.len();
        let mut made = Vec::new();
        for (at, row) in head.into_iter().chain(rows).enumerate() {
            let is_head = at < heads;
            let mut cells = Vec::new();
            for (column, (pieces, width)) in row.into_iter().zip(&widths).enumerate() {
                // The head stays with the first row.
                let paragraph = self.paragraph("ReportCell", pieces).keep_next(is_head);
                let cell = TableCell::new().width(*width, WidthType::Dxa).add_paragraph(paragraph);
                let shaded = is_head || heads == 0 && column == 0;
                cells.push(if shaded { cell.shading(ground(WASH)) } else { cell });
            }
            let row = TableRow::new(cells);
            // Rows without properties are heads, see `pack`.
            made.push(if is_head { row } else { row.cant_split() });
        }
        let whole = widths.iter().sum();
        let table = Table::new(made)
            .set_grid(widths)
            .width(whole, WidthType::Dxa)
            .layout(TableLayoutType::Fixed)
            .margins(TableCellMargins::new().margin(40, 100, 40, 100));
        self.docx.document.children.push(DocumentChild::Table(Box::new(table)));
        // Two tables in a row would become one.
        self.line("ReportNote", " ");
    }

    /// What was scanned, a row each.
    fn index(&mut self, run_of: &Run<'_>) {
        let title = self.pick("技术检测报告汇总", "Technical detection reports").to_owned();
        self.line("Title", &title);
        let mut rows: Vec<Vec<Vec<Piece>>> = Vec::new();
        for report in run_of.reports {
            let count = |level| run(&prose::of_level(report, level).count().to_string());
            rows.push(vec![
                vec![run(&short(prose::name(report), 60))],
                vec![run(&coded(self.lang, report)).bold().color(colour(report.code.suggested))],
                vec![count(Level::Confirmed)],
                vec![count(Level::Suspected)],
                vec![run(&prose::coverage(self.lang, &report.coverage))],
            ]);
        }
        for failure in run_of.failures {
            let told = format!("{}{}", self.pick("未能检测：", "Not scanned: "), short(&failure.cause, LONG));
            let mut row = vec![vec![run(&short(prose::source(&failure.source), LONG))], vec![run(&told)]];
            row.resize(5, vec![run("")]);
            rows.push(row);
        }
        let heads = [
            self.pick("对象", "Target"),
            self.pick("建议赋码", "Suggested code"),
            self.pick("确认", "Confirmed"),
            self.pick("疑似", "Suspected"),
            self.pick("检视范围", "Coverage"),
        ];
        self.table(&heads, &[36, 24, 11, 11, 18], rows);
    }

    fn report(&mut self, report: &Report, new_page: bool) {
        let lang = self.lang;
        if new_page {
            let paragraph = self.paragraph("ReportBody", vec![Piece::new().add_break(BreakType::Page)]);
            self.add(paragraph);
        }
        self.note(lang.pick("指尖质检　技术检测报告", "zhijian · technical detection report"));
        let version = report.identity.version.as_deref().unwrap_or_default();
        let title = format!("{} {}", short(prose::name(report), 60), short(version, 30));
        self.line("Title", title.trim());
        let kind = lang.pick(report.target.kind.zh(), report.target.kind.en());
        let id = report.identity.id.as_deref().map(|id| short(id, LONG)).unwrap_or_default();
        self.note(format!("{kind}　{id}").trim());
        self.conclusion(report);
        self.heading(1, lang.pick("一、检测对象", "1. What was seen"));
        self.seen(report);
        self.heading(1, lang.pick("二、检出功能", "2. Findings"));
        self.findings(report);
        self.heading(1, lang.pick("三、必备功能", "3. Duties"));
        self.duties(report);
        self.heading(1, lang.pick("四、未能检视的内容", "4. What could not be seen"));
        self.unseen(report);
        self.heading(1, lang.pick("五、法律与政策依据", "5. Legal basis"));
        self.documents(report);
        self.heading(1, lang.pick("六、附录（供技术人员核对）", "6. Annex for technicians"));
        self.annex(report);
        self.note(lang.pick(
            "本报告由程序对检测对象作静态检测得出，赋码为建议；“疑似”须经人工核查，“提及”不作为认定依据。",
            "This report comes from a static inspection by a program; the code is a suggestion. What is suspected has \
             to be checked by a person; a mention proves nothing.",
        ));
    }

    fn conclusion(&mut self, report: &Report) {
        let lang = self.lang;
        let fact = |label: &str, pieces: Vec<Piece>| vec![vec![run(label).bold()], pieces];
        let code = run(&coded(lang, report)).bold().size(30).color(colour(report.code.suggested));
        let mut rows = vec![fact(lang.pick("建议赋码", "Suggested code"), vec![code])];
        let reasons = report.code.reasons.iter().map(|reason| lang.pick(&reason.text, &reason.text_en));
        rows.push(fact(lang.pick("理由", "Why"), lines(reasons.map(str::to_owned))));
        let actions = prose::actions(lang, report);
        if !actions.is_empty() {
            // The last one says who sets the deadline.
            let last = actions.len() - 1;
            let shown = actions
                .iter()
                .enumerate()
                .map(|(at, action)| format!("{}{}", if at < last { "☐ " } else { "" }, visible(action)));
            rows.push(fact(lang.pick("责任单位须办", "The owner has to"), lines(shown)));
        }
        let figures = prose::figures(lang, report);
        let figures: Vec<String> =
            figures.into_iter().map(|(label, figure)| format!("{figure} {label}")).collect();
        let figures = figures.join(lang.pick("；", "; "));
        rows.push(fact(lang.pick("概况", "In figures"), vec![run(&figures)]));
        self.table(&[], &[20, 80], rows);
    }

    fn seen(&mut self, report: &Report) {
        let lang = self.lang;
        let mut facts: Vec<(&str, String)> = vec![
            (lang.pick("文件", "File"), short(prose::source(&report.target.source), LONG)),
            (
                lang.pick("格式与大小", "Format and size"),
                format!(
                    "{}{}{}",
                    short(&report.artifact.format, 20).to_uppercase(),
                    lang.pick("，", ", "),
                    prose::size(report.artifact.bytes)
                ),
            ),
            ("SHA-256", short(&report.artifact.sha256, LONG)),
        ];
        if let Some(signer) = &report.identity.signer {
            facts.push((lang.pick("签名", "Signer"), short(&signer.subject, LONG)));
            facts.push((lang.pick("签名证书摘要", "Certificate digest"), short(&signer.sha256, LONG)));
        }
        let more = [
            report.listing.as_ref().map(|listing| prose::listing(lang, listing)),
            report.page.as_ref().map(|page| prose::page(lang, page)),
            report.group.as_ref().map(|group| prose::group(lang, group)),
        ];
        facts.extend(more.into_iter().flatten().flatten().map(|(label, text)| (label, short(&text, LONG))));
        let filing = report.identity.filing.as_deref();
        let filing =
            filing.map_or_else(|| lang.pick("未提供", "not given").to_owned(), |text| short(text, LONG));
        facts.push((lang.pick("备案编号", "Filing number"), filing));
        let engine = &report.engine;
        let rules = match lang {
            Lang::Zh => format!("，规则 {} 条，赋码策略 ", engine.ruleset.rules),
            Lang::En => format!(", {} rules, policy ", engine.ruleset.rules),
        };
        let engine = format!("{} {}{rules}{}", engine.name, engine.version, report.code.policy);
        facts.push((lang.pick("引擎与规则", "Engine and rules"), short(&engine, LONG)));
        let coverage = &report.coverage;
        facts.push((lang.pick("检视范围", "Coverage"), prose::coverage(lang, coverage)));
        self.facts(facts);
        if !coverage.parts.is_empty() {
            let rows = coverage.parts.iter().map(|tally| {
                let unread = tally.total.saturating_sub(tally.read);
                let numbers = [tally.total, tally.read, unread].map(|number| vec![run(&number.to_string())]);
                std::iter::once(vec![run(prose::part(lang, tally.part))]).chain(numbers).collect()
            });
            let rows = rows.collect();
            let heads = [
                lang.pick("部分", "Part"),
                lang.pick("共有", "Present"),
                lang.pick("已检视", "Read"),
                lang.pick("未检视", "Not read"),
            ];
            self.table(&heads, &[40, 20, 20, 20], rows);
        }
    }

    fn facts(&mut self, facts: Vec<(&str, String)>) {
        let rows = facts.into_iter().map(|(label, text)| vec![vec![run(label).bold()], vec![run(&text)]]);
        let rows = rows.collect();
        self.table(&[], &[20, 80], rows);
    }

    fn findings(&mut self, report: &Report) {
        let lang = self.lang;
        if !report.findings.iter().any(Finding::is_open) {
            self.body(prose::nothing_found(lang, report.coverage.verdict));
        }
        report.findings.iter().filter(|finding| finding.is_open()).for_each(|finding| self.finding(finding));
        let mentions: Vec<&Finding> = prose::of_level(report, Level::Mention).collect();
        if !mentions.is_empty() {
            self.heading(
                2,
                lang.pick(
                    "提及：只有字样，不足以说明有此功能",
                    "Mentions: words only, no sign of the function",
                ),
            );
            for finding in mentions {
                self.heading(3, lang.pick(&finding.title, &finding.title_en));
                self.evidence(&finding.evidence, finding.evidence_omitted);
            }
        }
        for (finding, accepted) in prose::accepted(report) {
            let reason = prose::acceptance(lang, accepted);
            let title = lang.pick(&finding.title, &finding.title_en);
            let what = format!("{}{title}", lang.pick("不计入：", "Not counted: "));
            self.heading(2, &what);
            self.body(&visible(&reason));
        }
    }

    fn finding(&mut self, finding: &Finding) {
        let lang = self.lang;
        let level = prose::level(lang, finding.level);
        let title =
            format!("{level}{}{}", lang.pick("：", ": "), lang.pick(&finding.title, &finding.title_en));
        self.heading(2, &title);
        self.kept("ReportNote", &finding.rule);
        self.kept("ReportBody", lang.pick(&finding.explanation, &finding.explanation_en));
        self.heading(3, lang.pick("证据", "Evidence"));
        self.evidence(&finding.evidence, finding.evidence_omitted);
        self.law(&finding.basis);
        if !finding.exceptions.is_empty() {
            self.heading(
                3,
                lang.pick("例外情形（须有文件在案）", "Exceptions (a document must be on record)"),
            );
            for exception in &finding.exceptions {
                self.body(&prose::exception(lang, exception));
            }
        }
        self.heading(3, lang.pick("整改建议", "What to change"));
        self.body(lang.pick(&finding.remediation, &finding.remediation_en));
    }

    fn evidence(&mut self, rows: &[Evidence], omitted: u64) {
        let lang = self.lang;
        let cells = |row: &Evidence| {
            let mut where_it_is = Vec::new();
            where_it_is.extend(row.screen.as_deref().map(|text| short(text, LONG)));
            where_it_is.extend(row.widget.as_deref().map(|text| short(text, LONG)));
            where_it_is.push(short(prose::entry(&row.place), LONG));
            where_it_is.extend(prose::position(lang, &row.place));
            let chain = row.chain.iter().map(|step| format!("→ {}", short(step, LONG)));
            let note = lang.pick(&row.note, &row.note_en).to_owned();
            let kind = run(&format!("{}{}", prose::evidence_kind(lang, row.kind), lang.pick("：", ": ")));
            vec![
                std::iter::once(kind.color(SOFT)).chain(quoted(row)).collect(),
                lines(where_it_is),
                lines(chain.chain((!note.is_empty()).then_some(note))),
            ]
        };
        let made = rows.iter().map(cells).collect();
        let heads = [
            lang.pick("内容", "Text"),
            lang.pick("界面与位置", "Screen and place"),
            lang.pick("证据链", "Chain"),
        ];
        self.table(&heads, &[28, 40, 32], made);
        if omitted > 0 {
            self.note(&match lang {
                Lang::Zh => format!("还有 {omitted} 处同类证据未列出。"),
                Lang::En => format!("{omitted} more rows of the same sort are not listed."),
            });
        }
    }

    fn law(&mut self, basis: &[Basis]) {
        let lang = self.lang;
        self.heading(3, lang.pick("法律与政策依据", "Legal basis"));
        for clause in basis {
            let document = lang.pick(&clause.document, &clause.document_en);
            let cited = lang.pick(&clause.clause, &clause.clause_en);
            let bold = run(&format!("{document}{}{cited}", lang.pick("", ", "))).bold();
            let said = run(&format!("{}{}", lang.pick("：", ": "), lang.pick(&clause.text, &clause.text_en)));
            let paragraph = self.paragraph("ReportBody", vec![bold, said]);
            self.add(paragraph);
            let scope = lang.pick(&clause.scope, &clause.scope_en);
            self.note(&format!("{}{scope}", lang.pick("适用范围：", "Scope: ")));
        }
    }

    fn duties(&mut self, report: &Report) {
        let lang = self.lang;
        if report.duties.is_empty() {
            self.body(lang.pick("没有适用的要求。", "No duty applies."));
        }
        for duty in &report.duties {
            let sign = prose::status_sign(duty.status);
            let status = prose::status(lang, duty.status);
            let title = lang.pick(&duty.title, &duty.title_en);
            self.heading(2, &format!("{sign} {status}{}{title}", lang.pick("：", ": ")));
            let explanation = lang.pick(&duty.explanation, &duty.explanation_en);
            if duty.evidence.is_empty() {
                self.body(explanation);
            } else {
                self.kept("ReportBody", explanation);
                self.evidence(&duty.evidence, 0);
            }
            self.law(&duty.basis);
            if duty.status != DutyStatus::Met {
                self.heading(3, lang.pick("整改建议", "What to add"));
                self.body(lang.pick(&duty.remediation, &duty.remediation_en));
            }
        }
    }

    fn unseen(&mut self, report: &Report) {
        let lang = self.lang;
        let coverage = &report.coverage;
        self.body(&prose::coverage_meaning(lang, coverage));
        let material: Vec<&Gap> = coverage.gaps.iter().filter(|gap| gap.material).collect();
        if !material.is_empty() {
            let cells = |gap: &&Gap| {
                [
                    prose::part(lang, gap.part).to_owned(),
                    prose::gap_reason(lang, gap.reason).to_owned(),
                    short(&gap.place, LONG),
                    short(prose::gap_detail(lang, gap), LONG),
                ]
                .map(|text| vec![run(&text)])
                .to_vec()
            };
            let rows = material.iter().map(cells).collect();
            let heads = [
                lang.pick("部分", "Part"),
                lang.pick("原因", "Reason"),
                lang.pick("位置", "Where"),
                lang.pick("细节", "Detail"),
            ];
            self.table(&heads, &[14, 18, 34, 34], rows);
        }
        let minor = prose::minor_gaps(lang, coverage);
        if !minor.is_empty() {
            let minor = prose::list(lang, minor.iter().map(String::as_str));
            self.note(&format!("{}{minor}", lang.pick("不影响结论：", "No bearing on the conclusion: ")));
        }
        if coverage.verdict != Verdict::Full && material.is_empty() && coverage.parts.is_empty() {
            self.note(lang.pick("没有可列的部分。", "There are no parts to list."));
        }
    }

    fn documents(&mut self, report: &Report) {
        let lang = self.lang;
        let documents = prose::documents(lang, report);
        if documents.is_empty() {
            self.body(lang.pick("本报告未引用文件。", "This report cites no document."));
        }
        for document in documents {
            self.heading(2, document.name);
            let scope = format!("{}{}", lang.pick("适用范围：", "Scope: "), document.scope);
            self.kept("ReportNote", &scope);
            let cells = |(cited, text, titles): (&str, &str, Vec<&str>)| {
                [cited.to_owned(), text.to_owned(), prose::list(lang, titles)]
                    .map(|text| vec![run(&text)])
                    .to_vec()
            };
            let rows = document.clauses.into_iter().map(cells).collect();
            let heads = [
                lang.pick("条款", "Clause"),
                lang.pick("内容", "What it says"),
                lang.pick("用于", "Used for"),
            ];
            self.table(&heads, &[26, 48, 26], rows);
        }
    }

    fn annex(&mut self, report: &Report) {
        let lang = self.lang;
        if !report.anomalies.is_empty() {
            self.heading(2, lang.pick("结构异常", "Anomalies"));
            let cells = |anomaly: &crate::model::Anomaly| {
                let (open, close) = match lang {
                    Lang::Zh => ("（", "）"),
                    Lang::En => (" (", ")"),
                };
                let told = format!("{}{open}{}{close}", anomaly.meaning(lang), short(&anomaly.code, 60));
                [told, short(&anomaly.place, LONG), short(prose::anomaly_detail(lang, anomaly), LONG)]
                    .map(|text| vec![run(&text)])
                    .to_vec()
            };
            let rows = report.anomalies.iter().map(cells).collect();
            let heads = [lang.pick("代码", "Code"), lang.pick("位置", "Where"), lang.pick("细节", "Detail")];
            self.table(&heads, &[32, 34, 34], rows);
        }
        let decoders = report.engine.decoders.iter().map(|(name, version)| format!("{name} {version}"));
        let decoders: Vec<String> = decoders.collect();
        self.facts(vec![
            (lang.pick("规则集摘要", "Rule set digest"), short(&report.engine.ruleset.digest, LONG)),
            (lang.pick("解码器及版本", "Decoders and versions"), visible(&decoders.join(", ")).into_owned()),
            (lang.pick("报告格式", "Report format"), report.schema.clone()),
        ]);
    }
}

/// A string of the package, safe to show and cut to a length.
fn short(text: &str, columns: usize) -> String {
    excerpt(text, "", columns).after
}

fn ground(fill: &str) -> Shading {
    Shading::new().shd_type(ShdType::Clear).color("auto").fill(fill)
}

/// The colour with its sign and word.
fn coded(lang: Lang, report: &Report) -> String {
    format!("{} {}", prose::code_sign(report.code.suggested), prose::code(lang, report))
}

fn colour(code: ColorCode) -> &'static str {
    match code {
        ColorCode::Green => "1A6B3A",
        ColorCode::Blue => "1A55A5",
        ColorCode::Red => "AD231B",
        ColorCode::None => "46515E",
    }
}

/// Texts, each on a line of its own.
fn lines(texts: impl IntoIterator<Item = String>) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for text in texts {
        if !pieces.is_empty() {
            pieces.push(Piece::new().add_break(BreakType::TextWrapping));
        }
        pieces.push(run(&text));
    }
    pieces
}

/// The text of a row with the match marked.
fn quoted(row: &Evidence) -> Vec<Piece> {
    let cut = excerpt(&row.text, &row.matched, QUOTE);
    let (open, close) = if row.kind == EvidenceKind::Text { ("“", "”") } else { ("", "") };
    vec![
        run(&format!("{open}{}", cut.before)),
        run(&cut.matched).bold().shading(ground("FDEEB8")),
        run(&format!("{}{close}", cut.after)),
    ]
}
