//! Every section of the snapshot for every recording, as reviewed files in `snapshots/`; and what
//! must be true of any snapshot whatsoever.
//!
//! After a wanted change: `INSTA_UPDATE=always cargo test --test it golden`, then read the diff.

use std::{cmp::Ordering, path::Path, time::Duration};

use freepbx_snapshot::{
    ami::{Action, Limits, ReadAction, decode_recording},
    collect::{Answers, Collected, Outcome, Plan},
    commands::collect::serialize,
    normalize::{self, Context},
    snapshot::{Baseline, Snapshot, Timestamp, natural},
};
use serde_json::{Map, Value, json};

use super::program::assert_follows_schema;

const STATES: [&str; 8] = [
    "16.28.0/idle",
    "16.28.0/busy",
    "22.10.1/idle",
    "22.10.1/busy",
    "16.28.0/idle/noperm",
    "16.28.0/busy/noperm",
    "22.10.1/idle/noperm",
    "22.10.1/busy/noperm",
];

/// The top-level keys, in the contract's order.
const TOP_LEVEL: [&str; 17] = [
    "schema_version",
    "collected_at",
    "stale_after",
    "complete",
    "summary",
    "source",
    "sections",
    "system_info",
    "trunks",
    "queues",
    "active_calls",
    "channels",
    "extensions",
    "parking",
    "conferences",
    "voicemail",
    "changes",
];

/// The keys that the contract promises in every item, in its order; others may stand between.
const ITEMS: [(&str, &[&str]); 8] = [
    (
        "/extensions",
        &[
            "extension",
            "name",
            "tech",
            "status",
            "online",
            "device_state",
            "ip",
            "port",
            "user_agent",
            "latency_ms",
            "contacts",
            "active_calls",
            "queues",
            "voicemail",
            "dnd",
            "forwards",
        ],
    ),
    (
        "/trunks",
        &[
            "name",
            "tech",
            "host",
            "port",
            "username",
            "state",
            "registration",
            "reachable",
            "latency_ms",
            "active_calls",
            "kind_source",
        ],
    ),
    (
        "/active_calls",
        &[
            "call_id",
            "state",
            "direction",
            "from",
            "to",
            "queue",
            "trunk",
            "answered",
            "started_at",
            "duration_seconds",
            "talk_seconds",
            "channel",
            "caller_id",
            "caller_name",
            "channels",
            "description",
        ],
    ),
    (
        "/queues",
        &[
            "name",
            "strategy",
            "calls",
            "longest_wait_seconds",
            "members",
            "available",
            "paused",
            "in_call",
            "logged_in",
            "average_hold_seconds",
            "average_talk_seconds",
            "completed",
            "abandoned",
            "service_level_seconds",
            "service_level_percent",
            "callers",
            "agents",
        ],
    ),
    ("/queues/*/callers", &["position", "number", "name", "wait_seconds"]),
    (
        "/queues/*/agents",
        &[
            "name",
            "extension",
            "interface",
            "membership",
            "status",
            "paused",
            "paused_reason",
            "in_call",
            "calls_taken",
            "last_call_at",
            "penalty",
        ],
    ),
    (
        "/extensions/*/contacts",
        &["uri", "ip", "port", "transport", "user_agent", "status", "latency_ms", "expires_at"],
    ),
    ("/summary/attention", &["severity", "kind", "id", "message"]),
];

/// What a run would have collected from a server that answers as one folder of recordings, such as
/// `16.28.0/busy`; voicemail counts included.
pub fn collected(folder: &str, plan: &Plan) -> Collected {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
    let mut answers = Answers::default();
    let ask = |actions: Vec<Action>, answers: &mut Answers| {
        for action in actions {
            let outcome = answer(&folder, &action);
            answers.insert(action, outcome, Some(Duration::from_millis(1)));
        }
    };
    ask(vec![Action::new(ReadAction::Ping)], &mut answers);
    ask(plan.first(), &mut answers);
    ask(plan.then(&answers), &mut answers);
    let login = folder.to_string_lossy().trim_end_matches("/noperm").to_owned() + "/Login.ami";
    let login = std::fs::read_to_string(login).unwrap();
    let banner = login.lines().next().and_then(|banner| banner.split_once('/'));
    Collected {
        answers,
        ami_version: banner.map(|(_, version)| version.to_owned()),
        same_machine: false,
        pong_after: Some(Duration::from_millis(250)),
        duration: Duration::from_millis(300),
    }
}

