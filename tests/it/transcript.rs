//! `--transcript`: what the file holds, who may read it, and what happens where it cannot be written.

use std::os::unix::fs::PermissionsExt as _;

use super::{
    pbx::{Greeting, Reply, Script},
    program::{Ended, Program},
};

fn transcript(program: &Program) -> String {
    let path = program.path("t");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode, 0o600);
    std::fs::read_to_string(path).unwrap()
}

fn run(script: Script, arguments: &[&str]) -> (Program, Ended) {
    let program = Program::for_port(script.start().port);
    let ended = program.run(arguments);
    (program, ended)
}

#[test]
fn it_tells_who_said_what_and_when() {
    for command in [&["collect"][..], &["check"], &["ask", "CoreStatus"]] {
        let arguments = [command, &["--transcript", "t"]].concat();
        let (program, ended) = run(Script::recorded("16.28.0/busy"), &arguments);
        assert_eq!(ended.code, 0, "{ended:?}");
        let text = transcript(&program);
        // The banner and the goodbye may cross what is said to the server.
        let begin = ["# Transcript of freepbx-snapshot ", " = connected to 127.0.0.1:"];
        let end = [" = the connection is given up or closed from here\n"];
        for chain in [
            &[" < Asterisk Call Manager/5.0.4\n", " < Challenge: [redacted]\n"][..],
            &[
                " > Action: Challenge\n",
                " < Challenge: [redacted]\n",
                " > Action: Login\n",
                " > Key: [redacted]\n",
                " > Action: CoreStatus\n",
                " < CoreStartupDate: ",
                " < Message: Thanks for all the fish.\n",
            ],
            &[" > Action: CoreStatus\n", " > Action: Logoff\n", " < Message: Thanks for all"],
        ] {
            let mut rest = text.as_str();
            for expected in begin.iter().chain(chain).chain(&end) {
                let at = rest.find(expected);
                assert!(at.is_some(), "{command:?}: no {expected:?} in\n{rest}");
                rest = &rest[at.unwrap()..];
            }
        }
        let times: Vec<f64> = text
            .lines()
            .filter_map(|line| line.strip_prefix('+')?.split(' ').next()?.parse().ok())
            .collect();
        assert!(times.len() >= 8 && times.is_sorted(), "{times:?}");
    }
}

#[test]
fn it_tells_of_every_connection_and_how_it_ended() {
    let script = Script::recorded("16.28.0/busy").on("PJSIPShowEndpoints", Reply::HalfThenClose);
    let (program, ended) = run(script, &["--transcript", "t"]);
    assert_eq!(ended.code, 3, "{ended:?}");
    let text = transcript(&program);
    assert!(text.matches(" = connected to ").count() >= 2, "{text}");
    assert!(text.contains(" = the message ends here, unfinished\n"));
    assert!(text.contains(" = the connection ended: the server closed it in the middle"));
}

#[test]
fn a_failure_stands_at_its_end() {
    let refused = Greeting::RefusesLogin("Authentication failed", std::time::Duration::ZERO);
    for (greeting, code, expected) in [
        (refused, 77, "\n# Ended with exit code 77: login as \"snapshot\" refused"),
        (Greeting::Bytes(b"HTTP/1.1 400 Bad Request\r\n"), 76, " < HTTP/1.1 400 Bad Request\n"),
    ] {
        for command in [&[][..], &["ask", "Ping"]] {
            let arguments = [command, &["--transcript", "t"]].concat();
            let script = Script::recorded("16.28.0/busy").greeting(greeting.clone());
            let (program, ended) = run(script, &arguments);
            assert_eq!(ended.code, code, "{ended:?}");
            let text = transcript(&program);
            assert!(text.contains(expected), "{text}");
        }
    }
}

#[test]
fn where_it_cannot_be_written_nobody_is_connected_to() {
    let pbx = Script::recorded("16.28.0/busy").start();
    let program = Program::for_port(pbx.port);
    let config = std::fs::read(program.path("config.yaml")).unwrap();
    for command in [&["collect"][..], &["check"], &["ask", "Ping"], &["ask", "--list"]] {
        for (file, reason) in [
            ("nowhere/t", "No such file"),
            (".", "directory"),
            ("/dev/full", "No space left"),
            ("config.yaml", "no transcript"),
        ] {
            let ended = program.run(&[command, &["--transcript", file]].concat());
            assert_eq!(ended.code, 73, "{command:?} {file}: {ended:?}");
            assert!(ended.stderr.contains(reason), "{command:?} {file}: {}", ended.stderr);
            assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        }
    }
    assert_eq!(std::fs::read(program.path("config.yaml")).unwrap(), config);
    assert_eq!(pbx.connections.load(std::sync::atomic::Ordering::SeqCst), 0);
    assert!(program.file().is_none());
}

#[test]
fn an_older_transcript_is_replaced_and_loses_its_readers() {
    let pbx = Script::recorded("16.28.0/busy").start();
    let program = Program::for_port(pbx.port);
    assert_eq!(program.run(&["check", "--transcript", "t"]).code, 0);
    let long = transcript(&program).len();
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(program.path("t"), open).unwrap();
    assert_eq!(program.run(&["ask", "Ping", "--transcript", "t"]).code, 0);
    let text = transcript(&program);
    assert!(text.len() < long && text.starts_with("# Transcript") && text.contains("Pong"));
    let misplaced = program.run(&["--transcript", "t", "check"]);
    assert_eq!(misplaced.code, 64, "{misplaced:?}");
}
