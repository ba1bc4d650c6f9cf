//! A very large PBX, as servers would answer for it, with the wildest names that they can send.
//!
//! Nothing here is timed; what counts is that it works, and that the file's beginning stays short.

use std::{fmt::Write as _, time::Duration};

use freepbx_snapshot::{
    ami::{Action, Limits, ReadAction, decode_recording},
    collect::{Answers, Collected, Family, Outcome, Plan},
    commands::collect::serialize,
    normalize::{self, Context},
    snapshot::{Snapshot, Timestamp},
};

const EXTENSIONS: u32 = 25_000;
/// Each of two channels.
const CALLS: u32 = 2_500;
const QUEUES: u32 = 1_000;
const TRUNKS: u32 = 300;
/// 2026-11-21 08:00:00 UTC.
const NOW: i64 = 1_795_248_000;

/// A list with its rows, each without the header that every row has.
fn insert(answers: &mut Answers, action: Action, rows: &str) {
    let wire = format!(
        "Response: Success\r\nActionID: t\r\nEventList: start\r\n\r\n{}\
         Event: Done\r\nActionID: t\r\nEventList: Complete\r\n\r\n",
        rows.replace('\n', "\r\n")
    );
    let answer = decode_recording(action.clone(), "t", wire.as_bytes(), Limits::default()).unwrap();
    answers.insert(action, Outcome::Answered(answer), Some(Duration::from_secs(1)));
}

fn insert_block(answers: &mut Answers, kind: ReadAction, headers: &str) {
    let wire = format!("Response: Success\nActionID: t\n{headers}\n\n");
    let action = Action::new(kind);
    let answer = decode_recording(action.clone(), "t", wire.as_bytes(), Limits::default()).unwrap();
    answers.insert(action, Outcome::Answered(answer), None);
}

/// Everything that a large server answers; `wild` goes into every name.
fn answers(wild: &str, extensions: u32, calls: u32) -> Answers {
    let mut answers = Answers::default();
    insert_block(&mut answers, ReadAction::Ping, &format!("Ping: Pong\nTimestamp: {NOW}.000000"));
    insert_block(&mut answers, ReadAction::UtcOffset, "Value: +0000");
    insert_block(
        &mut answers,
        ReadAction::CoreSettings,
        &format!("AMIversion: 11.0.0\nAsteriskVersion: 22.10.1{wild}\nSystemName: {wild}"),
    );
    insert_block(
        &mut answers,
        ReadAction::CoreStatus,
        "CoreStartupDate: 2026-11-21\nCoreStartupTime: 07:59:00\nCoreCurrentCalls: 5000",
    );

    let (mut endpoints, mut contacts) = (String::new(), String::new());
    let (mut names, mut users) = (String::new(), String::new());
    for number in 10_000..10_000 + extensions {
        write!(
            endpoints,
            "Event: EndpointList\nActionID: t\nObjectName: {number}\nAor: {number}\n\
             Auths: {number}-auth\nContacts: {number}/sip:{number}@192.0.2.1:5060,\n\
             DeviceState: In use\n\n"
        )
        .unwrap();
        write!(
            contacts,
            "Event: ContactStatusDetail\nActionID: t\nAOR: {number}\n\
             URI: sip:{number}@192.0.2.1:5060\nUserAgent: {wild}\nStatus: Reachable\n\
             RoundtripUsec: 1000\nEndpointName: {number}\nID: {number};@0ff\n\n"
        )
        .unwrap();
        write!(
            names,
            "Event: DBGetTreeResponse\nActionID: t\nKey: /AMPUSER/{number}/cidname\nVal: {wild}\n\n"
        )
        .unwrap();
        write!(
            users,
            "Event: DBGetTreeResponse\nActionID: t\nKey: /DEVICE/{number}/user\nVal: {number}\n\n"
        )
        .unwrap();
    }
    let mut registrations = String::new();
    for number in 0..TRUNKS {
        let name = format!("trunk {number} {wild}");
        write!(
            endpoints,
            "Event: EndpointList\nActionID: t\nObjectName: {name}\nOutboundAuths: {name}\n\
             DeviceState: Unavailable\n\n"
        )
        .unwrap();
        write!(
            registrations,
            "Event: OutboundRegistrationDetail\nActionID: t\nObjectName: {name}\n\
             ServerUri: sip:192.0.2.9\nStatus: Rejected\n\n"
        )
        .unwrap();
    }
    insert(&mut answers, ReadAction::PjsipShowEndpoints.into(), &endpoints);
    let kind = ReadAction::PjsipShowRegistrationInboundContactStatuses;
    insert(&mut answers, kind.into(), &contacts);
    insert(&mut answers, ReadAction::PjsipShowRegistrationsOutbound.into(), &registrations);
    insert(&mut answers, Family::UserName.tree(), &names);
    insert(&mut answers, Family::DeviceUser.tree(), &users);

    let mut channels = String::new();
    for call in 0..calls {
        let (caller, called) = (10_000 + call, 20_000 + call);
        for (leg, own, other) in [(0, caller, called), (1, called, caller)] {
            write!(
                channels,
                "Event: CoreShowChannel\nActionID: t\nChannel: PJSIP/{own}-{call:08x}\n\
                 ChannelState: 6\nChannelStateDesc: Up\nCallerIDNum: {own}\nCallerIDName: {wild}\n\
                 ConnectedLineNum: {other}\nConnectedLineName: {wild}\nContext: from-internal\n\
                 Exten: {called}\nUniqueid: {NOW}.{}\nLinkedid: {NOW}.{}\nApplication: {}\n\
                 Duration: 27:00:01\nBridgeId: b{call}\n\n",
                call * 2 + leg,
                call * 2,
                if leg == 0 { "Dial" } else { "AppDial" }
            )
            .unwrap();
        }
    }
    insert(&mut answers, ReadAction::CoreShowChannels.into(), &channels);

    let mut queues = String::new();
    for queue in 0..QUEUES {
        let name = format!("{queue} {wild}");
        write!(
            queues,
            "Event: QueueParams\nQueue: {name}\nStrategy: ringall\nCalls: 1\nActionID: t\n\n\
             Event: QueueEntry\nQueue: {name}\nPosition: 1\nCallerIDNum: 1\nCallerIDName: {wild}\n\
             Wait: 90000\nActionID: t\n\n"
        )
        .unwrap();
    }
    insert(&mut answers, ReadAction::QueueStatus.into(), &queues);
    answers
}

