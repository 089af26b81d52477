//! `zhijian notice`: the notice of rectification for a report.

use std::path::PathBuf;

use anyhow::{anyhow, bail};
use clap::Args;
use jiff::Timestamp;
use jiff::civil::Date;
use zhijian::model::{Lang, beijing_day};
use zhijian::report::{NOTICE_FORMATS, Notice as Document, NoticeData};
use zhijian::roster::FilingRecord;
use zhijian::scan::Scanner;

use super::database::day;
use super::output::write_whole;
use super::stored::report_of;
use super::{complain, load_rules};

#[derive(Debug, Args)]
pub(super) struct Notice {
    #[arg(value_name = "REPORT")]
    report: PathBuf,
    #[arg(long, value_name = "NUMBER")]
    number: String,
    #[arg(long, value_name = "DATE", value_parser = day)]
    deadline: Date,
    #[arg(long, short, value_name = "FILE")]
    output: PathBuf,
    #[arg(long, value_name = "NAME")]
    issuer: Option<String>,
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    #[arg(long, value_name = "TEXT")]
    contact: Option<String>,
    #[arg(long, value_name = "DATE", value_parser = day)]
    issued: Option<Date>,
    #[arg(long, value_name = "DATE", value_parser = day)]
    scanned: Option<Date>,
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    only: Vec<String>,
    #[arg(long, value_name = "DIR")]
    rules: Option<PathBuf>,
}

impl Notice {
    pub(super) fn run(self, lang: Lang) -> anyhow::Result<u8> {
        let ending =
            self.output.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_lowercase();
        let Some(format) = NOTICE_FORMATS.iter().find(|format| format.name == ending) else {
            let says = lang.pick("文件名应以 .docx 或 .html 结尾", "its name has to end in .docx or .html");
            bail!("{}: {says}", self.output.display());
        };
        if self.number.trim().is_empty() {
            bail!("--number: {}", lang.pick("文号不能为空", "a number is wanted"));
        }
        let scanner = Scanner::new(load_rules(self.rules.as_deref())?, FilingRecord::Unknown);
        let report = report_of(&self.report, &scanner, lang)?;
        let data = NoticeData {
            number: self.number,
            deadline: self.deadline,
            issued: self.issued.unwrap_or_else(|| beijing_day(Timestamp::now())),
            issuer: self.issuer,
            addressee: self.owner,
            contact: self.contact,
            scanned: self.scanned,
            rules: self.only,
        };
        let notice = Document::new(&report, &data, lang)
            .map_err(|error| anyhow!("{}: {}", self.report.display(), error.words(lang)))?;
        for clause in notice.unverified() {
            let words =
                lang.pick("条次未核，签发前请核对：", "article number not verified, check before signing: ");
            complain(&format!("{words}{clause}"));
        }
        write_whole(&self.output, |out| (format.write)(&notice, out))
            .map_err(|error| anyhow!("{}: {error}", self.output.display()))?;
        Ok(0)
    }
}
