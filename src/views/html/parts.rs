//! The sections of the page, in the order in which they stand in it.

use std::fmt::{self, Write as _};

use super::{Text, clock, reason, title};
use crate::snapshot::{
    AgentStatus, Call, CallState, Direction, Extension, ExtensionStatus, Queue, Section,
    SectionStatus, Snapshot, Summary, Trunk, TrunkState,
};

/// Bounds of the lists: a page that a browser still likes, far above what a PBX has.
const MOST_TRUNKS: usize = 1_000;
const MOST_QUEUES: usize = 500;
const MOST_CALLS: usize = 1_000;
const MOST_EXTENSIONS: usize = 20_000;
const MOST_IN_A_QUEUE: usize = 100;

/// The counts at a glance.
pub(super) fn tiles(page: &mut String, summary: &Summary) -> fmt::Result {
    page.push_str("<div class=\"tiles\">\n");
    let of = |part: u64, all: u64| format!("{part}<small> of {all}</small>");
    let trunks = summary.trunks.as_ref();
    let lost = trunks.is_some_and(|trunks| trunks.down > 0);
    tile(page, "trunks up", trunks.map(|it| of(it.up, it.total)), lost)?;
    let extensions = summary.extensions.as_ref();
    tile(page, "extensions online", extensions.map(|it| of(it.online, it.total)), false)?;
    let calls = summary.active_calls.as_ref();
    tile(page, "calls", calls.map(|it| it.total.to_string()), false)?;
    let queues = summary.queues.as_ref();
    tile(page, "callers waiting", queues.map(|it| it.callers.to_string()), false)?;
    tile(page, "longest wait", queues.map(|it| clock(it.longest_wait_seconds)), false)?;
    tile(page, "channels", summary.channels.map(|it| it.to_string()), false)?;
    page.push_str("</div>\n");
    Ok(())
}

/// One count; `value` is markup of our own making.
fn tile(page: &mut String, label: &str, value: Option<String>, alert: bool) -> fmt::Result {
    let value = value.unwrap_or_else(|| "<small>not known</small>".to_owned());
    let alert = if alert { " alert" } else { "" };
    writeln!(page, "<div class=\"card tile{alert}\"><b>{value}</b>{label}</div>")
}

pub(super) fn trunks(page: &mut String, snapshot: &Snapshot) -> fmt::Result {
    let Some(trunks) = open(page, snapshot, Section::Trunks, snapshot.trunks.as_deref())? else {
        return Ok(());
    };
    // Stable, so the natural order stays within each group.
    let mut trunks: Vec<&Trunk> = trunks.iter().collect();
    trunks.sort_by_key(|trunk| !trunk.state.is_down());
    page.push_str(
        "<div class=\"card\"><table>\n<thead><tr><th>State</th><th>Trunk</th><th>Other side</th>\
         <th class=\"num\">Calls</th><th class=\"num\">Round trip</th></tr></thead>\n<tbody>\n",
    );
    for trunk in trunks.iter().take(MOST_TRUNKS) {
        let class = match trunk.state {
            TrunkState::Registered | TrunkState::Reachable => "ok",
            TrunkState::Unmonitored | TrunkState::Unknown => "off",
            _ => "use",
        };
        write!(
            page,
            "<tr><td class=\"tight\"><span class=\"pill {class}\">{}</span></td>\
             <td><b>{}</b> <span class=\"dim\">{}</span>",
            trunk.state.as_str(),
            Text(&trunk.name),
            Text(&trunk.tech)
        )?;
        if trunk.state == TrunkState::Registered && trunk.reachable == Some(false) {
            page.push_str(" <span class=\"pill ring\">does not answer</span>");
        }
        let host = trunk.host.as_deref().unwrap_or_default();
        write!(page, "</td><td class=\"dim\">{}", Text(host))?;
        if let (Some(port), false) = (trunk.port, host.is_empty()) {
            write!(page, ":{port}")?;
        }
        page.push_str("</td><td class=\"num\" data-l=\"Calls\">");
        number_or_dash(page, trunk.active_calls)?;
        match trunk.latency_ms {
            Some(ms) => {
                let decimals = usize::from(ms < 10.0);
                write!(page, "</td><td class=\"num\" data-l=\"Round trip\">{ms:.decimals$} ms")?;
            }
            None => page.push_str("</td><td class=\"num\">"),
        }
        page.push_str("</td></tr>\n");
    }
    page.push_str("</tbody></table></div>\n");
    close(page, trunks.len(), MOST_TRUNKS)
}

