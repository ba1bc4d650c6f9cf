//! Whole runs of the binary against a scripted server: what goes wrong is named, the rest is there.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    pbx::{Greeting, PASSWORD, Reply, Script},
    program::{Ended, Program},
};

fn busy() -> Script {
    Script::recorded("16.28.0/busy")
}

/// Tests cases side by side, since they spend their time waiting.
fn each<T: Send>(cases: impl IntoIterator<Item = T>, test: impl Fn(T) + Sync) {
    std::thread::scope(|scope| {
        let tests: Vec<_> = cases.into_iter().map(|case| scope.spawn(|| test(case))).collect();
        for test in tests {
            if let Err(panic) = test.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}

/// Runs once against a script.
fn run(script: Script) -> (Program, Ended) {
    let pbx = script.start();
    let program = Program::for_port(pbx.port);
    let ended = program.run(&[]);
    assert!(ended.took < Duration::from_secs(25), "took {:?}", ended.took);
    assert!(!ended.stderr.contains(PASSWORD));
    (program, ended)
}

#[track_caller]
fn assert_quiet_and_complete(ended: &Ended) {
    assert_eq!((ended.code, ended.stderr.as_str(), ended.stdout.as_str()), (0, "", ""));
}

/// One line, which ends the run without touching the file.
#[track_caller]
fn assert_fails(program: &Program, ended: &Ended, code: i32, says: &[&str]) {
    assert_eq!(ended.code, code, "{ended:?}");
    assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
    for said in says {
        assert!(ended.stderr.contains(said), "{said:?} is missing in {:?}", ended.stderr);
    }
    assert_eq!(program.file(), None);
}

fn status<'a>(snapshot: &'a Value, section: &str) -> &'a str {
    snapshot["sections"][section]["status"].as_str().unwrap()
}

#[test]
fn a_busy_server_gives_a_complete_snapshot_in_silence() {
    let pbx = busy().start();
    let program = Program::for_port(pbx.port);
    let ended = program.run(&[]);
    assert_quiet_and_complete(&ended);
    let snapshot = program.snapshot();
    assert_eq!(snapshot["complete"], true, "{:#}", snapshot["sections"]);
    assert_eq!(snapshot["schema_version"], 1);
    assert_eq!(snapshot["source"]["demo"], false);
    assert_eq!(snapshot["channels"].as_array().unwrap().len(), 47);
    let asked = pbx.asked.lock().unwrap();
    let mut distinct =
        asked.iter().filter(|a| *a != "Ping" && *a != "DBGetTree").collect::<Vec<_>>();
    let total = distinct.len();
    distinct.sort();
    distinct.dedup();
    // ConfbridgeList and PJSIPShowEndpoint are asked for each room and trunk.
    let repeated = ["ConfbridgeList", "PJSIPShowEndpoint"];
    let again = asked.iter().filter(|a| repeated.contains(&a.as_str())).count();
    assert_eq!(total - again, distinct.len() - repeated.len(), "{asked:?}");
    assert_eq!(asked.last().map(String::as_str), Some("Logoff"));
    assert_eq!(pbx.connections.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[test]
fn an_idle_server_gives_empty_lists_and_silence() {
    for version in ["16.28.0", "22.10.1"] {
        let (program, ended) = run(Script::recorded(&format!("{version}/idle")));
        assert_quiet_and_complete(&ended);
        let snapshot = program.snapshot();
        assert_eq!(snapshot["complete"], true, "{:#}", snapshot["sections"]);
        for empty in ["active_calls", "channels", "parking", "conferences"] {
            assert_eq!(snapshot[empty], json!([]), "{empty} on {version}");
        }
    }
}

#[test]
fn the_password_never_crosses_the_wire() {
    let pbx = busy().start();
    let program = Program::for_port(pbx.port);
    assert_eq!(program.run(&[]).code, 0);
    let received = String::from_utf8_lossy(&pbx.received.lock().unwrap()).into_owned();
    assert!(received.contains("AuthType: MD5"));
    assert!(received.contains("Events: off"));
    assert!(!received.contains(PASSWORD));
}

#[test]
fn a_server_without_challenge_gets_the_password_in_plain_text() {
    let (program, ended) = run(busy().greeting(Greeting::NoChallenge));
    assert_quiet_and_complete(&ended);
    assert_eq!(program.snapshot()["complete"], true);
}

#[test]
fn each_denied_action_makes_its_section_denied_or_partial_and_the_rest_is_written() {
    for (action, section, expected, is_null) in [
        ("CoreShowChannels", "active_calls", "denied", true),
        ("CoreShowChannels", "channels", "denied", true),
        ("ParkedCalls", "parking", "denied", true),
        ("ConfbridgeListRooms", "conferences", "denied", true),
        ("QueueSummary", "queues", "partial", false),
        ("QueueStatus", "queues", "partial", false),
        ("PJSIPShowEndpoints", "extensions", "partial", false),
        ("SIPpeers", "trunks", "partial", false),
        ("CoreStatus", "system_info", "partial", false),
        ("PJSIPShowRegistrationsOutbound", "trunks", "partial", false),
        ("DBGetTree", "extensions", "partial", false),
    ] {
        let (program, ended) = run(busy().on(action, Reply::Denied));
        assert_eq!(ended.code, 3, "{action}: {ended:?}");
        assert_eq!(ended.stderr.lines().count(), 1, "{action}: {}", ended.stderr);
        assert!(ended.stderr.contains(section), "{action}: {}", ended.stderr);
        assert!(ended.stderr.contains("is not permitted: "), "{action}: {}", ended.stderr);
        let snapshot = program.snapshot();
        assert_eq!(status(&snapshot, section), expected, "{action}: {:#}", snapshot["sections"]);
        assert_eq!(snapshot[section].is_null(), is_null, "{action}");
        assert_eq!(snapshot["complete"], false);
        assert!(snapshot["queues"].is_array(), "{action}");
    }
}

#[test]
fn in_a_log_of_json_what_is_missing_is_json_too() {
    let pbx = busy().on("ParkedCalls", Reply::Denied).start();
    let ended = Program::for_port(pbx.port).run(&["--log-format", "json"]);
    assert_eq!(ended.code, 3, "{ended:?}");
    let line: Value = serde_json::from_str(&ended.stderr).unwrap();
    assert_eq!(line["level"], "WARN");
    let said = line["fields"]["message"].as_str().unwrap();
    assert!(said.contains("parking denied"), "{said}");
}

#[test]
fn changes_are_told_from_the_file_that_stands_there() {
    let (program, ended) = run(busy());
    assert_quiet_and_complete(&ended);
    let path = program.path("cache/freepbx.json");
    let changes = || {
        assert_quiet_and_complete(&program.run(&[]));
        program.snapshot()["changes"].as_array().unwrap().len()
    };
    assert_eq!(changes(), 0, "read from what was kept");
    let text = std::fs::read_to_string(&path).unwrap();
    let edited = text.replacen("\"online\": true", "\"online\": false", 1);
    assert_ne!(edited, text);
    std::fs::write(&path, edited).unwrap();
    assert_eq!(changes(), 1, "read from the file, which somebody has edited");
}

#[test]
fn an_absent_module_is_unsupported_and_quiet() {
    for (action, section) in [
        ("SIPpeers", "extensions"),
        ("SIPshowregistry", "trunks"),
        ("IAXpeerlist", "trunks"),
        ("DeviceStateList", "extensions"),
        ("BridgeList", "active_calls"),
        ("PJSIPShowRegistrationInboundContactStatuses", "extensions"),
        ("DBGetTree", "extensions"),
        ("Getvar", "system_info"),
    ] {
        let (program, ended) = run(busy().on(action, Reply::Unknown));
        assert_quiet_and_complete(&ended);
        let snapshot = program.snapshot();
        assert_eq!(status(&snapshot, section), "ok", "{action}: {:#}", snapshot["sections"]);
    }
    for (action, section) in [("ParkedCalls", "parking"), ("ConfbridgeListRooms", "conferences")] {
        let (program, ended) = run(busy().on(action, Reply::Unknown));
        assert_quiet_and_complete(&ended);
        let snapshot = program.snapshot();
        assert_eq!(status(&snapshot, section), "unsupported", "{action}");
        assert_eq!(snapshot[section], Value::Null, "{action}");
        assert_eq!(snapshot["complete"], true);
    }
}

#[test]
fn an_action_that_hangs_times_out_and_the_others_are_asked_on_a_new_connection() {
    each([Reply::Silence, Reply::HalfThenSilence], |reply| {
        let pbx = busy().on("QueueStatus", reply).on("QueueSummary", Reply::Denied).start();
        let program = Program::for_port(pbx.port);
        let ended = program.run(&[]);
        assert_eq!(ended.code, 3, "{ended:?}");
        let snapshot = program.snapshot();
        assert_eq!(status(&snapshot, "queues"), "timeout", "{:#}", snapshot["sections"]);
        assert_eq!(snapshot["queues"], Value::Null);
        assert_eq!(status(&snapshot, "active_calls"), "ok");
        assert_eq!(status(&snapshot, "extensions"), "ok", "{:#}", snapshot["sections"]);
        assert_eq!(pbx.connections.load(std::sync::atomic::Ordering::SeqCst), 2);
    });
}

#[test]
fn a_list_that_is_cut_off_is_asked_once_more_and_then_given_up() {
    for reply in [Reply::HalfThenClose, Reply::HalfThenReset, Reply::Close] {
        let pbx = busy().on("CoreShowChannels", reply.clone()).start();
        let program = Program::for_port(pbx.port);
        let ended = program.run(&[]);
        assert_eq!(ended.code, 3, "{reply:?}: {ended:?}");
        let snapshot = program.snapshot();
        assert_eq!(status(&snapshot, "channels"), "error", "{:#}", snapshot["sections"]);
        assert_eq!(snapshot["channels"], Value::Null);
        assert_eq!(snapshot["active_calls"], Value::Null);
        assert_eq!(status(&snapshot, "queues"), "ok");
        assert_eq!(pbx.connections.load(std::sync::atomic::Ordering::SeqCst), 3, "{reply:?}");
    }
}

#[test]
fn what_is_no_manager_interface_is_told_apart() {
    let cases = [
        (Greeting::Bytes(b"SSH-2.0-OpenSSH_9.2p1\r\n"), 76, "SSH-2.0"),
        (Greeting::BytesThenClose(b"HTTP/1.1 400 Bad Request\r\n\r\n"), 76, "HTTP/1.1"),
        (Greeting::Bytes(b"\x16\x03\x01"), 76, "not an Asterisk Manager Interface"),
        (Greeting::Bytes(b"Asterisk Call"), 124, "banner"),
        (Greeting::Bytes(b""), 124, "banner"),
        (Greeting::BytesThenClose(b""), 69, "before its banner"),
        (Greeting::BytesThenClose(b"Asterisk Call"), 69, "closed"),
    ];
    each(cases, |(greeting, code, says)| {
        let (program, ended) = run(busy().greeting(greeting));
        assert_fails(&program, &ended, code, &[says]);
    });
}

#[test]
fn a_refused_login_says_what_to_look_at() {
    let refuses = |message| Greeting::RefusesLogin(message, Duration::from_secs(1));
    let cases: [(Greeting, i32, &[&str]); 3] = [
        (refuses("Authentication failed"), 77, &["snapshot", "Authentication failed", "manager"]),
        (refuses("Login Already In Use"), 77, &["Login Already In Use"]),
        (Greeting::SilentLogin, 124, &["login"]),
    ];
    each(cases, |(greeting, code, says)| {
        let (program, ended) = run(busy().greeting(greeting));
        assert_fails(&program, &ended, code, says);
    });
}

#[test]
fn nobody_listening_is_told_with_what_to_check() {
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let program = Program::for_port(port);
    let ended = program.run(&[]);
    assert_fails(&program, &ended, 69, &["refused", "manager.conf"]);
}

#[test]
fn hostile_answers_end_within_their_limits() {
    let long_line =
        [b"Event: PeerEntry\r\nActionID: {id}\r\nX: ".as_slice(), &[b'x'; 3 << 20]].concat();
    let headers =
        b"Event: PeerEntry\r\n".iter().copied().chain(b"A: b\r\n".repeat(300_000)).collect();
    for (what, bytes) in [
        ("a long line", long_line),
        ("many headers", headers),
        ("NULs", vec![0; 4_096]),
        ("invalid UTF-8", b"Event: \xff\xfe\r\nActionID: \xc3\r\n\r\n".to_vec()),
        ("another's id", b"Response: Success\r\nActionID: other-1\r\n\r\n".to_vec()),
        ("a stray completion", b"Event: PeerlistComplete\r\nEventList: Complete\r\n\r\n".to_vec()),
    ] {
        let (program, ended) =
            run(busy().on("SIPpeers", Reply::After([&bytes[..], b"\r\n\r\n"].concat())));
        assert!(matches!(ended.code, 0 | 3), "{what}: {ended:?}");
        let snapshot = program.snapshot();
        assert_eq!(status(&snapshot, "queues"), "ok", "{what}");
        assert!(snapshot["extensions"].is_array(), "{what}");
    }
}

#[test]
fn an_endless_list_is_given_up() {
    let row = b"Event: QueueParams\r\nActionID: {id}\r\nQueue: 1\r\n\r\n".to_vec();
    let endless =
        [b"Response: Success\r\nActionID: {id}\r\nEventList: start\r\n\r\n", &row[..]].concat();
    let (program, ended) =
        run(busy().on("QueueStatus", Reply::Endless(endless)).on("QueueSummary", Reply::Denied));
    assert_eq!(ended.code, 3, "{ended:?}");
    let snapshot = program.snapshot();
    assert!(["timeout", "error"].contains(&status(&snapshot, "queues")));
    assert_eq!(snapshot["queues"], Value::Null);
    assert_eq!(status(&snapshot, "extensions"), "ok");
}

#[test]
fn a_torn_row_is_left_out_and_reported() {
    let torn = b"Response: Success\r\nActionID: {id}\r\nEventList: start\r\n\r\n\
        Event: QueueParams\r\nActionID: {id}\r\nQueue: 400\r\nStrat\r\n\r\n\
        Event: QueueParams\r\nActionID: {id}\r\nQueue: 401\r\nCalls: 0\r\n\r\n\
        Event: QueueStatusComplete\r\nActionID: {id}\r\nEventList: Complete\r\nListItems: 2\r\n\r\n";
    let (program, ended) = run(busy()
        .on("QueueStatus", Reply::Bytes(torn.to_vec()))
        .on("QueueSummary", Reply::Denied));
    assert_eq!(ended.code, 3);
    let snapshot = program.snapshot();
    assert_eq!(status(&snapshot, "queues"), "partial");
    let names: Vec<_> = snapshot["queues"].as_array().unwrap().iter().map(|q| &q["name"]).collect();
    assert_eq!(names, ["401"]);
    assert!(ended.stderr.contains("damaged"), "{}", ended.stderr);
}

#[test]
fn any_other_refusal_is_an_error_in_asterisks_words() {
    let (program, ended) = run(busy().on("ParkedCalls", Reply::Error("Lots are on strike")));
    assert_eq!(ended.code, 3);
    assert!(ended.stderr.contains("Lots are on strike"), "{}", ended.stderr);
    let snapshot = program.snapshot();
    assert_eq!(status(&snapshot, "parking"), "error");
    assert_eq!(snapshot["parking"], Value::Null);
}

#[test]
fn a_server_that_is_still_starting_is_asked_again() {
    // Recorded a second after the start, when a module may well be missing.
    let script = Script::recorded("16.28.0/idle").on("QueueStatus", Reply::UnknownAtFirst);
    let pbx = script.start();
    let program = Program::patient(pbx.port);
    let ended = program.run(&[]);
    assert_quiet_and_complete(&ended);
    let snapshot = program.snapshot();
    assert_eq!(status(&snapshot, "queues"), "ok");
    assert_eq!(snapshot["queues"].as_array().unwrap().len(), 3);
}

#[test]
fn a_slow_server_is_waited_for() {
    let slow = Reply::Slow { piece: 64, pause: Duration::from_millis(5) };
    let (program, ended) = run(busy().on("QueueStatus", slow));
    assert_quiet_and_complete(&ended);
    assert_eq!(program.snapshot()["queues"].as_array().unwrap().len(), 3);
}

#[test]
fn a_failed_run_leaves_the_old_file_as_it_was() {
    let pbx = busy().start();
    let program = Program::for_port(pbx.port);
    assert_eq!(program.run(&[]).code, 0);
    let before = program.file().unwrap();
    let refused = Greeting::RefusesLogin("Authentication failed", Duration::ZERO);
    let refusing = busy().greeting(refused).start();
    let text = std::fs::read_to_string(program.path("config.yaml")).unwrap();
    let text = text.replace(&pbx.port.to_string(), &refusing.port.to_string());
    std::fs::write(program.path("config.yaml"), text).unwrap();
    assert_eq!(program.run(&[]).code, 77);
    assert_eq!(program.file().unwrap(), before);
    let left: Vec<_> = std::fs::read_dir(program.path("cache")).unwrap().collect();
    assert_eq!(left.len(), 4, "the file, its baseline, lock and status: {left:?}");
}

#[test]
fn common_options_stand_before_or_behind_a_command() {
    let pbx = busy().start();
    let program = Program::for_port(pbx.port);
    let before = program.run(&["--config", "config.yaml", "collect", "--stdout"]);
    assert_eq!(before.code, 0, "{before:?}");
    let misplaced = program.run(&["--stdout", "check"]);
    assert_eq!(misplaced.code, 64, "{misplaced:?}");
}

#[test]
fn stdout_prints_the_snapshot_and_writes_nothing() {
    let pbx = busy().start();
    let program = Program::for_port(pbx.port);
    let ended = program.run(&["--stdout"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let snapshot: Value = serde_json::from_str(&ended.stdout).unwrap();
    super::program::assert_follows_schema(&snapshot);
    assert!(ended.stdout.ends_with("}\n"));
    assert_eq!(program.file(), None);
}

#[test]
fn a_second_run_says_that_it_does_nothing() {
    let pbx =
        busy().on("QueueStatus", Reply::Slow { piece: 400, pause: Duration::from_millis(60) });
    let pbx = pbx.start();
    let program = Program::for_port(pbx.port);
    let mut first = program.command(&[]).spawn().unwrap();
    let lock = program.path("cache/.freepbx.json.lock");
    while !lock.exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let second = program.run(&[]);
    assert_eq!(second.code, 75, "{second:?}");
    assert_eq!(second.stderr.lines().count(), 1);
    assert_eq!(first.wait().unwrap().code(), Some(0));
}

#[test]
fn the_demo_needs_no_pbx() {
    let program = Program::with_config("");
    let ended = program.run(&["demo"]);
    assert_quiet_and_complete(&ended);
    let snapshot = program.snapshot();
    assert_eq!(snapshot["source"]["demo"], true);
    assert_eq!(snapshot["complete"], true, "{:#}", snapshot["sections"]);
    for full in ["extensions", "trunks", "queues", "active_calls", "channels"] {
        assert!(!snapshot[full].as_array().unwrap().is_empty(), "{full}");
    }
}

#[test]
fn check_ticks_every_step_and_tells_what_a_denied_action_needs() {
    let pbx = busy().on("ParkedCalls", Reply::Denied).start();
    let program = Program::for_port(pbx.port);
    let ended = program.run(&["check"]);
    assert_eq!(ended.code, 3, "{ended:?}");
    let says = |text: &str| assert!(ended.stdout.contains(text), "{text:?} in\n{}", ended.stdout);
    says("ok   banner: Asterisk Call Manager/5.0.4");
    says("ok   login: as snapshot");
    says("FAIL ParkedCalls");
    says("add call to");
    assert_eq!(program.file(), None);
    let all = busy().start();
    let ended = Program::for_port(all.port).run(&["check"]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
}
