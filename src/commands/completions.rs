//! `completions` and `man`: what a package installs beside the program, made from its command line.

use std::io::{self, Write};

use clap::CommandFactory as _;
use clap_mangen::Man;

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
    /// Each part is rendered with it; the page needs it once.
    const PREAMBLE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";
    let mut page = Vec::new();
    render(&mut page).map_err(|error| Error::Internal(error.to_string()))?;
    let page = String::from_utf8_lossy(&page).replace(PREAMBLE, "");
    collect::print(format!("{PREAMBLE}{page}").as_bytes(), out)?;
    Ok(ExitCode::Complete)
}

/// One page for the whole program: few enough options to find them in one place.
fn render(page: &mut Vec<u8>) -> io::Result<()> {
    let command = Cli::command();
    let after_help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let subcommands: Vec<_> = command.get_subcommands().cloned().collect();
    let program = command.get_name().to_owned();
    let man = Man::new(command);
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    writeln!(page, ".SH COMMANDS")?;
    for subcommand in subcommands {
        let about = subcommand.get_about().map(ToString::to_string).unwrap_or_default();
        let name = subcommand.get_name().to_owned();
        let mut options = Vec::new();
        // Not yet built, so it has its own options only and not those of every command.
        if subcommand.get_arguments().next().is_some() {
            Man::new(subcommand).render_options_section(&mut options)?;
        }
        let options = String::from_utf8_lossy(&options);
        writeln!(page, ".SS \"{} {}\"\n{}.", roff(&program), roff(&name), roff(&about))?;
        page.write_all(options.replace(".SH OPTIONS\n", "").as_bytes())?;
    }
    // The help ends with titled blocks whose columns stand as they are.
    for block in after_help.split("\n\n") {
        let (title, lines) = block.split_once(":\n").unwrap_or(("Notes", block));
        let title = if title == "Exit codes" { "EXIT STATUS" } else { &title.to_uppercase() };
        writeln!(page, ".SH \"{title}\"\n.nf")?;
        for line in lines.lines() {
            writeln!(page, "{}", roff(line))?;
        }
        writeln!(page, ".fi")?;
    }
    man.render_version_section(page)
}

/// Text that roff prints as it is.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    match text.starts_with(['.', '\'']) {
        true => format!("\\&{text}"),
        false => text,
    }
}
