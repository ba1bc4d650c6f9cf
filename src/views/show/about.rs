//! `show 100`, `show trunk-main`, `show queue 400`: all about one of them.

use super::{
    Ask, Needle, attention,
    changes::{self, moment},
    extensions::{self, Calls, forwards, join, milliseconds},
    head::lack_line,
    page::{Ink, clock, spoken},
    queues::{caller_cells, longest, waiting},
    table::{Cell, Column, draw},
    trunks,
};
use crate::snapshot::{Call, Extension, ExtensionVoicemail, Queue, RecordedChange, Section, Trunk};

/// All about an extension.
pub(super) fn extension(extension: &Extension, ask: &Ask<'_>) -> String {
    let name = extension.name.as_deref().unwrap_or_default();
    let mut text = ask.page.title(format!("Extension {} {name}", extension.extension).trim_end());
    let status = extensions::status(extension);
    let raw = extension.device_state.as_deref().filter(|raw| *raw != status.text());
    let raw = raw.map(|raw| format!(" (Asterisk says {raw})")).unwrap_or_default();
    text += &fact(ask, "State", &format!("{}{raw}", status.text()));
    text += &fact(
        ask,
        "Phone",
        match extension.online {
            Some(true) => "reachable",
            Some(false) => "none reachable",
            None => "?",
        },
    );
    text += &fact(ask, "Do not disturb", yes_no(extension.dnd));
    let forwarded = extension.forwards.as_ref().map(|set| {
        let set: Vec<_> = forwards(set).map(|(when, to)| format!("{when} to {to}")).collect();
        if set.is_empty() { "-".to_owned() } else { set.join(", ") }
    });
    text += &fact(ask, "Forwards", forwarded.as_deref().unwrap_or("?"));
    text += &fact(ask, "Voicemail", &voicemail(extension.voicemail.as_ref()));
    text += &fact(ask, "Queues", &queues_of(extension, ask));

    const DEVICES: [Column; 4] = [
        Column::text("DEVICE", 9, 10),
        Column::whole("REACHABLE", 8),
        Column::text("ASTERISK SAYS", 7, 8),
        Column::whole("TECH", 1),
    ];
    let devices = extension.devices.iter().map(|device| {
        vec![
            Cell::new(&device.device),
            Cell::new(yes_no(device.online)),
            Cell::known(device.device_state.as_ref()),
            Cell::new(&device.tech),
        ]
    });
    text += &block(ask, &DEVICES, &devices.collect::<Vec<_>>());
    text += &contacts(extension, ask);

    let calls = Calls::of(ask.snapshot).map(|calls| calls.with(extension));
    text += &calls_of(calls.as_deref(), ask);
    text += &what_happened(&extension.extension, "extension_", ask);
    text
}

/// All about a trunk.
pub(super) fn trunk(trunk: &Trunk, ask: &Ask<'_>) -> String {
    let mut text = ask.page.title(&format!("Trunk {}", trunk.name));
    let raw = trunk.state_raw.as_deref().filter(|raw| *raw != trunk.state.as_str());
    let raw = raw.map(|raw| format!(" (Asterisk says {raw})")).unwrap_or_default();
    text += &fact(ask, "State", &format!("{}{raw}", trunks::state(trunk).text()));
    text += &fact(
        ask,
        "Reachable",
        &match (trunk.reachable, trunk.latency_ms) {
            (Some(true), Some(latency)) => format!("yes, {} ms", milliseconds(latency)),
            (reachable, _) => yes_no(reachable).to_owned(),
        },
    );
    let host = trunk.host.as_deref().map(|host| join(host, trunk.port));
    text += &fact(ask, "Host", host.as_deref().unwrap_or("?"));
    text += &fact(ask, "User", trunk.username.as_deref().unwrap_or("-"));
    text += &fact(ask, "Technology", &trunk.tech);
    let Some(registration) = &trunk.registration else {
        text += &fact(ask, "Registration", "- (does not register)");
        return text + &trunk_calls(trunk, ask);
    };
    let or_unknown = |value: Option<&str>| value.unwrap_or("?").to_owned();
    text += &fact(ask, "Registration", &or_unknown(registration.state.as_deref()));
    text += &fact(ask, "  at", &or_unknown(registration.server.as_deref()));
    text += &fact(ask, "  as", &or_unknown(registration.client.as_deref()));
    let times = [
        ("  last success", registration.last_registered_at),
        ("  next attempt", registration.next_attempt_at),
    ];
    for (label, time) in times {
        text += &fact(ask, label, &time.map_or_else(|| "?".to_owned(), moment));
    }
    text + &trunk_calls(trunk, ask)
}

fn trunk_calls(trunk: &Trunk, ask: &Ask<'_>) -> String {
    let calls = calls_over(&trunk.name, ask);
    calls_of(calls.as_deref(), ask) + &what_happened(&trunk.name, "trunk_", ask)
}

