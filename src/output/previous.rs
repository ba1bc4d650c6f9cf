//! The snapshot of the run before, to tell what has changed.

use std::{io::Read as _, path::Path};

use fs_err::File;
use serde::Deserialize;

use crate::snapshot::{SCHEMA_VERSION, Snapshot};

/// Reads the snapshot that the next one will replace; `None` where there is none, or none that this
/// version understands. It serves to tell changes, so nothing about it may fail a run.
#[must_use]
pub fn read_previous(path: &Path) -> Option<Snapshot> {
    match read(path) {
        Ok(snapshot) => Some(snapshot),
        Err(reason) => {
            tracing::debug!(path = %path.display(), reason, "no previous snapshot");
            None
        }
    }
}

fn read(path: &Path) -> Result<Snapshot, String> {
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
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST).read_to_end(&mut bytes))
        .map_err(|error| error.to_string())?;
    let version: Version = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    if version.schema_version != SCHEMA_VERSION {
        return Err(format!("schema_version {}", version.schema_version));
    }
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}

/// As much of a snapshot as every version has.
#[derive(Deserialize)]
struct Version {
    schema_version: u32,
}
