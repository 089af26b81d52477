//! Data that pages write into their scripts: `name = {key: 'text', list: [...]}` and `var name = "text"`, found by
//! name and read from there, so that megabytes of other scripts are not even looked at. Nothing is run; calls
//! around a text (`JsDecode('…')`, `htmlDecode("…")`, `'…'.html(false)`, `'1' * 1`) are told by name.

use super::js::{Kind, Lexer, Token, unescape};
use super::outline::characters;
use super::{Decoder, Limit, Unit};

/// What this file reads.
pub const DECODER: Decoder = Decoder {
    name: "js_data",
    version: 1,
    reads: (
        "网页脚本中的数据（JsDecode、htmlDecode）",
        "data in scripts of web pages (JsDecode, htmlDecode)",
    ),
    limits: &[Limit { what: ("值", "values"), amount: MAX_VALUES as u64, unit: Unit::Count }],
};

/// At most this many values of one object are kept.
const MAX_VALUES: usize = 100_000;
/// How many texts that are given to a name are looked at.
const MAX_PLACES: usize = 64;
/// Tokens looked at for one value of a variable.
const MAX_TOKENS: usize = 32;
/// Longest path of a value.
const MAX_PATH: usize = 256;

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Where in the object: `copyright_info.copyright_stat`; elements of a list are `[]`.
    pub path: String,
    /// The text, escapes resolved, decoded as the call around it does.
    pub text: String,
    /// Byte offset of the literal.
    pub offset: usize,
}

/// An object.
#[derive(Debug, Default)]
pub struct Data {
    /// Values that are wanted and not empty, in order.
    pub values: Vec<Value>,
    /// The object ends before its closing brace.
    pub truncated: bool,
    /// There are more values than are kept.
    pub cut: bool,
}

impl Data {
    /// The first value at a path.
    pub fn get(&self, path: &str) -> Option<&Value> {
        self.values.iter().find(|value| value.path == path)
    }

    /// The text of the first value at a path.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.get(path).map(|value| value.text.as_str())
    }
}

/// The object that is given to a name: `window.cgiDataNew = {…}`. `wanted` chooses values by their path.
pub fn object(source: &str, name: &str, wanted: fn(&str) -> bool) -> Option<Data> {
    let mut from = 0;
    loop {
        let at = from + memchr::memmem::find(source.as_bytes().get(from..)?, name.as_bytes())?;
        from = at + name.len();
        let behind = source.get(from..)?.trim_ascii_start();
        let Some(behind) = behind.strip_prefix('=').map(str::trim_ascii_start) else { continue };
        if behind.starts_with('{') {
            return Some(read_object(source, source.len() - behind.len(), wanted));
        }
    }
}

/// The text that is given to a variable: `var ct = "…"`, `window.ct = '…' || ''`. Empty texts are passed over.
pub fn variable(source: &str, name: &str) -> Option<Value> {
    for before in ["var ", "window."] {
        let needle = format!("{before}{name}");
        let finder = memchr::memmem::Finder::new(&needle);
        let mut places = 0;
        for at in finder.find_iter(source.as_bytes()) {
            let Some(rest) = source.get(at + needle.len()..) else { continue };
            let behind = rest.trim_ascii_start();
            let Some(behind) = behind.strip_prefix('=').filter(|rest| !rest.starts_with('=')) else {
                continue;
            };
            let behind = behind.trim_ascii_start();
            if !begins_value(behind) {
                continue;
            }
            places += 1;
            if places > MAX_PLACES {
                break;
            }
            if let Some(value) = expression(source, source.len() - behind.len()) {
                return Some(Value { path: name.to_owned(), ..value });
            }
        }
    }
    None
}

/// Whether an expression begins with a text, a number or a call that decodes one.
fn begins_value(text: &str) -> bool {
    let word = text.bytes().take_while(|byte| byte.is_ascii_alphabetic()).count();
    text.starts_with(['"', '\'', '`'])
        || text.starts_with(|ch: char| ch.is_ascii_digit())
        || is_decoder(&text.as_bytes()[..word])
}

/// The first text that is not empty in an expression, where nothing but decoding is done to it.
fn expression(source: &str, at: usize) -> Option<Value> {
    let bytes = source.as_bytes();
    let mut lexer = Lexer::new(bytes.get(at..)?);
    let mut reader = Expression::default();
    for _ in 0..MAX_TOKENS {
        let Some(token) = lexer.next() else { break };
        if token.kind.is_punctuator() && matches!(byte(bytes, at, token), b';' | b',' | b'}' | b'{' | b'?') {
            break;
        }
        // A word that is no decoder reads something else.
        if token.kind == Kind::Word && reader.literal.is_none() && !is_decoder(slice(bytes, at, token)) {
            return None;
        }
        // The next statement begins where one text follows another.
        if token.kind == Kind::Word && matches!(slice(bytes, at, token), b"var" | b"window") {
            break;
        }
        reader.take(bytes, at, token);
    }
    reader.value(bytes, String::new())
}

