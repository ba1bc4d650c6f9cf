//! Why a snapshot cannot be written, and what to do about it.

use std::{
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

/// Why a snapshot cannot be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Another run is at work on the same file.
    #[error("another run is writing {}{}; nothing to do, it will finish", path.display(), by(*pid))]
    Locked {
        /// The file that both want to write.
        path: PathBuf,
        /// Process of the other run, where it could leave its number.
        pid: Option<u32>,
    },
    /// Something else than a file has the name.
    #[error("cannot write {}: it is {what}; move it away or set cache.directory", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The file is in place, but its directory did not reach the disk.
    #[error("wrote {}, but {reason} while writing its directory out; check the disk", path.display())]
    NotDurable {
        /// The file.
        path: PathBuf,
        /// The system's own words.
        reason: String,
    },
    /// The system refused.
    #[error(
        "cannot write {}: {reason} while {doing}; {}; the previous snapshot is untouched",
        path.display(), hint(*kind)
    )]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file that was to be written.
        path: PathBuf,
        /// The kind of refusal.
        kind: ErrorKind,
        /// The system's own words.
        reason: String,
    },
}

impl Error {
    pub(super) fn io(doing: &'static str, path: &Path, source: &io::Error) -> Self {
        Self::Io { doing, path: path.to_owned(), kind: source.kind(), reason: plain(source) }
    }

    pub(super) fn not_durable(path: &Path, source: &io::Error) -> Self {
        Self::NotDurable { path: path.to_owned(), reason: plain(source) }
    }
}

/// The system's words alone. `fs_err` and `tempfile` put paths around them: one that stands in the
/// message already, and one that ends with random letters.
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at path \"").next().unwrap_or_default();
    text.rsplit("`: ").next().unwrap_or_default().to_owned()
}

fn by(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

fn hint(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::StorageFull => "free some space on this disk (see df and df -i)",
        ErrorKind::QuotaExceeded => "this user's disk quota is used up (see quota)",
        ErrorKind::FileTooLarge => "a limit on the size of files is in force (see ulimit -f)",
        ErrorKind::ReadOnlyFilesystem => {
            "this disk is mounted read-only: set cache.directory to another place, or in a systemd \
             unit ReadWritePaths="
        }
        ErrorKind::PermissionDenied => {
            "the user that runs this needs write permission for the directory (chown), or set \
             cache.directory to another place"
        }
        ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
            "a part of its path is a file: move that away or set cache.directory"
        }
        ErrorKind::NotFound => "create its directory, or set cache.directory to another place",
        _ => "check the disk and cache.directory",
    }
}
