//! `zhijian outbox`: notices to other programs, and what became of them.

use std::io::{self, Write};

use anyhow::{anyhow, bail};
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use zhijian::model::{Lang, beijing_minute};
use zhijian::outbox::{self, Delivery, DeliveryState, OutboxError, Sender, Sent};
use zhijian::report::visible;

use super::database::Database;
use super::{INCOMPLETE, table};

#[derive(Debug, Args)]
pub(super) struct Outbox {
    #[command(flatten)]
    database: Database,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    List {
        #[arg(long, value_name = "STATE", value_enum, hide_possible_values = true)]
        state: Option<StateName>,
        #[arg(long, value_name = "NUMBER", default_value_t = 50, hide_default_value = true)]
        last: u32,
    },
    Send,
    Retry {
        #[arg(value_name = "ID")]
        id: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StateName {
    Waiting,
    Delivered,
    Dead,
}

impl Outbox {
    pub(super) fn run(self, lang: Lang) -> anyhow::Result<u8> {
        let open = self.database.open(lang)?;
        let failed = |error: OutboxError| anyhow!(error.words(lang));
        let pool = open.ledger.pool();
        match self.action {
            Action::List { state, last } => {
                let state = state.map(|state| match state {
                    StateName::Waiting => DeliveryState::Waiting,
                    StateName::Delivered => DeliveryState::Delivered,
                    StateName::Dead => DeliveryState::Dead,
                });
                let all = open.runtime.block_on(outbox::list(pool, state, last));
                list(&all.map_err(|error| failed(error.into()))?, lang)?;
                Ok(0)
            }
            Action::Send => {
                let Some(webhook) = open.recorder.webhook() else {
                    bail!(lang.pick("配置文件中没有 [webhook]", "the configuration has no [webhook]"))
                };
                let secret = outbox::secret(&webhook.secret).map_err(failed)?;
                let sender = Sender::new(webhook, secret).map_err(failed)?;
                let sent = open.runtime.block_on(outbox::send_due(pool, &sender, Timestamp::now));
                let Sent { delivered, waiting, dead } = sent.map_err(failed)?;
                let mut out = io::stdout().lock();
                match lang {
                    Lang::Zh => writeln!(out, "送达 {delivered} 条，待重试 {waiting} 条，放弃 {dead} 条")?,
                    Lang::En => {
                        writeln!(out, "{delivered} delivered, {waiting} to be tried again, {dead} given up")?;
                    }
                }
                Ok(if waiting + dead > 0 { INCOMPLETE } else { 0 })
            }
            Action::Retry { id } => {
                let found = open.runtime.block_on(outbox::retry(pool, &id, Timestamp::now()));
                if found.map_err(|error| failed(error.into()))? {
                    return Ok(0);
                }
                bail!(
                    "{id}: {}",
                    lang.pick("没有这条未送达的通知", "no such notice, or it has been delivered")
                )
            }
        }
    }
}

fn list(all: &[Delivery], lang: Lang) -> io::Result<()> {
    let head = [
        ("编号", "id"),
        ("时间", "time"),
        ("事项", "event"),
        ("状态", "state"),
        ("次数", "attempts"),
        ("下次", "next"),
        ("地址和答复", "address and answer"),
    ];
    let head = head.map(|(zh, en)| lang.pick(zh, en).to_owned());
    let row = |delivery: &Delivery| {
        let next = match delivery.state {
            DeliveryState::Waiting => beijing_minute(delivery.next_attempt),
            DeliveryState::Delivered | DeliveryState::Dead => String::new(),
        };
        let answer = match delivery.answer.as_str() {
            "" => String::new(),
            answer => format!(" → {answer}"),
        };
        [
            delivery.id.clone(),
            beijing_minute(delivery.created),
            delivery.event.clone(),
            lang.pick(delivery.state.zh(), delivery.state.en()).to_owned(),
            delivery.attempts.to_string(),
            next,
            visible(&format!("{}{answer}", delivery.url)).into_owned(),
        ]
    };
    let rows: Vec<_> = std::iter::once(head).chain(all.iter().map(row)).collect();
    let mut out = io::stdout().lock();
    table::write(&rows, &mut out)?;
    out.flush()
}
