//! The binary as a PBX: `replay` serves a folder, and whoever asks gets what a real server would say.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use freepbx_snapshot::demo;
use serde_json::Value;
use tempfile::TempDir;

use super::{alike::Replaced, pbx::PASSWORD, program::Program};

/// A running `replay`.
pub struct Replay {
    pub port: u16,
    child: Child,
}

impl Replay {
    pub fn of(folder: &Path, options: &[&str]) -> Self {
        let mut child = command(folder, options).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().rsplit(':').next().and_then(|port| port.parse().ok());
        let port = port.unwrap_or_else(|| panic!("no port in {line:?}"));
        Self { port, child }
    }

    /// A connection that has seen the banner.
    fn connect(&self) -> BufReader<TcpStream> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut reader = BufReader::new(stream);
        let mut banner = String::new();
        reader.read_line(&mut banner).unwrap();
        assert_eq!(banner, "Asterisk Call Manager/5.0.4\r\n");
        reader
    }

    /// What comes in answer to some text, up to the end of the connection.
    fn says(&self, text: &str) -> String {
        let mut connection = self.connect();
        connection.get_mut().write_all(text.as_bytes()).unwrap();
        let mut said = String::new();
        connection.read_to_string(&mut said).unwrap();
        said
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status();
        assert!(status.unwrap().success());
    }
}

