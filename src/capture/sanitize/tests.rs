//! What is replaced, what stays, and that nothing of anybody survives.

use proptest::prelude::*;

use super::*;

/// An answer as the only one of a capture.
fn of(action: &str, blocks: &str) -> Capture {
    Capture {
        banner: "Asterisk Call Manager/11.0.0".to_owned(),
        recorded: vec![Recorded {
            name: action.to_owned(),
            request: format!("Action: {action}\r\nActionID: x-1\r\n\r\n").into_bytes(),
            answer: blocks.replace('\n', "\r\n").into_bytes(),
        }],
    }
}

fn text(capture: &Capture) -> String {
    let parts = capture.recorded.iter().flat_map(|it| [&it.request, &it.answer]);
    parts.map(|bytes| String::from_utf8_lossy(bytes).replace('\r', "")).collect()
}

fn sanitized(blocks: &str) -> String {
    let options = Options::default();
    text(&sanitize(&of("X", blocks), &Key::from_bytes([7; 32]), options).capture)
}

/// The value of the nth header of that name.
fn value<'a>(text: &'a str, header: &str, nth: usize) -> &'a str {
    let marked = format!("{header}: ");
    let mut values = text.lines().filter_map(|line| line.strip_prefix(&marked));
    values.nth(nth).unwrap_or_else(|| panic!("no {header} {nth} in {text}"))
}

#[test]
fn states_times_contexts_and_codes_stay() {
    let block = "Event: CoreShowChannel\nActionID: x-1\nChannelState: 6\nChannelStateDesc: Up\n\
                 CallerIDName: <unknown>\nContext: macro-dial-one\nExten: s\nPriority: 57\n\
                 Uniqueid: 1795245677.14\nApplication: Dial\nApplicationData: (Outgoing Line)\n\
                 Duration: 00:01:11\nBridgeId: ee825943-821a-4bdf-a7a4-aa8e2b02d150\n\n\
                 Event: ContactStatusDetail\nStatus: Reachable\nRegExpire: 1795249276\n\
                 URI: sip:100@127.0.0.1:23000;transport=udp;ob\nRoundtripUsec: 1204567\n\n\
                 Response: Error\nMessage: No endpoints found\n\n\
                 Event: QueueMember\nQueue: 400\nLocation: Local/113@from-queue/n\n\
                 StateInterface: hint:113@ext-local\nLoginTime: 1795245675\nPaused: 0\n\n\
                 Event: ExtensionStatus\nHint: PJSIP/104&Custom:DND104,CustomPresence:104\n\n\
                 Event: DeviceStateChange\nDevice: Queue:400_pause_PJSIP/100\nState: NOT_INUSE\n\n\
                 Event: EndpointList\nAuths: 100-auth\nTransport: 127.0.0.1-udp\n\n\
                 Response: Success\nVariable: STRFTIME(,,%z)\nValue: +0100\n\n";
    assert!(sanitized(block).ends_with(block), "{}", sanitized(block));
    // Even where somebody is called like a word of the dialplan.
    let one = sanitized(&format!(
        "Event: QueueMember\nName: Agent One: Status Error Complete\n\n{block}"
    ));
    assert!(one.ends_with(block), "{one}");
}

