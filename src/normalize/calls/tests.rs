//! What the calls of recorded and invented servers are.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::{
    ami::{Action, ReadAction},
    collect::Owner,
    normalize::{
        channels::channels,
        testing::{answers, recorded},
    },
    snapshot::Direction,
};

/// Extensions 100 to 129 and 200 to 209, and every trunk of the recordings.
fn directory() -> Directory<'static> {
    let numbers: Vec<String> = (100..130).chain(200..210).map(|n| n.to_string()).collect();
    let phone = |technology, number: &'static str| (technology, number, Owner::Extension(number));
    let leaked = numbers.into_iter().map(|number| &*number.leak());
    let mut devices: Vec<_> = leaked
        .flat_map(|number: &'static str| [phone("PJSIP", number), phone("SIP", number)])
        .collect();
    devices.push(phone_of("99100", "100"));
    for (technology, name) in [
        ("PJSIP", "trunk-main"),
        ("PJSIP", "in16"),
        ("PJSIP", "in22"),
        ("PJSIP", "trunk-to-16"),
        ("PJSIP", "trunk-to-22"),
        ("SIP", "sip-trunk"),
        ("IAX2", "iax16"),
        ("IAX2", "iax22"),
    ] {
        devices.push((technology, name, Owner::Trunk(name)));
    }
    devices.push(("PJSIP", "anonymous", Owner::Special));
    let names = [("100", "Alice"), ("101", "Bob"), ("102", "Carol"), ("103", ""), ("104", "Dana")];
    Directory::of(&devices, &names)
}

fn phone_of(
    device: &'static str,
    extension: &'static str,
) -> (&'static str, &'static str, Owner<'static>) {
    ("PJSIP", device, Owner::Extension(extension))
}

fn now() -> Timestamp {
    Timestamp::from_epoch(1_795_245_750).unwrap()
}

/// The calls in answers; checks what must hold of any: each channel is in exactly one call, and
/// says in which.
fn judge(answers: &Answers) -> Vec<Call> {
    let mut channels = channels(answers).unwrap();
    let calls = calls(answers, &mut channels, &directory(), now());
    let mut listed: Vec<&String> = calls.iter().flat_map(|call| &call.channels).collect();
    listed.sort();
    let mut names: Vec<&String> = channels.iter().map(|channel| &channel.channel).collect();
    names.sort();
    assert_eq!(listed, names);
    for channel in &channels {
        let id = channel.call_id.as_ref().unwrap();
        let call = calls.iter().find(|call| call.call_id == *id).unwrap();
        assert!(call.channels.contains(&channel.channel));
    }
    calls
}

/// The calls of channel rows alone.
fn from_rows(rows: &[String]) -> Vec<Call> {
    let rows = rows.join("\n\n");
    judge(&answers(&[(Action::new(ReadAction::CoreShowChannels), &rows)]))
}

/// The one call of channel rows.
fn the_call(rows: &[String]) -> Call {
    let mut calls = from_rows(rows);
    assert_eq!(calls.len(), 1, "{calls:#?}");
    calls.remove(0)
}

/// One channel, written shortly: `name state number/name connected/name application(data)
/// context,exten bridge`, `-` for nothing; its number and its `Linkedid`'s.
fn row(id: u32, linked: u32, text: &str) -> String {
    let mut words = text.split(' ');
    let mut word = || words.next().unwrap().to_owned();
    let channel = word();
    let state = word();
    let number = ["Down", "", "", "", "Ring", "Ringing", "Up", "Busy"];
    let number = number.iter().position(|name| *name == state).unwrap();
    let party = |word: String| {
        let (number, name) = word.split_once('/').unwrap_or((&word, "-"));
        let value =
            |text: &str| if text == "-" { "<unknown>".to_owned() } else { text.replace('_', " ") };
        (value(number), value(name))
    };
    let (own, other) = (party(word()), party(word()));
    let application = word();
    let (application, data) = application.split_once('(').unwrap_or((&application, ")"));
    let application = application.trim_matches('-');
    let place = word();
    let (context, exten) = place.split_once(',').unwrap();
    let bridge = word();
    format!(
        "Event: CoreShowChannel\nChannel: {channel}\nChannelState: {number}\n\
         ChannelStateDesc: {state}\nCallerIDNum: {}\nCallerIDName: {}\nConnectedLineNum: {}\n\
         ConnectedLineName: {}\nContext: {context}\nExten: {exten}\nUniqueid: pbx-1795245000.{id}\n\
         Linkedid: pbx-1795245000.{linked}\nApplication: {application}\n\
         ApplicationData: {}\nDuration: 00:12:30\nBridgeId: {}",
        own.0,
        own.1,
        other.0,
        other.1,
        data.strip_suffix(')').unwrap_or(data),
        if bridge == "-" { "" } else { &bridge },
    )
}

fn text(option: &Option<String>) -> &str {
    option.as_deref().unwrap_or("-")
}

/// State, direction, caller and called in one line.
fn line(call: &Call) -> String {
    let party = |party: &Party| {
        let trunk = party.trunk.as_deref().map(|trunk| format!("@{trunk}")).unwrap_or_default();
        format!("{}{trunk}", text(&party.number))
    };
    let (from, to) = (party(&call.from), party(&call.to));
    format!("{} {:?} {from} > {to}", call.state.as_str(), call.direction)
}

fn lines(calls: &[Call]) -> Vec<String> {
    calls.iter().map(line).collect()
}

