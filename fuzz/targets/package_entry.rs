//! One entry of a package that is good otherwise, so that the formats themselves see hostile bytes behind no archive
//! that had to be guessed. The first byte says which entry.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zhijian::decode::blob::Blob;
use zhijian::format::{Options, Silent, Source, inspect};

const MANIFEST: &[u8] = include_bytes!("../../fixtures/decode/AndroidManifest.axml");
const TABLE: &[u8] = include_bytes!("../../fixtures/decode/utf8.arsc");
const LAYOUT: &[u8] = include_bytes!("../../fixtures/decode/layout-main.axml");
const MODULE: &[u8] = br#"{"app":{"bundleName":"cn.gov.example"},"module":{"name":"entry","type":"entry","pages":"$profile:main_pages"}}"#;
const PAGES: &[u8] = br#"{"pages":["pages/index/index"],"window":{"navigationBarTitleText":"a"}}"#;
const PLIST: &[u8] = br#"<?xml version="1.0"?><plist version="1.0"><dict><key>CFBundleExecutable</key><string>A</string></dict></plist>"#;
const QUICK: &[u8] = br#"{"package":"cn.gov.example","name":"a","router":{"entry":"pages/index","pages":{"pages/index":{"component":"index"}}}}"#;

/// Kind of package and name of the entry; `seed.sh` knows the order.
const ENTRIES: &[(Kind, &str)] = &[
    (Kind::Apk, "AndroidManifest.xml"),
    (Kind::Apk, "resources.arsc"),
    (Kind::Apk, "classes.dex"),
    (Kind::Apk, "res/layout/main.xml"),
    (Kind::Apk, "assets/index.android.bundle"),
    (Kind::Apk, "assets/www/index.html"),
    (Kind::Apk, "assets/apps/__UNI__1/www/app-service.js"),
    (Kind::Apk, "assets/apps/__UNI__1/www/manifest.json"),
    (Kind::Apk, "lib/arm64-v8a/libapp.so"),
    (Kind::Apk, "assets/bin/Data/Managed/Metadata/global-metadata.dat"),
    (Kind::Apk, "META-INF/CERT.RSA"),
    (Kind::Apk, "res/drawable/qiandao.png"),
    (Kind::Hap, "module.json"),
    (Kind::Hap, "resources.index"),
    (Kind::Hap, "ets/modules.abc"),
    (Kind::Hap, "resources/base/profile/main_pages.json"),
    (Kind::Wxapkg, "app-config.json"),
    (Kind::Wxapkg, "app-service.js"),
    (Kind::Wxapkg, "page-frame.html"),
    (Kind::Wxapkg, "pages/index/index.html"),
    (Kind::Ipa, "Payload/A.app/Info.plist"),
    (Kind::Ipa, "Payload/A.app/A"),
    (Kind::Ipa, "Payload/A.app/zh-Hans.lproj/Localizable.strings"),
    (Kind::Ipa, "Payload/A.app/Main.nib"),
    (Kind::Ipa, "Payload/A.app/main.jsbundle"),
    (Kind::Rpk, "manifest.json"),
    (Kind::Rpk, "pages/index/index.js"),
];

#[derive(Clone, Copy)]
enum Kind {
    Apk,
    Hap,
    Wxapkg,
    Ipa,
    Rpk,
}

fuzz_target!(|data: &[u8]| {
    let Some((&choice, content)) = data.split_first() else { return };
    let (kind, name) = ENTRIES[usize::from(choice) % ENTRIES.len()];
    let mut files: Vec<(&str, &[u8])> = match kind {
        Kind::Apk => {
            vec![
                ("AndroidManifest.xml", MANIFEST),
                ("resources.arsc", TABLE),
                ("res/layout/main.xml", LAYOUT),
            ]
        }
        Kind::Hap => vec![("module.json", MODULE)],
        Kind::Ipa => vec![("Payload/A.app/Info.plist", PLIST)],
        Kind::Rpk => vec![("manifest.json", QUICK)],
        Kind::Wxapkg => vec![("app-config.json", PAGES), ("app-service.js", b"")],
    };
    files.retain(|(other, _)| *other != name);
    files.push((name, content));
    let bytes = match kind {
        Kind::Wxapkg => wxapkg(&files),
        _ => zip(&files),
    };
    let source = Source { blob: Blob::memory(bytes), name: "package.bin".to_owned() };
    if let Ok(inspection) = inspect(source, &Options::default(), &Silent) {
        let (_, _) = (inspection.coverage(), inspection.anomalies());
    }
});

/// An archive of stored entries. The checksums are zero, which is an anomaly and no obstacle.
fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in files {
        let mut fields = [20u16, 0x800, 0, 0, 0, 0, 0, 0, 0, 0, 0, name.len() as u16, 0];
        (fields[7], fields[8]) = (content.len() as u16, (content.len() >> 16) as u16);
        (fields[9], fields[10]) = (fields[7], fields[8]);
        let header: Vec<u8> = fields.iter().flat_map(|field| field.to_le_bytes()).collect();
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&header);
        directory.extend([0; 10]);
        directory.extend((out.len() as u32).to_le_bytes());
        directory.extend(name.as_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&header);
        out.extend(name.as_bytes());
        out.extend(*content);
    }
    let start = out.len() as u32;
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend((files.len() as u16).to_le_bytes());
    out.extend((files.len() as u16).to_le_bytes());
    out.extend((directory.len() as u32).to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

/// A container of a mini program.
fn wxapkg(files: &[(&str, &[u8])]) -> Vec<u8> {
    let index: usize = 4 + files.iter().map(|(name, _)| 13 + name.len()).sum::<usize>();
    let total: usize = files.iter().map(|(_, content)| content.len()).sum();
    let mut out = vec![0xBE, 0, 0, 0, 0];
    out.extend((index as u32).to_be_bytes());
    out.extend((total as u32).to_be_bytes());
    out.push(0xED);
    out.extend((files.len() as u32).to_be_bytes());
    let mut at = 14 + index;
    for (name, content) in files {
        out.extend((name.len() as u32 + 1).to_be_bytes());
        out.push(b'/');
        out.extend(name.as_bytes());
        out.extend((at as u32).to_be_bytes());
        out.extend((content.len() as u32).to_be_bytes());
        at += content.len();
    }
    files.iter().for_each(|(_, content)| out.extend(*content));
    out
}
