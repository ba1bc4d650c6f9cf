//! What a person sees of a snapshot: the views as golden text, the binary on files and terminals.

use std::{os::unix::fs::PermissionsExt as _, path::Path, process::Command, time::Instant};

use chrono::{DateTime, TimeDelta, Utc};
use clap::Parser as _;
use freepbx_snapshot::{
    cli::{self, Cli},
    snapshot::{Change, ChangeKind, RecordedChange, Snapshot, Timestamp},
    views::{
        self, history,
        show::{Page, Request, Shown, show},
    },
};
use serde_json::{Value, json};

use super::{
    pbx::{Reply, Script},
    program::Program,
};

const NOW: &str = "2026-11-21T09:23:00Z";

fn now() -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(NOW).unwrap().to_utc()
}

/// A program with the demonstration's snapshot, as if it had been taken 45 seconds before [`NOW`].
fn demo() -> (Program, Value) {
    let program = Program::with_config("cache:\n  directory: ./cache\n");
    assert_eq!(program.run(&["demo"]).code, 0);
    let mut snapshot = program.snapshot();
    let taken = now() - TimeDelta::seconds(45);
    snapshot["collected_at"] = json!(Timestamp::new(taken));
    snapshot["stale_after"] = json!(Timestamp::new(taken).plus_seconds(600));
    store(&program, &snapshot);
    (program, snapshot)
}

fn store(program: &Program, snapshot: &Value) {
    std::fs::write(program.path("cache/freepbx.json"), snapshot.to_string()).unwrap();
}

/// As [`store`], but good for an hour from the real now on: the binary has the real clock.
fn store_fresh(program: &Program, snapshot: &Value) {
    let mut snapshot = snapshot.clone();
    snapshot["collected_at"] = json!(Timestamp::new(Utc::now()));
    snapshot["stale_after"] = json!(Timestamp::new(Utc::now()).plus_seconds(3_600));
    store(program, &snapshot);
}

fn request(arguments: &[&str]) -> Result<Request, String> {
    let words = ["freepbx-snapshot", "show"].iter().chain(arguments);
    match Cli::try_parse_from(words).map_err(|error| error.to_string())?.command {
        Some(cli::Command::Show(arguments)) => Request::new(&arguments),
        other => panic!("{other:?}"),
    }
}

fn shown_with(
    snapshot: &Snapshot,
    past: &[RecordedChange],
    arguments: &[&str],
    page: Page,
) -> Shown {
    show(snapshot, past, &request(arguments).unwrap(), page, now())
}

fn shown(snapshot: &Value, arguments: &[&str], width: usize) -> String {
    let snapshot = Snapshot::deserialize_from(snapshot);
    shown_with(&snapshot, &[], arguments, Page { width: Some(width), color: false }).text
}

trait FromValue {
    fn deserialize_from(value: &Value) -> Self;
}

impl FromValue for Snapshot {
    fn deserialize_from(value: &Value) -> Self {
        serde_json::from_value(value.clone()).unwrap()
    }
}

/// Terminals count columns: East Asian characters take two. Enough for the test's own names.
fn columns(line: &str) -> usize {
    line.chars()
        .map(|c| if ('\u{1100}'..'\u{ffdc}').contains(&c) && c != '…' { 2 } else { 1 })
        .sum()
}

#[test]
fn every_view_fits_every_width() {
    let (_program, snapshot) = demo();
    for (name, arguments) in [
        ("summary", &[][..]),
        ("extensions", &["extensions", "--queue", "400"]),
        ("trunks", &["trunks"]),
        ("calls", &["calls"]),
        ("queues", &["queues"]),
        ("attention", &["attention"]),
        ("changes", &["changes"]),
        ("extension-100", &["100"]),
        ("trunk-main", &["trunk-main"]),
        ("queue-400", &["queue", "400"]),
        ("search", &["agent"]),
    ] {
        let mut golden = String::new();
        for width in [60, 80, 120] {
            let text = shown(&snapshot, arguments, width);
            let widest = text.lines().map(columns).max().unwrap();
            // One wide character more or less is the difference between this count and Unicode's.
            assert!(widest <= width + 1, "{name} at {width}: {widest}\n{text}");
            assert!(text.lines().all(|line| line.trim_end() == line), "{name}\n{text}");
            golden += &format!("{}\n{text}\n", "=".repeat(width));
        }
        insta::assert_snapshot!(name, golden);
    }
}

