//! What is scanned.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kinds of object the campaign covers; the legal basis of a finding depends on it.
///
/// 国办函〔2026〕12号 art. 2 covers apps, mini programs and quick apps, and neither public accounts nor groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// 移动应用程序.
    App,
    /// 小程序.
    MiniProgram,
    /// 快应用.
    QuickApp,
    /// A page of a public account (政务公众账号).
    AccountPage,
    /// A public account as a whole.
    Account,
    /// 网络工作群组.
    Group,
}

/// Which folder of rules speaks of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Scope {
    #[default]
    /// `rules/app`: apps, mini programs, quick apps.
    App,
    /// `rules/account`: public accounts and their pages.
    Account,
    /// `rules/group`: work groups.
    Group,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Scope; 3] = [Scope::App, Scope::Account, Scope::Group];

    /// The folder of its rules.
    pub fn folder(self) -> &'static str {
        match self {
            Scope::App => "app",
            Scope::Account => "account",
            Scope::Group => "group",
        }
    }

    /// The kinds of target in it.
    pub fn kinds(self) -> &'static [TargetKind] {
        match self {
            Scope::App => &[TargetKind::App, TargetKind::MiniProgram, TargetKind::QuickApp],
            Scope::Account => &[TargetKind::AccountPage, TargetKind::Account],
            Scope::Group => &[TargetKind::Group],
        }
    }
}

impl TargetKind {
    /// The scope it belongs to.
    pub fn scope(self) -> Scope {
        match self {
            TargetKind::App | TargetKind::MiniProgram | TargetKind::QuickApp => Scope::App,
            TargetKind::AccountPage | TargetKind::Account => Scope::Account,
            TargetKind::Group => Scope::Group,
        }
    }

    /// The Chinese name used in reports.
    pub fn zh(self) -> &'static str {
        match self {
            TargetKind::App => "移动应用程序",
            TargetKind::MiniProgram => "小程序",
            TargetKind::QuickApp => "快应用",
            TargetKind::AccountPage => "公众账号页面",
            TargetKind::Account => "公众账号",
            TargetKind::Group => "工作群组",
        }
    }

    /// The English name used in reports.
    pub fn en(self) -> &'static str {
        match self {
            TargetKind::App => "mobile app",
            TargetKind::MiniProgram => "mini program",
            TargetKind::QuickApp => "quick app",
            TargetKind::AccountPage => "public account page",
            TargetKind::Account => "public account",
            TargetKind::Group => "work group",
        }
    }
}

/// One scanned object and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// Kind of object, found from the content.
    pub kind: TargetKind,
    /// The path or address as the user gave it.
    pub source: String,
}
