//! What differs from the previous snapshot.

use std::collections::BTreeMap;

use super::words;
use crate::snapshot::{
    Agent, Call, Change, ChangeKind, Extension, Queue, Section, SectionStatus, Snapshot, Timestamp,
    Trunk, TrunkState, natural,
};

/// Compares two snapshots of the same PBX; `None` when the previous one is of another.
pub(crate) fn changes(previous: &Snapshot, now: &Snapshot) -> Option<Vec<Change>> {
    let (before, after) = (&previous.source, &now.source);
    let same = before.host == after.host
        && before.port == after.port
        && before.demo == after.demo
        && (before.pbx_name == after.pbx_name
            || before.pbx_name.is_none()
            || after.pbx_name.is_none());
    if !same {
        return None;
    }
    let since = previous.collected_at;
    let mut changes = Vec::new();
    changes.extend(restart(previous, now));
    if let (Some(before), Some(after)) = (&previous.trunks, &now.trunks) {
        trunks(before, after, since, &mut changes);
    }
    if let (Some(before), Some(after)) = (&previous.extensions, &now.extensions) {
        extensions(before, after, since, &mut changes);
    }
    if let (Some(before), Some(after)) = (&previous.queues, &now.queues) {
        queues(before, after, since, &mut changes);
    }
    if let (Some(before), Some(after)) = (&previous.active_calls, &now.active_calls) {
        calls(before, after, now.collected_at, since, &mut changes);
    }
    changes.retain(|change| is_credible(change.kind, previous, now));
    changes.sort_by(|a, b| a.kind.cmp(&b.kind).then_with(|| natural(&a.id, &b.id)));
    Some(changes)
}

/// What was not read whole may lack an item that is there: nothing has gone then, and nothing is
/// new when the list of before lacked it.
fn is_credible(kind: ChangeKind, previous: &Snapshot, now: &Snapshot) -> bool {
    use ChangeKind as K;
    let section = match kind {
        K::TrunkAdded | K::TrunkRemoved => Section::Trunks,
        K::ExtensionAdded | K::ExtensionRemoved => Section::Extensions,
        K::QueueMemberJoined | K::QueueMemberLeft => Section::Queues,
        K::CallBegun | K::CallEnded => Section::ActiveCalls,
        K::PbxRestarted
        | K::TrunkLost
        | K::TrunkRegained
        | K::ExtensionOffline
        | K::ExtensionOnline
        | K::QueueMemberPaused
        | K::QueueMemberUnpaused => return true,
    };
    let is_whole = |snapshot: &Snapshot| snapshot.sections.get(section).status == SectionStatus::Ok;
    let (before, after) = (is_whole(previous), is_whole(now));
    match kind {
        K::TrunkAdded | K::ExtensionAdded | K::QueueMemberJoined | K::CallBegun => before,
        _ => after,
    }
}

/// Whether Asterisk started anew between two snapshots. The server's local words are compared,
/// since they need no time zone and no clock to be right.
fn restart(previous: &Snapshot, now: &Snapshot) -> Option<Change> {
    let before = previous.system_info.as_ref()?.started_at_local.clone()?;
    let info = now.system_info.as_ref()?;
    let after = info.started_at_local.clone()?;
    (before != after).then(|| Change {
        kind: ChangeKind::PbxRestarted,
        id: now.source.pbx_name.clone().unwrap_or_else(|| now.source.host.clone()),
        message: format!("Asterisk was restarted at {after} (its local time)."),
        from: Some(before),
        to: Some(after),
        since: info.started_at.unwrap_or(previous.collected_at),
    })
}

/// Pairs the items of two lists by their key: both, gone, or new.
fn paired<'a, T>(
    before: &'a [T],
    after: &'a [T],
    key: impl Fn(&'a T) -> &'a str,
) -> impl Iterator<Item = (&'a str, Option<&'a T>, Option<&'a T>)> {
    let mut pairs: BTreeMap<&str, (Option<&T>, Option<&T>)> = BTreeMap::new();
    for item in before {
        pairs.entry(key(item)).or_default().0 = Some(item);
    }
    for item in after {
        pairs.entry(key(item)).or_default().1 = Some(item);
    }
    pairs.into_iter().map(|(key, (before, after))| (key, before, after))
}

