//! Web assets inside packages: HTML, JavaScript, JSON and plain text, one by one or as an app of web pages
//! (uni-app, Cordova, Capacitor, H5 folders).

mod data;
mod embedded;
mod library;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value;

use self::library::{document, document_title, library, locale_packs};
use super::unit::count;
use crate::decode::Issue;
use crate::decode::hermes;
use crate::decode::html::{self, Page, Part};
use crate::decode::js::Script;
use crate::link::mini_program::{self, Config, Parts, Source};
use crate::link::{script, web_app};
use crate::model::{
    Document, Fact, FactKind, Identity, Inspection, Origin, PartName, Place, Role, Screen, UiText, Usage,
    Widget,
};
use crate::text::has_cjk;

/// Longer plain texts and data files are word lists, dictionaries and maps.
const MAX_DATA: u64 = 1 << 20;
/// An app of web pages with more bytes of text assets is read file by file, without links between the files.
pub(super) const MAX_APP: u64 = 48 << 20;
/// Bytes behind the first words of a table of texts that belong to it, where no module tells.
const MAX_PACK: usize = 4_096;
/// Characters kept of one text.
pub(super) const MAX_TEXT: usize = 4_096;

/// Whether an entry is read as text, by its name.
pub(crate) fn is_text_asset(name: &str) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
    matches!(file.as_str(), "index.android.bundle" | "main.jsbundle")
        || file.rsplit_once('.').is_some_and(|(_, extension)| {
            matches!(
                extension,
                "html"
                    | "htm"
                    | "xhtml"
                    | "js"
                    | "mjs"
                    | "jsx"
                    | "json"
                    | "json5"
                    | "txt"
                    | "csv"
                    | "xml"
                    | "wxml"
                    | "vue"
                    | "md"
                    | "properties"
                    | "hbs"
                    | "ejs"
                    | "tpl"
            )
        })
}

/// Whether a text asset is too long to be anything but data: a word list, a map, a dictionary.
pub(crate) fn is_data(name: &str, size: u64) -> bool {
    let plain = name.rsplit_once('.').is_some_and(|(_, extension)| {
        matches!(extension, "txt" | "csv" | "xml" | "md" | "properties" | "json" | "json5")
    });
    plain && size > MAX_DATA
}

/// Reads one text asset and counts it.
pub(crate) fn read_text_asset(path: &str, bytes: &[u8], inspection: &mut Inspection) {
    read_app(&[(Arc::from(path), bytes)], inspection);
}

/// Reads the text assets of one app of web pages, by path and content, and counts them. Scripts get the page that
/// loads them or that their router names for them. Tells who the app says it is.
pub(crate) fn read_app<B>(files: &[(Arc<str>, B)], inspection: &mut Inspection) -> Option<Identity>
where
    B: AsRef<[u8]> + Sync,
{
    read_within(files, 0, inspection)
}

fn read_within<B>(files: &[(Arc<str>, B)], depth: u8, inspection: &mut Inspection) -> Option<Identity>
where
    B: AsRef<[u8]> + Sync,
{
    let (kind, format) = (inspection.kind, inspection.format);
    let mut opened: Vec<(Inspection, Opened<'_>)> = files
        .par_iter()
        .map(|(path, bytes)| {
            let mut found = Inspection::new(kind, format);
            let opened = Opened::new(path, bytes.as_ref(), &mut found);
            (found, opened)
        })
        .collect();
    for (found, _) in &mut opened {
        inspection.absorb(std::mem::replace(found, Inspection::new(kind, format)));
    }
    let read: Vec<(Inspection, Vec<Source<'_>>)> = opened
        .par_iter()
        .map(|(_, opened)| {
            let mut found = Inspection::new(kind, format);
            let sources = opened.sources(depth, &mut found);
            (found, sources)
        })
        .collect();
    let mut config = Config::default();
    opened.iter().for_each(|(_, opened)| opened.configure(&mut config));
    let loaders = loaders(opened.iter().map(|(_, opened)| opened));
    let mut scripts = Vec::new();
    for (found, sources) in read {
        inspection.absorb(found);
        scripts.extend(sources);
    }
    for source in scripts.iter_mut().filter(|source| source.screen.is_none()) {
        source.screen = loaders.get(&source.path).cloned().flatten();
    }
    web_app::divide(&mut config, &mut scripts);
    let keys = web_app::keys(&scripts);
    let mut identity = None;
    for (_, opened) in &opened {
        identity = identity.or(opened.data(&keys, inspection));
    }
    mini_program::link(&Parts { config, scripts, ..Parts::default() }, inspection);
    identity
}

/// The page that loads a script, by the script's path; `None` where several do.
fn loaders<'o>(opened: impl Iterator<Item = &'o Opened<'o>>) -> HashMap<Arc<str>, Option<Screen>> {
    let mut loaders: HashMap<Arc<str>, Option<Screen>> = HashMap::new();
    for opened in opened {
        let Content::Page(page) = &opened.content else { continue };
        let screen = opened.asset.screen(page);
        let scripts: HashSet<Arc<str>> =
            page.linked.iter().map(|name| web_app::beside(&opened.asset.path, name)).collect();
        for script in scripts {
            loaders.entry(script).and_modify(|screen| *screen = None).or_insert_with(|| Some(screen.clone()));
        }
    }
    loaders
}

/// The folder of the app of web pages that an asset of a package belongs to: `assets/apps/__UNI__1/www/`.
pub(crate) fn app_folder(path: &str) -> &str {
    if let Some(at) = path.find("/www/") {
        return &path[..at + 5];
    }
    let end = path.match_indices('/').map(|(at, _)| at + 1).take(2).last();
    &path[..end.unwrap_or_default()]
}

/// A file, opened.
struct Opened<'a> {
    asset: Asset,
    bytes: &'a [u8],
    content: Content,
}

