//! What JavaScript does with a text: a toast shows it, `console.log` does not.

use crate::decode::js::{Filter, Literal, LiteralKind, Script, Use};
use crate::model::Role;
use crate::text::has_cjk;

/// Calls of the platform that tell what a program does, by their first part.
const PLATFORMS: [&str; 8] = ["wx", "uni", "my", "tt", "swan", "qq", "ks", "Taro"];

/// Calls that only a platform has, known without its name: bundlers rename it (`r.default.createBannerAd`).
const UNMISTAKABLE: [&str; 9] = [
    "createRewardedVideoAd",
    "createInterstitialAd",
    "createBannerAd",
    "createCustomAd",
    "createGridAd",
    "startLocationUpdateBackground",
    "getFriendCloudStorage",
    "getGroupCloudStorage",
    "getWeRunData",
];

/// Literals and calls that matter to rules.
pub(crate) const FILTER: Filter = Filter { literal: is_wanted, call: is_call };

fn is_wanted(body: &[u8]) -> bool {
    let letters = body.iter().any(u8::is_ascii_alphabetic);
    let escaped = || body.windows(2).any(|pair| pair == b"\\u");
    let path = || body.iter().any(|&byte| byte == b'/' || byte == b'.');
    let phrase = || body.len() <= 80 && body.contains(&b' ') && body[0].is_ascii_uppercase();
    letters
        && (4..=400).contains(&body.len())
        && (escaped() || path() || phrase() || body[0].is_ascii_uppercase())
}

fn is_call(callee: &[u8]) -> bool {
    is_platform_call(callee) || std::str::from_utf8(callee).is_ok_and(|callee| own_call(callee).is_some())
}

/// The method that a call asks of an object of the program: `submit` of `this.submit`, `t.submit`.
pub(crate) fn own_call(callee: &str) -> Option<&str> {
    let (receiver, name) = callee.split_once('.')?;
    let own = receiver.len() <= 2 || matches!(receiver, "this" | "that" | "self" | "_this" | "_self");
    (own && (4..=40).contains(&name.len()) && !name.contains('.')).then_some(name)
}

fn is_platform_call(callee: &[u8]) -> bool {
    let named =
        |platform: &&str| callee.strip_prefix(platform.as_bytes()).is_some_and(|rest| rest.starts_with(b"."));
    let own = || callee.rsplit(|&byte| byte == b'.').next().unwrap_or_default();
    callee.len() <= 60
        && (PLATFORMS.iter().any(named) || UNMISTAKABLE.iter().any(|name| name.as_bytes() == own()))
}

/// A call of the platform by the name rules use: `wx.getLocation`, whatever the platform.
pub(crate) fn platform_api(callee: &str) -> Option<String> {
    let (platform, name) = callee.split_once('.')?;
    let own = name.rsplit('.').next()?;
    let name = if PLATFORMS.contains(&platform) { name.split('.').next()? } else { own };
    (PLATFORMS.contains(&platform) || UNMISTAKABLE.contains(&own)).then(|| format!("wx.{name}"))
}

/// The role of a literal, and what receives it.
pub(crate) fn role(literal: &Literal<'_>, script: &Script<'_>) -> (Role, Option<String>) {
    let callee = literal.callee.unwrap_or_default();
    let name = callee.rsplit('.').next().unwrap_or_default();
    let key = literal.key.unwrap_or_default();
    let sink =
        || Some(callee.to_owned()).filter(|c| !c.is_empty()).or_else(|| literal.key.map(str::to_owned));
    if literal.kind == LiteralKind::Comment || literal.usage == Use::Key {
        return (Role::Comment, None);
    }
    if is_log(callee, name) {
        return (Role::Log, sink());
    }
    if literal.usage == Use::Compared {
        return (Role::Code, None);
    }
    let leads = literal
        .object
        .and_then(|index| script.objects.get(index as usize))
        .is_some_and(|object| object.leads);
    if literal.pressable && (key == "children" || (makes_element(name) && key.is_empty())) {
        return (Role::Control, sink());
    }
    let role = match (name, key) {
        ("setNavigationBarTitle", _) | (_, "navigationBarTitleText" | "navigationBarTitle" | "navTitle") => {
            Role::Title
        }
        (_, "itemList") => Role::Control,
        (name, _) if is_message(name) => Role::Message,
        (_, "placeholder") => Role::Hint,
        (_, "title" | "name" | "text" | "label" | "menuName" | "pagename") if leads => Role::Item,
        (_, "children") => Role::Label,
        (name, "") if makes_element(name) => Role::Label,
        (_, "title") => Role::Label,
        _ if literal.element => Role::Item,
        _ => Role::Code,
    };
    (role, sink())
}

