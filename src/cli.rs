//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use tracing::level_filters::LevelFilter;

use crate::error::ExitCode;

/// Takes a read-only snapshot of a FreePBX/Asterisk server over AMI and writes it as one JSON file.
#[derive(Debug, Parser)]
#[command(
    version,
    max_term_width = 100,
    after_help = after_help()
)]
pub struct Cli {
    /// What to do; without one, `collect`.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// Options of `collect`, which may stand without naming it.
    #[command(flatten)]
    pub collect: CollectArgs,
    /// Options that every command takes.
    #[command(flatten)]
    pub common: Common,
}

/// Options that every command takes.
#[derive(Debug, Args)]
pub struct Common {
    /// Configuration file
    ///
    /// Otherwise the file named by FREEPBX_SNAPSHOT_CONFIG, ./config.yaml, or
    /// /etc/freepbx-snapshot/config.yaml, whichever is found first.
    #[arg(long, short, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
    /// Say more on standard error; -vv says all. RUST_LOG, where set, decides instead
    #[arg(long, short, action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,
    /// Form of the log on standard error
    #[arg(long, value_enum, default_value_t, global = true, value_name = "FORM")]
    pub log_format: LogFormat,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum LogFormat {
    /// Lines for people
    #[default]
    Text,
    /// One JSON object a line
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Take a snapshot and write it (the default)
    Collect(CollectArgs),
    /// Try everything step by step and say what to do about what fails; writes nothing
    Check(CheckArgs),
    /// Tell whether an Asterisk Manager Interface answers, and which, without a login
    Probe(crate::commands::probe::ProbeArgs),
    /// Ask the PBX a few read actions and show what it says
    Ask(crate::commands::ask::AskArgs),
    /// Take a snapshot of an embedded demonstration PBX, without any real one
    Demo(DemoArgs),
    /// Keep one whole collection as the bytes of the wire, without names, numbers and secrets
    Capture(crate::commands::capture::CaptureArgs),
    /// Serve a capture as a PBX on loopback, to try readers without a real one
    Replay(Box<crate::commands::replay::ReplayArgs>),
    /// Show the snapshot: readable tables, one extension, trunk or queue, or what has changed
    Show(crate::views::show::ShowArgs),
    /// Print the JSON Schema of the snapshot
    Schema(SchemaArgs),
    /// Turn the snapshot into a web page or into metrics
    Export(crate::commands::export::ExportArgs),
    /// Judge the snapshot as a monitoring plugin does (exit codes 0, 1, 2, 3)
    Status(Box<crate::commands::status::StatusArgs>),
    /// Check files against the JSON Schema of the snapshot
    #[cfg(feature = "validate")]
    Validate(ValidateArgs),
    /// Answer an assistant's questions: a Model Context Protocol server on standard input and output
    #[cfg(feature = "mcp")]
    Mcp(McpArgs),
    /// Print completions for a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    Man,
}

/// Options of `schema`.
#[derive(Debug, Args)]
pub struct SchemaArgs {
    /// Print that of the status file (freepbx.status.json) instead
    #[arg(long)]
    pub status: bool,
}

/// Options of `collect`.
#[derive(Debug, Clone, Args)]
pub struct CollectArgs {
    /// Print the snapshot instead of writing it
    #[arg(long)]
    pub stdout: bool,
    /// What is said to the PBX and by it
    #[command(flatten)]
    pub wire: WireArgs,
}

/// Options of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// What is said to the PBX and by it
    #[command(flatten)]
    pub wire: WireArgs,
}

/// Options of every command that talks to a PBX.
#[derive(Debug, Clone, Default, Args)]
pub struct WireArgs {
    /// Write to this file who said what and when, without secrets, for a bug report
    #[arg(long, value_name = "FILE")]
    pub transcript: Option<PathBuf>,
}

/// Options of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Directory to write freepbx.json to
    #[arg(long, value_name = "DIR", default_value = "cache")]
    pub directory: PathBuf,
    /// Print the snapshot instead of writing it
    #[arg(long)]
    pub stdout: bool,
}

/// Options of `validate`.
#[cfg(feature = "validate")]
#[derive(Debug, Args)]
pub struct ValidateArgs {
    /// Files to check; - is standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

/// Options of `mcp`.
#[cfg(feature = "mcp")]
#[derive(Debug, Args)]
pub struct McpArgs {
    /// Which snapshot to answer from
    #[command(flatten)]
    pub file: crate::commands::snapshot_file::FileArgs,
}

/// Options of `completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: Shell,
}

/// A shell that completions are made, and tested, for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[expect(missing_docs, reason = "the names say it all, and documentation would clutter the help")]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// What stands below the options in `--help`.
fn after_help() -> String {
    format!("{EXAMPLES}\n\nExit codes:\n{}{SIGNALS}", ExitCode::table())
}

const EXAMPLES: &str = "\
Examples:
  freepbx-snapshot                        take a snapshot (what cron runs)
  freepbx-snapshot check                  find out why it does not work
  freepbx-snapshot --stdout | jq .summary.text
  freepbx-snapshot demo                   see what it does without a PBX";

/// The shell's words for a run that a signal ended.
const SIGNALS: &str = "  130  ended by SIGINT\n  143  ended by SIGTERM\n\n`status` has the exit codes of a \
                       monitoring plugin instead: see `freepbx-snapshot status --help`.";

impl Common {
    /// Sends the log to standard error: warnings, or more with `-v`; `RUST_LOG` decides where set.
    pub fn start_logging(&self) {
        use tracing_subscriber::{filter::Targets, fmt, prelude::*};
        let level = match self.verbose {
            0 => LevelFilter::WARN,
            1 => LevelFilter::INFO,
            2 => LevelFilter::DEBUG,
            _ => LevelFilter::TRACE,
        };
        let asked = std::env::var("RUST_LOG").ok().and_then(|filter| filter.parse().ok());
        let filter = asked.unwrap_or_else(|| Targets::new().with_default(level));
        let lines = fmt::layer()
            .with_writer(std::io::stderr)
            .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
        let log = tracing_subscriber::registry().with(filter);
        // Fails only when a log has been started before, and then there is one.
        let _ = match self.log_format {
            LogFormat::Text => log.with(lines.with_target(false)).try_init(),
            LogFormat::Json => log.with(lines.json()).try_init(),
        };
    }
}