fn snapshot(wild: &str, extensions: u32, calls: u32) -> Snapshot {
    let collected = Collected {
        answers: answers(wild, extensions, calls),
        ami_version: Some("11.0.0".to_owned()),
        same_machine: false,
        pong_after: Some(Duration::from_secs(1)),
        duration: Duration::from_secs(40),
    };
    let context = Context {
        host: "pbx.example.com".to_owned(),
        port: 5038,
        tls: false,
        demo: false,
        collected_at: Timestamp::from_epoch(NOW).unwrap(),
        stale_after_seconds: 600,
    };
    normalize::snapshot(&collected, &Plan::default(), &context, None)
}

/// Characters in the file before the key `source`, the first after `summary`.
fn beginning(file: &[u8]) -> usize {
    let text = std::str::from_utf8(file).unwrap();
    let at = text.find("\n  \"source\": {").expect("the key `source`");
    text[..at].chars().count()
}

#[test]
fn a_very_large_pbx_is_read_and_its_summary_stays_within_the_first_5000_characters() {
    let snapshot = snapshot("Sales", EXTENSIONS, CALLS);
    let bytes = serialize(&snapshot, true).unwrap();
    let again: Snapshot = serde_json::from_slice(&bytes).unwrap();
    assert!(again == snapshot, "reading gives another snapshot");

    let summary = &snapshot.summary;
    assert_eq!(summary.extensions.as_ref().unwrap().total, u64::from(EXTENSIONS));
    assert_eq!(summary.extensions.as_ref().unwrap().in_use, u64::from(EXTENSIONS));
    assert_eq!(summary.channels, Some(u64::from(2 * CALLS)));
    assert_eq!(summary.active_calls.as_ref().unwrap().total, u64::from(CALLS));
    assert_eq!(summary.active_calls.as_ref().unwrap().internal, u64::from(CALLS));
    assert_eq!(summary.trunks.as_ref().unwrap().down, u64::from(TRUNKS));
    assert_eq!(summary.queues.as_ref().unwrap().callers, u64::from(QUEUES));
    assert!(summary.attention_total >= u64::from(TRUNKS + QUEUES));
    assert!(!summary.attention.is_empty());
    assert!(beginning(&bytes) < 5_000, "{}", beginning(&bytes));
}

#[test]
fn the_wildest_names_leave_the_beginning_of_the_file_as_short() {
    for wild in ["\"\\\u{7}\u{1b}[31m", "\u{1}", "🦀東", "O'Brien: \"Q\" \u{202e}", "a"] {
        let wild = wild.repeat(60 / wild.chars().count());
        let bytes = serialize(&snapshot(&wild, 300, 30), true).unwrap();
        let beginning = beginning(&bytes);
        assert!(beginning < 5_000, "{beginning} characters with {wild:?}");
    }
}
