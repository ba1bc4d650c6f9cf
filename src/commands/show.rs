//! `show`: finds the snapshot and the terminal, and prints what `views::show` makes of them.

use std::{
    io::{IsTerminal as _, Write},
    os::unix::fs::MetadataExt as _,
    path::Path,
    time::{Duration, SystemTime},
};

use chrono::{DateTime, Utc};

use super::{
    collect::{print, say},
    export::{self, Form},
    snapshot_file,
};
use crate::{
    error::{Error, ExitCode},
    snapshot::RecordedChange,
    views::{
        self, history,
        show::{ColorWhen, Page, Request, ShowArgs, Shown, show},
    },
};

/// Shows the snapshot, once or whenever it changes.
///
/// # Errors
///
/// When there is no snapshot or it cannot be read; a wrong configuration or command line.
pub async fn run(
    arguments: &ShowArgs,
    config: Option<&Path>,
    now: DateTime<Utc>,
    out: &mut dyn Write,
    said: &mut dyn Write,
) -> Result<ExitCode, Error> {
    let request = Request::new(arguments).map_err(Error::Usage)?;
    let file = snapshot_file::path(arguments.file.as_deref(), config)?;
    if let Some(page) = &arguments.html {
        return export::write(Form::Html, &views::load(&file)?, page, now);
    }
    if arguments.watch {
        return watch(&file, &request, arguments.color, out, said).await;
    }
    let shown = read_and_show(&file, &request, Screen::now().page(arguments.color), now)?;
    tell(&shown, said);
    print(shown.text.as_bytes(), out)?;
    Ok(if shown.found { ExitCode::Complete } else { ExitCode::NotFound })
}

fn read_and_show(
    file: &Path,
    request: &Request,
    page: Page,
    now: DateTime<Utc>,
) -> Result<Shown, Error> {
    let snapshot = views::load(file)?;
    let history = history::read(file, &snapshot);
    Ok(show(&snapshot, &history, request, page, now))
}

fn tell(shown: &Shown, said: &mut dyn Write) {
    shown.notes.iter().for_each(|note| say(said, &format!("freepbx-snapshot: {note}")));
}

/// Prints again whenever the file changes; on a terminal in place, and every second, since ages
/// grow. Ends by a signal, which drops it.
async fn watch(
    file: &Path,
    request: &Request,
    color: ColorWhen,
    out: &mut dyn Write,
    said: &mut dyn Write,
) -> Result<ExitCode, Error> {
    const PERIOD: Duration = Duration::from_millis(500);
    let now = || DateTime::<Utc>::from(SystemTime::now());
    let mut stamp = Stamp::of(file);
    let mut snapshot = views::load(file)?;
    let mut past = history::read(file, &snapshot);
    let mut problem: Option<String> = None;
    let mut is_new = true;
    let mut last = String::new();
    loop {
        let screen = Screen::now();
        // The system's clock each time: one that stands still while a laptop sleeps would make a
        // stale snapshot look fresh.
        if screen.is_terminal || is_new {
            let mut shown = show(&snapshot, &past, request, screen.page(color), now());
            if let Some(problem) = &problem {
                shown.text = format!("{}{}", screen.page(color).notice(problem), shown.text);
            }
            let frame = if screen.is_terminal { screen.frame(&shown) } else { shown.text.clone() };
            if frame != last {
                if !screen.is_terminal {
                    tell(&shown, said);
                } else if last.is_empty() {
                    print(CLEAR.as_bytes(), out)?;
                }
                print(frame.as_bytes(), out)?;
                last = frame;
            }
        }
        tokio::time::sleep(PERIOD).await;
        let found = Stamp::of(file);
        is_new = found != stamp;
        if is_new {
            stamp = found;
            match views::load(file) {
                Ok(read) => {
                    past = history::read(file, &read);
                    snapshot = read;
                    problem = None;
                }
                // What was read last stays in sight, with its age.
                Err(error) => problem = Some(Error::from(error).to_string()),
            }
        }
    }
}

/// Clears the screen. Only once: afterwards each frame is written over the one before, so that
/// nothing flickers.
const CLEAR: &str = "\u{1b}[2J";

/// What tells one state of the files from another without reading them. A file that is replaced
/// within the clock's grain has another number.
#[derive(Debug, PartialEq, Eq)]
struct Stamp([Option<FileState>; 2]);

/// Device, inode, seconds and nanoseconds of the last change, length.
type FileState = (u64, u64, i64, i64, u64);

impl Stamp {
    fn of(file: &Path) -> Self {
        let state = |path: &Path| {
            let it = fs_err::metadata(path).ok()?;
            Some((it.dev(), it.ino(), it.mtime(), it.mtime_nsec(), it.len()))
        };
        Self([state(file), state(&RecordedChange::history_beside(file))])
    }
}

/// The terminal on standard output, if it is one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Screen {
    is_terminal: bool,
    columns: Option<usize>,
    rows: Option<usize>,
}

impl Screen {
    pub(super) fn now() -> Self {
        let is_terminal = std::io::stdout().is_terminal();
        let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok().filter(|_| is_terminal);
        let size = size.filter(|size| size.ws_col > 0 && size.ws_row > 0);
        // Where there is no terminal, whoever wants a width can still say so.
        let columns = || std::env::var("COLUMNS").ok()?.parse().ok().filter(|width| *width > 0);
        Self {
            is_terminal,
            columns: size.map(|size| usize::from(size.ws_col)).or_else(columns),
            rows: size.map(|size| usize::from(size.ws_row)),
        }
    }

    pub(super) fn page(self, color: ColorWhen) -> Page {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = || std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        let color = match color {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => self.is_terminal && !is_set("NO_COLOR") && !is_dumb(),
        };
        Page { width: self.columns, color }
    }

    /// The text as it is written over the one before: each line clears what is left of the old
    /// one. What is longer than the screen would scroll, and is cut.
    fn frame(self, shown: &Shown) -> String {
        let notes = shown.notes.iter().map(String::as_str);
        let lines: Vec<_> = notes.chain(shown.text.lines()).collect();
        let room = self.rows.unwrap_or(usize::MAX).saturating_sub(1);
        let mut frame = "\u{1b}[H".to_owned();
        let mut write = |line: &str| {
            frame.push_str(line);
            frame.push_str("\u{1b}[K\r\n");
        };
        if lines.len() <= room {
            lines.iter().for_each(|line| write(line));
        } else {
            let kept = room.saturating_sub(1);
            lines.iter().take(kept).for_each(|line| write(line));
            write(&format!("… {} more lines", lines.len() - kept));
        }
        frame.push_str("\u{1b}[J");
        frame
    }
}
