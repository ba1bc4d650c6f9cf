//! A real server, its capture, and the capture replayed: one and the same PBX, and nobody's.

use std::{collections::BTreeSet, path::Path};

use freepbx_snapshot::capture::{
    Capture,
    sanitize::{Key, Options, sanitize},
};
use serde_json::Value;
use tempfile::tempdir;

use super::{Pbx, array, for_each_version, text};
use crate::{alike::Replaced, capture::collected_from};

impl Pbx {
    fn capture(&self, folder: &Path, options: &[&str]) {
        let mut arguments = vec!["capture", folder.to_str().unwrap()];
        arguments.extend(options);
        let run = self.run("snapshot", &arguments, &self.plain());
        assert_eq!(run.exit_code, 0, "{}", run.stderr);
    }
}

#[test]
#[ignore = "needs the Asterisk lab: tests/pbx/lab run"]
fn a_capture_is_the_server_itself_and_sanitized_it_is_up_to_the_replacements() {
    for scenario in ["busy", "empty"] {
        for_each_version(scenario, |pbx| {
            let place = tempdir().unwrap();
            let raw = place.path().join("raw");
            let live = pbx.collect("snapshot").snapshot();
            pbx.capture(&raw, &["--no-sanitize"]);
            let replayed = collected_from(&raw);
            Replaced::new(Vec::new()).assert_same(&timeless(&live, ""), &timeless(&replayed, ""));
            let capture = Capture::read(&raw).unwrap();
            for extensions in [false, true] {
                let done = sanitize(&capture, &Key::random().unwrap(), Options { extensions });
                let folder = place.path().join(format!("sanitized-{extensions}"));
                done.capture.write(&folder).unwrap();
                Replaced::new(done.replacements).assert_same(&replayed, &collected_from(&folder));
            }
        });
    }
}

#[test]
#[ignore = "needs the Asterisk lab: tests/pbx/lab run"]
fn nothing_of_a_real_server_stands_in_its_capture() {
    for_each_version("busy", |pbx| {
        let place = tempdir().unwrap();
        let folder = place.path().join("it");
        pbx.capture(&folder, &[]);
        let replayed = collected_from(&folder);
        assert_eq!(replayed["complete"], true);
        let live = pbx.collect("snapshot").snapshot();
        let gone = whose(&live, pbx);
        assert!(gone.len() > 60, "{gone:?}");
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            // The words of Asterisk itself.
            if path.ends_with("ListCommands.ami") {
                continue;
            }
            let content = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).to_lowercase();
            let content = format!("{}\n{content}", path.display()).to_lowercase();
            for token in &gone {
                assert!(!content.contains(token), "{token:?} in {}", path.display());
            }
        }
    });
}

/// Names, numbers and secrets of a server, in lower case, from its snapshot and from the lab.
fn whose(live: &Value, pbx: &Pbx) -> BTreeSet<String> {
    let mut found: BTreeSet<String> =
        array(&pbx.server["secrets"]).iter().map(|secret| text(secret).to_lowercase()).collect();
    let mut add = |value: &Value| {
        if let Some(text) = value.as_str() {
            // Some of the lab's people are called like a line of AMI.
            let is_ami = text.contains(':') && !text.contains('+') || text.contains("--");
            let is_nobody = ["anonymous", "unknown"].contains(&text);
            if text.len() > 4 && !is_ami && !is_nobody {
                found.insert(text.trim_start_matches('+').to_lowercase());
            }
        }
    };
    add(&live["system_info"]["system_name"]);
    for extension in array(&live["extensions"]) {
        add(&extension["name"]);
        extension["forwards"].as_object().unwrap().values().for_each(&mut add);
    }
    for trunk in array(&live["trunks"]) {
        add(&trunk["name"]);
        add(&trunk["username"]);
    }
    for call in array(&live["active_calls"]) {
        for side in ["from", "to"] {
            add(&call[side]["name"]);
            add(&call[side]["number"]);
        }
    }
    found.insert("username: snapshot".to_owned());
    found
}

/// A snapshot without what goes on while one looks: times, amounts of time, and prose about them.
fn timeless(value: &Value, key: &str) -> Value {
    let passes = key.ends_with("_seconds")
        || key.ends_with("_at")
        || key.ends_with("_ms")
        || ["text", "description", "message", "calls_processed"].contains(&key);
    match value {
        _ if passes => Value::Null,
        Value::Array(list) => list.iter().map(|item| timeless(item, "")).collect(),
        Value::Object(map) => {
            map.iter().map(|(key, value)| (key.clone(), timeless(value, key))).collect()
        }
        other => other.clone(),
    }
}
