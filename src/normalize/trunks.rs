//! Trunks: endpoint or peer, outbound registration and address of one line joined.

mod registrations;

use hashbrown::HashMap;

use self::registrations::{Registered, Registrations};
use super::{
    contacts::is_reachable,
    device_state::DeviceState,
    devices::Facts,
    extensions::{Sources, is_lost},
    fields::{bounded, known, sip_uri},
};
use crate::{
    ami::{ReadAction, Row},
    collect::{Answers, DeviceEntry, Owner},
    snapshot::{Contact, KindSource, Trunk, TrunkState, natural},
};

/// All trunks in natural order; `None` when nothing that lists devices or registrations was
/// answered.
///
/// Registrations that belong to no device are trunks of their own.
pub(crate) fn trunks(from: &Sources<'_>) -> Option<Vec<Trunk>> {
    let joiner = Joiner { from, details: sip_details(from.answers) };
    let mut registrations = Registrations::read(from, &joiner.details, from.clock);
    let mut trunks = Vec::new();
    for entry in from.directory.devices() {
        if matches!(entry.owner, Owner::Trunk(_)) {
            trunks.push(joiner.join(entry, registrations.take(entry)));
        }
    }
    trunks.extend(registrations.rest().map(|registered| joiner.alone(registered)));
    tell_apart(&mut trunks);
    trunks.sort_by(|a, b| natural(&a.name, &b.name).then_with(|| a.tech.cmp(&b.tech)));
    are_listed(from.answers, trunks.is_empty()).then_some(trunks)
}

/// Whether trunks are known; see the same question about extensions.
fn are_listed(answers: &Answers, empty: bool) -> bool {
    const LISTS: [ReadAction; 6] = [
        ReadAction::PjsipShowEndpoints,
        ReadAction::PjsipShowRegistrationsOutbound,
        ReadAction::SipPeers,
        ReadAction::SipShowRegistry,
        ReadAction::IaxPeerList,
        ReadAction::IaxRegistry,
    ];
    let any = LISTS.into_iter().any(|list| answers.answer(list).is_some());
    any && !(empty && LISTS.into_iter().any(|list| is_lost(answers, list)))
}

/// `SIPshowpeer` by peer, for those that were asked.
fn sip_details(answers: &Answers) -> HashMap<&str, Row<'_>> {
    let rows = answers.answers_of(ReadAction::SipShowPeer).map(|(_, answer)| answer.response());
    rows.filter_map(|row| Some((row.get("ObjectName")?, row))).collect()
}

/// One account with several registrations at one host differs by the port alone.
fn tell_apart(trunks: &mut [Trunk]) {
    let mut seen: HashMap<(String, String), u32> = HashMap::new();
    for trunk in trunks.iter() {
        *seen.entry((trunk.tech.clone(), trunk.name.clone())).or_default() += 1;
    }
    for trunk in trunks {
        let twins = seen.get(&(trunk.tech.clone(), trunk.name.clone())).copied().unwrap_or(0);
        if let Some(port) = trunk.port.filter(|_| twins > 1) {
            trunk.name = format!("{}:{port}", trunk.name);
        }
    }
}

/// Everything by device, ready to be looked up.
struct Joiner<'a> {
    from: &'a Sources<'a>,
    details: HashMap<&'a str, Row<'a>>,
}

/// Where a trunk without registration stands.
struct Reach {
    state: TrunkState,
    reachable: Option<bool>,
    word: Option<String>,
}

