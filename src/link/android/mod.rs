//! Android: layouts, resources and code joined to texts on screens.

mod code;
mod packer;
mod sink;
