//! No secret leaves the program: every byte that it produces, in all ways to end, is searched for
//! all secrets that it meets. And no text from a PBX steers a terminal.

use std::{
    collections::BTreeSet,
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use super::{
    pbx::{Greeting, PASSWORD, Pbx, Reply, Script},
    program::{Ended, Program},
    tls::{Front, Identity},
};

/// The challenge of the scripted server.
pub const CHALLENGE: &str = "318472190";

/// Ways to run; each says as much as it can.
const WAYS: [&[&str]; 11] = [
    &["-vvv"],
    &["-vvv", "--log-format", "json"],
    &["-vvv", "--stdout"],
    &["check", "-vvv"],
    &["check", "-vvv", "--log-format", "json"],
    &["--transcript", TRANSCRIPT],
    &["check", "-vvv", "--transcript", TRANSCRIPT],
    &["ask", "-vvv", "PJSIPShowRegistrationsOutbound", "ParkedCalls", "--transcript", TRANSCRIPT],
    &["ask", "PJSIPShowRegistrationsOutbound", "DBGetTree", "Family=AMPUSER", "--json"],
    &["ask", "PJSIPShowRegistrationsOutbound", "DBGetTree", "Family=AMPUSER", "--raw"],
    &["ask", "--list", "--transcript", TRANSCRIPT],
];

/// Where a run leaves its transcript, in its folder.
const TRANSCRIPT: &str = "transcript";

#[test]
fn a_run_gives_no_secret_away_whatever_comes_of_it() {
    let busy = || Script::recorded("16.28.0/busy");
    let slow = Duration::from_millis(10);
    let refused = |message| Greeting::RefusesLogin(message, slow);
    let scripts = [
        ("complete", busy()),
        ("of another version", Script::recorded("22.10.1/busy")),
        ("wrong password", busy().greeting(refused("Authentication failed"))),
        ("no challenge", busy().greeting(Greeting::NoChallenge)),
        ("no answer to the login", busy().greeting(Greeting::SilentLogin)),
        ("no banner", busy().greeting(Greeting::Bytes(b""))),
        ("no AMI", busy().greeting(Greeting::Bytes(b"SSH-2.0-OpenSSH_9.2p1\r\n"))),
        ("closed at once", busy().greeting(Greeting::BytesThenClose(b""))),
        ("closed in a list", busy().on("PJSIPShowRegistrationsOutbound", Reply::HalfThenClose)),
        ("silence in a list", busy().on("PJSIPShowRegistrationsOutbound", Reply::HalfThenSilence)),
        ("denied", busy().on("ParkedCalls", Reply::Denied)),
        ("torn", busy().on("QueueStatus", Reply::Bytes(b"Response: Success\r\nTorn\r\n".into()))),
        ("an error", busy().on("ParkedCalls", Reply::Error("Lots are on strike"))),
    ];
    let every_way = &|what: &str, script: Script| {
        let pbx = script.start();
        for way in WAYS {
            let program = Program::for_port(pbx.port);
            let ended = program.run(way);
            search(&format!("{what}, {way:?}"), &program, &ended, &pbx);
        }
    };
    // Together, because most of them wait for a time limit.
    std::thread::scope(|threads| {
        for (what, script) in scripts {
            threads.spawn(move || every_way(what, script));
        }
    });
}

#[test]
fn the_recordings_do_hold_secrets_and_the_digest_did_cross_the_wire() {
    let known = recorded_secrets();
    assert!(known.len() >= 3, "{known:?}");
    let pbx = Script::recorded("16.28.0/busy").start();
    assert_eq!(Program::for_port(pbx.port).run(&[]).code, 0);
    assert_eq!(digests(&pbx).len(), 1);
}

#[test]
fn rust_log_decides_and_gives_no_more_away() {
    let pbx = Script::recorded("16.28.0/busy").start();
    let front = Front::of(Script::recorded("16.28.0/busy"), Identity::self_signed());
    let plain = Program::for_port(pbx.port);
    let tls = std::fs::read_to_string(plain.path("config.yaml")).unwrap();
    let tls = tls.replace(&pbx.port.to_string(), &front.port.to_string()) + "  ami_tls: true\n";
    let pinned = tls.clone() + &front.identity.pin();
    for (program, pbx) in [
        (plain, &pbx),
        (Program::with_config(&tls), &front.pbx),
        (Program::with_config(&pinned), &front.pbx),
    ] {
        for format in ["text", "json"] {
            let mut command = program.command(&["--log-format", format]);
            let output = command.env("RUST_LOG", "trace").output().unwrap();
            let ended = Ended {
                code: output.status.code().unwrap(),
                stdout: String::from_utf8(output.stdout).unwrap(),
                stderr: String::from_utf8(output.stderr).unwrap(),
                took: Duration::ZERO,
            };
            if ended.code == 0 {
                assert!(ended.stderr.contains("logged in"), "nothing was logged: {ended:?}");
            }
            search(&format!("RUST_LOG=trace as {format}"), &program, &ended, pbx);
        }
    }
}

#[test]
fn a_wrong_configuration_gives_no_secret_away() {
    let lines = |lines: &str| format!("freepbx:\n  ami_username: snapshot\n{lines}");
    let password = format!("  ami_password: {PASSWORD}");
    for yaml in [
        lines(&format!("{password}\n ami_port: 1\n")),
        lines(&format!("{password}\n\tami_port: 1\n")),
        lines(&format!("{password}: x\n")),
        lines(&format!("  ami_password: \"{PASSWORD}\n")),
        lines(&format!("  ami_password: [{PASSWORD}]\n")),
        lines(&format!("  ami_password: {{{PASSWORD}: 1}}\n")),
        lines(&format!("  ami_password: *{PASSWORD}\n")),
        lines(&format!("  ami_password: ${{{PASSWORD}}}\n")),
        lines(&format!("  ami_password: ${{{PASSWORD}\n")),
        lines(&format!("  ami_password {PASSWORD}\n")),
        lines(&format!("{password}\n{password}\n")),
        lines(&format!("{password}\n  ami_password_file: {PASSWORD}.txt\n")),
        lines(&format!("  ami_port: {PASSWORD}\n  ami_password: x\n")),
        lines(&format!("  {PASSWORD}: 1\n  ami_password: x\n")),
        lines(&format!("{password}\n  timeouts: {PASSWORD}\n")),
        lines(&format!("{password}\n  ami_login: {PASSWORD}\n")),
        lines(&format!("{password}\n  skip: [{PASSWORD}]\n")),
        lines(&format!("{password}\n  ami_tls: {PASSWORD}\n")),
        lines(&format!("{password}\n  ami_tls: true\n  ami_tls_fingerprint: {PASSWORD}\n")),
        lines(&format!("{password}\n  ami_tls: true\n  ami_tls_server_name: \"{PASSWORD} -\"\n")),
        format!("{PASSWORD}\n"),
        format!("{PASSWORD}: [\n"),
        lines(&format!("{password}\u{1}\n")),
        lines("  ami_password: ${SECRET}\n  ami_port: ${SECRET}\n"),
        lines("  ami_password: ${SECRET} ${SECRET\n"),
        lines("  ami_password: ${SECRET}\n  ami_host: \"${SECRET} ${SECRET}\"\n"),
    ] {
        let program = Program::with_config(&yaml);
        for way in WAYS {
            let output = program.command(way).env("SECRET", PASSWORD).output().unwrap();
            for bytes in [&output.stdout, &output.stderr] {
                // The one path that is named on purpose is that of a password file.
                let text = String::from_utf8_lossy(bytes).replace(&format!("{PASSWORD}.txt"), "");
                assert!(!text.contains(PASSWORD), "{way:?} on\n{yaml}\nsays\n{text}");
            }
            assert!(!output.status.success() || yaml.contains(&format!("  {PASSWORD}: 1")));
        }
    }
}

#[test]
fn a_password_file_that_cannot_be_used_gives_nothing_away() {
    let yaml = "freepbx:\n  ami_username: snapshot\n  ami_password_file: secret\n";
    for content in [format!("{PASSWORD}\nline\n"), format!("{PASSWORD}\0"), PASSWORD.repeat(1_000)]
    {
        let program = Program::with_config(yaml);
        std::fs::write(program.path("secret"), &content).unwrap();
        let ended = program.run(&["-vvv"]);
        assert_eq!(ended.code, 78, "{ended:?}");
        assert!(!ended.stderr.contains(PASSWORD), "{ended:?}");
    }
    let program = Program::with_config(yaml);
    std::fs::write(program.path("secret"), [PASSWORD.as_bytes(), b"\xff"].concat()).unwrap();
    let ended = program.run(&["-vvv"]);
    assert!(ended.code == 78 && !ended.stderr.contains(PASSWORD), "{ended:?}");
}

/// What `ps` and every user of the machine can read.
#[test]
fn the_command_line_never_holds_the_password() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let program = Program::for_port(port);
    let mut child = program.command(&[]).stderr(Stdio::null()).spawn().unwrap();
    let _connection = listener.accept().unwrap();
    let line = std::fs::read(format!("/proc/{}/cmdline", child.id())).unwrap_or_default();
    child.wait().unwrap();
    assert!(!String::from_utf8_lossy(&line).contains(PASSWORD));
    // And it takes none there.
    let output = Command::new(env!("CARGO_BIN_EXE_freepbx-snapshot")).arg("--help").output();
    assert!(!String::from_utf8(output.unwrap().stdout).unwrap().contains("--password"));
}