#[test]
fn every_recorded_call_is_what_was_set_up() {
    let common = [
        ("PJSIP/100-00000000", "Up Internal 100 > 101"),
        ("PJSIP/103-00000002", "Ringing Internal 103 > 102"),
        ("PJSIP/104-00000004", "Up Outbound 104 > 5551234567@trunk-main"),
        ("PJSIP/105-00000006", "On hold Internal 105 > 106"),
        ("PJSIP/107-00000008", "Parked Internal 107 > 71"),
        ("PJSIP/108-00000009", "Conference Internal 108 > 600"),
        ("PJSIP/118-0000000a", "Conference Internal 118 > 600"),
        ("Local/600@lab-00000007;1", "Conference Unknown 7002 > 600"),
        ("Local/601@lab-00000008;1", "Conference Unknown 7003 > 601"),
        ("PJSIP/109-0000000b", "Ringing Internal 109 > 110"),
        ("PJSIP/trunk-main-0000000e", "Queued Inbound +15550009999@trunk-main > 112"),
        ("PJSIP/trunk-main-0000000f", "Up Inbound +15550001111@trunk-main > 111"),
        ("PJSIP/trunk-main-00000012", "Queued Inbound +15550002222@trunk-main > 400"),
        ("PJSIP/trunk-main-00000013", "Queued Inbound anonymous@trunk-main > 400"),
        ("Local/*43@lab-00000003;1", "Up Unknown 7000 > *43"),
        ("Local/*65@lab-00000004;1", "Up Unknown 7001 > *65"),
        ("Local/*66@lab-00000005;1", "Up Unknown - > *66"),
        ("Local/*67@lab-00000006;1", "Dialing Unknown - > *67"),
    ];
    let only_16 = [
        ("PJSIP/in22-00000015", "Up Inbound in22@in22 > 5559999"),
        ("PJSIP/trunk-to-22-00000014", "Up Unknown 7005@trunk-to-22 > -"),
        ("IAX2/iax22-2511", "Up Inbound 7004@iax22 > *66"),
        ("IAX2/iax22-12664", "Up Unknown 7004@iax22 > -"),
        ("SIP/200-00000000", "Up Internal 200 > 201"),
        ("SIP/208-00000002", "Ringing Internal 208 > 209"),
        ("SIP/204-00000004", "Up Outbound 204 > 5551234@sip-trunk"),
        ("SIP/sip-trunk-00000006", "Up Unknown 7006@sip-trunk > -"),
    ];
    let only_22 = [
        ("PJSIP/in16-00000014", "Up Inbound in16@in16 > 5559999"),
        ("PJSIP/trunk-to-16-00000015", "Up Unknown 7005@trunk-to-16 > -"),
        ("IAX2/iax16-8284", "Up Inbound 7004@iax16 > *66"),
        ("IAX2/iax16-14559", "Up Unknown 7004@iax16 > -"),
    ];
    for (folder, own) in [("16.28.0/busy", &only_16[..]), ("22.10.1/busy", &only_22[..])] {
        let calls = judge(&recorded(folder));
        let found: BTreeSet<_> =
            calls.iter().map(|call| (call.channel.as_str(), line(call))).collect();
        let expected: BTreeSet<_> = common
            .iter()
            .chain(own)
            .map(|(channel, line)| (*channel, (*line).to_owned()))
            .collect();
        assert_eq!(found, expected, "{folder}");
        assert!(calls.is_sorted_by(|a, b| natural(&a.call_id, &b.call_id).is_lt()));
    }
}

#[test]
fn a_recorded_queue_call_spans_two_bridges_and_is_one_call() {
    let calls = judge(&recorded("22.10.1/busy"));
    let call = calls.iter().find(|c| c.channel == "PJSIP/trunk-main-0000000f").unwrap();
    assert_eq!(call.call_id, "pbx22-1795245677.15");
    assert_eq!((call.queue.as_deref(), call.trunk.as_deref()), (Some("400"), Some("trunk-main")));
    assert_eq!(call.channels.len(), 4);
    assert_eq!((call.answered, call.duration_seconds), (Some(true), Some(73)));
    assert_eq!((call.talk_seconds, call.talk_source), (Some(73), Some(TalkSource::ChannelAge)));
    assert_eq!(call.started_at, Timestamp::from_epoch(1_795_245_677));
    assert_eq!(call.to.extension.as_deref(), Some("111"));
    assert_eq!(
        (call.caller_id.as_deref(), call.caller_name.as_deref()),
        (Some("+15550001111"), Some("PSTN +15550001111"))
    );
}

#[test]
fn recorded_calls_read_as_sentences() {
    let calls = judge(&recorded("16.28.0/busy"));
    let said = |channel: &str| {
        calls.iter().find(|call| call.channel == channel).unwrap().description.as_str()
    };
    for (channel, sentence) in [
        (
            "PJSIP/100-00000000",
            "100 Alice Example has been talking to 101 Bob Builder for about 71 seconds",
        ),
        ("PJSIP/103-00000002", "103 Dave is ringing 102 Carol Ringing"),
        ("PJSIP/109-0000000b", "109 is ringing 110 Two Phones"),
        (
            "PJSIP/trunk-main-00000012",
            "+15550002222 (trunk trunk-main) has been waiting in queue 400 for 69 seconds",
        ),
        (
            "PJSIP/trunk-main-0000000e",
            "+15550009999 Caller Ring (trunk trunk-main) has been waiting in queue 402 for 70 \
             seconds, 112 Agent Two now being rung",
        ),
        ("PJSIP/107-00000008", "107 Doe, Jane has been parked on 71 for 70 seconds"),
        (
            "PJSIP/108-00000009",
            "108 Semi; Colon has been in conference 600 for 70 seconds, with 2 others",
        ),
        (
            "Local/*43@lab-00000003;1",
            "7000 Echo Test has been in the echo test (*43) for 67 seconds",
        ),
    ] {
        assert_eq!(said(channel), sentence);
    }
}

#[test]
fn talk_time_in_a_conference_is_what_asterisk_tells_and_none_alone() {
    let calls = judge(&recorded("16.28.0/busy"));
    let find = |channel: &str| calls.iter().find(|call| call.channel == channel).unwrap();
    let company = find("Local/600@lab-00000007;1");
    assert_eq!(
        (company.talk_seconds, company.talk_source),
        (Some(67), Some(TalkSource::AnsweredTime))
    );
    let alone = find("Local/601@lab-00000008;1");
    assert_eq!((alone.talk_seconds, alone.talk_source), (None, None));
}

#[test]
fn outbound_numbers_come_from_what_dial_sent_in_either_dialplan() {
    // Macros (FreePBX up to 16) show the number with its route prefix, subroutines show `s`.
    for shown in ["94930555001", "s"] {
        let call = the_call(&[
            row(
                8,
                8,
                &format!(
                    "PJSIP/104-8 Up +4930100100/- {shown}/CID:+15550100100 Dial(PJSIP/4930555001@trunk-main,300,T) macro-dialout-trunk,s b"
                ),
            ),
            row(
                9,
                8,
                &format!(
                    "PJSIP/trunk-main-9 Up {shown}/CID:+15550100100 +4930100100/- AppDial((Outgoing_Line)) from-pstn, b"
                ),
            ),
        ]);
        assert_eq!(line(&call), "Up Outbound 104 > 4930555001@trunk-main");
        // The route's caller ID is kept, and is not taken for who calls.
        assert_eq!(call.caller_id.as_deref(), Some("+4930100100"));
        assert_eq!(call.from.name.as_deref(), Some("Dana"));
        assert_eq!(call.to.name, None);
        assert_eq!(
            call.description,
            "104 Dana has been talking to 4930555001 (trunk trunk-main) for about 12 minutes"
        );
    }
}

#[test]
fn a_trunk_that_shows_its_own_caller_id_does_not_hide_the_number() {
    let call = the_call(&[
        row(
            1,
            1,
            "SIP/201-1 Ring 201/Sip_Bob -/- Dial(SIP/sip-trunk/5551234,300) macro-dialout-trunk,s -",
        ),
        row(
            2,
            1,
            "SIP/sip-trunk-2 Ringing +18005550000/Main_Line 201/Sip_Bob AppDial((Outgoing_Line)) from-trunk-sip-x,s -",
        ),
    ]);
    assert_eq!(line(&call), "Ringing Outbound 201 > 5551234@sip-trunk");
}

