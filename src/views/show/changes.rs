//! `show changes`: what has happened, and when.

use super::{
    Ask, Needle,
    page::Ink,
    table::{Cell, Column, draw},
};
use crate::snapshot::{ChangeKind, RecordedChange, Timestamp};

const COLUMNS: [Column; 4] = [
    Column::whole("NOTICED", 9),
    Column::whole("NOT BEFORE", 5),
    Column::text("KIND", 4, 12),
    Column::text("WHAT HAPPENED", 8, 44),
];

/// Whether a change passes the filters.
pub(super) fn fits(recorded: &RecordedChange, ask: &Ask<'_>) -> bool {
    let filters = ask.filters;
    filters.since.is_none_or(|since| recorded.at >= since.moment(ask.now))
        && filters.kind.is_none_or(|kind| recorded.change.kind == kind)
        && ask.needle.as_ref().is_none_or(|needle| is_about(recorded, needle))
}

/// Whether a change has to do with a number or name.
pub(super) fn is_about(recorded: &RecordedChange, needle: &Needle) -> bool {
    use ChangeKind::{CallBegun, CallEnded};
    let change = &recorded.change;
    // A call's id is full of numbers that are none.
    let id = (!matches!(change.kind, CallBegun | CallEnded)).then_some(change.id.as_str());
    needle.is_in_any([id, Some(&change.message)])
}

/// The table, newest first.
pub(super) fn table(rows: &[&RecordedChange], ask: &Ask<'_>) -> String {
    let row = |recorded: &&RecordedChange| {
        let change = &recorded.change;
        vec![
            Cell::new(moment(recorded.at)),
            Cell::new(since(recorded)),
            Cell::inked(change.kind.as_str(), ink(change.kind)),
            Cell::new(&change.message),
        ]
    };
    draw(&COLUMNS, &rows.iter().map(row).collect::<Vec<_>>(), ask.page)
}

fn since(recorded: &RecordedChange) -> String {
    let (at, since) = (moment(recorded.at), moment(recorded.change.since));
    // The day once is enough.
    match at.split_once(' ').zip(since.split_once(' ')) {
        Some(((day, _), (same, time))) if day == same => time.to_owned(),
        _ => since,
    }
}

/// A moment to read: `2026-11-21 08:15:00Z`.
pub(super) fn moment(time: Timestamp) -> String {
    time.to_string().replace('T', " ")
}

/// Good news, bad news.
pub(super) fn ink(kind: ChangeKind) -> Ink {
    use ChangeKind as K;
    match kind {
        K::PbxRestarted | K::TrunkLost | K::ExtensionOffline => Ink::Bad,
        K::TrunkRegained | K::ExtensionOnline => Ink::Good,
        K::TrunkRemoved | K::ExtensionRemoved | K::QueueMemberLeft | K::QueueMemberPaused => {
            Ink::Active
        }
        K::TrunkAdded
        | K::ExtensionAdded
        | K::QueueMemberJoined
        | K::QueueMemberUnpaused
        | K::CallBegun
        | K::CallEnded => Ink::Plain,
    }
}
