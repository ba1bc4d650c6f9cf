//! Addresses of PJSIP devices: those that registered, those that are configured, and their state.

use std::borrow::Cow;

use hashbrown::HashMap;

use serde::Deserialize;

use super::{
    clock::Clock,
    fields::{bounded, epoch, known, round_trip_ms, sip_uri, text},
};
use crate::{
    ami::{Answer, ReadAction, Row},
    collect::{Answers, AstDb, Family, aor_of_contact, lists, registered_contacts},
    snapshot::{Contact, Timestamp},
};

/// Every PJSIP contact in the answers.
#[derive(Debug, Default)]
pub(crate) struct Contacts<'a> {
    /// By AOR; `None` where no list of registered contacts was read.
    registered: Option<HashMap<&'a str, Vec<Registered<'a>>>>,
    /// Status rows of `PJSIPShowEndpoint` by AOR and URI: the only source that knows the state of
    /// configured contacts.
    details: HashMap<(&'a str, &'a str), Row<'a>>,
    /// Whether an AOR's contacts are qualified, where `PJSIPShowAors` was read.
    qualified: HashMap<&'a str, bool>,
}

/// A contact that registered.
#[derive(Debug)]
enum Registered<'a> {
    /// URI and row of a list of contacts.
    Listed(&'a str, Row<'a>),
    /// Entry of the family `registrar` in AstDB: it registered, reachable or not.
    Stored(Stored<'a>),
}

/// A contact as Asterisk keeps it in AstDB; all of its values are strings.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Stored<'a> {
    #[serde(borrow)]
    uri: Cow<'a, str>,
    #[serde(borrow)]
    user_agent: Cow<'a, str>,
    #[serde(borrow)]
    expiration_time: Cow<'a, str>,
}

impl Registered<'_> {
    fn uri(&self) -> &str {
        match self {
            Self::Listed(uri, _) => uri,
            Self::Stored(stored) => &stored.uri,
        }
    }

    fn contact(&self, device: &str) -> Contact {
        match self {
            Self::Listed(uri, row) => with_status(address(device, uri), *row),
            Self::Stored(stored) => Contact {
                user_agent: known(&stored.user_agent).map(bounded),
                expires_at: stored.expires_at(),
                ..address(device, &stored.uri)
            },
        }
    }
}

impl Stored<'_> {
    fn expires_at(&self) -> Option<Timestamp> {
        self.expiration_time.parse().ok().filter(|time| *time > 0).and_then(Timestamp::from_epoch)
    }

    /// Asterisk leaves expired entries in AstDB until it prunes them.
    fn is_valid(&self, clock: Clock) -> bool {
        !self.expires_at().is_some_and(|end| clock.is_past(end))
    }
}

impl<'a> Contacts<'a> {
    /// Reads what was answered.
    pub(crate) fn read(answers: &'a Answers, astdb: &AstDb<'a>, clock: Clock) -> Self {
        let mut contacts =
            Self { registered: registered(answers, astdb, clock), ..Self::default() };
        for (_, answer) in answers.answers_of(ReadAction::PjsipShowEndpoint) {
            for row in answer.events("ContactStatusDetail") {
                if let [Some(aor), Some(uri)] = row.columns(["AOR", "URI"]) {
                    contacts.details.insert((aor, uri), row);
                }
            }
        }
        let aors = answers.answer(ReadAction::PjsipShowAors);
        for row in aors.into_iter().flat_map(Answer::rows) {
            if let [Some(aor), Some(frequency)] = row.columns(["ObjectName", "QualifyFrequency"]) {
                contacts.qualified.insert(aor, frequency != "0");
            }
        }
        contacts
    }

    /// The contacts of an endpoint; `None` where they could not be read.
    ///
    /// `endpoint` is its row of `PJSIPShowEndpoints`. Without it, configured contacts remain
    /// unseen, so that no contact at all does not mean that there is none.
    pub(crate) fn of(
        &self,
        device: &str,
        name: &str,
        endpoint: Option<Row<'_>>,
    ) -> Option<Vec<Contact>> {
        let registered = |aor: &str| {
            let known = self.registered.as_ref().and_then(|known| known.get(aor));
            known.map(Vec::as_slice).unwrap_or_default()
        };
        let Some(row) = endpoint else {
            let found: Vec<_> = registered(name).iter().map(|c| c.contact(device)).collect();
            return (!found.is_empty()).then_some(found);
        };
        let aors = row.get("Aor").unwrap_or_default();
        let mut found: Vec<_> = lists::names(aors)
            .flat_map(registered)
            .map(|contact| contact.contact(device))
            .collect();
        for (aor, uri) in row.all("Contacts").flat_map(lists::endpoint_contacts) {
            if registered(aor).iter().all(|known| known.uri() != uri) {
                let configured = address(device, uri);
                found.push(match self.details.get(&(aor, uri)) {
                    Some(row) => with_status(configured, *row),
                    None => configured,
                });
            }
        }
        Some(found)
    }

