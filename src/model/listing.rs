//! What an app store says of an app. Public data of the store's page, repeated as found: nobody has checked it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a store lists of an app. A field that the store does not show is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Listing {
    /// Short name of the store: `yingyongbao`, `appgallery`.
    pub store: String,
    /// Its name in Chinese.
    pub title: String,
    /// Its name in English.
    pub title_en: String,
    /// Address of the page.
    pub page: String,
    /// Package name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub package: Option<String>,
    /// Name of the app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Who developed it (开发者).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub developer: Option<String>,
    /// Who runs it (运营者, 供应商).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    /// Version as shown to users.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Day of the last update, `2026-05-18`, in Beijing time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub updated: Option<String>,
    /// ICP filing number of the app (服务备案号), which is not the filing number of government apps.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icp: Option<String>,
    /// Whom the ICP filing is recorded for (主办单位).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub icp_holder: Option<String>,
    /// Downloads as the store words them: `12万`, `100,000+`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub downloads: Option<String>,
    /// Address of the privacy policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub privacy_policy: Option<String>,
    /// SHA-256 of the package as the store says it, lower-case hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Size of the package in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}
