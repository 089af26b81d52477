//! How fast a scan is, as ratios measured in one run on the same file:
//!
//! - *scan*: the whole process `zhijian scan FILE --format json`, everything included;
//! - *unzip*: `unzip -tq FILE`, which inflates and checksums every entry;
//! - *floor*: a process that only inflates the entries that a scan reads, with the same inflater.
//!
//! `cargo bench --bench speed -- FILE…`; without files the packages named in `PACKAGES` are fetched by the
//! ordinary package clients into `target/bench-packages`.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a program run by hand that prints a table")]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use wait4::Wait4;
use zhijian::decode::archive::Archive;
use zhijian::decode::blob::Blob;
use zhijian::format::apk;

/// Client, package, and the end of the path of the APK in it.
const PACKAGES: &[(&str, &str, &str)] = &[
    ("npm", "io.appium.settings", "settings_apk-debug.apk"),
    ("npm", "appium-uiautomator2-server", "appium-uiautomator2-server-v10.6.6.apk"),
    ("pip", "airtest", "Yosemite.apk"),
    ("pip", "pocoui", "pocoservice-debug.apk"),
];
const RUNS: usize = 9;
const FLOOR: &str = "--inflate-only";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    if let [flag, file, names] = arguments.as_slice()
        && flag == FLOOR
    {
        inflate(Path::new(file), Path::new(names));
        return ExitCode::SUCCESS;
    }
    // For `peers.py`: what is inflated of a file, and the packages.
    if let [flag, file] = arguments.as_slice()
        && flag == "--names"
    {
        println!("{}", names(Path::new(file)).join("\n"));
        return ExitCode::SUCCESS;
    }
    if arguments == ["--fetch"] {
        fetch().iter().for_each(|file| println!("{}", file.display()));
        return ExitCode::SUCCESS;
    }
    let files = if arguments.is_empty() { fetch() } else { arguments.iter().map(PathBuf::from).collect() };
    println!(
        "{:<44} {:>7} {:>9} {:>9} {:>9} {:>11} {:>11} {:>9}",
        "file", "MB", "unzip ms", "floor ms", "scan ms", "scan/unzip", "scan/floor", "peak MB"
    );
    for file in files {
        measure(&file);
    }
    ExitCode::SUCCESS
}

fn open(file: &Path) -> Archive {
    Archive::open(Blob::file(File::open(file).expect("opens")).expect("has a length")).expect("is a zip").0
}

/// The entries that a scan reads.
fn names(file: &Path) -> Vec<String> {
    apk::entries_read(&open(file)).iter().map(|entry| entry.name.to_string()).collect()
}

/// CPU time and peak memory (kB) of a process.
fn run(command: &mut Command) -> (Duration, u64) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the command starts");
    let used = child.wait4().expect("the command ends").rusage;
    (used.utime + used.stime, used.maxrss)
}

fn measure(file: &Path) {
    let size = std::fs::metadata(file).expect("the file is there").len();
    let read = names(file).join("\n");
    let names = std::env::temp_dir().join(format!("zhijian-bench-{}.txt", std::process::id()));
    std::fs::write(&names, read).expect("can write");
    let this = std::env::current_exe().expect("has a path");
    let mut times: [Vec<f64>; 3] = Default::default();
    let mut peak = 0;
    // In turn, so that a change of the machine's speed meets all three alike; the first round warms up.
    for round in 0..=RUNS {
        let mut unzip = Command::new("unzip");
        unzip.arg("-tq").arg(file);
        let mut floor = Command::new(&this);
        floor.arg(FLOOR).arg(file).arg(&names);
        let mut scan = Command::new(env!("CARGO_BIN_EXE_zhijian"));
        scan.args(["scan", "--format", "json"]).arg(file);
        for (index, mut command) in [unzip, floor, scan].into_iter().enumerate() {
            let (cpu, memory) = run(&mut command);
            if round > 0 {
                times[index].push(cpu.as_secs_f64() * 1e3);
            }
            if index == 2 {
                peak = peak.max(memory);
            }
        }
    }
    // The least of several runs is the one that the rest of the machine disturbed least.
    let least = |index: usize| times[index].iter().copied().fold(f64::INFINITY, f64::min);
    println!(
        "{:<44} {:>7.1} {:>9.0} {:>9.0} {:>9.0} {:>11.2} {:>11.2} {:>9.0}",
        file.file_name().unwrap_or_default().to_string_lossy(),
        size as f64 / 1e6,
        least(0),
        least(1),
        least(2),
        least(2) / least(0),
        least(2) / least(1),
        peak as f64 / 1e6,
    );
    let _ = std::fs::remove_file(names);
}

/// The floor: inflates the named entries, two at a time, and looks at none.
fn inflate(file: &Path, names: &Path) {
    use rayon::prelude::*;
    let archive = open(file);
    let names = std::fs::read_to_string(names).expect("is there");
    let total: usize = names
        .par_lines()
        .filter_map(|name| archive.entry(name))
        .map(|entry| archive.read(entry).map_or(0, |(bytes, _)| bytes.len()))
        .sum();
    assert!(total > 0, "nothing inflated");
}

fn fetch() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench-packages");
    std::fs::create_dir_all(&folder).expect("can make the folder");
    PACKAGES
        .iter()
        .map(|(client, package, file)| {
            let target = folder.join(file);
            if !target.exists() {
                let script = match *client {
                    "npm" => format!("npm pack --silent {package} && tar xzf *.tgz"),
                    _ => format!("pip download -q --no-deps --no-binary :all: {package} || pip download -q --no-deps {package}; \
                                  for f in *.tar.gz; do tar xzf $f; done; for f in *.whl; do unzip -qo $f; done"),
                };
                let work = tempfile::tempdir().expect("a temporary folder");
                let script = format!("{script}; cp \"$(find . -name '{file}' | head -1)\" '{}'", target.display());
                let done = Command::new("sh").arg("-c").arg(script).current_dir(work.path()).status();
                assert!(done.is_ok_and(|status| status.success()) && target.exists(), "{package} could not be fetched");
            }
            target
        })
        .collect()
}
