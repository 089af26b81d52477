//! `zhijian doctor`: what is there of the programs of others that some functions use, and what is missing without.

use std::io::{self, Write};
use std::process::{Command, Stdio};

use clap::Args;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;
use zhijian::export::Painter;
use zhijian::model::Lang;
use zhijian::sandbox::examine;

use super::database::Database;
use super::fetcher::open_store;
use super::table;

#[derive(Debug, Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    database: Database,
    /// For programs.
    #[arg(long)]
    json: bool,
}

/// A program that some function uses.
struct Program {
    name: &'static str,
    /// Names under which it may be installed, with arguments by which it says its version.
    calls: &'static [&'static [&'static str]],
    /// What it does for us.
    does: (&'static str, &'static str),
    /// What is missing without.
    without: (&'static str, &'static str),
    /// Its package on Debian.
    package: &'static str,
}

const PROGRAMS: &[Program] = &[
    Program {
        name: "tesseract",
        calls: &[&["tesseract", "--version"]],
        does: ("识读图片文字（scan --ocr）", "text in pictures (scan --ocr)"),
        without: (
            "图片文字不识读，报告的检视范围注明",
            "text in pictures is not read, and the coverage of reports says so",
        ),
        package: "tesseract-ocr tesseract-ocr-chi-sim",
    },
    Program {
        name: "apksigner",
        calls: &[&["apksigner", "--version"]],
        does: (
            "校验安装包签名（scan --verify-signature）",
            "whether a signature holds (scan --verify-signature)",
        ),
        without: ("只读取证书，不校验签名", "certificates are read, signatures are not checked"),
        package: "apksigner",
    },
    Program {
        name: "chromium",
        calls: &[
            &["chromium", "--version"],
            &["chromium-browser", "--version"],
            &["google-chrome", "--version"],
        ],
        does: ("将 HTML 报告打印为 PDF", "HTML reports printed to PDF"),
        without: ("用任意浏览器手工打印", "any browser prints them by hand"),
        package: "chromium fonts-noto-cjk",
    },
    Program {
        name: "psql",
        calls: &[&["psql", "--version"]],
        does: (
            "PostgreSQL 台账（--database postgres://…），多台机器共用",
            "a ledger on PostgreSQL (--database postgres://…) for several machines",
        ),
        without: (
            "台账使用 SQLite，限一台机器；数据库在其他机器上则无须安装",
            "the ledger is SQLite, on one machine; nothing is needed here for a database elsewhere",
        ),
        package: "postgresql",
    },
];

/// What was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    name: &'static str,
    /// Whether it is there and works.
    ok: bool,
    /// What it says of itself, or what is the matter.
    detail: String,
    does: String,
    without: String,
    package: &'static str,
}

impl Doctor {
    pub(super) fn run(self, lang: Lang) -> anyhow::Result<u8> {
        let mut findings: Vec<Finding> = PROGRAMS.iter().map(|program| program.find(lang)).collect();
        findings.push(fonts(lang));
        findings.push(isolation(lang));
        findings.push(self.store(lang)?);
        let mut out = io::stdout().lock();
        if self.json {
            serde_json::to_writer_pretty(&mut out, &findings)?;
            writeln!(out)?;
            return Ok(0);
        }
        writeln!(out, "zhijian {}\n", env!("CARGO_PKG_VERSION"))?;
        let missing = findings.iter().filter(|finding| !finding.ok).count();
        for finding in &findings {
            let mark = if finding.ok { lang.pick("有", "yes") } else { lang.pick("缺", "no") };
            let label = format!("{mark}{:1$}{2:<12}", "", 4 - mark.width(), finding.name);
            table::hanging(&label, &finding.detail, &mut out)?;
            table::hanging(&" ".repeat(16), &finding.does, &mut out)?;
            if !finding.ok {
                table::hanging(&" ".repeat(16), &finding.without, &mut out)?;
                if !finding.package.is_empty() {
                    let how = format!("apt-get install {}", finding.package);
                    table::hanging(&" ".repeat(16), &how, &mut out)?;
                }
            }
        }
        let all = match (missing, lang) {
            (0, Lang::Zh) => "可选程序齐全。".to_owned(),
            (0, Lang::En) => "Everything optional is there.".to_owned(),
            (_, Lang::Zh) => format!("缺 {missing} 项，均为可选；检测安装包和页面无须其他程序。"),
            (_, Lang::En) => {
                format!(
                    "{missing} missing, all optional: scanning packages and pages needs no other program."
                )
            }
        };
        writeln!(out)?;
        table::hanging("", &all, &mut out)?;
        Ok(0)
    }

