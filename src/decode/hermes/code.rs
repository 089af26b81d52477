//! What the instructions of a bundle do with strings, by one walk over each function: which property or call takes
//! a string, and whether the element that shows it can be pressed.
//!
//! The walk keeps what each register holds and does not follow jumps, so a value that comes from two branches is
//! the one of the branch that stands later.

use std::collections::HashSet;
use std::sync::LazyLock;

use super::{Bundle, Function, MAX_ELEMENTS};
use crate::decode::Issue;

/// Instructions may be read so many times their bytes: functions that share them are read once.
const MAX_OVERLAP: usize = 2;
/// Strings of literals may be this many times the bytes of the file: many instructions may name one literal.
const MAX_GROWTH: usize = 4;
/// An element is looked for so far around a string.
const MAX_DEPTH: usize = 12;

/// What is called: `alert` of `Alert`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Callee {
    /// String of the name of the object, where it has one.
    pub object: Option<u32>,
    /// String of the name of the function or method.
    pub name: u32,
}

/// A use of a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// Index of the string.
    pub string: u32,
    /// Index of the function that uses it.
    pub function: u32,
    /// Byte offset of the instruction in the file.
    pub offset: usize,
    /// String of the name of the property it is the value of, or an element of the value of.
    pub key: Option<u32>,
    /// The nearest call it is, or is inside, an argument of.
    pub callee: Option<Callee>,
    /// String of the name of the component whose element has it: `Button` of `createElement(Button, …)`.
    pub component: Option<u32>,
    /// Element of an array.
    pub element: bool,
    /// Compared with something.
    pub compared: bool,
    /// An element around it has a handler of presses.
    pub pressable: bool,
    /// The object it is in has a property that leads somewhere.
    pub leads: bool,
}

/// What an instruction does, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    /// Writes its first register.
    Writes,
    /// Writes no register.
    Reads,
    Load,
    Get,
    Put,
    PutSlot,
    PutElement,
    Object,
    Shape,
    Array,
    New,
    Closure,
    Move,
    Join,
    Compare,
    /// A call whose arguments stand at the end of the frame.
    Call,
    /// A call that names its arguments.
    CallOf,
}

#[derive(Debug, Clone, Copy)]
struct Opcode {
    action: Action,
    operands: &'static [u8],
    size: usize,
}

static LINES: LazyLock<Vec<(u32, u32, Opcode)>> = LazyLock::new(|| {
    let line = |line: &'static str| {
        let mut parts = line.split(' ');
        let (first, last) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let (name, operands) = (parts.next()?, parts.next().unwrap_or_default().as_bytes());
        let size = 1 + operands.iter().map(|operand| width(*operand)).sum::<usize>();
        Some((first, last, Opcode { action: action(name, operands), operands, size }))
    };
    include_str!("opcodes.txt").lines().filter_map(line).collect()
});

fn opcodes(version: u32) -> Vec<Opcode> {
    let has = |(first, last, _): &&(u32, u32, Opcode)| (*first..=*last).contains(&version);
    LINES.iter().filter(has).map(|(_, _, opcode)| *opcode).collect()
}

fn width(operand: u8) -> usize {
    match operand {
        b'2' | b's' => 2,
        b'R' | b'4' | b'S' | b'A' | b'i' => 4,
        b'd' => 8,
        _ => 1,
    }
}

