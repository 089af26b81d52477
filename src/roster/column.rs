//! The columns of a roster: what they are called, and the words that stand in them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{Audience, Lang, OfficeLevel, RosterStatus, TargetKind, Wording};
use crate::text::fold;

/// A column of a roster.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Column {
    /// 类型.
    Kind,
    /// 标识.
    Id,
    /// 名称.
    Name,
    /// 主办单位.
    Owner,
    /// 层级.
    Level,
    /// 地区; may be several columns, the larger region first.
    Region,
    /// 服务对象.
    Audience,
    /// 面向基层.
    Grassroots,
    /// 平台.
    Platform,
    /// 政务应用程序备案编号.
    Filing,
    /// ICP备案号.
    Icp,
    /// 许可证编号.
    Licence,
    /// 发布类.
    Publishes,
    /// 地址; may be several columns.
    Address,
    /// 联系人; may be several columns.
    Contact,
    /// 状态.
    Status,
}

impl Column {
    /// Every column.
    pub const ALL: [Column; 16] = [
        Column::Kind,
        Column::Id,
        Column::Name,
        Column::Owner,
        Column::Level,
        Column::Region,
        Column::Audience,
        Column::Grassroots,
        Column::Platform,
        Column::Filing,
        Column::Icp,
        Column::Licence,
        Column::Publishes,
        Column::Address,
        Column::Contact,
        Column::Status,
    ];

    /// What it is called.
    pub fn title(self, lang: Lang) -> &'static str {
        let (zh, en) = match self {
            Column::Kind => ("类型", "kind"),
            Column::Id => ("标识", "id"),
            Column::Name => ("名称", "name"),
            Column::Owner => ("主办单位", "owner"),
            Column::Level => ("层级", "level"),
            Column::Region => ("地区", "region"),
            Column::Audience => ("服务对象", "audience"),
            Column::Grassroots => ("面向基层", "grassroots"),
            Column::Platform => ("平台", "platform"),
            Column::Filing => ("备案编号", "filing"),
            Column::Icp => ("ICP备案号", "icp"),
            Column::Licence => ("许可证编号", "licence"),
            Column::Publishes => ("发布类", "publishes"),
            Column::Address => ("地址", "address"),
            Column::Contact => ("联系方式", "contact"),
            Column::Status => ("状态", "status"),
        };
        lang.pick(zh, en)
    }

    /// Whether several columns may be read into it.
    pub(super) fn may_repeat(self) -> bool {
        matches!(self, Column::Address | Column::Contact | Column::Region)
    }
}

