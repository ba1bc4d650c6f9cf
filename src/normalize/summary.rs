//! Counts, a few plain sentences, and what a person should look at.
//!
//! The summary stands first in the file and is bounded, because some readers hand only the first
//! 5,000 characters to a language model: however large the PBX, it ends within them.

use super::words;
use crate::snapshot::{
    Attention, Call, CallCounts, CallState, Change, ChangeKind, Direction, Extension,
    ExtensionCounts, ExtensionStatus, Queue, QueueCounts, Section, SectionStatus, Severity,
    Snapshot, Summary, Trunk, TrunkCounts, TrunkState,
};

/// Characters that the text may have.
const LONGEST_TEXT: usize = 1_300;
/// Characters that text and attention list together may have in the file, pretty-printed. All else
/// up to the summary's end takes 1,200 at most.
const ROOM: usize = 3_300;
/// Characters that one message may have.
const LONGEST_MESSAGE: usize = 240;

/// Sums a snapshot up. Everything but its `summary` is in place.
pub(crate) fn summary(snapshot: &Snapshot, is_first: bool) -> Summary {
    let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    let all = attention(snapshot, is_first);
    let attention_total = count(all.len());
    let extensions = snapshot.extensions.as_deref().map(extension_counts);
    let trunks = snapshot.trunks.as_deref().map(trunk_counts);
    let active_calls = snapshot.active_calls.as_deref().map(call_counts);
    let queues = snapshot.queues.as_deref().map(queue_counts);
    let text = text(snapshot);
    let room = ROOM.saturating_sub(width(&text));
    Summary {
        text,
        attention: cut(all, room),
        attention_total,
        extensions,
        trunks,
        active_calls,
        channels: snapshot.channels.as_ref().map(|channels| count(channels.len())),
        queues,
        parked_calls: snapshot.parking.as_ref().map(|parked| count(parked.len())),
        conferences: snapshot.conferences.as_ref().map(|rooms| count(rooms.len())),
        new_voicemail_messages: snapshot
            .voicemail
            .as_ref()
            .map(|boxes| boxes.iter().filter_map(|mailbox| mailbox.new_messages).sum()),
    }
}

fn extension_counts(extensions: &[Extension]) -> ExtensionCounts {
    let mut counts = ExtensionCounts::default();
    for extension in extensions {
        counts.total += 1;
        match extension.online {
            Some(true) => counts.online += 1,
            Some(false) => counts.offline += 1,
            None => counts.unknown += 1,
        }
        match extension.status {
            ExtensionStatus::InUse | ExtensionStatus::Busy | ExtensionStatus::OnHold => {
                counts.in_use += 1;
            }
            ExtensionStatus::Ringing => counts.ringing += 1,
            ExtensionStatus::Available
            | ExtensionStatus::Unavailable
            | ExtensionStatus::Unknown => {}
        }
        counts.dnd += u64::from(extension.dnd == Some(true));
    }
    counts
}

fn trunk_counts(trunks: &[Trunk]) -> TrunkCounts {
    let mut counts = TrunkCounts::default();
    for trunk in trunks {
        counts.total += 1;
        match trunk.state {
            TrunkState::Registered => {
                counts.up += 1;
                counts.registered += 1;
            }
            TrunkState::Reachable => counts.up += 1,
            TrunkState::Unmonitored | TrunkState::Unknown => counts.unknown += 1,
            _ => counts.down += 1,
        }
    }
    counts
}

fn call_counts(calls: &[Call]) -> CallCounts {
    let mut counts = CallCounts::default();
    for call in calls {
        counts.total += 1;
        match call.state {
            CallState::Up | CallState::Conference => counts.up += 1,
            CallState::Dialing | CallState::Ringing => counts.ringing += 1,
            CallState::OnHold => counts.on_hold += 1,
            CallState::Queued => counts.queued += 1,
            CallState::Parked => counts.parked += 1,
            CallState::Busy | CallState::Unknown => {}
        }
        match call.direction {
            Direction::Internal => counts.internal += 1,
            Direction::Inbound => counts.inbound += 1,
            Direction::Outbound => counts.outbound += 1,
            Direction::Unknown => {}
        }
    }
    counts
}

