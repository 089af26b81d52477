//! ZIP archives as Android reads them: the encryption flag and unknown methods are no obstacle when the bytes
//! can be read all the same, sizes are what the data says, and a lost directory is rebuilt from the local headers.
//!
//! A folder is taken for an archive whose entries are stored: formats need not know the difference.
//!
//! Format: PKWARE APPNOTE 6.3.10; Android's reading of it: `system/libziparchive/zip_archive.cc`.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::{Decompress, FlushDecompress, Status};
use thiserror::Error;
use zip::{CompressionMethod, ZipArchive};

use super::blob::Blob;
use super::folder::Folder;
use super::{Decoder, Issue, Limit, Unit};
use crate::model::GapReason;

/// What this file reads.
pub const DECODER: Decoder = Decoder {
    name: "archive",
    version: 1,
    reads: ("ZIP 压缩包", "ZIP archives"),
    limits: &[
        Limit { what: ("单个文件", "one entry"), amount: MAX_ENTRY, unit: Unit::Bytes },
        Limit { what: ("全部文件", "all entries together"), amount: MAX_TOTAL, unit: Unit::Bytes },
        Limit { what: ("文件数", "entries"), amount: MAX_ENTRIES as u64, unit: Unit::Count },
    ],
};

/// No entry is inflated beyond this: larger than any table, code file or bundle of an honest app.
pub const MAX_ENTRY: u64 = 128 << 20;
/// All entries of one package and of those within it together are inflated to at most this.
const MAX_TOTAL: u64 = 2 << 30;
/// More entries than this are not listed.
const MAX_ENTRIES: usize = 1 << 20;
/// The room first made for an inflated entry; more only as data comes.
const FIRST_ROOM: u64 = 1 << 20;

/// Why a file could not be opened as an archive.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// Not a ZIP archive, or nothing of it can be found.
    #[error("not a readable ZIP archive: {0}")]
    Unreadable(String),
}

/// Why the content of an entry is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// The reason in the words of the report.
    pub reason: GapReason,
    /// What exactly, in English.
    pub detail: String,
}

/// One entry of the archive.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Name as stored; bytes that are not UTF-8 are replaced.
    pub name: Arc<str>,
    /// Compressed size the directory states, in bytes.
    pub packed: u64,
    /// Size the directory states, in bytes.
    pub size: u64,
    crc32: u32,
    method: u16,
    encrypted: bool,
    /// Offset of the local header; in a folder, number of the file.
    header: u64,
}

impl Entry {
    /// Whether the content is stored as it is.
    pub fn is_stored(&self) -> bool {
        self.method == 0 && !self.encrypted
    }
}

/// Length of a local header without its name and extra field.
const LOCAL_HEADER: u64 = 30;

/// An open archive.
#[derive(Debug)]
pub struct Archive {
    blob: Blob,
    entries: Vec<Entry>,
    by_name: HashMap<Arc<str>, usize>,
    directory: Option<u64>,
    /// Where the files are, when this is a folder.
    folder: Option<Vec<PathBuf>>,
    budget: Budget,
}

/// What the archives of one package, one within another, have inflated together, in bytes.
#[derive(Debug, Clone, Default)]
pub struct Budget(Arc<AtomicU64>);

impl Budget {
    fn is_spent(&self) -> bool {
        self.0.load(Ordering::Relaxed) > MAX_TOTAL
    }

    fn spend(&self, bytes: usize) {
        self.0.fetch_add(bytes as u64, Ordering::Relaxed);
    }
}

impl Archive {
    /// Opens an archive; the issues concern the archive as a whole.
    pub fn open(blob: Blob) -> Result<(Self, Vec<Issue>), ArchiveError> {
        Archive::open_within(blob, Budget::default())
    }

    /// Opens an archive that shares a budget with others.
    pub fn open_within(blob: Blob, budget: Budget) -> Result<(Self, Vec<Issue>), ArchiveError> {
        let mut issues = Vec::new();
        let opened = ZipArchive::new(BufReader::new(blob.clone()));
        let mut directory = None;
        let entries = match opened {
            Ok(zip) => {
                directory = Some(zip.central_directory_start());
                listed(&zip, &mut issues)?
            }
            Err(error) => {
                let entries = salvage(&blob).map_err(|e| ArchiveError::Unreadable(e.to_string()))?;
                if entries.is_empty() {
                    return Err(ArchiveError::Unreadable(error.to_string()));
                }
                let detail = format!(
                    "central directory unusable ({error}); {} entries found by their local headers",
                    entries.len()
                );
                issues.push(Issue::lossy("zip.no-directory", None, detail));
                entries
            }
        };
        let by_name = by_name(&entries);
        Ok((Archive { blob, entries, by_name, directory, folder: None, budget }, issues))
    }

