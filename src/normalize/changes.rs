//! What differs from the previous snapshot.

use hashbrown::DefaultHashBuilder;
use indexmap::IndexMap;

use super::words;
use crate::snapshot::{
    AgentStatus, Baseline, BaselineCall, BaselineExtension, BaselineQueue, BaselineTrunk, Call,
    Change, ChangeKind, Extension, Queue, Section, SectionStatus, Sections, Snapshot, Timestamp,
    Trunk, TrunkState, natural,
};

/// Compares two snapshots of the same PBX; `None` when the previous one is of another.
pub(crate) fn changes(previous: &Baseline, now: &Snapshot) -> Option<Vec<Change>> {
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
fn is_credible(kind: ChangeKind, previous: &Baseline, now: &Snapshot) -> bool {
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
    let is_whole = |sections: &Sections| sections.get(section).status == SectionStatus::Ok;
    let (before, after) = (is_whole(&previous.sections), is_whole(&now.sections));
    match kind {
        K::TrunkAdded | K::ExtensionAdded | K::QueueMemberJoined | K::CallBegun => before,
        _ => after,
    }
}

/// Whether Asterisk started anew between two snapshots. The server's local words are compared,
/// since they need no time zone and no clock to be right.
fn restart(previous: &Baseline, now: &Snapshot) -> Option<Change> {
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
fn paired<'a, B, A>(
    (before, key_before): (&'a [B], impl Fn(&'a B) -> &'a str),
    (after, key_after): (&'a [A], impl Fn(&'a A) -> &'a str),
) -> impl Iterator<Item = (&'a str, Option<&'a B>, Option<&'a A>)> {
    let mut pairs: IndexMap<&str, (Option<&B>, Option<&A>), DefaultHashBuilder> =
        IndexMap::with_capacity_and_hasher(after.len(), DefaultHashBuilder::default());
    for item in before {
        pairs.entry(key_before(item)).or_default().0 = Some(item);
    }
    for item in after {
        pairs.entry(key_after(item)).or_default().1 = Some(item);
    }
    pairs.sort_keys();
    pairs.into_iter().map(|(key, (before, after))| (key, before, after))
}

fn trunks(before: &[BaselineTrunk], after: &[Trunk], since: Timestamp, changes: &mut Vec<Change>) {
    for (name, old, new) in paired((before, |it| &it.name), (after, |it| &it.name)) {
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
    before: &[BaselineExtension],
    after: &[Extension],
    since: Timestamp,
    changes: &mut Vec<Change>,
) {
    for (number, old, new) in paired((before, |it| &it.extension), (after, |it| &it.extension)) {
        let online = (old.and_then(|it| it.online), new.and_then(|it| it.online));
        let (kind, said) = match (old, new) {
            (None, Some(_)) => (ChangeKind::ExtensionAdded, "is new"),
            (Some(_), None) => (ChangeKind::ExtensionRemoved, "is gone"),
            _ => match online {
                (Some(true), Some(false)) => (ChangeKind::ExtensionOffline, "went offline"),
                (Some(false), Some(true)) => (ChangeKind::ExtensionOnline, "came online"),
                _ => continue,
            },
        };
        let name = match new {
            Some(new) => new.name.as_deref(),
            None => old.and_then(|old| old.name.as_deref()),
        };
        let name = name.map(|name| format!(" {name}")).unwrap_or_default();
        changes.push(Change {
            kind,
            id: number.to_owned(),
            from: old.map(|old| old.status.as_str().to_owned()),
            to: new.map(|new| new.status.as_str().to_owned()),
            since,
            message: format!("Extension {number}{name} {said}."),
        });
    }
}

fn queues(before: &[BaselineQueue], after: &[Queue], since: Timestamp, changes: &mut Vec<Change>) {
    for (queue, old, new) in paired((before, |it| &it.name), (after, |it| &it.name)) {
        // Members of a queue that is new or gone did not join or leave it.
        let (Some(old), Some(new)) = (old, new) else { continue };
        let (Some(old), Some(new)) = (&old.agents, &new.agents) else { continue };
        for (interface, old, new) in paired((old, |it| &it.interface), (new, |it| &it.interface)) {
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
            let said_state = |paused, status: AgentStatus| match paused {
                Some(true) => "Paused".to_owned(),
                _ => status.as_str().to_owned(),
            };
            let name = match new {
                Some(new) => new.name.as_deref(),
                None => old.and_then(|old| old.name.as_deref()),
            };
            let who = match name {
                Some(name) if name != interface => format!("{name} ({interface})"),
                _ => interface.to_owned(),
            };
            changes.push(Change {
                kind,
                id: queue.to_owned(),
                from: old.map(|old| said_state(old.paused, old.status)),
                to: new.map(|new| said_state(new.paused, new.status)),
                since,
                message: format!("{who} {said} queue {queue}."),
            });
        }
    }
}

fn calls(
    before: &[BaselineCall],
    after: &[Call],
    now: Timestamp,
    since: Timestamp,
    changes: &mut Vec<Change>,
) {
    for (id, old, new) in paired((before, |it| &it.call_id), (after, |it| &it.call_id)) {
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
        changes.push(Change {
            kind,
            id: id.to_owned(),
            from: old.map(|old| old.state.as_str().to_owned()),
            to: new.map(|new| new.state.as_str().to_owned()),
            since,
            message,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        collect::Plan,
        normalize::testing,
        snapshot::{Agent, TrunkState},
    };

    fn busy() -> Snapshot {
        testing::snapshot(&testing::recorded("22.10.1/busy"), &Plan::default())
    }

    /// What differs after something was changed five minutes later.
    fn after(change: impl FnOnce(&mut Snapshot)) -> Vec<Change> {
        let before = busy();
        let mut now = before.clone();
        now.collected_at = before.collected_at.plus_seconds(300);
        change(&mut now);
        let found = changes(&(&before).into(), &now).unwrap();
        for change in &found {
            assert!(!change.message.is_empty() && change.since <= now.collected_at, "{change:?}");
        }
        found
    }

    /// The only difference.
    fn only(change: impl FnOnce(&mut Snapshot)) -> Change {
        let found = after(change);
        assert_eq!(found.len(), 1, "{found:#?}");
        found.into_iter().next().unwrap()
    }

    fn trunk<'a>(snapshot: &'a mut Snapshot, name: &str) -> &'a mut Trunk {
        let trunks = snapshot.trunks.as_mut().unwrap();
        trunks.iter_mut().find(|trunk| trunk.name == name).unwrap()
    }

    fn extension<'a>(snapshot: &'a mut Snapshot, number: &str) -> &'a mut Extension {
        let extensions = snapshot.extensions.as_mut().unwrap();
        extensions.iter_mut().find(|extension| extension.extension == number).unwrap()
    }

    /// Agents of the first queue.
    fn agents(snapshot: &mut Snapshot) -> &mut Vec<Agent> {
        snapshot.queues.as_mut().unwrap()[0].agents.as_mut().unwrap()
    }

    #[test]
    fn nothing_changed_is_an_empty_list_and_not_null() {
        assert_eq!(after(|_| {}), []);
    }

    #[test]
    fn nothing_goes_from_a_list_that_was_not_read_whole_or_comes_to_one() {
        let removed = |now: &mut Snapshot| {
            now.trunks.as_mut().unwrap().retain(|trunk| trunk.name != "trunk-main");
            now.extensions.as_mut().unwrap().retain(|it| it.extension != "115");
        };
        let kinds = |found: Vec<Change>| found.iter().map(|it| it.kind).collect::<Vec<_>>();
        let whole = kinds(after(removed));
        assert!(whole.contains(&ChangeKind::TrunkRemoved), "{whole:?}");
        assert!(whole.contains(&ChangeKind::ExtensionRemoved), "{whole:?}");
        let partly = kinds(after(|now| {
            removed(now);
            now.sections.trunks.status = SectionStatus::Partial;
        }));
        assert!(!partly.contains(&ChangeKind::TrunkRemoved), "{partly:?}");
        assert!(partly.contains(&ChangeKind::ExtensionRemoved), "{partly:?}");
        // Nor has come what the list of before lacked.
        let (now, mut before) = (busy(), busy());
        removed(&mut before);
        let came = kinds(changes(&(&before).into(), &now).unwrap());
        assert!(came.contains(&ChangeKind::TrunkAdded), "{came:?}");
        before.sections.trunks.status = SectionStatus::Partial;
        let came = kinds(changes(&(&before).into(), &now).unwrap());
        assert!(!came.contains(&ChangeKind::TrunkAdded), "{came:?}");
    }

    #[test]
    fn a_trunk_of_which_nothing_was_known_is_told_when_it_is_known() {
        let mut before = busy();
        trunk(&mut before, "trunk-main").state = TrunkState::Unknown;
        let found = changes(&(&before).into(), &busy()).unwrap();
        assert_eq!(found.len(), 1, "{found:#?}");
        assert_eq!(found[0].kind, ChangeKind::TrunkRegained);
        assert!(found[0].message.contains("before it was not known"), "{}", found[0].message);
        let mut now = busy();
        trunk(&mut now, "trunk-main").state = TrunkState::Unmonitored;
        assert_eq!(changes(&(&before).into(), &now), Some(Vec::new()), "nobody knows yet");
        trunk(&mut now, "trunk-main").state = TrunkState::Rejected;
        let found = changes(&(&before).into(), &now).unwrap();
        assert_eq!((found.len(), found[0].kind), (1, ChangeKind::TrunkLost), "{found:#?}");
    }

    #[test]
    fn a_member_without_a_name_of_its_own_is_named_once() {
        let change = only(|now| {
            let agent = &mut agents(now)[0];
            agent.name = Some(agent.interface.clone());
            agent.paused = Some(agent.paused != Some(true));
        });
        assert_eq!(change.message.matches("PJSIP/").count(), 1, "{}", change.message);
        let named = only(|now| {
            let agent = &mut agents(now)[0];
            agent.name = Some("Somebody".to_owned());
            agent.paused = Some(agent.paused != Some(true));
        });
        assert!(named.message.starts_with("Somebody ("), "{}", named.message);
    }

    #[test]
    fn another_pbx_is_not_compared() {
        let before = busy();
        let differs = |change: fn(&mut Snapshot)| {
            let mut now = before.clone();
            change(&mut now);
            changes(&(&before).into(), &now)
        };
        assert_eq!(differs(|now| now.source.host = "other".to_owned()), None);
        assert_eq!(differs(|now| now.source.port = 5039), None);
        assert_eq!(differs(|now| now.source.demo = true), None);
        assert_eq!(differs(|now| now.source.pbx_name = Some("other".to_owned())), None);
        // Its name is not known to everybody who may ask.
        assert_eq!(differs(|now| now.source.pbx_name = None), Some(Vec::new()));
        assert_eq!(differs(|now| now.source.asterisk_version = None), Some(Vec::new()));
    }

    #[test]
    fn a_section_that_one_of_both_lacks_is_not_compared() {
        let found = after(|now| {
            now.trunks = None;
            now.queues = None;
            now.extensions = None;
            now.active_calls = None;
            now.system_info = None;
        });
        assert_eq!(found, []);
    }

    #[test]
    fn a_restart_is_told_by_the_servers_own_words() {
        let found = only(|now| {
            let info = now.system_info.as_mut().unwrap();
            info.started_at_local = Some("2026-11-21 07:24:00".to_owned());
            info.started_at = Timestamp::from_epoch(testing::NOW - 60);
        });
        assert_eq!((found.kind, found.id.as_str()), (ChangeKind::PbxRestarted, "pbx22"));
        assert_eq!(
            found.message,
            "Asterisk was restarted at 2026-11-21 07:24:00 (its local time)."
        );
        assert_eq!(found.since.to_string(), "2026-11-21T07:59:00Z", "not the last look");
    }

    #[test]
    fn a_trunk_is_lost_regained_added_or_removed() {
        let lost = only(|now| trunk(now, "trunk-main").state = TrunkState::Rejected);
        assert_eq!((lost.kind, lost.id.as_str()), (ChangeKind::TrunkLost, "trunk-main"));
        assert_eq!(lost.from.as_deref(), Some("Registered"));
        assert_eq!(lost.to.as_deref(), Some("Rejected"));
        assert_eq!(lost.message, "Trunk trunk-main does not work any more (state Rejected).");
        assert_eq!(lost.since, busy().collected_at);
        let regained = only(|now| trunk(now, "trunk-badpw").state = TrunkState::Registered);
        assert_eq!(regained.kind, ChangeKind::TrunkRegained);
        let added = only(|now| {
            let mut new = trunk(now, "trunk-main").clone();
            new.name = "trunk-new".to_owned();
            now.trunks.as_mut().unwrap().push(new);
        });
        assert_eq!((added.kind, added.from), (ChangeKind::TrunkAdded, None));
        let removed =
            only(|now| now.trunks.as_mut().unwrap().retain(|trunk| trunk.name != "trunk-main"));
        assert_eq!((removed.kind, removed.to), (ChangeKind::TrunkRemoved, None));
        assert_eq!(removed.message, "Trunk trunk-main is gone.");
    }

    #[test]
    fn a_trunk_that_nobody_watches_any_more_is_not_lost() {
        assert_eq!(after(|now| trunk(now, "trunk-main").state = TrunkState::Unknown), []);
        assert_eq!(after(|now| trunk(now, "trunk-badpw").state = TrunkState::Failed), []);
    }

    #[test]
    fn an_extension_goes_offline_comes_online_is_new_or_gone() {
        let offline = only(|now| extension(now, "101").online = Some(false));
        assert_eq!((offline.kind, offline.id.as_str()), (ChangeKind::ExtensionOffline, "101"));
        assert_eq!(offline.message, "Extension 101 Bob Builder went offline.");
        let online = only(|now| extension(now, "116").online = Some(true));
        assert_eq!(online.kind, ChangeKind::ExtensionOnline);
        assert_eq!(after(|now| extension(now, "101").online = None), [], "not known is no change");
        let gone = only(|now| now.extensions.as_mut().unwrap().retain(|e| e.extension != "101"));
        assert_eq!(gone.kind, ChangeKind::ExtensionRemoved);
        let new = only(|now| {
            let mut new = extension(now, "109").clone();
            new.extension = "700".to_owned();
            now.extensions.as_mut().unwrap().push(new);
        });
        assert_eq!(new.kind, ChangeKind::ExtensionAdded);
        assert_eq!(new.message, "Extension 700 is new.");
    }

    #[test]
    fn a_member_joins_leaves_pauses_or_comes_back() {
        let left = only(|now| agents(now).retain(|agent| agent.interface != "PJSIP/104"));
        assert_eq!((left.kind, left.id.as_str()), (ChangeKind::QueueMemberLeft, "400"));
        assert_eq!(left.message, "Élodie Ünïcode 東京 (PJSIP/104) left queue 400.");
        let joined = only(|now| {
            let mut new = agents(now)[0].clone();
            new.interface = "PJSIP/999".to_owned();
            new.name = None;
            agents(now).push(new);
        });
        assert_eq!(joined.kind, ChangeKind::QueueMemberJoined);
        assert_eq!(joined.message, "PJSIP/999 joined queue 400.");
        let paused = only(|now| {
            agents(now).iter_mut().find(|a| a.interface == "PJSIP/104").unwrap().paused =
                Some(true);
        });
        assert_eq!(paused.kind, ChangeKind::QueueMemberPaused);
        assert_eq!(paused.to.as_deref(), Some("Paused"));
        let back = only(|now| {
            let agent = agents(now).iter_mut().find(|agent| agent.paused == Some(true)).unwrap();
            agent.paused = Some(false);
        });
        assert_eq!(back.kind, ChangeKind::QueueMemberUnpaused);
        assert_eq!(back.from.as_deref(), Some("Paused"));
        assert_eq!(after(|now| agents(now)[0].status = AgentStatus::Busy), []);
        assert_eq!(after(|now| drop(now.queues.as_mut().unwrap().remove(0))), []);
    }

    #[test]
    fn a_call_begins_or_ends() {
        let begun = only(|now| {
            let at = now.collected_at;
            let calls = now.active_calls.as_mut().unwrap();
            let mut new = calls[0].clone();
            new.call_id = "pbx22-1795245900.99".to_owned();
            new.started_at = Some(at.plus_seconds(-75));
            calls.push(new);
        });
        assert_eq!((begun.kind, begun.from), (ChangeKind::CallBegun, None));
        assert!(begun.message.starts_with("A call began 1 minute 15 seconds ago: 100 Alice"));
        assert_eq!(begun.since, busy().collected_at.plus_seconds(225), "exact, not the last look");
        let ended = only(|now| drop(now.active_calls.as_mut().unwrap().remove(0)));
        assert_eq!((ended.kind, ended.to), (ChangeKind::CallEnded, None));
        assert_eq!(ended.since, busy().collected_at);
        assert!(ended.message.starts_with("A call ended. Last seen: 100 Alice Example"));
    }

    #[test]
    fn changes_stand_by_kind_and_then_in_natural_order() {
        let found = after(|now| {
            for number in ["118", "99100", "101"] {
                let extension = extension(now, number);
                extension.online = extension.online.map(|online| !online);
            }
            trunk(now, "trunk-main").state = TrunkState::Failed;
        });
        let order: Vec<_> = found.iter().map(|change| change.id.as_str()).collect();
        assert_eq!(order, ["trunk-main", "101", "118", "99100"]);
    }
}
