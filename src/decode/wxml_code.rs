//! Compiled templates of mini programs: the JavaScript that WeChat's `wcc` makes of WXML, read back to elements.
//!
//! A template function builds nodes (`_n`, `_m`, `_mz`), sets attributes (`_r`, `_rz`), makes texts (`_o`, `_oz`)
//! and joins them (`_`); texts and attribute values are numbers of a table that `Z(…)` calls fill with operation
//! lists: `[3,'text']`, `[a,[3,'text'],[[7],[3,'name']]]`, `[[2,'?:'],…,[1,'text']]`. The code is read as tokens
//! and never run. Shapes seen in real packages of wcc 0.5vv and 0.6vv (2017 to 2021).

use std::collections::HashMap;
use std::rc::Rc;

use super::js::{HOLE, Kind, Lexer, Token, unescape};
use super::{Decoder, Issue, Limit, Unit};

/// What this file reads.
pub const DECODER: Decoder = Decoder {
    name: "wxml_code",
    version: 1,
    reads: ("编译后的 WXML 模板", "compiled WXML templates"),
    limits: &[Limit {
        what: ("嵌套层数", "levels of nesting"), amount: MAX_DEPTH as u64, unit: Unit::Count
    }],
};

/// Operation lists nested deeper than this are not followed.
const MAX_DEPTH: u32 = 64;
/// Steps taken to turn one operation list into text.
const MAX_STEPS: u32 = 2_000;
/// What a step counts for in bytes of text.
const STEP: usize = 16;
/// Characters kept of one text.
const MAX_TEXT: usize = 4_096;
/// Longer paths are cut, in characters.
const MAX_PATH: usize = 256;
/// Texts of one script may take this many times its size: many elements may name one entry of the table.
const MAX_GROWTH: usize = 16;

/// One template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Path of the WXML file, without the leading `./`.
    pub path: String,
    /// Elements, a parent before its children.
    pub elements: Vec<Element>,
}

/// One element.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// Tag as written in WXML; empty for a block that only groups.
    pub tag: String,
    /// Index of the element around it.
    pub parent: Option<u32>,
    /// Attributes in camel case, as the compiler writes them (`bindtap`, `openType`).
    pub attributes: Vec<(String, Text)>,
    /// Texts directly in it.
    pub texts: Vec<Text>,
}

/// A text or an attribute value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    /// The text; [`HOLE`] stands for each value known at run time only.
    pub text: String,
    /// Texts that an expression chooses from: `{{done ? '已打卡' : '打卡'}}`.
    pub choices: Vec<String>,
    /// Names of the variables and properties that stand in the holes: `name` of `{{item.name}}`.
    pub fields: Vec<String>,
    /// Byte offset of the table entry.
    pub offset: usize,
}

/// Whether a script holds compiled templates.
pub fn is_compiled(source: &[u8]) -> bool {
    memchr::memmem::find(source, b"Z([").is_some() && memchr::memmem::find(source, b"_(r,").is_some()
}

/// What was read of one script.
#[derive(Debug, Default)]
pub struct Compiled {
    /// The templates, in the order of the script.
    pub templates: Vec<Template>,
    /// `<import>` and `<include>`: the file that uses another, and the other as written (relative to the first).
    pub imports: Vec<(String, String)>,
    /// What is wrong with the script.
    pub issues: Vec<Issue>,
}

/// Reads all templates of a script.
pub fn read(source: &[u8]) -> Compiled {
    let mut lexer = Lexer::new(source);
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next() {
        if token.kind != Kind::Comment {
            tokens.push(token);
        }
    }
    let room = source.len().saturating_mul(MAX_GROWTH);
    let mut reader = Reader { source, tokens, room, ..Reader::default() };
    reader.run();
    let mut issues = lexer.issues;
    if reader.unspelled > 0 {
        let detail = format!("{} texts left out after {room} bytes of them", reader.unspelled);
        issues.push(Issue::lossy("wxml.too-large", None, detail));
    }
    Compiled { templates: reader.templates(), imports: reader.imports, issues }
}

