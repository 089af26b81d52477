//! What an app store says of an app, as rows of a label and a text.

use super::labelled;
use crate::model::{Lang, Listing};

/// The rows, in the order of reading.
pub(in crate::report) fn listing(lang: Lang, listing: &Listing) -> Vec<(&'static str, String)> {
    let rows = [
        ("市场", "store", Some(lang.pick(&listing.title, &listing.title_en).to_owned())),
        ("名称", "name", listing.name.clone()),
        ("包名", "package", listing.package.clone()),
        ("版本", "version", listing.version.clone()),
        ("更新", "updated", listing.updated.clone()),
        ("开发者", "developer", listing.developer.clone()),
        ("运营者", "operator", listing.operator.clone()),
        ("ICP备案", "ICP", listing.icp.clone()),
        ("备案主体", "ICP holder", listing.icp_holder.clone()),
        ("下载量", "downloads", listing.downloads.clone()),
        ("隐私政策", "privacy", listing.privacy_policy.clone()),
    ];
    labelled(lang, rows)
}
