//! Walks Dalvik bytecode and tells where its constants go.
//!
//! Instructions: <https://source.android.com/docs/core/runtime/dalvik-bytecode> and
//! <https://source.android.com/docs/core/runtime/instruction-formats>.
//!
//! One linear pass over each method, as Android's own verifier makes it, with a value per register; a forward branch
//! carries its registers to its target, loops are read once.

use super::{Annotation, Class, Cursor, Dex, Encoded, Method, WORK, u16_at, u32_at};
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
    literals: Vec<Found>,
    sinks: Vec<Sink>,
}

/// A literal with its range in the list of sinks.
#[derive(Debug, Clone, Copy)]
struct Found {
    value: Value,
    offset: u32,
    /// While walking: the newest in the chain of its sinks.
    start: u32,
    count: u32,
}

impl MethodCode {
    /// The wanted constants in the order of the code.
    pub fn literals(&self) -> impl Iterator<Item = Literal<'_>> {
        self.literals.iter().map(|found| {
            let sinks = self.sinks.get(found.start as usize..(found.start + found.count) as usize);
            Literal { value: found.value, offset: found.offset, sinks: Sinks(sinks.unwrap_or_default()) }
        })
    }

    fn clear(&mut self, method: u32) {
        self.method = method;
        self.calls.clear();
        self.supers.clear();
        self.types.clear();
        self.fields.clear();
        self.views.clear();
        self.stores.clear();
        self.literals.clear();
        self.sinks.clear();
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

/// Most issues told per dex; the rest is counted.
const MAX_ISSUES: usize = 16;
/// Most forward branches whose registers wait for their target.
const MAX_WAITING: usize = 32;
/// End of a chain.
const END: u32 = u32::MAX;

/// Walks the classes that the caller names, with buffers that are used again.
#[derive(Debug)]
pub struct Scanner<'d> {
    dex: &'d Dex<'d>,
    strings: &'d IdSet,
    packages: [bool; 256],
    /// What is known about each method, field and type once somebody asked; zero before.
    method_traits: Vec<u8>,
    field_traits: Vec<u8>,
    type_traits: Vec<u8>,
    /// In which method of the walk an index was met last.
    met_methods: Vec<u32>,
    met_fields: Vec<u32>,
    met_types: Vec<u32>,
    walked: u32,
    /// Bytes that may still be read; overlapping items would have them read without end.
    work: u64,
    flow: Flow,
    code: MethodCode,
    issues: Vec<Issue>,
    unlisted: usize,
}

impl<'d> Scanner<'d> {
    /// A scanner for one dex.
    pub fn new(dex: &'d Dex<'d>, wanted: &'d Wanted) -> Self {
        let mut packages = [false; 256];
        for &package in &wanted.packages {
            packages[usize::from(package)] = true;
        }
        Scanner {
            dex,
            strings: &wanted.strings,
            packages,
            method_traits: vec![0; dex.methods.len() as usize],
            field_traits: vec![0; dex.fields.len() as usize],
            type_traits: vec![0; dex.types.len() as usize],
            met_methods: vec![0; dex.methods.len() as usize],
            met_fields: vec![0; dex.fields.len() as usize],
            met_types: vec![0; dex.types.len() as usize],
            walked: 0,
            work: WORK * dex.data.len() as u64,
            flow: Flow::default(),
            code: MethodCode::default(),
            issues: Vec::new(),
            unlisted: 0,
        }
    }

    /// Walks all methods of a class that have code.
    pub fn class(&mut self, class: &Class<'d>, mut visit: impl FnMut(&Method, &MethodCode)) {
        for method in class.methods() {
            if let Some(code) = self.method(&method) {
                visit(&method, code);
            }
        }
    }

    /// Walks one method; none when it has no code. Of broken code the part before the break is told, with an issue.
    pub fn method(&mut self, method: &Method) -> Option<&MethodCode> {
        let offset = method.code?;
        self.walked += 1;
        self.code.clear(method.index);
        if let Err(broken) = self.walk(offset) {
            let name = self.dex.method(method.index).map(|m| format!("{}.{}", m.class_name(), m.name()));
            let detail =
                format!("{} in {}", broken.what, name.unwrap_or_else(|| "a method outside its table".into()));
            self.report(Issue::lossy(broken.code, u64::from(broken.offset), detail));
        }
        self.flow.finish(&mut self.code);
        Some(&self.code)
    }

