//! `find_extension` and `list_extensions`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Question, Tool, contains, named};
use crate::{
    snapshot::{Extension, ExtensionStatus, Section, Snapshot},
    views::mcp::{
        about::not_known,
        page::{Answer, Page, page},
    },
};

pub(super) const FIND: Tool = Tool {
    name: "find_extension",
    title: "Find an extension",
    description: "All about one extension, or a few: state, devices, contacts, user agent, calls, \
                  queues, do not disturb, forwards. Finds it by its number, the beginning of its \
                  number, or a part of its name.",
    input: super::input::<FindExtension>,
    output: super::output::<Page<Found>>,
    answer: find,
};

pub(super) const LIST: Tool = Tool {
    name: "list_extensions",
    title: "List extensions",
    description: "Extensions with their state, optionally only those that are busy, offline, in a \
                  given state, or members of a given queue. Filters are combined with and.",
    input: super::input::<ListExtensions>,
    output: super::output::<Page<Row>>,
    answer: list,
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "limit and cursor are read by `Asked`, for all lists alike")]
struct FindExtension {
    /// A number, the beginning of one, or a part of a name; case does not matter.
    query: String,
    /// Matches per page, at most 200; without it 50.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "limit and cursor are read by `Asked`, for all lists alike")]
struct ListExtensions {
    /// Only those on the phone or ringing (In use, Ringing, Busy or On hold); with false, only the
    /// others.
    busy: Option<bool>,
    /// Only those with no reachable phone; with false, only those with one.
    offline: Option<bool>,
    /// Only those in this state.
    status: Option<ExtensionStatus>,
    /// Only members of the queue of this name.
    queue: Option<String>,
    /// Extensions per page, at most 200; without it 50.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// An extension with all that is known of it.
#[derive(Debug, Serialize, JsonSchema)]
struct Found {
    /// The extension as it stands in the snapshot.
    details: Extension,
    /// The calls that it takes part in, one sentence each. `null` when calls are not known.
    calls: Option<Vec<String>>,
}

/// An extension in short.
#[derive(Debug, Serialize, JsonSchema)]
struct Row {
    /// Its number.
    extension: String,
    /// Display name.
    name: Option<String>,
    /// State over all its devices.
    status: ExtensionStatus,
    /// True when a phone is registered or reachable, `null` when not known.
    online: Option<bool>,
    /// Calls that it takes part in; `null` when not known.
    active_calls: Option<u64>,
    /// Queues that it is a member of; `null` when not known.
    queues: Option<Vec<String>>,
    /// Do not disturb; `null` when not known.
    dnd: Option<bool>,
    /// Where all its calls are forwarded to; `null` when not forwarded or not known.
    forwarded_to: Option<String>,
}

fn find(question: &Question<'_>) -> Result<Answer, String> {
    let FindExtension { query, .. } = question.arguments()?;
    let query = query.trim();
    if query.is_empty() {
        return Err(
            "`query` is empty: pass a number, the beginning of one, or a part of a name".to_owned()
        );
    }
    let snapshot = question.snapshot;
    let found = snapshot.extensions.as_ref().map(|extensions| {
        let mut ranked: Vec<_> =
            extensions.iter().filter_map(|one| Some((rank(one, query)?, one))).collect();
        // Stable, so that equals stay in the order of the snapshot.
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.into_iter().map(|(_, extension)| with_calls(extension, snapshot)).collect::<Vec<_>>()
    });
    let heading = format!("Extensions that match \"{query}\"");
    Ok(page(
        question.about.clone(),
        &question.asked()?,
        found.as_deref(),
        not_known(snapshot, Section::Extensions),
        &heading,
        found_line,
    ))
}

/// How well an extension matches, best first; `None` when it does not.
fn rank(extension: &Extension, query: &str) -> Option<u8> {
    if extension.extension.eq_ignore_ascii_case(query) {
        return Some(0);
    }
    if extension.name.as_ref().is_some_and(|name| name.to_lowercase() == query.to_lowercase()) {
        return Some(1);
    }
    if extension.extension.starts_with(query) {
        return Some(2);
    }
    let words = || query.split_whitespace();
    words().all(|word| contains(extension.name.as_ref(), word)).then_some(3)
}

fn with_calls(extension: &Extension, snapshot: &Snapshot) -> Found {
    let number = Some(&extension.extension);
    let devices: Vec<_> =
        extension.devices.iter().map(|device| format!("{}-", device.device)).collect();
    let calls = snapshot.active_calls.as_ref().map(|calls| {
        let its = calls.iter().filter(|call| {
            call.from.extension.as_ref() == number
                || call.to.extension.as_ref() == number
                || call.channels.iter().any(|channel| {
                    devices.iter().any(|device| channel.starts_with(device.as_str()))
                })
        });
        its.map(|call| call.description.clone()).collect()
    });
    Found { details: extension.clone(), calls }
}

fn found_line(found: &Found) -> String {
    let Found { details: extension, calls } = found;
    let mut line = row_line(&row(extension));
    for contact in extension.contacts.iter().flatten().take(5) {
        let address = named(contact.ip.as_deref(), None);
        let status = contact.status.as_deref().unwrap_or("unknown");
        let agent = contact.user_agent.as_deref().unwrap_or("unknown make");
        line.push_str(&format!("\n  - {} at {address}: {status}, {agent}", contact.device));
    }
    match calls {
        None => line.push_str("\n  - calls: not known"),
        Some(calls) => {
            for call in calls.iter().take(5) {
                line.push_str(&format!("\n  - call: {call}"));
            }
        }
    }
    line
}

fn list(question: &Question<'_>) -> Result<Answer, String> {
    let wanted: ListExtensions = question.arguments()?;
    let snapshot = question.snapshot;
    let matches = |one: &&Extension| {
        wanted.busy.is_none_or(|busy| one.status.is_busy() == busy)
            && wanted.offline.is_none_or(|offline| one.online == Some(!offline))
            && wanted.status.is_none_or(|status| one.status == status)
            && wanted.queue.as_ref().is_none_or(|queue| {
                one.queues.as_ref().is_some_and(|queues| queues.contains(queue))
            })
    };
    let mut reason = not_known(snapshot, Section::Extensions);
    let mut rows = snapshot
        .extensions
        .as_ref()
        .map(|extensions| extensions.iter().filter(matches).map(row).collect::<Vec<_>>());
    if let Some(queue) = &wanted.queue {
        match &snapshot.queues {
            // Nobody can tell who is a member.
            None => {
                reason = not_known(snapshot, Section::Queues);
                rows = None;
            }
            Some(queues) if !queues.iter().any(|one| one.name == *queue) => {
                let names: Vec<_> = queues.iter().map(|one| one.name.as_str()).collect();
                return Err(format!("there is no queue {queue}; there are: {}", names.join(", ")));
            }
            Some(_) => {}
        }
    }
    let heading = heading(&wanted);
    Ok(page(
        question.about.clone(),
        &question.asked()?,
        rows.as_deref(),
        reason,
        &heading,
        row_line,
    ))
}

fn heading(wanted: &ListExtensions) -> String {
    let filters = [
        wanted.busy.map(|busy| if busy { "busy" } else { "not busy" }.to_owned()),
        wanted.offline.map(|offline| if offline { "offline" } else { "online" }.to_owned()),
        wanted.status.map(|status| format!("state {}", status.as_str())),
        wanted.queue.as_ref().map(|queue| format!("in queue {queue}")),
    ];
    let filters: Vec<_> = filters.into_iter().flatten().collect();
    match filters.is_empty() {
        true => "Extensions".to_owned(),
        false => format!("Extensions ({})", filters.join(", ")),
    }
}

fn row(extension: &Extension) -> Row {
    Row {
        extension: extension.extension.clone(),
        name: extension.name.clone(),
        status: extension.status,
        online: extension.online,
        active_calls: extension.active_calls,
        queues: extension.queues.clone(),
        dnd: extension.dnd,
        forwarded_to: extension.forwards.as_ref().and_then(|forwards| forwards.all.clone()),
    }
}

fn row_line(row: &Row) -> String {
    let online = match row.online {
        Some(true) => "online",
        Some(false) => "offline",
        None => "not known whether online",
    };
    let mut line = format!(
        "{}: {}, {online}",
        named(Some(&row.extension), row.name.as_deref()),
        row.status.as_str()
    );
    match row.active_calls {
        Some(calls @ 1..) => line.push_str(&format!(", calls: {calls}")),
        Some(0) => {}
        None => line.push_str(", calls: not known"),
    }
    if let Some(queues) = row.queues.as_ref().filter(|queues| !queues.is_empty()) {
        line.push_str(&format!(", queues: {}", queues.join(" ")));
    }
    if row.dnd == Some(true) {
        line.push_str(", do not disturb");
    }
    if let Some(target) = &row.forwarded_to {
        line.push_str(&format!(", forwarded to {target}"));
    }
    line
}