pub(super) fn queues(page: &mut String, snapshot: &Snapshot) -> fmt::Result {
    let Some(queues) = open(page, snapshot, Section::Queues, snapshot.queues.as_deref())? else {
        return Ok(());
    };
    let mut queues: Vec<&Queue> = queues.iter().collect();
    queues.sort_by_key(|queue| queue.calls.unwrap_or(0) == 0);
    page.push_str("<div class=\"queues\">\n");
    for queue in queues.iter().take(MOST_QUEUES) {
        one_queue(page, queue)?;
    }
    page.push_str("</div>\n");
    close(page, queues.len(), MOST_QUEUES)
}

fn one_queue(page: &mut String, queue: &Queue) -> fmt::Result {
    let (class, waiting) = match queue.calls {
        None => ("off", "not known".to_owned()),
        Some(0) => ("ok", "nobody waits".to_owned()),
        Some(calls) if queue.available == Some(0) => ("use", format!("{calls} waiting")),
        Some(calls) => ("ring", format!("{calls} waiting")),
    };
    write!(
        page,
        "<div class=\"card queue\"><div class=\"head\"><h3>Queue {}</h3>\
         <span class=\"pill {class}\">{waiting}</span></div>\n<p class=\"facts\">",
        Text(&queue.name)
    )?;
    let facts = [
        (queue.available, "available"),
        (queue.in_call, "in a call"),
        (queue.paused, "paused"),
        (queue.members, if queue.members == Some(1) { "member" } else { "members" }),
    ];
    let facts: Vec<String> = facts
        .into_iter()
        .filter_map(|(count, what)| count.map(|count| format!("{count} {what}")))
        .collect();
    writeln!(page, "{}</p>", facts.join(", "))?;
    let callers = queue.callers.as_deref().unwrap_or_default();
    if !callers.is_empty() {
        page.push_str("<ol class=\"line\">\n");
        for caller in callers.iter().take(MOST_IN_A_QUEUE) {
            page.push_str("<li><span>");
            party(page, caller.number.as_deref(), caller.name.as_deref())?;
            let wait = caller.wait_seconds.map(clock).unwrap_or_default();
            writeln!(page, "</span><span class=\"num\">{wait}</span></li>")?;
        }
        page.push_str("</ol>\n");
        more(page, callers.len(), MOST_IN_A_QUEUE)?;
    }
    let agents = queue.agents.as_deref().unwrap_or_default();
    if !agents.is_empty() {
        page.push_str("<ul class=\"chips\">\n");
        for agent in agents.iter().take(MOST_IN_A_QUEUE) {
            let (class, word) = match agent.status {
                AgentStatus::Unavailable => ("off", "offline"),
                AgentStatus::Invalid => ("off", "no such phone"),
                _ if agent.paused == Some(true) => ("hold", "paused"),
                AgentStatus::Available => ("ok", "available"),
                AgentStatus::InUse => ("use", "in use"),
                AgentStatus::Busy => ("use", "busy"),
                AgentStatus::Ringing => ("ring", "ringing"),
                AgentStatus::OnHold => ("hold", "on hold"),
                AgentStatus::Unknown => ("off", "not known"),
            };
            let name = agent.name.as_deref().unwrap_or(&agent.interface);
            let number = agent.extension.as_deref().unwrap_or_default();
            let number = if number == name { "" } else { number };
            let space = if number.is_empty() { "" } else { " " };
            writeln!(
                page,
                "<li class=\"{class}\"><b>{}</b>{space}{}: {word}</li>",
                Text(number),
                Text(name)
            )?;
        }
        page.push_str("</ul>\n");
        more(page, agents.len(), MOST_IN_A_QUEUE)?;
    }
    page.push_str("</div>\n");
    Ok(())
}

pub(super) fn calls(page: &mut String, snapshot: &Snapshot) -> fmt::Result {
    let calls = snapshot.active_calls.as_deref();
    let Some(calls) = open(page, snapshot, Section::ActiveCalls, calls)? else {
        return Ok(());
    };
    page.push_str(
        "<div class=\"card\"><table>\n<thead><tr><th>State</th><th>Call</th><th>Direction</th>\
         <th class=\"num\">For</th></tr></thead>\n<tbody>\n",
    );
    for call in calls.iter().take(MOST_CALLS) {
        one_call(page, call)?;
    }
    page.push_str("</tbody></table></div>\n");
    close(page, calls.len(), MOST_CALLS)
}