    /// A folder as an archive that shares a budget with others; it has no bytes of its own.
    pub fn of_folder(folder: &Folder, budget: Budget) -> Self {
        let entry = |(header, file): (u64, &super::folder::File)| Entry {
            name: file.name.clone(),
            packed: file.size,
            size: file.size,
            crc32: 0,
            method: 0,
            encrypted: false,
            header,
        };
        let entries: Vec<Entry> = (0..).zip(&folder.files).map(entry).collect();
        let paths = folder.files.iter().map(|file| file.path.clone()).collect();
        let by_name = by_name(&entries);
        let blob = Blob::memory([]);
        Archive { blob, entries, by_name, directory: None, folder: Some(paths), budget }
    }

    /// Whether this is a folder and not an archive.
    pub fn is_folder(&self) -> bool {
        self.folder.is_some()
    }

    /// The file that an entry of a folder is.
    fn file(&self, paths: &[PathBuf], entry: &Entry) -> Result<Blob, Unread> {
        let path = usize::try_from(entry.header).ok().and_then(|index| paths.get(index));
        let failed = |error: std::io::Error| Unread { reason: GapReason::Failed, detail: error.to_string() };
        let path = path.ok_or_else(|| failed(std::io::ErrorKind::NotFound.into()))?;
        Blob::file(File::open(path).map_err(failed)?).map_err(failed)
    }

    /// The bytes the archive is in.
    pub fn blob(&self) -> &Blob {
        &self.blob
    }

    /// Offset of the central directory; `None` when it was lost.
    pub fn directory(&self) -> Option<u64> {
        self.directory
    }

    /// The entries, in the order of the directory.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry of a name.
    pub fn entry(&self, name: &str) -> Option<&Entry> {
        self.by_name.get(name).and_then(|&index| self.entries.get(index))
    }

    /// The content of an entry. What came out before an error is kept, with a lossy issue.
    pub fn read(&self, entry: &Entry) -> Result<(Vec<u8>, Vec<Issue>), Unread> {
        let unread = |reason, detail: String| Unread { reason, detail };
        let mut issues = Vec::new();
        if self.budget.is_spent() {
            return Err(unread(
                GapReason::LimitReached,
                format!("the package inflates to more than {MAX_TOTAL} bytes"),
            ));
        }
        if let Some(paths) = &self.folder {
            let file = self.file(paths, entry)?;
            if file.len() > MAX_ENTRY {
                return Err(unread(GapReason::TooLarge, format!("{} bytes", file.len())));
            }
            let bytes = file.slice(0, MAX_ENTRY).map_err(unreadable)?;
            self.budget.spend(bytes.len());
            return Ok((bytes, issues));
        }
        let packed = self.packed(entry)?;
        let whole = packed.len() as u64 == entry.packed;
        if !whole {
            let detail = format!("{} of {} compressed bytes are there", packed.len(), entry.packed);
            issues.push(Issue::lossy("zip.truncated-entry", None, detail));
        }
        let stored = match entry.method {
            0 => true,
            8 => false,
            // Android takes what is not deflated for stored; packers write nonsense here.
            _ => entry.packed == entry.size,
        };
        let bytes = if stored {
            if packed.len() as u64 > MAX_ENTRY {
                return Err(unread(GapReason::TooLarge, format!("{} bytes", packed.len())));
            }
            packed
        } else {
            let (bytes, end) =
                inflate(&packed, entry.size).map_err(|detail| unread(GapReason::LimitReached, detail))?;
            match end {
                End::Whole => {}
                End::TooLarge => {
                    self.budget.spend(bytes.len());
                    return Err(unread(
                        GapReason::TooLarge,
                        format!("inflates to more than {MAX_ENTRY} bytes"),
                    ));
                }
                End::Short | End::Broken if bytes.is_empty() => {
                    return Err(self.hopeless(entry, "no deflate data"));
                }
                End::Short if whole => {
                    issues.push(Issue::lossy("zip.truncated-entry", None, "the deflate stream has no end"));
                }
                End::Short => {}
                End::Broken => {
                    let detail = format!("the deflate stream breaks after {} bytes", bytes.len());
                    issues.push(Issue::lossy("zip.broken-deflate", None, detail));
                }
            }
            bytes
        };
        self.budget.spend(bytes.len());
        let intact = crc32fast::hash(&bytes) == entry.crc32;
        if !intact && entry.encrypted {
            return Err(self.hopeless(entry, "the checksum does not match"));
        }
        if entry.encrypted {
            issues.push(Issue::odd("zip.encryption-flag", None, "flagged as encrypted but readable"));
        }
        if !matches!(entry.method, 0 | 8) {
            if !intact {
                return Err(self.hopeless(entry, "the checksum does not match"));
            }
            issues.push(Issue::odd(
                "zip.unknown-method",
                None,
                format!("method {} but readable", entry.method),
            ));
        }
        if bytes.len() as u64 != entry.size {
            let detail = format!("stated size {}, real size {}", entry.size, bytes.len());
            issues.push(Issue::odd("zip.size-mismatch", None, detail));
        } else if !intact {
            issues.push(Issue::odd("zip.checksum-mismatch", None, "CRC-32 does not match"));
        }
        Ok((bytes, issues))
    }

