//! A roster, done as a whole: the plan, the run that can be broken off at any moment and gone on with, the summary.
//!
//! ```text
//! Roster ┐
//! Fetch  ├─▶ plan ─▶ Plan ─▶ work ─▶ Log, reports ─▶ Summary
//! Past   ┘                  (a queue for each host; scans on a few threads)
//! ```

mod fleet;
mod log;
mod plan;
mod reason;
mod summary;
mod work;

pub use fleet::fleet;
pub use log::{
    Busy, Came, Course, Event, Findings, Folder, Log, Looked, Memory, Outcome, Past, Scanned, Stamp,
};
pub use plan::{Action, HostPlan, Knowledge, Plan, Planned, Wishes, plan, resumes};
pub use reason::{Cause, Reason};
pub use summary::{Counts, Missed, Reasons, SCHEMA, Summary};
pub use work::{Crew, Stop, Watch};
