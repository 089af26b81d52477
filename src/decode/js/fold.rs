//! Texts that a program joins or decodes from literals at run time, as far as the tokens alone tell: `"签"+"到"`,
//! `"排".concat("行榜")`, `["积","分"].join("")`, `String.fromCharCode(31614, 21040)`, `decodeURIComponent("%E7…")`,
//! `atob("5omT…")`.

use super::Token;

/// Bytes that a text made of others may have; longer ones are left in their pieces.
pub(super) const MAX_TEXT: usize = 4_096;
/// Bytes of a variable's text that is put in where the variable is used.
pub(super) const MAX_CONSTANT: usize = 256;
/// Elements and arguments looked at.
pub(super) const MAX_PIECES: usize = 512;

/// A part of a text.
#[derive(Debug, Clone)]
pub(super) enum Piece {
    /// A string or a template chunk as written.
    Token(Token),
    /// What a call or a variable stands for.
    Text(String),
    /// A number, as written.
    Number(Token),
}

/// Calls whose value follows from their arguments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    /// Gives its argument back as text.
    Identity,
    /// `String.fromCharCode`.
    CharCodes,
    /// `decodeURIComponent`, `unescape`.
    Percent,
    /// `atob` and the like.
    Base64,
    /// `"…".concat`.
    Concat,
    /// `["…"].join`.
    Join,
}

impl Function {
    /// By the last part of the callee. `concat` and `join` need a receiver, which the caller sees to.
    pub(super) fn named(name: &[u8], callee: &[u8]) -> Option<Function> {
        Some(match name {
            b"toDisplayString" | b"_toDisplayString" | b"_s" | b"String" | b"escape" => Function::Identity,
            b"fromCharCode" | b"fromCodePoint" => Function::CharCodes,
            b"decodeURIComponent" | b"decodeURI" | b"unescape" => Function::Percent,
            b"atob" => Function::Base64,
            b"decode" if callee.ends_with(b"Base64.decode") || callee.ends_with(b"base64.decode") => {
                Function::Base64
            }
            _ => return None,
        })
    }

    /// What the call gives for the joined text of its arguments.
    pub(super) fn apply(self, text: String) -> Option<String> {
        match self {
            Function::Percent => percent(&text),
            Function::Base64 => base64(&text),
            _ => Some(text),
        }
    }
}

/// The character that a number literal stands for as a UTF-16 unit or code point.
pub(super) fn code(number: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(number).ok()?;
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Text of UTF-16 units; what is above them is a code point.
pub(super) fn from_codes(codes: &[u32]) -> Option<String> {
    let mut units = Vec::with_capacity(codes.len());
    for &code in codes {
        match u16::try_from(code) {
            Ok(unit) => units.push(unit),
            Err(_) => units.extend(char::from_u32(code)?.encode_utf16(&mut [0; 2]).iter()),
        }
    }
    String::from_utf16(&units).ok()
}

/// `%E7%AD%BE` as UTF-8 and `%u7B7E` as UTF-16 units.
fn percent(text: &str) -> Option<String> {
    let mut out: Vec<u8> = Vec::with_capacity(text.len());
    let mut units: Vec<u16> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let (before, after) = rest.split_at(at);
        if !before.is_empty() {
            flush(&mut units, &mut out);
            out.extend(before.as_bytes());
        }
        if let Some(unit) = after.get(2..6).filter(|_| after.get(1..2) == Some("u")) {
            units.push(u16::from_str_radix(unit, 16).ok()?);
            rest = after.get(6..)?;
        } else {
            flush(&mut units, &mut out);
            out.push(u8::from_str_radix(after.get(1..3)?, 16).ok()?);
            rest = after.get(3..)?;
        }
    }
    flush(&mut units, &mut out);
    out.extend(rest.as_bytes());
    String::from_utf8(out).ok()
}

fn flush(units: &mut Vec<u16>, out: &mut Vec<u8>) {
    out.extend(String::from_utf16_lossy(units).as_bytes());
    units.clear();
}

/// Base64 of UTF-8 text, with or without padding.
fn base64(text: &str) -> Option<String> {
    let bytes = data_encoding::BASE64_NOPAD.decode(text.trim_end_matches('=').as_bytes()).ok()?;
    String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.chars().any(|ch| ch.is_control() && !ch.is_whitespace()))
}
