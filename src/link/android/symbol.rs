//! Names of classes and methods as numbers: code refers to the same few names many thousands of times.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// Number of a name in a [`Symbols`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) struct Symbol(pub(crate) u32);

/// A table of names.
#[derive(Debug, Default)]
pub(crate) struct Symbols {
    names: Vec<Box<str>>,
    numbers: HashMap<Box<str>, Symbol, RandomState>,
}

impl Symbols {
    /// The number of a name, given now if it is new.
    pub(crate) fn intern(&mut self, name: &str) -> Symbol {
        if let Some(&known) = self.numbers.get(name) {
            return known;
        }
        // Names come from files of at most 128 MiB, so there are fewer than 2³² of them.
        let symbol = Symbol(self.names.len() as u32);
        self.names.push(name.into());
        self.numbers.insert(name.into(), symbol);
        symbol
    }

    /// The number of a name that is already in the table.
    pub(crate) fn find(&self, name: &str) -> Option<Symbol> {
        self.numbers.get(name).copied()
    }

    /// The name of a number of this table; empty for a number of another.
    pub(crate) fn name(&self, symbol: Symbol) -> &str {
        self.names.get(symbol.0 as usize).map_or("", |name| name)
    }

    /// How many names there are.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// Takes the names of another table over; the result maps its numbers to those of this one.
    pub(crate) fn absorb(&mut self, other: &Symbols) -> Vec<Symbol> {
        other.names.iter().map(|name| self.intern(name)).collect()
    }
}
