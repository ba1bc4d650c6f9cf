//! `capture`: what is written, what never is, and that it is the PBX all the same.

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use freepbx_snapshot::{
    ami::{Action, Limits, ReadAction, decode_recording},
    capture::{
        Capture,
        sanitize::{Key, Options, sanitize},
    },
};
use serde_json::Value;

use super::{
    alike::Replaced,
    pbx::{Greeting, PASSWORD, Reply, Script},
    program::Program,
    replay::Replay,
};

const FOLDERS: [&str; 4] = ["16.28.0/busy", "22.10.1/busy", "16.28.0/idle", "22.10.1/idle"];

/// Everything in a folder.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: PathBuf| {
        (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap())
    };
    let mut files: Vec<_> = entries.map(read).collect();
    files.sort();
    files
}

/// The snapshot that a replayed folder gives.
pub fn collected_from(folder: &Path) -> Value {
    let replay = Replay::of(folder, &[]);
    let ended = Program::for_port(replay.port).run(&["--stdout"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    serde_json::from_str(&ended.stdout).unwrap()
}

#[test]
fn a_sanitized_capture_is_the_same_pbx_up_to_the_replacements() {
    for name in FOLDERS {
        let pbx = Script::recorded(name).start();
        let program = Program::for_port(pbx.port);
        let ended = program.run(&["capture", "raw", "--no-sanitize"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        let live = program.run(&["--stdout"]);
        let live: Value = serde_json::from_str(&live.stdout).unwrap();
        // Without sanitizing it is the same to the letter.
        let raw = collected_from(&program.path("raw"));
        Replaced::new(Vec::new()).assert_same(&live, &raw);
        for extensions in [false, true] {
            let options = Options { extensions };
            let capture = Capture::read(&program.path("raw")).unwrap();
            let done = sanitize(&capture, &Key::random().unwrap(), options);
            let folder = program.path(&format!("sanitized-{extensions}"));
            done.capture.write(&folder).unwrap();
            let sanitized = collected_from(&folder);
            Replaced::new(done.replacements).assert_same(&live, &sanitized);
        }
    }
}

#[test]
fn nothing_of_the_pbx_stands_in_a_capture() {
    for name in ["16.28.0/busy", "22.10.1/busy"] {
        let pbx = Script::recorded(name).start();
        let program = Program::for_port(pbx.port);
        let ended = program.run(&["capture", "it", "-vvv"]);
        assert_eq!(ended.code, 0, "{ended:?}");
        let said = [ended.stdout.as_str(), &ended.stderr].concat();
        let files = files(&program.path("it"));
        assert!(files.len() > 60, "{} files", files.len());
        for gone in [
            PASSWORD,
            "318472190",
            "s3cret",
            "prov-pass",
            "wrong-pass",
            "ph0ne-",
            "peer-16",
            "peer-22",
        ] {
            assert!(!said.contains(gone), "{gone} is said");
        }
        for gone in [
            // Names, trunks, numbers, hosts, secrets, and who asked.
            "alice",
            "zoë",
            "ünïcode",
            "brien",
            "builder",
            "trunk-main",
            "trunk_ip",
            "badpw",
            "in16",
            "5550400",
            "15550001111",
            "95551234567",
            "pbx16",
            "pbx22",
            "lab phone",
            "prov-pass",
            "wrong-pass",
            "ph0ne-",
            "peer-16",
            "peer-22",
            "318472190",
            PASSWORD,
            "username: snapshot",
        ] {
            for (file, bytes) in &files {
                let text = String::from_utf8_lossy(bytes).to_lowercase();
                let found = text.contains(gone) || file.to_lowercase().contains(gone);
                assert!(!found || gone == "lab phone", "{gone} in {file} of {name}");
            }
        }
    }
}

#[test]
fn a_capture_has_the_layout_of_the_recordings() {
    let pbx = Script::recorded("22.10.1/busy").start();
    let program = Program::for_port(pbx.port);
    assert_eq!(program.run(&["capture", "it", "--no-sanitize"]).code, 0);
    let folder = program.path("it");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let files = files(&folder);
    let names: BTreeSet<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    for (name, _) in &files {
        assert_eq!(mode(&folder.join(name)), 0o600, "{name}");
        let partner = match name.strip_suffix(".req") {
            Some(stem) => format!("{stem}.ami"),
            None => format!("{}.req", name.strip_suffix(".ami").unwrap()),
        };
        assert!(names.contains(partner.as_str()), "{partner}");
    }
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(read("QueueStatus.req"), "Action: QueueStatus\r\nActionID: queuestatus-1\r\n\r\n");
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/22.10.1/busy");
    for same in
        ["QueueStatus.ami", "CoreShowChannels.ami", "PJSIPShowEndpoints.ami", "SIPpeers.ami"]
    {
        assert_eq!(
            fs::read(folder.join(same)).unwrap(),
            fs::read(recorded.join(same)).unwrap(),
            "{same}"
        );
    }
    let login = read("Login.ami");
    assert!(login.starts_with("Asterisk Call Manager/5.0.4\r\n"), "{login}");
    assert!(read("Login.req").contains("ActionID: login-1\r\n"));
    let room = Action::new(ReadAction::ConfbridgeList).with("Conference", "600").unwrap();
    let bytes = fs::read(folder.join("ConfbridgeList-600.ami")).unwrap();
    let answer = decode_recording(room, "confbridgelist-600-1", &bytes, Limits::default()).unwrap();
    assert!(answer.rows().len() > 1);
}

#[test]
fn extensions_go_where_that_is_asked_for() {
    let pbx = Script::recorded("22.10.1/busy").start();
    let program = Program::for_port(pbx.port);
    assert_eq!(program.run(&["capture", "it", "--sanitize", "--sanitize-extensions"]).code, 0);
    let numbers = |snapshot: &Value| -> BTreeSet<String> {
        let list = snapshot["extensions"].as_array().unwrap();
        list.iter().map(|item| item["extension"].as_str().unwrap().to_owned()).collect()
    };
    let live: Value = serde_json::from_str(&program.run(&["--stdout"]).stdout).unwrap();
    let (live, replaced) = (numbers(&live), numbers(&collected_from(&program.path("it"))));
    assert_eq!(live.len(), replaced.len());
    assert!(live.is_disjoint(&replaced), "{live:?} {replaced:?}");
}

#[test]
fn a_place_that_holds_something_is_left_alone_and_the_pbx_too() {
    let pbx = Script::recorded("22.10.1/idle").start();
    let program = Program::for_port(pbx.port);
    fs::create_dir(program.path("full")).unwrap();
    fs::write(program.path("full/mine"), "mine").unwrap();
    for place in ["full", "config.yaml"] {
        let ended = program.run(&["capture", place]);
        assert_eq!(ended.code, 73, "{ended:?}");
        assert!(ended.stderr.contains("does not exist or is empty"), "{ended:?}");
    }
    assert_eq!(files(&program.path("full")).len(), 1);
    assert_eq!(pbx.connections.load(std::sync::atomic::Ordering::SeqCst), 0);
    fs::create_dir(program.path("empty")).unwrap();
    assert_eq!(program.run(&["capture", "empty"]).code, 0);
    let ended = program.run(&["capture", "x", "--sanitize", "--no-sanitize"]);
    assert_eq!(ended.code, 64, "{ended:?}");
}

#[test]
fn a_capture_that_fails_leaves_nothing_behind() {
    let entries = |program: &Program| fs::read_dir(program.path("")).unwrap().count();
    let refuses = Greeting::RefusesLogin("Authentication failed", Duration::ZERO);
    let pbx = Script::recorded("22.10.1/idle").greeting(refuses).start();
    let program = Program::for_port(pbx.port);
    let ended = program.run(&["capture", "it"]);
    assert_eq!(ended.code, 77, "{ended:?}");
    assert_eq!(entries(&program), 1, "the configuration alone");
    // Ended by a signal while the PBX is slow.
    let slow = Reply::Slow { piece: 10, pause: Duration::from_millis(100) };
    let pbx = Script::recorded("22.10.1/busy").on("CoreShowChannels", slow).start();
    let program = Program::patient(pbx.port);
    let mut child = program.command(&["capture", "it"]).spawn().unwrap();
    while !pbx.asked.lock().unwrap().iter().any(|asked| asked == "CoreShowChannels") {
        std::thread::sleep(Duration::from_millis(5));
    }
    let killed =
        std::process::Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    assert!(killed.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert_eq!(entries(&program), 1);
}

#[test]
fn what_was_not_answered_is_named_and_not_in_the_capture() {
    let pbx = Script::recorded("22.10.1/busy").on("QueueStatus", Reply::HalfThenSilence).start();
    let program = Program::for_port(pbx.port);
    let ended = program.run(&["capture", "it"]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.stderr.contains("no whole answer came to QueueStatus\n"), "{ended:?}");
    assert!(!program.path("it/QueueStatus.ami").exists());
    assert!(program.path("it/QueueSummary.ami").exists());
    // What was refused is an answer, too.
    let pbx = Script::recorded("22.10.1/busy").on("ParkedCalls", Reply::Denied).start();
    let program = Program::for_port(pbx.port);
    assert_eq!(program.run(&["capture", "it"]).code, 0);
    let refused = fs::read_to_string(program.path("it/ParkedCalls.ami")).unwrap();
    assert!(refused.contains("Permission denied"), "{refused}");
}
