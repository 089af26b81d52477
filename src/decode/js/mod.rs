//! JavaScript text (ECMAScript 2024 and what minifiers write, Annex B comments included): literals and what
//! surrounds them. Not a parser: a lexer that settles the regex/division question by the token before, and a
//! stack of open brackets. Nothing recurses, so nesting costs memory in proportion to the input and no stack.
//!
//! JSON is read by the same means, as it is a subset.

mod fold;

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use self::fold::{Function as Folding, MAX_CONSTANT, MAX_PIECES, MAX_TEXT, Piece};
use super::{Decoder, Issue, Limit, Unit};

/// What this file reads.
pub const DECODER: Decoder = Decoder {
    name: "js",
    version: 4,
    reads: ("JavaScript（ES2024）", "JavaScript (ES2024)"),
    limits: &[Limit {
        what: ("运行时拼接的文字", "text joined at run time"),
        amount: MAX_TEXT as u64,
        unit: Unit::Bytes,
    }],
};

/// At most this many issues are kept for one text.
const MAX_ISSUES: usize = 64;
/// How many brackets outwards a call is looked for.
const CALL_LEVELS: usize = 12;
/// Stands for the run-time value in a template literal with holes.
pub const HOLE: char = '…';

/// Which literals and calls are wanted. Literals with a character outside ASCII always are.
#[derive(Debug, Clone, Copy)]
pub struct Filter {
    /// Whether a literal is wanted, by its body as written.
    pub literal: fn(&[u8]) -> bool,
    /// Whether a call is wanted, by its dotted callee.
    pub call: fn(&[u8]) -> bool,
}

/// What was found in one text.
#[derive(Debug, Default)]
pub struct Script<'a> {
    /// Literals in the order of their ends.
    pub literals: Vec<Literal<'a>>,
    /// Bodies of functions that have a name or are the value of a property.
    pub functions: Vec<Function<'a>>,
    /// Wanted calls.
    pub calls: Vec<Call<'a>>,
    /// Object literals that directly hold a wanted literal.
    pub objects: Vec<Object<'a>>,
    /// `define("name", …)` calls, as module bundlers of mini programs write them.
    pub modules: Vec<Module<'a>>,
    /// Functions in a table by their quoted or numeric names, as webpack writes modules.
    pub bundled: Vec<Module<'a>>,
    /// Variables and functions declared at the outermost levels, with what they are given.
    pub declarations: Vec<Module<'a>>,
    /// What may name a module, a variable that holds one, or a key of a table of texts.
    pub references: Vec<Reference<'a>>,
    /// Entries of router tables.
    pub routes: Vec<Route<'a>>,
    /// Variables that elements show which react to presses.
    pub labels: Vec<Label<'a>>,
    /// Long strings in Base64 that begin like a document.
    pub embedded: Vec<Embedded>,
    /// What is wrong with the text.
    pub issues: Vec<Issue>,
}

/// What sort of text a literal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LiteralKind {
    /// String, or strings joined, or a template without holes.
    #[default]
    String,
    /// Template with holes; [`HOLE`] stands for each.
    Template,
    /// Comment.
    Comment,
}

/// How a literal is used where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Use {
    /// As a value.
    #[default]
    Value,
    /// As the name of a property.
    Key,
    /// In a comparison or as a `case`.
    Compared,
}

/// A literal with its context.
#[derive(Debug, Clone, Default)]
pub struct Literal<'a> {
    /// Its value; lone surrogates and invalid bytes are U+FFFD.
    pub text: Cow<'a, str>,
    /// Byte offset of its first quote.
    pub offset: usize,
    /// What sort of text it is.
    pub kind: LiteralKind,
    /// How it is used.
    pub usage: Use,
    /// The property it is the value of, or (see `element`) an element of the value of.
    pub key: Option<&'a str>,
    /// Dotted callee of the nearest call that it is, or is inside, an argument of.
    pub callee: Option<&'a str>,
    /// Position of that argument.
    pub argument: u32,
    /// It is an element of an array.
    pub element: bool,
    /// It is joined with run-time values.
    pub part: bool,
    /// An element description around it has a handler of presses: `{onClick: f, children: "…"}`,
    /// `createElement(Button, {onClick: f}, "…")`, `_c("button", {on: {click: f}}, [_v("…")])`.
    pub pressable: bool,
    /// Name of that handler: `punch` of `{onClick: this.punch}`.
    pub handler: Option<&'a str>,
    /// First argument of the call that makes the pressable element, or the innermost one: `button`.
    pub tag: Option<&'a str>,
    /// The expression that gives the text, cut short, where that is more than one literal: `"打"+"卡"`.
    pub joined: Option<&'a str>,
    /// The variable whose value it is or may be: `a=b?"签到":"已签到"`, `a=function(){return "签到"}()`.
    pub given: Option<Variable<'a>>,
    /// Index in [`Script::objects`] of the object it is a property value of.
    pub object: Option<u32>,
    /// Index in [`Script::functions`] of the innermost one around it.
    pub function: Option<u32>,
}

/// A variable in a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Variable<'a> {
    /// Its name.
    pub name: &'a str,
    /// Byte offset of the brace that opens the body of the function; 0 outside of any.
    pub body: u32,
}

/// A variable that an element shows which reacts to presses: `{onClick: f, children: a}`.
#[derive(Debug, Clone, Copy)]
pub struct Label<'a> {
    /// The variable.
    pub variable: Variable<'a>,
    /// Name of the handler.
    pub handler: Option<&'a str>,
    /// First argument of the call that makes the element: `Button`.
    pub tag: Option<&'a str>,
}

/// A function body.
#[derive(Debug, Clone, Copy)]
pub struct Function<'a> {
    /// Its own name, or the property or variable it is given to.
    pub name: &'a str,
    /// For a method, what the object is given to: the callee it is the argument of (`Page`) or the property it
    /// is the value of (`methods`).
    pub holder: Option<&'a str>,
    /// Byte offset of its opening brace.
    pub start: usize,
    /// Byte offset behind its closing brace.
    pub end: usize,
}

/// A call.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Dotted callee.
    pub callee: &'a str,
    /// Byte offset of its opening parenthesis.
    pub offset: usize,
}

/// An object literal.
#[derive(Debug, Clone, Copy, Default)]
pub struct Object<'a> {
    /// It has a property that leads somewhere or shows a picture (`url`, `path`, `icon`), as entries of menus do.
    pub leads: bool,
    /// It has a handler of presses.
    pub handles: bool,
    /// Name of that handler.
    pub handler: Option<&'a str>,
}

/// A module of a bundle, or a variable that stands for one.
#[derive(Debug, Clone, Copy)]
pub struct Module<'a> {
    /// First argument of `define`, key of the table, or name of the variable.
    pub name: &'a str,
    /// Byte offset of its opening bracket, or of what the variable is given.
    pub start: usize,
    /// Byte offset behind it.
    pub end: usize,
}

/// A plain string, number or variable that is an argument of a call with a short name, or is imported.
#[derive(Debug, Clone, Copy)]
pub struct Reference<'a> {
    /// The string, number or variable.
    pub name: &'a str,
    /// Callee; `import` for static imports too.
    pub callee: &'a str,
    /// Byte offset of the name.
    pub offset: usize,
    /// It is a variable.
    pub variable: bool,
}

/// An entry of a router table: `{path: "/rank", component: Rank, meta: {title: "排行榜"}}`.
#[derive(Debug, Clone)]
pub struct Route<'a> {
    /// Its path as written.
    pub path: Cow<'a, str>,
    /// Another path of the same page, as uni-app gives to the first one.
    pub alias: Option<Cow<'a, str>>,
    /// `title`, `titleText` or `navigationBarTitleText` in it.
    pub title: Option<Cow<'a, str>>,
    /// Byte offset of its opening brace.
    pub start: usize,
    /// Byte offset behind its closing brace.
    pub end: usize,
    /// Index of the route it is a child of.
    pub parent: Option<u32>,
}

/// A string that holds a document.
#[derive(Debug, Clone, Copy)]
pub struct Embedded {
    /// Byte offset of its first quote.
    pub offset: usize,
    /// Byte offset of the Base64 text.
    pub start: usize,
    /// Byte offset behind it.
    pub end: usize,
}

impl<'a> Script<'a> {
    /// Reads a text. What lies behind 4 GiB is not read, and that is an issue.
    pub fn read(source: &'a [u8], filter: Filter) -> Self {
        Scan::new(source, filter).run()
    }

    /// The module an offset is in.
    pub fn module(&self, offset: usize) -> Option<&Module<'a>> {
        let after = self.modules.partition_point(|module| module.start <= offset);
        self.modules.get(after.checked_sub(1)?).filter(|module| offset < module.end)
    }
}

/// Kinds of token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(crate) enum Kind {
    Word,
    Number,
    String,
    Regex,
    /// A template from backtick to backtick.
    Template,
    /// From backtick to `${`.
    TemplateHead,
    /// From `}` to `${`.
    TemplateMiddle,
    /// From `}` to backtick.
    TemplateTail,
    Comment,
    ParenOpen,
    ParenClose,
    BracketOpen,
    BracketClose,
    BraceOpen,
    BraceClose,
    Comma,
    Semicolon,
    Colon,
    /// `.` and `?.`.
    Dot,
    Question,
    Plus,
    Assign,
    /// `=>`.
    Arrow,
    /// `==`, `===`, `!=`, `!==`.
    Equality,
    /// `++`, `--`, `...`, `??`.
    Doubled,
    /// One character of any other operator.
    Operator,
}

impl Kind {
    pub(crate) fn is_punctuator(self) -> bool {
        self >= Kind::ParenOpen
    }
}

/// A token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

const NONE: Token = Token { kind: Kind::Operator, start: 0, end: 0 };

/// What an open bracket is, as far as the meaning of the token behind its end depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Open {
    Paren,
    /// Head of `if`, `while`, `for`, `with`: a statement follows.
    Head,
    Bracket,
    Block,
    Object,
    Hole,
}

/// The token before, as far as a slash or a brace behind it depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// End of an operand.
    Operand,
    /// Closing parenthesis of a call, group or parameter list.
    Close,
    /// Start of the text, or the end of a statement.
    Statement,
    /// A word that begins a statement: `else`, `do`.
    StatementWord,
    /// A word that takes an operand: `return`.
    OperatorWord,
    /// `if`, `while`, `for`, `with`.
    HeadWord,
    /// A dot: the word behind it is a property.
    Dot,
    Arrow,
    Colon,
    Operator,
}

/// Bytes that names and numbers go on with.
static NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = matches!(byte as u8,
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'$' | b'\\' | b'#' | b'@' | 0x80..=0xFF);
        byte += 1;
    }
    table
};

