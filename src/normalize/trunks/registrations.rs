//! Outbound registrations of all technologies, and the device that each belongs to.

use hashbrown::{HashMap, HashSet};

use super::super::{
    clock::Clock,
    extensions::Sources,
    fields::{bounded, count, epoch, flag, host_port, known, sip_uri, text},
};
use crate::{
    ami::{Answer, ReadAction, Row},
    collect::{DeviceEntry, Owner, PEER_LISTS},
    snapshot::{Registration, TrunkState},
};

/// A registration, understood.
#[derive(Debug)]
pub(super) struct Registered {
    /// Name of its own: PJSIP's object, or `username@host`.
    pub name: String,
    pub tech: &'static str,
    pub host: Option<String>,
    pub port: Option<u16>,
    pub username: Option<String>,
    pub state: TrunkState,
    pub registration: Registration,
}

/// All registrations that the configuration did not leave out.
#[derive(Debug)]
pub(super) struct Registrations<'a> {
    /// By technology and name of the device; best match first.
    of_devices: HashMap<(&'a str, &'a str), Vec<Registered>>,
    rest: Vec<Registered>,
}

impl<'a> Registrations<'a> {
    /// Reads and assigns what was answered. `details` are answers of `SIPshowpeer` by peer.
    pub(super) fn read(from: &Sources<'a>, details: &HashMap<&str, Row<'a>>, clock: Clock) -> Self {
        let mut all = Self { of_devices: HashMap::new(), rest: Vec::new() };
        all.read_pjsip(from);
        let sip = rows(from, ReadAction::SipShowRegistry).map(|row| chan_sip(row, clock));
        all.assign(sip.collect(), &Peers::read(from, "SIP", details));
        let iax = rows(from, ReadAction::IaxRegistry).map(iax2);
        all.assign(iax.collect(), &Peers::read(from, "IAX2", &HashMap::new()));
        all
    }

    /// The registration of a device. Where it has several, the others become trunks of their own.
    pub(super) fn take(&mut self, entry: &DeviceEntry<'a>) -> Option<Registered> {
        let mut found = self.of_devices.remove(&(entry.tech, entry.name))?.into_iter();
        let first = found.next();
        self.rest.extend(found);
        first
    }

    /// Those that no device took.
    pub(super) fn rest(self) -> impl Iterator<Item = Registered> {
        self.of_devices.into_values().flatten().chain(self.rest)
    }

    fn read_pjsip(&mut self, from: &Sources<'a>) {
        for row in rows(from, ReadAction::PjsipShowRegistrationsOutbound) {
            let Some(name) = row.get("ObjectName") else { continue };
            let entry = from.directory.registration(name);
            if entry.is_some_and(|entry| entry.owner == Owner::Special) {
                continue;
            }
            let registered = pjsip(row, name);
            match entry.filter(|entry| matches!(entry.owner, Owner::Trunk(_))) {
                Some(entry) => {
                    let of_device = self.of_devices.entry((entry.tech, entry.name)).or_default();
                    let at = if name == entry.name { 0 } else { of_device.len() };
                    of_device.insert(at, registered);
                }
                None => self.rest.push(registered),
            }
        }
    }

    /// Gives registrations without a name of their own to peers, each to one at most.
    fn assign(&mut self, registrations: Vec<Registered>, peers: &Peers<'a>) {
        // An address to which several accounts register says nothing of any of them.
        let mut accounts: HashMap<(String, u16), u32> = HashMap::new();
        for registered in &registrations {
            if let Some(address) = address(registered) {
                *accounts.entry(address).or_default() += 1;
            }
        }
        for registered in registrations {
            let lonely = |at: &(String, u16)| accounts.get(at) == Some(&1);
            match peers.peer(&registered, address(&registered).filter(lonely)) {
                Some(peer) => {
                    let key = (registered.tech, peer);
                    self.of_devices.entry(key).or_default().push(registered);
                }
                None => self.rest.push(registered),
            }
        }
    }
}

fn rows<'a>(from: &Sources<'a>, kind: ReadAction) -> impl Iterator<Item = Row<'a>> {
    from.answers.answer(kind).into_iter().flat_map(Answer::rows)
}

fn address(registered: &Registered) -> Option<(String, u16)> {
    registered.host.clone().zip(registered.port)
}

/// Trunk peers of one technology by what a registration may have in common with them.
#[derive(Default)]
struct Peers<'a> {
    names: HashSet<&'a str>,
    /// By the account that the peer is configured with; `None` where several peers share it.
    by_account: HashMap<&'a str, Option<&'a str>>,
    /// `None` where several peers share it.
    by_address: HashMap<(String, u16), Option<&'a str>>,
}

impl<'a> Peers<'a> {
    fn read(from: &Sources<'a>, tech: &str, details: &HashMap<&str, Row<'a>>) -> Self {
        let mut peers = Self::default();
        let list = PEER_LISTS.into_iter().find(|(_, of)| *of == tech).map(|(action, _)| action);
        for row in list.into_iter().flat_map(|list| rows(from, list)) {
            let Some(name) = row.get("ObjectName") else { continue };
            // A peer that registers with us is not the server that we register with, even where
            // it bears the account's name.
            if flag(row, "Dynamic") == Some(true) {
                continue;
            }
            let entry = from.directory.device(&format!("{tech}/{name}"));
            if !entry.is_some_and(|entry| matches!(entry.owner, Owner::Trunk(_))) {
                continue;
            }
            peers.names.insert(name);
            let detail = details.get(name);
            if let Some(user) = detail.and_then(|row| row.get("Default-Username")).and_then(known) {
                let account = peers.by_account.entry(user);
                account.and_modify(|known| *known = None).or_insert(Some(name));
            }
            let port = ["IPport", "Port"].into_iter().find_map(|key| row.get(key)?.parse().ok());
            let host = detail.and_then(|row| row.get("ToHost"));
            for host in [row.get("IPaddress"), host].into_iter().flatten().filter_map(known) {
                let Some(port) = port else { continue };
                peers
                    .by_address
                    .entry((host.to_owned(), port))
                    .and_modify(|known| *known = known.filter(|known| *known == name))
                    .or_insert(Some(name));
            }
        }
        peers
    }