    /// Shows all annotations of a class and its members. Their elements are decoded only when asked for.
    pub fn annotations(&mut self, class: &Class<'d>, mut visit: impl FnMut(Annotated, &Annotation<'d>)) {
        if class.annotations != 0 && self.directory(class.annotations, &mut visit).is_none() {
            let detail = format!("annotations of {} are cut off or point outside the file", class.name());
            self.report(Issue::lossy("dex.bad-annotations", u64::from(class.annotations), detail));
        }
    }

    /// What was wrong with the code and annotations walked; empties the list.
    pub fn issues(&mut self) -> Vec<Issue> {
        if self.unlisted > 0 {
            let detail = format!("{} more methods or annotations are broken", self.unlisted);
            self.issues.push(Issue::lossy("dex.more-issues", None, detail));
            self.unlisted = 0;
        }
        std::mem::take(&mut self.issues)
    }

    fn report(&mut self, issue: Issue) {
        if self.issues.len() < MAX_ISSUES { self.issues.push(issue) } else { self.unlisted += 1 }
    }

    fn spend(&mut self, bytes: usize) -> Option<()> {
        self.work = self.work.checked_sub(bytes as u64)?;
        Some(())
    }

    /// An `annotations_directory_item`.
    fn directory(&mut self, offset: u32, visit: &mut impl FnMut(Annotated, &Annotation<'d>)) -> Option<()> {
        let mut cursor = Cursor { data: self.dex.data, pos: offset as usize };
        let (class, fields, methods, parameters) =
            (cursor.u32()?, cursor.u32()?, cursor.u32()?, cursor.u32()?);
        let mut good = self.annotation_set(class, Annotated::Class, visit);
        for row in 0..fields.saturating_add(methods) {
            self.spend(8)?;
            let (index, set) = (cursor.u32()?, cursor.u32()?);
            let on = if row < fields { Annotated::Field(index) } else { Annotated::Method(index) };
            good = good.and(self.annotation_set(set, on, visit));
        }
        for _ in 0..parameters {
            self.spend(8)?;
            let (method, list) = (cursor.u32()?, cursor.u32()?);
            let mut list = Cursor { data: self.dex.data, pos: list as usize };
            for position in 0..list.u32()? {
                self.spend(4)?;
                let on = Annotated::Parameter { method, position: position.try_into().ok()? };
                let set = list.u32()?;
                good = good.and(self.annotation_set(set, on, visit));
            }
        }
        good
    }

    /// An `annotation_set_item`; one broken annotation does not hide the others.
    fn annotation_set(
        &mut self,
        offset: u32,
        on: Annotated,
        visit: &mut impl FnMut(Annotated, &Annotation<'d>),
    ) -> Option<()> {
        if offset == 0 {
            return Some(());
        }
        let mut set = Cursor { data: self.dex.data, pos: offset as usize };
        let mut good = Some(());
        for _ in 0..set.u32()? {
            self.spend(4)?;
            // The first byte is the visibility.
            let mut item = Cursor { data: self.dex.data, pos: (set.u32()? as usize).checked_add(1)? };
            let start = item.pos;
            let annotation = item.annotation();
            self.spend(item.pos - start)?;
            match annotation {
                Some(annotation) => visit(on, &annotation),
                None => good = None,
            }
        }
        good
    }

    /// Walks the `code_item` at `offset`.
    fn walk(&mut self, offset: u32) -> Result<(), Broken> {
        let outside = || Broken { code: "dex.offset-outside-file", offset, what: "code outside the file" };
        let data = self.dex.data;
        let bytes = data.get(offset as usize..).ok_or_else(outside)?;
        let (head, bytes) = bytes.split_first_chunk::<16>().ok_or_else(outside)?;
        let (registers, units) = (u16_at(head, 0), u32_at(head, 12));
        let (insns, whole) = match bytes.as_chunks::<2>().0.get(..units as usize) {
            Some(insns) => (insns, true),
            None => (bytes.as_chunks::<2>().0, false),
        };
        let start = offset + 16;
        if self.spend(16 + 2 * insns.len() + registers as usize).is_none() {
            return Err(Broken {
                code: "dex.overlapping-items",
                offset,
                what: "code overlaps, not read again",
            });
        }
        self.flow.start(registers, insns.len());
        let end = Walk { scanner: self, insns, start }.run();
        if let Err((pc, what)) = end {
            return Err(Broken { code: "dex.bad-code", offset: start.saturating_add(2 * pc as u32), what });
        }
        if !whole {
            return Err(Broken { code: "dex.bad-code", offset, what: "code is cut off" });
        }
        let tries = u16_at(head, 6) as usize;
        let padded = insns.len() + (insns.len() & usize::from(tries > 0));
        if tries > 0 && bytes.len().saturating_sub(2 * padded) < 8 * tries {
            return Err(Broken { code: "dex.bad-code", offset, what: "table of tries is cut off" });
        }
        if self.flow.fuel == 0 {
            return Err(Broken { code: "dex.flow-limit", offset, what: "constants flow to too many places" });
        }
        Ok(())
    }
}

/// Why the walk of a method ended early.
struct Broken {
    code: &'static str,
    offset: u32,
    what: &'static str,
}

/// Position in code units, and what is wrong there.
type Fault = (usize, &'static str);

const BAD_REGISTER: &str = "register outside the frame";
const BAD_INDEX: &str = "index outside its table";

/// What a call does with the constants it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Passing {
    /// It is where they go.
    Ends = 1,
    /// It adds them to the text its receiver builds, and returns the receiver.
    Builds = 2,
    /// It returns the text its receiver has built, or one argument as it is.
    Same = 3,
    /// It returns a text that contains them.
    Part = 4,
    /// It adds them to its receiver, a collection.
    Collects = 5,
    /// It returns a collection of them.
    Gathers = 6,
    /// It returns what its receiver, a collection, holds.
    Yields = 7,
}

/// Bits of `method_traits` above those for [`Passing`].
const RETURNS_TEXT: u8 = 0x10;
const RETURNS_OBJECT: u8 = 0x20;

/// Values of `field_traits`.
const PLAIN_FIELD: u8 = 1;
const RESOURCE_FIELD: u8 = 2;
const OBJECT_FIELD: u8 = 3;

fn passing(class: &[u8], name: &[u8]) -> Passing {
    match (class, name) {
        (
            b"Ljava/lang/StringBuilder;"
            | b"Ljava/lang/StringBuffer;"
            | b"Ljava/util/StringJoiner;"
            | b"Landroid/text/SpannableStringBuilder;"
            | b"Landroid/text/SpannableString;",
            b"<init>" | b"append" | b"insert" | b"add" | b"replace",
        ) => Passing::Builds,
        (_, b"toString")
        | (
            b"Ljava/lang/String;",
            b"valueOf" | b"trim" | b"intern" | b"toUpperCase" | b"toLowerCase" | b"strip",
        )
        | (b"Landroid/text/Html;" | b"Landroidx/core/text/HtmlCompat;", b"fromHtml")
        | (b"Landroid/text/SpannableString;", b"valueOf")
        | (b"Ljava/lang/Integer;", b"valueOf" | b"intValue")
        | (b"Ljava/lang/Number;", b"intValue")
        | (b"Ljava/util/Objects;", b"requireNonNull") => Passing::Same,
        (
            b"Ljava/lang/String;",
            b"format" | b"concat" | b"join" | b"replace" | b"replaceAll" | b"substring",
        )
        | (b"Ljava/text/MessageFormat;", b"format")
        | (b"Landroid/text/TextUtils;", b"concat" | b"join" | b"expandTemplate" | b"replace")
        | (b"Lkotlin/jvm/internal/Intrinsics;", b"stringPlus") => Passing::Part,
        (class, b"trimIndent" | b"trimMargin$default" | b"replace$default")
            if class.starts_with(b"Lkotlin/text/") =>
        {
            Passing::Part
        }
        (b"Ljava/util/Arrays;", b"asList")
        | (b"Ljava/util/List;" | b"Ljava/util/Set;" | b"Ljava/util/Map;", b"of")
        | (b"Ljava/util/Collections;", b"singletonList" | b"unmodifiableList")
        | (b"Lkotlin/TuplesKt;", b"to") => Passing::Gathers,
        (class, name)
            if class.starts_with(b"Lkotlin/collections/") && name.ends_with(b"Of")
                || class.starts_with(b"Lcom/google/common/collect/Immutable") && name == b"of" =>
        {
            Passing::Gathers
        }
        (b"Lkotlin/Pair;", b"<init>") | (b"Lorg/json/JSONArray;", b"put") => Passing::Collects,
        (
            class,
            b"add" | b"put" | b"addLast" | b"addFirst" | b"addAll" | b"putAll" | b"append" | b"<init>",
        ) if class.starts_with(b"Ljava/util/")
            || class.starts_with(b"Landroid/util/Sparse")
            || class.starts_with(b"Landroidx/collection/")
            || class.starts_with(b"Landroid/util/ArrayMap") =>
        {
            Passing::Collects
        }
        (class, b"get" | b"getOrDefault" | b"iterator" | b"next" | b"toArray")
            if class.starts_with(b"Ljava/util/") =>
        {
            Passing::Yields
        }
        _ => Passing::Ends,
    }
}

impl Scanner<'_> {
    /// What a method does with constants and what it returns.
    fn traits_of(&mut self, method: u32) -> (Passing, u8) {
        let known = self.method_traits.get(method as usize).copied().unwrap_or_default();
        let traits = if known != 0 { known } else { self.find_traits(method) };
        let passing = match traits & 0xf {
            2 => Passing::Builds,
            3 => Passing::Same,
            4 => Passing::Part,
            5 => Passing::Collects,
            6 => Passing::Gathers,
            7 => Passing::Yields,
            _ => Passing::Ends,
        };
        (passing, traits & 0xf0)
    }

    #[cold]
    fn find_traits(&mut self, index: u32) -> u8 {
        let Some(method) = self.dex.method(index) else { return Passing::Ends as u8 };
        let class = self.dex.type_descriptor(method.class).unwrap_or_default();
        let name = self.dex.name_bytes(method.name).unwrap_or_default();
        let returned = method.return_type().and_then(|index| self.dex.type_descriptor(index));
        let returns = match returned.unwrap_or_default() {
            b"Ljava/lang/String;"
            | b"Ljava/lang/CharSequence;"
            | b"[Ljava/lang/String;"
            | b"[Ljava/lang/CharSequence;"
            | b"Landroid/text/Spanned;" => RETURNS_TEXT,
            [b'L' | b'[', ..] => RETURNS_OBJECT,
            _ => 0,
        };
        let traits = passing(class, name) as u8 | returns;
        if let Some(slot) = self.method_traits.get_mut(index as usize) {
            *slot = traits;
        }
        traits
    }

    fn field_trait(&mut self, index: u32) -> u8 {
        match self.field_traits.get(index as usize) {
            Some(&known) if known != 0 => known,
            _ => self.find_field_trait(index),
        }
    }

    #[cold]
    fn find_field_trait(&mut self, index: u32) -> u8 {
        let Some(field) = self.dex.field(index) else { return PLAIN_FIELD };
        let found = match self.dex.type_descriptor(field.type_index).unwrap_or_default() {
            b"I" => {
                let class = self.dex.type_descriptor(field.class).unwrap_or_default();
                let kind = class.rsplit(|&b| b == b'/').next().unwrap_or_default();
                match kind.strip_prefix(b"L").unwrap_or(kind) {
                    b"R$layout;" | b"R$string;" | b"R$id;" | b"R$array;" | b"R$menu;" | b"R$xml;"
                    | b"R$navigation;" | b"R$plurals;" => RESOURCE_FIELD,
                    _ => PLAIN_FIELD,
                }
            }
            name @ [b'L', ..] if !name.starts_with(b"Ljava/") && !name.starts_with(b"Lkotlin") => {
                OBJECT_FIELD
            }
            _ => PLAIN_FIELD,
        };
        if let Some(slot) = self.field_traits.get_mut(index as usize) {
            *slot = found;
        }
        found
    }

    /// Whether a type is a builder of texts.
    fn is_builder(&mut self, index: u32) -> bool {
        let Some(known) = self.type_traits.get_mut(index as usize) else { return false };
        if *known == 0 {
            let class = self.dex.type_descriptor(index).unwrap_or_default();
            *known = 1 + u8::from(passing(class, b"append") == Passing::Builds);
        }
        *known == 2
    }

    fn is_resource(&self, value: u32) -> bool {
        self.packages[(value >> 24) as usize] && value & 0x00ff_0000 != 0
    }
}

