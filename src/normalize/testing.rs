//! Answers without a connection, for the tests of this module.

use std::path::Path;

use crate::{
    ami::{Action, Limits, ReadAction, decode_recording},
    collect::{Answers, Family, Outcome},
};

/// Answers decoded from text: for a list its rows (blocks that begin with `Event:`), for any other
/// action the headers of its response. What a server adds around them is added here.
pub(crate) fn answers(given: &[(Action, &str)]) -> Answers {
    let mut answers = Answers::default();
    for (action, text) in given {
        let wire = if action.kind().is_list() {
            let rows = text.trim().split("\n\n").filter(|row| !row.is_empty());
            let rows = rows.map(|row| row.replacen('\n', "\nActionID: t\n", 1) + "\n\n");
            format!(
                "Response: Success\nActionID: t\nEventList: start\n\n{}\
                 Event: Done\nActionID: t\nEventList: Complete\n\n",
                rows.collect::<String>()
            )
        } else {
            format!("Response: Success\nActionID: t\n{}\n\n", text.trim())
        };
        let answer = decode_recording(action.clone(), "t", wire.as_bytes(), Limits::default());
        answers.insert(action.clone(), outcome(answer), None);
    }
    answers
}

/// All answers of one folder of recordings, such as `16.28.0/busy`.
pub(crate) fn recorded(folder: &str) -> Answers {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
    let mut answers = Answers::default();
    let decode = |action: &Action, name: &str| {
        let bytes = std::fs::read(folder.join(format!("{name}.ami"))).ok()?;
        let id = format!("{}-1", name.to_lowercase());
        Some(outcome(decode_recording(action.clone(), &id, &bytes, Limits::default())))
    };
    for kind in ReadAction::ALL {
        let action = match kind {
            ReadAction::ConfbridgeList => Action::new(kind).with("Conference", "600").unwrap(),
            ReadAction::DbGet | ReadAction::DbGetTree => continue,
            _ => Action::new(kind),
        };
        if let Some(outcome) = decode(&action, kind.name()) {
            answers.insert(action, outcome, None);
        }
    }
    for family in Family::ALWAYS.into_iter().chain(Family::WITHOUT_SYSTEM) {
        if let Some(outcome) = decode(&family.tree(), "DBGetTree-all") {
            answers.insert(family.tree(), outcome, None);
        }
    }
    answers
}

fn outcome(result: Result<crate::ami::Answer, crate::ami::ActionError>) -> Outcome {
    match result {
        Ok(answer) => Outcome::Answered(answer),
        Err(error) => Outcome::Failed(error),
    }
}