#[test]
fn filters_keep_what_they_say() {
    let (_program, snapshot) = demo();
    let rows = |arguments: &[&str], key: &str| -> Vec<String> {
        let text = shown(&snapshot, &[arguments, &["--json"]].concat(), 80);
        let rows: Vec<Value> = serde_json::from_str(&text).unwrap();
        rows.iter().map(|row| row[key].as_str().unwrap().to_owned()).collect()
    };
    let own = |arguments: &[&str]| rows(arguments, "extension");
    assert_eq!(own(&["extensions", "--offline"]), ["111", "117", "120", "204", "205", "300"]);
    assert_eq!(own(&["--offline"]), own(&["extensions", "--offline"]));
    assert_eq!(own(&["extensions", "--busy"]).len(), 30);
    assert_eq!(own(&["extensions", "--state", "ON-HOLD"]), ["106"]);
    assert_eq!(own(&["extensions", "--queue", "402"]), ["112"]);
    assert_eq!(own(&["extensions", "zoë"]), ["102"]);
    assert_eq!(own(&["extensions", "10"]), Vec::<String>::new());
    assert_eq!(own(&["extensions", "--busy", "agent"]), ["110", "112"]);
    assert_eq!(rows(&["trunks", "--busy"], "name"), ["SIP_Trunk_IP", "sip-trunk", "trunk-main"]);
    assert_eq!(rows(&["trunks", "--state", "rejected"], "name"), ["trunk-badpw", "trunk-dead"]);
    assert_eq!(rows(&["trunks", "--offline"], "name").len(), 6);
    assert_eq!(rows(&["queues", "--busy"], "name"), ["400", "402", "403"]);
    assert_eq!(rows(&["calls", "--queue", "400"], "state"), ["Up", "Queued", "Queued"]);
    assert_eq!(rows(&["calls", "114"], "caller_id"), ["125"], "one of several ringing phones");
    assert_eq!(rows(&["calls", "30555012"], "caller_id"), ["+4930555012"]);
    assert_eq!(rows(&["attention", "--state", "info"], "kind"), ["pbx_restarted"]);
    // Natural order is the file's.
    let all = own(&["extensions"]);
    assert!(all.is_sorted_by(|a, b| views_natural(a, b)), "{all:?}");
}

fn views_natural(a: &str, b: &str) -> bool {
    freepbx_snapshot::snapshot::natural(a, b).is_lt()
}

#[test]
fn a_filter_that_says_nothing_about_a_view_is_refused() {
    for (arguments, says) in [
        (&["calls", "--offline"][..], "--offline says nothing about calls"),
        (&["queues", "--state", "up"], "--state says nothing about queues"),
        (&["100", "--busy"], "--busy says nothing about a look-up"),
        (&["trunks", "--since", "1h"], "--since says nothing about trunks"),
        (&["trunks", "--state", "offline"], "is one of: Registered, Unregistered"),
        (&["summary", "bob"], "`show bob` looks it up"),
    ] {
        assert!(request(arguments).unwrap_err().contains(says), "{arguments:?}");
    }
}

#[test]
fn rows_as_json_are_the_items_of_the_snapshot() {
    let (_program, snapshot) = demo();
    let of = |arguments: &[&str]| -> Value {
        serde_json::from_str(&shown(&snapshot, arguments, 80)).unwrap()
    };
    assert_eq!(of(&["extensions", "--json"]), snapshot["extensions"]);
    assert_eq!(of(&["trunks", "--json"]), snapshot["trunks"]);
    assert_eq!(of(&["calls", "--json"]), snapshot["active_calls"]);
    assert_eq!(of(&["queues", "--json"]), snapshot["queues"]);
    assert_eq!(of(&["--json"]), snapshot["summary"]);
    assert_eq!(of(&["attention", "--json"]), snapshot["summary"]["attention"]);
    let found = of(&["100", "--json"]);
    assert_eq!(found["extensions"], json!([snapshot["extensions"][0]]));
    assert_eq!(found["active_calls"], json!([snapshot["active_calls"][0]]));
    assert_eq!(found["trunks"], json!([]));
    assert_eq!(of(&["trunk-main", "--json"])["active_calls"].as_array().unwrap().len(), 9);
}

