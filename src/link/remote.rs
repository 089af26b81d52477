//! Pages that come from a server: which addresses a program shows as pages, and whether it has an interface of
//! its own beside them. A program that only shows somebody's web site is a shell: nothing of what users see is in
//! the package.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::model::{GapReason, Inspection, Origin, PartName, Place, Role, Usage};

/// A screen with so many texts of its own is more than a frame around a page.
const SCREEN_TEXTS: usize = 3;
/// So many texts anywhere are an interface, wherever they are shown.
const TEXTS: usize = 24;
/// Addresses named in one gap.
const NAMED: usize = 5;

/// What a program shows as pages.
#[derive(Debug, Default)]
pub(crate) struct WebPages {
    /// Addresses, and where they stand.
    pub(crate) addresses: BTreeMap<String, Place>,
    /// Something shows pages whose address only the running program knows.
    pub(crate) unknown: Option<Place>,
    /// Names of the screens that show pages.
    pub(crate) screens: HashSet<String>,
}

impl WebPages {
    pub(crate) fn add(&mut self, address: &str, place: Place) {
        self.addresses.entry(address.to_owned()).or_insert(place);
    }

    /// States what cannot be seen because it is on a server.
    pub(crate) fn state(mut self, inspection: &mut Inspection) {
        if self.addresses.is_empty() && self.unknown.is_none() {
            return;
        }
        if !self.has_interface(inspection) {
            inspection.opaque();
            let place = self.addresses.values().next().or(self.unknown.as_ref()).cloned();
            let detail = match names(self.addresses.keys()) {
                Some(named) => (
                    format!("界面全部来自网页 {named}，安装包只是外壳，功能无从检视"),
                    format!("the whole interface is the web page {named}; the package is a shell around it"),
                ),
                None => (
                    "界面全部来自网页，其地址运行时才确定；安装包只是外壳，功能无从检视".to_owned(),
                    "the whole interface is a web page whose address is made at run time; the package is a shell"
                        .to_owned(),
                ),
            };
            inspection.unread(PartName::Layouts);
            return inspection.gap(
                PartName::Layouts,
                &place.unwrap_or_else(|| Place::entry("")),
                GapReason::Remote,
                detail,
            );
        }
        let named = !self.addresses.is_empty();
        let (documents, pages): (BTreeMap<_, _>, BTreeMap<_, _>) =
            std::mem::take(&mut self.addresses).into_iter().partition(|(address, _)| is_document(address));
        for (pages, material) in [(&pages, true), (&documents, false)] {
            let (Some(named), Some(place)) = (names(pages.keys()), pages.values().next()) else { continue };
            let count = pages.len();
            let detail = (
                format!("{count} 个页面从服务器加载，内容不在安装包内：{named}"),
                format!("{count} pages are loaded from a server and are not in the package: {named}"),
            );
            if material {
                inspection.unread(PartName::Layouts);
                inspection.gap(PartName::Layouts, place, GapReason::Remote, detail);
            } else {
                inspection.note(PartName::Layouts, place, GapReason::Remote, detail);
            }
        }
        if let Some(place) = self.unknown.filter(|_| !named) {
            let detail =
                ("有网页视图，其地址运行时才确定", "there is a web view whose address is made at run time");
            inspection.note(PartName::Layouts, &place, GapReason::Remote, detail);
        }
    }

    /// Whether the package holds an interface beside the pages.
    fn has_interface(&self, inspection: &Inspection) -> bool {
        let mut by_screen: HashMap<&str, BTreeSet<&str>> = HashMap::new();
        let mut all = BTreeSet::new();
        for text in &inspection.texts {
            let shown =
                matches!(text.role, Role::Control | Role::Title | Role::Label | Role::Hint | Role::Item);
            if !shown
                || text.origin != Origin::App
                || text.document.is_some()
                || text.usage == Usage::Unreferenced
                || !text.text.chars().any(char::is_alphabetic)
                || is_frame(&text.text)
            {
                continue;
            }
            all.insert(text.text.as_str());
            if let Some(screen) = text.screen.as_ref().filter(|s| !self.screens.contains(&s.name)) {
                by_screen.entry(&screen.name).or_default().insert(&text.text);
            }
        }
        all.len() >= TEXTS || by_screen.values().any(|texts| texts.len() >= SCREEN_TEXTS)
    }
}

