//! What the code of a program shows: strings with the message they are passed to, their class and method, addresses
//! that are called, and names.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::decode::macho::arm64::{self, Literal, Use};
use crate::decode::macho::objc::ObjC;
use crate::decode::macho::{ARM64, MachO};
use crate::link::{endpoint, library};
use crate::model::{Code, Fact, FactKind, Origin, Place, Role, UiText, Usage, Widget};
use crate::text::has_cjk;

/// Longer texts are cut.
const MAX_TEXT: usize = 4_096;
/// Longer literals are data.
const MAX_LITERAL: usize = 16 << 10;
/// Steps up from a class.
const MAX_PARENTS: usize = 16;

/// A class of a program.
#[derive(Debug, Clone)]
pub(crate) struct Class {
    pub(crate) name: String,
    /// Code refers to it.
    pub(crate) referred: bool,
    /// It is a screen, or a part of one, by its name or that of a class above it.
    pub(crate) screen: bool,
    pub(crate) origin: Origin,
}

/// A use of a key of a string table.
#[derive(Debug, Clone)]
pub(crate) struct KeyUse {
    pub(crate) role: Role,
    pub(crate) widget: Option<Widget>,
    pub(crate) code: Option<Code>,
    /// Index into the classes of the program.
    pub(crate) class: Option<usize>,
}

/// A text of a program.
#[derive(Debug, Clone)]
pub(crate) struct CodeText {
    pub(crate) text: UiText,
    /// Index into the classes.
    pub(crate) class: Option<usize>,
}

/// What is in a program.
#[derive(Debug, Clone, Default)]
pub(crate) struct Program {
    pub(crate) path: String,
    pub(crate) classes: Vec<Class>,
    pub(crate) texts: Vec<CodeText>,
    pub(crate) facts: Vec<(Fact, Option<usize>)>,
    /// Strings of it that were asked for.
    pub(crate) mentioned: HashSet<String>,
    /// What stands before the first `%` of its format strings.
    pub(crate) formats: HashSet<String>,
    pub(crate) keys: HashMap<String, Vec<KeyUse>>,
    /// Its code was followed as a whole.
    pub(crate) followed: bool,
}

/// A string of the program.
struct Stored<'a> {
    text: std::borrow::Cow<'a, str>,
    offset: usize,
}

