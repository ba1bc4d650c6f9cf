//! The snapshot of the run before, to tell what has changed.
//!
//! To read a large PBX's file takes longer than to write the next one. So a run keeps what of its
//! snapshot the next one compares with in a file of its own, `.freepbx.json.baseline`. That file
//! counts for the very snapshot that it was made with, and for no other; it may be missing, torn or
//! old, and then the snapshot itself is read.

use std::{
    fs::Metadata,
    io::{self, Read as _, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use fs_err::File;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Durability, Error, Place, Target, replace};
use crate::snapshot::{Baseline, SCHEMA_VERSION};

/// Several times what 25,000 extensions and 5,000 channels take.
const LARGEST: u64 = 256 << 20;

/// Tells one content of a file from every other: whoever replaces a file or writes into it changes
/// one of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified_seconds: i64,
    modified_nanoseconds: i64,
}

impl Identity {
    pub(super) fn of(file: &Metadata) -> Self {
        Self {
            device: file.dev(),
            inode: file.ino(),
            size: file.size(),
            modified_seconds: file.mtime(),
            modified_nanoseconds: file.mtime_nsec(),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Kept<B> {
    of: Identity,
    baseline: B,
}

/// Keeps what the next run compares with, for [`read_kept`]. The snapshot is in place without it, so
/// nothing about it may fail a run.
pub fn keep(baseline: &Baseline, written: Identity, snapshot: &Target<'_>) {
    let kept = Kept { of: written, baseline };
    let write = |file: &mut super::File<'_>| {
        serde_json::to_writer(&mut *file, &kept)?;
        file.flush()
    };
    let result = kept_path(snapshot.path).and_then(|path| {
        let target = Target { path: &path, mode: snapshot.mode };
        replace(&target, Durability::None, write)
    });
    if let Err(error) = result {
        tracing::debug!(%error, "the next run reads the whole snapshot");
    }
}

/// What was kept of the snapshot that stands at `path` now; `None` where nothing was, or more than
/// `largest` bytes.
#[must_use]
pub fn read_kept(path: &Path, largest: u64) -> Option<Baseline> {
    let of = Identity::of(&fs_err::metadata(path).ok()?);
    let kept: Kept<Baseline> = read_json(&kept_path(path).ok()?, largest.min(LARGEST)).ok()?;
    (kept.of == of && kept.baseline.schema_version == SCHEMA_VERSION).then_some(kept.baseline)
}

/// Reads what matters of the snapshot that the next one will replace; `None` where there is none, or
/// none that this version understands. It serves to tell changes, so nothing about it may fail a run.
#[must_use]
pub fn read_previous(path: &Path) -> Option<Baseline> {
    match read(path) {
        Ok(snapshot) => Some(snapshot),
        Err(reason) => {
            tracing::debug!(path = %path.display(), reason, "no previous snapshot");
            None
        }
    }
}

fn read(path: &Path) -> Result<Baseline, String> {
    // One of another version may have another shape, or the same one with another meaning.
    let snapshot: Baseline = read_json(path, LARGEST)?;
    match snapshot.schema_version {
        SCHEMA_VERSION => Ok(snapshot),
        version => Err(format!("schema_version {version}")),
    }
}

/// Where [`keep`] keeps it, beside the real file where `path` is a link.
pub(super) fn kept_path(path: &Path) -> Result<PathBuf, Error> {
    let place = Place::of(path)?;
    Ok(place.directory.join(format!("{}baseline", place.prefix())))
}

fn read_json<T: DeserializeOwned>(path: &Path, largest: u64) -> Result<T, String> {
    // Opening a pipe would wait for somebody to write into it.
    let length = match fs_err::metadata(path).map_err(|error| error.to_string())? {
        metadata if metadata.is_file() => metadata.len(),
        _ => return Err("not a file".to_owned()),
    };
    if length > largest {
        return Err(format!("larger than {largest} bytes"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
    // The file of std, which does not clear the room before it reads into it.
    let read = |file: File| file.file().take(largest).read_to_end(&mut bytes);
    File::open(path).and_then(read).map_err(|error: io::Error| error.to_string())?;
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}
