//! Readers of a snapshot: what people, assistants and monitoring make of the file.
//!
//! Everything here works on a file read from disk, on any machine, with no PBX in sight: it knows
//! [`crate::snapshot`] and nothing of how a snapshot comes about. Nothing presents a stale file as
//! current: see [`Freshness`].

pub mod html;
pub mod prometheus;
pub mod status;

use std::path::{Path, PathBuf};

use serde::Deserialize;

pub mod history;
pub mod show;

use crate::snapshot::{SCHEMA_VERSION, Snapshot, Timestamp};

#[cfg(feature = "mcp")]
pub mod mcp;

/// Why a snapshot cannot be read. Its text is one line that says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no such file.
    #[error("{} does not exist; `freepbx-snapshot collect` writes it, --file names another", .0.display())]
    Missing(PathBuf),
    /// The file cannot be read.
    #[error("cannot read the snapshot: {0}")]
    Read(std::io::Error),
    /// The file is no snapshot.
    #[error("{} is no snapshot: {reason}", .path.display())]
    NotASnapshot {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The snapshot is of a version of the contract that this program does not know.
    #[error(
        "{} has schema_version {found}, this program reads {SCHEMA_VERSION}; update it",
        .path.display()
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u64,
    },
}

/// Reads a snapshot file.
///
/// # Errors
///
/// When there is none, it cannot be read, or it is no snapshot of this version.
pub fn load(path: &Path) -> Result<Snapshot, Error> {
    #[derive(Deserialize)]
    struct Version {
        schema_version: u64,
    }
    let bytes = fs_err::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::Missing(path.to_owned()),
        _ => Error::Read(error),
    })?;
    let not_a_snapshot = |error: serde_json::Error| Error::NotASnapshot {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    // The version first: a later one may differ in anything else.
    let Version { schema_version } = serde_json::from_slice(&bytes).map_err(not_a_snapshot)?;
    if schema_version != u64::from(SCHEMA_VERSION) {
        return Err(Error::Version { path: path.to_owned(), found: schema_version });
    }
    serde_json::from_slice(&bytes).map_err(not_a_snapshot)
}

/// How old a snapshot is, and whether it may still be presented as current.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Freshness {
    /// Seconds since the collection began; 0 where the clock was set back since.
    pub age_seconds: u64,
    /// True once `stale_after` has passed.
    pub is_stale: bool,
}

impl Freshness {
    /// The freshness of a snapshot at a given time, such as `std::time::SystemTime::now()`.
    #[must_use]
    pub fn of(snapshot: &Snapshot, now: impl Into<Timestamp>) -> Self {
        let now = now.into();
        Self {
            age_seconds: now.seconds_since(snapshot.collected_at),
            is_stale: now > snapshot.stale_after,
        }
    }
}