impl Joiner<'_> {
    fn join(&self, entry: &DeviceEntry<'_>, registered: Option<Registered>) -> Trunk {
        let facts = self.from.devices.facts(entry);
        let reach = if facts.peer.is_some() { peer_reach(&facts) } else { pjsip_reach(&facts) };
        let detail = self.details.get(entry.name).filter(|_| entry.tech == "SIP");
        let contact = facts.contacts.as_deref().and_then(best);
        let configured = detail.and_then(|row| row.get("ToHost")).and_then(known).map(bounded);
        let host = configured.or_else(|| contact.and_then(|contact| contact.ip.clone()));
        let port = contact.and_then(|contact| contact.port);
        // The address of a registration replaces one that is not known as a whole.
        let (host, port) = match &registered {
            Some(registered) if host.is_none() => (registered.host.clone(), registered.port),
            _ => (host, port),
        };
        let username = detail.and_then(|row| row.get("Default-Username")).and_then(known);
        let username = username.map(bounded).or_else(|| configured_user(contact?));
        let own = registered.as_ref().and_then(|registered| registered.username.clone());
        Trunk {
            name: bounded(entry.name),
            tech: entry.tech.to_owned(),
            host,
            port,
            username: own.or(username),
            state: registered.as_ref().map_or(reach.state, |registered| registered.state),
            state_raw: registered
                .as_ref()
                .map_or(reach.word, |registered| registered.registration.state.clone()),
            registration: registered.map(|registered| registered.registration),
            reachable: reach.reachable,
            latency_ms: contact.and_then(|contact| contact.latency_ms),
            active_calls: self.active_calls(&facts.device),
            device_state: facts.word.map(bounded),
            kind_source: entry.source,
        }
    }

    /// A registration that belongs to no device. Its calls run over some other device.
    fn alone(&self, registered: Registered) -> Trunk {
        Trunk {
            name: registered.name,
            tech: registered.tech.to_owned(),
            host: registered.host,
            port: registered.port,
            username: registered.username,
            state: registered.state,
            state_raw: registered.registration.state.clone(),
            registration: Some(registered.registration),
            reachable: None,
            latency_ms: None,
            active_calls: self.from.activity.map(|_| 0),
            device_state: None,
            kind_source: KindSource::Registration,
        }
    }

    fn active_calls(&self, device: &str) -> Option<u64> {
        self.from.activity.map(|activity| activity.calls([device].into_iter()))
    }
}

/// The address that answers, else the first.
fn best(contacts: &[Contact]) -> Option<&Contact> {
    contacts.iter().find(|contact| is_reachable(contact) == Some(true)).or_else(|| contacts.first())
}

/// Our user name in a configured contact, which is the address that we call. A contact that the
/// other side registered carries its choice, and an expiry.
fn configured_user(contact: &Contact) -> Option<String> {
    let uri = contact.uri.as_deref().filter(|_| contact.expires_at.is_none())?;
    sip_uri(uri).user
}

/// Reachability of a PJSIP trunk: by its contacts where their state is told, else by the device
/// state, which is `Unavailable` exactly when no contact can be used.
///
/// Any other device state means "reachable" only where the contacts are qualified. `unmonitored`
/// and `unknown` differ by whether that is known.
fn pjsip_reach(facts: &Facts<'_>) -> Reach {
    let contacts = facts.contacts.as_deref().unwrap_or_default();
    let told = contacts.iter().filter_map(is_reachable);
    let unavailable = matches!(facts.state, Some(DeviceState::Unavailable | DeviceState::Invalid));
    let unwatched =
        |contact: &Contact| matches!(contact.status.as_deref(), Some("NonQualified" | "Created"));
    let unanswered = contacts.iter().any(|contact| contact.status.is_some());
    let (state, reachable) = match told.reduce(|one, other| one || other) {
        Some(true) => (TrunkState::Reachable, Some(true)),
        _ if contacts.iter().any(unwatched) => (TrunkState::Unmonitored, None),
        Some(false) => (TrunkState::Unreachable, Some(false)),
        None if unavailable => (TrunkState::Unreachable, Some(false)),
        None => match (facts.qualified, facts.state) {
            (Some(true), Some(_)) if !unanswered => (TrunkState::Reachable, Some(true)),
            (Some(false), _) => (TrunkState::Unmonitored, None),
            _ => (TrunkState::Unknown, None),
        },
    };
    let word = best(contacts).and_then(|contact| contact.status.clone());
    Reach { state, reachable, word: word.or_else(|| facts.word.map(bounded)) }
}

