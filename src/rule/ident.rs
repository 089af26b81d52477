//! Identifiers: splitting names into words, so that `XunchaDaKaActivity` holds `daka` and `CheckInputView`
//! does not hold `checkin`.

/// At most this many consecutive parts are joined when looking for a word.
const MAX_PARTS: usize = 4;

/// The lower-case parts of an identifier or path, with the byte range of each in the original.
fn parts(name: &str) -> Vec<(String, std::ops::Range<usize>)> {
    let mut out: Vec<(String, std::ops::Range<usize>)> = Vec::new();
    let mut start = None;
    let chars: Vec<(usize, char)> = name.char_indices().collect();
    let mut close = |start: &mut Option<usize>, end: usize| {
        if let Some(from) = start.take() {
            out.push((name[from..end].to_lowercase(), from..end));
        }
    };
    for (i, &(at, ch)) in chars.iter().enumerate() {
        if !ch.is_alphabetic() {
            close(&mut start, at);
            continue;
        }
        let previous = i.checked_sub(1).map(|p| chars[p].1);
        let next = chars.get(i + 1).map(|&(_, ch)| ch);
        // A capital starts a part after a small letter (`daKa`) and before one (`URLCheck`).
        let boundary = ch.is_uppercase()
            && (previous.is_some_and(char::is_lowercase)
                || (previous.is_some_and(char::is_uppercase) && next.is_some_and(char::is_lowercase)));
        if boundary {
            close(&mut start, at);
        }
        start.get_or_insert(at);
    }
    close(&mut start, name.len());
    out
}

/// The byte range of `name` where consecutive parts join to `word`.
pub(super) fn find_word(name: &str, word: &str) -> Option<std::ops::Range<usize>> {
    let parts = parts(name);
    for first in 0..parts.len() {
        let mut rest = word;
        for part in parts.iter().skip(first).take(MAX_PARTS) {
            let Some(tail) = rest.strip_prefix(part.0.as_str()) else { break };
            if tail.is_empty() {
                return Some(parts[first].1.start..part.1.end);
            }
            rest = tail;
        }
    }
    None
}

/// The identifier reduced to lower-case letters: every word that [`find_word`] can find is a substring of it.
pub(super) fn letters(name: &str) -> String {
    let mut out = String::new();
    letters_into(name, &mut out);
    out
}

/// [`letters`] into a buffer, which is emptied first.
pub(super) fn letters_into(name: &str, out: &mut String) {
    out.clear();
    if name.is_ascii() {
        out.extend(
            name.bytes().filter(u8::is_ascii_alphabetic).map(|byte| char::from(byte.to_ascii_lowercase())),
        );
        return;
    }
    out.extend(name.chars().filter(|ch| ch.is_alphabetic()).flat_map(char::to_lowercase));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_match_on_part_boundaries() {
        for (name, word) in [
            ("XunchaDaKaActivity", "daka"),
            ("xun_cha_da_ka", "daka"),
            ("/api/mobile/patrol/checkin", "checkin"),
            ("/v1/check-in/list", "checkin"),
            ("CHECK_IN", "checkin"),
            ("pages/daka2/index", "daka"),
            ("btnQianDao", "qiandao"),
            ("HTTPCheckIn", "checkin"),
        ] {
            assert!(find_word(name, word).is_some(), "{name} {word}");
        }
        for (name, word) in
            [("CheckInputView", "checkin"), ("checkinstall", "checkin"), ("dakar", "daka"), ("", "daka")]
        {
            assert!(find_word(name, word).is_none(), "{name} {word}");
        }
    }

    #[test]
    fn the_range_is_the_matched_part() {
        let name = "XunchaDaKaActivity";
        assert_eq!(&name[find_word(name, "daka").unwrap()], "DaKa");
        assert_eq!(letters("Xun_cha2Da-Ka"), "xunchadaka");
    }
}
