//! The recipes of the README ("Working on it"), followed to the letter in a copy of the sources: a format, a kind of
//! page and a report, each one file and one line in its list. It builds the program anew, which takes a minute or two:
//! `cargo test --test all -- --ignored recipe`

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A format: packages with an entry `semi.json`.
const FORMAT: &str = r#"//! A format for the test of the recipe.

use super::unit::state;
use super::{Format, FormatError, Probe, Progress};
use crate::model::{Inspection, PartName, Place, TargetKind};

/// Packages with an entry `semi.json`.
pub const FORMAT: Format = Format {
    name: "semi",
    title: ("示例格式", "format of the recipe"),
    endings: &["semi"],
    parts: &[PartName::Container],
    matches,
    inspect,
};

fn matches(probe: &Probe) -> bool {
    probe.archive.as_ref().is_some_and(|(archive, _)| archive.entry("semi.json").is_some())
}

fn inspect(probe: Probe, _: &dyn Progress) -> Result<Inspection, FormatError> {
    let Probe { archive: Some((_, issues)), .. } = probe else {
        return Err(FormatError::Broken { format: FORMAT.name, cause: "no archive".into() });
    };
    let mut inspection = Inspection::new(TargetKind::App, FORMAT.name);
    state(&mut inspection, PartName::Container, &Place::entry(""), issues);
    inspection.read(PartName::Container);
    Ok(inspection)
}
"#;

/// A kind of page: what begins with `semi-page`.
const PAGE: &str = r#"//! A kind of page for the test of the recipe.

use super::draft::Draft;
use super::{Input, Kind, Read};

pub(super) const KIND: Kind =
    Kind { name: "semi-page", title: ("示例页面", "page of the recipe"), matches, read };

fn matches(input: &Input<'_>) -> bool {
    input.text().starts_with("semi-page")
}

fn read(input: &Input<'_>) -> Read {
    Draft::new(input, KIND.name).finish()
}
"#;

/// A report: the name of each file on a line.
const REPORT: &str = r#"//! A report for the test of the recipe.

use std::io::{self, Write};

use super::{Format, Run, View};

/// The name of each file on a line.
pub(super) const FORMAT: Format = Format { name: "semi", media: "text/plain", streams: true, write };

fn write(run: &Run<'_>, _: View, out: &mut dyn Write) -> io::Result<()> {
    run.reports.iter().try_for_each(|report| writeln!(out, "semi {}", report.target.source))
}
"#;

fn insert(path: &Path, before: &str, line: &str) {
    let text = fs::read_to_string(path).unwrap();
    assert_eq!(text.matches(before).count(), 1, "{before:?} in {}", path.display());
    fs::write(path, text.replace(before, &format!("{line}{before}"))).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, target).unwrap();
        }
    }
}

#[test]
#[ignore = "builds the program anew"]
fn each_recipe_takes_one_file_and_one_line() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let place = tempfile::tempdir().unwrap();
    let here = place.path();
    for folder in ["src", "rules"] {
        copy(&root.join(folder), &here.join(folder));
    }
    copy(&root.join("fixtures"), &here.join("fixtures"));
    for file in ["build.rs", "Cargo.lock", "README.md"] {
        fs::copy(root.join(file), here.join(file)).unwrap();
    }
    // Without tests and benches, which need what is not copied, and under another name, so that the program that other
    // tests run stays what it is.
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let kept = |part: &&str| !part.starts_with("[bench]]") && !part.starts_with("[test]]");
    let manifest = manifest.split("\n[").filter(kept).collect::<Vec<_>>().join("\n[");
    let manifest = manifest.replace("name = \"zhijian\"", "name = \"recipe\"");
    fs::write(here.join("Cargo.toml"), format!("{manifest}\n[lib]\nname = \"zhijian\"\n")).unwrap();

    fs::write(here.join("src/format/semi.rs"), FORMAT).unwrap();
    insert(&here.join("src/format/mod.rs"), "    wgt::FORMAT,\n", "    semi::FORMAT,\n");
    insert(&here.join("src/format/mod.rs"), "mod wgt;\n", "mod semi;\n");
    fs::write(here.join("src/page/semi_page.rs"), PAGE).unwrap();
    insert(&here.join("src/page/mod.rs"), "    sitemap::KIND,\n", "    semi_page::KIND,\n");
    insert(&here.join("src/page/mod.rs"), "mod sitemap;\n", "mod semi_page;\n");
    fs::write(here.join("src/report/semi.rs"), REPORT).unwrap();
    insert(&here.join("src/report/mod.rs"), "    sarif::FORMAT,\n", "    semi::FORMAT,\n");
    insert(&here.join("src/report/mod.rs"), "mod sarif;\n", "mod semi;\n");

    // With the tests it rests on what is built already.
    let target = Path::new(env!("CARGO_BIN_EXE_zhijian")).ancestors().nth(2).unwrap();
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--offline", "--bins", "--tests"]).current_dir(here);
    let built = build.env("CARGO_TARGET_DIR", target).output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let run = |arguments: &[&str]| {
        let Output { stdout, stderr, .. } =
            Command::new(target.join("debug/recipe")).args(arguments).output().unwrap();
        (String::from_utf8(stdout).unwrap(), String::from_utf8_lossy(&stderr).into_owned())
    };
    let (formats, errors) = run(&["formats"]);
    assert!(formats.contains("示例格式"), "{errors}");
    let package = here.join("example.semi");
    let mut zip = zip::ZipWriter::new(fs::File::create(&package).unwrap());
    zip.start_file("semi.json", zip::write::SimpleFileOptions::default()).unwrap();
    zip.finish().unwrap();
    let page = here.join("page.html");
    fs::write(&page, "semi-page").unwrap();
    for (file, name) in [(&package, "semi"), (&page, "semi-page")] {
        let (report, errors) = run(&["scan", "--format", "json", file.to_str().unwrap()]);
        let report: serde_json::Value = serde_json::from_str(&report).unwrap_or_else(|_| panic!("{errors}"));
        assert_eq!(report["artifact"]["format"], name);
    }
    let (text, errors) = run(&["scan", "--format", "semi", package.to_str().unwrap()]);
    assert!(text.starts_with("semi "), "{text}{errors}");
}
