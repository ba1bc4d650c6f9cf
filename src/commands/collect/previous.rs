//! The snapshot before: what to compare with, and what it lets foresee.

use std::{path::Path, sync::mpsc};

use chrono::{DateTime, Utc};
use tokio::task::{JoinHandle, spawn_blocking};

use super::Job;
use crate::{
    collect::Foresight,
    error::Error,
    output,
    snapshot::{Baseline, Timestamp},
};

/// What the snapshot in the file says now.
pub(super) fn previous(path: &Path, now: DateTime<Utc>) -> Option<Baseline> {
    let found = output::read_kept(path, u64::MAX).or_else(|| output::read_previous(path))?;
    Some(at_most(now, found))
}

/// A snapshot later than now, where the clock was set back since: what differs is right all the same,
/// but nothing can have differed since a time to come.
fn at_most(now: DateTime<Utc>, mut previous: Baseline) -> Baseline {
    previous.collected_at = previous.collected_at.min(Timestamp::new(now));
    previous
}

/// The snapshot before, while it is being read.
pub(super) enum Reading {
    /// It was read.
    Done(Box<Baseline>),
    /// A thread reads it.
    Begun(JoinHandle<Option<Baseline>>),
}

impl Reading {
    /// Begins to read, and tells beside it what a run like the one before will ask for.
    ///
    /// There is time for it while the PBX answers. But where it takes less than to begin a thread, as
    /// on most PBXs, it is done at once.
    pub(super) fn begin(job: &Job<'_>) -> (Self, Foresight) {
        const AT_ONCE: u64 = 64 << 10;
        let (foresight, told) = mpsc::channel();
        let (path, now) = (job.cache.path.clone(), job.now);
        if let Some(kept) = output::read_kept(&path, AT_ONCE) {
            let kept = at_most(now, kept);
            let _ = foresight.send(job.plan.foreseen(&kept));
            return (Self::Done(Box::new(kept)), told);
        }
        let plan = job.plan.clone();
        let reading = spawn_blocking(move || {
            let previous = previous(&path, now);
            let foreseen = previous.as_ref().map(|previous| plan.foreseen(previous));
            // Nobody listens where the login was faster.
            let _ = foresight.send(foreseen.unwrap_or_default());
            previous
        });
        (Self::Begun(reading), told)
    }

    pub(super) async fn end(self) -> Result<Option<Baseline>, Error> {
        match self {
            Self::Done(previous) => Ok(Some(*previous)),
            Self::Begun(reading) => {
                reading.await.map_err(|error| Error::Internal(error.to_string()))
            }
        }
    }
}
