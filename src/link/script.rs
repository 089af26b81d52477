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
pub const FILTER: Filter = Filter { literal: is_wanted, call: is_call };

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
    // Builds of uni-app put the function in the place of `console.log`.
    if callee.is_empty() && matches!(literal.tag, Some("log" | "info" | "warn" | "error" | "debug")) {
        return (Role::Log, literal.tag.map(str::to_owned));
    }
    if literal.usage == Use::Compared {
        return (Role::Code, None);
    }
    let object = literal.object.and_then(|index| script.objects.get(index as usize));
    let leads = object.is_some_and(|object| object.leads);
    // Builds for browsers shorten the names of the calls that make elements.
    let element = key.is_empty() && (makes_element(name) || (callee.len() <= 2 && literal.handler.is_some()));
    if literal.pressable && (key == "children" || element) {
        return (Role::Control, sink());
    }
    let pressed = object.is_some_and(|object| object.handles);
    if pressed && matches!(key, "title" | "label" | "text" | "children" | "buttonText") && !is_message(name) {
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

fn is_log(callee: &str, name: &str) -> bool {
    callee.starts_with("console.")
        || callee.to_ascii_lowercase().contains("log.")
        || matches!(
            name,
            "log"
                | "__f__"
                | "__log__"
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
