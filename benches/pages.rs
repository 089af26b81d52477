//! How fast article pages are read and judged: pages a second on one core, beside a plain copy of the same bytes, measured in
//! turn in one run.
//!
//! `cargo bench --bench pages -- FILE…`; without files the fixtures of articles, grown to 4 MB.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a program run by hand that prints a table")]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use zhijian::page::{self, Input};
use zhijian::rule::{RuleSet, judge};

#[path = "../tests/common/filler.rs"]
mod filler;

const ROUNDS: usize = 25;
const SIZE: usize = 4 << 20;

fn main() {
    let files: Vec<PathBuf> =
        std::env::args().skip(1).filter(|a| a != "--bench").map(PathBuf::from).collect();
    let pages: Vec<(String, Vec<u8>)> = if files.is_empty() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/page");
        ["article.html", "pictures.html", "article-old.html"]
            .into_iter()
            .map(|name| {
                let source = std::fs::read_to_string(folder.join(name)).expect("the fixture is there");
                (name.to_owned(), filler::grown(&source, SIZE).into_bytes())
            })
            .collect()
    } else {
        let read = |path: &PathBuf| (path.display().to_string(), std::fs::read(path).expect("can be read"));
        files.iter().map(read).collect()
    };
    let rules = RuleSet::embedded().expect("the program's own rules are valid");
    println!(
        "{:<28} {:>6} {:>9} {:>9} {:>9} {:>9} {:>7}",
        "page", "MB", "read ms", "judge ms", "pages/s", "copy ms", "ratio"
    );
    for (name, bytes) in &pages {
        let mut read = Duration::MAX;
        let mut judged = Duration::MAX;
        let mut copy = Duration::MAX;
        let mut target = vec![0u8; bytes.len()];
        for _ in 0..ROUNDS {
            let start = Instant::now();
            let found = page::read(&Input::new(black_box(bytes), None, None));
            read = read.min(start.elapsed());
            assert!(!found.inspection.texts.is_empty(), "nothing read");
            let start = Instant::now();
            black_box(judge(&rules, &found.inspection, found.inspection.coverage().verdict));
            judged = judged.min(start.elapsed());
            let start = Instant::now();
            target.copy_from_slice(black_box(bytes));
            black_box(&mut target);
            copy = copy.min(start.elapsed());
        }
        println!(
            "{:<28} {:>6.1} {:>9.2} {:>9.2} {:>9.0} {:>9.3} {:>7.0}",
            name,
            bytes.len() as f64 / 1e6,
            read.as_secs_f64() * 1e3,
            judged.as_secs_f64() * 1e3,
            1.0 / (read + judged).as_secs_f64(),
            copy.as_secs_f64() * 1e3,
            (read + judged).as_secs_f64() / copy.as_secs_f64(),
        );
    }
}
