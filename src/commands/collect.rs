//! `collect`: takes a snapshot and writes it. What cron runs.

mod previous;

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

use chrono::{DateTime, Utc};
use tracing::{debug, warn};

use self::previous::{Reading, previous};
use super::{export::Form, transcript::Transcript};
use crate::{
    ami::Action,
    cli::LogFormat,
    collect::{Outcome, Plan, Progress, Role, Target, collect, sources},
    config::{Cache, OutputFile, Outputs},
    error::{Error, ExitCode},
    normalize::{Context, snapshot},
    output::{self, Attempt, Lock, RunsBefore},
    snapshot::{Baseline, RunOutcome, Section, SectionStatus, Snapshot, Timestamp},
    terminal::clean,
};

/// What to collect, and where to put it.
#[derive(Debug)]
pub struct Job<'a> {
    /// Whom to ask.
    pub target: &'a Target,
    /// What to ask.
    pub plan: &'a Plan,
    /// Where the snapshot goes and how long it is good.
    pub cache: &'a Cache,
    /// What is written beside it.
    pub outputs: &'a Outputs,
    /// Whether the PBX is the embedded demonstration.
    pub demo: bool,
    /// Print the snapshot instead of writing it.
    pub to_stdout: bool,
    /// Tell a person at a terminal what happens.
    pub talkative: bool,
    /// Whether what is missing is told in a line of its own or as an event of the log.
    pub log_format: LogFormat,
    /// When the collection begins.
    pub now: DateTime<Utc>,
    /// What the exchange is written to, where that is wanted.
    pub transcript: Option<&'a Transcript>,
}

/// Takes a snapshot and writes it, or prints it to `out`; beside a written one, and beside the old
/// one after a failure, the status file tells how the run went. `said` takes what a person is told:
/// nothing on success without a terminal, one line about what is missing from a partial snapshot.
///
/// # Errors
///
/// When there is nothing to write, or it cannot be written. The previous file is untouched then.
pub async fn run(
    job: &Job<'_>,
    out: &mut dyn Write,
    said: &mut dyn Write,
) -> Result<ExitCode, Error> {
    if job.to_stdout {
        return take(job, out, said).await.map(|taken| code(&taken.snapshot));
    }
    // Held until the status is written, too.
    let lock = match Lock::acquire(&job.cache.path) {
        Err(locked @ output::Error::Locked { .. }) => return Err(locked.into()),
        result => result,
    };
    let mut status = StatusGuard { job, ended: false };
    let taken = match lock {
        Ok(_) => take(job, out, said).await,
        Err(error) => Err(error.into()),
    };
    status.end(&taken);
    taken.map(|taken| {
        let code = code(&taken.snapshot);
        // The process ends now, and with it all memory at once. To give back what a large PBX has
        // piece by piece would only take time.
        std::mem::forget(taken);
        code
    })
}

/// A snapshot that was written or printed, and the one before it.
struct Taken {
    snapshot: Snapshot,
    previous: Option<Baseline>,
}

/// Takes a snapshot, writes or prints it, and tells what there is to tell.
async fn take(job: &Job<'_>, out: &mut dyn Write, said: &mut dyn Write) -> Result<Taken, Error> {
    let path = &job.cache.path;
    let (reading, told) = Reading::begin(job);
    let mut sections = SectionProgress::new(job.plan);
    let mut progress = |progress: Progress<'_>| {
        if job.talkative {
            sections.tell(&progress, said);
        }
    };
    let collected = collect(job.target, job.plan, Some(told), &mut progress).await?;
    // It was asked for, so that a run without it has failed, and leaves the file as it was.
    job.transcript.map_or(Ok(()), Transcript::finish)?;
    if !collected.answers.iter().any(|(_, outcome, _)| matches!(outcome, Outcome::Answered(_))) {
        return Err(Error::Timeout { after: job.target.run_timeout });
    }
    let context = Context {
        host: job.target.host.clone(),
        port: job.target.port,
        tls: job.target.options.tls.is_some(),
        demo: job.demo,
        collected_at: Timestamp::new(job.now),
        stale_after_seconds: job.cache.stale_after.as_secs(),
    };
    let previous = reading.end().await?;
    let snapshot = snapshot(&collected, job.plan, &context, previous.as_ref());
    // Large on a large PBX, and not needed any more.
    drop(collected);
    if job.to_stdout {
        print(&serialize(&snapshot, job.cache.pretty)?, out)?;
    } else {
        let target = output::Target { path, mode: job.cache.file_mode };
        let write = |file: &mut output::File<'_>| write_json(&snapshot, job.cache.pretty, file);
        let written = output::write_with(&target, write)?;
        output::keep(&Baseline::from(&snapshot), written, &target);
        record(&snapshot, &target, job);
        write_outputs(&snapshot, job);
    }
    if job.talkative {
        tell_person(&snapshot, job, said);
    } else if !snapshot.complete {
        match job.log_format {
            LogFormat::Json => warn!("{}", clean(&missing(&snapshot))),
            LogFormat::Text => say(said, &format!("freepbx-snapshot: {}", missing(&snapshot))),
        }
    }
    Ok(Taken { snapshot, previous })
}