#[test]
fn a_ring_group_is_what_was_dialled_where_a_row_still_says_it() {
    let group = |exten: &str| {
        the_call(&[
            row(
                4,
                4,
                "PJSIP/125-4 Ring 125/Gus -/- Dial(PJSIP/114/sip:114@h&PJSIP/114/sip:114@i&PJSIP/115/sip:1@j) macro-dial,s -",
            ),
            row(
                5,
                4,
                &format!(
                    "PJSIP/114-5 Ringing 114/Two 125/Gus AppDial((Outgoing_Line)) from-internal,{exten} -"
                ),
            ),
            row(
                6,
                4,
                &format!(
                    "PJSIP/114-6 Ringing 114/Two 125/Gus AppDial((Outgoing_Line)) from-internal,{exten} -"
                ),
            ),
            row(
                7,
                4,
                &format!(
                    "PJSIP/115-7 Ringing 115/Una 125/Gus AppDial((Outgoing_Line)) from-internal,{exten} -"
                ),
            ),
        ])
    };
    let macros = group("610");
    assert_eq!(line(&macros), "Ringing Internal 125 > 610");
    assert_eq!(macros.to.extension, None);
    assert_eq!(macros.description, "125 Gus is ringing 610: 114 Two and 115 Una");
    let subroutines = group("s");
    assert_eq!(line(&subroutines), "Ringing Internal 125 > -");
    assert_eq!(subroutines.description, "125 Gus is ringing 114 Two and 115 Una");
    assert_eq!((subroutines.answered, subroutines.talk_seconds), (Some(false), None));
}

#[test]
fn a_ring_group_of_local_channels_is_what_the_caller_dialled() {
    let mut rows = vec![row(
        1,
        1,
        "PJSIP/100-1 Ring 100/A -/- Dial(Local/101@from-internal/n&Local/102@from-internal/n,20) macro-dial,s -",
    )];
    for (at, number) in [(2, "101"), (5, "102")] {
        rows.push(row(at, 1, &format!("Local/{number}@from-internal-{at};1 Ringing {number}/- 100/A AppDial((Outgoing_Line)) from-internal,600 -")));
        rows.push(row(at + 1, 1, &format!("Local/{number}@from-internal-{at};2 Ring 100/A -/- Dial(PJSIP/{number}) macro-dial-one,s -")));
        rows.push(row(at + 2, 1, &format!("PJSIP/{number}-{at} Ringing {number}/- 100/A AppDial((Outgoing_Line)) from-internal,{number} -")));
    }
    let call = the_call(&rows);
    assert_eq!(line(&call), "Ringing Internal 100 > 600");
    assert_eq!(call.channels.len(), 7);
}

#[test]
fn follow_me_is_a_call_to_the_extension_until_the_mobile_answers() {
    let call = |state: &str, bridges: [&str; 2]| {
        let mut rows = vec![
            row(
                1,
                1,
                &format!(
                    "PJSIP/100-1 {state} 100/A -/- Dial(Local/FMPR-101@from-internal&Local/FMGL-5551234#@from-internal) macro-dial,s {}",
                    bridges[0]
                ),
            ),
            row(
                5,
                1,
                &format!(
                    "Local/FMGL-5551234#@from-internal-2;1 {} 5551234/- 100/A AppDial((Outgoing_Line)) from-internal,s {}",
                    if state == "Up" { "Up" } else { "Ringing" },
                    bridges[0]
                ),
            ),
            row(
                6,
                1,
                &format!(
                    "Local/FMGL-5551234#@from-internal-2;2 {state} 100/A -/- Dial(PJSIP/5551234@trunk-main) macro-dialout-trunk,s {}",
                    bridges[1]
                ),
            ),
            row(
                7,
                1,
                &format!(
                    "PJSIP/trunk-main-7 {} s/- 100/A AppDial((Outgoing_Line)) from-pstn,s {}",
                    if state == "Up" { "Up" } else { "Ringing" },
                    bridges[1]
                ),
            ),
        ];
        if state == "Ring" {
            rows.push(row(2, 1, "Local/FMPR-101@from-internal-1;1 Ringing 101/- 100/A AppDial((Outgoing_Line)) from-internal,s -"));
            rows.push(row(
                3,
                1,
                "Local/FMPR-101@from-internal-1;2 Ring 100/A -/- Dial(PJSIP/101) macro-dial,s -",
            ));
            rows.push(row(
                4,
                1,
                "PJSIP/101-4 Ringing 101/- 100/A AppDial((Outgoing_Line)) from-internal,s -",
            ));
        }
        the_call(&rows)
    };
    let rings = call("Ring", ["-", "-"]);
    assert_eq!(line(&rings), "Ringing Internal 100 > 101");
    assert_eq!(rings.to.name.as_deref(), Some("Bob"));
    assert_eq!(line(&call("Up", ["b1", "b2"])), "Up Outbound 100 > 5551234@trunk-main");
}

#[test]
fn a_queue_that_rings_several_agents_is_who_is_called() {
    let call = the_call(&[
        row(1, 1, "PJSIP/trunk-main-1 Up +1555/Cust -/- Queue(400,t,,) ext-queues,400 -"),
        row(
            2,
            1,
            "PJSIP/101-2 Ringing 101/Bob +1555/Cust AppQueue((Outgoing_Line)) from-internal,400 -",
        ),
        row(
            3,
            1,
            "PJSIP/102-3 Ringing 102/Carol +1555/Cust AppQueue((Outgoing_Line)) from-internal,400 -",
        ),
    ]);
    assert_eq!(line(&call), "Queued Inbound +1555@trunk-main > 400");
    assert_eq!((call.queue.as_deref(), call.answered), (Some("400"), Some(true)));
    assert_eq!(
        call.description,
        "+1555 Cust (trunk trunk-main) has been waiting in queue 400 for 12 minutes, 101 Bob and \
         102 Carol now being rung"
    );
}

#[test]
fn a_caller_who_waits_behind_a_local_channel_waits_all_the_same() {
    let rows = [
        row(
            1,
            1,
            "PJSIP/trunk-main-1 Up +1555/- -/- Dial(Local/400@from-internal/n) ext-miscdests,s b",
        ),
        row(
            2,
            1,
            "Local/400@from-internal-2;1 Up 400/- +1555/- AppDial((Outgoing_Line)) from-internal,s b",
        ),
        row(3, 1, "Local/400@from-internal-2;2 Up +1555/- 400/- Queue(400,t,,) ext-queues,400 -"),
    ];
    let calls = judge(&answers(&[
        (Action::new(ReadAction::CoreShowChannels), &rows.join("\n\n")),
        (
            Action::new(ReadAction::QueueStatus),
            "Event: QueueEntry\nQueue: 400\nPosition: 1\nUniqueid: pbx-1795245000.3\nWait: 30",
        ),
    ]));
    assert_eq!(lines(&calls), ["Queued Inbound +1555@trunk-main > 400"]);
    assert!(calls[0].description.ends_with(" has been waiting in queue 400 for 30 seconds"));
}