impl Drop for Replay {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn command(folder: &Path, options: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_freepbx-snapshot"));
    command.arg("replay").arg(folder).args(options);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The demonstration's capture in a folder.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    demo::capture().write(folder.path()).unwrap();
    folder
}

const LOGIN: &str = "Action: Login\r\nUsername: me\r\nSecret: x\r\nEvents: off\r\n\r\n";
const LOGOFF: &str = "Action: Logoff\r\n\r\n";
const ACCEPTED: &str = "Response: Success\r\nMessage: Authentication accepted\r\n\r\n";
const GOODBYE: &str = "Response: Goodbye\r\nMessage: Thanks for all the fish.\r\n\r\n";

#[test]
fn a_capture_is_collected_like_the_pbx_that_it_is_of() {
    let folder = folder();
    let replay = Replay::of(folder.path(), &[]);
    let program = Program::for_port(replay.port);
    let ended = program.run(&["--stdout"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let replayed: Value = serde_json::from_str(&ended.stdout).unwrap();
    let demo: Value = serde_json::from_str(&program.run(&["demo", "--stdout"]).stdout).unwrap();
    Replaced::new(Vec::new()).assert_same(&demo, &replayed);
}

#[test]
fn recordings_of_the_tests_are_captures() {
    for version in ["16.28.0", "22.10.1"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let replay = Replay::of(&folder.join(version).join("busy"), &[]);
        let program = Program::for_port(replay.port);
        let ended = program.run(&[]);
        // The zone was not recorded, and the recorder asked for one endpoint only.
        assert_eq!(ended.code, 3, "{ended:?}");
        let snapshot = program.snapshot();
        for section in ["extensions", "queues", "active_calls", "parking"] {
            assert_eq!(snapshot["sections"][section]["status"], "ok", "{section}");
        }
        assert_eq!(snapshot["sections"]["system_info"]["status"], "partial");
    }
}

#[test]
fn clients_of_all_habits_are_answered() {
    let folder = folder();
    let replay = Replay::of(folder.path(), &[]);
    // No ActionID, keys in other cases, LF alone, several actions at once, unknown headers.
    let said = replay.says(&format!(
        "{LOGIN}action: ping\nfoo: bar\n\nACTION: NoSuch\r\nACTIONID: 7\r\n\r\n\r\n\
         Action: QueueStatus\r\nActionID: a:b c\r\n\r\nFoo: bar\r\n\r\n{LOGIN}{LOGOFF}Action: Ping\r\n\r\n"
    ));
    let rest = said.strip_prefix(ACCEPTED).unwrap_or_else(|| panic!("{said}"));
    let (pong, rest) = rest.split_once("\r\n\r\n").unwrap();
    assert!(pong.starts_with("Response: Success\r\nPing: Pong\r\nTimestamp: "), "{pong}");
    assert!(
        rest.starts_with(
            "Response: Error\r\nActionID: 7\r\nMessage: Invalid/unknown command: NoSuch. Use \
             Action: ListCommands to show available commands.\r\n\r\nResponse: Success\r\n\
             ActionID: a:b c\r\nEventList: start\r\n"
        ),
        "{rest}"
    );
    let end = format!(
        "Response: Error\r\nMessage: Missing action in request\r\n\r\n\
         Response: Success\r\nMessage: Already authenticated\r\n\r\n{GOODBYE}"
    );
    assert!(rest.ends_with(&end), "{rest}");
}

#[test]
fn who_wants_events_is_told_that_the_server_is_up() {
    let folder = folder();
    let replay = Replay::of(folder.path(), &[]);
    let login = "Action: Login\r\nUsername: me\r\nSecret: x\r\n\r\n";
    let said = replay.says(&format!("{login}Action: Events\r\nEventMask: off\r\n\r\n{LOGOFF}"));
    assert_eq!(
        said,
        format!(
            "{ACCEPTED}Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n\
             Response: Success\r\nEvents: Off\r\n\r\n{GOODBYE}"
        )
    );
}

#[test]
fn nothing_is_told_without_a_login_and_a_wrong_one_costs_a_second() {
    let folder = folder();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, format!("{PASSWORD}\n")).unwrap();
    let options = ["--username", "snapshot", "--password-file", secret.to_str().unwrap()];
    let replay = Replay::of(folder.path(), &options);
    let said = replay.says(&format!("Action: CoreStatus\r\n\r\n{LOGOFF}"));
    assert_eq!(said, format!("Response: Error\r\nMessage: Permission denied\r\n\r\n{GOODBYE}"));
    let said = replay.says("Action: Challenge\r\nActionID: 1\r\n\r\nAction: Logoff\r\n\r\n");
    let refused = "Response: Error\r\nActionID: 1\r\nMessage: Must specify AuthType\r\n\r\n";
    assert_eq!(said, format!("{refused}{GOODBYE}"));
    let begun = Instant::now();
    let said = replay.says(LOGIN);
    assert_eq!(said, "Response: Error\r\nMessage: Authentication failed\r\n\r\n");
    assert!(begun.elapsed() > Duration::from_millis(900));
    // By challenge, as this program's own client does it.
    let right = Program::for_port(replay.port);
    assert_eq!(right.run(&[]).code, 0);
    let plain = Program::with_config(&format!(
        "freepbx:\n  ami_host: 127.0.0.1\n  ami_port: {}\n  ami_username: snapshot\n  \
         ami_password: {PASSWORD}\n  ami_login: plain\n",
        replay.port
    ));
    assert_eq!(plain.run(&[]).code, 0);
    let wrong = Program::with_config(&format!(
        "freepbx:\n  ami_host: 127.0.0.1\n  ami_port: {}\n  ami_username: snapshot\n  \
         ami_password: another\n",
        replay.port
    ));
    assert_eq!(wrong.run(&[]).code, 77);
}

#[test]
fn classes_are_those_of_asterisk() {
    let folder = folder();
    let replay = Replay::of(folder.path(), &["--write", "reporting"]);
    let program = Program::for_port(replay.port);
    let ended = program.run(&["check"]);
    assert_eq!(ended.code, 3, "{ended:?}");
    for (action, class) in [("ParkedCalls", "call"), ("PJSIPShowEndpoints", "system")] {
        let said = format!("FAIL {action}: not permitted; add {class} to");
        assert!(ended.stdout.contains(&said), "{said} in {}", ended.stdout);
    }
    let list = replay.says(&format!("{LOGIN}Action: ListCommands\r\n\r\n{LOGOFF}"));
    assert!(list.contains("\r\nCoreStatus: ") && list.contains("\r\nQueueStatus: "), "{list}");
    for other in ["Originate", "PJSIPShowEndpoints", "ParkedCalls", "Redirect"] {
        assert!(!list.contains(&format!("\r\n{other}: ")), "{other} in {list}");
    }
}

#[test]
fn what_goes_wrong_on_purpose_goes_wrong() {
    let folder = folder();
    let collect = |options: &[&str]| {
        let replay = Replay::of(folder.path(), options);
        let program = Program::for_port(replay.port);
        let ended = program.run(&["--stdout"]);
        (ended.code, ended.stderr, ended.took)
    };
    std::thread::scope(|threads| {
        threads.spawn(|| {
            let (code, said, _) = collect(&["--cut-in", "queuestatus"]);
            assert_eq!(code, 3);
            assert!(said.contains("QueueStatus"), "{said}");
        });
        threads.spawn(|| {
            let (code, said, _) = collect(&["--delay-ms", "QueueStatus=60000"]);
            assert_eq!(code, 3);
            assert!(said.contains("QueueStatus did not finish within 2 s"), "{said}");
        });
        threads.spawn(|| {
            let (code, said, took) = collect(&["--delay-ms", "30"]);
            assert_eq!((code, said.as_str()), (0, ""));
            assert!(took > Duration::from_millis(30 * 30), "{took:?}");
        });
        threads.spawn(|| {
            // About 140 kB; no single answer takes as long as an action may.
            let (code, said, took) = collect(&["--bytes-per-second", "60000"]);
            assert_eq!((code, said.as_str()), (0, ""));
            assert!(took > Duration::from_secs(2), "{took:?}");
        });
        threads.spawn(|| {
            let (code, _, _) = collect(&["--cut-after-bytes", "10"]);
            assert_eq!(code, 69, "not even the banner is whole");
            let replay = Replay::of(folder.path(), &["--cut-after-bytes", "100"]);
            let said = replay.says(&format!("{LOGIN}Action: ListCommands\r\n\r\n"));
            assert_eq!(said.len() + "Asterisk Call Manager/5.0.4\r\n".len(), 100);
        });
    });
}

#[test]
fn clients_are_served_at_once_and_bounded() {
    let folder = folder();
    let replay = Replay::of(folder.path(), &[]);
    let mut open: Vec<_> = (0..50).map(|_| replay.connect()).collect();
    for connection in &mut open {
        connection.get_mut().write_all(LOGIN.as_bytes()).unwrap();
        let mut line = String::new();
        connection.read_line(&mut line).unwrap();
        assert_eq!(line, "Response: Success\r\n");
    }
    let mut one_more = TcpStream::connect(("127.0.0.1", replay.port)).unwrap();
    let mut said = String::new();
    // Closed before the banner, or reset.
    let _ = one_more.read_to_string(&mut said);
    assert_eq!(said, "");
    drop(open);
    let until = Instant::now() + Duration::from_secs(10);
    while Program::for_port(replay.port).run(&[]).code != 0 {
        assert!(Instant::now() < until, "no place became free");
    }
    // A line without end, and an action without end: refused, and nothing of them is kept.
    let long = "x".repeat(5_000);
    let said = replay.says(&format!("{LOGIN}Action: Ping\r\nFoo: {long}\r\n\r\n{LOGOFF}"));
    let error = "Response: Error\r\nMessage: Failed to parse message: line too long\r\n\r\n";
    assert_eq!(said, format!("{ACCEPTED}{error}{GOODBYE}"));
}

#[test]
fn a_signal_ends_it() {
    let folder = folder();
    for (signal, code) in [("-TERM", 143), ("-INT", 130)] {
        let mut replay = Replay::of(folder.path(), &[]);
        let _connection = replay.connect();
        replay.signal(signal);
        assert_eq!(replay.child.wait().unwrap().code(), Some(code));
    }
}

#[test]
fn what_cannot_be_served_is_refused_in_one_line() {
    let folder = folder();
    let nothing = TempDir::new().unwrap();
    let busy = Replay::of(folder.path(), &[]);
    let port = busy.port.to_string();
    let refused = |folder: &Path, options: &[&str], code: i32, says: &str| {
        let output = command(folder, options).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(says), "{says:?} is missing in {said:?}");
        assert_eq!(output.stdout, b"");
        said
    };
    let said = refused(nothing.path(), &[], 66, "is no capture: it has no Login.ami");
    assert_eq!(said.lines().count(), 1, "{said}");
    refused(&nothing.path().join("x"), &[], 66, "cannot read");
    refused(folder.path(), &["--port", &port], 69, "cannot listen on port");
    refused(folder.path(), &["--write", "admin"], 64, "is no class");
    refused(folder.path(), &["--delay-ms", "x"], 64, "milliseconds");
    refused(folder.path(), &["--username", "u", "--password-file", "/no/such"], 64, "/no/such");
}
