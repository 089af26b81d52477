//! The ledger: what happened to each target, and the colour code that follows.
//!
//! ```text
//! report ─▶ record ─▶ Event ─▶ store (chain) ─▶ Recorded ─▶ standing ─▶ fact ─▶ policy ─▶ code
//! ```
//!
//! Events are only ever added. The code is a pure function of the policy and of the events.

mod backup;
mod baseline;
mod chain;
mod decision;
mod document;
mod fact;
mod history;
mod policy;
mod record;
mod sorted;
mod standing;
mod store;
mod tell;
mod view;
mod waiting;

pub use backup::BackupError;
pub use baseline::{Baseline, BaselineError, target_name};
pub use chain::{GENESIS, Link};
pub use decision::{Decision, LONGEST, Refusal};
pub use document::code_document;
pub use fact::{Fact, Facts};
pub use history::{Coded, History};
pub use policy::{Clause, Combined, Condition, Policy, SameKind, Situation};
pub use record::{found_before, scan_record, target_keys};
pub use sorted::{Behind, Order};
pub use standing::{Found, OpenFinding, Recorded, Standing, in_order, withdrawn};
pub use store::{Break, Chain, Ledger, LedgerError, Tell};
pub use tell::Teller;
pub(crate) use view::word;
pub use view::{By, Count, Listed, Next, Wanted};
pub use waiting::{Urgency, Waiting};
