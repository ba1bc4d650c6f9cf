//! The changes of past runs, one JSON object a line, in a file that does not grow for ever.

use std::{
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::{MetadataExt as _, fchown},
    path::Path,
};

use fs_err::{self as fs, File, OpenOptions, os::unix::fs::OpenOptionsExt as _};
use rustix::fs::OFlags;

use super::Target;
use crate::snapshot::{Change, RecordedChange, Timestamp};

/// Appends changes to the history beside a snapshot. Only for the holder of the lock.
///
/// One write takes all of them, and it begins on a line of its own whatever a crash has left. A
/// file that would grow past `largest` bytes is renamed first, over the generation before. So both
/// together never take more than twice that; of changes that are too many for one file, the first
/// are kept, which are the gravest.
///
/// # Errors
///
/// When a file cannot be opened, renamed or written. Nothing is lost then but these changes.
pub fn append_history(
    changes: &[Change],
    at: Timestamp,
    snapshot: &Target<'_>,
    largest: u64,
) -> io::Result<()> {
    let mut lines = Vec::new();
    for change in changes {
        let line = serde_json::to_vec(&RecordedChange { at, change: change.clone() })?;
        if bytes(lines.len() + line.len() + 2) > largest {
            break;
        }
        lines.extend(line);
        lines.push(b'\n');
    }
    if lines.is_empty() {
        return Ok(());
    }
    let path = RecordedChange::history_beside(snapshot.path);
    let mut file = open(&path, snapshot)?;
    if file.metadata()?.len() + bytes(lines.len() + 1) > largest {
        fs::rename(&path, RecordedChange::generation_before(&path))?;
        file = open(&path, snapshot)?;
    }
    if is_torn(&mut file)? {
        lines.insert(0, b'\n');
    }
    file.write_all(&lines)?;
    file.sync_data()
}

fn bytes(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// Opens the file to append to it, with the mode and, as far as permitted, the owner of the
/// snapshot: a run as root must not take it away from the user of the next.
fn open(path: &Path, snapshot: &Target<'_>) -> io::Result<File> {
    // A link is refused: it could make root write elsewhere. A pipe would block, a device is none
    // of our business.
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(snapshot.mode)
        .custom_flags(flags)
        .open(path)?;
    let own = file.metadata()?;
    if !own.is_file() {
        return Err(io::Error::other(format!("{} is not a file", path.display())));
    }
    if let Ok(theirs) = fs::metadata(snapshot.path) {
        for (owner, group) in [
            ((own.uid() != theirs.uid()).then_some(theirs.uid()), None),
            (None, (own.gid() != theirs.gid()).then_some(theirs.gid())),
        ] {
            if let Err(error) = fchown(file.file(), owner, group) {
                tracing::debug!(%error, ?owner, ?group, "owner of the history not kept");
            }
        }
    }
    // Another user's file that this one may write is good as it is.
    if own.mode() & 0o7777 != snapshot.mode {
        let mode = std::os::unix::fs::PermissionsExt::from_mode(snapshot.mode);
        if let Err(error) = file.set_permissions(mode) {
            tracing::debug!(%error, "mode of the history not set");
        }
    }
    Ok(file)
}

/// Whether the file ends in the middle of a line.
fn is_torn(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}
