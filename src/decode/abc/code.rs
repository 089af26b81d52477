//! What the code of a method does with each string and resource it loads: the call it is passed to, the property
//! it is stored in, the value it is compared with.
//!
//! One pass over the instructions of a method, in order, with the values of the accumulator and the registers;
//! at a join of two branches that load a literal each, both go on. Instructions: `isa/isa.yaml` (see [`super`]).

use std::collections::HashMap;

use super::{Abc, Literal, uleb};
use crate::decode::res_chunk::{u16_at, u32_at};

/// So many sinks of one literal are kept.
const MAX_SINKS: usize = 4;
/// Code that many methods share is followed again, up to this many times the size of the file.
const MAX_SHARED: usize = 8;
/// Registers beyond this are not followed.
const MAX_REGISTERS: usize = 1 << 16;
/// Objects within objects are followed to this many of them.
const MAX_NESTED: usize = 256;

/// Length of each instruction, by its first byte; the longest has ten bytes.
#[rustfmt::skip]
const LENGTHS: [u8; 226] = [
    1, 1, 1, 1, 1, 2, 4, 4, 4, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 2, 2, 2, 2,
    2, 2, 2, 1, 1, 3, 3, 3, 3, 2, 3, 4, 5, 3, 4, 5, 6, 4, 4, 5, 5, 9, 2, 3, 4, 3, 4, 5, 2, 2, 3, 4,
    4, 5, 4, 5, 2, 3, 4, 5, 5, 4, 4, 2, 3, 2, 3, 2, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3,
    2, 2, 5, 9, 1, 1, 1, 2, 3, 1, 1, 1, 1, 1, 1, 1, 1, 5, 6, 4, 6, 10, 2, 3, 4, 5, 5, 2, 2, 2, 2, 5,
    3, 5, 5, 5, 3, 4, 5, 4, 5, 6, 3, 3, 5, 5, 5, 5, 5, 6, 5, 5, 5, 3, 4, 2, 5, 4, 5, 3, 5, 3, 3, 3,
    3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 3, 4, 1, 1, 1, 1, 2, 3, 4, 3, 4, 4, 2, 4, 3, 4, 4, 5, 1, 6, 1,
    1, 3, 2, 2, 2, 2, 3, 4, 5, 4, 5, 6, 6, 2, 2, 2, 5, 6, 5, 3, 6, 1, 2, 2, 6, 7, 6, 5, 5, 5, 6, 7,
    8, 6,
];
/// The same by the second byte, after 0xfb (`callruntime`), 0xfc (`deprecated`), 0xfd (`wide`), 0xfe (`throw`).
const CALLRUNTIME: &[u8] =
    &[2, 5, 8, 2, 6, 8, 4, 11, 4, 3, 4, 3, 4, 3, 4, 6, 3, 4, 6, 3, 3, 3, 4, 3, 4, 3, 3, 4];
const DEPRECATED: &[u8] = &[
    2, 2, 4, 4, 4, 3, 3, 3, 3, 3, 3, 3, 4, 5, 6, 5, 5, 5, 10, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 7, 5, 5, 4, 5, 7,
    6, 6, 7, 7, 7, 6, 6, 6, 2, 4, 3, 4,
];
const WIDE: &[u8] = &[6, 5, 4, 6, 5, 5, 5, 5, 6, 7, 7, 4, 6, 6, 4, 4, 4, 4, 4, 4, 7];
const THROW: &[u8] = &[2, 2, 2, 2, 3, 3, 4, 3, 4, 4];

/// What a call or property is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Base {
    /// A global (`Text`, `console`) or a property (the `a` of `x.a.b`), by the offset of its name.
    Named(u32),
    /// An imported name, by its place in the module record.
    Import(u16),
    /// `this`.
    This,
    /// Not known.
    Unknown,
}

/// A function as the caller names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Callee {
    /// What the name is looked up on; the function itself when `name` is `None`.
    pub base: Base,
    /// Offset of the name.
    pub name: Option<u32>,
}

/// What a method loads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// A string, by offset.
    String(u32),
    /// A resource of the app, by id (`$r('app.string.…')`).
    Resource(u32),
}