/// Splits a text into tokens.
#[derive(Debug)]
pub(crate) struct Lexer<'a> {
    source: &'a [u8],
    at: usize,
    open: Vec<Open>,
    before: Before,
    /// A `?` was seen since the last end of a statement: a colon may belong to it.
    question: bool,
    /// No regular expression ends before this offset: one was begun here and never closed on its line.
    no_regex: usize,
    pub(crate) issues: Vec<Issue>,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(source: &'a [u8]) -> Self {
        let mut issues = Vec::new();
        let limit = u32::MAX as usize;
        let source = match source.get(..limit) {
            Some(head) => {
                issues.push(Issue::lossy("js.too-large", limit as u64, "text beyond 4 GiB is not read"));
                head
            }
            None => source,
        };
        let mut at = if source.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        if source.get(at..).is_some_and(|rest| rest.starts_with(b"#!")) {
            at = line_end(source, at);
        }
        Lexer {
            source,
            at,
            open: Vec::new(),
            before: Before::Statement,
            question: false,
            no_regex: 0,
            issues,
        }
    }

    fn issue(&mut self, code: &'static str, at: usize, detail: &str) {
        if self.issues.len() < MAX_ISSUES {
            self.issues.push(Issue::odd(code, at as u64, detail));
        }
    }

    fn byte(&self, at: usize) -> u8 {
        self.source.get(at).copied().unwrap_or(0)
    }

    /// Whether the innermost open brace is that of an object literal.
    fn in_object(&self) -> bool {
        self.open.last() == Some(&Open::Object)
    }

    #[inline(always)]
    pub(crate) fn next(&mut self) -> Option<Token> {
        loop {
            let start = self.at;
            let &byte = self.source.get(start)?;
            let (kind, end, before) = match byte {
                b' ' | b'\t' | b'\n' | b'\r' | 0x0B | 0x0C => {
                    self.at += 1;
                    continue;
                }
                b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' | b'\\' | b'#' | b'@' => self.word(start),
                0x80..=0xFF => match wide_space(&self.source[start..]) {
                    Some(length) => {
                        self.at += length;
                        continue;
                    }
                    None => self.word(start),
                },
                b'0'..=b'9' => (Kind::Number, self.number(start), Before::Operand),
                b'"' | b'\'' => (Kind::String, self.string(start, byte), Before::Operand),
                b'`' => self.template(start),
                b'/' => match self.byte(start + 1) {
                    b'/' => (Kind::Comment, line_end(self.source, start), self.before),
                    b'*' => {
                        let body = self.source.get(start + 2..).unwrap_or_default();
                        let end = match memchr::memmem::find(body, b"*/") {
                            Some(length) => start + length + 4,
                            None => {
                                self.issue("js.unterminated-comment", start, "comment without end");
                                self.source.len()
                            }
                        };
                        (Kind::Comment, end, self.before)
                    }
                    _ => match self.regex(start) {
                        Some(end) => (Kind::Regex, end, Before::Operand),
                        None => (Kind::Operator, start + 1, Before::Operator),
                    },
                },
                b'<' if self.source[start..].starts_with(b"<!--") => {
                    (Kind::Comment, line_end(self.source, start), self.before)
                }
                b'-' if self.source[start..].starts_with(b"-->") && self.at_line_start(start) => {
                    (Kind::Comment, line_end(self.source, start), self.before)
                }
                b'(' => {
                    self.open.push(if self.before == Before::HeadWord { Open::Head } else { Open::Paren });
                    (Kind::ParenOpen, start + 1, Before::Operator)
                }
                b')' => match self.close(start, |open| matches!(open, Open::Paren | Open::Head)) {
                    Some(Open::Head) => (Kind::ParenClose, start + 1, Before::Statement),
                    _ => (Kind::ParenClose, start + 1, Before::Close),
                },
                b'[' => {
                    self.open.push(Open::Bracket);
                    (Kind::BracketOpen, start + 1, Before::Operator)
                }
                b']' => {
                    self.close(start, |open| open == Open::Bracket);
                    (Kind::BracketClose, start + 1, Before::Operand)
                }
                b'{' => {
                    let object = match self.before {
                        Before::Operator | Before::OperatorWord => true,
                        Before::Colon => {
                            self.question || self.open.last().is_some_and(|open| *open != Open::Block)
                        }
                        _ => false,
                    };
                    self.open.push(if object { Open::Object } else { Open::Block });
                    self.question = false;
                    (Kind::BraceOpen, start + 1, Before::Statement)
                }
                b'}' if self.open.last() == Some(&Open::Hole) => {
                    self.open.pop();
                    self.template(start)
                }
                b'}' => {
                    self.question = false;
                    match self.close(start, |open| matches!(open, Open::Block | Open::Object)) {
                        Some(Open::Object) => (Kind::BraceClose, start + 1, Before::Operand),
                        _ => (Kind::BraceClose, start + 1, Before::Statement),
                    }
                }
                b';' => {
                    self.question = false;
                    (Kind::Semicolon, start + 1, Before::Statement)
                }
                b':' => (Kind::Colon, start + 1, Before::Colon),
                b'.' => match self.byte(start + 1) {
                    b'0'..=b'9' => (Kind::Number, self.number(start), Before::Operand),
                    b'.' if self.byte(start + 2) == b'.' => (Kind::Doubled, start + 3, Before::Operator),
                    _ => (Kind::Dot, start + 1, Before::Dot),
                },
                b'?' => match self.byte(start + 1) {
                    b'.' if !self.byte(start + 2).is_ascii_digit() => (Kind::Dot, start + 2, Before::Dot),
                    b'?' => (Kind::Doubled, start + 2, Before::Operator),
                    _ => {
                        self.question = true;
                        (Kind::Question, start + 1, Before::Operator)
                    }
                },
                b'=' | b'!' => match (self.byte(start + 1), self.byte(start + 2)) {
                    (b'=', b'=') => (Kind::Equality, start + 3, Before::Operator),
                    (b'=', _) => (Kind::Equality, start + 2, Before::Operator),
                    (b'>', _) if byte == b'=' => (Kind::Arrow, start + 2, Before::Arrow),
                    _ if byte == b'=' => (Kind::Assign, start + 1, Before::Operator),
                    _ => (Kind::Operator, start + 1, Before::Operator),
                },
                // `a++ / b` against `++/re/.lastIndex`.
                b'+' | b'-' if self.byte(start + 1) == byte => (Kind::Doubled, start + 2, self.before),
                b',' => (Kind::Comma, start + 1, Before::Operator),
                b'+' => (Kind::Plus, start + 1, Before::Operator),
                _ => (Kind::Operator, start + 1, Before::Operator),
            };
            self.at = end;
            self.before = before;
            return Some(Token { kind, start: start as u32, end: end as u32 });
        }
    }

    fn at_line_start(&self, at: usize) -> bool {
        let blank = |byte: &&u8| matches!(byte, b' ' | b'\t');
        !matches!(self.source[..at].iter().rev().find(|byte| !blank(byte)), Some(byte) if !matches!(byte, b'\n' | b'\r'))
    }

    fn name_end(&self, mut at: usize) -> usize {
        while self.source.get(at).is_some_and(|&byte| NAME[byte as usize]) {
            at += 1;
        }
        at
    }

    fn word(&self, start: usize) -> (Kind, usize, Before) {
        let end = self.name_end(start + 1);
        let word = &self.source[start..end];
        let before = if self.before == Before::Dot || word.len() > 10 || word.len() < 2 {
            Before::Operand
        } else {
            self.meaning(word)
        };
        (Kind::Word, end, before)
    }

    fn meaning(&self, word: &[u8]) -> Before {
        let after_operand = matches!(self.before, Before::Operand | Before::Close);
        match word {
            b"if" | b"for" | b"while" | b"with" => Before::HeadWord,
            b"else" | b"do" | b"try" | b"finally" => Before::StatementWord,
            b"return" | b"typeof" | b"case" | b"new" | b"delete" | b"void" | b"throw" | b"yield"
            | b"await" | b"extends" | b"default" => Before::OperatorWord,
            // Minifiers name variables `of` and `as`; as operators they stand behind an operand.
            b"in" | b"instanceof" | b"of" if after_operand => Before::OperatorWord,
            _ => Before::Operand,
        }
    }

    fn number(&self, start: usize) -> usize {
        let hex = self.byte(start) == b'0' && matches!(self.byte(start + 1) | 0x20, b'x' | b'b' | b'o');
        let mut at = start;
        let mut dots = 0;
        loop {
            match self.byte(at) {
                b'0'..=b'9' | b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                    let exponent = !hex && matches!(self.byte(at), b'e' | b'E');
                    at += if exponent && matches!(self.byte(at + 1), b'+' | b'-') { 2 } else { 1 };
                }
                b'.' if dots == 0 && !hex => {
                    dots = 1;
                    at += 1;
                }
                _ => break,
            }
        }
        at.min(self.source.len())
    }

    /// Where a string ends.
    fn string(&mut self, start: usize, quote: u8) -> usize {
        let mut at = start + 1;
        loop {
            let rest = self.source.get(at..).unwrap_or_default();
            let length = memchr::memchr3(quote, b'\\', b'\n', rest).unwrap_or(rest.len());
            let length = memchr::memchr(b'\r', &rest[..length]).unwrap_or(length);
            at += length;
            match rest.get(length) {
                // A continued line may end in CR LF.
                Some(b'\\') if rest.get(length + 1..length + 3) == Some(b"\r\n") => at += 3,
                Some(b'\\') => at += 2,
                Some(&byte) if byte == quote => return at + 1,
                _ => {
                    self.issue("js.unterminated-string", start, "string without closing quote");
                    return at.min(self.source.len());
                }
            }
        }
    }

    /// A template chunk that begins with a backtick or with the brace that ends a hole.
    fn template(&mut self, start: usize) -> (Kind, usize, Before) {
        let head = self.byte(start) == b'`';
        let mut at = start + 1;
        let whole = loop {
            let rest = self.source.get(at..).unwrap_or_default();
            let Some(length) = memchr::memchr3(b'`', b'$', b'\\', rest) else {
                self.issue("js.unterminated-template", start, "template without closing backtick");
                at = self.source.len();
                break true;
            };
            at += length;
            match (rest[length], rest.get(length + 1)) {
                (b'`', _) => {
                    at += 1;
                    break true;
                }
                (b'$', Some(b'{')) => {
                    at += 2;
                    break false;
                }
                (b'$', _) => at += 1,
                _ => at += 2,
            }
        };
        let kind = match (head, whole) {
            (true, true) => Kind::Template,
            (true, false) => Kind::TemplateHead,
            (false, false) => Kind::TemplateMiddle,
            (false, true) => Kind::TemplateTail,
        };
        if whole {
            return (kind, at, Before::Operand);
        }
        self.open.push(Open::Hole);
        (kind, at, Before::Operator)
    }

    /// Where a regular expression ends, unless the slash divides.
    fn regex(&mut self, start: usize) -> Option<usize> {
        if matches!(self.before, Before::Operand | Before::Close) || start < self.no_regex {
            return None;
        }
        let mut at = start + 1;
        let mut class = false;
        loop {
            match self.source.get(at) {
                Some(b'\\') => at += 2,
                Some(b'[') => {
                    class = true;
                    at += 1;
                }
                Some(b']') => {
                    class = false;
                    at += 1;
                }
                Some(b'/') if !class => break,
                Some(b'\n' | b'\r') | None => {
                    self.no_regex = at;
                    self.issue("js.unterminated-regex", start, "regular expression without end");
                    return None;
                }
                Some(_) => at += 1,
            }
        }
        at += 1;
        Some(self.name_end(at.min(self.source.len())))
    }

    /// Pops the bracket that a closing one ends. One that ends nothing, or ends the wrong one, is left alone
    /// as far as possible: text with a slip in it is still read.
    fn close(&mut self, at: usize, fits: fn(Open) -> bool) -> Option<Open> {
        match self.open.last() {
            Some(&open) if fits(open) => self.open.pop(),
            _ => {
                self.issue("js.unbalanced-bracket", at, "closing bracket without its opening one");
                None
            }
        }
    }
}

fn line_end(source: &[u8], at: usize) -> usize {
    let rest = source.get(at..).unwrap_or_default();
    memchr::memchr2(b'\n', b'\r', rest).map_or(source.len(), |length| at + length)
}

/// Length of a white-space character outside ASCII.
fn wide_space(rest: &[u8]) -> Option<usize> {
    match rest {
        [0xC2, 0xA0, ..] => Some(2),
        [0xE2, 0x80, 0x80..=0x8A | 0xA8 | 0xA9 | 0xAF, ..]
        | [0xE3, 0x80, 0x80, ..]
        | [0xEF, 0xBB, 0xBF, ..] => Some(3),
        _ => None,
    }
}

type Span = (u32, u32);
const EMPTY: Span = (0, 0);

#[derive(Debug, Clone, Copy)]
struct Frame {
    open: u8,
    /// An object literal or class body.
    object: bool,
    class: bool,
    /// In an object: the next word is a property name.
    expect_key: bool,
    /// Parentheses of a parameter list.
    parameters: bool,
    /// Bracket behind an operand: an index, no array.
    index: bool,
    start: u32,
    /// Callee of a call, or the name of the function whose parameters these are.
    name: Span,
    /// In an object: the property name before.
    key: Span,
    /// Arguments before; of a template, chunks before; of an array, tokens before.
    count: u32,
    /// Innermost function around, plus one.
    function: u32,
    /// Object record, plus one.
    record: u32,
    leads: bool,
    /// An object with a handler of presses, or a call with such an object among its arguments.
    handles: bool,
    /// Name of that handler.
    handler: Span,
    /// In an object: the property name before is a string or a number.
    quoted: bool,
    /// Record of the route that the object is, plus one; whether it has what only routes have.
    route: u32,
    routes: bool,
    /// Body of a function in a table of modules.
    module: bool,
    /// A call whose arguments may name a module or a text; one that makes an element of a component.
    refers: bool,
    makes: bool,
    /// Start of the innermost function body.
    body: u32,
    /// The variable that is given a value here.
    given: Span,
    /// In an object: the variable that it gives as `children`.
    shows: Span,
    /// Record of the call whose value may follow from its arguments, plus one.
    fold: u32,
    /// The token before it.
    before: Token,
}

/// Strings joined so far.
#[derive(Debug, Default)]
struct Chain {
    pieces: Vec<Piece>,
    /// Token before the first piece.
    previous: Option<Token>,
    /// Literal made of it.
    literal: Option<usize>,
    start: u32,
    end: u32,
    /// Offset of the `+` behind it.
    plus: Option<u32>,
}

/// A call whose value may follow from its arguments.
#[derive(Debug)]
struct Fold {
    function: Folding,
    start: u32,
    /// Token before the expression.
    before: Token,
    /// Literals found before the expression.
    literals: usize,
    /// Elements of the array that is joined.
    elements: Vec<Piece>,
    pieces: Vec<Piece>,
    valid: bool,
    /// An argument is begun that nothing is known of yet.
    dangling: bool,
    /// Chain around the call.
    chain: Chain,
}

