//! Something out of order in a package, and what every code means.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Lang, Wording};

/// Something about the package that is out of order but did not stop the reading.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Anomaly {
    /// Stable code, one of [`ANOMALIES`]: `zip.prepended-data`, `axml.bad-chunk-size`.
    pub code: String,
    /// Entry path, with offset where known.
    #[serde(rename = "where")]
    pub place: String,
    /// What exactly, in English, for technicians.
    pub detail: String,
}

impl Anomaly {
    /// What the code means.
    pub fn meaning(&self, lang: Lang) -> &'static str {
        meaning(&self.code).map_or("", |(zh, en)| lang.pick(zh, en))
    }
}

/// A gap in the words of a code, with what technicians want to know.
pub(crate) fn described(code: &str, technical: &str) -> Wording {
    let (zh, en) = meaning(code).unwrap_or_default();
    (format!("{zh}（{technical}）"), format!("{en} ({technical})")).into()
}

/// What a code means, in Chinese and English; `None` for one that is not in the list.
fn meaning(code: &str) -> Option<(&'static str, &'static str)> {
    let found = ANOMALIES.binary_search_by(|(known, _, _)| (*known).cmp(code)).ok()?;
    let (_, zh, en) = ANOMALIES[found];
    Some((zh, en))
}

/// Every code in order, with its meaning in Chinese and English. A code is never used for something else later.
pub static ANOMALIES: &[(&str, &str, &str)] = &[
    ("abc.bad-class", "类的结构损坏", "a class is damaged"),
    ("abc.bad-region", "字节码分区损坏", "a region of the bytecode is damaged"),
    ("abc.truncated", "方舟字节码不完整", "the ArkCompiler bytecode is cut off"),
    ("abc.unknown-instruction", "有不认识的字节码指令", "instructions that are not known"),
    ("arsc.bad-chunk-size", "资源表的块大小不合规", "a chunk of the resource table has a wrong size"),
    ("arsc.bad-string", "资源引用了不存在的字符串", "a resource names a string that is not there"),
    ("arsc.bag-count", "复合资源的条目数超出实际", "a resource claims more items than there are"),
    ("arsc.cyclic-reference", "资源互相引用成环", "resources refer to each other in a circle"),
    ("arsc.entry-count", "资源条目数超出实际", "more resource entries claimed than there are"),
    (
        "arsc.item-bomb",
        "资源条目多得不正常，其余未读",
        "an abnormal number of resource items; the rest is not read",
    ),
    ("arsc.offset-outside", "资源条目指向表外", "a resource entry lies outside the table"),
    ("arsc.package-count", "资源包个数与声明不符", "another number of resource packages than claimed"),
    ("arsc.package-id", "资源包编号不合规", "a resource package has an invalid id"),
    (
        "arsc.pool-offset",
        "资源表的名称池位置不对",
        "a name pool of the resource table is not where it should be",
    ),
    ("arsc.several-pools", "资源表有多个全局字符串池", "the resource table has several global string pools"),
    (
        "arsc.text-bomb",
        "资源字符串大得不正常，其余未读",
        "resource strings of an abnormal size; the rest is not read",
    ),
    ("arsc.too-large", "资源表超过可读大小", "the resource table is larger than can be read"),
    ("arsc.trailing-data", "资源表之后有多余数据", "data behind the resource table"),
    ("arsc.truncated-package", "资源包不完整", "a resource package is cut off"),
    ("arsc.truncated-type", "资源类型不完整", "a resource type is cut off"),
    ("arsc.type-id", "资源类型编号不合规", "a resource type has an invalid id"),
    ("arsc.unknown-chunk", "资源表中有不认识的块", "a chunk of the resource table is not known"),
    ("axml.attribute-count", "属性个数超出实际", "more attributes claimed than there are"),
    ("axml.attribute-size", "属性长度不合规", "attributes of an unusual size"),
    ("axml.bad-chunk-size", "二进制 XML 的块大小不合规", "a chunk of the binary XML has a wrong size"),
    ("axml.bad-namespace", "命名空间不存在", "a namespace that is not there"),
    ("axml.bad-string", "引用了不存在的字符串", "a string that is not there"),
    ("axml.header-size", "文件头长度不合规", "a file header of an unusual size"),
    ("axml.late-chunk", "块的顺序不合规", "chunks in an unusual order"),
    ("axml.no-name", "元素或属性没有名称", "an element or attribute without a name"),
    ("axml.no-pool", "没有字符串池", "there is no string pool"),
    ("axml.resource-map", "资源编号表与字符串池不符", "the map of resource ids does not fit the string pool"),
    ("axml.several-pools", "有多个字符串池", "several string pools"),
    ("axml.several-roots", "有多个根元素", "several root elements"),
    ("axml.stray-text", "文字不在任何元素内", "a text outside of all elements"),
    ("axml.text-bomb", "文字大得不正常，其余未读", "texts of an abnormal size; the rest is not read"),
    ("axml.trailing-data", "文件之后有多余数据", "data behind the document"),
    ("axml.truncated", "二进制 XML 不完整", "the binary XML is cut off"),
    ("axml.truncated-attribute", "属性不完整", "an attribute is cut off"),
    ("axml.truncated-element", "元素不完整", "an element is cut off"),
    ("axml.truncated-text", "文字不完整", "a text is cut off"),
    ("axml.unbalanced", "元素的开始与结束不成对", "elements do not begin and end in pairs"),
    ("axml.unknown-chunk", "二进制 XML 中有不认识的块", "a chunk of the binary XML is not known"),
    ("axml.wrong-type", "文件类型标记不对", "the mark of the file type is wrong"),
    ("base64.malformed", "内嵌的 Base64 文档不完整", "an embedded document in Base64 breaks off"),
    ("dex.bad-annotations", "注解结构损坏", "annotations are damaged"),
    ("dex.bad-class-data", "类的数据损坏", "the data of classes is damaged"),
    ("dex.bad-code", "方法的代码损坏", "the code of a method is damaged"),
    ("dex.bad-container", "多个 dex 合存的文件损坏", "a container of several dex is damaged"),
    ("dex.bad-header", "dex 文件头不合规", "the header of a dex is not in order"),
    ("dex.bad-string", "字符串损坏", "strings are damaged"),
    ("dex.cut-off", "dex 文件不完整", "the dex file is cut off"),
    ("dex.flow-limit", "代码分支过多，未全部追踪", "too many branches in the code to follow all"),
    ("dex.index-outside-table", "编号超出表的范围", "an index outside of its table"),
    ("dex.more-dexes", "一个文件内有多个 dex", "several dex in one file"),
    ("dex.more-issues", "同类问题还有更多", "more problems of the kind"),
    ("dex.offset-outside-file", "位置超出文件范围", "an offset outside of the file"),
    ("dex.overlapping-items", "数据互相重叠", "data overlaps"),
    ("dex.table-cut-off", "表不完整", "a table is cut off"),
    ("dex.too-many-dexes", "一个文件内的 dex 过多", "too many dex in one file"),
    ("dex.trailing-data", "dex 之后有多余数据", "data behind the dex"),
    ("dex.unknown-version", "dex 版本不认识", "an unknown version of dex"),
    (
        "filing.differs",
        "所给的备案编号与应用自己标明的不一致",
        "another filing number than the target itself shows",
    ),
    (
        "folder.limit",
        "文件夹过深或文件过多，其余未读",
        "a folder too deep or with too many files; the rest is not read",
    ),
    ("folder.link", "符号链接未跟随", "a symbolic link is not followed"),
    (
        "folder.link-outside",
        "符号链接指向文件夹之外，未读取",
        "a symbolic link that leads out of the folder is not read",
    ),
    (
        "folder.passed-over",
        "隐藏文件、开发目录或特殊文件，未读取",
        "hidden files, folders of development and special files are not read",
    ),
    ("folder.unreadable", "文件夹无法读取", "a folder cannot be read"),
    ("group.cut-off", "群消息导出文件不完整", "the export of a group is cut off"),
    (
        "group.malformed-text",
        "群消息导出文件的文字编码有误",
        "bytes that are no characters of the encoding of the export",
    ),
    (
        "group.too-many-messages",
        "群、成员或消息多得不正常，其余未读",
        "an abnormal number of groups, members or messages; the rest is not read",
    ),
    ("hermes.bad-code", "Hermes 函数的代码损坏", "the code of a Hermes function is damaged"),
    ("hermes.overlapping-functions", "Hermes 函数互相重叠", "Hermes functions overlap"),
    ("hermes.truncated", "Hermes 字节码不完整", "the Hermes bytecode is cut off"),
    (
        "hermes.unknown-version",
        "Hermes 版本较新，代码未能追踪",
        "a Hermes version whose code cannot be followed",
    ),
    ("html.too-deep", "网页嵌套过深，按顺序读取", "a page nested so deep that it is read as a sequence"),
    ("js.too-large", "脚本超过可读大小", "a script larger than can be read"),
    ("js.unbalanced-bracket", "括号不成对", "brackets do not pair"),
    ("js.unterminated-comment", "注释没有结束", "a comment without end"),
    ("js.unterminated-regex", "正则表达式没有结束", "a regular expression without end"),
    ("js.unterminated-string", "字符串没有结束", "a string without end"),
    ("js.unterminated-template", "模板字符串没有结束", "a template without end"),
    ("json.malformed", "不是合规的 JSON", "not valid JSON"),
    (
        "listing.digest-differs",
        "安装包与应用市场公布的校验值不符",
        "not the package that the store has the digest of",
    ),
    (
        "listing.package-differs",
        "安装包与应用市场公布的包名不符",
        "another package name than the store lists",
    ),
    ("listing.version-differs", "安装包与应用市场公布的版本不符", "another version than the store lists"),
    ("macho.overlapping-sections", "程序的分节互相重叠", "sections of the program overlap"),
    ("macho.truncated", "程序不完整", "the program is cut off"),
    ("manifest.debuggable", "安装包可被调试", "the package can be debugged by anybody"),
    ("nib.overlapping-objects", "界面文件的对象互相重叠", "objects of the interface file overlap"),
    ("nib.truncated", "界面文件不完整", "the interface file is cut off"),
    ("nib.unknown-version", "界面文件的版本不认识", "a version of interface files that is not known"),
    (
        "outline.too-many-links",
        "链接多得不正常，其余未读",
        "an abnormal number of links; the rest is not read",
    ),
    (
        "outline.too-many-texts",
        "段落多得不正常，其余未读",
        "an abnormal number of texts; the rest is not read",
    ),
    ("package.bad-metadata", "拆分包的说明文件无法读取", "the description of the set cannot be read"),
    (
        "package.metadata-differs",
        "说明文件与安装包不一致",
        "the description of the set differs from its packages",
    ),
    ("package.packed", "安装包经过加固", "the package is packed"),
    ("package.several-apps", "一个文件内有多个应用", "several apps in one file"),
    ("package.several-bases", "有多个基础安装包", "several base packages"),
    ("page.bad-date", "页面日期无法识别", "a date on the page that makes no sense"),
    ("page.cut-off", "页面不完整", "the page is cut off"),
    ("page.data-cut-off", "页面脚本数据不完整", "the data in a script of the page is cut off"),
    ("page.malformed-list", "列表文件结构损坏", "a feed, site map or list is damaged"),
    ("page.malformed-text", "页面文字编码有误", "bytes that are no characters of the page's encoding"),
    ("page.taken-down", "页面已被平台处置", "the platform has taken the page down"),
    (
        "page.too-many-entries",
        "条目多得不正常，其余未读",
        "an abnormal number of entries; the rest is not read",
    ),
    ("plist.bad-object", "属性列表中有无法读取的对象", "an object of the property list cannot be read"),
    ("plist.overlapping-objects", "属性列表的对象互相重叠", "objects of the property list overlap"),
    ("plist.too-deep", "属性列表嵌套过深", "the property list is nested too deep"),
    (
        "plist.too-many-values",
        "属性列表的值多得不正常，其余未读",
        "an abnormal number of values in the property list; the rest is not read",
    ),
    ("plist.truncated", "属性列表不完整", "the property list is cut off"),
    ("plist.unknown-version", "属性列表的版本不认识", "a version of property lists that is not known"),
    ("resindex.bad-ids", "资源索引的编号集损坏", "a set of ids of the resource index is damaged"),
    ("resindex.bad-keys", "资源索引的限定词损坏", "a configuration of the resource index is damaged"),
    ("resindex.bad-record", "资源记录损坏", "a resource record is damaged"),
    ("resindex.overlap", "资源记录互相重叠", "resource records overlap"),
    ("resindex.truncated", "资源索引不完整", "the resource index is cut off"),
    ("signature.debug-certificate", "使用调试证书签名", "signed with a debug certificate"),
    ("signature.debug-profile", "使用调试用的签名档案", "signed with a profile for debugging"),
    (
        "signature.enterprise-profile",
        "使用企业分发描述文件，不经应用商店安装",
        "an enterprise profile: installed outside the App Store",
    ),
    ("signature.invalid", "签名校验未通过", "the signature does not verify"),
    ("signature.malformed-block", "签名块损坏", "the signing block is damaged"),
    ("signature.malformed-certificate", "证书损坏", "a certificate is damaged"),
    ("signature.malformed-v1", "v1 签名损坏", "the v1 signature is damaged"),
    ("signature.missing", "安装包未签名", "the package is not signed"),
    ("signature.several-signers", "有多个签名人", "several signers"),
    (
        "signature.split-differs",
        "拆分包与基础包的签名人不同",
        "a split is signed by somebody else than the base",
    ),
    (
        "signature.test-profile",
        "使用测试描述文件，只供登记的设备安装",
        "a profile for listed devices only: a test build",
    ),
    ("strings.malformed", "字符串表的格式损坏", "the string table is malformed"),
    ("unity.bad-literal", "字符串位置不合规", "string literals outside of their pool"),
    ("unity.truncated", "Unity 元数据不完整", "the metadata is cut off"),
    ("wxapkg.duplicate-names", "包内有同名文件", "files of the same name"),
    ("wxapkg.overlapping-files", "包内文件互相重叠", "files overlap"),
    ("wxapkg.truncated-file", "包内文件不完整", "a file is cut off"),
    ("wxapkg.truncated-index", "文件索引不完整", "the index of files is cut off"),
    ("wxapkg.unsafe-name", "文件名指向包外", "a file name leads out of the package"),
    (
        "wxml.too-large",
        "小程序模板的文本超过可读大小",
        "templates of a mini program with more text than can be read",
    ),
    ("zip.broken-deflate", "压缩数据损坏", "the compressed data is damaged"),
    ("zip.checksum-mismatch", "校验值不符", "the checksum does not match"),
    ("zip.duplicate-names", "压缩包内有同名文件", "entries of the same name"),
    ("zip.encryption-flag", "标为加密，实际可读", "flagged as encrypted, but readable"),
    (
        "zip.no-directory",
        "压缩包目录缺失，由数据重建",
        "the directory of the archive is lost and was rebuilt",
    ),
    ("zip.overlapping-entries", "压缩包内文件互相重叠", "entries overlap"),
    ("zip.prepended-data", "压缩包之前有多余数据", "data before the archive"),
    ("zip.size-mismatch", "大小与声明不符", "another size than claimed"),
    ("zip.too-many-entries", "文件过多，其余未读", "too many entries; the rest is not read"),
    ("zip.truncated-entry", "压缩包内文件不完整", "an entry is cut off"),
    ("zip.unknown-method", "压缩方式标记不认识，实际可读", "an unknown compression method, but readable"),
];
