//! A real Asterisk: what the snapshot says must be what `asterisk -rx` says.
//!
//! `tests/pbx/lab run` starts Asterisk 16 and 22 with phones, trunks, queues and calls, runs these
//! tests and stops everything. What a test needs to know about a server (ports, users, how to ask
//! its CLI, who was made to call whom) stands in the `lab.json` that the lab writes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{PoisonError, RwLock};

use serde_json::Value;

mod capture;

/// Reading tests share the servers; the one that hangs up needs them for itself.
static CALLS: RwLock<()> = RwLock::new(());

const VERSIONS: [&str; 2] = ["16", "22"];
/// Those that the program may be, from no class to all it can use.
const USERS: [&str; 4] = ["noclass", "reporting", "sysreporting", "snapshot"];
const SECTIONS: [&str; 8] = [
    "system_info",
    "trunks",
    "queues",
    "active_calls",
    "channels",
    "extensions",
    "parking",
    "conferences",
];

// ---------------------------------------------------------------------------------------------
// The busy PBX: section by section against the CLI.

#[test]
#[ignore = "needs the Asterisk lab: tests/pbx/lab run"]
fn a_busy_pbx_gives_a_complete_snapshot_and_a_silent_success() {
    for_each_version("busy", |pbx| {
        let run = pbx.collect("snapshot");
        assert_eq!(run.exit_code, 0, "{}", run.stderr);
        assert_eq!(run.stderr, "");
        let snapshot = run.snapshot();
        assert_eq!(snapshot["complete"], true, "{:#}", snapshot["sections"]);
        for section in SECTIONS {
            assert_eq!(snapshot["sections"][section]["status"], "ok", "{section}");
        }
        assert_eq!(text(&snapshot["source"]["asterisk_version"]), pbx.version());
        // For tests/readers/run and tests/mcp/run, which ask it what people ask.
        std::fs::write(lab_folder().join(format!("busy-{}.json", pbx.version)), run.json).unwrap();
    });
}

#[test]
#[ignore = "needs the Asterisk lab: tests/pbx/lab run"]
fn extensions_are_those_of_freepbx_and_online_where_asterisk_reaches_a_phone() {
    for_each_version("busy", |pbx| {
        let online = pbx.online_devices();
        let expected: BTreeMap<String, Option<bool>> = pbx
            .extensions()
            .map(|extension| {
                let phones = array(&extension["phones"]);
                let reached = phones.iter().any(|phone| online.contains(&device_of(phone)));
                (text(&extension["number"]), Some(reached))
            })
            .collect();
        let found: BTreeMap<String, Option<bool>> = pbx
            .snapshot_list("extensions")
            .iter()
            .map(|extension| (text(&extension["extension"]), extension["online"].as_bool()))
            .collect();
        assert_eq!(found, expected);
    });
}

#[test]
#[ignore = "needs the Asterisk lab: tests/pbx/lab run"]
fn extensions_carry_name_do_not_disturb_and_forwards_as_freepbx_stored_them() {
    for_each_version("busy", |pbx| {
        let found = by_key(&pbx.snapshot_list("extensions"), "extension");
        for extension in pbx.extensions() {
            let number = text(&extension["number"]);
            let item = &found[&number];
            assert_eq!(item["name"], extension["name"], "{number}");
            assert_eq!(item["dnd"], extension["dnd"], "{number}");
            for (key, family) in [("all", "CF"), ("busy", "CFB"), ("unavailable", "CFU")] {
                assert_eq!(item["forwards"][key], extension["forward"][family], "{number} {key}");
            }
        }
    });
}

#[test]
#[ignore = "needs the Asterisk lab: tests/pbx/lab run"]
fn devices_of_one_user_are_one_extension() {
    for_each_version("busy", |pbx| {
        let found = by_key(&pbx.snapshot_list("extensions"), "extension");
        for extension in pbx.extensions() {
            let number = text(&extension["number"]);
            let expected: BTreeSet<String> =
                array(&extension["phones"]).iter().map(device_of).collect();
            let devices: BTreeSet<String> = array(&found[&number]["devices"])
                .iter()
                .map(|device| text(&device["device"]))
                .collect();
            assert_eq!(devices, expected, "{number}");
        }
    });
}

#[test]
#[ignore = "needs the Asterisk lab: tests/pbx/lab run"]
fn contacts_and_device_states_are_those_of_pjsip() {
    for_each_version("busy", |pbx| {
        let states = pbx.pjsip_device_states();
        let found = by_key(&pbx.snapshot_list("extensions"), "extension");
        for extension in pbx.extensions() {
            let number = text(&extension["number"]);
            let item = &found[&number];
            for device in array(&item["devices"]) {
                if let Some(name) = text(&device["device"]).strip_prefix("PJSIP/") {
                    assert_eq!(
                        letters(&text(&device["device_state"])),
                        letters(&states[name]),
                        "PJSIP/{name}"
                    );
                }
            }
            let expected: BTreeSet<String> = pbx
                .pjsip_contacts()
                .into_iter()
                .filter(|contact| owns(extension, &contact.aor))
                .map(|contact| contact.uri)
                .collect();
            let contacts: BTreeSet<String> = array(&item["contacts"])
                .iter()
                .filter(|contact| text(&contact["device"]).starts_with("PJSIP/"))
                .map(|contact| text(&contact["uri"]))
                .collect();
            assert_eq!(contacts, expected, "{number}");
        }
    });
}