/// An array of strings alone.
#[derive(Debug)]
struct Array {
    start: u32,
    end: u32,
    before: Token,
    literals: usize,
    tokens: Vec<Token>,
}

/// A variable that holds a text.
#[derive(Debug)]
struct Constant {
    /// `None` where it is given more than one value.
    text: Option<String>,
    body: u32,
    /// Declared by `const`: functions inside see it.
    fixed: bool,
}

/// A declared variable or function.
#[derive(Debug, Clone, Copy)]
struct Declared {
    name: Span,
    start: u32,
    /// Frames open around it.
    frames: usize,
    /// A function, which ends with its body.
    function: bool,
}

struct Scan<'a> {
    source: &'a [u8],
    /// The same where all of it is UTF-8.
    text: Option<&'a str>,
    lexer: Lexer<'a>,
    filter: Filter,
    out: Script<'a>,
    frames: Vec<Frame>,
    /// Tokens read.
    tokens: u32,
    current: Token,
    previous: Token,
    before_previous: Token,
    /// Start of the dotted path that ends with the previous word.
    path: u32,
    /// Path before the last `=`.
    assigned: Span,
    /// Path before the last `)`, for `(0, a.b)(…)`.
    closed_path: Span,
    /// Name of the function whose parameter list ended with the last `)`.
    closed_parameters: Option<Span>,
    /// `function` was seen and its parameters not yet.
    function_name: Option<Span>,
    class_pending: bool,
    chain: Chain,
    folds: Vec<Fold>,
    array: Option<Array>,
    array_tokens: Vec<Token>,
    constants: HashMap<&'a [u8], Constant, RandomState>,
    /// The previous token is a variable behind a `+`: the next one tells whether it is used as it is.
    pending_word: Option<Token>,
    /// Token before the dotted path that ends with the previous word.
    path_before: Token,
    /// Start of the parenthesis before the last `)`.
    closed: u32,
    /// The previous token ends the literal: the next one tells how it is used.
    pending: Option<usize>,
    chunks: Vec<Piece>,
    /// Frame of the object whose handler of presses is being read, plus one.
    handling: usize,
    /// Frames open where `const` or the like was seen at an outer level.
    declaring: Option<usize>,
    /// The declared variable or function whose value is being read.
    declared: Option<Declared>,
    in_module: bool,
    /// The variable before the last `=` was declared by `const`.
    fixed: bool,
}

/// Levels at which declarations are told.
const DECLARATION_LEVELS: usize = 3;
/// Bytes of the shortest declaration that is told: `lazy(()=>import("./a"))`.
const MIN_DECLARATION: u32 = 24;

impl<'a> Scan<'a> {
    fn new(source: &'a [u8], filter: Filter) -> Self {
        let lexer = Lexer::new(source);
        Scan {
            source: lexer.source,
            text: std::str::from_utf8(lexer.source).ok(),
            lexer,
            filter,
            out: Script::default(),
            frames: Vec::new(),
            tokens: 0,
            current: NONE,
            previous: NONE,
            before_previous: NONE,
            path: 0,
            assigned: EMPTY,
            closed_path: EMPTY,
            closed_parameters: None,
            function_name: None,
            class_pending: false,
            chain: Chain::default(),
            folds: Vec::new(),
            array: None,
            array_tokens: Vec::new(),
            constants: HashMap::default(),
            pending_word: None,
            path_before: NONE,
            closed: 0,
            pending: None,
            chunks: Vec::new(),
            handling: 0,
            declaring: None,
            declared: None,
            in_module: false,
            fixed: false,
        }
    }

