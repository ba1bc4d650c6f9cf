//! Why a capture cannot be read or written, and what to do about it.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a capture cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder is no capture.
    #[error(
        "{} is no capture: {reason}; `freepbx-snapshot capture DIR` makes one", path.display()
    )]
    NotACapture {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file or folder of a capture cannot be read.
    #[error("cannot read {}: {reason}; check its owner and mode", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// The system's own words.
        reason: String,
    },
    /// There is something where the capture is to be.
    #[error(
        "cannot write a capture to {}: {what}; name a folder that does not exist or is empty",
        path.display()
    )]
    Occupied {
        /// The folder.
        path: PathBuf,
        /// What is there.
        what: &'static str,
    },
    /// The capture cannot be written. Nothing is left of it.
    #[error(
        "cannot write a capture to {}: {reason}; check the disk and who may write there",
        path.display()
    )]
    Unwritable {
        /// The folder.
        path: PathBuf,
        /// The system's own words.
        reason: String,
    },
}

impl Error {
    pub(super) fn unreadable(path: &Path, source: &io::Error) -> Self {
        Self::Unreadable { path: path.to_owned(), reason: source.to_string() }
    }

    pub(super) fn unwritable(path: &Path, source: &io::Error) -> Self {
        Self::Unwritable { path: path.to_owned(), reason: source.to_string() }
    }

    /// Whether it is about a capture that was to be written.
    #[must_use]
    pub fn is_about_writing(&self) -> bool {
        matches!(self, Self::Occupied { .. } | Self::Unwritable { .. })
    }
}
