//! Rules as data: syntax (what is written), set (what is valid), matcher (texts and facts to evidence),
//! judge (evidence to findings and duties), check (the examples inside each rule); inventory (rules about a whole
//! inventory, which its room judges).

mod check;
mod filter;
mod guard;
mod ident;
mod inventory;
mod judge;
mod matcher;
mod set;
mod syntax;
mod titled;
mod weigh;
mod words;

pub use check::CheckFailure;
pub use inventory::{
    Duplicate, ExampleRow, FieldDuty, FilingDeadline, FilingNumber, InventoryCheck, InventoryExample,
    InventoryExamples, InventoryRule, InventoryVocabulary, Labels, Missing, NotFiling, Overlap, Per, Quota,
    RosterField,
};
pub use judge::{Judgement, judge};
pub use set::{RuleError, RuleSet, policy};
pub use syntax::{
    Case, Document, DocumentRef, Example, Examples, NameKind, OneOrMany, RoleName, Rule, RuleSubject, Signal,
    SignalKind, StateCase, Strength,
};
pub use titled::Titled;