/// Something that receives a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sink {
    /// An argument of a call, or a property of an object that is one.
    Call {
        /// The function.
        callee: Callee,
        /// Which argument, from zero.
        argument: u8,
        /// Offset of the property's name when the argument is an object.
        key: Option<u32>,
        /// `new`.
        new: bool,
    },
    /// A property of an object that is written out where it stands, by the offset of its name.
    Member(u32),
    /// A property of anything else, by the offset of its name.
    Property(u32),
    /// An item of a list.
    Element,
    /// One side of a comparison.
    Compared,
    /// The result of the method.
    Return,
}

/// A loaded value and what receives it.
#[derive(Debug, Clone)]
pub struct Use {
    /// The value.
    pub value: Value,
    /// Offset of the instruction in the file.
    pub offset: u32,
    /// What receives it, at most four; empty when that could not be followed.
    pub sinks: Vec<Sink>,
}

/// An argument as far as the order of a screen needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    /// A function, by its offset in the file.
    Function(u32),
    /// A method that stands for itself (`this.onPunch`), by the offset of its name.
    Method(u32),
    /// A global, by the offset of its name.
    Global(u32),
    /// Anything else.
    Other,
}

/// A call.
#[derive(Debug, Clone)]
pub struct Call {
    /// The function.
    pub callee: Callee,
    /// The first two arguments.
    pub arguments: [Argument; 2],
    /// Offset of the instruction in the file.
    pub offset: u32,
}

/// What a method does.
#[derive(Debug, Clone, Default)]
pub struct Body {
    /// Values it loads, in order.
    pub uses: Vec<Use>,
    /// Its calls, in order.
    pub calls: Vec<Call>,
    /// Functions it makes, by offset.
    pub functions: Vec<u32>,
    /// Functions that are properties of an object, with the offset of the property's name: `{ action: () => … }`.
    pub members: Vec<(u32, u32)>,
    /// Where an instruction is unknown or cut; what follows it was not read.
    pub broken: Option<u32>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Held {
    #[default]
    Unknown,
    This,
    /// Index into the uses.
    Literal(u32),
    /// Index into the joins.
    Joined(u32),
    /// Index into the objects.
    Object(u32),
    Global(u32),
    Import(u16),
    Member(Base, u32),
    Function(u32),
}

#[derive(Debug, Default)]
struct Object {
    /// Uses, with the name they are kept under.
    members: Vec<(Option<u32>, Held)>,
    is_list: bool,
}

/// Follows methods one after another.
#[derive(Debug)]
pub struct Walker<'w, 'a> {
    abc: &'w Abc<'a>,
    registers: Vec<Held>,
    touched: Vec<u16>,
    objects: Vec<Object>,
    joins: Vec<Vec<u32>>,
    pending: HashMap<usize, Held>,
    /// Literal arrays that were found to describe a resource.
    resources: HashMap<u32, Option<u32>>,
    budget: usize,
}

impl<'w, 'a> Walker<'w, 'a> {
    /// A walker over the methods of a file.
    pub fn new(abc: &'w Abc<'a>) -> Self {
        Walker {
            abc,
            registers: Vec::new(),
            touched: Vec::new(),
            objects: Vec::new(),
            joins: Vec::new(),
            pending: HashMap::new(),
            resources: HashMap::new(),
            budget: abc.bytes.len().saturating_mul(MAX_SHARED),
        }
    }

    /// What a method does; `None` when it has no code.
    pub fn method(&mut self, index: usize) -> Option<Body> {
        let method = self.abc.methods.get(index)?;
        let start = method.code? as usize;
        let mut body = Body::default();
        let head = (|| {
            let mut at = start;
            let registers = uleb(self.abc.bytes, &mut at)?;
            let arguments = uleb(self.abc.bytes, &mut at)?;
            let size = uleb(self.abc.bytes, &mut at)? as usize;
            uleb(self.abc.bytes, &mut at)?;
            Some((registers, arguments, size, at))
        })();
        let Some((registers, arguments, size, at)) = head else {
            body.broken = Some(start as u32);
            return Some(body);
        };
        self.charge(size);
        let end = at.saturating_add(size).min(self.abc.bytes.len());
        self.reset();
        // The arguments begin with the function itself, the target of `new` and `this`.
        if arguments >= 3 {
            self.set(registers.saturating_add(2) as usize, Held::This);
        }
        self.run(method.offset, at, end, &mut body);
        if end - at < size {
            body.broken.get_or_insert(end as u32);
        }
        Some(body)
    }

    fn reset(&mut self) {
        for register in self.touched.drain(..) {
            self.registers[usize::from(register)] = Held::Unknown;
        }
        self.objects.clear();
        self.joins.clear();
        self.pending.clear();
    }

