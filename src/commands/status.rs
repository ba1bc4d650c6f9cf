//! `status`: a monitoring plugin.

use std::{ffi::OsString, io::Write, path::Path};

use chrono::{DateTime, Utc};
use clap::{Args, ValueEnum};

use super::{collect::print, snapshot_file};
use crate::{
    error::{Error, ExitCode},
    views::{
        self,
        status::{Checks, Metric, Report, Rule, Verdict},
    },
};

/// Options of `status`.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub struct StatusArgs {
    /// The snapshot to read.
    #[command(flatten)]
    pub file: snapshot_file::FileArgs,
    /// What a snapshot is worth after its time (`stale_after`) has passed [default: critical]
    #[arg(long, value_enum, value_name = "VERDICT")]
    pub stale: Option<Stale>,
    /// Seconds since the collection began [default: off, see --stale]
    #[arg(long, value_name = LEVELS, value_parser = rule(Metric::Age))]
    pub age: Vec<Rule>,
    /// Trunks that are down; of a named trunk 0 or 1 [default: ,0]
    #[arg(long, value_name = NAMED_LEVELS, value_parser = rule(Metric::TrunkDown))]
    pub trunk_down: Vec<Rule>,
    /// Calls over each trunk [default: off]
    #[arg(long, value_name = NAMED_LEVELS, value_parser = rule(Metric::TrunkCalls))]
    pub trunk_calls: Vec<Rule>,
    /// Longest wait in each queue, in seconds [default: 120,300]
    #[arg(long, value_name = NAMED_LEVELS, value_parser = rule(Metric::QueueWait))]
    pub queue_wait: Vec<Rule>,
    /// Callers waiting in each queue [default: off]
    #[arg(long, value_name = NAMED_LEVELS, value_parser = rule(Metric::QueueCallers))]
    pub queue_callers: Vec<Rule>,
    /// Callers in each queue whose members are all paused or offline [default: ,0]
    #[arg(long, value_name = NAMED_LEVELS, value_parser = rule(Metric::QueueUnattended))]
    pub queue_unattended: Vec<Rule>,
    /// Extensions without a reachable phone; of a named extension 0 or 1 [default: off]
    #[arg(long, value_name = NAMED_LEVELS, value_parser = rule(Metric::Offline))]
    pub offline: Vec<Rule>,
    /// Calls in progress [default: off]
    #[arg(long, value_name = LEVELS, value_parser = rule(Metric::Calls))]
    pub calls: Vec<Rule>,
    /// Channels in use [default: off]
    #[arg(long, value_name = LEVELS, value_parser = rule(Metric::Channels))]
    pub channels: Vec<Rule>,
    /// Age of the oldest call, in seconds [default: 14400]
    #[arg(long, value_name = LEVELS, value_parser = rule(Metric::CallDuration))]
    pub call_duration: Vec<Rule>,
    /// Seconds since Asterisk started [default: 600:]
    #[arg(long, value_name = LEVELS, value_parser = rule(Metric::Uptime))]
    pub uptime: Vec<Rule>,
}

const LEVELS: &str = "WARN,CRIT";
const NAMED_LEVELS: &str = "[NAME=]WARN,CRIT";

const AFTER_HELP: &str = "\
Thresholds:
  WARN,CRIT are two ranges as in the Monitoring Plugins guidelines; either may be missing (`10`,
  `,20`), and `off` switches a check off. A range alerts when the value is
    10       below 0 or above 10          10:20    below 10 or above 20
    10:      below 10                     @10:20   from 10 to 20
    ~:10     above 10
  With NAME= a rule is for that trunk, queue or extension alone; * and ? stand for any text and any
  character. Options may be repeated and come before the rules in `status:` of the configuration;
  among several that fit, the first decides.

    freepbx-snapshot status --queue-wait 60,180 --queue-wait 400=20,60 --trunk-down backup=0

What is not known is UNKNOWN for its check, never OK. Unmonitored trunks do not count unless named.

