//! `zhijian journal`: every request that was made, and every one that was not.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde_json::Value;
use url::Url;
use zhijian::model::Lang;

use super::fetcher::{configuration, open_store};
use super::table;

#[derive(Debug, Args)]
pub(super) struct Journal {
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    #[arg(long, value_name = "NUMBER", default_value_t = 50, hide_default_value = true)]
    last: usize,
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Journal {
    pub(super) fn run(self, lang: Lang) -> anyhow::Result<u8> {
        let path = open_store(&configuration(self.config.as_deref())?)?.journal();
        let head =
            [("时间", "time"), ("决定", "decision"), ("状态", "status"), ("毫秒", "ms"), ("地址", "address")];
        let head = head.map(|(zh, en)| lang.pick(zh, en).to_owned());
        let mut rows = std::collections::VecDeque::new();
        let lines = match File::open(&path) {
            Ok(file) => Some(BufReader::new(file).lines()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).with_context(|| path.display().to_string()),
        };
        for line in lines.into_iter().flatten() {
            // A line that a killed process left half written tells nothing.
            let Ok(line) = serde_json::from_str::<Value>(&line?) else { continue };
            let Some(row) = row(&line, self.host.as_deref(), lang) else { continue };
            rows.push_back(row);
            if rows.len() > self.last {
                rows.pop_front();
            }
        }
        let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
        let mut out = io::stdout().lock();
        table::write(&rows, &mut out)?;
        out.flush()?;
        Ok(0)
    }
}

fn row(line: &Value, host: Option<&str>, lang: Lang) -> Option<[String; 5]> {
    let text = |key: &str| line.get(key).and_then(Value::as_str).unwrap_or_default();
    let number = |key: &str| line.get(key).and_then(Value::as_u64).map_or(String::new(), |n| n.to_string());
    if let Some(host) = host {
        Url::parse(text("url")).ok().filter(|url| url.host_str() == Some(host))?;
    }
    let decision = match text("decision") {
        "sent" if line.get("error").is_some() => lang.pick("失败", "failed"),
        "sent" => lang.pick("已请求", "sent"),
        "refused" => lang.pick("已拒绝", "refused"),
        "robots" => lang.pick("robots 禁止", "robots"),
        "stopped" => lang.pick("已停止", "stopped"),
        _ => "",
    };
    let mut address = text("url").to_owned();
    for more in ["location", "error"] {
        let more = text(more);
        if !more.is_empty() {
            address.push_str(" → ");
            address.push_str(more);
        }
    }
    let time = text("time").get(..19).unwrap_or_default().replace('T', " ");
    let address = zhijian::report::visible(&address).into_owned();
    Some([time, decision.to_owned(), number("status"), number("milliseconds"), address])
}
