//! `--transcript`: the exchange with a PBX as it happened, for a bug report.
//!
//! Secrets are replaced by a marker before they get here (see [`Tap::new`]). Everything else stands
//! as it came, so that a transcript shows names, numbers and addresses.

use std::{
    fs::{File, OpenOptions, Permissions},
    io::{self, BufWriter, Read as _, Write},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use chrono::{DateTime, SecondsFormat, Utc};

use crate::{
    ami::{Heard, Tap, Traffic},
    cli::WireArgs,
    error::Error,
    terminal::clean,
};

/// Nobody else's business: it shows who calls whom.
const MODE: u32 = 0o600;

/// What every transcript begins with.
const MARK: &str = "# Transcript of freepbx-snapshot";

impl WireArgs {
    /// Begins the transcript that is asked for.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn begin(&self, command: &str, now: DateTime<Utc>) -> Result<Option<Transcript>, Error> {
        self.transcript.as_deref().map(|file| Transcript::create(file, command, now)).transpose()
    }
}

/// A transcript that is being written.
#[derive(Debug)]
pub struct Transcript {
    path: PathBuf,
    writing: Arc<Mutex<Writing<BufWriter<File>>>>,
}

impl Transcript {
    /// Begins the transcript of a command. An older transcript of that name is replaced.
    ///
    /// # Errors
    ///
    /// When the file cannot be written, or is there and no transcript.
    pub fn create(path: &Path, command: &str, now: DateTime<Utc>) -> Result<Self, Error> {
        let fail = |reason: String| Error::Transcript { path: path.to_owned(), reason };
        let file = open(path).map_err(|error| fail(error.to_string()))?;
        let mut writing = Writing::new(BufWriter::new(file));
        let version = env!("CARGO_PKG_VERSION");
        let time = now.to_rfc3339_opts(SecondsFormat::Secs, true);
        writing.put(&format!(
            "{MARK} {version}, {command}, {time}\n\
             # Seconds since connecting; > is what was asked, < what was answered, = what happened.\n\
             # Secrets are replaced by [redacted]. Names, numbers and addresses are not: look through\n\
             # it before you send it to anybody.\n"
        ));
        let transcript = Self { path: path.to_owned(), writing: Arc::new(Mutex::new(writing)) };
        transcript.finish()?;
        Ok(transcript)
    }

    /// What tells this transcript of a connection.
    #[must_use]
    pub fn tap(&self) -> Tap {
        Tap::new(self.observer())
    }

    /// The observer in that tap, for one that does more. It has to be that of a filtered tap.
    pub fn observer(&self) -> impl FnMut(&Heard<'_>) + Send + use<> {
        let writing = self.writing.clone();
        move |heard| writing.lock().unwrap_or_else(PoisonError::into_inner).hear(heard)
    }

    /// Adds how the command ended, where it failed.
    pub fn failed(&self, error: &Error) {
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let code = error.exit_code().number();
        writing.put(&format!("\n# Ended with exit code {code}: {}\n", clean(&error.to_string())));
    }