/// A path without what leads it, of a length that paths have.
fn plain_path(path: &str) -> String {
    path.trim_start_matches("./").chars().take(MAX_PATH).collect()
}

/// A value of the table.
#[derive(Debug, Clone)]
enum Value {
    Number(u32),
    /// A string token's index.
    String(usize),
    /// Any other word: `a`, `z`.
    Word,
    List(Rc<Vec<Value>>),
}

#[derive(Debug, Clone)]
struct Entry {
    value: Value,
    offset: usize,
}

#[derive(Debug, Clone, Copy)]
enum Variable {
    Node(u32),
    /// A text: number of the table entry.
    Text(u32),
}

#[derive(Debug, Default)]
struct Function {
    /// `m0`; empty for a named template, whose path is known at once.
    name: String,
    path: Option<String>,
    elements: Vec<Element>,
}

#[derive(Debug, Default)]
struct Reader<'a> {
    source: &'a [u8],
    tokens: Vec<Token>,
    tables: HashMap<&'a [u8], Vec<Entry>>,
    table: &'a [u8],
    paths: Vec<String>,
    functions: Vec<Function>,
    /// Path by function name, from `e_[x[0]]={f:m0`.
    path_of: HashMap<(usize, String), String>,
    /// `var x=[…]` statements seen: function names start anew with each.
    generation: usize,
    generation_of: Vec<usize>,
    variables: HashMap<&'a [u8], Variable>,
    /// Root of a function given to `_2z`, by the function's name.
    loops: HashMap<&'a [u8], u32>,
    imports: Vec<(String, String)>,
    /// What texts may still take, and how many were left out because of that.
    room: usize,
    unspelled: usize,
}

