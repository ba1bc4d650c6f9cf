//! QueueStatus and QueueSummary to queues.
//!
//! QueueStatus tells everything; QueueSummary is what remains when it was not answered. Each list
//! is an instant of its own; where they differ, QueueStatus wins, so that a queue's counts are
//! those of the members and callers listed with it.

use std::cmp::Ordering;

use hashbrown::HashMap;

use crate::{
    ami::{ReadAction, Row},
    collect::{Answers, Directory, Owner},
    normalize::{
        calls::local_extension,
        channels::CallIds,
        fields::{bounded, count, decimal, epoch, flag, text},
    },
    snapshot::{Agent, AgentStatus, Queue, QueueCaller, natural},
};

/// The queues in the natural order of their names; `None` where neither QueueStatus nor
/// QueueSummary was answered.
#[must_use]
pub(crate) fn queues(
    answers: &Answers,
    directory: &Directory<'_>,
    calls: &CallIds<'_>,
) -> Option<Vec<Queue>> {
    let status = answers.answer(ReadAction::QueueStatus);
    let summary = answers.answer(ReadAction::QueueSummary);
    if status.is_none() && summary.is_none() {
        return None;
    }
    let mut queues = Queues::default();
    for row in status.into_iter().flat_map(crate::ami::Answer::rows) {
        queues.read_status(row, directory, calls);
    }
    for queue in &mut queues.listed {
        count_people(queue);
    }
    for row in summary.into_iter().flat_map(crate::ami::Answer::rows) {
        queues.read_summary(row);
    }
    let mut listed = queues.listed;
    listed.sort_by(|a, b| natural(&a.name, &b.name));
    Some(listed)
}

/// Queues as they are read, found by name.
#[derive(Default)]
struct Queues {
    listed: Vec<Queue>,
    places: HashMap<String, usize>,
}

impl Queues {
    /// The queue of that name, created when it is first named.
    fn queue(&mut self, row: Row<'_>) -> Option<&mut Queue> {
        let name = text(row, "Queue")?;
        let at = *self.places.entry(name.clone()).or_insert(self.listed.len());
        if at == self.listed.len() {
            self.listed.push(named(name));
        }
        self.listed.get_mut(at)
    }

    /// Reads a row of QueueStatus. A member or caller whose queue was not listed before it makes
    /// its queue known.
    fn read_status(&mut self, row: Row<'_>, directory: &Directory<'_>, calls: &CallIds<'_>) {
        let Some(event) = row.event() else { return };
        let Some(queue) = self.queue(row) else { return };
        match event {
            "QueueParams" => read_params(queue, row),
            "QueueMember" => {
                let agents = queue.agents.get_or_insert_default();
                agents.extend(agent(row, directory));
            }
            "QueueEntry" => queue.callers.get_or_insert_default().push(caller(row, calls)),
            _ => {}
        }
    }

    /// Reads a row of QueueSummary into what QueueStatus left open.
    fn read_summary(&mut self, row: Row<'_>) {
        let Some(queue) = self.queue(row) else { return };
        let fill = |field: &mut Option<u64>, key| *field = field.or_else(|| count(row, key));
        fill(&mut queue.calls, "Callers");
        fill(&mut queue.available, "Available");
        fill(&mut queue.logged_in, "LoggedIn");
        fill(&mut queue.average_hold_seconds, "HoldTime");
        fill(&mut queue.average_talk_seconds, "TalkTime");
        fill(&mut queue.longest_wait_seconds, "LongestHoldTime");
    }
}

/// A queue of which nothing is known but its name.
fn named(name: String) -> Queue {
    Queue {
        name,
        strategy: None,
        calls: None,
        longest_wait_seconds: None,
        members: None,
        available: None,
        paused: None,
        in_call: None,
        logged_in: None,
        average_hold_seconds: None,
        average_talk_seconds: None,
        completed: None,
        abandoned: None,
        service_level_seconds: None,
        service_level_percent: None,
        callers: None,
        agents: None,
        max_callers: None,
        weight: None,
    }
}

