//! Users' extensions: all devices, technologies and addresses of one number joined.

mod hint;
mod settings;

use hashbrown::HashMap;

use self::{hint::Hint, settings::Settings};
use super::{
    clock::Clock,
    contacts::{is_reachable, is_usable},
    device_state::{Activity, DeviceState, activity},
    devices::{Devices, Facts},
    fields::bounded,
};
use crate::{
    ami::{ActionError, ReadAction},
    collect::{
        Answers, AstDb, DeviceEntry, Directory, Family, Outcome, Owner, extension_hints, lists,
    },
    snapshot::{Contact, Device, Extension, ExtensionStatus, KindSource, Mailbox, Queue, natural},
};

/// What extensions are made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sources<'a> {
    /// Everything that the PBX answered.
    pub answers: &'a Answers,
    /// FreePBX's part of AstDB.
    pub astdb: &'a AstDb<'a>,
    /// Who is who.
    pub directory: &'a Directory<'a>,
    /// Rows about devices.
    pub devices: &'a Devices<'a>,
    /// What devices do, `None` when channels could not be read.
    pub activity: Option<&'a Activity<'a>>,
    /// Queues, `None` when they could not be read.
    pub queues: Option<&'a [Queue]>,
    /// Voicemail boxes, `None` when they were not asked for or could not be read.
    pub mailboxes: Option<&'a [Mailbox]>,
    /// The PBX's clock.
    pub clock: Clock,
}

/// All extensions in natural order; `None` when nothing that lists devices or users was answered.
pub(crate) fn extensions(from: &Sources<'_>) -> Option<Vec<Extension>> {
    let numbers: Vec<_> = from.directory.extensions().collect();
    if !are_listed(from, numbers.is_empty()) {
        return None;
    }
    let joiner = Joiner {
        from,
        hints: extension_hints(from.answers)
            .map(|(exten, hint, row)| {
                let [status, text] = row.columns(["Status", "StatusText"]);
                (exten, Hint::new(hint, status.unwrap_or_default(), text))
            })
            .collect(),
        settings: Settings::read(from),
    };
    let mut owned: HashMap<&str, Vec<&DeviceEntry<'_>>> = HashMap::with_capacity(numbers.len());
    for device in from.directory.devices() {
        if let Owner::Extension(number) = &device.owner {
            owned.entry(number).or_default().push(device);
        }
    }
    let join = |number| joiner.join(number, owned.remove(number).unwrap_or_default());
    let mut extensions: Vec<_> = numbers.into_iter().map(join).collect();
    extensions.sort_by(|a, b| natural(&a.extension, &b.extension));
    Some(extensions)
}

/// Whether extensions are known, and not merely not asked for.
///
/// One source that lists some is enough. That there is none is believed only when no list of
/// devices was refused or lost.
fn are_listed(from: &Sources<'_>, empty: bool) -> bool {
    const LISTS: [ReadAction; 3] =
        [ReadAction::PjsipShowEndpoints, ReadAction::SipPeers, ReadAction::IaxPeerList];
    if !empty {
        return true;
    }
    let users = [Family::UserName, Family::DeviceUser];
    let sources = LISTS.into_iter().chain([ReadAction::ExtensionStateList]);
    let any = sources.into_iter().any(|list| from.answers.answer(list).is_some())
        || users.into_iter().any(|family| from.astdb.knows(family));
    any && !LISTS.into_iter().any(|list| is_lost(from.answers, list))
}

/// Whether a list exists on this server and was not read.
pub(super) fn is_lost(answers: &Answers, list: ReadAction) -> bool {
    match answers.outcome(&list.into()) {
        None | Some(Outcome::Answered(_) | Outcome::Failed(ActionError::Unsupported { .. })) => {
            false
        }
        Some(Outcome::Failed(_) | Outcome::Skipped(_)) => true,
    }
}

/// Everything by extension or device, ready to be looked up.
struct Joiner<'a> {
    from: &'a Sources<'a>,
    hints: HashMap<&'a str, Hint<'a>>,
    settings: Settings<'a>,
}

