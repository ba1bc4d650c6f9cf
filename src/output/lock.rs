//! One run at a time.

use std::{
    fs::TryLockError,
    io::{self, Read as _, Seek as _, Write as _},
    path::Path,
};

use fs_err::{File, OpenOptions, os::unix::fs::OpenOptionsExt as _};
use rustix::fs::OFlags;

use super::{Error, Place, previous::kept_path, remove_leftovers, status_path};

/// The right to write one snapshot, until dropped.
///
/// An advisory lock of the kernel on `.freepbx.json.lock`, beside the snapshot. The file stays:
/// removing it would let two runs lock two different files of that name. A lock of a process that
/// died is gone with it, however it died. The number in the file is for people.
#[derive(Debug)]
pub struct Lock {
    file: File,
}

impl Lock {
    /// Takes the lock for writing `path`, and removes what killed runs have left beside it. The
    /// directory is created where it is missing.
    ///
    /// # Errors
    ///
    /// [`Error::Locked`] when another run has it; it does not wait. Others as for
    /// [`write`](super::write).
    pub fn acquire(path: &Path) -> Result<Self, Error> {
        let place = Place::of(path)?;
        let fail = |doing| move |source: io::Error| Error::io(doing, path, &source);
        place.create_directory().map_err(fail("creating its directory"))?;
        let name = place.directory.join(format!("{}lock", place.prefix()));
        let mut file = open(&name).map_err(fail("opening the lock file beside it"))?;
        match file.file().try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Locked { path: path.to_owned(), pid: pid(&mut file) });
            }
            Err(TryLockError::Error(error)) => return Err(fail("locking")(error)),
        }
        // All that is there now is older than this run.
        place.remove_leftovers();
        remove_leftovers(&status_path(path));
        if let Ok(path) = kept_path(path) {
            remove_leftovers(&path);
        }
        leave_pid(&mut file);
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A number of a process that has ended would mislead. The lock goes with the descriptor.
        let _ = self.file.set_len(0);
    }
}

fn open(path: &Path) -> io::Result<File> {
    // Everybody who may enter the directory may take part in locking, also the cron user after an
    // administrator has tried the program as root. A link is refused: it could make root write
    // elsewhere.
    const MODE: u32 = 0o644;
    let no_link = OFlags::NOFOLLOW.bits().cast_signed();
    let open = |options: &mut OpenOptions| options.read(true).custom_flags(no_link).open(path);
    match open(OpenOptions::new().write(true).create(true).truncate(false).mode(MODE)) {
        Err(denied) if denied.kind() == io::ErrorKind::PermissionDenied => {
            // Where there is none yet, what matters is why it cannot be created.
            open(&mut OpenOptions::new()).map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => denied,
                _ => error,
            })
        }
        result => result,
    }
}

fn pid(file: &mut File) -> Option<u32> {
    const DIGITS: u64 = 12;
    let mut text = String::new();
    file.take(DIGITS).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

/// Fails where the file is another user's, and then the number is missing.
fn leave_pid(file: &mut File) {
    let written = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()));
    if let Err(error) = written {
        tracing::debug!(%error, "no process number in the lock file");
    }
}
