//! Keys in files: PKCS#8 (RFC 5958) for the private, SubjectPublicKeyInfo (RFC 5280, 4.1.2.7) for the public ones, both
//! as PEM (RFC 7468). Ed25519 by RFC 8410; SM2 as an elliptic curve key (RFC 5480) with the curve of GB/T 32918.5.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use ed25519_dalek::pkcs8::KeypairBytes;
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sm2::elliptic_curve::Generate;
use sm2::elliptic_curve::array::Array;
use sm2::elliptic_curve::consts::U32;
use sm2::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, LineEnding};
use sm2::{dsa, dsa::signature::Verifier};
use sm3::Sm3;

use super::error::KeyError;
use crate::model::hex;

/// Who has not agreed on another with the other side signs by this distinguishing identifier (GM/T 0009, 10).
const DISTINGUISHING_ID: &str = "1234567812345678";

/// No key is longer.
const LONGEST_KEY: u64 = 64 << 10;

/// How is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Algorithm {
    /// Ed25519 (RFC 8032); documents by their SHA-256. The signature is the 64 bytes of the RFC.
    #[serde(rename = "ed25519")]
    Ed25519,
    /// SM2 with SM3 (GB/T 32918.2) by the default distinguishing identifier; documents by their SM3 (GB/T 32905). The
    /// signature is the DER structure of GM/T 0009.
    #[serde(rename = "sm2-sm3")]
    Sm2,
}

impl Algorithm {
    /// Every algorithm.
    pub const ALL: [Algorithm; 2] = [Algorithm::Ed25519, Algorithm::Sm2];

    /// How signature documents name it.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Ed25519 => "ed25519",
            Algorithm::Sm2 => "sm2-sm3",
        }
    }

    /// The digest that goes with it, and how signature documents name that.
    pub(super) fn digest(self, bytes: &[u8]) -> (&'static str, String) {
        match self {
            Algorithm::Ed25519 => ("sha256", hex(&Sha256::digest(bytes))),
            Algorithm::Sm2 => ("sm3", hex(&<Sm3 as sm3::Digest>::digest(bytes))),
        }
    }
}

/// A key that signs.
pub enum PrivateKey {
    /// For Ed25519.
    Ed25519(Box<SigningKey>),
    /// For SM2.
    Sm2(Box<dsa::SigningKey>, sm2::SecretKey),
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PrivateKey({})", self.algorithm().name())
    }
}

impl PrivateKey {
    /// A new key from the random numbers of the system.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let random = |error: &dyn std::fmt::Display| KeyError::Random(error.to_string());
        match algorithm {
            Algorithm::Ed25519 => {
                let secret: Array<u8, U32> = Array::try_generate().map_err(|error| random(&error))?;
                Ok(PrivateKey::Ed25519(Box::new(SigningKey::from_bytes(&secret.into()))))
            }
            Algorithm::Sm2 => {
                let secret = sm2::SecretKey::try_generate().map_err(|error| random(&error))?;
                PrivateKey::sm2(secret).ok_or_else(|| KeyError::Random("unusable".into()))
            }
        }
    }

    fn sm2(secret: sm2::SecretKey) -> Option<Self> {
        let signing = dsa::SigningKey::new(DISTINGUISHING_ID, &secret).ok()?;
        Some(PrivateKey::Sm2(Box::new(signing), secret))
    }

    /// How it signs.
    pub fn algorithm(&self) -> Algorithm {
        match self {
            PrivateKey::Ed25519(_) => Algorithm::Ed25519,
            PrivateKey::Sm2(..) => Algorithm::Sm2,
        }
    }

    /// Writes it into a file that its owner alone can read. An existing file is never overwritten.
    pub fn write_new(&self, path: &Path) -> Result<(), KeyError> {
        let pem = match self {
            PrivateKey::Ed25519(key) => {
                // Without the public half, which OpenSSL before 3.5 does not read.
                KeypairBytes { secret_key: key.to_bytes(), public_key: None }.to_pkcs8_pem(LineEnding::LF)
            }
            PrivateKey::Sm2(_, secret) => secret.to_pkcs8_pem(LineEnding::LF),
        };
        let pem = pem.map_err(|error| KeyError::Random(error.to_string()))?;
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::AlreadyExists => KeyError::Exists(path.to_owned()),
            _ => KeyError::File { path: path.to_owned(), source },
        };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(failed)?;
        let written = file.write_all(pem.as_bytes()).and_then(|()| file.sync_all());
        written.map_err(|source| {
            // Half a key is none.
            let _ = fs::remove_file(path);
            failed(source)
        })
    }

    /// Reads a key that nobody but its owner can read.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let (file, pem) = read_pem(path)?;
        private_only(path, &file)?;
        let malformed = || KeyError::NotPrivate(path.to_owned());
        if let Ok(key) = KeypairBytes::from_pkcs8_pem(&pem) {
            let key = SigningKey::try_from(key).map_err(|_| malformed())?;
            return Ok(PrivateKey::Ed25519(Box::new(key)));
        }
        let secret = sm2::SecretKey::from_pkcs8_pem(&pem).map_err(|_| malformed())?;
        PrivateKey::sm2(secret).ok_or_else(malformed)
    }

    /// The key that verifies what this one signs.
    pub fn public(&self) -> PublicKey {
        match self {
            PrivateKey::Ed25519(key) => PublicKey::Ed25519(Box::new(key.verifying_key())),
            PrivateKey::Sm2(key, _) => PublicKey::Sm2(Box::new(key.verifying_key().clone())),
        }
    }

    /// Signs bytes. `None` in a case of one in 2^255 that SM2 has.
    pub fn sign(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        match self {
            PrivateKey::Ed25519(key) => Some(key.sign(bytes).to_bytes().to_vec()),
            PrivateKey::Sm2(key, _) => {
                let signature: dsa::Signature = dsa::signature::Signer::try_sign(&**key, bytes).ok()?;
                Some(signature.to_der().as_bytes().to_vec())
            }
        }
    }
}

