//! What the office knows about targets: its roster, and filing records (comparison joins this room later).

mod compare;
mod filing;
mod list;

pub use compare::compare;
pub use filing::{FilingError, FilingRecord};
pub use list::{Address, Roster, RosterError, Row};