/// Where an instruction names the register it overwrites.
const NOTHING: u8 = 0;
const LOW_NIBBLE: u8 = 1 << 3;
const HIGH_BYTE: u8 = 2 << 3;
const NEXT_UNIT: u8 = 3 << 3;
const WRITES: u8 = 3 << 3;
/// Bits for the width in code units; 0 for opcodes that do not exist.
const WIDTH: u8 = 7;
/// It does more than to overwrite a register with something unknown.
const TELLS: u8 = 1 << 5;

/// An opcode that tells nothing.
const SILENT: u8 = 0xff;

/// What each opcode does. The second half of a wide register needs no clearing, for verified code never reads it as an
/// object.
const OPCODES: [u8; 256] = {
    let mut table = [0; 256];
    let mut op = 0;
    while op < 256 {
        let width = match op as u8 {
            0x00 | 0x01 | 0x04 | 0x07 | 0x0a..=0x12 | 0x1d | 0x1e | 0x21 | 0x27 | 0x28 => 1,
            0x7b..=0x8f | 0xb0..=0xcf => 1,
            0x03
            | 0x06
            | 0x09
            | 0x14
            | 0x17
            | 0x1b
            | 0x24..=0x26
            | 0x2a..=0x2c
            | 0x6e..=0x72
            | 0x74..=0x78 => 3,
            0xfc | 0xfd => 3,
            0xfa | 0xfb => 4,
            0x18 => 5,
            0x3e..=0x43 | 0x73 | 0x79 | 0x7a | 0xe3..=0xf9 => 0,
            _ => 2,
        };
        let writes = match op as u8 {
            0x01 | 0x04 | 0x07 | 0x12 | 0x20 | 0x21 | 0x23 | 0x52..=0x58 | 0x7b..=0x8f | 0xb0..=0xd7 => {
                LOW_NIBBLE
            }
            0x02 | 0x05 | 0x08 | 0x0a..=0x0d | 0x13..=0x1c | 0x22 | 0x2d..=0x31 | 0x44..=0x4a => HIGH_BYTE,
            0x60..=0x66 | 0x90..=0xaf | 0xd8..=0xe2 | 0xfe | 0xff => HIGH_BYTE,
            0x03 | 0x06 | 0x09 => NEXT_UNIT,
            _ => NOTHING,
        };
        let tells = match op as u8 {
            0x00..=0x03
            | 0x07..=0x0a
            | 0x0c
            | 0x0e..=0x11
            | 0x14
            | 0x15
            | 0x1a..=0x1c
            | 0x22
            | 0x24
            | 0x25 => TELLS,
            0x27..=0x2a | 0x32..=0x3d | 0x46 | 0x4b | 0x4d | 0x52..=0x78 | 0xfa..=0xfe => TELLS,
            _ => 0,
        };
        table[op] = if width == 0 { 0 } else { width | writes | tells };
        op += 1;
    }
    table
};

