//! The chain of hashes: each event's hash covers it and the hash before it, so that a changed, added or lost row
//! shows. Who can rewrite the whole database can rewrite the chain too: a head that was noted elsewhere (every signed
//! code document carries one) shows that.

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::model::hex;

/// The hash before the first event.
pub const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link<'a> {
    /// Its number.
    pub seq: u64,
    /// The target's key.
    pub target: &'a str,
    /// When it happened.
    pub at: Timestamp,
    /// When it was recorded.
    pub recorded: Timestamp,
    /// Who says so.
    pub actor: &'a str,
    /// What happened, as JSON, byte by byte as stored.
    pub body: &'a str,
}

impl Link<'_> {
    /// SHA-256 over the hash before and every field with its length in bytes as eight little-endian bytes; numbers and
    /// moments (nanoseconds since 1970) as decimal text. Lower-case hex.
    pub fn hash(&self, before: &str) -> String {
        let mut digest = Sha256::new();
        let (seq, at) = (self.seq.to_string(), self.at.as_nanosecond().to_string());
        let recorded = self.recorded.as_nanosecond().to_string();
        for field in [before, &seq, self.target, &at, &recorded, self.actor, self.body] {
            digest.update((field.len() as u64).to_le_bytes());
            digest.update(field);
        }
        hex(&digest.finalize())
    }
}
