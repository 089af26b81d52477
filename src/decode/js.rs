//! JavaScript text (ECMAScript 2024 and what minifiers write, Annex B comments included): literals and what
//! surrounds them. Not a parser: a lexer that settles the regex/division question by the token before, and a
//! stack of open brackets. Nothing recurses, so nesting costs memory in proportion to the input and no stack.
//!
//! JSON is read by the same means, as it is a subset.

use std::borrow::Cow;

use super::{Decoder, Issue};

/// What this file reads.
pub const DECODER: Decoder =
    Decoder { name: "js", version: 1, reads: ("JavaScript（ES2024）", "JavaScript (ES2024)"), limits: &[] };

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
    pub objects: Vec<Object>,
    /// `define("name", …)` calls, as module bundlers of mini programs write them.
    pub modules: Vec<Module<'a>>,
    /// What is wrong with the text.
    pub issues: Vec<Issue>,
}

/// What sort of text a literal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LiteralKind {
    /// String, or strings joined by `+`, or a template without holes.
    String,
    /// Template with holes; [`HOLE`] stands for each.
    Template,
    /// Comment.
    Comment,
}

/// How a literal is used where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// As a value.
    Value,
    /// As the name of a property.
    Key,
    /// In a comparison or as a `case`.
    Compared,
}

/// A literal with its context.
#[derive(Debug, Clone)]
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
    /// Index in [`Script::objects`] of the object it is a property value of.
    pub object: Option<u32>,
    /// Index in [`Script::functions`] of the innermost one around it.
    pub function: Option<u32>,
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
pub struct Object {
    /// It has a property that leads somewhere or shows a picture (`url`, `path`, `icon`), as entries of menus do.
    pub leads: bool,
}

/// A module of a bundle.
#[derive(Debug, Clone, Copy)]
pub struct Module<'a> {
    /// First argument of `define`.
    pub name: &'a str,
    /// Byte offset of its opening parenthesis.
    pub start: usize,
    /// Byte offset behind its closing parenthesis.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    Punct,
}

/// A token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    /// A string or template without escapes and without bytes outside ASCII.
    pub(crate) plain: bool,
    /// Of a punctuator: its character, or one of [`ARROW`], [`EQUALITY`], [`OTHER`]; `.` for `?.` too. Else NUL.
    sign: char,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

const NONE: Token = Token { kind: Kind::Punct, plain: true, sign: '\0', start: 0, end: 0 };

/// `=>`.
const ARROW: char = '⇒';
/// `==`, `===`, `!=`, `!==`.
const EQUALITY: char = '≡';
/// `++`, `--`, `...`, `??`.
const OTHER: char = '∗';

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

const SPACE: u8 = 1;
const WORD: u8 = 2;
const DIGIT: u8 = 3;
const QUOTE: u8 = 4;

