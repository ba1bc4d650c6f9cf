//! Snapshots for readers: a recorded run of the demonstration PBX, and what can be wrong with one.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use freepbx_snapshot::snapshot::Snapshot;
use serde_json::{Value, json};

/// `demo --stdout` as it was once; print it again when the contract gains a key.
pub fn demo() -> Value {
    static DEMO: LazyLock<Value> = LazyLock::new(|| {
        let text = include_str!("../fixtures/snapshots/demo.json");
        let snapshot = serde_json::from_str(text).unwrap();
        super::program::assert_follows_schema(&snapshot);
        snapshot
    });
    DEMO.clone()
}

pub fn typed(snapshot: &Value) -> Snapshot {
    serde_json::from_value(snapshot.clone()).unwrap()
}

/// A time that many seconds after the collection.
pub fn after(snapshot: &Value, seconds: i64) -> DateTime<Utc> {
    typed(snapshot).collected_at.plus_seconds(seconds).utc()
}

/// A file that is fresh for a program that looks at the clock.
pub fn collected_now(mut snapshot: Value) -> Value {
    let now = freepbx_snapshot::snapshot::Timestamp::new(Utc::now());
    snapshot["collected_at"] = json!(now);
    snapshot["stale_after"] = json!(now.plus_seconds(600));
    snapshot
}

/// Everything in order: no trunk down, nobody waits.
pub fn healthy() -> Value {
    let mut snapshot = demo();
    let up = |trunk: &Value| trunk["state"] == "Registered" || trunk["state"] == "Reachable";
    snapshot["trunks"].as_array_mut().unwrap().retain(up);
    for queue in snapshot["queues"].as_array_mut().unwrap() {
        queue["calls"] = json!(0);
        queue["longest_wait_seconds"] = json!(0);
        queue["callers"] = json!([]);
    }
    snapshot["summary"]["trunks"] =
        json!({"total": 5, "up": 5, "down": 0, "unknown": 0, "registered": 3});
    snapshot["summary"]["queues"] =
        json!({"total": 4, "with_callers": 0, "callers": 0, "longest_wait_seconds": 0});
    snapshot["summary"]["attention"] = json!([]);
    snapshot["summary"]["attention_total"] = json!(0);
    snapshot["system_info"]["uptime_seconds"] = json!(900_000);
    snapshot
}

/// A PBX with nothing on it.
pub fn empty() -> Value {
    let mut snapshot = healthy();
    for section in
        ["trunks", "queues", "active_calls", "channels", "extensions", "parking", "conferences"]
    {
        snapshot[section] = json!([]);
    }
    snapshot["summary"] = json!({
        "text": "PBX pbx16 has been up for 10 days.", "attention": [], "attention_total": 0,
        "extensions": {"total": 0, "online": 0, "offline": 0, "unknown": 0, "in_use": 0,
                       "ringing": 0, "dnd": 0},
        "trunks": {"total": 0, "up": 0, "down": 0, "unknown": 0, "registered": 0},
        "active_calls": {"total": 0, "up": 0, "ringing": 0, "on_hold": 0, "queued": 0, "parked": 0,
                         "internal": 0, "inbound": 0, "outbound": 0},
        "channels": 0,
        "queues": {"total": 0, "with_callers": 0, "callers": 0, "longest_wait_seconds": 0},
        "parked_calls": 0, "conferences": 0, "new_voicemail_messages": null,
    });
    snapshot
}

/// An AMI user who may read nothing.
pub fn denied() -> Value {
    let mut snapshot = healthy();
    for section in [
        "system_info",
        "trunks",
        "queues",
        "active_calls",
        "channels",
        "extensions",
        "parking",
        "conferences",
    ] {
        lose(&mut snapshot, section, "denied");
    }
    snapshot["summary"]["channels"] = Value::Null;
    for count in ["extensions", "trunks", "active_calls", "queues", "parked_calls", "conferences"] {
        snapshot["summary"][count] = Value::Null;
    }
    snapshot["complete"] = json!(false);
    snapshot
}

/// Takes one section away.
pub fn lose(snapshot: &mut Value, section: &str, status: &str) {
    snapshot[section] = Value::Null;
    snapshot["sections"][section]["status"] = json!(status);
    snapshot["sections"][section]["message"] = json!(format!("{section} was {status}"));
}

/// What a caller or an administrator with bad intent would choose as a name.
pub const HOSTILE: &str =
    "</script><img src=x onerror=alert(1)>\"'{}\\ | =1;2;3\n# TYPE x gauge\r\u{1b}[2J\u{202e}";

/// Every name is hostile.
pub fn hostile() -> Value {
    let mut snapshot = demo();
    snapshot["source"]["pbx_name"] = json!(HOSTILE);
    snapshot["source"]["asterisk_version"] = json!(HOSTILE);
    snapshot["summary"]["text"] = json!(HOSTILE);
    snapshot["summary"]["attention"][0]["message"] = json!(HOSTILE);
    for (section, keys) in [
        ("trunks", &["name", "host", "tech"][..]),
        ("queues", &["name"]),
        ("active_calls", &["description", "channel", "caller_name"]),
        ("extensions", &["extension", "name", "tech"]),
        ("parking", &["number", "name", "space"]),
        ("conferences", &["name"]),
    ] {
        for item in snapshot[section].as_array_mut().unwrap() {
            for key in keys {
                item[*key] = json!(HOSTILE);
            }
        }
    }
    for queue in snapshot["queues"].as_array_mut().unwrap() {
        for list in ["callers", "agents"] {
            for item in queue[list].as_array_mut().unwrap() {
                item["name"] = json!(HOSTILE);
            }
        }
    }
    snapshot
}

/// As many extensions as a large PBX has.
pub fn large() -> Value {
    let mut snapshot = demo();
    let some = snapshot["extensions"].as_array().unwrap().clone();
    let many = (0..2_000).map(|index| {
        let mut extension = some[index % some.len()].clone();
        extension["extension"] = json!((1_000 + index).to_string());
        extension
    });
    snapshot["extensions"] = many.collect();
    snapshot
}
