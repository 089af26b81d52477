//! How a scan ends that does not end well, told from the exit status and from standard error, in both languages.

use std::process::ExitStatus;

use super::Limits;
use crate::model::Wording;

/// Characters kept of what a child said before it died.
const MAX_WORDS: usize = 200;

/// Why a child gave no report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It asked for more memory than allowed.
    Memory,
    /// It used more processor time than allowed.
    Processor,
    /// It was not done in time.
    Deadline,
    /// It tried to write a file.
    Write,
    /// The system ended it by a signal: an access outside its memory, or the machine short of memory.
    Signal(i32),
    /// A mistake in this program, with its words.
    Panic(String),
    /// It ended by itself, with an exit code, and said nothing.
    Silent(i32),
    /// It said what is no answer.
    Garbage,
    /// It said more than is listened to.
    TooMuch,
}

/// Signals by their number on Linux.
const SIGNALS: [(i32, &str); 8] = [
    (4, "SIGILL"),
    (6, "SIGABRT"),
    (7, "SIGBUS"),
    (8, "SIGFPE"),
    (9, "SIGKILL"),
    (11, "SIGSEGV"),
    (15, "SIGTERM"),
    (31, "SIGSYS"),
];
const ABORT: i32 = 6;
const OVER_PROCESSOR_TIME: i32 = 24;
const OVER_FILE_SIZE: i32 = 25;

impl End {
    /// From how the process ended and what it said before.
    pub(super) fn of(status: ExitStatus, complaint: &str) -> Self {
        #[cfg(unix)]
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        #[cfg(not(unix))]
        let signal = None;
        // The words of the standard library.
        if complaint.contains("memory allocation of ") && matches!(signal, Some(ABORT) | None) {
            return End::Memory;
        }
        let panic = complaint.lines().find(|line| line.contains("panicked at"));
        match (signal, panic) {
            (Some(OVER_PROCESSOR_TIME), _) => End::Processor,
            (Some(OVER_FILE_SIZE), _) => End::Write,
            (Some(ABORT) | None, Some(panic)) => {
                // Place in the one line, words in the next.
                let words = complaint.lines().skip_while(|line| *line != panic).nth(1).unwrap_or_default();
                End::Panic(format!("{panic} {words}").chars().take(MAX_WORDS).collect())
            }
            (Some(signal), _) => End::Signal(signal),
            (None, None) => End::Silent(status.code().unwrap_or_default()),
        }
    }

    /// What a report says of it.
    pub fn wording(&self, limits: &Limits) -> Wording {
        let seconds = limits.time.as_secs();
        let memory = limits.memory >> 20;
        let (zh, en) = match self {
            End::Memory => (
                format!("检测进程所需内存超过上限（{memory} MiB），已被终止"),
                format!("the scan asked for more memory than allowed ({memory} MiB) and was ended"),
            ),
            End::Processor => {
                let seconds = limits.processor_seconds();
                (
                    format!("检测进程占用的处理器时间超过上限（{seconds} 秒），已被终止"),
                    format!("the scan used more processor time than allowed ({seconds} s) and was ended"),
                )
            }
            End::Deadline => (
                format!("检测超过时限（{seconds} 秒），已被终止"),
                format!("the scan was not done in time ({seconds} s) and was ended"),
            ),
            End::Write => (
                "检测进程试图写入文件，已被终止".to_owned(),
                "the scan tried to write a file and was ended".to_owned(),
            ),
            End::Signal(signal) => {
                let name = SIGNALS.iter().find(|(number, _)| number == signal);
                let name = name.map_or_else(|| signal.to_string(), |(_, name)| (*name).to_owned());
                // The allocator does not always get to say that memory was refused.
                let (zh, en) = match name.as_str() {
                    "SIGBUS" | "SIGKILL" | "SIGSEGV" => ("，可能因内存不足", ", perhaps for want of memory"),
                    _ => ("", ""),
                };
                (
                    format!("检测进程被系统信号 {name} 终止{zh}"),
                    format!("the process of the scan was ended by signal {name}{en}"),
                )
            }
            End::Panic(words) => {
                (format!("检测程序内部错误：{words}"), format!("a mistake in the scanner: {words}"))
            }
            End::Silent(code) => (
                format!("检测进程未给出报告即退出（退出码 {code}）"),
                format!("the process of the scan ended without a report (exit code {code})"),
            ),
            End::Garbage => (
                "检测进程的输出无法识别，未予采信".to_owned(),
                "what the process of the scan said is no report; it is not believed".to_owned(),
            ),
            End::TooMuch => (
                "检测进程的输出超过上限，未予采信".to_owned(),
                "the process of the scan said more than a report can hold; it is not believed".to_owned(),
            ),
        };
        (zh, en).into()
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn each_end_is_told_from_the_others() {
        let of = |raw: i32, said: &str| End::of(ExitStatus::from_raw(raw), said);
        assert_eq!(of(6, "memory allocation of 1073741824 bytes failed\n"), End::Memory);
        assert_eq!(of(24, ""), End::Processor);
        assert_eq!(of(25, ""), End::Write);
        assert_eq!(of(9, ""), End::Signal(9));
        assert_eq!(of(11, ""), End::Signal(11));
        assert_eq!(of(6, "thread 'main' has overflowed its stack\n"), End::Signal(6));
        assert_eq!(of(3 << 8, ""), End::Silent(3));
        let panic = "\nthread 'main' (7) panicked at src/a.rs:1:2:\nno such entry\nnote: run with\n";
        let words = "thread 'main' (7) panicked at src/a.rs:1:2: no such entry";
        assert_eq!(of(101 << 8, panic), End::Panic(words.into()));
        let limits = Limits::default();
        let said: std::collections::BTreeSet<String> = [
            End::Memory,
            End::Processor,
            End::Deadline,
            End::Write,
            End::Signal(9),
            End::Signal(11),
            End::Panic("x".into()),
            End::Silent(3),
            End::Garbage,
            End::TooMuch,
        ]
        .iter()
        .map(|end| end.wording(&limits).zh)
        .collect();
        assert_eq!(said.len(), 10);
    }
}