/// What is in a file.
enum Content {
    Page(Page),
    Script,
    Json(Value),
    /// JSON that is none, with the reason: its strings are still literals.
    LikeJson(String),
    /// Read already.
    Done,
}

impl<'a> Opened<'a> {
    fn new(path: &Arc<str>, bytes: &'a [u8], inspection: &mut Inspection) -> Self {
        let asset = Asset { path: path.clone(), library: library(path, bytes), document: document(path) };
        let content = if bytes.starts_with(&hermes::MAGIC) {
            super::native::read_hermes(path, bytes, inspection);
            Content::Done
        } else {
            match extension(path, bytes).as_str() {
                "html" | "htm" | "xhtml" | "wxml" | "vue" | "hbs" | "ejs" | "tpl" => {
                    Content::Page(html::read(&html::decode(bytes)))
                }
                "js" | "mjs" | "jsx" | "bundle" | "jsbundle" => Content::Script,
                "json" | "json5" => {
                    match serde_json::from_str(html::decode(bytes).trim_start_matches('\u{FEFF}')) {
                        Ok(value) => Content::Json(value),
                        Err(error) => Content::LikeJson(error.to_string()),
                    }
                }
                _ => {
                    asset.plain(&html::decode(bytes), inspection);
                    Content::Done
                }
            }
        };
        Opened { asset, bytes, content }
    }

    /// Reads the scripts of the file, and what of it stands for itself.
    fn sources(&self, depth: u8, inspection: &mut Inspection) -> Vec<Source<'_>> {
        let place = Place::entry(self.asset.path.clone());
        let mut issues = Vec::new();
        let mut sources = Vec::new();
        match &self.content {
            Content::Page(page) => {
                self.asset.page(page, inspection);
                let screen = self.asset.screen(page);
                issues.extend(page.issues.iter().cloned());
                for (offset, text) in &page.scripts {
                    let mut source = self.asset.source(text.as_bytes(), offset.unwrap_or_default());
                    issues.append(&mut source.script.issues);
                    sources.push(Source { screen: Some(screen.clone()), ..source });
                }
                embedded::in_text(&self.asset.path, self.bytes, depth, inspection);
                count(inspection, PartName::Text, &place, issues);
            }
            Content::Script => {
                let mut source = self.asset.source(self.bytes, 0);
                issues.append(&mut source.script.issues);
                embedded::in_script(&self.asset.path, self.bytes, &source.script, depth, inspection);
                if self.asset.path.ends_with("cordova_plugins.js") {
                    for (offset, id) in data::cordova_plugins(self.bytes) {
                        let place = Place::offset(self.asset.path.clone(), offset as u64);
                        inspection.facts.push(Fact::new(FactKind::Sdk, id, place));
                    }
                }
                if !web_app::is_uni_config(&self.asset.path) {
                    sources.push(source);
                }
                count(inspection, PartName::Js, &place, issues);
            }
            Content::LikeJson(error) => {
                let mut source = self.asset.source(self.bytes, 0);
                issues.extend(source.script.issues.drain(..).filter(|issue| !issue.lossy));
                issues.push(Issue::odd("json.malformed", None, error.as_str()));
                sources.push(source);
                count(inspection, PartName::Text, &place, issues);
            }
            Content::Json(_) => {
                embedded::in_text(&self.asset.path, self.bytes, depth, inspection);
                inspection.read(PartName::Text);
            }
            Content::Done => {}
        }
        sources
    }

    /// Adds what the file says of the app's pages.
    fn configure(&self, config: &mut Config) {
        let path = &*self.asset.path;
        let place = || Place::entry(self.asset.path.clone());
        match &self.content {
            Content::Script if web_app::is_uni_config(path) => {
                let value = |name| web_app::assigned(self.bytes, name).unwrap_or_default();
                config.add_uni(&value("__uniConfig"), &value("__uniRoutes"), place());
            }
            Content::Json(value) if path.ends_with("pages.json") => config.add_pages_json(value, place()),
            _ => {}
        }
    }

    /// Reads the file as data.
    fn data(&self, keys: &HashSet<&str>, inspection: &mut Inspection) -> Option<Identity> {
        let Content::Json(value) = &self.content else { return None };
        let pages = self.asset.path.ends_with("pages.json") && value["pages"].is_array();
        if pages || self.bytes.len() as u64 > MAX_DATA {
            return None;
        }
        self.asset.json(value, keys, inspection)
    }
}