    /// Writes out what there is so far.
    ///
    /// # Errors
    ///
    /// When something of it could not be written.
    pub fn finish(&self) -> Result<(), Error> {
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let flushed = writing.out.flush();
        match writing.failure.take().map_or(flushed, Err) {
            Ok(()) => Ok(()),
            Err(error) => {
                Err(Error::Transcript { path: self.path.clone(), reason: error.to_string() })
            }
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    // A pipe or a terminal is written to as it is.
    let is_file = path.metadata().is_ok_and(|it| it.is_file());
    if is_file && !is_transcript(path)? {
        return Err(io::Error::other("it is there already, and no transcript"));
    }
    let file = OpenOptions::new().write(true).create(true).mode(MODE).open(path)?;
    if file.metadata()?.is_file() {
        // Before there is anything to read in it.
        file.set_permissions(Permissions::from_mode(MODE))?;
        file.set_len(0)?;
    }
    Ok(file)
}

/// Whether a file may be replaced: nothing is in it, or a transcript.
fn is_transcript(path: &Path) -> io::Result<bool> {
    let mut begin = Vec::new();
    File::open(path)?.take(MARK.len() as u64).read_to_end(&mut begin)?;
    Ok(begin.is_empty() || begin == MARK.as_bytes())
}

/// The text of a transcript.
#[derive(Debug)]
struct Writing<W: Write> {
    out: W,
    failure: Option<io::Error>,
    /// When the first connection began.
    begun: Option<Instant>,
    /// When the current connection began, seen from there.
    offset: Duration,
}

impl<W: Write> Writing<W> {
    fn new(out: W) -> Self {
        Self { out, failure: None, begun: None, offset: Duration::ZERO }
    }

    fn put(&mut self, text: &str) {
        if self.failure.is_none() {
            self.failure = self.out.write_all(text.as_bytes()).err();
        }
    }

    fn hear(&mut self, heard: &Heard<'_>) {
        if let Traffic::Connected(_) = heard.traffic {
            let now = Instant::now();
            let begun = now.checked_sub(heard.at).unwrap_or(now);
            self.offset = begun.duration_since(*self.begun.get_or_insert(begun));
        }
        let at = self.offset + heard.at;
        let text = match &heard.traffic {
            Traffic::Connected(link) => {
                let how = link.secured.as_ref().map_or_else(
                    || "plain TCP".to_owned(),
                    |tls| format!("{}, certificate {}", tls.version, tls.fingerprint),
                );
                noted(at, &format!("connected to {} ({how})", link.address))
            }
            Traffic::Banner(bytes) | Traffic::Block(_, bytes) | Traffic::BlankLine(_, bytes) => {
                said(at, '<', bytes)
            }
            Traffic::Request(_, bytes) => said(at, '>', bytes),
            Traffic::Torn(_, bytes) => {
                said(at, '<', bytes) + &noted(at, "the message ends here, unfinished")
            }
            Traffic::LeftOut(count) => {
                noted(at, &format!("a message of {count} bytes, which is too long, is left out"))
            }
            Traffic::Ended(None) => noted(at, "the connection is given up or closed from here"),
            Traffic::Ended(Some(error)) => noted(at, &clean(&error.to_string())),
        };
        self.put(&text);
        if let Traffic::Ended(_) = heard.traffic {
            // Whoever waits for a server that hangs can already read it.
            self.failure = self.failure.take().or(self.out.flush().err());
        }
    }
}

/// What happened on the connection.
fn noted(at: Duration, text: &str) -> String {
    format!("\n{} = {text}\n", time(at))
}

/// What was said, line by line. The empty line that ends a message stands for itself; a line that
/// does not end in CR and LF, as all should, shows how it ends.
fn said(at: Duration, who: char, bytes: &[u8]) -> String {
    let time = time(at);
    let indent = " ".repeat(time.len());
    let mut text = String::from("\n");
    let lines = bytes.split_inclusive(|byte| *byte == b'\n');
    for (number, line) in lines.enumerate() {
        let (content, end) = match line {
            [content @ .., b'\r', b'\n'] => (content, ""),
            [content @ .., b'\n'] => (content, "␊"),
            content => (content, ""),
        };
        if number > 0 && content.is_empty() {
            continue;
        }
        let start = if number == 0 { &time } else { &indent };
        let content = pictures(&String::from_utf8_lossy(content));
        text.push_str(format!("{start} {who} {}{end}", clean(&content)).trim_end());
        text.push('\n');
    }
    text
}

fn time(at: Duration) -> String {
    format!("+{:.3}", at.as_secs_f64())
}

/// Control characters as their pictures, so that it can be seen which one it was.
fn pictures(text: &str) -> String {
    let picture = |c: char| match c {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + u32::from(c)).unwrap_or(c),
        '\u{7f}' => '␡',
        c => c,
    };
    text.chars().map(picture).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_reads_line_by_line_and_shows_what_is_odd() {
        let at = Duration::from_millis(1_234);
        let block = b"Response: Error\r\nMessage: No\x1b Zo\xc3\xab \xff\n\r\n";
        let shown = "\n+1.234 < Response: Error\n       < Message: No␛ Zoë \u{fffd}␊\n";
        assert_eq!(said(at, '<', block), shown);
        assert_eq!(said(at, '>', b"Action: Ping\r\n\r\n"), "\n+1.234 > Action: Ping\n");
        assert_eq!(said(at, '<', b"\r\n"), "\n+1.234 <\n");
        assert_eq!(said(at, '<', b"a\xe2\x80\xae\xc2\x9b2J\r\n"), "\n+1.234 < a?2J\n");
    }

    #[test]
    fn a_disk_that_is_full_is_told() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut writing = Writing::new(Full);
        writing.put("a");
        writing.put("b");
        assert!(writing.failure.is_some());
    }
}