fn queue_counts(queues: &[Queue]) -> QueueCounts {
    let mut counts = QueueCounts::default();
    for queue in queues {
        let callers = queue.calls.unwrap_or(0);
        counts.total += 1;
        counts.with_callers += u64::from(callers > 0);
        counts.callers += callers;
        counts.longest_wait_seconds =
            counts.longest_wait_seconds.max(queue.longest_wait_seconds.unwrap_or(0));
    }
    counts
}

/// The sentences. Each section has its own, and a section that could not be read says so.
fn text(snapshot: &Snapshot) -> String {
    let sentences = [
        system_sentence(snapshot),
        section(snapshot, Section::Extensions, snapshot.extensions.as_deref(), extensions_sentence),
        section(snapshot, Section::ActiveCalls, snapshot.active_calls.as_deref(), calls_sentence),
        section(snapshot, Section::Trunks, snapshot.trunks.as_deref(), trunks_sentence),
        section(snapshot, Section::Queues, snapshot.queues.as_deref(), queues_sentence),
    ];
    let text = sentences.into_iter().flatten().collect::<Vec<_>>().join(" ");
    clipped(&text, LONGEST_TEXT)
}

fn system_sentence(snapshot: &Snapshot) -> Option<String> {
    let info = snapshot.system_info.as_ref()?;
    let version = info.version.as_deref().unwrap_or("of unknown version");
    let name = info.system_name.as_deref().map(|name| format!(" {name}")).unwrap_or_default();
    let up = info.uptime_seconds.map(words::duration);
    let up = up.map_or_else(|| " is up".to_owned(), |up| format!(" has been up for {up}"));
    Some(format!("PBX{name} (Asterisk {}){up}.", clipped(version, 60)))
}

/// The sentence of a section, or that it is not known; nothing where it does not exist.
fn section<T>(
    snapshot: &Snapshot,
    section: Section,
    items: Option<&[T]>,
    sentence: impl Fn(&[T]) -> String,
) -> Option<String> {
    let status = snapshot.sections.get(section).status;
    match items {
        Some(items) => Some(sentence(items)),
        None if matches!(status, SectionStatus::Disabled | SectionStatus::Unsupported) => None,
        None => {
            let name = section.as_str().replace('_', " ");
            Some(format!("The state of {name} is not known."))
        }
    }
}

fn extensions_sentence(extensions: &[Extension]) -> String {
    let counts = extension_counts(extensions);
    if counts.total == 0 {
        return "There are no extensions.".to_owned();
    }
    let mut text = format!(
        "{}: {} online, {} offline",
        words::count(counts.total, "extension"),
        counts.online,
        counts.offline
    );
    if counts.unknown > 0 {
        text.push_str(&format!(", {} not known", counts.unknown));
    }
    let with = |wanted: fn(ExtensionStatus) -> bool| {
        let alike = extensions.iter().filter(|extension| wanted(extension.status));
        alike.map(|extension| extension.extension.as_str()).collect::<Vec<_>>()
    };
    let busy = with(ExtensionStatus::is_busy);
    let ringing = with(|status| status == ExtensionStatus::Ringing);
    match busy.as_slice() {
        [] => text.push_str(". None is busy"),
        [_] => text.push_str(&format!(". Busy: {}", words::listed(&busy, 20))),
        _ => text.push_str(&format!(". {} busy: {}", busy.len(), words::listed(&busy, 20))),
    }
    if !ringing.is_empty() {
        text.push_str(&format!("; ringing of these: {}", words::listed(&ringing, 10)));
    }
    text + "."
}

fn calls_sentence(calls: &[Call]) -> String {
    let counts = call_counts(calls);
    if counts.total == 0 {
        return "No call is in progress.".to_owned();
    }
    let mut parts = Vec::new();
    for (number, word) in [
        (counts.inbound, "inbound"),
        (counts.outbound, "outbound"),
        (counts.internal, "internal"),
        (counts.ringing, "ringing"),
        (counts.on_hold, "on hold"),
        (counts.queued, "in a queue"),
        (counts.parked, "parked"),
    ] {
        if number > 0 {
            parts.push(format!("{number} {word}"));
        }
    }
    let calls = words::count(counts.total, "call");
    let parts = parts.join(", ");
    if parts.is_empty() {
        format!("{calls} in progress.")
    } else {
        format!("{calls} in progress: {parts}.")
    }
}