/// One method's walk.
struct Walk<'w, 'd> {
    scanner: &'w mut Scanner<'d>,
    insns: &'w [[u8; 2]],
    /// Offset of the first instruction in the file.
    start: u32,
}

impl Walk<'_, '_> {
    #[inline]
    fn unit(&self, pc: usize) -> u32 {
        self.insns.get(pc).map_or(0, |unit| u16_at(unit, 0))
    }

    fn unit2(&self, pc: usize) -> u32 {
        self.unit(pc) | self.unit(pc + 1) << 16
    }

    fn offset(&self, pc: usize) -> u32 {
        self.start.saturating_add((2 * pc) as u32)
    }

    fn run(&mut self) -> Result<(), Fault> {
        let mut pc = 0;
        let insns = self.insns;
        let count = insns.len();
        let unit = |pc: usize| insns.get(pc).map_or(0, |unit| u16_at(unit, 0));
        let unit2 = |pc: usize| unit(pc) | unit(pc + 1) << 16;
        // The instruction before did not lead here.
        let mut cut = false;
        while pc < count {
            let word = unit(pc);
            let op = word as u8;
            let known = OPCODES[usize::from(op)];
            let width = usize::from(known & WIDTH);
            if width == 0 {
                return Err((pc, "opcode that does not exist"));
            }
            if width > count - pc {
                return Err((pc, "instruction is cut off"));
            }
            if pc >= self.scanner.flow.next_target {
                self.scanner.flow.arrive(pc, cut);
            }
            cut = false;
            let a = word >> 8;
            let (low, high) = (a & 0xf, a >> 4);
            let mut value = NONE;
            match if known & TELLS != 0 { op } else { SILENT } {
                0x00 if a != 0 => {
                    pc += self.payload(pc, a)?;
                    continue;
                }
                // move-object
                0x07 => value = self.register(pc, high)?,
                0x08 => value = self.register(pc, unit(pc + 1))?,
                0x09 => value = self.register(pc, unit(pc + 2))?,
                // move and move/from16, for resource ids
                0x01 => value = self.register(pc, high)?,
                0x02 => value = self.register(pc, unit(pc + 1))?,
                0x03 => value = self.register(pc, unit(pc + 2))?,
                // move-result
                0x0a | 0x0c => value = std::mem::take(&mut self.scanner.flow.result),
                0x0e => cut = true,
                0x0f..=0x11 => {
                    let returned = self.register(pc, a)?;
                    self.sink(returned, Target::Return, None);
                    cut = true;
                }
                // const, const/high16
                0x14 => value = self.resource(pc, unit2(pc + 1)),
                0x15 => value = self.resource(pc, unit(pc + 1) << 16),
                0x1a => value = self.string(pc, unit(pc + 1))?,
                0x1b => value = self.string(pc, unit2(pc + 1))?,
                // const-class, new-instance
                0x1c => {
                    let index = unit(pc + 1);
                    self.meet_type(pc, index)?;
                    value = self.scanner.flow.value(Some(Source::Class(index)));
                }
                0x22 => {
                    let index = unit(pc + 1);
                    self.meet_type(pc, index)?;
                    value = self.scanner.flow.value(Some(Source::New(index)));
                    if self.scanner.is_builder(index) {
                        value |= BUILDER;
                    }
                }
                // filled-new-array
                0x24 | 0x25 => {
                    let mut registers = [0; 5];
                    let list = self.arguments(pc, op == 0x25, &mut registers);
                    let mut array = NONE;
                    for i in 0..list.count {
                        let element = self.register(pc, list.get(&registers, i))?;
                        if element != NONE {
                            array = self.scanner.flow.add(array, element, Some(Form::Element));
                        }
                    }
                    self.scanner.flow.result = array;
                }
                0x27 => cut = true,
                0x28 => {
                    self.branch(pc, i64::from(a as u8 as i8));
                    cut = true;
                }
                0x29 => {
                    self.branch(pc, i64::from(unit(pc + 1) as u16 as i16));
                    cut = true;
                }
                0x2a => {
                    self.branch(pc, i64::from(unit2(pc + 1) as i32));
                    cut = true;
                }
                0x32..=0x37 => {
                    if op <= 0x33 {
                        for register in [low, high] {
                            let compared = self.register(pc, register)?;
                            self.sink(compared, Target::Compared, None);
                        }
                    }
                    self.branch(pc, i64::from(unit(pc + 1) as u16 as i16));
                }
                0x38..=0x3d => self.branch(pc, i64::from(unit(pc + 1) as u16 as i16)),
                // aget-object
                0x46 => {
                    let array = self.register(pc, unit(pc + 1) & 0xff)?;
                    value = self.scanner.flow.add(NONE, array, None);
                }
                // aput, aput-object
                0x4b | 0x4d => {
                    let element = self.register(pc, a)?;
                    if element != NONE {
                        let array = unit(pc + 1) & 0xff;
                        let into = self.register(pc, array)?;
                        let into = self.scanner.flow.add(into, element, Some(Form::Element));
                        self.set(pc, array, into)?;
                    }
                }
                // iget, sget
                0x52..=0x58 | 0x60..=0x66 => {
                    let field = unit(pc + 1);
                    self.meet_field(pc, field)?;
                    match op {
                        0x54 | 0x62 if self.scanner.field_trait(field) == OBJECT_FIELD => {
                            value = self.scanner.flow.value(Some(Source::Field(field))) | FIELD;
                        }
                        0x60 if self.scanner.field_trait(field) == RESOURCE_FIELD => {
                            value = self.literal(Value::ResourceField(field), self.offset(pc));
                        }
                        _ => {}
                    }
                }
                // iput, sput
                0x59..=0x5f | 0x67..=0x6d => {
                    let field = unit(pc + 1);
                    self.meet_field(pc, field)?;
                    let stored = self.register(pc, if op < 0x60 { low } else { a })?;
                    if stored != NONE {
                        self.sink(stored, Target::Field { field }, None);
                        if let Some(
                            source
                            @ (Source::Id(_) | Source::IdField(_) | Source::New(_) | Source::Lambda(_)),
                        ) = self.scanner.flow.source(stored)
                        {
                            self.scanner.code.stores.push(Store { field, source });
                        }
                    }
                }
                0x6e..=0x72 | 0x74..=0x78 | 0xfa | 0xfb => self.invoke(pc, op)?,
                0xfc | 0xfd => self.invoke_custom(pc, op == 0xfd)?,
                0xfe => {
                    if let Some(method) = self.handle_method(unit(pc + 1)) {
                        self.meet_method(pc, method, false)?;
                        value = self.scanner.flow.value(Some(Source::Lambda(method)));
                    }
                }
                _ => {}
            }
            let written = match known & WRITES {
                NOTHING => {
                    pc += width;
                    continue;
                }
                LOW_NIBBLE => low,
                HIGH_BYTE => a,
                _ => unit(pc + 1),
            };
            self.set(pc, written, value)?;
            pc += width;
        }
        Ok(())
    }