/// The recorded answer to one action.
fn answer(folder: &Path, action: &Action) -> Outcome {
    let denied = folder.ends_with("noperm");
    let name = match action.kind() {
        ReadAction::DbGetTree if !denied => "DBGetTree-all",
        kind => kind.name(),
    };
    let id = format!("{}-1", name.to_lowercase());
    let mut bytes = std::fs::read(folder.join(format!("{name}.ami"))).unwrap_or_else(|_| {
        // Not recorded: the server's zone, which was UTC.
        assert_eq!(name, "Getvar", "{} has no {name}", folder.display());
        match denied {
            true => format!("Response: Error\nActionID: {id}\nMessage: Permission denied\n\n"),
            false => format!("Response: Success\nActionID: {id}\nValue: +0000\n\n"),
        }
        .into()
    });
    if action.kind() == ReadAction::DbGetTree && !denied {
        // The recording holds the whole database; a real server sends only what is asked for.
        let family = format!("Key: /{}/", action.argument("Family").unwrap());
        let entry = action.argument("Key").map_or("", |key| key.trim_start_matches('%'));
        let belongs = |block: &&str| {
            let key = block.lines().find(|line| line.starts_with("Key: "));
            key.is_none_or(|key| key.starts_with(&family) && key.ends_with(entry))
        };
        let text = String::from_utf8(bytes).unwrap();
        bytes = text.split_inclusive("\r\n\r\n").filter(belongs).collect::<String>().into();
    }
    // Recorded for one object only.
    let of = action.argument("Conference").or(action.argument("Endpoint"));
    let asked = std::fs::read_to_string(folder.join(format!("{name}.req"))).unwrap_or_default();
    if of.is_some_and(|of| !denied && !asked.contains(&format!(": {of}\r\n"))) {
        return Outcome::Skipped("not recorded".to_owned());
    }
    match decode_recording(action.clone(), &id, &bytes, Limits::default()) {
        Ok(answer) => Outcome::Answered(answer),
        Err(error) => Outcome::Failed(error),
    }
}

fn everything() -> Plan {
    Plan { skip: [].into(), ..Plan::default() }
}

/// What a snapshot says of its own making in golden files.
pub(super) fn context(collected_at: Timestamp) -> Context {
    Context {
        host: "pbx.example.com".to_owned(),
        port: 5038,
        tls: false,
        demo: false,
        collected_at,
        stale_after_seconds: 600,
    }
}

/// The snapshot of a folder of recordings, taken when its Ping was recorded.
fn snapshot(folder: &str, previous: Option<&Snapshot>) -> Snapshot {
    let collected = collected(folder, &everything());
    let pong = collected.answers.answer(ReadAction::Ping).unwrap().response();
    let (seconds, _) = pong.get("Timestamp").unwrap().split_once('.').unwrap();
    let collected_at = Timestamp::from_epoch(seconds.parse().unwrap()).unwrap();
    let previous = previous.map(Baseline::from);
    normalize::snapshot(&collected, &everything(), &context(collected_at), previous.as_ref())
}

#[test]
fn every_section_of_every_recording_is_as_reviewed() {
    for folder in STATES {
        let snapshot = snapshot(folder, None);
        let value = assert_sound(&snapshot);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("snapshots");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.set_snapshot_suffix(folder.replace('/', "-"));
        settings.bind(|| {
            let known = |(key, value): (&String, &Value)| {
                let is_section = value.is_object() || value.is_array();
                (!is_section).then(|| (key.clone(), value.clone()))
            };
            let plain: Map<_, _> = value.as_object().unwrap().iter().filter_map(known).collect();
            insta::assert_yaml_snapshot!("top", plain);
            for (section, value) in value.as_object().unwrap() {
                if !plain.contains_key(section) {
                    insta::assert_yaml_snapshot!(section.as_str(), value);
                }
            }
        });
    }
}

#[test]
fn what_changed_between_two_recordings_is_as_reviewed() {
    for version in ["16.28.0", "22.10.1"] {
        let (idle, busy) = (format!("{version}/idle"), format!("{version}/busy"));
        let before = snapshot(&idle, None);
        let now = snapshot(&busy, Some(&before));
        let mut back = snapshot(&idle, Some(&now));
        // Recorded earlier, but told as if it came later.
        back.collected_at = now.collected_at.plus_seconds(300);
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("snapshots");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.set_snapshot_suffix(version);
        settings.bind(|| {
            for (name, snapshot) in [("changes-idle-to-busy", now), ("changes-busy-to-idle", back)]
            {
                let value = assert_sound(&snapshot);
                let attention = &value["summary"]["attention"];
                let seen = json!({ "changes": value["changes"], "attention": attention });
                insta::assert_yaml_snapshot!(name, seen);
            }
        });
    }
}