impl<'a> Reader<'a> {
    fn word(&self, at: usize) -> &'a [u8] {
        match self.tokens.get(at) {
            Some(token) if token.kind.is_punctuator() || matches!(token.kind, Kind::Word | Kind::Number) => {
                self.bytes(token)
            }
            _ => b"",
        }
    }

    fn bytes(&self, token: &Token) -> &'a [u8] {
        self.source.get(token.start as usize..token.end as usize).unwrap_or_default()
    }

    fn is(&self, at: usize, words: &[&[u8]]) -> bool {
        words.iter().enumerate().all(|(index, word)| word.is_empty() || self.word(at + index) == *word)
    }

    fn string(&self, at: usize) -> Option<String> {
        let token = self.tokens.get(at).filter(|token| token.kind == Kind::String)?;
        let bytes = self.bytes(token);
        Some(unescape(bytes.get(1..bytes.len().checked_sub(1)?)?).into_owned())
    }

    fn number(&self, at: usize) -> Option<u32> {
        std::str::from_utf8(self.word(at)).ok()?.parse().ok()
    }

    fn run(&mut self) {
        let mut at = 0;
        while at < self.tokens.len() {
            let step = self.statement(at);
            at += step.max(1);
        }
    }

    /// Reads what begins at a token; the number of tokens that need not be looked at again.
    fn statement(&mut self, at: usize) -> usize {
        let word = self.word(at);
        match word {
            b"function" if self.word(at + 1).starts_with(b"gz$gwx") => {
                self.table = self.word(at + 1);
                self.tables.entry(self.table).or_default();
                2
            }
            // A table begins anew with its own `Z`.
            b"function" if self.is(at + 1, &[b"Z", b"("]) => {
                self.tables.insert(self.table, Vec::new());
                3
            }
            b"Z" if self.is(at + 1, &[b"("]) => self.entry(at),
            b"var" if self.is(at + 1, &[b"x", b"=", b"["]) => self.path_list(at + 4) + 4,
            b"var" if self.is(at + 2, &[b"="]) => self.variable(at),
            b"d_" | b"e_" if self.is(at + 1, &[b"["]) => self.file(at),
            b"_ai" | b"_ic" if self.is(at + 1, &[b"("]) => self.import(at),
            b"_r" | b"_rz" if self.is(at + 1, &[b"("]) => {
                self.attribute(at);
                1
            }
            b"_" if self.is(at + 1, &[b"(", b"", b",", b"", b")"]) => {
                self.join(self.word(at + 2), self.word(at + 4));
                5
            }
            b"_2" | b"_2z" if self.is(at + 1, &[b"("]) => {
                self.repeat(at);
                1
            }
            _ => 1,
        }
    }

    /// A file of the path list: `x[3]`, or its path in code of 2017; and the offset of the token behind it.
    fn path(&self, at: usize) -> Option<(String, usize)> {
        if self.is(at, &[b"x", b"[", b"", b"]"]) {
            return Some((self.paths.get(self.number(at + 2)? as usize)?.clone(), at + 4));
        }
        Some((plain_path(&self.string(at)?), at + 1))
    }

    /// `e_[x[0]]={f:m0` names the file of a function, `d_[x[0]]["name"]=function(e,s,r,gg){` begins one.
    fn file(&mut self, at: usize) -> usize {
        let Some((path, next)) = self.path(at + 2) else { return 1 };
        if self.word(at) == b"e_" {
            if self.is(next, &[b"]", b"=", b"{", b"f", b":"]) {
                let name = String::from_utf8_lossy(self.word(next + 5)).into_owned();
                self.path_of.insert((self.generation, name), path);
            }
        } else if self.is(next, &[b"]", b"[", b"", b"]", b"=", b"function", b"("]) {
            self.begin(String::new(), Some(path), self.word(next + 11));
        }
        next - at
    }

    /// `_ai(list,used,e_,user,…)` and `_ic(used,e_,user,…)`.
    fn import(&mut self, at: usize) -> usize {
        let first = if self.word(at) == b"_ai" { at + 4 } else { at + 2 };
        let Some((used, next)) = self.path(first) else { return 1 };
        if self.is(next, &[b",", b"e_", b","])
            && let Some((user, _)) = self.path(next + 3)
        {
            self.imports.push((user, used));
        }
        next - at
    }

    fn path_list(&mut self, at: usize) -> usize {
        self.paths.clear();
        self.generation += 1;
        let mut next = at;
        while let Some(path) = self.string(next) {
            self.paths.push(plain_path(&path));
            next += 1;
            if self.is(next, &[b","]) {
                next += 1;
            }
        }
        next - at
    }

    /// `Z([…])` or `Z(z[4])`.
    fn entry(&mut self, at: usize) -> usize {
        let offset = self.tokens[at].start as usize;
        let (value, length) = self.value(at + 2);
        let table = self.tables.entry(self.table).or_default();
        table.push(Entry { value: value.unwrap_or(Value::Word), offset });
        length + 2
    }

    /// A value and how many tokens it takes.
    fn value(&self, at: usize) -> (Option<Value>, usize) {
        let mut stack: Vec<Vec<Value>> = Vec::new();
        let mut next = at;
        loop {
            let value = match self.tokens.get(next) {
                None => return (None, next - at),
                Some(token) if token.kind == Kind::String => {
                    next += 1;
                    Value::String(next - 1)
                }
                Some(_) => match self.word(next) {
                    // Deeper lists would not be followed, and could not be dropped without deep recursion.
                    b"[" if stack.len() >= MAX_DEPTH as usize => return (None, next - at),
                    b"[" => {
                        stack.push(Vec::new());
                        next += 1;
                        continue;
                    }
                    b"," => {
                        next += 1;
                        continue;
                    }
                    b"]" => {
                        next += 1;
                        match stack.pop() {
                            Some(list) => Value::List(Rc::new(list)),
                            None => return (None, next - at),
                        }
                    }
                    b")" | b";" | b"}" => return (None, next - at),
                    b"z" => {
                        let (value, length) = self.reference(next);
                        next += length;
                        value
                    }
                    _ => {
                        next += 1;
                        self.number(next - 1).map_or(Value::Word, Value::Number)
                    }
                },
            };
            match stack.last_mut() {
                Some(list) => list.push(value),
                None => return (Some(value), next - at),
            }
        }
    }

    /// `z[4][1]`: a value, or a part of one, that an earlier entry has.
    fn reference(&self, at: usize) -> (Value, usize) {
        let mut next = at + 1;
        let mut value: Option<&Value> = None;
        let table = self.tables.get(self.table);
        let mut first = true;
        while self.is(next, &[b"[", b"", b"]"]) {
            let index = self.number(next + 1).unwrap_or(u32::MAX) as usize;
            value = match (first, value) {
                (true, _) => table.and_then(|table| table.get(index)).map(|entry| &entry.value),
                (false, Some(Value::List(list))) => list.get(index),
                (false, _) => None,
            };
            first = false;
            next += 3;
        }
        (value.cloned().unwrap_or(Value::Word), next - at)
    }

    /// `var A=…`.
    fn variable(&mut self, at: usize) -> usize {
        let name = self.word(at + 1);
        let call = self.word(at + 3);
        if call == b"function" && self.is(at + 4, &[b"(", b"", b",", b"", b",", b"", b","]) {
            let root = self.word(at + 9);
            if name.first() == Some(&b'm') && name.get(1).is_some_and(u8::is_ascii_digit) {
                self.begin(String::from_utf8_lossy(name).into_owned(), None, root);
            } else if let Some(node) = self.push(Element::default()) {
                self.loops.insert(name, node);
                self.variables.insert(root, Variable::Node(node));
            }
            return 10;
        }
        if call.starts_with(b"gz$gwx") && name == b"z" {
            self.table = call;
            return 4;
        }
        if !self.is(at + 4, &[b"("]) {
            return 1;
        }
        // The newer compiler hands the table over first.
        let first = if self.is(at + 5, &[b"z", b","]) { at + 7 } else { at + 5 };
        match call {
            b"_n" | b"_m" | b"_mz" => {
                let Some(tag) = self.string(first) else { return 1 };
                let mut element = Element { tag, ..Element::default() };
                let mut length = first + 1 - at;
                if self.is(first + 1, &[b",", b"["]) {
                    length += self.attributes(first + 3, &mut element) + 2;
                }
                if let Some(node) = self.push(element) {
                    self.variables.insert(name, Variable::Node(node));
                }
                length
            }
            b"_v" => {
                if let Some(node) = self.push(Element::default()) {
                    self.variables.insert(name, Variable::Node(node));
                }
                4
            }
            b"_o" | b"_oz" => {
                if let Some(index) = self.number(first) {
                    self.variables.insert(name, Variable::Text(index));
                }
                4
            }
            _ => 1,
        }
    }

    /// `'class',12,'style',1,…`: the first number that is not 0 counts from the start of the table, those after
    /// it from there; an attribute without a value has a number that leads before the table.
    fn attributes(&mut self, at: usize, element: &mut Element) -> usize {
        let mut next = at;
        let mut base = 0i64;
        while let Some(name) = self.string(next) {
            let minus = self.is(next + 1, &[b",", b"-"]);
            let Some(number) = self.number(next + if minus { 3 } else { 2 }) else { break };
            let number = if minus { -i64::from(number) } else { i64::from(number) };
            let text =
                u32::try_from(base + number).map_or_else(|_| Text::default(), |index| self.text(index));
            element.attributes.push((name, text));
            if base == 0 && number > 0 {
                base = number;
            }
            next += if minus { 4 } else { 3 };
            if self.is(next, &[b","]) {
                next += 1;
            }
        }
        next - at
    }

    fn attribute(&mut self, at: usize) {
        let first = if self.is(at + 2, &[b"z", b","]) { at + 4 } else { at + 2 };
        let (Some(Variable::Node(node)), Some(name), Some(index)) =
            (self.variables.get(self.word(first)).copied(), self.string(first + 2), self.number(first + 4))
        else {
            return;
        };
        let text = self.text(index);
        if let Some(element) = self.functions.last_mut().and_then(|f| f.elements.get_mut(node as usize)) {
            element.attributes.push((name, text));
        }
    }

    fn begin(&mut self, name: String, path: Option<String>, root: &'a [u8]) {
        self.functions.push(Function { name, path, elements: Vec::new() });
        self.generation_of.push(self.generation);
        self.variables.clear();
        self.loops.clear();
        if let Some(node) = self.push(Element::default()) {
            self.variables.insert(root, Variable::Node(node));
        }
    }

    fn push(&mut self, element: Element) -> Option<u32> {
        let elements = &mut self.functions.last_mut()?.elements;
        elements.push(element);
        u32::try_from(elements.len() - 1).ok()
    }

    /// `_(parent,child)`.
    fn join(&mut self, parent: &'a [u8], child: &'a [u8]) {
        let Some(Variable::Node(parent)) = self.variables.get(parent).copied() else { return };
        match self.variables.get(child).copied() {
            Some(Variable::Node(child)) => self.set_parent(child, parent),
            Some(Variable::Text(index)) => {
                let text = self.text(index);
                if let Some(element) =
                    self.functions.last_mut().and_then(|f| f.elements.get_mut(parent as usize))
                {
                    element.texts.push(text);
                }
            }
            None => {}
        }
    }

    /// Compilers make the outer element first; the other way round elements could be around each other.
    fn set_parent(&mut self, child: u32, parent: u32) {
        if let Some(element) = self.functions.last_mut().and_then(|f| f.elements.get_mut(child as usize))
            && parent < child
        {
            element.parent = Some(parent);
        }
    }

    /// `_2z(z,5,fE,e,s,gg,oD,'item','index','')`: what the function `fE` builds is in `oD`.
    fn repeat(&mut self, at: usize) {
        let first = if self.is(at + 2, &[b"z", b","]) { at + 4 } else { at + 2 };
        let (Some(&root), Some(Variable::Node(parent))) =
            (self.loops.get(self.word(first + 2)), self.variables.get(self.word(first + 10)).copied())
        else {
            return;
        };
        self.set_parent(root, parent);
    }

    /// The text of a table entry.
    fn text(&mut self, index: u32) -> Text {
        let Some(entry) = self.tables.get(self.table).and_then(|table| table.get(index as usize)) else {
            return Text::default();
        };
        let mut text = Text { offset: entry.offset, ..Text::default() };
        if self.room == 0 {
            self.unspelled += 1;
            return text;
        }
        let mut steps = 0;
        self.spell(&entry.value, &mut text, 0, &mut steps);
        let held: usize = text.choices.iter().chain(&text.fields).chain([&text.text]).map(String::len).sum();
        self.room = self.room.saturating_sub(held + steps as usize * STEP);
        text
    }

    /// Adds what an operation list stands for.
    fn spell(&self, value: &Value, text: &mut Text, depth: u32, steps: &mut u32) {
        *steps += 1;
        if depth > MAX_DEPTH || *steps > MAX_STEPS || text.text.len() > MAX_TEXT {
            return;
        }
        let Value::List(list) = value else { return };
        match list.as_slice() {
            [Value::Number(1 | 3), Value::String(token)] => {
                text.text.push_str(&self.string(*token).unwrap_or_default());
            }
            [Value::Number(1), Value::Number(number)] => text.text.push_str(&number.to_string()),
            // `a` is 11: a concatenation.
            [Value::Word | Value::Number(11), parts @ ..] => {
                parts.iter().for_each(|part| self.spell(part, text, depth + 1, steps));
            }
            [Value::List(operator), operands @ ..] => match self.operator(operator).as_deref() {
                Some("+") => operands.iter().for_each(|part| self.spell(part, text, depth + 1, steps)),
                // What is compared is not shown, what is chosen between is.
                Some("?:") => self.choose(operands.get(1..).unwrap_or_default(), text, depth, steps),
                Some("||" | "&&") => self.choose(operands, text, depth, steps),
                Some(_) => text.text.push(HOLE),
                None => {
                    text.text.push(HOLE);
                    let field = match (operator.first(), operands) {
                        (Some(Value::Number(7)), [Value::List(name)])
                        | (Some(Value::Number(6)), [_, Value::List(name)]) => name.get(1),
                        _ => None,
                    };
                    if let Some(Value::String(token)) = field {
                        text.fields.extend(self.string(*token));
                    }
                    if matches!(operator.first(), Some(Value::Number(4 | 5 | 8 | 9 | 10))) {
                        self.constants(value, &mut text.choices, depth, steps);
                    }
                }
            },
            _ => text.text.push(HOLE),
        }
    }

    /// The operator of `[2,'+']`.
    fn operator(&self, list: &[Value]) -> Option<String> {
        match list {
            [Value::Number(2), Value::String(token)] => self.string(*token),
            _ => None,
        }
    }

    fn choose(&self, branches: &[Value], text: &mut Text, depth: u32, steps: &mut u32) {
        text.text.push(HOLE);
        for branch in branches {
            let mut chosen = Text::default();
            self.spell(branch, &mut chosen, depth + 1, steps);
            let wordings = std::iter::once(chosen.text).chain(chosen.choices);
            text.fields.append(&mut chosen.fields);
            text.choices.extend(wordings.filter(|wording| wording.chars().any(|ch| ch != HOLE)));
        }
    }

    /// Constants of an array or object: `[1,'text']`.
    fn constants(&self, value: &Value, found: &mut Vec<String>, depth: u32, steps: &mut u32) {
        *steps += 1;
        if depth > MAX_DEPTH || *steps > MAX_STEPS || found.len() > 32 {
            return;
        }
        let Value::List(list) = value else { return };
        match list.as_slice() {
            [Value::Number(1), Value::String(token)] => found.extend(self.string(*token)),
            parts => parts.iter().for_each(|part| self.constants(part, found, depth + 1, steps)),
        }
    }

    fn templates(&mut self) -> Vec<Template> {
        let functions = std::mem::take(&mut self.functions);
        let mut templates = Vec::new();
        for (function, generation) in functions.into_iter().zip(&self.generation_of) {
            let path = function.path.or_else(|| self.path_of.get(&(*generation, function.name)).cloned());
            if let Some(path) = path {
                templates.push(Template { path, elements: function.elements });
            }
        }
        templates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shaped as wcc writes it; the WXML is beside each line.
    const NEW: &str = r#"
function gz$gwx_1(){
if( __WXML_GLOBAL__.ops_cached.$gwx_1)return __WXML_GLOBAL__.ops_cached.$gwx_1
(function(z){var a=11;function Z(ops){z.push(ops)}
Z([3,'punch'])
Z([3,'btn'])
Z([3,'t1'])
Z([a,[3,'已打卡'],[[7],[3,'days']],[3,'天']])
Z([[7],[3,'menus']])
Z([3,'open'])
Z(z[1])
Z([a,[[6],[[7],[3,'item']],[3,'name']]])
Z([[2,'=='],[[7],[3,'role']],[1,'管理员']])
Z([a,[[2,'?:'],[[2,'==='],[[7],[3,'state']],[1,'审核中']],[1,'审批'],[[2,'+'],[1,'第'],[[7],[3,'n']]]]])
})(__WXML_GLOBAL__.ops_cached.$gwx_1);return __WXML_GLOBAL__.ops_cached.$gwx_1
}
var x=['./pages/punch/index.wxml','../../tpl/row.wxml','./tpl/row.wxml'];d_[x[0]]={}
var m0=function(e,s,r,gg){
var z=gz$gwx_1()
var oA=e_[x[0]].i
_ai(oA,x[1],e_,x[0],1,1)
var oB=_mz(z,'button',['bindtap',0,'class',1,'disabled',-2,'id',1],[],e,s,gg)
var xC=_oz(z,3,e,s,gg)
_(oB,xC)
_(r,oB)
var oD=_v()
_(r,oD)
var fE=function(hG,cF,oH,gg){
var cI=_mz(z,'view',['bindtap',5,'class',1],[],hG,cF,gg)
var oJ=_oz(z,7,hG,cF,gg)
_(cI,oJ)
_(oH,cI)
return oH
}
oD.wxXCkey=2
_2z(z,4,fE,e,s,gg,oD,'item','index','')
var lK=_v()
_(r,lK)
if(_oz(z,8,e,s,gg)){lK.wxVkey=1
var aL=_n('text')
_rz(z,aL,'class',1,e,s,gg)
var tM=_oz(z,9,e,s,gg)
_(aL,tM)
_(lK,aL)
}
return r
}
e_[x[0]]={f:m0,j:[],i:[],ti:[x[1]],ic:[]}
d_[x[2]]={}
d_[x[2]]["row"]=function(e,s,r,gg){
var z=gz$gwx_1()
var oB=_n('view')
var xC=_oz(z,2,e,s,gg)
_(oB,xC)
_(r,oB)
return r
}
"#;

    fn shape(template: &Template) -> Vec<(String, Vec<String>)> {
        let elements = template.elements.iter().filter(|element| !element.tag.is_empty());
        elements
            .map(|element| {
                (element.tag.clone(), element.texts.iter().map(|text| text.text.clone()).collect())
            })
            .collect()
    }

    #[test]
    fn elements_attributes_and_texts_are_joined_again() {
        let read = read(NEW.as_bytes());
        assert_eq!(read.templates.len(), 2);
        let page = &read.templates[0];
        assert_eq!(page.path, "pages/punch/index.wxml");
        let of =
            |tag: &str, texts: &[&str]| (tag.to_owned(), texts.iter().map(|&text| text.to_owned()).collect());
        let expected: Vec<(String, Vec<String>)> =
            vec![of("button", &["已打卡…天"]), of("view", &["…"]), of("text", &["…"])];
        assert_eq!(shape(page), expected);
        // As the runtime counts: 0, then 1, then (from the first that is not 0) 1 + 1; less than nothing is no value.
        let button = page.elements.iter().find(|element| element.tag == "button").unwrap();
        let attributes: Vec<(&str, &str)> =
            button.attributes.iter().map(|(name, text)| (name.as_str(), text.text.as_str())).collect();
        assert_eq!(attributes, [("bindtap", "punch"), ("class", "btn"), ("disabled", ""), ("id", "t1")]);
        // The loop's element is inside the block that shows it, the block in the root.
        let view = page.elements.iter().find(|element| element.tag == "view").unwrap();
        assert_eq!(view.attributes[1].1.text, "btn");
        assert_eq!(view.texts[0].fields, ["item", "name"].map(str::to_owned)[1..]);
        let mut at = view.parent;
        let mut levels = 0;
        while let Some(index) = at {
            at = page.elements[index as usize].parent;
            levels += 1;
        }
        assert_eq!(levels, 3);
        // What is compared is not shown.
        let text = page.elements.iter().find(|element| element.tag == "text").unwrap();
        assert_eq!(text.texts[0].choices, ["审批", "第…"]);
        assert_eq!(shape(&read.templates[1]), [of("view", &["t1"])]);
        assert_eq!(read.templates[1].path, "tpl/row.wxml");
        assert_eq!(read.imports, [("pages/punch/index.wxml".to_owned(), "../../tpl/row.wxml".to_owned())]);
    }

    #[test]
    fn code_of_2017_names_its_files() {
        let source = r#"var z=[];(function(z){var a=11;function Z(ops){z.push(ops)}
Z([3,'card']);Z([3,'sign']);Z([3,'签到'])
})(z);d_['./pages/card/card.wxml']={}
var m0=function(e,s,r,gg){
var oB=_n('view')
_r(oB,'class',0,e,s,gg)
var hG=_m('view',['bindtap',1],e,s,gg)
var oH=_o(2,e,s,gg)
_(hG,oH)
_(oB,hG)
_(r,oB)
return r
}
e_["./pages/card/card.wxml"]={f:m0,j:[],i:[],ti:[],ic:[]}"#;
        let read = read(source.as_bytes());
        assert_eq!(read.templates.len(), 1);
        assert_eq!(read.templates[0].path, "pages/card/card.wxml");
        let pressed = &read.templates[0].elements[2];
        assert_eq!((pressed.attributes[0].1.text.as_str(), pressed.texts[0].text.as_str()), ("sign", "签到"));
    }

    #[test]
    fn no_element_is_inside_one_that_comes_later() {
        let code = b"var x=['./a.wxml'];var m0=function(e,s,r,gg){var oA=_n('a')
            var oB=_n('b')
            _(oA,oB)
            _(oB,oA)
            _(oB,r)
            }e_[x[0]]={f:m0";
        let compiled = read(code);
        let parents: Vec<_> = compiled.templates[0].elements.iter().map(|element| element.parent).collect();
        assert_eq!(parents, [None, None, Some(1)]);
    }

    #[test]
    fn cut_flipped_and_deep_code_is_read() {
        for cut in 0..NEW.len() {
            read(&NEW.as_bytes()[..cut]);
        }
        let mut state = 99u32;
        for _ in 0..1_000 {
            let mut bytes = NEW.as_bytes().to_vec();
            for _ in 0..4 {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                let at = (state >> 8) as usize % bytes.len();
                bytes[at] = state as u8;
            }
            read(&bytes);
        }
        let deep = format!("function gz$gwx_1(){{function Z(o){{}}Z({}", "[".repeat(200_000));
        read(deep.as_bytes());
        // Each entry doubles the one before.
        let mut doubling = "function gz$gwx_1(){function Z(o){}Z([3,'打卡'])".to_owned();
        for index in 0..5_000 {
            doubling.push_str(&format!("Z([a,z[{index}],z[{index}]])"));
        }
        doubling.push_str(
            "}var x=['./a.wxml'];var m0=function(e,s,r,gg){var z=gz$gwx_1()\nvar o=_oz(z,5000,e)\n_(r,o)}e_[x[0]]={f:m0}",
        );
        let read = read(doubling.as_bytes());
        assert!(read.templates[0].elements[0].texts[0].text.len() < 10_000);
    }

    #[test]
    fn one_entry_of_many_uses_takes_no_room() {
        let uses = "var o=_oz(z,0,e)\n_(r,o)\n".repeat(10_000);
        let path = "a".repeat(10_000);
        for entry in
            [format!("[3,'{}']", "打".repeat(10_000)), format!("[[2,'?:'],{}]", "[1,'打卡'],".repeat(2_000))]
        {
            let source = format!(
                "function gz$gwx_1(){{function Z(o){{}}Z({entry})}}var x=['./{path}'];\
                 var m0=function(e,s,r,gg){{var z=gz$gwx_1()\n{uses}}}e_[x[0]]={{f:m0}}"
            );
            let compiled = read(source.as_bytes());
            assert_eq!(
                compiled.issues.iter().map(|issue| issue.code).collect::<Vec<_>>(),
                ["wxml.too-large"]
            );
            let texts = &compiled.templates[0].elements[0].texts;
            assert_eq!(texts.len(), 10_000);
            let held: usize =
                texts.iter().flat_map(|text| text.choices.iter().chain([&text.text])).map(String::len).sum();
            assert!(held < source.len() * (MAX_GROWTH + 1));
            assert_eq!(compiled.templates[0].path.len(), MAX_PATH);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_statements_are_read(source in "(var |function |gz\\$gwx_1|Z|x|=|z|_n|_mz|_oz|_v|_2z|_|m0|r|o|e_|d_|'a'|'打卡'|[-0-9,:;{}()\\[\\]\n]){0,80}") {
            for template in read(source.as_bytes()).templates {
                for (index, element) in template.elements.iter().enumerate() {
                    proptest::prop_assert!(element.parent.is_none_or(|parent| (parent as usize) < index));
                }
            }
        }
    }
}
