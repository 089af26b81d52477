//! JavaScript text (ECMAScript 2024 and what minifiers write, Annex B comments included): literals and what
//! surrounds them. Not a parser: a lexer that settles the regex/division question by the token before, and a
//! stack of open brackets. Nothing recurses, so nesting costs memory in proportion to the input and no stack.
//!
//! JSON is read by the same means, as it is a subset.

mod fold;
mod lexer;
mod names;
mod scan;
#[cfg(test)]
mod tests;
mod unescape;

use std::borrow::Cow;

pub(crate) use self::lexer::{Kind, Lexer, Token};
pub use self::unescape::{base64_document, unescape};

use self::fold::MAX_TEXT;
use self::scan::Scan;
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
