//! What JavaScript does with a text: a toast shows it, `console.log` does not.

use crate::decode::js::{Filter, Literal, LiteralKind, Script, Use};
use crate::model::Role;
use crate::text::has_cjk;

/// Literals and calls that matter to rules.
pub const FILTER: Filter = Filter { literal: is_wanted, call: is_call };

fn is_wanted(body: &[u8]) -> bool {
    let capital = body.first().is_some_and(u8::is_ascii_uppercase);
    is_ad_unit(body)
        || (4..=400).contains(&body.len())
            && body.iter().any(u8::is_ascii_alphabetic)
            && (capital || memchr::memchr2(b'/', b'.', body).is_some() || escapes(body))
}

/// Whether a literal is the id of an advertising slot, as the platform gives them to apps: `adunit-0123456789abcdef`.
pub(crate) fn is_ad_unit(body: &[u8]) -> bool {
    let id = body.strip_prefix(b"adunit-").unwrap_or_default();
    (12..=32).contains(&id.len()) && id.iter().all(u8::is_ascii_hexdigit)
}

/// Whether a call or an element of a template is an advertising slot.
pub(crate) fn is_ad(api: &str) -> bool {
    let made = api.rsplit('.').next().and_then(|name| name.strip_prefix("create"));
    made.is_some_and(|made| made.ends_with("Ad")) || matches!(api, "<ad>" | "<ad-custom>")
}

/// Whether a literal has a `\u…`.
fn escapes(body: &[u8]) -> bool {
    memchr::memchr_iter(b'\\', body).any(|at| body.get(at + 1) == Some(&b'u'))
}

fn is_call(callee: &[u8]) -> bool {
    let Some(dot) = callee.iter().position(|&byte| byte == b'.') else {
        return is_unmistakable(callee);
    };
    let (receiver, name) = (&callee[..dot], &callee[dot + 1..]);
    is_own(receiver, name) || (callee.len() <= 60 && (is_platform(receiver) || is_unmistakable(last(name))))
}

/// Calls of the platform tell what a program does; by their first part.
fn is_platform(receiver: &[u8]) -> bool {
    matches!(receiver, b"wx" | b"uni" | b"my" | b"tt" | b"swan" | b"qq" | b"ks" | b"Taro")
}

/// Calls that only a platform has, known without its name: bundlers rename it (`r.default.createBannerAd`).
fn is_unmistakable(name: &[u8]) -> bool {
    matches!(
        name,
        b"createRewardedVideoAd"
            | b"createInterstitialAd"
            | b"createBannerAd"
            | b"createCustomAd"
            | b"createGridAd"
            | b"startLocationUpdateBackground"
            | b"getFriendCloudStorage"
            | b"getGroupCloudStorage"
            | b"getWeRunData"
    )
}

fn is_own(receiver: &[u8], name: &[u8]) -> bool {
    (4..=40).contains(&name.len())
        && (receiver.len() <= 2 || matches!(receiver, b"this" | b"that" | b"self" | b"_this" | b"_self"))
        && !name.contains(&b'.')
}

fn last(name: &[u8]) -> &[u8] {
    name.iter().rposition(|&byte| byte == b'.').map_or(name, |dot| &name[dot + 1..])
}

/// The method that a call asks of an object of the program: `submit` of `this.submit`, `t.submit`.
pub(crate) fn own_call(callee: &str) -> Option<&str> {
    let (receiver, name) = callee.split_once('.')?;
    is_own(receiver.as_bytes(), name.as_bytes()).then_some(name)
}

/// A call of the platform by the name rules use: `wx.getLocation`, whatever the platform. Of a call on what another
/// call gives (`w().createRewardedVideoAd`) only its own name is known.
pub(crate) fn platform_api(callee: &str) -> Option<String> {
    let own = callee.rsplit('.').next()?;
    let platform = callee.split_once('.').filter(|(platform, _)| is_platform(platform.as_bytes()));
    let name = platform.map_or(own, |(_, name)| name.split('.').next().unwrap_or(name));
    (platform.is_some() || is_unmistakable(own.as_bytes())).then(|| format!("wx.{name}"))
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