fn one_call(page: &mut String, call: &Call) -> fmt::Result {
    let class = match call.state {
        CallState::Up | CallState::Conference => "ok",
        CallState::Dialing | CallState::Ringing | CallState::Queued => "ring",
        CallState::OnHold | CallState::Parked => "hold",
        CallState::Busy => "use",
        CallState::Unknown => "off",
    };
    let direction = match call.direction {
        Direction::Internal => "internal",
        Direction::Inbound => "inbound",
        Direction::Outbound => "outbound",
        Direction::Unknown => "",
    };
    let age = call.duration_seconds.map(clock).unwrap_or_default();
    writeln!(
        page,
        "<tr><td class=\"tight\"><span class=\"pill {class}\">{}</span></td><td>{}</td>\
         <td class=\"tight dim\">{direction}</td><td class=\"num\" data-l=\"For\">{age}</td></tr>",
        call.state.as_str(),
        Text(&call.description)
    )
}

pub(super) fn extensions(page: &mut String, snapshot: &Snapshot) -> fmt::Result {
    let extensions = snapshot.extensions.as_deref();
    let search = "<input id=\"find\" type=\"search\" placeholder=\"Find number, name or state\" \
                  aria-label=\"Find an extension\">";
    let is_list = extensions.is_some_and(|extensions| !extensions.is_empty());
    let search = if is_list { search } else { "" };
    let Some(extensions) = open_with(page, snapshot, Section::Extensions, extensions, search)?
    else {
        return Ok(());
    };
    page.push_str("<ul class=\"legend\" aria-label=\"Extensions by state\">\n");
    for status in STATUSES {
        let count = extensions.iter().filter(|extension| extension.status == status).count();
        if count > 0 {
            let (class, word) = lamp(status);
            writeln!(page, "<li class=\"pill {class}\">{count} {word}</li>")?;
        }
    }
    page.push_str("</ul>\n<ul class=\"blf\">\n");
    for extension in extensions.iter().take(MOST_EXTENSIONS) {
        one_extension(page, extension)?;
    }
    page.push_str("</ul>\n");
    close(page, extensions.len(), MOST_EXTENSIONS)
}

const STATUSES: [ExtensionStatus; 7] = [
    ExtensionStatus::Available,
    ExtensionStatus::InUse,
    ExtensionStatus::Busy,
    ExtensionStatus::Ringing,
    ExtensionStatus::OnHold,
    ExtensionStatus::Unavailable,
    ExtensionStatus::Unknown,
];

/// Colour and word of a lamp: the colour never speaks alone.
fn lamp(status: ExtensionStatus) -> (&'static str, &'static str) {
    match status {
        ExtensionStatus::Available => ("ok", "available"),
        ExtensionStatus::InUse => ("use", "in use"),
        ExtensionStatus::Busy => ("use", "busy"),
        ExtensionStatus::Ringing => ("ring", "ringing"),
        ExtensionStatus::OnHold => ("hold", "on hold"),
        ExtensionStatus::Unavailable => ("off", "offline"),
        ExtensionStatus::Unknown => ("off", "not known"),
    }
}

fn one_extension(page: &mut String, extension: &Extension) -> fmt::Result {
    let (class, mut word) = lamp(extension.status);
    let forward = extension.forwards.as_ref().and_then(|forwards| forwards.all.as_deref());
    if extension.status == ExtensionStatus::Available {
        word = match (extension.dnd, forward) {
            (Some(true), _) => "DND",
            (_, Some(_)) => "forwarded",
            _ => "",
        };
    }
    let class = if word == "DND" { "hold" } else { class };
    let name = extension.name.as_deref().unwrap_or_default();
    write!(page, "<li class=\"{class}\" title=\"{}", Text(name))?;
    if let Some(forward) = forward {
        write!(page, ", forwarded to {}", Text(forward))?;
    }
    write!(page, "\">")?;
    if !word.is_empty() {
        write!(page, "<i>{word}</i>")?;
    }
    writeln!(page, "<b>{}</b><span>{}</span></li>", Text(&extension.extension), Text(name))
}