fn trunks(before: &[Trunk], after: &[Trunk], since: Timestamp, changes: &mut Vec<Change>) {
    for (name, old, new) in paired(before, after, |trunk| &trunk.name) {
        let (from, to) = (old.map(|t| t.state), new.map(|t| t.state));
        let up = |state| matches!(state, TrunkState::Registered | TrunkState::Reachable);
        let (kind, said) = match (from, to) {
            (None, Some(_)) => (ChangeKind::TrunkAdded, "is new"),
            (Some(_), None) => (ChangeKind::TrunkRemoved, "is gone"),
            (Some(from), Some(to)) if up(from) && to.is_down() => {
                (ChangeKind::TrunkLost, "does not work any more")
            }
            // Between working and not working there is often a moment in which nobody knows, such
            // as after a restart. Its end must not go by unnoticed.
            (Some(TrunkState::Unknown), Some(to)) if to.is_down() => {
                (ChangeKind::TrunkLost, "does not work; before it was not known")
            }
            (Some(TrunkState::Unknown), Some(to)) if up(to) => {
                (ChangeKind::TrunkRegained, "works; before it was not known")
            }
            (Some(from), Some(to)) if from.is_down() && up(to) => {
                (ChangeKind::TrunkRegained, "works again")
            }
            _ => continue,
        };
        let state = to.map(|state| format!(" (state {})", state.as_str())).unwrap_or_default();
        changes.push(Change {
            kind,
            id: name.to_owned(),
            from: from.map(|state| state.as_str().to_owned()),
            to: to.map(|state| state.as_str().to_owned()),
            since,
            message: format!("Trunk {name} {said}{state}."),
        });
    }
}

fn extensions(
    before: &[Extension],
    after: &[Extension],
    since: Timestamp,
    changes: &mut Vec<Change>,
) {
    for (number, old, new) in paired(before, after, |extension| &extension.extension) {
        let online = |extension: Option<&Extension>| extension.and_then(|e| e.online);
        let (kind, said) = match (old, new) {
            (None, Some(_)) => (ChangeKind::ExtensionAdded, "is new"),
            (Some(_), None) => (ChangeKind::ExtensionRemoved, "is gone"),
            _ => match (online(old), online(new)) {
                (Some(true), Some(false)) => (ChangeKind::ExtensionOffline, "went offline"),
                (Some(false), Some(true)) => (ChangeKind::ExtensionOnline, "is online again"),
                _ => continue,
            },
        };
        let name = new.or(old).and_then(|extension| extension.name.as_deref());
        let name = name.map(|name| format!(" {name}")).unwrap_or_default();
        let status = |extension: &Extension| extension.status.as_str().to_owned();
        changes.push(Change {
            kind,
            id: number.to_owned(),
            from: old.map(status),
            to: new.map(status),
            since,
            message: format!("Extension {number}{name} {said}."),
        });
    }
}

fn queues(before: &[Queue], after: &[Queue], since: Timestamp, changes: &mut Vec<Change>) {
    for (queue, old, new) in paired(before, after, |queue| &queue.name) {
        // Members of a queue that is new or gone did not join or leave it.
        let (Some(old), Some(new)) = (old, new) else { continue };
        let (Some(old), Some(new)) = (&old.agents, &new.agents) else { continue };
        for (interface, old, new) in paired(old, new, |agent| &agent.interface) {
            let (kind, said) = match (old, new) {
                (None, Some(_)) => (ChangeKind::QueueMemberJoined, "joined"),
                (Some(_), None) => (ChangeKind::QueueMemberLeft, "left"),
                _ => match (old.and_then(|a| a.paused), new.and_then(|a| a.paused)) {
                    (Some(false), Some(true)) => (ChangeKind::QueueMemberPaused, "paused in"),
                    (Some(true), Some(false)) => {
                        (ChangeKind::QueueMemberUnpaused, "is back from a pause in")
                    }
                    _ => continue,
                },
            };
            let said_state = |agent: &Agent| match agent.paused {
                Some(true) => "Paused".to_owned(),
                _ => agent.status.as_str().to_owned(),
            };
            let name = new.or(old).and_then(|agent| agent.name.as_deref()).unwrap_or(interface);
            changes.push(Change {
                kind,
                id: queue.to_owned(),
                from: old.map(said_state),
                to: new.map(said_state),
                since,
                message: format!("{name} ({interface}) {said} queue {queue}."),
            });
        }
    }
}

fn calls(
    before: &[Call],
    after: &[Call],
    now: Timestamp,
    since: Timestamp,
    changes: &mut Vec<Change>,
) {
    for (id, old, new) in paired(before, after, |call| &call.call_id) {
        let (kind, since, message) = match (old, new) {
            (None, Some(new)) => {
                let begun = new.started_at.unwrap_or(since);
                let ago = words::duration(now.seconds_since(begun));
                let message = format!("A call began {ago} ago: {}", new.description);
                (ChangeKind::CallBegun, begun, message)
            }
            (Some(old), None) => (
                ChangeKind::CallEnded,
                since,
                format!("A call ended. Last seen: {}", old.description),
            ),
            _ => continue,
        };
        let state = |call: &Call| call.state.as_str().to_owned();
        changes.push(Change {
            kind,
            id: id.to_owned(),
            from: old.map(state),
            to: new.map(state),
            since,
            message,
        });
    }
}