fn code(snapshot: &Snapshot) -> ExitCode {
    if snapshot.complete { ExitCode::Complete } else { ExitCode::Partial }
}

/// Sees to it that a run leaves its status behind, however it ends: where it is dropped before its
/// end, a signal has ended the run.
struct StatusGuard<'a> {
    job: &'a Job<'a>,
    ended: bool,
}

impl StatusGuard<'_> {
    fn end(&mut self, taken: &Result<Taken, Error>) {
        match taken {
            Ok(Taken { snapshot, previous }) => {
                let code = code(snapshot);
                let reason = (!snapshot.complete).then(|| missing(snapshot));
                let (exit_code, stale_after) = (Some(code.number()), Some(snapshot.stale_after));
                let (outcome, reason) = (outcome(code), reason.as_deref());
                self.leave(outcome, exit_code, reason, stale_after, previous.as_ref());
            }
            Err(error) => {
                let code = error.exit_code();
                self.fail(outcome(code), Some(code.number()), &error.to_string());
            }
        }
    }

    /// The snapshot before is still in its place.
    fn fail(&mut self, outcome: RunOutcome, exit_code: Option<u8>, reason: &str) {
        let previous = previous(&self.job.cache.path, self.job.now);
        self.leave(outcome, exit_code, Some(reason), None, previous.as_ref());
    }

    fn leave(
        &mut self,
        outcome: RunOutcome,
        exit_code: Option<u8>,
        reason: Option<&str>,
        stale_after: Option<Timestamp>,
        previous: Option<&Baseline>,
    ) {
        self.ended = true;
        let reason = reason.map(clean);
        let reason = reason.as_deref();
        let at = Timestamp::new(self.job.now);
        let attempt = Attempt { at, outcome, exit_code, reason, stale_after };
        let cache = self.job.cache;
        let target = output::Target { path: &cache.path, mode: cache.file_mode };
        let runs = RunsBefore::read(&cache.path, previous);
        match output::write_status(&runs.after(&attempt), &target) {
            Ok(()) => {}
            Err(error) if outcome.is_success() => warn!("{error}"),
            // What failed the run is told; that its status could not be kept follows from it.
            Err(error) => debug!(%error, "no status"),
        }
    }
}

impl Drop for StatusGuard<'_> {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let (outcome, reason) = match std::thread::panicking() {
            true => (RunOutcome::Internal, "a mistake in the program ended the run"),
            false => (RunOutcome::Interrupted, "a signal ended the run"),
        };
        self.fail(outcome, None, reason);
    }
}

/// The word of the status file for an exit code.
fn outcome(code: ExitCode) -> RunOutcome {
    match code {
        ExitCode::Complete => RunOutcome::Complete,
        ExitCode::Partial => RunOutcome::Partial,
        ExitCode::NoConnection => RunOutcome::NoConnection,
        ExitCode::NotAmi => RunOutcome::NotAmi,
        ExitCode::LoginRefused => RunOutcome::LoginRefused,
        ExitCode::Timeout => RunOutcome::Timeout,
        ExitCode::CannotWrite => RunOutcome::CannotWrite,
        ExitCode::Config => RunOutcome::Config,
        // A locked run leaves no status, and the others are no runs.
        ExitCode::Internal
        | ExitCode::Locked
        | ExitCode::Usage
        | ExitCode::NotFound
        | ExitCode::StatusCritical
        | ExitCode::InvalidInput
        | ExitCode::NoSnapshot => RunOutcome::Internal,
    }
}

/// Adds what has changed to the history. The snapshot is written by then, so that nothing about
/// this may fail the run.
fn record(snapshot: &Snapshot, target: &output::Target<'_>, job: &Job<'_>) {
    // What the demonstration shows has never happened.
    let Some(largest) = job.cache.history_max_bytes.filter(|_| !job.demo) else { return };
    let changes = snapshot.changes.as_deref().unwrap_or_default();
    let recorded = output::append_history(changes, snapshot.collected_at, target, largest);
    if let Err(error) = recorded {
        warn!("the snapshot is written, but not the history of changes: {error}");
    }
}

/// The snapshot as it stands in the file.
///
/// # Errors
///
/// None that can happen to a snapshot; an internal error otherwise.
pub fn serialize(snapshot: &Snapshot, pretty: bool) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    write_json(snapshot, pretty, &mut bytes).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(bytes)
}