    #[inline]
    fn register(&self, pc: usize, register: u32) -> Result<u32, Fault> {
        self.scanner.flow.registers.get(register as usize).copied().ok_or((pc, BAD_REGISTER))
    }

    #[inline]
    fn set(&mut self, pc: usize, register: u32, value: u32) -> Result<(), Fault> {
        let slot = self.scanner.flow.registers.get_mut(register as usize).ok_or((pc, BAD_REGISTER))?;
        *slot = value;
        Ok(())
    }

    /// Width of a table that stands among the instructions; keys of a switch may be resource ids.
    #[inline(never)]
    fn payload(&mut self, pc: usize, kind: u32) -> Result<usize, Fault> {
        let size = self.unit(pc + 1) as usize;
        let width = match kind {
            1 => 4 + 2 * size,
            2 => 2 + 4 * size,
            3 => 4 + (self.unit2(pc + 2) as usize).saturating_mul(size).div_ceil(2),
            _ => return Err((pc, "opcode that does not exist")),
        };
        if width > self.insns.len() - pc {
            return Err((pc, "table of a switch or array is cut off"));
        }
        for i in 0..if kind < 3 { size } else { 0 } {
            let (at, key) = match kind {
                1 => (pc + 2, self.unit2(pc + 2).wrapping_add(i as u32)),
                _ => (pc + 2 + 2 * i, self.unit2(pc + 2 + 2 * i)),
            };
            if self.scanner.is_resource(key) {
                let value = self.literal(Value::Resource(key), self.offset(at));
                self.sink(value, Target::Compared, None);
            }
        }
        Ok(width)
    }

    #[inline(never)]
    fn literal(&mut self, value: Value, offset: u32) -> u32 {
        self.scanner.flow.following = true;
        let literal = self.scanner.code.literals.len() as u32;
        self.scanner.code.literals.push(Found { value, offset, start: END, count: 0 });
        let value = self.scanner.flow.value(None);
        self.scanner.flow.added_to.push(value);
        self.scanner.flow.link(value, literal, Form::Whole);
        value
    }

    fn resource(&mut self, pc: usize, id: u32) -> u32 {
        if self.scanner.is_resource(id) { self.literal(Value::Resource(id), self.offset(pc)) } else { NONE }
    }

    fn string(&mut self, pc: usize, index: u32) -> Result<u32, Fault> {
        if self.scanner.strings.contains(index) {
            return Ok(self.literal(Value::String(index), self.offset(pc)));
        }
        if index < self.scanner.dex.strings.len() { Ok(NONE) } else { Err((pc, BAD_INDEX)) }
    }

