//! `check`: the whole run as a tick list that says what to do about what fails. Writes nothing.

use std::{io::Write, time::Duration};

use crate::{
    ami::{Action, ActionError, Answer, ReadAction},
    collect::{Outcome, Plan, Progress, Target, collect},
    config::Config,
    error::{Error, ExitCode},
    terminal::clean,
};

/// Tries everything that a collection does and writes a tick list to `out`.
///
/// [`ExitCode::Complete`] only when all that this PBX supports passed.
///
/// # Errors
///
/// When there is no connection or no login; the list up to there has been written.
pub async fn check(config: &Config, out: &mut dyn Write) -> Result<ExitCode, Error> {
    let target = Target::from(config);
    say(out, Mark::Passed, "config", &config.file.display().to_string());
    for warning in &config.warnings {
        say(out, Mark::Noted, "config", warning);
    }
    let mut passed = true;
    let plan = Plan::from(config);
    let mut progress = |progress: Progress<'_>| match progress {
        Progress::Connected(address, banner) => {
            say(out, Mark::Passed, "connect", &address.to_string());
            say(out, Mark::Passed, "banner", banner);
        }
        Progress::LoggedIn => {
            say(out, Mark::Passed, "login", &format!("as {}", config.credentials.username()));
        }
        Progress::Action(action, outcome, elapsed) => {
            let (mark, text) = judge(action, outcome, elapsed);
            passed &= mark != Mark::Failed;
            say(out, mark, &action.to_string(), &text);
        }
    };
    let collected = collect(&target, &plan, &mut progress).await;
    match collected {
        Ok(_) => {}
        Err(error) => {
            let error = Error::from(error);
            say(out, Mark::Failed, "connect", &error.to_string());
            return Err(error);
        }
    }
    let verdict = match passed {
        true => "all that this PBX supports can be read",
        false => "some of what this PBX supports cannot be read; see the lines marked FAIL",
    };
    say(out, if passed { Mark::Passed } else { Mark::Failed }, "result", verdict);
    Ok(if passed { ExitCode::Complete } else { ExitCode::Partial })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Passed,
    Noted,
    Failed,
}

fn say(out: &mut dyn Write, mark: Mark, step: &str, text: &str) {
    let mark = match mark {
        Mark::Passed => "ok  ",
        Mark::Noted => "--  ",
        Mark::Failed => "FAIL",
    };
    // A closed pipe ends the reading, not the check.
    let _ = writeln!(out, "{mark} {}: {}", clean(step), clean(text));
}

/// The verdict on an action, and what to do about it.
fn judge(action: &Action, outcome: &Outcome, elapsed: Option<Duration>) -> (Mark, String) {
    let needs = match action.kind().classes() {
        [] => "no class needed".to_owned(),
        classes => format!("needs {}", classes.join(" or ")),
    };
    let time = elapsed.map(|time| format!(", {:.1} ms", time.as_secs_f64() * 1e3));
    let time = time.unwrap_or_default();
    match outcome {
        Outcome::Answered(answer) if answer.damaged() > 0 => {
            (Mark::Failed, format!("{} rows were damaged on the wire", answer.damaged()))
        }
        Outcome::Answered(answer) => (Mark::Passed, format!("{} ({needs}{time})", shown(answer))),
        Outcome::Skipped(reason) => (Mark::Noted, reason.clone()),
        Outcome::Failed(error) => failure(action.kind(), error),
    }
}

fn failure(kind: ReadAction, error: &ActionError) -> (Mark, String) {
    match error {
        ActionError::Unsupported { .. } => (
            Mark::Noted,
            match kind.module() {
                Some(module) => format!("not on this server ({module} is not loaded)"),
                None => "not on this server (its version lacks it)".to_owned(),
            },
        ),
        ActionError::Denied { .. } => (
            Mark::Failed,
            format!(
                "not permitted; add {} to the user's `write =` line in manager_custom.conf, then \
                 run `asterisk -rx \"manager reload\"`",
                kind.classes().join(" or ")
            ),
        ),
        ActionError::Timeout { .. } => (
            Mark::Failed,
            format!("{error}; the PBX is too busy, or raise freepbx.timeouts.action_seconds"),
        ),
        ActionError::CutOff { .. } => (
            Mark::Failed,
            format!("{error}; Asterisk restarts, or writetimeout in manager.conf is too short"),
        ),
        _ => (Mark::Failed, error.to_string()),
    }
}

/// What an answer holds: a few of its names, or its most telling header.
fn shown(answer: &Answer) -> String {
    const MOST: usize = 4;
    if !answer.action().is_list() {
        let telling = ["AsteriskVersion", "CoreStartupDate", "Value", "Timestamp"];
        let row = answer.response();
        let value = telling.iter().find_map(|key| row.get(key));
        return value.unwrap_or("answered").to_owned();
    }
    const NAMES: [&str; 9] =
        ["ObjectName", "Queue", "Channel", "Exten", "Conference", "Device", "AOR", "Key", "Host"];
    let total = answer.rows().len();
    let mut names: Vec<&str> = Vec::new();
    for row in answer.rows() {
        let name = NAMES.iter().find_map(|key| row.get(key)).unwrap_or_default();
        if !name.is_empty() && !names.contains(&name) && names.len() < MOST {
            names.push(name);
        }
    }
    match (total, names.is_empty()) {
        (0, _) => "none".to_owned(),
        (_, true) => total.to_string(),
        _ => format!("{total}: {}{}", names.join(", "), if total > MOST { ", ..." } else { "" }),
    }
}
