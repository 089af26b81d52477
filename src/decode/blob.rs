//! The bytes of a package: a file read at positions, or memory. Cheap to clone, so every thread has its own.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;

#[derive(Debug, Clone)]
enum Source {
    File(Arc<File>),
    Memory(Arc<[u8]>),
}

/// Random access to the bytes of a package, with a read position of its own.
#[derive(Debug, Clone)]
pub struct Blob {
    source: Source,
    /// Where it begins in the source.
    start: u64,
    length: u64,
    position: u64,
}

impl Blob {
    /// The bytes of an open file; the length is taken now.
    pub fn file(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        Ok(Blob { source: Source::File(Arc::new(file)), start: 0, length, position: 0 })
    }

    /// Bytes in memory.
    pub fn memory(bytes: impl Into<Arc<[u8]>>) -> Self {
        let bytes = bytes.into();
        Blob { start: 0, length: bytes.len() as u64, source: Source::Memory(bytes), position: 0 }
    }

    /// A range of the bytes as a blob of its own, without a copy; shorter where these bytes end.
    pub fn window(&self, offset: u64, length: u64) -> Blob {
        let offset = offset.min(self.length);
        Blob {
            source: self.source.clone(),
            start: self.start + offset,
            length: length.min(self.length - offset),
            position: 0,
        }
    }

    /// Length in bytes.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Reads at an offset; fewer bytes than asked for at the end of the file.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = buffer.len().min(left);
        let buffer = &mut buffer[..count];
        let offset = self.start.saturating_add(offset);
        match &self.source {
            Source::Memory(bytes) => {
                let start = usize::try_from(offset).map_or(bytes.len(), |offset| offset.min(bytes.len()));
                let count = buffer.len().min(bytes.len() - start);
                buffer[..count].copy_from_slice(&bytes[start..start + count]);
                Ok(count)
            }
            #[cfg(unix)]
            Source::File(file) => std::os::unix::fs::FileExt::read_at(&**file, buffer, offset),
            #[cfg(windows)]
            Source::File(file) => std::os::windows::fs::FileExt::seek_read(&**file, buffer, offset),
        }
    }

    /// A range of the bytes; shorter where the file ends, and never more than the file has.
    pub fn slice(&self, offset: u64, length: u64) -> io::Result<Vec<u8>> {
        let length = length.min(self.length.saturating_sub(offset));
        let mut bytes = vec![0; usize::try_from(length).map_err(io::Error::other)?];
        let mut filled = 0;
        while filled < bytes.len() {
            match self.read_at(offset + filled as u64, &mut bytes[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }
}

impl Read for Blob {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.read_at(self.position, buffer)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Blob {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(offset) => Some(offset),
            SeekFrom::End(by) => self.length.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = target.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}