#[test]
fn a_phone_that_talks_to_a_local_channel_alone_is_not_who_calls() {
    let call = the_call(&[
        row(1, 1, "PJSIP/100-1 Ring 100/A -/- Dial(Local/101@from-internal/n) macro-dial,s -"),
        row(
            2,
            1,
            "Local/101@from-internal-2;1 Ringing 101/- 100/A AppDial((Outgoing_Line)) from-internal,101 -",
        ),
        row(3, 1, "Local/101@from-internal-2;2 Up 100/A 101/- Dial(PJSIP/101) macro-dial-one,s b"),
        row(4, 1, "PJSIP/101-4 Up 101/B 100/A AppDial((Outgoing_Line)) from-internal,101 b"),
    ]);
    assert_eq!(line(&call), "Ringing Internal 100 > 101");
}

#[test]
fn a_forward_to_the_outside_is_inbound_and_names_both_trunks() {
    let call = the_call(&[
        row(
            1,
            1,
            "SIP/sip-trunk-1 Up +1555/Cust s/CID:+1555 Dial(PJSIP/4930@trunk-main) macro-dialout-trunk,s b",
        ),
        row(
            2,
            1,
            "PJSIP/trunk-main-2 Up s/CID:+1555 +1555/Cust AppDial((Outgoing_Line)) from-pstn, b",
        ),
    ]);
    assert_eq!(line(&call), "Up Inbound +1555@sip-trunk > 4930@trunk-main");
    assert_eq!(call.trunk.as_deref(), Some("sip-trunk"));
}

#[test]
fn strangers_who_share_a_linkedid_are_calls_of_their_own() {
    let calls = from_rows(&[
        row(1, 1, "PJSIP/100-1 Up 100/A 101/B Dial(PJSIP/101) macro-dial-one,s x"),
        row(2, 1, "PJSIP/101-2 Up 101/B 100/A AppDial((Outgoing_Line)) from-internal, x"),
        row(3, 1, "PJSIP/102-3 Up 102/C 103/D Dial(PJSIP/103) macro-dial-one,s y"),
        row(4, 1, "PJSIP/103-4 Up 103/D 102/C AppDial((Outgoing_Line)) from-internal, y"),
        row(5, 1, "PJSIP/104-5 Up 104/E -/- Echo() from-internal,*43 -"),
    ]);
    assert_eq!(
        lines(&calls),
        ["Up Internal 100 > 101", "Up Internal 102 > 103", "Up Internal 104 > *43"]
    );
    let ids: Vec<_> = calls.iter().map(|call| call.call_id.as_str()).collect();
    assert_eq!(ids, ["pbx-1795245000.1", "pbx-1795245000.3", "pbx-1795245000.5"]);
}

#[test]
fn an_attended_transfer_is_one_call_at_every_step() {
    let consulting = the_call(&[
        row(1, 1, "PJSIP/trunk-main-1 Up +1555/Cust 101/B Dial(PJSIP/101) macro-dial-one,s x"),
        row(2, 1, "PJSIP/101-2 Up 101/B +1555/Cust AppDial((Outgoing_Line)) from-internal, y"),
        row(3, 1, "Local/102@from-internal-3;1 Up 102/C 101/B - from-internal,102 y"),
        row(4, 1, "Local/102@from-internal-3;2 Up 101/B 102/C Dial(PJSIP/102) macro-dial-one,s z"),
        row(5, 1, "PJSIP/102-5 Up 102/C 101/B AppDial((Outgoing_Line)) from-internal, z"),
    ]);
    assert_eq!(line(&consulting), "On hold Inbound +1555@trunk-main > 101");
    assert_eq!(consulting.talk_seconds, None);
    assert_eq!(
        consulting.description,
        "+1555 Cust (trunk trunk-main) is on hold while 101 B talks to 102 C"
    );
    // The one who called is gone, and both that are left were called.
    let completed = the_call(&[
        row(2, 1, "PJSIP/trunk-main-2 Up 5551234/- 101/B AppDial((Outgoing_Line)) from-pstn, x"),
        row(3, 1, "PJSIP/102-3 Up 102/C 101/B AppDial((Outgoing_Line)) from-internal, x"),
    ]);
    assert_eq!(line(&completed), "Up Outbound 5551234@trunk-main > 102");
    let inside = the_call(&[
        row(2, 1, "PJSIP/101-2 Up 101/B 102/C AppDial((Outgoing_Line)) from-internal, x"),
        row(3, 1, "PJSIP/102-3 Up 102/C 101/B AppDial((Outgoing_Line)) from-internal, x"),
    ]);
    assert_eq!(line(&inside), "Up Internal 101 > 102");
}

#[test]
fn a_trunk_leg_of_an_older_call_could_have_been_called() {
    let call = the_call(&[
        row(2, 1, "PJSIP/trunk-main-2 Up 5551234/- 102/C Dial(PJSIP/102) macro-dial-one,s x"),
        row(3, 1, "PJSIP/102-3 Up 102/C 5551234/- AppDial((Outgoing_Line)) from-internal, x"),
    ]);
    assert_eq!(line(&call), "Up Unknown 5551234@trunk-main > 102");
}

#[test]
fn whoever_was_redirected_away_is_not_who_talks() {
    let call = the_call(&[
        row(1, 1, "PJSIP/102-1 Up 102/C -/- Echo() from-internal,*43 -"),
        row(2, 1, "PJSIP/100-2 Up 100/A 101/B Dial(PJSIP/101) macro-dial-one,s x"),
        row(3, 1, "PJSIP/101-3 Up 101/B 100/A AppDial((Outgoing_Line)) from-internal, x"),
    ]);
    assert_eq!(line(&call), "Up Internal 100 > 101");
}

#[test]
fn a_name_that_belongs_to_another_identity_is_not_the_party_s() {
    let call = the_call(&[
        row(
            1,
            1,
            "PJSIP/104-1 Up +4930100100/Example_Ltd 101/- Dial(PJSIP/101) macro-dial-one,s x",
        ),
        row(
            2,
            1,
            "PJSIP/101-2 Up 101/Example_Ltd +4930100100/Example_Ltd AppDial((Outgoing_Line)) from-internal, x",
        ),
    ]);
    assert_eq!((text(&call.from.name), text(&call.to.name)), ("Dana", "Bob"));
    assert_eq!(call.caller_name.as_deref(), Some("Example Ltd"));
}

#[test]
fn two_numbers_sent_to_one_trunk_are_told_apart_by_what_the_legs_show() {
    let call = the_call(&[
        row(
            1,
            1,
            "PJSIP/100-1 Ring 100/A -/- Dial(PJSIP/5551@trunk-main&PJSIP/5552@trunk-main) macro-dial,s -",
        ),
        row(
            2,
            1,
            "PJSIP/trunk-main-2 Ringing 95551/- 100/A AppDial((Outgoing_Line)) from-pstn,95551 -",
        ),
        row(
            3,
            1,
            "PJSIP/trunk-main-3 Ringing 95552/- 100/A AppDial((Outgoing_Line)) from-pstn,95551 -",
        ),
    ]);
    assert_eq!(
        call.description,
        "100 A is ringing 95551: 5551 (trunk trunk-main) and 5552 (trunk trunk-main)"
    );
}

