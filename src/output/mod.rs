//! Writes the snapshot so that a reader sees the old one or the new one, never a piece.
//!
//! The bytes go to a temporary file in the same directory, reach the disk, and only then take the
//! name. Whatever happens before that, even `kill -9` or a power cut, the old file is untouched.
//! Knows nothing of how a snapshot comes about.

use std::{
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
};

use fs_err as fs;
use tempfile::NamedTempFile;

mod error;
mod history;
mod lock;
mod previous;
mod status;

pub use error::Error;
pub use history::append_history;
pub use lock::Lock;
pub use previous::{Identity, keep, read_kept, read_previous};
pub use status::{Attempt, RunsBefore, read as read_status, status_path, write_status};

/// Where to write, and with which mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'a> {
    /// The file. Where it is a symbolic link, the link stays and the file it points to is replaced.
    pub path: &'a Path,
    /// Mode of the file, whatever the umask.
    pub mode: u32,
}

/// Replaces the target by `bytes` in one step.
///
/// A missing directory is created. Owner and group of an existing file are kept where this user may
/// do that, so that a run as root does not take the file away from its readers.
///
/// # Errors
///
/// [`Error`], and then the old file is as it was; except [`Error::NotDurable`], where the new file is
/// in place but might not survive a power cut.
pub fn write(bytes: &[u8], target: &Target<'_>) -> Result<(), Error> {
    write_with(target, |file| file.write_all(bytes)).map(|_| ())
}

/// What [`write_with`] gives to write to.
pub type File<'a> = io::BufWriter<&'a std::fs::File>;

/// Replaces the target by what `fill` writes, in one step; so that what is large need not stand in
/// memory as a whole. Otherwise as [`write()`]. Gives what tells the file from every other.
///
/// # Errors
///
/// As [`write()`]; what `fill` fails with counts as a failure to write.
pub fn write_with(
    target: &Target<'_>,
    fill: impl FnOnce(&mut File<'_>) -> io::Result<()>,
) -> Result<Identity, Error> {
    replace(target, Durability::Full, fill)
}

/// What a power cut may do to a file that was replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Durability {
    /// Nothing: the new one is there.
    Full,
    /// It may bring the old one back.
    OldOrNew,
    /// Anything. For what can be made again.
    None,
}

