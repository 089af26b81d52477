//! What was read, what was not, and why.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The parts of a package that coverage is counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PartName {
    /// The container itself.
    Container,
    /// Manifest, page list, `Info.plist`.
    Manifest,
    /// Resource tables.
    Resources,
    /// Layouts, menus, preferences, navigation graphs, page templates.
    Layouts,
    /// Dalvik code.
    Dex,
    /// JavaScript code.
    Js,
    /// HTML, JSON, XML and plain text.
    Text,
    /// Native libraries.
    Native,
    /// Pictures.
    Images,
    /// Entries of no known kind.
    Other,
}

impl PartName {
    /// Every part, in the order of declaration.
    pub const ALL: [PartName; 10] = [
        PartName::Container,
        PartName::Manifest,
        PartName::Resources,
        PartName::Layouts,
        PartName::Dex,
        PartName::Js,
        PartName::Text,
        PartName::Native,
        PartName::Images,
        PartName::Other,
    ];

    /// The Chinese name used in reports.
    pub fn zh(self) -> &'static str {
        match self {
            PartName::Container => "安装包容器",
            PartName::Manifest => "清单",
            PartName::Resources => "资源表",
            PartName::Layouts => "界面布局",
            PartName::Dex => "字节码",
            PartName::Js => "脚本",
            PartName::Text => "文本",
            PartName::Native => "本地库",
            PartName::Images => "图片",
            PartName::Other => "其他文件",
        }
    }

    /// The English name used in reports.
    pub fn en(self) -> &'static str {
        match self {
            PartName::Container => "container",
            PartName::Manifest => "manifest",
            PartName::Resources => "resource table",
            PartName::Layouts => "layouts",
            PartName::Dex => "bytecode",
            PartName::Js => "scripts",
            PartName::Text => "text assets",
            PartName::Native => "native libraries",
            PartName::Images => "images",
            PartName::Other => "other files",
        }
    }
}

/// How many units of one part were read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PartTally {
    /// Which part.
    pub part: PartName,
    /// Units (files, or for layouts and dex: entries) present.
    pub total: u64,
    /// Units read completely.
    pub read: u64,
}

/// Why something could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GapReason {
    /// The bytes end too early.
    Truncated,
    /// The structure breaks the format's rules.
    Malformed,
    /// Encrypted, or so random that it must be.
    Encrypted,
    /// Compressed by a method that is not read.
    UnsupportedMethod,
    /// A format or version this engine does not read.
    UnsupportedFormat,
    /// Larger than the limit for one unit.
    TooLarge,
    /// A limit on count, depth or time was reached.
    LimitReached,
    /// A packer (加固) hides the real code.
    Packed,
    /// Named by the package but not in it.
    Missing,
    /// Content that comes from a server at run time.
    Remote,
    /// Not inspected by design (pictures without OCR, native code).
    NotInspected,
    /// The scanner itself failed on it.
    Failed,
}

impl GapReason {
    /// Every reason, in the order of declaration.
    pub const ALL: [GapReason; 12] = [
        GapReason::Truncated,
        GapReason::Malformed,
        GapReason::Encrypted,
        GapReason::UnsupportedMethod,
        GapReason::UnsupportedFormat,
        GapReason::TooLarge,
        GapReason::LimitReached,
        GapReason::Packed,
        GapReason::Missing,
        GapReason::Remote,
        GapReason::NotInspected,
        GapReason::Failed,
    ];

    /// The Chinese phrase used in reports.
    pub fn zh(self) -> &'static str {
        match self {
            GapReason::Truncated => "数据不完整",
            GapReason::Malformed => "结构损坏",
            GapReason::Encrypted => "已加密",
            GapReason::UnsupportedMethod => "压缩方式不支持",
            GapReason::UnsupportedFormat => "格式不支持",
            GapReason::TooLarge => "超过大小上限",
            GapReason::LimitReached => "超过处理上限",
            GapReason::Packed => "已加固",
            GapReason::Missing => "包内缺失",
            GapReason::Remote => "内容来自服务器",
            GapReason::NotInspected => "不在检视范围",
            GapReason::Failed => "检视失败",
        }
    }

    /// The English phrase used in reports.
    pub fn en(self) -> &'static str {
        match self {
            GapReason::Truncated => "incomplete data",
            GapReason::Malformed => "malformed",
            GapReason::Encrypted => "encrypted",
            GapReason::UnsupportedMethod => "unsupported compression",
            GapReason::UnsupportedFormat => "unsupported format",
            GapReason::TooLarge => "over the size limit",
            GapReason::LimitReached => "over a processing limit",
            GapReason::Packed => "packed",
            GapReason::Missing => "missing from the package",
            GapReason::Remote => "loaded from a server",
            GapReason::NotInspected => "not inspected",
            GapReason::Failed => "inspection failed",
        }
    }
}

/// Something that could not be seen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Gap {
    /// Part of the package it belongs to.
    pub part: PartName,
    /// Entry path, with offset where known.
    #[serde(rename = "where")]
    pub place: String,
    /// Why.
    pub reason: GapReason,
    /// What exactly, in Chinese where the format says it, else as the decoder words it for technicians.
    pub detail: String,
    /// `detail` in English.
    pub detail_en: String,
    /// Text of the user interface may be hidden in it, so it lowers the verdict.
    pub material: bool,
}

/// How much of the places where an app keeps its text could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Everything that can hold text of the user interface was read.
    Full,
    /// Some of it could not be read.
    Partial,
    /// The code or the resources as a whole could not be read; "nothing found" means nothing.
    Opaque,
}

/// The coverage section of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// Overall verdict.
    pub verdict: Verdict,
    /// Share of units read, 0 to 100, over the parts that can hold text of the user interface.
    pub percent: u8,
    /// Units per part, in the order of [`PartName`].
    pub parts: Vec<PartTally>,
    /// What could not be seen, material gaps first.
    pub gaps: Vec<Gap>,
}

/// Counts units per part while a format reads.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally(BTreeMap<PartName, (u64, u64)>);

impl Tally {
    pub(super) fn add(&mut self, part: PartName, total: u64, read: u64) {
        let entry = self.0.entry(part).or_default();
        entry.0 += total;
        entry.1 += read;
    }

    pub(super) fn absorb(&mut self, other: Tally) {
        other.0.into_iter().for_each(|(part, (total, read))| self.add(part, total, read));
    }

    pub(super) fn unread(&self, part: PartName) -> u64 {
        self.0.get(&part).map_or(0, |(total, read)| total - read)
    }

    pub(super) fn parts(&self) -> Vec<PartTally> {
        self.0.iter().map(|(&part, &(total, read))| PartTally { part, total, read }).collect()
    }
}
