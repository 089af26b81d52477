//! A page of a public account, or of a site that publishes like one, as it stands in the bytes.
//!
//! Every field is optional, since every field may be missing from a page; `None` means that the page does not
//! say, never that the thing is not there. The source of each field in the page is named with it.

use jiff::Timestamp;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Lang;

/// What a page turned out to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PageState {
    /// Its content is there.
    Shown,
    /// Deleted by whoever published it.
    Deleted,
    /// Taken down by the platform for breaking rules.
    Violation {
        /// The reason that the platform gives (`.weui-msg__desc .tips`).
        reason: Option<String>,
    },
    /// The account has moved to another one.
    Migrated {
        /// Address of the page at the new account (`transferTargetLink`).
        to: Option<String>,
    },
    /// The account was closed by its owner (自主注销).
    Closed,
    /// The account is about to move (迁移流程中).
    Migrating,
    /// The account is blocked by the platform (屏蔽).
    Suspended,
    /// A temporary address that holds no longer.
    Expired,
    /// Taken down after a complaint of infringement.
    Complaint,
    /// Found to be a rumour.
    Rumour,
    /// It never appeared, or cannot be seen for the time being.
    Unavailable,
    /// The address is not one of a page.
    BadParameters,
    /// A wall of verification or of frequency: whoever fetches must leave the host alone.
    Wall,
    /// A cookie challenge in JavaScript stands before the page; it is not solved.
    Challenge,
    /// Nothing that is known.
    #[default]
    Unknown,
}

impl PageState {
    /// The words for it in reports.
    pub fn words(&self, lang: Lang) -> &'static str {
        let (zh, en) = match self {
            PageState::Shown => ("正常显示", "shown"),
            PageState::Deleted => ("已被发布者删除", "deleted by its author"),
            PageState::Violation { .. } => ("因违规无法查看", "taken down for a violation"),
            PageState::Migrated { .. } => ("账号已迁移", "account migrated"),
            PageState::Closed => ("账号已自主注销", "account closed by its owner"),
            PageState::Migrating => ("账号处于迁移流程中", "account being migrated"),
            PageState::Suspended => ("账号已被屏蔽", "account blocked by the platform"),
            PageState::Expired => ("链接已过期", "link expired"),
            PageState::Complaint => ("被投诉且经审核涉嫌侵权", "taken down after a complaint"),
            PageState::Rumour => ("被认定为不实信息", "found to be a rumour"),
            PageState::Unavailable => ("暂时无法查看", "unavailable"),
            PageState::BadParameters => ("链接参数错误", "wrong parameters"),
            PageState::Wall => ("遇到验证或频率限制", "verification wall or frequency limit"),
            PageState::Challenge => ("遇到脚本验证", "JavaScript challenge"),
            PageState::Unknown => ("无法识别", "not recognised"),
        };
        lang.pick(zh, en)
    }
}

/// Where an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Platform {
    /// 微信公众平台.
    Wechat,
    /// 微博.
    Weibo,
    /// 抖音.
    Douyin,
    /// 今日头条.
    Toutiao,
    /// A site of its own.
    Website,
    /// Another one.
    Other,
}

impl Platform {
    /// The words for it in reports.
    pub fn words(self, lang: Lang) -> &'static str {
        let (zh, en) = match self {
            Platform::Wechat => ("微信公众号", "WeChat"),
            Platform::Weibo => ("微博", "Weibo"),
            Platform::Douyin => ("抖音", "Douyin"),
            Platform::Toutiao => ("今日头条", "Toutiao"),
            Platform::Website => ("网站", "website"),
            Platform::Other => ("其他平台", "another platform"),
        };
        lang.pick(zh, en)
    }
}

/// What a post mainly consists of (`item_show_type` of the WeChat platform).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PageForm {
    /// 0: 图文.
    Article,
    /// 5: 视频.
    Video,
    /// 6: 音乐.
    Music,
    /// 7: 音频.
    Audio,
    /// 8: 图片.
    Pictures,
    /// 10: 文本.
    Text,
    /// 11: 文章分享, an article of another account handed on.
    Share,
    /// 17: 短文.
    Note,
    /// A number that is not known.
    Other(u32),
}

impl PageForm {
    /// The form that a number stands for.
    pub fn from_number(number: u32) -> Self {
        match number {
            0 => PageForm::Article,
            5 => PageForm::Video,
            6 => PageForm::Music,
            7 => PageForm::Audio,
            8 => PageForm::Pictures,
            10 => PageForm::Text,
            11 => PageForm::Share,
            17 => PageForm::Note,
            other => PageForm::Other(other),
        }
    }

    /// The words for it in reports.
    pub fn words(self, lang: Lang) -> &'static str {
        let (zh, en) = match self {
            PageForm::Article => ("图文", "article"),
            PageForm::Video => ("视频", "video"),
            PageForm::Music => ("音乐", "music"),
            PageForm::Audio => ("音频", "audio"),
            PageForm::Pictures => ("图片", "pictures"),
            PageForm::Text => ("文本", "text"),
            PageForm::Share => ("分享", "shared article"),
            PageForm::Note => ("短文", "note"),
            PageForm::Other(_) => ("其他", "other"),
        };
        lang.pick(zh, en)
    }
}

/// What something on a page leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LinkKind {
    /// A link in the text (`a[href]`).
    Link,
    /// 阅读原文, what the account gives as the source (`msg_source_url`, `source_url`).
    ReadMore,
    /// A mini program (`mp-miniprogram`, `data-miniprogram-appid`); the address is `appid/path`.
    MiniProgram,
    /// The card of an account (`mp-common-profile`); the address is its `gh_…` id.
    Profile,
    /// A vote (`mpvote`, `iframe.vote_iframe`); the address is the vote's.
    Vote,
    /// Video or sound.
    Media,
    /// A picture that is marked as a QR code; the address is the picture's.
    QrCode,
    /// A form or a button that calls an address.
    Form,
}