    /// Tells that all constants in `value` arrive at `target`.
    #[inline]
    fn sink(&mut self, value: u32, target: Target, on: Option<Source>) {
        if value != NONE {
            self.scanner.flow.arrive_at(value, target, on, false, &mut self.scanner.code.literals);
        }
    }

    #[inline]
    fn branch(&mut self, pc: usize, distance: i64) {
        if self.scanner.flow.following && distance > 0 {
            self.scanner.flow.wait(pc + distance as usize);
        }
    }

    #[inline(always)]
    fn meet_type(&mut self, pc: usize, index: u32) -> Result<(), Fault> {
        let met = self.scanner.met_types.get_mut(index as usize).ok_or((pc, BAD_INDEX))?;
        if *met != self.scanner.walked {
            *met = self.scanner.walked;
            self.scanner.code.types.push(index);
        }
        Ok(())
    }

    #[inline(always)]
    fn meet_field(&mut self, pc: usize, index: u32) -> Result<(), Fault> {
        let met = self.scanner.met_fields.get_mut(index as usize).ok_or((pc, BAD_INDEX))?;
        if *met != self.scanner.walked {
            *met = self.scanner.walked;
            self.scanner.code.fields.push(index);
        }
        Ok(())
    }

    #[inline]
    fn meet_method(&mut self, pc: usize, index: u32, super_call: bool) -> Result<(), Fault> {
        let met = self.scanner.met_methods.get_mut(index as usize).ok_or((pc, BAD_INDEX))?;
        // The lowest bit tells whether it was called by `super`.
        if *met >> 1 != self.scanner.walked {
            *met = self.scanner.walked << 1;
            self.scanner.code.calls.push(index);
        }
        if super_call && *met & 1 == 0 {
            *met |= 1;
            self.scanner.code.supers.push(index);
        }
        Ok(())
    }

    /// The registers of a call; those of the short form are put into `registers`.
    #[inline]
    fn arguments(&self, pc: usize, range: bool, registers: &mut [u32; 5]) -> Arguments {
        let word = self.unit(pc);
        if range {
            return Arguments { count: word as usize >> 8, first: Some(self.unit(pc + 2)) };
        }
        let list = self.unit(pc + 2);
        *registers = [list & 0xf, list >> 4 & 0xf, list >> 8 & 0xf, list >> 12, word >> 8 & 0xf];
        Arguments { count: (word as usize >> 12).min(5), first: None }
    }

    fn invoke(&mut self, pc: usize, op: u8) -> Result<(), Fault> {
        let method = self.unit(pc + 1);
        self.meet_method(pc, method, matches!(op, 0x6f | 0x75))?;
        let mut registers = [0; 5];
        let list = self.arguments(pc, op >= 0x74 && op != 0xfa, &mut registers);
        self.scanner.flow.result = NONE;
        let mut known = 0;
        for i in 0..list.count {
            known |= self.register(pc, list.get(&registers, i))?;
        }
        let is_static = matches!(op, 0x71 | 0x77);
        if known & BUILDER == 0 && !self.scanner.flow.following {
            // No text is on its way yet, so only calls on fields matter.
            if known & FIELD == 0 || is_static {
                return Ok(());
            }
            let on = self.register(pc, list.get(&registers, 0))?;
            if on & FIELD == 0 {
                return Ok(());
            }
            // Positions of more arguments depend on their types.
            if list.count <= 2 {
                let flow = &self.scanner.flow;
                let first = flow.registers.get(list.get(&registers, 1) as usize).filter(|_| list.count == 2);
                let arguments = [first.and_then(|&value| flow.source(value)), None, None];
                let view = ViewCall { method, offset: self.offset(pc), receiver: flow.source(on), arguments };
                self.scanner.code.views.push(view);
                return Ok(());
            }
        }
        if known == NONE {
            return Ok(());
        }
        let proto = match op {
            0xfa | 0xfb => Some(self.unit(pc + 3)),
            _ => None,
        };
        self.call(pc, method, proto, is_static, &list, &registers)
    }

    /// A call that takes something known.
    #[inline(never)]
    fn call(
        &mut self,
        pc: usize,
        method: u32,
        proto: Option<u32>,
        is_static: bool,
        list: &Arguments,
        registers: &[u32; 5],
    ) -> Result<(), Fault> {
        let (passing, returns) = self.scanner.traits_of(method);
        let dex = self.scanner.dex;
        let proto = proto.or_else(|| dex.method(method).map(|m| m.proto)).unwrap_or(END);
        let mut letters = dex.shorty(proto).iter().skip(1);
        let mut at = 0;
        let receiver = if is_static {
            NONE
        } else {
            at = 1;
            self.register(pc, list.get(registers, 0))?
        };
        let on = self.scanner.flow.source(receiver);
        let mut sources = [None; 3];
        let mut about_view = matches!(on, Some(Source::Id(_) | Source::IdField(_) | Source::Field(_)));
        let (mut into, mut returned, mut id) = (receiver, NONE, None);
        if receiver != NONE {
            let target = Target::Call { method, argument: None };
            let flow = &mut self.scanner.flow;
            flow.arrive_at(receiver, target, on, true, &mut self.scanner.code.literals);
            match passing {
                Passing::Same => returned = receiver,
                Passing::Part => returned = flow.add(NONE, receiver, Some(Form::Part)),
                Passing::Yields => returned = flow.add(NONE, receiver, None),
                _ => {}
            }
        }
        let mut position = 0u8;
        while at < list.count {
            let value = self.register(pc, list.get(registers, at))?;
            at += if matches!(letters.next(), Some(b'J' | b'D')) { 2 } else { 1 };
            let argument = position;
            position = position.saturating_add(1);
            if value == NONE {
                continue;
            }
            let flow = &mut self.scanner.flow;
            let source = flow.source(value);
            about_view |= matches!(source, Some(Source::Id(_) | Source::IdField(_)));
            if let Some(slot) = sources.get_mut(usize::from(argument)) {
                *slot = source;
            }
            if passing != Passing::Builds {
                let target = Target::Call { method, argument: Some(argument) };
                flow.arrive_at(value, target, on, false, &mut self.scanner.code.literals);
            }
            match passing {
                Passing::Builds => into = flow.add(into, value, Some(Form::Part)),
                Passing::Collects => into = flow.add(into, value, Some(Form::Element)),
                Passing::Gathers => returned = flow.add(returned, value, Some(Form::Element)),
                Passing::Part => returned = flow.add(returned, value, Some(Form::Part)),
                Passing::Same => returned = if returned == NONE { value } else { returned },
                Passing::Ends | Passing::Yields => match flow.resource(value, &self.scanner.code.literals) {
                    // The text of the resource: `getString(R.string.x)`.
                    Some(_) if returns == RETURNS_TEXT => returned = flow.add(returned, value, None),
                    Some(found) if returns == RETURNS_OBJECT => id = id.or(Some(found)),
                    _ => {}
                },
            }
        }
        if into != receiver {
            self.set(pc, list.get(registers, 0), into)?;
        }
        let flow = &mut self.scanner.flow;
        flow.result = match passing {
            Passing::Builds => into,
            _ if id.is_some() => flow.value(id),
            _ => returned,
        };
        if about_view && passing != Passing::Builds && flow.burn() {
            let offset = self.offset(pc);
            self.scanner.code.views.push(ViewCall { method, offset, receiver: on, arguments: sources });
        }
        Ok(())
    }