/// A key that verifies.
#[derive(Debug, Clone)]
pub enum PublicKey {
    /// For Ed25519.
    Ed25519(Box<VerifyingKey>),
    /// For SM2.
    Sm2(Box<dsa::VerifyingKey>),
}

impl PublicKey {
    /// Reads a public key.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let (_, pem) = read_pem(path)?;
        PublicKey::parse(&pem).ok_or_else(|| KeyError::NotPublic(path.to_owned()))
    }

    /// Reads the PEM of a public key.
    pub fn parse(pem: &str) -> Option<Self> {
        if let Ok(key) = VerifyingKey::from_public_key_pem(pem) {
            return Some(PublicKey::Ed25519(Box::new(key)));
        }
        let key = sm2::PublicKey::from_public_key_pem(pem).ok()?;
        let key = dsa::VerifyingKey::new(DISTINGUISHING_ID, key).ok()?;
        Some(PublicKey::Sm2(Box::new(key)))
    }

    /// How it verifies.
    pub fn algorithm(&self) -> Algorithm {
        match self {
            PublicKey::Ed25519(_) => Algorithm::Ed25519,
            PublicKey::Sm2(_) => Algorithm::Sm2,
        }
    }

    /// As PEM.
    pub fn pem(&self) -> Result<String, KeyError> {
        let pem = match self {
            PublicKey::Ed25519(key) => key.to_public_key_pem(LineEnding::LF),
            PublicKey::Sm2(key) => key.to_public_key_pem(LineEnding::LF),
        };
        pem.map_err(|error| KeyError::Unencodable(error.to_string()))
    }

    /// What it is called in signatures: SHA-256 of its DER form, lower-case hex.
    pub fn id(&self) -> Result<String, KeyError> {
        let der = match self {
            PublicKey::Ed25519(key) => key.to_public_key_der(),
            PublicKey::Sm2(key) => key.to_public_key_der(),
        };
        let der = der.map_err(|error| KeyError::Unencodable(error.to_string()))?;
        Ok(hex(&Sha256::digest(der.as_bytes())))
    }

    /// Whether a signature is one of this key over these bytes. `None`: it is not even one in form.
    pub fn verify(&self, bytes: &[u8], signature: &[u8]) -> Option<bool> {
        match self {
            PublicKey::Ed25519(key) => {
                let signature = ed25519_dalek::Signature::from_slice(signature).ok()?;
                Some(key.verify_strict(bytes, &signature).is_ok())
            }
            PublicKey::Sm2(key) => {
                let signature = dsa::Signature::from_der(signature).ok()?;
                Some(key.verify(bytes, &signature).is_ok())
            }
        }
    }
}

/// The public keys of files and of folders of `.pem` files.
pub fn public_keys(paths: &[PathBuf]) -> Result<Vec<PublicKey>, KeyError> {
    let mut keys = Vec::new();
    for path in paths {
        if !path.is_dir() {
            keys.push(PublicKey::read(path)?);
            continue;
        }
        let failed = |source| KeyError::File { path: path.clone(), source };
        let files: io::Result<Vec<PathBuf>> =
            fs::read_dir(path).map_err(failed)?.map(|entry| Ok(entry?.path())).collect();
        let mut files = files.map_err(failed)?;
        files.retain(|file| file.extension().is_some_and(|extension| extension == "pem"));
        files.sort();
        if files.is_empty() {
            return Err(KeyError::EmptyFolder(path.clone()));
        }
        for file in files {
            keys.push(PublicKey::read(&file)?);
        }
    }
    Ok(keys)
}

fn read_pem(path: &Path) -> Result<(File, String), KeyError> {
    let failed = |source| KeyError::File { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let mut pem = String::new();
    (&file).take(LONGEST_KEY).read_to_string(&mut pem).map_err(failed)?;
    Ok((file, pem))
}

/// Refuses a private key that others can read or change: it is no secret, or may be somebody else's.
fn private_only(path: &Path, file: &File) -> Result<(), KeyError> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let metadata = file.metadata().map_err(|source| KeyError::File { path: path.to_owned(), source })?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::Open { path: path.to_owned(), mode });
        }
    }
    #[cfg(not(unix))]
    let _ = (path, file);
    Ok(())
}
