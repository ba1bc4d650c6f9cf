//! The codec on real bytes: however a recording is cut, it decodes to the same blocks.

use std::{
    collections::HashSet,
    path::{Path, PathBuf},
};

use freepbx_snapshot::ami::{
    Action, ActionError, Block, Decoder, Exchange, Limits, ReadAction, decode_recording,
};
use proptest::prelude::*;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// Every recording below `tests/fixtures`.
fn recordings() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![fixtures()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "ami") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The blocks of a stream that arrives in pieces.
fn decode<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<String> {
    let mut decoder = Decoder::new(Limits::default());
    let mut found = Vec::new();
    for piece in pieces {
        decoder.space(piece.len()).extend_from_slice(piece);
        while let Some(block) = decoder.next_block() {
            match block {
                Block::Text(text) => found.push(text.into_owned()),
                Block::Oversized => panic!("a recording is within the limits"),
            }
        }
    }
    found
}

#[test]
fn every_recording_decodes_the_same_however_it_is_cut() {
    let recordings = recordings();
    assert!(recordings.len() > 300, "only {} recordings found", recordings.len());
    let mut seen = HashSet::new();
    for path in recordings {
        let bytes = std::fs::read(&path).unwrap();
        if !seen.insert(bytes.clone()) {
            continue;
        }
        let whole = decode([bytes.as_slice()]);
        assert!(!whole.is_empty() || bytes.is_empty(), "{}", path.display());
        assert_eq!(decode(bytes.chunks(1_460)), whole, "in segments: {}", path.display());
        assert_eq!(decode(bytes.chunks(7)), whole, "in crumbs: {}", path.display());
        // Where a list is long its middle repeats; what begins in the middle of a block is a
        // stream like any other.
        let (head, tail) = (&bytes[..bytes.len().min(SHORT)], bytes.len().saturating_sub(SHORT));
        assert_every_cut(head, &path);
        if tail > 0 {
            assert_every_cut(&bytes[tail.max(SHORT)..], &path);
        }
    }
}

/// Bytes at either end of a recording that are cut everywhere that matters.
const SHORT: usize = 1_500;

fn assert_every_cut(bytes: &[u8], path: &Path) {
    let whole = decode([bytes]);
    assert_eq!(decode(bytes.chunks(1)), whole, "byte by byte: {}", path.display());
    for cut in cuts(bytes) {
        let (head, tail) = bytes.split_at(cut);
        assert_eq!(decode([head, tail]), whole, "cut at {cut}: {}", path.display());
    }
}

/// Where to cut: everywhere in short answers, in longer ones at and beside what the codec looks
/// at.
fn cuts(bytes: &[u8]) -> Vec<usize> {
    if bytes.len() <= 300 {
        return (0..=bytes.len()).collect();
    }
    let counts = |at: &usize| bytes[at - 1..=*at].iter().any(|b| matches!(b, b'\r' | b'\n'));
    (1..bytes.len()).filter(counts).collect()
}

#[test]
fn a_recorded_answer_that_ends_early_is_cut_off_and_never_data() {
    for version in ["16.28.0", "22.10.1"] {
        let path = fixtures().join(version).join("busy/QueueStatus.ami");
        let bytes = std::fs::read(path).unwrap();
        let action = || Action::new(ReadAction::QueueStatus);
        let id = "queuestatus-1";
        let whole = decode_recording(action(), id, &bytes, Limits::default()).unwrap();
        assert_eq!(whole.announced(), Some(14));
        assert_eq!(whole.rows().len(), 14);
        for end in 0..bytes.len() - 1 {
            let early = decode_recording(action(), id, &bytes[..end], Limits::default());
            assert!(matches!(early, Err(ActionError::CutOff { .. })), "ended at {end}");
        }
    }
}

#[test]
fn no_recorded_password_comes_through() {
    let id = "pjsipshowregistrationsoutbound-1";
    for version in ["16.28.0", "22.10.1"] {
        let path = fixtures().join(version).join("busy/PJSIPShowRegistrationsOutbound.ami");
        let bytes = std::fs::read(path).unwrap();
        assert!(String::from_utf8_lossy(&bytes).contains("Password: prov-pass"));
        let action = Action::new(ReadAction::PjsipShowRegistrationsOutbound);
        let answer = decode_recording(action, id, &bytes, Limits::default()).unwrap();
        let text = format!("{answer:?}");
        assert!(!text.contains("prov-pass") && !text.contains("wrong-pass"), "{text}");
        assert_eq!(answer.rows().len(), 4);
    }
}