    fn run(mut self) -> Script<'a> {
        while let Some(token) = self.lexer.next() {
            if token.kind == Kind::Comment {
                self.comment(token);
                continue;
            }
            if self.pending_word.is_some()
                && let Some(word) = self.pending_word.take()
            {
                self.settle_word(word, token);
            }
            if self.pending.is_some()
                && let Some(index) = self.pending.take()
            {
                self.settle(index, token);
            }
            if !self.folds.is_empty() {
                self.check_argument(token);
            }
            self.current = token;
            self.token();
            self.tokens = self.tokens.wrapping_add(1);
            self.before_previous = self.previous;
            self.previous = self.current;
        }
        let end = self.source.len();
        // What is still open ends with the text.
        while let Some(frame) = self.frames.pop() {
            self.leave(&frame, end);
        }
        self.end_declaration(end as u32);
        self.out.modules.sort_by_key(|module| module.start);
        self.out.routes.retain(|route| route.end > 0);
        self.out.issues = std::mem::take(&mut self.lexer.issues);
        self.out
    }

    fn bytes(&self, span: Span) -> &'a [u8] {
        self.source.get(span.0 as usize..span.1 as usize).unwrap_or_default()
    }

    fn str(&self, span: Span) -> Option<&'a str> {
        let text = match self.text {
            Some(text) => text.get(span.0 as usize..span.1 as usize)?,
            None => std::str::from_utf8(self.bytes(span)).ok()?,
        };
        Some(text).filter(|text| !text.is_empty())
    }

    fn is(&self, token: Token, text: &[u8]) -> bool {
        self.bytes((token.start, token.end)) == text
    }

    fn frame(&self, open: u8, start: u32) -> Frame {
        Frame {
            open,
            object: false,
            class: false,
            expect_key: false,
            parameters: false,
            index: false,
            start,
            name: EMPTY,
            key: EMPTY,
            count: 0,
            function: self.frames.last().map_or(0, |frame| frame.function),
            record: 0,
            leads: false,
            handles: false,
            handler: EMPTY,
            quoted: false,
            route: 0,
            routes: false,
            module: false,
            refers: false,
            makes: false,
            body: self.frames.last().map_or(0, |frame| frame.body),
            given: EMPTY,
            shows: EMPTY,
            fold: 0,
            before: self.previous,
        }
    }

    fn word(&mut self, token: Token) {
        let after_dot = self.previous.kind == Kind::Dot;
        if !after_dot || self.before_previous.kind != Kind::Word {
            self.path = token.start;
            self.path_before = self.previous;
        }
        if self.handling > 0 {
            self.handler(token, after_dot);
        }
        let span = (token.start, token.end);
        if let Some(frame) = self.frames.last_mut() {
            let first = frame.makes && frame.count == 0;
            if frame.expect_key {
                frame.key = span;
                frame.quoted = false;
            }
            match self.previous.kind {
                // `jsx(n.Button, …)`
                Kind::Dot if first && frame.key.1 == self.before_previous.end => frame.key = span,
                Kind::Colon if frame.object && !frame.expect_key => {
                    let key = frame.key;
                    if matches!(self.bytes(key), b"component" | b"element" | b"default") {
                        self.reference(token, key, true);
                    }
                }
                Kind::ParenOpen | Kind::Comma if first || frame.refers => {
                    if first {
                        frame.key = span;
                    }
                    let name = frame.name;
                    self.reference(token, name, true);
                }
                _ => {}
            }
        }
        if after_dot {
            return;
        }
        match self.bytes(span) {
            b"function" => self.function_name = Some(self.given_name()),
            b"class" => self.class_pending = true,
            b"const" | b"let" | b"var" if self.may_declare() => {
                self.end_declaration(token.start);
                self.declaring = Some(self.frames.len());
            }
            word => {
                if let Some(name) = &mut self.function_name
                    && (name.0 == name.1 || word.len() > 2)
                {
                    *name = span;
                    let keyword = self.previous;
                    if self.is(keyword, b"function")
                        && self.ends_statement(self.before_previous)
                        && self.may_declare()
                    {
                        self.end_declaration(keyword.start);
                        let frames = self.frames.len();
                        let start = keyword.start;
                        self.declared = Some(Declared { name: span, start, frames, function: true });
                    }
                }
            }
        }
    }

    /// A string, number or variable that may name a module or a text.
    fn reference(&mut self, token: Token, callee: Span, variable: bool) {
        let name = match token.kind {
            Kind::String => (token.start + 1, token.end.saturating_sub(1)),
            _ => (token.start, token.end),
        };
        if name.1.saturating_sub(name.0) > 200 {
            return;
        }
        if let (Some(name), Some(callee)) = (self.str(name), self.str(callee)) {
            self.out.references.push(Reference { name, callee, offset: token.start as usize, variable });
        }
    }

    fn number(&mut self, token: Token) {
        let Some(frame) = self.frames.last_mut() else { return };
        if frame.expect_key {
            frame.key = (token.start, token.end);
            frame.quoted = true;
        }
        let Frame { refers, name, .. } = *frame;
        if refers && matches!(self.previous.kind, Kind::ParenOpen | Kind::Comma) {
            self.reference(token, name, false);
        }
    }

    /// A word in the value of a property that handles presses: the first method asked of the page is the handler.
    fn handler(&mut self, token: Token, after_dot: bool) {
        let name = self.bytes((token.start, token.end));
        let direct = self.previous.kind == Kind::Colon && self.frames.len() == self.handling;
        let receiver = || {
            let receiver = self.bytes((self.before_previous.start, self.before_previous.end));
            receiver.len() <= 2
                || matches!(receiver, b"this" | b"that" | b"_this" | b"self" | b"_vm" | b"$setup" | b"_ctx")
        };
        let named = (after_dot && receiver()) || direct;
        let passing = name.starts_with(b"$")
            || matches!(
                name,
                b"apply"
                    | b"call"
                    | b"bind"
                    | b"function"
                    | b"async"
                    | b"withModifiers"
                    | b"stopPropagation"
                    | b"preventDefault"
                    | b"target"
                    | b"detail"
                    | b"this"
                    | b"that"
            );
        if named
            && name.len() > 2
            && !passing
            && let Some(frame) = self.frames.get_mut(self.handling - 1)
        {
            frame.handler = (token.start, token.end);
            self.handling = 0;
        }
    }

    /// Whether what is declared here stands at one of the outermost levels, in no other declaration.
    fn may_declare(&self) -> bool {
        self.frames.len() <= DECLARATION_LEVELS
            && self.declared.is_none_or(|declared| declared.frames >= self.frames.len())
    }

    /// Whether a word behind a token that takes no operand begins a statement.
    fn ends_statement(&self, token: Token) -> bool {
        match token.kind {
            Kind::Semicolon | Kind::BraceOpen | Kind::BraceClose | Kind::ParenClose | Kind::BracketClose => {
                true
            }
            Kind::Word => !self.is_operator_word(token),
            // The start of the text.
            kind => !kind.is_punctuator() || token.end == 0,
        }
    }

    fn end_declaration(&mut self, end: u32) {
        if let Some(Declared { name, start, .. }) = self.declared.take()
            && end.saturating_sub(start) >= MIN_DECLARATION
            && let Some(name) = self.str(name)
        {
            self.out.declarations.push(Module { name, start: start as usize, end: end as usize });
        }
    }

    /// What a function that begins here is given to.
    fn given_name(&self) -> Span {
        for frame in self.frames.iter().rev().take(CALL_LEVELS) {
            match frame.open {
                b'{' if frame.object => return frame.key,
                b'(' => {}
                _ => break,
            }
        }
        if self.previous.kind == Kind::Assign { self.last_segment(self.assigned) } else { EMPTY }
    }

    fn last_segment(&self, span: Span) -> Span {
        match self.bytes(span).iter().rposition(|&byte| byte == b'.') {
            Some(dot) => (span.0 + dot as u32 + 1, span.1),
            None => span,
        }
    }

    #[inline(always)]
    fn token(&mut self) {
        match self.current.kind {
            Kind::Word => self.word(self.current),
            Kind::Number => self.number(self.current),
            Kind::String | Kind::Template => self.string(self.current),
            Kind::TemplateHead => {
                let frame = self.frame(b'`', self.current.start);
                self.frames.push(Frame { count: self.chunks.len() as u32, ..frame });
                self.chunks.push(Piece::Token(self.current));
            }
            Kind::TemplateMiddle => {
                self.hole();
                self.chunks.push(Piece::Token(self.current));
            }
            Kind::TemplateTail => {
                self.hole();
                self.template_end(self.current);
            }
            Kind::ParenOpen => {
                let mut frame = self.frame(b'(', self.current.start);
                let method = self.frames.last_mut().filter(|top| top.expect_key && top.key.0 < top.key.1);
                if let Some(name) = self.function_name.take() {
                    frame.parameters = true;
                    frame.name = name;
                } else if let Some(top) = method {
                    frame.parameters = true;
                    frame.name = top.key;
                } else {
                    frame.name = self.callee();
                    frame.fold = self.begin_fold(frame.name);
                    let callee = self.bytes(frame.name);
                    let name = match self.previous.kind {
                        Kind::Word => self.bytes((self.previous.start, self.previous.end)),
                        _ => callee.rsplit(|&byte| byte == b'.').next().unwrap_or_default(),
                    };
                    frame.refers = is_reference(callee, name);
                    frame.makes = makes_element(name);
                    if !callee.is_empty()
                        && (self.filter.call)(callee)
                        && let Some(callee) = self.str(frame.name)
                    {
                        self.out.calls.push(Call { callee, offset: self.current.start as usize });
                    }
                }
                self.frames.push(frame);
            }
            Kind::ParenClose => {
                self.closed_path =
                    if self.previous.kind == Kind::Word { (self.path, self.previous.end) } else { EMPTY };
                self.closed_parameters = None;
                if let Some(frame) = self.pop(b'(') {
                    self.closed = frame.start;
                    if frame.parameters && !self.constants.is_empty() {
                        self.hide((
                            frame.start.max(self.current.start.saturating_sub(200)),
                            self.current.start,
                        ));
                    }
                    if frame.parameters {
                        self.closed_parameters = Some(frame.name);
                    }
                    self.leave(&frame, self.current.end as usize);
                    if frame.fold > 0 {
                        self.end_fold(frame.fold as usize - 1, self.current);
                    }
                }
            }
            Kind::BracketOpen => {
                let index = matches!(self.previous.kind, Kind::Word | Kind::String)
                    || matches!(self.previous.kind, Kind::ParenClose | Kind::BracketClose);
                let index =
                    index && !(self.previous.kind == Kind::Word && self.is_operator_word(self.previous));
                let frame = self.frame(b'[', self.current.start);
                let literals = self.out.literals.len() as u32;
                self.array_tokens.clear();
                // Of an array, `record` counts the literals before it.
                self.frames.push(Frame { index, record: literals, count: self.tokens, ..frame });
            }
            Kind::BracketClose => {
                if let Some(frame) = self.pop(b'[') {
                    let tokens = &mut self.array_tokens;
                    let inside = self.tokens.wrapping_sub(frame.count) as usize;
                    // As many strings as there can be between the brackets and commas.
                    let strings = !tokens.is_empty() && tokens.len() == inside / 2;
                    let whole = tokens.first().is_some_and(|first| first.start >= frame.start);
                    if !frame.index && strings && whole && tokens.len() < MAX_PIECES {
                        self.array = Some(Array {
                            start: frame.start,
                            end: self.current.end,
                            before: frame.before,
                            literals: frame.record as usize,
                            tokens: std::mem::take(tokens),
                        });
                    }
                    self.leave(&Frame { record: 0, ..frame }, self.current.end as usize);
                }
            }
            Kind::BraceOpen => self.open_brace(self.current),
            Kind::BraceClose => {
                self.note_shown();
                if let Some(frame) = self.pop(b'{') {
                    self.leave(&frame, self.current.end as usize);
                    if self
                        .declared
                        .is_some_and(|declared| declared.function && declared.frames == self.frames.len())
                    {
                        self.end_declaration(self.current.end);
                    }
                    // The next member of a class follows without a comma.
                    if let Some(top) = self.frames.last_mut()
                        && top.class
                    {
                        top.expect_key = true;
                        top.key = EMPTY;
                    }
                }
            }
            Kind::Comma => {
                self.end_value(self.current);
                self.note_shown();
                if let Some(top) = self.frames.last_mut() {
                    top.given = EMPTY;
                    top.count = top.count.wrapping_add(u32::from(top.open == b'('));
                    if top.object {
                        top.expect_key = true;
                        top.key = EMPTY;
                    }
                }
            }
            Kind::Semicolon => {
                self.end_value(self.current);
                if self.declaring == Some(self.frames.len()) {
                    self.declaring = None;
                }
                if let Some(top) = self.frames.last_mut() {
                    top.given = EMPTY;
                    if top.class {
                        top.expect_key = true;
                        top.key = EMPTY;
                    }
                }
            }
            Kind::Colon => {
                if let Some(top) = self.frames.last_mut()
                    && top.object
                    && top.expect_key
                {
                    top.expect_key = false;
                    let key = top.key;
                    let key = self.bytes(key);
                    let (leads, handles, routes) = (leads(key), handles(key), routes(key));
                    if handles {
                        self.handling = self.frames.len();
                    }
                    if let Some(top) = self.frames.last_mut() {
                        top.leads |= leads;
                        top.handles |= handles;
                        top.routes |= routes;
                    }
                }
            }
            Kind::Plus => {
                if self.previous.end == self.chain.end && self.chain.end > 0 {
                    self.chain.plus = Some(self.current.start);
                } else if self.previous.kind == Kind::Word && !self.constants.is_empty() {
                    self.begin_with_constant(self.current);
                }
            }
            Kind::Arrow if !self.constants.is_empty() => {
                let from =
                    if self.previous.kind == Kind::ParenClose { self.closed } else { self.previous.start };
                self.hide((from.max(self.current.start.saturating_sub(200)), self.current.start));
            }
            Kind::Assign => {
                self.assigned =
                    if self.previous.kind == Kind::Word { (self.path, self.previous.end) } else { EMPTY };
                let lone = self.assigned.0 == self.previous.start;
                let given = if lone { self.assigned } else { EMPTY };
                if let Some(top) = self.frames.last_mut() {
                    top.given = given;
                }
                if !self.constants.is_empty() {
                    let name = self.bytes(self.assigned);
                    if let Some(constant) = self.constants.get_mut(name) {
                        constant.text = None;
                    }
                }
                self.fixed = self.previous.kind == Kind::Word
                    && self.before_previous.kind == Kind::Word
                    && self.is(self.before_previous, b"const");
                if self.declaring == Some(self.frames.len()) && self.previous.kind == Kind::Word {
                    self.end_declaration(self.previous.start);
                    self.declared = Some(Declared {
                        name: (self.previous.start, self.previous.end),
                        start: self.current.end,
                        frames: self.frames.len(),
                        function: false,
                    });
                }
                if let Some(top) = self.frames.last_mut()
                    && top.class
                {
                    top.expect_key = false;
                }
            }
            Kind::Comment
            | Kind::Regex
            | Kind::Dot
            | Kind::Question
            | Kind::Arrow
            | Kind::Equality
            | Kind::Doubled
            | Kind::Operator => {}
        }
    }

    fn is_operator_word(&self, token: Token) -> bool {
        matches!(
            self.bytes((token.start, token.end)),
            b"return"
                | b"typeof"
                | b"case"
                | b"in"
                | b"of"
                | b"new"
                | b"delete"
                | b"void"
                | b"throw"
                | b"yield"
                | b"await"
        )
    }

    fn callee(&self) -> Span {
        match self.previous.kind {
            Kind::Word => (self.path, self.previous.end),
            Kind::ParenClose => self.closed_path,
            _ => EMPTY,
        }
    }

    fn open_brace(&mut self, token: Token) {
        let mut frame = self.frame(b'{', token.start);
        let arrow = self.previous.kind == Kind::Arrow;
        if arrow || self.previous.kind == Kind::ParenClose {
            frame.body = token.start;
            if !self.in_module
                && let Some(table) = self.frames.last()
                && table.object
                && (table.quoted || is_digest(self.bytes(table.key)))
                && let Some(name) = self.str(table.key)
            {
                self.in_module = true;
                frame.module = true;
                self.out.bundled.push(Module { name, start: token.start as usize, end: token.end as usize });
            }
        }
        if self.class_pending {
            self.class_pending = false;
            frame.object = true;
            frame.class = true;
            frame.expect_key = true;
        } else if self.lexer.in_object() {
            frame.object = true;
            frame.expect_key = true;
        } else if let Some(name) = self.parameters().or_else(|| arrow.then(|| self.given_name())) {
            let name = self.str(name).unwrap_or_default();
            // A name of one or two letters is a minifier's, and that of a module no name of a function.
            if name.len() > 2 && !frame.module {
                let holder = self.holder();
                self.out.functions.push(Function {
                    name,
                    holder,
                    start: token.start as usize,
                    end: token.end as usize,
                });
                frame.function = self.out.functions.len() as u32;
            }
        }
        self.frames.push(frame);
    }

    /// Name of the function whose parameter list ended with the previous token.
    fn parameters(&self) -> Option<Span> {
        self.closed_parameters.filter(|_| self.previous.kind == Kind::ParenClose)
    }

    /// The value of a property or variable ends with a comma, a semicolon or a bracket.
    #[inline]
    fn end_value(&mut self, token: Token) {
        let ends = self.chain.end > 0 && self.previous.end == self.chain.end;
        if ends || self.handling > 0 || self.declared.is_some() {
            self.end_known_value(token);
        }
    }

    fn end_known_value(&mut self, token: Token) {
        if self.handling >= self.frames.len() {
            self.handling = 0;
        }
        if self.declared.is_some_and(|declared| declared.frames >= self.frames.len()) {
            self.end_declaration(token.start);
        }
        let lone = |span: Span| span.0 < span.1 && span == self.last_segment(span);
        if self.chain.end > 0
            && self.previous.end == self.chain.end
            && self.chain.previous.is_some_and(|previous| previous.kind == Kind::Assign)
            && lone(self.assigned)
        {
            self.remember();
        }
    }

    /// Keeps the variable that is all of the `children` of an object.
    fn note_shown(&mut self) {
        if self.previous.kind != Kind::Word || self.before_previous.kind != Kind::Colon {
            return;
        }
        let Some(&Frame { object, expect_key, key, .. }) = self.frames.last() else { return };
        if object
            && !expect_key
            && self.bytes(key) == b"children"
            && let Some(top) = self.frames.last_mut()
        {
            top.shows = (self.previous.start, self.previous.end);
        }
    }

    /// The variable whose value a text that begins here is or may be. Arguments of calls and what stands in an
    /// object are no value of it.
    fn given(&self) -> Option<Variable<'a>> {
        for frame in self.frames.iter().rev().take(CALL_LEVELS) {
            if frame.given != EMPTY {
                return Some(Variable { name: self.str(frame.given)?, body: frame.body });
            }
            let call = frame.open == b'(' && frame.name.0 < frame.name.1 && !frame.parameters;
            if frame.object || call || frame.open == b'[' {
                return None;
            }
        }
        None
    }

    /// What the object of a method that begins here is given to.
    fn holder(&self) -> Option<&'a str> {
        let mut frames = self.frames.iter().rev().skip_while(|frame| frame.open == b'(');
        let object = frames.next().filter(|frame| frame.object && !frame.class)?;
        debug_assert!(object.open == b'{');
        let outer = frames.next()?;
        match outer.open {
            b'(' => self.str(outer.name),
            b'{' if outer.object => self.str(outer.key),
            _ => None,
        }
    }

    /// Pops the frame of a bracket; a closing bracket that ends nothing leaves all as it is.
    fn pop(&mut self, open: u8) -> Option<Frame> {
        self.frames.pop_if(|frame| frame.open == open)
    }

    fn leave(&mut self, frame: &Frame, end: usize) {
        if self.handling > self.frames.len() {
            self.handling = 0;
        }
        if self.declared.is_some_and(|declared| declared.frames > self.frames.len()) {
            self.end_declaration(end as u32 - 1);
        }
        if self.declaring.is_some_and(|frames| frames > self.frames.len()) {
            self.declaring = None;
        }
        if frame.module {
            self.in_module = false;
            if let Some(module) = self.out.bundled.last_mut() {
                module.end = end;
            }
        }
        if frame.routes
            && let Some(route) = self.out.routes.get_mut((frame.route as usize).wrapping_sub(1))
        {
            route.end = end;
        }
        let outer = self.frames.last().map_or(0, |top| top.function);
        if frame.function != outer
            && let Some(function) = self.out.functions.get_mut((frame.function as usize).wrapping_sub(1))
        {
            function.end = end;
        }
        let handler = if frame.record > 0 { self.str(frame.handler) } else { None };
        if let Some(object) = self.out.objects.get_mut((frame.record as usize).wrapping_sub(1)) {
            object.leads = frame.leads;
            object.handles = frame.handles;
            object.handler = handler;
        }
        if frame.object
            && frame.handles
            && let Some(name) = self.str(frame.shows)
        {
            let made = self.frames.last().filter(|outer| outer.open == b'(');
            self.out.labels.push(Label {
                variable: Variable { name, body: frame.body },
                handler: self.str(frame.handler),
                tag: made.and_then(|outer| self.str(outer.key)),
            });
        }
        if frame.object
            && frame.handles
            && let Some(outer) = self.frames.last()
        {
            let props = outer.object && matches!(self.bytes(outer.key), b"on" | b"nativeOn" | b"props");
            let argument = outer.open == b'(' && outer.name.0 < outer.name.1;
            if let Some(outer) = self.frames.last_mut() {
                outer.handles |= props || argument;
                if (props || argument) && outer.handler == EMPTY {
                    outer.handler = frame.handler;
                }
            }
        }
        if frame.open == b'(' && self.bytes(frame.name) == b"define" {
            let body = self.source.get(frame.start as usize + 1..end).unwrap_or_default();
            if let Some(name) = first_string(body) {
                self.out.modules.push(Module { name, start: frame.start as usize, end });
            }
        }
    }

    fn comment(&mut self, token: Token) {
        let body = self.bytes((token.start, token.end));
        if body.is_ascii() {
            return;
        }
        let text = String::from_utf8_lossy(body);
        let text = text
            .trim_matches(|ch: char| ch.is_whitespace() || matches!(ch, '/' | '*' | '<' | '!' | '-' | '>'));
        let mut literal = self.literal(Cow::Owned(text.to_owned()), token.start, LiteralKind::Comment);
        literal.key = None;
        literal.object = None;
        self.out.literals.push(literal);
    }

    fn wanted(&self, token: Token) -> bool {
        let body = self.body(token);
        let escapes = || memchr::memchr_iter(b'\\', body).filter_map(|at| body.get(at + 1));
        !body.is_ascii()
            || (self.filter.literal)(body)
            || escapes().any(|escape| matches!(escape, b'u' | b'x'))
    }

    /// Whether a string or template has no escapes and no bytes outside ASCII.
    fn is_plain(&self, token: Token) -> bool {
        let body = self.body(token);
        body.is_ascii() && memchr::memchr(b'\\', body).is_none()
    }

    /// A token of a string or template without its quotes.
    fn body(&self, token: Token) -> &'a [u8] {
        let bytes = self.bytes((token.start, token.end));
        let inner = bytes.get(1..).unwrap_or_default();
        match token.kind {
            Kind::TemplateHead | Kind::TemplateMiddle => inner.strip_suffix(b"${").unwrap_or(inner),
            Kind::String => bytes
                .first()
                .and_then(|quote| inner.strip_suffix(std::slice::from_ref(quote)))
                .unwrap_or(inner),
            _ => inner.strip_suffix(b"`").unwrap_or(inner),
        }
    }

    fn string(&mut self, token: Token) {
        if let Some(frame) = self.frames.last_mut() {
            let inner = (token.start + 1, token.end.saturating_sub(1).max(token.start + 1));
            match frame.open {
                b'{' if frame.expect_key => {
                    frame.key = inner;
                    frame.quoted = true;
                }
                b'{' if frame.object => self.property(token),
                b'[' if !frame.index
                    && matches!(self.previous.kind, Kind::BracketOpen | Kind::Comma)
                    && self.array_tokens.len() < MAX_PIECES =>
                {
                    self.array_tokens.push(token);
                }
                b'(' if matches!(self.previous.kind, Kind::ParenOpen | Kind::Comma) => {
                    let (name, refers, first) = (frame.name, frame.refers, frame.count == 0);
                    if (refers || first) && self.is_plain(token) {
                        if first && let Some(frame) = self.frames.last_mut() {
                            frame.key = inner;
                        }
                        if refers {
                            self.reference(token, name, false);
                        }
                    }
                }
                _ => {}
            }
        }
        if self.previous.kind == Kind::Word
            && matches!(self.bytes((self.previous.start, self.previous.end)), b"from" | b"import")
            && self.is_plain(token)
        {
            self.reference(token, (self.previous.start, self.previous.end), false);
        }
        if token.end - token.start > MIN_EMBEDDED && self.is_plain(token) {
            self.embedded(token);
        }
        let before = self.previous;
        self.value(Piece::Token(token), token.start, before, token.end);
    }

    /// A string that is the value of a property: part of a route.
    fn property(&mut self, token: Token) {
        let Some(frame) = self.frames.last_mut() else { return };
        let key = self.source.get(frame.key.0 as usize..frame.key.1 as usize).unwrap_or_default();
        if !matches!(key, b"path" | b"alias" | b"title" | b"titleText" | b"navigationBarTitleText")
            || self.previous.kind != Kind::Colon
        {
            return;
        }
        let text = unescape(self.body(token));
        if key == b"path" {
            self.out.routes.push(Route {
                path: text,
                alias: None,
                title: None,
                start: self.frames.last().map_or(0, |frame| frame.start as usize),
                end: 0,
                parent: None,
            });
            let parent = self.frames.iter().rev().take(CALL_LEVELS).skip(1).find(|frame| frame.route > 0);
            let parent = parent.map(|frame| frame.route - 1);
            if let Some(route) = self.out.routes.last_mut() {
                route.parent = parent;
            }
            if let Some(frame) = self.frames.last_mut() {
                frame.route = self.out.routes.len() as u32;
            }
            return;
        }
        let route = self.frames.iter().rev().take(CALL_LEVELS).find(|frame| frame.route > 0);
        let Some(route) = route.and_then(|frame| self.out.routes.get_mut(frame.route as usize - 1)) else {
            return;
        };
        let slot = if key == b"alias" { &mut route.alias } else { &mut route.title };
        slot.get_or_insert(text);
    }

    /// A long string in Base64 that begins like a page, a script or data.
    fn embedded(&mut self, token: Token) {
        let body = self.body(token);
        if let Some(inner) = base64_document(body) {
            let start = token.start as usize + 1;
            self.out.embedded.push(Embedded {
                offset: token.start as usize,
                start: start + inner,
                end: start + body.len(),
            });
        }
    }

    /// A piece of text that ends with the current token joins the chain before it, or begins one.
    fn value(&mut self, piece: Piece, start: u32, before: Token, end: u32) {
        let continues = before.kind == Kind::Plus && self.chain.plus == Some(before.start);
        if !continues {
            self.chain.pieces.clear();
            self.chain.literal = None;
            self.chain.previous = Some(before);
            self.chain.start = start;
        }
        self.chain.plus = None;
        self.extend(piece, end);
        let top = self.frames.last().map_or(0, |frame| frame.fold);
        if let Some(fold) = self.folds.get_mut((top as usize).wrapping_sub(1)) {
            fold.dangling = false;
        }
    }

    /// Adds a piece to the chain.
    fn extend(&mut self, piece: Piece, end: u32) {
        self.chain.end = end;
        let made = self.chain.literal.filter(|index| *index < self.out.literals.len());
        if let Some(index) = made {
            let more = self.text(&piece);
            let joined = self.clip(self.chain.start, end);
            let literal = &mut self.out.literals[index];
            literal.text.to_mut().push_str(&more);
            literal.joined = joined;
            // What is behind the `+` is known after all.
            literal.part = self.chain.previous.is_some_and(|before| before.kind == Kind::Plus);
            self.pending = Some(index);
            self.chain.pieces.push(piece);
            return;
        }
        let wanted = self.piece_wanted(&piece);
        let text = matches!(piece, Piece::Text(_));
        self.chain.pieces.push(piece);
        if !wanted {
            return;
        }
        let text_of = |piece: &Piece| self.text(piece);
        let (value, joined) = match self.chain.pieces.as_slice() {
            [one] if !text => (text_of(one), None),
            many => {
                let value = Cow::Owned(many.iter().map(text_of).collect::<String>());
                (value, self.clip(self.chain.start, end))
            }
        };
        let mut literal = self.literal(value, self.chain.start, LiteralKind::String);
        literal.joined = joined;
        let before = self.chain.previous.unwrap_or(NONE);
        literal.part = before.kind == Kind::Plus;
        if before.kind == Kind::Equality || (before.kind == Kind::Word && self.is(before, b"case")) {
            literal.usage = Use::Compared;
        }
        self.out.literals.push(literal);
        self.chain.literal = Some(self.out.literals.len() - 1);
        self.pending = self.chain.literal;
    }

    fn piece_wanted(&self, piece: &Piece) -> bool {
        match piece {
            Piece::Token(token) => self.wanted(*token),
            Piece::Text(text) => !text.is_ascii() || (self.filter.literal)(text.as_bytes()),
            Piece::Number(_) => false,
        }
    }

    fn text(&self, piece: &Piece) -> Cow<'a, str> {
        match piece {
            Piece::Token(token) => unescape(self.body(*token)),
            Piece::Text(text) => Cow::Owned(text.clone()),
            Piece::Number(token) => String::from_utf8_lossy(self.bytes((token.start, token.end))),
        }
    }

    /// The source of an expression, cut short.
    fn clip(&self, start: u32, end: u32) -> Option<&'a str> {
        let bytes = self.bytes((start, end.min(start.saturating_add(MAX_EXPRESSION))));
        match std::str::from_utf8(bytes) {
            Ok(text) => Some(text),
            Err(error) => std::str::from_utf8(bytes.get(..error.valid_up_to())?).ok(),
        }
    }

    /// Whether an opening parenthesis begins a call whose value may follow from its arguments.
    fn begin_fold(&mut self, callee: Span) -> u32 {
        if self.previous.kind != Kind::Word {
            return 0;
        }
        let word = self.bytes((self.previous.start, self.previous.end));
        let dot = self.before_previous.kind == Kind::Dot;
        let receiver = self.before_previous.start;
        let (function, array) = match word {
            b"concat" if dot && self.chain.end > 0 && receiver == self.chain.end => (Folding::Concat, None),
            b"join" if dot => match self.array.take_if(|array| array.end == receiver) {
                Some(array) => (Folding::Join, Some(array)),
                None => return 0,
            },
            _ => match Folding::named(word, self.bytes(callee)) {
                Some(function) => (function, None),
                None => return 0,
            },
        };
        let mut fold = Fold {
            function,
            start: callee.0,
            before: self.path_before,
            literals: self.out.literals.len(),
            elements: Vec::new(),
            pieces: Vec::new(),
            valid: true,
            dangling: false,
            chain: Chain::default(),
        };
        if function == Folding::Concat {
            fold.start = self.chain.start;
        }
        if let Some(array) = array {
            fold.start = array.start;
            fold.before = array.before;
            fold.literals = array.literals;
            fold.elements = array.tokens.into_iter().map(Piece::Token).collect();
        }
        fold.chain = std::mem::take(&mut self.chain);
        self.folds.push(fold);
        self.folds.len() as u32
    }

    /// Looks at a token that is directly in the argument list of such a call.
    fn check_argument(&mut self, token: Token) {
        let top = self.frames.last().map_or(0, |frame| frame.fold);
        let constant = token.kind == Kind::Word && self.constant(token).is_some();
        let Some(fold) = self.folds.get_mut((top as usize).wrapping_sub(1)) else { return };
        match token.kind {
            Kind::String | Kind::Template => {}
            Kind::Number => {
                if fold.pieces.len() < MAX_PIECES && fold.function == Folding::CharCodes {
                    fold.pieces.push(Piece::Number(token));
                } else {
                    fold.valid = false;
                }
            }
            Kind::Word => {
                fold.dangling = true;
                if constant {
                    self.pending_word = Some(token);
                }
            }
            Kind::Dot => {}
            Kind::ParenOpen => fold.valid &= fold.dangling,
            Kind::Comma | Kind::ParenClose | Kind::Plus => {
                fold.valid &= !fold.dangling;
                if token.kind != Kind::Plus {
                    self.end_argument(top as usize - 1);
                }
            }
            _ => fold.valid = false,
        }
    }

    /// Takes the chain as an argument.
    fn end_argument(&mut self, index: usize) {
        let Some(fold) = self.folds.get_mut(index) else { return };
        if self.chain.end > fold.start && self.chain.end == self.previous.end && !self.chain.pieces.is_empty()
        {
            if fold.pieces.len() + self.chain.pieces.len() > MAX_PIECES {
                fold.valid = false;
            } else {
                fold.pieces.append(&mut self.chain.pieces);
            }
        }
        self.chain.literal = None;
        self.chain.end = 0;
    }

    /// Puts the value of a call in the place of its literals.
    fn end_fold(&mut self, index: usize, token: Token) {
        let mut folds = self.folds.split_off(index.min(self.folds.len()));
        if folds.is_empty() {
            return;
        }
        let Fold { function, start, before, literals, elements, pieces, valid, chain, .. } =
            folds.swap_remove(0);
        self.chain = chain;
        let value = if valid { self.folded(function, &elements, &pieces) } else { None };
        let Some(value) = value else {
            if function == Folding::Concat
                && let Some(literal) = self.chain.literal.and_then(|index| self.out.literals.get_mut(index))
            {
                literal.part = true;
            }
            return;
        };
        let inner = self.out.literals.split_off(literals.min(self.out.literals.len()));
        self.out.literals.extend(inner.into_iter().filter(|literal| literal.kind == LiteralKind::Comment));
        if function == Folding::Concat {
            self.extend(Piece::Text(value), token.end);
        } else {
            self.value(Piece::Text(value), start, before, token.end);
        }
    }

    fn folded(&self, function: Folding, elements: &[Piece], pieces: &[Piece]) -> Option<String> {
        let length = |pieces: &[Piece]| -> usize {
            let one = |piece: &Piece| match piece {
                Piece::Text(text) => text.len(),
                Piece::Token(token) | Piece::Number(token) => (token.end - token.start) as usize,
            };
            pieces.iter().map(one).sum()
        };
        if length(elements) + length(pieces) * elements.len().max(1) > MAX_TEXT {
            return None;
        }
        let join = |pieces: &[Piece]| -> String { pieces.iter().map(|piece| self.text(piece)).collect() };
        match function {
            Folding::CharCodes => {
                let code = |piece: &Piece| match piece {
                    Piece::Number(token) => fold::code(self.bytes((token.start, token.end))),
                    _ => None,
                };
                fold::from_codes(&pieces.iter().map(code).collect::<Option<Vec<u32>>>()?)
            }
            Folding::Join if pieces.is_empty() => {
                Some(elements.iter().map(|piece| self.text(piece)).collect::<Vec<_>>().join(","))
            }
            Folding::Join => {
                let separator = join(pieces);
                Some(elements.iter().map(|piece| self.text(piece)).collect::<Vec<_>>().join(&separator))
            }
            Folding::Concat => Some(join(pieces)),
            _ if pieces.is_empty() => None,
            _ => function.apply(join(pieces)),
        }
    }

    /// The text a variable stands for where it is used now.
    fn constant(&self, word: Token) -> Option<&str> {
        let name = self.bytes((word.start, word.end));
        let constant = self.constants.get(name)?;
        let body = self.frames.last().map_or(0, |frame| frame.body);
        let seen = constant.body == body || (constant.fixed && self.is_open(constant.body));
        constant.text.as_deref().filter(|_| seen)
    }

    /// The words in a parameter list are variables of their own from here on.
    fn hide(&mut self, span: Span) {
        let words = self.bytes(span).split(|&byte| !NAME[byte as usize]);
        for word in words.filter(|word| !word.is_empty()) {
            if let Some(constant) = self.constants.get_mut(word) {
                constant.text = None;
            }
        }
    }

    /// Whether the function body that begins at an offset is open.
    fn is_open(&self, body: u32) -> bool {
        let at = self.frames.partition_point(|frame| frame.start < body);
        body == 0 || self.frames.get(at).is_some_and(|frame| frame.start == body)
    }

    /// Keeps the text that a variable was just given.
    fn remember(&mut self) {
        let name = self.bytes(self.assigned);
        let length: usize = self.chain.pieces.iter().map(|piece| self.text(piece).len()).sum();
        let text = || self.chain.pieces.iter().map(|piece| self.text(piece)).collect::<String>();
        let text = (length <= MAX_CONSTANT).then(text).filter(|text| !text.is_ascii());
        let body = self.frames.last().map_or(0, |frame| frame.body);
        let again = self.constants.get(name).is_some_and(|constant| constant.body == body);
        if text.is_none() && !again {
            return;
        }
        let text = text.filter(|_| !again);
        let fixed = self.fixed;
        self.constants.insert(name, Constant { text, body, fixed });
    }

    /// `+` behind a word: a variable that holds a text begins the chain.
    fn begin_with_constant(&mut self, plus: Token) {
        let word = self.previous;
        let before = self.before_previous;
        let begins = matches!(
            before.kind,
            Kind::Assign
                | Kind::ParenOpen
                | Kind::Comma
                | Kind::Colon
                | Kind::Question
                | Kind::BracketOpen
                | Kind::BraceOpen
                | Kind::Semicolon
                | Kind::Arrow
        ) || (before.kind == Kind::Word && self.is_operator_word(before));
        if !begins {
            return;
        }
        let Some(text) = self.constant(word).map(str::to_owned) else { return };
        self.chain = Chain {
            pieces: vec![Piece::Text(text)],
            previous: Some(before),
            literal: None,
            start: word.start,
            end: word.end,
            plus: Some(plus.start),
        };
    }

    /// A variable behind a `+`, and the token behind it.
    fn settle_word(&mut self, word: Token, next: Token) {
        if matches!(
            next.kind,
            Kind::Dot
                | Kind::ParenOpen
                | Kind::BracketOpen
                | Kind::Assign
                | Kind::Arrow
                | Kind::Doubled
                | Kind::Equality
        ) || matches!(next.kind, Kind::Template | Kind::TemplateHead)
        {
            if let Some(literal) = self.chain.literal.and_then(|index| self.out.literals.get_mut(index)) {
                literal.part = true;
            }
            return;
        }
        let Some(text) = self.constant(word).map(str::to_owned) else { return };
        let length = self.chain.end - self.chain.start;
        if length as usize + text.len() > MAX_TEXT {
            return;
        }
        // The word is the previous token, and what it joins ends before the one before that.
        let before = self.before_previous;
        self.value(Piece::Text(text), word.start, before, word.end);
    }

    /// A hole of a template that holds nothing but text that is known.
    fn hole(&mut self) {
        let chunk = self.chain.previous.filter(|_| self.chain.end > 0 && self.chain.end == self.previous.end);
        let Some(chunk) = chunk else { return };
        if !matches!(chunk.kind, Kind::TemplateHead | Kind::TemplateMiddle) {
            return;
        }
        let pieces = std::mem::take(&mut self.chain.pieces);
        let text: String = pieces.iter().map(|piece| self.text(piece)).collect();
        if let Some(index) = self.chain.literal.take()
            && index + 1 == self.out.literals.len()
        {
            self.out.literals.pop();
        }
        self.chain.end = 0;
        self.pending = None;
        if text.len() <= MAX_TEXT {
            self.chunks.push(Piece::Text(text));
        }
    }

    /// Learns from the token behind a literal how it is used.
    fn settle(&mut self, index: usize, next: Token) {
        let key = self.frames.last().is_some_and(|frame| frame.object && frame.expect_key);
        let Some(literal) = self.out.literals.get_mut(index) else { return };
        if self.previous.kind == Kind::Plus {
            match next.kind {
                // A string behind the `+` joins the chain.
                Kind::String | Kind::Template => {}
                // So may a call or a variable; if not, the value is one of run time.
                Kind::Word => {
                    if self.constant(next).is_some() {
                        self.pending_word = Some(next);
                    } else if let Some(literal) = self.out.literals.get_mut(index) {
                        literal.part = true;
                    }
                }
                _ => literal.part = true,
            }
            return;
        }
        match next.kind {
            Kind::Colon | Kind::ParenOpen if key && self.chain.pieces.len() == 1 => literal.usage = Use::Key,
            Kind::Plus => self.pending = Some(index),
            Kind::Equality => literal.usage = Use::Compared,
            _ => {}
        }
    }

    fn template_end(&mut self, token: Token) {
        let Some(frame) = self.pop(b'`') else { return };
        let first = (frame.count as usize).min(self.chunks.len());
        let mut chunks = self.chunks.split_off(first);
        chunks.push(Piece::Token(token));
        if !chunks.iter().any(|chunk| self.piece_wanted(chunk)) {
            return;
        }
        let mut text = String::new();
        let mut holes = 0;
        let mut known = true;
        for chunk in &chunks {
            let is_chunk = matches!(chunk, Piece::Token(_));
            if is_chunk && !known {
                text.push(HOLE);
                holes += 1;
            }
            known = !is_chunk;
            text.push_str(&self.text(chunk));
        }
        let kind = if holes == 0 { LiteralKind::String } else { LiteralKind::Template };
        let mut literal = self.literal(Cow::Owned(text), frame.start, kind);
        literal.part = holes > 0;
        if chunks.iter().any(|chunk| matches!(chunk, Piece::Text(_))) {
            literal.joined = self.clip(frame.start, token.end);
        }
        self.out.literals.push(literal);
    }

    fn literal(&mut self, text: Cow<'a, str>, start: u32, kind: LiteralKind) -> Literal<'a> {
        let mut literal = Literal {
            text,
            offset: start as usize,
            kind,
            function: self.frames.last().and_then(|frame| frame.function.checked_sub(1)),
            given: self.given(),
            ..Literal::default()
        };
        if self.chain.previous.is_some_and(|previous| previous.kind == Kind::Assign)
            && kind == LiteralKind::String
        {
            literal.key = self.str(self.last_segment(self.assigned));
        }
        let source = self.source;
        let bytes = |span: Span| source.get(span.0 as usize..span.1 as usize).unwrap_or_default();
        let mut direct = true;
        // The next call outwards makes the element that is pressed.
        let mut unmade = false;
        for (level, frame) in self.frames.iter_mut().rev().enumerate().take(CALL_LEVELS) {
            match frame.open {
                b'(' if frame.name.0 < frame.name.1 && !frame.parameters => {
                    let makes = std::mem::take(&mut unmade) || (frame.handles && !literal.pressable);
                    if frame.key.0 < frame.key.1 && (literal.tag.is_none() || makes) {
                        literal.tag = std::str::from_utf8(bytes(frame.key)).ok();
                    }
                    if frame.handles && literal.handler.is_none() && frame.handler.0 < frame.handler.1 {
                        literal.handler = std::str::from_utf8(bytes(frame.handler)).ok();
                    }
                    literal.pressable |= frame.handles;
                    if literal.callee.is_none() {
                        literal.callee = std::str::from_utf8(bytes(frame.name)).ok();
                        literal.argument = frame.count;
                    }
                    direct = false;
                }
                b'(' if !frame.parameters => {
                    // Of a function that is called where it stands.
                    if direct && literal.tag.is_none() && frame.count > 0 && frame.key.0 < frame.key.1 {
                        literal.tag = std::str::from_utf8(bytes(frame.key)).ok();
                    }
                }
                b'[' if frame.index && level == 0 => literal.usage = Use::Key,
                b'[' if direct => literal.element = true,
                b'[' => {}
                b'{' if frame.object => {
                    if frame.handles && bytes(frame.key) == b"children" {
                        unmade |= !literal.pressable;
                        literal.pressable = true;
                        if literal.handler.is_none() && frame.handler.0 < frame.handler.1 {
                            literal.handler = std::str::from_utf8(bytes(frame.handler)).ok();
                        }
                    }
                    if direct && !frame.expect_key {
                        let key = std::str::from_utf8(bytes(frame.key)).ok().filter(|key| !key.is_empty());
                        literal.key = literal.key.or(key);
                        if !literal.element {
                            if frame.record == 0 {
                                self.out.objects.push(Object::default());
                                frame.record = self.out.objects.len() as u32;
                            }
                            literal.object = Some(frame.record - 1);
                        }
                    }
                    direct = false;
                }
                _ => break,
            }
        }
        literal
    }
}