#[test]
fn a_token_is_called_the_same_wherever_it_stands() {
    let text = sanitized(
        "Event: EndpointList\nObjectName: acme-main\nAuths: acme-main-auth\n\n\
         Event: Any\nChannel: PJSIP/acme-main-0000002a\nHint: PJSIP/acme-main&Custom:x\n\
         Location: Local/acme-main@from-queue/n\nContext: from-trunk-sip-acme-main\n\
         ClientUri: sip:4930555001@sip.acme.test:5160\nExten: 0049305550010\n\
         CallerIDNum: +4930555001\nKey: /DEVICE/acme-main/user\nUniqueid: boxname-1795245677.14\n\
         SystemName: boxname\nServerUri: sip:SIP.acme.test\nEmail: jo.doe@acme.test\n\n",
    );
    let trunk = value(&text, "ObjectName", 0);
    assert!(trunk.chars().all(|c| c.is_ascii_lowercase()), "{text}");
    assert_eq!(value(&text, "Auths", 0), format!("{trunk}-auth"));
    assert_eq!(value(&text, "Channel", 0), format!("PJSIP/{trunk}-0000002a"));
    assert!(value(&text, "Hint", 0).starts_with(&format!("PJSIP/{trunk}&Custom:")));
    assert_eq!(value(&text, "Location", 0), format!("Local/{trunk}@from-queue/n"));
    assert_eq!(value(&text, "Context", 0), format!("from-trunk-sip-{trunk}"));
    let number = value(&text, "CallerIDNum", 0).strip_prefix("+1555").unwrap();
    assert_eq!(number.len(), 6);
    let host = value(&text, "ServerUri", 0).strip_prefix("sip:").unwrap();
    assert!(host.ends_with(".example.com"), "{host}");
    assert_eq!(value(&text, "ClientUri", 0), format!("sip:1555{number}@{host}:5160"));
    let other = value(&text, "Exten", 0);
    assert!(other.starts_with("001555") && other.len() == 13, "{other}");
    let system = value(&text, "SystemName", 0);
    assert_eq!(value(&text, "Uniqueid", 0), format!("{system}-1795245677.14"));
    assert_eq!(value(&text, "Email", 0).split_once('@').unwrap().1.split('.').count(), 3);
}

#[test]
fn names_lose_their_words_and_keep_their_shape() {
    let text = sanitized(
        "Event: CoreShowChannel\nCallerIDName: Jörg O\\'Brien \\\"Jo\\\"\nConnectedLineName: PARK, Mary\n\n\
         Event: QueueMember\nName: Jörg O'Brien \"Jo\"\n\n\
         Event: DBGetTreeResponse\nKey: /AMPUSER/100/cidname\nVal: mary Park\n\n\
         Event: PeerEntry\nDescription: \"Mary\" <100>\nCallerid: device <100>\n\
         Name: Office +49 (30) 5550-139\n\n",
    );
    let escaped = value(&text, "CallerIDName", 0);
    assert_eq!(crate::ami::unescape(escaped), value(&text, "Name", 0));
    assert!(
        escaped.contains("\\'") && escaped.contains(" \\\"") && !escaped.is_ascii(),
        "{escaped}"
    );
    let (park, mary) = value(&text, "ConnectedLineName", 0).split_once(", ").unwrap();
    assert_eq!(park, park.to_uppercase());
    let lower = |word: &str| word.to_lowercase();
    let (again, upper) = value(&text, "Val", 0).split_once(' ').unwrap();
    assert_eq!((lower(mary), lower(park)), (again.to_owned(), lower(upper)));
    assert_eq!(value(&text, "Description", 0), format!("\"{mary}\" <100>"));
    assert_eq!(value(&text, "Callerid", 0), "device <100>");
    let (_, office) = value(&text, "Name", 1).split_once('+').unwrap();
    let digits = |c: char| if c.is_ascii_digit() { '0' } else { c };
    assert_eq!(office.chars().map(digits).collect::<String>(), "00 (00) 0000-000");
    for word in ["Jörg", "Brien", "Park", "PARK", "Mary", "Office", "49 (30"] {
        assert!(!text.contains(word), "{word} in {text}");
    }
}

#[test]
fn addresses_of_all_kinds_go_to_ranges_for_documentation() {
    let text = sanitized(
        "Event: X\nIPaddress: 203.0.114.9\nViaAddress: 203.0.114.9:5060\nA: [2a01:4f8::17]:5061\n\
         B: 2a01:4f8::17\nC: 127.0.0.1:5060\nD: ::1\nE: 255.255.255.0\nF: 80:5e:c0:12:34:56\n\
         G: 805EC0123456\nH: 80-5e-c0-12-34-56/24\nJ: ::ffff:203.0.114.9\nMedia: 10.20.30.40/24\n\n",
    );
    let four = value(&text, "IPaddress", 0);
    let documentation = ["192.0.2.", "198.51.100.", "203.0.113."];
    assert!(documentation.iter().any(|range| four.starts_with(range)), "{four}");
    assert_eq!(value(&text, "ViaAddress", 0), format!("{four}:5060"));
    assert_eq!(value(&text, "J", 0), format!("::ffff:{four}"));
    let six = value(&text, "B", 0);
    assert!(six.starts_with("2001:db8:"), "{six}");
    assert_eq!(value(&text, "A", 0), format!("[{six}]:5061"));
    for (header, stays) in [("C", "127.0.0.1:5060"), ("D", "::1"), ("E", "255.255.255.0")] {
        assert_eq!(value(&text, header, 0), stays);
    }
    let hardware = value(&text, "F", 0);
    assert!(hardware.starts_with("02:00:5e:"), "{hardware}");
    assert_eq!(value(&text, "G", 0), hardware.replace(':', "").to_uppercase());
    assert_eq!(value(&text, "H", 0), hardware.replace(':', "-") + "/24");
    assert!(value(&text, "Media", 0).ends_with("/24"));
}