#[test]
fn empty_lists_that_servers_phrase_as_errors_are_empty_lists() {
    for version in ["16.28.0", "22.10.1"] {
        for kind in [ReadAction::PjsipShowContacts, ReadAction::ConfbridgeListRooms] {
            let path = fixtures().join(version).join(format!("idle/{}.ami", kind.name()));
            let bytes = std::fs::read(path).unwrap();
            assert!(bytes.starts_with(b"Response: Error"));
            let id = format!("{}-1", kind.name().to_lowercase());
            let answer = decode_recording(Action::new(kind), &id, &bytes, Limits::default());
            assert_eq!(answer.unwrap().rows().len(), 0, "{kind} on {version}");
        }
    }
}

#[test]
fn rows_without_an_action_id_belong_to_the_list_that_is_open() {
    let path = fixtures().join("16.28.0/busy/IAXpeers.ami");
    let bytes = std::fs::read(path).unwrap();
    let action = Action::new(ReadAction::IaxPeers);
    let answer = decode_recording(action, "iaxpeers-1", &bytes, Limits::default()).unwrap();
    assert!(answer.rows().len() >= 3);
    assert!(answer.rows().all(|row| row.get("ActionID").is_none()));
    assert_eq!(answer.announced(), u64::try_from(answer.rows().len()).ok());
}

#[test]
fn unsolicited_events_of_a_busy_server_are_skipped() {
    let asked = std::fs::read(fixtures().join("22.10.1/busy/Session-events-on.req")).unwrap();
    let bytes = std::fs::read(fixtures().join("22.10.1/busy/Session-events-on.ami")).unwrap();
    let text = String::from_utf8_lossy(&asked);
    let mut compared = 0;
    for request in text.split("\r\n\r\n") {
        let header =
            |key: &str| request.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
        let (Some(name), Some(id)) = (header("Action:"), header("ActionID:")) else { continue };
        let Some(kind) = ReadAction::from_name(name).filter(|kind| kind.is_list()) else {
            continue;
        };
        let Ok(answer) = decode_recording(Action::new(kind), id, &bytes, Limits::default()) else {
            continue;
        };
        if let Some(announced) = answer.announced() {
            assert_eq!(answer.rows().len() as u64, announced, "{name}");
            compared += 1;
        }
    }
    assert!(compared >= 3, "only {compared} lists compared");
}

/// Bytes that look like AMI often enough to reach every branch.
fn wire() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"Response: Success\r\n".to_vec()),
        Just(b"Response: Error\r\nMessage: Permission denied\r\n".to_vec()),
        Just(b"Response: Follows\r\n".to_vec()),
        Just(b"--END COMMAND--".to_vec()),
        Just(b"ActionID: a1\r\n".to_vec()),
        Just(b"ActionID: a2\r\n".to_vec()),
        Just(b"EventList: start\r\n".to_vec()),
        Just(b"Event: PeerEntry\r\n".to_vec()),
        Just(b"Event: PeerlistComplete\r\nEventList: Complete\r\nListItems: 1\r\n".to_vec()),
        // At the beginning of a line whatever stands before it; in a value it would be a name.
        Just(b"X: y\r\nSecret: hidden-secret\r\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\n".to_vec()),
        Just(b":".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..20),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_decode_the_same_in_any_pieces(bytes in wire(), cut in any::<prop::sample::Index>()) {
        let cut = cut.index(bytes.len() + 1);
        let (head, tail) = bytes.split_at(cut);
        prop_assert_eq!(decode([head, tail]), decode([bytes.as_slice()]));
    }

    #[test]
    fn any_bytes_give_an_answer_or_an_error_and_never_a_secret(bytes in wire()) {
        let mut exchange = Exchange::new("a", Limits::default());
        let mut out = Vec::new();
        exchange.ask(Action::new(ReadAction::SipPeers), &mut out);
        exchange.ask(Action::new(ReadAction::Ping), &mut out);
        for block in decode([bytes.as_slice()]) {
            exchange.accept(&block);
        }
        let mut finished = 0;
        while let Some(answer) = exchange.take_finished() {
            let text = format!("{answer:?}");
            prop_assert!(!text.contains("hidden-secret"), "{}", text);
            finished += 1;
        }
        prop_assert_eq!(finished + exchange.abandon().len(), 2);
    }
}
