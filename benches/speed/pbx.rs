//! The bytes that a large Asterisk 22 would send: its own rows, as recorded, many times over.

use std::{fmt::Write as _, time::Duration};

use freepbx_snapshot::{
    ami::{Action, Limits, ReadAction, decode_recording},
    collect::{Answers, Collected, Family, Outcome},
};

/// How large a PBX is.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) endpoints: u32,
    pub(crate) channels: u32,
    pub(crate) queues: u32,
}

/// 2026-11-21 08:00:00 UTC.
pub(crate) const NOW: i64 = 1_795_248_000;
const ID: &str = "bench-1";

/// What was asked and what came over the wire.
pub(crate) type Wire = (Action, String);

/// Every list of a PBX of that size that a run would ask for.
pub(crate) fn wires(size: Size) -> Vec<Wire> {
    let numbers = 10_000..10_000 + size.endpoints;
    let list = |action: Action, rows: String| {
        let text = format!(
            "Response: Success\nActionID: {ID}\nEventList: start\nMessage: follows\n\n{rows}\
             Event: Complete\nActionID: {ID}\nEventList: Complete\nListItems: {}\n\n",
            rows.matches("\n\n").count()
        );
        (action, text.replace('\n', "\r\n"))
    };
    let block = |kind: ReadAction, headers: String| {
        let text = format!("Response: Success\nActionID: {ID}\n{headers}\n\n");
        (Action::new(kind), text.replace('\n', "\r\n"))
    };
    let rows = |write: &dyn Fn(&mut String, u32)| {
        let mut text = String::new();
        numbers.clone().for_each(|number| write(&mut text, number));
        text
    };
    vec![
        block(ReadAction::Ping, format!("Ping: Pong\nTimestamp: {NOW}.000000")),
        block(ReadAction::UtcOffset, "Value: +0000".to_owned()),
        block(ReadAction::CoreSettings, "AsteriskVersion: 22.10.1\nSystemName: pbx".to_owned()),
        block(
            ReadAction::CoreStatus,
            format!(
                "CoreStartupDate: 2026-11-20\nCoreStartupTime: 07:59:00\nCoreCurrentCalls: {}",
                size.channels / 2
            ),
        ),
        list(ReadAction::PjsipShowEndpoints.into(), rows(&endpoint)),
        list(ReadAction::PjsipShowRegistrationInboundContactStatuses.into(), rows(&contact)),
        list(
            Family::UserName.tree(),
            rows(&|text, number| {
                astdb(text, &format!("AMPUSER/{number}/cidname"), &format!("User {number}"));
            }),
        ),
        list(
            Family::UserVoicemail.tree(),
            rows(&|text, number| astdb(text, &format!("AMPUSER/{number}/voicemail"), "novm")),
        ),
        list(
            Family::DeviceUser.tree(),
            rows(&|text, number| {
                astdb(text, &format!("DEVICE/{number}/user"), &number.to_string());
            }),
        ),
        list(ReadAction::CoreShowChannels.into(), channels(size)),
        list(ReadAction::QueueStatus.into(), queues(size)),
    ]
}

fn endpoint(text: &mut String, number: u32) {
    let _ = write!(
        text,
        "Event: EndpointList\nActionID: {ID}\nObjectType: endpoint\nObjectName: {number}\n\
         Transport: 0.0.0.0-udp\nAor: {number}\nAuths: {number}-auth\nOutboundAuths: \n\
         Contacts: {number}/sip:{number}@192.0.2.7:5060,\nDeviceState: Not in use\n\
         ActiveChannels: 0\n\n"
    );
}

fn contact(text: &mut String, number: u32) {
    let _ = write!(
        text,
        "Event: ContactStatusDetail\nActionID: {ID}\nAOR: {number}\n\
         URI: sip:{number}@192.0.2.7:5060\nUserAgent: Example Phone 4.2\nRegExpire: {}\n\
         ViaAddress: 192.0.2.7:5060\nCallID: {number:08x}@192.0.2.7\nStatus: Reachable\n\
         RoundtripUsec: 1012\nEndpointName: {number}\nID: {number};@0ff{number:08x}\n\
         AuthenticateQualify: 0\nOutboundProxy: \nPath: \nQualifyFrequency: 60\n\
         QualifyTimeout: 3.000\nQualify2xxOnly: 0\n\n",
        NOW + 3_600
    );
}

