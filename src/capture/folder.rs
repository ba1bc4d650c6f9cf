//! A capture on disk: reading a folder, and writing one in a single step.

use std::{
    fs,
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::Path,
};

use super::{Capture, Error, LOGIN, Question, Recorded};
use crate::ami::{Block, Decoder, Limits, Row};

/// What every banner begins with.
const BANNER: &[u8] = b"Asterisk Call Manager/";

impl Capture {
    /// Reads a folder. Files beside the pairs are left alone, and so are recordings of whole
    /// sessions, which hold more than one action.
    ///
    /// # Errors
    ///
    /// [`Error::NotACapture`] where it has no banner or no action, or is larger than any PBX makes
    /// it; [`Error::Unreadable`].
    pub fn read(folder: &Path) -> Result<Self, Error> {
        const MOST_FILES: usize = 50_000;
        let not_one = |reason: String| Error::NotACapture { path: folder.to_owned(), reason };
        let mut names = Vec::new();
        for entry in fs::read_dir(folder).map_err(|source| Error::unreadable(folder, &source))? {
            let entry = entry.map_err(|source| Error::unreadable(folder, &source))?;
            let file = entry.file_name().into_string().unwrap_or_default();
            names.extend(file.strip_suffix(".req").map(str::to_owned));
            if names.len() > MOST_FILES {
                return Err(not_one(format!("it has more than {MOST_FILES} actions")));
            }
        }
        names.sort_unstable();
        let mut left = Limits::default().run;
        let mut file = |name: &str, ending: &str| {
            let path = folder.join(format!("{name}.{ending}"));
            let bytes = read_bounded(&path, left).map_err(|source| match source.kind() {
                io::ErrorKind::NotFound => {
                    not_one(format!("it has {name}.req but no {name}.{ending}"))
                }
                _ => Error::unreadable(&path, &source),
            })?;
            left -= bytes.len();
            Ok(bytes)
        };
        let mut banner = None;
        let mut recorded = Vec::new();
        for name in names {
            let (request, answer) = (file(&name, "req")?, file(&name, "ami")?);
            if answer.starts_with(BANNER) {
                if name == LOGIN || banner.is_none() {
                    let line = answer.split(|byte| *byte == b'\n').next().unwrap_or_default();
                    banner = Some(String::from_utf8_lossy(line).trim_end().to_owned());
                }
                if name == LOGIN {
                    recorded.push(Recorded { name, request, answer });
                }
            } else if is_one_action(&request) {
                recorded.push(Recorded { name, request, answer });
            }
        }
        let banner = banner
            .ok_or_else(|| not_one("it has no Login.ami that begins with the banner".to_owned()))?;
        if recorded.iter().all(|recorded| recorded.name == LOGIN) {
            return Err(not_one("it has no action with its answer".to_owned()));
        }
        Ok(Self { banner, recorded })
    }

    /// Refuses a place where a capture cannot be written: one that holds something.
    ///
    /// # Errors
    ///
    /// [`Error::Occupied`], [`Error::Unreadable`].
    pub fn check_place(folder: &Path) -> Result<(), Error> {
        let occupied = |what| Err(Error::Occupied { path: folder.to_owned(), what });
        match fs::read_dir(folder).map(|mut entries| entries.next().is_some()) {
            Ok(true) => occupied("it is not empty"),
            Ok(false) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => occupied("it is a file"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Error::unreadable(folder, &error)),
        }
    }

    /// Writes the capture to a folder that does not exist, or is empty. Only its owner can read it.
    ///
    /// It is made under another name beside it and renamed when it is whole, so that no part of a
    /// capture ever has the name of a whole one.
    ///
    /// # Errors
    ///
    /// [`Error::Occupied`], [`Error::Unwritable`]; nothing is left behind then.
    pub fn write(&self, folder: &Path) -> Result<(), Error> {
        Self::check_place(folder)?;
        let fail = |source: io::Error| Error::unwritable(folder, &source);
        let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        if name.is_empty() {
            return Err(Error::Occupied { path: folder.to_owned(), what: "it is no name" });
        }
        let made = tempfile::Builder::new()
            .permissions(fs::Permissions::from_mode(0o700))
            .prefix(&format!(".{name}."))
            .suffix(".tmp")
            .tempdir_in(parent)
            .map_err(fail)?;
        for recorded in &self.recorded {
            for (bytes, ending) in [(&recorded.request, "req"), (&recorded.answer, "ami")] {
                let path = made.path().join(format!("{}.{ending}", recorded.name));
                let mut file = fs::OpenOptions::new()
                    .write(true)
                    .create_new(true)
                    .mode(0o600)
                    .open(path)
                    .map_err(fail)?;
                file.write_all(bytes).map_err(fail)?;
            }
        }
        fs::rename(made.path(), folder).map_err(fail)?;
        // Renamed: there is nothing left to remove.
        let _ = made.keep();
        Ok(())
    }
}