/// Properties that entries of menus have beside their text.
fn leads(key: &[u8]) -> bool {
    matches!(
        key,
        b"url"
            | b"path"
            | b"page"
            | b"pagePath"
            | b"route"
            | b"link"
            | b"icon"
            | b"iconPath"
            | b"img"
            | b"image"
            | b"iconUrl"
            | b"pageUrl"
            | b"to"
            | b"href"
            | b"routeName"
            | b"event"
            | b"handler"
            | b"jumpUrl"
    )
}

/// Properties that hold a handler of presses.
fn handles(key: &[u8]) -> bool {
    matches!(
        key,
        b"onClick"
            | b"onTap"
            | b"onPress"
            | b"onLongPress"
            | b"bindtap"
            | b"catchtap"
            | b"click"
            | b"tap"
            | b"onSubmit"
    )
}

/// Properties that only entries of router tables have beside `path`.
fn routes(key: &[u8]) -> bool {
    matches!(
        key,
        b"component"
            | b"components"
            | b"loader"
            | b"element"
            | b"meta"
            | b"redirect"
            | b"lazy"
            | b"loadChildren"
            | b"window"
    )
}

/// Callees, with their last part, whose arguments may name a module or a text.
fn is_reference(callee: &[u8], name: &[u8]) -> bool {
    !callee.is_empty()
        && (callee.len() <= 2
            || matches!(
                name,
                b"$t"
                    | b"t"
                    | b"tc"
                    | b"bind"
                    | b"component"
                    | b"require"
                    | b"__webpack_require__"
                    | b"import"
                    | b"__definePage"
            ))
}