    fn set(&mut self, register: usize, held: Held) {
        if register >= MAX_REGISTERS {
            return;
        }
        if register >= self.registers.len() {
            self.registers.resize(register + 1, Held::Unknown);
        }
        self.registers[register] = held;
        self.touched.push(register as u16);
    }

    fn get(&self, register: usize) -> Held {
        self.registers.get(register).copied().unwrap_or_default()
    }

    fn run(&mut self, method: u32, start: usize, end: usize, body: &mut Body) {
        let bytes = self.abc.bytes;
        let mut acc = Held::Unknown;
        let mut at = start;
        while at < end {
            if self.budget == 0 {
                body.broken = Some(at as u32);
                return;
            }
            if let Some(other) = self.pending.remove(&at) {
                acc = self.join(acc, other);
            }
            let opcode = bytes[at];
            let second = bytes.get(at + 1).copied().unwrap_or_default();
            let length = match opcode {
                0xfb => CALLRUNTIME.get(usize::from(second)),
                0xfc => DEPRECATED.get(usize::from(second)),
                0xfd => WIDE.get(usize::from(second)),
                0xfe => THROW.get(usize::from(second)),
                _ => LENGTHS.get(usize::from(opcode)),
            };
            let Some(length) = length.map(|length| usize::from(*length)).filter(|length| at + length <= end)
            else {
                body.broken = Some(at as u32);
                return;
            };
            let byte = |offset: usize| usize::from(bytes[at + offset]);
            let half = |offset: usize| u16_at(bytes, at + offset).unwrap_or_default();
            let id = |offset: usize| self.abc.resolve(method, half(offset));
            let here = at as u32;
            match opcode {
                // Loads of constants, and results that are not followed.
                0x3e => {
                    acc = match id(1) {
                        Some(string) => literal(body, Value::String(string), here),
                        None => Held::Unknown,
                    };
                }
                0x3f => acc = id(2).map_or(Held::Unknown, Held::Global),
                0x8c | 0x41 => acc = id(3).map_or(Held::Unknown, Held::Global),
                0x42 => acc = member(acc, id(2)),
                0x90 => acc = member(acc, id(3)),
                0x49 => acc = member(Held::This, id(2)),
                0x93 => acc = member(Held::This, id(3)),
                0x6f => acc = Held::This,
                0x7e => acc = Held::Import(byte(1) as u16),
                0x60 => acc = self.get(byte(1)),
                0x61 => self.set(byte(1), acc),
                0x44 => self.set(byte(1) & 0xF, self.get(byte(1) >> 4)),
                0x45 => self.set(byte(1), self.get(byte(2))),
                0x8f => self.set(usize::from(half(1)), self.get(usize::from(half(3)))),

                // Objects, lists, functions.
                0x04 => acc = self.object(false),
                0x05 | 0x80 => acc = self.object(true),
                0x06 => acc = self.buffer(id(2), true, here, body),
                0x81 => acc = self.buffer(id(3), true, here, body),
                0x07 => acc = self.buffer(id(2), false, here, body),
                0x82 => acc = self.buffer(id(3), false, here, body),
                0x33 | 0x34 => acc = function(body, id(2)),
                0x74 | 0xbe => acc = function(body, id(3)),
                0x35 | 0x75 => {
                    let first = if opcode == 0x35 { 2 } else { 3 };
                    body.functions.extend(id(first));
                    let methods = id(first + 2).map(|array| self.abc.literals(array)).unwrap_or_default();
                    body.functions.extend(methods.into_iter().filter_map(|literal| match literal {
                        Literal::Method(method) => Some(method),
                        _ => None,
                    }));
                    acc = Held::Unknown;
                }

                // Stores.
                0x43 | 0x7a | 0x8e | 0xd0 | 0xdb | 0xdc => self.store(self.get(byte(4)), id(2), acc, body),
                0x91 | 0xcc | 0xd1 | 0xd4 => self.store(self.get(byte(5)), id(3), acc, body),
                0x4a => self.store(Held::This, id(2), acc, body),
                0x94 => self.store(Held::This, id(3), acc, body),
                0x3b | 0x79 => self.store(self.get(byte(2)), None, acc, body),
                0x89 | 0xcb => self.store(self.get(byte(3)), None, acc, body),
                0x64 => {
                    self.sink(acc, Sink::Return, body);
                    acc = Held::Unknown;
                }

                // Calls.
                0x29 => acc = self.call(acc, &[], here, false, body),
                0x2a => acc = self.call(acc, &[self.get(byte(2))], here, false, body),
                0x2b => acc = self.call(acc, &[self.get(byte(2)), self.get(byte(3))], here, false, body),
                0x2c | 0x2f => {
                    // The first register of `callthis2` is `this`.
                    let all = [self.get(byte(2)), self.get(byte(3)), self.get(byte(4))];
                    acc = self.call(acc, &all[usize::from(opcode == 0x2f)..], here, false, body);
                }
                0x2d => acc = self.call(acc, &[], here, false, body),
                0x2e => acc = self.call(acc, &[self.get(byte(3))], here, false, body),
                0x30 => {
                    acc = self.call(
                        acc,
                        &[self.get(byte(3)), self.get(byte(4)), self.get(byte(5))],
                        here,
                        false,
                        body,
                    );
                }
                0x31 => acc = self.call(acc, &self.range(byte(3) + 1, byte(2)), here, false, body),
                0x73 => acc = self.call(acc, &self.range(byte(3), byte(2)), here, false, body),
                0x08 => acc = self.make(byte(3), byte(2), here, body),
                0x83 => acc = self.make(byte(4), byte(3), here, body),
                0xdd..=0xe0 => {
                    let callee = member(self.get(byte(4)), id(2));
                    let count = usize::from(opcode - 0xdd);
                    let arguments: Vec<Held> = (0..count).map(|index| self.get(byte(5 + index))).collect();
                    acc = self.call(callee, &arguments, here, false, body);
                }
                0xe1 => {
                    let callee = member(self.get(byte(5)), id(3));
                    acc = self.call(callee, &self.range(byte(5) + 1, byte(2)), here, false, body);
                }
                0xfd => match second {
                    0x01 => acc = self.make(byte(4), usize::from(half(2)), here, body),
                    0x04 => {
                        acc = self.call(acc, &self.range(byte(4), usize::from(half(2))), here, false, body)
                    }
                    0x05 => {
                        acc =
                            self.call(acc, &self.range(byte(4) + 1, usize::from(half(2))), here, false, body)
                    }
                    0x11 => acc = Held::Import(half(2)),
                    0x14 => {
                        let callee = member(self.get(byte(6)), id(4));
                        acc = self.call(
                            callee,
                            &self.range(byte(6) + 1, usize::from(half(2))),
                            here,
                            false,
                            body,
                        );
                    }
                    0x09 | 0x0a => self.store(self.get(byte(2)), None, acc, body),
                    _ => acc = Held::Unknown,
                },
                0xfb => match second {
                    0x15 => acc = Held::Import(byte(2) as u16),
                    0x16 => acc = Held::Import(half(2)),
                    // Fields by a computed or numbered key.
                    0x01 => self.store(self.get(byte(4)), None, acc, body),
                    0x02 => self.store(self.get(byte(7)), None, acc, body),
                    // A class whose instances go between threads.
                    0x07 => {
                        body.functions.extend(id(4));
                        acc = Held::Unknown;
                    }
                    _ => acc = Held::Unknown,
                },

                // Comparisons and joins.
                0x0f | 0x10 | 0x27 | 0x28 => {
                    self.sink(acc, Sink::Compared, body);
                    self.sink(self.get(byte(2)), Sink::Compared, body);
                    acc = Held::Unknown;
                }
                0x5c..=0x5f | 0xa7..=0xaa => {
                    self.sink(acc, Sink::Compared, body);
                    self.sink(self.get(byte(1)), Sink::Compared, body);
                }
                0x0a => acc = self.join(self.get(byte(2)), acc),
                0x4d => self.jump(at as i64 + i64::from(bytes[at + 1] as i8), &mut acc, at),
                0x4e => self.jump(at as i64 + i64::from(half(1) as i16), &mut acc, at),
                0x98 => self.jump(
                    at as i64 + i64::from(u32_at(bytes, at + 1).unwrap_or_default() as i32),
                    &mut acc,
                    at,
                ),
                // Conditional jumps, tests and such keep the accumulator.
                0x4f..=0x5b | 0x9a..=0xa6 | 0xd5 => {}
                // So do stores in variables of outer functions and of the file, and in computed keys.
                0x3d | 0x8b | 0x7c | 0x38 | 0x86 | 0x78 | 0xc8 | 0xfc | 0xfe => {}
                _ => acc = Held::Unknown,
            }
            at += length;
        }
    }

