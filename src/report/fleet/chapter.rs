//! What a fleet report says, chapter by chapter, before it is laid out. Every string in it is safe to show.

use std::collections::{BTreeMap, HashMap};

use super::{Fleet, FleetTarget};
use crate::model::{Category, ColorCode, GapReason, Lang, Level, Verdict, Wording, beijing_minute};
use crate::report::prose::{self, excerpt};

/// The worst that are named.
const WORST: usize = 10;

/// A chapter.
pub(super) struct Chapter {
    pub(super) title: &'static str,
    pub(super) blocks: Vec<Block>,
}

/// A piece of a chapter.
pub(super) enum Block {
    Note(String),
    Plot(Plot),
    Table(Table),
}

/// What a number of a row stands for: its look in the bar, none where it is a part of the others, and its word.
#[derive(Debug, Clone, Copy)]
pub(super) struct Series {
    pub(super) look: Option<&'static str>,
    pub(super) word: &'static str,
}

/// A row of bars with their numbers.
pub(super) struct Plot {
    pub(super) label: &'static str,
    pub(super) series: Vec<Series>,
    pub(super) rows: Vec<(String, Vec<u64>)>,
}

/// A table of words.
pub(super) struct Table {
    pub(super) heads: Vec<&'static str>,
    pub(super) rows: Vec<Vec<Value>>,
}

/// A cell of a table.
pub(super) enum Value {
    Words(String),
    Count(u64),
}

impl From<String> for Value {
    fn from(words: String) -> Self {
        Value::Words(words)
    }
}

impl From<u64> for Value {
    fn from(count: u64) -> Self {
        Value::Count(count)
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Words(words) => f.write_str(words),
            Value::Count(count) => write!(f, "{count}"),
        }
    }
}

impl Plot {
    /// The parts of a row that make up its bar, with their looks.
    pub(super) fn parts<'p>(&'p self, numbers: &'p [u64]) -> impl Iterator<Item = (&'static str, u64)> + 'p {
        self.series.iter().zip(numbers).filter_map(|(series, number)| Some((series.look?, *number)))
    }

    /// The longest bar.
    pub(super) fn most(&self) -> u64 {
        let length = |numbers: &[u64]| self.parts(numbers).map(|(_, number)| number).sum();
        self.rows.iter().map(|(_, numbers)| length(numbers)).max().unwrap_or(0)
    }
}

/// The four colours, from the gravest.
const CODES: [(ColorCode, &str); 4] = [
    (ColorCode::Red, "red"),
    (ColorCode::Blue, "blue"),
    (ColorCode::None, "none"),
    (ColorCode::Green, "green"),
];

/// The conclusion in numbers.
pub(super) struct Totals {
    pub(super) all: u64,
    pub(super) confirmed: u64,
    pub(super) suspected: u64,
    pub(super) clean: u64,
    pub(super) without: u64,
    pub(super) opaque: u64,
    /// Confirmed now and not in the run before, and the reverse.
    pub(super) worse: u64,
    pub(super) better: u64,
    pub(super) compared: bool,
}

impl Totals {
    pub(super) fn of(fleet: &Fleet) -> Totals {
        let count = |holds: &dyn Fn(&FleetTarget) -> bool| {
            fleet.targets.iter().filter(|target| holds(target)).count() as u64
        };
        let verdict = |target: &FleetTarget| target.seen.as_ref().map(|seen| seen.verdict);
        let changed = |target: &FleetTarget, worse: bool| {
            let (Some(before), Some(seen)) = (target.before, &target.seen) else { return false };
            (before[2] > 0) != (seen.levels[2] > 0) && (seen.levels[2] > 0) == worse
        };
        Totals {
            all: fleet.targets.len() as u64,
            confirmed: count(&|target| target.levels()[2] > 0),
            suspected: count(&|target| target.levels()[2] == 0 && target.levels()[1] > 0),
            clean: count(&|target| target.is_seen() && target.levels()[1..] == [0, 0]),
            without: count(&|target| !target.is_seen()),
            opaque: count(&|target| verdict(target) == Some(Verdict::Opaque)),
            worse: count(&|target| changed(target, true)),
            better: count(&|target| changed(target, false)),
            compared: fleet.targets.iter().any(|target| target.before.is_some()),
        }
    }
}

/// A string from outside, safe to show and cut to a length.
fn short(text: &str, columns: usize) -> String {
    excerpt(text, "", columns).after
}

