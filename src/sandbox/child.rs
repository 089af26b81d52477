//! The child: this program, started by its parent for one scan.

use std::ffi::OsString;
use std::io::{self, BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use super::cell::{Held, Wanted};
use super::examine;
use super::protocol::{Order, Refusal, Request, Said};
use crate::model::Wording;
use crate::rule::RuleSet;
use crate::scan::{Progress, Scanner};

/// The child failed; the parent makes the report.
const FAILED: u8 = 2;
/// Progress is told so often.
const EVERY: Duration = Duration::from_millis(100);

/// Does what the parent asks for on standard input. `args` are those of its making; the result is an exit code.
pub fn run(args: &[OsString]) -> u8 {
    // A parent that no longer listens has been told what it wanted to know.
    match answer(args) {
        Ok(()) => 0,
        Err(_) => FAILED,
    }
}

fn answer(args: &[OsString]) -> io::Result<()> {
    let wrong = || io::Error::from(io::ErrorKind::InvalidInput);
    let [memory, seconds, programs, path, rules] = args else { return Err(wrong()) };
    let number = |arg: &OsString| arg.to_str().and_then(|text| text.parse::<u64>().ok()).ok_or_else(wrong);
    let path = PathBuf::from(path);
    let rules = Some(PathBuf::from(rules)).filter(|rules| !rules.as_os_str().is_empty());
    let programs = programs == "programs";
    // Asked of files that cannot be read afterwards.
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let held = Held::enter(&Wanted {
        memory: number(memory)?,
        processor_seconds: number(seconds)?,
        programs,
        readable: [Some(&path), rules.as_deref()],
    });
    let mut held = match held {
        Ok(held) => held,
        Err(cause) => return say(&Said::Unready(cause.into())),
    };
    // Threads are born into the domain of the thread that makes them, so they come after it.
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().map_err(io::Error::other)?;
    let request = listen();
    if !programs {
        held.no_more_processes();
    }
    say(&Said::Ready(held))?;
    let request = request.recv().map_err(io::Error::other)?;
    match serde_json::from_slice(&request)? {
        Request::Scan(order) => scan(*order, &path, rules.as_deref()),
        Request::Try(attempt) => say(&Said::Tried(examine::attempt(&attempt))),
    }
}

/// The request; and the end of this process when its parent is gone.
fn listen() -> Receiver<Vec<u8>> {
    let (heard, request) = sync_channel(1);
    std::thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        let mut line = Vec::new();
        let read = stdin.read_until(b'\n', &mut line);
        let sent = read.is_ok() && heard.send(line).is_ok();
        while sent && matches!(stdin.read(&mut [0; 64]), Ok(1..)) {}
        std::process::exit(FAILED.into());
    });
    request
}

fn scan(order: Order, path: &Path, rules: Option<&Path>) -> io::Result<()> {
    let loaded = rules.map_or_else(RuleSet::embedded, RuleSet::load);
    let loaded = match loaded {
        Ok(loaded) if loaded.digest() == order.rules => loaded,
        Ok(_) => return say(&Said::Unready(changed())),
        Err(error) => return say(&Said::Unready(error.to_string().into())),
    };
    let scanner = Scanner::new(loaded, order.filing).with_options(order.options);
    let scanner = match order.baseline {
        Some(baseline) => scanner.with_baseline(baseline),
        None => scanner,
    };
    match scanner.scan_subject(path, order.subject, &Teller::default()) {
        Ok(reports) => {
            let count = reports.len();
            reports.into_iter().try_for_each(|report| say(&Said::Report(Box::new(report))))?;
            say(&Said::Done(count))
        }
        Err(error) => say(&Said::Refused(Refusal::of(error))),
    }
}

fn changed() -> Wording {
    ("规则文件在运行中被修改", "the rule files were changed under way").into()
}

fn say(said: &Said) -> io::Result<()> {
    let mut line = serde_json::to_vec(said)?;
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line)?;
    out.flush()
}

/// Tells the parent how far the scan is, not too often.
#[derive(Default)]
struct Teller {
    bytes: AtomicU64,
    told: Mutex<Option<Instant>>,
}

impl Progress for Teller {
    fn begin(&self, total_bytes: u64) {
        let _ = say(&Said::Begin(total_bytes));
    }

    fn advance(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        // Whoever does not get it has another to tell for it.
        let Ok(mut told) = self.told.try_lock() else { return };
        if told.is_none_or(|told| told.elapsed() >= EVERY) {
            *told = Some(Instant::now());
            let _ = say(&Said::Advance(self.bytes.swap(0, Ordering::Relaxed)));
        }
    }
}
