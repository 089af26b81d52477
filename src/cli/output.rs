//! Where reports go: standard output, and files that appear whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use zhijian::report::{self, Format};

use super::language;

/// One `--report FORMAT=PATH`.
#[derive(Debug, Clone)]
pub(super) struct Destination {
    pub(super) format: &'static Format,
    pub(super) path: PathBuf,
}

impl Destination {
    /// Reads `FORMAT=PATH`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let lang = language();
        let wanted = "应写明格式和文件，如 html=报告.html";
        let wanted = lang.pick(wanted, "a format and a file are wanted: html=report.html");
        let (name, path) = text.split_once('=').filter(|(_, path)| !path.is_empty()).ok_or(wanted)?;
        let format = report::format(name).ok_or_else(|| {
            let names: Vec<&str> = report::FORMATS.iter().map(|format| format.name).collect();
            format!("{} {}", lang.pick("没有这种格式，可用：", "no such format; there are"), names.join(", "))
        })?;
        Ok(Destination { format, path: path.into() })
    }
}

/// Refuses destinations that cannot work before any time is spent: no folder, the same file twice, a file to scan.
pub(super) fn check(destinations: &[Destination], inputs: &[PathBuf]) -> anyhow::Result<()> {
    let mut seen: Vec<PathBuf> = Vec::new();
    let inputs: Vec<PathBuf> = inputs.iter().filter_map(|input| fs::canonicalize(input).ok()).collect();
    for Destination { path, .. } in destinations {
        let folder =
            fs::canonicalize(folder(path)).with_context(|| format!("--report: {}", path.display()))?;
        let Some(name) = path.file_name() else { bail!("--report: {}: no file name", path.display()) };
        let whole = folder.join(name);
        if whole.is_dir() {
            bail!("--report: {}: is a directory", path.display());
        }
        if inputs.contains(&whole) {
            bail!("--report: {}: is a file to be scanned", path.display());
        }
        if seen.contains(&whole) {
            bail!("--report: {}: given twice", path.display());
        }
        seen.push(whole);
    }
    Ok(())
}

/// Writes a file so that readers see the old one or the whole new one.
pub(super) fn write_whole(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let draft = folder(path).join(format!(".{name}.{}.tmp", std::process::id()));
    let written = OpenOptions::new().write(true).create_new(true).open(&draft).and_then(|file: File| {
        let mut out = BufWriter::new(file);
        write(&mut out)?;
        out.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&draft, path)
    });
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_no_draft() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("r.json");
        fs::write(&path, "old").unwrap();
        let failed = write_whole(&path, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("no"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        write_whole(&path, |out| out.write_all(b"new")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn impossible_destinations_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let input = dir.path().join("a.apk");
        fs::write(&input, "x").unwrap();
        let to = |path: PathBuf| Destination::parse(&format!("html={}", path.display())).unwrap();
        let inputs = [input.clone()];
        assert!(check(&[to(dir.path().join("out.html"))], &inputs).is_ok());
        assert!(check(&[to(input)], &inputs).is_err());
        assert!(check(&[to(dir.path().join("none/out.html"))], &inputs).is_err());
        assert!(check(&[to(dir.path().to_owned())], &inputs).is_err());
        assert!(check(&[to(dir.path().join("o")), to(dir.path().join("./o"))], &inputs).is_err());
        assert!(Destination::parse("pdf=x").is_err());
        assert!(Destination::parse("html=").is_err());
        assert!(Destination::parse("html").is_err());
    }
}
