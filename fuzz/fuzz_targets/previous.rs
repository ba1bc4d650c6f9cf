//! Whatever stands in the file of the run before, it is no obstacle: it is read or it is not, and
//! the next snapshot follows the schema and tells how it differs. The same goes for the status file.
#![no_main]

use std::{path::PathBuf, sync::LazyLock};

use freepbx_snapshot::{
    collect::{Collected, Plan},
    output::{History, read_previous, status_path},
};
use harness::{Asked, check};
use libfuzzer_sys::fuzz_target;

static FOLDER: LazyLock<tempfile::TempDir> =
    LazyLock::new(|| tempfile::tempdir().expect("a folder"));
static PATH: LazyLock<PathBuf> = LazyLock::new(|| FOLDER.path().join("freepbx.json"));
static NOW: LazyLock<(Collected, Plan)> = LazyLock::new(|| {
    let mut asked = Asked::everything();
    asked.take(include_bytes!("../corpus/normalize/16.28.0-busy"));
    asked.collected()
});

fuzz_target!(|data: &[u8]| {
    let (collected, plan) = &*NOW;
    std::fs::write(&*PATH, data).expect("a file");
    std::fs::write(status_path(&PATH), data).expect("a file");
    let previous = read_previous(&PATH);
    let _ = History::read(&PATH, previous.as_ref());
    if let Some(previous) = previous {
        check(collected, plan, Some(&previous));
    }
});