/// The calls over a trunk; `None` when calls are not known.
pub(super) fn calls_over<'a>(trunk: &str, ask: &Ask<'a>) -> Option<Vec<&'a Call>> {
    let is_over = |call: &&Call| {
        [&call.trunk, &call.from.trunk, &call.to.trunk]
            .into_iter()
            .any(|name| name.as_deref() == Some(trunk))
    };
    Some(ask.snapshot.active_calls.as_ref()?.iter().filter(is_over).collect())
}

/// The calls in or through a queue; `None` when calls are not known.
pub(super) fn calls_in<'a>(queue: &str, ask: &Ask<'a>) -> Option<Vec<&'a Call>> {
    let is_in = |call: &&Call| call.queue.as_deref() == Some(queue);
    Some(ask.snapshot.active_calls.as_ref()?.iter().filter(is_in).collect())
}

/// All about a queue.
pub(super) fn queue(queue: &Queue, ask: &Ask<'_>) -> String {
    let mut text = ask.page.title(&format!("Queue {}", queue.name));
    let waits = match queue.calls {
        Some(0) => "nobody".to_owned(),
        _ => format!("{}, the longest for {}", waiting(queue).text(), longest(queue).text()),
    };
    text += &fact(ask, "Waiting", &waits);
    let number = |value: Option<u64>| value.map_or_else(|| "?".to_owned(), |n| n.to_string());
    text += &fact(
        ask,
        "Members",
        &format!(
            "{}, of them {} free, {} in a call, {} paused, {} with a reachable phone",
            number(queue.members),
            number(queue.available),
            number(queue.in_call),
            number(queue.paused),
            number(queue.logged_in)
        ),
    );
    text += &fact(ask, "Strategy", queue.strategy.as_deref().unwrap_or("?"));
    text += &fact(
        ask,
        "So far",
        &format!("{} answered, {} abandoned", number(queue.completed), number(queue.abandoned)),
    );
    let average = |value: Option<u64>| value.map_or_else(|| "?".to_owned(), clock);
    text += &fact(
        ask,
        "On average",
        &format!(
            "{} waited, {} talked",
            average(queue.average_hold_seconds),
            average(queue.average_talk_seconds)
        ),
    );
    let percent = queue.service_level_percent.map(|percent| format!("{percent:.1} %"));
    let percent = percent.as_deref().unwrap_or("?");
    let goal = match queue.service_level_seconds {
        Some(0) => "-".to_owned(),
        Some(goal) => format!("{percent} answered within {}", spoken(goal)),
        None => "?".to_owned(),
    };
    text += &fact(ask, "Goal", &goal);

    const CALLERS: [Column; 3] =
        [Column::number("PLACE", 5), Column::number("WAIT", 8), Column::text("CALLER", 7, 10)];
    let callers = queue.callers.as_ref();
    let callers = callers.map(|all| all.iter().map(|c| caller_cells(c).to_vec()).collect());
    text += &known_block(ask, "Callers", &CALLERS, callers);
    text += &agents(queue, ask);
    text += &calls_of(calls_in(&queue.name, ask).as_deref(), ask);
    text += &what_happened(&queue.name, "queue_", ask);
    text
}

fn agents(queue: &Queue, ask: &Ask<'_>) -> String {
    const AGENTS: [Column; 7] = [
        Column::text("MEMBER", 9, 10),
        Column::whole("EXT", 8),
        Column::whole("STATE", 8),
        Column::text("PAUSED", 7, 6),
        Column::number("TAKEN", 4),
        Column::whole("KIND", 2),
        Column::text("LAST CALL", 1, 10),
    ];
    let rows = queue.agents.as_ref().map(|agents| {
        let row = |agent: &crate::snapshot::Agent| {
            let paused = match (agent.paused, agent.paused_reason.as_deref()) {
                (Some(true), Some(reason)) => Cell::inked(reason, Ink::Active),
                (Some(true), None) => Cell::inked("yes", Ink::Active),
                (Some(false), _) => Cell::new("no"),
                (None, _) => Cell::unknown(),
            };
            vec![
                Cell::new(agent.name.as_deref().unwrap_or(&agent.interface)),
                Cell::any(agent.extension.as_ref()),
                Cell::new(agent.status.as_str()),
                paused,
                Cell::known(agent.calls_taken),
                Cell::known(agent.membership.as_ref()),
                Cell::any(agent.last_call_at.map(moment)),
            ]
        };
        agents.iter().map(row).collect()
    });
    known_block(ask, "Members", &AGENTS, rows)
}

