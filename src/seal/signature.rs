//! The signature document, `zhijian.signature/1`: a statement about a document, and the signature over the canonical
//! form of all of it but the signature itself. The time is part of what is signed; it is the signer's word.

use data_encoding::BASE64;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::canonical::{self, NotCanonical};
use super::{Algorithm, KeyError, PrivateKey, PublicKey, SealError};
use crate::model::Lang;

/// Value of [`Statement::schema`].
pub const SIGNATURE_SCHEMA: &str = "zhijian.signature/1";

/// What the schema of every version begins with.
const FAMILY: &str = "zhijian.signature/";

/// What is signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Statement {
    /// Always [`SIGNATURE_SCHEMA`].
    pub schema: String,
    /// How it is signed.
    pub algorithm: Algorithm,
    /// By which key: SHA-256 of its SubjectPublicKeyInfo in DER, lower-case hex.
    pub key: String,
    /// Digest of the canonical form of the document: `sha256:…` or `sm3:…`, lower-case hex.
    pub digest: String,
    /// When, by the clock of the signer.
    #[schemars(with = "String")]
    pub signed_at: Timestamp,
}

/// A signature with what it is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SignatureDocument {
    /// What is signed.
    #[serde(flatten)]
    pub statement: Statement,
    /// The signature over the canonical form of the statement, base64 (RFC 4648, 4).
    pub signature: String,
}

/// Signs a document.
pub fn sign(document: &[u8], key: &PrivateKey, at: Timestamp) -> Result<SignatureDocument, SealError> {
    let canonical = canonical::canonical(document).map_err(SealError::Document)?;
    let statement = Statement {
        schema: SIGNATURE_SCHEMA.into(),
        algorithm: key.algorithm(),
        key: key.public().id()?,
        digest: digest(key.algorithm(), &canonical),
        signed_at: at,
    };
    let signed = statement_bytes(&json!(statement)).map_err(SealError::Document)?;
    let signature = key.sign(&signed).ok_or_else(|| KeyError::Random("unusable".into()))?;
    Ok(SignatureDocument { statement, signature: BASE64.encode(&signature) })
}

/// Whether a signature document holds for a document by one of these keys: what was signed, or why it does not hold.
pub fn verify(document: &[u8], signature: &[u8], keys: &[PublicKey]) -> Result<Statement, SealError> {
    let (statement, signed, bytes) = read(signature)?;
    let key = find(keys, &statement.key)?.ok_or_else(|| SealError::AnotherKey(statement.key.clone()))?;
    if key.algorithm() != statement.algorithm {
        return Err(SealError::Malformed(format!("{} by a key of another", statement.algorithm.name())));
    }
    match key.verify(&signed, &bytes) {
        None => return Err(SealError::Malformed(format!("no signature of {}", statement.algorithm.name()))),
        Some(false) => return Err(SealError::Forged),
        Some(true) => {}
    }
    let canonical = canonical::canonical(document).map_err(SealError::Document)?;
    if digest(statement.algorithm, &canonical) != statement.digest {
        return Err(SealError::Changed);
    }
    Ok(statement)
}

/// The statement of a signature document, the bytes that are signed and the signature.
fn read(text: &[u8]) -> Result<(Statement, Vec<u8>, Vec<u8>), SealError> {
    let malformed = |cause: String| SealError::Malformed(cause);
    let unsound = |cause: NotCanonical| malformed(cause.words(Lang::En));
    let value = canonical::parse(text).map_err(unsound)?;
    let word = |name: &str| value.get(name).and_then(Value::as_str).unwrap_or_default();
    let version = word("schema").strip_prefix(FAMILY).and_then(|version| version.parse::<u32>().ok());
    match version {
        Some(1) => {}
        Some(0) | None => return Err(malformed(format!("schema {:?}", word("schema")))),
        Some(_) => return Err(SealError::Newer(word("schema").to_owned())),
    }
    let algorithm = word("algorithm");
    if !algorithm.is_empty() && !Algorithm::ALL.iter().any(|known| known.name() == algorithm) {
        return Err(SealError::UnknownAlgorithm(algorithm.to_owned()));
    }
    let signed = statement_bytes(&value).map_err(unsound)?;
    let document: SignatureDocument =
        serde_json::from_value(value).map_err(|error| malformed(error.to_string()))?;
    let SignatureDocument { statement, signature } = document;
    // A field that this version does not know could mean anything.
    if statement_bytes(&json!(statement)).map_err(unsound)? != signed {
        return Err(malformed("fields that do not belong there, or written in another way".into()));
    }
    let bytes = BASE64.decode(signature.as_bytes()).map_err(|error| malformed(format!("base64: {error}")))?;
    Ok((statement, signed, bytes))
}

fn find<'a>(keys: &'a [PublicKey], id: &str) -> Result<Option<&'a PublicKey>, KeyError> {
    for key in keys {
        if key.id()? == id {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

fn digest(algorithm: Algorithm, canonical: &[u8]) -> String {
    let (name, value) = algorithm.digest(canonical);
    format!("{name}:{value}")
}

/// The canonical form of a signature document without its signature.
fn statement_bytes(document: &Value) -> Result<Vec<u8>, NotCanonical> {
    let mut document = document.clone();
    if let Some(members) = document.as_object_mut() {
        members.remove("signature");
    }
    canonical::of_value(&document)
}
