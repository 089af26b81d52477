//! Two reports compared, for a terminal of 80 columns.

use std::io::{self, Write};

use super::View;
use super::prose::{self, Rich, Tone, beside, excerpt, visible};
use crate::model::{
    Anchor, DutyStatus, Evidence, EvidenceKind, Feature, Lang, Level, Outcome, Rectification, RemarkCode,
    Side,
};

/// Width of a line.
const COLUMNS: usize = 80;
/// Rows of evidence shown of each sort without `--all`.
const ROWS: usize = 3;
/// Anchors shown without `--all`.
const ANCHORS: usize = 6;

/// Writes a comparison as people read it.
pub fn write(diff: &Rectification, view: View, out: &mut dyn Write) -> io::Result<()> {
    Page { out, view }.whole(diff)
}

struct Page<'a> {
    out: &'a mut dyn Write,
    view: View,
}

fn short(text: &str, columns: usize) -> String {
    excerpt(text, "", columns).after
}

fn plain(text: &str) -> Rich {
    Rich::new(&visible(text), Tone::Plain)
}

fn tone(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::Disguised | Outcome::Unchanged | Outcome::Raised | Outcome::Added => Tone::Grave,
        Outcome::Lowered | Outcome::CannotTell => Tone::Warning,
        Outcome::Removed => Tone::Good,
    }
}