#[test]
fn call_waiting_is_a_second_call() {
    let calls = from_rows(&[
        row(1, 1, "PJSIP/100-1 Up 100/A 101/B Dial(PJSIP/101) macro-dial-one,s x"),
        row(2, 1, "PJSIP/101-2 Up 101/B 100/A AppDial((Outgoing_Line)) from-internal, x"),
        row(3, 3, "PJSIP/102-3 Ring 102/C 101/B Dial(PJSIP/101) macro-dial-one,s -"),
        row(4, 3, "PJSIP/101-4 Ringing 101/B 102/C AppDial((Outgoing_Line)) from-internal,101 -"),
    ]);
    assert_eq!(lines(&calls), ["Up Internal 100 > 101", "Ringing Internal 102 > 101"]);
}

#[test]
fn a_phone_rung_by_the_pbx_is_called_by_nobody_known() {
    let rung = row(
        1,
        1,
        "PJSIP/128-1 Ringing 128/Clara 129/- AppDial2((Outgoing_Line)) from-internal,129 -",
    );
    let call = the_call(&[rung]);
    assert_eq!(line(&call), "Ringing Unknown 129 > 128");
    assert_eq!((call.from.extension.as_deref(), call.answered), (None, Some(false)));
    assert_eq!(call.description, "128 Clara is being rung for 129");
    let trunk = row(
        1,
        1,
        "PJSIP/trunk-main-1 Ringing 5551234/- -/- AppDial2((Outgoing_Line)) from-pstn,s -",
    );
    assert_eq!(line(&the_call(&[trunk])), "Ringing Outbound - > 5551234@trunk-main");
    // Once the first phone has answered, click-to-call reads like a call from it.
    let local = the_call(&[
        row(
            1,
            1,
            "Local/101@from-internal-1;1 Up 101/- 5551234/- Dial(PJSIP/5551234@trunk-main) macro-dialout-trunk,s x",
        ),
        row(
            2,
            1,
            "Local/101@from-internal-1;2 Up 5551234/- 101/- Dial(PJSIP/101) macro-dial-one,s y",
        ),
        row(3, 1, "PJSIP/101-3 Up 101/Bob 5551234/- AppDial((Outgoing_Line)) from-internal, y"),
        row(4, 1, "PJSIP/trunk-main-4 Ringing s/- 101/- AppDial((Outgoing_Line)) from-pstn,s -"),
    ]);
    assert_eq!(local.from.number.as_deref(), Some("101"));
    assert_eq!((text(&local.to.number), local.direction), ("5551234", Direction::Outbound));
}

#[test]
fn a_call_may_last_for_more_than_a_day() {
    let rows = [
        row(1, 1, "PJSIP/100-1 Up 100/A 101/B Dial(PJSIP/101) macro-dial-one,s x"),
        row(2, 1, "PJSIP/101-2 Up 101/B 100/A AppDial((Outgoing_Line)) from-internal, x"),
    ];
    let rows = rows.map(|row| row.replace("00:12:30", "26:05:00"));
    let call = the_call(&rows);
    assert_eq!((call.duration_seconds, call.talk_seconds), (Some(93_900), Some(93_900)));
    assert_eq!(call.description, "100 A has been talking to 101 B for about 26 hours 5 minutes");
}

#[test]
fn a_call_is_as_old_as_its_oldest_channel_and_its_talk_as_its_youngest() {
    let answered =
        row(2, 1, "PJSIP/101-2 Up 101/B 100/A AppDial((Outgoing_Line)) from-internal, x");
    let call = the_call(&[
        row(1, 1, "PJSIP/100-1 Up 100/A 101/B Dial(PJSIP/101) macro-dial-one,s x"),
        answered.replace("00:12:30", "00:00:45"),
        row(3, 1, "PJSIP/102-3 Ringing 102/C 100/A AppDial((Outgoing_Line)) from-internal, -")
            .replace("00:12:30", "00:00:05"),
    ]);
    assert_eq!((call.duration_seconds, call.talk_seconds), (Some(750), Some(45)));
    assert_eq!(call.description, "100 A has been talking to 101 B for about 45 seconds");
}

#[test]
fn escaped_names_are_read_and_names_cannot_break_the_sentence() {
    let call = the_call(&[
        row(
            1,
            1,
            "PJSIP/100-1 Up 100/O\\'Brien\\n\\t\\\"Q\\\" 101/B Dial(PJSIP/101) macro-dial-one,s x",
        ),
        row(2, 1, "PJSIP/101-2 Up 101/B 100/O\\'Brien AppDial((Outgoing_Line)) from-internal, x"),
    ]);
    assert_eq!(call.caller_name.as_deref(), Some("O'Brien\n\t\"Q\""));
    assert!(call.description.starts_with("100 O'Brien \"Q\" has been talking to 101 B"));
}

#[test]
fn a_partner_that_vanished_between_lists_is_still_known_by_its_number() {
    let call =
        the_call(&[row(1, 1, "PJSIP/100-1 Up 100/A 101/B Dial(PJSIP/101) macro-dial-one,s gone")]);
    assert_eq!(line(&call), "Up Internal 100 > 101");
    assert_eq!((call.to.extension.as_deref(), call.talk_seconds), (Some("101"), None));
    assert_eq!(call.description, "100 A has been connected to 101 B for 12 minutes");
    let unnamed =
        the_call(&[row(1, 1, "PJSIP/100-1 Up 100/A 101/- Dial(PJSIP/101) macro-dial-one,s gone")]);
    assert_eq!(text(&unnamed.to.name), "Bob", "the directory knows it");
    let outside = the_call(&[row(
        1,
        1,
        "PJSIP/100-1 Up 100/A 5551234/CID:+15550100 Dial(PJSIP/5551234@trunk-main) macro-x,s gone",
    )]);
    assert_eq!((text(&outside.to.number), text(&outside.to.name)), ("5551234", "-"));
    let left = the_call(&[row(
        2,
        1,
        "PJSIP/101-2 Ringing 101/B 100/A AppDial((Outgoing_Line)) from-internal,101 -",
    )]);
    assert_eq!(line(&left), "Ringing Unknown 100 > 101");
}

#[test]
fn a_call_being_set_up_goes_where_dial_says() {
    let out = row(
        1,
        1,
        "PJSIP/100-1 Ring 100/A -/- Dial(PJSIP/5551234@trunk-main,300) macro-dialout-trunk,s -",
    );
    assert_eq!(line(&the_call(&[out])), "Dialing Outbound 100 > 5551234@trunk-main");
    let inside = row(
        1,
        1,
        "PJSIP/trunk-main-1 Ring +1555/- -/- Dial(PJSIP/101/sip:1@h&PJSIP/101/sip:1@i) macro-dial-one,s -",
    );
    let inside = the_call(&[inside]);
    assert_eq!(line(&inside), "Dialing Inbound +1555@trunk-main > 101");
    assert_eq!(inside.description, "+1555 (trunk trunk-main) is calling 101 Bob");
}

