//! Reads `history.ndjson`, the changes of past runs that `collect` keeps beside the snapshot.
//!
//! The history tells when something happened; it never fails a reader. A last line that a crash
//! tore, or a line of a later version, is left out.

use std::{
    io::{BufRead as _, BufReader},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use fs_err::File;

use crate::snapshot::{RecordedChange, Snapshot};

/// The changes of past runs, from beside a snapshot file, and of the snapshot itself; oldest first.
#[must_use]
pub fn read(file: &Path, snapshot: &Snapshot) -> Vec<RecordedChange> {
    let path = RecordedChange::history_beside(file);
    // The current generation is opened first: where a run renames it in between, both names lead
    // to it, and it is read once.
    let current = open(&path);
    let before = open(&RecordedChange::generation_before(&path));
    let same = matches!((&current, &before), (Some((_, one)), Some((_, other))) if one == other);
    let mut changes = Vec::new();
    for (file, _) in before.filter(|_| !same).into_iter().chain(current) {
        read_lines(file, &mut changes);
    }
    // Not recorded: a copied snapshot, a history that is off, or a run just between both files.
    if !changes.iter().any(|recorded| recorded.at == snapshot.collected_at) {
        let own = snapshot.changes.iter().flatten().cloned();
        changes.extend(own.map(|change| RecordedChange { at: snapshot.collected_at, change }));
    }
    changes.sort_by_key(|recorded| recorded.at);
    changes
}

fn open(path: &Path) -> Option<(File, (u64, u64))> {
    // Opening a pipe would wait for somebody to write into it.
    if !fs_err::metadata(path).ok()?.is_file() {
        return None;
    }
    let file = File::open(path).ok()?;
    let metadata = file.metadata().ok()?;
    Some((file, (metadata.dev(), metadata.ino())))
}

fn read_lines(file: File, changes: &mut Vec<RecordedChange>) {
    let mut skipped = 0_u64;
    for line in BufReader::new(file).split(b'\n') {
        let Ok(line) = line else { break };
        match serde_json::from_slice(&line) {
            Ok(change) => changes.push(change),
            Err(_) if line.is_empty() => {}
            Err(_) => skipped += 1,
        }
    }
    if skipped > 0 {
        tracing::debug!(skipped, "lines of the history that are torn or of another version");
    }
}
