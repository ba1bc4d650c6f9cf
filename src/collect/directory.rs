//! Who is who: every device that the PBX named, judged to be a trunk or an extension.
//!
//! It stands in `collect` because what to ask next depends on it.
//!
//! Nothing in AMI says "trunk". FreePBX's own device table (AstDB family `DEVICE`) does, and is
//! believed before everything but the administrator. Where it is missing, several weaker signs
//! stand in for it, best first; every [`DeviceEntry`] says by which one it was judged.

mod evidence;
mod judge;
mod names;
mod open;

use hashbrown::{HashMap, HashSet};

use self::evidence::Evidence;
pub(crate) use self::evidence::{PEER_LISTS, aor_of_contact, extension_hints, registered_contacts};
use self::open::Open;
use crate::{
    collect::{Answers, AstDb},
    config::{Kind, KindRules},
    snapshot::KindSource,
};

/// To whom a device belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner<'a> {
    /// A user's extension, by its number.
    Extension(&'a str),
    /// A trunk, by its name.
    Trunk(&'a str),
    /// Neither: the `anonymous` endpoint, or left out by the configuration.
    Special,
}

/// One device, judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceEntry<'a> {
    /// `PJSIP`, `SIP`, `IAX2`, ...
    pub tech: &'a str,
    /// Name without the technology.
    pub name: &'a str,
    /// To whom it belongs.
    pub owner: Owner<'a>,
    /// How that was judged.
    pub source: KindSource,
}

/// Finds a device among those sorted by technology and name.
fn find<'d, 'a>(
    devices: &'d [DeviceEntry<'a>],
    tech: &str,
    name: &str,
) -> Option<&'d DeviceEntry<'a>> {
    let at = devices.binary_search_by(|entry| (entry.tech, entry.name).cmp(&(tech, name)));
    devices.get(at.ok()?)
}

/// Every device that the PBX named, and every extension with its display name.
#[derive(Debug, Clone, Default)]
pub struct Directory<'a> {
    /// In the order of technologies and names.
    devices: Vec<DeviceEntry<'a>>,
    /// All extensions in order, with their display names, empty where none is known.
    extensions: Vec<(&'a str, &'a str)>,
    /// Names of endpoints by those of PJSIP registrations.
    registrations: HashMap<&'a str, &'a str>,
}

impl<'a> Directory<'a> {
    /// Judges every device in the answers.
    #[must_use]
    pub fn read(answers: &'a Answers, astdb: &AstDb<'a>, rules: &KindRules) -> Self {
        let evidence = Evidence::read(answers, astdb);
        // Users whose device the administrator took away must not come back without it.
        let mut taken = HashSet::new();
        let mut devices = Vec::with_capacity(evidence.devices.len());
        for (&(tech, name), seen) in &evidence.devices {
            let (kind, source) = judge::judge(tech, name, seen, &evidence, rules);
            let owner = match kind {
                Kind::Extension => Owner::Extension(evidence.extension_of(tech, name)),
                Kind::Trunk => Owner::Trunk(name),
                Kind::Ignored => Owner::Special,
            };
            if source == KindSource::Config && kind != Kind::Extension {
                taken.insert(evidence.extension_of(tech, name));
            }
            devices.push(DeviceEntry { tech, name, owner, source });
        }
        // Stable sorts are fast where much is in order, which lists of Asterisk are.
        devices.sort_by_key(|entry| (entry.tech, entry.name));
        let owners = devices.iter().filter_map(|device| match device.owner {
            Owner::Extension(number) => Some(number),
            Owner::Trunk(_) | Owner::Special => None,
        });
        let users = evidence::users(astdb)
            .filter(|user| !taken.contains(user) && rules.kind("", user) != Some(Kind::Ignored));
        let mut extensions: Vec<_> = owners.chain(users).collect();
        extensions.sort();
        extensions.dedup();
        let extensions = names::names(extensions, &devices, answers, astdb);
        let registrations = evidence.registrations.iter().copied().collect();
        Self { devices, extensions, registrations }
    }