/// Words by which a column is known, as [`plain`] makes them.
const HEADINGS: &[(Column, &[&str])] = &[
    (Column::Kind, &["类型", "对象类型", "类别", "应用类型", "kind", "type"]),
    (
        Column::Id,
        &[
            "标识",
            "id",
            "包名",
            "应用包名",
            "appid",
            "应用标识",
            "账号id",
            "微信号",
            "账号标识",
            "原始id",
            "package",
            "packagename",
            "bundleid",
        ],
    ),
    (
        Column::Name,
        &[
            "名称",
            "应用名称",
            "账号名称",
            "公众号名称",
            "小程序名称",
            "群名称",
            "群组名称",
            "app名称",
            "应用程序名称",
            "name",
        ],
    ),
    (
        Column::Owner,
        &[
            "主办单位",
            "主办单位名称",
            "主管单位",
            "单位名称",
            "单位",
            "责任单位",
            "开办单位",
            "主办使用单位",
            "账号主体",
            "owner",
            "sponsor",
        ],
    ),
    (Column::Level, &["层级", "级别", "单位层级", "单位级别", "行政层级", "行政级别", "level"]),
    (
        Column::Region,
        &[
            "地区",
            "区域",
            "所属地区",
            "所在地区",
            "行政区划",
            "属地",
            "省",
            "省份",
            "市",
            "地市",
            "市州",
            "县",
            "区县",
            "县区",
            "县市区",
            "region",
            "province",
            "city",
            "county",
        ],
    ),
    (
        Column::Audience,
        &["服务对象", "受众", "使用对象", "用户对象", "面向对象", "面向群体", "audience", "users"],
    ),
    (Column::Grassroots, &["面向基层", "是否面向基层", "是否面向基层使用", "grassroots", "facesgrassroots"]),
    (Column::Platform, &["平台", "所在平台", "所属平台", "平台名称", "platform"]),
    (
        Column::Filing,
        &[
            "备案编号",
            "政务应用程序备案编号",
            "政务应用备案编号",
            "网信备案编号",
            "政务移动互联网应用程序备案编号",
            "filing",
            "filingnumber",
            "cacnumber",
        ],
    ),
    (
        Column::Icp,
        &[
            "icp备案号",
            "icp备案编号",
            "icp备案",
            "icp号",
            "工信部备案号",
            "网站备案号",
            "icp",
            "icpnumber",
            "icpfiling",
        ],
    ),
    (
        Column::Licence,
        &[
            "许可证编号",
            "许可证号",
            "互联网新闻信息服务许可证编号",
            "互联网新闻信息服务许可证",
            "licence",
            "license",
            "licencenumber",
        ],
    ),
    (Column::Publishes, &["发布类", "是否发布类", "账号类别", "publishes"]),
    (
        Column::Address,
        &[
            "地址",
            "网址",
            "链接",
            "下载地址",
            "下载链接",
            "访问地址",
            "应用地址",
            "主页",
            "address",
            "addresses",
            "url",
            "urls",
            "link",
        ],
    ),
    (
        Column::Contact,
        &[
            "联系人",
            "联系方式",
            "联系电话",
            "电话",
            "负责人",
            "联络人",
            "手机",
            "contact",
            "phone",
            "telephone",
        ],
    ),
    (Column::Status, &["状态", "运行状态", "使用状态", "应用状态", "账号状态", "status"]),
];

/// How a roster is laid out: `[roster]` of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Layout {
    /// The sheet of a workbook; without it the first that has a heading line.
    pub sheet: Option<String>,
    /// Headings that are not known by themselves: `"单位全称" = "owner"`.
    pub columns: BTreeMap<String, Column>,
}

impl Layout {
    /// The column of a heading: as configured, or as usual.
    pub(super) fn column(&self, heading: &str) -> Option<Column> {
        let heading = plain(heading);
        let configured =
            self.columns.iter().find(|(name, _)| plain(name) == heading).map(|(_, column)| *column);
        let usual = || HEADINGS.iter().find(|(_, names)| names.contains(&heading.as_str()));
        configured.or_else(|| usual().map(|(column, _)| *column))
    }
}

/// A word without what does not matter to its meaning: width, case, spaces, marks, remarks in brackets.
/// `filingnumber` of `* Filing number（required）`.
pub(super) fn plain(word: &str) -> String {
    let folded = fold(word);
    let (mut depth, mut plain) = (0u32, String::new());
    for ch in folded.chars() {
        match ch {
            '(' | '[' | '【' | '〔' => depth += 1,
            ')' | ']' | '】' | '〕' => depth = depth.saturating_sub(1),
            _ if depth == 0 && ch.is_alphanumeric() => plain.push(ch),
            _ => {}
        }
    }
    plain
}