fn contacts(extension: &Extension, ask: &Ask<'_>) -> String {
    const CONTACTS: [Column; 7] = [
        Column::text("CONTACT OF", 9, 10),
        Column::text("ADDRESS", 8, 12),
        Column::whole("STATUS", 8),
        Column::number("MS", 6),
        Column::whole("OVER", 2),
        Column::text("PHONE", 5, 10),
        Column::text("EXPIRES", 1, 10),
    ];
    let rows = extension.contacts.as_ref().map(|contacts| {
        let row = |contact: &crate::snapshot::Contact| {
            vec![
                Cell::new(&contact.device),
                Cell::known(contact.ip.as_deref().map(|ip| join(ip, contact.port))),
                Cell::known(contact.status.as_ref()),
                Cell::known(contact.latency_ms.map(milliseconds)),
                Cell::any(contact.transport.as_ref()),
                Cell::known(contact.user_agent.as_ref()),
                Cell::any(contact.expires_at.map(moment)),
            ]
        };
        contacts.iter().map(row).collect()
    });
    known_block(ask, "Contacts", &CONTACTS, rows)
}

fn fact(ask: &Ask<'_>, label: &str, value: &str) -> String {
    ask.page.paragraph(&format!("  {label:<16}"), value, Ink::Plain)
}

fn yes_no(value: Option<bool>) -> &'static str {
    match value {
        Some(true) => "yes",
        Some(false) => "no",
        None => "?",
    }
}

fn voicemail(voicemail: Option<&ExtensionVoicemail>) -> String {
    let Some(voicemail) = voicemail else { return "- (none, or not known)".to_owned() };
    let number = |value: Option<u64>| value.map_or_else(|| "?".to_owned(), |n| n.to_string());
    format!("{} new, {} old", number(voicemail.new_messages), number(voicemail.old_messages))
}

/// The queues of an extension, and what it is to them.
fn queues_of(extension: &Extension, ask: &Ask<'_>) -> String {
    let Some(queues) = &extension.queues else { return "?".to_owned() };
    let said = queues.iter().map(|name| {
        let queue = ask.snapshot.queues.iter().flatten().find(|queue| queue.name == *name);
        let agents = queue.and_then(|queue| queue.agents.as_ref()).into_iter().flatten();
        let own = Some(extension.extension.as_str());
        let states: Vec<_> = agents
            .filter(|agent| agent.extension.as_deref() == own)
            .map(|agent| match agent.paused {
                Some(true) => "paused",
                _ => agent.status.as_str(),
            })
            .collect();
        match states.is_empty() {
            true => name.clone(),
            false => format!("{name} ({})", states.join(", ")),
        }
    });
    let said: Vec<_> = said.collect();
    if said.is_empty() { "-".to_owned() } else { said.join(", ") }
}

fn block(ask: &Ask<'_>, columns: &[Column], rows: &[Vec<Cell>]) -> String {
    match rows.is_empty() {
        true => String::new(),
        false => format!("\n{}", draw(columns, rows, ask.page)),
    }
}

/// A table, or a line that says that there is nothing to put into it, or that it is not known.
fn known_block(
    ask: &Ask<'_>,
    what: &str,
    columns: &[Column],
    rows: Option<Vec<Vec<Cell>>>,
) -> String {
    match rows {
        None => fact(ask, what, "?"),
        Some(rows) if rows.is_empty() => fact(ask, what, "-"),
        Some(rows) => block(ask, columns, &rows),
    }
}

/// The calls as sentences.
fn calls_of(calls: Option<&[&Call]>, ask: &Ask<'_>) -> String {
    let mut text = String::new();
    match calls {
        None => text += &fact(ask, "Calls", "?"),
        Some([]) => text += &fact(ask, "Calls", "-"),
        Some(calls) => {
            text.push('\n');
            text += &ask.page.title("Calls");
            for call in calls {
                text += &ask.page.paragraph("- ", &call.description, Ink::Plain);
            }
        }
    }
    text + &lack_line(ask.snapshot, Section::ActiveCalls, calls.is_some(), ask.page)
}

/// What needs attention here, and what has happened lately.
fn what_happened(id: &str, prefix: &str, ask: &Ask<'_>) -> String {
    const MOST: usize = 5;
    let mut text = String::new();
    let attention: Vec<_> = ask
        .snapshot
        .summary
        .attention
        .iter()
        .filter(|item| item.id == id && item.kind.starts_with(prefix))
        .collect();
    if !attention.is_empty() {
        text.push('\n');
        text += &ask.page.title("Needs attention");
        text += &attention::list(&attention, ask.page);
    }
    let is_own = |recorded: &&RecordedChange| {
        let change = &recorded.change;
        let own = change.id == id && change.kind.as_str().starts_with(prefix);
        // Its comings and goings in queues carry the queue's name.
        let member = prefix == "extension_"
            && change.kind.as_str().starts_with("queue_")
            && Needle::new(id).is_in(&change.message);
        own || member
    };
    let changes: Vec<_> = ask.history.iter().rev().filter(is_own).take(MOST).collect();
    if !changes.is_empty() {
        text.push('\n');
        text += &ask.page.title("Last changes");
        text += &changes::table(&changes, ask);
    }
    text
}
