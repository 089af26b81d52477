//! `zhijian inventory`: a roster as a whole, with what scans saw, against the rules about inventories.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use zhijian::inventory::{
    self, Inventory as Judged, InventoryFinding, Joined, Merged, Proposal, Seen, Subject,
};
use zhijian::model::{Basis, Lang, Level, Rejected, SCHEMA, beijing_day};
use zhijian::report::{visible, write_json};

use super::database::day;
use super::fetcher::configuration;
use super::plan::Form;
use super::roster::{read_roster, reports};
use super::{load_rules, table};

/// Findings of a rule, and proposals, that are shown without `--all`.
const SHOWN: usize = 10;
/// Targets of a finding that are shown without `--all`.
const TARGETS: usize = 5;
/// Functions and fields of a list that are shown without `--all`.
const LABELS: usize = 12;

#[derive(Debug, Args)]
pub(super) struct Inventory {
    #[arg(value_name = "ROSTER")]
    roster: PathBuf,
    #[arg(long, value_name = "DIR")]
    reports: Option<PathBuf>,
    #[arg(long, value_name = "DATE", value_parser = day)]
    as_of: Option<Date>,
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
    #[arg(long, value_name = "SHEET")]
    sheet: Option<String>,
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Form::Terminal, hide_possible_values = true, hide_default_value = true)]
    format: Form,
    #[arg(long)]
    all: bool,
}

/// What is shown, as programs read it.
#[derive(Serialize)]
struct Machine<'a> {
    roster: &'a Path,
    /// Rows that could not be read.
    rejected: &'a [Rejected],
    /// Reports of apps that belong to no row.
    unjoined: &'a [String],
    #[serde(flatten)]
    judged: &'a Judged,
}

impl Inventory {
    pub(super) fn run(self, lang: Lang) -> anyhow::Result<u8> {
        let mut layout = configuration(self.config.as_deref())?.roster;
        layout.sheet = self.sheet.clone().or(layout.sheet);
        let rules = load_rules(self.rules.as_deref())?;
        let roster = read_roster(&self.roster, &layout, lang)?;
        let seen = match &self.reports {
            Some(folder) => reports(folder, lang, |seen: Seen| (seen.schema == SCHEMA).then_some(seen))?,
            None => Vec::new(),
        };
        // What is there twice is the business of a rule.
        let entries = roster.rows.iter().chain(&roster.again).map(|row| row.entry.clone()).collect();
        let joined = inventory::join(entries, seen);
        let as_of = self.as_of.unwrap_or_else(|| beijing_day(Timestamp::now()));
        let judged = inventory::judge(&rules, &joined.holdings, as_of);
        let mut out = io::BufWriter::new(io::stdout().lock());
        match self.format {
            Form::Json => {
                let machine = Machine {
                    roster: &self.roster,
                    rejected: &roster.rejected,
                    unjoined: &joined.unjoined,
                    judged: &judged,
                };
                write_json(&machine, &mut out)?;
            }
            Form::Terminal => {
                let page = Page { lang, all: self.all };
                writeln!(out, "{}  {}", visible(&self.roster.display().to_string()), judged.as_of)?;
                page.head(&judged, &joined, &mut out)?;
                page.unread(&roster.rejected, &mut out)?;
                page.findings(&judged.findings, &mut out)?;
                page.proposals(&judged.proposals, &mut out)?;
                page.unjudged(&judged, &joined, &mut out)?;
            }
        }
        out.flush()?;
        Ok(0)
    }
}

/// How it is shown.
struct Page {
    lang: Lang,
    all: bool,
}

impl Page {
    fn pick<'t>(&self, zh: &'t str, en: &'t str) -> &'t str {
        self.lang.pick(zh, en)
    }

