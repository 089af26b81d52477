//! Where in a package something was read.

use std::fmt;
use std::sync::Arc;

/// A position inside an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum At {
    /// Byte offset in the decompressed entry.
    Offset(u64),
    /// Android resource id (`0xPPTTEEEE`).
    Resource(u32),
}

/// An entry of a package, and a position in it: `outer!inner@0x1f4` or `resources.arsc#0x7f0b0012`.
///
/// `path` uses `!` between a container and its entry, as often as containers are nested.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Entry path, `!`-separated; shared because thousands of texts come from one entry.
    pub path: Arc<str>,
    /// Position inside the entry where one is known.
    pub at: Option<At>,
}

impl Place {
    /// The entry as a whole.
    pub fn entry(path: impl Into<Arc<str>>) -> Self {
        Place { path: path.into(), at: None }
    }

    /// A byte offset in an entry.
    pub fn offset(path: impl Into<Arc<str>>, offset: u64) -> Self {
        Place { path: path.into(), at: Some(At::Offset(offset)) }
    }

    /// A resource of a resource table.
    pub fn resource(path: impl Into<Arc<str>>, id: u32) -> Self {
        Place { path: path.into(), at: Some(At::Resource(id)) }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        match self.at {
            Some(At::Offset(offset)) => write!(f, "@{offset:#x}"),
            Some(At::Resource(id)) => write!(f, "#{id:#010x}"),
            None => Ok(()),
        }
    }
}