/// Something on a page that leads elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PageLink {
    /// What it leads to.
    pub kind: LinkKind,
    /// The address as written, entities decoded.
    pub address: String,
    /// Words on it.
    pub text: Option<String>,
    /// It is in the footer.
    pub footer: bool,
}

/// A page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PageRecord {
    /// What it turned out to be.
    pub state: PageState,
    /// Title. WeChat: `title` of `cgiDataNew`, `msg_title`, `#activity-name`, `og:title`; a site: `ArticleTitle`,
    /// `<title>`; a feed: its title.
    pub title: Option<String>,
    /// WeChat: `author`; a site: `meta[name=Author]`.
    pub author: Option<String>,
    /// Time of publication. WeChat: `ori_create_time`, `ct` (seconds), or `create_time`, `createTime` (Beijing
    /// time, to the minute); a site: `PubDate` (Beijing time); a feed: when it was last updated.
    #[schemars(with = "Option<String>")]
    pub published: Option<Timestamp>,
    /// WeChat: `item_show_type`.
    pub form: Option<PageForm>,
    /// Marked as original. WeChat: `copyright_stat` of 1 or more.
    pub original: Option<bool>,
    /// IP属地 of the publication. WeChat: `province_name`, or `country_name` outside of China.
    pub region: Option<String>,
    /// Address that the page was had from.
    pub address: Option<String>,
    /// The shortest address that names the same page. WeChat: `/s/<id>`, or `/s?__biz&mid&idx&sn`; a site:
    /// `link[rel=canonical]`, `meta[name=Url]`.
    pub canonical: Option<String>,
    /// Where the content is said to come from. A site: `ContentSource`.
    pub source: Option<String>,
    /// Who published it.
    pub account: AccountRecord,
    /// What leads elsewhere, in the order of the page. Reports do not hold them.
    #[serde(skip)]
    pub links: Vec<PageLink>,
    /// Number of `entries`.
    pub posts: u64,
    /// Time of the oldest entry.
    #[schemars(with = "Option<String>")]
    pub oldest: Option<Timestamp>,
    /// Entries of a feed, a site map or an imported list, in its order. Reports hold none of them.
    #[serde(skip)]
    pub entries: Vec<Entry>,
    /// Rows of an imported list that could not be read. Reports hold gaps in their stead.
    #[serde(skip)]
    pub rejected: Vec<Rejected>,
}

/// An account, as far as a page tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountRecord {
    /// Where it is; from the kind of page.
    pub platform: Option<Platform>,
    /// Name shown. WeChat: `nick_name`, `nickname`, `#js_name`; a site: `SiteName`.
    pub name: Option<String>,
    /// Original id. WeChat: `user_name` (`gh_…`); a site: `SiteIDCode` (网站标识码).
    pub id: Option<String>,
    /// WeChat: `bizuin`, `biz`, `__biz` in an address.
    pub biz: Option<String>,
    /// WeChat: `alias` (微信号).
    pub alias: Option<String>,
    /// WeChat: `signature`, `profile_signature`, 公众号简介 of the profile page.
    pub signature: Option<String>,
    /// Owner. WeChat profile page: 认证主体, 账号主体.
    pub principal: Option<String>,
    /// What kind of owner. WeChat profile page: 认证类型, 主体类型, 账号类型 (企业, 事业单位, 其他组织, 个人).
    pub principal_kind: Option<String>,
    /// Verified by the platform. WeChat: `verify_status` (0 is no, 2 is yes); profile page: 认证主体 is yes,
    /// 账号主体 alone is no.
    pub verified: Option<bool>,
    /// IP属地 of the account. WeChat profile page: `ip_wording`.
    pub region: Option<String>,
    /// Names it had. WeChat profile page: 名称记录.
    pub renames: Vec<Rename>,
    /// WeChat profile page: 客服电话.
    pub phone: Option<String>,
    /// WeChat profile page: 授权第三方服务.
    pub third_parties: Vec<String>,
    /// The licence for internet news (持证亮牌).
    pub licence: Licence,
}

/// Whether a licence is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Licence {
    /// Saved pages do not carry it even where the application shows it: its absence says nothing.
    #[default]
    Unknown,
    /// It is on the page.
    Shown {
        /// Its number as written.
        number: String,
    },
}

/// A line of the record of names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rename {
    /// When, Beijing time.
    #[schemars(with = "Option<String>")]
    pub date: Option<Date>,
    /// What happened.
    pub kind: RenameKind,
    /// Name before.
    pub from: Option<String>,
    /// Name after.
    pub to: String,
}

/// How a name came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RenameKind {
    /// 注册.
    Registered,
    /// 改名.
    Renamed,
    /// 账号迁移改名: the account, its readers and its articles went to another owner.
    Migrated,
}

/// An entry of a feed, a site map or an imported list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Entry {
    /// Title.
    pub title: Option<String>,
    /// Address.
    pub address: Option<String>,
    /// Time of publication; of a site map, of the last change.
    #[schemars(with = "Option<String>")]
    pub published: Option<Timestamp>,
    /// Summary, or the whole text of a post.
    pub summary: Option<String>,
    /// Platform of the account.
    pub platform: Option<Platform>,
    /// Name of the account.
    pub account: Option<String>,
    /// Likes.
    pub likes: Option<u64>,
    /// Times it was handed on.
    pub forwards: Option<u64>,
    /// Comments.
    pub comments: Option<u64>,
}

/// A row that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Rejected {
    /// Line of the file, from 1; in JSON, position of the element, from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
    /// `reason` in English.
    pub reason_en: String,
}
