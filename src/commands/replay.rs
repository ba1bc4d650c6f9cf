//! `replay`: a capture, served as a PBX.

use std::{io::Write, path::PathBuf};

use clap::Args;

use super::collect::{print, say};
use crate::{
    capture::Capture,
    config::read_password_file,
    error::{Error, ExitCode},
    replay::{Account, Classes, Delay, Faults, Options, Server},
};

/// Options of `replay`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct ReplayArgs {
    /// The capture: a folder that `capture` made
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Port of 127.0.0.1 to listen on; 0 is any free one, and the first line of output names it
    #[arg(long, default_value_t = 0)]
    pub port: u16,
    /// The only user that may log in; otherwise anybody may
    #[arg(long, value_name = "NAME")]
    pub username: Option<String>,
    /// File with the password to log in with; otherwise any is right
    #[arg(long, value_name = "FILE", requires = "username")]
    pub password_file: Option<PathBuf>,
    /// Classes of the account's `write` setting, such as `reporting` or `system,reporting`; otherwise
    /// all that was captured is permitted
    #[arg(long, value_name = "CLASSES")]
    pub write: Option<Classes>,
    /// Wait before every answer, or before that to one action; may be given several times
    #[arg(long, value_name = "[ACTION=]MS")]
    pub delay_ms: Vec<Delay>,
    /// Send no faster than this
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub bytes_per_second: Option<u64>,
    /// Close every connection after so many bytes
    #[arg(long, value_name = "N")]
    pub cut_after_bytes: Option<u64>,
    /// Close the connection in the middle of the answer to this action; may be given several times
    #[arg(long, value_name = "ACTION")]
    pub cut_in: Vec<String>,
}

const AFTER_HELP: &str = "\
Examples:
  freepbx-snapshot replay ./capture --port 15038
  freepbx-snapshot replay ./capture --write reporting        as an account with less rights
  freepbx-snapshot replay ./capture --cut-in QueueStatus     as a PBX that restarts

Ctrl-C or SIGTERM ends it.";

/// Serves the capture until a signal ends it. `out` gets one line with address and port, `said` what
/// a person is told.
///
/// # Errors
///
/// When the capture cannot be read or the port cannot be had.
pub async fn run(
    arguments: ReplayArgs,
    out: &mut dyn Write,
    said: &mut dyn Write,
) -> Result<ExitCode, Error> {
    let port = arguments.port;
    let password = match &arguments.password_file {
        Some(file) => Some(
            read_password_file(file)
                .map_err(|problem| Error::Usage(format!("--password-file: {problem}")))?,
        ),
        None => None,
    };
    let options = Options {
        account: Account { username: arguments.username, password },
        write: arguments.write,
        faults: Faults {
            delays: arguments.delay_ms,
            cut_after_bytes: arguments.cut_after_bytes,
            cut_in: arguments.cut_in,
            bytes_per_second: arguments.bytes_per_second,
        },
    };
    let capture = Capture::read(&arguments.folder)?;
    let about = format!(
        "freepbx-snapshot: {} with {} answers; end with Ctrl-C",
        capture.banner,
        capture.actions().count()
    );
    let failed = |error: std::io::Error| Error::Listen { port, reason: error.to_string() };
    let server = Server::start(capture, port, options).await.map_err(failed)?;
    print(format!("127.0.0.1:{}\n", server.port().map_err(failed)?).as_bytes(), out)?;
    say(said, &about);
    server.serve().await;
    Ok(ExitCode::Complete)
}