    /// Where reports and packages are kept.
    fn store(&self, lang: Lang) -> anyhow::Result<Finding> {
        let config = self.database.config()?;
        let store = open_store(&config)?;
        let room = store.incoming().and_then(|mut incoming| incoming.write(b"zhijian"));
        let detail = match &room {
            Ok(()) => store.root().display().to_string(),
            Err(error) => format!("{}：{error}", store.root().display()),
        };
        Ok(Finding {
            name: "store",
            ok: room.is_ok(),
            detail,
            does: lang
                .pick("保存下载的安装包、页面和默认台账", "packages, pages and the default ledger")
                .to_owned(),
            without: lang
                .pick(
                    "fetch、run、serve 无法使用；检测本地文件不受影响",
                    "no fetch, run and serve; local files are scanned",
                )
                .to_owned(),
            package: "",
        })
    }
}

impl Program {
    fn find(&self, lang: Lang) -> Finding {
        let (zh, en) = self.does;
        let does = lang.pick(zh, en).to_owned();
        let (zh, en) = self.without;
        let found = self.calls.iter().find_map(|call| version(call));
        let mut finding = Finding {
            name: self.name,
            ok: found.is_some(),
            detail: found.unwrap_or_else(|| lang.pick("未安装", "is not installed").to_owned()),
            does,
            without: lang.pick(zh, en).to_owned(),
            package: self.package,
        };
        if finding.ok && self.name == "tesseract" {
            let languages = said(&["tesseract", "--list-langs"]).unwrap_or_default();
            if !languages.lines().any(|line| line.trim() == "chi_sim") {
                finding.ok = false;
                finding.detail.push_str(lang.pick("，没有中文数据 chi_sim", ", without its data chi_sim"));
            }
        }
        finding
    }
}

/// What a program prints.
fn said(call: &[&str]) -> Option<String> {
    let (name, arguments) = call.split_first()?;
    let output = Command::new(name).args(arguments).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn version(call: &[&str]) -> Option<String> {
    let said = said(call)?;
    let first = said.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let name = call.first().copied().unwrap_or_default();
    Some(if first.to_lowercase().contains(name) { first.to_owned() } else { format!("{name} {first}") })
}

fn fonts(lang: Lang) -> Finding {
    let font = Painter::new().chinese().map(str::to_owned);
    Finding {
        name: "fonts",
        ok: font.is_some(),
        detail: font.unwrap_or_else(|| lang.pick("没有中文字体", "no Chinese font").to_owned()),
        does: lang
            .pick("赋码图片（code picture）和 PDF 的汉字", "Chinese in pictures of codes and in PDF")
            .to_owned(),
        without: lang.pick("图片和 PDF 中的汉字显示为方框", "they show boxes").to_owned(),
        package: "fonts-noto-cjk",
    }
}

fn isolation(lang: Lang) -> Finding {
    let (ok, detail) = match examine() {
        Ok((_, examined)) => {
            let open = examined.iter().filter(|examined| examined.prevented.is_none()).count();
            let words = match (open, lang) {
                (0, Lang::Zh) => "完整".to_owned(),
                (0, Lang::En) => "full".to_owned(),
                (_, Lang::Zh) => format!("{open} 项未能阻止，详见 zhijian sandbox"),
                (_, Lang::En) => format!("{open} things are not prevented, see zhijian sandbox"),
            };
            (open == 0, words)
        }
        Err(error) => (false, error.to_string()),
    };
    Finding {
        name: "isolation",
        ok,
        detail,
        does: lang
            .pick(
                "在受限进程中检测安装包（run、serve）",
                "scans in a process that may do little (run, serve)",
            )
            .to_owned(),
        without: lang
            .pick("须 Linux 6.7 以上，启用 Landlock", "needs Linux 6.7 or later with Landlock")
            .to_owned(),
        package: "",
    }
}