fn action(name: &str, operands: &[u8]) -> Action {
    let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    let names = operands.iter().any(|operand| matches!(operand, b'b' | b's' | b'S'));
    match name {
        "LoadConstString" | "LoadConstStringLongIndex" => Action::Load,
        "NewObjectWithBuffer" | "NewObjectWithBufferLong" if operands.len() == 5 => Action::Object,
        "NewObjectWithBuffer"
        | "NewObjectWithBufferLong"
        | "NewObjectWithBufferAndParent"
        | "NewTypedObjectWithBuffer" => Action::Shape,
        "NewArrayWithBuffer" | "NewArrayWithBufferLong" => Action::Array,
        "NewObject" | "NewObjectWithParent" | "NewArray" | "NewFastArray" => Action::New,
        "Mov" | "MovLong" => Action::Move,
        "Add" | "AddS" => Action::Join,
        "Eq" | "StrictEq" | "Neq" | "StrictNeq" => Action::Compare,
        "Call1" | "Call2" | "Call3" | "Call4" => Action::CallOf,
        "Call" | "CallLong" | "Construct" | "ConstructLong" => Action::Call,
        "PutOwnBySlotIdx" | "PutOwnBySlotIdxLong" => Action::PutSlot,
        "FastArrayPush" => Action::PutElement,
        _ if starts(&["PutOwnByIndex", "DefineOwnByIndex", "DefineOwnInDenseArray"]) => Action::PutElement,
        _ if name.contains("Closure") && starts(&["Create"]) => Action::Closure,
        _ if names && starts(&["GetById", "TryGetById"]) => Action::Get,
        _ if names && starts(&["Put", "TryPut", "DefineOwn"]) => Action::Put,
        _ if starts(&["JEqual", "JNotEqual", "JStrict"]) => Action::Compare,
        _ if starts(&[
            "Put",
            "TryPut",
            "Define",
            "Store",
            "Ret",
            "Throw",
            "J",
            "Switch",
            "FastArrayStore",
        ]) =>
        {
            Action::Reads
        }
        _ => Action::Writes,
    }
}

/// What a register holds.
#[derive(Debug, Clone, Copy)]
enum Value {
    Unknown,
    /// A string by its use; `None` when nobody wants it.
    String(Option<u32>),
    /// A property, of an object that is one itself.
    Member(Callee),
    Closure,
    /// An object, array or element.
    Node(u32),
}

/// An object, array or element of a page.
#[derive(Debug, Clone, Default)]
struct Node {
    /// The node that holds it, and under which property.
    parent: Option<u32>,
    key: Option<u32>,
    callee: Option<Callee>,
    component: Option<u32>,
    array: bool,
    pressable: bool,
    leads: bool,
    /// Names by position.
    slots: Vec<u32>,
}

/// Roles of property names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Other,
    Press,
    Leads,
    /// A call that makes an element: `createElement`.
    Maker,
    /// A call that joins strings: `concat`.
    Join,
}

pub(super) fn read(bundle: &Bundle<'_>, wanted: &[bool]) -> (Vec<Use>, Vec<Issue>) {
    let opcodes = opcodes(bundle.version);
    let names = (0..bundle.string_count()).map(|index| name(bundle, index)).collect();
    let mut walk = Walk {
        bundle,
        wanted,
        opcodes: &opcodes,
        names,
        uses: Vec::new(),
        nodes: Vec::new(),
        held: Vec::new(),
        registers: [Value::Unknown; 256],
        room: bundle.bytes.len().saturating_mul(MAX_GROWTH),
    };
    let mut issues = Vec::new();
    let mut seen = HashSet::new();
    let mut room = bundle.bytes.len().saturating_mul(MAX_OVERLAP);
    let (mut broken, mut first) = (0, None);
    for index in 0..bundle.function_count() {
        let Some(function) = bundle.function(index) else {
            broken += 1;
            first = first.or(Some((index, bundle.functions.start)));
            continue;
        };
        if function.size == 0 || !seen.insert(function.offset) {
            continue;
        }
        if function.size > room || walk.room == 0 {
            let detail = format!("functions from {index} on overlap too often to be read");
            issues.push(Issue::lossy("hermes.overlapping-functions", function.offset as u64, detail));
            break;
        }
        room -= function.size;
        if let Err(at) = walk.function(index, &function) {
            broken += 1;
            first = first.or(Some((index, at)));
        }
    }
    if let Some((index, at)) = first {
        let detail = format!("{broken} functions cannot be read to their end, first function {index}");
        issues.push(Issue::lossy("hermes.bad-code", at as u64, detail));
    }
    (walk.uses, issues)
}