#[test]
fn the_same_answers_give_the_same_bytes() {
    let bytes = |folder| serialize(&snapshot(folder, None), true).unwrap();
    assert_eq!(bytes("16.28.0/busy"), bytes("16.28.0/busy"));
}

#[test]
fn without_permissions_what_is_not_known_is_null_and_never_empty() {
    for folder in STATES.into_iter().filter(|folder| folder.ends_with("noperm")) {
        let value = assert_sound(&snapshot(folder, None));
        for section in ["trunks", "active_calls", "channels", "extensions", "conferences"] {
            assert_eq!(value[section], Value::Null, "{section} of {folder}");
            assert_eq!(value["sections"][section]["status"], "denied", "{section} of {folder}");
        }
        assert_eq!(value["complete"], false);
        // Asterisk asks for no class to look at queues.
        assert_eq!(value["queues"].as_array().unwrap().len(), 3, "{folder}");
    }
}

/// What is true of every snapshot. Gives it as JSON.
pub fn assert_sound(snapshot: &Snapshot) -> Value {
    let bytes = serialize(snapshot, true).unwrap();
    let value: Value = serde_json::from_slice(&bytes).unwrap();
    assert_follows_schema(&value);
    let again: Snapshot = serde_json::from_slice(&bytes).unwrap();
    assert!(serialize(&again, true).unwrap() == bytes, "reading and writing gives other bytes");

    let keys: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, TOP_LEVEL);
    for (path, promised) in ITEMS {
        for item in items(&value, path) {
            let keys = item.as_object().unwrap().keys();
            let kept: Vec<_> = keys.filter(|key| promised.contains(&key.as_str())).collect();
            assert_eq!(kept, promised, "keys of {path}");
        }
    }
    for (path, key) in [
        ("/extensions", "extension"),
        ("/trunks", "name"),
        ("/queues", "name"),
        ("/active_calls", "call_id"),
        ("/channels", "channel"),
        ("/conferences", "name"),
        ("/queues/*/callers", "position"),
    ] {
        for (parent, list) in lists(&value, path) {
            let said: Vec<String> = list.iter().map(|item| text(&item[key])).collect();
            let sorted = said.is_sorted_by(|a, b| natural(a, b) != Ordering::Greater);
            assert!(sorted || path == "/channels", "{path} of {parent}: {said:?}");
        }
    }
    for trunk in items(&value, "/trunks") {
        let state = trunk["state"].as_str().unwrap();
        assert!(state == "Registered" || !state.contains("Registered"), "{state}");
    }
    let summary = String::from_utf8_lossy(&bytes);
    let ends = summary.find("\n  \"source\"").unwrap();
    let characters = summary[..ends].chars().count();
    assert!(characters < 5_000, "the summary ends after {characters} characters");

    let text = String::from_utf8_lossy(&bytes);
    for secret in ["prov-pass", "wrong-pass", "peer-16", "peer-22", "s3cret", "Md5Cred"] {
        assert!(!text.contains(secret), "{secret}");
    }
    value
}

/// All items of the lists at a path, where `*` stands for every item of a list.
fn items<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    lists(value, path).into_iter().flat_map(|(_, list)| list).collect()
}

/// The lists at a path, each with a word on where it hangs.
fn lists<'a>(value: &'a Value, path: &str) -> Vec<(String, &'a Vec<Value>)> {
    let mut found = vec![(String::new(), value)];
    for step in path.split('/').skip(1) {
        found = found
            .into_iter()
            .flat_map(|(name, value)| match step {
                "*" => value.as_array().into_iter().flatten().map(|v| (v.to_string(), v)).collect(),
                key => vec![(name, &value[key])],
            })
            .collect();
    }
    found.into_iter().filter_map(|(name, value)| Some((name, value.as_array()?))).collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[test]
fn no_control_character_comes_out_of_the_recordings() {
    fn walk(value: &Value, seen: &mut dyn FnMut(&str)) {
        match value {
            Value::String(text) => seen(text),
            Value::Array(list) => list.iter().for_each(|value| walk(value, seen)),
            Value::Object(map) => map.values().for_each(|value| walk(value, seen)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
    for folder in STATES {
        let value = serde_json::to_value(snapshot(folder, None)).unwrap();
        walk(&value, &mut |text| {
            assert!(!text.contains(char::is_control), "{text:?} in {folder}");
            assert_eq!(text.trim(), text, "in {folder}");
        });
    }
}