#[test]
fn a_busy_party_is_busy() {
    let call = the_call(&[
        row(1, 1, "PJSIP/100-1 Ring 100/A 101/- Dial(PJSIP/101) macro-dial-one,s -"),
        row(2, 1, "PJSIP/101-2 Busy 101/B 100/A AppDial((Outgoing_Line)) from-internal,101 -"),
    ]);
    assert_eq!((call.state, call.direction), (CallState::Busy, Direction::Internal));
    let tone = the_call(&[row(1, 1, "PJSIP/100-1 Ring 100/A -/- Busy(20) macro-x,s -")]);
    assert_eq!(tone.state, CallState::Busy);
}

#[test]
fn of_a_group_only_those_are_rung_who_are_not_busy_and_have_not_answered() {
    let call = the_call(&[
        row(1, 1, "PJSIP/100-1 Ring 100/A -/- Dial(PJSIP/101&PJSIP/102&PJSIP/103) macro-dial,s -"),
        row(2, 1, "PJSIP/101-2 Busy 101/B 100/A AppDial((Outgoing_Line)) from-internal,s -"),
        row(3, 1, "PJSIP/102-3 Ringing 102/C 100/A AppDial((Outgoing_Line)) from-internal,s -"),
        row(4, 1, "PJSIP/103-4 Down 103/D 100/A AppDial((Outgoing_Line)) from-internal,s -"),
    ]);
    assert_eq!(call.description, "100 A is ringing 102 C and 103 D");
}

#[test]
fn a_conference_is_known_by_its_bridge_or_by_what_its_callers_run() {
    let runs = "PJSIP/100-1 Up 100/A -/- MeetMe(600,dM) from-internal,STARTMEETME -";
    assert_eq!(line(&the_call(&[row(1, 1, runs)])), "Conference Internal 100 > 600");
    // Who was dialled into one runs nothing that would name it.
    let dialled =
        row(1, 1, "PJSIP/101-1 Up 101/B 100/A AppDial((Outgoing_Line)) from-internal,s c");
    let bridge = "Event: BridgeListItem\nBridgeUniqueid: c\nBridgeTechnology: softmix\n\
                  BridgeCreator: ConfBridge\nBridgeName: 601\n";
    let calls = judge(&answers(&[
        (Action::new(ReadAction::CoreShowChannels), &dialled),
        (Action::new(ReadAction::BridgeList), bridge),
    ]));
    assert_eq!(lines(&calls), ["Conference Unknown 101 > 601"]);
    let room = Action::new(ReadAction::ConfbridgeList).with("Conference", "602").unwrap();
    let member = "Event: ConfbridgeList\nConference: 602\nUniqueid: pbx-1795245000.1\n\
                  AnsweredTime: 30";
    let alone =
        judge(&answers(&[(Action::new(ReadAction::CoreShowChannels), &dialled), (room, member)]));
    assert_eq!(alone[0].description, "101 B has been in conference 602 for 30 seconds, alone");
    assert_eq!(alone[0].talk_seconds, None, "there is nobody to talk to");
}

#[test]
fn a_call_is_parked_where_the_bridge_or_its_application_alone_says_so() {
    let runs = row(1, 1, "PJSIP/102-1 Up 102/C 103/D Park() park,70 p");
    assert_eq!(line(&the_call(&[runs])), "Parked Internal 102 > -");
    let transferred = row(1, 1, "PJSIP/103-1 Up 103/D 104/E Dial(PJSIP/104) macro-dial-one,s p");
    let bridge = "Event: BridgeListItem\nBridgeUniqueid: p\nBridgeTechnology: holding_bridge\n\
                  BridgeCreator: Parking\nBridgeName: <unknown>\n";
    let calls = judge(&answers(&[
        (Action::new(ReadAction::CoreShowChannels), &transferred),
        (Action::new(ReadAction::BridgeList), bridge),
    ]));
    assert_eq!(lines(&calls), ["Parked Internal 103 > -"]);
}

#[test]
fn of_a_parked_call_the_one_who_waits_is_named_and_not_who_parked_it() {
    let rows = [
        row(1, 1, "PJSIP/100-1 Up 100/A 101/B Playback(digits/71) macro-dial-one,s -"),
        row(2, 1, "PJSIP/101-2 Up 101/B 100/A AppDial((Outgoing_Line)) from-internal, p"),
    ];
    let calls = judge(&answers(&[
        (Action::new(ReadAction::CoreShowChannels), &rows.join("\n\n")),
        (
            Action::new(ReadAction::ParkedCalls),
            "Event: ParkedCall\nParkeeUniqueid: pbx-1795245000.2\nParkingSpace: 71\n",
        ),
    ]));
    assert_eq!(lines(&calls), ["Parked Unknown 101 > 71"]);
}

#[test]
fn conferences_and_parking_are_told_apart_without_the_list_of_bridges() {
    let rows = [
        row(1, 1, "PJSIP/100-1 Up 100/A -/- ConfBridge(600,,,) from-internal,STARTMEETME c"),
        row(2, 2, "PJSIP/101-2 Up 101/B -/- ConfBridge(600,,,) from-internal,STARTMEETME c"),
        row(3, 3, "PJSIP/102-3 Up 102/C 103/D Park() park,70 p"),
        row(4, 4, "PJSIP/103-4 Up 103/D 104/E Dial(PJSIP/104) macro-dial-one,s p"),
    ];
    let rows = rows.join("\n\n");
    let parked = "Event: ParkedCall\nParkeeUniqueid: pbx-1795245000.3\nParkingSpace: 71\n\
                  ParkingDuration: 9\n\nEvent: ParkedCall\nParkeeUniqueid: pbx-1795245000.4\n\
                  ParkingSpace: 72\nParkingDuration: 8\n";
    let calls = judge(&answers(&[
        (Action::new(ReadAction::CoreShowChannels), &rows),
        (Action::new(ReadAction::ParkedCalls), parked),
    ]));
    assert_eq!(
        lines(&calls),
        [
            "Conference Internal 100 > 600",
            "Conference Internal 101 > 600",
            "Parked Internal 102 > 71",
            "Parked Internal 103 > 72",
        ]
    );
    assert_eq!(calls[3].description, "103 D has been parked on 72 for 8 seconds");
    assert_eq!(calls[0].description, "100 A has been in conference 600, with 1 other");
}

#[test]
fn a_call_picked_up_from_parking_is_a_talk() {
    let rows = [
        row(1, 1, "PJSIP/trunk-main-1 Up +1555/Cust 102/C Park() park,70 b"),
        row(2, 1, "PJSIP/102-2 Up 102/C +1555/Cust ParkedCall(default,71) parkedcalls,71 b"),
    ];
    let rows = rows.join("\n\n");
    let bridge = "Event: BridgeListItem\nBridgeUniqueid: b\nBridgeTechnology: simple_bridge\n\
                  BridgeCreator: <unknown>\nBridgeName: <unknown>\n";
    let calls = judge(&answers(&[
        (Action::new(ReadAction::CoreShowChannels), &rows),
        (Action::new(ReadAction::BridgeList), bridge),
        // An instant older: the call was still parked.
        (
            Action::new(ReadAction::ParkedCalls),
            "Event: ParkedCall\nParkeeUniqueid: pbx-1795245000.1\nParkingSpace: 71\n",
        ),
    ]));
    assert_eq!(lines(&calls), ["Up Inbound +1555@trunk-main > 102"]);
    // Without the list of bridges, that of parked calls says it by what it lacks.
    let calls = judge(&answers(&[
        (Action::new(ReadAction::CoreShowChannels), &rows),
        (Action::new(ReadAction::ParkedCalls), ""),
    ]));
    assert_eq!(lines(&calls), ["Up Inbound +1555@trunk-main > 102"]);
}

