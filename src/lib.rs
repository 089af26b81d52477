//! # zhijian (指尖质检)
//!
//! Technical detection of formalism at the fingertips in government apps and mini programs.
//!
//! ```text
//! file ─▶ format ─▶ Inspection (UiText, Fact, Gap, Anomaly) ─▶ rule ─▶ Finding, Duty ─▶ scan ─▶ Report ─▶ report formats
//! ```
//!
//! Nothing flows backwards: a format never sees a rule, a rule never opens a file, a report format only sees a report.

pub mod decode;
pub mod format;
pub mod ledger;
pub mod link;
pub mod model;
pub mod report;
pub mod roster;
pub mod rule;
pub mod scan;
pub mod text;