/// What a name of a property says; names are ASCII.
fn name(bundle: &Bundle<'_>, index: u32) -> Name {
    match bundle.stored(index) {
        Some((false, raw, _)) => match raw {
            b"onPress" | b"onClick" | b"onTap" | b"onPressIn" | b"onLongPress" | b"onSubmit" => Name::Press,
            b"url" | b"path" | b"href" | b"icon" | b"route" | b"link" | b"screen" | b"image" => Name::Leads,
            b"createElement" | b"jsx" | b"jsxs" | b"jsxDEV" | b"cloneElement" | b"h" => Name::Maker,
            b"concat" => Name::Join,
            _ => Name::Other,
        },
        _ => Name::Other,
    }
}

struct Walk<'b, 'a> {
    bundle: &'b Bundle<'a>,
    wanted: &'b [bool],
    opcodes: &'b [Opcode],
    names: Vec<Name>,
    uses: Vec<Use>,
    /// Nodes of the function that is being read.
    nodes: Vec<Node>,
    /// The node of each use of the function that is being read.
    held: Vec<(u32, u32)>,
    registers: [Value; 256],
    room: usize,
}

/// An instruction that is being read.
struct Instruction<'a> {
    operands: &'static [u8],
    body: &'a [u8],
}

impl Instruction<'_> {
    /// The value of an operand; zero where there is none.
    fn operand(&self, index: usize) -> usize {
        let at = self.operands.iter().take(index).map(|operand| width(*operand)).sum();
        let size = self.operands.get(index).map_or(0, |operand| width(*operand)).min(4);
        let bytes = self.body.get(at..at + size).unwrap_or_default();
        bytes.iter().rev().fold(0, |value, byte| value << 8 | usize::from(*byte))
    }

    /// The string it names.
    fn string(&self) -> u32 {
        let at = self.operands.iter().position(|operand| matches!(operand, b'b' | b's' | b'S'));
        at.map_or(u32::MAX, |at| self.operand(at) as u32)
    }
}