#[test]
fn those_who_wait_in_one_bridge_are_calls_of_their_own() {
    let channels = |application: &str| {
        let one = row(1, 1, &format!("PJSIP/101-1 Up 101/B 100/A {application} from-internal,s w"));
        let other =
            row(2, 2, &format!("PJSIP/103-2 Up 103/D 104/E {application} from-internal,s w"));
        (Action::new(ReadAction::CoreShowChannels), format!("{one}\n\n{other}"))
    };
    let calls = |application: &str, action: ReadAction, rows: &str| {
        let (list, channels) = channels(application);
        judge(&answers(&[(list, &channels), (Action::new(action), rows)])).len()
    };
    let dialled = "AppDial((Outgoing_Line))";
    assert_eq!(calls(dialled, ReadAction::ParkedCalls, ""), 1, "they talk");
    let parked = "Event: ParkedCall\nParkeeUniqueid: pbx-1795245000.1\n\n\
                  Event: ParkedCall\nParkeeUniqueid: pbx-1795245000.2\n";
    assert_eq!(calls(dialled, ReadAction::ParkedCalls, parked), 2);
    assert_eq!(calls("AgentLogin(1)", ReadAction::ParkedCalls, ""), 2);
    assert_eq!(calls("BridgeWait(,)", ReadAction::ParkedCalls, ""), 2);
    let holding = "Event: BridgeListItem\nBridgeUniqueid: w\nBridgeTechnology: holding_bridge\n\
                   BridgeCreator: <unknown>\nBridgeName: <unknown>\n";
    assert_eq!(calls(dialled, ReadAction::BridgeList, holding), 2);
}

#[test]
fn a_second_device_of_an_extension_shows_the_extensions_number_and_a_name_of_its_own() {
    let call = the_call(&[
        row(1, 1, "PJSIP/99100-1 Up 100/Laptop 101/B Dial(PJSIP/101) macro-dial-one,s x"),
        row(2, 1, "PJSIP/101-2 Up 101/B 100/Laptop AppDial((Outgoing_Line)) from-internal, x"),
    ]);
    assert_eq!(
        (line(&call), text(&call.from.name)),
        ("Up Internal 100 > 101".to_owned(), "Laptop")
    );
}

#[test]
fn a_trunks_leg_that_shows_nothing_reaches_what_the_caller_is_connected_to() {
    let call = the_call(&[
        row(1, 1, "PJSIP/100-1 Up 100/A 5551234/- - from-internal,s x"),
        row(2, 1, "PJSIP/trunk-main-2 Up -/- 100/A AppDial((Outgoing_Line)) from-pstn,s x"),
    ]);
    assert_eq!(line(&call), "Up Outbound 100 > 5551234@trunk-main");
}

#[test]
fn only_dials_data_says_who_is_called() {
    let call =
        the_call(&[row(1, 1, "PJSIP/100-1 Up 100/A -/- Page(PJSIP/101) from-internal,*80 -")]);
    assert_eq!(line(&call), "Up Internal 100 > *80");
}

#[test]
fn of_parties_with_an_extension_each_none_is_the_group() {
    let call = the_call(&[
        row(1, 1, "PJSIP/100-1 Ring 100/A -/- Dial(PJSIP/101&PJSIP/102) from-internal,600 -"),
        row(2, 1, "PJSIP/101-2 Ringing 101/B 100/A AppDial((Outgoing_Line)) from-internal,101 -"),
        row(3, 1, "PJSIP/102-3 Ringing 102/C 100/A AppDial((Outgoing_Line)) from-internal,102 -"),
    ]);
    assert_eq!(line(&call), "Ringing Internal 100 > 600");
}

#[test]
fn hold_is_what_a_device_says_and_music_is_not_hold() {
    let rows = [
        row(1, 1, "PJSIP/100-1 Up 100/A 101/B Dial(PJSIP/101) macro-dial-one,s x"),
        row(2, 1, "PJSIP/101-2 Up 101/B 100/A AppDial((Outgoing_Line)) from-internal, x"),
        row(3, 3, "PJSIP/102-3 Up 102/C -/- MusicOnHold(default) from-internal,*65 -"),
        row(4, 4, "SIP/200-4 Up 200/- 201/- Dial(SIP/201) macro-dial-one,s y"),
        row(5, 4, "SIP/201-5 Up 201/- 200/- AppDial((Outgoing_Line)) from-internal, y"),
        row(6, 6, "SIP/202-6 Up 202/- 201/- Dial(SIP/201) macro-dial-one,s z"),
        row(7, 6, "SIP/201-7 Up 201/- 202/- AppDial((Outgoing_Line)) from-internal, z"),
        row(8, 8, "PJSIP/103-8 Up 103/D 104/E Dial(PJSIP/104&PJSIP/105) macro-dial-one,s w"),
        row(9, 8, "PJSIP/104-9 Up 104/E 103/D AppDial((Outgoing_Line)) from-internal, w"),
        // Holds another call, and has no part in the talk.
        row(10, 8, "PJSIP/105-10 Ringing 105/F 103/D AppDial((Outgoing_Line)) from-internal, -"),
    ];
    let rows = rows.join("\n\n");
    let states = "Event: DeviceStateChange\nDevice: SIP/201\nState: ONHOLD\n\n\
                  Event: DeviceStateChange\nDevice: SIP/202\nState: ONHOLD\n";
    let endpoints = "Event: EndpointList\nObjectName: 101\nDeviceState: On Hold\n\n\
                     Event: EndpointList\nObjectName: 105\nDeviceState: On Hold\n";
    let calls = judge(&answers(&[
        (Action::new(ReadAction::CoreShowChannels), &rows),
        (Action::new(ReadAction::DeviceStateList), states),
        (Action::new(ReadAction::PjsipShowEndpoints), endpoints),
    ]));
    let states: Vec<_> = calls.iter().map(|call| call.state.as_str()).collect();
    // chan_sip says ONHOLD for either of 201's calls, and does not say for which; 202 has but one.
    assert_eq!(states, ["On hold", "Up", "Up", "On hold", "Up"]);
    assert!(calls[0].description.ends_with("for about 12 minutes, one side on hold"));
}

