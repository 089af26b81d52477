//! Where several machines share what is in their stores: an object store by its address, S3-compatible
//! (`s3://bucket/folder`; keys, region and endpoint from the variables `AWS_…`) or a folder (`file:///mnt/share`).
//!
//! Objects are named as in a [`Store`]: `objects/ab/abcdef…`. The store of a machine is then what it has of them at
//! hand.

use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use futures_util::{StreamExt, TryStreamExt};
use object_store::buffered::BufWriter;
use object_store::path::Path as Key;
use object_store::{ObjectStore, ObjectStoreExt};
use tokio::io::AsyncWriteExt;
use url::Url;

use super::Store;

/// Bytes that are read and sent at a time; what is smaller goes in one request.
const PIECE: usize = 8 << 20;
/// Pieces of one object that are under way at a time.
const AT_A_TIME: usize = 2;

/// An object store that several machines share.
#[derive(Debug, Clone)]
pub struct Shared {
    objects: Arc<dyn ObjectStore>,
    root: Key,
}

impl Shared {
    /// The object store of an address, with the variables of the environment. Nothing is asked of it yet.
    pub fn open(address: &Url, variables: impl IntoIterator<Item = (String, String)>) -> io::Result<Self> {
        // The first provider is good for all.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ours = variables.into_iter().filter(|(name, _)| name.starts_with("AWS_"));
        let options = ours.map(|(name, value)| (name.to_ascii_lowercase(), value));
        let (objects, root) = object_store::parse_url_opts(address, options)?;
        Ok(Shared { objects: objects.into(), root })
    }

    fn key(&self, sha256: &str) -> Key {
        self.root.clone().join("objects").join(sha256.get(..2).unwrap_or_default()).join(sha256)
    }

    /// Gives what a store has of a digest to all. When this returns it is there.
    pub async fn give(&self, store: &Store, sha256: &str) -> io::Result<()> {
        let path = store.object(sha256).ok_or(io::ErrorKind::NotFound)?;
        let key = self.key(sha256);
        let size = path.metadata()?.len();
        if self.objects.head(&key).await.is_ok_and(|there| there.size == size) {
            return Ok(());
        }
        let mut file = File::open(path)?;
        let writer = BufWriter::with_capacity(self.objects.clone(), key, PIECE);
        let mut writer = writer.with_max_concurrency(AT_A_TIME);
        loop {
            let mut piece = Vec::new();
            let read;
            (file, piece, read) = tokio::task::spawn_blocking(move || {
                let read = (&mut file).take(PIECE as u64).read_to_end(&mut piece);
                (file, piece, read)
            })
            .await?;
            if read? == 0 {
                break;
            }
            writer.put(piece.into()).await?;
        }
        writer.shutdown().await
    }

    /// Takes what all share of a digest into a store: where it is then. `None` where nobody has given it. Content that
    /// is not what its name says is an error.
    pub async fn take(&self, store: &Store, sha256: &str) -> io::Result<Option<PathBuf>> {
        if let Some(path) = store.object(sha256) {
            return Ok(Some(path));
        }
        let got = match self.objects.get(&self.key(sha256)).await {
            Ok(got) => got,
            Err(object_store::Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let mut incoming = store.incoming()?;
        let mut pieces = got.into_stream();
        while let Some(piece) = pieces.try_next().await? {
            incoming.write(&piece)?;
        }
        // Whoever can write to the shared store must not slip in another package.
        let finished = tokio::task::spawn_blocking(move || incoming.finish()).await??;
        if finished != sha256 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the shared store has {finished} under the name {sha256}"),
            ));
        }
        Ok(store.object(sha256))
    }

    /// As [`Store::prune`], for what all share.
    pub async fn prune(
        &self,
        before: SystemTime,
        rests: &(dyn Fn(&str) -> bool + Sync),
    ) -> io::Result<(u64, u64)> {
        let (mut files, mut bytes) = (0, 0);
        let root = self.root.clone().join("objects");
        let mut listed = self.objects.list(Some(&root));
        while let Some(there) = listed.next().await {
            let there = there?;
            let name = there.location.filename().unwrap_or_default();
            let ours = name.len() == 64 && there.location == self.key(name);
            if ours && SystemTime::from(there.last_modified) < before && !rests(name) {
                self.objects.delete(&there.location).await?;
                (files, bytes) = (files + 1, bytes + there.size);
            }
        }
        Ok((files, bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two machines and the folder that they share.
    fn machines(folder: &std::path::Path) -> (Shared, Store, Store) {
        let share = folder.join("share");
        std::fs::create_dir_all(&share).unwrap();
        let shared = Shared::open(&Url::from_directory_path(share).unwrap(), []).unwrap();
        let store = |name: &str| Store::open(&folder.join(name)).unwrap();
        (shared, store("one"), store("two"))
    }

    fn put(store: &Store, bytes: &[u8]) -> String {
        let mut incoming = store.incoming().unwrap();
        incoming.write(bytes).unwrap();
        incoming.finish().unwrap()
    }

    #[tokio::test]
    async fn what_one_gives_another_takes() {
        let folder = tempfile::tempdir().unwrap();
        let (shared, one, two) = machines(folder.path());
        // More than one piece, and nothing at all.
        for bytes in [vec![7; PIECE * 2 + 1], b"a page".to_vec(), Vec::new()] {
            let sha256 = put(&one, &bytes);
            assert_eq!(shared.take(&two, &sha256).await.unwrap(), None, "nobody has given it yet");
            shared.give(&one, &sha256).await.unwrap();
            shared.give(&one, &sha256).await.unwrap();
            let path = shared.take(&two, &sha256).await.unwrap().unwrap();
            assert_eq!(std::fs::read(path).unwrap(), bytes);
        }
        let error = shared.give(&one, &"0".repeat(64)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[tokio::test]
    async fn content_under_a_wrong_name_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        let (shared, one, two) = machines(folder.path());
        let sha256 = put(&one, b"a package");
        shared.give(&one, &sha256).await.unwrap();
        let path = folder.path().join("share/objects").join(&sha256[..2]).join(&sha256);
        std::fs::write(path, b"another").unwrap();
        let error = shared.take(&two, &sha256).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
        assert_eq!(two.object(&sha256), None);
    }

    #[tokio::test]
    async fn what_nothing_rests_on_is_thrown_away_and_nothing_of_others() {
        let folder = tempfile::tempdir().unwrap();
        let (shared, one, two) = machines(folder.path());
        let (kept, stray) = (put(&one, b"kept"), put(&one, b"stray"));
        for sha256 in [&kept, &stray] {
            shared.give(&one, sha256).await.unwrap();
        }
        let theirs = folder.path().join("share/objects/readme.txt");
        std::fs::write(&theirs, b"of somebody else").unwrap();
        let soon = SystemTime::now() + std::time::Duration::from_secs(60);
        assert_eq!(shared.prune(SystemTime::UNIX_EPOCH, &|_| false).await.unwrap(), (0, 0), "all are young");
        assert_eq!(shared.prune(soon, &|sha256| sha256 == kept).await.unwrap(), (1, 5));
        assert!(shared.take(&two, &kept).await.unwrap().is_some() && theirs.is_file());
        assert_eq!(shared.take(&two, &stray).await.unwrap(), None);
    }
}
