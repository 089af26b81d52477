//! Why a target has no report, in both languages.

use serde::{Deserialize, Serialize};

use crate::fetch::FetchError;
use crate::fetch::source::SourceError;
use crate::fetch::weixin::WeixinError;
use crate::model::{Lang, PageState, Rejected, TargetKind};
use crate::scan::ScanError;

/// Kinds of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The row of the roster could not be read.
    BadRow,
    /// The roster gives no address.
    NoAddress,
    /// The file or folder is not there.
    NoFile,
    /// At `mp.weixin.qq.com`, and no authority was named.
    Weixin,
    /// At a platform that lets nobody read without an account.
    Platform,
    /// A group: only exports are read.
    Group,
    /// The address may not be asked (private network, no web address).
    Refused,
    /// `robots.txt` forbids it.
    Robots,
    /// `robots.txt` could not be had, which forbids everything: the site is down, or gone.
    NoRobots,
    /// The page is a wall that asks for a human being.
    Wall,
    /// The host is left alone for the rest of the run.
    Stopped,
    /// The server answered that there is nothing, or that it cannot.
    Status,
    /// No connection, or it broke.
    Network,
    /// What came could not be taken: too large, redirects without end, a broken encoding.
    Content,
    /// The app store does not list it, gives no package, or its page has changed.
    AppStore,
    /// The interface of WeChat for owners of accounts gave nothing.
    Interface,
    /// The own disk.
    Disk,
    /// What is there cannot be scanned.
    Unscannable,
    /// A mistake in this program.
    Internal,
}

impl Cause {
    /// The words for it.
    pub fn words(self, lang: Lang) -> &'static str {
        let (zh, en) = match self {
            Cause::BadRow => ("名录中该行有误", "the row of the roster is wrong"),
            Cause::NoAddress => ("名录未给出地址", "the roster gives no address"),
            Cause::NoFile => ("文件不存在", "no such file"),
            Cause::Weixin => (
                "微信公众平台禁止自动抓取，须以 --weixin 写明账号主体同意的依据",
                "WeChat bars crawlers; needs --weixin with the owners' consent",
            ),
            Cause::Platform => (
                "平台不提供免登录读取，请导出发布列表（CSV、JSON）后填写其路径",
                "the platform needs a login; export the posts and give the file",
            ),
            Cause::Group => (
                "工作群组只检测依法导出的记录，请填写文件路径",
                "groups are read from exports only; give the file",
            ),
            Cause::Refused => ("地址不允许访问", "the address may not be asked"),
            Cause::Robots => ("robots.txt 不允许", "robots.txt forbids it"),
            Cause::NoRobots => {
                ("取不到 robots.txt，按不允许处理", "robots.txt cannot be had, which forbids everything")
            }
            Cause::Wall => ("遇到验证或频率限制", "a verification wall"),
            Cause::Stopped => ("已停止访问该主机", "the host is left alone"),
            Cause::Status => ("服务器答复错误", "the server answered with an error"),
            Cause::Network => ("连接失败", "no connection"),
            Cause::Content => ("内容无法取用", "the content cannot be taken"),
            Cause::AppStore => ("应用市场没有或未公开安装包", "the app store gives no package"),
            Cause::Interface => ("未能由微信接口取得", "the WeChat interface gave nothing"),
            Cause::Disk => ("本机读写失败", "the disk cannot be read or written"),
            Cause::Unscannable => ("内容无法检测", "the content cannot be scanned"),
            Cause::Internal => ("程序内部错误", "a mistake in this program"),
        };
        lang.pick(zh, en)
    }
}

/// A reason: its kind, and what happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Kind.
    pub cause: Cause,
    /// What happened, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

impl Reason {
    /// A reason that needs no more words than its kind.
    pub fn of(cause: Cause) -> Self {
        let words = |lang| cause.words(lang).to_owned();
        Reason { cause, zh: words(Lang::Zh), en: words(Lang::En) }
    }