fn is_decoder(word: &[u8]) -> bool {
    matches!(word, b"JsDecode" | b"htmlDecode" | b"htmlDecodeLite" | b"decodeURIComponent")
}

fn slice(bytes: &[u8], base: usize, token: Token) -> &[u8] {
    bytes.get(base + token.start as usize..base + token.end as usize).unwrap_or_default()
}

fn byte(bytes: &[u8], base: usize, token: Token) -> u8 {
    bytes.get(base + token.start as usize).copied().unwrap_or_default()
}

/// What an expression comes to.
#[derive(Debug, Default)]
struct Expression {
    /// Where the literal is, quotes included.
    literal: Option<(usize, usize, Kind)>,
    js_decode: bool,
    html: bool,
    /// A dot stands before.
    dot: bool,
}

impl Expression {
    fn take(&mut self, bytes: &[u8], base: usize, token: Token) {
        let word = slice(bytes, base, token);
        let (start, end) = (base + token.start as usize, base + token.end as usize);
        let was_dot = std::mem::take(&mut self.dot);
        match token.kind {
            Kind::String | Kind::Template if self.literal.is_none() && end - start > 2 => {
                self.literal = Some((start, end, token.kind));
            }
            Kind::Number if self.literal.is_none() => self.literal = Some((start, end, token.kind)),
            Kind::Word => match word {
                b"JsDecode" => self.js_decode = true,
                b"htmlDecode" | b"htmlDecodeLite" => self.html = true,
                b"html" if was_dot => self.html = true,
                b"true" | b"false" if self.literal.is_none() => {
                    self.literal = Some((start, end, token.kind));
                }
                _ => {}
            },
            kind if kind.is_punctuator() => self.dot = word == b".",
            _ => {}
        }
    }

    fn value(&self, bytes: &[u8], path: String) -> Option<Value> {
        let (start, end, kind) = self.literal?;
        let raw = bytes.get(start..end)?;
        let text = match kind {
            Kind::String | Kind::Template => {
                let body = raw.get(1..)?;
                // A string that the end of the page cuts off has no closing quote.
                let closed = raw.first() == raw.last();
                unescape(if closed { body.get(..body.len() - 1)? } else { body })
            }
            _ => String::from_utf8_lossy(raw),
        };
        let mut text = text.into_owned();
        if self.js_decode && text.contains("\\x") {
            text = js_decode(&text);
        }
        if self.html {
            text = characters(&text).into_owned();
        }
        Some(Value { path, text, offset: start }).filter(|value| !value.text.is_empty())
    }
}