    /// The content of an entry as a blob: in place when it is stored, whatever its size; else inflated.
    pub fn content(&self, entry: &Entry) -> Result<(Blob, Vec<Issue>), Unread> {
        if let Some(paths) = &self.folder {
            return Ok((self.file(paths, entry)?, Vec::new()));
        }
        if entry.is_stored() {
            let blob = self.blob.window(self.data(entry)?, entry.packed);
            if blob.len() == entry.packed {
                return Ok((blob, Vec::new()));
            }
        }
        self.read(entry).map(|(bytes, issues)| (Blob::memory(bytes), issues))
    }

    /// The first bytes of an entry, to tell what it is; as many as can be had of `count`.
    pub fn head(&self, entry: &Entry, count: usize) -> Vec<u8> {
        if let Some(paths) = &self.folder {
            let file = self.file(paths, entry).ok();
            return file.and_then(|file| file.slice(0, count as u64).ok()).unwrap_or_default();
        }
        let Ok(offset) = self.data(entry) else { return Vec::new() };
        // Room for the tables of a dynamic deflate block.
        let packed = self.blob.slice(offset, entry.packed.min(count as u64 + 512)).unwrap_or_default();
        let mut head = if entry.method == 8 {
            let mut head = Vec::with_capacity(count);
            // What came out before an error is there all the same.
            let _ = Decompress::new(false).decompress_vec(&packed, &mut head, FlushDecompress::Sync);
            head
        } else {
            packed
        };
        head.truncate(count);
        head
    }

    fn hopeless(&self, entry: &Entry, why: &str) -> Unread {
        if entry.encrypted {
            Unread { reason: GapReason::Encrypted, detail: format!("flagged as encrypted; {why}") }
        } else if matches!(entry.method, 0 | 8) {
            Unread { reason: GapReason::Malformed, detail: why.to_owned() }
        } else {
            Unread { reason: GapReason::UnsupportedMethod, detail: format!("method {}; {why}", entry.method) }
        }
    }

    /// The compressed bytes of an entry, as many as are there.
    fn packed(&self, entry: &Entry) -> Result<Vec<u8>, Unread> {
        self.blob.slice(self.data(entry)?, entry.packed.min(MAX_ENTRY + 1)).map_err(unreadable)
    }

    /// Offset of the data of an entry.
    fn data(&self, entry: &Entry) -> Result<u64, Unread> {
        let header = self.blob.slice(entry.header, LOCAL_HEADER).map_err(unreadable)?;
        let (Some(name), Some(extra)) = (u16_at(&header, 26), u16_at(&header, 28)) else {
            return Err(Unread {
                reason: GapReason::Truncated,
                detail: "the local header is not in the file".into(),
            });
        };
        if !header.starts_with(b"PK\x03\x04") {
            return Err(self.hopeless(entry, "no local header where the directory says"));
        }
        Ok(entry.header + LOCAL_HEADER + u64::from(name) + u64::from(extra))
    }
}

fn by_name(entries: &[Entry]) -> HashMap<Arc<str>, usize> {
    let mut by_name: HashMap<Arc<str>, usize> = HashMap::with_capacity(entries.len());
    for (index, entry) in entries.iter().enumerate() {
        by_name.entry(entry.name.clone()).or_insert(index);
    }
    by_name
}

fn unreadable(error: std::io::Error) -> Unread {
    Unread { reason: GapReason::Truncated, detail: error.to_string() }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2)?.try_into().ok().map(u16::from_le_bytes)
}

