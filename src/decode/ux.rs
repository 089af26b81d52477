//! Templates of quick apps as the tool chain compiles them into the scripts of pages: objects like
//! `{"type": "input", "attr": {"type": "button", "value": "…"}, "events": {"click": "punch"}, "children": […]}`.
//!
//! Shape: what npm's `hap-toolkit` 2.0 writes (`@hap-toolkit/compiler`), minified or not; markup:
//! <https://doc.quickapp.cn/framework/source-file.html>. Read by tokens, without recursion.

use std::collections::HashMap;

use super::Decoder;
use super::js::{Kind, Lexer};

/// What this file reads.
pub const DECODER: Decoder = Decoder {
    name: "ux",
    version: 1,
    reads: ("快应用页面模板", "page templates of quick apps"),
    limits: &[],
};

/// The elements of the templates in one script, and which literal stands in which.
#[derive(Debug, Default)]
pub struct Templates {
    /// Every element after the one it is in.
    pub elements: Vec<Element>,
    /// Literals by the offset of their first quote: the element and the attribute.
    pub literals: HashMap<usize, (usize, String)>,
}

/// An element.
#[derive(Debug, Default)]
pub struct Element {
    /// Its tag: `input`.
    pub tag: String,
    /// The element it is in.
    pub parent: Option<usize>,
    /// Its attribute `type`: `button`.
    pub kind: Option<String>,
    /// Its attribute `id`.
    pub id: Option<String>,
    /// The method that a press on it calls.
    pub press: Option<String>,
}

/// What is inside a bracket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Other,
    /// Attributes of an element.
    Attributes(usize),
    /// Inside the value of an attribute: its number in `keys`.
    Value(usize, usize),
    /// Handlers of an element.
    Events(usize),
    /// Inside the handler of a press.
    Press(usize),
}

struct Frame<'a> {
    object: bool,
    inside: Inside,
    /// The value of `type`, when it is a plain string.
    tag: Option<&'a str>,
    /// The element that the object turned out to be, or the nearest around it.
    element: Option<usize>,
    own: bool,
    /// A key may come.
    expects: bool,
    pending: Option<&'a str>,
    key: Option<&'a str>,
}

