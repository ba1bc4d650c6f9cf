//! The status file beside the snapshot: what stood in it, and what stands in it next.

use std::{
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
};

use fs_err::File;

use super::{Error, Target};
use crate::snapshot::{Baseline, Collector, RunOutcome, RunStatus, SCHEMA_VERSION, Timestamp};

/// Where the status of a snapshot stands: `freepbx.status.json` for `freepbx.json`.
#[must_use]
pub fn status_path(snapshot: &Path) -> PathBuf {
    snapshot.with_extension("status.json")
}

/// What is known before a run about the runs before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunsBefore {
    last_success_at: Option<Timestamp>,
    last_complete_at: Option<Timestamp>,
    stale_after: Option<Timestamp>,
    consecutive_failures: u32,
}

/// What came of a run, as far as its status tells.
#[derive(Debug)]
pub struct Attempt<'a> {
    /// When it began.
    pub at: Timestamp,
    /// What came of it.
    pub outcome: RunOutcome,
    /// The exit code; `None` where a signal ended it.
    pub exit_code: Option<u8>,
    /// Why it wrote nothing, or what is missing.
    pub reason: Option<&'a str>,
    /// When the snapshot that it wrote becomes stale.
    pub stale_after: Option<Timestamp>,
}

impl RunsBefore {
    /// Reads the status of the run before. A missing or damaged one is no obstacle: what the
    /// snapshot itself tells (`previous`) takes its place, and the count of failures begins anew.
    #[must_use]
    pub fn read(snapshot: &Path, previous: Option<&Baseline>) -> Self {
        let status = read(&status_path(snapshot));
        let before = status.as_ref();
        // The file that is there has the last word: another program may have put it there.
        let written = previous.map(|snapshot| snapshot.collected_at);
        let complete = previous.filter(|snapshot| snapshot.complete).map(|it| it.collected_at);
        Self {
            last_success_at: written.or(before.and_then(|status| status.last_success_at)),
            last_complete_at: complete.or(before.and_then(|status| status.last_complete_at)),
            stale_after: previous
                .map(|snapshot| snapshot.stale_after)
                .or(before.and_then(|status| status.stale_after)),
            consecutive_failures: before.map_or(0, |status| status.consecutive_failures),
        }
    }

    /// The status after one more run.
    #[must_use]
    pub fn after(&self, attempt: &Attempt<'_>) -> RunStatus {
        let written = attempt.outcome.is_success();
        let at = Some(attempt.at);
        RunStatus {
            schema_version: SCHEMA_VERSION,
            last_attempt_at: attempt.at,
            last_success_at: if written { at } else { self.last_success_at },
            last_complete_at: match attempt.outcome {
                RunOutcome::Complete => at,
                _ => self.last_complete_at,
            },
            consecutive_failures: match written {
                true => 0,
                false => self.consecutive_failures.saturating_add(1),
            },
            outcome: attempt.outcome,
            exit_code: attempt.exit_code,
            reason: attempt.reason.map(bounded_line),
            stale_after: if written { attempt.stale_after } else { self.stale_after },
            collector: Collector::this(),
        }
    }
}

/// A reason that stays on one line and is short enough to be shown anywhere.
fn bounded_line(text: &str) -> String {
    const LONGEST: usize = 1_000;
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect()
}

/// Replaces the status file in one step, like the snapshot; after a power cut it may be the one
/// before.
///
/// # Errors
///
/// As for [`write`](super::write).
pub fn write_status(status: &RunStatus, snapshot: &Target<'_>) -> Result<(), Error> {
    let path = status_path(snapshot.path);
    let mut bytes = serde_json::to_vec_pretty(status)
        .map_err(|error| Error::io("writing its status", &path, &error.into()))?;
    bytes.push(b'\n');
    let target = Target { path: &path, mode: snapshot.mode };
    super::replace(&target, super::Durability::OldOrNew, |file| file.write_all(&bytes)).map(|_| ())
}

/// Reads a status file; `None` for whatever is none.
#[must_use]
pub fn read(path: &Path) -> Option<RunStatus> {
    /// Many times what one takes.
    const LARGEST: u64 = 64 << 10;
    // Opening a pipe would wait for somebody to write into it.
    fs_err::metadata(path).ok().filter(|it| it.is_file() && it.len() <= LARGEST)?;
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(LARGEST).read_to_end(&mut bytes).ok()?;
    let status: RunStatus = serde_json::from_slice(&bytes).ok()?;
    (status.schema_version == SCHEMA_VERSION).then_some(status)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(at: i64, outcome: RunOutcome) -> Attempt<'static> {
        let at = Timestamp::from_epoch(at).unwrap();
        let stale_after = outcome.is_success().then(|| at.plus_seconds(600));
        let reason = (outcome != RunOutcome::Complete).then_some("why\nnot");
        Attempt { at, outcome, exit_code: Some(0), reason, stale_after }
    }

    /// What the next run would read from a status alone.
    fn reread(status: &RunStatus) -> RunsBefore {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("freepbx.json");
        write_status(status, &Target { path: &path, mode: 0o640 }).unwrap();
        RunsBefore::read(&path, None)
    }

    #[test]
    fn failures_are_counted_until_a_snapshot_is_written() {
        let at = |seconds| Timestamp::from_epoch(seconds);
        let first = RunsBefore::default().after(&attempt(1, RunOutcome::Timeout));
        assert_eq!((first.consecutive_failures, first.last_success_at), (1, None));
        assert_eq!(first.reason.as_deref(), Some("why not"));
        let second = reread(&first).after(&attempt(2, RunOutcome::LoginRefused));
        assert_eq!((second.consecutive_failures, second.stale_after), (2, None));
        let third = reread(&second).after(&attempt(3, RunOutcome::Complete));
        assert_eq!((third.consecutive_failures, third.reason.clone()), (0, None));
        let fourth = reread(&third).after(&attempt(4, RunOutcome::Partial));
        assert_eq!((fourth.last_success_at, fourth.last_complete_at), (at(4), at(3)));
        let fifth = reread(&fourth).after(&attempt(5, RunOutcome::NotAmi));
        assert_eq!((fifth.last_success_at, fifth.last_complete_at), (at(4), at(3)));
        assert_eq!((fifth.stale_after, fifth.consecutive_failures), (at(604), 1));
    }

    #[test]
    fn what_is_no_status_counts_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("freepbx.json");
        for content in ["", "{", "null", "{\"schema_version\":1}", &"[".repeat(70_000)] {
            fs_err::write(status_path(&path), content).unwrap();
            assert_eq!(RunsBefore::read(&path, None), RunsBefore::default(), "{content:.20}");
        }
        assert_eq!(read(Path::new("/dev/zero")), None);
    }
}