/// Reads a program. `asked` are names to look for among its strings; `library` says whose it is.
pub(crate) fn read(
    path: &str,
    program: &MachO<'_>,
    asked: &HashSet<String>,
    library: Option<&str>,
) -> Program {
    let place: Arc<str> = Arc::from(path);
    let objc = ObjC::read(program);
    let mut found = Program { path: path.to_owned(), ..Program::default() };
    let whose = |name: &str| {
        library
            .or_else(|| library::of_objc_class(name))
            .map_or(Origin::App, |l| Origin::Library(Arc::from(l)))
    };
    found.classes = objc
        .classes
        .iter()
        .enumerate()
        .map(|(index, class)| Class {
            name: class.name.clone(),
            referred: class.referred,
            screen: std::iter::successors(Some(index), |index| objc.classes.get(*index)?.parent)
                .take(MAX_PARENTS)
                .any(|index| objc.classes.get(index).is_some_and(|class| is_screen(&class.name))),
            origin: whose(&class.name),
        })
        .collect();

    let mut strings: HashMap<u64, Stored<'_>> = HashMap::new();
    for (address, offset, bytes) in program.cstrings() {
        if let Ok(text) = std::str::from_utf8(bytes)
            && (2..=MAX_LITERAL).contains(&text.len())
        {
            strings.insert(address, Stored { text: text.into(), offset });
        }
    }
    for (address, offset, text) in program.ustrings() {
        strings.insert(address, Stored { text: text.into(), offset });
    }
    for stored in strings.values() {
        if let Some((before, _)) = stored.text.split_once('%').filter(|(before, _)| before.len() >= 3) {
            found.formats.insert(before.to_owned());
        }
        if asked.contains(&*stored.text) {
            found.mentioned.insert(stored.text.clone().into_owned());
        }
    }
    let objects: HashMap<u64, u64> = program.cfstrings().collect();
    let characters = |address: u64| objects.get(&address).copied().unwrap_or(address);
    let (uses, whole) = match program.cpu {
        ARM64 => arm64::uses(program, &objc, &|address| {
            objects.contains_key(&address) || strings.contains_key(&address)
        }),
        _ => (Vec::new(), false),
    };
    found.followed = whole && program.encrypted.is_none();
    let mut used: HashSet<u64> = HashSet::new();
    let mut seen: HashSet<(u64, Option<usize>)> = HashSet::new();
    let reader = Reader { place, objc: &objc, library };
    for usage in &uses {
        let (text, address, offset) = match &usage.string {
            Literal::At(address) => {
                let address = characters(*address);
                let Some(stored) = strings.get(&address) else { continue };
                (&*stored.text, address, stored.offset as u64)
            }
            Literal::Small(text) => {
                if asked.contains(text) {
                    found.mentioned.insert(text.clone());
                }
                let offset = program.offset(usage.address).unwrap_or_default();
                (text.as_str(), usage.address, offset as u64)
            }
        };
        let class = reader.class(usage);
        // A string that is passed on several ways in one class is told once for each way that shows it.
        let shown = usage.callee.as_deref().and_then(|callee| sink(callee, usage.argument));
        if usage.localised || usage.callee.as_deref() == Some("localizedStringForKey:value:table:") {
            let (role, widget) = match (&shown, usage.localised) {
                (Some(shown), true) => (shown.role, shown.widget(usage)),
                _ => (Role::Code, None),
            };
            let list = found.keys.entry(text.to_owned()).or_default();
            if list.len() < 32 {
                list.push(KeyUse { role, widget, code: Some(reader.code(usage, class)), class });
            }
            used.insert(address);
            continue;
        }
        used.insert(address);
        if shown.is_none() && !seen.insert((address, class)) {
            continue;
        }
        reader.told(text, offset, usage, shown.as_ref(), class, &mut found);
    }
    // What no code was seen to use: tables of data, or a processor whose code is not followed.
    for (address, stored) in &strings {
        if !used.contains(address) {
            reader.loose(&stored.text, stored.offset as u64, &mut found);
        }
    }
    reader.names(&mut found);
    found.texts.sort_by(|a, b| {
        (a.text.place.at, &a.text.text, a.text.role).cmp(&(b.text.place.at, &b.text.text, b.text.role))
    });
    found
}

struct Reader<'r> {
    place: Arc<str>,
    objc: &'r ObjC,
    library: Option<&'r str>,
}

