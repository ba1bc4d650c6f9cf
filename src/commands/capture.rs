//! `capture`: one collection, kept as the bytes of the wire.

use std::{io::Write, path::PathBuf};

use clap::Args;

use super::collect::say;
use crate::{
    capture::{
        Capture, Recorder,
        sanitize::{Key, Options, sanitize},
    },
    collect::{Plan, Target, collect},
    config::Config,
    error::{Error, ExitCode},
};

/// Options of `capture`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct CaptureArgs {
    /// Folder to write to; it must not exist, or be empty
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Replace names, numbers and addresses (the default)
    #[arg(long, conflicts_with = "no_sanitize")]
    pub sanitize: bool,
    /// Keep names, numbers and addresses; passwords are left out all the same
    #[arg(long)]
    pub no_sanitize: bool,
    /// Replace the numbers of extensions, too
    #[arg(long, conflicts_with = "no_sanitize")]
    pub sanitize_extensions: bool,
}

const AFTER_HELP: &str = "\
The folder gets two files per action: what was asked (.req), and the bytes of the answer (.ami). Names,
telephone numbers, addresses and hosts in them stand for others, the same for the same everywhere. Look
through it all the same before you send it to anybody.

Examples:
  freepbx-snapshot capture ./capture
  freepbx-snapshot replay ./capture --port 15038             the same PBX, without the PBX";

/// Collects once and writes what was asked and answered. `said` takes what a person is told.
///
/// # Errors
///
/// Those of a collection, and when the folder cannot be written; nothing is written then.
pub async fn run(
    arguments: &CaptureArgs,
    config: &Config,
    said: &mut dyn Write,
) -> Result<ExitCode, Error> {
    let folder = &arguments.folder;
    // Before the PBX is asked for anything.
    Capture::check_place(folder)?;
    let recorder = Recorder::new();
    let mut target = Target::from(config);
    target.options.tap = Some(recorder.tap());
    let collected = collect(&target, &Plan::from(config), None, &mut |_| {}).await?;
    let (mut capture, missing) = recorder.finish(&collected.answers);
    drop((recorder, collected));
    let answers = capture.actions().count();
    if answers == 0 {
        return Err(Error::Timeout { after: target.run_timeout });
    }
    if !arguments.no_sanitize {
        let key = Key::random().map_err(|error| Error::Internal(error.to_string()))?;
        let options = Options { extensions: arguments.sanitize_extensions };
        capture = sanitize(&capture, &key, options).capture;
    }
    capture.write(folder)?;
    let sanitized = match arguments.no_sanitize {
        true => "with the names, numbers and addresses of the PBX: do not send it to anybody",
        false => "without its names, numbers and addresses; look through it before you send it",
    };
    say(said, &format!("{}: {answers} answers, {sanitized}", folder.display()));
    if missing.is_empty() {
        return Ok(ExitCode::Complete);
    }
    let missing: Vec<String> = missing.iter().map(ToString::to_string).collect();
    say(said, &format!("freepbx-snapshot: no whole answer came to {}", missing.join(", ")));
    Ok(ExitCode::Partial)
}
