//! The `zhijian` program. Exit codes are documented in `zhijian --help`.

mod cli;

use std::process::ExitCode;

/// A scan makes and drops many large buffers on several threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::run()
}