fn replace(
    target: &Target<'_>,
    durability: Durability,
    fill: impl FnOnce(&mut File<'_>) -> io::Result<()>,
) -> Result<Identity, Error> {
    /// As much as is worth a system call.
    const BUFFER: usize = 64 << 10;
    let place = Place::of(target.path)?;
    let fail = |doing| move |source: io::Error| Error::io(doing, target.path, &source);
    let writing = fail("writing a temporary file beside it");
    place.create_directory().map_err(fail("creating its directory"))?;
    let file = tempfile::Builder::new()
        .prefix(&place.prefix())
        .suffix(SUFFIX)
        .tempfile_in(&place.directory)
        .map_err(fail("creating a temporary file beside it"))?;
    let mut buffered = io::BufWriter::with_capacity(BUFFER, file.as_file());
    fill(&mut buffered).and_then(|()| buffered.flush()).map_err(writing)?;
    drop(buffered);
    place.pass_on_owner(&file);
    // After the owner, since a change of owner may take rights away. Before the name.
    let mode = std::fs::Permissions::from_mode(target.mode);
    file.as_file().set_permissions(mode).map_err(fail("setting its mode"))?;
    if durability != Durability::None {
        file.as_file().sync_all().map_err(writing)?;
    }
    let identity = Identity::of(&file.as_file().metadata().map_err(writing)?);
    file.persist(place.path())
        .map_err(|error| fail("renaming a temporary file to it")(error.error))?;
    if durability == Durability::Full {
        place.sync_directory().map_err(|source| Error::not_durable(target.path, &source))?;
    }
    Ok(identity)
}

/// Removes what killed runs have left beside a file. Only for who may write it: the holder of the
/// snapshot's [`Lock`].
pub fn remove_leftovers(path: &Path) {
    // Whatever is no place for a file has no leftovers beside it.
    if let Ok(place) = Place::of(path) {
        place.remove_leftovers();
    }
}

/// What the name of a temporary file ends with.
const SUFFIX: &str = ".tmp";

/// A file's real place: the directory and the name after all symbolic links.
#[derive(Debug)]
struct Place {
    directory: PathBuf,
    name: String,
}

impl Place {
    fn of(path: &Path) -> Result<Self, Error> {
        const MOST_LINKS: usize = 40;
        let mut real = path.to_owned();
        let is_link = |path: &Path| fs::symlink_metadata(path).is_ok_and(|it| it.is_symlink());
        for _ in 0..MOST_LINKS {
            if !is_link(&real) {
                return Self::without_links(path, &real);
            }
            let link = fs::read_link(&real)
                .map_err(|source| Error::io("following a symbolic link", path, &source))?;
            // An absolute link replaces the whole path here.
            real = real.parent().unwrap_or(Path::new("/")).join(link);
        }
        Err(Error::NotAFile { path: path.to_owned(), what: "a symbolic link to itself" })
    }

    fn without_links(path: &Path, real: &Path) -> Result<Self, Error> {
        let not_a_file = |what| Err(Error::NotAFile { path: path.to_owned(), what });
        let Some(name) = real.file_name() else {
            return not_a_file("a directory");
        };
        match fs::symlink_metadata(real) {
            Ok(it) if it.is_dir() => return not_a_file("a directory"),
            // Replacing /dev/null or a pipe by a file would break other programs.
            Ok(it) if !it.is_file() => return not_a_file("a device, pipe or socket"),
            _ => {}
        }
        let parent = real.parent().filter(|parent| !parent.as_os_str().is_empty());
        Ok(Self {
            directory: parent.unwrap_or(Path::new(".")).to_owned(),
            name: name.to_string_lossy().into_owned(),
        })
    }

    fn path(&self) -> PathBuf {
        self.directory.join(&self.name)
    }

    /// What all files begin with that this program puts beside the target.
    fn prefix(&self) -> String {
        format!(".{}.", self.name)
    }

    /// Creates the directory where it is missing: others have no business in it.
    fn create_directory(&self) -> io::Result<()> {
        const MODE: u32 = 0o750;
        if self.directory.is_dir() {
            return Ok(());
        }
        // Its errors need no path: ours name it.
        std::fs::DirBuilder::new().recursive(true).mode(MODE).create(&self.directory)?;
        fs::set_permissions(&self.directory, std::fs::Permissions::from_mode(MODE))
    }

    /// Gives a new file the owner and group of the one that it will replace, as far as permitted.
    fn pass_on_owner(&self, file: &NamedTempFile) {
        let old = fs::symlink_metadata(self.path());
        let (Ok(old), Ok(new)) = (old, file.as_file().metadata()) else {
            return;
        };
        let owner = (old.uid() != new.uid()).then_some(old.uid());
        let group = (old.gid() != new.gid()).then_some(old.gid());
        // One by one: a member may keep the group where only root may keep the owner.
        for (owner, group) in [(owner, None), (None, group)] {
            if let Err(error) = fchown(file.as_file(), owner, group) {
                tracing::debug!(%error, ?owner, ?group, "not kept");
            }
        }
    }

    fn sync_directory(&self) -> io::Result<()> {
        match fs::File::open(&self.directory)?.sync_all() {
            // Some network file systems cannot do this for directories, and do not need it.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
            result => result,
        }
    }

    /// Removes temporary files of runs that were killed. Only for the holder of the lock.
    fn remove_leftovers(&self) {
        let prefix = self.prefix();
        let entries = fs::read_dir(&self.directory).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(&prefix) && name.ends_with(SUFFIX) {
                let removed = fs::remove_file(entry.path());
                tracing::debug!(file = %entry.path().display(), ?removed, "left by a killed run");
            }
        }
    }
}
