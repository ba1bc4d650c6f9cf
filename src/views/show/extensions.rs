//! `show extensions`: who has a phone that works, and who talks with whom.

use std::collections::{HashMap, HashSet};

use super::{
    Ask, Needle,
    calls::party,
    page::Ink,
    table::{Cell, Column, draw},
};
use crate::snapshot::{Call, Extension, ExtensionStatus, Forwards, Snapshot};

/// The words that `--state` accepts.
pub(super) const STATES: [ExtensionStatus; 7] = [
    ExtensionStatus::Available,
    ExtensionStatus::InUse,
    ExtensionStatus::Ringing,
    ExtensionStatus::Busy,
    ExtensionStatus::OnHold,
    ExtensionStatus::Unavailable,
    ExtensionStatus::Unknown,
];

const COLUMNS: [Column; 9] = [
    Column::whole("EXT", 9),
    Column::text("NAME", 7, 12),
    Column::whole("STATE", 8),
    Column::text("CALL", 6, 16),
    Column::text("DND/FWD", 5, 8),
    Column::text("QUEUES", 4, 7),
    Column::whole("ADDRESS", 3),
    Column::number("MS", 2),
    Column::text("PHONE", 1, 14),
];

/// Whether an extension passes the filters.
pub(super) fn fits(extension: &Extension, ask: &Ask<'_>) -> bool {
    let filters = ask.filters;
    (!filters.busy || extension.status.is_busy())
        && (!filters.offline || extension.online == Some(false))
        && filters.is_state(extension.status.as_str())
        && filters.queue.as_deref().is_none_or(|queue| {
            extension.queues.iter().flatten().any(|name| name.eq_ignore_ascii_case(queue))
        })
        && ask.needle.as_ref().is_none_or(|needle| is_about(extension, needle))
}

fn is_about(extension: &Extension, needle: &Needle) -> bool {
    let addresses = extension.contacts.iter().flatten().map(|contact| contact.ip.as_deref());
    let own = [
        Some(extension.extension.as_str()),
        extension.name.as_deref(),
        extension.ip.as_deref(),
        extension.user_agent.as_deref(),
    ];
    needle.is_in_any(own.into_iter().chain(addresses))
}

/// The table.
pub(super) fn table(rows: &[&Extension], ask: &Ask<'_>) -> String {
    let calls = Calls::of(ask.snapshot);
    let row = |extension: &&Extension| {
        vec![
            Cell::new(&extension.extension),
            Cell::known(extension.name.as_ref()),
            status(extension),
            with(extension, &calls),
            set(extension),
            Cell::known(extension.queues.as_ref().map(|queues| queues.join(","))),
            address(extension),
            of_phone(extension, extension.latency_ms.map(milliseconds)),
            of_phone(extension, extension.user_agent.clone()),
        ]
    };
    draw(&COLUMNS, &rows.iter().map(row).collect::<Vec<_>>(), ask.page)
}

/// The state in its colour.
pub(super) fn status(extension: &Extension) -> Cell {
    let ink = match extension.status {
        ExtensionStatus::Available => Ink::Good,
        ExtensionStatus::InUse
        | ExtensionStatus::Ringing
        | ExtensionStatus::Busy
        | ExtensionStatus::OnHold => Ink::Active,
        ExtensionStatus::Unavailable => Ink::Bad,
        ExtensionStatus::Unknown => Ink::Faint,
    };
    Cell::inked(extension.status.as_str(), ink)
}

/// Milliseconds as far as they matter.
pub(super) fn milliseconds(latency: f64) -> String {
    match latency < 10.0 {
        true => format!("{latency:.1}"),
        false => format!("{latency:.0}"),
    }
}

fn with(extension: &Extension, calls: &Option<Calls<'_>>) -> Cell {
    let Some(calls) = calls else { return Cell::unknown() };
    let found = calls.with(extension);
    let Some(first) = found.first() else { return Cell::none() };
    let other = match first.from.extension.as_deref() == Some(extension.extension.as_str()) {
        true => format!("to {}", party(&first.to).text()),
        false => format!("from {}", party(&first.from).text()),
    };
    match found.len() {
        1 => Cell::new(other),
        count => Cell::new(format!("{other} +{}", count - 1)),
    }
}

/// What the user has set: do not disturb, forwards, waiting messages.
fn set(extension: &Extension) -> Cell {
    if extension.dnd.is_none() && extension.forwards.is_none() {
        return Cell::unknown();
    }
    let mut parts = Vec::new();
    if extension.dnd == Some(true) {
        parts.push("DND".to_owned());
    }
    parts.extend(extension.forwards.iter().flat_map(forwards).map(|(when, to)| match when {
        "all calls" => format!("fwd {to}"),
        when => format!("{} {to}", when.trim_start_matches("when ")),
    }));
    let new = extension.voicemail.as_ref().and_then(|voicemail| voicemail.new_messages);
    parts.extend(new.filter(|new| *new > 0).map(|new| format!("VM {new}")));
    Cell::inked(parts.join(", "), Ink::Active)
}

/// The forwards that are set, with when they take effect.
pub(super) fn forwards(forwards: &Forwards) -> impl Iterator<Item = (&'static str, &str)> {
    [
        ("all calls", &forwards.all),
        ("when busy", &forwards.busy),
        ("when unavailable", &forwards.unavailable),
    ]
    .into_iter()
    .filter_map(|(when, to)| Some((when, to.as_deref()?)))
}

fn address(extension: &Extension) -> Cell {
    of_phone(extension, extension.ip.as_deref().map(|ip| join(ip, extension.port)))
}

/// Address and port as one, with brackets where an IPv6 address needs them.
pub(super) fn join(host: &str, port: Option<u16>) -> String {
    match port {
        Some(port) if host.contains(':') && !host.starts_with('[') => format!("[{host}]:{port}"),
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// Without a phone there is nothing to know of it; with one it is not known.
fn of_phone(extension: &Extension, value: Option<String>) -> Cell {
    match extension.online {
        Some(false) => Cell::any(value),
        _ => Cell::known(value),
    }
}

/// The calls by who takes part, so that thousands of extensions find theirs at once.
#[derive(Debug)]
pub(super) struct Calls<'a> {
    by_party: HashMap<&'a str, Vec<&'a Call>>,
    by_device: HashMap<&'a str, Vec<&'a Call>>,
}

impl<'a> Calls<'a> {
    /// The calls of a snapshot; `None` when they are not known.
    pub(super) fn of(snapshot: &'a Snapshot) -> Option<Self> {
        let mut found = Self { by_party: HashMap::new(), by_device: HashMap::new() };
        for call in snapshot.active_calls.as_ref()? {
            for party in [&call.from, &call.to] {
                if let Some(extension) = &party.extension {
                    found.by_party.entry(extension).or_default().push(call);
                }
            }
            for channel in &call.channels {
                // A channel is its device and a number: `PJSIP/201-0000002a`.
                let device = channel.rsplit_once('-').map_or(channel.as_str(), |(name, _)| name);
                found.by_device.entry(device).or_default().push(call);
            }
        }
        Some(found)
    }

    /// The calls that an extension takes part in, each once.
    pub(super) fn with(&self, extension: &Extension) -> Vec<&'a Call> {
        let own = self.by_party.get(extension.extension.as_str()).into_iter();
        let devices = extension.devices.iter();
        let devices = devices.filter_map(|device| self.by_device.get(device.device.as_str()));
        let mut known = HashSet::new();
        let mut calls: Vec<&Call> = own.chain(devices).flatten().copied().collect();
        calls.retain(|call| known.insert(call.call_id.as_str()));
        calls
    }
}