/// Names that webpack gives modules: the start of a digest.
fn is_digest(key: &[u8]) -> bool {
    key.len() >= 4 && key.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Callees, by their last part, that make an element of a component.
fn makes_element(name: &[u8]) -> bool {
    matches!(
        name,
        b"createVNode"
            | b"createBlock"
            | b"createElement"
            | b"_createVNode"
            | b"_createBlock"
            | b"jsx"
            | b"jsxs"
    )
}

/// Bytes a string must have to be looked at as a document in Base64.
const MIN_EMBEDDED: u32 = 256;
/// Bytes kept of an expression that gives a text.
const MAX_EXPRESSION: u32 = 120;

/// Where in a string the Base64 of a page, a script or data begins: behind `data:text/html;base64,`, or at once.
pub fn base64_document(body: &[u8]) -> Option<usize> {
    let head = body.get(..body.len().min(80)).unwrap_or(body);
    let start = if head.starts_with(b"data:") {
        let comma = memchr::memmem::find(head, b";base64,")?;
        let kind = head.get(5..comma)?;
        let text =
            [&b"text/"[..], b"application/javascript", b"application/json", b"application/x-javascript"];
        if !text.iter().any(|text| kind.starts_with(text)) || kind.starts_with(b"text/css") {
            return None;
        }
        comma + 8
    } else {
        0
    };
    let encoded = body.get(start..)?;
    let sample = encoded.get(..96)?;
    let decoded = data_encoding::BASE64.decode(sample).ok()?;
    let decoded = decoded.trim_ascii_start();
    let beginnings: [&[u8]; 16] = [
        b"<",
        b"{\"",
        b"[{",
        b"(function",
        b"!function",
        b"var ",
        b"let ",
        b"const ",
        b"\"use strict",
        b"'use strict",
        b"import ",
        b"function",
        b"/*",
        b"//",
        b"window.",
        b"(()=>",
    ];
    let plain = |byte: u8| byte >= 0x20 || byte.is_ascii_whitespace();
    let like = start > 0 || beginnings.iter().any(|beginning| decoded.starts_with(beginning));
    (like && decoded.iter().all(|&byte| plain(byte))).then_some(start)
}

/// The string that begins an argument list, when it has no escapes.
fn first_string(body: &[u8]) -> Option<&str> {
    let body = body.trim_ascii_start();
    let quote = *body.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
    let rest = body.get(1..)?;
    let end = memchr::memchr2(quote, b'\n', rest.get(..rest.len().min(1024))?)?;
    std::str::from_utf8(rest.get(..end)?).ok()
}

/// The value of a string or template body.
pub fn unescape(body: &[u8]) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(b'\\', body) else { return String::from_utf8_lossy(body) };
    let mut text = String::with_capacity(body.len());
    let mut at = 0;
    let mut escape = first;
    loop {
        text.push_str(&String::from_utf8_lossy(&body[at..escape]));
        at = one_escape(body, escape, &mut text);
        match body.get(at..).and_then(|rest| memchr::memchr(b'\\', rest)) {
            Some(length) => escape = at + length,
            None => break,
        }
    }
    text.push_str(&String::from_utf8_lossy(body.get(at..).unwrap_or_default()));
    Cow::Owned(text)
}

