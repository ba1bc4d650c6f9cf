//! The program: arguments, logging, clock, signals, exit code; nothing else.
#![forbid(unsafe_code)]

use std::{
    io::{IsTerminal as _, Write as _, stderr, stdout},
    process::ExitCode,
};

use chrono::Utc;
use clap::Parser as _;
use freepbx_snapshot::{
    cli::{Cli, LogFormat},
    commands::{self, status::refused},
    error::Error,
};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(answer) => {
            // Help and version are answers, not errors.
            let wrong = answer.use_stderr();
            let _ = answer.print();
            return ExitCode::from(if wrong {
                refused(std::env::args_os(), &mut stdout())
            } else {
                0
            });
        }
    };
    let format = cli.common.log_format;
    cli.common.start_logging();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ended = match runtime {
        Ok(runtime) => {
            let ended = runtime.block_on(until_signalled(cli));
            // Not waiting for a thread that reads standard input or looks a name up: neither can be
            // called off, it may never come back, and nothing needs it any more.
            runtime.shutdown_background();
            ended
        }
        Err(error) => Err(Error::Internal(error.to_string())),
    };
    match ended {
        Ok(code) => code,
        Err(error) => {
            match format {
                LogFormat::Json => tracing::error!("{error}"),
                LogFormat::Text => {
                    let _ = writeln!(stderr(), "freepbx-snapshot: {error}");
                }
            }
            error.exit_code().into()
        }
    }
}

/// Runs the command. A signal ends it cleanly: what it holds is dropped, the lock among it, and the
/// exit code is what a shell reports for that signal.
async fn until_signalled(cli: Cli) -> Result<ExitCode, Error> {
    let internal = |error: std::io::Error| Error::Internal(error.to_string());
    let mut terminate = signal(SignalKind::terminate()).map_err(internal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(internal)?;
    let terminal = stderr().is_terminal();
    let (mut out, mut said) = (stdout(), stderr());
    tokio::select! {
        ended = commands::run(cli, Utc::now, terminal, &mut out, &mut said) => {
            ended.map(ExitCode::from)
        }
        _ = terminate.recv() => Ok(ExitCode::from(143)),
        _ = interrupt.recv() => Ok(ExitCode::from(130)),
    }
}
