//! `ask --list`: what can be asked, what it needs, and whether it can be asked here.

use std::{collections::HashSet, io::Write, path::Path};

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tracing::info;

use super::{
    super::{
        collect::{print, say},
        load,
        show::Screen,
        transcript::Transcript,
    },
    AskArgs, end,
    exchange::{Failure, Said, exchange},
};
use crate::{
    ami::{Action, ActionError, ReadAction},
    config::{self, Config},
    error::{Error, ExitCode},
    terminal::{
        page::Ink,
        table::{Cell, Column, draw},
    },
    views::show::ColorWhen,
};

/// Whether an action can be asked here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Here {
    Yes,
    /// The account lacks the class.
    Denied,
    /// The module is not loaded, or this version lacks it.
    Unsupported,
    /// Nobody was asked, or did not say.
    Unknown,
}

impl Here {
    fn cell(self) -> Cell {
        match self {
            Self::Yes => Cell::inked("yes", Ink::Good),
            Self::Denied => Cell::inked("not permitted", Ink::Bad),
            Self::Unsupported => Cell::inked("not on this server", Ink::Faint),
            Self::Unknown => Cell::unknown(),
        }
    }

    fn json(self) -> Value {
        match self {
            Self::Yes => "yes".into(),
            Self::Denied => "denied".into(),
            Self::Unsupported => "unsupported".into(),
            Self::Unknown => Value::Null,
        }
    }
}

/// Prints the list; with a configuration, what its server says to it.
pub(super) async fn run(
    arguments: &AskArgs,
    config: Option<&Path>,
    now: DateTime<Utc>,
    out: &mut dyn Write,
    said: &mut dyn Write,
) -> Result<ExitCode, Error> {
    let unknown = || ReadAction::ALL.map(|action| (action, Here::Unknown)).to_vec();
    let mut config = match load(config) {
        Ok(config) => config,
        Err(Error::Config(
            error @ (config::Error::NotFound { .. } | config::Error::Read { from: None, .. }),
        )) => {
            info!("{error}");
            say(said, "freepbx-snapshot: no configuration, so no server was asked");
            print(text(&unknown(), arguments.json)?.as_bytes(), out)?;
            return Ok(ExitCode::Complete);
        }
        Err(error) => return Err(error),
    };
    let transcript = arguments.wire.begin("ask --list", now)?;
    config.ami.tap = transcript.as_ref().map(Transcript::tap);
    let found = here(&config).await;
    end(transcript.as_ref(), &found)?;
    // The list itself is worth having without a server, too.
    let shown = found.as_ref().map_or_else(|_| unknown(), Clone::clone);
    print(text(&shown, arguments.json)?.as_bytes(), out)?;
    found.map(|_| ExitCode::Complete)
}

/// Asks the server. `ListCommands` names what this account may run of what this server has loaded;
/// which of the two is missing of the others shows in the words with which it refuses them.
async fn here(config: &Config) -> Result<Vec<(ReadAction, Here)>, Error> {
    let first = exchange(config, vec![Action::new(ReadAction::ListCommands)]).await?;
    let Some(Said { outcome: Ok(answer), .. }) = first.first() else {
        let problem = first.first().and_then(Said::problem);
        tracing::warn!("{}", problem.unwrap_or_else(|| "ListCommands was not answered".to_owned()));
        return Ok(ReadAction::ALL.map(|action| (action, Here::Unknown)).to_vec());
    };
    let listed: HashSet<String> =
        answer.response().headers().map(|(name, _)| name.to_ascii_lowercase()).collect();
    let is_listed = |action: &ReadAction| listed.contains(&action.name().to_ascii_lowercase());
    let others = ReadAction::ALL.into_iter().filter(|action| !is_listed(action)).map(Action::new);
    let others: Vec<_> = others.collect();
    let refused = match others.is_empty() {
        true => Vec::new(),
        false => exchange(config, others).await?,
    };
    let judge = |action: ReadAction| match refused.iter().find(|said| said.action.kind() == action)
    {
        None => Here::Yes,
        Some(Said { outcome: Err(Failure::Refused(error)), .. }) => match error {
            ActionError::Denied { .. } => Here::Denied,
            ActionError::Unsupported { .. } => Here::Unsupported,
            _ => Here::Unknown,
        },
        Some(_) => Here::Unknown,
    };
    Ok(ReadAction::ALL.map(|action| (action, judge(action))).to_vec())
}

fn text(list: &[(ReadAction, Here)], as_json: bool) -> Result<String, Error> {
    if as_json {
        let object = |(action, here): &(ReadAction, Here)| {
            json!({
                "action": action.name(),
                "arguments": action.arguments(),
                "classes": action.classes(),
                "module": action.module(),
                "here": here.json(),
            })
        };
        let list: Vec<_> = list.iter().map(object).collect();
        let text = serde_json::to_string_pretty(&list);
        return Ok(text.map_err(|error| Error::Internal(error.to_string()))? + "\n");
    }
    const COLUMNS: [Column; 5] = [
        Column::whole("ACTION", 9),
        Column::whole("HERE", 8),
        Column::whole("NEEDS", 7),
        Column::text("ARGUMENTS", 6, 12),
        Column::text("MODULE", 5, 8),
    ];
    let row = |(action, here): &(ReadAction, Here)| {
        let needs = match action.classes() {
            [] => Cell::new("no class"),
            classes => Cell::new(classes.join(" or ")),
        };
        let arguments = Cell::new(action.arguments().join(", "));
        vec![Cell::new(action.name()), here.cell(), needs, arguments, Cell::any(action.module())]
    };
    let rows: Vec<_> = list.iter().map(row).collect();
    Ok(draw(&COLUMNS, &rows, Screen::now().page(ColorWhen::Auto)))
}
