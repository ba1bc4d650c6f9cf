//! `completions` and `man`: what a package installs beside the program, made from its command line.

use std::io::Write;

use clap::CommandFactory as _;

use super::collect;
use crate::{
    cli::{Cli, Shell},
    error::{Error, ExitCode},
};

/// Prints the completions for a shell.
///
/// # Errors
///
/// When standard output cannot be written.
pub fn print(shell: Shell, out: &mut dyn Write) -> Result<ExitCode, Error> {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    clap_complete::generate(shell, &mut command, name, &mut script);
    collect::print(&script, out)?;
    Ok(ExitCode::Complete)
}

/// Prints the manual page, in roff.
///
/// # Errors
///
/// When standard output cannot be written.
pub fn print_man(out: &mut dyn Write) -> Result<ExitCode, Error> {
    let mut page = Vec::new();
    render(&mut page).map_err(|error| Error::Internal(error.to_string()))?;
    collect::print(&page, out)?;
    Ok(ExitCode::Complete)
}

fn render(page: &mut Vec<u8>) -> std::io::Result<()> {
    clap_mangen::Man::new(Cli::command()).render(page)
}
