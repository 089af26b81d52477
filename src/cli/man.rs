//! `zhijian man`: one page in roff with every command.

use std::io::{self, Write};

use clap::Command;
use clap_mangen::Man;

pub(super) fn run(command: Command) -> anyhow::Result<u8> {
    let mut command = command;
    command.build();
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    below(&command, &mut page)?;
    io::stdout().lock().write_all(&page)?;
    Ok(0)
}

/// The sections of the commands below one, each under its full name.
fn below(command: &Command, page: &mut Vec<u8>) -> io::Result<()> {
    for sub in command.get_subcommands() {
        let man = Man::new(sub.clone());
        let name = sub.get_bin_name().unwrap_or(sub.get_name());
        writeln!(page, ".SH \"{}\"", name.to_uppercase())?;
        if let Some(about) = sub.get_about() {
            writeln!(page, "{about}\n.PP")?;
        }
        man.render_synopsis_section(page)?;
        if sub.get_arguments().next().is_some() {
            man.render_options_section(page)?;
        }
        below(sub, page)?;
    }
    Ok(())
}
