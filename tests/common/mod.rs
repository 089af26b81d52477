//! What several suites share.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "a test fails by panicking")]

pub(crate) mod chromium;
pub(crate) mod encode;
pub(crate) mod filler;
pub(crate) mod package;
pub(crate) mod postgres;
pub(crate) mod report;
pub(crate) mod s3;
pub(crate) mod server;
pub(crate) mod tool;