    /// Method that a method handle calls; none when it reads or writes a field.
    fn handle_method(&self, handle: u32) -> Option<u32> {
        let row = self.scanner.dex.method_handles.get(handle)?;
        (4..=8).contains(&u16_at(row, 0)).then(|| u16_at(row, 4))
    }

    /// Lambdas, method references and string templates.
    #[inline(never)]
    fn invoke_custom(&mut self, pc: usize, range: bool) -> Result<(), Fault> {
        let dex = self.scanner.dex;
        let mut registers = [0; 5];
        let list = self.arguments(pc, range, &mut registers);
        let site = dex.call_sites.get(self.unit(pc + 1)).ok_or((pc, BAD_INDEX))?;
        let mut site = Cursor { data: dex.data, pos: u32_at(site, 0) as usize };
        let bad_site = (pc, "call site is broken");
        let count = site.uleb().ok_or(bad_site)?;
        let (mut concat, mut implementation, mut result) = (false, None, NONE);
        for i in 0..count {
            let before = site.pos;
            let value = site.value().ok_or(bad_site)?;
            // Several instructions may name the same long call site.
            self.scanner.spend(site.pos - before).ok_or(bad_site)?;
            match value {
                Encoded::String(name) if i == 1 => {
                    concat = dex.name_bytes(name).is_some_and(|name| name.starts_with(b"makeConcat"));
                }
                // The recipe, and constants that it takes in.
                Encoded::String(text) if i > 2 && concat => {
                    let part = self.string(pc, text)?;
                    if part != NONE {
                        result = self.scanner.flow.add(result, part, Some(Form::Part));
                    }
                }
                Encoded::MethodHandle(handle) if i > 2 => {
                    if let Some(method) = self.handle_method(handle) {
                        self.meet_method(pc, method, false)?;
                        implementation = implementation.or(Some(method));
                    }
                }
                _ => {}
            }
        }
        for i in 0..list.count {
            let part = self.register(pc, list.get(&registers, i))?;
            if concat && part != NONE {
                result = self.scanner.flow.add(result, part, Some(Form::Part));
            }
        }
        if let Some(method) = implementation {
            result = self.scanner.flow.value(Some(Source::Lambda(method)));
        }
        self.scanner.flow.result = result;
        Ok(())
    }
}

/// The registers of a call: a range, or up to five that are listed.
struct Arguments {
    count: usize,
    first: Option<u32>,
}

impl Arguments {
    #[inline]
    fn get(&self, listed: &[u32; 5], index: usize) -> u32 {
        match self.first {
            Some(first) => first + index as u32,
            None => listed.get(index).copied().unwrap_or(END),
        }
    }
}

/// Value of a register about which nothing is known.
const NONE: u32 = 0;
/// Bits of values to which calls matter before the first literal of a method: text builders, whose calls return
/// themselves, and what was read from fields, which may be views.
const BUILDER: u32 = 1 << 31;
const FIELD: u32 = 1 << 30;
const INDEX: u32 = FIELD - 1;

/// What the registers of a method hold.
#[derive(Debug, Default)]
struct Flow {
    /// Index into `values` for each register.
    registers: Vec<u32>,
    /// Values are objects: registers that hold the same builder or array share one. The first is [`NONE`].
    values: Vec<Known>,
    /// Chains of literals within values.
    links: Vec<Link>,
    /// For each literal the value it was added to last; without it, joins would double what both sides share.
    added_to: Vec<u32>,
    /// Chains of sinks of literals.
    sinks: Vec<(Sink, u32)>,
    /// Copies of the registers that wait for the target of a branch.
    waiting: Vec<Waiting>,
    saved: Vec<u32>,
    /// Nearest target in `waiting`.
    next_target: usize,
    /// What the last call returned.
    result: u32,
    /// There is a literal in this method.
    following: bool,
    /// Steps that may still be made; keeps the work proportional to the code.
    fuel: u32,
}

#[derive(Debug, Clone, Copy)]
struct Known {
    /// Newest of its links.
    head: u32,
    source: Option<Source>,
}

#[derive(Debug, Clone, Copy)]
struct Link {
    literal: u32,
    form: Form,
    next: u32,
}

#[derive(Debug, Clone, Copy)]
struct Waiting {
    target: usize,
    /// Where its registers start in `saved`.
    start: usize,
}