    /// A reason that concerns something: a path, a host.
    pub fn about(cause: Cause, what: &str) -> Self {
        let Reason { zh, en, .. } = Reason::of(cause);
        Reason { cause, zh: format!("{what}：{zh}"), en: format!("{what}: {en}") }
    }

    /// In a language.
    pub fn words(&self, lang: Lang) -> &str {
        lang.pick(&self.zh, &self.en)
    }

    /// The content is something else than the roster says.
    pub(super) fn other_kind(said: TargetKind, found: TargetKind) -> Self {
        let zh = format!("名录中为{}，得到的是{}", said.zh(), found.zh());
        let en = format!("the roster says {}, what came is a {}", said.en(), found.en());
        Reason { cause: Cause::Unscannable, zh, en }
    }

    /// The page is of another account than the roster says.
    pub(super) fn other_account(said: &str, found: &str) -> Self {
        let zh = format!("名录中为“{said}”，页面属于账号“{found}”，不能算在前者名下");
        let en = format!(
            "the roster says {said:?}, the page is of the account {found:?} and is not held against the former"
        );
        Reason { cause: Cause::Unscannable, zh, en }
    }

    /// A page that stands before the one that was asked for.
    pub(super) fn wall(state: &PageState) -> Self {
        let words = |lang| state.words(lang).to_owned();
        Reason { cause: Cause::Wall, zh: words(Lang::Zh), en: words(Lang::En) }
    }
}

impl From<&Rejected> for Reason {
    fn from(row: &Rejected) -> Self {
        Reason { cause: Cause::BadRow, zh: row.reason.clone(), en: row.reason_en.clone() }
    }
}

impl From<&FetchError> for Reason {
    fn from(error: &FetchError) -> Self {
        let cause = match error {
            FetchError::Address { .. } | FetchError::Refused { .. } => Cause::Refused,
            FetchError::Barred(_) => Cause::Weixin,
            FetchError::Robots(_) => Cause::Robots,
            FetchError::RobotsUnreachable { .. } => Cause::NoRobots,
            FetchError::Stopped { .. } | FetchError::Wait { .. } => Cause::Stopped,
            FetchError::Status { .. } => Cause::Status,
            FetchError::Network { .. } => Cause::Network,
            FetchError::Redirects { .. } | FetchError::TooLarge { .. } | FetchError::Content { .. } => {
                Cause::Content
            }
            FetchError::Store(_) => Cause::Disk,
        };
        Reason { cause, zh: error.words(Lang::Zh), en: error.words(Lang::En) }
    }
}

impl From<&SourceError> for Reason {
    fn from(error: &SourceError) -> Self {
        match error {
            SourceError::Fetch(error) => Reason::from(error),
            other => Reason { cause: Cause::AppStore, zh: other.words(Lang::Zh), en: other.words(Lang::En) },
        }
    }
}

impl From<&WeixinError> for Reason {
    fn from(error: &WeixinError) -> Self {
        match error {
            WeixinError::Fetch(error) => Reason::from(error),
            other => Reason { cause: Cause::Interface, zh: other.words(Lang::Zh), en: other.words(Lang::En) },
        }
    }
}

impl From<&ScanError> for Reason {
    fn from(error: &ScanError) -> Self {
        let cause = match error {
            ScanError::Unreadable { .. } | ScanError::FolderNotWhole { .. } => Cause::Disk,
            ScanError::Isolation { .. } | ScanError::Cancelled(_) => Cause::Internal,
            ScanError::NothingInFolder(_) | ScanError::NotAPackage { .. } | ScanError::Several { .. } => {
                Cause::Unscannable
            }
        };
        Reason { cause, zh: error.words(Lang::Zh), en: error.words(Lang::En) }
    }
}

impl From<std::io::Error> for Reason {
    fn from(error: std::io::Error) -> Self {
        Reason::about(Cause::Disk, &error.to_string())
    }
}