impl Joiner<'_> {
    fn join(&self, number: &str, mut owned: Vec<&DeviceEntry<'_>>) -> Extension {
        // The device of the extension's own name is its main one.
        owned.sort_by(|a, b| {
            let rank = |device: &DeviceEntry<'_>| device.name != number;
            rank(a).cmp(&rank(b)).then_with(|| natural(a.name, b.name))
        });
        let facts: Vec<_> = owned.iter().map(|entry| self.from.devices.facts(entry)).collect();
        let hint = self.hints.get(number);
        let (status, word) = self.status(&facts, hint);
        let online = if owned.is_empty() { self.deviceless_online(number) } else { None };
        let online = online.or_else(|| joined_online(&facts)).or_else(|| {
            // A peer that has not answered yet has an idle hint all the same.
            let seen = facts.iter().any(|facts| facts.contacts.is_some());
            hint.filter(|_| !seen)?.online
        });
        let status = match (status, online) {
            (ExtensionStatus::Unknown, Some(false)) => ExtensionStatus::Unavailable,
            _ => status,
        };
        let phones = facts.iter().map(|facts| facts.device.as_str());
        let active_calls = self.from.activity.map(|activity| activity.calls(phones));
        let tech = self.tech(number, &owned);
        let devices = owned.iter().zip(&facts).map(|(entry, facts)| Device {
            device: facts.device.clone(),
            tech: entry.tech.to_owned(),
            online: facts.online,
            device_state: facts.word.map(bounded),
        });
        let devices = devices.collect();
        let contacts = joined_contacts(facts, online);
        let first = contacts.as_deref().and_then(|found| first_reachable(found, online));
        Extension {
            extension: bounded(number),
            name: self.from.directory.name(number).map(bounded),
            tech,
            status,
            online,
            device_state: word.map(bounded),
            ip: first.and_then(|contact| contact.ip.clone()),
            port: first.and_then(|contact| contact.port),
            user_agent: first.and_then(|contact| contact.user_agent.clone()),
            latency_ms: first.and_then(|contact| contact.latency_ms),
            contacts,
            active_calls,
            queues: self.settings.queues(number),
            voicemail: self.settings.voicemail(number),
            dnd: self.settings.dnd(number),
            forwards: self.settings.forwards(number),
            devices,
            kind_source: owned.iter().map(|d| d.source).min().unwrap_or(KindSource::User),
        }
    }

    /// The state of the most active device with Asterisk's word for it; the hint's where no device
    /// has a known one.
    fn status<'f>(
        &self,
        facts: &[Facts<'f>],
        hint: Option<&Hint<'f>>,
    ) -> (ExtensionStatus, Option<&'f str>) {
        let states = facts.iter().map(|facts| (self.device_status(facts), facts.word));
        // The main device stands first and wins a tie.
        let found = states.rev().max_by_key(|(status, word)| (activity(*status), word.is_some()));
        match (found, hint) {
            (Some((ExtensionStatus::Unknown, word)), Some(hint)) => {
                (hint.status, word.or(hint.word))
            }
            (Some((status, word)), hint) => (status, word.or_else(|| hint?.word)),
            (None, Some(hint)) => (hint.status, hint.word),
            (None, None) => (ExtensionStatus::Unknown, None),
        }
    }

    /// The state of one device. A channel is a fact, a remembered state may be old.
    fn device_status(&self, facts: &Facts<'_>) -> ExtensionStatus {
        let told = match (facts.state, facts.online) {
            (Some(DeviceState::NotInUse), Some(false)) => ExtensionStatus::Unavailable,
            (Some(state), _) => state.status(),
            (None, Some(true)) => ExtensionStatus::Available,
            (None, Some(false)) => ExtensionStatus::Unavailable,
            (None, None) => ExtensionStatus::Unknown,
        };
        if activity(told) > activity(ExtensionStatus::Available) {
            return told;
        }
        let channels = self.from.activity.and_then(|activity| activity.status(&facts.device));
        channels.unwrap_or(told)
    }

    /// Of a user without a device: no phone is there, where the list was read in which it would
    /// have been.
    fn deviceless_online(&self, number: &str) -> Option<bool> {
        let list = match self.configured_tech(number) {
            Some("PJSIP") => ReadAction::PjsipShowEndpoints,
            Some("SIP") => ReadAction::SipPeers,
            Some("IAX2") => ReadAction::IaxPeerList,
            Some(_) => return None,
            None => return self.is_virtual(number).then_some(false),
        };
        self.from.answers.answer(list).map(|_| false)
    }

    /// Whether FreePBX is known to have no device for the user.
    fn is_virtual(&self, number: &str) -> bool {
        let astdb = self.from.astdb;
        astdb.knows(Family::UserDevice) && astdb.get(Family::UserDevice, number).is_none()
    }

    /// The technology that FreePBX has for the user's first device.
    fn configured_tech(&self, number: &str) -> Option<&str> {
        let astdb = self.from.astdb;
        let devices = astdb.get(Family::UserDevice, number)?;
        let dials = devices.split('&').filter_map(|id| astdb.get(Family::DeviceDial, id));
        dials.filter_map(lists::split_device).map(|(tech, _)| tech).next()
    }

    /// Technologies of the devices, the main one's first. FreePBX calls an extension without any
    /// device `Virtual`.
    fn tech(&self, number: &str, owned: &[&DeviceEntry<'_>]) -> String {
        let mut techs: Vec<&str> = Vec::new();
        for device in owned {
            if !techs.contains(&device.tech) {
                techs.push(device.tech);
            }
        }
        if techs.is_empty() {
            let without = if self.is_virtual(number) { "Virtual" } else { "Unknown" };
            techs.push(self.configured_tech(number).unwrap_or(without));
        }
        techs.join("+")
    }
}