/// A value, its words in Chinese and English, and others that mean it, as [`plain`] makes them.
pub(super) type Words<T> = &'static [(T, &'static str, &'static str, &'static [&'static str])];

pub(super) const KINDS: Words<TargetKind> = &[
    (
        TargetKind::App,
        "移动应用程序",
        "app",
        &[
            "应用",
            "应用程序",
            "政务应用程序",
            "政务移动互联网应用程序",
            "移动应用",
            "移动客户端",
            "手机应用",
            "政务app",
            "mobileapp",
        ],
    ),
    (
        TargetKind::MiniProgram,
        "小程序",
        "mini-program",
        &["miniprogram", "微信小程序", "支付宝小程序", "百度小程序"],
    ),
    (TargetKind::QuickApp, "快应用", "quick-app", &["quickapp"]),
    (
        TargetKind::Account,
        "公众账号",
        "account",
        &[
            "政务公众账号",
            "账号",
            "公众号",
            "微信公众号",
            "政务新媒体",
            "微博",
            "政务微博",
            "抖音号",
            "头条号",
            "publicaccount",
        ],
    ),
    (TargetKind::Group, "工作群组", "group", &["网络工作群组", "群组", "工作群", "微信群", "workgroup"]),
];

pub(super) const LEVELS: Words<OfficeLevel> = &[
    (OfficeLevel::Central, "中央", "central", &["国家", "国家级", "中央级", "部委", "national"]),
    (
        OfficeLevel::Province,
        "省级",
        "province",
        &["省", "省直", "省本级", "省市区", "自治区", "直辖市", "provincial"],
    ),
    (
        OfficeLevel::City,
        "市级",
        "city",
        &["市", "市本级", "市直", "市州", "市州级", "地市", "地市级", "地级市", "州", "州级", "municipal"],
    ),
    (
        OfficeLevel::County,
        "县级",
        "county",
        &[
            "县",
            "区",
            "区县",
            "县区",
            "区县级",
            "县区级",
            "县市区",
            "县本级",
            "县直",
            "区级",
            "区直",
            "district",
        ],
    ),
    (
        OfficeLevel::Township,
        "乡镇",
        "township",
        &[
            "街道",
            "镇",
            "乡",
            "乡级",
            "镇级",
            "乡镇级",
            "乡镇街道",
            "镇街",
            "街镇",
            "镇街道",
            "乡镇街道级",
            "street",
        ],
    ),
];

pub(super) const AUDIENCES: Words<Audience> = &[
    (
        Audience::Staff,
        "工作人员",
        "staff",
        &[
            "机关内部",
            "内部",
            "干部",
            "党员干部",
            "干部职工",
            "公务员",
            "机关工作人员",
            "内部工作人员",
            "基层干部",
            "工作端",
            "对内",
            "internal",
        ],
    ),
    (
        Audience::Public,
        "公众",
        "public",
        &["群众", "市民", "社会公众", "人民群众", "居民", "群众公众", "个人", "公众端", "对外", "citizens"],
    ),
    (
        Audience::Business,
        "企业",
        "business",
        &["经营主体", "市场主体", "企业经营主体", "法人", "企业法人", "企业端", "businesses"],
    ),
];

pub(super) const STATUSES: Words<RosterStatus> = &[
    (
        RosterStatus::InUse,
        "在用",
        "in-use",
        &["inuse", "运行", "运行中", "正常", "正常运行", "使用中", "正在使用", "已上线", "启用", "active"],
    ),
    (RosterStatus::Suspended, "停用", "suspended", &["暂停", "暂停使用", "整合中", "停更", "整改中"]),
    (
        RosterStatus::Closed,
        "已关停",
        "closed",
        &["关停", "已关闭", "关闭", "已注销", "注销", "已下线", "下线", "已关停注销", "关停注销"],
    ),
];

pub(super) const ANSWERS: Words<bool> = &[
    (true, "是", "yes", &["y", "true", "1", "有", "√", "发布类", "发布"]),
    (false, "否", "no", &["n", "false", "0", "×", "服务类", "服务"]),
];

const PLATFORMS: &[(&str, &[&str])] = &[
    (
        "微信",
        &[
            "微信",
            "微信公众号",
            "微信公众平台",
            "微信订阅号",
            "微信服务号",
            "微信视频号",
            "微信小程序",
            "微信群",
            "wechat",
            "weixin",
        ],
    ),
    ("微博", &["微博", "新浪微博", "政务微博", "weibo"]),
    ("抖音", &["抖音", "抖音号", "douyin"]),
    ("今日头条", &["今日头条", "头条", "头条号", "toutiao"]),
    ("支付宝", &["支付宝", "支付宝小程序", "alipay"]),
];

/// The value of a word; or what it should have been.
pub(super) fn value<T: Copy>(words: Words<T>, column: Column, cell: &str) -> Result<T, Wording> {
    let word = match plain(cell) {
        // A tick or a cross.
        word if word.is_empty() => cell.trim().to_owned(),
        word => word,
    };
    let found =
        words.iter().find(|(_, zh, en, more)| word == *zh || word == *en || more.contains(&word.as_str()));
    found.map(|(value, ..)| *value).ok_or_else(|| {
        let zh: Vec<&str> = words.iter().map(|(_, zh, ..)| *zh).collect();
        let en: Vec<&str> = words.iter().map(|(_, _, en, _)| *en).collect();
        (
            format!("{}“{cell}”无法识别，应为{}之一", column.title(Lang::Zh), zh.join("、")),
            format!("the {} {cell:?} is not one of {}", column.title(Lang::En), en.join(", ")),
        )
            .into()
    })
}

/// One name for a platform that has several.
pub(super) fn platform(cell: &str) -> Option<&'static str> {
    let word = plain(cell);
    PLATFORMS.iter().find(|(_, words)| words.contains(&word.as_str())).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_known_however_they_are_set() {
        let layout =
            Layout { columns: BTreeMap::from([("单位全称".into(), Column::Owner)]), sheet: None };
        for (heading, column) in [
            ("类型", Some(Column::Kind)),
            ("* 名 称", Some(Column::Name)),
            ("主办（使用）单位", Some(Column::Owner)),
            ("单位全称（必填）", Some(Column::Owner)),
            ("ＩＣＰ备案号", Some(Column::Icp)),
            ("备案编号【网信】", Some(Column::Filing)),
            ("Filing Number", Some(Column::Filing)),
            ("下载\n地址", Some(Column::Address)),
            ("备注", None),
            ("序号", None),
            ("", None),
        ] {
            assert_eq!(layout.column(heading), column, "{heading}");
        }
    }

    #[test]
    fn no_word_means_two_things() {
        fn check<T: Copy>(words: Words<T>) {
            let mut seen = std::collections::BTreeSet::new();
            for (_, zh, en, more) in words {
                let all = more.iter().copied().chain([*zh, *en]);
                all.for_each(|word| assert!(seen.insert(word), "{word}"));
                more.iter()
                    .filter(|word| **word != "√" && **word != "×")
                    .for_each(|word| assert_eq!(plain(word), **word));
            }
        }
        check(KINDS);
        check(LEVELS);
        check(AUDIENCES);
        check(STATUSES);
        check(ANSWERS);
        let mut seen = std::collections::BTreeSet::new();
        for (_, names) in HEADINGS {
            for name in *names {
                assert_eq!(plain(name), *name);
                assert!(seen.insert(*name), "{name}");
            }
        }
        assert_eq!(HEADINGS.len(), Column::ALL.len());
    }

    #[test]
    fn words_of_offices_are_understood() {
        assert_eq!(value(LEVELS, Column::Level, "乡镇（街道）"), Ok(OfficeLevel::Township));
        assert_eq!(value(LEVELS, Column::Level, "市州"), Ok(OfficeLevel::City));
        assert_eq!(value(AUDIENCES, Column::Audience, "企业/经营主体"), Ok(Audience::Business));
        assert_eq!(value(KINDS, Column::Kind, "Mini-Program"), Ok(TargetKind::MiniProgram));
        assert_eq!(value(ANSWERS, Column::Grassroots, "√"), Ok(true));
        let wrong = value(LEVELS, Column::Level, "村级").unwrap_err();
        assert!(wrong.zh.contains("村级") && wrong.zh.contains("乡镇") && wrong.en.contains("township"));
    }
}
