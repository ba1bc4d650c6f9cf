//! `show trunks`: which lines to the outside work.

use super::{
    Ask, Needle,
    extensions::{join, milliseconds},
    page::Ink,
    table::{Cell, Column, draw},
};
use crate::snapshot::{Trunk, TrunkState};

/// The words that `--state` accepts.
pub(super) const STATES: [TrunkState; 8] = [
    TrunkState::Registered,
    TrunkState::Unregistered,
    TrunkState::Rejected,
    TrunkState::Failed,
    TrunkState::Reachable,
    TrunkState::Unreachable,
    TrunkState::Unmonitored,
    TrunkState::Unknown,
];

const COLUMNS: [Column; 8] = [
    Column::text("TRUNK", 9, 12),
    Column::whole("STATE", 8),
    Column::number("CALLS", 7),
    Column::text("ASTERISK SAYS", 4, 12),
    Column::text("HOST", 5, 15),
    Column::text("USER", 3, 12),
    Column::number("MS", 2),
    Column::whole("TECH", 1),
];

/// Whether a trunk passes the filters.
pub(super) fn fits(trunk: &Trunk, ask: &Ask<'_>) -> bool {
    (!ask.filters.busy || trunk.active_calls.is_some_and(|calls| calls > 0))
        && (!ask.filters.offline || trunk.state.is_down())
        && ask.filters.is_state(trunk.state.as_str())
        && ask.needle.as_ref().is_none_or(|needle| is_about(trunk, needle))
}

fn is_about(trunk: &Trunk, needle: &Needle) -> bool {
    needle.is_in_any([Some(trunk.name.as_str()), trunk.host.as_deref(), trunk.username.as_deref()])
}

/// The table.
pub(super) fn table(rows: &[&Trunk], ask: &Ask<'_>) -> String {
    let row = |trunk: &&Trunk| {
        let latency = trunk.latency_ms.map(milliseconds);
        vec![
            Cell::new(&trunk.name),
            state(trunk),
            calls(trunk),
            match trunk.state_raw.as_deref() {
                Some(raw) if raw != trunk.state.as_str() => Cell::new(raw),
                _ => Cell::none(),
            },
            Cell::known(trunk.host.as_deref().map(|host| join(host, trunk.port))),
            Cell::any(trunk.username.as_ref()),
            match trunk.reachable {
                Some(false) => Cell::any(latency),
                _ => Cell::known(latency),
            },
            Cell::new(&trunk.tech),
        ]
    };
    draw(&COLUMNS, &rows.iter().map(row).collect::<Vec<_>>(), ask.page)
}

/// The state in its colour.
pub(super) fn state(trunk: &Trunk) -> Cell {
    let ink = match trunk.state {
        TrunkState::Registered | TrunkState::Reachable => Ink::Good,
        TrunkState::Unmonitored | TrunkState::Unknown => Ink::Faint,
        TrunkState::Unregistered
        | TrunkState::Rejected
        | TrunkState::Failed
        | TrunkState::Unreachable => Ink::Bad,
    };
    Cell::inked(trunk.state.as_str(), ink)
}

fn calls(trunk: &Trunk) -> Cell {
    match trunk.active_calls {
        Some(calls) if calls > 0 => Cell::inked(calls.to_string(), Ink::Active),
        calls => Cell::known(calls),
    }
}