/// The entries of the central directory.
fn listed(zip: &ZipArchive<BufReader<Blob>>, issues: &mut Vec<Issue>) -> Result<Vec<Entry>, ArchiveError> {
    let mut entries = Vec::with_capacity(zip.len().min(MAX_ENTRIES));
    let mut starts = Vec::with_capacity(entries.capacity());
    for index in 0..zip.len() {
        if index == MAX_ENTRIES {
            let detail = format!("{} of {} entries are listed", MAX_ENTRIES, zip.len());
            issues.push(Issue::lossy("zip.too-many-entries", None, detail));
            break;
        }
        let data = zip.by_index_data(index).map_err(|e| ArchiveError::Unreadable(e.to_string()))?;
        starts.push((data.header_start(), data.compressed_size()));
        entries.push(Entry {
            name: name(data.name_raw()),
            packed: data.compressed_size(),
            size: data.size(),
            crc32: data.crc32(),
            method: method_number(data.compression()),
            encrypted: data.encrypted(),
            header: data.header_start(),
        });
    }
    if zip.offset() > 0 {
        let detail = format!("{} bytes before the archive", zip.offset());
        issues.push(Issue::odd("zip.prepended-data", Some(0), detail));
    }
    if zip.has_duplicate_names() {
        issues.push(Issue::odd(
            "zip.duplicate-names",
            None,
            "an entry name occurs more than once; the last one is read",
        ));
    }
    starts.sort_unstable();
    let overlapping =
        starts.windows(2).filter(|pair| pair[0].0.saturating_add(pair[0].1) > pair[1].0).count();
    if overlapping > 0 {
        issues.push(Issue::odd(
            "zip.overlapping-entries",
            None,
            format!("{overlapping} entries overlap the next"),
        ));
    }
    Ok(entries)
}

fn name(raw: &[u8]) -> Arc<str> {
    match String::from_utf8_lossy(raw) {
        Cow::Borrowed(name) => Arc::from(name),
        Cow::Owned(name) => Arc::from(name),
    }
}

fn method_number(method: CompressionMethod) -> u16 {
    match method {
        CompressionMethod::Stored => 0,
        CompressionMethod::Deflated => 8,
        // Other methods of the crate are not compiled in, so they come as this variant too.
        #[expect(deprecated, reason = "the only way to the number")]
        CompressionMethod::Unsupported(number) => number,
        _ => u16::MAX,
    }
}

enum End {
    Whole,
    /// The input ends before the stream does.
    Short,
    Broken,
    TooLarge,
}

/// Inflates raw deflate data up to [`MAX_ENTRY`]; fails only when memory cannot be had.
fn inflate(packed: &[u8], stated: u64) -> Result<(Vec<u8>, End), String> {
    let mut inflater = Decompress::new(false);
    let mut out = Vec::new();
    // Deflate cannot grow data more than 1032 times: a lying size gets no more room than that.
    let room = stated.min(packed.len() as u64 * 1032).min(MAX_ENTRY) + 1;
    let reserve = |out: &mut Vec<u8>, room: u64| {
        out.try_reserve_exact(usize::try_from(room).unwrap_or(usize::MAX)).map_err(|error| error.to_string())
    };
    reserve(&mut out, room.min(FIRST_ROOM.max(packed.len() as u64 * 4)))?;
    loop {
        let consumed = inflater.total_in() as usize;
        let before = (inflater.total_in(), inflater.total_out());
        let input = packed.get(consumed..).unwrap_or_default();
        let status = inflater.decompress_vec(input, &mut out, FlushDecompress::None);
        match status {
            Ok(Status::StreamEnd) => return Ok((out, End::Whole)),
            Err(_) => return Ok((out, End::Broken)),
            Ok(_) if out.len() as u64 > MAX_ENTRY => return Ok((out, End::TooLarge)),
            Ok(_) if out.len() == out.capacity() => {
                let more = (out.len() as u64).max(4096).min(MAX_ENTRY + 1 - out.len() as u64).max(1);
                reserve(&mut out, more)?;
            }
            Ok(_) if (inflater.total_in(), inflater.total_out()) == before => return Ok((out, End::Short)),
            Ok(_) => {}
        }
    }
}

