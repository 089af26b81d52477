//! The `zhijian` program. Exit codes are documented in `zhijian --help`.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
