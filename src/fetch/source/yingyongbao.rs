//! 应用宝 (Tencent): the page of an app carries its data as JSON in `<script id="__NEXT_DATA__">`; the package's
//! address comes from a service of the store. Both seen in November 2026; the class names of the page are hashed and
//! change, so the page itself is not read.

use serde_json::{Value, json};
use url::Url;

use super::{Found, Look, Next, Shape, Source, ask, at, day, is_package, json, last_of, number, text};
use crate::fetch::client::Page;
use crate::model::Listing;

pub(super) const SOURCE: Source = Source {
    name: "yingyongbao",
    title: ("应用宝", "Tencent MyApp"),
    example: "https://sj.qq.com/appdetail/cn.gov.example",
    begin,
};

const SERVICE: &str = "https://upage.html5.qq.com/wechat-apkinfo";
const MARK: &[u8] = b"id=\"__NEXT_DATA__\"";

fn begin(url: &Url) -> Option<Box<dyn Look>> {
    let package = last_of(url, "sj.qq.com", "/appdetail/").filter(|name| is_package(name))?;
    Some(Box::new(Yingyongbao {
        page: url.clone(),
        package: package.to_owned(),
        found: Found::default(),
        step: 0,
    }))
}

struct Yingyongbao {
    page: Url,
    package: String,
    found: Found,
    step: u8,
}

impl Look for Yingyongbao {
    fn next(&mut self, page: Option<&Page>) -> Result<Next, Shape> {
        self.step += 1;
        match (self.step, page) {
            (1, _) => Ok(Next::Ask(Box::new(ask(self.page.as_str())?))),
            (2, Some(page)) => match listing(page)? {
                None => Ok(Next::Absent),
                Some(listing) => {
                    self.found.listing = listing;
                    let body = json!({ "packagename": self.package }).to_string().into_bytes();
                    Ok(Next::Ask(Box::new(ask(SERVICE)?.post("application/json", body))))
                }
            },
            (_, Some(page)) => {
                let answer = json(page)?;
                let address = text(&answer, &format!("app_detail_records/{}/apk_all_data/url", self.package));
                self.found.package = address.and_then(|address| Url::parse(&address).ok());
                Ok(Next::Done(Box::new(std::mem::take(&mut self.found))))
            }
            (_, None) => Err(Shape("an answer".into())),
        }
    }
}

/// The data of the page; `None` if it is the page that says that there is no such app.
fn listing(page: &Page) -> Result<Option<Listing>, Shape> {
    let bytes = page.bytes.as_slice();
    let missing = || Shape("script#__NEXT_DATA__".into());
    let mark = memchr::memmem::find(bytes, MARK).ok_or_else(missing)?;
    let start = mark + memchr::memchr(b'>', &bytes[mark..]).ok_or_else(missing)? + 1;
    let length = memchr::memmem::find(&bytes[start..], b"</script").ok_or_else(missing)?;
    let data: Value = serde_json::from_slice(&bytes[start..start + length])
        .map_err(|error| Shape(format!("script#__NEXT_DATA__ as JSON ({error})")))?;
    let components = "props/pageProps/dynamicCardResponse/data/components";
    let components = at(&data, components)?.as_array().ok_or_else(|| Shape(components.into()))?;
    let card = components.iter().find(|card| text(card, "data/name").as_deref() == Some("GameDetail"));
    let Some(card) = card else { return Ok(None) };
    // An item is sometimes JSON within JSON.
    let item = match at(card, "data/itemData/0")? {
        Value::String(inner) => {
            serde_json::from_str(inner).map_err(|_| Shape("data/itemData/0 as JSON".into()))?
        }
        item => item.clone(),
    };
    let name = text(&item, "name").ok_or_else(|| Shape("data/itemData/0/name".into()))?;
    Ok(Some(Listing {
        package: text(&item, "pkg_name"),
        name: Some(name),
        developer: text(&item, "developer"),
        operator: text(&item, "operator"),
        version: text(&item, "version_name"),
        updated: number(&item, "update_time").and_then(day),
        downloads: text(&item, "download_num"),
        bytes: number(&item, "apk_size").and_then(|size| size.try_into().ok()),
        ..Listing::default()
    }))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{found, play};
    use super::*;

    const ADDRESS: &str = "https://sj.qq.com/appdetail/cn.gov.example.grid";
    const SERVED: &str = r#"{"app_detail_records":{"cn.gov.example.grid":{"apk_all_data":
        {"version_name":"3.2.1","url":"https://imtt2.dd.qq.com/x/grid.apk?fsname=grid.apk"}}}}"#;

    fn page(item: &str) -> String {
        format!(
            r#"<html><div class="GameDetail_x1">别处的文字</div><script id="__NEXT_DATA__" type="application/json">
            {{"props":{{"pageProps":{{"dynamicCardResponse":{{"data":{{"components":[
            {{"data":{{"name":"Banner"}}}},{{"data":{{"name":"GameDetail","itemData":[{item}]}}}}]}}}}}}}}}}</script>"#
        )
    }

    #[test]
    fn a_page_and_the_service_give_everything() {
        let item = r#"{"name":"某市网格通","pkg_name":"cn.gov.example.grid","developer":"某某科技有限公司",
            "operator":"某市大数据中心","version_name":"3.2.1","download_num":"12万","apk_size":"25165824",
            "update_time":1779035400}"#;
        let (asked, got) = found(ADDRESS, &[&page(item), SERVED]);
        assert_eq!(asked[0].url.as_str(), ADDRESS);
        assert_eq!(asked[1].body.as_ref().unwrap().1, br#"{"packagename":"cn.gov.example.grid"}"#);
        let listing = got.listing;
        assert_eq!(listing.name.as_deref(), Some("某市网格通"));
        assert_eq!(listing.operator.as_deref(), Some("某市大数据中心"));
        assert_eq!((listing.updated.as_deref(), listing.bytes), (Some("2026-05-18"), Some(25_165_824)));
        assert_eq!(listing.downloads.as_deref(), Some("12万"));
        assert_eq!(got.package.unwrap().host_str(), Some("imtt2.dd.qq.com"));
    }

    #[test]
    fn an_item_may_be_json_within_json_and_the_package_not_public() {
        let item = serde_json::to_string(r#"{"name":"网格通"}"#).unwrap();
        let (_, got) = found(ADDRESS, &[&page(&item), r#"{"app_detail_records":{}}"#]);
        assert_eq!((got.listing.name.as_deref(), got.package), (Some("网格通"), None));
    }

    #[test]
    fn another_shape_names_what_is_missing() {
        let shape = |page: &str| match play(ADDRESS, &[page]).1 {
            Err(Shape(field)) => field,
            _ => panic!("read"),
        };
        assert_eq!(shape("<html>new design</html>"), "script#__NEXT_DATA__");
        assert_eq!(shape(&page(r#"{"appName":"x"}"#)), "data/itemData/0/name");
        let moved = page("{}").replace("dynamicCardResponse", "cards");
        assert_eq!(shape(&moved), "props/pageProps/dynamicCardResponse/data/components");
        let absent = page("{}").replace("GameDetail", "NotFound");
        assert!(matches!(play(ADDRESS, &[&absent]).1, Ok(Next::Absent)));
    }
}
