//! What the office knows about targets: filing records (roster import and comparison join this room later).

mod filing;

pub use filing::{FilingError, FilingRecord};