fn astdb(text: &mut String, key: &str, value: &str) {
    let _ = write!(text, "Event: DBGetTreeResponse\nKey: /{key}\nVal: {value}\nActionID: {ID}\n\n");
}

/// Calls of two channels each, between extensions.
fn channels(size: Size) -> String {
    let mut text = String::new();
    for call in 0..size.channels / 2 {
        let caller = 10_000 + call * 2 % size.endpoints;
        let called = 10_000 + (call * 2 + 1) % size.endpoints;
        for (leg, own, other) in [(0, caller, called), (1, called, caller)] {
            let _ = write!(
                text,
                "Event: CoreShowChannel\nActionID: {ID}\nChannel: PJSIP/{own}-{call:07x}{leg}\n\
                 ChannelState: 6\nChannelStateDesc: Up\nCallerIDNum: {own}\n\
                 CallerIDName: User {own}\nConnectedLineNum: {other}\n\
                 ConnectedLineName: User {other}\nLanguage: en\nAccountCode: \n\
                 Context: from-internal\nExten: {called}\nPriority: 1\nUniqueid: pbx-{NOW}.{}\n\
                 Linkedid: pbx-{NOW}.{}\nApplication: {}\nApplicationData: (Outgoing Line)\n\
                 Duration: 00:01:14\nBridgeId: 706f2325-5cab-4b2c-a807-{call:012x}\n\n",
                call * 2 + leg,
                call * 2,
                if leg == 0 { "Dial" } else { "AppDial" },
            );
        }
    }
    text
}

/// Queues with ten members each, one of which waits.
fn queues(size: Size) -> String {
    let mut text = String::new();
    for queue in 0..size.queues {
        let _ = write!(
            text,
            "Event: QueueParams\nQueue: {queue}\nMax: 0\nStrategy: ringall\nCalls: 1\n\
             Holdtime: 0\nTalkTime: 0\nCompleted: 0\nAbandoned: 0\nServiceLevel: 60\n\
             ServicelevelPerf: 0.0\nServicelevelPerf2: 0.0\nWeight: 0\nActionID: {ID}\n\n"
        );
        for member in 0..10 {
            let number = 10_000 + (queue * 10 + member) % size.endpoints;
            let _ = write!(
                text,
                "Event: QueueMember\nQueue: {queue}\nName: User {number}\n\
                 Location: Local/{number}@from-queue/n\nStateInterface: hint:{number}@ext-local\n\
                 Membership: static\nPenalty: 0\nCallsTaken: 0\nLastCall: 0\nLastPause: 0\n\
                 LoginTime: {NOW}\nInCall: 0\nStatus: 1\nPaused: 0\nPausedReason: \n\
                 Wrapuptime: 0\nActionID: {ID}\n\n"
            );
        }
        let _ = write!(
            text,
            "Event: QueueEntry\nQueue: {queue}\nPosition: 1\nChannel: PJSIP/in-{queue:08x}\n\
             Uniqueid: pbx-{NOW}.9{queue}\nCallerIDNum: +15550100\nCallerIDName: Caller\n\
             ConnectedLineNum: unknown\nConnectedLineName: unknown\nWait: 40\nPriority: 0\n\
             ActionID: {ID}\n\n"
        );
    }
    text
}

/// Decodes what came over the wire.
pub(crate) fn decode(wires: &[Wire]) -> Collected {
    let mut answers = Answers::default();
    for (action, wire) in wires {
        let answer = decode_recording(action.clone(), ID, wire.as_bytes(), Limits::default());
        let outcome = answer.map_or_else(Outcome::Failed, Outcome::Answered);
        assert!(matches!(outcome, Outcome::Answered(_)), "{action}: {outcome:?}");
        answers.insert(action.clone(), outcome, Some(Duration::from_millis(1)));
    }
    Collected {
        answers,
        ami_version: Some("11.0.0".to_owned()),
        same_machine: true,
        pong_after: Some(Duration::from_millis(1)),
        duration: Duration::from_millis(1),
    }
}

/// Rows of all lists.
pub(crate) fn rows(wires: &[Wire]) -> u64 {
    wires.iter().map(|(_, wire)| wire.matches("Event: ").count() as u64).sum()
}

/// Bytes of all lists.
pub(crate) fn bytes(wires: &[Wire]) -> u64 {
    wires.iter().map(|(_, wire)| wire.len() as u64).sum()
}
