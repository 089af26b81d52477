//! What string literals stand for: escapes, and documents in Base64.

use std::borrow::Cow;

/// The value of a string or template body.
pub fn unescape(body: &[u8]) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(b'\\', body) else { return String::from_utf8_lossy(body) };
    let mut text = String::with_capacity(body.len());
    let mut at = 0;
    let mut escape = first;
    loop {
        text.push_str(&String::from_utf8_lossy(&body[at..escape]));
        at = one_escape(body, escape, &mut text);
        match body.get(at..).and_then(|rest| memchr::memchr(b'\\', rest)) {
            Some(length) => escape = at + length,
            None => break,
        }
    }
    text.push_str(&String::from_utf8_lossy(body.get(at..).unwrap_or_default()));
    Cow::Owned(text)
}

/// Appends the character that the escape at `at` stands for and returns the offset behind it.
fn one_escape(body: &[u8], at: usize, text: &mut String) -> usize {
    let Some(&byte) = body.get(at + 1) else { return body.len() };
    let plain = match byte {
        b'n' => '\n',
        b't' => '\t',
        b'r' => '\r',
        b'b' => '\u{8}',
        b'f' => '\u{C}',
        b'v' => '\u{B}',
        b'\r' if body.get(at + 2) == Some(&b'\n') => return at + 3,
        b'\n' | b'\r' => return at + 2,
        0xE2 if matches!(body.get(at + 2..at + 4), Some([0x80, 0xA8 | 0xA9])) => return at + 4,
        b'x' => {
            return match hex(body, at + 2, 2) {
                Some(value) => {
                    text.push(char::from(value as u8));
                    at + 4
                }
                None => at + 2,
            };
        }
        b'u' => return unicode_escape(body, at, text),
        b'0'..=b'7' => {
            // Octal: up to three digits below 0o400.
            let mut value = 0u32;
            let mut end = at + 1;
            while end < at + 4
                && let Some(digit @ b'0'..=b'7') = body.get(end)
                && value * 8 + u32::from(digit - b'0') < 256
            {
                value = value * 8 + u32::from(digit - b'0');
                end += 1;
            }
            text.push(char::from(value as u8));
            return end;
        }
        // Any other character stands for itself; it may be more than one byte.
        _ => return copy_one(body, at + 1, text),
    };
    text.push(plain);
    at + 2
}

fn copy_one(body: &[u8], at: usize, text: &mut String) -> usize {
    let mut end = at + 1;
    while body.get(end).is_some_and(|byte| byte & 0xC0 == 0x80) && end < at + 4 {
        end += 1;
    }
    text.push_str(&String::from_utf8_lossy(body.get(at..end).unwrap_or_default()));
    end
}

fn unicode_escape(body: &[u8], at: usize, text: &mut String) -> usize {
    if body.get(at + 2) == Some(&b'{') {
        let digits = body.get(at + 3..).unwrap_or_default();
        let length = digits.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        if length > 0 && digits.get(length) == Some(&b'}') {
            let value = digits[..length].iter().fold(0u32, |value, &digit| {
                value.saturating_mul(16).saturating_add(hex_digit(digit).unwrap_or(0))
            });
            text.push(char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER));
            return at + 4 + length;
        }
        return at + 2;
    }
    let Some(first) = hex(body, at + 2, 4) else { return at + 2 };
    if (0xD800..0xDC00).contains(&first)
        && body.get(at + 6..at + 8) == Some(b"\\u")
        && let Some(second) = hex(body, at + 8, 4)
        && (0xDC00..0xE000).contains(&second)
    {
        let value = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        text.push(char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER));
        return at + 12;
    }
    text.push(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
    at + 6
}

fn hex(body: &[u8], at: usize, count: usize) -> Option<u32> {
    body.get(at..at + count)?.iter().try_fold(0, |value, &digit| Some(value * 16 + hex_digit(digit)?))
}

fn hex_digit(byte: u8) -> Option<u32> {
    char::from(byte).to_digit(16)
}

/// Where in a string the Base64 of a page, a script or data begins: behind `data:text/html;base64,`, or at once.
pub fn base64_document(body: &[u8]) -> Option<usize> {
    let head = body.get(..body.len().min(80)).unwrap_or(body);
    let start = if head.starts_with(b"data:") {
        let comma = memchr::memmem::find(head, b";base64,")?;
        let kind = head.get(5..comma)?;
        let text =
            [&b"text/"[..], b"application/javascript", b"application/json", b"application/x-javascript"];
        if !text.iter().any(|text| kind.starts_with(text)) || kind.starts_with(b"text/css") {
            return None;
        }
        comma + 8
    } else {
        0
    };
    let encoded = body.get(start..)?;
    let sample = encoded.get(..96)?;
    let decoded = data_encoding::BASE64.decode(sample).ok()?;
    let decoded = decoded.trim_ascii_start();
    let beginnings: [&[u8]; 16] = [
        b"<",
        b"{\"",
        b"[{",
        b"(function",
        b"!function",
        b"var ",
        b"let ",
        b"const ",
        b"\"use strict",
        b"'use strict",
        b"import ",
        b"function",
        b"/*",
        b"//",
        b"window.",
        b"(()=>",
    ];
    let plain = |byte: u8| byte >= 0x20 || byte.is_ascii_whitespace();
    let like = start > 0 || beginnings.iter().any(|beginning| decoded.starts_with(beginning));
    (like && decoded.iter().all(|&byte| plain(byte))).then_some(start)
}
