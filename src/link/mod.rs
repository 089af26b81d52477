//! What a text is used for: string to widget to screen to component to code to endpoint.

pub mod android;
pub(crate) mod ark;
pub mod endpoint;
pub mod library;
pub(crate) mod mini_program;
pub mod script;
pub(crate) mod web_app;