    fn say(&self, zh: String, en: String) -> String {
        match self.lang {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }

    fn most(&self, few: usize) -> usize {
        if self.all { usize::MAX } else { few }
    }

    fn head(&self, judged: &Judged, joined: &Joined, out: &mut dyn Write) -> io::Result<()> {
        let of = |level: Level| judged.findings.iter().filter(|finding| finding.level == level).count();
        let (confirmed, suspected, mentioned) =
            (of(Level::Confirmed), of(Level::Suspected), of(Level::Mention));
        let rows = [
            (self.pick("对象", "targets"), judged.targets),
            (self.pick("  有检测结果", "  scanned"), judged.scanned),
            (self.pick("确认", "confirmed"), confirmed),
            (self.pick("疑似", "suspected"), suspected),
            (self.pick("提及", "mentioned"), mentioned),
            (self.pick("整合建议", "proposals"), judged.proposals.len()),
        ];
        table::write(&rows.map(|(label, count)| [label.to_owned(), count.to_string()]), out)?;
        if !joined.unjoined.is_empty() {
            let count = joined.unjoined.len();
            let line = self.say(
                format!("{count} 份检测报告与名录中的对象对不上："),
                format!("{count} reports belong to no row of the roster:"),
            );
            writeln!(out, "{line}")?;
            for name in joined.unjoined.iter().take(self.most(TARGETS)) {
                table::hanging("  ", name, out)?;
            }
            self.more(count, self.most(TARGETS), "  ", out)?;
        }
        Ok(())
    }

    fn unread(&self, rejected: &[Rejected], out: &mut dyn Write) -> io::Result<()> {
        if rejected.is_empty() {
            return Ok(());
        }
        let count = rejected.len();
        let line = self.say(
            format!("{count} 行未能读取，不在核查之内："),
            format!("{count} rows could not be read and are not judged:"),
        );
        writeln!(out, "{line}")?;
        for row in rejected.iter().take(self.most(TARGETS)) {
            let label = self.say(format!("  第 {} 行  ", row.line), format!("  line {}  ", row.line));
            table::hanging(&label, self.pick(&row.reason, &row.reason_en), out)?;
        }
        self.more(count, self.most(TARGETS), "  ", out)
    }

    /// How many are not shown.
    fn more(&self, total: usize, shown: usize, indent: &str, out: &mut dyn Write) -> io::Result<()> {
        match total.saturating_sub(shown) {
            0 => Ok(()),
            more => {
                let line = self
                    .say(format!("另有 {more} 个；--all 全部列出"), format!("{more} more; --all shows them"));
                writeln!(out, "{indent}{line}")
            }
        }
    }

    fn findings(&self, findings: &[InventoryFinding], out: &mut dyn Write) -> io::Result<()> {
        let shown = |finding: &&InventoryFinding| self.all || finding.level > Level::Mention;
        let mut groups: Vec<Vec<&InventoryFinding>> = Vec::new();
        for finding in findings.iter().filter(shown) {
            match groups.last_mut() {
                Some(group) if group[0].rule == finding.rule && group[0].level == finding.level => {
                    group.push(finding)
                }
                _ => groups.push(vec![finding]),
            }
        }
        for group in groups {
            let Some(first) = group.first() else { continue };
            writeln!(out)?;
            let level = self.pick(first.level.zh(), first.level.en());
            let title = self.pick(&first.title, &first.title_en);
            table::hanging(&format!("{level} {}  ", group.len()), &format!("{title}  {}", first.rule), out)?;
            for finding in group.iter().take(self.most(SHOWN)) {
                self.finding(finding, out)?;
            }
            self.more(group.len(), self.most(SHOWN), "  ", out)?;
            self.law(&group, out)?;
        }
        let folded = findings.iter().filter(|finding| finding.level == Level::Mention).count();
        if !self.all && folded > 0 {
            let line = self
                .say(format!("提及 {folded} 项；--all 查看"), format!("{folded} mentions; --all shows them"));
            writeln!(out, "\n{line}")?;
        }
        Ok(())
    }

    fn finding(&self, finding: &InventoryFinding, out: &mut dyn Write) -> io::Result<()> {
        table::hanging("  - ", self.pick(&finding.explanation, &finding.explanation_en), out)?;
        for target in finding.targets.iter().take(self.most(TARGETS)) {
            self.target("      ", target, out)?;
        }
        self.more(finding.targets.len(), self.most(TARGETS), "      ", out)
    }

    fn target(&self, indent: &str, target: &Subject, out: &mut dyn Write) -> io::Result<()> {
        let detail = match self.lang {
            Lang::Zh => &target.detail,
            Lang::En => &target.detail_en,
        };
        let detail = detail.as_deref().map(|detail| format!("  {detail}")).unwrap_or_default();
        table::hanging(indent, &format!("{}  {}{detail}", target.name, target.key), out)
    }

    /// Basis, exceptions and advice, once for all findings of a rule.
    fn law(&self, group: &[&InventoryFinding], out: &mut dyn Write) -> io::Result<()> {
        let mut basis: Vec<&Basis> = Vec::new();
        for one in group.iter().flat_map(|finding| &finding.basis) {
            if !basis.contains(&one) {
                basis.push(one);
            }
        }
        for one in basis {
            let text = self.say(
                format!("{}{}：{}（{}）", one.document, one.clause, one.text, one.scope),
                format!("{}, {}: {} ({})", one.document_en, one.clause_en, one.text_en, one.scope_en),
            );
            table::hanging(self.pick("  依据  ", "  basis   "), &text, out)?;
        }
        let Some(first) = group.first() else { return Ok(()) };
        for exception in &first.exceptions {
            let text = self.say(
                format!("{}，须有：{}", exception.text, exception.requires),
                format!("{}; needs: {}", exception.text_en, exception.requires_en),
            );
            table::hanging(self.pick("  例外  ", "  except  "), &text, out)?;
        }
        table::hanging(
            self.pick("  建议  ", "  advice  "),
            self.pick(&first.remediation, &first.remediation_en),
            out,
        )
    }

    fn proposals(&self, proposals: &[Proposal], out: &mut dyn Write) -> io::Result<()> {
        if proposals.is_empty() {
            return Ok(());
        }
        writeln!(
            out,
            "\n{}",
            self.pick("整合建议（供人工研究）", "What could be consolidated (for people to consider)")
        )?;
        for proposal in proposals.iter().take(self.most(SHOWN)) {
            let audience = self.pick(proposal.audience.zh(), proposal.audience.en());
            let reason = self.pick(&proposal.reason, &proposal.reason_en);
            let (region, platform, count) =
                (&proposal.region, &proposal.platform_name, proposal.merged.len());
            let line = self.say(
                format!("{region}  {audience}：{count} 个应用并入“{platform}”（{reason}）"),
                format!("{region}, {audience}: {count} apps into “{platform}” ({reason})"),
            );
            table::hanging("- ", &line, out)?;
            for merged in proposal.merged.iter().take(self.most(TARGETS)) {
                self.merged(merged, out)?;
            }
            self.more(count, self.most(TARGETS), "    ", out)?;
            let add = self.pick("    平台须补入  ", "    to add  ");
            self.labels(add, &proposal.to_add, out)?;
            let fields = self.pick("    重复填报  ", "    asked for repeatedly  ");
            self.labels(fields, &proposal.repeated_fields, out)?;
        }
        self.more(proposals.len(), self.most(SHOWN), "", out)
    }

    fn merged(&self, merged: &Merged, out: &mut dyn Write) -> io::Result<()> {
        self.target("    ", &merged.app, out)?;
        if !merged.scanned {
            return table::hanging(
                "      ",
                self.pick("没有检测结果，功能不明", "not scanned: functions unknown"),
                out,
            );
        }
        for (zh, en, labels) in
            [("独有功能", "only here", &merged.only), ("平台也有", "platform has too", &merged.shared)]
        {
            if !labels.is_empty() {
                let label = self.say(
                    format!("      {zh} {} 项  ", labels.len()),
                    format!("      {en}: {}  ", labels.len()),
                );
                table::hanging(&label, &self.list(labels.iter().cloned(), labels.len()), out)?;
            }
        }
        Ok(())
    }

    fn labels(
        &self,
        label: &str,
        labels: &BTreeMap<String, Vec<String>>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        if labels.is_empty() {
            return Ok(());
        }
        let each = labels.iter().map(|(name, apps)| {
            self.say(format!("{name}（{} 个应用）", apps.len()), format!("{name} ({} apps)", apps.len()))
        });
        table::hanging(label, &self.list(each, labels.len()), out)
    }

    fn list(&self, labels: impl Iterator<Item = String>, total: usize) -> String {
        let separator = self.pick("、", ", ");
        let mut list = labels.take(self.most(LABELS)).collect::<Vec<_>>().join(separator);
        if let more @ 1.. = total.saturating_sub(self.most(LABELS)) {
            list.push_str(&self.say(format!("等，另有 {more} 项"), format!(" and {more} more")));
        }
        list
    }

    fn unjudged(&self, judged: &Judged, joined: &Joined, out: &mut dyn Write) -> io::Result<()> {
        let mut lines: Vec<String> = judged
            .unjudged
            .iter()
            .map(|one| match self.lang {
                Lang::Zh => format!("{} 个：{}", one.count, one.reason),
                Lang::En => format!("{}: {}", one.count, one.reason_en),
            })
            .collect();
        for (count, zh, en) in [
            (
                joined.without_surface,
                "份报告没有功能和填报项目（由旧版本生成）",
                "reports without functions and fields (of an older version)",
            ),
            (joined.replaced, "份报告已有同一应用更新版本的", "reports of which a later version is there"),
            (
                joined.other,
                "份账号和群组的报告，此处不比较",
                "reports of accounts and groups, not compared here",
            ),
        ] {
            if count > 0 {
                lines.push(self.say(format!("{count} {zh}"), format!("{count} {en}")));
            }
        }
        if lines.is_empty() {
            return Ok(());
        }
        writeln!(
            out,
            "\n{}",
            self.pick(
                "未能核查的（未列出不等于没有问题）",
                "What could not be judged (nothing found there shows nothing)"
            )
        )?;
        lines.iter().try_for_each(|line| table::hanging("- ", line, out))
    }
}