    /// What the first answers leave open, without the work for everything else.
    pub(crate) fn open(answers: &'a Answers, astdb: &AstDb<'a>, rules: &KindRules) -> Open<'a> {
        Open::read(answers, astdb, rules)
    }

    /// The entry of a device such as `PJSIP/101`. Technologies compare as Asterisk's channel
    /// names spell them (`IAX2`, not `IAX`).
    #[must_use]
    pub fn device(&self, device: &str) -> Option<&DeviceEntry<'a>> {
        let (tech, name) = device.split_once('/')?;
        find(&self.devices, tech, name)
    }

    /// All devices, in the order of their names.
    pub fn devices(&self) -> impl Iterator<Item = &DeviceEntry<'a>> {
        self.devices.iter()
    }

    /// The extension of that number, as the directory spells it; `None` when there is none.
    #[must_use]
    pub fn extension(&self, number: &str) -> Option<&'a str> {
        self.named(number).map(|(number, _)| number)
    }

    /// The numbers of all extensions, those of users without a device included.
    pub fn extensions(&self) -> impl Iterator<Item = &'a str> {
        self.extensions.iter().map(|(number, _)| *number)
    }

    /// Display name of an extension; `None` when unknown or empty.
    ///
    /// It is FreePBX's (`AMPUSER/<ext>/cidname`) wherever that was read. Without it, the PJSIP
    /// caller ID, the chan_sip description or the name of a queue member stand in, in this order;
    /// a queue member's name is a guess, since the queue's administrator chose it.
    #[must_use]
    pub fn name(&self, extension: &str) -> Option<&'a str> {
        self.named(extension).map(|(_, name)| name).filter(|name| !name.is_empty())
    }

    fn named(&self, extension: &str) -> Option<(&'a str, &'a str)> {
        let at = self.extensions.binary_search_by(|(number, _)| (*number).cmp(extension)).ok()?;
        self.extensions.get(at).copied()
    }

    /// The device that a PJSIP outbound registration belongs to, by the registration's name.
    ///
    /// Every registration has one: where no endpoint belongs to it, an entry that stands for the
    /// registration alone.
    #[must_use]
    pub fn registration(&self, registration: &str) -> Option<&DeviceEntry<'a>> {
        find(&self.devices, "PJSIP", self.registrations.get(registration)?)
    }

    /// A directory of given devices and extension names, for tests.
    #[cfg(test)]
    pub(crate) fn of(
        devices: &[(&'a str, &'a str, Owner<'a>)],
        names: &[(&'a str, &'a str)],
    ) -> Self {
        let mut directory = Self { extensions: names.to_vec(), ..Self::default() };
        directory.extensions.sort_unstable();
        for &(tech, name, owner) in devices {
            let entry = DeviceEntry { tech, name, owner, source: KindSource::Astdb };
            directory.devices.push(entry);
        }
        directory.devices.sort_by_key(|entry| (entry.tech, entry.name));
        directory
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ami::{Action, ReadAction},
        collect::Family,
        normalize::testing::{answers, recorded},
    };

    fn read(answers: &Answers) -> Directory<'_> {
        Directory::read(answers, &AstDb::read(answers), &KindRules::default())
    }

    /// How a device was judged, in short: `extension 100 Astdb`.
    fn verdict(directory: &Directory, device: &str) -> String {
        let entry = directory.device(device).unwrap_or_else(|| panic!("{device} is missing"));
        match &entry.owner {
            Owner::Extension(number) => format!("extension {number} {:?}", entry.source),
            Owner::Trunk(name) => format!("trunk {name} {:?}", entry.source),
            Owner::Special => format!("special {:?}", entry.source),
        }
    }

    /// A recording without some of its answers.
    fn without(folder: &str, gone: impl Fn(&Action) -> bool) -> Answers {
        let mut left = Answers::default();
        for (action, outcome, _) in recorded(folder).iter().filter(|(action, ..)| !gone(action)) {
            left.insert(action.clone(), outcome.clone(), None);
        }
        left
    }

    fn is_astdb(action: &Action) -> bool {
        matches!(action.kind(), ReadAction::DbGetTree | ReadAction::DbGet)
    }

    #[test]
    fn freepbxs_device_table_decides_on_every_recording() {
        for folder in ["16.28.0/busy", "22.10.1/busy", "16.28.0/idle", "22.10.1/idle"] {
            let given = recorded(folder);
            let directory = read(&given);
            assert_eq!(verdict(&directory, "PJSIP/100"), "extension 100 Astdb", "{folder}");
            assert_eq!(verdict(&directory, "PJSIP/99100"), "extension 99100 Astdb");
            assert_eq!(verdict(&directory, "PJSIP/trunk-main"), "trunk trunk-main Astdb");
            assert_eq!(verdict(&directory, "PJSIP/SIP_Trunk_IP"), "trunk SIP_Trunk_IP Astdb");
            let receiving = if folder.starts_with("16") { "in22" } else { "in16" };
            let verdict = verdict(&directory, &format!("PJSIP/{receiving}"));
            assert_eq!(verdict, format!("trunk {receiving} Astdb"));
            assert_eq!(directory.name("104"), Some("Élodie Ünïcode 東京"));
            assert_eq!(directory.name("106"), Some("Colon: Sales: East"));
            assert_eq!(directory.name("109"), None, "an empty name is no name");
        }
    }

    #[test]
    fn a_hint_outweighs_a_gap_in_the_device_table() {
        let given = recorded("16.28.0/busy");
        let directory = read(&given);
        assert_eq!(verdict(&directory, "SIP/203"), "extension 203 Hint");
        assert_eq!(verdict(&directory, "SIP/sip-trunk"), "trunk sip-trunk Astdb");
        assert_eq!(verdict(&directory, "IAX2/iax22"), "trunk iax22 Astdb");
        assert_eq!(directory.name("207"), Some("Hélène: \"desc\""));
    }

    #[test]
    fn without_astdb_the_weaker_signs_give_the_same_verdicts() {
        let given = without("16.28.0/busy", is_astdb);
        let directory = read(&given);
        assert_eq!(verdict(&directory, "PJSIP/trunk-main"), "trunk trunk-main Registration");
        assert_eq!(verdict(&directory, "PJSIP/SIP_Trunk_IP"), "trunk SIP_Trunk_IP Auth");
        assert_eq!(verdict(&directory, "PJSIP/in22"), "trunk in22 Auth");
        assert_eq!(verdict(&directory, "PJSIP/114"), "extension 114 Auth");
        assert_eq!(verdict(&directory, "SIP/200"), "extension 200 Context");
        assert_eq!(verdict(&directory, "SIP/203"), "extension 203 Hint");
        assert_eq!(verdict(&directory, "SIP/sip-trunk"), "trunk sip-trunk FixedAddress");
        assert_eq!(verdict(&directory, "IAX2/iax22"), "trunk iax22 Name");
        assert_eq!(directory.name("104"), Some("Élodie Ünïcode 東京"), "from a queue member");
        assert_eq!(directory.name("111"), Some("Agent One"), "from a queue member");
        assert_eq!(directory.name("201"), Some("Sip Bob"), "from chan_sip");
    }

    #[test]
    fn with_class_reporting_alone_table_hints_and_registrations_name_the_devices() {
        let system = |action: &Action| action.kind().classes() == ["system"];
        let given = without("22.10.1/busy", system);
        let directory = read(&given);
        assert_eq!(verdict(&directory, "PJSIP/100"), "extension 100 Astdb");
        assert_eq!(verdict(&directory, "PJSIP/trunk-main"), "trunk trunk-main Registration");
        assert!(directory.device("PJSIP/SIP_Trunk_IP").is_none(), "only a remembered state");
        let given = without("22.10.1/busy", |a| system(a) || is_astdb(a));
        let directory = read(&given);
        assert_eq!(verdict(&directory, "PJSIP/100"), "extension 100 Hint");
    }

    #[test]
    fn remembered_states_give_a_technology_but_no_device() {
        let given = answers(&[
            (
                Family::DeviceUser.tree(),
                "Event: DBGetTreeResponse\nKey: /DEVICE/100/user\nVal: 100",
            ),
            (
                ReadAction::DeviceStateList.into(),
                "Event: DeviceStateChange\nDevice: PJSIP/100\nState: NOT_INUSE\n\n\
                 Event: DeviceStateChange\nDevice: PJSIP/gone\nState: UNAVAILABLE",
            ),
        ]);
        let directory = read(&given);
        assert_eq!(verdict(&directory, "PJSIP/100"), "extension 100 Astdb");
        assert_eq!(directory.devices().count(), 1);
    }

    #[test]
    fn names_mislead_and_the_table_does_not() {
        let given = answers(&[
            (
                ReadAction::PjsipShowEndpoints.into(),
                "Event: EndpointList\nObjectName: 5550400\nAuths: 5550400-auth\n\n\
                 Event: EndpointList\nObjectName: reception\nContacts: reception/sip:a@h,\n\n\
                 Event: EndpointList\nObjectName: 99100\n\n\
                 Event: EndpointList\nObjectName: anonymous",
            ),
            (
                Family::DeviceUser.tree(),
                "Event: DBGetTreeResponse\nKey: /DEVICE/reception/user\nVal: none\n\n\
                 Event: DBGetTreeResponse\nKey: /DEVICE/99100/user\nVal: 100",
            ),
        ]);
        let directory = read(&given);
        assert_eq!(verdict(&directory, "PJSIP/5550400"), "trunk 5550400 Astdb");
        assert_eq!(verdict(&directory, "PJSIP/reception"), "extension reception Astdb");
        assert_eq!(verdict(&directory, "PJSIP/99100"), "extension 100 Astdb");
        assert_eq!(verdict(&directory, "PJSIP/anonymous"), "special Name");
        assert_eq!(directory.extensions().collect::<Vec<_>>(), ["100", "reception"]);
    }

    #[test]
    fn a_browsers_device_belongs_to_its_user_only_when_somebody_says_so() {
        let endpoints = (
            Action::new(ReadAction::PjsipShowEndpoints),
            "Event: EndpointList\nObjectName: 99100\nAuths: 99100-auth",
        );
        assert_eq!(
            verdict(&read(&answers(std::slice::from_ref(&endpoints))), "PJSIP/99100"),
            "extension 99100 Auth"
        );
        let hint = (
            ReadAction::ExtensionStateList.into(),
            "Event: ExtensionStatus\nExten: 100\nContext: ext-local\n\
             Hint: PJSIP/100&PJSIP/99100&Custom:DND100,CustomPresence:100\nStatus: 0\n\n\
             Event: ExtensionStatus\nExten: *76\nContext: ext-local\nHint: PJSIP/7\nStatus: 0",
        );
        let given = answers(&[endpoints.clone(), hint]);
        let directory = read(&given);
        assert_eq!(verdict(&directory, "PJSIP/99100"), "extension 100 Auth");
        assert!(directory.device("PJSIP/100").is_none(), "the list of endpoints has no such one");
        let user = (
            Family::UserDevice.tree(),
            "Event: DBGetTreeResponse\nKey: /AMPUSER/100/device\nVal: 100&99100",
        );
        let table = (
            Family::DeviceUser.tree(),
            "Event: DBGetTreeResponse\nKey: /DEVICE/99100/user\nVal: none",
        );
        let given = answers(&[endpoints, user, table]);
        let directory = read(&given);
        assert_eq!(verdict(&directory, "PJSIP/99100"), "extension 100 Astdb");
    }

    #[test]
    fn an_entry_of_another_technology_says_nothing_of_a_peer_of_that_name() {
        let given = answers(&[
            (
                ReadAction::SipPeers.into(),
                "Event: PeerEntry\nObjectName: 200\nDynamic: no\n\n\
                 Event: PeerEntry\nObjectName: 201\nDynamic: yes",
            ),
            (
                Family::DeviceUser.tree(),
                "Event: DBGetTreeResponse\nKey: /DEVICE/200/user\nVal: 200\n\n\
                 Event: DBGetTreeResponse\nKey: /DEVICE/201/user\nVal: 201",
            ),
            (
                Family::DeviceDial.tree(),
                "Event: DBGetTreeResponse\nKey: /DEVICE/200/dial\nVal: PJSIP/200\n\n\
                 Event: DBGetTreeResponse\nKey: /DEVICE/201/dial\nVal: SIP/201",
            ),
        ]);
        let directory = read(&given);
        assert_eq!(verdict(&directory, "SIP/200"), "trunk 200 FixedAddress");
        assert_eq!(verdict(&directory, "PJSIP/200"), "extension 200 Astdb");
        assert_eq!(verdict(&directory, "SIP/201"), "extension 201 Astdb");
    }

    #[test]
    fn before_dbgettree_only_a_device_that_was_asked_for_is_known_to_be_missing() {
        let entry = |name| Family::DeviceUser.entry(name).unwrap();
        let given = answers(&[
            (
                ReadAction::SipPeers.into(),
                "Event: PeerEntry\nObjectName: 200\n\nEvent: PeerEntry\nObjectName: 555\n\n\
                 Event: PeerEntry\nObjectName: 556",
            ),
            (entry("200"), "Event: DBGetResponse\nFamily: DEVICE\nKey: 200/user\nVal: 200"),
            (entry("555"), ""),
        ]);
        let directory = read(&given);
        assert_eq!(verdict(&directory, "SIP/200"), "extension 200 Astdb");
        assert_eq!(verdict(&directory, "SIP/555"), "trunk 555 Astdb");
        assert_eq!(verdict(&directory, "SIP/556"), "extension 556 Name");
    }

    #[test]
    fn a_registration_finds_its_endpoint_by_name_header_or_shared_auth() {
        let given = answers(&[
            (
                ReadAction::PjsipShowEndpoints.into(),
                "Event: EndpointList\nObjectName: by-name\n\n\
                 Event: EndpointList\nObjectName: by-auth\nOutboundAuths: account\n\n\
                 Event: EndpointList\nObjectName: by-line\n\n\
                 Event: EndpointList\nObjectName: 100\nOutboundAuths: shared\n\n\
                 Event: EndpointList\nObjectName: 101\nOutboundAuths: shared",
            ),
            (
                ReadAction::PjsipShowRegistrationsOutbound.into(),
                "Event: OutboundRegistrationDetail\nObjectName: by-name\n\n\
                 Event: OutboundRegistrationDetail\nObjectName: r1\nOutboundAuth: account\n\n\
                 Event: OutboundRegistrationDetail\nObjectName: r2\nEndpoint: by-line\n\n\
                 Event: OutboundRegistrationDetail\nObjectName: r3\nOutboundAuth: shared",
            ),
        ]);
        let directory = read(&given);
        let of = |name| directory.registration(name).map(|device| device.name);
        assert_eq!(of("by-name"), Some("by-name"));
        assert_eq!(of("r1"), Some("by-auth"));
        assert_eq!(of("r2"), Some("by-line"));
        assert_eq!(of("r3"), Some("r3"), "several endpoints share the object");
        for device in ["PJSIP/by-name", "PJSIP/by-auth", "PJSIP/by-line", "PJSIP/r3"] {
            let verdict = verdict(&directory, device);
            assert!(verdict.ends_with(" Registration"), "{device}: {verdict}");
        }
        assert_eq!(verdict(&directory, "PJSIP/100"), "extension 100 Name");
    }

    #[test]
    fn a_static_contact_is_one_that_no_list_of_registered_contacts_has() {
        let endpoints = (
            Action::new(ReadAction::PjsipShowEndpoints),
            "Event: EndpointList\nObjectName: 300\nContacts: 300/sip:300@192.0.2.1:5060,\n\n\
             Event: EndpointList\nObjectName: 301\nContacts: 301/sip:301@192.0.2.2:5060,",
        );
        let contacts = (
            ReadAction::PjsipShowContacts.into(),
            "Event: ContactList\nObjectName: 301;@0ff\nUri: sip:301@192.0.2.2:5060",
        );
        let given = answers(&[endpoints.clone(), contacts]);
        let directory = read(&given);
        assert_eq!(verdict(&directory, "PJSIP/300"), "trunk 300 StaticContact");
        assert_eq!(verdict(&directory, "PJSIP/301"), "extension 301 Name");
        let given = answers(&[endpoints]);
        let directory = read(&given);
        assert_eq!(verdict(&directory, "PJSIP/300"), "extension 300 Name", "no list, no sign");
    }

    #[test]
    fn details_of_an_endpoint_tell_context_and_name() {
        let detail = Action::new(ReadAction::PjsipShowEndpoint).with("Endpoint", "300").unwrap();
        let given = answers(&[
            (
                ReadAction::PjsipShowEndpoints.into(),
                "Event: EndpointList\nObjectName: 300\n\nEvent: EndpointList\nObjectName: phone",
            ),
            (
                detail,
                "Event: EndpointDetail\nObjectName: 300\nContext: from-pstn\n\n\
                 Event: EndpointDetail\nObjectName: phone\nContext: from-internal\n\
                 Callerid: \"Front: Desk\" <7>",
            ),
        ]);
        let directory = read(&given);
        assert_eq!(verdict(&directory, "PJSIP/300"), "trunk 300 Context");
        assert_eq!(verdict(&directory, "PJSIP/phone"), "extension phone Context");
        assert_eq!(directory.name("phone"), Some("Front: Desk"));
    }

    #[test]
    fn the_administrator_has_the_first_word_and_keeps_it() {
        let answers = recorded("16.28.0/busy");
        let list = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let rules =
            KindRules::new(&list(&["in22"]), &list(&["PJSIP/101"]), &list(&["trunk-*", "100"]));
        let directory = Directory::read(&answers, &AstDb::read(&answers), &rules);
        assert_eq!(verdict(&directory, "PJSIP/in22"), "extension in22 Config");
        assert_eq!(verdict(&directory, "PJSIP/101"), "trunk 101 Config");
        assert_eq!(verdict(&directory, "PJSIP/trunk-main"), "special Config");
        assert_eq!(directory.extension("100"), None, "its user does not come back");
        assert_eq!(directory.extension("101"), None, "its user does not come back");
        assert_eq!(directory.extension("102"), Some("102"));
    }

    #[test]
    fn a_user_without_a_device_is_an_extension() {
        let given = answers(&[(
            Family::UserName.tree(),
            "Event: DBGetTreeResponse\nKey: /AMPUSER/700/cidname\nVal: Voicemail Only",
        )]);
        let directory = read(&given);
        assert_eq!(directory.name("700"), Some("Voicemail Only"));
        assert_eq!(directory.devices().count(), 0);
    }
}
