//! Strings of a package made safe to look at: what would move the cursor, recolour the screen, reorder the
//! line or hide is shown as an escape.

use std::borrow::Cow;
use std::fmt::Write;

use unicode_width::UnicodeWidthChar;

use super::width;
use crate::text::is_invisible;

/// Accents that may stack on one character; more of them run over the neighbouring lines.
const MAX_STACKED: usize = 2;

/// The string with control, format and bidi characters written as escapes: `\n`, `\u{1b}`, `\u{202e}`.
pub(in crate::report) fn visible(raw: &str) -> Cow<'_, str> {
    if raw.bytes().all(|byte| (0x20..0x7f).contains(&byte)) {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let mut stacked = 0;
    for ch in raw.chars() {
        let hidden = ch.is_control() || is_invisible(ch) || matches!(ch, '\u{2028}' | '\u{2029}');
        stacked = if ch.width() == Some(0) { stacked + 1 } else { 0 };
        match ch {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if hidden || stacked > MAX_STACKED => {
                let _ = write!(out, "\\u{{{:x}}}", u32::from(ch));
            }
            _ => out.push(ch),
        }
    }
    Cow::Owned(out)
}

/// Text as it may stand in an element or an attribute.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for ch in text.chars() {
        match ch {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(ch),
        }
    }
    out
}

/// A text cut around the part that a rule matched; every piece is safe to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::report) struct Excerpt {
    /// What stands before the match, with `…` where it is cut.
    pub(in crate::report) before: String,
    /// The match.
    pub(in crate::report) matched: String,
    /// What stands after the match, with `…` where it is cut.
    pub(in crate::report) after: String,
}

/// Cuts `text` to about `columns` columns around `matched`.
pub(in crate::report) fn excerpt(text: &str, matched: &str, columns: usize) -> Excerpt {
    let at = if matched.is_empty() { None } else { text.find(matched) };
    let (before, matched, after) = match at {
        Some(at) => (&text[..at], matched, &text[at + matched.len()..]),
        None => ("", "", text),
    };
    let matched = head(matched, columns);
    let room = columns.saturating_sub(width(&matched));
    let half = room / 2;
    let (tail_cut, head_cut) = (tail(before, half), head(after, half));
    // The side with room to spare gives it to the other.
    let before = tail(before, room - width(&head_cut).min(half));
    let after = head(after, room - width(&tail_cut).min(half));
    Excerpt { before, matched, after }
}

/// The beginning of a text, at most `columns` wide and the `…`.
fn head(text: &str, columns: usize) -> String {
    let end = text.char_indices().nth(columns + 1).map_or(text.len(), |(at, _)| at);
    let shown = visible(&text[..end]);
    let mut used = 0;
    for (at, ch) in shown.char_indices() {
        used += ch.width().unwrap_or(0);
        if used > columns {
            return format!("{}…", &shown[..at]);
        }
    }
    if end < text.len() { format!("{shown}…") } else { shown.into_owned() }
}

/// The end of a text, at most `columns` wide and the `…`.
fn tail(text: &str, columns: usize) -> String {
    let start = text.char_indices().rev().nth(columns).map_or(0, |(at, _)| at);
    let shown = visible(&text[start..]);
    let mut used = 0;
    for (at, ch) in shown.char_indices().rev() {
        used += ch.width().unwrap_or(0);
        if used > columns {
            return format!("…{}", &shown[at + ch.len_utf8()..]);
        }
    }
    if start > 0 { format!("…{shown}") } else { shown.into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_characters_become_escapes() {
        assert_eq!(visible("\x1b[31m红\u{202e}\r\n"), "\\u{1b}[31m红\\u{202e}\\r\\n");
        assert_eq!(visible("\u{9b}31m\u{2028}\x7f"), "\\u{9b}31m\\u{2028}\\u{7f}");
        assert_eq!(visible("plain 文字"), "plain 文字");
        assert_eq!(visible("e\u{301}\u{301}\u{301}"), "e\u{301}\u{301}\\u{301}");
    }

    #[test]
    fn an_excerpt_keeps_the_match_and_marks_the_cuts() {
        let text = format!("{}打卡{}", "前".repeat(5000), "后".repeat(5000));
        let cut = excerpt(&text, "打卡", 20);
        assert_eq!((cut.before.as_str(), cut.matched.as_str()), ("…前前前前", "打卡"));
        assert_eq!(cut.after, "后后后后…");
        let cut = excerpt("每日打卡", "打卡", 20);
        assert_eq!((cut.before.as_str(), cut.matched.as_str(), cut.after.as_str()), ("每日", "打卡", ""));
        let one_sided = excerpt(&format!("打卡{}", "后".repeat(50)), "打卡", 20);
        assert_eq!(one_sided.after, format!("{}…", "后".repeat(8)));
        assert_eq!(excerpt("abc", "not in it", 20).after, "abc");
    }

    proptest::proptest! {
        #[test]
        fn any_excerpt_fits(text in "\\PC{0,300}|[\\x00-\\x7f]{0,300}", from in 0usize..300, length in 0usize..40, columns in 4usize..90) {
            let chars: Vec<char> = text.chars().collect();
            let matched: String = chars.iter().skip(from).take(length).collect();
            let cut = excerpt(&text, &matched, columns);
            let whole = format!("{}{}{}", cut.before, cut.matched, cut.after);
            proptest::prop_assert!(width(&whole) <= columns + 3, "{whole:?}");
            proptest::prop_assert!(!whole.chars().any(char::is_control));
        }
    }
}