    /// Takes work from the budget.
    fn charge(&mut self, work: usize) {
        self.budget = self.budget.saturating_sub(work);
    }

    fn range(&self, first: usize, count: usize) -> Vec<Held> {
        (first..first + count.min(255)).map(|register| self.get(register)).collect()
    }

    fn jump(&mut self, target: i64, acc: &mut Held, at: usize) {
        if matches!(acc, Held::Literal(_) | Held::Joined(_) | Held::Object(_))
            && let Ok(target) = usize::try_from(target)
            && target > at
        {
            let held = match self.pending.get(&target).copied() {
                Some(other) => self.join(other, *acc),
                None => *acc,
            };
            self.pending.insert(target, held);
        }
        *acc = Held::Unknown;
    }

    fn object(&mut self, is_list: bool) -> Held {
        self.objects.push(Object { members: Vec::new(), is_list });
        Held::Object(self.objects.len() as u32 - 1)
    }

    /// An object or list whose constants stand in a literal array.
    fn buffer(&mut self, array: Option<u32>, is_list: bool, here: u32, body: &mut Body) -> Held {
        let Some(array) = array else { return Held::Unknown };
        if !is_list {
            let known = self.resources.get(&array).copied();
            let resource = known.unwrap_or_else(|| {
                let resource = self.resource(&self.abc.literals(array));
                self.resources.insert(array, resource);
                resource
            });
            match resource {
                // A library does not know its ids yet: the name is a parameter that the object takes later.
                Some(u32::MAX) => return self.object(false),
                Some(id) => return literal(body, Value::Resource(id), here),
                None => {}
            }
        }
        let literals = self.abc.literals(array);
        // The same constants in many places of a hostile file.
        self.charge(literals.len() * 4);
        let Held::Object(object) = self.object(is_list) else { return Held::Unknown };
        let mut key = None;
        for (index, value) in literals.into_iter().enumerate() {
            if !is_list && index % 2 == 0 {
                key = match value {
                    Literal::String(name) => Some(name),
                    _ => None,
                };
                continue;
            }
            let held = match value {
                Literal::String(string) => literal(body, Value::String(string), here),
                Literal::Method(method) => function(body, Some(method)),
                _ => continue,
            };
            self.keep(object, key, held, body);
        }
        Held::Object(object)
    }

