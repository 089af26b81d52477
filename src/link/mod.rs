//! What a text is used for: string to widget to screen to component to code to endpoint.

pub mod android;
pub(crate) mod ark;
pub mod endpoint;
pub(crate) mod ios;
pub mod library;
pub(crate) mod mini_program;
pub(crate) mod piece;
pub(crate) mod remote;
pub mod script;
pub(crate) mod web_app;

/// What facts call a screen on which so many things are entered, as they call elements of templates.
pub(crate) const FORM: &str = "<form>";
/// Inputs on one screen that make it a form to fill in: more than a login, a search or an address has.
pub(crate) const FORM_INPUTS: usize = 6;
