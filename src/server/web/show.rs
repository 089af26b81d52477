//! What several pages show alike.

use std::fmt::Write;

use jiff::civil::Date;
use url::form_urlencoded;

use crate::ledger::Listed;
use crate::model::{ColorCode, Lang, beijing_day};
use crate::report::excerpt;
use crate::server::schedule::SCHEDULER;

/// Columns of a name or a key in a list.
const COLUMNS: usize = 60;

/// A code as word, colour and sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Badge {
    pub(super) class: &'static str,
    pub(super) sign: &'static str,
    pub(super) word: &'static str,
    pub(super) state: String,
}

pub(super) fn badge(lang: Lang, code: ColorCode, state: &str) -> Badge {
    let (class, sign) = match code {
        ColorCode::Green => ("green", "✓"),
        ColorCode::Blue => ("blue", "!"),
        ColorCode::Red => ("red", "✕"),
        ColorCode::None => ("none", "–"),
    };
    Badge { class, sign, word: lang.pick(code.zh(), code.en()), state: state.to_owned() }
}

/// A code as queries spell it: that of [`badge`].
pub(super) fn colour(word: &str) -> Option<ColorCode> {
    [ColorCode::Red, ColorCode::Blue, ColorCode::None, ColorCode::Green]
        .into_iter()
        .find(|code| badge(Lang::Zh, *code, "").class == word)
}

/// A string of a package or a roster, safe to show and short.
pub(super) fn brief(text: &str) -> String {
    excerpt(text, "", COLUMNS).2
}

/// The same where a sentence has room.
pub(super) fn clip(text: &str) -> String {
    excerpt(text, "", 300).2
}

/// What a target is called: by the roster, else by itself, else by its key.
pub(super) fn called(listed: &Listed) -> &str {
    if listed.called.is_empty() { &listed.document.target } else { &listed.called }
}

/// Who did something; the schedule is nobody.
pub(super) fn actor(lang: Lang, name: &str) -> String {
    if name == SCHEDULER { lang.pick("定期检测", "schedule").to_owned() } else { brief(name) }
}

/// A target in a list.
pub(super) struct Row {
    pub(super) address: String,
    pub(super) name: String,
    pub(super) key: String,
    pub(super) kind: &'static str,
    pub(super) owner: String,
    pub(super) region: String,
    pub(super) badge: Badge,
    pub(super) since: Date,
    pub(super) confirmed: u64,
    pub(super) suspected: u64,
    pub(super) deadline: String,
    pub(super) overdue: bool,
    pub(super) reason: String,
}

pub(super) fn row(lang: Lang, today: Date, listed: &Listed) -> Row {
    let document = &listed.document;
    let text = |text: &Option<String>| text.as_deref().map(brief).unwrap_or_default();
    let reason = document.reasons.first();
    Row {
        address: address(&document.target),
        name: brief(called(listed)),
        key: brief(&document.target),
        kind: lang.pick(document.kind.zh(), document.kind.en()),
        owner: text(&document.owner),
        region: text(&document.region),
        badge: badge(lang, document.code, lang.pick(&document.state, &document.state_en)),
        since: beijing_day(document.since),
        confirmed: listed.confirmed,
        suspected: listed.suspected,
        overdue: !listed.deadline.is_empty() && listed.deadline < today.to_string(),
        deadline: listed.deadline.clone(),
        reason: reason.map_or_else(String::new, |r| lang.pick(&r.text, &r.text_en).to_owned()),
    }
}

/// A column of a list of targets.
pub(super) struct Head {
    pub(super) word: &'static str,
    /// The same list in the order of the column; empty where it has none.
    pub(super) link: String,
    /// Whether the list is in this order, and which way that goes.
    pub(super) sorted: bool,
    pub(super) way: &'static str,
    pub(super) number: bool,
}

/// The columns of a list of targets: its order, and where another order leads; nowhere where no order is.
pub(super) fn heads(lang: Lang, sort: Option<&str>, link: impl Fn(&str) -> String) -> Vec<Head> {
    [
        ("name", ("对象", "Target"), "ascending", false),
        ("code", ("赋码", "Code"), "descending", false),
        ("since", ("变动", "Since"), "descending", false),
        ("region", ("主办单位、地区", "Owner, region"), "ascending", false),
        ("confirmed", ("确认", "Confirmed"), "descending", true),
        ("", ("疑似", "Suspected"), "descending", true),
        ("deadline", ("限期", "Deadline"), "ascending", false),
    ]
    .into_iter()
    .map(|(by, (zh, en), way, number)| Head {
        word: lang.pick(zh, en),
        link: if by.is_empty() || sort.is_none() { String::new() } else { link(by) },
        sorted: sort == Some(by),
        way,
        number,
    })
    .collect()
}

/// The page of a target. A key may hold anything, a slash too.
pub(super) fn address(target: &str) -> String {
    let mut address = "/targets/".to_owned();
    for byte in target.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_~:".contains(&byte) {
            address.push(byte.into());
        } else {
            // `write!` to a string does not fail.
            let _ = write!(address, "%{byte:02X}");
        }
    }
    address
}

/// An address with a query; what is empty is left out.
pub(super) fn query(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    pairs.iter().filter(|(_, value)| !value.is_empty()).for_each(|(name, value)| {
        query.append_pair(name, value);
    });
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_segment() {
        assert_eq!(address("app:cn.gov.example"), "/targets/app:cn%2Egov%2Eexample");
        assert_eq!(address("../a/b?c#d"), "/targets/%2E%2E%2Fa%2Fb%3Fc%23d");
        assert_eq!(address("群"), "/targets/%E7%BE%A4");
    }

    #[test]
    fn colours_are_read_as_they_are_written() {
        assert_eq!(colour("red"), Some(ColorCode::Red));
        assert_eq!(colour("none"), Some(ColorCode::None));
        assert_eq!(colour("ultraviolet"), None);
    }

    #[test]
    fn a_query_holds_what_is_not_empty() {
        assert_eq!(query("/targets", &[("code", "red"), ("q", "")]), "/targets?code=red");
        assert_eq!(query("/targets", &[("q", "")]), "/targets");
        assert_eq!(query("/targets", &[("q", "a&b=c")]), "/targets?q=a%26b%3Dc");
    }
}
