//! `zhijian sign` and `zhijian verify`: signatures beside documents.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use clap::Args;
use jiff::Timestamp;
use zhijian::model::{Lang, beijing_minute};
use zhijian::seal::{self, PrivateKey};

use super::fetcher::configuration;
use super::output::write_whole;
use super::{FAILED, FOUND, complain};

#[derive(Debug, Args)]
pub(super) struct Sign {
    #[arg(value_name = "DOCUMENT")]
    document: PathBuf,
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Verify {
    #[arg(value_name = "DOCUMENT")]
    document: PathBuf,
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
    #[arg(long, required = true, value_name = "FILE")]
    key: Vec<PathBuf>,
}

impl Sign {
    pub(super) fn run(self, lang: Lang) -> anyhow::Result<u8> {
        let key = match self.key {
            Some(key) => key,
            None => configuration(self.config.as_deref())?.seal.key.ok_or_else(|| {
                anyhow!(lang.pick(
                    "未指定私钥：用 --key 给出，或在配置文件中写 [seal] key",
                    "no private key: give one by --key, or as [seal] key in the configuration"
                ))
            })?,
        };
        let key = PrivateKey::read(&key).map_err(|error| anyhow!(error.words(lang)))?;
        let document = read(&self.document, lang)?;
        let now = Timestamp::now();
        let now = Timestamp::from_second(now.as_second()).unwrap_or(now);
        let signature = seal::sign(&document, &key, now)
            .map_err(|error| anyhow!("{}: {}", self.document.display(), error.words(lang)))?;
        let path = self.output.unwrap_or_else(|| beside(&self.document));
        if same(&path, &self.document) {
            bail!("{}: {}", path.display(), lang.pick("签名不能写入被签名的文件", "is the document itself"));
        }
        write_whole(&path, |out| zhijian::report::write_json(&signature, out))
            .with_context(|| path.display().to_string())?;
        Ok(0)
    }
}

impl Verify {
    pub(super) fn run(self, lang: Lang) -> anyhow::Result<u8> {
        let keys = seal::public_keys(&self.key).map_err(|error| anyhow!(error.words(lang)))?;
        let document = read(&self.document, lang)?;
        let signature = read(&self.signature.unwrap_or_else(|| beside(&self.document)), lang)?;
        match seal::verify(&document, &signature, &keys) {
            Ok(statement) => {
                let (at, key) = (beijing_minute(statement.signed_at), &statement.key);
                let algorithm = statement.algorithm.name();
                let mut out = io::stdout().lock();
                match lang {
                    Lang::Zh => {
                        writeln!(out, "签名有效：{algorithm}，密钥 {key}，签名时间 {at}（北京时间）")?
                    }
                    Lang::En => writeln!(out, "valid: {algorithm}, key {key}, signed {at} (Beijing)")?,
                }
                Ok(0)
            }
            Err(error) => {
                let decided = match error.is_undecided() {
                    true => lang.pick("无法核验", "cannot be verified"),
                    false => lang.pick("签名无效", "not valid"),
                };
                let (between, words) = (lang.pick("：", ": "), error.words(lang));
                complain(&format!("{}: {decided}{between}{words}", self.document.display()));
                Ok(if error.is_undecided() { FAILED } else { FOUND })
            }
        }
    }
}

/// The signature of `report.json` is in `report.json.sig`.
fn beside(document: &Path) -> PathBuf {
    let mut name = OsString::from(document);
    name.push(".sig");
    name.into()
}

fn same(a: &Path, b: &Path) -> bool {
    a == b || std::fs::canonicalize(a).is_ok_and(|a| std::fs::canonicalize(b).is_ok_and(|b| a == b))
}

fn read(path: &Path, lang: Lang) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(|| path.display().to_string())?;
    file.take(seal::LONGEST + 1).read_to_end(&mut bytes).with_context(|| path.display().to_string())?;
    if bytes.len() as u64 > seal::LONGEST {
        bail!("{}: {}", path.display(), lang.pick("文件过大", "too large"));
    }
    Ok(bytes)
}
