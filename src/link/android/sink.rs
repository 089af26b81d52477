//! What Android's own calls do with a text: `setText` shows it, `Log.d` does not.

use crate::decode::dex::{Dex, Form, Sinks, Target};
use crate::model::Role;

/// What receives a literal, in the words of the rules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sink {
    pub(crate) role: Role,
    /// `Class.method`, field or annotation that receives it.
    pub(crate) name: Option<String>,
    /// Simple class name of the widget it is set on, when the role is a widget's.
    pub(crate) widget: Option<String>,
}

/// The strongest of the sinks of one literal.
pub(super) fn strongest(dex: &Dex<'_>, sinks: &Sinks) -> Sink {
    let mut best: Option<Sink> = None;
    for sink in sinks.iter() {
        let found = match sink.target {
            Target::Call { method, argument } => call(dex, method, argument),
            Target::Field { .. } | Target::Return => Sink { role: Role::Code, name: None, widget: None },
            Target::Compared => Sink { role: Role::Comment, name: None, widget: None },
            Target::Annotation { annotation, .. } => Sink {
                role: Role::Comment,
                name: dex.type_name(annotation).map(|name| format!("@{}", simple(&name))),
                widget: None,
            },
        };
        let found = match (sink.form, found.role) {
            (Form::Element, Role::Code) => Sink { role: Role::Item, ..found },
            _ => found,
        };
        if best.as_ref().is_none_or(|b| found.role < b.role) {
            best = Some(found);
        }
    }
    best.unwrap_or(Sink { role: Role::Code, name: None, widget: None })
}

pub(super) fn call(dex: &Dex<'_>, method: u32, argument: Option<u8>) -> Sink {
    let Some(method) = dex.method(method) else { return Sink { role: Role::Code, name: None, widget: None } };
    let class = method.class_name();
    let name = method.name();
    let role = role(&class, &name, argument);
    let class = simple(&class).to_owned();
    let widget = matches!(role, Role::Control | Role::Label | Role::Hint).then(|| class.clone());
    Sink { role, name: Some(format!("{class}.{name}")), widget }
}

fn role(class: &str, name: &str, argument: Option<u8>) -> Role {
    let plain = simple(class);
    if is_log(class, plain, name) {
        return Role::Log;
    }
    match name {
        "setText" | "setTextOn" | "setTextOff" | "append" if is_operable(plain) => Role::Control,
        "setText" | "append" if class.starts_with("android.") || class.starts_with("androidx.") => {
            Role::Label
        }
        "setText" | "setTextContent" | "setLabel" | "setSubTitle" | "setSubtitle" => Role::Label,
        "setTitle" | "setTitleText" | "setToolbarTitle" | "setTitleBar" | "setPageTitle" | "initTitle"
        | "setCenterTitle" | "setMiddleTitle" | "setActionBarTitle" => Role::Title,
        "makeText" | "showToast" | "toast" | "showShort" | "showLong" | "showShortToast"
        | "showLongToast" | "setMessage" | "setContentText" | "setContentTitle" | "showMessage"
        | "showTip" | "showDialog" | "showLoading" | "setBigContentTitle" | "bigText" => Role::Message,
        "setPositiveButton"
        | "setNegativeButton"
        | "setNeutralButton"
        | "setItems"
        | "addTab"
        | "setRightText"
        | "setAction"
        | "setSingleChoiceItems" => Role::Control,
        "add" if matches!(plain, "Menu" | "SubMenu") => Role::Control,
        "setHint" | "setContentDescription" | "setError" | "setQueryHint" => Role::Hint,
        // What is compared is often a label that a server or a menu gives: `"签到".equals(name)` tells of it.
        "equals" | "contains" | "startsWith" | "endsWith" | "indexOf" | "equalsIgnoreCase" | "areEqual" => {
            Role::Code
        }
        "matches" | "split" | "replace" | "replaceAll" | "compareTo" => Role::Comment,
        "put" | "get" | "opt" | "optString" | "getString" | "putString" | "putExtra" | "getStringExtra"
        | "containsKey" | "has" | "addParam" | "addHeader" | "getInt" | "getBoolean" | "putInt"
        | "putBoolean"
            if argument == Some(0) =>
        {
            Role::Comment
        }
        _ => Role::Code,
    }
}

/// Calls whose text goes to developers: logs, exceptions, assertions, telemetry.
fn is_log(class: &str, plain: &str, name: &str) -> bool {
    matches!(
        class,
        "android.util.Log" | "java.io.PrintStream" | "java.util.logging.Logger" | "timber.log.Timber"
    ) || matches!(
        plain,
        "Log"
            | "Logger"
            | "LogUtil"
            | "LogUtils"
            | "Logs"
            | "ALog"
            | "KLog"
            | "XLog"
            | "LOG"
            | "L"
            | "MLog"
            | "DebugLog"
            | "LogHelper"
            | "LogManager"
            | "CrashReport"
            | "MobclickAgent"
            | "Preconditions"
    ) || (name == "<init>" && (plain.ends_with("Exception") || plain.ends_with("Error")))
        || matches!(
            name,
            "checkNotNullParameter"
                | "checkNotNullExpressionValue"
                | "checkParameterIsNotNull"
                | "checkNotNull"
                | "throwUninitializedPropertyAccessException"
                | "printStackTrace"
                | "println"
                | "onEvent"
        )
}

/// Whether a call of this name gives a view something to do when it is pressed.
pub(super) fn is_listener(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.contains("click")
        || (lower.starts_with("set") && lower.ends_with("listener"))
        || name == "applySingleDebouncing"
}

/// Whether a person operates a view of this class.
pub(super) fn is_operable(class: &str) -> bool {
    let plain = simple(class);
    plain.ends_with("Button")
        || matches!(
            plain,
            "CheckBox"
                | "Switch"
                | "SwitchCompat"
                | "SwitchMaterial"
                | "MaterialSwitch"
                | "AppCompatCheckBox"
                | "MaterialCheckBox"
                | "CheckedTextView"
                | "AppCompatCheckedTextView"
                | "Chip"
                | "TabItem"
                | "Tab"
                | "Spinner"
                | "AppCompatSpinner"
                | "Preference"
                | "SwitchPreference"
                | "SwitchPreferenceCompat"
                | "CheckBoxPreference"
                | "ListPreference"
                | "EditTextPreference"
                | "PreferenceScreen"
                | "MultiSelectListPreference"
                | "SettingItemView"
                | "RatingBar"
        )
}

/// The last part of a dotted or nested name.
pub(super) fn simple(class: &str) -> &str {
    class.rsplit(['.', '$', '/']).next().unwrap_or(class)
}