/// Appends the character that the escape at `at` stands for and returns the offset behind it.
fn one_escape(body: &[u8], at: usize, text: &mut String) -> usize {
    let Some(&byte) = body.get(at + 1) else { return body.len() };
    let plain = match byte {
        b'n' => '\n',
        b't' => '\t',
        b'r' => '\r',
        b'b' => '\u{8}',
        b'f' => '\u{C}',
        b'v' => '\u{B}',
        b'\r' if body.get(at + 2) == Some(&b'\n') => return at + 3,
        b'\n' | b'\r' => return at + 2,
        0xE2 if matches!(body.get(at + 2..at + 4), Some([0x80, 0xA8 | 0xA9])) => return at + 4,
        b'x' => {
            return match hex(body, at + 2, 2) {
                Some(value) => {
                    text.push(char::from(value as u8));
                    at + 4
                }
                None => at + 2,
            };
        }
        b'u' => return unicode_escape(body, at, text),
        b'0'..=b'7' => {
            // Octal: up to three digits below 0o400.
            let mut value = 0u32;
            let mut end = at + 1;
            while end < at + 4
                && let Some(digit @ b'0'..=b'7') = body.get(end)
                && value * 8 + u32::from(digit - b'0') < 256
            {
                value = value * 8 + u32::from(digit - b'0');
                end += 1;
            }
            text.push(char::from(value as u8));
            return end;
        }
        // Any other character stands for itself; it may be more than one byte.
        _ => return copy_one(body, at + 1, text),
    };
    text.push(plain);
    at + 2
}

fn copy_one(body: &[u8], at: usize, text: &mut String) -> usize {
    let mut end = at + 1;
    while body.get(end).is_some_and(|byte| byte & 0xC0 == 0x80) && end < at + 4 {
        end += 1;
    }
    text.push_str(&String::from_utf8_lossy(body.get(at..end).unwrap_or_default()));
    end
}

fn unicode_escape(body: &[u8], at: usize, text: &mut String) -> usize {
    if body.get(at + 2) == Some(&b'{') {
        let digits = body.get(at + 3..).unwrap_or_default();
        let length = digits.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        if length > 0 && digits.get(length) == Some(&b'}') {
            let value = digits[..length].iter().fold(0u32, |value, &digit| {
                value.saturating_mul(16).saturating_add(hex_digit(digit).unwrap_or(0))
            });
            text.push(char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER));
            return at + 4 + length;
        }
        return at + 2;
    }
    let Some(first) = hex(body, at + 2, 4) else { return at + 2 };
    if (0xD800..0xDC00).contains(&first)
        && body.get(at + 6..at + 8) == Some(b"\\u")
        && let Some(second) = hex(body, at + 8, 4)
        && (0xDC00..0xE000).contains(&second)
    {
        let value = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        text.push(char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER));
        return at + 12;
    }
    text.push(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
    at + 6
}

fn hex(body: &[u8], at: usize, count: usize) -> Option<u32> {
    body.get(at..at + count)?.iter().try_fold(0, |value, &digit| Some(value * 16 + hex_digit(digit)?))
}

