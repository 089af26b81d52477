//! Objective-C metadata of a program: classes with their methods, and which of them code refers to.
//!
//! Format: Apple's open `objc4`, `runtime/objc-runtime-new.h` (`class_t`, `class_ro_t`, `method_list_t`, with the
//! relative method lists of iOS 14). Swift classes are listed there too, with mangled names.

use std::collections::{HashMap, HashSet};

use super::{MachO, le32};

/// So many methods of all classes together are listed; more come only from lists that overlap.
const MAX_METHODS: usize = 1 << 21;

/// Longer names are none that a person wrote.
const MAX_NAME: usize = 256;

/// A method of a class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// Index into [`ObjC::classes`].
    pub class: usize,
    /// Selector: `onCheckIn:`.
    pub name: String,
    /// Address of its code; zero where the metadata does not say.
    pub code: u64,
}

/// A class that the program defines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Class {
    /// Its name; of a Swift class `Module.Name`.
    pub name: String,
    /// Offset of the name in the program.
    pub offset: usize,
    /// Index of the class above it, when that is in the program too.
    pub parent: Option<usize>,
    /// Code refers to it.
    pub referred: bool,
}

/// What the metadata says.
#[derive(Debug, Clone, Default)]
pub struct ObjC {
    /// Classes in the order of the list.
    pub classes: Vec<Class>,
    /// Their methods, sorted by the address of their code.
    pub methods: Vec<Method>,
    /// Name of the selector that each selector reference holds, by the address of the reference.
    pub selectors: HashMap<u64, String>,
}

impl ObjC {
    /// Reads the metadata of a program.
    pub fn read(program: &MachO<'_>) -> ObjC {
        let mut objc = ObjC::default();
        let width = program.width();
        let mut room = program.bytes.len();
        let pointers = |name: &'static str| {
            program.sections(name).flat_map(move |section| {
                let count = program.content(section).len() / width;
                (0..count).map(move |index| {
                    (
                        section.address.wrapping_add((index * width) as u64),
                        program.pointer(section.offset + index * width),
                    )
                })
            })
        };
        for (reference, target) in pointers("__objc_selrefs") {
            if let Some(name) = target.and_then(|target| program.text_at(target))
                && name.len() <= MAX_NAME
                && spend(&mut room, name)
            {
                objc.selectors.insert(reference, name.to_owned());
            }
        }
        let mut numbers: HashMap<u64, usize> = HashMap::new();
        let mut parents = Vec::new();
        for (_, address) in pointers("__objc_classlist") {
            let Some(address) = address.filter(|address| !numbers.contains_key(address)) else { continue };
            let Some((name, offset, methods)) = class_data(program, address) else { continue };
            if !spend(&mut room, &name) {
                break;
            }
            let class = objc.classes.len();
            numbers.insert(address, class);
            objc.classes.push(Class { name, offset, parent: None, referred: false });
            parents.push(field(program, address, 1));
            objc.methods(program, class, methods, &mut room);
            // Class methods are those of the class's own class.
            if let Some((.., methods)) = field(program, address, 0).and_then(|meta| class_data(program, meta))
            {
                objc.methods(program, class, methods, &mut room);
            }
        }
        for (_, category) in pointers("__objc_catlist") {
            let Some(category) = category else { continue };
            let class = field(program, category, 1).and_then(|class| numbers.get(&class)).copied();
            if let Some(class) = class {
                for index in [2, 3] {
                    objc.methods(program, class, field(program, category, index), &mut room);
                }
            }
        }
        for (index, parent) in parents.into_iter().enumerate() {
            objc.classes[index].parent = parent.and_then(|parent| numbers.get(&parent)).copied();
        }
        let referred: HashSet<u64> = pointers("__objc_classrefs").filter_map(|(_, target)| target).collect();
        for address in referred {
            if let Some(class) = numbers.get(&address) {
                objc.classes[*class].referred = true;
            }
        }
        objc.methods.sort_by_key(|method| method.code);
        objc
    }

    /// The method that an address is in, given that no other function begins between.
    pub fn method_at(&self, function: u64) -> Option<&Method> {
        let index = self.methods.partition_point(|method| method.code < function);
        self.methods.get(index).filter(|method| method.code == function)
    }

    fn methods(&mut self, program: &MachO<'_>, class: usize, list: Option<u64>, room: &mut usize) {
        let width = program.width();
        let Some(at) = list.and_then(|list| program.offset(list)) else { return };
        let (Some(head), Some(count)) = (le32(program.bytes, at), le32(program.bytes, at + 4)) else {
            return;
        };
        let relative = head >> 31 == 1;
        let length = if relative { 12 } else { width * 3 };
        let there = program.bytes.len().saturating_sub(at + 8) / length;
        for index in 0..(count as usize).min(there) {
            if self.methods.len() >= MAX_METHODS {
                return;
            }
            let entry = at + 8 + index * length;
            let (name, code) = if relative {
                let Some(address) = list.and_then(|list| list.checked_add((8 + index * length) as u64))
                else {
                    return;
                };
                let target = |into: u64| {
                    let delta = le32(program.bytes, entry + into as usize)?.cast_signed();
                    address.checked_add(into)?.checked_add_signed(delta.into())
                };
                let name = target(0).and_then(|name| match self.selectors.get(&name) {
                    Some(selector) => Some(selector.as_str()),
                    // Or the selector itself, where it is not a reference to one.
                    None => program.text_at(name),
                });
                (name.map(str::to_owned), target(8))
            } else {
                let name = program.pointer(entry).and_then(|name| program.text_at(name));
                (name.map(str::to_owned), program.pointer(entry + width * 2))
            };
            if let Some(name) = name.filter(|name| (1..=MAX_NAME).contains(&name.len()) && spend(room, name))
            {
                self.methods.push(Method { class, name, code: code.unwrap_or_default() });
            }
        }
    }
}