static CLASS: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = match byte as u8 {
            b' ' | b'\t' | b'\n' | b'\r' | 0x0B | 0x0C => SPACE,
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' | b'\\' | b'#' | b'@' | 0x80..=0xFF => WORD,
            b'0'..=b'9' => DIGIT,
            b'"' | b'\'' => QUOTE,
            _ => 0,
        };
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

    pub(crate) fn next(&mut self) -> Option<Token> {
        loop {
            let start = self.at;
            let &byte = self.source.get(start)?;
            match CLASS[byte as usize] {
                SPACE => {
                    self.at += 1;
                    continue;
                }
                WORD => {
                    if byte >= 0x80
                        && let Some(length) = wide_space(&self.source[start..])
                    {
                        self.at += length;
                        continue;
                    }
                    return Some(self.word(start));
                }
                DIGIT => return Some(self.number(start)),
                QUOTE => return Some(self.string(start, byte)),
                _ => {}
            }
            match byte {
                b'`' => return Some(self.template(start)),
                b'/' => match self.byte(start + 1) {
                    b'/' => return Some(self.comment(start, line_end(self.source, start))),
                    b'*' => {
                        let body = self.source.get(start + 2..).unwrap_or_default();
                        let end = match memchr::memmem::find(body, b"*/") {
                            Some(length) => start + length + 4,
                            None => {
                                self.issue("js.unterminated-comment", start, "comment without end");
                                self.source.len()
                            }
                        };
                        return Some(self.comment(start, end));
                    }
                    _ => return Some(self.slash(start)),
                },
                b'<' if self.source[start..].starts_with(b"<!--") => {
                    return Some(self.comment(start, line_end(self.source, start)));
                }
                b'-' if self.source[start..].starts_with(b"-->") && self.at_line_start(start) => {
                    return Some(self.comment(start, line_end(self.source, start)));
                }
                b'.' if self.byte(start + 1).is_ascii_digit() => return Some(self.number(start)),
                b'}' if self.open.last() == Some(&Open::Hole) => {
                    self.open.pop();
                    return Some(self.template(start));
                }
                _ => return Some(self.punct(start, byte)),
            }
        }
    }

    fn at_line_start(&self, at: usize) -> bool {
        let blank = |byte: &&u8| matches!(byte, b' ' | b'\t');
        !matches!(self.source[..at].iter().rev().find(|byte| !blank(byte)), Some(byte) if !matches!(byte, b'\n' | b'\r'))
    }

    fn comment(&mut self, start: usize, end: usize) -> Token {
        self.at = end;
        Token { kind: Kind::Comment, plain: true, sign: '\0', start: start as u32, end: end as u32 }
    }

    fn token(&mut self, kind: Kind, start: usize, plain: bool, before: Before) -> Token {
        self.before = before;
        Token { kind, plain, sign: '\0', start: start as u32, end: self.at as u32 }
    }

    fn word(&mut self, start: usize) -> Token {
        let rest = &self.source[start + 1..];
        let length = rest.iter().position(|&byte| !matches!(CLASS[byte as usize], WORD | DIGIT));
        self.at = start + 1 + length.unwrap_or(rest.len());
        let word = &self.source[start..self.at];
        let before = if self.before == Before::Dot || word.len() > 10 || word.len() < 2 {
            Before::Operand
        } else {
            self.meaning(word)
        };
        self.token(Kind::Word, start, true, before)
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

    fn number(&mut self, start: usize) -> Token {
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
        self.at = at.min(self.source.len());
        self.token(Kind::Number, start, true, Before::Operand)
    }

    fn string(&mut self, start: usize, quote: u8) -> Token {
        let source = self.source;
        let mut at = start + 1;
        let mut seen = 0u8;
        let mut escaped = false;
        loop {
            match source.get(at) {
                Some(&byte) if byte == quote => {
                    at += 1;
                    break;
                }
                Some(b'\\') => {
                    escaped = true;
                    // A continued line may end in CR LF.
                    let crlf = source.get(at + 1) == Some(&b'\r') && source.get(at + 2) == Some(&b'\n');
                    at += if crlf { 3 } else { 2 };
                }
                Some(b'\n' | b'\r') | None => {
                    at = at.min(source.len());
                    self.issue("js.unterminated-string", start, "string without closing quote");
                    break;
                }
                Some(byte) => {
                    seen |= byte;
                    at += 1;
                }
            }
        }
        self.at = at.min(source.len());
        self.token(Kind::String, start, seen < 0x80 && !escaped, Before::Operand)
    }

    /// A template chunk that begins with a backtick or with the brace that ends a hole.
    fn template(&mut self, start: usize) -> Token {
        let head = self.byte(start) == b'`';
        let mut at = start + 1;
        let mut plain = true;
        let whole = loop {
            match self.source.get(at) {
                Some(b'`') => {
                    at += 1;
                    break true;
                }
                Some(b'$') if self.byte(at + 1) == b'{' => {
                    at += 2;
                    break false;
                }
                Some(b'\\') => {
                    plain = false;
                    at += 2;
                }
                Some(byte) => {
                    plain &= byte.is_ascii();
                    at += 1;
                }
                None => {
                    self.issue("js.unterminated-template", start, "template without closing backtick");
                    break true;
                }
            }
        };
        self.at = at.min(self.source.len());
        let kind = match (head, whole) {
            (true, true) => Kind::Template,
            (true, false) => Kind::TemplateHead,
            (false, false) => Kind::TemplateMiddle,
            (false, true) => Kind::TemplateTail,
        };
        if !whole {
            self.open.push(Open::Hole);
        }
        self.token(kind, start, plain, if whole { Before::Operand } else { Before::Operator })
    }

    fn slash(&mut self, start: usize) -> Token {
        if matches!(self.before, Before::Operand | Before::Close) || start < self.no_regex {
            return self.punct(start, b'/');
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
                    return self.punct(start, b'/');
                }
                Some(_) => at += 1,
            }
        }
        at += 1;
        while matches!(CLASS[self.byte(at) as usize], WORD | DIGIT) {
            at += 1;
        }
        self.at = at.min(self.source.len());
        self.token(Kind::Regex, start, true, Before::Operand)
    }

    fn punct(&mut self, start: usize, byte: u8) -> Token {
        let next = self.byte(start + 1);
        let mut length = 1;
        let mut sign = char::from(byte);
        let before = match byte {
            b'(' => {
                self.open.push(if self.before == Before::HeadWord { Open::Head } else { Open::Paren });
                Before::Operator
            }
            b')' => match self.close(start, |open| matches!(open, Open::Paren | Open::Head)) {
                Some(Open::Head) => Before::Statement,
                _ => Before::Close,
            },
            b'[' => {
                self.open.push(Open::Bracket);
                Before::Operator
            }
            b']' => {
                self.close(start, |open| open == Open::Bracket);
                Before::Operand
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
                Before::Statement
            }
            b'}' => {
                self.question = false;
                match self.close(start, |open| matches!(open, Open::Block | Open::Object)) {
                    Some(Open::Object) => Before::Operand,
                    _ => Before::Statement,
                }
            }
            b';' => {
                self.question = false;
                Before::Statement
            }
            b':' => Before::Colon,
            b'.' => {
                if next == b'.' && self.byte(start + 2) == b'.' {
                    length = 3;
                    sign = OTHER;
                    Before::Operator
                } else {
                    Before::Dot
                }
            }
            b'?' if next == b'.' && !self.byte(start + 2).is_ascii_digit() => {
                length = 2;
                sign = '.';
                Before::Dot
            }
            b'?' => {
                if next == b'?' {
                    length = 2;
                    sign = OTHER;
                }
                self.question |= length == 1;
                Before::Operator
            }
            b'=' | b'!' => {
                (length, sign) = match (next, self.byte(start + 2)) {
                    (b'=', b'=') => (3, EQUALITY),
                    (b'=', _) => (2, EQUALITY),
                    (b'>', _) if byte == b'=' => (2, ARROW),
                    _ => (1, sign),
                };
                if sign == ARROW { Before::Arrow } else { Before::Operator }
            }
            b'+' | b'-' if next == byte => {
                length = 2;
                sign = OTHER;
                // `a++ / b` against `++/re/.lastIndex`.
                self.before
            }
            _ => Before::Operator,
        };
        self.at = start + length;
        Token { sign, ..self.token(Kind::Punct, start, true, before) }
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
    /// Arguments before; in a template, chunks before.
    count: u32,
    /// Innermost function around, plus one.
    function: u32,
    /// Object record, plus one.
    record: u32,
    leads: bool,
    /// An object with a handler of presses, or a call with such an object among its arguments.
    handles: bool,
}