#[test]
fn what_is_not_known_is_said_and_never_looks_empty() {
    let (_program, mut snapshot) = demo();
    snapshot["queues"] = Value::Null;
    snapshot["summary"]["queues"] = Value::Null;
    snapshot["sections"]["queues"]["status"] = json!("denied");
    snapshot["sections"]["queues"]["message"] = json!("class agent is missing");
    snapshot["sections"]["trunks"]["status"] = json!("partial");
    snapshot["sections"]["trunks"]["message"] = json!("SIPpeers: Permission denied");
    let queues = shown(&snapshot, &["queues"], 100);
    let said = "! queues: not known (the AMI user may not ask for it: class agent is missing)\n";
    assert!(queues.ends_with(said) && !queues.contains("No queues"), "{queues}");
    assert_eq!(shown(&snapshot, &["queues", "--json"], 80), "null\n");
    let trunks = shown(&snapshot, &["trunks"], 100);
    assert!(trunks.contains("! trunks: may be incomplete (not read whole: SIPpeers"), "{trunks}");
    assert!(trunks.contains("trunk-main"));
    let summary = shown(&snapshot, &[], 100);
    assert!(summary.contains("Queues      not known, see below\n"), "{summary}");
    assert!(summary.contains(said));
    let nothing = shown(&snapshot, &["4711"], 100);
    assert!(nothing.contains("Nothing has \"4711\""), "{nothing}");
    assert!(nothing.contains("queues: not known"), "{nothing}");
}

