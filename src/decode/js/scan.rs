//! Tokens to literals with what surrounds them: one pass with a stack of frames, one for each open bracket.

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::fold::{self, Function as Folding, MAX_CONSTANT, MAX_PIECES, MAX_TEXT, Piece};
use super::lexer::{Kind, Lexer, NAME, NONE, Token};
use super::names::{handles, is_digest, is_reference, leads, makes_element, routes};
use super::unescape::{base64_document, unescape};
use super::{
    Call, Embedded, Filter, Function, HOLE, Label, Literal, LiteralKind, Module, Object, Reference, Route,
    Script, Use, Variable,
};

/// How many brackets outwards a call is looked for.
const CALL_LEVELS: usize = 12;
/// Bytes a string must have to be looked at as a document in Base64.
const MIN_EMBEDDED: u32 = 256;
/// Bytes kept of an expression that gives a text.
const MAX_EXPRESSION: u32 = 120;

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

pub(super) struct Scan<'a> {
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
    pub(super) fn new(source: &'a [u8], filter: Filter) -> Self {
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

    pub(super) fn run(mut self) -> Script<'a> {
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

/// The string that begins an argument list, when it has no escapes.
fn first_string(body: &[u8]) -> Option<&str> {
    let body = body.trim_ascii_start();
    let quote = *body.first().filter(|byte| matches!(byte, b'"' | b'\''))?;
    let rest = body.get(1..)?;
    let end = memchr::memchr2(quote, b'\n', rest.get(..rest.len().min(1024))?)?;
    std::str::from_utf8(rest.get(..end)?).ok()
}
