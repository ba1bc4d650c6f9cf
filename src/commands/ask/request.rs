//! The command line's words as actions.

use crate::ami::{Action, NotReadable, ReadAction, WhyNot};

/// The only thing that `Getvar` may be asked: other functions read files and run programs.
const VARIABLE: (&str, &str) = ("Variable", "STRFTIME(,,%z)");

/// The actions that these words ask for: a word without `=` is the name of an action, one with it an
/// argument of the action before. A refusal is one line.
pub(super) fn actions(words: &[String]) -> Result<Vec<Action>, String> {
    let mut actions: Vec<Action> = Vec::new();
    for word in words {
        let Some((key, value)) = word.split_once('=') else {
            actions.push(Action::new(named(word)?));
            continue;
        };
        let action = actions.pop().ok_or_else(|| {
            format!("{word} is an argument, and no action stands before it: ask ACTION {word}")
        })?;
        actions.push(with(action, key, value)?);
    }
    Ok(actions)
}

fn named(name: &str) -> Result<ReadAction, String> {
    ReadAction::named(name).map_err(|refused: NotReadable| match refused.why {
        WhyNot::Unknown(Some(_)) => refused.to_string(),
        _ => format!("{refused}; `freepbx-snapshot ask --list` tells what can be asked"),
    })
}

fn with(action: Action, key: &str, value: &str) -> Result<Action, String> {
    let kind = action.kind();
    if kind == ReadAction::UtcOffset {
        return match key.eq_ignore_ascii_case(VARIABLE.0) && value == VARIABLE.1 {
            // It is always sent.
            true => Ok(action),
            false => Err(format!(
                "Getvar can be asked for {}={} alone: functions can read files and run programs",
                VARIABLE.0, VARIABLE.1
            )),
        };
    }
    let takes = kind.arguments();
    if !takes.iter().any(|argument| argument.eq_ignore_ascii_case(key)) {
        let takes = match takes {
            [] => "none".to_owned(),
            takes => takes.join(", "),
        };
        return Err(format!("{kind} takes no argument {key}; it takes: {takes}"));
    }
    if action.argument(key).is_some() {
        return Err(format!("{kind}: {key} is given twice"));
    }
    action.with(key, value).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(words: &[&str]) -> Result<Vec<String>, String> {
        let words: Vec<_> = words.iter().map(ToString::to_string).collect();
        Ok(actions(&words)?.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_word_without_an_equals_sign_begins_another_action() {
        assert_eq!(
            said(&["corestatus", "QueueStatus", "queue=400", "Member=a=b", "Ping"]).unwrap(),
            ["CoreStatus", "QueueStatus(400/a=b)", "Ping"]
        );
        assert_eq!(said(&["Getvar", "Variable=STRFTIME(,,%z)"]).unwrap(), ["Getvar"]);
    }

    #[test]
    fn what_cannot_be_asked_is_refused_with_its_reason() {
        for (words, reason) in [
            (&["Originate", "Channel=PJSIP/100"][..], "Originate changes the PBX"),
            (&["QueueStatu"], "did you mean QueueStatus?"),
            (&["Queue=400"], "no action stands before it"),
            (&["QueueStatus", "Foo=1"], "takes no argument Foo; it takes: Queue, Member"),
            (&["CoreStatus", "Foo=1"], "it takes: none"),
            (&["QueueStatus", "Queue=1", "queue=2"], "given twice"),
            (&["QueueStatus", "Queue=1\r\nAction: Hangup"], "line end"),
            (&["Getvar", "Variable=SHELL(id)"], "STRFTIME(,,%z) alone"),
        ] {
            let refused = said(words).unwrap_err();
            assert!(refused.contains(reason), "{words:?}: {refused}");
        }
    }
}