    /// `{ id: 16777216, type: 10003, bundleName: …, moduleName: … }` is what `$r('app.string.…')` becomes.
    fn resource(&self, literals: &[Literal]) -> Option<u32> {
        let (mut id, mut kind, mut bundle) = (None, false, false);
        for pair in literals.chunks_exact(2) {
            let [Literal::String(key), value] = *pair else { continue };
            match (&*self.abc.name(key)?, value) {
                ("id", Literal::Integer(value)) => id = Some(value),
                ("type", Literal::Integer(_)) => kind = true,
                ("bundleName", _) => bundle = true,
                _ => {}
            }
        }
        id.filter(|_| kind && bundle)
    }

    fn keep(&mut self, object: u32, key: Option<u32>, held: Held, body: &mut Body) {
        let Some(found) = self.objects.get_mut(object as usize) else { return };
        match held {
            Held::Unknown | Held::This | Held::Global(_) | Held::Import(_) | Held::Member(..) => return,
            Held::Function(method) => {
                if let Some(key) = key {
                    body.members.push((key, method));
                }
            }
            Held::Literal(_) | Held::Joined(_) | Held::Object(_) => {}
        }
        found.members.push((key, held));
        let sink = match key {
            Some(key) => Sink::Member(key),
            None if found.is_list => Sink::Element,
            None => return,
        };
        if !matches!(held, Held::Object(_)) {
            self.sink(held, sink, body);
        }
    }

    fn store(&mut self, on: Held, key: Option<u32>, value: Held, body: &mut Body) {
        match (on, key) {
            (Held::Object(object), key) => self.keep(object, key, value, body),
            (_, Some(key)) => self.sink(value, Sink::Property(key), body),
            (_, None) => {}
        }
    }

    fn join(&mut self, left: Held, right: Held) -> Held {
        let mut all = Vec::new();
        for held in [left, right] {
            match held {
                Held::Literal(index) => all.push(index),
                Held::Joined(index) => {
                    all.extend(self.joins.get(index as usize).into_iter().flatten().copied())
                }
                _ => {}
            }
        }
        all.truncate(MAX_NESTED);
        self.charge(all.len());
        match *all {
            [] => Held::Unknown,
            [one] => Held::Literal(one),
            _ => {
                self.joins.push(all);
                Held::Joined(self.joins.len() as u32 - 1)
            }
        }
    }

