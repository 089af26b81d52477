//! A folder of the file system as a list of named files, so that what was unpacked is read like what was packed.
//!
//! The walk is bounded and never leaves the folder: symbolic links are not followed. What is passed over is said.

use crate::model::hex;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use super::{Decoder, Issue, Limit, Unit};

/// What this file reads.
pub const DECODER: Decoder = Decoder {
    name: "folder",
    version: 1,
    reads: ("文件夹", "folders"),
    limits: &[
        Limit { what: ("文件数", "files"), amount: MAX_FILES as u64, unit: Unit::Count },
        Limit { what: ("嵌套层数", "levels of nesting"), amount: MAX_DEPTH as u64, unit: Unit::Count },
    ],
};

/// More files are not listed.
const MAX_FILES: usize = 100_000;
/// Folders this deep are not entered.
const MAX_DEPTH: usize = 48;
/// Issues of one kind that are listed one by one.
const MAX_ISSUES: usize = 16;
/// Folders of development that are no part of what is published.
const PASSED_OVER: &[&str] = &["node_modules", "__MACOSX"];

/// A file of a folder.
#[derive(Debug, Clone)]
pub struct File {
    /// Path from the folder, parts divided by `/`.
    pub name: Arc<str>,
    /// Where it is.
    pub path: PathBuf,
    /// Length in bytes at the time of the walk.
    pub size: u64,
}

/// The files of a folder and all folders in it.
#[derive(Debug, Clone, Default)]
pub struct Folder {
    /// In the order of their names.
    pub files: Vec<File>,
    /// What was passed over or could not be listed.
    pub issues: Vec<Issue>,
}

impl Folder {
    /// Lists a folder; fails only when the folder itself cannot be listed.
    pub fn walk(root: &Path) -> io::Result<Folder> {
        let mut found = Folder::default();
        let real = fs::canonicalize(root)?;
        let mut stack = vec![(root.to_owned(), String::new(), 0)];
        while let Some((folder, prefix, depth)) = stack.pop() {
            let listed = match fs::read_dir(&folder) {
                Ok(listed) => listed,
                Err(error) if depth == 0 => return Err(error),
                Err(error) => {
                    found.lost("folder.unreadable", format!("{prefix}: {error}"));
                    continue;
                }
            };
            for entry in listed {
                let entry = match entry {
                    Ok(entry) => entry,
                    Err(error) => {
                        found.lost("folder.unreadable", format!("{prefix}: {error}"));
                        continue;
                    }
                };
                let file = entry.file_name();
                let file = file.to_string_lossy();
                let name = format!("{prefix}{file}");
                if file.starts_with('.') || PASSED_OVER.contains(&&*file) {
                    found.note("folder.passed-over", name);
                    continue;
                }
                match entry.file_type() {
                    Err(error) => found.lost("folder.unreadable", format!("{name}: {error}")),
                    Ok(kind) if kind.is_symlink() => found.link(name, &entry.path(), &real),
                    Ok(kind) if kind.is_dir() && depth + 1 >= MAX_DEPTH => {
                        found.lost("folder.limit", format!("{name}: more than {MAX_DEPTH} levels deep"));
                    }
                    Ok(kind) if kind.is_dir() => stack.push((entry.path(), format!("{name}/"), depth + 1)),
                    Ok(kind) if kind.is_file() => {
                        if found.files.len() >= MAX_FILES {
                            found.lost("folder.limit", format!("more than {MAX_FILES} files"));
                            stack.clear();
                            break;
                        }
                        let size = entry.metadata().map_or(0, |metadata| metadata.len());
                        found.files.push(File { name: Arc::from(name), path: entry.path(), size });
                    }
                    Ok(_) => found.note("folder.passed-over", name),
                }
            }
        }
        found.files.sort_by(|a, b| a.name.cmp(&b.name));
        found.issues.sort();
        Ok(found)
    }

    /// A link is not followed. What it leads to is read anyway when it is inside, and is lost when it is not.
    fn link(&mut self, name: String, path: &Path, root: &Path) {
        match fs::canonicalize(path) {
            Ok(target) if target.starts_with(root) => self.note("folder.link", name),
            Ok(target) => self.lost("folder.link-outside", format!("{name} leads to {}", target.display())),
            Err(error) => self.lost("folder.link-outside", format!("{name}: {error}")),
        }
    }

    fn note(&mut self, code: &'static str, detail: String) {
        self.add(Issue::odd(code, None, detail));
    }