/// Reads the templates of a script.
pub fn read(source: &[u8]) -> Templates {
    let mut found = Templates::default();
    let mut keys: Vec<&str> = Vec::new();
    let mut stack: Vec<Frame<'_>> = Vec::new();
    let mut lexer = Lexer::new(source);
    // The two tokens before, to see `this.name`.
    let (mut before, mut last) = ("", "");
    while let Some(token) = lexer.next() {
        let (start, end) = (token.start as usize, token.end as usize);
        let text = source.get(start..end).and_then(|text| std::str::from_utf8(text).ok()).unwrap_or_default();
        match token.kind {
            Kind::Comment => continue,
            kind if kind.is_punctuator() => match text {
                "{" | "[" | "(" => {
                    let frame = open(text == "{", stack.last(), &mut keys);
                    stack.push(frame);
                }
                "}" | "]" | ")" => {
                    stack.pop();
                    // What follows the value of a property is a comma or the end.
                    if let Some(frame) = stack.last_mut() {
                        frame.pending = None;
                    }
                }
                "," => {
                    if let Some(frame) = stack.last_mut().filter(|frame| frame.object) {
                        (frame.expects, frame.key, frame.pending) = (true, None, None);
                    }
                }
                ":" => {
                    if let Some(frame) = stack.last_mut().filter(|frame| frame.object)
                        && let Some(key) = frame.pending.take()
                    {
                        frame.key = Some(key);
                        become_element(frame, key, &mut found);
                    }
                }
                _ => {
                    if let Some(frame) = stack.last_mut() {
                        frame.pending = None;
                    }
                }
            },
            Kind::Word
            | Kind::String
            | Kind::Template
            | Kind::TemplateHead
            | Kind::TemplateMiddle
            | Kind::TemplateTail => {
                let Some(frame) = stack.last_mut() else { continue };
                let quoted = token.kind != Kind::Word;
                let plain =
                    if quoted { text.get(1..text.len().saturating_sub(1)).unwrap_or_default() } else { text };
                if frame.object && frame.expects {
                    (frame.expects, frame.pending) = (false, Some(plain));
                } else {
                    frame.pending = None;
                    match frame.inside {
                        Inside::Attributes(element) if quoted => {
                            let key = frame.key.unwrap_or_default();
                            found.literals.insert(start, (element, key.to_owned()));
                            if let Some(element) = found.elements.get_mut(element) {
                                match key {
                                    "type" => element.kind = Some(plain.to_owned()),
                                    "id" => element.id = Some(plain.to_owned()),
                                    _ => {}
                                }
                            }
                        }
                        Inside::Value(element, key) if quoted => {
                            let key = keys.get(key).copied().unwrap_or_default();
                            found.literals.insert(start, (element, key.to_owned()));
                        }
                        Inside::Events(element) if quoted && is_press(frame.key) => {
                            press(&mut found, element, plain);
                        }
                        Inside::Press(element) if !quoted && last == "." && before == "this" => {
                            press(&mut found, element, plain);
                        }
                        _ if frame.object && frame.key == Some("type") && quoted => frame.tag = Some(plain),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        (before, last) = (last, text);
    }
    found
}

fn is_press(event: Option<&str>) -> bool {
    matches!(event, Some("click" | "longpress" | "touchend" | "touchstart" | "submit"))
}

fn press(found: &mut Templates, element: usize, name: &str) {
    if let Some(element) = found.elements.get_mut(element) {
        element.press.get_or_insert_with(|| name.to_owned());
    }
}

/// What a bracket opens, by what it is in.
fn open<'a>(object: bool, outer: Option<&Frame<'a>>, keys: &mut Vec<&'a str>) -> Frame<'a> {
    let key = outer.and_then(|outer| outer.key);
    let inside = match outer.map_or(Inside::Other, |outer| outer.inside) {
        Inside::Attributes(element) => {
            keys.push(key.unwrap_or_default());
            Inside::Value(element, keys.len() - 1)
        }
        Inside::Events(element) if is_press(key) => Inside::Press(element),
        Inside::Events(_) => Inside::Other,
        Inside::Other if object => match outer.filter(|outer| outer.own).and_then(|outer| outer.element) {
            Some(element) if key == Some("attr") => Inside::Attributes(element),
            Some(element) if key == Some("events") => Inside::Events(element),
            _ => Inside::Other,
        },
        inside => inside,
    };
    let element = outer.and_then(|outer| outer.element);
    Frame { object, inside, tag: None, element, own: false, expects: object, pending: None, key: None }
}

/// An object with a `type` is an element once one of the other properties of elements comes.
fn become_element<'a>(frame: &mut Frame<'a>, key: &str, found: &mut Templates) {
    if frame.own
        || frame.inside != Inside::Other
        || !matches!(key, "attr" | "events" | "children" | "classList")
    {
        return;
    }
    let Some(tag) = frame.tag else { return };
    found.elements.push(Element { tag: tag.to_owned(), parent: frame.element, ..Element::default() });
    (frame.own, frame.element) = (true, Some(found.elements.len() - 1));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `hap release` writes it.
    const MINIFIED: &str = r#"t.exports={type:"div",attr:{},classList:["page"],children:[{type:"text",attr:{value:function(){return"责任段："+this.section}}},{type:"input",attr:{type:"button",value:"立即打卡",id:"go"},events:{click:"punch"}},{type:"div",attr:{},events:{click:function(t){return this.open(this.$item.page,t)}},children:[{type:"text",attr:{value:"补卡"}}]}]}"#;

    fn of<'a>(templates: &'a Templates, source: &str, literal: &str) -> (&'a Element, &'a str) {
        let at = source.find(literal).unwrap() - 1;
        let (element, key) = &templates.literals[&at];
        (&templates.elements[*element], key)
    }

    #[test]
    fn elements_have_their_literals_handlers_and_parents() {
        // `hap build` quotes names and puts everything on lines of its own.
        let spaced = MINIFIED.replace("type:", "\n \"type\" : ").replace("attr:", "'attr' :/* x */ ");
        for source in [MINIFIED, &spaced] {
            let templates = read(source.as_bytes());
            let tags: Vec<&str> = templates.elements.iter().map(|element| element.tag.as_str()).collect();
            assert_eq!(tags, ["div", "text", "input", "div", "text"]);
            let parents: Vec<Option<usize>> =
                templates.elements.iter().map(|element| element.parent).collect();
            assert_eq!(parents, [None, Some(0), Some(0), Some(0), Some(3)]);
            let (button, key) = of(&templates, source, "立即打卡");
            assert_eq!(
                (button.kind.as_deref(), button.press.as_deref(), key),
                (Some("button"), Some("punch"), "value")
            );
            assert_eq!(button.id.as_deref(), Some("go"));
            assert_eq!(of(&templates, source, "责任段").1, "value");
            let (text, _) = of(&templates, source, "补卡");
            assert_eq!(templates.elements[text.parent.unwrap()].press.as_deref(), Some("open"));
        }
    }

    #[test]
    fn other_objects_are_no_elements() {
        let source = r#"var a={type:"打卡",value:"签到"};f({attr:{value:"x"},events:{click:"y"}});g={type:k,attr:{value:"z"}}"#;
        let templates = read(source.as_bytes());
        assert!(templates.elements.is_empty() && templates.literals.is_empty(), "{templates:?}");
    }

    #[test]
    fn any_bytes_end() {
        for cut in 0..MINIFIED.len() {
            read(&MINIFIED.as_bytes()[..cut]);
        }
        let mut state = 7u32;
        for _ in 0..2000 {
            let mut bytes = MINIFIED.as_bytes().to_vec();
            for _ in 0..3 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = state as usize / 256 % bytes.len();
                bytes[at] = (state >> 3) as u8;
            }
            read(&bytes);
        }
        read("{type:'a',attr:".repeat(50_000).as_bytes());
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_end(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            read(&bytes);
        }
    }
}
