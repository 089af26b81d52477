//! A scan in a process of its own: what a hostile package does to it, it does to that process and no other.
//!
//! The parent starts this program again ([`COMMAND`]) and hands it one request; the child puts itself under limits
//! and into a Landlock domain before it reads a byte of the package (see [`cell`]), scans, and answers in lines of
//! JSON (see [`protocol`]). Nothing of what it says is believed further than the shape of a report goes. However it
//! ends, there is a report: its own, or one that says that nothing was seen and why ([`End`]).

mod cell;
mod child;
mod end;
mod examine;
mod protocol;

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

pub use self::cell::{Held, Landlock};
pub use self::child::run as run_child;
pub use self::end::End;
pub use self::examine::{Attempt, Examined};

use self::protocol::{Line, Lines, Order, Request, Said};
use crate::model::{Report, SCHEMA, Wording};
use crate::scan::{Progress, Scan, ScanError, Scanner, Silent, Subject};

/// The argument by which this program is the child: it belongs to no user and is in no help.
pub const COMMAND: &str = "scan-in-sandbox";

/// What is kept of what the child says on standard error, in bytes.
const MAX_STDERR: u64 = 64 << 10;
/// How often it is looked whether the result is still wanted.
const TICK: Duration = Duration::from_millis(50);
/// How long a child that has said all may take to be gone.
const GRACE: Duration = Duration::from_secs(2);
/// What programs that `--ocr` and `--verify-signature` run find of the environment; without those it is empty.
const ENVIRONMENT: [&str; 5] = ["PATH", "HOME", "XDG_CACHE_HOME", "TESSDATA_PREFIX", "JAVA_HOME"];

/// The allocator takes memory when it is used: what it would reserve at once counts against the limit.
const RESERVE: (&str, &str) = ("MIMALLOC_ARENA_EAGER_COMMIT", "0");

/// What a scan may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of memory of its own (`RLIMIT_DATA`).
    pub memory: u64,
    /// How long it may take.
    pub time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { memory: 2 << 30, time: Duration::from_secs(600) }
    }
}

impl Limits {
    /// Seconds of processor time: all processors for the whole of the time, so that it takes effect where the parent
    /// no longer watches the clock.
    fn processor_seconds(&self) -> u64 {
        let threads = std::thread::available_parallelism().map_or(1, |count| count.get() as u64);
        self.time.as_secs().max(1).saturating_mul(threads)
    }
}

/// A scanner that scans in processes of their own.
#[derive(Debug)]
pub struct Sandbox {
    scanner: Scanner,
    rules: Option<PathBuf>,
    program: PathBuf,
    limits: Limits,
}

impl Sandbox {
    /// What `scanner` does, in processes of their own. `rules` is the directory that its rules were read from, if they
    /// are not the embedded ones. The error is that this program does not know where it is.
    pub fn new(scanner: Scanner, rules: Option<PathBuf>, limits: Limits) -> io::Result<Self> {
        Ok(Sandbox { scanner, rules, program: own_program()?, limits })
    }

    /// The same with another program for the child, which understands [`COMMAND`].
    pub fn with_program(self, program: PathBuf) -> Self {
        Sandbox { program, ..self }
    }

    /// Whether the child has to run other programs, which it is allowed then.
    fn runs_programs(&self) -> bool {
        let options = self.scanner.options();
        options.ocr || options.verify_signature
    }

    fn order(&self, subject: &Subject) -> Order {
        Order {
            subject: subject.clone(),
            options: self.scanner.options().clone(),
            filing: self.scanner.filing().clone(),
            baseline: self.scanner.baseline().cloned(),
            rules: self.scanner.rules().digest().to_owned(),
        }
    }

    /// Whether a report is one that this scan can have made.
    fn is_own(&self, report: &Report, subject: &Subject) -> bool {
        report.schema == SCHEMA
            && report.target.source == subject.name
            && report.engine.ruleset.digest == self.scanner.rules().digest()
    }
}

impl Scan for Sandbox {
    fn scan_subject(
        &self,
        path: &Path,
        subject: Subject,
        progress: &dyn Progress,
    ) -> Result<Vec<Report>, ScanError> {
        let isolation = |cause: Wording| ScanError::Isolation { path: path.to_owned(), cause };
        let request = Request::Scan(Box::new(self.order(&subject)));
        let cell = Cell {
            program: &self.program,
            limits: self.limits,
            programs: self.runs_programs(),
            path,
            rules: self.rules.as_deref(),
        };
        let mut running = cell.start(&request).map_err(|error| isolation(unstartable(&error)))?;
        let mut reports = Vec::new();
        let end = loop {
            match running.next(progress) {
                Next::Said(Said::Begin(bytes)) => progress.begin(bytes),
                Next::Said(Said::Advance(bytes)) => progress.advance(bytes),
                Next::Said(Said::Report(report)) if self.is_own(&report, &subject) => reports.push(*report),
                Next::Said(Said::Refused(refusal)) => return Err(refusal.error(path)),
                Next::Said(Said::Unready(cause)) => return Err(isolation(cause)),
                Next::Said(Said::Done(count)) if count == reports.len() && count > 0 => return Ok(reports),
                Next::Said(Said::Ready(_)) => {}
                Next::Said(Said::Report(_) | Said::Done(_) | Said::Tried(_)) => break End::Garbage,
                Next::Cancelled => return Err(ScanError::Cancelled(path.to_owned())),
                Next::Ended(end) => break end,
            }
        };
        drop(running);
        let Wording { zh, en } = end.wording(&self.limits);
        let cause = (format!("{zh}；内容全部未检视"), format!("{en}; nothing of the content was seen"));
        Ok(vec![self.scanner.unfinished(path, subject, cause.into())?])
    }
}