impl Reader<'_> {
    /// The class of the method that a use is in, or of the method before its function: blocks and local functions
    /// stand behind the methods of their file.
    fn class(&self, usage: &Use) -> Option<usize> {
        let next = self.objc.methods.partition_point(|method| method.code <= usage.function);
        let method = self.objc.methods.get(next.checked_sub(1)?).filter(|method| method.code != 0)?;
        let swift = self.objc.classes.get(method.class).is_some_and(|class| class.name.contains('.'));
        (method.code == usage.function || !swift).then_some(method.class)
    }

    fn code(&self, usage: &Use, class: Option<usize>) -> Code {
        let class = class.and_then(|class| self.objc.classes.get(class));
        Code {
            class: class.map_or_else(|| self.place.to_string(), |class| class.name.clone()),
            method: self.objc.method_at(usage.function).map(|method| method.name.clone()),
            sink: usage.callee.clone(),
        }
    }

    fn origin(&self, class: Option<usize>, found: &Program) -> Origin {
        match self.library {
            Some(library) => Origin::Library(Arc::from(library)),
            None => class
                .and_then(|class| found.classes.get(class))
                .map_or(Origin::App, |class| class.origin.clone()),
        }
    }

    /// A string that code uses.
    fn told(
        &self,
        text: &str,
        offset: u64,
        usage: &Use,
        shown: Option<&Shown>,
        class: Option<usize>,
        found: &mut Program,
    ) {
        let code = self.code(usage, class);
        let mut step = vec![method(&code)];
        step.extend(code.sink.clone());
        if let Some(address) =
            endpoint::in_code(text).filter(|_| !usage.callee.as_deref().is_some_and(is_log))
        {
            let mut fact = Fact::new(FactKind::Endpoint, address, Place::offset(self.place.clone(), offset));
            fact.chain = step;
            fact.origin = self.origin(class, found);
            found.facts.push((fact, class));
            return;
        }
        let cjk = has_cjk(text);
        if !(cjk || shown.is_some() && is_prose(text)) {
            return;
        }
        let log = usage.callee.as_deref().is_some_and(is_log);
        let compared = usage.callee.as_deref().is_some_and(is_comparison);
        let role = match shown {
            _ if log => Role::Log,
            _ if compared => Role::Comment,
            Some(shown) => shown.role,
            None => Role::Code,
        };
        let mut told = UiText::new(cut(text), role, Place::offset(self.place.clone(), offset));
        told.usage = Usage::Used;
        told.widget = shown.and_then(|shown| shown.widget(usage));
        told.chain =
            std::iter::once(self.place.to_string()).chain(step).chain(usage.action.clone()).collect();
        told.code = Some(code);
        told.origin = self.origin(class, found);
        found.texts.push(CodeText { text: told, class });
    }

    /// A string that no code was seen to use.
    fn loose(&self, text: &str, offset: u64, found: &mut Program) {
        let place = Place::offset(self.place.clone(), offset);
        let origin = self.origin(None, found);
        if has_cjk(text) {
            let mut told = UiText::new(cut(text), Role::Code, place);
            told.chain = vec![self.place.to_string()];
            told.origin = origin;
            found.texts.push(CodeText { text: told, class: None });
        } else if let Some(address) = endpoint::in_code(text) {
            let mut fact = Fact::new(FactKind::Endpoint, address, place);
            fact.chain = vec![self.place.to_string()];
            fact.origin = origin;
            found.facts.push((fact, None));
        }
    }

    /// Classes and methods of the app's own.
    fn names(&self, found: &mut Program) {
        let mut functions = HashSet::new();
        for (index, class) in self.objc.classes.iter().enumerate() {
            if self.origin(Some(index), found) == Origin::App && class.name.len() > 3 {
                let place = Place::offset(self.place.clone(), class.offset as u64);
                found.facts.push((Fact::new(FactKind::Class, &*class.name, place), Some(index)));
            }
        }
        for method in &self.objc.methods {
            let plain =
                method.name.len() > 3 && !method.name.starts_with('.') && !method.name.contains("_block");
            if plain
                && self.origin(Some(method.class), found) == Origin::App
                && functions.insert(&method.name)
            {
                let mut fact = Fact::new(FactKind::Function, &*method.name, Place::entry(self.place.clone()));
                let class = self.objc.classes.get(method.class).map_or("", |class| &class.name);
                fact.chain = vec![format!("{class}.{}", method.name)];
                found.facts.push((fact, Some(method.class)));
            }
        }
    }
}

/// `Class.method` of a piece of code.
pub(crate) fn method(code: &Code) -> String {
    match &code.method {
        Some(method) => format!("{}.{method}", code.class),
        None => code.class.clone(),
    }
}

fn cut(text: &str) -> &str {
    text.char_indices().nth(MAX_TEXT).map_or(text, |(at, _)| &text[..at])
}

/// Whether a string without ideographs is words, not a name or format.
fn is_prose(text: &str) -> bool {
    text.chars().filter(|ch| ch.is_alphabetic()).count() >= 3 && !text.contains(['_', '{', '<', '='])
}

