//! The fleet report as one HTML file that needs nothing else: the style of the report of one target, plots as SVG with
//! their numbers beside them.

use std::io::{self, Write};

use askama::Template;

use super::Fleet;
use super::chapter::{Block, Chapter, Plot, Series, Totals, Writer};
use crate::model::{Lang, beijing_minute};
use crate::report::prose::excerpt;

/// Rows of a list; a spreadsheet has them all.
const MOST: usize = 20;
/// Length of the longest bar.
const LENGTH: u64 = 1000;

#[derive(Template)]
#[template(path = "fleet.html", config = "src/report/fleet/askama.toml")]
struct Page {
    lang: Lang,
    title: String,
    as_of: Option<String>,
    conclusion: Vec<String>,
    actions: Vec<String>,
    figures: Vec<(&'static str, u64)>,
    chapters: Vec<Chapter>,
}

pub(super) fn write(fleet: &Fleet, lang: Lang, out: &mut dyn Write) -> io::Result<()> {
    let writer = Writer { fleet, lang, most: MOST };
    let totals = Totals::of(fleet);
    let page = Page {
        lang,
        title: excerpt(&fleet.title, "", 80).after,
        as_of: fleet.as_of.map(beijing_minute),
        conclusion: writer.conclusion(&totals),
        actions: writer.actions(&totals),
        figures: vec![
            (lang.pick("个对象", "targets"), totals.all),
            (lang.pick("个有确认", "with confirmed findings"), totals.confirmed),
            (lang.pick("个只有疑似", "only suspected"), totals.suspected),
            (lang.pick("个无报告", "without a report"), totals.without),
        ],
        chapters: writer.chapters(),
    };
    writeln!(out, "{}", page.render().map_err(io::Error::other)?)
}

/// A part of a bar: its look, where it begins, how long it is.
struct Part {
    look: &'static str,
    x: u64,
    width: u64,
}

impl Page {
    fn bar(&self, plot: &Plot, numbers: &[u64]) -> Vec<Part> {
        let most = plot.most().max(1);
        let mut sum = 0;
        let mut parts = Vec::new();
        for (look, number) in plot.parts(numbers) {
            let at = |count: u64| count.saturating_mul(LENGTH) / most;
            let x = at(sum);
            sum += number;
            // What is there can be seen.
            let width = at(sum).saturating_sub(x).max(u64::from(number > 0) * 4);
            parts.push(Part { look, x, width });
        }
        parts
    }

    /// What a bar says, for those who do not see it.
    fn told(&self, plot: &Plot, numbers: &[u64]) -> String {
        let said =
            plot.series.iter().zip(numbers).map(|(series, number)| format!("{} {number}", series.word));
        said.collect::<Vec<_>>().join(self.lang.pick("，", ", "))
    }

    fn look(&self, series: &Series) -> &'static str {
        series.look.unwrap_or_default()
    }
}
