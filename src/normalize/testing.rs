//! Answers without a connection, for the tests of this module.

use std::{path::Path, time::Duration};

use crate::{
    ami::{Action, ActionError, Limits, ReadAction, decode_recording},
    collect::{Answers, Collected, Family, Outcome, Plan},
    normalize::{self, Context},
    snapshot::{Contact, Snapshot, Timestamp},
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
    for family in Family::all() {
        if let Some(outcome) = decode(&family.tree(), "DBGetTree-all") {
            answers.insert(family.tree(), outcome, None);
        }
    }
    answers
}

/// When every snapshot of [`snapshot`] is taken: 2026-11-21 08:00:00 UTC.
pub(crate) const NOW: i64 = 1_795_248_000;

/// The snapshot of what was answered, at [`NOW`].
pub(crate) fn snapshot(answers: &Answers, plan: &Plan) -> Snapshot {
    normalize::snapshot(&collected(answers), plan, &context(), None)
}

/// A run that brought these answers home.
pub(crate) fn collected(answers: &Answers) -> Collected {
    Collected {
        answers: answers.clone(),
        ami_version: Some("11.0.0".to_owned()),
        same_machine: false,
        pong_after: Some(Duration::from_millis(100)),
        duration: Duration::from_millis(200),
    }
}

/// What a snapshot at [`NOW`] says about its own making.
pub(crate) fn context() -> Context {
    Context {
        host: "pbx.example.com".to_owned(),
        port: 5038,
        tls: false,
        demo: false,
        collected_at: Timestamp::from_epoch(NOW).unwrap(),
        stale_after_seconds: 600,
    }
}

/// A server that answers every list with nothing, and has been up for an hour.
pub(crate) fn nothing() -> Answers {
    let mut given: Vec<(Action, &str)> =
        Plan::default().first().into_iter().map(|action| (action, "")).collect();
    for (kind, text) in [
        (ReadAction::Ping, "Ping: Pong\nTimestamp: 1795248000.250000"),
        (ReadAction::UtcOffset, "Value: +0000"),
        (ReadAction::CoreSettings, "AsteriskVersion: 22.10.1"),
        (ReadAction::CoreStatus, "CoreStartupDate: 2026-11-21\nCoreStartupTime: 07:00:00"),
    ] {
        given.retain(|(action, _)| action.kind() != kind);
        given.push((kind.into(), text));
    }
    answers(&given)
}

/// A server that permits nothing.
pub(crate) fn denied() -> Answers {
    let mut answers = Answers::default();
    for action in Plan::default().first() {
        let error = ActionError::Denied { action: action.kind() };
        answers.insert(action, Outcome::Failed(error), None);
    }
    answers
}

fn outcome(result: Result<crate::ami::Answer, crate::ami::ActionError>) -> Outcome {
    match result {
        Ok(answer) => Outcome::Answered(answer),
        Err(error) => Outcome::Failed(error),
    }
}

/// A contact of which nothing but its status is told.
pub(crate) fn contact(status: Option<&str>) -> Contact {
    Contact {
        device: "PJSIP/t".to_owned(),
        uri: None,
        ip: None,
        port: None,
        transport: None,
        user_agent: None,
        status: status.map(str::to_owned),
        latency_ms: None,
        expires_at: None,
    }
}