/// The ending that tells what a file is; a document in Base64 has no name of its own.
fn extension(path: &str, bytes: &[u8]) -> String {
    if path.contains(embedded::MARK) {
        return embedded::extension(bytes).to_owned();
    }
    path.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase()
}

struct Asset {
    path: Arc<str>,
    library: Option<&'static str>,
    document: Option<Document>,
}

impl Asset {
    fn text(&self, text: &str, role: Role, offset: Option<usize>) -> UiText {
        let place = match offset {
            Some(offset) => Place::offset(self.path.clone(), offset as u64),
            None => Place::entry(self.path.clone()),
        };
        let text = text.char_indices().nth(MAX_TEXT).map_or(text, |(at, _)| &text[..at]);
        let mut found = UiText::new(text, role, place);
        found.usage = Usage::Used;
        found.document = self.document;
        found.chain = vec![self.path.to_string()];
        if let Some(library) = self.library {
            found.origin = Origin::Library(Arc::from(library));
        }
        found
    }

    fn screen(&self, page: &Page) -> Screen {
        Screen { name: self.path.to_string(), title: page.title.clone(), reachable: true }
    }

    /// A script that begins at an offset of the asset.
    fn source<'s>(&self, text: &'s [u8], base: usize) -> Source<'s> {
        let script = Script::read(text, script::FILTER);
        let packs = locale_packs(text).into_iter().map(|(at, name)| {
            let modules = [&script.bundled, &script.declarations].into_iter().flatten();
            let around = modules.map(|module| module.start..module.end).find(|range| range.contains(&at));
            // A file of its own, or the words just behind.
            (around.unwrap_or(at..(at + MAX_PACK).min(text.len())), name)
        });
        Source {
            path: self.path.clone(),
            libraries: packs.collect(),
            script,
            base,
            web: true,
            library: self.library,
            document: self.document,
            ..Source::default()
        }
    }

    fn page(&self, page: &Page, inspection: &mut Inspection) {
        let screen = self.screen(page);
        let named = page.title.as_deref().and_then(document_title);
        for shown in &page.texts {
            if !shown.text.chars().any(char::is_alphabetic)
                || shown.text.contains("{{") && !has_cjk(&shown.text)
            {
                continue;
            }
            let prose = shown.text.chars().count() > 60;
            let role = match shown.part {
                Part::Control => Role::Control,
                Part::Title => Role::Title,
                Part::Hint => Role::Hint,
                Part::Label if prose => Role::Document,
                Part::Label => Role::Label,
            };
            let mut text = self.text(&shown.text, role, shown.offset);
            text.screen = Some(screen.clone());
            text.document = text.document.or(named);
            let operable = role == Role::Control;
            let handler = shown.action.clone().filter(|_| operable);
            text.chain.extend(handler.clone());
            text.widget = Some(Widget { class: shown.tag.clone(), id: shown.id.clone(), handler, operable });
            inspection.texts.push(text);
        }
        let route = Fact::new(FactKind::Route, &*self.path, Place::entry(self.path.clone()));
        inspection.facts.push(Fact { screen: Some(screen), ..self.fact(route) });
    }

    fn fact(&self, mut fact: Fact) -> Fact {
        if let Some(library) = self.library {
            fact.origin = Origin::Library(Arc::from(library));
        }
        fact
    }

    /// Plain text: help, licences, lists. What stands there is a mention at most.
    fn plain(&self, source: &str, inspection: &mut Inspection) {
        inspection.read(PartName::Text);
        if source.len() as u64 > MAX_DATA {
            return;
        }
        let start = source.as_ptr() as usize;
        for line in source.lines().map(str::trim).filter(|line| has_cjk(line)) {
            let mut text = self.text(line, Role::Document, Some(line.as_ptr() as usize - start));
            text.document = text.document.or(Some(Document::Help));
            inspection.texts.push(text);
        }
    }
}

