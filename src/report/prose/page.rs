//! What a page says of itself and of its account, as rows of a label and a text.

use super::labelled;
use crate::model::{Lang, PageRecord, PageState, beijing_day};

/// The rows, in the order of reading.
pub(in crate::report) fn page(lang: Lang, page: &PageRecord) -> Vec<(&'static str, String)> {
    let account = &page.account;
    let day = |time: jiff::Timestamp| beijing_day(time).to_string();
    let yes_no = |yes: bool| lang.pick(if yes { "是" } else { "否" }, if yes { "yes" } else { "no" });
    let published = match (page.oldest, page.published) {
        (Some(from), Some(to)) if page.posts > 1 => Some(format!("{} – {}", day(from), day(to))),
        (_, published) => published.map(day),
    };
    let more = match &page.state {
        PageState::Violation { reason } => reason.clone(),
        PageState::Migrated { to } => to.clone(),
        _ => None,
    };
    let state = page.state.words(lang).to_owned();
    let posts = (page.posts > 0).then(|| page.posts.to_string());
    let rows = [
        ("页面", "page", Some(state)),
        ("原因", "reason", more),
        ("标题", "title", page.title.clone()),
        ("发布", "published", published),
        ("条数", "posts", posts),
        ("作者", "author", page.author.clone()),
        ("来源", "source", page.source.clone()),
        ("平台", "platform", account.platform.map(|platform| platform.words(lang).to_owned())),
        ("账号", "account", account.name.clone()),
        ("账号标识", "id", account.id.clone()),
        ("账号主体", "principal", account.principal.clone()),
        ("主体类型", "kind of principal", account.principal_kind.clone()),
        ("已认证", "verified", account.verified.map(|verified| yes_no(verified).to_owned())),
        ("IP属地", "region", account.region.clone().or_else(|| page.region.clone())),
    ];
    labelled(lang, rows)
}
