//! `show summary`: the state of the phone system at a glance.

use super::{
    Ask, attention,
    head::lack,
    page::{Ink, clock, counted},
};
use crate::snapshot::{Section, Snapshot};

/// Counts, what needs attention, and what is not known.
pub(super) fn summary(ask: &Ask<'_>) -> String {
    let mut text = String::new();
    for (label, section, line) in lines(ask.snapshot) {
        let (line, ink) = match line {
            Some(line) => (line, Ink::Plain),
            // A list that this configuration leaves out, or this PBX lacks, is no news.
            None if is_quiet(ask.snapshot, section) => continue,
            None => ("not known, see below".to_owned(), Ink::Faint),
        };
        text.push_str(&ask.page.paragraph(&format!("{label:<12}"), &line, ink));
    }
    let attention = &ask.snapshot.summary.attention;
    let rows: Vec<_> = attention.iter().collect();
    let total = ask.snapshot.summary.attention_total;
    text.push('\n');
    match total {
        0 => text.push_str(&ask.page.paragraph("", "Nothing needs attention.", Ink::Good)),
        _ => text.push_str(&ask.page.title(&format!("Needs attention ({total})"))),
    }
    text.push_str(&attention::list(&rows, ask.page));
    text.push_str(&more(ask, rows.len()));
    let lacks = lacks(ask.snapshot);
    if !lacks.is_empty() {
        text.push('\n');
        text.push_str(&ask.page.title("Not known"));
    }
    for lack in lacks {
        text.push_str(&ask.page.paragraph("! ", &lack, Ink::Bad));
    }
    text
}

/// That the snapshot holds only the beginning of what needs attention.
pub(super) fn more(ask: &Ask<'_>, shown: usize) -> String {
    let shown = u64::try_from(shown).unwrap_or(u64::MAX);
    match ask.snapshot.summary.attention_total.saturating_sub(shown) {
        0 => String::new(),
        more => {
            let more = format!("and {more} more that the snapshot does not list");
            ask.page.paragraph("", &more, Ink::Faint)
        }
    }
}

/// What is wrong with the sections.
pub(super) fn lacks(snapshot: &Snapshot) -> Vec<String> {
    let known = |section| match section {
        Section::SystemInfo => snapshot.system_info.is_some(),
        Section::Trunks => snapshot.trunks.is_some(),
        Section::Queues => snapshot.queues.is_some(),
        Section::ActiveCalls => snapshot.active_calls.is_some(),
        Section::Channels => snapshot.channels.is_some(),
        Section::Extensions => snapshot.extensions.is_some(),
        Section::Parking => snapshot.parking.is_some(),
        Section::Conferences => snapshot.conferences.is_some(),
        Section::Voicemail => snapshot.voicemail.is_some(),
    };
    let sections = Section::ALL.into_iter().filter(|section| !is_quiet(snapshot, *section));
    sections.filter_map(|section| lack(snapshot, section, known(section))).collect()
}

fn is_quiet(snapshot: &Snapshot, section: Section) -> bool {
    use crate::snapshot::SectionStatus::{Disabled, Unsupported};
    let optional = matches!(section, Section::Voicemail | Section::Parking | Section::Conferences);
    optional && matches!(snapshot.sections.get(section).status, Disabled | Unsupported)
}

/// The counts of each section in words; `None` where it is not known.
fn lines(snapshot: &Snapshot) -> [(&'static str, Section, Option<String>); 8] {
    let summary = &snapshot.summary;
    let with = |total: u64, parts: &[(u64, &str)]| {
        let parts: Vec<_> = parts
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        match parts.is_empty() {
            true => total.to_string(),
            false => format!("{total}: {}", parts.join(", ")),
        }
    };
    let extensions = summary.extensions.as_ref().map(|c| {
        with(
            c.total,
            &[
                (c.online, "online"),
                (c.offline, "offline"),
                (c.unknown, "not known"),
                (c.in_use, "in a call"),
                (c.ringing, "ringing"),
                (c.dnd, "do not disturb"),
            ],
        )
    });
    let trunks = summary
        .trunks
        .as_ref()
        .map(|c| with(c.total, &[(c.up, "up"), (c.down, "DOWN"), (c.unknown, "not known")]));
    let calls = summary.active_calls.as_ref().map(|c| {
        with(
            c.total,
            &[
                (c.inbound, "inbound"),
                (c.outbound, "outbound"),
                (c.internal, "internal"),
                (c.ringing, "ringing"),
                (c.on_hold, "on hold"),
                (c.queued, "in a queue"),
                (c.parked, "parked"),
            ],
        )
    });
    let queues = summary.queues.as_ref().map(|c| match c.callers {
        0 => format!("{}: nobody waits", c.total),
        callers => format!(
            "{}: {} in {}, the longest for {}",
            c.total,
            counted(callers, "waiting caller"),
            counted(c.with_callers, "queue"),
            clock(c.longest_wait_seconds)
        ),
    });
    let number = |count: Option<u64>| count.map(|count| count.to_string());
    let voicemail = summary.new_voicemail_messages.map(|new| counted(new, "new message"));
    [
        ("PBX", Section::SystemInfo, system(snapshot)),
        ("Extensions", Section::Extensions, extensions),
        ("Trunks", Section::Trunks, trunks),
        ("Calls", Section::ActiveCalls, calls),
        ("Queues", Section::Queues, queues),
        ("Parked", Section::Parking, number(summary.parked_calls)),
        ("Conferences", Section::Conferences, number(summary.conferences)),
        ("Voicemail", Section::Voicemail, voicemail),
    ]
}

fn system(snapshot: &Snapshot) -> Option<String> {
    let info = snapshot.system_info.as_ref()?;
    let up = info.uptime_seconds.map(super::page::spoken);
    let up = up.map_or_else(|| "up for an unknown time".to_owned(), |up| format!("up for {up}"));
    let channels = info.channels_active.map(|channels| counted(channels, "channel"));
    let processed = info.calls_processed.map(|calls| format!("{calls} calls since the start"));
    let parts: Vec<_> = [Some(up), channels, processed].into_iter().flatten().collect();
    Some(parts.join(", "))
}
