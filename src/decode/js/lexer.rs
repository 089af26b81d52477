//! Text to tokens. The question whether a slash begins a regular expression is settled by the token before and a
//! stack of open brackets.

use super::MAX_ISSUES;
use crate::decode::Issue;

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

pub(super) const NONE: Token = Token { kind: Kind::Operator, start: 0, end: 0 };

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
pub(super) static NAME: [bool; 256] = {
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
    pub(super) source: &'a [u8],
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
    pub(super) fn in_object(&self) -> bool {
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