impl Page<'_> {
    fn pick<'t>(&self, zh: &'t str, en: &'t str) -> &'t str {
        self.view.lang.pick(zh, en)
    }

    fn margin(&self) -> usize {
        match self.view.lang {
            Lang::Zh => 10,
            Lang::En => 13,
        }
    }

    fn section(&mut self, label: Rich, text: Rich) -> io::Result<()> {
        let column = self.margin();
        beside(self.out, self.view.colour, COLUMNS, 0, (label, column), text)
    }

    fn labelled(&mut self, label: &str, text: Rich) -> io::Result<()> {
        let (margin, column) = match self.view.lang {
            Lang::Zh => (self.margin(), 6),
            Lang::En => (self.margin(), 13),
        };
        beside(self.out, self.view.colour, COLUMNS, margin, (Rich::new(label, Tone::Faint), column), text)
    }

    fn whole(&mut self, diff: &Rectification) -> io::Result<()> {
        let lang = self.view.lang;
        let counts = Outcome::ALL.iter().filter_map(|outcome| {
            let count = diff.features.iter().filter(|feature| feature.outcome == *outcome).count();
            (count > 0).then(|| format!("{} {count}", lang.pick(outcome.zh(), outcome.en())))
        });
        let counts: Vec<String> = counts.collect();
        let counts = match counts.as_slice() {
            [] => {
                self.pick("两份报告均未检出禁止类功能", "no prohibited function in either report").to_owned()
            }
            counts => counts.join(self.pick("，", ", ")),
        };
        self.section(
            Rich::new(self.pick("整改比对", "comparison"), Tone::Strong),
            Rich::new(&counts, Tone::Strong),
        )?;
        self.side(self.pick("原版本", "old"), &diff.old)?;
        self.side(self.pick("现版本", "new"), &diff.new)?;
        for remark in &diff.remarks {
            let grave = matches!(
                remark.code,
                RemarkCode::OtherTarget
                    | RemarkCode::SignerDiffers
                    | RemarkCode::VersionBackwards
                    | RemarkCode::CoverageWorse
            );
            let tone = if grave { Tone::Warning } else { Tone::Plain };
            let text = visible(lang.pick(&remark.text, &remark.text_en)).into_owned();
            self.section(Rich::new(self.pick("注意", "note"), Tone::Warning), Rich::new(&text, tone))?;
        }
        for feature in &diff.features {
            writeln!(self.out)?;
            self.feature(feature)?;
        }
        if !diff.duties.is_empty() {
            writeln!(self.out)?;
        }
        for duty in &diff.duties {
            let word = |status: Option<DutyStatus>| {
                status.map_or(lang.pick("不适用", "not applicable"), |status| prose::status(lang, status))
            };
            let text = format!(
                "{}{}{} → {}",
                lang.pick(&duty.title, &duty.title_en),
                lang.pick("：", ": "),
                word(duty.before),
                word(duty.now)
            );
            self.section(Rich::new(self.pick("必备", "required"), Tone::Strong), plain(&text))?;
        }
        Ok(())
    }

    fn side(&mut self, label: &str, side: &Side) -> io::Result<()> {
        let lang = self.view.lang;
        let name = side.identity.name.as_deref().or(side.identity.id.as_deref()).unwrap_or_default();
        let mut text = Rich::new(&short(name, 36), Tone::Plain);
        if let Some(version) = &side.identity.version {
            text.push(&format!(" {}", short(version, 16)), Tone::Plain);
        }
        let digest = side.sha256.get(..12).unwrap_or(&side.sha256);
        let seen = prose::verdict(lang, side.coverage);
        text.push(&format!("  sha256 {}…  {seen}  ", short(digest, 16)), Tone::Faint);
        text.push(&short(&side.source, 200), Tone::Faint);
        self.section(Rich::new(label, Tone::Strong), text)
    }

    fn feature(&mut self, feature: &Feature) -> io::Result<()> {
        let lang = self.view.lang;
        let level =
            |level: Option<Level>| level.map_or(lang.pick("无", "none"), |level| prose::level(lang, level));
        let title = Rich::new(&visible(lang.pick(&feature.title, &feature.title_en)), Tone::Strong)
            .with(&format!("  {}  ", visible(&feature.rule)), Tone::Faint)
            .with(&format!("{} → {}", level(feature.before), level(feature.now)), Tone::Plain)
            .with(
                if feature.accepted { lang.pick("  基线不计", "  accepted by the baseline") } else { "" },
                Tone::Faint,
            );
        let word = lang.pick(feature.outcome.zh(), feature.outcome.en());
        self.section(Rich::new(word, tone(feature.outcome)), title)?;
        self.labelled(
            self.pick("说明", "why"),
            plain(lang.pick(&feature.explanation, &feature.explanation_en)),
        )?;
        let anchors: Vec<Rich> = feature.anchors.iter().map(|anchor| self.anchor(anchor)).collect();
        self.list(self.pick("仍在", "still there"), anchors, ANCHORS)?;
        for (label, rows) in [
            (self.pick("消失", "gone"), &feature.gone),
            (self.pick("未变", "kept"), &feature.kept),
            (self.pick("新现", "appeared"), &feature.appeared),
        ] {
            let rows: Vec<Rich> = rows.iter().map(|row| self.row(row)).collect();
            self.list(label, rows, ROWS)?;
        }
        Ok(())
    }

    fn list(&mut self, label: &str, rows: Vec<Rich>, few: usize) -> io::Result<()> {
        let count = rows.len();
        let shown = if self.view.all { count } else { count.min(few) };
        for (index, row) in rows.into_iter().take(shown).enumerate() {
            self.labelled(if index == 0 { label } else { "" }, row)?;
        }
        if count > shown {
            let text = match self.view.lang {
                Lang::Zh => format!("另有 {} 处，加 --all 查看", count - shown),
                Lang::En => format!("{} more; --all shows them", count - shown),
            };
            self.labelled("", Rich::new(&text, Tone::Faint))?;
        }
        Ok(())
    }

    fn anchor(&self, anchor: &Anchor) -> Rich {
        let lang = self.view.lang;
        let quoted = |labels: &[String]| -> String {
            let labels: Vec<String> =
                labels.iter().take(ROWS).map(|label| format!("“{}”", short(label, 72))).collect();
            labels.join(lang.pick("、", ", "))
        };
        let mut text = Rich::new(&format!("{} ", lang.pick(anchor.kind.zh(), anchor.kind.en())), Tone::Plain)
            .with(&short(&anchor.name, 100), Tone::Strong);
        if let Some(screen) = &anchor.screen {
            text.push(&format!(" @ {}", short(screen, 100)), Tone::Plain);
        }
        let before = quoted(&anchor.before);
        let now = match anchor.now.as_slice() {
            [] => lang.pick("无文字", "without text").to_owned(),
            now => quoted(now),
        };
        text.push(lang.pick("：原", ": was "), Tone::Plain);
        text.push(&before, Tone::Plain);
        text.push(lang.pick("，现", ", is "), Tone::Plain);
        text.push(&now, Tone::Match);
        text
    }

    fn row(&self, row: &Evidence) -> Rich {
        let lang = self.view.lang;
        let cut = excerpt(&row.text, &row.matched, 60);
        let (open, close) = if row.kind == EvidenceKind::Text { ("“", "”") } else { ("", "") };
        let mut text =
            Rich::new(&format!("{} {open}{}", prose::evidence_kind(lang, row.kind), cut.before), Tone::Plain)
                .with(&cut.matched, Tone::Match)
                .with(&format!("{}{close}", cut.after), Tone::Plain);
        if let Some(widget) = &row.widget {
            text.push(&format!(" {}", short(widget, 60)), Tone::Plain);
        }
        if let Some(screen) = &row.screen {
            text.push(&format!(" @ {}", short(screen, 100)), Tone::Plain);
        }
        text.push(&format!("  {}", short(&row.place, 120)), Tone::Faint);
        text
    }
}
