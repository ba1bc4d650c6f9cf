//! Whole runs against servers that lack what newer ones have.

use super::{
    pbx::{Reply, Script},
    program::Program,
};

/// An answer to DBGet with one value.
fn value(value: &str) -> Reply {
    let text = format!(
        "Response: Success\r\nActionID: {{id}}\r\nEventList: start\r\n\r\n\
         Event: DBGetResponse\r\nFamily: any\r\nKey: any\r\nVal: {value}\r\nActionID: {{id}}\r\n\r\n\
         Event: DBGetComplete\r\nActionID: {{id}}\r\nEventList: Complete\r\nListItems: 1\r\n\r\n"
    );
    Reply::Bytes(text.into())
}

#[test]
fn a_server_without_dbgettree_is_asked_entry_by_entry() {
    let mut script = Script::recorded("16.28.0/busy")
        .on("DBGetTree", Reply::Unknown)
        .on("DBGet", Reply::Error("Database entry not found"))
        .on("DBGet-104/cidname", value("Élodie: the \"Boss\""))
        .on("DBGet-104/voicemail", value("default"))
        .on("DBGet-121", value("YES"));
    for number in (100..=121).chain([99_100]) {
        script = script.on(&format!("DBGet-{number}/user"), value(&number.to_string()));
    }
    let pbx = script.start();
    let program = Program::for_port(pbx.port);
    let ended = program.run(&[]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    let snapshot = program.snapshot();
    assert_eq!(snapshot["complete"], true, "{:#}", snapshot["sections"]);
    let of = |section: &str, key: &str, name: &str| {
        let items = snapshot[section].as_array().unwrap().iter();
        items.clone().find(|item| item[key] == name).cloned().unwrap_or_default()
    };
    let extension = of("extensions", "extension", "104");
    assert_eq!(extension["name"], "Élodie: the \"Boss\"");
    assert_eq!(extension["voicemail"]["context"], "default");
    assert_eq!((&extension["dnd"], &extension["kind_source"]), (&false.into(), &"astdb".into()));
    assert_eq!(of("extensions", "extension", "121")["dnd"], true);
    assert_eq!(of("trunks", "name", "trunk-main")["kind_source"], "astdb");
    let asked = pbx.asked.lock().unwrap();
    assert!(asked.iter().filter(|action| *action == "DBGet").count() > 8 * 22, "{asked:?}");
    assert_eq!(pbx.connections.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[test]
fn asterisk_13_tells_contacts_in_its_own_way() {
    let kind = "PJSIPShowRegistrationInboundContactStatuses";
    let script = Script::recorded("16.28.0/busy").on(kind, Reply::Unknown);
    let pbx = script.start();
    let program = Program::for_port(pbx.port);
    let ended = program.run(&[]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{ended:?}");
    let asked = pbx.asked.lock().unwrap();
    assert!(asked.iter().any(|action| action == "PJSIPShowContacts"), "{asked:?}");
    let snapshot = program.snapshot();
    let extensions = snapshot["extensions"].as_array().unwrap();
    let online = extensions.iter().filter(|extension| extension["online"] == true).count();
    assert_eq!(online, 25, "as many as with the newer list");
    assert_eq!(extensions[0]["contacts"][0]["uri"], "sip:100@127.0.0.1:20000");
}

#[test]
fn without_class_system_phones_are_known_all_the_same() {
    let mut script = Script::recorded("22.10.1/busy");
    for action in [
        "PJSIPShowEndpoints",
        "PJSIPShowEndpoint",
        "PJSIPShowContacts",
        "PJSIPShowRegistrationInboundContactStatuses",
    ] {
        script = script.on(action, Reply::Denied);
    }
    let pbx = script.start();
    let program = Program::for_port(pbx.port);
    let ended = program.run(&[]);
    assert_eq!(ended.code, 3, "{ended:?}");
    let snapshot = program.snapshot();
    assert_eq!(snapshot["complete"], false);
    assert_eq!(snapshot["sections"]["extensions"]["status"], "partial");
    let extensions = snapshot["extensions"].as_array().unwrap();
    let of = |number: &str| extensions.iter().find(|e| e["extension"] == number).unwrap();
    assert_eq!((&of("100")["status"], &of("100")["online"]), (&"In use".into(), &true.into()));
    assert_eq!(of("100")["name"], "Alice Example");
    assert_eq!(of("116")["online"], false);
    let asked = pbx.asked.lock().unwrap();
    assert!(!asked.iter().any(|action| action == "PJSIPShowEndpoint"), "{asked:?}");
}
