//! `show queues`: who waits, and whether somebody is there to answer.

use super::{
    Ask,
    page::{Ink, clock},
    table::{Cell, Column, draw},
};
use crate::snapshot::{Queue, QueueCaller};

const COLUMNS: [Column; 11] = [
    Column::text("QUEUE", 9, 8),
    Column::number("WAITING", 9),
    Column::number("LONGEST", 8),
    Column::number("FREE", 7),
    Column::number("MEMBERS", 6),
    Column::number("PAUSED", 5),
    Column::number("IN CALL", 4),
    Column::number("ANSWERED", 3),
    Column::number("ABANDONED", 3),
    Column::number("IN GOAL", 2),
    Column::text("STRATEGY", 1, 6),
];

const CALLERS: [Column; 4] = [
    Column::whole("QUEUE", 9),
    Column::number("PLACE", 5),
    Column::number("WAIT", 8),
    Column::text("CALLER", 7, 10),
];

/// Whether a queue passes the filters.
pub(super) fn fits(queue: &Queue, ask: &Ask<'_>) -> bool {
    (!ask.filters.busy || queue.calls.is_some_and(|calls| calls > 0))
        && ask.filters.queue.as_deref().is_none_or(|name| queue.name.eq_ignore_ascii_case(name))
        && ask.needle.as_ref().is_none_or(|needle| needle.is_in(&queue.name))
}

/// The table, and below it those who wait.
pub(super) fn table(rows: &[&Queue], ask: &Ask<'_>) -> String {
    let row = |queue: &&Queue| {
        let free = match (queue.available, queue.calls) {
            (Some(0), Some(calls)) if calls > 0 => Cell::inked("0", Ink::Alarm),
            (free, _) => Cell::known(free),
        };
        let percent = queue.service_level_percent.map(|percent| format!("{percent:.0} %"));
        vec![
            Cell::new(&queue.name),
            waiting(queue),
            longest(queue),
            free,
            Cell::known(queue.members),
            Cell::known(queue.paused),
            Cell::known(queue.in_call),
            Cell::known(queue.completed),
            Cell::known(queue.abandoned),
            match queue.completed {
                Some(0) => Cell::any(percent),
                _ => Cell::known(percent),
            },
            Cell::known(queue.strategy.as_ref()),
        ]
    };
    let mut text = draw(&COLUMNS, &rows.iter().map(row).collect::<Vec<_>>(), ask.page);
    let mut waiting = Vec::new();
    for queue in rows {
        for caller in queue.callers.iter().flatten() {
            let mut row = vec![Cell::new(&queue.name)];
            row.extend(caller_cells(caller));
            waiting.push(row);
        }
    }
    if !waiting.is_empty() {
        text.push('\n');
        text.push_str(&draw(&CALLERS, &waiting, ask.page));
    }
    text
}

/// The number of waiting callers in its colour.
pub(super) fn waiting(queue: &Queue) -> Cell {
    match queue.calls {
        Some(calls) if calls > 0 => Cell::inked(calls.to_string(), Ink::Active),
        calls => Cell::known(calls),
    }
}

/// The longest wait; none where nobody waits.
pub(super) fn longest(queue: &Queue) -> Cell {
    match (queue.calls, queue.longest_wait_seconds) {
        (Some(0), _) => Cell::none(),
        (_, wait) => Cell::known(wait.map(clock)),
    }
}

/// Place, wait and name of a waiting caller.
pub(super) fn caller_cells(caller: &QueueCaller) -> [Cell; 3] {
    let who = match (caller.number.as_deref(), caller.name.as_deref()) {
        (Some(number), Some(name)) if number != name => Cell::new(format!("{number} {name}")),
        (Some(one), _) | (None, Some(one)) => Cell::new(one),
        (None, None) => Cell::unknown(),
    };
    [Cell::known(caller.position), Cell::known(caller.wait_seconds.map(clock)), who]
}
