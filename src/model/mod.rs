//! The nouns every room shares. This module depends on nothing else in the crate.
//!
//! Two families: what a format reads out of a package ([`UiText`], [`Fact`], [`Gap`], [`Anomaly`],
//! gathered in an [`Inspection`]) and what a scan concludes from it ([`Finding`], [`Duty`],
//! [`CodeSuggestion`], gathered in a [`Report`]).
//!
//! Fields that people read come in pairs: `title` is Chinese, `title_en` the same in English.

mod acceptance;
mod account;
mod anomaly;
mod code;
mod code_document;
mod coverage;
mod day;
mod digest;
mod event;
mod evidence_key;
mod fact;
mod finding;
mod group;
mod inspection;
mod lang;
mod listing;
mod place;
mod published;
mod rectification;
mod registered;
mod report;
mod roster_entry;
mod state;
mod surface;
mod target;
mod text;

pub use acceptance::{Acceptance, AcceptanceKind, BaselineRecord, IdleEntry};
pub use account::{
    AccountRecord, Entry, Licence, LinkKind, PageForm, PageLink, PageRecord, PageState, Platform, Rejected,
    Rename, RenameKind,
};
pub(crate) use anomaly::described;
pub use anomaly::{ANOMALIES, Anomaly};
pub use code::{CodeReason, CodeSuggestion, ColorCode, Filing};
pub use code_document::{CODE_SCHEMA, CodeDocument, EventLink, ReportLink};
pub use coverage::{Coverage, Gap, GapReason, PartName, PartTally, Verdict};
pub use day::{beijing_day, beijing_day_end, beijing_midnight, beijing_minute, parse_moment};
pub use digest::hex;
pub use event::{Deed, DutyRecord, Event, FindingRecord, ScanRecord};
pub use evidence_key::{anchor_key, evidence_key, evidence_keys};
pub use fact::{Fact, FactKind};
pub use finding::{
    Basis, Category, Duty, DutyCategory, DutyStatus, Evidence, EvidenceKind, Exception, Finding, Level,
};
pub use group::GroupRecord;
pub use inspection::Inspection;
pub use lang::{Lang, Wording};
pub use listing::Listing;
pub use place::{At, Place};
pub use published::published;
pub use rectification::{
    Anchor, AnchorKind, DIFF_SCHEMA, DutyChange, Feature, Outcome, Rectification, Remark, RemarkCode, Side,
};
pub use registered::Registered;
pub use report::{Artifact, Engine, Identity, Report, Ruleset, SCHEMA, Signer};
pub use roster_entry::{Audience, OfficeLevel, OnRecord, RosterEntry, RosterStatus};
pub use state::{Measure, MeasureKind, State, StateName};
pub use surface::{Control, Shown, Surface};
pub use target::{Scope, Target, TargetKind};
pub use text::{Code, Document, Origin, Role, Screen, UiText, Usage, Widget};
