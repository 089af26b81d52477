//! vivo 应用商店: one service of the store's pages for phones, by the store's own number of an app. Seen in November
//! 2026 (ImranR98/Obtainium `lib/app_sources/vivoappstore.dart`).

use url::Url;

use super::{Found, Look, Next, Shape, Source, ask, json, query, text};
use crate::fetch::client::Page;
use crate::model::Listing;

pub(super) const SOURCE: Source = Source {
    name: "vivo",
    title: ("vivo 应用商店", "vivo app store"),
    example: "https://h5coml.vivo.com.cn/h5coml/appdetail_h5/browser_v2/index.html?appId=12345",
    begin,
};

fn begin(url: &Url) -> Option<Box<dyn Look>> {
    let own = matches!(url.host_str(), Some("h5coml.vivo.com.cn" | "h5.appstore.vivo.com.cn"));
    // Some addresses have their query behind `/#`.
    let plain = Url::parse(&url.as_str().replacen("/#", "", 1)).ok()?;
    let digits = |id: &String| own && id.len() <= 20 && id.bytes().all(|byte| byte.is_ascii_digit());
    let id = query(&plain, "appId").filter(digits)?;
    Some(Box::new(Vivo { id }))
}

struct Vivo {
    id: String,
}

impl Look for Vivo {
    fn next(&mut self, page: Option<&Page>) -> Result<Next, Shape> {
        let Some(page) = page else {
            let service = "https://h5-api.appstore.vivo.com.cn/detail";
            let address = format!("{service}/{}?frompage=messageh5&app_version=2100", self.id);
            return Ok(Next::Ask(Box::new(ask(&address)?)));
        };
        let answer = json(page)?;
        if text(&answer, "id").is_none() {
            return Ok(Next::Absent);
        }
        let name = text(&answer, "title_zh").ok_or_else(|| Shape("title_zh".into()))?;
        let listing = Listing {
            package: text(&answer, "package_name"),
            name: Some(name),
            developer: text(&answer, "developer"),
            version: text(&answer, "version_name"),
            updated: text(&answer, "upload_time").map(|time| time.chars().take(10).collect()),
            downloads: text(&answer, "download_count"),
            ..Listing::default()
        };
        let package = text(&answer, "download_url").and_then(|address| Url::parse(&address).ok());
        Ok(Next::Done(Box::new(Found { listing, package })))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{found, play};
    use super::*;

    #[test]
    fn one_answer_gives_everything() {
        let answer = r#"{"id":12345,"title_zh":"某市网格通","package_name":"cn.gov.example","version_name":"3.2.1",
            "developer":"某某科技","upload_time":"2026-05-18 10:19:00","download_url":"https://apk.vivo.com.cn/a.apk"}"#;
        let (asked, got) = found("https://h5.appstore.vivo.com.cn/#/details?appId=12345", &[answer]);
        assert_eq!(asked[0].url.path(), "/detail/12345");
        assert_eq!(
            (got.listing.name.as_deref(), got.listing.updated.as_deref()),
            (Some("某市网格通"), Some("2026-05-18"))
        );
        assert_eq!(got.package.unwrap().as_str(), "https://apk.vivo.com.cn/a.apk");
        assert!(matches!(play(SOURCE.example, &[r#"{"code":404}"#]).1, Ok(Next::Absent)));
        assert!(matches!(play(SOURCE.example, &[r#"{"id":1}"#]).1, Err(Shape(field)) if field == "title_zh"));
    }
}
