//! What the calls of recorded and invented servers are.

use super::*;
use crate::{
    ami::{Action, Limits, ReadAction, decode_recording},
    collect::{Outcome, Owner},
    normalize::{
        channels::channels,
        testing::{answers, recorded},
    },
};

fn lab(folder: &str) -> Answers {
    let mut answers = Answers::default();
    for kind in ReadAction::ALL {
        let (action, name) = match kind {
            ReadAction::ConfbridgeList => (
                Action::new(kind).with("Conference", "600").unwrap(),
                "ConfbridgeList-600".to_owned(),
            ),
            _ => (Action::new(kind), kind.name().to_owned()),
        };
        let Ok(bytes) = std::fs::read(format!("/tmp/lab-capture/{folder}/{name}.ami")) else {
            continue;
        };
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let id =
            text.lines().find_map(|l| l.trim().strip_prefix("ActionID: ")).unwrap_or("").to_owned();
        if let Ok(answer) = decode_recording(action.clone(), &id, &bytes, Limits::default()) {
            answers.insert(action, Outcome::Answered(answer), None);
        } else {
            eprintln!("not {name}");
        }
    }
    answers
}

#[test]
fn dump() {
    let mut devices: Vec<(&str, String, Owner)> = Vec::new();
    for n in (100..130).chain(200..210) {
        devices.push(("PJSIP", n.to_string(), Owner::Extension(n.to_string())));
        devices.push(("SIP", n.to_string(), Owner::Extension(n.to_string())));
    }
    for t in ["trunk-main", "SIP_Trunk_IP", "trunk-to-16", "trunk-to-22", "in16", "in22"] {
        devices.push(("PJSIP", t.into(), Owner::Trunk(t.into())));
    }
    devices.push(("SIP", "sip-trunk".into(), Owner::Trunk("sip-trunk".into())));
    for t in ["iax16", "iax22"] {
        devices.push(("IAX2", t.into(), Owner::Trunk(t.into())));
    }
    let devices: Vec<(&str, &str, Owner)> =
        devices.iter().map(|(a, b, c)| (*a, b.as_str(), c.clone())).collect();
    let directory = Directory::of(&devices, &[("104", "Dana Direct"), ("119", "Forwarder")]);
    for (name, answers) in [
        ("16.28.0/busy", recorded("16.28.0/busy")),
        ("22", recorded("22.10.1/busy")),
        ("lab16", lab("16")),
        ("lab22", lab("22")),
    ] {
        println!("=== {name}");
        let Some(mut channels) = channels(&answers) else { continue };
        for call in
            calls(&answers, &mut channels, &directory, Timestamp::from_epoch(1795245750).unwrap())
        {
            println!(
                "{} | {:?} {:?} a={:?} q={:?} t={:?} d={:?} talk={:?}\n   from {:?} {:?} {:?} {:?} to {:?} {:?} {:?} {:?}\n   cid {:?} {:?} {:?}\n   {}",
                call.channel,
                call.state,
                call.direction,
                call.answered,
                call.queue,
                call.trunk,
                call.duration_seconds,
                call.talk_seconds,
                call.from.number,
                call.from.name,
                call.from.extension,
                call.from.trunk,
                call.to.number,
                call.to.name,
                call.to.extension,
                call.to.trunk,
                call.caller_id,
                call.caller_name,
                call.channels.len(),
                call.description
            );
        }
        println!(
            "{:#?}",
            crate::normalize::queues::queues(
                &answers,
                &directory,
                &crate::normalize::channels::CallIds::of(&channels)
            )
            .unwrap()
            .first()
        );
    }
}
