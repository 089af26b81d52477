//! `zhijian key`: keys that sign documents.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use zhijian::model::Lang;
use zhijian::seal::{Algorithm, KeyError, PrivateKey, PublicKey};

#[derive(Debug, Args)]
pub(super) struct Key {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    New {
        #[arg(long, value_name = "NAME", value_enum, default_value_t = Name::Ed25519, hide_possible_values = true, hide_default_value = true)]
        algorithm: Name,
        #[arg(long, short, value_name = "FILE")]
        output: PathBuf,
    },
    Show {
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    Ed25519,
    Sm2,
}

impl Key {
    pub(super) fn run(self, lang: Lang) -> anyhow::Result<u8> {
        self.public().map_err(|error| anyhow::anyhow!(error.words(lang))).and_then(|key| {
            let mut out = io::stdout().lock();
            // What stands before a PEM is passed over by whoever reads it (RFC 7468, 2).
            let algorithm = key.algorithm().name();
            writeln!(out, "{}{algorithm}", lang.pick("算法：", "Algorithm: "))?;
            writeln!(out, "{}{}", lang.pick("密钥编号：", "Key id: "), key.id()?)?;
            out.write_all(key.pem()?.as_bytes())?;
            Ok(0)
        })
    }

    fn public(&self) -> Result<PublicKey, KeyError> {
        match &self.action {
            Action::New { algorithm, output } => {
                let algorithm = match algorithm {
                    Name::Ed25519 => Algorithm::Ed25519,
                    Name::Sm2 => Algorithm::Sm2,
                };
                let key = PrivateKey::generate(algorithm)?;
                key.write_new(output)?;
                Ok(key.public())
            }
            Action::Show { file } => match PublicKey::read(file) {
                Err(KeyError::NotPublic(_)) => Ok(PrivateKey::read(file)?.public()),
                read => read,
            },
        }
    }
}