/// Online when any device is, offline when all are.
fn joined_online(facts: &[Facts<'_>]) -> Option<bool> {
    if facts.iter().any(|facts| facts.online == Some(true)) {
        return Some(true);
    }
    let all_known = !facts.is_empty() && facts.iter().all(|facts| facts.online.is_some());
    all_known.then_some(false)
}

/// The addresses of all devices. What is known is kept where some could not be read; that there is
/// none is said only when all could.
fn joined_contacts(facts: Vec<Facts<'_>>, online: Option<bool>) -> Option<Vec<Contact>> {
    if facts.is_empty() {
        return (online == Some(false)).then(Vec::new);
    }
    let unread = facts.iter().any(|facts| facts.contacts.is_none());
    let mut contacts: Vec<_> =
        facts.into_iter().filter_map(|facts| facts.contacts).flatten().collect();
    contacts.sort_by(|a, b| {
        natural(&a.device, &b.device).then_with(|| {
            natural(a.uri.as_deref().unwrap_or_default(), b.uri.as_deref().unwrap_or_default())
        })
    });
    (!unread || !contacts.is_empty()).then_some(contacts)
}

/// The first address that answers, else the first that Asterisk would use, else, where some phone
/// is there, the first that is not known to be dead.
fn first_reachable(contacts: &[Contact], online: Option<bool>) -> Option<&Contact> {
    let find = |fits: fn(&Contact) -> bool| contacts.iter().find(|contact| fits(contact));
    find(|contact| is_reachable(contact) == Some(true))
        .or_else(|| find(|contact| is_usable(contact) == Some(true)))
        .or_else(|| find(|contact| is_usable(contact).is_none()).filter(|_| online == Some(true)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ami::Action,
        config::KindRules,
        normalize::{
            channels::CallIds,
            device_state::channel,
            queues::queues,
            testing::{answers, recorded},
        },
        snapshot::{Channel, Forwards, Timestamp},
    };

    /// Joins answers with nothing beside them.
    fn join(answers: &Answers) -> Option<Vec<Extension>> {
        join_with(answers, None, None, None)
    }

    fn join_with(
        answers: &Answers,
        channels: Option<&[Channel]>,
        queues: Option<&[Queue]>,
        mailboxes: Option<&[Mailbox]>,
    ) -> Option<Vec<Extension>> {
        let astdb = AstDb::read(answers);
        let directory = Directory::read(answers, &astdb, &KindRules::default());
        let clock = Clock::read(answers, Timestamp::from_epoch(1_795_245_750).unwrap());
        extensions(&Sources {
            answers,
            astdb: &astdb,
            directory: &directory,
            devices: &Devices::read(answers, &astdb, clock),
            activity: channels.map(Activity::read).as_ref(),
            queues,
            mailboxes,
            clock,
        })
    }

    #[test]
    fn without_device_states_what_a_peer_answers_is_the_state() {
        let peers = ["OK (12 ms)", "UNREACHABLE", "UNKNOWN"].map(|status| {
            format!("Event: PeerEntry\nObjectName: 200\nIPaddress: 192.0.2.1\nStatus: {status}")
        });
        let states = peers.map(|peer| {
            let action = Action::new(ReadAction::SipPeers);
            let found = join(&answers(&[(action, &peer)])).unwrap();
            (find(&found, "200").status, find(&found, "200").online)
        });
        assert_eq!(
            states,
            [
                (ExtensionStatus::Available, Some(true)),
                (ExtensionStatus::Unavailable, Some(false)),
                (ExtensionStatus::Unknown, None),
            ]
        );
    }

    fn find<'a>(extensions: &'a [Extension], number: &str) -> &'a Extension {
        let found = extensions.iter().find(|extension| extension.extension == number);
        found.unwrap_or_else(|| panic!("{number} is missing"))
    }

    /// Answers without those for which an account lacks class `system`.
    fn reporting_only(folder: &str) -> Answers {
        let mut left = Answers::default();
        for (action, outcome, _) in recorded(folder).iter() {
            let outcome = if action.kind().classes() == ["system"] {
                Outcome::Skipped("permission denied".to_owned())
            } else {
                outcome.clone()
            };
            left.insert(action.clone(), outcome, None);
        }
        left
    }

    #[test]
    fn a_busy_server_has_the_phones_online_that_registered() {
        for folder in ["16.28.0/busy", "22.10.1/busy"] {
            let extensions = join(&recorded(folder)).unwrap();
            let offline: Vec<_> = extensions
                .iter()
                .filter(|e| e.tech == "PJSIP" && e.online == Some(false))
                .map(|e| e.extension.as_str())
                .collect();
            assert_eq!(offline, ["114", "116", "117", "120", "99100"], "{folder}");
            let pjsip = extensions.iter().filter(|e| e.tech == "PJSIP");
            assert_eq!(pjsip.clone().count(), 23);
            assert!(pjsip.clone().all(|e| e.online.is_some() && e.contacts.is_some()));
            let deaf = find(&extensions, "120");
            assert_eq!((deaf.status, &deaf.ip), (ExtensionStatus::Unavailable, &None));
            let contacts = deaf.contacts.as_deref().unwrap();
            assert_eq!(contacts[0].status.as_deref(), Some("Unreachable"));
            assert_eq!(contacts[0].latency_ms, None);
        }
    }

    #[test]
    fn states_addresses_and_switches_are_joined() {
        let extensions = join(&recorded("16.28.0/busy")).unwrap();
        let alice = find(&extensions, "100");
        assert_eq!(alice.name.as_deref(), Some("Alice Example"));
        assert_eq!(alice.status, ExtensionStatus::InUse);
        assert_eq!(alice.device_state.as_deref(), Some("In use"));
        assert_eq!((alice.ip.as_deref(), alice.port), (Some("127.0.0.1"), Some(20_000)));
        assert_eq!(alice.user_agent.as_deref(), Some("lab phone"));
        assert_eq!(alice.latency_ms, Some(0.704));
        assert_eq!(alice.contacts.as_ref().unwrap().len(), 1, "in two lists, and one address");
        assert_eq!(alice.dnd, Some(false));
        assert_eq!(alice.forwards, Some(Forwards::default()));
        assert_eq!(alice.voicemail, None, "novm");
        assert_eq!(alice.active_calls, None, "channels were not read");
        assert_eq!(alice.kind_source, KindSource::Astdb);
        let status = |number| find(&extensions, number).status;
        assert_eq!(status("102"), ExtensionStatus::Ringing);
        assert_eq!(status("106"), ExtensionStatus::OnHold);
        assert_eq!(status("113"), ExtensionStatus::Available);
        assert_eq!(find(&extensions, "110").contacts.as_ref().unwrap().len(), 2);
        assert_eq!(find(&extensions, "121").dnd, Some(true));
        assert_eq!(status("121"), ExtensionStatus::Available, "busy is only its hint");
        let forwards = |number| find(&extensions, number).forwards.clone().unwrap();
        assert_eq!(forwards("103").all.as_deref(), Some("5551234567"));
        assert_eq!(forwards("104").busy.as_deref(), Some("105"));
        assert_eq!(forwards("106").unavailable.as_deref(), Some("*98"));
        let numbers: Vec<_> = extensions.iter().map(|e| e.extension.as_str()).collect();
        let mut sorted = numbers.clone();
        sorted.sort_by(|a, b| natural(a, b));
        assert_eq!(numbers, sorted);
        assert_eq!((numbers.first(), numbers.last()), (Some(&"100"), Some(&"99100")));
    }

    #[test]
    fn configured_contacts_are_listed_with_the_registered_ones() {
        let extensions = join(&recorded("22.10.1/busy")).unwrap();
        let unwatched = find(&extensions, "115");
        assert_eq!(unwatched.online, Some(true));
        assert_eq!((unwatched.ip.as_deref(), unwatched.port), (Some("127.0.0.1"), Some(16_997)));
        let dead = find(&extensions, "114");
        assert_eq!(dead.contacts.as_ref().unwrap()[0].port, Some(16_998));
        assert_eq!((dead.online, dead.port), (Some(false), None));
        assert_eq!(find(&extensions, "116").contacts.as_deref(), Some(&[][..]));
        assert_eq!(find(&extensions, "121").contacts.as_ref().unwrap()[0].expires_at, {
            Timestamp::from_epoch(1_795_249_276)
        });
    }

    #[test]
    fn chan_sip_peers_are_judged_by_status_and_address() {
        let extensions = join(&recorded("16.28.0/busy")).unwrap();
        let online: Vec<_> = (200..210)
            .map(|number: u32| find(&extensions, &number.to_string()).online.unwrap())
            .collect();
        let (yes, no) = (true, false);
        assert_eq!(online, [yes, yes, yes, no, yes, no, no, yes, yes, yes]);
        let lagged = find(&extensions, "202");
        assert_eq!(lagged.status, ExtensionStatus::Unavailable, "chan_sip sends it no call");
        assert_eq!(lagged.latency_ms, Some(150.0));
        assert_eq!(find(&extensions, "205").contacts.as_deref(), Some(&[][..]));
        assert_eq!(find(&extensions, "206").status, ExtensionStatus::Unavailable);
        assert_eq!(find(&extensions, "207").name.as_deref(), Some("Hélène: \"desc\""));
        assert_eq!(find(&extensions, "200").dnd, Some(false));
    }

    #[test]
    fn channels_tell_what_chan_sip_does_not() {
        let channels = [
            channel("SIP/200-00000000", 6, "a"),
            channel("SIP/209-00000003", 5, "b"),
            channel("PJSIP/106-00000007", 6, "c"),
        ];
        let extensions = join_with(&recorded("16.28.0/busy"), Some(&channels), None, None).unwrap();
        let talking = find(&extensions, "200");
        assert_eq!((talking.status, talking.active_calls), (ExtensionStatus::InUse, Some(1)));
        assert_eq!(talking.device_state.as_deref(), Some("NOT_INUSE"), "Asterisk's own word");
        assert_eq!(find(&extensions, "209").status, ExtensionStatus::Ringing);
        assert_eq!(
            find(&extensions, "106").status,
            ExtensionStatus::OnHold,
            "a state that tells more"
        );
        assert_eq!(find(&extensions, "201").active_calls, Some(0));
    }

    #[test]
    fn class_reporting_alone_gives_state_and_registered_addresses() {
        for folder in ["16.28.0/busy", "22.10.1/busy"] {
            let extensions = join(&reporting_only(folder)).unwrap();
            let alice = find(&extensions, "100");
            assert_eq!((alice.status, alice.online), (ExtensionStatus::InUse, Some(true)));
            assert_eq!(alice.device_state.as_deref(), Some("INUSE"));
            assert_eq!(alice.user_agent.as_deref(), Some("lab phone"));
            let contact = &alice.contacts.as_ref().unwrap()[0];
            assert_eq!(contact.status, None, "registered, and nobody says whether reachable");
            assert_eq!(contact.expires_at, Timestamp::from_epoch(1_795_249_276));
            assert_eq!(find(&extensions, "120").online, Some(false));
            let unseen = find(&extensions, "115");
            assert_eq!((unseen.online, &unseen.contacts), (Some(true), &None));
        }
    }

    #[test]
    fn a_registration_that_ran_out_or_is_of_another_technology_is_no_address() {
        let stored = |expires| {
            format!(
                "Event: DBGetTreeResponse\nKey: /registrar/contact/100;@0f\n\
                 Val: {{\"uri\":\"sip:100@192.0.2.1:5061\",\"expiration_time\":\"{expires}\",\"x\":\"\"}}"
            )
        };
        let user = "Event: DBGetTreeResponse\nKey: /DEVICE/100/user\nVal: 100";
        for (device, expires, online) in [
            ("PJSIP/100", 1_795_245_800, Some(true)),
            ("PJSIP/100", 1_795_240_000, None),
            ("SIP/100", 1_795_245_800, None),
        ] {
            let dial = format!("Event: DBGetTreeResponse\nKey: /DEVICE/100/dial\nVal: {device}");
            let extensions = join(&answers(&[
                (Family::DeviceUser.tree(), user),
                (Family::DeviceDial.tree(), &dial),
                (Family::Contact.tree(), &stored(expires)),
            ]));
            let extensions = extensions.unwrap();
            assert_eq!(find(&extensions, "100").online, online, "{device} {expires}");
            assert_eq!(find(&extensions, "100").port, online.map(|_| 5_061));
        }
    }

    #[test]
    fn two_technologies_and_a_browser_are_one_extension() {
        let answers = answers(&[
            (
                ReadAction::PjsipShowEndpoints.into(),
                "Event: EndpointList\nObjectName: 200\nAor: 200\nContacts: \n\
                 DeviceState: Unavailable\n\n\
                 Event: EndpointList\nObjectName: 99200\nAor: 99200\n\
                 Contacts: 99200/sip:x@a1.invalid;transport=ws,\nDeviceState: Ringing",
            ),
            (
                ReadAction::SipPeers.into(),
                "Event: PeerEntry\nObjectName: 200\nIPaddress: 192.0.2.7\nIPport: 5060\n\
                 Dynamic: yes\nStatus: OK (7 ms)",
            ),
            (
                Family::DeviceUser.tree(),
                "Event: DBGetTreeResponse\nKey: /DEVICE/200/user\nVal: 200\n\n\
                 Event: DBGetTreeResponse\nKey: /DEVICE/99200/user\nVal: 200",
            ),
        ]);
        let extensions = join(&answers).unwrap();
        assert_eq!(extensions.len(), 1);
        let both = &extensions[0];
        assert_eq!(both.tech, "PJSIP+SIP");
        assert_eq!((both.status, both.online), (ExtensionStatus::Ringing, Some(true)));
        assert_eq!(both.device_state.as_deref(), Some("Ringing"));
        let devices: Vec<_> = both.devices.iter().map(|d| (d.device.as_str(), d.online)).collect();
        let expected =
            [("PJSIP/200", Some(false)), ("SIP/200", Some(true)), ("PJSIP/99200", Some(true))];
        assert_eq!(devices, expected);
        assert_eq!((both.ip.as_deref(), both.latency_ms), (Some("192.0.2.7"), Some(7.0)));
        let browser = &both.contacts.as_ref().unwrap()[0];
        assert_eq!((browser.ip.as_deref(), browser.transport.as_deref()), (None, Some("ws")));
        assert_eq!(both.dnd, None, "the family was not read");
        assert_eq!(both.forwards, None);
    }

    #[test]
    fn hints_stand_in_where_no_device_has_a_state() {
        let hint = |status: &str, devices: &str| {
            let row = format!(
                "Event: ExtensionStatus\nExten: 300\nContext: ext-local\nHint: {devices}\n\
                 Status: {status}\nStatusText: word"
            );
            let extensions =
                join(&answers(&[(ReadAction::ExtensionStateList.into(), &row)])).unwrap();
            let found = find(&extensions, "300");
            assert_eq!(found.device_state.as_deref(), Some("word"));
            assert_eq!(found.kind_source, KindSource::Hint);
            (found.status, found.online)
        };
        assert_eq!(hint("0", "PJSIP/300"), (ExtensionStatus::Available, Some(true)));
        assert_eq!(hint("4", "PJSIP/300"), (ExtensionStatus::Unavailable, Some(false)));
        assert_eq!(hint("9", "PJSIP/300"), (ExtensionStatus::InUse, Some(true)));
        let dnd = "PJSIP/300&Custom:DND300,CustomPresence:300";
        assert_eq!(hint("2", dnd), (ExtensionStatus::Busy, None), "do not disturb, or a call");
        assert_eq!(hint("0", dnd), (ExtensionStatus::Available, None));
    }

    #[test]
    fn a_user_without_a_device_is_told_from_one_whose_device_was_not_seen() {
        let tree = |family: Family, text: &'static str| (family.tree(), text);
        let virtual_user = join(&answers(&[
            tree(Family::UserName, "Event: DBGetTreeResponse\nKey: /AMPUSER/700/cidname\nVal: Box"),
            tree(Family::UserDevice, "Event: DBGetTreeResponse\nKey: /AMPUSER/700/device\nVal: "),
        ]));
        let virtual_user = virtual_user.unwrap();
        let found = find(&virtual_user, "700");
        assert_eq!((found.tech.as_str(), found.online), ("Virtual", Some(false)));
        assert_eq!(found.kind_source, KindSource::User);
        let unseen = join(&answers(&[
            tree(Family::UserName, "Event: DBGetTreeResponse\nKey: /AMPUSER/700/cidname\nVal: Box"),
            tree(
                Family::UserDevice,
                "Event: DBGetTreeResponse\nKey: /AMPUSER/700/device\nVal: 700",
            ),
        ]));
        let unseen = unseen.unwrap();
        let found = find(&unseen, "700");
        assert_eq!((found.tech.as_str(), found.online), ("Unknown", None));
        assert_eq!((found.status, &found.contacts), (ExtensionStatus::Unknown, &None));
        let missing = join(&answers(&[
            tree(Family::UserName, "Event: DBGetTreeResponse\nKey: /AMPUSER/700/cidname\nVal: Box"),
            tree(
                Family::UserDevice,
                "Event: DBGetTreeResponse\nKey: /AMPUSER/700/device\nVal: 700",
            ),
            tree(
                Family::DeviceDial,
                "Event: DBGetTreeResponse\nKey: /DEVICE/700/dial\nVal: PJSIP/700",
            ),
            (ReadAction::PjsipShowEndpoints.into(), ""),
        ]));
        let missing = missing.unwrap();
        let found = find(&missing, "700");
        assert_eq!((found.tech.as_str(), found.online), ("PJSIP", Some(false)));
        assert_eq!(found.status, ExtensionStatus::Unavailable, "its list was read without it");
    }

    #[test]
    fn queues_and_voicemail_are_known_to_be_none_only_when_read() {
        let answers = recorded("22.10.1/busy");
        let mailbox = |context: &str, new| Mailbox {
            mailbox: "100".to_owned(),
            context: Some(context.to_owned()),
            name: None,
            new_messages: Some(new),
            old_messages: Some(0),
        };
        let boxes = [mailbox("elsewhere", 9), mailbox("default", 2)];
        let extensions = join_with(&answers, None, Some(&[]), Some(&boxes)).unwrap();
        let alice = find(&extensions, "100");
        assert_eq!(alice.queues.as_deref(), Some(&[][..]));
        assert_eq!(alice.voicemail.as_ref().unwrap().new_messages, Some(2));
        let bob = find(&extensions, "101").voicemail.as_ref().unwrap();
        assert_eq!((bob.context.as_deref(), bob.new_messages), (Some("default"), None));
        assert_eq!(find(&join(&answers).unwrap(), "100").queues, None);
        let queues = queues(&answers, &Directory::default(), &CallIds::default());
        let members = join_with(&answers, None, queues.as_deref(), None).unwrap();
        assert_eq!(find(&members, "111").queues.as_deref(), Some(&["400".to_owned()][..]));
    }

    #[test]
    fn no_extensions_and_no_answer_differ() {
        assert_eq!(join(&Answers::default()), None);
        assert_eq!(
            join(&answers(&[(ReadAction::PjsipShowEndpoints.into(), "")])),
            Some(Vec::new())
        );
        let mut refused = answers(&[(ReadAction::IaxPeerList.into(), "")]);
        assert_eq!(join(&refused), Some(Vec::new()));
        let endpoints = Action::new(ReadAction::PjsipShowEndpoints);
        refused.insert(endpoints, Outcome::Skipped("no time left".to_owned()), None);
        assert_eq!(join(&refused), None, "the list that was lost may have had some");
    }

    #[test]
    fn an_idle_server_has_nobody_online_but_the_unwatched() {
        let extensions = join(&recorded("16.28.0/idle")).unwrap();
        let online = extensions.iter().filter(|e| e.online == Some(true));
        let online: Vec<_> = online.map(|e| e.extension.as_str()).collect();
        assert_eq!(online, ["115"]);
        let asked = find(&extensions, "203");
        assert_eq!((asked.online, asked.devices[0].online), (None, None), "no answer yet");
    }
}