    fn lost(&mut self, code: &'static str, detail: String) {
        self.add(Issue::lossy(code, None, detail));
    }

    fn add(&mut self, issue: Issue) {
        if self.issues.iter().filter(|known| known.code == issue.code).count() < MAX_ISSUES {
            self.issues.push(issue);
        }
    }

    /// Length of all files in bytes.
    pub fn size(&self) -> u64 {
        self.files.iter().map(|file| file.size).fold(0, u64::saturating_add)
    }

    /// The digest of the folder: SHA-256, in hexadecimal, of one line for each file in the order of the names, as
    /// `sha256sum` writes it: digest of the content, two spaces, name. A file that cannot be read has `-` for a digest.
    pub fn digest(&self) -> String {
        let lines: Vec<String> = self
            .files
            .par_iter()
            .map(|file| {
                let digest = fs::File::open(&file.path).and_then(sha256);
                format!("{}  {}\n", digest.unwrap_or_else(|_| "-".to_owned()), file.name)
            })
            .collect();
        let mut digest = Sha256::new();
        lines.iter().for_each(|line| digest.update(line));
        hex(&digest.finalize())
    }
}

/// SHA-256 of all that can be read, in hexadecimal.
pub fn sha256(mut reader: impl Read) -> io::Result<String> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 1 << 18];
    loop {
        match reader.read(&mut buffer)? {
            0 => break,
            count => digest.update(&buffer[..count]),
        }
    }
    Ok(hex(&digest.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Folder) -> Vec<&str> {
        folder.files.iter().map(|file| &*file.name).collect()
    }

    fn codes(folder: &Folder) -> Vec<(&str, bool)> {
        folder.issues.iter().map(|issue| (issue.code, issue.lossy)).collect()
    }

    #[test]
    fn files_come_in_order_and_what_is_passed_over_is_said() {
        let root = tempfile::tempdir().unwrap();
        for name in ["b/二.js", "b/a.js", "a.html", "node_modules/x/i.js", ".git/config", "c/.hidden"] {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        let folder = Folder::walk(root.path()).unwrap();
        assert_eq!(names(&folder), ["a.html", "b/a.js", "b/二.js"]);
        assert_eq!(folder.size(), 6 + 6 + 8);
        let said: Vec<&str> = folder.issues.iter().map(|issue| issue.detail.as_str()).collect();
        assert_eq!(said, [".git", "c/.hidden", "node_modules"]);
        assert!(folder.issues.iter().all(|issue| issue.code == "folder.passed-over" && !issue.lossy));
    }

    #[test]
    #[cfg(unix)]
    fn links_are_not_followed() {
        use std::os::unix::fs::symlink;
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("secret.html"), "x").unwrap();
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("a")).unwrap();
        fs::write(root.path().join("a/page.html"), "x").unwrap();
        symlink("..", root.path().join("a/loop")).unwrap();
        symlink(outside.path(), root.path().join("out")).unwrap();
        symlink("nowhere", root.path().join("broken")).unwrap();
        let folder = Folder::walk(root.path()).unwrap();
        assert_eq!(names(&folder), ["a/page.html"]);
        assert_eq!(
            codes(&folder),
            [("folder.link", false), ("folder.link-outside", true), ("folder.link-outside", true)]
        );
    }

    #[test]
    fn deep_folders_end() {
        let root = tempfile::tempdir().unwrap();
        let deep: PathBuf = std::iter::repeat_n("d", 200).collect();
        fs::create_dir_all(root.path().join(deep)).unwrap();
        fs::write(root.path().join("d/page.html"), "x").unwrap();
        let folder = Folder::walk(root.path()).unwrap();
        assert_eq!(names(&folder), ["d/page.html"]);
        assert_eq!(codes(&folder), [("folder.limit", true)]);
    }

    #[test]
    fn the_digest_is_what_sha256sum_gives() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("b")).unwrap();
        fs::write(root.path().join("a.html"), "abc").unwrap();
        fs::write(root.path().join("b/c.js"), "").unwrap();
        let listing = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a.html\n\
                       e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  b/c.js\n";
        let expected = sha256(listing.as_bytes()).unwrap();
        assert_eq!(Folder::walk(root.path()).unwrap().digest(), expected);
        assert_eq!(sha256(&b"abc"[..]).unwrap()[..16], *"ba7816bf8f01cfea");
    }
}
