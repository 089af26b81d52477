//! Signatures over documents: reports, code documents, exports, any JSON of ours.
//!
//! A signature stands beside its document in a file of its own, so that documents can be read by whoever knows nothing
//! of signatures. It covers what the document says, not how it is written: the canonical form is signed, and a
//! document that was indented anew still holds.

mod canonical;
mod error;
mod key;
mod signature;

pub use canonical::{LONGEST, NotCanonical, canonical};
pub use error::{KeyError, SealError};
pub use key::{Algorithm, PrivateKey, PublicKey, public_keys};
pub use signature::{SIGNATURE_SCHEMA, SignatureDocument, Statement, sign, verify};