// ---------------------------------------------------------------------------------------------
// Text that others chose.

/// Escape sequences, C1 controls, direction overrides, zero-width marks and tags, as a caller may
/// have put them into a name.
const STEERING: &str = "\u{1b}[31m\u{1b}]0;title\u{7}\u{9b}2J\u{8}\u{202e}\u{2066}\u{200b}\u{feff}\
                        \u{2028}\u{e0041}\u{7f}";

#[test]
fn no_text_of_a_pbx_steers_a_terminal() {
    let name = format!("evil{STEERING}name");
    let list = |event: &str, key: &str, complete: &str, rest: &str| {
        format!(
            "Response: Success\r\nActionID: {{id}}\r\nEventList: start\r\n\r\n\
             Event: {event}\r\nActionID: {{id}}\r\n{key}: {name}\r\n{rest}\r\n\
             Event: {complete}\r\nActionID: {{id}}\r\nEventList: Complete\r\nListItems: 1\r\n\r\n"
        )
        .into_bytes()
    };
    let queue = list("QueueParams", "Queue", "QueueStatusComplete", "Calls: 3\r\n");
    let rooms =
        list("ConfbridgeListRooms", "Conference", "ConfbridgeListRoomsComplete", "Parties: 1\r\n");
    let error =
        format!("Response: Error\r\nActionID: {{id}}\r\nMessage: on strike {STEERING}\r\n\r\n");
    let settings = format!(
        "Response: Success\r\nActionID: {{id}}\r\nAsteriskVersion: 16 {STEERING}\r\nSystemName: \
         {name}\r\n\r\n"
    );
    let script = Script::recorded("16.28.0/busy")
        .on("QueueStatus", Reply::Bytes(queue))
        .on("ConfbridgeListRooms", Reply::Bytes(rooms))
        .on("ParkedCalls", Reply::Bytes(error.into_bytes()))
        .on("CoreSettings", Reply::Bytes(settings.into_bytes()));
    let pbx = script.start();
    let program = Program::for_port(pbx.port);
    for way in [
        &["check", "-vvv"][..],
        &["-vvv"],
        &["-vvv", "--log-format", "json"],
        &["--transcript", TRANSCRIPT],
        &["ask", "-vvv", "ConfbridgeListRooms", "ParkedCalls", "QueueStatus", "CoreSettings"],
    ] {
        let ended = program.run(way);
        assert_eq!(ended.code, 3, "{way:?}: {ended:?}");
        assert_harmless(&ended.stdout);
        assert_harmless(&ended.stderr);
        assert!(way.contains(&"json") || (ended.stdout + &ended.stderr).contains("on strike"));
    }
    let transcript = std::fs::read_to_string(program.path(TRANSCRIPT)).unwrap();
    assert!(transcript.contains("evil␛[31m"), "{transcript}");
    assert_harmless(&transcript);
    // The file keeps what was said, as JSON.
    let text = String::from_utf8(program.file().unwrap()).unwrap();
    assert!(text.chars().all(|c| c == '\n' || (c as u32) >= 0x20), "a raw control character");
    let queues = program.snapshot()["queues"].clone();
    let kept = queues.as_array().unwrap().iter().any(|queue| queue["name"] == name.as_str());
    assert!(kept, "{queues:#}");
}

