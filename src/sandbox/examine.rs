//! What holds on this machine, by trying: a child is told to do what it may not, once for each thing.

use std::fs::File;
use std::io::{self, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Cell, End, Held, Limits, Next, Request, Said, Silent};
use crate::model::Wording;

/// What a child that tries may use.
const LIMITS: Limits = Limits { memory: 256 << 20, time: Duration::from_secs(1) };
/// How long a child may take that tries something else than to take long.
const PATIENCE: Duration = Duration::from_secs(60);
/// Allocated at a time.
const PIECE: usize = 16 << 20;

/// Something that a scan may not do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Attempt {
    /// Use more memory than allowed.
    Memory,
    /// Compute longer than allowed.
    Processor,
    /// Take longer than allowed.
    Time,
    /// Read a file that is not the package.
    Read(PathBuf),
    /// Write a file.
    Write(PathBuf),
    /// Connect to a port (TCP).
    Connect(SocketAddr),
    /// Send a datagram (UDP).
    Send(SocketAddr),
    /// Connect to a socket in the file system.
    Socket(PathBuf),
    /// Run a program.
    Program(PathBuf),
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examined {
    /// What was tried.
    pub attempt: Attempt,
    /// How it was prevented; `None` when it was not.
    pub prevented: Option<Wording>,
}

/// In the child: tries, and says what prevented it, if anything did.
pub(super) fn attempt(attempt: &Attempt) -> Option<String> {
    let done = match attempt {
        Attempt::Memory => {
            let pieces = LIMITS.memory as usize / PIECE + 4;
            let kept: Vec<Vec<u8>> = (0..pieces).map(|_| vec![1; PIECE]).collect();
            std::hint::black_box(&kept);
            Ok(())
        }
        Attempt::Processor => {
            let begun = Instant::now();
            let seconds = LIMITS.processor_seconds() + 5;
            while begun.elapsed() < Duration::from_secs(seconds) {
                std::hint::spin_loop();
            }
            Ok(())
        }
        Attempt::Time => {
            std::thread::sleep(LIMITS.time + Duration::from_secs(5));
            Ok(())
        }
        Attempt::Read(path) => File::open(path).and_then(|mut file| file.read(&mut [0]).map(drop)),
        Attempt::Write(path) => std::fs::write(path, b"x"),
        Attempt::Connect(to) => TcpStream::connect_timeout(to, LIMITS.time).map(drop),
        Attempt::Send(to) => {
            UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|socket| socket.send_to(b"x", to)).map(drop)
        }
        Attempt::Socket(path) => connect(path),
        Attempt::Program(path) => std::process::Command::new(path).arg("--version").status().map(drop),
    };
    done.err().map(|error| error.to_string())
}

#[cfg(unix)]
fn connect(path: &Path) -> io::Result<()> {
    std::os::unix::net::UnixStream::connect(path).map(drop)
}

#[cfg(not(unix))]
fn connect(_: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// In the parent: lets a child try each.
pub(super) fn examine(program: &Path) -> io::Result<(Held, Vec<Examined>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let receiver = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    let place = Place::new()?;
    let mut attempts = vec![
        Attempt::Memory,
        Attempt::Processor,
        Attempt::Time,
        Attempt::Read(place.file.clone()),
        Attempt::Write(place.folder.join("written")),
        Attempt::Connect(listener.local_addr()?),
        Attempt::Send(receiver.local_addr()?),
        Attempt::Program(program.to_owned()),
    ];
    #[cfg(unix)]
    let _socket = {
        let path = place.folder.join("socket");
        let socket = std::os::unix::net::UnixListener::bind(&path)?;
        attempts.insert(7, Attempt::Socket(path));
        socket
    };
    let mut held = None;
    let mut examined = Vec::new();
    for attempt in attempts {
        let cell = Cell { program, limits: LIMITS, programs: false, path: &place.subject, rules: None };
        let mut running = cell.start(&Request::Try(attempt.clone()))?;
        running.deadline = Instant::now() + PATIENCE;
        let expected = match &attempt {
            Attempt::Memory => Some(End::Memory),
            Attempt::Processor => Some(End::Processor),
            Attempt::Time => Some(End::Deadline),
            Attempt::Write(_) => Some(End::Write),
            _ => None,
        };
        let prevented = loop {
            match running.next(&Silent) {
                Next::Said(Said::Ready(said)) => {
                    held = Some(said);
                    if attempt == Attempt::Time {
                        running.deadline = Instant::now() + LIMITS.time;
                    }
                }
                Next::Said(Said::Tried(prevented)) => break prevented.map(Wording::from),
                Next::Ended(end) if Some(&end) == expected.as_ref() => break Some(end.wording(&LIMITS)),
                // Anything else that went wrong proves nothing.
                Next::Ended(end) => return Err(io::Error::other(end.wording(&LIMITS).en)),
                Next::Said(Said::Unready(cause)) => return Err(io::Error::other(cause.en)),
                Next::Said(_) | Next::Cancelled => return Err(io::ErrorKind::InvalidData.into()),
            }
        };
        examined.push(Examined { attempt, prevented });
    }
    let held = held.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
    Ok((held, examined))
}

/// A folder of its own for files that are tried on.
struct Place {
    folder: PathBuf,
    /// What the child may read.
    subject: PathBuf,
    /// What it may not.
    file: PathBuf,
}

impl Place {
    fn new() -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("zhijian-sandbox-{}", std::process::id()));
        std::fs::create_dir(&folder)?;
        let place = Place { subject: folder.join("subject"), file: folder.join("other"), folder };
        std::fs::write(&place.subject, b"x")?;
        std::fs::write(&place.file, b"x")?;
        Ok(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What is left in the folder for temporary files is taken away by the system.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
