//! Captures that this program made of the laboratory's servers, sanitized as it does by default: an
//! ordinary PBX, one on which nothing is set up, and a large one.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use freepbx_snapshot::{
    ami::{Action, Limits, ReadAction, decode_recording},
    capture::{Capture, Question, Recorded},
    collect::{Answers, Collected, Family, Outcome, Plan},
    normalize,
    snapshot::{Snapshot, Timestamp},
};
use serde_json::{Value, json};

use super::{
    capture::collected_from,
    golden::{assert_sound, context},
    program::Program,
    replay::Replay,
};

const VERSIONS: [&str; 2] = ["16.28.0", "22.10.1"];

pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/captures").join(name)
}

/// What a run that got these answers would have written.
fn snapshot(capture: &Capture) -> Snapshot {
    snapshot_with(capture, Vec::new())
}

/// The same for a run that asked something else, too.
fn snapshot_with(capture: &Capture, also: Vec<Action>) -> Snapshot {
    let plan = Plan { skip: [].into(), ..Plan::default() };
    let mut answers = Answers::default();
    let ask = |actions: Vec<Action>, answers: &mut Answers| {
        for action in actions {
            let recorded = capture.actions().find(|recorded| asks(recorded, &action));
            let recorded = recorded.unwrap_or_else(|| panic!("{action} is not in the capture"));
            let (id, limits) = (recorded.action_id(), Limits::default());
            let outcome = match decode_recording(action.clone(), &id, &recorded.answer, limits) {
                Ok(answer) => Outcome::Answered(answer),
                Err(error) => Outcome::Failed(error),
            };
            answers.insert(action, outcome, Some(Duration::from_millis(1)));
        }
    };
    ask(vec![Action::new(ReadAction::Ping)], &mut answers);
    ask(plan.first(), &mut answers);
    ask(plan.then(&answers), &mut answers);
    ask(also, &mut answers);
    let pong = answers.answer(ReadAction::Ping).unwrap().response();
    let (seconds, _) = pong.get("Timestamp").unwrap().split_once('.').unwrap();
    let collected_at = Timestamp::from_epoch(seconds.parse().unwrap()).unwrap();
    let collected = Collected {
        answers,
        ami_version: capture.banner.rsplit_once('/').map(|(_, version)| version.to_owned()),
        same_machine: false,
        pong_after: Some(Duration::from_millis(250)),
        duration: Duration::from_millis(300),
    };
    normalize::snapshot(&collected, &plan, &context(collected_at), None)
}

/// Whether a recorded action is this one.
fn asks(recorded: &Recorded, action: &Action) -> bool {
    let question: Question = recorded.question();
    let keys = action.kind().arguments();
    question.action().eq_ignore_ascii_case(action.kind().name())
        && keys.iter().all(|key| question.argument(&key.to_lowercase()) == action.argument(key))
}

#[test]
fn what_the_captures_say_is_as_reviewed() {
    for version in VERSIONS {
        for state in ["busy", "empty"] {
            let name = format!("{version}/{state}");
            let snapshot = snapshot(&Capture::read(&folder(&name)).unwrap());
            let value = assert_sound(&snapshot);
            assert_eq!(value["complete"], true, "{:#}", value["sections"]);
            let trunks: Vec<Value> =
                value["trunks"].as_array().unwrap().iter().map(short).collect();
            let seen = json!({ "summary": value["summary"], "trunks": trunks });
            let mut settings = insta::Settings::clone_current();
            settings.set_snapshot_path("snapshots");
            settings.set_prepend_module_to_snapshot(false);
            settings.set_omit_expression(true);
            settings.set_snapshot_suffix(name.replace('/', "-"));
            settings.bind(|| insta::assert_yaml_snapshot!("captured", seen));
        }
    }
}

/// A trunk in a few words.
fn short(trunk: &Value) -> Value {
    let words = ["name", "tech", "state", "kind_source"].map(|key| trunk[key].as_str().unwrap());
    Value::from(words.join(" "))
}

/// A folder of one that is kept packed.
fn unpacked(version: &str) -> tempfile::TempDir {
    let place = tempfile::tempdir().unwrap();
    let packed = folder(version).join("large.tar.gz");
    let done = Command::new("tar").arg("-xzf").arg(packed).arg("-C").arg(place.path()).status();
    assert!(done.unwrap().success());
    place
}

#[test]
fn a_large_pbx_is_replayed_and_collected_whole() {
    for version in VERSIONS {
        let place = unpacked(version);
        let snapshot = collected_from(&place.path().join("large"));
        assert_eq!(snapshot["complete"], true);
        let count = |key: &str| snapshot[key].as_array().unwrap().len();
        assert_eq!(count("extensions"), 2_000, "{version}");
        assert_eq!(count("queues"), 50, "{version}");
        assert_eq!(count("channels"), 700, "{version}");
        assert_eq!(snapshot["summary"]["extensions"]["online"], 500, "{version}");
    }
}

#[test]
fn a_captured_pbx_can_be_checked_and_asked_as_a_smaller_account() {
    for version in VERSIONS {
        let replay = Replay::of(&folder(version).join("busy"), &["--write", "reporting"]);
        let program = Program::for_port(replay.port);
        let ended = program.run(&["check"]);
        assert_eq!(ended.code, 3, "{ended:?}");
        assert!(ended.stdout.contains("let [snapshot] in "), "{}", ended.stdout);
    }
}

#[test]
fn lists_that_are_not_asked_for_could_not_have_changed_anything() {
    for version in VERSIONS {
        let place = unpacked(version);
        let capture = Capture::read(&place.path().join("large")).unwrap();
        let told = |also| serde_json::to_value(snapshot_with(&capture, also)).unwrap();
        let mut without = told(Vec::new());
        let mut with = told(vec![
            ReadAction::DeviceStateList.into(),
            ReadAction::ExtensionStateList.into(),
            Family::UserDevice.tree(),
        ]);
        let [asked, all] = [&mut without, &mut with].map(|snapshot| {
            let sections = snapshot.as_object_mut().unwrap().remove("sections").unwrap();
            sections["extensions"]["actions"].as_array().unwrap().len()
        });
        assert_eq!(all, asked + 3, "{version}");
        assert!(without == with, "{version}");
    }
}