fn trunks_sentence(trunks: &[Trunk]) -> String {
    let counts = trunk_counts(trunks);
    if counts.total == 0 {
        return "There are no trunks.".to_owned();
    }
    let mut text =
        format!("{}: {} up, {} down", words::count(counts.total, "trunk"), counts.up, counts.down);
    if counts.unknown > 0 {
        text.push_str(&format!(", {} not monitored or not known", counts.unknown));
    }
    let down: Vec<String> = trunks
        .iter()
        .filter(|trunk| trunk.state.is_down())
        .map(|trunk| format!("{} ({})", clipped(&trunk.name, 40), trunk.state.as_str()))
        .collect();
    if !down.is_empty() {
        text.push_str(&format!(". Down: {}", words::listed(&down, 6)));
    }
    text + "."
}

fn queues_sentence(queues: &[Queue]) -> String {
    let counts = queue_counts(queues);
    if counts.total == 0 {
        return "There are no queues.".to_owned();
    }
    let queues_said = words::count(counts.total, "queue");
    if counts.callers == 0 {
        return format!("{queues_said}, nobody waits.");
    }
    let waiting: Vec<String> = queues
        .iter()
        .filter_map(|queue| {
            let calls = queue.calls.filter(|calls| *calls > 0)?;
            Some(format!("{} ({calls})", clipped(&queue.name, 30)))
        })
        .collect();
    format!(
        "{} {} in {} of {queues_said}, the longest for {}: {}.",
        words::count(counts.callers, "caller"),
        if counts.callers == 1 { "waits" } else { "wait" },
        counts.with_callers,
        words::duration(counts.longest_wait_seconds),
        words::listed(&waiting, 8)
    )
}

/// Everything that a person should look at, worst first.
fn attention(snapshot: &Snapshot, is_first: bool) -> Vec<Attention> {
    let mut all = Vec::new();
    all.extend(snapshot.trunks.iter().flatten().filter_map(trunk_attention));
    all.extend(snapshot.queues.iter().flatten().filter_map(queue_attention));
    all.extend(failed_sections(snapshot));
    let gone = snapshot.changes.iter().flatten().filter_map(change_attention);
    all.extend(gone);
    if is_first {
        all.extend(young_pbx(snapshot));
    }
    // The sort is stable: within a severity, trunks come before queues before extensions.
    all.sort_by_key(|attention| attention.severity);
    all
}

fn item(severity: Severity, kind: &str, id: &str, message: String) -> Attention {
    Attention { severity, kind: kind.to_owned(), id: clipped(id, 80), message }
}

fn trunk_attention(trunk: &Trunk) -> Option<Attention> {
    let name = clipped(&trunk.name, 60);
    let raw = clipped(trunk.state_raw.as_deref().unwrap_or(trunk.state.as_str()), 40);
    let down = |message| Some(item(Severity::Critical, "trunk_down", &trunk.name, message));
    match trunk.state {
        TrunkState::Unreachable => {
            let message = match trunk.host {
                Some(_) => {
                    format!("Trunk {name} does not answer; check the network and the provider.")
                }
                None => format!(
                    "Trunk {name} has no address: the other side has not registered here, or its \
                     name cannot be resolved."
                ),
            };
            Some(item(Severity::Critical, "trunk_unreachable", &trunk.name, message))
        }
        // PJSIP prints the same word where nobody answered.
        TrunkState::Rejected if trunk.tech == "PJSIP" => down(format!(
            "Trunk {name} is not registered ({raw}): the provider refuses it or does not answer; \
             check user name, password and network."
        )),
        TrunkState::Rejected => down(format!(
            "Trunk {name} is not registered ({raw}): the provider refuses it; check user name and \
             password."
        )),
        TrunkState::Unregistered | TrunkState::Failed => {
            down(format!("Trunk {name} is not registered ({raw})."))
        }
        // Registered, but the other side stopped answering.
        TrunkState::Registered if trunk.reachable == Some(false) => Some(item(
            Severity::Warning,
            "trunk_unreachable",
            &trunk.name,
            format!("Trunk {name} is registered, but does not answer any more."),
        )),
        _ => None,
    }
}

