//! Every suite in one program: it is linked once.

mod common;

mod account;
mod api;
mod browser;
mod cli;
mod code;
mod container;
mod demo;
mod export;
mod faults;
mod fetch;
mod fixtures;
mod fleet;
mod group;
mod hostile;
mod inventory;
mod jobs;
mod layout;
mod ledger;
mod measure;
mod ocr;
mod office;
mod outbox;
mod page;
mod print;
mod province;
mod rebuild;
mod recipe;
mod rectify;
mod report;
mod review;
mod roster;
mod rules;
mod run;
#[cfg(unix)]
mod sandbox;
mod seal;
mod signature;
mod web;
mod weixin_api;
