//! How fast the decoders that see most bytes are, on one core: the JavaScript lexer and the strings of dex code.
//!
//! `cargo bench --bench decode -- FILE…` reads bundles (`*.js`) and packages or dex files; without files a bundle of
//! 8 MB is put together of npm packages, and the APKs of `speed` are taken, in `target/bench-packages`.

#![expect(clippy::print_stdout, clippy::expect_used, reason = "a program run by hand that prints a table")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use zhijian::decode::archive::Archive;
use zhijian::decode::blob::Blob;
use zhijian::decode::dex::Dex;
use zhijian::decode::js::Script;
use zhijian::link::script;

const RUNS: usize = 9;
/// npm package and the minified file in it.
const BUNDLE: &[(&str, &str)] = &[
    ("echarts@6.1.0", "dist/echarts.min.js"),
    ("echarts@6.1.0", "dist/echarts.common.min.js"),
    ("echarts@6.1.0", "dist/echarts.simple.min.js"),
    ("echarts@6.1.0", "dist/echarts.esm.min.js"),
    ("element-ui@2.15.14", "lib/index.js"),
    ("ant-design-vue@1.7.8", "dist/antd.min.js"),
    ("ant-design-vue@1.7.8", "dist/antd-with-locales.min.js"),
    ("vant@4.10.2", "lib/vant.min.js"),
];

fn main() {
    let arguments: Vec<PathBuf> =
        std::env::args().skip(1).filter(|a| a != "--bench").map(PathBuf::from).collect();
    let files = if arguments.is_empty() { vec![bundle()] } else { arguments };
    println!("{:<40} {:>8} {:>9} {:>9}", "file", "MB", "MB/s", "peak MB");
    for file in &files {
        let bytes = std::fs::read(file).expect("the file can be read");
        match file.extension().is_some_and(|extension| extension == "js") {
            true => row(file, bytes.len(), || {
                std::hint::black_box(Script::read(&bytes, script::FILTER));
            }),
            false => dex_files(file, bytes).iter().for_each(|dex| {
                row(file, dex.len(), || strings(dex));
            }),
        }
    }
}

/// Decodes every string of a dex file.
fn strings(bytes: &[u8]) {
    let (dex, _) = Dex::parse(bytes).expect("is dex code");
    let length: usize =
        (0..dex.string_count()).filter_map(|index| dex.string(index)).map(|text| text.len()).sum();
    std::hint::black_box(length);
}

fn row(file: &Path, size: usize, mut run: impl FnMut()) {
    let least = (0..RUNS).map(|_| timed(&mut run)).min().unwrap_or_default();
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let megabytes = size as f64 / 1e6;
    println!("{name:<40} {megabytes:>8.1} {:>9.0} {:>9}", megabytes / least.as_secs_f64(), peak());
}

fn timed(run: &mut impl FnMut()) -> Duration {
    let begun = Instant::now();
    run();
    begun.elapsed()
}

/// Most memory this process has held, where the system tells.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    let kilobytes: Option<u64> = line.trim().trim_end_matches(" kB").parse().ok();
    kilobytes.map_or_else(|| "?".to_owned(), |kb| (kb / 1000).to_string())
}

fn dex_files(file: &Path, bytes: Vec<u8>) -> Vec<Vec<u8>> {
    if bytes.starts_with(b"dex\n") {
        return vec![bytes];
    }
    let blob = Blob::file(std::fs::File::open(file).expect("opens")).expect("has a length");
    let (archive, _) = Archive::open(blob).expect("is a zip");
    let dex = archive.entries().iter().filter(|entry| entry.name.ends_with(".dex"));
    dex.filter_map(|entry| archive.read(entry).ok()).map(|(bytes, _)| bytes).collect()
}

/// One bundle of what npm has.
fn bundle() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench-packages");
    std::fs::create_dir_all(&folder).expect("can make the folder");
    let target = folder.join("bundle.js");
    if !target.exists() {
        let mut all = Vec::new();
        for (package, file) in BUNDLE {
            let work = tempfile::tempdir().expect("a temporary folder");
            let script = format!("npm pack --silent {package} && tar xzf *.tgz");
            let done = Command::new("sh").arg("-c").arg(script).current_dir(work.path()).status();
            assert!(done.is_ok_and(|status| status.success()), "{package} could not be fetched");
            all.extend(std::fs::read(work.path().join("package").join(file)).expect("is in the package"));
            all.extend(b"\n;\n");
        }
        std::fs::write(&target, all).expect("can write");
    }
    target
}
