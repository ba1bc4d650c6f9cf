//! What the answers say about devices, gathered into maps so that judging one costs a few
//! look-ups however many there are.

use hashbrown::{DefaultHashBuilder, HashMap, HashSet};
use indexmap::IndexMap;

use crate::{
    ami::{Answer, ReadAction, Row},
    collect::{
        Answers, AstDb, Family,
        lists::{endpoint_contacts, hint_devices, names, split_device},
    },
};

/// Lists of peers, with the technology as channel names spell it (`IAXpeerlist` says `IAX`).
pub(crate) const PEER_LISTS: [(ReadAction, &str); 2] =
    [(ReadAction::SipPeers, "SIP"), (ReadAction::IaxPeerList, "IAX2")];

/// What one row said about a device.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Seen<'a> {
    /// Names of the objects by which it authenticates.
    pub auths: &'a str,
    /// Names of the objects by which we authenticate at it.
    pub outbound_auths: &'a str,
    /// A PJSIP contact of it is configured and not registered.
    pub static_contact: bool,
    /// A chan_sip or IAX2 peer that does not register.
    pub fixed_address: bool,
    /// Nothing but an outbound registration, without an endpoint.
    pub registration_only: bool,
    /// It stands in a list of devices.
    pub listed: bool,
    /// That list tells its device state.
    pub has_state: bool,
}

/// Whether FreePBX's device table has a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table<'a> {
    /// It does, under this id.
    Present(&'a str),
    /// It is known not to.
    Absent,
    /// The table was not read, or its entry of that name is a device of another technology.
    Silent,
}

/// All that is known before anything is judged.
#[derive(Debug, Default)]
pub(super) struct Evidence<'a> {
    /// By technology and name, in the order in which they were told.
    pub devices: IndexMap<(&'a str, &'a str), Seen<'a>, DefaultHashBuilder>,
    /// Users by device id.
    users: HashMap<&'a str, &'a str>,
    /// Devices (technology and name) by id.
    dials: HashMap<&'a str, (&'a str, &'a str)>,
    /// Ids by technology and name.
    ids: HashMap<(&'a str, &'a str), &'a str>,
    /// Users that name the device id among theirs.
    owners: HashMap<&'a str, &'a str>,
    /// Whether a device that `users` lacks is known to be missing.
    absent: HashSet<&'a str>,
    /// FreePBX's device table was read whole, and is not empty.
    pub table_read: bool,
    /// Extensions by the device that their hint names.
    hints: HashMap<(&'a str, &'a str), &'a str>,
    contexts: HashMap<(&'a str, &'a str), &'a str>,
    /// PJSIP registrations with the endpoint that they belong to.
    pub registrations: Vec<(&'a str, &'a str)>,
    registered: HashSet<&'a str>,
}

impl<'a> Evidence<'a> {
    /// Gathers what was answered.
    pub(super) fn read(answers: &'a Answers, astdb: &AstDb<'a>) -> Self {
        let mut evidence = Self::default();
        evidence.read_table(answers, astdb);
        evidence.read_hints(answers);
        evidence.read_contexts(answers);
        evidence.list_endpoints(answers);
        evidence.list_peers(answers);
        evidence.list_unlisted(answers);
        evidence.read_registrations(answers);
        evidence.read_missing_entries(answers);
        evidence
    }

