//! Rows with well-formed envelopes and any values: the parsers of numbers, times, addresses, states
//! and lists. An input is rows of `Key: value` lines between empty lines, each after a line of one
//! character that says which action it answers.
#![no_main]

use harness::{Asked, check};
use libfuzzer_sys::fuzz_target;

/// Action, event of a row, event that ends the list; without events for a plain response.
const ROWS: [(&str, &str, &str); 24] = [
    ("CoreSettings", "", ""),
    ("CoreStatus", "", ""),
    ("Getvar", "", ""),
    ("Ping", "", ""),
    ("CoreShowChannels", "CoreShowChannel", "CoreShowChannelsComplete"),
    ("BridgeList", "BridgeListItem", "BridgeListComplete"),
    ("SIPpeers", "PeerEntry", "PeerlistComplete"),
    ("SIPshowregistry", "RegistryEntry", "RegistrationsComplete"),
    ("IAXpeerlist", "PeerEntry", "PeerlistComplete"),
    ("IAXregistry", "RegistryEntry", "RegistrationsComplete"),
    ("PJSIPShowEndpoints", "EndpointList", "EndpointListComplete"),
    ("PJSIPShowRegistrationInboundContactStatuses", "ContactStatusDetail",
        "ContactStatusDetailComplete"),
    ("PJSIPShowContacts", "ContactList", "ContactListComplete"),
    ("PJSIPShowRegistrationsOutbound", "OutboundRegistrationDetail",
        "OutboundRegistrationDetailComplete"),
    ("QueueStatus", "QueueParams", "QueueStatusComplete"),
    ("QueueStatus", "QueueMember", "QueueStatusComplete"),
    ("QueueStatus", "QueueEntry", "QueueStatusComplete"),
    ("QueueSummary", "QueueSummary", "QueueSummaryComplete"),
    ("ExtensionStateList", "ExtensionStatus", "ExtensionStateListComplete"),
    ("DeviceStateList", "DeviceStateChange", "DeviceStateListComplete"),
    ("DBGetTree", "DBGetTreeResponse", "DBGetTreeComplete"),
    ("ParkedCalls", "ParkedCall", "ParkedCallsComplete"),
    ("ConfbridgeListRooms", "ConfbridgeListRooms", "ConfbridgeListRoomsComplete"),
    ("VoicemailUsersList", "VoicemailUserEntry", "VoicemailUserEntryComplete"),
];

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let mut rows: std::collections::BTreeMap<&str, (String, &str)> = Default::default();
    for row in text.split("\n\n") {
        let Some((first, values)) = row.split_once('\n') else { continue };
        let letter = first.bytes().next().unwrap_or_default();
        let (action, event, complete) = ROWS[usize::from(letter) % ROWS.len()];
        let (wire, last) = rows.entry(action).or_default();
        *last = complete;
        let kind = if event.is_empty() { "Response: Success" } else { "Event: " };
        wire.push_str(&format!("{kind}{event}\r\nActionID: {}-1\r\n", action.to_lowercase()));
        wire.extend(values.lines().filter(|line| !line.is_empty()).flat_map(|l| [l, "\r\n"]));
        wire.push_str("\r\n");
    }
    let mut asked = Asked::everything();
    for (action, (wire, complete)) in rows {
        let id = format!("ActionID: {}-1\r\n", action.to_lowercase());
        if complete.is_empty() {
            asked.take(wire.as_bytes());
            continue;
        }
        let begin = format!("Response: Success\r\n{id}EventList: start\r\n\r\n");
        let end = format!("Event: {complete}\r\n{id}EventList: Complete\r\n\r\n");
        asked.take([begin, wire, end].concat().as_bytes());
    }
    let (collected, plan) = asked.collected();
    check(&collected, &plan, None);
});