/// Whether a request file holds one action of a capture.
fn is_one_action(request: &[u8]) -> bool {
    let mut decoder = Decoder::new(Limits::default());
    decoder.space(request.len() + 4).extend_from_slice(request);
    decoder.space(4).extend_from_slice(b"\r\n\r\n");
    let mut actions = 0;
    while let Some(block) = decoder.next_block() {
        let Block::Text(text) = block else { return false };
        actions += usize::from(!Question::of(Row::new(&text)).is_of_the_session());
    }
    actions == 1
}

/// The content of a regular file of that many bytes at most.
fn read_bounded(path: &Path, most: usize) -> io::Result<Vec<u8>> {
    let found = fs::metadata(path)?;
    if !found.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    if usize::try_from(found.len()).map_or(true, |length| length > most) {
        return Err(io::Error::other("the capture is larger than any PBX makes it"));
    }
    fs::read(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capture() -> Capture {
        let recorded = |name: &str, request: &[u8], answer: &[u8]| Recorded {
            name: name.to_owned(),
            request: request.to_vec(),
            answer: answer.to_vec(),
        };
        Capture {
            banner: "Asterisk Call Manager/5.0.4".to_owned(),
            recorded: vec![
                recorded(
                    LOGIN,
                    b"Action: Login\r\n\r\n",
                    b"Asterisk Call Manager/5.0.4\r\nResponse: Success\r\n\r\n",
                ),
                recorded(
                    "Ping",
                    b"Action: Ping\r\n\r\n",
                    b"Response: Success\r\nPing: Pong \xff\r\n\r\n",
                ),
            ],
        }
    }

    #[test]
    fn what_was_written_is_read_again_and_is_its_owners_alone() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("of-a-pbx");
        capture().write(&folder).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join("Ping.ami")), 0o600);
        let read = Capture::read(&folder).unwrap();
        assert_eq!(read.banner, "Asterisk Call Manager/5.0.4");
        assert_eq!(read, capture());
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn an_empty_folder_is_taken_and_a_full_one_is_not() {
        let place = tempfile::tempdir().unwrap();
        capture().write(place.path()).unwrap();
        let again = capture().write(place.path());
        assert!(matches!(again, Err(Error::Occupied { .. })), "{again:?}");
        let file = place.path().join("Ping.ami");
        let on_a_file = capture().write(&file);
        assert!(
            matches!(on_a_file, Err(Error::Occupied { what: "it is a file", .. })),
            "{on_a_file:?}"
        );
    }

    #[test]
    fn a_capture_that_cannot_be_written_whole_leaves_nothing() {
        let place = tempfile::tempdir().unwrap();
        let mut broken = capture();
        broken.recorded.push(Recorded { name: "no/such".to_owned(), ..broken.recorded[1].clone() });
        let folder = place.path().join("x");
        assert!(matches!(broken.write(&folder), Err(Error::Unwritable { .. })));
        assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
    }

    #[test]
    fn what_is_no_capture_is_refused_with_the_reason() {
        let place = tempfile::tempdir().unwrap();
        let says = || Capture::read(place.path()).unwrap_err().to_string();
        assert!(says().contains("no Login.ami"), "{}", says());
        fs::write(place.path().join("Ping.req"), "Action: Ping\r\n\r\n").unwrap();
        assert!(says().contains("no Ping.ami"), "{}", says());
        fs::create_dir(place.path().join("Ping.ami")).unwrap();
        assert!(says().contains("it is no file"), "{}", says());
    }
}