#[test]
#[ignore = "needs the Asterisk lab: tests/pbx/lab run"]
fn trunks_have_the_state_that_asterisk_tells() {
    for_each_version("busy", |pbx| {
        // IAX2 registers again every minute, which shows for a moment: either word is right.
        let before = pbx.registration_words();
        let found = by_key(&pbx.snapshot_list("trunks"), "name");
        let after = pbx.registration_words();
        let expected: BTreeSet<String> = pbx.trunks().map(|trunk| text(&trunk["name"])).collect();
        assert_eq!(found.keys().cloned().collect::<BTreeSet<_>>(), expected);
        let mut wrong = Vec::new();
        for trunk in pbx.trunks() {
            let name = text(&trunk["name"]);
            let (state, word) = (&found[&name]["state"], &found[&name]["registration"]["state"]);
            let right = if trunk["registers"] == true {
                let known = [before.get(&name), after.get(&name)];
                // A registration that stands says `Request Sent` while it is renewed.
                let renews = word == "Request Sent" || word == "Auth. Sent";
                known.into_iter().flatten().any(|known| word == known)
                    && (renews || (state == "Registered") == (word == "Registered"))
                    && (trunk["tech"] != "pjsip" || state == word)
            } else {
                *word == Value::Null && *state == pbx.reachability(trunk)
            };
            if !right {
                let asterisk =
                    before.get(&name).cloned().unwrap_or_else(|| pbx.reachability(trunk));
                wrong.push(format!(
                    "{name}: {asterisk:?}, but state {state} and registration {word}"
                ));
            }
        }
        assert!(wrong.is_empty(), "Asterisk says otherwise:\n{}", wrong.join("\n"));
    });
}

#[test]
#[ignore = "needs the Asterisk lab: tests/pbx/lab run"]
fn every_channel_is_listed_once_and_belongs_to_exactly_one_call() {
    for_each_version("busy", |pbx| {
        let snapshot = pbx.collect("snapshot").snapshot();
        let expected = pbx.channel_names();
        assert_eq!(
            sorted(array(&snapshot["channels"]).iter().map(|row| text(&row["channel"]))),
            expected
        );
        let in_calls = array(&snapshot["active_calls"])
            .iter()
            .flat_map(|call| array(&call["channels"]).iter().map(text).collect::<Vec<_>>());
        assert_eq!(sorted(in_calls), expected);
        assert_eq!(snapshot["summary"]["channels"], expected.len());
    });
}

