//! The status file: how the latest run went, for readers who find an old snapshot.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Collector, Timestamp};

/// How the latest run went: everything that `freepbx.status.json` beside the snapshot holds.
///
/// A run that fails leaves the snapshot as it was, so that the snapshot alone cannot tell a
/// collector that fails from one that is not run. Every run that gets as far as knowing where the
/// snapshot belongs replaces this file, just as atomically. A run that did nothing because another
/// one was at work leaves it alone, and so does one that was killed outright (`kill -9`, power
/// cut): `last_attempt_at` stays behind then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "freepbx-snapshot status")]
pub struct RunStatus {
    /// Version of this shape. It changes only when a key is renamed, retyped or re-meant.
    pub schema_version: u32,
    /// When the latest run began.
    pub last_attempt_at: Timestamp,
    /// When the latest run began that wrote a snapshot, complete or partial: the snapshot's
    /// `collected_at`. `null` when there never was one.
    pub last_success_at: Option<Timestamp>,
    /// When the latest run began that wrote a complete snapshot. `null` when none is known of.
    pub last_complete_at: Option<Timestamp>,
    /// Runs in a row, the latest included, that wrote no snapshot. 0 after one that did.
    pub consecutive_failures: u32,
    /// What came of the latest run, in one word.
    pub outcome: RunOutcome,
    /// The latest run's exit code. `null` where it was ended from outside, by a signal.
    pub exit_code: Option<u8>,
    /// Why the latest run wrote no snapshot, or what its snapshot lacks, in one line as it stood on
    /// standard error; may hold *caller-supplied* words of the PBX. `null` after a complete one.
    pub reason: Option<String>,
    /// The snapshot's `stale_after`: past this moment it must not be presented as current. `null`
    /// when there is no snapshot.
    pub stale_after: Option<Timestamp>,
    /// The program that wrote this file.
    pub collector: Collector,
}

/// What came of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// A complete snapshot was written.
    Complete,
    /// A snapshot was written, but a section is missing.
    Partial,
    /// No connection to the PBX.
    NoConnection,
    /// What answers is not an Asterisk Manager Interface.
    NotAmi,
    /// The PBX refused the login.
    LoginRefused,
    /// The PBX did not answer in time.
    Timeout,
    /// The snapshot cannot be written.
    CannotWrite,
    /// The configuration is wrong.
    Config,
    /// The run was ended from outside, by a signal.
    Interrupted,
    /// A mistake in the program.
    Internal,
}

impl RunOutcome {
    /// True where a snapshot was written.
    #[must_use]
    pub fn is_success(self) -> bool {
        matches!(self, Self::Complete | Self::Partial)
    }
}