#[test]
fn a_user_agent_says_what_it_is_and_not_which_one() {
    let agent = |said: &str| {
        let text = sanitized(&format!("Event: X\nCallerIDName: Mary\nUserAgent: {said}\n\n"));
        value(&text, "UserAgent", 0).to_owned()
    };
    for stays in
        ["Yealink SIP-T46S 66.86.0.15", "FPBX-16.0.40.7(16.28.0)", "Grandstream GXP2170 1.0.11"]
    {
        assert_eq!(agent(stays), stays);
    }
    for (said, kept, gone) in [
        (
            "Yealink SIP-T46S 66.86.0.15 805ec0123456",
            "Yealink SIP-T46S 66.86.0.15 ",
            "805ec0123456",
        ),
        ("snom715/8.9.3 0004132F1A2B", "snom715/8.9.3 ", "0004132F1A2B"),
        ("Mary's iPhone", "'s iPhone", "Mary"),
        ("Linphone/5.0 (Otto's iPhone; Android 14)", "'s iPhone; Android 14)", "Otto"),
        ("VVX_411 SN12345AB9", "VVX_411 ", "12345AB9"),
    ] {
        let agent = agent(said);
        assert!(agent.contains(kept) && !agent.contains(gone), "{agent}");
    }
}

#[test]
fn secrets_become_a_marker_wherever_they_stand() {
    let text = sanitized(
        "Event: AuthDetail\nPassword: hunter2\nMd5Cred: 0123456789abcdef0123456789abcdef\nUsername: 5550400\n\n\
         Response: Success\nChallenge: 831606307\n\n\
         Event: DBGetTreeResponse\nKey: /AMPUSER/100/password\nVal: 4711\n\n\
         Event: DBGetTreeResponse\nKey: /AMPUSER/100/vmpin\nVal: 4712\n\n",
    );
    for gone in ["hunter2", "0123456789abcdef", "831606307", "4711", "4712"] {
        assert!(!text.contains(gone), "{gone} in {text}");
    }
    assert_eq!(text.matches("[redacted]").count(), 5, "{text}");
}

#[test]
fn a_contact_in_astdb_stays_an_object() {
    let contact = r#"{"via_addr":"203.0.114.9","qualify_timeout":"3.000000","call_id":"a8b@203.0.114.9","reg_server":"boxname","uri":"sip:100@203.0.114.9:5060","expiration_time":"1795249276","user_agent":"Yealink SIP-T46S 66.86.0.15","endpoint":"acme-main"}"#;
    let text = sanitized(&format!(
        "Event: DBGetTreeResponse\nKey: /registrar/contact/100;@0a9c2943be7a3d72f92d6253ca9127e9\nVal: {contact}\n\n"
    ));
    let read: serde_json::Value = serde_json::from_str(value(&text, "Val", 0)).unwrap();
    assert_eq!(read["expiration_time"], "1795249276");
    assert_eq!(read["user_agent"], "Yealink SIP-T46S 66.86.0.15");
    let address = read["via_addr"].as_str().unwrap();
    assert_eq!(read["uri"], format!("sip:100@{address}:5060"));
    let key = value(&text, "Key", 0);
    assert!(key.starts_with("/registrar/contact/100;@") && !key.contains("0a9c2943"), "{key}");
    assert_eq!(key.len(), "/registrar/contact/100;@0a9c2943be7a3d72f92d6253ca9127e9".len());
    for gone in ["boxname", "acme", "203.0.114.9"] {
        assert!(!text.contains(gone), "{gone} in {text}");
    }
}

