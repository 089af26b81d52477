//! A target as the office's roster (名录) has it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use super::TargetKind;

/// The level of government an owner belongs to. 国办函〔2026〕12号 art. 2 and the campaign's 四个一律 speak of levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OfficeLevel {
    /// 中央.
    Central,
    /// 省级.
    Province,
    /// 市级 (市、州).
    City,
    /// 县级 (县、市、区).
    County,
    /// 乡镇 (街道).
    Township,
}

impl OfficeLevel {
    /// Every level, from the top.
    pub const ALL: [OfficeLevel; 5] = [
        OfficeLevel::Central,
        OfficeLevel::Province,
        OfficeLevel::City,
        OfficeLevel::County,
        OfficeLevel::Township,
    ];

    /// The Chinese word used in reports.
    pub fn zh(self) -> &'static str {
        match self {
            OfficeLevel::Central => "中央",
            OfficeLevel::Province => "省级",
            OfficeLevel::City => "市级",
            OfficeLevel::County => "县级",
            OfficeLevel::Township => "乡镇（街道）",
        }
    }

    /// The English word used in reports.
    pub fn en(self) -> &'static str {
        match self {
            OfficeLevel::Central => "central",
            OfficeLevel::Province => "province",
            OfficeLevel::City => "city",
            OfficeLevel::County => "county",
            OfficeLevel::Township => "township",
        }
    }
}

/// Whom a target serves. The campaign consolidates each side into one app (工作端、公众端、企业端).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Audience {
    /// 工作人员.
    Staff,
    /// 公众.
    Public,
    /// 企业.
    Business,
}

impl Audience {
    /// Every audience.
    pub const ALL: [Audience; 3] = [Audience::Staff, Audience::Public, Audience::Business];

    /// The Chinese word used in reports.
    pub fn zh(self) -> &'static str {
        match self {
            Audience::Staff => "工作人员",
            Audience::Public => "公众",
            Audience::Business => "企业",
        }
    }

    /// The English word used in reports.
    pub fn en(self) -> &'static str {
        match self {
            Audience::Staff => "staff",
            Audience::Public => "public",
            Audience::Business => "business",
        }
    }
}

/// Whether a target is in use, as the roster says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RosterStatus {
    /// 在用.
    InUse,
    /// 停用、整合中: still there, not in use.
    Suspended,
    /// 已关停、已注销.
    Closed,
}

impl RosterStatus {
    /// Every status.
    pub const ALL: [RosterStatus; 3] = [RosterStatus::InUse, RosterStatus::Suspended, RosterStatus::Closed];

    /// The Chinese word used in reports.
    pub fn zh(self) -> &'static str {
        match self {
            RosterStatus::InUse => "在用",
            RosterStatus::Suspended => "停用",
            RosterStatus::Closed => "已关停",
        }
    }

    /// The English word used in reports.
    pub fn en(self) -> &'static str {
        match self {
            RosterStatus::InUse => "in use",
            RosterStatus::Suspended => "suspended",
            RosterStatus::Closed => "closed",
        }
    }
}

/// A target as the roster has it. `None`: the roster does not say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RosterEntry {
    /// What it is.
    pub kind: TargetKind,
    /// What the platform calls it (标识): package name, AppID of a mini program, WeChat or `gh_` id of an account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name shown to users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The unit responsible for it (主办单位).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Level of the owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level: Option<OfficeLevel>,
    /// Region of the owner, from the larger to the smaller with `/` between: `某省/某市/某县`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Whom it serves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<Audience>,
    /// Whether it faces the grass roots (面向基层).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grassroots: Option<bool>,
    /// Platform of an account or group: `微信`, `微博`, `抖音`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// Filing number of the Cyberspace Administration (政务应用程序备案编号).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filing: Option<String>,
    /// ICP filing number of the Ministry of Industry (ICP备案号), another thing altogether.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub icp: Option<String>,
    /// Number of its licence for internet news (互联网新闻信息服务许可证编号).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub licence: Option<String>,
    /// An account that publishes information (发布类).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publishes: Option<bool>,
    /// Where it is, as written: addresses of the web, `weixin-api:APPID`, paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// Whom to ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<String>,
    /// Whether it is in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<RosterStatus>,
}

impl RosterEntry {
    /// An entry of which nothing but the kind is known.
    pub fn new(kind: TargetKind) -> Self {
        RosterEntry {
            kind,
            id: None,
            name: None,
            owner: None,
            level: None,
            region: None,
            audience: None,
            grassroots: None,
            platform: None,
            filing: None,
            icp: None,
            licence: None,
            publishes: None,
            addresses: Vec::new(),
            contact: None,
            status: None,
        }
    }

    /// What the target is called in the ledger, the same as long as the roster means the same target: the kind with
    /// the id of the platform, or with owner, name and platform, or with the first address.
    /// `app:cn.gov.example.grid`, `account:某县教育局/某县教育@微信`. `None`: nothing identifies it. Widths and spaces
    /// of owner and name do not matter.
    pub fn key(&self) -> Option<String> {
        let kind = match self.kind {
            TargetKind::App => "app",
            TargetKind::MiniProgram => "mini-program",
            TargetKind::QuickApp => "quick-app",
            TargetKind::AccountPage | TargetKind::Account => "account",
            TargetKind::Group => "group",
        };
        let plain = |text: &str| text.nfkc().filter(|ch| !ch.is_whitespace()).collect::<String>();
        // One name may stand for an account on each of several platforms, and for an app on each of several systems.
        let platform = self.platform.as_deref().map(|name| format!("@{}", plain(name))).unwrap_or_default();
        let named = match (&self.id, &self.name, &self.owner) {
            (Some(id), _, _) => plain(id),
            (None, Some(name), Some(owner)) => format!("{}/{}{platform}", plain(owner), plain(name)),
            (None, Some(name), None) => format!("{}{platform}", plain(name)),
            (None, None, _) => self.addresses.first()?.clone(),
        };
        Some(format!("{kind}:{named}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_has_one_name() {
        let account = |name: &str, platform: Option<&str>| RosterEntry {
            name: Some(name.into()),
            owner: Some("某县教育局".into()),
            platform: platform.map(str::to_owned),
            ..RosterEntry::new(TargetKind::Account)
        };
        assert_eq!(account("某县教育", None).key().as_deref(), Some("account:某县教育局/某县教育"));
        assert_eq!(
            account("某县 教育", Some("微信")).key().as_deref(),
            Some("account:某县教育局/某县教育@微信")
        );
        assert_ne!(account("某县教育", Some("微信")).key(), account("某县教育", Some("微博")).key());
        let app = RosterEntry { id: Some("cn.gov.example.grid".into()), ..account("网格通", None) };
        assert_eq!(
            RosterEntry { kind: TargetKind::App, ..app }.key().as_deref(),
            Some("app:cn.gov.example.grid")
        );
        assert_eq!(RosterEntry::new(TargetKind::App).key(), None);
    }
}

/// What the ledger knows of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnRecord {
    /// The row of the roster.
    pub entry: RosterEntry,
    /// The filing number that holds.
    pub filing: Option<String>,
}