    /// The peer of a registration: one named after the account, else the only one configured with
    /// it, else the only one at its address.
    ///
    /// Neither chan_sip nor IAX2 tells which peer a registration is for; where this does not
    /// decide it, the registration stays on its own rather than with the wrong peer.
    fn peer(&self, registered: &Registered, address: Option<(String, u16)>) -> Option<&'a str> {
        let user = registered.username.as_deref();
        user.and_then(|user| self.names.get(user).copied())
            .or_else(|| *self.by_account.get(user?)?)
            .or_else(|| *self.by_address.get(&address?)?)
    }
}

/// A PJSIP registration. `Rejected` can mean that nobody answered (seen); `NextReg` is 0 in every
/// recording, even where it cannot be, and is not used.
fn pjsip(row: Row<'_>, name: &str) -> Registered {
    let server = sip_uri(row.get("ServerUri").unwrap_or_default());
    let client = sip_uri(row.get("ClientUri").unwrap_or_default());
    let state = text(row, "Status");
    Registered {
        name: bounded(name),
        tech: "PJSIP",
        host: server.host,
        port: server.port,
        username: client.user.or_else(|| text(row, "ContactUser")),
        state: trunk_state(state.as_deref()),
        registration: Registration {
            server: text(row, "ServerUri"),
            client: text(row, "ClientUri"),
            state,
            last_registered_at: None,
            next_attempt_at: None,
            refresh_seconds: count(row, "Expiration"),
        },
    }
}

/// A chan_sip registration.
///
/// chan_sip prints `Registered` also while a renewal has timed out: its internal state for that has
/// no word of its own. A registration that should have been renewed a while ago has failed.
fn chan_sip(row: Row<'_>, clock: Clock) -> Registered {
    let host = text(row, "Host");
    let port = row.get("Port").and_then(|port| port.parse().ok()).filter(|port| *port != 0);
    let mut registered = by_host("SIP", row, host, port);
    let last = epoch(row, "RegistrationTime");
    let refresh = registered.registration.refresh_seconds.and_then(|s| i64::try_from(s).ok());
    let renewal = last.zip(refresh).map(|(last, refresh)| last.plus_seconds(refresh));
    registered.registration.last_registered_at = last;
    let is_due = renewal.is_some_and(|due| clock.is_past(due));
    if registered.state == TrunkState::Registered {
        registered.registration.next_attempt_at = renewal;
        if is_due {
            registered.state = TrunkState::Failed;
        }
    } else if renewal.is_some() && !is_due {
        registered.stand_while_renewing();
    }
    registered
}

/// An IAX2 registration, which has host and port in one header.
///
/// `Perceived` is our address as the other side sees it, `<Unregistered>` before the first success.
fn iax2(row: Row<'_>) -> Registered {
    let (host, port) = host_port(row.get("Host").unwrap_or_default());
    let mut registered = by_host("IAX2", row, host, port);
    let perceived = row.get("Perceived").and_then(known);
    if perceived.is_some_and(|address| !address.starts_with('<')) {
        registered.stand_while_renewing();
    }
    registered
}

impl Registered {
    /// A registration that stands is renewed every minute or two, and says `Request Sent` for that
    /// moment (seen on 16.28 and 22.10). It is no less registered for it.
    fn stand_while_renewing(&mut self) {
        let word = self.registration.state.as_deref();
        if matches!(word, Some("Request Sent" | "Auth. Sent")) {
            self.state = TrunkState::Registered;
        }
    }
}

fn by_host(
    tech: &'static str,
    row: Row<'_>,
    host: Option<String>,
    port: Option<u16>,
) -> Registered {
    let username = text(row, "Username");
    let state = text(row, "State");
    let place = host.as_deref().unwrap_or("?");
    let server = host.as_deref().map(|host| match port {
        Some(port) if host.contains(':') => format!("[{host}]:{port}"),
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    });
    Registered {
        name: username
            .as_deref()
            .map_or_else(|| place.to_owned(), |user| format!("{user}@{place}")),
        tech,
        state: trunk_state(state.as_deref()),
        registration: Registration {
            server,
            client: username.clone(),
            state,
            last_registered_at: None,
            next_attempt_at: None,
            refresh_seconds: count(row, "Refresh"),
        },
        host,
        port,
        username,
    }
}

/// The verdict over Asterisk's word. `No Authentication` means that the other side did not accept
/// any of our credentials.
fn trunk_state(word: Option<&str>) -> TrunkState {
    match word {
        Some("Registered") => TrunkState::Registered,
        Some("Unregistered" | "Request Sent" | "Auth. Sent") => TrunkState::Unregistered,
        Some("Rejected" | "No Authentication") => TrunkState::Rejected,
        Some("Failed" | "Timeout") => TrunkState::Failed,
        _ => TrunkState::Unknown,
    }
}
