//! `ask`: a few actions of the read allow-list, and what the PBX says to them.

use std::{
    io::{IsTerminal as _, Write},
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use chrono::{DateTime, Utc};
use clap::Args;

use super::{
    collect::{print, say},
    load,
    show::Screen,
    transcript::Transcript,
};
use crate::{
    ami::{Tap, Traffic},
    cli::WireArgs,
    error::{Error, ExitCode},
    terminal::clean,
    views::show::ColorWhen,
};

mod exchange;
mod json;
mod list;
mod request;
mod tables;

use exchange::{Said, exchange};

/// Options of `ask`.
#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_HELP)]
pub struct AskArgs {
    /// Names of actions, each followed by its arguments as Key=Value
    #[arg(
        value_name = "ACTION [KEY=VALUE]",
        required_unless_present = "list",
        conflicts_with = "list"
    )]
    pub words: Vec<String>,
    /// Print one JSON array with an object for each action, its rows in it
    #[arg(long, group = "form")]
    pub json: bool,
    /// Print each row as one line of JSON
    #[arg(long, group = "form")]
    pub ndjson: bool,
    /// Print what came over the wire
    #[arg(long, group = "form")]
    pub raw: bool,
    /// List the actions that can be asked, and, where there is a configuration, whether this account
    /// may ask them and this server knows them
    #[arg(long, conflicts_with_all = ["ndjson", "raw"])]
    pub list: bool,
    /// What is said to the PBX and by it
    #[command(flatten)]
    pub wire: WireArgs,
}

const AFTER_HELP: &str = "\
A word without = begins another action; all are asked over one connection. Secrets are left out,
with --raw they are replaced by [redacted]. Values stand as Asterisk wrote them. In JSON a header
that comes more than once in a row is an array.

Examples:
  freepbx-snapshot ask CoreStatus
  freepbx-snapshot ask QueueStatus Queue=400
  freepbx-snapshot ask CoreStatus QueueStatus Queue=400 SIPpeers --json
  freepbx-snapshot ask DBGet Family=DND Key=100 --raw
  freepbx-snapshot ask --list

Exit codes:
   0  all was answered, also where there are no rows
   3  an action was refused, is not known to this server, or was not answered whole
  64  wrong command line: an action that is not in the allow-list, an argument that it does not take
  others as without a command";

/// Asks what is asked for and prints what comes.
///
/// # Errors
///
/// [`Error::Usage`] for what cannot be asked, before there is a connection; those of the
/// configuration, the connection and the login; when a result cannot be written.
pub async fn run(
    arguments: &AskArgs,
    config: Option<&Path>,
    now: DateTime<Utc>,
    out: &mut dyn Write,
    said: &mut dyn Write,
) -> Result<ExitCode, Error> {
    if arguments.list {
        return list::run(arguments, config, now, out, said).await;
    }
    let actions = request::actions(&arguments.words).map_err(Error::Usage)?;
    let mut config = load(config)?;
    let transcript = arguments.wire.begin("ask", now)?;
    let wire = Arc::<Mutex<Vec<u8>>>::default();
    config.ami.tap = tap(transcript.as_ref(), arguments.raw.then(|| wire.clone()));
    let ended = exchange(&config, actions).await;
    end(transcript.as_ref(), &ended)?;
    let answers = ended?;
    if arguments.raw {
        let bytes = std::mem::take(&mut *wire.lock().unwrap_or_else(PoisonError::into_inner));
        print(&raw(bytes), out)?;
    } else if arguments.json {
        print(json::array(&answers)?.as_bytes(), out)?;
    } else if arguments.ndjson {
        print(json::lines(&answers)?.as_bytes(), out)?;
    } else {
        let page = Screen::now().page(ColorWhen::Auto);
        print(tables::text(&answers, page).as_bytes(), out)?;
    }
    let mut code = ExitCode::Complete;
    for problem in answers.iter().filter_map(Said::problem) {
        code = ExitCode::Partial;
        say(said, &format!("freepbx-snapshot: {problem}"));
    }
    for note in answers.iter().filter_map(Said::note) {
        say(said, &format!("freepbx-snapshot: {note}"));
    }
    Ok(code)
}

/// What looks on: the transcript, and whoever wants the bytes of the answers.
fn tap(transcript: Option<&Transcript>, wire: Option<Arc<Mutex<Vec<u8>>>>) -> Option<Tap> {
    let Some(wire) = wire else { return transcript.map(Transcript::tap) };
    let mut transcribe = transcript.map(Transcript::observer);
    Some(Tap::new(move |heard| {
        if let Some(transcribe) = &mut transcribe {
            transcribe(heard);
        }
        if let Traffic::Block(Some(asked), bytes)
        | Traffic::BlankLine(Some(asked), bytes)
        | Traffic::Torn(Some(asked), bytes) = &heard.traffic
            && asked.action.is_some()
        {
            wire.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        }
    }))
}

/// Ends the transcript, with the reason of a failure in it.
fn end<T>(transcript: Option<&Transcript>, ended: &Result<T, Error>) -> Result<(), Error> {
    let Some(transcript) = transcript else { return Ok(()) };
    match ended {
        Ok(_) => transcript.finish(),
        // What failed first is told.
        Err(error) => {
            transcript.failed(error);
            Ok(())
        }
    }
}

/// The bytes as they came; on a terminal without what it would obey.
fn raw(bytes: Vec<u8>) -> Vec<u8> {
    if !std::io::stdout().is_terminal() {
        return bytes;
    }
    let text = String::from_utf8_lossy(&bytes);
    text.lines().map(|line| format!("{}\n", clean(line))).collect::<String>().into_bytes()
}