    /// Whether FreePBX's device table has the device.
    pub(super) fn table(&self, tech: &'a str, name: &'a str) -> Table<'a> {
        if let Some(id) = self.ids.get(&(tech, name)) {
            return Table::Present(id);
        }
        match self.users.get_key_value(name) {
            Some((id, _)) if self.dials.contains_key(id) => Table::Silent,
            Some((id, _)) => Table::Present(id),
            None if self.table_read || self.absent.contains(name) => Table::Absent,
            None => Table::Silent,
        }
    }

    /// Whether an outbound registration names the device.
    pub(super) fn is_registered(&self, tech: &str, name: &str) -> bool {
        tech == "PJSIP" && self.registered.contains(name)
    }

    /// Whether a hint in `ext-local` names the device.
    pub(super) fn is_hinted(&self, tech: &'a str, name: &'a str) -> bool {
        self.hints.contains_key(&(tech, name))
    }

    /// The dialplan context of the device, where its details were asked.
    pub(super) fn context(&self, tech: &'a str, name: &'a str) -> Option<&'a str> {
        self.contexts.get(&(tech, name)).copied()
    }

    /// The extension that a device belongs to: FreePBX's word, else the hint that names it, else
    /// the device's own name.
    ///
    /// A prefix is never stripped: `99100` is a browser's device of 100 on one system and an
    /// extension of its own on another.
    pub(super) fn extension_of(&self, tech: &'a str, name: &'a str) -> &'a str {
        let owner = || match self.table(tech, name) {
            Table::Present(id) => self.owners.get(id).copied(),
            Table::Absent | Table::Silent => None,
        };
        let by_table = self.user_of(tech, name).or_else(owner);
        by_table.or_else(|| self.hints.get(&(tech, name)).copied()).unwrap_or(name)
    }

    /// The user that FreePBX's device table gives the device.
    pub(super) fn user_of(&self, tech: &'a str, name: &'a str) -> Option<&'a str> {
        let Table::Present(id) = self.table(tech, name) else { return None };
        self.users.get(id).copied().filter(|user| !matches!(*user, "" | "none"))
    }

    fn read_table(&mut self, answers: &Answers, astdb: &AstDb<'a>) {
        self.users = astdb.entries(Family::DeviceUser).collect();
        let dials = astdb.entries(Family::DeviceDial);
        self.dials = dials.filter_map(|(id, dial)| Some((id, split_device(dial)?))).collect();
        self.ids = self.dials.iter().map(|(id, device)| (*device, *id)).collect();
        for (user, devices) in astdb.entries(Family::UserDevice) {
            self.owners.extend(devices.split('&').map(|id| (id, user)));
        }
        let tree = answers.answer_to(&Family::DeviceUser.tree()).is_some();
        self.table_read = tree && astdb.has_devices();
    }

    /// Without `DBGetTree`, only those devices are known to be missing that were asked for.
    fn read_missing_entries(&mut self, answers: &Answers) {
        if self.table_read || self.users.is_empty() {
            return;
        }
        let missing = |name: &&str| {
            let asked = Family::DeviceUser.entry(name);
            asked.is_some_and(|entry| answers.answer_to(&entry).is_some())
        };
        self.absent = self.devices.keys().map(|(_, name)| *name).filter(missing).collect();
    }

    fn read_hints(&mut self, answers: &'a Answers) {
        for (exten, hint, _) in extension_hints(answers) {
            for device in hint_devices(hint) {
                // With several hints, the device's own number wins, else the first.
                let known = self.hints.entry(device).or_insert(exten);
                if device.1 == exten {
                    *known = exten;
                }
            }
        }
    }

    fn read_contexts(&mut self, answers: &'a Answers) {
        for (_, answer) in answers.answers_of(ReadAction::PjsipShowEndpoint) {
            for row in answer.events("EndpointDetail") {
                if let [Some(name), Some(context)] = row.columns(["ObjectName", "Context"]) {
                    self.contexts.insert(("PJSIP", name), context);
                }
            }
        }
        for (_, answer) in answers.answers_of(ReadAction::SipShowPeer) {
            if let [Some(name), Some(context)] =
                answer.response().columns(["ObjectName", "Context"])
            {
                self.contexts.insert(("SIP", name), context);
            }
        }
    }

    fn list_endpoints(&mut self, answers: &'a Answers) {
        let Some(endpoints) = answers.answer(ReadAction::PjsipShowEndpoints) else { return };
        let registered = registered_uris(answers);
        let is_static =
            |contact| registered.as_ref().is_some_and(|known| !known.contains(&contact));
        self.devices.reserve(endpoints.rows().len());
        for row in endpoints.rows() {
            let columns = ["ObjectName", "Auths", "OutboundAuths", "DeviceState"];
            let [Some(name), auths, outbound_auths, state] = row.columns(columns) else {
                continue;
            };
            let seen = Seen {
                auths: auths.unwrap_or_default(),
                outbound_auths: outbound_auths.unwrap_or_default(),
                static_contact: row.all("Contacts").flat_map(endpoint_contacts).any(is_static),
                listed: true,
                has_state: state.is_some_and(|word| !word.eq_ignore_ascii_case("Unknown")),
                ..Seen::default()
            };
            self.devices.insert(("PJSIP", name), seen);
        }
    }

    fn list_peers(&mut self, answers: &'a Answers) {
        for (action, tech) in PEER_LISTS {
            for row in answers.answer(action).into_iter().flat_map(Answer::rows) {
                let [Some(name), dynamic] = row.columns(["ObjectName", "Dynamic"]) else {
                    continue;
                };
                let fixed_address = dynamic.is_some_and(|d| d.eq_ignore_ascii_case("no"));
                let seen = Seen { fixed_address, listed: true, ..Seen::default() };
                self.devices.insert((tech, name), seen);
            }
        }
    }

    /// Devices of technologies whose list was not answered, and of those that have none: FreePBX's
    /// table names them, or a hint does. Where the list was answered, a device that is not in it
    /// does not exist.
    fn list_unlisted(&mut self, answers: &'a Answers) {
        let listed = [(ReadAction::PjsipShowEndpoints, "PJSIP")].into_iter().chain(PEER_LISTS);
        let listed: Vec<_> =
            listed.filter(|(a, _)| answers.answer(*a).is_some()).map(|(_, tech)| tech).collect();
        let named = self.ids.keys().chain(self.hints.keys());
        let unlisted = named.filter(|(tech, _)| !listed.contains(tech));
        self.devices.extend(unlisted.map(|device| (*device, Seen::default())));
        // Remembered states give devices a technology that the table knows only by their id. The
        // memory outlives devices, so that it names none by itself.
        let states = answers.answer(ReadAction::DeviceStateList);
        for row in states.into_iter().flat_map(Answer::rows) {
            let Some((tech, name)) = row.get("Device").and_then(split_device) else { continue };
            let known = self.users.contains_key(name) && !self.dials.contains_key(name);
            if known && !listed.contains(&tech) {
                self.devices.entry((tech, name)).or_default();
            }
        }
    }

    fn read_registrations(&mut self, answers: &'a Answers) {
        let Some(answer) = answers.answer(ReadAction::PjsipShowRegistrationsOutbound) else {
            return;
        };
        let by_auth = self.endpoints_by_auth();
        for row in answer.rows() {
            let columns = row.columns(["ObjectName", "OutboundAuth", "Endpoint"]);
            let [Some(name), auths, endpoint] = columns else { continue };
            let auths = || names(auths.unwrap_or_default());
            let listed = |name: &&str| self.devices.contains_key(&("PJSIP", *name));
            let owner = endpoint
                .filter(listed)
                .or_else(|| Some(name).filter(listed))
                .or_else(|| auths().find(listed))
                .or_else(|| auths().find_map(|auth| *by_auth.get(auth)?));
            let unlisted = owner.is_none();
            let owner = owner.or(endpoint.filter(|e| !e.is_empty())).unwrap_or(name);
            self.registrations.push((name, owner));
            self.registered.insert(owner);
            if unlisted {
                let alone = Seen { registration_only: true, ..Seen::default() };
                self.devices.insert(("PJSIP", owner), alone);
            }
        }
    }

    /// Endpoints by the object with which we authenticate at the other side; `None` where several
    /// endpoints share it.
    fn endpoints_by_auth(&self) -> HashMap<&'a str, Option<&'a str>> {
        let mut by_auth = HashMap::new();
        for (&(_, endpoint), seen) in &self.devices {
            for auth in names(seen.outbound_auths) {
                by_auth
                    .entry(auth)
                    .and_modify(|known: &mut Option<&str>| *known = None)
                    .or_insert(Some(endpoint));
            }
        }
        by_auth
    }
}

