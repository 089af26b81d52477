//! The nouns every room shares. This module depends on nothing else in the crate.
//!
//! Two families: what a format reads out of a package ([`UiText`], [`Fact`], [`Gap`], [`Anomaly`],
//! gathered in an [`Inspection`]) and what a scan concludes from it ([`Finding`], [`Duty`],
//! [`CodeSuggestion`], gathered in a [`Report`]).
//!
//! Fields that people read come in pairs: `title` is Chinese, `title_en` the same in English.

mod anomaly;
mod code;
mod coverage;
mod fact;
mod finding;
mod inspection;
mod lang;
mod place;
mod report;
mod target;
mod text;

pub(crate) use anomaly::meaning;
pub use anomaly::{ANOMALIES, Anomaly};
pub use code::{CodeReason, CodeSuggestion, ColorCode};
pub use coverage::{Coverage, Gap, GapReason, PartName, PartTally, Verdict};
pub use fact::{Fact, FactKind};
pub use finding::{
    Basis, Category, Duty, DutyCategory, DutyStatus, Evidence, EvidenceKind, Exception, Finding, Level,
};
pub use inspection::Inspection;
pub use lang::{Lang, Wording};
pub use place::{At, Place};
pub use report::{Artifact, Engine, Identity, Report, Ruleset, SCHEMA, Signer};
pub use target::{Target, TargetKind};
pub use text::{Code, Document, Origin, Role, Screen, UiText, Usage, Widget};