#[test]
fn extensions_are_replaced_on_request_and_their_twins_with_them() {
    let blocks = "Event: ExtensionStatus\nExten: 100\nContext: ext-local\nHint: PJSIP/100&PJSIP/99100&Custom:DND100\nCode: *76100\n\n\
                  Event: QueueParams\nQueue: 4000\nMax: 100\nChannel: Local/100@from-queue-00000100;1\n\n\
                  Event: ContactStatusDetail\nURI: sip:100@192.0.2.9:4000\n\n";
    let options = Options { extensions: true };
    let text = text(&sanitize(&of("X", blocks), &Key::from_bytes([7; 32]), options).capture);
    let extension = value(&text, "Exten", 0);
    assert!(extension != "100" && extension.len() == 3, "{text}");
    assert_eq!(
        value(&text, "Hint", 0),
        format!("PJSIP/{extension}&PJSIP/99{extension}&Custom:DND{extension}")
    );
    assert_eq!(value(&text, "Code", 0), format!("*76{extension}"));
    assert_eq!(value(&text, "Max", 0), "100");
    assert_eq!(value(&text, "Channel", 0), format!("Local/{extension}@from-queue-00000100;1"));
    assert!(value(&text, "URI", 0).ends_with(":4000"), "{text}");
    let kept = sanitized(blocks);
    assert_eq!((value(&kept, "Exten", 0), value(&kept, "Code", 0)), ("100", "*76100"));
    assert_eq!(value(&kept, "Queue", 0), "4000");
}

#[test]
fn requests_files_and_ids_follow_their_answers() {
    let mut capture =
        of("PJSIPShowEndpoint", "Event: EndpointDetail\nActionID: x-1\nObjectName: acme-main\n\n");
    capture.recorded[0].request =
        b"Action: PJSIPShowEndpoint\r\nActionID: x-1\r\nEndpoint: acme-main\r\n\r\n".to_vec();
    let done = sanitize(&capture, &Key::from_bytes([7; 32]), Options::default()).capture;
    let text = text(&done);
    let trunk = value(&text, "ObjectName", 0);
    assert_eq!(value(&text, "Endpoint", 0), trunk);
    let name = format!("PJSIPShowEndpoint-{trunk}");
    assert_eq!(done.recorded[0].name, name);
    let id = format!("{}-1", name.to_lowercase());
    assert_eq!((value(&text, "ActionID", 0), value(&text, "ActionID", 1)), (&*id, &*id));
}

#[test]
fn another_key_gives_other_replacements_and_the_same_key_the_same() {
    let capture =
        of("X", "Event: X\nCallerIDName: Mary\nCallerIDNum: 030555013\nIPaddress: 10.0.0.1\n\n");
    let with =
        |byte| text(&sanitize(&capture, &Key::from_bytes([byte; 32]), Options::default()).capture);
    assert_eq!(with(1), with(1));
    let (one, other) = (with(1), with(2));
    for header in ["CallerIDName", "CallerIDNum"] {
        assert_ne!(value(&one, header, 0), value(&other, header, 0), "{header}");
    }
}

#[test]
fn many_tokens_stay_as_many() {
    let blocks: String = (0..3_000)
        .map(|n| {
            format!(
                "Event: X\nCallerIDNum: 555{n:04}\nCallerIDName: p{n}x\nIPaddress: 10.9.{}.{}\n\n",
                n / 250,
                n % 250 + 1
            )
        })
        .collect();
    let text = sanitized(&blocks);
    for header in ["CallerIDNum", "CallerIDName", "IPaddress"] {
        let marked = format!("{header}: ");
        let values: std::collections::BTreeSet<_> =
            text.lines().filter_map(|line| line.strip_prefix(&marked)).collect();
        assert_eq!(values.len(), 3_000, "{header}");
    }
    assert!(
        text.lines().filter_map(|line| line.strip_prefix("CallerIDNum: ")).all(|n| n.len() == 7)
    );
}

/// Somebody's data, one of each kind.
#[derive(Debug, Clone)]
struct Tokens {
    name: (String, String),
    number: String,
    trunk: String,
    address: [u8; 4],
    host: String,
    hardware: [u8; 6],
    secret: String,
    six: u16,
}

