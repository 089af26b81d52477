//! Packers (加固) by what they leave in a package: loader libraries, stub `Application` classes, payloads.
//!
//! The names are what the products' own loaders are called in public samples and in the lists of APKiD (issues
//! #374, #469, #470). A loader alone does not prove that the code is hidden; the caller compares the manifest
//! with the dex files for that.

/// A packing product.
#[derive(Debug)]
struct Product {
    /// Name in Chinese and in Latin letters.
    name: &'static str,
    /// Starts of library file names.
    libraries: &'static [&'static str],
    /// `Application` classes, dotted, or their packages.
    stubs: &'static [&'static str],
    /// Starts of file names under `assets/`.
    payloads: &'static [&'static str],
}

const PRODUCTS: &[Product] = &[
    Product {
        name: "360加固 (Qihoo 360 Jiagu)",
        libraries: &["libjiagu", "libprotectClass"],
        stubs: &["com.stub.StubApp", "com.qihoo.util."],
        payloads: &["libjiagu", ".appkey.jiagu", "jiagu_"],
    },
    Product {
        name: "腾讯乐固 (Tencent Legu)",
        libraries: &[
            "libshella",
            "libshellx",
            "libshell-super",
            "libshell.so",
            "libtup.so",
            "liblegudzanjava",
        ],
        stubs: &["com.tencent.StubShell.", "com.wrapper.proxyapplication."],
        payloads: &["0OO00l111l1l", "tosversion", "libshella", "o0oooOO0ooOo.dat"],
    },
    Product {
        name: "梆梆安全 (Bangcle SecNeo)",
        libraries: &["libDexHelper", "libSecShell", "libsecexe", "libsecmain", "libsecpreload"],
        stubs: &["com.secneo.apkwrapper.", "com.bangcle.", "com.SecShell.", "com.secshell."],
        payloads: &["secData0.jar", "bangcle_classes.jar", "libsecexe", "libsecmain"],
    },
    Product {
        name: "爱加密 (ijiami)",
        libraries: &["libexec.so", "libexecmain", "libexecgame"],
        stubs: &["com.shell.SuperApplication", "s.h.e.l.l.", "com.ijm.", "com.shell.NativeApplication"],
        payloads: &["ijiami.dat", "ijiami.ajm", "ijm_lib", "IJMDal.Data", "af.bin"],
    },
    Product {
        name: "百度加固 (Baidu Protect)",
        libraries: &["libbaiduprotect", "libbdprotect"],
        stubs: &["com.baidu.protect."],
        payloads: &["baiduprotect"],
    },
    Product {
        name: "阿里聚安全 (Alibaba Mobisec)",
        libraries: &["libmobisec", "libdemolish", "libpreverify1", "libzuma"],
        stubs: &["com.ali.mobisecenhance."],
        payloads: &["aliprotect.dat", "libpreverify1"],
    },
    Product {
        name: "网易易盾 (NetEase Yidun)",
        libraries: &["libnesec"],
        stubs: &["com.netease.nis.wrapper.", "com.netease.nis.bugrpt.wrapper."],
        payloads: &["nis_wrapper", "clazz.jar"],
    },
    Product {
        name: "娜迦 (Nagapt)",
        libraries: &["libchaosvmp", "libddog", "libfdog", "libedog", "libxloader"],
        stubs: &["com.nagapt.", "com.edog."],
        payloads: &["dexfkhh"],
    },
    Product {
        name: "顶象 (Dingxiang)",
        libraries: &["libx3g", "libvdog"],
        stubs: &["com.security.shell.", "cn.securitystack."],
        payloads: &["dx_payload"],
    },
    Product {
        name: "几维安全 (KiwiSec)",
        libraries: &["libkwscmm", "libkwscr", "libkwslinker", "libkdp", "libKwProtectSDK"],
        stubs: &["com.kiwisec.", "com.kiwivm."],
        payloads: &["dex.dat"],
    },
    Product {
        name: "通付盾 (PayEgis)",
        libraries: &["libegis", "libNSaferOnly"],
        stubs: &["com.payegis."],
        payloads: &["egis"],
    },
    Product {
        name: "APKProtect",
        libraries: &["libAPKProtect"],
        stubs: &["com.apkprotect."],
        payloads: &["apkprotect"],
    },
];

/// Something of a packer in a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Trace {
    /// The product.
    pub(crate) product: &'static str,
    /// Entry path, or the class name for a stub.
    pub(crate) place: String,
}

/// Traces among entries (name in the package, path in places) and the manifest's `Application` class. A payload counts only beside a library or
/// a stub of the same product: its name alone may be anybody's.
pub(crate) fn traces<'a>(
    entries: impl Iterator<Item = (&'a str, &'a str)>,
    application: Option<&str>,
) -> Vec<Trace> {
    let mut found = Vec::new();
    let mut payloads = Vec::new();
    let trace = |product: &Product, place: &str| Trace { product: product.name, place: place.to_owned() };
    if let Some(class) = application {
        let stub = |product: &&Product| product.stubs.iter().any(|stub| class.starts_with(stub));
        found.extend(PRODUCTS.iter().filter(stub).map(|product| trace(product, class)));
    }
    for (name, path) in entries {
        let file = name.rsplit('/').next().unwrap_or(name);
        let starts = |names: &[&str]| names.iter().any(|name| file.starts_with(name));
        if file.ends_with(".so") {
            found.extend(PRODUCTS.iter().filter(|p| starts(p.libraries)).map(|p| trace(p, path)));
        } else if name.starts_with("assets/") {
            payloads.extend(PRODUCTS.iter().filter(|p| starts(p.payloads)).map(|p| trace(p, path)));
        }
    }
    payloads.retain(|payload| found.iter().any(|known| known.product == payload.product));
    found.append(&mut payloads);
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loaders_and_stubs_are_told() {
        let entries = ["lib/arm64-v8a/libjiagu.so", "assets/jiagu_data"];
        let found = traces(entries.into_iter().map(|name| (name, name)), Some("com.stub.StubApp"));
        assert_eq!(found.len(), 3);
        assert!(found.iter().all(|trace| trace.product.starts_with("360加固")));
    }

    #[test]
    fn ordinary_libraries_and_lone_payload_names_are_not() {
        let entries = [
            "lib/arm64-v8a/libexecutor.so",
            "lib/arm64-v8a/libc++_shared.so",
            "assets/dex.dat",
            "classes.dex",
        ];
        assert_eq!(traces(entries.into_iter().map(|name| (name, name)), Some("cn.gov.example.App")), []);
    }
}