fn queue_attention(queue: &Queue) -> Option<Attention> {
    /// A wait that is long where the queue itself sets no goal.
    const LONG_WAIT: u64 = 300;
    let calls = queue.calls.filter(|calls| *calls > 0)?;
    let name = clipped(&queue.name, 60);
    let wait = queue.longest_wait_seconds.unwrap_or(0);
    let waiting = format!("{} in queue {name}", words::count(calls, "caller"));
    let goal = queue.service_level_seconds.filter(|goal| *goal > 0);
    if queue.available == Some(0) {
        let wait = words::duration(wait);
        // Busy members will be free again; members who are paused or offline will not.
        let is_staffed = queue.agents.iter().flatten().any(|agent| {
            use crate::snapshot::AgentStatus::{Busy, InUse, OnHold, Ringing};
            agent.paused != Some(true) && matches!(agent.status, InUse | Ringing | Busy | OnHold)
        });
        let (severity, said) = match is_staffed {
            true => (Severity::Warning, "all members are busy or ringing"),
            false => (Severity::Critical, "no member can answer"),
        };
        let message = format!("{waiting}, the longest for {wait}, and {said}.");
        return Some(item(severity, "queue_no_agents", &queue.name, message));
    }
    match goal {
        Some(goal) if wait > goal => {
            let (wait, goal) = (words::duration(wait), words::duration(goal));
            let message = format!("{waiting}, the longest for {wait}; the goal is {goal}.");
            Some(item(Severity::Warning, "queue_service_level", &queue.name, message))
        }
        _ if wait > LONG_WAIT => {
            let message = format!("{waiting}, the longest for {}.", words::duration(wait));
            Some(item(Severity::Warning, "queue_long_wait", &queue.name, message))
        }
        _ => None,
    }
}

fn failed_sections(snapshot: &Snapshot) -> impl Iterator<Item = Attention> {
    snapshot.sections.iter().filter_map(|(section, report)| {
        let said = match report.status {
            SectionStatus::Ok | SectionStatus::Unsupported | SectionStatus::Disabled => {
                return None;
            }
            SectionStatus::Partial => "was read only in part",
            SectionStatus::Denied | SectionStatus::Timeout | SectionStatus::Error => {
                "could not be read"
            }
        };
        let name = section.as_str();
        let why = report.message.as_deref().unwrap_or("no reason given");
        let message = clipped(&format!("{name} {said}: {why}."), LONGEST_MESSAGE);
        Some(item(Severity::Warning, "section_failed", name, message))
    })
}

fn change_attention(change: &Change) -> Option<Attention> {
    let (severity, kind) = match change.kind {
        ChangeKind::PbxRestarted => (Severity::Warning, "pbx_restarted"),
        ChangeKind::ExtensionOffline => (Severity::Warning, "extension_offline"),
        _ => return None,
    };
    Some(item(severity, kind, &change.id, clipped(&change.message, LONGEST_MESSAGE)))
}

/// A restart that no previous snapshot can tell.
fn young_pbx(snapshot: &Snapshot) -> Option<Attention> {
    /// Younger than this, the start is news.
    const YOUNG: u64 = 600;
    let uptime = snapshot.system_info.as_ref()?.uptime_seconds.filter(|up| *up < YOUNG)?;
    let name = snapshot.source.pbx_name.as_deref().unwrap_or(&snapshot.source.host);
    let message = format!("Asterisk was started {} ago.", words::duration(uptime));
    Some(item(Severity::Info, "pbx_restarted", name, message))
}

/// The worst ones, as many as the file's beginning has room for.
fn cut(all: Vec<Attention>, mut room: usize) -> Vec<Attention> {
    /// What pretty-printing adds to an item: names of keys, quotes, indentation.
    const FRAME: usize = 130;
    all.into_iter()
        .take_while(|attention| {
            let needed = FRAME + width(&attention.id) + width(&attention.message);
            let fits = needed <= room;
            room = room.saturating_sub(needed);
            fits
        })
        .collect()
}

/// How many characters JSON needs for a text: `"` takes two, for example.
fn width(text: &str) -> usize {
    text.chars().map(escaped_width).sum()
}

