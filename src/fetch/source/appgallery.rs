//! 华为应用市场 (AppGallery): a token, then what the store says of an app, then the page of the app, which holds its ICP
//! filing. Services of the store's own web page, undocumented; seen in November 2026
//! (shenjackyuanjie/harmony_markget_get `src/sync`, `src/model/raw.rs`). Packages are given to its devices only.

use serde_json::{Value, json};
use url::Url;

use super::{Found, Look, Next, Shape, Source, ask, at, day, json, last_of, number, text};
use crate::fetch::client::{Ask, Page};
use crate::model::Listing;

pub(super) const SOURCE: Source = Source {
    name: "appgallery",
    title: ("华为应用市场", "Huawei AppGallery"),
    example: "https://appgallery.huawei.com/app/detail?id=cn.gov.example",
    begin,
};

const SERVICE: &str = "https://web-drcn.hispace.dbankcloud.com/edge";
/// Card of a page that tells about the app.
const ABOUT: &str = "appdetailaboutcard";

fn begin(url: &Url) -> Option<Box<dyn Look>> {
    let host = "appgallery.huawei.com";
    let by_package =
        || super::query(url, "id").filter(|_| url.host_str() == Some(host) && url.path() == "/app/detail");
    let key = match last_of(url, host, "/app/") {
        Some(id) if id.starts_with('C') && super::is_package(id) => ("appId", id.to_owned()),
        _ => ("pkgName", by_package().filter(|name| super::is_package(name))?),
    };
    // The store asks each visitor for an id of its own making; this one says who is asking.
    Some(Box::new(AppGallery {
        key,
        token: String::new(),
        app: String::new(),
        found: Found::default(),
        step: 0,
    }))
}

struct AppGallery {
    key: (&'static str, String),
    token: String,
    app: String,
    found: Found,
    step: u8,
}

impl AppGallery {
    fn ask(&self, path: &str, body: Value) -> Result<Ask, Shape> {
        let now = jiff::Timestamp::now().as_millisecond();
        let token = if self.token.is_empty() { "null" } else { &self.token };
        Ok(ask(&format!("{SERVICE}/{path}"))?
            .post("application/json", body.to_string().into_bytes())
            .header("interface-code", format!("{token}_{now}"))
            .header("identity-id", "zhijian"))
    }
}

impl Look for AppGallery {
    fn next(&mut self, page: Option<&Page>) -> Result<Next, Shape> {
        self.step += 1;
        let ask = match (self.step, page) {
            (1, _) => self.ask("webedge/getInterfaceCode", json!({}))?,
            (2, Some(page)) => {
                let token: String = match json(page)? {
                    Value::String(token) if !token.is_empty() => token,
                    _ => return Err(Shape("the interface code".into())),
                };
                // It becomes part of a header.
                self.token = token.chars().filter(char::is_ascii_graphic).take(256).collect();
                let (key, value) = &self.key;
                self.ask("webedge/appinfo", json!({ (*key): value, "locale": "zh_CN" }))?
            }
            (3, Some(page)) => {
                let answer = json(page)?;
                let Some(app) = text(&answer, "appId") else {
                    // An app that is not there is an answer without any of its fields.
                    return if text(&answer, "name").is_some() {
                        Err(Shape("appId".into()))
                    } else {
                        Ok(Next::Absent)
                    };
                };
                self.found.listing = listing(&answer)?;
                self.app = app;
                let body = json!({
                    "pageId": format!("webAgAppDetail|{}", self.app), "pageNum": 1, "pageSize": 100, "zone": ""
                });
                self.ask("harmony/page-detail", body)?
            }
            (_, Some(page)) => {
                let record = filing(&json(page)?)?;
                self.found.listing.icp = record.0;
                self.found.listing.icp_holder = record.1;
                return Ok(Next::Done(Box::new(std::mem::take(&mut self.found))));
            }
            (_, None) => return Err(Shape("an answer".into())),
        };
        Ok(Next::Ask(Box::new(ask)))
    }
}

fn listing(answer: &Value) -> Result<Listing, Shape> {
    let name = text(answer, "name").ok_or_else(|| Shape("name".into()))?;
    Ok(Listing {
        package: text(answer, "pkgName"),
        name: Some(name),
        developer: text(answer, "developerName"),
        operator: text(answer, "supplier"),
        version: text(answer, "version"),
        updated: number(answer, "releaseDate").and_then(|milliseconds| day(milliseconds / 1000)),
        downloads: text(answer, "downCount"),
        privacy_policy: text(answer, "privacyUrl"),
        sha256: text(answer, "sha256").map(|digest| digest.to_ascii_lowercase()),
        bytes: number(answer, "size").and_then(|size| size.try_into().ok()),
        ..Listing::default()
    })
}

/// Number and holder of the ICP filing; an app without one has no such entry.
fn filing(answer: &Value) -> Result<(Option<String>, Option<String>), Shape> {
    let cards = "pages/0/data/cardlist/layoutData";
    let cards = at(answer, cards)?.as_array().ok_or_else(|| Shape(cards.into()))?;
    let about = |card: &&Value| text(card, "type").is_some_and(|name| name.ends_with(ABOUT));
    let about = cards.iter().find(about).ok_or_else(|| Shape(format!("card {ABOUT}")))?;
    let record = ["data/0/list/0/appRecordalInfo", "data/0/appRecordalInfo"];
    let record = record.iter().find_map(|path| at(about, path).ok());
    Ok(record
        .map_or((None, None), |record| (text(record, "appRecordalInfo"), text(record, "recordalEntityName"))))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{found, play};
    use super::*;

    const INFO: &str = r#"{"appId":"C123","name":"某市网格通\u0000","pkgName":"cn.gov.example.grid",
        "developerName":"某某科技有限公司","supplier":"某市大数据中心","version":"3.2.1","size":25165824,
        "sha256":"ABCD","downCount":"120000","releaseDate":1779035400000,"privacyUrl":"https://example.gov.cn/p"}"#;