/// Reachability of a chan_sip or IAX2 trunk. One to which the other side should register, and did
/// not, has no address and cannot be reached, watched or not.
fn peer_reach(facts: &Facts<'_>) -> Reach {
    let contact = facts.contacts.as_deref().and_then(<[Contact]>::first);
    let status = facts.peer.and_then(|row| row.get("Status")).and_then(known);
    let watched = status != Some("Unmonitored");
    let (state, reachable) = match (contact, contact.and_then(is_reachable)) {
        (_, Some(true)) => (TrunkState::Reachable, Some(true)),
        (_, Some(false)) => (TrunkState::Unreachable, Some(false)),
        (None, _) => (TrunkState::Unreachable, watched.then_some(false)),
        (Some(_), None) if watched => (TrunkState::Unknown, None),
        (Some(_), None) => (TrunkState::Unmonitored, None),
    };
    Reach { state, reachable, word: status.map(bounded) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ami::{Action, ActionError},
        collect::{AstDb, Directory, Family, Outcome},
        config::KindRules,
        normalize::{
            clock::Clock,
            device_state::{Activity, channel},
            devices::Devices,
            testing::{answers, contact, recorded},
        },
        snapshot::{Channel, Timestamp},
    };

    /// Where an idle PJSIP trunk with contacts of these states stands.
    fn reach_of(statuses: &[Option<&str>], qualified: Option<bool>) -> Reach {
        pjsip_reach(&Facts {
            device: "PJSIP/t".to_owned(),
            word: None,
            state: Some(DeviceState::NotInUse),
            contacts: Some(statuses.iter().map(|status| contact(*status)).collect()),
            online: None,
            qualified,
            peer: None,
        })
    }

    #[test]
    fn a_trunk_with_several_addresses_is_reachable_when_one_answers() {
        let reach = reach_of(&[Some("Unreachable"), Some("Reachable")], Some(true));
        assert_eq!((reach.state, reach.reachable), (TrunkState::Reachable, Some(true)));
        assert_eq!(reach.word.as_deref(), Some("Reachable"));
    }

    #[test]
    fn a_qualified_contact_of_which_nothing_is_told_is_taken_from_the_device_state() {
        let reach = |status, qualified| reach_of(&[status], qualified).state;
        assert_eq!(reach(None, Some(true)), TrunkState::Reachable);
        // Asked, and not answered yet.
        assert_eq!(reach(Some("Unknown"), Some(true)), TrunkState::Unknown);
        assert_eq!(reach(None, Some(false)), TrunkState::Unmonitored);
        assert_eq!(reach(None, None), TrunkState::Unknown);
    }

    fn join(answers: &Answers) -> Option<Vec<Trunk>> {
        join_with(answers, None, &KindRules::default())
    }

    fn join_with(
        answers: &Answers,
        channels: Option<&[Channel]>,
        rules: &KindRules,
    ) -> Option<Vec<Trunk>> {
        let astdb = AstDb::read(answers);
        let directory = Directory::read(answers, &astdb, rules);
        let clock = Clock::read(answers, Timestamp::from_epoch(1_795_245_750).unwrap());
        trunks(&Sources {
            answers,
            astdb: &astdb,
            directory: &directory,
            devices: &Devices::read(answers, &astdb, clock),
            activity: channels.map(Activity::read).as_ref(),
            queues: None,
            mailboxes: None,
            clock,
        })
    }

    fn find<'a>(trunks: &'a [Trunk], name: &str) -> &'a Trunk {
        let found = trunks.iter().find(|trunk| trunk.name == name);
        found.unwrap_or_else(|| panic!("{name} is missing in {:?}", names(trunks)))
    }

    fn names(trunks: &[Trunk]) -> Vec<&str> {
        trunks.iter().map(|trunk| trunk.name.as_str()).collect()
    }

    /// Without an answer, as if the server did not know the action.
    fn without(answers: &Answers, gone: &[ReadAction]) -> Answers {
        let mut left = Answers::default();
        for (action, outcome, _) in answers.iter().filter(|(a, ..)| !gone.contains(&a.kind())) {
            left.insert(action.clone(), outcome.clone(), None);
        }
        left
    }

    #[test]
    fn pjsip_trunks_of_a_busy_server_stand_as_the_lab_made_them() {
        for (folder, to, receives) in
            [("16.28.0/busy", "trunk-to-22", "in22"), ("22.10.1/busy", "trunk-to-16", "in16")]
        {
            let trunks = join(&recorded(folder)).unwrap();
            let pjsip: Vec<_> = trunks
                .iter()
                .filter(|trunk| trunk.tech == "PJSIP")
                .map(|trunk| (trunk.name.as_str(), trunk.state, trunk.reachable))
                .collect();
            let expected = [
                ("SIP_Trunk_IP", TrunkState::Reachable, Some(true)),
                (receives, TrunkState::Reachable, Some(true)),
                ("trunk-badpw", TrunkState::Rejected, Some(true)),
                ("trunk-dead", TrunkState::Rejected, Some(false)),
                ("trunk-main", TrunkState::Registered, Some(true)),
                (to, TrunkState::Registered, Some(true)),
            ];
            assert_eq!(pjsip, expected, "{folder}");
            let receiving = find(&trunks, receives);
            assert_eq!((&receiving.registration, &receiving.username), (&None, &None));
            assert_eq!(receiving.state_raw.as_deref(), Some("Reachable"));
            assert!(receiving.latency_ms.is_some());
        }
    }

    #[test]
    fn a_pjsip_trunk_joins_registration_contact_and_state() {
        let channels = [
            channel("PJSIP/trunk-main-0000000e", 6, "a"),
            channel("PJSIP/trunk-main-0000000f", 6, "b"),
            channel("PJSIP/trunk-main-00000010", 6, "b"),
            channel("PJSIP/100-00000011", 6, "c"),
        ];
        let trunks = join_with(&recorded("16.28.0/busy"), Some(&channels), &KindRules::default());
        let trunks = trunks.unwrap();
        let main = find(&trunks, "trunk-main");
        assert_eq!((main.host.as_deref(), main.port), (Some("127.0.0.1"), Some(16_600)));
        assert_eq!(main.username.as_deref(), Some("5550400"));
        assert_eq!(main.state_raw.as_deref(), Some("Registered"));
        assert_eq!(main.device_state.as_deref(), Some("In use"));
        assert_eq!(main.active_calls, Some(2));
        let registration = main.registration.as_ref().unwrap();
        assert_eq!(registration.server.as_deref(), Some("sip:127.0.0.1:16600"));
        assert_eq!(registration.client.as_deref(), Some("sip:5550400@127.0.0.1:16600"));
        assert_eq!(
            (registration.refresh_seconds, registration.next_attempt_at),
            (Some(3_600), None)
        );
        let plain = find(&trunks, "SIP_Trunk_IP");
        assert_eq!((&plain.registration, plain.active_calls), (&None, Some(0)));
        assert_eq!(plain.username.as_deref(), Some("5550403"));
        assert_eq!(plain.kind_source, KindSource::Astdb);
    }

    #[test]
    fn an_idle_server_has_tried_nothing_yet() {
        let trunks = join(&recorded("22.10.1/idle")).unwrap();
        assert_eq!(find(&trunks, "trunk-main").state, TrunkState::Unregistered);
        assert_eq!(find(&trunks, "SIP_Trunk_IP").state, TrunkState::Unreachable);
        assert_eq!(find(&trunks, "in16").state, TrunkState::Unreachable);
        assert_eq!(find(&trunks, "in16").state_raw.as_deref(), Some("Unavailable"));
    }

    #[test]
    fn chan_sip_registrations_find_their_peer_or_stand_alone() {
        let trunks = join(&recorded("16.28.0/busy")).unwrap();
        let sip: Vec<_> = trunks
            .iter()
            .filter(|trunk| trunk.tech == "SIP")
            .map(|trunk| (trunk.name.as_str(), trunk.state, trunk.reachable))
            .collect();
        let expected = [
            ("6660401@127.0.0.1", TrunkState::Rejected, None),
            ("6660403@127.0.0.1", TrunkState::Unregistered, None),
            ("sip-trunk", TrunkState::Registered, Some(true)),
            ("sip-trunk-dead", TrunkState::Unregistered, Some(false)),
        ];
        assert_eq!(sip, expected);
        let main = find(&trunks, "sip-trunk");
        assert_eq!(main.username.as_deref(), Some("6660400"));
        let registration = main.registration.as_ref().unwrap();
        assert_eq!(registration.server.as_deref(), Some("127.0.0.1:16610"));
        assert_eq!(registration.last_registered_at, Timestamp::from_epoch(1_795_245_677));
        assert_eq!(registration.next_attempt_at, Timestamp::from_epoch(1_795_245_782));
        let alone = find(&trunks, "6660401@127.0.0.1");
        assert_eq!(alone.kind_source, KindSource::Registration);
        assert_eq!(alone.state_raw.as_deref(), Some("No Authentication"));
    }

    #[test]
    fn iax_registrations_at_one_address_are_not_guessed_to_be_a_peers() {
        let trunks = join(&recorded("16.28.0/busy")).unwrap();
        let iax: Vec<_> = trunks
            .iter()
            .filter(|trunk| trunk.tech == "IAX2")
            .map(|trunk| (trunk.name.as_str(), trunk.state))
            .collect();
        let expected = [
            ("iax16@127.0.0.1", TrunkState::Registered),
            ("iax22", TrunkState::Reachable),
            ("iax300", TrunkState::Unreachable),
            ("iax301", TrunkState::Unreachable),
            ("iaxdead", TrunkState::Unregistered),
            ("iaxnobody@127.0.0.1", TrunkState::Rejected),
        ];
        assert_eq!(iax, expected);
        let never = find(&trunks, "iax300");
        assert_eq!((&never.host, never.reachable), (&None, Some(false)), "(null)");
        assert_eq!(find(&trunks, "iax301").reachable, None, "qualify is off");
        assert_eq!(
            find(&trunks, "iaxdead").registration.as_ref().unwrap().refresh_seconds,
            Some(60)
        );
    }

    #[test]
    fn a_renewal_that_timed_out_shows_although_chan_sip_hides_it() {
        let state = |since: i64| {
            let row = format!(
                "Event: RegistryEntry\nHost: sip.example.net\nPort: 5060\nUsername: 555\n\
                 Refresh: 105\nState: Registered\nRegistrationTime: {}",
                1_795_245_747 - since
            );
            let answers = answers(&[
                (ReadAction::Ping.into(), "Ping: Pong\nTimestamp: 1795245747.4"),
                (ReadAction::SipShowRegistry.into(), &row),
            ]);
            let trunks = join(&answers).unwrap();
            let trunk = find(&trunks, "555@sip.example.net").clone();
            assert_eq!(trunk.state_raw.as_deref(), Some("Registered"));
            trunk.state
        };
        assert_eq!(state(100), TrunkState::Registered);
        assert_eq!(state(130), TrunkState::Registered, "clocks and replies need a moment");
        assert_eq!(state(400), TrunkState::Failed);
    }

    #[test]
    fn a_registration_that_stands_stays_registered_while_it_is_renewed() {
        let sip = |since: i64| {
            format!(
                "Event: RegistryEntry\nHost: sip.example.net\nPort: 5060\nUsername: 555\n\
                 Refresh: 105\nState: Request Sent\nRegistrationTime: {}",
                if since < 0 { 0 } else { 1_795_245_747 - since }
            )
        };
        let iax = |perceived: &str| {
            format!(
                "Event: RegistryEntry\nHost: iax.example.net:4569\nUsername: 777\n\
                 Perceived: {perceived}\nRefresh: 60\nState: Auth. Sent"
            )
        };
        let states = |sip: String, iax: String| {
            let answers = answers(&[
                (ReadAction::Ping.into(), "Ping: Pong\nTimestamp: 1795245747.4"),
                (ReadAction::SipShowRegistry.into(), &sip),
                (ReadAction::IaxRegistry.into(), &iax),
            ]);
            let trunks = join(&answers).unwrap();
            let state = |name| find(&trunks, name).state;
            (state("555@sip.example.net"), state("777@iax.example.net"))
        };
        let (up, down) = (TrunkState::Registered, TrunkState::Unregistered);
        assert_eq!(states(sip(106), iax("192.0.2.1:4569")), (up, up));
        assert_eq!(states(sip(-1), iax("<Unregistered>")), (down, down));
        assert_eq!(states(sip(400), iax("")), (down, down), "the old registration has run out");
    }

    #[test]
    fn details_tell_what_the_lists_leave_open() {
        let endpoints = (
            Action::new(ReadAction::PjsipShowEndpoints),
            "Event: EndpointList\nObjectName: prov\nAor: prov\nOutboundAuths: prov\n\
             Contacts: prov/sip:me@sip.example.net:5080,\nDeviceState: Not in use",
        );
        let open = join(&answers(std::slice::from_ref(&endpoints))).unwrap();
        assert_eq!((open[0].state, open[0].reachable), (TrunkState::Unknown, None));
        assert_eq!(open[0].host.as_deref(), Some("sip.example.net"));
        let with = |action: Action, text: &'static str| {
            let trunks = join(&answers(&[endpoints.clone(), (action, text)])).unwrap();
            (trunks[0].state, trunks[0].reachable, trunks[0].latency_ms)
        };
        let detail =
            || Action::new(ReadAction::PjsipShowEndpoint).with("Endpoint", "prov").unwrap();
        let contact = "Event: ContactStatusDetail\nAOR: prov\nURI: sip:me@sip.example.net:5080\n\
                       Status: Reachable\nRoundtripUsec: 12500";
        let reached = (TrunkState::Reachable, Some(true), Some(12.5));
        assert_eq!(with(detail(), contact), reached);
        let contact = "Event: ContactStatusDetail\nAOR: prov\nURI: sip:me@sip.example.net:5080\n\
                       Status: NonQualified\nRoundtripUsec: N/A";
        assert_eq!(with(detail(), contact), (TrunkState::Unmonitored, None, None));
        let contact = "Event: ContactStatusDetail\nAOR: prov\nURI: sip:me@sip.example.net:5080\n\
                       Status: Unreachable\nRoundtripUsec: 700";
        assert_eq!(with(detail(), contact), (TrunkState::Unreachable, Some(false), None));
        let aor = "Event: AorList\nObjectName: prov\nQualifyFrequency: 0";
        assert_eq!(
            with(ReadAction::PjsipShowAors.into(), aor),
            (TrunkState::Unmonitored, None, None)
        );
    }

    #[test]
    fn a_trunk_takes_the_registration_of_its_name_and_keeps_the_address_that_it_calls() {
        let trunks = join(&answers(&[
            (
                ReadAction::PjsipShowEndpoints.into(),
                "Event: EndpointList\nObjectName: prov\nAor: prov\nOutboundAuths: prov\n\
                 Contacts: prov/sip:192.0.2.9:5080,\nDeviceState: Not in use",
            ),
            (
                ReadAction::PjsipShowRegistrationsOutbound.into(),
                "Event: OutboundRegistrationDetail\nObjectName: backup\nEndpoint: prov\n\
                 ServerUri: sip:b.example.net\nStatus: Rejected\n\n\
                 Event: OutboundRegistrationDetail\nObjectName: prov\nEndpoint: prov\n\
                 ServerUri: sip:a.example.net\nStatus: Registered",
            ),
        ]));
        let trunks = trunks.unwrap();
        let (own, other) = (find(&trunks, "prov"), find(&trunks, "backup"));
        assert_eq!((own.state, other.state), (TrunkState::Registered, TrunkState::Rejected));
        assert_eq!((own.host.as_deref(), own.port), (Some("192.0.2.9"), Some(5_080)));
        assert_eq!(other.host.as_deref(), Some("b.example.net"));
    }

    #[test]
    fn a_peer_that_has_not_answered_is_told_from_one_that_nobody_asks() {
        for (status, expected) in
            [("UNKNOWN", TrunkState::Unknown), ("Unmonitored", TrunkState::Unmonitored)]
        {
            let peer = format!(
                "Event: PeerEntry\nObjectName: prov\nIPaddress: 192.0.2.9\nDynamic: no\n\
                 Status: {status}"
            );
            let trunks = join(&answers(&[(ReadAction::SipPeers.into(), &peer)])).unwrap();
            assert_eq!((trunks[0].state, trunks[0].reachable), (expected, None), "{status}");
        }
    }

    #[test]
    fn a_registration_joins_the_only_peer_at_its_address() {
        let peer = |name: &str| {
            format!(
                "Event: PeerEntry\nObjectName: {name}\nIPaddress: 192.0.2.9\nIPport: 5060\n\
                 Dynamic: no\n\n"
            )
        };
        let joined = |peers: String| {
            let trunks = join(&answers(&[
                (ReadAction::SipPeers.into(), &peers),
                (
                    Action::new(ReadAction::SipShowPeer).with("Peer", "one").unwrap(),
                    "ObjectName: one\nToHost: 192.0.2.9",
                ),
                (
                    ReadAction::SipShowRegistry.into(),
                    "Event: RegistryEntry\nHost: 192.0.2.9\nPort: 5060\nUsername: 555\n\
                     State: Registered",
                ),
            ]));
            trunks.unwrap().into_iter().map(|trunk| trunk.name).collect::<Vec<_>>()
        };
        assert_eq!(joined(peer("one")), ["one"]);
        assert_eq!(joined(peer("one") + &peer("two")), ["555@192.0.2.9", "one", "two"]);
    }

    #[test]
    fn sip_details_join_a_registration_by_account_and_host_name() {
        let answers = answers(&[
            (
                ReadAction::SipPeers.into(),
                "Event: PeerEntry\nObjectName: prov-out\nIPaddress: 192.0.2.9\nIPport: 5060\n\
                 Dynamic: no\nStatus: Unmonitored",
            ),
            (
                Action::new(ReadAction::SipShowPeer).with("Peer", "prov-out").unwrap(),
                "ObjectName: prov-out\nContext: from-trunk-sip-prov\nToHost: sip.example.net\n\
                 Default-Username: 555",
            ),
            (
                ReadAction::SipShowRegistry.into(),
                "Event: RegistryEntry\nHost: sip.example.net\nPort: 5060\nUsername: 555\n\
                 Refresh: 120\nState: Request Sent\nRegistrationTime: 0",
            ),
        ]);
        let trunks = join(&answers).unwrap();
        assert_eq!(names(&trunks), ["prov-out"]);
        assert_eq!(trunks[0].host.as_deref(), Some("sip.example.net"));
        assert_eq!(trunks[0].state, TrunkState::Unregistered);
        assert_eq!(trunks[0].reachable, None);
        assert_eq!(trunks[0].registration.as_ref().unwrap().last_registered_at, None);
    }

    #[test]
    fn a_registration_without_an_endpoint_is_a_trunk_of_its_own() {
        let registration = (
            Action::new(ReadAction::PjsipShowRegistrationsOutbound),
            "Event: OutboundRegistrationDetail\nObjectName: lonely\n\
             ServerUri: sip:sip.example.net\nClientUri: sip:42@sip.example.net\nStatus: Rejected\n\n\
             Event: OutboundRegistrationDetail\nObjectName: 100\n\
             ServerUri: sip:sip.example.net\nClientUri: sip:100@sip.example.net",
        );
        let endpoints =
            (Action::new(ReadAction::PjsipShowEndpoints), "Event: EndpointList\nObjectName: 100");
        let table = (
            Family::DeviceUser.tree(),
            "Event: DBGetTreeResponse\nKey: /DEVICE/100/user\nVal: 100",
        );
        let trunks = join(&answers(&[endpoints, registration, table])).unwrap();
        assert_eq!(names(&trunks), ["100", "lonely"], "an extension's name hides no registration");
        assert_eq!(trunks[0].state, TrunkState::Unknown, "no live state was told");
        let lonely = &trunks[1];
        assert_eq!((lonely.state, lonely.reachable), (TrunkState::Rejected, None));
        assert_eq!(lonely.host.as_deref(), Some("sip.example.net"));
        assert_eq!(lonely.username.as_deref(), Some("42"));
        assert_eq!(lonely.kind_source, KindSource::Registration);
    }

    #[test]
    fn an_account_registered_at_two_ports_is_two_trunks() {
        let trunks = join(&answers(&[(
            ReadAction::IaxRegistry.into(),
            "Event: RegistryEntry\nHost: [2001:db8::1]:4569\nUsername: a\nState: Registered\n\n\
             Event: RegistryEntry\nHost: [2001:db8::1]:4570\nUsername: a\nState: Timeout",
        )]));
        let trunks = trunks.unwrap();
        assert_eq!(names(&trunks), ["a@2001:db8::1:4569", "a@2001:db8::1:4570"]);
        assert_eq!(trunks[1].state, TrunkState::Failed);
        let server = trunks[0].registration.as_ref().unwrap().server.as_deref();
        assert_eq!(server, Some("[2001:db8::1]:4569"));
    }

    #[test]
    fn class_reporting_alone_gives_registrations_and_remembered_states() {
        let lists = [
            ReadAction::PjsipShowEndpoints,
            ReadAction::PjsipShowContacts,
            ReadAction::PjsipShowAors,
            ReadAction::PjsipShowEndpoint,
            ReadAction::PjsipShowRegistrationInboundContactStatuses,
        ];
        let trunks = join(&without(&recorded("22.10.1/busy"), &lists)).unwrap();
        let dead = find(&trunks, "trunk-dead");
        assert_eq!((dead.state, dead.reachable), (TrunkState::Rejected, Some(false)));
        assert_eq!(dead.device_state.as_deref(), Some("UNAVAILABLE"));
        let main = find(&trunks, "trunk-main");
        assert_eq!((main.state, main.reachable), (TrunkState::Registered, None));
        assert_eq!((main.host.as_deref(), main.port), (Some("127.0.0.1"), Some(16_700)));
    }

    #[test]
    fn what_the_administrator_leaves_out_stays_out() {
        let rules = KindRules::new(&[], &[], &["trunk-*".to_owned(), "sip-*".to_owned()]);
        let trunks = join_with(&recorded("22.10.1/busy"), None, &rules).unwrap();
        assert_eq!(
            names(&trunks),
            [
                "SIP_Trunk_IP",
                "iax16",
                "iax22@127.0.0.1",
                "iax300",
                "iax301",
                "iaxdead",
                "iaxnobody@127.0.0.1",
                "in16"
            ]
        );
    }

    #[test]
    fn no_trunks_and_no_answer_differ() {
        assert_eq!(join(&Answers::default()), None);
        let mut answers = answers(&[(ReadAction::IaxRegistry.into(), "")]);
        let endpoints = Action::new(ReadAction::PjsipShowEndpoints);
        let unknown = ActionError::Unsupported { action: ReadAction::PjsipShowEndpoints };
        answers.insert(endpoints.clone(), Outcome::Failed(unknown), None);
        assert_eq!(join(&answers), Some(Vec::new()), "a module that is not there has none");
        answers.insert(endpoints, Outcome::Skipped("no time left".to_owned()), None);
        assert_eq!(join(&answers), None);
    }
}