/// Parked calls and conferences, where there are any.
pub(super) fn rooms(page: &mut String, snapshot: &Snapshot) -> fmt::Result {
    let parked = snapshot.parking.as_deref().unwrap_or_default();
    let conferences = snapshot.conferences.as_deref().unwrap_or_default();
    if parked.is_empty() && conferences.is_empty() {
        return Ok(());
    }
    page.push_str(
        "<section>\n<div class=\"head\"><h2>Parked calls and conferences</h2></div>\n\
         <div class=\"queues\">\n",
    );
    for call in parked.iter().take(MOST_CALLS) {
        let space = call.space.as_deref().unwrap_or("not known");
        let since = call.parked_seconds.map(clock).unwrap_or_default();
        write!(
            page,
            "<div class=\"card queue\"><div class=\"head\"><h3>Parked on {}</h3>\
             <span class=\"num\">{since}</span></div><p class=\"facts\">",
            Text(space)
        )?;
        party(page, call.number.as_deref(), call.name.as_deref())?;
        page.push_str("</p></div>\n");
    }
    for conference in conferences.iter().take(MOST_CALLS) {
        write!(
            page,
            "<div class=\"card queue\"><div class=\"head\"><h3>Conference {}</h3>",
            Text(&conference.name)
        )?;
        let members = conference.members.as_deref().unwrap_or_default();
        writeln!(
            page,
            "<span class=\"pill info\">{} in it</span></div>\n<ul class=\"chips\">",
            conference.participants.map_or("?".to_owned(), |count| count.to_string())
        )?;
        for member in members.iter().take(MOST_IN_A_QUEUE) {
            page.push_str("<li class=\"off\">");
            party(page, member.number.as_deref(), member.name.as_deref())?;
            page.push_str("</li>\n");
        }
        page.push_str("</ul>\n");
        more(page, members.len(), MOST_IN_A_QUEUE)?;
        page.push_str("</div>\n");
    }
    page.push_str("</div>\n</section>\n");
    Ok(())
}

/// What differs from the previous snapshot.
pub(super) fn changes(page: &mut String, snapshot: &Snapshot) -> fmt::Result {
    const MOST: usize = 50;
    let changes = snapshot.changes.as_deref().unwrap_or_default();
    if changes.is_empty() {
        return Ok(());
    }
    write!(
        page,
        "<section>\n<div class=\"head\"><h2>Changed since the previous snapshot</h2>\
         <span class=\"dim\">{}</span></div>\n<div class=\"card note\"><ul>\n",
        changes.len()
    )?;
    for change in changes.iter().take(MOST) {
        writeln!(page, "<li>{}</li>", Text(&change.message))?;
    }
    page.push_str("</ul></div>\n");
    close(page, changes.len(), MOST)
}

/// Begins a section. `None` where there is nothing to list, which the page then says: none, or not
/// known and why.
fn open<'a, T>(
    page: &mut String,
    snapshot: &Snapshot,
    section: Section,
    items: Option<&'a [T]>,
) -> Result<Option<&'a [T]>, fmt::Error> {
    open_with(page, snapshot, section, items, "")
}

fn open_with<'a, T>(
    page: &mut String,
    snapshot: &Snapshot,
    section: Section,
    items: Option<&'a [T]>,
    tool: &str,
) -> Result<Option<&'a [T]>, fmt::Error> {
    let report = snapshot.sections.get(section);
    let count = items.map_or_else(String::new, |items| items.len().to_string());
    write!(
        page,
        "<section id=\"{}\">\n<div class=\"head\"><h2>{}</h2><span class=\"dim num\">{count}</span>\
         {tool}</div>\n",
        section.as_str(),
        title(section)
    )?;
    let said = Text(report.message.as_deref().unwrap_or(reason(report.status)));
    match items {
        None => {
            page.push_str("<p class=\"card note\"><b>Not known.</b> ");
            writeln!(page, "{said}</p>\n</section>")?;
            Ok(None)
        }
        Some(items) => {
            if report.status == SectionStatus::Partial {
                writeln!(page, "<p class=\"card note\"><b>Read only in part.</b> {said}</p>")?;
            }
            if !items.is_empty() {
                return Ok(Some(items));
            }
            page.push_str("<p class=\"card note\">None.</p>\n</section>\n");
            Ok(None)
        }
    }
}

/// Ends a section and says what its bound has cut.
fn close(page: &mut String, total: usize, most: usize) -> fmt::Result {
    more(page, total, most)?;
    page.push_str("</section>\n");
    Ok(())
}

fn more(page: &mut String, total: usize, most: usize) -> fmt::Result {
    match total.saturating_sub(most) {
        0 => Ok(()),
        cut => writeln!(page, "<p class=\"dim\">And {cut} more, which the snapshot lists.</p>"),
    }
}

fn party(page: &mut String, number: Option<&str>, name: Option<&str>) -> fmt::Result {
    match (number, name) {
        (None, None) => page.write_str("number withheld"),
        (Some(number), None) => write!(page, "<b>{}</b>", Text(number)),
        (None, Some(name)) => write!(page, "{}", Text(name)),
        (Some(number), Some(name)) => write!(page, "<b>{}</b> {}", Text(number), Text(name)),
    }
}

fn number_or_dash(page: &mut String, number: Option<u64>) -> fmt::Result {
    match number {
        Some(number) => write!(page, "{number}"),
        None => page.write_str("not known"),
    }
}
