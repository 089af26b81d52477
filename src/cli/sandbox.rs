//! `zhijian sandbox`: what of the isolation of scans holds on this machine, found by trying.

use std::io::{self, Write};

use anyhow::Context;
use zhijian::model::Lang;
use zhijian::sandbox::{Attempt, Examined, Held, Landlock, examine};

use super::table;

pub(super) fn run(lang: Lang) -> anyhow::Result<u8> {
    let failed = lang.pick("无法启动隔离的检测进程", "a process of its own cannot be started");
    let (held, examined) = examine().context(failed)?;
    let mut out = io::stdout().lock();
    let open = examined.iter().filter(|examined| examined.prevented.is_none()).count();
    let whole = match open {
        0 => lang.pick("隔离：完整", "Isolation: full"),
        _ if open < examined.len() => lang.pick("隔离：部分有效", "Isolation: partial"),
        _ => lang.pick("隔离：无效", "Isolation: none"),
    };
    writeln!(out, "{whole}\n")?;
    let head = [("检测进程试图", "A scan that tries to"), ("结果", "result"), ("依据", "as the system says")];
    let mut rows = vec![head.map(|(zh, en)| lang.pick(zh, en).to_owned())];
    rows.extend(examined.iter().map(|Examined { attempt, prevented }| {
        let result = match prevented {
            Some(_) => lang.pick("已阻止", "is prevented"),
            None => lang.pick("未能阻止", "is not prevented"),
        };
        let said = prevented.as_ref().map_or("", |said| lang.pick(&said.zh, &said.en));
        [words(attempt, lang), result, said].map(str::to_owned)
    }));
    table::write(&rows, &mut out)?;
    writeln!(out, "\n{}", landlock(held.landlock, lang))?;
    for line in more(&held, lang) {
        writeln!(out, "{line}")?;
    }
    Ok(0)
}

fn words(attempt: &Attempt, lang: Lang) -> &'static str {
    let (zh, en) = match attempt {
        Attempt::Memory => ("超出内存上限", "use more memory than allowed"),
        Attempt::Processor => ("超出处理器时间上限", "compute longer than allowed"),
        Attempt::Time => ("超出时限", "take longer than allowed"),
        Attempt::Read(_) => ("读取其他文件", "read another file"),
        Attempt::Write(_) => ("写入文件", "write a file"),
        Attempt::Connect(_) => ("建立 TCP 连接", "connect by TCP"),
        Attempt::Send(_) => ("发送 UDP 数据", "send by UDP"),
        Attempt::Socket(_) => ("连接本机套接字文件", "connect to a socket file"),
        Attempt::Program(_) => ("运行程序", "run a program"),
    };
    lang.pick(zh, en)
}

fn landlock(landlock: Landlock, lang: Lang) -> String {
    match (landlock, lang) {
        (Landlock::Full(abi), Lang::Zh) => format!("Landlock：完整有效（接口版本 {abi}）"),
        (Landlock::Full(abi), Lang::En) => format!("Landlock: all of it holds (interface version {abi})"),
        (Landlock::Partial(abi), Lang::Zh) => {
            format!("Landlock：部分有效（内核接口版本 {abi}；TCP 须 4，本机套接字文件须 9，UDP 须 10）")
        }
        (Landlock::Partial(abi), Lang::En) => format!(
            "Landlock: in part (interface version {abi} of this kernel; TCP needs 4, socket files 9, UDP 10)"
        ),
        (Landlock::Off, Lang::Zh) => "Landlock：内核支持但未启用，文件和网络不受限制".to_owned(),
        (Landlock::Off, Lang::En) => {
            "Landlock: the kernel has it, and it is switched off; files and network are open".to_owned()
        }
        (Landlock::Missing, Lang::Zh) => {
            "Landlock：内核不支持（须 Linux 5.13），文件和网络不受限制".to_owned()
        }
        (Landlock::Missing, Lang::En) => {
            "Landlock: the kernel has none (Linux 5.13 is needed); files and network are open".to_owned()
        }
    }
}

fn more(held: &Held, lang: Lang) -> Vec<String> {
    let mut lines = Vec::new();
    if !held.unlimited.is_empty() {
        let names = held.unlimited.join(lang.pick("、", ", "));
        lines.push(match lang {
            Lang::Zh => format!("系统未接受的限制：{names}"),
            Lang::En => format!("Limits that the system refused: {names}"),
        });
    }
    if held.inherited > 0 {
        let count = held.inherited;
        lines.push(match lang {
            Lang::Zh => format!("启动者遗留的已打开文件 {count} 个，检测进程可以读取"),
            Lang::En => format!("Open files left by whoever started this: {count}; a scan can read them"),
        });
    }
    lines
}
