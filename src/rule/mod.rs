//! Rules as data: syntax (what is written), set (what is valid), matcher (texts and facts to evidence),
//! judge (evidence to findings and duties), check (the examples inside each rule).

mod check;
mod filter;
mod guard;
mod ident;
mod judge;
mod matcher;
mod set;
mod syntax;
mod weigh;

pub use check::CheckFailure;
pub use judge::{Judgement, judge};
pub use set::{RuleError, RuleSet, policy};
pub use syntax::{
    Case, Document, DocumentRef, Example, Examples, NameKind, OneOrMany, RoleName, Rule, RuleSubject, Signal,
    SignalKind, StateCase, Strength,
};