struct Scan<'a> {
    source: &'a [u8],
    lexer: Lexer<'a>,
    filter: Filter,
    out: Script<'a>,
    frames: Vec<Frame>,
    previous: Token,
    before_previous: Token,
    /// Start of the dotted path that ends with the previous word.
    path: u32,
    /// Path before the last `=`.
    assigned: Span,
    /// Path before the last `)`, for `(0, a.b)(…)`.
    closed_path: Span,
    /// Name of the function whose parameter list ended with the previous token.
    closed_parameters: Option<Span>,
    /// `function` was seen and its parameters not yet.
    function_name: Option<Span>,
    class_pending: bool,
    /// Strings joined by `+` so far.
    chain: Vec<Token>,
    chain_previous: Token,
    /// Literal made of the chain.
    chain_literal: Option<usize>,
    /// The previous token ends the literal: the next one tells how it is used.
    pending: Option<usize>,
    chunks: Vec<Token>,
}

impl<'a> Scan<'a> {
    fn new(source: &'a [u8], filter: Filter) -> Self {
        let lexer = Lexer::new(source);
        Scan {
            source: lexer.source,
            lexer,
            filter,
            out: Script::default(),
            frames: Vec::new(),
            previous: NONE,
            before_previous: NONE,
            path: 0,
            assigned: EMPTY,
            closed_path: EMPTY,
            closed_parameters: None,
            function_name: None,
            class_pending: false,
            chain: Vec::new(),
            chain_previous: NONE,
            chain_literal: None,
            pending: None,
            chunks: Vec::new(),
        }
    }

