//! Text in pictures, by the `tesseract` program with its data for simplified Chinese, when both are installed.
//!
//! What one version of the program made of one picture is kept in `$XDG_CACHE_HOME/zhijian/ocr`, so a scan that ran
//! out of time goes on where it stopped.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::program::run;
use crate::decode::picture::Grey;
use crate::model::{Wording, hex};
use crate::text::has_cjk;

const PROGRAM: &str = "tesseract";
const LANGUAGE: &str = "chi_sim";
/// For the pictures of one package.
const BUDGET: Duration = Duration::from_secs(120);
/// For one picture.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Percent; below it the program has guessed.
const MIN_CONFIDENCE: f64 = 70.0;
/// Raised with every change of how a picture is prepared.
const PREPARATION: u32 = 2;
/// Pictures less high are enlarged: letters of 30 to 40 pixels are read best.
const HEIGHT: usize = 56;
const MARGIN: usize = 12;

/// A text recognised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Recognised {
    pub(super) text: String,
    /// Percent, by the program's own estimate.
    pub(super) confidence: u8,
}

/// What came of one picture.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Outcome {
    /// It was read, and this is its text, if it has one.
    Read(Option<Recognised>),
    /// There was no time left.
    Late,
    /// The program failed or took too long.
    Failed,
    /// No picture with text, by its looks.
    Unfit,
}

/// The program, ready to read the pictures of one package.
#[derive(Debug)]
pub(super) struct Ocr {
    version: String,
    cache: Option<PathBuf>,
    deadline: Instant,
}

impl Ocr {
    /// Finds the program and its data; the error says what is missing.
    pub(super) fn find() -> Result<Self, Wording> {
        let missing = |what: &str, what_en: &str| -> Wording {
            (
                format!("要求识读图片文字（--ocr），但{what}；图片文字未识读"),
                format!("text in pictures was asked for (--ocr), but {what_en}; it is not read"),
            )
                .into()
        };
        let said = |argument: &str| {
            let mut command = Command::new(PROGRAM);
            let output = run(command.arg(argument), &[], TIMEOUT).filter(|output| output.ok)?;
            String::from_utf8(output.out).ok()
        };
        let version = said("--version").and_then(|said| {
            let line = said.lines().next()?.trim();
            line.starts_with(PROGRAM).then(|| line.to_owned())
        });
        let Some(version) = version else {
            return Err(missing("没有安装 tesseract", "tesseract is not installed"));
        };
        let languages = said("--list-langs").unwrap_or_default();
        if !languages.lines().any(|line| line.trim() == LANGUAGE) {
            return Err(missing("tesseract 没有中文数据 chi_sim", "tesseract has no data for chi_sim"));
        }
        // Where nothing can be written, what was kept before is still read.
        let cache = ocr_cache().inspect(|folder| drop(fs::create_dir_all(folder)));
        Ok(Ocr { version, cache, deadline: Instant::now() + BUDGET })
    }

    /// The step of a chain that says how a text was come by.
    pub(super) fn step(&self, confidence: u8) -> String {
        format!("OCR: {} {LANGUAGE}, {confidence}%", self.version)
    }

    /// Reads a picture: its file and the same in grey.
    pub(super) fn read(&self, bytes: &[u8], grey: &Grey) -> Outcome {
        let file = self.cache.as_ref().map(|folder| folder.join(self.key(bytes)));
        let kept = file.as_ref().and_then(|file| fs::read(file).ok());
        if let Some(kept) = kept.and_then(|kept| serde_json::from_slice(&kept).ok()) {
            return Outcome::Read(kept);
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Outcome::Late;
        }
        let factor = HEIGHT.div_ceil(grey.height.max(1)).clamp(1, 3);
        let picture = grey.for_reading(factor, MARGIN).png();
        // One line, or a block of lines.
        let layout = if grey.width >= grey.height * 2 { "7" } else { "6" };
        let mut command = Command::new(PROGRAM);
        command.args(["stdin", "stdout", "-l", LANGUAGE, "--psm", layout, "--dpi", "150", "tsv"]);
        command.env("OMP_THREAD_LIMIT", "1");
        let output = run(&mut command, &picture, TIMEOUT.min(left)).filter(|output| output.ok);
        let Some(output) = output else { return Outcome::Failed };
        let found = words(&String::from_utf8_lossy(&output.out));
        if let Some(file) = file {
            keep(&file, &found);
        }
        Outcome::Read(found)
    }

    fn key(&self, bytes: &[u8]) -> String {
        let mut digest = Sha256::new();
        digest.update(format!("{}\n{LANGUAGE}\n{PREPARATION}\n", self.version));
        digest.update(bytes);
        format!("{}.json", hex(&digest.finalize()))
    }
}

/// Why `--ocr` can do nothing here, if so.
pub fn ocr_problem() -> Option<Wording> {
    Ocr::find().err()
}

/// The folder of what was recognised before.
pub fn ocr_cache() -> Option<PathBuf> {
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))?;
    Some(base.join("zhijian").join("ocr"))
}

/// Writes a result as a whole or not at all. Without a cache the next scan takes longer, and that is all.
fn keep(file: &std::path::Path, found: &Option<Recognised>) {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let part = format!("{}.{}.part", std::process::id(), COUNTER.fetch_add(1, Ordering::Relaxed));
    let part = file.with_extension(part);
    let Ok(bytes) = serde_json::to_vec(found) else { return };
    if fs::write(&part, bytes).and_then(|()| fs::rename(&part, file)).is_err() {
        let _ = fs::remove_file(&part);
    }
}

/// The text of a table of words (`tesseract … tsv`), when it is Chinese and certain enough.
fn words(table: &str) -> Option<Recognised> {
    let mut text = String::new();
    let (mut sum, mut count) = (0.0, 0.0);
    for line in table.lines().skip(1) {
        let mut fields = line.split('\t');
        let (Some(confidence), Some(word)) = (fields.nth(10), fields.next()) else { continue };
        let (Ok(confidence), word) = (confidence.parse::<f64>(), word.trim()) else { continue };
        if confidence < 0.0 || word.is_empty() {
            continue;
        }
        // Only words in other letters have spaces between them.
        if text.ends_with(|ch: char| ch.is_ascii_alphanumeric())
            && word.starts_with(|ch: char| ch.is_ascii_alphanumeric())
        {
            text.push(' ');
        }
        text.push_str(word);
        let letters = word.chars().count() as f64;
        sum += confidence * letters;
        count += letters;
    }
    let confidence = if count > 0.0 { sum / count } else { 0.0 };
    let said = has_cjk(&text) && text.chars().filter(|ch| ch.is_alphanumeric()).count() >= 2;
    (said && confidence >= MIN_CONFIDENCE)
        .then(|| Recognised { text, confidence: confidence.min(100.0) as u8 })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n";

    #[test]
    fn words_become_a_label() {
        let row =
            |confidence: &str, word: &str| format!("5\t1\t1\t1\t1\t1\t0\t0\t9\t9\t{confidence}\t{word}\n");
        let table = format!("{HEAD}{}{}{}", row("-1", ""), row("96.5", "每日"), row("92.5", "签到"));
        assert_eq!(words(&table), Some(Recognised { text: "每日签到".into(), confidence: 94 }));
        assert_eq!(words(&format!("{HEAD}{}", row("30", "签到"))), None);
        assert_eq!(words(&format!("{HEAD}{}", row("95", "OK"))), None);
        assert_eq!(words(""), None);
    }
}
