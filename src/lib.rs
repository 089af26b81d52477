//! # zhijian (指尖质检)
//!
//! Technical detection of formalism at the fingertips in government apps, mini programs, public accounts
//! and work groups.
//!
//! ```text
//! file ─▶ format ─▶ Inspection ──▶ rule ─▶ Finding, Duty ──▶ scan ─▶ Report ─▶ report
//!         page      (UiText, Fact,  (judges)                 (asks ledger for the colour,
//!         group      State, Gap,                              roster for the filing)
//!        (decode,    Anomaly)
//!         link)
//! ```
//!
//! Nothing flows backwards: a format never sees a rule, a rule never opens a file, a report format only sees a
//! report. The rooms, in the order of the data:
//!
//! - [`model`]: the nouns every room shares;
//! - [`text`]: folding of disguised words, with a map back to the stored text;
//! - [`decode`]: bytes to structures, one file per encoding; knows no package and no rule;
//! - [`link`]: string to widget to screen to component to code to endpoint;
//! - [`format`]: one file per package format: which decoder reads which entry;
//! - [`config`]: what the user wrote in `zhijian.toml`, as it holds;
//! - [`fetch`]: packages and pages from the internet, politely;
//! - [`page`]: one file per kind of page: what an account or a site says;
//! - [`group`]: one file per kind of export: what is said in a work group, people masked;
//! - [`rule`]: rules as data, and the judge;
//! - [`ledger`]: the colour code as a pure function of the policy and what is on record;
//! - [`roster`]: what the office knows about targets: its list of them, filing records;
//! - [`inventory`]: a roster as a whole: quotas, deadlines, duplicates, what could be consolidated;
//! - [`scan`]: one file to one report;
//! - [`sandbox`]: the same in a process of its own, which can do no harm;
//! - [`run`]: a roster as a whole: the plan, the run, the summary;
//! - [`rectify`]: two reports of one target: what was rectified, what goes on under another label;
//! - [`report`]: one file per output;
//! - [`seal`]: signatures over documents, and the keys for them;
//! - [`export`]: codes as lists and pictures, one file per format;
//! - [`record`]: reports into the ledger, and the notices of it;
//! - [`outbox`]: notices to other programs, kept until they have arrived;
//! - [`server`]: the service: API, web pages, people, jobs.
//!
//! The command line is `src/cli`, one file per command; it belongs to the binary.

pub mod config;
pub mod decode;
pub mod export;
pub mod fetch;
pub mod format;
pub mod group;
pub mod inventory;
pub mod ledger;
pub mod link;
pub mod model;
pub mod outbox;
pub mod page;
pub mod record;
pub mod rectify;
pub mod report;
pub mod roster;
pub mod rule;
pub mod run;
pub mod sandbox;
pub mod scan;
pub mod seal;
pub mod server;
pub mod text;
