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
        libraries: &["libjiagu", "libjgbibc", "libjgdtc", "libprotectClass"],
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
            "libmobisecy.so",
            "libtosprotection",
        ],
        stubs: &["com.tencent.StubShell.", "com.wrapper.proxyapplication."],
        payloads: &[
            "0OO00l111l1l",
            "00O000ll111l",
            "tosversion",
            "libshella",
            "libtosprotection",
            "o0oooOO0ooOo.dat",
            "mix.dex",
            "mixz.dex",
        ],
    },
    Product {
        name: "梆梆安全 (Bangcle SecNeo)",
        libraries: &["libDexHelper", "libSecShell", "libsecexe", "libsecmain", "libsecpreload"],
        stubs: &["com.secneo.apkwrapper.", "com.bangcle.", "com.SecShell.", "com.secshell."],
        payloads: &[
            "secData0.jar",
            "bangcle_classes.jar",
            "bangcleclasses.jar",
            "classes0.jar",
            "libsecexe",
            "libsecmain",
        ],
    },
    Product {
        name: "爱加密 (ijiami)",
        libraries: &["libexec.so", "libexecmain", "libexecgame", "libijiami"],
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
        libraries: &["libmobisec.so", "libdemolish", "libfakejni.so", "libpreverify1", "libzuma"],
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
        name: "深思数盾 (Virbox, JiaguK)",
        libraries: &["libvirbox"],
        stubs: &["virbox.", "com.virbox."],
        payloads: &["virbox"],
    },
    Product {
        name: "网秦 (NQ Shield)",
        libraries: &["libnqshield"],
        stubs: &["com.nqshield.", "com.nqshell."],
        payloads: &["nqshield"],
    },
    Product {
        name: "中国移动加固 (Mogosec)",
        libraries: &["libmogosec", "libcmvmp"],
        stubs: &["com.mogosec."],
        payloads: &["mogosec"],
    },
    Product {
        name: "UU安全 (UUSafe)",
        libraries: &["libuusafe"],
        stubs: &["com.uusafe."],
        payloads: &["uusafe"],
    },
    Product {
        name: "珊瑚灵御 (Reincp)",
        libraries: &["libreincp"],
        stubs: &["com.coral.util."],
        payloads: &["reincp"],
    },
    Product {
        name: "瑞星 (Rising)",
        libraries: &["librsprotect"],
        stubs: &["com.rsprotect."],
        payloads: &[],
    },
    Product {
        name: "海云安 (Secidea)",
        libraries: &["libitsec"],
        stubs: &["com.itsec."],
        payloads: &["itsec"],
    },
    Product { name: "盛大 (Shanda)", libraries: &["libapssec"], stubs: &["com.apssec."], payloads: &[] },
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

/// Traces among entries (name in the package, path in places) and the classes of the manifest that run first: the
/// `Application`, the component factory, the providers. A payload counts only beside a library or a stub of the
/// same product: its name alone may be anybody's.
pub(crate) fn traces<'a>(
    entries: impl Iterator<Item = (&'a str, &'a str)>,
    first: impl Iterator<Item = &'a str>,
) -> Vec<Trace> {
    let mut found = Vec::new();
    let mut payloads = Vec::new();
    let trace = |product: &Product, place: &str| Trace { product: product.name, place: place.to_owned() };
    for class in first {
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
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loaders_and_stubs_are_told() {
        let entries = ["lib/arm64-v8a/libjiagu.so", "assets/jiagu_data"];
        let found = traces(entries.into_iter().map(|name| (name, name)), ["com.stub.StubApp"].into_iter());
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
        assert_eq!(
            traces(entries.into_iter().map(|name| (name, name)), ["cn.gov.example.App"].into_iter()),
            []
        );
    }

    #[test]
    fn what_runs_first_tells_newer_products() {
        let none = std::iter::empty::<(&str, &str)>;
        for (class, product) in [
            ("com.wrapper.proxyapplication.WrapperProxyAppComponentFactory", "腾讯乐固"),
            ("com.secneo.apkwrapper.CP", "梆梆安全"),
            ("s.h.e.l.l.A", "爱加密"),
            ("virbox.StubApp", "深思数盾"),
        ] {
            let found = traces(none(), [class].into_iter());
            assert!(found.len() == 1 && found[0].product.starts_with(product), "{class}: {found:?}");
        }
    }

    #[test]
    fn the_ten_common_products_are_known() {
        for name in ["360", "乐固", "梆梆", "爱加密", "百度", "阿里", "易盾", "娜迦", "顶象", "几维"]
        {
            assert!(PRODUCTS.iter().any(|product| product.name.contains(name)), "{name}");
        }
    }
}