/// Whether an English literal is worth a text: only where it is surely shown.
pub(crate) fn is_shown(role: Role, text: &str) -> bool {
    has_cjk(text) || matches!(role, Role::Control | Role::Title | Role::Label | Role::Hint | Role::Message)
}

/// Calls that make an element or text node of a page.
fn makes_element(name: &str) -> bool {
    matches!(
        name,
        "createTextVNode"
            | "_v"
            | "_createTextVNode"
            | "createElement"
            | "createElementVNode"
            | "createVNode"
            | "createElementBlock"
            | "_c"
            | "h"
            | "jsx"
            | "jsxs"
    )
}

/// Whether the literal at an offset is logged by what uni-app's builder makes of `console.log(…)`: a call, inlined or
/// not, whose arguments before the literal are the level and the line: `("log", "at App.vue:4", "…")`.
pub(crate) fn is_traced(source: &[u8], offset: usize) -> bool {
    const MAX_LINE: usize = 160;
    let before = source.get(offset.saturating_sub(MAX_LINE)..offset).unwrap_or_default();
    let before = before.trim_ascii_end();
    let Some((&quote, line)) = before.strip_suffix(b",").and_then(|line| line.trim_ascii_end().split_last())
    else {
        return false;
    };
    let from = memchr::memrchr(quote, line).map_or(line.len(), |at| at + 1);
    let line = line.get(from..).unwrap_or_default();
    let number = line.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
    let file = line.get(..line.len() - number).unwrap_or_default();
    matches!(quote, b'"' | b'\'')
        && number > 0
        && line.starts_with(b"at ")
        && [&b".vue:"[..], b".nvue:", b".uvue:", b".js:", b".ts:"].iter().any(|ending| file.ends_with(ending))
}

fn is_log(callee: &str, name: &str) -> bool {
    callee.starts_with("console.")
        || callee.to_ascii_lowercase().contains("log.")
        || matches!(
            name,
            "log"
                | "debug"
                | "Error"
                | "TypeError"
                | "RangeError"
                | "SyntaxError"
                | "ReferenceError"
                | "assert"
                | "report"
                | "reportEvent"
                | "reportAnalytics"
                | "reportMonitor"
                | "track"
                | "trackEvent"
                | "invariant"
                | "captureException"
                | "captureMessage"
                | "sendEvent"
        )
}

fn is_message(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    matches!(
        lower.as_str(),
        "showtoast"
            | "showmodal"
            | "showloading"
            | "toast"
            | "$toast"
            | "alert"
            | "confirm"
            | "notify"
            | "showtips"
            | "showtip"
            | "showmsg"
            | "showmessage"
            | "message"
            | "$message"
            | "showerror"
            | "showsuccess"
            | "opentoast"
            | "showdialog"
            | "dialog"
            | "msg"
            | "tips"
            | "$tip"
            | "showactionsheet"
            | "prompt"
    ) || lower.ends_with("toast")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_of_uni_app_are_told_by_their_line() {
        let traced = |source: &str| is_traced(source.as_bytes(), source.find('#').unwrap() - 1);
        assert!(traced(r##"f("log","at App.vue:4","#")"##));
        assert!(traced("uni.__f__('warn', 'at pages/a/a.vue:120',\n '#')"));
        for other in
            [r##"f("log","#")"##, r##"f("at once","#")"##, r##"f("at App.vue:","#")"##, r##"["#"]"##, "'#'"]
        {
            assert!(!traced(other), "{other}");
        }
    }
}