#[test]
fn none_and_not_known_look_different() {
    let (_program, mut snapshot) = demo();
    let own = &mut snapshot["extensions"][1];
    for key in ["name", "queues", "dnd", "forwards", "contacts", "latency_ms", "active_calls"] {
        own[key] = Value::Null;
    }
    let text = shown(&snapshot, &["101"], 100);
    for line in ["Do not disturb  ?", "Forwards        ?", "Queues          ?", "Contacts        ?"]
    {
        assert!(text.contains(line), "{line}\n{text}");
    }
    let text = shown(&snapshot, &["111"], 100);
    for line in
        ["Do not disturb  no", "Forwards        -", "Contacts        -", "Calls           -"]
    {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn a_stale_snapshot_is_announced_first_and_loudly() {
    let (_program, mut snapshot) = demo();
    snapshot["collected_at"] = json!("2026-11-20T09:00:00Z");
    snapshot["stale_after"] = json!("2026-11-20T09:10:00Z");
    for view in
        ["summary", "extensions", "trunks", "calls", "queues", "attention", "changes", "100"]
    {
        let text = shown(&snapshot, &[view], 200);
        assert!(text.starts_with("STALE: collected 1 day ago, good only until"), "{text}");
        let json = [view, "--json"];
        let page = Page { width: None, color: false };
        let shown = shown_with(&Snapshot::deserialize_from(&snapshot), &[], &json, page);
        assert!(shown.notes[0].starts_with("STALE"), "{:?}", shown.notes);
    }
    snapshot["collected_at"] = json!("2026-11-22T09:00:00Z");
    snapshot["stale_after"] = json!("2026-11-22T09:10:00Z");
    assert!(shown(&snapshot, &[], 200).starts_with("WRONG CLOCK: "));
}

#[test]
fn hostile_names_stay_text() {
    let (_program, mut snapshot) = demo();
    let evil = "\u{1b}[2J\u{1b}]0;pwned\u{7}\r\nALL GOOD\u{202e}\u{200b}";
    for at in 0..3 {
        snapshot["extensions"][at]["name"] = json!(evil);
        snapshot["extensions"][at]["user_agent"] = json!(evil);
        snapshot["extensions"][at]["contacts"][0]["uri"] = json!(evil);
        snapshot["extensions"][at]["forwards"]["all"] = json!(evil);
        snapshot["active_calls"][at]["caller_name"] = json!(evil);
        snapshot["active_calls"][at]["from"]["name"] = json!(evil);
        snapshot["active_calls"][at]["description"] = json!(evil);
        snapshot["trunks"][at]["host"] = json!(evil);
        snapshot["trunks"][at]["state_raw"] = json!(evil);
        snapshot["queues"][at]["strategy"] = json!(evil);
        snapshot["summary"]["attention"][at]["message"] = json!(evil);
    }
    snapshot["queues"][0]["agents"][0]["paused_reason"] = json!(evil);
    snapshot["source"]["pbx_name"] = json!(evil);
    snapshot["sections"]["trunks"]["status"] = json!("partial");
    snapshot["sections"]["trunks"]["message"] = json!(evil);
    for view in [
        "summary",
        "extensions",
        "trunks",
        "calls",
        "queues",
        "attention",
        "100",
        "400",
        "iax-main",
    ] {
        let text = shown(&snapshot, &[view], 100);
        let steers = |c: char| c.is_control() && c != '\n' || "\u{202e}\u{200b}".contains(c);
        assert!(!text.contains(steers), "{view}: {text:?}");
        assert!(!text.lines().any(|line| line.starts_with("ALL GOOD")), "{text}");
    }
}

#[test]
fn colours_are_on_the_word_and_change_nothing_else() {
    let (_program, snapshot) = demo();
    let snapshot = Snapshot::deserialize_from(&snapshot);
    for view in ["summary", "extensions", "trunks", "calls", "queues", "100"] {
        let page = |color| Page { width: Some(80), color };
        let colored = shown_with(&snapshot, &[], &[view], page(true)).text;
        let mut plain = String::new();
        let mut pieces = colored.split("\u{1b}[");
        plain += pieces.next().unwrap();
        for piece in pieces {
            plain += piece.split_once('m').unwrap().1;
        }
        assert_eq!(plain, shown_with(&snapshot, &[], &[view], page(false)).text);
        assert!(colored.contains("\u{1b}[1m"), "{view}");
    }
}

fn recorded(at: &str, kind: ChangeKind, id: &str, message: &str) -> RecordedChange {
    let time = |text: &str| Timestamp::new(DateTime::parse_from_rfc3339(text).unwrap().to_utc());
    let since = time(at).plus_seconds(-300);
    let (from, to) = (Some("Registered".to_owned()), Some("Rejected".to_owned()));
    let (id, message) = (id.to_owned(), message.to_owned());
    RecordedChange { at: time(at), change: Change { kind, id, from, to, since, message } }
}

#[test]
fn changes_answer_when_it_went_down() {
    let (_program, snapshot) = demo();
    let snapshot = Snapshot::deserialize_from(&snapshot);
    let down = "Trunk trunk-main does not work any more (state Rejected).";
    let past = [
        recorded("2026-11-19T23:58:00Z", ChangeKind::TrunkLost, "trunk-main", down),
        recorded(
            "2026-11-20T00:03:00Z",
            ChangeKind::TrunkRegained,
            "trunk-main",
            "Trunk trunk-main works again (state Registered).",
        ),
        recorded(
            "2026-11-21T08:30:00Z",
            ChangeKind::ExtensionOffline,
            "100",
            "Extension 100 Alice Example went offline.",
        ),
        recorded("2026-11-21T09:00:00Z", ChangeKind::TrunkLost, "trunk-main", down),
    ];
    let page = Page { width: Some(100), color: false };
    let text = |arguments: &[&str]| {
        let text = shown_with(&snapshot, &past, arguments, page).text;
        text.split_once("\n\n").unwrap().1.to_owned()
    };
    insta::assert_snapshot!(text(&["changes", "trunk-main", "--kind", "trunk_lost"]), @"
    NOTICED               NOT BEFORE  KIND        WHAT HAPPENED
    2026-11-21 09:00:00Z  08:55:00Z   trunk_lost  Trunk trunk-main does not work any more (state Reject…
    2026-11-19 23:58:00Z  23:53:00Z   trunk_lost  Trunk trunk-main does not work any more (state Reject…

    2 of 4 changes
    ");
    assert_eq!(text(&["changes", "--since", "1h"]).lines().count(), 5);
    assert_eq!(text(&["--since", "2026-11-20"]).lines().last(), Some("3 of 4 changes"));
    assert_eq!(text(&["changes", "--kind", "pbx-restarted"]), "None of 4 changes.\n");
    assert!(text(&["trunk-main"]).contains("Last changes\nNOTICED"));
    assert!(text(&["100"]).contains("Extension 100 Alice Example went offline"));
    assert!(!shown_with(&snapshot, &past, &["changes", "nobody"], page).found);
}

#[test]
fn a_torn_history_and_one_of_a_later_version_are_read_as_far_as_they_go() {
    let (program, snapshot) = demo();
    let snapshot = Snapshot::deserialize_from(&snapshot);
    let file = program.path("cache/freepbx.json");
    let line =
        |at, id| serde_json::to_string(&recorded(at, ChangeKind::TrunkLost, id, "down")).unwrap();
    let newest = line("2026-11-21T09:00:00Z", "c");
    let torn = newest.get(..30).unwrap();
    let text = format!(
        "{}\n{{\"kind\":\"moon_phase\"}}\n\n\u{1}\n{torn}",
        line("2026-11-20T09:00:00Z", "b")
    );
    std::fs::write(program.path("cache/history.ndjson"), text).unwrap();
    std::fs::write(program.path("cache/history.ndjson.1"), line("2026-11-19T09:00:00Z", "a"))
        .unwrap();
    let ids = |past: Vec<RecordedChange>| -> Vec<String> {
        past.into_iter().map(|recorded| recorded.change.id).collect()
    };
    assert_eq!(ids(history::read(&file, &snapshot)), ["a", "b"]);
    // A run renames the history while it is being read.
    std::fs::remove_file(program.path("cache/history.ndjson.1")).unwrap();
    std::fs::hard_link(
        program.path("cache/history.ndjson"),
        program.path("cache/history.ndjson.1"),
    )
    .unwrap();
    assert_eq!(ids(history::read(&file, &snapshot)), ["b"]);
}

/// A program whose last snapshot showed a trunk and an extension in other states.
fn with_changes(program: &Program) {
    let mut before = program.snapshot();
    let trunk = before["trunks"].as_array_mut().unwrap().iter_mut();
    trunk.filter(|trunk| trunk["state"] == "Rejected").for_each(|trunk| {
        trunk["state"] = json!("Registered");
    });
    store(program, &before);
}

fn history_lines(program: &Program, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(program.path(name)).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn each_run_adds_its_changes_to_the_history() {
    let pbx = Script::recorded("16.28.0/busy").start();
    let program = Program::for_port(pbx.port);
    let history = "cache/history.ndjson";
    assert_eq!(program.run(&[]).code, 0);
    assert!(!program.path(history).exists(), "nothing to compare with, nothing changed");
    with_changes(&program);
    let ended = program.run(&[]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let lines = history_lines(&program, history);
    let lost: Vec<_> = lines.iter().filter(|line| line["kind"] == "trunk_lost").collect();
    let after = program.snapshot();
    let trunks = after["trunks"].as_array().unwrap().iter();
    let rejected = trunks.filter(|trunk| trunk["state"] == "Rejected").count();
    assert!(rejected > 0 && lost.len() == rejected, "{lines:#?}");
    assert_eq!(lost[0]["at"], program.snapshot()["collected_at"]);
    assert_eq!(lost[0]["to"], "Rejected");
    let mode = program.path(history).metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o640);
    assert_eq!(program.run(&["--stdout"]).code, 0);
    assert_eq!(history_lines(&program, history), lines, "what is only printed is not kept");

    // A crash in the middle of a line costs that line.
    let torn = std::fs::read_to_string(program.path(history)).unwrap() + "{\"at\":\"2026";
    std::fs::write(program.path(history), torn).unwrap();
    with_changes(&program);
    assert_eq!(program.run(&[]).code, 0);
    assert_eq!(history_lines(&program, history).len(), lines.len() * 2);
    let shown = program.run(&["show", "changes", "--kind", "trunk_lost", "--json"]);
    assert_eq!(shown.code, 0, "{shown:?}");
    let shown: Vec<Value> = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(shown.len(), 2 * rejected);
}

#[test]
fn the_history_is_bounded_and_never_fails_a_run() {
    let pbx = Script::recorded("16.28.0/busy").start();
    let program = Program::for_port(pbx.port);
    let config = std::fs::read_to_string(program.path("config.yaml")).unwrap();
    let bounded = format!("{config}cache:\n  history_max_bytes: 4096\n");
    std::fs::write(program.path("config.yaml"), &bounded).unwrap();
    assert_eq!(program.run(&[]).code, 0);
    for _ in 0..12 {
        with_changes(&program);
        assert_eq!(program.run(&[]).code, 0);
    }
    for name in ["cache/history.ndjson", "cache/history.ndjson.1"] {
        let length = program.path(name).metadata().unwrap().len();
        assert!((1..=4096).contains(&length), "{name}: {length}");
    }

    std::fs::remove_file(program.path("cache/history.ndjson")).unwrap();
    std::fs::create_dir(program.path("cache/history.ndjson")).unwrap();
    with_changes(&program);
    let ended = program.run(&[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stderr.contains("not the history of changes"), "{ended:?}");
    std::fs::remove_dir(program.path("cache/history.ndjson")).unwrap();

    // Not followed: it could make root write elsewhere.
    std::os::unix::fs::symlink("elsewhere", program.path("cache/history.ndjson")).unwrap();
    with_changes(&program);
    assert_eq!(program.run(&[]).code, 0);
    assert!(!program.path("cache/elsewhere").exists());
    std::fs::remove_file(program.path("cache/history.ndjson")).unwrap();

    std::fs::write(program.path("config.yaml"), format!("{config}cache:\n  history: false\n"))
        .unwrap();
    with_changes(&program);
    assert_eq!(program.run(&[]).code, 0);
    assert!(!program.path("cache/history.ndjson").exists());
}

#[test]
fn nothing_has_gone_from_a_list_that_was_not_read_whole() {
    let pbx = Script::recorded("16.28.0/busy").start();
    let program = Program::for_port(pbx.port);
    assert_eq!(program.run(&[]).code, 0);
    let denied = Script::recorded("16.28.0/busy").on("SIPpeers", Reply::Denied).start();
    let config = std::fs::read_to_string(program.path("config.yaml")).unwrap();
    let other = config.replace(&pbx.port.to_string(), &denied.port.to_string());
    std::fs::write(program.path("config.yaml"), other).unwrap();
    // The same PBX by another port.
    let mut before = program.snapshot();
    before["source"]["port"] = json!(denied.port);
    store(&program, &before);
    assert_eq!(program.run(&[]).code, 3);
    let changes = program.snapshot()["changes"].clone();
    let kinds: Vec<_> = changes.as_array().unwrap().iter().map(|c| c["kind"].clone()).collect();
    assert!(!kinds.contains(&json!("trunk_removed")), "{changes:#}");
    assert!(!kinds.contains(&json!("extension_removed")), "{changes:#}");
}

#[test]
fn a_trunk_that_turns_out_to_be_down_is_lost_also_when_it_was_not_known() {
    let pbx = Script::recorded("16.28.0/busy").start();
    let program = Program::for_port(pbx.port);
    assert_eq!(program.run(&[]).code, 0);
    let mut before = program.snapshot();
    for trunk in before["trunks"].as_array_mut().unwrap() {
        trunk["state"] = json!("Unknown");
    }
    store(&program, &before);
    assert_eq!(program.run(&[]).code, 0);
    let after = program.snapshot();
    let change = |id: &str| {
        let changes = after["changes"].as_array().unwrap().iter();
        changes.filter(|change| change["id"] == id).map(|c| c["kind"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(change("trunk-dead"), ["trunk_lost"]);
    assert_eq!(change("trunk-main"), ["trunk_regained"]);
    assert_eq!(change("ip-unmonitored"), Vec::<Value>::new());
}

#[test]
fn an_older_or_broken_previous_snapshot_is_no_reason_to_fail() {
    let pbx = Script::recorded("16.28.0/busy").start();
    let program = Program::for_port(pbx.port);
    std::fs::create_dir(program.path("cache")).unwrap();
    for previous in ["", "{}", "{\"schema_version\": 0}", "{\"collected_at\": \"2020-01-01\"}"] {
        std::fs::write(program.path("cache/freepbx.json"), previous).unwrap();
        assert_eq!(program.run(&[]).code, 0);
        assert_eq!(program.snapshot()["changes"], Value::Null);
        assert!(!program.path("cache/history.ndjson").exists());
    }
}

#[test]
fn the_binary_finds_its_file_and_ends_with_the_right_code() {
    let (program, snapshot) = demo();
    store_fresh(&program, &snapshot);
    let ended = program.run(&["show", "trunks"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    assert!(ended.stdout.contains("trunk-main") && !ended.stdout.contains('\u{1b}'));
    // Without a configuration: ./cache/freepbx.json. No password is needed either way.
    std::fs::remove_file(program.path("config.yaml")).unwrap();
    assert_eq!(program.run(&["show"]).code, 0);
    assert_eq!(program.run(&["show", "nobody-of-that-name"]).code, 1);
    assert_eq!(program.run(&["show", "extensions", "nobody"]).code, 1);
    assert_eq!(program.run(&["show", "extensions", "--state", "busy"]).code, 0);
    assert_eq!(
        program.run(&["show", "trunk-mian"]).stdout.lines().last(),
        Some("Nothing has \"trunk-mian\" in its name or number. Did you mean trunk-main?")
    );
    assert_eq!(program.run(&["show", "calls", "--offline"]).code, 64);
    assert_eq!(program.run(&["show", "--since", "yesterday"]).code, 64);
    assert_eq!(program.run(&["show", "--config", "none.yaml"]).code, 78);
    let missing = program.run(&["show", "--file", "none.json"]);
    assert_eq!((missing.code, missing.stderr.lines().count()), (66, 1), "{missing:?}");
    for content in ["", "{}", "[1]", "{\"schema_version\": 99}", "\u{1b}[2J"] {
        std::fs::write(program.path("odd.json"), content).unwrap();
        let odd = program.run(&["show", "-f", "odd.json"]);
        assert_eq!((odd.code, odd.stdout.as_str(), odd.stderr.lines().count()), (66, "", 1));
    }
    // JSON stays JSON; what is wrong is said beside it.
    store(&program, &snapshot_of_last_week(&snapshot));
    let stale = program.run(&["show", "trunks", "--json"]);
    assert!(serde_json::from_str::<Value>(&stale.stdout).unwrap().is_array());
    assert!(stale.stderr.starts_with("freepbx-snapshot: STALE: collected 7 days"), "{stale:?}");
}

fn snapshot_of_last_week(snapshot: &Value) -> Value {
    let mut snapshot = snapshot.clone();
    let week = Timestamp::new(Utc::now() - TimeDelta::days(7));
    snapshot["collected_at"] = json!(week);
    snapshot["stale_after"] = json!(week.plus_seconds(600));
    snapshot
}

#[test]
fn a_large_pbx_is_shown_at_once() {
    let (program, mut snapshot) = demo();
    let one = snapshot["extensions"][0].clone();
    let call = snapshot["active_calls"][0].clone();
    let many = |item: &Value, key: &str, count: u32| -> Value {
        (0..count)
            .map(|number| {
                let mut item = item.clone();
                let own = (10_000 + number).to_string();
                item[key] = json!(own);
                if key == "extension" {
                    item["devices"][0]["device"] = json!(format!("PJSIP/{own}"));
                }
                item
            })
            .collect()
    };
    snapshot["extensions"] = many(&one, "extension", 2_000);
    snapshot["active_calls"] = many(&call, "call_id", 500);
    store_fresh(&program, &snapshot);
    let begun = Instant::now();
    let ended = program.run(&["show", "extensions"]);
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    assert!(ended.stdout.ends_with("2000 extensions\n"), "{}", ended.stderr);
}

/// Runs the program on a terminal of its own; `None` where `script` is not installed.
fn on_terminal(program: &Program, columns: u32, rows: u32, line: &str) -> Option<String> {
    let binary = Path::new(env!("CARGO_BIN_EXE_freepbx-snapshot"));
    let line = format!("stty cols {columns} rows {rows}; {} {line}", binary.display());
    let output = Command::new("script")
        .args(["-qec", &line, "/dev/null"])
        .current_dir(program.path("."))
        .env("TERM", "xterm")
        .env_remove("NO_COLOR")
        .output();
    match output {
        Ok(output) => Some(String::from_utf8(output.stdout).unwrap()),
        Err(_) => {
            eprintln!("skipped: no `script` here");
            None
        }
    }
}

#[test]
fn a_terminal_gets_its_width_and_colours() {
    let (program, snapshot) = demo();
    store_fresh(&program, &snapshot);
    let Some(text) = on_terminal(&program, 60, 20, "show trunks") else { return };
    assert!(text.contains("\u{1b}[32mRegistered\u{1b}[0m"), "{text:?}");
    assert!(text.contains("too narrow for"), "{text}");
    let text = on_terminal(&program, 60, 20, "show trunks --color never").unwrap();
    assert!(!text.contains('\u{1b}'));
    assert!(text.lines().all(|line| line.trim_end().chars().count() <= 60), "{text}");
    let binary = env!("CARGO_BIN_EXE_freepbx-snapshot");
    let line = format!("show > /dev/null; NO_COLOR=1 {binary} show");
    assert!(!on_terminal(&program, 60, 20, &line).unwrap().contains('\u{1b}'));
    let ended = program.run(&["show", "trunks", "--color", "always"]);
    assert!(ended.stdout.contains("\u{1b}[32mRegistered"));
}

#[test]
fn watching_redraws_in_place_and_ends_by_interrupt() {
    let (program, snapshot) = demo();
    store_fresh(&program, &snapshot);
    let mut later = snapshot.clone();
    later["trunks"][0]["name"] = json!("brand-new");
    later["collected_at"] = json!(Timestamp::new(Utc::now()));
    later["stale_after"] = json!(Timestamp::new(Utc::now()).plus_seconds(3_600));
    std::fs::write(program.path("later.json"), later.to_string()).unwrap();
    let line = "show trunks --watch & pid=$!; sleep 1.2; mv later.json cache/freepbx.json; \
                sleep 1.2; rm cache/freepbx.json; sleep 1.2; kill -INT $pid; wait $pid; echo code=$?";
    // In the background of a script, Ctrl-C would be ignored: job control gives it back.
    let binary = env!("CARGO_BIN_EXE_freepbx-snapshot");
    let line = format!("--version; set -m; {binary} {line}");
    let Some(text) = on_terminal(&program, 80, 12, &line) else { return };
    assert_eq!(text.matches("\u{1b}[2J").count(), 1, "cleared once: {text:?}");
    let frames: Vec<_> = text.split("\u{1b}[H").collect();
    assert!(frames.len() >= 4, "{text}");
    assert!(frames[1].contains("SIP_Trunk_IP"), "{text}");
    assert!(frames.iter().any(|frame| frame.contains("brand-new")), "{text}");
    assert!(frames.last().unwrap().contains("does not exist"), "{text}");
    assert!(frames.iter().skip(1).all(|frame| frame.matches("\r\n").count() <= 14), "{text}");
    assert!(text.contains("more lines") && text.contains("code=130"), "{text}");
}

#[test]
fn the_library_loads_what_the_binary_wrote() {
    let (program, _) = demo();
    assert!(views::load(&program.path("cache/freepbx.json")).is_ok());
}