    fn run(mut self) -> Script<'a> {
        while let Some(token) = self.lexer.next() {
            if token.kind == Kind::Comment {
                self.comment(token);
                continue;
            }
            if let Some(index) = self.pending.take() {
                self.settle(index, token);
            }
            match token.kind {
                Kind::Word => self.word(token),
                Kind::Punct => self.punct(token),
                Kind::String | Kind::Template => self.string(token),
                Kind::TemplateHead => {
                    let frame = self.frame(b'`', token.start);
                    self.frames.push(Frame { count: self.chunks.len() as u32, ..frame });
                    self.chunks.push(token);
                }
                Kind::TemplateMiddle => self.chunks.push(token),
                Kind::TemplateTail => self.template_end(token),
                _ => {}
            }
            if token.sign != ')' {
                self.closed_parameters = None;
            }
            self.before_previous = self.previous;
            self.previous = token;
        }
        let end = self.source.len();
        // What is still open ends with the text.
        while let Some(frame) = self.frames.pop() {
            self.leave(frame, end);
        }
        self.out.modules.sort_by_key(|module| module.start);
        self.out.issues = std::mem::take(&mut self.lexer.issues);
        self.out
    }

    fn bytes(&self, span: Span) -> &'a [u8] {
        self.source.get(span.0 as usize..span.1 as usize).unwrap_or_default()
    }

    fn str(&self, span: Span) -> Option<&'a str> {
        std::str::from_utf8(self.bytes(span)).ok().filter(|text| !text.is_empty())
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
        }
    }

    fn word(&mut self, token: Token) {
        let after_dot = self.previous.sign == '.';
        if !after_dot || self.before_previous.kind != Kind::Word {
            self.path = token.start;
        }
        if let Some(frame) = self.frames.last_mut()
            && frame.expect_key
        {
            frame.key = (token.start, token.end);
        }
        if after_dot {
            return;
        }
        let length = token.end - token.start;
        if length == 8 && self.is(token, b"function") {
            self.function_name = Some(self.given_name());
        } else if length == 5 && self.is(token, b"class") {
            self.class_pending = true;
        } else if let Some(name) = &mut self.function_name
            && (name.0 == name.1 || length > 2)
        {
            *name = (token.start, token.end);
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
        if self.previous.sign == '=' { self.last_segment(self.assigned) } else { EMPTY }
    }

    fn last_segment(&self, span: Span) -> Span {
        match self.bytes(span).iter().rposition(|&byte| byte == b'.') {
            Some(dot) => (span.0 + dot as u32 + 1, span.1),
            None => span,
        }
    }

    fn punct(&mut self, token: Token) {
        match token.sign {
            '(' => {
                let mut frame = self.frame(b'(', token.start);
                let method = self.frames.last_mut().filter(|top| top.expect_key && top.key.0 < top.key.1);
                if let Some(name) = self.function_name.take() {
                    frame.parameters = true;
                    frame.name = name;
                } else if let Some(top) = method {
                    frame.parameters = true;
                    frame.name = top.key;
                } else {
                    frame.name = self.callee();
                    let callee = self.bytes(frame.name);
                    if !callee.is_empty()
                        && (self.filter.call)(callee)
                        && let Ok(callee) = std::str::from_utf8(callee)
                    {
                        self.out.calls.push(Call { callee, offset: token.start as usize });
                    }
                }
                self.frames.push(frame);
            }
            ')' => {
                self.closed_path =
                    if self.previous.kind == Kind::Word { (self.path, self.previous.end) } else { EMPTY };
                self.closed_parameters = None;
                if let Some(frame) = self.pop(b'(') {
                    if frame.parameters {
                        self.closed_parameters = Some(frame.name);
                    }
                    self.leave(frame, token.end as usize);
                }
            }
            '[' => {
                let index = matches!(self.previous.kind, Kind::Word | Kind::String)
                    || matches!(self.previous.sign, ')' | ']');
                let index =
                    index && !(self.previous.kind == Kind::Word && self.is_operator_word(self.previous));
                let frame = self.frame(b'[', token.start);
                self.frames.push(Frame { index, ..frame });
            }
            ']' => {
                if let Some(frame) = self.pop(b'[') {
                    self.leave(frame, token.end as usize);
                }
            }
            '{' => self.open_brace(token),
            '}' => {
                if let Some(frame) = self.pop(b'{') {
                    self.leave(frame, token.end as usize);
                    // The next member of a class follows without a comma.
                    if let Some(top) = self.frames.last_mut()
                        && top.class
                    {
                        top.expect_key = true;
                        top.key = EMPTY;
                    }
                }
            }
            ',' => {
                if let Some(top) = self.frames.last_mut() {
                    top.count = top.count.wrapping_add(u32::from(top.open == b'('));
                    if top.object {
                        top.expect_key = true;
                        top.key = EMPTY;
                    }
                }
            }
            ';' => {
                if let Some(top) = self.frames.last_mut()
                    && top.class
                {
                    top.expect_key = true;
                    top.key = EMPTY;
                }
            }
            ':' => {
                if let Some(top) = self.frames.last_mut()
                    && top.object
                    && top.expect_key
                {
                    top.expect_key = false;
                    let key = top.key;
                    let key = self.bytes(key);
                    let (leads, handles) = (leads(key), handles(key));
                    if let Some(top) = self.frames.last_mut() {
                        top.leads |= leads;
                        top.handles |= handles;
                    }
                }
            }
            '=' => {
                self.assigned =
                    if self.previous.kind == Kind::Word { (self.path, self.previous.end) } else { EMPTY };
                if let Some(top) = self.frames.last_mut()
                    && top.class
                {
                    top.expect_key = false;
                }
            }
            _ => {}
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
            Kind::Punct if self.previous.sign == ')' => self.closed_path,
            _ => EMPTY,
        }
    }

    fn open_brace(&mut self, token: Token) {
        let mut frame = self.frame(b'{', token.start);
        let arrow = self.previous.sign == ARROW;
        if self.class_pending {
            self.class_pending = false;
            frame.object = true;
            frame.class = true;
            frame.expect_key = true;
        } else if self.lexer.in_object() {
            frame.object = true;
            frame.expect_key = true;
        } else if let Some(name) = self.closed_parameters.take().or_else(|| arrow.then(|| self.given_name()))
        {
            let name = self.str(name).unwrap_or_default();
            // A name of one or two letters is a minifier's.
            if name.len() > 2 {
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

    fn leave(&mut self, frame: Frame, end: usize) {
        let outer = self.frames.last().map_or(0, |top| top.function);
        if frame.function != outer
            && let Some(function) = self.out.functions.get_mut((frame.function as usize).wrapping_sub(1))
        {
            function.end = end;
        }
        if let Some(object) = self.out.objects.get_mut((frame.record as usize).wrapping_sub(1)) {
            object.leads = frame.leads;
        }
        if frame.object
            && frame.handles
            && let Some(outer) = self.frames.last()
        {
            let props = outer.object && matches!(self.bytes(outer.key), b"on" | b"nativeOn" | b"props");
            let argument = outer.open == b'(' && outer.name.0 < outer.name.1;
            if let Some(outer) = self.frames.last_mut() {
                outer.handles |= props || argument;
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
        if token.plain {
            return (self.filter.literal)(body);
        }
        !body.is_ascii()
            || memchr::memmem::find(body, b"\\u").is_some()
            || memchr::memmem::find(body, b"\\x").is_some()
            || (self.filter.literal)(body)
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
        if let Some(frame) = self.frames.last_mut()
            && frame.expect_key
        {
            frame.key = (token.start + 1, token.end.saturating_sub(1).max(token.start + 1));
        }
        let plus = self.previous.sign == '+';
        let continues = plus
            && matches!(self.before_previous.kind, Kind::String | Kind::Template)
            && !self.chain.is_empty();
        if !continues {
            self.chain.clear();
            self.chain_literal = None;
            self.chain_previous = self.previous;
        }
        self.chain.push(token);
        if let Some(index) = self.chain_literal {
            let more = unescape(self.body(token));
            self.out.literals[index].text.to_mut().push_str(&more);
            self.pending = Some(index);
        } else if self.wanted(token) {
            let text = match self.chain.as_slice() {
                [one] => unescape(self.body(*one)),
                many => Cow::Owned(many.iter().map(|token| unescape(self.body(*token))).collect()),
            };
            let start = self.chain.first().map_or(token.start, |first| first.start);
            let mut literal = self.literal(text, start, LiteralKind::String);
            literal.part = self.chain_previous.sign == '+';
            let before = self.chain_previous;
            if before.sign == EQUALITY || (before.kind == Kind::Word && self.is(before, b"case")) {
                literal.usage = Use::Compared;
            }
            self.out.literals.push(literal);
            self.chain_literal = Some(self.out.literals.len() - 1);
            self.pending = self.chain_literal;
        }
    }

    /// Learns from the token behind a literal how it is used.
    fn settle(&mut self, index: usize, next: Token) {
        let key = self.frames.last().is_some_and(|frame| frame.object && frame.expect_key);
        let Some(literal) = self.out.literals.get_mut(index) else { return };
        if self.previous.sign == '+' {
            // A string behind the `+` joins the chain.
            literal.part |= !matches!(next.kind, Kind::String | Kind::Template);
            return;
        }
        match next.sign {
            ':' | '(' if key && self.chain.len() == 1 => literal.usage = Use::Key,
            '+' => self.pending = Some(index),
            EQUALITY => literal.usage = Use::Compared,
            _ => {}
        }
    }

    fn template_end(&mut self, token: Token) {
        let Some(frame) = self.pop(b'`') else { return };
        let first = (frame.count as usize).min(self.chunks.len());
        let mut chunks = self.chunks.split_off(first);
        chunks.push(token);
        if !chunks.iter().any(|chunk| self.wanted(*chunk)) {
            return;
        }
        let mut text = String::new();
        for (i, chunk) in chunks.iter().enumerate() {
            if i > 0 {
                text.push(HOLE);
            }
            text.push_str(&unescape(self.body(*chunk)));
        }
        let mut literal = self.literal(Cow::Owned(text), frame.start, LiteralKind::Template);
        literal.part = true;
        self.out.literals.push(literal);
    }

    fn literal(&mut self, text: Cow<'a, str>, start: u32, kind: LiteralKind) -> Literal<'a> {
        let mut literal = Literal {
            text,
            offset: start as usize,
            kind,
            usage: Use::Value,
            key: None,
            callee: None,
            argument: 0,
            element: false,
            part: false,
            pressable: false,
            object: None,
            function: self.frames.last().and_then(|frame| frame.function.checked_sub(1)),
        };
        if self.chain_previous.sign == '=' && kind == LiteralKind::String {
            literal.key = self.str(self.last_segment(self.assigned));
        }
        let source = self.source;
        let bytes = |span: Span| source.get(span.0 as usize..span.1 as usize).unwrap_or_default();
        let mut direct = true;
        for (level, frame) in self.frames.iter_mut().rev().enumerate().take(CALL_LEVELS) {
            match frame.open {
                b'(' if frame.name.0 < frame.name.1 && !frame.parameters => {
                    literal.pressable |= frame.handles;
                    if literal.callee.is_none() {
                        literal.callee = std::str::from_utf8(bytes(frame.name)).ok();
                        literal.argument = frame.count;
                    }
                    direct = false;
                }
                b'(' if !frame.parameters => {}
                b'[' if frame.index && level == 0 => literal.usage = Use::Key,
                b'[' if direct => literal.element = true,
                b'[' => {}
                b'{' if frame.object => {
                    literal.pressable |= frame.handles && bytes(frame.key) == b"children";
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
        ] {
            let begun = std::time::Instant::now();
            let source = deep(unit, count);
            let script = Script::read(source.as_bytes(), CJK);
            assert!(script.literals.len() <= 1, "{unit}");
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
