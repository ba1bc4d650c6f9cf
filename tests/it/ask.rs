//! `ask`: the real program, the scripted server, and what may not even be tried.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    pbx::{Greeting, Reply, Script},
    program::Program,
};

/// The recorded server, with a configuration for it.
fn busy() -> (super::pbx::Pbx, Program) {
    let pbx = Script::recorded("16.28.0/busy").start();
    let program = Program::for_port(pbx.port);
    (pbx, program)
}

#[test]
fn several_actions_share_one_connection_and_come_in_order() {
    let (pbx, program) = busy();
    let ended = program.run(&["ask", "CoreStatus", "QueueStatus", "Queue=400", "Ping", "--json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let asked = ["Challenge", "Login", "CoreStatus", "QueueStatus", "Ping", "Logoff"];
    assert_eq!(*pbx.asked.lock().unwrap(), asked);
    let received = String::from_utf8(pbx.received.lock().unwrap().clone()).unwrap();
    assert!(received.contains("Action: QueueStatus\r\n") && received.contains("Queue: 400\r\n"));
    let answers: Value = serde_json::from_str(&ended.stdout).unwrap();
    let names: Vec<_> = answers.as_array().unwrap().iter().map(|it| &it["action"]).collect();
    assert_eq!(names, ["CoreStatus", "QueueStatus", "Ping"]);
    assert_eq!(answers[1]["arguments"], json!({ "Queue": "400" }));
    assert!(answers[0]["rows"][0]["CoreStartupDate"].is_string());
    assert_eq!(answers[2]["rows"][0]["Ping"], "Pong");
}

/// Against the recording, read here by nothing of the program's own.
#[test]
fn rows_are_whole_and_as_asterisk_wrote_them() {
    let (_pbx, program) = busy();
    let ended = program.run(&["ask", "SIPpeers", "CoreShowChannels", "--ndjson"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let rows: Vec<Value> =
        ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let mut expected = Vec::new();
    for name in ["SIPpeers", "CoreShowChannels"] {
        let path = format!("tests/fixtures/16.28.0/busy/{name}.ami");
        let recorded = std::fs::read_to_string(path).unwrap();
        for block in recorded.split("\r\n\r\n").filter(|block| block.starts_with("Event: ")) {
            let headers = block.lines().filter_map(|line| line.split_once(':'));
            let headers: Vec<_> =
                headers.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect();
            if !headers[0].1.ends_with("omplete") {
                expected.push((name, headers));
            }
        }
    }
    assert_eq!(rows.len(), expected.len());
    for (row, (action, headers)) in rows.iter().zip(&expected) {
        assert_eq!(row["Action"], *action);
        for (name, value) in headers.iter().filter(|(name, _)| name != "ActionID") {
            let found = &row[name];
            let is_in = found.as_array().is_some_and(|all| all.contains(&json!(value)));
            assert!(found == value || is_in, "{name}: {found}, and not {value:?}");
        }
    }
}

#[test]
fn a_table_has_the_names_of_the_rows_and_raw_has_their_bytes() {
    let (_pbx, program) = busy();
    let table = program.run(&["ask", "QueueStatus", "CoreSettings"]);
    assert_eq!((table.code, table.stderr.as_str()), (0, ""), "{table:?}");
    for expected in ["QueueStatus: ", "QueueParams", "QueueMember", "QUEUE", "AsteriskVersion"] {
        assert!(table.stdout.contains(expected), "{expected}:\n{}", table.stdout);
    }
    let raw = program.run(&["ask", "QueueStatus", "--raw"]);
    assert_eq!((raw.code, raw.stderr.as_str()), (0, ""));
    let recorded = std::fs::read_to_string("tests/fixtures/16.28.0/busy/QueueStatus.ami").unwrap();
    let without_ids = |text: &str| {
        let lines = text.split_inclusive('\n').filter(|line| !line.starts_with("ActionID"));
        lines.collect::<String>()
    };
    assert_eq!(without_ids(&raw.stdout), without_ids(&recorded));
}

#[test]
fn secrets_are_left_out_in_every_form_and_it_says_so() {
    let row = "Response: Success\r\nActionID: {id}\r\nEventList: start\r\n\r\n\
               Event: DBGetResponse\r\nActionID: {id}\r\nFamily: AMPUSER\r\nKey: 100/password\r\n\
               Val: pin-7351\r\n\r\n\
               Event: DBGetComplete\r\nActionID: {id}\r\nEventList: Complete\r\nListItems: 1\r\n\r\n";
    let script = Script::recorded("16.28.0/busy").on("DBGet", Reply::Bytes(row.into()));
    let program = Program::for_port(script.start().port);
    for form in [&[][..], &["--json"], &["--ndjson"], &["--raw"]] {
        let asked = [&["ask", "DBGet", "Family=AMPUSER", "Key=100/password"], form].concat();
        let ended = program.run(&asked);
        assert_eq!(ended.code, 0, "{ended:?}");
        assert!(!ended.stdout.contains("7351"), "{form:?}: {}", ended.stdout);
        assert!(ended.stderr.contains("1 rows are left out"), "{form:?}: {}", ended.stderr);
    }
    let pbx = Script::recorded("16.28.0/busy").start();
    let raw = Program::for_port(pbx.port).run(&["ask", "PJSIPShowRegistrationsOutbound", "--raw"]);
    assert!(raw.stdout.contains("Password: [redacted]\r\n"), "{}", raw.stdout);
    for secret in super::secrets::recorded_secrets() {
        assert!(!raw.stdout.contains(&secret), "{secret}");
    }
}

#[test]
fn what_is_not_in_the_allow_list_is_refused_before_anybody_is_connected_to() {
    let (pbx, program) = busy();
    for (asked, reason) in [
        (&["ask", "Originate", "Channel=PJSIP/100"][..], "Originate changes the PBX"),
        (&["ask", "CoreStatus", "Command", "Command=core stop now"], "Command changes the PBX"),
        (&["ask", "DBPut", "Family=a", "Key=b", "Val=c"], "DBPut changes the PBX"),
        (&["ask", "GetConfig", "Filename=manager.conf"], "GetConfig shows passwords"),
        (&["ask", "Getvar", "Variable=SHELL(id)"], "STRFTIME(,,%z) alone"),
        (&["ask", "Status", "Variables=SHELL(id)"], "takes no argument Variables"),
        (&["ask", "QueueStatuss"], "did you mean QueueStatus?"),
        (&["ask", "QueueStatus", "Queue=400\r\nAction: Hangup"], "line end"),
        (&["ask", "CoreStatus\r\nAction: Hangup"], "is no known action"),
        (&["ask", "Queue=400"], "no action stands before it"),
        (&["ask"], "required"),
    ] {
        let ended = program.run(asked);
        assert_eq!(ended.code, 64, "{asked:?}: {ended:?}");
        assert!(ended.stderr.contains(reason), "{asked:?}: {}", ended.stderr);
        assert_eq!(ended.stdout, "");
    }
    assert_eq!(pbx.connections.load(std::sync::atomic::Ordering::SeqCst), 0);
}

#[test]
fn what_fails_is_told_and_costs_the_others_nothing() {
    let script = Script::recorded("16.28.0/busy")
        .on("ParkedCalls", Reply::Denied)
        .on("SIPpeers", Reply::Unknown)
        .on("QueueStatus", Reply::Error("on strike"));
    let program = Program::for_port(script.start().port);
    let ended =
        program.run(&["ask", "ParkedCalls", "SIPpeers", "QueueStatus", "CoreStatus", "--json"]);
    assert_eq!(ended.code, 3, "{ended:?}");
    let answers: Value = serde_json::from_str(&ended.stdout).unwrap();
    let kinds: Vec<_> =
        answers.as_array().unwrap().iter().map(|it| it["error"]["kind"].as_str()).collect();
    assert_eq!(kinds, [Some("denied"), Some("unsupported"), Some("refused"), None]);
    assert_eq!(answers[0]["rows"], Value::Null);
    assert!(ended.stderr.contains("the AMI user needs write = call"), "{}", ended.stderr);
    assert!(ended.stderr.contains("QueueStatus failed: on strike"), "{}", ended.stderr);
}

#[test]
fn a_connection_that_is_lost_leaves_what_came_before() {
    for (reply, kind) in [(Reply::HalfThenClose, "not_answered"), (Reply::Silence, "timeout")] {
        let script = Script::recorded("16.28.0/busy").on("SIPpeers", reply);
        let program = Program::for_port(script.start().port);
        let ended = program.run(&["ask", "CoreStatus", "SIPpeers", "Ping", "--json"]);
        assert_eq!(ended.code, 3, "{ended:?}");
        let answers: Value = serde_json::from_str(&ended.stdout).unwrap();
        let kinds: Vec<_> =
            answers.as_array().unwrap().iter().map(|it| it["error"]["kind"].as_str()).collect();
        assert_eq!(kinds, [None, Some(kind), Some("not_answered")]);
    }
}

#[test]
fn exit_codes_are_those_of_every_connection() {
    let busy = || Script::recorded("16.28.0/busy");
    let refused = Greeting::RefusesLogin("Authentication failed", Duration::ZERO);
    for (greeting, code) in [
        (refused, 77),
        (Greeting::Bytes(b"SSH-2.0-OpenSSH_9.2p1\r\n"), 76),
        (Greeting::BytesThenClose(b""), 69),
        (Greeting::SilentLogin, 124),
    ] {
        let pbx = busy().greeting(greeting.clone()).start();
        let ended = Program::for_port(pbx.port).run(&["ask", "Ping"]);
        assert_eq!(ended.code, code, "{greeting:?}: {ended:?}");
        assert_eq!(ended.stdout, "");
    }
    assert_eq!(Program::with_config("nothing: 1\n").run(&["ask", "Ping"]).code, 78);
}

#[test]
fn the_list_tells_what_can_be_asked_here() {
    let listed = "Response: Success\r\nActionID: {id}\r\n\
                  CoreStatus: Show  (Priv: system,reporting,all)\r\nPing: Keepalive (Priv: <none>)\r\n\r\n";
    let script = Script::recorded("16.28.0/busy")
        .on("ListCommands", Reply::Bytes(listed.into()))
        .on("SIPpeers", Reply::Unknown)
        .on("ParkedCalls", Reply::Denied);
    let program = Program::for_port(script.start().port);
    let ended = program.run(&["ask", "--list", "--json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let list: Value = serde_json::from_str(&ended.stdout).unwrap();
    let find = |name: &str| {
        list.as_array().unwrap().iter().find(|entry| entry["action"] == name).unwrap().clone()
    };
    assert_eq!(find("CoreStatus")["here"], "yes");
    assert_eq!(find("SIPpeers")["here"], "unsupported");
    assert_eq!(find("ParkedCalls")["here"], "denied");
    assert_eq!(find("ParkedCalls")["classes"], json!(["call"]));
    assert_eq!(find("QueueStatus")["arguments"], json!(["Queue", "Member"]));
    assert_eq!(find("SIPpeers")["module"], "chan_sip");
    let table = program.run(&["ask", "--list"]);
    let line = table.stdout.lines().find(|line| line.starts_with("ParkedCalls ")).unwrap();
    assert!(line.contains("not permitted") && line.contains("call"), "{line}");
}

#[test]
fn without_a_configuration_the_list_stands_alone() {
    let folder = tempfile::TempDir::new().unwrap();
    let program = Program::with_config("");
    let mut command = program.command(&["ask", "--list"]);
    let output = command.current_dir(folder.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().find(|line| line.starts_with("PJSIPShowEndpoint ")).unwrap();
    assert!(line.contains('?') && line.contains("system") && line.contains("Endpoint"), "{line}");
    // A configuration that is there has to be right, and its server has to answer.
    assert_eq!(program.run(&["ask", "--list"]).code, 78);
    let nobody = Program::for_port(1).run(&["ask", "--list"]);
    assert_eq!(nobody.code, 69, "{nobody:?}");
    assert!(nobody.stdout.contains("QueueStatus"));
}

/// The example is a program of its own; here its one function runs.
#[path = "../../examples/list_action.rs"]
#[expect(dead_code, reason = "its main reads the command line")]
mod list_action;

#[test]
fn the_example_of_the_library_lists_an_action() {
    use freepbx_snapshot::ami::{Credentials, Password};
    let pbx = Script::recorded("22.10.1/busy").start();
    let login = Credentials::new("snapshot", Password::new(super::pbx::PASSWORD.to_owned()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let address = format!("127.0.0.1:{}", pbx.port);
    let rows = |name: &str| runtime.block_on(list_action::rows(&address, &login, name));
    let queues = rows("queuestatus").unwrap();
    assert!(
        queues.iter().any(|row| row.contains("Event=QueueParams") && row.contains("Queue=400"))
    );
    let refused = rows("Hangup").unwrap_err().to_string();
    assert_eq!(refused, "Hangup changes the PBX: not in the read allow-list");
}