impl Flow {
    fn start(&mut self, registers: u32, units: usize) {
        self.registers.clear();
        self.registers.resize(registers as usize, NONE);
        self.values.clear();
        self.values.push(Known { head: END, source: None });
        self.links.clear();
        self.added_to.clear();
        self.sinks.clear();
        self.waiting.clear();
        self.saved.clear();
        self.next_target = usize::MAX;
        self.result = NONE;
        self.following = false;
        self.fuel = (units as u32).saturating_mul(64).saturating_add(1024);
    }

    fn burn(&mut self) -> bool {
        self.fuel = self.fuel.saturating_sub(1);
        self.fuel > 0
    }

    fn value(&mut self, source: Option<Source>) -> u32 {
        self.values.push(Known { head: END, source });
        (self.values.len() - 1) as u32
    }

    fn source(&self, value: u32) -> Option<Source> {
        self.values.get((value & INDEX) as usize).and_then(|known| known.source)
    }

    fn head(&self, value: u32) -> u32 {
        self.values.get((value & INDEX) as usize).map_or(END, |known| known.head)
    }

    fn link(&mut self, value: u32, literal: u32, form: Form) {
        if let Some(known) = self.values.get_mut((value & INDEX) as usize) {
            self.links.push(Link { literal, form, next: known.head });
            known.head = (self.links.len() - 1) as u32;
        }
    }

    /// Adds the literals of one value to another, which is made if there is none yet and returned. A form given makes
    /// whole literals to pieces or elements; what is a piece already stays one.
    fn add(&mut self, into: u32, from: u32, form: Option<Form>) -> u32 {
        let mut next = self.head(from);
        if next == END || into == from {
            return into;
        }
        let into = if into == NONE { self.value(None) } else { into };
        while let Some(link) = self.links.get(next as usize).copied() {
            if !self.burn() {
                break;
            }
            if let Some(added_to) = self.added_to.get_mut(link.literal as usize)
                && *added_to != into
            {
                *added_to = into;
                self.link(into, link.literal, form.filter(|_| link.form == Form::Whole).unwrap_or(link.form));
            }
            next = link.next;
        }
        into
    }

    /// The resource id that a value is, as the source of what is found by it.
    fn resource(&self, value: u32, literals: &[Found]) -> Option<Source> {
        let link = self.links.get(self.head(value) as usize)?;
        match literals.get(link.literal as usize)?.value {
            Value::Resource(id) if link.form == Form::Whole => Some(Source::Id(id)),
            Value::ResourceField(field) if link.form == Form::Whole => Some(Source::IdField(field)),
            _ => None,
        }
    }

    /// Notes a sink for each literal in a value; for the receiver of a call only when the literal itself is it, for
    /// calls on the builder or collection that holds it tell nothing.
    fn arrive_at(
        &mut self,
        value: u32,
        target: Target,
        on: Option<Source>,
        whole_only: bool,
        literals: &mut [Found],
    ) {
        let mut next = self.head(value);
        while let Some(link) = self.links.get(next as usize).copied() {
            if !self.burn() {
                break;
            }
            if whole_only && link.form != Form::Whole {
                break;
            }
            next = link.next;
            let Some(literal) = literals.get_mut(link.literal as usize) else { continue };
            if literal.count as usize >= MAX_SINKS {
                continue;
            }
            let sink = Sink { target, form: link.form, on };
            let mut older = literal.start;
            let known = loop {
                match self.sinks.get(older as usize) {
                    Some((other, _)) if *other == sink => break true,
                    Some((_, previous)) => older = *previous,
                    None => break false,
                }
            };
            if !known {
                self.sinks.push((sink, literal.start));
                literal.start = (self.sinks.len() - 1) as u32;
                literal.count += 1;
            }
        }
    }

    /// Keeps the registers for the target of a forward branch.
    #[inline(never)]
    fn wait(&mut self, target: usize) {
        let cost = self.registers.len() as u32 / 4 + 1;
        if self.waiting.len() < MAX_WAITING && self.fuel > cost {
            self.fuel -= cost;
            self.waiting.push(Waiting { target, start: self.saved.len() });
            self.saved.extend_from_slice(&self.registers);
            self.next_target = self.next_target.min(target);
        }
    }

    /// Joins the registers that wait for `pc`; those before were branches into the middle of an instruction. When the
    /// instruction before does not lead here, only what waits counts.
    #[inline(never)]
    fn arrive(&mut self, pc: usize, cut: bool) {
        let mut replace = cut;
        let mut i = 0;
        while let Some(&Waiting { target, start }) = self.waiting.get(i) {
            if target > pc {
                i += 1;
                continue;
            }
            self.waiting.swap_remove(i);
            if target < pc {
                continue;
            }
            for register in 0..self.registers.len() {
                let (Some(&here), Some(&there)) =
                    (self.registers.get(register), self.saved.get(start + register))
                else {
                    break;
                };
                let joined = if replace { there } else { self.join(here, there) };
                if let Some(slot) = self.registers.get_mut(register) {
                    *slot = joined;
                }
            }
            replace = false;
        }
        if self.waiting.is_empty() {
            self.saved.clear();
        }
        self.next_target = self.waiting.iter().map(|w| w.target).min().unwrap_or(usize::MAX);
    }

    /// What a register holds where two ways meet.
    fn join(&mut self, here: u32, there: u32) -> u32 {
        if here == there || there == NONE {
            return here;
        }
        if here == NONE {
            return there;
        }
        let source = match (self.source(here), self.source(there)) {
            (one, other) if one == other => one,
            (one, None) => one,
            (None, other) => other,
            _ => None,
        };
        let joined = self.value(source);
        self.add(joined, here, None);
        self.add(joined, there, None);
        joined
    }

    /// Puts the sinks of each literal side by side.
    fn finish(&mut self, code: &mut MethodCode) {
        for literal in &mut code.literals {
            let first = code.sinks.len();
            let mut next = literal.start;
            while let Some((sink, older)) = self.sinks.get(next as usize) {
                code.sinks.push(*sink);
                next = *older;
            }
            if let Some(own) = code.sinks.get_mut(first..) {
                own.reverse();
            }
            literal.start = first as u32;
        }
    }
}
