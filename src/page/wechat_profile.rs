//! The page 关于公众号 / 关于服务号 of a WeChat public account, saved from within the application (it cannot be
//! fetched without a key of its user): `.about-page .item-info`, each with `.item-title` and `.item-desc`.

use jiff::civil::Date;

use super::draft::{Draft, leads};
use super::standing::Entries;
use super::{Input, Kind, Read, contains, filled};
use crate::decode::date;
use crate::decode::js_data;
use crate::decode::outline::{Ask, Outline};
use crate::model::{GapReason, Licence, PartName, Platform, Rename, RenameKind, Role};

pub(super) const KIND: Kind = Kind {
    name: "wechat-profile",
    title: ("微信公众号资料页", "profile of a WeChat public account"),
    matches,
    read,
};

/// More entries than a profile has, and more elements than an entry has before its title.
const MAX_ITEMS: usize = 100;

fn matches(input: &Input<'_>) -> bool {
    let text = input.text();
    text.len() < 4 << 20
        && input.is_markup()
        && ["about-page", "item-info", "item-title"].iter().all(|class| contains(text, class))
}

fn read(input: &Input<'_>) -> Read {
    let mut draft = Draft::new(input, KIND.name);
    draft.speaks_of_account(Entries::Links);
    let source = input.text();
    let outline = Outline::read(source, Ask { mark: leads, lines: false });
    draft.page.account.platform = Some(Platform::Wechat);
    draft.check_end();
    let mut pairs = 0;
    let items = outline.elements.iter().enumerate().filter(|(_, element)| element.tag.has_class("item-info"));
    for (index, item) in items.take(MAX_ITEMS) {
        let mut inner = outline.elements.iter().skip(index).take(MAX_ITEMS);
        let title = inner.find(|inner| inner.tag.has_class("item-title"));
        let title = title.filter(|title| title.blocks.start < item.blocks.end);
        let Some(title) = title else { continue };
        let blocks = |range: std::ops::Range<usize>| outline.blocks.get(range).unwrap_or_default();
        let name: String = blocks(title.blocks.clone()).iter().map(|block| block.text.as_str()).collect();
        let values: Vec<_> = blocks(title.blocks.end..item.blocks.end)
            .iter()
            .filter(|block| !is_button(&block.text))
            .collect();
        pairs += usize::from(!values.is_empty());
        let texts: Vec<String> = values.iter().filter_map(|block| filled(&block.text)).collect();
        for block in &values {
            draft.text(&block.text, Role::Label, Some(block.offset), &[&name], false);
        }
        pair(&mut draft, name.trim(), &texts);
    }
    if pairs == 0 {
        let detail = ("资料页中没有可读的条目", "the profile has no entries that can be read");
        draft.unseen(PartName::Text, GapReason::Malformed, detail);
    }
    if let Some(ip) = js_data::object(source, "window.ip_wording", |_| true) {
        let place = if ip.text("countryId") == Some("156") { ip.text("provinceName") } else { None };
        draft.page.account.region = place.or_else(|| ip.text("countryName")).and_then(filled);
    }
    for mark in &outline.marks {
        let address = mark.tag.attribute("href").unwrap_or_default();
        let value = |name: &str| {
            let rest = address.split(['?', '&', '#']).find_map(|part| part.strip_prefix(name))?;
            filled(rest)
        };
        let account = &mut draft.page.account;
        account.biz = account.biz.take().or_else(|| value("__biz="));
        account.id = account.id.take().or_else(|| value("username=").filter(|id| id.starts_with("gh_")));
        draft.mark(mark, false, &["about-page"]);
    }
    let account = &mut draft.page.account;
    if account.id.is_none() {
        account.id = account.alias.clone().filter(|alias| alias.starts_with("gh_"));
    }
    // The record has the newest name first.
    account.name = account.renames.first().map(|rename| rename.to.clone());
    draft.page.title = account.name.clone();
    draft.issues(outline.issues);
    draft.finish()
}

fn is_button(text: &str) -> bool {
    matches!(text, "展开" | "收起")
}

fn pair(draft: &mut Draft<'_>, name: &str, values: &[String]) {
    let Some(first) = values.first().cloned() else { return };
    let account = &mut draft.page.account;
    match name {
        "公众号简介" | "服务号简介" | "订阅号简介" | "简介" | "功能介绍" => {
            account.signature = Some(values.join("\n"))
        }
        "微信号" => account.alias = Some(first),
        "认证类型" | "主体类型" | "账号类型" | "帐号类型" => {
            account.principal_kind = Some(first)
        }
        "认证主体" => {
            account.principal = Some(first);
            account.verified = Some(true);
        }
        "账号主体" | "帐号主体" => {
            account.principal = Some(first);
            account.verified = account.verified.or(Some(false));
        }
        "客服电话" => account.phone = Some(first),
        "授权第三方服务" => account.third_parties = values.to_vec(),
        "名称记录" => {
            for line in values {
                match rename(line) {
                    Some(rename) => draft.page.account.renames.push(rename),
                    None => draft.bad_date(line),
                }
            }
        }
        _ if name.starts_with("IP属地") => account.region = Some(first),
        _ if name.contains("许可证") || name.contains("服务资质") => {
            account.licence = Licence::Shown { number: first }
        }
        _ => {}
    }
    // A personal account is never verified as an office.
    let account = &mut draft.page.account;
    if account.principal_kind.as_deref() == Some("个人") && account.principal.is_none() {
        account.verified = account.verified.or(Some(false));
    }
}

/// `2021年02月02日 “甲”账号迁移改名“乙”`, `… “甲”改名“乙”`, `… 注册“甲”`.
fn rename(line: &str) -> Option<Rename> {
    let (date, rest): (Option<Date>, &str) = match date::date_in(line) {
        Some((date, rest)) => (Some(date), rest),
        None => (None, line),
    };
    let mut names = rest.split(['“', '”', '"']).skip(1).step_by(2).map(str::to_owned);
    let first = names.next()?;
    let kind = if rest.contains("迁移改名") {
        RenameKind::Migrated
    } else if rest.contains("改名") {
        RenameKind::Renamed
    } else {
        RenameKind::Registered
    };
    match (kind, names.next()) {
        (RenameKind::Registered, _) => Some(Rename { date, kind, from: None, to: first }),
        (_, Some(to)) => Some(Rename { date, kind, from: Some(first), to }),
        (_, None) => None,
    }
}