#[test]
#[ignore = "needs the Asterisk lab: tests/pbx/lab run"]
fn calls_say_who_talks_to_whom() {
    for_each_version("busy", |pbx| {
        let calls = pbx.snapshot_list("active_calls");
        let mut wrong = Vec::new();
        for expected in pbx.calls() {
            let Some(call) = calls.iter().find(|call| is_call(call, expected)) else {
                wrong.push(format!("not found: {}", brief(expected)));
                continue;
            };
            let problems = differences(call, expected);
            if !problems.is_empty() {
                wrong.push(format!("{}: {}", brief(expected), problems.join(", ")));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}

#[test]
#[ignore = "needs the Asterisk lab: tests/pbx/lab run"]
fn queues_have_the_members_and_callers_that_queue_show_lists() {
    for_each_version("busy", |pbx| {
        let expected = pbx.queue_show();
        let found: BTreeMap<String, QueueShow> = pbx
            .snapshot_list("queues")
            .iter()
            .map(|queue| (text(&queue["name"]), QueueShow::of_snapshot(queue)))
            .collect();
        assert_eq!(found, expected);
    });
}

#[test]
#[ignore = "needs the Asterisk lab: tests/pbx/lab run"]
fn a_queue_with_callers_and_no_available_member_is_critical() {
    for_each_version("busy", |pbx| {
        let snapshot = pbx.collect("snapshot").snapshot();
        let attention = array(&snapshot["summary"]["attention"]);
        let item = attention
            .iter()
            .find(|item| item["kind"] == "queue_no_agents" && item["id"] == "403")
            .unwrap_or_else(|| panic!("{attention:#?}"));
        assert_eq!(item["severity"], "critical");
    });
}

#[test]
#[ignore = "needs the Asterisk lab: tests/pbx/lab run"]
fn parked_calls_and_conferences_are_those_of_the_cli() {
    for_each_version("busy", |pbx| {
        let snapshot = pbx.collect("snapshot").snapshot();
        let parked: Vec<[String; 3]> = array(&snapshot["parking"])
            .iter()
            .map(|call| [text(&call["space"]), text(&call["channel"]), text(&call["parked_by"])])
            .collect();
        assert_eq!(parked, pbx.parking_show());
        let conferences: BTreeMap<String, Vec<String>> = array(&snapshot["conferences"])
            .iter()
            .map(|room| {
                let members = array(&room["members"]).iter().map(|member| text(&member["channel"]));
                (text(&room["name"]), sorted(members))
            })
            .collect();
        assert_eq!(conferences, pbx.confbridge_list());
    });
}

#[test]
#[ignore = "needs the Asterisk lab: tests/pbx/lab run"]
fn no_secret_reaches_the_file_or_standard_error() {
    for_each_version("busy", |pbx| {
        let tls = pbx.tls(&pbx.pin());
        for user in USERS {
            const ASK: [&str; 8] = [
                "ask",
                "PJSIPShowRegistrationsOutbound",
                "PJSIPShowEndpoint",
                "Endpoint=trunk-main",
                "DBGetTree",
                "Family=AMPUSER",
                "--transcript",
                "/dev/stderr",
            ];
            for ways in [
                &["-vvv"][..],
                &["-vvv", "--log-format", "json"],
                &["check", "-vvv"],
                &["--transcript", "/dev/stderr"],
                &[&ASK[..], &["--raw"]].concat(),
                &[&ASK[..], &["--json"]].concat(),
            ] {
                for run in [pbx.run(user, ways, &pbx.plain()), pbx.run(user, ways, &tls)] {
                    assert!(!run.stderr.is_empty(), "{user}, {ways:?}: nothing was logged");
                    for secret in array(&pbx.server["secrets"]) {
                        let secret = text(secret);
                        for said in [&run.json, &run.stderr, &run.stdout] {
                            assert!(!said.contains(&secret), "{user}, {ways:?}: {secret} is said");
                        }
                    }
                }
            }
        }
    });
}

// ---------------------------------------------------------------------------------------------
// The wire itself.

#[test]
#[ignore = "needs the Asterisk lab: tests/pbx/lab run"]
fn the_tools_for_the_wire_say_what_the_server_says() {
    for_each_version("busy", |pbx| {
        let run = |user: &str, ways: &[&str]| {
            let run = pbx.run(user, ways, &pbx.plain());
            assert_eq!((run.exit_code, run.stderr.as_str()), (0, ""), "{ways:?}");
            run.stdout
        };
        let found: Value = serde_json::from_str(&run("snapshot", &["probe", "--json"])).unwrap();
        let version = text(&found["asterisk_version"]);
        assert!(pbx.version().starts_with(&format!("{version}.")), "{found:#}");

        let rows = run("snapshot", &["ask", "PJSIPShowEndpoints", "CoreSettings", "--ndjson"]);
        let rows: Vec<Value> =
            rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let names = rows.iter().filter_map(|row| row["ObjectName"].as_str().map(str::to_owned));
        let expected: BTreeSet<String> = pbx.pjsip_device_states().into_keys().collect();
        assert_eq!(names.collect::<BTreeSet<_>>(), expected);
        assert_eq!(text(&rows.last().unwrap()["AsteriskVersion"]), pbx.version());

        let here = |user: &str, action: &str| {
            let list: Value =
                serde_json::from_str(&run(user, &["ask", "--list", "--json"])).unwrap();
            let found = array(&list).iter().find(|entry| entry["action"] == action).cloned();
            text(&found.unwrap()["here"])
        };
        let sip = if version == "16" { "yes" } else { "unsupported" };
        assert_eq!(here("snapshot", "SIPpeers"), sip);
        assert_eq!(here("snapshot", "ParkedCalls"), "yes");
        for denied in ["ParkedCalls", "PJSIPShowEndpoints"] {
            assert_eq!(here("reporting", denied), "denied");
        }
    });
}

// ---------------------------------------------------------------------------------------------
// Over TLS.

#[test]
#[ignore = "needs the Asterisk lab: tests/pbx/lab run"]
fn a_run_over_tls_does_not_stall_and_says_what_a_plain_one_says() {
    for_each_version("busy", |pbx| {
        let trusts = [pbx.pin(), format!("ami_tls_ca_file: {}", text(&pbx.server["certificate"]))];
        for trust in trusts {
            // A registration may be renewed, or a phone be asked, between the two.
            let mut differences = Vec::new();
            let agreed = (0..5).any(|_| {
                let plain = pbx.run("snapshot", &[], &pbx.plain());
                let run = pbx.run("snapshot", &[], &pbx.tls(&trust));
                assert_eq!((run.exit_code, run.stderr.as_str()), (0, ""), "{trust}");
                let (plain, tls) = (plain.snapshot(), run.snapshot());
                assert_eq!(tls["complete"], true, "{:#}", tls["sections"]);
                assert_eq!(tls["source"]["tls"], true);
                assert_eq!(plain["source"]["tls"], false);
                let took = tls["source"]["duration_ms"].as_u64().unwrap();
                assert!(took < 2_000, "a stalled action would take 30 s: {took} ms");
                differences.clear();
                compare("", &plain, &tls, &mut differences);
                differences.is_empty()
            });
            assert!(agreed, "{trust}: {differences:#?}");
        }
    });
}

#[test]
#[ignore = "needs the Asterisk lab: tests/pbx/lab run"]
fn a_real_server_that_is_not_trusted_is_told_with_its_fingerprint() {
    for_each_version("busy", |pbx| {
        let certificate = format!("ami_tls_ca_file: {}", text(&pbx.server["certificate"]));
        let other = format!("ami_tls_fingerprint: \"{}\"", "00:".repeat(31) + "00");
        let wrong_name = format!("{certificate}\n  ami_tls_server_name: pbx.example.org");
        for (lines, says) in [
            ("", "self-signed or of an unknown authority"),
            (&other, "not the pinned one"),
            (&wrong_name, "for another name (pbx.example.test, 127.0.0.1)"),
        ] {
            let run = pbx.run("snapshot", &[], &pbx.tls(lines));
            assert_eq!(run.exit_code, 69, "{}", run.stderr);
            assert_eq!(run.json, "");
            assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
            assert!(run.stderr.contains(says), "{says}: {}", run.stderr);
            // `openssl` says the same as we do.
            assert!(run.stderr.contains(&pbx.pin()), "{}", run.stderr);
        }
        let right_name = format!("{certificate}\n  ami_tls_server_name: pbx.example.test");
        let run = pbx.run("snapshot", &["check"], &pbx.tls(&right_name));
        assert_eq!(run.exit_code, 0, "{}", run.stdout);
        assert!(run.stdout.contains("ok   tls: TLS 1.3, certificate "), "{}", run.stdout);
    });
}

#[test]
#[ignore = "needs the Asterisk lab: tests/pbx/lab run"]
fn tls_to_the_plain_port_and_plain_to_the_tls_port_end_soon_and_say_why() {
    for_each_version("busy", |pbx| {
        let crossed = pbx.plain() + "  ami_tls: true\n";
        let run = pbx.run("snapshot", &[], &crossed);
        assert_eq!(run.exit_code, 69, "{}", run.stderr);
        assert!(run.stderr.contains("does not speak TLS"), "{}", run.stderr);
        let crossed = pbx.tls("").replace("ami_tls: true", "timeouts: {connect_seconds: 1}");
        let run = pbx.run("snapshot", &[], &crossed);
        // It takes the first words for a broken handshake.
        assert_eq!(run.exit_code, 69, "{}", run.stderr);
        assert!(run.stderr.contains("ami_tls: true"), "{}", run.stderr);
    });
}

#[test]
#[ignore = "needs the Asterisk lab: tests/pbx/lab run"]
fn after_a_hangup_calls_and_queue_callers_are_gone() {
    let _alone = CALLS.write().unwrap_or_else(PoisonError::into_inner);
    for version in VERSIONS {
        let pbx = Pbx::of("busy", version);
        pbx.lab("hangup");
        let snapshot = pbx.collect("snapshot").snapshot();
        pbx.lab("calls");
        assert_eq!(snapshot["complete"], true);
        for key in ["active_calls", "channels", "parking", "conferences"] {
            assert_eq!(snapshot[key], Value::Array(vec![]), "{key} on {version}");
        }
        for queue in array(&snapshot["queues"]) {
            assert_eq!(queue["calls"], 0, "queue {} on {version}", queue["name"]);
            assert_eq!(
                queue["callers"],
                Value::Array(vec![]),
                "queue {} on {version}",
                queue["name"]
            );
        }
        assert!(
            array(&snapshot["extensions"]).iter().all(|extension| extension["active_calls"] == 0)
        );
    }
}

// ---------------------------------------------------------------------------------------------
// The empty PBX.

#[test]
#[ignore = "needs the Asterisk lab: tests/pbx/lab run"]
fn an_empty_pbx_gives_empty_lists_and_nothing_to_look_at() {
    for_each_version("empty", |pbx| {
        let run = pbx.collect("snapshot");
        assert_eq!(run.exit_code, 0, "{}", run.stderr);
        assert_eq!(run.stderr, "");
        let snapshot = run.snapshot();
        assert_eq!(snapshot["complete"], true, "{:#}", snapshot["sections"]);
        for section in &SECTIONS[1..] {
            assert_eq!(snapshot[section], Value::Array(vec![]), "{section}");
        }
        // That a server has just been started is news, but no warning.
        let attention = snapshot["summary"]["attention"].as_array().unwrap();
        assert!(attention.iter().all(|item| item["kind"] == "pbx_restarted"), "{attention:#?}");
        assert!(attention.iter().all(|item| item["severity"] == "info"), "{attention:#?}");
    });
}

// ---------------------------------------------------------------------------------------------
// AMI users who may not ask everything.

#[test]
#[ignore = "needs the Asterisk lab: tests/pbx/lab run"]
fn what_a_user_may_not_ask_is_denied_and_null_and_never_an_empty_list() {
    let _calls_stay = CALLS.read().unwrap_or_else(PoisonError::into_inner);
    let mut wrong = Vec::new();
    for scenario in ["busy", "empty"] {
        for version in VERSIONS {
            let pbx = Pbx::of(scenario, version);
            for user in ["reporting", "sysreporting", "noclass"] {
                let snapshot = pbx.collect(user).snapshot();
                assert_eq!(snapshot["complete"], false, "{user}");
                for section in SECTIONS {
                    let (status, value) =
                        (&snapshot["sections"][section]["status"], &snapshot[section]);
                    let is_empty = value.as_array().is_some_and(Vec::is_empty);
                    if (status == "denied") != value.is_null() || (is_empty && status != "ok") {
                        wrong.push(format!(
                            "{scenario} on {version}, {user}: {section} is {status}: {value}"
                        ));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[ignore = "needs the Asterisk lab: tests/pbx/lab run"]
fn the_classes_of_a_user_decide_which_sections_are_denied() {
    for_each_version("busy", |pbx| {
        let denied = |user: &str| -> BTreeSet<String> {
            let snapshot = pbx.collect(user).snapshot();
            let denied =
                SECTIONS.iter().filter(|key| snapshot["sections"][**key]["status"] == "denied");
            denied.map(ToString::to_string).collect()
        };
        let set = |keys: &[&str]| keys.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
        // ParkedCalls needs `call`; a user without any class may still ask for the queues.
        assert_eq!(denied("sysreporting"), set(&["parking"]));
        assert!(denied("reporting").contains("parking"));
        assert!(!denied("reporting").contains("active_calls"));
        assert_eq!(
            denied("noclass"),
            set(&[
                "system_info",
                "trunks",
                "active_calls",
                "channels",
                "extensions",
                "parking",
                "conferences"
            ])
        );
    });
}

/// What each combination of classes gives, as it stands in SECURITY.md.
/// `FREEPBX_SNAPSHOT_WRITE=1` writes it there.
#[test]
#[ignore = "needs the Asterisk lab: tests/pbx/lab run"]
fn the_table_of_classes_in_security_md_is_what_the_servers_say() {
    const MARKS: [&str; 2] = ["<!-- classes: written by tests/it/live.rs -->\n", "<!-- end -->"];
    let _calls_stay = CALLS.read().unwrap_or_else(PoisonError::into_inner);
    let table = class_table(&VERSIONS.map(|version| Pbx::of("busy", version)));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("SECURITY.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = document.split_once(MARKS[0]).expect("the mark before the table");
    let (found, after) = rest.split_once(MARKS[1]).expect("the mark after the table");
    if std::env::var_os("FREEPBX_SNAPSHOT_WRITE").is_some() {
        let [begin, end] = MARKS;
        return std::fs::write(path, format!("{before}{begin}{table}{end}{after}")).unwrap();
    }
    assert_eq!(found, table);
}

#[test]
#[ignore = "needs the Asterisk lab: tests/pbx/lab run"]
fn check_ticks_everything_for_the_right_user_and_says_which_classes_another_lacks() {
    for_each_version("busy", |pbx| {
        let run = pbx.run("snapshot", &["check"], &pbx.plain());
        assert_eq!((run.exit_code, run.stderr.as_str()), (0, ""), "{}", run.stdout);
        assert!(!run.stdout.contains("FAIL"), "{}", run.stdout);
        for user in ["noclass", "reporting", "sysreporting"] {
            let run = pbx.run(user, &["check"], &pbx.plain());
            assert_eq!(run.exit_code, 3, "{}", run.stdout);
            let stanza = format!("let [{user}] in /etc/asterisk/manager_custom.conf say `write = ");
            assert!(run.stdout.contains(&(stanza + "system,call,reporting`")), "{}", run.stdout);
            assert!(run.stdout.contains("FAIL snapshot: parking would be null"), "{}", run.stdout);
        }
        let run = pbx.run_as("snapshot", "lab-ami-secret-wrong", &["check"], &pbx.plain());
        assert_eq!(run.exit_code, 77, "{}", run.stdout);
        assert!(run.stdout.contains("FAIL login: ") && run.stdout.contains("manager reload"));
    });
}

#[test]
#[ignore = "needs the Asterisk lab: tests/pbx/lab run"]
fn a_wrong_password_fails_and_leaves_no_file() {
    for_each_version("busy", |pbx| {
        let run = pbx.collect_as("snapshot", "lab-ami-secret-wrong");
        assert_ne!(run.exit_code, 0);
        assert_eq!(run.json, "");
        assert_eq!(run.stderr.trim_end().lines().count(), 1, "{}", run.stderr);
        assert!(!run.stderr.contains("lab-ami-secret-wrong"));
    });
}

// ---------------------------------------------------------------------------------------------
// The lab's servers.

struct Pbx {
    version: &'static str,
    server: Value,
}

struct Run {
    exit_code: i32,
    json: String,
    stdout: String,
    stderr: String,
}

impl Run {
    fn snapshot(&self) -> Value {
        serde_json::from_str(&self.json).unwrap_or_else(|error| {
            panic!("no snapshot (exit {}): {error}\n{}", self.exit_code, self.stderr)
        })
    }
}

/// Runs a test on every server, and tells the version when it fails.
fn for_each_version(scenario: &str, test: impl Fn(&Pbx)) {
    let _calls_stay = CALLS.read().unwrap_or_else(PoisonError::into_inner);
    for version in VERSIONS {
        eprintln!("{scenario} on Asterisk {version}");
        test(&Pbx::of(scenario, version));
    }
}

/// Where the lab is.
fn lab_folder() -> PathBuf {
    std::env::var_os("FREEPBX_SNAPSHOT_PBX_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target/pbx"), PathBuf::from)
}

impl Pbx {
    fn of(scenario: &str, version: &'static str) -> Self {
        let path = lab_folder().join(scenario).join("lab.json");
        let lab = std::fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("{}: {error}; start it with tests/pbx/lab", path.display())
        });
        let lab: Value = serde_json::from_str(&lab).unwrap();
        Self { version, server: lab["servers"][version].clone() }
    }

    fn version(&self) -> String {
        text(&self.server["version"])
    }

    fn extensions(&self) -> impl Iterator<Item = &Value> {
        array(&self.server["extensions"]).iter()
    }

    fn trunks(&self) -> impl Iterator<Item = &Value> {
        array(&self.server["trunks"]).iter()
    }

    fn calls(&self) -> impl Iterator<Item = &Value> {
        array(&self.server["calls"]).iter()
    }

    /// Collects with the real binary, as one of the lab's AMI users.
    fn collect(&self, user: &str) -> Run {
        self.run(user, &[], &self.plain())
    }

    fn collect_as(&self, user: &str, secret: &str) -> Run {
        self.run_as(user, secret, &[], &self.plain())
    }

    /// Lines of the configuration for a plain connection.
    fn plain(&self) -> String {
        format!("  ami_port: {}\n", self.server["port"])
    }

    /// Lines of the configuration for TLS, with a line that says whom to trust.
    fn tls(&self, trust: &str) -> String {
        format!("  ami_port: {}\n  ami_tls: true\n  {trust}\n", self.server["tls_port"])
    }

    /// The line that pins the server's certificate, made by openssl.
    fn pin(&self) -> String {
        let path = text(&self.server["certificate"]);
        let arguments = ["x509", "-noout", "-fingerprint", "-sha256", "-in", &path];
        let output = Command::new("openssl").args(arguments).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        format!("ami_tls_fingerprint: \"{}\"", said.trim().split_once('=').unwrap().1)
    }

    /// Runs the real binary as one of the lab's AMI users.
    fn run(&self, user: &str, arguments: &[&str], lines: &str) -> Run {
        self.run_as(user, &text(&self.server["users"][user]["secret"]), arguments, lines)
    }

    fn run_as(&self, user: &str, secret: &str, arguments: &[&str], lines: &str) -> Run {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("config.yaml");
        let cache = folder.path().join("cache");
        std::fs::create_dir(&cache).unwrap();
        let host = text(&self.server["host"]);
        let yaml = format!(
            "freepbx:\n  ami_host: {host}\n  ami_username: {user}\n  ami_password: {secret}\n\
             {lines}cache:\n  directory: {}\n",
            cache.display()
        );
        std::fs::write(&config, yaml).unwrap();
        restrict(&config);
        let output = Command::new(env!("CARGO_BIN_EXE_freepbx-snapshot"))
            .args(arguments)
            .arg("--config")
            .arg(&config)
            .output()
            .unwrap();
        Run {
            exit_code: output.status.code().unwrap_or(-1),
            json: std::fs::read_to_string(cache.join("freepbx.json")).unwrap_or_default(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn snapshot_list(&self, key: &str) -> Vec<Value> {
        array(&self.collect("snapshot").snapshot()[key]).to_vec()
    }

    /// Gives the lab one of the orders that lab.json spells out: `hangup` or `calls`.
    fn lab(&self, order: &str) {
        let output = run(array(&self.server["orders"][order]), None);
        assert!(
            output.status.success(),
            "lab {order}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    /// What `asterisk -rx` prints.
    fn cli(&self, command: &str) -> String {
        let output = run(array(&self.server["cli"]), Some(command));
        assert!(output.status.success(), "{command} on Asterisk {}", self.version);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn has_chan_sip(&self) -> bool {
        self.version == "16"
    }

    // What the CLI says, in comparable form.

    fn pjsip_contacts(&self) -> Vec<CliContact> {
        let output = self.cli("pjsip show contacts");
        let rows = output.lines().filter_map(|line| line.trim().strip_prefix("Contact:  "));
        rows.filter(|row| !row.starts_with('<'))
            .map(|row| {
                let words: Vec<&str> = row.split_whitespace().collect();
                let (aor, uri) = words[0].split_once('/').unwrap();
                CliContact { aor: aor.into(), uri: uri.into(), status: words[2].into() }
            })
            .collect()
    }

    fn pjsip_device_states(&self) -> BTreeMap<String, String> {
        let output = self.cli("pjsip show endpoints");
        let rows = output.lines().filter_map(|line| line.trim().strip_prefix("Endpoint:  "));
        rows.filter(|row| !row.starts_with('<'))
            .map(|row| {
                let (name, rest) = row.split_once(' ').unwrap();
                let words: Vec<&str> = rest.split_whitespace().collect();
                // The state, then `<channels> of inf`.
                let state = words[..words.len() - 3].join(" ");
                (name.split('/').next().unwrap().to_owned(), state)
            })
            .collect()
    }

    /// `(name, host, status)` of every chan_sip or IAX2 peer.
    fn peers(&self, command: &str) -> Vec<[String; 3]> {
        let output = self.cli(command);
        let rows = output.lines().skip(1).filter(|line| !line.contains(" peers ["));
        rows.map(|row| {
            let words: Vec<&str> = row.split_whitespace().collect();
            let known = ["OK", "LAGGED", "UNREACHABLE", "UNKNOWN", "Unmonitored"];
            let status =
                words.iter().find(|word| known.contains(word)).unwrap_or_else(|| panic!("{row}"));
            [
                words[0].split('/').next().unwrap().to_owned(),
                words[1].to_owned(),
                (*status).to_owned(),
            ]
        })
        .collect()
    }

    /// Devices (`PJSIP/100`) behind which Asterisk knows a telephone.
    fn online_devices(&self) -> BTreeSet<String> {
        let contacts = self.pjsip_contacts().into_iter().filter(CliContact::is_online);
        let mut online: BTreeSet<String> =
            contacts.map(|contact| format!("PJSIP/{}", contact.aor)).collect();
        let mut commands = vec![("IAX2", "iax2 show peers")];
        if self.has_chan_sip() {
            commands.push(("SIP", "sip show peers"));
        }
        for (tech, command) in commands {
            for [name, host, status] in self.peers(command) {
                let placed = !["(Unspecified)", "(null)"].contains(&host.as_str());
                if matches!(status.as_str(), "OK" | "LAGGED") || (status == "Unmonitored" && placed)
                {
                    online.insert(format!("{tech}/{name}"));
                }
            }
        }
        online
    }

    /// Trunk name to the registration's state in Asterisk's word.
    fn registration_words(&self) -> BTreeMap<String, String> {
        let mut words = BTreeMap::new();
        for row in self.cli("pjsip show registrations").lines() {
            let parts: Vec<&str> = row.split_whitespace().collect();
            if let [first, _, state, ..] = parts[..]
                && let Some((name, _)) = first.split_once("/sip:")
            {
                words.insert(name.to_owned(), state.to_owned());
            }
        }
        let mut commands = vec![("iax2", "iax2 show registry")];
        if self.has_chan_sip() {
            commands.push(("sip", "sip show registry"));
        }
        // These two name no trunk; the lab gives each its own port.
        let states = [
            "Registered",
            "Unregistered",
            "Request Sent",
            "Auth. Sent",
            "Rejected",
            "Failed",
            "Timeout",
        ];
        for (tech, command) in commands {
            let output = self.cli(command);
            for trunk in
                self.trunks().filter(|trunk| trunk["tech"] == tech && trunk["registers"] == true)
            {
                let host = format!("127.0.0.1:{} ", trunk["port"]);
                let row = output.lines().find(|line| line.starts_with(&host)).unwrap();
                let row = row.replace("<Unregistered>", "");
                let state = states.iter().find(|state| row.contains(&format!(" {state}"))).unwrap();
                words.insert(text(&trunk["name"]), (*state).to_owned());
            }
        }
        words
    }

    /// The state of a trunk that does not register.
    fn reachability(&self, trunk: &Value) -> String {
        let name = text(&trunk["name"]);
        let status = if trunk["tech"] == "pjsip" {
            self.pjsip_contacts()
                .into_iter()
                .find(|contact| contact.aor == name)
                .map(|contact| contact.status)
        } else {
            let command = if trunk["tech"] == "sip" { "sip show peers" } else { "iax2 show peers" };
            self.peers(command)
                .into_iter()
                .find(|[peer, ..]| *peer == name)
                .map(|[.., status]| status)
        };
        match status.as_deref() {
            Some("Avail" | "OK" | "LAGGED") => "Reachable",
            Some("Unavail" | "UNREACHABLE") | None => "Unreachable",
            Some("NonQual" | "Unmonitored") => "Unmonitored",
            Some(_) => "Unknown",
        }
        .to_owned()
    }

    /// Channels without the conference's own, which AMI does not list.
    fn channel_names(&self) -> Vec<String> {
        let output = self.cli("core show channels concise");
        let names =
            output.lines().filter_map(|line| line.split_once('!')).map(|(name, _)| name.to_owned());
        sorted(names.filter(|name| !name.starts_with("CBAnn/") && !name.starts_with("CBRec/")))
    }

    /// `[space, channel, parked by]` of every parked call.
    fn parking_show(&self) -> Vec<[String; 3]> {
        let output = self.cli("parking show default");
        let (_, calls) = output.split_once("Parked Calls").unwrap();
        let values: Vec<String> = calls
            .lines()
            .filter_map(|line| line.split_once(" :  "))
            .map(|(_, value)| value.trim().to_owned())
            .collect();
        values.chunks(3).map(|call| [call[0].clone(), call[1].clone(), call[2].clone()]).collect()
    }

    fn confbridge_list(&self) -> BTreeMap<String, Vec<String>> {
        let rooms = self.cli("confbridge list");
        let names = rooms.lines().skip(2).filter_map(|line| line.split_whitespace().next());
        names
            .map(|room| {
                let members = self.cli(&format!("confbridge list {room}"));
                let channels =
                    members.lines().skip(2).filter_map(|line| line.split_whitespace().next());
                (room.to_owned(), sorted(channels.map(ToOwned::to_owned)))
            })
            .collect()
    }

    fn queue_show(&self) -> BTreeMap<String, QueueShow> {
        let mut queues = BTreeMap::new();
        for block in self.cli("queue show").split("\n\n") {
            let mut lines = block.lines().filter(|line| !line.trim().is_empty());
            let Some(head) = lines.next() else { continue };
            let words: Vec<&str> = head.split_whitespace().collect();
            let mut queue = QueueShow { calls: words[2].parse().unwrap(), ..QueueShow::default() };
            for line in lines.map(str::trim) {
                if let Some((position, rest)) = line.split_once(". ")
                    && position.parse::<u64>().is_ok()
                {
                    queue.callers.push(rest.split(" (wait:").next().unwrap().to_owned());
                } else if let Some((member, _)) = line.split_once(" has taken ") {
                    queue.agents.insert(QueueMember::of_cli(member));
                }
            }
            queues.insert(words[0].to_owned(), queue);
        }
        queues
    }
}

struct CliContact {
    aor: String,
    uri: String,
    status: String,
}

impl CliContact {
    fn is_online(&self) -> bool {
        matches!(self.status.as_str(), "Avail" | "NonQual")
    }
}

/// A queue as far as `queue show` and the snapshot both tell it.
#[derive(Debug, Default, PartialEq)]
struct QueueShow {
    calls: u64,
    callers: Vec<String>,
    agents: BTreeSet<QueueMember>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct QueueMember {
    name: String,
    interface: String,
    membership: String,
    penalty: u64,
    paused: bool,
    paused_reason: String,
    in_call: bool,
    status: String,
}

impl QueueShow {
    fn of_snapshot(queue: &Value) -> Self {
        let agents = array(&queue["agents"]).iter().map(|agent| QueueMember {
            name: text(&agent["name"]),
            interface: text(&agent["interface"]),
            membership: text(&agent["membership"]),
            penalty: agent["penalty"].as_u64().unwrap(),
            paused: agent["paused"].as_bool().unwrap(),
            paused_reason: agent["paused_reason"].as_str().unwrap_or_default().to_owned(),
            in_call: agent["in_call"].as_bool().unwrap(),
            status: letters(&text(&agent["status"])),
        });
        Self {
            calls: queue["calls"].as_u64().unwrap(),
            callers: array(&queue["callers"])
                .iter()
                .map(|caller| text(&caller["channel"]))
                .collect(),
            agents: agents.collect(),
        }
    }
}

impl QueueMember {
    /// `Name (interface[ from hint]) [with penalty N] (...) ... (status)`, in changing order.
    fn of_cli(line: &str) -> Self {
        let at = ["(Local/", "(PJSIP/", "(SIP/"].iter().find_map(|start| line.find(start)).unwrap();
        let (name, rest) = (line[..at].trim(), &line[at + 1..]);
        let (interface, flags) = rest.split_once(')').unwrap();
        let status = flags.rsplit_once('(').unwrap().1.trim_end_matches(')');
        let paused = flags.find("(paused").map(|at| flags[at + 7..].split(" was ").next().unwrap());
        let penalty =
            flags.find("with penalty ").map(|at| flags[at + 13..].split(' ').next().unwrap());
        Self {
            name: name.to_owned(),
            interface: interface.split(" from ").next().unwrap().to_owned(),
            membership: if flags.contains("(dynamic)") { "dynamic" } else { "static" }.to_owned(),
            penalty: penalty.map_or(0, |number| number.parse().unwrap()),
            paused: paused.is_some(),
            paused_reason: paused.unwrap_or_default().trim_start_matches(':').to_owned(),
            in_call: flags.contains("(in call)"),
            status: if status == "Not in use" { "available".to_owned() } else { letters(status) },
        }
    }
}

// ---------------------------------------------------------------------------------------------
// Calls: what the lab arranged against what the snapshot says.

/// Whether this is the call that the lab placed from that line.
fn is_call(call: &Value, expected: &Value) -> bool {
    let caller = text(&expected["caller"]);
    if caller.is_empty() {
        let line = text(&expected["line"]);
        let prefixes = [format!("PJSIP/{line}-"), format!("SIP/{line}-")];
        return array(&call["channels"])
            .iter()
            .any(|channel| prefixes.iter().any(|prefix| text(channel).starts_with(prefix)));
    }
    let number = call["from"]["number"].as_str().unwrap_or("anonymous");
    number == caller && call["direction"] == "inbound"
}

/// In which facts the snapshot differs from what the lab arranged.
fn differences(call: &Value, expected: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let mut check = |what: &str, is: String, should: String| {
        if is != should {
            found.push(format!("{what} is {is:?} instead of {should:?}"));
        }
    };
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    check("state", word(&call["state"]), text(&expected["state"]));
    check("direction", word(&call["direction"]), text(&expected["direction"]));
    check("queue", word(&call["queue"]), text(&expected["queue"]));
    check("trunk", word(&call["trunk"]), text(&expected["trunk"]));
    // All channels of a conference may be one call or one each.
    if expected["state"] != "Conference" {
        check(
            "number of channels",
            array(&call["channels"]).len().to_string(),
            expected["channels"].to_string(),
        );
        let from = if expected["direction"] == "inbound" { "number" } else { "extension" };
        let source = if expected["source"] == "anonymous" {
            word(&call["from"][from])
        } else {
            text(&expected["source"])
        };
        check("from", word(&call["from"][from]), source);
    }
    let to = if expected["direction"] == "outbound" { "number" } else { "extension" };
    match array(&expected["to"]) {
        [one] => check("to", word(&call["to"][to]), text(one)),
        // Several phones ring: what was dialled, if Asterisk tells it at all, and not a macro's `s`.
        [_, ..] => {
            let number = word(&call["to"]["number"]);
            let dialled = if number.is_empty() { String::new() } else { text(&expected["dial"]) };
            check("to", number, dialled);
        }
        [] => {}
    }
    found
}

fn brief(expected: &Value) -> String {
    format!(
        "{} dials {} ({})",
        text(&expected["line"]),
        text(&expected["dial"]),
        text(&expected["source"])
    )
}

// ---------------------------------------------------------------------------------------------
// What a user's classes give.

/// The table in SECURITY.md: a line per fact, a column per combination of classes.
fn class_table(servers: &[Pbx]) -> String {
    let snapshots: Vec<Vec<Value>> =
        servers.iter().map(|pbx| USERS.map(|user| pbx.collect(user).snapshot()).to_vec()).collect();
    let mut table = String::from("| The snapshot holds |");
    for user in USERS {
        let classes = text(&servers[0].server["users"][user]["classes"]);
        table += &format!(" `{classes}` |").replace("`none`", "no class");
    }
    table += "\n| --- | --- | --- | --- | --- |\n";
    let mut line = |name: &str, cell: &dyn Fn(&Value, &Value) -> String| {
        table += &format!("| {name} |");
        for user in 0..USERS.len() {
            let cells: Vec<String> =
                snapshots.iter().map(|users| cell(&users[user], users.last().unwrap())).collect();
            let same = cells.iter().all(|cell| *cell == cells[0]);
            let versions = VERSIONS.iter().zip(&cells);
            let each = versions.map(|(version, cell)| format!("{cell} ({version})"));
            let shown = if same { cells[0].clone() } else { each.collect::<Vec<_>>().join(", ") };
            table += &format!(" {shown} |");
        }
        table.push('\n');
    };
    for section in SECTIONS {
        line(&format!("`{section}`"), &|snapshot, _| {
            text(&snapshot["sections"][section]["status"])
        });
    }
    for (section, key, name) in [
        ("extensions", "extension", "extensions: which"),
        ("extensions", "name", "extensions: names"),
        ("extensions", "online", "extensions: online or not"),
        ("extensions", "ip", "extensions: addresses"),
        ("extensions", "user_agent", "extensions: user agents"),
        ("extensions", "latency_ms", "extensions: round trips"),
        ("trunks", "name", "trunks: which"),
        ("trunks", "registration", "trunks: registrations"),
        ("trunks", "reachable", "trunks: reachable or not"),
    ] {
        line(name, &|snapshot, full| {
            let count = |snapshot: &Value| {
                let items = snapshot[section].as_array().map(Vec::as_slice).unwrap_or_default();
                items.iter().filter(|item| !item[key].is_null()).count()
            };
            let (found, all) = (count(snapshot), count(full));
            // One phone more or less may have been asked in between.
            match found {
                0 => "no".to_owned(),
                _ if found + 2 >= all => "yes".to_owned(),
                _ => "some".to_owned(),
            }
        });
    }
    table
}

/// Where two snapshots of an unchanged PBX differ, apart from times and measurements.
fn compare(path: &str, one: &Value, other: &Value, found: &mut Vec<String>) {
    const CHANGING: [&str; 14] = [
        "/collected_at",
        "/stale_after",
        "/source/port",
        "/source/tls",
        "/changes",
        "/text",
        "/attention",
        "/description",
        "/message",
        "_ms",
        "_seconds",
        "_at",
        "/uptime",
        "/calls_processed",
    ];
    if CHANGING.iter().any(|key| path.ends_with(key)) {
        return;
    }
    match (one, other) {
        (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => {
            for (key, value) in one {
                compare(&format!("{path}/{key}"), value, &other[key], found);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (at, (one, other)) in one.iter().zip(other).enumerate() {
                compare(&format!("{path}/{at}"), one, other, found);
            }
        }
        _ if one == other => {}
        _ => found.push(format!("{path}: {one} and {other}")),
    }
}

// ---------------------------------------------------------------------------------------------
// Small things.

fn run(argv: &[Value], last: Option<&str>) -> std::process::Output {
    let mut words = argv.iter().map(text).chain(last.map(ToOwned::to_owned));
    Command::new(words.next().unwrap()).args(words).output().unwrap()
}

/// The configuration holds a password; only its owner may read it.
fn restrict(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

/// `PJSIP/100` of a phone in lab.json.
fn device_of(phone: &Value) -> String {
    format!("{}/{}", text(&phone["tech"]).to_uppercase(), text(&phone["device"]))
}

fn owns(extension: &Value, device: &str) -> bool {
    array(&extension["phones"])
        .iter()
        .any(|phone| phone["device"] == device && phone["tech"] == "pjsip")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("no array: {value}"))
}

fn by_key(items: &[Value], key: &str) -> BTreeMap<String, Value> {
    let map: BTreeMap<String, Value> =
        items.iter().map(|item| (text(&item[key]), item.clone())).collect();
    assert_eq!(map.len(), items.len(), "two items with the same {key}");
    map
}

fn sorted(items: impl Iterator<Item = String>) -> Vec<String> {
    let mut items: Vec<String> = items.collect();
    items.sort();
    items
}

/// `Not in use`, `NOT_INUSE` and `Not in Use` are the same words.
fn letters(words: &str) -> String {
    words.chars().filter(|c| c.is_alphabetic()).collect::<String>().to_lowercase()
}
