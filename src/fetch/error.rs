//! What can go wrong when something is fetched, and what it means for trying again.

use std::fmt;
use std::time::Duration;

use thiserror::Error;
use url::Url;

use super::guard::Refusal;
use crate::model::Lang;

/// Why something was not fetched.
#[derive(Debug, Error)]
pub enum FetchError {
    /// The address is not one.
    Address {
        /// As given.
        text: String,
        /// What is wrong with it.
        cause: String,
    },
    /// The guard does not let it pass.
    Refused {
        /// The address, after redirects.
        url: Box<Url>,
        /// Why.
        refusal: Refusal,
    },
    /// The operator of the host bars crawlers, and nobody has said that the owners of the accounts allow it.
    Barred(Box<Url>),
    /// The site's `robots.txt` forbids it.
    Robots(Box<Url>),
    /// `robots.txt` could not be had, which forbids everything (RFC 9309, 2.3.1.4).
    RobotsUnreachable {
        /// The site.
        host: String,
        /// What happened.
        cause: String,
    },
    /// The host is left alone, since it asked for it or failed again and again.
    Stopped {
        /// The host.
        host: String,
        /// Why.
        cause: String,
    },
    /// The server asks for a longer wait than the configuration allows.
    Wait {
        /// The host.
        host: String,
        /// How long.
        wait: Duration,
    },
    /// An answer that is no success.
    Status {
        /// The address, after redirects.
        url: Box<Url>,
        /// Status code.
        status: u16,
    },
    /// Redirects in a circle, or too many.
    Redirects {
        /// Where it began.
        url: Box<Url>,
        /// What is wrong with them.
        cause: String,
    },
    /// More bytes than the configuration allows.
    TooLarge {
        /// The address.
        url: Box<Url>,
        /// The limit in bytes.
        most: u64,
    },
    /// The content does not come in a form that can be read.
    Content {
        /// The address.
        url: Box<Url>,
        /// What is wrong with it.
        cause: String,
    },
    /// No connection, or it broke or fell silent.
    Network {
        /// The address.
        url: Box<Url>,
        /// What happened.
        cause: String,
    },
    /// The store could not be read or written.
    Store(#[from] std::io::Error),
}

impl FetchError {
    /// Whether the same request may succeed a little later.
    pub fn is_transient(&self) -> bool {
        match self {
            FetchError::Network { .. } => true,
            FetchError::Status { status, .. } => matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504),
            _ => false,
        }
    }

    /// What happened, in a language.
    pub fn words(&self, lang: Lang) -> String {
        let zh = lang == Lang::Zh;
        match self {
            FetchError::Address { text, cause } if zh => format!("{text}：不是网址（{cause}）"),
            FetchError::Address { text, cause } => format!("{text}: no web address ({cause})"),
            FetchError::Refused { url, refusal } if zh => format!("{url}：拒绝访问该地址（{refusal}）"),
            FetchError::Refused { url, refusal } => format!("{url}: refused ({refusal})"),
            FetchError::Barred(url) if zh => format!(
                "{url}：该平台禁止自动抓取，默认不访问；账号主体书面同意的，列入名录，用 run --weixin 写明依据"
            ),
            FetchError::Barred(url) => format!(
                "{url}: its operator bars crawlers; where the owners of the accounts allow it in writing, put them on a roster and name the document by run --weixin"
            ),
            FetchError::Robots(url) if zh => format!("{url}：该网站的 robots.txt 不允许抓取"),
            FetchError::Robots(url) => format!("{url}: the site's robots.txt forbids it"),
            FetchError::RobotsUnreachable { host, cause } if zh => {
                format!("{host}：取不到 robots.txt，按不允许处理（{cause}）")
            }
            FetchError::RobotsUnreachable { host, cause } => {
                format!("{host}: robots.txt cannot be had, which forbids everything ({cause})")
            }
            FetchError::Stopped { host, cause } if zh => format!("{host}：已停止访问该主机（{cause}）"),
            FetchError::Stopped { host, cause } => format!("{host}: the host is left alone ({cause})"),
            FetchError::Wait { host, wait } if zh => {
                format!("{host}：服务器要求 {} 秒后再来", wait.as_secs())
            }
            FetchError::Wait { host, wait } => {
                format!("{host}: the server asks to come back in {} s", wait.as_secs())
            }
            FetchError::Status { url, status } if zh => format!("{url}：服务器答复 {status}"),
            FetchError::Status { url, status } => format!("{url}: the server answered {status}"),
            FetchError::Redirects { url, cause } if zh => format!("{url}：跳转异常（{cause}）"),
            FetchError::Redirects { url, cause } => format!("{url}: redirects cannot be followed ({cause})"),
            FetchError::TooLarge { url, most } if zh => format!("{url}：超过大小上限 {most} 字节"),
            FetchError::TooLarge { url, most } => format!("{url}: larger than the limit of {most} bytes"),
            FetchError::Content { url, cause } if zh => format!("{url}：内容无法读取（{cause}）"),
            FetchError::Content { url, cause } => format!("{url}: the content cannot be read ({cause})"),
            FetchError::Network { url, cause } if zh => format!("{url}：连接失败（{cause}）"),
            FetchError::Network { url, cause } => format!("{url}: no connection ({cause})"),
            FetchError::Store(error) if zh => format!("存储目录读写失败：{error}"),
            FetchError::Store(error) => format!("the store cannot be read or written: {error}"),
        }
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words(Lang::En))
    }
}
