//! The JSON Schema, the files it describes, and what else the binary prints about itself.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use freepbx_snapshot::snapshot::{Contract, RunStatus, schema, schema_of};
use serde_json::Value;

use super::program::Program;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/freepbx.schema.json");

#[test]
fn the_committed_schemas_are_those_of_the_types_and_what_is_printed() {
    for (file, arguments, schema) in [
        ("freepbx.schema.json", &["schema"][..], schema()),
        (
            "freepbx.status.schema.json",
            &["schema", "--status"],
            schema_of::<RunStatus>(Contract::File),
        ),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema").join(file);
        let of_types = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
            std::fs::write(&path, &of_types).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap();
        assert!(
            of_types == committed,
            "the types have changed; run `INSTA_UPDATE=always cargo test --test it schema` and read \
             the difference: a key that was renamed, retyped or re-meant needs a new schema_version"
        );
        let printed = Program::with_config("").run(arguments).stdout;
        assert!(printed == committed, "{file}");
    }
}

#[test]
fn the_schema_is_one_of_draft_2020_12() {
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(FILE).unwrap()).unwrap();
    jsonschema::draft202012::meta::validate(&schema).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert_eq!(schema["$id"], "urn:freepbx-snapshot:schema:1");
    assert!(schema["title"].is_string() && schema["description"].is_string());
}

#[cfg(feature = "validate")]
#[test]
fn a_file_is_held_against_the_schema() {
    use serde_json::json;

    let program = Program::with_config("");
    let demo = program.run(&["demo", "--stdout"]).stdout;
    std::fs::write(program.path("good.json"), &demo).unwrap();
    let ended = program.run(&["validate", "good.json"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "good.json: valid\n"), "{ended:?}");

    let mut more: Value = serde_json::from_str(&demo).unwrap();
    more["from_the_future"] = json!(1);
    more["extensions"][0]["color"] = json!("green");
    std::fs::write(program.path("more.json"), more.to_string()).unwrap();
    assert_eq!(program.run(&["validate", "more.json"]).code, 0, "additions are free");

    let mut bad: Value = serde_json::from_str(&demo).unwrap();
    bad["extensions"][3]["online"] = json!("yes");
    bad["extensions"][2]["status"] = json!("Asleep\u{1b}[2J");
    bad["trunks"][0].as_object_mut().unwrap().remove("host");
    bad["schema_version"] = json!(2);
    bad["collected_at"] = json!("2026-11-21T08:00:00+01:00");
    std::fs::write(program.path("bad.json"), bad.to_string()).unwrap();
    let ended = program.run(&["validate", "good.json", "bad.json"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (65, "good.json: valid\n"), "{ended:?}");
    let mut lines: Vec<_> = ended.stderr.lines().collect();
    lines.sort_unstable();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    bad.json: /collected_at: "2026-11-21T08:00:00+01:00" does not match "Z$"
    bad.json: /extensions/2/status: "Asleep\u001b[2J" is not one of "Available", "In use" or 5 other candidates
    bad.json: /extensions/3/online: "yes" is not of types "null", "boolean"
    bad.json: /schema_version: 1 was expected
    bad.json: /trunks/0: "host" is a required property
    "#);
}

#[cfg(feature = "validate")]
#[test]
fn a_file_that_is_none_is_told_apart_from_one_that_is_wrong() {
    let program = Program::with_config("");
    std::fs::write(program.path("cut.json"), "{\"schema_version\": 1, ").unwrap();
    std::fs::write(program.path("other.json"), "[]").unwrap();
    let cut = program.run(&["validate", "cut.json"]);
    assert_eq!(cut.code, 65);
    assert!(cut.stderr.starts_with("cut.json: not JSON: EOF"), "{}", cut.stderr);
    let other = program.run(&["validate", "other.json"]);
    assert_eq!((other.code, other.stderr.lines().count()), (65, 1), "{other:?}");
    let none = program.run(&["validate", "other.json", "none.json"]);
    assert_eq!(none.code, 66);
    assert!(none.stderr.contains("none.json"), "{}", none.stderr);
    assert_eq!(program.run(&["validate"]).code, 64);
}

/// Every command that the help names.
fn commands(program: &Program) -> Vec<String> {
    let help = program.run(&["--help"]).stdout;
    let list = help.split_once("Commands:\n").unwrap().1.split_once("\n\n").unwrap().0;
    let names = list.lines().filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

#[test]
fn completions_know_every_command_and_are_understood_by_their_shell() {
    let program = Program::with_config("");
    let commands = commands(&program);
    assert!(commands.iter().any(|name| name == "completions"), "{commands:?}");
    for (shell, check) in [("bash", "-n"), ("zsh", "-n"), ("fish", "--no-execute")] {
        let script = program.run(&["completions", shell]).stdout;
        for command in &commands {
            assert!(script.contains(command.as_str()), "{shell}: {command}");
        }
        let file = program.path(shell);
        std::fs::write(&file, &script).unwrap();
        match Command::new(shell).arg(check).arg(&file).output() {
            Ok(checked) => assert!(checked.status.success(), "{shell}: {checked:?}"),
            Err(error) => eprintln!("{shell} is not here to check its completions: {error}"),
        }
    }
}

#[test]
fn the_manual_page_knows_every_command_and_is_clean() {
    let program = Program::with_config("");
    let page = program.run(&["man"]).stdout;
    for command in commands(&program) {
        let heading = format!(".SS \"freepbx\\-snapshot {command}\"");
        assert!(page.contains(&heading) || command == "help", "{command}: {page}");
    }
    for section in ["NAME", "SYNOPSIS", "OPTIONS", "COMMANDS", "EXAMPLES", "\"EXIT STATUS\""] {
        assert!(
            page.contains(&format!(".SH {section}"))
                || page.contains(&format!(".SH \"{section}\"")),
            "{section}: {page}"
        );
    }
    assert!(!page.contains("{n}"));
    let file = program.path("page.1");
    std::fs::write(&file, &page).unwrap();
    let groff = ["-man", "-Tutf8", "-ww", "-z"];
    match Command::new("groff").args(groff).arg(&file).stdin(Stdio::null()).output() {
        Ok(checked) => {
            assert!(checked.status.success() && checked.stderr.is_empty(), "{checked:?}");
        }
        Err(error) => eprintln!("groff is not here to check the manual page: {error}"),
    }
}
