//! F-Droid repositories: `entry.json` names the index, which has every package with its digests.
//!
//! Format: <https://f-droid.org/docs/All_our_APIs/#the-repo-index>, index version 2. The signature of `entry.jar` is not
//! verified; what is taken from the index is bound to the entry by its SHA-256, and the entry to the host by TLS.

use serde_json::Value;
use sha2::{Digest, Sha256};
use url::Url;

use super::{Found, Look, Next, Shape, Source, ask, at, day, is_package, json, number, text};
use crate::fetch::client::Page;
use crate::model::{Listing, hex};

pub(super) const SOURCE: Source = Source {
    name: "fdroid",
    title: ("F-Droid 仓库", "F-Droid repository"),
    example: "https://fdroid.example.gov.cn/fdroid/repo#cn.gov.example",
    begin,
};

/// The index of the largest public repository has 45 MB.
const MOST_INDEX: u64 = 256 << 20;

fn begin(url: &Url) -> Option<Box<dyn Look>> {
    let package = url.fragment().filter(|name| is_package(name))?.to_owned();
    let mut repository = url.clone();
    repository.set_fragment(None);
    repository.set_query(None);
    let path = url.path().trim_end_matches('/');
    if !path.ends_with("/repo") {
        return None;
    }
    repository.set_path(path);
    Some(Box::new(Fdroid { repository, package, index: None }))
}

struct Fdroid {
    repository: Url,
    package: String,
    /// Digest that the index must have.
    index: Option<String>,
}

impl Fdroid {
    /// The address of a file of the repository. Names come from the repository and must not lead out of it.
    fn file(&self, name: &str) -> Result<Url, Shape> {
        let name = name.trim_start_matches('/');
        let sound =
            !name.is_empty() && !name.split('/').any(|part| part == "..") && !name.contains([':', '\\']);
        let address = format!("{}/{name}", self.repository);
        sound
            .then(|| Url::parse(&address).ok())
            .flatten()
            .ok_or_else(|| Shape(format!("a file name, not {name:?}")))
    }
}

impl Look for Fdroid {
    fn next(&mut self, page: Option<&Page>) -> Result<Next, Shape> {
        let Some(page) = page else {
            return Ok(Next::Ask(Box::new(ask(self.file("entry.json")?.as_str())?)));
        };
        let Some(digest) = &self.index else {
            let entry = json(page)?;
            let name = text(&entry, "index/name").ok_or_else(|| Shape("index/name".into()))?;
            let digest = text(&entry, "index/sha256").ok_or_else(|| Shape("index/sha256".into()))?;
            self.index = Some(digest.to_ascii_lowercase());
            return Ok(Next::Ask(Box::new(ask(self.file(&name)?.as_str())?.up_to(MOST_INDEX))));
        };
        if hex(&Sha256::digest(&page.bytes)) != *digest {
            return Err(Shape(format!("an index with the digest {digest}")));
        }
        let index = json(page)?;
        let Ok(app) = at(&index, &format!("packages/{}", self.package)) else { return Ok(Next::Absent) };
        let versions = at(app, "versions")?.as_object().ok_or_else(|| Shape("versions".into()))?;
        let newest = versions.values().max_by_key(|version| number(version, "manifest/versionCode"));
        let version = newest.ok_or_else(|| Shape("a version".into()))?;
        let file = text(version, "file/name").ok_or_else(|| Shape("file/name".into()))?;
        let listing = Listing {
            package: Some(self.package.clone()),
            name: at(app, "metadata/name").ok().and_then(localised),
            developer: text(app, "metadata/authorName"),
            version: text(version, "manifest/versionName"),
            updated: number(version, "added").and_then(|milliseconds| day(milliseconds / 1000)),
            sha256: text(version, "file/sha256").map(|digest| digest.to_ascii_lowercase()),
            bytes: number(version, "file/size").and_then(|size| size.try_into().ok()),
            ..Listing::default()
        };
        Ok(Next::Done(Box::new(Found { listing, package: Some(self.file(&file)?) })))
    }
}

/// The Chinese of a text in several languages, else the English, else any.
fn localised(texts: &Value) -> Option<String> {
    let texts = texts.as_object()?;
    let of = |start: &str| texts.iter().find(|(locale, _)| locale.starts_with(start)).map(|(_, text)| text);
    of("zh").or_else(|| of("en")).or_else(|| texts.values().next())?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{found, play};
    use super::*;

    const INDEX: &str = r#"{"packages":{"cn.gov.example":{"metadata":{"name":{"en-US":"Grid","zh-CN":"网格通"},
        "authorName":"某某科技"},"versions":{
        "a":{"added":1700000000000,"file":{"name":"/grid_1.apk","sha256":"aa","size":1},"manifest":{"versionCode":1,"versionName":"1.0"}},
        "b":{"added":1779035400000,"file":{"name":"/grid_10.apk","sha256":"BB","size":2},"manifest":{"versionCode":10,"versionName":"1.10"}}}}}}"#;

    fn entry(index: &str) -> String {
        let digest = hex(&Sha256::digest(index.as_bytes()));
        format!(r#"{{"timestamp":1,"index":{{"name":"/index-v2.json","sha256":"{digest}","size":1}}}}"#)
    }

    #[test]
    fn the_newest_version_is_taken() {
        let (asked, got) = found(SOURCE.example, &[&entry(INDEX), INDEX]);
        let paths: Vec<&str> = asked.iter().map(|ask| ask.url.path()).collect();
        assert_eq!(paths, ["/fdroid/repo/entry.json", "/fdroid/repo/index-v2.json"]);
        let listing = &got.listing;
        assert_eq!((listing.name.as_deref(), listing.version.as_deref()), (Some("网格通"), Some("1.10")));
        assert_eq!((listing.sha256.as_deref(), listing.updated.as_deref()), (Some("bb"), Some("2026-05-18")));
        assert_eq!(got.package.unwrap().as_str(), "https://fdroid.example.gov.cn/fdroid/repo/grid_10.apk");
    }

    #[test]
    fn an_index_that_is_not_the_one_named_is_not_read() {
        let other = INDEX.replace("grid_10", "evil_1");
        assert!(matches!(play(SOURCE.example, &[&entry(INDEX), &other]).1, Err(Shape(_))));
    }

    #[test]
    fn names_do_not_lead_out_of_the_repository() {
        for name in ["/../../evil.apk", "//evil.example/a.apk:8", "https://evil.example/a.apk", "a\\b"] {
            let index = INDEX.replace("/grid_10.apk", &name.replace('\\', "\\\\"));
            assert!(matches!(play(SOURCE.example, &[&entry(&index), &index]).1, Err(Shape(_))), "{name}");
        }
        let absent = "https://fdroid.example.gov.cn/fdroid/repo#cn.gov.other";
        assert!(matches!(play(absent, &[&entry(INDEX), INDEX]).1, Ok(Next::Absent)));
    }
}
