//! What the answers tell of one device, whatever its technology: state, addresses, online or not.

use hashbrown::HashMap;

use super::{
    clock::Clock,
    contacts::{Contacts, is_usable},
    device_state::DeviceState,
    fields::{known, peer_status, text},
};
use crate::{
    ami::{Answer, ReadAction, Row},
    collect::{Answers, AstDb, DeviceEntry, PEER_LISTS},
    snapshot::Contact,
};

/// The rows about devices, ready to be looked up.
#[derive(Debug)]
pub(crate) struct Devices<'a> {
    endpoints: HashMap<&'a str, Row<'a>>,
    peers: HashMap<(&'a str, &'a str), Row<'a>>,
    states: HashMap<&'a str, &'a str>,
    contacts: Contacts<'a>,
}

/// What is known of one device.
#[derive(Debug)]
pub(crate) struct Facts<'a> {
    /// Name with technology.
    pub device: String,
    /// Asterisk's word for its state.
    pub word: Option<&'a str>,
    /// The same, understood.
    pub state: Option<DeviceState>,
    /// Its addresses; `None` where they could not be read.
    pub contacts: Option<Vec<Contact>>,
    /// Registered or reachable.
    pub online: Option<bool>,
    /// Whether its PJSIP contacts are qualified; `None` for others, and where nothing tells.
    pub qualified: Option<bool>,
    /// The row of a chan_sip or IAX2 peer.
    pub peer: Option<Row<'a>>,
}

impl<'a> Devices<'a> {
    /// Reads what was answered.
    pub(crate) fn read(answers: &'a Answers, astdb: &AstDb<'a>, clock: Clock) -> Self {
        let rows = |kind| answers.answer(kind).into_iter().flat_map(Answer::rows);
        let listed = answers.answer(ReadAction::PjsipShowEndpoints);
        let mut endpoints = HashMap::with_capacity(listed.map_or(0, |it| it.rows().len()));
        let named = |row: Row<'a>| Some((row.get("ObjectName")?, row));
        endpoints.extend(listed.into_iter().flat_map(Answer::rows).filter_map(named));
        let peers = PEER_LISTS.into_iter().flat_map(|(action, tech)| {
            rows(action).filter_map(move |row| Some(((tech, row.get("ObjectName")?), row)))
        });
        let states = rows(ReadAction::DeviceStateList).filter_map(|row| {
            let [device, state] = row.columns(["Device", "State"]);
            Some((device?, state?))
        });
        Self {
            endpoints,
            peers: peers.collect(),
            states: states.collect(),
            contacts: Contacts::read(answers, astdb, clock),
        }
    }

    /// What is known of a device.
    pub(crate) fn facts(&self, entry: &DeviceEntry<'_>) -> Facts<'a> {
        let (tech, name) = (entry.tech, entry.name);
        let device = [tech, "/", name].concat();
        let endpoint = self.endpoints.get(name).copied().filter(|_| tech == "PJSIP");
        let peer = self.peers.get(&(tech, name)).copied();
        let remembered = self.states.get(device.as_str()).copied();
        let word = endpoint.and_then(|row| row.get("DeviceState")).or(remembered);
        let state = word.and_then(DeviceState::parse).filter(|s| *s != DeviceState::Unknown);
        let contacts = match peer {
            Some(row) => Some(peer_contact(&device, row).into_iter().collect()),
            None if tech == "PJSIP" => self.contacts.of(&device, name, endpoint),
            None => None,
        };
        let online = match peer {
            Some(row) => peer_online(row),
            None => state.map_or_else(|| any_usable(contacts.as_deref()?), DeviceState::online),
        };
        let qualified =
            if tech == "PJSIP" { self.contacts.is_qualified(name, endpoint) } else { None };
        Facts { device, word: word.and_then(known), state, contacts, online, qualified, peer }
    }
}

/// Whether a device with these contacts is there.
fn any_usable(contacts: &[Contact]) -> Option<bool> {
    let mut unsure = false;
    for contact in contacts {
        match is_usable(contact) {
            Some(true) => return Some(true),
            Some(false) => {}
            None => unsure = true,
        }
    }
    (!unsure).then_some(false)
}

/// The address of a chan_sip or IAX2 peer; `None` when it has none, being unregistered.
fn peer_contact(device: &str, row: Row<'_>) -> Option<Contact> {
    let ip = text(row, "IPaddress")?;
    let status = row.get("Status").and_then(known).map(peer_status);
    // SIPpeers says `IPport`, IAXpeerlist `Port`.
    let port = ["IPport", "Port"].into_iter().find_map(|key| row.get(key));
    Some(Contact {
        device: device.to_owned(),
        uri: None,
        ip: Some(ip),
        port: port.and_then(|port| port.parse().ok()).filter(|port| *port != 0),
        transport: None,
        user_agent: None,
        status: status.map(|(word, _)| word.to_owned()),
        latency_ms: status.and_then(|(_, latency)| latency),
        expires_at: None,
    })
}

/// Whether a chan_sip or IAX2 peer is there.
///
/// `LAGGED` counts as online, as it does in Asterisk's own `sip show peers`, though its device
/// state is `UNAVAILABLE`: it answers, but too slowly for chan_sip to send it calls. A peer with
/// qualify off is judged by whether it has an address.
fn peer_online(row: Row<'_>) -> Option<bool> {
    let address = row.get("IPaddress").and_then(known).is_some();
    match peer_status(row.get("Status").unwrap_or_default()).0 {
        "OK" | "LAGGED" => Some(true),
        "UNREACHABLE" => Some(false),
        "Unmonitored" => Some(address),
        // Qualify is on and has had no answer yet.
        _ => {
            if address {
                None
            } else {
                Some(false)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normalize::testing::contact;

    #[test]
    fn a_device_is_there_when_one_contact_is_and_not_when_none_can_be() {
        let there = |all: &[Option<&str>]| {
            any_usable(&all.iter().map(|status| contact(*status)).collect::<Vec<_>>())
        };
        assert_eq!(there(&[]), Some(false));
        assert_eq!(there(&[Some("Unreachable")]), Some(false));
        assert_eq!(there(&[Some("Unreachable"), Some("Reachable")]), Some(true));
        assert_eq!(there(&[Some("Unreachable"), Some("Created")]), Some(true));
        assert_eq!(there(&[Some("Unreachable"), None]), None);
        assert_eq!(there(&[None, Some("Reachable")]), Some(true));
    }

    #[test]
    fn a_peer_has_the_port_that_it_tells() {
        let port = |row| peer_contact("SIP/200", Row::new(row)).unwrap().port;
        assert_eq!(port("IPaddress: 192.0.2.1\r\nIPport: 5061\r\n"), Some(5061));
        assert_eq!(port("IPaddress: 192.0.2.1\r\nPort: 4569\r\n"), Some(4569));
        assert_eq!(port("IPaddress: 192.0.2.1\r\nIPport: 0\r\n"), None);
    }
}