/// Words on what frames a page: consent, a lost network, an update.
fn is_frame(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "同意",
        "协议",
        "隐私",
        "政策",
        "权限",
        "跳过",
        "重试",
        "刷新",
        "网络",
        "加载",
        "退出",
        "更新",
        "版本",
        "下载",
        "确定",
        "取消",
        "返回",
        "关闭",
        "确认",
        "暂不",
        "知道了",
        "设置",
        "欢迎",
    ];
    WORDS.iter().any(|word| text.contains(word))
}

/// Agreements, help and the like by their address: what stands there is no function.
fn is_document(address: &str) -> bool {
    let lower = address.to_ascii_lowercase();
    let path = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest);
    // Where apps are sold.
    if ["play.google.com/", "apps.apple.com/", "itunes.apple.com/", "a.app.qq.com/"]
        .iter()
        .any(|s| path.starts_with(s))
    {
        return true;
    }
    let words = [
        "privacy",
        "agreement",
        "xieyi",
        "yinsi",
        "protocol",
        "terms",
        "policy",
        "help",
        "bangzhu",
        "faq",
        "about",
        "license",
        "guide",
    ];
    path.split_once('/').is_some_and(|(_, path)| words.iter().any(|word| path.contains(word)))
}

fn names<'a>(addresses: impl ExactSizeIterator<Item = &'a String>) -> Option<String> {
    let count = addresses.len();
    let shown: Vec<&str> = addresses.take(NAMED).map(String::as_str).collect();
    let more = if count > NAMED { " …" } else { "" };
    (count > 0).then(|| format!("{}{more}", shown.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Screen, TargetKind, UiText, Verdict};

    fn inspection(texts: &[(&str, &str)]) -> Inspection {
        let mut inspection = Inspection::new(TargetKind::App, "apk");
        for (screen, text) in texts {
            let mut found = UiText::new(*text, Role::Control, Place::entry("res/layout/a.xml"));
            found.screen = Some(Screen { name: (*screen).to_owned(), title: None, reachable: true });
            inspection.texts.push(found);
        }
        inspection
    }

    fn pages(addresses: &[&str]) -> WebPages {
        let mut pages = WebPages::default();
        addresses.iter().for_each(|address| pages.add(address, Place::entry("classes.dex")));
        pages.screens.insert("Web".to_owned());
        pages
    }

    const NATIVE: &[(&str, &str)] = &[("Main", "预约"), ("Main", "咨询"), ("Main", "我的")];

    #[test]
    fn a_frame_around_a_site_is_opaque_and_names_it() {
        let mut shell = inspection(&[("Splash", "跳过"), ("Splash", "同意并继续"), ("Web", "某县通")]);
        pages(&["https://app.example.gov.cn/h5/"]).state(&mut shell);
        let coverage = shell.coverage();
        assert_eq!(coverage.verdict, Verdict::Opaque);
        assert!(coverage.gaps[0].detail.contains("https://app.example.gov.cn/h5/"));
        assert_eq!(coverage.gaps[0].reason, GapReason::Remote);
    }

    #[test]
    fn a_page_beside_native_screens_is_a_gap_unless_it_is_a_document() {
        let mut app = inspection(NATIVE);
        pages(&["https://app.example.gov.cn/h5/rank"]).state(&mut app);
        assert_eq!(app.coverage().verdict, Verdict::Partial);
        let mut app = inspection(NATIVE);
        pages(&["https://help.example.gov.cn/h5/privacy.html", "https://a.example.gov.cn/help/"])
            .state(&mut app);
        assert_eq!(app.coverage().verdict, Verdict::Full);
        assert_eq!(app.coverage().gaps.len(), 1);
    }

    #[test]
    fn no_page_is_no_shell() {
        let mut app = inspection(&[]);
        WebPages::default().state(&mut app);
        assert_eq!(app.coverage().verdict, Verdict::Full);
    }
}
