//! The MCP server, spoken to in raw JSON-RPC; `tests/mcp/run` asks it through the official SDK.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::{Value, json};

use super::program::Program;

/// A server with the handshake done.
struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    asked: u64,
}

impl Server {
    fn start(program: &Program) -> Self {
        let mut command = program.command(&["mcp", "--file", "freepbx.json"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut server = Self { child, input, output, asked: 0 };
        let answer = server.ask(
            "initialize",
            &json!({
                "protocolVersion": "2025-06-18",
                "capabilities": {},
                "clientInfo": { "name": "test", "version": "1" },
            }),
        );
        assert_eq!(answer["result"]["serverInfo"]["name"], "freepbx-snapshot", "{answer}");
        server.say(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        server
    }

    fn say(&mut self, message: &Value) {
        writeln!(self.input, "{message}").unwrap();
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.asked += 1;
        self.say(&json!({
            "jsonrpc": "2.0", "id": self.asked, "method": method, "params": params,
        }));
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        let answer: Value = serde_json::from_str(&line).expect("nothing but MCP on stdout");
        assert_eq!(answer["id"], self.asked, "{answer}");
        answer
    }

    fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        self.ask("tools/call", &json!({ "name": tool, "arguments": arguments }))["result"].take()
    }

    /// Hangs up; the exit code, and what was said on standard error.
    fn hang_up(self) -> (Option<i32>, String) {
        drop(self.input);
        let ended = self.child.wait_with_output().unwrap();
        (ended.status.code(), String::from_utf8(ended.stderr).unwrap())
    }
}

/// A folder with the demonstration's snapshot, as if collected at a given time.
fn with_snapshot(collected_at: &str, stale_after: &str) -> (Program, Value) {
    let program = Program::with_config("");
    let mut snapshot: Value =
        serde_json::from_str(&program.run(&["demo", "--stdout"]).stdout).unwrap();
    snapshot["collected_at"] = collected_at.into();
    snapshot["stale_after"] = stale_after.into();
    std::fs::write(program.path("freepbx.json"), snapshot.to_string()).unwrap();
    (program, snapshot)
}

#[test]
fn every_extension_comes_exactly_once_and_every_answer_follows_its_schema() {
    let (program, snapshot) = with_snapshot("2026-11-21T08:00:00Z", "2999-01-01T00:00:00Z");
    let mut server = Server::start(&program);
    let tools = server.ask("tools/list", &json!({}))["result"]["tools"].take();
    let schemas: Vec<(String, jsonschema::Validator)> = tools
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| {
            assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool}");
            let schema = jsonschema::validator_for(&tool["outputSchema"]).unwrap();
            (tool["name"].as_str().unwrap().to_owned(), schema)
        })
        .collect();
    assert_eq!(schemas.len(), 7);
    for (name, schema) in &schemas {
        let arguments = match name.as_str() {
            "find_extension" => json!({ "query": "1" }),
            _ => json!({}),
        };
        let answer = server.call(name, &arguments);
        schema.validate(&answer["structuredContent"]).unwrap();
        assert!(answer["content"][0]["text"].as_str().unwrap().contains("2026-11-21T08:00:00Z"));
        assert_eq!(answer["structuredContent"]["about"]["is_stale"], false);
    }
    let mut names = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let page = server.call("list_extensions", &json!({ "limit": 9, "cursor": cursor }));
        let page = &page["structuredContent"];
        names.extend(page["items"].as_array().unwrap().iter().map(|one| one["extension"].clone()));
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    let all = snapshot["extensions"].as_array().unwrap();
    assert_eq!(names, all.iter().map(|one| one["extension"].clone()).collect::<Vec<_>>());
    assert_eq!(server.hang_up(), (Some(0), String::new()));
}

#[test]
fn a_stale_or_missing_file_is_never_presented_as_current() {
    let (program, _) = with_snapshot("2026-11-01T08:00:00Z", "2026-11-01T08:10:00Z");
    let mut server = Server::start(&program);
    let answer = server.call("overview", &json!({}));
    assert_eq!(answer["structuredContent"]["about"]["is_stale"], true);
    let text = answer["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("STALE") && text.contains("Do not present"), "{text}");
    std::fs::remove_file(program.path("freepbx.json")).unwrap();
    let answer = server.call("overview", &json!({}));
    assert_eq!(answer["isError"], true);
    let text = answer["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("freepbx.json does not exist; `freepbx-snapshot collect`"), "{text}");
    assert_eq!(server.hang_up().0, Some(0));
}

#[test]
fn somebody_who_types_is_told_that_this_is_for_assistants() {
    let program = Program::with_config("");
    let mut command = program.command(&["mcp", "--file", "cache/freepbx.json"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let request = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {} });
    writeln!(child.stdin.take().unwrap(), "hello?\n{request}").unwrap();
    let ended = child.wait_with_output().unwrap();
    for line in ended.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        serde_json::from_slice::<Value>(line).expect("nothing but MCP on stdout");
    }
    assert!([Some(0), Some(65)].contains(&ended.status.code()), "{ended:?}");
}

#[test]
#[ignore = "needs the Python SDK from its registry: run tests/mcp/run"]
fn a_real_client_is_answered() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mcp/run");
    assert!(Command::new(script).status().unwrap().success());
}