/// Entries by their local headers, for archives whose directory is lost.
fn salvage(blob: &Blob) -> std::io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let mut offset = 0u64;
    while entries.len() < MAX_ENTRIES {
        let header = blob.slice(offset, LOCAL_HEADER)?;
        let u16_at = |at: usize| u16_at(&header, at).unwrap_or_default();
        let u32_at = |at: usize| u32::from(u16_at(at)) | u32::from(u16_at(at + 2)) << 16;
        if header.len() < LOCAL_HEADER as usize || !header.starts_with(b"PK\x03\x04") {
            break;
        }
        let name_length = u64::from(u16_at(26));
        let raw = blob.slice(offset + LOCAL_HEADER, name_length)?;
        let data = offset + LOCAL_HEADER + name_length + u64::from(u16_at(28));
        let streamed = u16_at(6) & 8 != 0 && u32_at(18) == 0;
        let (crc32, packed, size, next) = if streamed {
            match measure(blob, data, u16_at(8))? {
                Some(found) => found,
                None => break,
            }
        } else {
            let packed = u64::from(u32_at(18));
            (u32_at(14), packed, u64::from(u32_at(22)), data + packed)
        };
        entries.push(Entry {
            name: name(&raw),
            packed,
            size,
            crc32,
            method: u16_at(8),
            encrypted: u16_at(6) & 1 != 0,
            header: offset,
        });
        offset = next;
    }
    Ok(entries)
}

/// Checksum, packed and real size, and the end of an entry whose sizes stand behind its data.
fn measure(blob: &Blob, data: u64, method: u16) -> std::io::Result<Option<(u32, u64, u64, u64)>> {
    if method != 8 {
        return Ok(None);
    }
    let mut rest = blob.clone();
    std::io::Seek::seek(&mut rest, std::io::SeekFrom::Start(data))?;
    let mut inflater = flate2::read::DeflateDecoder::new(rest);
    let mut hasher = crc32fast::Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    let mut size = 0u64;
    loop {
        match inflater.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) if size + count as u64 <= MAX_ENTRY => {
                hasher.update(&buffer[..count]);
                size += count as u64;
            }
            _ => return Ok(None),
        }
    }
    let packed = inflater.total_in();
    let end = data + packed;
    let signed = blob.slice(end, 4)? == b"PK\x07\x08";
    Ok(Some((hasher.finalize(), packed, size, end + if signed { 16 } else { 12 })))
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;
    use crate::decode::res_chunk::tests::flips;

    const FILES: [(&str, &str); 3] = [
        ("assets/页面.html", "<button>打卡</button><button>打卡</button><button>打卡</button>"),
        ("empty", ""),
        ("stored.txt", "签到"),
    ];

    fn sample() -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in FILES {
            let method = match name {
                "stored.txt" => CompressionMethod::Stored,
                _ => CompressionMethod::Deflated,
            };
            writer.start_file(name, SimpleFileOptions::default().compression_method(method)).unwrap();
            writer.write_all(content.as_bytes()).unwrap();
        }
        writer.finish().unwrap().into_inner()
    }

    /// Names and contents of all entries that can be read.
    fn read(bytes: &[u8]) -> (Vec<(String, Vec<u8>)>, Vec<Issue>) {
        let Ok((archive, mut issues)) = Archive::open(Blob::memory(bytes)) else { return Default::default() };
        let mut found = Vec::new();
        for entry in archive.entries() {
            if let Ok((content, more)) = archive.read(entry) {
                issues.extend(more);
                assert!(archive.head(entry, 4).len() <= 4);
                found.push((entry.name.to_string(), content));
            }
        }
        (found, issues)
    }

    #[test]
    fn entries_have_their_names_and_contents() {
        let (found, issues) = read(&sample());
        let expected = FILES.map(|(name, content)| (name.to_owned(), content.as_bytes().to_vec()));
        assert_eq!(found, expected);
        assert_eq!(issues, []);
    }

    #[test]
    fn a_cut_archive_tells_it_and_keeps_what_is_there() {
        let bytes = sample();
        let directory =
            Archive::open(Blob::memory(bytes.as_slice())).unwrap().0.directory().unwrap() as usize;
        for cut in 0..bytes.len() {
            let (found, issues) = read(&bytes[..cut]);
            assert!(found.is_empty() || issues.iter().any(|issue| issue.lossy), "{cut}");
            for (index, (name, content)) in found.iter().enumerate() {
                assert!(
                    FILES[index].0.starts_with(name.trim_end_matches(char::REPLACEMENT_CHARACTER)),
                    "{cut}"
                );
                assert!(FILES[index].1.as_bytes().starts_with(content), "{cut}");
            }
            assert!(cut < directory || found.len() == FILES.len(), "{cut}");
        }
    }

    #[test]
    fn flipped_bytes_do_no_harm() {
        flips(&sample(), 3_000, |bytes| drop(read(bytes)));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_end(tail in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            read(&[b"PK\x03\x04", tail.as_slice()].concat());
            read(&[tail.as_slice(), b"PK\x05\x06", &[0; 18]].concat());
        }
    }
}