fn hex_digit(byte: u8) -> Option<u32> {
    char::from(byte).to_digit(16)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ALL: Filter = Filter { literal: |_| true, call: |_| true };
    const CJK: Filter = Filter { literal: |_| false, call: |_| false };

    fn texts(source: &str) -> Vec<String> {
        Script::read(source.as_bytes(), ALL).literals.iter().map(|literal| literal.text.to_string()).collect()
    }

    /// Literals outside ASCII.
    fn texts_of(source: &str) -> Vec<String> {
        let literals = Script::read(source.as_bytes(), CJK).literals;
        literals.iter().map(|literal| literal.text.to_string()).collect()
    }

    /// The only literal of a text outside ASCII.
    fn one(source: &str) -> Literal<'_> {
        let mut found = Script::read(source.as_bytes(), CJK).literals;
        assert_eq!(found.len(), 1, "{source}: {found:?}");
        found.remove(0)
    }

    #[test]
    fn escapes_are_undone() {
        for (source, value) in [
            (r#""\u6253\u5361""#, "打卡"),
            (r#""\u{6253}\u{5361}""#, "打卡"),
            (r#""\x41\0\n\t\'\q""#, "A\0\n\t'q"),
            (r#""\uD83D\uDE00""#, "😀"),
            (r#""a\uD83Db\uDE00""#, "a\u{FFFD}b\u{FFFD}"),
            ("'打\\\n卡'", "打卡"),
            ("'打\\\r\n卡'", "打卡"),
            ("'\\打'", "打"),
            (r#""\101\7""#, "A\u{7}"),
            ("`打\\u5361`", "打卡"),
        ] {
            assert_eq!(texts(source), [value], "{source}");
        }
    }

    #[test]
    fn a_slash_is_a_division_or_begins_a_regular_expression() {
        for source in [
            "a=b/c/d;'x'",
            "if(a)/'/.test(b);'x'",
            "return/\"/g;'x'",
            "(a)/b/c;'x'",
            "a[0]/b/c;'x'",
            "a++/b/c;'x'",
            "}/'/.test(a);'x'",
            "x={}/2/3;'x'",
            "a=/[/'\"]/;'x'",
            "a.return/b/c;'x'",
            "of/b/c;'x'",
            "for(a of/'/.exec(b));'x'",
            "typeof/'/;'x'",
            "f(/\\/'/);'x'",
            "a?/'/:/\"/;'x'",
            "!/'/.test(a)&&'x'",
            "1/2/3;'x'",
            ".5/2/'x'.length",
            "`${a/b/c}`;'x'",
            "`${/`}/.test(a)}`;'x'",
        ] {
            assert_eq!(texts(source).iter().filter(|text| *text == "x").count(), 1, "{source}");
            assert_eq!(Script::read(source.as_bytes(), ALL).literals.last().unwrap().text, "x", "{source}");
        }
    }

    #[test]
    fn comments_hide_what_is_in_them_and_are_told() {
        let source = "#!/usr/bin/env node\n'a'//'b'\n/*'c'*/'d'<!--'e'\n--> 'f'\n'http://g'";
        assert_eq!(texts(source), ["a", "d", "http://g"]);
        let comment = one("/* 每日打卡 */");
        assert_eq!((comment.kind, &*comment.text), (LiteralKind::Comment, "每日打卡"));
    }

    #[test]
    fn joined_strings_are_one_text() {
        assert_eq!(texts("x='打'+'卡'+\"了\""), ["打卡了"]);
        let whole = one("x='a'+'打卡'");
        assert_eq!((&*whole.text, whole.part, whole.offset), ("a打卡", false, 2));
        assert!(one("x=n+'分钟'").part);
        assert!(one("x='已打卡'+n").part);
        assert!(one("x='已'+`打卡`+n").part);
        assert!(!one("x=['打卡']").part);
        let holes = one("x=`今日${n+`${m}`}次打卡`");
        assert_eq!((&*holes.text, holes.kind), ("今日…次打卡", LiteralKind::Template));
    }

    #[test]
    fn texts_joined_at_run_time_are_folded() {
        for (source, value, expression) in [
            ("t='签'+'到'", "签到", Some("'签'+'到'")),
            ("t=['积','分'].join('')", "积分", Some("['积','分'].join('')")),
            ("t=['每日','打卡'].join('-')+'了'", "每日-打卡了", Some("['每日','打卡'].join('-')+'了'")),
            ("t='排'.concat('行','榜')", "排行榜", Some("'排'.concat('行','榜')")),
            ("t=''.concat('打').concat('卡')+'了'", "打卡了", Some("''.concat('打').concat('卡')+'了'")),
            ("t=`${'学习'}时长`", "学习时长", Some("`${'学习'}时长`")),
            ("t=String.fromCharCode(31614,0x5230)", "签到", Some("String.fromCharCode(31614,0x5230)")),
            ("t='打'+String.fromCharCode(21345)", "打卡", Some("'打'+String.fromCharCode(21345)")),
            (
                "t=decodeURIComponent('%E7%AD%BE%E5%88%B0')",
                "签到",
                Some("decodeURIComponent('%E7%AD%BE%E5%88%B0')"),
            ),
            ("t=unescape('%u7B7E%u5230!')", "签到!", Some("unescape('%u7B7E%u5230!')")),
            (
                "t=decodeURIComponent(escape(window.atob('5omT5Y2h')))",
                "打卡",
                Some("decodeURIComponent(escape(window.atob('5omT5Y2h')))"),
            ),
            ("e.toDisplayString('立即')+'打卡'", "立即打卡", Some("e.toDisplayString('立即')+'打卡'")),
            ("function f(){var a='签';t.title=a+'到'}", "签到", Some("a+'到'")),
            ("const KIND='积分';function f(){t.title='总'+KIND+'榜'}", "总积分榜", Some("'总'+KIND+'榜'")),
            ("const a='积分';e.d={data(){return{h:a+'榜'}}}", "积分榜", Some("a+'榜'")),
            ("var a='签';t=`${a}到`", "…到", None),
        ] {
            let literals = Script::read(source.as_bytes(), CJK).literals;
            let literal = literals.last().unwrap();
            assert_eq!((&*literal.text, literal.joined), (value, expression), "{source}");
            assert_eq!(literal.part, value.starts_with(HOLE), "{source}");
        }
        // The pieces are no texts of their own beside the whole.
        assert_eq!(texts("x(['积','分'].join(''),'打'.concat('卡'))"), ["积分", "打卡"]);
        let folded = one("wx.showToast({title:['打','卡'].join(''),icon:n})");
        assert_eq!((folded.key, folded.callee, folded.offset), (Some("title"), Some("wx.showToast"), 20));
    }

    #[test]
    fn what_is_joined_with_run_time_values_stays_apart() {
        for (source, expected) in [
            ("t='已打卡'+n", vec!["已打卡"]),
            ("t='第'.concat(n,'名')", vec!["第", "名"]),
            ("t=['打',n,'卡'].join('')", vec!["打", "卡"]),
            ("t=['打'+n,'卡'].join('')", vec!["打", "卡"]),
            ("t=decodeURIComponent(n+'打卡')", vec!["打卡"]),
            ("t=atob('打卡')", vec!["打卡"]),
            // Another function's variable of that name, one that changes, a parameter, a property.
            ("function f(){var a='签'}function g(a){t=a+'到'}", vec!["签", "到"]),
            ("function f(){var a='签';a='打';t=a+'到'}", vec!["签", "打", "到"]),
            ("var a='签';x.map(a=>a+'到')", vec!["签", "到"]),
            ("const a='签';x.map((b,a)=>a+'到')", vec!["签", "到"]),
            ("const a='签';function g(){var a=f();t=a+'到'}", vec!["签", "到"]),
            ("const a='签';x={m(a){t=a+'到'}}", vec!["签", "到"]),
            ("var a='签';t=b.a+'到'", vec!["签", "到"]),
            ("var a='签';t='到'+a.length", vec!["签", "到"]),
            ("const KIND='积分';t='到'+KIND(1)", vec!["积分", "到"]),
        ] {
            assert_eq!(texts_of(source), expected, "{source}");
        }
    }

    #[test]
    fn folding_is_bounded() {
        let mut doubling = String::from("var a0='打卡';");
        for i in 1..40 {
            doubling.push_str(&format!("var abc{i}=abc{}+abc{};", i - 1, i - 1));
        }
        let long = format!("{}t=[{}].join('{}')", doubling, "'打',".repeat(500), "卡".repeat(1000));
        let script = Script::read(long.as_bytes(), CJK);
        assert!(script.literals.iter().map(|literal| literal.text.len()).sum::<usize>() < 200_000);
    }

    #[test]
    fn modules_and_routes_are_known() {
        let source = "(window.webpackJsonp=window.webpackJsonp||[]).push([['app'],{'0de9':function(t,e,n){var a=n('b1d0');\
                      t.exports={'tap':function(){}}},b1d0:function(t,e){},123:(t,e,n)=>{n(77)}}]);\
                      var r=[{path:'/rank',name:'rank',component:function(){return n.e('c').then(n.bind(null,'4b2c'))},\
                      meta:{title:'排行榜'},children:[{path:'mine',component:m}]},{title:'打卡',path:'/x'}];";
        let script = Script::read(source.as_bytes(), CJK);
        let bundled: Vec<&str> = script.bundled.iter().map(|module| module.name).collect();
        assert_eq!(bundled, ["0de9", "b1d0", "123"]);
        assert!(script.references.iter().any(|r| r.name == "b1d0" && r.callee == "n"));
        assert!(script.references.iter().any(|r| r.name == "77"));
        assert!(script.references.iter().any(|r| r.name == "4b2c" && r.callee == "n.bind"));
        let routes: Vec<(&str, Option<&str>, Option<u32>)> =
            script.routes.iter().map(|r| (&*r.path, r.title.as_deref(), r.parent)).collect();
        assert_eq!(routes, [("/rank", Some("排行榜"), None), ("mine", None, Some(0))]);
    }

    #[test]
    fn declarations_are_told_with_their_extent() {
        let source = "function Home(a,{b}={}){function inner(){return 'ten characters'}return e.jsx(Link,{})}go(1,2)\nfunction \
                      Rank(){return f(function named(){return 'ten characters and more'})};const Far=lazy(()=>import('./far.js')),\
                      o={m:function kept(){return 'ten characters and more'}};!function un(){return 'ten characters and more'}()";
        let script = Script::read(source.as_bytes(), CJK);
        let told: Vec<(&str, &str)> =
            script.declarations.iter().map(|one| (one.name, &source[one.start..one.end])).collect();
        let text = |from: &str, until: &str| {
            let start = source.find(from).unwrap();
            &source[start..source[start..].find(until).unwrap() + start]
        };
        assert_eq!(
            told,
            [
                ("Home", text("function Home", "go(1,2)")),
                ("Rank", text("function Rank", ";const")),
                ("Far", text("lazy(", ",o=")),
                ("o", text("{m:", ";!function")),
            ]
        );
    }

    #[test]
    fn pressed_elements_name_their_handler() {
        for (source, tag, handler) in [
            (
                "e.createElementVNode('button',{type:'p',onClick:n[0]||(n[0]=(...e)=>i.punch&&i.punch(...e))},'打卡')",
                "button",
                "punch",
            ),
            (
                "_c('v-uni-view',{on:{click:function(e){arguments[0]=e=t.$handleEvent(e),t.punch(e)}}},[_c('text',[_v('打卡')])])",
                "v-uni-view",
                "punch",
            ),
            ("h('div',{onClick:this.punch},'打卡')", "div", "punch"),
            ("h('div',{onClick:punch,name:t.other},'打卡')", "div", "punch"),
            (
                "(0,h.jsx)(s.Touch,{onPress:this.punch,children:(0,h.jsx)(s.Text,{children:'打卡'})})",
                "Touch",
                "punch",
            ),
        ] {
            let literal = one(source);
            assert!(literal.pressable, "{source}");
            assert_eq!((literal.tag, literal.handler), (Some(tag), Some(handler)), "{source}");
        }
    }

    #[test]
    fn documents_in_base64_are_told_from_pictures() {
        let page = format!("<!DOCTYPE html><html><body>{}</body></html>", "<p>打卡</p>".repeat(40));
        let encoded = data_encoding::BASE64.encode(page.as_bytes());
        for source in [format!("x='{encoded}'"), format!("x='data:text/html;base64,{encoded}'")] {
            let script = Script::read(source.as_bytes(), CJK);
            let found = script.embedded.first().unwrap();
            assert_eq!(&source[found.start..found.end], encoded);
        }
        let picture = format!("x='data:image/png;base64,{encoded}'");
        assert!(Script::read(picture.as_bytes(), CJK).embedded.is_empty());
        let noise = data_encoding::BASE64.encode(&[0x89; 600]);
        assert!(Script::read(format!("x='{noise}'").as_bytes(), CJK).embedded.is_empty());
    }

    #[test]
    fn the_context_of_a_literal_is_known() {
        let toast = one("wx.showToast({title:'打卡成功',icon:'none'})");
        assert_eq!((toast.key, toast.callee, toast.argument), (Some("title"), Some("wx.showToast"), 0));
        let second = one("_c('button',{a:1},'打卡')");
        assert_eq!((second.callee, second.argument, second.key), (Some("_c"), 2, None));
        assert_eq!(one("(0,n.showToast)('打卡')").callee, Some("n.showToast"));
        assert_eq!(one("t.title='打卡'").key, Some("title"));
        let item = one("x={list:['打卡']}");
        assert_eq!((item.key, item.element), (Some("list"), true));
        assert_eq!(one("if(a==='打卡');").usage, Use::Compared);
        assert_eq!(one("if('打卡'!=a);").usage, Use::Compared);
        assert_eq!(one("switch(a){case'打卡':}").usage, Use::Compared);
        assert_eq!(one("x={'打卡':1}").usage, Use::Key);
        assert_eq!(one("x['打卡']").usage, Use::Key);
        assert_eq!(one("x={a:b?'打卡':1}").key, Some("a"));
        let script = Script::read("x=[{name:'签到',url:'/p'},{name:'积分'}]".as_bytes(), CJK);
        let leads = |at: usize| script.objects[script.literals[at].object.unwrap() as usize].leads;
        assert_eq!((leads(0), leads(1)), (true, false));
    }

    #[test]
    fn elements_that_react_to_presses_are_known() {
        for source in [
            "jsx(B,{onClick:f,children:'打卡'})",
            "jsx(B,{onClick:f,children:jsx(T,{children:'打卡'})})",
            "e.createElement(B,{onClick:f},'打卡')",
            "_c('button',{on:{click:f}},[_v('打卡')])",
        ] {
            assert!(one(source).pressable, "{source}");
        }
        for source in [
            "jsx(B,{children:'打卡'})",
            "jsx(B,{onClick:function(){t('打卡')}})",
            "e.createElement(B,{a:f},'打卡')",
        ] {
            assert!(!one(source).pressable, "{source}");
        }
    }

    #[test]
    fn a_variable_that_a_button_shows_and_its_values_are_known() {
        for source in [
            "function f(e){var t=e.a,a=t?'打卡':1;return(0,I.jsx)(v.Button,{className:'b',onClick:this.punch,children:a})}",
            "function f(e){var a=function(e){var n=e.o;return n?'打卡':1}(e);return jsx(v.Button,{onClick:this.punch,children:a})}",
            "function f(e){let a;a=e?'打卡':1;return jsx(v.Button,{children:a,onClick:this.punch})}",
        ] {
            let script = Script::read(source.as_bytes(), CJK);
            let label = script.labels.first().unwrap();
            assert_eq!((label.tag, label.handler), (Some("Button"), Some("punch")), "{source}");
            let literal = script.literals.iter().find(|literal| literal.text == "打卡").unwrap();
            assert_eq!(literal.given, Some(label.variable), "{source}");
        }
        // Another variable, the same name in another function, an argument of a call, a property.
        for source in [
            "function f(e){var a=1,b='打卡';return jsx(B,{onClick:g,children:a})}",
            "function f(e){var a='打卡'}function h(e){var a=1;return jsx(B,{onClick:g,children:a})}",
            "function f(e){var a=t('打卡');return jsx(B,{onClick:g,children:a})}",
            "function f(e){var a={b:'打卡'};return jsx(B,{onClick:g,children:a})}",
        ] {
            let script = Script::read(source.as_bytes(), CJK);
            let literal = script.literals.iter().find(|literal| literal.text == "打卡").unwrap();
            assert_ne!(literal.given, Some(script.labels.first().unwrap().variable), "{source}");
        }
        // A text that is only read.
        let read = "function f(){var a='打卡';return jsx(T,{children:a})}";
        assert!(Script::read(read.as_bytes(), CJK).labels.is_empty());
    }

    #[test]
    fn functions_modules_and_calls_are_known() {
        let source = "define('pages/a.js',function(require){Page({data:{},punch:function(e){wx.request({url:'/a'})},\
                      sign(){this.go()},rank:async e=>{x('打卡')},each:n(t.mark(function e(){y('积分')}))})});\
                      function outer(){}class A{save(){}}exports.send=function(){}";
        let script = Script::read(source.as_bytes(), ALL);
        let names: Vec<(&str, Option<&str>)> = script.functions.iter().map(|f| (f.name, f.holder)).collect();
        assert_eq!(
            names,
            [
                ("punch", Some("Page")),
                ("sign", Some("Page")),
                ("rank", Some("Page")),
                ("each", Some("Page")),
                ("outer", None),
                ("save", None),
                ("send", None)
            ]
        );
        let body = &source[script.functions[0].start..script.functions[0].end];
        assert_eq!(body, "{wx.request({url:'/a'})}");
        assert_eq!(script.modules.len(), 1);
        assert_eq!(script.modules[0].name, "pages/a.js");
        assert!(script.module(source.find("sign").unwrap()).is_some());
        assert!(script.module(source.find("outer").unwrap()).is_none());
        let punch = script.literals.iter().find(|literal| literal.text == "/a").unwrap();
        assert_eq!(punch.function, Some(0));
        assert!(script.calls.iter().any(|call| call.callee == "this.go"));
    }

    #[test]
    fn broken_text_is_read_on() {
        let script = Script::read("a='x\nb='打卡';)]}c='签到'".as_bytes(), CJK);
        assert_eq!(script.literals.len(), 2);
        let codes: Vec<&str> = script.issues.iter().map(|issue| issue.code).collect();
        assert_eq!(codes[0], "js.unterminated-string");
        assert!(codes.contains(&"js.unbalanced-bracket"));
    }

    #[test]
    fn deep_and_repeated_openings_take_linear_time() {
        let deep = |unit: &str, count: usize| {
            let mut source = unit.repeat(count);
            source.push_str("'打卡'");
            source
        };
        for (unit, count) in [
            ("[", 1_000_000),
            ("({a:[", 200_000),
            ("`${", 200_000),
            ("/[", 500_000),
            ("/*", 500_000),
            ("a(", 500_000),
            ("\n-->", 200_000),
            ("\"打\"+", 200_000),
            ("function a(){", 100_000),
            ("''.concat('打',", 100_000),
            ("unescape(", 200_000),
            ("['打'].join('').concat(", 50_000),
            ("t=''.concat(['a'].join('b'));", 50_000),
            ("{path:'a',component:b,children:[", 50_000),
            ("const a='打',b=c=>a+", 50_000),
            ("x('a',{onClick:t.", 100_000),
        ] {
            let begun = std::time::Instant::now();
            let source = deep(unit, count);
            let script = Script::read(source.as_bytes(), CJK);
            assert!(script.literals.len() <= 1 || unit.contains('打'), "{unit}");
            assert!(begun.elapsed().as_secs() < 10, "{unit}: {:?}", begun.elapsed());
        }
    }

    #[test]
    fn any_truncation_and_any_flipped_byte_is_read() {
        let source = "define('a.js',function(){Page({t:`打${a+`卡${/[`]/}`}`,'b':x/y/z,c(){return'\\u6253'+\"\\x41\"}})})";
        for cut in 0..source.len() {
            Script::read(&source.as_bytes()[..cut], ALL);
        }
        let mut state = 12_345u32;
        for _ in 0..5_000 {
            let mut bytes = source.as_bytes().to_vec();
            for _ in 0..3 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = (state >> 8) as usize % bytes.len();
                bytes[at] = state as u8;
            }
            Script::read(&bytes, ALL);
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let script = Script::read(&bytes, ALL);
            for literal in &script.literals {
                prop_assert!(literal.offset < bytes.len());
            }
        }

        #[test]
        fn any_script_like_text_is_read(source in "[-a-c'\"`${}()\\[\\]/*+=>:;,.?\\\\\n打 ]{0,120}") {
            let script = Script::read(source.as_bytes(), ALL);
            for function in &script.functions {
                prop_assert!(function.start < function.end && function.end <= source.len());
            }
        }
    }
}