#[test]
fn servers_without_linkedid_pair_who_talks_and_leave_who_rings() {
    let row = |id: u32, channel: &str, state: u32, own: &str, other: &str, rest: &str| {
        format!(
            "Event: CoreShowChannel\nChannel: {channel}\nUniqueID: 1795245000.{id}\n\
             ChannelState: {state}\nCallerIDnum: {own}\nConnectedLineNum: {other}\n{rest}"
        )
    };
    let calls = from_rows(&[
        row(1, "SIP/200-1", 6, "200", "201", "Application: Dial\nBridgedUniqueID: 1795245000.2"),
        row(2, "SIP/201-2", 6, "201", "200", "Application: AppDial\nBridgedUniqueID: "),
        row(3, "SIP/202-3", 4, "202", "203", "Application: Dial\nApplicationData: SIP/203"),
        row(4, "SIP/203-4", 5, "203", "202", "Application: AppDial"),
    ]);
    assert_eq!(
        lines(&calls),
        ["Up Internal 200 > 201", "Dialing Internal 202 > 203", "Ringing Unknown 202 > 203"]
    );
    assert_eq!(calls[0].call_id, "1795245000.1");
    assert_eq!(calls[0].duration_seconds, Some(750));
}

#[test]
fn an_id_that_somebody_chose_is_no_time() {
    let chosen = row(1, 1, "PJSIP/100-1 Up 100/A -/- Echo() from-internal,*43 -");
    let call = the_call(&[chosen.replace("pbx-1795245000.1", "my-own.1")]);
    assert_eq!(call.call_id, "my-own.1");
    assert_eq!(call.started_at, Some(now().plus_seconds(-750)));
}

#[test]
fn menus_and_services_are_calls_of_one_party() {
    let calls = from_rows(&[
        row(1, 1, "PJSIP/trunk-main-1 Up +1555/Cust -/- WaitExten(10) ivr-1,2 -"),
        row(2, 2, "PJSIP/101-2 Up 101/B -/- VoiceMailMain(101@default) app-vmmain,*97 -"),
        row(3, 3, "PJSIP/anonymous-3 Up bob/- -/- Playback(x) from-sip-external,s -"),
        row(4, 4, "PJSIP/99100-4 Up 100/- -/- Echo() from-internal,*43 -"),
        row(6, 6, "PJSIP/trunk-main-6 Up +1557/- 101/- VoiceMail(101@default,u) macro-vm,vmu101 -"),
        row(7, 7, "PJSIP/trunk-main-7 Up +1558/- -/- Queue() ext-queues,s -"),
        row(8, 8, "PJSIP/102-8 Up 102/C -/- AGI(clock.agi) from-internal,*60 -"),
        row(5, 5, "DAHDI/i1/5551234-1a Up +1556/- -/- Background(menu) from-digital,5559999 -"),
    ]);
    assert_eq!(
        lines(&calls),
        [
            "Up Inbound +1555@trunk-main > -",
            "Up Internal 101 > *97",
            "Up Unknown bob > -",
            "Up Internal 100 > *43",
            "Up Inbound +1556@DAHDI/i1/5551234 > 5559999",
            "Up Inbound +1557@trunk-main > 101",
            "Queued Inbound +1558@trunk-main > -",
            "Up Internal 102 > *60",
        ]
    );
    assert_eq!(
        calls[0].description,
        "+1555 Cust (trunk trunk-main) has been in a menu for 12 minutes"
    );
    assert_eq!(calls[1].description, "101 B has been listening to voicemail (*97) for 12 minutes");
    assert_eq!(calls[3].from.name.as_deref(), Some("Alice"));
    assert_eq!(
        calls[5].description,
        "+1557 (trunk trunk-main) has been leaving a voicemail message (101 Bob) for 12 minutes"
    );
    assert_eq!(
        calls[6].description,
        "+1558 (trunk trunk-main) has been waiting in a queue for 12 minutes"
    );
    assert_eq!(calls[7].description, "102 C has been connected to *60 (AGI) for 12 minutes");
}

#[test]
fn no_channels_are_no_calls() {
    assert_eq!(from_rows(&[]), []);
}

#[test]
fn thousands_of_channels_of_one_linkedid_are_one_call() {
    let rows: Vec<String> = (1..=5_000)
        .map(|id| row(id, 1, &format!("PJSIP/trunk-main-{id:x} Ringing s/- 100/A AppDial((Outgoing_Line)) from-pstn,s -")))
        .collect();
    assert_eq!(the_call(&rows).channels.len(), 5_000);
}

fn any_row() -> impl Strategy<Value = String> {
    let names =
        ["PJSIP/100", "PJSIP/101", "PJSIP/trunk-main", "SIP/200", "Local/101@from-internal"];
    let suffix = |at: usize, id: u32| match at {
        4 => format!("-{};{}", id / 2, id % 2 + 1),
        _ => format!("-{id:x}"),
    };
    let channel = (0..names.len(), 1..12u32).prop_map(move |(at, id)| {
        (format!("{}{}", names[at], suffix(at, id)), u32::try_from(at).unwrap() * 100 + id)
    });
    let state = prop::sample::select(vec!["Down", "Ring", "Ringing", "Up", "Busy"]);
    let application = prop::sample::select(vec![
        "Dial(PJSIP/101&PJSIP/5551@trunk-main)",
        "AppDial((Outgoing_Line))",
        "AppDial2(x)",
        "Queue(400,t)",
        "ConfBridge(600)",
        "Park()",
        "Echo()",
        "-",
    ]);
    let place = prop::sample::select(vec!["from-internal,100", "macro-dial,s", "ivr-1,2", "x,"]);
    let bridge = prop::sample::select(vec!["-", "a", "b", "c"]);
    (channel, 1..6u32, state, application, place, bridge).prop_map(
        |((channel, id), linked, state, application, place, bridge)| {
            let text =
                format!("{channel} {state} 100/\u{202e}x\\a 101/y {application} {place} {bridge}");
            let row = row(id, linked, &text);
            if linked == 5 { row.replace("Linkedid: pbx-1795245000.5", "Linkedid: ") } else { row }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// `from_rows` itself checks that every channel is in exactly one call.
    #[test]
    fn any_channels_make_calls_whatever_their_order(
        rows in prop::collection::vec(any_row(), 0..24),
        turn in 0..24usize,
    ) {
        let mut seen = BTreeSet::new();
        let channel = |row: &String| row.lines().nth(1).map(str::to_owned);
        let mut rows: Vec<String> = rows.into_iter().filter(|r| seen.insert(channel(r))).collect();
        let calls = from_rows(&rows);
        let ids: BTreeSet<_> = calls.iter().map(|call| &call.call_id).collect();
        prop_assert_eq!(ids.len(), calls.len());
        for call in &calls {
            prop_assert!(call.channels.contains(&call.channel));
            let unwanted = |c: char| c.is_control() || c == '\u{202e}';
            prop_assert!(!call.description.contains(unwanted));
            prop_assert_eq!(call.talk_seconds.is_some(), call.talk_source.is_some());
        }
        if !rows.is_empty() {
            let middle = turn % rows.len();
            rows.rotate_left(middle);
        }
        prop_assert_eq!(calls, from_rows(&rows));
    }
}
