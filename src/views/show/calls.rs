//! `show calls`: who talks with whom, and for how long.

use super::{
    Ask, Needle,
    page::{Ink, clock},
    table::{Cell, Column, draw},
};
use crate::snapshot::{Call, CallState, Direction, Party};

/// The words that `--state` accepts.
pub(super) const STATES: [CallState; 9] = [
    CallState::Dialing,
    CallState::Ringing,
    CallState::Up,
    CallState::OnHold,
    CallState::Queued,
    CallState::Parked,
    CallState::Conference,
    CallState::Busy,
    CallState::Unknown,
];

const COLUMNS: [Column; 8] = [
    Column::whole("STATE", 10),
    Column::text("FROM", 9, 14),
    Column::text("TO", 9, 14),
    Column::number("AGE", 6),
    Column::number("TALK", 4),
    Column::whole("WAY", 3),
    Column::whole("QUEUE", 2),
    Column::text("TRUNK", 1, 12),
];

/// Whether a call passes the filters.
pub(super) fn fits(call: &Call, ask: &Ask<'_>) -> bool {
    let queue = ask.filters.queue.as_deref();
    ask.filters.is_state(call.state.as_str())
        && queue.is_none_or(|queue| {
            call.queue.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(queue))
        })
        && ask.needle.as_ref().is_none_or(|needle| is_about(call, needle))
}

/// Whether a call has to do with a number or name: its parties, trunk, queue, and the devices of
/// its channels.
pub(super) fn is_about(call: &Call, needle: &Needle) -> bool {
    let parties = [&call.from, &call.to].into_iter().flat_map(|party| {
        [&party.number, &party.name, &party.extension, &party.trunk].map(Option::as_deref)
    });
    let own = [&call.caller_id, &call.caller_name, &call.queue, &call.trunk];
    let devices = call.channels.iter().map(|channel| {
        // Without the number at its end, which might look like an extension.
        Some(channel.rsplit_once('-').map_or(channel.as_str(), |(device, _)| device))
    });
    needle.is_in_any(parties.chain(own.map(Option::as_deref)).chain(devices))
}

/// The table.
pub(super) fn table(rows: &[&Call], ask: &Ask<'_>) -> String {
    let row = |call: &&Call| {
        vec![
            state(call),
            party(&call.from),
            party(&call.to),
            Cell::known(call.duration_seconds.map(clock)),
            Cell::any(call.talk_seconds.map(clock)),
            match call.direction {
                Direction::Internal => Cell::new("internal"),
                Direction::Inbound => Cell::new("in"),
                Direction::Outbound => Cell::new("out"),
                Direction::Unknown => Cell::unknown(),
            },
            Cell::any(call.queue.as_ref()),
            Cell::any(call.trunk.as_ref()),
        ]
    };
    draw(&COLUMNS, &rows.iter().map(row).collect::<Vec<_>>(), ask.page)
}

fn state(call: &Call) -> Cell {
    let ink = match call.state {
        CallState::Up | CallState::Conference => Ink::Good,
        CallState::Unknown => Ink::Faint,
        CallState::Busy => Ink::Bad,
        _ => Ink::Active,
    };
    Cell::inked(call.state.as_str(), ink)
}

/// A side of a call: number and name, or the trunk where nothing else is known.
pub(super) fn party(party: &Party) -> Cell {
    let number = party.number.as_deref().or(party.extension.as_deref());
    match (number, party.name.as_deref(), party.trunk.as_deref()) {
        (Some(number), Some(name), _) if number != name => Cell::new(format!("{number} {name}")),
        (Some(one), _, _) | (None, Some(one), _) => Cell::new(one),
        (None, None, Some(trunk)) => Cell::new(format!("? ({trunk})")),
        (None, None, None) => Cell::unknown(),
    }
}