fn read_params(queue: &mut Queue, row: Row<'_>) {
    queue.strategy = text(row, "Strategy");
    queue.calls = count(row, "Calls");
    queue.average_hold_seconds = count(row, "Holdtime");
    queue.average_talk_seconds = count(row, "TalkTime");
    queue.completed = count(row, "Completed");
    queue.abandoned = count(row, "Abandoned");
    queue.service_level_seconds = count(row, "ServiceLevel");
    queue.service_level_percent = decimal(row, "ServicelevelPerf");
    queue.max_callers = count(row, "Max").filter(|max| *max != 0);
    queue.weight = count(row, "Weight");
}

/// Counts the members and callers of a queue that QueueStatus listed: whoever is not listed with
/// it is not there.
///
/// The rules are QueueSummary's own (`app_queue.c`): logged in is who is neither unavailable nor
/// invalid; available is who is idle or of unknown state, and not paused.
fn count_people(queue: &mut Queue) {
    let callers = queue.callers.get_or_insert_default();
    callers.sort_by_key(|caller| caller.position);
    queue.longest_wait_seconds = match callers.iter().map(|caller| caller.wait_seconds).max() {
        None => Some(0),
        Some(longest) => longest,
    };
    queue.calls = queue.calls.or_else(|| callers.len().try_into().ok());

    let agents = queue.agents.get_or_insert_default();
    agents.sort_by(order);
    let number = |test: fn(&Agent) -> bool| -> Option<u64> {
        agents.iter().filter(|agent| test(agent)).count().try_into().ok()
    };
    queue.members = number(|_| true);
    queue.paused = number(|agent| agent.paused == Some(true));
    queue.logged_in =
        number(|a| !matches!(a.status, AgentStatus::Unavailable | AgentStatus::Invalid));
    queue.available = number(|agent| {
        let idle = matches!(agent.status, AgentStatus::Available | AgentStatus::Unknown);
        idle && agent.paused != Some(true)
    });
    let told = agents.is_empty() || agents.iter().any(|agent| agent.in_call.is_some());
    queue.in_call = number(|agent| agent.in_call == Some(true)).filter(|_| told);
}

/// Agents by extension, those without one by their interface.
fn order(a: &Agent, b: &Agent) -> Ordering {
    fn key(agent: &Agent) -> &str {
        agent.extension.as_deref().unwrap_or(&agent.interface)
    }
    natural(key(a), key(b)).then_with(|| natural(&a.interface, &b.interface))
}

/// A waiting caller. These rows are not escaped, and say `unknown` for nothing.
fn caller(row: Row<'_>, calls: &CallIds<'_>) -> QueueCaller {
    let known = |key| text(row, key).filter(|value| value != "unknown");
    QueueCaller {
        position: count(row, "Position"),
        number: known("CallerIDNum"),
        name: known("CallerIDName"),
        wait_seconds: count(row, "Wait"),
        channel: text(row, "Channel"),
        call_id: calls.find(row, "Uniqueid", "Channel"),
    }
}

/// A member; `None` for a row without an interface.
fn agent(row: Row<'_>, directory: &Directory<'_>) -> Option<Agent> {
    let interface = text(row, "Location")?;
    let state_interface = row.get("StateInterface").unwrap_or_default();
    let extension = extension(&interface, state_interface, directory);
    // Asterisk takes the interface for the name of a member that was given none.
    let name = text(row, "Name").filter(|name| *name != interface);
    let listed = extension.as_deref().and_then(|extension| directory.name(extension));
    Some(Agent {
        name: name.or_else(|| listed.map(bounded)).or_else(|| Some(interface.clone())),
        extension,
        membership: text(row, "Membership"),
        status: status(row.get("Status").unwrap_or_default()),
        paused: flag(row, "Paused"),
        paused_reason: text(row, "PausedReason"),
        // `IsInCall` in early releases of Asterisk 11.
        in_call: flag(row, "InCall").or_else(|| flag(row, "IsInCall")),
        calls_taken: count(row, "CallsTaken"),
        last_call_at: epoch(row, "LastCall"),
        penalty: count(row, "Penalty"),
        logged_in_at: epoch(row, "LoginTime"),
        interface,
    })
}