    fn detail(record: &str) -> String {
        format!(
            r#"{{"pages":[{{"data":{{"cardlist":{{"layoutData":[{{"type":"fl.card.comment","data":[{{}}]}},
            {{"type":"com.huawei.hmsapp.appgallery.appdetailaboutcard","data":[{{"list":[{{{record}}}]}}]}}]}}}}}}]}}"#
        )
    }

    #[test]
    fn three_answers_give_the_listing_and_its_icp_filing() {
        let record = r#""appRecordalInfo":{"title":"服务备案号","appRecordalInfo":"蜀ICP备12345678号-1A",
            "recordalEntityTitle":"主办单位","recordalEntityName":"某市大数据中心"}"#;
        let answers = ["\"token123\"", INFO, &detail(record)];
        let (asked, got) = found("https://appgallery.huawei.com/app/C123", &answers);
        let paths: Vec<&str> = asked.iter().map(|ask| ask.url.path()).collect();
        assert_eq!(
            paths,
            ["/edge/webedge/getInterfaceCode", "/edge/webedge/appinfo", "/edge/harmony/page-detail"]
        );
        assert!(
            asked[1]
                .headers
                .iter()
                .any(|(name, value)| { *name == "interface-code" && value.starts_with("token123_") })
        );
        let listing = got.listing;
        assert_eq!(listing.name.as_deref(), Some("某市网格通"), "without the NUL");
        assert_eq!(listing.icp.as_deref(), Some("蜀ICP备12345678号-1A"));
        assert_eq!(listing.icp_holder.as_deref(), Some("某市大数据中心"));
        assert_eq!(
            (listing.updated.as_deref(), listing.sha256.as_deref()),
            (Some("2026-05-18"), Some("abcd"))
        );
        assert_eq!(got.package, None);
    }

    #[test]
    fn no_filing_no_app_and_another_shape_are_three_things() {
        let address = SOURCE.example;
        let (_, got) = found(address, &["\"t\"", INFO, &detail("")]);
        assert_eq!((got.listing.icp, got.listing.name.is_some()), (None, true));
        assert!(matches!(play(address, &["\"t\"", "{}"]).1, Ok(Next::Absent)));
        let shape = |answers: &[&str]| match play(address, answers).1 {
            Err(Shape(field)) => field,
            _ => panic!("read"),
        };
        assert_eq!(shape(&["{\"code\":1}"]), "the interface code");
        assert_eq!(shape(&["\"t\"", r#"{"name":"x"}"#]), "appId");
        assert_eq!(shape(&["\"t\"", INFO, r#"{"pages":[]}"#]), "pages/0/data/cardlist/layoutData");
        let moved = detail("").replace("appdetailaboutcard", "aboutcard2");
        assert_eq!(shape(&["\"t\"", INFO, &moved]), "card appdetailaboutcard");
    }
}