fn tokens() -> impl Strategy<Value = Tokens> {
    let words = ("[A-ZÄÖ][a-zéü]{6,10}", "[A-Z][a-z]{6,10}");
    let objects =
        ("[1-9][0-9]{6,13}", "[a-z]{7}-[a-z]{3}[0-9]", "[a-z]{7}\\.[a-z]{7}\\.[a-z]{2,3}");
    let address = [11_u8..120, 2..250, 2..250, 2..250];
    let hardware = any::<[u8; 6]>();
    let more = ("[A-Za-z0-9]{9,16}", 0x100_u16..);
    (words, objects, address, hardware, more).prop_map(
        |(name, (number, trunk, host), address, hardware, (secret, six))| Tokens {
            name,
            number,
            trunk,
            address,
            host,
            hardware,
            secret,
            six,
        },
    )
}

impl Tokens {
    fn address(&self) -> String {
        self.address.map(|part| part.to_string()).join(".")
    }

    fn hardware(&self) -> String {
        self.hardware.map(|part| format!("{part:02x}")).join(":")
    }

    /// They stand in headers of every kind, and in some that nobody knows.
    fn blocks(&self) -> String {
        let Self { name: (first, last), number, trunk, host, secret, six, .. } = self;
        let (address, hardware) = (self.address(), self.hardware());
        let bare = hardware.replace(':', "");
        format!(
            "Event: EndpointList\nObjectName: {trunk}\nAuths: {trunk}-auth\nContacts: {trunk}/sip:{number}@{address}:5060,\n\n\
             Event: CoreShowChannel\nChannel: PJSIP/{trunk}-0000002a\nCallerIDName: {first} {last}\n\
             CallerIDNum: +{number}\nExten: 00{number}\nContext: from-{trunk}\nApplication: Dial\n\
             ApplicationData: PJSIP/{trunk}/sip:{number}@{host},30,b({last}^{address})\nLinkedid: {last}-1795245677.1\n\n\
             Event: ContactStatusDetail\nURI: sip:{number}@[2a01:{six:x}::17]:5061\nViaAddress: {address}:1\n\
             UserAgent: Vendor {bare} ({first}) [{hardware}]\nCallID: {bare}@{host}\n\n\
             Event: QueueMember\nName: {last}, {first}\nPausedReason: call {number} or {last}@{host}\nStatus: {last}\n\n\
             Event: DBGetTreeResponse\nKey: /{last}/{number}/cidname\nVal: {first} ({number})\n\n\
             Event: DBGetTreeResponse\nKey: /AMPUSER/{number}/password\nVal: {secret}\n\n\
             Event: AuthDetail\nUsername: {trunk}\nPassword: {secret}\nMd5Cred: {secret}\nRealm: {host}\n\n\
             Response: Error\nMessage: Unable to retrieve {trunk} of {last} at {address}\n\n\
             Event: Odd\nOdd-Header: {first}_{last}={number};{host}/{address}\nUnheard: {hardware}{{{secret}}}\n{last}\n\n"
        )
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn nothing_of_anybody_survives(all in proptest::collection::vec(tokens(), 1..4), key in any::<[u8; 32]>()) {
        let blocks: String = all.iter().map(Tokens::blocks).collect();
        let capture = of("X", &blocks);
        for extensions in [false, true] {
            let options = Options { extensions };
            let done = sanitize(&capture, &Key::from_bytes(key), options);
            let text = text(&done.capture).to_lowercase();
            prop_assert_eq!(text.lines().count(), blocks.lines().count() + 3);
            for one in &all {
                let bare = one.hardware().replace(':', "");
                let six = format!("2a01:{:x}", one.six);
                let address = one.address();
                for gone in [
                    &one.name.0, &one.name.1, &one.number, &one.trunk, &address, &one.host,
                    &one.hardware(), &bare, &one.secret, &six,
                ] {
                    prop_assert!(!text.contains(&gone.to_lowercase()), "{gone} in {text}");
                }
            }
        }
    }

    #[test]
    fn any_bytes_keep_their_lines_and_headers(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut capture = of("X", "");
        capture.recorded[0].answer = bytes.clone();
        let done = sanitize(&capture, &Key::from_bytes([1; 32]), Options::default()).capture;
        let ends = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
        prop_assert_eq!(ends(&done.recorded[0].answer), ends(&bytes));
    }
}
