//! Programs of others, each run with a time limit and killed beyond it.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Output beyond this is dropped.
const MAX_OUTPUT: u64 = 256 << 10;

/// What a program came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Output {
    /// It ended with success.
    pub(super) ok: bool,
    pub(super) out: Vec<u8>,
    pub(super) err: Vec<u8>,
}

/// Runs a program on an input; `None` when it cannot be started, or is not done in time and so is killed.
pub(super) fn run(command: &mut Command, input: &[u8], timeout: Duration) -> Option<Output> {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = piped.spawn().ok()?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    std::thread::scope(|scope| {
        // A program that ends early closes its input, which is its right.
        scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input)));
        let out = scope.spawn(move || stdout.map(read).unwrap_or_default());
        let err = scope.spawn(move || stderr.map(read).unwrap_or_default());
        let ok = wait(&mut child, timeout);
        let (out, err) = (out.join().unwrap_or_default(), err.join().unwrap_or_default());
        ok.map(|ok| Output { ok, out, err })
    })
}

/// What a pipe gives, to its end, as far as it is kept.
fn read(mut pipe: impl Read) -> Vec<u8> {
    let mut kept = Vec::new();
    let _ = pipe.by_ref().take(MAX_OUTPUT).read_to_end(&mut kept);
    // A program that cannot write would wait for ever.
    let _ = std::io::copy(&mut pipe, &mut std::io::sink());
    kept
}

/// Whether the program ends well; `None` when not in time.
fn wait(child: &mut Child, timeout: Duration) -> Option<bool> {
    let end = Instant::now() + timeout;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(status.success()),
            Ok(None) if Instant::now() < end => std::thread::sleep(Duration::from_millis(5)),
            _ => {
                let _ = child.kill();
                let _ = child.wait();
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_hangs_is_killed() {
        let start = Instant::now();
        assert_eq!(run(Command::new("sleep").arg("30"), b"", Duration::from_millis(100)), None);
        assert!(start.elapsed() < Duration::from_secs(5));
        let echoed = Output { ok: true, out: b"abc".to_vec(), err: Vec::new() };
        assert_eq!(run(&mut Command::new("cat"), b"abc", Duration::from_secs(5)), Some(echoed));
        assert_eq!(run(&mut Command::new("zhijian-no-such-program"), b"", Duration::from_secs(1)), None);
        let failed =
            run(Command::new("sh").args(["-c", "yes | head -c 900000; exit 3"]), b"", Duration::from_secs(9));
        assert!(failed.is_some_and(|output| !output.ok && output.out.len() as u64 == MAX_OUTPUT));
    }
}