/// Writes chapters in a language, with lists of at most so many rows.
pub(super) struct Writer<'a> {
    pub(super) fleet: &'a Fleet,
    pub(super) lang: Lang,
    pub(super) most: usize,
}

impl Writer<'_> {
    fn pick<'t>(&self, zh: &'t str, en: &'t str) -> &'t str {
        self.lang.pick(zh, en)
    }

    fn say(&self, zh: String, en: String) -> String {
        if self.lang == Lang::Zh { zh } else { en }
    }

    /// Every chapter, in the order of reading.
    pub(super) fn chapters(&self) -> Vec<Chapter> {
        vec![
            self.codes(),
            self.features(),
            self.places(
                self.pick("三、分地区", "3. By region"),
                self.pick("地区", "Region"),
                &|target| target.region.as_deref(),
            ),
            self.places(
                self.pick("四、分主办单位", "4. By owner"),
                self.pick("主办单位", "Owner"),
                &|target| target.owner.as_deref(),
            ),
            self.trend(),
            self.worst(),
            self.unseen(),
        ]
    }

    /// The conclusion, a sentence each.
    pub(super) fn conclusion(&self, totals: &Totals) -> Vec<String> {
        let Totals { all, confirmed, suspected, clean, without, .. } = totals;
        let mut said = vec![self.say(
            format!(
                "{all} 个对象中，{confirmed} 个检出确认的禁止类功能，{suspected} 个只有疑似，{clean} 个未检出，\
                 {without} 个没有检测报告。"
            ),
            format!(
                "Of {all} targets, {confirmed} have a confirmed prohibited function, {suspected} only a suspicion, \
                 {clean} neither, {without} have no report."
            ),
        )];
        if totals.compared {
            let (worse, better) = (totals.worse, totals.better);
            said.push(match (worse, better) {
                (0, 0) => self
                    .pick(
                        "与上次相比，检出确认的对象没有变化。",
                        "As against the run before, the targets with confirmed findings are the same.",
                    )
                    .to_owned(),
                _ => self.say(
                    format!("与上次相比，新检出确认的 {worse} 个，不再检出的 {better} 个。"),
                    format!(
                        "As against the run before, {worse} are newly confirmed, {better} no longer are."
                    ),
                ),
            });
        }
        if totals.opaque > 0 {
            let opaque = totals.opaque;
            said.push(self.say(
                format!("其中 {opaque} 个的主要内容无法检视，“未检出”不等于“没有”。"),
                format!("The main content of {opaque} could not be read: \"not found\" does not mean \"not there\"."),
            ));
        }
        said
    }

    /// What is to be done, a line each.
    pub(super) fn actions(&self, totals: &Totals) -> Vec<String> {
        let (confirmed, suspected) = (totals.confirmed, totals.suspected);
        let unseen = totals.without + totals.opaque;
        let mut out = Vec::new();
        if confirmed > 0 {
            out.push(self.say(
                format!("向 {confirmed} 个对象的主办单位下达整改通知，写明期限，到期复核。"),
                format!("Send the owners of {confirmed} targets a notice with a deadline, and check again after it."),
            ));
        }
        if suspected > 0 {
            out.push(self.say(
                format!("对 {suspected} 个只有疑似的对象作人工复核。"),
                format!("Have a person decide on {suspected} targets with a suspicion."),
            ));
        }
        if unseen > 0 {
            out.push(self.say(
                format!("{unseen} 个没有报告或者无法检视的对象，补充地址或者提交可检视的安装包后重新检测。"),
                format!("Scan {unseen} targets again that have no report or cannot be inspected, once an address or a readable package is there."),
            ));
        }
        out
    }

    fn codes(&self) -> Chapter {
        let count = |code: Option<ColorCode>| {
            let of = |target: &&FleetTarget| target.seen.as_ref().map(|seen| seen.code) == code;
            self.fleet.targets.iter().filter(of).count() as u64
        };
        let mut numbers: Vec<u64> = CODES.iter().map(|(code, _)| count(Some(*code))).collect();
        numbers.push(count(None));
        let mut states: BTreeMap<(u8, String), u64> = BTreeMap::new();
        for seen in self.fleet.targets.iter().filter_map(|target| target.seen.as_ref()) {
            let state = self.pick(&seen.state.zh, &seen.state.en);
            if !state.is_empty() {
                let word = self.pick(seen.code.zh(), seen.code.en());
                let order = u8::MAX - super::gravity(seen.code);
                *states.entry((order, format!("{word} · {}", short(state, 60)))).or_default() += 1;
            }
        }
        let mut blocks = vec![Block::Plot(Plot {
            label: self.pick("建议赋码", "Suggested code"),
            series: self.code_series(),
            rows: vec![(self.pick("全部对象", "all targets").to_owned(), numbers)],
        })];
        if !states.is_empty() {
            blocks.push(Block::Table(Table {
                heads: vec![self.pick("赋码与状态", "Code and state"), self.pick("对象", "Targets")],
                rows: states
                    .into_iter()
                    .map(|((_, state), count)| vec![state.into(), count.into()])
                    .collect(),
            }));
        }
        Chapter { title: self.pick("一、建议赋码", "1. Suggested codes"), blocks }
    }

    fn code_series(&self) -> Vec<Series> {
        let mut series: Vec<Series> = CODES
            .iter()
            .map(|(code, look)| Series { look: Some(look), word: self.pick(code.zh(), code.en()) })
            .collect();
        series.push(Series { look: Some("without"), word: self.pick("无报告", "no report") });
        series
    }

    fn features(&self) -> Chapter {
        // The worst level of each category in a target, and a title for it.
        let mut counts: BTreeMap<Category, (Vec<u64>, &Wording)> = BTreeMap::new();
        for seen in self.fleet.targets.iter().filter_map(|target| target.seen.as_ref()) {
            let mut worst: BTreeMap<Category, (Level, &Wording)> = BTreeMap::new();
            for (category, level, title) in &seen.features {
                let entry = worst.entry(*category).or_insert((*level, title));
                entry.0 = entry.0.max(*level);
            }
            for (category, (level, title)) in worst {
                let (numbers, _) = counts.entry(category).or_insert((vec![0, 0], title));
                numbers[usize::from(level != Level::Confirmed)] += 1;
            }
        }
        let mut rows: Vec<(String, Vec<u64>)> = counts
            .into_values()
            .map(|(numbers, title)| (short(self.pick(&title.zh, &title.en), 60), numbers))
            .collect();
        rows.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let blocks = if rows.is_empty() {
            vec![Block::Note(
                self.pick("没有检出禁止类功能。", "No prohibited function was found.").to_owned(),
            )]
        } else {
            vec![Block::Plot(Plot {
                label: self.pick("功能", "Function"),
                series: vec![
                    Series { look: Some("confirmed"), word: self.pick("确认", "confirmed") },
                    Series { look: Some("suspected"), word: self.pick("疑似", "suspected") },
                ],
                rows,
            })]
        };
        Chapter { title: self.pick("二、检出功能", "2. What was found"), blocks }
    }

    /// Codes by something that the roster says of a target.
    fn places(
        &self,
        title: &'static str,
        label: &'static str,
        of: &dyn Fn(&FleetTarget) -> Option<&str>,
    ) -> Chapter {
        let mut counts: HashMap<Option<&str>, (Vec<u64>, u64)> = HashMap::new();
        for target in &self.fleet.targets {
            let name = of(target).filter(|name| !name.trim().is_empty());
            let (numbers, confirmed) = counts.entry(name).or_insert_with(|| (vec![0; CODES.len() + 1], 0));
            let at =
                target.seen.as_ref().and_then(|seen| CODES.iter().position(|(code, _)| *code == seen.code));
            numbers[at.unwrap_or(CODES.len())] += 1;
            *confirmed += u64::from(target.levels()[2] > 0);
        }
        let unknown = self.pick("（名录未填写）", "(not in the roster)");
        let mut rows: Vec<(u64, String, Vec<u64>)> = counts
            .into_iter()
            .map(|(name, (numbers, confirmed))| {
                (confirmed, name.map_or_else(|| unknown.to_owned(), |name| short(name, 60)), numbers)
            })
            .collect();
        // The most confirmed first, then the largest.
        rows.sort_by(|a, b| {
            let sum = |numbers: &Vec<u64>| numbers.iter().sum::<u64>();
            (b.0, sum(&b.2)).cmp(&(a.0, sum(&a.2))).then_with(|| a.1.cmp(&b.1))
        });
        let left = rows.len().saturating_sub(self.most);
        rows.truncate(self.most);
        let mut series = vec![Series { look: None, word: self.pick("有确认", "with confirmed") }];
        series.extend(self.code_series());
        let rows = rows.into_iter().map(|(confirmed, name, mut numbers)| {
            numbers.insert(0, confirmed);
            (name, numbers)
        });
        let mut blocks = vec![Block::Plot(Plot { label, series, rows: rows.collect() })];
        if left > 0 {
            blocks.push(Block::Note(self.say(
                format!("按检出确认的对象数排列，另有 {left} 个未列出，全部见 XLSX。"),
                format!("The most confirmed first; {left} more are not listed, all of them are in the XLSX."),
            )));
        }
        Chapter { title, blocks }
    }

    fn trend(&self) -> Chapter {
        let title = self.pick("五、趋势", "5. Trend");
        if self.fleet.runs.len() < 2 {
            let words = self.pick("没有可比较的往次检测。", "There is no earlier run to compare with.");
            return Chapter { title, blocks: vec![Block::Note(words.to_owned())] };
        }
        let rows = self.fleet.runs.iter().map(|run| {
            let mut day = beijing_minute(run.begun);
            if !run.complete {
                day.push_str(self.pick("（中断）", " (broken off)"));
            }
            (day, vec![run.confirmed, run.suspected, run.clean, run.without])
        });
        let plot = Plot {
            label: self.pick("开始时间", "Begun"),
            series: vec![
                Series { look: Some("confirmed"), word: self.pick("有确认", "confirmed") },
                Series { look: Some("suspected"), word: self.pick("只有疑似", "only suspected") },
                Series { look: Some("clean"), word: self.pick("未检出", "nothing found") },
                Series { look: Some("without"), word: self.pick("无报告", "no report") },
            ],
            rows: rows.collect(),
        };
        let note = self.pick(
            "每行为一次检测，对象按其最重的检出计数；取不到新内容的对象沿用上次结果，名录增减时各次的对象数不同。",
            "A row is a run; a target counts by its gravest finding, and by that of the last scan where nothing new came. \
             Where the roster has changed the runs differ in the number of targets.",
        );
        Chapter { title, blocks: vec![Block::Plot(plot), Block::Note(note.to_owned())] }
    }

    fn worst(&self) -> Chapter {
        let title = self.pick("六、问题最重的十个对象", "6. The worst ten");
        let mut worst: Vec<&FleetTarget> =
            self.fleet.targets.iter().filter(|target| target.levels()[1..] != [0, 0]).collect();
        worst.sort_by_key(|target| std::cmp::Reverse(target.badness()));
        worst.truncate(WORST);
        if worst.is_empty() {
            let words =
                self.pick("没有检出确认或者疑似的对象。", "No target has a confirmed or suspected finding.");
            return Chapter { title, blocks: vec![Block::Note(words.to_owned())] };
        }
        let rows = worst.into_iter().map(|target| {
            let seen = target.seen.as_ref();
            let mut features: Vec<(Level, &str)> = seen
                .iter()
                .flat_map(|seen| &seen.features)
                .map(|(_, level, title)| (*level, self.pick(&title.zh, &title.en)))
                .collect();
            features.sort_by_key(|(level, _)| std::cmp::Reverse(*level));
            let named: Vec<String> = [Level::Confirmed, Level::Suspected]
                .into_iter()
                .filter_map(|level| {
                    let titles = features.iter().filter(|(of, _)| *of == level).map(|(_, title)| *title);
                    let titles = prose::list(self.lang, titles);
                    let word = prose::level(self.lang, level);
                    (!titles.is_empty()).then(|| format!("{word}{}{titles}", self.pick("：", ": ")))
                })
                .collect();
            let code = seen.map_or_else(String::new, |seen| {
                let word = self.pick(seen.code.zh(), seen.code.en());
                format!("{} {word}", prose::code_sign(seen.code))
            });
            let owner = [target.region.as_deref(), target.owner.as_deref()];
            let owner: Vec<String> = owner.into_iter().flatten().map(|text| short(text, 60)).collect();
            vec![
                target.shown().into(),
                owner.join(self.pick("，", ", ")).into(),
                code.into(),
                short(&named.join(self.pick("；", "; ")), 300).into(),
            ]
        });
        let table = Table {
            heads: vec![
                self.pick("对象", "Target"),
                self.pick("地区与主办单位", "Region and owner"),
                self.pick("建议赋码", "Code"),
                self.pick("检出", "Found"),
            ],
            rows: rows.collect(),
        };
        let note = self.pick(
            "依次按赋码、确认数、疑似数、未见的必备功能数、未检视的份额排列。",
            "In the order of code, confirmed, suspected, missing duties, share not inspected.",
        );
        Chapter { title, blocks: vec![Block::Table(table), Block::Note(note.to_owned())] }
    }

    fn unseen(&self) -> Chapter {
        let targets = &self.fleet.targets;
        let count = |verdict: Option<Verdict>| {
            let of = |target: &&FleetTarget| target.seen.as_ref().map(|seen| seen.verdict) == verdict;
            targets.iter().filter(of).count() as u64
        };
        let verdicts = [Verdict::Full, Verdict::Partial, Verdict::Opaque];
        let looks = ["clean", "suspected", "confirmed"];
        let mut series: Vec<Series> = verdicts
            .iter()
            .zip(looks)
            .map(|(verdict, look)| Series { look: Some(look), word: prose::verdict(self.lang, *verdict) })
            .collect();
        series.push(Series { look: Some("without"), word: self.pick("无报告", "no report") });
        let mut numbers: Vec<u64> = verdicts.iter().map(|verdict| count(Some(*verdict))).collect();
        numbers.push(count(None));
        let plot = Plot {
            label: self.pick("检视范围", "Coverage"),
            series,
            rows: vec![(self.pick("全部对象", "all targets").to_owned(), numbers)],
        };
        let mut blocks = vec![Block::Plot(plot)];
        let mut reasons: BTreeMap<GapReason, u64> = BTreeMap::new();
        for reason in
            targets.iter().filter_map(|target| target.seen.as_ref()).flat_map(|seen| &seen.gap_reasons)
        {
            *reasons.entry(*reason).or_default() += 1;
        }
        let mut causes: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        let mut failed: Vec<&FleetTarget> = Vec::new();
        for target in targets {
            let Some(failure) = &target.failure else { continue };
            let counts =
                causes.entry(short(self.pick(&failure.cause.zh, &failure.cause.en), 120)).or_default();
            counts.0 += 1;
            counts.1 += u64::from(target.is_seen());
            failed.push(target);
        }
        if !reasons.is_empty() {
            let mut reasons: Vec<(GapReason, u64)> = reasons.into_iter().collect();
            reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            let row = |(reason, count): (GapReason, u64)| {
                vec![prose::gap_reason(self.lang, reason).to_owned().into(), count.into()]
            };
            blocks.push(Block::Table(Table {
                heads: vec![
                    self.pick("有内容未能检视，原因", "Parts that could not be read, why"),
                    self.pick("对象", "Targets"),
                ],
                rows: reasons.into_iter().map(row).collect(),
            }));
        }
        if !causes.is_empty() {
            let mut causes: Vec<(String, (u64, u64))> = causes.into_iter().collect();
            causes.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
            let row = |(cause, (all, earlier)): (String, (u64, u64))| {
                vec![cause.into(), all.into(), earlier.into()]
            };
            blocks.push(Block::Table(Table {
                heads: vec![
                    self.pick("本次没有报告，原因", "No report of this run, why"),
                    self.pick("对象", "Targets"),
                    self.pick("其中沿用往次报告", "of these, an earlier report stands"),
                ],
                rows: causes.into_iter().map(row).collect(),
            }));
            let left = failed.len().saturating_sub(self.most);
            let rows = failed.iter().take(self.most).map(|target| {
                let said = target
                    .failure
                    .as_ref()
                    .map_or("", |failure| self.pick(&failure.said.zh, &failure.said.en));
                let line = target.line.map_or_else(|| String::new().into(), Value::Count);
                vec![line, target.shown().into(), short(said, 160).into()]
            });
            blocks.push(Block::Table(Table {
                heads: vec![self.pick("行", "Row"), self.pick("对象", "Target"), self.pick("原因", "Why")],
                rows: rows.collect(),
            }));
            if left > 0 {
                blocks.push(Block::Note(self.say(
                    format!("另有 {left} 个未列出，全部见 XLSX。"),
                    format!("{left} more are not listed; all of them are in the XLSX."),
                )));
            }
        }
        let unlisted = targets.iter().filter(|target| target.line.is_none()).count();
        if unlisted > 0 && unlisted < targets.len() {
            blocks.push(Block::Note(self.say(
                format!("{unlisted} 份报告与名录中的对象对不上，列在名录之后。"),
                format!("{unlisted} reports belong to no row of the roster; they come after it."),
            )));
        }
        if self.fleet.repeated > 0 {
            let repeated = self.fleet.repeated;
            blocks.push(Block::Note(self.say(
                format!("名录中有 {repeated} 行重复登记，只计一次。"),
                format!("{repeated} rows repeat a target and count once."),
            )));
        }
        Chapter { title: self.pick("七、未能检视的内容", "7. What could not be seen"), blocks }
    }
}
