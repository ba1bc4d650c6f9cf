//! The snapshot behind the answers: read anew when the file has changed, cleaned once.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use serde_json::Value;

use crate::{snapshot::Snapshot, terminal::clean, views};

/// A snapshot file that is looked at for every request.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    last: Mutex<Option<(Version, Arc<Snapshot>)>>,
}

/// What tells one state of the file from the next. A collector replaces the file by renaming, so
/// that the inode alone differs already; size and time are for those who edit in place.
type Version = (u64, u64, Option<SystemTime>);

impl File {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, last: Mutex::new(None) }
    }

    /// The snapshot as it stands in the file now, without characters that steer a reader.
    ///
    /// # Errors
    ///
    /// When there is none, or it cannot be read: the last one is never kept for a file that went.
    pub(super) fn read(&self) -> Result<Arc<Snapshot>, views::Error> {
        // Before the reading: a file that is replaced meanwhile is read again next time.
        let version = version(&self.path);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Some(version), Some((known, snapshot))) = (version, last.as_ref())
            && version == *known
        {
            return Ok(Arc::clone(snapshot));
        }
        *last = None;
        let snapshot = Arc::new(cleaned(views::load(&self.path)?));
        *last = version.map(|version| (version, Arc::clone(&snapshot)));
        Ok(snapshot)
    }
}

fn version(path: &Path) -> Option<Version> {
    let metadata = fs_err::metadata(path).ok()?;
    Some((metadata.ino(), metadata.len(), metadata.modified().ok()))
}

/// Takes control and invisible characters out of every text. Callers choose many of them, and a
/// model, unlike a person at a terminal, reads what cannot be seen.
fn cleaned(snapshot: Snapshot) -> Snapshot {
    let cleaned = serde_json::to_value(&snapshot).and_then(|mut value| {
        clean_texts(&mut value);
        serde_json::from_value(value)
    });
    // Cleaning leaves times and fixed words as they are, so it cannot make a snapshot unreadable.
    cleaned.unwrap_or(snapshot)
}

fn clean_texts(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let std::borrow::Cow::Owned(cleaned) = clean(text) {
                *text = cleaned;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(clean_texts),
        Value::Object(object) => object.values_mut().for_each(clean_texts),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
