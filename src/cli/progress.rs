//! A progress bar on standard error, when that is a terminal and a scan takes its time.

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
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
