//! 小米应用商店: the page of an app on `app.mi.com`. Seen in November 2026 (easonchiu/app-parser `parser/xiaomi.go`).

use scraper::{Html, Selector};
use url::Url;

use super::{Found, Look, Next, Shape, Source, ask, is_package, query};
use crate::fetch::client::Page;
use crate::model::Listing;

pub(super) const SOURCE: Source = Source {
    name: "xiaomi",
    title: ("小米应用商店", "Xiaomi app store"),
    example: "https://app.mi.com/details?id=cn.gov.example",
    begin,
};

/// Labels on the page, each followed by its value.
const LABELS: [&str; 5] = ["版本号", "更新时间", "包名", "开发者", "软件大小"];

fn begin(url: &Url) -> Option<Box<dyn Look>> {
    let own = url.host_str() == Some("app.mi.com") && url.path().trim_end_matches('/') == "/details";
    let package = query(url, "id").filter(|name| own && is_package(name))?;
    Some(Box::new(Xiaomi { package }))
}

struct Xiaomi {
    package: String,
}

impl Look for Xiaomi {
    fn next(&mut self, page: Option<&Page>) -> Result<Next, Shape> {
        match page {
            None => Ok(Next::Ask(Box::new(ask(&format!("https://app.mi.com/details?id={}", self.package))?))),
            Some(page) => listing(&String::from_utf8_lossy(&page.bytes), &self.package),
        }
    }
}

fn listing(html: &str, package: &str) -> Result<Next, Shape> {
    let page = Html::parse_document(html);
    let select = |rule: &str| Selector::parse(rule).map_err(|error| Shape(error.to_string()));
    // The page of an app that is not there is the store's first page.
    if page.select(&select(".bigimg-scroll-title")?).next().is_none() {
        return if html.contains("app.mi.com") || html.contains("小米应用商店") {
            Ok(Next::Absent)
        } else {
            Err(Shape(".bigimg-scroll-title".into()))
        };
    }
    let title =
        page.select(&select(".intro-titles h3")?).next().ok_or_else(|| Shape(".intro-titles h3".into()))?;
    let name = title.text().collect::<String>().trim().to_owned();
    let container = select(".main .container")?;
    let words: Vec<&str> =
        page.select(&container).flat_map(|node| node.text()).flat_map(str::split_whitespace).collect();
    let after = |label: &str| {
        let at = words.iter().position(|word| word.trim_end_matches([':', '：']) == label)?;
        words.get(at + 1).filter(|word| !LABELS.contains(word)).map(|word| (*word).to_owned())
    };
    let version = after("版本号").ok_or_else(|| Shape("版本号".into()))?;
    Ok(Next::Done(Box::new(Found {
        listing: Listing {
            package: Some(after("包名").unwrap_or_else(|| package.to_owned())),
            name: Some(name),
            developer: after("开发者"),
            version: Some(version),
            updated: after("更新时间"),
            ..Listing::default()
        },
        package: None,
    })))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{found, play};
    use super::*;

    const PAGE: &str = "<title>网格通-小米应用商店</title><div class=main><div class=container>
        <div class=intro-titles><p>某某科技有限公司</p><h3> 某市网格通 </h3></div>
        <div class=bigimg-scroll-title>应用截图</div><ul><li>版本号</li> <li>3.2.1</li> <li>更新时间</li>
        <li>2026-05-18</li><li>包名</li><li>cn.gov.example</li><li>开发者</li> <li>某某科技有限公司</li></ul></div></div>";

    #[test]
    fn labels_give_the_values_behind_them() {
        let (asked, got) = found(&format!("{}&ref=search", SOURCE.example), &[PAGE]);
        assert_eq!(asked[0].url.as_str(), SOURCE.example);
        let listing = got.listing;
        assert_eq!(listing.name.as_deref(), Some("某市网格通"));
        assert_eq!(
            (listing.version.as_deref(), listing.updated.as_deref()),
            (Some("3.2.1"), Some("2026-05-18"))
        );
        assert_eq!(listing.developer.as_deref(), Some("某某科技有限公司"));
    }

    #[test]
    fn absent_and_changed_pages_are_told_apart() {
        let absent = play(SOURCE.example, &["<title>小米应用商店</title><p>首页</p>"]).1;
        assert!(matches!(absent, Ok(Next::Absent)));
        let changed = PAGE.replace("版本号", "版本");
        assert!(matches!(play(SOURCE.example, &[&changed]).1, Err(Shape(field)) if field == "版本号"));
        assert!(matches!(play(SOURCE.example, &["<html></html>"]).1, Err(Shape(_))));
    }
}