/// What the pages' own `JsDecode` does with what the script has read already: eight escapes, the backslash first.
fn js_decode(text: &str) -> String {
    const PAIRS: [(&str, &str); 8] = [
        ("\\x5c", "\\"),
        ("\\x0d", "\r"),
        ("\\x22", "\""),
        ("\\x26", "&"),
        ("\\x27", "'"),
        ("\\x3c", "<"),
        ("\\x3e", ">"),
        ("\\x0a", "\n"),
    ];
    PAIRS.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// An open bracket, and how long the path is outside of it.
struct Open {
    bracket: u8,
    path: usize,
}

fn read_object(source: &str, at: usize, wanted: fn(&str) -> bool) -> Data {
    let bytes = source.as_bytes();
    let mut data = Data { truncated: true, ..Data::default() };
    let Some(rest) = bytes.get(at..) else { return data };
    let mut lexer = Lexer::new(rest);
    let mut stack: Vec<Open> = Vec::new();
    let mut path = String::new();
    // The last word or string, which is a key when a colon follows in an object.
    let mut key: Option<Token> = None;
    let mut in_value = false;
    let mut current = Expression::default();
    while let Some(token) = lexer.next() {
        if token.kind == Kind::Comment {
            continue;
        }
        let sign = if token.kind.is_punctuator() { byte(bytes, at, token) } else { 0 };
        let inside = stack.last().map_or(0, |open| open.bracket);
        match sign {
            b'{' | b'[' => {
                stack.push(Open { bracket: sign, path: path.len() });
                if sign == b'[' {
                    push(&mut path, "[]");
                }
                in_value = sign == b'[';
                current = Expression::default();
                key = None;
            }
            b'(' => stack.push(Open { bracket: sign, path: path.len() }),
            b')' if inside == b'(' => {
                stack.pop();
            }
            b'}' | b']' | b',' if inside != b'(' => {
                if in_value && wanted(&path) {
                    let expression = std::mem::take(&mut current);
                    if let Some(value) = expression.value(bytes, path.clone()) {
                        if data.values.len() < MAX_VALUES {
                            data.values.push(value);
                        } else {
                            data.cut = true;
                        }
                    }
                }
                current = Expression::default();
                key = None;
                if sign == b',' {
                    // Behind a key the path is longer than at the brace.
                    let base = stack.last().map_or(0, |open| open.path);
                    if inside == b'{' {
                        path.truncate(base);
                    }
                    in_value = inside == b'[';
                } else {
                    if let Some(open) = stack.pop() {
                        path.truncate(open.path);
                    }
                    in_value = false;
                    if stack.is_empty() {
                        data.truncated = false;
                        return data;
                    }
                }
            }
            b':' if inside == b'{' && !in_value => {
                if let Some(name) = key.take() {
                    let name = String::from_utf8_lossy(slice(bytes, at, name));
                    let name = name.trim_matches(['"', '\'']);
                    push(&mut path, name);
                }
                in_value = true;
            }
            _ if in_value => current.take(bytes, at, token),
            _ if matches!(token.kind, Kind::Word | Kind::String | Kind::Number) => key = Some(token),
            _ => {}
        }
    }
    // What the page breaks off in is still read.
    if in_value && wanted(&path) {
        data.values.extend(current.value(bytes, path));
    }
    data
}

fn push(path: &mut String, name: &str) {
    if path.len() + name.len() < MAX_PATH {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
    } else {
        // Told apart no longer, but never taken for a shorter path.
        path.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::res_chunk::tests::flips;

    fn all(_: &str) -> bool {
        true
    }

    fn pairs(source: &str) -> Vec<(String, String)> {
        object(source, "window.d", all)
            .unwrap()
            .values
            .into_iter()
            .map(|value| (value.path, value.text))
            .collect()
    }

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
    }

    #[test]
    fn objects_are_read_by_path() {
        let source = "if (window.d) {}\nwindow.d = {a: JsDecode('\\x3cp\\x3e打卡\\x26amp;'), 'b': '1' * 1,\n c: { d: true, e: [ {f: 'x'}, {f: \"y\"}, ], },\
                      g: JsDecode(''), h: ['p', 'q'], i: 'z'.html(false), j: htmlDecode(\"&lt;\"), };var x = {k: 'no'}";
        let expected = [
            ("a", "<p>打卡&amp;"),
            ("b", "1"),
            ("c.d", "true"),
            ("c.e.[].f", "x"),
            ("c.e.[].f", "y"),
            ("h.[]", "p"),
            ("h.[]", "q"),
            ("i", "z"),
            ("j", "<"),
        ];
        assert_eq!(pairs(source), owned(&expected));
    }

    #[test]
    fn escapes_that_only_the_page_resolves() {
        assert_eq!(pairs(r"window.d={a:JsDecode('\\x3cb\\x5cn')}"), owned(&[("a", "<b\\n")]));
        assert_eq!(pairs(r"window.d={a:'\uD83D\uDE00\uD83D'}"), owned(&[("a", "😀\u{FFFD}")]));
    }

    #[test]
    fn what_is_cut_off_is_read_as_far_as_it_goes() {
        let data = object("window.d = {a: 'x', b: JsDecode('\\x3cp\\x3e今天", "window.d", all).unwrap();
        assert!(data.truncated);
        assert_eq!(data.text("b"), Some("<p>今天"));
    }

    #[test]
    fn variables() {
        let source = "var ctx = 'no'; f(window.ct); window.ct = '' || '17' || ''; var biz = null; var biz = \"Mz==\" || \"\";\
                      var nickname = htmlDecode(\"A&amp;B\"); var t = '标\\x26题'.html(false); var n = \"2\" * 1; var z = window.y || '3';";
        let text = |name| variable(source, name).map(|value| value.text);
        assert_eq!(text("ct").as_deref(), Some("17"));
        assert_eq!(text("biz").as_deref(), Some("Mz=="));
        assert_eq!(text("nickname").as_deref(), Some("A&B"));
        assert_eq!(text("t").as_deref(), Some("标&题"));
        assert_eq!(text("n").as_deref(), Some("2"));
        assert_eq!(text("z"), None);
        assert_eq!(text("missing"), None);
    }

    #[test]
    fn nesting_costs_no_stack() {
        let deep = format!("window.d={}{}", "{a:[".repeat(200_000), "'x'");
        assert!(object(&deep, "window.d", all).unwrap().truncated);
    }

    #[test]
    fn cut_and_flipped_pages_are_read() {
        let source = "window.d={a:JsDecode('\\x3cp打卡'),b:['x',{c:\"1\"*1}],d:htmlDecode(\"&lt;\")};var t='标\\x26题'.html(false)";
        let read = |bytes: &[u8]| {
            let source = String::from_utf8_lossy(bytes);
            object(&source, "window.d", all);
            variable(&source, "t");
        };
        (0..source.len()).for_each(|end| read(&source.as_bytes()[..end]));
        flips(source.as_bytes(), 2_000, read);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(source in "(window\\.d ?= ?\\{)?([a-c]|:|,|\\{|\\}|\\[|\\]|\\(|\\)|'|\"|\\\\|JsDecode| ){0,60}") {
            object(&source, "window.d", all);
            variable(&source, "a");
        }
    }
}