fn unstartable(error: &io::Error) -> Wording {
    (format!("无法启动：{error}"), format!("it cannot be started: {error}")).into()
}

/// This program, as it was when it was started: what has since been put in its place may answer otherwise.
fn own_program() -> io::Result<PathBuf> {
    let running = PathBuf::from(format!("/proc/{}/exe", std::process::id()));
    if running.exists() { Ok(running) } else { std::env::current_exe() }
}

/// What a child is started with.
struct Cell<'a> {
    program: &'a Path,
    limits: Limits,
    programs: bool,
    path: &'a Path,
    rules: Option<&'a Path>,
}

/// What came of waiting for a child.
enum Next {
    Said(Said),
    Ended(End),
    Cancelled,
}

impl Cell<'_> {
    fn start(&self, request: &Request) -> io::Result<Running> {
        let request = serde_json::to_vec(request)?;
        // POSIX has it; where it is missing the scan has the priority of the rest.
        let nice = ["/usr/bin/nice", "/bin/nice"].into_iter().map(Path::new).find(|path| path.is_file());
        let mut command = Command::new(nice.unwrap_or(self.program));
        if nice.is_some() {
            command.args(["-n", "10"]).arg(self.program);
        }
        command.arg(COMMAND).args(self.arguments()).env_clear().env(RESERVE.0, RESERVE.1);
        if self.programs {
            command.envs(ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;
        let (Some(mut stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(io::ErrorKind::BrokenPipe.into());
        };
        // None of these threads is waited for: a child of the child may hold the pipe for as long as it likes.
        let (held, stdin_back) = sync_channel(1);
        std::thread::spawn(move || {
            // A child that is gone is heard of elsewhere.
            let _ = stdin.write_all(&request).and_then(|()| stdin.write_all(b"\n"));
            let _ = held.send(stdin);
        });
        let (told, lines) = sync_channel(16);
        std::thread::spawn(move || Lines::new(stdout).try_for_each(|line| told.send(line)));
        let (said, complaint) = sync_channel(1);
        std::thread::spawn(move || said.send(start_of(stderr)));
        let deadline = Instant::now() + self.limits.time;
        Ok(Running {
            child,
            alone: !self.programs,
            deadline,
            lines,
            complaint,
            _stdin: stdin_back,
            gone: false,
        })
    }

    /// Paths are arguments, since they need not be text.
    fn arguments(&self) -> [OsString; 5] {
        [
            self.limits.memory.to_string().into(),
            self.limits.processor_seconds().to_string().into(),
            if self.programs { "programs" } else { "alone" }.into(),
            self.path.into(),
            self.rules.map(OsString::from).unwrap_or_default(),
        ]
    }
}

/// What a pipe gives, as far as it is kept; the rest is read so that nobody waits.
fn start_of(mut pipe: impl Read) -> String {
    let mut kept = Vec::new();
    let _ = pipe.by_ref().take(MAX_STDERR).read_to_end(&mut kept);
    let _ = io::copy(&mut pipe, &mut io::sink());
    String::from_utf8_lossy(&kept).into_owned()
}

/// A child under way; dropped, it is gone with all that it has started.
struct Running {
    child: Child,
    /// It can have started nothing.
    alone: bool,
    deadline: Instant,
    lines: Receiver<Line>,
    complaint: Receiver<String>,
    /// The child ends when this is closed: it does not outlive its parent.
    _stdin: Receiver<ChildStdin>,
    gone: bool,
}

impl Running {
    fn next(&mut self, progress: &dyn Progress) -> Next {
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left.min(TICK)) {
                Ok(Line::Said(said)) => return Next::Said(*said),
                Ok(Line::Garbage) => return Next::Ended(End::Garbage),
                Ok(Line::TooMuch) => return Next::Ended(End::TooMuch),
                Err(RecvTimeoutError::Disconnected) => return Next::Ended(self.ended()),
                Err(RecvTimeoutError::Timeout) if left.is_zero() => return Next::Ended(End::Deadline),
                Err(RecvTimeoutError::Timeout) if progress.is_cancelled() => return Next::Cancelled,
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Why a child that says no more has ended.
    fn ended(&mut self) -> End {
        let status = self.wait(self.deadline.max(Instant::now() + TICK));
        let Some(status) = status else { return End::Deadline };
        self.gone = true;
        let complaint = self.complaint.recv_timeout(GRACE).unwrap_or_default();
        End::of(status, &complaint)
    }

    fn wait(&mut self, until: Instant) -> Option<ExitStatus> {
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return Some(status),
                Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(2)),
                _ => return None,
            }
        }
    }

    /// Ends a child and everything in its process group.
    fn kill(&mut self) {
        if !self.alone {
            // The child is not waited for yet, so that its number is still its own.
            let group = format!("-{}", self.child.id());
            let mut kill = Command::new("/bin/sh");
            kill.args(["-c", "kill -s KILL -- \"$0\"", &group]).env_clear();
            let _ = kill.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.gone {
            self.kill();
        }
    }
}

/// What really holds on this machine: the child tries each thing that it may not do.
pub fn examine() -> io::Result<(Held, Vec<Examined>)> {
    examine::examine(&own_program()?)
}

/// The same with another program for the child.
pub fn examine_program(program: &Path) -> io::Result<(Held, Vec<Examined>)> {
    examine::examine(program)
}
