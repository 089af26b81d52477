//! What the office knows about targets: filing records (roster import and comparison join this room later).

mod compare;
mod filing;

pub use compare::compare;
pub use filing::{FilingError, FilingRecord};