impl<'a> Walk<'_, 'a> {
    /// Reads a function; the offset of the instruction that is none, or that is cut off.
    fn function(&mut self, index: u32, function: &Function) -> Result<(), usize> {
        self.registers = [Value::Unknown; 256];
        self.nodes.clear();
        self.held.clear();
        let bytes: &'a [u8] = self.bundle.bytes;
        let end = function.offset.saturating_add(function.size);
        let mut at = function.offset;
        let mut result = Ok(());
        while at < end {
            let opcode = bytes.get(at).and_then(|code| self.opcodes.get(usize::from(*code)).copied());
            let body = opcode.and_then(|opcode| bytes.get(at + 1..at + opcode.size));
            let (Some(opcode), Some(body)) = (opcode, body) else {
                result = Err(at);
                break;
            };
            if at + opcode.size > end {
                result = Err(at);
                break;
            }
            let instruction = Instruction { operands: opcode.operands, body };
            self.step(opcode.action, &instruction, index, function, at);
            at += opcode.size;
        }
        self.settle();
        result
    }

    fn get(&self, register: usize) -> Value {
        self.registers.get(register).copied().unwrap_or(Value::Unknown)
    }

    fn set(&mut self, register: usize, value: Value) {
        if let Some(place) = self.registers.get_mut(register) {
            *place = value;
        }
    }

    fn name(&self, string: u32) -> Name {
        self.names.get(string as usize).copied().unwrap_or(Name::Other)
    }

    fn step(&mut self, action: Action, it: &Instruction<'_>, index: u32, function: &Function, at: usize) {
        let target = it.operand(0);
        match action {
            Action::Reads => {}
            Action::Writes => {
                if matches!(it.operands.first(), Some(b'r' | b'R')) {
                    self.set(target, Value::Unknown);
                }
            }
            Action::Load => {
                let used = self.used(it.string(), index, at);
                self.set(target, Value::String(used));
            }
            Action::Get => {
                let object = match self.get(it.operand(1)) {
                    Value::Member(member) => Some(member.name),
                    _ => None,
                };
                self.set(target, Value::Member(Callee { object, name: it.string() }));
            }
            Action::Move => self.set(target, self.get(it.operand(1))),
            Action::Closure => self.set(target, Value::Closure),
            Action::New => {
                let node = self.node(Node {
                    array: it.operands.len() == 2 && it.operands[1] == b'2',
                    ..Node::default()
                });
                self.set(target, Value::Node(node));
            }
            Action::Object => {
                let fields = self.bundle.object(it.operand(2), it.operand(3), it.operand(4));
                self.literal(target, &fields, index, at);
            }
            Action::Shape => {
                let first = if it.operands.get(1) == Some(&b'r') { 2 } else { 1 };
                let fields = self.bundle.shaped(it.operand(first), it.operand(first + 1));
                self.literal(target, &fields, index, at);
            }
            Action::Array => {
                let node = self.node(Node { array: true, ..Node::default() });
                let elements = self.bundle.array(it.operand(2), it.operand(3));
                self.room = self.room.saturating_sub(elements.len());
                for string in elements.into_iter().flatten() {
                    if let Some(used) = self.used(string, index, at) {
                        self.held.push((used, node));
                    }
                }
                self.set(target, Value::Node(node));
            }
            Action::Put => self.put(target, it.operand(1), Some(it.string())),
            Action::PutSlot => {
                let slot = it.operand(2);
                let key = match self.get(target) {
                    Value::Node(node) => self.nodes[node as usize].slots.get(slot).copied(),
                    _ => None,
                };
                self.put(target, it.operand(1), key);
            }
            Action::PutElement => self.put(target, it.operand(1), None),
            Action::Compare => {
                for operand in 1..3 {
                    if let Value::String(Some(used)) = self.get(it.operand(operand)) {
                        self.uses[used as usize].compared = true;
                    }
                }
                if it.operands.first() == Some(&b'r') {
                    self.set(target, Value::Unknown);
                }
            }
            Action::Join => {
                let joined = [1, 2].map(|operand| self.get(it.operand(operand)));
                let string = joined.into_iter().find(|value| matches!(value, Value::String(Some(_))));
                self.set(target, string.unwrap_or(Value::Unknown));
            }
            Action::CallOf => {
                let arguments: Vec<usize> =
                    (3..it.operands.len()).map(|operand| it.operand(operand)).collect();
                self.call(target, it.operand(1), Some(it.operand(2)), &arguments);
            }
            Action::Call => {
                // The receiver stands so many registers before the end of the frame, arguments before it.
                let below = if self.bundle.version < 97 { 7 } else { 8 };
                let count = it.operand(2).saturating_sub(1).min(256);
                let receiver = (function.frame as usize).checked_sub(below);
                let arguments: Vec<usize> = receiver
                    .into_iter()
                    .flat_map(|receiver| (1..=count).map_while(move |index| receiver.checked_sub(index)))
                    .collect();
                self.call(target, it.operand(1), receiver, &arguments);
            }
        }
    }

    /// A use of a string, when it is wanted.
    fn used(&mut self, string: u32, function: u32, offset: usize) -> Option<u32> {
        if !self.wanted.get(string as usize).copied().unwrap_or_default() {
            return None;
        }
        self.uses.push(Use {
            string,
            function,
            offset,
            key: None,
            callee: None,
            component: None,
            element: false,
            compared: false,
            pressable: false,
            leads: false,
        });
        u32::try_from(self.uses.len() - 1).ok()
    }

    fn node(&mut self, node: Node) -> u32 {
        self.nodes.push(node);
        (self.nodes.len() - 1) as u32
    }

    /// An object literal.
    fn literal(&mut self, target: usize, fields: &[(u32, Option<u32>)], function: u32, at: usize) {
        let slots = fields.iter().map(|(key, _)| *key).take(MAX_ELEMENTS).collect();
        let node = self.node(Node { slots, ..Node::default() });
        self.room = self.room.saturating_sub(fields.len());
        for (key, value) in fields {
            self.mark(node, *key);
            let Some(used) = value.and_then(|string| self.used(string, function, at)) else { continue };
            self.uses[used as usize].key = Some(*key);
            self.held.push((used, node));
        }
        self.set(target, Value::Node(node));
    }

    /// A node gets a property.
    fn mark(&mut self, node: u32, key: u32) {
        match self.name(key) {
            Name::Press => self.nodes[node as usize].pressable = true,
            Name::Leads => self.nodes[node as usize].leads = true,
            _ => {}
        }
    }

    fn put(&mut self, object: usize, value: usize, key: Option<u32>) {
        let holder = match self.get(object) {
            Value::Node(node) => Some(node),
            _ => None,
        };
        if let (Some(node), Some(key)) = (holder, key) {
            self.mark(node, key);
        }
        match self.get(value) {
            Value::String(Some(used)) => {
                let of = &mut self.uses[used as usize];
                of.key = of.key.or(key);
                self.held.extend(holder.map(|node| (used, node)));
            }
            Value::Node(inner) if holder != Some(inner) => self.place(inner, holder, key),
            _ => {}
        }
    }

    fn place(&mut self, inner: u32, parent: Option<u32>, key: Option<u32>) {
        // Nodes are numbered as they are made, so parents that come later cannot make a circle with earlier ones
        // unless code does; the way up is bounded.
        let node = &mut self.nodes[inner as usize];
        node.parent = node.parent.or(parent);
        node.key = node.key.or(key);
    }

    fn call(&mut self, target: usize, callee: usize, receiver: Option<usize>, arguments: &[usize]) {
        let callee = match self.get(callee) {
            Value::Member(callee) => Some(callee),
            _ => None,
        };
        let what = callee.map_or(Name::Other, |callee| self.name(callee.name));
        if what == Name::Join {
            let parts = receiver.iter().chain(arguments);
            let string = parts
                .map(|register| self.get(*register))
                .find(|value| matches!(value, Value::String(Some(_))));
            self.set(target, string.unwrap_or(Value::Unknown));
            return;
        }
        let element = (what == Name::Maker).then(|| {
            let component = match arguments.first().map(|register| self.get(*register)) {
                Some(Value::Member(member)) => Some(member.name),
                _ => None,
            };
            // The properties stand for the element, so that what they hold is inside of it.
            match arguments.get(1).map(|register| self.get(*register)) {
                Some(Value::Node(node)) => {
                    self.nodes[node as usize].component = component;
                    node
                }
                _ => self.node(Node { component, ..Node::default() }),
            }
        });
        for register in arguments {
            match self.get(*register) {
                Value::String(Some(used)) => {
                    let of = &mut self.uses[used as usize];
                    of.callee = of.callee.or(callee);
                    self.held.extend(element.map(|node| (used, node)));
                }
                Value::Node(node) => {
                    let of = &mut self.nodes[node as usize];
                    of.callee = of.callee.or(callee);
                    if element != Some(node) {
                        self.place(node, element, None);
                    }
                }
                _ => {}
            }
        }
        self.set(target, element.map_or(Value::Unknown, Value::Node));
    }

    /// Tells each use of the function what is around it.
    fn settle(&mut self) {
        for (used, node) in std::mem::take(&mut self.held) {
            let of = &mut self.uses[used as usize];
            let innermost = &self.nodes[node as usize];
            of.element |= innermost.array;
            of.leads |= innermost.leads;
            let mut next = Some(node);
            let mut steps = 0;
            while let Some(node) = next.and_then(|node| self.nodes.get(node as usize))
                && steps < MAX_DEPTH
            {
                if node.array {
                    of.key = of.key.or(node.key);
                }
                of.callee = of.callee.or(node.callee);
                of.component = of.component.or(node.component);
                of.pressable |= node.pressable;
                next = node.parent;
                steps += 1;
            }
        }
    }
}