/// Names of classes that are screens or parts of them.
fn is_screen(name: &str) -> bool {
    ["Controller", "VC", "Page", "Screen", "View", "Cell", "Alert", "Dialog", "Sheet", "Popup"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

/// How a message shows a text.
struct Shown {
    role: Role,
    class: Option<&'static str>,
}

impl Shown {
    fn widget(&self, usage: &Use) -> Option<Widget> {
        let class = self.class?.to_owned();
        Some(Widget { class, id: None, handler: usage.action.clone(), operable: self.role == Role::Control })
    }
}

/// What a message does with one of its arguments, if it shows it.
fn sink(callee: &str, argument: u8) -> Option<Shown> {
    let parts: Vec<&str> = callee.split(':').collect();
    // Arguments 0 and 1 are receiver and selector.
    let part = parts.get(usize::from(argument).checked_sub(2)?).copied().unwrap_or_default();
    let shown = |role, class| Some(Shown { role, class });
    let lower = part.to_ascii_lowercase();
    match (callee, argument) {
        ("setTitle:forState:" | "setAttributedTitle:forState:", 2) => {
            return shown(Role::Control, Some("UIButton"));
        }
        ("setTitle:", 2) => return shown(Role::Title, None),
        ("actionWithTitle:style:handler:" | "addActionWithTitle:", 2) => {
            return shown(Role::Control, Some("UIAlertAction"));
        }
        ("initWithTitle:style:target:action:", 2) => return shown(Role::Control, Some("UIBarButtonItem")),
        ("initWithTitle:image:tag:" | "initWithTitle:image:selectedImage:", 2) => {
            return shown(Role::Control, Some("UITabBarItem"));
        }
        ("insertSegmentWithTitle:atIndex:animated:" | "setTitle:forSegmentAtIndex:", 2) => {
            return shown(Role::Control, Some("UISegmentedControl"));
        }
        ("setText:" | "setAttributedText:" | "setDetailText:", 2) => {
            return shown(Role::Label, Some("UILabel"));
        }
        _ => {}
    }
    if callee.starts_with("alertControllerWithTitle:") || callee.starts_with("initWithTitle:message:") {
        let button = lower.contains("button");
        return shown(if button { Role::Control } else { Role::Message }, button.then_some("UIAlertView"));
    }
    if argument == 2 && lower.ends_with("withtitle") && callee.contains(":action:") {
        return shown(Role::Control, Some("UIMenuElement"));
    }
    if lower.contains("placeholder") {
        return shown(Role::Hint, Some("UITextField"));
    }
    if lower.contains("toast") || lower.contains("hud") || lower.ends_with("withstatus") || lower == "message"
    {
        return shown(Role::Message, None);
    }
    if matches!(
        lower.as_str(),
        "showmessage"
            | "showtext"
            | "showtip"
            | "showtips"
            | "showinfo"
            | "showerror"
            | "showsuccess"
            | "showmsg"
            | "showalert"
    ) {
        return shown(Role::Message, None);
    }
    if lower.contains("buttontitle") || lower.contains("btntitle") || lower == "buttonwithtitle" {
        return shown(Role::Control, Some("UIButton"));
    }
    if lower == "title"
        || lower.ends_with("withtitle")
        || lower == "setnavtitle"
        || lower == "setnavigationtitle"
    {
        return shown(Role::Title, None);
    }
    if matches!(
        lower.as_str(),
        "text" | "labelwithtext" | "initwithtext" | "settitletext" | "subtitle" | "setsubtitle"
    ) {
        return shown(Role::Label, Some("UILabel"));
    }
    None
}

fn is_log(callee: &str) -> bool {
    let lower = callee.to_ascii_lowercase();
    matches!(callee, "NSLog" | "NSLogv" | "printf" | "os_log_impl" | "os_log_error_impl" | "asl_log")
        || lower.contains("log:") && !lower.contains("dialog:") && !lower.contains("blog:")
        || lower.contains("logevent")
        || lower.starts_with("trackevent")
        || lower.starts_with("event:")
        || lower.contains("exceptionwithname:")
        || lower.contains("handlefailureinmethod:")
}

fn is_comparison(callee: &str) -> bool {
    matches!(
        callee,
        "isEqualToString:"
            | "isEqual:"
            | "hasPrefix:"
            | "hasSuffix:"
            | "containsString:"
            | "rangeOfString:"
            | "compare:"
            | "objectForKey:"
            | "objectForKeyedSubscript:"
            | "valueForKey:"
            | "componentsSeparatedByString:"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_show_their_arguments() {
        let role = |callee, argument| sink(callee, argument).map(|shown| shown.role);
        assert_eq!(role("setTitle:forState:", 2), Some(Role::Control));
        assert_eq!(role("setTitle:", 2), Some(Role::Title));
        assert_eq!(role("alertControllerWithTitle:message:preferredStyle:", 3), Some(Role::Message));
        assert_eq!(role("showWithStatus:", 2), Some(Role::Message));
        assert_eq!(role("setPlaceholder:", 2), Some(Role::Hint));
        assert_eq!(role("requestURL:parameters:", 2), None);
        assert_eq!(role("NSLog", 0), None);
        assert!(is_log("NSLog") && is_log("logEvent:") && !is_log("showDialog:"));
    }
}
