//! Display names of extensions, from wherever one is told.

use hashbrown::HashMap;

use super::{DeviceEntry, Owner, find};
use crate::{
    ami::{Answer, ReadAction},
    collect::{Answers, AstDb, Family, lists::split_device},
};

/// Every extension with its display name, empty where none is known.
pub(super) fn names<'a>(
    extensions: Vec<&'a str>,
    devices: &[DeviceEntry<'a>],
    answers: &'a Answers,
    astdb: &AstDb<'a>,
) -> Vec<(&'a str, &'a str)> {
    let told = |extension: &str| astdb.entry(Family::UserName, extension);
    let mut guessed = None;
    let mut guess = |extension: &str| {
        let guessed = guessed.get_or_insert_with(|| guesses(devices, answers));
        guessed.get(extension).copied()
    };
    // An empty name in FreePBX is a fact. Other sources are asked only where it says nothing.
    let named = |number| (number, told(number).or_else(|| guess(number)).unwrap_or_default());
    extensions.into_iter().map(named).collect()
}

/// Names by extension from PJSIP caller IDs, chan_sip descriptions and queue members. The first
/// source that has one wins.
fn guesses<'a>(devices: &[DeviceEntry<'a>], answers: &'a Answers) -> HashMap<&'a str, &'a str> {
    let extension_of = |(tech, name): (&str, &str)| match find(devices, tech, name)?.owner {
        Owner::Extension(extension) => Some(extension),
        Owner::Trunk(_) | Owner::Special => None,
    };
    let mut guesses = HashMap::new();
    let mut guess = |extension: Option<&'a str>, name: &'a str| {
        if let Some(extension) = extension.filter(|_| !name.is_empty()) {
            guesses.entry(extension).or_insert(name);
        }
    };
    for (_, answer) in answers.answers_of(ReadAction::PjsipShowEndpoint) {
        for row in answer.events("EndpointDetail") {
            if let [Some(name), Some(caller_id)] = row.columns(["ObjectName", "Callerid"]) {
                guess(extension_of(("PJSIP", name)), caller_id_name(caller_id));
            }
        }
    }
    let peers = answers.answer(ReadAction::SipPeers);
    for row in peers.into_iter().flat_map(Answer::rows) {
        if let [Some(name), Some(description)] = row.columns(["ObjectName", "Description"]) {
            guess(extension_of(("SIP", name)), description);
        }
    }
    let queues = answers.answer(ReadAction::QueueStatus);
    for row in queues.into_iter().flat_map(|answer| answer.events("QueueMember")) {
        let [Some(name), Some(location)] = row.columns(["Name", "Location"]) else { continue };
        // Asterisk names a member after its interface when it was given no name.
        if name != location {
            guess(
                local_extension(location).or_else(|| extension_of(location.split_once('/')?)),
                name,
            );
        }
    }
    guesses
}

/// The extension that FreePBX rings by `Local/111@from-queue/n`.
fn local_extension(location: &str) -> Option<&str> {
    let (_, target) = split_device(location).filter(|(tech, _)| *tech == "Local")?;
    let (extension, context) = target.split_once('@')?;
    let context = context.split('/').next()?;
    matches!(context, "from-queue" | "from-internal").then_some(extension)
}

/// The name in `"Alice Example" <100>`; empty for `<unknown>` and for a bare number.
fn caller_id_name(caller_id: &str) -> &str {
    let name = caller_id.rsplit_once('<').map_or("", |(name, _)| name).trim();
    name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_id_gives_its_name() {
        assert_eq!(caller_id_name("\"Alice Example\" <100>"), "Alice Example");
        assert_eq!(caller_id_name("Élodie <3 you <104>"), "Élodie <3 you");
        for nothing in ["<unknown>", "", "100", "<100>", "\"\" <100>"] {
            assert_eq!(caller_id_name(nothing), "", "{nothing}");
        }
    }

    #[test]
    fn only_freepbxs_local_interfaces_name_an_extension() {
        assert_eq!(local_extension("Local/111@from-queue/n"), Some("111"));
        assert_eq!(local_extension("Local/111@from-internal/n"), Some("111"));
        assert_eq!(local_extension("Local/111@elsewhere/n"), None);
        assert_eq!(local_extension("PJSIP/111"), None);
    }
}