/// The extension that a member rings.
///
/// FreePBX's members are `Local/<number>@from-queue/n` (`from-internal` in older releases). The
/// number may also be an outside one, an agent's mobile: so the directory decides where it knows
/// anything, or the hint that FreePBX gives as state interface to members who are extensions.
fn extension(interface: &str, state_interface: &str, directory: &Directory<'_>) -> Option<String> {
    if let Some(entry) = directory.device(interface) {
        return match entry.owner {
            Owner::Extension(extension) => Some(extension.to_owned()),
            Owner::Trunk(_) | Owner::Special => None,
        };
    }
    let context = interface.split_once('@').map_or("", |(_, context)| context);
    let rings = context.split('/').next().unwrap_or_default();
    let number = local_extension(interface)
        .filter(|_| ["from-queue", "from-internal"].contains(&rings))
        .or_else(|| interface.split_once('/').map(|(_, name)| name).filter(|n| !n.contains('@')));
    if let Some(known) = number.and_then(|number| directory.extension(number)) {
        return Some(known.to_owned());
    }
    let hint = state_interface.strip_prefix("hint:").and_then(|hint| hint.split_once('@'));
    if let Some((extension, "ext-local")) = hint {
        return Some(bounded(extension));
    }
    let nothing_known = directory.devices().next().is_none();
    number.filter(|_| nothing_known && local_extension(interface).is_some()).map(bounded)
}

