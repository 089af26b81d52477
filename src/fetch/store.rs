//! What was fetched, by the digest of its content; and for each address what was last had from it.
//!
//! ```text
//! objects/ab/abcdef…     content, named by its SHA-256
//! addresses/12/1234….json  for an address (named by its SHA-256): content, validators, time
//! partial/1234…          the beginning of a download that broke off, with .json beside it
//! ```
//!
//! Files appear by renaming, so that whoever looks sees a whole file or none, whenever the program is killed.

use crate::decode::folder::sha256;
use crate::model::hex;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use url::Url;

use super::client::{Page, Validators};

/// The store in a directory.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

/// What was last had from an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// The address.
    pub url: String,
    /// SHA-256 of the content, lower-case hex.
    pub sha256: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was had, UTC.
    pub fetched: jiff::Timestamp,
    /// `Content-Type` as sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Where it came from, after redirects; absent in what older versions wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// For asking again.
    #[serde(flatten)]
    pub validators: Validators,
}

impl Store {
    /// Opens a store, and makes it where there is none.
    pub fn open(root: &Path) -> io::Result<Self> {
        for folder in ["objects", "addresses", "partial"] {
            fs::create_dir_all(root.join(folder))?;
        }
        Ok(Store { root: root.to_owned() })
    }

    /// The directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the journal of requests is.
    pub fn journal(&self) -> PathBuf {
        self.root.join("requests.jsonl")
    }

    /// The file with the content of a digest, if it is there.
    pub fn object(&self, sha256: &str) -> Option<PathBuf> {
        let path = self.object_path(sha256)?;
        path.is_file().then_some(path)
    }

    fn object_path(&self, sha256: &str) -> Option<PathBuf> {
        // A digest may come from a file that somebody edited; it must not lead out of the store.
        let sound = sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        sound.then(|| self.root.join("objects").join(&sha256[..2]).join(sha256))
    }

    /// Room for content that comes from elsewhere.
    pub fn incoming(&self) -> io::Result<Incoming> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("incoming-{}-{number}-{:08x}", std::process::id(), fastrand::u32(..));
        let path = self.root.join("partial").join(name);
        let file = File::create_new(&path)?;
        Ok(Incoming { store: self.clone(), path, file, digest: Sha256::new(), bytes: 0 })
    }

    /// Content older than a moment of which the caller does not say that something rests on it is thrown away:
    /// how many files, how many bytes.
    pub fn prune(
        &self,
        before: std::time::SystemTime,
        rests: &dyn Fn(&str) -> bool,
    ) -> io::Result<(u64, u64)> {
        let (mut files, mut bytes) = (0, 0);
        for folder in fs::read_dir(self.root.join("objects"))? {
            let folder = folder?.path();
            if !folder.is_dir() {
                continue;
            }
            for entry in fs::read_dir(folder)? {
                let entry = entry?;
                let metadata = entry.metadata()?;
                let name = entry.file_name();
                let name = name.to_string_lossy();
                if metadata.is_file()
                    && metadata.modified().is_ok_and(|modified| modified < before)
                    && self.object_path(&name).is_some()
                    && !rests(&name)
                {
                    fs::remove_file(entry.path())?;
                    (files, bytes) = (files + 1, bytes + metadata.len());
                }
            }
        }
        Ok((files, bytes))
    }

    /// What was last had from an address, if its content is still there.
    pub fn known(&self, url: &Url) -> Option<Known> {
        let known: Known = read_json(&self.address(url))?;
        self.object(&known.sha256).map(|_| known)
    }

    /// Keeps the page of an address.
    pub fn keep(&self, url: &Url, page: &Page) -> io::Result<Known> {
        let sha256 = hex(&Sha256::digest(&page.bytes));
        let path = self.object_path(&sha256).ok_or(io::ErrorKind::InvalidInput)?;
        if !path.is_file() {
            write_whole(&path, &page.bytes)?;
        }
        let bytes = page.bytes.len() as u64;
        self.remember(Known {
            url: url.as_str().to_owned(),
            sha256,
            bytes,
            fetched: now(),
            content_type: page.content_type.clone(),
            from: Some(page.url.as_str().to_owned()),
            validators: page.validators.clone(),
        })
    }

    /// Notes that an address still has the same content.
    pub fn remember(&self, known: Known) -> io::Result<Known> {
        let url = Url::parse(&known.url).map_err(io::Error::other)?;
        let text = serde_json::to_vec_pretty(&known)?;
        write_whole(&self.address(&url), &text)?;
        Ok(known)
    }

    fn address(&self, url: &Url) -> PathBuf {
        let name = key(url);
        self.root.join("addresses").join(&name[..2]).join(format!("{name}.json"))
    }

    /// The download of an address, begun or resumed.
    pub(super) fn partial(&self, url: &Url) -> io::Result<Partial> {
        let path = self.root.join("partial").join(key(url));
        Partial::open(path)
    }

    /// Takes over a download that is whole.
    pub(super) fn finish(
        &self,
        url: &Url,
        partial: Partial,
        content_type: Option<String>,
        validators: Validators,
        from: &Url,
    ) -> io::Result<Known> {
        partial.file.sync_all()?;
        let (sha256, bytes) = digest(&partial.path)?;
        let path = self.object_path(&sha256).ok_or(io::ErrorKind::InvalidInput)?;
        if path.is_file() {
            fs::remove_file(&partial.path)?;
        } else {
            fs::create_dir_all(path.parent().unwrap_or(&self.root))?;
            fs::rename(&partial.path, &path)?;
        }
        fs::remove_file(with_json(&partial.path)).or_else(absent)?;
        let url = url.as_str().to_owned();
        self.remember(Known {
            url,
            sha256,
            bytes,
            fetched: now(),
            content_type,
            from: Some(from.as_str().to_owned()),
            validators,
        })
    }
}

