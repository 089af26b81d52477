//! Bytes to structures, one file per encoding; knows no package and no rule.
//!
//! A decoder keeps what it has read when the rest is broken: it returns the structure together with the
//! [`Issue`]s it met, and an error only when nothing at all could be read.

pub mod aapt_proto;
pub mod abc;
pub mod apk_signature;
pub mod apple_signature;
pub mod archive;
pub mod arsc;
pub mod axml;
pub mod blob;
pub mod dart;
pub mod date;
pub mod delimited;
pub mod dex;
pub mod elf;
pub mod entropy;
pub mod folder;
pub mod hap_signature;
pub mod hermes;
pub mod html;
pub mod js;
pub mod js_data;
pub mod json;
pub mod macho;
pub mod nib;
pub mod outline;
pub mod picture;
pub mod plist;
pub mod res_chunk;
pub mod resindex;
mod string_pool;
pub mod strings;
pub mod unity;
pub mod ux;
pub mod wxapkg;
pub mod wxapkg_cipher;
pub mod wxml_code;

/// Something wrong with the bytes of one encoding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Issue {
    /// Stable code, `<encoding>.<what>`: `arsc.cyclic-reference`, `dex.offset-outside-file`.
    pub code: &'static str,
    /// Byte offset in the decoded input, where known.
    pub offset: Option<u64>,
    /// What exactly, in English, for technicians.
    pub detail: String,
    /// Content was lost by it, so the caller has to state a gap as well as an anomaly.
    pub lossy: bool,
}

impl Issue {
    /// Content was lost.
    pub fn lossy(code: &'static str, offset: impl Into<Option<u64>>, detail: impl Into<String>) -> Self {
        Issue { code, offset: offset.into(), detail: detail.into(), lossy: true }
    }

    /// Out of order, but everything was read.
    pub fn odd(code: &'static str, offset: impl Into<Option<u64>>, detail: impl Into<String>) -> Self {
        Issue { code, offset: offset.into(), detail: detail.into(), lossy: false }
    }
}

/// What one decoder reads: shown by `zhijian formats`, and part of every report.
#[derive(Debug, Clone, Copy)]
pub struct Decoder {
    /// Name of its file.
    pub name: &'static str,
    /// Raised with every change of what it makes of the same bytes.
    pub version: u32,
    /// What, in Chinese and English.
    pub reads: (&'static str, &'static str),
    /// Where it stops.
    pub limits: &'static [Limit],
}

/// A limit of a decoder; what lies beyond it is a gap in the report.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    /// What is limited, in Chinese and English.
    pub what: (&'static str, &'static str),
    /// How much is read at most.
    pub amount: u64,
    /// What the amount counts.
    pub unit: Unit,
}

/// What an amount counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Things.
    Count,
}

/// Every decoder, by name.
pub static DECODERS: &[Decoder] = &[
    aapt_proto::DECODER,
    abc::DECODER,
    apk_signature::DECODER,
    apple_signature::DECODER,
    archive::DECODER,
    arsc::DECODER,
    axml::DECODER,
    dart::DECODER,
    dex::DECODER,
    elf::DECODER,
    folder::DECODER,
    hap_signature::DECODER,
    hermes::DECODER,
    html::DECODER,
    js::DECODER,
    js_data::DECODER,
    macho::DECODER,
    nib::DECODER,
    outline::DECODER,
    picture::DECODER,
    plist::DECODER,
    resindex::DECODER,
    strings::DECODER,
    unity::DECODER,
    ux::DECODER,
    wxapkg::DECODER,
    wxapkg_cipher::DECODER,
    wxml_code::DECODER,
];