#[test]
fn no_server_steers_a_terminal_before_the_login_either() {
    let banner = b"SSH-2.0-\x1b[31m\x9b2J\xe2\x80\xae\r\n";
    let message = "no \u{1b}[31m\u{9b}2J\u{202e}\u{200b}";
    let greetings = [
        Greeting::Bytes(banner),
        Greeting::RefusesLogin(message, Duration::ZERO),
        Greeting::BytesThenClose(b"Asterisk Call Manager/\x1b[31m\xe2\x80\xae\r\n"),
    ];
    // Together, because the last one is tried again and again.
    std::thread::scope(|threads| {
        for (greeting, way) in greetings.iter().flat_map(|it| WAYS.map(|way| (it.clone(), way))) {
            threads.spawn(move || {
                let pbx = Script::recorded("16.28.0/busy").greeting(greeting).start();
                let ended = Program::for_port(pbx.port).run(way);
                assert_ne!(ended.code, 0, "{ended:?}");
                assert_harmless(&ended.stdout);
                assert_harmless(&ended.stderr);
            });
        }
    });
}

#[track_caller]
fn assert_harmless(text: &str) {
    for line in text.lines() {
        let steering: Vec<char> =
            line.chars().filter(|c| c.is_control() || STEERING.contains(*c)).collect();
        // The letters of the sequences alone do no harm.
        let steering: Vec<_> = steering.into_iter().filter(|c| !c.is_ascii_graphic()).collect();
        assert!(steering.is_empty(), "{steering:?} in {line:?}");
    }
}