    /// Whether the contacts of an endpoint are qualified; `None` where nothing tells.
    pub(crate) fn is_qualified(&self, name: &str, endpoint: Option<Row<'_>>) -> Option<bool> {
        let aors = endpoint.and_then(|row| row.get("Aor")).unwrap_or(name);
        let mut known = lists::names(aors).filter_map(|aor| self.qualified.get(aor)).peekable();
        known.peek()?;
        Some(known.any(|qualified| *qualified))
    }
}

/// Contacts that registered by AOR, from the first source that was read.
fn registered<'a>(
    answers: &'a Answers,
    astdb: &AstDb<'a>,
    clock: Clock,
) -> Option<HashMap<&'a str, Vec<Registered<'a>>>> {
    let mut by_aor: HashMap<_, Vec<_>> = HashMap::new();
    if let Some(listed) = registered_contacts(answers) {
        for (aor, uri, row) in listed {
            by_aor.entry(aor).or_default().push(Registered::Listed(uri, row));
        }
        return Some(by_aor);
    }
    if !astdb.knows(Family::Contact) {
        return None;
    }
    for (id, json) in astdb.entries(Family::Contact) {
        match serde_json::from_str::<Stored<'_>>(json) {
            Ok(stored) if !stored.uri.is_empty() && stored.is_valid(clock) => {
                by_aor.entry(aor_of_contact(id)).or_default().push(Registered::Stored(stored));
            }
            _ => {}
        }
    }
    Some(by_aor)
}

/// What a URI alone tells.
fn address(device: &str, uri: &str) -> Contact {
    let parts = sip_uri(uri);
    Contact {
        device: device.to_owned(),
        uri: known(uri).map(bounded),
        // Browsers register with a made-up host in the domain `invalid` (RFC 7118).
        ip: parts.host.filter(|host| !host.ends_with(".invalid")),
        port: parts.port,
        transport: parts.transport,
        user_agent: None,
        status: None,
        latency_ms: None,
        expires_at: None,
    }
}

/// Adds what a status row tells. Asterisk 13 prints a round trip of contacts that do not answer.
fn with_status(contact: Contact, row: Row<'_>) -> Contact {
    let status = text(row, "Status");
    let answers = status.as_deref() == Some("Reachable");
    let expires = ["RegExpire", "ExpirationTime"];
    Contact {
        user_agent: text(row, "UserAgent"),
        latency_ms: round_trip_ms(row).filter(|_| answers),
        expires_at: expires.into_iter().find_map(|key| epoch(row, key)),
        status,
        ..contact
    }
}

/// Whether the other side answers OPTIONS; `None` where it is not asked, or has not been yet.
pub(crate) fn is_reachable(contact: &Contact) -> Option<bool> {
    match contact.status.as_deref()? {
        "Reachable" | "OK" | "LAGGED" => Some(true),
        "Unreachable" | "UNREACHABLE" | "Removed" => Some(false),
        _ => None,
    }
}

/// Whether Asterisk would send a call there; `None` where nothing tells. An address that nobody
/// watches counts as there, as it does for Asterisk.
pub(crate) fn is_usable(contact: &Contact) -> Option<bool> {
    match contact.status.as_deref() {
        // 13 says `Created` for what 16 calls `NonQualified`.
        Some("NonQualified" | "Created" | "Unmonitored") => Some(true),
        Some(_) => is_reachable(contact),
        None => contact.expires_at.map(|_| true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stored_contact_without_an_end_does_not_expire() {
        let ends = |time: &'static str| {
            Stored { expiration_time: time.into(), ..Stored::default() }.expires_at()
        };
        assert_eq!(ends("0"), None);
        assert_eq!(ends("-1"), None);
        assert_eq!(ends(""), None);
        assert_eq!(ends("1795252000"), Timestamp::from_epoch(1_795_252_000));
    }
}