/// Writes the snapshot as it stands in the file.
///
/// # Errors
///
/// Those of the writer.
pub fn write_json(snapshot: &Snapshot, pretty: bool, to: &mut impl Write) -> io::Result<()> {
    match pretty {
        true => serde_json::to_writer_pretty(&mut *to, snapshot)?,
        false => serde_json::to_writer(&mut *to, snapshot)?,
    }
    to.write_all(b"\n")
}

/// Writes what else is configured. The snapshot is in place by now, so what fails here is a warning
/// and no failure of the run.
fn write_outputs(snapshot: &Snapshot, job: &Job<'_>) {
    let files = [(Form::Html, &job.outputs.html), (Form::Prometheus, &job.outputs.prometheus)];
    for (form, file) in files {
        let Some(OutputFile { path, mode }) = file else {
            continue;
        };
        output::remove_leftovers(path);
        let text = form.render(snapshot, job.now);
        if let Err(error) = output::write(text.as_bytes(), &output::Target { path, mode: *mode }) {
            tracing::warn!("{}", clean(&error.to_string()));
        }
    }
}

/// Prints a result. A reader that has seen enough and closed its end is no failure.
///
/// # Errors
///
/// When it cannot be written for any other reason.
pub fn print(bytes: &[u8], out: &mut dyn Write) -> Result<(), Error> {
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Error::Stdout(error.to_string()))
        }
        _ => Ok(()),
    }
}

/// What a partial snapshot lacks, in one line.
fn missing(snapshot: &Snapshot) -> String {
    let parts: Vec<String> = snapshot
        .sections
        .iter()
        .filter_map(|(section, report)| {
            let status = match report.status {
                SectionStatus::Ok | SectionStatus::Unsupported | SectionStatus::Disabled => {
                    return None;
                }
                SectionStatus::Partial => "partial",
                SectionStatus::Denied => "denied",
                SectionStatus::Timeout => "timeout",
                SectionStatus::Error => "error",
            };
            let message = report.message.as_deref().unwrap_or("no reason given");
            Some(format!("{} {status}: {message}", section.as_str()))
        })
        .collect();
    format!("the snapshot is partial; {}", parts.join("; "))
}

/// What a person at a terminal sees at the end.
fn tell_person(snapshot: &Snapshot, job: &Job<'_>, said: &mut dyn Write) {
    say(said, "");
    say(said, &snapshot.summary.text);
    for attention in &snapshot.summary.attention {
        say(said, &format!("  ! {}", attention.message));
    }
    let shown = u64::try_from(snapshot.summary.attention.len()).unwrap_or(u64::MAX);
    if snapshot.summary.attention_total > shown {
        say(said, &format!("  ! and {} more", snapshot.summary.attention_total - shown));
    }
    if !snapshot.complete {
        say(said, &missing(snapshot));
    }
    if !job.to_stdout {
        let path = job.cache.path.display();
        say(said, &format!("\n{path} written in {} ms.", snapshot.source.duration_ms));
    }
}

/// Tells a person one thing.
pub fn say(said: &mut dyn Write, text: &str) {
    // Nobody listening is no reason to fail.
    let _ = writeln!(said, "{}", text.split('\n').map(clean).collect::<Vec<_>>().join("\n"));
}

/// Tells each section as soon as all of its first actions are done with.
struct SectionProgress {
    open: Vec<(Section, BTreeSet<Action>, u64)>,
}

impl SectionProgress {
    fn new(plan: &Plan) -> Self {
        let wanted = Section::ALL.into_iter().filter(|section| !plan.skip.contains(section));
        let open = wanted.map(|section| {
            let actions = sources(section).into_iter().map(|(action, _): (Action, Role)| action);
            (section, actions.collect(), 0)
        });
        Self { open: open.collect() }
    }

    fn tell(&mut self, progress: &Progress<'_>, said: &mut dyn Write) {
        let (action, outcome) = match progress {
            Progress::Connected(address, banner) => {
                return say(said, &format!("connected to {address}: {banner}"));
            }
            Progress::LoggedIn => return,
            Progress::Action(action, outcome, _) => (action, outcome),
        };
        for (section, actions, rows) in &mut self.open {
            if actions.remove(action) {
                if let Outcome::Answered(answer) = outcome {
                    *rows += u64::try_from(answer.rows().len()).unwrap_or(0);
                }
                if actions.is_empty() {
                    let came = match rows {
                        0 => "read".to_owned(),
                        rows => format!("read, {rows} rows"),
                    };
                    say(said, &format!("  {:<12} {came}", section.as_str()));
                }
            }
        }
    }
}
