//! Why a key cannot be used, and why a signature does not hold.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

use super::NotCanonical;
use crate::model::Lang;

/// Why a key cannot be used.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The file cannot be read or written.
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// There is a file already where a new key was to be.
    Exists(PathBuf),
    /// Others than its owner have rights to a private key.
    Open {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// No PEM of a private Ed25519 or SM2 key.
    NotPrivate(PathBuf),
    /// No PEM of a public Ed25519 or SM2 key.
    NotPublic(PathBuf),
    /// A folder of keys without one.
    EmptyFolder(PathBuf),
    /// The system gave no random numbers.
    Random(String),
    /// The key has no form as a file.
    Unencodable(String),
}

impl KeyError {
    /// What happened, in a language.
    pub fn words(&self, lang: Lang) -> String {
        let zh = lang == Lang::Zh;
        match self {
            KeyError::File { path, source } if zh => {
                format!("{}：密钥文件读写失败（{source}）", path.display())
            }
            KeyError::File { path, source } => format!("{}: {source}", path.display()),
            KeyError::Exists(path) if zh => format!("{}：文件已存在，不覆盖", path.display()),
            KeyError::Exists(path) => format!("{}: exists already and is not overwritten", path.display()),
            KeyError::Open { path, mode } if zh => format!(
                "{}：私钥文件的权限为 {mode:04o}，他人可以读取或修改，拒绝使用；请先执行 chmod 600",
                path.display()
            ),
            KeyError::Open { path, mode } => format!(
                "{}: a private key that others can read or change (mode {mode:04o}) is not used; run chmod 600",
                path.display()
            ),
            KeyError::NotPrivate(path) if zh => {
                format!("{}：不是 Ed25519 或 SM2 私钥（PKCS#8，PEM）", path.display())
            }
            KeyError::NotPrivate(path) => {
                format!("{}: no private key of Ed25519 or SM2 (PKCS#8 as PEM)", path.display())
            }
            KeyError::NotPublic(path) if zh => {
                format!("{}：不是 Ed25519 或 SM2 公钥（SubjectPublicKeyInfo，PEM）", path.display())
            }
            KeyError::NotPublic(path) => {
                format!("{}: no public key of Ed25519 or SM2 (SubjectPublicKeyInfo as PEM)", path.display())
            }
            KeyError::EmptyFolder(path) if zh => format!("{}：文件夹中没有 .pem 公钥", path.display()),
            KeyError::EmptyFolder(path) => format!("{}: no .pem file in the folder", path.display()),
            KeyError::Random(cause) if zh => format!("无法生成密钥（{cause}）"),
            KeyError::Random(cause) => format!("no key can be made ({cause})"),
            KeyError::Unencodable(cause) if zh => format!("密钥无法编码（{cause}）"),
            KeyError::Unencodable(cause) => format!("the key cannot be encoded ({cause})"),
        }
    }
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words(Lang::En))
    }
}

/// Why a signature does not hold, or could not be judged.
#[derive(Debug, Error)]
pub enum SealError {
    /// The document has no canonical form, so that no signature can be over it.
    Document(NotCanonical),
    /// The document does not say what was signed.
    Changed,
    /// Signed by a key that is not among those given: its id.
    AnotherKey(String),
    /// The signature is not by its key over what the signature document says.
    Forged,
    /// Not in the form of a signature document: what is wrong.
    Malformed(String),
    /// A signature document of a newer version: its schema.
    Newer(String),
    /// An algorithm that is not known here.
    UnknownAlgorithm(String),
    /// A key that cannot be used.
    Key(#[from] KeyError),
}

impl SealError {
    /// Whether nothing is known of the signature, good or bad: somebody with a newer version or the right key could say.
    pub fn is_undecided(&self) -> bool {
        matches!(self, SealError::Newer(_) | SealError::UnknownAlgorithm(_) | SealError::Key(_))
    }

    /// What happened, in a language.
    pub fn words(&self, lang: Lang) -> String {
        let zh = lang == Lang::Zh;
        match self {
            SealError::Document(cause) if zh => format!("文件{}", cause.words(lang)),
            SealError::Document(cause) => format!("the document is {}", cause.words(lang)),
            SealError::Changed if zh => "文件内容与签名时不一致，已被改动".into(),
            SealError::Changed => "the document was changed after it was signed".into(),
            SealError::AnotherKey(id) if zh => format!("签名所用密钥（{id}）不在给定的公钥之中"),
            SealError::AnotherKey(id) => format!("signed by another key, {id}"),
            SealError::Forged if zh => "签名值与签名文件所载内容不符，签名文件已被改动或系伪造".into(),
            SealError::Forged => {
                "the signature is not of its key over what the signature document says".into()
            }
            SealError::Malformed(cause) if zh => format!("签名文件格式有误（{cause}）"),
            SealError::Malformed(cause) => format!("malformed signature document ({cause})"),
            SealError::Newer(schema) if zh => {
                format!("签名文件的版本（{schema}）比本程序新，无法核验，请升级后再试")
            }
            SealError::Newer(schema) => format!("a signature document of a newer version, {schema}"),
            SealError::UnknownAlgorithm(name) if zh => format!("未知的签名算法：{name}"),
            SealError::UnknownAlgorithm(name) => format!("unknown algorithm: {name}"),
            SealError::Key(error) => error.words(lang),
        }
    }
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words(Lang::En))
    }
}