/// How many characters JSON needs for one.
fn escaped_width(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        c if c < ' ' => 6,
        _ => 1,
    }
}

/// Bounds a text as JSON writes it.
fn clipped(text: &str, longest: usize) -> String {
    let mut width = 0;
    for (at, c) in text.char_indices() {
        width += escaped_width(c);
        if width > longest {
            return format!("{}…", text.get(..at).unwrap_or_default());
        }
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ami::{Action, ReadAction},
        collect::{Answers, Family, Plan},
        normalize::testing::{answers, denied, nothing, recorded, snapshot as taken},
        snapshot::Snapshot,
    };

    fn snapshot(answers: &Answers) -> Snapshot {
        taken(answers, &Plan::default())
    }

    /// An otherwise empty server with these answers.
    fn with(given: &[(Action, &str)]) -> Snapshot {
        let mut all = nothing();
        for (action, outcome, elapsed) in answers(given).iter() {
            all.insert(action.clone(), outcome.clone(), elapsed);
        }
        snapshot(&all)
    }

    fn kinds(summary: &Summary) -> Vec<(Severity, &str, &str)> {
        let attention = summary.attention.iter();
        attention.map(|a| (a.severity, a.kind.as_str(), a.id.as_str())).collect()
    }

    #[test]
    fn an_empty_pbx_is_told_as_empty_and_needs_nobody() {
        let summary = snapshot(&nothing()).summary;
        assert_eq!(
            summary.text,
            "PBX (Asterisk 22.10.1) has been up for 1 hour. There are no extensions. No call is in \
             progress. There are no trunks. There are no queues."
        );
        assert_eq!(summary.attention, []);
        assert_eq!(summary.extensions, Some(ExtensionCounts::default()));
        assert_eq!((summary.channels, summary.parked_calls), (Some(0), Some(0)));
        assert_eq!(summary.new_voicemail_messages, None);
    }

    #[test]
    fn what_is_not_permitted_is_not_known_and_not_counted() {
        let summary = snapshot(&denied()).summary;
        assert_eq!(
            summary.text,
            "The state of extensions is not known. The state of active calls is not known. The \
             state of trunks is not known. The state of queues is not known."
        );
        assert_eq!((summary.extensions, summary.trunks), (None, None));
        assert_eq!((summary.active_calls, summary.queues), (None, None));
        assert_eq!((summary.channels, summary.parked_calls), (None, None));
        assert_eq!(summary.attention_total, 8, "all sections but voicemail, which was not wanted");
        let first = summary.attention.first().unwrap();
        assert_eq!((first.kind.as_str(), first.id.as_str()), ("section_failed", "system_info"));
        assert!(first.message.contains("write = reporting"), "{}", first.message);
    }

    #[test]
    fn trunks_and_extensions_are_counted_by_what_is_known_of_them() {
        let trunks = |states: &[&str]| {
            let row = |(n, state)| {
                format!("Event: OutboundRegistrationDetail\nObjectName: t{n}\nStatus: {state}\n\n")
            };
            let rows: String = states.iter().enumerate().map(row).collect();
            with(&[(ReadAction::PjsipShowRegistrationsOutbound.into(), &rows)]).summary
        };
        let summary = trunks(&["Registered", "Rejected", "odd"]);
        assert_eq!(
            summary.trunks,
            Some(TrunkCounts { total: 3, up: 1, down: 1, unknown: 1, registered: 1 })
        );
        let said = "3 trunks: 1 up, 1 down, 1 not monitored or not known. Down: t1 (Rejected).";
        assert!(summary.text.contains(said), "{}", summary.text);
        let text = trunks(&["Registered"]).text;
        assert!(text.contains("1 trunk: 1 up, 0 down."), "{text}");

        let idle = "Event: EndpointList\nObjectName: 100\nAuths: 100-auth\nDeviceState: Not in use";
        let text = with(&[(ReadAction::PjsipShowEndpoints.into(), idle)]).summary.text;
        assert!(text.contains("1 extension: 1 online, 0 offline. None is busy."), "{text}");
        let more = idle.to_owned()
            + "\n\nEvent: EndpointList\nObjectName: 101\nAuths: 101-auth\nDeviceState: On Hold\n\n\
               Event: EndpointList\nObjectName: 102\nAuths: 102-auth\nAor: 102\n\
               Contacts: 102/sip:102@192.0.2.1,";
        let summary = with(&[
            (ReadAction::PjsipShowEndpoints.into(), &more),
            (Family::DoNotDisturb.tree(), "Event: DBGetTreeResponse\nKey: /DND/100\nVal: YES"),
        ])
        .summary;
        let expected = ExtensionCounts {
            total: 3,
            online: 2,
            unknown: 1,
            in_use: 1,
            dnd: 1,
            ..Default::default()
        };
        assert_eq!(summary.extensions, Some(expected));
        let said = "3 extensions: 2 online, 0 offline, 1 not known. Busy: 101.";
        assert!(summary.text.contains(said), "{}", summary.text);
    }

    #[test]
    fn a_section_that_is_left_out_has_no_sentence() {
        let skip = [Section::Queues, Section::Trunks, Section::Voicemail].into();
        let summary = taken(&nothing(), &Plan { skip, ..Plan::default() }).summary;
        assert!(!summary.text.contains("queue") && !summary.text.contains("trunk"));
        assert_eq!((summary.queues, summary.trunks), (None, None));
        assert_eq!(summary.attention, []);
    }

    #[test]
    fn a_busy_pbx_is_told_in_one_sentence_a_section() {
        let summary = snapshot(&recorded("22.10.1/busy")).summary;
        let calls = CallCounts {
            total: 22,
            up: 14,
            ringing: 3,
            on_hold: 1,
            queued: 3,
            parked: 1,
            inbound: 6,
            outbound: 1,
            internal: 7,
        };
        assert_eq!(summary.active_calls, Some(calls));
        let text = summary.text;
        for said in [
            "PBX pbx22 (Asterisk 22.10.1+dfsg+~cs6.17.60671434-1) is up. ",
            " 23 extensions: 18 online, 5 offline. 14 busy: 100, 101, 102, 103,",
            "; ringing of these: 102, 110, 112.",
            " 22 calls in progress: 6 inbound, 1 outbound, 7 internal, 3 ringing, 1 on hold, 3 in \
             a queue, 1 parked.",
            " 12 trunks: 6 up, 6 down. Down: ",
            " trunk-badpw (Rejected), trunk-dead (Rejected).",
            " 3 callers wait in 2 of 3 queues, the longest for 1 minute 14 seconds: 400 (2), 402 \
             (1).",
        ] {
            assert!(text.contains(said), "{said:?} in {text:?}");
        }
    }

    #[test]
    fn one_of_each_is_told_in_the_singular() {
        let text = with(&[
            (
                ReadAction::PjsipShowEndpoints.into(),
                "Event: EndpointList\nObjectName: 100\nAuths: 100-auth\nDeviceState: In use",
            ),
            (
                ReadAction::QueueStatus.into(),
                "Event: QueueParams\nQueue: 400\nCalls: 1\n\n\
                 Event: QueueEntry\nQueue: 400\nPosition: 1\nWait: 1",
            ),
            (
                ReadAction::CoreShowChannels.into(),
                "Event: CoreShowChannel\nChannel: PJSIP/100-1\nChannelState: 6\n\
                 Application: Echo\nUniqueid: 1795247990.1\nLinkedid: 1795247990.1",
            ),
        ])
        .summary
        .text;
        assert!(text.contains(" 1 extension: "), "{text}");
        assert!(text.contains(" Busy: 100."), "{text}");
        assert!(text.contains(" 1 call in progress: 1 internal. "), "{text}");
        assert!(
            text.ends_with("1 caller waits in 1 of 1 queue, the longest for 1 second: 400 (1).")
        );
    }

    /// A queue with one caller, its member as given.
    fn queue(wait: u64, goal: u64, member: &str) -> Option<(Severity, String, String)> {
        let rows = format!(
            "Event: QueueParams\nQueue: 400\nCalls: 1\nServiceLevel: {goal}\n\n\
             Event: QueueEntry\nQueue: 400\nPosition: 1\nWait: {wait}\n\n\
             Event: QueueMember\nQueue: 400\nLocation: PJSIP/100\n{member}"
        );
        let summary = with(&[(ReadAction::QueueStatus.into(), &rows)]).summary;
        let item = summary.attention.into_iter().next()?;
        Some((item.severity, item.kind, item.message))
    }

    #[test]
    fn a_queue_without_callers_needs_nobody() {
        let rows = "Event: QueueParams\nQueue: 400\nCalls: 0\n\n\
                    Event: QueueMember\nQueue: 400\nLocation: PJSIP/100\nStatus: 5\nPaused: 0";
        let found = with(&[(ReadAction::QueueStatus.into(), rows)]).summary.attention;
        assert!(!found.iter().any(|it| it.kind.starts_with("queue")), "{found:?}");
    }

    #[test]
    fn an_item_is_shown_where_json_needs_no_more_room_than_there_is() {
        assert_eq!((width("a b"), width("\"\n"), width("\u{1}")), (3, 4, 6));
        let one = item(Severity::Info, "pbx_restarted", "0123456789", "m".repeat(20));
        let shown = |room| cut(vec![one.clone(), one.clone()], room).len();
        assert_eq!((shown(159), shown(160), shown(319), shown(320)), (0, 1, 1, 2));
    }

    #[test]
    fn callers_are_worth_a_look_when_nobody_can_answer_or_the_wait_is_long() {
        let (free, busy) = ("Status: 1\nPaused: 0", "Status: 2\nPaused: 0");
        for (wait, goal, member, expected) in [
            (10, 60, free, None),
            (61, 60, free, Some((Severity::Warning, "queue_service_level"))),
            (300, 0, free, None),
            (301, 0, free, Some((Severity::Warning, "queue_long_wait"))),
            (301, 600, free, Some((Severity::Warning, "queue_long_wait"))),
            (10, 60, busy, Some((Severity::Warning, "queue_no_agents"))),
            (10, 60, "Status: 1\nPaused: 1", Some((Severity::Critical, "queue_no_agents"))),
            (10, 60, "Status: 5\nPaused: 0", Some((Severity::Critical, "queue_no_agents"))),
            (10, 60, "Status: 2\nPaused: 1", Some((Severity::Critical, "queue_no_agents"))),
        ] {
            let found = queue(wait, goal, member);
            let found = found.as_ref().map(|(severity, kind, _)| (*severity, kind.as_str()));
            assert_eq!(found, expected, "{wait} s, goal {goal} s, {member:?}");
        }
        let (_, _, message) = queue(93_900, 60, free).unwrap();
        let said =
            "1 caller in queue 400, the longest for 26 hours 5 minutes; the goal is 1 minute.";
        assert_eq!(message, said);
        let (_, _, message) = queue(10, 60, "Status: 6\nPaused: 0").unwrap();
        assert!(message.ends_with("and all members are busy or ringing."), "{message}");
    }

    #[test]
    fn a_trunk_that_is_down_is_critical_and_says_what_to_check() {
        let snapshot = snapshot(&recorded("16.28.0/busy"));
        let message = |id: &str| {
            let found = attention(&snapshot, true).into_iter().find(|item| item.id == id);
            found.map(|item| (item.severity, item.message))
        };
        let critical = |text: &str| Some((Severity::Critical, text.to_owned()));
        assert_eq!(
            message("trunk-badpw"),
            critical(
                "Trunk trunk-badpw is not registered (Rejected): the provider refuses it or does \
                 not answer; check user name, password and network."
            )
        );
        assert_eq!(
            message("6660401@127.0.0.1"),
            critical(
                "Trunk 6660401@127.0.0.1 is not registered (No Authentication): the provider \
                 refuses it; check user name and password."
            )
        );
        assert_eq!(message("iaxdead"), critical("Trunk iaxdead is not registered (Request Sent)."));
        assert_eq!(
            message("iax300"),
            critical(
                "Trunk iax300 has no address: the other side has not registered here, or its name \
                 cannot be resolved."
            )
        );
        assert_eq!(message("trunk-main"), None);
    }

    #[test]
    fn a_registered_trunk_that_does_not_answer_is_a_warning() {
        let mut snapshot = snapshot(&recorded("22.10.1/busy"));
        let trunks = snapshot.trunks.as_mut().unwrap();
        let trunk = trunks.iter_mut().find(|trunk| trunk.name == "trunk-main").unwrap();
        trunk.reachable = Some(false);
        let found = attention(&snapshot, true).into_iter().find(|item| item.id == "trunk-main");
        let found = found.unwrap();
        assert_eq!((found.severity, found.kind.as_str()), (Severity::Warning, "trunk_unreachable"));
    }

    #[test]
    fn the_worst_comes_first_and_trunks_before_queues_before_sections() {
        let mut answers = recorded("22.10.1/busy");
        let action = ReadAction::ParkedCalls;
        let error = crate::ami::ActionError::Denied { action };
        answers.insert(action.into(), crate::collect::Outcome::Failed(error), None);
        let before = snapshot(&recorded("22.10.1/busy"));
        let mut now = snapshot(&answers);
        let extension = &mut now.extensions.as_mut().unwrap()[0];
        extension.online = Some(false);
        let info = now.system_info.as_mut().unwrap();
        info.started_at_local = Some("2026-11-21 07:24:00".to_owned());
        now.changes = crate::normalize::changes::changes(&(&before).into(), &now);
        let all = attention(&now, false);
        assert!(all.is_sorted_by_key(|item| item.severity));
        let warnings: Vec<_> = all
            .iter()
            .filter(|a| a.severity == Severity::Warning)
            .map(|a| a.kind.as_str())
            .collect();
        assert_eq!(
            warnings,
            [
                "queue_no_agents",
                "queue_no_agents",
                "section_failed",
                "pbx_restarted",
                "extension_offline"
            ]
        );
        assert_eq!(all[0].kind, "trunk_unreachable");
    }

    #[test]
    fn a_start_is_news_while_it_is_young_and_nothing_else_tells_it() {
        let young = (
            ReadAction::CoreStatus.into(),
            "CoreStartupDate: 2026-11-21\nCoreStartupTime: 07:58:30",
        );
        let snapshot = with(&[young]);
        let expected = [(Severity::Info, "pbx_restarted", "pbx.example.com")];
        assert_eq!(kinds(&snapshot.summary), expected);
        assert_eq!(
            snapshot.summary.attention[0].message,
            "Asterisk was started 1 minute 30 seconds ago."
        );
        assert_eq!(kinds(&summary(&snapshot, false)), [], "the changes would tell");
        let old = (
            ReadAction::CoreStatus.into(),
            "CoreStartupDate: 2026-11-21\nCoreStartupTime: 07:50:00",
        );
        assert_eq!(kinds(&with(&[old]).summary), [], "ten minutes ago");
    }

    #[test]
    fn the_list_is_cut_to_what_the_text_leaves_room_for_and_says_how_many_there_are() {
        let rows: String = (0..100)
            .map(|n| {
                format!("Event: OutboundRegistrationDetail\nObjectName: t{n}\nStatus: Rejected\n\n")
            })
            .collect();
        let summary =
            with(&[(ReadAction::PjsipShowRegistrationsOutbound.into(), rows.as_str())]).summary;
        assert_eq!(summary.attention_total, 100);
        let shown = summary.attention.len();
        assert!((5..30).contains(&shown), "{shown}");
        let written = serde_json::to_string_pretty(&summary.attention).unwrap();
        let nested = written.lines().count() * 4;
        let all = summary.text.chars().count() + written.chars().count() + nested;
        assert!(all <= ROOM + 50, "{all} characters");
        assert_eq!(summary.attention[0].id, "t0", "in the order of the trunks");
    }

    #[test]
    fn a_text_is_cut_by_what_json_makes_of_it() {
        assert_eq!(clipped("ab\"c", 4), "ab\"…");
        assert_eq!(clipped("ab\u{1}", 7), "ab…");
        assert_eq!(clipped("東京", 2), "東京");
        for c in ['"', '\\', '\n', '\u{1}', '\u{1b}', '\u{7f}', 'é', '🦀', '\u{2028}'] {
            let written = serde_json::to_string(&c.to_string()).unwrap();
            assert_eq!(escaped_width(c), written.chars().count() - 2, "{c:?}");
        }
    }
}