// ---------------------------------------------------------------------------------------------

/// Searches everything that a run has produced.
#[track_caller]
fn search(what: &str, program: &Program, ended: &Ended, pbx: &Pbx) {
    let mut produced = vec![
        ("standard output".to_owned(), ended.stdout.clone().into_bytes()),
        ("standard error".to_owned(), ended.stderr.clone().into_bytes()),
    ];
    if let Ok(entries) = std::fs::read_dir(program.path("cache")) {
        for entry in entries.map(Result::unwrap) {
            produced
                .push((entry.path().display().to_string(), std::fs::read(entry.path()).unwrap()));
        }
    }
    if let Ok(bytes) = std::fs::read(program.path(TRANSCRIPT)) {
        produced.push(("the transcript".to_owned(), bytes));
    }
    let mut secrets = recorded_secrets();
    secrets.extend(digests(pbx));
    secrets.extend([PASSWORD.to_owned(), CHALLENGE.to_owned()]);
    for (place, bytes) in produced {
        let text = String::from_utf8_lossy(&bytes);
        for secret in &secrets {
            assert!(!text.contains(secret), "{what}: {secret} is in {place}");
        }
    }
}

/// The answers to the challenge that crossed the wire.
pub fn digests(pbx: &Pbx) -> BTreeSet<String> {
    let received = String::from_utf8_lossy(&pbx.received.lock().unwrap()).into_owned();
    let logins = received.split("\r\n\r\n").filter(|action| action.starts_with("Action: Login"));
    let keys = logins.filter_map(|login| login.lines().find_map(|line| line.strip_prefix("Key: ")));
    keys.map(ToOwned::to_owned).collect()
}

/// Every value under a name that promises a secret, in the recordings of the busy servers.
pub fn recorded_secrets() -> BTreeSet<String> {
    let mut secrets = BTreeSet::new();
    for folder in ["16.28.0/busy", "22.10.1/busy"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(folder);
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let Ok(bytes) = std::fs::read(entry.path()) else { continue };
            for line in String::from_utf8_lossy(&bytes).lines() {
                let Some((key, value)) = line.split_once(':') else { continue };
                let (key, value) = (key.to_lowercase(), value.trim());
                let named = ["password", "secret", "md5cred"].iter().any(|word| key == *word);
                // A short value or a plain word would be found anywhere.
                if named && value.len() >= 6 && value != "unused" {
                    secrets.insert(value.to_owned());
                }
            }
        }
    }
    secrets
}
