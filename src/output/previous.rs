//! The snapshot of the run before, to tell what has changed.

use std::{io::Read as _, path::Path};

use fs_err::File;

use crate::snapshot::{Baseline, SCHEMA_VERSION};

/// Reads what matters of the snapshot that the next one will replace; `None` where there is none, or none that this
/// version understands. It serves to tell changes, so nothing about it may fail a run.
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
    /// Several times what 25,000 extensions and 5,000 channels take.
    const LARGEST: u64 = 256 << 20;
    // Opening a pipe would wait for somebody to write into it.
    let length = match fs_err::metadata(path).map_err(|error| error.to_string())? {
        metadata if metadata.is_file() => metadata.len(),
        _ => return Err("not a file".to_owned()),
    };
    if length > LARGEST {
        return Err(format!("larger than {LARGEST} bytes"));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or(0) + 1);
    File::open(path)
        .and_then(|file| file.take(LARGEST).read_to_end(&mut bytes))
        .map_err(|error| error.to_string())?;
    // One of another version may have another shape, or the same one with another meaning.
    let snapshot: Baseline = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    match snapshot.schema_version {
        SCHEMA_VERSION => Ok(snapshot),
        version => Err(format!("schema_version {version}")),
    }
}
