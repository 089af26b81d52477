//! Bringing packages and pages here: one polite client for all hosts, a guard against addresses that are not the
//! public internet, and a store that knows content by its digest.

mod client;
mod download;
mod error;
pub mod guard;
mod host;
mod journal;
mod robots;
mod shared;
pub mod source;
mod store;
pub mod weixin;

pub use client::{Ask, Client, Got, Pacer, Page, Room, Secret, Validators, is_barred};
pub(crate) use client::{Resolver, causes, refusal, retry_after};
pub use download::{Downloaded, Unwatched, Watch};
pub use error::FetchError;
pub use journal::Journal;
pub use shared::Shared;
pub use store::{Incoming, Known, Store, write_whole};