    fn sink(&mut self, held: Held, sink: Sink, body: &mut Body) {
        match held {
            Held::Literal(index) => receive(index, sink, body),
            Held::Joined(index) => {
                let joined = self.joins.get(index as usize).map(Vec::as_slice).unwrap_or_default();
                joined.iter().for_each(|&index| receive(index, sink, body));
                self.budget = self.budget.saturating_sub(joined.len());
            }
            Held::Object(index) => self.sink_members(index, sink, body),
            _ => {}
        }
    }

    /// The members of an object go where the object goes, under their own names.
    fn sink_members(&mut self, object: u32, sink: Sink, body: &mut Body) {
        let mut next = vec![object];
        let mut seen = 0;
        while let Some(index) = next.pop() {
            let Some(object) = self.objects.get(index as usize) else { continue };
            seen += 1;
            if seen > MAX_NESTED || self.budget == 0 {
                return;
            }
            self.budget = self.budget.saturating_sub(object.members.len());
            for &(name, held) in object.members.iter().take(MAX_NESTED) {
                let sink = match sink {
                    Sink::Call { callee, argument, new, .. } => {
                        Sink::Call { callee, argument, key: name, new }
                    }
                    other => other,
                };
                match held {
                    Held::Object(inner) => next.push(inner),
                    Held::Literal(index) => receive(index, sink, body),
                    Held::Joined(index) => {
                        let joined = self.joins.get(index as usize).map(Vec::as_slice).unwrap_or_default();
                        joined.iter().for_each(|&index| receive(index, sink, body));
                    }
                    _ => {}
                }
            }
        }
    }

    fn call(&mut self, function: Held, arguments: &[Held], offset: u32, new: bool, body: &mut Body) -> Held {
        let callee = match function {
            Held::Global(name) => Callee { base: Base::Named(name), name: None },
            Held::Import(index) => Callee { base: Base::Import(index), name: None },
            Held::Member(base, name) => Callee { base, name: Some(name) },
            _ => return Held::Unknown,
        };
        self.charge(arguments.len());
        for (index, &held) in arguments.iter().enumerate() {
            self.sink(held, Sink::Call { callee, argument: index as u8, key: None, new }, body);
        }
        let argument = |index: usize| match arguments.get(index) {
            Some(Held::Function(method)) => Argument::Function(*method),
            Some(Held::Member(_, name)) => Argument::Method(*name),
            Some(Held::Global(name)) => Argument::Global(*name),
            _ => Argument::Other,
        };
        body.calls.push(Call { callee, arguments: [argument(0), argument(1)], offset });
        match function {
            // `this.builder.bind(this)` is the builder still.
            Held::Member(Base::Named(method), name)
                if self.abc.name(name).is_some_and(|name| name == "bind") =>
            {
                Held::Member(Base::Unknown, method)
            }
            _ => Held::Unknown,
        }
    }

    fn make(&mut self, first: usize, count: usize, offset: u32, body: &mut Body) -> Held {
        let all = self.range(first, count);
        match all.split_first() {
            Some((class, arguments)) => self.call(*class, arguments, offset, true, body),
            None => Held::Unknown,
        }
    }
}

fn receive(index: u32, sink: Sink, body: &mut Body) {
    if let Some(found) = body.uses.get_mut(index as usize)
        && found.sinks.len() < MAX_SINKS
        && !found.sinks.contains(&sink)
    {
        found.sinks.push(sink);
    }
}

fn literal(body: &mut Body, value: Value, offset: u32) -> Held {
    body.uses.push(Use { value, offset, sinks: Vec::new() });
    Held::Literal(body.uses.len() as u32 - 1)
}

fn function(body: &mut Body, method: Option<u32>) -> Held {
    let Some(method) = method else { return Held::Unknown };
    body.functions.push(method);
    Held::Function(method)
}

fn member(on: Held, name: Option<u32>) -> Held {
    let Some(name) = name else { return Held::Unknown };
    let base = match on {
        Held::Global(name) | Held::Member(_, name) => Base::Named(name),
        Held::Import(index) => Base::Import(index),
        Held::This => Base::This,
        _ => Base::Unknown,
    };
    Held::Member(base, name)
}
