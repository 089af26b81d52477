//! The colour code: a pure function of the policy and of what is on record.
//! (Events, fold and storage join this room when history is kept.)

mod baseline;
mod policy;

pub use baseline::{Baseline, BaselineError, target_name};
pub use policy::{Filing, Policy, Situation};