pub(super) fn is_file(address: &str) -> bool {
    let path = address.split('?').next().unwrap_or(address);
    [
        ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".js", ".css", ".html", ".mp3", ".mp4", ".ttf",
        ".woff", ".vue", ".ico", ".map",
    ]
    .iter()
    .any(|ending| path.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TargetKind;

    fn read(files: &[(&str, &str)]) -> Inspection {
        let files: Vec<(Arc<str>, &[u8])> =
            files.iter().map(|(path, text)| (Arc::from(*path), text.as_bytes())).collect();
        let mut inspection = Inspection::new(TargetKind::App, "apk");
        read_app(&files, &mut inspection);
        inspection
    }

    fn text<'i>(inspection: &'i Inspection, wanted: &str) -> &'i UiText {
        inspection.texts.iter().find(|text| text.text == wanted).unwrap_or_else(|| {
            let all: Vec<&str> = inspection.texts.iter().map(|text| text.text.as_str()).collect();
            panic!("{wanted} not in {all:?}")
        })
    }

    fn screen(text: &UiText) -> Option<(&str, Option<&str>)> {
        text.screen.as_ref().map(|screen| (screen.name.as_str(), screen.title.as_deref()))
    }

    #[test]
    fn a_script_is_on_the_page_that_alone_loads_it() {
        let found = read(&[
            (
                "assets/www/index.html",
                "<title>首页</title><script src='js/app.js?v=1'></script><script src=./js/util.js></script>",
            ),
            ("assets/www/rank.html", "<title>榜单</title><script src='js/util.js'></script>"),
            ("assets/www/js/app.js", "toast('每日签到')"),
            ("assets/www/js/util.js", "toast('网络错误')"),
        ]);
        assert_eq!(screen(text(&found, "每日签到")), Some(("assets/www/index.html", Some("首页"))));
        assert_eq!(screen(text(&found, "网络错误")), None);
    }

    #[test]
    fn router_tables_name_the_pages_of_webpack_modules() {
        let app = "(window.webpackJsonp=window.webpackJsonp||[]).push([['app'],{'56d7':function(t,e,n){\
            var r=new Router({routes:[{path:'/rank',name:'rank',meta:{title:'积分榜单'},component:function(){return n.e('a').then(n.bind(null,'4b2c'))}},\
            {path:'/user',component:n('7c15').default,children:[{path:'mine',meta:{title:'我的'},component:n('beef')}]}]})},\
            '7c15':function(t,e,n){t.x=n('f0c5');t.exports={data(){return{t:'个人中心'}}}},beef:function(t,e,n){h('p','我的积分')},\
            f0c5:function(t,e,n){n('0001');a.toast('公共提示')}}]);";
        let chunk = "(window.webpackJsonp=window.webpackJsonp||[]).push([['a'],{'4b2c':function(t,e,n){n('f0c5');\
            var b=n('aaaa');t.exports={methods:{load:function(){this.$http.get('/score/rank/list')}},render:function(){var e=this;\
            return h('button',{on:{click:e.load}},[e._v('刷新排行榜')])}}},aaaa:function(t,e,n){t.x='第一名'}}]);";
        let found = read(&[("assets/www/js/app.js", app), ("assets/www/js/chunk.js", chunk)]);
        assert_eq!(screen(text(&found, "刷新排行榜")), Some(("rank", Some("积分榜单"))));
        assert_eq!(screen(text(&found, "第一名")), Some(("rank", Some("积分榜单"))));
        assert_eq!(screen(text(&found, "个人中心")), Some(("user", None)));
        assert_eq!(screen(text(&found, "我的积分")), Some(("user/mine", Some("我的"))));
        // Two pages need it.
        assert_eq!(screen(text(&found, "公共提示")), None);
        let title = text(&found, "积分榜单");
        assert_eq!((title.role, screen(title)), (Role::Title, Some(("rank", Some("积分榜单")))));
        let button = text(&found, "刷新排行榜");
        let widget = button.widget.as_ref().unwrap();
        assert_eq!((widget.class.as_str(), widget.handler.as_deref()), ("button", Some("load")));
        assert!(button.chain.contains(&"/score/rank/list".to_owned()), "{:?}", button.chain);
        assert!(found.facts.iter().any(|fact| fact.kind == FactKind::Route && fact.value == "/rank"));
    }

    #[test]
    fn documents_in_base64_are_read_as_documents() {
        let page = format!(
            "<html><title>学习打卡</title><body><button onclick='go()'>立即打卡</button><p>{}</p></body></html>",
            "规则".repeat(120)
        );
        let inner = data_encoding::BASE64.encode(page.as_bytes());
        let script = format!("var frame='data:text/html;base64,{inner}';{}", "show(1);".repeat(40));
        let outer = data_encoding::BASE64.encode(format!("var x=1;{script}").as_bytes());
        let found = read(&[("assets/www/a.js", &format!("eval(atob('{outer}'))"))]);
        let button = text(&found, "立即打卡");
        assert_eq!(button.role, Role::Control);
        assert_eq!(&*button.place.path, "assets/www/a.js!base64@0xa!base64@0x12");
        // A third one inside is one too many.
        let deepest = data_encoding::BASE64.encode(format!("var y='{outer}';").as_bytes());
        let found = read(&[("assets/www/a.js", &format!("eval(atob('{deepest}'))"))]);
        assert!(found.has_gaps());
        let cut = &outer[..outer.len() - 7];
        let found = read(&[("assets/www/a.js", &format!("eval(atob('{cut}!'))"))]);
        assert!(
            found.anomalies().iter().any(|anomaly| anomaly.code == "base64.malformed") || !found.has_gaps()
        );
    }

    #[test]
    fn described_pages_give_roles_by_component() {
        let found = read(&[(
            "assets/www/form.json",
            r#"{"widgets":[{"type":"button","label":"打卡","action":"submitPunch"},{"type":"input","label":"姓名",
            "placeholder":"请输入姓名"},{"type":"navbar","title":"每日报送"},{"type":2,"name":"其他"},
            {"name":"签到","icon":"sign.png"}]}"#,
        )]);
        let button = text(&found, "打卡");
        assert_eq!(button.role, Role::Control);
        assert_eq!(button.widget.as_ref().unwrap().handler.as_deref(), Some("submitPunch"));
        assert_eq!(text(&found, "姓名").role, Role::Label);
        assert_eq!(text(&found, "请输入姓名").role, Role::Hint);
        assert_eq!(text(&found, "每日报送").role, Role::Title);
        assert_eq!(text(&found, "其他").role, Role::Code);
        assert_eq!(text(&found, "签到").role, Role::Item);
    }

    #[test]
    fn texts_by_language_are_used_where_code_asks_for_them() {
        let table = r#"{"home":{"punch":"打卡"},"old":{"rank":"积分榜"}}"#;
        let found = read(&[
            ("assets/www/locale/zh-CN.json", table),
            ("assets/www/app.js", "h('button',this.$t('home.punch'))"),
        ]);
        let punch = text(&found, "打卡");
        assert_eq!((punch.role, punch.usage), (Role::Resource, Usage::Used));
        assert_eq!((punch.locale.as_deref(), punch.key.as_deref()), (Some("zh-CN"), Some("home.punch")));
        assert_eq!(text(&found, "积分榜").usage, Usage::Unreferenced);
        let found = read(&[("assets/www/locale/zh-CN.json", table)]);
        assert_eq!(text(&found, "积分榜").usage, Usage::Unknown);
    }

    #[test]
    fn frameworks_tell_plugins_and_addresses() {
        let plugins = r#"cordova.define('cordova/plugin_list',function(require,exports,module){module.exports=[
            {"id":"cordova-plugin-geolocation.geolocation","file":"plugins/g.js","pluginId": "cordova-plugin-geolocation"},
            {"id":"x.y","pluginId":"cordova-plugin-camera"},{"id":"x.z","pluginId":"cordova-plugin-camera"}];});"#;
        let config = r#"{"appId":"cn.gov.example.app","server":{"url":"https://app.example.gov.cn/m"}}"#;
        let found =
            read(&[("assets/www/cordova_plugins.js", plugins), ("assets/capacitor.config.json", config)]);
        let sdks: Vec<&str> =
            found.facts.iter().filter(|f| f.kind == FactKind::Sdk).map(|f| f.value.as_str()).collect();
        assert_eq!(sdks, ["cordova-plugin-geolocation", "cordova-plugin-camera"]);
        let gaps = found.coverage().gaps;
        assert!(gaps.iter().any(|gap| gap.detail.contains("https://app.example.gov.cn/m")), "{gaps:?}");
    }

    #[test]
    fn uni_app_in_its_older_form_names_its_pages() {
        let pages = r#"{"pages":[{"path":"pages/sign/sign","style":{"navigationBarTitleText":"到岗"}}],
            "subPackages":[{"root":"sub","pages":[{"path":"rank/rank","style":{"navigationBarTitleText":"榜单"}}]}],
            "tabBar":{"list":[{"pagePath":"pages/sign/sign","text":"打卡"}]}}"#;
        let service = "(this['webpackJsonp']=this['webpackJsonp']||[]).push([['app-service'],{'6cdc':function(t,e,n){\
            __definePage('sub/rank/rank',(function(){return Vue.extend(n('4fd6').default)}))},'4fd6':function(t,e,n){a('积分榜')}}]);";
        let found =
            read(&[("assets/apps/H5/www/pages.json", pages), ("assets/apps/H5/www/app-service.js", service)]);
        let tab = text(&found, "打卡");
        assert_eq!((tab.role, screen(tab)), (Role::Control, Some(("pages/sign/sign", Some("到岗")))));
        assert_eq!(screen(text(&found, "积分榜")), Some(("sub/rank/rank", Some("榜单"))));
    }

    #[test]
    fn texts_that_component_libraries_bring_along_are_theirs() {
        let found = read(&[(
            "assets/www/js/app.js",
            "(window.webpackJsonp=[]).push([['app'],{'1a2b':function(t,e){e.default={name:'姓名',vanCalendar:{end:'结束'},\
             vanCoupon:{tip:'优惠券'}}},'3c4d':function(t,e,n){h('p','我的优惠券')}}]);",
        )]);
        assert_eq!(text(&found, "优惠券").origin, Origin::Library("Vant".into()));
        assert_eq!(text(&found, "我的优惠券").origin, Origin::App);
    }

    #[test]
    fn logs_and_comments_are_no_texts_of_the_interface() {
        let found = read(&[(
            "assets/www/a.js",
            "/* 打卡一 */console.log('打卡二');uni.report('sign','打卡三');!function(e,t,...n){console[e](t)}('log','at App.vue:4','打卡四');\
             __f__('log','at a.vue:1','打卡五')//打卡六",
        )]);
        let roles: Vec<Role> = found.texts.iter().map(|text| text.role).collect();
        assert_eq!(roles, [Role::Comment, Role::Log, Role::Log, Role::Log, Role::Log, Role::Comment]);
    }

    #[test]
    fn any_bytes_are_read() {
        let source =
            "{\"a\":[1,{\"path\":\"/x\",\"t\":'打'}]}<p onclick=f>卡</p>data:text/html;base64,PGE+`${";
        let mut state = 7u32;
        for name in ["a/x.js", "a/x.json", "a/x.html", "a/app-config-service.js", "a/pages.json", "a/zh.json"]
        {
            for cut in 0..source.len() {
                if source.is_char_boundary(cut) {
                    read(&[(name, &source[..cut])]);
                }
                let mut bytes = source.as_bytes().to_vec();
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                bytes[cut] = (state >> 24) as u8;
                let mut inspection = Inspection::new(TargetKind::App, "apk");
                read_app(&[(Arc::from(name), bytes)], &mut inspection);
            }
        }
    }

    #[test]
    fn the_folder_of_an_app_is_told_by_the_path() {
        assert_eq!(app_folder("assets/apps/__UNI__1/www/js/a.js"), "assets/apps/__UNI__1/www/");
        assert_eq!(app_folder("assets/public/js/a.js"), "assets/public/");
        assert_eq!(app_folder("assets/a.js"), "assets/");
        assert_eq!(app_folder("a.js"), "");
    }
}