/// `Status` of a member: the state of its device as a number.
fn status(text: &str) -> AgentStatus {
    match text {
        "1" => AgentStatus::Available,
        // 7: in a call while another rings.
        "2" | "7" => AgentStatus::InUse,
        "3" => AgentStatus::Busy,
        "4" => AgentStatus::Invalid,
        "5" => AgentStatus::Unavailable,
        "6" => AgentStatus::Ringing,
        "8" => AgentStatus::OnHold,
        _ => AgentStatus::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ami::Action,
        normalize::{
            channels::channels,
            testing::{answers, recorded},
        },
        snapshot::Timestamp,
    };

    fn read(given: &[(ReadAction, &str)], directory: &Directory<'_>) -> Vec<Queue> {
        let given: Vec<_> = given.iter().map(|(kind, rows)| (Action::new(*kind), *rows)).collect();
        queues(&answers(&given), directory, &CallIds::default()).unwrap()
    }

    #[test]
    fn unanswered_differs_from_no_queues() {
        let none = Directory::default();
        assert_eq!(queues(&Answers::default(), &none, &CallIds::default()), None);
        assert_eq!(read(&[(ReadAction::QueueStatus, "")], &none), []);
        assert_eq!(read(&[(ReadAction::QueueSummary, "")], &none), []);
    }

    #[test]
    fn a_members_state_is_a_number_of_asterisks() {
        use AgentStatus as S;
        let words = [
            S::Unknown,
            S::Available,
            S::InUse,
            S::Busy,
            S::Invalid,
            S::Unavailable,
            S::Ringing,
            S::InUse,
            S::OnHold,
            S::Unknown,
        ];
        for (number, word) in words.into_iter().enumerate() {
            assert_eq!(status(&number.to_string()), word, "{number}");
        }
    }

    #[test]
    fn members_stand_by_extension_and_say_the_state_of_their_device() {
        let member = |interface: &str, status: &str| {
            format!("\n\nEvent: QueueMember\nQueue: 400\nLocation: {interface}\nStatus: {status}")
        };
        let rows = "Event: QueueParams\nQueue: 400".to_owned()
            + &member("Agent/5", "4")
            + &member("Local/300@from-queue/n", "8")
            + &member("Local/250@from-queue/n", "3")
            + &member("Local/200@from-queue/n", "7");
        let found = read(&[(ReadAction::QueueStatus, &rows)], &Directory::default());
        let agents = found[0].agents.as_ref().unwrap().iter();
        assert_eq!(
            agents.map(|agent| (agent.interface.as_str(), agent.status)).collect::<Vec<_>>(),
            [
                ("Local/200@from-queue/n", AgentStatus::InUse),
                ("Local/250@from-queue/n", AgentStatus::Busy),
                ("Local/300@from-queue/n", AgentStatus::OnHold),
                ("Agent/5", AgentStatus::Invalid),
            ]
        );
        assert_eq!(found[0].callers, Some(Vec::new()));
    }

    #[test]
    fn recorded_queues_are_read_whole() {
        for folder in ["16.28.0/busy", "22.10.1/busy"] {
            let answers = recorded(folder);
            let mut channels = channels(&answers).unwrap();
            let directory = Directory::default();
            let at = Timestamp::from_epoch(1_795_245_750).unwrap();
            let calls = crate::normalize::calls::calls(&answers, &mut channels, &directory, at);
            let queues = queues(&answers, &directory, &CallIds::of(&channels)).unwrap();
            let names: Vec<_> = queues.iter().map(|queue| queue.name.as_str()).collect();
            assert_eq!(names, ["400", "401", "402"]);

            let busy = &queues[0];
            assert_eq!(busy.strategy.as_deref(), Some("ringall"));
            assert_eq!((busy.calls, busy.members, busy.available), (Some(2), Some(6), Some(0)));
            assert_eq!((busy.paused, busy.in_call, busy.logged_in), (Some(2), Some(1), Some(5)));
            let longest = if folder.starts_with("16") { 69 } else { 73 };
            assert_eq!(busy.longest_wait_seconds, Some(longest));
            assert_eq!((busy.max_callers, busy.service_level_seconds), (None, Some(60)));
            assert_eq!((busy.completed, busy.service_level_percent), (Some(0), Some(0.0)));
            let callers = busy.callers.as_ref().unwrap();
            let numbers: Vec<_> = callers.iter().map(|c| c.number.as_deref().unwrap()).collect();
            assert_eq!(numbers, ["+15550002222", "anonymous"]);
            for caller in callers {
                let id = caller.call_id.as_ref().unwrap();
                let call = calls.iter().find(|call| call.call_id == *id).unwrap();
                assert_eq!(Some(&call.channel), caller.channel.as_ref());
            }
            let agents = busy.agents.as_ref().unwrap();
            let one = agents.iter().find(|a| a.name.as_deref() == Some("Agent One")).unwrap();
            assert_eq!((one.extension.as_deref(), one.in_call), (Some("111"), Some(true)));
            assert_eq!((one.status, one.last_call_at), (AgentStatus::InUse, None));
            assert!(one.logged_in_at.is_some());
            let away = agents.iter().find(|a| a.extension.as_deref() == Some("113")).unwrap();
            assert_eq!(away.paused_reason.as_deref(), Some("Lunch: back at 13:00"));
            assert_eq!((away.paused, away.membership.as_deref()), (Some(true), Some("static")));

            assert_eq!((queues[1].calls, queues[1].longest_wait_seconds), (Some(0), Some(0)));
            assert_eq!((queues[1].agents.as_deref(), queues[1].in_call), (Some(&[][..]), Some(0)));
            assert_eq!(queues[2].agents.as_ref().unwrap()[0].status, AgentStatus::Ringing);
        }
    }

    #[test]
    fn counts_of_the_recordings_agree_with_queue_summary() {
        let answers = recorded("22.10.1/busy");
        let rows = answers.answer(ReadAction::QueueSummary).unwrap().rows();
        let queues = queues(&answers, &Directory::default(), &CallIds::default()).unwrap();
        for row in rows {
            let queue = queues.iter().find(|q| Some(q.name.as_str()) == row.get("Queue")).unwrap();
            assert_eq!(queue.logged_in, count(row, "LoggedIn"), "{}", queue.name);
            assert_eq!(queue.available, count(row, "Available"));
            assert_eq!(queue.longest_wait_seconds, count(row, "LongestHoldTime"));
            assert_eq!(queue.calls, count(row, "Callers"));
        }
    }

    #[test]
    fn the_summary_alone_gives_what_it_knows_and_no_more() {
        let rows = "Event: QueueSummary\nQueue: 400\nLoggedIn: 3\nAvailable: 1\nCallers: 2\n\
                    HoldTime: 9\nTalkTime: 60\nLongestHoldTime: 70\n";
        let queue = read(&[(ReadAction::QueueSummary, rows)], &Directory::default()).remove(0);
        assert_eq!((queue.logged_in, queue.available, queue.calls), (Some(3), Some(1), Some(2)));
        assert_eq!((queue.average_hold_seconds, queue.average_talk_seconds), (Some(9), Some(60)));
        assert_eq!(queue.longest_wait_seconds, Some(70));
        assert_eq!((queue.members, queue.agents, queue.callers), (None, None, None));
    }

    #[test]
    fn where_the_lists_differ_queue_status_wins() {
        let status = "Event: QueueParams\nQueue: 1\nCalls: 0\nCompleted: 4\nServicelevelPerf: 75.0\
                      \n\nEvent: QueueMember\nQueue: 1\nLocation: PJSIP/1\nName: PJSIP/1\nStatus: 1\
                      \nPaused: 0\nLastCall: 1795245000\n\nEvent: QueueEntry\nQueue: 2\nWait: 5\n";
        let summary = "Event: QueueSummary\nQueue: 1\nLoggedIn: 9\nAvailable: 9\nCallers: 9\n\
                       LongestHoldTime: 9\n\nEvent: QueueSummary\nQueue: 3\nCallers: 1\n";
        let given = [(ReadAction::QueueStatus, status), (ReadAction::QueueSummary, summary)];
        let queues = read(&given, &Directory::default());
        let first = &queues[0];
        assert_eq!((first.calls, first.available, first.logged_in), (Some(0), Some(1), Some(1)));
        assert_eq!((first.longest_wait_seconds, first.in_call), (Some(0), None));
        assert_eq!(first.service_level_percent, Some(75.0));
        let agent = &first.agents.as_ref().unwrap()[0];
        assert_eq!(agent.name.as_deref(), Some("PJSIP/1"));
        assert_eq!(agent.last_call_at, Timestamp::from_epoch(1_795_245_000));
        // A caller of a queue that was not listed, and a queue that only the summary knows.
        assert_eq!((queues[1].calls, queues[1].longest_wait_seconds), (Some(1), Some(5)));
        assert_eq!((queues[2].calls, queues[2].members), (Some(1), None));
    }

    #[test]
    fn an_interface_names_an_extension_only_where_it_is_one() {
        let directory = Directory::of(
            &[("PJSIP", "9100", Owner::Extension("100")), ("SIP", "main", Owner::Trunk("main"))],
            &[("100", "Alice"), ("101", "Bob")],
        );
        let nothing = Directory::default();
        for (interface, state, directory, expected) in [
            ("Local/100@from-queue/n", "", &directory, Some("100")),
            ("Local/101@from-internal/n", "", &directory, Some("101")),
            ("Local/5551234@from-queue/n", "", &directory, None),
            ("Local/5551234@from-queue/n", "", &nothing, Some("5551234")),
            ("Local/102@from-queue/n", "hint:102@ext-local", &directory, Some("102")),
            ("Local/100@elsewhere/n", "", &directory, None),
            ("PJSIP/9100", "PJSIP/9100", &directory, Some("100")),
            ("SIP/101", "SIP/101", &directory, Some("101")),
            ("SIP/main", "SIP/main", &directory, None),
            ("PJSIP/116", "PJSIP/116", &nothing, None),
            ("Agent/7", "", &directory, None),
        ] {
            assert_eq!(extension(interface, state, directory).as_deref(), expected, "{interface}");
        }
    }

    #[test]
    fn a_nameless_member_takes_its_name_from_the_directory() {
        let directory = Directory::of(&[], &[("101", "Bob")]);
        let rows = "Event: QueueMember\nQueue: 1\nName: Local/101@from-queue/n\n\
                    Location: Local/101@from-queue/n\nIsInCall: 1\nStatus: 8\n";
        let queue = read(&[(ReadAction::QueueStatus, rows)], &directory).remove(0);
        let agent = &queue.agents.unwrap()[0];
        assert_eq!((agent.name.as_deref(), agent.in_call), (Some("Bob"), Some(true)));
        assert_eq!((agent.status, queue.in_call), (AgentStatus::OnHold, Some(1)));
    }
}