/// FreePBX's users, with and without devices; some several times.
pub(super) fn users<'a>(astdb: &AstDb<'a>) -> impl Iterator<Item = &'a str> {
    let families = [Family::UserName, Family::UserDevice, Family::UserVoicemail];
    let users = families.into_iter().flat_map(|family| astdb.entries(family).map(|(user, _)| user));
    users.filter(|user| *user != "none")
}

/// Extension, hint and row of every hint in `ext-local` with a numeric extension. Hints of feature
/// codes, queues and parking live in other contexts or begin with a star.
pub(crate) fn extension_hints(answers: &Answers) -> impl Iterator<Item = (&str, &str, Row<'_>)> {
    let rows = answers.answer(ReadAction::ExtensionStateList).into_iter();
    rows.flat_map(Answer::rows).filter_map(|row| {
        let [Some(exten), Some(context), hint] = row.columns(["Exten", "Context", "Hint"]) else {
            return None;
        };
        let numeric = !exten.is_empty() && exten.bytes().all(|b| b.is_ascii_digit());
        (numeric && context == "ext-local").then_some((exten, hint.unwrap_or_default(), row))
    })
}

/// AOR, URI and row of the PJSIP contacts that registered, from whichever action answered; `None`
/// when neither did.
///
/// Both leave configured contacts out (Asterisk issue 807). `PJSIPShowContacts` has no header for
/// the AOR: it begins `ObjectName`.
pub(crate) fn registered_contacts(answers: &Answers) -> Option<Vec<(&str, &str, Row<'_>)>> {
    let statuses = answers.answer(ReadAction::PjsipShowRegistrationInboundContactStatuses);
    if let Some(answer) = statuses {
        let contact = |row| {
            let [aor, uri] = Row::columns(row, ["AOR", "URI"]);
            Some((aor?, uri?, row))
        };
        return Some(answer.rows().filter_map(contact).collect());
    }
    let answer = answers.answer(ReadAction::PjsipShowContacts)?;
    let contact = |row| {
        let [name, uri] = Row::columns(row, ["ObjectName", "Uri"]);
        Some((aor_of_contact(name?), uri?, row))
    };
    Some(answer.rows().filter_map(contact).collect())
}

/// The AOR in a contact's id, which is `<aor>;@<hash>`.
pub(crate) fn aor_of_contact(id: &str) -> &str {
    id.rsplit_once(";@").map_or(id, |(aor, _)| aor)
}

/// AOR and URI of the contacts that registered.
fn registered_uris(answers: &Answers) -> Option<HashSet<(&str, &str)>> {
    Some(registered_contacts(answers)?.into_iter().map(|(aor, uri, _)| (aor, uri)).collect())
}
