//! What the office knows about targets: its roster, how it changes, filing records and lists, and what follows from
//! comparing them.
//!
//! ```text
//! bytes ─▶ table ─┬▶ list ───▶ change      (a re-import against what is on record)
//!         (xlsx,  │  (column)
//!          xls,   │
//!          ods)   └▶ filing ─▶ comparison  (roster, filing list, what the crawler saw)
//! ```

mod change;
mod column;
mod compare;
mod comparison;
mod filing;
mod import;
mod list;
mod ods;
mod shown;
mod table;
mod xls;
mod xlsx;

pub use change::{Change, Changed, change};
pub use column::{Column, Layout};
pub use compare::{compare, other_account};
pub use comparison::{Certainty, Compared, Outcome, Seen, compare_filings};
pub use filing::{Filed, FilingList, FilingRecord, FilingState, OnRecord};
pub use import::import;
pub use list::{Address, Roster, Row};
pub use table::TableError;