/// Content that comes from elsewhere, piece by piece. What is not finished leaves nothing behind.
#[derive(Debug)]
pub struct Incoming {
    store: Store,
    path: PathBuf,
    file: File,
    digest: Sha256,
    bytes: u64,
}

impl Incoming {
    /// One more piece.
    pub fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.file.write_all(piece)?;
        self.digest.update(piece);
        self.bytes += piece.len() as u64;
        Ok(())
    }

    /// So many bytes are there.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Takes the content into the store: its digest. When this returns it is on disk.
    pub fn finish(mut self) -> io::Result<String> {
        self.file.sync_all()?;
        let sha256 = hex(&std::mem::take(&mut self.digest).finalize());
        let path = self.store.object_path(&sha256).ok_or(io::ErrorKind::InvalidInput)?;
        let folder = path.parent().unwrap_or(&self.store.root);
        fs::create_dir_all(folder)?;
        fs::rename(&self.path, &path)?;
        // The name has to be on disk too.
        File::open(folder)?.sync_all()?;
        Ok(sha256)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// A download under way. One process at a time holds it.
#[derive(Debug)]
pub(super) struct Partial {
    path: PathBuf,
    file: File,
    /// Bytes that are there.
    pub(super) length: u64,
    /// Of what the bytes are the beginning.
    pub(super) validators: Validators,
}

impl Partial {
    fn open(path: PathBuf) -> io::Result<Self> {
        let file = File::options().create(true).append(true).read(true).open(&path)?;
        file.try_lock().map_err(|_| io::Error::other("another process is downloading the same address"))?;
        let length = file.metadata()?.len();
        let validators: Option<Validators> = read_json(&with_json(&path));
        let mut partial = Partial { path, file, length, validators: validators.unwrap_or_default() };
        if partial.length > 0 && partial.validators.for_range().is_none() {
            partial.restart(Validators::default())?;
        }
        Ok(partial)
    }

    /// Begins anew, with the bytes of something else.
    pub(super) fn restart(&mut self, validators: Validators) -> io::Result<()> {
        self.file.set_len(0)?;
        self.length = 0;
        write_whole(&with_json(&self.path), &serde_json::to_vec(&validators)?)?;
        self.validators = validators;
        Ok(())
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Throws away what there is.
    pub(super) fn discard(mut self) -> io::Result<()> {
        self.length = 0;
        self.file.set_len(0)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // Nothing came of it, so nothing is left of it.
        if self.length == 0 {
            let _ = fs::remove_file(&self.path);
            let _ = fs::remove_file(with_json(&self.path));
        }
    }
}

fn now() -> jiff::Timestamp {
    let now = jiff::Timestamp::now();
    jiff::Timestamp::from_second(now.as_second()).unwrap_or(now)
}

fn key(url: &Url) -> String {
    hex(&Sha256::digest(url.as_str().as_bytes()))
}

fn with_json(path: &Path) -> PathBuf {
    path.with_extension("json")
}

fn absent(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Option<T> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

/// Digest and size of a file.
fn digest(path: &Path) -> io::Result<(String, u64)> {
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    Ok((sha256(file)?, size))
}

/// Writes a file beside its place and renames it into it, so that readers see the old one or the whole new one.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Two threads may write the same content at the same time.
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let temporary = path.with_extension(format!("tmp{}-{number}", std::process::id()));
    let mut file = File::create(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    drop(file);
    fs::rename(&temporary, path).inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_kept_once_and_known_by_address() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let (a, b) = (Url::parse("https://a.gov.cn/x").unwrap(), Url::parse("https://b.gov.cn/y").unwrap());
        assert_eq!(store.known(&a), None);
        let tag = Validators { etag: Some("\"1\"".into()), last_modified: None };
        let page = |url: &Url, validators: Validators| Page {
            url: url.join("/there").unwrap(),
            bytes: b"abc".to_vec(),
            content_type: Some("text/plain".into()),
            validators,
        };
        let first = store.keep(&a, &page(&a, tag.clone())).unwrap();
        let second = store.keep(&b, &page(&b, Validators::default())).unwrap();
        // SHA-256 of "abc", FIPS 180-2 appendix B.1.
        assert_eq!(first.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(first.sha256, second.sha256);
        assert_eq!(store.known(&a).unwrap().validators, tag);
        assert_eq!(store.known(&a).unwrap().from.as_deref(), Some("https://a.gov.cn/there"));
        assert_eq!(fs::read(store.object(&first.sha256).unwrap()).unwrap(), b"abc");
        fs::remove_file(store.object(&first.sha256).unwrap()).unwrap();
        assert_eq!(store.known(&a), None, "an address whose content is gone is not known");
    }

    #[test]
    fn no_name_leads_out_of_the_store() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        for name in ["", "..", "../../etc/passwd", &"../".repeat(22)[..64], "Ａ"] {
            assert_eq!(store.object(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_beginning_is_kept_only_with_what_it_is_the_beginning_of() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let url = Url::parse("https://a.gov.cn/a.apk").unwrap();
        let mut partial = store.partial(&url).unwrap();
        partial.append(b"abc").unwrap();
        assert!(store.partial(&url).is_err(), "only one at a time");
        drop(partial);
        assert_eq!(store.partial(&url).unwrap().length, 0, "bytes of nobody knows what");

        let mut partial = store.partial(&url).unwrap();
        let tag = Validators { etag: Some("\"1\"".into()), last_modified: None };
        partial.restart(tag.clone()).unwrap();
        partial.append(b"abc").unwrap();
        drop(partial);
        let partial = store.partial(&url).unwrap();
        assert_eq!((partial.length, &partial.validators), (3, &tag));
        let known = store.finish(&url, partial, None, tag, &url).unwrap();
        assert_eq!(known.bytes, 3);
        assert_eq!(fs::read_dir(folder.path().join("partial")).unwrap().count(), 0);
    }
}