Exit codes (those of monitoring plugins, not those of the other commands):
  0  OK
  1  WARNING
  2  CRITICAL; also when the snapshot is stale (see --stale)
  3  UNKNOWN: a value is not known, there is no snapshot, or the command line is wrong";

/// What a stale snapshot is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Stale {
    /// Collecting has failed, perhaps because Asterisk has
    Critical,
    /// Something to look at
    Warning,
    /// For sites that monitor Asterisk itself by other means
    Unknown,
}

impl From<Stale> for Verdict {
    fn from(stale: Stale) -> Self {
        match stale {
            Stale::Critical => Self::Critical,
            Stale::Warning => Self::Warning,
            Stale::Unknown => Self::Unknown,
        }
    }
}

/// Judges the snapshot and prints one line, whatever happens: a monitoring system reads nothing
/// else.
///
/// # Errors
///
/// When the line cannot be printed.
pub fn run(
    arguments: StatusArgs,
    config: Option<&Path>,
    now: DateTime<Utc>,
    out: &mut dyn Write,
) -> Result<ExitCode, Error> {
    let report = judge(arguments, config, now).unwrap_or_else(|error| {
        let reason = error.to_string();
        Report::unknown(&reason)
    });
    print(format!("{}\n", report.line).as_bytes(), out)?;
    Ok(match report.verdict {
        Verdict::Ok => ExitCode::Complete,
        Verdict::Warning => ExitCode::STATUS_WARNING,
        Verdict::Critical => ExitCode::StatusCritical,
        Verdict::Unknown => ExitCode::Partial,
    })
}

fn judge(
    arguments: StatusArgs,
    config: Option<&Path>,
    now: DateTime<Utc>,
) -> Result<Report, Error> {
    let settings = snapshot_file::settings(config)?;
    let path = match &arguments.file.file {
        Some(path) => path.clone(),
        None => snapshot_file::path_in(settings.as_ref()),
    };
    let snapshot = views::load(&path)?;
    let configured = settings.map(|settings| settings.status);
    Ok(Report::of(&snapshot, &arguments.checks(configured), now))
}

impl StatusArgs {
    /// The rules of the command line, then those of the configuration.
    fn checks(self, configured: Option<Checks>) -> Checks {
        let mut checks = Checks::default();
        if let Some(stale) = self.stale {
            checks.set_stale(stale.into());
        }
        let given = [
            (Metric::Age, self.age),
            (Metric::TrunkDown, self.trunk_down),
            (Metric::TrunkCalls, self.trunk_calls),
            (Metric::QueueWait, self.queue_wait),
            (Metric::QueueCallers, self.queue_callers),
            (Metric::QueueUnattended, self.queue_unattended),
            (Metric::Offline, self.offline),
            (Metric::Calls, self.calls),
            (Metric::Channels, self.channels),
            (Metric::CallDuration, self.call_duration),
            (Metric::Uptime, self.uptime),
        ];
        for (metric, rules) in given {
            rules.into_iter().for_each(|rule| checks.add(metric, rule));
        }
        checks.before(configured.unwrap_or_default())
    }
}

fn rule(metric: Metric) -> impl Fn(&str) -> Result<Rule, String> + Clone + Send + Sync + 'static {
    move |text| Rule::parse(metric, text)
}

/// The exit code for a wrong command line. Of `status` it is UNKNOWN, with a line to `out`, since a
/// monitoring system reads nothing else.
#[must_use]
pub fn refused(mut arguments: impl Iterator<Item = OsString>, out: &mut dyn Write) -> u8 {
    if !arguments.any(|argument| argument == "status") {
        return ExitCode::Usage.number();
    }
    let report = Report::unknown("the command line is wrong; see freepbx-snapshot status --help");
    // The exit code says it, too.
    let _ = print(format!("{}\n", report.line).as_bytes(), out);
    report.verdict.exit_code()
}
