//! Third-party scripts and documents among web assets, by path, banner and title.

use crate::model::Document;

/// Agreements, policies and help pages by their path.
pub(super) fn document(path: &str) -> Option<Document> {
    let lower = path.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&["privacy", "agreement", "xieyi", "yinsi", "protocol", "terms"]) {
        Some(Document::Agreement)
    } else if has(&["license", "licence", "licensing", "notice", "readme", "changelog", "help", "faq"]) {
        Some(Document::Help)
    } else {
        None
    }
}

pub(super) fn document_title(title: &str) -> Option<Document> {
    if ["隐私", "协议", "服务条款"].iter().any(|word| title.contains(word)) {
        Some(Document::Agreement)
    } else if ["帮助", "使用说明", "常见问题", "许可"].iter().any(|word| title.contains(word)) {
        Some(Document::Help)
    } else {
        None
    }
}

/// Third-party scripts by file name, or by the banner at their head.
pub(super) fn library(path: &str, bytes: &[u8]) -> Option<&'static str> {
    const NAMES: &[(&str, &str)] = &[
        ("jquery", "jQuery"),
        ("vue", "Vue"),
        ("react", "React"),
        ("angular", "Angular"),
        ("echarts", "ECharts"),
        ("highcharts", "Highcharts"),
        ("vant", "Vant"),
        ("element-ui", "Element UI"),
        ("swiper", "Swiper"),
        ("video.", "Video.js"),
        ("videojs", "Video.js"),
        ("pdf.", "PDF.js"),
        ("tinymce", "TinyMCE"),
        ("ckeditor", "CKEditor"),
        ("ueditor", "UEditor"),
        ("mathjax", "MathJax"),
        ("bootstrap", "Bootstrap"),
        ("layui", "layui"),
        ("layer.", "layui"),
        ("weui", "WeUI"),
        ("zepto", "Zepto"),
        ("moment", "Moment"),
        ("three.", "three.js"),
        ("cordova", "Cordova"),
        ("mui.", "MUI"),
        ("lodash", "Lodash"),
        ("polyfill", "polyfill"),
        ("uni-app-", "uni-app runtime"),
        ("uniapp", "uni-app runtime"),
        ("__uniapp", "uni-app runtime"),
        ("ionic", "Ionic"),
        ("framework7", "Framework7"),
        ("fastclick", "FastClick"),
        ("iscroll", "iScroll"),
        ("require.", "RequireJS"),
        ("wangeditor", "wangEditor"),
        ("view.umd", "uni-app runtime"),
        ("uni.umd", "uni-app runtime"),
        ("chunk-vendors", "npm packages"),
        ("vendors", "npm packages"),
        ("vendor-", "npm packages"),
        ("vendor.", "npm packages"),
        ("chunk-elementui", "Element UI"),
        ("chunk-libs", "npm packages"),
        ("element-plus", "Element Plus"),
        ("ant-design", "Ant Design"),
        ("antd", "Ant Design"),
        ("uview", "uView"),
        ("cube-ui", "cube-ui"),
        ("mint-ui", "Mint UI"),
        ("iview", "iView"),
    ];
    let file = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    if let Some((_, name)) = NAMES
        .iter()
        .find(|(name, _)| file.starts_with(name) && (file.ends_with(".js") || file.contains("uniapp")))
    {
        return Some(name);
    }
    let folders =
        ["/node_modules/", "/plugins/cordova-", "/ueditor/", "/element-ui/", "/vant/", "/ant-design-vue/"];
    if folders.iter().any(|folder| path.contains(folder)) {
        return Some("web library");
    }
    let banner = bytes.get(..400).unwrap_or(bytes);
    let is_banner = banner.starts_with(b"/*!") || banner.starts_with(b"/**") || banner.starts_with(b"/*");
    let licensed = |word: &[u8]| memchr::memmem::find(banner, word).is_some();
    (is_banner
        && (licensed(b"MIT")
            || licensed(b"Licensed under")
            || licensed(b"@license")
            || licensed(b"Apache License")))
    .then_some("web library")
}

/// Where tables of texts of component libraries are in a script: they come whole into every app that uses one
/// component, and speak of coupons and orders in apps that have neither.
pub(super) fn locale_packs(source: &[u8]) -> Vec<(usize, &'static str)> {
    const MARKS: [(&[u8], &str); 5] = [
        (b"vanCalendar:", "Vant"),
        (b"vanCouponCell:", "Vant"),
        (b"el:{colorpicker:", "Element UI"),
        (b"el:{breadcrumb:", "Element Plus"),
        (b"PopconfirmLocale:", "Ant Design"),
    ];
    let found = |(mark, name): (&[u8], &'static str)| {
        memchr::memmem::find_iter(source, mark).take(16).map(|at| (at, name)).collect::<Vec<_>>()
    };
    MARKS.into_iter().flat_map(found).collect()
}
