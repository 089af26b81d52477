//! Progress on standard error: of a scan, when that is a terminal and the scan takes its time; of a run always.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use zhijian::model::Lang;
use zhijian::run::{Counts, Watch};
use zhijian::scan::Progress;

/// Work shorter than this shows no bar.
const PATIENCE: Duration = Duration::from_millis(500);

pub(super) struct Bar {
    bar: ProgressBar,
    begun: Instant,
    /// The bar may still have to be shown.
    waiting: AtomicBool,
}

impl Bar {
    /// The bar of one file; silent where nobody watches.
    pub(super) fn new(file: &Path, quiet: bool) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{bar:22} {percent:>3}%  {msg}") {
            bar.set_style(style.progress_chars("██░"));
        }
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        bar.set_message(zhijian::report::visible(&name).into_owned());
        let watched = !quiet && io::stderr().is_terminal();
        Bar { bar, begun: Instant::now(), waiting: AtomicBool::new(watched) }
    }

    /// Takes the bar off the screen.
    pub(super) fn finish(self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn begin(&self, total_bytes: u64) {
        self.bar.set_length(total_bytes);
    }

    fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
        if self.waiting.load(Ordering::Relaxed)
            && self.begun.elapsed() > PATIENCE
            && self.waiting.swap(false, Ordering::Relaxed)
        {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}

/// Lines of a run that nobody watches on a terminal are so far apart.
const EVERY: Duration = Duration::from_secs(10);

/// How far a run is: a bar on a terminal, else a line now and then.
pub(super) struct RunBar {
    bar: ProgressBar,
    lang: Lang,
    quiet: bool,
    told: Mutex<Instant>,
}

impl RunBar {
    pub(super) fn new(quiet: bool, lang: Lang) -> Self {
        let terminal = io::stderr().is_terminal();
        let target =
            if quiet || !terminal { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{bar:22} {pos}/{len} {elapsed}  {msg}") {
            bar.set_style(style.progress_chars("██░"));
        }
        RunBar { bar, lang, quiet: quiet || terminal, told: Mutex::new(Instant::now()) }
    }
}

impl Watch for RunBar {
    fn at(&self, counts: &Counts) {
        let Counts { planned, failed, left, .. } = counts;
        let done = planned.saturating_sub(*left);
        self.bar.set_length(*planned);
        self.bar.set_position(done);
        let word = self.lang.pick("失败", "failed");
        if *failed > 0 {
            self.bar.set_message(format!("{word} {failed}"));
        }
        if self.quiet {
            return;
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.elapsed() >= EVERY {
            *told = Instant::now();
            let of = self.lang.pick("已处理", "done");
            super::complain(&format!("{of} {done}/{planned}  {word} {failed}"));
        }
    }
}

impl Drop for RunBar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
