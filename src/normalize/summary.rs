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
/// Characters that the attention list may have in the file, pretty-printed.
const LONGEST_ATTENTION: usize = 2_000;
/// Characters that one message may have.
const LONGEST_MESSAGE: usize = 240;

/// Sums a snapshot up. Everything but its `summary` is in place.
pub(crate) fn summary(snapshot: &Snapshot, previous: Option<&Snapshot>) -> Summary {
    let count = |length: usize| u64::try_from(length).unwrap_or(u64::MAX);
    let all = attention(snapshot, previous);
    let attention_total = count(all.len());
    let extensions = snapshot.extensions.as_deref().map(extension_counts);
    let trunks = snapshot.trunks.as_deref().map(trunk_counts);
    let active_calls = snapshot.active_calls.as_deref().map(call_counts);
    let queues = snapshot.queues.as_deref().map(queue_counts);
    Summary {
        text: text(snapshot),
        attention: cut(all),
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
    let with = |statuses: &[ExtensionStatus]| {
        let busy = extensions.iter().filter(|extension| statuses.contains(&extension.status));
        busy.map(|extension| extension.extension.as_str()).collect::<Vec<_>>()
    };
    let busy = with(&[ExtensionStatus::InUse, ExtensionStatus::Busy, ExtensionStatus::OnHold]);
    let ringing = with(&[ExtensionStatus::Ringing]);
    match busy.as_slice() {
        [] => text.push_str(". None is busy"),
        [_] => text.push_str(&format!(". Busy: {}", words::listed(&busy, 20))),
        _ => text.push_str(&format!(". {} busy: {}", busy.len(), words::listed(&busy, 20))),
    }
    if !ringing.is_empty() {
        text.push_str(&format!(". Ringing: {}", words::listed(&ringing, 10)));
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
fn attention(snapshot: &Snapshot, previous: Option<&Snapshot>) -> Vec<Attention> {
    let mut all = Vec::new();
    all.extend(snapshot.trunks.iter().flatten().filter_map(trunk_attention));
    all.extend(snapshot.queues.iter().flatten().filter_map(queue_attention));
    all.extend(failed_sections(snapshot));
    let gone = snapshot.changes.iter().flatten().filter_map(change_attention);
    all.extend(gone);
    if previous.is_none() {
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
    let raw = trunk.state_raw.as_deref().unwrap_or_default();
    match trunk.state {
        TrunkState::Unreachable => Some(item(
            Severity::Critical,
            "trunk_unreachable",
            &trunk.name,
            format!("Trunk {name} does not answer; check the network and the provider."),
        )),
        TrunkState::Rejected => Some(item(
            Severity::Critical,
            "trunk_down",
            &trunk.name,
            format!(
                "Trunk {name} is not registered (Rejected): the provider refuses it or does not \
                 answer; check user name, password and network."
            ),
        )),
        TrunkState::Unregistered | TrunkState::Failed => Some(item(
            Severity::Critical,
            "trunk_down",
            &trunk.name,
            format!("Trunk {name} is not registered ({}).", clipped(raw, 40)),
        )),
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
            true => (Severity::Warning, "all members are busy"),
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
fn cut(all: Vec<Attention>) -> Vec<Attention> {
    /// What pretty-printing adds to an item: names of keys, quotes, indentation.
    const FRAME: usize = 110;
    let mut room = LONGEST_ATTENTION;
    all.into_iter()
        .take_while(|attention| {
            // Escapes count as they are written: `"` takes two characters.
            let size = |text: &str| text.chars().map(escaped_width).sum::<usize>();
            let needed = FRAME + size(&attention.id) + size(&attention.message);
            let fits = needed <= room;
            room = room.saturating_sub(needed);
            fits
        })
        .collect()
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
