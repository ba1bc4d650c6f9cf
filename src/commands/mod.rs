//! What the program can do, one file per command.

use std::{collections::BTreeSet, io::Write, path::Path};

use chrono::{DateTime, Utc};
use tracing::warn;

use crate::{
    cli::{Cli, Command},
    collect::{Plan, Target},
    config::{Cache, Config, Outputs},
    error::{Error, ExitCode},
    snapshot::Section,
};

pub mod ask;
pub mod capture;
pub mod check;
pub mod collect;
pub mod completions;
pub mod demo;
pub mod export;
#[cfg(feature = "mcp")]
pub mod mcp;
pub mod probe;
pub mod replay;
pub mod schema;
pub mod show;
pub mod snapshot_file;
pub mod status;
pub mod transcript;

use transcript::Transcript;

/// Runs the command that was asked for. `out` takes its results, `said` what a person is told on
/// the side; `terminal` says whether a person is there.
///
/// # Errors
///
/// Those of the command.
pub async fn run(
    cli: Cli,
    clock: fn() -> DateTime<Utc>,
    terminal: bool,
    out: &mut dyn Write,
    said: &mut dyn Write,
) -> Result<ExitCode, Error> {
    let now = clock();
    let misplaced =
        [("--stdout", cli.collect.stdout), ("--transcript", cli.collect.wire.transcript.is_some())];
    if let Some((option, _)) = misplaced.iter().find(|(_, is_given)| *is_given)
        && cli.command.is_some()
    {
        return Err(Error::Usage(format!("{option} before a command: put it behind the command")));
    }
    match cli.command.unwrap_or(Command::Collect(cli.collect)) {
        Command::Collect(arguments) => {
            let mut config = load(cli.common.config.as_deref())?;
            config.warnings.iter().for_each(|warning| warn!("{warning}"));
            let transcript = arguments.wire.begin("collect", now)?;
            config.ami.tap = transcript.as_ref().map(Transcript::tap);
            let job = collect::Job {
                target: &Target::from(&config),
                plan: &Plan::from(&config),
                cache: &config.cache,
                outputs: &config.outputs,
                demo: false,
                to_stdout: arguments.stdout,
                talkative: terminal,
                log_format: cli.common.log_format,
                now,
                transcript: transcript.as_ref(),
            };
            let ended = collect::run(&job, out, said).await;
            if let (Some(transcript), Err(error)) = (&transcript, &ended) {
                transcript.failed(error);
            }
            ended
        }
        Command::Check(arguments) => {
            let mut config = load(cli.common.config.as_deref())?;
            let transcript = arguments.wire.begin("check", now)?;
            config.ami.tap = transcript.as_ref().map(Transcript::tap);
            let code = check::check(&config, now, out).await;
            transcript.map_or(Ok(()), |transcript| transcript.finish())?;
            Ok(code)
        }
        Command::Probe(arguments) => {
            probe::run(&arguments, cli.common.config.as_deref(), now, out).await
        }
        Command::Ask(arguments) => {
            ask::run(&arguments, cli.common.config.as_deref(), now, out, said).await
        }
        Command::Demo(arguments) => {
            let cache = Cache::in_directory(&arguments.directory);
            demo::with_demo_pbx(async |target: Target| {
                let job = collect::Job {
                    target: &target,
                    plan: &Plan::default(),
                    cache: &cache,
                    outputs: &Outputs::default(),
                    demo: true,
                    to_stdout: arguments.stdout,
                    talkative: terminal,
                    log_format: cli.common.log_format,
                    now,
                    transcript: None,
                };
                collect::run(&job, out, said).await
            })
            .await
        }
        Command::Capture(arguments) => {
            let config = load(cli.common.config.as_deref())?;
            config.warnings.iter().for_each(|warning| warn!("{warning}"));
            capture::run(&arguments, &config, said).await
        }
        Command::Replay(arguments) => replay::run(*arguments, out, said).await,
        Command::Show(arguments) => {
            let config = cli.common.config.as_deref();
            show::run(&arguments, config, now, out, said).await
        }
        Command::Export(arguments) => {
            export::run(&arguments, cli.common.config.as_deref(), now, out)
        }
        Command::Status(arguments) => {
            status::run(*arguments, cli.common.config.as_deref(), now, out)
        }
        Command::Schema(arguments) => schema::print(arguments.status, out),
        #[cfg(feature = "validate")]
        Command::Validate(arguments) => schema::validate(&arguments.files, out, said),
        #[cfg(feature = "mcp")]
        Command::Mcp(arguments) => {
            mcp::run(&arguments.file, cli.common.config.as_deref(), clock).await
        }
        Command::Completions(arguments) => completions::print(arguments.shell, out),
        Command::Man => completions::print_man(out),
    }
}

fn load(option: Option<&Path>) -> Result<Config, Error> {
    Ok(Config::load(option, &|name| std::env::var_os(name))?)
}

impl From<&Config> for Target {
    fn from(config: &Config) -> Self {
        Self {
            host: config.host.clone(),
            port: config.port,
            credentials: config.credentials.clone(),
            options: config.ami.clone(),
            run_timeout: config.run_timeout,
        }
    }
}

impl From<&Config> for Plan {
    fn from(config: &Config) -> Self {
        let skips = |section: &Section| config.skips(section.as_str());
        let mut skip: BTreeSet<_> = Section::ALL.into_iter().filter(skips).collect();
        if !config.voicemail_counts {
            skip.insert(Section::Voicemail);
        }
        Self { skip, kinds: config.kinds.clone() }
    }
}