/// Takes a name from the bytes that names may still take together: those of an honest program do not overlap.
fn spend(room: &mut usize, name: &str) -> bool {
    let left = room.checked_sub(name.len());
    *room = left.unwrap_or_default();
    left.is_some()
}

/// A pointer among those that a structure begins with.
fn field(program: &MachO<'_>, address: u64, index: usize) -> Option<u64> {
    program.pointer(program.offset(address)? + index * program.width())
}

/// Name of a class, its offset, and the address of its method list.
fn class_data(program: &MachO<'_>, address: u64) -> Option<(String, usize, Option<u64>)> {
    let width = program.width();
    // The low bits of the pointer say whether it is a Swift class.
    let data = program.offset(field(program, address, 4)? & !7)?;
    // Flags and two sizes; with 64 bits a word between them and the pointers.
    let first = data + if program.wide { 16 } else { 12 };
    let name = program.pointer(first + width)?;
    let offset = program.offset(name)?;
    Some((plain_name(program.text_at(name)?), offset, program.pointer(first + width * 2)))
}

/// `Module.Name` for the mangled name of a Swift class (`_TtC6Patrol14ViewController`).
pub fn plain_name(name: &str) -> String {
    let Some(mangled) = name.strip_prefix("_Tt") else { return name.to_owned() };
    let mut rest = mangled.trim_start_matches(|ch: char| ch.is_ascii_uppercase());
    let mut parts = Vec::new();
    while let Some(end) = rest.find(|ch: char| !ch.is_ascii_digit()).filter(|end| *end > 0) {
        let part = rest[..end].parse().ok().and_then(|length: usize| rest.get(end..end.checked_add(length)?));
        let Some(part) = part else { break };
        parts.push(part);
        rest = &rest[end + part.len()..];
    }
    if parts.is_empty() { name.to_owned() } else { parts.join(".") }
}
